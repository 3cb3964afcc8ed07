"""Posts whose grace is over: missed, and waiting for a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from cm import actions
from cm.env import Env
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Post
from cm.publishing.journal import Dossier, dossiers
from cm.publishing.results import RunResult
from cm.store.posts import transition

BATCH = 500
"""Posts looked at together."""
DEFAULT_GRACE = 60
"""Minutes, for a channel that has left the configuration."""


def grace_end(env: Env, post: Post) -> datetime:
    """The instant after which the post may no longer begin."""
    assert post.scheduled_at is not None
    minutes = post.grace
    if minutes is None:
        known = post.channel in env.config.channels
        minutes = env.config.grace_of(post.channel) if known else DEFAULT_GRACE
    return post.scheduled_at + timedelta(minutes=minutes)


def miss(env: Env, result: RunResult) -> None:
    """Mark scheduled posts whose grace is over and of which nothing has gone out."""
    now, last = env.now, 0
    with env.store.write() as session:
        while awake := _awake(session, now, last):
            last = awake[-1].id or 0
            late = [post for post in awake if now > grace_end(env, post)]
            for dossier in dossiers(session, late):
                if not dossier.begun:
                    mark_missed(session, env, dossier, result)


def _awake(session: Session, now: datetime, after: int) -> Sequence[Post]:
    awake = select(Post).where(Post.state == PostState.SCHEDULED, col(Post.wake_at) <= now, col(Post.id) > after)
    return session.exec(awake.order_by(col(Post.id)).limit(BATCH)).all()


def mark_missed(session: Session, env: Env, dossier: Dossier, result: RunResult) -> None:
    """The post's time has passed without it: a person decides what becomes of it."""
    post = dossier.post
    assert post.id is not None
    reason = post.reason or _("its time passed without a run of cm publish")
    if transition(session, post.id, PostState.MISSED, among=[PostState.SCHEDULED], wake_at=None, reason=reason):
        actions.record(session, env, "missed", post_id(post.id))
        result.add("missed", post, reason=reason)
