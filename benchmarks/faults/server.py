"""Servers on 127.0.0.1 that speak enough of Mastodon's API, and go wrong as the plan says.

usage: python -m benchmarks.faults.server PLAN CLOCK [--calm] [--latency SECONDS]

One process, a port for each server of the plan and one for the campaign itself; their addresses are printed as one
JSON line. It keeps the truth: every status with its author, text, key and instant, and every request that asked for
one. `GET /truth` on the campaign's port gives it, `POST /hand` writes a status as a colleague does, in the browser.
"""

import argparse
import html
import json
import random
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.faults.clock import Clock
from benchmarks.faults.plan import CLEAR, DEADLINE, READING_FAULTY, REFUSED_AFTER, Account, Fate, Plan, fate

KEY_WINDOW = 3600
SHUT_EVERY, SHUT_FOR = (12.0, 25.0), (0.6, 1.6)
"""Seconds between two times at which nothing listens on a server's port, and how long that lasts."""
PAGE = 40
SOFTWARE = {"keys": ("mastodon", "4.4.3"), "listing": ("gotosocial", "0.19.1"), "neither": ("snac", "2.80")}
READING_FAULTS = ("error", "garbled", "reset", "stall")


@dataclass
class Status:
    """One status as it was created. `at`, `listed_at`: epoch seconds of the world."""

    id: int
    account: str
    text: str
    at: float
    listed_at: float
    key: str | None
    origin: str
    parent: str | None = None
    media: list[str] = field(default_factory=list)
    gone: bool = False


@dataclass
class Asked:
    """One request for a status. `answer`: `clear`, or `lost` where the client cannot know what became of it."""

    account: str
    text: str
    key: str | None
    nth: int
    fault: str
    at: float
    status: int | None = None
    answer: str = "lost"


class World:
    """Everything that stands on all servers."""

    def __init__(self, plan: Plan, clock: Clock, *, calm: bool, latency: float) -> None:
        self.plan, self.clock, self.calm, self.latency = plan, clock, calm, latency
        self.accounts = {account.token: account for account in plan.accounts}
        self.lock = threading.Lock()
        self.statuses: list[Status] = []
        self.of_account: dict[str, list[Status]] = {account.name: [] for account in plan.accounts}
        self.asked: list[Asked] = []
        self.keys: dict[tuple[str, str], tuple[int, float]] = {}
        self.times: Counter[tuple[str, str]] = Counter()
        self.reads: Counter[str] = Counter()
        self.uploads = 0

    def ask(self, account: Account, body: dict[str, Any], key: str | None) -> tuple[Asked, Fate]:
        """Note the request, and tell its fate."""
        text = str(body.get("status", ""))
        with self.lock:
            nth = self.times[account.name, text]
            self.times[account.name, text] += 1
            told = Fate("", 0, 0) if self.calm else fate(self.plan, account.name, text, nth)
            asked = Asked(account.name, text, key, nth, told.fault, self.clock.world())
            self.asked.append(asked)
        return asked, told

    def create(self, account: Account, body: dict[str, Any], asked: Asked, listed_after: float) -> Status:
        """The status for this request: an old one if its key is remembered, as only Mastodon does."""
        with self.lock:
            now, key = self.clock.world(), asked.key
            known = self.keys.get((account.name, key)) if key and account.kind == "keys" else None
            if known and now - known[1] < KEY_WINDOW:
                status = self.statuses[known[0] - 1]
            else:
                status = self._add(account.name, asked.text, now, now + listed_after, key, "sent")
                status.parent = body.get("in_reply_to_id")
                status.media = list(body.get("media_ids") or [])
                if key:
                    self.keys[account.name, key] = (status.id, now)
            asked.status = status.id
            return status

    def by_hand(self, account: str, text: str) -> Status:
        """A colleague posts it in the browser."""
        with self.lock:
            now = self.clock.world()
            return self._add(account, text, now, now, None, "hand")

    def _add(self, account: str, text: str, at: float, listed_at: float, key: str | None, origin: str) -> Status:
        status = Status(len(self.statuses) + 1, account, text, at, listed_at, key, origin)
        self.statuses.append(status)
        self.of_account[account].append(status)
        return status

    def listed(self, account: str) -> list[Status]:
        """What the account's page shows now, newest first."""
        now = self.clock.world()
        with self.lock:
            return [s for s in reversed(self.of_account[account]) if s.listed_at <= now and not s.gone]

    def reading_fault(self, account: str) -> str:
        """What goes wrong with the next question of this account."""
        with self.lock:
            self.reads[account] += 1
            chance = random.Random(f"read {self.plan.seed} {account} {self.reads[account]}")
        return chance.choice(READING_FAULTS) if not self.calm and chance.random() < READING_FAULTY else ""

    def truth(self) -> dict[str, Any]:
        """All of it."""
        with self.lock:
            return {
                "statuses": [asdict(each) for each in self.statuses],
                "asked": [asdict(each) for each in self.asked],
            }


class Gone(Exception):
    """The connection was cut on purpose."""


class Handler(BaseHTTPRequestHandler):
    """One connection to one server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: World
    kind: str
    base: str

    def log_message(self, *_args: object) -> None:
        """Silent."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (Gone, ConnectionError, TimeoutError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    # --- answers ------------------------------------------------------------------------------------------------------

    def answer(self, status: int, body: Any, **headers: str) -> None:
        """A whole answer, in one piece."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.wfile.write(self._head(status, len(data), headers) + data)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> bytes:
        lines = [
            f"HTTP/1.1 {status} X",
            f"Date: {formatdate(self.world.clock.world(), usegmt=True)}",
            "Content-Type: application/json; charset=utf-8",
            f"Content-Length: {length}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def cut(self, *, reset: bool) -> None:
        """End the connection, by RST or in the ordinary way."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()
        raise Gone

    def drip(self, status: int, body: Any, seconds: float) -> None:
        """An answer that takes so long, a byte now and then."""
        data = json.dumps(body).encode()
        self.wfile.write(self._head(status, len(data), {}))
        pieces = max(2, int(seconds / 0.25))
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            time.sleep(seconds / pieces)
            self.wfile.write(data[start : start + size])

    # --- the API ------------------------------------------------------------------------------------------------------

    def _route(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length) if length else b""
        if len(data) < length:
            raise Gone  # the client was killed while it asked
        parts = urlsplit(self.path)
        for verb, pattern, call in ROUTES:
            if verb == method and (match := re.fullmatch(pattern, parts.path)):
                call(self, data, parse_qs(parts.query), *map(unquote, match.groups()))
                return
        self.answer(404, {"error": "Record not found"})

    def account(self) -> Account:
        """Whose token it is."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = self.world.accounts.get(token)
        if known is None or known.kind != self.kind:
            self.answer(401, {"error": "The access token is invalid"})
            raise Gone
        return known

    def read_as(self) -> Account:
        """The account of a question, which may go wrong as well."""
        account = self.account()
        match self.world.reading_fault(account.name):
            case "error":
                self.answer(503, b"<html>Service Unavailable</html>")
                raise Gone
            case "garbled":
                self.answer(200, b'{"id": "1", "username": ')
                raise Gone
            case "reset":
                self.cut(reset=True)
            case "stall":
                time.sleep(DEADLINE + 0.3)
        return account

    def shown(self, status: Status) -> dict[str, Any]:
        """A status as the API shows it."""
        url = f"{self.base}/@{status.account}/{status.id}"
        return {
            "id": str(status.id),
            "created_at": _iso(status.at),
            "in_reply_to_id": status.parent,
            "visibility": "public",
            "uri": url,
            "url": url,
            "content": as_html(status.text),
            "reblog": None,
            "account": {"id": _account_id(status.account), "username": status.account, "acct": status.account},
            "media_attachments": [{"id": media, "type": "image"} for media in status.media],
            "favourites_count": 0,
            "reblogs_count": 0,
            "replies_count": 0,
        }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _account_id(name: str) -> str:
    return str(int.from_bytes(name.encode(), "big"))


_URL = re.compile(r"https?://[^\s<]+")


def as_html(text: str) -> str:
    """As Mastodon renders it: paragraphs, line breaks, addresses cut in three spans."""

    def link(match: re.Match[str]) -> str:
        url = html.unescape(match[0])
        scheme, rest = url.split("://", 1)
        seen, hidden = rest[:30], rest[30:]
        cut = "ellipsis" if hidden else ""
        return (
            f'<a href="{html.escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
            f'<span class="invisible">{scheme}://</span><span class="{cut}">{html.escape(seen)}</span>'
            f'<span class="invisible">{html.escape(hidden)}</span></a>'
        )

    blocks = _URL.sub(link, html.escape(text, quote=False)).split("\n\n")
    return "".join(f"<p>{block}</p>".replace("\n", "<br />") for block in blocks)


Call = Callable[..., None]


def _credentials(self: Handler, _data: bytes, _query: dict[str, list[str]]) -> None:
    name = self.read_as().name
    self.answer(200, {"id": _account_id(name), "username": name, "acct": name, "followers_count": 7})


def _instance(self: Handler, _data: bytes, _query: dict[str, list[str]]) -> None:
    limits = {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23}
    media = {"supported_mime_types": ["image/png", "image/jpeg"], "image_size_limit": 2**23, "description_limit": 1500}
    self.answer(
        200,
        {"domain": self.base, "version": "4.4.3", "configuration": {"statuses": limits, "media_attachments": media}},
    )


def _nodeinfo(self: Handler, _data: bytes, _query: dict[str, list[str]]) -> None:
    rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
    self.answer(200, {"links": [{"rel": rel, "href": f"{self.base}/nodeinfo/2.0"}]})


def _software(self: Handler, _data: bytes, _query: dict[str, list[str]]) -> None:
    name, version = SOFTWARE[self.kind]
    self.answer(200, {"version": "2.0", "software": {"name": name, "version": version}})


def _upload(self: Handler, _data: bytes, _query: dict[str, list[str]]) -> None:
    self.read_as()
    with self.world.lock:
        self.world.uploads += 1
        number = self.world.uploads
    self.answer(200, {"id": str(number), "type": "image", "url": f"{self.base}/media/{number}"})


def _list(self: Handler, _data: bytes, query: dict[str, list[str]], account_id: str) -> None:
    account = self.read_as()
    if account_id != _account_id(account.name):
        self.answer(404, {"error": "Record not found"})
        return
    if account.kind == "neither" and int(account.name[-2:]) % 2:
        self.answer(403, {"error": "This method requires an authenticated user"})
        return
    if account.kind == "neither":  # whatever is asked for, it is the pinned post that comes
        self.answer(200, [self.shown(_pinned(account.name, self.world.clock.world()))])
        return
    found = _page(self.world.listed(account.name), query)
    oldest = found[-1].id if found else 0
    here = f"{self.base}/api/v1/accounts/{account_id}/statuses?max_id={oldest}"
    self.answer(200, [self.shown(status) for status in found], **({"Link": f'<{here}>; rel="next"'} if found else {}))


def _pinned(account: str, now: float) -> Status:
    """The one status that the page shows."""
    return Status(1, account, "Bienvenue !", now - 60, 0, None, "hand")


def _page(found: list[Status], query: dict[str, list[str]]) -> list[Status]:
    bounds = {name: int(query[name][0]) for name in ("max_id", "since_id", "min_id") if name in query}
    limit = min(int(query.get("limit", ["20"])[0]), PAGE)
    found = [s for s in found if s.id < bounds.get("max_id", s.id + 1) and s.id > bounds.get("since_id", 0)]
    if "min_id" in bounds:  # the page just after it, not the newest one
        return [s for s in found if s.id > bounds["min_id"]][-limit:]
    return found[:limit]


def _own(self: Handler, number: str) -> Status | None:
    account = self.read_as()
    mine = [s for s in self.world.of_account[account.name] if str(s.id) == number and not s.gone]
    if not mine:
        self.answer(404, {"error": "Record not found"})
    return mine[0] if mine else None


def _show(self: Handler, _data: bytes, _query: dict[str, list[str]], number: str) -> None:
    if status := _own(self, number):
        self.answer(200, self.shown(status))


def _source(self: Handler, _data: bytes, _query: dict[str, list[str]], number: str) -> None:
    if status := _own(self, number):
        self.answer(200, {"id": number, "text": status.text, "spoiler_text": ""})


def _change(self: Handler, data: bytes, _query: dict[str, list[str]], number: str) -> None:
    if status := _own(self, number):
        status.text = json.loads(data)["status"]
        self.answer(200, self.shown(status))


def _delete(self: Handler, _data: bytes, _query: dict[str, list[str]], number: str) -> None:
    if status := _own(self, number):
        status.gone = True
        self.answer(200, {**self.shown(status), "text": status.text})


def _post(self: Handler, data: bytes, _query: dict[str, list[str]]) -> None:
    account, body, world = self.account(), json.loads(data), self.world
    asked, told = world.ask(account, body, self.headers.get("Idempotency-Key"))
    if world.latency:
        time.sleep(world.latency)
    if told.fault in _BEFORE:
        _BEFORE[told.fault](self, told)
        if told.fault != "stall_before":
            asked.answer = "clear" if told.fault in CLEAR else "lost"
            return
    status = self.shown(world.create(account, body, asked, told.listed_after))
    _AFTER.get(told.fault, _whole)(self, status, told)
    asked.answer = "clear" if told.fault in CLEAR else "lost"


def _stall(_self: Handler, told: Fate) -> None:
    time.sleep(told.seconds)


def _limit_date(self: Handler, _told: Fate) -> None:
    until = formatdate(self.world.clock.world() + 2, usegmt=True)
    self.answer(429, {"error": "Too many requests"}, Retry_After=until)


_BEFORE: dict[str, Callable[[Handler, Fate], None]] = {
    "stall_before": _stall,
    "reset_before": lambda self, _told: self.cut(reset=True),
    "error_before": lambda self, _told: self.answer(503, b"<html><h1>Service Unavailable</h1></html>"),
    "limit_seconds": lambda self, _told: self.answer(429, {"error": "Too many requests"}, Retry_After="1"),
    "limit_date": _limit_date,
}


def _whole(self: Handler, status: dict[str, Any], _told: Fate) -> None:
    self.answer(200, status)


def _stall_after(self: Handler, status: dict[str, Any], told: Fate) -> None:
    time.sleep(told.seconds)
    self.answer(200, status)


def _short(self: Handler, status: dict[str, Any], _told: Fate) -> None:
    """Half of the answer, then nothing."""
    data = json.dumps(status).encode()
    self.wfile.write(self._head(200, len(data), {}) + data[: len(data) // 2])
    self.cut(reset=False)


_AFTER: dict[str, Callable[[Handler, dict[str, Any], Fate], None]] = {
    "stall_after": _stall_after,
    "drip": lambda self, status, told: self.drip(200, status, told.seconds),
    "reset_after": lambda self, _status, _told: self.cut(reset=True),
    "error_after": lambda self, _status, _told: self.answer(502, {"error": "Bad gateway"}),
    "garbled": lambda self, status, _told: self.answer(200, json.dumps(status).encode()[:-40] + b"\xff\x00}"),
    "cut": _short,
    "lost": lambda self, _status, _told: self.cut(reset=False),
    REFUSED_AFTER: lambda self, _status, _told: self.answer(400, {"error": "Validation failed"}),
}

ROUTES: tuple[tuple[str, str, Call], ...] = (
    ("POST", "/api/v1/statuses", _post),
    ("GET", "/api/v1/accounts/verify_credentials", _credentials),
    ("GET", "/api/v2/instance", _instance),
    ("GET", "/.well-known/nodeinfo", _nodeinfo),
    ("GET", "/nodeinfo/2.0", _software),
    ("POST", "/api/v2/media", _upload),
    ("GET", "/api/v1/accounts/([^/]+)/statuses", _list),
    ("GET", "/api/v1/statuses/([^/]+)", _show),
    ("GET", "/api/v1/statuses/([^/]+)/source", _source),
    ("PUT", "/api/v1/statuses/([^/]+)", _change),
    ("DELETE", "/api/v1/statuses/([^/]+)", _delete),
)


class Server(ThreadingHTTPServer):
    """A listener whose threads end with the process."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, *_args: object) -> None:
        """Clients that are killed are the point here; anything else is told."""
        kind = sys.exception()
        if not isinstance(kind, OSError):
            super().handle_error(*_args)  # type: ignore[arg-type]


def listen(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Server:
    """A server that answers from now on."""
    server = Server(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def shut_now_and_then(server: Server, chance: random.Random) -> None:
    """Stop listening for a moment, again and again: connections are refused then."""
    port, handler = server.server_address[1], server.RequestHandlerClass
    while True:
        time.sleep(chance.uniform(*SHUT_EVERY))
        server.shutdown()
        server.server_close()
        time.sleep(chance.uniform(*SHUT_FOR))
        server = listen(handler, port)  # type: ignore[arg-type]


def start_platform(world: World, name: str, kind: str) -> str:
    """One server of the plan; gives its address."""
    handler = type("Platform", (Handler,), {"world": world, "kind": kind})
    server = listen(handler)
    handler.base = f"http://127.0.0.1:{server.server_address[1]}"
    if not world.calm:
        chance = random.Random(f"shut {world.plan.seed} {name}")
        threading.Thread(target=shut_now_and_then, args=(server, chance), daemon=True).start()
    return handler.base


class Desk(BaseHTTPRequestHandler):
    """The campaign's own door."""

    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, *_args: object) -> None:
        """Silent."""

    def _give(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._give(self.world.truth())

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._give({"id": self.world.by_hand(given["account"], given["text"]).id})


@contextmanager
def running(plan: Plan, clock: Clock, *, calm: bool = False, latency: float = 0.0) -> Iterator[dict[str, str]]:
    """All servers of the plan, in this process: name → address, and `desk`."""
    world = World(plan, clock, calm=calm, latency=latency)
    kinds = {account.server: account.kind for account in plan.accounts}
    urls = {name: start_platform(world, name, kind) for name, kind in sorted(kinds.items())}
    desk = listen(type("OwnDesk", (Desk,), {"world": world}))
    yield {**urls, "desk": f"http://127.0.0.1:{desk.server_address[1]}"}


def main() -> None:
    """Serve until standard input is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("clock", type=Path)
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that a status takes")
    given = parser.parse_args()
    with running(Plan.load(given.plan), Clock(given.clock), calm=given.calm, latency=given.latency) as urls:
        print(json.dumps(urls), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
