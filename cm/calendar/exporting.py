"""Exporting the calendar as our CSV, such that importing it again changes nothing."""

from typing import Any

import sqlalchemy as sa

from cm.calendar import stored
from cm.calendar.csvfile import write_table
from cm.calendar.posts import filtered
from cm.calendar.sheet import cells_of
from cm.calendar.sql import POST
from cm.env import Env
from cm.model.states import PostState


def export_posts(env: Env, *, excel: bool = False, **filters: Any) -> bytes:
    """The posts that `cm.calendar.posts.filtered` lets through, by time, those without time last.

    Cancelled ones are left out unless `state` asks for them; drafts have neither date nor time. A post
    without ref is called by its id. `excel`: semicolons and a byte order mark. Raises as `filtered`.
    """
    where: sa.ColumnElement[bool] = POST.c.id.in_(filtered(env.config, **filters))
    if filters.get("state") is None:
        where = where & (POST.c.state != PostState.CANCELLED)
    order = (POST.c.scheduled_at.is_(None), POST.c.scheduled_at, POST.c.id)
    with env.store.read() as session:
        posts = stored.load(session, where, order=order)
    rows = (list(_cells(post).values()) for post in posts)
    return write_table(rows, excel=excel)


def _cells(post: stored.StoredPost) -> dict[str, str]:
    wall = None if post.state == PostState.DRAFT else post.wall
    return cells_of(post.spec.ref or post.name, post.spec, wall)
