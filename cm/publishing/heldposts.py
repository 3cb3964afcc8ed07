"""What a hold is about, for the person who sets or ends it: what may still appear, what is out, what waits.

Read-only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import ATTEMPT, MESSAGE, POST, RECEIPT
from cm.env import Env
from cm.model.ids import post_id
from cm.model.states import Outcome, PostState

RECENT = timedelta(hours=6)
"""What went out so lately may have to be taken down."""
AHEAD = timedelta(hours=24)
"""What is planned for so soon is asked about when a hold ends."""
OPENING = 160
"""Characters of a text that are read."""


@dataclass(frozen=True)
class HeldPost:
    """A post in brief. `at`: its plan, or when it came out (UTC). `held_by`: the hold under which its time came."""

    id: str
    ref: str | None
    channel: str
    state: PostState
    at: datetime | None
    text: str
    permalink: str | None = None
    held_by: int | None = None
    reason: str | None = None

    def as_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """One item of the lists of `hold`; its time in that zone."""
        values = {name: vars(self)[name] for name in ("id", "ref", "channel", "text", "permalink", "reason")}
        held_by = f"h{self.held_by}" if self.held_by else None
        at = self.at.astimezone(zone).isoformat() if self.at else None
        return {**values, "state": self.state.value, "at": at, "held_by": held_by}


@dataclass(frozen=True)
class Situation:
    """How things stand when a hold begins. `passing`: planned posts that bear the crisis mark."""

    in_flight: tuple[HeldPost, ...]
    recent: tuple[HeldPost, ...]
    planned: tuple[HeldPost, ...]
    passing: tuple[HeldPost, ...]


def situation(env: Env, channels: Collection[str] | None) -> Situation:
    """What was in flight, what went out in the last six hours, what is planned for the next 24: of these channels
    (None: all of them)."""
    with env.store.read() as session:
        planned = _planned(session, env, channels, crisis=False)
        passing = _planned(session, env, channels, crisis=True)
        return Situation(_in_flight(session, channels), _recent(session, env, channels), planned, passing)


def waiting(env: Env, channels: Collection[str] | None = None) -> tuple[HeldPost, ...]:
    """Posts whose time came under a hold, now over or not, and about which nobody has decided yet."""
    held = sa.and_(POST.c.state.in_([PostState.MISSED, PostState.FAILED]), POST.c.held_by.is_not(None))
    with env.store.read() as session:
        return _read(session, _brief().where(held, *_on(channels)).order_by(POST.c.scheduled_at, POST.c.id))


def planned_soon(env: Env, channels: Collection[str] | None = None) -> tuple[HeldPost, ...]:
    """Posts planned for the next 24 hours that a hold stops."""
    with env.store.read() as session:
        return _planned(session, env, channels, crisis=False)


def _brief(at: Any = POST.c.scheduled_at) -> sa.Select[Any]:
    opening = sa.func.substr(POST.c.text, 1, OPENING).label("opening")
    columns = (POST.c.id, POST.c.ref, POST.c.channel, POST.c.state, POST.c.held_by, POST.c.reason)
    return sa.select(*columns, at.label("at"), opening, _permalink())


def _permalink() -> Any:
    """Where the first part of a post stands."""
    first = (
        sa.select(RECEIPT.c.permalink)
        .join(MESSAGE, MESSAGE.c.id == RECEIPT.c.message_id)
        .where(MESSAGE.c.post_id == POST.c.id)
        .order_by(MESSAGE.c.n)
        .limit(1)
    )
    return first.scalar_subquery().label("permalink")


def _on(channels: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if channels is None else [POST.c.channel.in_(channels)]


def _read(session: Session, statement: sa.Select[Any]) -> tuple[HeldPost, ...]:
    return tuple(
        HeldPost(
            post_id(row.id),
            row.ref,
            row.channel,
            row.state,
            row.at,
            " ".join(row.opening.split()),
            row.permalink,
            row.held_by,
            row.reason,
        )
        for row in session.execute(statement)
    )


def _in_flight(session: Session, channels: Collection[str] | None) -> tuple[HeldPost, ...]:
    """Sendings that were begun and not answered, or whose answer was lost: they may still appear."""
    open_ = sa.or_(
        sa.and_(ATTEMPT.c.finished_at.is_(None), ATTEMPT.c.sending_at.is_not(None)),
        sa.and_(ATTEMPT.c.outcome == Outcome.UNKNOWN, ATTEMPT.c.settled.is_(None)),
    )
    sent = sa.and_(ATTEMPT.c.action == "send", open_)  # taking down and correcting make nothing appear
    posts = sa.select(MESSAGE.c.post_id).join(ATTEMPT, ATTEMPT.c.message_id == MESSAGE.c.id).where(sent)
    return _read(session, _brief().where(POST.c.id.in_(posts), *_on(channels)).order_by(POST.c.id))


def _recent(session: Session, env: Env, channels: Collection[str] | None) -> tuple[HeldPost, ...]:
    """What stands since less than six hours, the newest first; what was taken down is not named again."""
    out = sa.and_(
        POST.c.state == PostState.PUBLISHED,
        POST.c.published_at >= env.now - RECENT,
        POST.c.withdrawal.is_distinct_from("done"),
    )
    newest: Sequence[Any] = (POST.c.published_at.desc(), POST.c.id.desc())
    return _read(session, _brief(POST.c.published_at).where(out, *_on(channels)).order_by(*newest))


def _planned(session: Session, env: Env, channels: Collection[str] | None, *, crisis: bool) -> tuple[HeldPost, ...]:
    soon = sa.and_(
        POST.c.state == PostState.SCHEDULED,
        POST.c.scheduled_at < env.now + AHEAD,
        POST.c.crisis.is_(crisis),
    )
    return _read(session, _brief().where(soon, *_on(channels)).order_by(POST.c.scheduled_at, POST.c.id))
