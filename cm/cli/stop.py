"""`cm stop`: everything is held, at once and whatever is wrong with the workspace."""

from pathlib import Path

import typer

from cm.cli import faults
from cm.cli.hold import Reason, Until, begin, tell
from cm.cli.lazy import command
from cm.cli.options import Globals, Json, workspace
from cm.cli.render import emit_json, say
from cm.errors import Busy, CmError, WorkspaceError
from cm.i18n import _
from cm.store import tick

app, define = command(_("Hold everything at once; the reason is asked after. `cm hold off` ends it."))


@define
def stop(ctx: typer.Context, reason: Reason = None, until: Until = None, as_json: Json = False) -> None:
    """The same as `cm hold on`, for all channels. If the workspace cannot be opened, a file HOLD stops everything."""
    held = False
    try:
        with workspace(ctx, warn=False) as opened:
            hold, fault = begin(opened, (), until, reason)
            held = True
            tell(opened, hold, fault, as_json=as_json)
    except Exception as error:
        known = None if held else faults.known(error, ())
        if not isinstance(known, WorkspaceError | Busy):
            raise
        _by_file(ctx.find_root().obj, known, reason, as_json=as_json)


def _by_file(given: Globals, error: CmError, reason: str | None, *, as_json: bool) -> None:
    """The configuration or the database is not to be had: a file says the same. Raises `error` where there is no
    workspace, or nothing can be written."""
    from cm.publishing import hold_file

    found = tick.find_workspace(str(given.start) if given.start else None)
    if found is None:
        raise error
    path = hold_file.path_of(Path(found))
    why = reason or _("cm stop; the workspace could not be opened")
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{why}\n")
    except OSError:
        raise error from None
    if as_json:
        emit_json({"hold": None, "file": str(path), "error": faults.body(error)})
        return
    say(error.message)
    say(_("Everything is held by the file {path}. Take it away when all is well.").format(path=path))
