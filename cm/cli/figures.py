"""Figures as people read them: unknown is a dash and never 0; a row of values as a line of blocks or of words."""

from collections.abc import Sequence
from datetime import date, datetime

from cm.cli.columns import UNKNOWN
from cm.cli.terminal import plain
from cm.formats import clock, day_short, number, weekday_short
from cm.formats import percent as per_cent
from cm.i18n import _

LEVELS = "▁▂▃▄▅▆▇█"
GAP = "·"
"""Stands where a value is unknown."""


def figure(value: float | None) -> str:
    """`12,345`, or a dash for unknown."""
    return UNKNOWN if value is None else number(value)


def percent(ratio: float | None, digits: int = 2) -> str:
    """A ratio as percent, or a dash for unknown."""
    return UNKNOWN if ratio is None else per_cent(100 * ratio, digits)


def signed(value: float | None) -> str:
    """A difference with its sign, or a dash for unknown."""
    if value is None:
        return UNKNOWN
    return number(value) if value < 0 else f"+{number(value)}"


def day_of(instant: str | None) -> str:
    """The day of an ISO instant, `Mon 23/11`; a dash without one."""
    return day_short(datetime.fromisoformat(instant).date()) if instant else UNKNOWN


def moment_of(instant: str) -> str:
    """Day and time of an ISO instant: `Mon 23/11 08:30`."""
    moment = datetime.fromisoformat(instant)
    return f"{day_short(moment.date())} {clock(moment)}"


def spark(values: Sequence[float | None], *, from_zero: bool) -> str:
    """A block for each value, eight levels from the lowest (or from 0) to the highest; `·` for an unknown one.

    Where all are the same, they stand half-way up, or at the bottom if they are 0.
    """
    known = [value for value in values if value is not None]
    low = 0 if from_zero else min(known, default=0)
    high = max(known, default=0)
    return "".join(GAP if value is None else _level(value, low, high) for value in values)


def _level(value: float, low: float, high: float) -> str:
    if high <= low:
        return LEVELS[0] if not value else LEVELS[len(LEVELS) // 2 - 1]
    return LEVELS[min(int((value - low) / (high - low) * len(LEVELS)), len(LEVELS) - 1)]


def spoken(values: Sequence[float | None], days: Sequence[date]) -> str:
    """The same in words: `Mon 3, Tue 5, Wed unknown`."""
    said = (figure(value) if value is not None else _("unknown") for value in values)
    return ", ".join(f"{weekday_short(day)} {value}" for day, value in zip(days, said, strict=True))


def course(values: Sequence[float | None], days: Sequence[date], *, from_zero: bool) -> str:
    """Blocks, or words where the output is read aloud."""
    return spoken(values, days) if plain() else spark(values, from_zero=from_zero)
