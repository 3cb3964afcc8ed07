"""Acts on many posts at once, those that a filter means, in one transaction and as one step to undo: moving and
cancelling here, trying again in `cm.publishing.retry`.

The posts are taken in order of time. What may not be touched, or finds no room, is left as it is and told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from cm.actions import record
from cm.calendar import planning, stored
from cm.calendar.filter_grammar import Filter, parse
from cm.calendar.filters import posts_of
from cm.calendar.posts import lay_aside, refuse_locked, replan, require_open, reschedule, what_of
from cm.calendar.slots import SlotBook
from cm.calendar.sql import POST
from cm.calendar.steps import images, record_step
from cm.calendar.stored import StoredPost, chunks
from cm.calendar.views import PostView, load_views
from cm.clock import Resolved
from cm.env import Env
from cm.errors import NotFound, Refused
from cm.i18n import _
from cm.model.ids import number_of
from cm.model.states import COUNTED, PostState
from cm.model.words import state_word

Json = dict[str, Any]

ASKED_BY_NAME = frozenset({PostState.DRAFT, PostState.CANCELLED})
"""Posts that nobody plans to send: a move schedules them only if their id, ref or state is named."""


@dataclass(frozen=True)
class Left:
    """A post that was left as it was, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class BulkResult:
    """What was done, or (dry run) would be: the posts as they stand then, by time, and those left alone.

    `was`: each post's local time before, None if it had none.
    """

    posts: tuple[PostView, ...]
    left: tuple[Left, ...]
    was: dict[str, str | None]
    dry_run: bool = False

    def as_json(self) -> Json:
        """The shape of `move` and `post cancel` for several posts."""
        return {
            "posts": [view.as_json() for view in self.posts],
            "left": [vars(left) for left in self.left],
            "dry_run": self.dry_run,
        }

    @property
    def plan(self) -> Json:
        """What a person who says yes agrees to: two runs of the same plan do the same."""
        return {
            "was": self.was,
            "posts": [(view.id, view.rev, view.state, view.wall) for view in self.posts],
            "left": self.left,
        }


@dataclass
class Act:
    """What is done to each post; raises Refused, or NotFound (its channel is gone), for one that it leaves alone."""

    verb: str
    do: Callable[[Session, StoredPost], None]


def move_all(
    env: Env,
    tokens: Sequence[str],
    wall: datetime | None = None,
    *,
    over: str | None = None,
    dry_run: bool = False,
    agreed: BulkResult | None = None,
) -> BulkResult:
    """Move the posts that the tokens mean to the next open slots of their channels, within each day's quota, or
    (if there is only one) to a local time.

    `agreed`: what a dry run has shown; anything else is not done. Raises Refused (several posts at one time, the
    calendar has changed since), UsageError and NotFound as `parse`, and as `posts_of`.
    """
    over = planning.given_reason(over)

    def act(session: Session, wanted: Filter, posts: Sequence[StoredPost]) -> Act:
        if wall is not None and len(posts) > 1:
            raise Refused(
                _("{n} posts cannot stand at one time.").format(n=len(posts)),
                hint=_("Give each its own time, or --next for the next open slots."),
            )
        slots = _NextSlots(session, env)

        def one(session: Session, post: StoredPost) -> None:
            _require_meant(wanted, post)
            if wall is None:
                slots.seat(post)
            else:
                replan(session, env, post, wall, over)

        return Act("post.move", one)

    return carry_out(env, tokens, act, dry_run, agreed)


def cancel_all(
    env: Env,
    tokens: Sequence[str],
    why: str | None = None,
    *,
    dry_run: bool = False,
    agreed: BulkResult | None = None,
) -> BulkResult:
    """Take the posts that the tokens mean out of the plan. `agreed` and errors as for `move_all`."""
    why = planning.given_reason(why, "--why")

    def act(_session: Session, _wanted: Filter, _posts: Sequence[StoredPost]) -> Act:
        return Act("post.cancel", lambda session, post: lay_aside(session, env, post, why))

    return carry_out(env, tokens, act, dry_run, agreed)


def carry_out(
    env: Env,
    tokens: Sequence[str],
    make: Callable[[Session, Filter, Sequence[StoredPost]], Act],
    dry_run: bool,
    agreed: BulkResult | None,
) -> BulkResult:
    """Do what `make` gives to each post that the tokens mean, in one transaction and as one step to undo.

    `dry_run`: only tell. `agreed`: what a dry run has shown; anything else is refused. Raises as `parse` and
    `posts_of`, and what `make` raises.
    """
    wanted = parse(tokens, env.config, env.now, env.zone)
    with env.store.write() as session:
        posts = _meant(session, env, wanted)
        act = make(session, wanted, posts)
        left = _do(session, env, act, posts)
        result = _result(session, env, posts, left, dry_run)
        if agreed is not None and result.plan != agreed.plan:
            raise Refused(_("The calendar has changed since you looked."), hint=_("Nothing was done. Look again."))
        if dry_run:
            session.rollback()
    return result


def _do(session: Session, env: Env, act: Act, posts: Sequence[StoredPost]) -> list[Left]:
    """Act on each post, as one step; gives those that were left alone."""
    left = []
    step: int | None = None
    for part in chunks(posts):
        before = images(session, [post.id for post in part])
        for post in part:
            try:
                act.do(session, post)
            except (Refused, NotFound) as refused:
                left.append(Left(post.name, refused.message))
        step = record_step(session, env, act.verb, before=before, into=step)
    return left


def _meant(session: Session, env: Env, wanted: Filter) -> list[StoredPost]:
    """The posts of the filter in order of time; those without time come last."""
    statement = posts_of(session, env, wanted).order_by(POST.c.scheduled_at.is_(None), POST.c.scheduled_at, POST.c.id)
    numbers = list(session.execute(statement).scalars())
    posts = stored.load_ids(session, numbers)
    return [posts[number] for number in numbers]


def _result(session: Session, env: Env, posts: Sequence[StoredPost], left: Sequence[Left], dry_run: bool) -> BulkResult:
    alone = {number_of(one.id, "p") for one in left}
    done = {post.id: post for post in posts if post.id not in alone}
    views = [view for part in chunks(done) for view in load_views(session, env, part)]
    views.sort(key=lambda view: (view.scheduled_at is None, view.scheduled_at or env.now))
    was = {post.name: post.wall.isoformat(timespec="minutes") if post.wall else None for post in done.values()}
    return BulkResult(tuple(views), tuple(left), was, dry_run)


def _require_meant(wanted: Filter, post: StoredPost) -> None:
    if post.state in ASKED_BY_NAME and not wanted.by_name and not wanted.asks_for(post.state):
        said = _("It is {state}: it is moved only if you name it, or ask for state:{key}.")
        raise Refused(said.format(state=state_word(post.state), key=post.state.value))


class _NextSlots:
    """Gives posts the next open slots of their channels; lives in one write transaction.

    A post that moves makes room in its day. Where one stood nobody else is put, so that posts which change places
    are not told to have moved.
    """

    def __init__(self, session: Session, env: Env) -> None:
        self._session = session
        self._env = env
        self._books: dict[str, SlotBook] = {}

    def seat(self, post: StoredPost) -> None:
        """Move a post. Raises Refused if it may not be moved or finds no open slot, NotFound if its channel is gone."""
        refuse_locked(post, _("moved"))
        require_open(self._env.config, post.spec.channel)
        plan = self._take(post)
        same_day = post.state is PostState.SCHEDULED and post.day == plan.wall.date()
        reschedule(self._session, self._env, post, plan, post.over_reason if same_day else None)
        record(self._session, self._env, "post.move", post.name, detail=what_of(post.spec.channel, plan))

    def _take(self, post: StoredPost) -> Resolved:
        channel = post.spec.channel
        if channel not in self._books:
            self._books[channel] = planning.slot_book(self._session, self._env, channel)
        book = self._books[channel]
        left_day = post.day if post.in_quota and post.state in COUNTED else None
        _count(book, left_day, -1)
        try:
            plan = book.next_open()
        except Refused:
            _count(book, left_day, 1)
            raise
        book.taken.add(plan.instant)
        _count(book, plan.wall.date() if post.in_quota else None, 1)
        return plan


def _count(book: SlotBook, day: date | None, more: int) -> None:
    if day is not None:
        book.counts[day] = book.counts.get(day, 0) + more
