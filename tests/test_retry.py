"""Failed and missed posts are tried again now, in one command and one step to undo."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm.calendar.bulk import cancel_all
from cm.calendar.drafting import post_changes
from cm.calendar.posts import edit
from cm.calendar.undo import undo
from cm.clock import SettableClock
from cm.errors import NotFound, UsageError
from cm.publishing.retry import retry_all, this_minute
from cm.publishing.takedown import take_down


@pytest.fixture
def desk(tmp_path):
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page"), "x": channel("press")}))
    yield made
    made.close()


def failed(desk: Desk, text: str = "hello") -> str:
    """A post that the platform refuses after it was out of reach twice: three attempts are spent."""
    ident = desk.add(text)
    desk.platform.fail_next("retryable", "prepare", times=2)
    desk.platform.fail_next("rejected", "prepare")
    for _attempt in range(3):
        desk.tick(minutes=3)
    assert desk.state(ident) == "failed"
    return ident


def missed(desk: Desk, text: str = "late", **given) -> str:
    """A post that nobody published in its time."""
    ident = desk.add(text, **given)
    desk.tick(minutes=70)
    assert desk.state(ident) == "missed"
    return ident


def test_a_failed_post_goes_out_with_the_next_run_and_all_its_attempts(desk):
    ident = failed(desk)
    desk.clock.advance(timedelta(seconds=42))
    done = retry_all(desk.env, [ident])
    view = done.posts[0]
    assert (view.state.value, view.reason) == ("scheduled", None)
    assert view.scheduled_at == desk.clock.now().replace(second=0, microsecond=0)
    assert view.wall == f"{view.scheduled_at:%Y-%m-%dT%H:%M}"
    desk.platform.fail_next("retryable", "prepare", times=2)
    for _attempt in range(3):
        desk.tick(minutes=3)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"]), "what was spent before counts no more"
    assert len(desk.attempts()) == 6


def test_a_missed_post_has_its_grace_from_now(desk):
    ident = missed(desk)
    desk.clock.advance(timedelta(hours=9))
    retry_all(desk.env, [ident])
    desk.tick(minutes=5)
    assert (desk.state(ident), desk.texts()) == ("published", ["late"])


def test_many_by_a_filter_as_one_step_to_undo(desk):
    idents = [missed(desk, f"post {n}") for n in range(3)]
    planned = desk.add("planned", minutes=60)
    done = retry_all(desk.env, ["state:missed"])
    assert [view.id for view in done.posts] == idents
    undone = undo(desk.env)
    assert len(undone.undone[0].restored) == 3
    assert {desk.state(ident) for ident in idents} == {"missed"}
    assert desk.state(planned) == "scheduled"


def test_a_dry_run_changes_nothing(desk):
    ident = missed(desk)
    done = retry_all(desk.env, ["state:missed,failed"], dry_run=True)
    assert ([view.state.value for view in done.posts], desk.state(ident)) == (["scheduled"], "missed")


def test_only_failed_and_missed_posts_are_tried_again(desk):
    late, planned, out = missed(desk), desk.add("later", minutes=60), desk.add("out")
    desk.tick()
    gone = desk.add("gone", minutes=90)
    cancel_all(desk.env, [gone])
    done = retry_all(desk.env, [late, planned, gone, out])
    assert [view.id for view in done.posts] == [late]
    assert [left.id for left in done.left] == [out, planned, gone]
    with pytest.raises(NotFound):
        retry_all(desk.env, ["p99"])


def test_what_is_out_of_a_thread_stays_out(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"max_characters": 10})}))
    ident = desk.add("one\n---\ntwo is far too long\n---\nthree")
    desk.tick()
    edit(desk.env, ident, post_changes(text="one\n---\n2\n---\nthree"))
    retry_all(desk.env, [ident])
    desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == ("published", ["one", "2", "three"])
    desk.close()


def test_what_was_refused_and_made_all_the_same_is_found_and_not_made_twice(desk):
    ident = desk.add("hello")
    desk.platform.fail_next("rejected", when="after")
    desk.tick()
    assert (desk.state(ident), desk.texts()) == ("failed", ["hello"])
    retry_all(desk.env, [ident])
    for _minute in range(5):
        desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_a_full_day_takes_no_more_without_a_reason(tmp_path):
    cadence = {"min": 0, "max": 1}
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", cadence=cadence)}))
    ident = missed(desk)
    desk.add("in its place", minutes=60)
    assert [left.id for left in retry_all(desk.env, [ident]).left] == [ident]
    with pytest.raises(UsageError):
        retry_all(desk.env, [ident], over=" ")
    assert retry_all(desk.env, [ident], over="both matter").posts[0].over_reason == "both matter"
    desk.close()


def test_what_was_taken_down_is_not_gone_on_with(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"max_characters": 10})}))
    ident = desk.add("one\n---\ntwo\n---\nthree is far too long")
    desk.tick()
    assert (desk.state(ident), desk.texts()) == ("failed", ["one", "two"])
    desk.platform.fail_next("unknown", "delete", times=2, when="after")
    take_down(desk.env, desk.workspace.adapter, ident, "error")
    assert desk.show(ident).withdrawal == "unconfirmed"
    left = retry_all(desk.env, [ident]).left
    assert "taken down" in left[0].reason
    desk.close()


def test_the_doubled_hour_of_the_year_is_this_minute_too(desk):
    """02:30 comes twice on 25 October 2026; the second one is now, and not an hour ago."""
    desk.clock.set(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    plan = this_minute(desk.env)
    assert (plan.instant, f"{plan.wall:%H:%M}") == (desk.clock.now(), "02:30")


@given(st.integers(0, 10 * 366 * 86_400))
def test_the_plan_is_never_late_and_never_to_come(paris, seconds):
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    plan = this_minute(paris(now))
    assert timedelta(0) <= now - plan.instant < timedelta(minutes=1)
    assert plan.wall == plan.instant.astimezone(paris(now).zone).replace(tzinfo=None)


@pytest.fixture(scope="module")
def paris(tmp_path_factory):
    """An environment whose clock stands where it is told."""
    made = open_desk(make_workspace(tmp_path_factory.mktemp("paris") / "w", {"fb": channel("page")}))

    def at(now: datetime):
        assert isinstance(made.clock, SettableClock)
        made.clock.set(now)
        return made.env

    yield at
    made.close()


def test_the_command(desk):
    ident, other = missed(desk), missed(desk, "another")
    root = str(desk.root)
    one = cm("-C", root, "post", "retry", ident, "--json")
    assert (one.returncode, json.loads(one.stdout)["state"]) == (0, "scheduled")
    again = cm("-C", root, "post", "retry", ident)
    assert again.returncode == 4
    assert "only failed and missed" in again.stderr
    many = cm("-C", root, "post", "retry", "state:missed", "--dry-run", "--json")
    assert [post["id"] for post in json.loads(many.stdout)["posts"]] == [other]
    said = cm("-C", root, "post", "retry", "state:missed")
    assert (said.returncode, "next run" in said.stderr) == (0, True)
    for text in ("a third", "a fourth"):
        missed(desk, text)
    unasked = cm("-C", root, "post", "retry", "state:missed")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True), "several go out at once: a person is asked"
    assert cm("-C", root, "post", "retry", "state:missed", "--yes").returncode == 0
