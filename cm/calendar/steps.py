"""What a person did to posts, step by step, so that `cm undo` can take it back.

A step is one command, however many posts it touched. It keeps each changed post as it was before (its image) and
the ids of the posts it made, in the transaction of the act itself. The last 50 steps of each person are kept, for
90 days; older ones go with their images, which hold text.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.rewriting import load_messages
from cm.calendar.sql import CHANGE, CHANGED_POST, MESSAGE, POST, STORY
from cm.calendar.stored import chunks
from cm.env import Env
from cm.model.facts import MessageContent

Json = dict[str, Any]
Run = list[int]
"""`[first, last]`: ids that follow each other."""

KEPT = 50
"""So many steps of each person can be taken back."""
KEPT_FOR = timedelta(days=90)
"""So long they are kept, whoever acts meanwhile."""


def images(session: Session, post_ids: Collection[int]) -> dict[int, Json]:
    """Posts as they are now, complete and fit for JSON: `rev`, `post` (its columns), `story`, `messages` with media.

    Call it before changing them, and give what comes back to `record_step` afterwards.
    """
    found: dict[int, Json] = {}
    messages = load_messages(session, post_ids)
    for part in chunks(post_ids):
        marks = _fingerprints(session, part)
        statement = sa.select(POST, STORY.c.ref.label("story_ref"), STORY.c.title, STORY.c.created_at.label("story_at"))
        for row in session.execute(statement.join_from(POST, STORY, isouter=True).where(POST.c.id.in_(part))):
            told = [_message(each.content, marks[each.id]) for each in messages.get(row.id, ())]
            found[row.id] = {"rev": row.rev, "post": _post(row), "story": _story(row), "messages": told}
    return found


def _fingerprints(session: Session, post_ids: Collection[int]) -> dict[int, str]:
    statement = sa.select(MESSAGE.c.id, MESSAGE.c.fingerprint).where(MESSAGE.c.post_id.in_(post_ids))
    return {row.id: row.fingerprint for row in session.execute(statement)}


def _post(row: Any) -> Json:
    values = row._mapping
    return {column.name: _plain(values[column]) for column in POST.c}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _story(row: Any) -> Json | None:
    if row.story_ref is None:
        return None
    return {"ref": row.story_ref, "title": row.title, "created_at": row.story_at.isoformat()}


def _message(content: MessageContent, mark: str) -> Json:
    return {
        "n": content.n,
        "role": content.role,
        "text": content.text,
        "link": content.link,
        "fingerprint": mark,
        "media": [vars(medium) for medium in content.media],
    }


def record_step(
    session: Session,
    env: Env,
    verb: str,
    *,
    before: Mapping[int, Json] | None = None,
    created: Iterable[int] = (),
    into: int | None = None,
) -> int | None:
    """Keep one step, in the transaction that took it and after the change; gives its number, None if nothing changed.

    `before`: the images of the posts that it touched; those it left as they were are not kept. `created`: ids of
    the posts it made, none of which stand in `before`. `into`: the number of a step begun before, for acts that
    work through many posts in parts; no post comes twice.
    """
    rows = _changed(session, before or {})
    runs = runs_of(created)
    if not rows and not runs:
        return into
    number = _begin(session, env, verb) if into is None else into
    if runs:
        _add_created(session, number, runs)
    if rows:
        session.execute(sa.insert(CHANGED_POST), [{"change_id": number, **row} for row in rows])
    return number


def _changed(session: Session, before: Mapping[int, Json]) -> list[Json]:
    """The posts whose `rev` is no longer that of their image."""
    rows = []
    for part in chunks(before):
        for row in session.execute(sa.select(POST.c.id, POST.c.rev).where(POST.c.id.in_(part))):
            if row.rev != before[row.id]["rev"]:
                rows.append({"post_id": row.id, "rev": row.rev, "before": before[row.id]})
    return rows


def _begin(session: Session, env: Env, verb: str) -> int:
    values = {"at": env.now, "actor": env.actor.key, "run_id": env.run_id, "verb": verb, "created": []}
    number = int(session.execute(sa.insert(CHANGE).values(**values).returning(CHANGE.c.id)).scalar_one())
    prune(session, env)
    return number


def _add_created(session: Session, number: int, runs: list[Run]) -> None:
    mine = CHANGE.c.id == number
    known = session.execute(sa.select(CHANGE.c.created).where(mine)).scalar_one()
    session.execute(sa.update(CHANGE).where(mine).values(created=merged([*known, *runs])))


def prune(session: Session, env: Env) -> None:
    """Forget everybody's steps of more than 90 days ago, and the actor's before the last 50 that stand."""
    stand = sa.select(CHANGE.c.id).where(CHANGE.c.actor == env.actor.key, CHANGE.c.undone_at.is_(None))
    last = session.execute(stand.order_by(CHANGE.c.id.desc()).offset(KEPT - 1).limit(1)).scalar_one_or_none()
    old: sa.ColumnElement[bool] = CHANGE.c.at < env.now - KEPT_FOR
    if last is not None:
        old = old | sa.and_(CHANGE.c.actor == env.actor.key, CHANGE.c.id < last)
    gone = sa.select(CHANGE.c.id).where(old)
    session.execute(sa.delete(CHANGED_POST).where(CHANGED_POST.c.change_id.in_(gone)))
    session.execute(sa.delete(CHANGE).where(old))


# --- reading steps ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A step that can be taken back. `created`: the posts it made, as runs; `changed`: ids of those it changed."""

    id: int
    at: datetime
    verb: str
    created: tuple[tuple[int, int], ...]
    changed: tuple[int, ...]

    @property
    def posts(self) -> int:
        """How many posts it touched."""
        return len(self.changed) + sum(last - first + 1 for first, last in self.created)


def standing(session: Session, env: Env, most: int = KEPT) -> list[Step]:
    """The actor's steps of the last 90 days that were not taken back, the latest first."""
    mine = (CHANGE.c.actor == env.actor.key, CHANGE.c.undone_at.is_(None), CHANGE.c.at >= env.now - KEPT_FOR)
    statement = sa.select(CHANGE).where(*mine)
    rows = session.execute(statement.order_by(CHANGE.c.id.desc()).limit(most)).all()
    return [_step(session, row) for row in rows]


def _step(session: Session, row: Any) -> Step:
    touched = sa.select(CHANGED_POST.c.post_id).where(CHANGED_POST.c.change_id == row.id)
    runs = tuple((first, last) for first, last in row.created)
    # a post that it made and that a later step brought back has a row of its own, see `cm.calendar.undo`
    changed = (
        number
        for number in session.execute(touched.order_by(CHANGED_POST.c.post_id)).scalars()
        if not within(number, runs)
    )
    return Step(row.id, row.at, row.verb, runs, tuple(changed))


@dataclass(frozen=True)
class KeptImages:
    """The images of a step, read in parts since they may be many and large. `numbers`: the posts that have one."""

    session: Session
    step: int
    numbers: tuple[int, ...]

    def parts(self) -> Iterator[dict[int, Json]]:
        """Images by post id, in order, some at a time."""
        for part in chunks(self.numbers):
            mine = (CHANGED_POST.c.change_id == self.step, CHANGED_POST.c.post_id.in_(part))
            statement = sa.select(CHANGED_POST.c.post_id, CHANGED_POST.c.before).where(*mine)
            rows = self.session.execute(statement.order_by(CHANGED_POST.c.post_id)).all()
            yield {row.post_id: row.before for row in rows}


def within(number: int, runs: Iterable[Sequence[int]]) -> bool:
    """Is the number in one of the runs?"""
    return any(first <= number <= last for first, last in runs)


def runs_of(numbers: Iterable[int]) -> list[Run]:
    """Numbers as runs: 1, 2, 3, 7 → [1, 3], [7, 7]. Pure."""
    runs: list[Run] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def merged(runs: Iterable[Sequence[int]]) -> list[Run]:
    """Runs in order, joined where they touch. Pure."""
    joined: list[Run] = []
    for first, last in sorted((first, last) for first, last in runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined
