"""Printing: JSON for programs, tables for people to standard output; prose to standard error."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from cm.cli.columns import LONGEST, UNKNOWN, Column, Grid, excerpt
from cm.cli.terminal import json_text, plain, safe
from cm.i18n import _

WIDEST = 10_000


def emit_json(value: Any) -> None:
    """One JSON document to standard output."""
    sys.stdout.write(json_text(value, indent=2) + "\n")
    sys.stdout.flush()


def emit_lines(items: Iterable[Mapping[str, Any]]) -> None:
    """JSON Lines to standard output: one object a line, written as they come."""
    for item in items:
        sys.stdout.write(json_text(item) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """A console that takes no markup, no emoji names and highlights nothing: text is text."""
    if plain():  # what is read aloud line by line is not broken into more lines
        return Console(markup=False, emoji=False, highlight=False, stderr=stderr, color_system=None, width=WIDEST)
    return Console(markup=False, emoji=False, highlight=False, stderr=stderr)


def say(text: str, *, whole: bool = False) -> None:
    """A sentence for the person, to standard error; its text is made harmless. A terminal breaks it between words,
    but for a `whole` line: an address or a path in it is to be copied as it is."""
    sys.stdout.flush()  # where both go to one place, it must not come before or into what it is about
    out = console(stderr=True)
    out.print(Text(safe(text, newlines=True)), soft_wrap=whole or not out.is_terminal)


def show_whole(text: str) -> None:
    """A line to standard output that is never broken, however narrow the terminal: an address is to be copied."""
    console().print(Text(safe(text)), soft_wrap=True)


def show(*things: RenderableType) -> None:
    """Print to standard output, with an empty line between two things and no blanks at the ends of lines."""
    out = console()
    for index, thing in enumerate(things):
        if index:
            out.print()
        out.print(_Trimmed(thing), end="")
    out.file.flush()


class _Trimmed:
    """Something printable without the blanks with which rich fills its lines."""

    def __init__(self, thing: RenderableType) -> None:
        self._thing = thing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self._thing, options, pad=False):
            while line and not line[-1].text.rstrip(" "):
                line.pop()
            if line:
                last = line.pop()
                yield from line
                yield Segment(last.text.rstrip(" "), last.style, last.control)
            yield Segment.line()


def cell(value: object, *, style: str = "") -> Text:
    """A table cell from text of any origin; a dash for what is not known."""
    return Text(UNKNOWN if value is None else safe(str(value), newlines=True), style=style)


def table(columns: Sequence[str | Column], rows: Iterable[Sequence[object]]) -> Grid:
    """A plain table of whatever stands in the rows; a column is its heading, or a `Column`."""
    made = [column if isinstance(column, Column) else Column(column) for column in columns]
    return Grid(made, [[_cell(value, column) for value, column in zip(row, made, strict=True)] for row in rows])


def facts(pairs: Iterable[tuple[str, object]]) -> Grid:
    """Names and values of one thing, one below the other."""
    columns = (Column(_("field")), Column(_("value"), "prose"))
    return Grid(columns, [(cell(name), _cell(value, columns[1])) for name, value in pairs], facts=True)


def _cell(value: object, column: Column) -> Text:
    if isinstance(value, Text):
        return value
    return Text(excerpt(str(value), LONGEST)) if column.shape == "line" and value is not None else cell(value)
