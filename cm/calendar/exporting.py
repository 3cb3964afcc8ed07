"""Exporting the calendar as a sheet of ours, such that importing it again changes nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cm.calendar import stored
from cm.calendar.cells import ISO, guard, unguard
from cm.calendar.csvfile import COLUMNS, guarded, write_text
from cm.calendar.filters import parse, posts_of
from cm.calendar.posts import filtered
from cm.calendar.sheet import cells_of
from cm.calendar.sql import POST
from cm.calendar.stored import StoredPost
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.i18n import _
from cm.model.states import PostState

Rows = Sequence[Sequence[str]]

XLSX = "xlsx"
TEXT: Mapping[str, tuple[str, str]] = {
    "csv": (",", "utf-8"),
    "excel": (";", "utf-8-sig"),
    "utf16": ("\t", "utf-16"),
    "cp1252": (";", "cp1252"),
}
"""Format → separator and codec: CSV for programs; for spreadsheets; Excel's “Unicode text”; its oldest CSV."""
FORMATS = (*TEXT, XLSX)

_WIDTHS = {"text": 70, "link": 30, "fields": 26, "media": 24, "alt": 30, "first_comment": 30, "date": 12, "story": 22}
NAMED = 5
"""So many posts are named where many have the same trouble."""


def export_posts(
    env: Env,
    *,
    shape: str = "csv",
    dates: str = ISO,
    tokens: Sequence[str] = (),
    **filters: Any,
) -> bytes:
    """The posts of `load_posts` as a file of ours; a post without ref is called by its id.

    `shape`: one of FORMATS; `dates`: a form of `cm.calendar.cells`; drafts have neither date nor time. Raises Refused
    (a format that cannot hold every text; every such post is named), UsageError, and as `load_posts`.
    """
    if shape not in FORMATS:
        raise unknown_format(shape)
    posts = load_posts(env, tokens, **filters)
    rows = [list(_cells(post, dates).values()) for post in posts]
    if shape == XLSX:
        return _workbook(rows)
    delimiter, codec = TEXT[shape]
    if not codec.startswith("utf"):
        _require(rows, lambda cell: _unencodable(cell, codec), _("Windows-1252"))
    return write_text(guarded(rows), delimiter, codec)


def unknown_format(shape: str) -> UsageError:
    """There is no such format."""
    return UsageError(
        _("There is no format {name!r}.").format(name=shape),
        hint=_("Use one of: {names}.").format(names=", ".join([*FORMATS, "hootsuite", "buffer"])),
    )


def load_posts(env: Env, tokens: Sequence[str] = (), **filters: Any) -> list[StoredPost]:
    """The posts that `cm.calendar.posts.filtered` and the tokens of a filter let through, by time, those without last.

    Cancelled ones are left out unless they are asked for. Raises as `filtered` and `cm.calendar.filters.parse`.
    """
    wanted = parse(tokens, env.config, env.now, env.zone)
    where: sa.ColumnElement[bool] = POST.c.id.in_(filtered(env.config, **filters))
    if filters.get("state") is None and not (wanted.by_name or wanted.asks_for(PostState.CANCELLED)):
        where = where & (POST.c.state != PostState.CANCELLED)
    order = (POST.c.scheduled_at.is_(None), POST.c.scheduled_at, POST.c.id)
    with env.store.read() as session:
        if tokens:
            where = where & POST.c.id.in_(posts_of(session, env, wanted))
        return stored.load(session, where, order=order)


def _cells(post: StoredPost, dates: str) -> dict[str, str]:
    wall = None if post.state == PostState.DRAFT else post.wall
    return cells_of(post.spec.ref or post.name, post.spec, wall, rev=post.rev, dates=dates)


def _workbook(rows: Rows) -> bytes:
    from cm.calendar.xlsxfile import unwritable, write_workbook

    _require(rows, unwritable, ".xlsx")
    widths = [_WIDTHS.get(column, 14) for column in COLUMNS]
    # a cell of a workbook is text, and no formula; only a `'` that our import would take off needs one more
    return write_workbook(COLUMNS, ([_kept(cell) for cell in row] for row in rows), widths, "cm")


def _kept(cell: str) -> str:
    return guard(cell) if unguard(cell) != cell else cell


def _unencodable(cell: str, codec: str) -> str | None:
    try:
        cell.encode(codec)
    except UnicodeEncodeError as error:
        return repr(cell[error.start : error.end][0])
    return None


def _require(rows: Rows, trouble: Callable[[str], str | None], name: str) -> None:
    """Every post fits. Raises Refused, naming each one that does not, with the column and what it is about."""
    found = list(_troubles(rows, trouble))
    if not found:
        return
    shown = ", ".join(f"{post} ({column}: {what})" for post, column, what in found[:NAMED])
    more = _(" and {n} more").format(n=len(found) - NAMED) if len(found) > NAMED else ""
    raise Refused(
        _("{name} cannot hold what stands in {n} posts: {shown}{more}.").format(
            name=name, n=len(found), shown=shown, more=more
        ),
        hint=_("Nothing was written. Use --format excel or xlsx, or leave these posts out."),
        details={"posts": [{"ref": post, "column": column, "what": what} for post, column, what in found]},
    )


def _troubles(rows: Rows, trouble: Callable[[str], str | None]) -> Iterable[tuple[str, str, str]]:
    for row in rows:
        for column, cell in zip(COLUMNS, row, strict=True):
            if what := trouble(cell):
                yield row[0], column, what
                break
