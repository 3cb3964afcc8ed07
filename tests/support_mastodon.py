"""A real Mastodon-like server on 127.0.0.1 (the package mastodon_mock), what tests ask of it, and what they send."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.testing.server import MockServer

from cm.channels.contract import PICTURE
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.port import Context, Media, Outgoing
from cm.clock import SettableClock

TOKENS = {"tilleuls": "token-of-tilleuls", "autre": "token-of-autre"}  # of the mock only

SERVER = "https://social.example"
TOKEN = "token-of-the-hospital"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
LIMITS = {
    "max_characters": 500,
    "max_media": 4,
    "characters_reserved_per_url": 23,
    "description_limit": 1500,
    "image_size_limit": 10_485_760,
    "video_size_limit": 41_943_040,
    "mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"],
    "software": "mastodon",
}
MESSAGE = Outgoing("Semaine des dons du sang 🩸", "fr", NOW, link="https://hopital.example/dons", limits=LIMITS)


def context_for(server: str, token: str | None, account: str = "@tilleuls", **settings: Any) -> Context:
    """The context of a channel there."""
    return Context(
        channel="mastodon",
        platform="mastodon",
        account=account,
        workspace=Path("/nowhere"),
        settings=MastodonAdapter.Settings.model_validate({"server": server, **settings}),
        clock=SettableClock(NOW),
        secret=lambda: token,
    )


def picture_at(path: Path, data: bytes = PICTURE, alt: str = "Une infirmière sourit.") -> Media:
    """A small picture, written there."""
    path.write_bytes(data)
    return Media(path, "image/png", hashlib.sha256(data).hexdigest(), alt)


class MastodonServer:
    """One running server with the accounts of TOKENS."""

    def __init__(self, server: MockServer) -> None:
        self.mock = server
        self.url = server.base_url

    def statuses(self, account: str = "tilleuls") -> list[dict[str, Any]]:
        """All of the account's statuses, oldest first."""
        me = self._get("/api/v1/accounts/verify_credentials", account)
        found: list[dict[str, Any]] = []
        page: list[dict[str, Any]] = self._get(f"/api/v1/accounts/{me['id']}/statuses?limit=40", account)
        while page:
            found += page
            oldest = page[-1]["id"]
            page = self._get(f"/api/v1/accounts/{me['id']}/statuses?limit=40&max_id={oldest}", account)
        return found[::-1]

    def status(self, remote_id: str, account: str = "tilleuls") -> dict[str, Any]:
        """One status."""
        found: dict[str, Any] = self._get(f"/api/v1/statuses/{remote_id}", account)
        return found

    def source(self, remote_id: str, account: str = "tilleuls") -> str:
        """A status's text as it was sent."""
        return str(self._get(f"/api/v1/statuses/{remote_id}/source", account)["text"])

    def favourite(self, remote_id: str, account: str = "autre") -> None:
        """Let another account like a status."""
        headers = {"Authorization": f"Bearer {TOKENS[account]}"}
        httpx.post(f"{self.url}/api/v1/statuses/{remote_id}/favourite", headers=headers).raise_for_status()

    def boost(self, remote_id: str, account: str = "tilleuls") -> None:
        """Let an account share a status."""
        headers = {"Authorization": f"Bearer {TOKENS[account]}"}
        httpx.post(f"{self.url}/api/v1/statuses/{remote_id}/reblog", headers=headers).raise_for_status()

    def reset(self) -> None:
        """Forget all statuses, keys and faults."""
        httpx.post(f"{self.url}/api/v1/_mock/reset").raise_for_status()

    def fail_next(self, method: str, path: str, *, count: int = 1, **effect: Any) -> None:
        """Answer the next requests badly. `effect`: type = status, ratelimit, malformed, latency or timeout; status…"""
        rule = {"match": {"methods": [method], "path": path}, "effect": effect, "count": count}
        httpx.post(f"{self.url}/api/v1/_mock/faults", json=rule).raise_for_status()

    def media_count(self) -> int:
        """How many files were uploaded."""
        folder = Path(self.mock.config.media_storage_path or "") / "attachments"
        return len(list(folder.iterdir())) if folder.is_dir() else 0

    def _get(self, path: str, account: str) -> Any:
        answer = httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {TOKENS[account]}"})
        return answer.raise_for_status().json()


@contextmanager
def running(media: Path) -> Iterator[MastodonServer]:
    """A server that keeps uploads under `media`, until the block ends."""
    accounts = [SeedAccount(username=name, display_name=name, access_token=token) for name, token in TOKENS.items()]
    config = MastodonMockConfig(
        database=DatabaseConfig(path=":memory:"), seed=SeedConfig(accounts=accounts), media_storage_path=str(media)
    )
    with MockServer(config=config) as server:
        yield MastodonServer(server)
