"""From due to published on the sandbox: once, in order, or a person is told."""

import json
import logging
import sqlite3
from datetime import timedelta

import pytest
from support_pictures import tiny
from support_publish import QUICK, Desk, channel, make_workspace, open_desk

from cm.calendar.drafting import post_changes
from cm.calendar.posts import edit, move
from cm.errors import Refused, UsageError, WorkspaceError
from cm.model.states import PostState
from cm.publishing import accounts, engine
from cm.publishing.account_lock import AccountLock, State, state_path
from cm.publishing.confirm import confirm_absent, confirm_published, remote_id_of
from cm.publishing.retry import retry_all
from cm.store import engine as engine_of_store


@pytest.fixture
def desk(tmp_path):
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page"), "x": channel("press")}))
    yield made
    made.close()


@pytest.fixture
def keyless(tmp_path):
    """A platform that forgets idempotency keys and lists nothing: a blind resend would show."""
    settings = {"honour_keys": False, "finds": "none"}
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings=settings)}))
    yield made
    made.close()


def listed(result, name):
    return [entry.id for entry in result.lists[name].values()]


def test_what_is_due_goes_out_once_and_in_order(desk):
    for n in range(3):
        desk.add(f"post {n}", minutes=n)
    later = desk.add("later", minutes=60)
    result = desk.tick(minutes=5)
    assert listed(result, "published") == ["p1", "p2", "p3"]
    assert result.exit_code == 0
    assert desk.texts() == ["post 0", "post 1", "post 2"]
    assert desk.tick().quiet
    assert desk.state(later) == "scheduled"
    receipt = desk.show("p1").messages[0].receipt
    assert receipt.permalink
    assert receipt.remote_id in receipt.permalink


def test_a_thread_and_its_first_comment_answer_the_right_part(desk):
    desk.add("one\n---\ntwo\n---\nthree", first_comment="a comment")
    desk.tick()
    one, two, three, comment = desk.platform.posts("page")
    assert [p.text for p in (one, two, three, comment)] == ["one", "two", "three", "a comment"]
    assert (two.parent, three.parent, comment.parent) == (one.remote_id, two.remote_id, one.remote_id)


@pytest.fixture
def impatient(tmp_path):
    """Two attempts and no more: a message fails before the platform counts as broken."""
    timings = {**QUICK, "attempts": 2}
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page")}, publishing=timings))
    yield made
    made.close()


def test_a_failing_platform_is_tried_again_and_then_left_to_a_person(impatient):
    desk, ident = impatient, impatient.add("hello")
    desk.platform.fail_next("retryable", times=9)
    result = desk.tick()
    assert (listed(result, "deferred"), result.exit_code) == ([ident], 6)
    assert desk.row(ident).state is PostState.SCHEDULED
    assert desk.row(ident).not_before > desk.clock.now()
    assert desk.tick().quiet, "it waits before it tries again"
    result = desk.tick(minutes=8)
    assert (listed(result, "failed"), result.exit_code) == ([ident], 7)
    assert len(desk.attempts()) == 2
    assert desk.texts() == []


def test_a_failed_post_that_is_moved_has_its_attempts_again(impatient):
    desk, ident = impatient, impatient.add("hello")
    desk.platform.fail_next("retryable", times=2)
    for _ in range(3):
        desk.tick(minutes=8)
    assert desk.state(ident) == "failed"
    desk.platform.fail_next("retryable")
    move(desk.env, ident, (desk.clock.now() + timedelta(hours=1, minutes=5)).replace(tzinfo=None))
    desk.tick(minutes=6)
    assert desk.state(ident) == "scheduled", "the third failure is the first of the new plan"
    desk.tick(minutes=6)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_more_posts_than_are_looked_at_together_go_out_in_one_run(desk):
    for n in range(130):
        desk.add(f"post {n}", over="a test of many")
    desk.tick()
    assert desk.texts() == [f"post {n}" for n in range(130)]


def test_a_retry_goes_out_once(desk):
    desk.add("hello")
    desk.platform.fail_next("retryable")
    desk.tick()
    desk.tick(minutes=2)
    assert desk.texts() == ["hello"]


def test_a_rate_limit_costs_no_attempt_and_holds_the_account(desk):
    first, second = desk.add("first"), desk.add("second", minutes=1)
    desk.platform.fail_next("rate_limited", retry_after=600)
    desk.tick(minutes=1)
    assert desk.texts() == []
    assert desk.tick(minutes=5).quiet
    assert listed(desk.tick(minutes=6), "published") == [first, second]


def test_failed_authorisation_stops_the_channel_until_it_is_checked(desk):
    ident = desk.add("hello")
    desk.platform.fail_next("auth_failed")
    result = desk.tick()
    assert result.exit_code == 7
    assert result.stopped[0][0] == "fb"
    assert desk.tick(minutes=10).quiet
    work = accounts.ensure_all(desk.env, {"fb": desk.workspace.adapter("fb")})[0]
    accounts.check(desk.env, work)
    assert listed(desk.tick(), "published") == [ident]


def test_a_refusal_fails_the_post_and_lets_the_next_one_out(desk):
    bad, good = desk.add("bad"), desk.add("good", minutes=1)
    desk.platform.fail_next("rejected")
    result = desk.tick(minutes=1)
    assert (listed(result, "failed"), listed(result, "published")) == ([bad], [good])
    assert desk.show(bad).reason


def test_a_part_that_is_refused_fails_the_thread_and_only_the_rest_is_sent_after_an_edit(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"max_characters": 10})}))
    ident = desk.add("one\n---\ntwo is far too long\n---\nthree")
    desk.tick()
    assert desk.state(ident) == "failed"
    assert desk.texts() == ["one"]
    edit(desk.env, ident, post_changes(text="one\n---\n2\n---\nthree"))
    move(desk.env, ident, (desk.clock.now() + timedelta(hours=1, minutes=5)).replace(tzinfo=None))
    desk.tick(minutes=6)
    assert desk.texts() == ["one", "2", "three"]
    desk.close()


def test_a_lost_answer_is_settled_by_the_key(desk):
    ident, after = desk.add("hello"), desk.add("after", minutes=1)
    desk.platform.fail_next("unknown", when="after")
    result = desk.tick(minutes=1)
    assert (desk.state(ident), result.exit_code) == ("publishing", 6)
    assert desk.texts() == ["hello"], "a message in doubt holds its account for a while"
    for _ in range(3):
        desk.tick(minutes=2)
    assert desk.texts() == ["hello", "after"]
    assert (desk.state(ident), desk.state(after)) == ("published", "published")
    first, second = desk.attempts()[:2]
    assert first.payload_id == second.payload_id, "the very bytes go again"


def test_a_lost_answer_without_keys_waits_for_a_person(keyless):
    ident = keyless.add("hello")
    keyless.platform.fail_next("unknown", when="after")
    assert listed(keyless.tick(), "deferred") == [ident]
    result = keyless.tick(minutes=10)
    assert (listed(result, "unconfirmed"), result.exit_code) == ([ident], 7)
    for _ in range(4):
        assert keyless.tick(minutes=30).quiet
    assert keyless.texts() == ["hello"]


def test_a_person_confirms(keyless):
    ident = keyless.add("hello")
    keyless.platform.fail_next("unknown", when="after")
    keyless.tick()
    keyless.tick(minutes=10)
    confirm_published(keyless.env, int(ident[1:]), "https://example.org/page/posts/42")
    view = keyless.show(ident)
    assert view.state is PostState.PUBLISHED
    assert (view.messages[0].receipt.remote_id, view.messages[0].receipt.permalink[-2:]) == ("42", "42")


def test_a_person_says_it_is_not_there_and_it_goes_out_once(keyless):
    ident = keyless.add("hello")
    keyless.platform.fail_next("unknown", when="before")
    keyless.tick()
    keyless.tick(minutes=10)
    assert confirm_absent(keyless.env, int(ident[1:])) is PostState.SCHEDULED
    assert listed(keyless.tick(), "published") == [ident]
    assert keyless.texts() == ["hello"]


def test_the_grace_over_it_is_missed_and_never_sent(desk):
    ident = desk.add("hello")
    result = desk.tick(minutes=61)
    assert (listed(result, "missed"), result.exit_code) == ([ident], 7)
    assert desk.tick(minutes=5).quiet
    assert desk.texts() == []


def test_the_grace_is_the_channels_own(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", grace=5)}))
    ident = desk.add("hello")
    assert listed(desk.tick(minutes=6), "missed") == [ident]
    desk.close()


def test_a_post_whose_stored_text_was_changed_behind_our_back_is_not_sent(desk):
    ident = desk.add("hello")
    with desk.env.store.write() as session:
        session.connection().exec_driver_sql("UPDATE message SET text = 'tampered'")
    result = desk.tick()
    assert listed(result, "held") == [ident]
    assert "outside cm" in desk.show(ident).reason
    assert desk.texts() == []


def test_a_missing_field_of_its_kind_is_refused_at_the_gate(desk):
    ident = desk.add("open day", kind="event")
    result = desk.tick()
    assert (listed(result, "held"), result.exit_code) == ([ident], 4)
    assert "event_date" in desk.show(ident).reason


def test_a_file_that_changed_since_it_was_planned_is_refused(desk):
    picture = desk.root / "media" / "a.png"
    picture.write_bytes(tiny(1))
    ident = desk.add("look", media=["a.png"], alt=["a house"])
    picture.write_bytes(tiny(2))
    assert listed(desk.tick(), "failed") == [ident]
    assert "a.png" in desk.show(ident).reason


def test_a_closed_channel_names_its_successor(tmp_path):
    root = make_workspace(tmp_path / "w", {"old": channel("page"), "new": channel("next")})
    desk = open_desk(root)
    ident = desk.add("hello", to="old")
    desk.close()
    text = (root / "config.yaml").read_text()
    closed = text.replace("account: page", "account: page\n    state: closed\n    successor: new")
    (root / "config.yaml").write_text(closed)
    desk = open_desk(root)
    assert listed(desk.tick(), "held") == [ident]
    assert "new" in desk.show(ident).reason
    assert desk.texts() == []
    desk.close()


def test_an_outbox_post_is_handed_until_a_person_confirms(tmp_path):
    desk = open_desk(make_workspace(tmp_path / "w", {"paper": channel("page", adapter="outbox")}))
    ident = desk.add("à coller", to="paper")
    result = desk.tick()
    assert (listed(result, "handed"), result.exit_code) == ([ident], 0)
    assert desk.state(ident) == "handed"
    files = [path for path in (desk.root / "outbox").rglob("*") if path.is_file()]
    assert any("à coller" in path.read_text() for path in files)
    assert desk.tick(minutes=120).quiet
    confirm_published(desk.env, 1, "https://www.facebook.com/page/posts/987")
    assert desk.state(ident) == "published"
    desk.close()


def test_another_workspace_of_the_account_sends_nothing(desk):
    desk.add("hello")
    lock = AccountLock(state_path(desk.root, desk.workspace.adapter("fb").identity(), local=True))
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    lock.write(State({"somebody else": 3}, "somebody else"))
    result = desk.tick()
    assert result.exit_code == 3
    assert "Another workspace" in result.errors[0][1].message
    assert desk.texts() == []


def test_a_database_behind_its_state_file_sends_nothing(desk):
    desk.add("hello")
    desk.tick()
    desk.add("second", minutes=1)
    lock = AccountLock(state_path(desk.root, desk.workspace.adapter("fb").identity(), local=True))
    state = lock.read()
    lock.note(state.last, state.workspaces[state.last] + 5, state.at)
    assert desk.tick(minutes=1).exit_code == 3
    assert desk.texts() == ["hello"]


def test_a_copy_without_its_state_file_sends_nothing(desk):
    desk.add("hello")
    desk.tick()
    desk.add("second", minutes=1)
    state_path(desk.root, desk.workspace.adapter("fb").identity(), local=True).unlink()
    assert desk.tick(minutes=1).exit_code == 3


def test_one_broken_account_stops_no_other(desk):
    desk.add("public", to="fb")
    desk.add("press", to="x")
    lock = AccountLock(state_path(desk.root, desk.workspace.adapter("fb").identity(), local=True))
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    lock.path.write_text("{")
    result = desk.tick()
    assert (listed(result, "published"), result.exit_code) == (["p2"], 3)


def test_a_check_that_fails_rests_the_account(desk):
    ident = desk.add("hello")
    desk.platform.fail_next("retryable", op="check")
    result = desk.tick()
    assert (listed(result, "deferred"), result.exit_code) == ([ident], 6)
    assert listed(desk.tick(minutes=2), "published") == [ident]


def test_the_result_is_json_in_the_promised_shape(desk):
    desk.add("hello", ref="my-ref")
    shape = json.loads(json.dumps(desk.tick().as_json()))
    assert {"published", "handed", "failed", "unconfirmed", "missed", "deferred", "held"} <= set(shape)
    entry = shape["published"][0]
    assert entry["id"] == "p1"
    assert set(entry) == {"id", "ref", "channel", "remote_id", "permalink", "reason"}


def test_the_gate_sleeps_and_a_changed_configuration_wakes_it(desk: Desk):
    ident = desk.add("open day", kind="event")
    desk.tick()
    assert desk.tick(minutes=1).quiet
    text = (desk.root / "config.yaml").read_text()
    (desk.root / "config.yaml").write_text(text + "\nlanguage: fr\n")
    again = open_desk(desk.root, desk.clock.now())
    assert listed(again.tick(), "held") == [ident], "it is looked at again"
    again.close()


# --- doubt, and what may happen to it ---------------------------------------------------------------------------------


def crash_at(stage):
    """Let the next worker of this process die at a stage."""

    class Dead(BaseException):
        pass

    class Crasher(logging.Handler):
        def emit(self, record):
            if record.getMessage() == stage:
                logging.getLogger("cm.publishing").removeHandler(self)
                raise Dead

    logging.getLogger("cm.publishing").addHandler(Crasher())
    return pytest.raises(Dead)


@pytest.fixture
def unlisted(tmp_path):
    """A platform that remembers keys and lists nothing."""
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page", settings={"finds": "none"})}))
    yield made
    made.close()


def doubtful(desk, **given):
    """A post whose answer was lost."""
    ident = desk.add("hello", **given)
    desk.platform.fail_next("unknown", when="after")
    desk.tick()
    assert desk.state(ident) == "publishing"
    return ident


def test_a_resend_that_dies_before_sending_leaves_the_doubt(desk):
    ident = doubtful(desk)
    with crash_at("claimed"):
        desk.tick(minutes=2)
    with pytest.raises(Refused):
        edit(desk.env, ident, post_changes(text="hello, edited"))
    for _ in range(4):
        desk.tick(minutes=3)
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_the_key_is_asked_again_when_the_resend_marks_sending(unlisted):
    """The worker is frozen for hours between claim and sending: the platform has forgotten the key by then."""
    desk, ident = unlisted, doubtful(unlisted)
    with desk.env.store.write() as session:
        session.connection().exec_driver_sql("UPDATE account SET key_window = 3600")

    class Sleeper(logging.Handler):
        def emit(self, record):
            if record.getMessage() == "claimed":
                desk.clock.advance(timedelta(hours=3))

    sleeper = Sleeper()
    logging.getLogger("cm.publishing").addHandler(sleeper)
    desk.tick(minutes=2)
    logging.getLogger("cm.publishing").removeHandler(sleeper)
    assert (desk.state(ident), desk.texts()) == ("unconfirmed", ["hello"])
    assert sum(attempt.sending_at is not None for attempt in desk.attempts()) == 1


def test_a_resend_waits_until_the_first_call_can_no_longer_be_at_work(desk):
    ident = desk.add("hello")
    with crash_at("sending"):
        desk.tick()
    first = desk.attempts()[0].sending_at
    for _ in range(5):
        desk.tick(minutes=0.1)
    second = desk.attempts()[1].sending_at
    assert second - first >= timedelta(seconds=QUICK["send_deadline"] + QUICK["settle"])
    assert (desk.state(ident), desk.texts()) == ("published", ["hello"])


def test_a_doubt_is_not_settled_under_another_account(desk):
    ident = doubtful(desk)
    desk.close()
    config = desk.root / "config.yaml"
    config.write_text(config.read_text().replace("account: page", "account: page2"))
    again = open_desk(desk.root, desk.clock.now())
    again.tick(minutes=5)
    assert again.state(ident) == "unconfirmed"
    assert [post.text for post in again.platform.posts()] == ["hello"]
    again.close()


def another_account(desk, before, after):
    """The channel is given to another account; everything else stays."""
    desk.close()
    config = desk.root / "config.yaml"
    config.write_text(config.read_text().replace(f"account: {before}\n", f"account: {after}\n"))
    return open_desk(desk.root, desk.clock.now())


@pytest.mark.parametrize("text", ["one\n---\ntwo", "one"])
def test_what_follows_in_a_thread_never_goes_to_another_account(desk, text):
    ident = desk.add(text, first_comment=None if "two" in text else "two")
    with crash_at("recorded"):
        desk.tick()
    again = another_account(desk, "page", "page2")
    result = again.tick(minutes=1)
    assert (listed(result, "failed"), again.texts("page2")) == ([ident], [])
    assert "another account than fb has now" in again.show(ident).reason
    desk = another_account(again, "page2", "page")
    retry_all(desk.env, [ident])
    desk.tick(minutes=1)
    assert (desk.state(ident), desk.texts()) == ("published", ["one", "two"])
    assert desk.platform.posts("page")[1].parent == desk.platform.posts("page")[0].remote_id
    desk.close()


def test_a_doubt_whose_channel_is_gone_is_told(desk):
    ident = doubtful(desk)
    desk.close()
    config = desk.root / "config.yaml"
    config.write_text(config.read_text().replace("  fb:", "  other:"))
    again = open_desk(desk.root, desk.clock.now())
    result = again.tick(minutes=10)
    assert (listed(result, "unconfirmed"), result.exit_code) == ([ident], 7)
    assert again.tick(minutes=10).quiet
    again.close()


def test_a_begun_thread_on_a_closed_channel_comes_to_rest(desk):
    ident = desk.add("one\n---\ntwo")
    with crash_at("recorded"):
        desk.tick()
    desk.close()
    config = desk.root / "config.yaml"
    config.write_text(config.read_text().replace("account: page", "account: page\n    state: closed"))
    again = open_desk(desk.root, desk.clock.now())
    assert listed(again.tick(minutes=1), "held") == [ident]
    result = again.tick(minutes=60 * 26)
    assert (listed(result, "failed"), result.exit_code) == ([ident], 7)
    assert "closed" in again.show(ident).reason
    again.close()


def test_an_error_nobody_foresaw_in_one_account_leaves_the_others_their_report(desk):
    desk.add("public", to="fb")
    press = desk.add("press", to="x")

    class Broken(logging.Handler):
        def emit(self, record):
            if record.getMessage() == "claimed" and record.post == 1:
                raise ZeroDivisionError

    broken = Broken()
    logging.getLogger("cm.publishing").addHandler(broken)
    result = desk.tick(minutes=1)
    logging.getLogger("cm.publishing").removeHandler(broken)
    assert (listed(result, "published"), result.exit_code) == ([press], 1)
    assert result.bugs == [("fb", "ZeroDivisionError")]


def test_an_adapter_that_cannot_be_had_is_asked_for_again(desk):
    ident, good = desk.add("hello"), desk.workspace

    def broken(_channel):
        raise WorkspaceError("its package is gone")

    result = engine.publish(desk.env, broken, good.stamp)
    assert (result.exit_code, listed(result, "deferred")) == (3, [ident])
    assert desk.tick(minutes=1).quiet
    assert listed(desk.tick(minutes=5), "published") == [ident], "its package was installed again"


def test_a_refusal_while_in_doubt_is_no_answer(unlisted):
    """The first sending may stand all the same; where nothing can be asked a person must look."""
    desk, ident = unlisted, doubtful(unlisted)
    desk.platform.fail_next("rejected", times=9)
    for _ in range(5):
        desk.tick(minutes=3)
    assert desk.state(ident) == "unconfirmed"
    assert len(desk.attempts()) == 2, "what it refused is not sent again"


def test_a_check_does_not_end_a_rate_limit(desk):
    desk.add("hello")
    desk.platform.fail_next("rate_limited", retry_after=3000)
    desk.tick()
    accounts.check(desk.env, accounts.ensure_all(desk.env, {"fb": desk.workspace.adapter("fb")})[0])
    assert desk.tick(minutes=1).quiet
    assert desk.texts() == []


def test_a_receipt_that_cannot_be_written_at_once_is_not_lost(desk, monkeypatch):
    """Somebody holds the database past the busy timeout just when the answer is in hand."""
    monkeypatch.setattr(engine_of_store, "BUSY_TIMEOUT_MS", 50)
    slow = open_desk(desk.root, desk.clock.now())
    ident = slow.add("hello")
    other = sqlite3.connect(desk.root / "cm.db", isolation_level=None, check_same_thread=False)

    class Holder(logging.Handler):
        tries = 0

        def emit(self, record):
            if record.getMessage() == "answered":
                other.execute("BEGIN IMMEDIATE")
            elif "cannot be written yet" in record.getMessage():
                self.tries += 1
                if self.tries == 3:
                    other.execute("COMMIT")

    holder = Holder()
    logging.getLogger("cm.publishing").addHandler(holder)
    slow.tick()
    logging.getLogger("cm.publishing").removeHandler(holder)
    other.close()
    assert (holder.tries, slow.state(ident), slow.texts()) == (3, "published", ["hello"])
    slow.close()


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://x.com/h/status/12/photo/1", "12"),
        ("https://www.instagram.com/chu31/reel/CxAbCd/", "CxAbCd"),
        ("https://www.facebook.com/page42/posts/pfbidAbC", "pfbidAbC"),
        ("https://social.example/@chu/115400000000000001", "115400000000000001"),
    ],
)
def test_an_address_gives_the_posts_id(url, remote_id):
    assert remote_id_of(url) == remote_id


def test_what_is_no_address_is_refused():
    for text in ("javascript:alert(1)", "12", "ftp://x/1"):
        with pytest.raises(UsageError):
            remote_id_of(text)
