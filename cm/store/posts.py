"""Writing a post's state: the only place that does."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from cm.model.states import TRANSITIONS, PostState
from cm.model.tables import Post


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
    statement = sa.update(Post).where(col(Post.id) == post_id, col(Post.state).in_(list(among)))
    if token is not None:
        statement = statement.where(col(Post.claim_token) == token)
    result = session.execute(statement.values(state=to, **values), execution_options={"synchronize_session": False})
    return bool(result.rowcount)  # type: ignore[attr-defined]
