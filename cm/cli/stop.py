"""`cm stop`: everything is held, at once and whatever is wrong with the workspace."""

from pathlib import Path

import typer

from cm.cli import faults
from cm.cli.hold import Reason, Until, begin, tell
from cm.cli.lazy import command
from cm.cli.options import Globals, Json, workspace
from cm.cli.render import emit_json, say
from cm.errors import CmError
from cm.formats import labelled
from cm.i18n import _
from cm.store import tick

MEND = "cm doctor"

app, define = command(_("Hold everything at once; the reason is asked after. `cm hold off` ends it."))


@define
def stop(ctx: typer.Context, reason: Reason = None, until: Until = None, as_json: Json = False) -> None:
    """The same as `cm hold on`, for all channels. Whatever keeps the database from it, a file HOLD stops everything."""
    held = False
    try:
        with workspace(ctx, warn=False) as opened:
            hold, fault = begin(opened, (), until, reason, at_all_costs=True)
            held = True
            tell(opened, hold, fault, as_json=as_json)
    except Exception as error:
        if held:
            raise
        _by_file(ctx.find_root().obj, error, reason, as_json=as_json)


def _by_file(given: Globals, error: Exception, reason: str | None, *, as_json: bool) -> None:
    """The hold is not in the database: a file says the same. Raises `error` where there is no workspace, or nothing
    can be written."""
    from cm.publishing import hold_file

    found = tick.find_workspace(str(given.start) if given.start else None)
    if found is None:
        raise error
    path = hold_file.path_of(Path(found))
    why = reason or _("cm stop; the database could not hold")
    try:
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{why}\n")
    except OSError:
        if not hold_file.is_there(Path(found)):
            raise error from None
    _tell_file(path, faults.known(error, ()) or faults.noted_bug(error), as_json=as_json)


def _tell_file(path: Path, error: CmError, *, as_json: bool) -> None:
    if as_json:
        emit_json({"hold": None, "file": str(path), "error": faults.body(error)})
        return
    said = _("Everything is held by the file {path}. Take it away when all is well.")
    say(said.format(path=path), whole=True)
    say(labelled(_("The hold is not in the database"), error.message))
    say(f"→ {MEND}")
