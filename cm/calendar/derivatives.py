"""What is sent in the place of a picture of `media/`: a derivative within the limits of its channel's platform.

The original stays where it is; checks, hashes and approvals speak of it. Derivatives lie in `media/sent`, are made
once for each original and limits, and may be deleted at any time: they are made again. Films go out as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cm.calendar.whereto import platform_of
from cm.channels import films, pictures, shapes
from cm.channels.platforms import Platform
from cm.channels.port import Media, MediaLimits, Rejected
from cm.channels.shapes import ANYWHERE, Look, Shape
from cm.checks.formats import sent_mime
from cm.env import Env
from cm.errors import Refused
from cm.i18n import _
from cm.model.facts import MediaContent

ORIGINALS = "media"
FOLDER = Path(ORIGINALS) / "sent"
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/gif": "GIF"}


def sent(root: Path, medium: MediaContent, where: Platform | None) -> Media:
    """The file that goes to the adapter, made now if it has not been. Raises Rejected: it cannot be, and why."""
    original = Media(root / ORIGINALS / medium.path, medium.mime, medium.sha256, medium.alt)
    if medium.mime.startswith("image/"):
        return pictures.fitted(original, _images(where), root / FOLDER)
    films.refuse(films.examined(original.path), original.path.name, _films(where))
    return original


def standing(root: Path, medium: MediaContent, where: Platform | None) -> Media:
    """A medium that went out before, for a correction that leaves it there: nothing is read or made."""
    mime = sent_mime(medium.mime, _images(where))
    return Media(root / ORIGINALS / medium.path, mime, medium.sha256, medium.alt)


def make(env: Env, channel: str, media: Sequence[MediaContent]) -> None:
    """Make what will be sent of these files on a channel, if it is not there. Raises Refused: one does not fit."""
    try:
        for medium in media:
            sent(env.root, medium, platform_of(env, channel))
    except Rejected as refused:
        raise _refused(refused) from None


def notes(env: Env, channel: str, media: Sequence[MediaContent]) -> tuple[str, ...]:
    """As `told`, of a post's media on its channel. Raises Refused."""
    try:
        return told(env.root, media, platform_of(env, channel))
    except Rejected as refused:
        raise _refused(refused) from None


def _refused(why: Rejected) -> Refused:
    return Refused(_("media: {why}").format(why=why.reason), hint=_("Nothing was written. Give another file."))


def foreseen(root: Path, medium: MediaContent, where: Platform | None) -> Shape | None:
    """What a picture will become, by its header alone; None for a film. Raises Rejected as `sent` does."""
    path = root / ORIGINALS / medium.path
    if medium.mime.startswith("image/"):
        return shapes.shape(pictures.look(path), path.name, _images(where))
    films.refuse(films.examined(path), path.name, _films(where))
    return None


def told(root: Path, media: Sequence[MediaContent], where: Platform | None, *, made: bool = True) -> tuple[str, ...]:
    """What a person is to be told of their pictures: `photo.heic → JPEG 1536×2048, location removed`.

    `made`: the derivatives are there, or may be made now; else their size is foreseen. Raises Rejected.
    """
    return tuple(_told(root, media, where, made=made))


def _told(root: Path, media: Sequence[MediaContent], where: Platform | None, *, made: bool) -> Iterator[str]:
    for medium in media:
        if not medium.mime.startswith("image/"):
            continue
        seen = pictures.look(root / ORIGINALS / medium.path)
        shape = shapes.shape(seen, medium.path, _images(where))
        if made:
            drawn = pictures.look(sent(root, medium, where).path)
            shape = replace(shape, mime=drawn.mime, width=drawn.width, height=drawn.height)
        if said := _change(seen, shape):
            yield _("{name} → {change}").format(name=medium.path, change=said)


def _change(seen: Look, shape: Shape) -> str | None:
    """What differs between a picture and its derivative; None if nothing that one sees."""
    same = (seen.mime, seen.width, seen.height) == (shape.mime, shape.width, shape.height)
    if same and not seen.located:
        return None
    said = [f"{_NAMES.get(shape.mime, shape.mime)} {shape.width}×{shape.height}"]
    said += [_("white borders")] if shape.bordered else []
    said += [_("location removed")] if seen.located else []
    return ", ".join(said)


def _images(where: Platform | None) -> MediaLimits:
    return where.limits.images if where else ANYWHERE


def _films(where: Platform | None) -> MediaLimits:
    return where.limits.video if where else MediaLimits()
