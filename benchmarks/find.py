"""`python benchmarks/find.py [POSTS]`: `cm find` on many posts, beside a plain `LIKE` scan of the same database.

Every pair is one run of `cm find` and one of a bare interpreter that scans `post.text` with LIKE, in turn, in one run;
printed are the medians of seconds and ratios. The first search, which indexes everything, is told by itself.
Run it with a compiled tree, as `make bench` has it.
"""

import os
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from run import cm, example, peak_mib, seconds

POSTS = 100_000
PAIRS = 11
BUDGET_SECONDS = 1.5
SEARCHES = (["étudiantes"], ["etud"], ["au coeur", "hopital"], ["a"], ["zinzolin"], ["state:scheduled", "infirmieres"])
SPOKEN = (
    "journée portes ouvertes à l’hôpital venez découvrir nos équipes étudiantes infirmières gratuit jusqu’au décembre "
    "places limitées santé enfants familles prévention cœur école soignants merci à tous « bravo » — équipe 💙 au cœur"
)
SCAN = """
import sqlite3, sys
found = sqlite3.connect("cm.db").execute("SELECT id FROM post WHERE text LIKE ?", (f"%{sys.argv[1]}%",))
print(len(found.fetchall()))
"""


def fill(folder: Path, posts: int) -> None:
    """A calendar of that many posts: the rows of an example post with other words, on a day each."""
    chosen, words = random.Random(1), SPOKEN.split()
    first = date(2027, 1, 1)
    with sqlite3.connect(folder / "cm.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(post)")]
        own = {"id", "ref", "story_id", "text", "day", "scheduled_at", "wall", "wake_at"}
        shared = ", ".join(name for name in columns if name not in own)
        statement = (
            f"INSERT INTO post (ref, text, day, scheduled_at, wall, {shared})"
            f" SELECT ?, ?, ?, ?, ?, {shared} FROM post WHERE id = 1"
        )
        for number in range(posts):
            day = (first + timedelta(days=number // 10)).isoformat()
            text = f"{number} " + " ".join(chosen.choices(words, k=30))
            database.execute(statement, (f"b-{number}", text, day, f"{day} 08:00:00.000000", f"{day}T09:00"))
    database.close()


def main() -> None:
    """Print machine, versions and the table."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else POSTS
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(f"{versions}, {platform.machine()}, {os.cpu_count()} cores, {posts:,} posts")
    with tempfile.TemporaryDirectory(prefix="cm-bench-") as scratch:
        folder = Path(scratch) / "hospital"
        example(folder)
        fill(folder, posts)
        print(f"the first search, with indexing: {seconds(cm('find', 'zinzolin'), folder):.1f} s\n")
        print(f"{PAIRS} pairs each: median seconds of cm find; ratio to LIKE; peak memory; budget {BUDGET_SECONDS} s\n")
        for words in SEARCHES:
            report(words, folder)


def report(words: list[str], folder: Path) -> None:
    """One line of the table."""
    command, scan = cm("find", *words), [sys.executable, "-c", SCAN, words[-1]]
    pairs = [(seconds(command, folder), seconds(scan, folder)) for _ in range(PAIRS + 1)][1:]
    ours, ratio = statistics.median(a for a, _ in pairs), statistics.median(a / b for a, b in pairs)
    print(f"cm find {' '.join(words):32} {ours:5.2f} s {ratio:6.1f}×  {peak_mib(command, folder):6.1f} MiB")


if __name__ == "__main__":
    sys.exit(main())
