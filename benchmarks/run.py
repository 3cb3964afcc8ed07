"""`make bench`: whole commands beside a bare interpreter, in turn, in one run.

Every pair is one start of `python -c pass` and one of the command, so that a machine that slows down slows
both. Printed are the median of the ratios and their spread (first and third quartile), over 21 pairs.
Run it with a compiled tree (`make` does that): without bytecode every start is two to three times slower.
"""

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

PAIRS = 21
SLEEPERS = 500
BARE = [sys.executable, "-c", "pass"]
BUDGETS = {
    "cm --version": 3,
    "cm publish, idle": 3,
    "cm publish, 500 refused posts": 3,
    "cm --help": 9,
    "cm": 60,
    "cm week": 60,
    "cm post list (110 posts)": 60,
    "cm find (110 posts)": 60,
    "cm report week": 60,
}


def seconds(command: Sequence[str], cwd: Path) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def ratios(command: Sequence[str], cwd: Path) -> list[float]:
    """Command over bare interpreter, pair by pair; one pair first that does not count."""
    found = []
    for n in range(PAIRS + 1):
        bare, ours = seconds(BARE, cwd), seconds(command, cwd)
        if n:
            found.append(ours / bare)
    return found


def peak_mib(command: Sequence[str], cwd: Path) -> float:
    """Largest resident size of one run, in MiB, as the operating system reports it for the finished child."""
    probe = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, stderr=-3);" + (
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", probe, *command], cwd=cwd, capture_output=True, text=True, check=True
    )
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return int(answer.stdout) / unit


def cm(*args: str) -> list[str]:
    """The installed command, as cron starts it."""
    script = Path(sys.executable).with_name("cm")
    return [str(script) if script.exists() else sys.executable, *([] if script.exists() else ["-m", "cm"]), *args]


def example(folder: Path) -> None:
    """The example workspace."""
    subprocess.run(cm("init", str(folder)), check=True, capture_output=True)


def refused_backlog(folder: Path) -> None:
    """500 example posts that are due on a channel that is real: the gate refuses every one of them."""
    example(folder)
    config = folder / "config.yaml"
    simulated = "platform: facebook\n    adapter: sandbox"
    real = "platform: mastodon\n    settings: {server: 'http://127.0.0.1:9'}\n    token: env:CM_NO_TOKEN"
    config.write_text(config.read_text(encoding="utf-8").replace(simulated, real), encoding="utf-8")
    due = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.000000")
    with sqlite3.connect(folder / "cm.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(post)")]
        names = ", ".join(name for name in columns if name not in ("id", "ref", "story_id"))
        missing = SLEEPERS - database.execute("SELECT count(*) FROM post WHERE channel = 'facebook'").fetchone()[0]
        for _ in range(missing):
            database.execute(
                f"INSERT INTO post ({names}) SELECT {names} FROM post WHERE channel = 'facebook' ORDER BY id LIMIT 1"
            )
        database.execute("UPDATE post SET scheduled_at = ?, wake_at = ? WHERE channel = 'facebook'", (due, due))
        database.execute("UPDATE post SET state = 'cancelled', wake_at = NULL WHERE channel <> 'facebook'")
    database.close()
    first = subprocess.run(cm("publish"), cwd=folder, capture_output=True, text=True, check=False)
    refused = first.stderr.count("example posts go out on simulated channels only")
    if refused != SLEEPERS:
        raise SystemExit(f"the gate refused {refused} of {SLEEPERS} posts:\n{first.stderr[-2000:]}")


def report(name: str, command: Sequence[str], cwd: Path) -> None:
    """One line of the table."""
    found = ratios(command, cwd)
    low, middle, high = statistics.quantiles(found, n=4)
    budget = f"{BUDGETS[name]}×" if name in BUDGETS else ""
    print(f"{name:32} {middle:6.1f}× {low:6.1f} – {high:4.1f}  {peak_mib(command, cwd):6.1f} MiB  {budget:>4}")


def main() -> None:
    """Print machine, versions and the table."""
    os.environ["CM_LANG"] = "en"  # so that `refused_backlog` can count answers
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(f"{versions}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"{PAIRS} pairs each; ratio to `python -c pass`: median, quartiles; peak memory; budget\n")
    with tempfile.TemporaryDirectory(prefix="cm-bench-") as scratch:
        idle, backlog = Path(scratch) / "idle", Path(scratch) / "backlog"
        example(idle)
        subprocess.run(cm("publish"), cwd=idle, check=True, capture_output=True)
        refused_backlog(backlog)
        report("cm --version", cm("--version"), idle)
        report("cm publish, idle", cm("publish"), idle)
        report("cm publish, 500 refused posts", cm("publish"), backlog)
        report("cm --help", cm("--help"), idle)
        report("cm", cm(), idle)
        report("cm week", cm("week"), idle)
        report("cm post list (110 posts)", cm("post", "list"), idle)
        report("cm find (110 posts)", cm("find", "hopital"), idle)
        report("cm report week", cm("report", "week"), idle)
    print(f"\nbare interpreter: {peak_mib(BARE, Path.cwd()):.1f} MiB")


if __name__ == "__main__":
    sys.exit(main())
