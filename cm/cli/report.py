"""`cm report`: what management reads on Monday."""

from typing import Annotated

import typer

from cm.cli.lazy import noun
from cm.cli.options import Json, week_given, workspace
from cm.cli.render import emit_json, show
from cm.errors import UsageError
from cm.i18n import _

app = noun(_("The weekly report."), bare="week", shows="week")


@app.callback()
def report() -> None:
    """Reports are made from the database alone: the same data give the same bytes."""


@app.command(help=_("One ISO week: the last complete one if none is named."))
def week(
    ctx: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(metavar="[WEEK]", help=_("2026-W48, last…; the last complete week if none is named.")),
    ] = None,
    option: Annotated[str | None, typer.Option("--week", metavar="WEEK", help=_("The same as an option."))] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=_("A Markdown document, for a mail or an intranet page."))
    ] = False,
    as_json: Json = False,
) -> None:
    """Plan and quota, reach, engagement with its denominators, days, mixes, best and worst posts, what is missing."""
    from cm.cli.render_report import week_report as document
    from cm.cli.sections import on_terminal, print_markdown
    from cm.metrics.report import week_report

    if which and option and which != option:
        raise UsageError(_("Two different weeks are named."))
    if markdown and as_json:
        raise UsageError(_("--markdown and --json exclude each other."), hint=_("Leave one of them out."))
    named = which or option
    with workspace(ctx) as opened:
        made = week_report(opened.env, week_given(opened.env, named))
    if as_json:
        emit_json(made)
    elif markdown:
        print_markdown(document(made))
    else:
        show(*on_terminal(document(made)))
