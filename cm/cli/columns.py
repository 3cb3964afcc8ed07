"""Tables that fit the terminal: spare columns leave first, words stay whole where they can, long lines are cut."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import _wrap
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cm.cli.terminal import plain, safe
from cm.formats import labelled
from cm.i18n import _

GAP = 2
"""Blanks between two columns."""
UNKNOWN = "–"
"""Stands for what is not known."""
_wrap.re_word = re.compile(r"[^\S\xa0\u202f]*[\S\xa0\u202f]+[^\S\xa0\u202f]*")
"""rich breaks lines at the blanks that never break, which French has before `;` and `:`."""
LONGEST = 400
"""Characters of a `line` that any terminal could show."""


@dataclass(frozen=True)
class Column:
    """A column. `word` keeps its width if it can, `prose` is wrapped between words, `line` is cut with `…`.

    `spare`: 0 stays; of the others the highest leaves first where the terminal is narrow.
    """

    heading: str
    shape: Literal["word", "prose", "line"] = "word"
    right: bool = False
    spare: int = 0


def number(heading: str, *, spare: int = 0) -> Column:
    """A column of numbers, aligned at the right."""
    return Column(heading, right=True, spare=spare)


@dataclass(frozen=True)
class Wish:
    """What a column would like to have, and what it needs at least, in terminal cells."""

    natural: int
    least: int
    spare: int = 0


def fit(wishes: Sequence[Wish], width: int) -> dict[int, int]:
    """The columns that are shown, by number, with the widths that they get in `width` cells. Pure."""
    kept = list(range(len(wishes)))
    while _needed(wishes, kept) > width and any(wishes[index].spare for index in kept):
        kept.remove(max(kept, key=lambda index: wishes[index].spare))
    widths = {index: wishes[index].least for index in kept}
    free = width - _needed(wishes, kept)
    while free < 0 and max(widths.values(), default=1) > 1:
        widths[max(kept, key=widths.__getitem__)] -= 1
        free += 1
    while free > 0 and (short := [index for index in kept if widths[index] < wishes[index].natural]):
        widths[max(short, key=lambda index: wishes[index].natural - widths[index])] += 1
        free -= 1
    return widths


def _needed(wishes: Sequence[Wish], kept: Sequence[int]) -> int:
    return sum(wishes[index].least for index in kept) + GAP * (len(kept) - 1)


class Grid:
    """A table that is laid out when it is printed, for the width that there is."""

    def __init__(self, columns: Sequence[Column], rows: Iterable[Sequence[Text]], *, facts: bool = False) -> None:
        """`facts`: two columns, the first of which names what stands in the second."""
        self.facts = facts
        self.columns = columns
        self.rows = [tuple(row) for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table of rich with the widths of `fit`; read aloud, the lines of each row."""
        if plain():
            yield from self._lines()
            return
        widths = fit([self._wish(index) for index in range(len(self.columns))], options.max_width)
        made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for index, width in widths.items():
            column = self.columns[index]
            made.add_column(
                Text(column.heading),
                width=width,
                justify="right" if column.right else "left",
                no_wrap=column.shape == "line",
                overflow="ellipsis" if column.shape == "line" else "fold",
            )
        for row in self.rows:
            made.add_row(*(row[index] for index in widths))
        yield made

    def _lines(self) -> Iterator[Text]:
        """`heading: value` on a line each and an empty line between two rows; facts on a line each.

        What is not known is left out, but for a number: there its absence says something.
        """
        for index, row in enumerate(self.rows):
            if self.facts:
                yield from _spoken(row[0].plain, row[1].plain)
                continue
            if index:
                yield Text()
            heading = ""
            for column, value in zip(self.columns, row, strict=True):
                heading = _("{what}, change").format(what=heading) if column.heading == "±" else column.heading
                yield from _spoken(heading, value.plain, always=column.right)

    def _wish(self, index: int) -> Wish:
        column = self.columns[index]
        cells = [row[index].plain for row in self.rows]
        heading, lines = longest_word([column.heading]), max(map(cell_len, "\n".join(cells).split("\n")), default=0)
        natural = max(lines, cell_len(column.heading))
        words = {"word": lines, "prose": longest_word(cells), "line": lines}[column.shape]
        bound = {"word": 24, "prose": 18, "line": 30}[column.shape]
        return Wish(natural, max(1, min(natural, max(heading, min(words, bound)))), column.spare)


def _spoken(heading: str, value: str, *, always: bool = False) -> Iterator[Text]:
    if value not in ("", UNKNOWN):
        yield Text(labelled(heading, value) if heading else value)
    elif value and always:
        yield Text(labelled(heading, _("unknown")))


def longest_word(texts: Iterable[str]) -> int:
    """Cells of the longest word."""
    return max((cell_len(word) for text in texts for word in re.findall(r"[\S\xa0\u202f]+", text)), default=0)


def excerpt(text: str, width: int) -> str:
    """One harmless line of at most `width` terminal cells, with `…` where something is left out."""
    opening = text[: 4 * width]
    line = safe(" ".join(opening.split()))
    if cell_len(line) <= width and not text[len(opening) :].strip():
        return line
    return set_cell_size(line, min(width - 1, cell_len(line))).rstrip() + "…"
