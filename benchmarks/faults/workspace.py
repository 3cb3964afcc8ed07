"""The workspace under test: one channel for each account, all posts planned by an import."""

import csv
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.faults.clock import Clock
from benchmarks.faults.plan import DEADLINE, SETTLE, Plan

ROOT = Path(__file__).resolve().parents[2]
GRACE = 3 * 24 * 60
"""Minutes: long, so that a post that is late because of the campaign's hurry is not given up."""
TIMINGS = {
    "send_deadline": DEADLINE,
    "lease": 3 * DEADLINE,
    "settle": SETTLE,
    "backoff": [0.3, 0.6, 1, 2],
    "attempts": 12,
}
PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 64
BEFORE = timedelta(hours=3)
"""The import is done under a clock that far back, so that all of the plan is due when the campaign begins."""
CALM = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy")


@dataclass(frozen=True)
class Bench:
    """Where everything lies. `urls`: server → address, and `desk`."""

    folder: Path
    plan: Plan
    clock: Clock
    urls: Mapping[str, str]

    @property
    def root(self) -> Path:
        """The workspace."""
        return self.folder / "workspace"

    @property
    def database(self) -> Path:
        return self.root / "cm.db"

    @property
    def environment(self) -> dict[str, str]:
        """A home of its own, the tokens, and no proxy."""
        kept = {name: value for name, value in os.environ.items() if name not in CALM and not name.startswith("CM_")}
        home = self.folder / "home"
        folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("STATE", "CACHE", "CONFIG", "DATA")}
        tokens = {_variable(account.name): account.token for account in self.plan.accounts}
        path = {"PYTHONPATH": str(ROOT), "HOME": str(home), "TZ": "UTC", "CM_LANG": "en", "COLUMNS": "120"}
        return {**kept, **folders, **tokens, **path}

    def launcher(self, stop: str = "-") -> list[str]:
        """What starts cm under the campaign's clock."""
        return [sys.executable, "-m", "benchmarks.faults.launcher", str(self.clock.file), stop]

    def arguments(self, *arguments: str) -> list[str]:
        """Of a command in this workspace."""
        return ["-C", str(self.root), *arguments]

    def cm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [*self.launcher(), *self.arguments(*arguments)],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """What the database says, asked from outside."""
        uri = f"{self.database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=60)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(statement, values).fetchall()


def _variable(account: str) -> str:
    return f"CM_FAULTS_{account.upper()}"


def make_workspace(bench: Bench) -> None:
    """The workspace with its channels and posts. Raises SystemExit if cm does not take them."""
    (bench.folder / "home").mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "cm", "init", "--empty", str(bench.root)],
        env=bench.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SystemExit(made.stderr)
    (bench.root / "config.yaml").write_text(yaml.safe_dump(_config(bench)), encoding="utf-8")
    (bench.root / "media" / "house.png").write_bytes(PICTURE)
    sheet = bench.folder / "plan.csv"
    _write_sheet(bench, sheet)
    bench.clock.set_error(-BEFORE.total_seconds())
    done = bench.cm("calendar", "import", str(sheet), "--over", "campaign", "--json")
    bench.clock.set_error(0)
    if done.returncode:
        raise SystemExit(f"the plan cannot be imported:\n{done.stderr[:2000]}")


def _config(bench: Bench) -> dict[str, Any]:
    channels = {
        account.name: {
            "platform": "mastodon",
            "adapter": "mastodon",
            "account": f"@{account.name}@{bench.urls[account.server].removeprefix('http://')}",
            "address": f"https://social.example/@{account.name}",
            "owner": "jo",
            "purpose": "fault campaign",
            "opened_on": "2020-01-01",
            "audiences": ["public"],
            "cadence": {"min": 0, "max": 100},
            "spacing": 0,
            "backlog": False,
            "grace": GRACE,
            "settings": {"server": bench.urls[account.server]},
            "token": f"env:{_variable(account.name)}",
        }
        for account in bench.plan.accounts
    }
    return {
        "timezone": "UTC",
        "language": "en",
        "establishment": {"key": "t", "name": "Test Hospital"},
        "people": {"jo": {"name": "Jo", "roles": ["community_manager"]}},
        "publishing": TIMINGS,
        "channels": channels,
    }


def _write_sheet(bench: Bench, file: Path) -> None:
    last = max(post.minute for post in bench.plan.posts) + 5
    start = datetime.fromtimestamp(bench.clock.world(), UTC) - timedelta(minutes=last)
    columns = ("ref", "channel", "date", "time", "kind", "text", "link", "media", "alt", "audiences", "language")
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(columns)
        for post in bench.plan.posts:
            at = start + timedelta(minutes=post.minute)
            media = ("house.png", "the house") if post.picture else ("", "")
            text = "\n---\n".join(post.parts)
            link = post.link or ""
            row = (post.ref, post.account, at.date(), f"{at:%H:%M}", "announcement", text, link, *media, "public", "fr")
            writer.writerow(row)
