"""More is overdue than should go out at once: after a silence, or because a day's plan has heaped up.

Looked at in each run before anything is sent, in one transaction; then the run is written down as the last one.
The rules are in `overdue`.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.clock import local_day
from cm.env import Env
from cm.formats import plural
from cm.i18n import _
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Post
from cm.publishing import accounts, overdue
from cm.publishing.journal import Dossier, dossiers
from cm.publishing.late import give_up, grace_end
from cm.publishing.overdue import Overdue, Rest
from cm.publishing.results import RunResult
from cm.store import tick

log = logging.getLogger("cm.publishing")

KIND: Final = "backlog"


@dataclass(frozen=True)
class _Heap:
    """A channel with something overdue, and how it stands."""

    channel: Channel
    account: Account
    most: int

    @property
    def rest(self) -> Rest:
        return rest_of(self.account)


def rest_of(account: Account) -> Rest:
    """The account's pause as the rules see it."""
    return Rest(account.pause_kind, account.paused_at, account.paused_until)


def last_run(env: Env) -> datetime | None:
    """When the engine was last here; None if never."""
    beat = tick.last_beat(env.root)
    return datetime.fromtimestamp(beat, UTC) if beat is not None else None


def silence(env: Env) -> bool:
    """True if the engine was away for longer than a minute's rhythm explains; never at its first run."""
    return overdue.silent(last_run(env), env.now)


def settle(env: Env, result: RunResult, *, but: Collection[str] = (), ticking: bool = False) -> None:
    """Apply the rules to every channel, and write this run down as the last one.

    `but`: channels that are left alone; `ticking`: the clock was set on by whoever runs the engine, minute by minute:
    no silence.
    """
    with env.store.read() as session:
        concerned = [heap.channel.name for heap, _reason in _concerned(session, env, but, ticking)]
    if concerned:
        with env.store.write() as session:
            for heap, reason in _concerned(session, env, but, ticking):
                _settle(session, env, heap, reason, result)
        log.info("marked", extra={"channels": concerned})
    tick.beat(str(env.root), env.now.timestamp())


def _concerned(session: Session, env: Env, but: Collection[str], ticking: bool) -> list[tuple[_Heap, str | None]]:
    """Channels that were silent (with what is said of that), or that may be flooded (None)."""
    counted = sa.func.count(col(Post.id))
    heaps = (
        select(Channel, Account, counted)
        .join(Account, col(Account.id) == col(Channel.account_id))
        .join(Post, col(Post.channel) == col(Channel.name))
        .where(col(Post.state) == PostState.SCHEDULED, col(Post.scheduled_at) <= env.now)
        .group_by(col(Channel.name))
    )
    found = []
    for channel, account, n in session.exec(heaps).all():
        configured = env.config.channels.get(channel.name)
        if configured is None or not configured.backlog or channel.name in but:
            continue
        most = _most(env, channel.name, n)
        heap = _Heap(channel, account, most)
        reason = None if n < 2 else _silence(env, heap, ticking)
        if reason or n > most:
            found.append((heap, reason))
    return found


def _most(env: Env, channel: str, n: int) -> int:
    """How many posts today may hold. Where `n` are too few for any day that is not asked: public holidays cost a tenth
    of a second."""
    cadence = env.config.cadence_of(channel)
    days = [cadence, *cadence.weekdays.values(), *([cadence.holidays] if cadence.holidays else [])]
    least = min(bounds.max for bounds in days)
    return least if n <= least else cadence.on(local_day(env.now, env.zone)).max


def _silence(env: Env, heap: _Heap, ticking: bool) -> str | None:
    """What is said of posts that a silence of this channel left behind; None if there was none."""
    last, allowed = last_run(env), heap.channel.backlog_from
    if not ticking and overdue.silent(last, env.now) and not (last and allowed and allowed > last):
        return _("cm publish did not run for more than 10 minutes; only the newest overdue post goes out")
    if overdue.cut_off(heap.rest, env.now):
        return _("the platform was out of reach for more than 10 minutes; only the newest overdue post goes out")
    return None


def _settle(session: Session, env: Env, heap: _Heap, reason: str | None, result: RunResult) -> None:
    """One channel: it stops in a flood; after a silence only its newest overdue post is left."""
    waiting = in_grace(session, env, heap.channel.name)
    allowed = heap.channel.backlog_from
    heaped = [post for post, _dossier in waiting if allowed is None or post.due > allowed]  # resumed: released
    if overdue.flooded(heaped, heap.most):
        _stop(session, env, heap, len(heaped), result)
    elif reason:
        by_id = {post.id: dossier for post, dossier in waiting}
        for post in overdue.left_behind([post for post, _dossier in waiting]):
            give_up(session, env, by_id[post.id], result, reason)


def _stop(session: Session, env: Env, heap: _Heap, n: int, result: RunResult) -> None:
    """Nothing goes out before a person has looked; a channel that is stopped already stays so for its own reason."""
    if heap.rest.lasts(env.now) and heap.account.paused_until is None:
        return
    said = plural("{n} post is overdue at once", "{n} posts are overdue at once", n)
    reason = _("{posts}, more than a day may hold ({most})").format(posts=said, most=heap.most)
    assert heap.account.id is not None
    accounts.pause(session, heap.account.id, env.now, None, reason, kind=KIND)
    result.stop(heap.channel.name, reason, KIND)


def in_grace(session: Session, env: Env, channel: str) -> list[tuple[Overdue, Dossier]]:
    """The channel's overdue posts that may still begin, in order; one that has begun is no longer waiting."""
    due = select(Post).where(
        Post.channel == channel, col(Post.state) == PostState.SCHEDULED, col(Post.scheduled_at) <= env.now
    )
    posts: Sequence[Post] = session.exec(due.order_by(col(Post.scheduled_at), col(Post.id))).all()
    fresh = [post for post in posts if env.now <= grace_end(env, post)]
    return [(_overdue(dossier.post), dossier) for dossier in dossiers(session, fresh) if not dossier.begun]


def _overdue(post: Post) -> Overdue:
    assert post.id is not None
    assert post.scheduled_at is not None
    return Overdue(post.id, post.scheduled_at, post.urgent, post.crisis)
