"""What X says when it refuses, in our words.

X tells errors apart by sentences more than by numbers (reference of 2026-08-22; sentences of 2026-02 to 2026-07):
a 403 may be a text that stands there already, an answer to somebody who did not ask for it, or a missing right.
402 is an empty purse: waiting does not fill it, so it is no rate limit; a person must pay, as for a monthly cap.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from cm.channels.http import Http, Mode, Reply, retry_after
from cm.channels.port import AuthFailed, ChannelError, Duplicate, RateLimited, Rejected
from cm.i18n import _

ANY_REFUSAL = range(400, 500)
"""Statuses that this module understands better than `Http` does."""
_DUPLICATE = "duplicate content"
_PARENT = ("reply to", "in_reply_to", "deleted or not visible", "conversation is not allowed")
_MEDIA = ("media id", "media_ids", "media.", "media type", "media category", "total_bytes")
_TEXT = ("shorter", "too long", "cashtag", "text:", "[text]")


def refusal(http: Http, reply: Reply, mode: Mode = "reading") -> ChannelError:
    """What an answer that is no success means."""
    said = reply.message
    reason = f"{http.name}: {reply.status} {said}"
    if reply.status == HTTPStatus.PAYMENT_REQUIRED:
        return AuthFailed(
            _("{server}: no credits are left; buy some on console.x.com ({said}).").format(server=http.name, said=said)
        )
    if _capped(reply):
        return _cap(http, reply, said)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        scope, seconds = _rest(reply.headers)
        return RateLimited(reason, retry_after=seconds, scope=scope)
    if reply.status == HTTPStatus.FORBIDDEN:
        return _forbidden(reason, said)
    if 400 <= reply.status < 500 and reply.status not in (401, 408, 425):
        return Rejected(reason, field=_named(reply.json) or _field(said))
    return http.refusal(reply, mode)


def missing(reply: Reply) -> bool:
    """True for a success that says: there is no such post."""
    body = reply.json if isinstance(reply.json, dict) else {}
    several = body.get("errors")
    return any(_kind(error) == "resource-not-found" for error in (several if isinstance(several, list) else ()))


def _kind(body: object) -> str:
    """The last part of a problem's address; hosts differ (api.twitter.com, api.x.com)."""
    kind = body.get("type") if isinstance(body, dict) else None
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


def _capped(reply: Reply) -> bool:
    return reply.status >= 400 and _kind(reply.json) == "usage-capped"


def _cap(http: Http, reply: Reply, said: str) -> ChannelError:
    """A daily cap ends by itself; a monthly one, or one of unknown length, needs a person."""
    if reply.json.get("period") == "Daily":
        return RateLimited(f"{http.name}: {reply.status} {said}", retry_after=_rest(reply.headers)[1], scope="app")
    reason = _("{server}: the cap of the developer app is used up; raise it on console.x.com ({said}).")
    return AuthFailed(reason.format(server=http.name, said=said))


def _rest(headers: Mapping[str, str]) -> tuple[Literal["account", "app"], float | None]:
    """Whose limit it is, and the seconds until it ends: the day's caps first, they last longer than a quarter hour."""
    scopes: tuple[tuple[Literal["account", "app"], str], ...] = (
        ("app", "x-app-limit-24hour"),
        ("account", "x-user-limit-24hour"),
        ("account", "x-rate-limit"),
    )
    for scope, name in scopes:
        if headers.get(f"{name}-remaining") == "0":
            return scope, _until(headers, name)
    return "account", _until(headers, "x-rate-limit")


def _until(headers: Mapping[str, str], name: str) -> float | None:
    reset = headers.get(f"{name}-reset", "")
    kept: dict[str, Any] = {key: headers[key] for key in ("retry-after", "date") if key in headers}
    return retry_after({**kept, "x-ratelimit-reset": reset})


def _forbidden(reason: str, said: str) -> ChannelError:
    words = said.lower()
    if _DUPLICATE in words:
        return Duplicate(reason)
    field = _field(said)
    return Rejected(reason, field=field) if field else AuthFailed(reason)


def _named(body: object) -> str | None:
    """The part of the message that a 400 names: `errors[0].parameters` has its path as a key."""
    several = body.get("errors") if isinstance(body, dict) else None
    first = several[0] if isinstance(several, list) and several else None
    named = first.get("parameters") if isinstance(first, dict) else None
    for path in named if isinstance(named, dict) else ():
        for field, mark in (("parent", "reply"), ("media", "media"), ("text", "text")):
            if str(path).startswith(mark):
                return field
    return None


def _field(said: str) -> str | None:
    """Which part of the message X dislikes, as far as its sentence tells."""
    words = said.lower()
    for field, marks in (("parent", _PARENT), ("media", _MEDIA), ("text", _TEXT)):
        if any(mark in words for mark in marks):
            return field
    return None
