"""The pretend platform's file, `<workspace>/.cm/sandbox.db`: made whole, brought up to date, opened.

Every use opens the file, does one transaction and closes it, so that any number of processes and threads
may meet here and a killed one leaves nothing behind.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

FILE = Path(".cm", "sandbox.db")
BUSY_TIMEOUT = 30.0
VERSION = 2
"""`PRAGMA user_version` of a file that has all of the below; the first files had 0."""

_FIRST = """
CREATE TABLE post (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, link TEXT, language TEXT NOT NULL,
    role TEXT NOT NULL, visibility TEXT NOT NULL, media TEXT NOT NULL, parent TEXT, created_at TEXT NOT NULL
);
CREATE INDEX post_account ON post (account, n);
CREATE TABLE key (
    account TEXT NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL REFERENCES post,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY,
    account TEXT, op TEXT NOT NULL, error TEXT NOT NULL, moment TEXT NOT NULL, retry_after REAL, times INTEGER NOT NULL
);
"""
_SECOND = (
    "ALTER TABLE post ADD COLUMN listed_at TEXT",  # NULL: from its creation
    "ALTER TABLE post ADD COLUMN deleted_at TEXT",
    "CREATE TABLE wording (id INTEGER PRIMARY KEY, n INTEGER NOT NULL REFERENCES post, text TEXT NOT NULL)",
    "CREATE TABLE late (account TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID",  # '': all other accounts
    f"PRAGMA user_version = {VERSION}",
)
"""`wording`: what edited posts said before."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, made if it is missing, in autocommit. Raises sqlite3.Error, OSError."""
    if not path.exists():
        _create(path)
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        if _outdated(db):
            _upgrade(db)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed, or rolled back when the block raises. Raises sqlite3.Error, OSError."""
    with reading(path) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:
            yield db


def _outdated(db: sqlite3.Connection) -> bool:
    return int(db.execute("PRAGMA user_version").fetchone()[0]) < VERSION


def _upgrade(db: sqlite3.Connection) -> None:
    """Whoever gets the write lock first does it; all or nothing."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        for step in _SECOND if _outdated(db) else ():
            db.execute(step)


def _create(path: Path) -> None:
    """Put a complete, empty database in place at once: 0600, schema, WAL; somebody else's, if quicker, stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".sandbox-")
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name)) as db:
            db.executescript("PRAGMA journal_mode = WAL;" + _FIRST + ";".join(_SECOND))
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
