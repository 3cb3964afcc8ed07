"""The journal: what the database says and is told before, during and after a sending.

Every function here runs inside a transaction of its caller. Three commits stand around a sending: the
claim with the attempt `started`; payload, hash, key and `sending`; the outcome.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.calendar.sql import ATTACHMENT, ATTEMPT, MESSAGE, PAYLOAD, POST, RECEIPT
from cm.channels.port import Json, Prepared, Receipt
from cm.checks.content import content_hash, digest
from cm.model.facts import MediaContent, MessageContent, PostContent
from cm.model.states import Outcome
from cm.model.tables import DOUBTFUL, Attachment, Attempt, Message, Post
from cm.model.tables import Receipt as ReceiptRow
from cm.publishing import accounts
from cm.publishing.decide import KEEPS_BUDGET, REFUSALS, History

GATE = "gate"
PENDING = "pending"
"""Values of `attempt.field` for attempts that ended before anything was tried: they cost nothing."""
BREAKER = "breaker"
"""The same for one made while the account's circuit breaker was open: it asked whether the platform is back."""

FREE = (GATE, PENDING, BREAKER)

IN_DOUBT = sa.text(DOUBTFUL)
"""SQL of an outcome that is unknown and was never cleared up; served by an index of its own."""


@dataclass(frozen=True)
class Frozen:
    """A payload as it is kept: the very bytes of a sending, and the key they go under."""

    id: int
    key: str
    content_hash: str
    body: Json
    expires_at: datetime | None


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
        """The last sending of which a look-up or a person said that it is not there."""
        absent = [
            attempt
            for attempt in self.attempts
            if attempt.settled == "not_published" and attempt.payload_id and attempt.outcome not in REFUSALS
        ]
        return absent[-1] if absent else None

    @property
    def refused_sendings(self) -> tuple[Attempt, ...]:
        """Sendings that the platform refused and nobody has looked for: it may have made a post all the same."""
        return tuple(a for a in self.attempts if a.sending_at and a.outcome in REFUSALS and not a.settled)

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
        if not doubt:
            return History(len(spent))
        first = self.in_doubt[0].id or 0
        refused = any(a.outcome in REFUSALS and (a.id or 0) > first for a in self.attempts)
        return History(len(spent), min(doubt), max(doubt), refused)


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

    @cached_property
    def content(self) -> PostContent:
        """The post as it would be sent, from what was stored when it was read."""
        return stored_content(self.post, [(step.message, step.media) for step in self.steps])

    @cached_property
    def content_hash(self) -> str:
        """Recomputed from what was stored when it was read."""
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


@dataclass(frozen=True)
class _Parts:
    """What is asked of posts, in statements built once: building one costs more than running it."""

    messages: sa.Select[Any]
    media: sa.Select[Any]
    receipts: sa.Select[Any]
    attempts: sa.Select[Any]


def _parts(whose: sa.ColumnElement[bool]) -> _Parts:
    theirs = sa.select(MESSAGE.c.id).where(whose)
    sent = sa.select(ATTEMPT).where(ATTEMPT.c.message_id.in_(theirs), ATTEMPT.c.action == "send")
    return _Parts(
        sa.select(MESSAGE).where(whose).order_by(MESSAGE.c.n),
        sa.select(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(theirs)).order_by(ATTACHMENT.c.position),
        sa.select(RECEIPT).where(RECEIPT.c.message_id.in_(theirs)),
        sent.order_by(ATTEMPT.c.id),
    )


_OF_ONE = _parts(MESSAGE.c.post_id == sa.bindparam("posts"))
_OF_MANY = _parts(MESSAGE.c.post_id.in_(sa.bindparam("posts", expanding=True)))
_POST = sa.select(POST).where(POST.c.id == sa.bindparam("post"))


def dossiers(session: Session, posts: Sequence[Post]) -> list[Dossier]:
    """Everything known of these posts, in their order; four queries however many they are."""
    if not posts:
        return []
    ids = [post.id for post in posts]
    asked, given = (_OF_ONE, {"posts": ids[0]}) if len(ids) == 1 else (_OF_MANY, {"posts": ids})
    messages = session.execute(asked.messages, given).all()
    media = _by_message(session.execute(asked.media, given).all())
    receipts = _by_message(session.execute(asked.receipts, given).all())
    attempts = _by_message(session.execute(asked.attempts, given).all())
    steps: dict[int | None, list[Step]] = {}
    for message in messages:
        found = receipts.get(message.id, [])
        step = Step(
            cast(Message, message),
            tuple(media.get(message.id, ())),
            found[0] if found else None,
            tuple(attempts.get(message.id, ())),
        )
        steps.setdefault(message.post_id, []).append(step)
    return [Dossier(post, tuple(steps.get(post.id, ()))) for post in posts]


def fresh_dossier(session: Session, post_id: int) -> Dossier:
    """Everything known of a post, read anew."""
    return dossiers(session, [cast(Post, session.execute(_POST, {"post": post_id}).one())])[0]


def reread(session: Session, dossier: Dossier) -> Dossier:
    """The post and its content as they stand now; attempts and receipts as they were in the claim: under its token
    and the account's lock nobody else writes those."""
    given = {"posts": dossier.post.id}
    post = cast(Post, session.execute(_POST, {"post": dossier.post.id}).one())
    messages = session.execute(_OF_ONE.messages, given).all()
    media = _by_message(session.execute(_OF_ONE.media, given).all())
    known = {step.id: step for step in dossier.steps}
    steps = []
    for message in messages:
        step = known.get(message.id)
        receipt, attempts = (step.receipt, step.attempts) if step else (None, ())
        steps.append(Step(cast(Message, message), tuple(media.get(message.id, ())), receipt, attempts))
    return Dossier(post, tuple(steps))


def _by_message(rows: Sequence[Any]) -> dict[int | None, list[Any]]:
    found: dict[int | None, list[Any]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


_STARTED = sa.insert(ATTEMPT)


def start(session: Session, step: Step, *, account_id: int, token: str, run_id: str, now: datetime) -> int:
    """Open an attempt; gives its id."""
    attempt = {
        "message_id": step.id,
        "account_id": account_id,
        "action": "send",
        "number": len(step.attempts) + 1,
        "token": token,
        "run_id": run_id,
        "started_at": now,
    }
    return _inserted(session.execute(_STARTED, attempt))


def _inserted(result: Any) -> int:
    """The id of the row that was inserted."""
    return int(result.inserted_primary_key[0])


_FROZEN = sa.select(PAYLOAD).where(
    PAYLOAD.c.message_id == sa.bindparam("message"), PAYLOAD.c.hash == sa.bindparam("known")
)
_FREEZE = sa.insert(PAYLOAD)
_REFREEZE = (
    sa.update(PAYLOAD)
    .where(PAYLOAD.c.id == sa.bindparam("payload"))
    .values(content_hash=sa.bindparam("content"), expires_at=sa.bindparam("expires"))
)


def freeze(session: Session, step: Step, content: str, prepared: Prepared, now: datetime) -> Frozen:
    """Store a prepared body with a key of its own; the same body of the same message keeps row and key."""
    known = digest(prepared.body)
    given = {"message": step.id, "known": known}
    row = session.execute(_FROZEN, given).one_or_none() if step.attempts else None
    if row is None:
        key = str(uuid.uuid4())
        payload = {
            "message_id": step.id,
            "hash": known,
            "key": key,
            "content_hash": content,
            "body": prepared.body,
            "expires_at": prepared.expires_at,
            "created_at": now,
        }
        return Frozen(_inserted(session.execute(_FREEZE, payload)), key, content, prepared.body, prepared.expires_at)
    session.execute(_REFREEZE, {"payload": row.id, "content": content, "expires": prepared.expires_at})
    return Frozen(row.id, row.key, content, prepared.body, prepared.expires_at)


def mark_sending(session: Session, attempt_id: int, payload_id: int | None, now: datetime) -> None:
    """Write `sending`, once. `payload_id` None: a taking down or a correction, which may be repeated without a key.

    Raises RuntimeError if that attempt has it or is over: then nothing may be sent.
    """
    if not _once(session, attempt_id, True, sending_at=now, payload_id=payload_id):
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
    return _once(session, attempt_id, False, finished_at=now, outcome=outcome, reason=short, field=field)


def _once(session: Session, attempt_id: int, unwritten: bool, **values: Any) -> bool:
    statement = _once_statement(tuple(values), unwritten)
    return bool(session.execute(statement, {"attempt": attempt_id, **values}).rowcount)  # type: ignore[attr-defined]


@cache
def _once_statement(names: tuple[str, ...], unwritten: bool) -> sa.Update:
    """Writes these columns of an attempt that is open, `unwritten`: and not being sent."""
    open_ = [ATTEMPT.c.id == sa.bindparam("attempt"), ATTEMPT.c.finished_at.is_(None)]
    open_ += [ATTEMPT.c.sending_at.is_(None)] if unwritten else []
    return sa.update(ATTEMPT).where(*open_).values({name: sa.bindparam(name) for name in names})


def settle(session: Session, message_id: int, verdict: str) -> bool:
    """Clear up the message's doubtful sendings: `published` or `not_published`. False if it has none.

    Posts of the channel that waited for that are woken.
    """
    settled = _settle(session, message_id, [Outcome.UNKNOWN, Outcome.HANDED], verdict)
    if settled:
        session.execute(sa.update(Message).where(col(Message.id) == message_id).values(absent_at=None))
        _wake_others(session, message_id)
    return settled


def _wake_others(session: Session, message_id: int) -> None:
    """What waited for it, because its account was taken or because they look the same, is looked at again: each in its
    turn, before one that comes due meanwhile goes first."""
    own = select(Message.post_id).where(Message.id == message_id).scalar_subquery()
    channel = select(Post.channel).where(col(Post.id) == own).scalar_subquery()
    accounts.wake_scheduled(session, col(Post.channel) == channel, col(Post.id) != own)


def settle_handed(session: Session, message_id: int) -> None:
    """A person has it to paste, under the key of those sendings: nothing else may stand anywhere."""
    if _settle(session, message_id, [Outcome.UNKNOWN], "published"):
        _wake_others(session, message_id)


def settle_refused(session: Session, message_id: int, verdict: str) -> None:
    """A look-up told whether the platform made the post that it refused: `published` or `not_published`."""
    _settle(session, message_id, REFUSALS, verdict)


_SETTLED = (
    sa.update(ATTEMPT)
    .where(
        ATTEMPT.c.message_id == sa.bindparam("message"),
        ATTEMPT.c.action == "send",
        ATTEMPT.c.outcome.in_(sa.bindparam("outcomes", expanding=True)),
        ATTEMPT.c.settled.is_(None),
    )
    .values(settled=sa.bindparam("verdict"))
)


def _settle(session: Session, message_id: int, outcomes: Collection[Outcome], verdict: str) -> bool:
    given = {"message": message_id, "outcomes": list(outcomes), "verdict": verdict}
    return bool(session.execute(_SETTLED, given).rowcount)  # type: ignore[attr-defined]


_PROVEN = sa.select(RECEIPT.c.message_id).where(
    RECEIPT.c.platform == sa.bindparam("platform"),
    RECEIPT.c.account_id == sa.bindparam("account"),
    RECEIPT.c.remote_id == sa.bindparam("remote"),
)
_PROOF = sa.insert(RECEIPT)


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
    place = {"platform": platform, "account": account_id, "remote": receipt.remote_id}
    known = session.execute(_PROVEN, place).scalar_one_or_none()
    if known is not None:
        return bool(known == message_id)
    row = {
        "message_id": message_id,
        "attempt_id": attempt_id,
        "account_id": account_id,
        "platform": platform,
        "remote_id": receipt.remote_id,
        "permalink": receipt.permalink,
        "published_at": receipt.published_at,
        "source": source,
        "recorded_at": now,
    }
    session.execute(_PROOF, row)
    return True


def owned(session: Session, account_id: int, platform: str, remote_ids: Collection[str]) -> set[str]:
    """Those of these ids that receipts already prove."""
    known = select(ReceiptRow.remote_id).where(
        ReceiptRow.platform == platform,
        ReceiptRow.account_id == account_id,
        col(ReceiptRow.remote_id).in_(remote_ids),
    )
    return set(session.exec(known))


def highest_sending(session: Session, account_id: int) -> int:
    """The id of the account's newest attempt that reached `sending`, 0 if none did. One that only began is no proof: a
    copy of the database may have been taken between the two."""
    sent = select(Attempt.id).where(Attempt.account_id == account_id, col(Attempt.sending_at).is_not(None))
    return session.exec(sent.order_by(col(Attempt.id).desc()).limit(1)).first() or 0
