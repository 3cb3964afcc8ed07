"""Facebook: logging in for a Page, what the check says of the login, and logging out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import respx
from support_facebook import FacebookServer, facebook_context
from support_meta import APP, LOGIN, NOW, PAGE, SECRET, TOKEN, pairs, refusal

from cm.channels.facebook.adapter import FacebookAdapter
from cm.channels.port import AuthFailed, Logins, Retryable, Visit

GIVEN = {"client_id": APP, "client_secret": SECRET}
BACK = "http://127.0.0.1:8734/"
OURS = {"id": PAGE, "name": "Tilleuls", "access_token": TOKEN, "tasks": ["CREATE_CONTENT", "MODERATE"]}
OTHER = {"id": "77", "name": "Autre\x1b[31m Page", "access_token": "other", "tasks": ["CREATE_CONTENT"]}


@pytest.fixture
def server() -> Iterator[FacebookServer]:
    pretended = FacebookServer(accounts=[OTHER, OURS])
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def adapter(server: FacebookServer) -> Iterator[FacebookAdapter]:
    made = FacebookAdapter(facebook_context())
    yield made
    made.close()


def visit_of(adapter: Logins) -> Visit:
    visit = adapter.login_begin(GIVEN, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    return visit


def test_the_dialog_names_app_rights_and_state(adapter: FacebookAdapter, server: FacebookServer) -> None:
    assert [(ask.key, ask.secret) for ask in adapter.login_asks()] == [("client_id", False), ("client_secret", True)]
    visit = visit_of(adapter)
    parts = urlsplit(visit.url)
    query = dict(parse_qsl(parts.query))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://www.facebook.com/v26.0/dialog/oauth"
    assert (query["client_id"], query["redirect_uri"], query["response_type"]) == (APP, BACK, "code")
    assert query["state"] == visit.state
    assert query["scope"].split(",")[:2] == ["pages_show_list", "pages_manage_posts"]
    assert SECRET not in visit.url
    assert server.requests == []


def test_the_code_becomes_the_pages_own_token(adapter: FacebookAdapter, server: FacebookServer) -> None:
    stored = adapter.login_finish(GIVEN, visit_of(adapter), {"code": "the-code", "state": "x"})
    assert stored == {**GIVEN, "access_token": TOKEN, "user_id": "99"}, "nothing of the person's own tokens is kept"
    assert all(word not in str(request.url) for request in server.requests for word in ("canary", "user-token"))


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ([OTHER], rf"does not reach the Page {PAGE}. It reaches: Autre \[31m Page \(77\)"),
        ([], "It reaches: none"),
        ([{**OURS, "tasks": ["ANALYZE"]}], "CREATE_CONTENT is missing"),
    ],
)
def test_a_login_that_does_not_reach_the_page(
    adapter: FacebookAdapter, server: FacebookServer, accounts: list[dict[str, Any]], said: str
) -> None:
    server.accounts = accounts
    with pytest.raises(AuthFailed, match=said):
        adapter.login_finish(GIVEN, visit_of(adapter), {"code": "the-code"})


def test_a_person_who_says_no(adapter: FacebookAdapter, server: FacebookServer) -> None:
    with pytest.raises(AuthFailed, match="denied"):
        adapter.login_finish(GIVEN, visit_of(adapter), {"error": "access_denied", "error_description": "User denied"})
    assert server.requests == []


@pytest.mark.parametrize(
    ("pattern", "answer", "kind"),
    [
        ("POST .*access_token", refusal(100, 36009, message="This authorization code has been used."), AuthFailed),
        ("POST .*access_token", httpx.ConnectTimeout, Retryable),
        ("GET .*me/accounts", refusal(1, status=500), Retryable),
        ("GET .*me/accounts", refusal(200), AuthFailed),
        ("GET .*/me$", httpx.Response(200, json={}), Retryable),
    ],
)
def test_a_login_that_fails_midway(
    adapter: FacebookAdapter, server: FacebookServer, pattern: str, answer: Any, kind: type[Exception]
) -> None:
    server.fail_next(pattern, answer)
    with pytest.raises(kind) as caught:
        adapter.login_finish(GIVEN, visit_of(adapter), {"code": "the-code"})
    assert not any(word in str(caught.value) for word in (SECRET, "the-code", "user-token"))


def test_logging_out_takes_the_permission_back(adapter: FacebookAdapter, server: FacebookServer) -> None:
    adapter.logout(LOGIN)
    assert [(r.method, r.url.path) for r in server.requests] == [("DELETE", "/v26.0/99/permissions")]
    assert server.requests[0].headers["Authorization"] == f"Bearer {APP}|{SECRET}"
    server.fail_next("DELETE", refusal(100, 33))
    adapter.logout(LOGIN)
    adapter.logout(
        {name: value for name, value in LOGIN.items() if name != "user_id"} | {"access_token": "long-user-token"}
    )
    assert server.requests[-1].url.path == "/v26.0/me/permissions"
    server.fail_next("DELETE", refusal(2, status=500))
    with pytest.raises(Retryable):
        adapter.logout(LOGIN)


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_tells_the_page_and_when_the_login_ends(adapter: FacebookAdapter, server: FacebookServer) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window) == (PAGE, "Hôpital des Tilleuls", 0)
    assert info.software == "Graph API v26.0"
    assert info.server_time is not None
    assert info.server_time - NOW < timedelta(minutes=1)
    assert info.token_expires_at == NOW + timedelta(days=60), "its access to data rests before it ends"
    assert pairs(server.requests[-1])["input_token"] == TOKEN


@pytest.mark.parametrize(
    ("debug", "ends"),
    [
        ({"expires_at": 0, "data_access_expires_at": 0}, None),
        ({"expires_at": 0, "data_access_expires_at": None}, None),
        ({"expires_at": int(NOW.timestamp()) + 86400}, timedelta(days=1)),
        ({"expires_at": 10**30, "data_access_expires_at": True}, None),
    ],
)
def test_ends_of_a_login(
    adapter: FacebookAdapter, server: FacebookServer, debug: dict[str, Any], ends: timedelta | None
) -> None:
    server.debug = debug
    assert adapter.check().token_expires_at == (NOW + ends if ends else None)


@pytest.mark.parametrize(
    ("debug", "said"),
    [
        ({"is_valid": False}, "not valid any more"),
        ({"scopes": ["pages_manage_posts"]}, "missing: pages_read_engagement, pages_manage_engagement"),
        ({"scopes": None}, "pages_manage_posts"),
        ({"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["77"]}]}, "missing: pages_manage_posts"),
    ],
)
def test_a_login_that_lacks_something(
    adapter: FacebookAdapter, server: FacebookServer, debug: dict[str, Any], said: str
) -> None:
    server.debug = debug
    with pytest.raises(AuthFailed, match=said):
        adapter.check()


def test_rights_for_this_page_suffice(adapter: FacebookAdapter, server: FacebookServer) -> None:
    server.debug = {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["77", PAGE]}, {"scope": "x"}]}
    assert adapter.check().remote_id == PAGE


def test_an_older_version_that_answers_is_shown(adapter: FacebookAdapter, server: FacebookServer) -> None:
    answer = httpx.Response(200, json=server.me, headers={"facebook-api-version": "v27.0"})
    server.fail_next("GET .*/me", answer)
    assert adapter.check().software == "Graph API v27.0"


def test_a_persons_token_in_place_of_the_pages(adapter: FacebookAdapter, server: FacebookServer) -> None:
    server.me = {"id": "99", "name": "Jo Martin"}
    with pytest.raises(AuthFailed, match=f"that of Jo Martin, not of the Page {PAGE}"):
        adapter.check()
