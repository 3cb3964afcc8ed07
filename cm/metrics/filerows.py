"""The rows of an export as posts with figures, by a map: pure, every fault told with its row and column."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from cm.i18n import _
from cm.metrics.filecells import count, identity, instant
from cm.metrics.filemap import METRICS, FileMap, Header
from cm.metrics.filesheet import Table
from cm.metrics.rates import PostNumbers

T = TypeVar("T")

LONGEST = 80
"""Characters of a label."""


@dataclass(frozen=True)
class FileRow:
    """One post of the file. `number` is the row as a spreadsheet numbers it; `key` tells it from the others."""

    number: int
    key: str
    label: str
    kind: str | None
    permalink: str | None
    published_at: datetime | None
    taken_at: datetime | None
    numbers: PostNumbers
    followers: int | None


@dataclass(frozen=True)
class RowError:
    """What is wrong in a row; `column` as the file calls it, empty where none is meant."""

    row: int
    column: str
    message: str


@dataclass
class FileRead:
    """All that was read. `unknown` counts the blank cells of every column that the map reads or that is partly
    filled, as the file calls it."""

    rows: list[FileRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    skipped: int = 0


class _Fault(Exception):
    """A cell that cannot be taken."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def digest_of(data: bytes) -> str:
    """What tells a file from every other: SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


def read_rows(table: Table, header: Header, made: FileMap, *, zone: ZoneInfo, digest: str) -> FileRead:
    """Every row below the header. `zone` is that of local times where the map names none; rows without id and
    address are told apart by `digest` (of the file) and their number."""
    read = FileRead()
    reader = _Reader(header, made, ZoneInfo(made.zone) if made.zone else zone, digest)
    below = enumerate(table.rows[header.row + 1 :], start=header.row + 2)
    body = [(number, cells) for number, cells in below if any(cells)]
    kept = [(number, cells) for number, cells in body if not reader.is_skipped(cells)]
    read.skipped = len(body) - len(kept)
    read.unknown = reader.blanks([cells for _number, cells in kept])
    for number, cells in kept:
        try:
            reader.require_sound(table.faults.get(number, ()))
            read.rows.append(reader.row(number, cells))
        except _Fault as fault:
            read.errors.append(RowError(number, fault.column, str(fault)))
    read.rows = _without_repeated(read)
    return read


@dataclass(frozen=True)
class _Reader:
    header: Header
    made: FileMap
    zone: ZoneInfo
    digest: str

    @cached_property
    def _skip_place(self) -> int | None:
        return self.header.place_of(self.made.skip.column) if self.made.skip else None

    @cached_property
    def _expect_place(self) -> int | None:
        return self.header.place_of(self.made.expect.column) if self.made.expect else None

    @cached_property
    def _label_places(self) -> list[int]:
        places = (self.header.place_of([name]) for name in self.made.label)
        return [place for place in places if place is not None]

    def is_skipped(self, cells: Sequence[str]) -> bool:
        skip, place = self.made.skip, self._skip_place
        return skip is not None and place is not None and _at(cells, place) in skip.values

    def blanks(self, body: Sequence[Sequence[str]]) -> dict[str, int]:
        """Blank cells by column: of columns that are read, and of others that are not wholly blank."""
        read = set(self.header.places.values())
        found = {}
        for place, name in enumerate(self.header.names):
            blank = sum(_at(cells, place) in ("", *self.made.blank) for cells in body)
            if blank and name.strip() and (place in read or blank < len(body)):
                found[name.strip()] = blank
        return found

    def require_sound(self, faults: Sequence[tuple[int, str]]) -> None:
        """Raises _Fault for a formula in a column that is read."""
        for place, said in faults:
            if place in self.header.places.values():
                raise _Fault(self._name(place), said)

    def row(self, number: int, cells: Sequence[str]) -> FileRow:
        self._require_expected(cells)
        figures = {name: self._cell(cells, name, self._count) for name in METRICS}
        permalink = self._text(cells, "permalink")
        key = self._cell(cells, "key", identity) or permalink or self._own_key(number)
        return FileRow(
            number=number,
            key=key,
            label=self._label(cells) or (f"row {number}" if self._nameless else key),
            kind=self._text(cells, "kind"),
            permalink=permalink,
            published_at=self._cell(cells, "published_at", self._instant),
            taken_at=self._cell(cells, "taken_at", self._instant),
            numbers=PostNumbers(**{one.name: figures[one.name] for one in fields(PostNumbers)}),  # type: ignore[index]
            followers=figures["followers"],
        )

    @property
    def _nameless(self) -> bool:
        """True for a kind of file that gives neither ids nor addresses."""
        return not self.header.places.keys() & {"key", "permalink"}

    def _own_key(self, number: int) -> str:
        if self._nameless:
            return f"{self.digest[:12]}:{number}"
        place = self.header.places.get("key", self.header.places.get("permalink", 0))
        raise _Fault(self._name(place), _("the row has neither id nor address"))

    def _require_expected(self, cells: Sequence[str]) -> None:
        expect, place = self.made.expect, self._expect_place
        if expect is None or place is None or _at(cells, place) in expect.values:
            return
        said = _("is {found!r}, not {wanted}: these figures are not those of the post's whole life")
        raise _Fault(self._name(place), said.format(found=_at(cells, place), wanted=" / ".join(expect.values)))

    def _count(self, cell: str) -> int | None:
        return count(cell, thousands=self.made.thousands, blank=self.made.blank)

    def _instant(self, cell: str) -> datetime | None:
        return instant(cell, self.made.formats, self.zone)

    def _cell(self, cells: Sequence[str], role: str, read: Callable[[str], T]) -> T | None:
        place = self.header.places.get(role)
        if place is None:
            return None
        try:
            return read(_at(cells, place))
        except ValueError as error:
            raise _Fault(self._name(place), str(error)) from None

    def _text(self, cells: Sequence[str], role: str) -> str | None:
        place = self.header.places.get(role)
        return (_at(cells, place) or None) if place is not None else None

    def _label(self, cells: Sequence[str]) -> str:
        """The first of the label's columns that says something here, on one line."""
        texts = (" ".join(_at(cells, place).split()) for place in self._label_places)
        text = next(filter(None, texts), "")
        return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"

    def _name(self, place: int) -> str:
        return self.header.names[place].strip()


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _without_repeated(read: FileRead) -> list[FileRow]:
    """Each post once: a row that repeats an earlier one is left out, one that contradicts it is an error."""
    first: dict[tuple[str, datetime | None], FileRow] = {}
    for row in read.rows:
        earlier = first.setdefault((row.key, row.taken_at), row)
        if earlier is row:
            continue
        if (earlier.numbers, earlier.followers) == (row.numbers, row.followers):
            read.skipped += 1
        else:
            said = _("row {n} gives other figures of the same post").format(n=earlier.number)
            read.errors.append(RowError(row.number, "", said))
    return list(first.values())
