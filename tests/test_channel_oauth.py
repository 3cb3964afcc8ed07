"""OAuth 2 at the wire: the page to visit, codes, renewals and revocations, and no secret in any refusal."""

import base64
import hashlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx

from cm.channels.http import Http
from cm.channels.oauth import OAuth2
from cm.channels.port import AuthFailed, ChannelError, RateLimited, Retryable, Values, Visit

SERVER = "https://social.example"
REDIRECT = "http://127.0.0.1:43210/"
OAUTH = OAuth2(
    f"{SERVER}/authorize", f"{SERVER}/token", ("read", "write"), f"{SERVER}/revoke", extra={"access_type": "offline"}
)
APP = {"client_id": "app-1", "client_secret": "secret-of/the app", "page": "not the app's"}
LOGIN = {"client_id": "app-1", "client_secret": "secret-of/the app", "access_token": "old", "refresh_token": "once"}
GRANT = {
    "access_token": "new-token",
    "refresh_token": "next",
    "expires_in": 7200,
    "token_type": "bearer",
    "id_token": "…",
}


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(SERVER, lambda: "a-token-that-stays-at-home")
    yield made
    made.close()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        yield router


def query(visit: Visit) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(visit.url).query).items()}


def form(route: respx.Route) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(route.calls.last.request.content.decode()).items()}


# --- the visit --------------------------------------------------------------------------------------------------------


def test_the_page_names_the_app_its_rights_and_the_proof() -> None:
    visit = OAUTH.visit(APP, REDIRECT)
    asked = query(visit)
    digest = hashlib.sha256(visit.saved["code_verifier"].encode()).digest()
    assert asked.pop("code_challenge") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asked.pop("state") == visit.state
    assert len(visit.state) >= 32
    assert 43 <= len(visit.saved["code_verifier"]) <= 128
    assert asked == {
        "response_type": "code",
        "client_id": "app-1",
        "redirect_uri": REDIRECT,
        "scope": "read write",
        "code_challenge_method": "S256",
        "access_type": "offline",
    }
    assert not visit.pasted
    assert "secret" not in visit.url


def test_every_visit_has_its_own_state_and_proof() -> None:
    visits = [OAUTH.visit(APP, REDIRECT) for _n in range(20)]
    assert len({visit.state for visit in visits}) == len({visit.saved["code_verifier"] for visit in visits}) == 20


def test_peculiar_platforms() -> None:
    peculiar = replace(OAUTH, authorize_url=f"{SERVER}/dialog?lang=fr", scope_separator=",", pkce=False)
    visit = peculiar.visit(APP, "urn:ietf:wg:oauth:2.0:oob")
    assert query(visit)["lang"] == "fr"
    assert query(visit)["scope"] == "read,write"
    assert "code_challenge" not in query(visit)
    assert visit.saved == {"redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}
    assert visit.pasted


# --- code and renewal -------------------------------------------------------------------------------------------------


def test_a_code_becomes_a_login(http: Http, wire: respx.MockRouter) -> None:
    route = wire.post("/token").respond(json=GRANT)
    visit = OAUTH.visit(APP, REDIRECT)
    stored = OAUTH.finish(http, APP, visit, {"code": "c0de", "state": visit.state})
    assert stored == {
        "access_token": "new-token",
        "refresh_token": "next",
        "expires_in": "7200",
        "client_id": "app-1",
        "client_secret": "secret-of/the app",
    }
    assert form(route) == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": REDIRECT,
        "code_verifier": visit.saved["code_verifier"],
        "client_id": "app-1",
        "client_secret": "secret-of/the app",
    }
    assert "Authorization" not in route.calls.last.request.headers


def test_an_app_without_secret_names_itself_in_the_body(http: Http, wire: respx.MockRouter) -> None:
    route = wire.post("/token").respond(json=GRANT)
    public, app = replace(OAUTH, client_auth="basic"), {"client_id": "app-1"}
    stored = public.finish(http, app, public.visit(app, REDIRECT), {"code": "c0de"})
    assert "client_secret" not in stored
    assert form(route)["client_id"] == "app-1"
    assert "Authorization" not in route.calls.last.request.headers


def test_the_app_may_show_its_secret_in_a_header(http: Http, wire: respx.MockRouter) -> None:
    route = wire.post("/token").respond(json={"access_token": "new-token"})
    changed = replace(OAUTH, client_auth="basic").renew(http, LOGIN)
    pair = base64.b64encode(b"app-1:secret-of%2Fthe+app").decode()
    assert route.calls.last.request.headers["Authorization"] == f"Basic {pair}"
    assert form(route) == {"grant_type": "refresh_token", "refresh_token": "once"}
    assert changed == {"access_token": "new-token"}, "only what has changed"


def test_a_renewal_gives_the_next_refresh_token(http: Http, wire: respx.MockRouter) -> None:
    wire.post("/token").respond(json={**GRANT, "refresh_token_expires_in": 15_552_000})
    assert OAUTH.renew(http, LOGIN) == {
        "access_token": "new-token",
        "refresh_token": "next",
        "expires_in": "7200",
        "refresh_token_expires_in": "15552000",
    }


def test_without_a_refresh_token_only_a_login_helps(http: Http) -> None:
    with pytest.raises(AuthFailed, match="cm channel login"):
        OAUTH.renew(http, {"access_token": "old"})


def test_a_person_who_says_no_is_told_so(http: Http) -> None:
    said = {"error": "access_denied", "error_description": "The user\x1b[31m declined"}
    with pytest.raises(AuthFailed, match=r"The user \[31m declined"):
        OAUTH.finish(http, APP, OAUTH.visit(APP, REDIRECT), said)


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[int, Any, type[ChannelError]]] = [
    (400, {"error": "invalid_grant", "error_description": "Token once was revoked"}, AuthFailed),
    (400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, AuthFailed),
    (401, {"error": "invalid_client"}, AuthFailed),
    (403, None, AuthFailed),
    (400, {"error": {"message": "Error validating secret-of/the app", "type": "OAuthException"}}, AuthFailed),
    (200, {"error": "bad_refresh_token"}, AuthFailed),
    (429, {"error": "slow_down"}, RateLimited),
    (500, {"error": "server_error"}, Retryable),
    (503, "<html>", Retryable),
    (200, {"token": "elsewhere"}, Retryable),
    (200, {"access_token": ""}, Retryable),
    (200, {"access_token": {"nested": True}}, Retryable),
    (200, ["a list"], Retryable),
    (200, "no json", Retryable),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_what_a_token_endpoint_refuses(
    http: Http, wire: respx.MockRouter, status: int, body: Any, kind: type[ChannelError]
) -> None:
    content: Mapping[str, Any] = {"text": body} if isinstance(body, str) else {"json": body}
    wire.post("/token").respond(status, **content)
    with pytest.raises(ChannelError) as caught:
        OAUTH.renew(http, LOGIN)
    assert type(caught.value) is kind
    told = "".join(traceback.format_exception(caught.value))
    assert "secret-of/the app" not in told
    assert "once" not in caught.value.reason
    assert "cm channel login" in caught.value.reason or kind is not AuthFailed


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.ProxyError])
def test_the_network_may_work_later(http: Http, wire: respx.MockRouter, failure: type[Exception]) -> None:
    wire.post("/token").mock(side_effect=failure("Token once"))
    with pytest.raises(Retryable):
        OAUTH.renew(http, LOGIN)


def test_a_redirect_is_no_answer_and_leads_nowhere(http: Http, wire: respx.MockRouter) -> None:
    wire.post("/token").respond(302, headers={"Location": "https://elsewhere.example/token"})
    elsewhere = wire.route(host="elsewhere.example").respond(json=GRANT)
    with pytest.raises(ChannelError):
        OAUTH.renew(http, LOGIN)
    assert not elsewhere.called


# --- giving back ------------------------------------------------------------------------------------------------------


def revoked(wire: respx.MockRouter, values: Values, http: Http, status: int, body: Any) -> list[dict[str, str]]:
    route = wire.post("/revoke").respond(status, json=body)
    OAUTH.revoke(http, values)
    return [{name: value[0] for name, value in parse_qs(call.request.content.decode()).items()} for call in route.calls]


def test_both_tokens_are_given_back(http: Http, wire: respx.MockRouter) -> None:
    asked = revoked(wire, LOGIN, http, 200, {})
    assert [(each["token"], each["token_type_hint"]) for each in asked] == [
        ("once", "refresh_token"),
        ("old", "access_token"),
    ]
    assert asked[0]["client_id"] == "app-1"


def test_what_is_gone_is_given_back(http: Http, wire: respx.MockRouter) -> None:
    assert len(revoked(wire, {"access_token": "old"}, http, 400, {"error": "invalid_token"})) == 1


def test_a_refused_revocation_is_told(http: Http, wire: respx.MockRouter) -> None:
    with pytest.raises(AuthFailed):
        revoked(wire, LOGIN, http, 401, {"error": "invalid_client"})
    with pytest.raises(Retryable):
        revoked(wire, LOGIN, http, 503, None)


def test_a_platform_without_revocation_is_not_asked(http: Http) -> None:
    replace(OAUTH, revoke_url=None).revoke(http, LOGIN)
