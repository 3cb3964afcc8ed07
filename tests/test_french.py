"""What a person sees in French: every help text, the main screens, the choice of the language."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.pofile import read_po

from cm import i18n
from cm.calendar.filter_words import state_named
from cm.model.states import PostState
from cm.model.words import state_word

Run = Callable[..., Any]
RunJson = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[1]
NOW = ("--now", "2026-11-23T09:00")

SAME_IN_BOTH = {
    "announcement, event, quiz…",
    "draft, scheduled, published, missed…",
    "fr, en…",
}
"""Help that lists keys and codes, which are never translated."""

WALK = """
import json, sys
from importlib import import_module
from cm import i18n
i18n.speak(i18n.asked())
from typer.main import get_command
from cm.cli.app import app
from cm.cli.lazy import NOUNS

told = {}

def walk(path, command):
    told[path] = command.help or ""
    for param in command.params:
        if getattr(param, "hidden", False) or param.name == "help":
            continue
        told[f"{path} {param.opts[0]}"] = getattr(param, "help", None) or ""
    for name, below in getattr(command, "commands", {}).items():
        walk(f"{path} {name}", below)

walk("cm", get_command(app))
for name, (module, line) in NOUNS.items():
    told[f"cm: {name}"] = i18n._(line)
    walk(f"cm {name}", get_command(import_module(module).app))
json.dump(told, sys.stdout)
"""


def helps(language: str) -> dict[str, str]:
    """Every help text of the command tree, as a fresh interpreter of that language has it."""
    done = subprocess.run(
        [sys.executable, "-c", WALK], env={**os.environ, "CM_LANG": language}, cwd=ROOT, capture_output=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_every_help_text_is_french() -> None:
    english, french = helps("en"), helps("fr")
    assert english.keys() == french.keys()
    assert len(english) > 100
    same = {path: text for path, text in english.items() if text and text == french[path]}
    assert not {path: text for path, text in same.items() if text not in SAME_IN_BOTH}


def test_usage_and_headings_are_french() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cm", "post", "list", "--help"],
        env={**os.environ, "CM_LANG": "fr", "COLUMNS": "80"}, cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage\u00a0: cm post list [OPTIONS]")
    assert "\nArguments\u00a0:\n" in done.stdout
    assert "\nOptions\u00a0:\n" in done.stdout
    assert "Afficher cette aide" in done.stdout
    assert "--week SEMAINE" in done.stdout


def test_every_line_of_the_first_help_fits() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cm", "--help"],
        env={**os.environ, "CM_LANG": "fr", "COLUMNS": "80"}, cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert "..." not in done.stdout.split("Commandes\u00a0:")[1]


# --- screens ----------------------------------------------------------------------------------------------------------


def pieces(text: str) -> Iterator[str]:
    """What stands between the places of a message, if it is two words or more."""
    for literal, _name, _spec, _conversion in Formatter().parse(text):
        piece = literal.strip(" .,;:()!?…→")
        if len(re.findall(r"(?<!\S)[A-Za-z]{2,}", piece)) >= 2:
            yield piece


@pytest.fixture(scope="module")
def english_pieces() -> set[str]:
    """Whatever English the product can say, in pieces that no French text holds."""
    with (ROOT / "cm" / "locale" / "fr" / "LC_MESSAGES" / "cm.po").open("rb") as file:
        entries = [entry for entry in read_po(file) if entry.id]
    said = {piece for entry in entries for text in _texts(entry.id) for piece in pieces(text)}
    french = "\n".join(text for entry in entries for text in _texts(entry.string))
    return {piece for piece in said if piece not in french}


def _texts(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


SCREENS = [
    (),
    ("today",),
    ("week",),
    ("post", "list"),
    ("post", "show", "p1"),
    ("calendar", "show", "--week", "2026-W48"),
    ("calendar", "show", "--list"),
    ("calendar", "gaps"),
    ("calendar", "gaps", "--next"),
    ("calendar", "coverage", "--month", "2026-12"),
    ("calendar", "export", "--format", "hootsuite", "--channel", "facebook", "--day-first"),
    ("find", "vaccination"),
    ("find", "introuvable"),
    ("story", "list"),
    ("story", "show", "semaine-vaccination"),
    ("channel", "list"),
    ("channel", "show", "twitter"),
    ("channel", "check", "twitter"),
    ("config", "check"),
    ("config", "schema"),
    ("config", "checklist"),
    ("config", "objectives"),
    ("metrics", "collect"),
    ("metrics", "show"),
    ("report", "week", "2026-W47"),
    ("report", "week", "2026-W47", "--markdown"),
    ("publish",),
    ("post", "add", "-c", "fb", "--draft", "--text", "Bonjour"),
    ("post", "edit", "p5", "--theme", "autre"),
    ("move", "p5", "demain", "21h"),
    ("post", "cancel", "p5"),
    ("undo", "--list"),
    ("undo", "--dry-run"),
    ("undo",),
    ("db", "upgrade"),
]
ERRORS = [
    ("frob",),
    ("post", "frob"),
    ("post", "show"),
    ("post", "list", "--bogus"),
    ("post", "list", "state:zz"),
    ("post", "list", "zz:1"),
    ("post", "add", "-c", "fb"),
    ("post", "add", "-c", "zz", "--text", "x"),
    ("post", "add", "-c", "fb", "--text", "x", "--kind", "zz", "--draft"),
    ("post", "add", "-c", "fb", "--text", "x", "--at", "hier 9h"),
    ("post", "add", "-c", "fb", "--text", "x", "--at", "demain"),
    ("post", "add", "-c", "fb", "--text", "x", "--at", "n'importe quand"),
    ("post", "add", "-c", "fb", "--text", "x", "--at", "24/11 20h"),
    ("find", "x", "--limit", "abc"),
    ("find", "x", "--limit", "0"),
    ("metrics", "show", "--by", "zz"),
    ("move", "state:scheduled", "--next"),
    ("calendar", "import", "absent.csv"),
    ("calendar", "export", "--format", "zz"),
    ("report", "week", "2026-W99"),
    ("undo", "3"),
    ("undo", "99"),
]


@pytest.mark.parametrize("plainly", [False, True], ids=["screen", "read aloud"])
def test_the_main_screens_hold_no_english(
    example: Path, run: Run, english_pieces: set[str], monkeypatch: pytest.MonkeyPatch, plainly: bool
) -> None:
    monkeypatch.setenv("CM_LANG", "fr")
    found = {}
    for args in (*SCREENS, *ERRORS):
        done = run(*(["--plain"] if plainly else []), *NOW, *args, cwd=example)
        assert done.code != 1, done.err
        assert (done.code == 0) == (args in SCREENS), f"{args}: {done.err}"
        shown = " ".join((done.out + done.err).split())
        if english := sorted(piece for piece in english_pieces if piece in shown):
            found[args] = english
    assert not found


def test_a_state_is_shown_in_french_and_understood_in_french(
    example: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_LANG", "fr")
    run(*NOW, "publish", cwd=example)
    shown = run(*NOW, "post", "list", "etat:publiée", cwd=example)
    assert "● publiée" in shown.out
    assert shown.err == "2 publications\u00a0: ● 2 publiées\n"


@pytest.fixture
def french() -> Iterator[None]:
    i18n.speak("fr")
    yield
    i18n.speak("en")


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize("state", PostState)
@pytest.mark.parametrize("n", [1, 2])
def test_every_state_is_understood_as_it_is_shown(state: PostState, n: int) -> None:
    assert state_named(state_word(state, n)) == state


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("genre:annonce", "kind:announcement"),
        ("genre:coulisses", "kind:backstage"),
        ("public:Adolescents", "audience:teenagers"),
        ("public:families", "audience:families"),
        ("sujet:semaine-vaccination", "story:semaine-vaccination"),
        ("état:planifiées semaine:2026-W48", "state:scheduled week:2026-W48"),
    ],
)
def test_what_is_shown_in_french_is_understood(
    example: Path, run_json: RunJson, monkeypatch: pytest.MonkeyPatch, said: str, meant: str
) -> None:
    monkeypatch.setenv("CM_LANG", "fr")
    found = run_json("post", "list", *said.split(), cwd=example)["posts"]
    assert found
    assert found == run_json("post", "list", *meant.split(), cwd=example)["posts"]


def test_blanks_that_never_break_do_not_break(example: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_LANG", "fr")
    for columns in range(60, 100, 5):
        monkeypatch.setenv("COLUMNS", str(columns))
        for line in run("config", "schema", cwd=example).out.splitlines():
            assert line.split("  ")[-1].strip()[:1] not in (";", ":", "»", "?", "!"), (columns, line)


# --- which language ---------------------------------------------------------------------------------------------------


def test_the_configuration_decides_and_cm_lang_overrides(
    example: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CM_LANG")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    config = example / "config.yaml"
    french = config.read_text(encoding="utf-8")
    without = re.sub(r"(?m)^language:.*\n", "", french)
    assert without != french

    assert "publications" in run(*NOW, "post", "list", cwd=example).err
    config.write_text(without, encoding="utf-8")
    assert "posts" in run(*NOW, "post", "list", cwd=example).err
    config.write_text("language: en\n" + without, encoding="utf-8")
    assert "posts" in run(*NOW, "post", "list", cwd=example).err
    monkeypatch.setenv("CM_LANG", "fr")
    assert "publications" in run(*NOW, "post", "list", cwd=example).err
    config.write_text(french, encoding="utf-8")
    monkeypatch.setenv("CM_LANG", "en")
    assert "posts" in run(*NOW, "post", "list", cwd=example).err


@pytest.mark.parametrize(
    ("environ", "french"),
    [
        ({"LC_ALL": "fr_FR.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "fr_FR.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "fr_CA"}, True),
        ({"LC_ALL": "fr_FR.UTF-8", "CM_LANG": "en"}, False),
        ({"CM_LANG": "fr"}, True),
        ({"CM_LANG": "de", "LC_ALL": "fr_FR"}, False),
    ],
)
def test_where_no_workspace_is_open_the_environment_decides(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], french: bool
) -> None:
    monkeypatch.delenv("CM_LANG")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    said = run("post", "list", cwd=tmp_path).err
    assert ("espace de travail" in said) == french


def keys(value: Any) -> Any:
    """The shape of a JSON document: its keys, however deep."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(inner) for inner in value] if isinstance(value, list) else None


@pytest.mark.parametrize(
    "args",
    [
        ("today",),
        ("post", "list"),
        ("post", "show", "p1"),
        ("week",),
        ("calendar", "gaps"),
        ("calendar", "coverage", "--month", "2026-12"),
        ("story", "list"),
        ("channel", "list"),
        ("config", "schema"),
        ("config", "checklist"),
        ("config", "objectives"),
        ("find", "vaccination"),
        ("metrics", "show"),
        ("report", "week", "2026-W48"),
    ],
    ids=" ".join,
)
def test_json_has_the_same_keys_in_both_languages(
    example: Path, run_json: RunJson, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    english = run_json(*NOW, *args, cwd=example)
    monkeypatch.setenv("CM_LANG", "fr")
    assert keys(run_json(*NOW, *args, cwd=example)) == keys(english)


def test_values_that_are_keys_stay(example: Path, run_json: RunJson, monkeypatch: pytest.MonkeyPatch) -> None:
    english = run_json(*NOW, "post", "list", cwd=example)
    monkeypatch.setenv("CM_LANG", "fr")
    assert run_json(*NOW, "post", "list", cwd=example) == english


@pytest.mark.parametrize("kind", ["event", "événement", "Evenement"])
def test_a_kind_is_understood_as_it_is_shown(example, run, monkeypatch, kind):
    monkeypatch.setenv("CM_LANG", "fr")
    where = ("-c", "fb", "--at", "2026-12-14 9h", "--audience", "Grand public")
    done = run("--now", "2026-11-23T09:00", "add", "Portes ouvertes", "-k", kind, *where, "--json", cwd=example)
    assert (done.json["kind"], done.json["audiences"]) == ("event", ["public"])
