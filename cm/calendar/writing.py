"""New posts with their messages and attachments, written many at once."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import Composed, Spec
from cm.calendar.numbering import Numbering, next_id
from cm.calendar.planning import plan_columns
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST, BulkInsert
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
    "crisis",
    "example",
    "author",
    "content_hash",
    "created_at",
    "updated_at",
    "rev",
)
_MESSAGE = ("id", "post_id", "n", "role", "text", "link", "fingerprint", "absent_resends")
_REMEMBERED = 4096


@dataclass(frozen=True)
class Marks:
    """What sets a post apart. `urgent`: outside spacing, and due at once where no time is given; `crisis`: it passes
    every hold; `in_quota`: it counts for its day."""

    urgent: bool = False
    crisis: bool = False
    in_quota: bool = True


ORDINARY = Marks()


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
        self._posts: list[tuple[Any, ...]] = []
        self._messages: list[tuple[Any, ...]] = []
        self._attachments: list[dict[str, Any]] = []
        self._post_id = next_id(session, POST)
        self._establishment, self._author = env.config.establishment.key, env.actor.key
        self._now = self._post_insert.driver_value("created_at", env.now)
        self._no_fields = self._post_insert.driver_value("fields", {})
        self._planned = lru_cache(_REMEMBERED)(partial(_planned_columns, self._post_insert))
        self._readers = lru_cache(_REMEMBERED)(partial(self._post_insert.driver_value, "audiences"))

    def add(
        self,
        spec: Spec,
        made: Composed,
        *,
        state: PostState,
        plan: Resolved | None,
        over_reason: str | None = None,
        example: bool = False,
        marks: Marks = ORDINARY,
    ) -> int:
        """Take a post in; gives its id. `state` is draft or scheduled; a scheduled one has a plan."""
        number = self._post_id
        self._post_id += 1
        story_id, occurrence = self._numbering.place(spec.story, spec.channel)
        fields = self._post_insert.driver_value("fields", spec.fields) if spec.fields else self._no_fields
        audiences = self._readers(spec.audiences)
        now, planned = self._now, self._planned(state, plan)
        self._posts.append(
            (
                number, spec.ref, story_id, occurrence, spec.channel, self._establishment, spec.kind, fields,
                spec.theme, spec.campaign, spec.objective, audiences, spec.language, spec.text, spec.link,
                spec.first_comment, spec.visibility, *planned, over_reason, marks.in_quota, marks.urgent,
                marks.crisis, example, self._author, made.content_hash, now, now, 1,
            )
        )  # fmt: skip
        self._take_messages(number, made)
        return number

    def _take_messages(self, post_id: int, made: Composed) -> None:
        for message, mark in zip(made.content.messages, made.fingerprints, strict=True):
            if message.media:
                self._attachments += attachment_rows(len(self._messages), message.media)
            self._messages.append((post_id, message.n, message.role, message.text, message.link, mark, 0))

    def flush(self) -> None:
        """Insert what was taken in. Messages get their ids now: others may have been written since they came."""
        first = next_id(self._session, MESSAGE)
        for row in self._attachments:
            row["message_id"] += first
        self._post_insert.write(self._posts)
        self._message_insert.write([(number, *row) for number, row in enumerate(self._messages, start=first)])
        if self._attachments:
            self._session.execute(sa.insert(ATTACHMENT), self._attachments)
        self._posts.clear()
        self._messages.clear()
        self._attachments.clear()


def _planned_columns(insert: BulkInsert, state: PostState, plan: Resolved | None) -> tuple[Any, ...]:
    """The columns from `state` to `wake_at`."""
    values = {"state": state, **plan_columns(plan)}
    planned = tuple(insert.driver_value(name, value) for name, value in values.items())
    return *planned, planned[1] if state == PostState.SCHEDULED else None


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
