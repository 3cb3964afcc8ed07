"""The calendar at a glance: gaps, a week's grid, stories, channels."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support_calendar import MONDAY, SETTINGS, add, csv_of, make_env, row, set_state, table

from cm.calendar import posts
from cm.calendar.channels import channels_agree, list_channels, sync_channels
from cm.calendar.importing import import_posts
from cm.calendar.overview import OPENING, gaps, grid
from cm.calendar.sql import CHANNEL
from cm.calendar.stories import list_stories, show_story
from cm.clock import parse_week
from cm.config import Config
from cm.env import Env
from cm.errors import NotFound, UsageError
from cm.model.states import PostState

SIX = ("08:30", "10:30", "12:30", "17:00", "19:00", "23:59")
WEEK = parse_week("2026-W48")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def fill(env: Env, monday: date, counts: list[int]) -> None:
    """A week of posts on facebook; the first of each day is a minute past midnight."""
    rows = [
        row(ref=f"{monday + timedelta(days=n)}-{time}", date=(monday + timedelta(days=n)).isoformat(), time=time)
        for n, count in enumerate(counts)
        for time in ["00:01", *SIX][:count]
    ]
    assert import_posts(env, csv_of(rows), filename="x", over="fête").errors == ()


# --- gaps -------------------------------------------------------------------------------------------------------------


@pytest.mark.row("S1")
@pytest.mark.parametrize("monday", [MONDAY, date(2027, 3, 22), date(2027, 10, 25)])
def test_a_short_and_a_full_day_are_exactly_two_findings(env: Env, monday: date) -> None:
    fill(env, monday, [3, 4, 2, 5, 6, 3, 5])
    found = gaps(env, monday, monday + timedelta(days=6), "facebook").as_json()
    assert [day["count"] for day in found["days"]] == [3, 4, 2, 5, 6, 3, 5]
    assert [day["status"] for day in found["days"]] == ["ok", "ok", "short", "ok", "over", "ok", "ok"]
    short, over = (finding["reason"] for finding in found["findings"])
    assert short == f"{monday + timedelta(days=2)}, facebook: 2 posts, at least 3."
    assert over == f"{monday + timedelta(days=4)}, facebook: 6 posts, at most 5."
    assert json.loads(json.dumps(found)) == found


@pytest.mark.row("S1")
def test_a_full_week_has_no_finding_when_the_clocks_go_back(tmp_path: Path) -> None:
    env = make_env(tmp_path, now=datetime(2026, 10, 18, tzinfo=UTC))
    fill(env, date(2026, 10, 19), [3, 4, 5, 3, 4, 5, 3])
    assert gaps(env, date(2026, 10, 19), date(2026, 10, 25), "facebook").findings == ()


def test_only_posts_that_will_or_did_go_out_count(env: Env) -> None:
    for index, state in enumerate(PostState):
        set_state(env, add(env, wall=f"2026-11-23T1{index}:00", over="test"), state)
    add(env, draft=True, wall="2026-11-23T21:00")
    outside = add(env, wall="2026-11-23T22:00", over="test")
    set_state(env, outside, PostState.SCHEDULED, in_quota=False)
    (day,) = gaps(env, MONDAY, MONDAY, "facebook").days
    assert day.count == 5


def test_all_active_channels_are_counted_by_day(env: Env) -> None:
    found = gaps(env, MONDAY, MONDAY + timedelta(days=1)).days
    assert [(day.day.day, day.channel) for day in found] == [
        (23, "facebook"),
        (23, "twitter"),
        (24, "facebook"),
        (24, "twitter"),
    ]


def test_days_run_forwards_and_channels_exist(env: Env) -> None:
    with pytest.raises(UsageError):
        gaps(env, MONDAY, MONDAY - timedelta(days=1))
    with pytest.raises(UsageError):
        gaps(env, MONDAY, date(9999, 12, 31))
    with pytest.raises(NotFound):
        gaps(env, MONDAY, MONDAY, "myspace")


# --- grid -------------------------------------------------------------------------------------------------------------


def test_a_week_is_a_grid_of_days_and_channels(env: Env) -> None:
    add(env, "Un\ntexte " + "long " * 50, wall="2026-11-23T10:30", ref="a")
    add(env, "plus tôt", wall="2026-11-23T08:30", kind="quiz")
    add(env, "presse", wall="2026-11-29T23:59", channel="twitter")
    posts.cancel(env, add(env, wall="2026-11-23T12:30").id)
    add(env, wall="2026-11-30T00:00")
    env.clock.set(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))  # type: ignore[attr-defined]
    week = grid(env, WEEK)
    assert (week.days, week.channels) == (WEEK.days, ("facebook", "twitter"))
    assert len(week.cells) == 14
    first, second = week.cells[MONDAY, "facebook"].posts
    assert (first.time, first.kind, first.overdue) == ("08:30", "quiz", True)
    assert (second.time, second.ref, second.overdue) == ("10:30", "a", False)
    assert second.text.startswith("Un texte long")
    assert len(second.text) == OPENING
    assert week.cells[MONDAY, "facebook"].count.count == 2
    assert [post.time for post in week.cells[WEEK.days[6], "twitter"].posts] == ["23:59"]


@pytest.mark.row("S2")
def test_a_grid_may_show_one_audience_or_channel(env: Env) -> None:
    add(env, wall="2026-11-23T10:30", audiences=("families",))
    add(env, wall="2026-11-23T11:30", audiences=("public",))
    week = grid(env, WEEK, audience="families")
    cell = week.cells[MONDAY, "facebook"]
    assert ([post.time for post in cell.posts], cell.count.count) == (["10:30"], 2)
    assert grid(env, WEEK, "twitter").channels == ("twitter",)


# --- stories ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("S3")
def test_a_story_shows_its_posts_together_and_flags_the_same_words(env: Env) -> None:
    add(env, "Le forum ouvre.", story="forum", wall="2026-11-24T10:30", ref="fb")
    add(env, "Le forum ouvre.", story="forum", channel="twitter", wall="2026-11-23T10:30", ref="x")
    add(env, "Autre chose", story="autre")
    told = show_story(env, "forum").as_json()
    assert [post["ref"] for post in told["posts"]] == ["x", "fb"]
    assert [[finding["rule"] for finding in post["findings"]] for post in told["posts"]] == [["text.twin"]] * 2
    assert told["channels"] == {"facebook": 1, "twitter": 1}
    assert told["audiences"] == ["public", "families", "professionals", "institutions"]
    assert [story.ref for story in list_stories(env)] == ["autre", "forum"]
    with pytest.raises(NotFound):
        show_story(env, "nobody")


# --- channels ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("S10", "S44")
def test_channels_are_listed_with_owner_opening_and_use(env: Env) -> None:
    add(env)
    out = add(env)
    set_state(env, out, PostState.PUBLISHED, published_at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
    first, second = (channel.as_json() for channel in list_channels(env))
    assert (first["name"], first["platform"], first["adapter"]) == ("facebook", "facebook", "sandbox")
    assert (first["account"], first["address"]) == ("tilleuls", "https://facebook.example/tilleuls")
    assert (first["owner"], first["owner_name"], first["opened_on"]) == ("camille", "Camille Roux", "2011-03-14")
    assert (first["planned"], first["published"], first["simulated"], first["state"]) == (1, 1, True, "active")
    assert first["last_published_at"] == "2026-11-20T17:00:00+01:00"
    assert (second["planned"], second["last_published_at"]) == (0, None)
    assert json.loads(json.dumps(first)) == first


def test_rows_of_channels_follow_the_configuration_and_never_go(env: Env) -> None:
    facebook = {**SETTINGS["channels"]["facebook"], "state": "closed"}
    config = Config.model_validate(
        {
            **SETTINGS,
            "channels": {"facebook": facebook, "fediverse": {**facebook, "platform": "mastodon"}},
            "schedules": {},
        }
    )
    later = Env(env.root, config, env.store, env.clock, env.actor, "run", frozenset({"facebook"}))
    with env.store.write() as session:
        assert channels_agree(session, env)
        assert not channels_agree(session, later)
        sync_channels(session, later)
        assert channels_agree(session, later)
        session.execute(sa.select(CHANNEL))
    rows = {found["name"]: (found["platform"], found["state"], found["simulated"]) for found in table(env, CHANNEL)}
    assert rows == {
        "facebook": ("facebook", "closed", True),
        "fediverse": ("mastodon", "closed", False),
        "twitter": ("x", "active", True),
    }
