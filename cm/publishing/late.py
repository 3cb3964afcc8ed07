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
BEGUN_LASTS = timedelta(days=1)
"""So much longer a post is tried of which a part is out."""
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


def last_moment(env: Env, dossier: Dossier) -> datetime:
    """When the post is given up: at the end of its grace; a day after that, or after a person last planned it, if
    a part of it is out or in doubt."""
    end = grace_end(env, dossier.post)
    return max(end, dossier.post.updated_at) + BEGUN_LASTS if dossier.begun else end


def miss(env: Env, result: RunResult) -> None:
    """Give up scheduled posts whose last moment is over."""
    now = env.now
    last: int | None = 0
    while last is not None:
        with env.store.write() as session:  # a batch at a time: other writers get their turn
            awake = _awake(session, now, last)
            late = [post for post in awake if now > grace_end(env, post)]
            for dossier in dossiers(session, late):
                if now > last_moment(env, dossier):
                    give_up(session, env, dossier, result)
            last = awake[-1].id if awake else None


def _awake(session: Session, now: datetime, after: int) -> Sequence[Post]:
    awake = select(Post).where(Post.state == PostState.SCHEDULED, col(Post.wake_at) <= now, col(Post.id) > after)
    return session.exec(awake.order_by(col(Post.id)).limit(BATCH)).all()


def give_up(session: Session, env: Env, dossier: Dossier, result: RunResult) -> None:
    """The post's time has passed: missed, or failed if a part of it is out. A person decides what becomes of it."""
    post = dossier.post
    assert post.id is not None
    reason = post.reason or _("its time passed without a run of cm publish")
    if dossier.begun:
        transition(session, post.id, PostState.PUBLISHING, among=[PostState.SCHEDULED])
        transition(session, post.id, PostState.FAILED, among=[PostState.PUBLISHING], wake_at=None, reason=reason)
        result.add("failed", post, reason=reason)
    elif transition(session, post.id, PostState.MISSED, among=[PostState.SCHEDULED], wake_at=None, reason=reason):
        actions.record(session, env, "missed", post_id(post.id))
        result.add("missed", post, reason=reason)
