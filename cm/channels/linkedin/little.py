r"""LinkedIn's "little text": what a post's `commentary` is written in. Pure.

`| { } @ [ ] ( ) < > # \ * _ ~` mean something there; one that stands for itself needs a backslash, or the published
post silently ends before it (reported from 2025-06 to 2026-07). What is meant is left as it is: a hashtag (`#word`, or
`{hashtag|\#|a\_word}` where the word itself holds such a sign) and a mention (`@[Name](urn:li:organization:1)`, the
exact name). Comments are plain text; a mention becomes its name there.

Sources contradict about addresses (reference, 2026-11-21; reports of 2026-06 and 2026-07): escaping `_` is said to
break `?utm_source=`, not escaping is said to cut the text. `linkable` avoids the question: in an address those signs
are written as `%5F`, which is the same address (RFC 3986). Only `#` has no such form, and is escaped.
"""

import re
from collections.abc import Callable

RESERVED = r"|{}@[]()<>#\*_~"
_RESERVED = re.compile(rf"[{re.escape(RESERVED)}]")
_URN = r"\((?P<urn>urn:li:(?:organization|person):[A-Za-z0-9_-]{1,80})\)"
_MENTION = rf"@\[(?P<name>[^\\\[\]()\n]{{1,100}})\]{_URN}"
_WRITTEN = re.compile(rf"{_MENTION}|(?<![^\s(\[«\"'“‘])#(?P<tag>(?=\w*[^\W\d_])\w+)|(?P<sign>{_RESERVED.pattern})")
_SENT = re.compile(
    rf"\\(?P<sign>{_RESERVED.pattern})"
    r"|\{hashtag\|\\?(?P<hash>[#＃])\|(?P<tag>(?:\\.|[^\\{}|])*)\}"
    rf"|@\[(?P<name>(?:\\.|[^\\\[\]()\n]){{1,100}})\]{_URN}"
)
_URL = re.compile(r"https?://[^\s<>\"«»]+", re.IGNORECASE)
_BEHIND = ".,;:!?…'’”)]}*_~|"
"""Signs that end a sentence rather than an address."""


def escape(text: str) -> str:
    """The text as `commentary`: it will be read as it is written here, hashtags and mentions live."""
    return _WRITTEN.sub(_escaped, text)


def unescape(commentary: str) -> str:
    """What was escaped: `unescape(escape(text)) == text`."""
    return _SENT.sub(_unescaped(lambda name, urn: f"@[{name}]({urn})"), commentary)


def visible(text: str) -> str:
    """What people read of a text with mentions: their names."""
    return re.sub(_MENTION, lambda found: found["name"], text)


def read(commentary: str) -> str:
    """What people read of a `commentary`."""
    return _SENT.sub(_unescaped(lambda name, _urn: name), commentary)


def linkable(text: str) -> str:
    """The text with addresses that hold no reserved sign but `#`; the same when done twice."""
    return _URL.sub(_encoded, text)


def _escaped(found: re.Match[str]) -> str:
    if found["urn"]:
        return f"@[{_backslashed(found['name'])}]({found['urn']})"
    if tag := found["tag"]:
        return f"#{tag}" if not _RESERVED.search(tag) else rf"{{hashtag|\#|{_backslashed(tag)}}}"
    return f"\\{found['sign']}"


def _unescaped(mention: Callable[[str, str], str]) -> Callable[[re.Match[str]], str]:
    def one(found: re.Match[str]) -> str:
        if found["urn"]:
            return mention(_plain(found["name"]), found["urn"])
        return found["sign"] or f"{found['hash']}{_plain(found['tag'])}"

    return one


def _backslashed(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def _plain(text: str) -> str:
    return re.sub(rf"\\({_RESERVED.pattern})", r"\1", text)


def _encoded(found: re.Match[str]) -> str:
    address = found[0].rstrip(_BEHIND)
    address += _closing(address, found[0][len(address) :])
    encoded = _RESERVED.sub(lambda sign: sign[0] if sign[0] == "#" else f"%{ord(sign[0]):02X}", address)
    return encoded + found[0][len(address) :]


def _closing(address: str, behind: str) -> str:
    """What of the signs behind an address belongs to it: `…/Paris_(homonymie)` closes its own bracket."""
    unclosed = address.count("(") - address.count(")")
    for n, sign in enumerate(behind):
        if unclosed <= 0:
            return behind[:n]
        unclosed -= sign == ")"
    return behind
