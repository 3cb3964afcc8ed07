"""What an MP4 or QuickTime file says of itself: how long, how large, and whether it tells where it was filmed.

Films are sent as they are: nothing here changes one. The file is a tree of boxes (ISO/IEC 14496-12; for QuickTime:
developer.apple.com/documentation/quicktime-file-format). Places stand in `©xyz` (QuickTime, Android), `loci` (3GPP TS
26.244), under Apple's key `com.apple.quicktime.location.*`, in a track of positions (GoPro `gpmd`, Google `camm`), or
in XMP.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cm.channels.port import MediaLimits, Rejected
from cm.channels.shapes import megabytes
from cm.formats import labelled, number, trouble
from cm.i18n import _

MOST_FACTS = 64_000_000
"""Bytes of the box of facts (`moov`) that are read; hours of film have a few million."""

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta", b"ilst"})
_PLACES = frozenset({b"\xa9xyz", b"loci"})
_PLACE_WORDS = (b"quicktime.location", b"gpmd", b"camm")
_WORDED = frozenset({b"keys", b"stsd"})
"""Boxes in which those words tell of a place."""
_DEEPEST = 12


@dataclass(frozen=True)
class Film:
    """What the file says; None where it says nothing. Width and height are those that one sees."""

    size: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    located: bool = False


def examined(path: Path) -> Film:
    """Read a film's boxes. Raises Rejected: not to be read, or no MP4 or QuickTime film."""
    try:
        with path.open("rb") as file:
            return _film(file, path.name)
    except OSError as error:
        raise _unusable(path.name, trouble(error)) from None


def refuse(film: Film, name: str, limits: MediaLimits) -> None:
    """Raises Rejected, in words for people: it tells where it was filmed, or the platform does not take it. Pure."""
    why = _told_place(film) or _unfit(film, limits)
    if why:
        raise Rejected(labelled(name, why), field="media")


def _told_place(film: Film) -> str | None:
    if not film.located:
        return None
    return _(
        "the film tells where it was made. Export it without its place (on an iPhone: Share, Options, Location off), "
        "or with `ffmpeg -i IN.mp4 -map 0:v -map 0:a? -map_metadata -1 -c copy OUT.mp4`."
    )


def _unfit(film: Film, limits: MediaLimits) -> str | None:
    if limits.max_bytes is not None and film.size > limits.max_bytes:
        said = _("the film has {size}, and {most} is taken.")
        return said.format(size=megabytes(film.size), most=megabytes(limits.max_bytes))
    if limits.seconds and film.seconds is not None and not limits.seconds[0] <= film.seconds <= limits.seconds[1]:
        said = _("the film lasts {seconds} s, and {least} to {most} s are taken.")
        least, most = (number(bound) for bound in limits.seconds)
        return said.format(seconds=number(film.seconds, 1), least=least, most=most)
    return _unfit_frame(film, limits)


def _unfit_frame(film: Film, limits: MediaLimits) -> str | None:
    if not film.width or not film.height:
        return None
    size, ratio = f"{film.width}×{film.height}", film.width / film.height
    if limits.ratios and not limits.ratios[0] * 0.99 <= ratio <= limits.ratios[1] * 1.01:
        said = _("the film ({size}) is {ratio} times as wide as high, and {narrow} to {wide} times is taken.")
        narrow, wide = (number(bound, 2) for bound in limits.ratios)
        return said.format(size=size, ratio=number(ratio, 2), narrow=narrow, wide=wide)
    if limits.min_side and min(film.width, film.height) < limits.min_side:
        said = _("the film has {size} pixels, and each side must have at least {least}.")
        return said.format(size=size, least=limits.min_side)
    return None


# --- boxes ------------------------------------------------------------------------------------------------------------


def _film(file: BinaryIO, name: str) -> Film:
    size = os.fstat(file.fileno()).st_size
    facts = b""
    located = False
    for kind, start, end in _top_level(file, size):
        if kind == b"moov":
            if end - start > MOST_FACTS:
                raise _unusable(name, _("its box of facts is too large to be looked at"))
            file.seek(start)
            facts = file.read(end - start)
        elif kind == b"uuid":
            file.seek(start)
            located = located or b"GPSL" in file.read(min(end - start, MOST_FACTS))
    if not facts:
        raise _unusable(name, _("it is no MP4 or QuickTime film"))
    seconds: float | None = None
    frame: tuple[int | None, int | None] = (None, None)
    for kind, body in _boxes(facts):
        located = located or kind in _PLACES or (kind in _WORDED and any(word in body for word in _PLACE_WORDS))
        if kind == b"mvhd":
            seconds = _seconds(body)
        elif kind == b"tkhd" and frame == (None, None):
            frame = _frame(body)
    return Film(size, seconds, *frame, located)


def _top_level(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each outermost box, as far as they make sense."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        kind, head, end = _head(file.read(16), at, size)
        if end < at + head or end > size:
            return
        yield kind, at + head, end
        at = end


def _boxes(data: bytes, depth: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Every box inside, outer ones before inner ones."""
    at = 0
    while at + 8 <= len(data):
        kind, head, end = _head(data[at : at + 16], at, len(data))
        if end < at + head or end > len(data):
            return
        body = data[at + head : end]
        yield kind, body
        if kind in _CONTAINERS and depth < _DEEPEST:
            # `meta` has four bytes of version in MP4, and none in QuickTime
            yield from _boxes(body[4:] if kind == b"meta" and body[4:8] != b"hdlr" else body, depth + 1)
        at = end


def _head(data: bytes, at: int, size: int) -> tuple[bytes, int, int]:
    """Kind, length of the head, and where the box ends. Size 1: a longer size follows; 0: to the end."""
    length, kind = struct.unpack_from(">I4s", data)
    if length == 1 and len(data) >= 16:
        return kind, 16, at + struct.unpack_from(">Q", data, 8)[0]
    return kind, 8, at + length if length else size


def _seconds(body: bytes) -> float | None:
    """Of the film's header, in version 0 or 1."""
    layout, offset = (">IQ", 20) if body[:1] == b"\x01" else (">II", 12)
    if len(body) < offset + struct.calcsize(layout):
        return None
    scale, duration = struct.unpack_from(layout, body, offset)
    return duration / scale if scale else None


def _frame(body: bytes) -> tuple[int | None, int | None]:
    """Width and height of a track, turned by its matrix; nothing for one without pictures."""
    offset = 88 if body[:1] == b"\x01" else 76
    if len(body) < offset + 8:
        return None, None
    width, height = (value >> 16 for value in struct.unpack_from(">II", body, offset))
    across = struct.unpack_from(">i", body, offset - 36)[0]  # of the matrix: how far x follows x
    turned = across == 0
    return ((height, width) if turned else (width, height)) if width and height else (None, None)


def _unusable(name: str, why: str) -> Rejected:
    return Rejected(_("{name} cannot be used: {why}.").format(name=name, why=why), field="media")
