"""`cm week`: the grid with ids, weeks named in words, forgotten channels, read aloud."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from rich.cells import cell_len
from support_cli import change_config

RunJson = Callable[..., Any]

NOW = ("--now", "2026-11-23T09:00")


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_week_shows_ids(example: Path, run: Run) -> None:
    done = run(*NOW, "week", cwd=example)
    assert done.code == 0
    assert done.out.startswith("2026-W48 · Mon 23/11 – Sun 29/11")
    assert re.search(r"Mon 23/11  08:30 . p1 late: ", done.out)
    assert re.search(r"10:30 . p2 ", done.out)
    assert max(map(cell_len, done.out.splitlines())) <= 80


def test_a_week_is_named_in_words(example: Path, run: Run, run_json: RunJson) -> None:
    assert run_json(*NOW, "week", "2026-W49", cwd=example)["week"] == "2026-W49"
    assert run_json(*NOW, "week", "next week", cwd=example)["week"] == "2026-W49"
    assert run_json(*NOW, "calendar", "show", "--week", "W49", cwd=example)["week"] == "2026-W49"
    assert run(*NOW, "week", "the week of the whale", cwd=example).code == 2


def test_posts_of_a_forgotten_channel_are_told(example: Path, run: Run) -> None:
    change_config(example, lambda data: data["channels"].pop("twitter"))
    (example / "schedules" / "twitter.yaml").unlink()
    done = run(*NOW, "week", cwd=example)
    assert "their channels are not in config.yaml: twitter " in done.err
    assert "→ cm week 2026-W48 --list" in done.err
    assert "twitter" in run(*NOW, "week", "2026-W48", "--list", cwd=example).out


def test_a_week_can_be_read_aloud(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_PLAIN", "1")
    out = run(*NOW, "week", cwd=example).out
    assert "Monday 23 November 2026" in out
    assert "facebook, 10:30, scheduled, p2: " in out
    assert not set("○●─│") & set(out)
