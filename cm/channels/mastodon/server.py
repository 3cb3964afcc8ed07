"""Who we are on a server, which software it runs, and what it says of itself."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cm.channels.http import Http, Reply
from cm.channels.port import AuthFailed, ChannelError, Json, Retryable
from cm.channels.text import shown
from cm.i18n import _


def ourselves(http: Http, configured: str) -> tuple[str, str, datetime | None]:
    """The account's id and handle, and the server's time. Raises AuthFailed if the token is another account's."""
    account, now = credentials(http)
    handle = str(account.get("username") or account.get("acct") or "")
    if handle.casefold() != configured:
        reason = _("{server}: the token belongs to @{actual}, the channel is @{configured}.")
        raise AuthFailed(reason.format(server=http.name, actual=shown(handle, 60), configured=configured))
    return str(account["id"]), handle, now


def credentials(http: Http) -> tuple[Mapping[str, Any], datetime | None]:
    """The account of the token, and the server's time. Raises ChannelError."""
    reply = http.call("GET", "/api/v1/accounts/verify_credentials")
    account = as_object(http, reply)
    if not account.get("id"):
        raise Retryable(_("{server} does not say whose token this is").format(server=http.name))
    return account, reply.date


def instance(http: Http) -> Json:
    """What the server says of itself, in the old way where it does not know the new one (snac). Raises ChannelError."""
    reply = http.call("GET", "/api/v2/instance", accept={404, 405})
    if reply.status >= 400:
        reply = http.call("GET", "/api/v1/instance")
    return as_object(http, reply)


def as_object(http: Http, reply: Reply) -> Json:
    """What the answer holds. Raises Retryable if it is no object."""
    if not isinstance(reply.json, dict):
        raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
    return reply.json


def software(http: Http) -> tuple[str, str]:
    """Name and version by nodeinfo; ("", "") if the server does not say, which costs only the key window."""
    try:
        index = as_object(http, http.call("GET", "/.well-known/nodeinfo", anonymous=True))
        path = next(_nodeinfo_paths(http, index), None)
        if path is None:
            return "", ""
        told = as_object(http, http.call("GET", path, anonymous=True)).get("software")
    except ChannelError:
        return "", ""
    if not isinstance(told, dict):
        return "", ""
    return shown(str(told.get("name", "")), 60), shown(str(told.get("version", "")), 60)


def _nodeinfo_paths(http: Http, index: Json) -> Iterator[str]:
    """Where the document is, on this very server: whoever could point elsewhere could lie for it."""
    links = index.get("links")
    for link in links if isinstance(links, list) else []:
        href = link.get("href") if isinstance(link, dict) else None
        if isinstance(href, str) and href.startswith(f"{http.base_url}/"):
            yield urlsplit(href).path
