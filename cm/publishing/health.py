"""Is all well? Pure verdicts: facts in, findings out. Each finding says what is the matter and what mends it.

A problem has the exit code of `cm doctor`: 3 where configuration, workspace or machine must be put right, 7 where a
person must decide or look, 6 for trouble of the network. Warnings and what is well have none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from cm.errors import Problem
from cm.formats import number, plural
from cm.i18n import N_, _
from cm.store.condition import Condition
from cm.store.tick import SCHEMA_VERSION, SILENT_AFTER

Level = Literal["ok", "warning", "problem"]
WORKSPACE, PERSON, NETWORK = 3, 7, 6
PRECEDENCE = (WORKSPACE, PERSON, NETWORK)

GROUPS = {
    "config": N_("Configuration"),
    "secrets": N_("Secrets"),
    "database": N_("Database"),
    "clock": N_("Clock"),
    "engine": N_("Publishing"),
    "posts": N_("Posts"),
    "pauses": N_("Holds and pauses"),
    "accounts": N_("State files"),
    "channels": N_("Channels"),
}
"""In the order in which they are told."""

MIB = 1 << 20
LITTLE_DISK, NO_DISK = 1024 * MIB, 100 * MIB
BIG_WAL = 64 * MIB
"""The log is emptied every few MiB: one of this size has a reader that never ends."""
OLD_BACKUP = timedelta(days=30)
OFF, WRONG = timedelta(seconds=30), timedelta(minutes=5)
"""By so much a clock may differ from a platform's before it is told, and before it is a problem."""
FEW_DAYS, LAST_DAYS, MONTHS_DAYS = 14, 2, 60
RECOVERED_IN = timedelta(minutes=2)
"""Cron comes each minute: what a dead run left behind is nobody's trouble before that."""
HANGS_AFTER = timedelta(minutes=20)
"""Longer than any preparing or sending takes."""
NAMED = 3


@dataclass(frozen=True)
class Finding:
    """One line of `cm doctor`. `key` is stable, for programs; `code` is 0 unless it is a problem."""

    group: str
    key: str
    level: Level
    what: str
    mend: str = ""
    code: int = 0

    def as_json(self) -> dict[str, Any]:
        """One item of `doctor --json`."""
        return dict(vars(self))


def exit_code(findings: Iterable[Finding]) -> int:
    """The first that applies of 3, 7, 6 among the problems, else 0."""
    found = {finding.code for finding in findings}
    return next((code for code in PRECEDENCE if code in found), 0)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Grouped; what is worst in a group stands first."""
    worst = ("problem", "warning", "ok")
    groups = tuple(GROUPS)
    return sorted(findings, key=lambda each: (groups.index(each.group), worst.index(each.level)))


@dataclass(frozen=True)
class Group:
    """Makes findings of one group."""

    name: str

    def ok(self, key: str, what: str) -> Finding:
        return Finding(self.name, f"{self.name}.{key}", "ok", what)

    def warning(self, key: str, what: str, mend: str) -> Finding:
        return Finding(self.name, f"{self.name}.{key}", "warning", what, mend)

    def problem(self, key: str, what: str, mend: str, code: int = WORKSPACE) -> Finding:
        return Finding(self.name, f"{self.name}.{key}", "problem", what, mend, code)


# --- configuration and secrets ----------------------------------------------------------------------------------------


def of_config(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Each fault that `cm config check` would name."""
    group = Group("config")
    if not problems:
        yield group.ok("sound", _("The configuration is sound."))
    for problem in problems:
        yield group.problem("fault", str(replace(problem, hint="")), problem.hint or "cm config check")


@dataclass(frozen=True)
class SecretFacts:
    """A reference of the configuration; `trouble` says why it leads nowhere. The secret itself is not here."""

    reference: str
    used_by: str
    trouble: str = ""
    hint: str = ""


def of_secrets(secrets: Sequence[SecretFacts]) -> Iterator[Finding]:
    """References that lead nowhere, or to a file that others can read."""
    group = Group("secrets")
    bad = [secret for secret in secrets if secret.trouble]
    for secret in bad:
        yield group.problem(
            "unusable", _("{used_by}: {trouble}").format(used_by=secret.used_by, trouble=secret.trouble), secret.hint
        )
    if not secrets:
        yield group.ok("none", _("The configuration refers to no secret."))
    elif not bad:
        n = len(secrets)
        yield group.ok("usable", plural("{n} secret can be read.", "{n} secrets can be read.", n))


# --- database and disk ------------------------------------------------------------------------------------------------


def of_database(facts: Condition, now: datetime, *, real: bool) -> Iterator[Finding]:
    """The file, its disk, its copies. `real`: a channel of the workspace reaches people."""
    group = Group("database")
    if not facts.exists:
        yield group.problem("absent", _("There is no database."), _("put back a backup of cm.db, or run `cm init`"))
    else:
        yield from _of_file(group, facts)
        yield from _of_backup(group, facts, now, real=real)
    for path in facts.unwritable:
        yield group.problem("unwritable", _("{path} cannot be written.").format(path=path), f"ls -ld {path}; id")
    yield from _of_disk(group, facts)


def _of_file(group: Group, facts: Condition) -> Iterator[Finding]:
    if facts.damage:
        said = _("The database is damaged or cannot be read: {why}").format(why="; ".join(facts.damage))
        yield group.problem("damaged", said, _("put back a backup of cm.db, then `cm db reconcile`"))
    elif facts.schema != SCHEMA_VERSION:
        said = _("The database has schema {theirs}; this cm needs {ours}.")
        newer = facts.schema is not None and facts.schema > SCHEMA_VERSION
        mend = _("install the cm that wrote it") if newer else "cm db upgrade"
        yield group.problem("schema", said.format(theirs=facts.schema, ours=SCHEMA_VERSION), mend)
    else:
        size = number(facts.size / MIB, 1)
        said = _("The database is whole and of this cm's schema ({n}); {size} MiB.")
        yield group.ok("whole", said.format(n=facts.schema, size=size))
    if facts.wal > max(BIG_WAL, facts.size):
        said = _("Its log cm.db-wal has grown to {size} MiB: some program reads and never ends.")
        yield group.warning("wal", said.format(size=number(facts.wal / MIB)), "fuser -v cm.db-wal")
    if not facts.private:
        yield group.warning("open", _("Others on this machine can read the database."), "chmod 600 cm.db*")


def _of_backup(group: Group, facts: Condition, now: datetime, *, real: bool) -> Iterator[Finding]:
    age = None if facts.backup_at is None else timedelta(seconds=now.timestamp() - facts.backup_at)
    if age is not None and age <= OLD_BACKUP:
        n = max(age.days, 0)
        yield group.ok("backup", plural("The newest copy is {n} day old.", "The newest copy is {n} days old.", n))
    elif real:
        said = _("There is no copy younger than {n} days in .cm/backups (if it is backed up elsewhere, all is well).")
        mend = "sqlite3 cm.db \"VACUUM INTO '.cm/backups/cm-manual-1.db'\""
        yield group.warning("backup", said.format(n=OLD_BACKUP.days), mend)


def _of_disk(group: Group, facts: Condition) -> Iterator[Finding]:
    said = _("{free} MiB are free on the disk.").format(free=number(facts.free / MIB))
    mend = _("make room; without it nothing can be written and so nothing sent")
    if facts.free < NO_DISK:
        yield group.problem("disk", said, mend)
    elif facts.free < max(LITTLE_DISK, 2 * facts.size):
        yield group.warning("disk", said, mend)
    else:
        yield group.ok("disk", said)


# --- clock ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClockFacts:
    """`ahead`: by channel, how far the platform's clock is ahead of ours (seconds), as last measured."""

    wall: str
    """The workspace's present local time, for the person to compare."""
    zone: str
    ahead: Mapping[str, float]
    beat_ahead: float = 0
    """Seconds by which the last tick lies in the future."""


def of_clock(facts: ClockFacts) -> Iterator[Finding]:
    """Does this machine know the time?"""
    group, mend = Group("clock"), "timedatectl set-ntp true; timedatectl"
    yield group.ok("zone", _("It is {wall} in {zone}: times of posts are meant so.").format(
        wall=facts.wall, zone=facts.zone))  # fmt: skip
    worst = max(facts.ahead, key=lambda name: abs(facts.ahead[name]), default=None)
    if worst is not None:
        ahead = facts.ahead[worst]
        slow = _("This machine's clock is {n} s behind that of {channel}.")
        fast = _("This machine's clock is {n} s ahead of that of {channel}.")
        said = (slow if ahead > 0 else fast).format(n=number(abs(ahead)), channel=worst)
        if abs(ahead) > WRONG.total_seconds():
            yield group.problem("skew", said, mend)
        elif abs(ahead) > OFF.total_seconds():
            yield group.warning("skew", said, mend)
        else:
            yield group.ok("skew", _("The clock agrees with those of the platforms."))
    if facts.beat_ahead > OFF.total_seconds():
        said = _("The last run lies {n} s in the future: the clock has been set back.")
        yield group.warning("back", said.format(n=number(facts.beat_ahead)), mend)


# --- who publishes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EngineFacts:
    """`silent_for`: seconds since the last run, None if never; `daemon`: process number, None if none runs.

    `real`: a channel of the workspace reaches people.
    """

    silent_for: float | None
    daemon: int | None
    real: bool


def of_engine(facts: EngineFacts) -> Iterator[Finding]:
    """Does anybody come each minute?"""
    group, mend = Group("engine"), _("install schedules/system/cm-run.service or schedules/system/crontab")
    silent = facts.silent_for is None or facts.silent_for > SILENT_AFTER
    if facts.daemon is not None:
        said = _("The daemon runs (process {pid}).").format(pid=facts.daemon or "?")
        yield group.ok("daemon", said)
        mend = f"kill {facts.daemon}; cm run" if facts.daemon else "cm run"
    if not silent:
        n = int(facts.silent_for or 0)
        yield group.ok("tick", plural("The last run was {n} second ago.", "The last run was {n} seconds ago.", n))
    elif not facts.real:
        yield group.ok("tick", _("No run lately; all channels are simulated, so nobody waits for one."))
    elif facts.silent_for is None:
        yield group.problem("tick", _("Nothing has run here yet: nothing is published."), mend, PERSON)
    else:
        minutes = int(facts.silent_for // 60)
        said = plural(
            "Nothing has run for {n} minute: nothing is published.",
            "Nothing has run for {n} minutes: nothing is published.",
            minutes,
        )
        yield group.problem("tick", said, mend, PERSON)
