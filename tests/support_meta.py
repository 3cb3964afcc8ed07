"""A pretend Graph API, and the tables of Meta's own SDK by which each request to it is judged.

The SDK (`facebook-business`) is read as text, never imported: which edges a node has, which parameters and values
they take, which fields may be asked (of the parts of an attachment it knows nothing). Without the package requests
are not judged, which `sdk()` tells a test that needs it. What Graph takes everywhere (paging, fields, the proof) is
no part of those tables and named here.
"""

import ast
import hashlib
import hmac
import json
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from support_openapi import _sent

from cm.channels.meta import VERSION
from cm.channels.port import Context, Network, Values
from cm.clock import SettableClock

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
PAGE, APP, SECRET, TOKEN = "1020304050", "4711", "canary-app-secret-0001", "canary-page-token-0001"
LOGIN = {"access_token": TOKEN, "client_id": APP, "client_secret": SECRET, "user_id": "99"}
EVERYWHERE = frozenset({"fields", "limit", "after", "before", "since", "until", "appsecret_proof"})
DOCUMENTED = {("Page", "tasks")}
"""Fields that the SDK leaves out: `/me/accounts` gives them, and its page says so."""


# --- the SDK's tables -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One edge of a node: its parameters with their types, values of enums, and what it gives."""

    parameters: Mapping[str, str]
    enums: Mapping[str, list[str]]
    target: str


@dataclass(frozen=True)
class Node:
    """One class of the SDK."""

    fields: frozenset[str]
    calls: Mapping[tuple[str, str], Call]


def sdk() -> Path:
    """The folder with the SDK's tables; the test is skipped where the package is not installed."""
    return _folder() or pytest.skip("needs the package facebook-business (26.0.3), which is not installed")


@cache
def _folder() -> Path | None:
    spec = find_spec("facebook_business")
    return Path(spec.origin).parent / "adobjects" if spec and spec.origin else None


@cache
def node_of(name: str) -> Node | None:
    """The tables of one class; None where the SDK says nothing of it (or is not there)."""
    folder = _folder()
    file = folder / f"{name.lower()}.py" if folder else None
    if file is None or not file.is_file() or name == "AbstractCrudObject":
        return None
    (found,) = [each for each in _parsed(file).body if isinstance(each, ast.ClassDef)]
    inner = {each.name: _constants(each) for each in found.body if isinstance(each, ast.ClassDef)}
    calls = dict(_calls(found, name, inner))
    return Node(frozenset(inner.get("Field", [])), calls)


@cache
def _parsed(file: Path) -> ast.Module:
    """A file of the SDK. Some name a constant by a word of Python (`or = 'or'`) and could not be imported at all."""
    words = "|".join(keyword.kwlist)
    return ast.parse(re.sub(rf"(?m)^(\s+)({words}) = '", r"\1\2_ = '", file.read_text()))


def _constants(of: ast.ClassDef) -> list[str]:
    given = [each.value for each in of.body if isinstance(each, ast.Assign)]
    return [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _calls(of: ast.ClassDef, name: str, inner: Mapping[str, list[str]]) -> Iterator[tuple[tuple[str, str], Call]]:
    for function in of.body:
        asked = [n for n in ast.walk(function) if isinstance(n, ast.Call) and _named(n.func) == "FacebookRequest"]
        if not isinstance(function, ast.FunctionDef) or not asked:
            continue
        given = {each.arg: each.value for each in asked[0].keywords}
        tables = {_named(n.targets[0]): n.value for n in function.body if isinstance(n, ast.Assign)}
        parameters = _table(tables["param_types"])
        enums = {key: _values(value, name, inner) for key, value in _raw(tables["enums"]).items()}
        method, endpoint = ast.literal_eval(given["method"]), ast.literal_eval(given["endpoint"]).strip("/")
        yield (method, endpoint), Call(parameters, enums, _named(given["target_class"]))


def _named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _raw(node: ast.AST) -> dict[str, ast.AST]:
    assert isinstance(node, ast.Dict)
    return {
        key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }


def _table(node: ast.AST) -> dict[str, str]:
    return {key: ast.literal_eval(value) for key, value in _raw(node).items()}


def _values(node: ast.AST, name: str, inner: Mapping[str, list[str]]) -> list[str]:
    """A list, or the constants of a class that is named as `AdVideo.VideoState.__dict__.values()`."""
    if isinstance(node, ast.List):
        return list(ast.literal_eval(node))
    owner, kind = ast.unparse(node).split(".")[:2]
    if owner == name:
        return inner[kind]
    folder = _folder()
    assert folder is not None
    (found,) = [n for n in _parsed(folder / f"{owner.lower()}.py").body if isinstance(n, ast.ClassDef)]
    return next(_constants(each) for each in found.body if isinstance(each, ast.ClassDef) and each.name == kind)


def judge(method: str, kind: str, edge: str, query: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """One request to an edge of a node of that class; '' is the node itself. Raises AssertionError."""
    node = node_of(kind)
    if node is None:
        assert _folder() is None, f"the SDK knows no {kind}"
        return
    call = node.calls.get((method, edge))
    assert call is not None, f"{kind} has no {method} /{edge}"
    given = {**query, **body}
    files = {"source"} if edge == "photos" else set()
    for name, value in given.items():
        assert name in call.parameters or name in EVERYWHERE | files, f"{method} {kind}/{edge} takes no {name}"
        allowed = call.enums.get(call.parameters.get(name, ""))
        assert allowed is None or value in allowed, f"{name}={value} is none of {allowed}"
        expected = {"string": str, "bool": bool | str}.get(call.parameters.get(name, ""))
        assert expected is None or isinstance(value, expected), f"{name} is {type(value).__name__}"
    _judge_fields(query.get("fields", ""), call.target if edge else kind)


def _judge_fields(fields: str, kind: str) -> None:
    node = node_of(kind)
    for name, inner in _split(fields):
        edge = node.calls.get(("GET", name)) if node else None
        known = node is None or name in node.fields or edge or (kind, name) in DOCUMENTED
        assert known, f"{kind} has no field {name}"
        if inner and edge:
            _judge_fields(inner, edge.target)


def _split(fields: str) -> Iterator[tuple[str, str]]:
    """`a,b{c,d},e.limit(0)` as names with what stands in their braces."""
    depth, word = 0, ""
    for char in f"{fields},":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            name, _brace, inner = word.partition("{")
            if name:
                yield name.partition(".")[0], inner.removesuffix("}")
            word = ""
        else:
            word += char


# --- a pretend platform -----------------------------------------------------------------------------------------------


class Stored:
    """A login in memory, with the port's way of renewing it."""

    def __init__(self, values: Values) -> None:
        self.values = dict(values)

    def read(self) -> Values:
        return self.values

    def fresh(self, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
        ends = self.values.get("expires_at")
        if ends and datetime.fromisoformat(ends) - NOW < timedelta(seconds=margin):
            renewed = dict(renew(self.values))
            seconds = float(renewed.pop("expires_in", 0))
            self.values |= {**renewed, "expires_at": (NOW + timedelta(seconds=seconds)).isoformat()}
        return self.values


def context_of(platform: str, settings: Any, values: Values | None = None, account: str = "tilleuls") -> Context:
    """A channel's context; `values`: its login."""
    login = LOGIN if values is None else values
    return Context(
        channel=platform,
        platform=platform,
        account=account,
        workspace=Path("/nowhere"),
        settings=settings,
        clock=SettableClock(NOW),
        secret=lambda: login.get("access_token"),
        credentials=Stored(login),
        network=Network(),
    )


def refusal(
    code: int, subcode: int | None = None, status: int = 400, message: str = "No.", **more: Any
) -> httpx.Response:
    """An error as Graph gives it."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AbC", **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return httpx.Response(status, json={"error": error}, headers=DATE)


GONE = "Unsupported request. Object with ID '1' does not exist, cannot be loaded due to missing permissions"


@dataclass
class GraphServer:
    """What all pretend hosts share: one request in, judged, and its answer; faults that were asked for come first."""

    requests: list[httpx.Request] = field(default_factory=list)
    faults: list[tuple[str, Any, bool]] = field(default_factory=list)
    token: str = TOKEN
    secret: str = SECRET
    proves: bool = True
    tick: int = 0

    def fail_next(self, pattern: str, answer: Any, *, after: bool = False) -> None:
        """The next request whose `METHOD path` fits is answered so; `after`: it has had its effect by then."""
        self.faults.append((pattern, answer, after))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = urlsplit(str(request.url)).path
        wanted = next((f for f in self.faults if re.search(f[0], f"{request.method} {path}")), None)
        if wanted:
            self.faults.remove(wanted)
            if wanted[2]:
                self._answered(request)
            if isinstance(wanted[1], type):
                raise wanted[1]("pretended", request=request)
            assert isinstance(wanted[1], httpx.Response)
            return wanted[1]
        return self._answered(request)

    def _answered(self, request: httpx.Request) -> httpx.Response:
        path = urlsplit(str(request.url)).path
        if request.url.host.startswith("rupload."):
            return self.upload(request)
        assert path.startswith(f"/{VERSION}/"), path
        query = dict(request.url.params)
        _mime, body = _sent(request)
        if "Authorization" not in request.headers:
            return self.reply(self.exchange(path.removeprefix(f"/{VERSION}/"), body))
        given = request.headers["Authorization"].removeprefix("Bearer ")
        if self.proves:
            wanted = hmac.new(self.secret.encode(), given.encode(), hashlib.sha256).hexdigest()
            assert query.pop("appsecret_proof") == wanted
        if given not in self.tokens():
            return refusal(190, 467, 401, "Invalid OAuth access token")
        answer = self.answer(request.method, path.removeprefix(f"/{VERSION}/"), query, body or {}, given)
        return answer if isinstance(answer, httpx.Response) else self.reply(answer)

    def upload(self, request: httpx.Request) -> httpx.Response:
        """What the host that takes films answers."""
        raise AssertionError(f"nothing is uploaded to {request.url.path}")

    def exchange(self, path: str, body: Any) -> Any:
        """What the code of a dialog is good for: the one call without a token."""
        raise AssertionError(f"{path} without a token")

    def tokens(self) -> set[str]:
        """What is taken as a token."""
        return {self.token, f"{APP}|{self.secret}"}

    def reply(self, body: Any) -> httpx.Response:
        """An answer with Meta's headers."""
        self.tick += 1
        at = NOW + timedelta(seconds=self.tick)
        headers = {"Date": format_datetime(at, usegmt=True), "facebook-api-version": VERSION}
        return httpx.Response(200, json=body, headers=headers)

    def now(self) -> str:
        """Graph's way to write a time; each is later than the one before."""
        self.tick += 1
        return (NOW + timedelta(seconds=self.tick)).strftime("%Y-%m-%dT%H:%M:%S+0000")

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Any:
        """The answer to one request; a platform's own."""
        raise NotImplementedError


def paged(everything: list[dict[str, Any]], query: Mapping[str, str], size: int, url: str) -> dict[str, Any]:
    """One page of a listing, the newest first; the address of the next holds a token, as Graph's do."""
    since = int(query.get("since", 0))
    fitting = [each for each in everything[::-1] if _made(each) >= since]
    start = int(query.get("after", 0))
    found: dict[str, Any] = {"data": fitting[start : start + size], "paging": {"cursors": {"after": str(start + size)}}}
    if start + size < len(fitting):
        kept = "&".join(f"{name}={value}" for name, value in query.items() if name in ("fields", "since", "limit"))
        found["paging"]["next"] = f"{url}?access_token={TOKEN}&{kept}&after={start + size}"
    return found


def _made(told: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(told.get("created_time") or told["timestamp"]).timestamp()


def pairs(request: httpx.Request) -> dict[str, str]:
    """A request's query."""
    return dict(parse_qsl(urlsplit(str(request.url)).query))


def sent_json(request: httpx.Request) -> Any:
    """A request's body."""
    return json.loads(request.content)
