"""The CSV as bytes: encodings, separators, line ends, and files that cannot be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm.calendar.csvfile import COLUMNS, BadCsv, open_table, records, write_table

HEAD = "ref,channel,kind,text\n"


def rows(data: bytes) -> list[tuple[int, list[str]]]:
    return [(record.number, record.cells) for record in records(open_table(data))]


def fault(data: bytes) -> BadCsv:
    with pytest.raises(BadCsv) as caught:
        rows(data)
    return caught.value


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_of_writing_that_is_taken(bom: bytes, separator: str, end: str) -> None:
    lines = [separator.join(["ref", "channel", "kind", "text"]), separator.join(["a", "facebook", "quiz", '"é\nb;,"'])]
    assert rows(bom + end.join([*lines, ""]).encode()) == [(2, ["a", "facebook", "quiz", "é\nb;,"])]


def test_rows_are_those_of_a_spreadsheet() -> None:
    data = (HEAD + 'a,f,k,"one\ntwo\nthree"\n\n,,,\nb,f,k,t\n').encode()
    assert [(number, cells[0]) for number, cells in rows(data)] == [(2, "a"), (5, "b")]


def test_a_very_long_cell_is_read() -> None:
    text = "é" * 200_000
    assert rows((HEAD + f"a,f,k,{text}\n").encode())[0][1][3] == text


@pytest.mark.parametrize(("at", "lead"), [(7, b""), (2_000_000, b"x" * 1_999_993)])
def test_another_encoding_is_refused_at_its_byte(at: int, lead: bytes) -> None:
    found = fault(b"channel" + lead + b"\xe9,kind,text\n")
    assert f"position {at}," in found.message
    assert "UTF-8" in found.message


def test_a_file_cut_within_a_character_is_refused() -> None:
    assert "position" in fault((HEAD + "a,f,k,").encode() + b"\xc3").message


def test_utf16_is_refused() -> None:
    assert fault((HEAD + "a,f,k,t\n").encode("utf-16")).row == 1


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("channel,kind,text,colour", "colour"),
        ("channel,kind,text,kind", "kind"),
        ("channel,kind", "text"),
        ("channel,kind,text,alt", "alt"),
        ("channel\tkind\ttext", "channel\tkind\ttext"),
    ],
)
def test_the_header_names_the_column_that_is_wrong(head: str, column: str) -> None:
    found = fault(f"{head}\n".encode())
    assert (found.row, found.column) == (1, column)
    assert column.split("\t")[0] in found.message


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
@given(st.lists(st.lists(cells, min_size=16, max_size=16).filter(any), max_size=5), st.booleans())
def test_what_is_written_is_read_again(table: list[list[str]], excel: bool) -> None:
    read = rows(write_table(table, excel=excel))
    assert [found for _number, found in read] == table


def test_a_spreadsheet_sees_no_formula() -> None:
    written = write_table([["=cmd()", *[""] * 14, "@me"]]).decode()
    assert written.splitlines() == [",".join(COLUMNS), "'=cmd()" + "," * 15 + "'@me"]
