"""Posts whose grace is over: missed, and waiting for a person."""

from datetime import datetime, timedelta

from sqlmodel import col, select

from cm import actions
from cm.env import Env
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Post
from cm.publishing.journal import dossiers
from cm.publishing.results import RunResult
from cm.store.posts import transition

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
    now = env.now
    with env.store.write() as session:
        awake = select(Post).where(Post.state == PostState.SCHEDULED, col(Post.wake_at) <= now)
        late = [post for post in session.exec(awake) if now > grace_end(env, post)]
        for dossier in dossiers(session, late):
            if dossier.begun:
                continue
            post = dossier.post
            assert post.id is not None
            reason = post.reason or _("its time passed without a run of cm publish")
            if transition(session, post.id, PostState.MISSED, among=[PostState.SCHEDULED], wake_at=None, reason=reason):
                actions.record(session, env, "missed", post_id(post.id))
                result.add("missed", post, reason=reason)
