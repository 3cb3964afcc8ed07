"""Mastodon over real HTTP: against mastodon_mock on 127.0.0.1, and at the wire for what that cannot answer."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from pydantic import ValidationError
from support_mastodon import (
    DATE,
    LIMITS,
    MESSAGE,
    NOW,
    SERVER,
    TOKEN,
    TOKENS,
    MastodonServer,
    context_for,
    picture_at,
    running,
)

from cm.channels.contract import PICTURE, AdapterContract, prepared, sent, stored
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Context,
    Identity,
    Media,
    Numbers,
    Outgoing,
    Pending,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)

STATUS = {
    "id": "115400000000000001",
    "url": f"{SERVER}/@tilleuls/115400000000000001",
    "created_at": "2026-11-23T08:30:01.250Z",
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonServer]:
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def fresh(server: MastodonServer) -> MastodonServer:
    server.reset()
    return server


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return picture_at(tmp_path / "Léa Martin chambre 12.png")


# --- against a running server -----------------------------------------------------------------------------------------


class TestMastodonContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[MastodonAdapter]:
        return MastodonAdapter

    @pytest.fixture
    def context(self, fresh: MastodonServer) -> Context:
        return context_for(fresh.url, TOKENS["tilleuls"])

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, fresh: MastodonServer) -> Callable[[], int]:
        return lambda: len(fresh.statuses())

    @pytest.fixture
    def parent_there(self, fresh: MastodonServer) -> Callable[[str], str | None]:
        return lambda remote_id: fresh.status(remote_id)["in_reply_to_id"]

    @pytest.fixture
    def alts_there(self, fresh: MastodonServer) -> Callable[[str], list[str]]:
        return lambda remote_id: [media["description"] for media in fresh.status(remote_id)["media_attachments"]]

    @pytest.fixture
    def text_there(self, fresh: MastodonServer) -> Callable[[str], str]:
        return fresh.source


@pytest.fixture
def live(fresh: MastodonServer) -> Iterator[MastodonAdapter]:
    adapter = MastodonAdapter(context_for(fresh.url, TOKENS["tilleuls"]))
    yield adapter
    adapter.close()


def test_check_measures_the_server(live: MastodonAdapter) -> None:
    info = live.check()
    assert (info.handle, info.key_window) == ("tilleuls", 3600)
    assert info.software.startswith("mastodon ")
    assert info.limits == LIMITS


def test_a_thread_with_a_picture_arrives_in_order(live: MastodonAdapter, fresh: MastodonServer, picture: Media) -> None:
    first = sent(live, replace(MESSAGE, media=(picture,)), "k1")
    second = sent(live, replace(MESSAGE, text="2/3 Où ?", link=None, parent=first.remote_id), "k2")
    third = sent(live, replace(MESSAGE, text="3/3 Merci !", link=None, parent=second.remote_id), "k3")
    one, two, three = fresh.statuses()
    assert [one["id"], two["id"], three["id"]] == [first.remote_id, second.remote_id, third.remote_id]
    assert [one["in_reply_to_id"], two["in_reply_to_id"], three["in_reply_to_id"]] == [None, one["id"], two["id"]]
    assert {status["visibility"] for status in (one, two, three)} == {"public"}
    assert {status["language"] for status in (one, two, three)} == {"fr"}
    assert [media["description"] for media in one["media_attachments"]] == ["Une infirmière sourit."]
    assert fresh.source(first.remote_id) == "Semaine des dons du sang 🩸\nhttps://hopital.example/dons"
    assert first.permalink == one["url"]
    assert first.published_at == datetime.fromisoformat(one["created_at"])


def test_settings_narrow_visibility_and_hide_media(fresh: MastodonServer) -> None:
    context = context_for(fresh.url, TOKENS["tilleuls"], visibility="unlisted", sensitive=True)
    adapter = MastodonAdapter(context)
    for n, wanted in enumerate(("public", "private")):
        sent(adapter, replace(MESSAGE, visibility=wanted), f"k{n}")
    adapter.close()
    assert [status["visibility"] for status in fresh.statuses()] == ["unlisted", "private"]
    assert all(status["sensitive"] for status in fresh.statuses())


def test_figures_come_back(live: MastodonAdapter, fresh: MastodonServer) -> None:
    receipts = [sent(live, replace(MESSAGE, text=f"Message {n}"), f"k{n}") for n in range(23)]
    sent(live, replace(MESSAGE, text="Réponse", parent=receipts[0].remote_id), "reply")
    fresh.favourite(receipts[0].remote_id)
    figures = live.post_metrics([receipt.remote_id for receipt in receipts])
    assert list(figures) == [receipt.remote_id for receipt in receipts], "more than one question's worth"
    assert figures[receipts[0].remote_id] == Numbers(reactions=1, comments=1, shares=0)
    assert figures[receipts[1].remote_id] == Numbers(reactions=0, comments=0, shares=0)
    assert live.account_metrics() == Numbers(followers=0)


def test_a_wrong_token_is_told(fresh: MastodonServer) -> None:
    adapter = MastodonAdapter(context_for(fresh.url, "not-a-token"))
    with pytest.raises(AuthFailed, match="401"):
        adapter.check()
    with pytest.raises(AuthFailed, match="401"):
        sent(adapter, MESSAGE, "k")
    adapter.close()


def test_the_token_of_another_account_is_refused(fresh: MastodonServer) -> None:
    adapter = MastodonAdapter(context_for(fresh.url, TOKENS["autre"]))
    with pytest.raises(AuthFailed, match="belongs to @autre, the channel is @tilleuls"):
        adapter.check()
    adapter.close()


def test_the_servers_own_no_is_final(live: MastodonAdapter, fresh: MastodonServer) -> None:
    """Without measured limits nothing is refused here; the server is asked and answers 422."""
    with pytest.raises(Rejected, match="422 Validation failed: Text is too long"):
        sent(live, replace(MESSAGE, text="é" * 501, limits={}), "k")
    assert fresh.statuses() == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"type": "status", "status": 503}, UnknownOutcome),
        ({"type": "malformed"}, UnknownOutcome),
        ({"type": "ratelimit"}, RateLimited),
        ({"type": "status", "status": 403}, AuthFailed),
    ],
)
def test_trouble_while_sending(
    live: MastodonAdapter, fresh: MastodonServer, fault: dict[str, Any], kind: type[ChannelError]
) -> None:
    ready = stored(prepared(live, MESSAGE))
    fresh.fail_next("POST", "/api/v1/statuses", **fault)
    with pytest.raises(kind) as caught:
        live.send(ready, key="k")
    assert getattr(caught.value, "retry_after", 300) == 300
    live.send(ready, key="k")
    assert len(fresh.statuses()) == 1


def test_an_upload_that_fails_midway_is_not_repeated(
    live: MastodonAdapter, fresh: MastodonServer, tmp_path: Path
) -> None:
    one, two = (picture_at(tmp_path / f"{n}.png", PICTURE + bytes([n])) for n in range(2))
    message = replace(MESSAGE, media=(one, two), created_at=datetime.now(UTC))  # the server's clock is the real one
    before = fresh.media_count()
    live.prepare(replace(MESSAGE, media=(one,)), {})
    with pytest.raises(Rejected) as caught:
        live.prepare(replace(message, media=(one, replace(two, path=tmp_path / "gone.png"))), {})
    assert fresh.media_count() == before + 2
    assert caught.value.saved is not None
    ready = live.prepare(message, json.loads(json.dumps(caught.value.saved)))
    assert fresh.media_count() == before + 3, "only the second one was missing"
    assert isinstance(ready, Prepared)
    assert len(ready.body["media_ids"]) == 2


# --- at the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        yield router


@pytest.fixture
def adapter() -> Iterator[MastodonAdapter]:
    made = MastodonAdapter(context_for(SERVER, TOKEN))
    yield made
    made.close()


def serve_check(wire: respx.MockRouter, software: Any = None, **instance: Any) -> None:
    wire.get("/api/v1/accounts/verify_credentials").respond(json={"id": "7", "username": "Tilleuls"})
    wire.get("/api/v2/instance").respond(json=instance)
    links = [{"rel": "x", "href": f"{SERVER}/nodeinfo/2.0"}]
    wire.get("/.well-known/nodeinfo").respond(json={"links": links})
    wire.get("/nodeinfo/2.0").respond(json={"software": software})


@pytest.mark.parametrize(
    ("software", "window", "said"),
    [
        ({"name": "mastodon", "version": "4.5.2"}, 3600, "mastodon 4.5.2"),
        ({"name": "gotosocial", "version": "0.20.0"}, 0, "gotosocial 0.20.0"),
        ({"name": "Mastodon"}, 0, "Mastodon"),
        ({"name": "snac"}, 0, "snac"),
        ("mastodon", 0, ""),
        (None, 0, ""),
    ],
)
def test_only_real_mastodon_is_trusted_with_keys(
    adapter: MastodonAdapter, wire: respx.MockRouter, software: Any, window: int, said: str
) -> None:
    serve_check(wire, software)
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window, info.software) == ("7", "Tilleuls", window, said)
    assert info.limits.pop("software", "") == said.partition(" ")[0]
    assert info.limits == {"description_limit": 1500}
    assert all(
        "Authorization" not in call.request.headers for call in wire.calls if "nodeinfo" in str(call.request.url)
    )


@pytest.mark.parametrize(
    "index",
    [
        httpx.Response(404),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"links": None}),
        httpx.Response(200, json={"links": [{"href": 3}, "x", {"href": "https://elsewhere.example/nodeinfo/2.0"}]}),
        httpx.Response(200, json={"links": [{"href": f"{SERVER}.evil.example/nodeinfo/2.0"}]}),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
    ],
)
def test_a_server_that_does_not_say_what_it_is(
    adapter: MastodonAdapter, wire: respx.MockRouter, index: httpx.Response
) -> None:
    serve_check(wire)
    wire.get("/.well-known/nodeinfo").mock(return_value=index)
    info = adapter.check()
    assert (info.key_window, info.software) == (0, "")


def test_an_old_server_is_asked_the_old_way(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    serve_check(wire)
    wire.get("/api/v2/instance").respond(404, json={"error": "Not found"})
    wire.get("/api/v1/instance").respond(
        json={"max_toot_chars": "5000", "upload_limit": 16_000_000, "version": "2.7.2"}
    )
    assert adapter.check().limits == {
        "max_characters": 5000,
        "image_size_limit": 16_000_000,
        "description_limit": 1500,
    }


@pytest.mark.parametrize("answer", [[], {}, {"id": ""}])
def test_a_server_that_does_not_know_us(adapter: MastodonAdapter, wire: respx.MockRouter, answer: Any) -> None:
    wire.get("/api/v1/accounts/verify_credentials").respond(json=answer)
    with pytest.raises(Retryable):
        adapter.check()


@pytest.mark.parametrize("account", ["tilleuls", "@tilleuls", "@Tilleuls@social.example"])
def test_the_account_is_known_by_server_and_name(account: str) -> None:
    adapter = MastodonAdapter(context_for(SERVER, TOKEN, account))
    assert adapter.identity() == Identity("mastodon", "social.example", "tilleuls")


def test_a_channel_without_token(wire: respx.MockRouter) -> None:
    adapter = MastodonAdapter(context_for(SERVER, None))
    for call in (
        adapter.check,
        lambda: adapter.prepare(MESSAGE, {}),
        lambda: adapter.send(Prepared({"status": "x"}), key="k"),
    ):
        with pytest.raises(AuthFailed, match="no token"):
            call()
    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"server": "http://social.example"},
        {"server": "social.example"},
        {"server": SERVER, "visibility": "direct"},
        {"server": SERVER, "token": "abc"},
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MastodonAdapter.Settings.model_validate(settings)


# --- preparing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "é" * 477}, "text"),
        ({"text": "x" * 478, "link": None}, None),
        ({"text": "x" * 500, "link": None}, None),
        ({"text": "x" * 501, "link": None}, "text"),
        ({"text": "👩‍👩‍👧‍👦" * 500, "link": None}, None),
        ({"text": "👩‍👩‍👧‍👦" * 501, "link": None}, "text"),
        ({"text": "x" * 476, "link": "https://hopital.fr/" + "a" * 300}, None),
        ({"text": "x" * 477, "link": "https://hopital.fr/" + "a" * 300}, "text"),
        ({"text": "x" * 480 + " @service@ailleurs.example", "link": None}, None),
        ({"text": "", "link": None}, "text"),
        ({"visibility": "followers"}, "visibility"),
        ({"media": 5}, "media"),
        ({"mime": "image/heic"}, "media"),
        ({"mime": "application/pdf"}, "media"),
        ({"alt": "é" * 1501}, "media"),
        ({"alt": "é" * 1500, "media": 1}, None),
    ],
)
def test_what_is_surely_too_much_is_refused_before_sending(
    adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media, change: dict[str, Any], field: str | None
) -> None:
    wire.post("/api/v2/media").respond(json={"id": "1"})
    mime, alt = change.pop("mime", "image/png"), change.pop("alt", "")
    count = change.pop("media", 1 if alt or mime != "image/png" else 0)
    message = replace(MESSAGE, media=(replace(picture, mime=mime, alt=alt),) * count, **change)
    if field is None:
        assert isinstance(adapter.prepare(message, {}), Prepared)
        return
    with pytest.raises(Rejected) as caught:
        adapter.prepare(message, {})
    assert caught.value.field == field
    assert wire.calls.call_count == 0


def test_a_file_that_is_too_large_never_goes_out(
    adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media
) -> None:
    message = replace(MESSAGE, media=(picture,), limits={"image_size_limit": 10})
    with pytest.raises(Rejected, match="takes 10"):
        adapter.prepare(message, {})
    assert wire.calls.call_count == 0


def test_a_file_that_changed_never_goes_out(adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media) -> None:
    picture.path.write_bytes(b"something nobody has approved")
    with pytest.raises(Rejected) as caught:
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    assert caught.value.field == "media"
    assert wire.calls.call_count == 0


def test_an_upload_carries_the_alt_text_and_no_file_name(
    adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media
) -> None:
    route = wire.post("/api/v2/media").respond(json={"id": 22348641, "url": "x"}, headers=DATE)
    ready = adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    assert ready == Prepared(
        {
            "status": "Semaine des dons du sang 🩸\nhttps://hopital.example/dons",
            "visibility": "public",
            "sensitive": False,
            "language": "fr",
            "media_ids": ["22348641"],
        },
        NOW + timedelta(hours=20),
    )
    content = route.calls.last.request.content
    assert "Une infirmière sourit.".encode() in content
    assert "Léa".encode() not in content
    assert PICTURE in content


def test_a_film_is_waited_for(adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media) -> None:
    upload = wire.post("/api/v2/media").respond(202, json={"id": "9", "url": None}, headers=DATE)
    later = NOW + timedelta(seconds=30)
    asked = wire.get("/api/v1/media/9")
    asked.side_effect = [
        httpx.Response(206, json={"id": "9"}, headers={"Date": format_datetime(later, usegmt=True)}),
        httpx.Response(200, json={"id": "9", "url": "x"}),
    ]
    message = replace(MESSAGE, media=(picture,))
    first = adapter.prepare(message, {})
    assert isinstance(first, Pending)
    assert first.not_before == NOW + timedelta(seconds=5)
    second = adapter.prepare(message, json.loads(json.dumps(first.saved)))
    assert isinstance(second, Pending)
    assert second.not_before == later + timedelta(seconds=5)
    third = adapter.prepare(message, json.loads(json.dumps(second.saved)))
    assert isinstance(third, Prepared)
    assert third.body["media_ids"] == ["9"]
    assert third.expires_at == NOW + timedelta(hours=20)
    assert upload.call_count == 1


def test_a_film_that_could_not_be_processed(adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media) -> None:
    wire.post("/api/v2/media").respond(202, json={"id": "9"}, headers=DATE)
    wire.get("/api/v1/media/9").respond(422, json={"error": "Error processing thumbnail for uploaded media"})
    message = replace(MESSAGE, media=(picture,))
    pending = adapter.prepare(message, {})
    assert isinstance(pending, Pending)
    with pytest.raises(Rejected, match="Error processing") as caught:
        adapter.prepare(message, pending.saved)
    assert caught.value.field == "media"


@pytest.mark.parametrize("why", ["lost there", "too old", "other alt text", "other bytes"])
def test_what_cannot_be_used_again_is_uploaded_anew(
    adapter: MastodonAdapter, wire: respx.MockRouter, tmp_path: Path, picture: Media, why: str
) -> None:
    upload = wire.post("/api/v2/media")
    upload.side_effect = [
        httpx.Response(202 if why == "lost there" else 200, json={"id": "old"}, headers=DATE),
        httpx.Response(200, json={"id": "new"}, headers=DATE),
    ]
    wire.get("/api/v1/media/old").respond(404, json={"error": "Record not found"})
    answer = adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    saved = answer.saved if isinstance(answer, Pending) else saved_of(picture)
    again = {
        "lost there": replace(MESSAGE, media=(picture,)),
        "too old": replace(MESSAGE, media=(picture,), created_at=NOW + timedelta(hours=12, seconds=1)),
        "other alt text": replace(MESSAGE, media=(replace(picture, alt="Autre"),)),
        "other bytes": replace(MESSAGE, media=(picture_at(tmp_path / "b.png", PICTURE + b"b"),)),
    }[why]
    ready = adapter.prepare(again, saved)
    assert isinstance(ready, Prepared)
    assert ready.body["media_ids"] == ["new"]


def saved_of(picture: Media) -> dict[str, Any]:
    """What an upload at NOW leaves for the next try."""
    entry = {"sha256": picture.sha256, "alt": picture.alt, "id": "old", "at": NOW.isoformat(), "ready": True}
    return {"media": [entry]}


def test_what_can_be_used_again_is(adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media) -> None:
    message = replace(MESSAGE, media=(picture,), created_at=NOW + timedelta(hours=12))
    ready = adapter.prepare(message, saved_of(picture))
    assert isinstance(ready, Prepared)
    assert (ready.body["media_ids"], ready.expires_at) == (["old"], NOW + timedelta(hours=20))
    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ReadTimeout, Retryable),
        (httpx.Response(500), Retryable),
        (httpx.Response(200, json={}), Retryable),
        (httpx.Response(422, json={"error": "File content type is invalid"}), Rejected),
        (httpx.Response(429, headers={**DATE, "X-RateLimit-Reset": "2026-11-23T09:00:00.000Z"}), RateLimited),
    ],
)
def test_uploads_that_fail(
    adapter: MastodonAdapter, wire: respx.MockRouter, picture: Media, answer: Any, kind: type[ChannelError]
) -> None:
    other = replace(picture, alt="Autre")
    wire.post("/api/v2/media").side_effect = [httpx.Response(200, json={"id": "1"}, headers=DATE), answer]
    with pytest.raises(kind) as caught:
        adapter.prepare(replace(MESSAGE, media=(picture, other)), {})
    assert caught.value.saved is not None
    assert caught.value.saved["media"][0]["id"] == "1", "the first upload is kept"
    assert getattr(caught.value, "retry_after", 1800) == 1800
    assert not isinstance(caught.value, Rejected) or caught.value.field == "media"


# --- sending ----------------------------------------------------------------------------------------------------------


def send(adapter: MastodonAdapter, **body: Any) -> Any:
    return adapter.send(Prepared({"status": "Bonjour", "visibility": "public", **body}), key="key-1")


def test_one_call_with_key_and_stored_body(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    route = wire.post("/api/v1/statuses", params={"lang": "en"}).respond(json=STATUS)
    receipt = send(adapter)
    assert receipt.remote_id == "115400000000000001"
    assert receipt.permalink == f"{SERVER}/@tilleuls/115400000000000001"
    assert receipt.published_at == datetime(2026, 11, 23, 8, 30, 1, 250_000, tzinfo=UTC)
    request = route.calls.last.request
    assert route.call_count == 1
    assert request.headers["Idempotency-Key"] == "key-1"
    assert json.loads(request.content) == {"status": "Bonjour", "visibility": "public"}


@pytest.mark.parametrize(
    ("answer", "body", "kind", "field"),
    [
        (httpx.Response(401, json={"error": "The access token is invalid"}), {}, AuthFailed, None),
        (httpx.Response(403, json={"error": "This action is outside the authorized scopes"}), {}, AuthFailed, None),
        (httpx.Response(404, json={"error": "Not there"}), {"in_reply_to_id": "1"}, Rejected, "parent"),
        (httpx.Response(404, json={"error": "Not there"}), {}, Rejected, None),
        (httpx.Response(400, json={"error": "Bad Request: status too long"}), {}, Rejected, None),
        (
            httpx.Response(422, json={"error": "Validation failed: Text character limit of 500 exceeded"}),
            {},
            Rejected,
            None,
        ),
        (
            httpx.Response(
                422, json={"error": "Cannot attach files that have not finished processing. Try again in a moment!"}
            ),
            {"media_ids": ["1"]},
            Retryable,
            None,
        ),
        (httpx.Response(429, headers={**DATE, "X-RateLimit-Reset": "2026-11-23T11:30:00Z"}), {}, RateLimited, None),
        (httpx.Response(503, json={"error": "There was a temporary problem"}), {}, UnknownOutcome, None),
        (httpx.Response(500), {}, UnknownOutcome, None),
        (httpx.Response(302, headers={"Location": "/login"}), {}, UnknownOutcome, None),
        (httpx.Response(200, json={"created_at": "2026-11-23T08:30:00Z"}), {}, UnknownOutcome, None),
        (httpx.Response(200, json=[]), {}, UnknownOutcome, None),
        (httpx.Response(200, json={"id": "1", "created_at": "soon"}), {}, UnknownOutcome, None),
        (httpx.ReadTimeout, {}, UnknownOutcome, None),
        (httpx.ConnectError, {}, Retryable, None),
    ],
)
def test_what_sending_may_meet(
    adapter: MastodonAdapter,
    wire: respx.MockRouter,
    answer: Any,
    body: dict[str, Any],
    kind: type[ChannelError],
    field: str | None,
) -> None:
    route = wire.post("/api/v1/statuses")
    route.side_effect = [answer]
    with pytest.raises(kind) as caught:
        send(adapter, **body)
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field
    assert getattr(caught.value, "retry_after", 10800) == 10800
    assert TOKEN not in caught.value.reason
    assert route.call_count == 1


def test_a_garbled_time_is_no_reason_to_lose_the_post(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.post("/api/v1/statuses").respond(json={**STATUS, "created_at": "soon", "url": "javascript:x"}, headers=DATE)
    receipt = send(adapter)
    assert (receipt.remote_id, receipt.permalink, receipt.published_at) == ("115400000000000001", None, NOW)


# --- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 405])
def test_figures_one_by_one_where_the_server_knows_no_better(
    adapter: MastodonAdapter, wire: respx.MockRouter, status: int
) -> None:
    wire.get("/api/v1/statuses").respond(status, json={"error": "Not found"})
    counts = {"favourites_count": 3, "reblogs_count": 2, "replies_count": -1}
    wire.get("/api/v1/statuses/01ABC").respond(json={"id": "01ABC", **counts})
    wire.get("/api/v1/statuses/gone").respond(404, json={"error": "Not found"})
    wire.get("/api/v1/statuses/a%2F..%2Fb").respond(410)
    assert adapter.post_metrics(["01ABC", "gone", "a/../b"]) == {"01ABC": Numbers(reactions=3, shares=2)}


def test_figures_of_another_shape(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.get("/api/v1/statuses").respond(json={"id": "1"})
    with pytest.raises(Retryable):
        adapter.post_metrics(["1"])
