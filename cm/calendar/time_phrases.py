"""A phrase for a time read into its parts: the closed grammar.

A phrase is one day, one time of day, both in either order, or a span ("dans 2h"); what is left over is not guessed
at but named. Accents, capitals, the sort of blank, apostrophe or hyphen do not matter, and the two languages may be
mixed. Nothing here knows the present: what the parts mean is said in `cm.calendar.times`.
"""

import re
from dataclasses import dataclass, replace
from datetime import time, timedelta
from unicodedata import normalize

from cm.calendar import time_words
from cm.i18n import _

LONGEST = 100
"""No phrase of the grammar is as long as this."""


class Unread(ValueError):
    """A phrase outside the grammar, or a part that cannot be; the words are for a person."""


@dataclass(frozen=True)
class InDays:
    """So many days from today, negative for the past. `span`: said as "in 3 days", so the time of day may be kept."""

    days: int
    span: bool = False


@dataclass(frozen=True)
class OnWeekday:
    """A weekday (Monday is 0): the next one, or that of this ISO week plus `weeks`."""

    number: int
    weeks: int | None = None


@dataclass(frozen=True)
class OnDate:
    """A date as written. `shown`: its words; `year`, `weekday`: None if not said."""

    shown: str
    number: int
    month: int
    year: int | None
    weekday: int | None


Day = InDays | OnWeekday | OnDate


@dataclass(frozen=True)
class Phrase:
    """The parts of a phrase. `midnight` is said by its name and has no clock; `part`: hours of the day."""

    shown: str
    day: Day | None = None
    clock: time | None = None
    midnight: bool = False
    part: range | None = None
    elapsed: timedelta | None = None

    @property
    def timed(self) -> bool:
        """Is a time of day said?"""
        return self.midnight or self.clock is not None


_ACCENTS = set("\u0300\u0301\u0302\u0308\u0327")
_SAME = {"\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-"}
_ISO_T = re.compile("(?<=^[0-9]{4}-[0-9]{2}-[0-9]{2})t(?=[0-9])")
_SEPARATOR = re.compile(" ?, ?| ")


def tidy(text: str) -> str:
    """The text on one line, composed, single blanks. Raises Unread if it is empty or longer than any phrase."""
    shown = " ".join(normalize("NFC", text).split())
    if not shown:
        raise Unread(_("No time is given."))
    if len(shown) > LONGEST:
        raise Unread(_("{text!r} is too long to be a time.").format(text=f"{shown[:40]}…"))
    return shown


def fold(shown: str) -> str:
    """Small letters without accents, one for each character of `shown`, so that places in both agree."""
    return "".join(map(_folded, shown))


def _folded(sign: str) -> str:
    decomposed = normalize("NFD", sign)
    first, marks = decomposed[0], decomposed[1:]
    if not _ACCENTS.issuperset(marks):
        return sign
    low = _SAME.get(first, first).lower()
    return low if len(low) == 1 else sign


class _Scanner:
    """A phrase read from left to right, part by part."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self._text = _ISO_T.sub(" ", fold(shown))
        self._at = 0

    @property
    def rest(self) -> str:
        """What has not been read yet, as it was written."""
        return self.shown[self._at :].strip()

    def take(self, *forms: re.Pattern[str]) -> re.Match[str] | None:
        """The first of these forms that stands next."""
        gap = _SEPARATOR.match(self._text, self._at) if self._at else None
        start = gap.end() if gap else self._at
        found = next((match for form in forms if (match := form.match(self._text, start))), None)
        if found:
            self._at = found.end()
        return found

    def words(self, found: re.Match[str]) -> str:
        """The words of a part, as they were written."""
        return self.shown[found.start() : found.end()]


def read_phrase(text: str) -> Phrase:
    """The parts of a phrase. Raises Unread: not all of it is in the grammar, or a part of it cannot be."""
    scanner = _Scanner(tidy(text))
    phrase = Phrase(scanner.shown)
    phrase = replace(phrase, elapsed=_take_elapsed(scanner))
    while scanner.rest:
        further = None if phrase.elapsed is not None else _take_clock(scanner, phrase) or _take_day(scanner, phrase)
        if further is None:
            raise _left_over(scanner)
        phrase = further
    _require_agreement(phrase)
    return phrase


def _left_over(scanner: _Scanner) -> Unread:
    if scanner.rest == scanner.shown:
        return Unread(_("{text!r} is not understood.").format(text=scanner.shown))
    return Unread(_("{rest!r} is not understood in {text!r}.").format(rest=scanner.rest, text=scanner.shown))


def _require_agreement(phrase: Phrase) -> None:
    """Midnight belongs to two days, so it stands alone; the hour is in the part of the day that is said."""
    if phrase.midnight and phrase.day:
        said = _("Midnight of which day is meant in {text!r}, its beginning or its end? Write 00:00 and the day.")
        raise Unread(said.format(text=phrase.shown))
    if phrase.part and phrase.clock and phrase.clock.hour not in phrase.part:
        said = _("{text!r} contradicts itself: {clock} is not in that part of the day (hours count to 24).")
        raise Unread(said.format(text=phrase.shown, clock=f"{phrase.clock:%H:%M}"))


def _take_elapsed(scanner: _Scanner) -> timedelta | None:
    """ "dans 2h", "in 30 minutes", "dans 1h30"; days and weeks are read as days."""
    if found := scanner.take(time_words.HOURS_AND_MINUTES):
        if int(found["minutes"]) > 59:
            raise _no_such_time(scanner.words(found))
        return timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    found = scanner.take(time_words.SPAN)
    return timedelta(minutes=time_words.MINUTES[found["word"]] * _count(found)) if found else None


def _count(found: re.Match[str]) -> int:
    return int(found["count"]) if found["count"].isdigit() else 1


def _take_clock(scanner: _Scanner, phrase: Phrase) -> Phrase | None:
    """The phrase with its time of day; None if none stands next or it has one."""
    if phrase.timed:
        return None
    if named := scanner.take(time_words.NAMED_TIME):
        clock = time_words.NAMED_TIMES[named["word"]]
        return replace(phrase, clock=clock, midnight=clock is None)
    found = scanner.take(*time_words.CLOCKS)
    return replace(phrase, clock=_clock(found.groupdict(), scanner.words(found))) if found else None


def _clock(said: dict[str, str | None], shown: str) -> time:
    if said.get("offset"):
        raise Unread(_("{text!r} has an offset; give the local time alone.").format(text=shown))
    if said.get("second") not in (None, "00"):
        raise Unread(_("{text!r} has seconds; times go to the minute.").format(text=shown))
    hour, minute = int(said["hour"] or 0), int(said.get("minute") or said.get("after") or 0)
    if half := said.get("half"):
        if hour == 12:
            raise Unread(_("{text!r} is read in two ways; write noon, or 00:00 and the day.").format(text=shown))
        if not 1 <= hour < 12:
            raise _no_such_time(shown)
        hour += 12 if half == "p" else 0
    if hour > 23 or minute > 59:
        raise _no_such_time(shown)
    return time(hour, minute)


def _no_such_time(shown: str) -> Unread:
    return Unread(_("There is no such time as {text!r}.").format(text=shown))


def _take_day(scanner: _Scanner, phrase: Phrase) -> Phrase | None:
    """The phrase with its day, and the part of it if said; None if none stands next or it has one."""
    if phrase.day:
        return None
    if found := scanner.take(time_words.SPAN_OF_DAYS):
        return replace(phrase, day=InDays(time_words.DAYS_AHEAD[found["word"]] * _count(found), span=True))
    if found := scanner.take(*time_words.DATES):
        return replace(phrase, day=_date(found.groupdict(), scanner.words(found)))
    if found := scanner.take(time_words.TODAYS_PART):
        return replace(phrase, day=InDays(0), part=time_words.TODAYS_PARTS[found["word"]])
    day = _take_named_day(scanner)
    if day is None:
        return None
    part = scanner.take(time_words.PART)
    return replace(phrase, day=day, part=time_words.PARTS[part["word"]] if part else None)


def _take_named_day(scanner: _Scanner) -> Day | None:
    if found := scanner.take(time_words.DAY_WORD):
        return InDays(time_words.DAYS[found["word"]])
    if found := scanner.take(time_words.THAT_WEEKDAY):
        return OnWeekday(time_words.WEEKDAYS[found["weekday"]], 1 if found["which"] == "next" else 0)
    if found := scanner.take(time_words.SOME_WEEKDAY):
        return OnWeekday(time_words.WEEKDAYS[found["weekday"]], 1 if found["next"] else None)
    return None


def _date(said: dict[str, str | None], shown: str) -> OnDate:
    number, month, year = said["number"] or "", said.get("month"), said["year"]
    if year and len(year) < 4:
        raise Unread(_("Write the year of {text!r} with four digits.").format(text=shown))
    day = OnDate(
        shown,
        number=time_words.ORDINALS.get(number) or int(number),
        month=int(month) if month else time_words.MONTHS[said["word"] or ""],
        year=int(year) if year else None,
        weekday=time_words.WEEKDAYS[said["weekday"]] if said["weekday"] else None,
    )
    if day.month > 12:
        raise Unread(
            _("There is no month {n} in {text!r}: the day stands first, then the month.").format(
                n=day.month, text=shown
            )
        )
    return day
