"""`cm calendar`: the plan as a whole."""

from datetime import timedelta
from typing import Annotated

import typer

from cm.cli import calendar_files, week
from cm.cli.lazy import noun
from cm.cli.options import ChannelName, FirstDay, Json, LastDay, WeekOption, day_given, workspace
from cm.cli.render import cell, emit_json, say, show
from cm.clock import local_day, parse_month
from cm.errors import UsageError
from cm.i18n import _

app = noun(_("The calendar: show a week, find gaps, import and export."), bare="show", shows=None)


@app.command("show", help=week.HELP)
def show_(
    ctx: typer.Context,
    name: WeekOption = None,
    channel: ChannelName = None,
    audience: week.Audience = None,
    as_list: week.AsList = False,
    as_json: Json = False,
) -> None:
    """This week if none is named."""
    week.show_week(ctx, name, channel=channel, audience=audience, as_list=as_list, as_json=as_json)


@app.command(help=_("Days with fewer or more posts than the cadence asks for, and the first one to come."))
def gaps(
    ctx: typer.Context,
    name: WeekOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    channel: ChannelName = None,
    ahead: Annotated[
        bool, typer.Option("--next", help=_("Only each channel's first coming day below its quota."))
    ] = False,
    as_json: Json = False,
) -> None:
    """This week and the next three if no span is named; the forecast looks 60 days ahead."""
    from cm.calendar.forecast import HORIZON_DAYS
    from cm.calendar.overview import gaps as run
    from cm.cli.render_calendar import gap_table, next_gap_lines

    if name and (first or last):
        raise UsageError(_("Give --week or --from and --to, not both."))
    with workspace(ctx) as opened:
        monday = week.chosen_week(opened.env, name).monday
        start = day_given(opened.env, first) if first else monday
        end = (
            day_given(opened.env, last)
            if last
            else (monday + timedelta(days=6) if name else start + timedelta(days=27))
        )
        found = run(opened.env, start, end, channel=channel)
    if as_json:
        emit_json(found.as_json())
        return
    if found.next_gap:
        show(cell(next_gap_lines(found, HORIZON_DAYS)))
    if ahead:
        return
    made = gap_table(found)
    if made is not None:
        show(made)
    off = sum(day.status != "ok" for day in found.days)
    say(_("{n} of {all} days are outside the cadence.").format(n=off, all=len(found.days)))


@app.command(help=_("How a period is covered: weekdays by slots, with the empty ones, and the kinds of post."))
def coverage(
    ctx: typer.Context,
    month: Annotated[str | None, typer.Option("--month", metavar="MONTH", help=_("A month, e.g. 2026-12."))] = None,
    first: FirstDay = None,
    last: LastDay = None,
    channel: ChannelName = None,
    as_json: Json = False,
) -> None:
    """This month if no span is named. The cells and the posts at other times add up to the planned posts."""
    from cm.calendar.coverage import coverage as run
    from cm.cli.render_coverage import coverage_tables

    if (first is None) is not (last is None) or (month and first):
        raise UsageError(_("Give --month, or --from and --to."))
    with workspace(ctx) as opened:
        today = local_day(opened.env.now, opened.env.zone)
        start, end = (
            (day_given(opened.env, first), day_given(opened.env, last))
            if first and last
            else parse_month(month or f"{today:%Y-%m}")
        )
        found = run(opened.env, start, end, channel=channel)
    if as_json:
        emit_json(found.as_json())
    else:
        show(*coverage_tables(found))


calendar_files.add_to(app)
