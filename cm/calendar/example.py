"""The example's posts: dates are written as offsets from a Monday (`d0` … `d13`). Pure."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from cm.calendar.csvfile import open_table, write_text

_OFFSET = re.compile(r"d(\d+)")
_EVENT = re.compile(r"(?:(?<=^)|(?<=\|))event_date=d(\d+)(?=\||$)")


def shift_offsets(data: bytes, monday: date) -> bytes:
    """The file with `d0` in the column `date`, and `event_date=d0` in `fields`, made days from `monday` on.

    Everything else stays as it is. Raises `cm.calendar.badfile.BadFile`.
    """
    table = open_table(data)
    return write_text(_shifted(list(table.sheet.rows()), table.columns, monday), table.sheet.delimiter or ",", "utf-8")


def _shifted(rows: list[list[str]], columns: tuple[str, ...], monday: date) -> Iterator[list[str]]:
    def day(offset: str) -> str:
        return (monday + timedelta(days=int(offset))).isoformat()

    yield rows[0]
    for row in rows[1:]:
        cells = list(row)
        for index, column in enumerate(columns[: len(cells)]):
            if column == "date" and (match := _OFFSET.fullmatch(cells[index])):
                cells[index] = day(match[1])
            elif column == "fields":
                cells[index] = _EVENT.sub(lambda match: f"event_date={day(match[1])}", cells[index])
        yield cells
