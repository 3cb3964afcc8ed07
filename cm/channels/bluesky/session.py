"""An account's session with its server: who it is, tokens renewed in time, and every call (XRPC).

Made by `createSession` with an app password; an `accessJwt` lasts 120 minutes, a `refreshJwt` 90 days, and each
`refreshSession` gives a new pair (the old refresh token stays good for two hours, so that a lost answer loses no
login). Stored are `access_token`, `refresh_token`, `did`, `handle` and `pds`, the server on which the account lives:
`https://bsky.social` only lets in, and the account's document names another one. The app password is not stored.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

from cm.channels.bluesky.errors import EXPIRED, error_name, refusal
from cm.channels.http import Http, Mode, Reply, server_url
from cm.channels.port import AuthFailed, Context, Json, Rejected, Retryable, Values
from cm.channels.text import shown
from cm.errors import WorkspaceError
from cm.i18n import _

LASTS = 3600
"""Seconds that an access token is believed to last if it does not tell; the reference server gives 7,200."""
FOREVER = 10 * 365 * 86400.0
"""A margin before every end: renews whatever is stored."""
ANY_REFUSAL = range(400, 600)
_TOKEN = re.compile(r"[!-~]+")
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+")


class Session:
    """Calls to one account's server. Building it does nothing."""

    def __init__(self, context: Context, server: str) -> None:
        self.http = Http(server, network=context.network, authorize=self._headers)
        self._channel = context.channel
        self._credentials = context.credentials

    def values(self) -> Values:
        """The stored login, renewed where it ends. Raises AuthFailed without one, or the ChannelError of renewing."""
        return self._fresh(300)

    def query(self, nsid: str, parameters: Sequence[tuple[str, str]] = (), *, accept: Collection[str] = ()) -> Reply:
        """Ask. Refusals of a name in `accept` are given back. Raises ChannelError."""
        return self._call("GET", nsid, accept=accept, query=parameters)

    def procedure(self, nsid: str, body: Json, *, mode: Mode = "reading") -> Reply:
        """Do. Raises ChannelError."""
        return self._call("POST", nsid, mode=mode, json=body)

    def upload(self, nsid: str, file: BinaryIO, mime: str) -> Reply:
        """Send a file as it is. Raises ChannelError."""
        return self._call("POST", nsid, content=file, headers={"Content-Type": mime})

    def open(self, server: str, nsid: str, values: Json | None = None, *, token: str = "") -> Reply:
        """A call that makes, renews or ends a session, with another token or none; the answer as it came."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{server}/xrpc/{nsid}"
        return self.http.call("POST", url, json=values, headers=headers, anonymous=True, accept=ANY_REFUSAL)

    def _call(
        self, method: str, nsid: str, *, mode: Mode = "reading", accept: Collection[str] = (), **parts: Any
    ) -> Reply:
        url = f"{home(self.values(), self.http.base_url)}/xrpc/{nsid}"
        reply = self.http.call(method, url, mode=mode, accept=ANY_REFUSAL, **parts)
        if reply.status < 400 or error_name(reply) in accept:
            return reply
        if error_name(reply) == EXPIRED:  # earlier than it told: clocks disagree
            self._fresh(FOREVER)
            raise Retryable(_("{server}: the session had ended; it has been renewed.").format(server=self.http.name))
        raise refusal(self.http, reply, mode)

    def _headers(self, _method: str, _url: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values()['access_token']}"}

    def _fresh(self, margin: float) -> Values:
        try:
            values = self._credentials.fresh(self._renewed, margin=margin) if self._credentials else {}
        except WorkspaceError as error:
            raise AuthFailed(error.message) from None
        if not all(_TOKEN.fullmatch(values.get(name, "")) for name in ("access_token", "refresh_token")) or not (
            _DID.fullmatch(values.get("did", ""))
        ):
            raise AuthFailed(_("{server}: nobody is logged in; {how}").format(server=self.http.name, how=self._how()))
        return values

    def _renewed(self, values: Values) -> Values:
        """Raises AuthFailed where only a new login helps."""
        token = values.get("refresh_token", "")
        if not _TOKEN.fullmatch(token):
            raise AuthFailed(_("{server}: nobody is logged in; {how}").format(server=self.http.name, how=self._how()))
        reply = self.open(home(values, self.http.base_url), "com.atproto.server.refreshSession", token=token)
        if reply.status >= 400:
            error = refusal(self.http, reply)
            raise AuthFailed(f"{error.reason}; {self._how()}") if isinstance(error, AuthFailed | Rejected) else error
        return stored(self.http, reply)

    def _how(self) -> str:
        return _("log in again: cm channel login {channel}").format(channel=self._channel)

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()


def stored(http: Http, reply: Reply) -> Values:
    """What is kept of a session. Raises Retryable for an answer of another shape, AuthFailed for a resting account."""
    told = reply.json if isinstance(reply.json, dict) else {}
    tokens = {"access_token": told.get("accessJwt"), "refresh_token": told.get("refreshJwt")}
    named = {"did": told.get("did"), "handle": told.get("handle")}
    if not all(isinstance(value, str) and _TOKEN.fullmatch(value) for value in [*tokens.values(), *named.values()]):
        raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
    if told.get("active") is False:
        why = shown(str(told.get("status") or _("not active")), 60)
        raise AuthFailed(_("{server}: the account rests there: {why}.").format(server=http.name, why=why))
    pds = _pds(told.get("didDoc"))
    claims = jwt_claims(str(tokens["access_token"]))
    lasts = claims.get("exp", 0) - claims.get("iat", 0)
    return {
        **{name: str(value) for name, value in (tokens | named).items()},
        **({"pds": pds} if pds else {}),
        "expires_in": str(lasts if lasts > 0 else LASTS),
    }


def home(values: Values, server: str) -> str:
    """The address of the server on which the account lives; `server` where nobody told."""
    return values.get("pds") or server


def ends_at(values: Values) -> datetime | None:
    """When the login ends if it is not used until then."""
    end = jwt_claims(values.get("refresh_token", "")).get("exp")
    return datetime.fromtimestamp(end, UTC) if end and end < 2**40 else None


def jwt_claims(token: str) -> dict[str, int]:
    """The whole numbers of a token's claims; empty for what is no JWT. Nothing is verified: it is our own token."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    return {name: value for name, value in claims.items() if type(value) is int}


def _pds(document: object) -> str | None:
    """The account's own server as its document names it, if that is an address to which a token may go."""
    services = document.get("service") if isinstance(document, dict) else None
    for service in services if isinstance(services, list) else []:
        if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
            try:
                return server_url(str(service.get("serviceEndpoint", "")))
            except ValueError:
                return None
    return None
