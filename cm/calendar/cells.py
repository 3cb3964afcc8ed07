r"""What stands in one cell of our CSV: lists, fields, dates and times, and the guard of spreadsheets.

Lists are joined by `|`; a `|` or a backslash inside an item has a backslash before it. A cell that a
spreadsheet would take for a formula gets one `'` in front on the way out and loses exactly that one on
the way in, so that what is exported and imported again has not changed. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

from cm.clock import parse_day
from cm.i18n import _

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK_TIME = re.compile(r"\d{1,2}:\d{2}")


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


def read_day(cell: str) -> date:
    """`2026-12-03`. Raises ValueError for another way of writing and for days the calendar lacks."""
    if not _ISO_DAY.fullmatch(cell):
        raise ValueError(_("{value!r} is not a date; write it as 2026-12-03").format(value=cell))
    day = parse_day(cell)
    if day is None:
        raise ValueError(_("{value} is not in the calendar").format(value=cell))
    return day


def read_time(cell: str) -> time:
    """`09:00`. Raises ValueError."""
    if _CLOCK_TIME.fullmatch(cell):
        hour, minute = map(int, cell.split(":"))
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise ValueError(_("{value!r} is not a time; write it as 09:00").format(value=cell))


def write_wall(wall: datetime | None) -> tuple[str, str]:
    """Date and time of a plan as two cells; blank without one."""
    return (wall.date().isoformat(), wall.strftime("%H:%M")) if wall else ("", "")
