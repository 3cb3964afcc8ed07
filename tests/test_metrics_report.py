"""The weekly report as management reads it."""

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support_metrics import (
    MONDAY,
    PARIS,
    config,
    entry,
    gaps,
    paris,
    seed_followers,
    seed_post,
    seed_snapshot,
    workspace,
)

from cm.cli.render_report import week_report as document
from cm.clock import Week, parse_week
from cm.errors import UsageError
from cm.metrics.assemble import excerpt
from cm.metrics.missing import sentence
from cm.metrics.report import last_complete_week, week_report
from cm.model.states import PostState
from cm.model.tables import Channel, Message, Post, Receipt

W48 = Week(2026, 48)
NEXT_MONDAY = MONDAY + timedelta(days=7)
CUT_OFF = paris(NEXT_MONDAY, 8)
NUMBERS = {"reach": 1000, "impressions": 2000, "reactions": 10, "comments": 3, "shares": 2}


@pytest.fixture
def env(tmp_path):
    opened = workspace(tmp_path)
    yield opened
    opened.store.close()


def test_the_shape_is_the_one_promised(env):
    report = week_report(env, W48)
    promised = ["week", "from", "to", "cut_off", "channels", "audiences", "top_posts", "inbox", "moderation", "missing"]
    assert set(promised) <= report.keys()
    assert (report["inbox"], report["moderation"]) == (None, None)
    channel = report["channels"][0]
    promised = (
        "channel audiences planned published quota_days_met reach impressions engagements engagement_rate followers"
    )
    assert set(promised.split()) <= channel.keys()
    assert {"by_reach", "by_followers", "by_impressions"} == channel["engagement_rate"].keys()
    for found in channel["engagement_rate"].values():
        assert found.keys() == {"pooled", "mean", "median", "n"}
    assert {"start", "end", "growth"} <= channel["followers"].keys()


def test_plan_numbers_and_rates_of_a_channel(env):
    seed_followers(env, paris(MONDAY - timedelta(days=1)), 1000)
    seed_followers(env, paris(NEXT_MONDAY, 7), 1030)
    for number, reach in enumerate((1000, 3000)):
        post = seed_post(env, MONDAY + timedelta(days=number))
        seed_snapshot(env, post, paris(NEXT_MONDAY, 7), reach=reach, impressions=4000, reactions=30, comments=0)
    found = entry(week_report(env, W48))
    assert (found["planned"], found["published"]) == (2, 2)
    assert (found["reach"], found["impressions"], found["engagements"]) == (4000, 8000, 60)
    assert found["engagement_rate"]["by_reach"] == {"pooled": 0.015, "mean": 0.02, "median": 0.02, "n": 2}
    assert found["engagement_rate"]["by_impressions"]["pooled"] == 0.0075
    assert found["engagement_rate"]["by_followers"]["pooled"] == 0.03
    assert found["engagement_components"] == [{"components": ["reactions", "comments"], "posts": 2}]
    assert (found["followers"]["start"], found["followers"]["end"]) == (1000, 1030)
    assert found["followers"]["growth"] == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("taken_at", "counts"),
    [
        (paris(NEXT_MONDAY, 7, 59), True),
        (CUT_OFF, True),
        (paris(NEXT_MONDAY, 8, 1), False),
        (paris(NEXT_MONDAY, 8, 0, 1), False),
    ],
)
def test_the_cut_off_is_kept_to_the_second(env, taken_at, counts):
    post = seed_post(env)
    seed_snapshot(env, post, paris(MONDAY, 20), reach=100, reactions=1)
    seed_snapshot(env, post, taken_at, reach=900, reactions=9)
    seed_followers(env, paris(MONDAY, 20), 10)
    seed_followers(env, taken_at, 90)
    found = entry(week_report(env, W48))
    assert (found["reach"], found["followers"]["end"]) == ((900, 90) if counts else (100, 10))


def test_a_snapshot_is_never_summed_with_an_earlier_one_and_the_last_written_wins_a_tie(env):
    post = seed_post(env)
    for reach in (100, 300, 200):
        seed_snapshot(env, post, paris(MONDAY, 20), reach=reach)
    assert entry(week_report(env, W48))["reach"] == 200


def test_what_is_missing_is_none_and_said(env):
    seed_post(env)
    silent = seed_post(env, MONDAY + timedelta(days=1))
    seed_snapshot(env, silent, paris(NEXT_MONDAY, 7), clicks=4)
    seed_post(env, MONDAY + timedelta(days=2), state=PostState.HANDED)
    seed_post(env, MONDAY + timedelta(days=3), state=PostState.UNCONFIRMED)
    report = week_report(env, W48)
    found = entry(report)
    assert [found[key] for key in ("reach", "impressions", "engagements")] == [None, None, None]
    assert {tuple(rate.values()) for rate in found["engagement_rate"].values()} == {(None, None, None, 0)}
    assert [found["followers"][key] for key in ("start", "end", "net", "growth")] == [None, None, None, None]
    assert gaps(report) == {
        "handed": 1,
        "unconfirmed": 1,
        "no_snapshot": 1,
        "reach_unknown": 1,
        "impressions_unknown": 1,
        "engagements_unknown": 1,
        "followers_unknown": 2,
        "followers_start_unknown": 1,
        "followers_end_unknown": 1,
    }
    assert all(sentence(gap["what"], gap["count"]) for gap in report["missing"])


def test_a_post_without_reach_is_left_out_of_that_rate_only(env):
    for number, numbers in enumerate(
        ({"reach": 100, "reactions": 5}, {"impressions": 50, "reactions": 1}, {"reach": 0, "reactions": 2})
    ):
        seed_snapshot(env, seed_post(env, MONDAY + timedelta(days=number)), CUT_OFF, **numbers)
    found = entry(week_report(env, W48))
    assert found["engagements"] == 8
    assert found["reach"] == 100
    assert (found["engagement_rate"]["by_reach"]["pooled"], found["engagement_rate"]["by_reach"]["n"]) == (0.05, 1)
    assert found["n"] == {"published": 3, "snapshots": 3, "reach": 2, "impressions": 1, "engagements": 3}


def test_followers_by_post_are_those_counted_before_it_went_out(env):
    seed_followers(env, paris(MONDAY, 8), 100)
    seed_followers(env, paris(MONDAY, 10), 500)
    seed_followers(env, paris(MONDAY, 8, 30), 7, channel="twitter")
    seed_snapshot(env, seed_post(env, hour=9), CUT_OFF, reactions=10)
    assert entry(week_report(env, W48))["engagement_rate"]["by_followers"]["pooled"] == 0.1


def test_an_old_count_of_followers_is_no_start_and_none_of_the_week_no_end(env):
    seed_followers(env, paris(MONDAY - timedelta(days=9)), 900)
    assert gaps(week_report(env, W48)).keys() == {"followers_start_unknown", "followers_end_unknown"}
    seed_followers(env, paris(MONDAY, 0), 1000)
    report = week_report(env, W48)
    assert entry(report)["followers"]["start"] == 1000
    assert gaps(report).keys() == {"followers_end_unknown"}


def test_planned_published_and_what_went_wrong(env):
    for state in PostState:
        seed_post(env, state=state)
    found = entry(week_report(env, W48))
    assert (found["planned"], found["published"]) == (len(PostState) - 2, 1)
    assert [found[state] for state in ("failed", "missed", "handed", "unconfirmed")] == [1, 1, 1, 1]
    assert found["days"][0]["count"] == 5  # neither failed nor missed count for the cadence


def test_a_post_published_after_the_cut_off_is_not_counted(env):
    seed_post(env, MONDAY + timedelta(days=6), published_at=paris(NEXT_MONDAY, 8, 5))
    report = week_report(env, W48)
    assert entry(report)["published"] == 0
    assert gaps(report)["published_after_cut_off"] == 1


def test_a_thread_is_one_post_measured_by_its_first_message(env):
    post = seed_post(env, parts=3)
    seed_snapshot(env, post, CUT_OFF, **NUMBERS)
    report = week_report(env, W48)
    assert (entry(report)["planned"], entry(report)["engagements"]) == (1, 15)
    assert report["top_posts"][0]["permalink"] == f"https://facebook.example/r{post}"


def test_a_thread_that_failed_half_way_is_said_and_not_counted(env):
    seed_post(env, state=PostState.FAILED, remote_id="first")
    report = week_report(env, W48)
    assert (entry(report)["published"], gaps(report)["partly_published"]) == (0, 1)


# --- the days ---------------------------------------------------------------------------------------------------------


def test_quota_days_are_those_within_the_bounds(env):
    for number, posts in enumerate((2, 3, 5, 6, 4)):
        for hour in range(posts):
            seed_post(env, MONDAY + timedelta(days=number), hour=8 + hour, state=PostState.SCHEDULED)
    seed_post(env, MONDAY, hour=20, state=PostState.SCHEDULED, in_quota=False)
    found = entry(week_report(env, W48))
    assert (found["quota_days_met"], found["quota_days"], found["quota_compliance"]) == (3, 7, 3 / 7)
    assert [day["status"] for day in found["days"]] == ["short", "ok", "ok", "over", "ok", "short", "short"]
    assert found["days"][0] == {
        "date": "2026-11-23", "planned": 3, "published": 0, "count": 2, "min": 3, "max": 5, "status": "short",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("week", "first", "last", "cut_off", "hours"),
    [
        ("2026-W43", "2026-10-19T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "2026-10-26T08:00:00+01:00", 169),
        ("2027-W12", "2027-03-22T00:00:00+01:00", "2027-03-29T00:00:00+02:00", "2027-03-29T08:00:00+02:00", 167),
        ("2026-W53", "2026-12-28T00:00:00+01:00", "2027-01-04T00:00:00+01:00", "2027-01-04T08:00:00+01:00", 168),
    ],
)
def test_weeks_of_clock_changes_and_of_new_year(env, week, first, last, cut_off, hours):
    sunday = parse_week(week).days[6]
    for hour in (0, 2, 23):
        seed_post(env, sunday, hour=hour)
    seed_post(env, sunday + timedelta(days=1), hour=0)
    report = week_report(env, parse_week(week))
    assert (report["from"], report["to"], report["cut_off"]) == (first, last, cut_off)
    assert datetime.fromisoformat(last) - datetime.fromisoformat(first) == timedelta(hours=hours)
    assert entry(report)["published"] == 3
    assert entry(report)["days"][6] == {
        "date": sunday.isoformat(), "planned": 3, "published": 3, "count": 3, "min": 3, "max": 5, "status": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (paris(NEXT_MONDAY, 0), "2026-W48"),
        (paris(NEXT_MONDAY, 0) - timedelta(seconds=1), "2026-W47"),
        (paris(NEXT_MONDAY, 9), "2026-W48"),
        (paris(date(2027, 1, 4), 0), "2026-W53"),
    ],
)
def test_the_week_by_default_is_the_last_complete_one(tmp_path, now, week):
    env = workspace(tmp_path, now=now)
    assert str(last_complete_week(env)) == week
    assert week_report(env)["week"] == week
    env.store.close()


def test_a_week_that_is_not_closed_is_reported_and_says_so(tmp_path):
    env = workspace(tmp_path, now=CUT_OFF - timedelta(seconds=1))
    assert gaps(week_report(env), None) == {"week_not_closed": 1}
    env.clock.advance(timedelta(seconds=1))
    assert gaps(week_report(env), None) == {}
    env.store.close()


def test_a_week_without_neighbours_is_refused(env):
    with pytest.raises(UsageError, match="9999-W01"):
        week_report(env, Week(9999, 1))


# --- what management asks ---------------------------------------------------------------------------------------------


@pytest.mark.row("S2")
def test_posts_per_audience_per_channel(env):
    seed_post(env, audiences=["public", "families"])
    seed_post(env, audiences=["public"], state=PostState.SCHEDULED)
    seed_post(env, audiences=["institutions"], channel="twitter")
    seed_post(env, audiences=["institutions"], state=PostState.CANCELLED, channel="twitter")
    table = {row["audience"]: row for row in week_report(env, W48)["audiences"]}
    assert table["public"] == {
        "audience": "public",
        "label": "General public",
        "planned": 2,
        "published": 1,
        "channels": [{"channel": "facebook", "planned": 2, "published": 1}],
    }
    assert table["families"]["channels"] == [{"channel": "facebook", "planned": 1, "published": 1}]
    assert table["institutions"]["channels"] == [{"channel": "twitter", "planned": 1, "published": 1}]
    assert table["researchers"]["channels"] == [{"channel": "twitter", "planned": 0, "published": 0}]


@pytest.mark.row("S6")
def test_the_mix_of_kinds(env):
    for kind in ("press_release", "conversation", "conversation"):
        seed_post(env, kind=kind)
    seed_post(env, kind="press_release", state=PostState.MISSED)
    assert entry(week_report(env, W48))["kinds"] == [
        {"kind": "conversation", "planned": 2, "published": 2},
        {"kind": "press_release", "planned": 2, "published": 1},
    ]


@pytest.mark.row("S134")
def test_the_same_database_gives_the_same_bytes(env):
    for number in range(12):
        post = seed_post(env, MONDAY + timedelta(days=number % 7), channel=("facebook", "twitter")[number % 2])
        seed_snapshot(env, post, CUT_OFF, ("facebook", "twitter")[number % 2], **NUMBERS)
    first = json.dumps(week_report(env, W48), ensure_ascii=False)
    assert {elsewhere(env.root, seed) for seed in ("1", "2")} == {first}


def elsewhere(root: Path, seed: str) -> str:
    """The report as another process makes it, some weeks later and with its sets in another order."""
    code = """if True:
        import json, sys
        from support_metrics import reopen
        from cm.clock import Week
        from cm.metrics.report import week_report
        sys.stdout.write(json.dumps(week_report(reopen(sys.argv[1]), Week(2026, 48)), ensure_ascii=False))
    """
    variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], env=variables, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_top_posts_by_engagements_then_rate_then_id(env):
    ranked = [(50, 1000), (70, 1000), (50, 500), (50, 1000), (50, None), (1, 10), (60, 0)]
    ids = []
    for reactions, reach in ranked:
        ids.append(seed_post(env, text="Une\nlongue  histoire " * 9, ref=f"ref-{len(ids)}"))
        seed_snapshot(env, ids[-1], CUT_OFF, **({"reactions": reactions} | ({} if reach is None else {"reach": reach})))
    top = week_report(env, W48)["top_posts"]
    assert [post["ref"] for post in top] == ["ref-1", "ref-6", "ref-2", "ref-0", "ref-3"]
    assert top[0] == {
        "id": f"p{ids[1]}",
        "ref": "ref-1",
        "channel": "facebook",
        "kind": "announcement",
        "scheduled_at": "2026-11-23T09:00:00+01:00",
        "text": top[0]["text"],
        "reach": 1000,
        "engagements": 70,
        "rate": 0.07,
        "permalink": f"https://facebook.example/r{ids[1]}",
    }
    assert top[0]["text"].startswith("Une longue histoire Une")
    assert len(top[0]["text"]) <= 80
    assert "\n" not in top[0]["text"]


def test_excerpts():
    assert excerpt("  court\u2028et\tsimple ") == "court et simple"
    assert excerpt("é" * 80) == "é" * 80
    assert excerpt("é" * 60_000) == "é" * 79 + "…"


def test_the_week_before_counts_at_its_own_cut_off(env):
    before = seed_post(env, MONDAY - timedelta(days=3))
    seed_snapshot(env, before, paris(MONDAY, 8), reach=100, reactions=10)
    seed_snapshot(env, before, paris(MONDAY, 8, 1), reach=5000, reactions=500)
    seed_snapshot(env, seed_post(env), CUT_OFF, reach=400, reactions=20)
    compared = entry(week_report(env, W48))["comparison"]
    assert compared["week"] == "2026-W47"
    assert (compared["before"]["reach"], compared["difference"]["reach"]) == (100, 300)
    assert compared["difference"]["engagements"] == 10
    assert compared["difference"]["by_reach"] == pytest.approx(-0.05)
    assert compared["difference"]["followers"] is None


def test_next_week_names_the_days_that_are_short_or_over(env):
    for number, posts in enumerate((3, 6, 4, 4, 4, 5)):
        for hour in range(posts):
            seed_post(env, NEXT_MONDAY + timedelta(days=number), hour=8 + hour, state=PostState.SCHEDULED)
    assert entry(week_report(env, W48))["next_week"] == {
        "week": "2026-W49",
        "planned": 26,
        "short": ["2026-12-06"],
        "over": ["2026-12-01"],
    }


def test_which_channels_are_shown(tmp_path):
    settings = config(
        facebook={"audiences": ["public"]},
        linkedin={"audiences": ["public"], "state": "planned", "platform": "linkedin"},
        vine={"audiences": ["public"], "state": "closed", "platform": "vine"},
    )
    env = workspace(tmp_path, settings)
    with env.store.write() as session:
        session.add(Channel(name="gone", platform="x", adapter="sandbox", account_id=1))
    seed_post(env, channel="gone")
    seed_post(env, MONDAY - timedelta(days=3), channel="vine")
    report = week_report(env, W48)
    assert [found["channel"] for found in report["channels"]] == ["facebook", "gone"]
    assert [found["simulated"] for found in report["channels"]] == [True, False]
    earlier = week_report(env, Week(2026, 47))["channels"]  # "gone" has a post in the week after
    assert [found["channel"] for found in earlier] == ["facebook", "gone", "vine"]
    env.store.close()


def test_sources_are_named(env):
    seed_snapshot(env, seed_post(env), paris(MONDAY, 20), **NUMBERS)
    seed_post(env)
    report = week_report(env, W48)
    assert report["establishment"] == {"key": "tilleuls", "name": "Hôpital des Tilleuls"}
    assert report["generated_from"] == {
        "posts": 2,
        "snapshots": 1,
        "newest_snapshot": paris(MONDAY, 20).astimezone(PARIS).isoformat(),
        "closed": True,
    }
    assert report["method"]["by_reach"] == "engagements / reach"


def withdraw(env, post, at, motive="privacy"):
    """Take a post down, as the database tells it."""
    with env.store.write() as session:
        row = session.get_one(Post, post)
        row.withdrawal, row.withdrawn_at, row.motive = "done", at, motive
        for receipt in session.exec(select(Receipt).join(Message).where(Message.post_id == post)):
            receipt.gone_at = at
            session.add(receipt)
        session.add(row)


def test_what_was_taken_down_is_counted_apart_in_the_week_of_its_end(env):
    kept, gone, last_week = seed_post(env), seed_post(env), seed_post(env, MONDAY - timedelta(days=5))
    for post in (kept, gone):
        seed_snapshot(env, post, paris(NEXT_MONDAY, 7), reach=100)
    before = entry(week_report(env, W48))
    assert (before["withdrawn"], before["withdrawn_for"]) == (0, {})
    withdraw(env, gone, paris(MONDAY + timedelta(days=2)))
    withdraw(env, last_week, paris(MONDAY), "error")
    report = week_report(env, W48)
    found = entry(report)
    assert (found["withdrawn"], found["withdrawn_for"]) == (2, {"error": 1, "privacy": 1})
    assert (found["published"], found["reach"]) == (before["published"], before["reach"]) == (2, 200)
    assert (report["withdrawn"], report["withdrawn_for"]) == (2, {"error": 1, "privacy": 1})
    assert entry(week_report(env, W48.shift(-1)))["withdrawn"] == 0
    said = [note for section in document(report).sections for note in section.notes]
    assert "facebook: 2 posts taken down (error in the text: 1, personal data: 1)" in said
