"""What stands in one cell of the CSV, both ways."""

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_calendar import at

from cm.calendar.cells import (
    guard,
    join_fields,
    join_list,
    read_day,
    read_time,
    split_fields,
    split_list,
    unguard,
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


def test_days_and_times_are_read_one_way_only() -> None:
    assert read_day("2026-12-03") == date(2026, 12, 3)
    assert read_time("9:05") == time(9, 5)
    for cell in ("2026-11-31", "03/12/2026", "20261203", "2026-12-3", "demain"):
        with pytest.raises(ValueError, match=r"2026|demain"):
            read_day(cell)
    for cell in ("9h", "24:00", "12:60", "09:00:00", "0900"):
        with pytest.raises(ValueError, match="is not a time"):
            read_time(cell)


def test_a_plan_is_two_cells() -> None:
    assert write_wall(at("2026-12-03T09:05")) == ("2026-12-03", "09:05")
    assert write_wall(None) == ("", "")
