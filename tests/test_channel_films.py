"""Films: what their boxes say, and the place that they must not tell."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.channels.films import Film, examined, refuse
from cm.channels.port import MediaLimits, Rejected

TURNED = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
STRAIGHT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


def box(kind: bytes, body: bytes = b"", *, long: bool = False) -> bytes:
    if long:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


def mvhd(seconds: float, version: int = 0) -> bytes:
    if version:
        return box(b"mvhd", struct.pack(">IQQIQ", 1 << 24, 0, 0, 1000, int(seconds * 1000)) + bytes(80))
    return box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, int(seconds * 1000)) + bytes(80))


def track(width: int = 0, height: int = 0, *, matrix: bytes = STRAIGHT, extra: bytes = b"") -> bytes:
    head = struct.pack(">IIIIII", 0, 0, 0, 1, 0, 0) + bytes(16) + matrix + struct.pack(">II", width << 16, height << 16)
    return box(b"trak", box(b"tkhd", head) + extra)


def film(path: Path, *facts: bytes, behind: bytes = b"", long: bool = False) -> Path:
    moov = box(b"moov", b"".join(facts), long=long)
    path.write_bytes(box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", bytes(5000)) + moov + behind)
    return path


PLACE = "+48.8506+002.3190/"
APPLE = b"com.apple.quicktime.location.ISO6709"
LOCATED = {
    "xyz": box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(PLACE), 0) + PLACE.encode())),
    "loci": box(b"udta", box(b"loci", bytes(4) + b"Paris\0" + bytes(13))),
    "apple": box(b"meta", box(b"hdlr", bytes(24)) + box(b"keys", bytes(8) + box(b"mdta", APPLE))),
    "mp4 meta": box(b"udta", box(b"meta", bytes(4) + box(b"hdlr", bytes(24)) + box(b"keys", bytes(8) + APPLE))),
    "ilst": box(b"udta", box(b"meta", bytes(4) + box(b"hdlr", bytes(24)) + box(b"ilst", box(b"\xa9xyz", b"data")))),
    "gopro": track(extra=box(b"mdia", box(b"minf", box(b"stbl", box(b"stsd", bytes(8) + box(b"gpmd", bytes(8))))))),
}


@pytest.mark.parametrize("how", LOCATED)
def test_a_film_that_tells_its_place_is_found_and_refused(how: str, tmp_path: Path) -> None:
    found = examined(film(tmp_path / "a.mov", mvhd(10), LOCATED[how]))
    assert found.located
    with pytest.raises(Rejected, match=r"a\.mov: the film tells where it was made\. Export it without its place"):
        refuse(found, "a.mov", MediaLimits())


def test_xmp_behind_the_film_is_looked_at(tmp_path: Path) -> None:
    xmp = box(b"uuid", bytes(16) + b"<exif:GPSLatitude>48,50N</exif:GPSLatitude>")
    assert examined(film(tmp_path / "a.mp4", mvhd(10), behind=xmp)).located


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("long", [False, True])
def test_length_and_frame_are_read(version: int, long: bool, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", mvhd(61.5, version), track(), track(1920, 1080), long=long)
    assert examined(path) == Film(path.stat().st_size, 61.5, 1920, 1080)


def test_a_film_held_upright_is_upright(tmp_path: Path) -> None:
    found = examined(film(tmp_path / "a.mp4", mvhd(5), track(1920, 1080, matrix=TURNED)))
    assert (found.width, found.height) == (1080, 1920)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (MediaLimits(max_bytes=4_000_000), "has 5 MB, and 4 MB is taken"),
        (MediaLimits(seconds=(3, 60)), r"lasts 90\.0 s, and 3 to 60 s are taken"),
        (MediaLimits(seconds=(120, 600)), "120 to 600 s"),
        (MediaLimits(ratios=(0.55, 0.575)), r"1\.78 times as wide as high"),
        (MediaLimits(min_side=1081), "each side must have at least 1081"),
    ],
)
def test_what_a_platform_does_not_take_is_refused_in_words(limits: MediaLimits, said: str) -> None:
    found = Film(5_000_000, 90.0, 1920, 1080)
    with pytest.raises(Rejected, match=said):
        refuse(found, "a.mp4", limits)
    refuse(found, "a.mp4", MediaLimits())


def test_what_the_file_does_not_say_is_no_reason(tmp_path: Path) -> None:
    refuse(Film(10), "a.mp4", MediaLimits(seconds=(3, 60), ratios=(1, 2), min_side=500))


@pytest.mark.parametrize("data", [b"", b"short", b"GIF89a" + bytes(50), box(b"ftyp", b"isom"), bytes(64)])
def test_what_is_no_film_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(Rejected, match="no MP4 or QuickTime film"):
        examined(tmp_path / "a.mp4")


@given(data=st.binary(max_size=400))
def test_hostile_boxes_end(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + box(b"moov", data) + data)
    assert examined(path).size == path.stat().st_size if data else True


def test_boxes_in_boxes_without_end_are_not_followed(tmp_path: Path) -> None:
    inner = b""
    for _ in range(2000):
        inner = box(b"udta", inner)
    assert not examined(film(tmp_path / "a.mp4", inner)).located
