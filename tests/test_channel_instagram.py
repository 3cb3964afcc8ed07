"""Instagram against a pretend Graph API that judges each request by Meta's own SDK: contract, containers, sending."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import respx
from pydantic import ValidationError
from support_instagram import JPEG, PUBLIC, TEXT, USER, InstagramServer, file_at, instagram_context
from support_meta import NOW, SECRET, TOKEN, pairs, sdk

from cm.channels import meta
from cm.channels.contract import AdapterContract, prepared, sent, stored
from cm.channels.instagram.adapter import InstagramAdapter
from cm.channels.platforms import platform
from cm.channels.port import (
    ChannelError,
    Context,
    Duplicate,
    Identity,
    Media,
    Outgoing,
    Pending,
    Prepared,
    Preview,
    Rejected,
    Retryable,
)

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def picture_there(tmp_path: Path) -> Media:
    return file_at(tmp_path / "media" / "été" / "don 1.jpg", alt="Une infirmière sourit.")


@pytest.fixture
def film(tmp_path: Path) -> Media:
    return file_at(tmp_path / "media" / "film.mp4", b"film" * 100, "video/mp4")


@pytest.fixture
def server() -> Iterator[InstagramServer]:
    pretended = InstagramServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        router.route(host="rupload.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def adapter(server: InstagramServer, tmp_path: Path) -> Iterator[InstagramAdapter]:
    made = InstagramAdapter(instagram_context(tmp_path))
    yield made
    made.close()


@pytest.fixture
def message(picture_there: Media) -> Outgoing:
    return replace(TEXT, media=(picture_there,))


class TestInstagramContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[InstagramAdapter]:
        return InstagramAdapter

    @pytest.fixture
    def context(self, server: InstagramServer, tmp_path: Path) -> Context:
        return instagram_context(tmp_path)

    @pytest.fixture
    def message(self, picture_there: Media) -> Outgoing:
        return replace(TEXT, media=(picture_there,))

    @pytest.fixture
    def posts_there(self, server: InstagramServer) -> Callable[[], int]:
        return lambda: len(server.posts)


def through(answer: Prepared | Pending) -> dict[str, Any]:
    """What a pending container leaves, after a stay in the database."""
    assert isinstance(answer, Pending)
    saved: dict[str, Any] = json.loads(json.dumps(answer.saved))
    return saved


# --- putting it together ----------------------------------------------------------------------------------------------


def test_a_picture_is_named_by_its_public_address(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    receipt = sent(adapter, message, "k")
    (container,) = server.containers.values()
    assert container["params"] == {
        "image_url": f"{PUBLIC}%C3%A9t%C3%A9/don%201.jpg",
        "alt_text": "Une infirmière sourit.",
        "caption": f"{TEXT.text}\n{TEXT.link}",
    }
    assert receipt.remote_id in server.posts
    assert receipt.permalink is None, "it could only be asked for, after the one call that counts"
    assert server.requests[-1].url.path.endswith("/media_publish")


def test_every_call_carries_the_token_in_a_header_and_its_proof(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    sent(adapter, message, "k")
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert pairs(request)["appsecret_proof"] == meta.proof(TOKEN, SECRET)
        assert TOKEN not in str(request.url)


def test_the_sdk_is_there_and_requests_are_judged_by_it(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    sdk()
    ready = prepared(adapter, message)
    ready.body["params"]["no_such_parameter"] = 1
    with pytest.raises(AssertionError, match="takes no no_such_parameter"):
        adapter.send(ready, key="k")


@pytest.mark.row("S16")
def test_text_alone_is_refused(adapter: InstagramAdapter, server: InstagramServer) -> None:
    with pytest.raises(Rejected, match="needs a picture or a video") as caught:
        adapter.prepare(TEXT, {})
    assert caught.value.field == "media"
    assert server.requests == []


def test_without_a_public_address_pictures_are_refused_and_it_is_said_what_to_do(
    server: InstagramServer, tmp_path: Path, message: Outgoing
) -> None:
    made = InstagramAdapter(instagram_context(tmp_path, public_media=None))
    with pytest.raises(Rejected, match=r"only from a public address: set `public_media: https://…`") as caught:
        made.prepare(message, {})
    assert caught.value.field == "media"
    assert server.requests == []


def test_a_first_comment_is_judged_as_one_before_its_post_has_an_id() -> None:
    known = platform("instagram", "instagram")
    assert known is not None
    known.refuse(replace(TEXT, role="comment"))
    with pytest.raises(Rejected, match="no text alone"):
        known.refuse(TEXT)


def test_a_film_needs_no_public_address(server: InstagramServer, tmp_path: Path, film: Media) -> None:
    made = InstagramAdapter(instagram_context(tmp_path, public_media=None))
    server.working = ["IN_PROGRESS", "FINISHED"]
    message = replace(TEXT, media=(film,))
    first = made.prepare(message, {})
    assert isinstance(first, Pending)
    assert first.not_before > NOW + timedelta(seconds=60)
    ready = made.prepare(message, through(first))
    assert isinstance(ready, Prepared)
    made.send(stored(ready), key="k")
    (container,) = server.containers.values()
    assert container["bytes"] == b"film" * 100
    assert (container["params"]["media_type"], container["params"]["upload_type"]) == ("REELS", "resumable")
    assert len(server.posts) == 1


def test_a_picture_outside_the_public_folder_is_refused(
    adapter: InstagramAdapter, server: InstagramServer, tmp_path: Path
) -> None:
    outside = file_at(tmp_path / "private" / "a.jpg")
    with pytest.raises(Rejected, match="folder media/"):
        adapter.prepare(replace(TEXT, media=(outside,)), {})
    assert server.requests == []


def test_a_file_that_changed_is_never_named(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    message.media[0].path.write_bytes(b"something nobody has approved")
    with pytest.raises(Rejected, match="no longer the one") as caught:
        adapter.prepare(message, {})
    assert caught.value.field == "media"
    assert server.requests == []


def test_a_carousel_waits_for_its_parts(
    adapter: InstagramAdapter, server: InstagramServer, picture_there: Media, film: Media
) -> None:
    message = replace(TEXT, media=(picture_there, film, picture_there))
    server.working = ["IN_PROGRESS", "FINISHED"]
    first = adapter.prepare(message, {})
    assert len(server.containers) == 3
    second = adapter.prepare(message, through(first))
    assert len(server.containers) == 4, "the whole follows its parts, and is waited for, too"
    ready = adapter.prepare(message, through(second))
    assert isinstance(ready, Prepared)
    *parts, whole = server.containers.values()
    assert [part["params"].get("media_type") for part in parts] == [None, "VIDEO", None]
    assert whole["params"]["children"] == list(server.containers)[:3]
    assert whole["params"]["caption"].startswith(TEXT.text)
    receipt = adapter.send(stored(ready), key="k")
    (sighting,) = adapter.listing(SINCE).sightings
    assert (sighting.remote_id, sighting.media) == (receipt.remote_id, 3)


def test_the_parts_of_a_carousel_are_asked_after_before_it_is_made(
    adapter: InstagramAdapter, server: InstagramServer, picture_there: Media, film: Media
) -> None:
    message = replace(TEXT, media=(picture_there, film))
    server.working = ["IN_PROGRESS"]
    saved = through(adapter.prepare(message, {}))
    first, second = server.containers
    server.containers[first]["states"] = ["FINISHED"]
    saved = through(adapter.prepare(message, saved))
    assert [each.get("ready") for each in saved["containers"]] == [True, False, None]
    server.containers[first]["states"], server.containers[second]["states"] = ["EXPIRED"], ["FINISHED"]
    with pytest.raises(Retryable) as expired:
        adapter.prepare(message, saved)
    server.working = ["FINISHED"]
    ready = adapter.prepare(message, expired.value.saved or {})
    assert isinstance(ready, Prepared)
    children = server.containers[ready.body["params"]["creation_id"]]["params"]["children"]
    assert first not in children
    assert second in children, "what has not expired is used again"


@pytest.mark.parametrize("why", ["other caption", "other bytes", "other alt text", "too old", "lost there", "expired"])
def test_what_cannot_be_used_again_is_made_anew(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, tmp_path: Path, why: str
) -> None:
    server.working = ["IN_PROGRESS", "FINISHED"]
    saved = through(adapter.prepare(message, {}))
    (picture,) = message.media
    again = {
        "other caption": replace(message, text="Autre"),
        "other bytes": replace(message, media=(file_at(tmp_path / "media" / "b.jpg", JPEG + b"b"),)),
        "other alt text": replace(message, media=(replace(picture, alt="Autre"),)),
        "too old": replace(message, created_at=NOW + timedelta(hours=13)),
    }.get(why, message)
    old = next(iter(server.containers))
    if why == "lost there":
        server.containers.clear()
    if why == "expired":
        server.containers[old]["states"] = ["EXPIRED"]
    server.working = ["FINISHED"]
    try:
        ready = adapter.prepare(again, saved)
    except Retryable as error:
        assert why in ("lost there", "expired")
        ready = adapter.prepare(again, json.loads(json.dumps(error.saved)))
    assert isinstance(ready, Prepared)
    assert ready.body["params"]["creation_id"] not in (old, None)


def test_what_can_be_used_again_is(adapter: InstagramAdapter, server: InstagramServer, message: Outgoing) -> None:
    server.working = ["IN_PROGRESS", "FINISHED"]
    saved = through(adapter.prepare(message, {}))
    ready = adapter.prepare(replace(message, created_at=NOW + timedelta(hours=11)), saved)
    assert isinstance(ready, Prepared)
    assert list(server.containers) == [ready.body["params"]["creation_id"]]
    assert ready.expires_at is not None
    assert timedelta(hours=22) < ready.expires_at - NOW < timedelta(hours=24)


@pytest.mark.parametrize("code", ["", "SOMETHING_NEW"])
def test_a_container_that_says_nothing_of_use_is_made_anew(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, code: str
) -> None:
    server.working = [code]
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, {})
    assert caught.value.saved == {"containers": [{}]}


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("Error: Media upload has failed with error code 2207003", Retryable, "could not prepare"),
        ("Error: Media upload has failed with error code 2207053", Retryable, "could not prepare"),
        ("Error: Media upload has failed with error code 2207026", Rejected, "cannot use this video"),
        ("Error: 2207082", Rejected, "cannot use this video"),
        ("Error: what nobody knows\x1b[31m", Rejected, "what nobody knows"),
    ],
)
def test_a_container_that_failed(
    adapter: InstagramAdapter,
    server: InstagramServer,
    message: Outgoing,
    words: str,
    kind: type[ChannelError],
    said: str,
) -> None:
    server.working, server.words = ["ERROR"], words
    with pytest.raises(kind, match=said) as caught:
        adapter.prepare(message, {})
    assert caught.value.saved == {"containers": [{}]}
    assert getattr(caught.value, "field", "media") == "media"
    assert "\x1b" not in str(caught.value)


def test_a_container_that_was_published_is_never_prepared_again(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    server.working = ["IN_PROGRESS", "FINISHED"]
    saved = through(adapter.prepare(message, {}))
    next(iter(server.containers.values()))["states"] = ["PUBLISHED"]
    with pytest.raises(Duplicate):
        adapter.prepare(message, saved)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "é" * 2200, "link": None}, None),
        ({"text": "é" * 2201, "link": None}, "text"),
        ({"text": " ".join(["#don"] * 30)}, None),
        ({"text": " ".join(["#don"] * 31)}, "text"),
        ({"text": " ".join(["@don"] * 20) + " a@b.example"}, None),
        ({"text": " ".join(["@don"] * 21)}, "text"),
        ({"visibility": "private"}, "visibility"),
        ({"parent": "1"}, "parent"),
        ({"parent": "1", "role": "comment"}, "media"),
        ({"parent": "../me", "role": "comment", "media": ()}, None),
        ({"role": "comment", "media": ()}, None),
        ({"alt": "é" * 1001}, "media"),
        ({"count": 10}, None),
        ({"count": 11}, "media"),
        ({"mime": "image/png"}, "media"),
    ],
)
def test_what_instagram_surely_refuses_never_goes_out(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, change: dict[str, Any], field: str | None
) -> None:
    (picture,) = message.media
    picture = replace(picture, alt=change.pop("alt", ""), mime=change.pop("mime", picture.mime))
    wanted = replace(message, **{"media": (picture,) * change.pop("count", 1), **change})
    if field is None and wanted.role == "part":
        prepared(adapter, wanted)
        return
    with pytest.raises(Rejected) as caught:
        adapter.prepare(wanted, {})
    assert caught.value.field == field
    assert server.requests == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"user": "tilleuls"},
        {"user": USER, "public_media": "http://www.hopital.example/"},
        {"user": USER, "public_media": "https://localhost/"},
        {"user": USER, "public_media": "https://jo:secret@www.hopital.example/"},
        {"user": USER, "public_media": "https://www.hopital.example/?a=1"},
        {"user": USER, "login": "x"},
        {"user": USER, "token": "x"},
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InstagramAdapter.Settings.model_validate(settings)


def test_identity_and_preview(adapter: InstagramAdapter, message: Outgoing) -> None:
    assert adapter.identity() == Identity("instagram", "www.instagram.com", USER)
    whole = f"{TEXT.text}\n{TEXT.link}"
    note = "The link cannot be clicked in a caption."
    assert adapter.preview(message) == Preview(whole, len(whole), 2200, notes=(note,))
    assert adapter.preview(replace(message, link=None)).notes == ()
