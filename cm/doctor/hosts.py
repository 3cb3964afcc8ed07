"""Which hosts may be contacted: for whoever guards the network, and for the register of data flows.

Nothing is contacted to find out. Addresses that hold tokens are resolved to their host and no further.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cm import secrets
from cm.errors import CmError, WorkspaceError
from cm.i18n import _
from cm.workspace import Workspace

SETUP = ("service_url", "setup_url")
"""Addresses in a notification service's class that are for people to read."""


@dataclass(frozen=True)
class Host:
    """A host, or why it is not known (`trouble`). `purpose`: `channel`, `notify`, `heartbeat`, `proxy`."""

    host: str | None
    purpose: str
    used_by: str
    trouble: str = ""

    def as_json(self) -> dict[str, Any]:
        """One item of `doctor --hosts`."""
        return dict(vars(self))


def hosts(opened: Workspace) -> list[Host]:
    """Every host that this workspace may contact."""
    return [*_of_channels(opened), *_of_notices(opened), *_of_heartbeat(opened), *_of_proxy(opened)]


def _of_channels(opened: Workspace) -> Iterator[Host]:
    for name, channel in opened.config.channels.items():
        if channel.state == "closed":
            continue
        try:
            adapter = opened.adapter(name)
        except CmError as error:
            yield Host(None, "channel", name, error.message)
            continue
        if not adapter.capabilities.simulated and adapter.capabilities.delivery == "network":
            # beside the account's own host an adapter may name others in `hosts`: for uploads, logins…
            named = (adapter.identity().host, *getattr(adapter, "hosts", ()))
            yield from (Host(host, "channel", name) for host in dict.fromkeys(named))


def _of_notices(opened: Workspace) -> Iterator[Host]:
    for reference in opened.config.notify.urls:
        try:
            found = _of_address(secrets.reveal(reference, opened.root))
        except WorkspaceError as error:
            yield Host(None, "notify", reference, error.message)
            continue
        if not found:
            yield Host(None, "notify", reference, _("the service of this address is unknown"))
        yield from (Host(host, "notify", reference) for host in found)


def _of_heartbeat(opened: Workspace) -> Iterator[Host]:
    reference = opened.config.heartbeat_url
    if not reference:
        return
    try:
        host = urlsplit(secrets.reveal(reference, opened.root)).hostname
    except WorkspaceError as error:
        yield Host(None, "heartbeat", reference, error.message)
    except ValueError:
        yield Host(None, "heartbeat", reference, _("this is no address"))
    else:
        yield Host(host, "heartbeat", reference, "" if host else _("this is no address"))


def _of_proxy(opened: Workspace) -> Iterator[Host]:
    try:
        proxy = opened.env.network.proxy
    except WorkspaceError as error:
        yield Host(None, "proxy", "network", error.message)
        return
    if proxy:
        yield Host(urlsplit(proxy).hostname, "proxy", "network")


def _of_address(address: str) -> list[str]:
    """The hosts of a notification address; the service's own ones where the address names none.

    What stands in the place of the host is a token with many services (`tgram://TOKEN/…`): only where the service
    says that a host stands there is it one.
    """
    import apprise

    service: Any = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is None:
        return []
    if host := getattr(service, "smtp_host", None):
        return [str(host)]
    own = {name: str(value) for name, value in vars(type(service)).items() if name.endswith("_url") and value}
    cloud = getattr(service, "mode", None) == "cloud" and own.get("cloud_notify_url")
    if "host" in type(service).template_tokens and service.host and not cloud:
        return [str(service.host)]
    named = [cloud] if cloud else [url for name, url in own.items() if name not in SETUP]
    return sorted({host for url in named if (host := urlsplit(url).hostname)})
