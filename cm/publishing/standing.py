"""How things stand at this moment: all that `cm` alone tells, read in one transaction.

The number of statements is the same however many posts there are (a few for each account that publishes), and so is
the number of posts that are read: of each sort of trouble the newest few, and how many there are in all.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar import draftbox
from cm.calendar.channels import ChannelView, read_channels
from cm.calendar.forecast import Totals, coming_days, counts_on, first_short, totals
from cm.calendar.overview import shown_channels
from cm.calendar.sql import ATTEMPT, CHANNEL, MESSAGE, POST, RECEIPT
from cm.calendar.views import load_views
from cm.checks.rules import error_findings
from cm.clock import local_day
from cm.config import Config
from cm.env import Env
from cm.model.facts import DayCount
from cm.model.ids import post_id
from cm.model.states import Outcome, PostState
from cm.model.tables import Account
from cm.publishing.accounts import ENDED_BY_CHECK
from cm.publishing.endings import Ending, endings
from cm.publishing.holds import HoldView, read_active
from cm.publishing.journal import IN_DOUBT
from cm.publishing.refusals import Refusal, refusals
from cm.store import tick

KEPT = 3
"""Posts of one sort of trouble that are named."""
SHOWN_TODAY = 20
"""Posts of today that are read."""
CHECKED_DAYS = 3
"""Posts of today and of so many days after it are checked."""
CHECKED = 200
"""Posts that are checked at most, the next ones first."""
ON_TIME = timedelta(minutes=2)
"""Cron comes every minute: a post that is due for less than that is nobody's trouble yet."""
OPENING = 160
"""Characters of a text that are read."""

ACCOUNT: sa.Table = Account.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Glimpse:
    """A post in brief. `wall` is the plan's local time, `text` how it begins, on one line."""

    id: str
    channel: str
    state: PostState
    wall: datetime | None
    text: str
    reason: str | None = None
    waits_until: datetime | None = None
    """When the engine looks at it again by itself (UTC)."""
    rejected: bool = False
    """The platform or a rule refused these very words: another time does not mend that."""
    motive: str | None = None
    """Why it was taken down."""
    withdrawal: str | None = None
    """See `Post.withdrawal`."""
    by_hand: bool = False
    """It was taken down, and cm has never tried to delete it: a person must."""


@dataclass(frozen=True)
class Few:
    """The first of many posts, and how many there are."""

    posts: tuple[Glimpse, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Stop:
    """A channel at rest; `until` None: until a person acts."""

    channel: str
    since: datetime
    until: datetime | None
    reason: str
    kind: str | None = None
    """See `account.pause_kind`."""

    def as_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """`pause` of a channel; instants in that zone."""
        ends = self.until.astimezone(zone).isoformat() if self.until else None
        since = self.since.astimezone(zone).isoformat()
        return {"kind": self.kind, "reason": self.reason, "since": since, "until": ends}

    @property
    def command(self) -> str:
        """What ends it: another look at the platform, or a person's word."""
        verb = "check" if self.kind in ENDED_BY_CHECK else "resume"
        return f"cm channel {verb} {self.channel}"


@dataclass(frozen=True)
class Standing:
    """Everything that `cm` alone looks at.

    `troubled` by sort: a state's key, `overdue`, `held` (their time came under a hold), `withdrawal` (taken down, and
    nobody knows whether they are gone) or `correction` (corrected, and nobody knows what they say).
    """

    now: datetime
    today: date
    config: Config
    stops: tuple[Stop, ...]
    troubled: Mapping[str, Few]
    broken: Few
    """Posts of the next days with an error finding, which is their `reason`."""
    texts: tuple[Path, ...]
    """Unfinished texts, the newest first."""
    of_today: Few
    upcoming: Glimpse | None
    quotas: tuple[DayCount, ...]
    coming: Totals
    next_gap: Mapping[str, date | None]
    channels: tuple[ChannelView, ...]
    last_tick: datetime | None
    holds: tuple[HoldView, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    endings: tuple[Ending, ...] = ()
    """Logins that end within two weeks, or have."""


TROUBLED = (PostState.FAILED, PostState.UNCONFIRMED, PostState.MISSED, PostState.HANDED, PostState.DRAFT)


def standing(env: Env) -> Standing:
    """Read it all."""
    today = local_day(env.now, env.zone)
    active = shown_channels(env.config, None)
    cadences = {name: env.config.cadence_of(name) for name in active}
    with env.store.read() as session:
        held = read_active(session, env)
        stops = _stops(session, env)
        troubled = _troubled(session, env)
        broken = _broken(session, env, today)
        of_today, upcoming = _of_today(session, today), _upcoming(session, env)
        days = coming_days(env)
        counted = totals(session, active, today, days[-1])
        channels = read_channels(session, env)
        ending = tuple(each for each in endings(session, env) if each.step(env.now) is not None)
    return Standing(
        now=env.now.astimezone(env.zone),
        today=today,
        config=env.config,
        holds=tuple(held),
        refusals=refusals(env),
        endings=ending,
        stops=stops,
        troubled=troubled,
        broken=broken,
        texts=tuple(draftbox.waiting(env.root)),
        of_today=of_today,
        upcoming=upcoming,
        quotas=tuple(counts_on(counted, today, cadences)),
        coming=counted,
        next_gap=first_short(counted, days, cadences),
        channels=tuple(channels),
        last_tick=last_tick(env.root),
    )


def last_tick(root: Path) -> datetime | None:
    """When `cm publish` was last here (UTC); None if never."""
    beat = tick.last_beat(root)
    return datetime.fromtimestamp(beat, UTC) if beat is not None else None


def stops_of(env: Env) -> dict[str, Stop]:
    """The channels at rest, by name."""
    with env.store.read() as session:
        return {stop.channel: stop for stop in _stops(session, env)}


def _stops(session: Session, env: Env) -> tuple[Stop, ...]:
    """Channels of the configuration whose account rests."""
    statement = (
        sa.select(
            CHANNEL.c.name,
            ACCOUNT.c.paused_at,
            ACCOUNT.c.paused_until,
            ACCOUNT.c.pause_reason,
            ACCOUNT.c.pause_kind,
        )
        .join_from(CHANNEL, ACCOUNT)
        .where(
            ACCOUNT.c.paused_at.is_not(None),
            CHANNEL.c.state == "active",
            sa.or_(ACCOUNT.c.paused_until.is_(None), ACCOUNT.c.paused_until > env.now),
        )
        .order_by(ACCOUNT.c.paused_until.is_not(None), ACCOUNT.c.paused_at, CHANNEL.c.name)
    )
    return tuple(
        Stop(row.name, row.paused_at, row.paused_until, row.pause_reason or "", row.pause_kind)
        for row in session.execute(statement)
        if row.name in env.config.channels
    )


_COLUMNS = (
    POST.c.id,
    POST.c.channel,
    POST.c.state,
    POST.c.wall,
    POST.c.reason,
    POST.c.wake_at,
    POST.c.motive,
    POST.c.withdrawal,
    sa.func.substr(POST.c.text, 1, OPENING).label("opening"),
)


def _troubled(session: Session, env: Env) -> dict[str, Few]:
    """Posts that wait for a person, and scheduled ones whose time has passed: the newest of each sort first."""
    overdue = sa.and_(POST.c.state == PostState.SCHEDULED, POST.c.scheduled_at <= env.now - ON_TIME)
    held = sa.and_(POST.c.state.in_([PostState.MISSED, PostState.FAILED]), POST.c.held_by.is_not(None))
    withdrawal = POST.c.withdrawal == "unconfirmed"
    correction = corrections_in_doubt()
    sorts = (overdue, "overdue"), (held, "held"), (withdrawal, "withdrawal"), (correction, "correction")
    sort = sa.case(*sorts, else_=sa.cast(POST.c.state, sa.String)).label("sort")
    newest = POST.c.scheduled_at.desc(), POST.c.id.desc()
    ranked = (
        sa.select(
            *_COLUMNS,
            POST.c.updated_at,
            sort,
            _never_deleted(POST.c.id),
            sa.func.count().over(partition_by=sort).label("all"),
            sa.func.row_number().over(partition_by=sort, order_by=newest).label("place"),
        )
        .where(sa.or_(POST.c.state.in_(TROUBLED), overdue, withdrawal, correction))
        .subquery()
    )
    found: dict[str, list[Any]] = defaultdict(list)
    kept = sa.select(ranked, _rejected(ranked.c.id, ranked.c.updated_at)).where(ranked.c.place <= KEPT)
    for row in session.execute(kept.order_by(ranked.c.place)):
        found[row.sort].append(row)
    return {name: Few(tuple(map(_glimpse, rows)), rows[0].all) for name, rows in found.items()}


def _never_deleted(post: Any) -> Any:
    """Has no deletion of any message of the post that is not surely gone been tried?"""
    tried = (
        sa.select(ATTEMPT.c.id)
        .join(MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
        .join(RECEIPT, RECEIPT.c.message_id == MESSAGE.c.id)
        .where(MESSAGE.c.post_id == post, ATTEMPT.c.action == "delete", RECEIPT.c.gone_at.is_(None))
    )
    return sa.not_(sa.exists(tried)).label("by_hand")


def corrections_in_doubt() -> sa.ColumnElement[bool]:
    """SQL of posts that stand and of which nobody knows whether a correction arrived; each half by an index."""
    edited = (
        sa.select(MESSAGE.c.post_id)
        .join(ATTEMPT, ATTEMPT.c.message_id == MESSAGE.c.id)
        .where(ATTEMPT.c.action == "edit", ATTEMPT.c.sending_at.is_not(None))
    )
    doubts = edited.where(IN_DOUBT).union_all(edited.where(ATTEMPT.c.finished_at.is_(None)))
    return sa.and_(POST.c.withdrawal.is_(None), POST.c.id.in_(doubts))


def _rejected(post: Any, changed_at: Any) -> Any:
    """Was the last attempt of a post refused for good, and nothing of the post changed since?"""
    last = (
        sa.select(sa.and_(ATTEMPT.c.outcome == Outcome.REJECTED, ATTEMPT.c.started_at >= changed_at))
        .join(MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
        .where(MESSAGE.c.post_id == post)
        .order_by(ATTEMPT.c.id.desc())
        .limit(1)
    )
    return last.scalar_subquery().label("rejected")


def _glimpse(row: Any) -> Glimpse:
    return Glimpse(
        id=post_id(row.id),
        channel=row.channel,
        state=row.state,
        wall=datetime.fromisoformat(row.wall) if row.wall else None,
        text=" ".join(row.opening.split()),
        reason=row.reason,
        waits_until=row.wake_at,
        rejected=bool(getattr(row, "rejected", False)),
        motive=row.motive,
        withdrawal=row.withdrawal,
        by_hand=bool(getattr(row, "by_hand", False)),
    )


def _broken(session: Session, env: Env, today: date) -> Few:
    """Scheduled posts of the next days that the checks will not let out."""
    last = today + timedelta(days=CHECKED_DAYS)
    chosen = (
        sa.select(POST.c.id)
        .where(POST.c.state == PostState.SCHEDULED, POST.c.day.between(today - timedelta(days=1), last))
        .order_by(POST.c.scheduled_at, POST.c.id)
        .limit(CHECKED)
    )
    found = [(view, errors) for view in load_views(session, env, chosen) if (errors := error_findings(view.findings))]
    posts = (
        Glimpse(
            id=view.id,
            channel=view.channel,
            state=view.state,
            wall=datetime.fromisoformat(view.wall) if view.wall else None,
            text=" ".join(view.text[:OPENING].split()),
            reason=errors[0].reason,
        )
        for view, errors in found[:KEPT]
    )
    return Few(tuple(posts), len(found))


def _of_today(session: Session, today: date) -> Few:
    """Today's posts but for cancelled ones, by time; if there are many, those that are out leave first."""
    out = POST.c.state == PostState.PUBLISHED
    place = sa.func.row_number().over(order_by=(out, POST.c.scheduled_at, POST.c.id)).label("place")
    ranked = (
        sa.select(*_COLUMNS, POST.c.scheduled_at, place, sa.func.count().over().label("all"))
        .where(POST.c.day == today, POST.c.state != PostState.CANCELLED)
        .subquery()
    )
    statement = sa.select(ranked).where(ranked.c.place <= SHOWN_TODAY).order_by(ranked.c.scheduled_at, ranked.c.id)
    rows = session.execute(statement).all()
    return Few(tuple(map(_glimpse, rows)), rows[0].all if rows else 0)


def _upcoming(session: Session, env: Env) -> Glimpse | None:
    """The next post to go out."""
    statement = (
        sa.select(*_COLUMNS)
        .where(POST.c.state == PostState.SCHEDULED, POST.c.scheduled_at > env.now)
        .order_by(POST.c.scheduled_at, POST.c.id)
        .limit(1)
    )
    row = session.execute(statement).one_or_none()
    return _glimpse(row) if row else None
