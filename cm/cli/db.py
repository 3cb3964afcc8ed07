"""`cm db`: the database."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.lazy import noun
from cm.cli.options import ChannelName, DryRun, Globals, Json, workspace
from cm.cli.render import emit_json, say
from cm.i18n import _

if TYPE_CHECKING:
    from cm.workspace import Workspace

app = noun(_("The database: upgrade it, reconcile it, adopt it."), bare="--help", shows=None)

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help=_("Look back so far: 2026-11-20 or 2026-11-20T09:00 (else 7 days).")),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]


@app.callback()
def db() -> None:
    """Administration of the workspace's database."""


@app.command(help=_("Bring the database to this cm's schema, after a backup."))
def upgrade(ctx: typer.Context, as_json: Json = False) -> None:
    """All or nothing, and not while a run is publishing; three backups are kept in .cm/backups."""
    from cm.publishing.quiet import nobody_sends
    from cm.store.migrate import upgrade as run_upgrade
    from cm.store.tick import SCHEMA_VERSION
    from cm.workspace import find

    given: Globals = ctx.find_root().obj
    root = find(given.start)
    with nobody_sends(root):
        before = run_upgrade(root)
    if as_json:
        emit_json({"from": before, "to": SCHEMA_VERSION})
    elif before == SCHEMA_VERSION:
        say(_("The database is up to date (schema {n}).").format(n=before))
    else:
        say(_("The database went from schema {before} to {after}.").format(before=before, after=SCHEMA_VERSION))


@app.command(help=_("After a restore or a move: look at what stands on the platforms before anything is sent again."))
def reconcile(
    ctx: typer.Context,
    channel: ChannelName = None,
    since: Since = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """What is surely found is adopted; what may have gone out is unconfirmed and waits for a person. Where the
    database is not as new as the last sending, this copy of it becomes the one that publishes: that is asked."""
    from cm.cli.render_db import show_report, show_taken
    from cm.publishing.reconcile import exit_code
    from cm.publishing.reconcile import reconcile as run

    with workspace(ctx) as opened:
        back, channels = _since(opened, since), _channels(opened, channel)
        if not (yes or dry_run):
            _ask_before_taking(opened, channels)
        reports = run(opened.env, opened.adapter, channels, since=back, dry_run=dry_run)
        zone = opened.env.zone
    if as_json:
        emit_json({"dry_run": dry_run, "channels": [report.as_json() for report in reports]})
    else:
        for report in reports:
            show_report(report, zone, dry_run=dry_run)
        show_taken(reports, dry_run=dry_run)
        if dry_run:
            say(_("Nothing was written (dry run)."))
    raise typer.Exit(exit_code(reports, dry_run=dry_run))


@app.command(
    help=_("Make this copy of the workspace the one that publishes; every other copy is refused from then on.")
)
def adopt(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why; it is kept in the action log."))],
    since: Since = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """After a move to another machine, user or folder. Looks at the platforms first, as `reconcile` does."""
    from cm.calendar.planning import given_reason
    from cm.cli.render_db import show_adopted
    from cm.publishing.adopt import adopt as run
    from cm.publishing.reconcile import exit_code

    why = given_reason(reason, "--reason") or ""
    with workspace(ctx) as opened:
        back, channels = _since(opened, since), _channels(opened, None)
        if not yes:
            _agree(opened, channels)
        done = run(opened.env, opened.adapter, channels, why, since=back)
        zone = opened.env.zone
    if as_json:
        emit_json(done.as_json())
    else:
        show_adopted(done, zone)
    raise typer.Exit(exit_code(done.reports))


def _channels(opened: "Workspace", name: str | None) -> list[str]:
    """The channel named, or all that are not closed. Raises NotFound."""
    from cm.calendar.drafting import unknown_channel

    declared = opened.config.channels
    if name is not None:
        if name not in declared:
            raise unknown_channel(opened.config, name)
        return [name]
    return [key for key, channel in declared.items() if channel.state != "closed"]


def _since(opened: "Workspace", text: str | None) -> datetime | None:
    from cm.clock import parse_instant
    from cm.errors import UsageError

    if text is None:
        return None
    found = parse_instant(text, opened.config.zone)
    if found >= opened.env.now:
        raise UsageError(_("--since is a time that is past."), hint=_("Write it as 2026-11-20 or 2026-11-20T09:00."))
    return found


def _ask_before_taking(opened: "Workspace", channels: list[str]) -> None:
    """Ask where this copy would publish from now on, and did not up to now."""
    from cm.publishing.takeover import taken_over

    if names := taken_over(opened.env, opened.adapter, channels):
        _agree(opened, names)


def _agree(opened: "Workspace", names: list[str]) -> None:
    """Raises UsageError (nobody can be asked), Refused (declined)."""
    from cm.cli.bulk import ask
    from cm.cli.editor import at_terminal
    from cm.errors import UsageError

    if not at_terminal():
        raise UsageError(
            _("Every other copy of this workspace would be refused, and nobody can be asked."),
            hint=_("Give --yes to do it; `cm db reconcile --dry-run` only looks."),
        )
    said = _("The workspace {path} becomes the one that publishes for {names}. Every other copy of it is refused.")
    say(said.format(path=opened.root, names=", ".join(names)))
    ask(_("Take over?"))
