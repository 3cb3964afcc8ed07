"""What was published, for whoever audits it: post, channel, time, address and hash of the content, never its text.

The rows are chained by hash as the action log is, so that a list handed over can be verified without cm: `hash` is
SHA-256 over the JSON list of the row's other values in the order of `COLUMNS`, `previous` the last of them.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.actions import GENESIS
from cm.calendar.sql import ATTEMPT, MESSAGE, POST, RECEIPT
from cm.calendar.stored import chunks
from cm.env import Env
from cm.model.ids import post_id
from cm.model.tables import Payload, Post
from cm.publishing.journal import Dossier, dossiers

PAYLOAD: sa.Table = Payload.__table__  # type: ignore[attr-defined]

COLUMNS = (
    "post", "message", "channel", "published_at", "permalink", "remote_id", "content_hash", "source", "corrected_at",
    "gone_at", "previous", "hash",
)  # fmt: skip
"""Keys, never translated. Instants are UTC; `content_hash` is that of the post as it was sent."""


@dataclass(frozen=True)
class Published:
    """One message that stands, or stood, on a platform. `source`: see `Receipt.source`."""

    post: str
    message: int
    channel: str
    published_at: datetime
    permalink: str | None
    remote_id: str
    content_hash: str
    source: str
    corrected_at: datetime | None
    gone_at: datetime | None
    previous: str = GENESIS
    hash: str = ""

    def as_json(self) -> dict[str, Any]:
        """One row of the export."""
        return {name: _plain(getattr(self, name)) for name in COLUMNS}


def published(env: Env, *, since: datetime | None = None, target: str | None = None) -> list[Published]:
    """Every message published since then (of the post with the id `target` alone), in order of time, chained."""
    sent = (
        sa.select(PAYLOAD.c.content_hash)
        .join(ATTEMPT, ATTEMPT.c.payload_id == PAYLOAD.c.id)
        .where(ATTEMPT.c.message_id == MESSAGE.c.id, ATTEMPT.c.action == "send")
        .order_by(ATTEMPT.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    wanted = [RECEIPT.c.published_at >= since] if since else []
    of_target = [sa.literal("p").concat(sa.cast(POST.c.id, sa.String)) == target] if target else []
    statement = (
        sa.select(
            POST.c.id, MESSAGE.c.n, POST.c.channel, RECEIPT.c.published_at, RECEIPT.c.permalink, RECEIPT.c.remote_id,
            sa.func.coalesce(sent, POST.c.content_hash), RECEIPT.c.source, POST.c.corrected_at, RECEIPT.c.gone_at,
        )
        .join_from(RECEIPT, MESSAGE, MESSAGE.c.id == RECEIPT.c.message_id)
        .join(POST, POST.c.id == MESSAGE.c.post_id)
        .where(*wanted, *of_target)
        .order_by(RECEIPT.c.published_at, RECEIPT.c.id)
    )  # fmt: skip
    with env.store.read() as session:
        rows = session.execute(statement).all()
    return list(_chained(Published(post_id(row[0]), *row[1:]) for row in rows))


def _chained(rows: Iterator[Published]) -> Iterator[Published]:
    previous = GENESIS
    for row in rows:
        linked = replace(row, previous=previous)
        previous = digest(linked.as_json())
        yield replace(linked, hash=previous)


def digest(row: dict[str, Any]) -> str:
    """The hash of a row as `as_json` gives it, the hash itself left out."""
    content = [row[name] for name in COLUMNS if name != "hash"]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


# --- is what is stored still what was published? ----------------------------------------------------------------------


def changed_since(env: Env) -> list[str]:
    """The ids of published posts whose stored content is no longer what was sent, though cm has not corrected them."""
    stands = sa.select(MESSAGE.c.post_id).join(RECEIPT, RECEIPT.c.message_id == MESSAGE.c.id)
    with env.store.read() as session:
        numbers = list(
            session.execute(
                sa.select(POST.c.id).where(POST.c.published_at.is_not(None), POST.c.id.in_(stands)).order_by(POST.c.id)
            ).scalars()
        )
        return [found for part in chunks(numbers) for found in _changed(session, part)]


def _changed(session: Session, numbers: Sequence[int]) -> Iterator[str]:
    posts = session.exec(select(Post).where(col(Post.id).in_(numbers)).order_by(col(Post.id))).all()
    for dossier in dossiers(session, posts):
        if not _as_sent(dossier, _last_sent(session, dossier)):
            yield post_id(dossier.post.id)


def _as_sent(dossier: Dossier, sent: str | None) -> bool:
    """The content is hashed again; what was sent last was hashed then, and holds unless it was corrected since."""
    kept = dossier.post.content_hash
    return dossier.content_hash == kept and (dossier.post.corrected_at is not None or sent in (None, kept))


def _last_sent(session: Session, dossier: Dossier) -> str | None:
    last = (
        sa.select(PAYLOAD.c.content_hash)
        .join(ATTEMPT, ATTEMPT.c.payload_id == PAYLOAD.c.id)
        .join(MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
        .where(MESSAGE.c.post_id == dossier.post.id, ATTEMPT.c.action == "send", ATTEMPT.c.sending_at.is_not(None))
        .order_by(ATTEMPT.c.id.desc())
        .limit(1)
    )
    return session.execute(last).scalar_one_or_none()
