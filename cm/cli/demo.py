"""`cm demo`: the whole fortnight in a throw-away workspace, each command printed before it runs."""

import io
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cm.cli.lazy import PLAIN, command
from cm.cli.options import Json
from cm.cli.render import say
from cm.cli.terminal import plain
from cm.errors import Refused
from cm.i18n import _

app, define = command(
    _("The whole fortnight in a throw-away workspace: plan, publish, measure, report. Nothing is sent anywhere.")
)


@define
def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help=_("Keep the workspace there instead of throwing it away.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Two simulated weeks of a fictitious hospital; with --json the report alone stands on standard output."""
    if folder is not None:
        _run(folder, as_json)
        return
    with tempfile.TemporaryDirectory(prefix="cm-demo-") as scratch:
        _run(Path(scratch) / "hospital", as_json)


def _run(folder: Path, as_json: bool) -> None:
    from cm.scaffold import create

    _announce(["init", str(folder)])
    created = create(folder)
    assert created.monday is not None
    *steps, report = _script(created.monday)
    with redirect_stdout(io.StringIO()) if as_json else nullcontext():
        for args in steps:
            _announce(args)
            _call(["-C", str(folder), *args])
    report += ["--json"] if as_json else []
    _announce(report)
    _call(["-C", str(folder), *report])


def _script(monday: date) -> Iterator[list[str]]:
    """What a fortnight of cron and one person would type."""
    year, week, _day = monday.isocalendar()
    yield ["calendar", "show", "--week", f"{year}-W{week:02d}"]
    yield ["calendar", "gaps", "--week", f"{year}-W{week:02d}"]
    for start in (monday, monday + timedelta(days=7)):
        yield ["--now", f"{start}T00:00", "metrics", "collect"]
        yield ["publish", "--replay", f"{start}..{start + timedelta(days=7)}", "--quiet"]
    end = monday + timedelta(days=14)
    yield ["--now", f"{end}T07:30", "metrics", "collect"]
    yield ["--now", f"{end}T08:05", "report", "week"]


def _announce(args: list[str]) -> None:
    say(f"$ cm {shlex.join(args)}")


def _call(args: list[str]) -> None:
    from cm.cli.app import run

    code = run([PLAIN, *args] if plain() else args)
    if code:
        raise Refused(_("The demonstration stopped at exit {code}.").format(code=code))
