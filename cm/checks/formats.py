"""What a platform will not take, told when a post is written and again at the gate; pure.

The figures are the platform's (`cm channel platforms` shows them with source and date); what they do not say (an empty
picture post, a thread where there are none) its adapter's own `refuse` tells.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cm.channels.platforms import Platform
from cm.channels.port import Limits, Media, MediaLimits, Outgoing, Rejected
from cm.channels.shapes import ANYWHERE, JPEG
from cm.formats import number, plural
from cm.i18n import _
from cm.model.facts import Finding, MediaContent, MessageContent, PostContent
from cm.model.states import Severity

_SOMETIME = datetime(2000, 1, 1, tzinfo=UTC)
"""What is refused does not depend on the time."""


def format_findings(content: PostContent, platform: Platform) -> Iterator[Finding]:
    """What of a post its platform does not take: errors, one for each message and thing."""
    for message in content.messages:
        found = [*_of_text(message, platform), *_of_media(message, platform.limits)]
        yield from found or _of_adapter(message, content, platform)
    yield from _of_title(content, platform)
    yield from _of_pictures(content, platform.limits)
    yield from _of_film(content, platform)


def source_of(limits: Limits) -> str:
    """Where a figure stands, and when it was read there."""
    return f"{limits.source} ({limits.read_on.isoformat()})"


def _error(rule: str, label: str, reason: str, limits: Limits) -> Finding:
    return Finding(rule, Severity.ERROR, label, reason, source_of(limits))


# --- text -------------------------------------------------------------------------------------------------------------


def _of_text(message: MessageContent, platform: Platform) -> Iterator[Finding]:
    said = platform.said(message.text, message.link)
    if platform.surely_fits(said):
        return
    limits, used = platform.limits, platform.length(said)
    if limits.text is not None and used > limits.text:
        yield _error("format.text_length", _("Text too long"), _too_long(platform, message, used, limits.text), limits)
    size = len(said.encode("utf-8", "surrogatepass"))
    if limits.text_bytes is not None and size > limits.text_bytes:
        reason = _("{platform} takes {most} bytes of text, message {n} has {used}.")
        told = reason.format(platform=platform.name, most=number(limits.text_bytes), n=message.n, used=number(size))
        yield _error("format.text_bytes", _("Text too long"), told, limits)


def _too_long(platform: Platform, message: MessageContent, used: int, most: int) -> str:
    reason = _("{platform} takes {most} characters{how}, message {n} has {used}: {over} too many.")
    return reason.format(
        platform=platform.name,
        most=number(most),
        how=f" ({unit_word(platform.limits.unit)})" if platform.limits.unit != "characters" else "",
        n=message.n,
        used=number(used),
        over=number(used - most),
    )


def unit_name(unit: str) -> str:
    """In what a platform counts, in a word."""
    names = {
        "characters": _("characters"),
        "graphemes": _("signs"),
        "weighted": _("weights"),
        "utf16": _("UTF-16 units"),
        "bytes": _("bytes"),
    }
    return names.get(unit, unit)


def unit_word(unit: str) -> str:
    """How a platform counts, in words."""
    words = {
        "characters": _("characters"),
        "graphemes": _("signs as one sees them"),
        "weighted": _("as X weighs them: an address 23, an emoji 2"),
        "utf16": _("UTF-16 units: an emoji 2"),
        "bytes": _("UTF-8 bytes"),
    }
    return words.get(unit, unit)


def _of_title(content: PostContent, platform: Platform) -> Iterator[Finding]:
    most, title = platform.limits.title, str(content.fields.get("title") or "")
    if most is not None and len(title) > most:
        reason = _("{platform} takes a title of {most} characters, this one has {used}.")
        told = reason.format(platform=platform.name, most=most, used=len(title))
        yield _error("format.title_length", _("Title too long"), told, platform.limits)


def _of_pictures(content: PostContent, limits: Limits) -> Iterator[Finding]:
    """Where posts are pictures, one without a description says nothing to who cannot see it."""
    if not limits.needs_media or limits.alt is None:
        return
    for medium in (medium for message in content.messages for medium in message.media):
        if medium.mime.startswith("image/") and not medium.alt.strip():
            reason = _("{name} has no description: who cannot see it is left out. Give one with --alt.")
            label, told = _("Picture without a description"), reason.format(name=medium.path)
            yield Finding("picture.alt", Severity.WARNING, label, told, source_of(limits))


def _of_film(content: PostContent, platform: Platform) -> Iterator[Finding]:
    """Where films have titles, one without a title or captions is sound, and few will find or follow it."""
    films = [m for message in content.messages for m in message.media if m.mime.startswith("video/")]
    if platform.limits.title is None or not films:
        return
    for field, rule, label, reason in (
        ("title", "film.title", _("Film without a title"), _("The film has no title: fill in the field title.")),
        (
            "captions",
            "film.captions",
            _("Film without captions"),
            _("The film has no captions: who cannot hear it is left out. Name a file .srt or .vtt in captions."),
        ),
    ):
        if not str(content.fields.get(field) or "").strip():
            yield Finding(rule, Severity.WARNING, label, reason, source_of(platform.limits))


# --- media ------------------------------------------------------------------------------------------------------------


def _of_media(message: MessageContent, limits: Limits) -> Iterator[Finding]:
    if not message.media:
        yield from _of_nothing(message, limits)
        return
    films = [medium for medium in message.media if medium.mime.startswith("video/")]
    pictures = [medium for medium in message.media if medium.mime.startswith("image/")]
    for sort, media, most in (("pictures", pictures, limits.images), ("films", films, limits.video)):
        if len(media) > most.count:
            yield _error("format.media_count", _("Too many media"), _too_many(sort, len(media), most.count), limits)
    for medium in films:
        if medium.mime not in limits.video.mimes and limits.video.count:
            reason = _("{name}: films of type {mime} are not taken here; give {kinds}.")
            kinds = ", ".join(limits.video.mimes)
            told = reason.format(name=medium.path, mime=medium.mime, kinds=kinds)
            yield _error("format.media_type", _("Media type"), told, limits)
    for medium in message.media:
        if limits.alt is not None and len(medium.alt) > limits.alt:
            reason = _("{name}: its description has {used} characters, {most} are taken.")
            told = reason.format(name=medium.path, used=number(len(medium.alt)), most=number(limits.alt))
            yield _error("format.alt_length", _("Description too long"), told, limits)


def _of_nothing(message: MessageContent, limits: Limits) -> Iterator[Finding]:
    if limits.needs_media and message.n == 1:
        taken = _("A post here needs a picture or a film.") if limits.images.count else _("A post here needs a film.")
        yield _error("format.media_missing", _("Nothing to see"), taken, limits)


def _too_many(sort: str, given: int, most: int) -> str:
    if sort == "pictures":
        taken = plural("{n} picture is taken here", "{n} pictures are taken here", most)
    else:
        taken = plural("{n} film is taken here", "{n} films are taken here", most)
    return _("{taken}, and there are {given} in one message.").format(taken=taken, given=given)


# --- what only the adapter says ---------------------------------------------------------------------------------------


def _of_adapter(message: MessageContent, content: PostContent, platform: Platform) -> Iterator[Finding]:
    """The adapter's own refusal. X takes every plain text that is short enough, and to weigh it again is dear."""
    alone = len(content.messages) == 1 and content.visibility == "public" and not content.fields
    if alone and message.link is None and not message.media and platform.limits.unit == "weighted":
        return
    try:
        platform.refuse(outgoing(message, content, platform))
    except Rejected as refused:
        rule = f"format.{refused.field or 'refused'}"
        yield _error(rule, _("Not taken by the platform"), refused.reason, platform.limits)


def outgoing(message: MessageContent, content: PostContent, platform: Platform | None) -> Outgoing:
    """A message as its adapter will be asked for it, but for what only the engine knows."""
    return Outgoing(
        text=message.text,
        language=content.language,
        created_at=_SOMETIME,
        link=message.link,
        role=message.role,
        visibility=content.visibility,
        media=tuple(_sent(medium, platform) for medium in message.media),
        parent=None if message.n == 1 else "before",
        fields={key: str(value) for key, value in content.fields.items()},
        limits=platform.measured if platform else {},
    )


def _sent(medium: MediaContent, platform: Platform | None) -> Media:
    mime = sent_mime(medium.mime, platform.limits.images if platform else ANYWHERE)
    return Media(Path(medium.path), mime, medium.sha256, medium.alt)


def sent_mime(mime: str, images: MediaLimits) -> str:
    """The type in which a picture goes out, as far as its own type tells it."""
    if not mime.startswith("image/") or mime in images.mimes:
        return mime
    return JPEG if JPEG in images.mimes or not images.mimes else images.mimes[0]
