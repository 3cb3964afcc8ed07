"""`cm channel`: the accounts we speak through."""

from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import completion
from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import Json, JsonLines, workspace
from cm.cli.render import emit_json, emit_lines, facts, say, show, table
from cm.errors import NetworkTrouble, NotFound, PersonNeeded
from cm.formats import plural
from cm.i18n import _
from cm.model.words import channel_state_word, state_word

if TYPE_CHECKING:
    from cm.calendar.channels import ChannelView

app = noun(_("Channels: list, show, check."))

UNLIMITED = 10**9
"""A key window that no run of cm sees the end of, in seconds."""

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completion.channels, help=_("The channel's name."))]


@app.command("list", help=_("Every channel with platform, account, owner, audiences, state and last post."))
def list_(
    ctx: typer.Context,
    dormant: Annotated[bool, typer.Option("--dormant", help=_("Only channels that are silent for too long."))] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """The register of official accounts."""
    from cm.calendar.channels import list_channels

    with workspace(ctx) as opened:
        channels = [channel for channel in list_channels(opened.env) if channel.dormant or not dormant]
    if as_json:
        emit_json({"channels": [channel.as_json() for channel in channels]})
        return
    if as_lines:
        emit_lines(channel.as_json() for channel in channels)
        return
    columns = (
        _("channel"), _("platform"), Column(_("account"), "prose"), _("owner"), Column(_("audiences"), "prose"),
        Column(_("state"), "prose"), Column(_("last post"), "prose"), number(_("planned"), spare=2),
        number(state_word("published", n=2), spare=1),
    )  # fmt: skip
    rows = [
        (
            c.name, c.platform, c.account, c.owner, ", ".join(c.audiences), _state(c.state, simulated=c.simulated),
            _last(c), c.planned, c.published,
        )
        for c in channels
    ]  # fmt: skip
    if rows:
        show(table(columns, rows))
    if dormant:
        say(plural("{n} dormant channel.", "{n} dormant channels.", len(rows)))
    else:
        say(plural("{n} channel.", "{n} channels.", len(rows)))


def _last(channel: "ChannelView") -> str | None:
    """The day of its last post, and whether that is too long ago."""
    last = channel.last_published_at
    day = f"{last:%Y-%m-%d}" if last else "–"
    return day + " · " + _("dormant") if channel.dormant else day


def _state(state: str, *, simulated: bool) -> str:
    word = channel_state_word(state)
    return f"{word} · SIMULATION" if simulated else word


@app.command("show", help=_("One channel in full."))
def show_(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Address, purpose, opening day and counts included."""
    from cm.calendar.channels import list_channels

    with workspace(ctx) as opened:
        found = next((channel for channel in list_channels(opened.env) if channel.name == name), None)
    if found is None:
        raise NotFound(
            _("There is no channel {name!r}.").format(name=name), hint=_("`cm channel list` shows their names.")
        )
    if as_json:
        emit_json(found.as_json())
        return
    known = {**found.as_json(), "state": _state(found.state, simulated=found.simulated)}
    show(facts((name, _value(known[key])) for key, name in _names().items()))


def _names() -> dict[str, str]:
    """What `channel show` tells, as it is called."""
    return {
        "name": _("name"), "platform": _("platform"), "adapter": _("adapter"), "account": _("account"),
        "address": _("address"), "owner": _("owner"), "owner_name": _("owner name"), "purpose": _("purpose"),
        "opened_on": _("opened on"), "audiences": _("audiences"), "state": _("state"),
        "successor": _("successor"), "planned": _("planned"), "published": state_word("published", n=2),
        "last_published_at": _("last published at"), "dormant": _("dormant"),
    }  # fmt: skip


def _value(value: object) -> object:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@app.command("check", help=_("Ask the platform who we are there; ends a stop for authorisation when it succeeds."))
def check(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Exit 6 when the platform cannot be reached, 7 when it does not accept us."""
    from cm.channels.port import AuthFailed, ChannelError
    from cm.publishing import accounts

    with workspace(ctx) as opened:
        work = accounts.ensure_all(opened.env, {name: opened.adapter(name)})[0]
        try:
            info = accounts.check(opened.env, work)
        except ChannelError as error:
            kind = PersonNeeded if isinstance(error, AuthFailed) else NetworkTrouble
            raise kind(
                _("{name}: {reason}").format(name=name, reason=error.reason),
                hint=_("Check the token, the address and the network."),
                details={"channel": name},
            ) from None
    if as_json:
        facts = {"remote_id": info.remote_id, "handle": info.handle, "software": info.software}
        emit_json({"channel": name, **facts, "key_window": info.key_window, "limits": info.limits})
    else:
        said = _("{name}: we are {handle} ({id}) on {software}. A sending may be repeated with its key {window}.")
        window = _("for {n} s").format(n=info.key_window) if info.key_window < UNLIMITED else _("without limit")
        say(said.format(name=name, handle=info.handle, id=info.remote_id, software=info.software or "?", window=window))
