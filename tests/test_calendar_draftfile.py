"""The file in which a post is written: what goes in comes out, and nothing that a person wrote is touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.calendar.draftfile import (
    HEADER,
    Document,
    Remark,
    Section,
    annotated,
    heading,
    parse,
    render,
    without_remarks,
)

PIECES = st.sampled_from(
    ["%%", "%%!", "=== facebook", "=== ", "\\", "\\\\", "\\%% a", "\\=== b", "---", "#soins", "# Titre", "", " ", "\t",
     "time: 9h", "    indented", "\u00a0", "é", "👩‍⚕️", "\x1b[31m", "a: b", "\u2028", "\x85", "\x0c", "\ufeff"]
)  # fmt: skip
ANY = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=30)
TEXTS = st.lists(PIECES | ANY, max_size=6).map("\n".join) | st.lists(PIECES, max_size=4).map("".join)
CHANNELS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
SHORT = st.from_regex(r"[A-Za-z0-9é][A-Za-z0-9é /:-]{0,8}[a-z0-9]", fullmatch=True)
NOTES = st.dictionaries(st.sampled_from(["", *HEADER, "media", "=== a"]), st.lists(ANY, max_size=3))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    values = draw(st.dictionaries(st.sampled_from(HEADER), TEXTS.filter(bool)))
    fields = draw(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), TEXTS, max_size=3))
    media = tuple(draw(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=3)))
    names = draw(st.lists(CHANNELS, max_size=3, unique=True))
    sections = tuple(Section(name, draw(TEXTS), draw(st.just("") | SHORT)) for name in names)
    return Document(values, fields, media, sections)


@given(documents(), NOTES)
def test_what_goes_in_comes_out(document: Document, notes: dict[str, list[str]]) -> None:
    parsed = parse(render(document, notes))
    assert parsed.remarks == ()
    assert parsed.document == document


@given(documents())
def test_windows_line_ends_change_nothing(document: Document) -> None:
    assert parse(render(document).replace("\n", "\r\n")).document == document


@given(TEXTS, st.lists(st.builds(Remark, st.sampled_from(["", "time", "kind", "=== facebook", "nowhere"]), ANY)))
def test_remarks_come_and_go_without_touching_what_was_written(text: str, remarks: list[Remark]) -> None:
    own = without_remarks(text)
    once = annotated(own, parse(own), remarks)
    assert without_remarks(once) == own
    assert parse(once).document == parse(own).document


@given(TEXTS)
def test_anything_can_be_read(text: str) -> None:
    parsed = parse(text)
    assert all(remark.place in parsed.places or remark.place == "media" for remark in parsed.remarks)


WRITTEN = """\
%% a note
Heure: demain 9h
TYPE: event
champ place: Hall : entrée nord
premier commentaire: Merci
    à toutes
    \\
    et à tous
média: a.jpg
alt: Une infirmière
média: b.png

=== facebook
%%! an old remark

#soins Première ligne

---
# un titre
\\%% pas une note
\\=== pas une section

=== twitter @ demain 18h
Autre texte
"""


def test_a_file_as_a_person_writes_it() -> None:
    document = parse(WRITTEN).document
    assert document.values == {
        "time": "demain 9h",
        "kind": "event",
        "first_comment": "Merci\nà toutes\n\net à tous",
    }
    assert document.fields == {"place": "Hall : entrée nord"}
    assert document.media == (("a.jpg", "Une infirmière"), ("b.png", ""))
    first, second = document.sections
    assert first.text.split("\n") == [
        "#soins Première ligne", "", "---", "# un titre", "%% pas une note", "=== pas une section",
    ]  # fmt: skip
    assert second == Section("twitter", "Autre texte", "demain 18h")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("teme: Santé", "There is no line 'teme'"),
        ("place: Hall", "`field place: …`"),
        ("a text before any section", "neither `name: value` nor below"),
        ("    indented", "An indented line goes on with the line before it"),
        ("time: 9h\ntime: 10h", "The line time stands twice"),
        ("=== fb\na\n=== fb\nb", "fb has a section already"),
        ("alt: a picture of nothing", "no file is named"),
    ],
)
def test_what_cannot_be_read_is_said_where_it_stands(written: str, said: str) -> None:
    parsed = parse(written)
    (remark,) = parsed.remarks
    assert said in remark.message
    assert remark.blocks
    marked = annotated(written, parsed, parsed.remarks)
    assert "%%! " in marked
    assert without_remarks(marked) == written


def test_a_remark_stands_below_its_place_and_offers_a_line() -> None:
    text = "kind: event\n\n=== facebook\nBonjour\n"
    remarks = [Remark("kind", "An event needs a place.", offer="field place:"), Remark(heading("facebook"), "Hm.")]
    lines = annotated(text, parse(text), remarks).split("\n")
    assert lines[:6] == ["kind: event", "%%! An event needs a place.", "field place:", "", "=== facebook", "%%! Hm."]


def test_a_remark_on_a_line_that_is_gone_stands_at_the_top_and_names_it() -> None:
    text = "kind: event"
    assert annotated(text, parse(text), [Remark("time", "31/11 does not exist.")]).split("\n")[0] == (
        "%%! time: 31/11 does not exist."
    )


@pytest.mark.parametrize(
    ("document", "blank"),
    [
        (Document(), True),
        (Document(fields={"place": ""}, sections=(Section("facebook", " \n"),)), True),
        (Document({"link": "https://a.example"}, sections=(Section("facebook"),)), False),
        (Document(sections=(Section("facebook"), Section("twitter", "a"))), False),
        (Document(media=(("a.jpg", ""),), sections=(Section("facebook"),)), False),
    ],
)
def test_a_file_in_which_nothing_is_filled_in_is_blank(document: Any, blank: bool) -> None:
    assert document.blank is blank
