"""`python -m benchmarks.publishing [--memory [POSTS] | --profile]`: 1,000 due posts on 20 accounts, beside bare httpx.

Ours is one run of the engine with its full journal (two commits with `synchronous=FULL` and a fsynced file for each
post) in a process that has loaded everything; bare is a loop that only posts: as many threads, a connection for each
account, in order within an account. The server is that of the fault campaign without faults, in a process of its own.
They take turns; told is the median of bare's time over ours in three pairs. Budget (design): 0.9 where the server takes
100 ms, with 8 threads and with 20; 0.3 where it takes none.

--memory   publishes 100,000 posts through an adapter that does nothing, and tells the resident size as it goes.
--profile  tells where the processor's time goes, in one thread.
"""

import argparse
import cProfile
import io
import json
import os
import platform
import pstats
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.clock import Clock
from benchmarks.faults.plan import Account, Plan, Planned
from benchmarks.faults.workspace import ROOT, Bench, make_workspace

POSTS, ACCOUNTS, PAIRS = 1000, 20, 3
CASES = ((0.1, 8, 0.9), (0.1, 20, 0.9), (0.0, 8, 0.3))
"""Seconds that the server takes, threads, and the budget."""


def make_plan(count: int, accounts: int) -> Plan:
    """Plain posts, dealt out in turn, all of them due."""
    known = tuple(Account(f"keys{n:02d}", "keys", "server") for n in range(accounts))
    posts = tuple(
        Planned(f"post-{n}", known[n % accounts].name, n * 60 // count, (f"Post {n}: le marché de Noël de l'hôpital",))
        for n in range(count)
    )
    return Plan(0, known, posts, (), ())


@contextmanager
def server(folder: Path, plan: Plan, latency: float) -> Iterator[str]:
    """A fresh server that takes so long; gives its address."""
    plan.save(folder / "plan.json")
    clock = Clock(folder / "clock")
    command = [sys.executable, "-m", "benchmarks.faults.server", str(folder / "plan.json"), str(clock.file), "--calm"]
    command += ["--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["server"]
        finally:
            process.kill()


# --- the two sides, each in a process of its own ----------------------------------------------------------------------


def bare(plan: Plan, url: str, threads: int) -> float:
    """Seconds that the loop takes."""

    def account(each: Account) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {each.token}"}, trust_env=False) as client:
            for post in [post for post in plan.posts if post.account == each.name]:
                answer = client.post("/api/v1/statuses", json={"status": post.parts[0], "visibility": "public"})
                answer.raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(account, plan.accounts))
    return time.perf_counter() - began


def ours(root: Path, threads: int, adapter_of: Callable[[str], Any] | None = None) -> float:
    """Seconds that one run of the engine takes for all that is due."""
    from cm.publishing import engine
    from cm.workspace import open_workspace

    engine.THREADS = threads
    opened = open_workspace(root, as_system=True)
    began = time.perf_counter()
    result = engine.publish(opened.env, adapter_of or opened.adapter, opened.stamp)
    spent = time.perf_counter() - began
    told = {name: len(entries) for name, entries in result.lists.items() if entries}
    opened.close()
    if set(told) != {"published"}:
        raise SystemExit(f"not everything was published: {told} {result.errors[:2]} {result.bugs[:2]}")
    return spent


def child(side: str, given: argparse.Namespace) -> None:
    """Run one side and print its seconds."""
    if side == "bare":
        print(bare(Plan.load(given.plan), given.url, given.threads))
    else:
        import cm.channels.mastodon.adapter
        import cm.publishing.engine  # noqa: F401  what is measured is the run, not the interpreter's start

        print(ours(given.root, given.threads))


# --- side by side -----------------------------------------------------------------------------------------------------


def in_child(side: str, bench: Bench, url: str, threads: int) -> float:
    """Seconds of one side in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.publishing", "--side", side, "--threads", str(threads), "--url", url]
    command += ["--root", str(bench.root), "--plan", str(bench.folder / "plan.json")]
    done = subprocess.run(command, cwd=ROOT, env=bench.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def measure(side: str, latency: float, threads: int) -> float:
    """Seconds of one side, with a server and (ours) a workspace of its own."""
    plan = make_plan(POSTS, ACCOUNTS)
    with tempfile.TemporaryDirectory(prefix="cm-publishing-") as scratch:
        folder = Path(scratch)
        with server(folder, plan, latency) as url:
            bench = Bench(folder, plan, Clock(folder / "clock"), {"server": url})
            if side == "ours":
                make_workspace(bench)
            return in_child(side, bench, url, threads)


def compare() -> None:
    """Print the ratios."""
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{POSTS} posts on {ACCOUNTS} accounts, {PAIRS} pairs; {machine}")
    for latency, threads, budget in CASES:
        pairs = []
        for number in range(PAIRS):
            order = ("bare", "ours") if number % 2 == 0 else ("ours", "bare")
            pairs.append({side: measure(side, latency, threads) for side in order})
        ratios = sorted(pair["bare"] / pair["ours"] for pair in pairs)
        seconds = {side: statistics.median(pair[side] for pair in pairs) for side in ("bare", "ours")}
        print(
            f"server {latency * 1000:3.0f} ms, {threads:2} threads: bare {seconds['bare']:6.2f} s, ours "
            f"{seconds['ours']:6.2f} s, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}; "
            f"budget {budget})"
        )


# --- memory and profile -----------------------------------------------------------------------------------------------


def null_adapters(every: int) -> Callable[[str], Any]:
    """Adapters that do nothing; each `every` sendings the resident size is told."""
    from cm.channels.port import AccountInfo, Capabilities, Identity, NoSettings, Outgoing, Prepared, Receipt
    from cm.clock import SystemClock

    clock, lock, count = SystemClock(), threading.Lock(), 0

    class Null:
        Settings = NoSettings
        capabilities = Capabilities(platform="mastodon")

        def __init__(self, name: str) -> None:
            self.name = name

        def identity(self) -> Identity:
            return Identity("mastodon", "127.0.0.1", self.name)

        def check(self) -> AccountInfo:
            return AccountInfo(self.name, self.name, 3600)

        def prepare(self, message: Outgoing, _saved: Any) -> Prepared:
            return Prepared({"status": message.text})

        def send(self, _prepared: Prepared, *, key: str) -> Receipt:
            nonlocal count
            with lock:
                count += 1
                if count % every == 0:
                    print(f"{count:7} posts  {resident():6.1f} MiB", flush=True)
            return Receipt(key, None, clock.now())

        def close(self) -> None:
            """Nothing is open."""

    made: dict[str, Null] = {}
    return lambda name: made.setdefault(name, Null(name))


def resident() -> float:
    """MiB of this process, now (where /proc tells it; else at the most so far)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@contextmanager
def local_workspace(count: int, accounts: int) -> Iterator[Bench]:
    """A workspace whose posts go nowhere; its state files lie in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="cm-publishing-") as scratch:
        folder = Path(scratch)
        bench = Bench(folder, make_plan(count, accounts), Clock(folder / "clock"), {"server": "http://127.0.0.1:9"})
        make_workspace(bench)
        before = dict(os.environ)
        os.environ.update(bench.environment)
        try:
            yield bench
        finally:
            os.environ.clear()
            os.environ.update(before)


def memory(count: int) -> None:
    """Publish them all in one run, and tell the size as it goes."""
    with local_workspace(count, 100) as bench:
        print(f"{count} posts on 100 accounts; {shutil.disk_usage(bench.folder).free >> 30} GiB free")
        spent = ours(bench.root, 8, null_adapters(max(1, count // 20)))
        print(f"{spent:.0f} s, {spent / count * 1000:.1f} ms a post, at the most {peak():.1f} MiB")


def peak() -> float:
    """MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


class Inline:
    """In place of the thread pool: one thread, so that the profiler sees all."""

    def __init__(self, *_given: object, **_named: object) -> None: ...

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_given: object) -> None: ...

    def submit(self, call: Callable[..., Any], *given: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call(*given))
        return done


def profile() -> None:
    """Print where the time goes for 1,000 posts through an adapter that does nothing."""
    from cm.publishing import engine

    engine.ThreadPoolExecutor = Inline  # type: ignore[assignment,misc]
    with local_workspace(POSTS, ACCOUNTS) as bench:
        watched = cProfile.Profile()
        spent = watched.runcall(ours, bench.root, 1, null_adapters(POSTS))
    out = io.StringIO()
    told = pstats.Stats(watched, stream=out).strip_dirs()
    told.sort_stats("tottime").print_stats(25)
    told.sort_stats("cumtime").print_stats(40)
    print(f"{spent / POSTS * 1000:.1f} ms a post under the profiler")
    print(out.getvalue())


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing")
    parser.add_argument("--memory", type=int, nargs="?", const=100_000, metavar="POSTS")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--side", choices=("bare", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--plan", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        child(given.side, given)
    elif given.memory:
        memory(given.memory)
    elif given.profile:
        profile()
    else:
        compare()


if __name__ == "__main__":
    main()
