"""What spreadsheets do to files on the way: characters lost, characters garbled, refs taken for numbers or days.

Each is told from the text alone, without knowing which program did it. Pure.
"""

import re
from collections import Counter
from collections.abc import Mapping

from cm.i18n import _

LOST = "\N{REPLACEMENT CHARACTER}"


def _as_1252(codes: range) -> str:
    """The signs that these bytes are in Windows-1252 (or, where it has none, in Latin-1), for a class of `re`."""
    return re.escape("".join(bytes([n]).decode("cp1252", "ignore") or chr(n) for n in codes))


_NEXT = f"[{_as_1252(range(0x80, 0xC0))}]"
_GARBLED = re.compile(
    f"[{_as_1252(range(0xC2, 0xC4))}Å]{_NEXT}|[âïð]{_NEXT}{{2,3}}"  # Â Ã Å; â (’ – …), ï and ð (emoji)
)
"""UTF-8 that was read as Windows-1252: accents, œ, French quotes, typographic signs, emoji."""
_DOUBTFUL = re.compile(r"(?:[^\x00-\x7f]|\?)+")
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E[+]\d{2,3}", re.IGNORECASE)
_MONTHS = (
    "jan[a-z]*|f[eé]v[a-zé]*|feb[a-z]*|mars?|a[vp]r[a-z]*|mai|may|jui?n|jui?l[a-z]*|ao[uû]t?|aug|sept?|oct|nov|d[eé]c"
)
_DAYLIKE = re.compile(
    rf"\d{{1,2}}[-/. ]({_MONTHS})\.?([-/. ]\d{{2,4}})?|({_MONTHS})\.?-\d{{2}}|\d{{1,2}}/\d{{1,2}}(/\d{{2,4}})?",
    re.IGNORECASE,
)


def garbled(text: str) -> tuple[str, str] | None:
    """The first sequence of a text that is UTF-8 read as Windows-1252, and what it was: `("Ã©", "é")`."""
    if text.isascii() or not _may_be_garbled(text):
        return None
    for match in _GARBLED.finditer(text):
        meant = _decoded(match[0])
        if meant:
            return match[0], meant
    return None


def _may_be_garbled(text: str) -> bool:
    """Does it hold what such a sequence begins with? Most texts do not, and this is told ten times as fast."""
    return "Ã" in text or "Â" in text or "â" in text or "Å" in text or "ï" in text or "ð" in text


def _decoded(signs: str) -> str | None:
    raw = b"".join(sign.encode("cp1252", "ignore") or sign.encode("latin-1") for sign in signs)
    for end in (len(raw), len(raw) - 1):
        try:
            return raw[:end].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return None


def damage(cell: str) -> str | None:
    """Why no cell may come in like this: it has lost characters, or holds garbled ones."""
    if LOST in cell:
        return _("has lost characters ({sign}); save the file as CSV UTF-8 or .xlsx").format(sign=LOST)
    if found := garbled(cell):
        said = _("is garbled: {shown!r} was {meant!r}; save the file as CSV UTF-8 or .xlsx")
        return said.format(shown=found[0], meant=found[1])
    return None


def lost(before: str, after: str) -> str | None:
    """Why `after` is no edit of `before`: it differs only where `?` stands for what could not be written."""
    if before.isascii() or after.count("?") <= before.count("?"):
        return None
    if _DOUBTFUL.sub("\0", before) != _DOUBTFUL.sub("\0", after) or not _wide(after) <= _wide(before):
        return None
    at = next(index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
    said = _("the file has lost characters: {old!r} became {new!r}; save it as CSV UTF-8 or .xlsx")
    return said.format(old=before[at], new=after[at])


def _wide(text: str) -> Counter[str]:
    return Counter(sign for sign in text if not sign.isascii())


def mangled(ref: str) -> str | None:
    """Why a ref that no post has is no new one: a spreadsheet took it for a number or a day."""
    if _SCIENTIFIC.fullmatch(ref):
        return _(
            "{ref!r} is a ref that a spreadsheet took for a number; make the column text and write it anew"
        ).format(ref=ref)
    if _DAYLIKE.fullmatch(ref):
        return _("{ref!r} is a ref that a spreadsheet took for a date; make the column text and write it anew").format(
            ref=ref
        )
    return None


def without_zeros(ref: str, padded: Mapping[str, str]) -> str | None:
    """Why a ref of digits is no new one. `padded`: refs that begin with 0, by what is left without these zeros."""
    if ref in padded:
        said = _("{ref!r} has lost its zeros: there is {known!r}; make the column text and write it anew")
        return said.format(ref=ref, known=padded[ref])
    return None
