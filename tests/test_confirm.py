"""A person says what became of a message: it stands there, it does not, it stood there and is gone."""

import json
import shutil

import pytest
from sqlmodel import select
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm.calendar.drafting import post_changes
from cm.calendar.posts import edit
from cm.channels.outbox.adapter import OutboxAdapter
from cm.channels.port import Rejected
from cm.errors import NotFound, Refused, UsageError
from cm.model.states import Outcome, PostState
from cm.model.tables import Attempt, Message
from cm.publishing import engine
from cm.publishing.confirm import confirm_absent, confirm_gone, confirm_published
from cm.publishing.reconcile import reconcile
from cm.publishing.retry import retry_all
from cm.publishing.takedown import take_down
from cm.store.migrate import backup

THREAD = "one\n---\ntwo\n---\nthree"


@pytest.fixture
def desk(tmp_path):
    """A platform that forgets keys, and one where a person pastes."""
    fb = channel("page", settings={"honour_keys": False})
    made = open_desk(make_workspace(tmp_path / "w", {"fb": fb, "out": channel("paper", adapter="outbox")}))
    yield made
    made.close()


def doubt(desk: Desk, number: int, *, arrives: bool = True) -> None:
    """The next message of the post goes out, and nobody knows whether it arrives; listings show it much later."""
    desk.platform.list_late(86_400)
    desk.platform.fail_next("unknown", when="after" if arrives else "before")
    for _minute in range(6):
        desk.tick(minutes=1)
    assert desk.row(f"p{number}").state is PostState.UNCONFIRMED


def second_in_doubt(desk: Desk, text: str = THREAD) -> int:
    """A thread whose first part stands and whose second one is in doubt (it stands too)."""
    number = int(desk.add(text)[1:])
    doubt(desk, number)
    confirm_published(desk.env, number, desk.platform.posts("page")[0].permalink)
    doubt(desk, number)
    assert desk.texts() == ["one", "two"]
    return number


def handed(desk: Desk, text: str = "one\n---\ntwo") -> int:
    """A post that a person has to paste."""
    number = int(desk.add(text, to="out")[1:])
    desk.tick()
    assert desk.row(f"p{number}").state is PostState.HANDED
    return number


def stands(desk: Desk, number: int) -> list[bool | None]:
    """Of each message: True if it stands, False if it is gone, None if it has no receipt."""
    receipts = [message.receipt for message in desk.show(f"p{number}").messages]
    return [receipt and receipt.gone_at is None for receipt in receipts]


# --- the part that is meant -------------------------------------------------------------------------------------------


def test_a_part_in_doubt_is_confirmed_by_its_number_and_the_thread_goes_on(desk):
    number = second_in_doubt(desk)
    url = desk.platform.posts("page")[1].permalink
    assert confirm_published(desk.env, number, url, 2) is PostState.SCHEDULED
    desk.tick()
    assert (desk.state(f"p{number}"), desk.texts()) == ("published", ["one", "two", "three"])
    assert desk.platform.posts("page")[2].parent == desk.platform.posts("page")[1].remote_id


def test_what_is_known_or_was_not_sent_cannot_be_confirmed(desk):
    number = second_in_doubt(desk)
    with pytest.raises(Refused, match="nothing to confirm"):
        confirm_published(desk.env, number, "https://example.org/posts/1", 1)
    with pytest.raises(Refused) as unsent:
        confirm_absent(desk.env, number, 3)
    assert f"p{number}#2" in unsent.value.hint
    with pytest.raises(NotFound):
        confirm_gone(desk.env, number, 9, "error")


def test_a_part_that_is_not_there_goes_out_again(desk):
    number = second_in_doubt(desk)
    desk.platform.delete("page", desk.platform.posts("page")[1].remote_id, now=desk.clock.now())
    confirm_absent(desk.env, number, 2)
    desk.tick()
    assert (desk.state(f"p{number}"), desk.texts()) == ("published", ["one", "two", "three"])


def test_a_handed_thread_is_confirmed_part_by_part(desk):
    number = handed(desk)
    assert confirm_published(desk.env, number, "https://www.facebook.com/page/posts/2", 2) is PostState.HANDED
    assert confirm_published(desk.env, number, "https://www.facebook.com/page/posts/1", 1) is PostState.PUBLISHED
    assert stands(desk, number) == [True, True]


# --- it was there and is gone -----------------------------------------------------------------------------------------


def test_what_was_in_doubt_and_removed_counts_as_published_and_withdrawn(desk):
    number = int(desk.add("hello")[1:])
    doubt(desk, number)
    assert confirm_gone(desk.env, number, None, "privacy") is PostState.PUBLISHED
    view = desk.show(f"p{number}")
    assert (view.withdrawal, view.motive, stands(desk, number)) == ("done", "privacy", [False])
    for _minute in range(3):
        assert desk.tick(minutes=5).quiet, "it does not go out again"


def test_what_was_handed_and_removed_too(desk):
    number = handed(desk)
    assert confirm_gone(desk.env, number, 2, "error") is PostState.HANDED, "the other part is still open"
    assert desk.show(f"p{number}").withdrawal is None
    assert confirm_gone(desk.env, number, 1, "error") is PostState.PUBLISHED
    assert (desk.show(f"p{number}").withdrawal, stands(desk, number)) == ("done", [False, False])


def test_a_thread_whose_part_was_removed_does_not_go_on(desk):
    """What follows would answer a message that is not there."""
    number = second_in_doubt(desk)
    assert confirm_gone(desk.env, number, 2, "legal") is PostState.CANCELLED
    assert stands(desk, number) == [True, False, None]
    assert desk.tick(minutes=5).quiet
    take_down(desk.env, desk.workspace.adapter, f"p{number}", "legal")
    assert desk.show(f"p{number}").withdrawal == "unconfirmed", "its address was given by a person"


def test_all_of_a_thread_is_gone(desk):
    number = second_in_doubt(desk)
    assert confirm_gone(desk.env, number, None, "crisis") is PostState.PUBLISHED
    assert (desk.show(f"p{number}").withdrawal, stands(desk, number)) == ("done", [False, False, None])
    assert desk.tick(minutes=5).quiet


def test_a_doubtful_post_that_is_taken_down_never_goes_out_again(desk):
    number = int(desk.add("hello")[1:])
    doubt(desk, number, arrives=False)
    done = take_down(desk.env, desk.workspace.adapter, f"p{number}", "privacy")
    assert (done.exit_code, [left.why for left in done.left]) == (7, ["by_hand"])
    assert confirm_absent(desk.env, number) is PostState.CANCELLED
    assert desk.show(f"p{number}").withdrawal is None, "nothing of it ever stood there"
    assert desk.tick(minutes=5).quiet
    assert desk.texts() == []


def test_a_motive_is_needed_once(desk):
    number = handed(desk, "on paper")
    with pytest.raises(UsageError):
        confirm_gone(desk.env, number)
    confirm_published(desk.env, number, "https://www.facebook.com/page/posts/1")
    take_down(desk.env, desk.workspace.adapter, f"p{number}", "other", "the minister asked")
    assert desk.show(f"p{number}").withdrawal == "unconfirmed"
    confirm_gone(desk.env, number)
    assert (desk.show(f"p{number}").motive, desk.show(f"p{number}").withdrawal) == ("other", "done")
    with pytest.raises(Refused):
        confirm_gone(desk.env, number)


def test_what_is_still_planned_is_not_gone(desk):
    number = int(desk.add("later", minutes=60)[1:])
    with pytest.raises(Refused):
        confirm_gone(desk.env, number, None, "error")


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_options_exclude_each_other(desk):
    number = handed(desk)
    base = ("-C", str(desk.root), "post", "confirm", f"p{number}")
    url = ("--url", "https://www.facebook.com/page/posts/1")
    for wrong in ((), (*url, "--gone"), ("--not-published", "--gone"), (*url, "--motive", "error")):
        assert cm(*base, *wrong).returncode == 2
    part = cm(*base[:-1], f"p{number}#2", *url, "--json")
    assert (part.returncode, json.loads(part.stdout)["state"]) == (0, "handed")
    gone = cm(*base, "--gone", "--motive", "duplicate", "--json")
    assert (gone.returncode, json.loads(gone.stdout)["withdrawal"]) == (0, "done")


# --- a thread that ended half-way, of which a person has parts --------------------------------------------------------


class Picky(OutboxAdapter):
    """Refuses to prepare what says "two"."""

    def prepare(self, message, saved):
        if message.text == "two":
            raise Rejected("not that")
        return super().prepare(message, saved)


def half_handed(desk: Desk) -> int:
    """A failed thread: a person has its first part to paste, the second was refused."""
    number = int(desk.add(THREAD, to="out")[1:])
    adapter = Picky(desk.workspace.adapter("out")._context)
    engine.publish(desk.env, lambda _name: adapter, desk.workspace.stamp)
    assert desk.row(f"p{number}").state is PostState.FAILED
    return number


def handouts(desk: Desk, number: int) -> list[int]:
    """Numbers of the messages that were given to a person, in order."""
    given = select(Message.n).join(Attempt, Attempt.message_id == Message.id)
    with desk.env.store.read() as session:
        where = (Message.post_id == number, Attempt.outcome == Outcome.HANDED)
        return list(session.exec(given.where(*where).order_by(Attempt.id)))


def test_what_a_person_has_of_a_failed_thread_is_not_given_again(desk):
    number = half_handed(desk)
    with pytest.raises(Refused):
        edit(desk.env, f"p{number}", post_changes(text="other\n---\ntwo\n---\nthree"))
    retry_all(desk.env, [f"p{number}"])
    desk.tick(minutes=1)
    assert (desk.state(f"p{number}"), handouts(desk, number)) == ("handed", [1, 2, 3])


def test_its_part_may_be_confirmed_before_the_rest_goes(desk):
    number = half_handed(desk)
    with pytest.raises(Refused, match="was not sent"):
        confirm_published(desk.env, number, "https://www.facebook.com/page/posts/2", 2)
    assert confirm_published(desk.env, number, "https://www.facebook.com/page/posts/1") is PostState.FAILED
    assert stands(desk, number) == [True, None, None]
    with pytest.raises(Refused, match="nothing to confirm"):
        confirm_published(desk.env, number, "https://www.facebook.com/page/posts/1")
    retry_all(desk.env, [f"p{number}"])
    desk.tick(minutes=1)
    assert handouts(desk, number) == [1, 2, 3]
    assert confirm_published(desk.env, number, "https://www.facebook.com/page/posts/2") is PostState.PUBLISHED


def test_its_part_that_was_never_pasted_is_given_again(desk):
    number = half_handed(desk)
    assert confirm_absent(desk.env, number) is PostState.FAILED
    retry_all(desk.env, [f"p{number}"])
    desk.tick(minutes=1)
    assert handouts(desk, number) == [1, 1, 2, 3]


def test_its_part_is_taken_down_by_hand(desk):
    number = half_handed(desk)
    done = take_down(desk.env, desk.workspace.adapter, f"p{number}", "error")
    assert [(left.n, left.why) for left in done.left] == [(1, "by_hand")]
    assert confirm_gone(desk.env, number) is PostState.CANCELLED
    assert (desk.show(f"p{number}").withdrawal, stands(desk, number)) == ("done", [False, None, None])


# --- refused, or forgotten, and there all the same --------------------------------------------------------------------


def test_what_was_refused_when_it_was_sent_may_stand_at_an_address(desk):
    number = int(desk.add("hello")[1:])
    desk.platform.fail_next("rejected", when="after")
    desk.tick()
    assert (desk.row(f"p{number}").state, desk.texts()) == (PostState.FAILED, ["hello"])
    url = desk.platform.posts("page")[0].permalink
    assert confirm_published(desk.env, number, url) is PostState.PUBLISHED
    assert (stands(desk, number), desk.row(f"p{number}").reason) == ([True], None)
    assert desk.tick(minutes=5).quiet
    assert desk.texts() == ["hello"]


def test_what_was_refused_before_it_was_sent_stands_nowhere(tmp_path):
    fb = channel("page", settings={"max_characters": 3})
    desk = open_desk(make_workspace(tmp_path / "small", {"fb": fb}))
    number = int(desk.add("hello")[1:])
    desk.tick()
    with pytest.raises(Refused, match="nothing to confirm"):
        confirm_published(desk.env, number, "https://www.facebook.com/page/posts/1")
    assert desk.row(f"p{number}").state is PostState.FAILED
    desk.close()


def test_a_thread_that_a_restored_backup_forgot_is_confirmed_part_by_part(tmp_path):
    """The journal knows of no sending of it: each part may stand there, and none goes out before that is said."""
    fb = channel("page", settings={"finds": "none"})
    desk = open_desk(make_workspace(tmp_path / "old", {"fb": fb}))
    desk.add("zero")
    desk.tick()
    number = int(desk.add(THREAD, minutes=1)[1:])
    kept = backup(desk.root / "cm.db", tmp_path / "kept", "test")
    desk.tick(minutes=1)
    desk.close()
    for name in ("cm.db-wal", "cm.db-shm"):
        (desk.root / name).unlink(missing_ok=True)
    shutil.copy(kept, desk.root / "cm.db")
    again = open_desk(desk.root, desk.clock.now())
    reconcile(again.env, again.workspace.adapter, ["fb"])
    there = again.platform.posts("page")[1:]
    for n, post in enumerate(there, 1):
        assert (again.state(f"p{number}"), again.tick(minutes=1).quiet) == ("unconfirmed", True)
        state = confirm_published(again.env, number, post.permalink, n)
    assert (state, stands(again, number)) == (PostState.PUBLISHED, [True] * 3)
    assert again.tick(minutes=1).quiet
    assert again.texts() == ["zero", "one", "two", "three"]
    again.close()
