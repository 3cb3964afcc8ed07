"""What a server says of itself, and what it would surely refuse.

Mastodon counts grapheme clusters, every http(s) address as `characters_reserved_per_url`, and
`@user@domain` as `@user`. Counting clusters exactly needs Unicode tables that Python does not have, so
`fewest_characters` is a lower bound: a text is refused here only when it is surely too long, the rest is
left to the server (422). A short address counts at its own length, since GoToSocial counts so while
reporting a reserve.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from cm.channels.port import Json, Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

DESCRIPTION_LIMIT = 1500
"""Longest alt text where the server names none (Mastodon's own value)."""

LIMITS = Limits(
    source="docs.joinmastodon.org (Instance entity, Mastodon's own values); what a server says itself goes before",
    read_on=date(2026, 8, 22),
    text=500,
    unit="graphemes",
    url=23,
    alt=DESCRIPTION_LIMIT,
    images=MediaLimits(
        ("image/jpeg", "image/png", "image/gif", "image/webp"), count=4, max_bytes=16_777_216, max_pixels=33_177_600
    ),
    video=MediaLimits(("video/mp4", "video/webm", "video/quicktime"), count=1, max_bytes=103_809_024),
    notes=(
        N_("Each server has limits of its own; `cm channel check` asks for them."),
        N_("Pictures and a film exclude each other."),
    ),
)

_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_REMOTE_MENTION = re.compile(r"(?<![\w/@])(@\w[\w.-]*)@[\w.-]+")
_JOINER, _VIRAMA = "\u200d", 9
_MORE_MARKS = frozenset("\u0e33\u0eb3\uff9e\uff9f")  # extend the cluster before them though they are letters


def measured(instance: Json) -> Json:
    """Limits out of `/api/v2/instance` or `/api/v1/instance` (old places included); unknown ones are absent."""
    configuration = _mapping(instance.get("configuration"))
    statuses, media = _mapping(configuration.get("statuses")), _mapping(configuration.get("media_attachments"))
    found = {
        "max_characters": _count(statuses.get("max_characters")) or _count(instance.get("max_toot_chars")),
        "max_media": _count(statuses.get("max_media_attachments")),
        "characters_reserved_per_url": _count(statuses.get("characters_reserved_per_url")),
        "description_limit": _count(media.get("description_limit")) or DESCRIPTION_LIMIT,
        "image_size_limit": _count(media.get("image_size_limit")) or _count(instance.get("upload_limit")),
        "video_size_limit": _count(media.get("video_size_limit")),
        "mime_types": _texts(media.get("supported_mime_types")),
    }
    return {name: value for name, value in found.items() if value}


def length(text: str) -> int:
    """What a text counts on a server that counts as Mastodon does: at least that, see `fewest_characters`."""
    return fewest_characters(text, LIMITS.url)


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what the limits measured at the last check surely forbid."""
    limits = message.limits
    fewest = fewest_characters(with_link(message.text, message.link), limits.get("characters_reserved_per_url"))
    most = limits.get("max_characters")
    if most and fewest > most:
        reason = _("At least {count} characters, and this server takes {most}.").format(count=fewest, most=most)
        raise Rejected(reason, field="text")
    if len(message.media) > limits.get("max_media", len(message.media)):
        reason = _("{count} media, and this server takes {most}.").format(
            count=len(message.media), most=limits["max_media"]
        )
        raise Rejected(reason, field="media")
    for media in message.media:
        _refuse_type(media.mime, limits)
        most = limits.get("description_limit", DESCRIPTION_LIMIT)
        if fewest_characters(media.alt, None) > most:
            reason = _("An alt text is longer than the {most} characters this server takes.").format(most=most)
            raise Rejected(reason, field="media")


def refuse_size(mime: str, size: int, limits: Mapping[str, Any]) -> None:
    """Raises Rejected for a file of more bytes than the server takes."""
    most = limits.get("image_size_limit" if mime.startswith("image/") else "video_size_limit")
    if most and size > most:
        reason = _("A file of {size} bytes, and this server takes {most}.").format(size=size, most=most)
        raise Rejected(reason, field="media")


def fewest_characters(text: str, reserved_per_url: int | None) -> int:
    """A number of characters that no way of counting can go below; `reserved_per_url` None = addresses in full."""
    shortened = _REMOTE_MENTION.sub(r"\1", text)
    if reserved_per_url:
        shortened = _URL.sub(lambda match: match[0][:reserved_per_url], shortened)
    return _fewest_clusters(unicodedata.normalize("NFC", shortened))


def _fewest_clusters(text: str) -> int:
    """Code points without all that may belong to the cluster before."""
    clusters, flags, joined = 0, 0, False
    for char in text.replace("\r\n", "\n"):
        if "\U0001f1e6" <= char <= "\U0001f1ff":
            flags += 1  # two of them are one flag
        elif not joined and not _extends(char):
            clusters += 1
        joined = char == _JOINER or (joined and _extends(char)) or unicodedata.combining(char) == _VIRAMA
    return clusters + (flags + 1) // 2


def _extends(char: str) -> bool:
    """Marks, variation selectors, joiners, tags, skin tones, vowels and ends of old Hangul."""
    return (
        unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\u1160" <= char <= "\u11ff"
        or "\ud7b0" <= char <= "\ud7ff"
        or char in _MORE_MARKS
    )


def _refuse_type(mime: str, limits: Mapping[str, Any]) -> None:
    known = limits.get("mime_types")
    if known and mime not in known:
        raise Rejected(_("This server does not take media of type {mime}.").format(mime=mime), field="media")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    """A positive whole number; some servers write it as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
