"""Our own sheet: its columns, reading it record by record, and writing it.

Read is every file that `cm.calendar.sheetfile` opens. Rows are numbered as a spreadsheet numbers them: the
header is row 1. A file that comes from another tool is made such a table by `cm.calendar.foreign`. Pure.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cm.calendar.badfile import BadFile
from cm.calendar.cells import guard, unguard
from cm.calendar.headings import columns_of
from cm.calendar.sheetfile import Sheet, open_sheet
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
    "rev",
)
REQUIRED = ("channel", "kind", "text")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number in the spreadsheet, its cells (one for each column, or fewer, or more), and faults
    that were found before any cell was read, as (column, message)."""

    number: int
    cells: list[str]
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """An opened file as ours: its columns ("" = left out) and its records, which begin anew with each call.

    `given`: values of columns that the file lacks, for new posts. `ignored`: the headings that were left out.
    `dates`: how the file writes its dates where the records do not tell any more, since they were made ours.
    """

    columns: tuple[str, ...]
    sheet: Sheet
    records: Callable[[], Iterator[Record]]
    given: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    dates: set[str] | None = None


def open_table(
    data: bytes, *, sheet: str | None = None, ignored: Collection[str] = (), given: Mapping[str, str] | None = None
) -> Table:
    """Look at encoding and header of a file of ours. `given`: values for columns that it may lack.

    Raises BadFile: not to be decoded, empty, unknown, doubled or missing columns.
    """
    opened = open_sheet(data, sheet)
    header = header_of(opened)
    columns = columns_of(header, ignored)
    given = {column: value for column, value in (given or {}).items() if column not in columns}
    _require_columns({*columns, *given})
    left_out = tuple(name for name, column in zip(header, columns, strict=True) if name.strip() and not column)
    nameless = tuple(index for index, name in enumerate(header) if not name.strip())
    return Table(columns, opened, lambda: _records(opened, columns, nameless), given, left_out)


def header_of(sheet: Sheet) -> list[str]:
    """The first row. Raises BadFile if there is none, or nothing in it."""
    header = next(sheet.rows(), None)
    if header is None or not any(cell.strip() for cell in header):
        raise BadFile(1, "", _("The file is empty; its first row names the columns."))
    return header


def _require_columns(columns: Collection[str]) -> None:
    for column in REQUIRED:
        if column not in columns:
            raise BadFile(1, column, _("The column {name!r} is missing.").format(name=column))
    if "alt" in columns and "media" not in columns:
        raise BadFile(1, "alt", _("The column 'alt' describes the column 'media', which is missing."))


def _records(sheet: Sheet, columns: Sequence[str], nameless: Collection[int]) -> Iterator[Record]:
    """The rows below the header, empty ones left out. Raises BadFile where quoting is broken."""
    rows = sheet.rows()
    next(rows)
    for number, cells in enumerate(rows, start=2):
        if any(cells):
            faults = faults_of(sheet, number, columns) if sheet.faults else ()
            if nameless:
                faults += nameless_faults(cells, nameless)
            if "'" in "".join(cells):
                cells = [unguard(cell) for cell in cells]
            yield Record(number, cells, faults)


def nameless_faults(cells: Sequence[str], nameless: Collection[int]) -> tuple[tuple[str, str], ...]:
    """Cells that say something below a blank heading."""
    said = _("the cell {value!r} stands below no heading; name the column, or empty it")
    return tuple(
        ("", said.format(value=cells[index][:40])) for index in nameless if index < len(cells) and cells[index].strip()
    )


def faults_of(sheet: Sheet, number: int, columns: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What is wrong with the cells of a row, by column; columns that are left out do not matter."""
    found = sheet.faults.get(number, ())
    return tuple((columns[at], said) for at, said in found if at < len(columns) and columns[at])


# --- writing ----------------------------------------------------------------------------------------------------------


def guarded(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Our header, and rows in which no cell is a formula."""
    yield COLUMNS
    for row in rows:
        yield [guard(cell) for cell in row]


def write_text(rows: Iterable[Sequence[str]], delimiter: str, codec: str) -> bytes:
    """Rows as they are, in Python's `codec`. Raises UnicodeEncodeError."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(codec)
