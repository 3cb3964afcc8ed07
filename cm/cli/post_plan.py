"""Giving posts another time and taking them out: `cm post move`, `cm post cancel`."""

from typing import Annotated

import typer

from cm.cli.options import Json, Over, workspace
from cm.cli.post_options import (
    At,
    Ident,
    tell,
)
from cm.clock import parse_wall
from cm.errors import UsageError
from cm.i18n import _

MOVE = "Give a post another time, or the next open slot."


def move(
    ctx: typer.Context,
    ident: Ident,
    at: At = None,
    next_slot: Annotated[bool, typer.Option("--next", help="The channel's next open slot.")] = False,
    over: Over = None,
    as_json: Json = False,
) -> None:
    """Failed and missed posts are planned anew this way."""
    from cm.calendar.posts import move as run

    if (at is None) is not next_slot:
        raise UsageError(_("Give --at TIME or --next."))
    with workspace(ctx) as opened:
        view = run(opened.env, ident, parse_wall(at) if at else None, over=over)
    tell(view, as_json)


CANCEL = "Take a post out of the calendar; it stays on record."


def cancel(
    ctx: typer.Context,
    ident: Ident,
    why: Annotated[str | None, typer.Option("--why", metavar="REASON", help="For the log.")] = None,
    as_json: Json = False,
) -> None:
    """Refused for a post that has left."""
    from cm.calendar.posts import cancel as run

    with workspace(ctx) as opened:
        view = run(opened.env, ident, why)
    tell(view, as_json)
