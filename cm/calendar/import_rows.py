"""Rows of our CSV made values: every cell is read and checked by itself, every fault is told.

Nothing here asks the database; whether a row is new or changes a post is decided in `importing`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any

from cm.calendar import cells, cleaning
from cm.calendar.csvfile import BadCsv, Record, Table, records
from cm.calendar.drafting import Spec
from cm.calendar.media import MediaShelf
from cm.clock import Resolved, resolve
from cm.config import Config
from cm.i18n import _
from cm.model.facts import MediaContent
from cm.model.ids import number_of
from cm.model.states import LOCKED, PostState

_REMEMBERED = 4096
"""So many different cells of a kind (audiences, days…) are remembered instead of read again."""


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a cell; `row` is the spreadsheet's (header = 1), `column` may be empty."""

    row: int
    column: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """One item of `errors`."""
        return {"row": self.row, "column": self.column, "message": self.message}


@dataclass(slots=True)
class Row:
    """A row that can be read. `plan`: its time; `day`: its date where the time is blank.

    `values` holds the columns that the file has: a column that is missing leaves a post's value alone.
    """

    number: int
    channel: str
    ref: str | None = None
    id: int | None = None
    plan: Resolved | None = None
    wanted: datetime | None = None
    day: date | None = None
    media: tuple[tuple[str, str | None], ...] | None = None
    """Paths with their text alternatives (None where the file has no such column)."""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How findings call it."""
        return self.ref or (f"p{self.id}" if self.id else _("row {n}").format(n=self.number))


def ids_named(table: Table) -> Iterator[int]:
    """The ids in the column `ref` of the whole file, as far as it can be read."""
    at = table.columns.index("ref")
    with suppress(BadCsv):  # told when the row itself is read
        for record in records(table):
            number = number_of(record.cells[at], "p") if len(record.cells) > at else None
            if number is not None:
                yield number


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, config: Config, columns: tuple[str, ...]) -> None:
        self._config = config
        self._width = len(columns)
        at = {column: index for index, column in enumerate(columns)}
        self._simple = [(column, at[column], read) for column, read in _readers(config).items() if column in at]
        self._ref, self._date, self._time = at.get("ref"), at.get("date"), at.get("time")
        self._media, self._alt = at.get("media"), at.get("alt")
        self._plan = lru_cache(_REMEMBERED)(self._plan_of)

    def read(self, record: Record) -> tuple[Row, list[RowError]]:
        """The row and everything that is wrong with it; with errors the row is not to be used."""
        row, cells_ = Row(record.number, ""), record.cells
        if len(cells_) != self._width:
            said = _("The row has {n} cells, the header {width}.").format(n=len(cells_), width=self._width)
            return row, [RowError(record.number, "", said)]
        try:
            row.values = {column: read(cells_[index]) for column, index, read in self._simple}
            row.channel = row.values.pop("channel")
            self._read_name(row, cells_)
            self._read_time(row, cells_)
            self._read_media(row, cells_)
        except ValueError:
            return row, list(self._faults(record))
        return row, []

    def _faults(self, record: Record) -> Iterator[RowError]:
        """Every fault of a row of which one is known."""
        row = Row(record.number, "")
        steps: list[tuple[str, Callable[[], object]]] = [
            (column, partial(read, record.cells[index])) for column, index, read in self._simple
        ]
        steps.append(("ref", partial(self._read_name, row, record.cells)))
        steps.append(("date", partial(self._read_time, row, record.cells)))
        steps.append(("media", partial(self._read_media, row, record.cells)))
        for column, step in steps:
            try:
                step()
            except ValueError as error:
                yield RowError(record.number, fault_column(error) or column, str(error))

    def _read_name(self, row: Row, cells_: list[str]) -> None:
        cell = "" if self._ref is None else cells_[self._ref].strip()
        if cell:
            row.id = number_of(cell, "p")
            row.ref = cleaning.clean_ref(cell) if row.id is None else None

    def _read_time(self, row: Row, cells_: list[str]) -> None:
        day = "" if self._date is None else cells_[self._date]
        time = "" if self._time is None else cells_[self._time]
        row.day, row.wanted, row.plan = self._plan(day, time)

    def _plan_of(self, day: str, time: str) -> tuple[date | None, datetime | None, Resolved | None]:
        day, time = day.strip(), time.strip()
        if not day:
            if time:
                raise ValueError(_("a time needs a date"))
            return None, None, None
        when = cells.read_day(day)
        if not time:
            return when, None, None
        try:
            moment = cells.read_time(time)
        except ValueError as error:
            raise _Fault("time", str(error)) from None
        wall = datetime.combine(when, moment)
        return None, wall, resolve(wall, self._config.zone)

    def _read_media(self, row: Row, cells_: list[str]) -> None:
        if self._media is None:
            return
        cell = cells_[self._media]
        paths = [path.strip() for path in cells.split_list(cell)] if cell else []
        if len(set(paths)) < len(paths):
            raise ValueError(_("a file stands twice"))
        if self._alt is None:
            row.media = tuple((path, None) for path in paths)
            return
        cell = cells_[self._alt]
        alts = [cleaning.clean_text(alt) for alt in cells.split_list(cell)] if cell else []
        if len(alts) > len(paths):
            said = _("{alts} text alternatives for {n} files").format(alts=len(alts), n=len(paths))
            raise _Fault("alt", said)
        row.media = tuple((path, alts[n] if n < len(alts) else "") for n, path in enumerate(paths))


class _Fault(ValueError):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def _readers(config: Config) -> dict[str, Callable[[str], Any]]:
    """How the cell of each column is read that stands for itself."""

    def channel(cell: str) -> str:
        name = cell.strip()
        if name not in config.channels:
            known = ", ".join(config.channels) or "–"
            raise ValueError(_("there is no channel {name!r}; use one of {known}").format(name=name, known=known))
        return name

    def fields(cell: str) -> dict[str, str]:
        return cleaning.clean_fields(cells.split_fields(cell)) if cell else {}

    def audiences(cell: str) -> tuple[str, ...]:
        return cleaning.known_audiences(config, (item.strip() for item in cells.split_list(cell)))

    def kind(cell: str) -> str:
        return cleaning.known_kind(config, cell.strip())

    def objective(cell: str) -> str | None:
        return cleaning.known_objective(config, cell.strip())

    word = _optional(cleaning.clean_word)
    return {
        "channel": lru_cache(_REMEMBERED)(channel),
        "story": _optional(cleaning.clean_story),
        "kind": lru_cache(_REMEMBERED)(kind),
        "fields": fields,
        "theme": lru_cache(_REMEMBERED)(word),
        "campaign": lru_cache(_REMEMBERED)(word),
        "objective": lru_cache(_REMEMBERED)(objective),
        "audiences": lru_cache(_REMEMBERED)(audiences),
        "language": lru_cache(_REMEMBERED)(_optional(cleaning.clean_language)),
        "text": cleaning.clean_text,
        "link": _optional(cleaning.clean_link),
        "first_comment": _optional(cleaning.clean_text),
    }


def _optional(clean: Callable[[str], str]) -> Callable[[str], str | None]:
    def read(cell: str) -> str | None:
        return clean(cell) if cell and not cell.isspace() else None

    return read


def spec_for(row: Row, config: Config, shelf: MediaShelf, old: Spec | None, state: PostState | None) -> Spec:
    """What a row says of a post: of a new one, or (with `old`) of one that is kept, in that `state`.

    Raises _Fault (a ValueError with `column`): media that may not be used, nothing to say.
    """
    values = dict(row.values)
    if "audiences" in values:
        values["audiences"] = values["audiences"] or config.channels[row.channel].audiences
    if "language" in values:
        values["language"] = values["language"] or config.language_of(row.channel)
    if row.media is not None:
        values["media"] = _media(row.media, shelf, old.media if old else (), locked=state in LOCKED)
    if old is None:
        values.setdefault("audiences", config.channels[row.channel].audiences)
        values.setdefault("language", config.language_of(row.channel))
        spec = Spec(channel=row.channel, ref=row.ref, **values)
    else:
        spec = replace(old, **values)
    if not spec.media and not spec.text.strip():
        raise _Fault("text", _("there is neither text nor a picture"))
    return spec


def fault_column(error: ValueError) -> str:
    """The column that an error of `spec_for` is about."""
    return error.column if isinstance(error, _Fault) else ""


def _media(
    wanted: tuple[tuple[str, str | None], ...], shelf: MediaShelf, old: tuple[MediaContent, ...], *, locked: bool
) -> tuple[MediaContent, ...]:
    """The files of a row. Those of a post that has left need not lie there any more: they are known by their names."""
    known = {medium.path: medium for medium in old}
    media = []
    for path, alt in wanted:
        kept = known.get(path)
        said = alt if alt is not None else (kept.alt if kept else "")
        try:
            media.append(replace(kept, alt=said) if kept and locked else shelf.medium(path, said))
        except ValueError as error:
            raise _Fault("media", str(error)) from None
    return tuple(media)
