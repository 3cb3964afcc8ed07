"""One run of `cm publish`: everything due, threads across accounts, in order within each."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.channels.port import Adapter
from cm.clock import SettableClock
from cm.env import Env
from cm.errors import CmError, Refused
from cm.i18n import _
from cm.model.states import PostState
from cm.model.tables import Meta, Post
from cm.publishing import accounts, backlog, holds, ownership, wrong_clock
from cm.publishing.account_worker import AccountWorker
from cm.publishing.accounts import Work
from cm.publishing.claims import put_to_sleep
from cm.publishing.decide import Timings
from cm.publishing.gate import Refusal, not_active
from cm.publishing.journal import dossiers
from cm.publishing.late import BATCH, hold_back, miss
from cm.publishing.recovery import abandon, recover
from cm.publishing.results import RunResult
from cm.store import tick

log = logging.getLogger("cm.publishing")

THREADS = 8
STAMP = "stamp"
TICK = timedelta(minutes=1)
MENDED = timedelta(minutes=5)
"""So often an adapter that cannot be had is asked for again."""

FLOORS = Timings(timedelta(seconds=60), timedelta(seconds=180), timedelta(seconds=120), (timedelta(minutes=1),), 5)
"""Shorter timings are taken for simulated accounts and for servers on this machine only."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def timings_for(env: Env, work: Work) -> Timings:
    """The configured timings; an account on a real network gets at least the floors."""
    wanted = env.config.publishing
    found = Timings(
        timedelta(seconds=wanted.send_deadline),
        timedelta(seconds=wanted.lease),
        timedelta(seconds=wanted.settle),
        tuple(timedelta(seconds=wait) for wait in wanted.backoff),
        wanted.attempts,
    )
    if work.local or work.identity.host.rsplit(":", 1)[0].strip("[]") in LOOPBACK:
        return found
    return Timings(
        max(found.send_deadline, FLOORS.send_deadline),
        max(found.lease, FLOORS.lease),
        max(found.settle, FLOORS.settle),
        tuple(max(wait, FLOORS.backoff[0]) for wait in found.backoff),
        found.attempts,
    )


def publish(env: Env, adapter_of: Callable[[str], Adapter], stamp: str, *, ticking: bool = False) -> RunResult:
    """Publish what is due now.

    `adapter_of` gives a channel's adapter or raises CmError; `stamp` is that of the configuration as read;
    `ticking`: the clock is being set on minute by minute, so that no run is late (see `backlog.settle`).
    Trouble of one account is told in the result and stops no other.
    """
    result = RunResult()
    _notice_configuration(env, stamp)
    wrong_clock.mend(env)
    holds.notice_outside(env, result)
    adapters = _adapters(env, adapter_of, result)
    works = _works(env, adapters, result) if adapters else []
    untold = ownership.refused(env, works)  # a database that was put back does not know what became of its posts
    hold_back(env, result, but=untold)
    miss(env, result, but=untold)
    if not ticking and backlog.silence(env):
        _recover(env, works)
    backlog.settle(env, result, but=untold, ticking=ticking)  # the last word before anything is sent
    with ThreadPoolExecutor(THREADS, thread_name_prefix="cm-account") as pool:
        jobs = [pool.submit(AccountWorker(env, work, timings_for(env, work), result).run) for work in works]
    for job in jobs:
        job.result()
    holds.notice_outside(env, result)
    return result


def _recover(env: Env, works: Sequence[Work]) -> None:
    """What a worker had taken that died before the silence is overdue like the rest."""
    for work in works:
        lock = ownership.lock_of(env, work)
        if not lock.acquire():
            continue
        try:
            with suppress(CmError):  # its own worker meets the same trouble and tells it
                ownership.require_ours(env, work, lock)
                recover(env, work, timings_for(env, work))
        finally:
            lock.release()


def replay(
    env: Env, clock: SettableClock, adapter_of: Callable[[str], Adapter], stamp: str, end: datetime
) -> Iterator[RunResult]:
    """Run `publish` at every instant from the clock's time to `end` (excluded) at which something is due.

    Simulated channels only. Raises Refused if a channel is not simulated.
    """
    real = sorted(set(env.config.channels) - env.simulated)
    if real:
        raise Refused(
            _("A replay is for simulated channels; {names} would really publish.").format(names=", ".join(real)),
            hint=_("Use a workspace whose channels all run on the sandbox."),
        )
    while (due := _next_due(env)) is not None and max(due, clock.now()) < end:
        clock.set(max(due, clock.now()))
        yield publish(env, adapter_of, stamp, ticking=True)
        clock.advance(TICK if (_next_due(env) or end) <= clock.now() else timedelta())
    tick.beat(str(env.root), end.timestamp())  # every minute of the span was looked at


def _next_due(env: Env) -> datetime | None:
    with env.store.read() as session:
        return session.exec(select(sa.func.min(col(Post.wake_at)))).one()


def _notice_configuration(env: Env, stamp: str) -> None:
    """A changed configuration wakes every scheduled post: what the gate refused may be allowed now."""
    with env.store.read() as session:
        known = session.get(Meta, STAMP)
    if known is not None and known.value == stamp:
        return
    with env.store.write() as session:
        session.merge(Meta(key=STAMP, value=stamp))
        accounts.wake_scheduled(session)


def _adapters(env: Env, adapter_of: Callable[[str], Adapter], result: RunResult) -> dict[str, Adapter]:
    """The adapters of the channels with something due; the others' posts are told why they wait."""
    found = {}
    for name in _busy(env):
        try:
            found[name] = adapter_of(name)
        except CmError as error:
            configured = env.config.channels.get(name)
            refused = Refusal("refused", error.message)
            if configured and configured.state == "active":
                result.fail(name, error)
                refused = Refusal("waits", error.message, env.now + MENDED)
            elif configured:
                refused = not_active(configured.state, configured.successor)
            _sleep(env, name, refused, result)
        except Exception as error:
            log.exception("bug", extra={"channel": name})
            result.bug(name, type(error).__name__)
    return found


def _works(env: Env, adapters: dict[str, Adapter], result: RunResult) -> list[Work]:
    """The accounts to be worked; channels that are one account with another are told, and stop no others."""
    works, doubled = accounts.ensure_each(env, adapters)
    for name, error in doubled.items():
        result.fail(name, error)
    return works


def _busy(env: Env) -> list[str]:
    with env.store.read() as session:
        due = select(Post.channel).where(col(Post.wake_at) <= env.now).distinct().order_by(Post.channel)
        return list(session.exec(due))


def _sleep(env: Env, channel: str, refused: Refusal, result: RunResult) -> None:
    """Posts of a channel that nothing can speak to: they wait for a change, at the longest for their last moment.

    What was being sent there cannot be asked about; where the channel is not mended, a person must look.
    """
    now, last = env.now, 0
    with env.store.write() as session:
        while waiting := _waiting(session, channel, now, last):
            last = waiting[-1].id or last
            for dossier in dossiers(session, waiting):
                if dossier.post.state is PostState.PUBLISHING:
                    abandon(session, env, dossier, FLOORS, refused, result)
                else:
                    put_to_sleep(session, env, dossier, refused, result)


def _waiting(session: Session, channel: str, now: datetime, after: int) -> Sequence[Post]:
    due = select(Post).where(
        Post.channel == channel,
        col(Post.state).in_([PostState.SCHEDULED, PostState.PUBLISHING]),
        col(Post.wake_at) <= now,
        col(Post.id) > after,
    )
    return session.exec(due.order_by(col(Post.id)).limit(BATCH)).all()
