"""New posts with their messages and attachments, written many at once."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import Composed, Spec, columns_of
from cm.calendar.numbering import Numbering
from cm.calendar.planning import plan_columns
from cm.calendar.sql import ATTACHMENT, MESSAGE, META, POST, BulkInsert
from cm.clock import Resolved
from cm.env import Env
from cm.model.facts import MediaContent
from cm.model.states import PostState

_POST = (
    "id",
    "ref",
    "story_id",
    "occurrence",
    "channel",
    "establishment",
    "kind",
    "fields",
    "theme",
    "campaign",
    "objective",
    "audiences",
    "language",
    "text",
    "link",
    "first_comment",
    "visibility",
    "state",
    "scheduled_at",
    "wall",
    "zone",
    "day",
    "wake_at",
    "over_reason",
    "in_quota",
    "urgent",
    "example",
    "author",
    "content_hash",
    "created_at",
    "updated_at",
    "rev",
)
_MESSAGE = ("id", "post_id", "n", "role", "text", "link", "fingerprint")
_REMEMBERED = 4096


class PostWriter:
    """Collects new posts and inserts them in bulk; lives in one write transaction.

    Ids are given here, counting on from the highest: the transaction holds the write lock. Nothing is in
    the database before `flush`.
    """

    def __init__(self, session: Session, env: Env, numbering: Numbering) -> None:
        self._session = session
        self._numbering = numbering
        self._post_insert = BulkInsert(session, POST, _POST)
        self._message_insert = BulkInsert(session, MESSAGE, _MESSAGE)
        self._posts: list[dict[str, Any]] = []
        self._messages: list[dict[str, Any]] = []
        self._attachments: list[dict[str, Any]] = []
        self._post_id = next_id(session, POST)
        self._common = self._ready(
            establishment=env.config.establishment.key,
            in_quota=True,
            urgent=False,
            author=env.actor.key,
            created_at=env.now,
            updated_at=env.now,
            rev=1,
        )
        self._no_fields = self._post_insert.driver_value("fields", {})
        self._planned = lru_cache(_REMEMBERED)(self._planned_columns)
        self._readers = lru_cache(_REMEMBERED)(lambda audiences: self._ready(audiences=list(audiences)))

    def _ready(self, **values: Any) -> dict[str, Any]:
        """Columns as the driver takes them."""
        return {name: self._post_insert.driver_value(name, value) for name, value in values.items()}

    def _planned_columns(self, state: PostState, plan: Resolved | None) -> dict[str, Any]:
        wake_at = plan.instant if plan and state == PostState.SCHEDULED else None
        return self._ready(state=state, wake_at=wake_at, **plan_columns(plan))

    def add(
        self,
        spec: Spec,
        made: Composed,
        *,
        state: PostState,
        plan: Resolved | None,
        over_reason: str | None = None,
        example: bool = False,
    ) -> int:
        """Take a post in; gives its id. `state` is draft or scheduled; a scheduled one has a plan."""
        number = self._post_id
        self._post_id += 1
        story_id, occurrence = self._numbering.place(spec.story, spec.channel)
        self._posts.append(
            {
                "id": number,
                "ref": spec.ref,
                "story_id": story_id,
                "occurrence": occurrence,
                "channel": spec.channel,
                "over_reason": over_reason,
                "example": example,
                **columns_of(spec, made),
                "fields": self._post_insert.driver_value("fields", spec.fields) if spec.fields else self._no_fields,
                **self._readers(spec.audiences),
                **self._planned(state, plan),
                **self._common,
            }
        )
        self._take_messages(number, made)
        return number

    def _take_messages(self, post_id: int, made: Composed) -> None:
        for message, mark in zip(made.content.messages, made.fingerprints, strict=True):
            place = len(self._messages)
            self._messages.append(
                {
                    "id": place,
                    "post_id": post_id,
                    "n": message.n,
                    "role": message.role,
                    "text": message.text,
                    "link": message.link,
                    "fingerprint": mark,
                }
            )
            if message.media:
                self._attachments += attachment_rows(place, message.media)

    def flush(self) -> None:
        """Insert what was taken in. Messages get their ids now: others may have been written since they came."""
        first = next_id(self._session, MESSAGE)
        for row in self._messages:
            row["id"] += first
        for row in self._attachments:
            row["message_id"] += first
        self._post_insert.write(self._posts)
        self._message_insert.write(self._messages)
        if self._attachments:
            self._session.execute(sa.insert(ATTACHMENT), self._attachments)
        for rows in (self._posts, self._messages, self._attachments):
            rows.clear()


def next_id(session: Session, table: sa.Table) -> int:
    """One more than the highest id that a table has, or had before its newest rows were removed."""
    highest = session.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one()
    gone = session.execute(sa.select(META.c.value).where(META.c.key == _gone(table))).scalar_one_or_none()
    return max(int(highest), int(gone or 0)) + 1


def retire_id(session: Session, table: sa.Table, number: int) -> None:
    """Never give that id, or one below it, to a new row: logs and people's notes go on speaking of the old one."""
    mine = META.c.key == _gone(table)
    known = session.execute(sa.select(META.c.value).where(mine)).scalar_one_or_none()
    if known is None:
        session.execute(sa.insert(META).values(key=_gone(table), value=str(number)))
    elif int(known) < number:
        session.execute(sa.update(META).where(mine).values(value=str(number)))


def _gone(table: sa.Table) -> str:
    return f"removed {table.name}"


def attachment_rows(message_id: int, media: tuple[MediaContent, ...]) -> list[dict[str, Any]]:
    """The rows of a message's media, in order."""
    return [
        {
            "message_id": message_id,
            "position": position,
            "path": medium.path,
            "sha256": medium.sha256,
            "mime": medium.mime,
            "alt": medium.alt,
        }
        for position, medium in enumerate(media)
    ]
