"""The action log: append-only and chained by hash, so that a row taken out or changed is seen.

It holds who, when, what and why, never a post's text nor anybody's address.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from cm.env import Env
from cm.model.tables import Action

GENESIS = "0" * 64


def record(
    session: Session, env: Env, verb: str, target: str, *, why: str | None = None, detail: dict[str, Any] | None = None
) -> None:
    """Append one act, in the transaction that does it. `target` is an id such as `p212`."""
    last = session.exec(select(Action.hash).order_by(col(Action.id).desc()).limit(1)).first()
    row = Action(
        at=env.now,
        actor=env.actor.key,
        os_user=env.actor.os_user,
        verb=verb,
        target=target,
        why=why,
        detail=detail or {},
        previous=last or GENESIS,
        hash="",
    )
    row.hash = digest(row)
    session.add(row)
    session.flush()


def digest(row: Action) -> str:
    """The hash of a row's content and of the row before it."""
    content = [_iso(row.at), row.actor, row.os_user, row.verb, row.target, row.why, row.detail, row.previous]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def first_break(rows: Iterable[Action]) -> int | None:
    """The id of the first row whose hash or predecessor is wrong, None if the chain holds."""
    previous = GENESIS
    for row in rows:
        if row.previous != previous or row.hash != digest(row):
            return row.id
        previous = row.hash
    return None


def _iso(at: datetime) -> str:
    return at.isoformat()
