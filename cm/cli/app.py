"""The command line's root: options before the noun, exit codes, errors as people and programs read them."""

import logging
import os
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from cm import __version__, i18n
from cm.cli.lazy import STYLE, LazyGroup
from cm.cli.options import Globals
from cm.cli.terminal import json_text, safe
from cm.errors import Busy, CmError, UsageError, WorkspaceError
from cm.i18n import _
from cm.logs import redact

INTERRUPTED = 130

app = typer.Typer(
    cls=LazyGroup,
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
    i18n.speak(i18n.asked())
    _print_whatever_the_encoding()
    try:
        code = int(app(args=args or ["--help"], prog_name="cm", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as stopped:  # typer and rich leave this way when the pipe is closed, and after a completion
        return _reader_gone() if isinstance(stopped.__context__, BrokenPipeError) else _code(stopped)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("\n")
        return INTERRUPTED
    except Exception as error:
        known = _known(error)
        if known is None:
            return _bug(error)
        _tell(known, as_json="--json" in args)
        return known.exit_code


def _print_whatever_the_encoding() -> None:
    """On a terminal that is not UTF-8 a sign it lacks becomes `?`; that is no reason to stop."""
    if isinstance(sys.stdout, TextIOWrapper) and not sys.stdout.encoding.lower().startswith("utf"):
        sys.stdout.reconfigure(errors="replace")


def _reader_gone() -> int:
    """The reader has what it wanted (`cm post list | head -1`); Python must not complain about it when it exits."""
    if sys.__stdout__ is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    return 0


def _code(stopped: SystemExit) -> int:
    return stopped.code if isinstance(stopped.code, int) else 0


def _known(error: Exception) -> CmError | None:
    """The error as a person can understand it, None if it is a bug."""
    if isinstance(error, CmError):
        return error
    if isinstance(error, typer.TyperException):
        context: Any = getattr(error, "ctx", None)
        path = context.command_path if context else "cm"
        return UsageError(error.format_message(), hint=_("`{command} --help` tells more.").format(command=path))
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return WorkspaceError(
            where + (error.strerror or str(error)), hint=_("Check the permissions, the path and the free space.")
        )
    return _of_database(error)


def _of_database(error: Exception) -> CmError | None:
    """Locked, read-only, full or damaged: the database's own words, without the statement and its values."""
    library = sys.modules.get("sqlalchemy.exc")
    if library is None or not isinstance(error, library.OperationalError):
        return None
    if getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Busy(_("Another program is writing to the database."), hint=_("Try again when it has ended."))
    hint = _("Is the folder writable, is the disk full? Then try again.")
    return WorkspaceError(_("The database refuses: {why}").format(why=error.orig), hint=hint)


def _tell(error: CmError, *, as_json: bool) -> None:
    if as_json:
        body = {"kind": error.kind, "message": error.message, "hint": error.hint, **error.details}
        sys.stderr.write(json_text({"error": body}) + "\n")
        return
    sys.stderr.write(safe(error.message, newlines=True) + "\n")
    if error.hint:
        sys.stderr.write(f"→ {safe(error.hint, newlines=True)}\n")


def _bug(error: Exception) -> int:
    log = logging.getLogger("cm")
    log.addHandler(logging.NullHandler())
    log.error("bug", exc_info=error)
    trace = safe(redact("".join(traceback.format_exception(error))), newlines=True)
    sys.stderr.write(trace + _("This is a bug in cm; nothing more was done.") + "\n")
    return 1
