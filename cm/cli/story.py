"""`cm story`: one idea, told differently to each audience."""

from typing import Annotated

import typer

from cm.cli.columns import Column
from cm.cli.lazy import noun
from cm.cli.options import Json, workspace
from cm.cli.render import emit_json, say, show, table
from cm.cli.render_posts import story_card
from cm.formats import plural

app = noun("Stories: one idea, told differently to each audience. List, show.")


@app.command("list", help="Every story with its channels and number of posts.")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """By their refs."""
    from cm.calendar.stories import list_stories

    with workspace(ctx) as opened:
        stories = list_stories(opened.env)
    if as_json:
        emit_json({"stories": [story.as_json() for story in stories]})
        return
    rows = [
        (s.ref, ", ".join(f"{name} {n}" for name, n in s.channels.items()), ", ".join(s.audiences)) for s in stories
    ]
    if rows:
        show(table((Column("story", "prose"), Column("posts", "prose"), Column("audiences", "prose")), rows))
    say(plural("{n} story.", "{n} stories.", len(rows)))


@app.command("show", help="The posts of one story together.")
def show_(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="STORY", help="The story's ref.")],
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
