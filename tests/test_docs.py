"""What README and the shipped system files say is run, as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
from support_publish import cm

from cm.cli.lazy import NOUNS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ONLY_FOR_OPEN_POSTS = "post confirm"


def console_lines() -> list[str]:
    """Every command of README's console blocks, continued lines joined."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


@pytest.mark.row("S146")
def test_readmes_commands_run_in_their_order(tmp_path):
    commands = [shlex.split(line, comments=True) for line in console_lines()]
    assert commands[:2] == [["make", "demo"], ["make", "test"]], "the two commands of a newcomer come first"
    report = next(index for index, args in enumerate(commands) if "report" in args)
    assert report - 1 <= 6, "a first weekly report takes at most six commands"
    for args in commands[2:]:
        assert args[0] == "cm"
        answer = cm(*args[1:], cwd=tmp_path)
        expected = 4 if args[1:3] == ONLY_FOR_OPEN_POSTS.split() else 0
        assert answer.returncode == expected, (args, answer.stderr)
        if args[1:3] == ["report", "week"] and len(args) > 3:
            assert "SIMULATION" in answer.stdout
            assert "27" in answer.stdout


def test_every_noun_that_documents_name_exists():
    named = set(re.findall(r"`cm (?:--\S+ \S+ )?([a-z]+)", README + (ROOT / "docs" / "architecture.md").read_text()))
    assert named <= set(NOUNS)


def test_the_crontabs_lines_run(tmp_path):
    cm("--now", "2026-11-20T09:00", "init", str(tmp_path / "w"))
    lines = [
        line
        for line in (ROOT / "schedules" / "system" / "crontab").read_text(encoding="utf-8").splitlines()
        if re.match(r"[\d*]", line)
    ]
    assert len(lines) == 4
    for line in lines:
        command = shlex.split(line.split(None, 5)[5].split(">")[0])
        args = [str(tmp_path / "w") if part == "/srv/cm" else part for part in command]
        assert Path(args[0]).name == "cm"
        answer = cm(*args[1:])
        assert answer.returncode in (0, 7), (line, answer.stderr)


def test_the_units_start_the_same_command():
    service = (ROOT / "schedules" / "system" / "cm-publish.service").read_text(encoding="utf-8")
    start = re.search(r"^ExecStart=(.*)$", service, re.MULTILINE)
    assert start
    assert start[1].endswith("cm publish --quiet")
    assert "OnCalendar=minutely" in (ROOT / "schedules" / "system" / "cm-publish.timer").read_text(encoding="utf-8")
