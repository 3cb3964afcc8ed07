"""Taking back what one did oneself: the last step, or the last few, each as a whole or not at all.

A step whose posts have left, or were changed by somebody else since, stays as it is. What was taken back is a
change of its own (`rev` goes on), and the steps before it can still be taken back after it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.actions import record
from cm.calendar.import_guards import VERB
from cm.calendar.numbering import retire_id
from cm.calendar.restoring import restore
from cm.calendar.search_index import purge
from cm.calendar.sql import (
    ACTION,
    ATTACHMENT,
    ATTEMPT,
    CHANGE,
    CHANGED_POST,
    MESSAGE,
    PAYLOAD,
    POST,
    RECEIPT,
    SNAPSHOT,
    STORY,
)
from cm.calendar.steps import KEPT, KeptImages, Step, runs_of, standing, within
from cm.calendar.stored import chunks
from cm.calendar.views import PostView, load_views
from cm.env import Env
from cm.errors import NotFound, Refused, UsageError
from cm.formats import plural
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import LOCKED, PostState
from cm.model.words import state_word
from cm.store.posts import transition

Json = dict[str, Any]

VIEWED = 1000
"""Up to so many posts are given in full; of more, the ids."""
SHOWN = 8
"""Up to so many posts are given as they stood before they were removed."""
NAMED = 3
"""So many posts are named in a refusal."""


@dataclass(frozen=True)
class Undone:
    """A step that was taken back. `restored`: ids of the posts that are as before; `missed`, `failed`: those of them
    whose time had passed (see `Restored`); `removed`: the posts it had made, as runs of ids; `cancelled`: those of
    these that were tried once, and are kept."""

    verb: str
    at: datetime
    restored: tuple[int, ...]
    missed: tuple[int, ...]
    failed: tuple[int, ...]
    removed: tuple[tuple[int, int], ...]
    cancelled: tuple[int, ...]

    @property
    def posts(self) -> int:
        """How many posts it concerned."""
        return len(self.restored) + len(self.cancelled) + sum(last - first + 1 for first, last in self.removed)

    def as_json(self) -> Json:
        """One item of `undone`; `at` is when the step was taken, `removed` are pairs of first and last id."""
        return {
            "verb": self.verb,
            "at": self.at.isoformat(),
            "posts": self.posts,
            "restored": [post_id(number) for number in self.restored],
            "missed": [post_id(number) for number in self.missed],
            "failed": [post_id(number) for number in self.failed],
            "removed": [[post_id(first), post_id(last)] for first, last in self.removed],
            "cancelled": [post_id(number) for number in self.cancelled],
        }


@dataclass(frozen=True)
class UndoResult:
    """What was taken back, the latest step first, and up to 1,000 posts concerned as they stand now.

    `gone`: the posts that were removed, as they stood before; none if there were more than `SHOWN`.
    """

    undone: tuple[Undone, ...]
    posts: tuple[PostView, ...]
    gone: tuple[PostView, ...] = ()
    dry_run: bool = False

    @property
    def removed(self) -> int:
        """How many posts were removed."""
        return sum(last - first + 1 for step in self.undone for first, last in step.removed)

    def as_json(self) -> Json:
        """The shape of `undo`."""
        return {
            "undone": [step.as_json() for step in self.undone],
            "posts": [view.as_json() for view in self.posts],
            "dry_run": self.dry_run,
        }


def steps(env: Env, most: int = KEPT) -> list[Step]:
    """What the actor may take back, the latest first, at most so many steps."""
    with env.store.read() as session:
        return standing(session, env, most)


def undo(env: Env, most: int = 1, *, dry_run: bool = False, agreed: UndoResult | None = None) -> UndoResult:
    """Take back the actor's last step, or the last `most`; all of them or none. `dry_run`: only tell what would be.

    `agreed`: what a dry run has shown; anything else is not done. Raises NotFound (there are not so many), Refused (a
    post has left, was changed by somebody else, or its ref or day is taken; its channel is closed; the calendar has
    changed since), UsageError (`most` below 1).
    """
    if most < 1:
        raise UsageError(_("A number of steps begins at 1."))
    with env.store.write() as session:
        found = standing(session, env, most)
        if len(found) < most:
            raise NotFound(
                plural(
                    "There is {n} step of yours to take back.", "There are {n} steps of yours to take back.", len(found)
                ),
                hint=_("`cm undo --list` shows them."),
            )
        made = _made_by(session, env, found)
        undone = tuple(_take_back(session, env, step) for step in found)
        if agreed is not None and undone != agreed.undone:
            raise Refused(_("The calendar has changed since you looked."), hint=_("Nothing was done. Look again."))
        views = _views(session, env, {number for step in undone for number in (*step.restored, *step.cancelled)})
        if dry_run:
            session.rollback()
    removed = [run for step in undone for run in step.removed]
    gone = (view for view in made if within(int(view.id[1:]), removed))
    return UndoResult(undone, tuple(views), tuple(gone), dry_run)


def _made_by(session: Session, env: Env, found: Sequence[Step]) -> list[PostView]:
    """The posts that the steps made, if they are few."""
    runs = [run for step in found for run in step.created]
    if sum(last - first + 1 for first, last in runs) > SHOWN:
        return []
    return load_views(session, env, [number for first, last in runs for number in range(first, last + 1)])


def _views(session: Session, env: Env, numbers: Collection[int]) -> list[PostView]:
    """The posts, but for very many, and those that an earlier step had made and that went with it."""
    return load_views(session, env, sorted(numbers)) if len(numbers) <= VIEWED else []


def _take_back(session: Session, env: Env, step: Step) -> Undone:
    _refuse_if_gone_on(session, env, step)
    stories = _stories_of(session, step)
    back = restore(session, env, KeptImages(session, step.id, step.changed))
    cancelled = _remove(session, env, step.created)
    _pass_on(session, step)
    _drop_empty(session, step, stories)
    _forget(session, env, step)
    removed = tuple(_without(step.created, cancelled))
    at = step.at.astimezone(env.zone)
    undone = Undone(step.verb, at, back.numbers, back.missed, back.failed, removed, tuple(cancelled))
    detail = {"step": step.id, "verb": step.verb, "restored": runs_of(back.numbers), "removed": [*map(list, removed)]}
    record(session, env, "undo", _target(undone), detail=detail)
    return undone


def _target(undone: Undone) -> str:
    """The post, if there is only one, for the action log."""
    ids = [*undone.restored, *undone.cancelled, *(first for first, _last in undone.removed)]
    return post_id(ids[0]) if undone.posts == 1 else "calendar"


# --- may it be taken back? --------------------------------------------------------------------------------------------


def _refuse_if_gone_on(session: Session, env: Env, step: Step) -> None:
    """Raises Refused if a post has left, or is not as the step left it."""
    bad: list[tuple[int, str]] = []
    for row in _suspects(session, step):
        if row.state in LOCKED:
            bad.append((row.id, _("it is {state}").format(state=state_word(row.state))))
        else:
            # who it was takes a walk through the log for each post, while nobody else can write
            bad.append((row.id, _changed_by(session, env, row.id) if len(bad) < NAMED else _("it was changed since")))
    if not bad:
        return
    why = ", ".join(f"{post_id(number)}: {reason}" for number, reason in bad[:NAMED])
    more = "" if len(bad) <= NAMED else _(", and {n} more").format(n=len(bad) - NAMED)
    said = _("The step of {when} ({verb}) cannot be taken back: {why}{more}.")
    raise Refused(
        said.format(when=f"{step.at.astimezone(env.zone):%Y-%m-%d %H:%M}", verb=step.verb, why=why, more=more),
        hint=_("Nothing was changed. Mend single posts with `cm edit`, `cm move` or `cm post cancel`."),
        details={"posts": [{"id": post_id(number), "reason": reason} for number, reason in bad]},
    )


def _suspects(session: Session, step: Step) -> Iterable[Any]:
    """The step's posts that have left, or are not at the `rev` that they should have.

    What it made is at the first one, unless a later undo brought it back to that: then a row of the step says so.
    """
    told = sa.and_(CHANGED_POST.c.change_id == step.id, CHANGED_POST.c.post_id == POST.c.id)
    gone_on = sa.or_(POST.c.rev != sa.func.coalesce(CHANGED_POST.c.rev, 1), POST.c.state.in_(LOCKED))
    rows = sa.select(POST.c.id, POST.c.state).join_from(POST, CHANGED_POST, told, isouter=True).where(gone_on)
    for part in chunks(step.changed):
        yield from session.execute(rows.where(POST.c.id.in_(part)).order_by(POST.c.id)).all()
    for first, last in step.created:
        yield from session.execute(rows.where(POST.c.id.between(first, last)).order_by(POST.c.id)).all()


def _changed_by(session: Session, env: Env, number: int) -> str:
    """Who changed a post last, as far as the log tells."""
    log = sa.select(ACTION.c.actor).where(ACTION.c.target == post_id(number)).order_by(ACTION.c.id.desc()).limit(1)
    actor = session.execute(log).scalar_one_or_none()
    if actor is None or actor == env.actor.key:
        return _("it was changed since")
    return _("{actor} has changed it since").format(actor=actor)


# --- removing what the step made --------------------------------------------------------------------------------------


def _remove(session: Session, env: Env, runs: Iterable[tuple[int, int]]) -> list[int]:
    """Delete posts that nothing ever pointed at; the others are cancelled, and their ids are given."""
    cancelled: list[int] = []
    for first, last in runs:
        mine = POST.c.id.between(first, last)
        kept = sa.select(POST.c.id).where(mine, POST.c.id.in_(_with_history(first, last)))
        for row in session.execute(sa.select(POST.c.id, POST.c.state).where(POST.c.id.in_(kept))).all():
            if row.state is not PostState.CANCELLED:
                touched: Json = {"rev": POST.c.rev + 1, "updated_at": env.now}
                transition(
                    session, row.id, PostState.CANCELLED, among={row.state}, wake_at=None, reason=None, **touched
                )
            cancelled.append(row.id)
        retire_id(session, POST, last)
        gone = sa.select(POST.c.id).where(mine, POST.c.id.not_in(_with_history(first, last)))
        messages = sa.select(MESSAGE.c.id).where(MESSAGE.c.post_id.in_(gone))
        session.execute(sa.delete(ATTACHMENT).where(ATTACHMENT.c.message_id.in_(messages)))
        session.execute(sa.delete(MESSAGE).where(MESSAGE.c.post_id.in_(gone)))
        session.execute(sa.delete(POST).where(POST.c.id.in_(gone)))
    purge(session)
    return cancelled


def _with_history(first: int, last: int) -> Any:
    """Ids of posts that an attempt, a payload, a receipt or a snapshot points at."""
    told = sa.or_(
        *(sa.exists().where(table.c.message_id == MESSAGE.c.id) for table in (ATTEMPT, PAYLOAD, RECEIPT)),
    )
    tried = sa.select(MESSAGE.c.post_id).where(MESSAGE.c.post_id.between(first, last), told)
    measured = sa.select(SNAPSHOT.c.post_id).where(SNAPSHOT.c.post_id.between(first, last))
    return tried.union(measured)


def _without(runs: Iterable[tuple[int, int]], numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The runs without single numbers, which are in order."""
    for first, last in runs:
        for number in (number for number in numbers if first <= number <= last):
            if first < number:
                yield first, number - 1
            first = number + 1
        if first <= last:
            yield first, last


def _stories_of(session: Session, step: Step) -> set[int]:
    """Stories in which the step's posts stand now."""
    found: set[int] = set()
    for part in chunks(step.changed):
        found |= set(session.execute(sa.select(POST.c.story_id).where(POST.c.id.in_(part)).distinct()).scalars())
    for first, last in step.created:
        mine = POST.c.id.between(first, last)
        found |= set(session.execute(sa.select(POST.c.story_id).where(mine).distinct()).scalars())
    return found - {None}


def _drop_empty(session: Session, step: Step, stories: Iterable[int]) -> None:
    """Remove the stories that came with the step and hold nothing without it.

    Such a story is younger than the step before, and nobody has given it a title.
    """
    before = session.execute(sa.select(sa.func.max(CHANGE.c.at)).where(CHANGE.c.id < step.id)).scalar_one_or_none()
    for part in chunks(stories):
        conditions = [
            STORY.c.id.in_(part),
            STORY.c.title == STORY.c.ref,
            STORY.c.id.not_in(sa.select(POST.c.story_id).where(POST.c.story_id.in_(part))),
        ]
        session.execute(sa.delete(STORY).where(*conditions, *([STORY.c.created_at >= before] if before else [])))


# --- the steps before it ----------------------------------------------------------------------------------------------


def _pass_on(session: Session, step: Step) -> None:
    """Tell the step that made each post what it was before, whosever it is, which `rev` to expect from now on.

    A step that made the post as new keeps no row of it, and is given one, with an empty image.
    """
    mine = CHANGED_POST.alias("mine")
    was = mine.c.before["rev"].as_integer()
    of_this = (mine.c.change_id == step.id, mine.c.post_id == CHANGED_POST.c.post_id)
    now = sa.select(POST.c.rev).where(POST.c.id == CHANGED_POST.c.post_id).scalar_subquery()
    same = sa.exists().where(*of_this, was == CHANGED_POST.c.rev)
    earlier = (CHANGE.c.id < step.id, CHANGE.c.undone_at.is_(None))
    stands = CHANGED_POST.c.change_id.in_(sa.select(CHANGE.c.id).where(*earlier))
    session.execute(sa.update(CHANGED_POST).where(stands, same).values(rev=now))
    before = sa.select(CHANGE.c.id, CHANGE.c.created).where(*earlier)
    for maker, created in session.execute(before).all():
        for first, last in created:
            new = sa.select(sa.literal(maker), POST.c.id, POST.c.rev, sa.literal({}, CHANGED_POST.c.before.type))
            told = sa.exists().where(CHANGED_POST.c.change_id == maker, CHANGED_POST.c.post_id == mine.c.post_id)
            wanted = (mine.c.change_id == step.id, mine.c.post_id.between(first, last), was == 1, ~told)
            rows = new.join_from(POST, mine, POST.c.id == mine.c.post_id).where(*wanted)
            columns = ["change_id", "post_id", "rev", "before"]
            session.execute(sa.insert(CHANGED_POST).from_select(columns, rows))


def _forget(session: Session, env: Env, step: Step) -> None:
    """The step is taken back: its images have no further use.

    Of an import stays which revisions are its own and its undo's (see `cm.calendar.import_guards`), without a word.
    """
    mine = CHANGED_POST.c.change_id == step.id
    kept: list[Json] = []
    for part in chunks(step.changed if step.verb == VERB else ()):
        was = CHANGED_POST.c.before["rev"].as_integer().label("was")
        rows = sa.select(POST.c.id, POST.c.rev, was).join_from(POST, CHANGED_POST, CHANGED_POST.c.post_id == POST.c.id)
        for row in session.execute(rows.where(mine, POST.c.id.in_(part))):
            kept.append({"change_id": step.id, "post_id": row.id, "rev": row.rev, "before": {"rev": row.was}})
    session.execute(sa.delete(CHANGED_POST).where(mine))
    if kept:
        session.execute(sa.insert(CHANGED_POST), kept)
    session.execute(sa.update(CHANGE).where(CHANGE.c.id == step.id).values(undone_at=env.now))
