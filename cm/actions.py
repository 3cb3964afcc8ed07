"""The action log: append-only and chained by hash, so that a row taken out or changed is seen.

It holds who, when, what and why, never a post's text nor anybody's address.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
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


@dataclass(frozen=True)
class Entry:
    """One act as it is shown. `at` is UTC."""

    id: int
    at: datetime
    actor: str
    os_user: str
    verb: str
    target: str
    why: str | None
    detail: dict[str, Any]
    previous: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """One item of `audit list`; what the hash is made of is all there."""
        return {**vars(self), "at": _iso(self.at)}


def read(
    env: Env,
    *,
    since: datetime | None = None,
    verb: str | None = None,
    target: str | None = None,
    newest_first: bool = False,
    most: int | None = None,
) -> list[Entry]:
    """The acts since that instant, of that verb (`hold` means `hold.on` and `hold.off` too), on that target."""
    statement = select(Action)
    if since is not None:
        statement = statement.where(col(Action.at) >= since)
    if verb is not None:
        statement = statement.where(
            sa.or_(col(Action.verb) == verb, col(Action.verb).startswith(f"{verb}.", autoescape=True))
        )
    if target is not None:
        statement = statement.where(col(Action.target) == target)
    order = col(Action.id).desc() if newest_first else col(Action.id)
    with env.store.read() as session:
        rows = session.exec(statement.order_by(order).limit(most)).all()
    return [Entry(**{name: getattr(row, name) for name in Entry.__dataclass_fields__}) for row in rows]


@dataclass(frozen=True)
class Verified:
    """What was found of the chain. `broken_at`: the first row that is wrong; `last_hash` stands for the whole log."""

    rows: int
    broken_at: int | None
    last_hash: str


def verify(env: Env) -> Verified:
    """Hash the whole log again. Rows taken off its end are seen only beside an earlier `last_hash`."""
    with env.store.read() as session:
        rows = session.exec(select(Action).order_by(col(Action.id))).all()
    return Verified(len(rows), first_break(rows), rows[-1].hash if rows else GENESIS)


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
