"""The journal: what the database says and is told before, during and after a sending.

Every function here runs inside a transaction of its caller. Three commits stand around a sending: the
claim with the attempt `started`; payload, hash, key and `sending`; the outcome.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.channels.port import Prepared, Receipt
from cm.checks.content import content_hash, digest
from cm.model.facts import MediaContent, MessageContent, PostContent
from cm.model.states import Outcome, PostState
from cm.model.tables import DOUBTFUL, Attachment, Attempt, Message, Payload, Post
from cm.model.tables import Receipt as ReceiptRow
from cm.publishing.decide import KEEPS_BUDGET, History

GATE = "gate"
PENDING = "pending"
"""Values of `attempt.field` for attempts that ended before anything was tried: they cost nothing."""

FREE = (GATE, PENDING)

IN_DOUBT = sa.text(DOUBTFUL)
"""SQL of an outcome that is unknown and was never cleared up; served by an index of its own."""


@dataclass(frozen=True)
class Step:
    """One message of a post and how far it is."""

    message: Message
    media: tuple[Attachment, ...]
    receipt: ReceiptRow | None
    attempts: tuple[Attempt, ...]

    @property
    def id(self) -> int:
        """The message's id."""
        assert self.message.id is not None
        return self.message.id

    @property
    def done(self) -> bool:
        """It stands on the platform, or a person has it to paste."""
        return self.receipt is not None or (
            bool(self.attempts) and self._last.outcome is Outcome.HANDED and not self._last.settled
        )

    @property
    def _last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def declared_absent(self) -> Attempt | None:
        """The last sending of which a person said that it is not there."""
        absent = [attempt for attempt in self.attempts if attempt.settled == "not_published" and attempt.payload_id]
        return absent[-1] if absent else None

    @property
    def in_doubt(self) -> tuple[Attempt, ...]:
        """Sendings that may have arrived and were never cleared up (an unfinished one included)."""
        return tuple(
            attempt
            for attempt in self.attempts
            if attempt.sending_at and not attempt.settled and attempt.outcome in (None, Outcome.UNKNOWN)
        )

    def history(self, since: datetime) -> History:
        """The message's past for `decide`; `since`: when a person last planned it, which renews its budget."""
        costly = [a for a in self.attempts if a.outcome not in KEEPS_BUDGET and a.field not in FREE]
        spent = [attempt for attempt in costly if attempt.started_at >= since]
        doubt = [attempt.sending_at for attempt in self.in_doubt if attempt.sending_at]
        return History(len(spent), min(doubt, default=None))


@dataclass(frozen=True)
class Dossier:
    """A post with everything the engine knows of it."""

    post: Post
    steps: tuple[Step, ...]

    @property
    def begun(self) -> bool:
        """A message is published or in doubt."""
        return any(step.done or step.in_doubt for step in self.steps)

    @property
    def next(self) -> Step | None:
        """The first message that is not done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def content(self) -> PostContent:
        """The post as it would be sent, from what is stored now."""
        return stored_content(self.post, [(step.message, step.media) for step in self.steps])

    @property
    def content_hash(self) -> str:
        """Recomputed from what is stored now."""
        return content_hash(self.content)


def stored_content(post: Post, messages: Sequence[tuple[Message, Sequence[Attachment]]]) -> PostContent:
    """A post's content from its stored messages and attachments."""
    return PostContent(
        post.channel,
        post.kind,
        post.language,
        tuple(post.audiences),
        tuple(
            MessageContent(
                m.n, m.text, m.link, m.role, tuple(MediaContent(a.path, a.sha256, a.mime, a.alt) for a in media)
            )
            for m, media in messages
        ),
        post.link,
        post.visibility,
        {key: str(value) for key, value in post.fields.items()},
    )


def dossiers(session: Session, posts: Sequence[Post]) -> list[Dossier]:
    """Everything known of these posts, in their order; four queries however many they are."""
    ids = [post.id for post in posts]
    messages = session.exec(select(Message).where(col(Message.post_id).in_(ids)).order_by(col(Message.n))).all()
    message_ids = [message.id for message in messages]
    media = _by_message(
        session.exec(
            select(Attachment).where(col(Attachment.message_id).in_(message_ids)).order_by(col(Attachment.position))
        ).all()
    )
    receipts = _by_message(session.exec(select(ReceiptRow).where(col(ReceiptRow.message_id).in_(message_ids))).all())
    attempts = _by_message(
        session.exec(select(Attempt).where(col(Attempt.message_id).in_(message_ids)).order_by(col(Attempt.id))).all()
    )
    steps: dict[int | None, list[Step]] = {}
    for message in messages:
        found = receipts.get(message.id, [])
        step = Step(
            message, tuple(media.get(message.id, ())), found[0] if found else None, tuple(attempts.get(message.id, ()))
        )
        steps.setdefault(message.post_id, []).append(step)
    return [Dossier(post, tuple(steps.get(post.id, ()))) for post in posts]


def _by_message(rows: Sequence[Any]) -> dict[int | None, list[Any]]:
    found: dict[int | None, list[Any]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


def start(session: Session, step: Step, *, account_id: int, token: str, run_id: str, now: datetime) -> int:
    """Open an attempt; gives its id."""
    attempt = Attempt(
        message_id=step.id,
        account_id=account_id,
        number=len(step.attempts) + 1,
        token=token,
        run_id=run_id,
        started_at=now,
    )
    session.add(attempt)
    session.flush()
    assert attempt.id is not None
    return attempt.id


def freeze(session: Session, message_id: int, content: str, prepared: Prepared, now: datetime) -> Payload:
    """Store a prepared body with a key of its own; the same body of the same message keeps row and key."""
    known = digest(prepared.body)
    row = session.exec(select(Payload).where(Payload.message_id == message_id, Payload.hash == known)).first()
    if row is None:
        row = Payload(
            message_id=message_id,
            hash=known,
            key=str(uuid.uuid4()),
            content_hash=content,
            body=prepared.body,
            created_at=now,
        )
    row.content_hash = content
    row.expires_at = prepared.expires_at
    session.add(row)
    session.flush()
    return row


def mark_sending(session: Session, attempt_id: int, payload_id: int, now: datetime) -> None:
    """Write `sending`, once. Raises RuntimeError if that attempt has it or is over: then nothing may be sent."""
    if not _once(session, attempt_id, col(Attempt.sending_at).is_(None), sending_at=now, payload_id=payload_id):
        raise RuntimeError(f"attempt {attempt_id} is not open")


def finish(
    session: Session,
    attempt_id: int,
    outcome: Outcome,
    now: datetime,
    *,
    reason: str | None = None,
    field: str | None = None,
) -> bool:
    """Write how the attempt ended. False if that stands already: somebody took its worker for dead."""
    short = reason[:500] if reason else None
    return _once(session, attempt_id, sa.true(), finished_at=now, outcome=outcome, reason=short, field=field)


def _once(session: Session, attempt_id: int, unwritten: sa.ColumnElement[bool], **values: Any) -> bool:
    result = session.execute(
        sa.update(Attempt)
        .where(col(Attempt.id) == attempt_id, col(Attempt.finished_at).is_(None), unwritten)
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def settle(session: Session, message_id: int, verdict: str) -> None:
    """Clear up the message's doubtful sendings: `published` or `not_published`."""
    session.execute(
        sa.update(Attempt)
        .where(
            col(Attempt.message_id) == message_id,
            col(Attempt.outcome).in_([Outcome.UNKNOWN, Outcome.HANDED]),
            col(Attempt.settled).is_(None),
        )
        .values(settled=verdict)
    )


def store_receipt(
    session: Session,
    message_id: int,
    account_id: int,
    platform: str,
    receipt: Receipt,
    now: datetime,
    *,
    attempt_id: int | None,
    source: str,
) -> bool:
    """Keep the proof. False if that remote id already proves another message: somebody must look."""
    known = session.exec(
        select(ReceiptRow).where(
            ReceiptRow.platform == platform,
            ReceiptRow.account_id == account_id,
            ReceiptRow.remote_id == receipt.remote_id,
        )
    ).first()
    if known is not None:
        return known.message_id == message_id
    session.add(
        ReceiptRow(
            message_id=message_id,
            attempt_id=attempt_id,
            account_id=account_id,
            platform=platform,
            remote_id=receipt.remote_id,
            permalink=receipt.permalink,
            published_at=receipt.published_at,
            source=source,
            recorded_at=now,
        )
    )
    session.flush()
    return True


def blocked_until(session: Session, account_id: int, span: timedelta, except_post: int | None) -> datetime | None:
    """Until when other posts' doubtful sendings hold this account: the first sending of each, plus `span`."""
    first = (
        select(sa.func.min(col(Attempt.sending_at)).label("at"))
        .join(Message, col(Message.id) == col(Attempt.message_id))
        .join(Post, col(Post.id) == col(Message.post_id))
        .where(
            Attempt.account_id == account_id,
            IN_DOUBT,
            col(Post.state) == PostState.PUBLISHING,
            col(Post.id).is_distinct_from(except_post),
        )
        .group_by(col(Post.id))
        .subquery()
    )
    latest = session.exec(select(sa.func.max(first.c.at))).one()
    return latest + span if latest else None


def highest_attempt(session: Session, account_id: int) -> tuple[int, bool]:
    """The account's highest attempt id (0 = none) and whether any of its attempts has reached `sending`."""
    own = select(Attempt.id).where(Attempt.account_id == account_id).order_by(col(Attempt.id).desc()).limit(1)
    sent = own.where(col(Attempt.sending_at).is_not(None))
    return session.exec(own).first() or 0, session.exec(sent).first() is not None
