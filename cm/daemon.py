"""The daemon: does by itself what cron does each minute, with the same functions, until it is told to leave.

A scheduler in memory starts every rhythm's work; one that is late is done once, one that lasts is not begun again.
The main thread only waits: for orders (leave, read the configuration anew, do it now) and for the next pulse, in
which the watchdog is fed as long as the work shows signs of life.

What is heavy is loaded when something is due. The configuration is held: one on the disk that is not sound is told
once, and the one before it stays in force.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from cm import config as configuration
from cm import i18n
from cm.clock import SystemClock, monotonic
from cm.config import Config
from cm.env import Signals
from cm.errors import CmError, ConfigError, WorkspaceError
from cm.i18n import _
from cm.store import tick

if TYPE_CHECKING:
    from cm.publishing.results import RunResult

log = logging.getLogger("cm.daemon")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Rhythms count from here: a minute's begins at :00, when posts are planned."""
PULSE = 30.0
"""Seconds between two looks at watchdog and clock, where the watchdog does not ask for more."""
STUCK_AFTER = 1200.0
"""Seconds without a sign of life after which work hangs; a long upload may take 900."""
SLACK = 60.0
"""Seconds by which work may begin late."""


# --- the sweep --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Voice:
    """How the daemon speaks: of what a sweep did, of an error (once while it lasts), and of itself."""

    result: Callable[["RunResult"], None]
    error: Callable[[Exception], None]
    note: Callable[[str], None]


class Sweep:
    """Publishing what is due, with the newest configuration that is sound."""

    def __init__(self, root: Path, signals: Signals, voice: Voice, ended: Callable[[CmError], None]) -> None:
        """`ended` is told when going on makes no sense: another schema. Raises ConfigError, WorkspaceError."""
        self._root = root
        self._signals = signals
        self._voice = voice
        self._ended = ended
        self._reading = threading.Lock()
        self._seen = tick.stamp(str(root))
        self._held: tuple[Config, str] = configuration.load(root), self._seen
        self._told = ""
        i18n.speak_as_configured(self._held[0].language)
        self._require_schema()

    def __call__(self) -> None:
        """One sweep. Whatever goes wrong is told once while it lasts, and logged; the next sweep tries again."""
        if self._signals.leave.is_set():
            return
        try:
            self._read_if_changed()
            self._sweep()
            self._told = ""
        except Exception as error:
            self._trouble(error)

    def read_again(self) -> None:
        """Read the configuration now. One that is not sound is told, and the one before stays in force."""
        with self._reading:
            self._read()

    def _read_if_changed(self) -> None:
        with self._reading:
            if _stamp(self._root) != self._seen:
                self._read()

    def _read(self) -> None:
        """Take the configuration over if nothing is wrong with it; adapters' own settings are asked too."""
        from cm.workspace import check_config

        self._seen = _stamp(self._root)
        try:
            if problems := check_config(self._root):
                raise ConfigError(problems)
            self._held = configuration.load(self._root), self._seen
        except (WorkspaceError, OSError) as error:
            log.warning("configuration refused: %s", error)
            self._voice.error(error)
            self._voice.note(_("The configuration read before stays in force."))
            return
        i18n.speak_as_configured(self._held[0].language)
        log.info("configuration read")
        self._voice.note(_("The configuration has been read anew."))

    def _sweep(self) -> None:
        root, now = str(self._root), SystemClock().now().timestamp()
        if not self._signals.hold.is_set() and tick.nothing_due(root, now, self._held[1]):
            tick.beat(root)
            return
        self._require_schema()
        from cm.workspace import open_workspace

        opened = open_workspace(self._root, as_system=True, known=self._held, signals=self._signals)
        try:
            result = opened.sweep()
        finally:
            opened.close()
        self._voice.result(result)

    def _require_schema(self) -> None:
        """Raises WorkspaceError for a database of another cm, and for one that cannot be asked."""
        theirs = tick.schema(str(self._root))
        if theirs == tick.SCHEMA_VERSION:
            return
        if theirs is not None and theirs > tick.SCHEMA_VERSION:
            raise OtherSchema(
                _("The database has schema {theirs}; this cm knows {ours}.").format(
                    theirs=theirs, ours=tick.SCHEMA_VERSION
                ),
                hint=_("`cm db upgrade` was run by a newer cm: start `cm run` again with that one."),
            )
        from cm.store.engine import Store

        try:
            Store(self._root).close()
        except WorkspaceError as error:
            raise (OtherSchema if theirs else WorkspaceError)(error.message, hint=error.hint) from None

    def _trouble(self, error: Exception) -> None:
        log.error("sweep failed", exc_info=not isinstance(error, CmError))
        if isinstance(error, OtherSchema):
            self._ended(error)
        elif (said := f"{type(error).__name__}: {error}") != self._told:
            self._told = said
            self._voice.error(error)


class OtherSchema(WorkspaceError):
    """The database belongs to another version of cm: a daemon of this one is of no use any more."""


def _stamp(root: Path) -> str:
    """As `tick.stamp`; what cannot be looked at is a state of its own."""
    try:
        return tick.stamp(str(root))
    except OSError as error:
        return f"! {error}"


# --- the daemon -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """Work that comes again. A further one is added to the list that `Daemon` is given."""

    name: str
    every: timedelta
    work: Callable[[], None]


@dataclass
class Pulse:
    """When a rhythm's work last began and ended, and whether it goes on (monotonic seconds)."""

    began: float
    ended: float
    busy: bool = False


def alive(pulse: Pulse, sign: float, every: timedelta, now: float) -> bool:
    """False if work hangs, or has not begun again for so long that nobody starts it any more.

    `sign`: when anything was last logged. Pure; monotonic seconds.
    """
    if pulse.busy:
        return now - max(pulse.began, sign) <= STUCK_AFTER
    return now - pulse.ended <= 2 * every.total_seconds() + SLACK


class Signs(logging.Handler):
    """Notes when anything of cm was last logged: a message that moves on logs its stages."""

    def __init__(self) -> None:
        super().__init__()
        self.at = monotonic()

    def emit(self, _record: logging.LogRecord) -> None:
        """Something moved."""
        self.at = monotonic()


LEAVE, READ = "", "\0read"
"""Orders that are no rhythm's name."""


@dataclass
class Daemon:
    """Starts the rhythms' work. `notify` speaks to systemd; `watchdog` is the seconds in which it wants to hear."""

    rhythms: Sequence[Rhythm]
    read: Callable[[], None]
    notify: Callable[[str], None]
    watchdog: float | None = None
    error: CmError | None = None
    _orders: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)
    _signs: Signs = field(default_factory=Signs)
    _pulses: dict[str, Pulse] = field(default_factory=dict)

    def leave(self, error: CmError | None = None) -> None:
        """End when the work in hand is done; with the error, if any. May be called from a signal handler."""
        self.error = self.error or error
        self._orders.put(LEAVE)

    def reload(self) -> None:
        """Read the configuration anew, then do everything at once. May be called from a signal handler."""
        self._orders.put(READ)

    def hasten(self, name: str) -> None:
        """Do a rhythm's work now. May be called from a signal handler."""
        self._orders.put(name)

    def run(self) -> None:
        """Work until `leave`; raises the error it was given."""
        scheduler = self._scheduler()
        logger = logging.getLogger("cm")
        logger.addHandler(self._signs)
        try:
            scheduler.start()
            self._ready()
            while (order := self._next_order()) != LEAVE:
                self._obey(scheduler, order)
        finally:
            self.notify("STOPPING=1")
            scheduler.shutdown(wait=True)
            logger.removeHandler(self._signs)
        if self.error:
            raise self.error

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(self.rhythms))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            logger=_quiet("cm.daemon.scheduler"),
        )
        for rhythm in self.rhythms:
            self._pulses[rhythm.name] = Pulse(monotonic(), monotonic())
            every = IntervalTrigger(seconds=rhythm.every.total_seconds(), start_date=EPOCH, timezone=UTC)
            first = SystemClock().now()
            scheduler.add_job(partial(self._do, rhythm), every, id=rhythm.name, next_run_time=first)
        return scheduler

    def _do(self, rhythm: Rhythm) -> None:
        pulse = self._pulses[rhythm.name]
        pulse.began, pulse.busy = monotonic(), True
        try:
            rhythm.work()
        finally:
            pulse.ended, pulse.busy = monotonic(), False

    def _next_order(self) -> str | None:
        """The next order, None if it is time for a pulse."""
        try:
            return self._orders.get(timeout=min(PULSE, (self.watchdog or PULSE) / 2))
        except queue.Empty:
            return None

    def _obey(self, scheduler: BackgroundScheduler, order: str | None) -> None:
        if order == READ:
            self.notify(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic() * 1e6)}")
            self.read()
            self._ready()
        names = [rhythm.name for rhythm in self.rhythms] if order == READ else [order]
        now = SystemClock().now()
        for rhythm in self.rhythms:
            job = scheduler.get_job(rhythm.name)
            if rhythm.name in names or out_of_step(job.next_run_time, rhythm.every, now):
                job.modify(next_run_time=now)
        self._feed()

    def _ready(self) -> None:
        self.notify("READY=1")
        self._feed()

    def _feed(self) -> None:
        """Tell the watchdog that all is well, if it is."""
        now = monotonic()
        if self.watchdog and all(
            alive(self._pulses[rhythm.name], self._signs.at, rhythm.every, now) for rhythm in self.rhythms
        ):
            self.notify("WATCHDOG=1")


def _quiet(name: str) -> logging.Logger:
    """A logger that keeps to warnings: the scheduler tells at length what it does."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    return logger


def out_of_step(next_run: datetime, every: timedelta, now: datetime) -> bool:
    """True if the clock was set back since the next run was planned: it would come too late by that. Pure."""
    return next_run - now > every
