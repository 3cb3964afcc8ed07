"""Files of other tools made tables of ours, or refused row by row; nothing is guessed and nothing is fetched.

A day that could be read two ways (03/12/2026) is refused unless the person says which part comes first. What names
a channel, a kind, an audience or an objective is looked up among their keys and labels, and in what the person
says with `--map`; a word that stands for nothing is a fault of its row. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from cm.calendar import cells
from cm.calendar.badfile import BadFile
from cm.calendar.cleaning import known_kind
from cm.calendar.csvfile import Record, Table, faults_of, header_of, nameless_faults, open_table
from cm.calendar.drafting import unknown_channel
from cm.calendar.headings import columns_of, plain
from cm.calendar.shapes import SHAPES, Shape
from cm.calendar.sheetfile import Sheet, first_line, open_sheet, split_by
from cm.config import Config
from cm.errors import UsageError
from cm.i18n import _

CM = "cm"
_WHEN = re.compile(r"(\d[\d/.\-]*)(?:(?:T| +)(.+))?")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_FIRST_CELL = re.compile(r'"?[\d/.\-]+[T ][\d:]+(?: ?[AaPp][Mm])?"?([,;\t])')
_ITEMS = re.compile(r"\s*[,;/|]\s*")
_ALSO_CALLED = {"x": "twitter", "twitter": "x"}


@dataclass(frozen=True)
class Reading:
    """How a person says that a file is to be read. `tool`: `cm` for a sheet of ours, else a key of SHAPES.

    `channel`, `kind`: of new posts where the file names none. `dates`: DD/MM/YYYY or MM/DD/YYYY, if said. `words`:
    what a word of the file stands for. `ignored`: headings to leave out. `sheet`: of a workbook.
    """

    tool: str = CM
    channel: str | None = None
    kind: str | None = None
    dates: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    sheet: str | None = None
    without_media: bool = False

    @property
    def given(self) -> dict[str, str]:
        """The columns that the person gives."""
        return {name: said for name, said in (("channel", self.channel), ("kind", self.kind)) if said}


OURS = Reading()


def open_any(data: bytes, config: Config, reading: Reading) -> Table:
    """The file as a table of ours.

    Raises BadFile (the file), UsageError (an option is missing or off), NotFound (the channel).
    """
    _require_options(config, reading)
    if reading.tool != CM:
        return _open_foreign(data, config, reading)
    try:
        return open_table(data, sheet=reading.sheet, ignored=reading.ignored, given=reading.given)
    except BadFile as bad:
        tool = _tool_of(data, reading) if bad.column else None
        if tool is None:
            raise
        hint = _("It looks like the file of another tool: --from {tool}.").format(tool=tool)
        raise BadFile(bad.row, bad.column, f"{bad.message} {hint}") from None


def _require_options(config: Config, reading: Reading) -> None:
    if reading.channel is not None and reading.channel not in config.channels:
        raise unknown_channel(config, reading.channel)
    if reading.kind is not None:
        try:
            known_kind(config, reading.kind)
        except ValueError as error:
            raise UsageError(f"--kind: {error}.") from None
    if reading.tool != CM and reading.tool not in SHAPES:
        raise UsageError(
            _("There is no shape {name!r}.").format(name=reading.tool),
            hint=_("Use one of: {names}.").format(names=", ".join([CM, *SHAPES])),
        )
    if reading.tool == CM and (reading.dates == cells.MONTH_FIRST or reading.words or reading.without_media):
        raise UsageError(
            _("--month-first, --map and --without-media are for files of other tools."),
            hint=_("Name the tool: --from {names}.").format(names=" | ".join(SHAPES)),
        )


def _tool_of(data: bytes, reading: Reading) -> str | None:
    """The tool whose headings a file has, if that is clear."""
    header = [plain(heading) for heading in header_of(open_sheet(data, reading.sheet)) if heading.strip()]
    found = [tool for tool, shape in SHAPES.items() if shape.words and set(header) <= shape.known.keys()]
    return found[0] if len(found) == 1 else None


# --- one file ---------------------------------------------------------------------------------------------------------


def _open_foreign(data: bytes, config: Config, reading: Reading) -> Table:
    shape = SHAPES[reading.tool]
    sheet = open_sheet(data, reading.sheet)
    if shape.order:
        sheet = _without_header(data, sheet)
    header = () if shape.order else tuple(header_of(sheet))
    roles = shape.order or columns_of(header, reading.ignored, shape.known, several=("media",))
    _require_roles(shape, roles, reading)
    rows = _Rows(config, reading, shape, roles, header, sheet)
    left_out = tuple(name for name, role in zip(header, roles, strict=False) if name.strip() and not role)
    return Table(rows.columns, sheet, rows.records, reading.given, left_out, rows.dates)


def _without_header(data: bytes, sheet: Sheet) -> Sheet:
    """The same file, split by what stands after its first cell, a date: texts may hold more commas than that."""
    if sheet.delimiter is None:
        return sheet
    found = _FIRST_CELL.match(first_line(data, sheet))
    return split_by(data, sheet, found[1]) if found else sheet


def _require_roles(shape: Shape, roles: Sequence[str], reading: Reading) -> None:
    if "text" not in roles:
        raise BadFile(
            1, "text", _("The file of {tool} has a column for the text; here is none.").format(tool=shape.name)
        )
    missing = [name for name in ("channel", "kind") if name not in roles and name not in reading.given]
    if missing:
        said = _("The file does not say {what} of its posts.")
        told = {"channel": _("the channel"), "kind": _("the kind")}
        examples = {"channel": "--channel NAME", "kind": "--kind announcement"}
        raise UsageError(
            said.format(what=_(" and ").join(told[name] for name in missing)),
            hint=_("Add {options}.").format(options=" ".join(examples[name] for name in missing)),
        )


class _Rows:
    """The rows of a file as records of ours. `columns` are those that it fills, `dates` the forms that were met."""

    def __init__(
        self,
        config: Config,
        reading: Reading,
        shape: Shape,
        roles: Sequence[str],
        header: Sequence[str],
        sheet: Sheet,
    ) -> None:
        self._reading, self._shape, self._roles, self._sheet = reading, shape, roles, sheet
        self._has_header = bool(header)
        self._nameless = tuple(index for index, name in enumerate(header) if not name.strip())
        self._words = {plain(said): meant for said, meant in reading.words.items()}
        self._catalogues = {
            "channel": _channels(config),
            "kind": _catalogue((key, [kind.label]) for key, kind in config.kinds.items())
            | _catalogue((key, []) for key in config.required_fields),
            "audiences": _catalogue((key, [label, _(label)]) for key, label in config.all_audiences.items()),
            "objective": _catalogue((key, [aim.label]) for key, aim in config.objectives.items()),
        }
        self.dates: set[str] = set()
        filled = {"date", "time"} if {"when", "date"} & set(roles) else set()
        filled |= {role for role in roles if role not in ("", "when", "media")}
        self.columns = tuple(sorted(filled))

    def records(self) -> Iterator[Record]:
        """Each row below the header (where there is one). Raises BadFile where quoting is broken."""
        for number, row in enumerate(self._sheet.rows(), start=1):
            if any(row) and not (self._has_header and number == 1):
                yield self._record(number, row)

    def _record(self, number: int, row: list[str]) -> Record:
        faults = [*faults_of(self._sheet, number, self._roles), *nameless_faults(row, self._nameless)]
        row = row + [""] * (len(self._roles) - len(row))
        if any(row[len(self._roles) :]):
            said = _("the row has {n} cells; {tool} has {width}")
            faults.append(("", said.format(n=len(row), tool=self._shape.name, width=len(self._roles))))
        made: dict[str, str] = {}
        for role, read in self._readers(row):
            try:
                made.update(read())
            except ValueError as error:
                faults.append((role, str(error)))
        return Record(number, [made.get(column, "") for column in self.columns], tuple(faults))

    def _readers(self, row: Sequence[str]) -> Iterator[tuple[str, Callable[[], Mapping[str, str]]]]:
        given = {role: cell for role, cell in zip(self._roles, row, strict=False) if role and role != "media"}
        pictures = [cell for role, cell in zip(self._roles, row, strict=False) if role == "media"]
        yield "date", lambda: self._when(given)
        yield "media", lambda: self._no_pictures(pictures)
        for role in ("channel", "kind", "objective"):
            if role in given:
                yield role, partial(self._one, role, given[role])
        if "audiences" in given:
            yield "audiences", lambda: {"audiences": self._audiences(given["audiences"])}
        yield "text", lambda: {name: given[name] for name in ("text", "theme", "link") if name in given}
        if "first_comment" in given:
            yield "first_comment", lambda: {"first_comment": _one_comment(given["first_comment"])}

    def _when(self, given: Mapping[str, str]) -> Mapping[str, str]:
        day, clock = given.get("date", "").strip(), given.get("time", "").strip()
        if whole := given.get("when", "").strip():
            match = _WHEN.fullmatch(whole)
            if match is None:
                said = _("{value!r} is no date and time; write it as 2026-12-03 09:00")
                raise ValueError(said.format(value=whole))
            day, clock = match[1], (match[2] or "").strip()
        if self._shape.timed and not (day and clock):
            raise ValueError(_("a date with a time is missing"))
        read = self._day(day) if day else ""
        return {"date": read, "time": cells.read_time(clock).strftime("%H:%M") if clock else ""}

    def _day(self, cell: str) -> str:
        if match := _YEAR_FIRST.fullmatch(cell):
            cell = f"{match[1]}-{match[2]:>02}-{match[3]:>02}"
        day = cells.read_day(cell, self._reading.dates)
        forms = (cells.ISO, self._reading.dates or cells.DAY_FIRST, cells.MONTH_FIRST)
        self.dates.add(next(form for form in forms if _same_day(cell, cells.write_day(day, form))))
        return day.isoformat()

    def _no_pictures(self, pictures: Sequence[str]) -> Mapping[str, str]:
        found = next((cell.strip() for cell in pictures if cell.strip()), None)
        if found and not self._reading.without_media:
            said = _("{address!r} is not fetched; put the file into media/ and plan the post here, or --without-media")
            raise ValueError(said.format(address=found[:80]))
        return {}

    def _one(self, role: str, cell: str) -> Mapping[str, str]:
        return {role: self._meant(role, cell)}

    def _meant(self, role: str, cell: str) -> str:
        """The key that a word stands for."""
        word = plain(cell)
        if word in self._words:
            return self._words[word]
        if not word:
            return self._reading.given.get(role, "")
        found = self._catalogues[role].get(word, set())
        if len(found) == 1:
            return next(iter(found))
        said = _("{value!r} stands for nothing here; say for what: {option}")
        if found:
            said = _("{value!r} could be {keys}; say which: {option}")
        option = f"--map {cell.strip()!r}={min(found, default='KEY')}"
        raise ValueError(said.format(value=cell.strip(), keys=", ".join(sorted(found)), option=option))

    def _audiences(self, cell: str) -> str:
        whole = plain(cell)
        if whole in self._words or whole in self._catalogues["audiences"]:
            return self._meant("audiences", cell)
        keys = (self._meant("audiences", item) for item in _ITEMS.split(cell) if item)
        return cells.join_list(key for key in keys if key)


def _same_day(cell: str, written: str) -> bool:
    """The same, but for zeros in front and the sign between."""
    return [int(n) for n in re.findall(r"\d+", cell)] == [int(n) for n in re.findall(r"\d+", written)]


def _one_comment(cell: str) -> str:
    if "||" in cell:
        raise ValueError(_("holds several comments; a post has one"))
    return cell


def _catalogue(items: Iterable[tuple[str, Sequence[str]]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key, labels in items:
        for name in (key, *labels):
            found[plain(name)].add(key)
    return dict(found)


def _channels(config: Config) -> dict[str, set[str]]:
    """Channels by name; where no channel is called so, by account or platform."""
    names = _catalogue((name, []) for name in config.channels)
    others: dict[str, set[str]] = defaultdict(set)
    for name, channel in config.channels.items():
        account, platform = channel.account, channel.platform
        for called in (account, account.removeprefix("@"), platform, _ALSO_CALLED.get(platform, platform)):
            others[plain(called)].add(name)
    return {**others, **names}
