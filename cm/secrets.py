"""Where tokens come from: `env:NAME` or `file:PATH`. They are fetched when used and kept nowhere.

A file must be readable by its owner alone (0600). A path that is not absolute starts at the workspace.
"""

import os
import stat
from pathlib import Path

from cm.errors import WorkspaceError
from cm.i18n import _


def reveal(reference: str, root: Path) -> str:
    """The secret behind `reference`. Raises WorkspaceError: not set, not there, readable by others, empty."""
    source, _sep, name = reference.partition(":")
    value = _from_environment(name) if source == "env" else _from_file(root / Path(name).expanduser())
    if not value:
        raise WorkspaceError(
            _("The secret {reference} is empty.").format(reference=reference), hint=_("Put the token there.")
        )
    return value


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise WorkspaceError(
            _("The secret env:{name} is not set.").format(name=name),
            hint=_("Set the variable {name} where cm (and cron) runs, or use file:PATH.").format(name=name),
        )
    return value.strip()


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise WorkspaceError(
                _("The secret file {path} can be read by others.").format(path=path),
                hint=_("Run: chmod 600 {path}").format(path=path),
            )
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(
            _("The secret file {path} cannot be read: {error}").format(path=path, error=error),
            hint=_("Write the token into it, readable by you alone."),
        ) from None
