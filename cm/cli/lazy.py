"""Command groups that load nothing until they are used.

The root lists its nouns from a table, so `cm --help` imports none of them; a noun's module is imported
when one of its verbs runs. A bare noun lists, and a noun with an id shows.
"""

from collections.abc import Callable
from copy import copy
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cm.cli import mistakes
from cm.errors import NotFound, UsageError
from cm.i18n import N_, _

RUNNING = "cm.running"
IMPLIED = "cm.implied"
"""Holds what a noun was called with in a verb's place: an id, or a verb misspelt."""
PLAIN = "--plain"

NOUNS: dict[str, tuple[str, str]] = {
    "today": ("cm.cli.today", N_("Today, worst first (`cm` alone does the same).")),
    "add": ("cm.cli.add", N_("Write posts: one for each channel, in your editor or at once.")),
    "edit": ("cm.cli.edit", N_("Change a post that has not left, in your editor or by options.")),
    "week": ("cm.cli.week", N_("One week: days by channels.")),
    "find": ("cm.cli.find", N_("Find posts by their words, whatever the accents.")),
    "move": ("cm.cli.move", N_("Give posts another time, or the next open slots.")),
    "stop": ("cm.cli.stop", N_("Hold everything at once; the reason is asked after.")),
    "undo": ("cm.cli.undo", N_("Take back your own last step, or the last few.")),
    "init": ("cm.cli.init", N_("Make a workspace: the example, or an empty one.")),
    "demo": ("cm.cli.demo", N_("A whole fortnight in a throw-away workspace, simulated.")),
    "post": ("cm.cli.post", N_("Posts: add, list, edit, move, cancel, confirm, take down…")),
    "calendar": ("cm.cli.calendar", N_("The calendar: show a week, find gaps, import and export.")),
    "story": ("cm.cli.story", N_("Stories: one idea, told differently to each audience.")),
    "publish": ("cm.cli.publish", N_("Publish what is due (cron runs this every minute).")),
    "hold": ("cm.cli.hold", N_("Hold everything, or some channels: on, off, status.")),
    "metrics": ("cm.cli.metrics", N_("Engagement: collect it, import it from files, compare.")),
    "report": ("cm.cli.report", N_("The weekly report.")),
    "channel": ("cm.cli.channel", N_("Channels: list, show, check, log in, resume.")),
    "run": ("cm.cli.run", N_("The daemon: publishes each minute in the place of cron.")),
    "doctor": ("cm.cli.doctor", N_("Is all well here? What is not, and the command that mends it.")),
    "audit": ("cm.cli.audit", N_("The action log: list it, export it, verify it.")),
    "config": ("cm.cli.config", N_("The configuration: check it, describe its fields, set it up.")),
    "db": ("cm.cli.db", N_("The database: upgrade it, reconcile it, adopt it.")),
}
"""Noun → module and help, in the order of `cm --help`: the everyday ones first, administration last."""


def _formatter(**options: Any) -> Any:
    from cm.cli.words import Formatter  # few command lines ask for help

    return Formatter(**options)


class LazyGroup(TyperGroup):
    """The root: knows its nouns by name alone until one is run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Every help below speaks the language: the contexts of all commands share their class."""
        type(ctx).formatter_class = staticmethod(_formatter)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """The nouns in the table's order."""
        return list(NOUNS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """From here on the named command is needed, not only its name."""
        ctx.meta[RUNNING] = True
        if not ctx.resilient_parsing and args[0] not in NOUNS:
            raise _no_command(args[0], "cm", list(NOUNS))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The real command when it runs, a stub with its help line otherwise."""
        if cmd_name not in NOUNS:
            return None
        module, text = NOUNS[cmd_name]
        if ctx.meta.get(RUNNING):
            command = get_command(import_module(module).app)
            command.name = cmd_name
            _accept_plain(command, self.params)
            return command
        return TyperGroup(name=cmd_name, help=_(text), rich_markup_mode=None)


def _no_command(word: str, path: str, known: list[str]) -> UsageError:
    said = _("There is no command {name!r}.").format(name=f"{path} {word}")
    return UsageError(
        said, hint=mistakes.of_command(word, path, known) or _("`{path} --help` lists them.").format(path=path)
    )


def _accept_plain(command: Any, params: list[Any]) -> None:
    """Let --plain stand behind the verb too, as --json does; the root's help names it once."""
    for verb in getattr(command, "commands", {"": command}).values():
        for option in params:
            if PLAIN in option.opts:
                again = copy(option)
                again.hidden, again.expose_value = True, False
                verb.params.append(again)


def noun(help_text: str, *, bare: str = "list", shows: str | None = "show") -> typer.Typer:
    """A group whose bare call runs the verb `bare`, and `NOUN ID` the verb `shows`."""

    class Noun(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            # the shell's completion asks what could stand here: nothing may be put in its place
            wanted = args if ctx.resilient_parsing else _completed(args, list(self.commands), bare, shows)
            if args and shows and wanted == [shows, *args]:
                ctx.meta[IMPLIED] = args[0]
            return super().parse_args(ctx, wanted)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if not ctx.resilient_parsing and args[0] not in self.commands:
                raise _no_command(args[0], ctx.command_path, list(self.commands))
            return super().resolve_command(ctx, args)

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            # what the bare noun and `NOUN ID` take may stand here too
            found = super().shell_complete(ctx, incomplete)
            if bare in self.commands:
                found += self.commands[bare].shell_complete(ctx, incomplete)
            if shows and shows in self.commands:
                ident: Any = self.commands[shows].params[0]
                found += ident.shell_complete(ctx, incomplete)
            return found

        def invoke(self, ctx: Any) -> Any:
            try:
                return super().invoke(ctx)
            except NotFound as error:  # `cm post lits`: taken for `cm post show lits`
                meant = mistakes.of_command(ctx.meta.get(IMPLIED, ""), ctx.command_path, list(self.commands))
                error.hint = meant or error.hint
                raise

    return typer.Typer(cls=Noun, help=help_text, **STYLE)


def _completed(args: list[str], verbs: list[str], bare: str, shows: str | None) -> list[str]:
    if not args:
        return [bare]
    first = args[0]
    if first in ("--help", "-h") or first in verbs:
        return args
    if first.startswith("-"):
        return [bare, *args]
    return [shows, *args] if shows else args


STYLE: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def command(help_text: str) -> tuple[typer.Typer, Callable[..., Any]]:
    """A noun that is itself the command (`cm init`); gives the app and the decorator for its function."""
    app = typer.Typer(**STYLE)
    return app, app.command(help=help_text)
