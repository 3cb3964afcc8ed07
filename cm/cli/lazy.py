"""Command groups that load nothing until they are used.

The root lists its nouns from a table, so `cm --help` imports none of them; a noun's module is imported
when one of its verbs runs. A bare noun lists, and a noun with an id shows.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

RUNNING = "cm.running"

NOUNS: dict[str, tuple[str, str]] = {
    "init": ("cm.cli.init", "Make a workspace: the example, or an empty one."),
    "demo": ("cm.cli.demo", "A whole fortnight in a throw-away workspace, simulated."),
    "post": ("cm.cli.post", "Posts: add, list, show, edit, move, cancel, confirm."),
    "calendar": ("cm.cli.calendar", "The calendar: show a week, find gaps, import and export."),
    "story": ("cm.cli.story", "Stories: one idea, told differently to each audience."),
    "publish": ("cm.cli.publish", "Publish what is due (cron runs this every minute)."),
    "metrics": ("cm.cli.metrics", "Engagement: collect it from the channels."),
    "report": ("cm.cli.report", "The weekly report."),
    "channel": ("cm.cli.channel", "Channels: list, show, check."),
    "config": ("cm.cli.config", "The configuration: check it, describe its fields."),
    "db": ("cm.cli.db", "The database: upgrade it."),
}
"""Noun → module and help, in the order of `cm --help`: the everyday ones first, administration last."""


class LazyGroup(TyperGroup):
    """The root: knows its nouns by name alone until one is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The nouns in the table's order."""
        return list(NOUNS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """From here on the named command is needed, not only its name."""
        ctx.meta[RUNNING] = True
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The real command when it runs, a stub with its help line otherwise."""
        if cmd_name not in NOUNS:
            return None
        module, text = NOUNS[cmd_name]
        if ctx.meta.get(RUNNING):
            command = get_command(import_module(module).app)
            command.name = cmd_name
            return command
        return TyperGroup(name=cmd_name, help=text, rich_markup_mode=None)


def noun(help_text: str, *, bare: str = "list", shows: str | None = "show") -> typer.Typer:
    """A group whose bare call runs the verb `bare`, and `NOUN ID` the verb `shows`."""

    class Noun(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            # the shell's completion asks what could stand here: nothing may be put in its place
            wanted = args if ctx.resilient_parsing else _completed(args, list(self.commands), bare, shows)
            return super().parse_args(ctx, wanted)

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
