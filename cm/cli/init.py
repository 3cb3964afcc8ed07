"""`cm init`: a workspace to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from cm.cli.lazy import command
from cm.cli.options import Globals, Json
from cm.cli.render import emit_json, say
from cm.formats import day_long, number
from cm.i18n import _

app, define = command(_("Make a workspace: the example (a fictitious hospital, from next Monday on), or an empty one."))


@define
def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help=_("Where; made if it is not there."))] = Path(),
    empty: Annotated[bool, typer.Option("--empty", help=_("No example: a configuration to fill in."))] = False,
    as_json: Json = False,
) -> None:
    """Create, import the example's posts, say what comes next."""
    from cm.scaffold import create

    given: Globals = ctx.find_root().obj
    created = create(folder, empty=empty, now=given.now)
    count = created.imported.created if created.imported else 0
    if as_json:
        monday = created.monday.isoformat() if created.monday else None
        emit_json({"workspace": str(created.root), "monday": monday, "posts": count})
        return
    say(_("Workspace made at {root}.").format(root=created.root))
    if created.monday:
        say(
            _("{n} example posts are planned from {monday} on. Simulation: nothing is sent anywhere.").format(
                n=number(count), monday=day_long(created.monday)
            )
        )
        say(_("Next: cm calendar show --week {week}").format(week="{}-W{:02d}".format(*created.monday.isocalendar())))
    else:
        say(_("Next: fill in config.yaml, then run cm config check"))
