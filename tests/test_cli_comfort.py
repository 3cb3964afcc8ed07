"""Scripting and comfort: several workspaces, JSON lines, what is read aloud, mistakes, what long work shows."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from support_cli import change_config, fresh, loaded, make_due, sql, use_outbox

from cm.cli import faults, mistakes, workspaces
from cm.cli.app import app
from cm.cli.lazy import NOUNS
from cm.cli.progress import progress
from cm.store import tick

NOW = ("--now", "2026-11-23T09:00")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def two(example: Path, tmp_path: Path) -> tuple[str, str]:
    """Two workspaces; the second has one story less."""
    other = tmp_path / "second"
    shutil.copytree(example, other)
    return str(example), str(other)


# --- several workspaces -----------------------------------------------------------------------------------------------


def test_one_that_fails_stops_none(two: tuple[str, str], run: Run) -> None:
    done = run("-C", two[0], "-C", "/nowhere", "-C", two[1], "story", "list")
    assert done.code == 3
    assert done.out.count("vaccination-des-equipes") == 2
    headings = [line for line in done.err.splitlines() if line.startswith("Workspace ")]
    assert headings == [f"Workspace {name}:" for name in (two[0], "/nowhere", two[1])]


def test_json_is_one_document(two: tuple[str, str], run: Run) -> None:
    done = run("-C", two[0], "-C", "/nowhere", *NOW, "-C", two[1], "channel", "list", "--json")
    first, second, third = done.json["workspaces"]
    assert (done.code, done.err) == (3, "")
    assert (first["workspace"], first["exit_code"]) == (two[0], 0)
    assert [channel["name"] for channel in first["result"]["channels"]] == ["facebook", "twitter"]
    assert (second["exit_code"], second["error"]["kind"]) == (3, "workspace")
    assert third["result"] == first["result"]


def test_json_lines_name_their_workspace(two: tuple[str, str], run: Run) -> None:
    done = run("-C", two[0], "-C", "/nowhere", "-C", two[1], "channel", "list", "--jsonl")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["workspace"], line["name"]) for line in found] == [
        (folder, name) for folder in two for name in ("facebook", "twitter")
    ]
    assert json.loads(done.err) == {
        "workspace": "/nowhere", "error": json.loads(run("-C", "/nowhere", "story", "--json").err)["error"],
    }  # fmt: skip


def test_a_usage_error_stops_at_once(two: tuple[str, str], run: Run) -> None:
    done = run("-C", two[0], "-C", two[1], "story", "list", "--nope")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("--nope") == 1


def test_standard_input_is_for_one(two: tuple[str, str], run: Run) -> None:
    done = run("-C", two[0], "-C", two[1], "post", "edit", "p1", "--text", "-", stdin=b"words")
    assert done.code == 2
    assert "one workspace" in done.err


def test_each_speaks_by_its_own_exit_code(two: tuple[str, str], run: Run) -> None:
    sql(Path(two[1]), "UPDATE post SET ref = 'only-here' WHERE id = 1")
    assert run("-C", two[0], "-C", two[1], "post", "show", "only-here").code == 5
    assert run("-C", two[1], "-C", two[1], "post", "show", "only-here").code == 0


def test_what_only_one_workspace_finds_wrong_stops_no_other(two: tuple[str, str], run: Run) -> None:
    def one_objective(data: dict[str, Any]) -> None:
        data["objectives"] = {"recruit": {"label": "Recruit"}}

    change_config(Path(two[1]), one_objective)
    line = ("-C", two[0], *NOW, "-C", two[1], "post", "edit", "p2", "--objective", "recruit")
    done = run(*line)
    assert done.code == 2
    assert sql(Path(two[1]), "SELECT objective FROM post WHERE id = 2") == [("recruit",)]
    assert [line for line in done.err.splitlines() if line.startswith("Workspace ")] == [
        f"Workspace {name}:" for name in two
    ]
    first, second = run(*line, "--json").json["workspaces"]
    assert (first["exit_code"], first["error"]["kind"]) == (2, "usage")
    assert (second["exit_code"], second["result"]["objective"]) == (0, "recruit")


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7])))
def test_the_joint_code_is_the_first_that_applies(codes: list[int]) -> None:
    order = [1, 3, 7, 2, 6, 4, 5, 0]
    assert workspaces.joint_code(codes) == min(codes, key=order.index, default=0)


@pytest.mark.parametrize(
    ("line", "folders", "rest"),
    [
        ("-C A -C B post list", ["A", "B"], "post list"),
        ("-CA --now T -C B --plain post list", ["A", "B"], "--now T --plain post list"),
        ("--as X post list -C B", [], "--as X post list -C B"),
        ("--now -C post list", [], "--now -C post list"),
        ("post list", [], "post list"),
        ("-C", [], "-C"),
        ("", [], ""),
    ],
)
def test_folders_stand_before_the_noun(line: str, folders: list[str], rest: str) -> None:
    assert workspaces.named(line.split()) == (folders, rest.split())


def test_every_option_before_the_noun_is_known() -> None:
    from typer.main import get_command

    valued = {name for param in get_command(app).params for name in param.opts if not getattr(param, "is_flag", True)}
    assert valued == {name for name, takes_value in mistakes.BEFORE_THE_NOUN.items() if takes_value}


def test_an_idle_minute_over_several_loads_nothing(two: tuple[str, str], tmp_path: Path) -> None:
    for folder in two:
        sql(Path(folder), "UPDATE post SET state = 'cancelled', wake_at = NULL")
        assert fresh("-C", folder, "publish").code == 0
        os.utime(Path(folder) / tick.HEARTBEAT, (1, 1))
    done = fresh("-C", two[0], "-C", two[1], "publish", "--quiet", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert not loaded(done.modules, "typer", "pydantic", "sqlalchemy", "rich", "yaml")
    assert all((Path(folder) / tick.HEARTBEAT).stat().st_mtime > 1 for folder in two)


def test_what_is_due_in_the_second_is_published(two: tuple[str, str], tmp_path: Path) -> None:
    for folder in two:
        sql(Path(folder), "UPDATE post SET state = 'cancelled', wake_at = NULL")
        assert fresh("-C", folder, "publish").code == 0
    make_due(Path(two[1]), where="id = 1")
    done = fresh("-C", two[0], "-C", two[1], "publish", cwd=tmp_path)
    assert done.code == 0
    assert done.err.splitlines()[0] == f"Workspace {two[1]}:"  # the idle one is not named
    assert "1 published" in done.err


# --- JSON lines and JSON errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("noun", "key"), [("story", "stories"), ("channel", "channels")])
def test_lines_are_the_items_of_the_document(
    example: Path, run: Run, run_json: Callable[..., Any], noun: str, key: str
) -> None:
    lines = run(noun, "list", "--jsonl", cwd=example)
    assert (lines.code, lines.err) == (0, "")
    assert [json.loads(line) for line in lines.out.splitlines()] == run_json(noun, "list", cwd=example)[key]


@pytest.mark.parametrize("order", [("--json", "--jsonl"), ("--jsonl", "--json")])
def test_one_form_at_a_time(example: Path, run: Run, order: tuple[str, str]) -> None:
    done = run("story", "list", *order, cwd=example)
    assert (done.code, done.out) == (2, "")
    assert json.loads(done.err)["error"]["kind"] == "usage"


@pytest.mark.parametrize("args", [("story", "list", "--nope"), ("nope",), ("story", "show", "x", "y")])
@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_errors_are_json_too(example: Path, run: Run, args: tuple[str, ...], form: str) -> None:
    done = run(*args, form, cwd=example)
    assert (done.code, done.out) == (2, "")
    assert json.loads(done.err)["error"]["message"]


# --- read aloud -------------------------------------------------------------------------------------------------------

SIGNS = set("─━│┃┄┅═║╭╮╯╰├┤┬┴┼▁▂▃▄▅▆▇█●○✗✎⇥▼▲")
READING = (
    ("post", "list"),
    ("post", "show", "p1"),
    ("post", "list", "--week", "2026-W48"),
    ("story", "list"),
    ("story", "show", "vaccination-des-equipes"),
    ("channel", "list"),
    ("channel", "show", "twitter"),
    ("calendar", "show", "--week", "2026-W48"),
    ("calendar", "gaps", "--week", "2026-W48"),
    ("report", "week", "--week", "2026-W48"),
    ("metrics", "collect"),
    ("today",),
    ("week",),
    ("find", "grippe"),
    ("calendar", "coverage"),
    ("config", "checklist"),
    ("config", "objectives"),
)


@pytest.mark.parametrize("args", READING, ids=" ".join)
def test_nothing_drawn_is_read_aloud(example: Path, run: Run, args: tuple[str, ...]) -> None:
    sql(example, "UPDATE post SET state = 'missed' WHERE id = 2")
    before = run(*NOW, "--plain", *args, cwd=example)
    after = run(*NOW, *args, "--plain", cwd=example)
    assert before.code == after.code == 0
    assert (before.out, before.err) == (after.out, after.err)
    said = before.out + before.err
    assert said.strip()
    assert not SIGNS & set(said)
    assert "\x1b" not in said
    for line in said.splitlines():
        assert "   " not in line.strip(), "columns"


def test_a_row_is_lines_of_heading_and_value(example: Path, run: Run) -> None:
    rows = run(*NOW, "post", "list", "--plain", cwd=example).out.split("\n\n")
    assert len(rows) == 110
    first = dict(line.split(": ", 1) for line in rows[0].splitlines())
    assert first["state"] == "scheduled"
    assert {"id", "when", "channel", "text"} <= first.keys()


def test_unknown_figures_are_said(example: Path, run: Run) -> None:
    assert "reach: unknown" in run(*NOW, "--plain", "report", "week", "--week", "2026-W48", cwd=example).out


def test_by_variable(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plainly = run("channel", "list", "--plain", cwd=example).out
    monkeypatch.setenv("CM_PLAIN", "1")
    assert run("channel", "list", cwd=example).out == plainly
    monkeypatch.setenv("CM_PLAIN", "0")
    assert run("channel", "list", cwd=example).out != plainly


# --- did you mean -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        ("posts", "`cm post`"),
        ("list", "`cm post list`"),
        ("chanel list", "`cm channel`"),
        ("calendar exprot x.csv", "`cm calendar export`"),
        ("db upgarde", "`cm db upgrade`"),
        ("post lits", "`cm post list`"),
        ("story list --jsno", "`--json`"),
        ("story list -C here", "cm -C here"),
    ],
)
def test_mistakes_are_understood(example: Path, run: Run, args: str, meant: str) -> None:
    done = run(*args.split(), cwd=example)
    assert done.code == (5 if args == "post lits" else 2)
    assert meant in done.err


@pytest.mark.parametrize("word", ["nonsense", "xyzzy", "42"])
def test_nonsense_is_not_guessed_at(run: Run, word: str) -> None:
    done = run(word)
    assert done.code == 2
    assert "Did you mean" not in done.err
    assert "cm --help" in done.err


def test_everyday_words_lead_to_commands_that_exist(run: Run) -> None:
    for word, meant in mistakes.EVERYDAY.items():
        words = [part for part in meant.split() if part.islower()]
        assert word in NOUNS or run(*words, "--help").code == 0, meant


# --- both streams in one place ----------------------------------------------------------------------------------------


def test_prose_never_lands_inside_a_table(example: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cm", "story", "list"],
        cwd=example, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "73 stories."


def test_an_error_comes_after_what_was_printed(capfd: pytest.CaptureFixture[str]) -> None:
    import contextlib
    import io

    both = io.StringIO()

    class Late(io.StringIO):
        """Keeps what is written until it is flushed."""

        def flush(self) -> None:
            both.write(self.getvalue())
            self.seek(0)
            self.truncate()

    from cm.errors import Refused

    with contextlib.redirect_stdout(Late()), contextlib.redirect_stderr(both):
        print("result")
        faults.tell(Refused("no"), as_json=False)
    assert both.getvalue() == "result\nno\n"


# --- long work --------------------------------------------------------------------------------------------------------

LONG = """
import sys, threading
from cm.cli import progress, terminal
progress.PATIENCE = float(sys.argv[1])
terminal.speak_plainly(sys.argv[2] == "plain")
with progress.progress("Importing", quiet=sys.argv[2] == "quiet") as step:
    step(3, 110)
    threading.Event().wait(float(sys.argv[3]))
print("done")
"""


def seen(*args: str) -> str:
    """What a terminal is sent by work that shows progress (patience, mode, seconds that it takes)."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    process = subprocess.Popen([sys.executable, "-c", LONG, *args], env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux says so when nobody holds the other end
            break
        if not data:
            break
        shown += data
    os.close(ours)
    process.wait()
    return shown.decode()


def test_long_work_shows_how_far_it_is() -> None:
    assert "Importing 3 / 110" in seen("0", "normal", "0.5")


@pytest.mark.parametrize(("patience", "mode"), [("30", "normal"), ("0", "quiet"), ("0", "plain")])
def test_short_quiet_and_plain_work_shows_nothing(patience: str, mode: str) -> None:
    assert seen(patience, mode, "0.1") == "done\r\n"


def test_no_terminal_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Importing") as step:
        step(1, 2)
    assert capsys.readouterr() == ("", "")


# --- publish says what is to be done ----------------------------------------------------------------------------------


def test_missed_posts_name_their_remedy(example: Path, run: Run) -> None:
    make_due(example, where="id = 1", minutes_ago=600)
    done = run("publish", "--quiet", cwd=example)
    assert done.code == 7
    assert "→ cm move state:missed --next" in done.err


def test_a_late_replay_says_what_came_before(example: Path, run: Run) -> None:
    done = run("publish", "--replay", "2026-11-24..2026-11-25", "--quiet", cwd=example)
    assert done.code == 7
    assert "9 posts were due before the span begins" in done.err


def test_handed_posts_name_the_command_that_confirms_them(example: Path, run: Run) -> None:
    use_outbox(example)
    change_config(example, lambda data: data["channels"]["facebook"].update(backlog=False))
    sql(example, "UPDATE post SET example = 0")
    make_due(example, where="id = 1")
    assert "→ cm post confirm p1 --url" in run("publish", cwd=example).err


@pytest.mark.parametrize("spoken", ["en", "fr"])
def test_the_list_of_channels_breaks_no_word_at_80_columns(
    example: Path, run: Run, monkeypatch: pytest.MonkeyPatch, spoken: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CM_LANG", spoken)
    seen = run("channel", "list", cwd=example).out
    assert all(len(line) <= 80 for line in seen.splitlines())
    words = set(seen.replace(",", " ").split())
    assert {"hopital.tilleuls", "@hop_tilleuls", "institutions", "professionals", "SIMULATION", "facebook"} <= words
