"""Changing posts that exist: their columns, their messages, and what must not be touched any more.

A message that stands on a platform is kept as it is; one that was tried is changed in place, since
attempts and payloads point at it; only untried ones are taken out.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import Composed, Spec, columns_of, composed
from cm.calendar.numbering import Numbering, next_id
from cm.calendar.planning import plan_columns
from cm.calendar.sql import ATTACHMENT, ATTEMPT, MESSAGE, PAYLOAD, POST, RECEIPT
from cm.calendar.stored import StoredPost, chunks
from cm.calendar.writing import attachment_rows
from cm.clock import Resolved
from cm.env import Env
from cm.i18n import _
from cm.model.facts import MediaContent, MessageContent
from cm.model.states import Outcome, PostState


@dataclass(frozen=True)
class Revision:
    """What a post is to become. `plan`: its new time; None keeps the one it has."""

    stored: StoredPost
    spec: Spec
    plan: Resolved | None = None
    over_reason: str | None = None


@dataclass(frozen=True)
class StoredMessage:
    """A message as it is kept. `sent`: it has a receipt, or a person has it to paste; `tried`: attempts or payloads
    point at it."""

    id: int
    content: MessageContent
    sent: bool = False
    tried: bool = False


@dataclass(frozen=True)
class Rewrite:
    """What is to be done to the messages of one post; an update is (message id, content, fingerprint)."""

    updates: tuple[tuple[int, MessageContent, str], ...] = ()
    inserts: tuple[tuple[MessageContent, str], ...] = ()
    deletes: tuple[int, ...] = ()


def rewrite(stored: Sequence[StoredMessage], made: Composed) -> Rewrite:
    """How the stored messages become those of `made`. Pure.

    Raises ValueError with the reason: a part that is out would change, a tried one would vanish.
    """
    kept = {old.content.n: old for old in stored}
    wanted = dict(zip((message.n for message in made.content.messages), made.fingerprints, strict=True))
    updates, inserts = [], []
    for message in made.content.messages:
        old = kept.get(message.n)
        if old is None:
            inserts.append((message, wanted[message.n]))
        elif old.content != message:
            if old.sent:
                raise ValueError(_("part {n} is out already; only what follows may change").format(n=message.n))
            updates.append((old.id, message, wanted[message.n]))
    gone = [old for n, old in kept.items() if n not in wanted]
    for tried in (old for old in gone if old.sent or old.tried):
        raise ValueError(_("part {n} was sent or tried; leave a text in its place").format(n=tried.content.n))
    return Rewrite(tuple(updates), tuple(inserts), tuple(old.id for old in gone))


def load_messages(session: Session, post_ids: Collection[int]) -> dict[int, list[StoredMessage]]:
    """The messages of posts, by post and n."""
    found: dict[int, list[StoredMessage]] = defaultdict(list)
    for part in chunks(post_ids):
        mine = sa.select(MESSAGE.c.id).where(MESSAGE.c.post_id.in_(part))
        sent = _owners(session, RECEIPT, mine) | _owners(session, ATTEMPT, mine, *_HANDED)
        tried = _owners(session, ATTEMPT, mine) | _owners(session, PAYLOAD, mine)
        media = _media(session, mine)
        rows = sa.select(MESSAGE).where(MESSAGE.c.post_id.in_(part)).order_by(MESSAGE.c.n)
        for row in session.execute(rows):
            content = MessageContent(row.n, row.text, row.link, row.role, media.get(row.id, ()))
            found[row.post_id].append(StoredMessage(row.id, content, row.id in sent, row.id in tried))
    return found


_HANDED = (ATTEMPT.c.action == "send", ATTEMPT.c.outcome == Outcome.HANDED, ATTEMPT.c.settled.is_(None))
"""Sendings that gave a message to a person, who has not said that it is not out."""


def _owners(session: Session, table: sa.Table, mine: Any, *where: sa.ColumnElement[bool]) -> set[int]:
    return set(session.execute(sa.select(table.c.message_id).where(table.c.message_id.in_(mine), *where)).scalars())


def _media(session: Session, mine: Any) -> dict[int, tuple[MediaContent, ...]]:
    statement = sa.select(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(mine))
    media: dict[int, tuple[MediaContent, ...]] = defaultdict(tuple)
    for row in session.execute(statement.order_by(ATTACHMENT.c.message_id, ATTACHMENT.c.position)):
        media[row.message_id] += (MediaContent(row.path, row.sha256, row.mime, row.alt),)
    return media


class Reviser:
    """Writes revisions of posts in bulk; lives in one write transaction. `refused` names what may not change."""

    def __init__(self, session: Session, env: Env, numbering: Numbering) -> None:
        self._session = session
        self._env = env
        self._numbering = numbering

    def revise(self, revisions: Sequence[Revision]) -> dict[int, str]:
        """Write the revisions whose messages may change; gives the reason for every other one, by post id."""
        made = {revision.stored.id: composed(revision.spec) for revision in revisions}
        messages = load_messages(self._session, made)
        batch = MessageBatch()
        refused: dict[int, str] = {}
        for number in made:
            try:
                batch.take(number, rewrite(messages[number], made[number]))
            except ValueError as error:
                refused[number] = str(error)
        self._write_posts([r for r in revisions if r.stored.id not in refused], made)
        batch.write(self._session)
        return refused

    def _write_posts(self, revisions: Sequence[Revision], made: dict[int, Composed]) -> None:
        if not revisions:
            return
        rows = [self._columns(revision, made[revision.stored.id]) for revision in revisions]
        update_rows(self._session, POST, rows, rev=POST.c.rev + 1)
        self._join_stories(revisions)

    def _columns(self, revision: Revision, made: Composed) -> dict[str, Any]:
        stored, plan = revision.stored, revision.plan
        return {
            "b_id": stored.id,
            "ref": revision.spec.ref,
            **columns_of(revision.spec, made),
            **(plan_columns(plan) if plan else _kept_plan(stored)),
            **waking(stored, plan),
            "over_reason": revision.over_reason if plan else stored.over_reason,
            "updated_at": self._env.now,
        }

    def _join_stories(self, revisions: Sequence[Revision]) -> None:
        moved = [r for r in revisions if r.spec.story != r.stored.spec.story]
        self._numbering.learn(revision.spec.story for revision in moved)
        for revision in moved:
            story_id, occurrence = self._numbering.place(revision.spec.story, revision.spec.channel)
            self._session.execute(
                sa.update(POST)
                .where(POST.c.id == revision.stored.id)
                .values(story_id=story_id, occurrence=occurrence)
                .execution_options(synchronize_session=False)
            )


def _kept_plan(stored: StoredPost) -> dict[str, Any]:
    wall = stored.wall.isoformat(timespec="minutes") if stored.wall else None
    return {"scheduled_at": stored.scheduled_at, "wall": wall, "zone": stored.zone, "day": stored.day}


def waking(stored: StoredPost, plan: Resolved | None) -> dict[str, Any]:
    """When the engine must look at a revised post, and what it may forget of the last time it looked.

    A scheduled post is looked at when it is due, or later if it is being held back; a new time ends that.
    """
    scheduled = stored.state == PostState.SCHEDULED
    at = plan.instant if plan else stored.scheduled_at
    not_before = None if plan else stored.not_before
    return {
        "wake_at": latest(at, not_before) if scheduled else None,
        "not_before": not_before,
        "reason": None if scheduled else stored.reason,
    }


def latest(at: datetime | None, not_before: datetime | None) -> datetime | None:
    """The later of two instants; None only if `at` is."""
    return max(at, not_before) if at and not_before else at


def update_rows(session: Session, table: sa.Table, rows: Sequence[dict[str, Any]], **values: Any) -> None:
    """Update many rows; each names the same columns and, as `b_id`, its id. `values` are set in all of them."""
    if rows:
        given: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "b_id"}
        statement = sa.update(table).where(table.c.id == sa.bindparam("b_id")).values(**given, **values)
        session.connection().execute(statement, rows)


@dataclass
class MessageBatch:
    """The work on messages of many posts, written together."""

    updates: list[dict[str, Any]] = field(default_factory=list)
    inserts: list[tuple[int, MessageContent, str]] = field(default_factory=list)
    deletes: list[int] = field(default_factory=list)
    media: list[tuple[int, tuple[MediaContent, ...]]] = field(default_factory=list)

    def take(self, post_id: int, work: Rewrite) -> None:
        """Note what is to be done to the messages of one post."""
        for message_id, message, mark in work.updates:
            self.updates.append({"b_id": message_id, "saved": None, **_columns_of(message, mark)})
            self.media.append((message_id, message.media))
        self.inserts.extend((post_id, message, mark) for message, mark in work.inserts)
        self.deletes.extend(work.deletes)

    def write(self, session: Session) -> None:
        """Do it."""
        for part in chunks([*(message_id for message_id, _media in self.media), *self.deletes]):
            session.execute(sa.delete(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(part)))
        for part in chunks(self.deletes):
            session.execute(sa.delete(MESSAGE).where(MESSAGE.c.id.in_(part)))
        update_rows(session, MESSAGE, self.updates)
        first = next_id(session, MESSAGE)
        rows = [
            {"id": first + index, "post_id": post_id, **_columns_of(message, mark)}
            for index, (post_id, message, mark) in enumerate(self.inserts)
        ]
        if rows:
            session.execute(sa.insert(MESSAGE), rows)
        self.media.extend(
            (row["id"], message.media) for row, (_id, message, _mark) in zip(rows, self.inserts, strict=True)
        )
        attachments = [row for message_id, media in self.media for row in attachment_rows(message_id, media)]
        if attachments:
            session.execute(sa.insert(ATTACHMENT), attachments)


def _columns_of(message: MessageContent, mark: str) -> dict[str, Any]:
    return {"n": message.n, "role": message.role, "text": message.text, "link": message.link, "fingerprint": mark}
