"""Importing our CSV: all or nothing, every fault told, and a second import that changes nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from support_calendar import NOW, SETTINGS, add, csv_of, make_env, row, send_parts, set_state, table

from cm.calendar import posts
from cm.calendar.exporting import export_posts
from cm.calendar.import_twins import skeleton
from cm.calendar.importing import ImportResult, import_posts
from cm.calendar.sql import MESSAGE, POST, STORY
from cm.checks.folding import folded_text
from cm.env import Env
from cm.errors import UsageError
from cm.model.states import LOCKED, PostState
from cm.model.tables import Action

TIMES = ("08:30", "10:30", "12:30", "17:00", "19:00", "21:00")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def load(env: Env, *rows: dict[str, str], **options: Any) -> ImportResult:
    return import_posts(env, csv_of(rows), filename="posts.csv", **options)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return result.created, result.updated, result.unchanged


def faults(result: ImportResult) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in result.errors]


def everything(env: Env) -> list[list[dict[str, Any]]]:
    return [table(env, which) for which in (POST, MESSAGE, STORY, Action.__table__)]  # type: ignore[attr-defined]


def plan(days: int = 4) -> list[dict[str, str]]:
    """A few days of both channels, with everything a row may hold."""
    rows = []
    for day in range(23, 23 + days):
        for number, time in enumerate(TIMES[:3]):
            common = {"date": f"2026-11-{day}", "time": time, "story": f"story-{number}"}
            rows.append(
                row(**common, ref=f"fb-{day}-{number}", text=f"Bonjour {day} {number}\n---\nSuite", theme="hiver")
            )
            rows.append(
                row(
                    **common,
                    ref=f"x-{day}-{number}",
                    channel="twitter",
                    text=f"Madame {day} {number}",
                    audiences="institutions",
                    kind="event",
                    fields="event_date=2026-12-05|place=Hall",
                    link="https://hopital.example/a",
                    first_comment="Venez !",
                    language="en",
                    campaign="noel",
                )
            )
    return rows


# --- what must be shown, 3 --------------------------------------------------------------------------------------------


def test_a_second_import_creates_and_updates_nothing(env: Env) -> None:
    assert counts(load(env, *plan())) == (24, 0, 0)
    before = everything(env)
    again = load(env, *plan())
    assert counts(again) == (0, 0, 24)
    assert again.as_json()["changes"] == []
    assert everything(env) == before


def test_one_text_and_one_time_are_exactly_two_updates_and_the_diff_names_them(env: Env) -> None:
    load(env, *plan())
    rows = plan()
    rows[0]["text"] = "Bonsoir"
    rows[3]["time"] = "15:15"
    result = load(env, *rows)
    assert counts(result) == (0, 2, 22)
    assert result.as_json()["changes"] == [
        {"ref": "fb-23-0", "id": "p1", "column": "text", "before": "Bonjour 23 0\n---\nSuite", "after": "Bonsoir"},
        {"ref": "x-23-1", "id": "p4", "column": "time", "before": "10:30", "after": "15:15"},
    ]
    changed = posts.show(env, "fb-23-0")
    assert ([message.text for message in changed.messages], changed.rev) == (["Bonsoir"], 2)
    moved = next(found for found in table(env, POST) if found["ref"] == "x-23-1")
    assert moved["scheduled_at"] == moved["wake_at"] == datetime(2026, 11, 23, 14, 15, tzinfo=UTC)
    assert counts(load(env, *rows)) == (0, 0, 24)


def test_one_bad_row_of_many_writes_nothing_and_is_named(env: Env) -> None:
    before = everything(env)
    rows = plan(18 // 3)
    rows[17]["date"] = "2026-11-31"
    result = load(env, *rows)
    assert counts(result) == (0, 0, 0)
    assert result.as_json()["errors"] == [{"row": 19, "column": "date", "message": "2026-11-31 is not in the calendar"}]
    assert everything(env) == before


@pytest.mark.parametrize("state", sorted(LOCKED))
def test_a_published_row_that_differs_is_refused_and_one_that_does_not_is_fine(env: Env, state: PostState) -> None:
    load(env, *plan())
    set_state(env, posts.show(env, "fb-23-0"), state)
    env.clock.set(datetime(2026, 12, 20, tzinfo=UTC))  # type: ignore[attr-defined]
    assert counts(load(env, *plan())) == (0, 0, 24)
    rows = plan()
    rows[0] |= {"text": "autre", "time": "09:15", "theme": ""}
    before = everything(env)
    result = load(env, *rows)
    assert faults(result) == [(2, "time"), (2, "theme"), (2, "text")]
    assert state.value in result.errors[0].message
    assert everything(env) == before


# --- every bad row ----------------------------------------------------------------------------------------------------


def test_every_fault_of_every_row_is_told_with_its_column(env: Env) -> None:
    bad = {
        "channel": ["myspace", ""],
        "kind": ["gossip", ""],
        "audiences": ["aliens|public"],
        "fields": ["place", "place=a|place=b", "Lieu !=a"],
        "date": ["2026-11-31", "11/23/2026", "2026-11-19", ""],
        "time": ["9h60", "25:00"],
        "ref": ["q4", "a\tb", "r" * 81, "p999"],
        "language": ["français"],
        "text": ["", "a\0b"],
        "media": ["none.jpg", "../a.jpg", "a.jpg|a.jpg"],
        "alt": ["un chat"],
        "theme": ["t" * 121],
        "link": ["https://" + "a" * 2001],
    }
    cases = [(column, cell) for column, cells in bad.items() for cell in cells]
    result = load(env, *(row(**{"time": "09:00", column: cell}) for column, cell in cases))
    assert faults(result) == [(number, column) for number, (column, _cell) in enumerate(cases, start=2)]
    assert all(error.message for error in result.errors)
    assert everything(env) == [[], [], [], []]


def test_several_faults_of_one_row_are_all_told(env: Env) -> None:
    result = load(env, row(channel="myspace", kind="gossip", date="x", audiences="aliens"))
    assert sorted(faults(result)) == [(2, "audiences"), (2, "channel"), (2, "date"), (2, "kind")]


def test_a_row_with_too_few_or_too_many_cells_is_told(env: Env) -> None:
    result = import_posts(env, b"channel,kind,text\nfacebook,quiz\nfacebook,quiz,a,b\n", filename="x")
    assert faults(result) == [(2, ""), (3, "")]
    assert "2 cells, the header 3" in result.errors[0].message


def test_a_ref_that_stands_twice_names_the_first_row(env: Env) -> None:
    result = load(env, row(ref="a"), row(ref="b", time="10:00"), row(ref="a", time="11:00"))
    assert faults(result) == [(4, "ref")]
    assert "row 2" in result.errors[0].message


def test_one_post_meant_by_two_rows_is_told(env: Env) -> None:
    add(env, wall="2026-11-23T09:00", ref="a")
    result = load(env, row(ref="a"), row(ref="p1", time="10:00"))
    assert faults(result) == [(3, "ref")]


def test_a_file_that_cannot_be_read_is_one_error(env: Env) -> None:
    result = import_posts(env, b"channel,kind,text\nfacebook,quiz,\x90\n", filename="x")
    assert (result.errors[0].row, result.created, result.read_as) == (2, 0, None)
    assert "position 32" in result.errors[0].message
    broken = import_posts(env, csv_of([row()]) + b'"open', filename="x", partial=True)
    assert (faults(broken), broken.created) == ([(3, "")], 0)
    assert table(env, POST) == []


def test_a_closed_channel_takes_no_new_rows(tmp_path: Path) -> None:
    channels = {**SETTINGS["channels"], "twitter": {**SETTINGS["channels"]["twitter"], "state": "closed"}}
    assert faults(load(make_env(tmp_path, channels=channels), row(channel="twitter"))) == [(2, "channel")]


# --- the bounds of a day ----------------------------------------------------------------------------------------------


@pytest.mark.row("S1")
def test_a_sixth_post_of_a_day_is_an_error_of_its_date_unless_there_is_a_reason(env: Env) -> None:
    rows = [row(ref=f"r-{time}", time=time) for time in TIMES]
    result = load(env, *rows)
    assert faults(result) == [(7, "date")]
    for part in ("2026-11-23", "6 posts", "facebook", "at most 5", "--over"):
        assert part in result.errors[0].message
    assert table(env, POST) == []
    assert counts(load(env, *rows, over="portes ouvertes")) == (6, 0, 0)
    assert [found["over_reason"] for found in table(env, POST)] == [None] * 5 + ["portes ouvertes"]
    assert counts(load(env, *rows)) == (0, 0, 6)
    with pytest.raises(UsageError):
        load(env, *rows, over=" ")


def test_rows_that_leave_a_day_make_room_for_others(env: Env) -> None:
    rows = [row(ref=f"r-{time}", time=time) for time in TIMES[:5]]
    load(env, *rows)
    rows[0]["date"] = "2026-11-24"
    assert counts(load(env, row(ref="new", time="21:00"), *rows)) == (1, 1, 4)


def test_a_row_moved_to_a_full_day_is_an_error(env: Env) -> None:
    rows = [row(ref=f"r-{time}", time=time) for time in TIMES[:5]]
    load(env, *rows, row(ref="other", date="2026-11-24"))
    assert faults(load(env, row(ref="other", time="22:00"))) == [(2, "date")]


# --- partial, dry run -------------------------------------------------------------------------------------------------


def test_partial_keeps_the_good_rows_and_tells_the_bad_ones(env: Env) -> None:
    rows = [row(ref=f"r-{time}", time=time) for time in TIMES]
    result = load(env, row(ref="bad", kind="gossip"), *rows, row(ref="fine", date="2026-11-24"), partial=True)
    assert faults(result) == [(2, "kind"), (8, "date")]
    assert counts(result) == (6, 0, 0)
    assert {found["ref"] for found in table(env, POST)} == {*(f"r-{time}" for time in TIMES[:5]), "fine"}


def test_partial_lets_go_of_a_move_whose_room_was_needed(env: Env) -> None:
    """A post that may not leave its day takes its place there again, so that another row finds none."""
    load(env, *(row(ref=f"a-{time}", time=time) for time in TIMES[:5]))
    load(env, *(row(ref=f"b-{time}", time=time, date="2026-11-24") for time in TIMES[:5]))
    result = load(
        env, row(ref=f"a-{TIMES[0]}", date="2026-11-24", time="22:00"), row(ref="new", time="22:00"), partial=True
    )
    assert faults(result) == [(2, "date"), (3, "date")]
    assert counts(result) == (0, 0, 0)


def test_a_dry_run_tells_what_would_be_and_writes_nothing(env: Env) -> None:
    load(env, row(ref="a"))
    before = everything(env)
    result = load(env, row(ref="a", text="autre"), row(ref="b", time="10:00", story="s"), dry_run=True)
    assert (counts(result), result.as_json()["dry_run"]) == ((1, 1, 0), True)
    assert [change["column"] for change in result.as_json()["changes"]] == ["text"]
    assert everything(env) == before


# --- times ------------------------------------------------------------------------------------------------------------


def test_a_blank_time_means_the_next_open_slot_after_all_given_times(env: Env) -> None:
    result = load(
        env,
        row(ref="any", date="", time=""),
        row(ref="day", time=""),
        row(ref="given", time="08:30"),
    )
    assert counts(result) == (3, 0, 0)
    assert posts.show(env, "any").wall == "2026-11-20T12:30"
    assert posts.show(env, "day").wall == "2026-11-23T10:30"


def test_a_blank_time_keeps_an_existing_posts_time(env: Env) -> None:
    load(env, row(ref="a", time="09:17"))
    assert counts(load(env, row(ref="a", date="", time=""))) == (0, 0, 1)
    assert counts(load(env, row(ref="a", time=""))) == (0, 0, 1)
    assert counts(load(env, row(ref="a", date="2026-11-25", time=""))) == (0, 1, 0)
    assert posts.show(env, "a").wall == "2026-11-25T09:17"


def test_no_free_slot_is_an_error(tmp_path: Path) -> None:
    env = make_env(tmp_path, schedules={})
    assert faults(load(env, row(date="", time=""), row(time=""))) == [(2, "time"), (3, "date")]


def test_a_day_without_room_has_no_slot(env: Env) -> None:
    rows = [row(ref=f"r-{n}", time="") for n in range(6)]
    assert faults(load(env, *rows)) == [(7, "date")]


def test_a_clock_change_is_told_and_a_second_import_sees_no_change(env: Env) -> None:
    result = load(env, row(ref="a", date="2027-03-28", time="02:30"))
    assert "does not exist" in result.as_json()["notes"][0]["message"]
    assert posts.show(env, "a").wall == "2027-03-28T03:30"
    assert counts(load(env, row(ref="a", date="2027-03-28", time="02:30"))) == (0, 0, 1)


@pytest.mark.parametrize("state", [PostState.CANCELLED, PostState.MISSED, PostState.FAILED, PostState.DRAFT])
def test_an_update_keeps_the_state(env: Env, state: PostState) -> None:
    load(env, row(ref="a"))
    set_state(env, posts.show(env, "a"), state, wake_at=None, reason="why")
    assert counts(load(env, row(ref="a", text="autre", date="2026-11-24"))) == (0, 1, 0)
    view = posts.show(env, "a")
    assert (view.state, view.text, view.wall, view.reason) == (state, "autre", "2026-11-24T09:00", "why")
    assert table(env, POST)[0]["wake_at"] is None


def test_a_new_time_on_a_scheduled_post_forgets_what_held_it_back(env: Env) -> None:
    load(env, row(ref="a"))
    set_state(env, posts.show(env, "a"), PostState.SCHEDULED, reason="paused", not_before=NOW, wake_at=None)
    load(env, row(ref="a", time="10:00"))
    found = table(env, POST)[0]
    assert (found["reason"], found["not_before"], found["wake_at"]) == (None, None, found["scheduled_at"])


def test_a_changed_time_may_not_be_past(env: Env) -> None:
    load(env, row(ref="a"))
    assert faults(load(env, row(ref="a", date="2026-11-19"))) == [(2, "date")]


# --- which post a row means -------------------------------------------------------------------------------------------


def test_rows_without_ref_are_matched_by_channel_time_and_order(env: Env) -> None:
    rows = [row(text="un"), row(text="deux"), row(text="trois", channel="twitter"), row(text="quatre", time="10:00")]
    assert counts(load(env, *rows)) == (4, 0, 0)
    assert counts(load(env, *rows)) == (0, 0, 4)
    rows[1]["text"] = "zwei"
    result = load(env, *rows)
    assert [(change["id"], change["after"]) for change in result.as_json()["changes"]] == [("p2", "zwei")]
    assert counts(load(env, *rows, row(text="cinq"))) == (1, 0, 4)


def test_rows_without_ref_leave_posts_that_have_one_alone(env: Env) -> None:
    load(env, row(ref="a", text="mien"))
    assert counts(load(env, row(text="sien"))) == (1, 0, 0)
    assert posts.show(env, "a").text == "mien"


def test_a_file_without_the_column_ref_means_every_post(env: Env) -> None:
    load(env, row(ref="a", text="un"))
    data = b"channel,kind,text,date,time\nfacebook,announcement,deux,2026-11-23,09:00\n"
    assert counts(import_posts(env, data, filename="x")) == (0, 1, 0)
    assert posts.show(env, "a").text == "deux"


def test_rows_without_ref_and_time_are_known_by_their_text(env: Env) -> None:
    rows = [row(text="un", date="", time=""), row(text="deux", date="", time="")]
    assert counts(load(env, *rows)) == (2, 0, 0)
    assert counts(load(env, *rows)) == (0, 0, 2)


def test_an_id_means_its_post_and_no_other(env: Env) -> None:
    load(env, row(text="un"))
    assert counts(load(env, row(ref="p1", text="deux"))) == (0, 1, 0)
    assert posts.show(env, "p1").ref is None


def test_a_post_stays_on_its_channel(env: Env) -> None:
    load(env, row(ref="a"))
    assert faults(load(env, row(ref="a", channel="twitter"))) == [(2, "channel")]


def test_missing_columns_leave_values_alone_and_blank_cells_clear_them(env: Env) -> None:
    load(env, row(ref="a", theme="hiver", link="https://a.example", audiences="families", language="en", story="s"))
    data = b"ref,channel,kind,text\na,facebook,announcement,Bonsoir\n"
    assert counts(import_posts(env, data, filename="x")) == (0, 1, 0)
    view = posts.show(env, "a")
    assert (view.text, view.theme, view.link, view.language) == ("Bonsoir", "hiver", "https://a.example", "en")
    assert (view.wall, view.audiences, view.story) == ("2026-11-23T09:00", ("families",), "s")
    load(env, row(ref="a"))
    view = posts.show(env, "a")
    assert (view.theme, view.link, view.language, view.story) == (None, None, "fr", None)
    assert view.audiences == ("public", "families")


def test_absent_rows_delete_nothing(env: Env) -> None:
    load(env, *plan())
    load(env, plan()[0])
    assert {found["state"] for found in table(env, POST)} == {PostState.SCHEDULED}


def test_a_thread_of_which_a_part_is_out_keeps_that_part(env: Env) -> None:
    load(env, row(ref="a", text="un\n---\ndeux"))
    view = posts.show(env, "a")
    send_parts(env, view, 1)
    set_state(env, view, PostState.FAILED)
    assert faults(load(env, row(ref="a", text="eins\n---\nzwei"))) == [(2, "text")]
    assert counts(load(env, row(ref="a", text="un\n---\nzwei"))) == (0, 1, 0)


# --- what is said besides ---------------------------------------------------------------------------------------------


@pytest.mark.row("S27", "S2", "S3")
def test_findings_name_the_row_and_keep_nothing_from_being_imported(env: Env) -> None:
    result = load(
        env,
        row(ref="event", kind="event", fields="place=Hall"),
        row(ref="lost", time="10:00", text="Pour la presse", audiences="institutions"),
        row(ref="fb", time="11:00", text="Le forum ouvre", first_comment="Venez !"),
        row(ref="x", time="11:00", text="Le FORUM  ouvre", channel="twitter"),
    )
    assert counts(result) == (4, 0, 0)
    found = result.as_json()["findings"]
    assert [(each["row"], each["ref"], each["rule"]) for each in found] == [
        (2, "event", "kind.field_missing"),
        (3, "lost", "audience.not_served"),
        (4, "fb", "text.twin"),
    ]
    assert "x (twitter" in found[2]["reason"]
    assert json.loads(json.dumps(result.as_json())) == result.as_json()


@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from("éÉ½²…①≠’«»q1.,!–—＃#🌳 \u0301\u20e3\ufe0f")))
def test_what_folding_leaves_alone_is_the_same_for_texts_that_read_the_same(text: str) -> None:
    assert skeleton(text) == skeleton(folded_text(text)) == skeleton(text.upper())


def test_texts_of_the_same_digits_and_points_are_told_apart(env: Env) -> None:
    """A quick look takes all three for alike; only the last two are."""
    rows = [row(text="Un."), row(ref="x", text="Été.", channel="twitter"), row(ref="fb", text="ETE.", time="10:00")]
    (found,) = load(env, *rows).as_json()["findings"]
    assert (found["row"], found["rule"]) == (3, "text.twin")
    assert "x (twitter" in found["reason"]
    assert "fb (facebook" in found["reason"]


def test_an_import_is_one_act_without_any_text(env: Env) -> None:
    load(env, *plan())
    load(env, *plan())
    (act,) = table(env, Action.__table__)  # type: ignore[attr-defined]
    assert (act["verb"], act["detail"]["file"], act["detail"]["created"]) == ("calendar.import", "posts.csv", 24)
    assert "Bonjour" not in json.dumps(act["detail"])


def test_example_posts_are_marked(env: Env) -> None:
    load(env, row(ref="a"), example=True)
    load(env, row(ref="b", time="10:00"))
    assert [found["example"] for found in table(env, POST)] == [True, False]


def test_a_large_file_costs_no_statement_per_row(env: Env) -> None:
    def statements(rows: list[dict[str, str]]) -> int:
        seen: list[str] = []
        with env.store.write() as session:
            engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        assert counts(load(env, *rows)) == (len(rows), 0, 0)
        return len(seen)

    def some(days: int, month: int) -> list[dict[str, str]]:
        return [
            row(
                ref=f"{month}-{day}-{time}", date=f"2027-{month:02d}-{day:02d}", time=time, story=f"story-{month}-{day}"
            )
            for day in range(1, days + 1)
            for time in TIMES[:5]
        ]

    few = statements(some(1, 1))
    assert statements(some(28, 2)) == few


def test_what_is_exported_comes_back_unchanged(env: Env) -> None:
    load(env, *plan())
    add(env, "=cmd()\n'+1", wall="2026-11-27T09:00")
    add(env, "Brouillon", draft=True)
    before = everything(env)
    for excel in (False, True):
        result = import_posts(env, export_posts(env, shape="excel" if excel else "csv"), filename="x")
        assert (counts(result), result.errors) == ((0, 0, 26), ())
    assert everything(env) == before
