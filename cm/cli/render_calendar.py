"""The week as grids of days × channels, as wide as the terminal allows; read aloud, as lines."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cm.cli.columns import GAP, Grid, excerpt, number
from cm.cli.render import cell, table
from cm.cli.render_posts import MARKS
from cm.cli.terminal import plain
from cm.formats import day_long, day_short, labelled, plural
from cm.i18n import N_, _
from cm.model.words import state_word

if TYPE_CHECKING:
    from cm.calendar.overview import Cell, Gaps, GridPost, WeekGrid
    from cm.model.facts import DayCount

STYLES = {"failed": "red", "missed": "red", "unconfirmed": "yellow", "published": "green", "cancelled": "dim"}
NARROWEST = 28
"""Cells below which a column of posts says nothing: then channels stand below one another."""
SIGNS = {"short": "▼", "over": "▲", "ok": ""}
WORDS = {"short": N_("short"), "over": N_("over"), "ok": N_("ok")}


def week_grids(grid: "WeekGrid", width: int) -> Iterator[Table | Text]:
    """The week's name, then as many grids as the channels need: days down, channels across."""
    yield Text(f"{grid.week} · {day_short(grid.days[0])} – {day_short(grid.days[-1])}", style="bold")
    if plain():
        yield from _spoken(grid)
        return
    dates = max(cell_len(day_short(day)) for day in grid.days)
    abreast = max(1, (width - dates) // (NARROWEST + GAP))
    for start in range(0, len(grid.channels), abreast):
        yield _week_grid(grid, grid.channels[start : start + abreast], width, dates)


def forgotten_line(grid: "WeekGrid") -> str | None:
    """What is said of posts whose channel has left the configuration."""
    if not grid.forgotten:
        return None
    counts = ", ".join(f"{name} {posts}" for name, posts in sorted(grid.forgotten.items()))
    said = plural(
        "{n} post is not shown; its channel is not in config.yaml:",
        "{n} posts are not shown; their channels are not in config.yaml:",
        sum(grid.forgotten.values()),
    )
    return f"{said} {counts} → cm week {grid.week} --list"


def _week_grid(grid: "WeekGrid", channels: Sequence[str], width: int, dates: int) -> Table:
    """Each post a line `08:30 ○ p12 text…` cut to its column; a public holiday's name below its date."""
    column = max(1, (width - dates) // len(channels) - GAP)
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_lines=True)
    made.add_column("", width=dates)
    for name in channels:
        made.add_column(Text(name), width=column, no_wrap=True, overflow="ellipsis")
    for day in grid.days:
        holiday = grid.holidays.get(day)
        label = Text(day_short(day) + (f"\n{holiday}" if holiday else ""), style="bold" if holiday else "")
        made.add_row(label, *(_cell(grid.cells[day, name], column) for name in channels))
    return made


def _cell(cell: "Cell", width: int) -> Text:
    lines = [_line(post, width) for post in cell.posts]
    if cell.count.status != "ok":
        lines.append(Text(bound_of(cell.count), style="yellow"))
    return Text("\n").join(lines) if lines else Text("·", style="dim")


def _line(post: "GridPost", width: int) -> Text:
    head = f"{post.time} {MARKS[post.state]} {post.id} " + (_("late: ") if post.overdue else "")
    style = "red" if post.overdue else STYLES.get(post.state, "")
    return Text(head + excerpt(post.text, max(4, width - len(head))), style=style)


def _spoken(grid: "WeekGrid") -> Iterator[Text]:
    """Each day a block of lines, for those who hear it."""
    for day in grid.days:
        holiday = grid.holidays.get(day)
        lines = [day_long(day) + (f" ({holiday})" if holiday else "")]
        for name in grid.channels:
            of_day = grid.cells[day, name]
            lines += [
                labelled(f"{name}, {post.time}, {state_word(post.state)}, {post.id}", excerpt(post.text, 60))
                for post in of_day.posts
            ]
            if of_day.count.status != "ok":
                lines.append(labelled(name, bound_of(of_day.count)))
        yield cell("\n".join(lines))


def bound_of(day: "DayCount") -> str:
    """`▼ short 2 (3–5)`; no sign where it is read aloud."""
    return f"{status_of(day)} {day.count} ({day.min}–{day.max})"


def status_of(day: "DayCount") -> str:
    """`▼ short`, `▲ over`, `ok`."""
    word = _(WORDS[day.status])
    return word if plain() else f"{SIGNS[day.status]} {word}".strip()


def gap_table(found: "Gaps") -> Grid | None:
    """Days below or above their bounds, None if there is none; with the holidays' names if there are any."""
    days = [day for day in found.days if day.status != "ok"]
    if not days:
        return None
    named = bool(found.holidays.keys() & {day.day for day in days})
    rows = [
        (f"{day_short(d.day)} {d.day.year}", d.channel, d.count, f"{d.min}–{d.max}", status_of(d))
        + ((found.holidays.get(d.day, ""),) if named else ())
        for d in days
    ]
    columns = (
        _("day"), _("channel"), number(_("posts")), _("bounds"), _("status"), *((_("holiday"),) if named else ()),
    )  # fmt: skip
    return table(columns, rows)


def next_gap_lines(found: "Gaps", horizon: int) -> str:
    """Each channel's first coming day below the quota, a line each."""
    lines = []
    for name, day in found.next_gap.items():
        if day is None:
            lines.append(_("{channel}: the next {n} days hold enough posts.").format(channel=name, n=horizon))
        else:
            lines.append(_("{channel}: first day below its quota: {day}").format(channel=name, day=day_long(day)))
    return "\n".join(lines)
