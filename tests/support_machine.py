"""For the machine of test_publish_machine.py: the house that it wrecks, and a saboteur of workers."""

import logging
import sqlite3
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from support_publish import START, Desk, channel, make_workspace, open_desk

from cm.publishing.hold_file import path_of

CHANNELS = {
    "keys": channel("page"),
    "point": channel("photos", settings={"honour_keys": False, "finds": "point"}),
    "lists": channel("press", settings={"honour_keys": False}),
    "again": channel("news", settings={"honour_keys": False}, resend_when_absent=True),
    "blind": channel("club", settings={"honour_keys": False, "finds": "none"}),
    "calm": channel("calm", spacing=15, backlog=True, cadence={"min": 0, "max": 3}),
}
"""Platforms of every kind: keys honoured; the others make a copy of what is sent blindly again. Of those one can be
asked by our own key, two list what stands there (one is sent to again where two listings lack it), one tells nothing.
The last one honours keys, keeps its posts apart and bears no flood."""
SURE = ("keys", "point", "calm")
"""Channels on which a lost answer is settled without a person."""
ACCOUNTS = {name: str(configured["account"]) for name, configured in CHANNELS.items()}
TIMINGS = {"send_deadline": 60, "lease": 180, "settle": 120, "backoff": [50, 100, 150]}
"""The real ones, but for the back-off: no ± 20 % of a wait reaches over a full minute, so that an example is the same
each time, though the workers of several accounts draw their jitter in any order."""
SETTLED = 3
"""Minutes after which a sending in doubt is looked for."""

SENDING = ("locked", "claimed", "preparing", "prepared", "sending", "answered", "recorded")
SETTLING = ("looking", "looked", "settled")
STAGES = SENDING + SETTLING
Act = Literal["die", "freeze"]


class Crash(BaseException):
    """The worker died."""


class Saboteur(logging.Filter):
    """Lets the worker of one channel die at a stage, or stand still there, once it is armed.

    A crash is a BaseException: database and platform stay as a dead worker leaves them. A filter, since a handler
    would hold its lock meanwhile, and with it every other worker.
    """

    def __init__(self, channels: Mapping[str, str]) -> None:
        """`channels`: of each post by its id, as the machine knows them."""
        super().__init__()
        self._channels = channels
        self._armed: tuple[str, str] | None = None
        self._act: Act = "die"
        self.struck: list[tuple[Act, str]] = []
        self.frozen, self._thaw = threading.Event(), threading.Event()

    def arm(self, act: Act, channel: str, stage: str) -> None:
        self._act, self._armed = act, (channel, stage)
        self.frozen.clear()
        self._thaw.clear()

    def disarm(self) -> None:
        self._armed = None

    def thaw(self) -> None:
        self._thaw.set()

    def filter(self, record: logging.LogRecord) -> bool:
        told: dict[str, Any] = vars(record)
        where = told.get("channel") or self._channels.get(f"p{told.get('post')}")
        if self._armed == (where, record.getMessage()):
            self._armed = None
            self.struck.append((self._act, record.getMessage()))
            if self._act == "die":
                raise Crash
            self.frozen.set()
            self._thaw.wait()
        return True


class House:
    """A workspace with two doors, each with its own connections, under one clock. It is made once and emptied for each
    example: so the statements are compiled once."""

    def __init__(self) -> None:
        # in memory if this machine has such a place: fsync costs nothing there
        memory = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(prefix="cm-machine-", dir=memory if memory.is_dir() else None)
        root = make_workspace(Path(self._folder.name, "w"), CHANNELS, publishing=TIMINGS)
        one, other = open_desk(root), open_desk(root)
        workspace = replace(other.workspace, env=replace(other.env, clock=one.clock))
        self.desks = one, Desk(root, one.clock, workspace)
        one.platform.count()  # its file comes with the first use
        self.db = sqlite3.connect(root / "cm.db", isolation_level=None)
        self._fresh = sqlite3.connect(":memory:")
        self.db.backup(self._fresh)
        self.db.execute("ATTACH ? AS there", (str(one.platform.path),))

    def empty(self) -> None:
        """As on its first day."""
        one = self.desks[0]
        self._fresh.backup(self.db)
        for table in ("post", "key", "fault", "wording", "late", "sqlite_sequence"):
            self.db.execute(f"DELETE FROM there.{table}")
        for path in (
            one.root / ".cm" / "heartbeat",
            *(one.root / ".cm" / "accounts").glob("*.json"),
            path_of(one.root),
        ):
            path.unlink(missing_ok=True)
        for desk in self.desks:
            desk.env.signals.hold.clear()
        one.clock.set(START)

    def close(self) -> None:
        self.db.close()
        self._fresh.close()
        for desk in self.desks:
            desk.close()
        self._folder.cleanup()


@cache
def house() -> House:
    """The one of this process."""
    return House()
