"""What a post may lack or hold that keeps it from going out, as pure rules over its content.

An error stops the post at the gate; a warning is shown to a person. Rules neither read nor write
anything. `PACK` names their version: stored results of another version are asked for again.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cm.channels.platforms import Platform
from cm.checks.folding import folded_text
from cm.checks.formats import format_findings
from cm.i18n import _
from cm.model.facts import Finding, MessageContent, PostContent
from cm.model.states import Severity

PACK = "2026.11-3"
"""Version of these rules: year, month and number. To be raised whenever a rule changes its answer."""

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_NAMED = 5
"""So many posts with the same text are named in one finding; the others are counted."""


def findings(
    content: PostContent,
    *,
    required_fields: Mapping[str, tuple[str, ...]],
    channel_audiences: tuple[str, ...],
    internal_audiences: Collection[str] = (),
    platform: Platform | None = None,
) -> tuple[Finding, ...]:
    """Everything the rules say of one post, errors and warnings.

    `required_fields`: every known kind with the fields it needs (`link` is the post's own link).
    `channel_audiences`: whom the post's channel speaks to; `internal_audiences`: who of all is inside the house.
    `platform`: what is known of the place the post goes to, None if nothing is.
    """
    return (
        *_of_kind(content, required_fields),
        *_of_audiences(content, channel_audiences, internal_audiences),
        *_of_texts(content),
        *_of_link(content),
        *(format_findings(content, platform) if platform else ()),
    )


def error_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that stop a post."""
    return tuple(finding for finding in found if finding.severity == Severity.ERROR)


def _error(rule: str, label: str, reason: str) -> Finding:
    return Finding(rule, Severity.ERROR, label, reason)


def _of_kind(content: PostContent, required_fields: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    required = required_fields.get(content.kind)
    if required is None:
        reason = _("There is no kind {kind!r}; use one of {kinds}.").format(
            kind=content.kind, kinds=", ".join(required_fields)
        )
        yield _error("kind.unknown", _("Unknown kind"), reason)
        return
    for name in required:
        given = content.link if name == "link" else content.fields.get(name)
        if not str(given or "").strip():
            reason = _("A post of kind {kind} needs {field}.").format(kind=content.kind, field=name)
            yield _error("kind.field_missing", _("Missing field"), reason)
    day = str(content.fields.get("event_date") or "").strip()
    if day and not is_iso_day(day):
        reason = _("event_date is {value!r}; write a day of the calendar as 2026-12-05.").format(value=day)
        yield _error("kind.event_date", _("Not a date"), reason)


def is_iso_day(text: str) -> bool:
    """True for `YYYY-MM-DD` that the calendar has."""
    if not _ISO_DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _of_audiences(
    content: PostContent, channel_audiences: tuple[str, ...], internal: Collection[str]
) -> Iterator[Finding]:
    if reason := exposed(content.channel, content.audiences, channel_audiences, internal):
        yield _error("audience.internal", _("Internal post"), reason)
        return
    for audience in content.audiences:
        if audience not in channel_audiences:
            reason = _("The post is for {audience}, whom the channel {channel} does not serve ({served}).").format(
                audience=audience, channel=content.channel, served=", ".join(channel_audiences) or "–"
            )
            yield Finding("audience.not_served", Severity.WARNING, _("Audience not served"), reason)


def is_internal(audiences: Collection[str], internal: Collection[str]) -> bool:
    """True for a post or a channel whose audiences are all inside the house. Pure."""
    return bool(audiences) and all(audience in internal for audience in audiences)


def exposed(channel: str, audiences: Collection[str], served: Collection[str], internal: Collection[str]) -> str | None:
    """Why a post must not stand on its channel: it is for people inside, and others read it there. None if it may.

    Pure. `audiences`: whom the post is for; `served`: whom the channel speaks to.
    """
    if not is_internal(audiences, internal) or is_internal(served, internal):
        return None
    outside = ", ".join(audience for audience in served if audience not in internal) or "–"
    said = _("It is for {inside} only, and others read the channel {channel} too ({outside}).")
    return said.format(inside=", ".join(audiences), channel=channel, outside=outside)


def _of_texts(content: PostContent) -> Iterator[Finding]:
    parts = sum(message.role == "part" for message in content.messages)
    for message in content.messages:
        if not message.media and not message.text.strip():
            yield _empty(message, parts)
        for text in (message.text, *(medium.alt for medium in message.media)):
            if not _sendable(text):
                yield from _unsendable(text, _("message {n}").format(n=message.n))
    for name, value in content.fields.items():
        yield from _unsendable(str(value), name)


def _empty(message: MessageContent, parts: int) -> Finding:
    if message.role == "part" and parts > 1:
        reason = _("Part {n} of the thread is empty; write it or take out a line ---.").format(n=message.n)
        return _error("text.empty_part", _("Empty part"), reason)
    return _error("text.empty", _("Empty text"), _("There is neither text nor a picture."))


def _sendable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not has_surrogates(text))


def _unsendable(text: str, where: str) -> Iterator[Finding]:
    if "\0" in text:
        yield _error("text.nul", _("NUL character"), _("{where} holds a NUL character.").format(where=where))
    if not text.isascii() and has_surrogates(text):
        reason = _("{where} holds half a character (an unpaired surrogate).").format(where=where)
        yield _error("text.surrogate", _("Broken character"), reason)


def has_surrogates(text: str) -> bool:
    """True if some code point is an unpaired surrogate, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _of_link(content: PostContent) -> Iterator[Finding]:
    if content.link and not _WEB_ADDRESS.fullmatch(content.link):
        yield _error("link.address", _("Not a web address"), _("A link begins with https:// and holds no blank."))


# --- the same words for different audiences ---------------------------------------------------------------------------


@dataclass(frozen=True)
class TwinPost:
    """A post as `twins` sees it. `name` is its ref or id; `served` are the audiences of its channel."""

    name: str
    channel: str
    audiences: tuple[str, ...]
    served: tuple[str, ...]
    text: str

    @property
    def words(self) -> str:
        """The text without what does not tell two wordings apart: case, accents, shapes of quotes, blanks."""
        return folded_text(self.text)


@dataclass(frozen=True)
class Twins:
    """Posts that say the same to different audiences, and the finding about them."""

    posts: tuple[TwinPost, ...]
    finding: Finding


def twins(posts: Iterable[TwinPost]) -> tuple[Finding, ...]:
    """One warning for each text that stands on two channels for different audiences."""
    return tuple(group.finding for group in twin_groups(posts))


def twin_groups(posts: Iterable[TwinPost]) -> list[Twins]:
    """As `twins`, with the posts concerned."""
    by_words: dict[str, list[TwinPost]] = {}
    for post in posts:
        if words := post.words:
            by_words.setdefault(words, []).append(post)
    groups = (differing(same) for same in by_words.values() if len(same) > 1)
    return [Twins(tuple(posts_), twin_finding(posts_)) for posts_ in groups if posts_]


def differing(same: Sequence[TwinPost]) -> list[TwinPost]:
    """Of posts with the same text, those that another channel shows to other audiences.

    Two posts differ if their channels do, and the audiences of the posts or of the channels do.
    """
    sorts = {(post.channel, frozenset(post.audiences), frozenset(post.served)) for post in same}
    if len(sorts) < 2:
        return []

    def differs(post: TwinPost) -> bool:
        mine = (frozenset(post.audiences), frozenset(post.served))
        return any(channel != post.channel and (readers, served) != mine for channel, readers, served in sorts)

    return [post for post in same if differs(post)]


def twin_finding(posts: Sequence[TwinPost]) -> Finding:
    """The warning about posts that say the same to different audiences."""
    named = ", ".join(f"{post.name} ({post.channel}: {'|'.join(post.audiences)})" for post in posts[:_NAMED])
    if len(posts) > _NAMED:
        named = _("{named} and {n} more").format(named=named, n=len(posts) - _NAMED)
    reason = _("The same text for different audiences: {posts}. Tell it to each in their own words.").format(
        posts=named
    )
    return Finding("text.twin", Severity.WARNING, _("Same text, other audience"), reason)
