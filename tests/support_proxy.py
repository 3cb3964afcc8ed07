"""A proxy on 127.0.0.1 that can hold an answer back, so that a worker can be killed while it waits for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"}


class Proxy:
    """Forwards to `upstream`. `hold(method, path)` keeps the next such answer back after the server has given it."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.accepted = threading.Event()
        """The server has answered the held request; its client has not heard yet."""
        self.release = threading.Event()
        self._held: tuple[str, str] | None = None

    def hold(self, method: str, path: str) -> None:
        self.accepted.clear()
        self.release.clear()
        self._held = (method, path)

    def take(self, method: str, path: str) -> bool:
        """True once for the request that is to be held."""
        if self._held == (method, path.partition("?")[0]):
            self._held = None
            return True
        return False


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A running proxy."""
    made = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            request = Request(made.upstream + self.path, body, headers, method=self.command)
            try:
                with urlopen(request, timeout=30) as answer:
                    status, fields, data = answer.status, answer.headers.items(), answer.read()
            except HTTPError as error:
                with error:
                    status, fields, data = error.code, error.headers.items(), error.read()
            if made.take(self.command, self.path):
                made.accepted.set()
                made.release.wait(60)
            self.send_response(status)
            for name, value in fields:
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _forward

        def log_message(self, *_args: object) -> None:
            """Silent."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client was killed: that is what the tests do

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
