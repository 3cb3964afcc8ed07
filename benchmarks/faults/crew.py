"""Those who work and those who break: two crons, a killer, a wrong clock, a colleague, a locked and a full disk."""

import json
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.nursery import Nursery, Process
from benchmarks.faults.plan import DEADLINE
from benchmarks.faults.workspace import Bench

CRONS = 2
PUBLISH = ("publish", "--json")
OWN_INTERPRETER = 0.1
"""Share of runs that are started as cron does; the others are forked, to save a second each."""
STAGES = ("claimed", "prepared", "sending", "answered", "recorded")
STAGE_STOPS = 0.3
"""Share of runs that are stopped at a stage; others may be hit at any instant."""
LEASE = 3 * DEADLINE
WRONG = 240.0
"""Seconds by which the machine's clock is wrong at the most, but for one great jump."""
EXPECTED = frozenset({0, 6, 7, -signal.SIGKILL})


@dataclass
class Told:
    """What happened, counted."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    """What cm said where it should have said nothing."""

    def trouble(self, text: str) -> None:
        if len(self.troubles) < 40:
            self.troubles.append(text[:1500])


class Crew:
    """Threads of the campaign; `calm` sends those who break home."""

    def __init__(self, bench: Bench, told: Told) -> None:
        self.bench, self.told = bench, told
        self.chance = random.Random(f"crew {bench.plan.seed}")
        self.calm, self.over, self.rest = threading.Event(), threading.Event(), threading.Event()
        self.disk_full = threading.Event()
        self.nursery = Nursery(bench)
        self.alive: dict[int, Process] = {}
        self.frozen: dict[int, float] = {}
        self.spared: set[int] = set()
        self.lock = threading.Lock()
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        """All to work."""
        for number in range(CRONS):
            self._begin(self._cron, number)
        for work in (self._kill, self._thaw, self._set_clock_wrong):
            self._begin(work)

    def _begin(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        thread.start()
        self.threads.append(thread)

    def stop(self) -> None:
        """All home; what runs may end."""
        self.over.set()
        with self.lock:
            for pid in self.alive:
                send(pid, signal.SIGCONT)
        for thread in self.threads:
            thread.join(120)
        self.nursery.close()

    # --- crons --------------------------------------------------------------------------------------------------------

    def _cron(self, number: int) -> None:
        chance = random.Random(f"cron {self.bench.plan.seed} {number}")
        while not self.over.is_set():
            if self.rest.is_set():
                time.sleep(0.05)
                continue
            stop = "-" if self.calm.is_set() else _stop(chance)
            self._publish(chance, stop)
            time.sleep(chance.uniform(0.1, 0.4))

    def _publish(self, chance: random.Random, stop: str) -> None:
        full = self.disk_full.is_set()
        self.disk_full.clear()
        if full:
            process = self.nursery.fork(*PUBLISH, room=self._room())
        elif chance.random() < OWN_INTERPRETER:
            process = self.nursery.start(*PUBLISH, stop=stop)
        else:
            process = self.nursery.fork(*PUBLISH, stop=stop)
        with self.lock:
            self.alive[process.pid] = process
            if full:
                self.spared.add(process.pid)
        process.ended.wait()
        with self.lock:
            del self.alive[process.pid]
            self.frozen.pop(process.pid, None)
            self.spared.discard(process.pid)
        self.told.counts["runs"] += 1
        self._judge(process.status or 0, process.said(), full)

    def _judge(self, code: int, said: str, full: bool) -> None:
        if code == -signal.SIGKILL:
            self.told.counts["killed"] += 1
        elif full:
            self.told.counts["full disks"] += 1
            self.told.counts["full disks noticed"] += code not in (0, 6, 7)
        elif code not in EXPECTED:
            with suppress(ValueError):
                result = json.loads(said)
                said = f"{result.get('bugs')} {result.get('errors')}"
            self.told.trouble(f"cm publish ended with {code}: {said}")

    def _room(self) -> int:
        """Files may grow no further than a part of the database's log."""
        log = Path(f"{self.bench.database}-wal")
        return max(100_000, int(log.stat().st_size * 0.6) if log.exists() else 0)

    # --- those who break ----------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        """kill -9 or SIGSTOP at any instant."""
        chance = random.Random(f"kill {self.bench.plan.seed}")
        while not self.over.is_set():
            time.sleep(chance.uniform(2, 6))
            if self.calm.is_set() or self.rest.is_set():
                continue
            with self.lock:
                pids = [pid for pid in self.alive if pid not in self.frozen and pid not in self.spared]
                if pids:
                    pid = chance.choice(pids)
                    send(pid, signal.SIGKILL if chance.random() < 0.6 else signal.SIGSTOP)

    def _thaw(self) -> None:
        """Who is frozen, by whatever, goes on after its lease is long over."""
        while not self.over.is_set():
            time.sleep(0.1)
            with self.lock:
                for pid in self.alive:
                    if pid not in self.frozen and _is_stopped(pid):
                        self.frozen[pid] = time.monotonic() + LEASE + self.chance.uniform(0.5, 2)
                        self.told.counts["frozen"] += 1
                for pid in [pid for pid, until in self.frozen.items() if until < time.monotonic()]:
                    del self.frozen[pid]
                    send(pid, signal.SIGCONT)

    def _set_clock_wrong(self) -> None:
        chance = random.Random(f"clock {self.bench.plan.seed}")
        while not self.over.is_set():
            time.sleep(chance.uniform(4, 10))
            if not self.calm.is_set():
                self.bench.clock.set_error(chance.choice((0, chance.uniform(-WRONG, WRONG))))
                self.told.counts["clock jumps"] += 1

    def great_jump(self) -> None:
        """The clock is wrong by twenty minutes; when it is put right, ten minutes passed without a tick."""
        self.bench.clock.set_error(-1200)
        time.sleep(2)
        self.bench.clock.set_error(0)
        self.told.counts["clock jumps"] += 2

    def colleague(self, account: str, text: str) -> None:
        """Writes the same text by hand."""
        body = json.dumps({"account": account, "text": text}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.bench.urls['desk']}/hand", body)).close()
        self.told.counts["by hand"] += 1

    def lock_database(self, seconds: float) -> None:
        """Another program has the database for itself, for so long."""

        def hold() -> None:
            with closing(sqlite3.connect(self.bench.database, timeout=60, isolation_level=None)) as database:
                database.execute("BEGIN EXCLUSIVE")
                time.sleep(seconds)
                database.execute("ROLLBACK")

        threading.Thread(target=hold, daemon=True).start()
        self.told.counts["database locked"] += 1

    def fill_disk(self) -> None:
        """The next run finds no room."""
        self.disk_full.set()

    # --- a backup -----------------------------------------------------------------------------------------------------

    def back_up(self, to: Path) -> None:
        """A copy of the database as it is now."""
        with (
            closing(sqlite3.connect(self.bench.database, timeout=60)) as source,
            closing(sqlite3.connect(to)) as target,
        ):
            source.backup(target)

    def restore(self, backup: Path) -> None:
        """The machine dies; a person puts the backup in place and lets cm look what became of what it forgot."""
        self.rest.set()
        while True:
            with self.lock:
                for pid in self.alive:
                    send(pid, signal.SIGKILL)
                if not self.alive:
                    break
            time.sleep(0.05)
        for suffix in ("-wal", "-shm"):
            Path(f"{self.bench.database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(backup, self.bench.database)
        self.bench.clock.set_error(0)
        self.bench.clock.skip(120)  # as long as it takes a person, at the least
        self.told.counts["restored"] += 1


def _stop(chance: random.Random) -> str:
    if chance.random() > STAGE_STOPS:
        return "-"
    return f"{chance.choice(STAGES)}:{chance.randint(1, 25)}:{chance.choice(('SIGKILL', 'SIGKILL', 'SIGSTOP'))}"


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process of ours, which may have ended just now."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
