"""A pretend PDS with its film service and index, behind the wire, and what tests send to it.

It keeps repositories as the reference server does: records by key, a commit for each change, `putRecord` that does
nothing for the same record and answers `InvalidSwap` for another, blobs that must have been uploaded, tokens that end.
Every request is held against the lexicons where they are there.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import regex
import respx
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.bluesky.posting import COLLECTION, tid
from cm.channels.contract import PICTURE
from cm.channels.port import Context, Media, Outgoing, Values
from cm.clock import SettableClock

ENTRY = "https://bsky.social"
PDS = "https://amanita.host.example"
VIDEO = "https://video.bsky.app"
HANDLE = "tilleuls.example"
DID, OTHER = "did:plc:tilleuls7hospital234567", "did:plc:serviceregional22345678"
APP_PASSWORD = "abcd-efgh-ijkl-mnop"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
MESSAGE = Outgoing("Semaine des dons du sang 🩸", "fr", NOW, link="https://hopital.example/dons")
DOCUMENT = {"id": DID, "service": [{"id": "#atproto_pds", "type": "x", "serviceEndpoint": PDS}]}


def jwt(kind: str, number: int, *, lasts: int) -> str:
    """A token with the claims that a server writes."""
    issued = int(NOW.timestamp())
    claims = {"scope": kind, "sub": DID, "iat": issued, "exp": issued + lasts, "jti": str(number)}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, f"signature{number}"])


@dataclass
class Stored:
    """A login as the host keeps it, renewed as the port says; `renewals` counts."""

    values: dict[str, str]
    clock: SettableClock
    renewals: int = 0

    def read(self) -> Values:
        return dict(self.values)

    def fresh(self, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
        ends = self.values.get("expires_at")
        if ends and datetime.fromisoformat(ends) - self.clock.now() < timedelta(seconds=margin):
            self.keep(renew(dict(self.values)))
            self.renewals += 1
        return dict(self.values)

    def keep(self, told: Values) -> None:
        """Merge what a login or its renewal gave."""
        kept = dict(told)
        if lasts := kept.pop("expires_in", None):
            kept["expires_at"] = (self.clock.now() + timedelta(seconds=int(lasts))).isoformat()
        self.values.update(kept)


@dataclass
class PretendPds:
    """The state of the other side. `faults`: answers for the next calls of a name, in place of the real one."""

    lexicons: Lexicons | None = None
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sessions: int = 0
    alive: set[str] = field(default_factory=set)
    commits: int = 0
    faults: dict[str, list[Any]] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=lambda: {"service.example": OTHER, HANDLE: DID})
    requests: list[httpx.Request] = field(default_factory=list)
    arrive: bool = False
    """Let a call whose fault is an exception happen before its answer is lost."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Any request."""
        self.requests.append(request)
        if self.lexicons:
            self.lexicons.request(request)
        nsid = urlsplit(str(request.url)).path.removeprefix("/xrpc/")
        if waiting := self.faults.get(nsid):
            fault = waiting.pop(0)
            if isinstance(fault, httpx.Response):
                return fault
            if self.arrive:
                self._done(nsid, request)
            raise fault
        return self._done(nsid, request)

    def _done(self, nsid: str, request: httpx.Request) -> httpx.Response:
        method = getattr(self, nsid.rpartition(".")[2])
        query = parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True)
        reply: httpx.Response = method(request, dict(query))
        reply.headers.setdefault("Date", format_datetime(NOW, usegmt=True))
        return reply

    def calls(self, name: str) -> list[httpx.Request]:
        """The requests of that name, in order."""
        return [request for request in self.requests if request.url.path.endswith(f".{name}")]

    def uri(self, key: str) -> str:
        return f"at://{DID}/{COLLECTION}/{key}"

    # --- sessions ---------------------------------------------------------------------------------------------------

    def createSession(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        given = json.loads(request.content)
        if given["password"] != APP_PASSWORD or given["identifier"] not in (HANDLE, "post@tilleuls.example"):
            return refused(401, "AuthenticationRequired", "Invalid identifier or password")
        return httpx.Response(200, json={**self.session(), "didDoc": DOCUMENT})

    def refreshSession(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        if bearer(request) not in self.alive:
            return refused(400, "ExpiredToken", "Token has been revoked")
        return httpx.Response(200, json=self.session())

    def deleteSession(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        if bearer(request) not in self.alive:
            return refused(400, "InvalidToken", "Token could not be verified")
        self.alive.clear()
        return httpx.Response(200)

    def session(self) -> dict[str, Any]:
        """A new pair of tokens."""
        self.sessions += 1
        access, refresh = jwt("access", self.sessions, lasts=7200), jwt("refresh", self.sessions, lasts=90 * 86400)
        self.alive |= {access, refresh}
        return {"accessJwt": access, "refreshJwt": refresh, "did": DID, "handle": HANDLE, "active": True}

    def getSession(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        told = {"did": DID, "handle": HANDLE, "active": True, "emailConfirmed": True, "didDoc": DOCUMENT}
        return self._signed(request) or httpx.Response(200, json=told)

    def getServiceAuth(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        return self._signed(request) or httpx.Response(200, json={"token": "signed-for-the-film-service"})

    def _signed(self, request: httpx.Request) -> httpx.Response | None:
        if bearer(request) in self.alive and "access" in jwt_text(bearer(request)):
            return None
        return refused(401, "AuthMissing", "Authentication Required")

    # --- records ----------------------------------------------------------------------------------------------------

    def putRecord(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        if (no := self._signed(request)) is not None:
            return no
        body = json.loads(request.content)
        assert body["swapRecord"] is None, "what stands there is never overwritten"
        record, key = body["record"], body["rkey"]
        if self.lexicons and not too_long(record["text"]):
            self.lexicons.record(record, key)
        if too_long(record["text"]):
            said = "Invalid app.bsky.feed.post record: Record/text must not be longer than 300 graphemes"
            return refused(400, "InvalidRequest", said)
        missing = [link for link in blob_links(record) if link not in self.blobs]
        if missing:
            return refused(400, "BlobNotFound", f"Could not find blob: {missing[0]}")
        told = {"uri": self.uri(key), "cid": cid(record), "validationStatus": "valid"}
        if key in self.records:
            same = cid(self.records[key]) == cid(record)
            was = cid(self.records[key])
            return httpx.Response(200, json=told) if same else refused(400, "InvalidSwap", f"Record was at {was}")
        self.records[key] = record
        self.commits += 1
        return httpx.Response(200, json={**told, "commit": {"cid": cid(record), "rev": self.rev}})

    def getRecord(self, _request: httpx.Request, query: Mapping[str, str]) -> httpx.Response:
        record = self.records.get(query["rkey"]) if query["repo"] == DID else None
        if record is None:
            return refused(400, "RecordNotFound", f"Could not locate record: at://{query['repo']}/{query['rkey']}")
        return httpx.Response(200, json={"uri": self.uri(query["rkey"]), "cid": cid(record), "value": record})

    def listRecords(self, _request: httpx.Request, query: Mapping[str, str]) -> httpx.Response:
        keys = sorted((key for key in self.records if key < query.get("cursor", "~")), reverse=True)
        page = keys[: int(query["limit"])]
        records = [{"uri": self.uri(key), "cid": cid(self.records[key]), "value": self.records[key]} for key in page]
        return httpx.Response(200, json={"records": records, **({"cursor": page[-1]} if page else {})})

    def deleteRecord(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        if (no := self._signed(request)) is not None:
            return no
        if self.records.pop(json.loads(request.content)["rkey"], None) is not None:
            self.commits += 1
        return httpx.Response(200, json={})

    @property
    def rev(self) -> str:
        return tid(NOW + timedelta(seconds=self.commits), 0)

    def getLatestCommit(self, _request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        return httpx.Response(200, json={"cid": "bafyreicommit", "rev": self.rev})

    # --- blobs and films --------------------------------------------------------------------------------------------

    def uploadBlob(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        no = self._signed(request)
        return no or httpx.Response(200, json={"blob": self.blob(request.content, request.headers["content-type"])})

    def blob(self, content: bytes, mime: str) -> dict[str, Any]:
        """Keep a file."""
        link = "bafkrei" + hashlib.sha256(content).hexdigest()
        self.blobs[link] = {"$type": "blob", "ref": {"$link": link}, "mimeType": mime, "size": len(content)}
        return self.blobs[link]

    def uploadVideo(self, request: httpx.Request, query: Mapping[str, str]) -> httpx.Response:
        assert bearer(request) == "signed-for-the-film-service"
        assert query["did"] == DID
        states = [{"state": "JOB_STATE_ENCODING", "progress": 40}]
        states.append({"state": "JOB_STATE_COMPLETED", "blob": self.blob(request.content, "video/mp4")})
        self.jobs["job1"] = states
        return httpx.Response(200, json={"jobId": "job1", "did": DID, "state": "JOB_STATE_CREATED"})

    def getJobStatus(self, _request: httpx.Request, query: Mapping[str, str]) -> httpx.Response:
        states = self.jobs[query["jobId"]]
        state = states.pop(0) if len(states) > 1 else states[0]
        return httpx.Response(200, json={"jobStatus": {"jobId": query["jobId"], "did": DID, **state}})

    # --- people and figures -----------------------------------------------------------------------------------------

    def resolveHandle(self, _request: httpx.Request, query: Mapping[str, str]) -> httpx.Response:
        did = self.handles.get(query["handle"])
        unknown = refused(400, "InvalidRequest", "Unable to resolve handle")
        return httpx.Response(200, json={"did": did}) if did else unknown

    def getPosts(self, request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        keys = [uri.rpartition("/")[2] for uri in request.url.params.get_list("uris")]
        counts = {"likeCount": 3, "replyCount": 2, "repostCount": 1, "quoteCount": 1}
        posts = [{"uri": self.uri(key), **counts} for key in keys if key in self.records]
        return httpx.Response(200, json={"posts": posts})

    def getProfile(self, _request: httpx.Request, _query: Mapping[str, str]) -> httpx.Response:
        return httpx.Response(200, json={"did": DID, "handle": HANDLE, "followersCount": 412})


def refused(status: int, name: str, message: str, **headers: str) -> httpx.Response:
    """A refusal as XRPC writes it."""
    return httpx.Response(status, json={"error": name, "message": message}, headers=headers)


def cid(record: Mapping[str, Any]) -> str:
    """A content's hash, as good as the real one: equal for equal records."""
    return "bafyrei" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def too_long(text: str) -> bool:
    return len(regex.findall(r"\X", text)) > 300 or len(text.encode()) > 3000


def bearer(request: httpx.Request) -> str:
    return str(request.headers.get("authorization", "")).removeprefix("Bearer ")


def jwt_text(token: str) -> str:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "==").decode()


def blob_links(value: Any) -> Iterator[str]:
    """The links of all blobs in a record."""
    if isinstance(value, dict) and value.get("$type") == "blob":
        yield value["ref"]["$link"]
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from blob_links(inner)


@contextmanager
def serving(pds: PretendPds) -> Iterator[PretendPds]:
    """The wire ends at the pretend server, its entry and its film service."""
    with respx.mock(assert_all_called=False) as router:
        for server in (ENTRY, PDS, VIDEO):
            router.route(url__startswith=f"{server}/xrpc/").mock(side_effect=pds.answer)
        yield pds


def logged_in(pds: PretendPds, clock: SettableClock | None = None) -> Stored:
    """A login of the account, as `cm channel login` leaves it."""
    stored, told = Stored({}, clock or SettableClock(NOW)), pds.session()
    values = {"access_token": told["accessJwt"], "refresh_token": told["refreshJwt"], "did": DID, "handle": HANDLE}
    stored.keep({**values, "pds": PDS, "expires_in": "7200"})
    return stored


def context_for(stored: Stored | None, account: str = f"@{HANDLE}", **settings: Any) -> Context:
    """The context of a channel there."""
    return Context(
        channel="bluesky",
        platform="bluesky",
        account=account,
        workspace=Path("/nowhere"),
        settings=BlueskyAdapter.Settings.model_validate(settings),
        clock=SettableClock(NOW),
        secret=lambda: None,
        credentials=stored,
    )


def tiny_film(width: int = 640, height: int = 360) -> bytes:
    """The boxes of an MP4 that tell its length and size, without a picture."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    track = bytes(40) + upright + struct.pack(">II", width << 16, height << 16)
    facts = box(b"mvhd", struct.pack(">3I2I", 0, 0, 0, 1000, 12_000)) + box(b"trak", box(b"tkhd", track))
    return box(b"ftyp", b"isom") + box(b"moov", facts)


def media_at(path: Path, data: bytes = PICTURE, mime: str = "image/png", alt: str = "Une infirmière sourit.") -> Media:
    """A small file, written there."""
    path.write_bytes(data)
    return Media(path, mime, hashlib.sha256(data).hexdigest(), alt)
