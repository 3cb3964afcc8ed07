"""The cron minute when nothing is due: standard library only, so that it costs next to a bare interpreter.

`nothing_due` answers from one read transaction and two `stat`s. Whatever it is not sure of (another
schema, a configuration changed since the last full run, a lock) is left to the full path.
"""

import os
import sqlite3
import time
from pathlib import Path

SCHEMA_VERSION = 2
"""`PRAGMA user_version` of a current database; a test ties it to the newest migration."""

DATABASE = "cm.db"
MARKER = ".cm/database"
"""Stands in a workspace whose tables are kept on PostgreSQL."""
HEARTBEAT = ".cm/heartbeat"
SILENT_AFTER = 600
"""Seconds. Cron runs every minute: a heartbeat older than this says that it does not."""
CONFIG = "config.yaml"


def find_workspace(start: str | None) -> str | None:
    """The workspace's folder: `start` (of `-C`) or CM_WORKSPACE as they are, else the first one upwards."""
    named = start or os.environ.get("CM_WORKSPACE")
    if named:
        return named if os.path.isfile(os.path.join(named, CONFIG)) else None
    folder = os.getcwd()
    while not os.path.isfile(os.path.join(folder, CONFIG)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def stamp(root: str) -> str:
    """Size and mtime of `config.yaml` and of every file in `schedules/`: changes when they do."""
    files = [os.path.join(root, CONFIG)]
    schedules = os.path.join(root, "schedules")
    if os.path.isdir(schedules):
        files += sorted(entry.path for entry in os.scandir(schedules) if entry.is_file())
    parts = []
    for path in files:
        facts = os.stat(path)
        parts.append(f"{os.path.relpath(path, root)}:{facts.st_size}:{facts.st_mtime_ns}")
    return "|".join(parts)


def beat(root: str) -> None:
    """Say that cron (or the daemon) was here: the mtime of the heartbeat file is the last tick."""
    path = Path(root, HEARTBEAT)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch()


def stored(seconds: float) -> str:
    """An epoch time as the tables store instants: UTC, no offset."""
    whole = int(seconds)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(whole))}.{int((seconds - whole) * 1_000_000):06d}"


def last_beat(root: Path) -> float | None:
    """The epoch time at which cron (or the daemon) was last here; None if never."""
    try:
        return (root / HEARTBEAT).stat().st_mtime
    except FileNotFoundError:
        return None


_DUE = (
    "SELECT EXISTS (SELECT 1 FROM post WHERE wake_at <= :now)"
    " OR EXISTS (SELECT 1 FROM message WHERE wake_at <= :now),"
    " (SELECT value FROM meta WHERE key = 'stamp')"
)


def nothing_due(root: str, now: float) -> bool:
    """True if the engine surely has nothing to do at the epoch time `now`."""
    database = os.path.join(root, DATABASE)
    if os.path.exists(os.path.join(root, MARKER)) or not os.path.isfile(database):
        return False
    try:
        return _ask(database, now) == stamp(root)
    except (sqlite3.Error, OSError):
        return False  # the full path meets the same trouble and can explain it


def _ask(database: str, now: float) -> str | None:
    """The configuration's stamp as of the last full run; None if something is due or the schema is not ours."""
    connection = sqlite3.connect(
        f"{Path(database).absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1
    )
    try:
        connection.execute("BEGIN")
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            return None
        due, known = connection.execute(_DUE, {"now": stored(now)}).fetchone()
        return None if due else known
    finally:
        connection.close()
