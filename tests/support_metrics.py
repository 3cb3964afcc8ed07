"""A seeded workspace for the tests of the figures: rows are written straight into a real database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from cm.channels.port import AccountInfo, Capabilities, Identity, NoSettings, Numbers, Outgoing, Prepared, Receipt
from cm.clock import SettableClock, resolve
from cm.config import Config
from cm.env import Env
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Message, Post, Snapshot
from cm.model.tables import Receipt as ReceiptRow
from cm.people import Actor
from cm.store.engine import Store
from cm.store.migrate import create

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 23)  # 2026-W48
WEEK = "2026-W48"


def paris(day: date, hour: int = 9, minute: int = 0, second: int = 0) -> datetime:
    """An instant by the wall clock of Paris."""
    return resolve(datetime.combine(day, time(hour, minute, second)), PARIS).instant


def config(**channels: Mapping[str, Any]) -> Config:
    """A workspace in Paris with the channels given (defaults: facebook for the public, x for institutions)."""
    chosen = channels or {
        "facebook": {"audiences": ["public", "families"]},
        "twitter": {"platform": "x", "audiences": ["institutions", "researchers"]},
    }
    common = {
        "platform": "facebook",
        "adapter": "sandbox",
        "owner": "camille",
        "purpose": "–",
        "opened_on": "2011-03-14",
    }
    return Config.model_validate(
        {
            "establishment": {"key": "tilleuls", "name": "Hôpital des Tilleuls"},
            "people": {"camille": {"name": "Camille"}},
            "channels": {
                name: {**common, "account": name, "address": f"https://{name}.example", **given}
                for name, given in chosen.items()
            },
        }
    )


def workspace(root: Path, settings: Config | None = None, *, now: datetime | None = None) -> Env:
    """An opened workspace whose channels and accounts stand in the database."""
    settings = settings or config()
    create(root)
    env = _env(root, settings, now or paris(MONDAY + timedelta(days=8), 9))
    with env.store.write() as session:
        for number, (name, channel) in enumerate(settings.channels.items(), start=1):
            session.add(Account(id=number, platform=channel.platform, host="here", handle=name))
            session.flush()
            session.add(
                Channel(
                    name=name,
                    platform=channel.platform,
                    adapter=channel.adapter_name,
                    simulated=True,
                    account_id=number,
                )
            )
    return env


def reopen(root: str) -> Env:
    """The workspace of `workspace(root)`, opened again a good month later."""
    return _env(Path(root), config(), paris(MONDAY + timedelta(days=40), 3))


def _env(root: Path, settings: Config, now: datetime) -> Env:
    actor = Actor("camille", "Camille", "camille")
    return Env(root, settings, Store(root), SettableClock(now), actor, "run", frozenset(settings.channels))


def seed_post(
    env: Env,
    day: date = MONDAY,
    channel: str = "facebook",
    *,
    hour: int = 9,
    state: PostState = PostState.PUBLISHED,
    remote_id: str | None = None,
    parts: int = 1,
    published_at: datetime | None = None,
    **values: Any,
) -> int:
    """A post of `channel` on `day`; a published one (or one with `remote_id`) has a receipt for every part."""
    planned = paris(day, hour)
    out_at = published_at or planned
    out = state is PostState.PUBLISHED or remote_id is not None
    given = {"kind": "announcement", "audiences": ["public"], "text": "Bonjour à toutes et à tous", **values}
    with env.store.write() as session:
        account = session.get(Channel, channel)
        assert account is not None
        post = Post(
            channel=channel,
            establishment="tilleuls",
            language="fr",
            state=state,
            scheduled_at=planned,
            day=day,
            zone="Europe/Paris",
            author="camille",
            content_hash="0" * 64,
            published_at=out_at if state is PostState.PUBLISHED else None,
            created_at=planned - timedelta(days=7),
            updated_at=planned,
            **given,
        )
        session.add(post)
        session.flush()
        for n in range(1, parts + 1):
            message = Message(post_id=post.id, n=n, text=post.text, fingerprint="0")
            session.add(message)
            session.flush()
            if out:
                name = (remote_id or f"r{post.id}") + ("" if n == 1 else f"-{n}")
                session.add(
                    ReceiptRow(
                        message_id=message.id,
                        account_id=account.account_id,
                        platform=account.platform,
                        remote_id=name,
                        permalink=f"https://{channel}.example/{name}",
                        published_at=out_at + timedelta(minutes=n - 1),
                        recorded_at=out_at,
                    )
                )
        assert post.id is not None
        return post.id


def seed_snapshot(env: Env, post: int | None, taken_at: datetime, channel: str = "facebook", **numbers: int) -> None:
    """A snapshot of a post (or, with None, of the channel's account)."""
    with env.store.write() as session:
        session.add(Snapshot(post_id=post, channel=channel, taken_at=taken_at, source="sandbox", **numbers))


def seed_followers(env: Env, taken_at: datetime, followers: int, channel: str = "facebook") -> None:
    """A count of a channel's followers."""
    seed_snapshot(env, None, taken_at, channel, followers=followers)


def entry(report: Mapping[str, Any], channel: str = "facebook") -> dict[str, Any]:
    """The report's entry of one channel."""
    return next(found for found in report["channels"] if found["channel"] == channel)


def gaps(report: Mapping[str, Any], channel: str | None = "facebook") -> dict[str, int]:
    """What is missing for one channel: what → how many."""
    return {found["what"]: found["count"] for found in report["missing"] if found["channel"] == channel}


class Silent:
    """A platform in memory that speaks the port and gives no figures."""

    Settings: ClassVar[type[NoSettings]] = NoSettings
    capabilities: ClassVar[Capabilities] = Capabilities(platform="memory", simulated=True)

    def identity(self) -> Identity:
        return Identity("memory", "here", "somebody")

    def check(self) -> AccountInfo:
        return AccountInfo("1", "somebody")

    def prepare(self, message: Outgoing, saved: dict[str, Any]) -> Prepared:
        return Prepared({"text": message.text, **saved})

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        return Receipt(key, None, paris(MONDAY))

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Platform(Silent):
    """One that does: `numbers` by remote id; it raises `error` from its `fails_at`-th call on."""

    numbers: dict[str, Numbers] = field(default_factory=dict)
    account: Numbers = field(default_factory=lambda: Numbers(followers=1000))
    error: Exception | None = None
    fails_at: int = 1
    calls: list[Sequence[str] | None] = field(default_factory=list)

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        self._called(tuple(remote_ids))
        return {name: self.numbers[name] for name in remote_ids if name in self.numbers}

    def account_metrics(self) -> Numbers:
        self._called(None)
        return self.account

    def _called(self, ids: Sequence[str] | None) -> None:
        self.calls.append(ids)
        if self.error and len(self.calls) >= self.fails_at:
            raise self.error
