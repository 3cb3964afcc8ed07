"""Posts a day: what counts, on which day, and what is said of short and full days."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm.calendar.cadence import Counted, cadence_findings, day_counts, room
from cm.clock import parse_week, resolve
from cm.config import Bounds, Cadence
from cm.model.states import PostState

PARIS = ZoneInfo("Europe/Paris")
CADENCE = Cadence(min=3, max=5)
DAYS = parse_week("2026-W48").days
COUNTING = {"scheduled", "publishing", "handed", "unconfirmed", "published"}

posts = st.builds(
    Counted,
    channel=st.sampled_from(["facebook", "twitter", "closed"]),
    day=st.none() | st.sampled_from([*DAYS, DAYS[0] - timedelta(days=1)]),
    state=st.sampled_from(PostState),
    in_quota=st.booleans(),
)


def week(counts: list[int], days: tuple[date, ...] = DAYS) -> list[Counted]:
    return [
        Counted("facebook", day, PostState.SCHEDULED) for day, n in zip(days, counts, strict=True) for _ in range(n)
    ]


@settings(deadline=None)
@given(st.lists(posts, max_size=60))
def test_every_day_of_every_channel_is_counted_once(given_: list[Counted]) -> None:
    cadences = {"facebook": CADENCE, "twitter": CADENCE}
    counts = day_counts(given_, days=DAYS, cadences=cadences)
    assert [(count.day, count.channel) for count in counts] == [(day, name) for day in DAYS for name in cadences]
    expected = Counter((p.channel, p.day) for p in given_ if p.state.value in COUNTING and p.in_quota)
    assert all(count.count == expected[count.channel, count.day] for count in counts)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=7, max_size=7))
def test_there_is_one_finding_for_each_day_out_of_bounds(numbers: list[int]) -> None:
    counts = day_counts(week(numbers), days=DAYS, cadences={"facebook": CADENCE})
    found = cadence_findings(counts)
    assert len(found) == sum(not 3 <= n <= 5 for n in numbers)
    assert sum(finding.rule == "cadence.over" for finding in found) == sum(n > 5 for n in numbers)


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 100))
def test_room_is_what_is_left(count: int, most: int) -> None:
    left = room(count, Bounds(min=0, max=most))
    assert left >= 0
    assert left == 0 or count + left == most


@pytest.mark.row("S1")
def test_two_days_out_of_bounds_are_two_findings_that_name_everything() -> None:
    counts = day_counts(week([3, 2, 4, 5, 6, 3, 3]), days=DAYS, cadences={"facebook": CADENCE})
    short, over = cadence_findings(counts)
    assert short.reason == "2026-11-24, facebook: 2 posts, at least 3."
    assert over.reason == "2026-11-27, facebook: 6 posts, at most 5."


def test_weekdays_may_have_their_own_bounds() -> None:
    cadence = Cadence.model_validate({"min": 3, "max": 5, "weekdays": {"sat": {"min": 1, "max": 2}}})
    counts = day_counts(week([3, 3, 3, 3, 3, 1, 3]), days=DAYS, cadences={"facebook": cadence})
    assert cadence_findings(counts) == ()
    assert [count.max for count in counts][5] == 2


@pytest.mark.row("S1")
@pytest.mark.parametrize(("number", "changing"), [("2027-W12", "2027-03-28"), ("2026-W43", "2026-10-25")])
def test_days_are_local_when_the_clocks_change(number: str, changing: str) -> None:
    """Three posts a day from a minute past midnight to a minute before: each on its own day, none lost."""
    days = parse_week(number).days
    assert date.fromisoformat(changing) in days
    walls = [datetime.combine(day, time(*t)) for day in days for t in ((0, 1), (2, 30), (23, 59))]
    planned = [resolve(wall, PARIS) for wall in walls]
    counts = day_counts(
        [Counted("facebook", plan.wall.date(), PostState.SCHEDULED) for plan in planned],
        days=days,
        cadences={"facebook": CADENCE},
    )
    assert [count.count for count in counts] == [3] * 7
    assert cadence_findings(counts) == ()
    assert sum(plan.note is not None for plan in planned) == 1
