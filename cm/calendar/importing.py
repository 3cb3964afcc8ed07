"""Importing our CSV: rows become posts, or change those that they mean; all of them or none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

from cm.calendar import planning
from cm.calendar.csvfile import BadCsv, open_table
from cm.calendar.import_rows import RowError
from cm.calendar.import_run import ImportRun, Json, row_error
from cm.env import Env


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or (dry run) would do. With errors nothing was written, unless it was partial.

    `findings` and `notes` carry the row they are about; `changes` name column, cell before and after.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[RowError, ...] = ()
    findings: tuple[Json, ...] = ()
    changes: tuple[Json, ...] = ()
    notes: tuple[Json, ...] = ()
    dry_run: bool = False

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
            "dry_run": self.dry_run,
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
) -> ImportResult:
    """Import a file of our CSV in one transaction.

    Rows count as a spreadsheet does: the header is row 1, and a record is one row however many lines its
    cells have. `partial` leaves out the bad rows and keeps the others; `over`: why days may hold more
    than their bound; `example` marks new posts as example. Raises UsageError (a blank `over`).
    """
    over = planning.given_reason(over)
    try:
        table = open_table(data)
    except BadCsv as bad:
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
    )


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
    )
