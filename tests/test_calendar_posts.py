"""Single posts: added, edited, moved, cancelled, listed; and every refusal on the way."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support_calendar import NOW, SETTINGS, add, at, make_env, send_parts, set_state, table
from support_pictures import tiny

from cm.calendar import posts
from cm.calendar.drafting import new_post, post_changes
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST
from cm.clock import parse_week
from cm.env import Env
from cm.errors import CmError, NotFound, Refused, UsageError
from cm.model.states import LOCKED, PostState
from cm.model.tables import Action

FIVE = ("08:30", "10:30", "12:30", "17:00", "19:00")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def actions(env: Env) -> list[tuple[str, str]]:
    return [(row["verb"], row["target"]) for row in table(env, Action.__table__)]  # type: ignore[attr-defined]


def stored(env: Env, view: posts.PostView) -> dict[str, Any]:
    return next(row for row in table(env, POST) if row["id"] == int(view.id[1:]))


# --- add --------------------------------------------------------------------------------------------------------------


def test_a_post_with_a_time_is_scheduled(env: Env) -> None:
    view = add(
        env, "Bonjour\n---\nSuite", ref="hello", story="accueil", wall="2026-12-03T09:00", link="https://a.example"
    )
    shown = view.as_json()
    assert shown["scheduled_at"] == "2026-12-03T09:00:00+01:00"
    assert (shown["id"], shown["ref"], shown["story"], shown["state"]) == ("p1", "hello", "accueil", "scheduled")
    assert shown["audiences"] == ["public", "families"]
    assert shown["language"] == "fr"
    assert [(part["n"], part["text"], part["receipt"]) for part in shown["messages"]] == [
        (1, "Bonjour", None),
        (2, "Suite", None),
    ]
    row = stored(env, view)
    assert row["text"] == "Bonjour\n---\nSuite"
    assert row["wake_at"] == row["scheduled_at"] == datetime(2026, 12, 3, 8, 0, tzinfo=UTC)
    assert (row["wall"], row["zone"], row["day"]) == ("2026-12-03T09:00", "Europe/Paris", date(2026, 12, 3))
    assert actions(env) == [("post.add", "p1")]
    assert json.loads(json.dumps(shown)) == shown


def test_a_post_without_a_time_takes_the_next_open_slot_and_says_so(env: Env) -> None:
    assert [add(env).wall for _ in range(3)] == ["2026-11-20T12:30", "2026-11-20T17:00", "2026-11-20T19:00"]
    view = add(env)
    assert view.wall == "2026-11-21T08:30"
    assert view.notes == ("Next open slot of facebook: 2026-11-21 08:30.",)


def test_a_draft_waits_without_a_time(env: Env) -> None:
    view = add(env, draft=True)
    assert (view.state, view.scheduled_at, view.wall) == (PostState.DRAFT, None, None)
    assert stored(env, view)["wake_at"] is None
    dated = add(env, draft=True, wall="2026-12-03T09:00")
    assert (dated.state, dated.wall, stored(env, dated)["wake_at"]) == (PostState.DRAFT, "2026-12-03T09:00", None)


def test_the_past_is_refused(env: Env) -> None:
    with pytest.raises(Refused, match="2026-11-20 10:59 is past"):
        add(env, wall="2026-11-20T10:59")
    assert table(env, POST) == []


@pytest.mark.parametrize(
    ("wall", "shown", "note"),
    [
        ("2027-03-28T02:30", "2027-03-28T03:30:00+02:00", "02:30 does not exist"),
        ("2027-10-31T02:30", "2027-10-31T02:30:00+02:00", "occurs twice"),
    ],
)
def test_a_clock_change_is_told(env: Env, wall: str, shown: str, note: str) -> None:
    view = add(env, wall=wall)
    assert view.as_json()["scheduled_at"] == shown
    assert note in view.notes[0]


@pytest.mark.row("S1")
def test_a_sixth_post_of_a_day_needs_a_reason_and_then_counts(env: Env) -> None:
    for time in FIVE:
        add(env, wall=f"2026-11-23T{time}")
    with pytest.raises(Refused) as refused:
        add(env, wall="2026-11-23T20:00")
    assert refused.value.exit_code == 4
    for part in ("2026-11-23", "5 posts", "at most 5", "--over"):
        assert part in refused.value.message
    view = add(env, wall="2026-11-23T20:00", over="journée portes ouvertes")
    assert view.over_reason == "journée portes ouvertes"
    with pytest.raises(Refused, match="6 posts"):
        add(env, wall="2026-11-23T21:00")
    add(env, wall="2026-11-23T21:00", draft=True)
    add(env, wall="2026-11-23T21:00", channel="twitter", audiences=("institutions",))


def test_a_reason_is_kept_only_where_it_is_needed(env: Env) -> None:
    assert add(env, wall="2026-11-23T20:00", over="pour rien").over_reason is None
    with pytest.raises(UsageError):
        add(env, wall="2026-11-23T20:00", over="  ")


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"channel": "myspace"}, NotFound, "facebook, twitter"),
        ({"kind": "gossip"}, UsageError, "gossip"),
        ({"kind": ""}, UsageError, "kind"),
        ({"audiences": ("aliens",)}, UsageError, "aliens"),
        ({"text": "a\0b"}, UsageError, "NUL"),
        ({"text": "a\udcff"}, UsageError, "half a character"),
        ({"text": "  \n"}, Refused, "neither text nor a picture"),
        ({"ref": "p12"}, UsageError, "looks like an id"),
        ({"ref": "a\tb"}, UsageError, "control character"),
        ({"ref": "a\u2028b"}, UsageError, "control character"),
        ({"ref": "r" * 81}, UsageError, "80"),
        ({"fields": {"Lieu !": "x"}}, UsageError, "fields"),
        ({"colour": "red"}, UsageError, "colour"),
        ({"wall": datetime(2026, 12, 3, 9, tzinfo=UTC)}, UsageError, "offset"),
        ({"language": "français"}, UsageError, "language"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(
    env: Env, values: dict[str, Any], error: type[CmError], words: str
) -> None:
    with pytest.raises(error) as refused:
        add(env, **values)
    assert words in f"{refused.value.message} {refused.value.hint}"
    assert table(env, POST) == []


def test_a_ref_is_taken_once(env: Env) -> None:
    add(env, ref="hello")
    with pytest.raises(Refused, match="p1"):
        add(env, ref="hello")
    assert len(table(env, POST)) == 1


def test_a_closed_channel_takes_no_post(tmp_path: Path) -> None:
    channels = {**SETTINGS["channels"], "twitter": {**SETTINGS["channels"]["twitter"], "state": "closed"}}
    env = make_env(tmp_path, channels=channels)
    with pytest.raises(Refused, match="closed"):
        add(env, channel="twitter")


@pytest.mark.row("S27")
def test_what_the_rules_say_is_shown_and_does_not_keep_a_post_from_being_planned(env: Env) -> None:
    view = add(env, kind="event", fields={"place": "Hall"})
    assert [finding["rule"] for finding in view.as_json()["findings"]] == ["kind.field_missing"]
    assert view.state == PostState.SCHEDULED


@pytest.mark.row("S3")
def test_the_same_text_for_another_audience_is_found_at_once(env: Env) -> None:
    first = add(env, "Le forum ouvre.", ref="fb")
    assert first.findings == ()
    second = add(env, "Le forum ouvre.", channel="twitter")
    assert [finding.rule for finding in second.findings] == ["text.twin"]
    assert "fb" in second.findings[0].reason
    posts.cancel(env, "fb")
    assert posts.show(env, second.id).findings == ()


def test_occurrences_of_a_story_are_counted_on_and_never_again(env: Env) -> None:
    views = [add(env, story="forum", draft=True) for _ in range(2)]
    views.append(add(env, story="forum", draft=True, channel="twitter"))
    posts.cancel(env, views[1].id)
    views.append(add(env, story="forum", draft=True))
    views += [add(env, draft=True), add(env, draft=True)]
    assert [stored(env, view)["occurrence"] for view in views] == ["1", "2", "1", "3", "1", "1"]


@pytest.mark.parametrize("text", ["[red]x[/red]", "=cmd()", "é" * 60_000, " <b>é</b>\n", "{0}%s$(reboot)"])
def test_hostile_text_is_kept_as_it_is(env: Env, text: str) -> None:
    assert add(env, text).text == text
    assert posts.list_posts(env)[0].as_json()["text"] == text


def test_line_ends_become_one(env: Env) -> None:
    assert add(env, "a\r\nb\rc").text == "a\nb\nc"


# --- media ------------------------------------------------------------------------------------------------------------


def media(env: Env, name: str, data: bytes = tiny()) -> None:
    path = env.root / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_media_go_with_the_first_part(env: Env) -> None:
    media(env, "a.jpg")
    media(env, "2026/b.PNG")
    view = add(env, "un\n---\ndeux", media=("a.jpg", "2026/b.PNG"), alt=("Un chat",))
    assert view.as_json()["media"] == [{"path": "a.jpg", "alt": "Un chat"}, {"path": "2026/b.PNG", "alt": ""}]
    rows = table(env, ATTACHMENT)
    assert [(row["message_id"], row["position"], row["mime"]) for row in rows] == [
        (1, 0, "image/jpeg"),
        (1, 1, "image/png"),
    ]
    assert all(len(row["sha256"]) == 64 for row in rows)


def _outside(env: Env) -> str:
    (env.root / "secret.jpg").write_bytes(b"x")
    return "../secret.jpg"


def _absolute(env: Env) -> str:
    return str(env.root / "media" / "a.jpg")


def _symlink(env: Env) -> str:
    _outside(env)
    (env.root / "media" / "link.jpg").symlink_to(env.root / "secret.jpg")
    return "link.jpg"


def _symlinked_folder(env: Env) -> str:
    _outside(env)
    (env.root / "media" / "up").symlink_to(env.root)
    return "up/secret.jpg"


def _absent(_env: Env) -> str:
    return "none.jpg"


def _other_kind(env: Env) -> str:
    media(env, "a.exe")
    return "a.exe"


@pytest.mark.parametrize("make", [_outside, _absolute, _symlink, _symlinked_folder, _absent, _other_kind])
def test_only_files_below_media_are_taken(env: Env, make: Callable[[Env], str]) -> None:
    media(env, "a.jpg")
    with pytest.raises(Refused, match="media"):
        add(env, media=(make(env),))


def test_more_alternatives_than_files_are_refused(env: Env) -> None:
    media(env, "a.jpg")
    with pytest.raises(Refused, match="2 text alternatives for 1"):
        add(env, media=("a.jpg",), alt=("un", "deux"))


# --- edit -------------------------------------------------------------------------------------------------------------


def test_an_edit_changes_what_is_given_and_keeps_the_rest(env: Env) -> None:
    view = add(env, "un\n---\ndeux", wall="2026-12-03T09:00", theme="hiver", kind="quiz", fields={"answer": "A"})
    before = stored(env, view)
    edited = posts.edit(env, view.id, post_changes(text="un\n---\nzwei\n---\ndrei", fields={"hint": "B"}, theme=""))
    assert [message.text for message in edited.messages] == ["un", "zwei", "drei"]
    assert (edited.fields, edited.theme, edited.wall) == ({"answer": "A", "hint": "B"}, None, view.wall)
    after = stored(env, view)
    assert after["rev"] == 2
    assert after["content_hash"] != before["content_hash"]
    assert [row["id"] for row in table(env, MESSAGE)] == [1, 2, 3]
    shorter = posts.edit(env, view.id, post_changes(text="un"))
    assert [message.text for message in shorter.messages] == ["un"]
    assert actions(env) == [("post.add", "p1"), ("post.edit", "p1"), ("post.edit", "p1")]


def test_an_edit_that_changes_nothing_writes_nothing(env: Env) -> None:
    view = add(env, "un")
    assert posts.edit(env, view.id, post_changes(text="un")).rev == 1
    assert len(actions(env)) == 1


def test_an_edit_wakes_the_post_but_keeps_its_back_off(env: Env) -> None:
    view = add(env, wall="2026-12-03T09:00")
    later = datetime(2026, 12, 3, 8, 15, tzinfo=UTC)
    set_state(env, view, PostState.SCHEDULED, not_before=later, wake_at=later + timedelta(hours=1), reason="empty")
    posts.edit(env, view.id, post_changes(text="mieux"))
    row = stored(env, view)
    assert (row["wake_at"], row["not_before"], row["reason"]) == (later, later, None)


def test_an_edit_may_change_pictures_or_only_what_is_said_of_them(env: Env) -> None:
    media(env, "a.jpg")
    media(env, "b.jpg", tiny(1))
    view = add(env, media=("a.jpg",), alt=("Un chat",))
    assert posts.edit(env, view.id, post_changes(alt=("Deux chats",))).media[0].alt == "Deux chats"
    edited = posts.edit(env, view.id, post_changes(media=("b.jpg", "a.jpg")))
    assert [(medium.path, medium.alt) for medium in edited.media] == [("b.jpg", ""), ("a.jpg", "Deux chats")]
    assert posts.edit(env, view.id, post_changes(media=())).media == ()
    assert table(env, ATTACHMENT) == []


def test_of_a_thread_that_failed_only_what_is_not_out_may_change(env: Env) -> None:
    view = add(env, "un\n---\ndeux\n---\ntrois", wall="2026-12-03T09:00")
    send_parts(env, view, 1)
    set_state(env, view, PostState.FAILED, reason="too long", wake_at=None)
    with pytest.raises(Refused, match="part 1 is out"):
        posts.edit(env, view.id, post_changes(text="eins\n---\ndeux\n---\ntrois"))
    with pytest.raises(Refused, match="part 2 was sent or tried"):
        posts.edit(env, view.id, post_changes(text="un"))
    edited = posts.edit(env, view.id, post_changes(text="un\n---\nkurz"))
    assert [message.text for message in edited.messages] == ["un", "kurz"]
    assert edited.messages[0].receipt is not None
    assert (edited.state, edited.reason) == (PostState.FAILED, "too long")
    assert [row["id"] for row in table(env, MESSAGE)] == [1, 2]
    moved = posts.move(env, view.id, at("2026-12-04T09:00"))
    assert (moved.state, moved.reason) == (PostState.SCHEDULED, None)


def test_a_tried_message_keeps_its_row_and_forgets_its_uploads(env: Env) -> None:
    view = add(env, "un", wall="2026-12-03T09:00")
    send_parts(env, view, 0)
    with env.store.write() as session:
        session.execute(sa.update(MESSAGE).values(saved={"upload": 7}))
    posts.edit(env, view.id, post_changes(text="deux"))
    (row,) = table(env, MESSAGE)
    assert (row["id"], row["text"], row["saved"]) == (1, "deux", None)


# --- move -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PostState.DRAFT, PostState.SCHEDULED, PostState.FAILED, PostState.MISSED])
def test_a_move_schedules_and_forgets_what_held_it_back(env: Env, state: PostState) -> None:
    view = add(env, wall="2026-12-03T09:00")
    set_state(env, view, state, reason="held", not_before=NOW + timedelta(days=30), wake_at=None)
    moved = posts.move(env, view.id, at("2026-12-04T10:00"))
    row = stored(env, view)
    assert (moved.state, moved.wall, moved.rev) == (PostState.SCHEDULED, "2026-12-04T10:00", 2)
    assert (row["reason"], row["not_before"], row["wake_at"]) == (None, None, row["scheduled_at"])
    assert row["day"] == date(2026, 12, 4)
    assert actions(env)[-1] == ("post.move", "p1")


def test_a_move_without_a_time_takes_another_slot(env: Env) -> None:
    view = add(env)
    moved = posts.move(env, view.id, None)
    assert (view.wall, moved.wall) == ("2026-11-20T12:30", "2026-11-20T17:00")
    assert "17:00" in moved.notes[0]


def test_a_move_meets_the_bounds_of_the_day(env: Env) -> None:
    views = [add(env, wall=f"2026-11-23T{time}") for time in FIVE]
    other = add(env, wall="2026-11-24T09:00")
    with pytest.raises(Refused, match="2026-11-23 already has 5"):
        posts.move(env, other.id, at("2026-11-23T20:00"))
    with pytest.raises(Refused, match="past"):
        posts.move(env, other.id, at("2026-11-19T20:00"))
    assert posts.show(env, other.id).wall == "2026-11-24T09:00"
    assert posts.move(env, views[0].id, at("2026-11-23T20:00")).wall == "2026-11-23T20:00"
    assert posts.move(env, other.id, at("2026-11-23T21:00"), over="fête").over_reason == "fête"
    assert posts.move(env, other.id, at("2026-11-23T21:30")).over_reason == "fête"
    assert posts.move(env, other.id, at("2026-11-24T21:00")).over_reason is None


# --- cancel, and states that refuse -----------------------------------------------------------------------------------


def test_a_cancelled_post_is_kept_and_gives_its_room_back(env: Env) -> None:
    view = add(env, wall="2026-12-03T09:00")
    cancelled = posts.cancel(env, view.id, "le forum est reporté")
    assert (cancelled.state, cancelled.reason) == (PostState.CANCELLED, "le forum est reporté")
    assert stored(env, view)["wake_at"] is None
    with pytest.raises(Refused, match="already"):
        posts.cancel(env, view.id)
    back = posts.move(env, view.id, at("2026-12-04T09:00"))
    assert (back.state, back.reason) == (PostState.SCHEDULED, None)


@pytest.mark.parametrize("state", sorted(LOCKED))
@pytest.mark.parametrize(
    "act",
    [
        lambda env, ident: posts.edit(env, ident, post_changes(text="autre")),
        lambda env, ident: posts.move(env, ident, at("2026-12-04T09:00")),
        lambda env, ident: posts.cancel(env, ident),
    ],
    ids=["edit", "move", "cancel"],
)
def test_what_has_left_or_may_have_is_not_touched(
    env: Env, state: PostState, act: Callable[[Env, str], posts.PostView]
) -> None:
    view = add(env, wall="2026-12-03T09:00")
    set_state(env, view, state)
    before = table(env, POST), table(env, MESSAGE), actions(env)
    with pytest.raises(Refused, match=f"p1 is {state.value}"):
        act(env, view.id)
    assert (table(env, POST), table(env, MESSAGE), actions(env)) == before


# --- show and list ----------------------------------------------------------------------------------------------------


def test_posts_are_found_by_id_and_by_ref(env: Env) -> None:
    view = add(env, ref="hello")
    assert posts.show(env, "p1") == posts.show(env, " hello ") == posts.show(env, "P1")
    assert posts.show(env, "p1").id == view.id


@pytest.mark.parametrize("ident", ["p2", "nobody", f"p{10**30}", "", "a\udcff", "i1"])
def test_what_is_not_there_is_said(env: Env, ident: str) -> None:
    add(env)
    with pytest.raises(NotFound) as missing:
        posts.show(env, ident)
    assert missing.value.exit_code == 5
    assert missing.value.hint


@pytest.mark.row("S2")
def test_lists_are_filtered(env: Env) -> None:
    a = add(env, wall="2026-11-23T09:00", story="forum", audiences=("families",)).id
    b = add(env, wall="2026-11-29T23:59", channel="twitter", kind="quiz", story="forum").id
    c = add(env, wall="2026-11-30T00:00").id
    d = add(env, draft=True).id

    def ids(**filters: Any) -> list[str]:
        return [view.id for view in posts.list_posts(env, **filters)]

    assert ids() == [a, b, c, d]
    assert ids(audience="families") == [a, c, d]
    assert ids(audience="institutions") == [b]
    assert ids(audience="staff") == []
    assert ids(channel="facebook") == [a, c, d]
    assert ids(state="draft") == [d]
    assert ids(kind="quiz") == [b]
    assert ids(story="forum") == [a, b]
    assert ids(week=parse_week("2026-W48")) == [a, b]
    assert ids(start=date(2026, 11, 29), end=date(2026, 11, 30)) == [b, c]


@pytest.mark.parametrize(
    ("filters", "error"),
    [
        ({"channel": "myspace"}, NotFound),
        ({"audience": "aliens"}, UsageError),
        ({"state": "asleep"}, UsageError),
        ({"kind": "gossip"}, UsageError),
    ],
)
def test_a_filter_that_cannot_match_is_refused(env: Env, filters: dict[str, str], error: type[CmError]) -> None:
    with pytest.raises(error):
        posts.list_posts(env, **filters)  # type: ignore[arg-type]


def test_a_long_list_costs_no_more_statements_than_a_short_one(env: Env) -> None:
    def statements() -> int:
        seen = []
        with env.store.read() as session:
            engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        posts.list_posts(env)
        return len(seen)

    add(env, wall="2026-11-23T09:00", story="a")
    few = statements()
    for day in range(24, 31):
        add(env, wall=f"2026-11-{day}T09:00", story=f"s{day}", channel="twitter")
    assert statements() == few


def test_receipts_are_shown_with_the_messages(env: Env) -> None:
    view = add(env, "un\n---\ndeux")
    send_parts(env, view, 1)
    first, second = posts.show(env, view.id).as_json()["messages"]
    assert first["receipt"] == {
        "remote_id": "r1",
        "permalink": "https://x.example/1",
        "published_at": "2026-11-20T11:00:00+01:00",
        "gone_at": None,
    }
    assert second["receipt"] is None


def test_a_new_post_is_immutable_and_closed() -> None:
    new = new_post(channel="facebook", kind="quiz", text="x")
    with pytest.raises(ValueError, match="frozen"):
        new.text = "y"  # type: ignore[misc]
