"""When logins end: told 14, 7, 2 days and one day ahead, and once they have ended. Pure but for the reading."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import ACCOUNT, CHANNEL
from cm.env import Env

AHEAD = (14, 7, 2, 1)
"""Days before the end at which people are told."""


@dataclass(frozen=True)
class Ending:
    """A channel's login that ends, UTC."""

    channel: str
    at: datetime

    def step(self, now: datetime) -> int | None:
        """The warning that holds: so many days or fewer are left, 0 once it has ended; None if it is too early."""
        left = self.at - now
        if left <= timedelta(0):
            return 0
        return min((days for days in AHEAD if left <= timedelta(days=days)), default=None)

    def next_step(self, now: datetime) -> datetime | None:
        """When the next warning is due; None once it has ended."""
        due = [self.at - timedelta(days=days) for days in (*AHEAD, 0)]
        return min((at for at in due if at > now), default=None)


def endings(session: Session, env: Env) -> Iterator[Ending]:
    """What the platforms said of the logins of active channels, as last measured, by name."""
    statement = (
        sa.select(CHANNEL.c.name, ACCOUNT.c.facts)
        .join_from(CHANNEL, ACCOUNT)
        .where(CHANNEL.c.state == "active")
        .order_by(CHANNEL.c.name)
    )
    for name, facts in session.execute(statement):
        told = (facts or {}).get("token_expires_at")
        if told and name in env.config.channels:
            at = datetime.fromisoformat(told)
            yield Ending(name, at if at.tzinfo else at.replace(tzinfo=UTC))


def next_warning(found: Iterable[Ending], now: datetime) -> datetime | None:
    """The first instant at which one of them is to be told of."""
    return min((at for each in found if (at := each.next_step(now))), default=None)
