"""What of a picture fits on a platform: type, size, ratio; pure.

Nothing is ever cut off or enlarged: a picture that is a little too narrow or too wide stands on white; what that does
not mend (a banner, a picture too small, an animation) is refused.
"""

import math
from dataclasses import dataclass

from cm.channels.port import MediaLimits, Rejected
from cm.formats import labelled, number
from cm.i18n import _

JPEG, PNG, WEBP, GIF = "image/jpeg", "image/png", "image/webp", "image/gif"
ANYWHERE = MediaLimits(mimes=(JPEG, PNG, GIF))
"""Where nothing is known of the place a picture goes to."""
_MOST_WHITE = 1.1
"""A canvas so many times as wide, or as high, as the picture is the most; beyond it the picture is refused."""


@dataclass(frozen=True)
class Look:
    """What a picture's header tells. Width and height are those that one sees, turned by EXIF."""

    mime: str
    width: int
    height: int
    animated: bool = False
    transparent: bool = False
    located: bool = False
    """It says where it was taken."""


@dataclass(frozen=True)
class Shape:
    """What a derivative will be: its type and size, before its bytes are counted."""

    mime: str
    width: int
    height: int
    bordered: bool = False
    """White stands beside the picture, since it would be too narrow or too wide."""


def shape(seen: Look, name: str, limits: MediaLimits) -> Shape:
    """What a platform will be given of such a picture; pure. Raises Rejected with a sentence for people."""
    limits = holding(seen, limits)
    refuse_impossible(seen, name, limits)
    if seen.animated:
        return Shape(GIF, seen.width, seen.height)
    ground = canvas(seen, limits)
    return Shape(kinds(seen, limits)[0], *within(*ground, limits), bordered=ground != (seen.width, seen.height))


def holding(seen: Look, limits: MediaLimits) -> MediaLimits:
    """The limits that hold for such a picture: animations may have their own."""
    return limits.animated if seen.animated and limits.animated else limits


def megabytes(size: int) -> str:
    """`2 MB`, `0.9 MB`, `275 GB`: for people."""
    if size >= 10_000_000_000:
        return _("{n} GB").format(n=number(size / 1_000_000_000))
    return _("{n} MB").format(n=number(size / 1_000_000, 1 if size % 1_000_000 else 0))


def refuse_impossible(seen: Look, name: str, limits: MediaLimits) -> None:
    """Raises Rejected for what no derivative can mend."""
    why = _impossible(seen, limits) or (_impossible_animation(seen, limits) if seen.animated else None)
    if why:
        raise Rejected(labelled(name, why), field="media")


def _impossible(seen: Look, limits: MediaLimits) -> str | None:
    if not limits.mimes:
        return _("no pictures are taken here.")
    size = f"{seen.width}×{seen.height}"
    if limits.min_side and min(seen.width, seen.height) < limits.min_side:
        said = _("{size} pixels, and each side must have at least {least}; give a larger picture.")
        return said.format(size=size, least=limits.min_side)
    if not _in_ratios(*canvas(seen, limits), limits):
        narrow, wide = limits.ratios or (0, 0)
        said = _("{size} is {ratio} times as wide as high, and {narrow} to {wide} times is taken; cut it yourself.")
        return said.format(size=size, ratio=_ratio(seen.width / seen.height), narrow=_ratio(narrow), wide=_ratio(wide))
    return None


def _impossible_animation(seen: Look, limits: MediaLimits) -> str | None:
    """No frame is scaled or given borders."""
    if seen.mime != GIF:
        return _("an animated picture of this type would stand still; give an animated GIF, a film or a still picture.")
    if GIF not in limits.mimes:
        return _("animated GIFs are not taken here; give a film or a still picture.")
    if within(*canvas(seen, limits), limits) != (seen.width, seen.height):
        said = _("an animated GIF of {width}×{height} pixels is too large here; make it smaller.")
        return said.format(width=seen.width, height=seen.height)
    return None


def canvas(seen: Look, limits: MediaLimits) -> tuple[int, int]:
    """The size of the picture with the white that brings it within the ratios; without any where too much of it would
    be needed. A phone's 3 : 4 becomes 4 : 5 with a fifteenth of white."""
    width, height = seen.width, seen.height
    narrow, wide = limits.ratios or (0, math.inf)
    if narrow > width / height >= narrow / _MOST_WHITE:
        return math.ceil(height * narrow), height
    if wide < width / height <= wide * _MOST_WHITE:
        return width, math.ceil(width / wide)
    return width, height


def _ratio(value: float) -> str:
    return number(value, 2)


def _in_ratios(width: int, height: int, limits: MediaLimits) -> bool:
    """Within the ratios to a part in 1,000: 1.91 stands for 1.91 : 1, and 0.8 for 4 : 5 to the pixel."""
    if limits.ratios is None:
        return True
    narrow, wide = limits.ratios
    return narrow * 0.999 <= width / height <= wide * 1.001


def within(width: int, height: int, limits: MediaLimits, most: float = 1.0) -> tuple[int, int]:
    """The size in the same ratio that keeps to sides and pixels, and to `most` times the size that it has."""
    factor = min(
        most,
        limits.max_side / max(width, height) if limits.max_side else 1,
        math.sqrt(limits.max_pixels / (width * height)) if limits.max_pixels else 1,
    )
    if factor >= 1:
        return width, height
    smaller = max(1, math.floor(width * factor)), max(1, math.floor(height * factor))
    around = [smaller, (smaller[0] - 1, smaller[1]), (smaller[0], smaller[1] - 1)]
    return next((size for size in around if min(size) and _in_ratios(*size, limits)), smaller)


def kinds(seen: Look, limits: MediaLimits) -> tuple[str, ...]:
    """The types that a derivative may have, the best first: drawings stay sharp, photographs small."""
    if seen.transparent:
        wanted = PNG, WEBP, JPEG
    elif seen.mime in (PNG, GIF):
        wanted = PNG, JPEG, WEBP
    else:
        wanted = JPEG, WEBP, PNG
    return tuple(mime for mime in wanted if mime in limits.mimes) or (JPEG,)
