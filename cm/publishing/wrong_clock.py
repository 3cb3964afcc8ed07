"""What a clock that was wrong left behind once it is put right: instants ahead of now that nobody need wait for.

A sending, a pause or a back-off that is dated ahead of now was written by a clock that was ahead. Nobody knows how long
ago that really was, so a sending in doubt is given the time from now in which it may still be at work, and what rests
is looked at again.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.calendar.sql import ATTEMPT, MESSAGE, POST
from cm.env import Env
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Post
from cm.publishing import accounts
from cm.publishing.backlog import last_run
from cm.publishing.decide import AHEAD

log = logging.getLogger("cm.publishing")

LONGEST_LIMIT: Final = timedelta(hours=25)
"""A rate limit rests an account for a day at most (see `cm.channels.http.MAX_WAIT`)."""
AT_WORK: Final = timedelta(minutes=3)
"""At least so long a sending may still be at work."""


def mend(env: Env) -> None:
    """Look again at what waits for an instant that a wrong clock wrote."""
    back = _was_set_back(env)
    with env.store.read() as session:
        if not (back or _rests(session, env.now) or _in_doubt(session, env)):
            return
    with env.store.write() as session:
        for account in _rests(session, env.now):
            accounts.resume(session, account)
        _wake(session, _in_doubt(session, env), wake_at=env.now + _at_work(env))
        _wake(session, _backed_off(session, env.now), wake_at=POST.c.scheduled_at, not_before=None)
        if back:  # none may sleep on while one that comes due meanwhile goes first
            accounts.wake_scheduled(session, col(Post.wake_at) > col(Post.scheduled_at))
    log.info("instants ahead of now are mended")


def _was_set_back(env: Env) -> bool:
    last = last_run(env)
    return last is not None and last > env.now + AHEAD


def _at_work(env: Env) -> timedelta:
    wanted = env.config.publishing
    return max(AT_WORK, timedelta(seconds=wanted.send_deadline + wanted.settle))


def _rests(session: Session, now: datetime) -> list[Account]:
    """Accounts whose rest begins ahead of now, or ends later than any rate limit does. A stop is left to a person."""
    too_long = sa.and_(col(Account.pause_kind) == "rate_limit", col(Account.paused_until) > now + LONGEST_LIMIT)
    ahead = sa.or_(col(Account.paused_at) > now + AHEAD, too_long)
    return list(session.exec(select(Account).where(col(Account.paused_until).is_not(None), ahead)))


def _in_doubt(session: Session, env: Env) -> list[int]:
    """Posts in publishing that sleep for longer than a sending of theirs can be at work, dated ahead of now."""
    began = sa.func.coalesce(ATTEMPT.c.sending_at, ATTEMPT.c.started_at, type_=ATTEMPT.c.started_at.type)
    open_ = sa.or_(
        ATTEMPT.c.finished_at.is_(None), sa.and_(ATTEMPT.c.outcome == Outcome.UNKNOWN, ATTEMPT.c.settled.is_(None))
    )
    asleep = POST.c.state == PostState.PUBLISHING, POST.c.wake_at > env.now + _at_work(env)
    return _posts(session, *asleep, open_, ATTEMPT.c.action == "send", began > env.now + AHEAD)


def _backed_off(session: Session, now: datetime) -> list[int]:
    """Planned posts that wait before the next attempt, and the last one ended ahead of now."""
    waits = POST.c.state == PostState.SCHEDULED, POST.c.not_before > now
    return _posts(session, *waits, ATTEMPT.c.finished_at > now + AHEAD)


def _posts(session: Session, *where: sa.ColumnElement[bool]) -> list[int]:
    found = sa.select(POST.c.id).join(MESSAGE, MESSAGE.c.post_id == POST.c.id)
    found = found.join(ATTEMPT, ATTEMPT.c.message_id == MESSAGE.c.id)
    return list(session.execute(found.where(*where).distinct()).scalars())


def _wake(session: Session, posts: list[int], **values: object) -> None:
    for number in posts:
        session.execute(sa.update(POST).where(POST.c.id == number).values(**values))
