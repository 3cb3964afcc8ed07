"""The copy of a text on which is searched and compared: what reads the same is the same.

Case, accents, ligatures, width and style of letters, shapes of quotes and dashes, kinds and runs of blanks
make no difference, nor do invisible characters and the points of inclusive writing (`étudiant·e·s`). Every
place of the copy can be shown in the original. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category, normalize

from cm.checks.pasted import is_picture

_LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "þ": "th", "ı": "i"}
"""Letters that people look for by others, and that Unicode does not take apart."""
_UNIFIED = {
    **_LETTERS,
    **dict.fromkeys("‘’‚‛‹›′‵ʹʼ", "'"),
    **dict.fromkeys("“”„‟«»〝〞", '"'),
    **dict.fromkeys("‐‒–—―−⁃", "-"),
    "⁄": "/",
}
_ACCENTS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
"""Marks of Latin, Greek, Cyrillic, Hebrew and Arabic; the vowels of Indic scripts are not accents."""
_UNSEEN = (
    "\u00ad\u00b7\u061c\u180b-\u180f\u200b-\u200f\u2027\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e01ef"
)
_CHANGED = re.compile(f"[{_ACCENTS}{_UNSEEN}{''.join(_UNIFIED)}]")

_ZWJ = "\u200d"
_EXTENDING = re.compile("[\u200c\u200d\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""What belongs to the character before it without being a mark: joiners, skin tones, tags of flags."""


def folded_text(text: str) -> str:
    """The folded copy alone: all that a comparison needs, and much faster than `fold`."""
    return " ".join(_plain(text).split())


def _plain(text: str) -> str:
    """Everything but the blanks folded; character by character, so that parts can be folded by themselves."""
    if text.isascii():
        return text.casefold()
    return _CHANGED.sub(_unified, normalize("NFKD", text).casefold())


def _unified(found: re.Match[str]) -> str:
    return _UNIFIED.get(found[0], "")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded copy. `spans`: for each of its characters the piece `(start, end)` of the original it stands for.

    A piece is never part of what people see as one character: a letter with its marks, an emoji sequence.
    """

    text: str
    spans: tuple[tuple[int, int], ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original. Raises ValueError outside the copy, or for nothing."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"no span {start}:{end} in a text of {len(self.text)} characters")
        return self.spans[start][0], self.spans[end - 1][1]


def fold(text: str) -> Folded:
    """The folded copy with the way back."""
    signs: list[str] = []
    spans: list[tuple[int, int]] = []
    for start, end in clusters(text):
        for sign in _plain(text[start:end]):
            if not sign.isspace():
                signs.append(sign)
                spans.append((start, end))
            elif signs and signs[-1] != " ":
                signs.append(" ")
                spans.append((start, end))
            elif signs:
                spans[-1] = (spans[-1][0], end)
    if signs and signs[-1] == " ":
        signs.pop()
        spans.pop()
    return Folded("".join(signs), tuple(spans))


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """The pieces of a text that are one character to the eye: letter and marks, emoji sequence, flag."""
    start = 0
    while start < len(text):
        end = start + 1
        if _regional(text[start]) and _regional(text[end : end + 1]):
            end += 1
        while end < len(text) and _continues(text[end - 1], text[end]):
            end += 1
        yield start, end
        start = end


def _regional(sign: str) -> bool:
    """One of the letters of which two make a flag."""
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _continues(before: str, sign: str) -> bool:
    if sign < "\u0300":
        return False
    if category(sign)[0] == "M" or _EXTENDING.match(sign):
        return True
    return before == _ZWJ and is_picture(sign)
