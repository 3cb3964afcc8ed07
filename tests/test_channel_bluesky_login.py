"""Bluesky's logins: by app password, renewed in time, ended; what is stored and what never is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from support_bluesky import (
    APP_PASSWORD,
    DID,
    DOCUMENT,
    ENTRY,
    HANDLE,
    MESSAGE,
    NOW,
    PDS,
    PretendPds,
    Stored,
    bearer,
    context_for,
    logged_in,
    refused,
    serving,
)
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.contract import prepared
from cm.channels.port import AuthFailed, ChannelError, Logins, RateLimited, Rejected, Retryable, Visit
from cm.clock import SettableClock

GIVEN = {"handle": f"@{HANDLE}", "password": APP_PASSWORD}
CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def login(pds: PretendPds, clock: SettableClock) -> Stored:
    return logged_in(pds, clock)


@pytest.fixture
def adapter(login: Stored) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(login))
    yield made
    made.close()


def begin(adapter: BlueskyAdapter, **given: str) -> dict[str, str]:
    told = adapter.login_begin({**GIVEN, **given}, redirect_uri="http://127.0.0.1:1/")
    assert not isinstance(told, Visit)
    return dict(told)


# --- logging in -------------------------------------------------------------------------------------------------------


def test_handle_and_app_password_are_asked(adapter: BlueskyAdapter) -> None:
    assert isinstance(adapter, Logins)
    handle, password = adapter.login_asks()
    assert (handle.key, handle.secret, password.key, password.secret) == ("handle", False, "password", True)
    assert HANDLE in handle.hint
    assert "App passwords" in password.hint


@pytest.mark.parametrize("handle", [HANDLE, f"@{HANDLE}", "post@tilleuls.example", ""])
def test_what_is_stored_of_a_login(pds: PretendPds, handle: str) -> None:
    adapter = BlueskyAdapter(context_for(None))
    told = begin(adapter, handle=handle)
    adapter.close()
    assert told.keys() == {"access_token", "refresh_token", "did", "handle", "pds", "expires_in"}
    assert (told["did"], told["handle"], told["pds"], told["expires_in"]) == (DID, HANDLE, PDS, "7200")
    assert APP_PASSWORD not in told.values(), "the app password is used once and not kept"
    (asked,) = pds.requests
    assert str(asked.url).startswith(ENTRY)
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    "given",
    [{"password": "my own password"}, {"password": ""}, {"password": "abcd-efgh-ijkl"}, {"handle": "a b"}],
)
def test_what_is_no_app_password_never_leaves(pds: PretendPds, given: dict[str, str]) -> None:
    adapter = BlueskyAdapter(context_for(None))
    with pytest.raises(Rejected) as caught:
        begin(adapter, **given)
    adapter.close()
    assert caught.value.field in given
    assert "my own password" not in caught.value.reason
    assert pds.requests == []


def test_the_login_of_another_account_is_ended_and_not_stored(pds: PretendPds) -> None:
    adapter = BlueskyAdapter(context_for(None, "autre.example"))
    with pytest.raises(AuthFailed, match=r"login of @tilleuls\.example, the channel is @autre\.example"):
        begin(adapter)
    adapter.close()
    assert pds.alive == set()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(401, "AuthenticationRequired", "Invalid identifier or password"), AuthFailed),
        (refused(401, "AuthFactorTokenRequired", "A sign in code has been sent"), AuthFailed),
        (refused(400, "AccountTakedown", "Account has been taken down"), AuthFailed),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
        (refused(500, "InternalServerError", "Internal Server Error"), Retryable),
        (httpx.Response(200, json={"accessJwt": "a"}), Retryable),
        (httpx.Response(200, json={"accessJwt": "a b", "refreshJwt": "c", "did": DID, "handle": HANDLE}), Retryable),
        (httpx.Response(200, text="<html>"), Retryable),
        (httpx.ConnectError("no"), Retryable),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), Retryable),
    ],
)
def test_a_login_that_is_not_granted(pds: PretendPds, answer: Any, kind: type[ChannelError]) -> None:
    adapter = BlueskyAdapter(context_for(None))
    pds.faults[CREATE] = [answer]
    with pytest.raises(kind) as caught:
        begin(adapter)
    adapter.close()
    assert APP_PASSWORD not in caught.value.reason


def test_an_account_that_rests_cannot_log_in(pds: PretendPds) -> None:
    adapter = BlueskyAdapter(context_for(None))
    pds.faults[CREATE] = [httpx.Response(200, json={**pds.session(), "active": False, "status": "deactivated"})]
    with pytest.raises(AuthFailed, match="deactivated"):
        begin(adapter)
    adapter.close()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"service": 3},
        {"service": ["x", {"id": "#other", "serviceEndpoint": "https://x.example"}]},
        {"service": [{"id": "#atproto_pds", "serviceEndpoint": "http://evil.example"}]},
        {"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://user@evil.example/x"}]},
    ],
)
def test_a_document_without_a_usable_server(pds: PretendPds, document: Any) -> None:
    """Then calls go to where the login went."""
    adapter = BlueskyAdapter(context_for(None))
    pds.faults[CREATE] = [httpx.Response(200, json={**pds.session(), "didDoc": document})]
    assert "pds" not in begin(adapter)
    adapter.close()


# --- renewing ---------------------------------------------------------------------------------------------------------


def test_a_session_is_renewed_before_it_ends(
    adapter: BlueskyAdapter, pds: PretendPds, login: Stored, clock: SettableClock
) -> None:
    before = dict(login.values)
    adapter.check()
    assert login.renewals == 0
    clock.advance(timedelta(minutes=116))
    adapter.check()
    assert login.renewals == 1
    assert login.values["access_token"] != before["access_token"]
    assert login.values["refresh_token"] != before["refresh_token"]
    (asked,) = pds.calls("refreshSession")
    assert bearer(asked) == before["refresh_token"]
    assert (asked.content, str(asked.url).startswith(PDS)) == (b"", True)


def test_a_session_that_ended_early_is_renewed_for_the_next_try(
    adapter: BlueskyAdapter, pds: PretendPds, login: Stored
) -> None:
    """Clocks that disagree. Nothing was sent; the same call is not made twice."""
    ready = prepared(adapter, MESSAGE)
    pds.faults["com.atproto.repo.putRecord"] = [refused(400, "ExpiredToken", "Token has expired")]
    with pytest.raises(Retryable, match="renewed"):
        adapter.send(ready, key="k")
    assert (login.renewals, len(pds.calls("putRecord"))) == (1, 1)
    adapter.send(ready, key="k")
    assert len(pds.records) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400, "ExpiredToken", "Token has been revoked"), AuthFailed),
        (refused(401, "InvalidToken", "Token could not be verified"), AuthFailed),
        (refused(400, "InvalidRequest", "no"), AuthFailed),
        (refused(400, "AccountTakedown", "Account has been taken down"), AuthFailed),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
        (refused(502, "UpstreamFailure", "Upstream failure"), Retryable),
        (httpx.Response(200, json={}), Retryable),
        (httpx.ReadTimeout("slow"), Retryable),
    ],
)
def test_a_renewal_that_fails_destroys_nothing(
    adapter: BlueskyAdapter,
    pds: PretendPds,
    login: Stored,
    clock: SettableClock,
    answer: Any,
    kind: type[ChannelError],
) -> None:
    ready, before = prepared(adapter, MESSAGE), dict(login.values)
    clock.advance(timedelta(hours=2))
    pds.faults[REFRESH] = [answer]
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert login.values == before
    assert pds.calls("putRecord") == []
    assert before["refresh_token"] not in caught.value.reason
    assert kind is not AuthFailed or "cm channel login bluesky" in caught.value.reason
    adapter.send(ready, key="k")
    assert len(pds.records) == 1


def test_the_server_may_have_moved(adapter: BlueskyAdapter, pds: PretendPds, login: Stored) -> None:
    """The document of the renewed session counts."""
    login.values |= {"pds": ENTRY, "expires_at": NOW.isoformat()}
    pds.faults[REFRESH] = [httpx.Response(200, json={**pds.session(), "didDoc": DOCUMENT})]
    adapter.check()
    assert [str(request.url.host) for request in pds.requests] == ["bsky.social", "amanita.host.example"]


# --- logging out ------------------------------------------------------------------------------------------------------


def test_a_logout_ends_the_session_and_may_be_repeated(adapter: BlueskyAdapter, pds: PretendPds, login: Stored) -> None:
    for _n in range(2):
        adapter.logout(login.read())
    assert pds.alive == set()
    assert {bearer(request) for request in pds.calls("deleteSession")} == {login.values["refresh_token"]}
    adapter.logout({})


def test_a_logout_that_fails_is_told(adapter: BlueskyAdapter, pds: PretendPds, login: Stored) -> None:
    pds.faults["com.atproto.server.deleteSession"] = [httpx.Response(503)]
    with pytest.raises(Retryable):
        adapter.logout(login.read())
