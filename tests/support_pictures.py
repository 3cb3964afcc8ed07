"""Pictures as cameras, phones and drawing programs write them, made on the spot."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, PngImagePlugin

from cm.channels.port import Media

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 160, 30), (30, 30, 200), (120, 120, 120)
CANARIES = (b"48.8", b"PhoneMaker", b"Secret note", b"Camille", b"GPSL", b"Exif", b"http://ns.adobe.com", b"8BIM")
"""What may be in no derivative."""
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="48,50.0N" by="Camille"/></x:xmpmeta>'


def quarters(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red, green over blue, grey: which way up it stands can be told."""
    picture = Image.new("RGB", (width, height), GREY)
    half = width // 2, height // 2
    for colour, corner in ((RED, (0, 0)), (GREEN, (half[0], 0)), (BLUE, (0, half[1]))):
        picture.paste(colour, (*corner, corner[0] + half[0], corner[1] + half[1]))
    return picture.convert(mode)


def corners(picture: Image.Image) -> list[str]:
    """The colours of the four quarters, by rows."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    plain = picture.convert("RGB")
    places = [(x * plain.width // 4, y * plain.height // 4) for y in (1, 3) for x in (1, 3)]

    def nearest(colour: Any) -> str:
        return min(names, key=lambda name: sum(abs(a - b) for a, b in zip(names[name], colour, strict=True)))

    return [nearest(plain.getpixel(place)) for place in places]


def exif(orientation: int = 1, *, gps: bool = True) -> Image.Exif:
    """The facts that a phone writes."""
    facts = Image.Exif()
    facts[0x0112] = orientation
    facts[0x010F], facts[0x0110] = "PhoneMaker", "Phone 12"
    facts[0x9286] = "Secret note"
    if gps:
        facts.get_ifd(0x8825).update({1: "N", 2: (48.0, 50.0, 33.0), 3: "E", 4: (2.0, 18.0, 58.0)})
    return facts


def heic(path: Path, width: int, height: int, orientation: int = 6) -> Path:
    """As a phone writes it: pixels as the sensor saw them, turned by the container, GPS in the EXIF block."""
    made = pillow_heif.from_pillow(quarters(width, height))
    made.info["exif"] = exif(orientation).tobytes()
    made.save(path, quality=60)
    return path


def jpeg(path: Path, width: int = 64, height: int = 48, orientation: int = 1, **options: Any) -> Path:
    quarters(width, height, options.pop("mode", "RGB")).save(
        path, "JPEG", exif=exif(orientation), comment=b"Secret note", xmp=XMP, **options
    )
    return path


def png(path: Path, picture: Image.Image) -> Path:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Camille")
    words.add_itxt("XML:com.adobe.xmp", XMP.decode())
    picture.save(path, "PNG", pnginfo=words, exif=exif())
    return path


def gif(path: Path, frames: int = 3, size: tuple[int, int] = (60, 40)) -> Path:
    pictures = [Image.new("RGB", size, (n * 80, 200, 40)) for n in range(frames)]
    pictures[0].save(path, "GIF", save_all=True, append_images=pictures[1:], comment=b"Secret note", loop=0)
    return path


def media_of(path: Path, mime: str = "image/jpeg", alt: str = "A square") -> Media:
    """As the host hands it over."""
    return Media(path, mime, hashlib.sha256(path.read_bytes()).hexdigest(), alt)


def tiny(colour: int = 0) -> bytes:
    """The bytes of a small real JPEG, another for each number."""
    into = io.BytesIO()
    Image.new("RGB", (16, 12), (40 * colour % 256, 90, 90)).save(into, "JPEG")
    return into.getvalue()
