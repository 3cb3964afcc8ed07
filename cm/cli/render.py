"""Printing: JSON for programs, rich tables for people, prose to standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cm.cli.terminal import safe


def emit_json(value: Any) -> None:
    """One JSON document to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """A console that takes no markup, no emoji names and highlights nothing: text is text."""
    return Console(markup=False, emoji=False, highlight=False, stderr=stderr)


def say(text: str) -> None:
    """A sentence for the person, to standard error; its text is made harmless."""
    console(stderr=True).print(Text(safe(text, newlines=True)), soft_wrap=True)


def cell(value: object, *, style: str = "") -> Text:
    """A table cell from text of any origin."""
    return Text("–" if value is None else safe(str(value), newlines=True), style=style)


def table(
    columns: Sequence[str | tuple[str, str]], rows: Iterable[Sequence[object]], title: str | None = None
) -> Table:
    """A plain table; a column is its heading, or heading and justification (`right`)."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, title=Text(safe(title)) if title else None, title_justify="left")
    for column in columns:
        heading, justify = column if isinstance(column, tuple) else (column, "left")
        made.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else cell(value) for value in row))
    return made


def show(*things: Any) -> None:
    """Print tables and lines to standard output."""
    out = console()
    for thing in things:
        out.print(thing)
