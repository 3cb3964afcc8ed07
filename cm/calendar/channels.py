"""The register of the institution's channels: what the configuration says, and how they are used."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import ACCOUNT, CHANNEL, POST
from cm.clock import midnight
from cm.config import Channel
from cm.env import Env
from cm.model.states import PostState


@dataclass(frozen=True)
class ChannelView:
    """A channel. `planned`: posts scheduled; `published`: posts that are out; `last_published_at` is local.

    `owner` is the person's key, `owner_name` their name. `dormant`: active, and silent for longer than it may be.
    """

    name: str
    platform: str
    adapter: str
    account: str
    address: str
    owner: str
    owner_name: str
    purpose: str
    opened_on: date
    audiences: tuple[str, ...]
    state: str
    successor: str | None
    simulated: bool
    planned: int
    published: int
    last_published_at: datetime | None
    dormant: bool

    def as_json(self) -> dict[str, Any]:
        """One item of `channel list`."""
        return {
            **vars(self),
            "opened_on": self.opened_on.isoformat(),
            "audiences": list(self.audiences),
            "last_published_at": self.last_published_at.isoformat() if self.last_published_at else None,
        }


def list_channels(env: Env) -> list[ChannelView]:
    """Every channel of the configuration, in its order."""
    with env.store.read() as session:
        return read_channels(session, env)


def read_channels(session: Session, env: Env) -> list[ChannelView]:
    """As `list_channels`, in the caller's transaction; one statement."""
    statement = sa.select(
        POST.c.channel,
        POST.c.state,
        sa.func.count().label("posts"),
        sa.func.max(POST.c.published_at).label("last"),
        sa.func.min(POST.c.created_at).label("first"),
    ).group_by(POST.c.channel, POST.c.state)
    counts: dict[str, dict[PostState, Any]] = defaultdict(dict)
    for row in session.execute(statement):
        counts[row.channel][row.state] = row
    return [_view(env, name, channel, counts[name]) for name, channel in env.config.channels.items()]


def silent_since(opened_on: datetime, last: datetime | None, first_known: datetime | None) -> datetime:
    """Since when a channel is silent: its last published post. Pure.

    Of one that has published nothing yet: since it was opened, or since its first post was written here,
    whichever came later; what it did before it was managed here is not known.
    """
    return last or max(opened_on, first_known or opened_on)


def _view(env: Env, name: str, channel: Channel, rows: dict[PostState, Any]) -> ChannelView:
    owner = env.config.people.get(channel.owner)
    planned, published = rows.get(PostState.SCHEDULED), rows.get(PostState.PUBLISHED)
    last = published.last if published else None
    first = min((row.first for row in rows.values()), default=None)
    silence = env.now - silent_since(midnight(channel.opened_on, env.zone), last, first)
    return ChannelView(
        name=name,
        platform=channel.platform,
        adapter=channel.adapter_name,
        account=channel.account,
        address=channel.address,
        owner=channel.owner,
        owner_name=owner.name if owner else channel.owner,
        purpose=channel.purpose,
        opened_on=channel.opened_on,
        audiences=channel.audiences,
        state=channel.state,
        successor=channel.successor,
        simulated=name in env.simulated,
        planned=planned.posts if planned else 0,
        published=published.posts if published else 0,
        last_published_at=last.astimezone(env.zone) if last else None,
        dormant=channel.state == "active" and silence >= env.config.dormant_after(name),
    )


def measured_limits(session: Session) -> dict[str, dict[str, Any]]:
    """What each channel's account may do there, as found at its last check; in the caller's transaction."""
    statement = (
        sa.select(CHANNEL.c.name, ACCOUNT.c.facts).join_from(CHANNEL, ACCOUNT).where(ACCOUNT.c.facts.is_not(None))
    )
    return {row.name: dict((row.facts or {}).get("limits") or {}) for row in session.execute(statement)}


def sync_channels(session: Session, env: Env) -> None:
    """Make the rows of `channel` agree with the configuration; rows of channels gone from it stay as they are.

    Runs in the caller's write transaction.
    """
    known = set(session.execute(sa.select(CHANNEL.c.name)).scalars())
    for name, wanted in _differing(session, env).items():
        if name in known:
            session.execute(sa.update(CHANNEL).where(CHANNEL.c.name == name).values(**wanted))
        else:
            session.execute(sa.insert(CHANNEL).values(name=name, **wanted))


def channels_agree(session: Session, env: Env) -> bool:
    """True if `sync_channels` would write nothing, so that nobody need take the write lock for it."""
    return not _differing(session, env)


def _differing(session: Session, env: Env) -> dict[str, dict[str, Any]]:
    """The columns of every channel whose row is missing or differs from the configuration."""
    known = {row.name: row for row in session.execute(sa.select(CHANNEL))}
    found = {}
    for name, channel in env.config.channels.items():
        wanted = {
            "platform": channel.platform,
            "adapter": channel.adapter_name,
            "simulated": name in env.simulated,
            "state": channel.state,
        }
        row = known.get(name)
        if row is None or any(getattr(row, column) != value for column, value in wanted.items()):
            found[name] = wanted
    return found
