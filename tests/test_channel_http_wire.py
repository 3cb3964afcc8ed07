"""The shared HTTP client over real sockets: servers that reset, drip, half-close, garble or say nothing."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

import pytest

from cm.channels.http import Http, Reply
from cm.channels.port import ChannelError, Network, RateLimited, Rejected, Retryable, UnknownOutcome
from cm.publishing.deadline import DeadlinePassed, within

Mode = Literal["reading", "sending"]
Act = Callable[[socket.socket], None]
"""What the server does with one connection, once it has read the request."""
MEANING: list[tuple[Mode, type[ChannelError]]] = [("reading", Retryable), ("sending", UnknownOutcome)]
FINE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": "1"}'


class Server:
    """A server that treats its connections one after the other; the last act is repeated."""

    def __init__(self, *acts: Act, reads: bool = True) -> None:
        self._acts, self._reads = acts, reads
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.done = threading.Semaphore(0)
        """Released when a connection has been treated."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):
            for n in range(1000):
                connection, _address = self._listening.accept()
                if self._ending.is_set():
                    return connection.close()
                with connection, suppress(OSError):  # the client may be gone
                    self.requests.append(request_of(connection) if self._reads else b"")
                    self._acts[min(n, len(self._acts) - 1)](connection)
                self.done.release()

    def close(self) -> None:
        self._ending.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        self._listening.close()
        self._thread.join(10)


def request_of(connection: socket.socket) -> bytes:
    """The whole request, body included."""
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
        data += more
    head, _sep, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < sum(lengths) and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


@contextmanager
def served(*acts: Act, reads: bool = True, timeout: float = 20, scheme: str = "http") -> Iterator[tuple[Http, Server]]:
    """A client of a server that acts so."""
    with ExitStack() as stack:
        server = Server(*acts, reads=reads)
        stack.callback(server.close)
        http = Http(f"{scheme}://127.0.0.1:{server.port}", lambda: "token", network=Network(timeout=timeout))
        stack.callback(http.close)
        yield http, server


def post(http: Http, mode: Mode) -> Reply:
    return http.call("POST", "/api/things", mode=mode, json={"text": "words"})


def says(*pieces: bytes) -> Act:
    """Sends these bytes, then closes."""

    def act(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return act


def resets(before: bytes = b"") -> Act:
    """Sends these bytes, then tears the connection down (RST), which may overtake what was not read yet."""

    def act(connection: socket.socket) -> None:
        connection.sendall(before)
        threading.Event().wait(0.2 if before else 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def stalls(before: bytes = b"") -> Act:
    """Sends these bytes, then nothing until the client goes away."""

    def act(connection: socket.socket) -> None:
        connection.sendall(before)
        connection.recv(1)

    return act


def drips(answer: bytes, pause: float) -> Act:
    """Sends byte by byte, until the client goes away."""

    def act(connection: socket.socket) -> None:
        waiting = threading.Event()
        for n in range(len(answer)):
            connection.sendall(answer[n : n + 1])
            waiting.wait(pause)

    return act


def half_closes(answer: bytes) -> Act:
    """Sends these bytes, ends its side, and waits for the client to end the other."""

    def act(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    return act


# --- no answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "kind"), MEANING)
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(says(b""), id="closes before the status line"),
        pytest.param(says(b"HTTP/1.1 2"), id="closes in the status line"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Le"), id="closes in the headers"),
        pytest.param(half_closes(b""), id="half-closes without a word"),
        pytest.param(resets(), id="resets"),
        pytest.param(resets(b"HTTP/1.1 200 OK\r\n"), id="resets in the headers"),
        pytest.param(says(b"HTTP/1.1 100 Continue\r\n\r\n"), id="promises and closes"),
        pytest.param(says(b"\x00\xff\xfe nothing of HTTP\r\n\r\n"), id="another protocol"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.2\r\n"), id="another service"),
        pytest.param(says(b"HTTP/1.1 OK 200\r\n\r\n"), id="a garbled status line"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), id="a garbled header"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n"), id="a garbled length"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 300_000, b"\r\n\r\n"), id="endless headers"),
    ],
)
def test_without_a_status_nobody_knows(act: Act, mode: Mode, kind: type[ChannelError]) -> None:
    with served(act) as (http, server):
        with pytest.raises(kind, match="did not answer"):
            post(http, mode)
        assert len(server.requests) == 1, "it is not tried again"
        assert server.requests[0].endswith(b'{"text":"words"}')


@pytest.mark.parametrize(("mode", "kind"), MEANING)
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n"])
def test_a_server_that_falls_silent(before: bytes, mode: Mode, kind: type[ChannelError]) -> None:
    with served(stalls(before), timeout=0.3) as (http, _server), pytest.raises(kind, match="ReadTimeout"):
        post(http, mode)


@pytest.mark.parametrize(("mode", "kind"), MEANING)
def test_a_reset_amid_the_request(mode: Mode, kind: type[ChannelError]) -> None:
    def torn(connection: socket.socket) -> None:
        connection.recv(1)
        resets()(connection)

    with served(torn, reads=False) as (http, _server), pytest.raises(kind, match="did not answer"):
        post(http, mode)


# --- half an answer ---------------------------------------------------------------------------------------------------

BROKEN_BODIES = [
    pytest.param(says(b"Content-Length: 100\r\n\r\n", b'{"id": '), id="cut off"),
    pytest.param(resets(b'Content-Length: 100\r\n\r\n{"id": '), id="reset"),
    pytest.param(stalls(b'Content-Length: 100\r\n\r\n{"id": '), id="stalled"),
    pytest.param(says(b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\nzz\r\n'), id="garbled chunks"),
    pytest.param(says(b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n'), id="missing chunks"),
    pytest.param(says(b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"), id="garbled compression"),
    pytest.param(says(b"Content-Length: 9\r\n\r\n<html>ok<"), id="no JSON"),
]


def after(status: bytes, act: Act) -> Act:
    """A status line, then that."""

    def both(connection: socket.socket) -> None:
        connection.sendall(status)
        act(connection)

    return both


@pytest.mark.parametrize(("mode", "kind"), MEANING)
@pytest.mark.parametrize("act", BROKEN_BODIES)
def test_a_success_without_its_body_is_unknown(act: Act, mode: Mode, kind: type[ChannelError]) -> None:
    with (
        served(after(b"HTTP/1.1 200 OK\r\n", act), timeout=1) as (http, _server),
        pytest.raises(kind, match="cannot be read"),
    ):
        post(http, mode)


@pytest.mark.parametrize("act", BROKEN_BODIES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"HTTP/1.1 422 Unprocessable Content\r\n", Rejected),
        (b"HTTP/1.1 425 Too Early\r\n", Retryable),
        (b"HTTP/1.1 408 Request Timeout\r\n", Retryable),
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 90\r\n", RateLimited),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: Mon, 23 Nov 2026 08:31:30 GMT\r\n"
            b"Date: Mon, 23 Nov 2026 08:30:00 GMT\r\n",
            RateLimited,
        ),
    ],
)
def test_a_refusal_holds_without_its_body(act: Act, status: bytes, kind: type[ChannelError]) -> None:
    """It never becomes unconfirmed."""
    with served(after(status, act), timeout=1) as (http, _server), pytest.raises(kind) as caught:
        post(http, "sending")
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", 90) == 90


def test_a_server_error_while_sending_is_unknown() -> None:
    with (
        served(says(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")) as (http, _s),
        pytest.raises(UnknownOutcome, match="503"),
    ):
        post(http, "sending")


# --- slow and odd, but an answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(drips(FINE, 0.005), id="dripping"),
        pytest.param(half_closes(FINE), id="half-closing afterwards"),
        pytest.param(half_closes(b'HTTP/1.1 200 OK\r\n\r\n{"id": "1"}'), id="ended by half-closing"),
        pytest.param(says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + FINE), id="hints first"),
        pytest.param(says(FINE.replace(b"1.1", b"1.0", 1)), id="HTTP/1.0"),
        pytest.param(says(FINE + b"HTTP/1.1 500 and more"), id="more than asked for"),
    ],
)
def test_an_answer_is_an_answer(act: Act) -> None:
    with served(act) as (http, _server):
        assert post(http, "sending").json == {"id": "1"}


def test_a_refusal_before_the_body_was_taken() -> None:
    """As proxies do with what is too large: the client has not finished writing."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with served(refuse, reads=False) as (http, _server), pytest.raises(Rejected, match="413"):
        http.call("POST", "/api/things", mode="sending", json={"text": "x" * 5_000_000})


def test_an_endless_drip_is_ended_by_the_deadline() -> None:
    """Every byte is in time, the whole never: only a total deadline helps."""
    act = drips(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b" " * 99_999, 0.02)
    with served(act, timeout=20) as (http, server):
        with pytest.raises(DeadlinePassed):
            within(1, lambda: post(http, "sending"))
        http.close()
        assert server.done.acquire(timeout=20), "the connection is let go of"


def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    """A request on it would count as unknown."""
    with served(says(FINE)) as (http, server):
        for n in range(1, 4):
            assert post(http, "sending").json == {"id": "1"}
            assert server.done.acquire(timeout=20)
            assert len(server.requests) == n


# --- never a request --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reading", "sending"])
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), id="no TLS there"),
        pytest.param(says(b""), id="closes in the handshake"),
        pytest.param(resets(), id="resets in the handshake"),
    ],
)
def test_without_a_handshake_nothing_was_sent(act: Act, mode: Mode) -> None:
    def hello_first(connection: socket.socket) -> None:
        connection.recv(65536)
        act(connection)

    with (
        served(hello_first, reads=False, scheme="https") as (http, _server),
        pytest.raises(Retryable, match="cannot be reached"),
    ):
        post(http, mode)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/" + "x" * 70_000, {}, {}),
        ("/\x00", {}, {}),
        ("/", {"text": "half a character \ud83d"}, {}),
        ("/", {}, {"Idempotency-Key": "clé"}),
    ],
)
def test_what_cannot_be_written_is_refused(path: str, body: dict[str, str], headers: dict[str, str]) -> None:
    with served(says(FINE)) as (http, server):
        with pytest.raises(Rejected, match="cannot be written"):
            http.call("POST", path, mode="sending", json=body, headers=headers)
        assert server.requests == []
