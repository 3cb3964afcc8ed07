"""What every use case is given: the configuration, the store, the clock, who acts, and this run's id."""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cm.clock import Clock, SettableClock
from cm.config import Config
from cm.people import Actor

if TYPE_CHECKING:  # the daemon holds signals and a configuration while no database is needed
    from cm.store.engine import Store


@dataclass(frozen=True)
class Signals:
    """What the operating system told this process. The engine looks before each claim and each sending."""

    hold: threading.Event = field(default_factory=threading.Event)
    """SIGUSR1: send nothing more."""
    leave: threading.Event = field(default_factory=threading.Event)
    """SIGTERM: finish the message in hand, take no other."""


@dataclass(frozen=True)
class Env:
    """One opened workspace. `simulated` are the names of the channels that reach no real network."""

    root: Path
    config: Config
    store: "Store"
    clock: Clock
    actor: Actor
    run_id: str
    simulated: frozenset[str]
    signals: Signals = field(default_factory=Signals)

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.clock.now()

    def at_rest(self) -> "Env":
        """The same with a clock that stands at this moment: for a decision that asks for the time more than once."""
        return replace(self, clock=SettableClock(self.now))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of all local times."""
        return self.config.zone
