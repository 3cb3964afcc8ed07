"""What the commands that write a post share: their options, and how they tell what they did."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli import completion
from cm.cli.render import emit_json, say
from cm.cli.render_posts import short_line
from cm.errors import UsageError
from cm.formats import labelled
from cm.i18n import _
from cm.model.states import Severity
from cm.model.words import severity_word

if TYPE_CHECKING:
    from cm.calendar.views import PostView

Ident = Annotated[
    str, typer.Argument(metavar="ID", autocompletion=completion.posts, help=_("The post's id (p212) or ref."))
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        "-c",
        metavar="NAMES",
        autocompletion=completion.channels,
        help=_("Where it goes: fb,x; short names and beginnings are understood."),
    ),
]
Words = Annotated[list[str] | None, typer.Argument(metavar="TEXT", help=_("The text, as with --text."))]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help=_("The text; - reads standard input."))]
File = Annotated[
    Path | None,
    typer.Option("-F", "--file", metavar="FILE", help=_("Read the text from this file; - is standard input.")),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help=_('Local time: "tomorrow 9h", "3/12 18h30", 2026-12-03T09:00.')),
]
Kind = Annotated[
    str | None,
    typer.Option("--kind", "-k", metavar="KIND", autocompletion=completion.kinds, help=_("announcement, event, quiz…")),
]
FieldPairs = Annotated[
    list[str] | None, typer.Option("--field", metavar="K=V", help=_("A field of its kind; repeatable."))
]
Story = Annotated[
    str | None,
    typer.Option("--story", metavar="REF", autocompletion=completion.stories, help=_("The story it belongs to.")),
]
Theme = Annotated[
    str | None,
    typer.Option("--theme", metavar="NAME", autocompletion=completion.themes, help=_("Its editorial theme.")),
]
Campaign = Annotated[
    str | None,
    typer.Option(
        "--campaign", metavar="NAME", autocompletion=completion.campaigns, help=_("The campaign it is part of.")
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective", metavar="KEY", autocompletion=completion.objectives, help=_("The objective it serves.")
    ),
]
Audience = Annotated[
    list[str] | None,
    typer.Option(
        "--audience", metavar="KEY", autocompletion=completion.audiences, help=_("Whom it is for; repeatable.")
    ),
]
Language = Annotated[str | None, typer.Option("--language", metavar="TAG", help=_("fr, en…"))]
Link = Annotated[str | None, typer.Option("--link", metavar="URL", help=_("The address it leads to."))]
Media = Annotated[list[str] | None, typer.Option("--media", metavar="FILE", help=_("A file of media/; repeatable."))]
Alt = Annotated[
    list[str] | None, typer.Option("--alt", metavar="TEXT", help=_("Text alternative of each --media, in order."))
]
Comment = Annotated[str | None, typer.Option("--first-comment", metavar="TEXT", help=_("A comment posted under it."))]
Internal = Annotated[bool, typer.Option("--internal", help=_("For people inside: short for --audience staff."))]
Urgent = Annotated[
    bool, typer.Option("--urgent", help=_("Now, outside the quota; without -c (or -c all) on every active channel."))
]
Again = Annotated[
    bool, typer.Option("--again", help=_("With --urgent: also if these very words were told in the last 24 hours."))
]
Crisis = Annotated[bool, typer.Option("--crisis", help=_("It passes holds."))]
CrisisMark = Annotated[
    bool | None, typer.Option("--crisis/--no-crisis", help=_("Let it pass holds, or no longer."), show_default=False)
]
Statement = Annotated[
    bool, typer.Option("--statement", help=_("The holding statement of config.yaml, in each channel's language."))
]
Ref = Annotated[str | None, typer.Option("--ref", metavar="REF", help=_("A name of your own for it."))]


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
    found = (labelled(severity_word(finding.severity), finding.reason) for finding in view.findings)
    for note in (*view.notes, *found):
        say(f"  {note}")
    if any(finding.severity is Severity.ERROR for finding in view.findings):
        say(_("  It will not be published before this is mended → cm post edit {id}").format(id=view.id))


def tell_all(views: "Sequence[PostView]", as_json: bool) -> None:
    """The posts of one story that were just written; a single one as `tell` does."""
    if as_json and len(views) > 1:
        emit_json({"story": views[0].story, "posts": [view.as_json() for view in views]})
        return
    for view in views:
        tell(view, as_json)
