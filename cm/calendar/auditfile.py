"""The action log as a file for people without cm: CSV that no spreadsheet takes for formulas, or JSON Lines. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from cm.actions import Entry
from cm.calendar.cells import guard

COLUMNS = ("id", "at", "local_time", "actor", "os_user", "verb", "target", "why", "detail", "previous", "hash")
"""Keys, never translated. `at` is UTC as it was hashed, `local_time` the same in the workspace's zone."""


def as_csv(entries: Iterable[Entry], zone: ZoneInfo) -> str:
    """One row an act, in the order given, with a heading."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        local = entry.at.astimezone(zone).isoformat(timespec="seconds")
        values = {**entry.as_json(), "local_time": local, "detail": _detail(entry)}
        writer.writerow([guard(str(values[name] if values[name] is not None else "")) for name in COLUMNS])
    return out.getvalue()


def rows_as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A list of JSON objects with these keys, with a heading; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guard("" if row[name] is None else str(row[name])) for name in columns])
    return out.getvalue()


def rows_as_jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_jsonl(entries: Iterable[Entry]) -> str:
    """One act a line."""
    return rows_as_jsonl(entry.as_json() for entry in entries)


def _detail(entry: Entry) -> str:
    return json.dumps(entry.detail, ensure_ascii=False, sort_keys=True) if entry.detail else ""
