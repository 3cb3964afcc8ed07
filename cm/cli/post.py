"""`cm post`: posts one by one."""

from typing import Annotated

import typer

from cm.cli import completion, post_after, post_check, post_plan, post_preview, post_write
from cm.cli.lazy import noun
from cm.cli.options import ChannelName, Json, JsonLines, WeekOption, week_given, workspace
from cm.cli.post_options import Ident, Kind, Story
from cm.cli.render import emit_json, emit_lines, say, show
from cm.cli.render_posts import post_card, post_table, tally
from cm.i18n import _

FILTERS = _("key:value, e.g. state:missed,failed channel:facebook week:next text:vaccin not-theme:sport; or ids.")

app = noun(_("Posts: add, list, edit, move, cancel, confirm, take down…"))

app.command(help=post_write.ADD)(post_write.add)


@app.command("list", help=_("Posts that filters mean (state:missed week:next), by time; all of them without."))
def list_(
    ctx: typer.Context,
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER", autocompletion=completion.filters_or_posts, help=FILTERS)
    ] = None,
    channel: ChannelName = None,
    audience: Annotated[
        str | None,
        typer.Option(
            "--audience", metavar="KEY", autocompletion=completion.audiences, help=_("Only posts for this audience.")
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state", metavar="STATE", autocompletion=completion.states, help=_("draft, scheduled, published, missed…")
        ),
    ] = None,
    week: WeekOption = None,
    story: Story = None,
    kind: Kind = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """In order of time; drafts last."""
    from cm.calendar.filter_words import state_named
    from cm.calendar.posts import list_posts

    with workspace(ctx) as opened:
        env = opened.env
        chosen = week_given(env, week)
        wanted = (state_named(state) or state) if state else None
        views = list_posts(
            env, filters or (), channel=channel, audience=audience, state=wanted, week=chosen, story=story, kind=kind
        )
    if as_lines:
        emit_lines(view.as_json() for view in views)
    elif as_json:
        emit_json({"posts": [view.as_json() for view in views]})
    else:
        if views:
            show(post_table(views))
        say(tally(view.state for view in views))


@app.command("show", help=_("One post in full."))
def show_(ctx: typer.Context, ident: Ident, as_json: Json = False) -> None:
    """Facts, messages, receipts, findings, attempts and what comes next."""
    from cm.calendar.posts import show as run
    from cm.publishing.tries import tries_of

    with workspace(ctx) as opened:
        view = run(opened.env, ident)
        tries = tries_of(opened.env, view)
    if as_json:
        emit_json({**view.as_json(), **tries.as_json()})
    else:
        show(*post_card(view, tries))


app.command(help=post_write.EDIT)(post_write.edit)
app.command(help=post_plan.MOVE)(post_plan.move)
app.command(help=post_plan.CANCEL)(post_plan.cancel)
app.command(help=post_preview.PREVIEW)(post_preview.preview)
app.command(help=post_check.CHECK)(post_check.check)
app.command(help=post_after.RETRY)(post_after.retry)
app.command(help=post_after.CONFIRM)(post_after.confirm)
app.command(help=post_after.TAKEDOWN)(post_after.takedown)
app.command(help=post_after.CORRECT)(post_after.correct)
