"""One daemon per workspace: who has the lock `.cm/run.lock` is it. It ends with the process, however that ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cm.errors import Refused
from cm.i18n import _

RUN_LOCK = ".cm/run.lock"
PATIENCE = 1.0
"""Seconds: `cm doctor` may be asking who runs."""


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Be the workspace's one daemon until the block ends. Raises Refused if another process is."""
    path = root / RUN_LOCK
    path.parent.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(path, timeout=PATIENCE, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Refused(
            _("cm run is running for this workspace already (process {pid}).").format(pid=_written(path) or "?"),
            hint=_("One is enough; stop that one first if this one is to take its place."),
        ) from None
    try:
        path.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        path.write_text("", encoding="ascii")
        lock.release()


def daemon_pid(root: Path) -> int | None:
    """The process number of the workspace's daemon (0 if it has not written it yet); None if there is none."""
    path = root / RUN_LOCK
    if not path.exists():
        return None
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        return int(_written(path) or 0)
    lock.release()
    return None


def _written(path: Path) -> str:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    return text if text.isdecimal() else ""
