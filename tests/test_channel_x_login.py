"""Logging in to X: OAuth 2 with tokens that rotate, OAuth 1.0a with keys that sign."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
import respx
from support_x import API, MESSAGE, NOW, OAUTH1, OAUTH2, UNAUTHORIZED, PretendX, context_for, pretending, signature

from cm.channels.contract import sent
from cm.channels.port import AuthFailed, Logins, Retryable, Visit
from cm.channels.x.adapter import XAdapter
from cm.channels.x.login import SCOPES
from cm.secrets.login import token_file

ENDING = {**OAUTH2, "expires_at": (NOW + timedelta(minutes=2)).isoformat()}
TOKEN_PLACE = "/2/oauth2/token"
BACK = "http://127.0.0.1:8731/"


@pytest.fixture
def there() -> Iterator[PretendX]:
    with pretending() as pretended:
        yield pretended


def kept(root: Path) -> dict[str, str]:
    stored: dict[str, str] = json.loads(token_file(root, "x").read_text())
    return stored


def adapter_for(root: Path, values: dict[str, str], **settings: str) -> XAdapter:
    return XAdapter(context_for(root, values, **settings))


# --- tokens that rotate -----------------------------------------------------------------------------------------------


def test_a_token_that_ends_is_renewed_and_kept_before_it_is_used(there: PretendX, tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, ENDING)
    sent(adapter, MESSAGE, "k")
    stored = kept(tmp_path)
    assert (stored["access_token"], stored["refresh_token"]) == (
        "AT2-token-of-the-hospital",
        "RT2-token-of-the-hospital",
    )
    assert stored["expires_at"].startswith("2026-11-23T10:30")
    assert stored["client_secret"] == OAUTH2["client_secret"]
    assert len(there.sent("POST", TOKEN_PLACE)) == 1
    assert there.sent("POST", "/2/tweets")[0].headers["Authorization"] == "Bearer AT2-token-of-the-hospital"


def test_two_at_once_renew_once(there: PretendX, tmp_path: Path) -> None:
    """A refresh token that is used twice would end the whole login."""
    adapters = [adapter_for(tmp_path, ENDING) for _n in range(4)]
    failures: list[Exception] = []

    def check(adapter: XAdapter) -> None:
        try:
            adapter.check()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=check, args=(adapter,)) for adapter in adapters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(there.sent("POST", TOKEN_PLACE)) == 1
    assert kept(tmp_path)["refresh_token"] == "RT2-token-of-the-hospital"


def test_a_renewal_that_fails_leaves_what_was_stored(there: PretendX, tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, ENDING)
    there.refresh_tokens = {}
    with pytest.raises(AuthFailed, match="log in again") as caught:
        adapter.check()
    assert "token-of-the-hospital" not in caught.value.reason
    assert kept(tmp_path) == ENDING


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("late"), httpx.Response(503)])
def test_a_renewal_without_an_answer_may_work_later(tmp_path: Path, answer: httpx.Response | Exception) -> None:
    adapter = adapter_for(tmp_path, ENDING)
    with respx.mock(base_url=API) as router:
        router.post(TOKEN_PLACE).side_effect = [answer]
        with pytest.raises(Retryable):
            adapter.prepare(MESSAGE, {})
    assert kept(tmp_path) == ENDING


# --- logging in and out -----------------------------------------------------------------------------------------------


def test_a_login_in_the_browser(tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, {})
    assert isinstance(adapter, Logins)
    assert [(ask.key, ask.secret) for ask in adapter.login_asks()] == [("client_id", False), ("client_secret", True)]
    given = {"client_id": "ours", "client_secret": "hush"}
    visit = adapter.login_begin(given, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    page, query = urlsplit(visit.url), parse_qs(urlsplit(visit.url).query)
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://x.com/i/oauth2/authorize"
    assert (query["client_id"], query["redirect_uri"], query["state"]) == (["ours"], [BACK], [visit.state])
    assert query["scope"] == [" ".join(SCOPES)]
    assert query["code_challenge_method"] == ["S256"]
    assert "hush" not in visit.url
    told = {
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": "AT",
        "refresh_token": "RT",
        "scope": "tweet.read",
    }
    with respx.mock(base_url=API) as router:
        route = router.post(TOKEN_PLACE).respond(json=told)
        values = adapter.login_finish(given, visit, {"code": "the-code", "state": visit.state})
        form = dict(parse_qsl(route.calls.last.request.content.decode()))
        assert route.calls.last.request.headers["Authorization"].startswith("Basic ")
    assert {name: form[name] for name in ("grant_type", "code", "redirect_uri")} == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
    }
    assert form["code_verifier"] == visit.saved["code_verifier"]
    assert values["refresh_token"] == "RT"
    assert (values["expires_in"], values["client_id"], values["client_secret"]) == ("7200", "ours", "hush")


def test_an_app_without_a_secret_names_itself_in_the_form(tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, {})
    given = {"client_id": "ours", "client_secret": ""}
    visit = adapter.login_begin(given, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    with respx.mock(base_url=API) as router:
        route = router.post(TOKEN_PLACE).respond(json={"access_token": "AT", "expires_in": 7200})
        adapter.login_finish(given, visit, {"code": "c"})
    request = route.calls.last.request
    assert "Authorization" not in request.headers
    assert dict(parse_qsl(request.content.decode()))["client_id"] == "ours"


def test_who_says_no_is_not_logged_in(tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, {})
    visit = adapter.login_begin({"client_id": "ours"}, redirect_uri=BACK)
    assert isinstance(visit, Visit)
    with pytest.raises(AuthFailed, match="access_denied"):
        adapter.login_finish({"client_id": "ours"}, visit, {"error": "access_denied"})


def test_logging_out_revokes_both_tokens(tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, OAUTH2)
    with respx.mock(base_url=API) as router:
        route = router.post("/2/oauth2/revoke").respond(json={"revoked": True})
        adapter.logout(OAUTH2)
    forms = [dict(parse_qsl(call.request.content.decode())) for call in route.calls]
    assert {form["token"] for form in forms} == {OAUTH2["refresh_token"], OAUTH2["access_token"]}


# --- keys that sign ---------------------------------------------------------------------------------------------------


def test_four_keys_are_tried_before_they_are_stored(there: PretendX, tmp_path: Path) -> None:
    there.values = dict(OAUTH1)
    adapter = adapter_for(tmp_path, {}, login="oauth1")
    assert [ask.key for ask in adapter.login_asks()] == list(OAUTH1)
    assert adapter.login_begin(OAUTH1, redirect_uri=BACK) == OAUTH1
    with pytest.raises(AuthFailed, match="401"):
        adapter.login_begin({**OAUTH1, "token_secret": "wrong"}, redirect_uri=BACK)
    with pytest.raises(AuthFailed, match="lacks token_secret"):
        adapter.login_begin({**OAUTH1, "token_secret": ""}, redirect_uri=BACK)
    with pytest.raises(AuthFailed, match="belongs to @tilleuls"):
        adapter_for(tmp_path, {}, login="oauth1", account="autre").login_begin(OAUTH1, redirect_uri=BACK)


def test_keys_that_are_given_back(tmp_path: Path) -> None:
    adapter = adapter_for(tmp_path, OAUTH1, login="oauth1")
    with respx.mock(base_url=API) as router:
        route = router.post("/1.1/oauth/invalidate_token")
        route.side_effect = [httpx.Response(200, json={"access_token": "x"}), httpx.Response(401, json=UNAUTHORIZED)]
        adapter.logout(OAUTH1)
        adapter.logout(OAUTH1)  # it is gone already
        for call in route.calls:
            header = call.request.headers["Authorization"]
            assert header.startswith("OAuth oauth_")
            assert OAUTH1["token_secret"] not in header
        route.side_effect = [httpx.Response(503)]
        with pytest.raises(Retryable):
            adapter.logout(OAUTH1)


def test_the_signature_is_that_of_the_documentation() -> None:
    """The example of X's page "Creating a signature" (its keys are made up), which the pretend X checks by."""
    url = "https://api.twitter.com/1.1/statuses/update.json?include_entities=true&status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21"
    header = (
        'OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", '
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", '
        'oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", oauth_version="1.0"'
    )
    secrets = {
        "client_secret": "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "token_secret": "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
    }
    assert signature("POST", url, header, secrets) == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="
