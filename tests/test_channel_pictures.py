"""Pictures made to fit: upright, small enough, and telling nothing but what they show."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from support_pictures import CANARIES, corners, exif, gif, heic, jpeg, media_of, png, quarters

from cm.channels import pictures
from cm.channels.pictures import fitted, look
from cm.channels.port import Media, MediaLimits, Rejected
from cm.channels.shapes import ANYWHERE, Look, Shape, shape

UPRIGHT = ["red", "green", "blue", "grey"]
SMALL = MediaLimits(mimes=("image/jpeg", "image/png"), max_bytes=60_000, max_side=400, max_pixels=90_000)
JPEG_ONLY = MediaLimits(mimes=("image/jpeg",))


def opened(media: Media) -> Image.Image:
    return Image.open(io.BytesIO(media.path.read_bytes()))


def tells_nothing(media: Media) -> bool:
    data = media.path.read_bytes()
    found = opened(media)
    found.load()
    facts = set(found.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    facts -= {"dpi", "loop", "background", "duration", "timestamp"}  # of the container, the same in all
    return not any(canary in data for canary in CANARIES) and not dict(found.getexif()) and not facts


# --- the picture of the issue -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Twelve megapixels in HEIC, lying on the side, with the place where it was taken."""
    return media_of(heic(tmp_path_factory.mktemp("phone") / "photo.heic", 4032, 3024, 6), "image/heic")


def test_a_phone_s_heic_stands_upright_and_says_where_it_was(phone: Media) -> None:
    assert look(phone.path) == Look("image/heic", 3024, 4032, located=True)


@pytest.mark.parametrize(
    "limits",
    [
        ANYWHERE,
        SMALL,
        MediaLimits(mimes=("image/jpeg",), max_bytes=1_000_000, max_side=2000),
        MediaLimits(mimes=("image/png",), max_side=1000),
        MediaLimits(mimes=("image/webp",), max_pixels=1_000_000, ratios=(0.5, 2.0)),
    ],
)
def test_a_phone_s_heic_fits_everywhere_without_its_place(phone: Media, limits: MediaLimits, tmp_path: Path) -> None:
    made = fitted(phone, limits, tmp_path)
    found = opened(made)
    assert made.mime in limits.mimes
    assert (made.alt, made.sha256) == (phone.alt, hashlib.sha256(made.path.read_bytes()).hexdigest())
    assert made.path.stat().st_size <= (limits.max_bytes or 10**9)
    assert max(found.size) <= (limits.max_side or 10**9)
    assert found.width * found.height <= (limits.max_pixels or 10**9)
    assert found.width / found.height == pytest.approx(3 / 4, abs=0.005)
    red, green, blue, grey = corners(found)
    assert (red, green, blue, grey) == ("blue", "red", "grey", "green")  # turned a quarter clockwise
    assert tells_nothing(made)


# --- what is removed, what is kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_as_its_exif_asks(orientation: int, tmp_path: Path) -> None:
    back = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    back |= {7: "TRANSVERSE", 8: "ROTATE_270"}
    stored = quarters(96, 64)
    if orientation in back:
        stored = stored.transpose(Image.Transpose[back[orientation]])
    stored.save(tmp_path / "a.jpg", "JPEG", exif=exif(orientation), quality=95)
    made = fitted(media_of(tmp_path / "a.jpg"), ANYWHERE, tmp_path / "made")
    assert opened(made).size == (96, 64)
    assert corners(opened(made)) == UPRIGHT
    assert look(tmp_path / "a.jpg").width == 96


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_word_in_a_jpeg_is_gone(mode: str, tmp_path: Path) -> None:
    media = media_of(jpeg(tmp_path / "a.jpg", mode=mode))
    assert b"Secret note" in media.path.read_bytes()
    made = fitted(media, ANYWHERE, tmp_path)
    assert (made.mime, opened(made).mode) == ("image/jpeg", "RGB")
    assert tells_nothing(made)


def test_what_is_hidden_behind_the_end_of_a_jpeg_is_gone(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + b"Secret note, and a film of ten seconds")
    assert tells_nothing(fitted(media_of(path), ANYWHERE, tmp_path))


def test_every_word_in_a_png_is_gone_and_it_stays_a_png(tmp_path: Path) -> None:
    media = media_of(png(tmp_path / "a.png", quarters(80, 60)), "image/png")
    made = fitted(media, ANYWHERE, tmp_path)
    assert made.mime == "image/png"
    assert tells_nothing(made)
    assert opened(made).tobytes() == quarters(80, 60).tobytes()


def test_what_is_transparent_stays_so_or_lies_on_white(tmp_path: Path) -> None:
    drawn = quarters(80, 60, "RGBA")
    drawn.paste((0, 0, 0, 0), (0, 0, 80, 10))
    media = media_of(png(tmp_path / "a.png", drawn), "image/png")
    assert opened(fitted(media, ANYWHERE, tmp_path)).convert("RGBA").getpixel((5, 5))[3] == 0
    assert min(opened(fitted(media, JPEG_ONLY, tmp_path)).getpixel((5, 3))) > 245


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
def test_every_sort_of_png_can_be_drawn(mode: str, tmp_path: Path) -> None:
    grey = Image.new("L", (40, 30), 200)
    if mode == "I;16":
        picture = Image.frombytes("I;16", (40, 30), struct.pack("<H", 200 * 257) * 1200)
    else:
        picture = grey.convert(mode)
    picture.save(tmp_path / "a.png")
    made = opened(fitted(media_of(tmp_path / "a.png", "image/png"), JPEG_ONLY, tmp_path / "made"))
    expected = 255 if mode == "1" else 200
    assert abs(made.getpixel((20, 15))[0] - expected) <= 3


def test_colours_are_brought_to_srgb(tmp_path: Path) -> None:
    """A profile of twice sRGB's brightness: the same numbers mean other colours, and those are kept."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    Image.new("RGB", (40, 30), (220, 20, 20)).save(tmp_path / "a.png", icc_profile=swapped)
    made = opened(fitted(media_of(tmp_path / "a.png", "image/png"), ANYWHERE, tmp_path / "made"))
    red, _green, blue = made.getpixel((5, 5))
    assert blue > 180 > 80 > red
    assert "icc_profile" not in made.info


def test_a_senseless_profile_does_no_harm(tmp_path: Path) -> None:
    quarters(40, 30).save(tmp_path / "a.png", icc_profile=b"no profile at all")
    made = fitted(media_of(tmp_path / "a.png", "image/png"), ANYWHERE, tmp_path / "made")
    assert corners(opened(made)) == UPRIGHT
    assert tells_nothing(made)


def test_an_animation_keeps_its_frames_and_loses_its_words(tmp_path: Path) -> None:
    media = media_of(gif(tmp_path / "a.gif"), "image/gif")
    assert b"Secret note" in media.path.read_bytes()
    made = fitted(media, ANYWHERE, tmp_path / "made")
    found = opened(made)
    assert (made.mime, found.n_frames, found.info["loop"]) == ("image/gif", 3, 0)
    assert b"Secret note" not in made.path.read_bytes()


def test_a_gif_that_stands_still_becomes_a_png(tmp_path: Path) -> None:
    assert fitted(media_of(gif(tmp_path / "a.gif", 1), "image/gif"), ANYWHERE, tmp_path / "made").mime == "image/png"


# --- keeping ----------------------------------------------------------------------------------------------------------


def test_it_is_made_once_the_same_each_time_and_again_when_it_is_gone(tmp_path: Path) -> None:
    media = media_of(jpeg(tmp_path / "a.jpg", 300, 200))
    made = fitted(media, SMALL, tmp_path / "made")
    written = made.path.stat().st_mtime_ns
    assert fitted(media, SMALL, tmp_path / "made") == made
    assert made.path.stat().st_mtime_ns == written
    made.path.unlink()
    assert fitted(media, SMALL, tmp_path / "made") == made
    made.path.write_bytes(b"somebody wrote in it")
    assert fitted(media, SMALL, tmp_path / "made") == made
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == made.sha256
    assert os.listdir(tmp_path / "made") == [made.path.name]


def test_each_limits_have_their_own(tmp_path: Path) -> None:
    media = media_of(jpeg(tmp_path / "a.jpg", 800, 600))
    assert {fitted(media, limits, tmp_path / "made").sha256 for limits in (SMALL, JPEG_ONLY)} == {
        fitted(media, limits, tmp_path / "other").sha256 for limits in (SMALL, JPEG_ONLY)
    }
    assert len(os.listdir(tmp_path / "made")) == 2


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    made = fitted(media_of(jpeg(tmp_path / "a.jpg")), ANYWHERE, tmp_path / "made")
    assert (made.path.stat().st_mode & 0o777, made.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_its_name_tells_nothing(tmp_path: Path) -> None:
    made = fitted(media_of(jpeg(tmp_path / "Martin_Dupont.jpg")), ANYWHERE, tmp_path / "made")
    assert "Martin" not in made.path.name


# --- what is refused --------------------------------------------------------------------------------------------------


def refusal(media: Media, limits: MediaLimits, into: Path) -> str:
    with pytest.raises(Rejected) as refused:
        fitted(media, limits, into)
    assert refused.value.field == "media"
    assert not into.exists() or not os.listdir(into)
    return refused.value.reason


@pytest.mark.parametrize(
    ("size", "limits", "said"),
    [
        ((300, 100), MediaLimits(mimes=("image/jpeg",), ratios=(0.8, 1.91)), "a.jpg: 300×100 is 3.00 times as wide"),
        ((100, 300), MediaLimits(mimes=("image/jpeg",), ratios=(0.8, 1.91)), "0.33 times as wide as high"),
        ((100, 80), MediaLimits(mimes=("image/jpeg",), min_side=320), "each side must have at least 320"),
        ((100, 80), MediaLimits(), "no pictures are taken"),
        ((100, 80), MediaLimits(mimes=("image/jpeg",), max_bytes=100), "cannot be made smaller than 0.0 MB"),
    ],
)
def test_what_no_scaling_mends_is_refused(
    size: tuple[int, int], limits: MediaLimits, said: str, tmp_path: Path
) -> None:
    assert said in refusal(media_of(jpeg(tmp_path / "a.jpg", *size)), limits, tmp_path / "made")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (JPEG_ONLY, "animated GIFs are not taken here"),
        (MediaLimits(mimes=("image/gif",), max_side=50), "60×40 pixels is too large"),
        (MediaLimits(mimes=("image/gif",), max_bytes=50), "is an animated GIF of"),
    ],
)
def test_an_animation_is_never_made_to_stand_still(limits: MediaLimits, said: str, tmp_path: Path) -> None:
    assert said in refusal(media_of(gif(tmp_path / "a.gif"), "image/gif"), limits, tmp_path / "made")


def test_an_animation_has_limits_of_its_own_where_the_platform_sets_them(tmp_path: Path) -> None:
    own = MediaLimits(mimes=("image/gif",), max_side=1280)
    limits = MediaLimits(mimes=("image/jpeg", "image/gif"), max_bytes=50, animated=own)
    assert fitted(media_of(gif(tmp_path / "small.gif"), "image/gif"), limits, tmp_path / "sent").mime == "image/gif"
    large = media_of(gif(tmp_path / "large.gif", size=(1300, 40)), "image/gif")
    assert "an animated GIF of 1300×40 pixels is too large here" in refusal(large, limits, tmp_path / "refused")


def test_an_animated_webp_is_refused(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), (n * 60, 0, 0)) for n in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    assert "would stand still" in refusal(media_of(tmp_path / "a.webp", "image/webp"), ANYWHERE, tmp_path / "made")


@pytest.mark.parametrize(
    "data", [b"", b"x", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"GIF89a", b"\xff\xd8\xff\xe0"]
)
def test_what_is_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    assert "a.jpg cannot be used" in refusal(media_of(tmp_path / "a.jpg"), ANYWHERE, tmp_path / "made")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_a_picture_is_refused(part: float, tmp_path: Path) -> None:
    for path in (jpeg(tmp_path / "a.jpg", 400, 300), png(tmp_path / "a.png", quarters(400, 300))):
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * part)])
        assert "cannot be used" in refusal(media_of(path), ANYWHERE, tmp_path / "made")


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, in a few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in pieces)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(9_000, 9_000), (10_000, 10_000), (60_000, 60_000)])
def test_a_bomb_is_not_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_header(*size))
    assert "larger than 80 million pixels" in refusal(media_of(tmp_path / "a.png"), ANYWHERE, tmp_path / "made")


def test_a_file_of_many_bytes_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(pictures.MOST_BYTES + 1)
    with pytest.raises(Rejected, match="100 MB"):
        look(tmp_path / "a.jpg")


def test_another_file_than_was_hashed_is_refused(tmp_path: Path) -> None:
    media = media_of(jpeg(tmp_path / "a.jpg"))
    jpeg(media.path, 50, 50)
    assert "no longer the one" in refusal(media, ANYWHERE, tmp_path / "made")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"none\.jpg cannot be used: No such file"):
        look(tmp_path / "none.jpg")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("in the way")
    with pytest.raises(Rejected, match="cannot be kept"):
        fitted(media_of(jpeg(tmp_path / "a.jpg")), ANYWHERE, tmp_path / "made")


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(max_size=300), head=st.sampled_from([b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"])
)
def test_whatever_the_bytes_it_is_refused_in_words(
    data: bytes, head: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.jpg"
    path.write_bytes(head + data)
    with pytest.raises(Rejected, match=r"cannot be used|larger than"):
        fitted(media_of(path), ANYWHERE, path.parent / "made")


@pytest.mark.parametrize(
    ("size", "expected"),
    [((300, 400), (320, 400)), ((2000, 1000), (2000, 1048)), ((800, 1000), (800, 1000)), ((3000, 4000), (1152, 1440))],
)
def test_a_picture_a_little_too_narrow_or_wide_stands_on_white(
    size: tuple[int, int], expected: tuple[int, int], tmp_path: Path
) -> None:
    """A phone's 3 : 4 where 4 : 5 is the narrowest; nothing of it is cut off."""
    limits = MediaLimits(mimes=("image/jpeg",), max_side=2000 if size[0] == 2000 else 1440, ratios=(0.8, 1.91))
    media = media_of(jpeg(tmp_path / "a.jpg", *size))
    assert shape(look(media.path), "a.jpg", limits) == Shape("image/jpeg", *expected, bordered=size != (800, 1000))
    made = opened(fitted(media, limits, tmp_path / "made"))
    assert made.size == expected
    assert corners(made) == UPRIGHT
    assert (min(made.getpixel((1, 1))) > 240) is (size != (800, 1000))


# --- shapes -----------------------------------------------------------------------------------------------------------

SIDES = st.integers(1, 8000)


@given(SIDES, SIDES, st.none() | st.integers(1, 5000), st.none() | st.integers(1, 4_000_000))
def test_a_shape_keeps_to_its_limits_and_is_never_enlarged(
    width: int, height: int, side: int | None, pixels: int | None
) -> None:
    limits = MediaLimits(mimes=("image/jpeg",), max_side=side, max_pixels=pixels)
    made = shape(Look("image/jpeg", width, height), "a.jpg", limits)
    assert max(made.width, made.height) <= (side or 8000)
    assert made.width * made.height <= max(pixels or 10**9, max(made.width, made.height))
    assert made.width <= width
    assert made.height <= height


@given(SIDES, SIDES, st.integers(400, 3000))
def test_scaling_never_leaves_the_ratios(width: int, height: int, side: int) -> None:
    limits = MediaLimits(mimes=("image/jpeg",), max_side=side, ratios=(0.8, 1.91))
    seen = Look("image/jpeg", width, height)
    try:
        made = shape(seen, "a.jpg", limits)
    except Rejected:
        assert not 0.8 / 1.1 <= width / height <= 1.91 * 1.1
    else:
        assert 0.8 * 0.998 <= made.width / made.height <= 1.91 * 1.002 or max(width, height) < 400


@pytest.mark.parametrize(
    ("seen", "mimes", "mime"),
    [
        (Look("image/heic", 10, 10), ("image/png", "image/jpeg"), "image/jpeg"),
        (Look("image/webp", 10, 10), ("image/webp", "image/png"), "image/webp"),
        (Look("image/png", 10, 10), ("image/jpeg", "image/png"), "image/png"),
        (Look("image/jpeg", 10, 10, transparent=True), ("image/jpeg", "image/webp"), "image/webp"),
        (Look("image/png", 10, 10), ("image/gif",), "image/jpeg"),
    ],
)
def test_drawings_stay_sharp_and_photographs_small(seen: Look, mimes: tuple[str, ...], mime: str) -> None:
    assert shape(seen, "a", MediaLimits(mimes=mimes)) == Shape(mime, 10, 10)
