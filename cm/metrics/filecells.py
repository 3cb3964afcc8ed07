"""One cell of an export as a count or as an instant. Pure.

A count that is blank is unknown (None) and never 0; what is neither blank nor a whole number is a fault of the
row, and so is a number below zero.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cm.clock import YEARS, resolve
from cm.i18n import _

MOST = 10**15
"""No count of a platform is larger; what is, is an id in the wrong column."""

_BLANKS = "\u0020\u00a0\u2009\u202f"
_PLAIN = re.compile(r"[0-9]+")
_FRENCH_MONTHS = {
    "janv": "Jan", "févr": "Feb", "fevr": "Feb", "mars": "Mar", "avr": "Apr", "mai": "May", "juin": "Jun",
    "juil": "Jul", "août": "Aug", "aout": "Aug", "sept": "Sep", "oct": "Oct", "nov": "Nov", "déc": "Dec", "dec": "Dec",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+\.?")
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)


def count(cell: str, *, thousands: str = "", blank: Sequence[str] = ()) -> int | None:
    """A count: `1 234`, `1234`, `12.0`, and `1,234` or `1.234` where `thousands` is that sign; None if blank.

    Raises ValueError with a sentence for a person: no whole number, below zero, beyond reason.
    """
    text = cell.strip(_BLANKS + "\t\r\n")
    if not text or text in blank:
        return None
    digits = _ungrouped(text.removeprefix("-").removeprefix("\u2212"), thousands)
    if digits is None:
        raise ValueError(_("{cell!r} is not a whole number").format(cell=cell))
    value = int(digits)
    if value and text[0] in "-\u2212":
        raise ValueError(_("{cell} is below zero").format(cell=cell.strip()))
    if value > MOST:
        raise ValueError(_("{cell} is too large for a count").format(cell=cell.strip()))
    return value


def _ungrouped(text: str, thousands: str) -> str | None:
    """The digits of a number; None if it is none, or is not whole. Groups have three digits."""
    mark = "," if thousands == "." else "."
    whole, _sign, fraction = text.partition(mark)
    if fraction.strip("0") or (_sign and not fraction):
        return None
    if _PLAIN.fullmatch(whole):
        return whole
    for sign in (*_BLANKS, *thousands):
        if re.fullmatch(rf"[0-9]{{1,3}}({re.escape(sign)}[0-9]{{3}})+", whole):
            return whole.replace(sign, "")
    return None


def instant(cell: str, formats: Sequence[str], zone: ZoneInfo) -> datetime | None:
    """The instant in UTC that a cell tells in one of the `formats` of strptime; None if blank.

    A time without offset is local in `zone`; a day without time is its midnight. Raises ValueError.
    """
    text = " ".join(cell.split())
    if not text:
        return None
    spoken = _WORD.sub(_english_month, text)
    for form in formats:
        try:
            read = _read(spoken, form, zone)
        except (ValueError, OverflowError):  # strptime's own refusal, or a year without neighbours
            continue
        if read.year in YEARS:
            return read
    raise ValueError(_("{cell!r} is not a time as this kind of file writes it").format(cell=cell))


def _english_month(word: re.Match[str]) -> str:
    return _FRENCH_MONTHS.get(word[0].rstrip(".").casefold(), word[0])


def _read(text: str, form: str, zone: ZoneInfo) -> datetime:
    if "%z" in form:
        return datetime.strptime(text, form).astimezone(UTC)
    wall = datetime.strptime(text, form).replace(tzinfo=UTC).replace(tzinfo=None)  # a wall time, local in `zone`
    return resolve(wall, zone).instant


def identity(cell: str) -> str:
    """An id as it stands. Raises ValueError for one that a spreadsheet has rounded (`1.22158E+17`)."""
    text = cell.strip()
    if _ROUNDED.fullmatch(text):
        raise ValueError(
            _("{cell} is an id that a spreadsheet has rounded; import the file as it was exported").format(cell=text)
        )
    return text
