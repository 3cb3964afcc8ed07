"""docs/tour.md is a recorded session: every command is typed again, every line it printed is compared.

`make screens` records it anew after a change of the interface; then look at the difference.
"""

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from support_screen import capture_shell

ROOT = Path(__file__).resolve().parents[1]
TOUR = ROOT / "docs" / "tour.md"
BLOCK = re.compile(r"```session\n(.*?)```", re.DOTALL)
CM = f'cm() {{ {shlex.quote(sys.executable)} -m cm --as camille --now 2026-11-30T08:05 "$@"; }}'


def prepared(text: str) -> list[str]:
    """The commands that make the workspace, from the page's first block."""
    first = re.search(r"```console\n(.*?)```", text, re.DOTALL)[1]
    lines = [line.removeprefix("$ ") for line in first.splitlines()]
    return [line for line in lines if not line.startswith("alias")]


def test_the_tour_can_be_taken(tmp_path):
    text = TOUR.read_text(encoding="utf-8")
    plain = f'cm() {{ {shlex.quote(sys.executable)} -m cm "$@"; }}'
    capture_shell([plain, *prepared(text)], cwd=tmp_path, columns=80, env={"CM_LANG": "en"})
    workspace = tmp_path / "hospital"
    assert (workspace / "cm.db").is_file()

    def replay(block: re.Match[str]) -> str:
        commands = [line.removeprefix("$ ") for line in block[1].splitlines() if line.startswith("$ ")]
        seen = ""
        for command in commands:
            printed = capture_shell([CM, command], cwd=workspace, columns=80, env={"CM_LANG": "en"})
            seen += f"$ {command}\n{printed}"
        return f"```session\n{seen}```"

    replayed = BLOCK.sub(replay, text)
    if os.environ.get("SCREENS") == "draw":
        TOUR.write_text(replayed, encoding="utf-8")
    assert replayed == text, "make screens, and look at what changed"
    if not BLOCK.search(text):
        pytest.fail("no session in the tour")
