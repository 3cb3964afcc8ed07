"""The bodies of a new status and of an edit, and what a message will look like.

A content warning is `spoiler_text`; it covers text and media. A status without a text has the warning for its text
(PostStatusService, read 2026-11-22). The card is that of the first address, and only where there are no media.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cm.channels.mastodon import counting, limits
from cm.channels.port import Json, Outgoing, Preview, Rejected
from cm.channels.text import with_link
from cm.i18n import _

VISIBILITIES = ("public", "unlisted", "private", "direct")
"""From wide to narrow."""


def refuse_visibility(message: Outgoing) -> None:
    """Raises Rejected for a visibility that Mastodon does not know."""
    if message.visibility not in VISIBILITIES:
        reason = _("Mastodon knows no visibility {wanted!r}.")
        raise Rejected(reason.format(wanted=message.visibility), field="visibility")


def body(message: Outgoing, media_ids: Sequence[str], *, widest: str, sensitive: bool) -> Json:
    """Of `POST /api/v1/statuses`: seen by as many as message and channel (`widest`) both allow."""
    made: Json = {
        "status": with_link(message.text, message.link),
        "visibility": max(message.visibility, widest, key=VISIBILITIES.index),
        "sensitive": sensitive,
    }
    if warning := limits.warning(message):
        made |= {"spoiler_text": warning, "sensitive": True}
    if language := _language(message):
        made["language"] = language
    if media_ids:
        made["media_ids"] = list(media_ids)
    if message.parent is not None:
        made["in_reply_to_id"] = message.parent
    return made


def edited(status: Mapping[str, Any], message: Outgoing) -> Json:
    """The body of an edit: what changes, and all of the status that would be lost if it were not named."""
    attached = status.get("media_attachments") or []
    media_ids = [str(item["id"]) for item in attached if isinstance(item, dict) and "id" in item]
    told = zip(media_ids, message.media, strict=False)
    warning = limits.warning(message)
    made: Json = {
        "status": with_link(message.text, message.link),
        "sensitive": bool(warning) or status.get("sensitive") is True,
        "spoiler_text": warning,
        "language": _language(message) or status.get("language"),
        "media_ids": media_ids,
        "media_attributes": [{"id": media_id, "description": media.alt} for media_id, media in told],
    }
    return {name: value for name, value in made.items() if value not in (None, "", [])}


def preview(message: Outgoing) -> Preview:
    """The warning first, and behind it what it folds; pure."""
    text, warning = with_link(message.text, message.link).strip(), limits.warning(message)
    folds = bool(warning and text)
    linked = counting.addresses(text)
    return Preview(
        text=f"{warning}\n{text}" if folds else text or warning,
        used=limits.used(message),
        most=message.limits.get("max_characters", limits.LIMITS.text),
        unit="characters" if message.limits.get("software") == limits.GOTOSOCIAL else "graphemes",
        folded_at=len(warning) + 1 if folds else None,
        card=linked[0] if linked and not message.media else None,
        notes=tuple(_notes(message, linked)),
    )


def _notes(message: Outgoing, linked: Sequence[str]) -> list[str]:
    """What the server does with the message that nobody may expect."""
    warning, told = limits.warning(message), []
    if warning and message.media:
        told.append(_("The warning hides the media too."))
    if warning and not with_link(message.text, message.link).strip():
        told.append(_("Without a text, the warning stands there as the text."))
    if message.media and linked:
        told.append(_("Beside media, the link gets no card."))
    if "max_characters" not in message.limits:
        told.append(_("Each server has limits of its own; `cm channel check` asks for them."))
    return told


def _language(message: Outgoing) -> str:
    return message.language.partition("-")[0].lower()
