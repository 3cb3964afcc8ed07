"""Media files on their way out: the very bytes that were approved, under a name that tells nothing."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from cm.channels.port import Media, Rejected
from cm.formats import trouble
from cm.i18n import _

ENDINGS = {
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
"""MIME type → the usual end of a file name."""


def ending(mime: str) -> str:
    """The usual end of a file name of that type, with its dot; `.bin` for types not known here."""
    return ENDINGS.get(mime, ".bin")


def neutral_name(media: Media) -> str:
    """A name for the platform: people put names of patients into file names."""
    return f"{media.sha256[:12]}{ending(media.mime)}"


@contextmanager
def opened(media: Media) -> Iterator[BinaryIO]:
    """The file, open at its start. Raises Rejected: it cannot be read, or its bytes are not those of `sha256`."""
    try:
        file = media.path.open("rb")
    except OSError as error:
        reason = _("The file {name} cannot be read: {error}").format(name=media.path.name, error=trouble(error))
        raise Rejected(reason, field="media") from None
    with file:
        if hashlib.file_digest(file, "sha256").hexdigest() != media.sha256:
            reason = _("The file {name} is no longer the one that was added to the post.").format(name=media.path.name)
            raise Rejected(reason, field="media")
        file.seek(0)
        yield file


def copy(media: Media, target: BinaryIO) -> None:
    """Write the file's bytes to `target`. Raises Rejected as `opened` does."""
    with opened(media) as file:
        shutil.copyfileobj(file, target)
