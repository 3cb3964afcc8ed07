"""Text that people paste, rid of what nobody sees and no platform wants.

Out of word processors, web pages and chats come zero-width characters, soft hyphens, direction marks and
control characters: they split words for search and platforms, and hide text from the reader. What carries
meaning stays: curly quotes, the no-break blanks of French, joiners and selectors inside emoji, the letters'
tags of a flag such as England's, and the (non-)joiners of the scripts that are written with them. Pure.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from unicodedata import category, is_normalized, normalize


class Unseen(StrEnum):
    """Kinds of characters that are removed."""

    INVISIBLE = "invisible"
    SOFT_HYPHEN = "soft_hyphen"
    DIRECTION = "direction"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean text, and how many characters of each kind were removed: not accents composed or line ends unified."""

    text: str
    removed: Mapping[Unseen, int]


_NOTHING: Mapping[Unseen, int] = MappingProxyType({})

_CONTROL = "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
_SEPARATOR = "\x0b\x0c\x85\u2028\u2029"
_SOMETIMES = "\u180e\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Joiners and variation selectors: part of what they stand in, or stray."""
_TAG = "\U000e0000-\U000e007f"

_DIRT = re.compile(f"[\0\r{_CONTROL}\xad{_DIRECTION}{_INVISIBLE}{_SEPARATOR}{_SOMETIMES}{_TAG}\ud800-\udfff]")
"""What makes a closer look necessary."""
_LINE_END = re.compile(f"\r\n?|[{_SEPARATOR}]")
_NEVER = re.compile(f"[{_CONTROL}\xad{_DIRECTION}{_INVISIBLE}]")
_TAGS = re.compile(
    "(\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f)" + f"|[{_TAG}]"
)
"""The flag of a region (a black flag and its code in tags), or a stray tag: text that only machines read."""
_DOUBTFUL = re.compile(f"[{_SOMETIMES}]")

_ZWJ = "\u200d"
_JOINING_SCRIPTS = re.compile(
    "[\u0590-\u10ff\u1200-\u1cff\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff]"
)
"""Arabic, Indic and others, whose letters ask to be joined or not; Hangul is none of them."""
_PICTURE = re.compile("[\u203c\u2049\u2139\u3030\U0001f000-\U0001faff]")
"""Emoji that are no symbols by their category, and those that this Python does not know yet."""
_KEYCAP = frozenset("#*0123456789")


def is_clean(text: str) -> bool:
    """True if `cleaned` would surely give the text back; costs about a microsecond for a post."""
    return not _DIRT.search(text) and (text.isascii() or is_normalized("NFC", text))


def cleaned(text: str) -> Cleaned:
    """The text composed (NFC), with line ends `\\n`, without what nobody sees. Cleaning twice changes nothing.

    NUL and halves of characters (surrogates) stay: whoever keeps the text refuses them.
    """
    if is_clean(text):
        return Cleaned(text, _NOTHING)
    work = normalize("NFC", _LINE_END.sub("\n", text))
    removed: Counter[Unseen] = Counter()
    while (seen := _seen(work, removed)) != work:  # what comes together may be composed, or stand astray
        work = normalize("NFC", seen)
    return Cleaned(work, dict(removed))


def _seen(text: str, removed: Counter[Unseen]) -> str:
    """What is left of a composed text; what is not is counted."""

    def drop(found: re.Match[str]) -> str:
        removed[_kind(found[0])] += 1
        return ""

    kept = _TAGS.sub(lambda found: found[1] or drop(found), _NEVER.sub(drop, text))
    kept, strays = _without_strays(kept)
    if strays:
        removed[Unseen.INVISIBLE] += strays
    return kept


def _kind(sign: str) -> Unseen:
    if sign == "\xad":
        return Unseen.SOFT_HYPHEN
    if category(sign) == "Cc":
        return Unseen.CONTROL
    return Unseen.DIRECTION if re.match(f"[{_DIRECTION}]", sign) else Unseen.INVISIBLE


def _without_strays(text: str) -> tuple[str, int]:
    """The text without joiners and selectors that join and select nothing, and their number."""
    kept: list[str] = []
    at = strays = 0
    for found in _DOUBTFUL.finditer(text):
        here = found.start()
        if here > at:
            kept.append(text[at:here])
        before = kept[-1][-1] if kept else ""
        if _belongs(found[0], before, text[here + 1 : here + 2]):
            kept.append(found[0])
        else:
            strays += 1
        at = here + 1
    return "".join([*kept, text[at:]]), strays


def _belongs(sign: str, before: str, after: str) -> bool:
    """True for a joiner or selector that does something between these two characters."""
    if not before:
        return False
    if sign in "\ufe0e\ufe0f":
        return before in _KEYCAP or is_picture(before)
    if sign >= "\ufe00":
        return before > "\x7f" and category(before)[0] in "LS"
    if sign == _ZWJ and (before == "\ufe0f" or is_picture(before)):
        return bool(after) and is_picture(after)
    return category(before)[0] in "LM" and bool(_JOINING_SCRIPTS.match(before))


def is_picture(sign: str) -> bool:
    """True for a character that may be (part of) an emoji: a symbol beyond ASCII."""
    return sign > "\x7f" and (category(sign) in ("So", "Sm") or bool(_PICTURE.match(sign)))
