"""Days and numbers in both languages, beside CLDR's."""

from datetime import date, timedelta

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st
from support_calendar import at as local

from cm import formats, i18n

LANGUAGES = pytest.mark.parametrize("spoken", i18n.LANGUAGES)


@pytest.fixture(autouse=True)
def _english_afterwards():
    yield
    i18n.speak("en")


@LANGUAGES
def test_days_are_those_of_cldr(spoken):
    i18n.speak(spoken)
    for n in range(0, 400):
        day = date(2026, 1, 1) + timedelta(days=n)
        ordinal = formats.day_long(day).replace("1er", "1")
        assert ordinal == format_date(day, "EEEE d MMMM y", locale=spoken)
        assert formats.day_short(day) == format_date(day, "EEE dd/MM", locale=spoken)
    assert (
        formats.wall_long(local("2026-12-01T09:05"))
        == {
            "en": "Tuesday 1 December 2026, 09:05",
            "fr": "mardi 1er décembre 2026 à 09:05",
        }[spoken]
    )


@LANGUAGES
@given(value=st.floats(-1e9, 1e9), digits=st.integers(0, 3))
def test_numbers_are_those_of_cldr(spoken, value, digits):
    i18n.speak(spoken)
    value = round(value, digits)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    written = formats.number(value, digits)
    assert written.lstrip("-") == format_decimal(abs(value), pattern, locale=spoken)


@LANGUAGES
def test_percent_is_that_of_cldr(spoken):
    i18n.speak(spoken)
    for value in (0, 1.5257, 12.5, 1234.56, -3.2):
        expected = format_percent(
            round(value, 1) / 100, "#,##0.0%" if spoken == "en" else "#,##0.0\u202f%", locale=spoken
        )
        assert formats.percent(value) == expected


def test_the_environment_asks_for_a_language():
    assert i18n.asked({}) == "en"
    assert i18n.asked({"LANG": "fr_FR.UTF-8"}) == "fr"
    assert i18n.asked({"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}) == "en"
    assert i18n.asked({"LANG": "de_DE.UTF-8"}) == "en"
    assert i18n.asked({"CM_LANG": "fr", "LC_ALL": "en_US.UTF-8"}) == "fr"
