"""`cm run`: the daemon, in the place of cron."""

import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import faults
from cm.cli.lazy import command
from cm.cli.options import Globals, Json, collect_garbage
from cm.cli.publish import tell
from cm.cli.render import say
from cm.cli.signals import Heard, heeding
from cm.cli.terminal import json_text
from cm.errors import UsageError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.store import tick

if TYPE_CHECKING:
    from cm.daemon import Voice
    from cm.publishing.results import RunResult

FASTEST, SLOWEST = 1, 600

app, define = command(
    _(
        "Publish what is due, each minute, until told to stop (the daemon; cron may run beside it). SIGTERM or Ctrl-C "
        "finishes the message in hand, SIGHUP reads the configuration anew, SIGUSR1 holds everything."
    )
)


@define
def run(
    ctx: typer.Context,
    every: Annotated[
        int,
        typer.Option(
            "--every", min=FASTEST, max=SLOWEST, metavar="SECONDS", help=_("How often to look; 60 is enough.")
        ),
    ] = 60,
    quiet: Annotated[bool, typer.Option("--quiet", help=_("Speak only when a person is needed."))] = False,
    as_json: Json = False,
) -> None:
    """Exit 0 when told to stop, 3 for a configuration or database it cannot work with, 4 if one is running."""
    from cm.cli.systemd import notifier, watchdog_seconds
    from cm.daemon import Daemon, Rhythm, Sweep
    from cm.env import Signals
    from cm.logs import start_log
    from cm.store.run_lock import alone

    root, signals = _root(ctx.find_root().obj), Signals()
    voice = _voice(root, quiet=quiet, as_json=as_json)
    with alone(root):
        start_log(root, uuid.uuid4().hex[:12])
        sweep = Sweep(root, signals, voice, lambda error: daemon.leave(error))
        daemon = Daemon(
            [Rhythm("publish", timedelta(seconds=every), sweep)], sweep.read_again, notifier(), watchdog_seconds()
        )
        heard = Heard(signals, daemon.leave, lambda: daemon.hasten("publish"), daemon.reload)
        with heeding(heard):
            collect_garbage()
            rhythm = plural("looking every {n} second.", "looking every {n} seconds.", every)
            voice.note(labelled(str(root), rhythm))
            daemon.run()
        if heard.told_to_leave:
            voice.note(_("Stopped."))


def _root(given: Globals) -> Path:
    """The workspace's folder, found without loading the database's library. Raises UsageError, WorkspaceError."""
    if given.now:
        raise UsageError(_("The daemon goes by the real time."), hint=_("Leave --now out."))
    found = tick.find_workspace(str(given.start) if given.start else None)
    if found is None:
        from cm.workspace import find

        return find(given.start)
    return Path(found).resolve()


def _voice(root: Path, *, quiet: bool, as_json: bool) -> "Voice":
    from cm.daemon import Voice

    def result(done: "RunResult") -> None:
        if as_json and not done.quiet:
            sys.stdout.write(json_text(done.as_json()) + "\n")
            sys.stdout.flush()
        elif not as_json:
            tell(done, quiet=quiet, once=root if quiet else None)

    def error(met: Exception) -> None:
        known = faults.known(met, ())
        if known:
            faults.tell(known, as_json=as_json)
        else:
            said = _("A bug in cm ({kind}); its trace is in .cm/log/cm.jsonl. The next minute tries again.")
            say(said.format(kind=type(met).__name__))

    def note(text: str) -> None:
        if not (quiet or as_json):
            say(text)

    return Voice(result, error, note)
