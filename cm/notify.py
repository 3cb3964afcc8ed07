"""Messages to people's phones and mailboxes (by apprise), and the call that tells a watcher that cm is alive.

Both addresses are secrets: they may hold tokens. So nothing here says which one failed but by its place in the list,
and apprise's own log, which quotes them, stays silent.
"""

import logging
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

log = logging.getLogger("cm.notify")

CALL_SECONDS = 10
"""Longest wait for a watcher's server."""


def send(addresses: Sequence[str], title: str, body: str) -> int:
    """Send one message to each address (`mailto://…`, `ntfy://…`: see apprise); gives how many took it."""
    import apprise  # loads a hundred services: only when there is something to say

    _silence()
    taken = 0
    for place, address in enumerate(addresses, start=1):
        service = apprise.Apprise()
        if service.add(address) and service.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
            taken += 1
        else:
            log.warning("notice not taken by address %s of notify.urls", place)
    return taken


def _silence() -> None:
    logger = logging.getLogger("apprise")
    logger.disabled = True
    logger.propagate = False


def call(address: str) -> bool:
    """GET a watcher's address; True if it answered with success. Raises ValueError for what is no web address."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise ValueError("no web address")
    request = urllib.request.Request(address, headers={"User-Agent": "cm-toolkit"})
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    except OSError as error:  # its text may quote the address
        log.warning("heartbeat_url did not answer (%s)", type(error).__name__)
        return False
