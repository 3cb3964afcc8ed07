"""`cm db`: the database."""

import typer

from cm.cli.lazy import noun
from cm.cli.options import Globals, Json
from cm.cli.render import emit_json, say
from cm.i18n import _

app = noun(_("The database: upgrade it."), bare="--help", shows=None)


@app.callback()
def db() -> None:
    """Administration of the workspace's database."""


@app.command(help=_("Bring the database to this cm's schema, after a backup."))
def upgrade(ctx: typer.Context, as_json: Json = False) -> None:
    """All or nothing; three backups are kept in .cm/backups."""
    from cm.store.migrate import upgrade as run_upgrade
    from cm.store.tick import SCHEMA_VERSION
    from cm.workspace import find

    given: Globals = ctx.find_root().obj
    before = run_upgrade(find(given.start))
    if as_json:
        emit_json({"from": before, "to": SCHEMA_VERSION})
    elif before == SCHEMA_VERSION:
        say(_("The database is up to date (schema {n}).").format(n=before))
    else:
        say(_("The database went from schema {before} to {after}.").format(before=before, after=SCHEMA_VERSION))
