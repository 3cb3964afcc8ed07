"""The search for secrets of tests in what is printed, logged and stored really finds them."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_canary import CANARY, MARKS, found_in, secret, traces

TESTS = Path(__file__).parent
LEAKS = """
import logging, sqlite3, sys
import pytest
from support_canary import secret

def test_prints(): print(secret("a"))
def test_logs(): logging.getLogger("cm").warning("token %s", secret("a"))
def test_says_on_the_other_stream(): sys.stderr.write(secret("a"))
def test_keeps_still(): print("nothing")
"""
STORES = """
import sqlite3
from support_canary import secret

def test_stores(tmp_path):
    with sqlite3.connect(tmp_path / "cm.db") as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (?)", (secret("a"),))
    database.close()
"""


@pytest.fixture(autouse=True)
def _swept(tmp_path: Path) -> Iterator[None]:
    """What lies here on purpose is not to be found at the end of the session."""
    yield
    shutil.rmtree(tmp_path)


def ran(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """A suite of its own with our `conftest`."""
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-p", "no:anyio", "-q"]
    return subprocess.run(
        [*command, f"--basetemp={folder / 'base'}", "-rA", "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_is_printed_or_logged_fails_the_test(tmp_path: Path) -> None:
    done = ran(tmp_path, LEAKS)
    assert done.returncode == 1, done.stdout
    assert "3 failed, 1 passed" in done.stdout
    for name in ("test_prints", "test_logs", "test_says_on_the_other_stream"):
        assert f"FAILED test_it.py::{name}" in done.stdout


def test_what_is_stored_fails_the_run(tmp_path: Path) -> None:
    done = ran(tmp_path, STORES)
    assert done.returncode == 1, done.stdout
    assert "1 passed, 1 error" in done.stdout
    assert f"cm.db: {CANARY}" in done.stdout


@pytest.mark.parametrize("name", ["cm.db", "cm.db-wal", "cm.db.bak", "cm.jsonl", "cm.jsonl.1"])
def test_every_mark_is_found_wherever_it_stands(tmp_path: Path, name: str) -> None:
    for n, mark in enumerate(MARKS):
        folder = tmp_path / str(n) / ".cm" / "log"
        folder.mkdir(parents=True)
        path = folder / name
        path.write_bytes(b"\xff" * ((1 << 20) - 3) + mark.encode() + b"\0")
        assert list(traces(tmp_path)) == [f"{path}: {mark}"]
        path.unlink()


def test_places_for_secrets_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".cm" / "tokens").mkdir(parents=True)
    (tmp_path / ".cm" / "tokens" / "masto.json").write_text(secret("a"), encoding="utf-8")
    assert list(traces(tmp_path)) == []
    assert found_in("nothing of the sort") == []


def test_a_database_is_searched_as_it_is_on_the_disk(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "cm.db") as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (?)", (secret("a"),))
    database.close()
    assert len(list(traces(tmp_path))) == 1
