"""X at the wire: the contract, every request held to its OpenAPI files, and the sentences by which it refuses."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from support_openapi import Spec
from support_x import (
    API,
    MESSAGE,
    NOW,
    OAUTH1,
    OAUTH2,
    PretendX,
    context_for,
    media_at,
    pretending,
)

from cm.channels.contract import AdapterContract, put, sent
from cm.channels.port import (
    AuthFailed,
    Context,
    Identity,
    Media,
    Outgoing,
    Pending,
    Prepared,
    Rejected,
    Retryable,
)
from cm.channels.x.adapter import XAdapter
from cm.channels.x.uploads import PIECE


@pytest.fixture
def there() -> Iterator[PretendX]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def adapter(there: PretendX, tmp_path: Path) -> Iterator[XAdapter]:
    made = XAdapter(context_for(tmp_path, OAUTH2))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "Léa Martin chambre 12.png")


class TestXContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[XAdapter]:
        return XAdapter

    @pytest.fixture(params=["oauth2", "oauth1"])
    def context(self, there: PretendX, tmp_path: Path, request: pytest.FixtureRequest) -> Context:
        there.values = dict(OAUTH1 if request.param == "oauth1" else OAUTH2)
        return context_for(tmp_path, there.values, login=request.param)

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, there: PretendX) -> Callable[[], int]:
        return lambda: len(there.posts)

    @pytest.fixture
    def parent_there(self, there: PretendX) -> Callable[[str], str | None]:
        return lambda remote_id: there.posts[remote_id]["parent"]

    @pytest.fixture
    def alts_there(self, there: PretendX) -> Callable[[str], list[str]]:
        return there.alts


# --- who --------------------------------------------------------------------------------------------------------------


def test_settings_and_identity(tmp_path: Path) -> None:
    adapter = XAdapter(context_for(tmp_path, OAUTH2, app="press"))
    assert adapter.identity() == Identity("x", "api.x.com", "tilleuls", "press")
    with pytest.raises(ValidationError):
        XAdapter.Settings.model_validate({"login": "password"})


def test_check_tells_account_length_and_clock(adapter: XAdapter, there: PretendX) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window, info.server_time) == ("7007", "tilleuls", 0, NOW)
    assert info.limits == {"max_weighted": 280}
    assert info.token_expires_at is None, "it renews itself"
    there.faulty = ("GET", "/2/users/me")
    there.answers = [
        httpx.Response(200, json={"data": {"id": "7", "username": "TILLEULS", "subscription_type": "Premium"}})
    ]
    assert adapter.check().limits == {"max_weighted": 25_000}


def test_check_names_the_rights_that_are_missing(there: PretendX, tmp_path: Path) -> None:
    lacking = {**OAUTH2, "scope": "tweet.read users.read offline.access"}
    with pytest.raises(AuthFailed, match=r"lacks the rights tweet\.write, media\.write: log in again"):
        XAdapter(context_for(tmp_path, lacking)).check()
    there.values = dict(OAUTH1)
    there.faulty = ("GET", "/2/users/me")
    user = {"data": {"id": "7", "username": "tilleuls"}}
    there.answers = [httpx.Response(200, json=user, headers={"x-access-level": "read"})]
    with pytest.raises(AuthFailed, match="may only read"):
        XAdapter(context_for(tmp_path, OAUTH1, login="oauth1")).check()


def test_a_login_that_does_not_renew_itself_ends(there: PretendX, tmp_path: Path) -> None:
    short = {name: value for name, value in OAUTH2.items() if name != "refresh_token"}
    ends = XAdapter(context_for(tmp_path, short)).check().token_expires_at
    assert ends == datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


def test_the_token_of_another_account_is_refused(there: PretendX, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed, match="belongs to @tilleuls, the channel is @autre"):
        XAdapter(context_for(tmp_path, OAUTH2, account="autre")).check()


def test_no_login_at_all(there: PretendX, tmp_path: Path) -> None:
    for kind in ("oauth2", "oauth1"):
        with pytest.raises(AuthFailed, match="no token"):
            XAdapter(context_for(tmp_path, {}, login=kind)).prepare(MESSAGE, {})
    half = {name: value for name, value in OAUTH1.items() if "secret" not in name}
    with pytest.raises(AuthFailed, match="lacks client_secret, token_secret"):
        XAdapter(context_for(tmp_path, half, login="oauth1")).prepare(MESSAGE, {})
    assert there.requests == []


# --- preparing --------------------------------------------------------------------------------------------------------


def test_a_thread_with_pictures_arrives_in_order(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    pictures = tuple(media_at(tmp_path / f"{n}.png", bytes([n]), alt=f"Image {n}") for n in range(4))
    first = sent(adapter, replace(MESSAGE, media=pictures), "k1")
    second = sent(adapter, replace(MESSAGE, text="2/2 Où ?", link=None, parent=first.remote_id), "k2")
    assert there.alts(first.remote_id) == ["Image 0", "Image 1", "Image 2", "Image 3"]
    assert there.posts[second.remote_id]["parent"] == first.remote_id
    assert first.permalink == f"https://x.com/tilleuls/status/{first.remote_id}"
    assert (first.published_at, second.published_at) == (NOW + timedelta(seconds=1), NOW + timedelta(seconds=2))
    names = [request.read() for request in there.sent("POST", "/2/media/upload")]
    assert len(names) == 4
    assert not any(b"Martin" in body for body in names)


def test_the_official_descriptions_know_every_request(there: PretendX, adapter: XAdapter, tmp_path: Path) -> None:
    """The pretend X asks them whenever they are there; here they must be, and the rest of the tests rely on that."""
    for spec in (Spec.needed("x"), Spec.needed("x-2.166")):
        assert spec
    film = media_at(tmp_path / "a.mp4", b"film", "video/mp4")
    _ready, receipt = put(adapter, replace(MESSAGE, media=(film,)), "k1")
    sent(adapter, replace(MESSAGE, media=(media_at(tmp_path / "b.png"),), parent=receipt.remote_id), "k2")
    adapter.listing(NOW)
    there.new_names = True
    adapter.listing(NOW)
    adapter.delete(receipt.remote_id)
    paths = {(request.method, request.url.path.replace(receipt.remote_id, "ID")) for request in there.requests}
    assert {("POST", "/2/tweets"), ("DELETE", "/2/tweets/ID"), ("GET", "/2/users/7007/tweets")} <= paths
    with pytest.raises(AssertionError, match="is no property"):
        there._check(httpx.Request("POST", f"{API}/2/tweets", json={"text": "a", "language": "fr"}))


def test_what_is_refused_here_is_never_sent(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    image, film = media_at(tmp_path / "a.png"), media_at(tmp_path / "b.mp4", b"film", "video/mp4")
    refused = [
        (replace(MESSAGE, text="é" * 257), "text"),
        (replace(MESSAGE, text="a\ufeffb"), "text"),
        (replace(MESSAGE, visibility="private"), "visibility"),
        (replace(MESSAGE, media=(image, film)), "media"),
        (replace(MESSAGE, media=(image,) * 5), "media"),
        (replace(MESSAGE, media=(replace(image, alt="x" * 1001),)), "media"),
        (replace(MESSAGE, media=(media_at(tmp_path / "c.png", b"x" * 5_000_001),)), "media"),
    ]
    for message, field in refused:
        with pytest.raises(Rejected) as caught:
            adapter.prepare(message, {})
        assert caught.value.field == field
    assert there.requests == []


@pytest.mark.row("S5")
def test_281_are_refused_and_280_are_not(adapter: XAdapter, there: PretendX) -> None:
    fits = replace(MESSAGE, text="x" * 256, link="https://example.org/une/adresse/plus/longue/que/vingt-trois")
    assert adapter.preview(fits).used == 280
    assert sent(adapter, fits, "k").remote_id in there.posts
    with pytest.raises(Rejected, match="counts 281 on X, and at most 280 fit"):
        adapter.prepare(replace(fits, text="x" * 257), {})
    long = replace(fits, text="x" * 20_000, limits={"max_weighted": 25_000})
    assert isinstance(adapter.prepare(long, {}), Prepared), "a Premium account's posts may be longer"


def test_a_film_goes_up_in_pieces_and_is_waited_for(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    data = bytes(range(256)) * (2 * PIECE // 256) + b"the end"
    film = media_at(tmp_path / "film.mp4", data, "video/mp4", alt="La cour de l’hôpital")
    message = replace(MESSAGE, media=(film,))
    there.polls = 2
    first = adapter.prepare(message, {})
    assert isinstance(first, Pending)
    assert first.not_before == NOW + timedelta(seconds=7)
    second = adapter.prepare(message, json.loads(json.dumps(first.saved)))
    assert isinstance(second, Pending)
    ready = adapter.prepare(message, json.loads(json.dumps(second.saved)))
    assert isinstance(ready, Prepared)
    (entry,) = there.media.values()
    assert (entry["pieces"], entry["data"] == data, entry["alt"]) == (3, True, "La cour de l’hôpital")
    assert entry["told"] == {"media_type": "video/mp4", "media_category": "tweet_video", "total_bytes": len(data)}
    assert ready.expires_at == NOW + timedelta(hours=20)
    adapter.send(ready, key="k")


def test_an_upload_that_breaks_goes_on_where_it_was(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    film = media_at(tmp_path / "film.gif", b"x" * (PIECE + 1), "image/gif")
    message = replace(MESSAGE, media=(film,))
    there.faulty = ("POST", "/2/media/upload/1880028106020515840/append")
    there.answers = [httpx.ReadTimeout("cut")]
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, {})
    there.answers = [httpx.Response(503)]
    with pytest.raises(Retryable) as again:
        adapter.prepare(message, json.loads(json.dumps(caught.value.saved)))
    there.faulty = ("POST", "/2/media/upload/1880028106020515840/finalize")
    there.answers, there.after_the_fact = [httpx.ReadTimeout("the answer is lost")], True
    with pytest.raises(Retryable) as lost:
        adapter.prepare(message, json.loads(json.dumps(again.value.saved)))
    assert isinstance(adapter.prepare(message, json.loads(json.dumps(lost.value.saved))), Prepared)
    assert len(there.media) == 1
    assert there.media["1880028106020515840"]["told"]["media_category"] == "tweet_gif"


def test_a_film_that_x_forgot_is_uploaded_once_more(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    message = replace(MESSAGE, media=(media_at(tmp_path / "film.mp4", b"film", "video/mp4"),))
    pending = adapter.prepare(message, {})
    assert isinstance(pending, Pending)
    there.media.clear()
    again = adapter.prepare(message, pending.saved)
    assert isinstance(again, Pending)
    there.media.clear()
    with pytest.raises(Rejected, match="Could not find media") as caught:
        adapter.prepare(message, again.saved)
    assert caught.value.field == "media"


def test_a_film_that_x_cannot_use(adapter: XAdapter, there: PretendX, tmp_path: Path) -> None:
    message = replace(MESSAGE, media=(media_at(tmp_path / "film.mp4", b"film", "video/mp4"),))
    pending = adapter.prepare(message, {})
    assert isinstance(pending, Pending)
    error = {"code": 1, "name": "InvalidMedia", "message": "Unsupported video\x1b[31m format"}
    there.faulty = ("GET", "/2/media/upload")
    there.answers = [
        httpx.Response(200, json={"data": {"id": "1", "processing_info": {"state": "failed", "error": error}}})
    ]
    with pytest.raises(Rejected, match=r"could not use a medium: Unsupported video \[31m format") as caught:
        adapter.prepare(message, pending.saved)
    assert caught.value.field == "media"


def test_what_can_be_used_again_is(adapter: XAdapter, there: PretendX, picture: Media) -> None:
    message = replace(MESSAGE, media=(picture, replace(picture, alt="Autre")))
    there.faulty = ("POST", "/2/media/metadata")
    there.answers = [httpx.Response(500)]
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, {})
    saved = json.loads(json.dumps(caught.value.saved))
    assert isinstance(adapter.prepare(message, saved), Prepared)
    assert len(there.media) == 2, "the picture was there already, only its alt text was missing"
    late = replace(message, created_at=NOW + timedelta(hours=13))
    assert isinstance(adapter.prepare(late, saved), Prepared)
    assert len(there.media) == 4, "X will have thrown it away"


def test_an_upload_without_an_id(adapter: XAdapter, there: PretendX, picture: Media) -> None:
    there.faulty = ("POST", "/2/media/upload")
    there.answers = [httpx.Response(200, json={"data": {"id": "../1"}})]
    with pytest.raises(Retryable, match="gave no id"):
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})


# --- before it is sent ------------------------------------------------------------------------------------------------


def test_the_preview_counts_and_prices(adapter: XAdapter, there: PretendX, picture: Media) -> None:
    shown = adapter.preview(MESSAGE)
    assert shown.text == f"{MESSAGE.text}\nhttps://example.org/dons"
    assert (shown.unit, shown.most, shown.card) == ("weighted", 280, "https://example.org/dons")
    assert shown.used == 56 + 1 + 23
    assert shown.price == 0.2
    assert adapter.preview(replace(MESSAGE, link=None)).price == 0.015
    assert adapter.preview(replace(MESSAGE, link=None, text="voir example.com")).price == 0.2, "without a scheme, too"
    with_picture = adapter.preview(replace(MESSAGE, link=None, media=(picture,), fields={"warning": "sang"}))
    assert with_picture.price == 0.02
    assert with_picture.notes == ("X shows no content warning: the post stands there without it.",)
    unknown = adapter.preview(replace(MESSAGE, link="https://hopital.example/dons"))
    assert (unknown.card, unknown.price) == (None, 0.2), "the higher price where it is not sure"
    assert unknown.notes == ("X makes no link of https://hopital.example/dons: it knows no such ending of a name.",)
    beside = adapter.preview(replace(MESSAGE, media=(picture,)))
    assert (beside.card, beside.notes) == (None, ("Beside media, the link gets no card.",))
    assert adapter.preview(replace(MESSAGE, text="é" * 400)).used == 424, "too long is told, not raised"
    assert there.requests == []
