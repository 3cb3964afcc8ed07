"""Whose account is it? What a run asks before it sends anything: is this the OS user, the state file and the
workspace that publish for the account, and is the database as new as its last sending (design: rule 6)?"""

import os
import pwd
from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session

from cm.env import Env
from cm.errors import WorkspaceError
from cm.i18n import _
from cm.model.tables import Account, Meta
from cm.publishing import journal
from cm.publishing.account_lock import AccountLock, Standing, require, standing, state_path
from cm.publishing.accounts import Work

WORKSPACE = "workspace"
"""Key of the row of `meta` that holds the workspace's id."""


def lock_of(env: Env, work: Work) -> AccountLock:
    """The account's operating-system lock and state file, as this process finds them."""
    return AccountLock(state_path(env.root, work.identity, local=work.local))


def workspace_id(session: Session) -> str:
    """The id by which state files know this workspace."""
    return session.get_one(Meta, WORKSPACE).value


def require_ours(env: Env, work: Work, lock: AccountLock) -> None:
    """Take note of OS user and state file; the account's lock must be held.

    Raises WorkspaceError: another OS user, another state file or workspace, or a rewound database.
    """
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        require_same_user(account, work, lock.path)
        require(standing_of(session, env, work, lock), lock.path, work.channel)
        sign(session, account, lock.path)
        lock.begin(workspace_id(session), highest_number(session, work.account_id)[0])


def refused(env: Env, works: Iterable[Work]) -> frozenset[str]:
    """Channels for which nothing may be sent before a person has looked: the journal does not know what became of
    their posts. Asked without the lock; whoever works the account asks again and tells the reason."""
    found = set()
    with env.store.read() as session:
        for work in works:
            path = lock_of(env, work).path
            try:
                require_same_user(session.get_one(Account, work.account_id), work, path)
                require(standing_of(session, env, work, lock_of(env, work)), path, work.channel)
            except WorkspaceError:
                found.add(work.channel)
    return frozenset(found)


def standing_of(session: Session, env: Env, work: Work, lock: AccountLock) -> Standing:
    """How the journal stands to the state file. Raises WorkspaceError if that cannot be read."""
    highest, sent = highest_number(session, work.account_id)
    shared = env.config.channels[work.channel].shared
    return standing(lock.read(), workspace=workspace_id(session), highest=highest, sent=sent, shared=shared)


def require_same_user(account: Account, work: Work, path: Path) -> None:
    """Raises WorkspaceError: another OS user or another state file than before. An account that is a file of the
    workspace goes wherever the workspace goes."""
    if work.local:
        return
    user = effective_user()
    if account.os_user not in (None, user):
        said = _("The OS user {known!r} publishes for {channel}, not {now!r}.")
        raise _elsewhere(said.format(known=account.os_user, now=user, channel=work.channel))
    if account.state_file not in (None, str(path)):
        said = _("The state file of {channel} is {known}; this run would use {now} (another HOME or XDG_STATE_HOME).")
        raise _elsewhere(said.format(known=account.state_file, now=path, channel=work.channel))


def _elsewhere(said: str) -> WorkspaceError:
    hint = _(
        "Nothing was sent. Run cm always as the same user, with the same home folder; or, if this user is to publish "
        "from now on: cm db adopt --reason TEXT."
    )
    return WorkspaceError(said, hint=hint)


def sign(session: Session, account: Account, path: Path) -> None:
    """Write down which OS user and state file publish for the account."""
    account.os_user, account.state_file = effective_user(), str(path)
    session.add(account)


def effective_user() -> str:
    """The OS user whose files this process writes; its number where it has no name (containers)."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


# --- the number that a look takes -------------------------------------------------------------------------------------


def highest_number(session: Session, account_id: int) -> tuple[int, bool]:
    """The account's highest number in the journal (of a sending, or of the last look at the account), 0 if none;
    and whether anything of it may have been sent."""
    highest = journal.highest_sending(session, account_id)
    looked = session.get(Meta, _key(account_id))
    number = int(looked.value) if looked else 0
    return max(highest, number), bool(highest or number)


def take_number(session: Session, account_id: int, known: Mapping[str, int]) -> int:
    """A number above all that state file and journal know, taken from the sequence of the attempts, so that no other
    copy of this database can have it: every copy that has not looked since is behind. `known`: see `State`."""
    sequence = session.execute(sa.text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'attempt'"))
    highest, _sent = highest_number(session, account_id)
    number = max(int(sequence.scalar_one()), highest, *known.values(), 0) + 1
    values = {"number": number}
    if not session.execute(sa.text("UPDATE sqlite_sequence SET seq = :number WHERE name = 'attempt'"), values).rowcount:  # type: ignore[attr-defined]
        session.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('attempt', :number)"), values)
    session.merge(Meta(key=_key(account_id), value=str(number)))
    session.flush()
    return number


def _key(account_id: int) -> str:
    return f"looked:{account_id}"
