"""How long a status is: exactly as Mastodon counts, and at least, for servers that count in ways of their own.

Mastodon (app/validators/status_length_validator.rb, app/lib/extractor.rb and config/initializers/twitter_regex.rb,
read 2026-11-22) counts grapheme clusters of warning and text together, blanks at their ends left out. In the text an
address with a scheme counts 23, however long it is, and `@name@server` counts as `@name`; in the warning nothing is
shortened. What an address is, it takes from twitter-text, so that a host whose last part is no top-level domain counts
in full. GoToSocial counts code points of both and shortens nothing, though it tells a reserve for addresses.

Not followed: X's own short addresses (t.co), which end where their letters do, and brackets in a path that hold other
signs than Latin and Cyrillic ones; both could make a text here shorter than it is there by a few signs.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from cm.channels.counting import graphemes

URL = 23
"""What an address counts on Mastodon."""
LONGEST_URL = 4096
"""Characters; what is longer is text."""
LONGEST_SERVER = 253
"""Characters of the server in a mention; a longer one counts in full."""
_BLANKS = "\0\t\n\v\f\r "
_PLAIN_URL = re.compile(r"\w+://[^ \t-\r]+")
_REMOTE_MENTION = re.compile(r"(?<![\w/])(@\w[\w.-]*)@[\w.-]+")


def exactly(text: str, warning: str = "") -> int:
    """What Mastodon counts."""
    return graphemes(warning.strip(_BLANKS) + _shortened(text.strip(_BLANKS)))


def at_most(text: str, warning: str = "") -> int:
    """Never less than `exactly`, and found at a glance."""
    return len(warning) + len(text) + URL * text.count("://")


def at_least(text: str, reserved_per_url: int | None) -> int:
    """A number of signs that no way of counting can go below; `reserved_per_url` None = addresses in full."""
    shortened = _REMOTE_MENTION.sub(r"\1", text.strip(_BLANKS))
    if reserved_per_url:
        shortened = _PLAIN_URL.sub(lambda match: match[0][:reserved_per_url], shortened)
    return graphemes(unicodedata.normalize("NFC", shortened))


def addresses(text: str) -> list[str]:
    """What Mastodon makes links of, in order."""
    return [text[start:end] for start, end in _addresses(text)]


def _shortened(text: str) -> str:
    """The text with a stand-in for each address and mention, as much as each of them counts."""
    told, behind = [], 0
    found = [(start, end, "x" * URL) for start, end in _addresses(text)] + list(_mentions(text))
    for start, end, instead in sorted(found):
        if start >= behind:  # of two that overlap the first one counts
            told += [text[behind:start], instead]
            behind = end
    return "".join([*told, text[behind:]])


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    if "://" not in text:
        return
    for match in _url().finditer(text):
        start, end = match.span("url")
        if match["scheme"] and end - start <= LONGEST_URL:
            yield start, end


def _mentions(text: str) -> Iterator[tuple[int, int, str]]:
    """Those of people on other servers; nobody else's gets shorter."""
    if text.count("@") < 2:
        return
    for match in _mention().finditer(text):
        if len(match["server"]) <= LONGEST_SERVER:
            yield *match.span(), match["name"]


_GENERAL = r"[^\p{White_Space}<>()?]"
_BRACKETS = rf"\((?:{_GENERAL}++|{_GENERAL}*\({_GENERAL}++\){_GENERAL}*+)\)"
_END = r"""[^\p{White_Space}()?!*"'「」<>;:=,.$%\[\]~&|@]"""
_FAR = (
    r"\u00a0-\ud7ff\ue000-\ufdcf\ufdf0-\uffef\U00010000-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd"
    r"\U00040000-\U000dfffd\U000e1000-\U000efffd\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)


@cache
def _url() -> Any:
    """`url` = `scheme` host port path query, the scheme left out at times: such a name is text, and used up.

    Its host is that of twitter-text, which X counts by.
    """
    import regex  # heavy, and only long texts with addresses need it

    from cm.channels.x.counting import before, host

    return regex.compile(
        rf"{before()}(?P<url>(?P<scheme>(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://)?{host()}(?::[0-9]+)?"
        rf"(?:/(?:(?:{_GENERAL}|{_BRACKETS})*(?:{_END}|{_BRACKETS}))?)?"
        rf"(?:\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^{_FAR}]*[a-z0-9_&=#/\-{_FAR}])?)",
        regex.IGNORECASE,
    )


@cache
def _mention() -> Any:
    """`@name@server`, unless an address or another mention begins in it."""
    import regex

    return regex.compile(
        r"(?<![=/[:word:]])(?P<name>@[a-z0-9_]++(?:[.-]+[a-z0-9_]+)*)@(?P<server>(?>[[:word:]]+(?:[.-]+[[:word:]]+)*))"
        r"(?!@|＠|://|[\xC0-\xD6\xD8-\xF6\xF8-\u024F\u0300-\u036F\u1E00-\u1EFF])",
        regex.IGNORECASE,
    )
