"""What every adapter is and can do, for people who choose: each is loaded alone, a broken one is shown as broken."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cm.channels import port, registry
from cm.channels.port import Adapter, Capabilities, Limits
from cm.channels.text import shown
from cm.errors import CmError, NotFound
from cm.i18n import _


@dataclass(frozen=True)
class PlatformFacts:
    """An adapter as it is listed. `broken`: why it cannot be loaded; then nothing else is known of it.

    `key_window`: seconds for which a sending may be repeated with its key; `cm channel check` tells whether the
    account's own server keeps to that.
    """

    name: str
    adapter: str
    broken: str | None = None
    limits: Limits | None = None
    abilities: Mapping[str, bool] = field(default_factory=dict)
    login: bool = False
    simulated: bool = False
    by_hand: bool = False
    key_window: int = 0
    media: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Peculiarities, in the language spoken."""
        return tuple(_(note) for note in self.limits.notes) if self.limits else ()

    def as_json(self) -> dict[str, Any]:
        """One item of `channel platforms`."""
        return {
            "platform": self.name,
            "adapter": self.adapter,
            "broken": self.broken,
            "limits": _limits_json(self.limits),
            **self.abilities,
            "login": self.login,
            "simulated": self.simulated,
            "by_hand": self.by_hand,
            "key_window": self.key_window,
            "media": list(self.media),
            "notes": list(self.notes),
        }


def platforms() -> list[PlatformFacts]:
    """Every adapter that can be asked for, by name."""
    return [_facts(name) for name in registry.names()]


def unknown(name: str) -> NotFound:
    """There is no such platform."""
    return NotFound(
        _("There is no platform {name!r}.").format(name=name),
        hint=_("Use one of: {names}.").format(names=", ".join(registry.names())),
    )


def _facts(name: str) -> PlatformFacts:
    try:
        adapter = registry.load(name)
    except CmError as error:
        return PlatformFacts(name, "", broken=shown(error.message))
    capabilities = adapter.capabilities
    return PlatformFacts(
        name=name,
        adapter=f"{adapter.__module__}:{adapter.__qualname__}",
        limits=capabilities.limits,
        abilities=_abilities(adapter, capabilities),
        login=_has(adapter, port.Logins),
        simulated=capabilities.simulated,
        by_hand=capabilities.delivery == "person",
        key_window=capabilities.key_window,
        media=capabilities.media,
    )


def _abilities(adapter: type[Adapter], capabilities: Capabilities) -> dict[str, bool]:
    return {
        "threads": capabilities.threads,
        "first_comment": capabilities.comments,
        "edit": _has(adapter, port.Edits),
        "delete": _has(adapter, port.Deletes),
        "find": _has(adapter, port.Finds),
        "metrics": _has(adapter, port.Metrics),
        "preview": _has(adapter, port.Previews),
    }


def _has(adapter: type[Adapter], protocol: type) -> bool:
    """True if instances of the class will have what the protocol asks for."""
    return issubclass(adapter, protocol)


def _limits_json(limits: Limits | None) -> dict[str, Any] | None:
    if limits is None:
        return None
    return {**asdict(limits), "read_on": limits.read_on.isoformat(), "notes": [_(note) for note in limits.notes]}
