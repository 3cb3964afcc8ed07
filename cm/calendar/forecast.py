"""What is to come: the first day of each channel that holds fewer posts than its cadence asks for."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import POST
from cm.clock import local_day
from cm.config import Cadence
from cm.env import Env
from cm.model.facts import DayCount
from cm.model.states import COUNTED

HORIZON_DAYS = 60
"""So many days are looked at, from tomorrow on."""

Totals = Mapping[tuple[str, date], int]
"""Posts that count, by channel and local day; absent means none."""


def totals(session: Session, channels: Sequence[str], first: date, last: date) -> Totals:
    """How many posts of these channels count for each local day, both ends included."""
    statement = (
        sa.select(POST.c.channel, POST.c.day, sa.func.count().label("posts"))
        .where(
            POST.c.channel.in_(channels),
            POST.c.day.between(first, last),
            POST.c.state.in_(COUNTED),
            POST.c.in_quota.is_(True),
        )
        .group_by(POST.c.channel, POST.c.day)
    )
    return {(row.channel, row.day): row.posts for row in session.execute(statement)}


def counts_on(found: Totals, day: date, cadences: Mapping[str, Cadence]) -> list[DayCount]:
    """One count for each channel of `cadences` on that day. Pure."""
    return [
        DayCount(day, channel, found.get((channel, day), 0), bounds.min, bounds.max)
        for channel, cadence in cadences.items()
        for bounds in [cadence.on(day)]
    ]


def first_short(found: Totals, days: Sequence[date], cadences: Mapping[str, Cadence]) -> dict[str, date | None]:
    """The first of `days` that is short, by channel; None if none is. Pure."""
    return {
        channel: next((day for day in days if found.get((channel, day), 0) < cadence.on(day).min), None)
        for channel, cadence in cadences.items()
    }


def coming_days(env: Env) -> list[date]:
    """The local days that a forecast looks at: tomorrow and so on. Today may still be filled."""
    today = local_day(env.now, env.zone)
    return [today + timedelta(days=n) for n in range(1, HORIZON_DAYS + 1)]


def next_gaps(session: Session, env: Env, channels: Sequence[str]) -> dict[str, date | None]:
    """The first coming day below the quota, by channel; None: all of the horizon is planned."""
    days = coming_days(env)
    cadences = {name: env.config.cadence_of(name) for name in channels}
    return first_short(totals(session, channels, days[0], days[-1]), days, cadences)
