"""Coverage as matrices: hours down, weekdays across."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from cm.cli.columns import Column, Grid, number
from cm.cli.render import cell, table
from cm.cli.terminal import plain, sign
from cm.clock import week_of
from cm.formats import clock, day_short, percent, plural, weekday_short
from cm.formats import number as number_text
from cm.i18n import _
from cm.model.words import kind_word

if TYPE_CHECKING:
    from datetime import datetime

    from cm.calendar.coverage import ChannelCoverage, Coverage, SlotCell

NAMED = 6
"""Days with an empty slot that are named; the others are counted."""


def coverage_tables(found: "Coverage") -> Iterator[Grid | Text]:
    """The period, then for each channel a heading, its matrix, its empty slots and its kinds."""
    yield Text(f"{day_short(found.start)} {found.start.year} – {day_short(found.end)} {found.end.year}", style="bold")
    if found.holidays:
        named = ", ".join(f"{day_short(day)} {name}" for day, name in found.holidays.items())
        yield cell(_("Public holidays: {named}").format(named=named))
    for channel in found.channels:
        yield cell(_heading(channel), style="bold")
        yield _matrix(channel, found)
        yield cell("\n".join(_below(channel, found.now)))


def _heading(channel: "ChannelCoverage") -> str:
    posts = plural("{n} post planned", "{n} posts planned", channel.planned)
    rate = _("{rate} a day").format(rate=number_text(channel.planned / channel.days, 1))
    return f"{channel.channel} · {posts} · {rate}"


def _matrix(channel: "ChannelCoverage", found: "Coverage") -> Grid:
    """A cell is `4`, or `3 ○1` where a slot stays empty once; a dash where the weekday has no such slot."""
    cells = {(each.weekday, each.time): each for each in channel.cells}
    weekdays = range(7)
    rows: list[list[object]] = []
    for slot in channel.slots:
        of_slot = [cells.get((weekday, slot)) for weekday in weekdays]
        rows.append([clock(slot), *map(_shown, of_slot), sum(each.planned for each in of_slot if each)])
    if channel.other:
        counts = [channel.other.get(weekday, 0) for weekday in weekdays]
        rows.append([_("other"), *(count or ("" if plain() else None) for count in counts), sum(counts)])
    totals = [
        sum(each.planned for each in channel.cells if each.weekday == w) + channel.other.get(w, 0) for w in weekdays
    ]
    rows.append([_("all"), *totals, channel.planned])
    names = [number(weekday_short(day)) for day in week_of(found.start).days]
    return table([Column(_("time")), *names, number(_("all"))], rows)


def _shown(found: "SlotCell | None") -> str | None:
    if found is None:
        return "" if plain() else None
    if plain():
        return _("{n}, {empty} empty").format(n=found.planned, empty=found.open) if found.open else str(found.planned)
    return f"{found.planned} ○{found.open}" if found.open else str(found.planned)


def _below(channel: "ChannelCoverage", now: "datetime") -> Iterator[str]:
    if not channel.cells:
        yield _("It has no slots: write them into schedules/{channel}.yaml.").format(channel=channel.channel)
    elif channel.empty:
        count = sign("○", plural("{n} slot stays empty", "{n} slots stay empty", len(channel.empty)))
        left = [wall for wall in channel.empty if wall > now]
        slots = _named(left)
        yield _("{empty}; to be filled: {slots}").format(empty=count, slots=slots) if left else f"{count}."
    else:
        yield _("No slot stays empty.")
    if channel.kinds:
        shares = {kind: percent(100 * posts / channel.planned, 0) for kind, posts in channel.kinds.items()}
        told = " · ".join(f"{kind_word(kind)} {share} ({channel.kinds[kind]})" for kind, share in shares.items())
        yield _("Kinds: {shares}").format(shares=told)


def _named(empty: "list[datetime]") -> str:
    """`Tue 01/12 08:30 10:30, Wed 02/12 08:30, … and 12 more`."""
    days = [(day, list(walls)) for day, walls in groupby(empty, lambda wall: wall.date())]
    shown = ", ".join(f"{day_short(day)} {_hours(walls)}" for day, walls in days[:NAMED])
    left = sum(len(walls) for _day, walls in days[NAMED:])
    return shown + (", " + _("… and {n} more").format(n=left) if left else "")


def _hours(walls: "list[datetime]") -> str:
    return " ".join(clock(wall) for wall in walls)
