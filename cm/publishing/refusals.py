"""Accounts for which the next run will refuse to send, seen without their adapters: for `cm` and whoever reads it.

A run asks the same under the account's lock (see `ownership`) and tells its reason on standard error, where nobody
may be. Only accounts that this very OS user publishes for are judged: another one's state files are not to be read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import CHANNEL
from cm.channels.port import Identity
from cm.env import Env
from cm.errors import WorkspaceError
from cm.model.tables import Account
from cm.publishing import ownership
from cm.publishing.account_lock import AccountLock, Standing, State, require, standing, state_path

ACCOUNT: sa.Table = Account.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Refusal:
    """Nothing is sent for the channel, for this reason, until a person has given the command."""

    channel: str
    reason: str
    command: str


def refusals(env: Env) -> tuple[Refusal, ...]:
    """Those of the active channels whose account was worked before."""
    with env.store.read() as session:
        rows = [row for row in _worked(session) if row.name in env.config.channels]
    paths = [_path(env.root, row) for row in rows]
    states = [_read(path) for path in paths]  # before the journal is asked: a sending between the two is no rewinding
    with env.store.read() as session:
        found = (_refusal(session, env, row, path, state) for row, path, state in zip(rows, paths, states, strict=True))
        return tuple(refusal for refusal in found if refusal)


def _worked(session: Session) -> list[Any]:
    columns = (CHANNEL.c.name, *(ACCOUNT.c[name] for name in ("id", "platform", "host", "handle", "state_file")))
    statement = (
        sa.select(*columns)
        .join_from(CHANNEL, ACCOUNT)
        .where(CHANNEL.c.state == "active", ACCOUNT.c.os_user == ownership.effective_user())
        .where(ACCOUNT.c.state_file.is_not(None))
        .order_by(CHANNEL.c.name)
    )
    return list(session.execute(statement))


def _path(root: Path, row: Any) -> Path:
    """Where the run that published last kept its state file; one within the workspace moves with the folder."""
    inside = state_path(root, Identity(row.platform, row.host, row.handle), local=True)
    written = Path(row.state_file)
    return inside if written.parts[-3:] == inside.parts[-3:] else written


def _read(path: Path) -> State | WorkspaceError | None:
    try:
        return AccountLock(path).read()
    except WorkspaceError as error:
        return error


def _refusal(session: Session, env: Env, row: Any, path: Path, state: State | WorkspaceError | None) -> Refusal | None:
    if isinstance(state, WorkspaceError):
        return Refusal(row.name, state.message, "cm doctor")
    highest, sent = ownership.highest_number(session, row.id)
    workspace, shared = ownership.workspace_id(session), env.config.channels[row.name].shared
    found = standing(state, workspace=workspace, highest=highest, sent=sent, shared=shared)
    try:
        require(found, path, row.name)
    except WorkspaceError as error:
        theirs = found in (Standing.OTHER, Standing.REPLACED)
        mend = "cm db adopt --reason TEXT" if theirs else f"cm db reconcile -c {row.name}"
        return Refusal(row.name, error.message, mend)
    return None
