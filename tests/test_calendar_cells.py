"""What stands in one cell of the CSV, both ways."""

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_calendar import at

from cm.calendar.cells import (
    DAY_FIRST,
    ISO,
    MONTH_FIRST,
    guard,
    join_fields,
    join_list,
    read_day,
    read_time,
    split_fields,
    split_list,
    unguard,
    write_day,
    write_wall,
)

hostile = st.text(st.sampled_from(list("'=+-@\t\r\n|\\,;\"aé🌳 ")))


@settings(deadline=None)
@given(hostile | st.text())
def test_guarding_is_undone_exactly(cell: str) -> None:
    assert unguard(guard(cell)) == cell


@settings(deadline=None)
@given(hostile | st.text())
def test_no_guarded_cell_is_a_formula(cell: str) -> None:
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("cell", "guarded"),
    [("=cmd()", "'=cmd()"), ("'=cmd()", "''=cmd()"), ("'''+1", "''''+1"), ("l'eau", "l'eau"), ("'", "'"), ("", "")],
)
def test_only_what_could_be_a_formula_is_guarded(cell: str, guarded: str) -> None:
    assert guard(cell) == guarded


@settings(deadline=None)
@given(st.lists(hostile | st.text(min_size=1), min_size=2) | st.lists(st.text(min_size=1), max_size=1))
def test_lists_survive(items: list[str]) -> None:
    assert split_list(join_list(items)) == items


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), hostile | st.text(), max_size=4))
def test_fields_survive(fields: dict[str, str]) -> None:
    assert split_fields(join_fields(fields)) == fields


def test_fields_are_written_as_people_write_them() -> None:
    assert join_fields({"event_date": "2026-12-05", "place": "Hall A|B"}) == r"event_date=2026-12-05|place=Hall A\|B"
    assert split_fields("place=C:\\temp = ok") == {"place": "C:\\temp = ok"}


@pytest.mark.parametrize("cell", ["place", "place=a|place=b", "|"])
def test_what_is_no_field_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"no field|twice"):
        split_fields(cell)


@pytest.mark.parametrize("cell", ["2026-12-03", "3/12/2026", "03/12/2026", "03.12.2026"])
def test_days_are_iso_or_day_first(cell: str) -> None:
    assert read_day(cell) == date(2026, 12, 3)


@pytest.mark.parametrize(
    "cell", ["2026-11-31", "12/31/2026", "31/11/2026", "20261203", "2026-12-3", "03/12/26", "3/12.2026", "demain"]
)
def test_other_days_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"26|demain"):
        read_day(cell)


def test_a_day_of_which_the_order_is_unknown_is_read_only_if_it_is_clear() -> None:
    assert read_day("25/12/2026", None) == read_day("12/25/2026", None) == date(2026, 12, 25)
    assert read_day("11/11/2026", None) == date(2026, 11, 11)
    assert read_day("03/12/2026", MONTH_FIRST) == date(2026, 3, 12)
    with pytest.raises(ValueError, match="two ways"):
        read_day("03/12/2026", None)
    with pytest.raises(ValueError, match="no month 25"):
        read_day("25/12/2026", MONTH_FIRST)


@settings(deadline=None)
@given(st.dates(date(1970, 1, 1), date(8999, 12, 31)), st.sampled_from([ISO, DAY_FIRST, MONTH_FIRST]))
def test_days_survive_in_every_form(day: date, form: str) -> None:
    assert read_day(write_day(day, form), form) == day


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        *[(cell, time(9, 5)) for cell in ("9:05", "09:05", "09:05:00", "9h05", "09H05", "9 h 05", "9:05 AM")],
        *[(cell, time(9, 0)) for cell in ("9h", "09 h", "9:00 a.m.")],
        ("12:30 am", time(0, 30)),
        ("9:00 pm", time(21, 0)),
    ],
)
def test_times_are_read_as_people_and_spreadsheets_write_them(cell: str, read: time) -> None:
    assert read_time(cell) == read


@pytest.mark.parametrize("cell", ["24:00", "12:60", "09:00:30", "0900", "9h5", "13:00 pm", "0:30 am", "midi", "9"])
def test_other_times_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        read_time(cell)


def test_a_plan_is_two_cells() -> None:
    assert write_wall(at("2026-12-03T09:05")) == ("2026-12-03", "09:05")
    assert write_wall(at("2026-12-03T09:05"), DAY_FIRST) == ("03/12/2026", "09:05")
    assert write_wall(None) == ("", "")
