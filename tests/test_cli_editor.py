"""`cm add` and `cm edit` with real editors (small scripts), at a real terminal, and with everything that goes wrong."""

import os
import pty
import re
import resource
import select
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support_cli import change_config, fresh, loaded, sql
from support_pictures import tiny

from cm.calendar.draftbox import waiting
from cm.cli.editor import editor
from cm.errors import WorkspaceError

NOW = ("--now", "2026-11-20T12:00")
EDITORS = Callable[..., Path]
FULL = 36 * 1024
"""So many bytes may a file have where the disk is full: a draft, SQLite's index of the log, but no commit."""


@pytest.fixture
def edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EDITORS:
    """`edits(code)`: from now on the editor runs that Python; `path` is the file and `text` what stands in it.

    Each run of it leaves what it saw in `seen-N.txt` beside the workspace.
    """

    def make(code: str, *, arguments: str = "") -> Path:
        script = tmp_path / "editor.py"
        script.write_text(
            "import os, pathlib, signal, subprocess, sys\n"
            "path = pathlib.Path(sys.argv[-1])\n"
            "text = path.read_text(encoding='utf-8')\n"
            "here = pathlib.Path(__file__).parent\n"
            "run = len(list(here.glob('seen-*.txt')))\n"
            "(here / f'seen-{run}.txt').write_text(text, encoding='utf-8')\n" + textwrap.dedent(code),
            encoding="utf-8",
        )
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{script}' {arguments}".strip())
        return tmp_path

    return make


WRITE = """
def say(text, **header):
    for name, value in header.items():
        text = text.replace(f"\\n{name}:", f"\\n{name}: {value}", 1)
    return text
for channel, words in {"facebook": "Portes ouvertes samedi !", "twitter": "Journée portes ouvertes"}.items():
    text = text.replace(f"=== {channel}\\n", f"=== {channel}\\n{words}\\n")
"""
SAVE = WRITE + "path.write_text(text, encoding='utf-8')\n"


def posts_of(root: Path, run: Run, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("post", "list", *args, "--json", cwd=root).json["posts"]
    return found


def drafts(root: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in waiting(root)]


def count(root: Path) -> int:
    return int(sql(root, "SELECT count(*) FROM post")[0][0])


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("S3")
def test_one_file_becomes_one_story_on_two_channels(example: Path, edits: EDITORS, run: Run) -> None:
    folder = edits(SAVE)
    made = run(*NOW, "add", "-c", "fb,x", "--link", "https://hopital.example/portes", "--json", cwd=example)
    assert (made.code, made.err) == (0, "")
    assert made.json["story"] == "portes-ouvertes-samedi"
    facebook, twitter = made.json["posts"]
    assert (facebook["channel"], facebook["text"]) == ("facebook", "Portes ouvertes samedi !")
    assert (twitter["channel"], twitter["text"]) == ("twitter", "Journée portes ouvertes")
    assert {post["link"] for post in made.json["posts"]} == {"https://hopital.example/portes"}
    assert {post["story"] for post in made.json["posts"]} == {"portes-ouvertes-samedi"}
    assert {post["state"] for post in made.json["posts"]} == {"scheduled"}
    assert drafts(example) == []
    seen = (folder / "seen-0.txt").read_text(encoding="utf-8")
    assert "%% Next open slot: Friday 20 November 2026, 12:30." in seen
    assert "link: https://hopital.example/portes" in seen
    assert "press_relay → field source, link" in seen.replace("\n%% ", " ")


def test_what_one_file_made_is_one_step_to_undo(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    steps = len(sql(example, "SELECT id FROM change"))
    assert run(*NOW, "add", "-c", "fb,x", cwd=example).code == 0
    assert [row[0] for row in sql(example, "SELECT verb FROM change")][steps:] == ["post.add"]


def test_the_next_open_slot_is_said_before_saving(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    done = run(*NOW, "add", "-c", "fb,x", cwd=example)
    assert done.code == 0
    assert done.out == ""
    assert done.err.index("facebook · Friday 20 November 2026, 12:30") < done.err.index("p111")
    assert "Portes ouvertes samedi !" in done.err


def test_a_second_story_of_the_same_words_has_a_name_of_its_own(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    first = run(*NOW, "add", "-c", "fb,x", "--json", cwd=example).json
    second = run(*NOW, "add", "-c", "fb,x", "--json", cwd=example).json
    assert (first["story"], second["story"]) == ("portes-ouvertes-samedi", "portes-ouvertes-samedi-2")


def test_times_may_be_said_in_words_and_for_one_channel(example: Path, edits: EDITORS, run: Run) -> None:
    edits(
        WRITE + "text = say(text, time='samedi 28/11 9h').replace('=== twitter', '=== twitter @ 29/11 18h30')\n"
        "path.write_text(text, encoding='utf-8')"
    )
    made = run(*NOW, "add", "-c", "fb,x", "--json", cwd=example).json
    assert [post["wall"] for post in made["posts"]] == ["2026-11-28T09:00", "2026-11-29T18:30"]


def test_everything_of_the_form_arrives(example: Path, edits: EDITORS, run: Run) -> None:
    (example / "media" / "a.jpg").write_bytes(tiny())
    edits(
        WRITE + "text = say(text, kind='event', theme='Santé', campaign='hiver', audiences='public, families',"
        " language='fr', media='a.jpg', alt='Une infirmière', first_comment='Merci', story='portes')\n"
        "fields = 'field event_date: 2026-12-05\\nfield place: H'\n"
        "text = text.replace('kind: event announcement', 'kind: event\\n' + fields)\n"
        "path.write_text(text, encoding='utf-8')"
    )
    post = run(*NOW, "add", "-c", "fb", "--json", cwd=example).json
    assert (post["kind"], post["fields"]) == ("event", {"event_date": "2026-12-05", "place": "H"})
    assert (post["theme"], post["campaign"], post["story"]) == ("Santé", "hiver", "portes")
    assert (post["audiences"], post["language"]) == (["public", "families"], "fr")
    assert post["media"] == [{"path": "a.jpg", "alt": "Une infirmière"}]
    assert [message["text"] for message in post["messages"]] == ["Portes ouvertes samedi !", "Merci"]


def test_lines_that_look_like_the_files_own_are_text(example: Path, edits: EDITORS, run: Run) -> None:
    words = "#soins\n\x1b[31mrouge\n---\n\\=== facebook\n\\%% fin\n# Titre"
    edits(f"path.write_text(text.replace('=== facebook\\n', '=== facebook\\n' + {words!r} + '\\n'), encoding='utf-8')")
    done = run(*NOW, "add", "-c", "fb", cwd=example)
    assert done.code == 0
    assert "\x1b" not in done.err
    post = posts_of(example, run, "--channel", "facebook")[0]
    assert post["text"].replace("\x1b", "").endswith("---\n=== facebook\n%% fin\n# Titre")


def test_the_text_stands_in_no_log(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    run(*NOW, "add", "-c", "fb,x", cwd=example)
    told = sql(example, "SELECT target, why, detail FROM action") + sql(example, "SELECT verb, created FROM change")
    assert "samedi" not in str(told)
    assert not any("samedi" in path.read_text() for path in (example / ".cm" / "log").iterdir())


def test_an_editor_with_arguments(example: Path, edits: EDITORS, run: Run) -> None:
    edits("assert sys.argv[1:-1] == ['--wait', 'a b']\n" + SAVE, arguments="--wait 'a b'")
    assert run(*NOW, "add", "-c", "fb", cwd=example).code == 0


def test_which_editor() -> None:
    assert editor({"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert editor({"VISUAL": " ", "EDITOR": "emacs -nw"}) == ["emacs", "-nw"]
    with pytest.raises(WorkspaceError, match="EDITOR cannot be read"):
        editor({"EDITOR": "vi 'half"})


# --- giving up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    ["", "path.write_text(text + '%% just a note\\n')", "path.write_text('')", "path.write_text('\\n%% a note\\n\\n')"],
)
def test_unchanged_or_empty_writes_nothing(example: Path, edits: EDITORS, run: Run, code: str) -> None:
    edits(code)
    done = run(*NOW, "add", "-c", "fb", "-k", "event", cwd=example)
    assert (done.code, done.out, done.err) == (4, "", "Nothing was written.\n")
    assert count(example) == 110
    assert drafts(example) == []


def test_without_terminal_and_editor_a_text_is_asked_for(example: Path, run: Run, monkeypatch: Any) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    done = run(*NOW, "add", "-c", "fb", cwd=example)
    assert (done.code, "no text" in done.err) == (2, True)
    assert run(*NOW, "edit", "p1", cwd=example).code == 2


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_remarks_stand_beside_what_they_concern(example: Path, edits: EDITORS, run: Run) -> None:
    edits(
        WRITE + "text = say(text, time='31/11 9h', theme='a')\n"
        "text = text.replace('kind: announcement', 'kind: event').replace('theme: a', 'teme: a')\n"
        "path.write_text(text, encoding='utf-8')"
    )
    done = run(*NOW, "add", "-c", "fb", "--json", cwd=example)
    assert (done.code, done.out) == (4, "")
    (text,) = drafts(example)
    lines = text.split("\n")
    assert "31/11" in lines[lines.index("time: 31/11 9h") + 1]
    at = lines.index("kind: event")
    assert lines[at + 1 : at + 5] == [
        "%%! A post of kind event needs event_date.", "field event_date:",
        "%%! A post of kind event needs place.", "field place:",
    ]  # fmt: skip
    assert "no line 'teme'" in lines[lines.index("teme: a") + 1]
    assert count(example) == 110


def test_a_remarked_file_is_mended_and_resumed(example: Path, edits: EDITORS, run: Run) -> None:
    folder = edits(WRITE + "path.write_text(say(text, time='31/11 9h'), encoding='utf-8')")
    refused = run(*NOW, "add", "-c", "fb,x", "--json", cwd=example)
    assert refused.code == 4
    edits("path.write_text(text.replace('31/11', '28/11'), encoding='utf-8')")
    made = run(*NOW, "add", "--resume", "--json", cwd=example)
    assert (made.code, made.err) == (0, "")
    assert [post["wall"] for post in made.json["posts"]] == ["2026-11-28T09:00"] * 2
    assert "%%! " in (folder / "seen-1.txt").read_text(encoding="utf-8")
    assert drafts(example) == []


def test_words_that_the_channel_has_already_are_noted(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    assert "very same text" not in run(*NOW, "add", "-c", "fb", cwd=example).err
    again = run(*NOW, "add", "-c", "fb,x", cwd=example)
    assert (again.code, again.err.count("p111 on facebook has the very same text.")) == (0, 1)


def test_a_time_that_the_clock_change_skips_is_said(example: Path, edits: EDITORS, run: Run) -> None:
    edits(WRITE + "path.write_text(say(text, time='28/03/2027 2h30'), encoding='utf-8')")
    done = run(*NOW, "add", "-c", "fb", cwd=example)
    assert done.code == 0
    assert "02:30 does not exist" in done.err
    quick = run(*NOW, "add", "-c", "fb", "Autre", "--at", "28/03/2027 2h30", "--json", cwd=example).json
    assert "02:30 does not exist" in quick["notes"][-1]


def test_a_full_day_is_said_at_the_channel_and_a_reason_may_be_written(example: Path, edits: EDITORS, run: Run) -> None:
    edits(WRITE + "path.write_text(say(text, time='23/11 21h'), encoding='utf-8')")
    refused = run(*NOW, "add", "-c", "fb", cwd=example)
    assert (refused.code, "--over REASON" in refused.err) == (4, True)
    edits("path.write_text('over: journée vaccination\\n' + text, encoding='utf-8')")
    made = run(*NOW, "add", "--resume", "--json", cwd=example)
    assert (made.code, made.json["over_reason"]) == (0, "journée vaccination")


def test_a_draft_may_be_incomplete(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    made = run(*NOW, "add", "-c", "fb", "-k", "event", "--draft", "--json", cwd=example)
    assert (made.code, made.json["state"], made.json["scheduled_at"]) == (0, "draft", None)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("path.write_text(text.replace('=== facebook', '=== nowhere\\na'))", "There is no channel 'nowhere'"),
        ("path.write_text(text + 'a\\n=== fb\\nb')", "facebook has a section already"),
        ("path.write_text('time: 28/11 9h')", "There is no section"),
        ("path.write_text(text.replace('link:', 'link: not an address') + 'a')", "A link begins with https://"),
        ("path.write_text(text.replace('audiences:', 'audiences: nobody') + 'a')", "there is no audience 'nobody'"),
        ("path.write_text(text.replace('media:', 'media: none.jpg') + 'a')", "there is no file 'none.jpg'"),
        ("path.write_text('draft: perhaps\\n' + text + 'a')", "Write yes or no"),
        ("path.write_text('ref: p12\\n' + text + 'a')", "looks like an id"),
        ("path.write_text(text.replace('kind: announcement', 'kind: nonsense') + 'a')", "there is no kind 'nonsense'"),
        ("path.write_text(text.replace('link:', 'link: https://a.example'))", "neither text nor a picture"),
        ("path.write_bytes(b'=== facebook\\ncaf\\xe9')", "is not UTF-8"),
    ],
)
def test_what_is_wrong_writes_nothing_and_keeps_the_file(
    example: Path, edits: EDITORS, run: Run, code: str, said: str
) -> None:
    edits(code)
    done = run(*NOW, "add", "-c", "fb", cwd=example)
    assert (done.code, done.out) == (4, "")
    assert said in done.err
    assert str(waiting(example)[0]) in done.err
    assert "cm add --resume" in done.err
    assert count(example) == 110


# --- the text is never lost -------------------------------------------------------------------------------------------


def test_a_kept_text_is_private(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE + "sys.exit(1)")
    run(*NOW, "add", "-c", "fb", cwd=example)
    (path,) = waiting(example)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("crash", "said"),
    [("sys.exit(1)", "ended with 1"), ("os.kill(os.getpid(), signal.SIGKILL)", "ended with -9")],
)
def test_an_editor_that_crashes_loses_nothing(
    example: Path, edits: EDITORS, run: Run, run_err: Any, crash: str, said: str
) -> None:
    edits(WRITE + "path.write_text(text[:-10], encoding='utf-8')\n" + crash)
    error = run_err(4, *NOW, "add", "-c", "fb,x", cwd=example)
    assert said in error["message"]
    assert error["draft"] == str(waiting(example)[0])
    assert "Portes ouvertes samedi !" in drafts(example)[0]
    assert count(example) == 110
    edits("")
    assert run(*NOW, "add", "--resume", cwd=example).code == 0
    assert count(example) == 112


def test_an_editor_left_with_an_error_and_an_untouched_form_leaves_no_file(
    example: Path, edits: EDITORS, run: Run
) -> None:
    edits("sys.exit(1)")
    assert run(*NOW, "add", "-c", "fb", cwd=example).code == 4
    assert drafts(example) == []


def test_an_editor_that_is_not_there(example: Path, run: Run, monkeypatch: Any) -> None:
    monkeypatch.setenv("EDITOR", "/nowhere/ed")
    done = run(*NOW, "add", "-c", "fb", cwd=example)
    assert (done.code, "/nowhere/ed cannot be started" in done.err) == (3, True)
    assert drafts(example) == []


def test_a_bug_loses_nothing(example: Path, edits: EDITORS, run: Run) -> None:
    """The database's table of stories is gone, as no code of ours expects."""
    edits(SAVE)
    sql(example, "ALTER TABLE action RENAME TO gone")
    done = run(*NOW, "add", "-c", "fb,x", cwd=example)
    assert done.code in (1, 3)
    assert "cm add --resume" in done.err
    assert "Portes ouvertes samedi !" in drafts(example)[0]


def command(root: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "cm", "-C", str(root), *NOW, *args]


def on_a_full_disk(root: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line whose files may not grow beyond `FULL`, as on a full disk."""

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))

    return subprocess.run(
        command(root, *args), preexec_fn=fill, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_a_full_disk_while_remarks_are_put_in_leaves_the_persons_file_as_it_is(
    example: Path, edits: EDITORS, run: Run
) -> None:
    size, head = FULL - 60, "time: 31/11 9h\nkind: thanks\n=== facebook\n"
    edits(f"path.write_text({head!r}.ljust({size}, 'a'), encoding='utf-8')")
    done = on_a_full_disk(example, "add", "-c", "fb")
    assert done.returncode == 4, done.stderr
    assert "your text is untouched" in done.stderr
    assert "31/11" in done.stderr
    assert drafts(example) == [head.ljust(size, "a")]
    assert [path.name for path in (example / ".cm" / "drafts").iterdir()] == [waiting(example)[0].name]
    edits("path.write_text(text.replace('31/11', '28/11'), encoding='utf-8')")
    assert run(*NOW, "add", "--resume", cwd=example).code == 0


def test_a_full_disk_while_the_posts_are_written_loses_nothing(example: Path, edits: EDITORS, run: Run) -> None:
    edits(SAVE)
    done = on_a_full_disk(example, "add", "-c", "fb,x")
    assert done.returncode == 3, done.stderr
    assert "cm add --resume" in done.stderr
    assert "Traceback" not in done.stderr
    assert count(example) == 110
    assert "Portes ouvertes samedi !" in drafts(example)[0]
    edits("")
    assert run(*NOW, "add", "--resume", cwd=example).code == 0
    assert count(example) == 112


def test_several_kept_texts(example: Path, edits: EDITORS, run: Run, run_err: Any) -> None:
    edits(SAVE + "sys.exit(1)")
    run(*NOW, "add", "-c", "fb", cwd=example)
    run(*NOW, "add", "-c", "x", cwd=example)
    older, newer = sorted(waiting(example), key=lambda path: "twitter" in path.name)
    os.utime(older, (1, 1))
    edits("")
    assert "no kept text 'other'" in run_err(5, *NOW, "add", "--resume", "other", cwd=example)["message"]
    done = run(*NOW, "add", "--resume", cwd=example)
    assert (done.code, older.name in done.err) == (0, True)
    assert not newer.exists()
    assert run(*NOW, "add", "--resume", older.name, cwd=example).code == 0
    assert run_err(5, *NOW, "add", "--resume", cwd=example)["kind"] == "not_found"


# --- at a real terminal -----------------------------------------------------------------------------------------------


def _log_in(slave: int) -> None:
    """As a login does: Ctrl-C works, also where the tests run in the background and are deaf to it."""
    os.login_tty(slave)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command line in a terminal of its own."""

    def __init__(self, args: list[str]) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            args, preexec_fn=lambda: _log_in(slave), env={**os.environ, "COLUMNS": "100"}, close_fds=False
        )
        os.close(slave)
        self.shown = ""

    def wait_for(self, words: str) -> None:
        """Read until the words have appeared (once more, if they did before)."""
        start = len(self.shown)
        while words not in self.shown[start:]:
            assert self._read(), f"it ended: {self.shown}"

    def _read(self) -> bool:
        """Some more of what is shown; False at the end."""
        assert select.select([self.master], [], [], 30)[0], f"it stands still: {self.shown}"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # so Linux tells that the other side is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def interrupt(self) -> int:
        """Press Ctrl-C, and again when nothing happens: Python hears none between showing a prompt and reading, where
        no human hand is fast enough to meet it. Gives the exit code."""
        for _n in range(5):
            self.type("\x03")
            while select.select([self.master], [], [], 5)[0]:
                if not self._read():
                    return self.process.wait(30)
        raise AssertionError(f"it is deaf: {self.shown}")

    def end(self) -> int:
        """Read the rest; gives the exit code."""
        while self._read():
            pass
        return self.process.wait(30)

    def hang_up(self) -> int:
        os.close(self.master)
        return self.process.wait(30)


@pytest.fixture
def terminal(example: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*args: str) -> Terminal:
        opened.append(Terminal(command(example, *args)))
        return opened[-1]

    yield start
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


QUESTION = "[s]ave, [e]dit again, [q]uit and keep the file"


def test_a_person_is_shown_what_will_happen_and_asked(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal]
) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb,x")
    screen.wait_for(QUESTION)
    assert "facebook · Friday 20 November 2026, 12:30" in screen.shown
    assert count(example) == 110
    screen.type("x\n")
    screen.wait_for(QUESTION)
    screen.type("s\n")
    assert screen.end() == 0
    assert count(example) == 112
    assert drafts(example) == []


def test_a_slot_that_was_taken_during_the_question_is_not_exchanged_for_another(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal], run: Run
) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb")
    screen.wait_for(QUESTION)
    assert "facebook · Friday 20 November 2026, 12:30" in screen.shown
    assert run(*NOW, "add", "-c", "fb", "De Bob", cwd=example).code == 0
    screen.type("s\n")
    assert screen.end() == 4
    assert "is no longer 2026-11-20 12:30 but 2026-11-20 17:00" in screen.shown
    assert "cm add --resume" in screen.shown
    assert (count(example), len(drafts(example))) == (111, 1)


def test_errors_are_shown_and_the_editor_is_opened_again(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal]
) -> None:
    folder = edits(
        "if run == 0:\n    path.write_text(text.replace('time:', 'time: 31/11 9h') + 'Bonjour', encoding='utf-8')\n"
        "else:\n    path.write_text(text.replace('31/11', '28/11'), encoding='utf-8')"
    )
    screen = terminal("add", "-c", "fb")
    screen.wait_for("[e]dit again, [q]uit")
    assert "To mend" in screen.shown
    screen.type("\n")
    screen.wait_for(QUESTION)
    assert "%%! " in (folder / "seen-1.txt").read_text(encoding="utf-8")
    screen.type("s\n")
    assert screen.end() == 0
    assert sql(example, "SELECT wall FROM post WHERE id = 111") == [("2026-11-28T09:00",)]


def test_no_copy_of_the_editors_is_left(example: Path, edits: EDITORS, run: Run) -> None:
    leave = "for name in (path.name + '~', f'.{path.name}.un~', f'#{path.name}#', path.name + '.save'):\n"
    edits(SAVE + leave + "    path.with_name(name).write_text(text, encoding='utf-8')\n")
    other = example / ".cm" / "drafts" / "add-20261120T000000-facebook.txt~"
    other.parent.mkdir(parents=True)
    other.write_text("of another draft", encoding="utf-8")
    assert run(*NOW, "add", "-c", "fb", cwd=example).code == 0
    assert list(other.parent.iterdir()) == [other]


def test_quitting_keeps_the_file(example: Path, edits: EDITORS, terminal: Callable[..., Terminal]) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb")
    screen.wait_for(QUESTION)
    screen.type("q\n")
    assert screen.end() == 4
    assert "cm add --resume" in screen.shown
    assert len(drafts(example)) == 1
    assert count(example) == 110


def test_ctrl_c_at_the_question_keeps_the_file(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal]
) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb")
    screen.wait_for(QUESTION)
    assert screen.interrupt() == 130
    assert "cm add --resume" in screen.shown
    assert len(drafts(example)) == 1


def test_yes_does_not_ask(example: Path, edits: EDITORS, terminal: Callable[..., Terminal]) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb", "--yes")
    assert screen.end() == 0
    assert QUESTION not in screen.shown
    assert count(example) == 111


WRITE_AND_WAIT = SAVE + "print('WRITTEN', flush=True)\nsys.stdin.readline()\n"


def test_a_closed_terminal_loses_nothing(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal], run: Run
) -> None:
    edits(WRITE_AND_WAIT)
    screen = terminal("add", "-c", "fb,x")
    screen.wait_for("WRITTEN")
    assert screen.hang_up() == -signal.SIGHUP
    assert count(example) == 110
    assert "Portes ouvertes samedi !" in drafts(example)[0]
    edits("")
    made = run(*NOW, "add", "--resume", "--json", cwd=example)
    assert [post["text"] for post in made.json["posts"]] == ["Portes ouvertes samedi !", "Journée portes ouvertes"]


def test_a_terminal_closed_at_the_question_loses_nothing(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal]
) -> None:
    edits(SAVE)
    screen = terminal("add", "-c", "fb")
    screen.wait_for(QUESTION)
    assert screen.hang_up() != 0
    assert len(drafts(example)) == 1
    assert count(example) == 110


def test_ctrl_c_in_the_editor_is_the_editors_and_the_terminal_is_put_back(
    example: Path, edits: EDITORS, terminal: Callable[..., Terminal]
) -> None:
    edits(
        "import tty\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nprint('READY', flush=True)\n"
        "signal.sigwait([signal.SIGINT])\nprint('CAUGHT', flush=True)\ntty.setraw(0)\n"
        + SAVE
        + "os.kill(os.getpid(), signal.SIGKILL)"
    )
    screen = terminal("add", "-c", "fb")
    screen.wait_for("READY")
    screen.type("\x03")
    screen.wait_for("CAUGHT")
    assert screen.end() == 4
    assert "\x1b[?1049l" in screen.shown
    told = screen.shown[screen.shown.index("ended with -9") :]
    assert "\r\n" in told, "lines end as a terminal in its usual state ends them"
    assert len(drafts(example)) == 1


# --- editing ----------------------------------------------------------------------------------------------------------


def test_a_post_is_edited_in_the_same_form(example: Path, edits: EDITORS, run: Run) -> None:
    folder = edits(
        "text = text.replace('theme: ', 'theme: Neuf ').replace('2026-11-23 08:30', '28/11 9h')\n"
        "path.write_text(text + 'Une ligne de plus.\\n', encoding='utf-8')"
    )
    before = next(
        post for post in posts_of(example, run, "--channel", "facebook") if post["wall"] == "2026-11-23T08:30"
    )
    steps = len(sql(example, "SELECT id FROM change"))
    after = run(*NOW, "edit", before["id"], "--json", cwd=example).json
    assert after["text"] == before["text"] + "\nUne ligne de plus."
    assert after["wall"] == "2026-11-28T09:00"
    differing = {name for name in before if before[name] != after[name]}
    assert differing <= {"text", "theme", "wall", "scheduled_at", "messages", "rev", "notes", "findings", "fields"}
    assert [row[0] for row in sql(example, "SELECT verb FROM change")][steps:] == ["post.edit"]
    seen = (folder / "seen-0.txt").read_text(encoding="utf-8")
    assert f"Editing {before['id']}." in seen
    assert drafts(example) == []


def test_every_example_post_is_left_as_it_is_by_its_own_form(
    example: Path, edits: EDITORS, run: Run, monkeypatch: Any
) -> None:
    edits("path.write_text(text + '\\n\\n', encoding='utf-8')")
    before = posts_of(example, run)
    for post in before[::9]:
        done = run(*NOW, "edit", post["ref"] or post["id"], cwd=example)
        assert (done.code, "Nothing was changed." in done.err) == (0, True)
    assert posts_of(example, run) == before
    assert drafts(example) == []


def test_an_emptied_time_keeps_the_time(example: Path, edits: EDITORS, run: Run) -> None:
    edits("import re\npath.write_text(re.sub('(?m)^time: .*', 'time:', text) + 'Plus.', encoding='utf-8')")
    before = run("post", "p2", "--json", cwd=example).json
    after = run(*NOW, "edit", "p2", "--json", cwd=example).json
    assert (after["wall"], after["text"] != before["text"]) == (before["wall"], True)


def test_fields_and_media_can_be_taken_out(example: Path, edits: EDITORS, run: Run) -> None:
    (example / "media" / "a.jpg").write_bytes(tiny())
    given = ("-c", "fb", "--media", "a.jpg", "--field", "place=Hall", "--theme", "a", "--at", "28/11 9h")
    made = run(*NOW, "add", *given, "--text", "Bonjour", "--json", cwd=example).json
    edits(
        "lines = [line for line in text.split('\\n') if not line.startswith(('media: ', 'field ', 'theme: '))]\n"
        "path.write_text('\\n'.join(lines), encoding='utf-8')"
    )
    after = run(*NOW, "edit", made["id"], "--json", cwd=example).json
    assert (after["media"], after["fields"], after["theme"], after["text"]) == ([], {}, None, "Bonjour")


def test_a_post_that_has_left_is_refused_before_the_editor_opens(example: Path, edits: EDITORS, run: Run) -> None:
    folder = edits("")
    sql(example, "UPDATE post SET state = 'published' WHERE id = 1")
    done = run(*NOW, "edit", "p1", cwd=example)
    assert (done.code, "is published" in done.err) == (4, True)
    assert not list(folder.glob("seen-*"))
    assert drafts(example) == []


def test_a_post_changed_meanwhile_is_not_overwritten(example: Path, edits: EDITORS, run: Run) -> None:
    other = [sys.executable, "-m", "cm", "-C", str(example), *NOW, "post", "edit", "p2", "--theme", "Autre"]
    folder = edits(f"subprocess.run({other!r}, check=True)\npath.write_text(text + 'Plus.', encoding='utf-8')")
    done = run(*NOW, "edit", "p2", cwd=example)
    assert (done.code, "was changed while you were writing" in done.err) == (4, True)
    assert run("post", "p2", "--json", cwd=example).json["theme"] == "Autre"
    assert "Plus." in drafts(example)[0]
    edits("")
    refused = run(*NOW, "add", "--resume", cwd=example)
    assert (refused.code, "was changed since this text was begun" in refused.err) == (4, True), "nobody can be asked"
    resumed = run(*NOW, "add", "--resume", "--yes", cwd=example)
    assert resumed.code == 0
    assert "differs from it in: theme, text" in resumed.err
    assert "%%! p2 was changed since." in (folder / "seen-1.txt").read_text(encoding="utf-8").replace("\n%%! ", " ")
    assert run("post", "p2", "--json", cwd=example).json["text"].endswith("Plus.")


def test_what_was_wrong_before_need_not_be_mended_to_correct_a_word(example: Path, edits: EDITORS, run: Run) -> None:
    given = ("-c", "fb", "-k", "event", "--at", "28/11 9h", "--text", "Portes ouvrtes")
    made = run(*NOW, "add", *given, "--json", cwd=example).json
    edits("path.write_text(text.replace('ouvrtes', 'ouvertes'), encoding='utf-8')")
    after = run(*NOW, "edit", made["id"], "--json", cwd=example)
    assert (after.code, after.json["text"]) == (0, "Portes ouvertes")


def test_another_channel_in_the_form_of_a_post_is_refused(example: Path, edits: EDITORS, run: Run) -> None:
    edits("path.write_text(text.replace('=== facebook', '=== twitter'), encoding='utf-8')")
    ident = sql(example, "SELECT 'p' || id FROM post WHERE channel = 'facebook'")[0][0]
    done = run(*NOW, "edit", ident, cwd=example)
    assert (done.code, "has one text, for facebook" in done.err) == (4, True)


# --- at once ----------------------------------------------------------------------------------------------------------


def test_words_are_the_text(example: Path, run: Run) -> None:
    done = run(*NOW, "add", "-c", "fb", "Portes", "ouvertes", "samedi", "--at", "demain 9h", cwd=example)
    assert done.code == 0
    assert "Understood: Saturday 21 November 2026, 09:00" in done.err
    (row,) = sql(example, "SELECT text, kind, wall FROM post WHERE id = 111")
    assert row == ("Portes ouvertes samedi", "announcement", "2026-11-21T09:00")


def test_one_text_for_two_channels_is_one_story_and_said_to_be_the_same(example: Path, run: Run) -> None:
    made = run(*NOW, "add", "-c", "fb", "-c", "x", "--text", "Bonjour à tous", "--json", cwd=example).json
    assert {post["text"] for post in made["posts"]} == {"Bonjour à tous"}
    assert {finding["rule"] for post in made["posts"] for finding in post["findings"]} == {"text.twin"}


@pytest.mark.parametrize("when", ["31/11 9h", "yesterday 9am", "9h", "2026-11-20T11:59", "tomorrow"])
def test_times_half_understood_or_past_are_refused(example: Path, run: Run, when: str) -> None:
    done = run(*NOW, "add", "-c", "fb", "Bonjour", "--at", when, cwd=example)
    assert (done.code, done.out) == (2, "")
    assert count(example) == 110


def test_all_or_none_of_several(example: Path, run: Run) -> None:
    """Twitter's Monday is full too; nothing is left of facebook's post if one is refused."""
    done = run(*NOW, "add", "-c", "x,fb", "--text", "Bonjour", "--at", "23/11 21h", cwd=example)
    assert done.code == 4
    assert count(example) == 110


@pytest.mark.parametrize(
    ("word", "channel"),
    [("fb", "facebook"), ("FB", "facebook"), ("face", "facebook"), ("x", "twitter"), ("tw", "twitter"),
     ("twitter", "twitter")],
)  # fmt: skip
def test_short_names_of_channels(example: Path, run: Run, word: str, channel: str) -> None:
    assert run(*NOW, "add", "-c", word, "Bonjour", "--json", cwd=example).json["channel"] == channel


def test_a_short_name_that_may_be_two_channels_is_refused(example: Path, run: Run, run_err: Any) -> None:
    def second(data: dict[str, Any]) -> None:
        account = {**data["channels"]["facebook"], "account": "autre", "address": "https://facebook.example/autre"}
        data["channels"]["facebook-pro"] = account

    change_config(example, second)
    error = run_err(2, *NOW, "add", "-c", "fb", "Bonjour", cwd=example)
    assert error["candidates"] == ["facebook", "facebook-pro"]
    assert run(*NOW, "add", "-c", "facebook", "Bonjour", "--json", cwd=example).json["channel"] == "facebook"
    change_config(example, lambda data: data["channels"]["facebook"].update(state="closed"))
    (example / "schedules" / "facebook.yaml").rename(example / "schedules" / "facebook-pro.yaml")
    assert run(*NOW, "add", "-c", "fb", "Bonjour", "--json", cwd=example).json["channel"] == "facebook-pro"


def test_an_unknown_channel(example: Path, run_err: Any) -> None:
    assert run_err(5, *NOW, "add", "-c", "insta", "Bonjour", cwd=example)["kind"] == "not_found"
    assert run_err(2, *NOW, "add", "Bonjour", cwd=example)["hint"] == "Name the channels: -c facebook,twitter"


def test_a_text_typed_on_the_spot_is_kept_if_it_is_refused(
    example: Path, terminal: Callable[..., Terminal], run: Run, edits: EDITORS
) -> None:
    screen = terminal("add", "-c", "fb", "--at", "23/11 21h", "-")
    screen.type("Portes ouvertes\n\x04")
    assert screen.end() == 4
    assert re.search(r"cm\s+add\s+--resume", screen.shown)
    edits("path.write_text(text.replace('23/11', '28/11'), encoding='utf-8')")
    made = run(*NOW, "add", "--resume", "--json", cwd=example)
    assert (made.code, made.json["text"]) == (0, "Portes ouvertes")


def test_a_text_typed_for_a_post_is_kept_if_it_is_refused(
    example: Path, terminal: Callable[..., Terminal], run: Run, edits: EDITORS
) -> None:
    screen = terminal("edit", "p2", "--theme", "Autre", "--kind", "no-such-kind", "--text", "-")
    screen.type("Portes fermées\n\x04")
    assert screen.end() == 2
    assert re.search(r"cm\s+add\s+--resume", screen.shown)
    edits("path.write_text(text.replace('no-such-kind', 'announcement'), encoding='utf-8')")
    assert run(*NOW, "add", "--resume", cwd=example).code == 0
    (row,) = sql(example, "SELECT text, theme, kind FROM post WHERE id = 2")
    assert row == ("Portes fermées", "Autre", "announcement")


def test_a_text_typed_for_a_post_changes_it(example: Path, terminal: Callable[..., Terminal]) -> None:
    screen = terminal("edit", "p2", "-F", "-")
    screen.type("Portes fermées\n\x04")
    assert screen.end() == 0
    assert (sql(example, "SELECT text FROM post WHERE id = 2"), drafts(example)) == ([("Portes fermées",)], [])


def test_nothing_is_typed_for_a_post_that_has_left(example: Path, terminal: Callable[..., Terminal]) -> None:
    sql(example, "UPDATE post SET state = 'published' WHERE id = 1")
    screen = terminal("edit", "p1", "--text", "-")
    assert screen.end() == 4
    assert "is published" in screen.shown
    assert drafts(example) == []


@pytest.mark.parametrize("verb", ["add", "edit"])
def test_help_loads_no_database(verb: str) -> None:
    done = fresh(verb, "--help")
    assert done.code == 0
    assert not loaded(done.modules, "sqlalchemy", "sqlmodel", "httpx")
