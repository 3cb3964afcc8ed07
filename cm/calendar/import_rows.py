"""Rows of our CSV made values: every cell is read and checked by itself, every fault is told.

Nothing here asks the database; whether a row is new or changes a post is decided in `importing`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache, partial
from operator import attrgetter, itemgetter
from typing import Any

from cm.calendar import cells, cleaning, derivatives
from cm.calendar.badfile import BadFile
from cm.calendar.csvfile import Record, Table
from cm.calendar.drafting import Spec, exposed_by
from cm.calendar.losses import damage
from cm.calendar.media import MediaShelf
from cm.calendar.whereto import platform_of
from cm.channels.port import Rejected
from cm.checks.pasted import is_clean
from cm.clock import Resolved, resolve
from cm.config import Config
from cm.env import Env
from cm.i18n import _
from cm.model.facts import MediaContent
from cm.model.ids import number_of
from cm.model.states import LOCKED, PostState

_WORDED = ("text", "first_comment", "theme", "campaign", "story", "ref")
"""Columns in which a character may be lost on the way."""
_NEEDED = {"kind", "audiences", "language"}
"""What a new post has where the file has no such column."""
_REPEATED = ("channel", "kind", "theme", "campaign", "objective", "audiences", "language")
"""Columns in which many rows say the same: together they are read once for each combination."""
_words = attrgetter(*_WORDED)
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
    rev: int | None = None
    """The revision of the post that the row was written from."""
    plan: Resolved | None = None
    wanted: datetime | None = None
    day: date | None = None
    media: tuple[tuple[str, str | None], ...] | None = None
    """Paths with their text alternatives (None where the file has no such column)."""
    values: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What was cleaned out of its cells."""

    @property
    def name(self) -> str:
        """How findings call it."""
        return self.ref or (f"p{self.id}" if self.id else _("row {n}").format(n=self.number))


def ids_named(table: Table) -> Iterator[int]:
    """The ids in the column `ref` of the whole file, as far as it can be read."""
    at = table.columns.index("ref")
    with suppress(BadFile):  # told when the row itself is read
        for record in table.records():
            number = number_of(record.cells[at], "p") if len(record.cells) > at else None
            if number is not None:
                yield number


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, config: Config, table: Table) -> None:
        self._config = config
        self._columns = table.columns
        self._channel = table.given.get("channel", "")
        at = {column: index for index, column in enumerate(table.columns)}
        self._simple = [(column, at[column], read) for column, read in _readers(config).items() if column in at]
        self._own = [each for each in self._simple if each[0] not in _REPEATED]
        self._repeated = [(column, read) for column, _index, read in self._simple if column in _REPEATED]
        self._pick = _picker([index for column, index, _read in self._simple if column in _REPEATED])
        self._shared = lru_cache(_REMEMBERED)(self._read_shared)
        self._ref, self._rev = at.get("ref"), at.get("rev")
        self._date, self._time = at.get("date"), at.get("time")
        self.dates: set[str] = set()
        """The ways in which the dates read so far are written."""
        self._media, self._alt = at.get("media"), at.get("alt")
        self._plan = lru_cache(_REMEMBERED)(self._plan_of)
        self._day = lru_cache(_REMEMBERED)(cells.read_day)
        self._moment = lru_cache(_REMEMBERED)(cells.read_time)

    def read(self, record: Record) -> tuple[Row, list[RowError]]:
        """The row and everything that is wrong with it; with errors the row is not to be used."""
        row = Row(record.number, "")
        if len(record.cells) != len(self._columns):
            said = _("The row has {n} cells, the header {width}.")
            return row, [RowError(record.number, "", said.format(n=len(record.cells), width=len(self._columns)))]
        if not is_clean("\n".join(record.cells)):
            record, row.notes = _tidied(record, self._columns)
        cells_ = record.cells
        try:
            self._read_name(row, cells_)
            if record.faults:
                raise ValueError
            row.channel, shared = self._shared(self._pick(cells_))
            row.values = shared | {column: read(cells_[index]) for column, index, read in self._own}
            self._read_time(row, cells_)
            self._read_media(row, cells_)
        except ValueError:
            return row, list(self._faults(record))
        return row, []

    def _read_shared(self, cells_: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        """The channel, and what the other repeated columns say, with what the channel has where they are blank."""
        values = {column: read(cell) for (column, read), cell in zip(self._repeated, cells_, strict=True)}
        channel = values.pop("channel", self._channel)
        if "audiences" in values:
            values["audiences"] = values["audiences"] or self._config.channels[channel].audiences
        if "language" in values:
            values["language"] = values["language"] or self._config.language_of(channel)
        return channel, values

    def _faults(self, record: Record) -> Iterator[RowError]:
        """Every fault of a row of which one is known."""
        row, told = Row(record.number, ""), {column for column, _message in record.faults}
        yield from (RowError(record.number, column, message) for column, message in record.faults)
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
                if (at := fault_column(error) or column) not in told:
                    yield RowError(record.number, at, str(error))

    def _read_name(self, row: Row, cells_: list[str]) -> None:
        cell = "" if self._ref is None else cells_[self._ref].strip()
        if cell:
            row.id = number_of(cell, "p")
            row.ref = cleaning.clean_ref(cell) if row.id is None else None
        if self._rev is not None and (cell := cells_[self._rev].strip()):
            if not (cell.isascii() and cell.isdigit() and len(cell) < 10):
                raise Fault("rev", _("{value!r} is no revision; leave it as it was exported").format(value=cell))
            row.rev = int(cell)

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
        when = self._day(day)
        self.dates.add(cells.form_of(day))
        if not time:
            return when, None, None
        try:
            moment = self._moment(time)
        except ValueError as error:
            raise Fault("time", str(error)) from None
        wall = datetime.combine(when, moment)
        return None, wall, resolve(wall, self._config.zone)

    def _read_media(self, row: Row, cells_: list[str]) -> None:
        if self._media is None:
            return
        cell = cells_[self._media]
        if not cell and (self._alt is None or not cells_[self._alt]):
            row.media = ()
            return
        paths = cells.split_list(cell) if cell.strip() else []
        if len({path.strip() for path in paths}) < len(paths):
            raise ValueError(_("a file stands twice"))
        if self._alt is None:
            row.media = tuple((path, None) for path in paths)
            return
        cell = cells_[self._alt]
        alts = [cleaning.whole(alt) for alt in cells.split_list(cell)] if cell else []
        if len(alts) > len(paths):
            said = _("{alts} text alternatives for {n} files").format(alts=len(alts), n=len(paths))
            raise Fault("alt", said)
        row.media = tuple((path, alts[n] if n < len(alts) else "") for n, path in enumerate(paths))


def _tidied(record: Record, columns: tuple[str, ...]) -> tuple[Record, tuple[str, ...]]:
    """The record with its cells cleaned, and what is to be said of it.

    Cleaning must not hide that a cell is garbled: what it takes out may be the very sign of it.
    """
    named = {column: cell for column, cell in zip(columns, record.cells, strict=True) if column}
    clean, notes = cleaning.tidied(named)
    hidden = tuple(
        (column, why)
        for column, cell in named.items()
        if clean[column] != cell and not damage(clean[column]) and (why := damage(cell))
    )
    cells_ = [clean.get(column, cell) for column, cell in zip(columns, record.cells, strict=True)]
    return replace(record, cells=cells_, faults=(*record.faults, *hidden)), notes


class Fault(ValueError):
    """What is wrong with the cell of a column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def _picker(at: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Picks the cells at these places."""
    return itemgetter(*at) if len(at) > 1 else lambda cells_: tuple(cells_[index] for index in at)


def _readers(config: Config) -> dict[str, Callable[[str], Any]]:
    """How the cell of each column is read that stands for itself."""

    def channel(cell: str) -> str:
        name = cell.strip()
        name = name if name in config.channels else name.casefold()
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
        "channel": channel,
        "story": lru_cache(_REMEMBERED)(_optional(cleaning.clean_story)),
        "kind": kind,
        "fields": fields,
        "theme": word,
        "campaign": word,
        "objective": objective,
        "audiences": audiences,
        "language": _optional(cleaning.clean_language),
        "text": cleaning.whole,
        "link": _optional(cleaning.clean_link),
        "first_comment": _optional(cleaning.whole),
    }


def _optional(clean: Callable[[str], str]) -> Callable[[str], str | None]:
    def read(cell: str) -> str | None:
        return clean(cell) if cell and not cell.isspace() else None

    return read


def spec_for(
    row: Row, env: Env, shelf: MediaShelf, old: Spec | None, state: PostState | None = None, *, kind: str = ""
) -> Spec:
    """What a row says of a post: of a new one, or (with `old`) of one that is kept, in that `state`.

    `kind`: that of new posts where the file has no such column. Raises Fault (a ValueError with `column`): media
    that may not be used, nothing to say.
    """
    values = row.values
    if row.media:
        values = values | {"media": _media(row.media, shelf, old.media if old else (), locked=state in LOCKED)}
    elif row.media is not None:
        values = values | {"media": ()}
    if old is None:
        spec = Spec(channel=row.channel, ref=row.ref, **_complete(values, row.channel, env.config, kind))
    else:
        spec = replace(old, **{name: _as_kept(value, getattr(old, name)) for name, value in values.items()})
    if not spec.media and not spec.text.strip():
        raise Fault("text", _("there is neither text nor a picture"))
    if spec.media and (old is None or old.media != spec.media):
        _require_fitting(spec, env)
    if (old is None or old.audiences != spec.audiences) and (reason := exposed_by(env.config, spec)):
        raise Fault("audiences", reason)
    return spec


def _complete(values: dict[str, Any], channel: str, config: Config, kind: str) -> dict[str, Any]:
    """The values of a new post, with those that it must have where the file has no such column."""
    if values.keys() >= _NEEDED:
        return values
    return {
        "kind": kind,
        "audiences": config.channels[channel].audiences,
        "language": config.language_of(channel),
        **values,
    }


def _as_kept(value: Any, kept: Any) -> Any:
    """The value, or the one that is kept if cleaning is all that tells them apart: it was kept before we cleaned."""
    if value == kept or not isinstance(kept, str | dict):
        return value
    clean = cleaning.tidied({"": kept})[0][""]
    return kept if value == (cleaning.clean_fields(clean) if isinstance(kept, dict) else clean) else value


def fault_column(error: ValueError) -> str:
    """The column that an error of `spec_for` is about."""
    return error.column if isinstance(error, Fault) else ""


def _media(
    wanted: tuple[tuple[str, str | None], ...], shelf: MediaShelf, old: tuple[MediaContent, ...], *, locked: bool
) -> tuple[MediaContent, ...]:
    """The files of a row. Those of a post that has left need not lie there any more: they are known by their names."""
    known = {medium.path: medium for medium in old}
    media = []
    for given, alt in wanted:
        path = _exact(given, shelf, known)
        kept = known.get(path)
        said = alt if alt is not None else (kept.alt if kept else "")
        said = _as_kept(said, kept.alt) if kept else said
        try:
            media.append(replace(kept, alt=said) if kept and locked else shelf.medium(path, said))
        except ValueError as error:
            raise Fault("media", str(error)) from None
    return tuple(media)


def _require_fitting(spec: Spec, env: Env) -> None:
    """Judged by the heads of the files: a whole file is looked at when it is sent. Raises Fault."""
    try:
        for medium in spec.media:
            derivatives.foreseen(env.root, medium, platform_of(env, spec.channel))
    except Rejected as refused:
        raise Fault("media", refused.reason) from None


def _exact(path: str, shelf: MediaShelf, known: Mapping[str, MediaContent]) -> str:
    """The path as written if it names a file; else without the blanks that people put around `|`."""
    if path == path.strip() or path in known:
        return path
    try:
        shelf.medium(path)
    except ValueError:
        return path.strip()
    return path


def damaged(spec: Spec) -> Fault | None:
    """What is lost or garbled in the words of a new post."""
    for column, said in zip(_WORDED, _words(spec), strict=True):
        if said and not said.isascii() and (why := damage(said)):
            return Fault(column, why)
    if not spec.fields and not spec.media:
        return None
    for column, several in (("fields", spec.fields.values()), ("alt", [medium.alt for medium in spec.media])):
        for said in several:
            if why := damage(said):
                return Fault(column, why)
    return None
