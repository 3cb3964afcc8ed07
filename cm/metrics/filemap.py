"""What the columns of a platform's export mean: the shipped maps, a person's own map, and finding the header.

A map says which column holds which figure, how numbers and times are written, and what tells the posts apart.
Names of columns are compared without regard to case and blanks. Pure but for reading the map's file.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from cm.config import problems_of
from cm.errors import ConfigError, UsageError
from cm.i18n import _
from cm.yamlfile import YamlFile, read_yaml

MAPS = Path(__file__).with_name("maps")

Metric = Literal[
    "reach", "impressions", "reactions", "comments", "shares", "saves", "clicks", "views", "followers", "engagements"
]
METRICS: tuple[Metric, ...] = (
    "reach", "impressions", "reactions", "comments", "shares", "saves", "clicks", "views", "followers", "engagements",
)  # fmt: skip
FACTS = ("key", "label", "kind", "permalink", "published_at", "taken_at")
"""What a column may tell beside figures."""

HEADER_WITHIN = 10
"""Rows among which the header is looked for: some exports explain themselves first."""

LONGEST = 800
"""Characters of a list of columns in a message."""

OWN = "columns"
"""The name of a map that stands on the command line alone."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Condition(_Model):
    """A column and some of its values."""

    column: Names = Field(min_length=1)
    values: Names = Field(min_length=1)


class FileMap(_Model):
    """One kind of export. Of several names of a column the first that the file has is taken."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)
    """What the figures' source is called: `import:NAME`."""
    about: str = ""
    """Which export it reads."""
    platform: str | None = None
    """Channels of this platform are taken if none is named."""
    columns: dict[Metric, Names] = Field(min_length=1)
    """Figure → columns. `engagements` only where the file gives a total of its own."""
    key: Names = ()
    """The platform's id of the post; without one the address is the key, else the file and the row."""
    key_tail: str | None = Field(None, min_length=1, max_length=1)
    """The id may be the end of the id that we know, behind this sign."""
    label: Names = ()
    kind: Names = ()
    permalink: Names = ()
    published_at: Names = ()
    taken_at: Names = ()
    """When the figures were taken, if the file says it."""
    formats: Names = ()
    """How times are written, as strptime has it; `%z` is an offset, `%b` a short month, English or French."""
    zone: str | None = None
    """Zone of times without offset; the workspace's if left out."""
    thousands: Literal["", ",", "."] = ""
    """Sign between thousands; blanks are always taken."""
    blank: Names = ()
    """Cells that mean unknown, beside empty ones."""
    required: tuple[str, ...] = ()
    """Figures and facts without whose column it is another kind of file; all that are named, if left out."""
    skip: Condition | None = None
    """Rows that are no posts (totals)."""
    expect: Condition | None = None
    """Values that this column must have, where the file has it."""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return ZoneInfo(name).key if name else None
        except (KeyError, ValueError, OSError):
            raise ValueError(_("{name!r} is not a time zone; write one like Europe/Paris").format(name=name)) from None

    @model_validator(mode="after")
    def _sound(self) -> "FileMap":
        if unknown := [role for role in self.required if not self.names(role)]:
            raise ValueError(_("required names {role!r}, which has no column").format(role=unknown[0]))
        if (self.published_at or self.taken_at) and not self.formats:
            raise ValueError(_("formats is missing: how are times written?"))
        return self

    @property
    def source(self) -> str:
        """What figures read with it are marked with."""
        return f"import:{self.name}"

    @property
    def needed(self) -> tuple[str, ...]:
        """Figures and facts whose column must be there."""
        return self.required or (*self.columns, *(fact for fact in FACTS if self.names(fact)))

    def names(self, role: str) -> tuple[str, ...]:
        """The columns that may hold a figure or fact; none if the map does not know it."""
        if role in FACTS:
            found: tuple[str, ...] = getattr(self, role)
            return found
        return self.columns.get(role, ())  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class Header:
    """Where things stand in a file: figures and facts by the number of their column."""

    row: int
    """Number of its own row, from 0."""
    names: tuple[str, ...]
    places: Mapping[str, int]

    @cached_property
    def _by_name(self) -> dict[str, int]:
        """Columns by their names as they are compared; of doubled names the first."""
        return {_folded(name): place for place, name in reversed(list(enumerate(self.names)))}

    def place_of(self, names: Iterable[str]) -> int | None:
        """The column of the first of `names` that the file has."""
        return next((self._by_name[folded] for name in names if (folded := _folded(name)) in self._by_name), None)


def shipped() -> dict[str, FileMap]:
    """The maps that come with cm, by name."""
    maps = (_read(path, path.name) for path in sorted(MAPS.glob("*.yaml")))
    return {made.name: made for made in maps}


def named_map(name: str) -> FileMap:
    """A shipped map by its name, or the one in the file `name`. Raises UsageError, ConfigError."""
    if name.endswith((".yaml", ".yml")):
        return _read(Path(name), name)
    maps = shipped()
    if name not in maps:
        hint = _("Use one of: {names}; or a file of your own, NAME.yaml.").format(names=", ".join(maps))
        raise UsageError(_("There is no map {name!r}.").format(name=name), hint=hint)
    return maps[name]


def _read(path: Path, name: str) -> FileMap:
    file = read_yaml(path, name)
    return _validated(file.data, file)


def _validated(data: object, file: YamlFile) -> FileMap:
    try:
        return FileMap.model_validate(data)
    except ValidationError as error:
        raise ConfigError(problems_of(error, file, ())) from None


def with_columns(base: FileMap | None, given: Mapping[str, str]) -> FileMap:
    """`base` (or an empty map) with columns named on the command line: figure or fact → column.

    Raises UsageError for what is neither.
    """
    for role in given:
        if role not in METRICS and role not in FACTS:
            hint = _("Use one of: {names}.").format(names=", ".join((*METRICS, *FACTS)))
            raise UsageError(_("{role!r} is no figure and no fact of a post.").format(role=role), hint=hint)
    columns: dict[Any, Any] = {**base.columns} if base else {}
    columns |= {role: (name,) for role, name in given.items() if role in METRICS}
    if not columns:
        raise UsageError(_("No column of figures is named."), hint=_("Give --column reach=NAME, for example."))
    facts = {role: (name,) for role, name in given.items() if role in FACTS}
    if base is None:
        return FileMap.model_validate(
            {"name": OWN, "columns": columns, "formats": _ISO_FORMATS, "required": tuple(given), **facts}
        )
    update = {"columns": columns, "required": (*base.needed, *given), **facts}
    return base.model_copy(update={**update, "formats": base.formats or _ISO_FORMATS})


_ISO_FORMATS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                "%Y-%m-%d")  # fmt: skip


def find_header(rows: Sequence[Sequence[str]], made: FileMap) -> Header:
    """The header of a file that `made` is to read. Raises UsageError that names the file's columns."""
    found = [header for header in _headers(rows) if not missing(header, made)]
    if not found:
        header = max(_headers(rows), key=lambda one: -len(missing(one, made)), default=None)
        raise _no_column(header, made)
    return _resolved(found[0], made)


def detect(rows: Sequence[Sequence[str]], maps: Iterable[FileMap]) -> tuple[FileMap, Header]:
    """The one map whose columns the file has. Raises UsageError: none fits, or several do."""
    fitting: dict[str, tuple[FileMap, Header]] = {}
    for made in maps:
        for header in _headers(rows):
            if made.name not in fitting and not missing(header, made):
                fitting[made.name] = (made, header)
    if len(fitting) == 1:
        ((made, header),) = fitting.values()
        return made, _resolved(header, made)
    raise _undecided(rows, tuple(fitting))


def missing(header: Header, made: FileMap) -> list[str]:
    """Figures and facts that `made` needs and whose column is not there."""
    return [role for role in made.needed if header.place_of(made.names(role)) is None]


def _headers(rows: Sequence[Sequence[str]]) -> list[Header]:
    """The first rows, each as if it were the header; the fullest is what a person would call so."""
    return [Header(number, tuple(row), {}) for number, row in enumerate(rows[:HEADER_WITHIN]) if any(row)]


def _resolved(header: Header, made: FileMap) -> Header:
    places = {role: header.place_of(made.names(role)) for role in (*made.columns, *FACTS)}
    known = {role: place for role, place in places.items() if place is not None}
    doubled = [name for name in {header.names[place] for place in known.values()} if _count(header.names, name) > 1]
    if doubled:
        raise UsageError(
            _("The column {name!r} stands twice in the file.").format(name=doubled[0]),
            hint=_("Take one of the two out, or rename it."),
        )
    return Header(header.row, header.names, known)


def _count(names: Iterable[str], wanted: str) -> int:
    return sum(_folded(name) == _folded(wanted) for name in names)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _columns_of(header: Header | None) -> str:
    named = ", ".join(" ".join(name.split()) for name in header.names if name.strip()) if header else "–"
    return named if len(named) <= LONGEST else named[: LONGEST - 1] + "…"


def _no_column(header: Header | None, made: FileMap) -> UsageError:
    lacking = [" / ".join(made.names(role)) for role in (missing(header, made) if header else made.needed)]
    return UsageError(
        _("The file has no column {names} (map {map}).").format(
            names=", ".join(repr(name) for name in lacking), map=made.name
        ),
        hint=_("Its columns are: {names}. Name one with --column FIGURE=COLUMN.").format(names=_columns_of(header)),
    )


def _undecided(rows: Sequence[Sequence[str]], fitting: Sequence[str]) -> UsageError:
    if fitting:
        return UsageError(
            _("Several maps fit this file: {names}.").format(names=", ".join(fitting)),
            hint=_("Choose one with --map NAME."),
        )
    header = max(_headers(rows), key=lambda one: sum(map(bool, one.names)), default=None)
    return UsageError(
        _("No map knows this file. Its columns are: {names}.").format(names=_columns_of(header)),
        hint=_("Name the columns (--column reach=NAME --column permalink=NAME …), or write a map: --map FILE.yaml."),
    )
