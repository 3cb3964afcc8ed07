"""The CSV as bytes: encodings, separators, line ends, and files that cannot be read."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm.calendar.badfile import BadFile
from cm.calendar.csvfile import COLUMNS, guarded, open_table, write_text

HEAD = "ref,channel,kind,text\n"


def rows(data: bytes) -> list[tuple[int, list[str]]]:
    return [(record.number, record.cells) for record in open_table(data).records()]


def fault(data: bytes) -> BadFile:
    with pytest.raises(BadFile) as caught:
        rows(data)
    return caught.value


ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "windows-1252": "cp1252",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_of_writing_that_is_taken(encoding: str, separator: str, end: str) -> None:
    lines = [separator.join(["ref", "channel", "kind", "text"]), separator.join(["a", "facebook", "quiz", '"é\nb;,"'])]
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    data = (mark + end.join([*lines, ""])).encode(ENCODINGS[encoding])
    assert rows(data) == [(2, ["a", "facebook", "quiz", "é\nb;,"])]
    sheet = open_table(data).sheet
    assert (sheet.encoding, sheet.delimiter) == (encoding, separator)


def test_rows_are_those_of_a_spreadsheet() -> None:
    data = (HEAD + 'a,f,k,"one\ntwo\nthree"\n\n,,,\nb,f,k,t\n').encode()
    assert [(number, cells[0]) for number, cells in rows(data)] == [(2, "a"), (5, "b")]


def test_a_very_long_cell_is_read() -> None:
    text = "é" * 200_000
    assert rows((HEAD + f"a,f,k,{text}\n").encode())[0][1][3] == text


@pytest.mark.parametrize(("at", "lead"), [(7, b""), (2_000_000, b"x" * 1_999_993)])
def test_a_byte_that_no_encoding_has_is_refused_where_it_stands(at: int, lead: bytes) -> None:
    found = fault(b"channel" + lead + b"\x81,kind,text\n")
    assert f"position {at}," in found.message
    assert "UTF-8" in found.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HEAD.encode("utf-16-le"), "UTF-16"),
        (HEAD.encode("utf-32"), "UTF-32"),
        (b"\xef\xbb\xbf" + HEAD.encode() + b"\xe9", "utf-8-sig"),
        (HEAD.encode("utf-16") + b"a", "utf-16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"\.xlsx"),
        (b"PK\x03\x04broken", "damaged"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(data: bytes, words: str) -> None:
    found = fault(data)
    assert found.row == 1 or words.startswith("utf")
    assert re.search(words, found.message)


def test_a_text_file_has_no_sheets() -> None:
    with pytest.raises(BadFile, match="no sheet"):
        open_table(HEAD.encode(), sheet="Mai")


@pytest.mark.parametrize(
    "heading",
    [
        "Réf;Canal;Genre;Texte;Date;Heure;Thème;Publics;Premier commentaire;Récit",
        "REF;CHANNEL;KIND;TEXT;DATE;TIME;THEME;AUDIENCES;FIRST_COMMENT;STORY",
        "réf.;Réseau social;Type de contenu;Légende (courte);Jour;heure*;thématique;cible;1er commentaire;histoire",
    ],
)
def test_headings_are_french_or_english(heading: str) -> None:
    columns = ("ref", "channel", "kind", "text", "date", "time", "theme", "audiences", "first_comment", "story")
    assert open_table(heading.encode("cp1252")).columns == columns


def test_two_headings_that_mean_the_same_are_refused() -> None:
    found = fault(b"channel;kind;texte;message\n")
    assert (found.row, found.column) == (1, "text")
    assert "--ignore 'texte'" in found.message
    assert open_table(b"channel;kind;texte;message\n", ignored=["Message"]).columns == ("channel", "kind", "text", "")


def test_columns_of_colleagues_are_left_out_only_if_they_are_named() -> None:
    data = b"channel,kind,text,Statut,Remarques\nfacebook,quiz,a,ok,b\n"
    assert "--ignore 'Statut' --ignore 'Remarques'" in fault(data).message
    opened = open_table(data, ignored=["statut", "REMARQUES"])
    assert opened.ignored == ("Statut", "Remarques")


def test_a_column_without_heading_may_be_empty_and_nothing_else() -> None:
    data = b"channel,kind,text,,\nfacebook,quiz,a,,\nfacebook,quiz,b,,note\n"
    assert [record.faults for record in open_table(data).records()] == [
        (),
        (("", "the cell 'note' stands below no heading; name the column, or empty it"),),
    ]


def test_what_a_file_lacks_may_be_given() -> None:
    opened = open_table(b"text\na\n", given={"channel": "facebook", "kind": "quiz"})
    assert opened.given == {"channel": "facebook", "kind": "quiz"}


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("channel,kind,text,colour", "colour"),
        ("channel,kind,text,kind", "kind"),
        ("channel,kind", "text"),
        ("channel,kind,text,alt", "alt"),
        ("channel|kind|text", "channel|kind|text"),
    ],
)
def test_the_header_names_the_column_that_is_wrong(head: str, column: str) -> None:
    found = fault(f"{head}\n".encode())
    assert (found.row, found.column) == (1, column)
    assert column in found.message


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert "empty" in fault(data).message


@pytest.mark.parametrize("line", ['b,f,k,"open', 'b,f,k,"a"b'])
def test_quotes_that_do_not_match_are_refused_at_their_row(line: str) -> None:
    assert fault((HEAD + "a,f,k,t\n" + line + "\n").encode()).row == 3


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    st.sampled_from(list("'=+-@\t\r\n;,\"|\\")), max_size=6
)


@settings(deadline=None)
@given(st.lists(st.lists(cells, min_size=18, max_size=18).filter(any), max_size=5), st.booleans())
def test_what_is_written_is_read_again(table: list[list[str]], excel: bool) -> None:
    read = rows(write_text(guarded(table), ";" if excel else ",", "utf-8"))
    assert [found for _number, found in read] == table


def test_a_spreadsheet_sees_no_formula() -> None:
    written = write_text(guarded([["=cmd()", *[""] * 16, "@me"]]), ",", "utf-8").decode()
    assert written.splitlines() == [",".join(COLUMNS), "'=cmd()" + "," * 17 + "'@me"]
