"""When nobody knows: the key, the look-up, the person; refused and there all the same; twins; a broken platform."""

import logging
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from support_publish import QUICK, channel, make_workspace, open_desk

from cm.calendar.drafting import post_changes
from cm.calendar.posts import cancel, edit
from cm.channels.port import Identity, Pending, RateLimited
from cm.channels.sandbox.adapter import SandboxAdapter
from cm.clock import SettableClock
from cm.model.tables import Account, Attempt, Message, Payload, Post, Receipt
from cm.publishing import accounts, checked, claims, engine, holds
from cm.publishing.confirm import confirm_absent, confirm_published
from cm.publishing.results import RunResult
from cm.publishing.retry import retry_all
from cm.store import tick

LISTED = {"honour_keys": False}
POINT = {"honour_keys": False, "finds": "point"}
BLIND = {"honour_keys": False, "finds": "none"}
QUIET = timedelta(seconds=QUICK["send_deadline"] + QUICK["settle"])


@pytest.fixture
def opened(tmp_path):
    """`opened(settings, **channel)`: a workspace with one channel, closed at the end."""
    made = []

    def open_(settings, **given):
        timings = {"publishing": given.pop("publishing")} if "publishing" in given else {}
        root = make_workspace(
            tmp_path / f"w{len(made)}", {"fb": channel("page", settings=settings, **given)}, **timings
        )
        made.append(open_desk(root))
        return made[-1]

    yield open_
    for desk in made:
        desk.close()


def listed(result, name):
    return [entry.id for entry in result.lists[name].values()]


def rows(desk, table):
    with desk.env.store.read() as session:
        return list(session.exec(select(table).order_by(table.id)))


def account(desk):
    return rows(desk, Account)[0]


def work(desk, name="fb"):
    return accounts.ensure_all(desk.env, {name: desk.workspace.adapter(name)})[0]


@contextmanager
def at_stage(stage, act):
    """Call `act(record)` whenever a worker of this process logs that stage."""

    class Handler(logging.Handler):
        def emit(self, record):
            if record.getMessage() == stage:
                act(record)

    handler = Handler()
    logging.getLogger("cm.publishing").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("cm.publishing").removeHandler(handler)


class Running(SettableClock):
    """A clock that runs on by a second whenever it is asked."""

    def now(self):
        at = super().now()
        self.advance(timedelta(seconds=1))
        return at


class Dead(BaseException):
    """The worker died."""


def die(_record):
    raise Dead


def lose(desk, *, when, text="hello", **given):
    """A post whose answer is lost before or after it was made."""
    ident = desk.add(text, **given)
    desk.platform.fail_next("unknown", when=when)
    desk.tick()
    assert desk.state(ident) == "publishing"
    return ident


# --- the look-up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [LISTED, POINT])
def test_a_lost_answer_is_found_and_adopted(opened, settings):
    desk = opened(settings)
    ident = lose(desk, when="after")
    assert listed(desk.tick(minutes=1), "published") == [ident]
    assert desk.texts() == ["hello"]
    receipt = rows(desk, Receipt)[0]
    assert (receipt.source, receipt.remote_id) == ("found", desk.platform.posts("page")[0].remote_id)
    assert [(attempt.settled, attempt.id) for attempt in desk.attempts()] == [("published", receipt.attempt_id)]
    assert desk.show(ident).messages[0].receipt.permalink


def test_a_look_up_waits_until_the_sending_can_no_longer_be_at_work(opened):
    desk, looks = opened(LISTED), []
    with at_stage("looking", lambda _record: looks.append(desk.clock.now())):
        lose(desk, when="after")
        for _ in range(6):
            desk.tick(minutes=0.05)
    assert len(looks) == 1
    assert looks[0] - desk.attempts()[0].sending_at >= QUIET


def test_what_a_sure_look_up_lacks_goes_again_with_the_same_key_and_bytes(opened):
    desk = opened(POINT)
    ident = lose(desk, when="before")
    assert listed(desk.tick(minutes=1), "published") == [ident]
    assert desk.texts() == ["hello"]
    first, second = desk.attempts()
    assert first.settled == "not_published"
    assert first.payload_id == second.payload_id
    assert desk.platform.posts("page")[0].key == rows(desk, Payload)[0].key


def test_a_sure_absence_that_has_spent_its_attempts_is_failed_not_unconfirmed(opened):
    desk = opened(POINT, publishing={**QUICK, "attempts": 1})
    ident = lose(desk, when="before")
    assert listed(desk.tick(minutes=1), "failed") == [ident]
    assert desk.texts() == []


def test_what_a_listing_lacks_is_left_to_a_person(opened):
    desk = opened(LISTED)
    ident = lose(desk, when="before")
    result = desk.tick(minutes=1)
    assert (listed(result, "unconfirmed"), result.exit_code) == ([ident], 7)
    assert "does not list it" in desk.show(ident).reason
    assert (desk.texts(), len(desk.attempts())) == ([], 1)


def test_two_that_look_like_it_are_left_to_a_person(opened):
    """A colleague posted the same text by hand."""
    desk = opened(LISTED)
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    ident = lose(desk, when="after")
    assert listed(desk.tick(minutes=1), "unconfirmed") == [ident]
    assert "2 posts there look like it" in desk.show(ident).reason


def test_two_that_look_like_it_wait_for_a_key_that_a_hold_keeps_back(opened):
    """A colleague posted the same text by hand; the key tells which is ours, once it may be asked."""
    desk = opened({})
    ident = lose(desk, when="after")
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    holds.set_hold(desk.env, reason="fire")
    for _ in range(3):
        desk.tick(minutes=2)
    assert desk.state(ident) == "publishing"
    holds.end_holds(desk.env)
    desk.tick(minutes=2)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello", "hello"])
    assert rows(desk, Receipt)[0].source == "sent"


def test_what_another_post_of_ours_owns_is_no_candidate(opened):
    desk = opened(LISTED)
    first = desk.add("hello")
    desk.tick()
    ident = lose(desk, when="after", over="twice on purpose")
    desk.tick(minutes=1)
    assert (desk.state(first), desk.state(ident), desk.texts()) == ("published", "published", ["hello", "hello"])
    assert len({receipt.remote_id for receipt in rows(desk, Receipt)}) == 2


def test_what_another_post_of_ours_owns_is_not_adopted_when_ours_never_arrived(opened):
    desk = opened(LISTED)
    desk.add("hello")
    desk.tick()
    ident = lose(desk, when="before", over="twice on purpose")
    desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == ("unconfirmed", ["hello"])


def test_a_listing_that_does_not_reach_back_is_asked_again_and_then_a_person(opened):
    desk = opened({**LISTED, "reach": 1})
    ident = lose(desk, when="after")
    for n in range(3):
        desk.platform.post_by_hand("page", f"by hand {n}", now=desk.clock.now())
    looks = []
    with at_stage("looking", lambda _record: looks.append(desk.clock.now())):
        for _ in range(20):
            desk.tick(minutes=1)
    assert desk.state(ident) == "unconfirmed"
    assert 3 <= len(looks) <= 6, "it is asked a few times, less and less often"
    assert "cannot tell" in desk.show(ident).reason


def test_a_network_that_is_away_for_an_hour_leaves_nothing_unconfirmed(opened):
    desk = opened(LISTED)
    ident = lose(desk, when="after")
    desk.platform.fail_next("retryable", op="find", times=999)
    for _ in range(12):
        assert desk.tick(minutes=5).exit_code in (0, 6)
    assert desk.state(ident) == "publishing"
    desk.platform.clear_faults()
    for _ in range(4):
        desk.tick(minutes=5)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_a_rate_limit_of_the_look_up_rests_the_account(opened):
    desk = opened(LISTED)
    ident = lose(desk, when="after")
    desk.platform.fail_next("rate_limited", op="find", retry_after=600)
    desk.tick(minutes=1)
    assert account(desk).pause_kind == "rate_limit"
    assert desk.tick(minutes=5).quiet
    desk.tick(minutes=6)
    assert desk.state(ident) == "published"


def test_the_key_stays_the_first_choice_while_it_lives(opened):
    desk, looks = opened({}), []
    ident = lose(desk, when="after")
    with at_stage("looking", lambda record: looks.append(record)):
        desk.tick(minutes=2)
    assert (desk.state(ident), looks, len(desk.attempts())) == ("published", [], 2)


@pytest.mark.parametrize("stage", ["looking", "looked"])
def test_a_worker_that_dies_while_it_looks_changes_nothing(opened, stage):
    desk = opened(LISTED)
    ident = lose(desk, when="after")
    with at_stage(stage, die), pytest.raises(Dead):
        desk.tick(minutes=1)
    assert desk.state(ident) == "publishing"
    assert listed(desk.tick(), "published") == [ident]
    assert desk.texts() == ["hello"]


def test_other_posts_wait_no_longer_than_the_settle_time(opened):
    desk = opened({**LISTED, "reach": 1})
    lose(desk, when="after")
    desk.platform.post_by_hand("page", "by hand", now=desk.clock.now())
    after = desk.add("after")
    desk.tick()
    assert desk.state(after) == "scheduled"
    desk.tick(minutes=QUIET / timedelta(minutes=1))
    assert desk.state(after) == "published"


# --- an account on which another workspace posts too ------------------------------------------------------------------

SHARED = {"shared": True}


def test_on_a_shared_account_a_listing_proves_nothing(opened):
    """The other workspace posted the same words; ours never arrived."""
    desk = opened(LISTED, **SHARED)
    ident = lose(desk, when="before")
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    assert listed(desk.tick(minutes=1), "unconfirmed") == [ident]
    assert "others post on this account too" in desk.show(ident).reason
    assert rows(desk, Receipt) == []


@pytest.mark.parametrize("settings", [POINT, {}])
def test_on_a_shared_account_our_own_key_proves_it(opened, settings):
    desk = opened(settings, **SHARED)
    ident = lose(desk, when="after")
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    assert listed(desk.tick(minutes=2), "published") == [ident]
    assert [receipt.remote_id for receipt in rows(desk, Receipt)] == [desk.platform.posts("page")[0].remote_id]


@pytest.mark.parametrize(("settings", "state"), [(LISTED, "unconfirmed"), (POINT, "published")])
def test_on_a_shared_account_a_refused_post_is_adopted_by_its_key_only(opened, settings, state):
    desk = opened(settings, **SHARED)
    ident = refuse(desk, when="after")
    retry_all(desk.env, [ident])
    desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == (state, ["hello"])


# --- threads ----------------------------------------------------------------------------------------------------------


def test_the_next_post_keeps_its_distance_to_one_that_is_sent_again(opened):
    """It never arrived the first time: only now does it stand there."""
    desk = opened({}, spacing=15)
    desk.add("hello")
    desk.platform.fail_next("unknown")
    desk.tick()
    desk.add("the next", minutes=20)
    desk.tick(minutes=20)
    assert desk.texts() == ["hello"]
    desk.tick(minutes=15)
    assert desk.texts() == ["hello", "the next"]


def test_a_thread_goes_on_where_a_look_up_settled_it(opened):
    desk = opened(LISTED)
    ident = desk.add("one\n---\ntwo\n---\nthree", first_comment="and this")
    desk.platform.fail_next("unknown", when="after")
    desk.tick()
    assert desk.texts() == ["one"]
    desk.platform.fail_next("retryable")
    desk.tick(minutes=1)
    desk.platform.fail_next("unknown", when="after")
    for _ in range(4):
        desk.tick(minutes=2)
    assert desk.state(ident) == "published"
    one, two, three, comment = desk.platform.posts("page")
    assert [post.text for post in (one, two, three, comment)] == ["one", "two", "three", "and this"]
    assert [post.parent for post in (two, three, comment)] == [one.remote_id, two.remote_id, one.remote_id]
    payloads = rows(desk, Payload)
    assert len({payload.key for payload in payloads}) == 4, "each message has a key of its own"


class Slow(SandboxAdapter):
    """A platform that works on a film for two runs before it may be posted."""

    def prepare(self, message, saved):
        seen = saved.get("seen", 0)
        if seen < 2:
            return Pending({"seen": seen + 1}, self._now() + timedelta(minutes=3))
        return super().prepare(message, saved)


def test_a_film_being_processed_goes_on_in_later_runs_and_processes(opened):
    desk = opened({})
    ident = desk.add("film")
    adapters = iter([Slow(desk.workspace.adapter("fb")._context) for _ in range(9)])
    for expected in ("deferred", "deferred", "published"):
        result = engine.publish(desk.env, lambda _name: next(adapters), desk.workspace.stamp)
        assert listed(result, expected) == [ident]
        assert desk.tick().quiet, "not before the platform may be done"
        desk.clock.advance(timedelta(minutes=4))
    assert desk.texts() == ["film"]
    assert rows(desk, Message)[0].saved == {"seen": 2}


# --- resend_when_absent -----------------------------------------------------------------------------------------------

WILLING = {"resend_when_absent": True}


def test_who_opted_in_has_it_sent_again_after_two_absences(opened):
    desk, looks = opened(LISTED, **WILLING), []
    ident = lose(desk, when="before")
    with at_stage("looking", lambda _record: looks.append(desk.clock.now())):
        for _ in range(10):
            desk.tick(minutes=0.05)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])
    first, second = looks
    assert second - first >= timedelta(seconds=QUICK["settle"])
    assert first - desk.attempts()[0].sending_at >= QUIET
    assert len({attempt.payload_id for attempt in desk.attempts()}) == 1
    assert rows(desk, Message)[0].absent_resends == 1


def test_it_is_sent_again_at_most_once(opened):
    desk = opened(LISTED, **WILLING)
    ident = desk.add("hello")
    desk.platform.fail_next("unknown", times=9)
    for _ in range(20):
        desk.tick(minutes=0.1)
    assert desk.state(ident) == "unconfirmed"
    assert sum(attempt.sending_at is not None for attempt in desk.attempts()) == 2


def test_a_post_that_is_listed_late_is_adopted_at_the_second_look(opened):
    desk = opened(LISTED, **WILLING)
    desk.platform.list_late((QUIET + timedelta(seconds=2)).total_seconds())
    ident = lose(desk, when="after")
    for _ in range(10):
        desk.tick(minutes=0.05)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])
    assert rows(desk, Receipt)[0].source == "found"


def test_an_old_absence_counts_for_no_new_sending(opened):
    desk = opened(LISTED, **WILLING)
    ident = lose(desk, when="before")
    desk.tick(minutes=0.15)
    assert rows(desk, Message)[0].absent_at is not None
    desk.platform.fail_next("unknown", when="before", times=1)
    desk.tick(minutes=1)
    assert (desk.state(ident), rows(desk, Message)[0].absent_at) == ("publishing", None)


# --- holds ------------------------------------------------------------------------------------------------------------


def test_under_a_hold_a_doubt_is_looked_at_and_never_sent_again(opened):
    desk = opened({})
    there = lose(desk, when="after")
    holds.set_hold(desk.env, reason="fire")
    desk.tick(minutes=1.5)  # its back-off is a minute, more or less
    assert (desk.state(there), rows(desk, Receipt)[0].source) == ("published", "found")


def test_what_never_arrived_is_not_sent_under_a_hold(opened):
    desk = opened(POINT)
    ident = lose(desk, when="before")
    holds.set_hold(desk.env, reason="fire")
    for _ in range(5):
        desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == ("missed", [])


# --- twins ------------------------------------------------------------------------------------------------------------


def test_a_twin_waits_until_the_first_is_settled(opened):
    desk = opened(LISTED)
    first = lose(desk, when="before")
    twin = desk.add("HELLO ", minutes=1, over="twice on purpose")
    other = desk.add("something else", minutes=1)
    for _ in range(3):
        desk.tick(minutes=2)
    assert (desk.state(first), desk.state(twin), desk.state(other)) == ("unconfirmed", "scheduled", "published")
    assert "same text" in desk.show(twin).reason
    confirm_published(desk.env, int(first[1:]), "https://example.org/page/posts/42")
    assert listed(desk.tick(), "published") == [twin], "it is woken at once"


def test_a_twin_that_waits_in_vain_is_missed(opened):
    desk = opened(LISTED)
    lose(desk, when="before")
    twin = desk.add("hello", minutes=1, over="twice on purpose")
    for _ in range(9):
        desk.tick(minutes=9)
    assert (desk.state(twin), desk.texts()) == ("missed", [])


# --- refused, and perhaps there all the same --------------------------------------------------------------------------


def refuse(desk, *, when, text="hello"):
    ident = desk.add(text)
    desk.platform.fail_next("rejected", when=when)
    result = desk.tick()
    assert (listed(result, "failed"), listed(result, "unconfirmed")) == ([ident], [])
    assert "it may be on the platform, look first" in desk.show(ident).reason
    return ident


@pytest.mark.parametrize("settings", [{}, LISTED, POINT])
def test_made_and_then_refused_it_is_found_when_it_is_tried_again(opened, settings):
    desk = opened(settings)
    ident = refuse(desk, when="after")
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    assert listed(desk.tick(), "published") == [ident]
    assert desk.texts() == ["hello"]
    assert rows(desk, Receipt)[0].source == "found"


@pytest.mark.parametrize("settings", [{}, LISTED, POINT, BLIND])
def test_refused_and_not_there_it_is_sent_because_a_person_asked(opened, settings):
    desk = opened(settings)
    ident = refuse(desk, when="before")
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    assert listed(desk.tick(), "published") == [ident]
    assert desk.texts() == ["hello"]
    assert rows(desk, Receipt)[0].source == "sent"


def test_a_refused_post_with_new_words_is_sent_under_a_new_key(opened):
    desk = opened(LISTED)
    ident = refuse(desk, when="before")
    edit(desk.env, ident, post_changes(text="hello, shorter"))
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    desk.tick()
    assert desk.texts() == ["hello, shorter"]
    assert len({payload.key for payload in rows(desk, Payload)}) == 2


@pytest.mark.parametrize("settings", [{}, LISTED, POINT])
def test_made_and_refused_and_then_edited_it_is_looked_for_by_the_words_that_were_sent(opened, settings):
    """A person decides what becomes of the old words; the new ones do not stand beside them."""
    desk = opened(settings)
    ident = refuse(desk, when="after")
    edit(desk.env, ident, post_changes(text="hello, shorter"))
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    result = desk.tick()
    assert (listed(result, "unconfirmed"), desk.texts()) == ([ident], ["hello"])
    [there] = desk.platform.posts("page")
    assert there.permalink in desk.show(ident).reason
    desk.platform.delete("page", there.remote_id, now=desk.clock.now())
    confirm_absent(desk.env, int(ident[1:]))
    desk.tick()
    assert (desk.state(ident), desk.texts()) == ("published", ["hello, shorter"])


def test_made_and_refused_and_then_edited_a_person_may_keep_what_stands_there(opened):
    desk = opened(LISTED)
    ident = refuse(desk, when="after")
    edit(desk.env, ident, post_changes(text="hello, shorter"))
    retry_all(desk.env, [ident])
    desk.tick(minutes=1)
    confirm_published(desk.env, int(ident[1:]), desk.platform.posts("page")[0].permalink)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])
    assert desk.tick(minutes=9).quiet


def test_a_refused_post_waits_while_it_cannot_be_looked_for(opened):
    desk = opened(LISTED)
    ident = refuse(desk, when="after")
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    desk.platform.fail_next("retryable", op="find")
    assert listed(desk.tick(), "deferred") == [ident]
    assert listed(desk.tick(minutes=2), "published") == [ident]
    assert desk.texts() == ["hello"]


def test_a_refusal_before_the_sending_is_no_reason_to_look(opened):
    desk = opened({**LISTED, "max_characters": 3})
    ident = desk.add("hello")
    desk.tick()
    assert desk.state(ident) == "failed"
    assert "look first" not in desk.show(ident).reason


def test_a_duplicate_is_a_refusal_and_is_looked_for_when_it_is_tried_again(opened):
    desk = opened(LISTED)
    desk.platform.post_by_hand("page", "hello", now=desk.clock.now())
    ident = desk.add("hello")
    desk.platform.fail_next("duplicate")
    assert listed(desk.tick(), "failed") == [ident]
    assert "already has this text" in desk.show(ident).reason
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    assert listed(desk.tick(), "published") == [ident]
    assert desk.texts() == ["hello"]


def test_a_duplicate_after_a_lost_answer_is_looked_for(opened):
    desk = opened({})
    ident = lose(desk, when="after")
    desk.platform.fail_next("duplicate")
    for _ in range(3):
        desk.tick(minutes=2)
    assert (desk.state(ident), rows(desk, Receipt)[0].source, desk.texts()) == ("published", "found", ["hello"])


def test_a_cancelled_refusal_is_adopted_by_nobody(opened):
    desk = opened(LISTED)
    ident = refuse(desk, when="after")
    desk.clock.advance(timedelta(minutes=3))
    retry_all(desk.env, [ident])
    with at_stage("looking", lambda _record: cancel(desk.env, ident)):
        desk.tick()
    assert (desk.state(ident), rows(desk, Receipt), desk.texts()) == ("cancelled", [], ["hello"])


def test_new_words_wait_until_the_sending_before_them_is_settled(opened):
    """However a post in doubt came back into the calendar with another text: that is settled first."""
    desk = opened(BLIND)
    ident = lose(desk, when="after")
    with desk.env.store.write() as session:
        run = session.connection().exec_driver_sql
        run("UPDATE post SET state = 'scheduled', claim_token = NULL, wake_at = scheduled_at")
        run("UPDATE message SET text = 'new words'")
    for _ in range(3):
        desk.tick(minutes=9)
    assert (desk.state(ident), desk.texts()) == ("unconfirmed", ["hello"])
    assert len(rows(desk, Payload)) == 1


# --- a clock that was wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crashed", [False, True])
@pytest.mark.parametrize("settings", [LISTED, {}])
def test_a_sending_dated_by_a_wrong_clock_is_settled_when_the_clock_is_right_again(opened, settings, crashed):
    desk = opened(settings)
    ident = desk.add("hello", minutes=3 * 24 * 60)
    desk.clock.advance(timedelta(days=3))
    if crashed:
        with at_stage("answered", die), pytest.raises(Dead):
            desk.tick()
    else:
        desk.platform.fail_next("unknown", when="after")
        desk.tick()
    assert desk.state(ident) == "publishing"
    desk.clock.advance(-timedelta(days=3))
    for _ in range(4):
        desk.tick(minutes=2)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


@pytest.mark.parametrize(("settings", "state"), [(LISTED, "unconfirmed"), (POINT, "scheduled"), (BLIND, "unconfirmed")])
def test_one_that_never_arrived_waits_no_longer_than_any_other(opened, settings, state):
    desk = opened(settings)
    ident = desk.add("hello", minutes=3 * 24 * 60)
    desk.clock.advance(timedelta(days=3))
    desk.platform.fail_next("unknown")
    desk.tick()
    desk.clock.advance(-timedelta(days=3))
    for _ in range(14):
        desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == (state, [])


def test_a_look_at_the_database_alone_notices_that_the_clock_was_set_back(opened):
    """The minute in which nothing is due asks no more than that; the engine puts it right once."""
    desk = opened({})
    desk.add("hello")
    desk.tick()
    root, now, known = str(desk.root), desk.clock.now().timestamp(), desk.workspace.stamp
    assert tick.nothing_due(root, now, known)
    assert not tick.nothing_due(root, now - 3600, known)
    desk.clock.advance(-timedelta(hours=1))
    desk.tick()
    assert tick.nothing_due(root, now - 3600, known)


class Undone(Exception):
    """Nothing of it is kept."""


def test_one_moment_counts_for_all_that_a_claim_looks_at(opened):
    """However fast the clock runs, no post overtakes the one before it because that one's wait ended in between."""
    desk = opened(LISTED)
    lost = lose(desk, when="before")
    first, second = desk.add("first"), desk.add("second")
    ends, mine, taken = desk.attempts()[0].sending_at + QUIET, work(desk), []
    with desk.env.store.read() as session:
        waiting = claims.due_posts(session, mine, desk.clock.now(), 9)
    checked.ensure(desk.env, waiting)
    timings = engine.timings_for(desk.env, mine)
    with desk.env.store.write() as session:  # it keeps the account until then, and is looked at later
        session.get_one(Post, int(lost[1:])).wake_at = ends + timedelta(hours=1)
    for eighths in range(-80, 9):
        env = replace(desk.env, clock=Running(ends + timedelta(seconds=eighths / 8)))
        with suppress(Undone), env.store.write() as session:
            taken.append(claims.take(session, env, mine, timings, "token", RunResult()))
            raise Undone
    assert {claim and claim.post_id for claim in taken} == {None, int(first[1:])}, f"never {second}"


@pytest.mark.parametrize("kind", ["rate_limited", "retryable"])
def test_a_rest_dated_by_a_wrong_clock_is_looked_at_again(opened, kind):
    desk = opened({})
    ident = desk.add("hello")
    desk.clock.advance(timedelta(minutes=40))
    desk.platform.fail_next(kind, times=3)
    for _ in range(9 if kind == "retryable" else 1):
        desk.tick(minutes=1)
    assert account(desk).paused_until is not None
    desk.clock.advance(-timedelta(minutes=49 if kind == "retryable" else 41))
    desk.platform.clear_faults()
    desk.tick()
    assert (desk.state(ident), account(desk).paused_at) == ("published", None)


def test_no_rate_limit_lasts_longer_than_a_day(opened):
    desk = opened({})
    ident = desk.add("hello")
    work(desk)
    with desk.env.store.write() as session:
        now = desk.clock.now()
        accounts.pause(session, 1, now - timedelta(hours=1), now + timedelta(days=9), "slow down", kind="rate_limit")
    desk.tick()
    assert (desk.state(ident), account(desk).pause_kind) == ("published", None)


def test_a_stop_lasts_whenever_it_began(opened):
    desk = opened({})
    ident = desk.add("hello")
    desk.clock.advance(timedelta(minutes=50))
    desk.platform.fail_next("auth_failed")
    desk.tick()
    desk.clock.advance(-timedelta(minutes=50))
    desk.tick()
    assert (desk.state(ident), account(desk).pause_kind) == ("scheduled", "auth")


def test_a_back_off_dated_by_a_wrong_clock_is_over(opened):
    desk = opened({})
    ident = desk.add("hello")
    desk.clock.advance(timedelta(minutes=50))
    desk.platform.fail_next("retryable")
    desk.tick()
    assert desk.state(ident) == "scheduled"
    desk.clock.advance(-timedelta(minutes=50))
    desk.tick()
    assert desk.state(ident) == "published"


# --- a platform that is broken ----------------------------------------------------------------------------------------


def test_three_failures_open_the_breaker_and_attempts_then_cost_nothing(opened):
    desk = opened({})
    ident = desk.add("hello")
    desk.platform.fail_next("retryable", times=999)
    for _ in range(16):
        desk.tick(minutes=1)
    assert (account(desk).pause_kind, account(desk).failures) == ("breaker", 4)
    for _ in range(11):
        desk.tick(minutes=5)
    assert desk.state(ident) == "missed", "an outage fails no post"
    costly = [attempt for attempt in desk.attempts() if attempt.field != "breaker"]
    assert len(costly) == 3


def test_the_first_success_closes_the_breaker(opened):
    desk = opened({})
    ident = desk.add("hello")
    desk.platform.fail_next("retryable", times=3)
    for _ in range(16):
        desk.tick(minutes=1)
    assert desk.state(ident) == "published"
    assert (account(desk).failures, account(desk).paused_at, account(desk).pause_kind) == (0, None, None)


def test_a_breaker_that_opens_again_counts_from_its_first_opening(opened):
    desk = opened({})
    desk.add("hello")
    desk.platform.fail_next("retryable", times=999)
    opened_at = set()
    for _ in range(30):
        desk.tick(minutes=1)
        if account(desk).pause_kind == "breaker":
            opened_at.add(account(desk).paused_at)
    assert (len(opened_at), account(desk).failures) == (1, 5)


def test_a_refusal_is_no_trouble_of_the_platform(opened):
    desk = opened({})
    for n in range(4):
        desk.add(f"post {n}")
        desk.platform.fail_next("rejected" if n == 2 else "retryable")
        desk.tick(minutes=1)
    assert account(desk).pause_kind is None


def test_a_person_may_end_any_rest(opened):
    desk = opened({})
    ident = desk.add("hello")
    desk.platform.fail_next("retryable", times=3)
    for _ in range(9):
        desk.tick(minutes=1)
    assert account(desk).pause_kind == "breaker"
    with desk.env.store.write() as session:
        accounts.resume(session, session.get_one(Account, 1))
    assert account(desk).failures == 0
    desk.tick(minutes=1)
    assert desk.state(ident) == "published"


def test_a_check_ends_no_breaker(opened):
    desk = opened({})
    desk.add("hello")
    desk.platform.fail_next("retryable", times=3)
    for _ in range(9):
        desk.tick(minutes=1)
    accounts.check(desk.env, work(desk))
    assert account(desk).pause_kind == "breaker"


class OfApp(SandboxAdapter):
    """One of several accounts of the same app; the app may be limited."""

    app = ""
    limited = False

    def identity(self):
        known = super().identity()
        return Identity(known.platform, known.host, known.handle, self.app)

    def send(self, prepared, *, key):
        if self.limited:
            raise RateLimited("too much", retry_after=600, scope="app")
        return super().send(prepared, key=key)


@pytest.mark.parametrize(("app", "other_app", "rests"), [("cm", "cm", True), ("cm", "else", False), ("", "", True)])
def test_a_limit_of_the_app_rests_its_other_accounts(tmp_path, app, other_app, rests):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page"), "x": channel("press")}))
    made = {}
    for name, its in (("fb", app), ("x", other_app)):
        made[name] = type("Named", (OfApp,), {"app": its})(desk.workspace.adapter(name)._context)
    for name in made:
        desk.add(f"known {name}", to=name)
    engine.publish(desk.env, made.__getitem__, desk.workspace.stamp)
    made["fb"].limited = True
    desk.add("too much", to="fb", minutes=1)
    more = desk.add("more", to="x", minutes=2)
    for _ in range(2):
        desk.clock.advance(timedelta(minutes=1))
        engine.publish(desk.env, made.__getitem__, desk.workspace.stamp)
    assert desk.state(more) == ("scheduled" if rests else "published")
    made["fb"].limited = False
    desk.clock.advance(timedelta(minutes=9))
    engine.publish(desk.env, made.__getitem__, desk.workspace.stamp)
    assert (len(desk.texts("page")), len(desk.texts("press"))) == (2, 2)
    assert [found.app for found in rows(desk, Account)] == [app, other_app]
    desk.close()


def test_a_stop_is_not_shortened_by_a_rest(opened):
    desk = opened({})
    desk.add("hello")
    desk.platform.fail_next("auth_failed")
    desk.tick()
    with desk.env.store.write() as session:
        now = desk.clock.now()
        accounts.pause(session, 1, now, now + timedelta(minutes=1), "too fast", kind="rate_limit")
    assert (account(desk).pause_kind, account(desk).paused_until) == ("auth", None)


# --- who we are -------------------------------------------------------------------------------------------------------


class Somebody(SandboxAdapter):
    """The platform says that the token is another account's."""

    def check(self):
        known = super().check()
        return type(known)(**{**vars(known), "remote_id": "somebody else"})


def test_another_identity_stops_the_channel_until_a_person_accepts_it(opened):
    desk = opened({})
    desk.add("hello")
    desk.tick()
    ident = desk.add("second", minutes=1)
    desk.clock.advance(timedelta(hours=25))
    ident = desk.add("third")
    other = Somebody(desk.workspace.adapter("fb")._context)
    result = engine.publish(desk.env, lambda _name: other, desk.workspace.stamp)
    assert result.stopped[0].channel == "fb"
    assert account(desk).pause_kind == "check"
    assert "--accept-identity" in account(desk).pause_reason
    mine = accounts.ensure_all(desk.env, {"fb": other})[0]
    with pytest.raises(accounts.AnotherIdentity):
        accounts.check(desk.env, mine)
    assert accounts.accept_identity(desk.env, mine).remote_id == "somebody else"
    assert listed(engine.publish(desk.env, lambda _name: other, desk.workspace.stamp), "published") == [ident]


def test_a_doubt_stays_with_the_account_that_it_was_sent_to(opened):
    desk = opened({})
    ident = lose(desk, when="after")
    other = accounts.ensure_all(desk.env, {"fb": Somebody(desk.workspace.adapter("fb")._context)})[0]
    accounts.accept_identity(desk.env, other)
    assert desk.state(ident) == "unconfirmed"


# --- leaving, and coming too late -------------------------------------------------------------------------------------


def test_asked_to_leave_it_finishes_the_message_in_hand(opened):
    desk = opened({})
    ident, other = desk.add("one\n---\ntwo"), desk.add("other", minutes=0)
    with at_stage("sending", lambda _record: desk.env.signals.leave.set()):
        desk.tick()
    assert (desk.state(ident), desk.texts(), desk.state(other)) == ("scheduled", ["one"], "scheduled")
    assert desk.row(ident).claim_token is None
    assert account(desk).claim_token is None
    desk.tick()
    assert desk.texts() == ["one"], "it takes nothing more"
    desk.env.signals.leave.clear()
    desk.tick()
    assert desk.texts() == ["one", "two", "other"]


def test_an_answer_that_comes_after_the_claim_was_lost_still_counts(opened):
    """Somebody took the worker for dead: the receipt in its hand is the only proof, and ends the doubt."""
    desk = opened(BLIND)
    ident = desk.add("hello")

    def take_over(_record):
        with desk.env.store.write() as session:
            run = session.connection().exec_driver_sql
            run("UPDATE attempt SET outcome = 'unknown', finished_at = sending_at")
            run("UPDATE post SET claim_token = NULL, state = 'unconfirmed', wake_at = NULL")
            run("UPDATE account SET claim_token = NULL")

    with at_stage("answered", take_over):
        desk.tick()
    assert desk.state(ident) == "published"
    assert [receipt.source for receipt in rows(desk, Receipt)] == ["sent"]
    assert [(attempt.outcome.value, attempt.settled) for attempt in rows(desk, Attempt)] == [("unknown", "published")]


def test_a_person_who_says_it_is_not_there_frees_the_twin(opened):
    desk = opened(LISTED)
    first = lose(desk, when="before")
    desk.tick(minutes=1)
    twin = desk.add("hello", over="twice on purpose")
    desk.tick(minutes=1)
    confirm_absent(desk.env, int(first[1:]))
    desk.tick()
    assert (desk.state(first), desk.state(twin), desk.texts()) == ("published", "published", ["hello", "hello"])
