"""What Graph says when it says no, as a Facebook Page meets it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support_facebook import MESSAGE, FacebookServer, facebook_context
from support_mastodon import picture_at
from support_meta import GONE, NOW, PAGE, SECRET, TOKEN, refusal, sent_json

from cm.channels.contract import prepared, put, sent, sought
from cm.channels.facebook.adapter import FacebookAdapter
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Duplicate,
    Media,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def server() -> Iterator[FacebookServer]:
    pretended = FacebookServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        router.route(host="rupload.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def adapter(server: FacebookServer) -> Iterator[FacebookAdapter]:
    made = FacebookAdapter(facebook_context())
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return picture_at(tmp_path / "Léa Martin chambre 12.png")


# --- what Graph says --------------------------------------------------------------------------------------------------

USAGE = {
    "X-Business-Use-Case-Usage": json.dumps(
        {PAGE: [{"type": "pages", "call_count": 97, "estimated_time_to_regain_access": 7}]}
    )
}


@pytest.mark.parametrize(
    ("answer", "kind", "field", "said"),
    [
        (refusal(1, status=500), UnknownOutcome, None, r"\(1\)"),
        (refusal(2, status=503, is_transient=True), UnknownOutcome, None, r"\(2\)"),
        (refusal(1), Retryable, None, r"\(1\)"),
        (refusal(2, status=200), UnknownOutcome, None, r"\(2\)"),
        (refusal(341), RateLimited, None, ""),
        (refusal(999_999, is_transient=True), Retryable, None, ""),
        (refusal(100, is_transient=True), Retryable, None, ""),
        (refusal(100, status=500), UnknownOutcome, None, ""),
        (refusal(100, 33, status=500, message=GONE), UnknownOutcome, None, ""),
        (refusal(200, status=500), UnknownOutcome, None, ""),
        (refusal(190, 463, status=503), UnknownOutcome, None, ""),
        (refusal(4, status=503), UnknownOutcome, None, ""),
        (refusal(506, status=500), UnknownOutcome, None, ""),
        (refusal(4), RateLimited, None, ""),
        (refusal(17), RateLimited, None, ""),
        (refusal(32, 2069007), RateLimited, None, ""),
        (refusal(613, 1996), RateLimited, None, ""),
        (refusal(80001), RateLimited, None, ""),
        (refusal(1390008), RateLimited, None, ""),
        (refusal(368, 1390008), RateLimited, None, ""),
        (httpx.Response(429, headers={"Retry-After": "30"}), RateLimited, None, "429"),
        (refusal(190, 458), AuthFailed, None, "app was removed"),
        (refusal(190, 459), AuthFailed, None, "see the person first"),
        (refusal(190, 460), AuthFailed, None, "password has changed"),
        (refusal(190, 463, 401), AuthFailed, None, "expired"),
        (refusal(190, 464), AuthFailed, None, "not confirmed"),
        (refusal(190, 467), AuthFailed, None, "log in again"),
        (refusal(190, message="This must be called with a Page Access Token"), AuthFailed, None, "Page Access Token"),
        (refusal(102), AuthFailed, None, "log in again"),
        (refusal(492), AuthFailed, None, "log in again"),
        (refusal(3), AuthFailed, None, "right is missing"),
        (refusal(10, status=403), AuthFailed, None, "right is missing"),
        (refusal(200), AuthFailed, None, "right is missing"),
        (refusal(283), AuthFailed, None, "right is missing"),
        (refusal(299), AuthFailed, None, "right is missing"),
        (refusal(100, 1404078), AuthFailed, None, "who publishes"),
        (refusal(368), AuthFailed, None, "blocked for a time"),
        (refusal(1346003), AuthFailed, None, "blocked"),
        (refusal(100, 1404102), AuthFailed, None, "blocked"),
        (refusal(506, message="Cannot post duplicate messages in a row"), Duplicate, None, "duplicate"),
        (refusal(100, message="(#100) Param message is wrong"), Rejected, None, "Param message"),
        (refusal(100, 33, message=GONE), Rejected, None, "does not exist"),
        (refusal(803), Rejected, None, ""),
        (refusal(12), Rejected, None, ""),
        (refusal(2500), Rejected, None, ""),
        (refusal(3001, 1504028), Rejected, None, ""),
        (refusal(100, 1609005), Rejected, "link", "address"),
        (refusal(1609008), Rejected, "link", "address"),
        (refusal(100, 2061006), Rejected, "link", "address"),
        (refusal(123_456, error_user_msg="En clair."), Rejected, None, r"En clair. \(123456\)"),
        (refusal(123_456, status=403), AuthFailed, None, ""),
        (refusal(123_456, status=500), UnknownOutcome, None, ""),
        (refusal(100, status=200), Rejected, None, ""),
        (httpx.Response(400, json={"error": "no object"}), Rejected, None, "no object"),
        (httpx.Response(400, text="<html>"), Rejected, None, ""),
        (httpx.Response(502, text="<html>"), UnknownOutcome, None, ""),
        (httpx.Response(200, text="<html>"), UnknownOutcome, None, "cannot be read"),
        (httpx.Response(200, json={}), UnknownOutcome, None, "without the new post"),
        (httpx.Response(200, json=[]), UnknownOutcome, None, "without the new post"),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), UnknownOutcome, None, ""),
        (httpx.ReadTimeout, UnknownOutcome, None, "did not answer"),
        (httpx.ConnectError, Retryable, None, "cannot be reached"),
    ],
)
def test_what_sending_may_meet(
    adapter: FacebookAdapter,
    server: FacebookServer,
    answer: Any,
    kind: type[ChannelError],
    field: str | None,
    said: str,
) -> None:
    ready = prepared(adapter, MESSAGE)
    server.fail_next("POST .*/feed", answer)
    with pytest.raises(kind, match=said or None) as caught:
        adapter.send(ready, key="k")
    if not (kind is Rejected and field is None):
        assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [1, 2])
def test_while_preparing_such_trouble_may_be_repeated(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media, code: int
) -> None:
    server.fail_next("POST .*/photos", refusal(code, status=500))
    with pytest.raises(Retryable):
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})


@pytest.mark.parametrize(
    ("code", "headers", "scope", "rest"),
    [
        (4, {}, "app", None),
        (341, {}, "app", None),
        (4, USAGE, "app", 420),
        (32, USAGE, "account", 420),
        (80001, {"X-Business-Use-Case-Usage": "[]"}, "account", None),
        (80001, {"X-Business-Use-Case-Usage": "{", "Retry-After": "5"}, "account", 5),
        (17, {"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 99999999}]}'}, "account", 86400),
    ],
)
def test_how_long_a_limit_lasts_and_for_whom(
    adapter: FacebookAdapter,
    server: FacebookServer,
    code: int,
    headers: dict[str, str],
    scope: str,
    rest: float | None,
) -> None:
    answer = refusal(code)
    answer.headers.update(headers)
    server.fail_next("GET .*/me", answer)
    with pytest.raises(RateLimited) as caught:
        adapter.check()
    assert (caught.value.scope, caught.value.retry_after) == (scope, rest)


def test_what_graph_quotes_of_our_secrets_is_left_out(adapter: FacebookAdapter, server: FacebookServer) -> None:
    server.fail_next("GET .*/me", refusal(190, message=f"Malformed access token {TOKEN} of {SECRET}\x1b[31m"))
    with pytest.raises(AuthFailed) as caught:
        adapter.check()
    assert TOKEN not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "Malformed access token … of …" in str(caught.value)


def test_a_comment_whose_post_is_gone(adapter: FacebookAdapter, server: FacebookServer) -> None:
    comment = replace(MESSAGE, role="comment", parent=f"{PAGE}_1", link=None)
    with pytest.raises(Rejected) as caught:
        sent(adapter, comment, "k")
    assert caught.value.field == "parent"
    assert sent_json(server.requests[-1]) == {"message": MESSAGE.text}


def test_find_reads_hostile_answers(adapter: FacebookAdapter, server: FacebookServer) -> None:
    ready, _receipt = put(adapter, MESSAGE, "k")
    odd: list[Any] = [
        {"data": None},
        {"data": [{"id": 3, "created_time": "soon", "message": []}]},
        {"data": ["x", 3], "paging": {"next": "http://["}},
        {"data": [{"id": "1_2", "created_time": "2026-11-23T08:40:00+0000", "attachments": {"data": [
            {"media_type": "link", "url": "http://["}, 3]}}]},
        [],
    ]  # fmt: skip
    for body in odd:
        server.fail_next("GET .*/published_posts", httpx.Response(200, json=body))
        try:
            answer = adapter.find(sought(MESSAGE, ready, "k"), since=SINCE)
        except Retryable:
            assert body == []
        else:
            assert isinstance(answer, (Absent, CannotTell))
            assert not (isinstance(answer, Absent) and answer.authoritative)
