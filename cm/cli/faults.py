"""Errors as people and programs read them: which ones a person can mend, and how each is told."""

import logging
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from cm.cli import mistakes
from cm.cli.terminal import json_text, safe
from cm.errors import Busy, CmError, UsageError, WorkspaceError
from cm.formats import trouble
from cm.i18n import _
from cm.logs import redact


def as_json(args: Sequence[str]) -> bool:
    """True if the command line asks for JSON: then errors are JSON too."""
    return "--json" in args or "--jsonl" in args


def known(error: Exception, args: Sequence[str]) -> CmError | None:
    """The error of the command line `args` as a person can understand it, None if it is a bug."""
    if isinstance(error, CmError):
        return error
    if isinstance(error, typer.TyperException):
        return _of_usage(error, args)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return WorkspaceError(where + trouble(error), hint=_("Check the permissions, the path and the free space."))
    return _of_database(error)


def _of_usage(error: typer.TyperException, args: Sequence[str]) -> CmError:
    from cm.cli.words import said  # few command lines are wrong

    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context else "cm"
    wrong = getattr(error, "option_name", None)
    # the message without what typer adds to it: our hint says that
    message = said(getattr(error, "message", "") if wrong else error.format_message())
    hint = mistakes.of_option(wrong, getattr(error, "possibilities", None) or (), args) if wrong else None
    return UsageError(message, hint=hint or _("`{command} --help` tells more.").format(command=path))


def _of_database(error: Exception) -> CmError | None:
    """Locked, read-only, full or damaged: the database's own words, without the statement and its values."""
    library = sys.modules.get("sqlalchemy.exc")
    # of the class itself is what SQLite says of a file that is damaged; the other ones below it are mistakes of ours
    if library is None or not (isinstance(error, library.OperationalError) or type(error) is library.DatabaseError):
        return None
    if not isinstance(error, library.OperationalError):
        said = _("The database is damaged or cannot be read: {why}").format(why=getattr(error, "orig", error))
        return WorkspaceError(said, hint=_("`cm doctor` looks at it; put back a backup of cm.db."))
    if getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Busy(_("Another program is writing to the database."), hint=_("Try again when it has ended."))
    hint = _("Is the folder writable, is the disk full? Then try again.")
    return WorkspaceError(_("The database refuses: {why}").format(why=error.orig), hint=hint)


def body(error: CmError) -> dict[str, Any]:
    """The error as JSON: `kind`, `message`, `hint`, and what belongs to its kind."""
    return {"kind": error.kind, "message": error.message, "hint": error.hint, **error.details}


def tell(error: CmError, *, as_json: bool) -> None:
    """The error on standard error: a sentence and what to do, or one line of JSON."""
    sys.stdout.flush()
    if as_json:
        sys.stderr.write(json_text({"error": body(error)}) + "\n")
        return
    sys.stderr.write(safe(error.message, newlines=True) + "\n")
    if error.hint:
        sys.stderr.write(f"→ {safe(error.hint, newlines=True)}\n")


def noted_bug(error: Exception) -> CmError:
    """What nobody foresaw, logged, as an error that can be told where the command goes on all the same."""
    _log(error)
    return CmError(_("A bug in cm ({kind}); its trace is in .cm/log/cm.jsonl.").format(kind=type(error).__name__))


def _log(error: Exception) -> None:
    log = logging.getLogger("cm")
    log.addHandler(logging.NullHandler())
    log.error("bug", exc_info=error)


def bug(error: Exception) -> int:
    """Log and tell what nobody foresaw. Gives the exit code."""
    _log(error)
    trace = safe(redact("".join(traceback.format_exception(error))), newlines=True)
    sys.stdout.flush()
    sys.stderr.write(trace + _("This is a bug in cm; nothing more was done.") + "\n")
    return 1
