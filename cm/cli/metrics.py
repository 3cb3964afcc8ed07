"""`cm metrics`: how posts and accounts did."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import completion
from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import ChannelName, DryRun, Json, read_bytes, workspace
from cm.cli.progress import progress
from cm.cli.render import emit_json, say, show, table
from cm.clock import parse_day, parse_instant
from cm.errors import CmError, Refused, UsageError, WorkspaceError
from cm.formats import labelled
from cm.i18n import _

if TYPE_CHECKING:
    from cm.channels.port import Adapter
    from cm.metrics.collect import CollectResult
    from cm.metrics.importing import ImportedFigures
    from cm.workspace import Workspace

app = noun(_("Engagement: collect it, import it from files, compare."), bare="--help", shows=None)


class By(StrEnum):
    """What posts may be grouped by."""

    KIND = "kind"
    WEEKDAY = "weekday"
    HOUR = "hour"
    AUDIENCE = "audience"
    OBJECTIVE = "objective"


@app.callback()
def metrics() -> None:
    """Snapshots are only ever added."""


@app.command(help=_("Ask every channel that tells its numbers, and keep a snapshot."))
def collect(ctx: typer.Context, channel: ChannelName = None, as_json: Json = False) -> None:
    """Exit 6 if a platform did not answer, 3 if a channel cannot be spoken to; the others are kept all the same."""
    from cm.metrics.collect import collect as run

    with workspace(ctx) as opened:
        active = [name for name, facts in opened.config.channels.items() if facts.state == "active"]
        names = [channel] if channel else active
        adapters, broken = _adapters(opened, names)
        with progress(_("Asking the platforms…"), quiet=as_json):
            result = run(opened.env, adapters, channels=[name for name in names if name not in broken])
    if as_json:
        emit_json(
            {
                **result.as_json(),
                "errors": [{"channel": name, "message": e.message, "hint": e.hint} for name, e in broken.items()],
            }
        )
    else:
        _tell(result, broken)
    raise typer.Exit(WorkspaceError.exit_code if broken else result.exit_code)


def _adapters(opened: "Workspace", names: Iterable[str]) -> "tuple[dict[str, Adapter], dict[str, CmError]]":
    """The adapters that can be had, and why the others cannot. Raises NotFound for a channel that is not there."""
    adapters, broken = {}, {}
    for name in names:
        try:
            adapters[name] = opened.adapter(name)
        except WorkspaceError as error:
            broken[name] = error
    return adapters, dict[str, CmError](broken)


def _tell(result: "CollectResult", broken: "dict[str, CmError]") -> None:
    """What was measured to standard output; only what went wrong to standard error, so that cron mails that."""
    asked = [line for line in result.channels if line.status != "failed"]
    rows = [(line.channel, line.posts if line.status == "ok" else None, line.reason or "") for line in asked]
    if rows:
        show(table((_("channel"), number(_("posts measured")), Column(_("note"), "prose")), rows))
    for line in result.channels:
        if line.status == "failed":
            say(labelled(line.channel, line.reason or ""))
    for name, error in broken.items():
        say(labelled(name, error.message) + (f" → {error.hint}" if error.hint else ""))


def _maps(incomplete: str) -> list[str]:
    """The shipped maps, by the names of their files."""
    import cm.metrics

    folder = Path(cm.metrics.__path__[0]) / "maps"
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem.startswith(incomplete))


MapName = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="NAME",
        autocompletion=_maps,
        help=_("How to read it: a shipped map or FILE.yaml; else by its header."),
    ),
]
Whose = Annotated[
    str | None,
    typer.Option(
        "--channel", "-c", metavar="NAME", autocompletion=completion.channels, help=_("Whose figures these are.")
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIGURE=COLUMN", help=_("Where a figure stands, e.g. reach=Reach; repeated.")),
]
TakenAt = Annotated[
    str | None, typer.Option("--taken-at", metavar="TIME", help=_("When the figures were taken; else now."))
]
Partial = Annotated[bool, typer.Option("--partial", help=_("Take the good rows, report the bad ones."))]


@app.command(
    "import", help=_("Bring in the figures of a platform's export (CSV or .xlsx); the same file twice adds nothing.")
)
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("CSV or .xlsx; - reads standard input."))],
    map_name: MapName = None,
    channel: Whose = None,
    column: Columns = None,
    taken_at: TakenAt = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """All or nothing unless --partial; exit 4 if a row is refused. Figures of posts of ours become snapshots."""
    from cm.metrics.importing import import_figures

    columns = dict(_column(given) for given in column or ())
    data = read_bytes(file)
    with workspace(ctx) as opened:
        result = import_figures(
            opened.env,
            data,
            filename=file.name,
            map_name=map_name,
            columns=columns,
            channel=channel,
            taken_at=parse_instant(taken_at, opened.env.zone) if taken_at else None,
            dry_run=dry_run,
            partial=partial,
        )
        if as_json:
            emit_json(result.as_json())
        else:
            _tell_import(result, opened)
    if result.errors:
        raise typer.Exit(Refused.exit_code)


def _column(given: str) -> tuple[str, str]:
    name, sign, column = given.partition("=")
    if not sign or not name.strip() or not column.strip():
        raise UsageError(
            _("{text!r} names no column.").format(text=given), hint=_("Write it as reach=NAME OF THE COLUMN.")
        )
    return name.strip(), column.strip()


def _tell_import(result: "ImportedFigures", opened: "Workspace") -> None:
    from cm.cli.render_metrics import error_section, import_lead, summary_sections
    from cm.cli.sections import sections

    refused = [error_section(result)] if result.errors else []
    show(*sections([*refused, *summary_sections(result.summary, opened.config)]))
    for line in import_lead(result):
        say(line)


From = Annotated[str | None, typer.Option("--from", metavar="DAY", help=_("First day, e.g. 2026-11-23."))]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help=_("Last day, included."))]


@app.command("show", help=_("Figures of published posts and of imported ones: totals, rates, groups, best and worst."))
def show_(
    ctx: typer.Context,
    channel: ChannelName = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help=_("Only of this source, e.g. import:meta_posts."))
    ] = None,
    by: Annotated[By, typer.Option("--by", help=_("Groups."))] = By.KIND,
    first: From = None,
    last: To = None,
    as_json: Json = False,
) -> None:
    """The latest figures of every post; unknown is never 0."""
    from cm.metrics.stored import show as run

    with workspace(ctx) as opened:
        found = run(opened.env, channel=channel, source=source, by=by.value, first=_day(first), last=_day(last))
        if as_json:
            emit_json(found)
            return
        from cm.cli.render_metrics import shown_lead, summary_sections
        from cm.cli.sections import sections

        show(*sections(summary_sections(found, opened.config)))
        for line in shown_lead(found):
            say(line)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    day = parse_day(text)
    if day is None:
        raise UsageError(_("{text!r} is not a day.").format(text=text), hint=_("Write it as 2026-11-23."))
    return day
