"""`cm doctor`: is all well here?"""

import math
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cm.cli.lazy import command
from cm.cli.options import Globals, Json, workspace
from cm.cli.render import cell, emit_json, say, show, table
from cm.cli.terminal import safe, sign
from cm.clock import SystemClock
from cm.errors import CmError, UsageError
from cm.formats import plural
from cm.i18n import N_, _
from cm.store import tick

if TYPE_CHECKING:
    from cm.doctor.hosts import Host
    from cm.publishing.health import Finding

SIGNS = {"ok": "✓", "warning": "!", "problem": "✗"}
WORDS = {"ok": N_("ok"), "warning": N_("warning"), "problem": N_("problem")}
STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}
STALE = 7

app, define = command(
    _(
        "Is all well here? Configuration, secrets, database, clock, runs, posts, channels: what is not well, and the "
        "command that mends it. Exit 0 all well or warnings, 3 put something right, 7 a person is needed, 6 network."
    )
)


@define
def doctor(
    ctx: typer.Context,
    minutes: Annotated[
        int | None, typer.Argument(metavar="MINUTES", min=1, help=_("With --if-stale: 10 if left out."))
    ] = None,
    if_stale: Annotated[
        bool,
        typer.Option(
            "--if-stale",
            help=_("Only this: silent if a run was here in the last MINUTES, else one line and exit 7 (second cron)."),
        ),
    ] = False,
    online: Annotated[bool, typer.Option("--online", help=_("Ask each platform who we are there."))] = False,
    hosts: Annotated[
        bool, typer.Option("--hosts", help=_("Only this: every host that may be contacted; none is."))
    ] = False,
    as_json: Json = False,
) -> None:
    """One examination, or one of the two small questions."""
    if (minutes is not None and not if_stale) or (if_stale and (hosts or online)) or (hosts and online):
        raise UsageError(
            _("These do not go together."), hint=_("cm doctor [--online] | --if-stale [MINUTES] | --hosts")
        )
    if if_stale:
        _if_stale(ctx, minutes, as_json=as_json)
    elif hosts:
        _hosts(ctx, as_json=as_json)
    else:
        _examine(ctx, online=online, as_json=as_json)


def _root(ctx: typer.Context) -> Path:
    from cm.workspace import find

    given: Globals = ctx.find_root().obj
    if given.now:
        raise UsageError(_("The doctor goes by the real time."), hint=_("Leave --now out."))
    return find(given.start)


# --- everything -------------------------------------------------------------------------------------------------------


def _examine(ctx: typer.Context, *, online: bool, as_json: bool) -> None:
    from cm.doctor.examine import examine
    from cm.publishing.health import exit_code

    findings = examine(_root(ctx), online=online)
    if as_json:
        emit_json({"exit_code": exit_code(findings), "findings": [finding.as_json() for finding in findings]})
    else:
        _tell(findings)
    raise typer.Exit(exit_code(findings))


def _tell(findings: "list[Finding]") -> None:
    from cm.publishing.health import GROUPS

    for name, group in groupby(findings, lambda finding: finding.group):
        show(Text(_(GROUPS[name]), style="bold"))
        show(*[Text("\n").join(line for finding in group for line in _lines(finding))])
    problems = sum(finding.level == "problem" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if problems or warnings:
        say(
            plural("{n} problem", "{n} problems", problems)
            + ", "
            + plural("{n} warning", "{n} warnings", warnings)
            + "."
        )
    else:
        say(_("All is well."))


def _lines(finding: "Finding") -> list[Text]:
    mark = sign(SIGNS[finding.level], _(WORDS[finding.level]))
    lines = [Text.assemble("  ", (mark, STYLES[finding.level]), f"  {safe(finding.what)}")]
    if finding.mend and finding.level != "ok":
        lines.append(Text(f"      → {safe(finding.mend)}", style="bold"))
    return lines


# --- hosts ------------------------------------------------------------------------------------------------------------


def _hosts(ctx: typer.Context, *, as_json: bool) -> None:
    from cm.doctor.hosts import hosts

    with workspace(ctx, warn=False) as opened:
        found = hosts(opened)
    if as_json:
        emit_json({"hosts": [host.as_json() for host in found]})
    elif found:
        columns = (_("host"), _("for"), _("named by"))
        show(table(columns, [(_shown(host), host.purpose, host.used_by) for host in found]))
    else:
        say(_("No host is ever contacted: no channel reaches a network."))


def _shown(host: "Host") -> Text:
    return cell(host.host or f"? {host.trouble}")


# --- is anybody here? -------------------------------------------------------------------------------------------------


def _if_stale(ctx: typer.Context, minutes: int | None, *, as_json: bool) -> None:
    """`cm.__main__` has answered already where all is well and nothing else was asked."""
    root, now = _root(ctx), SystemClock().now().timestamp()
    silent, ahead = tick.silent_for(str(root), now), tick.ahead(str(root), now)
    # a run that lies in the future is no sign of life: a cron that is there would have touched the heartbeat since
    stale = silent is None or ahead > tick.CLOCK_SLACK or silent > (minutes or tick.SILENT_AFTER // 60) * 60
    if as_json:
        emit_json({"stale": stale, "silent_for": silent, "clock_ahead": ahead})
    elif stale:
        say(_silence(root, silent, ahead))
    if stale:
        _tell_people(root)
        raise typer.Exit(STALE)


def _tell_people(root: Path) -> None:
    """Let those know whom the configuration names, as far as the workspace can still be opened."""
    from sqlalchemy.exc import SQLAlchemyError

    from cm.publishing.notices import tell_silence
    from cm.workspace import open_workspace

    try:
        opened = open_workspace(root, as_system=True)
        try:
            tell_silence(opened.env)
        finally:
            opened.close()
    except (CmError, OSError, SQLAlchemyError) as error:
        why = error.message if isinstance(error, CmError) else str(getattr(error, "orig", error))
        say(_("Nobody else could be told: {why}").format(why=why))


def _silence(root: Path, silent: float | None, ahead: float) -> str:
    if silent is None:
        return _("{root}: cm publish has never run here.").format(root=root)
    if ahead > tick.CLOCK_SLACK:
        said = _("{root}: the last run lies {n} minutes in the future: look at the clock (timedatectl) → cm doctor")
        return said.format(root=root, n=math.ceil(ahead / 60))
    said = _("{root}: nothing has run for {n} minutes: nothing is published → cm doctor")
    return said.format(root=root, n=int(silent // 60))
