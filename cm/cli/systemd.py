"""What systemd is told of a service of `Type=notify`: that it is ready, alive, reading anew, ending.

Source: sd_notify(3) and sd_watchdog_enabled(3).
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping

log = logging.getLogger("cm.daemon")


def notifier(environ: Mapping[str, str] = os.environ) -> Callable[[str], None]:
    """Sends one message (`READY=1`) to the socket that NOTIFY_SOCKET names; does nothing where there is none."""
    path = environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@"):
        return lambda _text: None
    address = "\0" + path[1:] if path.startswith("@") else path

    def notify(text: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(text.encode(), address)
            except OSError as error:  # the service works on without its manager
                log.warning("NOTIFY_SOCKET does not listen: %s", error.strerror)

    return notify


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """The time in which systemd wants to hear `WATCHDOG=1` from this process; None if it does not ask."""
    ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if ours and microseconds.isdecimal() and int(microseconds) else None
