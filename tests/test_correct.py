"""Correcting what is out: the platform first, the calendar after it, and never more than is known to stand there."""

import json
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support_mastodon import TOKENS, running
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm import actions
from cm.calendar.finding import find
from cm.errors import NetworkTrouble, NotFound, PersonNeeded, Refused, UsageError
from cm.model.states import Outcome
from cm.model.tables import Action
from cm.publishing.confirm import confirm_published
from cm.publishing.correct import correct, plan, text_of
from cm.publishing.health_posts import of_posts
from cm.publishing.standing import standing
from cm.publishing.takedown import take_down
from cm.publishing.today import today
from cm.publishing.vitals import vitals

STOPPER = Path(__file__).with_name("stopper.py")
THREAD = "one\n---\ntwo\n---\nthree"


@pytest.fixture
def desk(tmp_path):
    settings = {"max_characters": 100}
    channels = {"fb": channel("page", settings=settings), "out": channel("paper", adapter="outbox")}
    made = open_desk(make_workspace(tmp_path / "w", channels))
    yield made
    made.close()


def out(desk: Desk, text: str, **given) -> str:
    """A post that is published."""
    ident = desk.add(text, **given)
    desk.tick()
    assert desk.state(ident) == "published"
    return ident


def say(desk: Desk, ident: str, text: str):
    """Correct it to that text."""
    wanted = plan(desk.env, desk.workspace.adapter, ident, text)
    return correct(desk.env, desk.workspace.adapter, wanted)


def mends(desk: Desk) -> list[str | None]:
    """What bare `cm` says of corrections."""
    return [line.command for line in today(standing(desk.env)) if line.kind == "correction"]


def edits(desk: Desk) -> list:
    return [attempt for attempt in desk.attempts() if attempt.action == "edit"]


def test_the_post_reads_otherwise_there_and_here(desk):
    ident = out(desk, "Open dya on Monday")
    before = desk.show(ident)
    row = desk.row(ident)
    desk.clock.advance(timedelta(minutes=3))
    done = say(desk, ident, "Open day on Monday")
    assert (done.exit_code, desk.texts()) == (0, ["Open day on Monday"])
    view = desk.show(ident)
    assert (view.text, view.messages[0].text) == ("Open day on Monday", "Open day on Monday")
    assert (view.corrected_at, view.rev) == (desk.clock.now(), before.rev + 1)
    unchanged = ("state", "scheduled_at", "published_at", "reason")
    assert all(getattr(view, name) == getattr(before, name) for name in unchanged)
    assert view.messages[0].receipt == before.messages[0].receipt
    assert desk.row(ident).content_hash != row.content_hash
    assert [hit.id for hit in find(desk.env, ["open", "day"]).hits] == [ident]
    with desk.env.store.read() as session:
        acts = list(session.exec(select(Action).order_by(Action.id)))
    assert [act.verb for act in acts][-2:] == ["post.correct", "post.corrected"]
    assert not any("Monday" in json.dumps(act.detail) for act in acts), "the log holds no text"
    assert actions.first_break(acts) is None


def test_one_part_of_a_thread(desk):
    ident = out(desk, THREAD, first_comment="four")
    say(desk, f"{ident}#2", "zwei")
    assert desk.texts() == ["one", "zwei", "three", "four"]
    assert desk.show(ident).text == "one\n---\nzwei\n---\nthree"
    say(desk, f"{ident}#4", "vier")
    assert (desk.texts()[3], desk.show(ident).first_comment) == ("vier", "vier")
    assert [attempt.message_id for attempt in edits(desk)] == [2, 4]


def test_a_whole_thread_keeps_its_number_of_parts(desk):
    ident = out(desk, THREAD)
    say(desk, ident, "ONE!\n---\ntwo\n---\nTHREE!")
    assert desk.texts() == ["ONE!", "two", "THREE!"]
    assert len(edits(desk)) == 2, "what reads the same is left alone"
    with pytest.raises(Refused, match="number of parts"):
        say(desk, ident, "one\n---\ntwo")
    with pytest.raises(UsageError):
        say(desk, f"{ident}#2", "two\n---\nthree")
    with pytest.raises(NotFound):
        say(desk, f"{ident}#9", "nine")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_is_no_correction(desk, text):
    ident = out(desk, "hello")
    with pytest.raises(UsageError):
        say(desk, ident, text)


def test_what_the_rules_forbid_or_nothing_changes_is_refused(desk):
    ident = out(desk, THREAD)
    with pytest.raises(Refused, match="says that already"):
        say(desk, ident, THREAD)
    with pytest.raises(Refused, match="empty"):
        say(desk, ident, "one\n---\n\n---\nthree")
    assert (desk.texts(), edits(desk)) == (["one", "two", "three"], [])


def test_what_the_platform_refuses_stays_as_it_was(desk):
    ident = out(desk, "hello")
    with pytest.raises(Refused):
        say(desk, ident, "far " * 40 + "too long")
    view = desk.show(ident)
    assert (view.text, view.reason, view.corrected_at) == ("hello", None, None)
    assert [attempt.outcome for attempt in edits(desk)] == [Outcome.REJECTED]


def test_a_lost_answer_is_asked_once_more(desk):
    ident = out(desk, "hello")
    desk.platform.fail_next("unknown", "edit", when="after")
    assert say(desk, ident, "hallo").exit_code == 0
    assert (desk.show(ident).text, desk.show(ident).reason) == ("hallo", None)
    assert [(attempt.outcome, attempt.settled) for attempt in edits(desk)] == [
        (Outcome.UNKNOWN, "published"),
        (Outcome.PUBLISHED, None),
    ]


def test_two_lost_answers_keep_the_old_text_and_say_so(desk):
    ident = out(desk, THREAD)
    desk.platform.fail_next("unknown", "edit", times=2, when="after")
    done = say(desk, ident, "1\n---\n2\n---\n3")
    assert (done.exit_code, [piece.n for piece in done.doubtful]) == (7, [1])
    view = desk.show(ident)
    assert view.text == THREAD
    assert "cm post correct" in view.reason
    assert desk.texts() == ["1", "two", "three"], "what comes after it waits"
    assert say(desk, ident, "1\n---\n2\n---\n3").exit_code == 0
    assert (desk.texts(), desk.show(ident).reason) == (["1", "2", "3"], None)


def test_no_network_half_way_keeps_what_is_known(desk):
    ident = out(desk, "one\n---\ntwo")
    wanted = plan(desk.env, desk.workspace.adapter, ident, "1\n---\n2")
    desk.platform.fail_next("unknown", "edit", when="before")  # part 1, asked again
    desk.platform.fail_next("retryable", "edit")  # part 1 again: nothing happened
    with pytest.raises(NetworkTrouble):
        correct(desk.env, desk.workspace.adapter, wanted)
    assert (desk.show(ident).text, desk.texts()) == ("one\n---\ntwo", ["one", "two"])
    say(desk, ident, "1\n---\n2")
    assert desk.texts() == ["1", "2"]


def test_what_changed_since_it_was_shown_is_not_touched(desk):
    ident = out(desk, "hello")
    wanted = plan(desk.env, desk.workspace.adapter, ident, "one way")
    say(desk, ident, "another way")
    with pytest.raises(Refused, match="changed since"):
        correct(desk.env, desk.workspace.adapter, wanted)
    assert desk.texts() == ["another way"]


def test_only_what_is_out_is_corrected(desk):
    ident = desk.add("later", minutes=60)
    with pytest.raises(Refused) as refused:
        say(desk, ident, "sooner")
    assert f"cm edit {ident}" in refused.value.hint
    gone = out(desk, "gone")
    take_down(desk.env, desk.workspace.adapter, gone, "error")
    with pytest.raises(Refused, match="taken down"):
        text_of(desk.env, gone)


def test_where_cm_cannot_change_it_the_address_is_given(desk):
    desk.add("on paper", to="out")
    desk.tick()
    confirm_published(desk.env, 1, "https://www.facebook.com/page/posts/987")
    with pytest.raises(PersonNeeded) as needed:
        say(desk, "p1", "on better paper")
    assert "https://www.facebook.com/page/posts/987" in needed.value.message
    assert desk.show("p1").text == "on paper"


@pytest.mark.parametrize(("stage", "there"), [("sending", "hello"), ("answered", "hallo")])
def test_killed_half_way_the_old_text_is_kept_and_a_person_is_told(tmp_path, stage, there):
    root = make_workspace(tmp_path / "w", {"fb": channel("page")}, timezone="UTC")
    desk = open_desk(root, datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5))
    ident = out(desk, "hello")
    line = ["-C", str(root), "post", "correct", ident, "--text", "hallo", "--yes"]
    command = [sys.executable, str(STOPPER), stage, "SIGKILL", *line]
    killed = subprocess.run(command, capture_output=True, timeout=60, check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    view = desk.show(ident)
    assert (view.state.value, view.text, desk.texts()) == ("published", "hello", [there])
    assert "correct" in view.reason
    desk.tick(minutes=6)
    assert desk.state(ident) == "published", "the engine takes it for no sending"
    assert mends(desk) == [f"cm post correct {ident}"]
    known = vitals(desk.env, desk.workspace.adapter, online=False).posts
    assert (known.corrections.ids, [one.mend for one in known.open]) == ((ident,), [f"cm post correct {ident}"])
    again = cm(*line)
    assert (again.returncode, desk.texts()) == (0, ["hallo"]), again.stderr
    view = desk.show(ident)
    assert (view.text, view.reason, mends(desk)) == ("hallo", None, [])
    desk.close()


@pytest.mark.parametrize(("when", "text"), [("after", "hello"), ("before", "hello"), ("after", "hallo")])
def test_what_nobody_knows_is_told_until_the_correction_is_given_again(desk, when, text):
    """Also where the old words are to stay: they may have been changed there."""
    ident = out(desk, "hello")
    desk.platform.fail_next("unknown", "edit", times=2, when=when)
    assert say(desk, ident, "hallo").exit_code == 7
    assert mends(desk) == [f"cm post correct {ident}"]
    known = vitals(desk.env, desk.workspace.adapter, online=False).posts
    assert [(one.key, one.mend) for one in of_posts(known, desk.clock.now())] == [
        ("posts.correction", f"cm post correct {ident}")
    ]
    assert say(desk, ident, text).exit_code == 0
    assert (desk.texts(), desk.show(ident).text, mends(desk)) == ([text], text, [])


def test_what_is_refused_after_a_lost_answer_waits_for_nobody(desk):
    ident = out(desk, "hello")
    desk.platform.fail_next("unknown", "edit")
    desk.platform.fail_next("rejected", "edit")
    with pytest.raises(Refused):
        say(desk, ident, "hallo")
    assert (mends(desk), desk.show(ident).reason) == ([], None)


# --- the command ------------------------------------------------------------------------------------------------------


def test_without_a_terminal_it_needs_a_yes(desk):
    ident = out(desk, "hello")
    line = ("-C", str(desk.root), "post", "correct", ident)
    asked = cm(*line, "--text", "hallo")
    assert (asked.returncode, desk.texts()) == (2, ["hello"])
    for told in (ident, "fb", "SIMULATION", "public", "hello", "hallo", "sandbox://page/"):
        assert told in asked.stderr
    done = cm(*line, "--text", "hallo", "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)["text"], desk.texts()) == (0, "hallo", ["hallo"])
    assert cm(*line).returncode == 2, "no text, and no editor to ask for one"


def test_in_the_editor_a_text_that_is_refused_is_kept(desk, tmp_path):
    ident = out(desk, "hello")
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i s/hello/hallo/ "$1"\n')
    script.chmod(0o755)
    line = ("-C", str(desk.root), "post", "correct", ident)
    kept = cm(*line, EDITOR=str(script))
    assert kept.returncode == 2, "nobody can be asked"
    path = Path(kept.stderr.strip().split("-F ")[1])
    assert path.read_text() == "hallo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cm(*line, "--yes", EDITOR=str(script)).returncode == 0
    assert desk.texts() == ["hallo"]
    assert [file for file in (desk.root / ".cm").glob("correction-*") if file != path] == []
    unchanged = cm(*line, "--yes", EDITOR="true")
    assert (unchanged.returncode, "Nothing was changed" in unchanged.stderr) == (0, True)


# --- over real HTTP ---------------------------------------------------------------------------------------------------


def test_a_status_is_corrected_on_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("CM_TEST_TOKEN", TOKENS["tilleuls"])
    with running(tmp_path / "media") as server:
        toot = channel("tilleuls", platform="mastodon", adapter="mastodon", token="env:CM_TEST_TOKEN")
        toot["settings"] = {"server": server.url}
        desk = open_desk(make_workspace(tmp_path / "w", {"toot": toot}))
        ident = out(desk, "one\n---\ntwo", to="toot")
        remote = [message.receipt.remote_id for message in desk.show(ident).messages]
        server.fail_next("PUT", f"/api/v1/statuses/{remote[1]}", type="status", status=503)
        done = say(desk, f"{ident}#2", "zwei — été")
        assert (done.exit_code, server.source(remote[1])) == (0, "zwei — été")
        assert [status["id"] for status in server.statuses()] == remote
        assert desk.show(ident).text == "one\n---\nzwei — été"
        desk.close()
