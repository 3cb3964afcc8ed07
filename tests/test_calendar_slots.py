"""Open slots: times nobody has taken, on days that have room, always in the future."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_calendar import at

from cm.calendar.slots import SlotBook, open_slots
from cm.clock import resolve
from cm.config import Cadence, Schedule
from cm.errors import Refused

PARIS = ZoneInfo("Europe/Paris")
SCHEDULE = Schedule.model_validate({"slots": [{"times": ["08:30", "12:30", "17:00"]}]})
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def book(schedule: Schedule = SCHEDULE, most: int = 5, now: datetime = NOW) -> SlotBook:
    return SlotBook("facebook", schedule, Cadence(min=0, max=most), PARIS, now)


def test_the_next_slot_is_the_first_one_after_now() -> None:
    assert book().next_open().wall == at("2026-11-20T12:30")


def test_a_slot_at_this_very_instant_is_not_open_any_more() -> None:
    assert book(now=datetime(2026, 11, 20, 11, 30, tzinfo=UTC)).next_open().wall == at("2026-11-20T17:00")


def test_taken_slots_and_full_days_are_passed_over() -> None:
    slots = book(most=2)
    walls = [slots.take().wall for _ in range(5)]
    assert [wall.isoformat(timespec="minutes") for wall in walls] == [
        "2026-11-20T12:30",
        "2026-11-20T17:00",
        "2026-11-21T08:30",
        "2026-11-21T12:30",
        "2026-11-22T08:30",
    ]


def test_no_day_gets_more_than_its_platform_takes() -> None:
    slots = book()
    slots.most = 1
    assert [slots.take().wall.day for _ in range(3)] == [20, 21, 22]


def test_a_day_may_be_asked_for() -> None:
    slots = book()
    assert slots.take(date(2026, 12, 1)).wall == at("2026-12-01T08:30")
    with pytest.raises(Refused, match="2026-11-19"):
        slots.take(date(2026, 11, 19))


def test_a_channel_without_slots_says_what_to_do() -> None:
    with pytest.raises(Refused) as refused:
        book(Schedule(slots=())).next_open()
    assert "schedules/facebook.yaml" in refused.value.hint


def test_a_year_without_room_is_refused() -> None:
    with pytest.raises(Refused, match="366"):
        book(most=0).next_open()


def test_a_skipped_and_a_doubled_slot_are_told() -> None:
    night = Schedule.model_validate({"slots": [{"times": ["02:30", "03:30"]}]})
    before = datetime(2026, 1, 1, tzinfo=UTC)
    (gap,) = open_slots(night, date(2027, 3, 28), PARIS, taken=(), after=before)
    assert (gap.wall, gap.note) == (at("2027-03-28T03:30"), "gap")
    first, second = open_slots(night, date(2026, 10, 25), PARIS, taken=(), after=before)
    assert (first.instant, first.note) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "fold")
    assert second.note is None


times = st.lists(st.builds(time, st.integers(0, 23), st.integers(0, 59)), min_size=1, max_size=6)


@settings(deadline=None)
@given(
    times,
    st.lists(times, max_size=3),
    st.datetimes(at("2026-10-20T00:00"), at("2027-04-01T00:00")),
    st.integers(1, 4),
)
def test_taking_slots_keeps_every_promise(
    moments: list[time], taken: list[list[time]], now: datetime, most: int
) -> None:
    after = now.replace(tzinfo=UTC)
    slots = book(Schedule.model_validate({"slots": [{"times": moments}]}), most, after)
    today = after.astimezone(PARIS).date()
    full = {
        resolve(datetime.combine(today + timedelta(days=n), t), PARIS).instant for n, ts in enumerate(taken) for t in ts
    }
    slots.taken |= full
    found = [slots.take() for _ in range(8)]
    instants = [slot.instant for slot in found]
    assert instants == sorted(set(instants))
    assert min(instants) > after
    assert not full & set(instants)
    days = [slot.wall.date() for slot in found]
    assert max(days.count(day) for day in days) <= most
