"""`cm story`: one idea, told differently to each audience."""

from typing import Annotated

import typer

from cm.cli import completion
from cm.cli.columns import Column
from cm.cli.lazy import noun
from cm.cli.options import Json, JsonLines, workspace
from cm.cli.render import emit_json, emit_lines, say, show, table
from cm.cli.render_posts import story_card
from cm.formats import plural
from cm.i18n import _

app = noun(_("Stories: one idea, told differently to each audience. List, show."))


@app.command("list", help=_("Every story with its channels and number of posts."))
def list_(ctx: typer.Context, as_json: Json = False, as_lines: JsonLines = False) -> None:
    """By their refs."""
    from cm.calendar.stories import list_stories

    with workspace(ctx) as opened:
        stories = list_stories(opened.env)
    if as_json:
        emit_json({"stories": [story.as_json() for story in stories]})
        return
    if as_lines:
        emit_lines(story.as_json() for story in stories)
        return
    rows = [
        (s.ref, ", ".join(f"{name} {n}" for name, n in s.channels.items()), ", ".join(s.audiences)) for s in stories
    ]
    if rows:
        show(table((Column(_("story"), "prose"), Column(_("posts"), "prose"), Column(_("audiences"), "prose")), rows))
    say(plural("{n} story.", "{n} stories.", len(rows)))


@app.command("show", help=_("The posts of one story together."))
def show_(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="STORY", autocompletion=completion.stories, help=_("The story's ref."))],
    as_json: Json = False,
) -> None:
    """What each audience is told."""
    from cm.calendar.stories import show_story

    with workspace(ctx) as opened:
        story = show_story(opened.env, ref)
    if as_json:
        emit_json(story.as_json())
    else:
        show(*story_card(story))
