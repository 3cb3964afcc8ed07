"""The file `HOLD` in a workspace: whoever can make a file can stop everything. Its first line is the reason."""

import stat
from pathlib import Path

from cm.checks.pasted import cleaned
from cm.config import Config
from cm.people import SYSTEM

NAME = "HOLD"
FIRST_BYTES = 4096
REASON_LENGTH = 500


def path_of(root: Path) -> Path:
    """Where it stands in the workspace `root`."""
    return root / NAME


def is_there(root: Path) -> bool:
    """True from the moment that anything of that name is there: a file, a folder, a link to nowhere."""
    return path_of(root).exists() or path_of(root).is_symlink()


def first_line(root: Path) -> str | None:
    """Its first line as a reason: clean, short; None if there is none or it cannot be read."""
    path = path_of(root)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None  # a folder, or a pipe that would wait for a writer
        with path.open("rb") as file:
            start = file.read(FIRST_BYTES)
    except OSError:
        return None
    text = cleaned(start.decode("utf-8", "replace").replace("\0", "")).text.strip()
    line = "".join(sign if sign.isprintable() else " " for sign in text.split("\n")[0])
    return " ".join(line.split())[:REASON_LENGTH] or None


def owner(root: Path, config: Config) -> str:
    """The key of the person whose file it is, else the name of its OS user, else `system`."""
    try:
        login = path_of(root).owner()
    except (OSError, KeyError):
        return SYSTEM
    return next((key for key, person in config.people.items() if login in person.logins), login)
