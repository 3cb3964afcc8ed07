"""What is looked for, and where it stands in a text. Pure.

Texts and searches are cut into the same terms: words of letters and digits, and single emoji, of the folded copy
(`cm.checks.folding`). A search never reaches the index as it was typed: terms hold nothing that has a meaning there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cm.checks.folding import Folded, clusters, folded_text

_TERM = re.compile("[^\\W_]+|[\u2190-\u2bff\u3030\u303d\U0001f000-\U0001faff]")
_QUOTES = '"“”„«»'
_WORD = re.compile(f"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|([^\\s{_QUOTES}]+)")
LEAD = 20
"""So many characters of the text stand before the first hit of an excerpt, at most."""
WIDTH = 160
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Sought:
    """Terms that stand side by side; `prefix`: the last one may go on."""

    terms: tuple[str, ...]
    prefix: bool = False


def terms_of(text: str) -> list[str]:
    """The terms of a text, in order."""
    return _TERM.findall(folded_text(text))


def sought(words: Sequence[str]) -> tuple[Sought, ...]:
    """What the words of a command line look for; empty if they hold neither letter, digit nor emoji.

    All of it must be there. Words in quotes (those of the shell or others) stand side by side; the last word, unless
    in quotes, and any word with `*` may be the beginning of one.
    """
    found: list[tuple[tuple[str, ...], bool, bool]] = []
    for word in words:
        for text, exact in _parts(word):
            if terms := tuple(terms_of(text)):
                found.append((terms, exact, text.endswith("*")))
    last = len(found) - 1
    return tuple(
        Sought(terms, prefix=starred or (at == last and not exact)) for at, (terms, exact, starred) in enumerate(found)
    )


def _parts(word: str) -> Iterator[tuple[str, bool]]:
    """The words of one argument, and whether they stand in quotes; one with blanks was in the shell's quotes."""
    if not any(sign in word for sign in _QUOTES):
        yield word, len(word.split()) > 1
        return
    for match in _WORD.finditer(word):
        yield (match[2], False) if match[1] is None else (match[1], True)


def query_of(wanted: Iterable[Sought]) -> str:
    """The search in the language of SQLite's FTS5: quoted phrases joined by AND."""
    return " AND ".join(f'"{" ".join(one.terms)}"{" *" if one.prefix else ""}' for one in wanted)


@dataclass(frozen=True)
class Place:
    """A hit in the original text, and the number of the `Sought` that it is one of."""

    start: int
    end: int
    sought: int


def places(copy: Folded, wanted: Sequence[Sought]) -> list[Place]:
    """Every hit in a text, in order; whole words are shown where a beginning was looked for."""
    cut = [(match[0], match.start(), match.end()) for match in _TERM.finditer(copy.text)]
    found = []
    for number, one in enumerate(wanted):
        length = len(one.terms)
        for at in range(len(cut) - length + 1):
            if _here([term for term, _start, _end in cut[at : at + length]], one):
                start, end = copy.original(cut[at][1], cut[at + length - 1][2])
                found.append(Place(start, end, number))
    return sorted(found, key=lambda place: (place.start, -place.end))


def _here(terms: Sequence[str], one: Sought) -> bool:
    *before, last = one.terms
    return list(terms[:-1]) == before and (terms[-1].startswith(last) if one.prefix else terms[-1] == last)


def joined(found: Iterable[Place]) -> tuple[tuple[int, int], ...]:
    """The hits as spans that do not overlap, in order."""
    spans: list[tuple[int, int]] = []
    for place in found:
        if spans and place.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], place.end))
        else:
            spans.append((place.start, place.end))
    return tuple(spans)


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """One line around the first hit: pieces of the text, and whether each is a hit. Cut between words."""
    first, least = spans[0] if spans else (0, 0)
    start = _word_start(text, first)
    end = _word_end(text, least, max(start + WIDTH, least))
    pieces, at = [("…", False)] if start else [], start
    for hit, after in spans:
        if after > end:
            break
        pieces += [(text[at:hit], False), (text[hit:after], True)]
        at = after
    pieces += [(text[at:end], False), ("…" if text[end:].strip() else "", False)]
    return tuple((_BLANKS.sub(" ", piece), hit) for piece, hit in pieces if piece)


def _word_start(text: str, hit: int) -> int:
    """Where an excerpt begins: at the text's beginning or a word's, shortly before the hit."""
    if hit <= LEAD:
        return 0
    blanks = [match.end() for match in _BLANKS.finditer(text, hit - LEAD, hit)]
    return blanks[0] if blanks else hit


def _word_end(text: str, least: int, most: int) -> int:
    """Where it ends: at the text's end, or a word's, or at least not inside what is one character to the eye."""
    if most >= len(text):
        return len(text)
    blanks = [match.start() for match in _BLANKS.finditer(text, max(least, most - LEAD), most + 1)]
    return blanks[-1] if blanks else max(end for _start, end in clusters(text) if end <= most)
