"""One urgent text for many channels: on each a valid variant of it, the words always the same. Pure.

A channel that takes fewer characters gets the text as a thread: split between sentences, else between words, never
inside a word or an address, each part with its number.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cm.checks.content import PART_LINE, split_parts
from cm.errors import Refused
from cm.i18n import _

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_LINKED = re.compile(r"(?:https?://|[^\s/.]+\.\w)\S*", re.IGNORECASE)
"""What X makes a link of, and perhaps more: `chu.example` too."""
_AFTER_ADDRESS = ".,;:!?…)]»”’\"'"
_BLANKS = re.compile(r"[^\S\u00a0\u2007\u202f]+")
"""Blanks at which a text may be split: not those that hold `Attention :` together."""
_SENTENCE_END = re.compile(r"[.!?…][\"'»”’)\]]*$")
_PARTS = (9, 99, 999)
"""Numbers of parts for which room is kept."""


@dataclass(frozen=True)
class TextLimit:
    """How long a message may be. `most`: characters; `per_url`: what every address counts at least, if that is known;
    `weighted`: signs outside the Latin alphabet and its neighbours count two, as on X."""

    most: int
    per_url: int | None = None
    weighted: bool = False

    def length(self, text: str) -> int:
        """What the text counts there at the most."""
        addresses = _LINKED if self.weighted else _ADDRESS
        linked = sum(self._of_address(found[0]) for found in addresses.finditer(text))
        rest = addresses.sub("", text)
        return linked + (sum(map(_weight, rest)) if self.weighted else len(rest))

    def _of_address(self, address: str) -> int:
        bare = address.rstrip(_AFTER_ADDRESS)
        counted = (self.per_url or 23) if self.weighted else max(len(bare), self.per_url or 0)
        return counted + 2 * (len(address) - len(bare))


_SINGLE = (range(0x1100), range(0x2000, 0x200E), range(0x2010, 0x2020), range(0x2032, 0x2038))
"""Code points that count one on X (twitter-text, configuration 3); all others count two."""


def _weight(sign: str) -> int:
    return 1 if any(ord(sign) in known for known in _SINGLE) else 2


USUAL: Mapping[str, TextLimit] = {
    "x": TextLimit(280, 23, weighted=True),
    "bluesky": TextLimit(300),
    "mastodon": TextLimit(500, 23),
    "threads": TextLimit(500),
}
"""Short platforms, for accounts that were never measured (vendors' help pages, 2025)."""


def limit_of(platform: str, measured: Mapping[str, Any], declared: int | None) -> TextLimit | None:
    """The limit of an account: as measured there, else as its adapter or its settings declare, both in code points at
    the most; else the platform's usual one; None where there is none to speak of."""
    usual = USUAL.get(platform)
    most = measured.get("max_characters") or declared
    if not most:
        return usual
    per_url = measured.get("characters_reserved_per_url") or (usual.per_url if usual else None)
    return TextLimit(int(most), per_url)


def variant(text: str, limit: TextLimit | None, link: str | None = None) -> str:
    """The text as it is written on a channel: itself, or as a thread (parts apart by lines `---`).

    `link`: an address of its own, which goes with the first part. Raises Refused if a single word is too long.
    """
    given = split_parts(text)
    if limit is None or all(limit.length(_sent(part, n, link)) <= limit.most for n, part in enumerate(given)):
        return text
    for most in _PARTS:
        room = limit.most - limit.length(_mark(most, most))
        parts = [
            piece for n, part in enumerate(given) for piece in _pieces(part, limit, room, link if n == 0 else None)
        ]
        if len(parts) <= most:
            numbered = (f"{part}{_mark(n, len(parts))}" for n, part in enumerate(parts, start=1))
            return f"\n{PART_LINE}\n".join(numbered)
    raise Refused(_("The text is too long for a thread."), hint=_("Shorten it, or put it on a page and link to that."))


def _mark(n: int, count: int) -> str:
    return f" ({n}/{count})"


def _sent(part: str, n: int, link: str | None) -> str:
    """The part with what the adapter puts below the first one."""
    return f"{part}\n{link}" if link and n == 0 and link not in part else part


def _pieces(text: str, limit: TextLimit, room: int, link: str | None) -> Iterator[str]:
    """The text in pieces of at most that length; `link` goes with the first."""
    rest, first = text.strip(), True
    while rest:
        below = link if first else None

        def fits(piece: str, below: str | None = below) -> bool:
            return limit.length(_sent(piece, 0, below)) <= room

        piece = rest if fits(rest) else _beginning(rest, fits)
        yield piece
        rest, first = rest[len(piece) :].strip(), False


def _beginning(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning that fits: of whole sentences if these fill half of what fits, else of whole words."""
    words, sentences = 0, 0
    for blank in _BLANKS.finditer(text):
        if not fits(text[: blank.start()]):
            break
        words = blank.start()
        if "\n" in blank[0] or _SENTENCE_END.search(text[:words]):
            sentences = words
    if not words:
        word = _BLANKS.split(text, maxsplit=1)[0]
        raise Refused(
            _("{word} is too long for one message.").format(word=repr(word if len(word) < 60 else word[:59] + "…")),
            hint=_("Use a shorter address or word."),
        )
    return text[: sentences if 2 * sentences >= words else words]
