"""Public holidays: the library against the official list, bounds of their own, names in the language spoken."""

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from support_cli import change_config, fresh, loaded

from cm import config as configuration
from cm import i18n
from cm.config import Cadence, PublicHolidays
from cm.errors import WorkspaceError

RunJson = Callable[..., Any]

NOW = ("--now", "2026-11-23T09:00")
CHRISTMAS = date(2026, 12, 25)
FRANCE = PublicHolidays("FR")

# Whit Monday was no public holiday in 2005–2007 (law 2004-626), and became one again by law 2008-351;
# the official list shows it for all years.
WHIT_MONDAYS = {date(2006, 6, 5), date(2007, 5, 28)}


@pytest.mark.parametrize(
    ("file", "subdivision"), [("jours_feries_metropole.csv", None), ("jours_feries_alsace_moselle.csv", "57")]
)
def test_the_library_agrees_with_the_official_list(shared_data: Path, file: str, subdivision: str | None) -> None:
    with (shared_data / file).open(encoding="utf-8", newline="") as rows:
        official = {date.fromisoformat(row["date"]) for row in csv.DictReader(rows)}
    years = range(min(official).year, max(official).year + 1)
    holidays = PublicHolidays("FR", subdivision)
    ours = {day for year in years for day in holidays.of_year(year)}
    assert len(years) > 20
    assert official - ours == WHIT_MONDAYS
    assert ours <= official


def test_names_are_in_the_language_spoken() -> None:
    assert FRANCE.name(CHRISTMAS) == "Christmas Day"
    i18n.speak("fr")
    try:
        assert FRANCE.name(CHRISTMAS) == "Noël"
    finally:
        i18n.speak("en")
    assert PublicHolidays("DE").name(date(2026, 10, 3)) == "German Unity Day"


@settings(deadline=None)
@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_a_holiday_has_its_own_bounds_and_other_days_their_weekdays(day: date) -> None:
    cadence = Cadence.model_validate(
        {"min": 3, "max": 5, "weekdays": {"sat": {"min": 1, "max": 2}}, "holidays": {"min": 0, "max": 1}}
    )
    bounds = cadence.knowing(FRANCE).on(day)
    if FRANCE.name(day):
        assert (bounds.min, bounds.max) == (0, 1)
    else:
        usual = cadence.on(day)
        assert (bounds.min, bounds.max) == (usual.min, usual.max) == ((1, 2) if day.weekday() == 5 else (3, 5))


def test_without_bounds_of_its_own_a_holiday_is_a_weekday() -> None:
    cadence = Cadence(min=3, max=5)
    assert cadence.knowing(FRANCE) is cadence
    assert cadence.on(CHRISTMAS).min == 3


def test_what_was_told_is_kept_in_a_file_that_may_be_spoilt(tmp_path: Path) -> None:
    file = tmp_path / "holidays.json"
    first = FRANCE.remembering(file)
    told = first.of_year(2026)
    (key,) = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({key: {"2026-12-25": "from the file"}}), encoding="utf-8")
    assert FRANCE.remembering(file).name(CHRISTMAS) == "from the file"
    for spoilt in ("", "[]", "nonsense", json.dumps({key: {"not a day": "x"}}), json.dumps({key: []})):
        file.write_text(spoilt, encoding="utf-8")
        assert FRANCE.remembering(file).of_year(2026) == told
    assert PublicHolidays("FR", "57").remembering(file).name(CHRISTMAS + timedelta(days=1))
    assert FRANCE.remembering(file).name(CHRISTMAS + timedelta(days=1)) is None


def test_a_file_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert FRANCE.remembering(tmp_path / "taken" / "holidays.json").name(CHRISTMAS)


def test_an_unknown_country_or_part_is_told_where_it_stands(example: Path, run: Run) -> None:
    for holidays, said in (({"country": "XX"}, "XX"), ({"country": "FR", "subdivision": "99"}, "99")):
        change_config(example, lambda data, holidays=holidays: data.update(holidays=holidays))
        done = run("config", "check", cwd=example)
        assert done.code == 3
        assert "config.yaml:" in done.err
        assert said in done.err
        assert run(*NOW, "week", cwd=example).code == 3
    with pytest.raises(WorkspaceError, match="XX"):
        PublicHolidays("XX").of_year(2026)


def test_a_part_may_be_written_as_a_number(example: Path) -> None:
    change_config(example, lambda data: data.update(holidays={"country": "FR", "subdivision": 57}))
    kept = configuration.load(example).days_off
    assert kept is not None
    assert kept.name(date(2026, 12, 26)) == "Saint Stephen's Day"


def test_the_calendar_names_them(example: Path, run: Run, run_json: RunJson) -> None:
    assert "Christmas" in run(*NOW, "week", "2026-W52", cwd=example).out
    change_config(example, lambda data: data["cadence"].update(holidays={"min": 1, "max": 2}))
    found = run_json(
        *NOW, "calendar", "gaps", "--from", "2026-12-24", "--to", "2026-12-25", "-c", "facebook", cwd=example
    )
    assert [(day["min"], day["max"], day["holiday"]) for day in found["days"]] == [
        (3, 5, None),
        (1, 2, "Christmas Day"),
    ]
    assert "Christmas Day" in run(*NOW, "calendar", "gaps", "--week", "2026-W52", cwd=example).out


def test_a_full_holiday_refuses_one_more(example: Path, run: Run) -> None:
    change_config(example, lambda data: data["cadence"].update(holidays={"min": 0, "max": 1}))
    add = (*NOW, "post", "add", "-c", "facebook", "--kind", "announcement", "--text", "Joyeux Noël")
    assert run(*add, "--at", "2026-12-25T09:00", cwd=example).code == 0
    assert run(*add, "--at", "2026-12-25T11:00", cwd=example).code == 4
    assert run(*add, "--at", "2026-12-24T11:00", cwd=example).code == 0


def test_the_library_is_loaded_only_where_days_are_asked_for(example: Path) -> None:
    (example / ".cm" / "holidays.json").unlink(missing_ok=True)
    assert not loaded(fresh("post", "list", cwd=example).modules, "holidays")
    assert not loaded(fresh(*NOW, "publish", cwd=example).modules, "holidays")
    assert loaded(fresh(*NOW, "week", cwd=example).modules, "holidays")
    assert not loaded(fresh(*NOW, "week", cwd=example).modules, "holidays")
