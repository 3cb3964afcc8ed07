"""Text from outside changes neither the terminal nor a table, and leaves no formula in an export."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import Completed, Run
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from support_cli import change_config, sql

from cm.cli.columns import GAP, Wish, excerpt, fit
from cm.cli.terminal import json_text, safe

NOW = ("--now", "2026-11-20T12:00")
ATTACKS = {
    "ansi": "\x1b[2J\x1b[31mrouge\x1b[0m \x1b[10;10Hici",
    "osc": "\x1b]0;titre\x07 \x1b]8;;https://evil.example\x1b\\lien\x1b]8;;\x1b\\",
    "controls": "\x9b31mrouge\x9d0;titre\x9c\x85",
    "bidi": "\u202etxt.exe\u202c \u2066a\u2069 \u200fb\u200e \u061c",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\U000e0041",
    "lines": "a\rb\x0bc\x0cd\u2028e\u2029f\x08g",
    "markup": "[red]rouge[/red] [/] [bold]x [link=https://evil.example]y[/link] :smiley:",
    "long": "x" * 60_000,
    "words": "mot " * 15_000,
    "wide": "日本語の長い文章👩‍👩‍👧🏥" * 400,
    "marks": "e" + "\u0301" * 3000,
    "formula": '=HYPERLINK("https://evil.example","clic")',
    "plus": "+1+1",
    "at": "@SUM(A1:A9)",
    "dash": "-2+3",
    "quoted": "'=1+1",
}
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")
OURS = {"", "0", "1", "2", "31", "32", "33"}
"""Bold, dim, red, green, yellow: all the styles that cm uses."""


def harmless(done: Completed, width: int) -> None:
    """What was printed obeys nobody and stays inside the terminal."""
    for text in (done.out, done.err):
        assert not FORBIDDEN.search(text)
    for line in done.out.splitlines():
        assert cell_len(line) <= width
        assert line == line.rstrip(" ")


@pytest.fixture
def written(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with hostile posts, all of one story, as far as they come through the door."""
    sql(example, "UPDATE post SET state = 'cancelled', wake_at = NULL")
    monkeypatch.setenv("CM_ACTOR", "camille")
    for index, (name, text) in enumerate(ATTACKS.items()):
        at = f"2026-11-{23 + index // 3}T{9 + index % 3:02d}:00"
        given_ = ("--channel", "facebook", "--kind", "thanks", "--field", f"place={text[:200]}", "--ref", name)
        rest = ("--at", at, "--story", "attaque", "-F", "-", "--first-comment", text[:300] or "x")
        done = run(*NOW, "post", "add", *given_, *rest, cwd=example, stdin=text.encode())
        assert done.code == 0, done.err
        assert not FORBIDDEN.search(done.out + done.err)
    return example


@pytest.fixture
def attacked(written: Path) -> Path:
    """The same with what the door keeps out: it may stand in a database from before, or come in by another way."""
    plant(written)
    return written


def plant(root: Path) -> None:
    """Put the hostile texts into the posts as they are."""
    for name, text in ATTACKS.items():
        fields = json.dumps({"place": text[:200]})
        sql(root, "UPDATE post SET text = ?, first_comment = ?, fields = ? WHERE ref = ?", text, text, fields, name)
        sql(root, "UPDATE message SET text = ? WHERE post_id = (SELECT id FROM post WHERE ref = ?)", text, name)


@pytest.mark.parametrize("width", [80, 160])
def test_lists_and_cards(attacked: Path, run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    week = ("--week", "2026-W48")
    listed = run("post", "list", "--story", "attaque", cwd=attacked)
    harmless(listed, width)
    assert len(listed.out.splitlines()) == 2 + len(ATTACKS)
    harmless(run("calendar", "show", *week, cwd=attacked), width)
    harmless(run("calendar", "show", *week, "--list", cwd=attacked), width)
    harmless(run("calendar", "gaps", *week, cwd=attacked), width)
    harmless(run("story", "attaque", cwd=attacked), width)
    for name in ATTACKS:
        harmless(run("post", "show", name, cwd=attacked), width)
    markup = run("post", "show", "markup", cwd=attacked).out
    assert "[red]rouge[/red] [/] [bold]x" in " ".join(markup.split())
    assert ":smiley:" in markup
    assert "[red]rouge[/red]" in listed.out
    assert r"\x1b[31m" in run("post", "show", "ansi", cwd=attacked).out


@pytest.mark.parametrize("width", [80, 160])
def test_the_report(written: Path, run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert run("publish", "--replay", "2026-11-23..2026-11-30", cwd=written).code in (0, 7)
    plant(written)
    assert run("--now", "2026-11-30T07:30", "metrics", "collect", cwd=written).code == 0
    done = run("--now", "2026-11-30T08:05", "report", "week", cwd=written)
    assert done.code == 0
    assert "Most engaging posts" in done.out
    harmless(done, width)


def test_forced_colour_is_ours_alone(attacked: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    commands = (("post", "list"), ("calendar", "--week", "2026-W48"), ("story", "attaque"), ("post", "ansi"))
    coloured = [run(*command, cwd=attacked).out for command in commands]
    assert any(SGR.search(out) for out in coloured)
    for out in coloured:
        for found in SGR.findall(out):
            assert set(found[2:-1].split(";")) <= OURS
        assert not FORBIDDEN.search(SGR.sub("", out))
    monkeypatch.setenv("NO_COLOR", "1")
    for command in commands:
        styles = {code for found in SGR.findall(run(*command, cwd=attacked).out) for code in found[2:-1].split(";")}
        assert not styles & {"31", "32", "33"}


def test_states_are_told_without_colour(example: Path, run: Run) -> None:
    sql(example, "UPDATE post SET state = 'failed', wake_at = NULL WHERE id = 1")
    assert "✗ failed" in run("post", "list", "--week", "2026-W48", cwd=example).out
    shown = run("--now", "2026-11-23T09:00", "calendar", "--week", "2026-W48", cwd=example)
    assert "08:30 ✗ p1 La semaine" in shown.out
    assert "08:00 ○ p6 late: Semaine" in shown.out
    assert "✗ 1 failed" in shown.err


def test_exports_hold_no_formula(attacked: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path) -> None:
    for excel in ((), ("--excel",)):
        file = tmp_path / f"out{len(excel)}.csv"
        assert run("calendar", "export", str(file), *excel, cwd=attacked).code == 0
        text = file.read_bytes().decode("utf-8-sig")
        cells = [
            cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=";" if excel else ",") for cell in row
        ]
        assert any(cell.startswith("'=HYPERLINK") for cell in cells)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        again = run_json(*NOW, "calendar", "import", str(file), cwd=attacked)
        assert (again["created"], again["updated"]) == (0, 0)
        assert again["errors"] == []


def test_nul_is_refused_everywhere(example: Path, run: Run) -> None:
    header = b"channel,date,time,kind,text\r\n"
    done = run(
        *NOW, "calendar", "import", "-", cwd=example, stdin=header + b"facebook,2026-11-28,20:00,thanks,a\0b\r\n"
    )
    assert done.code == 4
    assert "NUL" in done.out
    harmless(done, 120)


@pytest.mark.parametrize("width", [80, 160])
def test_import_errors(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["ref", "channel", "date", "time", "kind", "text"])
    for name, text in ATTACKS.items():
        writer.writerow([name, text, text, text, text, text])
        writer.writerow([text, "facebook", "2026-11-28", "20:00", "thanks", text])
    done = run(*NOW, "calendar", "import", "-", cwd=example, stdin=table.getvalue().encode())
    assert done.code == 4
    assert "reason" in done.out
    harmless(done, width)


def test_import_changes(attacked: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    exported = run("calendar", "export", "--channel", "facebook", cwd=attacked).out
    rows = list(csv.reader(io.StringIO(exported, newline="")))
    at = rows[0].index("text")
    changed = io.StringIO(newline="")
    csv.writer(changed).writerows([rows[0], *([*row[:at], row[at] + " fin", *row[at + 1 :]] for row in rows[1:])])
    done = run(*NOW, "calendar", "import", "-", "--dry-run", cwd=attacked, stdin=changed.getvalue().encode())
    assert done.code == 0, done.err
    assert f"{len(ATTACKS)} updated" in done.err
    harmless(done, 80)


def test_configured_values(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    attack = ATTACKS["ansi"] + ATTACKS["bidi"] + ATTACKS["markup"]

    def change(data: dict[str, Any]) -> None:
        data["channels"]["facebook"].update(account=attack, purpose=attack, address=attack)
        data["people"]["camille"]["name"] = attack
        data["establishment"]["name"] = attack

    change_config(example, change)
    for command in (("channel",), ("channel", "facebook"), ("report", "2026-W48"), ("config",)):
        done = run(*command, cwd=example)
        assert done.code == 0
        harmless(done, 80)
    change_config(example, lambda data: data["channels"].update({f"{attack}": {"owner": attack}}))
    done = run("config", "check", cwd=example)
    assert done.code == 3
    harmless(done, 80)


@pytest.mark.parametrize("name", ["ansi", "osc", "controls", "bidi", "markup", "wide"])
def test_error_messages(example: Path, run: Run, name: str) -> None:
    attack = ATTACKS[name]
    commands = (
        ("post", attack),
        ("story", attack),
        ("channel", attack),
        ("post", "list", "--channel", attack),
        ("post", "list", "--week", attack),
        ("post", "list", "--audience", attack),
        ("post", "list", f"--{attack}"),
        (attack,),
        ("--as", attack, "post", "list"),
        ("--now", attack, "post", "list"),
        ("-C", attack, "post", "list"),
        ("post", "add", "-c", "facebook", "--kind", attack, "--text", "a"),
        ("calendar", "import", attack),
        ("calendar", "export", f"absent/{attack}"),
    )
    for command in commands:
        done = run(*command, cwd=example)
        assert done.code in (2, 3, 5), command
        harmless(done, 120)
        as_json = run(*command, "--json", cwd=example)
        assert not FORBIDDEN.search(as_json.out + as_json.err)


def test_broken_bytes_of_an_argument(example: Path, run: Run) -> None:
    broken = b"caf\xe9".decode("utf-8", "surrogateescape")
    for command in (("post", broken), ("post", "list", "--audience", broken), (broken,), ("-C", broken, "post")):
        for flags in ((), ("--json",)):
            done = run(*command, *flags, cwd=example)
            assert done.code in (2, 3, 5)
            assert "Traceback" not in done.err


# --- the rules behind it ----------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT)
def test_safe_shows_nothing_that_acts(text: str) -> None:
    for newlines in (False, True):
        shown = safe(text, newlines=newlines)
        assert all(unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") or sign == "\n" for sign in shown)
        assert not FORBIDDEN.search(shown)
        assert newlines or "\n" not in shown
        shown.encode()


@given(ANY_TEXT, st.integers(2, 60))
def test_an_excerpt_is_one_line_of_its_width(text: str, width: int) -> None:
    short = excerpt(text, width)
    assert cell_len(short) <= width
    assert "\n" not in short


@given(ANY_TEXT)
def test_json_means_what_it_meant(text: str) -> None:
    written = json_text({"text": text})
    assert json.loads(written) == {"text": text}
    assert not FORBIDDEN.search(written)
    written.encode()


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2)), min_size=1, max_size=9),
    st.integers(30, 200),
)
def test_columns_fit(asked: list[tuple[int, int, int]], width: int) -> None:
    wishes = [Wish(max(a, b), min(a, b), spare) for a, b, spare in asked]
    widths = fit(wishes, width)
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= width
    assert all(1 <= cells <= wishes[index].natural for index, cells in widths.items())
    left_out = [wish for index, wish in enumerate(wishes) if index not in widths]
    assert all(wish.spare for wish in left_out)


# --- terminals --------------------------------------------------------------------------------------------------------


def test_an_export_on_a_terminal_is_harmless(attacked: Path) -> None:
    """Into a pipe or a file go the very bytes; a terminal is shown what they are."""
    reading, writing = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "cm", "calendar", "export", "--channel", "facebook"], cwd=attacked, stdout=writing
    )
    os.close(writing)
    shown = b""
    with suppress(OSError):  # what a terminal says when the last writer has left
        while block := os.read(reading, 65536):
            shown += block
    os.close(reading)
    assert done.wait(timeout=30) == 0
    text = shown.decode().replace("\r\n", "\n")
    assert r"\x1b[31m" in text
    assert not FORBIDDEN.search(text)


def test_a_terminal_without_our_signs(example: Path) -> None:
    command = [sys.executable, "-m", "cm", "post", "list", "--week", "2026-W48"]
    done = subprocess.run(
        command, cwd=example, env={**os.environ, "PYTHONIOENCODING": "latin-1"}, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"? scheduled" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_bug_is_told_harmlessly(example: Path, run: Run) -> None:
    sql(example, "UPDATE post SET fields = ? WHERE id = 1", '{"a": \x1b[31m token=s3cr3t')
    done = run("post", "list", cwd=example)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("This is a bug in cm; nothing more was done.\n")
    assert "s3cr3t" not in done.err
    harmless(done, 120)
