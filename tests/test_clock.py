"""Local times, days and ISO weeks, above all on the two days when the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.clock import SettableClock, Week, local_day, parse_instant, parse_week, resolve, week_of
from cm.errors import UsageError

PARIS = ZoneInfo("Europe/Paris")
at = datetime.fromisoformat
walls = st.datetimes(at("2000-01-01"), at("2050-01-01")).map(lambda wall: wall.replace(second=0, microsecond=0))


def test_a_skipped_time_moves_by_the_gap():
    found = resolve(at("2027-03-28T02:30"), PARIS)
    assert (found.instant, found.wall.hour, found.note) == (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), 3, "gap")


def test_a_doubled_time_means_the_first():
    found = resolve(at("2026-10-25T02:30"), PARIS)
    assert (found.instant, found.note) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "fold")


@given(walls)
def test_a_resolved_time_is_what_the_wall_clock_shows(wall):
    found = resolve(wall, PARIS)
    assert found.instant.astimezone(PARIS).replace(tzinfo=None) == found.wall
    assert found.wall == (wall if found.note != "gap" else wall + timedelta(hours=1))


@given(st.dates(date(1980, 1, 1), date(2200, 12, 31)))
def test_every_day_is_in_its_week(day):
    week = week_of(day)
    assert day in week.days
    assert parse_week(str(week)) == week
    start, end = week.bounds(PARIS)
    assert [local_day(start, PARIS), local_day(end, PARIS)] == [week.monday, week.shift(1).monday]


def test_a_week_with_a_clock_change_is_an_hour_shorter_or_longer():
    start, end = Week(2027, 12).bounds(PARIS)
    assert end - start == timedelta(days=7, hours=-1)
    start, end = Week(2026, 43).bounds(PARIS)
    assert end - start == timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    "text", ["", "2026", "W48", "2026-W00", "2026-W54", "2027-W53", "2026-48", "next week", "2026-W٤٨"]
)
def test_what_is_no_week_is_refused(text):
    with pytest.raises(UsageError):
        parse_week(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9h",
        "2026-11-31T09:00",
        "2026-12-03x09:00",
        "2026-12-03-09:00",
        "2026-W49-4T09:00",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError):
        parse_instant(text, PARIS)


def test_instants_are_read():
    assert parse_instant(" 2026-12-03 09:05 ", PARIS) == datetime(2026, 12, 3, 8, 5, tzinfo=UTC)
    assert parse_instant("2026-12-03", PARIS) == datetime(2026, 12, 2, 23, tzinfo=UTC)
    assert parse_instant("2026-12-03T09:00Z", PARIS) == datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_a_settable_clock_refuses_a_time_without_zone():
    with pytest.raises(ValueError, match="aware"):
        SettableClock(at("2026-01-01"))
