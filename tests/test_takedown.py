"""Taking down what is out: whole posts and single parts; where the platform helps, where it does not; under fire."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support_cli import at_a_terminal
from support_mastodon import TOKENS, running
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm import actions
from cm.calendar.bulk import cancel_all
from cm.calendar.posts import list_posts, move
from cm.errors import Busy, NetworkTrouble, NotFound, PersonNeeded, Refused, UsageError, WorkspaceError
from cm.model.states import Outcome
from cm.model.tables import Account, Action
from cm.model.words import known_motive
from cm.publishing import holds, ownership
from cm.publishing.accounts import ensure
from cm.publishing.confirm import confirm_gone, confirm_published
from cm.publishing.correct import plan
from cm.publishing.health_posts import PostFacts, of_posts
from cm.publishing.standing import standing
from cm.publishing.takedown import look, take_down
from cm.publishing.today import today
from cm.publishing.vitals import vitals
from cm.publishing.withdrawal import withdrawal_of

STOPPER = Path(__file__).with_name("stopper.py")
THREAD = "one\n---\ntwo\n---\nthree"


@pytest.fixture
def desk(tmp_path):
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page"), "out": channel("paper", adapter="outbox")}))
    yield made
    made.close()


def out(desk: Desk, text: str = "hello", **given) -> str:
    """A post that is published."""
    ident = desk.add(text, **given)
    desk.tick()
    assert desk.state(ident) == "published"
    return ident


def in_doubt(desk: Desk, text: str = "hello") -> str:
    """A post of which nobody knows whether it arrived: it did, and the listing shows it much later."""
    ident = desk.add(text)
    desk.platform.list_late(86_400)
    desk.platform.fail_next("unknown", when="after")
    for _minute in range(5):
        desk.tick(minutes=1)
    assert desk.state(ident) == "unconfirmed"
    return ident


def down(desk: Desk, ident: str, motive: str | None = "error", note: str | None = None, **given):
    return take_down(desk.env, desk.workspace.adapter, ident, motive, note, **given)


def deletions(desk: Desk) -> list:
    return [attempt for attempt in desk.attempts() if attempt.action == "delete"]


def log(desk: Desk) -> list[Action]:
    with desk.env.store.read() as session:
        return list(session.exec(select(Action).order_by(Action.id)))


# --- it is gone -------------------------------------------------------------------------------------------------------


def test_a_post_is_gone_and_stays_published_with_its_motive(desk):
    ident = out(desk, "Mme Martin va mieux")
    desk.clock.advance(timedelta(minutes=5))
    done = down(desk, ident, "privacy", "a name in it")
    assert (done.gone, done.left, done.exit_code) == ((1,), (), 0)
    assert desk.texts() == []
    view = desk.show(ident)
    assert (view.state.value, view.withdrawal, view.motive) == ("published", "done", "privacy")
    assert view.withdrawn_at == view.messages[0].receipt.gone_at == desk.clock.now()
    acts = [(act.verb, act.why) for act in log(desk)][-2:]
    assert acts == [("post.takedown", "privacy"), ("post.gone", "privacy")]
    assert log(desk)[-2].detail["note"] == "a name in it"
    assert not any("Martin" in json.dumps(act.detail) for act in log(desk)), "the log holds no text"
    assert actions.first_break(log(desk)) is None


def test_the_newest_part_goes_first_and_holds_up_no_other(desk):
    out(desk, THREAD, first_comment="four")
    desk.platform.fail_next("unknown", "delete", times=2, when="before")
    done = down(desk, "p1", "outdated")
    assert desk.texts() == ["four"]
    assert ([left.n for left in done.left], done.gone, done.exit_code) == ([4], (1, 2, 3), 7)
    order = [attempt.message_id for attempt in deletions(desk)]
    assert order == sorted(order, reverse=True)


def test_one_part_is_taken_down_and_the_rest_stands(desk):
    ident = out(desk, THREAD)
    done = down(desk, f"{ident}#2")
    assert (done.gone, desk.texts()) == ((2,), ["one", "three"])
    view = desk.show(ident)
    assert (view.withdrawal, view.motive) == (None, None), "the post as a whole is not withdrawn"
    assert [bool(message.receipt.gone_at) for message in view.messages] == [False, True, False]
    down(desk, ident, "crisis")
    view = desk.show(ident)
    assert (view.withdrawal, view.motive, desk.texts()) == ("done", "crisis", [])


def test_a_ref_may_name_a_part_too(desk):
    out(desk, THREAD, ref="open-day")
    assert down(desk, "open-day#3").gone == (3,)
    with pytest.raises(NotFound):
        down(desk, "open-day#4")


def test_nothing_about_the_engine_changes(desk):
    """Attempts to delete are no sendings: the post is not sent again, and those after it go out as planned."""
    ident = out(desk)
    desk.platform.fail_next("unknown", "delete", times=2, when="before")
    down(desk, ident)
    after = desk.add("after", minutes=1)
    result = desk.tick(minutes=2)
    assert (desk.state(ident), desk.state(after)) == ("published", "published")
    assert not result.lists["unconfirmed"]
    assert desk.texts() == ["hello", "after"]


def test_neither_hold_nor_a_resting_account_stop_a_takedown(desk):
    ident = out(desk)
    holds.set_hold(desk.env)
    with desk.env.store.write() as session:
        account = session.exec(select(Account).where(Account.handle == "page")).one()
        account.paused_at, account.pause_kind, account.pause_reason = desk.clock.now(), "breaker", "it did not answer"
    assert down(desk, ident).gone == (1,)


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("motive", [None, "boredom", "other"])
def test_without_a_motive_nothing_is_taken_down(desk, motive):
    ident = out(desk)
    with pytest.raises(UsageError) as refused:
        down(desk, ident, motive)
    assert "--motive" in refused.value.hint or "--note" in refused.value.hint
    assert desk.texts() == ["hello"]


def test_what_did_not_go_out_is_cancelled_and_not_taken_down(desk):
    ident = desk.add("later", minutes=60)
    with pytest.raises(Refused) as refused:
        down(desk, ident)
    assert f"cm post cancel {ident}" in refused.value.hint


def test_twice_is_once_too_often(desk):
    ident = out(desk)
    down(desk, ident)
    with pytest.raises(Refused, match="already"):
        down(desk, ident)


def test_what_the_platform_refuses_leaves_no_mark(desk):
    ident = out(desk)
    desk.platform.fail_next("rejected", "delete")
    with pytest.raises(Refused, match="scripted fault"):
        down(desk, ident)
    view = desk.show(ident)
    assert (view.withdrawal, view.motive, desk.texts()) == (None, None, ["hello"])
    assert [attempt.outcome for attempt in deletions(desk)] == [Outcome.REJECTED]


def test_no_network_leaves_no_mark_and_can_be_tried_again(desk):
    ident = out(desk)
    desk.platform.fail_next("retryable", "delete")
    with pytest.raises(NetworkTrouble):
        down(desk, ident)
    assert desk.show(ident).withdrawal is None
    assert down(desk, ident).gone == (1,)


def test_a_thread_half_taken_down_is_open_until_it_is_finished(desk):
    ident = out(desk, "one\n---\ntwo")
    down(desk, f"{ident}#2")
    desk.platform.fail_next("retryable", "delete")
    with pytest.raises(NetworkTrouble):
        down(desk, ident, "legal")
    assert (desk.show(ident).withdrawal, desk.show(ident).motive) == ("unconfirmed", "legal")
    down(desk, ident, "legal")
    assert (desk.show(ident).withdrawal, desk.texts()) == ("done", [])


def test_a_refused_token_stops_it_and_says_so(desk):
    ident = out(desk)
    desk.platform.fail_next("auth_failed", "delete")
    with pytest.raises(PersonNeeded) as first:
        down(desk, ident)
    assert "cm channel check fb" in first.value.hint
    with pytest.raises(PersonNeeded) as second:
        down(desk, ident)
    assert "refused the token" in second.value.message
    assert len(deletions(desk)) == 1, "the second time the platform is not asked"


def test_a_failed_thread_whose_parts_are_taken_down_leaves_the_plan(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"max_characters": 10})}))
    ident = desk.add("one\n---\ntwo is far too long")
    desk.tick()
    assert desk.state(ident) == "failed"
    assert down(desk, ident).gone == (1,)
    view = desk.show(ident)
    assert (view.state.value, view.withdrawal, desk.texts()) == ("cancelled", "done", [])
    with pytest.raises(Refused, match="taken down"):
        move(desk.env, ident, (desk.clock.now() + timedelta(hours=2)).replace(tzinfo=None))
    desk.close()


def test_a_thread_that_is_still_going_out_is_cancelled_first(desk):
    ident = desk.add("one\n---\ntwo")
    desk.platform.fail_next("retryable", "prepare", account="page")  # met by part 1: it goes out a minute later
    desk.tick()
    assert desk.texts() == []
    with pytest.raises(Refused) as refused:
        down(desk, ident)
    assert f"cm post cancel {ident}" in refused.value.hint


# --- nobody knows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_once_more(desk, when):
    ident = out(desk)
    desk.platform.fail_next("unknown", "delete", when=when)
    assert down(desk, ident).exit_code == 0
    assert [attempt.outcome for attempt in deletions(desk)] == [Outcome.UNKNOWN, Outcome.PUBLISHED]
    assert all(attempt.settled or attempt.outcome is Outcome.PUBLISHED for attempt in deletions(desk))
    assert (desk.show(ident).withdrawal, desk.texts()) == ("done", [])


def test_two_lost_answers_are_a_persons_matter(desk):
    ident = out(desk)
    desk.platform.fail_next("unknown", "delete", times=2, when="after")
    done = down(desk, ident)
    assert (done.exit_code, [left.why for left in done.left]) == (7, ["unconfirmed"])
    view = desk.show(ident)
    assert (view.state.value, view.withdrawal, view.withdrawn_at) == ("published", "unconfirmed", None)
    assert [post.id for post in list_posts(desk.env, ["is:withdrawn"])] == [ident]
    assert down(desk, ident, None).gone == (1,), "the same command goes on where it stood, for the same motive"
    assert desk.show(ident).withdrawal == "done"


def test_a_person_has_looked_and_it_is_gone(desk):
    ident = out(desk)
    desk.platform.fail_next("unknown", "delete", times=2, when="after")
    down(desk, ident, "consent")
    confirm_gone(desk.env, int(ident[1:]))
    view = desk.show(ident)
    assert (view.withdrawal, view.motive) == ("done", "consent")


def test_an_address_that_a_person_gave_proves_nothing(tmp_path):
    """What is not there under that id may stand under another."""
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"honour_keys": False})}))
    ident = in_doubt(desk)
    confirm_published(desk.env, 1, "https://example.org/page/posts/42")
    done = down(desk, ident)
    assert (done.exit_code, desk.show(ident).withdrawal, desk.texts()) == (7, "unconfirmed", ["hello"])
    assert ([left.why for left in done.left], deletions(desk)) == (["by_hand"], [])
    assert [line.command for line in today(standing(desk.env)) if line.kind == "withdrawal"] == [
        f"cm post confirm {ident} --gone"
    ]
    confirm_gone(desk.env, 1)
    assert desk.show(ident).withdrawal == "done"
    desk.close()


def test_a_thread_of_which_cm_can_delete_a_part_leaves_the_other_to_a_person(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"honour_keys": False})}))
    ident = in_doubt(desk, "one\n---\ntwo")
    confirm_published(desk.env, 1, "https://example.org/page/posts/42")
    with desk.env.store.write() as session:  # the second part goes on under the first as it stands there
        there = desk.platform.posts("page")[0].remote_id
        session.connection().exec_driver_sql("UPDATE receipt SET remote_id = ?", (there,))
    desk.tick(minutes=1)
    assert desk.texts() == ["one", "two"]
    done = down(desk, ident)
    assert (done.gone, [(left.n, left.why) for left in done.left], desk.texts()) == ((2,), [(1, "by_hand")], ["one"])
    assert [line.command for line in today(standing(desk.env)) if line.kind == "withdrawal"] == [
        f"cm post confirm {ident} --gone"
    ]
    confirm_gone(desk.env, 1)
    assert desk.show(ident).withdrawal == "done"
    desk.close()


def test_on_its_own_host_the_address_that_a_person_gave_is_deleted(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"honour_keys": False})}))
    ident = in_doubt(desk)
    there = desk.platform.posts("page")[0].remote_id
    confirm_published(desk.env, 1, f"https://facebook/page/posts/{there}")
    assert (down(desk, ident).gone, desk.texts(), desk.show(ident).withdrawal) == ((1,), [], "done")
    desk.close()


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_where_cm_cannot_delete_a_person_does(desk):
    ident = desk.add("on paper", to="out")
    desk.tick()
    confirm_published(desk.env, 1, "https://www.facebook.com/page/posts/987")
    target = look(desk.env, desk.workspace.adapter, ident)
    assert list(target.by_hand.values()) == ["cm cannot delete on outbox"]
    done = down(desk, ident, "outdated")
    assert (done.exit_code, done.left[0].permalink) == (7, "https://www.facebook.com/page/posts/987")
    assert desk.show(ident).withdrawal == "unconfirmed"
    confirm_gone(desk.env, 1)
    assert (desk.show(ident).withdrawal, desk.show(ident).motive) == ("done", "outdated")
    assert deletions(desk) == []


def test_bare_cm_names_the_command_that_ends_it(desk):
    """Another takedown ends nothing where cm cannot delete; where an answer was lost it may."""
    paper, lost = desk.add("on paper", to="out"), out(desk)
    confirm_published(desk.env, int(paper[1:]), "https://www.facebook.com/page/posts/987")
    down(desk, paper, "outdated")
    desk.platform.fail_next("unknown", "delete", times=2, when="after")
    down(desk, lost, "privacy")
    lines = today(standing(desk.env))
    mends = [line.command for line in lines if line.kind == "withdrawal"]
    assert sorted(mends) == [f"cm post confirm {paper} --gone", f"cm post takedown {lost}"]


def test_what_is_being_taken_down_is_not_said_to_be_gone(desk):
    ident = desk.add("on paper", to="out")
    desk.tick()
    confirm_published(desk.env, 1, "https://www.facebook.com/page/posts/987")
    down(desk, ident, "outdated")
    with pytest.raises(Refused) as refused:
        plan(desk.env, desk.workspace.adapter, ident, "other words")
    assert "being taken down" in refused.value.message


def test_the_displayed_word_of_a_motive_is_understood(desk):
    ident = out(desk)
    assert down(desk, ident, "  Privacy ").gone == (1,)
    assert (desk.show(ident).motive, known_motive("error in the text")) == ("privacy", "error")


def test_a_post_of_another_account_is_left_to_a_person(desk):
    ident = out(desk)
    config = (desk.root / "config.yaml").read_text()
    (desk.root / "config.yaml").write_text(config.replace("account: page", "account: newpage"))
    again = open_desk(desk.root, desk.clock.now())
    done = down(again, ident)
    assert (done.exit_code, [left.why for left in done.left]) == (7, ["by_hand"])
    assert again.texts() == ["hello"]
    again.close()


# --- two at once, and dead ones ---------------------------------------------------------------------------------------


def lock_of(desk: Desk):
    with desk.env.store.write() as session:
        return ownership.lock_of(desk.env, ensure(session, "fb", desk.workspace.adapter("fb")))


def test_another_run_is_waited_for(desk):
    ident = out(desk)
    lock = lock_of(desk)
    assert lock.acquire()
    said = []

    def waiting():
        said.append("waiting")
        threading.Timer(0.2, lock.release).start()

    assert down(desk, ident, waiting=waiting).gone == (1,)
    assert said == ["waiting"]


def test_but_not_for_ever(desk):
    ident = out(desk)
    lock = lock_of(desk)
    assert lock.acquire()
    with pytest.raises(Busy) as busy:
        down(desk, ident, patience=0.1)
    lock.release()
    assert (busy.value.exit_code, desk.texts(), deletions(desk)) == (6, ["hello"], [])


def test_a_rewound_database_takes_nothing_down(desk):
    ident = out(desk)
    lock = lock_of(desk)
    with desk.env.store.read() as session:
        workspace = ownership.workspace_id(session)
    lock.note(workspace, 999, desk.clock.now())
    with pytest.raises(WorkspaceError):
        down(desk, ident)
    assert desk.texts() == ["hello"]


def stopped(stage: str, root: Path, *args: str) -> int:
    command = [sys.executable, str(STOPPER), stage, "SIGKILL", "-C", str(root), *args]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, env=dict(os.environ)).returncode


def test_what_a_dead_takedown_left_open_is_named_and_marked_by_the_next_run(tmp_path):
    root = make_workspace(tmp_path / "w", {"fb": channel("page")}, timezone="UTC")
    desk = open_desk(root, datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5))
    ident = out(desk)
    desk.clock.set(datetime.now(UTC))
    desk.add("after", minutes=4)
    assert stopped("sending", root, "post", "takedown", ident, "--motive", "error", "--yes") == -signal.SIGKILL
    desk.clock.advance(timedelta(minutes=3))
    [open_] = vitals(desk.env, desk.workspace.adapter, online=False).posts.open
    assert (open_.post, open_.held, open_.mend) == (ident, False, f"cm post takedown {ident}")
    found = list(of_posts(PostFacts(open=(open_,)), desk.clock.now()))
    assert [(one.key, one.mend) for one in found] == [("posts.stuck", f"cm post takedown {ident}")]
    desk.tick(minutes=2)
    assert [attempt.outcome for attempt in deletions(desk)] == [Outcome.UNKNOWN]
    known = vitals(desk.env, desk.workspace.adapter, online=False).posts
    assert (known.open, known.withdrawals.ids) == ((), (ident,))
    assert down(desk, ident, None).gone == (1,)
    desk.close()


@pytest.mark.parametrize("stage", ["locked", "sending", "answered", "recorded"])
def test_killed_at_any_stage_the_same_command_finishes_it(tmp_path, stage):
    root = make_workspace(tmp_path / "w", {"fb": channel("page")}, timezone="UTC")
    desk = open_desk(root, datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5))
    ident = out(desk, "one\n---\ntwo")
    desk.clock.set(datetime.now(UTC))
    after = desk.add("after", minutes=1)
    assert stopped(stage, root, "post", "takedown", ident, "--motive", "error", "--yes") == -signal.SIGKILL
    known = desk.show(ident)
    assert known.state.value == "published", "a deletion in doubt is no sending in doubt"
    assert known.withdrawal == (None if stage == "locked" else "unconfirmed"), "what died half-way is seen at once"
    desk.tick(minutes=2)
    assert (desk.state(ident), desk.state(after)) == ("published", "published"), "the engine is not disturbed"
    answer = cm("-C", str(root), "post", "takedown", ident, "--motive", "error", "--yes", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["withdrawal"] == "done"
    assert desk.texts() == ["after"]
    assert all(attempt.finished_at for attempt in desk.attempts())
    desk.close()


# --- the command ------------------------------------------------------------------------------------------------------


def test_without_a_terminal_it_needs_a_yes(desk):
    ident = out(desk)
    root = str(desk.root)
    asked = cm("-C", root, "post", "takedown", ident, "--motive", "error")
    assert (asked.returncode, desk.texts()) == (2, ["hello"])
    for told in (ident, "fb", "SIMULATION", "public", "hello", "sandbox://page/"):
        assert told in asked.stderr
    done = cm("-C", root, "post", "takedown", ident, "--motive", "error", "--yes")
    assert (done.returncode, desk.texts()) == (0, [])
    shown = cm("-C", root, "post", "show", ident).stdout
    assert "withdrawn" in shown
    assert "(gone)" in shown
    assert "withdrawn" in cm("-C", root, "post", "list").stdout


@pytest.mark.parametrize(("answer", "code", "standing"), [("y", 0, []), ("", 4, ["hello"])])
def test_at_a_terminal_it_is_shown_and_asked_for(desk, answer, code, standing):
    ident = out(desk)
    args = ("post", "takedown", ident, "--motive", "error")
    ended, seen = at_a_terminal(*args, answer=answer, cwd=desk.root)
    assert (ended, desk.texts()) == (code, standing)
    assert seen.index("hello") < seen.index("Take 1 message down? [y/N]")


def test_exit_7_names_what_to_do(desk):
    ident = desk.add("on paper", to="out")
    desk.tick()
    done = cm("-C", str(desk.root), "post", "takedown", ident, "--motive", "error", "--yes", "--json")
    assert done.returncode == 7
    assert json.loads(done.stdout)["left"][0]["why"] == "by_hand"
    again = cm("-C", str(desk.root), "post", "takedown", ident, "--motive", "error", "--yes")
    assert f"cm post confirm {ident} --gone" in again.stderr


# --- over real HTTP ---------------------------------------------------------------------------------------------------


def test_a_thread_is_taken_down_from_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("CM_TEST_TOKEN", TOKENS["tilleuls"])
    with running(tmp_path / "media") as server:
        toot = channel("tilleuls", platform="mastodon", adapter="mastodon", token="env:CM_TEST_TOKEN")
        toot["settings"] = {"server": server.url}
        desk = open_desk(make_workspace(tmp_path / "w", {"toot": toot}))
        ident = out(desk, "one\n---\ntwo", to="toot")
        first, second = (f"/api/v1/statuses/{part.receipt.remote_id}" for part in desk.show(ident).messages)
        server.fail_next("DELETE", second, type="status", status=422)
        server.fail_next("DELETE", first, type="status", status=503)
        refused = down(desk, ident)
        assert ([left.why for left in refused.left], refused.gone) == (["rejected"], (1,))
        assert desk.show(ident).withdrawal == "unconfirmed"
        done = down(desk, ident)
        assert (done.gone, server.statuses(), desk.show(ident).withdrawal) == ((2,), [], "done")
        desk.close()


# --- the rule ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 5), st.integers(0, 5), st.booleans(), st.booleans())
def test_withdrawn_is_only_said_of_what_is_surely_gone(standing, gone, doubtful, whole):
    found = withdrawal_of(standing=standing, gone=gone, doubtful=doubtful, whole=whole)
    assert (found == "done") == (not doubtful and standing == 0 and gone > 0)
    if doubtful:
        assert found == "unconfirmed"
    if not gone and not doubtful:
        assert found is None


def test_cancelling_is_not_taking_down(desk):
    desk.add("later", minutes=60)
    cancel_all(desk.env, ["state:scheduled"])
    with pytest.raises(Refused):
        down(desk, "p1")
