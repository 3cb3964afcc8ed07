"""A file of figures as rows of text, whatever program saved it (see `cm.calendar.sheetfile`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from cm.calendar.badfile import BadFile
from cm.calendar.sheetfile import Sheet, open_sheet, split_by
from cm.errors import Refused
from cm.i18n import _
from cm.metrics.filemap import HEADER_WITHIN


@dataclass(frozen=True)
class Table:
    """Rows of cells; of a workbook also the cells that cannot be believed: row → (cell from 0, what is wrong)."""

    rows: list[list[str]]
    encoding: str
    faults: Mapping[int, tuple[tuple[int, str], ...]]


def read_table(data: bytes) -> Table:
    """The rows of a CSV or .xlsx file. Raises Refused if it is neither, or empty."""
    try:
        sheet = _by_best_separator(data, open_sheet(data))
        rows = list(sheet.rows())
    except BadFile as error:
        raise Refused(error.message, details={"row": error.row}) from None
    if not any(any(row) for row in rows):
        raise Refused(_("The file is empty."), hint=_("One of its first rows must name the columns."))
    return Table(rows, sheet.encoding, sheet.faults)


def _by_best_separator(data: bytes, sheet: Sheet) -> Sheet:
    """The separator that makes most columns: exports may explain themselves in a first line that has none."""
    if sheet.delimiter is None:
        return sheet
    others = [split_by(data, sheet, sign) for sign in ",;\t" if sign != sheet.delimiter]
    best = max([sheet, *others], key=_width)
    return best if _width(best) > 1 else sheet


def _width(sheet: Sheet) -> int:
    try:
        return max(map(len, islice(sheet.rows(), HEADER_WITHIN)), default=0)
    except BadFile:
        return 0
