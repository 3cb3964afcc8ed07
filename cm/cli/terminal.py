"""Text from outside, made harmless for a terminal: it can neither move the cursor nor reverse the line."""

import json
import os
import re
import unicodedata
from typing import Any

_KEPT_FORMAT = {"\u200d", "\u200c", "\ufe0f"}
"""Joiners and the emoji selector: part of honest text."""

_ACTIVE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""What JSON may hold as it is and a terminal or an editor would obey or hide; and halves of characters."""


class _State:
    plain: bool | None = None


def plain() -> bool:
    """True if output is to be read aloud: `--plain`, else CM_PLAIN (anything but empty and 0). No boxes, no columns,
    no signs that a word beside them does not say, no colour, no progress."""
    return os.environ.get("CM_PLAIN", "0") not in ("", "0") if _State.plain is None else _State.plain


def speak_plainly(asked: bool | None) -> None:
    """Set it for this run; None: as the environment says."""
    _State.plain = asked


def sign(mark: str, word: str) -> str:
    """`● published`; read aloud the word alone. A sign never stands without its word."""
    return word if plain() else f"{mark} {word}"


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


def json_text(value: Any, *, indent: int | None = None) -> str:
    r"""`value` as JSON in readable UTF-8; what a terminal would obey is written `\u009b`, which means the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _ACTIVE.sub(lambda found: json.dumps(found[0])[1:-1].replace("\x7f", "\\u007f"), text)
