"""Logging in to Mastodon: an app that registers itself, a page in a browser, a token that is checked, and its end."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
import respx
from support_mastodon import MESSAGE, NOW, SERVER, TOKEN, TOKENS, MastodonServer, context_for, running

from cm.channels.contract import sent
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.mastodon.login import COARSE, PASTED, SCOPES
from cm.channels.port import AuthFailed, ChannelError, Logins, RateLimited, Rejected, Retryable, Values, Visit
from cm.clock import SettableClock
from cm.secrets.login import Login, token_file

BACK = "http://127.0.0.1:8731/"
APP = {"client_id": "client-of-the-hospital", "client_secret": "secret-of-the-hospital"}
TOLD = {"access_token": TOKEN, "token_type": "Bearer", "scope": " ".join(SCOPES), "created_at": 1_763_900_000}
STORED = {**APP, "access_token": TOKEN, "scope": " ".join(SCOPES)}
ME = "/api/v1/accounts/verify_credentials"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonServer]:
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        links = [{"rel": "x", "href": f"{SERVER}/nodeinfo/2.0"}]
        router.get("/.well-known/nodeinfo").respond(json={"links": links})
        router.get("/nodeinfo/2.0").respond(json={"software": {"name": "mastodon", "version": "4.5.2"}})
        router.post("/api/v1/apps").respond(json={"id": "1", "name": "cm", "redirect_uris": [BACK], **APP})
        router.get(ME).respond(json={"id": "7", "username": "tilleuls"})
        yield router


def adapter_at(root: Path, url: str = SERVER, values: Values | None = None) -> MastodonAdapter:
    """With what is stored in a private file under `root`."""
    clock = SettableClock(NOW)
    login = Login("mastodon", None, root, clock)
    if values is not None:
        login.store(values)
    return MastodonAdapter(replace(context_for(url, None), secret=login.token, credentials=login, clock=clock))


def begun(adapter: MastodonAdapter, redirect: str = BACK) -> Visit:
    visit = adapter.login_begin({}, redirect_uri=redirect)
    assert isinstance(visit, Visit)
    return visit


def query(visit: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visit.url).query)


# --- against a running server -----------------------------------------------------------------------------------------


def says_yes(visit: Visit, username: str) -> Mapping[str, str]:
    """What a person does in a browser, and what comes back to this machine."""
    asked = query(visit)
    form = {name: asked[name][0] for name in ("redirect_uri", "client_id", "scope", "state")}
    page = visit.url.partition("?")[0]
    answer = httpx.post(page, data={**form, "username": username})
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_a_login_for_real(server: MastodonServer, tmp_path: Path) -> None:
    server.reset()
    adapter = adapter_at(tmp_path, server.url)
    assert isinstance(adapter, Logins)
    assert [(ask.key, ask.secret, ask.optional) for ask in adapter.login_asks()] == [("token", True, True)]
    visit = begun(adapter)
    answer = says_yes(visit, "tilleuls")
    assert answer["state"] == visit.state
    values = adapter.login_finish({}, visit, answer)
    assert values.keys() >= {"access_token", "client_id", "client_secret"}
    again = adapter_at(tmp_path, server.url, values)
    assert again.check().handle == "tilleuls"
    sent(again, MESSAGE, "k")
    assert len(server.statuses()) == 1
    again.logout(values)
    with pytest.raises(AuthFailed, match="401"):
        again.check()
    adapter.close()
    again.close()


def test_whoever_said_yes_must_be_the_channels_account(server: MastodonServer, tmp_path: Path) -> None:
    adapter = adapter_at(tmp_path, server.url)
    visit = begun(adapter)
    with pytest.raises(AuthFailed, match="belongs to @autre, the channel is @tilleuls"):
        adapter.login_finish({}, visit, says_yes(visit, "autre"))
    assert not token_file(tmp_path, "mastodon").exists()
    adapter.close()


@pytest.mark.parametrize("stored", [TOKENS["tilleuls"], json.dumps({"access_token": TOKENS["tilleuls"]})])
def test_a_bare_token_goes_on_working(
    server: MastodonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str
) -> None:
    monkeypatch.setenv("CM_TEST_TOKEN", stored)
    login = Login("mastodon", "env:CM_TEST_TOKEN", tmp_path, SettableClock(NOW))
    adapter = MastodonAdapter(replace(context_for(server.url, None), secret=login.token, credentials=login))
    info = adapter.check()
    assert (info.handle, info.token_expires_at) == ("tilleuls", None)
    adapter.close()


def test_a_token_of_the_servers_own_page_is_tried_before_it_is_stored(server: MastodonServer, tmp_path: Path) -> None:
    adapter = adapter_at(tmp_path, server.url)
    given = {"token": TOKENS["tilleuls"]}
    assert adapter.login_begin(given, redirect_uri=BACK) == {"access_token": TOKENS["tilleuls"]}
    with pytest.raises(AuthFailed, match="401"):
        adapter.login_begin({"token": "wrong"}, redirect_uri=BACK)
    with pytest.raises(AuthFailed, match="belongs to @autre"):
        adapter.login_begin({"token": TOKENS["autre"]}, redirect_uri=BACK)
    adapter.close()


# --- at the wire ------------------------------------------------------------------------------------------------------


def test_the_app_registers_itself_and_the_page_is_asked_for(wire: respx.MockRouter, tmp_path: Path) -> None:
    visit = begun(adapter_at(tmp_path))
    request = wire.post("/api/v1/apps").calls.last.request
    assert json.loads(request.content) == {"client_name": "cm", "redirect_uris": [BACK], "scopes": " ".join(SCOPES)}
    assert "Authorization" not in request.headers
    assert visit.url.startswith(f"{SERVER}/oauth/authorize?")
    asked = query(visit)
    assert (asked["client_id"], asked["redirect_uri"], asked["state"]) == ([APP["client_id"]], [BACK], [visit.state])
    assert (asked["scope"], asked["code_challenge_method"]) == ([" ".join(SCOPES)], ["S256"])
    assert not visit.pasted
    assert APP["client_secret"] not in visit.url + repr(visit)


def test_the_code_becomes_a_login(wire: respx.MockRouter, tmp_path: Path) -> None:
    adapter = adapter_at(tmp_path)
    visit = begun(adapter)
    route = wire.post("/oauth/token").respond(json=TOLD)
    values = adapter.login_finish({}, visit, {"code": "the-code", "state": visit.state})
    assert values == STORED
    assert dict(parse_qsl(route.calls.last.request.content.decode())) == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
        "code_verifier": visit.saved["code_verifier"],
        **APP,
    }
    assert wire.get(ME).calls.last.request.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(422, json={"error": "Validation failed: Redirect URI must be an HTTPS/SSL URI."}),
        httpx.Response(400, json={"error": "Bad Request: redirect_uris was not set"}),
    ],
)
def test_a_server_that_sends_nobody_to_this_machine_shows_a_code(
    wire: respx.MockRouter, tmp_path: Path, refusal: httpx.Response
) -> None:
    apps = wire.post("/api/v1/apps")
    apps.side_effect = [refusal, httpx.Response(200, json=APP)]
    adapter = adapter_at(tmp_path)
    visit = begun(adapter)
    assert visit.pasted
    assert query(visit)["redirect_uri"] == [PASTED]
    assert json.loads(apps.calls.last.request.content)["redirect_uris"] == PASTED
    route = wire.post("/oauth/token").respond(json=TOLD)
    assert adapter.login_finish({}, visit, {"code": "pasted"})["access_token"] == TOKEN
    assert dict(parse_qsl(route.calls.last.request.content.decode()))["redirect_uri"] == PASTED


@pytest.mark.parametrize("software", [{"name": "pixelfed"}, {"name": "snac"}, None])
def test_servers_that_know_no_fine_rights_are_asked_for_the_coarse(
    wire: respx.MockRouter, tmp_path: Path, software: Any
) -> None:
    wire.get("/nodeinfo/2.0").respond(json={"software": software})
    adapter = adapter_at(tmp_path)
    visit = begun(adapter)
    assert query(visit)["scope"] == [" ".join(COARSE)]
    wire.post("/oauth/token").respond(json={**TOLD, "scope": "read write"})
    assert adapter.login_finish({}, visit, {"code": "c"})["scope"] == "read write"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(422, json={"error": "Validation failed"}), Rejected),
        (httpx.Response(404, json={"error": "Not found"}), Rejected),
        (httpx.Response(403, json={"error": "This action is not allowed"}), AuthFailed),
        (httpx.Response(429), RateLimited),
        (httpx.Response(503), Retryable),
        (httpx.Response(200, json={"client_id": "x"}), Retryable),
        (httpx.Response(200, json=[]), Retryable),
        (httpx.Response(200, content=b"<html>"), Retryable),
        (httpx.ConnectError, Retryable),
    ],
)
def test_registering_meets_trouble(
    wire: respx.MockRouter, tmp_path: Path, answer: Any, kind: type[ChannelError]
) -> None:
    wire.post("/api/v1/apps").mock(side_effect=[answer, answer])
    with pytest.raises(kind) as caught:
        begun(adapter_at(tmp_path))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("answer", "told", "match"),
    [
        ({"error": "access_denied", "error_description": "The resource owner denied the request."}, None, "denied"),
        ({"code": "the-code"}, httpx.Response(400, json={"error": "invalid_grant"}), "invalid_grant"),
        ({"code": "the-code"}, httpx.Response(401, json={"error": "invalid_client"}), "invalid_client"),
        (
            {"code": "the-code"},
            httpx.Response(200, json={**TOLD, "scope": "read write:statuses"}),
            "rights write:media",
        ),
    ],
)
def test_who_says_no_or_not_enough_is_not_logged_in(
    wire: respx.MockRouter, tmp_path: Path, answer: dict[str, str], told: httpx.Response | None, match: str
) -> None:
    adapter = adapter_at(tmp_path)
    visit = begun(adapter)
    wire.post("/oauth/token").mock(side_effect=[told])
    with pytest.raises(AuthFailed, match=match) as caught:
        adapter.login_finish({}, visit, answer)
    assert not any(secret in caught.value.reason for secret in (*APP.values(), TOKEN, visit.saved["code_verifier"]))


def test_a_login_that_lost_rights_is_told_by_the_check(wire: respx.MockRouter, tmp_path: Path) -> None:
    adapter = adapter_at(tmp_path, values={**STORED, "scope": "read"})
    with pytest.raises(AuthFailed, match=r"lacks the rights write:statuses, write:media: log in again"):
        adapter.check()


# --- tokens of compatible servers that end ----------------------------------------------------------------------------


def test_a_token_that_ends_is_renewed_before_it_is_used(wire: respx.MockRouter, tmp_path: Path) -> None:
    ending = {**STORED, "refresh_token": "refresh-1", "expires_at": (NOW + timedelta(minutes=2)).isoformat()}
    route = wire.post("/oauth/token").respond(
        json={"access_token": "token-2", "refresh_token": "refresh-2", "expires_in": 600}
    )
    adapter = adapter_at(tmp_path, values=ending)
    adapter.account_metrics()
    assert wire.get(ME).calls.last.request.headers["Authorization"] == "Bearer token-2"
    form = dict(parse_qsl(route.calls.last.request.content.decode()))
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "refresh-1")
    assert json.loads(token_file(tmp_path, "mastodon").read_text())["refresh_token"] == "refresh-2"


def test_the_end_of_a_token_is_told(wire: respx.MockRouter, tmp_path: Path) -> None:
    wire.get("/api/v2/instance").respond(json={})
    ends = NOW + timedelta(days=365)
    assert adapter_at(tmp_path, values={**STORED, "expires_at": ends.isoformat()}).check().token_expires_at == ends


# --- logging out ------------------------------------------------------------------------------------------------------


def test_logging_out_revokes_the_token(wire: respx.MockRouter, tmp_path: Path) -> None:
    route = wire.post("/oauth/revoke").respond(json={})
    adapter = adapter_at(tmp_path, values=STORED)
    adapter.logout(STORED)
    adapter.logout(STORED)  # what is gone already is a success there
    form = dict(parse_qsl(route.calls.last.request.content.decode()))
    assert {name: form[name] for name in ("token", *APP)} == {"token": TOKEN, **APP}
    assert route.call_count == 2


def test_a_token_of_the_servers_own_page_is_deleted_there(wire: respx.MockRouter, tmp_path: Path) -> None:
    route = wire.post("/oauth/revoke")
    with pytest.raises(Rejected, match=r"made on the server's page .* delete it there"):
        adapter_at(tmp_path).logout({"access_token": TOKEN})
    assert route.call_count == 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(403, json={"error": "unauthorized_client"}), AuthFailed),
        (httpx.Response(503), Retryable),
        (httpx.ReadTimeout, Retryable),
    ],
)
def test_logging_out_meets_trouble(
    wire: respx.MockRouter, tmp_path: Path, answer: Any, kind: type[ChannelError]
) -> None:
    wire.post("/oauth/revoke").mock(side_effect=[answer])
    with pytest.raises(kind) as caught:
        adapter_at(tmp_path).logout(STORED)
    assert TOKEN not in caught.value.reason
