"""`cm calendar`: the plan as a whole."""

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import ChannelName, DryRun, Json, Over, WeekOption, read_bytes, workspace
from cm.cli.render import console, emit_json, say, show, table
from cm.cli.terminal import safe
from cm.clock import Week, local_day, parse_day, parse_week, week_of
from cm.errors import Refused, UsageError
from cm.i18n import _
from cm.model.states import Severity

if TYPE_CHECKING:
    from cm.calendar.importing import ImportResult
    from cm.env import Env

CONTEXT = 12
"""Characters shown before a difference."""

app = noun("The calendar: show a week, find gaps, import and export.", bare="show", shows=None)

Audience = Annotated[str | None, typer.Option("--audience", metavar="KEY", help="Only posts for this audience.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day, e.g. 2026-11-23.")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, included.")]


def _week(env: "Env", text: str | None) -> Week:
    return parse_week(text) if text else week_of(local_day(env.now, env.zone))


def _day(text: str) -> date:
    day = parse_day(text)
    if day is None:
        raise UsageError(_("{text!r} is not a day.").format(text=text), hint=_("Write it as 2026-11-23."))
    return day


@app.command("show", help="One week, as a grid or a list.")
def show_(
    ctx: typer.Context,
    week: WeekOption = None,
    channel: ChannelName = None,
    audience: Audience = None,
    as_list: Annotated[bool, typer.Option("--list", help="One line a post instead of a grid.")] = False,
    as_json: Json = False,
) -> None:
    """This week if none is named."""
    from cm.calendar.overview import grid
    from cm.calendar.posts import list_posts
    from cm.cli.render_calendar import week_grids
    from cm.cli.render_posts import post_table, tally

    with workspace(ctx) as opened:
        chosen = _week(opened.env, week)
        if not (as_json or as_list):
            made = grid(opened.env, chosen, channel=channel, audience=audience)
            show(*week_grids(made, console().width))
            say(tally(post.state for cell in made.cells.values() for post in cell.posts))
            return
        views = list_posts(opened.env, week=chosen, channel=channel, audience=audience)
    if as_json:
        emit_json({"week": str(chosen), "posts": [view.as_json() for view in views]})
        return
    if views:
        show(post_table(views))
    say(tally(view.state for view in views))


@app.command(help="Days with fewer or more posts than the cadence asks for.")
def gaps(
    ctx: typer.Context,
    week: WeekOption = None,
    first: From = None,
    last: To = None,
    channel: ChannelName = None,
    as_json: Json = False,
) -> None:
    """This week and the next three if no span is named."""
    from cm.calendar.overview import gaps as run
    from cm.cli.render_calendar import gap_table

    if week and (first or last):
        raise UsageError(_("Give --week or --from and --to, not both."))
    with workspace(ctx) as opened:
        monday = _week(opened.env, week).monday
        start = _day(first) if first else monday
        end = _day(last) if last else (monday + timedelta(days=6) if week else start + timedelta(days=27))
        found = run(opened.env, start, end, channel=channel)
    if as_json:
        emit_json(found.as_json())
        return
    off = [day for day in found.days if day.status != "ok"]
    if off:
        show(gap_table(off))
    say(_("{n} of {all} days are outside the cadence.").format(n=len(off), all=len(found.days)))


@app.command(
    "import", help="Bring a calendar in from our CSV: new rows are planned, changed ones updated, none removed."
)
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file, UTF-8; - reads standard input.")],
    dry_run: DryRun = False,
    partial: Annotated[bool, typer.Option("--partial", help="Take the good rows, report the bad ones.")] = False,
    over: Over = None,
    as_json: Json = False,
) -> None:
    """All or nothing unless --partial; exit 4 if a row is refused."""
    from cm.calendar.importing import import_posts

    data = read_bytes(file)
    with workspace(ctx) as opened:
        result = import_posts(opened.env, data, filename=file.name, dry_run=dry_run, partial=partial, over=over)
    if as_json:
        emit_json(result.as_json())
    else:
        _tell(result, partial)
    if result.errors:
        raise typer.Exit(Refused.exit_code)


def _tell(result: "ImportResult", partial: bool) -> None:
    tables = []
    if result.changes:
        columns = ("post", "column", Column("before", "line"), Column("after", "line"))
        tables.append(
            table(
                columns,
                [(c["ref"] or c["id"], c["column"], *differing(c["before"], c["after"])) for c in result.changes],
            )
        )
    if result.errors:
        columns_ = (number("row"), "column", Column("reason", "prose"))
        tables.append(table(columns_, [(e.row, e.column, e.message) for e in result.errors]))
    show(*tables)
    for note in result.notes:
        say(_("row {row}: {message}").format(row=note["row"], message=note["message"]))
    for finding in result.findings:
        said = _("row {row}: {severity}: {reason}")
        say(said.format(row=finding["row"], severity=finding["severity"], reason=finding["reason"]))
    _tell_counts(result, partial)


def differing(before: str, after: str) -> tuple[str, str]:
    """Two texts from shortly before the place where they begin to differ."""
    pairs = zip(before, after, strict=False)
    same = next((n for n, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))
    start = max(0, same - CONTEXT)
    lead = "…" if start else ""
    return lead + before[start:], lead + after[start:]


def _tell_counts(result: "ImportResult", partial: bool) -> None:
    refused = len({error.row for error in result.errors})
    counts = _("{created} created, {updated} updated, {unchanged} unchanged, {refused} refused").format(
        created=result.created, updated=result.updated, unchanged=result.unchanged, refused=refused
    )
    mend = len({finding["row"] for finding in result.findings if finding["severity"] == Severity.ERROR})
    if mend:
        say(_("{n} of these posts will not be published before they are mended (cm post edit).").format(n=mend))
    if result.dry_run:
        say(_("{counts} (dry run: nothing was written).").format(counts=counts))
    elif result.errors and not partial:
        said = _("{n} rows are refused. Nothing was written: correct them, or take the others with --partial.")
        say(said.format(n=refused))
    else:
        say(f"{counts}.")


@app.command(help="Write the calendar as our CSV.")
def export(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to; standard output if left out.")
    ] = None,
    week: WeekOption = None,
    channel: ChannelName = None,
    excel: Annotated[bool, typer.Option("--excel", help="Semicolons and a byte-order mark, for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """Import takes it back without a change."""
    from cm.calendar.exporting import export_posts

    chosen = parse_week(week) if week else None
    with workspace(ctx) as opened:
        data = export_posts(opened.env, week=chosen, channel=channel, excel=excel)
    if file is None:
        _print_csv(data, as_json=as_json)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(_("{file} cannot be written: {error}").format(file=file, error=error.strerror)) from None
    if as_json:
        emit_json({"file": str(file), "bytes": len(data)})
    else:
        say(_("Written to {file}.").format(file=file))


def _print_csv(data: bytes, *, as_json: bool) -> None:
    """The file's very bytes into a pipe; on a terminal, made harmless."""
    if as_json:
        emit_json({"file": None, "bytes": len(data), "csv": data.decode()})
    elif sys.stdout.isatty():
        sys.stdout.write(safe(data.decode().replace("\r\n", "\n"), newlines=True))
    else:
        typer.get_binary_stream("stdout").write(data)
