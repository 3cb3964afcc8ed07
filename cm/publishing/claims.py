"""Taking a post, and giving it back: the claim, the gate's questions to the database, the recovery.

All of it runs under the account's operating-system lock (see `account_lock`), so an attempt that is not
finished belongs to a worker that is dead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Channel, Payload, Post
from cm.publishing import checked, journal
from cm.publishing.accounts import Work
from cm.publishing.decide import Timings, key_lives
from cm.publishing.gate import GateFacts, Refusal, refusal
from cm.publishing.journal import Dossier, Step
from cm.publishing.late import give_up, last_moment
from cm.publishing.results import RunResult
from cm.store.posts import transition

NEVER = timedelta(microseconds=1)


@dataclass(frozen=True)
class Claim:
    """One message taken by one worker: everything it takes to try it."""

    dossier: Dossier
    step: Step
    attempt_id: int
    token: str
    resend: Payload | None = None
    """The very bytes of a sending in doubt, to be sent again under the same key."""

    @property
    def post_id(self) -> int:
        """The post's id."""
        assert self.dossier.post.id is not None
        return self.dossier.post.id


def due_posts(session: Session, work: Work, now: datetime, limit: int) -> list[Dossier]:
    """The first posts of the account at which the engine must look now, in the order (due, id)."""
    statement = (
        select(Post)
        .join(Channel, col(Channel.name) == col(Post.channel))
        .where(
            Channel.account_id == work.account_id,
            col(Post.state).in_([PostState.SCHEDULED, PostState.PUBLISHING]),
            col(Post.wake_at) <= now,
        )
        .order_by(col(Post.scheduled_at), col(Post.id))
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return journal.dossiers(session, session.exec(statement).all())


def gate_facts(
    session: Session, env: Env, work: Work, timings: Timings, dossier: Dossier, prepared: Payload | None = None
) -> GateFacts:
    """What the gate looks at, read now."""
    post = dossier.post
    assert post.scheduled_at is not None
    account = session.get_one(Account, work.account_id)
    configured = env.config.channels.get(post.channel)
    return GateFacts(
        now=env.now,
        scheduled_at=post.scheduled_at,
        last_moment=last_moment(env, dossier),
        not_before=post.not_before,
        example=post.example,
        simulated=work.simulated,
        channel_state=configured.state if configured else "closed",
        successor=configured.successor if configured else None,
        paused=account.paused_at is not None,
        paused_until=account.paused_until,
        pause_reason=account.pause_reason,
        blocked_until=journal.blocked_until(session, work.account_id, timings.send_deadline + timings.settle, post.id),
        content_hash=dossier.content_hash,
        planned_hash=post.content_hash,
        prepared_hash=prepared.content_hash if prepared else None,
        check_error=checked.error_of(session, env, dossier.content),
    )


def claim(env: Env, work: Work, timings: Timings, token: str, result: RunResult) -> Claim | None:
    """Take the first post that the gate lets through, account row first.

    None if there is none, or if the next one has yet to be checked (see `checked.ensure`). What the gate
    refuses sleeps, so each look is at another post.
    """
    seen: set[int | None] = set()
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        while waiting := due_posts(session, work, env.now, 1):
            dossier = waiting[0]
            if dossier.post.id in seen or not checked.is_checked(session, env, dossier.content):
                return None
            seen.add(dossier.post.id)
            doubtful = dossier.next is not None and bool(dossier.next.in_doubt)
            take = _claim_doubtful if doubtful else _claim_scheduled
            taken = take(session, env, work, timings, dossier, token, result)
            if taken:
                account.claim_token, account.lease_until = token, env.now + timings.lease
                session.add(account)
                return taken
    return None


def _claim_scheduled(
    session: Session, env: Env, work: Work, timings: Timings, dossier: Dossier, token: str, result: RunResult
) -> Claim | None:
    refused = refusal(gate_facts(session, env, work, timings, dossier))
    if refused:
        put_to_sleep(session, env, dossier, refused, result)
        return None
    post, step = dossier.post, dossier.next
    assert post.id is not None
    lease = env.now + timings.lease
    if not transition(
        session,
        post.id,
        PostState.PUBLISHING,
        among=[PostState.SCHEDULED],
        claim_token=token,
        wake_at=lease,
        reason=None,
    ):
        return None
    session.refresh(post)
    if step is None:  # all its messages have their receipts: only the state was lost
        conclude_published(session, dossier, result)
        return None
    attempt = journal.start(session, step, account_id=work.account_id, token=token, run_id=env.run_id, now=env.now)
    return Claim(dossier, step, attempt, token)


def _claim_doubtful(
    session: Session, env: Env, work: Work, timings: Timings, dossier: Dossier, token: str, result: RunResult
) -> Claim | None:
    """A sending in doubt is sent again, same bytes and key, while the platform surely remembers the key."""
    post, step, now = dossier.post, dossier.next, env.now
    assert post.id is not None
    assert step is not None
    # however it came to stand in the calendar: a message in doubt takes this way and no other
    transition(session, post.id, PostState.PUBLISHING, among=[PostState.SCHEDULED])
    if not may_resend(session, work, timings, dossier, step, now):
        unconfirmed(session, dossier, _("sent, and no answer came; look whether it is there"), result)
        return None
    payload = session.get_one(Payload, step.in_doubt[0].payload_id)
    refused = refusal(gate_facts(session, env, work, timings, dossier, payload))
    if refused:
        keep_in_doubt(session, timings, dossier, refused, now, result)
        return None
    sleep_publishing(session, post.id, now + timings.lease, None, token)
    attempt = journal.start(session, step, account_id=work.account_id, token=token, run_id=env.run_id, now=now)
    return Claim(dossier, step, attempt, token, payload)


def may_resend(session: Session, work: Work, timings: Timings, dossier: Dossier, step: Step, now: datetime) -> bool:
    """True while the very account that the doubtful sending went to surely remembers its key."""
    history = step.history(dossier.post.updated_at)
    if history.doubt_since is None or history.spent >= timings.attempts:
        return False
    window = session.get_one(Account, work.account_id).key_window
    same_account = all(attempt.account_id == work.account_id for attempt in step.in_doubt)
    return same_account and key_lives(history.doubt_since, now, window, timings)


def keep_in_doubt(
    session: Session, timings: Timings, dossier: Dossier, refused: Refusal, now: datetime, result: RunResult
) -> None:
    """The gate forbids a resend now: later, or a person must look if its last moment is over."""
    assert dossier.post.id is not None
    if refused.kind == "late":
        unconfirmed(session, dossier, _("sent, and no answer came; look whether it is there"), result)
        return
    sleep_publishing(session, dossier.post.id, now + timings.backoff[0], refused.reason)
    result.add("deferred", dossier.post, reason=refused.reason)


def put_to_sleep(session: Session, env: Env, dossier: Dossier, refused: Refusal, result: RunResult) -> None:
    """Write the gate's reason; the post sleeps until that ends by itself, at the latest until its last moment."""
    post = dossier.post
    if refused.kind == "late":
        give_up(session, env, dossier, result)
        return
    end = last_moment(env, dossier) + NEVER
    wake = min(refused.until, end) if refused.until else end
    session.execute(sa.update(Post).where(col(Post.id) == post.id).values(wake_at=wake, reason=refused.reason))
    result.add("held" if refused.kind == "refused" else "deferred", post, reason=refused.reason)


def sleep_publishing(
    session: Session, post_id: int, wake_at: datetime, reason: str | None, token: str | None = None
) -> None:
    """A post that is being settled: when to look again, and who has it."""
    session.execute(
        sa.update(Post).where(col(Post.id) == post_id).values(wake_at=wake_at, reason=reason, claim_token=token)
    )


def unconfirmed(session: Session, dossier: Dossier, reason: str, result: RunResult) -> None:
    """Nobody knows, and nothing more can be asked: a person must look."""
    post = dossier.post
    assert post.id is not None
    values = {"wake_at": None, "claim_token": None, "reason": reason}
    if transition(session, post.id, PostState.UNCONFIRMED, among=[PostState.PUBLISHING], **values):
        result.add("unconfirmed", post, reason=reason)


def conclude_published(session: Session, dossier: Dossier, result: RunResult) -> None:
    """Every message stands: the post is published (or handed, where a person has to paste)."""
    post = dossier.post
    assert post.id is not None
    receipts = [step.receipt for step in dossier.steps if step.receipt]
    first = receipts[0] if receipts else None
    handed = len(receipts) < len(dossier.steps)
    state = PostState.HANDED if handed else PostState.PUBLISHED
    among = [PostState.PUBLISHING] if handed else [PostState.PUBLISHING, PostState.UNCONFIRMED, PostState.HANDED]
    values = {"wake_at": None, "claim_token": None, "not_before": None}
    published_at = first.published_at if first and not handed else None
    if not transition(session, post.id, state, among=among, published_at=published_at, reason=None, **values):
        return
    if handed:
        folders = [step.attempts[-1].reason for step in dossier.steps if step.attempts]
        result.add("handed", post, reason=", ".join(folder for folder in folders if folder))
    elif first:
        result.add("published", post, remote_id=first.remote_id, permalink=first.permalink)


def recover(env: Env, work: Work, timings: Timings) -> None:
    """Clear up after a dead worker: unfinished attempts get their outcome, their posts go back or are settled.

    Before `sending`: nothing happened, the post is free again. In `sending`: unknown, looked at when the call
    can no longer be at work. Between two messages: the post goes on.
    """
    with env.store.write() as session:
        held = (
            select(Post)
            .join(Channel, col(Channel.name) == col(Post.channel))
            .where(Channel.account_id == work.account_id, Post.state == PostState.PUBLISHING)
        )
        for dossier in journal.dossiers(session, session.exec(held).all()):
            recover_post(session, dossier, work.account_id, timings, env.now)
        session.execute(
            sa.update(Account).where(col(Account.id) == work.account_id).values(claim_token=None, lease_until=None)
        )


def recover_post(session: Session, dossier: Dossier, account_id: int | None, timings: Timings, now: datetime) -> None:
    """Clear up one post in publishing. `account_id`: the account whose lock is held.

    An attempt of another account (the channel was given to a new one) may be alive: its lease is waited for.
    """
    post, step = dossier.post, dossier.next
    assert post.id is not None
    last = step.attempts[-1] if step and step.attempts else None
    if last and last.id and last.finished_at is None:
        if last.account_id != account_id and now < (last.sending_at or last.started_at) + timings.lease:
            return
        said = _("the worker stopped while sending") if last.sending_at else _("the worker stopped before sending")
        journal.finish(session, last.id, Outcome.UNKNOWN if last.sending_at else Outcome.RETRYABLE, now, reason=said)
        if last.sending_at:
            settled_at = last.sending_at + timings.send_deadline + timings.settle
            sleep_publishing(session, post.id, settled_at, said)
            return
        if step and step.in_doubt:  # it died before it could send again: the older doubt stands
            sleep_publishing(session, post.id, now, post.reason)
            return
    elif step and step.in_doubt:
        return  # it is being settled, at its own time
    transition(session, post.id, PostState.SCHEDULED, among=[PostState.PUBLISHING], claim_token=None, wake_at=now)


def abandon(session: Session, env: Env, dossier: Dossier, timings: Timings, result: RunResult) -> None:
    """A post in publishing whose channel nothing can speak to any more: nobody can ask the platform again."""
    recover_post(session, dossier, None, timings, env.now)
    session.expire_all()
    if dossier.post.state is PostState.PUBLISHING and (dossier.post.wake_at or env.now) <= env.now:
        unconfirmed(session, dossier, _("sent, and its channel is gone; look whether it is there"), result)
