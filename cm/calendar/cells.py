r"""What stands in one cell of our CSV: lists, fields, dates and times, and the guard of spreadsheets.

Lists are joined by `|`; a `|` or a backslash inside an item has a backslash before it. A cell that a
spreadsheet would take for a formula gets one `'` in front on the way out and loses exactly that one on
the way in, so that what is exported and imported again has not changed. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

from cm.clock import YEARS, parse_day
from cm.i18n import _

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SLASH_DAY = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})")
_CLOCK_TIME = re.compile(r"(\d{1,2})(?::(\d{2})(?::(\d{2}))?| ?[hH] ?(\d{2})?)(?: ?([aApP])\.?[mM]\.?)?")

ISO = "YYYY-MM-DD"
DAY_FIRST = "DD/MM/YYYY"
MONTH_FIRST = "MM/DD/YYYY"
"""Ways of writing a day."""


def guard(cell: str) -> str:
    """The cell as it may stand in a spreadsheet: never a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell without the one `'` that `guard` puts; any other cell as it is."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell


def join_list(items: Iterable[str]) -> str:
    """Items in one cell."""
    return "|".join(item.replace("\\", "\\\\").replace("|", "\\|") for item in items)


def split_list(cell: str) -> list[str]:
    """The items of a cell; none if it is empty. A backslash before anything else stays."""
    if not cell:
        return []
    if "\\" not in cell:
        return cell.split("|")
    items, current, escaped = [], "", False
    for character in cell:
        if escaped:
            current += character if character in "|\\" else f"\\{character}"
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "|":
            items.append(current)
            current = ""
        else:
            current += character
    return [*items, current + ("\\" if escaped else "")]


def join_fields(fields: Mapping[str, object]) -> str:
    """`event_date=2026-12-05|place=Hall`."""
    return join_list(f"{name}={value}" for name, value in fields.items())


def split_fields(cell: str) -> dict[str, str]:
    """The fields of a cell. Raises ValueError: an item without `=`, a name twice."""
    fields: dict[str, str] = {}
    for item in split_list(cell):
        name, sign, value = item.partition("=")
        name = name.strip()
        if not sign:
            raise ValueError(_("{item!r} is no field; write name=value").format(item=item))
        if name in fields:
            raise ValueError(_("{name!r} stands twice").format(name=name))
        fields[name] = value
    return fields


def form_of(cell: str) -> str:
    """How a day is written: `YYYY-MM-DD` or with slashes. Says nothing of whether it exists."""
    return ISO if _ISO_DAY.match(cell) else DAY_FIRST


def read_day(cell: str, form: str | None = DAY_FIRST) -> date:
    """`2026-12-03`; `3/12/2026` or `03.12.2026`, of which `form` says whether day or month comes first.

    Without a form a day that could be read both ways is refused. Raises ValueError, also for another way of writing
    and for days the calendar lacks.
    """
    if _ISO_DAY.fullmatch(cell):
        day = parse_day(cell)
    elif match := _SLASH_DAY.fullmatch(cell):
        day = _slash_day(cell, int(match[1]), int(match[3]), int(match[4]), form)
    else:
        raise ValueError(_("{value!r} is not a date; write it as 2026-12-03 or 03/12/2026").format(value=cell))
    if day is None:
        raise ValueError(_("{value} is not in the calendar").format(value=cell))
    return day


def _slash_day(cell: str, first: int, second: int, year: int, form: str | None) -> date | None:
    if form is None and first <= 12 and second <= 12 and first != second:
        said = _("{value} can be read two ways; say which: --day-first or --month-first")
        raise ValueError(said.format(value=cell))
    if form is None:
        form = MONTH_FIRST if second > 12 else DAY_FIRST
    number, month = (second, first) if form == MONTH_FIRST else (first, second)
    if month > 12:
        said = _("{value}: there is no month {month}; dates are read as {form}")
        raise ValueError(said.format(value=cell, month=month, form=form))
    return parse_day(f"{year:04d}-{month:02d}-{number:02d}") if year in YEARS else None


def read_time(cell: str) -> time:
    """`09:00`, `9:00`, `09:00:00`, `9h`, `09h00`, `9:00 PM`. Raises ValueError, also for seconds other than 0."""
    if match := _CLOCK_TIME.fullmatch(cell):
        hour, minute, second = int(match[1]), int(match[2] or match[4] or 0), int(match[3] or 0)
        if match[5] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if match[5] in "pP" else 0)
        elif match[5]:
            hour = 24
        if hour < 24 and minute < 60 and second == 0:
            return time(hour, minute)
    raise ValueError(_("{value!r} is not a time; write it as 09:00 or 9h").format(value=cell))


def write_day(day: date, form: str = ISO) -> str:
    """`2026-12-03`, `03/12/2026` or `12/03/2026`."""
    return {DAY_FIRST: f"{day:%d/%m/%Y}", MONTH_FIRST: f"{day:%m/%d/%Y}"}.get(form) or day.isoformat()


def write_wall(wall: datetime | None, form: str = ISO) -> tuple[str, str]:
    """Date and time of a plan as two cells; blank without one."""
    return (write_day(wall.date(), form), wall.strftime("%H:%M")) if wall else ("", "")
