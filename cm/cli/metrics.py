"""`cm metrics`: how posts and accounts did."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from cm.cli.columns import Column, number
from cm.cli.lazy import noun
from cm.cli.options import ChannelName, Json, workspace
from cm.cli.render import emit_json, say, show, table
from cm.errors import CmError, WorkspaceError

if TYPE_CHECKING:
    from cm.channels.port import Adapter
    from cm.metrics.collect import CollectResult
    from cm.workspace import Workspace

app = noun("Engagement: collect it from the channels.", bare="--help", shows=None)


@app.callback()
def metrics() -> None:
    """Snapshots are only ever added."""


@app.command(help="Ask every channel that tells its numbers, and keep a snapshot.")
def collect(ctx: typer.Context, channel: ChannelName = None, as_json: Json = False) -> None:
    """Exit 6 if a platform did not answer, 3 if a channel cannot be spoken to; the others are kept all the same."""
    from cm.metrics.collect import collect as run

    with workspace(ctx) as opened:
        active = [name for name, facts in opened.config.channels.items() if facts.state == "active"]
        names = [channel] if channel else active
        adapters, broken = _adapters(opened, names)
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
        show(table(("channel", number("posts measured"), Column("note", "prose")), rows))
    for line in result.channels:
        if line.status == "failed":
            say(f"{line.channel}: {line.reason}")
    for name, error in broken.items():
        say(f"{name}: {error.message}" + (f" → {error.hint}" if error.hint else ""))
