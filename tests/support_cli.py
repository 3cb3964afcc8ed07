"""Helpers for tests of the command line: fresh interpreters, changed configurations, due posts."""

import contextlib
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

RUNNER = """
import sys
sys.argv = ["cm", *sys.argv[1:]]
from cm.__main__ import main
try:
    code = main()
except SystemExit as stopped:
    code = stopped.code
print("\\n" + "MODULES " + " ".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Fresh:
    """A command line that had an interpreter to itself."""

    code: int
    out: str
    err: str
    modules: frozenset[str]


def fresh(*args: str, cwd: Path | None = None, **environment: str) -> Fresh:
    """Run a command line in a new interpreter and see what it imported."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *args],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said, _mark, modules = done.stderr.rpartition("\nMODULES ")
    assert modules, done.stderr
    return Fresh(done.returncode, done.stdout, said, frozenset(modules.split()))


def loaded(modules: Iterable[str], *names: str) -> set[str]:
    """Those of the packages `names` that were imported."""
    return set(names) & {module.split(".")[0] for module in modules}


def change_config(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Let `change` work on the configuration as plain data."""
    path = root / "config.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def use_outbox(root: Path, channel: str = "facebook") -> None:
    """Make a channel of the example a real one: a person would paste what comes out of it, all at once."""
    real = {"adapter": "outbox", "spacing": 0, "backlog": False}
    change_config(root, lambda data: data["channels"][channel].update(real))


def sql(root: Path, statement: str, *values: Any) -> list[Any]:
    """Ask or change the database behind cm's back."""
    with sqlite3.connect(root / "cm.db") as database:
        rows = database.execute(statement, values).fetchall()
    database.close()
    return rows


def make_due(root: Path, *, minutes_ago: int = 1, where: str = "1") -> None:
    """Set the time of scheduled posts to a moment ago; all others are cancelled."""
    due = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%d %H:%M:%S.000000")
    sql(root, "UPDATE post SET state = 'cancelled', wake_at = NULL")
    sql(root, f"UPDATE post SET state = 'scheduled', scheduled_at = ?, wake_at = ? WHERE {where}", due, due)


def at_a_terminal(*args: str, answer: str, cwd: Path) -> tuple[int, str]:
    """The command at a real terminal where somebody has typed `answer`: exit code, and what they see."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = [sys.executable, "-m", "cm", *args]
    process = subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # so Linux says that everybody has closed the other end
        while data := os.read(ours, 65536):
            seen += data
    os.close(ours)
    return process.wait(), seen.decode()
