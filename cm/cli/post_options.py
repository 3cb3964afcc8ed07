"""What the commands that write a post share: their options, and how they tell what they did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli.render import emit_json, say
from cm.cli.render_posts import short_line
from cm.errors import UsageError
from cm.i18n import _
from cm.model.states import Severity

if TYPE_CHECKING:
    from cm.calendar.views import PostView

Ident = Annotated[str, typer.Argument(metavar="ID", help="The post's id (p212) or ref.")]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help="The text; - reads standard input.")]
File = Annotated[
    Path | None, typer.Option("-F", "--file", metavar="FILE", help="Read the text from this file; - is standard input.")
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Local time, 2026-12-03T09:00.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="announcement, event, quiz…")]
FieldPairs = Annotated[
    list[str] | None, typer.Option("--field", metavar="K=V", help="A field of its kind; repeatable.")
]
Story = Annotated[str | None, typer.Option("--story", metavar="REF", help="The story it belongs to.")]
Theme = Annotated[str | None, typer.Option("--theme", metavar="NAME", help="Its editorial theme.")]
Campaign = Annotated[str | None, typer.Option("--campaign", metavar="NAME", help="The campaign it is part of.")]
Objective = Annotated[str | None, typer.Option("--objective", metavar="KEY", help="The objective it serves.")]
Audience = Annotated[list[str] | None, typer.Option("--audience", metavar="KEY", help="Whom it is for; repeatable.")]
Language = Annotated[str | None, typer.Option("--language", metavar="TAG", help="fr, en…")]
Link = Annotated[str | None, typer.Option("--link", metavar="URL", help="The address it leads to.")]
Media = Annotated[list[str] | None, typer.Option("--media", metavar="FILE", help="A file of media/; repeatable.")]
Alt = Annotated[
    list[str] | None, typer.Option("--alt", metavar="TEXT", help="Text alternative of each --media, in order.")
]
Comment = Annotated[str | None, typer.Option("--first-comment", metavar="TEXT", help="A comment posted under it.")]
Ref = Annotated[str | None, typer.Option("--ref", metavar="REF", help="A name of your own for it.")]


def given(**values: Any) -> dict[str, Any]:
    """The options that were given, under the names of `NewPost`."""
    return {name: value for name, value in values.items() if value is not None}


def pairs_of(pairs: list[str] | None) -> dict[str, str] | None:
    if pairs is None:
        return None
    split = [pair.partition("=") for pair in pairs]
    bad = next((name + value for name, sign, value in split if not (name and sign)), None)
    if bad is not None:
        raise UsageError(_("{text!r} is not a field.").format(text=bad), hint=_("Write --field place=Hall"))
    return {name: value for name, _sign, value in split}


def tell(view: "PostView", as_json: bool) -> None:
    """A post that was just written: the line, what was noted, what is found wrong with it."""
    if as_json:
        emit_json(view.as_json())
        return
    say(short_line(view))
    for note in [*view.notes, *(f"{finding.severity.value}: {finding.reason}" for finding in view.findings)]:
        say(f"  {note}")
    if any(finding.severity is Severity.ERROR for finding in view.findings):
        say(_("  It will not be published before this is mended → cm post edit {id}").format(id=view.id))
