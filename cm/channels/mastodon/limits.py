"""What a server says of itself, and what it would surely refuse.

How a status is counted depends on the software; see `counting`. Where nodeinfo says that it is Mastodon, a text is
held to Mastodon's own counting. Elsewhere it is refused here only if it is too long however it may be counted (a short
address at its own length, since GoToSocial counts so while telling a reserve), and the rest is left to the server.
Pixelfed takes no post without a picture, and 140 characters of warning (ApiV1Controller, read 2026-11-22).
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from cm.channels.counting import graphemes
from cm.channels.mastodon import counting
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
        N_("A content warning counts with the text."),
    ),
)

MASTODON, GOTOSOCIAL, PIXELFED = "mastodon", "gotosocial", "pixelfed"
"""Names in nodeinfo."""
_PIXELFED_WARNING = 140


def measured(instance: Json, software: str = "") -> Json:
    """Limits out of `/api/v2/instance` or `/api/v1/instance` (old places included), and the `software` that they are
    counted by; unknown ones are absent."""
    old = _mapping(instance.get("environment"))  # Pixelfed's
    configuration = _mapping(instance.get("configuration"))
    statuses, media = _mapping(configuration.get("statuses")), _mapping(configuration.get("media_attachments"))
    found = {
        "max_characters": _count(statuses.get("max_characters")) or _count(instance.get("max_toot_chars")),
        "max_media": _count(statuses.get("max_media_attachments")) or _count(old.get("max_album_length")),
        "characters_reserved_per_url": _count(statuses.get("characters_reserved_per_url")),
        "description_limit": _count(media.get("description_limit")) or DESCRIPTION_LIMIT,
        "image_size_limit": _count(media.get("image_size_limit"))
        or _count(instance.get("upload_limit"))
        or 1024 * (_count(old.get("max_photo_size")) or 0),
        "video_size_limit": _count(media.get("video_size_limit")),
        "mime_types": _texts(media.get("supported_mime_types")),
        "software": software,
    }
    return {name: value for name, value in found.items() if value}


def length(text: str) -> int:
    """What a text counts on every server of the family: at least that."""
    return counting.at_least(text, LIMITS.url)


def warning(message: Outgoing) -> str:
    """The content warning, empty without one."""
    return message.fields.get("warning", "").strip()


def used(message: Outgoing) -> int:
    """What the message counts: by GoToSocial's way there, by Mastodon's elsewhere."""
    text = with_link(message.text, message.link)
    if message.limits.get("software") == GOTOSOCIAL:
        return len(warning(message)) + len(text)
    return counting.exactly(text, warning(message))


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what the limits measured at the last check surely forbid."""
    _refuse_warning(message)
    _refuse_length(message, message.limits.get("max_characters"))
    if message.limits.get("software") == PIXELFED and not message.media and message.parent is None:
        raise Rejected(_("Pixelfed takes no post without a picture."), field="media")
    _refuse_media(message, message.limits)


def _refuse_warning(message: Outgoing) -> None:
    said = warning(message)
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in said):
        raise Rejected(_("The warning holds a NUL or half a character (a lone surrogate)."), field="warning")
    if message.limits.get("software") == PIXELFED and len(said) > _PIXELFED_WARNING:
        reason = _("The warning is longer than the {most} characters this server takes.")
        raise Rejected(reason.format(most=_PIXELFED_WARNING), field="warning")


def _refuse_length(message: Outgoing, most: int | None) -> None:
    text, said = with_link(message.text, message.link), warning(message)
    if not most or counting.at_most(text, said) <= most:
        return
    if message.limits.get("software") == MASTODON:
        reason, count = _("{count} characters, and this server takes {most}."), counting.exactly(text, said)
    else:
        reason = _("At least {count} characters, and this server takes {most}.")
        count = counting.at_least(text, message.limits.get("characters_reserved_per_url"))
        if message.limits.get("software") == GOTOSOCIAL:  # others may not count the warning
            count += graphemes(said)
    if count > most:
        raise Rejected(reason.format(count=count, most=most), field="text")


def _refuse_media(message: Outgoing, limits: Mapping[str, Any]) -> None:
    if len(message.media) > limits.get("max_media", len(message.media)):
        reason = _("{count} media, and this server takes {most}.").format(
            count=len(message.media), most=limits["max_media"]
        )
        raise Rejected(reason, field="media")
    most = limits.get("description_limit", DESCRIPTION_LIMIT)
    for media in message.media:
        _refuse_type(media.mime, limits)
        if counting.at_least(media.alt, None) > most:
            reason = _("An alt text is longer than the {most} characters this server takes.").format(most=most)
            raise Rejected(reason, field="media")


def refuse_size(mime: str, size: int, limits: Mapping[str, Any]) -> None:
    """Raises Rejected for a file of more bytes than the server takes."""
    most = limits.get("image_size_limit" if mime.startswith("image/") else "video_size_limit")
    if most and size > most:
        reason = _("A file of {size} bytes, and this server takes {most}.").format(size=size, most=most)
        raise Rejected(reason, field="media")


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
