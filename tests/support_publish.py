"""A desk: a workspace with a clock of its own, posts planned through the use cases, real runs of the engine."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import select

from cm.calendar import posts, telling
from cm.calendar.drafting import new_post
from cm.calendar.views import PostView
from cm.channels.sandbox.platform import SandboxPlatform
from cm.clock import SettableClock
from cm.env import Env
from cm.model.tables import Attempt, Post
from cm.publishing import engine
from cm.publishing.results import RunResult
from cm.scaffold import create
from cm.workspace import Workspace, open_workspace

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
"""Monday 09:00 in Paris."""

SANDBOX = {"platform": "facebook", "adapter": "sandbox"}
QUICK = {"send_deadline": 4, "lease": 12, "settle": 4, "backoff": [60, 120, 300]}
"""Timings short enough for tests that wait for them."""


def channel(account: str, **given: Any) -> dict[str, Any]:
    """A channel of the configuration; a sandbox unless told otherwise."""
    return {
        **SANDBOX,
        "account": account,
        "address": f"https://example.org/{account}",
        "owner": "jo",
        "purpose": "tests",
        "opened_on": "2020-01-01",
        "audiences": ["public"],
        "cadence": {"min": 0, "max": 100},
        "spacing": 0,
        "backlog": False,
        **given,
    }


def make_workspace(root: Path, channels: dict[str, dict[str, Any]], **settings: Any) -> Path:
    """A workspace with these channels."""
    create(root, empty=True)
    config = {
        "establishment": {"key": "t", "name": "Test Hospital"},
        "people": {"jo": {"name": "Jo", "roles": ["community_manager"]}},
        "publishing": QUICK,
        "channels": channels,
        **settings,
    }
    (root / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return root


@dataclass
class Desk:
    """One opened workspace under a settable clock."""

    root: Path
    clock: SettableClock
    workspace: Workspace

    @property
    def env(self) -> Env:
        return self.workspace.env

    @property
    def platform(self) -> SandboxPlatform:
        return SandboxPlatform(self.root)

    def add(self, text: str, *, to: str = "fb", minutes: float = 0, **given: Any) -> str:
        """Plan a post that many minutes from now; gives its id."""
        over = given.pop("over", None)
        wall = (self.clock.now() + timedelta(minutes=minutes)).astimezone(self.env.zone).replace(tzinfo=None)
        new = new_post(channel=to, kind=given.pop("kind", "announcement"), text=text, wall=wall, **given)
        return telling.tell(self.env, [new], over=over)[0].id

    def tick(self, *, minutes: float = 0) -> RunResult:
        """Let time pass, then run the engine as cron does."""
        self.clock.advance(timedelta(minutes=minutes))
        return engine.publish(self.env, self.workspace.adapter, self.workspace.stamp)

    def show(self, ident: str) -> PostView:
        return posts.show(self.env, ident)

    def state(self, ident: str) -> str:
        return self.show(ident).state.value

    def texts(self, account: str = "page") -> list[str]:
        """What stands on the pretend platform, in order."""
        return [post.text for post in self.platform.posts(account)]

    def row(self, ident: str) -> Post:
        with self.env.store.read() as session:
            return session.get_one(Post, int(ident[1:]))

    def attempts(self) -> list[Attempt]:
        with self.env.store.read() as session:
            return list(session.exec(select(Attempt).order_by(Attempt.id)))

    def close(self) -> None:
        self.workspace.close()


def open_desk(root: Path, at: datetime = START) -> Desk:
    """The workspace under a clock that stands at `at`."""
    clock = SettableClock(at)
    opened = open_workspace(root, as_system=True)
    return Desk(root, clock, Workspace(root, opened.config, replace(opened.env, clock=clock), opened.stamp))


def cm(*args: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cm", *args],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
