"""The condition of the database's file, found out with the standard library alone: it must be told of a file, too,
that cm can no longer open."""

import os
import shutil
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path

from cm.store import tick

BACKUPS = ".cm/backups"
DAMAGE_NAMED = 3


@dataclass(frozen=True)
class Condition:
    """Sizes in bytes; `backup_at` as epoch seconds."""

    exists: bool = True
    schema: int | None = tick.SCHEMA_VERSION
    """`PRAGMA user_version`; None if the file cannot be asked."""
    damage: tuple[str, ...] = ()
    """What `PRAGMA quick_check` found, or why it could not be asked."""
    size: int = 0
    wal: int = 0
    free: int = 1 << 40
    """What is left for us on its disk."""
    private: bool = True
    """Nobody but its owner can read it."""
    unwritable: tuple[str, ...] = ()
    backup_at: float | None = None
    """When the newest copy in .cm/backups was made; None if there is none."""


def look(root: Path) -> Condition:
    """Look at the workspace's database. Reads all of it once."""
    database = root / tick.DATABASE
    free = shutil.disk_usage(root).free
    if not database.is_file():
        return Condition(exists=False, schema=None, free=free, unwritable=_unwritable(root))
    facts = database.stat()
    return Condition(
        schema=tick.schema(str(root)),
        damage=_damage(database),
        size=facts.st_size,
        wal=_size(root / f"{tick.DATABASE}-wal"),
        free=free,
        private=not stat.S_IMODE(facts.st_mode) & 0o077,
        unwritable=_unwritable(root),
        backup_at=max((path.stat().st_mtime for path in (root / BACKUPS).glob("cm-*.db")), default=None),
    )


def _damage(database: Path) -> tuple[str, ...]:
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error as error:
        return (str(error),)
    try:
        said = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({DAMAGE_NAMED})")]
    except sqlite3.Error as error:
        return (str(error),)
    finally:
        connection.close()
    return () if said == ["ok"] else tuple(said)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _unwritable(root: Path) -> tuple[str, ...]:
    """Of what cm writes, that which this user may not write."""
    wanted = (root, root / ".cm", root / tick.DATABASE, root / f"{tick.DATABASE}-wal", root / tick.HEARTBEAT)
    return tuple(str(path) for path in wanted if path.exists() and not os.access(path, os.W_OK))
