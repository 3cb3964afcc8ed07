"""A workspace of the calendar's tests: two channels, five slots a day, a clock that is set."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cm.calendar import telling
from cm.calendar.channels import sync_channels
from cm.calendar.csvfile import COLUMNS, guarded, write_text
from cm.calendar.drafting import new_post
from cm.calendar.sql import ATTEMPT, MESSAGE, POST, RECEIPT
from cm.calendar.views import PostView
from cm.clock import SettableClock
from cm.config import Config
from cm.env import Env
from cm.model.states import PostState
from cm.model.tables import Account
from cm.people import Actor
from cm.store.engine import Store
from cm.store.migrate import create

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""A Friday, 11:00 in Paris."""
MONDAY = date(2026, 11, 23)

CHANNEL = {"adapter": "sandbox", "owner": "camille", "purpose": "Inform", "opened_on": "2011-03-14"}
SETTINGS: dict[str, Any] = {
    "language": "fr",
    "timezone": "Europe/Paris",
    "establishment": {"key": "tilleuls", "name": "Hôpital d'enfants des Tilleuls"},
    "people": {"camille": {"name": "Camille Roux", "logins": ["camille"]}},
    "channels": {
        "facebook": {
            **CHANNEL,
            "platform": "facebook",
            "account": "tilleuls",
            "address": "https://facebook.example/tilleuls",
            "audiences": ["public", "families"],
        },
        "twitter": {
            **CHANNEL,
            "platform": "x",
            "account": "@tilleuls",
            "address": "https://x.example/tilleuls",
            "audiences": ["institutions", "professionals"],
        },
    },
    "schedules": {
        name: {"slots": [{"times": ["08:30", "10:30", "12:30", "17:00", "19:00"]}]} for name in ("facebook", "twitter")
    },
}


def make_env(root: Path, *, now: datetime = NOW, **settings: Any) -> Env:
    """A fresh workspace; `settings` replace top-level parts of the configuration."""
    create(root)
    config = Config.model_validate({**SETTINGS, **settings})
    actor = Actor("camille", "Camille Roux", "camille", ("community_manager",))
    env = Env(root, config, Store(root), SettableClock(now), actor, "run", frozenset(config.channels))
    with env.store.write() as session:
        sync_channels(session, env)
    return env


def at(text: str) -> datetime:
    """A local time."""
    return datetime.fromisoformat(text)


def add(env: Env, text: str = "Bonjour", *, over: str | None = None, draft: bool = False, **values: Any) -> PostView:
    """A post; `wall` may be text."""
    if isinstance(values.get("wall"), str):
        values["wall"] = at(values["wall"])
    new = new_post(**{"channel": "facebook", "kind": "announcement", "text": text, **values})
    return telling.tell(env, [new], over=over, draft=draft)[0]


def row(**cells: str) -> dict[str, str]:
    """A row of the CSV with what a row needs."""
    given = {"channel": "facebook", "kind": "announcement", "text": "Bonjour", "date": "2026-11-23", "time": "09:00"}
    return {**given, **cells}


def csv_of(rows: Iterable[Mapping[str, str]]) -> bytes:
    """A file with all columns."""
    return write_text(guarded([cells.get(column, "") for column in COLUMNS] for cells in rows), ",", "utf-8")


def table(env: Env, which: sa.Table) -> list[dict[str, Any]]:
    """Every row of a table."""
    with env.store.read() as session:
        return [dict(found._mapping) for found in session.execute(sa.select(which).order_by(*which.primary_key))]


def set_state(env: Env, view: PostView, state: PostState, **values: Any) -> None:
    """Put a post where only the engine could."""
    with env.store.write() as session:
        session.execute(sa.update(POST).where(POST.c.id == int(view.id[1:])).values(state=state, **values))


def send_parts(env: Env, view: PostView, sent: int, *, tried: bool = True) -> None:
    """The first `sent` messages of a post get receipts, the next one (if `tried`) a failed attempt."""
    post_id = int(view.id[1:])
    with env.store.write() as session:
        account = Account(platform="facebook", host="", handle=f"account-{post_id}")
        session.add(account)
        session.flush()
        ids = list(
            session.execute(sa.select(MESSAGE.c.id).where(MESSAGE.c.post_id == post_id).order_by(MESSAGE.c.n)).scalars()
        )
        attempt = {"account_id": account.id, "number": 1, "token": "t", "run_id": "r", "started_at": env.now}
        for message_id in ids[: sent + tried]:
            session.execute(sa.insert(ATTEMPT).values(message_id=message_id, **attempt))
        for message_id in ids[:sent]:
            receipt = {
                "platform": "facebook",
                "remote_id": f"r{message_id}",
                "permalink": f"https://x.example/{message_id}",
            }
            session.execute(
                sa.insert(RECEIPT).values(
                    message_id=message_id, account_id=account.id, published_at=env.now, recorded_at=env.now, **receipt
                )
            )
