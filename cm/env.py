"""What every use case is given: the configuration, the store, the clock, who acts, and this run's id."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cm.channels.port import Network
from cm.clock import Clock, SettableClock
from cm.config import Config, is_proxy, is_reference
from cm.errors import WorkspaceError
from cm.formats import trouble
from cm.i18n import _
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
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Channel → what its account may do there, as found at its last check (`AccountInfo.limits`)."""

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.clock.now()

    def at_rest(self) -> "Env":
        """The same with a clock that stands at this moment: for a decision that asks for the time more than once."""
        return replace(self, clock=SettableClock(self.now))

    @property
    def network(self) -> Network:
        """How the network is reached. Raises WorkspaceError if the proxy's address cannot be had."""
        return network_of(self.config, self.root)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of all local times."""
        return self.config.zone


def network_of(config: Config, root: Path) -> Network:
    """How the institution reaches the network, the proxy's password included. Raises WorkspaceError without that."""
    settings = config.network
    proxy = settings.proxy
    if proxy and is_reference(proxy):
        from cm import secrets

        proxy = secrets.reveal(proxy, root)
        if not is_proxy(proxy):
            raise WorkspaceError(
                _("What `network: proxy:` leads to is no proxy's address."),
                hint=_("Write it as http://NAME:PASSWORD@proxy.hospital.example:3128."),
            )
    return Network(proxy, certificates_of(config, root), settings.timeout or Network.timeout)


def certificates_of(config: Config, root: Path) -> Path | None:
    """The file of certificates to believe, None for the usual ones. Raises WorkspaceError if it cannot be read."""
    if not config.network.ca_bundle:
        return None
    import ssl

    path = root / Path(config.network.ca_bundle).expanduser()
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        raise WorkspaceError(
            _("The certificates in {path} cannot be read: {error}").format(path=path, error=trouble(error)),
            hint=_("Look at `network: ca_bundle:` in config.yaml."),
        ) from None
    return path
