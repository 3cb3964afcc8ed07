"""A Facebook Page against a pretend Graph API that judges each request by Meta's own SDK: contract, sending, errors."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from pydantic import ValidationError
from support_facebook import MESSAGE, FacebookServer, facebook_context
from support_mastodon import picture_at
from support_meta import LOGIN, NOW, PAGE, SECRET, TOKEN, pairs, refusal, sdk

from cm.channels import meta
from cm.channels.contract import AdapterContract, prepared, sent, sought, stored
from cm.channels.facebook.adapter import FacebookAdapter
from cm.channels.platforms import platform
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    Context,
    Found,
    Identity,
    Media,
    Outgoing,
    Preview,
    RateLimited,
    Receipt,
    Rejected,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def server() -> Iterator[FacebookServer]:
    pretended = FacebookServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        router.route(host="rupload.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def adapter(server: FacebookServer) -> Iterator[FacebookAdapter]:
    made = FacebookAdapter(facebook_context())
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return picture_at(tmp_path / "Léa Martin chambre 12.png")


class TestFacebookContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[FacebookAdapter]:
        return FacebookAdapter

    @pytest.fixture
    def context(self, server: FacebookServer) -> Context:
        return facebook_context()

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, server: FacebookServer) -> Callable[[], int]:
        return server.public

    @pytest.fixture
    def alts_there(self, server: FacebookServer) -> Callable[[str], list[str]]:
        def alts(remote_id: str) -> list[str]:
            return [server.photos[photo]["alt_text_custom"] for photo in server.posts[remote_id]["photos"]]

        return alts

    @pytest.fixture
    def text_there(self, server: FacebookServer) -> Callable[[str], str]:
        return lambda remote_id: str(server.posts[remote_id]["message"])


def test_the_sdk_is_there_and_requests_are_judged_by_it(adapter: FacebookAdapter, server: FacebookServer) -> None:
    sdk()
    ready = prepared(adapter, MESSAGE)
    ready.body["params"]["no_such_parameter"] = 1
    with pytest.raises(AssertionError, match="takes no no_such_parameter"):
        adapter.send(ready, key="k")


# --- sending ----------------------------------------------------------------------------------------------------------


def test_a_link_becomes_a_card(adapter: FacebookAdapter, server: FacebookServer) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    (post,) = server.posts.values()
    assert (post["message"], post["link"]) == (MESSAGE.text, MESSAGE.link)
    assert receipt == Receipt(post["id"], post["permalink_url"], receipt.published_at)
    assert receipt.published_at.isoformat() == post["created_time"].replace("+0000", "+00:00")


def test_every_call_carries_the_token_in_a_header_and_its_proof(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media
) -> None:
    sent(adapter, replace(MESSAGE, media=(picture,)), "k")
    adapter.listing(SINCE)
    assert len(server.requests) == 4
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert pairs(request)["appsecret_proof"] == meta.proof(TOKEN, SECRET)
        assert TOKEN not in str(request.url)
        assert request.url.path.startswith("/v26.0/")


def test_photos_go_up_unpublished_and_one_call_shows_them(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media, tmp_path: Path
) -> None:
    other = picture_at(tmp_path / "b.png", picture.path.read_bytes() + b"b", "Le hall d’entrée.")
    ready = stored(prepared(adapter, replace(MESSAGE, media=(picture, other))))
    assert server.public() == 0
    assert ready.expires_at is not None
    before = len(server.requests)
    receipt = adapter.send(ready, key="k")
    assert len(server.requests) == before + 1
    post = server.posts[receipt.remote_id]
    assert [server.photos[photo]["alt_text_custom"] for photo in post["photos"]] == [picture.alt, other.alt]
    assert (post["message"], post["link"]) == (f"{MESSAGE.text}\n{MESSAGE.link}", None), "no card beside photos"
    uploads = [request.content for request in server.requests if request.url.path.endswith("/photos")]
    assert all("Léa".encode() not in upload for upload in uploads), "no file name goes out"


def test_a_first_comment_stands_under_the_post_with_its_picture(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media
) -> None:
    post = sent(adapter, MESSAGE, "k1")
    comment = replace(MESSAGE, text="Prendre rendez-vous :", role="comment", parent=post.remote_id, media=(picture,))
    receipt = sent(adapter, comment, "k2")
    there = server.comments[receipt.remote_id]
    assert (there["post"], there["message"]) == (post.remote_id, f"Prendre rendez-vous :\n{MESSAGE.link}")
    assert receipt.permalink == there["permalink_url"]
    wanted = sought(comment, None, None)
    found = adapter.find(wanted, since=SINCE)
    assert isinstance(found, Found)
    assert [sighting.remote_id for sighting in found.sightings] == [receipt.remote_id]
    assert isinstance(adapter.find(replace(wanted, text="Autre"), since=SINCE), Absent)
    assert isinstance(adapter.find(replace(wanted, parent=None), since=SINCE), CannotTell)
    assert isinstance(adapter.find(replace(wanted, parent=f"{PAGE}_77"), since=SINCE), CannotTell)
    adapter.edit(receipt.remote_id, replace(comment, text="Corrigé"))
    assert server.comments[receipt.remote_id]["message"].startswith("Corrigé")
    adapter.delete(receipt.remote_id)
    assert not server.comments


def test_a_resend_sends_the_very_same_bytes(adapter: FacebookAdapter, server: FacebookServer) -> None:
    ready = stored(prepared(adapter, MESSAGE))
    server.fail_next("POST .*/feed", refusal(17))
    with pytest.raises(RateLimited):
        adapter.send(ready, key="k")
    adapter.send(stored(ready), key="k")
    one, two = (request for request in server.requests if request.url.path.endswith("/feed"))
    assert one.content == two.content
    assert one.url == two.url


def test_a_lost_answer_is_unknown_and_then_found(adapter: FacebookAdapter, server: FacebookServer) -> None:
    ready = stored(prepared(adapter, MESSAGE))
    server.fail_next("POST .*/feed", httpx.ReadTimeout, after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    answer = adapter.find(sought(MESSAGE, ready, "k"), since=SINCE)
    assert isinstance(answer, Found)
    assert [sighting.remote_id for sighting in answer.sightings] == list(server.posts)
    assert not answer.certain


def test_preview_counts_and_cards(adapter: FacebookAdapter, picture: Media) -> None:
    whole = f"{MESSAGE.text}\n{MESSAGE.link}"
    assert adapter.preview(MESSAGE) == Preview(MESSAGE.text, len(whole), 63_206, card=MESSAGE.link)
    assert adapter.preview(replace(MESSAGE, media=(picture,))) == Preview(whole, len(whole), 63_206)
    comment = replace(MESSAGE, role="comment", parent="1_2")
    assert adapter.preview(comment) == Preview(whole, len(whole), 8000)


# --- refusing before anything is sent ---------------------------------------------------------------------------------


@pytest.mark.row("S5")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "é" * 63_206, "link": None}, None),
        ({"text": "é" * 63_207, "link": None}, "text"),
        ({"text": "é" * 281, "link": None}, None),
        ({"parent": "1_2", "role": "comment", "text": "é" * 8001}, "text"),
        ({"visibility": "private"}, "visibility"),
        ({"parent": "1_2"}, "parent"),
        ({"parent": "../me", "role": "comment"}, None),
        ({"role": "comment"}, None),
        ({"mimes": ["video/mp4", "image/png"]}, "media"),
        ({"mimes": ["video/mp4", "video/mp4"]}, "media"),
        ({"mimes": ["image/png"] * 11}, "media"),
        ({"mimes": ["image/heic"]}, "media"),
        ({"mimes": ["image/png"] * 2, "parent": "1_2", "role": "comment"}, "media"),
        ({"mimes": ["video/mp4"], "parent": "1_2", "role": "comment"}, "media"),
    ],
)
def test_what_facebook_surely_refuses_never_goes_out(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media, change: dict[str, Any], field: str | None
) -> None:
    media = tuple(replace(picture, mime=mime) for mime in change.pop("mimes", []))
    message = replace(MESSAGE, media=media, **change)
    if field is None and message.role == "part":
        prepared(adapter, message)
        return
    with pytest.raises(Rejected) as caught:
        adapter.prepare(message, {})
    assert caught.value.field == field
    assert server.requests == []


def test_a_file_that_changed_never_goes_out(adapter: FacebookAdapter, server: FacebookServer, picture: Media) -> None:
    picture.path.write_bytes(b"something nobody has approved")
    with pytest.raises(Rejected) as caught:
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    assert caught.value.field == "media"
    assert server.requests == []


def test_uploads_that_fail_keep_what_is_there(
    adapter: FacebookAdapter, server: FacebookServer, picture: Media, tmp_path: Path
) -> None:
    other = picture_at(tmp_path / "b.png", picture.path.read_bytes() + b"b", "Le hall.")
    message = replace(MESSAGE, media=(picture, other))
    first = adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    server.fail_next("POST .*/photos", refusal(1366046, message="The photo is too large."))
    saved = {"media": [{"sha256": picture.sha256, "alt": picture.alt, "id": "5001", "at": None, "ready": True}]}
    with pytest.raises(Rejected, match="less than 4 MB") as caught:
        adapter.prepare(message, saved)
    assert caught.value.field == "media"
    assert caught.value.saved is not None
    ready = adapter.prepare(message, json.loads(json.dumps(caught.value.saved)))
    assert first is not ready
    assert len([r for r in server.requests if r.url.path.endswith("/photos")]) == 3


def test_a_comment_is_judged_as_one_before_its_post_has_an_id() -> None:
    known = platform("facebook", "facebook")
    assert known is not None
    known.refuse(replace(MESSAGE, text="é" * 7000, role="comment"))
    with pytest.raises(Rejected):
        known.refuse(replace(MESSAGE, text="é" * 8001, role="comment"))


@pytest.mark.row("S11")
def test_a_group_is_told_where_it_goes() -> None:
    with pytest.raises(ValidationError, match="closed its API for groups in April 2024: use `adapter: outbox`"):
        FacebookAdapter.Settings.model_validate({"page": "https://www.facebook.com/groups/123456"})


@pytest.mark.parametrize("settings", [{}, {"page": "Tilleuls"}, {"page": "1/../2"}, {"page": "1", "token": "x"}])
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FacebookAdapter.Settings.model_validate(settings)


def test_the_page_is_known_by_its_id(adapter: FacebookAdapter) -> None:
    assert adapter.identity() == Identity("facebook", "www.facebook.com", PAGE)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no token"),
        ({"access_token": TOKEN}, "the app's id and secret"),
        ({**LOGIN, "access_token": f"{TOKEN} b"}, "blanks"),
        ({**LOGIN, "client_secret": "é"}, "blanks"),
        ({**LOGIN, "expires_at": NOW.isoformat()}, "log in again"),
    ],
)
def test_a_login_that_cannot_be_used(server: FacebookServer, values: dict[str, str], said: str) -> None:
    made = FacebookAdapter(facebook_context(values))
    for call in (made.check, lambda: made.prepare(MESSAGE, {}), lambda: made.delete("1")):
        with pytest.raises(AuthFailed, match=said) as caught:
            call()
        assert TOKEN not in str(caught.value)
    assert server.requests == []
