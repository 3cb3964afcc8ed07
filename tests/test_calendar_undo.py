"""Taking back one's own steps: whole, exactly, never a post that has left, and never so that one goes out late."""

import itertools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support_calendar import NOW, add, at, csv_of, make_env, row, send_parts, set_state, table
from support_pictures import tiny

from cm.calendar import bulk, posts, undo
from cm.calendar.drafting import post_changes
from cm.calendar.importing import import_posts
from cm.calendar.restoring import Standing, composed_of, landing, route
from cm.calendar.sql import ACTION, ATTACHMENT, CHANGE, CHANGED_POST, MESSAGE, POST, SNAPSHOT, STORY
from cm.calendar.steps import KEPT, images, merged, runs_of
from cm.checks.content import content_hash
from cm.clock import SettableClock
from cm.config import Cadence
from cm.env import Env
from cm.errors import CmError, NotFound, Refused, UsageError
from cm.model.states import LOCKED, TRANSITIONS, PostState
from cm.people import Actor

RunJson = Callable[..., Any]
RESTED = sorted(set(PostState) - LOCKED)
BOTH = list(itertools.product(RESTED, RESTED))


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def as_somebody_else(env: Env) -> Env:
    return replace(env, actor=Actor("alex", "Alex Petit", "alex"))


def later(env: Env, **span: float) -> None:
    assert isinstance(env.clock, SettableClock)
    env.clock.advance(timedelta(**span))


def what_stands(env: Env) -> dict[str, list[dict[str, Any]]]:
    """Everything about posts but how often and when they were changed."""
    passing = {"rev", "updated_at"}
    kept = {"post": POST, "message": MESSAGE, "attachment": ATTACHMENT, "story": STORY}
    found = {name: table(env, which) for name, which in kept.items()}
    numbers = {one["id"]: (one["post_id"], one["n"]) for one in found["message"]}
    stories = {one["id"]: one["ref"] for one in found["story"]}
    for post in found["post"]:
        post["story_id"] = stories.get(post["story_id"])
        for name in passing:
            del post[name]
    for story in found["story"]:
        del story["id"]
    for message in found["message"]:
        del message["id"]
    for attachment in found["attachment"]:
        attachment["message_id"] = numbers[attachment["message_id"]]
        del attachment["id"]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


# --- one step ---------------------------------------------------------------------------------------------------------


def test_an_edit_is_taken_back_word_for_word(env: Env) -> None:
    (env.root / "media").mkdir()
    (env.root / "media" / "a.jpg").write_bytes(tiny())
    add(
        env, "Bonjour\n---\nSuite", ref="un", story="accueil", theme="vie", link="https://a.example",
        wall="2026-11-24T09:00", media=("a.jpg",), alt=("Un chat",), first_comment="Voilà",
    )  # fmt: skip
    before = what_stands(env)
    posts.edit(env, "un", post_changes(text="Autre", story="visite", ref="deux", media=(), first_comment=""))
    assert what_stands(env) != before
    result = undo.undo(env)
    assert what_stands(env) == before
    assert [(view.id, view.ref, view.rev) for view in result.posts] == [("p1", "un", 3)]
    assert [one.as_json() for one in result.undone] == [
        {
            "verb": "post.edit",
            "at": "2026-11-20T11:00:00+01:00",
            "posts": 1,
            "restored": ["p1"],
            "missed": [],
            "failed": [],
            "removed": [],
            "cancelled": [],
        }
    ]


def test_steps_are_taken_back_one_after_the_other_or_together(env: Env) -> None:
    for apart in (True, False):
        start = what_stands(env)
        name = add(env, wall="2026-11-24T09:00").id
        posts.edit(env, name, post_changes(text="Autre"))
        posts.move(env, name, at("2026-11-25T09:00"))
        posts.cancel(env, name, "doublon")
        assert [step.verb for step in undo.steps(env)] == ["post.cancel", "post.move", "post.edit", "post.add"]
        done = [undo.undo(env) for _ in range(4)] if apart else [undo.undo(env, 4)]
        assert sum(len(one.undone) for one in done) == 4
        assert what_stands(env) == start
        assert undo.steps(env) == []


def test_an_edit_that_changed_nothing_is_no_step(env: Env) -> None:
    add(env, "Bonjour", wall="2026-11-24T09:00")
    posts.edit(env, "p1", post_changes(text="Bonjour"))
    assert [step.verb for step in undo.steps(env)] == ["post.add"]


def test_a_dry_run_changes_nothing(env: Env) -> None:
    add(env, wall="2026-11-24T09:00")
    posts.cancel(env, "p1")
    before = (what_stands(env), table(env, CHANGE), table(env, ACTION))
    shown = undo.undo(env, 2, dry_run=True)
    assert (shown.dry_run, [one.verb for one in shown.undone]) == (True, ["post.cancel", "post.add"])
    assert (what_stands(env), table(env, CHANGE), table(env, ACTION)) == before


def test_the_action_log_says_who_took_what_back(env: Env) -> None:
    add(env, wall="2026-11-24T09:00")
    posts.cancel(env, "p1")
    undo.undo(env)
    last = table(env, ACTION)[-1]
    assert (last["verb"], last["target"], last["actor"]) == ("undo", "p1", "camille")
    assert last["detail"] == {"step": 2, "verb": "post.cancel", "restored": [[1, 1]], "removed": []}


def test_there_must_be_something_to_take_back(env: Env) -> None:
    with pytest.raises(NotFound):
        undo.undo(env)
    add(env)
    with pytest.raises(NotFound, match="1 step of yours"):
        undo.undo(env, 2)
    with pytest.raises(UsageError):
        undo.undo(env, 0)
    assert len(table(env, POST)) == 1


# --- what was made ----------------------------------------------------------------------------------------------------


def test_a_new_post_is_removed_and_its_id_is_never_given_again(env: Env) -> None:
    add(env, wall="2026-11-24T09:00", ref="un", story="accueil")
    add(env, "zwei\n---\ndrei", wall="2026-11-24T10:00", ref="zwei", story="besuch")
    assert undo.undo(env).undone[0].removed == ((2, 2),)
    assert [post["id"] for post in table(env, POST)] == [1]
    assert [story["ref"] for story in table(env, STORY)] == ["accueil"]
    assert add(env, wall="2026-11-24T10:00", ref="zwei").id == "p3"
    undo.undo(env)
    imported = import_posts(env, csv_of([row(ref="drei")]), filename="a.csv")
    assert (imported.created, table(env, POST)[-1]["id"]) == (1, 4)


def test_a_post_that_was_tried_or_measured_is_cancelled_instead(env: Env) -> None:
    views = [add(env, wall=f"2026-11-24T{hour}:00") for hour in ("09", "10")]
    send_parts(env, views[0], 0)
    set_state(env, views[0], PostState.FAILED, wake_at=None, reason="rejected")
    with env.store.write() as session:
        session.execute(sa.insert(SNAPSHOT).values(post_id=2, channel="facebook", taken_at=NOW, source="file"))
    result = undo.undo(env, 2)
    assert [(one.removed, one.cancelled) for one in result.undone] == [((), (2,)), ((), (1,))]
    assert [view.state for view in result.posts] == [PostState.CANCELLED, PostState.CANCELLED]


def test_an_import_costs_one_row_and_is_taken_back_whole(env: Env) -> None:
    kept = add(env, wall="2026-11-24T09:00", ref="kept")
    start = what_stands(env)
    later(env, minutes=1)
    rows = [row(ref=f"ref-{n}", date=f"2026-12-{n + 1:02}", story=f"s{n % 3}") for n in range(20)]
    changed = row(ref="kept", text="Autre texte", date="2026-11-25", time="11:00", story="s1")
    result = import_posts(env, csv_of([*rows, changed]), filename="a.csv")
    assert (result.created, result.updated, result.errors) == (20, 1, ())
    change = table(env, CHANGE)[-1]
    assert (change["verb"], change["created"]) == ("calendar.import", [[2, 21]])
    assert [one["post_id"] for one in table(env, CHANGED_POST)] == [1]
    done = undo.undo(env).undone[0]
    assert (done.posts, done.restored, done.removed) == (21, (1,), ((2, 21),))
    assert what_stands(env) == start
    assert posts.show(env, kept.id).ref == "kept"


def test_a_file_may_lengthen_threads_and_bring_posts_at_once(env: Env) -> None:
    add(env, "un", ref="kept", wall="2026-11-24T09:00")
    start = what_stands(env)
    longer = row(ref="kept", text="un\n---\ndeux\n---\ntrois", date="2026-11-24", time="09:00")
    new = row(ref="new", text="eins\n---\nzwei", date="2026-11-25")
    result = import_posts(env, csv_of([new, longer, row(ref="last", date="2026-11-26")]), filename="a.csv")
    assert (result.created, result.updated) == (2, 1)
    texts = [[part.text for part in posts.show(env, ref).messages] for ref in ("kept", "new", "last")]
    assert texts == [["un", "deux", "trois"], ["eins", "zwei"], ["Bonjour"]]
    undo.undo(env)
    assert what_stands(env) == start


def test_the_example_of_a_new_workspace_is_no_step(example: Path, run_json: RunJson) -> None:
    assert run_json("undo", "--list", cwd=example) == {"steps": []}


def test_a_story_that_was_there_before_stays(env: Env) -> None:
    add(env, wall="2026-11-24T09:00", story="accueil")
    later(env, minutes=1)
    posts.edit(env, "p1", post_changes(story=""))
    later(env, minutes=1)
    add(env, wall="2026-11-24T10:00", story="accueil")
    undo.undo(env)
    assert [story["ref"] for story in table(env, STORY)] == ["accueil"]
    undo.undo(env)
    assert posts.show(env, "p1").story == "accueil"


# --- never late by surprise -------------------------------------------------------------------------------------------


def test_a_time_that_has_passed_comes_back_as_missed(env: Env) -> None:
    add(env, wall="2026-11-20T14:00")
    posts.move(env, "p1", at("2026-11-25T09:00"))
    later(env, hours=4)
    result = undo.undo(env)
    assert result.undone[0].missed == (1,)
    (view,) = result.posts
    assert (view.state, view.wall, view.reason) == (
        PostState.MISSED,
        "2026-11-20T14:00",
        "its time had passed when it was brought back",
    )
    assert table(env, POST)[0]["wake_at"] is None


def test_words_go_back_while_a_post_is_overdue(env: Env) -> None:
    add(env, "Bonjour", wall="2026-11-20T14:00")
    posts.edit(env, "p1", post_changes(text="Bonsoir"))
    later(env, hours=2, minutes=10)
    (view,) = undo.undo(env).posts
    assert (view.state, view.text, view.wall) == (PostState.SCHEDULED, "Bonjour", "2026-11-20T14:00")


@pytest.mark.parametrize("state", [PostState.FAILED, PostState.MISSED])
@pytest.mark.parametrize("act", ["move", "cancel"])
def test_failed_and_missed_posts_come_back_as_they_were(env: Env, state: PostState, act: str) -> None:
    view = add(env, wall="2026-11-20T14:00")
    later(env, hours=5)
    set_state(env, view, state, wake_at=None, reason="the platform refused it")
    posts.move(env, "p1", at("2026-11-25T09:00")) if act == "move" else posts.cancel(env, "p1", "why")
    (back,) = undo.undo(env).posts
    assert (back.state, back.reason, back.wall) == (state, "the platform refused it", "2026-11-20T14:00")


def test_a_thread_that_had_begun_comes_back_as_failed(env: Env) -> None:
    view = add(env, "un\n---\ndeux", wall="2026-11-20T14:00")
    later(env, hours=3, minutes=10)
    send_parts(env, view, 1, tried=False)
    posts.cancel(env, "p1")
    result = undo.undo(env)
    assert (result.undone[0].missed, result.undone[0].failed) == ((), (1,))
    (back,) = result.posts
    assert (back.state, back.reason) == (PostState.FAILED, "its time had passed when it was brought back")


def test_a_draft_comes_back_as_a_draft(env: Env) -> None:
    add(env, draft=True)
    posts.move(env, "p1", None)
    (view,) = undo.undo(env).posts
    assert (view.state, view.wall) == (PostState.DRAFT, None)


def test_a_post_missed_since_goes_back_to_a_time_to_come(env: Env) -> None:
    view = add(env, wall="2026-11-25T09:00")
    posts.move(env, "p1", at("2026-11-20T14:00"))
    later(env, hours=5)
    set_state(env, view, PostState.MISSED, wake_at=None, reason="late")
    (back,) = undo.undo(env).posts
    assert (back.state, back.wall, back.reason) == (PostState.SCHEDULED, "2026-11-25T09:00", None)


@pytest.mark.parametrize(("start", "end"), BOTH)
def test_every_way_back_keeps_to_the_table(start: PostState, end: PostState) -> None:
    way = (start, *route(start, end))
    assert way[-1] is end
    assert all(after in TRANSITIONS[before] for before, after in itertools.pairwise(way))


@pytest.mark.parametrize(("current", "before"), BOTH)
def test_nothing_becomes_scheduled_for_a_time_that_has_passed(current: PostState, before: PostState) -> None:
    past, to_come = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    landed = landing(Standing(current, to_come, None), Standing(before, past, "x"), NOW)
    assert landed.state is not PostState.SCHEDULED
    assert landing(Standing(current, past, None), Standing(before, to_come, None), NOW).state is before


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(LOCKED))
@pytest.mark.parametrize("act", ["add", "move"])
def test_what_has_left_is_not_taken_back(env: Env, state: PostState, act: str) -> None:
    view = add(env, wall="2026-11-24T09:00")
    if act == "move":
        posts.move(env, view.id, at("2026-11-25T09:00"))
    set_state(env, view, state)
    before = what_stands(env)
    with pytest.raises(Refused, match=f"p1: it is {state}") as refused:
        undo.undo(env)
    assert refused.value.exit_code == 4
    assert refused.value.details["posts"][0]["id"] == "p1"
    assert what_stands(env) == before


def test_what_somebody_else_has_changed_is_not_taken_back(env: Env) -> None:
    other = as_somebody_else(env)
    add(env, wall="2026-11-24T09:00")
    posts.move(other, "p1", at("2026-11-25T09:00"))
    for _ in range(2):
        with pytest.raises(Refused, match="alex has changed it since"):
            undo.undo(env)
    with pytest.raises(NotFound):
        undo.undo(other, 2)
    undo.undo(other)
    undo.undo(env)
    assert table(env, POST) == []


def test_a_step_is_taken_back_whole_or_not_at_all(env: Env) -> None:
    views = [add(env, wall=f"2026-11-24T{hour}:00") for hour in ("09", "10", "11")]
    bulk.cancel_all(env, ["day:2026-11-24"])
    set_state(env, views[2], PostState.DRAFT, rev=9)
    before = what_stands(env)
    with pytest.raises(Refused, match="p3: it was changed since"):
        undo.undo(env)
    assert what_stands(env) == before


def test_a_ref_that_is_taken_is_told(env: Env) -> None:
    add(env, wall="2026-11-24T09:00", ref="un")
    posts.edit(env, "un", post_changes(ref="deux"))
    add(as_somebody_else(env), wall="2026-11-24T10:00", ref="un")
    with pytest.raises(Refused, match="p1 had the ref 'un', which p2 bears now"):
        undo.undo(env)
    assert posts.show(env, "deux").id == "p1"


def test_a_place_in_a_story_that_is_taken_becomes_the_next_one(env: Env) -> None:
    other = as_somebody_else(env)
    for hour in ("09", "10"):
        add(env, wall=f"2026-11-24T{hour}:00", story="accueil")
    posts.edit(env, "p2", post_changes(story=""))
    add(other, wall="2026-11-24T11:00", story="accueil")
    undo.undo(env)
    places = {(post["id"], post["occurrence"]) for post in table(env, POST)}
    assert places == {(1, "1"), (2, "3"), (3, "2")}


def test_a_day_that_others_have_filled_is_not_overfilled(env: Env) -> None:
    for hour in range(9, 14):
        add(env, wall=f"2026-11-24T{hour:02}:00")
    posts.cancel(env, "p1")
    filler = add(as_somebody_else(env), wall="2026-11-24T15:00")
    with pytest.raises(Refused, match="p1 would stand on 2026-11-24 again, which would hold 6 posts of facebook"):
        undo.undo(env)
    posts.cancel(as_somebody_else(env), filler.id)
    undo.undo(env)
    add(env, wall="2026-11-24T16:00", over="journée du don")
    posts.move(env, "p1", at("2026-11-26T09:00"))
    undo.undo(env, 2)
    assert sum(post["state"] is PostState.SCHEDULED for post in table(env, POST)) == 5


def test_a_part_that_is_out_is_not_changed_back(env: Env) -> None:
    view = add(env, "un\n---\ndeux", wall="2026-11-24T09:00")
    posts.edit(env, "p1", post_changes(text="eins\n---\nzwei"))
    send_parts(env, view, 1)
    set_state(env, view, PostState.FAILED, wake_at=None)
    with pytest.raises(Refused, match="part 1 is out already"):
        undo.undo(env)


def test_a_cadence_that_shrank_is_kept(env: Env) -> None:
    for hour in range(9, 14):
        add(env, wall=f"2026-11-24T{hour:02}:00")
    posts.cancel(env, "p1")
    config = env.config.model_copy(update={"cadence": Cadence(min=1, max=4)})
    with pytest.raises(Refused, match="at most 4"):
        undo.undo(replace(env, config=config))


def test_only_what_was_agreed_to_is_taken_back(env: Env) -> None:
    add(env, wall="2026-11-24T09:00")
    add(env, wall="2026-11-24T10:00")
    shown = undo.undo(env, dry_run=True)
    assert ([view.id for view in shown.gone], shown.removed) == (["p2"], 1)
    add(env, wall="2026-11-24T11:00")
    with pytest.raises(Refused, match="has changed since you looked"):
        undo.undo(env, agreed=shown)
    assert len(table(env, POST)) == 3
    undo.undo(env, agreed=undo.undo(env, dry_run=True))
    assert [post["id"] for post in table(env, POST)] == [1, 2]


def test_nothing_is_scheduled_on_a_channel_that_is_closed_or_gone(env: Env) -> None:
    add(env, wall="2026-11-24T09:00")
    posts.cancel(env, "p1")
    closed = env.config.channels["facebook"].model_copy(update={"state": "closed"})
    for channels in ({**env.config.channels, "facebook": closed}, {"twitter": env.config.channels["twitter"]}):
        now = replace(env, config=env.config.model_copy(update={"channels": channels}))
        with pytest.raises((Refused, NotFound), match="facebook"):
            undo.undo(now)
        assert posts.show(env, "p1").state is PostState.CANCELLED
    undo.undo(env)
    posts.edit(env, "p1", post_changes(text="Autre"))
    words = replace(env, config=env.config.model_copy(update={"channels": {"facebook": closed}}))
    assert undo.undo(words).posts[0].text == "Bonjour"


def test_who_changed_the_posts_is_looked_up_for_those_that_are_named(env: Env) -> None:
    for hour in range(9, 14):
        add(env, wall=f"2026-11-24T{hour:02}:00")
    bulk.cancel_all(env, ["day:2026-11-24"])
    for post in range(1, 6):
        posts.move(as_somebody_else(env), f"p{post}", at(f"2026-11-25T{8 + post:02}:00"))
    with env.store.write() as session:
        engine = session.get_bind()
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with pytest.raises(Refused, match=r"p3: alex has changed it since, and 2 more\.") as refused:
        undo.undo(env)
    assert len(refused.value.details["posts"]) == 5
    assert sum("FROM action" in statement for statement in asked) == 3


# --- what is kept of steps --------------------------------------------------------------------------------------------


def test_the_last_fifty_steps_of_each_person_are_kept(env: Env) -> None:
    other = as_somebody_else(env)
    add(other, "Von Alex", wall="2026-11-24T09:00")
    add(env, wall="2026-11-24T10:00")
    for n in range(KEPT + 2):
        posts.edit(env, "p2", post_changes(text=f"Texte {n}"))
    assert len(undo.steps(env)) == KEPT
    assert len(undo.steps(other)) == 1
    assert len(table(env, CHANGED_POST)) == KEPT
    undo.undo(env, KEPT)
    assert posts.show(env, "p2").text == "Texte 1"
    with pytest.raises(NotFound):
        undo.undo(env)
    assert table(env, CHANGED_POST) == []


def test_everybodys_steps_go_after_ninety_days(env: Env) -> None:
    other = as_somebody_else(env)
    add(other, "Von Alex", wall="2027-11-24T09:00")
    posts.edit(other, "p1", post_changes(text="Von Alex, anders"))
    later(env, days=89)
    add(env, wall="2027-11-24T10:00")
    assert len(undo.steps(other)) == 2
    later(env, days=2)
    assert undo.steps(other) == []
    with pytest.raises(NotFound):
        undo.undo(other)
    posts.edit(env, "p2", post_changes(text="Autre"))
    assert [one["actor"] for one in table(env, CHANGE)] == ["camille", "camille"]
    assert "Von Alex" not in str(table(env, CHANGED_POST))


def test_runs() -> None:
    assert runs_of([3, 1, 2, 7, 2]) == [[1, 3], [7, 7]]
    assert merged([(4, 6), (1, 3), (9, 9)]) == [[1, 6], [9, 9]]
    assert runs_of([]) == []


# --- anything, taken back ---------------------------------------------------------------------------------------------

CHANNEL = st.sampled_from(["facebook", "twitter"])
STORY_REF = st.sampled_from(["", "accueil", "visite"])
REF = st.sampled_from(["", "un", "deux", "trois"])
TEXT = st.sampled_from(["Bonjour", "Bonsoir\n---\nsuite", "un\n---\ndeux\n---\ntrois", "Merci 🙏 à tous"])
WALL = st.builds("2026-11-{:02}T{:02}:00".format, st.integers(21, 26), st.integers(8, 20))
PICK = st.integers(0, 99)


class Undoing(RuleBasedStateMachine):
    """Somebody works at the calendar; whatever they did, taking everything back leaves it as they found it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cm-undo-"))
        found = as_somebody_else(make_env(self.folder, cadence={"min": 1, "max": 3}))
        (self.folder / "media").mkdir()
        (self.folder / "media" / "a.jpg").write_bytes(tiny())
        for state in (PostState.SCHEDULED, PostState.DRAFT, PostState.MISSED, PostState.FAILED, PostState.CANCELLED):
            view = add(found, f"Vor {state}", wall="2026-11-20T17:00", draft=True, story="accueil", media=("a.jpg",))
            plan = {"wake_at": at("2026-11-20T16:00+00:00")} if state is PostState.SCHEDULED else {"reason": "darum"}
            set_state(found, view, state, **plan)
        self.env = replace(found, actor=Actor("camille", "Camille Roux", "camille"))
        self.start = what_stands(self.env)
        self.steps = 0

    def teardown(self) -> None:
        if hasattr(self, "env"):
            if self.steps:
                undo.undo(self.env, self.steps)
            assert what_stands(self.env) == self.start
            mine = [one for one in table(self.env, CHANGED_POST) if one["change_id"] > len(self.start["post"])]
            # that somebody's own file made a revision is kept, what the post said is not
            assert all(one["before"].keys() == {"rev"} for one in mine)
            self.env.store.close()
            shutil.rmtree(self.folder)

    def take(self, act: Callable[[], object]) -> None:
        """A step, unless it is refused; then nothing may have changed."""
        before = (what_stands(self.env), table(self.env, CHANGE))
        try:
            act()
        except CmError:
            assert (what_stands(self.env), table(self.env, CHANGE)) == before
        self.steps = len(undo.steps(self.env))

    def some(self, pick: int) -> str:
        ids = [post["id"] for post in table(self.env, POST)]
        return f"p{ids[pick % len(ids)]}"

    @rule(channel=CHANNEL, text=TEXT, ref=REF, story=STORY_REF, wall=WALL, draft=st.booleans())
    def adds(self, channel: str, text: str, ref: str, story: str, wall: str, draft: bool) -> None:
        self.take(lambda: add(self.env, text, channel=channel, ref=ref, story=story, wall=wall, draft=draft))

    @rule(pick=PICK, text=TEXT, ref=REF, story=STORY_REF, media=st.sampled_from([(), ("a.jpg",)]))
    def edits(self, pick: int, text: str, ref: str, story: str, media: tuple[str, ...]) -> None:
        changes = post_changes(text=text, ref=ref, story=story, media=media)
        self.take(lambda: posts.edit(self.env, self.some(pick), changes))

    @rule(pick=PICK, wall=WALL, over=st.sampled_from([None, "exprès"]))
    def moves(self, pick: int, wall: str, over: str | None) -> None:
        self.take(lambda: posts.move(self.env, self.some(pick), at(wall), over=over))

    @rule(pick=PICK)
    def cancels(self, pick: int) -> None:
        self.take(lambda: posts.cancel(self.env, self.some(pick), "voilà"))

    @rule(tokens=st.sampled_from([["state:missed,failed"], ["channel:fb"], ["story:accueil", "not-state:draft"]]))
    def moves_many(self, tokens: list[str]) -> None:
        self.take(lambda: bulk.move_all(self.env, tokens))

    @rule(tokens=st.sampled_from([["state:scheduled"], ["channel:x"], ["story:visite"]]))
    def cancels_many(self, tokens: list[str]) -> None:
        self.take(lambda: bulk.cancel_all(self.env, tokens))

    @rule(
        rows=st.lists(
            st.builds(
                lambda channel, ref, text, story, wall: row(
                    channel=channel, ref=ref, text=text, story=story, date=wall[:10], time=wall[11:]
                ),
                CHANNEL, st.sampled_from(["un", "deux", "trois", "quatre"]), TEXT, STORY_REF, WALL,
            ),
            max_size=4,
            unique_by=lambda cells: cells["ref"],
        )
    )  # fmt: skip
    def imports(self, rows: list[dict[str, str]]) -> None:
        self.take(lambda: import_posts(self.env, csv_of(rows), filename="a.csv", partial=True))

    @precondition(lambda self: self.steps)
    @rule(most=st.integers(1, 3))
    def takes_back(self, most: int) -> None:
        undo.undo(self.env, min(most, self.steps))
        self.steps = len(undo.steps(self.env))

    @invariant()
    def what_is_kept_is_what_was_hashed(self) -> None:
        with self.env.store.read() as session:
            for image in images(session, [post["id"] for post in table(self.env, POST)]).values():
                made = composed_of(image)
                assert content_hash(made.content) == made.content_hash


Undoing.TestCase.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestUndoing = Undoing.TestCase
