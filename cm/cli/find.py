"""`cm find WORDS…`: posts by their words."""

from typing import Annotated

import typer

from cm.cli import completion
from cm.cli.lazy import command
from cm.cli.options import Json, JsonLines, workspace
from cm.cli.progress import progress
from cm.cli.render import emit_json, emit_lines, say, show
from cm.formats import plural
from cm.i18n import _

HELP = _("Find posts by their words, whatever the accents; state:missed, channel:facebook… narrow it down.")

app, register = command(HELP)

Wanted = Annotated[
    list[str],
    typer.Argument(
        metavar="WORDS…",
        autocompletion=completion.filters,
        help=_("All must be there; the last may be a beginning, quotes keep words together."),
    ),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help=_("Show so many at most."))]


@register
def find(
    ctx: typer.Context, words: Wanted, limit: Limit = 50, as_json: Json = False, as_lines: JsonLines = False
) -> None:
    """In texts, first comments, text alternatives, links, refs, themes, campaigns, stories and fields."""
    from cm.calendar.finding import find as run
    from cm.cli.render_find import hit_table

    with workspace(ctx) as opened, progress(_("Indexing posts…"), quiet=as_json or as_lines) as told:
        found = run(opened.env, words, limit=limit, told=told)
    if found.unindexed:
        say(
            plural(
                "{n} post is not looked at: another program is writing. Search again when it has ended.",
                "{n} posts are not looked at: another program is writing. Search again when it has ended.",
                found.unindexed,
            )
        )
    if as_json:
        emit_json(found.as_json())
        return
    if as_lines:
        emit_lines(hit.as_json() for hit in found.hits)
        return
    if found.hits:
        show(hit_table(found.hits))
    say(_told(len(found.hits), found.total, phrase=any(" " in word for word in words)))


def _told(shown: int, total: int, *, phrase: bool) -> str:
    if not total and phrase:
        return _("Nothing found. Words between quotes are looked for as they stand: leave the quotes out.")
    if not total:
        return _("Nothing found. Every word must be there: try fewer words, or the beginning of one.")
    said = plural("{n} post found.", "{n} posts found.", total)
    if shown == total:
        return said
    more = plural("{n} more is not shown", "{n} more are not shown", total - shown)
    return f"{said} " + _("{more} (--limit N, or one more word).").format(more=more)
