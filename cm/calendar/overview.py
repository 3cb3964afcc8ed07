"""The calendar at a glance: days that are short or over, and a week as a grid of days × channels."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.cadence import Counted, cadence_findings, day_counts
from cm.calendar.drafting import unknown_channel
from cm.calendar.forecast import HORIZON_DAYS, next_gaps
from cm.calendar.posts import filtered
from cm.calendar.sql import POST
from cm.clock import Week
from cm.config import Config
from cm.env import Env
from cm.errors import UsageError
from cm.i18n import _
from cm.model.facts import DayCount, Finding
from cm.model.ids import post_id
from cm.model.states import PostState

OPENING = 160
"""Characters of a text that a grid may show."""
LONGEST = 3660
"""Days that may be asked for at once."""


@dataclass(frozen=True)
class Gaps:
    """Counts by day and channel, and one finding for each day that is short or over.

    `next_gap`: each channel's first coming day below its quota, None if there is none in the next `HORIZON_DAYS`.
    """

    days: tuple[DayCount, ...]
    findings: tuple[Finding, ...]
    next_gap: Mapping[str, date | None]
    holidays: Mapping[date, str]

    def as_json(self) -> dict[str, Any]:
        """The shape of `calendar gaps`."""
        return {
            "days": [_day_json(day, self.holidays) for day in self.days],
            "findings": [finding.as_json() for finding in self.findings],
            "next_gap": {name: day.isoformat() if day else None for name, day in self.next_gap.items()},
            "horizon_days": HORIZON_DAYS,
        }


def _day_json(day: DayCount, holidays: Mapping[date, str]) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "channel": day.channel,
        "count": day.count,
        "min": day.min,
        "max": day.max,
        "status": day.status,
        "holiday": holidays.get(day.day),
    }


def holidays_of(config: Config, days: Iterable[date]) -> dict[date, str]:
    """Those of `days` that are public holidays, with their names in the language spoken."""
    kept = config.days_off
    return {day: name for day in days if kept and (name := kept.name(day))}


def gaps(env: Env, start: date, end: date, channel: str | None = None) -> Gaps:
    """Local days from `start` to `end`, both included, on one channel or on all active ones.

    Raises NotFound (channel), UsageError (`end` before `start`, more than ten years).
    """
    if not 0 <= (end - start).days < LONGEST:
        raise UsageError(_("The days run from the first to the last, at most ten years."))
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    channels = shown_channels(env.config, channel)
    with env.store.read() as session:
        counted = _counted(session, env, days, channels)
        ahead = next_gaps(session, env, channels)
    return Gaps(tuple(counted), cadence_findings(counted), ahead, holidays_of(env.config, days))


def shown_channels(config: Config, channel: str | None) -> list[str]:
    """That channel, or every active one, in the configuration's order. Raises NotFound."""
    if channel is None:
        return [name for name, facts in config.channels.items() if facts.state == "active"]
    if channel not in config.channels:
        raise unknown_channel(config, channel)
    return [channel]


def _counted(session: Session, env: Env, days: Sequence[date], channels: Sequence[str]) -> list[DayCount]:
    statement = sa.select(POST.c.channel, POST.c.day, POST.c.state, POST.c.in_quota).where(
        POST.c.channel.in_(channels), POST.c.day.between(days[0], days[-1])
    )
    posts = (Counted(row.channel, row.day, row.state, row.in_quota) for row in session.execute(statement))
    return day_counts(posts, days=days, cadences={name: env.config.cadence_of(name) for name in channels})


# --- a week -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GridPost:
    """A post in a cell. `time` is local, `HH:MM`; `text` is how it begins, on one line, as people wrote it."""

    id: str
    ref: str | None
    time: str
    state: PostState
    kind: str
    text: str
    overdue: bool
    example: bool


@dataclass(frozen=True)
class Cell:
    """A channel on a day: its posts by time, and how many of them count."""

    count: DayCount
    posts: tuple[GridPost, ...]


@dataclass(frozen=True)
class WeekGrid:
    """A week of channels; there is a cell for each (day, channel).

    `forgotten`: posts by channel that has left the configuration, which has no cells.
    """

    week: Week
    days: tuple[date, ...]
    channels: tuple[str, ...]
    cells: Mapping[tuple[date, str], Cell]
    holidays: Mapping[date, str]
    forgotten: Mapping[str, int]


def grid(env: Env, week: Week, channel: str | None = None, audience: str | None = None) -> WeekGrid:
    """The week's posts but for cancelled ones, on one channel or on all active ones and those that have posts.

    `audience` leaves out posts for others; counts are of all posts. Raises NotFound, UsageError.
    """
    chosen = filtered(env.config, channel=channel, audience=audience, week=week)
    with env.store.read() as session:
        posts = _week_posts(session, chosen)
        channels = shown_channels(env.config, channel)
        channels += sorted({row.channel for row in posts} & env.config.channels.keys() - set(channels))
        counted = _counted(session, env, week.days, channels)
    found: dict[tuple[date, str], list[GridPost]] = defaultdict(list)
    for row in posts:
        found[row.day, row.channel].append(_grid_post(row, env.now))
    cells = {(count.day, count.channel): Cell(count, tuple(found[count.day, count.channel])) for count in counted}
    forgotten = Counter(row.channel for row in posts if row.channel not in env.config.channels)
    return WeekGrid(week, week.days, tuple(channels), cells, holidays_of(env.config, week.days), forgotten)


def _week_posts(session: Session, chosen: sa.Select[Any]) -> Sequence[Any]:
    columns = ("id", "ref", "channel", "state", "scheduled_at", "wall", "day", "kind", "example")
    statement = (
        sa.select(*(POST.c[name] for name in columns), sa.func.substr(POST.c.text, 1, 4 * OPENING).label("opening"))
        .where(POST.c.id.in_(chosen), POST.c.state != PostState.CANCELLED)
        .order_by(POST.c.scheduled_at, POST.c.id)
    )
    return session.execute(statement).all()


def _grid_post(row: Any, now: datetime) -> GridPost:
    return GridPost(
        id=post_id(row.id),
        ref=row.ref,
        time=datetime.fromisoformat(row.wall).strftime("%H:%M"),
        state=row.state,
        kind=row.kind,
        text=" ".join(row.opening.split())[:OPENING],
        overdue=row.state == PostState.SCHEDULED and row.scheduled_at <= now,
        example=row.example,
    )
