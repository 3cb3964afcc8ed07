"""Bluesky over a pretend server at the wire: the contract, the lexicons, who we are, what sending may meet."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from support_bluesky import (
    APP_PASSWORD,
    DID,
    HANDLE,
    MESSAGE,
    NOW,
    PDS,
    PretendPds,
    Stored,
    context_for,
    logged_in,
    media_at,
    refused,
    serving,
    tiny_film,
)
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.contract import AdapterContract, prepared, sent, stored
from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    AuthFailed,
    ChannelError,
    Context,
    Duplicate,
    Identity,
    Media,
    Outgoing,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    """Requests are held against the lexicons where those are there."""
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def login(pds: PretendPds) -> Stored:
    return logged_in(pds)


@pytest.fixture
def adapter(login: Stored) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(login))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "Léa Martin chambre 12.png")


def record_of(adapter: BlueskyAdapter, message: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = prepared(adapter, message).body["request"]["record"]
    return found


@pytest.mark.row("S12")
class TestBlueskyContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[BlueskyAdapter]:
        return BlueskyAdapter

    @pytest.fixture
    def context(self, login: Stored) -> Context:
        return context_for(login)

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, pds: PretendPds) -> Callable[[], int]:
        return lambda: len(pds.records)

    @pytest.fixture
    def parent_there(self, pds: PretendPds) -> Callable[[str], str | None]:
        return lambda key: pds.records[key]["reply"]["parent"]["uri"].rpartition("/")[2]

    @pytest.fixture
    def alts_there(self, pds: PretendPds) -> Callable[[str], list[str]]:
        return lambda key: [image["alt"] for image in pds.records[key]["embed"]["images"]]

    @pytest.fixture
    def text_there(self, pds: PretendPds) -> Callable[[str], str]:
        return lambda key: str(pds.records[key]["text"])


# --- every request against the official description -------------------------------------------------------------------


@pytest.mark.row("S12")
def test_every_call_keeps_to_the_lexicons(tmp_path: Path) -> None:
    """All calls that the adapter knows, each request and each record checked by the pretend server."""
    film = media_at(tmp_path / "film.mp4", tiny_film(), "video/mp4", "Un film.")
    picture = media_at(tmp_path / "a.png")
    with serving(PretendPds(Lexicons.needed())) as pds:
        login = logged_in(pds)
        adapter = BlueskyAdapter(context_for(login))
        given = {"handle": HANDLE, "password": APP_PASSWORD}
        told = adapter.login_begin(given, redirect_uri="")
        assert isinstance(told, dict)
        login.keep({**told, "expires_in": "1"})
        adapter.check()
        text = "Merci @service.example (voir https://hopital.example/a) #DonDuSang"
        first = sent(adapter, replace(MESSAGE, text=text, fields={"warning": "sang", "card_title": "Dons"}), "k1")
        second = sent(adapter, replace(MESSAGE, parent=first.remote_id, media=(picture,) * 4), "k2")
        sent(adapter, replace(MESSAGE, parent=second.remote_id, media=(film,), language="fr-FR"), "k3")
        adapter.listing(NOW)
        adapter.post_metrics([first.remote_id])
        adapter.account_metrics()
        adapter.delete(first.remote_id)
        adapter.logout(login.read())
        adapter.close()
    called = {request.url.path.rpartition(".")[2] for request in pds.requests}
    assert called == {
        "createSession",
        "refreshSession",
        "deleteSession",
        "getSession",
        "getServiceAuth",
        "resolveHandle",
        "getLatestCommit",
        "getRecord",
        "listRecords",
        "putRecord",
        "deleteRecord",
        "uploadBlob",
        "uploadVideo",
        "getJobStatus",
        "getPosts",
        "getProfile",
    }


# --- who we are -------------------------------------------------------------------------------------------------------


def test_check_tells_account_login_and_key_window(adapter: BlueskyAdapter) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window) == (DID, HANDLE, KEY_WINDOW_UNLIMITED)
    assert info.limits == {"email_confirmed": True}
    assert info.server_time == NOW
    assert info.token_expires_at == NOW + timedelta(days=90)


@pytest.mark.parametrize("account", [HANDLE, f"@{HANDLE}", "@Tilleuls.Example"])
def test_the_account_is_known_by_server_and_handle(account: str) -> None:
    assert BlueskyAdapter(context_for(None, account)).identity() == Identity("bluesky", "bsky.social", HANDLE)


def test_hosts_for_whoever_guards_the_network() -> None:
    assert BlueskyAdapter(context_for(None)).hosts == ("*.host.bsky.network", "video.bsky.app")
    own = context_for(None, server="https://pds.hopital.example", video_service="https://film.example")
    assert BlueskyAdapter(own).hosts == ("film.example",)


def test_the_login_of_another_account_is_refused(login: Stored) -> None:
    adapter = BlueskyAdapter(context_for(login, "autre.example"))
    with pytest.raises(AuthFailed, match=r"belongs to @tilleuls\.example, the channel is @autre\.example"):
        adapter.check()
    adapter.close()


def test_an_account_that_rests_is_told(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    told = {"did": DID, "handle": HANDLE, "active": False, "status": "takendown"}
    pds.faults["com.atproto.server.getSession"] = [httpx.Response(200, json=told)]
    with pytest.raises(AuthFailed, match="takendown"):
        adapter.check()


@pytest.mark.parametrize("values", [None, {}, {"access_token": APP_PASSWORD}, {"access_token": "a b", "did": DID}])
def test_a_channel_without_login(pds: PretendPds, values: dict[str, str] | None) -> None:
    kept = None if values is None else Stored(values, logged_in(pds).clock)
    adapter = BlueskyAdapter(context_for(kept))
    request = {"repo": DID, "rkey": "3n2t2gu4w222l", "record": {}}
    for call in (
        adapter.check,
        lambda: adapter.prepare(MESSAGE, {}),
        lambda: adapter.send(Prepared({"request": request}), key="k"),
        lambda: adapter.delete("3n2t2gu4w222l"),
    ):
        with pytest.raises(AuthFailed, match="log in again: cm channel login bluesky"):
            call()
    assert pds.requests == []


@pytest.mark.parametrize(
    "settings",
    [{"server": "http://bsky.example"}, {"server": "bsky.social"}, {"video_service": "x"}, {"password": "abc"}],
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BlueskyAdapter.Settings.model_validate(settings)


# --- sending ----------------------------------------------------------------------------------------------------------


def test_one_call_with_the_stored_bytes(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    ready = stored(prepared(adapter, MESSAGE))
    receipts = [adapter.send(ready, key="key-1") for _n in range(2)]
    first, second = pds.calls("putRecord")
    assert first.content == second.content, "a resend is the same bytes"
    assert json.loads(first.content) == ready.body["request"]
    assert str(first.url).startswith(PDS), "to the server on which the account lives"
    key = ready.body["request"]["rkey"]
    assert receipts[0] == receipts[1]
    assert receipts[0].remote_id == key
    assert receipts[0].permalink == f"https://bsky.app/profile/{HANDLE}/post/{key}"
    assert receipts[0].published_at == NOW
    assert len(pds.records) == 1


RESET = {"RateLimit-Reset": str(int(NOW.timestamp()) + 900), "Date": format_datetime(NOW, usegmt=True)}
TOO_LONG = "Invalid app.bsky.feed.post record: Record/text must not be longer than 300 graphemes"
BAD_BLOB = "This file is too large. It is 2.5MB but the maximum size is 2MB."


@pytest.mark.parametrize(
    ("fault", "kind", "field"),
    [
        (refused(400, "InvalidSwap", "Record was at bafyreiabc"), Duplicate, None),
        (refused(400, "InvalidRequest", TOO_LONG), Rejected, "text"),
        (refused(400, "InvalidRequest", "Invalid app.bsky.feed.post record: Record/embed/images/0"), Rejected, "media"),
        (refused(400, "InvalidRequest", "Invalid app.bsky.feed.post record: Record/reply/root"), Rejected, "parent"),
        (refused(400, "InvalidRequest", "Invalid app.bsky.feed.post record: Record/langs/0"), Rejected, "language"),
        (refused(400, "InvalidRequest", "Something else"), Rejected, None),
        (refused(400, "SomethingNew", "never seen"), Rejected, None),
        (refused(400, "BlobTooLarge", BAD_BLOB), Rejected, "media"),
        (refused(400, "InvalidMimeType", "Wrong type"), Rejected, "media"),
        (refused(400, "BlobNotFound", "Could not find blob: bafkrei"), Retryable, None),
        (refused(400, "InvalidToken", "Bad token method"), AuthFailed, None),
        (refused(400, "AccountTakedown", "Account has been taken down"), AuthFailed, None),
        (refused(400, "AccountDeactivated", "Account is deactivated"), AuthFailed, None),
        (refused(401, "AuthMissing", "Authentication Required"), AuthFailed, None),
        (refused(401, "AuthenticationRequired", "Invalid identifier or password"), AuthFailed, None),
        (refused(403, "Forbidden", "no"), AuthFailed, None),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded", **RESET), RateLimited, None),
        (httpx.Response(429, headers={"Retry-After": "900"}), RateLimited, None),
        (refused(500, "InternalServerError", "Internal Server Error"), UnknownOutcome, None),
        (refused(502, "UpstreamFailure", "Upstream failure"), UnknownOutcome, None),
        (refused(504, "UpstreamTimeout", "Upstream timeout"), UnknownOutcome, None),
        (refused(501, "MethodNotImplemented", "Method Not Implemented"), Rejected, None),
        (httpx.Response(503, text="<html>"), UnknownOutcome, None),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), UnknownOutcome, None),
        (httpx.Response(200, text="<html>"), UnknownOutcome, None),
        (httpx.Response(200, json=[]), UnknownOutcome, None),
        (httpx.Response(200, json={"uri": f"at://{DID}/app.bsky.feed.post/other"}), UnknownOutcome, None),
        (httpx.ReadTimeout("slow"), UnknownOutcome, None),
        (httpx.ConnectError("no"), Retryable, None),
    ],
)
def test_what_sending_may_meet(
    adapter: BlueskyAdapter, pds: PretendPds, login: Stored, fault: Any, kind: type[ChannelError], field: str | None
) -> None:
    ready = prepared(adapter, MESSAGE)
    pds.faults["com.atproto.repo.putRecord"] = [fault]
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field
    assert getattr(caught.value, "retry_after", 900) == 900
    assert login.values["access_token"] not in caught.value.reason
    assert len(pds.calls("putRecord")) == 1
    assert pds.records == {}


def test_a_hostile_reason_is_tamed(adapter: BlueskyAdapter, pds: PretendPds, login: Stored) -> None:
    said = f"\x1b]0;x\x07 token {login.values['access_token']} " + "y" * 5000
    pds.faults["com.atproto.repo.putRecord"] = [refused(400, "InvalidRequest", said)]
    with pytest.raises(Rejected) as caught:
        sent(adapter, MESSAGE, "k")
    assert "\x1b" not in caught.value.reason
    assert login.values["access_token"] not in caught.value.reason
    assert len(caught.value.reason) < 300
