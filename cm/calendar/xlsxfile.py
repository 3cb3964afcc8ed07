"""Workbooks (.xlsx), in and out; formulas are neither written nor believed.

Cells that hold text come as they are; real dates and times come as `2026-12-03`, `09:00`; numbers as a person
would type them. A formula is a fault of its cell: what it last showed is not what it says. What a workbook may
weigh is bounded before it is opened, since a small file can unpack to anything.
"""

import io
import math
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from cm.calendar.badfile import BadFile
from cm.i18n import _

LARGEST = 200 * 1024 * 1024
"""Bytes to which a workbook may unpack."""
MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_CELL = 32_767
"""Characters of one cell: Excel's own limit (support.microsoft.com, “Excel specifications and limits”)."""

Faults = dict[int, tuple[tuple[int, str], ...]]


def open_workbook(data: bytes, wanted: str | None) -> tuple[str, list[list[str]], Faults]:
    """Name, rows and faulty cells of the sheet that is `wanted`, or of the first one. Raises BadFile."""
    _require_sound(data)
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the library does not show: pictures, rules for typing
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            name = _chosen(list(sheets), wanted)
            rows, faults = _read(sheets[name])
    except (BadFile, MemoryError):
        raise
    except Exception as error:  # the library's parsers fail in as many ways as a file can be broken
        said = _("The workbook cannot be read ({error}). Open it in a spreadsheet and save it as .xlsx again.")
        raise BadFile(1, "", said.format(error=error)) from None
    return name, rows, faults


def _require_sound(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        raise BadFile(1, "", _("The workbook is damaged ({error}). Fetch it again.").format(error=error)) from None
    if "xl/workbook.xml" not in names:
        what = _("an .ods file") if "mimetype" in names else _("no spreadsheet")
        raise BadFile(1, "", _("This is {what}. Save it as .xlsx or as CSV UTF-8.").format(what=what))
    if size > LARGEST:
        said = _("The workbook unpacks to {size} MiB; at most {most} are read. Save the sheet alone, as CSV UTF-8.")
        raise BadFile(1, "", said.format(size=size >> 20, most=LARGEST >> 20))


def _chosen(names: Sequence[str], wanted: str | None) -> str:
    if not names:
        raise BadFile(1, "", _("The workbook has no sheet with cells."))
    if wanted is None:
        return names[0]
    if wanted not in names:
        said = _("There is no sheet {name!r}; the workbook has {names}.")
        raise BadFile(1, "", said.format(name=wanted, names=", ".join(names)))
    return wanted


def _read(sheet: Any) -> tuple[list[list[str]], Faults]:
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    rows: list[list[str]] = []
    faults: Faults = {}
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
        found = [(index, said) for index, cell in enumerate(cells) if (said := _fault(cell))]
        if found:
            faults[number] = tuple(found)
        row = [_text_of(cell.value) for cell in cells]
        while row and not row[-1]:
            row.pop()
        if len(row) > MOST_COLUMNS:
            raise BadFile(number, "", _("The row has more than {n} cells.").format(n=MOST_COLUMNS))
        rows.append(row)
        if number > MOST_ROWS:
            raise BadFile(number, "", _("The sheet has more than {n} rows. Save it as CSV.").format(n=MOST_ROWS))
    return _even(rows), faults


def _even(rows: list[list[str]]) -> list[list[str]]:
    """Rows as wide as the first one: a workbook keeps no empty cells at the end of a row."""
    width = len(rows[0]) if rows else 0
    for row in rows:
        row += [""] * (width - len(row))
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _fault(cell: Any) -> str:
    kind = cell.data_type
    if kind == "f":
        return _("holds a formula; put its value in its place (copy, paste special: values)")
    return _("holds the error {value}").format(value=cell.value) if kind == "e" else ""


def _text_of(value: Any) -> str:
    """A cell's value as a person would type it."""
    if isinstance(value, str):
        return value.replace("_x000D_\n", "\n").replace("_x000D_", "\n") if "_x000D_" in value else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        shown = _to_second(value)
        return shown.date().isoformat() if shown.time() == time.min else f"{shown.date()} {_clock(shown.time())}"
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, time):
        return _clock(_to_second(datetime.combine(date.min, value)).time())
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: float) -> str:
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.15g}".upper()


def _to_second(moment: datetime) -> datetime:
    """Workbooks keep times as fractions of a day, off by some microseconds."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _span(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


def _clock(moment: time) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


# --- out --------------------------------------------------------------------------------------------------------------


def write_workbook(header: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int], title: str) -> bytes:
    """A workbook of one sheet in which every cell is text, also one that begins with `=`; the header stays in sight."""
    import openpyxl
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.append(list(_cells(sheet, header, bold=True)))
    wrapped = Alignment(wrap_text=True, vertical="top")
    for row in rows:
        cells = list(_cells(sheet, row))
        for cell in cells:
            cell.alignment = wrapped
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cells(sheet: Any, values: Sequence[str], *, bold: bool = False) -> Iterator[Any]:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    for value in values:
        cell = WriteOnlyCell(sheet, value=value)
        cell.data_type = "s"  # never a formula, whatever it begins with
        cell.number_format = "@"  # what a person types into it stays as typed
        if bold:
            cell.font = Font(bold=True)
        if value[:1] in ("=", "+", "-", "@"):
            cell.quotePrefix = True
        yield cell


def unwritable(cell: str) -> str | None:
    """What a workbook cannot hold of a cell, if anything."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if len(cell) > LONGEST_CELL:
        return _("{n} characters; a cell holds {most}").format(n=len(cell), most=LONGEST_CELL)
    found = ILLEGAL_CHARACTERS_RE.search(cell)
    return ascii(found[0]) if found else None
