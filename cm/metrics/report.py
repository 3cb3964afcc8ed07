"""The weekly report: one view of the database is read, then everything is put together by pure functions.

Nothing in it depends on when it is made, except which week is meant when none is named and whether the
cut-off has been reached: the same database and configuration give the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time

from sqlmodel import Session

from cm.calendar.cadence import day_counts
from cm.clock import Week, local_day, resolve, week_of
from cm.config import Cadence
from cm.env import Env
from cm.errors import UsageError
from cm.i18n import _
from cm.metrics import queries
from cm.metrics.assemble import Json, assemble
from cm.metrics.rows import ChannelWeek, Period, PostRow, ReportFacts, WeekFacts
from cm.model.facts import DayCount

CUT_OFF = time(8, 0)
"""Local time, on the Monday after the week, up to which snapshots count."""

YEARS = range(1970, 9000)
"""Weeks of other years have neighbours that no calendar holds."""


def week_report(env: Env, week: Week | None = None) -> Json:
    """The report of an ISO week (default: the last complete one), in the shape of `report week --json`.

    Rates are ratios (0.0153), times ISO 8601 with offset; unknown is None, never 0. Raises UsageError
    for a week outside the years 1970 to 8999.
    """
    chosen = week or last_complete_week(env)
    if chosen.year not in YEARS:
        raise UsageError(
            _("There is no report for {week}.").format(week=chosen), hint=_("Name a week such as 2026-W48.")
        )
    return assemble(read_facts(env, chosen))


def last_complete_week(env: Env) -> Week:
    """The ISO week before the one in which the present instant falls, in the workspace's zone."""
    return week_of(local_day(env.now, env.zone)).shift(-1)


def period_of(env: Env, week: Week) -> Period:
    """The week's instants: `[Monday 00:00, next Monday 00:00)` and the next Monday's 08:00, local."""
    start, end = week.bounds(env.zone)
    cut_off = resolve(datetime.combine(week.shift(1).monday, CUT_OFF), env.zone).instant
    return Period(str(week), week.days[0], week.days[-1], start, end, cut_off)


def read_facts(env: Env, week: Week) -> ReportFacts:
    """All that the report needs, from one consistent view of the database."""
    after = week.shift(1)
    with env.store.read() as session:
        named = _named(env, queries.channels(session))
        this = _read_week(session, env, week, named)
        counts = queries.followers_by_instant(session, named, this.period.start, this.period.end)
        before = _read_week(session, env, week.shift(-1), named)
        next_days = _read_days(session, env, after, named)
    shown = [name for name in named if _is_shown(env, this.channels[name], next_days[name])]
    return ReportFacts(
        establishment_key=env.config.establishment.key,
        establishment_name=env.config.establishment.name,
        zone=env.zone,
        audience_labels=env.config.all_audiences,
        this=WeekFacts(
            this.period, {name: replace(this.channels[name], counts=tuple(counts.get(name, ()))) for name in shown}
        ),
        before=before,
        next_week=str(after),
        next_days=next_days,
        objectives={key: objective.label for key, objective in env.config.objectives.items()},
        closed=env.now >= this.period.cut_off,
    )


def _named(env: Env, known: Mapping[str, tuple[str, bool]]) -> dict[str, tuple[str, bool]]:
    """Channels of configuration and database (one taken out of the former keeps its past): platform, simulated."""
    configured = {name: (channel.platform, name in env.simulated) for name, channel in env.config.channels.items()}
    return dict(sorted({**known, **configured}.items()))


def _is_shown(env: Env, channel: ChannelWeek, next_days: Sequence[DayCount]) -> bool:
    configured = env.config.channels.get(channel.name)
    active = configured is not None and configured.state == "active"
    return active or bool(channel.posts) or bool(channel.withdrawn) or any(day.count for day in next_days)


def _read_week(session: Session, env: Env, week: Week, named: Mapping[str, tuple[str, bool]]) -> WeekFacts:
    period = period_of(env, week)
    withdrawn = queries.withdrawn(session, named, period.start, period.end)
    posts = _by_channel(queries.planned_posts(session, named, period.first, period.last, period.cut_off))
    days = _read_days(session, env, week, named)
    channels = {
        name: ChannelWeek(
            name=name,
            platform=platform,
            audiences=env.config.channels[name].audiences if name in env.config.channels else (),
            simulated=simulated,
            posts=tuple(posts.get(name, ())),
            days=days[name],
            start=queries.followers_at_start(session, name, period.start),
            end=queries.followers_at_end(session, name, period.start, period.cut_off),
            withdrawn=tuple(withdrawn.get(name, ())),
        )
        for name, (platform, simulated) in named.items()
    }
    return WeekFacts(period, channels)


def _by_channel(posts: Iterable[PostRow]) -> dict[str, list[PostRow]]:
    grouped: dict[str, list[PostRow]] = {}
    for post in posts:
        grouped.setdefault(post.channel, []).append(post)
    return grouped


def _read_days(session: Session, env: Env, week: Week, names: Iterable[str]) -> dict[str, tuple[DayCount, ...]]:
    cadences = {name: _cadence(env, name) for name in names}
    posts = queries.plan(session, cadences, week.days[0], week.days[-1])
    counted = day_counts(posts, days=week.days, cadences=cadences)
    return {name: tuple(day for day in counted if day.channel == name) for name in cadences}


def _cadence(env: Env, channel: str) -> Cadence:
    return env.config.cadence_of(channel) if channel in env.config.channels else env.config.cadence
