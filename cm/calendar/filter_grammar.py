"""The one filter grammar: `state:missed channel:facebook week:2026-W48`. Pure.

- `key:value` asks for that value; `state:missed,failed` for either of them; several tokens ask for all at once.
- `not-key:value` (French `sauf-état:manqué`) asks for anything else, what has no value included; so does
  `-key:value` where a dash may stand at the beginning of a word, after `--`.
- A word without a known key is the id or the ref of a post: `p212`. Several of them name several posts.
- A value that holds a comma stands in double quotes; the words of `text:` are taken as they are.
- Keys and the names of states are read in English and in French, whatever their accents and capitals.

Days, weeks and times are those of `cm.calendar.times`: `week:next`, `day:demain`, `before:3/12`.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

from cm.calendar import times
from cm.calendar.filter_words import FLAGS, KEYS, KNOWN_FLAGS, KNOWN_KEYS, KNOWN_STATES, split, state_named
from cm.calendar.shortnames import channel_called
from cm.checks.folding import folded_text
from cm.config import Config
from cm.errors import UsageError
from cm.i18n import _
from cm.model.states import PostState
from cm.model.words import kind_word

NAMES = frozenset({"id", "ref"})
DAYS = frozenset({"week", "day", "before", "after", "from", "to"})


@dataclass(frozen=True)
class Span:
    """Posts planned from `start` to `end`: local days, both included, or instants, `end` excluded; None is open."""

    start: date | datetime | None = None
    end: date | datetime | None = None


Value = str | PostState | Span


@dataclass(frozen=True)
class Term:
    """One token. It holds for a post that has one of the values; `negated`, for one that has none of them."""

    key: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Filter:
    """What all the tokens ask for together. `names`: ids and refs as typed; if there are any, only those posts."""

    terms: tuple[Term, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def by_name(self) -> bool:
        """Are posts called by their ids or refs, so that no others are meant?"""
        return bool(self.names) or any(term.key in NAMES and not term.negated for term in self.terms)

    def asks_for(self, state: PostState) -> bool:
        """Is that state called by its name?"""
        return any(term.key == "state" and not term.negated and state in term.values for term in self.terms)


def parse(tokens: Sequence[str], config: Config, now: datetime, zone: ZoneInfo) -> Filter:
    """The filter that the tokens write; `now` is an aware instant.

    Raises UsageError (key, state, kind, audience, objective, day or time that cannot be read), NotFound (channel).
    """
    reader = _Reader(config, now, zone)
    terms, names = [], []
    for token in tokens:
        found = split(token)
        if found:
            terms.append(reader.term(token, *found))
        elif ":" in token:
            _refuse_key(token)
        else:
            names.append(token)
    return Filter(tuple(terms), tuple(names))


def _refuse_key(token: str) -> NoReturn:
    head = token.partition(":")[0]
    meant = _closest(folded_text(head), KNOWN_KEYS)
    raise UsageError(
        _("There is no filter {key!r} (in {token!r}).").format(key=head, token=token),
        hint=meant
        + _("Filters are: {keys}. A ref with a colon is written ref:{token}").format(keys=", ".join(KEYS), token=token),
    )


def _closest(word: str, known: Mapping[str, str]) -> str:
    """`Did you mean state? `, or nothing."""
    from difflib import get_close_matches  # loads slowly, and most filters are right

    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return _("Did you mean {word}?").format(word=known[found[0]]) + " " if found else ""


class _Reader:
    """Reads values of each key, at one present moment."""

    def __init__(self, config: Config, now: datetime, zone: ZoneInfo) -> None:
        self._config, self._now, self._zone = config, now, zone
        self._closed: Mapping[str, Mapping[str, str]] = {
            "kind": {key: kind_word(key) for key in config.required_fields},
            "audience": {key: _(label) for key, label in config.all_audiences.items()},
            "objective": {key: objective.label for key, objective in config.objectives.items()},
        }
        """Keys, and what people call them in the language spoken."""

    def term(self, token: str, negated: bool, key: str, value: str) -> Term:
        """One token, understood."""
        given = [value.strip()] if key == "text" else _values(value)
        if not given or not all(map(folded_text, given)):
            raise UsageError(
                _("{token!r} says no value.").format(token=token),
                hint=_("Write e.g. state:missed,failed or week:2026-W48."),
            )
        return Term(key, tuple(self._value(key, one) for one in given), negated)

    def _value(self, key: str, given: str) -> Value:
        if key == "state":
            return state_named(given) or _refuse_value(_("state"), given, KNOWN_STATES, [*PostState])
        if key == "is":
            said = folded_text(given).replace("-", " ")
            return KNOWN_FLAGS.get(said) or _refuse_value("is", given, KNOWN_FLAGS, FLAGS)
        if key == "channel":
            return channel_called(self._config, given)
        if key in self._closed:
            known = {folded_text(said): name for name, said in self._closed[key].items()}
            known |= {folded_text(name): name for name in self._closed[key]}
            return known.get(folded_text(given)) or _refuse_value(key, given, known, self._closed[key])
        if key in DAYS:
            return self._span(key, given)
        return given if key in NAMES else folded_text(given)

    def _span(self, key: str, given: str) -> Span:
        now, zone = self._now, self._zone
        if key == "week":
            week = times.week_called(given, now=now, zone=zone)
            return Span(week.days[0], week.days[-1])
        try:
            return _of_days(key, times.read_day(given, now=now, zone=zone))
        except UsageError:
            if key == "day":
                raise
        return _of_instants(key, times.read_moment(given, now=now, zone=zone).instant)


def _of_days(key: str, day: date) -> Span:
    """`before` and `after` leave the day itself out, `from` and `to` take it in."""
    one = timedelta(days=1)
    spans = {"before": Span(None, day - one), "after": Span(day + one, None), "from": Span(day, None)}
    return spans.get(key) or Span(None if key == "to" else day, day)


def _of_instants(key: str, instant: datetime) -> Span:
    """The same for times, which are of minutes."""
    next_minute = instant + timedelta(minutes=1)
    spans = {"before": Span(None, instant), "after": Span(next_minute, None), "from": Span(instant, None)}
    return spans.get(key) or Span(None, next_minute)


def _values(value: str) -> list[str]:
    return [one.strip() for one in next(csv.reader([" ".join(value.split())], skipinitialspace=True), [])]


def _refuse_value(what: str, given: str, known: Mapping[str, str], shown: Iterable[str]) -> NoReturn:
    raise UsageError(
        _("There is no {what} {value!r}.").format(what=what, value=given),
        hint=_closest(folded_text(given), known) + _("Use one of: {keys}.").format(keys=", ".join(shown)),
    )
