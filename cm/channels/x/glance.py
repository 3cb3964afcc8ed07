"""A length that X's counting never goes above, found without its patterns, which cost more than a whole short command.

Texts far from the limit, which most are, need no more; see `counting` for the exact one.
"""

import re
import unicodedata
from functools import cache

from cm.channels.x.domains import NAMES

_ADDRESS = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,9}(?P<top>[a-z]{2,24})"
    r"(?:/[a-z0-9/_-]{0,500})?(?:\?[a-z0-9&=_-]{1,500})?",
    re.IGNORECASE,
)
"""Addresses that X surely sees as one, if their last part is a top-level domain."""
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)
"""What may hold addresses."""
_INNER_DOT = re.compile(r"\.(?=[^\s.])")
_HEAVY = re.compile("[^\u0000-\u10ff]")
_WEIGHT = 23
_MORE = _WEIGHT - len("a.co")
"""By so much the shortest address weighs more than its letters; by less where it has a scheme."""


def at_most(text: str) -> int:
    """Never less than `counting.weighted`."""
    plain = text if text.isascii() else unicodedata.normalize("NFC", text)
    if not _INNER_DOT.search(plain):
        return len(plain) + _heavy(plain)
    blanks = [char for char in plain if char.isspace()]
    return len(blanks) + _heavy("".join(blanks)) + sum(map(_of_word, plain.split()))


def _heavy(text: str) -> int:
    """How many characters may weigh 2."""
    return 0 if text.isascii() else len(_HEAVY.findall(text))


@cache
def _tops() -> frozenset[str]:
    """Top-level domains as they stand in words of ASCII."""
    return frozenset(NAMES.split())


def _of_word(word: str) -> int:
    """Of a piece without blanks."""
    if "." not in word:
        return len(word) + _heavy(word)
    if not word.isascii():
        return len(word) + _heavy(word) + _MORE * len(_INNER_DOT.findall(word))
    found = _ADDRESS.fullmatch(word)
    if found and found["top"].lower() in _tops():
        return _WEIGHT
    return len(word) + _MORE * sum(map(_may_be_addresses, _NAME.findall(word)))


def _may_be_addresses(name: str) -> int:
    """Each ends with a top-level domain of its own."""
    return sum(part in _tops() or part.startswith("xn--") for part in re.split(r"[._]", name.lower())[1:])
