"""What Google answers, in its own words, and what becomes of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_youtube import NOW, PretendYouTube, context_for, date, film_at, message_with, pretending, refused

from cm.channels.contract import prepared
from cm.channels.http import Http, Reply
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Outgoing,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.channels.youtube import errors
from cm.channels.youtube.adapter import YouTubeAdapter
from cm.channels.youtube.errors import KNOWN, Missing, refusal, until_midnight

QUOTA = (
    "The request cannot be completed because you have exceeded your "
    '<a href="/youtube/v3/getting-started#quota">quota</a>.'
)


@pytest.fixture
def there() -> Iterator[PretendYouTube]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def adapter(there: PretendYouTube, tmp_path: Path) -> Iterator[YouTubeAdapter]:
    made = YouTubeAdapter(context_for(tmp_path))
    yield made
    made.close()


@pytest.fixture
def message(tmp_path: Path) -> Outgoing:
    return message_with(film_at(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("status", "code", "domain", "kind", "field", "reason"),
    [
        (401, "authError", "global", AuthFailed, None, "log in again"),
        (401, "youtubeSignupRequired", "youtube.header", AuthFailed, None, "has no YouTube channel"),
        (403, "forbidden", "youtube.video", AuthFailed, None, "a right is missing"),
        (403, "insufficientPermissions", "global", AuthFailed, None, "allow all that is asked"),
        (403, "accountDelegationForbidden", "global", AuthFailed, None, "a right is missing"),
        (403, "authenticatedUserAccountSuspended", "youtube.header", AuthFailed, None, "look at the account"),
        (403, "authenticatedUserAccountClosed", "youtube.header", AuthFailed, None, "look at the account"),
        (403, "accessNotConfigured", "usageLimits", AuthFailed, None, "Google Cloud console"),
        (403, "forbiddenPrivacySetting", "youtube.video", Rejected, "visibility", "forbiddenPrivacySetting"),
        (404, "videoNotFound", "youtube.video", Rejected, "media", "videoNotFound"),
        (400, "invalidTitle", "youtube.video", Rejected, "title", "invalidTitle"),
        (400, "invalidDescription", "youtube.video", Rejected, "text", "invalidDescription"),
        (400, "invalidTags", "youtube.video", Rejected, None, "settings of this channel"),
        (400, "invalidCategoryId", "youtube.video", Rejected, None, "settings of this channel"),
        (400, "invalidPublishAt", "youtube.video", Rejected, None, "invalidPublishAt"),
        (400, "mediaBodyRequired", "youtube.video", Rejected, "media", "mediaBodyRequired"),
        (400, "defaultLanguageNotSet", "youtube.video", Rejected, "language", "defaultLanguageNotSet"),
        (400, "incompatibleParameters", "youtube.parameter", Rejected, None, "incompatibleParameters"),
        (400, "somethingNew", "youtube.video", Rejected, None, r"Refused\. \(somethingNew\)"),
        (500, "internalError", "global", UnknownOutcome, None, "internalError"),
        (503, "backendError", "global", UnknownOutcome, None, "backendError"),
        (400, "SERVICE_UNAVAILABLE", "youtube.api.v3", Retryable, None, "SERVICE_UNAVAILABLE"),
        (409, "conflict", "global", Retryable, None, "conflict"),
        (500, "videoNotFound", "youtube.video", UnknownOutcome, None, "videoNotFound"),
        (503, "quotaExceeded", "youtube.quota", UnknownOutcome, None, "quotaExceeded"),
        (500, "forbidden", "youtube.video", UnknownOutcome, None, "forbidden"),
        (500, "somethingNew", "global", UnknownOutcome, None, "somethingNew"),
    ],
)
def test_what_publishing_may_meet(
    adapter: YouTubeAdapter,
    there: PretendYouTube,
    message: Outgoing,
    status: int,
    code: str,
    domain: str,
    kind: type[ChannelError],
    field: str | None,
    reason: str,
) -> None:
    ready = prepared(adapter, message)
    there.fail("PUT", "/videos", refused(status, code, domain=domain))
    with pytest.raises(kind, match=reason) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field


@pytest.mark.parametrize(
    ("status", "code", "seconds", "scope"),
    [
        (403, "quotaExceeded", 84_600, "app"),
        (403, "dailyLimitExceeded", 84_600, "app"),
        (400, "uploadLimitExceeded", 86_400, "account"),
        (403, "rateLimitExceeded", None, "app"),
        (429, "rateLimitExceeded", None, "app"),
        (403, "userRateLimitExceeded", None, "account"),
    ],
)
def test_limits_and_how_long_they_last(
    adapter: YouTubeAdapter,
    there: PretendYouTube,
    message: Outgoing,
    status: int,
    code: str,
    seconds: float | None,
    scope: str,
) -> None:
    """At 08:30 UTC on a day in November it is half past midnight on the Pacific coast."""
    there.fail("POST", "/videos", refused(status, code, QUOTA, "youtube.quota"))
    with pytest.raises(RateLimited) as caught:
        adapter.prepare(message, {})
    assert (caught.value.retry_after, caught.value.scope) == (seconds, scope)
    assert "exceeded your quota. " in caught.value.reason, "without Google's markup"
    ready = prepared(adapter, message)
    there.fail("PUT", "/videos", refused(status, code, QUOTA, "youtube.quota"))
    with pytest.raises(RateLimited):
        adapter.send(ready, key="k")


def test_a_wait_that_is_told(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    told = refused(429, "userRateLimitExceeded")
    told.headers["Retry-After"] = "90"
    there.fail("POST", "/videos", told)
    with pytest.raises(RateLimited) as caught:
        adapter.prepare(message, {})
    assert caught.value.retry_after == 90
    there.fail("POST", "/videos", httpx.Response(429, text="slow down", headers={**date(NOW), "Retry-After": "30"}))
    with pytest.raises(RateLimited) as plain:
        adapter.prepare(message, {})
    assert plain.value.retry_after == 30


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), 1 / 60),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), 19),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), 24),  # the day on which clocks go back has 25 hours
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), 23),
    ],
)
def test_midnight_on_the_pacific_coast(now: datetime, hours: float) -> None:
    assert until_midnight(now) == pytest.approx(hours * 3600)
    assert until_midnight(None) is None


@pytest.mark.parametrize(
    ("status", "code", "kind", "field"),
    [
        (403, "commentsDisabled", Rejected, "parent"),
        (400, "commentTextTooLong", Rejected, "text"),
        (400, "commentTextRequired", Rejected, "text"),
        (400, "processingFailure", Rejected, None),
        (400, "operationNotSupported", Rejected, None),
        (403, "ineligibleAccount", AuthFailed, None),
        (404, "channelNotFound", Rejected, "parent"),
    ],
)
def test_what_a_comment_may_meet(
    adapter: YouTubeAdapter, there: PretendYouTube, status: int, code: str, kind: type[ChannelError], field: str | None
) -> None:
    ready = prepared(adapter, Outgoing("Merci", "fr", NOW, role="comment", parent="film0000001"))
    there.fail("POST", "/commentThreads", refused(status, code, domain="youtube.commentThread"))
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field


def test_googles_newer_style(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
    body = {
        "error": {"code": 403, "message": "Insufficient scopes.", "status": "PERMISSION_DENIED", "details": [detail]}
    }
    there.fail("GET", "/channels", httpx.Response(403, json=body))
    with pytest.raises(AuthFailed, match=r"Insufficient scopes\..*allow all that is asked"):
        adapter.check()


def test_an_answer_that_is_no_json_or_none_at_all(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    ready = prepared(adapter, message)
    for fault, kind in [
        (httpx.Response(200, text="<html>"), UnknownOutcome),
        (httpx.Response(302, headers={"Location": "/login"}), UnknownOutcome),
        (httpx.ReadTimeout("late"), UnknownOutcome),
        (httpx.RemoteProtocolError("cut"), UnknownOutcome),
        (httpx.ConnectError("never left"), Retryable),
        (httpx.Response(403, text="<html>Forbidden"), AuthFailed),
        (httpx.Response(400, json={"error": "odd"}), Rejected),
        (httpx.Response(400, json={"error": {"errors": "odd", "details": [5]}}), Rejected),
    ]:
        there.fail("PUT", "/videos", fault)
        with pytest.raises(ChannelError) as caught:
            adapter.send(ready, key="k")
        assert type(caught.value) is kind


def test_a_message_that_quotes_the_token_or_draws_on_the_terminal(
    adapter: YouTubeAdapter, there: PretendYouTube
) -> None:
    there.fail("GET", "/channels", refused(400, "badRequest", "ya29.token-of-the-hospital \x1b[2J\u202ebad" * 20))
    with pytest.raises(Rejected) as caught:
        adapter.check()
    assert "token-of-the-hospital" not in caught.value.reason
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_every_reason_means_one_thing_in_every_mode(code: str) -> None:
    http = Http("https://youtube.googleapis.com", name="YouTube")
    body = {"error": {"errors": [{"reason": code}]}}
    for mode in ("reading", "sending"):
        error = refusal(http, Reply(400, date(NOW), body, "Refused."), mode)
        assert isinstance(error, Retryable | UnknownOutcome | RateLimited | AuthFailed | Rejected)
        assert code in error.reason
        assert not isinstance(error, UnknownOutcome), "what is refused is known not to have happened"
        assert isinstance(error, Missing) == (KNOWN[code].kind == "gone")
    assert isinstance(refusal(http, Reply(500, date(NOW), body, "Refused."), "sending"), UnknownOutcome)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(("error", "errors", "reason", "details", "message")), inner)
        ),
    )
)
def test_hostile_bodies_are_read_without_a_fault(body: Any) -> None:
    assert isinstance(errors.reason_of(Reply(400, {}, body)), str)
