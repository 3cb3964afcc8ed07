"""Adapters by name: the built-in ones as dotted strings, third parties by the entry-point group `cm.channels`.

Only the adapter asked for is imported, so that a broken one breaks only its own channels.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from cm.channels.port import PORT_VERSION, Adapter
from cm.errors import WorkspaceError
from cm.i18n import _

GROUP = "cm.channels"

BUILT_IN = {
    "bluesky": "cm.channels.bluesky.adapter:BlueskyAdapter",
    "discourse": "cm.channels.discourse.adapter:DiscourseAdapter",
    "facebook": "cm.channels.facebook.adapter:FacebookAdapter",
    "instagram": "cm.channels.instagram.adapter:InstagramAdapter",
    "linkedin": "cm.channels.linkedin.adapter:LinkedInAdapter",
    "mastodon": "cm.channels.mastodon.adapter:MastodonAdapter",
    "outbox": "cm.channels.outbox.adapter:OutboxAdapter",
    "sandbox": "cm.channels.sandbox.adapter:SandboxAdapter",
    "x": "cm.channels.x.adapter:XAdapter",
    "youtube": "cm.channels.youtube.adapter:YouTubeAdapter",
}

BUILT_IN_SIMULATED = frozenset({"sandbox"})
"""Known without importing an adapter and what it needs; a test ties it to their capabilities."""


def simulated(name: str) -> bool:
    """True if nothing leaves this machine through that adapter. Raises WorkspaceError as `load` does."""
    if name in BUILT_IN:
        return name in BUILT_IN_SIMULATED
    return load(name).capabilities.simulated


def names() -> list[str]:
    """Every adapter that can be asked for, without importing any."""
    return sorted(BUILT_IN | {point.name: point.value for point in entry_points(group=GROUP)})


def load(name: str) -> type[Adapter]:
    """The adapter class called `name`.

    Raises WorkspaceError: unknown, not importable, or written for another port version.
    """
    target = BUILT_IN.get(name) or next((p.value for p in entry_points(group=GROUP) if p.name == name), None)
    if target is None:
        raise WorkspaceError(
            _("There is no adapter {name!r}.").format(name=name),
            hint=_("Use one of: {names}.").format(names=", ".join(names())),
        )
    module, _sep, attribute = target.partition(":")
    try:
        adapter = cast("type[Adapter]", getattr(import_module(module), attribute))
        version = adapter.capabilities.port_version
    except Exception as error:
        raise WorkspaceError(
            _("The adapter {name!r} cannot be loaded: {error}").format(
                name=name, error=f"{type(error).__name__}: {error}"
            ),
            hint=_("Reinstall or remove the package that provides it; other channels are not affected."),
        ) from error
    if version != PORT_VERSION:
        raise WorkspaceError(
            _("The adapter {name!r} is written for port {theirs}, this cm speaks port {ours}.").format(
                name=name, theirs=version, ours=PORT_VERSION
            ),
            hint=_("Install a version of it made for this cm."),
        )
    return adapter
