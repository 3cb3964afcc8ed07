"""What people see: whole terminal windows in both languages, kept beside the tests and looked at.

`make screens` draws them anew after a change of the interface; then look at the difference.
"""

import os
from pathlib import Path

import pytest
from support_screen import capture

from cm.__main__ import main

SCREENS = Path(__file__).with_name("screens")
SIZES = {"80x24": (80, 24), "160x50": (160, 50)}
NOW = "2026-11-30T08:05"
COMMANDS = {"cm": [], "week": ["week"], "report": ["report", "week"]}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The example on the Monday after its first week: published, measured, and a Sunday on which cron did not run."""
    root = tmp_path_factory.mktemp("screens") / "hospital"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CM_ACTOR", "camille")
        for args in (
            ["--now", "2026-11-20T09:00", "init", str(root)],
            ["-C", str(root), "--now", "2026-11-23T00:00", "metrics", "collect"],
            ["-C", str(root), "publish", "--quiet", "--replay", "2026-11-23..2026-11-29"],
            ["-C", str(root), "--now", "2026-11-30T07:30", "metrics", "collect"],
            ["-C", str(root), "--now", NOW, "publish", "--quiet"],
        ):
            patch.setattr("sys.argv", ["cm", *args])
            assert main() in (0, 7)
    return root


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("plain", [False, True], ids=["", "plain"])
def test_the_window_looks_as_it_was_looked_at(lived, name, size, language, plain):
    columns, lines = SIZES[size]
    args = ["--now", NOW, *(["--plain"] if plain else []), *COMMANDS[name]]
    seen = capture(args, cwd=lived, columns=columns, lines=lines, env={"CM_LANG": language, "CM_ACTOR": "camille"})
    kept = SCREENS / f"{name}-{size}-{language}{'-plain' if plain else ''}.txt"
    if os.environ.get("SCREENS") == "draw":
        SCREENS.mkdir(exist_ok=True)
        kept.write_text(seen, encoding="utf-8")
    assert seen == kept.read_text(encoding="utf-8"), "make screens, and look at what changed"
    if not name:
        assert len(seen.splitlines()) <= 24
