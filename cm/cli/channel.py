"""`cm channel`: the accounts we speak through."""

from typing import Annotated

import typer

from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import Json, workspace
from cm.cli.render import emit_json, say, show, table
from cm.errors import NetworkTrouble, NotFound, PersonNeeded
from cm.formats import plural
from cm.i18n import _

app = noun("Channels: list, show, check.")

UNLIMITED = 10**9
"""A key window that no run of cm sees the end of, in seconds."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]


@app.command("list", help="Every channel with platform, account, owner, audiences and state.")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """The register of official accounts."""
    from cm.calendar.channels import list_channels

    with workspace(ctx) as opened:
        channels = list_channels(opened.env)
    if as_json:
        emit_json({"channels": [channel.as_json() for channel in channels]})
        return
    columns = (
        "channel", "platform", Column("account", "prose"), "owner", Column("audiences", "prose"),
        Column("state", "prose"), number("planned", spare=2), number("published", spare=1),
    )  # fmt: skip
    rows = [
        (
            c.name, c.platform, c.account, c.owner, ", ".join(c.audiences), _state(c.state, simulated=c.simulated),
            c.planned, c.published,
        )
        for c in channels
    ]  # fmt: skip
    if rows:
        show(table(columns, rows))
    say(plural("{n} channel.", "{n} channels.", len(rows)))


def _state(state: str, *, simulated: bool) -> str:
    return f"{state} · SIMULATION" if simulated else state


@app.command("show", help="One channel in full.")
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
    facts = {**found.as_json(), "state": _state(found.state, simulated=found.simulated)}
    del facts["simulated"]
    show(table(("field", Column("value", "prose")), [(key.replace("_", " "), _value(facts[key])) for key in facts]))


def _value(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@app.command("check", help="Ask the platform who we are there; ends a stop for authorisation when it succeeds.")
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
