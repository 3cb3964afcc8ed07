"""The week as grids of days × channels, as wide as the terminal allows."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cm.cli.columns import GAP, Grid, excerpt, number
from cm.cli.render import table
from cm.cli.render_posts import MARKS
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.overview import Cell, GridPost, WeekGrid
    from cm.model.facts import DayCount

STYLES = {"failed": "red", "missed": "red", "unconfirmed": "yellow", "published": "green", "cancelled": "dim"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DATE_WIDTH = len("Mon 23/11")
NARROWEST = 24
"""Cells below which a column of posts says nothing: then channels stand below one another."""
SIGNS = {"short": "▼ short", "over": "▲ over", "ok": "ok"}


def week_grids(grid: "WeekGrid", width: int) -> Iterator[Table | Text]:
    """The week's name, then as many grids as the channels need: days down, channels across."""
    yield Text(f"{grid.week} · {grid.days[0]} – {grid.days[-1]}", style="bold")
    abreast = max(1, (width - DATE_WIDTH) // (NARROWEST + GAP))
    for start in range(0, len(grid.channels), abreast):
        yield _week_grid(grid, grid.channels[start : start + abreast], width)


def _week_grid(grid: "WeekGrid", channels: Sequence[str], width: int) -> Table:
    """Each post a line `08:30 ○ text…` cut to its column."""
    column = max(1, (width - DATE_WIDTH) // len(channels) - GAP)
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_lines=True)
    made.add_column("", width=DATE_WIDTH)
    for name in channels:
        made.add_column(Text(name), width=column, no_wrap=True, overflow="ellipsis")
    for day in grid.days:
        label = Text(f"{DAYS[day.weekday()]} {day:%d/%m}")
        made.add_row(label, *(_cell(grid.cells[day, name], column) for name in channels))
    return made


def _cell(cell: "Cell", width: int) -> Text:
    lines = [_line(post, width) for post in cell.posts]
    if cell.count.status != "ok":
        lines.append(Text(_bound(cell.count), style="yellow"))
    return Text("\n").join(lines) if lines else Text("·", style="dim")


def _line(post: "GridPost", width: int) -> Text:
    head = f"{post.time} {MARKS[post.state]} " + (_("late: ") if post.overdue else "")
    style = "red" if post.overdue else STYLES.get(post.state, "")
    return Text(head + excerpt(post.text, max(4, width - len(head))), style=style)


def _bound(day: "DayCount") -> str:
    return f"{SIGNS[day.status]} {day.count} ({day.min}–{day.max})"


def gap_table(days: Sequence["DayCount"]) -> Grid:
    """Days below or above their bounds."""
    rows = [(f"{DAYS[d.day.weekday()]} {d.day}", d.channel, d.count, f"{d.min}–{d.max}", SIGNS[d.status]) for d in days]
    return table(("day", "channel", number("posts"), "bounds", "status"), rows)
