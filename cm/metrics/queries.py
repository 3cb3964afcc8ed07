"""What the report asks the database, through Core.

The latest snapshot of a post is found by a correlated subquery that walks `ix_snapshot_post` backwards
to the first row: with a million snapshots this is some 30 times faster than a window function.
"""

from collections.abc import Collection
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from cm.calendar.cadence import Counted
from cm.metrics.rates import PostNumbers
from cm.metrics.rows import Followers, PostRow
from cm.model.states import COUNTED, PostState
from cm.model.tables import Channel, Message, Post, Receipt, Snapshot

PLANNED = frozenset(COUNTED | {PostState.FAILED, PostState.MISSED})
"""States of a post that was planned: it had its time and was not taken out (no drafts, none cancelled)."""

FOLLOWERS_AGE = timedelta(days=7)
"""A count of followers older than this at the start of a week would tell the growth of another span."""

TEXT_READ = 400
"""Characters of a post's text that are read: enough for an excerpt, whatever its length."""

_NUMBERS = tuple(field.name for field in fields(PostNumbers))


def _table(model: type[SQLModel]) -> sa.Table:
    return model.metadata.tables[str(model.__tablename__)]


_post, _message, _receipt = _table(Post), _table(Message), _table(Receipt)
_snapshot, _channel = _table(Snapshot), _table(Channel)


def channels(session: Session) -> dict[str, tuple[str, bool]]:
    """Every channel that the database knows: name → platform, simulated."""
    own = _channel.c
    rows = session.execute(sa.select(own.name, own.platform, own.simulated))
    return {row.name: (row.platform, row.simulated) for row in rows}


def planned_posts(
    session: Session, names: Collection[str], first: date, last: date, cut_off: datetime, source: str | None = None
) -> list[PostRow]:
    """Planned posts of the channels `names` on the local days `first` … `last`, by channel and id.

    Each comes with the receipt of its first message, its latest snapshot with `taken_at` ≤ `cut_off` (of any
    source, or of `source` alone), and the channel's followers as last reported before it went out.
    """
    statement = posts_statement(names, first, last, cut_off, source)
    return [_post_row(row, cut_off) for row in session.execute(statement)]


def posts_statement(
    names: Collection[str], first: date, last: date, cut_off: datetime, source: str | None = None
) -> sa.Select[Any]:
    """The query behind `planned_posts`."""
    out_at = sa.func.coalesce(_receipt.c.published_at, _post.c.published_at)
    plain = ("id", "ref", "channel", "kind", "theme", "objective", "audiences", "state", "day", "scheduled_at")
    return (
        sa.select(
            *(_post.c[name] for name in plain),
            sa.func.substr(_post.c.text, 1, TEXT_READ).label("text"),
            _receipt.c.remote_id,
            _receipt.c.permalink,
            out_at.label("out_at"),
            _snapshot.c.taken_at,
            _snapshot.c.source,
            *(_snapshot.c[name] for name in _NUMBERS),
            _followers_before(out_at).label("followers"),
        )
        .select_from(_post)
        .outerjoin(_receipt, _receipt.c.id == _first_receipt())
        .outerjoin(_snapshot, _snapshot.c.id == _latest_snapshot(cut_off, source))
        .where(
            _post.c.channel.in_(sorted(names)),
            _post.c.day.between(first, last),
            _post.c.state.in_(sorted(PLANNED)),
        )
        .order_by(_post.c.channel, _post.c.id)
    )


def _first_receipt() -> sa.ScalarSelect[Any]:
    """The receipt of a post's first message: the one that is measured."""
    other = _receipt.alias("first_receipt")
    return (
        sa.select(other.c.id)
        .join(_message, _message.c.id == other.c.message_id)
        .where(_message.c.post_id == _post.c.id, _message.c.n == 1)
        .order_by(other.c.id)
        .limit(1)
        .correlate(_post)
        .scalar_subquery()
    )


def _latest_snapshot(cut_off: datetime, source: str | None) -> sa.ScalarSelect[Any]:
    other = _snapshot.alias("latest")
    wanted = [] if source is None else [other.c.source == source]
    return (
        sa.select(other.c.id)
        .where(other.c.post_id == _post.c.id, other.c.taken_at <= cut_off, *wanted)
        .order_by(other.c.taken_at.desc(), other.c.id.desc())
        .limit(1)
        .correlate(_post)
        .scalar_subquery()
    )


def _followers_before(instant: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    other = _snapshot.alias("account")
    return (
        sa.select(other.c.followers)
        .where(
            other.c.channel == _post.c.channel,
            other.c.post_id.is_(None),
            other.c.followers.is_not(None),
            other.c.taken_at <= instant,
        )
        .order_by(other.c.taken_at.desc(), other.c.id.desc())
        .limit(1)
        .correlate(_post, _receipt)
        .scalar_subquery()
    )


def _post_row(row: sa.Row[Any], cut_off: datetime) -> PostRow:
    values = dict(row._mapping)
    reported = PostNumbers(**{name: values.pop(name) for name in _NUMBERS})
    values["audiences"] = tuple(values["audiences"])
    return PostRow(**values, cut_off=cut_off, numbers=reported if values["taken_at"] else None)


def followers_at_start(session: Session, channel: str, start: datetime) -> Followers | None:
    """The last count with `taken_at` ≤ `start`, not older than a week; None if there is none."""
    return _followers(session, channel, start - FOLLOWERS_AGE, start)


def followers_at_end(session: Session, channel: str, start: datetime, cut_off: datetime) -> Followers | None:
    """The last count after `start` with `taken_at` ≤ `cut_off`; None if there is none."""
    return _followers(session, channel, start, cut_off)


def _followers(session: Session, channel: str, after: datetime, until: datetime) -> Followers | None:
    row = session.execute(followers_statement(channel, until)).first()
    return Followers(row.followers, row.taken_at) if row and row.taken_at > after else None


def followers_statement(channel: str, until: datetime) -> sa.Select[Any]:
    """The newest count of a channel's followers with `taken_at` ≤ `until`.

    How old it may be is asked afterwards: with a lower bound here SQLite walks the posts' index instead.
    """
    own = _snapshot.c
    return (
        sa.select(own.followers, own.taken_at)
        .where(own.channel == channel, own.post_id.is_(None), own.followers.is_not(None), own.taken_at <= until)
        .order_by(own.taken_at.desc(), own.id.desc())
        .limit(1)
    )


def followers_by_instant(
    session: Session, names: Collection[str], start: datetime, end: datetime
) -> dict[str, list[Followers]]:
    """Every count of the channels' followers in `[start, end)`, by channel, the oldest first."""
    found: dict[str, list[Followers]] = {}
    for row in session.execute(counts_statement(names, start, end)):
        found.setdefault(row.channel, []).append(Followers(row.followers, row.taken_at))
    return found


def withdrawn(session: Session, names: Collection[str], start: datetime, end: datetime) -> dict[str, list[str]]:
    """The motives of the posts that were taken down in `[start, end)`, by channel.

    Asked for by way of the receipts, whose rows are short: there is no index for so rare a thing.
    """
    own = _post.c
    gone = (
        sa.select(_message.c.post_id)
        .join(_receipt, _receipt.c.message_id == _message.c.id)
        .where(_receipt.c.gone_at.is_not(None))
    )
    statement = (
        sa.select(own.channel, own.motive)
        .where(own.id.in_(gone), own.channel.in_(sorted(names)))
        .where(own.withdrawal == "done", own.motive.is_not(None))
        .where(own.withdrawn_at >= start, own.withdrawn_at < end)
        .order_by(own.channel, own.id)
    )
    found: dict[str, list[str]] = {}
    for row in session.execute(statement):
        found.setdefault(row.channel, []).append(row.motive)
    return found


def counts_statement(names: Collection[str], start: datetime, end: datetime) -> sa.Select[Any]:
    """The query behind `followers_by_instant`: one for all channels, by the index of accounts."""
    own = _snapshot.c
    return (
        sa.select(own.channel, own.followers, own.taken_at)
        .where(own.channel.in_(sorted(names)), own.post_id.is_(None), own.followers.is_not(None))
        .where(own.taken_at >= start, own.taken_at < end)
        .order_by(own.channel, own.taken_at, own.id)
    )


def plan(session: Session, names: Collection[str], first: date, last: date) -> list[Counted]:
    """Every post of the channels `names` on the local days `first` … `last`, as the cadence sees it."""
    own = _post.c
    statement = sa.select(own.channel, own.day, own.state, own.in_quota).where(
        own.channel.in_(sorted(names)), own.day.between(first, last)
    )
    return [Counted(**row._mapping) for row in session.execute(statement)]
