"""Holds: nothing goes out under one but what bears the crisis mark, however it was set, and its end releases only
what is not yet due."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from sqlmodel import col, select
from support_cli import change_config, sql
from support_publish import Desk, channel, make_workspace, open_desk
from support_terminal import in_dialogue, typed

from cm.actions import verify
from cm.calendar import posts
from cm.calendar.drafting import new_post, post_changes
from cm.calendar.telling import tell
from cm.calendar.writing import Marks
from cm.errors import NotFound, Refused, UsageError
from cm.model.tables import Action, Hold
from cm.publishing import heldposts, holds

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]

CHANNELS = {"fb": channel("page"), "news": channel("news")}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(make_workspace(tmp_path / "w", CHANNELS))
    yield opened
    opened.close()


def acts(desk: Desk, verb: str) -> list[Action]:
    with desk.env.store.read() as session:
        return list(session.exec(select(Action).where(Action.verb == verb).order_by(col(Action.id))))


def rows(desk: Desk) -> list[Hold]:
    with desk.env.store.read() as session:
        return list(session.exec(select(Hold).order_by(col(Hold.id))))


@pytest.mark.row("S114")
def test_everything_is_held_at_once(desk: Desk) -> None:
    one, other = desk.add("one", minutes=5), desk.add("two", to="news", minutes=5)
    hold = holds.set_hold(desk.env, reason="fire in block B")
    result = desk.tick(minutes=5)
    assert {entry.id for entry in result.lists["missed"].values()} == {one, other}
    assert desk.texts() == desk.texts("news") == []
    for ident in (one, other):
        assert desk.state(ident) == "missed"
        assert desk.row(ident).held_by == hold.id
        assert "fire in block B" in (desk.row(ident).reason or "")
    assert result.exit_code == 7
    assert [act.why for act in acts(desk, "hold.on")] == ["fire in block B"]


@pytest.mark.row("S114")
def test_the_end_releases_only_what_is_not_yet_due(desk: Desk) -> None:
    due, later = desk.add("due", minutes=10), desk.add("later", minutes=40)
    holds.set_hold(desk.env)
    desk.tick(minutes=10)
    desk.tick(minutes=10)
    ended = holds.end_holds(desk.env)
    assert [hold.ended_by for hold in ended] == [desk.env.actor.key]
    desk.tick()
    assert desk.state(due) == "missed"
    desk.tick(minutes=20)
    assert desk.state(later) == "published"
    assert desk.texts() == ["later"]
    assert [post.id for post in heldposts.waiting(desk.env)] == [due]


def test_what_came_due_while_no_run_looked_is_missed_too(desk: Desk) -> None:
    ident = desk.add("due under the hold", minutes=5)
    hold = holds.set_hold(desk.env)
    desk.clock.advance(timedelta(minutes=10))
    holds.end_holds(desk.env)
    assert (desk.state(ident), desk.row(ident).held_by) == ("missed", hold.id)
    desk.tick()
    assert desk.texts() == []


def test_it_ends_by_itself(desk: Desk) -> None:
    under, after = desk.add("under", minutes=20), desk.add("after", minutes=45)
    hold = holds.set_hold(desk.env, until=desk.clock.now() + timedelta(minutes=30))
    result = desk.tick(minutes=35)
    assert [entry.id for entry in result.lists["missed"].values()] == [under]
    assert desk.row(under).held_by == hold.id
    assert holds.active(desk.env) == []
    assert [(one.id, one.ended_by) for one in holds.past(desk.env)] == [(hold.id, "system")]
    assert rows(desk)[0].ended_at == hold.until
    desk.tick(minutes=10)
    assert desk.state(after) == "published"


def test_an_end_that_is_past_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        holds.set_hold(desk.env, until=desk.clock.now())
    with pytest.raises(NotFound):
        holds.set_hold(desk.env, channels=["nowhere"])
    with pytest.raises(UsageError):
        holds.set_hold(desk.env, reason="\x1b[2J")
    assert rows(desk) == []


def test_a_hold_of_one_channel_leaves_the_others_alone(desk: Desk) -> None:
    held, free = desk.add("held", minutes=5), desk.add("free", to="news", minutes=5)
    holds.set_hold(desk.env, channels=["fb"])
    desk.tick(minutes=5)
    assert (desk.state(held), desk.state(free)) == ("missed", "published")


@pytest.mark.row("S114")
def test_leaving_for_one_channel_keeps_the_others_held(desk: Desk) -> None:
    first = holds.set_hold(desk.env, reason="fire")
    desk.clock.advance(timedelta(minutes=1))
    holds.end_holds(desk.env, channels=["news"])
    (left,) = holds.active(desk.env)
    assert (left.channels, left.since, left.reason, left.actor) == (("fb",), first.since, "fire", first.actor)
    held, free = desk.add("held", minutes=5), desk.add("free", to="news", minutes=5)
    desk.tick(minutes=5)
    assert (desk.state(held), desk.state(free)) == ("missed", "published")


def test_a_second_hold_stands_beside_the_first(desk: Desk) -> None:
    holds.set_hold(desk.env, channels=["fb"])
    holds.set_hold(desk.env)
    assert [hold.channels for hold in holds.active(desk.env)] == [("fb",), None]
    holds.end_holds(desk.env)
    assert holds.active(desk.env) == []


@pytest.mark.row("S114")
def test_only_the_explicit_mark_passes(desk: Desk) -> None:
    new = new_post(channel="fb", kind="crisis", text="a crisis by its kind", wall=None)
    by_kind = tell(desk.env, [new], marks=Marks(urgent=True))[0].id
    marked = tell(desk.env, [new_post(channel="news", kind="crisis", text="marked")], marks=Marks(True, True))[0].id
    late = desk.add("marked later", to="news", minutes=5)
    posts.edit(desk.env, late, post_changes(), crisis=True)
    holds.set_hold(desk.env)
    desk.tick(minutes=5)
    assert [desk.state(ident) for ident in (by_kind, marked, late)] == ["missed", "published", "published"]
    assert desk.show(late).as_json()["crisis"] is True
    assert [act.detail for act in acts(desk, "post.crisis")] == [{"crisis": True}]


def test_an_overdue_post_in_back_off_is_missed_when_the_hold_begins(desk: Desk) -> None:
    ident = desk.add("overdue", minutes=0)
    sql(desk.root, "UPDATE post SET not_before = '2026-11-23 09:00:00.000000', wake_at = '2026-11-23 09:00:00.000000'")
    hold = holds.set_hold(desk.env)
    desk.tick(minutes=1)
    assert (desk.state(ident), desk.row(ident).held_by) == ("missed", hold.id)


def test_a_post_given_a_new_time_under_the_hold_is_an_ordinary_one_again(desk: Desk) -> None:
    ident = desk.add("again", minutes=5)
    holds.set_hold(desk.env)
    desk.tick(minutes=5)
    posts.move(desk.env, ident, desk.clock.now().astimezone(desk.env.zone).replace(tzinfo=None) + timedelta(hours=1))
    assert desk.row(ident).held_by is None
    holds.end_holds(desk.env)
    desk.tick(minutes=60)
    assert desk.state(ident) == "published"


# --- the file and the signal ------------------------------------------------------------------------------------------


def test_a_file_holds_from_the_moment_it_is_there(desk: Desk) -> None:
    ident, later = desk.add("held", minutes=5), desk.add("later", minutes=30)
    file = desk.root / "HOLD"
    file.write_text("\x1b[31mfire \u202ein\u202c block B\nmore", encoding="utf-8")
    desk.tick(minutes=5)
    (row,) = rows(desk)
    assert (row.source, row.reason, row.channels) == ("file", "[31mfire in block B", None)
    assert (desk.state(ident), desk.row(ident).held_by) == ("missed", row.id)
    with pytest.raises(Refused, match="HOLD"):
        holds.end_holds(desk.env)
    file.unlink()
    desk.tick(minutes=1)
    assert rows(desk)[0].ended_by == "file"
    assert holds.active(desk.env) == []
    desk.tick(minutes=24)
    assert desk.state(later) == "published"


@pytest.mark.parametrize("kind", ["empty", "folder", "pipe", "bytes", "link"])
def test_whatever_is_called_hold_holds(desk: Desk, kind: str) -> None:
    """Nothing that stands there makes a run fail or wait."""
    path = desk.root / "HOLD"
    makers: dict[str, Callable[[], object]] = {
        "empty": lambda: path.write_bytes(b""),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "bytes": lambda: path.write_bytes(b"\xff\xfe\0\0" * 5000),
        "link": lambda: path.symlink_to("nowhere"),
    }
    makers[kind]()
    ident = desk.add("held")
    desk.tick()
    assert desk.state(ident) == "missed"
    assert len(rows(desk)) == 1
    assert len(rows(desk)[0].reason or "") <= 500


def test_a_signal_holds_and_is_written_down(desk: Desk) -> None:
    ident = desk.add("held", minutes=5)
    desk.env.signals.hold.set()
    assert [hold.source for hold in holds.active(desk.env)] == ["signal"]
    desk.tick(minutes=5)
    assert [(row.source, row.actor) for row in rows(desk)] == [("signal", "system")]
    assert (desk.state(ident), desk.row(ident).held_by) == ("missed", rows(desk)[0].id)
    assert not desk.env.signals.hold.is_set()  # the row holds now, for every process
    holds.end_holds(desk.env)
    other = desk.add("free", minutes=5)
    desk.tick(minutes=5)
    assert desk.state(other) == "published"


def test_every_hold_stands_in_the_log(desk: Desk) -> None:
    hold = holds.set_hold(desk.env)
    holds.give_reason(desk.env, hold.id or 0, "fire")
    holds.end_holds(desk.env)
    assert [(act.verb, act.target, act.why) for act in acts(desk, "hold.on") + acts(desk, "hold.off")] == [
        ("hold.on", "h1", None),
        ("hold.off", "h1", "fire"),
    ]
    assert acts(desk, "hold.reason")[0].why == "fire"
    assert verify(desk.env).broken_at is None


# --- the commands -----------------------------------------------------------------------------------------------------

FRIDAY = ("--now", "2026-11-23T09:00")


@pytest.mark.parametrize("command", [("stop",), ("hold", "on")])
def test_it_is_held_before_anything_is_asked(example: Path, command: tuple[str, ...]) -> None:
    """Another process sees the hold while the question still stands there."""
    found = []

    def look() -> str:
        found.extend(sql(example, "SELECT reason, ended_at FROM hold"))
        return "fire in block B\n"

    code, seen = in_dialogue(*FRIDAY, *command, cwd=example, until="Why?", then=look)
    assert (code, found) == (0, [(None, None)])
    assert sql(example, "SELECT reason FROM hold") == [("fire in block B",)]
    assert seen.index("Everything is held") < seen.index("Why?") < seen.index("To end it: cm hold off")


def test_until_is_read_as_times_are(example: Path, run_json: RunJson, run_err: RunErr) -> None:
    for past in ("8h", "gibberish"):
        assert run_err(2, *FRIDAY, "hold", "on", "--until", past, cwd=example)["kind"] == "usage"
    assert run_err(5, *FRIDAY, "hold", "on", "-c", "nowhere", cwd=example)["kind"] == "not_found"
    assert sql(example, "SELECT count(*) FROM hold") == [(0,)]
    held = run_json(*FRIDAY, "hold", "on", "-c", "fb", "--until", "19h", cwd=example)["hold"]
    assert (held["until"], held["channels"]) == ("2026-11-23T19:00:00+01:00", ["facebook"])


def test_leaving_the_question_keeps_the_hold(example: Path) -> None:
    code, _seen = in_dialogue(*FRIDAY, "stop", cwd=example, until="Why?", then=lambda: "\x03")
    assert code == 130
    assert sql(example, "SELECT reason, ended_at FROM hold") == [(None, None)]


def test_a_reason_that_cannot_be_kept_keeps_nobody_from_holding(example: Path, run: Run) -> None:
    done = run(*FRIDAY, "stop", "--reason", "x" * 600, cwd=example)
    assert done.code == 0
    assert "longer than 500" in done.err
    assert sql(example, "SELECT count(*) FROM hold WHERE ended_at IS NULL") == [(1,)]


def test_a_workspace_that_cannot_be_opened_is_stopped_all_the_same(example: Path, run: Run, run_json: RunJson) -> None:
    (example / "config.yaml").write_text("channels: [", encoding="utf-8")
    done = run("stop", "--reason", "fire", cwd=example)
    assert done.code == 0
    assert "Everything is held by the file" in done.err
    assert (example / "HOLD").read_text(encoding="utf-8") == "fire\n"
    assert run_json("stop", cwd=example)["file"] == str(example / "HOLD")


def test_a_closed_pipe_is_no_broken_workspace(example: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "cm", "stop", "--json"]
    assert subprocess.run(command, cwd=example, stdout=theirs, timeout=60, check=False).returncode == 0
    os.close(theirs)
    assert not (example / "HOLD").exists()
    assert sql(example, "SELECT count(*) FROM hold") == [(1,)]


def test_what_is_out_and_what_may_appear_is_listed(example: Path, run: Run, run_json: RunJson) -> None:
    run("publish", "--replay", "2026-11-23T00:00..2026-11-23T13:00", cwd=example)
    sql(
        example,
        "INSERT INTO attempt (message_id, account_id, action, number, token, run_id, started_at, sending_at)"
        " SELECT id, 1, 'send', 1, 't', 'r', '2026-11-23 12:00:00.000000', '2026-11-23 12:00:01.000000'"
        " FROM message WHERE post_id = 9",
    )
    begun = run_json("--now", "2026-11-23T13:00", "hold", "on", cwd=example)
    assert [post["id"] for post in begun["in_flight"]] == ["p9"]
    out = {post["id"] for post in begun["recent"]}
    assert out >= {"p1", "p3", "p8"}
    assert {post["id"] for post in begun["planned"]} >= {"p4", "p5", "p10"}
    shown = run("--now", "2026-11-23T13:00", "stop", cwd=example)
    assert "cm post takedown p1 --motive" in shown.out
    assert "May still appear" in shown.out
    assert "On already" in shown.err
    late = run_json("--now", "2026-11-23T19:05", "hold", "on", cwd=example)
    assert "p1" not in {post["id"] for post in late["recent"]}


def test_hold_off_without_a_terminal_lists_and_asks_nothing(example: Path, run: Run, run_json: RunJson) -> None:
    run_json(*FRIDAY, "hold", "on", cwd=example)
    run("--now", "2026-11-23T10:31", "publish", cwd=example)
    done = run_json("--now", "2026-11-23T10:31", "hold", "off", cwd=example)
    assert [hold["ended_by"] is not None for hold in done["ended"]] == [True]
    assert {"p2", "p7"} <= {post["id"] for post in done["missed"]}
    assert all(post["held_by"] == "h1" for post in done["missed"])
    assert "p3" in {post["id"] for post in done["planned"]}
    again = run("hold", "off", cwd=example)
    assert "Nothing was held." in again.err
    assert "p2" in again.out


@pytest.mark.row("S114")
def test_leaving_asks_about_each_one(example: Path, run: Run, run_json: RunJson) -> None:
    run_json(*FRIDAY, "hold", "on", "-c", "facebook", cwd=example)
    run("--now", "2026-11-23T12:31", "publish", cwd=example)  # p2 and p3 of facebook are missed
    waiting = [post["id"] for post in run_json("hold", "status", cwd=example)["missed"]]
    keys = {"p1": "l\n", "p2": "n\n", "p3": "t\n2026-12-20 9h17\n"}
    typed_keys = "".join(keys[ident] for ident in waiting) + "c\na\n"
    code, seen = typed("--now", "2026-11-23T13:00", "hold", "off", keys=typed_keys, cwd=example)
    assert code == 0, seen
    after = {post["id"]: post for post in run_json("post", "list", "p1", "p2", "p3", "p4", "p5", cwd=example)["posts"]}
    assert [after[ident]["state"] for ident in ("p2", "p3", "p4", "p5")] == [
        "scheduled", "scheduled", "cancelled", "scheduled",
    ]  # fmt: skip
    assert after["p3"]["wall"] == "2026-12-20T09:17"
    assert run_json("hold", "status", cwd=example)["active"] == []


def test_the_letters_are_those_of_the_language(
    example: Path, run: Run, run_json: RunJson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """laisser, prochain, heure, annuler, toutes, quitter."""
    run_json(*FRIDAY, "hold", "on", "-c", "facebook", cwd=example)
    run("--now", "2026-11-23T12:31", "publish", cwd=example)
    monkeypatch.setenv("CM_LANG", "fr")
    code, seen = typed("--now", "2026-11-23T13:00", "hold", "off", keys="p\nh\n20/12 9h17\na\nt\n", cwd=example)
    assert code == 0, seen
    held = [post["id"] for post in run_json("post", "list", "channel:facebook", "day:2026-12-20", cwd=example)["posts"]]
    assert len(held) == 1
    assert run_json("post", "list", "state:cancelled", cwd=example)["posts"]


def test_who_stops_half_way_leaves_everything_held(example: Path, run: Run, run_json: RunJson) -> None:
    run_json(*FRIDAY, "hold", "on", cwd=example)
    run("--now", "2026-11-23T10:31", "publish", cwd=example)
    code, seen = typed("--now", "2026-11-23T10:35", "hold", "off", keys="l\nq\n", cwd=example)
    assert code == 4
    assert "The hold is still on." in seen
    assert len(run_json("hold", "status", cwd=example)["active"]) == 1


def test_a_slot_that_is_refused_is_asked_about_again(example: Path, run: Run, run_json: RunJson) -> None:
    run_json(*FRIDAY, "hold", "on", cwd=example)
    run("--now", "2026-11-23T09:31", "publish", cwd=example)
    code, seen = typed("--now", "2026-11-23T09:35", "hold", "off", keys="t\nyesterday 9h\nl\na\na\n", cwd=example)
    assert code == 0, seen
    assert "is past" in seen


def test_the_hold_is_the_first_thing_today_says(example: Path, run: Run, run_json: RunJson) -> None:
    run_json(*FRIDAY, "hold", "on", "--reason", "fire", cwd=example)
    before = run("--now", "2026-11-23T10:35", cwd=example)
    lines = before.out.splitlines()
    assert "Everything is held since" in lines[1]
    assert lines[1].endswith("→ cm hold off")
    assert "cm publish" not in before.out
    run("--now", "2026-11-23T10:35", "publish", cwd=example)
    after = run_json("--now", "2026-11-23T10:36", "today", cwd=example)
    assert [hold["reason"] for hold in after["holds"]] == ["fire"]
    assert [line["kind"] for line in after["lines"][:2]] == ["hold", "held"]
    assert "missed" not in {line["kind"] for line in after["lines"] if line["part"] == "act"}


def test_hold_status_and_the_cell(example: Path, run: Run, run_json: RunJson) -> None:
    def cell(data: dict[str, Any]) -> None:
        data["crisis"] = {"cell": ["helene"]}
        data["people"]["helene"]["phone"] = "+33 1 99 00 11 22"

    change_config(example, cell)
    shown = run(*FRIDAY, "stop", cwd=example)
    assert "Hélène Vasseur" in shown.out
    assert "+33 1 99 00 11 22" in shown.out
    told = run(*FRIDAY, "hold", "on", "--json", cwd=example)
    assert "99 00 11" not in told.out
    assert "Everything is held since Mon 23/11 09:00" in run(*FRIDAY, "hold", cwd=example).out
    run(*FRIDAY, "hold", "off", cwd=example)
    status = run(*FRIDAY, "hold", "status", cwd=example)
    assert "Nothing is held." in status.out
    assert len(run_json(*FRIDAY, "hold", "status", cwd=example)["past"]) == 2


def test_the_cell_must_be_people_of_the_file(example: Path, run_err: RunErr) -> None:
    change_config(example, lambda data: data.update(crisis={"cell": ["nobody"]}, internal_audiences=["martians"]))
    error = run_err(3, "hold", "status", cwd=example)
    assert {problem["field"] for problem in error["problems"]} == {"crisis.cell.0", "internal_audiences.0"}


# --- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_is_listed_by_time_verb_and_target(example: Path, run_json: RunJson, run: Run) -> None:
    run_json(*FRIDAY, "hold", "on", "--reason", "fire", cwd=example)
    run_json("--now", "2026-11-24T09:00", "hold", "off", cwd=example)
    assert [one["verb"] for one in run_json("audit", "list", "--verb", "hold", cwd=example)["actions"]] == [
        "hold.off",
        "hold.on",
    ]
    since = run_json("audit", "list", "--since", "2026-11-24", "--target", "h1", cwd=example)["actions"]
    assert [(one["verb"], one["why"]) for one in since] == [("hold.off", "fire")]
    assert "hold.on" in run("audit", cwd=example).out


def test_the_log_is_exported_safely_and_privately(example: Path, run: Run, run_json: RunJson, tmp_path: Path) -> None:
    run_json(*FRIDAY, "hold", "on", "--reason", "=HYPERLINK(1)", cwd=example)
    file = tmp_path / "log.csv"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o644)
    assert run_json("audit", "export", str(file), "--verb", "hold", cwd=example)["actions"] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert ",'=HYPERLINK(1)," in file.read_text(encoding="utf-8")
    lines = run("audit", "export", "--format", "jsonl", cwd=example).out.splitlines()
    assert json.loads(lines[-1])["why"] == "=HYPERLINK(1)"
    assert [json.loads(line)["hash"] for line in lines[:-1]] == [json.loads(line)["previous"] for line in lines[1:]]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE action SET why = 'water' WHERE verb = 'hold.on'",
        "DELETE FROM action WHERE verb = 'hold.on'",
        "UPDATE action SET at = '2026-01-01 00:00:00.000000' WHERE verb = 'hold.on'",
    ],
)
def test_a_changed_log_is_seen(example: Path, run: Run, run_json: RunJson, run_err: RunErr, change: str) -> None:
    run_json(*FRIDAY, "hold", "on", "--reason", "fire", cwd=example)
    run_json(*FRIDAY, "hold", "off", cwd=example)
    whole = run_json("audit", "verify", cwd=example)
    assert whole["broken_at"] is None
    number = sql(example, "SELECT id FROM action WHERE verb = 'hold.on'")[0][0]
    sql(example, change)
    error = run_err(4, "audit", "verify", cwd=example)
    assert error["broken_at"] in (number, number + 1)
