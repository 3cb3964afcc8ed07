"""A page on this machine alone that a browser is sent back to with the answer to a login (RFC 8252 section 7.3).

It listens on 127.0.0.1, answers `GET /` and nothing else, takes one answer with the right state, and closes.
"""

import hmac
import queue
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cm.i18n import _

MINUTES = 5
LONGEST = 8192
"""Characters of an answer that are read."""


def answer_of(query: str) -> dict[str, str]:
    """The fields of a redirect's query."""
    return dict(parse_qsl(query[:LONGEST], keep_blank_values=True))


def is_ours(answer: Mapping[str, str], state: str) -> bool:
    """True for an answer to the visit that had this state."""
    return hmac.compare_digest(answer.get("state", "").encode(), state.encode())


class Loopback:
    """The page, open from its making until the end of the `with` block."""

    def __init__(self, port: int = 0, name: str = "127.0.0.1") -> None:
        """`port` 0: any that is free. `name`: how the platform calls this machine. Raises OSError if it is taken."""
        self._answers: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", port), _Page)
        self._server.take = self._take
        self._server.name = name
        self._state: str | None = None
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="cm-login", daemon=True)

    @property
    def address(self) -> str:
        """What a platform is to send the browser back to."""
        return f"http://{self._server.name}:{self._server.server_port}/"

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, state: str, seconds: float = MINUTES * 60) -> dict[str, str] | None:
        """The answer that has this state; None if none comes in time."""
        self._state = state
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None
        finally:
            self._state = None

    def _take(self, answer: dict[str, str]) -> bool:
        """True if it is the one that is waited for; there is no second."""
        state = self._state
        if not state or not is_ours(answer, state):
            return False
        self._state = None
        self._answers.put(answer)
        return True


class _Server(ThreadingHTTPServer):
    """Threads, since browsers open connections on which they say nothing."""

    daemon_threads = True
    take: Any
    name: str

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks off is nobody's news."""


class _Page(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """The one thing that is asked here. Another host's name in it means that a foreign page asks."""
        parts = urlsplit(self.path)
        here = self.headers.get("Host") == f"{self.server.name}:{self.server.server_port}"
        if parts.path != "/" or not here:
            self._say(404, _("There is nothing here."))
        elif self.server.take(answer_of(parts.query)):
            self._say(200, _("Thank you: cm goes on in the terminal. This page may be closed."))
        else:
            self._say(400, _("This is no answer to the login that is going on."))

    def _say(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(data)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        """Nobody needs to know what answers."""
        return "cm"

    def log_message(self, format: str, *args: object) -> None:
        """The address holds the code: it is logged nowhere."""
