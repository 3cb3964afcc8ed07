"""Setting up in four stages; the register of objectives; the fields for people."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from rich.cells import cell_len
from support_cli import change_config, sql

from cm import config as configuration
from cm.store import tick

RunJson = Callable[..., Any]

NOW = ("--now", "2026-11-23T09:00")


def items(found: Any) -> dict[str, bool]:
    return {item["key"]: item["done"] for stage in found["stages"] for item in stage["items"]}


# --- the checklist ----------------------------------------------------------------------------------------------------


@pytest.mark.row("S51")
def test_the_example_has_four_stages_and_shows_what_is_missing(example: Path, run: Run, run_json: RunJson) -> None:
    found = run_json(*NOW, "config", "checklist", cwd=example)
    assert [stage["key"] for stage in found["stages"]] == ["objectives", "networks", "frame", "editorial"]
    missing = {key for key, done in items(found).items() if not done}
    assert missing == {"objectives.cited", "networks.real", "networks.checked", "editorial.cron"}
    for stage in found["stages"]:
        assert stage["done"] == sum(item["done"] for item in stage["items"])
        assert all(bool(item["todo"]) is not item["done"] for item in stage["items"])
    out = run(*NOW, "config", "checklist", cwd=example).out
    assert "1. Objectives: 2 of 3" in out
    assert "  ✗ Each is cited by a post (missing)\n      → cite etp: cm post edit ID --objective KEY" in out


@pytest.mark.row("S51")
def test_an_empty_workspace_lacks_nearly_everything(tmp_path: Path, run: Run) -> None:
    run("init", "--empty", str(tmp_path / "w"))
    done = run("config", "checklist", "--json", cwd=tmp_path / "w")
    assert done.code == 0
    assert not any(items(done.json).values())


def test_what_is_done_is_ticked(example: Path, run: Run, run_json: RunJson) -> None:
    for name in ("facebook", "twitter"):
        run("channel", "check", name, cwd=example)
    run(*NOW, "post", "edit", "p20", "--objective", "etp", cwd=example)
    tick.beat(str(example))
    found = items(run_json("config", "checklist", cwd=example))
    assert found["networks.checked"]
    assert found["objectives.cited"]
    assert found["editorial.cron"]


@pytest.mark.parametrize(
    ("change", "lacks", "todo"),
    [
        (lambda data: data.pop("objectives"), "objectives.registered", "`objectives:`"),
        (lambda data: data["objectives"]["etp"]["levels"].pop("group"), "objectives.levels", "etp"),
        (lambda data: data["people"]["bastien"].update(roles=["editor"]), "frame.deputy", "community_manager"),
        (lambda data: data["people"].pop("helene"), "frame.director", "communication_director"),
        (lambda data: data["people"].pop("nadia"), "frame.users_directorate", "users_directorate"),
        (lambda data: data["people"].pop("yves"), "frame.expert", "expert"),
        (lambda data: data["people"]["bastien"].update(logins=[]), "frame.logins", "bastien"),
        (lambda data: data.pop("holidays"), "editorial.holidays", "`holidays:`"),
        (lambda data: data["cadence"].update(min=4, max=9), "editorial.slots", "schedules/facebook.yaml"),
        (lambda data: data["cadence"].update(min=5, max=9), "editorial.planned", "cm calendar gaps"),
    ],
)
def test_each_lack_says_what_to_do(
    example: Path, run_json: RunJson, change: Callable[[Any], object], lacks: str, todo: str
) -> None:
    assert items(run_json(*NOW, "config", "checklist", cwd=example)).get(lacks)
    change_config(example, change)
    stages = run_json(*NOW, "config", "checklist", cwd=example)["stages"]
    (item,) = [item for stage in stages for item in stage["items"] if item["key"] == lacks]
    assert not item["done"]
    assert todo in item["todo"]


# --- objectives -------------------------------------------------------------------------------------------------------


@pytest.mark.row("S49")
def test_the_register_counts_the_posts_of_each_objective(example: Path, run: Run, run_json: RunJson) -> None:
    found = run_json("config", "objectives", cwd=example)
    counts = {each["key"]: each["posts"] for each in found["objectives"]}
    for key, posts in counts.items():
        assert posts == sql(example, "SELECT count(*) FROM post WHERE objective = ?", key)[0][0]
    assert list(counts) == ["animer", "informer", "etp"]
    assert counts["etp"] == 0
    assert sum(counts.values()) + found["uncited_posts"] == 110
    levels = {"service", "establishment", "group", "patients", "professionals"}
    assert all(set(each["levels"]) == levels for each in found["objectives"])
    run(*NOW, "post", "edit", "p20", "--objective", "etp", cwd=example)
    assert [e["posts"] for e in run_json("config", "objectives", cwd=example)["objectives"] if e["key"] == "etp"] == [1]
    out = run("config", "objectives", cwd=example).out
    assert "service: Chaque service" in out


def test_a_period_of_objectives(example: Path, run: Run, run_json: RunJson) -> None:
    first = run_json("config", "objectives", "--to", "2026-11-29", cwd=example)
    second = run_json("config", "objectives", "--from", "2026-11-30", cwd=example)
    for key in ("animer", "informer", "etp"):
        parts = [next(e["posts"] for e in part["objectives"] if e["key"] == key) for part in (first, second)]
        assert sum(parts) == sql(example, "SELECT count(*) FROM post WHERE objective = ?", key)[0][0]
    assert first["to"] == "2026-11-29"
    assert run("config", "objectives", "--from", "soon", cwd=example).code == 2


def test_an_objective_that_has_left_the_register_is_still_counted(example: Path, run_json: RunJson) -> None:
    change_config(example, lambda data: data["objectives"].pop("animer"))
    found = run_json("config", "objectives", cwd=example)["objectives"]
    assert [each["key"] for each in found] == ["informer", "etp", "animer"]
    assert (found[-1]["label"], found[-1]["levels"]) == ("", {})
    assert found[-1]["posts"] > 0


# --- the fields -------------------------------------------------------------------------------------------------------


def test_every_field_is_told_with_type_default_and_meaning(run: Run, tmp_path: Path) -> None:
    found = {facts.path: facts for facts in configuration.fields()}
    assert all(facts.type and facts.meaning for facts in found.values())
    assert found["dormant_days"].default == "7"
    assert found["channels.NAME.owner"].default is None
    assert found["channels.NAME.cadence.weekdays.NAME.min"].type == "number"
    assert found["slots[].times"].type == "list of time"
    assert found["channels.NAME.state"].type == "active | planned | closed"


def test_the_fields_are_readable(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run("config", "schema", cwd=tmp_path)
    assert done.code == 0
    assert max(map(cell_len, done.out.splitlines())) <= 80
    assert "schedules/<channel>.yaml" in done.out
    assert "Whose public holidays" in done.out
    as_json = run("config", "schema", "--json", cwd=tmp_path).json
    assert as_json["config.yaml"]["properties"]["holidays"]
