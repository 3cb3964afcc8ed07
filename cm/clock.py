"""The only place that asks for the time; local times, days and ISO weeks.

Instants are aware UTC. Wall times are naive and always travel with an IANA zone. A wall time that a
clock change skips moves on by the length of the gap (02:30 → 03:30); one that occurs twice means its
first occurrence. Both are told by `Resolved.note`.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from cm.errors import UsageError
from cm.i18n import _

YEARS = range(1970, 9000)
"""Years that are read: arithmetic on them stays within the calendar."""


class Clock(Protocol):
    """Whoever tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until it is set: simulations and tests."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        """The instant it was last set to, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Stand at `at` (aware). Raises ValueError for a naive time."""
        if at.tzinfo is None:
            raise ValueError("a clock is set to an aware instant")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on by `by`."""
        self._at += by


def monotonic() -> float:
    """Seconds of a clock that never jumps: for deadlines, not for dates."""
    return time.monotonic()


@dataclass(frozen=True)
class Resolved:
    """A wall time made an instant: `wall` is what the clock on the wall will show at `instant`."""

    instant: datetime
    wall: datetime
    zone: str
    note: Literal["gap", "fold"] | None = None


def resolve(wall: datetime, zone: ZoneInfo) -> Resolved:
    """The instant of a naive `wall` time in `zone`; see the module's text for clock changes."""
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    instant = first.astimezone(UTC)
    shown = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    if shown != wall:
        return Resolved(instant, shown, zone.key, "gap")
    if first.utcoffset() != second.utcoffset():
        return Resolved(instant, wall, zone.key, "fold")
    return Resolved(instant, wall, zone.key)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local calendar day in which `instant` falls."""
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local `day` begins, in UTC."""
    return resolve(datetime.combine(day, datetime.min.time()), zone).instant


@dataclass(frozen=True)
class Week:
    """An ISO week (Monday to Sunday), by its year and number."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def days(self) -> tuple[date, ...]:
        """Its seven days."""
        return tuple(self.monday + timedelta(days=n) for n in range(7))

    def shift(self, weeks: int) -> "Week":
        """The week that many weeks later (or earlier, if negative)."""
        return week_of(self.monday + timedelta(weeks=weeks))

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """`[Monday 00:00, next Monday 00:00)` local, as UTC instants."""
        return midnight(self.monday, zone), midnight(self.shift(1).monday, zone)


def week_of(day: date) -> Week:
    """The ISO week of a day."""
    year, number, _ = day.isocalendar()
    return Week(year, number)


_WEEK = re.compile(r"([0-9]{4})-?W([0-9]{1,2})", re.IGNORECASE)
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}"
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_DAY_ALONE = re.compile(_DAY)
_INSTANT = re.compile(f"{_DAY}([T ]{_TIME}(:[0-9]{{2}})?(Z|[+-]{_TIME})?)?")


def parse_week(text: str) -> Week:
    """Read `2026-W48`. Raises UsageError for anything else and for weeks that do not exist."""
    match = _WEEK.fullmatch(text.strip())
    if match and int(match[1]) in YEARS:
        week = Week(int(match[1]), int(match[2]))
        try:
            if week_of(week.monday) == week:
                return week
        except ValueError:
            pass  # fromisocalendar's own refusal; told below in our words
    raise UsageError(_("{text!r} is not an ISO week.").format(text=text), hint=_("Write it as 2026-W48."))


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """Read an ISO date or time as an instant: a bare date is its local midnight, a naive time is local.

    Raises UsageError.
    """
    value = _read(_INSTANT, text)
    if value is None:
        raise UsageError(
            _("{text!r} is not a date or time.").format(text=text),
            hint=_("Write it as 2026-12-03 or 2026-12-03T09:00."),
        )
    return value.astimezone(UTC) if value.tzinfo else resolve(value, zone).instant


def _read(form: re.Pattern[str], text: str) -> datetime | None:
    """The time that `text` says in exactly that form; None for another form or a time that does not exist."""
    if not form.fullmatch(text.strip()):
        return None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return read if read.year in YEARS else None


def parse_day(text: str) -> date | None:
    """Read `2026-12-03`; None for another form, a day that does not exist, or a year that nobody plans for."""
    read = _read(_DAY_ALONE, text)
    return read.date() if read else None


def parse_month(text: str) -> tuple[date, date]:
    """Read `2026-12`: its first and its last day. Raises UsageError for anything else."""
    match = _MONTH.fullmatch(text.strip())
    first = parse_day(f"{match[1]}-{match[2]}-01") if match else None
    if first is None:
        raise UsageError(_("{text!r} is not a month.").format(text=text), hint=_("Write it as 2026-12."))
    later = first + timedelta(days=31)
    return first, later - timedelta(days=later.day)
