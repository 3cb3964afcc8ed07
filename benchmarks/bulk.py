"""`python benchmarks/bulk.py [POSTS]`: an import of 100,000 posts beside what SQLite alone needs for the same rows.

One CSV is made once. The limit (raw) reads it with `csv.reader`, cell by cell into tuples, and inserts them with
`executemany`, a thousand at a time: the same columns of the same three tables (stories, posts, messages) of the same
schema with its indexes, in one transaction of a WAL database with synchronous=FULL and foreign keys. It checks
nothing, hashes nothing, converts no time, matches no row with a post that exists, and knows every value beforehand.
Ours is the use case behind `cm calendar import`, from bytes to commit; neither side's interpreter and modules count.
After each round the rows of both are compared: they differ in hashes, instants and author, and in nothing else.

Each run has a process and a workspace of its own. They take turns, and the one that begins changes each round; what is
told is the median of the ratios within a round and their spread, by wall clock and by processor time (user and
system). On a machine that has other work the latter holds, and both are pessimistic: who runs longer and holds more
memory loses more to others. Budget: 3 times, 250 MiB.
"""

import csv
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROUNDS = 7
POSTS = int(sys.argv[1]) if len(sys.argv) == 2 else 100_000
CHANNELS = ("facebook", "twitter", "linkedin", "mastodon")
A_DAY = 50
TEXT = (
    "Numéro {n} : la semaine de la vaccination commence aujourd’hui à l’hôpital. Jusqu’à vendredi, une équipe vous "
    "attend dans le hall, de 10 h à 16 h. Vous pouvez venir avec le carnet de santé et toutes vos questions. 💉"
)
CONFIG = """\
timezone: Europe/Paris
establishment: {key: bench, name: Bench}
cadence: {min: 0, max: 100}
people: {}
channels:
"""
CHANNEL = """\
  NAME: {platform: facebook, adapter: sandbox, account: NAME, address: "https://x.example/NAME", owner: jo,
    purpose: bench, opened_on: 2020-01-01, audiences: [public, families]}
"""


def make_csv(file: Path) -> None:
    """Rows with refs, stories, dates, themes, links: 50 a day on each of four channels."""
    from cm.calendar.csvfile import COLUMNS

    first = date(2030, 1, 1)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="")
        writer.writeheader()
        for n in range(POSTS):
            slot, channel = divmod(n, len(CHANNELS))
            day, of_day = divmod(slot, A_DAY)
            writer.writerow(
                {
                    "ref": f"post-{n}",
                    "story": f"story-{slot}",
                    "channel": CHANNELS[channel],
                    "date": (first + timedelta(days=day)).isoformat(),
                    "time": f"{8 + of_day // 6:02d}:{of_day % 6 * 10:02d}",
                    "kind": "announcement",
                    "theme": f"theme-{n % 20}",
                    "audiences": "public|families",
                    "language": "fr",
                    "text": TEXT.format(n=n),
                    "link": f"https://www.hopital.example/{n}",
                }
            )


def make_workspace(root: Path) -> None:
    """An empty workspace with four channels."""
    subprocess.run([sys.executable, "-m", "cm", "init", "--empty", str(root)], check=True, capture_output=True)
    people = CONFIG.replace("people: {}", "people: {jo: {name: Jo, roles: [community_manager], logins: [jo]}}")
    (root / "config.yaml").write_text(people + "".join(CHANNEL.replace("NAME", name) for name in CHANNELS))
    subprocess.run([sys.executable, "-m", "cm", "channel", "list"], cwd=root, check=True, capture_output=True)


# --- the two sides, each in a process of its own ----------------------------------------------------------------------

_STORY = ("id", "ref", "title", "created_at")
_POST = (
    "id", "ref", "story_id", "occurrence", "channel", "establishment", "kind", "fields", "theme", "audiences",
    "language", "text", "link", "visibility", "state", "scheduled_at", "wall", "zone", "day", "wake_at", "in_quota",
    "urgent", "example", "author", "content_hash", "created_at", "updated_at", "rev",
)  # fmt: skip
_MESSAGE = ("id", "post_id", "n", "role", "text", "link", "fingerprint")


def raw(root: Path, file: Path) -> None:
    """The limit."""
    database = sqlite3.connect(root / "cm.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        database.execute(f"PRAGMA {pragma}")
    now, mark = "2026-11-23 09:00:00.000000", "0" * 64
    database.execute("BEGIN IMMEDIATE")

    def insert(table: str, columns: Sequence[str], rows: list[tuple[object, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        rows.clear()

    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.reader(opened)
        header = next(reader)
        names = ("ref", "story", "channel", "date", "time", "kind", "theme", "text", "link")
        at = [header.index(name) for name in names]
        stories: list[tuple[object, ...]] = []
        posts: list[tuple[object, ...]] = []
        messages: list[tuple[object, ...]] = []
        for number, cells in enumerate(reader, start=1):
            ref, story, channel, day, hour, kind, theme, text, link = (cells[index] for index in at)
            when = f"{day} {hour}:00.000000"
            own, nth = divmod(number - 1, len(CHANNELS))
            if nth == 0:
                stories.append((own + 1, story, story, now))
            posts.append(
                (
                    number, ref, own + 1, "1", channel, "bench", kind, "{}", theme, '["public", "families"]', "fr",
                    text, link, "public", "scheduled", when, f"{day}T{hour}", "Europe/Paris", day, when, 1, 0, 0, "jo",
                    mark, now, now, 1,
                )
            )  # fmt: skip
            messages.append((number, number, 1, "part", text, link, mark))
            if number % 1000 == 0 or number == POSTS:
                insert("story", _STORY, stories)
                insert("post", _POST, posts)
                insert("message", _MESSAGE, messages)
    database.execute("COMMIT")
    database.close()


def ours(root: Path, file: Path) -> None:
    """The use case of `cm calendar import`."""
    from cm.calendar.importing import import_posts
    from cm.workspace import open_workspace

    opened = open_workspace(root, now=datetime(2026, 11, 23, 9, tzinfo=UTC))
    result = import_posts(opened.env, file.read_bytes(), filename=file.name)
    if (result.created, result.errors) != (POSTS, ()):
        raise SystemExit(f"{result.created} of {POSTS} posts imported: {result.errors[:3]}")
    opened.close()


SIDES: dict[str, Callable[[Path, Path], None]] = {"raw": raw, "ours": ours}


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds by the clock, seconds of the processor (user and system), MiB at the most."""

    wall: float
    cpu: float
    peak: float


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system


def child(side: str, root: str, file: str) -> None:
    """Run one side and print its cost."""
    run = SIDES[side]
    if side == "ours":
        import cm.calendar.importing
        import cm.workspace  # noqa: F401  what is measured is the import, not the interpreter's
    wall, cpu = time.perf_counter(), _processor()
    run(Path(root), Path(file))
    wall, cpu = time.perf_counter() - wall, _processor() - cpu
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    print(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


# --- side by side -----------------------------------------------------------------------------------------------------


def measure(side: str, scratch: Path, file: Path) -> Cost:
    """One run in a fresh copy of the workspace, which stays there as it is then."""
    root = scratch / side
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(scratch / "empty", root)
    command = [sys.executable, __file__, side, str(root), str(file), str(POSTS)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Cost(*map(float, answer))


_COMPUTED = {"scheduled_at", "wake_at", "content_hash", "fingerprint"}
"""What raw does not compute: a value of the same length is enough."""


def require_same_rows(scratch: Path) -> None:
    """Raises SystemExit unless both have written the same."""
    database = sqlite3.connect(scratch / "raw" / "cm.db")
    database.execute("ATTACH ? AS ours", (str(scratch / "ours" / "cm.db"),))
    for table in ("story", "post", "message"):
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "author"]
        columns = ", ".join(f"length({name})" if name in _COMPUTED else name for name in names)
        for one, other in (("main", "ours"), ("ours", "main")):
            only = f"SELECT {columns} FROM {one}.{table} EXCEPT SELECT {columns} FROM {other}.{table} LIMIT 1"
            if row := database.execute(only).fetchone():
                raise SystemExit(f"{table}: only {one} has {row}")
    database.close()


def main() -> None:
    """Print the costs, their ratios and the peaks."""
    with tempfile.TemporaryDirectory(prefix="cm-bulk-") as folder:
        scratch = Path(folder)
        file = scratch / "posts.csv"
        make_csv(file)
        make_workspace(scratch / "empty")
        print(f"{POSTS} posts, {file.stat().st_size / 2**20:.0f} MiB of CSV; {ROUNDS} rounds, in turn")
        rounds: list[dict[str, Cost]] = []
        for number in range(ROUNDS):
            order = list(SIDES) if number % 2 == 0 else list(reversed(SIDES))
            rounds.append({side: measure(side, scratch, file) for side in order})
            require_same_rows(scratch)
    tell(rounds)


def tell(rounds: Sequence[dict[str, Cost]]) -> None:
    """Medians of each side; of the ratios within a round the median and the spread."""
    for side in SIDES:
        wall, cpu = (statistics.median(getattr(each[side], name) for each in rounds) for name in ("wall", "cpu"))
        peak = max(each[side].peak for each in rounds)
        print(f"{side:5} {wall:6.2f} s wall  {cpu:6.2f} s processor  {peak:6.1f} MiB")
    for name in ("wall", "cpu"):
        ratios = sorted(getattr(each["ours"], name) / getattr(each["raw"], name) for each in rounds)
        print(f"{name:4} ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}; budget 3)")


if __name__ == "__main__":
    if len(sys.argv) == 5:
        POSTS = int(sys.argv[4])
        child(*sys.argv[1:4])
    else:
        main()
