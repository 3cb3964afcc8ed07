"""The pretend platform: posts, idempotency keys and scripted faults in a file of the workspace (see `file`).

Numbers of posts are never used twice. A post that was taken down is gone for everyone who asks, but its
key is remembered: sent again under it, it is refused (Mastodon answers 404 there).
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from cm.channels.sandbox.faults import Error, Fault, Op, When, require_possible, strike, take
from cm.channels.sandbox.file import FILE, reading, writing

__all__ = ["Draft", "Fault", "Gone", "NoPost", "Page", "SandboxMedia", "SandboxPlatform", "SandboxPost"]


@dataclass(frozen=True)
class SandboxMedia:
    """A picture or film as the platform holds it: no bytes, only their hash."""

    sha256: str
    mime: str
    alt: str


@dataclass(frozen=True)
class SandboxPost:
    """A post as it stands there. `parent`: remote id of the post it answers; `key` is empty for one posted by hand."""

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


@dataclass(frozen=True)
class Page:
    """Posts as a listing shows them, the oldest first; `complete` if none before them was left out."""

    posts: tuple[SandboxPost, ...]
    complete: bool


class NoPost(Exception):
    """The post that should be answered or edited does not exist."""


class Gone(Exception):
    """What this key made was taken down."""


class SandboxPlatform:
    """The pretend platform of a workspace. Making one touches nothing; the file comes with first use."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / FILE

    # --- what a platform does ---------------------------------------------------------------------------------------

    def publish(self, account: str, key: str, draft: Draft, *, now: datetime, honour_keys: bool = True) -> SandboxPost:
        """Create the post; a key known for this account gives back the post that it made (if keys are honoured).

        Raises Fault, NoPost for an answer to nothing, and Gone for a key whose post was taken down.
        """
        self.meet("send", account)
        with writing(self.path) as db:
            post = _known(db, account, key) if honour_keys else None
            if post is None:
                post = _create(db, account, key, draft, now)
            fault = take(db, "send", "after", account)
        strike(fault)
        return post

    def delete(self, account: str, remote_id: str, *, now: datetime) -> None:
        """Take a post down; one that is not there is as good as taken down. Raises Fault."""
        self.meet("delete", account)
        with writing(self.path) as db:
            db.execute(
                "UPDATE post SET deleted_at = ? WHERE n = ? AND account = ? AND deleted_at IS NULL",
                (_written(now), _number(remote_id), account),
            )
            fault = take(db, "delete", "after", account)
        strike(fault)

    def edit(self, account: str, remote_id: str, text: str, link: str | None, alts: Sequence[str]) -> None:
        """Change what a post says; `alts` go to its media in order, media without one keep theirs.

        Raises Fault, and NoPost.
        """
        self.meet("edit", account)
        with writing(self.path) as db:
            _reword(db, account, remote_id, text, link, alts)
            fault = take(db, "edit", "after", account)
        strike(fault)

    def meet(self, op: Op, account: str) -> None:
        """Take the next scripted fault of that operation, if there is one. Raises Fault."""
        with reading(self.path) as db:
            if db.execute("SELECT 1 FROM fault WHERE times > 0").fetchone() is None:
                return
        with writing(self.path) as db:
            fault = take(db, op, "before", account)
        strike(fault)

    def by_key(self, account: str, key: str) -> list[SandboxPost]:
        """All posts made under that key. Raises Gone if they were taken down."""
        with reading(self.path) as db:
            rows = db.execute("SELECT * FROM post WHERE account = ? AND key = ? ORDER BY n", (account, key)).fetchall()
        standing = [_post(row) for row in rows if row["deleted_at"] is None]
        if rows and not standing:
            raise Gone(f"sb-{rows[-1]['n']}")
        return standing

    def listing(self, account: str, *, since: datetime, now: datetime, most: int | None = None) -> Page:
        """Posts created since then that listings show by now, at most the newest `most`."""
        question = (
            "SELECT * FROM post WHERE account = ? AND deleted_at IS NULL AND created_at >= ?"
            " AND coalesce(listed_at, '') <= ? ORDER BY n DESC LIMIT ?"
        )
        limit = -1 if most is None else most + 1
        with reading(self.path) as db:
            rows = db.execute(question, (account, _written(since), _written(now), limit)).fetchall()
        return Page(tuple(_post(row) for row in reversed(rows[:most])), most is None or len(rows) <= most)

    # --- what a test or a person may do and ask ---------------------------------------------------------------------

    def post_by_hand(
        self,
        account: str,
        text: str,
        *,
        now: datetime,
        link: str | None = None,
        media: tuple[SandboxMedia, ...] = (),
        parent: str | None = None,
    ) -> SandboxPost:
        """A colleague posts on the account from elsewhere: no key, no fault. Raises NoPost for an answer to nothing."""
        with writing(self.path) as db:
            return _create(db, account, "", Draft(text, link, media=media, parent=parent), now)

    def list_late(self, seconds: float, account: str | None = None) -> None:
        """From now on new posts appear in listings that much later, of one account or of all others; 0 ends it."""
        with writing(self.path) as db:
            db.execute("INSERT OR REPLACE INTO late (account, seconds) VALUES (?, ?)", (account or "", seconds))

    def posts(self, account: str | None = None) -> list[SandboxPost]:
        """Posts that stand there, in order of creation, of one account or of all."""
        return self._posts("deleted_at IS NULL", account)

    def deleted(self, account: str | None = None) -> list[SandboxPost]:
        """Posts that were taken down, in order of creation, of one account or of all."""
        return self._posts("deleted_at IS NOT NULL", account)

    def wordings(self, remote_id: str) -> list[str]:
        """All that a post has said, the present text last."""
        with reading(self.path) as db:
            return [
                row["text"]
                for question in (
                    "SELECT text FROM wording WHERE n = ? ORDER BY id",
                    "SELECT text FROM post WHERE n = ?",
                )
                for row in db.execute(question, (_number(remote_id),))
            ]

    def find(self, account: str, remote_ids: Sequence[str]) -> dict[str, SandboxPost]:
        """The account's posts among these ids."""
        numbers = {remote_id: n for remote_id in remote_ids if (n := _number(remote_id)) is not None}
        with reading(self.path) as db:
            rows = [_standing(db, account, n) for n in numbers.values()]
        return {post.remote_id: post for post in map(_post, filter(None, rows))}

    def count(self, account: str | None = None) -> int:
        """How many posts stand there, of one account or in all."""
        question = "SELECT count(*) FROM post WHERE deleted_at IS NULL AND (? IS NULL OR account = ?)"
        with reading(self.path) as db:
            return int(db.execute(question, (account, account)).fetchone()[0])

    def first_at(self, account: str) -> datetime | None:
        """When the account's first post was created, even if it was taken down."""
        with reading(self.path) as db:
            row = db.execute("SELECT created_at FROM post WHERE account = ? ORDER BY n LIMIT 1", (account,)).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def _posts(self, which: str, account: str | None) -> list[SandboxPost]:
        question = f"SELECT * FROM post WHERE {which} AND (? IS NULL OR account = ?) ORDER BY n"
        with reading(self.path) as db:
            return [_post(row) for row in db.execute(question, (account, account))]

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

        `before`: nothing happens there. `after` (send, delete, edit): it is done, then the answer is lost
        (`unknown`) or the process is killed (`crash`) or stopped (`freeze`, until SIGCONT); a post may also
        be created and then refused (`rejected`), which real platforms do.
        Raises ValueError for what no platform does.
        """
        require_possible(error, op, when)
        with writing(self.path) as db:
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
        with writing(self.path) as db:
            db.execute("DELETE FROM fault")


# --- within a transaction ---------------------------------------------------------------------------------------------


def _create(db: sqlite3.Connection, account: str, key: str, draft: Draft, now: datetime) -> SandboxPost:
    if draft.parent is not None and _standing(db, account, _number(draft.parent)) is None:
        raise NoPost(draft.parent)
    values = (account, key, draft.text, draft.link, draft.language, draft.role, draft.visibility)
    n = db.execute(
        "INSERT INTO post (account, key, text, link, language, role, visibility, media, parent, created_at, listed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, _as_json(draft.media), draft.parent, _written(now), _listed_at(db, account, now)),
    ).lastrowid
    if key:
        db.execute("INSERT OR IGNORE INTO key (account, key, n) VALUES (?, ?, ?)", (account, key, n))
    return _post(db.execute("SELECT * FROM post WHERE n = ?", (n,)).fetchone())


def _listed_at(db: sqlite3.Connection, account: str, now: datetime) -> str | None:
    """An account's own lateness goes before that of all; None without any."""
    question = "SELECT seconds FROM late WHERE account IN (?, '') ORDER BY account DESC LIMIT 1"
    row = db.execute(question, (account,)).fetchone()
    return _written(now + timedelta(seconds=row[0])) if row and row[0] else None


def _known(db: sqlite3.Connection, account: str, key: str) -> SandboxPost | None:
    question = "SELECT post.* FROM key JOIN post USING (n) WHERE key.account = ? AND key.key = ?"
    row = db.execute(question, (account, key)).fetchone()
    if row is not None and row["deleted_at"] is not None:
        raise Gone(f"sb-{row['n']}")
    return _post(row) if row else None


def _reword(
    db: sqlite3.Connection, account: str, remote_id: str, text: str, link: str | None, alts: Sequence[str]
) -> None:
    row = _standing(db, account, _number(remote_id))
    if row is None:
        raise NoPost(remote_id)
    media = _post(row).media
    renamed = tuple(SandboxMedia(m.sha256, m.mime, alt) for m, alt in zip(media, alts, strict=False))
    db.execute("INSERT INTO wording (n, text) VALUES (?, ?)", (row["n"], row["text"]))
    db.execute(
        "UPDATE post SET text = ?, link = ?, media = ? WHERE n = ?",
        (text, link, _as_json(renamed + media[len(renamed) :]), row["n"]),
    )


def _standing(db: sqlite3.Connection, account: str, n: int | None) -> sqlite3.Row | None:
    question = "SELECT * FROM post WHERE n = ? AND account = ? AND deleted_at IS NULL"
    row: sqlite3.Row | None = db.execute(question, (n, account)).fetchone()
    return row


def _number(remote_id: str) -> int | None:
    digits = remote_id.removeprefix("sb-")
    return int(digits) if digits != remote_id and digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _written(instant: datetime) -> str:
    """UTC as text that sorts as time does (`+` sorts before the `.` of a fraction)."""
    return instant.astimezone(UTC).isoformat()


def _as_json(media: Sequence[SandboxMedia]) -> str:
    return json.dumps([vars(item) for item in media], ensure_ascii=False)


def _post(row: sqlite3.Row) -> SandboxPost:
    values = {
        name: row[name] for name in ("account", "key", "text", "link", "language", "role", "visibility", "parent")
    }
    media = tuple(SandboxMedia(**item) for item in json.loads(row["media"]))
    created_at = datetime.fromisoformat(row["created_at"])
    return SandboxPost(remote_id=f"sb-{row['n']}", media=media, created_at=created_at, **values)
