"""Posts that go out no more by themselves: their grace is over, or a hold met them. They wait for a person."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import actions
from cm.env import Env
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Post
from cm.publishing import holds
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


def hold_back(env: Env, result: RunResult, *, but: Collection[str] = ()) -> None:
    """Give up what is overdue under a hold: its end releases only posts that are not yet due. `but`: channels that are
    left alone."""
    with env.store.read() as session:
        overdue = select(Post.channel).where(*_overdue(env.now)).distinct().order_by(Post.channel)
        names = [name for name in session.exec(overdue) if name not in but]
        held = [name for name in names if holds.holding(session, env, name, env.now)]
    for name in held:
        last: int | None = 0
        while last is not None:
            with env.store.write() as session:  # a batch at a time: other writers get their turn
                last = _hold_back(session, env, name, last, result)


def _hold_back(session: Session, env: Env, channel: str, after: int, result: RunResult) -> int | None:
    """The next batch of one channel; gives the last id that was looked at, None at the end."""
    hold = holds.holding(session, env, channel, env.now)
    if hold is None:
        return None
    overdue = select(Post).where(*_overdue(env.now), Post.channel == channel, col(Post.id) > after)
    found = session.exec(overdue.order_by(col(Post.id)).limit(BATCH)).all()
    for dossier in dossiers(session, found):
        if not _in_doubt(dossier):  # that is settled first, and never sent again under a hold
            holds.miss_held(session, env, dossier, holds.noted(session, env, hold), result)
    return found[-1].id if found else None


def _overdue(now: datetime) -> list[sa.ColumnElement[bool]]:
    return [col(Post.state) == PostState.SCHEDULED, col(Post.scheduled_at) <= now, col(Post.crisis).is_(False)]


def _in_doubt(dossier: Dossier) -> bool:
    return any(step.in_doubt for step in dossier.steps)


def miss(env: Env, result: RunResult, *, but: Collection[str] = ()) -> None:
    """Give up scheduled posts whose last moment is over. `but`: channels that are left alone."""
    now = env.now
    last: int | None = 0
    while last is not None:
        with env.store.write() as session:
            awake = _awake(session, now, last)
            late = [post for post in awake if post.channel not in but and now > grace_end(env, post)]
            for dossier in dossiers(session, late):
                if now > last_moment(env, dossier):
                    give_up(session, env, dossier, result)
            last = awake[-1].id if awake else None


def _awake(session: Session, now: datetime, after: int) -> Sequence[Post]:
    awake = select(Post).where(Post.state == PostState.SCHEDULED, col(Post.wake_at) <= now, col(Post.id) > after)
    return session.exec(awake.order_by(col(Post.id)).limit(BATCH)).all()


def give_up(
    session: Session, env: Env, dossier: Dossier, result: RunResult | None = None, reason: str | None = None
) -> None:
    """The post's time has passed: missed; failed if a part of it is out; unconfirmed if nobody knows that.

    `reason`: why, if not what stands with the post already. A person decides what becomes of it.
    """
    post = dossier.post
    assert post.id is not None
    said = reason or post.reason or _("its time passed without a run of cm publish")
    end = PostState.UNCONFIRMED if _in_doubt(dossier) else PostState.FAILED if dossier.begun else PostState.MISSED
    among = [PostState.SCHEDULED]
    if end is not PostState.MISSED:
        transition(session, post.id, PostState.PUBLISHING, among=among)
        among = [PostState.PUBLISHING]
    if not transition(session, post.id, end, among=among, wake_at=None, reason=said):
        return
    if end is PostState.MISSED:
        actions.record(session, env, "missed", post_id(post.id))
    if result is not None:
        result.add(end.value, post, reason=said)
