"""What can be clicked in a text: Bluesky links nothing by itself, each place is told by its UTF-8 offsets.

Addresses, mentions and hashtags are found as the official app finds them (@atproto/api, rich text detection,
2026-08-20), with two differences: an address without `https://` is linked only where it starts with `www.`, since the
app tells domains from words with a list of all top-level domains; and closing quotation marks and an ellipsis are no
part of an address. A mention needs the account's DID; one that nobody knows stays plain text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cm.channels.counting import graphemes, utf8
from cm.channels.port import Json

_BEFORE = r"(?:(?<=\s)|(?<=\()|^)"
_MENTION = re.compile(_BEFORE + r"@([a-zA-Z0-9.-]+)\b")
_HANDLE = re.compile(r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_URL = re.compile(_BEFORE + r"(?:https?://\S+|www\.[^\s.]+\.\S+)", re.IGNORECASE)
_AFTER = ".,;:!?…»”’\"'"
_HIDDEN = "\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = re.compile(rf"(?:(?<=\s)|^)[#＃](?!\ufe0f)([^\s{_HIDDEN}]+)")
_RICHTEXT = "app.bsky.richtext.facet"


@dataclass(frozen=True)
class Place:
    """A part of the text, by code points, and what it leads to: `kind` is `link`, `mention` or `tag`."""

    start: int
    end: int
    kind: str
    target: str


def facets(text: str, resolve: Callable[[str], str | None]) -> list[Json]:
    """The facets of a text, in order, none over another. `resolve`: handle → DID, None for a handle nobody has."""
    found: list[Json] = []
    for place in places(text):
        feature = _feature(place, resolve)
        if feature:
            start = utf8(text[: place.start])
            index = {"byteStart": start, "byteEnd": start + utf8(text[place.start : place.end])}
            found.append({"index": index, "features": [feature]})
    return found


def places(text: str) -> list[Place]:
    """Addresses, mentions and hashtags of a text, in order; what stands within an address is part of it."""
    free: list[Place] = []
    for place in [*_links(text), *_mentions(text), *_tags(text)]:
        if all(place.end <= other.start or place.start >= other.end for other in free):
            free.append(place)
    return sorted(free, key=lambda place: place.start)


def _feature(place: Place, resolve: Callable[[str], str | None]) -> Json | None:
    if place.kind == "mention":
        did = resolve(place.target)
        return {"$type": f"{_RICHTEXT}#mention", "did": did} if did else None
    key = "uri" if place.kind == "link" else "tag"
    return {"$type": f"{_RICHTEXT}#{place.kind}", key: place.target}


def _links(text: str) -> Iterator[Place]:
    for match in _URL.finditer(text):
        url = match[0].rstrip(_AFTER)
        if url.endswith(")") and "(" not in url:
            url = url[:-1]
        bare = url[:4].lower() == "www."
        if bare or url.partition("://")[2]:
            yield Place(match.start(), match.start() + len(url), "link", f"https://{url}" if bare else url)


def _mentions(text: str) -> Iterator[Place]:
    for match in _MENTION.finditer(text):
        if len(match[1]) <= 253 and _HANDLE.fullmatch(match[1]):
            yield Place(match.start(), match.end(), "mention", match[1].lower())


def _tags(text: str) -> Iterator[Place]:
    for match in _TAG.finditer(text):
        tag = match[1]
        while tag and _punctuation(tag[-1]):
            tag = tag[:-1]
        if any(not (_punctuation(char) or char.isdecimal()) for char in tag) and _short(tag):
            yield Place(match.start(), match.start(1) + len(tag), "tag", tag)


def _punctuation(char: str) -> bool:
    return unicodedata.category(char).startswith("P")


def _short(tag: str) -> bool:
    """Up to 64 characters and 640 bytes, by the lexicon."""
    return graphemes(tag) <= 64 and utf8(tag) <= 640
