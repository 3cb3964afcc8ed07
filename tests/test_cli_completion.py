"""The shell completes commands, options and values; names that a shell would obey are never offered."""

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support_cli import change_config, fresh, loaded, sql

from cm.cli import completion, shells
from cm.store import names, tick

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    'a"b',
    "a'b",
    "a\nb",
    "*",
    "-rf",
    "~root",
    "a&b",
    "a|b",
    "=ls",
]


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder with a `cm` in it that runs this tree."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "cm"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cm "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return folder


def offered(line: str, *, cwd: Path | None = None, breaks: str = "") -> list[str]:
    """The names that a shell is given for `line`."""
    done = fresh(cwd=cwd, _CM_COMPLETE="complete_cm", CM_COMPLETE_LINE=line, CM_COMPLETE_BREAKS=breaks)
    assert done.err == ""
    assert not loaded(done.modules, "sqlalchemy", "sqlmodel", "httpx", "alembic", "openpyxl", "holidays")
    return [row.split("\t")[0] for row in done.out.splitlines() if row]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("cm ca", {"calendar"}),
        ("cm post ca", {"cancel"}),
        ("cm post list --chan", {"--channel"}),
        ("cm post list -c ", {"facebook", "twitter"}),
        ("cm post list --channel=fa", {"--channel=facebook"}),
        ("cm channel check tw", {"twitter"}),
        ("cm post show p10", {"p10", "p100", "p101"}),
        ("cm post p10", {"p10"}),
        ("cm post move fb-d00-", {"fb-d00-a"}),
        ("cm post edit p1 --kind pr", {"press_release", "press_relay", "prevention"}),
        ("cm post add --theme prev", {"prevention"}),
        ("cm post add --audience ", {"public", "students"}),
        ("cm story show vacc", {"vaccination-des-equipes"}),
        ("cm post list st", {"state:", "story:"}),
        ("cm move state:missed cha", {"channel:"}),
        ("cm move state:missed channel:", {"channel:facebook", "channel:twitter"}),
        ("cm find grippe theme:prev", {"theme:prevention"}),
    ],
)
def test_values_of_the_workspace_are_offered(example: Path, line: str, some: set[str]) -> None:
    assert some <= set(offered(line, cwd=example))


def test_the_workspace_of_C_is_asked(example: Path, tmp_path: Path) -> None:
    assert offered(f"cm -C {example} post list -c ", cwd=tmp_path) == ["facebook", "twitter"]
    assert offered("cm -C /nowhere post list -c ", cwd=tmp_path) == []


def test_what_the_configuration_adds_is_offered(example: Path) -> None:
    change_config(example, lambda data: data.update(audiences={"schools": "Écoles"}))
    assert offered("cm post add --audience sch", cwd=example) == ["schools"]


def test_the_nearest_posts_come_first(example: Path) -> None:
    sql(example, "UPDATE post SET scheduled_at = datetime('now') WHERE id = 77")
    assert names.posts(str(example), "p", 4e9)[0][0] != "p77"
    now = float(sql(example, "SELECT unixepoch('now')")[0][0])
    assert names.posts(str(example), "p", now)[0][0] == "p77"


@pytest.mark.parametrize("ref", HOSTILE)
def test_hostile_refs_are_not_offered(example: Path, ref: str) -> None:
    sql(example, "UPDATE post SET ref = ?, text = ? WHERE id = 1", ref, f"{ref}\x1b[31m\t\n")
    sql(example, "UPDATE story SET ref = ?, title = ? WHERE id = 1", ref, ref)
    done = fresh(cwd=example, _CM_COMPLETE="complete_cm", CM_COMPLETE_LINE="cm post show ")
    assert "\x1b" not in done.out
    for row in done.out.splitlines():
        assert completion.HARMLESS.fullmatch(row.split("\t")[0]), row
    assert ref not in offered("cm story show ", cwd=example)


@pytest.mark.parametrize("trouble", ["none", "schema", "garbage", "elsewhere", "locked"])
def test_trouble_offers_nothing_and_says_nothing(example: Path, trouble: str) -> None:
    database = example / tick.DATABASE
    if trouble == "none":
        (example / "config.yaml").unlink()
    elif trouble == "schema":
        sql(example, "PRAGMA user_version = 999")
    elif trouble == "garbage":
        database.write_bytes(b"no database at all" * 500)
    elif trouble == "elsewhere":
        (example / tick.MARKER).write_text("postgresql", encoding="utf-8")
    else:
        database.unlink()
    assert offered("cm post list -c ", cwd=example) == []
    assert offered("cm post show ", cwd=example) == []


def test_a_broken_configuration_leaves_the_shipped_values(example: Path) -> None:
    (example / "config.yaml").write_text("audiences: [", encoding="utf-8")
    assert "public" in offered("cm post add --audience p", cwd=example)


def test_filters_complete_behind_their_colon() -> None:
    class Context:
        def __init__(self):
            self.params = {}

        def find_root(self):
            return self

    context = Context()
    assert ("state:", "") in completion.filters(context, "st")
    assert completion.filters(context, "state:mi") == [("state:missed", "")]
    assert completion.filters(context, "not-state:failed,mi") == [("not-state:failed,missed", "")]
    assert completion.filters(context, "is:over") == [("is:overdue", ""), ("is:over", "")]
    assert completion.filters(context, "text:x") == []
    assert completion.filters(context, "nothing:x") == []


def test_every_value_that_is_offered_is_understood(example: Path, run) -> None:
    for token in offered("cm post list week:", cwd=example) + offered("cm move day:", cwd=example):
        assert run("--now", "2026-11-23T09:00", "post", "list", token, cwd=example).code == 0, token


# --- bash -------------------------------------------------------------------------------------------------------------


def typed(keys: str, shell: list[str], cwd: Path, bin_folder: Path, ready: str) -> str:
    """What an interactive shell shows after `keys` were typed into it, once `ready` (a sign of the end) is seen."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "PS1": "$ ", "TERM": "dumb"}
    process = subprocess.Popen(
        shell, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = ""
    try:
        os.write(ours, keys.encode())
        while ready not in shown and select.select([ours], [], [], 30)[0]:
            shown += os.read(ours, 65536).decode(errors="replace")
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown


@pytest.fixture
def bash(example: Path, bin_folder: Path, tmp_path: Path):
    """`bash(LINE, KEYS)`: the line that bash would run after the keys were typed."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    script = tmp_path / "completion.bash"
    script.write_text(shells.BASH, encoding="utf-8")

    def complete(keys: str) -> str:
        # Ctrl-A puts `echo` before what completion has made of the line: it is shown, not run
        typing = f"bind 'set bell-style none'; source '{script}'\n{keys}\x01echo '<<' \x05 '>'\\>\n"
        shown = typed(typing, ["bash", "--norc", "--noprofile", "-i"], example, bin_folder, ">>\r\n")
        return " ".join(shown.rpartition("<< ")[2].partition(" >>")[0].split())

    return complete


def test_bash_completes_a_channel(bash) -> None:
    assert bash("cm post list -c fa\t") == "cm post list -c facebook"


def test_bash_completes_behind_signs_at_which_it_breaks_words(bash) -> None:
    assert bash("cm post list --channel=tw\t") == "cm post list --channel=twitter"


def test_bash_completes_filters_and_leaves_the_cursor_behind_the_colon(bash) -> None:
    assert bash("cm post list stat\tmis\t") == "cm post list state:missed"


def test_bash_completes_files_where_a_file_is_wanted(bash, example: Path) -> None:
    (example / "nachricht.txt").touch()
    assert bash("cm post add -F nach\t") == "cm post add -F nachricht.txt"


def test_bash_quotes_blanks(bash, example: Path) -> None:
    sql(example, "UPDATE post SET theme = 'Santé publique' WHERE id = 1")
    assert bash("cm post add --theme San\t") == "cm post add --theme Santé publique"


@pytest.mark.parametrize("ref", ["zz$(touch pwned)", "zz`touch pwned`", "zz;touch pwned", "zz*"])
def test_bash_runs_nothing_of_a_ref(bash, example: Path, ref: str) -> None:
    sql(example, "UPDATE post SET ref = ? WHERE id = 1", ref)
    assert bash("cm post show zz\t\t") == "cm post show zz"
    assert not (example / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_good_shell(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = tmp_path / "script"
    script.write_text(shells.SCRIPTS[shell], encoding="utf-8")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_asks_in_the_same_way(shell: str) -> None:
    text = shells.SCRIPTS[shell]
    for needed in ("_CM_COMPLETE", "complete_cm", shells.LINE, "2>/dev/null"):
        assert needed in text
    assert "eval" not in text


# --- showing and installing -------------------------------------------------------------------------------------------


def test_the_script_is_shown(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert run("--show-completion").out == shells.ZSH


def test_an_unknown_shell_is_refused(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = run("--show-completion")
    assert done.code == 2
    assert "tcsh" in done.err
    assert "SHELL=bash" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_installing_twice_adds_one_line(run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    start_file = Path.home() / f".{shell}rc"
    start_file.write_text("alias ll='ls -l'", encoding="utf-8")
    for _ in range(2):
        assert run("--install-completion").code == 0
    before, line = start_file.read_text(encoding="utf-8").splitlines()
    assert before == "alias ll='ls -l'"
    path = Path(line.removeprefix("source '").removesuffix("'"))
    assert path.read_text(encoding="utf-8") == shells.SCRIPTS[shell]


def test_fish_needs_no_start_file(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    done = run("--install-completion")
    assert done.code == 0
    assert (Path.home() / ".config/fish/completions/cm.fish").read_text(encoding="utf-8") == shells.FISH
