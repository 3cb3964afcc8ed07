"""Starting costs little: what a fresh interpreter imports, and what the idle cron minute does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from support_cli import fresh, loaded, make_due, sql, use_outbox
from typer.main import get_command

from cm.cli.app import app
from cm.cli.lazy import RUNNING
from cm.store import tick

HEAVY = ("typer", "click", "pydantic", "sqlalchemy", "sqlmodel", "rich", "yaml", "httpx", "alembic", "filelock")
LIBRARIES = ("sqlalchemy", "sqlmodel", "httpx", "alembic", "openpyxl", "holidays", "babel", "apscheduler")
IDLE = ("publish",), ("publish", "--quiet")


@pytest.fixture
def idle(example: Path) -> Path:
    """The example after one full run in which nothing was due, its heartbeat long ago."""
    sql(example, "UPDATE post SET state = 'cancelled', wake_at = NULL")
    assert fresh("publish", cwd=example).code == 0
    os.utime(example / tick.HEARTBEAT, (1, 1))
    return example


def beats(root: Path) -> bool:
    """True if somebody was here since `idle` set the heartbeat back."""
    return (root / tick.HEARTBEAT).stat().st_mtime > 1


def test_version_loads_nothing() -> None:
    done = fresh("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("cm 0.")
    assert not loaded(done.modules, *HEAVY)


@pytest.mark.parametrize("args", IDLE)
def test_idle_publish_loads_nothing_and_beats(idle: Path, args: tuple[str, ...]) -> None:
    done = fresh(*args, cwd=idle)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert not loaded(done.modules, *HEAVY)
    assert beats(idle)


def test_idle_publish_from_elsewhere(idle: Path, tmp_path: Path) -> None:
    by_option = fresh("-C", str(idle), "publish", cwd=tmp_path)
    by_variable = fresh("publish", cwd=tmp_path, CM_WORKSPACE=str(idle))
    assert not loaded(by_option.modules | by_variable.modules, *HEAVY)
    assert beats(idle)


def test_500_refused_posts_sleep(example: Path) -> None:
    """Example posts on a channel that is real: the gate refuses each once, then the cron minute is idle again."""
    use_outbox(example)
    columns = [row[1] for row in sql(example, "PRAGMA table_info(post)")]
    names = ", ".join(name for name in columns if name not in ("id", "ref", "story_id"))
    for _ in range(500 - sql(example, "SELECT count(*) FROM post WHERE channel = 'facebook'")[0][0]):
        sql(example, f"INSERT INTO post ({names}) SELECT {names} FROM post WHERE id = 1")
    make_due(example, where="channel = 'facebook'")
    first = fresh("publish", cwd=example)
    assert first.code == 4
    assert first.err.count("example posts go out on simulated channels only") == 500
    second = fresh("publish", cwd=example)
    assert (second.code, second.out, second.err) == (0, "", "")
    assert not loaded(second.modules, *HEAVY)


def test_something_due_is_not_idle(idle: Path) -> None:
    make_due(idle, where="id = 1")
    done = fresh("publish", cwd=idle)
    assert done.code == 0
    assert "1 published" in done.err


@pytest.mark.parametrize("file", ["config.yaml", "schedules/facebook.yaml"])
def test_a_changed_configuration_is_read(idle: Path, file: str) -> None:
    with (idle / file).open("a", encoding="utf-8") as end:
        end.write("\n# a remark\n")
    assert "pydantic" in fresh("publish", cwd=idle).modules
    assert beats(idle)
    assert not loaded(fresh("publish", cwd=idle).modules, *HEAVY)


def test_another_schema_is_explained(idle: Path) -> None:
    sql(idle, f"PRAGMA user_version = {tick.SCHEMA_VERSION + 1}")
    done = fresh("publish", cwd=idle)
    assert done.code == 3
    assert "schema" in done.err


def test_a_workspace_on_postgresql_is_not_asked_in_sqlite(idle: Path) -> None:
    (idle / tick.MARKER).write_text("postgresql", encoding="utf-8")
    assert "sqlalchemy" in fresh("publish", cwd=idle).modules


def test_a_locked_database_is_left_to_the_full_path(idle: Path) -> None:
    os.rename(idle / "cm.db", idle / "kept.db")
    (idle / "cm.db").write_bytes(b"this is no database, however long it may be" * 50)
    done = fresh("publish", cwd=idle)
    assert done.code == 3
    assert "not a database" in done.err


def test_a_heartbeat_that_cannot_be_written_is_told(idle: Path) -> None:
    shutil.rmtree(idle / ".cm")
    (idle / ".cm").write_text("in the way", encoding="utf-8")
    done = fresh("publish", cwd=idle)
    assert done.code == 3
    assert ".cm" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_loads_no_library_of_the_work(flag: str) -> None:
    done = fresh(flag)
    assert done.code == 0
    assert "calendar" in done.out
    assert not loaded(done.modules, "sqlalchemy", "sqlmodel", "httpx", "pydantic", "yaml", "rich")


@pytest.mark.parametrize(
    "args", [("post", "list", "--nope"), ("nope",), ("post", "add"), ("-C",), ("calendar", "nope")]
)
def test_usage_errors_load_no_database_and_no_network(args: tuple[str, ...]) -> None:
    done = fresh(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert not loaded(done.modules, *LIBRARIES)


# One interpreter runs all command lines of a batch and says after which of them a library was there.
BATCH = """
import contextlib, io, json, sys
from cm.cli.app import run
lines, libraries = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
told = []
for line in lines:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(line)
    found = libraries & {name.split(".")[0] for name in sys.modules}
    libraries -= found
    told.append({"line": line, "code": code, "loaded": sorted(found), "err": err.getvalue()})
print(json.dumps(told))
"""


def batch(lines: list[list[str]], libraries: tuple[str, ...], cwd: Path) -> list[dict[str, Any]]:
    """What each command line gave back, and which of the libraries it was the first to load."""
    done = subprocess.run(
        [sys.executable, "-c", BATCH, json.dumps(lines), json.dumps(libraries)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )  # fmt: skip
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def every_command() -> list[list[str]]:
    """Each noun, and each verb behind its noun."""
    root: Any = get_command(app)
    context: Any = typer.Context(root, info_name="cm")
    context.meta[RUNNING] = True
    paths = []
    for name in root.list_commands(context):
        verbs = getattr(root.get_command(context, name), "commands", {})
        paths += [[name], *([name, verb] for verb in verbs)]
    return paths


def test_help_of_every_command_loads_no_library_of_the_work(tmp_path: Path) -> None:
    told = batch([[*path, "--help"] for path in every_command()], LIBRARIES, tmp_path)
    assert len(told) > 40
    assert [each for each in told if each["code"] or each["loaded"]] == []


def test_usage_errors_of_every_command_load_no_library_of_the_work(tmp_path: Path) -> None:
    told = batch([[*path, "--no-such-option"] for path in every_command()], LIBRARIES, tmp_path)
    assert [each for each in told if each["code"] != 2 or each["loaded"]] == []


READS = {
    "today": "", "week": "", "post list": "", "post show": "p1", "story list": "", "channel list": "",
    "story show": "vaccination-des-equipes", "channel show": "twitter", "calendar show": "--week 2026-W48",
    "calendar gaps": "--week 2026-W48", "report week": "--week 2026-W48", "config check": "", "config schema": "",
    "find": "grippe", "calendar coverage": "", "config checklist": "", "config objectives": "",
    "metrics show": "--channel facebook", "audit list": "", "hold status": "", "post preview": "p1", "post check": "p1",
}  # fmt: skip
"""Commands that only look, and what they need to be told."""


def test_reading_commands_load_nothing_that_only_writing_needs(example: Path) -> None:
    lines = [["--now", "2026-11-23T09:00", *path.split(), *args.split()] for path, args in READS.items()]
    told = batch(lines, ("httpx", "alembic", "openpyxl", "babel", "apscheduler", "procrastinate"), example)
    assert [each for each in told if each["code"] or each["loaded"]] == []


def test_every_list_and_every_card_is_among_the_reading_commands() -> None:
    looking = {" ".join(path) for path in every_command() if path[-1] in ("list", "show")}
    assert looking <= set(READS), "add what is new to READS"


@pytest.mark.parametrize(
    ("words", "offered"), [("cm ca", "calendar"), ("cm post can", "cancel"), ("cm post list --aud", "--audience")]
)
def test_completion_loads_no_database_and_no_network(words: str, offered: str) -> None:
    done = fresh(_CM_COMPLETE="complete_cm", CM_COMPLETE_LINE=words)
    assert offered in done.out.split()
    assert not loaded(done.modules, *LIBRARIES)
