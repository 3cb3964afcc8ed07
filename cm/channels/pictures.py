"""Pictures on their way out: the right way up, within a platform's limits, and telling nothing but what they show.

A derivative is drawn anew from the pixels, in sRGB and turned as its EXIF asks, so that nothing else of the original
is in it: no place, device, thumbnail, comment, colour profile. The same original and limits give the same bytes.
What fits is told by `shapes`. An animated GIF keeps its frames and loses its words.
"""

import hashlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cm.channels.gif import without_words
from cm.channels.media import ending, opened
from cm.channels.port import Media, MediaLimits, Rejected
from cm.channels.shapes import GIF, JPEG, PNG, WEBP, Look, canvas, holding, kinds, megabytes, refuse_impossible, within
from cm.formats import trouble
from cm.i18n import _

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger("cm.channels")

MOST_PIXELS = 80_000_000
"""More are not decoded (320 MB of memory); below Pillow's own bound, so that it need not warn."""
MOST_BYTES = 100_000_000
"""Larger files are not opened."""

_EDITION = 1
"""Of the way derivatives are made; to be raised when it changes, so that old ones are not used again."""
_SORTS = {"JPEG": JPEG, "MPO": JPEG, "PNG": PNG, "WEBP": WEBP, "HEIF": "image/heic", "GIF": GIF}
"""What Pillow calls the formats that are read (MPO: a JPEG with further pictures behind it)."""
_READ = ("JPEG", "PNG", "WEBP", "HEIF", "GIF")
"""Nothing else is even tried."""
_QUALITIES = (90, 84, 78, 72)
_SMALLER = 0.8
_SMALLEST = 200
"""A longest side of fewer pixels is no answer to a limit of bytes."""
_ORIENTATION, _GPS = 0x0112, 0x8825
_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE",
    6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90",
}  # fmt: skip
"""EXIF orientation → what Pillow calls the turn that brings a picture upright."""
_WHITE = (255, 255, 255)


def look(path: Path) -> Look:
    """Read a picture's header. Raises Rejected: not to be read, no picture, or more pixels than are decoded."""
    try:
        with path.open("rb") as file:
            return _seen(file, path.name)
    except OSError as error:
        raise _unreadable(path.name, trouble(error)) from None


def fitted(media: Media, limits: MediaLimits, into: Path) -> Media:
    """The derivative of a picture for these limits, in the folder `into`: found there or made now.

    It may be deleted at any time: it is made again. Raises Rejected (see `shape`; also for a file that was changed
    since `sha256` was taken, or that is broken).
    """
    key = hashlib.sha256(repr((_EDITION, media.sha256, limits)).encode()).hexdigest()[:32]
    made = _kept(into, key)
    if made is None:
        with opened(media) as file:
            mime, data = _derived(file, media.path.name, limits)
        made = _keep(into, key, mime, data)
    return replace(made, alt=media.alt)


# --- looking ----------------------------------------------------------------------------------------------------------


def _seen(file: BinaryIO, name: str) -> Look:
    with _opened_image(file, name) as image:
        orientation, located = _facts(image)
        width, height = image.size[::-1] if orientation >= 5 else image.size
        return Look(_SORTS[image.format or ""], width, height, _animated(image), _transparent(image), located)


def _facts(image: "Image") -> tuple[int, bool]:
    """How it is to be turned (EXIF, 1 to 8), and whether it says where it was taken. HEIC comes turned already."""
    try:
        exif = image.getexif()
        located = bool(exif.get_ifd(_GPS)) or b"GPSL" in _xmp(image)
        orientation = exif.get(_ORIENTATION, 1)
    except Exception as error:  # decoders raise all sorts on a broken block of facts; none of it will be sent
        log.info("the facts of a picture cannot be read: %s", type(error).__name__)
        return 1, False
    return (orientation if orientation in _TURNS else 1), located


def _opened_image(file: BinaryIO, name: str) -> "Image":
    """The picture with its header read. Raises Rejected."""
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        raise _too_large(name)
    image_library = _library()
    image: Image
    try:
        image = image_library.open(file, formats=_READ)
    except (image_library.DecompressionBombError, image_library.DecompressionBombWarning):
        raise _too_large(name) from None
    except Exception as error:  # decoders raise all sorts on hostile files
        log.info("a picture cannot be opened: %s", type(error).__name__)
        raise _unreadable(name, _("it is no JPEG, PNG, WebP, HEIC or GIF picture")) from None
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(name)
    return image


def _library() -> Any:
    """Pillow with HEIC, loaded when the first picture comes; its warning of a bomb is an error everywhere."""
    import pillow_heif
    from PIL import Image

    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener()
    return Image


def _animated(image: "Image") -> bool:
    """HEIC and MPO hold several pictures of which the first is meant; they are no animations."""
    return image.format in ("GIF", "WEBP", "PNG") and bool(getattr(image, "is_animated", False))


def _transparent(image: "Image") -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _xmp(image: "Image") -> bytes:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)


def _unreadable(name: str, why: str) -> Rejected:
    return Rejected(_("{name} cannot be used: {why}.").format(name=name, why=why), field="media")


def _too_large(name: str) -> Rejected:
    said = _("{name} is larger than {pixels} million pixels or {size}; give a smaller picture.")
    return Rejected(said.format(name=name, pixels=MOST_PIXELS // 1_000_000, size=megabytes(MOST_BYTES)), field="media")


# --- making -----------------------------------------------------------------------------------------------------------


def _derived(file: BinaryIO, name: str, limits: MediaLimits) -> tuple[str, bytes]:
    """Type and bytes of the derivative. Raises Rejected."""
    seen = _seen(file, name)
    limits = holding(seen, limits)
    refuse_impossible(seen, name, limits)
    file.seek(0)
    if seen.animated:
        return GIF, _cleaned_animation(file.read(), name, limits)
    pixels = _drawn(file, name, seen, limits)
    for mime, picture, quality in _tries(pixels, seen, limits):
        data = _encoded(picture, mime, quality)
        if limits.max_bytes is None or len(data) <= limits.max_bytes:
            return mime, data
    said = _("{name} cannot be made smaller than {size}; give a simpler or smaller picture.")
    raise Rejected(said.format(name=name, size=megabytes(limits.max_bytes or 0)), field="media")


def _drawn(file: BinaryIO, name: str, seen: Look, limits: MediaLimits) -> "Image":
    """The picture as large as it may be, with the borders that it needs. Raises Rejected."""
    from PIL import Image

    ground_size = canvas(seen, limits)
    size = within(*ground_size, limits)
    if ground_size == (seen.width, seen.height):
        return _pixels(file, name, size)
    factor = min(size[0] / ground_size[0], size[1] / ground_size[1])
    inner = max(1, int(seen.width * factor)), max(1, int(seen.height * factor))
    picture = _pixels(file, name, inner)
    ground = Image.new("RGB", size, _WHITE)
    place = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    ground.paste(picture, place, picture.getchannel("A") if picture.mode == "RGBA" else None)
    return ground


def _cleaned_animation(data: bytes, name: str, limits: MediaLimits) -> bytes:
    try:
        clean = without_words(data)
    except ValueError:
        raise _unreadable(name, _("the file is broken")) from None
    if limits.max_bytes is not None and len(clean) > limits.max_bytes:
        said = _("{name} is an animated GIF of {size}, and {most} is taken; make it smaller.")
        sizes = {"size": megabytes(len(clean)), "most": megabytes(limits.max_bytes)}
        raise Rejected(said.format(name=name, **sizes), field="media")
    return clean


def _pixels(file: BinaryIO, name: str, size: tuple[int, int]) -> "Image":
    """The picture as one sees it, in RGB or RGBA, in that size; nothing else of it."""
    from PIL import Image

    image = _opened_image(file, name)
    orientation, _located = _facts(image)
    try:
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (max(size), max(size)))  # decodes at a fraction where that is enough; HEIC would give
            # its thumbnail, which may show what was cut off
        image.load()
        upright = _upright(_in_srgb(image), orientation)
        return upright if upright.size == size else upright.resize(size, Image.Resampling.LANCZOS)
    except Exception as error:  # decoders raise all sorts on hostile files
        log.info("a picture cannot be decoded: %s", type(error).__name__)
        raise _unreadable(name, _("the file is broken")) from None


def _upright(image: "Image", orientation: int) -> "Image":
    from PIL import Image

    turn = _TURNS.get(orientation)
    return image.transpose(Image.Transpose[turn]) if turn else image


def _in_srgb(image: "Image") -> "Image":
    """RGB or RGBA, by the picture's own colour profile if it has one."""
    alpha = image.convert("RGBA").getchannel("A") if _transparent(image) else None
    solid = _by_profile(image) or _eight_bits(image).convert("RGB")
    if alpha is not None:
        solid.putalpha(alpha)
    return solid


def _eight_bits(image: "Image") -> "Image":
    """Sixteen bits of grey brought to eight, which Pillow would cut off."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    return image


def _by_profile(image: "Image") -> "Image | None":
    """In sRGB by the profile in the file; None without one, or with one that says nothing sensible."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return None
    plain = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(plain, found, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        log.info("a colour profile cannot be used: %s", error)
        return None
    return turned


def _tries(pixels: "Image", seen: Look, limits: MediaLimits) -> Iterator[tuple[str, "Image", int]]:
    """Ever smaller ways to write a picture: first by quality, then by size."""
    from PIL import Image

    part, size = 1.0, pixels.size
    while max(size) >= _SMALLEST or part == 1:
        if part < 1 and limits.min_side and min(size) < limits.min_side:
            return
        picture = pixels if part == 1 else pixels.resize(size, Image.Resampling.LANCZOS)
        for mime in kinds(seen, limits):
            for quality in _QUALITIES if mime != PNG else (0,):
                yield mime, picture, quality
        part *= _SMALLER
        size = within(*pixels.size, limits, part)


def _encoded(picture: "Image", mime: str, quality: int) -> bytes:
    into = io.BytesIO()
    picture = _bare(picture)
    if mime == JPEG:
        _on_white(picture).save(into, "JPEG", quality=quality, optimize=True, progressive=True)
    elif mime == WEBP:
        picture.save(into, "WEBP", quality=quality, method=4)
    else:
        picture.save(into, "PNG")
    return into.getvalue()


def _bare(picture: "Image") -> "Image":
    """The same pixels without what Pillow remembers of the file: encoders write some of it."""
    bare = picture.copy()
    bare.info = {}
    return bare


def _on_white(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, _WHITE)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


# --- keeping ----------------------------------------------------------------------------------------------------------


def _kept(folder: Path, key: str) -> Media | None:
    """What was made before, if its bytes are still those that its name tells."""
    for path in sorted(folder.glob(f"{key}-*")):
        sha256 = path.stem.partition("-")[2]
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                return Media(path, next(mime for mime in (JPEG, PNG, WEBP, GIF) if ending(mime) == path.suffix), sha256)
        except (OSError, StopIteration):
            continue  # gone meanwhile, or none of ours: it is made anew
    return None


def _keep(folder: Path, key: str, mime: str, data: bytes) -> Media:
    """Write a derivative for this account's eyes only; whole or not at all. Raises Rejected if it cannot be."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = folder / f"{key}-{sha256}{ending(mime)}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, part = tempfile.mkstemp(dir=folder, prefix=".part-")  # 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except OSError as error:
        said = _("A picture made to fit cannot be kept in {folder}: {error}.")
        raise Rejected(said.format(folder=folder, error=trouble(error)), field="media") from None
    return Media(path, mime, sha256)
