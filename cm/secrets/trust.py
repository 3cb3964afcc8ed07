"""Which commands of a configuration may be run for a secret: those that were in it when a person trusted it.

Whoever can write `config.yaml` could otherwise run anything as anybody who types `cm` there. What was trusted stands
outside the workspace, in the user's state folder, and holds for that very text of the file: one changed letter and
no command runs until it is trusted anew.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _
from cm.secrets.private import delete_private, read_private, write_private

CONFIG = "config.yaml"


def fingerprint(root: Path) -> str:
    """SHA-256 of the configuration file as it is. Raises WorkspaceError if it cannot be read."""
    try:
        return hashlib.sha256((root / CONFIG).read_bytes()).hexdigest()
    except OSError as error:
        raise WorkspaceError(
            _("{file} cannot be read: {error}").format(file=CONFIG, error=trouble(error)),
            hint=_("Name a file that you may read."),
        ) from None


def record_path(root: Path) -> Path:
    """Where it stands what was trusted of the workspace at `root`."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:32]
    return platformdirs.user_state_path("cm") / "trust" / f"{digest}.json"


def trust(root: Path, commands: Sequence[str], seen: str) -> None:
    """Let these commands run as long as the file has the fingerprint `seen`. Raises WorkspaceError."""
    record = {"workspace": str(root.resolve()), "config": seen, "commands": list(commands)}
    write_private(record_path(root), json.dumps(record))


def distrust(root: Path) -> None:
    """Let no command run any more."""
    delete_private(record_path(root))


def is_trusted(root: Path, command: str) -> bool:
    """True if a person trusted this command, and the file as it is now."""
    text = read_private(record_path(root))
    try:
        record = json.loads(text) if text else {}
    except ValueError:
        return False
    if not isinstance(record, dict) or not isinstance(record.get("commands"), list):
        return False
    return command in record["commands"] and record.get("config") == fingerprint(root)
