"""Logging in to LinkedIn: scopes, renewing, what LinkedIn says of a token, giving it back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from support_linkedin import DATE, MEMBER, MESSAGE, PAGE, TOKEN, WWW, LinkedInServer, context_for, pretending

from cm.channels.contract import sent
from cm.channels.linkedin.adapter import LinkedInAdapter
from cm.channels.port import AuthFailed, Logins, Retryable, Values, Visit

GIVEN = {"client_id": "78abc", "client_secret": "secret-of-the-app"}
REDIRECT = "http://127.0.0.1:8765/"
ANSWER = {"access_token": TOKEN, "expires_in": 5184000, "scope": "w_organization_social", "token_type": "Bearer"}
TOKEN_PATH, INSPECT, REVOKE = "/oauth/v2/accessToken", "/oauth/v2/introspectToken", "/oauth/v2/revoke"


class Stored:
    """A login that is kept in memory; `ended`: it must be renewed before it is used."""

    def __init__(self, values: Values, *, ended: bool = False) -> None:
        self.values = dict(values)
        self.ended = ended

    def read(self) -> Values:
        return self.values

    def fresh(self, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
        if self.ended:
            self.values |= renew(self.values)
            self.ended = False
        return self.values


@pytest.fixture
def www() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=WWW, assert_all_called=False) as router:
        yield router


@pytest.fixture
def server() -> Iterator[LinkedInServer]:
    pretend = LinkedInServer()
    with pretending(pretend):
        yield pretend


@pytest.fixture
def adapter() -> LinkedInAdapter:
    return LinkedInAdapter(context_for())


@pytest.mark.parametrize(
    ("author", "settings", "scopes"),
    [
        (PAGE, {}, "w_organization_social r_organization_social rw_organization_admin"),
        (MEMBER, {}, "openid profile w_member_social"),
        (PAGE, {"scopes": ("w_organization_social",)}, "w_organization_social"),
    ],
)
def test_the_page_on_which_a_person_says_yes(author: str, settings: dict[str, Any], scopes: str) -> None:
    adapter = LinkedInAdapter(context_for(author=author, **settings))
    assert isinstance(adapter, Logins)
    assert [(ask.key, ask.secret) for ask in adapter.login_asks()] == [("client_id", False), ("client_secret", True)]
    visit = adapter.login_begin(GIVEN, redirect_uri=REDIRECT)
    assert isinstance(visit, Visit)
    query = {name: values[0] for name, values in parse_qs(urlsplit(visit.url).query).items()}
    assert visit.url.startswith(f"{WWW}/oauth/v2/authorization?")
    assert query == {
        "response_type": "code",
        "client_id": "78abc",
        "redirect_uri": REDIRECT,
        "state": visit.state,
        "scope": scopes,
    }


def test_a_code_becomes_a_login(adapter: LinkedInAdapter, www: respx.MockRouter) -> None:
    route = www.post(TOKEN_PATH).respond(json=ANSWER)
    visit = adapter.login_begin(GIVEN, redirect_uri=REDIRECT)
    assert isinstance(visit, Visit)
    stored = adapter.login_finish(GIVEN, visit, {"code": "AQTcode"})
    assert stored == {"access_token": TOKEN, "expires_in": "5184000", "scope": "w_organization_social", **GIVEN}
    form = parse_qs(route.calls.last.request.content.decode())
    assert {name: values[0] for name, values in form.items()} == {
        "grant_type": "authorization_code",
        "code": "AQTcode",
        "redirect_uri": REDIRECT,
        **GIVEN,
    }


def test_a_login_that_was_not_granted(adapter: LinkedInAdapter, www: respx.MockRouter) -> None:
    visit = adapter.login_begin(GIVEN, redirect_uri=REDIRECT)
    assert isinstance(visit, Visit)
    refusal = {"error": "unauthorized_scope_error", "error_description": "Scope r_organization_social is not allowed"}
    with pytest.raises(AuthFailed, match="Scope r_organization_social is not allowed"):
        adapter.login_finish(GIVEN, visit, refusal)
    assert www.calls.call_count == 0


def test_a_login_that_may_be_renewed_is_renewed_before_it_is_used(server: LinkedInServer) -> None:
    login = Stored({"access_token": "AQVold", "refresh_token": "AQWrefresh", **GIVEN}, ended=True)
    server.fail_next("POST", TOKEN_PATH, httpx.Response(200, json={**ANSWER, "refresh_token": "AQWnext"}))
    adapter = LinkedInAdapter(context_for(None, credentials=login))
    assert sent(adapter, MESSAGE, "k").remote_id in server.posts
    assert login.values["refresh_token"] == "AQWnext"


@pytest.mark.parametrize(
    ("values", "answer", "kind"),
    [
        ({"access_token": "AQVold"}, None, AuthFailed),
        (
            {"access_token": "AQVold", "refresh_token": "AQWrefresh"},
            httpx.Response(400, json={"error": "invalid_grant", "error_description": "The refresh token is revoked"}),
            AuthFailed,
        ),
        ({"access_token": "AQVold", "refresh_token": "AQWrefresh"}, httpx.ReadTimeout, Retryable),
    ],
)
def test_a_login_that_cannot_be_renewed(
    server: LinkedInServer, values: Values, answer: object, kind: type[Exception]
) -> None:
    """Nothing is published, and what is stored stays."""
    if answer is not None:
        server.fail_next("POST", TOKEN_PATH, answer)
    login = Stored({**values, **GIVEN}, ended=True)
    adapter = LinkedInAdapter(context_for(None, credentials=login))
    with pytest.raises(kind) as caught:
        sent(adapter, MESSAGE, "k")
    assert kind is Retryable or "cm channel login" in str(caught.value)
    assert "AQW" not in str(caught.value)
    assert login.values == {**values, **GIVEN}
    assert server.posts == {}


def test_check_asks_linkedin_about_the_token(server: LinkedInServer) -> None:
    adapter = LinkedInAdapter(context_for(None, credentials=Stored({"access_token": TOKEN, **GIVEN})))
    info = adapter.check()
    assert info.token_expires_at == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    assert info.limits["scopes"] == ["w_organization_social", "r_organization_social"]


@pytest.mark.parametrize(
    ("more", "answer", "ends"),
    [
        ({"expires_at": "2027-01-20T08:00:00+00:00"}, httpx.Response(400), datetime(2027, 1, 20, 8, 0, tzinfo=UTC)),
        ({"expires_at": "2027-01-20T08:00:00+00:00"}, httpx.Response(200, json={"expires_at": "soon"}),
         datetime(2027, 1, 20, 8, 0, tzinfo=UTC)),
        ({"refresh_token": "AQWrefresh", "refresh_token_expires_at": "2027-11-20T08:00:00+00:00"},
         httpx.Response(200, json={"active": True, "expires_at": 1800000000}),
         datetime(2027, 11, 20, 8, 0, tzinfo=UTC)),
        ({"refresh_token": "AQWrefresh"}, httpx.Response(200, json=[]), None),
    ],
)  # fmt: skip
def test_when_a_person_must_log_in_again(
    server: LinkedInServer, more: Values, answer: httpx.Response, ends: datetime | None
) -> None:
    server.fail_next("POST", INSPECT, answer)
    adapter = LinkedInAdapter(context_for(None, credentials=Stored({"access_token": TOKEN, **GIVEN, **more})))
    assert adapter.check().token_expires_at == ends


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"active": False, "status": "revoked"}, "log in again"),
        ({"active": True, "scope": "r_organization_social"}, "lacks the scope w_organization_social"),
    ],
)
def test_a_token_that_will_not_do(server: LinkedInServer, told: dict[str, object], said: str) -> None:
    server.fail_next("POST", INSPECT, httpx.Response(200, json=told, headers=DATE))
    adapter = LinkedInAdapter(context_for(None, credentials=Stored({"access_token": TOKEN, **GIVEN})))
    with pytest.raises(AuthFailed, match=said):
        adapter.check()


def test_a_login_is_given_back(adapter: LinkedInAdapter, www: respx.MockRouter) -> None:
    route = www.post(REVOKE).respond(200)
    adapter.logout({"access_token": TOKEN, "refresh_token": "AQWrefresh", **GIVEN})
    forms = [parse_qs(call.request.content.decode()) for call in route.calls]
    assert [form["token"] for form in forms] == [["AQWrefresh"], [TOKEN]]
    assert all(form["client_id"] == ["78abc"] for form in forms)
