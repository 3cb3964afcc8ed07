r"""What people type or import is cleaned here, field by field, before it is kept.

Texts keep every character but the line ends, which become `\n`; what no database or platform could
hold is refused. Each function gives the clean value or raises ValueError with the words for a person.
Pure.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from unicodedata import category, normalize

from cm.checks.rules import has_surrogates
from cm.config import Config
from cm.i18n import _
from cm.model.ids import looks_like_id

REF_LENGTH = 80
WORD_LENGTH = 120
LINK_LENGTH = 2000
REASON_LENGTH = 500

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators and marks that turn the direction of writing."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}")


def clean_text(value: str) -> str:
    """A text of any length. Refused: NUL, halves of characters."""
    if "\0" in value:
        raise ValueError(_("holds a NUL character; remove it"))
    if not value.isascii() and has_surrogates(value):
        raise ValueError(_("holds half a character (an unpaired surrogate); save it as UTF-8"))
    return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value


def findable(text: str) -> str:
    """What was typed as a name, fit for a look-up: no blanks around it, broken characters replaced."""
    return normalize("NFC", text.strip().encode("utf-8", "replace").decode())


def clean_word(value: str, most: int = WORD_LENGTH) -> str:
    """A name on one line without blanks around it, at most `most` characters."""
    value = clean_text(value).strip()
    if not value.isprintable() and _CONTROL.search(value):
        raise ValueError(_("holds a control character; remove it"))
    if len(value) > most:
        raise ValueError(_("is longer than {n} characters").format(n=most))
    return value


def clean_ref(value: str) -> str:
    """A ref: a word of at most 80 characters that could not be taken for an id such as p212."""
    value = _clean_name(value)
    if looks_like_id(value):
        raise ValueError(_("{ref!r} looks like an id; choose another ref").format(ref=value))
    return value


def clean_story(value: str) -> str:
    """The ref of a story: a word of at most 80 characters."""
    return _clean_name(value)


def _clean_name(value: str) -> str:
    """A name by which something is found again: composed (NFC), without signs that nobody sees."""
    value = normalize("NFC", clean_word(value, REF_LENGTH))
    if not value.isascii() and any(category(sign) == "Cf" for sign in value):
        raise ValueError(_("holds an invisible character; type it anew"))
    return value


def clean_link(value: str) -> str:
    """A link of at most 2,000 characters."""
    return clean_word(value, LINK_LENGTH)


def clean_language(value: str) -> str:
    """A language tag such as `fr` or `pt-BR`."""
    value = clean_word(value)
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(_("{value!r} is not a language; write fr or pt-BR").format(value=value))
    return value


def clean_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a kind: names in small letters, values without blanks around; empty ones fall away."""
    clean = {}
    for name, value in fields.items():
        if not _FIELD.fullmatch(name):
            raise ValueError(_("{name!r} is no name of a field; write event_date=2026-12-05").format(name=name))
        if value := clean_text(value).strip():
            clean[name] = value
    return clean


def clean_wall(value: datetime) -> datetime:
    """A local time to the minute. Refused: a time with an offset."""
    if value.tzinfo is not None:
        raise ValueError(_("has an offset; give the local time alone, as 2026-12-03T09:00"))
    return value.replace(second=0, microsecond=0, fold=0)


def known_kind(config: Config, kind: str) -> str:
    """A kind of the catalogue."""
    if not kind:
        raise ValueError(_("is missing; use one of {kinds}").format(kinds=", ".join(config.required_fields)))
    if kind not in config.required_fields:
        raise ValueError(
            _("there is no kind {kind!r}; use one of {kinds}").format(
                kind=kind, kinds=", ".join(config.required_fields)
            )
        )
    return kind


def known_audiences(config: Config, audiences: Iterable[str]) -> tuple[str, ...]:
    """Audiences of the catalogue, each once, in the order given."""
    wanted = tuple(dict.fromkeys(audience for audience in audiences if audience))
    for audience in wanted:
        if audience not in config.all_audiences:
            raise ValueError(
                _("there is no audience {key!r}; use {keys}").format(key=audience, keys=", ".join(config.all_audiences))
            )
    return wanted


def known_objective(config: Config, objective: str | None) -> str | None:
    """An objective of the register; None for none."""
    if objective and objective not in config.objectives:
        known = ", ".join(config.objectives) or _("none: add them below `objectives:` of config.yaml")
        raise ValueError(_("there is no objective {key!r}; use {known}").format(key=objective, known=known))
    return objective or None
