"""What a person's words for a time, a day or a week mean; what is not surely understood is refused.

The grammar is in `cm.calendar.time_phrases`. What it means:

- the day stands before the month; a day of the month without its year is the next such day, today included. If that
  is more than 11 months ahead, the same day was here less than a month ago: the year must be said;
- a weekday is the next such day; today only while its time is still to come. "next tuesday" and "mardi prochain" are
  the Tuesday of the next ISO week, "this tuesday" and "ce mardi" that of this one;
- a time of day alone is today's, and refused once it has passed. Hours count to 24: "at 5" is 05:00;
- "minuit" and "midnight" are the coming midnight, and stand alone: with a day it could be either end of it. "12am"
  and "12pm" are read in two ways, hence in none;
- "dans 2h" is time elapsed, "dans 2 jours" keeps the time on the wall.

Pure. Every refusal is a UsageError whose hint gives two phrases that would be taken.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from cm.calendar.time_phrases import InDays, OnDate, OnWeekday, Phrase, Unread, fold, read_phrase, tidy
from cm.clock import YEARS, Resolved, Week, local_day, parse_instant, parse_week, resolve, week_of
from cm.errors import UsageError
from cm.formats import clock, day_long, wall_long, weekday
from cm.i18n import _, language

T = TypeVar("T")

FARTHEST = timedelta(days=335)
"""Eleven months: so far ahead may lie a day that is said without its year."""

_WITH_ZONE = re.compile(r"(?P<phrase>.*?) ?\((?P<zone>[^()]*)\)", re.DOTALL)
_WITH_OFFSET = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")
_NUMBERED_WEEK = re.compile("(?:(?P<year>[0-9]{4})-?)?(?:[ws]|semaine |week )(?P<number>[0-9]{1,2})")
_NAMED_WEEKS = {
    "this week": 0, "cette semaine": 0,
    "next week": 1, "semaine prochaine": 1, "la semaine prochaine": 1,
    "last week": -1, "semaine derniere": -1, "la semaine derniere": -1,
}  # fmt: skip
_WEEKS_CALLED = {
    "this": "this week", "next": "next week", "last": "last week",
    "cette": "cette semaine", "prochaine": "semaine prochaine", "derniere": "semaine derniere",
}  # fmt: skip


def read_when(text: str, *, now: datetime, zone: ZoneInfo) -> Resolved:
    """The time to come that `text` means at `now` (an aware instant) in `zone`.

    Raises UsageError: not wholly understood, impossible, ambiguous, no time of day, or not later than `now`.
    """
    reading = _Reading(now, zone)
    found = _told(lambda: reading.time_of(text), _times_to_try())
    if found.instant <= now:
        said = _("{text!r} is past: it means {when}.").format(text=tidy(text), when=wall_long(found.wall))
        raise _refusal(said, _tomorrow(found.wall), _times_to_try()[1])
    return found


def read_moment(text: str, *, now: datetime, zone: ZoneInfo) -> Resolved:
    """As `read_when`, but the past is taken too, and a time with an offset, as our JSON writes it.

    A day without its year is taken only if it is still to come this year: looking back, either year may be meant.
    Raises UsageError.
    """
    if _WITH_OFFSET.fullmatch(text.strip()):
        return _told(lambda: _exact(text, zone), _times_to_try())
    reading = _Reading(now, zone, looking_back=True)
    return _told(lambda: reading.time_of(text), _times_to_try())


def _exact(text: str, zone: ZoneInfo) -> Resolved:
    try:
        instant = parse_instant(text, zone)
    except UsageError:
        raise Unread(_("There is no such time as {text!r}.").format(text=text)) from None
    return Resolved(instant, instant.astimezone(zone).replace(tzinfo=None, fold=0), zone.key)


def read_day(text: str, *, now: datetime, zone: ZoneInfo) -> date:
    """The day that `text` means; a past one only if fully dated or called "yesterday" or "hier".

    Raises UsageError: as `read_when`, or a time of day is said.
    """
    reading = _Reading(now, zone)
    return _told(lambda: reading.day_of(text), _days_to_try(reading.today))


def read_week(text: str, *, now: datetime, zone: ZoneInfo) -> Week:
    """The ISO week that `text` means: `2026-W48`, `W48` or `S48` of this ISO year, "this week", "la semaine dernière".

    Raises UsageError.
    """
    this = week_of(local_day(now, zone))
    return _told(lambda: _week(tidy(text), this), _weeks_to_try(this))


def week_called(text: str, *, now: datetime, zone: ZoneInfo) -> Week:
    """As `read_week`, where "week" has been said already: `cm week next`, `week:prochaine`. Raises UsageError."""
    this = week_of(local_day(now, zone))
    return _told(lambda: _week(_WEEKS_CALLED.get(fold(tidy(text)), tidy(text)), this), _weeks_to_try(this))


def echo(resolved: Resolved) -> str:
    """What was understood, in full: day, time and zone, and what a change of the clocks did to it.

    Without that last sentence it reads back as the same time.
    """
    said = f"{wall_long(resolved.wall)} ({resolved.zone})"
    if resolved.note == "fold":
        told = _("The clocks change that day: {shown} occurs twice, the first one is meant.")
        return f"{said}. {told.format(shown=clock(resolved.wall))}"
    if resolved.note == "gap":
        told = _("The clocks change that day: {asked} does not exist, {shown} is meant.")
        return f"{said}. {told.format(asked=_asked(resolved), shown=clock(resolved.wall))}"
    return said


def _asked(resolved: Resolved) -> str:
    """The time that a clock change skipped: what a clock that nobody changed would show."""
    before = (resolved.instant - timedelta(days=1)).astimezone(ZoneInfo(resolved.zone)).utcoffset() or timedelta()
    return clock(resolved.instant + before)


class _Reading:
    """A phrase read at a present moment. Raises Unread for what cannot be meant."""

    def __init__(self, now: datetime, zone: ZoneInfo, *, looking_back: bool = False) -> None:
        self._now, self._zone, self._looking_back = now, zone, looking_back
        self._wall = now.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None, fold=0)
        self.today = self._wall.date()

    def time_of(self, text: str) -> Resolved:
        """The time of a phrase that says one."""
        phrase = self._phrase(text)
        if phrase.elapsed is not None:
            return self._later(phrase, phrase.elapsed)
        if phrase.midnight:
            return self._at(self.today + timedelta(days=1), time())
        if phrase.clock is None and isinstance(phrase.day, InDays) and phrase.day.span:
            return self._at(self.today + timedelta(days=phrase.day.days), self._wall.time())
        if phrase.clock is None:
            raise Unread(_("{text!r} names a day, but no time.").format(text=phrase.shown))
        return self._at(self._day(phrase, phrase.clock), phrase.clock)

    def day_of(self, text: str) -> date:
        """The day of a phrase that says nothing else."""
        phrase = self._phrase(text)
        if phrase.timed or phrase.part or phrase.elapsed is not None:
            raise Unread(_("{text!r} says a time; only a day is asked for.").format(text=phrase.shown))
        day = self._day(phrase, None)
        if isinstance(phrase.day, OnWeekday) and day < self.today:
            raise Unread(_("{text!r} is past: it means {day}.").format(text=phrase.shown, day=day_long(day)))
        return day

    def _phrase(self, text: str) -> Phrase:
        """The parts; the zone may stand behind them in brackets, as `echo` writes it, if it is ours."""
        with_zone = _WITH_ZONE.fullmatch(tidy(text))
        if with_zone and with_zone["zone"].lower() != self._zone.key.lower():
            said = _("{zone!r} is another timezone: times are those of {ours}.")
            raise Unread(said.format(zone=with_zone["zone"], ours=self._zone.key))
        return read_phrase(with_zone["phrase"] if with_zone else text)

    def _later(self, phrase: Phrase, elapsed: timedelta) -> Resolved:
        """An instant so much later, to the minute. Plans are kept by the wall, where 02:30 means the first one."""
        instant = self._now.astimezone(UTC).replace(second=0, microsecond=0) + elapsed
        found = resolve(instant.astimezone(self._zone).replace(tzinfo=None, fold=0), self._zone)
        if found.instant != instant:
            said = _("{text!r} is when {clock} comes for the second time (the clocks change): it cannot be planned.")
            raise Unread(said.format(text=phrase.shown, clock=clock(found.wall)))
        return found

    def _at(self, day: date, at: time) -> Resolved:
        return resolve(datetime.combine(day, at), self._zone)

    def _day(self, phrase: Phrase, at: time | None) -> date:
        match phrase.day:
            case InDays(days):
                return self.today + timedelta(days=days)
            case OnWeekday(number, weeks):
                return self._weekday(number, weeks, at)
            case OnDate():
                return self._date(phrase.day)
            case None:
                return self.today

    def _weekday(self, number: int, weeks: int | None, at: time | None) -> date:
        if weeks is not None:
            return week_of(self.today).shift(weeks).days[number]
        day = self.today + timedelta(days=(number - self.today.weekday()) % 7)
        gone = day == self.today and at is not None and self._at(day, at).instant <= self._now
        return day + timedelta(days=7) if gone else day

    def _date(self, said: OnDate) -> date:
        day = self._undated(said) if said.year is None else _calendar_day(said, said.year)
        if said.weekday is not None and said.weekday != day.weekday():
            told = _("{text!r} contradicts itself: {day} is a {weekday}.")
            raise Unread(told.format(text=said.shown, day=f"{day:%Y-%m-%d}", weekday=weekday(day)))
        return day

    def _undated(self, said: OnDate) -> date:
        """The next such day, if it is surely that one."""
        _calendar_day(said, 2000)  # a leap year: what is no day there is none in any year
        years = (self.today.year, self.today.year + 1)
        day = next((day for year in years if (day := _exists(said, year)) and day >= self.today), None)
        if day is None or day - self.today > FARTHEST or (self._looking_back and day.year != self.today.year):
            raise Unread(_("Which year is meant by {text!r}? Write it too.").format(text=said.shown))
        return day


def _exists(said: OnDate, year: int) -> date | None:
    try:
        return date(year, said.month, said.number)
    except ValueError:
        return None


def _calendar_day(said: OnDate, year: int) -> date:
    day = _exists(said, year) if year in YEARS else None
    if day is None:
        raise Unread(_("There is no such day as {text!r}.").format(text=said.shown))
    return day


def _week(shown: str, this: Week) -> Week:
    folded = fold(shown)
    if folded in _NAMED_WEEKS:
        return this.shift(_NAMED_WEEKS[folded])
    found = _NUMBERED_WEEK.fullmatch(folded)
    if not found:
        raise Unread(_("{text!r} is not a week.").format(text=shown))
    try:
        return parse_week(f"{found['year'] or this.year}-W{found['number']}")
    except UsageError:
        raise Unread(_("There is no such week as {text!r}.").format(text=shown)) from None


def _told(read: Callable[[], T], to_try: tuple[str, str]) -> T:
    """What `read` gives; its refusal as one that a person can act on."""
    try:
        return read()
    except Unread as error:
        raise _refusal(str(error), *to_try) from None


def _refusal(said: str, one: str, other: str) -> UsageError:
    return UsageError(said, hint=_('Write it as "{one}" or "{other}".').format(one=one, other=other))


def _times_to_try() -> tuple[str, str]:
    """Two phrases in the spoken language that are right whatever the present."""
    return ("demain 9h", "mardi 18h30") if language() == "fr" else ("tomorrow 9am", "tuesday 18:30")


def _tomorrow(wall: datetime) -> str:
    """That time of day, tomorrow."""
    if language() == "fr":
        return f"demain {wall.hour}h{wall:%M}" if wall.minute else f"demain {wall.hour}h"
    return f"tomorrow {wall.hour}:{wall:%M}"


def _days_to_try(today: date) -> tuple[str, str]:
    later = today + timedelta(days=7)
    return ("demain" if language() == "fr" else "tomorrow"), f"{later.day}/{later.month}/{later.year}"


def _weeks_to_try(this: Week) -> tuple[str, str]:
    return ("la semaine prochaine" if language() == "fr" else "next week"), str(this.shift(1))
