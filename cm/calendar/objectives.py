"""The register of objectives: what each means at each level, and how many posts cite it in a period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import POST
from cm.env import Env
from cm.model.states import COUNTED, PostState


@dataclass(frozen=True)
class ObjectiveUse:
    """An objective. `posts`: planned or out in the period; `published`: those of them that are out.

    `label` and `levels` are empty for a key that posts cite and the register does not hold.
    """

    key: str
    label: str
    levels: Mapping[str, str]
    posts: int
    published: int

    def as_json(self) -> dict[str, Any]:
        """One item of `config objectives`."""
        return {**vars(self), "levels": dict(self.levels)}


@dataclass(frozen=True)
class Objectives:
    """The register in its order, then keys that are cited without standing in it. `uncited`: posts that cite none."""

    start: date | None
    end: date | None
    objectives: tuple[ObjectiveUse, ...]
    uncited: int

    def as_json(self) -> dict[str, Any]:
        """The shape of `config objectives`."""
        return {
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "objectives": [objective.as_json() for objective in self.objectives],
            "uncited_posts": self.uncited,
        }


def objectives(env: Env, start: date | None = None, end: date | None = None) -> Objectives:
    """The register with the posts of the local days from `start` to `end`, both included; of all days without them."""
    with env.store.read() as session:
        found = cited(session, start, end)
    register = env.config.objectives
    known = [
        ObjectiveUse(key, objective.label, {str(level): text for level, text in objective.levels.items()},
                     *found.get(key, (0, 0)))
        for key, objective in register.items()
    ]  # fmt: skip
    strangers = sorted(key for key in found if key is not None and key not in register)
    others = [ObjectiveUse(key, "", {}, *found[key]) for key in strangers]
    return Objectives(start, end, (*known, *others), found.get(None, (0, 0))[0])


def cited(session: Session, start: date | None, end: date | None) -> dict[str | None, tuple[int, int]]:
    """How many posts cite each objective (None: none), and how many of them are out."""
    out = sa.func.sum(sa.case((POST.c.state == PostState.PUBLISHED, 1), else_=0))
    statement = sa.select(POST.c.objective, sa.func.count().label("posts"), out.label("published")).where(
        POST.c.state.in_(COUNTED)
    )
    if start is not None:
        statement = statement.where(POST.c.day >= start)
    if end is not None:
        statement = statement.where(POST.c.day <= end)
    return {row.objective: (row.posts, row.published) for row in session.execute(statement.group_by(POST.c.objective))}
