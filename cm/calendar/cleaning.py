r"""What people type or import is cleaned here, field by field, before it is kept.

At every door `tidied` goes first: it takes out what nobody sees (`cm.checks.pasted`) and says what it took out.
The other functions give the clean value or raise ValueError with the words for a person: what no database or
platform could hold is refused. Pure.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from unicodedata import normalize

from cm.checks.folding import folded_text
from cm.checks.pasted import Unseen, cleaned
from cm.checks.rules import has_surrogates
from cm.config import Config
from cm.formats import plural
from cm.i18n import _
from cm.model.ids import looks_like_id
from cm.model.words import kind_word

REF_LENGTH = 80
WORD_LENGTH = 120
LINK_LENGTH = 2000
REASON_LENGTH = 500

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators and marks that turn the direction of writing."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}")


_AS_GIVEN = frozenset({"media"})
"""What is no text: the name of a file is written as the file's own is."""


def tidied(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What was pasted into fields, cleaned (texts, lists and mappings of texts), and what is to be said of it."""
    values, notes = {}, []
    for name, value in given.items():
        removed: Counter[Unseen] = Counter()
        values[name] = value if name in _AS_GIVEN else _tidy(value, removed)
        if removed:
            notes.append(_removal(name, removed))
    return values, tuple(notes)


def _tidy(value: Any, removed: Counter[Unseen]) -> Any:
    if isinstance(value, str):
        clean = cleaned(value)
        removed.update(clean.removed)
        return clean.text
    if isinstance(value, list | tuple):
        return tuple(_tidy(item, removed) for item in value)
    if isinstance(value, Mapping):
        return {name: _tidy(item, removed) for name, item in value.items()}
    return value


def _removal(field: str, removed: Mapping[Unseen, int]) -> str:
    """`Removed from the text: 2 invisible characters, 1 soft hyphen.`"""
    what = ", ".join(_counted(removed))
    if field == "text":
        return _("Removed from the text: {what}.").format(what=what)
    return _("Removed from {field}: {what}.").format(field=field, what=what)


def _counted(removed: Mapping[Unseen, int]) -> Iterator[str]:
    if n := removed.get(Unseen.INVISIBLE):
        yield plural("{n} invisible character", "{n} invisible characters", n)
    if n := removed.get(Unseen.SOFT_HYPHEN):
        yield plural("{n} soft hyphen", "{n} soft hyphens", n)
    if n := removed.get(Unseen.DIRECTION):
        yield plural("{n} mark of the direction of writing", "{n} marks of the direction of writing", n)
    if n := removed.get(Unseen.CONTROL):
        yield plural("{n} control character", "{n} control characters", n)


def clean_text(value: str) -> str:
    """A text of any length, clean. Refused: NUL, halves of characters."""
    return cleaned(whole(value)).text


def whole(value: str) -> str:
    """A text that is clean already. Refused: NUL, halves of characters."""
    if "\0" in value:
        raise ValueError(_("holds a NUL character; remove it"))
    if not value.isascii() and has_surrogates(value):
        raise ValueError(_("holds half a character (an unpaired surrogate); save it as UTF-8"))
    return value


def findable(text: str) -> str:
    """What was typed as a name, fit for a look-up: clean, no blanks around it, broken characters replaced."""
    return cleaned(text.encode("utf-8", "replace").decode()).text.strip()


def clean_word(value: str, most: int = WORD_LENGTH) -> str:
    """A name on one line without blanks around it, at most `most` characters. Refused: control characters."""
    value = whole(value).strip()
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
    value = clean_word(value, REF_LENGTH)
    if value.isascii():
        return value
    value = normalize("NFC", value)
    if cleaned(value).text != value:
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
    """A kind of the catalogue, by its key or by the word that is shown for it."""
    known = config.required_fields
    if not kind:
        raise ValueError(_("is missing; use one of {kinds}").format(kinds=", ".join(known)))
    key = kind if kind in known else _meant(kind, {key: kind_word(key) for key in known})
    if key is None:
        raise ValueError(_("there is no kind {kind!r}; use one of {kinds}").format(kind=kind, kinds=", ".join(known)))
    return key


def known_audiences(config: Config, audiences: Iterable[str]) -> tuple[str, ...]:
    """Audiences of the catalogue, by key or label, each once, in the order given."""
    labels = config.all_audiences
    wanted = []
    for audience in filter(None, audiences):
        key = audience if audience in labels else _meant(audience, {key: _(label) for key, label in labels.items()})
        if key is None:
            raise ValueError(_("there is no audience {key!r}; use {keys}").format(key=audience, keys=", ".join(labels)))
        wanted.append(key)
    return tuple(dict.fromkeys(wanted))


def _meant(word: str, shown: Mapping[str, str]) -> str | None:
    """The key for which `word` is shown, whatever its accents and capitals; None if there is none."""
    said = folded_text(word)
    return next((key for key, label in shown.items() if folded_text(label) == said), None)


def known_objective(config: Config, objective: str | None) -> str | None:
    """An objective of the register; None for none."""
    if objective and objective not in config.objectives:
        known = ", ".join(config.objectives) or _("none: add them below `objectives:` of config.yaml")
        raise ValueError(_("there is no objective {key!r}; use {known}").format(key=objective, known=known))
    return objective or None
