"""Many posts at once: slots refilled within the quota, what is left is told, nothing is done unasked."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support_calendar import SETTINGS, add, at, make_env, set_state, table
from support_cli import at_a_terminal

from cm.calendar import bulk, posts, undo
from cm.calendar.planning import counts_of
from cm.calendar.sql import ACTION, POST
from cm.clock import SettableClock
from cm.config import Config
from cm.env import Env
from cm.errors import NotFound, Refused, UsageError
from cm.model.states import LOCKED, PostState

RunJson = Callable[..., Any]
Run = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]
NOW = ("--now", "2026-11-20T12:00")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """Friday 2026-11-20, 11:00; slots at 08:30, 10:30, 12:30, 17:00 and 19:00, at most 5 posts a day."""
    return make_env(tmp_path)


def missed(env: Env, count: int, channel: str = "facebook") -> list[str]:
    """Posts of this morning that did not go out, the latest first."""
    names = []
    for n in range(count):
        view = add(env, f"Post {n}", channel=channel, wall="2026-11-20T11:30", draft=True)
        due = env.now - timedelta(minutes=10 + n)
        set_state(env, view, PostState.MISSED, scheduled_at=due, wake_at=None, reason="late")
        names.append(view.id)
    return names


def places(result: bulk.BulkResult) -> list[tuple[str, str | None]]:
    return [(view.id, view.wall) for view in result.posts]


# --- moving -----------------------------------------------------------------------------------------------------------


def test_missed_posts_refill_the_open_slots_in_order_of_time(env: Env) -> None:
    add(env, wall="2026-11-20T17:00")
    missed(env, 3)
    result = bulk.move_all(env, ["state:missed"])
    assert places(result) == [("p4", "2026-11-20T12:30"), ("p3", "2026-11-20T19:00"), ("p2", "2026-11-21T08:30")]
    assert {view.state for view in result.posts} == {PostState.SCHEDULED}
    assert result.left == ()
    verbs = [(row["verb"], row["target"]) for row in table(env, ACTION)][-3:]
    assert verbs == [("post.move", "p4"), ("post.move", "p3"), ("post.move", "p2")]
    assert undo.steps(env)[0].posts == 3


def test_the_quota_of_each_day_is_kept(env: Env) -> None:
    for hour in (13, 14, 15, 16):
        add(env, wall=f"2026-11-20T{hour}:00")
    missed(env, 3)
    assert places(bulk.move_all(env, ["state:missed"])) == [
        ("p7", "2026-11-20T12:30"),
        ("p6", "2026-11-21T08:30"),
        ("p5", "2026-11-21T10:30"),
    ]
    with env.store.read() as session:
        assert max(counts_of(session, "facebook", [at("2026-11-20T00:00").date()]).values()) == 5


def test_scheduled_posts_give_room_to_the_day_they_leave(env: Env) -> None:
    for hour in (12, 13, 14, 15, 16):
        add(env, wall=f"2026-11-20T{hour}:15")
    result = bulk.move_all(env, ["day:2026-11-20"])
    assert [wall for _id, wall in places(result)] == [
        "2026-11-20T12:30", "2026-11-20T17:00", "2026-11-20T19:00", "2026-11-21T08:30", "2026-11-21T10:30",
    ]  # fmt: skip


def test_posts_that_find_no_room_are_told_and_left(tmp_path: Path) -> None:
    env = make_env(tmp_path, schedules={"facebook": SETTINGS["schedules"]["facebook"]})
    missed(env, 1)
    missed(env, 1, "twitter")
    result = bulk.move_all(env, ["state:missed"])
    assert [view.id for view in result.posts] == ["p1"]
    assert [(left.id, left.reason) for left in result.left] == [("p2", "The channel twitter has no slots.")]
    assert posts.show(env, "p2").state is PostState.MISSED


def test_a_post_of_a_channel_that_is_gone_is_told_and_left(env: Env) -> None:
    missed(env, 1, "twitter")
    missed(env, 2)
    only = Config.model_validate(
        {**SETTINGS, **{part: {"facebook": SETTINGS[part]["facebook"]} for part in ("channels", "schedules")}}
    )
    result = bulk.move_all(replace(env, config=only), ["state:missed"])
    assert [view.id for view in result.posts] == ["p3", "p2"]
    assert [left.id for left in result.left] == ["p1"]
    assert "twitter" in result.left[0].reason
    assert posts.show(env, "p1").state is PostState.MISSED
    assert undo.steps(env)[0].posts == 2


@pytest.mark.parametrize("state", sorted(LOCKED))
def test_what_has_left_is_left_alone(env: Env, state: PostState) -> None:
    view = add(env, wall="2026-11-24T09:00")
    add(env, wall="2026-11-24T10:00")
    set_state(env, view, state)
    for act in (bulk.move_all, bulk.cancel_all):
        result = act(env, ["day:2026-11-24"], dry_run=True)
        assert [one.id for one in result.left] == ["p1"]
        assert str(state) in result.left[0].reason
        assert [one.id for one in result.posts] == ["p2"]


@pytest.mark.parametrize("state", [PostState.DRAFT, PostState.CANCELLED])
def test_what_nobody_plans_to_send_is_moved_only_by_name(env: Env, state: PostState) -> None:
    view = add(env, wall="2026-11-24T09:00", theme="vie", ref="un", draft=True)
    add(env, wall="2026-11-24T10:00", ref="deux")
    set_state(env, view, state)
    (left,) = bulk.move_all(env, ["theme:vie"]).left
    assert f"state:{state}" in left.reason
    assert posts.show(env, "p1").state is state
    assert bulk.move_all(env, [f"state:{state}"], dry_run=True).left == ()
    for name in ("id:1", "id:p1", "ref:un"):
        assert bulk.move_all(env, [name, "theme:vie"], dry_run=True).left == ()
    assert [left.id for left in bulk.move_all(env, ["not-ref:deux", "theme:vie"]).left] == ["p1"]
    assert bulk.move_all(env, ["p1", "theme:vie"]).posts[0].state is PostState.SCHEDULED


def test_several_posts_are_not_put_at_one_time(env: Env) -> None:
    add(env, wall="2026-11-24T09:00", ref="un")
    add(env, wall="2026-11-24T10:00")
    with pytest.raises(Refused, match="2 posts cannot stand at one time"):
        bulk.move_all(env, ["day:2026-11-24"], at("2026-11-25T09:00"))
    result = bulk.move_all(env, ["ref:un"], at("2026-11-25T09:00"))
    assert places(result) == [("p1", "2026-11-25T09:00")]
    assert result.was == {"p1": "2026-11-24T09:00"}


# --- cancelling, agreeing ---------------------------------------------------------------------------------------------


def test_cancelling_keeps_the_reason_and_tells_what_was_cancelled_before(env: Env) -> None:
    for hour in (9, 10):
        add(env, wall=f"2026-11-24T{hour:02}:00", campaign="noel")
    posts.cancel(env, "p1", "doublon")
    result = bulk.cancel_all(env, ["campaign:noel"], "campagne arrêtée")
    assert [(view.id, view.state, view.reason) for view in result.posts] == [
        ("p2", PostState.CANCELLED, "campagne arrêtée")
    ]
    assert [(left.id, left.reason) for left in result.left] == [("p1", "p1 is cancelled already.")]


def test_only_what_was_agreed_to_is_done(env: Env) -> None:
    missed(env, 2)
    shown = bulk.move_all(env, ["state:missed"], dry_run=True)
    before = table(env, POST)
    posts.edit(env, "p1", posts.PostChanges(text="Autre"))
    with pytest.raises(Refused, match="has changed since you looked"):
        bulk.move_all(env, ["state:missed"], agreed=shown)
    shown = bulk.move_all(env, ["state:missed"], dry_run=True)
    assert isinstance(env.clock, SettableClock)
    env.clock.advance(timedelta(hours=1))
    with pytest.raises(Refused, match="has changed since you looked"):
        bulk.move_all(env, ["state:missed"], agreed=bulk.move_all(env, ["p1"], dry_run=True))
    assert [post["state"] for post in table(env, POST)] == [post["state"] for post in before]
    shown = bulk.move_all(env, ["state:missed"], dry_run=True)
    assert places(bulk.move_all(env, ["state:missed"], agreed=shown)) == places(shown)


def test_names_and_reasons_are_checked(env: Env) -> None:
    add(env)
    with pytest.raises(NotFound):
        bulk.cancel_all(env, ["p1", "p99"])
    with pytest.raises(UsageError, match="--why"):
        bulk.cancel_all(env, ["p1", "p1"], " ")
    assert posts.show(env, "p1").state is PostState.SCHEDULED


# --- the command line -------------------------------------------------------------------------------------------------


def test_one_id_answers_with_its_post_and_several_with_a_list(example: Path, run_json: RunJson) -> None:
    one = run_json(*NOW, "move", "fb-d00-a", "25/11", "21h", cwd=example)
    assert (one["id"], one["wall"]) == ("p1", "2026-11-25T21:00")
    assert (
        run_json(*NOW, "post", "move", "p1", "--at", "demain 21h", "--dry-run", cwd=example)["wall"]
        == "2026-11-21T21:00"
    )
    assert run_json("post", "p1", cwd=example)["wall"] == "2026-11-25T21:00"
    several = run_json(*NOW, "move", "id:p1", "demain 21h", cwd=example)
    assert [post["wall"] for post in several["posts"]] == ["2026-11-21T21:00"]
    assert (several["left"], several["dry_run"]) == ([], False)
    both = run_json(*NOW, "post", "cancel", "p1", "fb-d00-b", "--yes", cwd=example)
    assert [post["state"] for post in both["posts"]] == ["cancelled", "cancelled"]


def test_the_time_understood_is_said_in_full(example: Path, run: Run) -> None:
    done = run(*NOW, "move", "p1", "demain", "9h", cwd=example)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[0] == "Saturday 21 November 2026, 09:00 (Europe/Paris)"
    refused = run(*NOW, "move", "p1", "demain", "peut-être", cwd=example)
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize("args", [("move", "channel:fb", "--next"), ("post", "cancel", "week:next", "channel:fb")])
def test_without_a_terminal_several_posts_need_yes(
    example: Path, run_err: RunErr, run: Run, args: tuple[str, ...]
) -> None:
    before = run("post", "list", "--json", cwd=example).out
    assert "--yes" in run_err(2, *NOW, *args, cwd=example)["hint"]
    shown = run(*NOW, *args, "--dry-run", cwd=example)
    assert shown.code == 0
    assert "Nothing was written" in shown.err
    assert run("post", "list", "--json", cwd=example).out == before


@pytest.mark.parametrize(
    ("answer", "code", "state"), [("y", 0, "cancelled"), ("oui", 0, "cancelled"), ("", 4, "scheduled")]
)
def test_at_a_terminal_the_list_is_shown_and_asked_for(
    example: Path, run_json: RunJson, answer: str, code: int, state: str
) -> None:
    ended, seen = at_a_terminal(*NOW, "post", "cancel", "p1", "p2", answer=answer, cwd=example)
    assert ended == code
    assert seen.index("p2") < seen.index("Cancel 2 posts? [y/N]")
    assert ("2 posts cancelled." in seen) is (code == 0)
    assert seen.count("p2 ") == 1
    assert {post["state"] for post in run_json("post", "list", "p1", "p2", cwd=example)["posts"]} == {state}


def test_posts_that_are_left_end_with_4(example: Path, run: Run) -> None:
    run(*NOW, "post", "cancel", "p1", cwd=example)
    done = run(*NOW, "post", "cancel", "p1", "p2", "--yes", "--json", cwd=example)
    assert done.code == 4
    assert [post["id"] for post in done.json["posts"]] == ["p2"]
    assert done.json["left"] == [{"id": "p1", "reason": "p1 is cancelled already."}]


def test_a_filter_that_means_nothing_does_nothing(example: Path, run: Run, run_json: RunJson) -> None:
    assert run_json(*NOW, "move", "state:missed", "--next", cwd=example)["posts"] == []
    assert run(*NOW, "move", "state:missed", "--next", cwd=example).err == "0 posts moved.\n"


def test_undo_on_the_command_line(example: Path, run: Run, run_json: RunJson, run_err: RunErr) -> None:
    assert run_err(5, *NOW, "undo", cwd=example)["kind"] == "not_found"
    run_json(*NOW, "move", "channel:x", "day:2026-11-23", "--next", "--yes", cwd=example)
    moved = len(run_json("undo", "--list", cwd=example)["steps"][0]["ids"])
    assert moved
    run_json(*NOW, "post", "cancel", "p1", cwd=example)
    listed = run(*NOW, "undo", "--list", cwd=example)
    assert "cancelling of 1 post" in listed.out
    assert "2 steps can be taken back." in listed.err
    assert run_json(*NOW, "undo", "--dry-run", cwd=example)["dry_run"] is True
    done = run(*NOW, "undo", cwd=example)
    assert done.err.splitlines()[0] == "Undone: cancelling of 1 post (p1)"
    undone = run_json(*NOW, "undo", cwd=example)
    assert undone["undone"][0]["verb"] == "post.move"
    assert {post["state"] for post in undone["posts"]} == {"scheduled"}
    assert all(post["wall"].startswith("2026-11-23") for post in undone["posts"])
    assert run_err(2, *NOW, "undo", "2", "--list", cwd=example)["kind"] == "usage"
    assert run_err(2, *NOW, "undo", "0", cwd=example)["kind"] == "usage"


def added(run: Run, cwd: Path, text: str) -> None:
    assert run(*NOW, "add", "-c", "fb", "--text", text, cwd=cwd).code == 0


def test_posts_are_not_removed_unasked(example: Path, run: Run, run_err: RunErr, run_json: RunJson) -> None:
    added(run, example, "Portes ouvertes samedi")
    refused = run_err(2, *NOW, "undo", cwd=example)
    assert "removed for good" in refused["message"]
    assert "--yes" in refused["hint"]
    run_err(2, *NOW, "undo", "--json", cwd=example)
    shown = run(*NOW, "undo", "--dry-run", cwd=example)
    assert shown.code == 0
    assert "1 post would be removed for good:\n  p111 · facebook · " in shown.err
    assert "Portes ouvertes samedi" in shown.err
    assert run_json("undo", "--list", cwd=example)["steps"][0]["ids"] == [["p111", "p111"]]
    assert run("post", "show", "p111", cwd=example).code == 0
    assert run_json(*NOW, "undo", "--yes", cwd=example)["undone"][0]["removed"] == [["p111", "p111"]]
    assert run("post", "show", "p111", cwd=example).code == 5


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 4), ("n", 4)])
def test_at_a_terminal_the_posts_that_go_are_shown_and_asked_for(
    example: Path, run: Run, answer: str, code: int
) -> None:
    added(run, example, "Portes ouvertes samedi")
    run(*NOW, "post", "edit", "p111", "--theme", "vie", cwd=example)
    ended, seen = at_a_terminal(*NOW, "undo", "2", answer=answer, cwd=example)
    assert ended == code
    assert seen.index("p111 · facebook") < seen.index("Portes ouvertes samedi") < seen.index("Remove 1 post for good?")
    assert (run("post", "show", "p111", cwd=example).code == 5) is (code == 0)


def test_many_posts_that_go_are_counted(example: Path, run: Run) -> None:
    run(*NOW, "calendar", "export", "all.csv", cwd=example)
    text = (example / "all.csv").read_text(encoding="utf-8")
    run(*NOW, "post", "cancel", "not-state:cancelled", "--yes", cwd=example)
    (example / "all.csv").write_text(re.sub(r"(?m)^(\w+-d\d\d-)", r"new-\1", text), encoding="utf-8")
    assert "110 created" in run(*NOW, "calendar", "import", "all.csv", cwd=example).err
    ended, seen = at_a_terminal(*NOW, "undo", answer="y", cwd=example)
    assert ended == 0
    assert "110 posts (p111–p220)" in seen
    assert "Remove 110 posts for good?" in seen


def test_what_was_not_made_by_the_step_is_taken_back_unasked(example: Path, run: Run) -> None:
    run(*NOW, "post", "cancel", "p1", cwd=example)
    assert run(*NOW, "undo", cwd=example).code == 0
    assert run(*NOW, "undo", cwd=example).code == 5


def test_the_everyday_verbs_stand_at_the_top(run: Run) -> None:
    helped = run("--help").out
    assert helped.index("\n  move ") < helped.index("\n  undo ") < helped.index("\n  post ")
    assert run("move", "--help").out.splitlines()[2:] == run("post", "move", "--help").out.splitlines()[2:]
