"""Posts as they are kept, read many at once into the form in which they are compared and changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.cleaning import findable
from cm.calendar.drafting import Spec
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST, STORY
from cm.errors import NotFound
from cm.i18n import _
from cm.model.facts import MediaContent
from cm.model.ids import number_of, post_id
from cm.model.states import PostState

T = TypeVar("T")

LARGEST_ID = 2**63 - 1
CHUNK = 1000
"""So many rows are read or written by one statement."""

_COLUMNS = (
    POST.c.id,
    POST.c.ref,
    POST.c.channel,
    POST.c.kind,
    POST.c.fields,
    POST.c.theme,
    POST.c.campaign,
    POST.c.objective,
    POST.c.audiences,
    POST.c.language,
    POST.c.text,
    POST.c.link,
    POST.c.first_comment,
    POST.c.visibility,
    POST.c.state,
    POST.c.scheduled_at,
    POST.c.wall,
    POST.c.zone,
    POST.c.day,
    POST.c.not_before,
    POST.c.in_quota,
    POST.c.reason,
    POST.c.over_reason,
    POST.c.content_hash,
    POST.c.updated_at,
    POST.c.rev,
    POST.c.withdrawal,
)


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post as it is kept: its words (`spec`), its plan and where it stands. `wall` is local, naive."""

    id: int
    spec: Spec
    state: PostState
    scheduled_at: datetime | None
    wall: datetime | None
    zone: str | None
    day: date | None
    not_before: datetime | None
    in_quota: bool
    reason: str | None
    over_reason: str | None
    content_hash: str
    updated_at: datetime
    rev: int
    withdrawal: str | None = None
    """Set if what was out of it was taken down, or is being."""

    @property
    def name(self) -> str:
        """Its id, as people see it."""
        return post_id(self.id)


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def load(session: Session, where: sa.ColumnElement[bool], *, order: Sequence[Any] = ()) -> list[StoredPost]:
    """The posts for which `where` holds, in `order` (else by id), in two statements."""
    statement = (
        sa.select(*_COLUMNS, STORY.c.ref.label("story"))
        .join_from(POST, STORY, isouter=True)
        .where(where)
        .order_by(*(order or (POST.c.id,)))
    )
    rows = session.execute(statement).all()
    if not rows:
        return []
    media = _media(session, where)
    return [_stored(row, media.get(row.id, ())) for row in rows]


def load_ids(session: Session, ids: Collection[int]) -> dict[int, StoredPost]:
    """Posts by id."""
    return {post.id: post for part in chunks(ids) for post in load(session, POST.c.id.in_(part))}


def load_refs(session: Session, refs: Collection[str]) -> dict[str, StoredPost]:
    """Posts by ref."""
    found = (post for part in chunks(refs) for post in load(session, POST.c.ref.in_(part)))
    return {post.spec.ref: post for post in found if post.spec.ref}


def find(session: Session, ident: str) -> StoredPost:
    """The post called `p212` or by its ref. Raises NotFound."""
    number = number_of(ident, "p")
    if number is None:
        found = load(session, POST.c.ref == findable(ident))
    else:
        found = load(session, POST.c.id == number) if number <= LARGEST_ID else []
    if not found:
        raise NotFound(
            _("There is no post {ident!r}.").format(ident=ident), hint=_("`cm post list` shows ids and refs.")
        )
    return found[0]


def _media(session: Session, where: sa.ColumnElement[bool]) -> dict[int, tuple[MediaContent, ...]]:
    statement = (
        sa.select(MESSAGE.c.post_id, ATTACHMENT.c.path, ATTACHMENT.c.sha256, ATTACHMENT.c.mime, ATTACHMENT.c.alt)
        .join_from(ATTACHMENT, MESSAGE, ATTACHMENT.c.message_id == MESSAGE.c.id)
        .join(POST, MESSAGE.c.post_id == POST.c.id)
        .where(where)
        .order_by(MESSAGE.c.post_id, MESSAGE.c.n, ATTACHMENT.c.position)
    )
    media: dict[int, tuple[MediaContent, ...]] = defaultdict(tuple)
    for owner, path, sha256, mime, alt in session.execute(statement):
        media[owner] += (MediaContent(path, sha256, mime, alt),)
    return media


def _stored(row: Any, media: tuple[MediaContent, ...]) -> StoredPost:
    spec = Spec(
        channel=row.channel,
        kind=row.kind,
        text=row.text,
        audiences=tuple(row.audiences),
        language=row.language,
        ref=row.ref,
        story=row.story,
        fields=row.fields,
        theme=row.theme,
        campaign=row.campaign,
        objective=row.objective,
        link=row.link,
        media=media,
        first_comment=row.first_comment,
        visibility=row.visibility,
    )
    return StoredPost(
        id=row.id,
        spec=spec,
        state=row.state,
        scheduled_at=row.scheduled_at,
        wall=datetime.fromisoformat(row.wall) if row.wall else None,
        zone=row.zone,
        day=row.day,
        not_before=row.not_before,
        in_quota=row.in_quota,
        reason=row.reason,
        over_reason=row.over_reason,
        content_hash=row.content_hash,
        updated_at=row.updated_at,
        rev=row.rev,
        withdrawal=row.withdrawal,
    )
