"""Days, times, numbers and the like as people of the spoken language write them: `lun. 23/11`, `1 234,5`, `12,5 %`.

The rules for French and English are those of CLDR, which the tests compare them with; two languages are few
enough to do without its library, which would double the time a command takes to start.
"""

from datetime import date, datetime, time

from cm.i18n import N_, _, chosen, language

NARROW = "\u202f"
"""The blank that French puts between thousands and before %; it never breaks a line."""

_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_WEEKDAYS_SHORT = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip


def weekday(day: date) -> str:
    """`Monday`, `lundi`."""
    return _WEEKDAYS[language()][day.weekday()]


def weekday_short(day: date) -> str:
    """`Mon`, `lun.`"""
    return _WEEKDAYS_SHORT[language()][day.weekday()]


def month(day: date) -> str:
    """`November`, `novembre`."""
    return _MONTHS[language()][day.month - 1]


def day_short(day: date) -> str:
    """`Mon 23/11`, `lun. 23/11`: for tables."""
    return f"{weekday_short(day)} {day:%d/%m}"


def day_long(day: date) -> str:
    """`Monday 23 November 2026`, `lundi 23 novembre 2026`, `mardi 1er décembre 2026`."""
    number_of_day = "1er" if day.day == 1 and language() == "fr" else str(day.day)
    return f"{weekday(day)} {number_of_day} {month(day)} {day.year}"


def clock(moment: time | datetime) -> str:
    """`09:05`, in both languages: columns stay straight."""
    return f"{moment:%H:%M}"


def wall_long(wall: datetime) -> str:
    """`Monday 23 November 2026, 09:05`; `lundi 23 novembre 2026 à 09:05`."""
    joint = " à " if language() == "fr" else ", "
    return f"{day_long(wall.date())}{joint}{clock(wall)}"


def number(value: float, digits: int = 0) -> str:
    """`1,234.5`, `1 234,5`, rounded half to even to `digits` decimals."""
    text = f"{value:,.{digits}f}"
    if language() == "en":
        return text
    return text.replace(",", NARROW).replace(".", ",")


def percent(value: float, digits: int = 1) -> str:
    """`value` is in per cent already: `12.5%`, `12,5 %`."""
    return number(value, digits) + ("%" if language() == "en" else f"{NARROW}%")


def labelled(name: str, text: str) -> str:
    """`name: text`; French has a blank before the colon too."""
    return _("{name}: {text}").format(name=name, text=text)


_TROUBLE = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("File name too long"),
)
"""What the system says in English wherever it is not told to speak otherwise; the rest stays as it says it."""


def trouble(error: OSError) -> str:
    """Why a file cannot be had, as the system says it."""
    return _(error.strerror or str(error))


def plural(one: str, many: str, n: int) -> str:
    """`one` or `many` by `n`, both with a `{n}` place for the number.

    Extracted as gettext's own ngettext is: both are literals, not passed through `_`.
    """
    return chosen(one, many, n).format(n=number(n))
