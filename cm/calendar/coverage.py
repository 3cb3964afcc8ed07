"""Coverage: which weekday and hour of a channel hold posts, which slots stay empty, and what sorts of post there are.

The matrix is pure. A post stands in a slot if it is planned for the slot's very instant; all others are counted
beside the matrix, so that cells and `other` add up to the planned posts. Planned is what counts for the cadence by
its state (scheduled, or has left or may have), inside the quota or not.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.overview import holidays_of, shown_channels
from cm.calendar.sql import POST
from cm.clock import resolve
from cm.config import ALL_WEEK, Schedule
from cm.env import Env
from cm.errors import UsageError
from cm.i18n import _
from cm.model.states import COUNTED

LONGEST = 366
"""Days that may be asked for at once."""


@dataclass(frozen=True)
class Planned:
    """A planned post as the matrix sees it: its instant (UTC) and the local day of its plan."""

    at: datetime
    day: date
    kind: str


@dataclass(frozen=True)
class SlotCell:
    """A weekly slot over the period: posts planned in it, and how often it stays empty. `weekday` 0 is Monday."""

    weekday: int
    time: time
    planned: int
    open: int


@dataclass(frozen=True)
class ChannelCoverage:
    """A channel over the period. `other`: posts at no slot, by weekday; `empty`: local times of slots without post.

    `planned` is the sum of all cells and of `other`. `kinds`: posts by kind, the most frequent first.
    """

    channel: str
    cells: tuple[SlotCell, ...]
    other: Mapping[int, int]
    kinds: Mapping[str, int]
    empty: tuple[datetime, ...]
    days: int

    @property
    def planned(self) -> int:
        """All planned posts of the period."""
        return sum(cell.planned for cell in self.cells) + sum(self.other.values())

    @property
    def slots(self) -> tuple[time, ...]:
        """The times that any weekday has, in order."""
        return tuple(sorted({cell.time for cell in self.cells}))

    def as_json(self) -> dict[str, Any]:
        """One item of `calendar coverage`; `per_day` is the mean number of posts, `share` is of 1."""
        return {
            "channel": self.channel,
            "slots": [f"{slot:%H:%M}" for slot in self.slots],
            "cells": [
                {"weekday": ALL_WEEK[c.weekday], "time": f"{c.time:%H:%M}", "planned": c.planned, "open": c.open}
                for c in self.cells
            ],
            "other": sum(self.other.values()),
            "other_by_weekday": {ALL_WEEK[weekday]: posts for weekday, posts in sorted(self.other.items())},
            "planned": self.planned,
            "per_day": round(self.planned / self.days, 4),
            "kinds": {
                kind: {"posts": posts, "share": round(posts / self.planned, 4)} for kind, posts in self.kinds.items()
            },
            "empty": [wall.isoformat(timespec="minutes") for wall in self.empty],
        }


@dataclass
class _Tally:
    """The cells of a channel while they are filled."""

    planned: Counter[tuple[int, time]] = field(default_factory=Counter)
    open: Counter[tuple[int, time]] = field(default_factory=Counter)
    empty: list[datetime] = field(default_factory=list)


def cover(
    channel: str, schedule: Schedule, posts: Sequence[Planned], *, days: Sequence[date], zone: ZoneInfo
) -> ChannelCoverage:
    """The channel's matrix over `days` (without gaps, in order). Pure."""
    standing = Counter(post.at for post in posts)
    tally, slots = _Tally(), set()
    for cell, wall, instant in _occurrences(schedule, days, zone):
        slots.add(instant)
        tally.planned[cell] += standing[instant]
        tally.open[cell] += not standing[instant]
        if not standing[instant]:
            tally.empty.append(wall)
    cells = (SlotCell(*cell, tally.planned[cell], tally.open[cell]) for cell in sorted(tally.planned))
    other = Counter(post.day.weekday() for post in posts if post.at not in slots)
    kinds = Counter(post.kind for post in posts)
    ordered = dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
    return ChannelCoverage(channel, tuple(cells), other, ordered, tuple(sorted(tally.empty)), len(days))


def _occurrences(
    schedule: Schedule, days: Iterable[date], zone: ZoneInfo
) -> Iterator[tuple[tuple[int, time], datetime, datetime]]:
    """Every slot of those days: its cell, its wall time, its instant; two that a clock change makes one come once."""
    seen = set()
    for day in days:
        for moment in schedule.times(day):
            slot = resolve(datetime.combine(day, moment), zone)
            if slot.instant not in seen:
                seen.add(slot.instant)
                yield (day.weekday(), moment), slot.wall, slot.instant


@dataclass(frozen=True)
class Coverage:
    """The coverage of a period, both ends included; `now` is local, without zone, as the empty slots are."""

    now: datetime
    start: date
    end: date
    channels: tuple[ChannelCoverage, ...]
    holidays: Mapping[date, str]

    def as_json(self) -> dict[str, Any]:
        """The shape of `calendar coverage`."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "holidays": {day.isoformat(): name for day, name in self.holidays.items()},
            "channels": [channel.as_json() for channel in self.channels],
        }


def coverage(env: Env, start: date, end: date, channel: str | None = None) -> Coverage:
    """The matrix of one channel or of all active ones, for local days from `start` to `end`, both included.

    Raises NotFound (channel), UsageError (`end` before `start`, more than a year).
    """
    if not 0 <= (end - start).days < LONGEST:
        raise UsageError(_("The days run from the first to the last, at most a year."))
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    names = shown_channels(env.config, channel)
    with env.store.read() as session:
        posts = _planned(session, names, start, end)
    covered = (cover(name, env.config.schedule_of(name), posts[name], days=days, zone=env.zone) for name in names)
    now = env.now.astimezone(env.zone).replace(tzinfo=None)
    return Coverage(now, start, end, tuple(covered), holidays_of(env.config, days))


def _planned(session: Session, names: Sequence[str], start: date, end: date) -> dict[str, list[Planned]]:
    statement = sa.select(POST.c.channel, POST.c.scheduled_at, POST.c.day, POST.c.kind).where(
        POST.c.channel.in_(names), POST.c.day.between(start, end), POST.c.state.in_(COUNTED)
    )
    posts: dict[str, list[Planned]] = {name: [] for name in names}
    for row in session.execute(statement):
        posts[row.channel].append(Planned(row.scheduled_at, row.day, row.kind))
    return posts
