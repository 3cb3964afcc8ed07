"""The calendar through files as spreadsheets write them: no change, or every loss named."""

import csv
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from support_calendar import add, csv_of, make_env, row, set_state, table
from support_pictures import tiny

from cm.calendar import posts, undo
from cm.calendar.badfile import BadFile
from cm.calendar.cells import DAY_FIRST
from cm.calendar.drafting import post_changes
from cm.calendar.exporting import export_posts
from cm.calendar.importing import ImportResult, import_posts
from cm.calendar.losses import damage, garbled, lost, mangled
from cm.calendar.sheetfile import open_sheet
from cm.calendar.sql import ATTACHMENT, CHANGED_POST, MESSAGE, POST
from cm.calendar.xlsxfile import LARGEST, MOST_COLUMNS
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.model.states import PostState
from cm.people import Actor

EXAMPLE_POSTS = 110
AT = ("--now", "2026-11-20T12:00")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_env(tmp_path)


def load(env: Env, data: bytes, **options: Any) -> ImportResult:
    return import_posts(env, data, filename="posts.csv", **options)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return result.created, result.updated, result.unchanged


def faults(result: ImportResult) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in result.errors]


def workbook(*rows: list[object], **formats: str) -> bytes:
    """A workbook as a person saves it; `formats`: cell → number format."""
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    for name, form in formats.items():
        book.active[name].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEAD = ["ref", "channel", "date", "time", "kind", "text"]

# --- what must be shown, 2 --------------------------------------------------------------------------------------------


SHAPES = {
    "utf-8": ([], "utf-8", ","),
    "utf-8 with mark": (["--format", "excel"], "utf-8-sig", ";"),
    "utf-16 tab": (["--format", "utf16"], "utf-16-le", "\t"),
    "French dates": (["--excel", "--dates", "fr"], "utf-8-sig", ";"),
    "xlsx": (["--format", "xlsx"], "xlsx", None),
    "xlsx, French dates": (["--format", "xlsx", "--dates", "fr"], "xlsx", None),
}


@pytest.mark.row("S18")
@pytest.mark.parametrize("name", SHAPES)
def test_the_example_comes_back_unchanged(
    name: str, example: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path
) -> None:
    options, encoding, delimiter = SHAPES[name]
    file = tmp_path / "posts.file"
    assert run(*AT, "calendar", "export", str(file), *options, cwd=example).code == 0
    result = run_json(*AT, "calendar", "import", str(file), cwd=example)
    assert (result["created"], result["updated"], result["unchanged"]) == (0, 0, EXAMPLE_POSTS)
    assert (result["errors"], result["changes"]) == ([], [])
    assert (result["read_as"]["encoding"], result["read_as"]["delimiter"]) == (encoding, delimiter)
    assert result["read_as"]["dates"] == ("DD/MM/YYYY" if "fr" in options else "YYYY-MM-DD")


@pytest.mark.row("S18")
def test_windows_1252_refuses_the_posts_it_cannot_hold_and_keeps_the_others(
    example: Path, run: Run, run_json: Callable[..., Any], run_err: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "posts.csv"
    error = run_err(4, *AT, "calendar", "export", str(file), "--format", "cp1252", cwd=example)
    lossy = {post["ref"] for post in error["posts"]}
    assert not file.exists()
    assert "fb-d00-a" in lossy
    run(*AT, "calendar", "export", str(file), "--excel", cwd=example)
    rows = file.read_text(encoding="utf-8-sig")
    file.write_bytes(rows.encode("cp1252", "replace"))
    result = run(*AT, "calendar", "import", str(file), "--json", cwd=example)
    assert (result.code, result.json["updated"], result.json["created"]) == (4, 0, 0)
    assert result.json["unchanged"] == EXAMPLE_POSTS - len(lossy)
    assert result.json["read_as"]["encoding"] == "windows-1252"
    refused = {error["row"] for error in result.json["errors"]}
    assert len(refused) == len(lossy)
    assert all("has lost characters" in error["message"] for error in result.json["errors"])


@pytest.mark.row("S18")
def test_windows_1252_with_french_dates_and_times_comes_back_unchanged(env: Env) -> None:
    add(env, "« L’œuvre » – à 12 €… ça ira", ref="a", wall="2026-11-23T09:00", theme="été", fields={"place": "Forêt"})
    data = export_posts(env, shape="cp1252", dates=DAY_FIRST)
    assert "23/11/2026;09:00" in data.decode("cp1252")
    for written in (data, data.replace(b"09:00", b"9h"), data.replace(b"09:00", b"09:00:00")):
        result = load(env, written)
        assert (counts(result), result.errors) == ((0, 0, 1), ())
        assert result.read_as == {
            "encoding": "windows-1252",
            "delimiter": ";",
            "dates": "DD/MM/YYYY",
            "sheet": None,
            "ignored": [],
        }


def test_how_a_file_was_read_is_said_on_standard_error(example: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    run(*AT, "calendar", "export", str(file), "--excel", "--dates", "fr", cwd=example)
    done = run(*AT, "calendar", "import", str(file), cwd=example)
    assert "Read as utf-8-sig, separator semicolon, dates DD/MM/YYYY." in done.err
    assert done.out == ""


# --- characters lost on the way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoilt",
    [
        "Entr?e libre ? partir de 9 h",
        "Entr�e libre à partir de 9 h",
        "EntrÃ©e libre Ã\xa0 partir de 9 h",
    ],
)
def test_a_change_that_is_only_a_loss_is_refused(env: Env, spoilt: str) -> None:
    text = "Entrée libre à partir de 9 h"
    load(env, csv_of([row(ref="a", text=text), row(ref="b", time="10:00")]))
    result = load(env, csv_of([row(ref="a", text=spoilt), row(ref="b", time="10:00", text="Bonsoir")]))
    assert faults(result) == [(2, "text")]
    assert "CSV UTF-8 or .xlsx" in result.errors[0].message
    assert posts.show(env, "a").text == text


def test_a_question_mark_that_a_person_writes_is_an_edit(env: Env) -> None:
    load(env, csv_of([row(ref="a", text="Venez à 9 h !"), row(ref="b", text="Venez", time="10:00")]))
    result = load(env, csv_of([row(ref="a", text="Venez à 9 h ?"), row(ref="b", text="Venez ?", time="10:00")]))
    assert counts(result) == (0, 2, 0)


@pytest.mark.parametrize(
    ("column", "cell"), [("text", "é�"), ("text", "l’Ã©té"), ("theme", "Ã©té"), ("fields", "place=Ã‰")]
)
def test_new_posts_with_lost_or_garbled_characters_are_refused(env: Env, column: str, cell: str) -> None:
    assert faults(load(env, csv_of([row(**{column: cell})]))) == [(2, column)]


def test_a_garbled_post_that_is_kept_already_may_stay(env: Env) -> None:
    add(env, "DÃ©jÃ\xa0 lÃ\xa0", ref="a", wall="2026-11-23T09:00")
    assert counts(load(env, export_posts(env))) == (0, 0, 1)


frenchy = st.text(st.sampled_from("éèàùçœÉÀ’“”«»…–€🌳💉 aeiou,.!\n"), max_size=40)


@settings(deadline=None)
@given(frenchy)
def test_honest_french_is_not_garbled_and_its_utf8_read_as_1252_is(text: str) -> None:
    assert garbled(text) is None
    try:
        shown = text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return
    assert (garbled(shown) is None) == text.isascii()


@settings(deadline=None)
@given(frenchy, st.sampled_from(["ascii", "cp1252", "latin-1"]))
def test_what_an_encoding_replaces_is_a_loss(text: str, encoding: str) -> None:
    written = text.encode(encoding, "replace").decode(encoding)
    assert (lost(text, written) is None) == (written == text)
    assert lost(text, text) is None


@pytest.mark.parametrize(
    "text", ["« CAFÉ »", "CAFÉ » et «", "Âge", "À l’âge de 3 ans", "Ärzte", "ïle", "Ça va ?", "ÉÀ"]
)
def test_capitals_with_accents_are_honest(text: str) -> None:
    assert damage(text) is None


# --- refs that a spreadsheet spoils -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ref", ["1,23E+05", "1.23E+11", "2E+05", "05-déc", "5-Dec", "déc-26", "05/12", "05/12/2026", "12-mai"]
)
def test_refs_taken_for_numbers_or_days_are_refused(env: Env, ref: str) -> None:
    result = load(env, csv_of([row(ref=ref)]))
    assert faults(result) == [(2, "ref")]
    assert "spreadsheet" in result.errors[0].message


@pytest.mark.parametrize("ref", ["fb-d00-a", "2026-12-05-a", "noel", "mars", "e+5", "12e", "mardi-12", "v1.2"])
def test_other_refs_are_not(ref: str) -> None:
    assert mangled(ref) is None


def test_a_ref_that_lost_its_zeros_is_refused(env: Env) -> None:
    add(env, ref="0012")
    add(env, ref="7")
    result = load(env, csv_of([row(ref="12"), row(ref="13", time="10:00"), row(ref="7", time="11:00")]))
    assert faults(result) == [(2, "ref")]
    assert "'0012'" in result.errors[0].message


def test_a_ref_that_looks_like_a_day_may_be_kept(env: Env) -> None:
    add(env, ref="mars-12", wall="2026-11-23T09:00")
    assert counts(load(env, export_posts(env))) == (0, 0, 1)


@pytest.mark.parametrize("ref", ["", "b–1", "autre"])
def test_a_row_that_lost_its_ref_makes_no_copy(env: Env, ref: str) -> None:
    add(env, "Bonjour", ref="b-1", wall="2026-11-23T09:00")
    spoilt = row(ref=ref, text="Bonjour", rev="1")
    assert faults(load(env, csv_of([spoilt]))) == [(2, "ref")]
    assert counts(load(env, csv_of([{**spoilt, "ref": "b-1"}]))) == (0, 0, 1)
    assert counts(load(env, csv_of([{**spoilt, "ref": ref, "rev": ""}]))) == (1, 0, 0), "a copy that is meant"


# --- revisions --------------------------------------------------------------------------------------------------------


def test_a_row_older_than_its_post_is_a_conflict_that_names_the_hour(example: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    run(*AT, "calendar", "export", str(file), cwd=example)
    assert run(*AT, "post", "edit", "fb-d00-a", "--theme", "autre", cwd=example).code == 0
    done = run(*AT, "calendar", "import", str(file), "--json", cwd=example)
    (error,) = done.json["errors"]
    assert (done.code, error["column"], done.json["updated"]) == (4, "rev", 0)
    assert "2026-11-20 12:00" in error["message"]
    assert "export it again" in error["message"]


def test_a_row_that_says_the_same_is_no_conflict_and_a_blank_revision_says_nothing(env: Env) -> None:
    load(env, csv_of([row(ref="a")]))
    posts.edit(env, "a", post_changes(text="autre"))
    assert counts(load(env, csv_of([row(ref="a", text="autre", rev="1")]))) == (0, 0, 1)
    assert faults(load(env, csv_of([row(ref="a", text="encore", rev="1")]))) == [(2, "rev")]
    assert counts(load(env, csv_of([row(ref="a", text="encore", rev="2")]))) == (0, 1, 0)
    assert counts(load(env, csv_of([row(ref="a", text="enfin")]))) == (0, 1, 0)


def test_a_file_that_is_worked_on_may_be_imported_again_and_again(env: Env) -> None:
    load(env, csv_of([row(ref="a")]))
    for text in ("un", "deux", "trois"):
        assert counts(load(env, csv_of([row(ref="a", text=text, rev="1")]))) == (0, 1, 0)
    posts.edit(env, "a", post_changes(theme="hiver"))
    assert faults(load(env, csv_of([row(ref="a", text="quatre", rev="1")]))) == [(2, "rev")]


def test_a_conflict_names_who_changed_the_post(example: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    run(*AT, "calendar", "export", str(file), cwd=example)
    run(*AT, "--as", "bastien", "post", "edit", "fb-d00-a", "--theme", "autre", cwd=example)
    assert (
        "p1 was changed by bastien on 2026-11-20"
        in run(*AT, "calendar", "import", str(file), "--json", cwd=example).json["errors"][0]["message"]
    )


def test_what_a_colleague_took_back_is_not_overwritten_by_an_older_file(env: Env) -> None:
    bob = replace(env, actor=Actor("bob", "Bob", "bob"))
    load(env, csv_of([row(ref="a")]))
    load(env, csv_of([row(ref="a", text="deux", rev="1")]))
    posts.edit(bob, "a", post_changes(text="de Bob"))
    exported = export_posts(env)
    undo.undo(bob)
    result = load(env, exported)
    assert (counts(result), faults(result)) == ((0, 0, 0), [(2, "rev")])
    assert posts.show(env, "a").text == "deux"
    assert "camille" not in result.errors[0].message


def test_a_file_may_be_corrected_after_its_import_was_taken_back(env: Env) -> None:
    load(env, csv_of([row(ref="a", text="zéro")]))
    for text in ("un", "deux"):
        assert counts(load(env, csv_of([row(ref="a", text=text, rev="1")]))) == (0, 1, 0)
        undo.undo(env)
    assert posts.show(env, "a").text == "zéro"
    assert "deux" not in str(table(env, CHANGED_POST))
    assert counts(load(env, csv_of([row(ref="a", text="trois", rev="1")]))) == (0, 1, 0)
    posts.edit(replace(env, actor=Actor("bob", "Bob", "bob")), "a", post_changes(theme="hiver"))
    assert faults(load(env, csv_of([row(ref="a", text="quatre", rev="1")]))) == [(2, "rev")]


def test_what_an_undone_import_left_is_not_mistaken_for_a_later_undo_of_an_edit(env: Env) -> None:
    load(env, csv_of([row(ref="a", text="zéro")]))
    load(env, csv_of([row(ref="a", text="un", rev="1")]))
    undo.undo(env)
    posts.edit(env, "a", post_changes(text="à la main"))
    undo.undo(env)
    assert faults(load(env, csv_of([row(ref="a", text="deux", rev="1")]))) == [(2, "rev")]


def test_a_row_newer_than_its_post_is_from_another_calendar(env: Env) -> None:
    load(env, csv_of([row(ref="a")]))
    (error,) = load(env, csv_of([row(ref="a", text="autre", rev="7")])).errors
    assert (error.column, posts.show(env, "a").text) == ("rev", "Bonjour")
    assert "p1 stands at revision 1, and the row was made from revision 7" in error.message


@pytest.mark.parametrize("rev", ["x", "-1", "1,0", "1" * 12])
def test_a_revision_is_a_number(env: Env, rev: str) -> None:
    assert faults(load(env, csv_of([row(ref="a", rev=rev)]))) == [(2, "rev")]


def test_what_a_change_costs_is_said(env: Env) -> None:
    rows = [row(ref=f"r-{hour}", time=f"{hour}:00") for hour in (10, 11, 12, 13, 14, 15)]
    load(env, csv_of(rows), over="portes ouvertes")
    rows[5]["date"] = "2026-11-24"
    (cost,) = load(env, csv_of(rows)).as_json()["costs"]
    assert (cost["row"], cost["ref"]) == (7, "r-15")
    assert "portes ouvertes" in cost["message"]
    rows[4]["text"] = "autre"
    assert load(env, csv_of(rows)).costs == ()


@pytest.mark.parametrize(
    "state", [PostState.DRAFT, PostState.FAILED, PostState.MISSED, PostState.CANCELLED], ids=lambda state: state.value
)
def test_a_new_time_for_what_is_not_planned_says_how_to_plan_it(env: Env, state: PostState) -> None:
    load(env, csv_of([row(ref="a")]))
    set_state(env, posts.show(env, "a"), state, wake_at=None)
    result = load(env, csv_of([row(ref="a", date="2026-11-25")]))
    (cost,) = result.costs
    assert (result.updated, posts.show(env, "a").state) == (1, state)
    assert (cost["row"], cost["message"].partition(";")[2]) == (2, " to plan it: cm move p1 --at 2026-11-25T09:00")
    assert load(env, csv_of([row(ref="a", date="2026-11-25", text="autre")])).costs == ()


def test_a_cancelled_post_that_is_named_is_exported(env: Env) -> None:
    load(env, csv_of([row(ref="a"), row(ref="b", time="10:00")]))
    posts.cancel(env, "a")
    for token in ("a", "ref:a", "id:1"):
        assert b"\na," in export_posts(env, tokens=[token])


# --- steps, doubled refs ----------------------------------------------------------------------------------------------


def test_a_ref_that_stands_twice_refuses_the_later_row_also_if_the_first_is_bad(env: Env) -> None:
    rows = [row(ref="a", kind="gossip"), row(ref="a", time="10:00"), row(ref="b", time="11:00")]
    result = load(env, csv_of(rows), partial=True)
    assert faults(result) == [(2, "kind"), (3, "ref")]
    assert counts(result) == (1, 0, 0)


# --- media ------------------------------------------------------------------------------------------------------------


def test_blanks_around_a_path_are_its_own_only_if_there_is_such_a_file(env: Env) -> None:
    (env.root / "media").mkdir()
    for name in (" a.jpg", "b.jpg"):
        (env.root / "media" / name).write_bytes(tiny())
    add(env, media=(" a.jpg",), ref="a", wall="2026-11-23T09:00")
    assert counts(load(env, export_posts(env))) == (0, 0, 1)
    assert counts(load(env, csv_of([row(ref="b", media=" a.jpg| b.jpg ", time="10:00")]))) == (1, 0, 0)
    assert [found["path"] for found in table(env, ATTACHMENT)] == [" a.jpg", " a.jpg", "b.jpg"]


# --- workbooks --------------------------------------------------------------------------------------------------------


def test_real_dates_times_and_numbers_of_a_workbook_are_read_as_typed(env: Env) -> None:
    data = workbook(
        [*HEAD, None],
        ["a", "facebook", datetime(2026, 11, 23), time(9, 5), "announcement", "Un\r\nDeux"],  # noqa: DTZ001
        [12, "Facebook", date(2026, 11, 24), 0.375, "announcement", 2026, None],
        ["c", "facebook", "25/11/2026", timedelta(hours=9), "announcement", True],
        D3="hh:mm",
    )
    result = load(env, data)
    assert (counts(result), result.errors) == ((3, 0, 0), ())
    assert result.read_as is not None
    assert (result.read_as["encoding"], result.read_as["sheet"]) == ("xlsx", "Sheet")
    walls = {found["ref"]: (found["wall"], found["text"]) for found in table(env, POST)}
    assert walls == {
        "a": ("2026-11-23T09:05", "Un\nDeux"),
        "12": ("2026-11-24T09:00", "2026"),
        "c": ("2026-11-25T09:00", "TRUE"),
    }


def test_a_formula_is_refused_with_its_row_and_never_reckoned(env: Env) -> None:
    data = workbook(HEAD, ["a", "facebook", "2026-11-23", "09:00", "announcement", '="Bon"&"jour"'])
    result = load(env, data)
    assert faults(result) == [(2, "text")]
    assert "formula" in result.errors[0].message


def test_a_formula_in_a_column_that_is_left_out_does_not_matter(env: Env) -> None:
    data = workbook([*HEAD, "Total"], ["a", "facebook", "2026-11-23", "09:00", "announcement", "Bonjour", "=1+1"])
    from cm.calendar.foreign import Reading

    result = load(env, data, reading=Reading(ignored=("total",)))
    assert (counts(result), result.errors) == ((1, 0, 0), ())


def test_a_sheet_is_taken_by_its_name_and_the_first_one_otherwise(example: Path, run: Run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Lisez-moi"
    book.active.append(["Bonjour"])
    sheet = book.create_sheet("Décembre")
    sheet.append(HEAD)
    sheet.append(["a", "facebook", "2026-12-12", "09:00", "announcement", "Bonjour"])
    file = tmp_path / "plan.xlsx"
    book.save(file)
    assert run(*AT, "calendar", "import", str(file), "--json", cwd=example).code == 4
    done = run(*AT, "calendar", "import", str(file), "--sheet", "Décembre", "--json", cwd=example)
    assert (done.code, done.json["created"]) == (0, 1)
    done = run(*AT, "calendar", "import", str(file), "--sheet", "Mai", "--json", cwd=example)
    assert "Lisez-moi, Décembre" in done.json["errors"][0]["message"]


def test_every_cell_of_an_exported_workbook_is_text(env: Env) -> None:
    for text in ("=1+1", "@mairie", "'=x", "-5", "+33 1"):
        add(env, text, ref=text if text == "-5" else None)
    before = [table(env, which) for which in (POST, MESSAGE)]
    data = export_posts(env, shape="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet.freeze_panes == "A2"
    assert {cell.data_type for cells in sheet.iter_rows() for cell in cells} <= {"s", "inlineStr", "n"}
    assert {"=1+1", "@mairie", "''=x", "-5", "+33 1"} <= {cell.value for cell in sheet["L"]}
    assert counts(load(env, data)) == (0, 0, 5)
    assert [table(env, which) for which in (POST, MESSAGE)] == before


def test_a_workbook_made_from_our_csv_comes_back_unchanged(env: Env) -> None:
    add(env, "=1+1")
    add(env, "'@x")
    cells = list(csv.reader(io.StringIO(export_posts(env).decode(), newline="")))
    assert counts(load(env, workbook(*(list(map(str, found)) for found in cells)))) == (0, 0, 2)


def test_a_workbook_refuses_what_it_cannot_hold(env: Env) -> None:
    add(env, "a" * 32_768, ref="long")
    with pytest.raises(Refused, match=r"long \(text: 32768 characters"):
        export_posts(env, shape="xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/sharedStrings.xml", "w") as part:
            for _ in range((LARGEST >> 20) + 1):
                part.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1 << 20
    with pytest.raises(BadFile, match="unpacks to"):
        open_sheet(out.getvalue())


@pytest.mark.parametrize(
    ("names", "words"),
    [(["mimetype", "content.xml"], "ods"), (["readme.txt"], "no spreadsheet"), (["xl/workbook.xml"], "cannot be read")],
)
def test_other_archives_are_refused_with_what_to_do(names: list[str], words: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    with pytest.raises(BadFile, match=words) as caught:
        open_sheet(out.getvalue())
    assert ".xlsx" in caught.value.message


def test_a_sheet_with_a_stray_cell_far_right_is_refused() -> None:
    with pytest.raises(BadFile, match=f"more than {MOST_COLUMNS} cells"):
        open_sheet(workbook(["a"] * (MOST_COLUMNS + 1)))


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_format_follows_the_files_ending(example: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "posts.XLSX"
    assert run("calendar", "export", str(file), cwd=example).code == 0
    assert file.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    "options",
    [
        ["--format", "pdf"],
        ["--excel", "--format", "csv"],
        ["--dates", "us"],
        ["--month-first"],
        ["--day-first", "--month-first"],
        ["--format", "xlsx"],
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], example: Path, run_err: Callable[..., Any]) -> None:
    assert run_err(2, "calendar", "export", *options, cwd=example)["hint"]


def test_columns_of_colleagues_are_left_out_by_name(example: Path, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_bytes("Canal;Date;Heure;Texte;Statut\nfacebook;12/12/2026;9h;Été;ok\n".encode("cp1252"))
    options = ["calendar", "import", str(file), "--kind", "announcement"]
    assert "--ignore 'Statut'" in run(*AT, *options, cwd=example).out
    done = run(*AT, *options, "--ignore", "statut", "--json", cwd=example)
    assert (done.code, done.json["created"], done.json["read_as"]["ignored"]) == (0, 1, ["Statut"])


def test_a_published_post_stays_and_its_row_is_quiet(env: Env) -> None:
    view = add(env, ref="a", wall="2026-11-23T09:00")
    set_state(env, view, PostState.PUBLISHED)
    assert counts(load(env, export_posts(env, shape="xlsx"))) == (0, 0, 1)


def test_a_full_disk_leaves_the_good_file_as_it_is(example: Path, tmp_path: Path) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (36 * 1024, resource.RLIM_INFINITY))

    plan = tmp_path / "files" / "plan.csv"
    plan.parent.mkdir()
    plan.write_bytes(b"a colleague's good file\n")
    args = [sys.executable, "-m", "cm", "-C", str(example), "calendar", "export", str(plan)]
    done = subprocess.run(args, preexec_fn=little_room, capture_output=True, text=True, check=False)
    assert (done.returncode, "plan.csv cannot be written" in done.stderr) == (2, True)
    assert plan.read_bytes() == b"a colleague's good file\n"
    assert list(plan.parent.iterdir()) == [plan]


def test_an_exported_file_keeps_its_rights_and_its_link(example: Path, run: Run, tmp_path: Path) -> None:
    shared, link = tmp_path / "shared.csv", tmp_path / "plan.csv"
    shared.write_bytes(b"old")
    shared.chmod(0o640)
    link.symlink_to(shared)
    assert run("calendar", "export", str(link), cwd=example).code == 0
    assert link.is_symlink()
    assert shared.read_bytes().startswith(b"ref,")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        assert run("calendar", "export", str(tmp_path / "new.csv"), cwd=example).code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640
    assert run("calendar", "export", "/dev/null", cwd=example).code == 0
    assert not Path("/dev/null").is_file()


def test_an_unknown_format_is_a_usage_error(env: Env) -> None:
    with pytest.raises(UsageError, match="pdf"):
        export_posts(env, shape="pdf")
