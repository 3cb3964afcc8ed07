"""What `cm db reconcile` asks of an account's posts, and how the answers are written into the journal."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import actions
from cm.channels.port import Receipt, Sighting
from cm.env import Env
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Channel, Payload, Post
from cm.model.tables import Receipt as ReceiptRow
from cm.publishing import journal, strays
from cm.publishing.accounts import Work
from cm.publishing.journal import Dossier, Step
from cm.publishing.late import grace_end
from cm.publishing.matching import LooksLike, Part, Question, Verdict
from cm.publishing.preparing import sought
from cm.store.posts import transition

_S = PostState
OPEN = (_S.SCHEDULED, _S.MISSED, _S.FAILED, _S.UNCONFIRMED, _S.PUBLISHING)
"""Posts that may stand on the platform without the journal's knowing."""
BATCH = 500
DOUBTED = journal.IN_DOUBT

_WAY: dict[PostState, tuple[PostState, ...]] = {
    _S.SCHEDULED: (_S.PUBLISHING,),
    _S.MISSED: (_S.SCHEDULED, _S.PUBLISHING),
    _S.FAILED: (_S.SCHEDULED, _S.PUBLISHING),
    _S.PUBLISHING: (),
    _S.UNCONFIRMED: (),
}
"""The states between, on the way to published or unconfirmed."""


@dataclass(frozen=True)
class Entry:
    """A post in a report, or one message of it."""

    id: str
    ref: str | None
    channel: str
    message: int | None = None
    remote_id: str | None = None
    permalink: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Asked:
    """The posts in question, as the journal has them now."""

    dossiers: Mapping[int, Dossier]
    questions: tuple[Question, ...]
    drafts: Mapping[int, Dossier]
    """They never went out, and somebody may have posted their words by hand."""

    def entry(
        self, number: int, message_id: int | None = None, sighting: Sighting | None = None, reason: str | None = None
    ) -> Entry:
        """How a report names a post or its message."""
        dossier = self.dossiers[number]
        n = next((step.message.n for step in dossier.steps if step.id == message_id), None)
        return Entry(
            post_id(number),
            dossier.post.ref,
            dossier.post.channel,
            n,
            sighting.remote_id if sighting else None,
            sighting.permalink if sighting else None,
            reason,
        )

    def alike(self, sighting: Sighting, looks_like: LooksLike) -> list[str]:
        """Ids of the posts, drafts among them, of which a message says what stands there."""
        posts = [*self.dossiers.items(), *self.drafts.items()]
        return [post_id(number) for number, dossier in posts if _says(dossier, sighting, looks_like)]

    def planned(self, *, but: Collection[int]) -> int:
        """How many of them stay scheduled."""
        states = {number: dossier.post.state for number, dossier in self.dossiers.items() if number not in but}
        return sum(state is PostState.SCHEDULED for state in states.values())


def read(session: Session, env: Env, work: Work) -> Asked:
    """Every post of the account that may have been sent without the journal's knowing."""
    found = _dossiers(session, work, col(Post.state).in_(OPEN), col(Post.scheduled_at).is_not(None))
    drafts = _dossiers(session, work, col(Post.state) == PostState.DRAFT)
    return Asked(found, tuple(_question(session, env, work, dossier) for dossier in found.values()), drafts)


def _dossiers(session: Session, work: Work, *where: sa.ColumnElement[bool]) -> dict[int, Dossier]:
    """Posts of the account, in batches."""
    batches = _batches(session, work.account_id, *where)
    dossiers = [dossier for posts in batches for dossier in journal.dossiers(session, posts)]
    return {dossier.post.id: dossier for dossier in dossiers if dossier.post.id is not None}


def _says(dossier: Dossier, sighting: Sighting, looks_like: LooksLike) -> bool:
    return any(looks_like(sought(dossier, step, None), sighting) for step in dossier.steps if step.receipt is None)


def _batches(session: Session, account_id: int, *where: sa.ColumnElement[bool]) -> list[Sequence[Post]]:
    mine = select(Channel.name).where(Channel.account_id == account_id)
    statement = (
        select(Post)
        .where(col(Post.channel).in_(mine), *where)
        .order_by(col(Post.scheduled_at), col(Post.id))
        .execution_options(populate_existing=True)
    )
    posts = session.exec(statement).all()
    return [posts[start : start + BATCH] for start in range(0, len(posts), BATCH)]


def _question(session: Session, env: Env, work: Work, dossier: Dossier) -> Question:
    post = dossier.post
    assert post.id is not None
    assert post.scheduled_at is not None
    doubts = [attempt.sending_at for step in dossier.steps for attempt in step.in_doubt if attempt.sending_at]
    parts = tuple(_part(session, work, dossier, step) for step in dossier.steps)
    return Question(post.id, post.state, post.scheduled_at, grace_end(env, post), parts, min(doubts, default=None))


def _part(session: Session, work: Work, dossier: Dossier, step: Step) -> Part:
    doubted = [a.payload_id for a in step.in_doubt if a.payload_id and a.account_id == work.account_id]
    payload = session.get(Payload, doubted[-1]) if doubted else None
    standing = step.receipt.remote_id if step.receipt else None
    return Part(step.id, sought(dossier, step, payload), standing, step.done)


def owned(session: Session, work: Work) -> frozenset[str]:
    """Remote ids of the account that the journal knows."""
    return frozenset(session.exec(select(ReceiptRow.remote_id).where(ReceiptRow.account_id == work.account_id)))


# --- the answers ------------------------------------------------------------------------------------------------------


def write(session: Session, env: Env, work: Work, asked: Asked, verdict: Verdict, reason: str) -> None:
    """Receipts for what was found; the posts become published, or unconfirmed for that `reason`."""
    first: dict[int, datetime] = {}
    for each in verdict.adopted:
        _adopt(session, env, work, each.message_id, each.sighting)
        strays.keep(session, work.account_id, [each.sighting], env.now, post_id=each.post_id)
        actions.record(session, env, "adopt", post_id(each.post_id), detail={"message": each.message_id})
        first.setdefault(each.post_id, each.sighting.published_at)
    for number in verdict.published:
        dossier = asked.dossiers[number]
        known = dossier.steps[0].receipt
        published_at = known.published_at if known else first[number]
        _move(session, dossier, _S.PUBLISHED, published_at=published_at, reason=None, not_before=None)
    for number in verdict.unconfirmed:
        _move(session, asked.dossiers[number], _S.UNCONFIRMED, reason=reason)
        actions.record(session, env, "unconfirmed", post_id(number))
    _note_last(session, work, first.values())


def _adopt(session: Session, env: Env, work: Work, message_id: int, sighting: Sighting) -> None:
    receipt = Receipt(sighting.remote_id, sighting.permalink, sighting.published_at)
    account, platform = work.account_id, work.identity.platform
    kept = journal.store_receipt(
        session, message_id, account, platform, receipt, env.now, attempt_id=None, source="found"
    )
    assert kept  # what the journal owns was left out
    journal.settle(session, message_id, "published")


def _move(session: Session, dossier: Dossier, to: PostState, **values: Any) -> None:
    """Along the allowed transitions, to rest there."""
    post = dossier.post
    assert post.id is not None
    state = post.state
    for step in (*_WAY[state], to):
        rest = {"wake_at": None, "claim_token": None, **values} if step is to else {}
        moved = transition(session, post.id, step, among=[state], **rest)
        assert moved  # read in this very transaction
        state = step


def _note_last(session: Session, work: Work, found: Collection[datetime]) -> None:
    """The spacing counts from what was found, too."""
    if not found:
        return
    last = col(Channel.last_sent_at)
    session.execute(
        sa.update(Channel)
        .where(col(Channel.account_id) == work.account_id, sa.or_(last.is_(None), last < max(found)))
        .values(last_sent_at=max(found)),
        execution_options={"synchronize_session": False},
    )
