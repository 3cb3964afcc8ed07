"""A real Mastodon-like server on 127.0.0.1 (the package mastodon_mock), and what tests ask of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.testing.server import MockServer

TOKENS = {"tilleuls": "token-of-tilleuls", "autre": "token-of-autre"}  # of the mock only


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
