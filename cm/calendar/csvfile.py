"""Our bulk CSV as bytes: reading it record by record, and writing it.

Read are UTF-8 with or without byte order mark, comma or semicolon (as the header line has it), cells
of several lines in quotes, and both kinds of line ends. Rows are numbered as a spreadsheet numbers
them: the header is row 1, and a record is one row however many lines its cells have. Pure.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cm.calendar.cells import guard, unguard
from cm.i18n import _

COLUMNS = (
    "ref",
    "story",
    "channel",
    "date",
    "time",
    "kind",
    "fields",
    "theme",
    "campaign",
    "audiences",
    "language",
    "text",
    "link",
    "media",
    "alt",
    "first_comment",
    "objective",
)
REQUIRED = ("channel", "kind", "text")

_BLOCK = 1 << 20
csv.field_size_limit(2**31 - 1)  # the module's own limit of 131,072 characters is no limit of ours


class BadCsv(ValueError):
    """The file cannot be read on from `row` (1 = header); `column` is empty where none is meant."""

    def __init__(self, row: int, column: str, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.column = column
        self.message = message


@dataclass(frozen=True)
class Table:
    """An opened file: its columns, as named in the header, and how it is written."""

    columns: tuple[str, ...]
    delimiter: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number in the spreadsheet and its cells, one for each column (or fewer, or more)."""

    number: int
    cells: list[str]


def open_table(data: bytes) -> Table:
    """Look at encoding and header. Raises BadCsv: not UTF-8, empty, unknown, doubled or missing columns."""
    _require_utf8(data)
    line = data[:_BLOCK].partition(b"\n")[0]
    delimiter = ";" if line.count(b";") > line.count(b",") else ","
    table = Table((), delimiter, data)
    header = next(_rows(table), None)
    if header is None or not any(cell.strip() for cell in header):
        raise BadCsv(1, "", _("The file is empty; its first row names the columns."))
    columns = tuple(cell.strip().casefold() for cell in header)
    _require_columns(columns)
    return Table(columns, delimiter, data)


def records(table: Table) -> Iterator[Record]:
    """The rows below the header, empty ones left out. Raises BadCsv where quoting is broken."""
    rows = _rows(table)
    next(rows)
    for number, cells in enumerate(rows, start=2):
        if any(cells):
            yield Record(number, [unguard(cell) if cell[:1] == "'" else cell for cell in cells])


def raw_rows(table: Table) -> Iterator[list[str]]:
    """Every row with the header, guards of spreadsheets left in place. Raises BadCsv."""
    return _rows(table)


def _rows(table: Table) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(table.data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=table.delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            said = _("The quotes of this row do not match ({error}); everything after it is unread.")
            raise BadCsv(number, "", said.format(error=error)) from None
        yield row


def _require_utf8(data: bytes) -> None:
    """Decodes block by block and keeps nothing: a large file is not held twice."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for start in range(0, max(len(data), 1), _BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            at = start - pending + error.start
            row = data.count(b"\n", 0, at) + 1
            said = _("The file is not UTF-8: byte {byte:#04x} at position {at}, line {line}. Save it as “CSV UTF-8”.")
            raise BadCsv(row, "", said.format(byte=data[at], at=at, line=row)) from None


def _require_columns(columns: Sequence[str]) -> None:
    known = ", ".join(COLUMNS)
    for index, column in enumerate(columns):
        if column not in COLUMNS:
            raise BadCsv(
                1, column, _("There is no column {name!r}; the columns are {known}.").format(name=column, known=known)
            )
        if column in columns[:index]:
            raise BadCsv(1, column, _("The column {name!r} stands twice.").format(name=column))
    for column in REQUIRED:
        if column not in columns:
            raise BadCsv(1, column, _("The column {name!r} is missing.").format(name=column))
    if "alt" in columns and "media" not in columns:
        raise BadCsv(1, "alt", _("The column 'alt' describes the column 'media', which is missing."))


def write_table(rows: Iterable[Sequence[str]], *, excel: bool = False) -> bytes:
    """Header and rows as UTF-8; `excel` adds the byte order mark and uses semicolons. No cell is a formula."""
    guarded = ([guard(cell) for cell in row] for row in rows)
    return _written([COLUMNS], guarded, ";" if excel else ",", "utf-8-sig" if excel else "utf-8")


def write_raw(rows: Iterable[Sequence[str]], delimiter: str = ",") -> bytes:
    """Rows whose cells are guarded already (see `raw_rows`), the header among them, as UTF-8."""
    return _written((), rows, delimiter, "utf-8")


def _written(header: Iterable[Sequence[str]], rows: Iterable[Sequence[str]], delimiter: str, encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
