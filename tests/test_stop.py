"""`cm stop` where something is broken: everything is held all the same, and what was wrong is told."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support_cli import sql

from cm.channels.sandbox.platform import SandboxPlatform

RunJson = Callable[..., Any]

FRIDAY = ("--now", "2026-11-27T18:00")


def out(root: Path) -> list[str]:
    """Everything that stands on the pretend platform."""
    platform = SandboxPlatform(root)
    return [post.text for account in ("hopital.tilleuls", "@hop_tilleuls") for post in platform.posts(account)]


def held_by_file(root: Path, run: Run, *args: str) -> str:
    """`cm stop` must fall back on the file; gives what it says."""
    done = run("stop", "--reason", "fire in block B", *args, cwd=root)
    assert (done.code, done.out) == (0, "")
    assert "Everything is held by the file" in done.err
    assert (root / "HOLD").read_text(encoding="utf-8") == "fire in block B\n"
    return done.err


def test_a_database_that_others_write_to_is_not_waited_for(example: Path, run: Run) -> None:
    other = sqlite3.connect(example / "cm.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    said = held_by_file(example, run)
    other.execute("ROLLBACK")
    other.close()
    assert "Another program is writing to the database." in said
    assert run(*FRIDAY, "publish", cwd=example).code == 7  # its time came under the hold
    assert out(example) == []
    assert sql(example, "SELECT source, reason FROM hold WHERE ended_at IS NULL") == [("file", "fire in block B")]


@pytest.mark.parametrize(("name", "said"), [("cm.db", "is not a database cm can read"), ("config.yaml", "config.yaml")])
def test_a_file_that_is_garbage(example: Path, run: Run, name: str, said: str) -> None:
    for log in example.glob("cm.db-*"):
        log.unlink()
    (example / name).write_bytes(b"\xff\x00: [" * 4096)
    assert said in held_by_file(example, run)


def test_pages_that_are_damaged(example: Path, run: Run) -> None:
    sql(example, "PRAGMA wal_checkpoint(TRUNCATE)")
    with (example / "cm.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 60)
    assert "→ " in held_by_file(example, run)


def test_a_mistake_of_ours(example: Path, run: Run) -> None:
    sql(example, "CREATE TRIGGER broken BEFORE INSERT ON hold BEGIN SELECT RAISE(ABORT, 'broken'); END")
    assert "A bug in cm (IntegrityError); its trace is in .cm/log/cm.jsonl." in held_by_file(example, run)
    assert "broken" in (example / ".cm" / "log" / "cm.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("where", [("--as", "nobody"), ("-C", ".")])
def test_a_slip_of_the_fingers_keeps_nobody_from_stopping(example: Path, run: Run, where: tuple[str, ...]) -> None:
    """An unknown name ends in a file; an end that cannot be read in a hold without end."""
    done = run(*where, "stop", "--until", "gibberish", cwd=example)
    assert done.code == 0, done.err
    if where[0] == "--as":
        assert (example / "HOLD").exists()
        assert "nobody" in done.err
    else:
        assert "It has no end: " in done.err
        assert sql(example, "SELECT until, ended_at FROM hold") == [(None, None)]


def test_for_programs(example: Path, run_json: RunJson) -> None:
    (example / "cm.db").unlink()
    (example / "HOLD").mkdir()  # somebody was faster, with a file manager
    told = run_json("stop", cwd=example)
    assert (told["hold"], told["file"], told["error"]["kind"]) == (None, str(example / "HOLD"), "workspace")


def test_without_a_workspace_nothing_is_claimed(tmp_path: Path, run: Run) -> None:
    done = run("stop", cwd=tmp_path)
    assert done.code == 3
    assert not (tmp_path / "HOLD").exists()


def test_times_of_holds_are_local_as_elsewhere(example: Path, run_json: RunJson) -> None:
    held = run_json(*FRIDAY, "hold", "on", "--until", "19h", cwd=example)
    assert (held["hold"]["since"], held["hold"]["until"]) == ("2026-11-27T18:00:00+01:00", "2026-11-27T19:00:00+01:00")
    assert {post["at"][-6:] for post in held["planned"]} == {"+01:00"}
    assert run_json(*FRIDAY, "today", cwd=example)["holds"][0]["since"] == "2026-11-27T18:00:00+01:00"
