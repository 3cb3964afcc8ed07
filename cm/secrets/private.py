"""Files that their owner alone may read: read through one descriptor, written whole or not at all."""

import os
import stat
import tempfile
from pathlib import Path

from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _

LONGEST = 1 << 20
"""Bytes: no token is longer."""


def read_private(path: Path) -> str | None:
    """The text of a file, without blanks around it; None if there is none.

    What is judged is what is read: the open file, whatever a link to it becomes meanwhile. Raises WorkspaceError:
    others may read it, no plain file, not readable, no UTF-8.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not keep us waiting
        with os.fdopen(descriptor, "rb") as file:
            _refuse(os.fstat(file.fileno()), path)
            return file.read(LONGEST).decode("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(
            _("The secret file {path} cannot be read: {error}").format(path=path, error=_said(error)),
            hint=_("Write the token into it, readable by you alone."),
        ) from None


def _said(error: OSError | UnicodeDecodeError) -> str:
    return trouble(error) if isinstance(error, OSError) else _("it is not UTF-8 text")  # its own words quote the file


def _refuse(facts: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise WorkspaceError(
            _("The secret file {path} is no plain file.").format(path=path), hint=_("Name the file with the token.")
        )
    if stat.S_IMODE(facts.st_mode) & 0o077:
        raise WorkspaceError(
            _("The secret file {path} can be read by others.").format(path=path),
            hint=_("Run: chmod 600 {path}").format(path=path),
        )


def write_private(path: Path, text: str) -> None:
    """Put the text on the disk, whole or not at all, readable by its owner alone. Where `path` is a link, what it leads
    to is replaced, not the link. Raises WorkspaceError if it cannot be written."""
    try:
        path = path.resolve()
        temporary = _written(path, text)
        try:
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None


def prove_writable(path: Path, text: str) -> None:
    """See that `text` could be written there now, and leave everything as it is. Raises WorkspaceError if not."""
    try:
        _written(path.resolve(), text).unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def delete_private(path: Path) -> None:
    """Delete the file; one that is not there is a success. Raises WorkspaceError if it cannot be deleted."""
    try:
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)  # the link that led to it
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        _("The secret file {path} cannot be written: {error}").format(path=path, error=trouble(error)),
        hint=_("Nothing was changed; see that its folder can be written and the disk has room."),
    )


def _written(path: Path, text: str) -> Path:
    """A new file beside `path` with the text, on the disk. Nobody else can have made or can open it (0600, O_EXCL)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        os.unlink(name)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
