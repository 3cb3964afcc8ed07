"""`cm metrics`: how posts and accounts did."""

import typer

from cm.cli.lazy import noun
from cm.cli.options import ChannelName, Json, workspace
from cm.cli.render import emit_json, say
from cm.errors import CmError
from cm.i18n import _

app = noun("Engagement: collect it from the channels.", bare="--help", shows=None)


@app.callback()
def metrics() -> None:
    """Snapshots are only ever added."""


@app.command(help="Ask every channel that tells its numbers, and keep a snapshot.")
def collect(ctx: typer.Context, channel: ChannelName = None, as_json: Json = False) -> None:
    """Exit 6 if a platform did not answer; the others are kept all the same."""
    from cm.metrics.collect import collect as run

    with workspace(ctx) as opened:
        names = [channel] if channel else list(opened.config.channels)
        adapters = {}
        for name in names:
            try:
                adapters[name] = opened.adapter(name)
            except CmError as error:
                if channel:
                    raise
                say(f"{name}: {error.message}")
        result = run(opened.env, adapters, channels=names)
    if as_json:
        emit_json(result.as_json())
    else:
        for line in result.channels:
            said = line.reason or _("{n} posts measured").format(n=line.posts)
            say(f"{line.channel}: {said}")
    raise typer.Exit(result.exit_code)
