"""An animated GIF without its words: comments, XMP and whatever applications wrote into it. Pure.

Source: Graphics Interchange Format 89a (CompuServe, 31 July 1990), sections 17 to 27.
"""

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
"""Applications whose block says how often the frames come round."""
_HEADER = 13
"""Signature and logical screen descriptor."""


def without_words(data: bytes) -> bytes:
    """The frames, their times and how often they are shown; nothing else. Raises ValueError: broken, or no GIF."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < _HEADER:
        raise ValueError("no GIF")
    at = _HEADER + _colours(data[10])
    kept = [data[:at]]
    while (sort := _byte(data, at)) != _TRAILER:
        end = _end_of_block(data, at, sort)
        if sort == _IMAGE or _needed(data, at):
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, bytes([_TRAILER])])


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ValueError("it ends too soon")
    return data[at]


def _colours(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_block(data: bytes, at: int, sort: int) -> int:
    if sort == _IMAGE:
        at += 10 + _colours(_byte(data, at + 9)) + 1  # descriptor, colours, smallest code size
    elif sort == _EXTENSION:
        at += 2
    else:
        raise ValueError("an unknown block")
    while size := _byte(data, at):
        at += 1 + size
    return at + 1


def _needed(data: bytes, at: int) -> bool:
    """True for extensions that the frames need to be shown."""
    label = _byte(data, at + 1)
    return label == _GRAPHIC_CONTROL or (label == _APPLICATION and data[at + 3 : at + 14] in _LOOPS)
