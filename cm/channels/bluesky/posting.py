"""The record of a post, and the key under which it stands.

The key is chosen here, before the first try, and stored with the record: `putRecord` with `swapRecord: null` may then
be repeated for ever. The same record under the same key changes nothing, another one is refused (`InvalidSwap`).
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cm.channels.bluesky.limits import COVERED, LABELS, VIDEO, card_of
from cm.channels.bluesky.uploads import Item, Uploaded
from cm.channels.port import Json, Outgoing

COLLECTION = "app.bsky.feed.post"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[234567abcdefghij][234567a-z]{12}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def tid(at: datetime, salt: int) -> str:
    """The record key of an instant: 53 bits of microseconds since 1970 and 10 bits that tell apart what is equal."""
    number = ((at - EPOCH) // timedelta(microseconds=1) << 10) | (salt & 0x3FF)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def tid_time(key: str) -> datetime | None:
    """The instant of a record key; None for a key that is no TID, or one of no calendar."""
    if not _TID.fullmatch(key):
        return None
    number = 0
    for digit in key:
        number = number << 5 | _DIGITS.index(digit)
    try:
        return EPOCH + timedelta(microseconds=number >> 10)
    except OverflowError:
        return None


def salt(record: Json) -> int:
    """Ten bits of what the record says."""
    return int.from_bytes(hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()[:2]) & 0x3FF


def record(message: Outgoing, text: str, facets: Sequence[Json], reply: Json | None, media: Uploaded) -> Json:
    """The whole record (lexicon app.bsky.feed.post)."""
    found: Json = {"$type": COLLECTION, "text": text, "createdAt": _written(message.created_at)}
    if _LANGUAGE.fullmatch(message.language):
        found["langs"] = [message.language]
    if facets:
        found["facets"] = list(facets)
    if reply:
        found["reply"] = reply
    if embed := _embed(message, media):
        found["embed"] = embed
    if label := _label(message.fields.get("warning", "")):
        found["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label}]}
    return found


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _label(warning: str) -> str | None:
    """Bluesky knows no words of one's own: they cover the pictures as such that may shock."""
    warning = warning.strip()
    return warning if not warning or warning in LABELS else COVERED


def _embed(message: Outgoing, media: Uploaded) -> Json | None:
    """Pictures, a film, or the card of the link."""
    if media.items and message.media[0].mime == VIDEO:
        item = media.items[0]
        return {"$type": "app.bsky.embed.video", "video": item.blob, "alt": message.media[0].alt, **_ratio(item)}
    if media.items:
        pictures = [
            {"alt": one.alt, "image": item.blob, **_ratio(item)}
            for one, item in zip(message.media, media.items, strict=True)
        ]
        return {"$type": "app.bsky.embed.images", "images": pictures}
    link = card_of(message)
    return {"$type": "app.bsky.embed.external", "external": _card(link, message)} if link else None


def _ratio(item: Item) -> Json:
    return {"aspectRatio": item.ratio} if item.ratio else {}


def _card(link: str, message: Outgoing) -> Json:
    """What the card says comes from the post's fields: Bluesky does not read the page."""
    title, description = (message.fields.get(name, "").strip() for name in ("card_title", "card_description"))
    return {"uri": link, "title": title or link, "description": description}
