"""What is pasted is cleaned once, at every door, and the person is told."""

import csv
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import example as with_
from hypothesis import given
from hypothesis import strategies as st
from support_cli import sql

from cm.calendar.cleaning import clean_ref, clean_text, findable, tidied
from cm.checks.pasted import Unseen, cleaned, is_clean

NOW = ("--now", "2026-11-20T12:00")
AT = ("--at", "2026-11-28T20:00")
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
DIRTY = "Cha\u00adque\u200b jour\ufeff\u2028compte\u202e"
CLEAN = "Chaque jour\ncompte"

RunJson = Callable[..., Any]
TRICKY = (
    "eE\u0301=\u0338\u200b\u200c\u200d\u00ad\ufe0f\ufe01\ufeff\u202e\r\n\t\x0b\u2028\x85\x1b👩⚕❤🏽🏴\U000e0067\U000e0062\U000e0065"
    "\U000e007f1\u0915\u094dن\u037e\u2126\u1100\u1161\u00a0’🇫"
)
texts = st.text(st.sampled_from(TRICKY), max_size=20) | st.text(max_size=20)


def words(*args: str) -> tuple[str, ...]:
    return ("--channel", "facebook", "--kind", "conversation", *args)


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "« Bonjour\u00a0! » 12\u202f000 l’hôpital “curly” — 5\u00a0%…",
        "👩‍⚕️ 👨‍👩‍👧‍👦 ❤️ 1️⃣ #️⃣ ℹ️ ‼️ 👍🏽 🇫🇷 🏳️‍🌈 🙂‍↔️ 👩🏽‍🚒 ✔︎",
        ENGLAND,
        "می‌خواهم क्‍ष ශ්‍රී",
        "\tune tabulation\n\n- une liste",
        "",
    ],
)
def test_what_means_something_stays(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    assert cleaned(text).text == text
    assert not cleaned(text).removed


@pytest.mark.parametrize(
    ("text", "clean", "removed"),
    [
        ("a\u200bb\u2060c\ufeffd", "abcd", {Unseen.INVISIBLE: 3}),
        ("infor\u00adma\u00adtion", "information", {Unseen.SOFT_HYPHEN: 2}),
        ("\u202etxt.exe\u202c\u200f", "txt.exe", {Unseen.DIRECTION: 3}),
        ("a\x1b[31m\x07\x9b", "a[31m", {Unseen.CONTROL: 3}),
        ("un\u200cdeux\u200dtrois\ufe0f", "undeuxtrois", {Unseen.INVISIBLE: 3}),
        ("👩\u200d", "👩", {Unseen.INVISIBLE: 1}),
        ("ordre\U000e0067\U000e0062\U000e007f", "ordre", {Unseen.INVISIBLE: 3}),
        (
            "🏴\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065\U000e0064\U000e007f",
            "🏴",
            {Unseen.INVISIBLE: 8},
        ),
        ("e\u0301t\u200be\u0301", "été", {Unseen.INVISIBLE: 1}),
        ("e\u200b\u0301", "é", {Unseen.INVISIBLE: 1}),
        ("a\r\nb\rc\x0bd\x0ce\u2028f\u2029g\x85h", "a\nb\nc\nd\ne\nf\ng\nh", {}),
    ],
)
def test_what_nobody_sees_goes(text: str, clean: str, removed: dict[Unseen, int]) -> None:
    assert (cleaned(text).text, dict(cleaned(text).removed)) == (clean, removed)


@given(texts)
@with_("\u0301\xad\u0f84\u094d\u200c")
@with_("👩\u200d\u200b\u200d👩")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = cleaned(text)
    again = cleaned(once.text)
    assert (again.text, again.removed) == (once.text, {})
    assert unicodedata.is_normalized("NFC", once.text)
    assert not {"\u200b", "\u00ad", "\ufeff", "\u202e", "\r", "\x0b", "\u2028", "\x1b"} & set(once.text)


@given(texts)
def test_the_quick_look_never_errs(text: str) -> None:
    if is_clean(text):
        assert cleaned(text).text == text


def test_what_cannot_be_kept_is_left_to_be_refused() -> None:
    for text in ("a\0b\u200b", "a\udcff\u200b"):
        assert cleaned(text).text == text[:-1]
        with pytest.raises(ValueError, match=r"NUL|half"):
            clean_text(text)


def test_names_of_files_are_left_alone() -> None:
    given_ = {
        "media": ["e\u0301.jpg"],
        "alt": ["e\u0301\u200b", "\u200b"],
        "fields": {"place": "Salle\u200b"},
        "wall": None,
    }
    clean, notes = tidied(given_)
    assert clean == {"media": ["e\u0301.jpg"], "alt": ("é", ""), "fields": {"place": "Salle"}, "wall": None}
    assert notes == ("Removed from alt: 2 invisible characters.", "Removed from fields: 1 invisible character.")


def test_names_are_looked_up_clean() -> None:
    assert findable("\ufeffe\u0301te\u0301\u200b ") == "été"
    assert clean_ref("famille-👨‍👩‍👧") == "famille-👨‍👩‍👧"


# --- the doors --------------------------------------------------------------------------------------------------------


def test_a_text_that_is_added(example: Path, run: Run, run_json: RunJson) -> None:
    made = run_json(*NOW, "post", "add", *words("--text", DIRTY, "--ref", "propre\u200b", *AT), cwd=example)
    assert (made["text"], made["messages"][0]["text"], made["ref"]) == (CLEAN, CLEAN, "propre")
    said = "Removed from the text: 2 invisible characters, 1 soft hyphen, 1 mark of the direction of writing."
    assert made["notes"] == [said, "Removed from ref: 1 invisible character."]
    assert run("post", "show", "\ufeffpropre", "--json", cwd=example).json["text"] == CLEAN
    edited = run(
        *NOW, "post", "edit", "propre", "--text", "C’est\u200b fini", "--first-comment", "vrai\u00ad", cwd=example
    )
    assert edited.code == 0
    assert "Removed from the text: 1 invisible character." in edited.err
    assert "Removed from first_comment: 1 soft hyphen." in edited.err


def test_a_text_from_a_file_or_a_pipe(example: Path, tmp_path: Path, run_json: RunJson) -> None:
    (tmp_path / "texte.txt").write_bytes(("\ufeff" + DIRTY + "\r\n").encode())
    by_file = run_json(*NOW, "post", "add", *words("-F", str(tmp_path / "texte.txt"), *AT), cwd=example)
    by_pipe = run_json(*NOW, "post", "add", *words("--text", "-", "--draft"), cwd=example, stdin=DIRTY.encode())
    assert by_file["text"] == by_pipe["text"] == CLEAN


def test_an_honest_text_is_kept_without_a_word(example: Path, run_json: RunJson) -> None:
    text = f"« L’été\u00a0! » 👩‍⚕️ ❤️ {ENGLAND} 12\u202f000"
    made = run_json(*NOW, "post", "add", *words("--text", text, *AT), cwd=example)
    assert (made["text"], made["notes"]) == (text, [])


def test_nothing_but_unseen_characters_is_no_text(example: Path, run_err: Callable[..., Any]) -> None:
    run_err(4, *NOW, "post", "add", *words("--text", "\u200b\ufeff\u202e", *AT), cwd=example)
    assert "NUL" in run_err(2, *NOW, "post", "add", *words("-F", "-"), cwd=example, stdin=b"a\0b")["message"]


HEAD = "ref,channel,date,time,kind,text,first_comment,fields\n"


def test_an_imported_file(example: Path, run: Run, run_json: RunJson) -> None:
    row = f'neuf,facebook,2026-12-15,20:00,thanks,"{DIRTY}",vrai\u200b,place=Salle\u00ad\n'
    done = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=(HEAD + row).encode())
    assert (done["created"], done["errors"]) == (1, [])
    assert [(note["row"], note["ref"]) for note in done["notes"]] == [(2, "neuf")] * 3
    assert [note["message"] for note in done["notes"]] == [
        "Removed from the text: 2 invisible characters, 1 soft hyphen, 1 mark of the direction of writing.",
        "Removed from first_comment: 1 invisible character.",
        "Removed from fields: 1 soft hyphen.",
    ]
    kept = run_json("post", "show", "neuf", cwd=example)
    assert (kept["text"], kept["first_comment"], kept["fields"]) == (CLEAN, "vrai", {"place": "Salle"})
    again = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=(HEAD + row).encode())
    assert (again["updated"], again["unchanged"]) == (0, 1)
    exported = run("calendar", "export", cwd=example).out
    assert "\u200b" not in exported
    whole = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=exported.encode())
    assert (whole["created"], whole["updated"], whole["unchanged"], whole["notes"]) == (0, 0, 111, [])


def test_texts_from_before_are_no_changes(example: Path, run: Run, run_json: RunJson) -> None:
    """What was kept before texts were cleaned stays until somebody writes it anew; published posts above all."""
    sql(example, "UPDATE post SET text = ?, fields = ? WHERE id = 1", DIRTY, '{"place": "Salle\u200b"}')
    sql(example, "UPDATE post SET text = ?, state = 'published' WHERE id = 2", "e\u0301te\u0301\u200b")
    exported = run("calendar", "export", cwd=example).out
    done = run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=exported.encode())
    assert (done["updated"], done["unchanged"], done["errors"]) == (0, 110, [])
    assert sql(example, "SELECT text FROM post WHERE id = 1") == [(DIRTY,)]
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert {DIRTY, "e\u0301te\u0301\u200b"} <= {row["text"].replace("\r\n", "\n") for row in rows}


def test_cleaning_does_not_hide_that_a_file_is_garbled(example: Path, run: Run) -> None:
    """UTF-8 that was read as Windows-1252 may show by the very characters that cleaning takes out."""
    garbled = "Le jardin de Joaquín".encode().decode("cp1252")
    assert "\u00ad" in garbled
    row = f"neuf,facebook,2026-12-15,20:00,thanks,{garbled},,\n"
    done = run(*NOW, "calendar", "import", "-", "--json", cwd=example, stdin=(HEAD + row).encode())
    assert [(error["row"], error["column"]) for error in done.json["errors"]] == [(2, "text")]
    assert "garbled" in done.json["errors"][0]["message"]
