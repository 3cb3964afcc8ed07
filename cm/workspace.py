"""The composition root: a folder becomes configuration, store, channels, clock and people for the use cases."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cm import config as configuration
from cm import i18n, people
from cm.calendar.channels import channels_agree, measured_limits, sync_channels
from cm.channels import registry
from cm.channels.port import Adapter, Context, Identity, Network
from cm.clock import Clock, SettableClock, SystemClock
from cm.config import Config
from cm.env import Env, Signals, certificates_of
from cm.errors import ConfigError, NotFound, Problem, Refused, WorkspaceError
from cm.i18n import _
from cm.logs import start_log
from cm.secrets import Login
from cm.store import tick
from cm.store.engine import Store
from cm.yamlfile import YamlFile, read_yaml

if TYPE_CHECKING:
    from cm.publishing.results import RunResult


def find(start: Path | None) -> Path:
    """The workspace's folder: `-C`, CM_WORKSPACE, or upwards from here. Raises WorkspaceError."""
    found = tick.find_workspace(str(start) if start else None)
    if found is None:
        where = start or os.environ.get("CM_WORKSPACE") or Path.cwd()
        raise WorkspaceError(
            _("There is no workspace at {where}.").format(where=where),
            hint=_("Run `cm init` there, or name one with -C DIR."),
        )
    return Path(found).resolve()


@dataclass
class Workspace:
    """An opened workspace. Adapters are built when asked for, each by itself."""

    root: Path
    config: Config
    env: Env
    stamp: str
    _adapters: dict[str, Adapter] = field(default_factory=dict)
    _network: Network | None = None

    def adapter(self, channel: str) -> Adapter:
        """The adapter of a channel. Raises NotFound, or WorkspaceError/ConfigError if it cannot be had."""
        _require(self.config, channel)
        if channel not in self._adapters:
            self._adapters[channel] = build_adapter(self.root, self.config, channel, self.env.clock, self._reached)
        return self._adapters[channel]

    def _reached(self) -> Network:
        """How the network is reached; a proxy's password is looked up once."""
        self._network = self._network or self.env.network
        return self._network

    def login(self, channel: str) -> Login:
        """What is stored of a channel's login. Raises NotFound."""
        return login_of(self.root, self.config, channel, self.env.clock)

    def sweep(self) -> "RunResult":
        """What cron and the daemon do each minute: publish what is due, then tell people what they must know."""
        from cm.publishing import engine, notices

        result = engine.publish(self.env, self.adapter, self.stamp)
        notices.tell(self.env)
        notices.ping(self.env)
        return result

    def close(self) -> None:
        """Let go of connections."""
        for adapter in self._adapters.values():
            adapter.close()
        self.env.store.close()


def open_workspace(
    start: Path | None,
    *,
    named: str | None = None,
    now: datetime | None = None,
    as_system: bool = False,
    known: tuple[Config, str] | None = None,
    signals: Signals | None = None,
) -> Workspace:
    """Open the workspace found from `start`. `now` stops the clock there (simulated channels only).

    `known`: a configuration read before, with its stamp, to be used as it is; `signals`: those this process heeds.
    Raises WorkspaceError, ConfigError, UsageError (unknown actor), Refused (`now` with a real channel).
    """
    root = find(start)
    stamp = tick.stamp(str(root))  # before reading: a change in between is seen by the next run
    config, stamp = known or (configuration.load(root), stamp)
    i18n.speak_as_configured(config.language)
    clock: Clock = SettableClock(now) if now else SystemClock()
    simulated = frozenset(name for name in config.channels if is_simulated(config, name))
    closed = {name for name, channel in config.channels.items() if channel.state == "closed"}
    if now and (real := sorted(set(config.channels) - simulated - closed)):
        raise Refused(
            _("--now is for simulated channels; {names} is real.").format(names=", ".join(real)),
            hint=_("Leave --now out."),
        )
    actor = people.system() if as_system else people.current(config, named)
    run_id = uuid.uuid4().hex[:12]
    start_log(root, run_id)
    env = Env(root, config, Store(root), clock, actor, run_id, simulated, signals or Signals())
    return Workspace(root, config, replace(env, measured=_sync(env)), stamp)


def _sync(env: Env) -> dict[str, dict[str, Any]]:
    """Bring the table of channels into line with the configuration, if it is not; gives what was measured of them."""
    with env.store.read() as session:
        agree, measured = channels_agree(session, env), measured_limits(session)
    if not agree:
        with env.store.write() as session:
            sync_channels(session, env)
    return measured


def is_simulated(config: Config, channel: str) -> bool:
    """True if nothing of this channel leaves the machine; False too for an adapter that cannot be loaded."""
    try:
        return registry.simulated(config.channels[channel].adapter_name)
    except WorkspaceError:
        return False


def _require(config: Config, channel: str) -> None:
    if channel not in config.channels:
        raise NotFound(
            _("There is no channel {name!r}.").format(name=channel),
            hint=_("Use one of: {names}.").format(names=", ".join(config.channels) or "–"),
        )


def login_of(root: Path, config: Config, channel: str, clock: Clock) -> Login:
    """What is stored of a channel's login; nothing is read yet. Raises NotFound."""
    _require(config, channel)
    return Login(channel, config.channels[channel].token, root, clock)


def build_adapter(
    root: Path, config: Config, channel: str, clock: Clock, network: Callable[[], Network] = Network
) -> Adapter:
    """The adapter of a configured channel; `network` is asked for one that needs it.

    Raises WorkspaceError or, for its settings, ConfigError.
    """
    declared = config.channels[channel]
    kind = registry.load(declared.adapter_name)
    try:
        settings = kind.Settings.model_validate(declared.settings)
    except ValidationError as error:
        file = read_yaml(root / tick.CONFIG, tick.CONFIG)
        raise ConfigError(configuration.problems_of(error, file, ("channels", channel, "settings"))) from None
    login = login_of(root, config, channel, clock)
    local = kind.capabilities.simulated or kind.capabilities.delivery == "person"
    return kind(
        Context(
            channel=channel,
            platform=declared.platform,
            account=declared.account,
            workspace=root,
            settings=settings,
            clock=clock,
            secret=login.token,
            credentials=login,
            network=Network() if local else network(),
        )
    )


def check_config(root: Path) -> list[Problem]:
    """Every fault of the configuration, adapters' own settings included; empty if it is sound."""
    try:
        config = configuration.load(root)
    except ConfigError as error:
        return list(error.problems)
    i18n.speak_as_configured(config.language)
    known: dict[Identity, str] = {}
    file = read_yaml(root / tick.CONFIG, tick.CONFIG)
    problems = [*_of_days_off(config, file), *_of_network(root, config, file)]
    for name, channel in config.channels.items():
        if channel.state == "closed":
            continue
        if channel.gone:
            problems.append(_of_gone(config, name, file))
            continue
        try:
            adapter = build_adapter(root, config, name, SystemClock())
            other = known.setdefault(adapter.identity(), name)
            adapter.close()
            if other != name:
                said = _("the same account as channel {other!r}").format(other=other)
                problems.append(file.problem(("channels", name, "account"), said, _("an account is listed once")))
        except ConfigError as error:
            problems.extend(error.problems)
        except WorkspaceError as error:
            hint = error.hint if channel.adapter else _("add `adapter: outbox` (files to paste) or `adapter: sandbox`")
            problems.append(file.problem(("channels", name, "adapter"), error.message, hint))
    return problems


def _of_network(root: Path, config: Config, file: YamlFile) -> list[Problem]:
    try:
        certificates_of(config, root)
    except WorkspaceError as error:
        return [file.problem(("network", "ca_bundle"), error.message, "")]
    return []


def _of_gone(config: Config, name: str, file: YamlFile) -> Problem:
    """A channel on a network that exists no more, with a channel of this workspace that could take over."""
    network, platform = config.channels[name].gone or ("", "")
    after = next((each for each, channel in config.channels.items() if channel.platform == platform), None)
    close = _("write `state: closed` and `successor: {channel}`: its history stays, nothing is published there")
    add = _("write `state: closed`, and `successor:` with a channel on {platform}: its history stays")
    hint = close.format(channel=after) if after else add.format(platform=platform)
    return file.problem(("channels", name, "platform"), _("{network} exists no more").format(network=network), hint)


def _of_days_off(config: Config, file: YamlFile) -> list[Problem]:
    """The country of `holidays:` is asked for here only: its library is too heavy for every command."""
    try:
        if config.days_off:
            config.days_off.of_year(SystemClock().now().year)
    except configuration.UnknownCountry as error:
        return [file.problem(("holidays",), error.message, error.hint)]
    return []
