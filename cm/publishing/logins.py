"""A person's login for a channel: kept once the platform has said who we are with it, given back when they say."""

from collections.abc import Callable

from cm import actions
from cm.channels.port import (
    AccountInfo,
    ChannelError,
    Logins,
    RateLimited,
    Retryable,
    UnknownOutcome,
    Values,
)
from cm.env import Env
from cm.model.tables import Account
from cm.publishing import accounts, ownership
from cm.publishing.accounts import AnotherIdentity, Work
from cm.publishing.after_journal import take
from cm.secrets import Login


def keep(env: Env, work: Work, login: Login, values: Values, waiting: Callable[[], None]) -> AccountInfo:
    """Store the login, then ask the platform who we are, as `cm channel check` does: that ends a stop for it.

    Nobody sends with it before that: the account's lock is held (`waiting` is called once if a run has it), and whoever
    comes after a crash asks the platform first. A login that the platform does not take for this channel (AuthFailed)
    is not kept: what was stored before is put back, as it is when a person breaks off. Where another account answers,
    the channel is stopped until a person accepts it. Raises ChannelError, Busy, and WorkspaceError if it cannot be
    stored.
    """
    lock = ownership.lock_of(env, work)
    take(lock, waiting)
    try:
        _ask_before_sending(env, work)
        before = login.usable()
        login.store(values)
        return _checked(env, work, login, before)
    finally:
        lock.release()


def _checked(env: Env, work: Work, login: Login, before: Values) -> AccountInfo:
    try:
        info = accounts.check(env, work)
    except (AnotherIdentity, Retryable, RateLimited, UnknownOutcome):
        _record(env, "channel.login", work.channel)
        raise
    except BaseException:
        _put_back(login, before)
        raise
    _record(env, "channel.login", work.channel)
    return info


def _put_back(login: Login, before: Values) -> None:
    if before:
        login.store(before)
    else:
        login.forget()


def _ask_before_sending(env: Env, work: Work) -> None:
    """Whose login it is must be known before the next sending, whatever happens to this program."""
    with env.store.write() as session:
        session.get_one(Account, work.account_id).checked_at = None


def give_back(env: Env, work: Work, login: Login, *, forget: bool = False) -> bool:
    """Let the platform forget the login, then delete it here; False if there was none.

    Where the platform cannot be told, or what is kept cannot be read, it stays, or with `forget` is deleted here alone.
    Raises ChannelError, and WorkspaceError where cm cannot read or delete it.
    """
    values = login.usable() if forget else login.read()
    if not values and not forget:
        return False
    login.place.prove("")
    if values and isinstance(work.adapter, Logins):
        try:
            work.adapter.logout(values)
        except ChannelError:
            if not forget:
                raise
    login.forget()
    _record(env, "channel.logout", work.channel)
    return True


def _record(env: Env, verb: str, channel: str) -> None:
    with env.store.write() as session:
        actions.record(session, env, verb, channel)
