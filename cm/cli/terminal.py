"""Text from outside, made harmless for a terminal: it can neither move the cursor nor reverse the line."""

import unicodedata

_KEPT_FORMAT = {"\u200d", "\u200c", "\ufe0f"}
"""Joiners and the emoji selector: part of honest text."""


def safe(text: str, *, newlines: bool = False) -> str:
    """`text` with control, bidi and other invisible characters shown as `\\x1b`; `newlines` keeps line ends."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(sign, newlines) for sign in text)


def _shown(sign: str, newlines: bool) -> str:
    if sign == "\n" and newlines:
        return sign
    category = unicodedata.category(sign)
    if category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and sign not in _KEPT_FORMAT):
        return "⏎" if sign == "\n" else sign.encode("unicode_escape", "surrogatepass").decode("ascii")
    return sign


def excerpt(text: str, width: int) -> str:
    """One harmless line of at most `width` characters."""
    line = safe(" ".join(text[: 4 * width].split()))
    return line if len(line) <= width else line[: width - 1] + "…"
