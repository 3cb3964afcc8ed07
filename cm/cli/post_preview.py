"""`cm post preview`: a post as each channel will show it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from cm.cli.options import Json, workspace
from cm.cli.post_options import Channels, Ident
from cm.cli.render import cell, emit_json, show
from cm.cli.terminal import safe
from cm.formats import labelled, number
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.previewing import MessagePreview, PostPreview
    from cm.channels.port import Preview

PREVIEW = _("A post as its channel will cut, count, card and price it; with --channel, as others would.")


def preview(ctx: typer.Context, ident: Ident, channel: Channels = None, as_json: Json = False) -> None:
    """Nothing is sent, and no network is asked."""
    from cm.calendar import previewing
    from cm.calendar.shortnames import channels_called

    with workspace(ctx) as opened:
        wanted = channels_called(opened.env.config, channel) if channel else ()
        found = previewing.preview(opened.env, ident, opened.adapter, wanted)
    if as_json:
        emit_json({"previews": [each.as_json() for each in found]})
        return
    show(*(card for each in found for card in _cards(each)))


def _cards(post: "PostPreview") -> "Iterator[Text]":
    """A head, the messages, what the checks say."""
    head = f"{post.id} · {safe(post.channel)} ({safe(post.platform)})"
    total = [_("{price} in all").format(price=dollars(post.price))] if post.price and len(post.messages) > 1 else []
    yield Text(" · ".join([head, *total]), style="bold")
    for message in post.messages:
        yield _message(message)
    if post.findings:
        yield Text("\n").join(cell(f"! {finding.reason}") for finding in post.findings)


def _message(message: "MessagePreview") -> Text:
    shown = message.shown
    role = "" if message.role == "part" else " " + _("comment")
    count = counted(shown.used, shown.most, shown.unit, message.over)
    lines = [Text(f"{message.n}.{role} {count}"), cell(_cut(shown))]
    if shown.card:
        lines.append(cell(labelled(_("card"), shown.card)))
    lines += [cell(labelled(_("picture or film"), said)) for said in message.media]
    if shown.price is not None:
        lines.append(cell(labelled(_("price"), dollars(shown.price))))
    lines += [cell(f"– {note}") for note in shown.notes]
    return Text("\n").join(lines)


def counted(used: int, most: int | None, unit: str, over: int) -> str:
    """`203 of 280 weights`, and what is too much."""
    from cm.checks.formats import unit_name

    if most is None:
        return f"{number(used)} {unit_name(unit)}"
    said = _("{used} of {most} {unit}").format(used=number(used), most=number(most), unit=unit_name(unit))
    return said + ", " + _("{n} too many").format(n=number(over)) if over else said


def _cut(shown: "Preview") -> str:
    """The text, with a mark where the platform folds it."""
    if shown.folded_at is None:
        return shown.text
    mark = _("more")
    return f"{shown.text[: shown.folded_at]}⟪{mark}⟫{shown.text[shown.folded_at :]}"


def dollars(price: float | None) -> str:
    """`0.200 US dollars`."""
    return _("{n} US dollars").format(n=number(price or 0, 3))
