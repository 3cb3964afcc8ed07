"""Three simple strategies, as scripts have them: they meet the same servers and the same faults.

usage: python -m benchmarks.faults.naive STRATEGY PLAN URLS DONE

DONE is the file in which a strategy keeps what it holds for published (`ref part`, a line each); it goes on from there.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.plan import DEADLINE, Plan, Planned

THREADS = 16
WAIT = 0.3
Post = Callable[[str, str | None], httpx.Response]


def on_any_error(post: Post, text: str, parent: str | None) -> str | None:
    """Again and again until it works."""
    while True:
        try:
            return str(post(text, parent).raise_for_status().json()["id"])
        except (httpx.HTTPError, ValueError):
            time.sleep(WAIT)


def three_times(post: Post, text: str, parent: str | None) -> str | None:
    """Three times more on 5xx and timeouts; anything else is an error."""
    for _ in range(4):
        try:
            answer = post(text, parent)
        except httpx.TimeoutException:
            continue
        except httpx.HTTPError:
            return None
        if answer.status_code < 500:
            try:
                return str(answer.json()["id"]) if answer.is_success else None
            except ValueError:
                return None
        time.sleep(WAIT)
    return None


def then_mark_done(post: Post, text: str, parent: str | None) -> str | None:
    """Sent is done; what raises is tried by the next run. It is killed now and then."""
    while True:
        try:
            return str(post(text, parent).headers.get("x-nothing", "sent"))
        except httpx.HTTPError:
            time.sleep(WAIT)


STRATEGIES = {
    "resend on any error": on_any_error,
    "resend three times on 5xx and timeouts": three_times,
    "mark done after sending": then_mark_done,
}


class Run:
    """One process of one strategy."""

    def __init__(self, name: str, plan: Plan, urls: dict[str, str], done: Path) -> None:
        self.send, self.plan, self.urls, self.file = STRATEGIES[name], plan, urls, done
        self.done = set(done.read_text().splitlines()) if done.exists() else set[str]()
        self.lock = threading.Lock()

    def run(self) -> None:
        """All accounts, in order within each."""
        with self.file.open("a", encoding="utf-8") as self.out, ThreadPoolExecutor(THREADS) as pool:
            mine = {a.name: [p for p in self.plan.posts if p.account == a.name] for a in self.plan.accounts}
            for job in [
                pool.submit(self._account, a.token, self.urls[a.server], mine[a.name]) for a in self.plan.accounts
            ]:
                job.result()

    def _account(self, token: str, url: str, posts: list[Planned]) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, timeout=DEADLINE, trust_env=False) as client:

            def post(text: str, parent: str | None) -> httpx.Response:
                body: dict[str, Any] = {"status": text} | ({"in_reply_to_id": parent} if parent else {})
                return client.post("/api/v1/statuses", json=body)

            for each in posts:
                parent = None
                for part, text in enumerate(each.statuses):
                    if f"{each.ref} {part}" not in self.done:
                        parent = self.send(post, text, parent)
                        if parent is None:
                            break
                        self._mark(each.ref, part)

    def _mark(self, ref: str, part: int) -> None:
        with self.lock:
            self.out.write(f"{ref} {part}\n")
            self.out.flush()


def main() -> None:
    """As the usage says."""
    name, plan, urls, done = sys.argv[1:]
    Run(name, Plan.load(Path(plan)), json.loads(urls), Path(done)).run()


if __name__ == "__main__":
    main()
