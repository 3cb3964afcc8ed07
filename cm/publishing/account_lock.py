"""The operating system's word on who works an account, and the account's memory outside the database.

The lock is held from before the claim until the last outcome is committed. It ends with the process that
holds it, however that ends, and only then: a worker that is merely frozen still holds it. So whoever has
the lock knows that every unfinished attempt of the account belongs to somebody dead.

The state file says which workspaces send for the account, each with its highest attempt, and when the last
sending began. It is written and fsynced before each sending, so a database that is behind it (a restored
backup, a copied folder) gives itself away.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from cm.channels.port import Identity
from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _


@dataclass(frozen=True)
class State:
    """Content of a state file."""

    workspaces: Mapping[str, int] = field(default_factory=dict)
    """Id of each workspace that sends for the account, with its highest attempt."""
    last: str | None = None
    """The workspace that sent last."""
    at: datetime | None = None
    """When the last sending began, UTC."""
    replaced: tuple[str, ...] = ()
    """Workspaces of which another copy took over (`cm db adopt`): they send no more."""

    def sent(self, workspace: str, attempt: int, at: datetime) -> "State":
        """The state once that workspace is about to send."""
        return State({**self.workspaces, workspace: attempt}, workspace, at, self.replaced)

    def looked(self, workspace: str, number: int) -> "State":
        """The state once that workspace has looked at what stands there (`cm db reconcile`)."""
        return State({**self.workspaces, workspace: number}, self.last, self.at, self.replaced)

    def adopted(self, workspace: str, number: int, *, before: str, shared: bool) -> "State":
        """The state once `workspace` has taken the place of `before`; others stay only where the account is shared."""
        kept = {key: value for key, value in self.workspaces.items() if shared and key != before}
        gone = dict.fromkeys((*self.replaced, before, *(self.workspaces.keys() - kept.keys())))
        gone.pop(workspace, None)
        return State({**kept, workspace: number}, self.last, self.at, tuple(gone))


class Standing(StrEnum):
    """How a workspace's journal stands to the account's state file."""

    OURS = "ours"
    BEHIND = "behind"
    """The file knows of later sendings: a restored backup or a copied folder."""
    NO_MEMORY = "no_memory"
    """The journal holds sendings that no file knows of: another machine."""
    OTHER = "other"
    """Another workspace sends for this account."""
    REPLACED = "replaced"
    """Another copy of this workspace took over."""


def standing(state: State | None, *, workspace: str, highest: int, sent: bool, shared: bool) -> Standing:
    """Compare the state file with the journal; pure. `highest`: the account's highest number in the journal
    (0 = none); `sent`: one of its attempts has reached `sending`."""
    if state is None:
        return Standing.NO_MEMORY if sent else Standing.OURS
    if workspace in state.replaced:
        return Standing.REPLACED
    if not shared and state.workspaces.keys() - {workspace}:
        return Standing.OTHER
    if workspace not in state.workspaces:
        return Standing.NO_MEMORY if sent else Standing.OURS
    return Standing.BEHIND if state.workspaces[workspace] > highest else Standing.OURS


def state_path(root: Path, identity: Identity, *, local: bool) -> Path:
    """Where the account's state file lies: `.cm/accounts/` for an account that is a file of this workspace
    (`local`), else the user's state folder, so that two copies of a workspace meet in it."""
    folder = root / ".cm" if local else platformdirs.user_state_path("cm")
    plain = re.sub(r"[^a-z0-9.-]+", "_", f"{identity.platform}-{identity.host}-{identity.handle}".lower())[:80]
    digest = hashlib.sha256("\0".join((identity.platform, identity.host, identity.handle)).encode()).hexdigest()[:12]
    return folder / "accounts" / f"{plain}-{digest}.json"


class AccountLock:
    """The lock beside a state file, and the file itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._noted: State | None = None
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False, mode=0o600)

    def acquire(self) -> bool:
        """Take the lock without waiting; False if another worker has it. Raises WorkspaceError if it cannot be made."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise WorkspaceError(
                _("The account's lock {path} cannot be had: {error}").format(path=self.path, error=trouble(error)),
                hint=_("Nothing is sent for this account until its folder can be written."),
            ) from None
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._noted = None
        self._lock.release()

    def read(self) -> State | None:
        """The state as last written, None if there is no file. Raises WorkspaceError if it cannot be read."""
        try:
            with self.path.open(encoding="utf-8") as file:
                written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                return _state(json.load(file), written)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise WorkspaceError(
                _("The state file {path} cannot be read: {error}").format(path=self.path, error=error),
                hint=_("Nothing is sent for this account until it is put right."),
            ) from None

    def write(self, state: State) -> None:
        """Put the state on the disk, whole or not at all. The lock must be held."""
        temporary = self.path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(_document(state), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        _sync_folder(self.path.parent)

    def begin(self, workspace: str, number: int) -> None:
        """Make the file where there is none, so that its absence says something. The lock must be held."""
        if self.read() is None:
            self.write(State({workspace: number}, workspace))

    def note(self, workspace: str, attempt: int, at: datetime) -> None:
        """Put on the disk that this workspace sends now, by this attempt: after `sending` is committed, before the
        network. The lock must be held."""
        self._noted = (self._noted or self.read() or State()).sent(workspace, attempt, at)
        self.write(self._noted)


def _state(data: Mapping[str, Any], written: datetime) -> State:
    if "workspaces" not in data:  # as older versions of cm wrote it
        workspace = str(data["workspace"])
        return State({workspace: int(data["attempt"])}, workspace, written)
    at = datetime.fromisoformat(data["at"]).astimezone(UTC) if data["at"] else None
    workspaces = {str(key): int(value) for key, value in data["workspaces"].items()}
    return State(workspaces, data["last"], at, tuple(map(str, data.get("replaced", ()))))


def _document(state: State) -> dict[str, Any]:
    return {
        "workspaces": dict(state.workspaces),
        "last": state.last,
        "at": state.at.isoformat() if state.at else None,
        "replaced": list(state.replaced),
    }


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require(found: Standing, path: Path, channel: str) -> None:
    """Raises WorkspaceError unless the account is this workspace's to send for."""
    said = _said(found)
    if said is None:
        return
    if found in (Standing.OTHER, Standing.REPLACED):
        mend = _("If this copy is to publish from now on: cm db adopt --reason TEXT.")
    else:
        mend = _("Look at what stands there first: cm db reconcile.")
    kept = _("Nothing was sent for {channel}; its state file is {path}.").format(channel=channel, path=path)
    raise WorkspaceError(said, hint=f"{mend} {kept}")


def _said(found: Standing) -> str | None:
    match found:
        case Standing.OURS:
            return None
        case Standing.BEHIND:
            return _("The database is older than the account's last sending (a restored backup or a copy?).")
        case Standing.NO_MEMORY:
            return _("The journal holds sendings of this account that its state file knows nothing of.")
        case Standing.OTHER:
            return _("Another workspace publishes for this account.")
        case Standing.REPLACED:
            return _("Another copy of this workspace has taken over this account.")
