"""Records read back: which posts the account has, what they show, and whether that is what was sent.

A record's text is plain; the official app cuts long addresses in it and keeps them whole in the facets. A link card
shows its address, so it counts as said. A post is known by its record key: the account has one repository, and the
key ends the address of the post. Records are listed by key, and a key tells when it was made; `createdAt` is what apps
show.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cm.channels.bluesky.posting import COLLECTION, tid_time
from cm.channels.bluesky.session import Session
from cm.channels.http import instant
from cm.channels.port import Json, Listing, Retryable, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.i18n import _

PER_PAGE = 100
"""The most that one question for records gives."""
PAGES = 25
"""Pages that are read at most; a listing that needs more is not complete."""
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_CUT = re.compile(r"(…|\.\.\.)$")


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, link included, as many media, and the same post answered; pure."""
    return (
        same_words(with_link(sought.text, sought.link), sighting.text)
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def permalink(handle: str, key: str) -> str:
    """Where the official app shows it."""
    return f"https://bsky.app/profile/{handle}/post/{key}"


def key_of(uri: str, did: str) -> str | None:
    """The record key of one of the account's own posts, by its AT address; None for anything else."""
    start = f"at://{did}/{COLLECTION}/"
    return uri.removeprefix(start) or None if uri.startswith(start) else None


def listing(session: Session, handle: str, since: datetime) -> Listing:
    """The account's own posts of `since` and later.

    It is complete only if a page reached back before `since` or was the last one, and everything on it could be read.
    Raises ChannelError.
    """
    did = session.values()["did"]
    found: dict[str, Sighting] = {}
    readable, cursor = True, ""
    for _n in range(PAGES):
        page, following = _page(session, did, cursor)
        sightings = [sighting(entry, did, handle) for entry in page]
        readable &= all(sightings)
        found |= {one.remote_id: one for one in sightings if one and one.published_at >= since}
        ended = not page or not following or _before(page[-1], did, since)
        if ended or not readable or following == cursor:
            return Listing(_in_order(found), complete=ended and readable)
        cursor = following
    return Listing(_in_order(found), complete=False)


def sighting(entry: object, did: str, handle: str) -> Sighting | None:
    """A post as it stands there, from `{"uri", "value"}`; None for what is no post of the account."""
    uri, value = (entry.get("uri"), entry.get("value")) if isinstance(entry, dict) else (None, None)
    key = key_of(uri, did) if isinstance(uri, str) else None
    if not key or not isinstance(value, dict):
        return None
    text, at = value.get("text"), instant(value.get("createdAt")) or tid_time(key)
    if not isinstance(text, str) or at is None:
        return None
    embed = _mapping(value.get("embed"))
    parent = _mapping(_mapping(value.get("reply")).get("parent")).get("uri")
    return Sighting(
        remote_id=key,
        permalink=permalink(handle, key),
        published_at=at,
        text=with_link(_in_full(text, value.get("facets")), _card(embed)),
        parent=(key_of(parent, did) or parent) if isinstance(parent, str) else None,
        media=_media(embed),
    )


def _page(session: Session, did: str, cursor: str) -> tuple[Sequence[object], str]:
    """The newest posts with keys smaller than `cursor`, the newest first, and where the next page starts."""
    asked = [("repo", did), ("collection", COLLECTION), ("limit", str(PER_PAGE))]
    told = session.query("com.atproto.repo.listRecords", asked + ([("cursor", cursor)] if cursor else [])).json
    records = told.get("records") if isinstance(told, dict) else None
    if not isinstance(records, list):
        raise Retryable(_("{server} gave an answer of another shape").format(server=session.http.name))
    following = told.get("cursor")
    return records, following if isinstance(following, str) else ""


def _before(entry: object, did: str, since: datetime) -> bool:
    """True if the key was made before then; keys that are no TID tell nothing."""
    uri = entry.get("uri") if isinstance(entry, dict) else None
    made = tid_time(key_of(uri, did) or "") if isinstance(uri, str) else None
    return made is not None and made < since


def _in_order(found: Mapping[str, Sighting]) -> tuple[Sighting, ...]:
    return tuple(sorted(found.values(), key=lambda one: (one.published_at, one.remote_id)))


def _in_full(text: str, facets: object) -> str:
    """The text with shortened addresses as their facets tell them."""
    data = text.encode("utf-8", "surrogatepass")
    for start, end, uri in sorted(_links(facets), reverse=True):
        part = data[start:end].decode("utf-8", "replace")
        if 0 <= start < end <= len(data) and _shortened(part, uri):
            data = data[:start] + uri.encode("utf-8", "surrogatepass") + data[end:]
    return data.decode("utf-8", "replace")


def _shortened(part: str, uri: str) -> bool:
    """True for the start of an address with an ellipsis after it."""
    start, cut = _CUT.subn("", _SCHEME.sub("", part))
    return bool(cut) and _SCHEME.sub("", uri).startswith(start)


def _links(facets: object) -> list[tuple[int, int, str]]:
    found = []
    for facet in facets if isinstance(facets, list) else []:
        index = _mapping(_mapping(facet).get("index"))
        start, end, features = index.get("byteStart"), index.get("byteEnd"), _mapping(facet).get("features")
        for feature in features if isinstance(features, list) else []:
            uri = _mapping(feature).get("uri")
            if type(start) is int and type(end) is int and isinstance(uri, str):
                found.append((start, end, uri))
    return found


def _card(embed: Mapping[str, Any]) -> str | None:
    uri = _mapping(embed.get("external")).get("uri")
    return uri if isinstance(uri, str) else None


def _media(embed: Mapping[str, Any]) -> int:
    """Pictures and films, also beside a quoted post."""
    shown: Json = dict(_mapping(embed.get("media"))) or dict(embed)
    several = shown.get("images") or shown.get("items")
    return len(several) if isinstance(several, list) else int("video" in shown)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
