"""What `cm publish --quiet` has told already: trouble that lasts is one mail of cron's, not one each minute.

Kept in a file and not in the database, since that may be the trouble. A matter is told once; it is told again when
its words change, or when it comes back after it was gone for an hour.
"""

import json
import logging
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

log = logging.getLogger("cm.publishing")

FILE = ".cm/told.json"
GONE_AFTER = timedelta(hours=1)
"""An account is worked only while something is due there: between two runs that meet its trouble lies a while."""

Known = dict[str, tuple[str, datetime]]
"""What it is about → its words, and when a run last met it (UTC)."""


def sorted_out(
    known: Mapping[str, tuple[str, datetime]], met: Mapping[str, str], now: datetime
) -> tuple[Known, set[str]]:
    """What is known after a run that met these matters, and those of them that are to be told. Pure."""
    kept = {about: one for about, one in known.items() if abs(now - one[1]) <= GONE_AFTER}
    fresh = {about for about, words in met.items() if about not in kept or kept[about][0] != words}
    return {**kept, **{about: (words, now) for about, words in met.items()}}, fresh


def untold(root: Path, met: Mapping[str, str], now: datetime, *, over: Iterable[str] = ()) -> set[str]:
    """Which of these matters (what it is about → its words) no run has told yet; from now on they are told.

    `over`: matters that this run has seen the end of. A file that cannot be read or written makes nobody silent: then
    everything is told, as often as it comes.
    """
    known = _read(root / FILE)
    left = {about: one for about, one in known.items() if about not in set(over) - met.keys()}
    after, fresh = sorted_out(left, met, now)
    if after != known and not _write(root / FILE, after):
        return set(met)
    return fresh


def _read(path: Path) -> Known:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {about: (words, datetime.fromisoformat(at)) for about, (words, at) in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        log.warning("%s cannot be read", path, exc_info=True)
        return {}


def _write(path: Path, known: Known) -> bool:
    """Put it in the place of the old one, readable by its owner alone."""
    text = json.dumps({about: (words, at.isoformat()) for about, (words, at) in known.items()}, ensure_ascii=False)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="told-")
    except OSError:
        log.warning("%s cannot be written", path, exc_info=True)
        return False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except OSError:
        log.warning("%s cannot be written", path, exc_info=True)
        with suppress(OSError):
            os.unlink(name)
        return False
    return True
