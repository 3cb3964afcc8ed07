"""Accounts: their rows, their measured facts, their rests."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import actions
from cm.calendar.sql import ACCOUNT
from cm.channels.port import AccountInfo, Adapter, AuthFailed, Identity
from cm.env import Env
from cm.errors import WorkspaceError
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Attempt, Channel, Message, Post
from cm.publishing.decide import DEFAULT_PAUSE, SOUND, TROUBLE, PauseKind
from cm.publishing.overdue import OUT_OF_REACH, SILENCE
from cm.store.posts import transition

FACTS_LAST = timedelta(hours=24)
"""After that the account is checked again before it sends."""
RECHECK = timedelta(minutes=1)
"""Rest of an account whose check found no network."""


ENDED_BY_CHECK = ("auth", "check")


class AnotherIdentity(AuthFailed):
    """The platform says that we are somebody else than before: nothing is sent before a person has looked."""


@dataclass(frozen=True)
class Work:
    """An account with what it takes to send for it."""

    account_id: int
    identity: Identity
    channel: str
    adapter: Adapter
    checked: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What is wrong with a content, by the key of its check (empty: nothing), as far as this run has asked."""

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
        known = Account(platform=identity.platform, host=identity.host, handle=identity.handle, app=identity.app)
    if known.id is None or known.app != identity.app:
        known.app = identity.app
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
    works, doubled = ensure_each(env, adapters)
    for error in doubled.values():
        raise error
    return works


def ensure_each(env: Env, adapters: Mapping[str, Adapter]) -> tuple[list[Work], dict[str, WorkspaceError]]:
    """The accounts of these channels; and the channels that are one account with another, for which nothing may be
    sent, with the error that says so."""
    with env.store.write() as session:
        works = [ensure(session, channel, adapter) for channel, adapter in adapters.items()]
    shares: dict[int, list[str]] = {}
    for work in works:
        shares.setdefault(work.account_id, []).append(work.channel)
    doubled = {name: _doubled(names) for names in shares.values() if len(names) > 1 for name in names}
    return [work for work in works if work.channel not in doubled], doubled


def _doubled(names: Sequence[str]) -> WorkspaceError:
    return WorkspaceError(
        _("The channels {one} and {other} are the same account.").format(one=names[0], other=names[1]),
        hint=_("Remove one of them from config.yaml; nothing was sent."),
    )


_ROW = sa.select(ACCOUNT).where(ACCOUNT.c.id == sa.bindparam("account"))


def row(session: Session, account_id: int) -> Account:
    """The account's row as it stands, to be read."""
    return cast(Account, session.execute(_ROW, {"account": account_id}).one())


def stale(account: Account, now: datetime) -> bool:
    """True if the account's facts must be measured before it sends."""
    return account.checked_at is None or now - account.checked_at > FACTS_LAST


def check(env: Env, work: Work) -> AccountInfo:
    """Ask the platform who we are and keep what it says; a stop for authorisation ends when that succeeds.

    Raises the adapter's ChannelError; AnotherIdentity when another account than before answers: that stops the
    channel until a person says `accept_identity`.
    """
    info = work.adapter.check()
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        other = account.remote_id not in (None, info.remote_id)
        if other:
            said = _("another account answers there: {handle}; if that is right: {command}").format(
                handle=info.handle, command=f"cm channel resume {work.channel} --accept-identity"
            )
            pause(session, work.account_id, env.now, None, said, kind="check")
        else:
            _keep_facts(session, account, info, env.now)
    if other:
        raise AnotherIdentity(said)
    return info


def accept_identity(env: Env, work: Work) -> AccountInfo:
    """A person says that the account which answers now is the right one: keep it, and end a stop for that.

    What is in doubt went to the account before and cannot be asked about here: it is left to a person.
    Raises the adapter's ChannelError.
    """
    info = work.adapter.check()
    with env.store.write() as session:
        account = session.get_one(Account, work.account_id)
        if account.remote_id not in (None, info.remote_id):
            _leave_doubts(session, work.account_id)
            actions.record(session, env, "accept_identity", work.channel)
        account.remote_id = info.remote_id
        _keep_facts(session, account, info, env.now)
    return info


def _keep_facts(session: Session, account: Account, info: AccountInfo, now: datetime) -> None:
    account.remote_id = info.remote_id
    account.key_window = info.key_window
    account.facts = {"limits": info.limits, "software": info.software, "handle": info.handle, **_of_time(info, now)}
    account.checked_at = now
    session.add(account)
    if account.paused_at is not None and account.pause_kind in ENDED_BY_CHECK:
        resume(session, account)


def _of_time(info: AccountInfo, now: datetime) -> dict[str, object]:
    """How far the platform's clock is ahead of ours (seconds), and when our token ends: for `cm doctor`."""
    ahead = (info.server_time - now).total_seconds() if info.server_time else None
    ends = info.token_expires_at.isoformat() if info.token_expires_at else None
    return {"clock_ahead": ahead, "token_expires_at": ends}


def _leave_doubts(session: Session, account_id: int) -> None:
    """Every sending in doubt of the account becomes a person's to look at."""
    doubtful = (
        select(Message.post_id)
        .join(Attempt, col(Attempt.message_id) == col(Message.id))
        .where(Attempt.account_id == account_id, Attempt.action == "send", col(Attempt.sending_at).is_not(None))
        .where(
            col(Attempt.settled).is_(None),
            sa.or_(col(Attempt.outcome) == Outcome.UNKNOWN, col(Attempt.outcome).is_(None)),
        )
    )
    said = _("sent to the account before, and no answer came; look whether it is there")
    held = select(Post.id).where(Post.state == PostState.PUBLISHING, col(Post.id).in_(doubtful))
    for number in session.exec(held).all():
        values = {"wake_at": None, "claim_token": None, "reason": said}
        transition(session, number or 0, PostState.UNCONFIRMED, among=[PostState.PUBLISHING], **values)


def resume(session: Session, account: Account) -> None:
    """End the account's rest, whatever its kind, and close its breaker; what slept because of it is looked at again."""
    account.paused_at = account.paused_until = account.pause_reason = account.pause_kind = None
    account.failures = 0
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


def pause(
    session: Session,
    account_id: int,
    now: datetime,
    until: datetime | None,
    reason: str,
    *,
    kind: PauseKind,
    app_wide: bool = False,
) -> None:
    """Rest the account until then; None = until a person acts. `app_wide`: with it all accounts of its app.

    A longer rest stays as it is, a stop for ever. What is out of reach still, or again at once, keeps the
    instant since which it is.
    """
    whom = _of_app(session.get_one(Account, account_id)) if app_wide else [col(Account.id) == account_id]
    timed = col(Account.paused_until).is_not(None) if until is None else col(Account.paused_until) <= until
    again = sa.and_(
        sa.literal(kind in OUT_OF_REACH),
        col(Account.pause_kind).in_(OUT_OF_REACH),
        col(Account.paused_until) >= now - SILENCE,
    )
    session.execute(
        sa.update(Account)
        .where(*whom, sa.or_(col(Account.paused_at).is_(None), timed))
        .values(
            paused_at=sa.case((again, col(Account.paused_at)), else_=now),
            paused_until=until,
            pause_reason=reason[:300],
            pause_kind=kind,
        )
    )


def _of_app(account: Account) -> list[sa.ColumnElement[bool]]:
    """The accounts that share the limits of this one's app: those of the same host where it names none."""
    same = col(Account.app) == account.app if account.app else col(Account.host) == account.host
    return [col(Account.platform) == account.platform, same]


def count(session: Session, account_id: int, outcome: Outcome) -> int:
    """Count an attempt that met trouble, or begin anew after one that met none; gives how many there are in a row.

    An attempt that went well ends the rest of an open breaker too.
    """
    known = row(session, account_id)
    if outcome not in TROUBLE and (outcome not in SOUND or (known.failures == 0 and known.pause_kind != "breaker")):
        return known.failures
    account = session.get_one(Account, account_id)
    if outcome in TROUBLE:
        account.failures += 1
    else:
        account.failures = 0
        if account.pause_kind == "breaker":
            account.paused_at = account.paused_until = account.pause_reason = account.pause_kind = None
    session.add(account)
    session.flush()
    return account.failures


def rests(account: Account, now: datetime) -> bool:
    """True while nothing may be asked of the account."""
    return account.paused_at is not None and (account.paused_until is None or account.paused_until > now)


def pause_after(outcome: Outcome, retry_after: float | None, now: datetime) -> tuple[datetime | None, PauseKind]:
    """How long a failed check rests the account, and as what; None = until a person acts."""
    if outcome is Outcome.AUTH_FAILED:
        return None, "auth"
    if outcome is Outcome.RATE_LIMITED:
        return now + rate_limit_rest(retry_after), "rate_limit"
    return now + RECHECK, "check"


def rate_limit_rest(retry_after: float | None) -> timedelta:
    """As long as the platform says (seconds), or a quarter of an hour."""
    return timedelta(seconds=retry_after) if retry_after else DEFAULT_PAUSE


def jitter() -> float:
    """A number in [-1, 1] that spreads retries."""
    return random.uniform(-1, 1)
