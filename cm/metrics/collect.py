"""Asking the platforms how posts and accounts did, and keeping every answer as a snapshot of its own.

Nothing is ever updated: a snapshot is what one source said at one instant. No transaction is open while
a platform is asked. One platform's trouble is told in the result and stops no other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlmodel import col

from cm.channels.port import (
    Adapter,
    AuthFailed,
    ChannelError,
    Duplicate,
    Metrics,
    Numbers,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.env import Env
from cm.errors import CmError, NetworkTrouble, NotFound, PersonNeeded
from cm.i18n import _
from cm.model.tables import Channel, Message, Post, Receipt, Snapshot

WINDOW = timedelta(days=30)
"""Posts older than this are no longer measured."""

BATCH = 40
"""Posts asked for in one call."""

_KINDS: Mapping[type[ChannelError], str] = {
    Retryable: "retryable",
    RateLimited: "rate_limited",
    AuthFailed: "auth_failed",
    Rejected: "rejected",
    Duplicate: "duplicate",
    UnknownOutcome: "unknown",
}


@dataclass(frozen=True)
class ChannelCollected:
    """What came of one channel. `posts` and `account` count the snapshots written, `gone` the posts not found there.

    `kind` and `reason` say why it failed or was skipped.
    """

    channel: str
    status: Literal["ok", "failed", "skipped"]
    simulated: bool = False
    posts: int = 0
    account: int = 0
    gone: int = 0
    taken_at: datetime | None = None
    kind: str | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values; `taken_at` in ISO 8601, UTC."""
        return {**asdict(self), "taken_at": self.taken_at.isoformat() if self.taken_at else None}


@dataclass(frozen=True)
class CollectResult:
    """What came of every channel asked, by name."""

    channels: tuple[ChannelCollected, ...]

    @property
    def exit_code(self) -> int:
        """7 if a token was refused (a person is needed), 6 if a platform failed (it will be asked again), else 0."""
        if any(entry.kind == _KINDS[AuthFailed] for entry in self.channels):
            return PersonNeeded.exit_code
        return NetworkTrouble.exit_code if any(entry.status == "failed" for entry in self.channels) else 0

    def as_json(self) -> dict[str, Any]:
        """`{"channels":[{"channel","status","simulated","posts","account","gone","taken_at","kind","reason"}]}`."""
        return {"channels": [entry.as_json() for entry in self.channels]}


@dataclass(frozen=True)
class _Trouble:
    kind: str
    reason: str


@dataclass
class _Answers:
    """What a platform has said so far: kept even if it fails half-way, for those numbers are true."""

    account: Numbers | None = None
    posts: dict[str, Numbers] = field(default_factory=dict)
    asked: int = 0
    trouble: _Trouble | None = None


def collect(env: Env, adapters: Mapping[str, Adapter], *, channels: Collection[str] | None = None) -> CollectResult:
    """Take a snapshot of every active channel's account and of its posts of the last 30 days.

    `adapters` are by channel name; `channels` names those to ask (default: all active ones). What a
    platform answered before it failed is kept. Raises NotFound for a name that the configuration lacks.
    """
    wanted = _wanted(env, channels)
    return CollectResult(tuple(_collect_channel(env, name, adapters.get(name)) for name in wanted))


def _wanted(env: Env, channels: Collection[str] | None) -> list[str]:
    configured = env.config.channels
    if channels is None:
        return sorted(name for name, channel in configured.items() if channel.state == "active")
    for name in sorted(channels):
        if name not in configured:
            hint = _("Use one of: {names}.").format(names=", ".join(sorted(configured)) or "–")
            raise NotFound(_("There is no channel {name!r}.").format(name=name), hint=hint)
    return sorted(set(channels))


def _collect_channel(env: Env, name: str, adapter: Adapter | None) -> ChannelCollected:
    simulated = name in env.simulated
    if skipped := _why_skipped(env, name, adapter):
        return ChannelCollected(name, "skipped", simulated, kind=skipped.kind, reason=skipped.reason)
    assert adapter is not None
    posts = _posts_to_measure(env, name)
    taken_at = env.now
    answers = _ask(cast("Metrics", adapter), list(posts))
    rows = _snapshots(name, adapter.capabilities.platform, taken_at, posts, answers)
    _append(env, rows)
    return ChannelCollected(
        channel=name,
        status="failed" if answers.trouble else "ok",
        simulated=simulated,
        posts=sum(row["post_id"] is not None for row in rows),
        account=sum(row["post_id"] is None for row in rows),
        gone=answers.asked - len(answers.posts),
        taken_at=taken_at if rows else None,
        kind=answers.trouble.kind if answers.trouble else None,
        reason=answers.trouble.reason if answers.trouble else None,
    )


def _why_skipped(env: Env, name: str, adapter: Adapter | None) -> _Trouble | None:
    if env.config.channels[name].state != "active":
        return _Trouble("not_active", _("The channel is not active."))
    if adapter is None:
        return _Trouble("no_adapter", _("There is no adapter for this channel."))
    if not isinstance(adapter, Metrics):
        return _Trouble("no_metrics", _("This platform gives no figures."))
    return None


def _posts_to_measure(env: Env, channel: str) -> dict[str, int]:
    """Remote id of the first message → post, of what the channel's present account published lately and still
    stands there."""
    statement = (
        sa.select(col(Receipt.remote_id), col(Post.id))
        .join(Message, col(Message.id) == col(Receipt.message_id))
        .join(Post, col(Post.id) == col(Message.post_id))
        .join(Channel, col(Channel.name) == col(Post.channel))
        .where(col(Post.channel) == channel, col(Message.n) == 1, col(Receipt.gone_at).is_(None))
        .where(col(Receipt.account_id) == col(Channel.account_id), col(Receipt.published_at) >= env.now - WINDOW)
        .order_by(col(Receipt.id))
    )
    first: dict[int, str] = {}
    with env.store.read() as session:
        for remote_id, post_id in session.execute(statement):
            first.setdefault(post_id, remote_id)
    return {remote_id: post_id for post_id, remote_id in first.items()}


def _ask(adapter: Metrics, remote_ids: Sequence[str]) -> _Answers:
    """The account, then the posts in batches, until the platform fails."""
    answers = _Answers()
    try:
        answers.account = adapter.account_metrics()
        for batch in _batches(remote_ids):
            found = adapter.post_metrics(batch)
            answers.posts |= {remote_id: found[remote_id] for remote_id in batch if remote_id in found}
            answers.asked += len(batch)
    except ChannelError as error:
        answers.trouble = _Trouble(_kind_of(error), error.reason)
    except CmError as error:
        answers.trouble = _Trouble(error.kind, error.message)
    except Exception as error:  # an adapter's fault breaks its own channel only; its words might hold a token
        answers.trouble = _Trouble("adapter", _("The adapter failed: {error}.").format(error=type(error).__name__))
    return answers


def _batches(remote_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(remote_ids), BATCH):
        yield remote_ids[start : start + BATCH]


def _kind_of(error: ChannelError) -> str:
    return next((name for kind, name in _KINDS.items() if isinstance(error, kind)), "retryable")


def _snapshots(
    channel: str, source: str, taken_at: datetime, posts: Mapping[str, int], answers: _Answers
) -> list[dict[str, Any]]:
    common = {"channel": channel, "source": source, "taken_at": taken_at}
    rows = [{**common, "post_id": posts[remote_id], **asdict(n)} for remote_id, n in answers.posts.items()]
    if answers.account is not None:
        rows.append({**common, "post_id": None, **asdict(answers.account)})
    return rows


def _append(env: Env, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        with env.store.write() as session:
            session.execute(sa.insert(Snapshot.metadata.tables["snapshot"]), [dict(row) for row in rows])
