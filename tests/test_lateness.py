"""What is late, held, too close or too much: nothing goes out in a burst, nothing after a hold, nothing is lost."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support_publish import START, channel, cm, make_workspace, open_desk

from cm.calendar.drafting import post_changes
from cm.calendar.posts import cancel, edit
from cm.errors import NotFound, Refused
from cm.model.tables import Account, Action, Hold
from cm.publishing import engine, holds, overdue
from cm.publishing.overdue import Overdue, Rest
from cm.publishing.resume import resume
from cm.store import tick

STOPPER = Path(__file__).with_name("stopper.py")
DAY = {"min": 0, "max": 5}
LIVE = {"cadence": DAY, "spacing": 0, "backlog": True}
"""A channel on which the rules of lateness hold, and none of spacing."""
SPACED = {"cadence": {"min": 0, "max": 100}, "spacing": 15, "backlog": True}


def desk_with(tmp_path, channels, **settings):
    return open_desk(make_workspace(tmp_path / "w", channels, **settings))


@pytest.fixture
def desk(tmp_path):
    made = desk_with(tmp_path, {"fb": channel("page", **LIVE), "x": channel("press", **LIVE)})
    yield made
    made.close()


@pytest.fixture
def spaced(tmp_path):
    made = desk_with(tmp_path, {"fb": channel("page", **SPACED)})
    yield made
    made.close()


def listed(result, name):
    return [entry.id for entry in result.lists[name].values()]


def states(desk, *idents):
    return [desk.state(ident) for ident in idents]


@contextmanager
def at_stage(stage, act, nth=1):
    """Let `act` happen when the engine logs that stage for the `nth` time, in the worker's own thread."""

    class Actor(logging.Handler):
        seen = 0

        def emit(self, record):
            if record.getMessage() == stage:
                self.seen += 1
                if self.seen == nth:
                    act()

    actor = Actor()
    logging.getLogger("cm.publishing").addHandler(actor)
    try:
        yield actor
    finally:
        logging.getLogger("cm.publishing").removeHandler(actor)


class Dead(BaseException):
    """The worker died."""


def die():
    raise Dead


# --- after a silence --------------------------------------------------------------------------------------------------


def test_after_a_silence_each_channel_catches_up_with_its_newest_post(desk):
    desk.tick()
    late = [desk.add(f"late {n}", minutes=1 + n) for n in range(3)]
    press = [desk.add(f"press {n}", to="x", minutes=1 + n) for n in range(2)]
    later = desk.add("later", minutes=90)
    result = desk.tick(minutes=30)
    assert set(listed(result, "published")) == {late[2], press[1]}
    assert set(listed(result, "missed")) == {*late[:2], press[0]}
    assert result.exit_code == 7
    assert "did not run for more than 10 minutes" in desk.show(late[0]).reason
    assert desk.texts() == ["late 2"]
    assert desk.tick(minutes=1).quiet
    assert desk.state(later) == "scheduled"


def test_ten_minutes_are_no_silence(desk):
    desk.tick()
    due = [desk.add(f"due {n}", minutes=1 + n) for n in range(3)]
    assert listed(desk.tick(minutes=10), "published") == due


def test_the_first_run_of_a_workspace_is_never_late(desk):
    due = [desk.add(f"due {n}", minutes=n) for n in range(3)]
    assert tick.last_beat(desk.root) is None
    assert listed(desk.tick(minutes=40), "published") == due


def test_a_clock_that_went_back_makes_nothing_late(desk):
    desk.tick(minutes=600)
    desk.clock.advance(timedelta(minutes=-600))
    due = [desk.add(f"due {n}", minutes=n) for n in range(2)]
    assert listed(desk.tick(minutes=1), "published") == due


def test_backlog_off_switches_the_rule_off(tmp_path):
    desk = desk_with(tmp_path, {"fb": channel("page", **{**LIVE, "backlog": False})})
    desk.tick()
    due = [desk.add(f"due {n}", minutes=1 + n) for n in range(5)]
    assert listed(desk.tick(minutes=30), "published") == due
    desk.close()


def test_what_is_past_its_grace_is_missed_whether_newest_or_not(desk):
    desk.tick()
    short = desk.add("short", minutes=10)
    mark(desk, short, grace=5)
    fresh = desk.add("fresh", minutes=5)
    result = desk.tick(minutes=20)
    assert (listed(result, "published"), listed(result, "missed")) == ([fresh], [short])
    assert "without a run" in desk.show(short).reason


def test_a_crisis_post_is_not_left_behind_for_a_newer_one(desk):
    desk.tick()
    statement = desk.add("holding statement", minutes=1)
    newer = desk.add("newer", minutes=5)
    mark(desk, statement, crisis=True)
    desk.tick(minutes=20)
    assert states(desk, statement, newer) == ["published", "missed"]


def mark(desk, ident, **values):
    """Set marks of a post that other commands set."""
    with desk.env.store.write() as session:
        post = session.get_one(type(desk.row(ident)), int(ident[1:]))
        for name, value in values.items():
            setattr(post, name, value)
        session.add(post)


def test_a_begun_thread_is_finished_after_a_silence(desk):
    desk.tick()
    thread = desk.add("one\n---\ntwo\n---\nthree", minutes=1)
    with at_stage("recorded", die), pytest.raises(Dead):
        desk.tick(minutes=1)
    others = [desk.add(f"post {n}", minutes=2 + n) for n in range(2)]
    desk.tick(minutes=30)
    assert states(desk, thread, *others) == ["published", "missed", "published"]
    assert desk.texts() == ["one", "two", "three", "post 1"]


def test_what_a_dead_worker_had_taken_is_overdue_like_the_rest(desk):
    desk.tick()
    taken = desk.add("taken", minutes=1)
    with at_stage("claimed", die), pytest.raises(Dead):
        desk.tick(minutes=1)
    newer = desk.add("newer", minutes=5)
    desk.tick(minutes=20)
    assert states(desk, taken, newer) == ["missed", "published"]
    assert desk.texts() == ["newer"]


def test_a_run_that_dies_between_marking_and_sending_loses_nothing(desk):
    desk.tick()
    due = [desk.add(f"due {n}", minutes=1 + n) for n in range(3)]
    with at_stage("locked", die), pytest.raises(Dead):
        desk.tick(minutes=30)
    assert states(desk, *due) == ["missed", "missed", "scheduled"]
    assert listed(desk.tick(minutes=1), "published") == [due[2]]
    assert desk.texts() == ["due 2"]


def test_a_run_that_dies_before_it_is_written_down_is_late_again(desk):
    desk.tick()
    due = [desk.add(f"due {n}", minutes=1 + n) for n in range(3)]
    last = tick.last_beat(desk.root)
    with at_stage("marked", die), pytest.raises(Dead):
        desk.tick(minutes=30)
    assert (tick.last_beat(desk.root), desk.texts()) == (last, [])
    assert listed(desk.tick(minutes=1), "published") == [due[2]]
    assert states(desk, *due) == ["missed", "missed", "published"]


def test_two_engines_at_once_mark_once(desk):
    desk.tick()
    due = [desk.add(f"due {n}", minutes=1 + n) for n in range(4)]
    desk.clock.advance(timedelta(minutes=30))
    other = open_desk(desk.root, desk.clock.now())
    both = threading.Barrier(2)
    results = []

    def run(one):
        both.wait(timeout=10)
        results.append(one.tick())

    threads = [threading.Thread(target=run, args=(one,)) for one in (desk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == 2
    missed = [ident for result in results for ident in listed(result, "missed")]
    assert sorted(missed) == due[:3], "each was marked by one of them"
    with desk.env.store.read() as session:
        acts = session.exec(select(Action.target).where(Action.verb == "missed")).all()
    assert sorted(acts) == due[:3]
    assert desk.texts() == ["due 3"]
    other.close()


def test_a_replay_is_never_late(desk):
    due = [desk.add(f"due {n}", minutes=30 * n + 1) for n in range(4)]
    desk.tick()
    for _ in engine.replay(
        desk.env, desk.clock, desk.workspace.adapter, desk.workspace.stamp, START + timedelta(hours=5)
    ):
        pass
    assert states(desk, *due) == ["published"] * 4
    assert tick.last_beat(desk.root) == (START + timedelta(hours=5)).timestamp()


def test_the_rule_goes_by_the_engines_clock(tmp_path):
    """`--now` sets the heartbeat too: real time plays no part in a simulated day."""
    root = make_workspace(tmp_path / "w", {"fb": channel("page", **LIVE)})
    desk = open_desk(root)
    one, two = desk.add("one", minutes=5), desk.add("two", minutes=7)
    desk.close()
    assert cm("--now", "2026-11-23T09:00", "publish", cwd=root).returncode == 0
    assert tick.last_beat(root) == START.timestamp()
    near = json.loads(cm("--now", "2026-11-23T09:06", "publish", "--json", cwd=root).stdout)
    assert [entry["id"] for entry in near["published"]] == [one]
    three = open_desk(root, START).add("three", minutes=20)
    late = cm("--now", "2026-11-23T09:40", "publish", "--json", cwd=root)
    shape = json.loads(late.stdout)
    assert late.returncode == 7
    assert [entry["id"] for entry in shape["missed"]] == [two]
    assert [entry["id"] for entry in shape["published"]] == [three]


def test_the_cron_minute_after_a_silence_is_left_to_the_engine(desk):
    """What sleeps may be overdue; where nothing is, the minute costs nothing as ever."""
    desk.tick()
    now = desk.clock.now().timestamp() + tick.SILENT_AFTER + 1
    assert tick.nothing_due(str(desk.root), now)
    ident = desk.add("hello", minutes=1)
    mark(desk, ident, wake_at=START + timedelta(hours=1))
    assert not tick.nothing_due(str(desk.root), now)
    tick.beat(str(desk.root), now)
    assert tick.nothing_due(str(desk.root), now)


# --- two hours without network ----------------------------------------------------------------------------------------


def test_two_hours_without_network_over_a_planned_day(tmp_path):
    """At most one overdue post per channel goes out afterwards, the rest is missed and replanned in one command."""
    channels = {name: channel(account, **LIVE) for name, account in (("fb", "page"), ("x", "press"))}
    desk = desk_with(tmp_path, channels)
    (desk.root / "schedules" / "fb.yaml").write_text('slots: [{times: ["08:30", "12:30", "18:30"]}]\n')
    (desk.root / "schedules" / "x.yaml").write_text('slots: [{times: ["09:30", "13:30", "19:30"]}]\n')
    planned = {
        name: [desk.add(f"{name} {n}", to=name, minutes=minutes) for n, minutes in enumerate((5, 40, 70, 100, 300))]
        for name in channels
    }
    for name in channels:
        desk.platform.fail_next("retryable", times=10_000, account=channels[name]["account"])
    for _ in range(120):
        desk.tick(minutes=1)
    assert desk.texts("page") == desk.texts("press") == []
    desk.platform.clear_faults()
    for _ in range(90):
        desk.tick(minutes=1)
    for name, account in (("fb", "page"), ("x", "press")):
        went = [ident for ident in planned[name][:4] if desk.state(ident) == "published"]
        assert len(went) <= 1, states(desk, *planned[name])
        assert len(desk.texts(account)) == len(went)
        rest = [ident for ident in planned[name][:4] if ident not in went]
        assert states(desk, *rest) == ["missed"] * len(rest)
        assert desk.state(planned[name][4]) == "scheduled"
    desk.close()
    now = desk.clock.now().astimezone(desk.env.zone).strftime("%Y-%m-%dT%H:%M")
    moved = cm("--now", now, "move", "state:missed", "--next", "--yes", cwd=desk.root)
    assert moved.returncode == 0, moved.stderr
    again = open_desk(desk.root, desk.clock.now())
    assert not [ident for name in channels for ident in planned[name] if again.state(ident) == "missed"]
    again.close()


def test_a_short_outage_makes_nobody_miss_anything(desk):
    due = [desk.add(f"due {n}", minutes=n) for n in range(2)]
    desk.platform.fail_next("retryable", times=2)
    for _ in range(8):
        desk.tick(minutes=1)
    assert states(desk, *due) == ["published", "published"]


def test_an_account_that_could_not_be_checked_for_long_catches_up_with_one_post(desk):
    """Before the first sending of an account it is checked: an outage then is an outage too."""
    due = [desk.add(f"due {n}", minutes=10 * n + 1) for n in range(4)]
    desk.platform.fail_next("retryable", op="check", times=10_000)
    for _ in range(35):
        desk.tick(minutes=1)
    desk.platform.clear_faults()
    for _ in range(5):
        desk.tick(minutes=1)
    assert len(desk.texts()) == 1
    assert states(desk, *due) == ["missed", "missed", "missed", "published"]
    assert "out of reach" in desk.show(due[0]).reason


# --- spacing ----------------------------------------------------------------------------------------------------------


def run_minutes(desk, n):
    """Ticks of n minutes; gives text → minute at which it went out."""
    seen = {}
    for minute in range(n):
        for text in desk.texts():
            seen.setdefault(text, minute)
        desk.tick(minutes=1)
    for text in desk.texts():
        seen.setdefault(text, n)
    return seen


def test_posts_of_a_channel_keep_their_distance_and_their_order(spaced):
    for n in range(3):
        spaced.add(f"post {n}", minutes=n)
    assert listed(spaced.tick(), "published") == ["p1"]
    result = spaced.tick(minutes=1)
    assert listed(result, "deferred") == ["p2"]
    assert "a moment ago" in spaced.show("p2").reason
    assert spaced.tick(minutes=10).lists["published"] == {}
    run_minutes(spaced, 25)
    times = [post.created_at for post in spaced.platform.posts("page")]
    assert spaced.texts() == ["post 0", "post 1", "post 2"]
    assert [b - a for a, b in pairwise(times)] == [timedelta(minutes=15)] * 2


def test_an_urgent_post_follows_at_once_and_a_crisis_post_too(spaced):
    spaced.add("first")
    spaced.add("second", minutes=1)
    urgent, crisis = spaced.add("urgent", minutes=2), spaced.add("crisis", minutes=2)
    mark(spaced, urgent, urgent=True)
    mark(spaced, crisis, crisis=True)
    for _ in range(3):
        spaced.tick(minutes=1)
    assert spaced.texts() == ["first", "urgent", "crisis"]
    run_minutes(spaced, 20)
    assert spaced.texts()[-1] == "second"


def test_the_parts_of_a_thread_keep_none(spaced):
    spaced.add("one\n---\ntwo\n---\nthree")
    spaced.tick()
    assert spaced.texts() == ["one", "two", "three"]


def test_a_sending_that_showed_nothing_makes_nobody_wait(spaced):
    refused, retried, last = (spaced.add(text, minutes=n) for n, text in enumerate(("refused", "retried", "last")))
    spaced.platform.fail_next("rejected")
    spaced.platform.fail_next("retryable")
    spaced.tick(minutes=1)
    assert states(spaced, refused, retried) == ["failed", "scheduled"]
    seen = run_minutes(spaced, 20)
    assert states(spaced, retried, last) == ["published", "published"]
    assert abs(seen["last"] - seen["retried"]) >= 15


def test_a_lost_answer_counts_as_shown(tmp_path):
    forgets = {"honour_keys": False}
    desk = desk_with(tmp_path, {"fb": channel("page", settings=forgets, **SPACED)})
    desk.add("lost")
    after = desk.add("after", minutes=1)
    desk.platform.fail_next("unknown", when="after")
    for _ in range(12):
        desk.tick(minutes=1)
    assert desk.state(after) == "scheduled"
    assert desk.texts() == ["lost"]
    run_minutes(desk, 10)
    assert desk.texts() == ["lost", "after"]
    desk.close()


def test_what_waits_past_its_grace_is_missed_and_says_why(spaced):
    spaced.add("first")
    second = spaced.add("second", minutes=1)
    mark(spaced, second, grace=5)
    spaced.tick(minutes=1)
    run_minutes(spaced, 10)
    assert spaced.state(second) == "missed"
    assert "a moment ago" in spaced.show(second).reason


def test_what_waits_sleeps_and_a_changed_configuration_wakes_it(spaced):
    spaced.add("first")
    second = spaced.add("second", minutes=1)
    spaced.tick()
    spaced.tick(minutes=1)
    woken_at = spaced.row(second).wake_at
    assert woken_at == START + timedelta(minutes=15)
    spaced.close()
    config = spaced.root / "config.yaml"
    config.write_text(config.read_text().replace("spacing: 15", "spacing: 2"))
    again = open_desk(spaced.root, spaced.clock.now())
    again.tick()
    assert again.row(second).wake_at == START + timedelta(minutes=2)
    assert listed(again.tick(minutes=1), "published") == [second]
    again.close()


# --- backlog and `cm channel resume` ----------------------------------------------------------------------------------


@pytest.fixture
def flooded(tmp_path):
    """Six posts overdue at once on a channel whose day holds five."""
    made = desk_with(tmp_path, {"fb": channel("page", **{**LIVE, "spacing": 15, "grace": 300})})
    for n in range(6):
        made.add(f"post {n}", minutes=n, over="a test")
    made.clock.advance(timedelta(minutes=5))
    yield made
    made.close()


def test_more_posts_than_a_day_holds_stop_the_channel_once(flooded):
    result = flooded.tick()
    assert [(stopped.channel, stopped.kind) for stopped in result.stopped] == [("fb", "backlog")]
    assert result.exit_code == 7
    assert "6 posts are overdue" in result.stopped[0].reason
    assert result.stopped[0].mend == "cm channel resume fb"
    assert flooded.tick(minutes=1).stopped == []
    assert flooded.texts() == []
    assert flooded.state("p1") == "scheduled", "it is in its grace: a person decides"


def test_as_many_as_a_day_holds_do_not(tmp_path):
    desk = desk_with(tmp_path, {"fb": channel("page", **LIVE)})
    due = [desk.add(f"post {n}", minutes=n) for n in range(5)]
    assert listed(desk.tick(minutes=4), "published") == due
    desk.close()


def test_posts_for_which_haste_was_asked_are_not_counted(flooded):
    mark(flooded, "p6", urgent=True)
    assert flooded.tick().stopped == []


def test_the_flood_is_a_persons_even_after_a_silence(flooded):
    """The newest does not slip out either: the channel stops."""
    beat = flooded.root / ".cm" / "heartbeat"
    beat.parent.mkdir(exist_ok=True)
    tick.beat(str(flooded.root), (START - timedelta(hours=1)).timestamp())
    result = flooded.tick()
    assert result.stopped
    assert flooded.texts() == []
    assert [flooded.state(f"p{n}") for n in range(1, 7)] == ["scheduled"] * 6


def test_a_resumed_channel_catches_up_in_order_and_does_not_stop_again(flooded):
    flooded.tick()
    done = resume(flooded.env, "fb")
    assert (done.paused, done.kind, done.released, done.missed) == (
        True,
        "backlog",
        tuple(f"p{n}" for n in range(1, 7)),
        (),
    )
    for _ in range(90):
        assert flooded.tick(minutes=1).stopped == []
    assert flooded.texts() == [f"post {n}" for n in range(6)]
    times = [post.created_at for post in flooded.platform.posts("page")]
    assert min(b - a for a, b in pairwise(times)) >= timedelta(minutes=15)


def test_only_the_newest_are_released(flooded):
    flooded.tick()
    done = resume(flooded.env, "fb", release=2)
    assert (done.released, done.missed) == (("p5", "p6"), ("p1", "p2", "p3", "p4"))
    run_minutes(flooded, 40)
    assert flooded.texts() == ["post 4", "post 5"]
    assert flooded.state("p1") == "missed"
    assert "resumed" in flooded.show("p1").reason


def test_none_is_released(flooded):
    later = flooded.add("later", minutes=60, over="a test")
    flooded.tick()
    done = resume(flooded.env, "fb", miss_all=True)
    assert (done.released, len(done.missed)) == ((), 6)
    for _ in range(60):
        flooded.tick(minutes=1)
    assert flooded.texts() == ["later"]
    assert flooded.state(later) == "published"


def test_what_a_person_released_during_a_silence_is_not_taken_back(flooded):
    """They knew that cron was away; the next run is the late one."""
    flooded.tick()
    flooded.clock.advance(timedelta(minutes=30))
    resume(flooded.env, "fb")
    flooded.tick(minutes=1)
    run_minutes(flooded, 90)
    assert flooded.texts() == [f"post {n}" for n in range(6)]


def test_what_is_due_in_the_moment_of_the_resume_is_released_too(tmp_path):
    desk = desk_with(tmp_path, {"fb": channel("page", **LIVE)})
    idents = [desk.add(f"post {n}", over="a test") for n in range(6)]
    assert len(desk.tick().stopped) == 1
    assert resume(desk.env, "fb").released == tuple(idents)
    assert desk.tick().stopped == []
    assert states(desk, *idents) == ["published"] * 6
    desk.close()


def test_a_flood_that_heaps_up_after_that_stops_it_again(flooded):
    flooded.tick()
    resume(flooded.env, "fb", miss_all=True)
    for n in range(6):
        flooded.add(f"again {n}", minutes=2, over="a test")
    assert flooded.tick(minutes=2).stopped


def test_resume_of_the_command_line(flooded):
    flooded.tick()
    local = flooded.clock.now().astimezone(flooded.env.zone).strftime("%Y-%m-%dT%H:%M")
    flooded.close()

    def said(*args):
        return cm("--now", local, "channel", "resume", *args, cwd=flooded.root)

    assert said("fb", "--release", "2", "--miss-all").returncode == 2
    assert said("fb", "--release", "0").returncode == 2
    assert said("nowhere").returncode == 5
    dry = said("fb", "--release", "2", "--dry-run", "--json")
    assert (dry.returncode, json.loads(dry.stdout)["released"]) == (0, ["p5", "p6"])
    done = said("fb", "--release", "2", "--json")
    shape = json.loads(done.stdout)
    assert (done.returncode, shape["kind"], shape["released"], len(shape["missed"])) == (0, "backlog", ["p5", "p6"], 4)
    assert "2 overdue posts go out" in done.stderr
    assert "4 overdue posts are missed → cm move state:missed --next" in done.stderr
    again = said("fb")
    assert (again.returncode, again.stdout) == (0, "")
    assert "fb is not stopped" in again.stderr
    log = cm("--now", local, "channel", "resume", "fb", "--json", cwd=flooded.root)
    assert json.loads(log.stdout)["paused"] is False


@pytest.mark.parametrize("fault", ["auth_failed", "rate_limited"])
def test_resume_ends_any_pause(desk, fault):
    ident = desk.add("hello")
    desk.platform.fail_next(fault)
    desk.tick()
    assert desk.state(ident) == "scheduled"
    assert desk.tick(minutes=1).quiet
    done = resume(desk.env, "fb")
    assert (done.kind, done.released) == ({"auth_failed": "auth"}.get(fault, "rate_limit"), (ident,))
    assert listed(desk.tick(), "published") == [ident]
    with desk.env.store.read() as session:
        acts = session.exec(select(Action).where(Action.verb == "channel.resume")).all()
    assert [(act.target, act.detail["released"]) for act in acts] == [("fb", 1)]


def test_resume_of_a_channel_that_does_not_exist(desk):
    with pytest.raises(NotFound):
        resume(desk.env, "nowhere")


def test_a_resume_does_not_send_in_another_accounts_name(desk):
    """The token leads to somebody else now: that is asked again before anything is sent."""
    desk.add("hello")
    desk.tick()
    with desk.env.store.write() as session:
        account = session.exec(select(Account)).first()
        account.remote_id = "somebody else"
        account.checked_at = None
        session.add(account)
    second = desk.add("second", minutes=1)
    assert desk.tick(minutes=1).stopped
    resume(desk.env, "fb")
    assert desk.tick(minutes=1).stopped
    assert (desk.state(second), desk.texts()) == ("scheduled", ["hello"])
    desk.close()
    local = desk.clock.now().astimezone(desk.env.zone).strftime("%Y-%m-%dT%H:%M")
    done = cm("--now", local, "channel", "resume", "fb", "--accept-identity", "--json", cwd=desk.root)
    assert (done.returncode, json.loads(done.stdout)["released"]) == (0, [second]), done.stderr
    again = open_desk(desk.root, desk.clock.now())
    again.tick(minutes=1)
    assert again.texts() == ["hello", "second"]
    again.close()


# --- holds ------------------------------------------------------------------------------------------------------------


def test_a_post_whose_time_comes_under_a_hold_is_missed_and_says_so(desk):
    ident, later = desk.add("hello", minutes=5), desk.add("later", minutes=30)
    hold = holds.set_hold(desk.env, reason="fire in block B")
    assert desk.tick(minutes=1).quiet
    result = desk.tick(minutes=4)
    assert (listed(result, "missed"), result.exit_code) == ([ident], 7)
    assert "fire in block B" in desk.show(ident).reason
    assert desk.row(ident).held_by == hold.id
    holds.end_holds(desk.env)
    assert desk.tick(minutes=5).quiet, "the end of a hold releases only what is not yet due"
    for _ in range(4):
        desk.tick(minutes=5)
    assert (desk.state(ident), desk.state(later), desk.texts()) == ("missed", "published", ["later"])


def test_a_hold_that_runs_out_releases_only_what_is_not_yet_due(desk):
    """Nobody ran the engine meanwhile: the post's time came under the hold all the same."""
    desk.tick()
    held, after = desk.add("held", minutes=3), desk.add("after", minutes=7)
    holds.set_hold(desk.env, until=desk.clock.now() + timedelta(minutes=5))
    desk.tick(minutes=8)
    assert states(desk, held, after) == ["missed", "published"]
    assert desk.row(held).held_by == 1


def test_a_hold_of_one_channel_leaves_the_other(desk):
    press, public = desk.add("press", to="x"), desk.add("public")
    holds.set_hold(desk.env, channels=["x"])
    desk.tick()
    assert states(desk, press, public) == ["missed", "published"]


def test_a_crisis_post_passes(desk):
    ident = desk.add("holding statement")
    mark(desk, ident, crisis=True)
    holds.set_hold(desk.env)
    assert listed(desk.tick(), "published") == [ident]


def test_a_post_in_back_off_is_missed_when_a_hold_comes(desk):
    ident = desk.add("hello")
    desk.platform.fail_next("retryable")
    desk.tick()
    assert desk.row(ident).wake_at > desk.clock.now()
    holds.set_hold(desk.env)
    assert listed(desk.tick(), "missed") == [ident]
    holds.end_holds(desk.env)
    desk.tick(minutes=5)
    assert desk.texts() == []


def test_a_begun_thread_fails_under_a_hold_and_shows_what_is_out(desk):
    ident = desk.add("one\n---\ntwo")
    with at_stage("recorded", lambda: holds.set_hold(desk.env, reason="fire")):
        result = desk.tick()
    assert (listed(result, "failed"), result.exit_code) == ([ident], 7)
    view = desk.show(ident)
    assert (view.state.value, [bool(message.receipt) for message in view.messages]) == ("failed", [True, False])
    assert "fire" in view.reason
    assert desk.row(ident).held_by == 1
    assert desk.texts() == ["one"]


def test_a_sending_in_doubt_is_not_repeated_under_a_hold(desk):
    ident = desk.add("hello")
    desk.platform.fail_next("unknown", when="before")
    desk.tick()
    holds.set_hold(desk.env)
    for _ in range(10):
        desk.tick(minutes=3)
    assert desk.texts() == []
    assert sum(attempt.sending_at is not None for attempt in desk.attempts()) == 1
    assert desk.state(ident) in ("publishing", "unconfirmed", "failed", "missed")


def test_a_file_holds_from_the_moment_it_is_there(desk):
    first, second = desk.add("first", minutes=1), desk.add("second", minutes=20)
    (desk.root / "HOLD").write_text("fire in block B\n")
    assert listed(desk.tick(minutes=1), "missed") == [first]
    assert "fire in block B" in desk.show(first).reason
    with desk.env.store.read() as session:
        row = session.exec(select(Hold)).one()
    assert (row.source, row.ended_at, desk.row(first).held_by) == ("file", None, row.id)
    (desk.root / "HOLD").unlink()
    for _ in range(4):
        desk.tick(minutes=5)
    assert (desk.state(second), desk.texts()) == ("published", ["second"])
    with desk.env.store.read() as session:
        assert session.exec(select(Hold)).one().ended_at is not None


def test_a_signal_holds_and_is_written_down(desk):
    ident = desk.add("hello")
    desk.env.signals.hold.set()
    assert listed(desk.tick(), "missed") == [ident]
    with desk.env.store.read() as session:
        row = session.exec(select(Hold)).one()
    assert (row.source, desk.row(ident).held_by) == ("signal", row.id)
    other = open_desk(desk.root, desk.clock.now())
    second = other.add("second", minutes=1)
    assert listed(other.tick(minutes=1), "missed") == [second], "other processes hold too"
    other.close()


# --- while a run is in flight -----------------------------------------------------------------------------------------


def hold_by_file(desk, _ident):
    (desk.root / "HOLD").touch()


def hold_by_signal(desk, _ident):
    desk.env.signals.hold.set()


def hold_by_command(desk, _ident):
    holds.set_hold(desk.env)


def change_text(desk, ident):
    """An edit in the database's own way, as nothing else can touch a post that is being published."""
    with desk.env.store.write() as session:
        session.connection().exec_driver_sql(f"UPDATE message SET text = 'edited' WHERE post_id = {ident[1:]}")


def withdraw_approval(desk, ident):
    """What is approved is a hash: the approval of this text is gone when that of another stands there."""
    with desk.env.store.write() as session:
        session.connection().exec_driver_sql(f"UPDATE post SET content_hash = 'other' WHERE id = {ident[1:]}")


@pytest.mark.parametrize("stage", ["claimed", "preparing", "prepared"])
@pytest.mark.parametrize("act", [hold_by_file, hold_by_signal, hold_by_command, change_text, withdraw_approval])
def test_nothing_is_sent_after_it(desk, act, stage):
    """The gate is asked again in the very transaction that marks the sending."""
    ident, after = desk.add("hello"), desk.add("after", minutes=1)
    with at_stage(stage, lambda: act(desk, ident)):
        desk.tick()
    assert desk.texts() == []
    assert [attempt.sending_at for attempt in desk.attempts()] == [None]
    held = act in (hold_by_file, hold_by_signal, hold_by_command)
    assert desk.state(ident) == ("missed" if held else "scheduled")
    desk.tick(minutes=1)
    assert desk.state(after) == ("missed" if held else "published")


@pytest.mark.parametrize("act", [hold_by_file, hold_by_signal, hold_by_command])
def test_the_next_part_is_not_sent_after_a_hold(desk, act):
    ident = desk.add("one\n---\ntwo\n---\nthree")
    with at_stage("recorded", lambda: act(desk, ident), nth=2):
        desk.tick()
    assert (desk.state(ident), desk.texts()) == ("failed", ["one", "two"])


@pytest.mark.parametrize("stage", ["claimed", "preparing", "prepared", "sending", "answered"])
def test_what_is_being_published_can_neither_be_cancelled_nor_edited(desk, stage):
    """So that an acknowledged cancel is never followed by a sending."""
    ident = desk.add("hello")
    refused = []

    def act():
        for change in (lambda: cancel(desk.env, ident), lambda: edit(desk.env, ident, post_changes(text="other"))):
            try:
                change()
            except Refused as error:
                refused.append(error)

    with at_stage(stage, act):
        desk.tick()
    assert len(refused) == 2
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_a_cancel_between_the_check_and_the_claim_wins(desk):
    one, two = desk.add("one"), desk.add("two", minutes=1)
    desk.clock.advance(timedelta(minutes=1))
    with at_stage("locked", lambda: cancel(desk.env, one)):
        desk.tick()
    assert states(desk, one, two) == ["cancelled", "published"]
    with at_stage("recorded", lambda: None):
        desk.tick()
    assert desk.texts() == ["two"]


def test_an_edit_before_the_claim_is_what_goes_out(desk):
    ident = desk.add("hello")
    with at_stage("locked", lambda: edit(desk.env, ident, post_changes(text="edited"))):
        desk.tick()
    desk.tick(minutes=1)
    assert desk.texts() == ["edited"]


@pytest.mark.parametrize("command", [None, ("hold", "on", "--reason", "fire")], ids=["file", "command"])
def test_a_frozen_worker_sends_nothing_after_a_hold(tmp_path, command):
    """The real command, stopped between prepare and sending; the hold comes from another process."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", **LIVE)}), now - timedelta(minutes=5))
    ident = desk.add("hello")
    start = [sys.executable, str(STOPPER), "prepared", "SIGSTOP", "-C", str(desk.root), "publish"]
    worker = subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.waitpid(worker.pid, os.WUNTRACED)
    assert desk.state(ident) == "publishing"
    if command:
        held = cm(*command, cwd=desk.root)
        assert held.returncode == 0, held.stderr
    else:
        (desk.root / "HOLD").touch()
    os.kill(worker.pid, signal.SIGCONT)
    said = worker.communicate(timeout=60)[1]
    assert worker.returncode == 7, said
    assert (desk.state(ident), desk.texts()) == ("missed", [])
    assert [attempt.sending_at for attempt in desk.attempts()] == [None]
    desk.close()


# --- the pure rules ---------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTES = st.integers(-600, 600).map(lambda minutes: timedelta(minutes=minutes))
POSTS = st.lists(
    st.builds(
        Overdue,
        id=st.integers(1, 10_000),
        due=MINUTES.map(lambda gap: NOW - abs(gap)),
        urgent=st.booleans(),
        crisis=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda post: post.id,
)


@given(POSTS, st.integers(0, 12))
def test_the_newest_are_kept_and_everything_is_one_or_the_other(posts, n):
    kept, left = overdue.newest(posts, n), overdue.left_behind(posts, n)
    assert len(kept) == min(n, len(posts))
    assert sorted([*kept, *left], key=lambda post: post.id) == sorted(posts, key=lambda post: post.id)
    assert [(post.due, post.id) for post in kept] == sorted((post.due, post.id) for post in kept)
    for one in kept:
        for other in left:
            assert (one.crisis, one.due) >= (other.crisis, other.due)


@given(POSTS, st.integers(0, 12))
def test_a_flood_is_more_than_a_day_holds(posts, most):
    calm = [post for post in posts if not post.urgent and not post.crisis]
    assert overdue.flooded(posts, most) == (len(calm) > most)


@given(MINUTES)
def test_a_silence_lasts_longer_than_ten_minutes(gap):
    assert overdue.silent(NOW - gap, NOW) == (gap > timedelta(minutes=10))
    assert not overdue.silent(None, NOW)


@given(kind=st.sampled_from(["breaker", "check", "rate_limit", "auth", "backlog", None]), since=MINUTES, rest=MINUTES)
def test_cut_off_is_who_was_out_of_reach_for_long_and_until_just_now(kind, since, rest):
    until = NOW + rest
    was = Rest(kind, until - abs(since), until)
    expected = (
        kind in ("breaker", "check")
        and abs(since) > timedelta(minutes=10)
        and timedelta() <= NOW - until <= timedelta(minutes=10)
    )
    assert overdue.cut_off(was, NOW) == expected
    assert not (overdue.cut_off(was, NOW) and was.lasts(NOW))
    assert not overdue.cut_off(Rest(), NOW)
