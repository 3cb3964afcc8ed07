"""`cm config`: is it sound, and what may stand in it?"""

import typer

from cm.cli.lazy import noun
from cm.cli.options import Globals, Json
from cm.cli.render import emit_json, say
from cm.errors import ConfigError
from cm.i18n import _

app = noun("The configuration: check it, describe its fields.", bare="check", shows=None)


@app.command(help="Read config.yaml and schedules/ and name every fault with file, line and the mend.")
def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Exit 3 if there is a fault."""
    from cm.workspace import check_config, find

    given: Globals = ctx.find_root().obj
    problems = check_config(find(given.start))
    if problems:
        raise ConfigError(problems)
    if as_json:
        emit_json({"problems": []})
    else:
        say(_("The configuration is sound."))


@app.command(help="Print the JSON Schema of config.yaml and schedules/<channel>.yaml.")
def schema(as_json: Json = False) -> None:
    """Every field with description and example; JSON either way."""
    from cm import config

    emit_json(config.schema())
