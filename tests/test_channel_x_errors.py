"""What X answers to a post, in its own sentences, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_x import DATE, DUPLICATE, MESSAGE, NOW, OAUTH2, UNAUTHORIZED, PretendX, context_for, media_at, pretending

from cm.channels.contract import prepared, stored
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Duplicate,
    Media,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.channels.x.adapter import XAdapter

RESET = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 900)}


@pytest.fixture
def there() -> Iterator[PretendX]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def adapter(there: PretendX, tmp_path: Path) -> Iterator[XAdapter]:
    made = XAdapter(context_for(tmp_path, OAUTH2))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "a.png")


def test_a_resend_sends_the_very_same_bytes(adapter: XAdapter, there: PretendX, picture: Media) -> None:
    ready = stored(prepared(adapter, replace(MESSAGE, media=(picture,))))
    there.answers = [httpx.Response(503)]
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    adapter.send(stored(ready), key="k")
    one, two = there.sent("POST", "/2/tweets")
    assert one.content == two.content
    assert "Idempotency-Key" not in one.headers


PROBLEM = "https://api.twitter.com/2/problems/"


@pytest.mark.parametrize(
    ("status", "body", "kind", "field", "reason"),
    [
        (401, UNAUTHORIZED, AuthFailed, None, "401 Unauthorized"),
        (
            402,
            {"title": "CreditsDepleted", "type": "about:blank", "detail": "Your account has no credits."},
            AuthFailed,
            None,
            "no credits are left",
        ),
        (403, DUPLICATE, Duplicate, None, "duplicate content"),
        (
            403,
            {
                "detail": "You can only reply to or quote posts where you are mentioned or are the author.",
                "status": 403,
            },
            Rejected,
            "parent",
            "can only reply",
        ),
        (
            403,
            {
                "detail": "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
                "engaged by the author of the post you are replying to.",
                "status": 403,
            },
            Rejected,
            "parent",
            "not allowed",
        ),
        (
            403,
            {
                "title": "Client Forbidden",
                "type": f"{PROBLEM}client-forbidden",
                "reason": "client-not-enrolled",
                "detail": "When authenticating requests you must use keys from a developer App attached to a Project.",
            },
            AuthFailed,
            None,
            "attached to a Project",
        ),
        (
            403,
            {
                "title": "Forbidden",
                "type": f"{PROBLEM}oauth1-permissions",
                "detail": "Your client app is not configured with the appropriate oauth1 app permissions.",
            },
            AuthFailed,
            None,
            "oauth1 app permissions",
        ),
        (
            403,
            {"detail": "You are not permitted to perform this action.", "status": 403},
            AuthFailed,
            None,
            "permitted",
        ),
        (
            400,
            {
                "errors": [{"parameters": {"text": ["…"]}, "message": "A post holds one cashtag at most."}],
                "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.",
                "type": f"{PROBLEM}invalid-request",
            },
            Rejected,
            "text",
            "was invalid. A post holds one cashtag",
        ),
        (
            400,
            {"errors": [{"parameters": {"media.media_ids": ["1"]}, "message": "Your media IDs are invalid."}]},
            Rejected,
            "media",
            "media IDs",
        ),
        (404, {"title": "Not Found", "status": 404, "detail": "Not Found"}, Rejected, None, "404"),
        (429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, RateLimited, None, "Rate limit exceeded"),
        (429, {"title": "Too Many Requests", "type": "about:blank", "status": 429}, RateLimited, None, "Too Many"),
        (
            429,
            {"title": "UsageCapExceeded", "period": "Monthly", "scope": "Product", "type": f"{PROBLEM}usage-capped"},
            AuthFailed,
            None,
            "cap of the developer app",
        ),
        (
            429,
            {"title": "UsageCapExceeded", "period": "Daily", "scope": "Product", "type": f"{PROBLEM}usage-capped"},
            RateLimited,
            None,
            "429",
        ),
        (500, {"title": "Internal Server Error", "status": 500}, UnknownOutcome, None, "500"),
        (504, None, UnknownOutcome, None, "504"),
        (201, {"data": {"text": "no id"}}, UnknownOutcome, None, "without the new post"),
        (201, [], UnknownOutcome, None, "without the new post"),
        (201, {"data": {"id": "1/../2"}}, UnknownOutcome, None, "without the new post"),
    ],
)
def test_what_sending_may_meet(
    adapter: XAdapter, there: PretendX, status: int, body: Any, kind: type[ChannelError], field: str | None, reason: str
) -> None:
    ready = prepared(adapter, MESSAGE)
    there.answers = [httpx.Response(status, json=body, headers={**DATE, **RESET})]
    with pytest.raises(kind, match=reason) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field
    assert getattr(caught.value, "retry_after", 900) == 900
    assert len(there.sent("POST", "/2/tweets")) == 1


def test_an_answer_that_is_no_json_or_none_at_all(adapter: XAdapter, there: PretendX) -> None:
    ready = prepared(adapter, MESSAGE)
    for fault, kind in [
        (httpx.Response(201, text="<html>"), UnknownOutcome),
        (httpx.Response(302, headers={"Location": "/login"}), UnknownOutcome),
        (httpx.ReadTimeout("late"), UnknownOutcome),
        (httpx.ConnectError("never left"), Retryable),
        (httpx.Response(403, text="<html>Forbidden"), AuthFailed),
    ]:
        there.answers = [fault]
        with pytest.raises(ChannelError) as caught:
            adapter.send(ready, key="k")
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("headers", "scope", "seconds"),
    [
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "+60"}, "account", 60),
        ({"x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": "+7200"}, "app", 7200),
        ({"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": "+3600"}, "account", 3600),
        ({"retry-after": "30"}, "account", 30),
        ({}, "account", None),
    ],
)
def test_whose_limit_it_is_and_how_long(
    adapter: XAdapter, there: PretendX, headers: dict[str, str], scope: str, seconds: float | None
) -> None:
    start = int(NOW.timestamp())
    told = {name: str(start + int(value[1:])) if value[0] == "+" else value for name, value in headers.items()}
    ready = prepared(adapter, MESSAGE)
    there.answers = [httpx.Response(429, json={"title": "Too Many Requests", "status": 429}, headers={**DATE, **told})]
    with pytest.raises(RateLimited) as caught:
        adapter.send(ready, key="k")
    assert (caught.value.scope, caught.value.retry_after) == (scope, seconds)


def test_no_reason_quotes_the_token(there: PretendX, tmp_path: Path) -> None:
    adapter = XAdapter(context_for(tmp_path, OAUTH2))
    ready = prepared(adapter, MESSAGE)
    token = OAUTH2["access_token"]
    body = {"detail": f"Bearer {token} is bad", "errors": [{"message": f"token {token}"}]}
    for status in (400, 401, 402, 403, 429, 500):
        there.answers = [httpx.Response(status, json=body)]
        with pytest.raises(ChannelError) as caught:
            adapter.send(ready, key="k")
        assert token not in caught.value.reason
