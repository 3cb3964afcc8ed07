"""The operating system's word on who works an account, and the account's memory outside the database.

The lock is held from before the claim until the last outcome is committed. It ends with the process that
holds it, however that ends, and only then: a worker that is merely frozen still holds it. So whoever has
the lock knows that every unfinished attempt of the account belongs to somebody dead.

The state file says which workspace sent last and its highest attempt. It is written and fsynced before
each sending, so a database that is behind it (a restored backup, a copied folder) gives itself away.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from cm.channels.port import Identity
from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _


@dataclass(frozen=True)
class State:
    """Content of a state file."""

    workspace: str
    attempt: int


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
        self._lock.release()

    def read(self) -> State | None:
        """The state as last written, None if there is no file. Raises WorkspaceError if it cannot be read."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            return State(str(data["workspace"]), int(data["attempt"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                _("The state file {path} cannot be read: {error}").format(path=self.path, error=error),
                hint=_("Nothing is sent for this account until it is put right."),
            ) from None

    def write(self, state: State) -> None:
        """Put the state on the disk, whole or not at all. The lock must be held."""
        temporary = self.path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"workspace": state.workspace, "attempt": state.attempt}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        _sync_folder(self.path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(lock: AccountLock, *, workspace: str, highest: int, sent: bool, shared: bool) -> None:
    """Compare the state file with the journal. `highest`: the account's highest attempt id (0 = none);
    `sent`: one of its attempts has reached `sending`.

    Raises WorkspaceError: another workspace sends for this account, the database is behind the file, or a
    journal with sendings has no file beside it. Nothing may be sent then.
    """
    state = lock.read()
    hint = _("Nothing was sent. The account's state file is {path}.").format(path=lock.path)
    if state is None and sent:
        raise WorkspaceError(
            _("The journal holds sendings of this account that its state file knows nothing of."), hint=hint
        )
    if state is None:
        return
    if state.workspace != workspace and not shared:
        raise WorkspaceError(_("Another workspace publishes for this account."), hint=hint)
    if state.workspace == workspace and state.attempt > highest:
        raise WorkspaceError(
            _("The database is older than the account's last sending (a restored backup or a copy?)."), hint=hint
        )
