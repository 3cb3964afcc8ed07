"""`cm hold`: nothing goes out, until somebody says otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli import completion
from cm.cli.editor import at_terminal, line
from cm.cli.lazy import noun
from cm.cli.options import Json, workspace
from cm.cli.render import emit_json, say
from cm.errors import Refused, UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from datetime import datetime

    from cm.env import Env
    from cm.publishing.heldposts import HeldPost
    from cm.publishing.holds import HoldView
    from cm.workspace import Workspace

Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        "-c",
        metavar="NAME",
        autocompletion=completion.channels,
        help=_("Only this channel; repeatable. Without it: all of them."),
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help=_('It ends by itself then: "19h", "tomorrow 9h".'))
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="REASON", help=_("Why; else you are asked after."))]

app = noun(_("Hold everything, or some channels: on, off, status."), bare="status", shows=None)


@app.command("on", help=_("Hold everything at once (or some channels); the reason is asked after."))
def on(
    ctx: typer.Context,
    channel: Channels = None,
    until: Until = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """The hold stands before anything is asked."""
    with workspace(ctx, warn=False) as opened:
        hold, fault = begin(opened, channel or (), until, reason)
        tell(opened, hold, fault, as_json=as_json)


def begin(
    opened: "Workspace", channels: Sequence[str], until: str | None, reason: str | None, *, at_all_costs: bool = False
) -> "tuple[HoldView, str]":
    """Hold; gives what is wrong with the reason too. Raises UsageError, NotFound: then nothing is held.

    `at_all_costs`: an end that cannot be read keeps nobody from holding either, and a busy database is not waited for.
    """
    from cm.calendar.shortnames import channels_called
    from cm.publishing.holds import set_hold

    env = opened.env
    names = channels_called(env.config, channels) if channels else []
    end, unread = _end(env, until, at_all_costs=at_all_costs)
    kept, fault = _reason(reason)
    hold = set_hold(env, channels=names, until=end, reason=kept, patiently=not at_all_costs)
    return hold, "\n".join(filter(None, (unread, fault)))


def _end(env: "Env", until: str | None, *, at_all_costs: bool) -> "tuple[datetime | None, str]":
    """When it ends by itself, and what is wrong with that if it holds all the same."""
    from cm.calendar.times import read_when

    if until is None:
        return None, ""
    try:
        return read_when(until, now=env.now, zone=env.zone).instant, ""
    except UsageError as error:
        if not at_all_costs:
            raise
        return None, _("It has no end: {why}").format(why=error.message)


def tell(opened: "Workspace", hold: "HoldView", fault: str, *, as_json: bool) -> None:
    """Say that it is held, ask why, show how things stand."""
    from cm.publishing.heldposts import situation
    from cm.publishing.holds import active

    env = opened.env
    if as_json:
        others = [other for other in active(env) if other.id != hold.id]
        emit_json({**_begun_json(env, hold, others, vars(situation(env, hold.channels))), "fault": fault or None})
        return
    from cm.cli import render_hold

    say(render_hold.sentence(hold, env))
    if fault:
        say(fault)
    hold = hold if hold.reason else _ask_why(env, hold)
    others = [other for other in active(env) if other.id != hold.id]
    render_hold.show_begun(env, hold, others, situation(env, hold.channels))


def _reason(given: str | None) -> tuple[str | None, str]:
    """The reason, and what is wrong with it: that must not keep anybody from holding everything."""
    from cm.calendar.planning import given_reason

    try:
        return given_reason(given, "--reason"), ""
    except UsageError as error:
        return None, error.message


def _ask_why(env: "Env", hold: "HoldView") -> "HoldView":
    """The hold with the reason that is given at the terminal; none is fine too."""
    from cm.publishing.holds import give_reason

    said = line(_("Why? (Enter: say it later) ")).strip() if at_terminal() else ""
    if not said or hold.id is None:
        return hold
    kept, fault = _reason(said)
    if kept is None:
        say(fault)
        return hold
    return give_reason(env, hold.id, kept)


def _begun_json(env: "Env", hold: "HoldView", others: "Sequence[HoldView]", found: dict[str, Any]) -> dict[str, Any]:
    lists = {name: _listed(env, posts) for name, posts in found.items()}
    return {"hold": hold.as_json(env.zone), "others": _listed(env, others), **lists}


def _listed(env: "Env", things: "Sequence[HoldView | HeldPost]") -> list[dict[str, Any]]:
    return [thing.as_json(env.zone) for thing in things]


@app.command("off", help=_("End the hold, or that of some channels; what was held is gone through one by one."))
def off(ctx: typer.Context, channel: Channels = None, as_json: Json = False) -> None:
    """At a terminal each post is asked about before anything goes on; elsewhere they are listed."""
    from cm.calendar.shortnames import channels_called
    from cm.publishing import heldposts, holds

    with workspace(ctx, warn=False) as opened:
        env = opened.env
        names = channels_called(env.config, channel) if channel else []
        holds.require_endable(env, names)
        scope = _scope(holds.active(env), names)
        if at_terminal() and not as_json:
            _walk(env, names, scope)
        planned = heldposts.planned_soon(env, scope)
        ended = holds.end_holds(env, channels=names)
        waiting = heldposts.waiting(env, names or None)
        planned = tuple(post for post in planned if post.id not in {other.id for other in waiting})
        if as_json:
            emit_json(
                {
                    "ended": _listed(env, ended),
                    "missed": _listed(env, waiting),
                    "planned": _listed(env, planned if ended else ()),
                }
            )
            return
        from cm.cli.render_hold import show_ended

        show_ended(env, ended, waiting, planned if ended else ())


def _scope(on: "Sequence[HoldView]", names: Sequence[str]) -> list[str] | None:
    """The channels that will be free again; None: all of them."""
    if names:
        return list(names)
    if any(hold.channels is None for hold in on):
        return None
    return sorted({name for hold in on for name in hold.channels or ()})


def _walk(env: "Env", names: Sequence[str], scope: list[str] | None) -> None:
    """Ask about each post while the hold is still on. Raises Refused if the person stops: then it stays on."""
    from cm.cli.hold_walk import walk
    from cm.publishing import heldposts, holds

    on = holds.active(env)
    holds.set_aside(env, names)
    missed = heldposts.waiting(env, names or None)
    planned = heldposts.planned_soon(env, scope) if on else ()
    if not walk(env, missed, planned) and on:
        raise Refused(_("The hold is still on."), hint=_("`cm hold off` goes on where you stopped."))


@app.command(help=_("What is held, since when, by whom; what was missed under a hold."))
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Holds that are on and the last ones that are over."""
    from cm.publishing import heldposts, holds

    with workspace(ctx, warn=False) as opened:
        on_now, over = holds.active(opened.env), holds.past(opened.env)
        waiting = heldposts.waiting(opened.env)
        if as_json:
            emit_json(
                {
                    "active": _listed(opened.env, on_now),
                    "past": _listed(opened.env, over),
                    "missed": _listed(opened.env, waiting),
                }
            )
            return
        from cm.cli.render_hold import show_status

        show_status(opened.env, on_now, over, waiting)
