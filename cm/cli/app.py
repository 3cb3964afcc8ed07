"""The command line's root: options before the noun, exit codes, errors as people and programs read them."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from cm import __version__, i18n
from cm.cli import faults, workspaces
from cm.cli.completion import ASKED
from cm.cli.lazy import PLAIN, STYLE, LazyGroup
from cm.cli.options import Globals
from cm.cli.terminal import speak_plainly
from cm.errors import CmError, UsageError
from cm.i18n import _
from cm.store import tick

INTERRUPTED = 130

app = typer.Typer(
    cls=LazyGroup,
    help=_("An institution's social channels from the terminal: plan, publish exactly once, measure, report."),
    **STYLE,
)


def _plainly(asked: bool) -> None:
    if asked:
        speak_plainly(True)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cm {__version__}")
        raise typer.Exit


def _show_completion(asked: bool) -> None:
    if asked:
        from cm.cli import shells

        sys.stdout.write(shells.script()[1])
        raise typer.Exit


def _install_completion(asked: bool) -> None:
    if asked:
        from cm.cli import shells
        from cm.cli.render import say

        path, read_by = shells.install()
        say(_("Written: {path}. It works in every new shell.").format(path=path))
        if read_by:
            say(_("{file} reads it.").format(file=read_by))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "-C", metavar="DIR", help=_("The workspace (else found from here upwards); repeated: one after the other.")
        ),
    ] = None,
    named: Annotated[str | None, typer.Option("--as", metavar="NAME", help=_("Act as this person of people:."))] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="TIME", help=_("Pretend it is that local time (simulated channels only).")),
    ] = None,
    read_aloud: Annotated[
        bool,
        typer.Option(
            PLAIN,
            callback=_plainly,
            is_eager=True,
            help=_(
                "For screen readers: lines of words, no columns, no signs, no colour; may stand last. CM_PLAIN=1 too."
            ),
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=_("Print the version and stop."))
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install_completion,
            is_eager=True,
            help=_("Let the shell of $SHELL (bash, zsh, fish) complete commands, options, channels, refs, states."),
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion", callback=_show_completion, is_eager=True, help=_("Print the script for that instead.")
        ),
    ] = False,
) -> None:
    """Options that stand before the noun."""
    ctx.obj = Globals(workspace, named, now)
    if ctx.invoked_subcommand is None:
        _bare(ctx, as_json)
    elif as_json:
        raise UsageError(_("--json stands after the command."), hint=_("Write `cm NOUN VERB --json`."))


def _bare(ctx: typer.Context, as_json: bool) -> None:
    """`cm` alone: today, where there is a workspace; else the help."""
    start = ctx.obj.start
    if start is None and not os.environ.get("CM_WORKSPACE") and tick.find_workspace(None) is None:
        typer.echo(ctx.get_help())
        typer.echo(_("There is no workspace here → cm init DIR"), err=True)
        return
    from cm.cli.today import show_today

    show_today(ctx, as_json=as_json)


def run(args: list[str]) -> int:
    """Run one command line; gives the exit code (0 done, 1 bug, 2 usage, 3–7 by the error, 130 interrupted)."""
    _print_whatever_the_encoding()
    if os.environ.get(ASKED):
        from cm.cli import shells

        shells.be_ready()
    folders, rest = workspaces.named(args)
    if len(folders) > 1:
        return workspaces.over(folders, rest, attempt)
    code, error = attempt(args)
    if error:
        faults.tell(error, as_json=faults.as_json(args))
    return code


def attempt(args: list[str]) -> tuple[int, CmError | None]:
    """Run one command line on one workspace; gives the exit code, and the error that is still to be told."""
    i18n.speak(i18n.asked())
    speak_plainly(None)
    try:
        code = int(app(args=args, prog_name="cm", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code, None
    except BrokenPipeError:
        return _reader_gone(), None
    except SystemExit as stopped:  # typer and rich leave this way when the pipe is closed, and after a completion
        return _reader_gone() if isinstance(stopped.__context__, BrokenPipeError) else _code(stopped), None
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("\n")
        return INTERRUPTED, None
    except Exception as error:
        known = faults.known(error, args)
        return (known.exit_code, known) if known else (faults.bug(error), None)


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
