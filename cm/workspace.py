"""The composition root: a folder becomes configuration, store, channels, clock and people for the use cases."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cm import config as configuration
from cm import i18n, people, secrets
from cm.calendar.channels import channels_agree, sync_channels
from cm.channels import registry
from cm.channels.port import Adapter, Context, Identity
from cm.clock import Clock, SettableClock, SystemClock
from cm.config import Config
from cm.env import Env, Signals
from cm.errors import ConfigError, NotFound, Problem, Refused, WorkspaceError
from cm.i18n import _
from cm.logs import start_log
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

    def adapter(self, channel: str) -> Adapter:
        """The adapter of a channel. Raises NotFound, or WorkspaceError/ConfigError if it cannot be had."""
        if channel not in self.config.channels:
            raise NotFound(
                _("There is no channel {name!r}.").format(name=channel),
                hint=_("Use one of: {names}.").format(names=", ".join(self.config.channels) or "–"),
            )
        if channel not in self._adapters:
            self._adapters[channel] = build_adapter(self.root, self.config, channel, self.env.clock)
        return self._adapters[channel]

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
    if now and (real := sorted(set(config.channels) - simulated)):
        raise Refused(
            _("--now is for simulated channels; {names} is real.").format(names=", ".join(real)),
            hint=_("Leave --now out."),
        )
    actor = people.system() if as_system else people.current(config, named)
    run_id = uuid.uuid4().hex[:12]
    start_log(root, run_id)
    env = Env(root, config, Store(root), clock, actor, run_id, simulated, signals or Signals())
    _sync(env)
    return Workspace(root, config, env, stamp)


def _sync(env: Env) -> None:
    """Bring the table of channels into line with the configuration, if it is not."""
    with env.store.read() as session:
        agree = channels_agree(session, env)
    if not agree:
        with env.store.write() as session:
            sync_channels(session, env)


def is_simulated(config: Config, channel: str) -> bool:
    """True if nothing of this channel leaves the machine; False too for an adapter that cannot be loaded."""
    try:
        return registry.simulated(config.channels[channel].adapter_name)
    except WorkspaceError:
        return False


def build_adapter(root: Path, config: Config, channel: str, clock: Clock) -> Adapter:
    """The adapter of a configured channel. Raises WorkspaceError or, for its settings, ConfigError."""
    declared = config.channels[channel]
    kind = registry.load(declared.adapter_name)
    try:
        settings = kind.Settings.model_validate(declared.settings)
    except ValidationError as error:
        file = read_yaml(root / tick.CONFIG, tick.CONFIG)
        raise ConfigError(configuration.problems_of(error, file, ("channels", channel, "settings"))) from None
    return kind(
        Context(
            channel=channel,
            platform=declared.platform,
            account=declared.account,
            workspace=root,
            settings=settings,
            clock=clock,
            secret=_secret(declared.token, root),
        )
    )


def _secret(reference: str | None, root: Path) -> Callable[[], str | None]:
    return lambda: secrets.reveal(reference, root) if reference else None


def check_config(root: Path) -> list[Problem]:
    """Every fault of the configuration, adapters' own settings included; empty if it is sound."""
    try:
        config = configuration.load(root)
    except ConfigError as error:
        return list(error.problems)
    i18n.speak_as_configured(config.language)
    known: dict[Identity, str] = {}
    file = read_yaml(root / tick.CONFIG, tick.CONFIG)
    problems = _of_days_off(config, file)
    for name, channel in config.channels.items():
        if channel.state == "closed":
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


def _of_days_off(config: Config, file: YamlFile) -> list[Problem]:
    """The country of `holidays:` is asked for here only: its library is too heavy for every command."""
    try:
        if config.days_off:
            config.days_off.of_year(SystemClock().now().year)
    except configuration.UnknownCountry as error:
        return [file.problem(("holidays",), error.message, error.hint)]
    return []
