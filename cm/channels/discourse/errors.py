"""What a forum's refusals mean.

`{"action", "errors": ["…"], "error_type", "extras": {"wait_seconds"}}`. A 429 comes in two shapes: Discourse's own with
that body, and one in plain text from before it, with `Retry-After` alone; asking earlier prolongs the second. Messages
are in the account's language; those that tell of a twin are known in English, elsewhere they are refusals.
"""

import re
from collections.abc import Mapping
from typing import Any

from cm.channels.http import Http, Mode, Reply
from cm.channels.port import ChannelError, Duplicate, Json, RateLimited, Rejected, Retryable

_TWIN = re.compile(r"title has already been used|body is too similar|external id has already been taken", re.IGNORECASE)
_FIELDS = ((re.compile(r"^title\b", re.IGNORECASE), "title"), (re.compile(r"^body\b", re.IGNORECASE), "text"))


def refused(http: Http, reply: Reply, mode: Mode, sent: Json | None = None) -> ChannelError:
    """The error for an answer of 400 and more. `sent`: the body of a new post."""
    error = http.refusal(reply, mode)
    body: Mapping[str, Any] = reply.json if isinstance(reply.json, dict) else {}
    if isinstance(error, RateLimited):
        error.retry_after = error.retry_after if error.retry_after is not None else _wait(body)
        return error
    if reply.status == 503 and body.get("error_type") == "read_only":
        return Retryable(error.reason)  # said before anything is done
    if reply.status == 409:
        return Retryable(error.reason)
    if reply.status == 422 and _TWIN.search(reply.message):
        return Duplicate(error.reason)
    if isinstance(error, Rejected):
        error.field = _field(reply, sent or {})
    return error


def _wait(body: Mapping[str, Any]) -> float | None:
    extras = body.get("extras")
    seconds = extras.get("wait_seconds") if isinstance(extras, dict) else None
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= 86_400
    return float(seconds) if known and seconds is not None else None


def _field(reply: Reply, sent: Json) -> str | None:
    if reply.status == 404 and "topic_id" in sent:
        return "parent"
    return next((name for words, name in _FIELDS if words.search(reply.message)), None)
