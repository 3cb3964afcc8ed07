"""Accounts: their rows, their measured facts, their rests."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.channels.port import AccountInfo, Adapter, AuthFailed, Identity
from cm.env import Env
from cm.errors import WorkspaceError
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Channel, Post
from cm.publishing.decide import DEFAULT_PAUSE

FACTS_LAST = timedelta(hours=24)
"""After that the account is checked again before it sends."""
RECHECK = timedelta(minutes=1)
"""Rest of an account whose check found no network."""


@dataclass(frozen=True)
class Work:
    """An account with what it takes to send for it."""

    account_id: int
    identity: Identity
    channel: str
    adapter: Adapter

    @property
    def simulated(self) -> bool:
        """Nothing leaves this machine."""
        return self.adapter.capabilities.simulated

    @property
    def local(self) -> bool:
        """The account is a file or folder of this workspace."""
        return self.simulated or self.adapter.capabilities.delivery == "person"


def ensure(session: Session, channel: str, adapter: Adapter) -> Work:
    """The account behind a channel; its row is made at first sight and the channel points to it."""
    identity = adapter.identity()
    known = session.exec(
        select(Account).where(
            Account.platform == identity.platform, Account.host == identity.host, Account.handle == identity.handle
        )
    ).first()
    if known is None:
        known = Account(platform=identity.platform, host=identity.host, handle=identity.handle)
        session.add(known)
        session.flush()
    assert known.id is not None
    session.execute(
        sa.update(Channel)
        .where(col(Channel.name) == channel, col(Channel.account_id).is_distinct_from(known.id))
        .values(account_id=known.id)
    )
    return Work(known.id, identity, channel, adapter)


def ensure_all(env: Env, adapters: Mapping[str, Adapter]) -> list[Work]:
    """The accounts of these channels. Raises WorkspaceError if two channels are one account."""
    with env.store.write() as session:
        works = [ensure(session, channel, adapter) for channel, adapter in adapters.items()]
    known: dict[int, str] = {}
    for work in works:
        other = known.setdefault(work.account_id, work.channel)
        if other != work.channel:
            raise WorkspaceError(
                _("The channels {one} and {other} are the same account.").format(one=other, other=work.channel),
                hint=_("Remove one of them from config.yaml; nothing was sent."),
            )
    return works


def stale(account: Account, now: datetime) -> bool:
    """True if the account's facts must be measured before it sends."""
    return account.checked_at is None or now - account.checked_at > FACTS_LAST


def check(env: Env, work: Work) -> AccountInfo:
    """Ask the platform who we are and keep what it says; a stop for authorisation ends when that succeeds.

    Raises the adapter's ChannelError; AuthFailed too when another identity than before answers.
    """
    info = work.adapter.check()
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        if account.remote_id not in (None, info.remote_id):
            raise AuthFailed(_("another account answers there: {handle}").format(handle=info.handle))
        account.remote_id = info.remote_id
        account.key_window = info.key_window
        account.facts = {"limits": info.limits, "software": info.software, "handle": info.handle}
        account.checked_at = env.now
        if account.paused_at is not None and account.paused_until is None:
            resume(session, account)
    return info


def resume(session: Session, account: Account) -> None:
    """End the account's rest; what slept because of it is looked at again."""
    account.paused_at = account.paused_until = account.pause_reason = None
    session.add(account)
    channels = select(Channel.name).where(Channel.account_id == account.id)
    wake_scheduled(session, col(Post.channel).in_(channels))


def wake_scheduled(session: Session, *where: sa.ColumnElement[bool]) -> None:
    """Let the engine look again at scheduled posts, each at its own time."""
    session.execute(
        sa.update(Post)
        .where(col(Post.state) == PostState.SCHEDULED, *where)
        .values(
            wake_at=sa.case(
                (col(Post.not_before) > col(Post.scheduled_at), col(Post.not_before)), else_=col(Post.scheduled_at)
            )
        )
    )


def pause(session: Session, account_id: int, now: datetime, until: datetime | None, reason: str) -> None:
    """Rest the account until then; None = until a person acts."""
    session.execute(
        sa.update(Account)
        .where(col(Account.id) == account_id)
        .values(paused_at=now, paused_until=until, pause_reason=reason[:300])
    )


def pause_after(outcome: Outcome, retry_after: float | None, now: datetime) -> datetime | None:
    """How long a failed check rests the account; None = until a person acts."""
    if outcome is Outcome.AUTH_FAILED:
        return None
    if outcome is Outcome.RATE_LIMITED:
        return now + (timedelta(seconds=retry_after) if retry_after else DEFAULT_PAUSE)
    return now + RECHECK


def jitter() -> float:
    """A number in [-1, 1] that spreads retries."""
    return random.uniform(-1, 1)
