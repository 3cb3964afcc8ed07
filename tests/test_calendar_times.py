"""What people type for a time: understood wholly and told in full, or refused; never guessed."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support_calendar import at as local

from cm import i18n
from cm.calendar.times import echo, read_day, read_moment, read_week, read_when
from cm.clock import Resolved, Week, resolve
from cm.errors import UsageError

PARIS = ZoneInfo("Europe/Paris")
NOWS = (
    "2026-11-23 09:10",  # a Monday morning
    "2026-11-29 20:30",  # a Sunday evening
    "2026-12-31 23:50",  # a Thursday, the last minutes of the year and of week 53
    "2027-03-27 22:15",  # the Saturday before 02:00 becomes 03:00
    "2026-10-24 23:30",  # the Saturday before 03:00 becomes 02:00
    "2028-02-29 12:00",  # a Tuesday that most years lack
)


def instant(wall: str, zone: ZoneInfo = PARIS) -> datetime:
    return local(wall).replace(tzinfo=zone).astimezone(UTC)


@pytest.fixture(autouse=True)
def _english_again():
    i18n.speak("en")
    yield
    i18n.speak("en")


# Six times, one for each of NOWS (a dash: refused), and the phrases that mean them. Written by hand, with a calendar.
UNDERSTOOD = {
    "2026-11-23 09:30 | - | - | - | - | -": (
        "9h30", "9 h 30", "09h30", "9H30", "9 heures 30", "9:30", "09:30", "9:30:00", "9:30am", "9:30 a.m.", "à 9h30",
        "at 9:30", "@9:30", "aujourd'hui 9h30", "aujourd’hui à 9h30", "today at 9:30", "this morning 9:30 AM",
        "ce matin à 9h30", "9h30 aujourd'hui", "9h 30", "9h\u00a030", "  9  h  30  ",
    ),
    "2026-11-23 09:30 | - | - | - | 2026-11-23 09:30 | -": ("lundi 23/11/2026 9h30", "2026-11-23T09:30"),
    "2026-11-23 21:00 | 2026-11-29 21:00 | - | - | - | 2028-02-29 21:00": (
        "21h", "21 h", "21h00", "21 heures", "21:00", "9pm", "9 PM", "9 p.m.", "9:00pm", "21 o'clock", "at 21",
        "ce soir 21h", "ce soir à 21h", "tonight at 9pm", "this evening, 21:00", "21h ce soir", "à 21",
    ),
    "2026-11-23 12:00 | - | - | - | - | -": ("midi", "à midi", "noon", "at noon", "NOON", "today noon", "12h", "12:00"),
    "2026-11-23 23:55 | 2026-11-29 23:55 | 2026-12-31 23:55 | 2027-03-27 23:55 | 2026-10-24 23:55 | 2028-02-29 23:55": (
        "23h55", "23:55", "11:55pm", "today 11:55 pm", "Aujourd'hui, 23h55",
    ),
    "2026-11-24 00:00 | 2026-11-30 00:00 | 2027-01-01 00:00 | 2027-03-28 00:00 | 2026-10-25 00:00 | 2028-03-01 00:00": (
        "minuit", "à minuit", "midnight", "at midnight", "demain 0h", "tomorrow 00:00",
    ),
    "2026-11-24 09:00 | 2026-11-30 09:00 | 2027-01-01 09:00 | 2027-03-28 09:00 | 2026-10-25 09:00 | 2028-03-01 09:00": (
        "demain 9h", "demain à 9h", "demain a 9h", "Demain à 09h00", "DEMAIN 9H", "demain, 9h", "demain matin 9h",
        "9h demain", "à 9h demain", "tomorrow 9am", "tomorrow at 9", "tomorrow 9:00", "9am tomorrow", "demain 9am",
        "tomorrow morning at 9am", "in 1 day at 9am", "dans un jour à 9 heures", "demain\u202f9\u00a0h", "démain 9h",
    ),
    "2026-11-24 20:00 | 2026-11-30 20:00 | 2027-01-01 20:00 | 2027-03-28 20:00 | 2026-10-25 20:00 | 2028-03-01 20:00": (
        "demain soir 20h", "tomorrow evening at 8pm", "tomorrow night 8 pm", "demain soir à 20 h",
    ),
    "2026-11-24 02:30 | 2026-11-30 02:30 | 2027-01-01 02:30 | 2027-03-28 03:30 | 2026-10-25 02:30 | 2028-03-01 02:30": (
        "demain 2h30", "tomorrow 2:30am", "demain 02:30",
    ),
    "2026-11-25 18:30 | 2026-12-01 18:30 | 2027-01-02 18:30 | 2027-03-29 18:30 | 2026-10-26 18:30 | 2028-03-02 18:30": (
        "après-demain 18h30", "apres-demain 18h30", "après demain à 18 h 30", "après‑demain 18h30",
        "day after tomorrow 6:30pm", "the day after tomorrow at 18:30", "in 2 days 18:30", "dans 2 jours à 18h30",
    ),
    "2026-11-24 09:00 | 2026-12-01 09:00 | 2027-01-05 09:00 | 2027-03-30 09:00 | 2026-10-27 09:00 | 2028-03-07 09:00": (
        "mardi 9h", "Mardi à 9h", "mar. 9h", "le mardi 9h", "tuesday 9am", "tue 9am", "on tuesday at 9", "9h mardi",
    ),
    "2026-11-24 18:30 | 2026-12-01 18:30 | 2027-01-05 18:30 | 2027-03-30 18:30 | 2026-10-27 18:30 | 2028-02-29 18:30": (
        "mardi 18h30", "tuesday 18:30", "tuesday evening 6:30pm", "mardi soir, 18h30",
    ),
    "2026-11-24 12:00 | 2026-12-01 12:00 | 2027-01-05 12:00 | 2027-03-30 12:00 | 2026-10-27 12:00 | 2028-03-07 12:00": (
        "mardi midi", "mardi à midi", "mardi après-midi 12h", "tuesday afternoon at noon",
        "tuesday noon", "tuesday at 12:00", "mar 12h", "12 h 00 mar",
    ),
    "2026-12-01 09:00 | 2026-12-01 09:00 | 2027-01-05 09:00 | 2027-03-30 09:00 | 2026-10-27 09:00 | 2028-03-07 09:00": (
        "mardi prochain 9h", "next tuesday 9am", "on next tuesday at 9:00", "mardi prochain à 9h",
        "mardi de la semaine prochaine 9h", "tuesday next week at 9am", "9am next tuesday",
    ),
    "2026-11-24 18:30 | - | - | - | - | 2028-02-29 18:30": ("ce mardi 18h30", "this tuesday 6:30pm"),
    "2026-11-29 10:00 | 2026-12-06 10:00 | 2027-01-03 10:00 | 2027-03-28 10:00 | 2026-10-25 10:00 | 2028-03-05 10:00": (
        "dimanche 10h", "dim. 10h", "sunday 10am", "Sun 10:00", "sunday morning 10am",
    ),
    "2026-11-30 08:00 | 2026-11-30 08:00 | 2027-01-04 08:00 | 2027-03-29 08:00 | 2026-10-26 08:00 | 2028-03-06 08:00": (
        "lundi 8h", "monday 8am", "lundi prochain 8h", "next monday 8am",
    ),
    "2026-11-28 20:00 | 2026-12-05 20:00 | 2027-01-02 20:00 | 2027-04-03 20:00 | 2026-10-31 20:00 | 2028-03-04 20:00": (
        "samedi soir 20h", "saturday 8pm", "sat 20:00",
    ),
    "2026-12-03 09:00 | 2026-12-03 09:00 | - | 2027-12-03 09:00 | 2026-12-03 09:00 | 2028-12-03 09:00": (
        "3/12 9h", "03/12 9h", "le 3/12 à 9h", "3 décembre 9h", "3 dec. 9h", "le 3 décembre à 9 h", "3 december 9am",
        "december 3 at 9", "Dec 3rd, 9am", "on the 3rd of december at 9am", "9am on december 3", "9h le 3 décembre",
        "9h 3 décembre", "the 3rd of december 9:00",
    ),
    "2026-12-03 09:00 | 2026-12-03 09:00 | - | - | 2026-12-03 09:00 | -": (
        "2026-12-03T09:00", "2026-12-03 9:00", "2026-12-03 09:00", "2026-12-03T09:00:00", "2026-12-03 9h",
        "3/12/2026 à 9h00", "03/12/2026 09:00", "03.12.2026 09:00", "le 3 décembre 2026 à 9h", "3 DÉCEMBRE 2026 9H",
        "december 3 2026 9:00", "December 3, 2026, 9am", "jeudi 3/12/2026 9h", "thursday 3 december 2026, 09:00",
        "thursday, december 3, 2026 at 9am", "jeu. 3/12/2026 9h", "thu 2026-12-03 9am", "09:00 3/12/2026",
        "jeudi 3 décembre 2026 à 09:00 (Europe/Paris)", "3 de\u0301cembre 2026 9h",
    ),
    "2027-12-03 09:00 | 2027-12-03 09:00 | 2027-12-03 09:00 | 2027-12-03 09:00 | 2027-12-03 09:00 | -": (
        "2027-12-03T09:00", "3/12/2027 9h", "vendredi 3 décembre 2027 à 9h", "fri 3 dec 2027 9am",
    ),
    "2027-03-30 09:00 | 2027-03-30 09:00 | 2027-03-30 09:00 | 2027-03-30 09:00 | 2027-03-30 09:00 | -": (
        "30 mar 2027 9am", "tue 30 mar. 2027 9:00", "mar. 30 mars 2027 9h", "9h, 30 mars 2027", "9h 30 mars 2027",
        "09:00 30 mar 2027",
    ),
    "2026-12-01 09:00 | 2026-12-01 09:00 | 2027-12-01 09:00 | 2027-12-01 09:00 | 2026-12-01 09:00 | 2028-12-01 09:00": (
        "1er décembre 9h", "le 1er décembre à 9h", "1/12 9h", "december 1st 9am", "1 dec 9:00",
    ),
    "2026-12-01 09:00 | 2026-12-01 09:00 | - | - | 2026-12-01 09:00 | -": (
        "mardi 1er décembre 9h", "le mardi 1er décembre à 9h", "tuesday 1 december 9am", "tuesday, december 1st at 9",
        "mar. 1/12 9h", "mardi, le 1er décembre, 9h",
    ),
    "2027-01-01 00:05 | 2027-01-01 00:05 | 2027-01-01 00:05 | 2028-01-01 00:05 | 2027-01-01 00:05 | 2029-01-01 00:05": (
        "1/1 0h05", "1er janvier à 00:05", "january 1 0:05", "1 janv. 0 h 05",
    ),
    "- | - | - | - | - | 2028-02-29 18:00": ("29/2 18h", "29 février 18h", "february 29 6pm"),
    "2028-02-29 18:00 | 2028-02-29 18:00 | 2028-02-29 18:00 | 2028-02-29 18:00 | 2028-02-29 18:00 | 2028-02-29 18:00": (
        "29/2/2028 18h", "29 févr. 2028 18:00", "Feb 29, 2028 6pm", "mardi 29/02/2028 18h",
    ),
    "2027-03-28 03:30 | 2027-03-28 03:30 | 2027-03-28 03:30 | 2027-03-28 03:30 | 2027-03-28 03:30 | 2028-03-28 02:30": (
        "28/3 2h30", "28 mars 2h30", "march 28 2:30am",
    ),
    "- | 2027-10-25 02:30 | 2027-10-25 02:30 | 2027-10-25 02:30 | 2026-10-25 02:30 | 2028-10-25 02:30": (
        "25/10 2h30", "25 octobre 02:30", "Oct 25 2:30 am",
    ),
    "- | - | 2027-11-22 09:00 | 2027-11-22 09:00 | 2026-11-22 09:00 | 2028-11-22 09:00": ("22/11 9h", "22 nov 9am"),
    "2026-12-31 23:59 | 2026-12-31 23:59 | 2026-12-31 23:59 | 2027-12-31 23:59 | 2026-12-31 23:59 | 2028-12-31 23:59": (
        "31/12 23h59", "31 décembre 23:59", "december 31 11:59pm",
    ),
    "2027-03-03 09:00 | 2027-03-03 09:00 | 2027-03-03 09:00 | - | 2027-03-03 09:00 | 2028-03-03 09:00": (
        "3 mars 9h", "le 3 mars à 9h", "mars 3 9h", "march 3 9am", "3/3 9h",
    ),
    "2026-11-27 09:00 | - | - | - | 2026-11-27 09:00 | -": ("vendredi 27/11/2026 9h", "9h 27 novembre 2026"),
    "2026-11-23 11:10 | 2026-11-29 22:30 | 2027-01-01 01:50 | 2027-03-28 00:15 | 2026-10-25 01:30 | 2028-02-29 14:00": (
        "dans 2h", "dans 2 h", "dans 2 heures", "in 2h", "in 2 hours", "Dans 120 min", "in 2 hrs",
    ),
    "2026-11-23 13:10 | 2026-11-30 00:30 | 2027-01-01 03:50 | 2027-03-28 03:15 | - | 2028-02-29 16:00": (
        "dans 4h", "in 4 hours", "in 240 minutes",
    ),
    "2026-11-23 09:40 | 2026-11-29 21:00 | 2027-01-01 00:20 | 2027-03-27 22:45 | 2026-10-25 00:00 | 2028-02-29 12:30": (
        "dans 30 min", "dans 30 minutes", "in 30 minutes", "in 30 min", "dans 30mn",
    ),
    "2026-11-23 10:40 | 2026-11-29 22:00 | 2027-01-01 01:20 | 2027-03-27 23:45 | 2026-10-25 01:00 | 2028-02-29 13:30": (
        "dans 1h30", "dans 1 h 30", "in 1h30", "dans 90 minutes",
    ),
    "2026-11-23 10:10 | 2026-11-29 21:30 | 2027-01-01 00:50 | 2027-03-27 23:15 | 2026-10-25 00:30 | 2028-02-29 13:00": (
        "dans une heure", "in an hour", "dans 1 heure",
    ),
    "2026-11-24 09:10 | 2026-11-30 20:30 | 2027-01-01 23:50 | 2027-03-28 23:15 | 2026-10-25 22:30 | 2028-03-01 12:00": (
        "dans 24h", "in 24 hours",
    ),
    "2026-11-24 09:10 | 2026-11-30 20:30 | 2027-01-01 23:50 | 2027-03-28 22:15 | 2026-10-25 23:30 | 2028-03-01 12:00": (
        "dans 1 jour", "in 1 day", "in a day", "dans 1 j",
    ),
    "2026-11-26 09:10 | 2026-12-02 20:30 | 2027-01-03 23:50 | 2027-03-30 22:15 | 2026-10-27 23:30 | 2028-03-03 12:00": (
        "dans 3 jours", "in 3 days",
    ),
    "2026-11-26 09:00 | 2026-12-02 09:00 | 2027-01-03 09:00 | 2027-03-30 09:00 | 2026-10-27 09:00 | 2028-03-03 09:00": (
        "dans 3 jours à 9h", "in 3 days at 9am", "9am in 3 days",
    ),
    "2026-11-30 09:10 | 2026-12-06 20:30 | 2027-01-07 23:50 | 2027-04-03 22:15 | 2026-10-31 23:30 | 2028-03-07 12:00": (
        "dans 1 semaine", "dans une semaine", "in a week", "in 1 week", "in 7 days",
    ),
}  # fmt: skip
PHRASES = tuple(chain.from_iterable(UNDERSTOOD.values()))

REFUSED = (
    # past at each of NOWS
    "9h", "9am", "at 9", "0h", "00:00", "aujourd'hui 9h", "today 9am", "hier 9h", "yesterday 9am", "avant-hier 18h",
    "2020-01-01 09:00", "23/10/2026 9h", "dans 0 min", "dans 0 jour", "29/2 9h",
    # days that do not exist
    "31/11 9h", "31 novembre 9h", "november 31 9am", "30/2 9h", "32 décembre 9h", "0/1/2027 9h", "31/4/2027 9h",
    "2027-02-29 09:00", "2027-13-01 09:00", "2027-12-32T09:00", "29/2/2027 9h", "0000-01-01 09:00", "9999-01-01 09:00",
    # month first
    "12/25 9h", "12/25/2027 9h", "11/30/2027 at 9am",
    # times of day that do not exist
    "25h", "24h", "24:00", "demain 24h", "9h75", "9:75", "9:60", "13pm", "0am", "0pm", "21:00pm", "in 1h75",
    "2027-12-03T25:00", "99h",
    # two readings
    "12am", "12pm", "tomorrow 12pm", "demain minuit", "tomorrow at midnight", "midnight tuesday", "aujourd'hui minuit",
    "3/12/27 9h", "3.12.27 9h", "mar 3 9h", "3 mar 9h", "mar 3 2029 9am", "9 h 30 mar 2029",
    "at 3 december 9", "12:30 am", "ce soir minuit",
    # contradictions
    "lundi 3/12/2026 9h", "monday 2027-12-03 9h", "mardi 1er décembre 2027 9h", "ce soir 8h", "tonight at 9",
    "demain matin 18h", "tomorrow afternoon 9am", "mardi soir 9h", "this morning 21:00",
    "demain matin 12h", "demain matin à midi", "demain après-midi 11h59", "demain après-midi 19h", "demain soir 16h59",
    # a day, but no time; nothing at all
    "mardi", "demain", "3/12", "2027-12-03", "ce soir", "tonight", "next tuesday", "mardi prochain", "december 3",
    "aujourd'hui", "lundi 30 novembre 2026", "", "   ", "\u00a0",
    # bare numbers
    "9", "demain 9", "mardi 9", "9 30", "0930", "demain 0930", "le 30 à 9h", "lundi 30 9h", "1er 9h", "3 9h", "3.12 9h",
    # half written
    "9h5", "9:5", "9h30m", "9hh", "9 hh", "h30", ":30", "9:", "2027-1-3 09:00", "2027-12-03T", "20271203 0900",
    "3/12/202 9h", "3/12/20271 9h", "3-12-2027 9h", "2027/12/03 9h", "december 9am", "décembre 2027 9h",
    "3st december 9am", "2nd décembr 9h", "dans 2", "dans 2 mois", "in 2 fortnights", "dans h",
    "dans -2h", "dans 2,5 h", "in two hours",
    "dans 99999 h", "next 9am", "prochain 9h", "next week 9am", "la semaine prochaine 9h", "this 9h", "2026-W48 9h",
    "9h30:15", "9:30:15", "2027-12-03T09:00:30", "9.30am",
    # offsets and other zones
    "2027-12-03T09:00Z", "2027-12-03T09:00+01:00", "2027-12-03 09:00-0500", "demain 9h (UTC)", "demain 9h UTC",
    "demain 9h Europe/Paris", "demain 9h(Europe/London)", "(Europe/Paris)", "demain 9h ()",
    # more than one time
    "demain 9h 10h", "demain 9h ou 10h", "demain mardi 9h", "mardi mardi 9h", "9h demain demain", "in 2h at 9",
    "dans 2h demain", "dans 2 jours dans 2 jours", "demain 9h-10h", "demain 9h et 18h", "tomorrow 9am 3/12",
    # words that are not ours
    "tomorow 9am", "demin 9h", "bientôt", "soon", "vers 9h", "demain vers 9h", "tomorrow around 9am",
    "now", "maintenant", "mardi 9h sauf pluie", "demain 9h svp", "demain 9h.", "demain 9h!",
    "demain 9h,", ",demain 9h", "demain,,9h",
    "demain;9h", "à", "at", "on", "le", "p212", "--at", "demain 9h; rm -rf", "mardi dernier 9h", "last tuesday 9am",
    "tuesday 9am last", "mardi en huit 9h", "lunid 9h", "9h\x00", "９h", "٩h", "demain 9h\u200b", "demain 9\u20ddh",
    "x" * 5000,
    "tomorrow at at 9am", "à à 9h", "on on tuesday 9am", "9hdemain", "demain9h", "mardi9h", "3/129h",
)  # fmt: skip


def quoted(hint: str) -> list[str]:
    return [spoken.strip() for spoken in re.findall('["«]([^"»]*)["»]', hint)]


def assert_refused(read, text: str, now: datetime) -> UsageError:
    """Refused, and both phrases of the hint are taken at that very moment."""
    with pytest.raises(UsageError) as told:
        print(repr(text), read(text, now=now, zone=PARIS))
    examples = quoted(told.value.hint)
    assert len(examples) == 2, told.value.hint
    for example in examples:
        read(example, now=now, zone=PARIS)
    return told.value


def test_the_table_is_as_large_as_promised():
    assert len(PHRASES) >= 120
    assert len(set(PHRASES)) == len(PHRASES)
    assert all(len(row.split("|")) == len(NOWS) for row in UNDERSTOOD)


@pytest.mark.parametrize("column", range(len(NOWS)), ids=NOWS)
@pytest.mark.parametrize("row", UNDERSTOOD, ids=[phrases[0] for phrases in UNDERSTOOD.values()])
def test_each_phrase_is_right_or_refused(row, column):
    now, expected = instant(NOWS[column]), row.split("|")[column].strip()
    for phrase in UNDERSTOOD[row]:
        if expected == "-":
            assert_refused(read_when, phrase, now)
        else:
            found = read_when(phrase, now=now, zone=PARIS)
            assert (phrase, found.instant) == (phrase, instant(expected))
            assert (f"{found.wall:%Y-%m-%d %H:%M}", found.zone) == (expected, "Europe/Paris")


@pytest.mark.parametrize("now", NOWS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_past_impossible_or_not_wholly_understood_is_refused(now, language):
    i18n.speak(language)
    for phrase in REFUSED:
        assert_refused(read_when, phrase, instant(now))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9h", ["'9h'", "past", "Monday 23 November 2026, 09:00"]),
        ("22/11/2026 18h", ["past", "Sunday 22 November 2026, 18:00"]),
        ("22/11 18h", ["22/11", "year"]),
        ("demain 9h ou 10h", ["'ou 10h'", "'demain 9h ou 10h'"]),
        ("Début décembre 9h", ["'Début décembre 9h'", "not understood"]),
        ("mardi 9h  Forêt", ["'Forêt'"]),
        ("mardi", ["'mardi'", "no time"]),
        ("31/11 9h", ["'31/11'", "no such day"]),
        ("12/25 9h", ["'12/25'", "month 25", "the day stands first"]),
        ("lundi 3/12/2026 9h", ["'lundi 3/12/2026'", "Thursday"]),
        ("demain 9h75", ["'9h75'", "no such time"]),
        ("demain minuit", ["its beginning or its end", "00:00"]),
        ("12am", ["'12am'", "two ways"]),
        ("3/12/27 9h", ["'3/12/27'", "four digits"]),
        ("2026-12-03T09:00+02:00", ["'09:00+02:00'", "offset"]),
        ("2026-12-03T09:00:30", ["seconds"]),
        ("ce soir 8h", ["08:00", "part of the day"]),
        ("demain 9h (Asia/Tokyo)", ["'Asia/Tokyo'", "Europe/Paris"]),
    ],
)
def test_a_refusal_says_what_was_understood_or_not(text, said):
    error = assert_refused(read_when, text, instant(NOWS[0]))
    assert [part for part in said if part not in error.message] == []
    assert error.exit_code == 2


def test_a_passed_hour_is_offered_for_tomorrow():
    assert "tomorrow 9:05" in assert_refused(read_when, "9h05", instant(NOWS[0])).hint
    i18n.speak("fr")
    assert "demain 9h" in assert_refused(read_when, "9h", instant(NOWS[0])).hint


def test_a_long_text_is_not_shown_back_whole():
    assert len(assert_refused(read_when, "9h " * 10_000, instant(NOWS[0])).message) < 100


def test_nothing_of_the_present_minute_is_to_come():
    now = instant("2026-11-23 09:10") + timedelta(seconds=59, microseconds=5)
    assert_refused(read_when, "9h10", now)
    assert read_when("9h11", now=now, zone=PARIS).instant == instant("2026-11-23 09:11")
    assert read_when("dans 1 min", now=now, zone=PARIS).instant == instant("2026-11-23 09:11")


def test_the_clock_may_be_told_in_any_zone_and_the_wall_is_that_of_the_workspace():
    now = instant("2026-11-23 21:00", ZoneInfo("America/New_York"))  # Tuesday 03:00 in Paris
    assert read_when("9h", now=now, zone=PARIS).instant == instant("2026-11-24 09:00")
    tokyo = ZoneInfo("Asia/Tokyo")
    found = read_when("mardi midi", now=now.astimezone(tokyo), zone=tokyo)
    assert (found.instant, found.zone) == (instant("2026-11-24 12:00", tokyo), "Asia/Tokyo")


def test_midnight_where_the_clocks_change_at_midnight():
    santiago = ZoneInfo("America/Santiago")  # on 6 September 2026, 00:00 becomes 01:00
    found = read_when("minuit", now=instant("2026-09-05 22:00", santiago), zone=santiago)
    assert (found.wall, found.note) == (local("2026-09-06 01:00"), "gap")


# --- the words come back ----------------------------------------------------------------------------------------------

PRESENT = instant("2026-11-23 09:10")
WEEKDAYS = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
MONTHS = {
    "en": (
        "january", "february", "march", "april", "may", "june",
        "july", "august", "september", "october", "november", "december",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip
days = st.dates(date(2026, 11, 24), date(2099, 12, 31)) | st.sampled_from([date(2027, 3, 28), date(2027, 10, 31)])
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))


def expected(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=PARIS).astimezone(UTC)


@given(days, clocks, st.sampled_from(["T", " ", "t", "  "]))
def test_every_iso_minute_to_come_reads_back(day, at, blank):
    found = read_when(f"{day.isoformat()}{blank}{at:%H:%M}", now=PRESENT, zone=PARIS)
    assert found.instant == expected(day, at)
    assert found.instant.astimezone(PARIS).replace(tzinfo=None, fold=0) == found.wall


def spoken_days(day: date) -> list[str]:
    first = "1er" if day.day == 1 else str(day.day)
    french, english = MONTHS["fr"][day.month - 1], MONTHS["en"][day.month - 1]
    lundi, monday = WEEKDAYS["fr"][day.weekday()], WEEKDAYS["en"][day.weekday()]
    return [
        f"{day.day}/{day.month}/{day.year}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", f"{lundi} {day:%d/%m/%Y}",
        f"le {first} {french} {day.year}", f"{lundi} {first} {french} {day.year}", f"{lundi[:3]}. {day:%d/%m/%Y}",
        f"{day.day} {english} {day.year}", f"{english} {day.day}, {day.year}",
        f"{monday}, {english} {day.day} {day.year}",
        f"{monday[:3]} {day.day} {english[:3]} {day.year}", f"on {monday} {day.day} {english} {day.year}",
    ]  # fmt: skip


def spoken_clocks(at: time) -> list[str]:
    plain = [f"{at.hour}h{at:%M}", f"{at.hour} h {at:%M}", f"{at:%H:%M}", f"{at.hour}:{at:%M}", f"{at:%H}h{at:%M}"]
    if at.minute == 0:
        plain += [f"{at.hour}h", f"{at.hour} heures"]
    if at.hour % 12:
        plain.append(f"{at.hour % 12}:{at:%M}{'am' if at.hour < 12 else ' pm'}")
    return plain


@given(days, clocks, st.data())
def test_french_and_english_renderings_read_back_exactly(day, at, data):
    said = data.draw(st.sampled_from(spoken_days(day)))
    hour = data.draw(st.sampled_from(spoken_clocks(at)))
    form = data.draw(st.sampled_from(["{0} {1}", "{0} à {1}", "{0} at {1}", "{0}, {1}", "{1} {0}", "à {1}, {0}"]))
    phrase = form.format(said, hour)
    phrase = data.draw(st.sampled_from([phrase, phrase.upper(), phrase.replace(" ", "\u00a0"), f" {phrase}  "]))
    assert read_when(phrase, now=PRESENT, zone=PARIS).instant == expected(day, at)
    assert read_day(said, now=PRESENT, zone=PARIS) == day


@pytest.mark.parametrize("language", ["en", "fr"])
@given(day=days, at=clocks)
def test_what_is_echoed_reads_back_as_the_same_time(language, day, at):
    i18n.speak(language)
    found = resolve(datetime.combine(day, at), PARIS)
    assert read_when(echo(replace(found, note=None)), now=PRESENT, zone=PARIS).instant == found.instant
    if found.note is None:
        assert echo(found) == echo(replace(found, note=None))


@given(st.sampled_from(PHRASES), st.sampled_from(NOWS))
def test_every_phrase_is_echoed_as_something_that_reads_back(phrase, now):
    try:
        found = read_when(phrase, now=instant(now), zone=PARIS)
    except UsageError:
        return
    again = read_when(echo(replace(found, note=None)), now=instant(now), zone=PARIS)
    assert (again.instant, again.wall) == (found.instant, found.wall)


strangers = st.text("bckqvwxyzéœ", min_size=2, max_size=8) | st.sampled_from(
    [
        "svp",
        "please",
        "environ",
        "ou",
        "or",
        "et",
        "and",
        "not",
        "pas",
        "sauf",
        "avant",
        "before",
        "GMT",
        "!",
        "?",
        "9",
        "…",
    ]
)


@given(st.sampled_from(PHRASES), st.sampled_from(NOWS), strangers, st.data())
def test_a_phrase_with_an_unknown_word_is_refused(phrase, now, stranger, data):
    words = phrase.split()
    if data.draw(st.booleans()):
        words.append(stranger)
    else:
        assume(stranger != "9")  # "tomorrow at 9 …" is one of ours
        words.insert(data.draw(st.integers(0, len(words))), stranger)
    with pytest.raises(UsageError):
        read_when(" ".join(words), now=instant(now), zone=PARIS)


pieces = st.sampled_from([piece for phrase in (*PHRASES, *REFUSED) for piece in phrase[:40].split()])
garbage = (
    st.text(max_size=40)
    | st.text("0123456789h:/ .-TamWàe,()", max_size=20)
    | st.lists(pieces, min_size=1, max_size=6).map(" ".join)
)


@given(garbage, st.sampled_from(NOWS))
def test_garbage_is_refused_or_a_time_to_come_that_can_be_told(text, now):
    try:
        found = read_when(text, now=instant(now), zone=PARIS)
    except UsageError:
        assert_refused(read_when, text, instant(now))
        return
    assert found.instant > instant(now)
    assert read_when(echo(replace(found, note=None)), now=instant(now), zone=PARIS).instant == found.instant


@given(
    st.lists(st.sampled_from([*WEEKDAYS["en"], *MONTHS["fr"], "dans", "in", "h", "prochain", "on", "at"]), min_size=1)
)
def test_without_a_number_noon_and_midnight_alone_are_times(words):
    assert_refused(read_when, " ".join(words), PRESENT)


# --- echo -------------------------------------------------------------------------------------------------------------


def test_the_echo_is_in_full_in_the_language_spoken():
    found = resolve(local("2026-12-01 09:05"), PARIS)
    assert echo(found) == "Tuesday 1 December 2026, 09:05 (Europe/Paris)"
    i18n.speak("fr")
    assert echo(found) == "mardi 1er décembre 2026 à 09:05 (Europe/Paris)"


def test_the_echo_tells_what_a_change_of_the_clocks_does():
    gap = read_when("28/3/2027 2h30", now=PRESENT, zone=PARIS)
    assert echo(gap) == (
        "Sunday 28 March 2027, 03:30 (Europe/Paris). The clocks change that day: 02:30 does not exist, 03:30 is meant."
    )
    fold = read_when("31/10/2027 2h30", now=PRESENT, zone=PARIS)
    assert echo(fold) == (
        "Sunday 31 October 2027, 02:30 (Europe/Paris). "
        "The clocks change that day: 02:30 occurs twice, the first one is meant."
    )
    half_hour = resolve(local("2026-10-04 02:10"), ZoneInfo("Australia/Lord_Howe"))
    assert "02:10 does not exist, 02:40 is meant" in echo(half_hour)


# --- a moment, a day, a week ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9h", "2026-11-23 09:00"),
        ("hier 18h30", "2026-11-22 18:30"),
        ("yesterday at 6:30pm", "2026-11-22 18:30"),
        ("avant-hier 9h", "2026-11-21 09:00"),
        ("1/11/2026 9h", "2026-11-01 09:00"),
        ("2020-02-29T09:00", "2020-02-29 09:00"),
        ("ce lundi 8h", "2026-11-23 08:00"),
        ("3/12 9h", "2026-12-03 09:00"),
        ("dans 2h", "2026-11-23 11:10"),
        ("2026-11-20T08:00:00+00:00", "2026-11-20 09:00"),
        ("2026-11-20T08:00Z", "2026-11-20 09:00"),
    ],
)
def test_a_moment_may_be_past(text, expected):
    found = read_moment(text, now=PRESENT, zone=PARIS)
    assert (found.instant, found.wall) == (instant(expected), local(expected))


def test_a_moment_with_an_offset_may_be_the_second_of_two():
    found = read_moment("2026-10-25T02:30+01:00", now=PRESENT, zone=PARIS)
    assert found == Resolved(instant("2026-10-25 03:30") - timedelta(hours=1), local("2026-10-25 02:30"), PARIS.key)


@pytest.mark.parametrize(
    "text",
    [
        "1/11 9h",
        "1/3 9h",
        "22/11 9h",
        "31/11/2026 9h",
        "mardi",
        "2026-11-20",
        "blah",
        "2026-02-30T09:00Z",
        "last tuesday 9h",
    ],
)
def test_a_moment_is_not_guessed_either(text):
    assert_refused(read_moment, text, PRESENT)


DAYS = {
    "2026-11-23 | 2026-11-29 | 2026-12-31 | 2027-03-27 | 2026-10-24 | 2028-02-29": ("today", "AUJOURD’HUI"),
    "2026-11-24 | 2026-11-30 | 2027-01-01 | 2027-03-28 | 2026-10-25 | 2028-03-01": ("demain", "tomorrow", "in 1 day"),
    "2026-11-25 | 2026-12-01 | 2027-01-02 | 2027-03-29 | 2026-10-26 | 2028-03-02": ("après-demain", "dans 2 jours"),
    "2026-11-22 | 2026-11-28 | 2026-12-30 | 2027-03-26 | 2026-10-23 | 2028-02-28": ("hier", "yesterday"),
    "2026-11-24 | 2026-12-01 | 2027-01-05 | 2027-03-30 | 2026-10-27 | 2028-02-29": ("mardi", "on tuesday", "mar."),
    "2026-12-01 | 2026-12-01 | 2027-01-05 | 2027-03-30 | 2026-10-27 | 2028-03-07": ("next tuesday", "mardi prochain"),
    "2026-11-24 | - | - | - | - | 2028-02-29": ("ce mardi", "this tuesday"),
    "2026-11-30 | 2026-12-06 | 2027-01-07 | 2027-04-03 | 2026-10-31 | 2028-03-07": ("in a week", "dans 1 semaine"),
    "2026-12-03 | 2026-12-03 | - | 2027-12-03 | 2026-12-03 | 2028-12-03": ("3/12", "december 3", "le 3 déc."),
    "2026-12-03 | 2026-12-03 | 2026-12-03 | 2026-12-03 | 2026-12-03 | 2026-12-03": (
        "03/12/2026", "2026-12-03", "3 december 2026", "jeudi 3/12/2026", "3.12.2026",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", DAYS, ids=[phrases[0] for phrases in DAYS.values()])
def test_each_day_is_right_or_refused(row):
    for now, expected in zip(NOWS, row.split("|"), strict=True):
        for phrase in DAYS[row]:
            if expected.strip() == "-":
                assert_refused(read_day, phrase, instant(now))
            else:
                assert (phrase, read_day(phrase, now=instant(now), zone=PARIS).isoformat()) == (
                    phrase,
                    expected.strip(),
                )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9h",
        "demain 9h",
        "ce soir",
        "dans 2h",
        "31/11",
        "12/25",
        "lundi 3/12/2026",
        "2026-W48",
        "3/12/26",
        "minuit",
        "soon",
    ],
)
@pytest.mark.parametrize("now", NOWS)
def test_what_is_no_day_is_refused(text, now):
    assert_refused(read_day, text, instant(now))


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("2026-W48", [(2026, 48)] * 6),
        ("2026w48", [(2026, 48)] * 6),
        ("2026-S48", [(2026, 48)] * 6),
        ("W48", [(2026, 48), (2026, 48), (2026, 48), (2027, 48), (2026, 48), (2028, 48)]),
        ("s48", [(2026, 48), (2026, 48), (2026, 48), (2027, 48), (2026, 48), (2028, 48)]),
        ("semaine 9", [(2026, 9), (2026, 9), (2026, 9), (2027, 9), (2026, 9), (2028, 9)]),
        ("this week", [(2026, 48), (2026, 48), (2026, 53), (2027, 12), (2026, 43), (2028, 9)]),
        ("Cette semaine", [(2026, 48), (2026, 48), (2026, 53), (2027, 12), (2026, 43), (2028, 9)]),
        ("next week", [(2026, 49), (2026, 49), (2027, 1), (2027, 13), (2026, 44), (2028, 10)]),
        ("la semaine prochaine", [(2026, 49), (2026, 49), (2027, 1), (2027, 13), (2026, 44), (2028, 10)]),
        ("last week", [(2026, 47), (2026, 47), (2026, 52), (2027, 11), (2026, 42), (2028, 8)]),
        ("la semaine dernière", [(2026, 47), (2026, 47), (2026, 52), (2027, 11), (2026, 42), (2028, 8)]),
    ],
)
def test_weeks(text, weeks):
    assert [read_week(text, now=instant(now), zone=PARIS) for now in NOWS] == [Week(*week) for week in weeks]


def test_the_week_53_of_this_iso_year():
    assert read_week("W53", now=instant("2027-01-02 09:00"), zone=PARIS) == Week(2026, 53)
    assert_refused(read_week, "W53", instant("2027-01-04 09:00"))


@pytest.mark.parametrize(
    "text", ["", "48", "2027-W53", "W0", "W54", "mardi", "2026-48", "week", "next", "W48 2026", "W٤٨"]
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_no_week_is_refused(text, language):
    i18n.speak(language)
    assert_refused(read_week, text, PRESENT)


def test_the_phrases_offered_are_of_the_language_spoken():
    offered = {}
    for language in ("en", "fr"):
        i18n.speak(language)
        for read in (read_when, read_day, read_week):
            offered[language, read] = quoted(assert_refused(read, "blah", PRESENT).hint)
    assert offered["en", read_when] == ["tomorrow 9am", "tuesday 18:30"]
    assert offered["fr", read_when] == ["demain 9h", "mardi 18h30"]
    assert offered["en", read_day] == ["tomorrow", "30/11/2026"]
    assert offered["fr", read_week] == ["la semaine prochaine", "2026-W49"]
