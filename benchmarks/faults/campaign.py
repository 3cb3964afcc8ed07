"""The course of one campaign: the crew works, things break at their time, at the end a person comes."""

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.faults.crew import Crew, Told
from benchmarks.faults.person import Person
from benchmarks.faults.verdict import Court
from benchmarks.faults.workspace import Bench, make_workspace

ROUNDS = 8
"""So often a person comes back at the most."""
SLEEPS_LONG = 1800
"""Seconds: who sleeps longer waits for a person."""
STEP = 240
"""Seconds that the world skips at once: less than the ten minutes after which a tick is missed."""
PATIENCE = 90
"""Real seconds without any post coming to rest after which the campaign is given up."""


class Stuck(Exception):
    """Posts that neither rest nor move."""


@dataclass
class Campaign:
    """One workspace against all of it."""

    bench: Bench
    truth: Callable[[], dict[str, Any]]
    restore: bool = True
    told: Told = field(default_factory=Told)

    def run(self) -> dict[str, Any]:
        """Everything; gives the figures."""
        make_workspace(self.bench)
        self.crew, self.person = Crew(self.bench, self.told), Person(self.bench, self.told)
        began, self.stormed = time.monotonic(), 0.0
        self.crew.start()
        try:
            self._storm()
            self.stormed = time.monotonic() - began
            self._aftermath()
        except Stuck as error:
            self.told.trouble(str(error))
        finally:
            self.crew.stop()
            self.person.close()
        verdict = Court(self.bench, self.truth(), self.person.asked).judge()
        return {
            **verdict.as_json(),
            "evidence": verdict.evidence,
            "troubles": self.told.troubles,
            "counts": dict(self.told.counts),
            "reasons": dict(self.person.reasons()),
            "seconds": round(time.monotonic() - began, 1),
            "storm_seconds": round(self.stormed, 1),
        }

    def _storm(self) -> None:
        """Until every post rests, or sleeps until a person acts."""
        events = self._events()
        while not self._is_quiet():
            progress = self._progress()
            while events and events[0][0] <= progress:
                events.pop(0)[1]()
            time.sleep(0.2)
        for _at, event in events:
            event()
        while not self._is_quiet():
            time.sleep(0.2)

    def _events(self) -> list[tuple[float, Callable[[], None]]]:
        """What happens when that share of the posts rests."""
        chance = random.Random(f"events {self.bench.plan.seed}")
        crew, backup = self.crew, self.bench.folder / "backup.db"
        large = len(self.bench.plan.posts) > 2000
        found: list[tuple[float, Callable[[], None]]] = [
            (0.15, crew.fill_disk),
            (0.30, lambda: crew.lock_database(33 if large else 3)),
            (0.88, crew.great_jump),
        ]
        if self.restore:
            found += [(0.40, lambda: crew.back_up(backup)), (0.55, lambda: self._restore(backup))]
        position = {(p.account, p.statuses[0]): n for n, p in enumerate(self.bench.plan.posts)}
        for account, text in self.bench.plan.by_hand:
            near = position[account, text] / len(position) + chance.uniform(-0.1, 0.1)
            found.append((near, lambda account=account, text=text: crew.colleague(account, text)))  # type: ignore[misc]
        return sorted(found, key=lambda each: each[0])

    def _restore(self, backup: Any) -> None:
        self.crew.restore(backup)
        refused = self.bench.cm("publish", "--json")
        if refused.returncode != 3:
            self.told.trouble(f"a restored backup went unnoticed: {refused.returncode} {refused.stdout[:500]}")
        silent = self._reconcile()
        for _ in range(12):  # a channel whose platform does not answer is looked at again
            silent = [channel for name in silent for channel in self._reconcile("--channel", name)]
        if silent:
            self.told.trouble(f"cm db reconcile never came to {', '.join(silent)}")
        self.crew.rest.clear()

    def _reconcile(self, *which: str) -> list[str]:
        """Look once; gives the channels whose platform did not answer."""
        looked = self.bench.cm("db", "reconcile", "--yes", "--json", *which)
        if looked.returncode not in (0, 6, 7):
            self.told.trouble(f"cm db reconcile ended with {looked.returncode}: {looked.stderr}")
            return []
        return [each["channel"] for each in json.loads(looked.stdout)["channels"] if each["error"]]

    def _progress(self) -> float:
        row = self.bench.rows("SELECT avg(state NOT IN ('scheduled', 'publishing')) AS share FROM post")[0]
        return float(row["share"])

    def _is_quiet(self) -> bool:
        """True if all rests; lets time pass where all sleep."""
        row = self.bench.rows(
            "SELECT count(*) AS n, min(wake_at) AS wake FROM post WHERE state IN ('scheduled', 'publishing')"
        )[0]
        self._say(row["n"])
        if row["n"] == 0:
            return True
        if row["wake"] is None or self.crew.rest.is_set():
            return row["wake"] is None
        wake = datetime.fromisoformat(row["wake"]).replace(tzinfo=UTC).timestamp()
        ahead = wake - self.bench.clock.machine()
        if ahead > SLEEPS_LONG:
            return True
        if ahead > 3:
            self.bench.clock.skip(min(ahead - 0.5, STEP))
            self.told.counts["seconds skipped"] += int(min(ahead - 0.5, STEP))
            time.sleep(1.5)  # both crons come by
        return False

    def _say(self, left: int) -> None:
        now = time.monotonic()
        if left < getattr(self, "_least", 1 << 30):
            self._least, self._since = left, now
        if now - self._since > PATIENCE:
            raise Stuck(f"nothing comes to rest any more: {left} posts left")
        if sys.stderr.isatty():
            print(f"\r{left:6} posts left ", end="", file=sys.stderr)

    def _aftermath(self) -> None:
        """The storm is over; a person comes, again and again, until nothing is asked any more."""
        self.crew.calm.set()
        self.bench.clock.set_error(0)
        for _ in range(ROUNDS):
            self.bench.clock.skip(60)  # by then every post is listed
            time.sleep(1)
            while not self._is_quiet():
                time.sleep(0.2)
            if not self.person.settle(self.truth()):
                break
            self._least = 1 << 30
