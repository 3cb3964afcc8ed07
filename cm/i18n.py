"""Text that people read passes through here; English is the source language.

Catalogues are gettext's, below `cm/locale`, read with the standard library. The language is that of
CM_LANG, else of the workspace's configuration once that is open, else (help, usage) of LC_ALL, LC_MESSAGES
or LANG; whatever is neither French nor English is English. Keys, JSON and CSV are never translated.
"""

import gettext
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
LOCALE = Path(__file__).with_name("locale")
DOMAIN = "cm"


class _State:
    language = "en"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, [language])


def known(name: str | None) -> str | None:
    """`fr` for `fr`, `fr_FR.UTF-8`, `FR-be`…; None for a language that cm does not speak."""
    short = (name or "").partition(":")[0][:2].lower()
    return short if short in LANGUAGES else None


def asked(environ: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for: CM_LANG, LC_ALL, LC_MESSAGES, LANG; the first that is set."""
    names = ("CM_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    return known(next((environ[name] for name in names if environ.get(name)), None)) or "en"


def speak(language: str) -> None:
    """Speak that language from now on (`en` or `fr`)."""
    _State.language = language


def speak_as_configured(language: str) -> None:
    """Speak the workspace's language, unless CM_LANG names another."""
    speak(known(os.environ.get("CM_LANG")) or language)


def language() -> str:
    """The language spoken: `en` or `fr`."""
    return _State.language


def _(message: str) -> str:
    """The text to show for `message`."""
    return _catalogue(_State.language).gettext(message) if message else message


def chosen(one: str, many: str, n: int) -> str:
    """The translation of `one` or of `many`, by `n` (French says 0 in the singular)."""
    return _catalogue(_State.language).ngettext(one, many, n)


def pgettext(context: str, message: str) -> str:
    """As `_`, for a word that French says otherwise here than elsewhere; `context` says where here is."""
    return _catalogue(_State.language).pgettext(context, message)


def N_(message: str) -> str:
    """Marks `message` for the catalogue where it is translated later, as tables of labels are."""
    return message
