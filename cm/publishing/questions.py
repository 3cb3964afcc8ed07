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
from cm.publishing.matching import Part, Question, Verdict
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

    def planned(self, *, but: Collection[int]) -> int:
        """How many of them stay scheduled."""
        states = {number: dossier.post.state for number, dossier in self.dossiers.items() if number not in but}
        return sum(state is PostState.SCHEDULED for state in states.values())


def read(session: Session, env: Env, work: Work) -> Asked:
    """Every post of the account that may have been sent without the journal's knowing."""
    dossiers = [dossier for posts in _batches(session, work.account_id) for dossier in journal.dossiers(session, posts)]
    found = {dossier.post.id: dossier for dossier in dossiers if dossier.post.id is not None}
    return Asked(found, tuple(_question(session, env, dossier) for dossier in found.values()))


def _batches(session: Session, account_id: int) -> list[Sequence[Post]]:
    mine = select(Channel.name).where(Channel.account_id == account_id)
    statement = (
        select(Post)
        .where(col(Post.channel).in_(mine), col(Post.state).in_(OPEN), col(Post.scheduled_at).is_not(None))
        .order_by(col(Post.scheduled_at), col(Post.id))
        .execution_options(populate_existing=True)
    )
    posts = session.exec(statement).all()
    return [posts[start : start + BATCH] for start in range(0, len(posts), BATCH)]


def _question(session: Session, env: Env, dossier: Dossier) -> Question:
    post = dossier.post
    assert post.id is not None
    assert post.scheduled_at is not None
    doubts = [attempt.sending_at for step in dossier.steps for attempt in step.in_doubt if attempt.sending_at]
    parts = tuple(_part(session, dossier, step) for step in dossier.steps)
    return Question(post.id, post.state, post.scheduled_at, grace_end(env, post), parts, min(doubts, default=None))


def _part(session: Session, dossier: Dossier, step: Step) -> Part:
    doubted = [attempt.payload_id for attempt in step.in_doubt if attempt.payload_id]
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
