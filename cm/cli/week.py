"""`cm week [WEEK]`: the calendar of a week, for every day."""

from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.lazy import command
from cm.cli.options import ChannelName, Json, week_given, workspace
from cm.cli.render import console, emit_json, say, show
from cm.i18n import _

if TYPE_CHECKING:
    from cm.clock import Week
    from cm.env import Env

HELP = _("One week, as a grid of days and channels, or as a list.")

app, register = command(HELP)

WeekName = Annotated[
    str | None, typer.Argument(metavar="[WEEK]", help=_("2026-W48, next…; this week if none is named."))
]
Audience = Annotated[str | None, typer.Option("--audience", metavar="KEY", help=_("Only posts for this audience."))]
AsList = Annotated[bool, typer.Option("--list", help=_("One line a post instead of a grid."))]


@register
def week(
    ctx: typer.Context,
    name: WeekName = None,
    channel: ChannelName = None,
    audience: Audience = None,
    as_list: AsList = False,
    as_json: Json = False,
) -> None:
    """This week if none is named."""
    show_week(ctx, name, channel=channel, audience=audience, as_list=as_list, as_json=as_json)


def chosen_week(env: "Env", text: str | None) -> "Week":
    """The week that `text` names, this one without it. Raises UsageError."""
    from cm.clock import local_day, week_of

    return week_given(env, text) or week_of(local_day(env.now, env.zone))


def show_week(
    ctx: typer.Context, name: str | None, *, channel: str | None, audience: str | None, as_list: bool, as_json: bool
) -> None:
    """Print a week; what `cm week` and `cm calendar show` do."""
    from cm.calendar.overview import grid
    from cm.calendar.posts import list_posts
    from cm.cli.render_calendar import forgotten_line, week_grids
    from cm.cli.render_posts import post_table, tally

    with workspace(ctx) as opened:
        chosen = chosen_week(opened.env, name)
        if not (as_json or as_list):
            made = grid(opened.env, chosen, channel=channel, audience=audience)
            show(*week_grids(made, console().width))
            say(tally(post.state for cell in made.cells.values() for post in cell.posts))
            if line := forgotten_line(made):
                say(line)
            return
        views = list_posts(opened.env, week=chosen, channel=channel, audience=audience)
    if as_json:
        emit_json({"week": str(chosen), "posts": [view.as_json() for view in views]})
        return
    if views:
        show(post_table(views))
    say(tally(view.state for view in views))
