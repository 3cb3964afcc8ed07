"""Public holidays by the `holidays` library: loaded when a day is asked for, then remembered in a file.

The library costs more than a whole short command does, so what it told of a year is kept below `.cm/`, as long as
the same installation of the library tells it. Sources for France: Code du travail, article L3133-1 (11 days) and
L3134-13 (Moselle, Bas-Rhin, Haut-Rhin: two more).
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from cm.errors import WorkspaceError
from cm.i18n import _, language

Names = Mapping[date, str]
"""The public holidays of a year: day → name in the language spoken."""


class UnknownCountry(WorkspaceError):
    """The library knows no such country or subdivision."""

    kind = "configuration"


@dataclass(frozen=True)
class PublicHolidays:
    """The public holidays of a country, or of a part of it. `file`: where they are remembered, if anywhere."""

    country: str
    subdivision: str | None = None
    file: Path | None = None
    _years: dict[tuple[int, str], Names] = field(default_factory=dict, compare=False, repr=False)

    def remembering(self, file: Path) -> "PublicHolidays":
        """The same holidays, remembered in `file`."""
        return replace(self, file=file, _years={})

    def name(self, day: date) -> str | None:
        """What is kept on that day, in the language spoken; None on other days. Raises UnknownCountry."""
        return self.of_year(day.year).get(day)

    def of_year(self, year: int) -> Names:
        """Every public holiday of a year, in order. Raises UnknownCountry."""
        key = (year, language())
        if key not in self._years:
            self._years[key] = self._recalled(*key) or self._learned(*key)
        return self._years[key]

    def _recalled(self, year: int, spoken: str) -> Names | None:
        known = self._remembered().get(self._key(year, spoken))
        try:
            return {date.fromisoformat(day): str(name) for day, name in known.items()} if known else None
        except ValueError:
            return None  # somebody wrote in it

    def _learned(self, year: int, spoken: str) -> Names:
        names = _asked(self.country, self.subdivision, year, spoken)
        if self.file is not None and names:
            kept = {**self._remembered(), self._key(year, spoken): {day.isoformat(): names[day] for day in names}}
            _write(self.file, json.dumps(kept, ensure_ascii=False, indent=1))
        return names

    def _key(self, year: int, spoken: str) -> str:
        return f"{_edition()} {self.country} {self.subdivision or ''} {year} {spoken}"

    def _remembered(self) -> dict[str, dict[str, str]]:
        """What this very installation of the library has told; nothing if the file is absent or not ours."""
        if self.file is None or not self.file.is_file():
            return {}
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # it is asked again, and the file written anew
        edition = f"{_edition()} "
        if not isinstance(kept, dict):
            return {}
        return {key: value for key, value in kept.items() if key.startswith(edition) and isinstance(value, dict)}


def _edition() -> str:
    """The installation of the library, known without loading it."""
    spec = find_spec("holidays")
    return str(os.stat(spec.origin).st_mtime_ns) if spec and spec.origin else ""


def _asked(country: str, subdivision: str | None, year: int, spoken: str) -> Names:
    import holidays  # heavy: dateutil and every country's module

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year, language=_spoken(country, spoken))
    except NotImplementedError:
        raise UnknownCountry(
            _("There are no public holidays of {country} {subdivision}.").format(
                country=country, subdivision=subdivision or ""
            ),
            hint=_("Correct `holidays:` in config.yaml: a country such as FR, a subdivision such as 57."),
        ) from None
    return {day: found[day] for day in sorted(found)}


def _spoken(country: str, language: str) -> str | None:
    """The library's name for the language, where it knows the country's days in it; None means the country's own."""
    import holidays

    known = holidays.list_localized_countries().get(country, [])
    return next((name for name in known if name.partition("_")[0] == language), None)


def _write(file: Path, text: str) -> None:
    """As a whole or not at all; where nothing may be written the library is asked each time."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    with suppress(OSError):
        draft.unlink(missing_ok=True)
