"""The week as a grid of days × channels, as wide as the terminal allows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cm.cli.render import table
from cm.cli.render_posts import MARKS
from cm.cli.terminal import excerpt

if TYPE_CHECKING:
    from cm.calendar.overview import Cell, GridPost, WeekGrid
    from cm.model.facts import DayCount

STYLES = {"failed": "red", "missed": "red", "unconfirmed": "yellow", "published": "green", "cancelled": "dim"}
DATE_WIDTH = 10
SIGNS = {"short": "▼ short", "over": "▲ over", "ok": "ok"}


def week_grid(grid: "WeekGrid", width: int) -> Table:
    """Days down, channels across; each post a line `08:30 ○ text…` cut to its column."""
    column = max(16, (width - DATE_WIDTH) // max(1, len(grid.channels)) - 3)
    made = Table(box=SIMPLE_HEAD, pad_edge=False, title=str(grid.week), title_justify="left", show_lines=True)
    made.add_column("", width=DATE_WIDTH)
    for name in grid.channels:
        made.add_column(Text(name), width=column, no_wrap=True)
    for day in grid.days:
        made.add_row(Text(f"{day:%a %d/%m}"), *(_cell(grid.cells[day, name], column) for name in grid.channels))
    return made


def _cell(cell: "Cell", width: int) -> Text:
    lines = [_line(post, width) for post in cell.posts]
    if cell.count.status != "ok":
        lines.append(Text(f"{_bound(cell.count)}", style="yellow"))
    return Text("\n").join(lines) if lines else Text("·", style="dim")


def _line(post: "GridPost", width: int) -> Text:
    head = f"{post.time} {MARKS[post.state]} "
    style = "red" if post.overdue else STYLES.get(post.state, "")
    return Text(head + excerpt(post.text, max(4, width - len(head))), style=style)


def _bound(day: "DayCount") -> str:
    return f"{SIGNS[day.status]} {day.count} ({day.min}–{day.max})"


def gap_table(days: Sequence["DayCount"]) -> Table:
    """Days below or above their bounds."""
    rows = [(f"{day.day:%a} {day.day}", day.channel, _bound(day)) for day in days]
    return table(("day", "channel", "posts (bounds)"), rows)
