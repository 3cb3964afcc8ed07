"""`make faults`, or `python -m benchmarks.faults --posts 600 --seed 1 [--json FILE]`."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults import table
from benchmarks.faults.campaign import Campaign
from benchmarks.faults.clock import Clock
from benchmarks.faults.naive import STRATEGIES
from benchmarks.faults.plan import Plan, make_plan
from benchmarks.faults.verdict import judge_naive
from benchmarks.faults.workspace import ROOT, Bench

MINUTES = 60
"""The plan's length: all of it is due when the campaign begins."""


@contextmanager
def servers(folder: Path, plan: Plan) -> Iterator[tuple[Clock, dict[str, str]]]:
    """The servers in a process of their own, with a clock of their own."""
    folder.mkdir()
    plan.save(folder / "plan.json")
    clock = Clock(folder / "clock")
    command = [sys.executable, "-m", "benchmarks.faults.server", str(folder / "plan.json"), str(clock.file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield clock, json.loads(process.stdout.readline())
        finally:
            process.kill()


def truth(urls: Mapping[str, str]) -> dict[str, Any]:
    """What really happened."""
    with urllib.request.urlopen(f"{urls['desk']}/truth") as answer:
        return dict(json.load(answer))


def run_naive(folder: Path, plan: Plan, name: str) -> dict[str, Any]:
    """One simple strategy to its end; the one without journal is killed now and then."""
    began, kills = time.monotonic(), 0
    chance = random.Random(f"naive {plan.seed}")
    done = folder / "done"
    with servers(folder, plan) as (_clock, urls):
        command = [sys.executable, "-m", "benchmarks.faults.naive", name, str(folder / "plan.json")]
        command += [json.dumps(urls), str(done)]
        while True:
            with subprocess.Popen(command, cwd=ROOT) as process:
                try:
                    process.wait(chance.uniform(2, 5) if "mark done" in name else None)
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                    continue
            break
        if process.returncode:
            raise SystemExit(f"the strategy {name!r} ended with {process.returncode}")
        found = truth(urls)
    marked = {(ref, int(part)) for ref, part in map(str.split, done.read_text().splitlines())}
    return {**judge_naive(plan, found, marked), "kills": kills, "seconds": round(time.monotonic() - began, 1)}


def run_cm(folder: Path, plan: Plan, *, restore: bool) -> dict[str, Any]:
    """The campaign itself."""
    with servers(folder, plan) as (clock, urls):
        bench = Bench(folder, plan, clock, urls)
        return Campaign(bench, lambda: truth(urls), restore=restore).run()


def main() -> int:
    """Run, print the table, give 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--no-restore", action="store_true", help="without the restored backup")
    parser.add_argument("--no-naive", action="store_true", help="without the simple strategies")
    parser.add_argument("--keep", type=Path, help="leave everything in this (new) folder")
    given = parser.parse_args()
    plan = make_plan(given.seed, given.posts, MINUTES)
    with tempfile.TemporaryDirectory(prefix="cm-faults-") as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        with ThreadPoolExecutor() as pool:
            simple = {
                name: pool.submit(run_naive, folder / f"naive-{number}", plan, name)
                for number, name in enumerate([] if given.no_naive else STRATEGIES)
            }
            ours = run_cm(folder / "cm", plan, restore=not given.no_restore)
            found = {"seed": given.seed, "cm": ours, "naive": {name: job.result() for name, job in simple.items()}}
    print(table.markdown(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    for line in found["cm"]["broken"][:40]:
        print(f"BROKEN (seed {given.seed}): {line}", file=sys.stderr)
    print(*found["cm"]["evidence"], *found["cm"]["troubles"], sep="\n", file=sys.stderr)
    return 1 if found["cm"]["broken"] or found["cm"]["troubles"] else 0


if __name__ == "__main__":
    sys.exit(main())
