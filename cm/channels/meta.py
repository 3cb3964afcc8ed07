"""What Facebook and Instagram share: calls of the Graph API, its pages of results, and what its errors mean.

A call carries its token as `Authorization: Bearer` and `appsecret_proof`, the HMAC-SHA256 of that token under the
app's secret, so that a stolen token alone is of no use. Errors are told apart by `code` and `error_subcode`, not by
the HTTP status (Graph "Handling errors" and "Rate limits", v26.0 era, read 2026-11-21); but a server error while
something is being sent is an unknown outcome, whatever code it carries, and a refusal (4xx) never is. A call to a
version that has ended is answered by the oldest living one, which the header `facebook-api-version` tells: `check()`
shows it.
"""

import hashlib
import hmac
import json as jsonlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cm.channels.http import MAX_WAIT, Http, Mode, Reply, Upload, retry_after
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Context,
    Duplicate,
    Json,
    Network,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
    Values,
)
from cm.channels.text import keyless, shown
from cm.errors import WorkspaceError
from cm.i18n import N_, _

VERSION = "v26.0"
"""Released 2026-07-29, without an end yet; v25.0 ends 2028-07-29."""
GRAPH = "https://graph.facebook.com"
UPLOADS = "https://rupload.facebook.com"
"""Takes the bytes of films. It knows no app-secret proof: its token travels as `Authorization: OAuth`."""
HOSTS = ("graph.facebook.com", "rupload.facebook.com")
PAGES = 10
"""Pages of results that are read at most; what needs more is not complete."""
GLANCE = 5.0
"""Seconds for one read of what may go unanswered."""
PER_PAGE = 100
ANY_REFUSAL = range(400, 600)
_TOKEN = re.compile(r"[!-~]+")
_ID = re.compile(r"[0-9]{1,40}(_[0-9]{1,40}){0,2}")

Kind = Literal["later", "not_now", "account", "app", "auth", "content", "duplicate", "gone"]


@dataclass(frozen=True)
class Meaning:
    """What a code means: `later`: may work later, `not_now`: the same, and surely nothing has happened; `account` and
    `app`: whose calls are too many; `gone`: the object is not there, or not for us. `hint` is translated at use."""

    kind: Kind
    field: str | None = None
    hint: str = ""


_LOG_IN = N_("log in again with `cm channel login`")
_BLOCKED = N_("blocked for a time by Meta: look at the account's status there before anything else is sent")
_RIGHT = N_("a right is missing: log in again and allow all that is asked")
KNOWN: Mapping[int, Meaning] = {
    1: Meaning("later"),
    2: Meaning("later"),
    4: Meaning("app"),
    341: Meaning("app"),  # "Application limit reached", "due to downtime or throttling"
    17: Meaning("account"),
    32: Meaning("account"),
    613: Meaning("account"),
    80001: Meaning("account"),
    80002: Meaning("account"),
    80006: Meaning("account"),
    1390008: Meaning("account"),
    102: Meaning("auth", hint=_LOG_IN),
    190: Meaning("auth", hint=_LOG_IN),
    492: Meaning("auth", hint=_LOG_IN),
    458: Meaning("auth", hint=N_("the app was removed from the account: log in again with `cm channel login`")),
    459: Meaning("auth", hint=N_("Facebook wants to see the person first: log in there, then `cm channel login`")),
    460: Meaning("auth", hint=N_("the person's password has changed: log in again with `cm channel login`")),
    463: Meaning("auth", hint=N_("the login has expired: log in again with `cm channel login`")),
    464: Meaning("auth", hint=N_("the person's account is not confirmed: log in there, then `cm channel login`")),
    467: Meaning("auth", hint=_LOG_IN),
    3: Meaning("auth", hint=_RIGHT),
    10: Meaning("auth", hint=_RIGHT),
    **dict.fromkeys(range(200, 300), Meaning("auth", hint=_RIGHT)),
    1404078: Meaning("auth", hint=N_("Facebook wants to know who publishes for this Page: confirm it there")),
    368: Meaning("auth", hint=_BLOCKED),
    1346003: Meaning("auth", hint=_BLOCKED),
    1404102: Meaning("auth", hint=_BLOCKED),
    506: Meaning("duplicate"),
    12: Meaning("content"),
    100: Meaning("content"),
    2500: Meaning("content"),
    3001: Meaning("content"),
    33: Meaning("gone"),
    803: Meaning("gone"),
}
"""By code, and by subcode, which goes first; no number means both."""
_SUBCODES_ALONE = frozenset({33, 458, 459, 460, 463, 464, 467})
"""Small numbers that mean this only as a subcode."""


class Graph:
    """One host of the Graph API, spoken to with one login; making it does nothing."""

    def __init__(
        self,
        login: Callable[[], Values],
        *,
        name: str,
        network: Network,
        host: str = GRAPH,
        known: Mapping[int, Meaning] | None = None,
        proves: bool = True,
    ) -> None:
        """`known` adds a platform's own codes to KNOWN. `proves`: off for a host that knows no app-secret proof."""
        self.name = name
        self._login = login
        self._known = {**KNOWN, **(known or {})}
        self._proves = proves
        self._http = Http(host, name=name, network=network)
        self._hurried = Http(host, name=name, network=replace(network, timeout=min(GLANCE, network.timeout)))
        self._uploads = Http(UPLOADS, name=name, network=network)

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
        as_app: bool = False,
        hurried: bool = False,
    ) -> Reply:
        """One request; `path` begins behind the version. `as_app`: with the app's own token; `hurried`: waits for
        `GLANCE` only. Raises ChannelError."""
        values = self.values()
        token = app_token(values) if as_app else values["access_token"]
        reply = (self._hurried if hurried else self._http).call(
            method,
            f"/{VERSION}/{path}",
            mode=mode,
            query=[*query, *self._proof(token, values)],
            json=json,
            form=form,
            files=files,
            headers={"Authorization": f"Bearer {token}"},
            accept=ANY_REFUSAL,
        )
        return self._taken(reply, mode, values)

    def upload(self, url: str, upload: Upload, *, offset: int, size: int) -> Reply:
        """A film's bytes from `offset` on, to the address that an upload session gave. Raises ChannelError."""
        parts = split(url)
        if f"{parts.scheme}://{parts.netloc}" != UPLOADS or not parts.path.strip("/"):
            raise Retryable(_("{server} gave an address for uploads that is not its own").format(server=self.name))
        values = self.values()
        headers = {"Authorization": f"OAuth {values['access_token']}", "offset": str(offset), "file_size": str(size)}
        _file_name, file, _mime = upload
        file.seek(offset)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        reply = self._uploads.call("POST", path, content=file, headers=headers, accept=ANY_REFUSAL)
        return self._taken(reply, "reading", values, url)

    def get(self, path: str, fields: str, **query: str) -> Json:
        """One object with these fields. Raises ChannelError."""
        return self.object(self.call("GET", path, query=[("fields", fields), *query.items()]))

    def glance(self, path: str, fields: str) -> Json:
        """As `get`, in little time. Raises ChannelError."""
        return self.object(self.call("GET", path, query=[("fields", fields)], hurried=True))

    def listed(self, path: str, fields: str, **query: str) -> tuple[list[Any], bool]:
        """All results of an edge, and whether its end was reached. Raises ChannelError.

        The address of the next page holds the token, so that only its parameters are taken over, without it.
        """
        found: list[Any] = []
        asked = {"fields": fields, "limit": str(PER_PAGE), **query}
        for _n in range(PAGES):
            page = self.object(self.call("GET", path, query=list(asked.items())))
            found += items(page.get("data"))
            further = _next(page)
            if not further:
                return found, isinstance(page.get("data"), list)
            asked |= further
        return found, False

    def object(self, reply: Reply) -> Json:
        """The answer as an object. Raises Retryable for one of another shape."""
        if not isinstance(reply.json, dict):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self.name))
        return reply.json

    def values(self) -> Values:
        """The login as it is now. Raises AuthFailed where it is missing or cannot be one."""
        try:
            values = self._login()
        except WorkspaceError as error:
            raise AuthFailed(error.message) from None
        if not values.get("access_token"):
            raise AuthFailed(_("{server}: this channel has no token.").format(server=self.name))
        if not all(
            _TOKEN.fullmatch(values.get(name) or "-") for name in ("access_token", "client_id", "client_secret")
        ):
            reason = _("{server}: the token holds blanks or characters that no token has.")
            raise AuthFailed(reason.format(server=self.name))
        if self._proves and not (values.get("client_id") and values.get("client_secret")):
            reason = _(
                "{server}: the app's id and secret are missing beside the token: `cm channel login` stores them."
            )
            raise AuthFailed(reason.format(server=self.name))
        return values

    def close(self) -> None:
        """Let go of connections."""
        for http in (self._http, self._hurried, self._uploads):
            http.close()

    def _proof(self, token: str, values: Values) -> list[tuple[str, str]]:
        return [("appsecret_proof", proof(token, values["client_secret"]))] if self._proves else []

    def _taken(self, reply: Reply, mode: Mode, values: Values, url: str = "") -> Reply:
        """The answer, unless it is an error: rarely one comes with status 200. `url`: an address that nobody may read.

        Raises ChannelError.
        """
        if reply.status < 400 and not _error(reply):
            return reply
        hidden = [values.get("access_token", ""), values.get("client_secret", "")]
        raise self.refusal(reply, mode, hidden, url)

    def refusal(self, reply: Reply, mode: Mode, hidden: Sequence[str], url: str = "") -> ChannelError:
        """What an error means; nothing of `hidden` is quoted, nor of an address for uploads."""
        told = _error(reply)
        if not told:
            return self._http.refusal(replace(reply, message=_quoted(reply.message, hidden, url)), mode)
        code, subcode = _number(told, "code"), _number(told, "error_subcode")
        said = _quoted(str(told.get("error_user_msg") or told.get("message") or ""), hidden, url)
        named = f"{code}/{subcode}" if subcode else str(code)
        reason = f"{self.name}: {shown(said)} ({named})"
        meaning = self._meaning(code, subcode, told)
        if meaning is None:
            return self._http.refusal(replace(reply, message=f"{shown(said)} ({named})"), mode)
        return _as_error(meaning, reason, reply, mode)

    def _meaning(self, code: int, subcode: int, told: Json) -> Meaning | None:
        """By subcode, then by code; what calls itself transient may work later."""
        found = self._known.get(subcode) or (None if code in _SUBCODES_ALONE else self._known.get(code))
        if told.get("is_transient") is True and (found is None or found.kind == "content"):
            return Meaning("later")
        return found


class Missing(Rejected):
    """The object asked for is not there, or not for this login: Graph does not tell which."""


def _quoted(said: str, hidden: Sequence[str], url: str) -> str:
    for secret in filter(None, hidden):
        said = said.replace(secret, "…")
    return keyless(said, url) if url else said


def _as_error(meaning: Meaning, reason: str, reply: Reply, mode: Mode) -> ChannelError:
    reason = f"{reason}; {_(meaning.hint)}" if meaning.hint else reason
    if mode == "sending" and reply.status >= 500:
        return UnknownOutcome(reason)
    match meaning.kind:
        case "later":
            refused = mode == "reading" or reply.status >= 400
            return Retryable(reason) if refused else UnknownOutcome(reason)
        case "not_now":
            return Retryable(reason)
        case "account" | "app":
            return RateLimited(reason, retry_after=regained(reply.headers), scope=meaning.kind)
        case "auth":
            return AuthFailed(reason)
        case "duplicate":
            return Duplicate(reason)
        case "gone":
            return Missing(reason, field=meaning.field)
        case "content":
            return Rejected(reason, field=meaning.field)


def proof(token: str, secret: str) -> str:
    """The proof that who holds the token holds the app's secret, too."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def app_token(values: Values) -> str:
    """The app's own token."""
    return f"{values['client_id']}|{values['client_secret']}"


def stored(context: Context, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
    """The channel's login, renewed if it ends within `margin` seconds. Raises WorkspaceError or a ChannelError."""
    if context.credentials is not None:
        return context.credentials.fresh(renew, margin=margin)
    return {"access_token": context.secret() or ""}


def node(remote_id: str) -> str:
    """The path of one object. Raises Rejected for an id that would lead elsewhere."""
    if not _ID.fullmatch(remote_id):
        raise Rejected(_("{id!r} is no id of a post.").format(id=shown(remote_id, 60)))
    return remote_id


def regained(headers: Mapping[str, str]) -> float | None:
    """Seconds until calls are taken again, by `X-Business-Use-Case-Usage` (it counts minutes) or `Retry-After`."""
    try:
        usage = jsonlib.loads(headers.get("x-business-use-case-usage", ""))
    except ValueError:
        usage = None
    groups = usage.values() if isinstance(usage, dict) else ()
    minutes = [_number(each, "estimated_time_to_regain_access") for group in groups for each in items(group)]
    longest = max(minutes, default=0)
    return min(longest * 60.0, MAX_WAIT) if longest > 0 else retry_after(headers)


def items(value: object) -> list[Any]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(value: object) -> Json:
    """An object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def count(of: Json, name: str) -> int | None:
    """A number as reported; None for anything that is none."""
    value = of.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def split(url: object) -> SplitResult:
    """The parts of an address; empty ones for what is none."""
    try:
        return urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return urlsplit("")


def _error(reply: Reply) -> Json:
    """Graph's own envelope, or the one of its upload host; empty where there is none."""
    body = mapping(reply.json)
    if isinstance(body.get("debug_info"), dict):
        info = body["debug_info"]
        return {"message": info.get("message"), "is_transient": info.get("retriable") is True, "code": 0}
    return mapping(body.get("error"))


def _number(of: Json, name: str) -> int:
    value = of.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _next(page: Json) -> dict[str, str]:
    url = mapping(page.get("paging")).get("next")
    pairs = parse_qsl(split(url).query)
    return {name: value for name, value in pairs if name not in ("access_token", "appsecret_proof")}
