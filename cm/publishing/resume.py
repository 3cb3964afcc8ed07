"""A person lets a stopped channel go on: `cm channel resume`."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

from cm import actions
from cm.calendar.drafting import unknown_channel
from cm.env import Env
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.tables import Account, Channel
from cm.publishing import accounts, overdue
from cm.publishing.backlog import in_grace, rest_of
from cm.publishing.journal import Dossier
from cm.publishing.late import give_up
from cm.publishing.overdue import Overdue


@dataclass(frozen=True)
class Resumed:
    """What becomes of a channel. `paused`: it was; then `kind` and `reason` are those of the pause.

    `released`: overdue posts that go out now, each at its distance; `missed`: those that wait for a person. Ids.
    """

    channel: str
    paused: bool
    kind: str | None = None
    reason: str | None = None
    released: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The shape of `channel resume --json`."""
        return {**asdict(self), "released": list(self.released), "missed": list(self.missed)}


def resume(
    env: Env, name: str, *, release: int | None = None, miss_all: bool = False, dry_run: bool = False
) -> Resumed:
    """End any pause of the channel, and decide what becomes of its overdue posts.

    All that are within their grace may go; with `release` only so many, the newest; with `miss_all` none. The others
    are missed. What heaped up until now stops the channel no more. Raises NotFound for an unknown channel.
    """
    if name not in env.config.channels:
        raise unknown_channel(env.config, name)
    with env.store.read() if dry_run else env.store.write() as session:
        channel = session.get_one(Channel, name)
        account = session.get(Account, channel.account_id) if channel.account_id else None
        if account is None or not rest_of(account).lasts(env.now):
            return Resumed(name, paused=False)
        waiting = in_grace(session, env, name)
        left = _left([post for post, _dossier in waiting], 0 if miss_all else release)
        done = Resumed(
            name,
            True,
            account.pause_kind,
            account.pause_reason,
            tuple(post_id(post.id) for post, _dossier in waiting if post.id not in left),
            tuple(post_id(post.id) for post, _dossier in waiting if post.id in left),
        )
        if not dry_run:
            _resume(session, env, channel, account, [dossier for post, dossier in waiting if post.id in left], done)
        return done


def _left(posts: list[Overdue], kept: int | None) -> set[int]:
    """The posts that are left behind; None: none is."""
    return set() if kept is None else {post.id for post in overdue.left_behind(posts, kept)}


def _resume(session: Session, env: Env, channel: Channel, account: Account, left: list[Dossier], done: Resumed) -> None:
    if account.pause_kind in accounts.ENDED_BY_CHECK:
        account.checked_at = None  # whether the platform accepts us now is asked before anything is sent
    accounts.resume(session, account)
    channel.backlog_from = env.now
    session.add(channel)
    for dossier in left:
        give_up(session, env, dossier, reason=_("it was left behind when the channel was resumed"))
    detail = {"kind": done.kind, "released": len(done.released), "missed": len(done.missed)}
    actions.record(session, env, "channel.resume", channel.name, detail=detail)
