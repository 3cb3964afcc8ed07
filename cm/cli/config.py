"""`cm config`: is it sound, and what may stand in it?"""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cm.cli.bulk import ask
from cm.cli.columns import Column, number
from cm.cli.editor import at_terminal
from cm.cli.lazy import noun
from cm.cli.options import FirstDay, Globals, Json, LastDay, day_given, workspace
from cm.cli.render import cell, emit_json, say, show, table
from cm.cli.terminal import sign
from cm.errors import ConfigError, UsageError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.words import level_word

if TYPE_CHECKING:
    from cm.publishing.checklist import Stage

app = noun(_("The configuration: check it, describe its fields, set it up."), bare="check", shows=None)


@app.command(help=_("Read config.yaml and schedules/ and name every fault with file, line and the mend."))
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


@app.command(help=_("Let the `command:` secrets of config.yaml run, as it is now; any change needs this again."))
def trust(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
    take_back: Annotated[bool, typer.Option("--take-back", help=_("Let none of them run any more."))] = False,
    as_json: Json = False,
) -> None:
    """What is trusted stands in the user's state folder, out of reach of whoever writes the workspace."""
    from cm import config
    from cm.secrets import trust as records
    from cm.workspace import find

    given: Globals = ctx.find_root().obj
    root = find(given.start)
    seen = records.fingerprint(root)  # before it is read: what changes in between is not trusted
    commands = [] if take_back else config.load(root).commands()
    if commands and not yes:
        _show_commands(commands)
    if commands:
        records.trust(root, commands, seen)
    else:
        records.distrust(root)
    _tell_trust(root, commands, as_json=as_json)


def _show_commands(commands: list[str]) -> None:
    """Raises UsageError where nobody can be asked, Refused for anything but yes."""
    if not at_terminal():
        raise UsageError(
            _("Commands of config.yaml would be trusted, and nobody can be asked."), hint=_("Give --yes to do it.")
        )
    say(_("These would run as you, whenever cm needs the secret:"))
    for command in commands:
        say(f"  {command.partition(':')[2]}")
    ask(_("Trust them?"))


def _tell_trust(root: Path, commands: list[str], *, as_json: bool) -> None:
    if as_json:
        emit_json({"workspace": str(root), "commands": commands})
    elif commands:
        n = len(commands)
        said = plural("{n} command is trusted", "{n} commands are trusted", n)
        say(labelled(said, _("until config.yaml changes")))
    else:
        say(_("No command of config.yaml is trusted."))


@app.command(help=_("What may stand in config.yaml and schedules/<channel>.yaml; with --json as JSON Schema."))
def schema(as_json: Json = False) -> None:
    """Every field with type, default and meaning."""
    from cm import config

    if as_json:
        emit_json(config.schema())
        return
    columns = (Column(_("field"), "prose"), Column(_("type"), "prose"), Column(_("default"), "prose"),
               Column(_("meaning"), "prose"))  # fmt: skip
    for file, found in groupby(config.fields(), lambda facts: facts.file):
        rows = [
            (_indented(f.path), f.type, _("(needed)") if f.default is None else f.default, f.meaning) for f in found
        ]
        show(Text(file, style="bold"), table(columns, rows))


def _indented(path: str) -> str:
    """`    NAME.min` for `cadence.weekdays.NAME.min`: a field stands below its block."""
    *above, name = path.replace(".NAME.", ".NAME:").replace("[].", ".-:").split(".")
    return "  " * len(above) + name.replace("NAME:", "NAME.").replace("-:", "- ")


@app.command(help=_("Setting up in four stages: what is there, what is missing, and what to do about it."))
def checklist(ctx: typer.Context, as_json: Json = False) -> None:
    """Exit 0 whatever is missing."""
    from cm.publishing.checklist import checklist as run

    with workspace(ctx) as opened:
        found = run(opened.env)
    if as_json:
        emit_json({"stages": [stage.as_json() for stage in found]})
        return
    show(*(cell(_stage(number, stage)) for number, stage in enumerate(found, 1)))


def _stage(number: int, stage: "Stage") -> str:
    """A heading with how far it is, then a line an item; below a missing one what to do."""
    lines = [_("{number}. {stage}: {done} of {of}").format(
        number=number, stage=stage.label, done=stage.done, of=len(stage.items))]  # fmt: skip
    for item in stage.items:
        mark, rest = ("✓", "") if item.done else ("✗", _(" (missing)"))
        lines.append(f"  {sign(mark, item.label)}{rest}")
        if not item.done:
            lines.append(f"      → {item.todo}")
    return "\n".join(lines)


@app.command(help=_("The register of objectives: what each means at every level, and how many posts cite it."))
def objectives(
    ctx: typer.Context,
    first: FirstDay = None,
    last: LastDay = None,
    as_json: Json = False,
) -> None:
    """Posts planned or out, of all days if no span is named."""
    from cm.calendar.objectives import objectives as run

    with workspace(ctx) as opened:
        found = run(
            opened.env, day_given(opened.env, first) if first else None, day_given(opened.env, last) if last else None
        )
    if as_json:
        emit_json(found.as_json())
        return
    columns = (Column(_("objective")), Column(_("what is wanted"), "prose"), number(_("posts")), number(_("out")))
    rows: list[tuple[object, ...]] = []
    for each in found.objectives:
        rows.append((each.key, each.label or _("not in the register"), each.posts, each.published))
        rows += [("", labelled(level_word(level), text), "", "") for level, text in each.levels.items()]
    if rows:
        show(table(columns, rows))
    else:
        say(_("No objective is registered: write them into `objectives:` of config.yaml."))
    say(plural("{n} post cites no objective.", "{n} posts cite no objective.", found.uncited))
