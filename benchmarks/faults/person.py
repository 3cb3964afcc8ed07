"""A person who comes in the morning: counts what cm asks of them, looks at the platforms, and settles it."""

import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.faults.crew import Told
from benchmarks.faults.workspace import ROOT, Bench

PUT_BACK = "the database was put back"
"""What the reason of a post says that may have been sent after the backup."""
LOOK_FIRST = "may be on the platform"
"""What the reason of a post says that failed although it may stand."""


@dataclass
class Asked:
    """What a person was asked, by message id or post id."""

    unconfirmed: set[int] = field(default_factory=set)
    restored: set[int] = field(default_factory=set)
    """Messages that may have been sent after the backup: `cm db reconcile` could not tell."""
    failed: dict[int, str] = field(default_factory=dict)
    missed: dict[int, str] = field(default_factory=dict)

    @property
    def touched(self) -> set[int]:
        """Posts that went on by hand."""
        return self.failed.keys() | self.missed.keys()


class Person:
    """At a terminal of the machine."""

    def __init__(self, bench: Bench, told: Told) -> None:
        self.bench, self.told, self.asked = bench, told, Asked()
        self.kind = {account.name: account.kind for account in bench.plan.accounts}
        self.process = subprocess.Popen(
            [*bench.launcher(), "--serve"],
            env={**bench.environment, "CM_ACTOR": "jo"},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Go home."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)

    def cm(self, *arguments: str) -> tuple[int, str, str]:
        """One command: exit code, output, errors."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(["-C", str(self.bench.root), *arguments]) + "\n")
        self.process.stdin.flush()
        code, out, err = json.loads(self.process.stdout.readline())
        return code, out, err

    def must(self, *arguments: str) -> None:
        """A command that has to work."""
        code, out, err = self.cm(*arguments)
        if code not in (0, 6, 7):
            self.told.trouble(f"cm {' '.join(arguments)} ended with {code}: {err or out}")

    def settle(self, truth: dict[str, Any]) -> int:
        """Answer all that cm asks; gives how many posts that were."""
        states = self.bench.rows(
            "SELECT id, channel, state, reason FROM post WHERE state IN ('unconfirmed', 'failed', 'missed')"
        )
        known = {
            (row["channel"], row["remote_id"])
            for row in self.bench.rows(
                "SELECT post.channel, receipt.remote_id FROM receipt"
                " JOIN message ON message.id = receipt.message_id JOIN post ON post.id = message.post_id"
            )
        }
        free: dict[tuple[str, str], list[int]] = {}
        for status in truth["statuses"]:
            if not status["gone"] and (status["account"], str(status["id"])) not in known:
                free.setdefault((status["account"], status["text"]), []).append(status["id"])
        for post in states:
            if post["state"] == "unconfirmed":
                self._confirm(post["id"], post["channel"], post["reason"] or "", free)
            else:
                kept = self.asked.failed if post["state"] == "failed" else self.asked.missed
                kept.setdefault(post["id"], post["reason"] or "")
                self._again(post["id"], post["channel"], post["reason"] or "", free)
        return len(states)

    def _again(self, post: int, account: str, reason: str, free: dict[tuple[str, str], list[int]]) -> None:
        """Try it again; where cm cannot look first, the person does, and says so if it stands there."""
        there = free.get((account, self._first(post)[1]), [])
        if LOOK_FIRST in reason and self.kind[account] == "neither" and there:
            self._is_there(post, account, there)
        else:
            self.must("post", "retry", f"p{post}", "--over", "campaign")

    def _confirm(self, post: int, account: str, reason: str, free: dict[tuple[str, str], list[int]]) -> None:
        """What stands on the account's page with these words, and is not known to be another post, is this one."""
        message, text = self._first(post)
        (self.asked.restored if PUT_BACK in reason else self.asked.unconfirmed).add(message)
        there = free.get((account, text), [])
        if there:
            self._is_there(post, account, there)
        else:
            self.must("post", "confirm", f"p{post}", "--not-published")

    def _is_there(self, post: int, account: str, there: list[int]) -> None:
        server = self.bench.urls[next(a.server for a in self.bench.plan.accounts if a.name == account)]
        self.must("post", "confirm", f"p{post}", "--url", f"{server}/@{account}/{there.pop(0)}")

    def _first(self, post: int) -> tuple[int, str]:
        """The post's first message that is not out: its id, and its words as they would stand there."""
        row = self.bench.rows(
            "SELECT id, text, link FROM message WHERE post_id = ? AND id NOT IN (SELECT message_id FROM receipt)"
            " ORDER BY n LIMIT 1",
            post,
        )[0]
        return row["id"], as_sent(row["text"], row["link"])

    def reasons(self) -> Counter[str]:
        """Why posts failed."""
        return Counter(self.asked.failed.values())


def as_sent(text: str, link: str | None) -> str:
    """The words as they stand on the platform."""
    return text if not link or link in text else f"{text}\n{link}"
