"""Posts as they are shown: everything about each in one frozen value, read many at once.

Seven statements serve any number of posts.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import check
from cm.calendar.search_index import may_say
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST, RECEIPT, STORY
from cm.calendar.stored import chunks
from cm.checks.folding import folded_text
from cm.checks.rules import TwinPost, twin_groups
from cm.env import Env
from cm.model.facts import Finding, MediaContent, MessageContent, PostContent
from cm.model.ids import post_id
from cm.model.states import PostState


@dataclass(frozen=True)
class ReceiptView:
    """Where a message stands, or stood; instants in the plan's zone."""

    remote_id: str
    permalink: str | None
    published_at: datetime
    gone_at: datetime | None = None
    """Since when it stands there no more."""


@dataclass(frozen=True)
class MessageView:
    """One message of a post as sent; `role` is `part` or `comment`."""

    n: int
    role: str
    text: str
    receipt: ReceiptView | None


@dataclass(frozen=True)
class PostView:
    """A post as it is shown. Instants are aware, in the plan's zone; `wall` is the plan's local time.

    `notes` are what a person is to be told of this very act (the slot that was taken, a clock change).
    """

    id: str
    ref: str | None
    story: str | None
    channel: str
    audiences: tuple[str, ...]
    kind: str
    theme: str | None
    state: PostState
    scheduled_at: datetime | None
    text: str
    link: str | None
    messages: tuple[MessageView, ...]
    findings: tuple[Finding, ...]
    campaign: str | None
    objective: str | None
    language: str
    fields: Mapping[str, str]
    wall: str | None
    zone: str | None
    reason: str | None
    over_reason: str | None
    example: bool
    simulated: bool
    published_at: datetime | None
    first_comment: str | None
    media: tuple[MediaContent, ...]
    urgent: bool
    crisis: bool
    rev: int
    author: str
    created_at: datetime
    visibility: str = "public"
    corrected_at: datetime | None = None
    withdrawal: str | None = None
    """`unconfirmed` while it is being taken down or nobody knows whether it is gone, then `done`."""
    withdrawn_at: datetime | None = None
    motive: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The ref, or the id of a post that has none."""
        return self.ref or self.id

    def as_json(self) -> dict[str, Any]:
        """One item of `post list`."""
        return {
            "id": self.id,
            "ref": self.ref,
            "story": self.story,
            "channel": self.channel,
            "audiences": list(self.audiences),
            "kind": self.kind,
            "theme": self.theme,
            "state": self.state.value,
            "scheduled_at": _iso(self.scheduled_at),
            "text": self.text,
            "link": self.link,
            "messages": [_message_json(message) for message in self.messages],
            "findings": [finding.as_json() for finding in self.findings],
            "campaign": self.campaign,
            "objective": self.objective,
            "language": self.language,
            "fields": dict(self.fields),
            "wall": self.wall,
            "zone": self.zone,
            "reason": self.reason,
            "over_reason": self.over_reason,
            "example": self.example,
            "simulated": self.simulated,
            "published_at": _iso(self.published_at),
            "first_comment": self.first_comment,
            "media": [{"path": medium.path, "alt": medium.alt} for medium in self.media],
            "urgent": self.urgent,
            "crisis": self.crisis,
            "rev": self.rev,
            "author": self.author,
            "created_at": _iso(self.created_at),
            "visibility": self.visibility,
            "corrected_at": _iso(self.corrected_at),
            "withdrawal": self.withdrawal,
            "withdrawn_at": _iso(self.withdrawn_at),
            "motive": self.motive,
            "notes": list(self.notes),
        }


def _message_json(message: MessageView) -> dict[str, Any]:
    receipt = message.receipt
    return {
        "n": message.n,
        "role": message.role,
        "text": message.text,
        "receipt": receipt
        and {
            "remote_id": receipt.remote_id,
            "permalink": receipt.permalink,
            "published_at": _iso(receipt.published_at),
            "gone_at": _iso(receipt.gone_at),
        },
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def load_view(session: Session, env: Env, number: int) -> PostView:
    """The post with that number; its text is compared with every other post's."""
    return load_views(session, env, [number], widely=True)[0]


def load_views(
    session: Session, env: Env, chosen: Collection[int] | sa.Select[Any], *, widely: bool = False
) -> list[PostView]:
    """The posts with these numbers (or those a statement selects), by time; those without time come last.

    Texts that are the same for different audiences are found among these posts and those of their
    stories, with `widely` among all posts.
    """
    which = chosen if isinstance(chosen, sa.Select) else sa.select(POST.c.id).where(POST.c.id.in_(chosen))
    posts = _posts(session, which)
    if not posts:
        return []
    parts = _Parts(session, which)
    twins = _twins(session, env, which, posts, widely=widely)
    return [_view(env, post, parts, twins.get(post.id, ())) for post in posts]


def _posts(session: Session, which: sa.Select[Any]) -> list[Any]:
    statement = (
        sa.select(POST, STORY.c.ref.label("story"))
        .join_from(POST, STORY, isouter=True)
        .where(POST.c.id.in_(which))
        .order_by(POST.c.scheduled_at.is_(None), POST.c.scheduled_at, POST.c.id)
    )
    return list(session.execute(statement).all())


class _Parts:
    """Messages, media and receipts of the chosen posts, by owner."""

    def __init__(self, session: Session, which: sa.Select[Any]) -> None:
        mine = sa.select(MESSAGE.c.id).where(MESSAGE.c.post_id.in_(which))
        self.messages: dict[int, list[Any]] = defaultdict(list)
        self.media: dict[int, tuple[MediaContent, ...]] = defaultdict(tuple)
        self.receipts: dict[int, Any] = {}
        messages = sa.select(MESSAGE).where(MESSAGE.c.post_id.in_(which))
        for row in session.execute(messages.order_by(MESSAGE.c.post_id, MESSAGE.c.n)):
            self.messages[row.post_id].append(row)
        media = sa.select(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(mine))
        for row in session.execute(media.order_by(ATTACHMENT.c.message_id, ATTACHMENT.c.position)):
            self.media[row.message_id] += (MediaContent(row.path, row.sha256, row.mime, row.alt),)
        receipts = sa.select(RECEIPT).where(RECEIPT.c.message_id.in_(mine))
        for row in session.execute(receipts.order_by(RECEIPT.c.id)):
            self.receipts[row.message_id] = row

    def contents(self, number: int) -> tuple[MessageContent, ...]:
        """The messages of a post as they will be, or were, sent."""
        return tuple(
            MessageContent(row.n, row.text, row.link, row.role, self.media.get(row.id, ()))
            for row in self.messages.get(number, ())
        )

    def views(self, number: int, zone: ZoneInfo) -> tuple[MessageView, ...]:
        """The messages of a post as they are shown."""
        return tuple(
            MessageView(row.n, row.role, row.text, self._receipt(row.id, zone)) for row in self.messages.get(number, ())
        )

    def _receipt(self, message_id: int, zone: ZoneInfo) -> ReceiptView | None:
        row = self.receipts.get(message_id)
        if row is None:
            return None
        return ReceiptView(row.remote_id, row.permalink, row.published_at.astimezone(zone), _local(row.gone_at, zone))


def _view(env: Env, row: Any, parts: _Parts, twins: tuple[Finding, ...]) -> PostView:
    zone = ZoneInfo(row.zone) if row.zone else env.zone
    contents = parts.contents(row.id)
    content = PostContent(
        row.channel, row.kind, row.language, tuple(row.audiences), contents, row.link, row.visibility, row.fields
    )
    return PostView(
        id=post_id(row.id),
        ref=row.ref,
        story=row.story,
        channel=row.channel,
        audiences=tuple(row.audiences),
        kind=row.kind,
        theme=row.theme,
        state=row.state,
        scheduled_at=_local(row.scheduled_at, zone),
        text=row.text,
        link=row.link,
        messages=parts.views(row.id, zone),
        findings=(*check(env, content), *twins),
        campaign=row.campaign,
        objective=row.objective,
        language=row.language,
        fields=row.fields,
        wall=row.wall,
        zone=row.zone,
        reason=row.reason,
        over_reason=row.over_reason,
        example=row.example,
        simulated=row.channel in env.simulated,
        published_at=_local(row.published_at, zone),
        first_comment=row.first_comment,
        media=tuple(medium for message in contents for medium in message.media),
        urgent=row.urgent,
        crisis=row.crisis,
        rev=row.rev,
        author=row.author,
        created_at=row.created_at.astimezone(zone),
        visibility=row.visibility,
        corrected_at=_local(row.corrected_at, zone),
        withdrawal=row.withdrawal,
        withdrawn_at=_local(row.withdrawn_at, zone),
        motive=row.motive,
    )


def _local(instant: datetime | None, zone: ZoneInfo) -> datetime | None:
    return instant.astimezone(zone) if instant else None


# --- the same words for different audiences ---------------------------------------------------------------------------


def _twins(
    session: Session, env: Env, which: sa.Select[Any], posts: Sequence[Any], *, widely: bool
) -> dict[int, tuple[Finding, ...]]:
    """Findings by post, among the chosen posts and their relatives; cancelled posts say nothing to anybody."""
    rows = {row.id: row for row in (*posts, *_relatives(session, which), *(_alike(session, posts) if widely else ()))}
    ids: dict[str, int] = {}
    seen = []
    for row in rows.values():
        if row.state != PostState.CANCELLED and not row.urgent:  # one urgent text for everybody is what is wanted
            name = row.ref or post_id(row.id)
            ids[name] = row.id
            seen.append(TwinPost(name, row.channel, tuple(row.audiences), _served(env, row.channel), row.text))
    found: dict[int, tuple[Finding, ...]] = defaultdict(tuple)
    for group in twin_groups(seen):
        for post in group.posts:
            found[ids[post.name]] += (group.finding,)
    return found


def _served(env: Env, channel: str) -> tuple[str, ...]:
    known = env.config.channels.get(channel)
    return known.audiences if known else ()


_COMPARED = sa.select(POST.c.id, POST.c.ref, POST.c.channel, POST.c.state, POST.c.urgent, POST.c.audiences, POST.c.text)


def _relatives(session: Session, which: sa.Select[Any]) -> list[Any]:
    """The posts of the same stories."""
    stories = sa.select(POST.c.story_id).where(POST.c.id.in_(which), POST.c.story_id.is_not(None))
    return list(session.execute(_COMPARED.where(POST.c.story_id.in_(stories))).all())


def _alike(session: Session, posts: Sequence[Any]) -> list[Any]:
    """Whatever posts read the same."""
    ids: set[int] = set()
    for words, text in {folded_text(post.text): post.text for post in posts}.items():
        ids |= {number for number, other in may_say(session, text) if folded_text(other) == words}
    return [row for part in chunks(sorted(ids)) for row in session.execute(_COMPARED.where(POST.c.id.in_(part)))]
