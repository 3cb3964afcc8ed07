"""What one run of the engine did, for the terminal, for `--json` and for the exit code."""

import sys
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from cm.errors import CmError
from cm.model.ids import post_id
from cm.model.tables import Post
from cm.publishing.accounts import ENDED_BY_CHECK

LISTS = ("published", "handed", "failed", "unconfirmed", "missed", "deferred", "held")


@dataclass(frozen=True, slots=True)
class Entry:
    """One post in one of the lists."""

    id: str
    ref: str | None
    channel: str
    remote_id: str | None = None
    permalink: str | None = None
    reason: str | None = None


class Stopped(NamedTuple):
    """A channel that a person must set going again. `kind`: that of its pause (see `Account.pause_kind`)."""

    channel: str
    reason: str
    kind: str = "auth"

    @property
    def mend(self) -> str:
        """The command that sets it going again."""
        return f"cm channel {'check' if self.kind in ENDED_BY_CHECK else 'resume'} {self.channel}"


@dataclass
class RunResult:
    """Filled by several threads.

    Lists: `deferred` posts are tried again by themselves, `held` ones wait for a person or a change. `errors`:
    accounts that could not be worked; `bugs`: those that met one of ours; `stopped`: newly stopped channels.
    """

    lists: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in LISTS})
    errors: list[tuple[str, CmError]] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    bugs: list[tuple[str, str]] = field(default_factory=list)
    network_trouble: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self,
        name: str,
        post: Post,
        *,
        reason: str | None = None,
        remote_id: str | None = None,
        permalink: str | None = None,
    ) -> None:
        """Put a post into the list `name`; it stands in one list only, the last one it came to."""
        entry = Entry(post_id(post.id), post.ref, sys.intern(post.channel), remote_id, permalink, reason)
        with self._lock:
            for entries in self.lists.values():
                entries.pop(entry.id, None)
            self.lists[name][entry.id] = entry

    def stop(self, channel: str, reason: str, kind: str = "auth") -> None:
        """A channel was stopped until a person acts; `kind` is that of the account's pause."""
        with self._lock:
            self.stopped.append(Stopped(channel, reason, kind))

    def bug(self, channel: str, kind: str) -> None:
        """An account met an error that nobody foresaw; its trace is in the log."""
        with self._lock:
            self.bugs.append((channel, kind))

    def trouble(self) -> None:
        """The network or a platform failed somewhere; it will be tried again."""
        self.network_trouble = True

    def fail(self, channel: str, error: CmError) -> None:
        """An account could not be worked."""
        with self._lock:
            self.errors.append((channel, error))

    def merge(self, later: "RunResult") -> None:
        """Take over what a later run did; a post stands where it came to last."""
        for name, entries in later.lists.items():
            for key, entry in entries.items():
                for mine in self.lists.values():
                    mine.pop(key, None)
                self.lists[name][key] = entry
        self.errors += later.errors
        self.stopped += later.stopped
        self.bugs += later.bugs
        self.network_trouble = self.network_trouble or later.network_trouble

    @property
    def exit_code(self) -> int:
        """The first that applies of 1, 3, 7, 6, 4, else 0 (design: exit codes)."""
        if self.bugs:
            return 1
        if self.errors:
            return 3
        if self.lists["unconfirmed"] or self.lists["missed"] or self.lists["failed"] or self.stopped:
            return 7
        if self.network_trouble:
            return 6
        return 4 if self.lists["held"] else 0

    @property
    def quiet(self) -> bool:
        """Nothing happened that anybody would want to read."""
        return not (self.errors or self.bugs or self.stopped or any(self.lists.values()))

    def as_json(self) -> dict[str, Any]:
        """The shape of `cm publish --json`."""
        shape: dict[str, Any] = {
            name: [asdict(entry) for entry in entries.values()] for name, entries in self.lists.items()
        }
        shape["stopped"] = [stopped._asdict() for stopped in self.stopped]
        shape["bugs"] = [{"channel": channel, "kind": kind} for channel, kind in self.bugs]
        shape["errors"] = [
            {"channel": channel, "message": error.message, "hint": error.hint} for channel, error in self.errors
        ]
        return shape
