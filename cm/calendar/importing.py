"""Importing our CSV: rows become posts, or change those that they mean; all of them or none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

from cm.calendar import planning
from cm.calendar.badfile import BadFile
from cm.calendar.foreign import OURS, Reading, open_any
from cm.calendar.import_rows import RowError
from cm.calendar.import_run import ImportRun, Json, row_error
from cm.env import Env


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or (dry run) would do. With errors nothing was written, unless it was partial.

    `findings`, `notes` and `costs` (what a change takes away besides) carry the row they are about; `changes` name
    column, cell before and after. `read_as`: encoding, delimiter and dates as they were found; None for a file that
    could not be opened.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[RowError, ...] = ()
    findings: tuple[Json, ...] = ()
    changes: tuple[Json, ...] = ()
    notes: tuple[Json, ...] = ()
    costs: tuple[Json, ...] = ()
    dry_run: bool = False
    read_as: Json | None = None

    def as_json(self) -> Json:
        """The shape of `calendar import`."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "errors": [error.as_json() for error in self.errors],
            "findings": list(self.findings),
            "changes": list(self.changes),
            "notes": list(self.notes),
            "costs": list(self.costs),
            "dry_run": self.dry_run,
            "read_as": self.read_as,
        }


class _Undone(Exception):
    """Leaves a transaction without keeping anything."""


def import_posts(
    env: Env,
    data: bytes,
    *,
    filename: str,
    dry_run: bool = False,
    partial: bool = False,
    over: str | None = None,
    example: bool = False,
    reading: Reading = OURS,
) -> ImportResult:
    """Import a file in one transaction: a sheet of ours, or what `reading` says it is.

    Rows count as a spreadsheet does: the header is row 1, and a record is one row however many lines its
    cells have. `partial` leaves out the bad rows and keeps the others; `over`: why days may hold more
    than their bound; `example` marks new posts as example, and is no step to undo. Raises UsageError (a blank
    `over`, a `reading` that lacks what this file needs).
    """
    over = planning.given_reason(over)
    try:
        table = open_any(data, env.config, reading)
    except BadFile as bad:
        return ImportResult(errors=(row_error(bad),), dry_run=dry_run)
    told: list[RowError] = []
    while True:
        run = ImportRun(env, table, left_out={error.row for error in told}, over=over, example=example)
        with suppress(_Undone), _no_cycle_search(), env.store.write() as session:
            run.go(session)
            if dry_run or run.errors:
                raise _Undone
            run.note_act(session, PurePath(filename).name)
        told += run.errors
        if not (run.errors and partial) or run.broken:
            break
    stopped = bool(told) and (not partial or run.broken)
    return replace(
        ImportResult(unchanged=run.unchanged) if stopped else _result(run),
        errors=tuple(sorted(told, key=lambda error: error.row)),
        findings=tuple(run.findings),
        dry_run=dry_run,
        read_as=_read_as(run),
    )


def _read_as(run: ImportRun) -> Json:
    sheet = run.table.sheet
    return {
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "dates": ", ".join(sorted(run.dates)) or None,
        "sheet": sheet.name,
        "ignored": list(run.table.ignored),
    }


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """An import makes millions of objects and no cycles: looking for these would cost a quarter of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _result(run: ImportRun) -> ImportResult:
    return ImportResult(
        created=len(run.created),
        updated=len(run.updated),
        unchanged=run.unchanged,
        changes=tuple(run.changes),
        notes=tuple(run.notes),
        costs=tuple(run.costs),
    )
