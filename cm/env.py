"""What every use case is given: the configuration, the store, the clock, who acts, and this run's id."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cm.clock import Clock
from cm.config import Config
from cm.people import Actor
from cm.store.engine import Store


@dataclass(frozen=True)
class Env:
    """One opened workspace. `simulated` are the names of the channels that reach no real network."""

    root: Path
    config: Config
    store: Store
    clock: Clock
    actor: Actor
    run_id: str
    simulated: frozenset[str]

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.clock.now()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of all local times."""
        return self.config.zone
