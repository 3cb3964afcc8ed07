"""Texts being written: one private file each in `.cm/drafts`, there until its posts are in the calendar.

Standard library only, so that a bare `cm` can tell of what waits. A file's name says what it is for:
`add-20261120T113000-facebook+twitter.txt`, `edit-20261120T113000-p212.3.txt` (post 212 at its revision 3).
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from cm.i18n import _

FOLDER = ".cm/drafts"

_NAME = re.compile(r"(add|edit)-\d{8}T\d{6}(?:-\d+)?-(.+)\.txt")
_LONGEST = 100
_EDITED = re.compile(r"(p\d+)\.(\d+)")


@dataclass(frozen=True)
class Purpose:
    """What a draft is for: new posts on `channels` (the file itself says which), or post `ident` as it was at
    revision `rev`."""

    channels: tuple[str, ...] = ()
    ident: str | None = None
    rev: int = 0

    @property
    def name(self) -> str:
        """As it stands in the file's name."""
        return f"{self.ident}.{self.rev}" if self.ident else "+".join(self.channels)[:_LONGEST]


def purpose_of(path: Path) -> Purpose | None:
    """What the file is for, by its name; None if that says nothing."""
    match = _NAME.fullmatch(path.name)
    edited = _EDITED.fullmatch(match[2]) if match and match[1] == "edit" else None
    if edited:
        return Purpose(ident=edited[1], rev=int(edited[2]))
    return Purpose(channels=tuple(match[2].split("+"))) if match and match[1] == "add" else None


def waiting(root: Path) -> list[Path]:
    """Drafts of the workspace at `root` that were not finished, the newest first; none of another OS user."""
    found = []
    with suppress(FileNotFoundError, PermissionError):
        for entry in os.scandir(root / FOLDER):
            if _NAME.fullmatch(entry.name) and entry.is_file():
                found.append((entry.stat().st_mtime_ns, Path(entry.path)))
    return [path for _changed, path in sorted(found, reverse=True)]


def create(root: Path, purpose: Purpose, text: str, at: datetime) -> Path:
    """A new draft with that text; `at` (local) names it. Raises OSError."""
    folder = root / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    verb = "edit" if purpose.ident else "add"
    for again in count(1):
        number = f"-{again}" if again > 1 else ""
        path = folder / f"{verb}-{at:%Y%m%dT%H%M%S}{number}-{purpose.name}.txt"
        with suppress(FileExistsError):
            _write(path, text)
            return path
    raise AssertionError("numbers do not end")


def read(path: Path) -> str:
    """The text as it stands. Raises ValueError if it is not UTF-8, OSError if it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(_("{file} is not UTF-8 text (byte {n}).").format(file=path, n=error.start)) from None


def replace(path: Path, text: str) -> None:
    """Put `text` in place of what stands there: all of it, or on OSError nothing is touched."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    try:
        _write(beside, text)
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def discard(path: Path) -> None:
    """The draft is in the calendar, or was given up. What editors left beside it goes too: `….txt~`, `.….txt.un~`."""
    with suppress(FileNotFoundError):
        for entry in list(os.scandir(path.parent)):
            if path.name in entry.name and not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """A new private file, on the disk when this returns; none if it cannot be written whole."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def names(paths: Sequence[Path]) -> str:
    """The files' names, for a sentence."""
    return ", ".join(path.name for path in paths)
