"""Between two posts of a channel lies a while: when the next one may go."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.calendar.sql import CHANNEL
from cm.env import Env
from cm.model.states import Outcome
from cm.model.tables import Attempt, Channel, Message, Post
from cm.publishing.journal import Dossier

_SHOWN = (Outcome.PUBLISHED, Outcome.HANDED)


def spaced_until(session: Session, env: Env, account_id: int, dossier: Dossier) -> datetime | None:
    """Until when the post keeps its distance to the one before; None: it need not.

    Urgent and crisis posts follow at once, and a post that has begun is finished. A sending that surely showed
    nothing makes nobody wait, nor does the post's own.
    """
    post = dossier.post
    configured = env.config.channels.get(post.channel)
    if configured is None or not configured.spacing or post.urgent or post.crisis or dossier.begun:
        return None
    apart = timedelta(minutes=configured.spacing)
    if not _lately(session.get_one(Channel, post.channel).last_sent_at, env.now, apart):
        return None
    last = _last_shown(session, account_id, post)
    return last + apart if last and _lately(last, env.now, apart) else None


def _lately(at: datetime | None, now: datetime, apart: timedelta) -> bool:
    """True if that was less than `apart` ago. What lies farther ahead than that was written by a clock that was wrong
    and has been put right since: it says nothing."""
    return at is not None and now - apart < at <= now + apart


def _last_shown(session: Session, account_id: int, post: Post) -> datetime | None:
    """When another post of the channel was last sent that stands there, or may stand there."""
    shown = sa.or_(
        col(Attempt.outcome).is_(None),
        col(Attempt.outcome).in_(_SHOWN),
        sa.and_(col(Attempt.outcome) == Outcome.UNKNOWN, col(Attempt.settled).is_distinct_from("not_published")),
    )
    sent = (
        select(Attempt.sending_at)
        .join(Message, col(Message.id) == col(Attempt.message_id))
        .join(Post, col(Post.id) == col(Message.post_id))
        .where(
            Attempt.account_id == account_id,
            Attempt.action == "send",
            col(Attempt.sending_at).is_not(None),
            shown,
            Message.n == 1,
            Post.channel == post.channel,
            col(Post.id) != post.id,
        )
    )
    return session.exec(sent.order_by(col(Attempt.id).desc()).limit(1)).first()


_SENT = sa.update(CHANNEL).where(CHANNEL.c.name == sa.bindparam("channel")).values(last_sent_at=sa.bindparam("at"))


def mark_sent(session: Session, dossier: Dossier, now: datetime) -> None:
    """To be written with `sending`: from the first message of a post the next one keeps its distance, also when that
    is sent again."""
    if not any(step.done for step in dossier.steps):
        session.execute(_SENT, {"channel": dossier.post.channel, "at": now})
