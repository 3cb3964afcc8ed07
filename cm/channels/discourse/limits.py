"""What a forum takes: its defaults as data, its own settings as measured, and what would surely be refused.

Discourse counts code points of the text without blanks at its ends. It refuses too little as well as too much.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cm.channels.discourse import posting
from cm.channels.port import Json, Limits, MediaLimits, Outgoing, Rejected
from cm.i18n import N_, _

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic")
LIMITS = Limits(
    source="discourse site_settings.yml, docs.discourse.org",
    read_on=date(2026, 11, 21),
    text=32_000,
    title=255,
    images=MediaLimits(mimes=IMAGES, count=20, max_bytes=4096 * 1024),
    notes=(
        N_("A topic needs a title of 15 characters, from the field title or the first line, and a text of 20."),
        N_("Text is Markdown, alt texts too."),
        N_("Each forum may set other limits: cm channel check reads them."),
    ),
)
"""Defaults of a new forum."""
_MEASURED = {
    "min_first_post_length": "min_first_characters",
    "min_post_length": "min_characters",
    "max_post_length": "max_characters",
    "min_topic_title_length": "min_title",
    "max_topic_title_length": "max_title",
}


def measured(settings: Mapping[str, Any]) -> Json:
    """Limits out of `/site/settings.json`; unknown ones are absent."""
    found = {ours: _count(settings.get(theirs)) for theirs, ours in _MEASURED.items()}
    kilobytes = _count(settings.get("max_image_size_kb"))
    found["image_size_limit"] = kilobytes * 1024 if kilobytes else None
    return {name: value for name, value in found.items() if value}


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what the forum surely refuses, by the limits measured at the last check."""
    if message.visibility != "public":
        reason = _("On a forum the category decides who may read: the visibility {wanted!r} is not known there.")
        raise Rejected(reason.format(wanted=message.visibility), field="visibility")
    topic = posting.is_topic(message)
    written = len(posting.written(message).strip())
    fewest = message.limits.get("min_first_characters" if topic else "min_characters", 1)
    most = message.limits.get("max_characters", LIMITS.text)
    if not fewest <= written <= most:
        reason = _("{count} characters, and this forum takes {fewest} to {most}.")
        raise Rejected(reason.format(count=written, fewest=fewest, most=most), field="text")
    if topic:
        _refuse_title(posting.title(message), message.limits)


def _refuse_title(title: str, limits: Mapping[str, Any]) -> None:
    fewest, most = limits.get("min_title", 1), limits.get("max_title", LIMITS.title)
    if not fewest <= len(title) <= most:
        reason = _(
            "A title of {count} characters, and this forum takes {fewest} to {most}: give the post the field title."
        )
        raise Rejected(reason.format(count=len(title), fewest=fewest, most=most), field="title")


def refuse_size(size: int, limits: Mapping[str, Any]) -> None:
    """Raises Rejected for a picture of more bytes than the forum takes."""
    most = limits.get("image_size_limit")
    if most and size > most:
        reason = _("A file of {size} bytes, and this forum takes {most}.").format(size=size, most=most)
        raise Rejected(reason, field="media")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
