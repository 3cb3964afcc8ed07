"""New posts with their messages and attachments, written many at once."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import Composed, Spec, columns_of
from cm.calendar.numbering import Numbering
from cm.calendar.planning import plan_columns
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST
from cm.clock import Resolved
from cm.env import Env
from cm.model.facts import MediaContent
from cm.model.states import PostState


class PostWriter:
    """Collects new posts and inserts them in bulk; lives in one write transaction.

    Ids are given here, counting on from the highest: the transaction holds the write lock. Nothing is in
    the database before `flush`.
    """

    def __init__(self, session: Session, env: Env, numbering: Numbering) -> None:
        self._session = session
        self._env = env
        self._numbering = numbering
        self._posts: list[dict[str, Any]] = []
        self._messages: list[dict[str, Any]] = []
        self._attachments: list[dict[str, Any]] = []
        self._post_id = next_id(session, POST)
        self._message_id = next_id(session, MESSAGE)
        self._common = {
            "establishment": env.config.establishment.key,
            "grace": None,
            "not_before": None,
            "reason": None,
            "in_quota": True,
            "urgent": False,
            "author": env.actor.key,
            "claim_token": None,
            "published_at": None,
            "created_at": env.now,
            "updated_at": env.now,
            "rev": 1,
        }

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
                "state": state,
                "wake_at": plan.instant if plan and state == PostState.SCHEDULED else None,
                "over_reason": over_reason,
                "example": example,
                **columns_of(spec, made),
                **plan_columns(plan),
                **self._common,
            }
        )
        self._take_messages(number, made)
        return number

    def _take_messages(self, post_id: int, made: Composed) -> None:
        for message, mark in zip(made.content.messages, made.fingerprints, strict=True):
            self._messages.append(
                {
                    "id": self._message_id,
                    "post_id": post_id,
                    "n": message.n,
                    "role": message.role,
                    "text": message.text,
                    "link": message.link,
                    "fingerprint": mark,
                }
            )
            self._attachments.extend(attachment_rows(self._message_id, message.media))
            self._message_id += 1

    def flush(self) -> None:
        """Insert what was taken in."""
        for table, rows in ((POST, self._posts), (MESSAGE, self._messages), (ATTACHMENT, self._attachments)):
            if rows:
                self._session.execute(sa.insert(table), rows)
                rows.clear()


def next_id(session: Session, table: sa.Table) -> int:
    """One more than the highest id of a table."""
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one()) + 1


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
