"""Connections and transactions on the workspace's SQLite database.

Writes begin IMMEDIATE and commit with `synchronous=FULL`: a mark `sending` that a power cut could take
back would be sent twice. One lock of this process stands around write transactions, because SQLite's
own waiting sleeps in steps and does not queue. Objects stay usable after commit. What is deleted is overwritten
in the file, whatever SQLite was built with; and no error repeats the values of a statement, which may be texts.
"""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import Session

from cm.errors import Busy, WorkspaceError
from cm.i18n import _
from cm.store.tick import DATABASE, SCHEMA_VERSION

BUSY_TIMEOUT_MS = 30_000
BRIEF_TIMEOUT_MS = 500
"""So long waits what can as well be done another time."""

_writing = threading.Lock()


class Store:
    """The one door to `<workspace>/cm.db`. Opening it checks the schema, nothing else."""

    def __init__(self, root: Path) -> None:
        """Raises WorkspaceError: no database, one of another version, or a file that is no database."""
        self.path = root / DATABASE
        _require_current(self.path)
        self._readers = make_engine(self.path, "BEGIN")
        self._writers = make_engine(self.path, "BEGIN IMMEDIATE")
        self._brief = make_engine(self.path, "BEGIN IMMEDIATE", timeout_ms=BRIEF_TIMEOUT_MS)
        # a store that is let go of closes its connections, as a file does
        self.close = weakref.finalize(self, _dispose, self._readers, self._writers, self._brief)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent view; nothing that is changed in it is kept."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with _writing, Session(self._writers, expire_on_commit=False) as session, session.begin():
            session.connection()  # takes the write lock now, before anything is read
            yield session

    @contextmanager
    def write_if_free(self) -> Iterator[Session]:
        """As `write`, for what can as well be done another time. Raises Busy if others write and do not end soon."""
        if not _writing.acquire(timeout=BRIEF_TIMEOUT_MS / 1000):
            raise _busy()
        try:
            with Session(self._brief, expire_on_commit=False) as session, session.begin():
                _take_lock(session)
                yield session
        finally:
            _writing.release()


def _take_lock(session: Session) -> None:
    try:
        session.connection()
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise _busy() from error
        raise


def _busy() -> Busy:
    return Busy(_("Another program is writing to the database."), hint=_("Try again when it has ended."))


def _dispose(*engines: sa.Engine) -> None:
    for engine in engines:
        engine.dispose()


def make_engine(path: Path, begin: str, *, timeout_ms: int | None = None) -> sa.Engine:
    """An engine whose transactions start with `begin`; they wait so long for others (else `BUSY_TIMEOUT_MS`). The
    driver's own transaction handling is off.
    """
    patience = BUSY_TIMEOUT_MS if timeout_ms is None else timeout_ms
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": patience / 1000, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def schema_version(path: Path) -> int:
    """`PRAGMA user_version` of the file. Raises WorkspaceError if it is absent or no database."""
    if not path.is_file():
        raise WorkspaceError(
            _("There is no database at {path}.").format(path=path),
            hint=_("Put back a backup of cm.db, or run `cm init` in this folder for a new, empty one."),
        )
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.OperationalError as error:
        raise WorkspaceError(
            _("{path} cannot be opened: {error}.").format(path=path, error=error),
            hint=_("The database itself may be fine: see that you may write to this folder and its files."),
        ) from error
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            _("{path} is not a database cm can read: {error}").format(path=path, error=error),
            hint=_("Put back a backup; the file was not touched."),
        ) from error
    finally:
        connection.close()


def _require_current(path: Path) -> None:
    version = schema_version(path)
    if version > SCHEMA_VERSION:
        raise WorkspaceError(
            _("The database has schema {theirs}; this cm knows {ours}.").format(theirs=version, ours=SCHEMA_VERSION),
            hint=_("Install the cm that wrote it, or a newer one."),
        )
    if version == 0:
        raise WorkspaceError(
            _("{path} holds nothing of cm's.").format(path=path),
            hint=_("Put back a backup; or take the file away and run `cm init` for a new one."),
        )
    if version < SCHEMA_VERSION:
        raise WorkspaceError(
            _("The database has schema {theirs}; this cm needs {ours}.").format(theirs=version, ours=SCHEMA_VERSION),
            hint=_("Run `cm db upgrade`."),
        )
