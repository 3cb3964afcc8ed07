"""A document as titled tables, before anybody decides how it is printed: on a terminal or as Markdown."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from cm.cli.columns import UNKNOWN, Column
from cm.cli.render import table
from cm.cli.terminal import safe

_ESCAPED = re.compile(r"([\\`*_\[\]#~$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}


@dataclass(frozen=True)
class Section:
    """A heading, a table (or none), and sentences below it."""

    title: str
    columns: Sequence[str | Column] = ()
    rows: Sequence[Sequence[object]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Document:
    """A title, lines below it, and sections."""

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    method: Sequence[str] = ()


def on_terminal(document: Document) -> Iterator[RenderableType]:
    """What is printed one below the other on a terminal."""
    yield Text.assemble((safe(document.title), "bold"), *(f"\n{safe(line)}" for line in document.lead))
    yield from sections(document.sections)
    if document.method:
        yield Text("\n".join(document.method), style="dim")


def sections(found: Iterable[Section]) -> Iterator[RenderableType]:
    """The sections as tables of the terminal."""
    for section in found:
        notes = [Text(safe(note)) for note in section.notes]
        body = [table(section.columns, section.rows)] if section.rows else []
        yield Group(Text(safe(section.title), style="bold"), *body, *notes)


def print_markdown(document: Document) -> None:
    """The document as Markdown to standard output."""
    sys.stdout.write(as_markdown(document))
    sys.stdout.flush()


def as_markdown(document: Document) -> str:
    """The document as Markdown (GitHub's tables); no text in it can end a cell or become markup."""
    parts = [f"# {escaped(document.title)}", *_paragraphs(document.lead)]
    for section in document.sections:
        parts.append(f"## {escaped(section.title)}")
        if section.rows:
            parts.append(_table(section))
        parts += _paragraphs(section.notes)
    return "\n\n".join([*parts, *_paragraphs(document.method)]) + "\n"


def _paragraphs(lines: Iterable[str]) -> list[str]:
    return [escaped(line) for line in lines]


def _table(section: Section) -> str:
    made = [column if isinstance(column, Column) else Column(column) for column in section.columns]
    head = [escaped(column.heading) for column in made]
    rule = ["---:" if column.right else "---" for column in made]
    body = [[escaped(UNKNOWN if value is None else str(value)) for value in row] for row in section.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def escaped(text: str) -> str:
    """One harmless line of text that Markdown takes literally."""
    line = " ".join(safe(" ".join(text.split())).split())
    return re.sub(r"[&<>|]", lambda found: _ENTITIES[found[0]], _ESCAPED.sub(r"\\\1", line))
