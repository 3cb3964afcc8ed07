"""Writing a post's state: the only place that does."""

from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.model.states import TRANSITIONS, PostState
from cm.model.tables import Post

_POST: sa.Table = Post.__table__  # type: ignore[attr-defined]


def transition(
    session: Session,
    post_id: int,
    to: PostState,
    *,
    among: Collection[PostState],
    token: str | None = None,
    **values: Any,
) -> bool:
    """Move a post to `to` if it stands in one of `among` (and, if given, under the claim `token`).

    `values` are columns written with it. Gives False if the post stood elsewhere: nothing was written.
    Raises ValueError for a move that the table of transitions does not know.
    """
    forbidden = [state for state in among if to not in TRANSITIONS[state]]
    if forbidden or not among:
        raise ValueError(f"no transition {sorted(forbidden)} → {to}")
    plain = {name: value for name, value in values.items() if not isinstance(value, sa.ClauseElement)}
    statement = _statement(tuple(plain), frozenset(among), token is not None)
    if computed := {name: value for name, value in values.items() if name not in plain}:
        statement = statement.values(computed)
    given = {"to": to, "post": post_id, **plain}
    if token is not None:
        given["token"] = token
    result = session.execute(statement, given)
    return bool(result.rowcount)  # type: ignore[attr-defined]


@cache
def _statement(names: tuple[str, ...], among: frozenset[PostState], by_token: bool) -> sa.Update:
    """Built once for each set of columns: that costs more than running it. Bound names are not those of columns."""
    where = [_POST.c.id == sa.bindparam("post"), sa.or_(*(_POST.c.state == state for state in sorted(among)))]
    if by_token:
        where.append(_POST.c.claim_token == sa.bindparam("token"))
    columns: dict[str, Any] = {name: sa.bindparam(name) for name in names}
    return sa.update(_POST).where(*where).values({"state": sa.bindparam("to"), **columns})
