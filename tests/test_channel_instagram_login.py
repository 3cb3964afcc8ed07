"""Instagram: both logins, what the check says, and how a token of Instagram's own is kept alive."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import respx
from support_instagram import OWN_TOKEN, PUBLIC, TEXT, USER, InstagramServer, file_at, instagram_context
from support_meta import APP, LOGIN, NOW, SECRET, TOKEN, pairs, refusal

from cm.channels.contract import put, sent, sought
from cm.channels.instagram.adapter import InstagramAdapter
from cm.channels.port import AuthFailed, Context, Found, Outgoing, RateLimited, Rejected, Retryable, Visit

GIVEN = {"client_id": APP, "client_secret": SECRET}
BACK = "http://127.0.0.1:8734/"
LINKED = {"id": "5", "name": "Tilleuls", "access_token": TOKEN, "instagram_business_account": {"id": USER}}
OTHER = {"id": "6", "name": "Autre", "instagram_business_account": {"id": "77", "username": "autre"}}
SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def server() -> Iterator[InstagramServer]:
    pretended = InstagramServer(accounts=[OTHER, {"id": "7", "name": "Sans compte"}, LINKED])
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def adapter(server: InstagramServer, tmp_path: Path) -> Iterator[InstagramAdapter]:
    made = InstagramAdapter(instagram_context(tmp_path))
    yield made
    made.close()


# --- through Facebook -------------------------------------------------------------------------------------------------


def visit_of(adapter: InstagramAdapter) -> Visit:
    visit = adapter.login_begin(GIVEN, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    return visit


def test_the_page_with_the_account_is_chosen(adapter: InstagramAdapter, server: InstagramServer) -> None:
    visit = visit_of(adapter)
    assert visit.url.startswith("https://www.facebook.com/v26.0/dialog/oauth?")
    assert "instagram_content_publish" in dict(parse_qsl(urlsplit(visit.url).query))["scope"].split(",")
    stored = adapter.login_finish(GIVEN, visit, {"code": "the-code"})
    assert stored == {**GIVEN, "access_token": TOKEN, "user_id": "99"}


def test_a_login_that_does_not_reach_the_account_names_those_it_does(
    adapter: InstagramAdapter, server: InstagramServer
) -> None:
    server.accounts.remove(LINKED)
    with pytest.raises(AuthFailed, match=rf"{USER}. It reaches: @autre \(77\), Sans compte"):
        adapter.login_finish(GIVEN, visit_of(adapter), {"code": "the-code"})


def test_check_tells_account_quota_and_end(adapter: InstagramAdapter, server: InstagramServer) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window) == (USER, "tilleuls", 0)
    assert info.limits == {"posts_per_day": 100, "posts_used": 2}
    assert info.software == "Graph API v26.0"
    assert info.token_expires_at == NOW + timedelta(days=60)


@pytest.mark.parametrize("quota", [{}, {"quota_usage": "2", "config": {"quota_total": True}}, {"config": []}])
def test_a_quota_that_is_not_told_is_left_out(
    adapter: InstagramAdapter, server: InstagramServer, quota: dict[str, Any]
) -> None:
    server.quota = quota
    assert adapter.check().limits == {}


def test_rights_that_are_missing_are_named(adapter: InstagramAdapter, server: InstagramServer) -> None:
    server.scopes = ["instagram_basic"]
    with pytest.raises(AuthFailed, match="missing: instagram_content_publish"):
        adapter.check()


def test_an_account_that_this_token_does_not_see(adapter: InstagramAdapter, server: InstagramServer) -> None:
    server.user = "1"
    with pytest.raises(AuthFailed, match="does not exist"):
        adapter.check()


def test_logging_out_through_facebook(adapter: InstagramAdapter, server: InstagramServer) -> None:
    adapter.logout(LOGIN)
    assert [(r.method, r.url.path) for r in server.requests] == [("DELETE", "/v26.0/99/permissions")]


# --- Instagram's own --------------------------------------------------------------------------------------------------

OWN = {"access_token": OWN_TOKEN, **GIVEN, "expires_at": (NOW + timedelta(days=50)).isoformat()}


@pytest.fixture
def own_server() -> Iterator[InstagramServer]:
    pretended = InstagramServer(own=True, proves=False, token=OWN_TOKEN)
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.instagram.com", path__startswith="/v26.0/").mock(side_effect=pretended)
        router.route(host="rupload.facebook.com").mock(side_effect=pretended)
        yield pretended


def own_context(workspace: Path, **values: str) -> Context:
    return instagram_context(workspace, {**OWN, **values}, login="instagram")


@pytest.fixture
def message(tmp_path: Path) -> Outgoing:
    return replace(TEXT, media=(file_at(tmp_path / "media" / "a.jpg", alt="Une infirmière."),))


def test_all_that_its_host_knows_works_there(own_server: InstagramServer, tmp_path: Path, message: Outgoing) -> None:
    adapter = InstagramAdapter(own_context(tmp_path))
    info = adapter.check()
    assert (info.remote_id, info.handle) == (USER, "tilleuls")
    assert info.token_expires_at == NOW + timedelta(days=50)
    ready, receipt = put(adapter, message, "k")
    found = adapter.find(sought(message, ready, "k"), since=SINCE)
    assert isinstance(found, Found)
    assert [each.remote_id for each in found.sightings] == [receipt.remote_id]
    assert all("appsecret_proof" not in pairs(request) for request in own_server.requests)
    assert all(OWN_TOKEN not in str(request.url) for request in own_server.requests)


def test_films_are_fetched_there_like_pictures(own_server: InstagramServer, tmp_path: Path) -> None:
    film = file_at(tmp_path / "media" / "film.mp4", b"film", "video/mp4")
    adapter = InstagramAdapter(own_context(tmp_path))
    sent(adapter, replace(TEXT, media=(film,)), "k")
    (container,) = own_server.containers.values()
    assert container["params"]["video_url"] == f"{PUBLIC}film.mp4"
    assert "upload_type" not in container["params"]
    nowhere = InstagramAdapter(instagram_context(tmp_path, OWN, login="instagram", public_media=None))
    with pytest.raises(Rejected, match="only from a public address"):
        nowhere.prepare(replace(TEXT, media=(film,)), {})


def test_it_cannot_take_down_and_says_who_can(own_server: InstagramServer, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="do it in the app, or use `login: facebook`"):
        InstagramAdapter(own_context(tmp_path)).delete("12345")
    assert own_server.requests == []


def test_anothers_token_is_told(own_server: InstagramServer, tmp_path: Path) -> None:
    own_server.user = "1"
    with pytest.raises(AuthFailed, match=rf"that of tilleuls \(1\), not of {USER}"):
        InstagramAdapter(own_context(tmp_path)).check()


def test_its_dialog_and_both_exchanges(tmp_path: Path) -> None:
    adapter = InstagramAdapter(own_context(tmp_path))
    visit = visit_of(adapter)
    parts = urlsplit(visit.url)
    assert f"{parts.netloc}{parts.path}" == "www.instagram.com/oauth/authorize"
    assert dict(parse_qsl(parts.query))["scope"].startswith("instagram_business_basic,")
    with respx.mock() as router:
        short = router.post("https://api.instagram.com/oauth/access_token").respond(
            json={"access_token": "short", "user_id": 17, "permissions": "x"}
        )
        long = router.get("https://graph.instagram.com/access_token").respond(
            json={"access_token": OWN_TOKEN, "token_type": "bearer", "expires_in": 5183944}
        )
        stored = adapter.login_finish(GIVEN, visit, {"code": "the-code"})
    assert stored == {**GIVEN, "access_token": OWN_TOKEN, "expires_in": "5183944"}
    form = dict(parse_qsl(short.calls.last.request.content.decode()))
    assert form == {**GIVEN, "grant_type": "authorization_code", "code": "the-code", "redirect_uri": BACK}
    assert pairs(long.calls.last.request) == {
        "grant_type": "ig_exchange_token",
        "access_token": "short",
        "client_secret": SECRET,
    }
    adapter.logout(stored)


SOON = (NOW + timedelta(days=9)).isoformat()


def test_its_token_is_renewed_days_before_it_ends(own_server: InstagramServer, tmp_path: Path) -> None:
    context = own_context(tmp_path, access_token="old-token-of-instagram", expires_at=SOON)
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.instagram.com", path__startswith="/v26.0/").mock(side_effect=own_server)
        renewal = router.get("https://graph.instagram.com/refresh_access_token").respond(
            json={"access_token": OWN_TOKEN, "token_type": "bearer", "expires_in": 5184000}
        )
        info = InstagramAdapter(context).check()
    assert pairs(renewal.calls.last.request) == {
        "grant_type": "ig_refresh_token",
        "access_token": "old-token-of-instagram",
    }
    assert renewal.call_count == 1
    assert info.token_expires_at == NOW + timedelta(days=60)


@pytest.mark.parametrize("answer", [httpx.ConnectError, httpx.Response(500), refusal(190, 463), refusal(4)])
def test_trouble_with_renewing_can_wait_while_the_token_lives(
    own_server: InstagramServer, tmp_path: Path, answer: Any
) -> None:
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.instagram.com", path__startswith="/v26.0/").mock(side_effect=own_server)
        router.get("https://graph.instagram.com/refresh_access_token").side_effect = (
            answer if isinstance(answer, type) else lambda _request: answer
        )
        info = InstagramAdapter(own_context(tmp_path, expires_at=SOON)).check()
    assert info.token_expires_at == NOW + timedelta(days=9)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ConnectError, Retryable),
        (httpx.Response(500), Retryable),
        (httpx.Response(200, json={}), AuthFailed),
        (refusal(190, 463), AuthFailed),
        (refusal(100, message=f"{OWN_TOKEN} is no token"), AuthFailed),
        (refusal(2, status=500), Retryable),
        (refusal(4), RateLimited),
    ],
)
def test_a_token_that_ended_cannot_be_renewed(tmp_path: Path, answer: Any, kind: type[Exception]) -> None:
    adapter = InstagramAdapter(own_context(tmp_path, expires_at=NOW.isoformat()))
    with respx.mock() as router:
        router.get("https://graph.instagram.com/refresh_access_token").side_effect = (
            answer if isinstance(answer, type) else lambda _request: answer
        )
        with pytest.raises(kind) as caught:
            adapter.check()
    assert OWN_TOKEN not in str(caught.value)
