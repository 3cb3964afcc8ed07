"""The words of times, French and English, and the forms in which they stand; folded text (`time_phrases.fold`).

Day and month always stand day first: `3/12` is 3 December. `mar` is mardi, and a month
only between a number and a year.
"""

import re
from collections.abc import Iterable
from datetime import time

WEEKDAYS = {
    word: number
    for number, words in enumerate(
        (
            "monday mon lundi lun", "tuesday tues tue mardi mar", "wednesday wed mercredi mer",
            "thursday thurs thur thu jeudi jeu", "friday fri vendredi ven", "saturday sat samedi sam",
            "sunday sun dimanche dim",
        )
    )
    for word in words.split()
}  # fmt: skip
MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january jan janvier janv", "february feb fevrier fevr fev", "march mars mar", "april apr avril avr",
            "may mai", "june jun juin", "july jul juillet juil", "august aug aout", "september sept sep septembre",
            "october oct octobre", "november nov novembre", "december dec decembre",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
DAYS = {
    "today": 0, "aujourd'hui": 0, "aujourdhui": 0, "tomorrow": 1, "demain": 1,
    "day after tomorrow": 2, "the day after tomorrow": 2, "apres-demain": 2, "apres demain": 2,
    "yesterday": -1, "hier": -1,
    "day before yesterday": -2, "the day before yesterday": -2, "avant-hier": -2, "avant hier": -2,
}  # fmt: skip
_MORNING, _AFTERNOON, _EVENING = range(12), range(12, 19), range(17, 24)
PARTS = {
    "morning": _MORNING, "matin": _MORNING, "afternoon": _AFTERNOON, "apres-midi": _AFTERNOON,
    "apres midi": _AFTERNOON, "evening": _EVENING, "night": _EVENING, "soir": _EVENING,
}  # fmt: skip
TODAYS_PARTS = {
    "this morning": _MORNING, "ce matin": _MORNING, "this afternoon": _AFTERNOON, "cet apres-midi": _AFTERNOON,
    "cet apres midi": _AFTERNOON, "cette apres-midi": _AFTERNOON, "cette apres midi": _AFTERNOON,
    "this evening": _EVENING, "tonight": _EVENING, "ce soir": _EVENING,
}  # fmt: skip
NAMED_TIMES = {"noon": time(12), "midi": time(12), "midnight": None, "minuit": None}
MINUTES = dict.fromkeys(("minute", "minutes", "min", "mins", "mn"), 1)
MINUTES |= dict.fromkeys(("hour", "hours", "heure", "heures", "hr", "hrs", "h"), 60)
DAYS_AHEAD = dict.fromkeys(("day", "days", "jour", "jours", "j"), 1)
DAYS_AHEAD |= dict.fromkeys(("week", "weeks", "semaine", "semaines"), 7)
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
ORDINALS = {"1er": 1} | {f"{n}{_ENDINGS.get(n, 'th')}": n for n in range(1, 32)}


def _any(words: Iterable[str], name: str = "word") -> str:
    return f"(?P<{name}>{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})"


def _form(pattern: str) -> re.Pattern[str]:
    """A part of a phrase ends where a word ends."""
    return re.compile(f"(?:{pattern})(?=[ ,]|$)")


_YEAR = "(?:,? (?P<year>[0-9]{4}))?"
_NUMBER = f"(?P<number>{'|'.join(ORDINALS)}|[0-9]{{1,2}})"
_WEEKDAY = _any(WEEKDAYS, "weekday") + r"\.?"
_MONTHS = MONTHS.keys() - {"mar"}
_NO_DAY = rf"(?! (?:of |de )?{_any(_MONTHS, 'later')}(?![a-z]))"
"""Behind a number that is to be an hour: "at 3 december" is not three o'clock."""
_NOT_THIS_DAY = _NO_DAY[:-1] + rf"\.?(?! (?:the )?{_NUMBER.replace('number', 'its')}(?:[ ,]|$)))"
"""Behind minutes: "9h 30 novembre" is not half past nine, "9h 30 november 3" is."""

DATES = tuple(
    _form(rf"(?:le |on the |on |the )?(?:{_WEEKDAY},? (?:the |le )?)?{date}")
    for date in (
        "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<number>[0-9]{2})",
        "(?P<number>[0-9]{1,2})/(?P<month>[0-9]{1,2})(?:/(?P<year>[0-9]{4}|[0-9]{2}))?",
        r"(?P<number>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4}|[0-9]{2})",
        rf"{_NUMBER} (?:of |de )?{_any(_MONTHS)}\.?{_YEAR}",
        rf"{_NUMBER} (?P<word>mar)\.?,? (?P<year>[0-9]{{4}})",
        rf"{_any(_MONTHS)}\.? (?:the )?{_NUMBER}{_YEAR}",
    )
)
DAY_WORD, PART, TODAYS_PART = _form(_any(DAYS)), _form(_any(PARTS)), _form(_any(TODAYS_PARTS))
THAT_WEEKDAY = _form(rf"(?:on )?(?P<which>next|this|ce) {_WEEKDAY}")
SOME_WEEKDAY = _form(rf"(?:on |le )?{_WEEKDAY}(?P<next> prochain| (?:de )?la semaine prochaine| (?:of )?next week)?")
_COUNT = "(?:in|dans) (?P<count>[0-9]{1,4}|une?|an?) ?"
SPAN, SPAN_OF_DAYS = _form(_COUNT + _any(MINUTES)), _form(_COUNT + _any(DAYS_AHEAD))
HOURS_AND_MINUTES = _form("(?:in|dans) (?P<hours>[0-9]{1,3}) ?h ?(?P<minutes>[0-9]{2})(?: ?(?:min|mn))?")

_AT = "(?:(?:at|a) |@ ?)"
NAMED_TIME = _form(f"{_AT}?{_any(NAMED_TIMES)}")
CLOCKS = tuple(
    _form(clock)
    for clock in (
        rf"{_AT}?(?P<hour>[0-9]{{1,2}})(?::(?P<minute>[0-9]{{2}}))? ?(?P<half>[ap])(?:m|\.m\.)",
        f"{_AT}?(?P<hour>[0-9]{{1,2}}) ?(?:h|heures?)(?:(?P<minute>[0-9]{{2}})| (?P<after>[0-9]{{2}}){_NOT_THIS_DAY})?",
        f"{_AT}?(?P<hour>[0-9]{{1,2}}) o'clock",
        f"{_AT}?(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?::(?P<second>[0-9]{{2}}))?"
        "(?P<offset>z|[+-][0-9]{2}:?[0-9]{2})?",
        f"{_AT}(?P<hour>[0-9]{{1,2}}){_NO_DAY}",
    )
)
