"""`cm channel`: the accounts we speak through."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli import channel_login, completion
from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import DryRun, Json, JsonLines, workspace
from cm.cli.platforms import PLATFORMS, platforms
from cm.cli.render import emit_json, emit_lines, facts, say, show, table
from cm.errors import NetworkTrouble, NotFound, PersonNeeded, UsageError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.words import channel_state_word, state_word

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cm.calendar.channels import ChannelView
    from cm.channels.port import ChannelError
    from cm.publishing.resume import Resumed
    from cm.publishing.standing import Stop
    from cm.workspace import Workspace

app = noun(_("Channels: list, show, check, log in, resume."))

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
    from cm.publishing.standing import stops_of

    with workspace(ctx) as opened:
        channels = [channel for channel in list_channels(opened.env) if channel.dormant or not dormant]
        stops, zone = stops_of(opened.env), opened.env.zone
    if as_json:
        emit_json({"channels": [_json(channel, stops.get(channel.name), zone) for channel in channels]})
        return
    if as_lines:
        emit_lines(_json(channel, stops.get(channel.name), zone) for channel in channels)
        return
    columns = (
        _("channel"), Column(_("platform"), spare=1), Column(_("account"), "prose"), _("owner"),
        Column(_("audiences"), "prose"), Column(_("state"), "prose"), Column(_("last post"), "prose"),
        number(_("planned"), spare=3), number(state_word("published", n=2), spare=2),
    )  # fmt: skip
    rows = [
        (
            c.name, c.platform, c.account, c.owner, ", ".join(c.audiences), _state(c, stops.get(c.name), zone),
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
    for stop in stops.values():
        say(f"{labelled(stop.channel, stop.reason)} → {stop.command}")


def _last(channel: "ChannelView") -> str | None:
    """The day of its last post, and whether that is too long ago."""
    last = channel.last_published_at
    day = f"{last:%Y-%m-%d}" if last else "–"
    return day + " · " + _("dormant") if channel.dormant else day


def _json(channel: "ChannelView", stop: "Stop | None", zone: "ZoneInfo") -> dict[str, Any]:
    return {**channel.as_json(), "pause": stop.as_json(zone) if stop else None}


def _state(channel: "ChannelView", stop: "Stop | None", zone: "ZoneInfo") -> str:
    """`active`, and that it is pretended, or that the engine has stopped it."""
    from cm.publishing.hold_words import moment

    words = [channel_state_word(channel.state)]
    if stop:
        words.append(_("at rest until {time}").format(time=moment(stop.until, zone)) if stop.until else _("stopped"))
    return " · ".join([*words, *(["SIMULATION"] if channel.simulated else [])])


@app.command("show", help=_("One channel in full."))
def show_(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Address, purpose, opening day and counts included."""
    from cm.calendar.channels import list_channels
    from cm.publishing.standing import stops_of

    with workspace(ctx) as opened:
        found = next((channel for channel in list_channels(opened.env) if channel.name == name), None)
        stop, zone = stops_of(opened.env).get(name), opened.env.zone
    if found is None:
        raise NotFound(
            _("There is no channel {name!r}.").format(name=name), hint=_("`cm channel list` shows their names.")
        )
    if as_json:
        emit_json(_json(found, stop, zone))
        return
    known = {**found.as_json(), "state": _state(found, stop, zone), "pause": stop.reason if stop else None}
    show(facts((title, _value(known[key])) for key, title in _names().items() if key != "pause" or stop))
    if stop:
        say(_("To let it go on: {command}").format(command=stop.command))


def _names() -> dict[str, str]:
    """What `channel show` tells, as it is called."""
    return {
        "name": _("name"), "platform": _("platform"), "adapter": _("adapter"), "account": _("account"),
        "address": _("address"), "owner": _("owner"), "owner_name": _("owner name"), "purpose": _("purpose"),
        "opened_on": _("opened on"), "audiences": _("audiences"), "state": _("state"),
        "pause": _("why"),
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
    from cm.channels.port import ChannelError
    from cm.publishing import accounts
    from cm.publishing.standing import stops_of

    with workspace(ctx) as opened:
        work = accounts.ensure_all(opened.env, {name: opened.adapter(name)})[0]
        try:
            info = accounts.check(opened.env, work)
        except ChannelError as error:
            raise _refused_by(name, error) from None
        stop = stops_of(opened.env).get(name)
    if as_json:
        facts = {"remote_id": info.remote_id, "handle": info.handle, "software": info.software}
        emit_json({"channel": name, **facts, "key_window": info.key_window, "limits": info.limits})
    else:
        said = _("{name}: we are {handle} ({id}) on {software}. A sending may be repeated with its key {window}.")
        window = _("for {n} s").format(n=info.key_window) if info.key_window < UNLIMITED else _("without limit")
        say(said.format(name=name, handle=info.handle, id=info.remote_id, software=info.software or "?", window=window))
        if stop:
            left = _("It is still at rest: {reason} → cm channel resume {name}")
            say(left.format(reason=stop.reason, name=name))


def _refused_by(name: str, error: "ChannelError") -> PersonNeeded | NetworkTrouble:
    """What a person is told when the platform did not answer as it should."""
    return channel_login.refused_by(
        name, error, _("Log in again: cm channel login {name}; or check address and network.").format(name=name)
    )


app.command("login", help=channel_login.LOGIN)(channel_login.login)
app.command("logout", help=channel_login.LOGOUT)(channel_login.logout)
app.command("platforms", help=PLATFORMS)(platforms)


@app.command(
    "resume", help=_("Let a stopped channel go on; says how many overdue posts go out and how many are missed.")
)
def resume(
    ctx: typer.Context,
    name: Name,
    release: Annotated[
        int | None, typer.Option("--release", metavar="N", min=1, help=_("Only the N newest overdue posts may go."))
    ] = None,
    miss_all: Annotated[bool, typer.Option("--miss-all", help=_("No overdue post goes: all are missed."))] = False,
    accept_identity: Annotated[
        bool, typer.Option("--accept-identity", help=_("The other account that answers there now is the right one."))
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Ends any pause: after a flood, a refused token, a platform that was out of reach, a rate limit."""
    from cm.publishing import resume as use_case

    if release is not None and miss_all:
        raise UsageError(_("--release and --miss-all exclude each other."), hint=_("Leave one of them out."))
    with workspace(ctx) as opened:
        done = use_case.resume(opened.env, name, release=release, miss_all=miss_all, dry_run=dry_run)
        if accept_identity and not dry_run:
            _accept_identity(opened, name)
    _tell_resumed(done, dry_run=dry_run)
    if as_json:
        emit_json({**done.as_json(), "dry_run": dry_run})


def _accept_identity(opened: "Workspace", name: str) -> None:
    from cm.channels.port import ChannelError
    from cm.publishing import accounts

    work = accounts.ensure_all(opened.env, {name: opened.adapter(name)})[0]
    try:
        accounts.accept_identity(opened.env, work)
    except ChannelError as error:
        raise _refused_by(name, error) from None


def _tell_resumed(done: "Resumed", *, dry_run: bool) -> None:
    if not done.paused:
        say(_("{channel} is not stopped: nothing to do.").format(channel=done.channel))
        return
    would = _("{channel} would go on (it was stopped: {reason}).")
    said = would if dry_run else _("{channel} goes on (it was stopped: {reason}).")
    say(said.format(channel=done.channel, reason=done.reason or "–"))
    if n := len(done.released):
        say(plural("{n} overdue post goes out.", "{n} overdue posts go out, one after the other.", n))
    if n := len(done.missed):
        missed = plural("{n} overdue post is missed", "{n} overdue posts are missed", n)
        say(missed + " → cm move state:missed --next")
