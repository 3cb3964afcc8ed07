"""What LinkedIn's refusals mean.

The body is `{"status", "code", "message", "serviceErrorCode", "errorDetails": {"inputErrors": [{"code", "description",
"input": {"inputPath": {"fieldPath"}}}]}}`, each part at times absent. It names no time to wait: limits are those of a
day and end at 00:00 UTC, but for comments, which rest about a minute.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cm.channels.http import Http, Mode, Reply, retry_after
from cm.channels.port import AuthFailed, ChannelError, Duplicate, RateLimited, Rejected, Retryable
from cm.i18n import _

COMMENT_REST = 60.0
"""Seconds after "Comment create throttled"."""
_DUPLICATE = re.compile(r"duplicate of (urn:li:(?:share|ugcPost):[0-9]{1,25})\b", re.IGNORECASE)
_VERSION = frozenset({"NONEXISTENT_VERSION", "VERSION_MISSING"})
_FIELDS = (
    (re.compile(r"commentary|message", re.IGNORECASE), "text"),
    (re.compile(r"article", re.IGNORECASE), "link"),
    (re.compile(r"content", re.IGNORECASE), "media"),
    (re.compile(r"visibility", re.IGNORECASE), "visibility"),
)
"""Parts of the path of a field, and how we call it."""


class NotAllowed(AuthFailed):
    """The login is good, and not for this: a scope, a product or a role on the page is missing."""


def refused(http: Http, reply: Reply, mode: Mode, version: str) -> ChannelError:
    """The error for an answer of 400 and more."""
    error = http.refusal(reply, mode)
    codes = set(_codes(reply))
    if reply.status == 426 or codes & _VERSION:
        return _outdated(version)
    if reply.status in (400, 409, 422) and (duplicate := _duplicate(reply, codes, error.reason)):
        return duplicate
    if reply.status == 401:
        return AuthFailed(_("{reason}: log in again with `cm channel login`.").format(reason=error.reason))
    if reply.status == 403:
        reason = _("{reason}: the login lacks a scope, or its person has no role on the page that may do this.")
        return NotAllowed(reason.format(reason=error.reason))
    if reply.status == 429:
        return RateLimited(error.reason, retry_after=_rest(reply), scope=_scope(reply.message))
    if reply.status == 409:
        return Retryable(error.reason)
    return Rejected(error.reason, field=_field(reply)) if isinstance(error, Rejected) else error


def _outdated(version: str) -> ChannelError:
    """Nothing was done, and nothing will be until a person has changed the configuration."""
    reason = _(
        "LinkedIn does not answer version {version} of its interface (any more): set `api_version:` of this channel in"
        " config.yaml to a newer one, or install a newer cm."
    )
    return AuthFailed(reason.format(version=version))


def _duplicate(reply: Reply, codes: set[str], reason: str) -> ChannelError | None:
    named = _DUPLICATE.search(reply.message)
    if named is None and "DUPLICATE_POST" not in codes:
        return None
    return Duplicate(reason, existing=named[1] if named else None)


def _rest(reply: Reply) -> float | None:
    """Seconds until LinkedIn answers again; None if it does not even say what time it is."""
    told = retry_after(reply.headers)
    if told is not None:
        return told
    if "comment" in reply.message.lower():
        return COMMENT_REST
    return _until_midnight(reply.date) if reply.date else None


def _until_midnight(now: datetime) -> float:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1) - now).total_seconds()


def _scope(message: str) -> Literal["account", "app"]:
    """`APPLICATION DAY limit` is the app's; `APPLICATION_AND_MEMBER`, `MEMBER` and what says nothing the account's."""
    return "app" if "APPLICATION" in message and "MEMBER" not in message else "account"


def _codes(reply: Reply) -> list[str]:
    body = reply.json if isinstance(reply.json, dict) else {}
    return [
        code for code in (body.get("code"), *(each.get("code") for each in _inputs(reply))) if isinstance(code, str)
    ]


def _field(reply: Reply) -> str | None:
    """Which part of the post it is about, by the path it names."""
    paths = " ".join(_path(each) for each in _inputs(reply))
    named = next((name for words, name in _FIELDS if words.search(paths)), None)
    return named or ("text" if "commentary" in reply.message else None)


def _path(error: Mapping[str, Any]) -> str:
    given = error.get("input")
    path = given.get("inputPath") if isinstance(given, dict) else None
    named = path.get("fieldPath") if isinstance(path, dict) else None
    return named if isinstance(named, str) else ""


def _inputs(reply: Reply) -> list[Mapping[str, Any]]:
    details = reply.json.get("errorDetails") if isinstance(reply.json, dict) else None
    listed = details.get("inputErrors") if isinstance(details, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
