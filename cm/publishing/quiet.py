"""While nobody sends: what must not happen beside a run that publishes, as bringing the database to a new schema."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cm.errors import Busy
from cm.i18n import _
from cm.publishing.account_lock import AccountLock
from cm.store import tick


@contextmanager
def nobody_sends(root: Path) -> Iterator[None]:
    """Hold the locks of all accounts of the workspace. Raises Busy if a run has one of them, WorkspaceError if one
    cannot be asked.

    Read by SQL of every schema there was: the database may be older than this cm. A missing one is the caller's to
    tell.
    """
    with ExitStack() as locks:
        for path in _state_files(root / tick.DATABASE):
            lock = AccountLock(path)
            if not lock.acquire():
                raise Busy(_("A run of cm is publishing."), hint=_("Try again when it has ended."))
            locks.callback(lock.release)
        yield


def _state_files(database: Path) -> list[Path]:
    """Those that a run has locked at least once on this machine."""
    if not database.is_file():
        return []
    question = "SELECT DISTINCT state_file FROM account WHERE state_file IS NOT NULL ORDER BY state_file"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            found = [Path(row[0]) for row in connection.execute(question)]
    except sqlite3.Error:  # no database of cm's: whoever opens it next says so
        return []
    return [path for path in found if os.path.exists(path.with_suffix(".lock"))]
