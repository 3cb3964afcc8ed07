"""Taking a post, and giving it back: the claim, and the gate's questions to the database.

All of it runs under the account's operating-system lock (see `account_lock`), so an attempt that is not
finished belongs to a worker that is dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Session, col

from cm.calendar.sql import ACCOUNT, POST
from cm.channels.port import Finds
from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Payload, Post
from cm.publishing import accounts, checked, holds, journal, unsettled
from cm.publishing.accounts import ENDED_BY_CHECK, Work, rests
from cm.publishing.decide import AHEAD, Means, Next, Timings, settle_next
from cm.publishing.gate import GateFacts, Refusal, refusal
from cm.publishing.journal import Dossier, Frozen, Step
from cm.publishing.late import give_up, last_moment
from cm.publishing.results import RunResult
from cm.publishing.spacing import spaced_until
from cm.store.posts import transition

NEVER = timedelta(microseconds=1)
MISDATED = timedelta(days=1)
"""So far back a listing must reach for a sending that a wrong clock has dated."""
LOOK_BACK = timedelta(minutes=15)
"""So much before the first sending a listing must reach back: clocks differ."""


@dataclass(frozen=True)
class Claim:
    """One message taken by one worker: everything it takes to try it."""

    dossier: Dossier
    step: Step
    attempt_id: int
    token: str
    resend: Payload | None = None
    """The very bytes of a sending in doubt, to be sent again under the same key."""
    continued: bool = False
    """It goes on under the claim of the part before it."""

    @property
    def post_id(self) -> int:
        """The post's id."""
        assert self.dossier.post.id is not None
        return self.dossier.post.id


@dataclass(frozen=True)
class Look:
    """One message that is to be looked for on the platform before anything else happens to it.

    `payload`: what was sent. `since`: how far a listing must reach back.
    `refused`: the platform refused it, and a person wants it sent again; else it is in doubt.
    """

    dossier: Dossier
    step: Step
    payload: Payload
    since: datetime
    refused: bool = False

    @property
    def post_id(self) -> int:
        """The post's id."""
        assert self.dossier.post.id is not None
        return self.dossier.post.id


_DUE = (
    sa.select(POST)
    .where(
        POST.c.channel == sa.bindparam("channel"),
        POST.c.wake_at.is_not(None),
        sa.or_(POST.c.state == PostState.SCHEDULED, POST.c.state == PostState.PUBLISHING),
        POST.c.wake_at <= sa.bindparam("now"),
    )
    .order_by(POST.c.scheduled_at, POST.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_LEASE = (
    sa.update(ACCOUNT)
    .where(ACCOUNT.c.id == sa.bindparam("account"))
    .values(claim_token=sa.bindparam("token"), lease_until=sa.bindparam("until"))
)
_SLEEP = sa.update(POST).where(POST.c.id == sa.bindparam("post"))
_SLEEP_SAYING = _SLEEP.values(wake_at=sa.bindparam("at"), reason=sa.bindparam("said"))
_SLEEP_PUBLISHING = _SLEEP_SAYING.values(claim_token=sa.bindparam("token"))


def due_posts(session: Session, work: Work, now: datetime, limit: int) -> list[Dossier]:
    """The first posts of the account at which the engine must look now, in the order (due, id)."""
    given = {"channel": work.channel, "now": now, "most": limit}
    return journal.dossiers(session, cast(Sequence[Post], session.execute(_DUE, given).all()))


def gate_facts(
    session: Session,
    env: Env,
    work: Work,
    timings: Timings,
    dossier: Dossier,
    prepared: Payload | Frozen | None = None,
    account: Account | None = None,
) -> GateFacts:
    """What the gate looks at, read now; the account's row too, if the caller has not just done so."""
    post = dossier.post
    assert post.scheduled_at is not None
    step, open_ = dossier.next, unsettled.of_account(session, work.account_id)
    account = account or accounts.row(session, work.account_id)
    configured = env.config.channels.get(post.channel)
    return GateFacts(
        now=env.now,
        scheduled_at=post.scheduled_at,
        last_moment=last_moment(env, dossier),
        not_before=post.not_before,
        held=_held(session, env, post),
        example=post.example,
        withdrawn=post.withdrawal is not None,
        simulated=work.simulated,
        channel_state=configured.state if configured else "closed",
        successor=configured.successor if configured else None,
        paused=account.paused_at is not None,
        paused_until=account.paused_until,
        pause_reason=account.pause_reason,
        blocked_until=unsettled.blocked_until(open_, timings.quiet, post.id, env.now),
        spaced_until=spaced_until(session, env, work.account_id, dossier),
        content_hash=dossier.content_hash,
        planned_hash=post.content_hash,
        prepared_hash=prepared.content_hash if prepared else None,
        check_error=checked.error_of(session, env, work, dossier),
        twin=step is not None and unsettled.twin(open_, step.message.fingerprint, step.id),
    )


def _held(session: Session, env: Env, post: Post) -> str | None:
    """What is said of the hold that the post is under; a crisis post passes."""
    hold = None if post.crisis else holds.holding(session, env, post.channel, env.now, due=post.scheduled_at)
    return holds.reason_of(hold, env.config) if hold else None


def claim(env: Env, work: Work, timings: Timings, token: str, result: RunResult) -> Claim | Look | None:
    """As `take`, in a transaction of its own."""
    with env.store.write() as session:
        return take(session, env, work, timings, token, result)


def take(
    session: Session, env: Env, work: Work, timings: Timings, token: str, result: RunResult
) -> Claim | Look | None:
    """Take the first post that the gate lets through, account row first; or one that must be looked for.

    None if there is none, or if the next one has yet to be checked (see `checked.ensure`). What the gate
    refuses sleeps, so each look is at another post.
    """
    seen: set[int | None] = set()
    env = env.at_rest()  # one moment for all that are looked at: none may overtake because another began to wait
    while waiting := due_posts(session, work, env.now, 1):
        dossier = waiting[0]
        if dossier.post.id in seen or not checked.is_checked(session, env, work, dossier):
            return None
        seen.add(dossier.post.id)
        doubtful = dossier.next is not None and bool(dossier.next.in_doubt)
        way = _claim_doubtful if doubtful else _claim_scheduled
        taken = way(session, env, work, timings, dossier, token, result)
        if isinstance(taken, Look):
            return taken
        if taken:
            lease = {"account": work.account_id, "token": token, "until": env.now + timings.lease}
            session.execute(_LEASE, lease)
            return taken
    return None


def _claim_scheduled(
    session: Session, env: Env, work: Work, timings: Timings, dossier: Dossier, token: str, result: RunResult
) -> Claim | Look | None:
    refused = refusal(gate_facts(session, env, work, timings, dossier))
    if refused:
        put_to_sleep(session, env, dossier, refused, result)
        return None
    post, step = dossier.post, dossier.next
    assert post.id is not None
    if step and (look := _look_for_refused(session, env, work, dossier, step)):
        return look
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
    if step is None:  # all its messages have their receipts: only the state was lost
        conclude_published(session, dossier, result)
        return None
    attempt = journal.start(session, step, account_id=work.account_id, token=token, run_id=env.run_id, now=env.now)
    return Claim(dossier, step, attempt, token)


def _look_for_refused(session: Session, env: Env, work: Work, dossier: Dossier, step: Step) -> Look | None:
    """A platform may have made the post that it refused: before it is sent again it is looked for."""
    refused = [attempt for attempt in step.refused_sendings if attempt.account_id == work.account_id]
    if not refused or not isinstance(work.adapter, Finds):
        return None
    payload = session.get_one(Payload, refused[-1].payload_id)  # as it was sent; the post may say something else by now
    since = _since([attempt.sending_at for attempt in refused if attempt.sending_at], env.now)
    return Look(dossier, step, payload, since, refused=True)


def _claim_doubtful(
    session: Session, env: Env, work: Work, timings: Timings, dossier: Dossier, token: str, result: RunResult
) -> Claim | Look | None:
    """A sending in doubt is sent again, same bytes and key, while the platform surely remembers the key; else it is
    looked for; else a person must look."""
    post, step, now = dossier.post, dossier.next, env.now
    assert post.id is not None
    assert step is not None
    # however it came to stand in the calendar: a message in doubt takes this way and no other
    transition(session, post.id, PostState.PUBLISHING, among=[PostState.SCHEDULED])
    payload = session.get_one(Payload, step.in_doubt[0].payload_id)
    refused = refusal(gate_facts(session, env, work, timings, dossier, payload))
    means = means_of(session, work, step, now)
    late = refused is not None and refused.kind == "late"
    history = step.history(post.updated_at)
    act, at = settle_next(history, means, now=now, timings=timings, gate_open=refused is None, gate_late=late)
    if act is Next.LOOK and (rest := accounts.row(session, work.account_id).paused_until) and rest > now:
        act, at = Next.WAIT, rest
    match act:
        case Next.RESEND:
            sleep_publishing(session, post.id, now + timings.lease, None, token)
            attempt = journal.start(session, step, account_id=work.account_id, token=token, run_id=env.run_id, now=now)
            return Claim(dossier, step, attempt, token, payload)
        case Next.LOOK:
            return Look(dossier, step, payload, _since(_may_show(step), now))
        case Next.WAIT:
            assert at is not None
            keep_in_doubt(session, dossier, at, refused.reason if refused else post.reason, result)
        case Next.UNCONFIRMED:
            unconfirmed(session, dossier, _("sent, and no answer came; look whether it is there"), result)
    return None


def _may_show(step: Step) -> list[datetime]:
    """The sendings that may show: one that was sent again because listings lacked it may still come late."""
    resent = bool(step.message.absent_resends)
    may_show = [a for a in step.attempts if a.outcome is Outcome.UNKNOWN] if resent else step.in_doubt
    return [a.sending_at for a in (*may_show, *step.in_doubt) if a.sending_at]


def _since(sendings: Sequence[datetime], now: datetime) -> datetime:
    """How far back a look must reach: to the first sending, or for a day where a wrong clock has dated one."""
    misdated = max(sendings) > now + AHEAD
    return min(*sendings, now - MISDATED if misdated else now) - LOOK_BACK


def means_of(session: Session, work: Work, step: Step, now: datetime) -> Means:
    """How the message's doubt can be settled now: only on the very account that it was sent to, and not while a person
    must see to its authorisation first."""
    account = accounts.row(session, work.account_id)
    if any(attempt.account_id != work.account_id for attempt in step.in_doubt):
        return Means(0)
    stopped = rests(account, now) and account.paused_until is None and account.pause_kind in ENDED_BY_CHECK
    return Means(account.key_window, isinstance(work.adapter, Finds) and not stopped)


def keep_in_doubt(session: Session, dossier: Dossier, at: datetime, reason: str | None, result: RunResult) -> None:
    """Nothing can be done about the doubt now: it is looked at again then."""
    assert dossier.post.id is not None
    sleep_publishing(session, dossier.post.id, at, reason)
    result.add("deferred", dossier.post, reason=reason)


def put_to_sleep(session: Session, env: Env, dossier: Dossier, refused: Refusal, result: RunResult) -> None:
    """Write the gate's reason; the post sleeps until that ends by itself, at the latest until its last moment.

    What a hold met, or is past its last moment, waits for a person instead.
    """
    post = dossier.post
    hold = None
    if refused.kind == "held":
        hold = holds.holding(session, env, post.channel, env.now, due=post.scheduled_at)
    if hold:
        holds.miss_held(session, env, dossier, holds.noted(session, env, hold), result)
        return
    if refused.kind == "late":
        give_up(session, env, dossier, result)
        return
    end = last_moment(env, dossier) + NEVER
    wake = min(refused.until, end) if refused.until else end
    session.execute(_SLEEP_SAYING, {"post": post.id, "at": wake, "said": refused.reason})
    result.add("held" if refused.kind == "refused" else "deferred", post, reason=refused.reason)


def sleep_publishing(
    session: Session, post_id: int, wake_at: datetime, reason: str | None, token: str | None = None
) -> None:
    """A post that is being settled: when to look again, and who has it."""
    session.execute(_SLEEP_PUBLISHING, {"post": post_id, "at": wake_at, "said": reason, "token": token})


_EXTEND = sa.update(ACCOUNT).where(ACCOUNT.c.id == sa.bindparam("account")).values(lease_until=sa.bindparam("until"))
_WAKE = _SLEEP.values(wake_at=sa.bindparam("until"))


def extend(session: Session, account_id: int, post_id: int, until: datetime) -> None:
    """The lease of account and post, written with `sending`."""
    session.execute(_EXTEND, {"account": account_id, "until": until})
    session.execute(_WAKE, {"post": post_id, "until": until})


def release(session: Session, post_id: int, now: datetime) -> None:
    """The post goes back to the calendar as it is, to be looked at at once."""
    among = [PostState.PUBLISHING]
    transition(session, post_id, PostState.SCHEDULED, among=among, claim_token=None, wake_at=now, reason=None)


def unconfirmed(session: Session, dossier: Dossier, reason: str, result: RunResult) -> None:
    """Nobody knows, and nothing more can be asked: a person must look."""
    post = dossier.post
    assert post.id is not None
    values = {"wake_at": None, "claim_token": None, "reason": reason}
    if transition(session, post.id, PostState.UNCONFIRMED, among=[PostState.PUBLISHING], **values):
        accounts.wake_scheduled(session, col(Post.channel) == post.channel)  # it holds its account no more
        result.add("unconfirmed", post, reason=reason)


def conclude_published(session: Session, dossier: Dossier, result: RunResult, token: str | None = None) -> bool:
    """Every message stands: the post is published (or handed, where a person has to paste). `token`: only while it is
    claimed under it. False if it was not: nothing was written."""
    post = dossier.post
    assert post.id is not None
    receipts = [step.receipt for step in dossier.steps if step.receipt]
    first = receipts[0] if receipts else None
    handed = len(receipts) < len(dossier.steps)
    state = PostState.HANDED if handed else PostState.PUBLISHED
    among = [PostState.PUBLISHING] if handed else [PostState.PUBLISHING, PostState.UNCONFIRMED, PostState.HANDED]
    values: dict[str, Any] = {"wake_at": None, "claim_token": None, "not_before": None}
    published_at = first.published_at if first and not handed else None
    values |= {"published_at": published_at, "reason": None}
    if not transition(session, post.id, state, among=among, token=token, **values):
        return False
    if handed:
        folders = [step.attempts[-1].reason for step in dossier.steps if step.attempts]
        result.add("handed", post, reason=", ".join(folder for folder in folders if folder))
    elif first:
        result.add("published", post, remote_id=first.remote_id, permalink=first.permalink)
    return True
