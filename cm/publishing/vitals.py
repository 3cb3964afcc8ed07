"""The facts that `cm doctor` judges, as far as they stand in the database and beside it; read in one transaction.

With `online` each platform is asked who we are there, as `cm channel check` does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import ATTEMPT, CHANNEL, MESSAGE, POST
from cm.channels.port import Adapter, AuthFailed, ChannelError
from cm.env import Env
from cm.errors import CmError, WorkspaceError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.publishing import accounts, holds, ownership
from cm.publishing.account_lock import AccountLock, Standing, require
from cm.publishing.accounts import Work
from cm.publishing.deadline import DeadlinePassed, within
from cm.publishing.health import RECOVERED_IN
from cm.publishing.health_posts import ChannelFacts, Held, OpenAttempt, PostFacts, Rest, Sort, StateFile
from cm.publishing.results import Stopped
from cm.publishing.standing import ACCOUNT, corrections_in_doubt

KEPT = 4
"""Ids of one sort that are read."""
_MENDS = {"send": "cm publish", "delete": "cm post takedown {}", "edit": "cm post correct {}"}
"""What settles an attempt that a dead process left open, by its action."""
ANSWER_SECONDS = 30.0
"""Longest wait for one platform."""


@dataclass(frozen=True)
class Vitals:
    """Everything of the database. `ahead`: see `cm.publishing.health.ClockFacts`."""

    posts: PostFacts
    rests: tuple[Rest, ...]
    holds: tuple[Held, ...]
    files: tuple[StateFile, ...]
    channels: tuple[ChannelFacts, ...]
    ahead: Mapping[str, float]


def vitals(env: Env, adapter_of: Callable[[str], Adapter], *, online: bool) -> Vitals:
    """Read it all; `online`: ask every platform first."""
    channels, works = _channels(env, adapter_of)
    if online:
        channels = [_asked(env, channel, works.get(channel.name)) for channel in channels]
    with env.store.read() as session:
        known = _known(session)
        return Vitals(
            posts=replace(_posts(session, env), open=tuple(_open(session, env, works))),
            rests=tuple(_rests(session, env)),
            holds=tuple(_holds(session, env)),
            files=tuple(_files(session, env, works)),
            channels=tuple(_remembered(channel, known.get(channel.name)) for channel in channels),
            ahead={name: ahead for name, row in known.items() if (ahead := _fact(row, "clock_ahead")) is not None},
        )


# --- channels ---------------------------------------------------------------------------------------------------------


def _channels(env: Env, adapter_of: Callable[[str], Adapter]) -> tuple[list[ChannelFacts], dict[str, Work]]:
    """The channels in use, and the accounts behind those whose adapter can be had."""
    facts, adapters = [], {}
    for name, channel in env.config.channels.items():
        if channel.state != "active":
            continue
        try:
            adapters[name] = adapter_of(name)
            facts.append(ChannelFacts(name))
        except CmError as error:
            facts.append(ChannelFacts(name, trouble=error.message, hint=error.hint))
    works = {name: work for name, adapter in adapters.items() if (work := _work(env, name, adapter))}
    local = {name for name, work in works.items() if work.local} | env.simulated
    return [replace(channel, local=channel.name in local) for channel in facts], works


def _work(env: Env, name: str, adapter: Adapter) -> Work | None:
    """The account as the database knows it; None before the first run."""
    identity = adapter.identity()
    same = (ACCOUNT.c.platform, ACCOUNT.c.host, ACCOUNT.c.handle)
    wanted = (identity.platform, identity.host, identity.handle)
    statement = sa.select(ACCOUNT.c.id).where(*(column == value for column, value in zip(same, wanted, strict=True)))
    with env.store.read() as session:
        known = session.execute(statement).scalar_one_or_none()
    return Work(known if known is not None else 0, identity, name, adapter)


def _asked(env: Env, channel: ChannelFacts, work: Work | None) -> ChannelFacts:
    """The channel with what its platform says now."""
    if work is None or channel.local:
        return channel
    try:
        work = accounts.ensure_all(env, {channel.name: work.adapter})[0]
        within(ANSWER_SECONDS, lambda: accounts.check(env, work))
    except AuthFailed as error:
        return replace(channel, answer="person", reason=error.reason)
    except ChannelError as error:
        return replace(channel, answer="network", reason=error.reason)
    except DeadlinePassed as error:
        return replace(channel, answer="network", reason=str(error))
    except WorkspaceError as error:
        return replace(channel, trouble=error.message, hint=error.hint)
    return replace(channel, answer="ok")


def _known(session: Session) -> dict[str, sa.Row[Any]]:
    """The account's row by channel."""
    statement = sa.select(CHANNEL.c.name, ACCOUNT).join_from(CHANNEL, ACCOUNT).where(CHANNEL.c.state == "active")
    return {row.name: row for row in session.execute(statement)}


def _remembered(channel: ChannelFacts, row: sa.Row[Any] | None) -> ChannelFacts:
    """The channel with what is known of it from the last check."""
    ends = _fact(row, "token_expires_at")
    return replace(
        channel,
        checked_at=row.checked_at if row is not None else None,
        token_ends=datetime.fromisoformat(ends) if ends else None,
        version_ends=_day((_fact(row, "limits") or {}).get("api_version_ends")),
    )


def _day(told: object) -> date | None:
    """A day that an adapter tells, if it is one."""
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        return None


def _fact(row: sa.Row[Any] | None, name: str) -> Any:
    return (row.facts or {}).get(name) if row is not None else None


# --- posts ------------------------------------------------------------------------------------------------------------


def _posts(session: Session, env: Env) -> PostFacts:
    late = env.now - RECOVERED_IN
    overdue = sa.and_(POST.c.state == PostState.SCHEDULED, POST.c.scheduled_at <= late)
    waking = POST.c.state.in_([PostState.SCHEDULED, PostState.PUBLISHING])
    return PostFacts(
        failed=_sort(session, POST.c.state == PostState.FAILED),
        unconfirmed=_sort(session, POST.c.state == PostState.UNCONFIRMED),
        missed=_sort(session, POST.c.state == PostState.MISSED),
        withdrawals=_sort(session, POST.c.withdrawal == "unconfirmed"),
        corrections=_sort(session, corrections_in_doubt()),
        unlooked=_sort(session, waking, POST.c.wake_at <= late),
        asleep=_sort(session, overdue, sa.or_(POST.c.wake_at.is_(None), POST.c.wake_at > late)),
    )


def _sort(session: Session, *where: sa.ColumnElement[bool]) -> Sort:
    count = session.execute(sa.select(sa.func.count()).select_from(POST).where(*where)).scalar_one()
    first = sa.select(POST.c.id).where(*where).order_by(POST.c.scheduled_at.desc(), POST.c.id).limit(KEPT)
    return Sort(count, tuple(post_id(number) for number in session.execute(first).scalars()))


def _open(session: Session, env: Env, works: Mapping[str, Work]) -> Iterator[OpenAttempt]:
    """Attempts that have not ended, and whether somebody alive is at them."""
    since = sa.func.coalesce(ATTEMPT.c.sending_at, ATTEMPT.c.started_at, type_=ATTEMPT.c.started_at.type)
    statement = (
        sa.select(
            POST.c.id, POST.c.wake_at, POST.c.channel, since.label("since"), ACCOUNT.c.state_file, ATTEMPT.c.action
        )
        .join_from(ATTEMPT, MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
        .join(POST, POST.c.id == MESSAGE.c.post_id)
        .join(ACCOUNT, ACCOUNT.c.id == ATTEMPT.c.account_id)
        .where(ATTEMPT.c.finished_at.is_(None))
        .order_by(ATTEMPT.c.id)
    )
    held: dict[str, bool] = {}
    for row in session.execute(statement):
        if row.channel not in held:
            held[row.channel] = _is_held(env, works.get(row.channel), row.state_file)
        number, looked_at = post_id(row.id), row.wake_at if row.action == "send" else None
        mend = _MENDS[row.action].format(number)
        yield OpenAttempt(number, row.channel, row.since, held[row.channel], looked_at, mend)


def _is_held(env: Env, work: Work | None, written: str | None) -> bool:
    """True if a living process has the account's lock; it is tried for a moment and given back."""
    path = ownership.lock_of(env, work).path if work else env.root / written if written else None
    if path is None or not path.with_suffix(".lock").exists():
        return False
    lock = AccountLock(path)
    if not lock.acquire():
        return True
    lock.release()
    return False


# --- holds, pauses, state files ---------------------------------------------------------------------------------------


def _rests(session: Session, env: Env) -> Iterator[Rest]:
    statement = (
        sa.select(CHANNEL.c.name, ACCOUNT)
        .join_from(CHANNEL, ACCOUNT)
        .where(
            CHANNEL.c.state == "active",
            ACCOUNT.c.paused_at.is_not(None),
            sa.or_(ACCOUNT.c.paused_until.is_(None), ACCOUNT.c.paused_until > env.now),
        )
        .order_by(CHANNEL.c.name)
    )
    for row in session.execute(statement):
        reason, kind = row.pause_reason or "", row.pause_kind or "auth"
        until = row.paused_until.astimezone(env.zone) if row.paused_until else None
        yield Rest(row.name, kind, until, reason, Stopped(row.name, reason, kind).mend)


def _holds(session: Session, env: Env) -> Iterator[Held]:
    for view in holds.read_active(session, env):
        yield Held(view.source, view.channels or (), view.since.astimezone(env.zone), view.reason or "")


def _files(session: Session, env: Env, works: Mapping[str, Work]) -> Iterator[StateFile]:
    """What a run would say of each account that has a row."""
    for name, work in works.items():
        if not work.account_id:
            continue
        lock = ownership.lock_of(env, work)
        try:
            found = ownership.standing_of(session, env, work, lock)
        except WorkspaceError as error:
            yield StateFile(name, str(lock.path), error.message, f"ls -l {lock.path}")
            continue
        yield _state_file(name, lock, found)


def _state_file(name: str, lock: AccountLock, found: Standing) -> StateFile:
    try:
        require(found, lock.path, name)
    except WorkspaceError as error:
        taken = found in (Standing.OTHER, Standing.REPLACED)
        mend = _("cm db adopt --reason TEXT, if this copy is to publish") if taken else f"cm db reconcile -c {name}"
        return StateFile(name, str(lock.path), error.message, mend)
    return StateFile(name, str(lock.path))
