"""`cm config trust`: a command of the configuration runs only once a person has seen it, and not after a change."""

import sys
from pathlib import Path

import pytest
import yaml
from conftest import Run
from support_publish import channel, make_workspace
from support_terminal import typed

from cm.workspace import open_workspace

COMMAND = f"command:{sys.executable} -c 'print(\"token-printed\")'"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w", {"fb": channel("page", token=COMMAND)})


def token(root: Path) -> str | None:
    opened = open_workspace(root, as_system=True)
    try:
        return opened.login("fb").token()
    finally:
        opened.close()


def secrets_of(run: Run, root: Path) -> list[str]:
    found = run("doctor", "--json", cwd=root).json["findings"]
    return [each["what"] for each in found if each["group"] == "secrets"]


def test_a_person_sees_what_would_run_and_says_yes(root: Path, run: Run) -> None:
    assert "was trusted" in secrets_of(run, root)[0]
    code, seen = typed("config", "trust", keys="n\n", cwd=root)
    assert (code, "token-printed" in seen) == (4, True)
    assert "was trusted" in secrets_of(run, root)[0]
    code, seen = typed("config", "trust", keys="y\n", cwd=root)
    assert code == 0, seen
    assert "1 command is trusted: until config.yaml changes" in seen
    assert secrets_of(run, root) == ["1 secret can be read."]
    assert token(root) == "token-printed"


def test_a_program_must_say_yes(root: Path, run: Run, run_json) -> None:
    assert run("config", "trust", cwd=root).code == 2
    assert run_json("config", "trust", "--yes", cwd=root)["commands"] == [COMMAND]
    assert token(root) == "token-printed"


def test_any_change_of_the_file_takes_it_back(root: Path, run: Run, run_json) -> None:
    run_json("config", "trust", "--yes", cwd=root)
    text = (root / "config.yaml").read_text(encoding="utf-8")
    (root / "config.yaml").write_text(text + "# harmless\n", encoding="utf-8")
    assert "was trusted" in secrets_of(run, root)[0]
    (root / "config.yaml").write_text(text, encoding="utf-8")
    assert token(root) == "token-printed"
    assert run_json("config", "trust", "--take-back", cwd=root)["commands"] == []
    assert "was trusted" in secrets_of(run, root)[0]


def test_nothing_to_trust_trusts_nothing(root: Path, run_json) -> None:
    run_json("config", "trust", "--yes", cwd=root)
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    del data["channels"]["fb"]["token"]
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    assert run_json("config", "trust", cwd=root)["commands"] == []


@pytest.mark.parametrize("written", ["command:", "command:  ", "keyring:alone", "token-printed", "command:a\nb"])
def test_what_is_no_reference(root: Path, run: Run, written: str) -> None:
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    data["channels"]["fb"]["token"] = written
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    done = run("config", "check", cwd=root)
    assert done.code == 3
    assert "a token never stands in this file" in done.err
    assert "token-printed" not in done.err


def test_a_deputy_is_one_of_the_people(root: Path, run: Run) -> None:
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    data["channels"]["fb"]["deputy"] = "nobody"
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    done = run("config", "check", cwd=root)
    assert (done.code, "'nobody' is nobody of `people:`" in done.err) == (3, True)
