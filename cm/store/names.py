"""Names for the shell's completion: standard library only, read-only, and silent whatever is wrong.

A key press must not load the ORM, wait for a lock or print an error: no workspace, another schema, a damaged file or
a database elsewhere all mean that there is nothing to offer.
"""

import os
import sqlite3
from pathlib import Path

from cm.store import tick

MOST = 60
"""Names that are worth choosing from."""
PATIENCE = 0.2
"""Seconds to wait for a lock."""

Offer = tuple[str, str]
"""A name and what it is."""

_POSTS = """
SELECT 'p' || id, ref, coalesce(substr(replace(wall, 'T', ' '), 1, 16), ''), channel, state, substr(text, 1, 60)
FROM post
WHERE substr('p' || id, 1, length(:prefix)) = :prefix OR substr(ref, 1, length(:prefix)) = :prefix
ORDER BY abs(julianday(coalesce(scheduled_at, created_at)) - julianday(:now))
LIMIT :most
"""

_NAMES = {
    "channel": "SELECT name, platform FROM channel ORDER BY name LIMIT :most",
    "story": (
        "SELECT ref, title FROM story WHERE substr(ref, 1, length(:prefix)) = :prefix ORDER BY id DESC LIMIT :most"
    ),
    "theme": "SELECT theme, count(*) FROM post WHERE theme IS NOT NULL GROUP BY theme ORDER BY 2 DESC LIMIT :most",
    "campaign": (
        "SELECT campaign, count(*) FROM post WHERE campaign IS NOT NULL GROUP BY campaign ORDER BY 2 DESC LIMIT :most"
    ),
}


def names(start: str | None, what: str, prefix: str = "") -> list[Offer]:
    """The channels, stories, themes or campaigns (`what`) of the workspace found from `start`; a description each."""
    return [(str(name), str(told)) for name, told in _ask(start, _NAMES[what], {"prefix": prefix})]


def posts(start: str | None, prefix: str, now: float) -> list[Offer]:
    """Ids or refs that begin with `prefix`, those nearest to the epoch time `now` first.

    A post with a ref is called by it, unless the beginning of an id was typed.
    """
    offers = []
    for ident, ref, *facts in _ask(start, _POSTS, {"prefix": prefix, "now": tick.stored(now)}):
        called = ref if ref and ref.startswith(prefix) else ident
        offers.append((called, " ".join(str(fact) for fact in facts if fact)))
    return offers


def _ask(start: str | None, statement: str, values: dict[str, str]) -> list[tuple[str, ...]]:
    try:
        root = tick.find_workspace(start)
        if root is None or os.path.exists(os.path.join(root, tick.MARKER)):
            return []
        address = f"{Path(root, tick.DATABASE).absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
    except (sqlite3.Error, OSError):
        return []  # nothing to offer, and a prompt is no place for an explanation
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] != tick.SCHEMA_VERSION:
            return []
        return connection.execute(statement, {**values, "most": MOST}).fetchall()
    except sqlite3.Error:
        return []
    finally:
        connection.close()
