"""Coverage, dormant channels, the first day that falls short."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support_cli import change_config, sql

from cm.calendar.channels import silent_since
from cm.calendar.coverage import Planned, cover
from cm.calendar.forecast import first_short
from cm.clock import parse_instant, resolve
from cm.config import ALL_WEEK, Cadence, Schedule

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]

NOW = ("--now", "2026-11-23T09:00")
PARIS = ZoneInfo("Europe/Paris")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
START = date(2026, 10, 19)
"""A Monday; the clocks go back on the Sunday after."""

moments = st.times(min_value=time(0, 0), max_value=time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0))
slots = st.lists(
    st.builds(
        lambda days, times: {"days": sorted(days, key=ALL_WEEK.index), "times": [f"{t:%H:%M}" for t in times]},
        st.sets(st.sampled_from(WEEKDAYS), min_size=1),
        st.lists(moments, min_size=1, max_size=3),
    ),
    max_size=3,
)


# --- the matrix -------------------------------------------------------------------------------------------------------


@pytest.mark.row("S7")
@settings(deadline=None)
@given(slots, st.lists(st.tuples(st.integers(0, 20), moments, st.booleans()), max_size=30), st.integers(1, 21))
def test_cells_and_others_add_up_to_the_planned_posts(
    given_slots: list[Any], plans: list[tuple[int, time, bool]], length: int
) -> None:
    schedule = Schedule.model_validate({"slots": given_slots})
    days = [START + timedelta(days=n) for n in range(length)]
    posts = []
    for offset, moment, in_slot in plans:
        day = days[offset % length]
        times = schedule.times(day)
        chosen = times[offset % len(times)] if in_slot and times else moment
        posts.append(Planned(resolve(datetime.combine(day, chosen), PARIS).instant, day, "quiz"))
    found = cover("facebook", schedule, posts, days=days, zone=PARIS)
    assert found.planned == len(posts)
    assert sum(cell.planned for cell in found.cells) + sum(found.other.values()) == len(posts)
    assert len(found.empty) == sum(cell.open for cell in found.cells)
    assert sum(found.kinds.values()) == len(posts)
    taken = {post.at for post in posts}
    assert all(resolve(wall, PARIS).instant not in taken for wall in found.empty)


def test_a_slot_taken_twice_and_an_empty_one() -> None:
    schedule = Schedule.model_validate({"slots": [{"days": ["mon"], "times": ["09:00", "12:00"]}]})
    nine = parse_instant("2026-11-23T09:00", PARIS)
    posts = [Planned(nine, date(2026, 11, 23), "quiz"), Planned(nine, date(2026, 11, 23), "thanks"),
             Planned(parse_instant("2026-11-24T09:00", PARIS), date(2026, 11, 24), "quiz")]  # fmt: skip
    days = [date(2026, 11, 23) + timedelta(days=n) for n in range(7)]
    found = cover("facebook", schedule, posts, days=days, zone=PARIS).as_json()
    assert found["slots"] == ["09:00", "12:00"]
    assert found["cells"] == [
        {"weekday": "mon", "time": "09:00", "planned": 2, "open": 0},
        {"weekday": "mon", "time": "12:00", "planned": 0, "open": 1},
    ]
    assert (found["other"], found["other_by_weekday"], found["planned"]) == (1, {"tue": 1}, 3)
    assert found["empty"] == ["2026-11-23T12:00"]
    assert found["kinds"] == {"quiz": {"posts": 2, "share": 0.6667}, "thanks": {"posts": 1, "share": 0.3333}}


@pytest.mark.row("S7")
def test_a_month_adds_up_and_shows_the_empty_places(example: Path, run: Run, run_json: RunJson) -> None:
    run(*NOW, "post", "add", "-c", "facebook", "--kind", "quiz", "--text", "Une question", "--at", "2026-12-08T06:05",
        cwd=example)  # fmt: skip
    found = run_json(*NOW, "calendar", "coverage", "--month", "2026-12", cwd=example)
    assert (found["from"], found["to"], found["holidays"]) == (
        "2026-12-01",
        "2026-12-31",
        {"2026-12-25": "Christmas Day"},
    )
    for channel in found["channels"]:
        (planned,) = sql(
            example,
            "SELECT count(*) FROM post WHERE channel = ? AND state = 'scheduled' AND day LIKE '2026-12-%'",
            channel["channel"],
        )[0]
        assert channel["planned"] == planned > 0
        assert sum(cell["planned"] for cell in channel["cells"]) + channel["other"] == planned
        assert sum(cell["open"] for cell in channel["cells"]) == len(channel["empty"])
    facebook = found["channels"][0]
    assert facebook["other_by_weekday"] == {"tue": 1}
    assert "2026-12-08T08:30" in facebook["empty"]
    assert "2026-12-01T08:30" not in facebook["empty"]


def test_the_matrix_on_paper(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(
        *NOW, "calendar", "coverage", "-c", "facebook", "--from", "2026-11-23", "--to", "2026-12-13", cwd=example
    )
    assert done.code == 0
    assert max(map(cell_len, done.out.splitlines())) <= 80
    assert "facebook · 55 posts planned · 2.6 a day" in done.out
    (row,) = [line for line in done.out.splitlines() if line.startswith("08:30")]
    assert re.split(r"\s{2,}", row.strip()) == ["08:30", *["2 ○1"] * 5, "–", "–", "10"]
    (total,) = [line for line in done.out.splitlines() if line.startswith("all")]
    *weekdays, whole = map(int, total.split()[1:])
    assert sum(weekdays) == whole == 55
    assert "to be filled: Tue 24/11 10:30, " in done.out
    assert "Kinds: " in done.out


def test_a_period_that_is_none(example: Path, run_err: RunErr) -> None:
    for args in (
        ("--month", "2026-13"),
        ("--month", "December"),
        ("--from", "2026-12-01"),
        ("--month", "2026-12", "--from", "2026-12-01", "--to", "2026-12-02"),
        ("--from", "2026-12-02", "--to", "2026-12-01"),
        ("--from", "2026-12-02", "--to", "2028-12-01"),
    ):
        assert run_err(2, *NOW, "calendar", "coverage", *args, cwd=example)["message"]
    error = run_err(5, *NOW, "calendar", "coverage", "-c", "facebok", cwd=example)
    assert error["hint"] == "Did you mean facebook? There are: facebook, twitter."


# --- the first day that falls short -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(0, 4))
def test_the_first_short_day_is_the_first(numbers: list[int], least: int) -> None:
    days = [START + timedelta(days=n) for n in range(len(numbers))]
    counted = {("facebook", day): n for day, n in zip(days, numbers, strict=True) if n}
    found = first_short(counted, days, {"facebook": Cadence(min=least, max=9)})["facebook"]
    short = [day for day, n in zip(days, numbers, strict=True) if n < least]
    assert found == (short[0] if short else None)


@pytest.mark.row("S9")
def test_each_channels_first_short_day_is_told(example: Path, run: Run, run_json: RunJson) -> None:
    run(*NOW, "post", "cancel", "p10", cwd=example)
    run(*NOW, "post", "cancel", "p11", cwd=example)
    found = run_json(*NOW, "calendar", "gaps", cwd=example)
    assert found["next_gap"] == {"facebook": "2026-11-24", "twitter": "2026-12-07"}
    assert found["horizon_days"] == 60
    out = run(*NOW, "calendar", "gaps", "--next", cwd=example).out
    assert out.splitlines() == [
        "facebook: first day below its quota: Tuesday 24 November 2026",
        "twitter: first day below its quota: Monday 7 December 2026",
    ]
    change_config(example, lambda data: data.update(cadence={"min": 0, "max": 5}))
    assert run_json(*NOW, "calendar", "gaps", cwd=example)["next_gap"] == {"facebook": None, "twitter": None}
    assert "the next 60 days hold enough posts" in run(*NOW, "calendar", "gaps", "--next", cwd=example).out


# --- dormant channels -------------------------------------------------------------------------------------------------


def publish_last(root: Path, channel: str, at: str) -> None:
    """Its first post went out at that time (UTC), nothing after it."""
    sql(root, "UPDATE post SET state = 'published', wake_at = NULL, published_at = ? WHERE id ="
              " (SELECT min(id) FROM post WHERE channel = ?)", at, channel)  # fmt: skip


@pytest.mark.row("S8")
def test_a_silent_channel_is_reported_and_an_active_one_is_not(example: Path, run: Run, run_json: RunJson) -> None:
    publish_last(example, "facebook", "2026-11-16 07:30:00.000000")
    publish_last(example, "twitter", "2026-11-22 07:30:00.000000")
    found = {c["name"]: c for c in run_json(*NOW, "channel", "list", cwd=example)["channels"]}
    assert (found["facebook"]["dormant"], found["facebook"]["last_published_at"]) == (True, "2026-11-16T08:30:00+01:00")
    assert (found["twitter"]["dormant"], found["twitter"]["last_published_at"]) == (False, "2026-11-22T08:30:00+01:00")
    told = run(*NOW, "channel", "list", "--dormant", cwd=example)
    assert "2026-11-16" in told.out
    assert "dormant" in told.out
    assert "twitter" not in told.out
    today = run(*NOW, cwd=example).out
    assert "facebook is dormant: last post Mon 16/11 2026" in today
    assert "twitter is dormant" not in today


def test_how_long_is_too_long_is_configured(example: Path, run_json: RunJson) -> None:
    publish_last(example, "facebook", "2026-11-16 07:30:00.000000")
    publish_last(example, "twitter", "2026-11-16 07:30:00.000000")
    change_config(example, lambda data: data["channels"]["facebook"].update(dormant_days=14))
    dormant = {c["name"]: c["dormant"] for c in run_json(*NOW, "channel", "list", cwd=example)["channels"]}
    assert dormant == {"facebook": False, "twitter": True}


def test_a_closed_channel_is_not_dormant(example: Path, run_json: RunJson) -> None:
    publish_last(example, "facebook", "2026-11-01 07:30:00.000000")
    change_config(example, lambda data: data["channels"]["facebook"].update(state="closed"))
    assert not run_json(*NOW, "channel", "list", cwd=example)["channels"][0]["dormant"]


def test_silence_before_the_first_post_counts_from_when_it_was_known() -> None:
    opened, known, last = (parse_instant(text, PARIS) for text in ("2011-03-14", "2026-11-20", "2026-11-22"))
    assert silent_since(opened, None, None) == opened
    assert silent_since(opened, None, known) == known
    assert silent_since(known, None, opened) == known
    assert silent_since(opened, last, known) == last


def test_names_of_channels_that_are_nearly_right(example: Path, run_err: RunErr) -> None:
    assert "Did you mean twitter?" in run_err(5, *NOW, "week", "-c", "twiter", cwd=example)["hint"]
    assert run_err(5, *NOW, "week", "-c", "zzz", cwd=example)["hint"] == "Use one of: facebook, twitter."
