"""The cron minute when nothing is due: standard library only, so that it costs next to a bare interpreter.

`nothing_due` answers from one read transaction and two `stat`s. Whatever it is not sure of (another
schema, a configuration changed since the last full run, a lock) is left to the full path.
"""

import os
import sqlite3
import time
from pathlib import Path

SCHEMA_VERSION = 3
"""`PRAGMA user_version` of a current database; a test ties it to the newest migration."""

DATABASE = "cm.db"
MARKER = ".cm/database"
"""Stands in a workspace whose tables are kept on PostgreSQL."""
HEARTBEAT = ".cm/heartbeat"
NOTICES = ".cm/notices"
"""Its mtime is when people are to be told something; absent if there is nothing to tell."""
PING = ".cm/ping"
"""Its mtime is when the watcher of `heartbeat_url` is to be called again."""
SILENT_AFTER = 600
"""Seconds. Cron runs every minute: a heartbeat older than this says that it does not."""
CLOCK_SLACK = 60
"""Seconds. A heartbeat so far in the future says that the clock is, or was, wrong."""
HOLD = "HOLD"
"""Holds everything while it stands in the workspace; the engine writes down when it came and went."""
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


def beat(root: str, at: float | None = None) -> None:
    """Say that cron (or the daemon) was here: the mtime of the heartbeat file is the last tick.

    `at`: the epoch time of the tick by the engine's clock; now, if left out.
    """
    path = Path(root, HEARTBEAT)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch()
    if at is not None:
        os.utime(path, (at, at))


def silent_for(root: str, now: float) -> float | None:
    """Seconds since cron (or the daemon) was last here, whichever way the clock was set meanwhile; None if never."""
    last = last_beat(Path(root))
    return None if last is None else abs(now - last)


def ahead(root: str, now: float) -> float:
    """Seconds by which the last tick lies in the future: the clock is, or was, wrong; 0 if it does not."""
    last = last_beat(Path(root))
    return 0.0 if last is None else max(0.0, last - now)


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


def _silent(root: str, now: float) -> bool:
    last = last_beat(Path(root))
    return last is not None and now - last > SILENT_AFTER


_DUE = (
    "SELECT EXISTS (SELECT 1 FROM post WHERE wake_at <= :now)"
    " OR EXISTS (SELECT 1 FROM message WHERE wake_at <= :now)"
    " OR EXISTS (SELECT 1 FROM post WHERE state = 'scheduled' AND scheduled_at <= :late)"
    " OR EXISTS (SELECT 1 FROM hold WHERE ended_at IS NULL AND source = 'file') <> :held,"
    " (SELECT value FROM meta WHERE key = 'stamp')"
)


def nothing_due(root: str, now: float, known: str | None = None) -> bool:
    """True if the engine surely has nothing to do at the epoch time `now`.

    `known`: the stamp of the configuration that it would be done with, if that is not the one in the files.
    """
    database = os.path.join(root, DATABASE)
    if os.path.exists(os.path.join(root, MARKER)) or not os.path.isfile(database):
        return False
    try:
        if _called(root, now) or ahead(root, now) > CLOCK_SLACK:  # the clock was set back
            return False
        held = os.path.lexists(os.path.join(root, HOLD))
        return _ask(database, now, _silent(root, now), held) == (stamp(root) if known is None else known)
    except (sqlite3.Error, OSError):
        return False  # the full path meets the same trouble and can explain it


def schema(root: str) -> int | None:
    """`PRAGMA user_version` of the workspace's database; None if it cannot be asked."""
    try:
        connection = sqlite3.connect(f"{Path(root, DATABASE).absolute().as_uri()}?mode=ro", uri=True, timeout=1)
    except sqlite3.Error:
        return None
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def _called(root: str, now: float) -> bool:
    """True if somebody is to be told something, or the watcher to be called."""
    for name in (NOTICES, PING):
        try:
            if os.stat(os.path.join(root, name)).st_mtime <= now:
                return True
        except FileNotFoundError:
            continue
    return False


def _ask(database: str, now: float, silent: bool, held: bool) -> str | None:
    """The configuration's stamp as of the last full run; None if something is due or the schema is not ours.

    After a silence the engine looks at what is overdue though it sleeps.
    """
    connection = sqlite3.connect(
        f"{Path(database).absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1
    )
    try:
        connection.execute("BEGIN")
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            return None
        asked = {"now": stored(now), "late": stored(now) if silent else "", "held": held}
        due, known = connection.execute(_DUE, asked).fetchone()
        return None if due else known
    finally:
        connection.close()
