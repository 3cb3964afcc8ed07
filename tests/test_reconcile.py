"""A database that was put back: `cm db reconcile` looks at the platform before anything is sent again."""

import logging
import shutil
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support_publish import START, channel, make_workspace, open_desk

from cm.calendar import telling
from cm.calendar.drafting import new_post
from cm.channels.port import AuthFailed, Rejected, Sighting, Sought
from cm.channels.sandbox.adapter import SandboxAdapter
from cm.channels.sandbox.platform import Draft
from cm.model.states import PostState
from cm.model.tables import Action, Receipt, Stray
from cm.publishing import ownership
from cm.publishing.account_lock import Standing
from cm.publishing.accounts import ensure_all
from cm.publishing.confirm import confirm_absent
from cm.publishing.matching import MARGIN, Gap, Part, Question, judge
from cm.publishing.reconcile import exit_code, reconcile
from cm.publishing.standing import standing
from cm.publishing.today import today
from cm.store.migrate import backup

FB = {"fb": channel("page")}


@pytest.fixture
def desk(tmp_path):
    opened = open_desk(make_workspace(tmp_path / "w", FB))
    yield opened
    opened.close()


def with_channels(tmp_path, **channels):
    return open_desk(make_workspace(tmp_path / "w", channels))


class Backup:
    """The database as it was; nothing else is put back."""

    def __init__(self, desk):
        self.file = backup(desk.root / "cm.db", desk.root.parent / "kept", "test")

    def restore(self, desk):
        """Put it back and open the workspace again, at the same time."""
        desk.close()
        for name in ("cm.db-wal", "cm.db-shm"):
            (desk.root / name).unlink(missing_ok=True)
        shutil.copy(self.file, desk.root / "cm.db")
        return open_desk(desk.root, desk.clock.now())


@contextmanager
def rewound(desk, made):
    """A desk whose database is put back to `made`."""
    again = made.restore(desk)
    try:
        yield again
    finally:
        again.close()


def look(desk, **given):
    return reconcile(desk.env, desk.workspace.adapter, list(desk.env.config.channels), **given)


def ids(entries):
    return [entry.id for entry in entries]


def receipts(desk):
    with desk.env.store.read() as session:
        return {row.remote_id: row.source for row in session.exec(select(Receipt).order_by(Receipt.id))}


def strays(desk):
    with desk.env.store.read() as session:
        return [(row.opening, row.post_id) for row in session.exec(select(Stray).order_by(Stray.id))]


def acts(desk):
    with desk.env.store.read() as session:
        return [(row.verb, row.target) for row in session.exec(select(Action).order_by(Action.id))]


def contents(desk):
    """Everything in the database."""
    with sqlite3.connect(desk.root / "cm.db") as db:
        return list(db.iterdump())


# --- a backup restored ------------------------------------------------------------------------------------------------


def a_day(desk):
    """One post is out when the backup is made, two go out after it, one is for tomorrow."""
    for text, minutes in (("one", 0), ("two", 30), ("three", 60), ("tomorrow", 24 * 60)):
        desk.add(text, minutes=minutes)
    desk.tick()
    made = Backup(desk)
    desk.tick(minutes=30)
    desk.tick(minutes=30)
    assert desk.texts() == ["one", "two", "three"]
    return made


@pytest.mark.parametrize("hours", [0, 8])
def test_a_restored_backup_sends_nothing_twice_and_the_calendar_goes_on(desk, hours):
    with rewound(desk, a_day(desk)) as again:
        refused = again.tick(minutes=60 * hours)
        assert refused.exit_code == 3
        assert "cm db reconcile" in refused.errors[0][1].hint
        [report] = look(again)
        assert (report.standing, ids(report.adopted), report.unconfirmed) == (Standing.BEHIND, ["p2", "p3"], ())
        assert report.kept == 1
        assert exit_code([report]) == 0
        assert [again.state(f"p{n}") for n in (1, 2, 3, 4)] == ["published"] * 3 + ["scheduled"]
        assert list(receipts(again).values()) == ["sent", "found", "found"]
        assert again.tick().quiet
        assert again.tick(minutes=60 * (23 - hours)).exit_code == 0
        assert again.texts() == ["one", "two", "three", "tomorrow"]


def test_while_a_database_is_behind_nothing_is_given_up(desk):
    with rewound(desk, a_day(desk)) as again:
        assert again.tick(minutes=8 * 60).exit_code == 3
        assert [again.state(f"p{n}") for n in (2, 3)] == ["scheduled"] * 2


def test_bare_cm_says_that_nothing_is_sent(desk):
    """A run tells cron; the person who types `cm` in the morning must see it too."""

    def refused(seen):
        return [(line.command, line.tail) for line in today(standing(seen.env)) if line.kind == "refused"]

    made = a_day(desk)
    assert refused(desk) == []
    with rewound(desk, made) as again:
        [(command, reason)] = refused(again)
        assert (command, "older" in reason) == ("cm db reconcile -c fb", True)
        look(again)
        assert refused(again) == []


def test_what_was_adopted_says_when_it_stood_there_and_who_found_it(desk):
    with rewound(desk, a_day(desk)) as again:
        look(again)
        assert again.row("p2").published_at == START + timedelta(minutes=30)
        assert again.row("p2").wake_at is None
        assert strays(again) == [("two", 2), ("three", 3)]
        assert [act for act in acts(again) if act[0] in ("adopt", "reconcile")] == [
            ("adopt", "p2"), ("adopt", "p3"), ("reconcile", "fb"),
        ]  # fmt: skip


def test_looking_twice_changes_nothing(desk):
    with rewound(desk, a_day(desk)) as again:
        again.platform.publish("page", "by hand", Draft("a greeting"), now=again.clock.now())
        look(again)
        before = contents(again)
        [report] = look(again)
        assert (report.standing, report.adopted, report.unconfirmed) == (Standing.OURS, (), ())
        assert [each["opening"] for each in report.strays] == ["a greeting"]
        assert contents(again) == before


def test_a_dry_run_says_the_same_and_writes_nothing(desk):
    with rewound(desk, a_day(desk)) as again:
        before = contents(again)
        [told] = look(again, dry_run=True)
        assert contents(again) == before
        [done] = look(again)
        assert told == done
        assert again.tick().quiet


def test_what_is_not_found_is_for_a_person_and_never_sent_again_by_itself(desk):
    made = a_day(desk)
    second = desk.platform.posts("page")[1]
    desk.platform.delete("page", second.remote_id, now=desk.clock.now())
    with rewound(desk, made) as again:
        [report] = look(again)
        assert (ids(report.adopted), ids(report.unconfirmed), report.kept) == (["p3"], ["p2"], 1)
        assert exit_code([report]) == 7
        assert again.state("p2") == "unconfirmed"
        assert "put back" in again.row("p2").reason
        again.tick(minutes=5)
        assert again.texts() == ["one", "three"]
        confirm_absent(again.env, 2)
        again.tick()
        assert again.texts() == ["one", "three", "two"]


def test_a_post_that_was_moved_after_the_backup_is_found_though_it_is_planned_later(desk, run_json):
    desk.add("one")
    desk.add("moved", minutes=24 * 60)
    desk.tick()
    made = Backup(desk)
    run_json("-C", str(desk.root), "--now", "2026-11-23T09:01", "post", "move", "p2", "2026-11-23T09:10")
    desk.tick(minutes=10)
    assert desk.texts() == ["one", "moved"]
    with rewound(desk, made) as again:
        assert again.row("p2").scheduled_at > again.clock.now()
        [report] = look(again)
        assert ids(report.adopted) == ["p2"]
        again.tick(minutes=24 * 60)
        assert again.texts() == ["one", "moved"]


def test_twins_are_told_apart_by_nobody(desk):
    desk.add("one")
    desk.tick()
    made_at = desk.add("blood drive", minutes=10), desk.add("blood drive", minutes=20, over="same words on purpose")
    made = Backup(desk)
    desk.tick(minutes=10)
    desk.tick(minutes=10)
    with rewound(desk, made) as again:
        [report] = look(again)
        assert ids(report.unconfirmed) == list(made_at)
        assert [each["opening"] for each in report.strays] == ["blood drive"] * 2
        again.tick(minutes=10)
        assert again.texts() == ["one", "blood drive", "blood drive"]


def test_a_thread_is_adopted_part_by_part_and_finished(desk):
    desk.add("zero")
    desk.tick()
    thread = desk.add("part a\n---\npart b\n---\npart c", minutes=1)
    desk.platform.fail_next("retryable", account="page")
    made = Backup(desk)
    desk.tick(minutes=1)
    desk.tick(minutes=2)
    assert desk.texts() == ["zero", "part a", "part b", "part c"]
    with rewound(desk, made) as again:
        [report] = look(again)
        assert [(entry.id, entry.message) for entry in report.adopted] == [(thread, 1), (thread, 2), (thread, 3)]
        assert again.state(thread) == "published"
        assert again.tick(minutes=5).quiet


def test_a_thread_of_which_a_part_is_missing_waits_for_a_person(desk):
    desk.add("zero")
    desk.tick()
    thread = desk.add("part a\n---\npart b\n---\npart c", minutes=1)
    made = Backup(desk)
    desk.tick(minutes=1)
    last = desk.platform.posts("page")[-1]
    desk.platform.delete("page", last.remote_id, now=desk.clock.now())
    with rewound(desk, made) as again:
        [report] = look(again)
        assert ([entry.message for entry in report.adopted], ids(report.unconfirmed)) == ([1, 2], [thread])
        assert [message.receipt is None for message in again.show(thread).messages] == [False, False, True]
        confirm_absent(again.env, 2)
        again.tick()
        assert again.texts() == ["zero", "part a", "part b", "part c"]
        assert again.state(thread) == "published"


def test_a_sending_that_was_in_doubt_when_the_backup_was_made(tmp_path):
    desk = with_channels(tmp_path, fb=channel("page", settings={"honour_keys": False}))
    desk.add("first")
    desk.tick()
    doubtful = desk.add("lost answer", minutes=1)
    desk.platform.fail_next("unknown", when="after", account="page")
    desk.tick(minutes=1)
    assert desk.state(doubtful) == "publishing"
    made = Backup(desk)
    later = desk.add("later", minutes=30)
    desk.tick(minutes=30)
    with rewound(desk, made) as again:
        [report] = look(again)
        assert ids(report.adopted) == [doubtful]
        assert [each["opening"] for each in report.strays] == ["later"]  # planned after the backup: nobody's any more
        assert again.tick(minutes=30).quiet
        assert again.texts() == ["first", "lost answer", "later"]
        assert later == "p3"


def test_where_nothing_can_be_found_all_that_was_due_is_for_a_person(tmp_path):
    desk = with_channels(tmp_path, fb=channel("page", settings={"finds": "none"}))
    with rewound(desk, a_day(desk)) as again:
        [report] = look(again)
        assert (report.adopted, ids(report.unconfirmed), report.kept) == ((), ["p2", "p3"], 1)
        assert again.tick(minutes=23 * 60).exit_code == 0
        assert again.texts() == ["one", "two", "three", "tomorrow"]


def test_what_an_outbox_was_given_after_the_backup_is_not_given_again(tmp_path):
    desk = with_channels(tmp_path, fb=channel("page", adapter="outbox"))
    desk.add("one")
    desk.tick()
    desk.add("two", minutes=1)
    made = Backup(desk)
    desk.tick(minutes=1)
    files = sorted(path for path in (desk.root / "outbox").rglob("*") if path.is_file())
    with rewound(desk, made) as again:
        assert again.tick().exit_code == 3
        [report] = look(again)
        assert (report.complete, ids(report.unconfirmed)) == (None, ["p2"])
        again.tick(minutes=1)
        assert sorted(path for path in (again.root / "outbox").rglob("*") if path.is_file()) == files


def test_a_backup_from_before_the_first_sending(desk):
    desk.add("one")
    desk.add("two", minutes=24 * 60)
    made = Backup(desk)
    desk.tick()
    with rewound(desk, made) as again:
        assert again.tick().exit_code == 3
        [report] = look(again)
        assert ids(report.adopted) == ["p1"]
        assert again.tick(minutes=24 * 60).exit_code == 0
        assert again.texts() == ["one", "two"]


def test_what_the_platform_lists_late_is_found_by_the_next_look(desk):
    desk.platform.list_late(3600, "page")
    with rewound(desk, a_day(desk)) as again:
        [report] = look(again)
        assert ids(report.unconfirmed) == ["p2", "p3"]
        assert not again.tick(minutes=60).lists["published"]
        [report] = look(again)
        assert (report.standing, ids(report.adopted)) == (Standing.OURS, ["p2", "p3"])
        assert again.texts() == ["one", "two", "three"]


def test_what_a_later_look_finds_is_adopted_too(desk):
    made = a_day(desk)
    with rewound(desk, made) as again:
        look(again, since=again.clock.now() - timedelta(minutes=1))
        assert [again.state(f"p{n}") for n in (2, 3)] == ["unconfirmed", "published"]
        [report] = look(again)
        assert ids(report.adopted) == ["p2"]
        assert again.texts() == ["one", "two", "three"]


def test_the_newer_database_put_back_again_is_refused_once_the_older_one_has_sent(desk):
    made = a_day(desk)
    newer = Backup(desk)
    with rewound(desk, made) as again:
        look(again)
        again.tick(minutes=23 * 60)
        with rewound(again, newer) as third:
            assert third.tick().exit_code == 3
            [report] = look(third)
            assert ids(report.adopted) == ["p4"]
            assert third.texts() == ["one", "two", "three", "tomorrow"]


def test_numbers_of_attempts_are_never_given_twice(desk):
    made = a_day(desk)
    highest = max(attempt.id for attempt in desk.attempts())
    with rewound(desk, made) as again:
        look(again)
        again.tick(minutes=23 * 60)
        assert max(attempt.id for attempt in again.attempts()) > highest


def test_a_backup_made_between_claim_and_sending_is_noticed(desk):
    """That attempt is in the backup, and its sending is not."""
    desk.add("one")
    made = []

    class Keeper(logging.Handler):
        def emit(self, record):
            if record.getMessage() == "claimed":
                made.append(Backup(desk))

    keeper = Keeper()
    logging.getLogger("cm.publishing").addHandler(keeper)
    desk.tick()
    logging.getLogger("cm.publishing").removeHandler(keeper)
    with rewound(desk, made[0]) as again:
        [attempt] = again.attempts()
        assert (attempt.sending_at, again.tick(minutes=1).exit_code) == (None, 3)
        assert ids(look(again)[0].adopted) == ["p1"]
        assert again.tick().quiet
        assert again.texts() == ["one"]


def test_on_a_shared_account_nothing_that_is_listed_is_surely_ours(tmp_path):
    """Another workspace may have posted the same words: all that may have gone out is for a person."""
    desk = with_channels(tmp_path, fb=channel("page", shared=True))
    desk.add("moved", minutes=24 * 60)
    made = a_day(desk)
    desk.platform.post_by_hand("page", "moved", now=desk.clock.now())
    with rewound(desk, made) as again:
        [report] = look(again)
        assert (report.adopted, sorted(ids(report.unconfirmed))) == ((), ["p1", "p3", "p4"])
        assert [(each["opening"], each["alike"]) for each in report.strays] == [
            ("two", ["p3"]), ("three", ["p4"]), ("moved", ["p1"]),
        ]  # fmt: skip
        [report] = look(again)
        assert report.adopted == ()


def test_a_draft_that_somebody_posted_by_hand_is_named(desk, run):
    desk.add("ours")
    desk.tick()
    draft = telling.tell(desk.env, [new_post(channel="fb", text="a draft", kind="announcement")], draft=True)[0].id
    desk.platform.post_by_hand("page", "A draft", now=desk.clock.now())
    desk.platform.post_by_hand("page", "a greeting", now=desk.clock.now())
    [report] = look(desk)
    assert [(each["opening"], each["alike"]) for each in report.strays] == [("A draft", [draft]), ("a greeting", [])]
    assert f"It says what {draft} says." in run(*command(desk, "db", "reconcile")).out
    assert desk.state(draft) == "draft"


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_an_account_that_cannot_be_asked_stays_refused_and_stops_no_other(tmp_path):
    desk = with_channels(tmp_path, fb=channel("page"), x=channel("press", platform="twitter"))
    for name in ("fb", "x"):
        desk.add(f"one {name}", to=name)
        desk.add(f"two {name}", to=name, minutes=10)
    desk.tick()
    made = Backup(desk)
    desk.tick(minutes=10)
    with rewound(desk, made) as again:
        again.platform.fail_next("retryable", "find", account="page")
        troubled, fine = look(again)
        assert (troubled.channel, troubled.error.exit_code, ids(fine.adopted)) == ("fb", 6, ["p4"])
        assert exit_code([troubled, fine]) == 6
        refused = again.tick()
        assert [name for name, _error in refused.errors] == ["fb"]
        assert ids(look(again)[0].adopted) == ["p2"]
        assert again.tick().quiet


class Silent(SandboxAdapter):
    """A platform that knows us and will not list."""

    refusal = Rejected("no listing for you")

    def listing(self, since):
        raise self.refusal


class Unknown(Silent):
    """One that knows us no more."""

    refusal = AuthFailed("who are you?")

    def check(self):
        raise self.refusal


def test_a_platform_that_refuses_its_listing_leaves_what_was_due_to_a_person(desk):
    with rewound(desk, a_day(desk)) as again:
        silent = Silent(again.workspace.adapter("fb")._context)
        [report] = reconcile(again.env, lambda _name: silent, ["fb"])
        assert (report.error, report.complete, ids(report.unconfirmed)) == (None, None, ["p2", "p3"])
        assert "cannot be asked" in again.row("p2").reason
        assert again.tick().quiet
        assert again.texts() == ["one", "two", "three"]


def test_a_platform_that_refuses_our_token_too_leaves_everything_as_it_is(desk):
    with rewound(desk, a_day(desk)) as again:
        unknown = Unknown(again.workspace.adapter("fb")._context)
        [report] = reconcile(again.env, lambda _name: unknown, ["fb"])
        assert (report.error.exit_code, again.state("p2")) == (7, "scheduled")
        assert again.tick().exit_code == 3


def test_a_run_that_is_publishing_is_not_disturbed(desk):
    with rewound(desk, a_day(desk)) as again:
        [work] = [ownership.lock_of(again.env, each) for each in _works(again)]
        assert work.acquire()
        [report] = look(again)
        work.release()
        assert report.error.exit_code == 6
        assert again.tick().exit_code == 3


def _works(desk):
    return ensure_all(desk.env, {name: desk.workspace.adapter(name) for name in desk.env.config.channels})


def test_a_healthy_workspace_lists_strays_and_nothing_else(desk):
    desk.add("ours")
    desk.add("planned", minutes=60)
    desk.tick()
    for text in ("by hand", "planned"):
        desk.platform.publish("page", text, Draft(text), now=desk.clock.now())
    [report] = look(desk)
    assert (report.standing, report.adopted, report.unconfirmed) == (Standing.OURS, (), ())
    assert [each["opening"] for each in report.strays] == ["by hand", "planned"]
    assert desk.state("p2") == "scheduled"


def test_another_workspace_is_not_taken_over_by_looking(desk):
    desk.add("hello")
    [work] = _works(desk)
    lock = ownership.lock_of(desk.env, work)
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    lock.note("somebody else", 3, desk.clock.now())
    [report] = look(desk)
    assert report.error.exit_code == 3
    assert "cm db adopt" in report.error.hint
    assert desk.tick().exit_code == 3


# --- the command ------------------------------------------------------------------------------------------------------


def command(desk, *words):
    """As a person types it, at the desk's time."""
    return "-C", str(desk.root), "--now", f"{desk.clock.now():%Y-%m-%dT%H:%M+00:00}", *words


def test_the_command_tells_what_it_did_and_what_is_left_to_a_person(desk, run):
    made = a_day(desk)
    second = desk.platform.posts("page")[1]
    desk.platform.delete("page", second.remote_id, now=desk.clock.now())
    desk.platform.post_by_hand("page", "by \x1b[31mhand", now=desk.clock.now())
    with rewound(desk, made) as again:
        told = run(*command(again, "db", "reconcile", "--dry-run"))
        assert (told.code, again.state("p2")) == (0, "scheduled")
        done = run(*command(again, "db", "reconcile", "--yes"))
        assert done.code == 7
        assert "p3 stands there and was adopted: sandbox://page/" in done.err
        assert "→ cm post confirm p2 --url … | --not-published" in done.err
        assert "1 planned post stays as it is." in done.err
        assert "by \\x1b[31mhand" in done.out  # shown, not obeyed
        assert "\x1b" not in done.out
        assert [again.state(f"p{n}") for n in (2, 3)] == ["unconfirmed", "published"]
        healthy = run(*command(again, "db", "reconcile"))
        assert healthy.code == 0
        assert "nothing had to be settled" in healthy.err


def test_addresses_of_strays_are_never_broken(desk, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    desk.platform.post_by_hand("page", "by hand, and rather long", now=desk.clock.now())
    done = run(*command(desk, "db", "reconcile"))
    [stray] = desk.platform.posts("page")
    assert done.code == 0
    assert f"      {stray.permalink}\n" in done.out
    assert "→ If one of them is a post of yours that waits: cm post confirm ID --url URL" in done.err


def test_the_command_for_programs(desk, run, run_json, run_err):
    with rewound(desk, a_day(desk)) as again:
        body = run_json(*command(again, "db", "reconcile", "--yes", "--channel", "fb"))
        [one] = body["channels"]
        assert [(entry["id"], entry["message"]) for entry in one["adopted"]] == [("p2", 1), ("p3", 1)]
        assert (one["channel"], one["standing"], one["complete"], one["kept"], one["error"]) == (
            "fb", "behind", True, 1, None,
        )  # fmt: skip
        assert one["last_sending"] == (START + timedelta(minutes=60)).isoformat()
        assert one["unconfirmed"] == one["strays"] == []
        run_err(5, *command(again, "db", "reconcile", "--channel", "nowhere"))
        run_err(2, *command(again, "db", "reconcile", "--since", "2030-01-01"))


# --- the rule ---------------------------------------------------------------------------------------------------------

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
moments = st.integers(-300, 300).map(lambda minutes: AT + timedelta(minutes=minutes))
open_states = st.sampled_from(
    [PostState.SCHEDULED, PostState.MISSED, PostState.FAILED, PostState.UNCONFIRMED, PostState.PUBLISHING]
)


@st.composite
def cases(draw):
    """Posts of up to three parts with few different texts, sightings with the same few, and a gap (or none)."""
    words = st.sampled_from("abc")
    sightings = tuple(
        Sighting(f"r{n}", None, draw(moments), draw(words), draw(st.sampled_from([None, "r0", "r1", "known"])))
        for n in range(draw(st.integers(0, 5)))
    )
    questions = []
    for number in range(draw(st.integers(0, 5))):
        due, begun = draw(moments), draw(st.booleans())
        parts = tuple(
            Part(
                10 * number + place,
                Sought(draw(words), role=draw(st.sampled_from(["part", "comment"])) if place else "part"),
                *(("known", True) if begun and not place else (None, False)),
            )
            for place in range(draw(st.integers(2 if begun else 1, 3)))
        )
        doubt = draw(st.none() | moments)
        questions.append(Question(number, draw(open_states), due, due + timedelta(hours=1), parts, doubt))
    gap = draw(st.none() | st.builds(Gap, st.none() | moments, moments))
    owned = frozenset(draw(st.sets(st.sampled_from(["r0", "r1", "r2"]))))
    return tuple(questions), sightings, owned, gap


def reads_the_same(sought, sighting):
    return sought.text == sighting.text


@given(cases())
def test_a_sighting_is_one_message_and_a_message_one_sighting(case):
    questions, sightings, owned, gap = case
    verdict = judge(questions, sightings, owned, reads_the_same, gap)
    there = [each.sighting.remote_id for each in verdict.adopted]
    assert len(set(there)) == len(there)
    assert len({each.message_id for each in verdict.adopted}) == len(there)
    assert not owned & set(there)
    assert {each.remote_id for each in verdict.strays} == {each.remote_id for each in sightings} - owned - set(there)


@given(cases())
def test_nobody_else_could_have_been_meant(case):
    questions, sightings, owned, gap = case
    verdict = judge(questions, sightings, owned, reads_the_same, gap)
    single = [post for post in questions if len(post.parts) == 1]
    for each in verdict.adopted:
        if each.sighting.parent is not None:
            continue
        free = [s for s in sightings if s.remote_id not in owned and s.parent is None]
        since = _since(next(post for post in questions if post.post_id == each.post_id), gap)
        same = [s for s in free if s.text == each.sighting.text and (since is None or s.published_at >= since)]
        assert same == [each.sighting]
        rivals = [
            post.post_id
            for post in single
            if post.parts[0].sought.text == each.sighting.text
            and ((since := _since(post, gap)) is None or each.sighting.published_at >= since)
            and (gap or post.state in (PostState.UNCONFIRMED, PostState.FAILED, PostState.PUBLISHING))
        ]
        assert set(rivals) <= {each.post_id}


def _since(post, gap):
    if gap is None:
        return (post.doubt_since or post.due) - MARGIN
    known = [at for at in (gap.start, post.doubt_since) if at]
    return min(known) - MARGIN if gap.start else None


@given(cases())
def test_on_a_shared_account_what_would_be_adopted_is_for_a_person(case):
    questions, sightings, owned, gap = case
    alone = judge(questions, sightings, owned, reads_the_same, gap)
    shared = judge(questions, sightings, owned, reads_the_same, gap, shared=True)
    assert shared.adopted == shared.published == ()
    unsettled = {post.post_id for post in questions if post.state is PostState.UNCONFIRMED}
    assert {each.post_id for each in alone.adopted} - unsettled <= set(shared.unconfirmed)
    assert set(alone.unconfirmed) <= set(shared.unconfirmed)
    assert {each.remote_id for each in shared.strays} == {each.remote_id for each in sightings} - owned


@given(cases())
def test_parts_are_adopted_in_the_order_of_their_thread(case):
    questions, sightings, owned, gap = case
    verdict = judge(questions, sightings, owned, reads_the_same, gap)
    found = {each.message_id: each.sighting for each in verdict.adopted}
    for post in questions:
        stands = {part.message_id: found[part.message_id].remote_id for part in post.parts if part.message_id in found}
        stands |= {part.message_id: part.remote_id for part in post.parts if part.done}
        for place, part in enumerate(post.parts):
            if part.message_id in found:
                before = post.parts[0 if part.sought.role == "comment" else place - 1] if place else None
                assert found[part.message_id].parent == (stands[before.message_id] if before else None)


@given(cases())
def test_what_is_due_after_the_last_sending_is_left_alone_unless_a_part_of_it_stands_there(case):
    questions, sightings, owned, gap = case
    verdict = judge(questions, sightings, owned, reads_the_same, gap)
    begun = {each.post_id for each in verdict.adopted}
    by_id = {post.post_id: post for post in questions}
    assert not set(verdict.published) & set(verdict.unconfirmed)
    assert set(verdict.published) <= begun
    for number in set(verdict.unconfirmed) - begun:
        assert gap is not None
        assert by_id[number].due <= gap.end
    if gap is None:
        assert {by_id[number].state for number in begun} <= {PostState.UNCONFIRMED}


@given(cases())
def test_no_post_that_may_have_gone_out_stays_planned(case):
    questions, sightings, owned, gap = case
    verdict = judge(questions, sightings, owned, reads_the_same, gap)
    for post in questions:
        if gap and post.state in (PostState.SCHEDULED, PostState.PUBLISHING) and post.due <= gap.end:
            assert post.post_id in (*verdict.published, *verdict.unconfirmed)
