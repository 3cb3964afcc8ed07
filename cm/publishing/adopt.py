"""`cm db adopt`: this copy of the workspace becomes the one that publishes.

It gets a new id, and the accounts' state files name it. Every other copy is then another workspace, and refused.
Whatever the other copy may have sent is looked for first, as `reconcile` does; all accounts stay locked meanwhile.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from cm import actions
from cm.channels.port import Adapter
from cm.env import Env
from cm.errors import CmError
from cm.model.tables import Account, Meta
from cm.publishing import ownership
from cm.publishing.account_lock import AccountLock, Standing, State, standing
from cm.publishing.accounts import Work
from cm.publishing.reconcile import Look, Report, look, record, recover, settle, take, works


@dataclass(frozen=True)
class Adopted:
    """What became of it. `unwritten`: state files of another user or home that could not be told."""

    workspace: str
    reports: tuple[Report, ...]
    unwritten: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The shape of `cm db adopt --json`."""
        channels = [report.as_json() for report in self.reports]
        return {"workspace": self.workspace, "unwritten": list(self.unwritten), "channels": channels}


def adopt(
    env: Env,
    adapter_of: Callable[[str], Adapter],
    channels: Sequence[str],
    reason: str,
    *,
    since: datetime | None = None,
) -> Adopted:
    """Take over all accounts of these channels that can be looked at; the others stay refused until it is done again.

    Raises Busy (a run has one of them: nothing is done), or the trouble of the first account if none can be looked at.
    """
    reports: list[Report] = []
    with ExitStack() as locks:
        looks: list[Look] = []
        held = [_held(env, locks, each, failed, reports) for each, failed in works(env, adapter_of, channels)]
        for work, lock in filter(None, held):
            try:
                looks.append(_look(env, locks, work, lock, since))
            except CmError as error:
                reports.append(Report(work.channel, error=error))
        if not looks and reports and reports[0].error:
            raise reports[0].error
        for looked in looks:
            recover(env, looked)
        with env.store.write() as session:
            return _take_over(session, env, looks, reports, reason)


def _held(
    env: Env, locks: ExitStack, work: Work | str, failed: CmError | None, reports: list[Report]
) -> tuple[Work, AccountLock] | None:
    if isinstance(work, str):
        reports.append(Report(work, error=failed))
        return None
    lock = ownership.lock_of(env, work)
    take(lock, work)
    locks.callback(lock.release)
    return work, lock


def _look(env: Env, locks: ExitStack, work: Work, lock: AccountLock, since: datetime | None) -> Look:
    """As `reconcile` looks, remembering too what the state file of another user or home says, if it may be read."""
    with env.store.read() as session:
        account = session.get_one(Account, work.account_id)
        elsewhere = _elsewhere(account, work, lock)
        highest, sent = ownership.highest_number(session, work.account_id)
        workspace = ownership.workspace_id(session)
    if elsewhere and os.access(elsewhere.path, os.W_OK):
        take(elsewhere, work)
        locks.callback(elsewhere.release)
    memory = _newest(lock.read(), _readable(elsewhere))
    shared = env.config.channels[work.channel].shared
    found = standing(memory, workspace=workspace, highest=highest, sent=sent, shared=shared)
    return replace(look(env, work, lock, found, memory, since), elsewhere=elsewhere)


def _elsewhere(account: Account, work: Work, lock: AccountLock) -> AccountLock | None:
    if work.local or account.state_file in (None, str(lock.path)):
        return None
    return AccountLock(Path(account.state_file or ""))


def _readable(lock: AccountLock | None) -> State | None:
    return lock.read() if lock and os.access(lock.path, os.R_OK) else None


def _newest(here: State | None, there: State | None) -> State | None:
    """What remembers the later sending."""
    if here is None or there is None:
        return here or there
    return there if there.at and (here.at is None or there.at > here.at) else here


def _take_over(session: Session, env: Env, looks: Sequence[Look], reports: list[Report], reason: str) -> Adopted:
    before, now = ownership.workspace_id(session), uuid.uuid4().hex
    unwritten: list[str] = []
    for looked in looks:
        report = settle(session, env, looked)
        reports.append(report)
        account = session.get_one(Account, looked.work.account_id)
        ownership.sign(session, account, looked.lock.path)
        record(session, env, "adopt", report)
    session.merge(Meta(key=ownership.WORKSPACE, value=now))
    actions.record(session, env, "adopt", "workspace", why=reason, detail={"before": before, "now": now})
    for looked in looks:
        unwritten += _write(session, env, looked, before, now)
    order = list(env.config.channels)
    reports.sort(key=lambda report: order.index(report.channel))
    return Adopted(now, tuple(reports), tuple(unwritten))


def _write(session: Session, env: Env, looked: Look, before: str, now: str) -> Iterator[str]:
    """The account's state files name the new workspace; gives those that cannot be written. Nothing is written for an
    account that never sent."""
    if looked.memory is None and looked.standing is Standing.OURS:
        return
    memory = looked.memory or State()
    number = ownership.take_number(session, looked.work.account_id, memory.workspaces)
    shared = env.config.channels[looked.work.channel].shared
    state = memory.adopted(now, number, before=before, shared=shared)
    if looked.elsewhere and os.access(looked.elsewhere.path, os.W_OK):
        looked.elsewhere.write(state)
    elif looked.elsewhere:
        yield str(looked.elsewhere.path)
    looked.lock.write(state)
