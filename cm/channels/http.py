"""The shared HTTP client of adapters, and the only module that knows httpx.

It turns every answer and every failure into our own words: a `Reply` or exactly one `ChannelError`.
There are two modes. `reading` is for calls that may be repeated (questions, uploads): whatever goes
wrong on the way may work later. `sending` is for the one irrevocable call: only where the request
surely never left is that so, everything else that is no clear answer is an unknown outcome.

The token is asked for when a request is made and stays in that request. A reason quotes at most
`REASON_LENGTH` characters of what the platform said, without control characters, and never a header,
a query or a body.
"""

import json as jsonlib
import re
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

import httpx

from cm import __version__
from cm.channels.patience import is_given_up
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Json,
    Network,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.channels.text import REASON_LENGTH, shown
from cm.errors import WorkspaceError
from cm.i18n import _

MAX_BODY = 8 * 1024 * 1024
"""Bytes of an answer that are read; a longer one is no answer."""
KEEP_OPEN = 2.0
"""Seconds for which an idle connection is used again: servers close them after five and more, and a request
that meets a closing connection counts as unknown."""
MAX_WAIT = 24 * 3600.0
"""Seconds: the longest rest a platform may ask for; it can say so again after that."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before the request itself goes out (a proxy's error is its answer to CONNECT)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRY_LATER = frozenset({408, 425})  # the server itself says that it did not take the request

Mode = Literal["reading", "sending"]
Authorize = Callable[[str, str], Mapping[str, str]]
"""Headers for a request, by its method and its address with the query; empty if there is no login."""
_HEADER = re.compile(r"[!-~]+(?: [!-~]+)*")
Upload = tuple[str, BinaryIO, str]
"""Name to tell the platform, open file, MIME type."""


def server_url(value: str) -> str:
    """The address of a server without a slash at its end.

    Raises ValueError: not https (http is for this machine only), more than scheme, host and port, or no host that
    could be looked up.
    """
    parts = urlsplit(value.strip())
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError(_("write only the server, as https://social.example"))
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(_("must start with https:// (http:// only for this machine)"))
    _port = parts.port  # raises ValueError itself
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ValueError(_("write only the server, as https://social.example")) from None
    return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True)
class Reply:
    """An answer: `headers` by lower-case name, `json` None where there was none to read."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    json: Any = field(default=None, repr=False)
    message: str = ""
    """What the platform says went wrong, fit to be shown; the status in words if it says nothing."""

    @property
    def date(self) -> datetime | None:
        """The server's own time, aware UTC, if it told."""
        return http_date(self.headers.get("date", ""))


class Http:
    """One server, spoken to with one account's token. Making it does nothing; connections come with use."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str | None] | None = None,
        *,
        name: str = "",
        network: Network | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        """`token` is sent as `Authorization: Bearer`; `authorize` gives other headers in its place.

        `network.timeout`: seconds for one read or write; connecting has 10, waiting for a free connection 5.
        """
        self.base_url = base_url
        self.name = name or urlsplit(base_url).netloc
        self._token = token
        self._authorize = authorize
        self._network = network or Network()
        self._made: httpx.Client | None = None

    def require_token(self) -> None:
        """Raises AuthFailed if there is no usable token."""
        self._authorization("GET", self.base_url)

    def call(
        self,
        method: str,
        path: str,
        *,
        mode: Mode = "reading",
        query: Sequence[tuple[str, str]] = (),
        json: Json | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Upload] | None = None,
        content: bytes | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        anonymous: bool = False,
    ) -> Reply:
        """One request. Statuses of `accept` are given back like a success instead of being raised. Its body is one of
        `json`, `form` (with `files`: multipart) and `content` (bytes as they are).

        With `anonymous` the token stays at home. Redirects are not followed: a token goes where it was given for.
        Raises ChannelError.
        """
        parts = {"params": list(query) or None, "json": json, "data": form, "files": files, "headers": headers}
        request = self._built(method, path, {**parts, "content": content})
        if not anonymous:
            request.headers.update(self._authorization(method, str(request.url)))
        answer = self._exchange(request, mode)
        if isinstance(answer, ChannelError):
            raise answer
        if answer.status in accept or 200 <= answer.status < 300:
            return answer
        raise self.refusal(answer, mode)

    def refusal(self, reply: Reply, mode: Mode = "reading") -> ChannelError:
        """What a status that is no success means, unless the adapter knows better."""
        reason = f"{self.name}: {reply.status} {reply.message}"
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(reason, retry_after=retry_after(reply.headers))
        if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return AuthFailed(reason)
        if reply.status in _TRY_LATER:
            return Retryable(reason)
        if 400 <= reply.status < 500:
            return Rejected(reason)
        return UnknownOutcome(reason) if mode == "sending" else Retryable(reason)

    def close(self) -> None:
        """Let go of all connections; the next call makes new ones."""
        if self._made is not None:
            self._made.close()
            self._made = None

    def _client(self) -> httpx.Client:
        if self._made is None:
            self._made = httpx.Client(
                base_url=self.base_url,
                timeout=httpx.Timeout(self._network.timeout, connect=10, pool=5),
                limits=httpx.Limits(keepalive_expiry=KEEP_OPEN),
                verify=_certificates(self._network.ca_bundle),
                proxy=self._network.proxy,
                headers={"User-Agent": f"cm-toolkit/{__version__}", "Accept": "application/json"},
            )
        return self._made

    def _built(self, method: str, path: str, parts: Mapping[str, Any]) -> httpx.Request:
        """The request. Raises Rejected for what cannot be written as one (half a character, an endless address)."""
        try:
            return self._client().build_request(method, path, **parts)
        except (httpx.InvalidURL, UnicodeError):
            reason = _("{server}: this cannot be written as a request").format(server=self.name)
        except WorkspaceError as error:  # the certificates cannot be read
            raise Retryable(error.message) from None
        raise Rejected(reason)

    def _authorization(self, method: str, url: str) -> Mapping[str, str]:
        """The headers. Raises AuthFailed; no local name holds a bad token then, for a traceback could show it."""
        if self._token is None and self._authorize is None:
            return {}
        try:
            headers = self._authorize(method, url) if self._authorize else self._bearer()
        except WorkspaceError as error:
            raise AuthFailed(error.message) from None
        if not headers or not all(headers.values()):
            raise AuthFailed(_("{server}: this channel has no token.").format(server=self.name))
        if not all(_HEADER.fullmatch(value) for value in headers.values()):
            reason = _("{server}: the token holds blanks or characters that no token has.")
            raise AuthFailed(reason.format(server=self.name))
        return headers

    def _bearer(self) -> Mapping[str, str]:
        """Empty without a token, and a header that is none for what cannot be one (httpx would quote it)."""
        token = self._token() if self._token else None
        if not token:
            return {}
        return {"Authorization": f"Bearer {token}" if re.fullmatch(r"[!-~]+", token) else "\n"}

    def _exchange(self, request: httpx.Request, mode: Mode) -> Reply | ChannelError:
        """The error is given back, not raised: raised here it would hold on to httpx's own, and that to the request."""
        if is_given_up():  # it waited for its login for too long, say; nobody would hear the answer
            return Retryable(_("{server} was not asked: it would have been too late").format(server=self.name))
        try:
            response = self._client().send(request, stream=True)
        except httpx.RequestError as error:
            return self._lost(error, mode)
        try:
            return self._reply(response, mode)
        finally:
            response.close()

    def _lost(self, error: httpx.RequestError, mode: Mode) -> ChannelError:
        what = type(error).__name__  # its text may quote what was sent
        if isinstance(error, NEVER_LEFT):
            return Retryable(_("{server} cannot be reached ({what})").format(server=self.name, what=what))
        reason = _("{server} did not answer ({what})").format(server=self.name, what=what)
        return UnknownOutcome(reason) if mode == "sending" else Retryable(reason)

    def _reply(self, response: httpx.Response, mode: Mode) -> Reply | ChannelError:
        body = _body(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        message = _message(body, response.status_code, response.request)
        if isinstance(body, _Garbled) and response.is_success:
            reason = _("{server}: {status}, but its answer cannot be read").format(
                server=self.name, status=response.status_code
            )
            return UnknownOutcome(reason) if mode == "sending" else Retryable(reason)
        return Reply(response.status_code, headers, None if isinstance(body, _Garbled) else body, message)


@cache
def _certificates(ca_bundle: Path | None) -> ssl.SSLContext:
    """Who is believed to be who; read once, since it takes longer than a request."""
    if ca_bundle is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise WorkspaceError(
            _("The certificates in {path} cannot be read: {error}").format(path=ca_bundle, error=error),
            hint=_("Look at `network: ca_bundle:` in config.yaml."),
        ) from None


class _Garbled:
    """In place of a body that is no JSON."""


def _body(response: httpx.Response) -> Any:
    data = bytearray()
    try:
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > MAX_BODY:
                return _Garbled()
        return jsonlib.loads(data) if data.strip() else None
    except (httpx.RequestError, ValueError, RecursionError):
        return _Garbled()


def _message(body: Any, status: int, request: httpx.Request) -> str:
    told = next((text for text in _texts(body) if text), None)
    if told is None:
        try:
            return HTTPStatus(status).phrase
        except ValueError:
            return ""
    for secret in _secrets(request):
        told = told.replace(secret, "…")
    return shown(told, REASON_LENGTH)


_TELLING = re.compile(r"token|secret|password|code|key|proof", re.IGNORECASE)
"""Parameters of an address whose values nobody may read; some platforms take them only there."""


def _secrets(request: httpx.Request) -> list[str]:
    """What a platform might quote of a request and nobody may read."""
    sent = [request.headers.get(name, "") for name in ("Authorization", "Api-Key")]
    sent += [value for name, value in request.url.params.multi_items() if _TELLING.search(name)]
    return [word for value in sent for word in re.split(r"[\s,\"=]+", value) if len(word) >= 8]


def _texts(body: Any) -> Sequence[str]:
    """Where platforms put their message: `error`, `error_description`, `message`, `detail`, `errors[0]`, and Google
    inside `error`."""
    if not isinstance(body, dict):
        return []
    several = body.get("errors")
    first = several[0] if isinstance(several, list) and several else None
    found = [body.get(name) for name in ("error", "error_description", "message", "detail")]
    if all(isinstance(body.get(name), str) and body[name] for name in ("error", "message")):
        found.insert(0, f"{body['error']}: {body['message']}")  # XRPC: a name, and what is meant by it
    found += [first.get("message") or first.get("detail")] if isinstance(first, dict) else [first]
    if isinstance(body.get("detail"), str) and isinstance(found[-1], str) and found[-1] != body["detail"]:
        found.insert(0, f"{body['detail']} {found[-1]}")  # X: a sentence that says nothing, and what is meant by it
    if isinstance(body.get("error"), dict):
        found.append(body["error"].get("message"))
    return [text for text in found if isinstance(text, str)]


def http_date(text: str) -> datetime | None:
    """The instant of an HTTP date, None for anything else."""
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return instant if instant.tzinfo else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` (seconds or HTTP date) or `X-RateLimit-Reset` (ISO time or epoch seconds).

    Instants are measured against the answer's own `Date`; without it they tell nothing.
    """
    wanted = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", wanted):
        return min(float(wanted), MAX_WAIT)
    until = http_date(wanted) or _reset(headers.get("x-ratelimit-reset", "").strip())
    now = http_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), MAX_WAIT)


def _reset(text: str) -> datetime | None:
    if re.fullmatch(r"\d{1,11}(\.\d{1,6})?", text):
        return _EPOCH + timedelta(seconds=float(text))
    return instant(text)


def instant(value: object) -> datetime | None:
    """An ISO time with its offset as aware UTC; None for anything else."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        return read.astimezone(UTC) if read and read.tzinfo else None
    except (ValueError, OverflowError):
        return None
