"""Messages to people's phones and mailboxes (by apprise), and the call that tells a watcher that cm is alive.

Both addresses are secrets: they may hold tokens. So nothing here says which one failed but by its place in the list,
and apprise's own log, which quotes them, stays silent.
"""

import logging
import os
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger("cm.notify")

CALL_SECONDS = 10
"""Longest wait for a watcher's server, unless the configuration says otherwise."""
_surroundings = threading.Lock()


@dataclass(frozen=True)
class Way:
    """How the network is reached: proxy, file of certificates, seconds for one answer; None: as usual."""

    proxy: str | None = field(default=None, repr=False)  # may hold a password
    ca_bundle: Path | None = None
    timeout: float | None = None


def send(addresses: Sequence[str], title: str, body: str, way: Way | None = None) -> int:
    """Send one message to each address (`mailto://…`, `ntfy://…`: see apprise); gives how many took it.

    Mail goes to its own server and not through a proxy for the web.
    """
    import apprise  # loads a hundred services: only when there is something to say

    _silence()
    taken = 0
    with _on(way or Way()):
        for place, address in enumerate(addresses, start=1):
            service: Any = apprise.Apprise.instantiate(address, suppress_exceptions=True)
            if service is not None and way and way.timeout:
                service.socket_connect_timeout = service.socket_read_timeout = way.timeout
            told = apprise.Apprise()
            if told.add(service) and told.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
                taken += 1
            else:
                log.warning("notice not taken by address %s of notify.urls", place)
    return taken


@contextmanager
def _on(way: Way) -> Iterator[None]:
    """apprise's services take proxy and certificates from the environment alone (`requests` reads it)."""
    wanted: dict[str, str] = {}
    if way.proxy:
        wanted |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), way.proxy)
        wanted |= {"NO_PROXY": "", "no_proxy": ""}  # everything goes through it, as the adapters' requests do
    if way.ca_bundle:
        wanted["REQUESTS_CA_BUNDLE"] = str(way.ca_bundle)
    with _surroundings:
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _silence() -> None:
    logger = logging.getLogger("apprise")
    logger.disabled = True
    logger.propagate = False


def call(address: str, way: Way | None = None) -> bool:
    """GET a watcher's address; True if it answered with success. Raises ValueError for what is no web address."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise ValueError("no web address")
    request = urllib.request.Request(address, headers={"User-Agent": "cm-toolkit"})
    way = way or Way()
    try:
        with _opener(way).open(request, timeout=way.timeout or CALL_SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    except OSError as error:  # its text may quote the address
        log.warning("heartbeat_url did not answer (%s)", type(error).__name__)
        return False


def _opener(way: Way) -> urllib.request.OpenerDirector:
    """Raises OSError if the certificates cannot be read."""
    handlers: list[urllib.request.BaseHandler] = []
    if way.proxy:
        handlers.append(urllib.request.ProxyHandler({"http": way.proxy, "https": way.proxy}))
    if way.ca_bundle:
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=way.ca_bundle)))
    return urllib.request.build_opener(*handlers)
