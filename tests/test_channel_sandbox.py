"""The pretend platform: it keeps to the contract, fails as scripted, and invents the same numbers everywhere."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.channels.contract import AdapterContract
from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Context,
    Duplicate,
    Found,
    Listing,
    Media,
    Outgoing,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)
from cm.channels.sandbox import engagement
from cm.channels.sandbox.adapter import SandboxAdapter
from cm.channels.sandbox.platform import Draft, SandboxPlatform
from cm.clock import SettableClock

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
OLD_FILE = Path(__file__).parent / "data" / "sandbox-1.sql"
"""What the first files held."""
ACCOUNT = "hopital.tilleuls"
MESSAGE = Outgoing("Bonjour à toutes et à tous 👋", "fr", NOW, link="https://hopital.example/visites")


def context_in(workspace: Path, account: str = ACCOUNT, **settings: Any) -> Context:
    return Context(
        channel="facebook",
        platform="facebook",
        account=account,
        workspace=workspace,
        settings=SandboxAdapter.Settings.model_validate(settings),
        clock=SettableClock(NOW),
        secret=lambda: None,
    )


@pytest.fixture
def platform(tmp_path: Path) -> SandboxPlatform:
    return SandboxPlatform(tmp_path)


@pytest.fixture
def adapter(tmp_path: Path) -> SandboxAdapter:
    return SandboxAdapter(context_in(tmp_path))


def body(adapter: SandboxAdapter, message: Outgoing = MESSAGE) -> Prepared:
    return adapter.prepare(message, {})


class TestSandboxContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[SandboxAdapter]:
        return SandboxAdapter

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return context_in(tmp_path)

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, platform: SandboxPlatform) -> Callable[[], int]:
        return platform.count

    @pytest.fixture
    def parent_there(self, platform: SandboxPlatform) -> Callable[[str], str | None]:
        return lambda remote_id: platform.find(ACCOUNT, [remote_id])[remote_id].parent

    @pytest.fixture
    def alts_there(self, platform: SandboxPlatform) -> Callable[[str], list[str]]:
        return lambda remote_id: [item.alt for item in platform.find(ACCOUNT, [remote_id])[remote_id].media]

    @pytest.fixture
    def text_there(self, platform: SandboxPlatform) -> Callable[[str], str]:
        return lambda remote_id: platform.find(ACCOUNT, [remote_id])[remote_id].text


class TestPoint(TestSandboxContract):
    """The same contract on a pretend platform that is asked by key."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return context_in(tmp_path, finds="point")


class TestNothingFound(TestSandboxContract):
    """The same contract on a pretend platform that cannot be asked what stands there."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return context_in(tmp_path, finds="none", honour_keys=False)


class TestWithoutKeys(TestSandboxContract):
    """The same contract on a pretend platform that forgets keys."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return context_in(tmp_path, honour_keys=False)


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_everything_sent_stands_there(adapter: SandboxAdapter, platform: SandboxPlatform, tmp_path: Path) -> None:
    media = Media(tmp_path / "a.jpg", "image/jpeg", "ab" * 32, "Le jardin")
    first = adapter.send(body(adapter, replace(MESSAGE, media=(media,))), key="k1")
    adapter.send(body(adapter, Outgoing("La suite", "fr", NOW, role="comment", parent=first.remote_id)), key="k2")
    one, two = platform.posts(ACCOUNT)
    assert (one.remote_id, one.text, one.link, one.key) == ("sb-1", MESSAGE.text, MESSAGE.link, "k1")
    assert [(m.sha256, m.mime, m.alt) for m in one.media] == [("ab" * 32, "image/jpeg", "Le jardin")]
    assert (one.created_at, one.permalink) == (NOW, "sandbox://hopital.tilleuls/sb-1")
    assert (first.permalink, first.published_at) == (one.permalink, NOW)
    assert (two.parent, two.role, two.text) == ("sb-1", "comment", "La suite")


def test_the_time_is_the_workspaces_own(tmp_path: Path, platform: SandboxPlatform) -> None:
    context = context_in(tmp_path)
    assert isinstance(context.clock, SettableClock)
    context.clock.set(datetime(2027, 1, 4, 7, tzinfo=UTC))
    adapter = SandboxAdapter(context)
    assert adapter.send(body(adapter), key="k").published_at == datetime(2027, 1, 4, 7, tzinfo=UTC)
    assert platform.posts()[0].created_at == datetime(2027, 1, 4, 7, tzinfo=UTC)


def test_nothing_exists_before_first_use(tmp_path: Path) -> None:
    SandboxAdapter(context_in(tmp_path))
    SandboxPlatform(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_its_owner_alone(platform: SandboxPlatform) -> None:
    assert platform.count() == 0
    assert stat.S_IMODE(platform.path.stat().st_mode) == 0o600
    assert [path.name for path in platform.path.parent.iterdir()] == ["sandbox.db"]


def test_equal_account_names_on_two_platforms_stay_apart(tmp_path: Path) -> None:
    facebook = context_in(tmp_path)
    identities = {SandboxAdapter(context).identity() for context in (facebook, replace(facebook, platform="x"))}
    assert len(identities) == 2


def test_a_reply_needs_its_parent(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    orphan = body(adapter, replace(MESSAGE, parent="sb-77"))
    with pytest.raises(Rejected) as caught:
        adapter.send(orphan, key="k")
    assert caught.value.field == "parent"
    assert platform.count() == 0


def test_keys_belong_to_an_account(tmp_path: Path, platform: SandboxPlatform) -> None:
    for account in ("one", "two", "one"):
        adapter = SandboxAdapter(context_in(tmp_path, account))
        adapter.send(body(adapter), key="same")
    assert [post.account for post in platform.posts()] == ["one", "two"]
    assert (platform.count("one"), platform.count()) == (1, 2)


def test_without_honoured_keys_a_repetition_doubles(tmp_path: Path, platform: SandboxPlatform) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, honour_keys=False))
    assert adapter.check().key_window == 0
    ready = body(adapter)
    assert adapter.send(ready, key="k").remote_id != adapter.send(ready, key="k").remote_id
    assert platform.count() == 2


def test_honoured_keys_last_for_ever(adapter: SandboxAdapter) -> None:
    assert adapter.check().key_window == KEY_WINDOW_UNLIMITED
    assert adapter.capabilities.simulated


def test_a_length_limit_refuses_before_sending(tmp_path: Path) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, max_characters=10))
    assert adapter.check().limits == {"max_characters": 10}
    adapter.prepare(Outgoing("é" * 10, "fr", NOW), {})
    with pytest.raises(Rejected) as caught:
        adapter.prepare(Outgoing("é" * 11, "fr", NOW), {})
    assert caught.value.field == "text"


def test_many_threads_with_one_key_make_one_post(tmp_path: Path, platform: SandboxPlatform) -> None:
    together = threading.Barrier(8)
    made: list[str] = []

    def send() -> None:
        together.wait()
        made.append(platform.publish(ACCOUNT, "same", Draft("Bonjour"), now=NOW).remote_id)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["sb-1"] * 8


# --- scripted faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("retryable", Retryable),
        ("rate_limited", RateLimited),
        ("auth_failed", AuthFailed),
        ("rejected", Rejected),
        ("duplicate", Duplicate),
        ("unknown", UnknownOutcome),
    ],
)
def test_a_fault_is_met_once_and_creates_nothing(
    adapter: SandboxAdapter, platform: SandboxPlatform, error: Any, kind: type[ChannelError]
) -> None:
    platform.fail_next(error, retry_after=90)
    ready = body(adapter)
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert getattr(caught.value, "retry_after", 90) == 90
    assert platform.count() == 0
    adapter.send(ready, key="k")
    assert platform.count() == 1


@pytest.mark.parametrize("op", ["check", "prepare", "metrics"])
def test_other_operations_fail_too(adapter: SandboxAdapter, platform: SandboxPlatform, op: Any) -> None:
    calls: dict[str, Callable[[], object]] = {
        "check": adapter.check,
        "prepare": lambda: adapter.prepare(MESSAGE, {}),
        "metrics": lambda: adapter.post_metrics(["sb-1"]),
    }
    platform.fail_next("auth_failed", op, times=2)
    for _n in range(2):
        with pytest.raises(AuthFailed):
            calls[op]()
    calls[op]()


def test_a_lost_answer_leaves_the_post_there(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    platform.fail_next("unknown", when="after")
    ready = body(adapter)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert platform.count() == 1
    assert adapter.send(ready, key="k").remote_id == platform.posts()[0].remote_id
    assert platform.count() == 1


def test_faults_come_in_order_and_for_their_account(tmp_path: Path, platform: SandboxPlatform) -> None:
    platform.fail_next("rejected", account="two")
    platform.fail_next("retryable", account="two")
    one, two = (SandboxAdapter(context_in(tmp_path, account)) for account in ("one", "two"))
    one.send(body(one), key="k")
    with pytest.raises(Rejected):
        two.send(body(two), key="k")
    platform.clear_faults()
    two.send(body(two), key="k")


@pytest.mark.parametrize(
    ("error", "op", "when"),
    [
        ("rejected", "edit", "after"),
        ("retryable", "send", "after"),
        ("unknown", "prepare", "before"),
        ("unknown", "find", "after"),
        ("duplicate", "edit", "before"),
        ("crash", "check", "after"),
        ("nonsense", "send", "before"),
    ],
)
def test_impossible_faults_are_refused(platform: SandboxPlatform, error: Any, op: Any, when: Any) -> None:
    with pytest.raises(ValueError, match="no "):
        platform.fail_next(error, op, when=when)


SENDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from cm.channels.sandbox.platform import Draft, SandboxPlatform
post = SandboxPlatform(Path(sys.argv[1])).publish("a", "key", Draft("Bonjour"), now=datetime(2026, 11, 23, tzinfo=UTC))
print(post.remote_id)
"""


def send_elsewhere(workspace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SENDER, str(workspace)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 1)])
def test_another_process_is_killed_before_or_after_creating(
    platform: SandboxPlatform, tmp_path: Path, when: str, there: int
) -> None:
    (platform.crash_before_send if when == "before" else platform.crash_after_send)()
    with send_elsewhere(tmp_path) as process:
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (-signal.SIGKILL, "")
    assert platform.count() == there
    with send_elsewhere(tmp_path) as process:
        assert process.communicate(timeout=60)[0] == "sb-1\n"
    assert platform.count() == 1


def test_another_process_is_frozen_and_goes_on(platform: SandboxPlatform, tmp_path: Path) -> None:
    platform.fail_next("freeze")
    with send_elsewhere(tmp_path) as process:
        _pid, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert platform.count() == 0
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=60)[0] == "sb-1\n"
    assert platform.count() == 1


def test_a_file_that_is_no_database_is_told(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    ready = body(adapter)
    platform.path.write_bytes(b"this is not a database, though it is long enough to be taken for one" * 20)
    with pytest.raises(Retryable):
        adapter.check()
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")


# --- what stands there ------------------------------------------------------------------------------------------------

SINCE = NOW - timedelta(minutes=15)
WANTED = Sought(MESSAGE.text, MESSAGE.link, key="k1")


def found(adapter: SandboxAdapter, sought: Sought = WANTED, since: datetime = SINCE) -> list[str]:
    answer = adapter.find(sought, since=since)
    assert isinstance(answer, Found)
    return [sighting.remote_id for sighting in answer.sightings]


def test_a_lost_answer_is_found_in_the_listing(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    assert adapter.find(WANTED, since=SINCE) == Absent(authoritative=False)
    platform.fail_next("unknown", when="after")
    with pytest.raises(UnknownOutcome):
        adapter.send(body(adapter), key="k1")
    assert adapter.find(WANTED, since=SINCE) == Found(
        (Sighting("sb-1", "sandbox://hopital.tilleuls/sb-1", NOW, f"{MESSAGE.text}\n{MESSAGE.link}", None, 0),)
    )


def test_only_posts_since_then_count(tmp_path: Path, adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    for minutes in (-16, -15, 0):
        platform.post_by_hand(ACCOUNT, MESSAGE.text, now=NOW + timedelta(minutes=minutes), link=MESSAGE.link)
    assert found(adapter) == ["sb-2", "sb-3"]
    assert len(adapter.listing(SINCE - timedelta(minutes=1)).sightings) == 3
    other = SandboxAdapter(context_in(tmp_path, "other"))
    assert other.find(WANTED, since=SINCE) == Absent()
    assert other.listing(SINCE) == Listing((), complete=True)


def test_a_colleagues_copy_is_a_second_candidate(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    adapter.send(body(adapter), key="k1")
    by_hand = platform.post_by_hand(ACCOUNT, f"{MESSAGE.text}\n\n{MESSAGE.link} ", now=NOW)
    assert by_hand.key == ""
    assert found(adapter) == ["sb-1", "sb-2"], "no key is asked, and words are what counts"
    platform.post_by_hand(ACCOUNT, "Tout autre chose", now=NOW)
    assert found(adapter) == ["sb-1", "sb-2"]


def test_a_look_up_by_key_is_certain(tmp_path: Path, platform: SandboxPlatform) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, finds="point"))
    platform.post_by_hand(ACCOUNT, MESSAGE.text, now=NOW, link=MESSAGE.link)
    assert adapter.find(WANTED, since=SINCE) == Absent(authoritative=True)
    platform.list_late(3600)
    adapter.send(body(adapter), key="k1")
    answer = adapter.find(WANTED, since=NOW + timedelta(days=1))
    assert isinstance(answer, Found)
    assert (answer.certain, [sighting.remote_id for sighting in answer.sightings]) == (True, ["sb-2"])
    assert found(adapter, replace(WANTED, key=None)) == ["sb-1"], "without a key only the listing helps"


def test_two_posts_under_one_key_are_both_found(tmp_path: Path, platform: SandboxPlatform) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, finds="point", honour_keys=False))
    for _n in range(2):
        adapter.send(body(adapter), key="k1")
    assert found(adapter) == ["sb-1", "sb-2"]
    platform.delete(ACCOUNT, "sb-1", now=NOW)
    assert found(adapter) == ["sb-2"]
    platform.delete(ACCOUNT, "sb-2", now=NOW)
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell), "it did arrive: not to be sent again"


def test_a_platform_that_cannot_be_asked(tmp_path: Path) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, finds="none"))
    adapter.send(body(adapter), key="k1")
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)
    assert adapter.listing(SINCE) == Listing((), complete=False)


def test_a_listing_that_does_not_reach_back(tmp_path: Path, platform: SandboxPlatform) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, reach=2))
    adapter.send(body(adapter), key="k1")
    platform.post_by_hand(ACCOUNT, "Un", now=NOW)
    assert found(adapter) == ["sb-1"]
    assert adapter.listing(SINCE).complete
    platform.post_by_hand(ACCOUNT, "Deux", now=NOW)
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)
    listing = adapter.listing(SINCE)
    assert ([sighting.text for sighting in listing.sightings], listing.complete) == (["Un", "Deux"], False)


def test_new_posts_may_be_listed_late(tmp_path: Path, platform: SandboxPlatform) -> None:
    context = context_in(tmp_path)
    assert isinstance(context.clock, SettableClock)
    adapter = SandboxAdapter(context)
    SandboxPlatform(tmp_path).list_late(300)
    adapter.send(body(adapter), key="k1")
    assert (adapter.find(WANTED, since=SINCE), platform.count()) == (Absent(), 1)
    context.clock.advance(timedelta(seconds=299))
    assert adapter.find(WANTED, since=SINCE) == Absent()
    context.clock.advance(timedelta(seconds=1))
    assert found(adapter) == ["sb-1"]
    platform.list_late(0, ACCOUNT)
    platform.post_by_hand(ACCOUNT, MESSAGE.text, now=context.clock.now(), link=MESSAGE.link)
    assert found(adapter) == ["sb-1", "sb-2"], "an account's own lateness goes before that of all"


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True),
        ({"text": MESSAGE.text.upper()}, True),
        ({"text": MESSAGE.text.replace("à", "a\u0300")}, True),
        ({"text": f"  {MESSAGE.text}\u00a0"}, True),
        ({"text": f"{MESSAGE.text} {MESSAGE.link}", "link": None}, True),
        ({"link": None}, False),
        ({"link": f"{MESSAGE.link}/autre"}, False),
        ({"text": MESSAGE.text.replace("à", "a")}, False),
        ({"text": ""}, False),
        ({"media": 1}, False),
        ({"parent": "sb-9"}, False),
    ],
)
def test_what_looks_like_it(adapter: SandboxAdapter, change: dict[str, Any], alike: bool) -> None:
    adapter.send(body(adapter), key="k1")
    (sighting,) = adapter.listing(SINCE).sightings
    assert adapter.looks_like(replace(WANTED, **change), sighting) is alike


@pytest.mark.parametrize("error", ["retryable", "rate_limited", "auth_failed", "rejected"])
def test_looking_may_fail(adapter: SandboxAdapter, platform: SandboxPlatform, error: Any) -> None:
    for ask in (lambda: adapter.find(WANTED, since=SINCE), lambda: adapter.listing(SINCE)):
        platform.fail_next(error, "find")
        with pytest.raises(ChannelError, match="scripted fault"):
            ask()
        ask()


# --- after publication ------------------------------------------------------------------------------------------------


def test_what_is_taken_down_is_gone_and_its_number_with_it(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    first = adapter.send(body(adapter), key="k1")
    adapter.delete(first.remote_id)
    assert (platform.posts(), platform.count(), platform.count(ACCOUNT)) == ([], 0, 0)
    assert [(post.remote_id, post.text) for post in platform.deleted(ACCOUNT)] == [("sb-1", MESSAGE.text)]
    assert adapter.find(WANTED, since=SINCE) == Absent()
    assert adapter.post_metrics([first.remote_id]) == {}
    with pytest.raises(Rejected):
        adapter.edit(first.remote_id, MESSAGE)
    with pytest.raises(Rejected):
        adapter.send(body(adapter, replace(MESSAGE, parent=first.remote_id)), key="answer")
    assert adapter.send(body(adapter), key="k2").remote_id == "sb-2"


def test_a_key_whose_post_was_taken_down_makes_no_other(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    adapter.delete(adapter.send(body(adapter), key="k1").remote_id)
    with pytest.raises(Rejected, match="sb-1 of this message was taken down"):
        adapter.send(body(adapter), key="k1")
    assert platform.count() == 0


def test_nobody_else_takes_a_post_down_or_edits_it(tmp_path: Path, platform: SandboxPlatform) -> None:
    mine, other = (SandboxAdapter(context_in(tmp_path, account)) for account in (ACCOUNT, "other"))
    remote_id = mine.send(body(mine), key="k1").remote_id
    other.delete(remote_id)
    with pytest.raises(Rejected) as caught:
        other.edit(remote_id, replace(MESSAGE, text="Autre"))
    assert caught.value.field is None
    assert platform.wordings(remote_id) == [MESSAGE.text]
    assert platform.count() == 1


def test_an_edit_keeps_what_was_said_before(adapter: SandboxAdapter, platform: SandboxPlatform, tmp_path: Path) -> None:
    media = [Media(tmp_path / f"{n}.jpg", "image/jpeg", f"{n}" * 64, f"Photo {n}") for n in range(3)]
    message = replace(MESSAGE, media=tuple(media))
    remote_id = adapter.send(body(adapter, message), key="k1").remote_id
    told = (replace(media[0], alt="Le jardin"), replace(media[1], alt=""))
    adapter.edit(remote_id, replace(message, text="Bonjour", link=None, media=told))
    (post,) = platform.posts()
    assert (post.text, post.link, post.created_at) == ("Bonjour", None, NOW)
    assert [(item.sha256[0], item.alt) for item in post.media] == [("0", "Le jardin"), ("1", ""), ("2", "Photo 2")]
    assert platform.wordings(remote_id) == [MESSAGE.text, "Bonjour"]


def test_an_edit_is_held_to_the_same_limits(tmp_path: Path) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, max_characters=10))
    remote_id = adapter.send(body(adapter, Outgoing("Bonjour", "fr", NOW)), key="k").remote_id
    for text in ("é" * 11, "", "\ud83d"):
        with pytest.raises(Rejected) as caught:
            adapter.edit(remote_id, Outgoing(text, "fr", NOW))
        assert caught.value.field == "text"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("op", ["delete", "edit"])
def test_a_change_whose_answer_is_lost(adapter: SandboxAdapter, platform: SandboxPlatform, op: Any, when: Any) -> None:
    remote_id = adapter.send(body(adapter), key="k1").remote_id
    changed = replace(MESSAGE, text="Corrigé")

    def change() -> None:
        if op == "delete":
            adapter.delete(remote_id)
        else:
            adapter.edit(remote_id, changed)

    platform.fail_next("unknown", op, when=when)
    with pytest.raises(UnknownOutcome):
        change()
    assert [post.text for post in platform.posts()] == (
        [MESSAGE.text] if when == "before" else ["Corrigé"] if op == "edit" else []
    )
    change()
    assert [post.text for post in platform.posts()] == (["Corrigé"] if op == "edit" else [])


def test_a_post_may_be_created_and_then_refused(adapter: SandboxAdapter, platform: SandboxPlatform) -> None:
    platform.fail_next("rejected", when="after")
    with pytest.raises(Rejected):
        adapter.send(body(adapter), key="k1")
    assert found(adapter) == ["sb-1"]
    assert adapter.send(body(adapter), key="k1").remote_id == "sb-1"


def test_it_may_have_a_clock_of_its_own_and_a_token_that_ends(tmp_path: Path, platform: SandboxPlatform) -> None:
    adapter = SandboxAdapter(context_in(tmp_path, clock_ahead=-90, token_ends="2027-03-31T00:00:00Z"))
    info = adapter.check()
    assert (info.server_time, info.token_expires_at) == (
        NOW - timedelta(seconds=90),
        datetime(2027, 3, 31, tzinfo=UTC),
    )
    assert adapter.send(body(adapter), key="k").published_at == NOW - timedelta(seconds=90)
    assert found(adapter) == ["sb-1"]
    assert adapter.post_metrics(["sb-1"])["sb-1"].reach == 0


# --- files of before --------------------------------------------------------------------------------------------------


def old_file(workspace: Path) -> SandboxPlatform:
    """A platform whose file an older cm made: three posts, and a fault that is still to be met."""
    platform = SandboxPlatform(workspace)
    platform.path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(platform.path)) as db:
        db.executescript("PRAGMA journal_mode = WAL;" + OLD_FILE.read_text(encoding="utf-8"))
    return platform


def structure(platform: SandboxPlatform) -> tuple[Any, ...]:
    """Version and columns of every table."""
    with closing(sqlite3.connect(platform.path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        columns = {name: [row[1:] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables}
        return (*db.execute("PRAGMA user_version").fetchone(), columns)


def test_an_old_file_is_brought_up_to_date(tmp_path: Path) -> None:
    platform = old_file(tmp_path)
    context = replace(context_in(tmp_path, "page"), clock=SettableClock(NOW + timedelta(hours=1)))
    adapter = SandboxAdapter(context)
    assert found(adapter, Sought("La suite", parent="sb-1"), since=NOW) == ["sb-2"]
    with pytest.raises(UnknownOutcome):
        adapter.send(body(adapter), key="k9")
    assert adapter.send(body(adapter), key="k1").remote_id == "sb-1", "old keys are honoured"
    adapter.delete("sb-2")
    assert [post.remote_id for post in platform.posts()] == ["sb-1", "sb-3", "sb-4"]
    new = SandboxPlatform(tmp_path / "new")
    assert new.count() == 0
    assert structure(platform) == structure(new)


def test_many_may_open_an_old_file_at_once(tmp_path: Path) -> None:
    platform = old_file(tmp_path)
    together = threading.Barrier(8)
    counted: list[int] = []

    def count() -> None:
        together.wait()
        counted.append(SandboxPlatform(tmp_path).count("page"))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [2] * 8
    assert platform.posts("other")[0].text == "Autre page"


# --- invented engagement ----------------------------------------------------------------------------------------------


def test_engagement_grows_for_three_days_and_then_stands(tmp_path: Path) -> None:
    context = context_in(tmp_path, followers=3000)
    assert isinstance(context.clock, SettableClock)
    adapter = SandboxAdapter(context)
    remote_id = adapter.send(body(adapter), key="k").remote_id
    told = []
    for hours in (0, 6, 24, 72, 24 * 30):
        context.clock.set(NOW + timedelta(hours=hours))
        told.append(adapter.post_metrics([remote_id])[remote_id])
    reach = [numbers.reach or 0 for numbers in told]
    assert reach[0] == 0 < reach[1] < reach[2] < reach[3] == reach[4] <= 3000
    assert told[4].saves is None
    assert told[4].views is None
    assert (adapter.account_metrics().followers or 0) > 3000


def test_a_film_has_views(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    assert isinstance(context.clock, SettableClock)
    adapter = SandboxAdapter(context)
    film = Media(tmp_path / "f.mp4", "video/mp4", "ab" * 32, "Une visite")
    remote_id = adapter.send(body(adapter, replace(MESSAGE, media=(film,))), key="k").remote_id
    context.clock.advance(timedelta(days=2))
    assert (adapter.post_metrics([remote_id])[remote_id].views or 0) > 0


def test_followers_stand_before_the_first_post(adapter: SandboxAdapter) -> None:
    assert adapter.account_metrics().followers == 3000


def test_invented_numbers_never_change() -> None:
    """They stand in the example's report: another machine or Python must give the same."""
    numbers = engagement.of_post("sb-7", ACCOUNT, age=timedelta(hours=30), followers=3000, video=True)
    assert {name: value for name, value in asdict(numbers).items() if value is not None} == {
        "reach": 239,
        "impressions": 309,
        "reactions": 5,
        "comments": 1,
        "shares": 0,
        "clicks": 6,
        "views": 106,
    }
    assert engagement.of_account(ACCOUNT, age=timedelta(days=14), followers=3000).followers == 3019


@given(
    number=st.integers(1, 10**9),
    ages=st.tuples(st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), timedelta(days=30))),
    followers=st.integers(0, 10**7),
)
def test_engagement_is_plausible_and_never_shrinks(
    number: int, ages: tuple[timedelta, timedelta], followers: int
) -> None:
    young, old = (
        engagement.of_post(f"sb-{number}", "a", age=age, followers=followers, video=False) for age in sorted(ages)
    )
    for numbers in (young, old):
        assert numbers.reach is not None
        assert numbers.impressions is not None
        assert 0 <= numbers.reach <= numbers.impressions
        assert numbers.reach <= followers
    for name in ("reach", "impressions", "reactions", "comments", "shares", "clicks"):
        assert getattr(young, name) <= getattr(old, name)
