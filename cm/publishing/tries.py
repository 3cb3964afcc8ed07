"""What was tried for a post, what became of it, and what comes next: for `cm post show`. Read-only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cm.calendar.sql import ATTEMPT, MESSAGE, POST
from cm.calendar.views import PostView
from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.publishing.obstacles import in_the_way


@dataclass(frozen=True)
class Try:
    """One attempt at a message. `outcome` None: it has not ended. `settled`: what an `unknown` one turned out to be.

    Instants are aware, in the workspace's zone; `sending_at` None: nothing was sent.
    """

    message: int
    action: str
    started_at: datetime
    sending_at: datetime | None
    finished_at: datetime | None
    outcome: str | None
    settled: str | None
    reason: str | None

    def as_json(self) -> dict[str, Any]:
        """One item of `attempts`."""
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in vars(self).items()}


@dataclass(frozen=True)
class Tries:
    """All attempts in order. `next_at`: when the engine looks at the post again by itself, in the workspace's zone;
    `waits_for`: for what, or for whom, it waits, with the command where a person is needed."""

    attempts: tuple[Try, ...]
    next_at: datetime | None
    waits_for: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What `post show` says beside the post."""
        return {
            "attempts": [one.as_json() for one in self.attempts],
            "next_try_at": self.next_at.isoformat() if self.next_at else None,
            "waits_for": list(self.waits_for),
        }


def tries_of(env: Env, view: PostView) -> Tries:
    """The attempts of the post, and what comes next."""
    number = int(view.id[1:])
    columns = ("action", "started_at", "sending_at", "finished_at", "outcome", "settled", "reason")
    statement = (
        sa.select(MESSAGE.c.n, *(ATTEMPT.c[name] for name in columns))
        .join_from(ATTEMPT, MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
        .where(MESSAGE.c.post_id == number)
        .order_by(ATTEMPT.c.id)
    )
    with env.store.read() as session:
        rows = session.execute(statement).all()
        wake_at = session.execute(sa.select(POST.c.wake_at).where(POST.c.id == number)).scalar_one()
    attempts = tuple(_try(env, row) for row in rows)
    return Tries(attempts, _local(env, wake_at), tuple(_waits_for(env, view)))


def _try(env: Env, row: Any) -> Try:
    outcome = Outcome(row.outcome).value if row.outcome else None
    started, sending, finished = row.started_at.astimezone(env.zone), row.sending_at, row.finished_at
    times = (started, _local(env, sending), _local(env, finished))
    return Try(row.n, row.action, *times, outcome, row.settled, row.reason)


def _local(env: Env, at: datetime | None) -> datetime | None:
    return at.astimezone(env.zone) if at else None


def _waits_for(env: Env, view: PostView) -> list[str]:
    name = view.id
    match view.state:
        case PostState.SCHEDULED:
            return in_the_way(env, view) or [_scheduled(env, view)]
        case PostState.PUBLISHING:
            return [_("the platform's answer")]
        case PostState.HANDED:
            return [_("somebody who pastes it → cm post confirm {id} --url URL").format(id=name)]
        case PostState.UNCONFIRMED:
            return [_("somebody who looks there → cm post confirm {id} --url URL | --not-published").format(id=name)]
        case PostState.FAILED | PostState.MISSED:
            return [_("your decision → cm post retry {id} · cm move {id} --next · cm post cancel {id}").format(id=name)]
        case PostState.DRAFT:
            return [_("a time → cm move {id} TIME").format(id=name)]
    return []


def _scheduled(env: Env, view: PostView) -> str:
    """A post that nothing stands in the way of: its time, what the engine said of it last, or a run."""
    if view.scheduled_at is not None and view.scheduled_at > env.now:
        return _("its time")
    return view.reason or _("the next run of `cm publish`")
