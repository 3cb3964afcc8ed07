"""The pretend platform: posts, idempotency keys and scripted faults in `<workspace>/.cm/sandbox.db`.

Every call opens the file, does one transaction and closes it, so that any number of processes and threads
may meet here and a killed one leaves nothing behind. Faults are rows: the process that meets them next
takes them, whichever it is.
"""

import json
import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote

FILE = Path(".cm", "sandbox.db")
BUSY_TIMEOUT = 30.0

Op = Literal["check", "prepare", "send", "metrics"]
When = Literal["before", "after"]
Error = Literal["retryable", "rate_limited", "auth_failed", "rejected", "duplicate", "unknown", "crash", "freeze"]

_SIGNALS = {"crash": signal.SIGKILL, "freeze": signal.SIGSTOP}
_SENDING_ONLY = {"duplicate", "unknown"}
_AFTER_TOO = {"unknown", "crash", "freeze"}

_SCHEMA = """
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


@dataclass(frozen=True)
class SandboxMedia:
    """A picture or film as the platform holds it: no bytes, only their hash."""

    sha256: str
    mime: str
    alt: str


@dataclass(frozen=True)
class SandboxPost:
    """A post as it stands there. `parent`: remote id of the post it answers."""

    remote_id: str
    account: str
    key: str
    text: str
    link: str | None
    language: str
    role: str
    visibility: str
    media: tuple[SandboxMedia, ...]
    parent: str | None
    created_at: datetime

    @property
    def permalink(self) -> str:
        """Where it could be seen if it were anywhere."""
        return f"sandbox://{quote(self.account, safe='@')}/{self.remote_id}"


@dataclass(frozen=True)
class Draft:
    """A post that is to be created."""

    text: str
    link: str | None = None
    language: str = ""
    role: str = "part"
    visibility: str = "public"
    media: tuple[SandboxMedia, ...] = ()
    parent: str | None = None


class Fault(Exception):
    """A scripted fault that was met."""

    def __init__(self, error: Error, retry_after: float | None) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after = retry_after


class NoParent(Exception):
    """The post that should be answered does not exist."""


class SandboxPlatform:
    """The pretend platform of a workspace. Making one touches nothing; the file comes with first use."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / FILE

    # --- what a platform does ---------------------------------------------------------------------------------------

    def publish(self, account: str, key: str, draft: Draft, *, now: datetime, honour_keys: bool = True) -> SandboxPost:
        """Create the post; a key known for this account gives back the post that it made (if keys are honoured).

        Raises Fault, and NoParent for an answer to nothing.
        """
        self.meet("send", account)
        with self._write() as db:
            post = _publish(db, account, key, draft, now, honour_keys)
            fault = _take(db, "send", "after", account)
        _strike(fault)
        return post

    def meet(self, op: Op, account: str) -> None:
        """Take the next scripted fault of that operation, if there is one. Raises Fault."""
        with self._read() as db:
            if db.execute("SELECT 1 FROM fault WHERE times > 0").fetchone() is None:
                return
        with self._write() as db:
            fault = _take(db, op, "before", account)
        _strike(fault)

    # --- what a test or a person may ask ----------------------------------------------------------------------------

    def posts(self, account: str | None = None) -> list[SandboxPost]:
        """Posts in order of creation, of one account or of all."""
        with self._read() as db:
            rows = db.execute("SELECT * FROM post WHERE ? IS NULL OR account = ? ORDER BY n", (account, account))
            return [_post(row) for row in rows]

    def find(self, account: str, remote_ids: Sequence[str]) -> dict[str, SandboxPost]:
        """The account's posts among these ids."""
        numbers = {remote_id: n for remote_id in remote_ids if (n := _number(remote_id)) is not None}
        question = "SELECT * FROM post WHERE n = ? AND account = ?"
        with self._read() as db:
            rows = [db.execute(question, (n, account)).fetchone() for n in numbers.values()]
        return {post.remote_id: post for post in map(_post, filter(None, rows))}

    def count(self, account: str | None = None) -> int:
        """How many posts there are, of one account or in all."""
        with self._read() as db:
            found = db.execute("SELECT count(*) FROM post WHERE ? IS NULL OR account = ?", (account, account))
            return int(found.fetchone()[0])

    def first_at(self, account: str) -> datetime | None:
        """When the account's first post was created."""
        with self._read() as db:
            row = db.execute("SELECT created_at FROM post WHERE account = ? ORDER BY n LIMIT 1", (account,)).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    # --- the script of faults ---------------------------------------------------------------------------------------

    def fail_next(
        self,
        error: Error,
        op: Op = "send",
        times: int = 1,
        when: When = "before",
        *,
        retry_after: float | None = None,
        account: str | None = None,
    ) -> None:
        """Let the next `times` operations fail; faults are met in the order in which they were scripted.

        `before`: nothing happens there. `after` (send only): the post is created, then the answer is lost
        (`unknown`) or the process is killed (`crash`) or stopped (`freeze`, until SIGCONT).
        Raises ValueError for what no platform does, as refusing a post after creating it.
        """
        if error not in get_args(Error) or op not in get_args(Op) or when not in get_args(When):
            raise ValueError(f"no such fault: {error} {op} {when}")
        if (error in _SENDING_ONLY and op != "send") or (when == "after" and (op != "send" or error not in _AFTER_TOO)):
            raise ValueError(f"no platform does that: {error} {when} {op}")
        with self._write() as db:
            db.execute(
                "INSERT INTO fault (account, op, error, moment, retry_after, times) VALUES (?, ?, ?, ?, ?, ?)",
                (account, op, error, when, retry_after, times),
            )

    def crash_before_send(self, times: int = 1) -> None:
        """Kill the process that sends next (SIGKILL) before anything is created."""
        self.fail_next("crash", "send", times, "before")

    def crash_after_send(self, times: int = 1) -> None:
        """Kill the process that sends next (SIGKILL) when the post is created and the answer not yet given."""
        self.fail_next("crash", "send", times, "after")

    def clear_faults(self) -> None:
        """Forget all faults that were not met yet."""
        with self._write() as db:
            db.execute("DELETE FROM fault")

    # --- the file ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            _create(self.path)
        with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            yield db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._read() as db:
            db.execute("BEGIN IMMEDIATE")
            with db:  # commits, or rolls back when the block raises
                yield db


def _create(path: Path) -> None:
    """Put a complete, empty database in place at once: 0600, schema, WAL; somebody else's, if quicker, stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".sandbox-")
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name)) as db:
            db.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _publish(
    db: sqlite3.Connection, account: str, key: str, draft: Draft, now: datetime, honour_keys: bool
) -> SandboxPost:
    if honour_keys and (known := _known(db, account, key)):
        return known
    if draft.parent is not None and not _exists(db, account, draft.parent):
        raise NoParent(draft.parent)
    media = json.dumps([vars(item) for item in draft.media], ensure_ascii=False)
    created_at = now.astimezone(UTC).isoformat()
    values = (account, key, draft.text, draft.link, draft.language, draft.role, draft.visibility, media, draft.parent)
    n = db.execute(
        "INSERT INTO post (account, key, text, link, language, role, visibility, media, parent, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, created_at),
    ).lastrowid
    db.execute("INSERT OR IGNORE INTO key (account, key, n) VALUES (?, ?, ?)", (account, key, n))
    return _post(db.execute("SELECT * FROM post WHERE n = ?", (n,)).fetchone())


def _known(db: sqlite3.Connection, account: str, key: str) -> SandboxPost | None:
    question = "SELECT post.* FROM key JOIN post USING (n) WHERE key.account = ? AND key.key = ?"
    row = db.execute(question, (account, key)).fetchone()
    return _post(row) if row else None


def _exists(db: sqlite3.Connection, account: str, remote_id: str) -> bool:
    found = db.execute("SELECT 1 FROM post WHERE n = ? AND account = ?", (_number(remote_id), account))
    return found.fetchone() is not None


def _number(remote_id: str) -> int | None:
    digits = remote_id.removeprefix("sb-")
    return int(digits) if digits != remote_id and digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _post(row: sqlite3.Row) -> SandboxPost:
    values = {
        name: row[name] for name in ("account", "key", "text", "link", "language", "role", "visibility", "parent")
    }
    media = tuple(SandboxMedia(**item) for item in json.loads(row["media"]))
    created_at = datetime.fromisoformat(row["created_at"])
    return SandboxPost(remote_id=f"sb-{row['n']}", media=media, created_at=created_at, **values)


def _take(db: sqlite3.Connection, op: Op, moment: When, account: str) -> Fault | None:
    row = db.execute(
        "SELECT * FROM fault WHERE op = ? AND moment = ? AND times > 0 AND (account IS NULL OR account = ?)"
        " ORDER BY id LIMIT 1",
        (op, moment, account),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (row["id"],))
    return Fault(row["error"], row["retry_after"])


def _strike(fault: Fault | None) -> None:
    """Kill or stop this process, or raise the fault. A stopped process goes on when it is continued."""
    if fault is None:
        return
    if fault.error not in _SIGNALS:
        raise fault
    signal.raise_signal(_SIGNALS[fault.error])  # to this thread: it goes no step further
