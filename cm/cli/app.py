"""The command line's root: options before the noun, exit codes, errors as people and programs read them."""

import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from cm import __version__
from cm.cli.lazy import STYLE, LazyGroup
from cm.cli.options import Globals
from cm.cli.terminal import safe
from cm.errors import CmError
from cm.i18n import _
from cm.logs import redact

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    help="An institution's social channels from the terminal: plan, publish exactly once, measure, report.",
    **{**STYLE, "add_completion": True},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cm {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("-C", metavar="DIR", help="The workspace (else found from here upwards).")
    ] = None,
    named: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Act as this person of people:.")] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="TIME", help="Pretend it is that local time (simulated channels only)."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before the noun."""
    ctx.obj = Globals(workspace, named, now)


def run(args: list[str]) -> int:
    """Run one command line; gives the exit code (0 done, 1 bug, 2 usage, 3–7 by the error, 130 interrupted)."""
    try:
        return int(app(args=args, prog_name="cm", standalone_mode=False) or 0)
    except CmError as error:
        _tell(error, as_json="--json" in args)
        return error.exit_code
    except typer.Abort:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        # the reader has what it wanted; Python must not complain about the pipe when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a usage error of the command line itself
            error.show()
            return int(error.exit_code)
        return _bug(error)


def _tell(error: CmError, *, as_json: bool) -> None:
    if as_json:
        body = {"kind": error.kind, "message": error.message, "hint": error.hint, **error.details}
        sys.stderr.write(json.dumps({"error": body}, ensure_ascii=False) + "\n")
        return
    sys.stderr.write(safe(error.message, newlines=True) + "\n")
    if error.hint:
        sys.stderr.write(f"→ {safe(error.hint, newlines=True)}\n")


def _bug(error: Exception) -> int:
    log = logging.getLogger("cm")
    log.addHandler(logging.NullHandler())
    log.error("bug", exc_info=error)
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(redact(trace) + _("This is a bug in cm; nothing more was done.") + "\n")
    return 1
