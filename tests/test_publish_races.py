"""A person's word and a run that meet: refused posts looked for, handed parts, takedowns, accounts that change."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from support_cli import change_config, sql
from support_publish import Desk, channel, make_workspace, open_desk

from cm.calendar.drafting import post_changes
from cm.calendar.posts import edit
from cm.calendar.undo import undo
from cm.channels.port import Adapter
from cm.errors import Refused, WorkspaceError
from cm.model.states import Outcome
from cm.model.tables import Account, Receipt
from cm.publishing import engine, heldposts, holds
from cm.publishing.confirm import confirm_absent, confirm_published
from cm.publishing.retry import retry_all
from cm.publishing.takedown import take_down
from cm.store import tick

LISTED = {"honour_keys": False}
BLIND = {"honour_keys": False, "finds": "none"}

Open = Callable[..., Desk]
Act = Callable[[logging.LogRecord], object]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """`opened(settings, more_channels, **channel)`: a workspace with the channel `fb` and others, closed at the end."""
    made: list[Desk] = []

    def open_(settings: dict[str, Any] | None = None, others: dict[str, Any] | None = None, **given: Any) -> Desk:
        given |= {"settings": settings} if settings else {}
        made.append(
            open_desk(make_workspace(tmp_path / f"w{len(made)}", {"fb": channel("page", **given)} | (others or {})))
        )
        return made[-1]

    yield open_
    for desk in made:
        desk.close()


@contextmanager
def at_stage(stage: str, act: Act, *, nth: int = 1) -> Iterator[None]:
    """Call `act(record)` when a worker of this process logs that stage for the `nth` time."""
    seen = 0

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal seen
            seen += record.getMessage() == stage
            if seen == nth and record.getMessage() == stage:
                act(record)

    handler = Handler()
    logging.getLogger("cm.publishing").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("cm.publishing").removeHandler(handler)


class Dead(BaseException):
    """The worker died."""


def die(_record: logging.LogRecord) -> None:
    raise Dead


def pass_minutes(desk: Desk, n: int) -> None:
    for _ in range(n):
        desk.tick(minutes=1)


def refused_and_there(desk: Desk, text: str = "hello") -> str:
    """A post that the platform made and then refused; a person tries it again."""
    ident = desk.add(text)
    desk.platform.fail_next("rejected", when="after")
    desk.tick()
    assert (desk.state(ident), desk.texts()) == ("failed", [text])
    desk.clock.advance(timedelta(minutes=1))
    retry_all(desk.env, [ident])
    return ident


# --- refused, and there all the same ----------------------------------------------------------------------------------


def test_of_two_that_look_like_a_refused_one_a_person_chooses(opened: Open) -> None:
    """A colleague posted the same text by hand: sending ours again might make a third one."""
    desk = opened(LISTED)
    ident = refused_and_there(desk)
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    pass_minutes(desk, 5)
    assert (desk.state(ident), desk.texts()) == ("unconfirmed", ["hello", "hello"])
    assert "2 posts there look like it" in (desk.show(ident).reason or "")
    confirm_absent(desk.env, int(ident[1:]))
    pass_minutes(desk, 2)
    assert (desk.state(ident), len(desk.texts())) == ("published", 3), "a person has looked: it is not asked again"


def test_one_that_is_edited_while_it_is_looked_for_is_not_taken_for_what_stands_there(opened: Open) -> None:
    desk = opened(LISTED)
    ident = refused_and_there(desk)
    with at_stage("looked", lambda _record: edit(desk.env, ident, post_changes(text="other words"))):
        desk.tick()
    pass_minutes(desk, 3)
    assert (desk.state(ident), desk.texts()) == ("unconfirmed", ["hello"])


def test_one_that_is_edited_while_nothing_is_found_goes_out_as_edited(opened: Open) -> None:
    desk = opened(LISTED)
    ident = desk.add("hello")
    desk.platform.fail_next("rejected")
    desk.tick()
    desk.clock.advance(timedelta(minutes=1))
    retry_all(desk.env, [ident])
    with at_stage("looked", lambda _record: edit(desk.env, ident, post_changes(text="other words"))):
        desk.tick()
    pass_minutes(desk, 2)
    assert (desk.state(ident), desk.texts()) == ("published", ["other words"])


# --- parts that a person has to paste ---------------------------------------------------------------------------------


def test_a_part_that_was_handed_over_is_edited_no_more(opened: Open) -> None:
    desk = opened(adapter="outbox")
    ident = desk.add("one\n---\ntwo")
    with at_stage("recorded", lambda _record: holds.set_hold(desk.env)):
        desk.tick()
    assert desk.state(ident) == "failed", "a hold came between its parts"
    with pytest.raises(Refused, match="part 1 is out"):
        edit(desk.env, ident, post_changes(text="ONE\n---\ntwo"))
    edit(desk.env, ident, post_changes(text="one\n---\nTWO"))
    holds.end_holds(desk.env)
    desk.clock.advance(timedelta(minutes=1))
    retry_all(desk.env, [ident])
    pass_minutes(desk, 1)
    assert desk.state(ident) == "handed"
    pasted = sorted(path.read_text() for path in (desk.root / "outbox").glob("*/post.txt"))
    assert pasted == ["TWO", "one"]


# --- taken down -------------------------------------------------------------------------------------------------------


def test_what_is_planned_again_meanwhile_is_not_taken_down(opened: Open) -> None:
    """Else the rest of the thread would go out as an answer to what is gone."""
    desk = opened()
    ident = desk.add("one\n---\ntwo\n---\nthree")
    with at_stage("recorded", lambda _record: desk.platform.fail_next("rejected"), nth=2):
        desk.tick()
    assert (desk.state(ident), desk.texts()) == ("failed", ["one", "two"])
    desk.clock.advance(timedelta(minutes=1))

    def again(_record: logging.LogRecord) -> None:
        retry_all(desk.env, [ident])

    with at_stage("opened", again), pytest.raises(Refused, match="is scheduled"):
        take_down(desk.env, desk.workspace.adapter, ident, "error")
    assert desk.attempts()[-1].outcome is Outcome.RETRYABLE
    pass_minutes(desk, 1)
    assert (desk.state(ident), desk.texts()) == ("published", ["one", "two", "three"])
    assert desk.row(ident).withdrawal is None


def test_a_deletion_in_doubt_is_nothing_that_may_still_appear(opened: Open) -> None:
    desk = opened()
    ident = desk.add("hello")
    desk.tick()
    desk.platform.fail_next("unknown", op="delete", times=2)
    take_down(desk.env, desk.workspace.adapter, ident, "error")
    assert desk.row(ident).withdrawal == "unconfirmed"
    assert heldposts.situation(desk.env, None).in_flight == ()


# --- the configuration changes meanwhile ------------------------------------------------------------------------------


def test_a_confirmed_post_belongs_to_the_account_that_it_was_sent_to(opened: Open) -> None:
    desk = opened(BLIND)
    ident = desk.add("hello")
    desk.platform.fail_next("unknown", when="after")
    pass_minutes(desk, 20)
    assert desk.state(ident) == "unconfirmed"
    change_config(desk.root, lambda config: config["channels"]["fb"].update(account="other"))
    later = open_desk(desk.root, desk.clock.now())
    later.add("from the new account")
    later.tick()
    confirm_published(later.env, int(ident[1:]), desk.platform.posts("page")[0].permalink)
    with later.env.store.read() as session:
        receipt = session.exec(select(Receipt).where(Receipt.source == "confirmed")).one()
        assert session.get_one(Account, receipt.account_id).handle == "page"
    later.close()


def broken(_name: str) -> Adapter:
    raise WorkspaceError("its settings are wrong")


def test_settings_that_are_wrong_for_a_while_leave_nothing_unconfirmed(opened: Open) -> None:
    desk = opened()
    ident = desk.add("hello")
    with at_stage("sending", die), pytest.raises(Dead):
        desk.tick()
    for _ in range(30):
        desk.clock.advance(timedelta(minutes=1))
        engine.publish(desk.env, broken, desk.workspace.stamp)
    assert desk.state(ident) == "publishing"
    pass_minutes(desk, 6)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_settings_that_stay_wrong_leave_it_to_a_person(opened: Open) -> None:
    desk = opened()
    ident = desk.add("hello")
    with at_stage("sending", die), pytest.raises(Dead):
        desk.tick()
    for _ in range(40):
        desk.clock.advance(timedelta(minutes=5))
        engine.publish(desk.env, broken, desk.workspace.stamp)
    assert desk.state(ident) == "unconfirmed"
    assert "cannot be used" in (desk.show(ident).reason or "")


def test_two_channels_that_are_one_account_stop_no_other(opened: Open) -> None:
    """Their settings differ, so that the configuration alone does not show it."""
    desk = opened(LISTED, {"fb2": channel("page"), "x": channel("x")})
    one, same, other = desk.add("a"), desk.add("b", to="fb2"), desk.add("c", to="x")
    result = desk.tick()
    assert [desk.state(ident) for ident in (one, same, other)] == ["scheduled", "scheduled", "published"]
    assert ({name for name, _error in result.errors}, result.exit_code) == ({"fb", "fb2"}, 3)


# --- holds, undo, clocks ----------------------------------------------------------------------------------------------


def test_a_post_that_was_held_is_still_asked_about_after_an_undo(opened: Open) -> None:
    desk = opened()
    ident = desk.add("hello", minutes=5)
    edit(desk.env, ident, post_changes(text="hello again"))
    hold = holds.set_hold(desk.env)
    desk.tick(minutes=6)
    undo(desk.env)
    assert (desk.state(ident), desk.row(ident).held_by) == ("missed", hold.id)
    assert [post.id for post in heldposts.waiting(desk.env)] == [ident]


def test_a_clock_that_was_hours_ahead_keeps_nothing_from_its_time(opened: Open) -> None:
    desk = opened(spacing=15)
    desk.add("dated by the wrong clock")
    desk.tick()
    desk.clock.advance(timedelta(hours=-6))
    ident = desk.add("later")
    pass_minutes(desk, 2)
    assert desk.state(ident) == "published"


def test_a_clock_that_went_back_a_little_keeps_the_distance(opened: Open) -> None:
    desk = opened(spacing=15)
    desk.add("one")
    desk.tick()
    desk.clock.advance(timedelta(minutes=-5))
    ident = desk.add("two")
    pass_minutes(desk, 5)
    assert desk.state(ident) == "scheduled"
    pass_minutes(desk, 16)
    assert desk.state(ident) == "published"


def minute(desk):
    """As cron does: the fast path first."""
    now = desk.clock.now().timestamp()
    if tick.nothing_due(str(desk.root), now, desk.workspace.stamp):
        tick.beat(str(desk.root), now)
    else:
        desk.tick()


def test_a_file_hold_that_is_gone_for_hours_misses_nothing(opened):
    desk = opened()
    first, later = desk.add("first", minutes=5), desk.add("later", minutes=125)
    desk.tick()
    (desk.root / "HOLD").write_text("fire\n")
    for n in range(130):
        desk.clock.advance(timedelta(minutes=1, seconds=0.1))
        if n == 10:
            (desk.root / "HOLD").unlink()
        minute(desk)
    assert (desk.state(first), desk.state(later)) == ("missed", "published"), desk.show(later).reason


def test_the_gate_lets_nothing_through_that_is_taken_down(opened):
    desk = opened()
    ident = desk.add("hello")
    sql(desk.root, "UPDATE post SET withdrawal = 'unconfirmed'")
    desk.tick()
    assert desk.texts() == []
    assert "taken down" in desk.show(ident).reason


def test_what_was_handed_over_after_a_crash_is_in_doubt_no_more(opened):
    desk = opened(adapter="outbox")
    first = desk.add("same")
    with at_stage("sending", die), pytest.raises(Dead):
        desk.tick()
    pass_minutes(desk, 5)
    assert desk.state(first) == "handed"
    twin = desk.add("same", over="twice on purpose")
    desk.tick()
    assert desk.state(twin) == "handed", desk.show(twin).reason
    assert heldposts.situation(desk.env, None).in_flight == ()


def test_a_doubt_that_a_wrong_clock_dated_hours_ahead_blocks_nobody(opened):
    desk = opened()
    desk.add("dated by the wrong clock")
    with at_stage("sending", die), pytest.raises(Dead):
        desk.tick()
    desk.clock.advance(timedelta(hours=-6))
    other = desk.add("later")
    pass_minutes(desk, 3)
    assert desk.state(other) == "published", desk.show(other).reason
