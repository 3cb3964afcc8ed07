"""`cm post check`: posts held to the rules now, with what their sending costs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cm.cli import completion
from cm.cli.options import Json, workspace
from cm.cli.post_preview import counted, dollars
from cm.cli.render import cell, emit_json, say, show
from cm.cli.terminal import safe
from cm.errors import Refused
from cm.formats import labelled, plural
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.checking import Checked, MessageCheck, PostCheck
    from cm.model.facts import Finding

CHECK = _("Hold posts to the rules now: what is found and why, how long they are, what sending costs.")

Meant = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILTER",
        autocompletion=completion.filters_or_posts,
        help=_("Ids, or key:value as in `cm post list`; without, all that may still go out."),
    ),
]


def check(ctx: typer.Context, filters: Meant = None, as_json: Json = False) -> None:
    """Nothing is written, and no network is asked. Exit 4 if something found stops a post."""
    from cm.calendar import checking

    with workspace(ctx) as opened:
        checked = checking.check_posts(opened.env, filters or ())
    if as_json:
        emit_json(checked.as_json())
    else:
        _tell(checked)
    if checked.errors:
        raise typer.Exit(Refused.exit_code)


def _tell(checked: "Checked") -> None:
    show(*(_card(post) for post in checked.posts))
    said = [
        plural("{n} post checked", "{n} posts checked", len(checked.posts)),
        plural("{n} error", "{n} errors", checked.errors),
        plural("{n} warning", "{n} warnings", checked.warnings),
    ]
    say(", ".join(said) + ".")
    if checked.price is not None:
        say(labelled(_("Price of all"), _price(checked.price, checked.without_links)))
    if unbilled := sum(post.price is not None and not post.billed for post in checked.posts):
        said_of_them = plural(
            "{n} post is not sent by its platform's interface (sandbox, files to paste): it is not charged for now.",
            "{n} posts are not sent by their platform's interface (sandbox, files to paste): not charged for now.",
            unbilled,
        )
        say(said_of_them)


def _card(post: "PostCheck") -> Text:
    """A head, a line for each message, what is found."""
    head = Text(f"{post.id} · {safe(post.channel)} ({safe(post.platform)})", style="bold")
    found = (line for finding in post.findings for line in _finding(finding))
    return Text("\n").join([head, *map(_message, post.messages), *found])


def _message(message: "MessageCheck") -> Text:
    role = "" if message.role == "part" else " " + _("comment")
    said = [f"{message.n}.{role} " + counted(message.used, message.most, message.unit, message.over)]
    if message.price is not None:
        said.append(_price(message.price, message.without_links))
    return Text(" · ".join(said))


def _price(price: float, without: float | None) -> str:
    """What it costs, and what it would without links where that is less."""
    if without is None or without == price:
        return dollars(price)
    return _("{price} with links, {less} without").format(price=dollars(price), less=dollars(without))


def _finding(finding: "Finding") -> Iterator[Text]:
    """What is wrong, then by which rule of whom."""
    from cm.checks.rules import PACK
    from cm.model.words import severity_word

    yield cell(f"! {labelled(severity_word(finding.severity), finding.reason)}")
    source = finding.source or _("rules of cm {version}").format(version=PACK)
    yield cell(f"  {finding.rule} · {source}", style="dim")
