"""The shared HTTP client at the wire: every answer and failure in the port's words, and no token in any of them."""

import json
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

import cm
from cm.channels.http import MAX_BODY, MAX_WAIT, Http, Reply, retry_after, server_url
from cm.channels.port import AuthFailed, ChannelError, RateLimited, Rejected, Retryable, UnknownOutcome
from cm.channels.text import REASON_LENGTH
from cm.errors import WorkspaceError

SERVER = "https://social.example"
TOKEN = "s3cr3t-t0ken-of-the-hospital"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = format_datetime(NOW, usegmt=True)
Mode = Literal["reading", "sending"]


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        yield router


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(SERVER, lambda: TOKEN)
    yield made
    made.close()


def post(http: Http, mode: Mode = "sending") -> Reply:
    return http.call("POST", "/api/things", mode=mode, json={"text": "private words"}, query=[("q", "query-secret")])


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_a_request_carries_token_agent_and_json(http: Http, wire: respx.MockRouter) -> None:
    route = wire.post("/api/things", params={"q": "query-secret"}).respond(json={"id": "1"}, headers={"Date": DATE})
    reply = post(http)
    assert (reply.status, reply.json, reply.date) == (200, {"id": "1"}, NOW)
    request = route.calls.last.request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["User-Agent"] == f"cm-toolkit/{cm.__version__}"
    assert json.loads(request.content) == {"text": "private words"}


def test_forms_files_and_own_headers(http: Http, wire: respx.MockRouter, tmp_path: Any) -> None:
    route = wire.post("/upload").respond(202, json={"id": "1"}, headers={"X-Extra": "kept"})
    (tmp_path / "a.png").write_bytes(b"bytes of a picture")
    with (tmp_path / "a.png").open("rb") as file:
        reply = http.call(
            "POST",
            "/upload",
            form={"description": "Le jardin"},
            files={"file": ("a.png", file, "image/png")},
            headers={"Idempotency-Key": "k"},
        )
    request = route.calls.last.request
    assert (reply.status, reply.headers["x-extra"]) == (202, "kept")
    assert request.headers["Idempotency-Key"] == "k"
    assert request.headers["Content-Type"].startswith("multipart/form-data")
    assert b"bytes of a picture" in request.content
    assert b"Le jardin" in request.content
    http.call("POST", "/upload", form={"a": "é"})
    assert route.calls.last.request.content == b"a=%C3%A9"


def test_an_anonymous_request_leaves_the_token_at_home(http: Http, wire: respx.MockRouter) -> None:
    route = wire.get("/open").respond(json={})
    http.call("GET", "/open", anonymous=True)
    assert "Authorization" not in route.calls.last.request.headers


def test_the_token_is_asked_for_each_time(wire: respx.MockRouter) -> None:
    tokens = iter(["first", "second"])
    route = wire.get("/me").respond(json={})
    http = Http(SERVER, lambda: next(tokens))
    http.call("GET", "/me")
    http.call("GET", "/me")
    http.close()
    assert [call.request.headers["Authorization"] for call in route.calls] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("token", [None, "", "two words", "new\nline", "naïve", "bell\x07"])
def test_what_cannot_be_a_token_never_goes_out(wire: respx.MockRouter, token: str | None) -> None:
    http = Http(SERVER, lambda: token)
    with pytest.raises(AuthFailed) as caught:
        http.call("GET", "/me")
    assert not token or token not in caught.value.reason
    with pytest.raises(AuthFailed):
        http.require_token()
    http.close()
    assert wire.calls.call_count == 0


def test_a_secret_that_leads_nowhere_is_an_authorisation_failure() -> None:
    def nowhere() -> str:
        raise WorkspaceError("The secret env:CM_TOKEN is not set.")

    with pytest.raises(AuthFailed, match="env:CM_TOKEN is not set"):
        Http(SERVER, nowhere).require_token()


def test_closing_twice_and_using_again(http: Http, wire: respx.MockRouter) -> None:
    wire.get("/me").respond(json={})
    http.close()
    http.call("GET", "/me")
    http.close()
    http.close()
    assert http.call("GET", "/me").status == 200


# --- what comes back --------------------------------------------------------------------------------------------------

BEFORE_LEAVING = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
ON_THE_WAY = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    httpx.DecodingError,
]


@pytest.mark.parametrize("mode", ["reading", "sending"])
@pytest.mark.parametrize("failure", BEFORE_LEAVING)
def test_what_never_left_may_be_tried_again(http: Http, wire: respx.MockRouter, failure: Any, mode: Mode) -> None:
    wire.post("/api/things").mock(side_effect=failure)
    with pytest.raises(Retryable, match=r"social\.example"):
        post(http, mode)


@pytest.mark.parametrize(("mode", "kind"), [("reading", Retryable), ("sending", UnknownOutcome)])
@pytest.mark.parametrize("failure", ON_THE_WAY)
def test_what_broke_on_the_way(
    http: Http, wire: respx.MockRouter, failure: Any, mode: Mode, kind: type[ChannelError]
) -> None:
    wire.post("/api/things").mock(side_effect=failure)
    with pytest.raises(kind, match=failure.__name__):
        post(http, mode)


@pytest.mark.parametrize(
    ("status", "reading", "sending"),
    [
        (301, Retryable, UnknownOutcome),
        (400, Rejected, Rejected),
        (401, AuthFailed, AuthFailed),
        (403, AuthFailed, AuthFailed),
        (404, Rejected, Rejected),
        (408, Retryable, Retryable),
        (410, Rejected, Rejected),
        (413, Rejected, Rejected),
        (415, Rejected, Rejected),
        (422, Rejected, Rejected),
        (425, Retryable, Retryable),
        (429, RateLimited, RateLimited),
        (500, Retryable, UnknownOutcome),
        (502, Retryable, UnknownOutcome),
        (503, Retryable, UnknownOutcome),
        (504, Retryable, UnknownOutcome),
        (599, Retryable, UnknownOutcome),
    ],
)
def test_every_status_has_its_meaning(
    http: Http, wire: respx.MockRouter, status: int, reading: type[ChannelError], sending: type[ChannelError]
) -> None:
    wire.post("/api/things").respond(status, json={"error": "What it says"}, headers={"Location": "https://x.example/"})
    for mode, kind in (("reading", reading), ("sending", sending)):
        with pytest.raises(kind) as caught:
            post(http, mode)
        assert type(caught.value) is kind
        assert caught.value.reason == f"social.example: {status} What it says"
    assert wire.calls.call_count == 2, "redirects are not followed"


@pytest.mark.parametrize(("mode", "kind"), [("reading", Retryable), ("sending", UnknownOutcome)])
@pytest.mark.parametrize(
    "body", [b"<html>Login</html>", b'{"id": "1', b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * (MAX_BODY + 1) + b'"']
)
def test_a_success_that_cannot_be_read(
    http: Http, wire: respx.MockRouter, body: bytes, mode: Mode, kind: type[ChannelError]
) -> None:
    wire.post("/api/things").respond(200, content=body)
    with pytest.raises(kind, match="cannot be read"):
        post(http, mode)


class Cut(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"id": '
        raise httpx.ReadTimeout("the line is dead")


@pytest.mark.parametrize(("status", "kind"), [(200, UnknownOutcome), (422, Rejected), (429, RateLimited)])
def test_a_body_that_breaks_off(http: Http, wire: respx.MockRouter, status: int, kind: type[ChannelError]) -> None:
    """What the status says holds even if the rest is lost: a refusal never becomes unconfirmed."""
    wire.post("/api/things").mock(return_value=httpx.Response(status, stream=Cut()))
    with pytest.raises(kind):
        post(http)


def test_an_empty_success_and_accepted_statuses(http: Http, wire: respx.MockRouter) -> None:
    wire.delete("/a").respond(204)
    assert http.call("DELETE", "/a").json is None
    wire.get("/b").respond(404, json={"error": "Record not found"})
    reply = http.call("GET", "/b", accept={404})
    assert (reply.status, reply.message) == (404, "Record not found")


# --- how long to wait -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": format_datetime(NOW + timedelta(minutes=5), usegmt=True), "Date": DATE}, 300),
        ({"Retry-After": format_datetime(NOW - timedelta(minutes=5), usegmt=True), "Date": DATE}, 0),
        ({"X-RateLimit-Reset": "2026-11-23T08:35:00.123456Z", "Date": DATE}, 300.123456),
        ({"X-RateLimit-Reset": "2026-11-23T09:31:00+01:00", "Date": DATE}, 60),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 45), "Date": DATE}, 45),
        ({"Retry-After": "60", "X-RateLimit-Reset": "2026-11-23T09:30:00Z", "Date": DATE}, 60),
        ({"X-RateLimit-Reset": "2026-11-23T08:35:00Z"}, None),
        ({"X-RateLimit-Reset": "2026-11-23T08:35:00", "Date": DATE}, None),
        ({"Retry-After": "999999999"}, MAX_WAIT),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon", "Date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_tells_how_long(
    http: Http, wire: respx.MockRouter, headers: dict[str, str], seconds: float | None
) -> None:
    wire.post("/api/things").respond(429, json={"error": "Too many requests"}, headers=headers)
    with pytest.raises(RateLimited) as caught:
        post(http)
    assert caught.value.retry_after == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "date"]), st.text(max_size=40)))
def test_no_header_breaks_the_reading_of_waits(headers: dict[str, str]) -> None:
    wait = retry_after(headers)
    assert wait is None or 0 <= wait <= MAX_WAIT


# --- nothing leaks ----------------------------------------------------------------------------------------------------


def told(error: BaseException) -> str:
    """All that a traceback with local variables would show of an error, and of what hangs on it."""
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return f"{shown}{error!r}{vars(error)!r}{error.__cause__!r}{error.__context__!r}"


@pytest.mark.parametrize("mode", ["reading", "sending"])
@pytest.mark.parametrize("answer", [*BEFORE_LEAVING, *ON_THE_WAY, 200, 401, 422, 429, 500])
def test_no_error_holds_token_query_or_body(http: Http, wire: respx.MockRouter, answer: Any, mode: Mode) -> None:
    route = wire.post("/api/things")
    if isinstance(answer, int):
        route.respond(answer, content=b"<p>not JSON</p>")
    else:
        route.mock(side_effect=answer(f"Illegal header value b'Bearer {TOKEN}'"))
    with pytest.raises(ChannelError) as caught:
        post(http, mode)
    assert TOKEN not in told(caught.value)
    assert caught.value.__context__ is None, "httpx's error would hold on to the request"
    assert "query-secret" not in caught.value.reason
    assert "private words" not in caught.value.reason


def test_a_platform_that_echoes_the_token_is_not_quoted(http: Http, wire: respx.MockRouter) -> None:
    wire.post("/api/things").respond(401, json={"error": f"The token {TOKEN} was revoked"})
    with pytest.raises(AuthFailed) as caught:
        post(http)
    assert caught.value.reason == "social.example: 401 The token … was revoked"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "No such thing"},
        {"error_description": "No such thing"},
        {"error": {"code": 3}, "message": "No such thing"},
        {"detail": "No such thing"},
        {"errors": ["No such thing"]},
        {"errors": [{"message": "No such thing"}]},
    ],
)
def test_the_platforms_own_words_are_found(http: Http, wire: respx.MockRouter, body: Any) -> None:
    wire.post("/api/things").respond(422, json=body)
    with pytest.raises(Rejected, match="422 No such thing"):
        post(http)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "InvalidRequest", "message": "No such thing"}, "422 InvalidRequest: No such thing"),
        ({"error": "", "message": "No such thing"}, "422 No such thing"),
        ({"error": "InvalidRequest", "message": ""}, "422 InvalidRequest"),
    ],
)
def test_a_name_and_what_is_meant_by_it(http: Http, wire: respx.MockRouter, body: Any, said: str) -> None:
    wire.post("/api/things").respond(422, json=body)
    with pytest.raises(Rejected) as caught:
        post(http)
    assert caught.value.reason == f"social.example: {said}"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"error": ""}', b'{"errors": {}}', b"<html>"])
def test_a_silent_refusal_is_told_by_its_status(http: Http, wire: respx.MockRouter, body: bytes) -> None:
    wire.post("/api/things").respond(422, content=body)
    with pytest.raises(Rejected, match="422 Unprocessable"):
        post(http)


def test_hostile_words_are_made_fit_to_be_shown(http: Http, wire: respx.MockRouter) -> None:
    wire.post("/api/things").respond(422, json={"error": "a\x1b]0;x\x07b\u202ec\r\nd\x00e\u200f" + "z" * 9999})
    with pytest.raises(Rejected) as caught:
        post(http)
    said = caught.value.reason.removeprefix("social.example: 422 ")
    assert said.startswith("a ]0;x b c d e z")
    assert len(said) <= REASON_LENGTH


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://Social.Example/", "https://social.example"),
        (" https://social.example ", "https://social.example"),
        ("https://social.example:8443", "https://social.example:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_server_addresses(written: str, read: str) -> None:
    assert server_url(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "http://social.example",
        "http://127.0.0.1.evil.example",
        "ftp://social.example",
        "social.example",
        "https://",
        "https://user:password@social.example",
        "https://social.example/api",
        "https://social.example?a=b",
        "https://social.example#a",
        "https://social.example:99999",
        "https://social..example",
        "https://" + "a" * 64 + ".example",
    ],
)
def test_addresses_that_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        server_url(written)


def test_a_refused_connection_for_real() -> None:
    http = Http("http://127.0.0.1:9", lambda: TOKEN)
    with pytest.raises(Retryable, match="cannot be reached"):
        http.call("POST", "/", mode="sending", json={})
    http.close()
