"""`cm report`: what management reads on Monday."""

from typing import Annotated

import typer

from cm.cli.lazy import noun
from cm.cli.options import Json, workspace
from cm.cli.render import emit_json, show
from cm.clock import parse_week
from cm.i18n import _

app = noun("The weekly report.", bare="week", shows="week")


@app.callback()
def report() -> None:
    """Reports are made from the database alone: the same data give the same bytes."""


@app.command(help="One ISO week: the last complete one if none is named.")
def week(
    ctx: typer.Context,
    which: Annotated[str | None, typer.Argument(metavar="[WEEK]", help="An ISO week, e.g. 2026-W48.")] = None,
    option: Annotated[str | None, typer.Option("--week", metavar="WEEK", help="The same as an option.")] = None,
    as_json: Json = False,
) -> None:
    """Plan and quota, reach, engagement with its denominators, top posts, what is missing."""
    from cm.cli.render_report import week_report as rendered
    from cm.errors import UsageError
    from cm.metrics.report import week_report

    if which and option and which != option:
        raise UsageError(_("Two different weeks are named."))
    named = which or option
    chosen = parse_week(named) if named else None
    with workspace(ctx) as opened:
        made = week_report(opened.env, chosen)
    if as_json:
        emit_json(made)
    else:
        show(*rendered(made))
