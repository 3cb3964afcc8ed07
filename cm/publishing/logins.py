"""A person's login for a channel: kept once the platform has said who we are with it, given back when they say."""

from cm import actions
from cm.channels.port import AccountInfo, AuthFailed, ChannelError, Logins, Values
from cm.env import Env
from cm.model.tables import Account
from cm.publishing import accounts
from cm.publishing.accounts import AnotherIdentity, Work
from cm.secrets import Login


def keep(env: Env, work: Work, login: Login, values: Values) -> AccountInfo:
    """Store the login, then ask the platform who we are, as `cm channel check` does: that ends a stop for it.

    A login that the platform does not take for this channel (AuthFailed) is not kept: what was stored before is put
    back. Where another account answers, the channel is stopped until a person accepts it; where nobody answers, the
    platform is asked again before anything is sent. Raises ChannelError, and WorkspaceError if it cannot be stored.
    """
    before = login.usable()
    login.store(values)
    try:
        info = accounts.check(env, work)
    except AnotherIdentity:
        raise
    except AuthFailed:
        _put_back(login, before)
        raise
    except ChannelError:
        _ask_again(env, work)
        raise
    _record(env, "channel.login", work.channel)
    return info


def _put_back(login: Login, before: Values) -> None:
    if before:
        login.store(before)
    else:
        login.forget()


def _ask_again(env: Env, work: Work) -> None:
    """Before the next sending: whose login it is must be known by then."""
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        account.checked_at = None
        session.add(account)
        actions.record(session, env, "channel.login", work.channel)


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
