"""Pictures and films of a post: files below the workspace's `media/`, and nothing else."""

import hashlib
from pathlib import Path, PurePosixPath

from cm.formats import trouble
from cm.i18n import _
from cm.model.facts import MediaContent

FOLDER = "media"

MIME = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
}
"""Kinds of files that are taken, by suffix."""


class MediaShelf:
    """Reads media of one workspace; each file's hash is computed once in the life of the shelf."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._known: dict[str, MediaContent] = {}

    def medium(self, path: str, alt: str = "") -> MediaContent:
        """The file at `path` (relative to `media/`) with its text alternative.

        Raises ValueError: outside the folder (by `..`, an absolute path or a symbolic link), absent,
        of a kind that is not taken, unreadable.
        """
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._read(path)
        return MediaContent(known.path, known.sha256, known.mime, alt)

    def _read(self, path: str) -> MediaContent:
        file = self._inside(path)
        mime = MIME.get(file.suffix.lower())
        if mime is None:
            kinds = " ".join(sorted(suffix.removeprefix(".") for suffix in MIME))
            raise ValueError(_("{path!r}: use one of {kinds}").format(path=path, kinds=kinds))
        try:
            with file.open("rb") as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise ValueError(_("{path!r} cannot be read: {why}").format(path=path, why=trouble(error))) from None
        return MediaContent(path, sha256, mime)

    def _inside(self, path: str) -> Path:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\0" in path:
            raise ValueError(_("{path!r} is not below media/").format(path=path))
        file = self._folder / pure
        try:
            there, within = file.is_file(), file.resolve().is_relative_to(self._folder.resolve())
        except OSError as error:
            raise ValueError(_("{path!r} cannot be read: {why}").format(path=path, why=trouble(error))) from None
        if not there:
            raise ValueError(_("there is no file {path!r} below media/").format(path=path))
        if not within:
            raise ValueError(_("{path!r} leads out of media/").format(path=path))
        return file
