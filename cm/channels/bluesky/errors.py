"""Answers of the AT Protocol that are no success, in our words.

A server answers `{"error": NAME, "message": TEXT}` (XRPC). The names mapped here are those of the lexicons and of the
reference server's source (bluesky-social/atproto, 2026-08-20); any other falls to what its status means. A session
that has ended is a 400 `ExpiredToken`, not a 401. A `RateLimit-Reset` is in seconds since 1970.
"""

import re
from collections.abc import Mapping

from cm.channels.http import Http, Mode, Reply, retry_after
from cm.channels.port import AuthFailed, ChannelError, Duplicate, RateLimited, Rejected, Retryable
from cm.i18n import _

EXPIRED = "ExpiredToken"
NOT_FOUND = "RecordNotFound"
EXISTS = "InvalidSwap"
PERSON = frozenset(
    {
        EXPIRED,
        "AccountDeactivated",
        "AccountNotFound",
        "AccountSuspended",
        "AccountTakedown",
        "AuthFactorTokenRequired",
        "AuthMissing",
        "AuthenticationRequired",
        "BadJwtAudience",
        "InvalidToken",
        "RepoDeactivated",
        "RepoNotFound",
        "RepoSuspended",
        "RepoTakendown",
    }
)
"""Somebody must log in again or look at the account."""
LATER = frozenset({"BadExpiration", "BlobNotFound"})
"""Nothing was written, and preparing it again may help (a picture uploaded too long ago, clocks that disagree)."""
MEDIA = frozenset({"BlobTooLarge", "InvalidMimeType", "PayloadTooLarge"})
FINAL = MEDIA | {"InvalidRequest", "MethodNotImplemented"}
_FIELDS = (
    ("media", re.compile(r"\bblob|\bembed\b|\bimages?\b|\bvideo\b|\bfile\b", re.IGNORECASE)),
    ("parent", re.compile(r"\breply\b|\bparent\b", re.IGNORECASE)),
    ("text", re.compile(r"\btext\b|\bgraphemes\b", re.IGNORECASE)),
    ("language", re.compile(r"\blangs\b", re.IGNORECASE)),
)


def error_name(reply: Reply) -> str:
    """The name of the error; empty if the answer has none."""
    name = reply.json.get("error") if isinstance(reply.json, dict) else None
    return name if isinstance(name, str) else ""


def refusal(http: Http, reply: Reply, mode: Mode = "reading") -> ChannelError:
    """What an answer that is no success means."""
    name, reason = error_name(reply), f"{http.name}: {reply.status} {reply.message}"
    if reply.status == 429 or name == "RateLimitExceeded":
        return RateLimited(reason, retry_after=_rest(reply.headers))
    if reply.status >= 500 and name != "MethodNotImplemented":
        return http.refusal(reply, mode)
    if name in PERSON:
        return AuthFailed(reason)
    if name in LATER:
        return Retryable(reason)
    if name == EXISTS:
        return Duplicate(_("{server}: another text stands under this post's own key.").format(server=http.name))
    if name in FINAL or reply.status == 413:
        return Rejected(reason, field="media" if name in MEDIA or reply.status == 413 else _field(reply.message))
    return http.refusal(reply, mode)


def _field(message: str) -> str | None:
    return next((name for name, pattern in _FIELDS if pattern.search(message)), None)


def _rest(headers: Mapping[str, str]) -> float | None:
    reset = headers.get("ratelimit-reset", "")
    return retry_after({"x-ratelimit-reset": reset, **headers})
