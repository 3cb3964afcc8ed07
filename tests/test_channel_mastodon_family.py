"""Servers that speak Mastodon's API in their own way: GoToSocial, Pixelfed, snac. Answers shaped as theirs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support_mastodon import DATE, NOW, SERVER, TOKEN, context_for, picture_at

from cm.channels.contract import prepared, sought
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.port import AccountInfo, Outgoing, Rejected, Sighting, UnknownOutcome

ME = "/api/v1/accounts/verify_credentials"
POSTS = "/api/v1/statuses"
ULID = "01KARWC4D3P2YQ8ZC0G3M5T7XN"

GOTOSOCIAL = {
    "domain": "social.example",
    "account_domain": "social.example",
    "title": "Hôpital",
    "version": "0.20.0+git-1234567",
    "source_url": "https://codeberg.org/superseriousbusiness/gotosocial",
    "configuration": {
        "statuses": {
            "max_characters": 5000,
            "max_media_attachments": 6,
            "characters_reserved_per_url": 25,
            "supported_mime_types": ["text/plain", "text/markdown"],
        },
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/gif", "image/webp", "image/png", "video/mp4", "video/webm"],
            "description_limit": 500,
            "image_size_limit": 41943040,
            "image_matrix_limit": 9223372036854775807,
            "video_size_limit": 41943040,
            "video_frame_rate_limit": 9223372036854775807,
            "video_matrix_limit": 9223372036854775807,
        },
        "polls": {"max_options": 6, "max_characters_per_option": 50},
        "oidc_enabled": False,
    },
}
"""GoToSocial 0.20, `/api/v2/instance`."""
PIXELFED = {
    "uri": "social.example",
    "title": "Pixelfed",
    "max_toot_chars": 500,
    "version": "2.7.2 (compatible; Pixelfed 0.11.2)",
    "environment": {
        "max_photo_size": "15000",
        "max_avatar_size": "2000",
        "max_caption_length": "500",
        "max_bio_length": "125",
        "max_album_length": "4",
        "mobile_apis": True,
    },
}
"""Pixelfed 0.11, `/api/v1/instance`."""
SNAC = {
    "uri": "social.example",
    "title": "social.example",
    "version": "4.0.0 (not true; really snac/2.80)",
    "configuration": {
        "statuses": {"characters_reserved_per_url": 32, "max_characters": 100000, "max_media_attachments": 8},
        "accounts": {"max_featured_tags": 10},
        "media_attachments": {
            "image_matrix_limit": 33177600,
            "image_size_limit": 16777216,
            "video_frame_rate_limit": 120,
            "video_matrix_limit": 8294400,
            "video_size_limit": 103809024,
            "supported_mime_types": ["audio/mpeg", "image/gif", "image/jpeg", "image/png", "image/webp", "video/mp4"],
        },
    },
}
"""snac 2, `/api/v1/instance`."""


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        yield router


@pytest.fixture
def adapter() -> Iterator[MastodonAdapter]:
    made = MastodonAdapter(context_for(SERVER, TOKEN))
    yield made
    made.close()


def checked(
    adapter: MastodonAdapter, wire: respx.MockRouter, name: str, *, new: Any = None, old: Any = None
) -> AccountInfo:
    """What the check finds out of such a server; `new`, `old`: its `/api/v2/instance` and `/api/v1/instance`."""
    path = "/nodeinfo_2_0" if name == "snac" else "/nodeinfo/2.0"
    rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
    wire.get("/.well-known/nodeinfo").respond(json={"links": [{"rel": rel, "href": f"{SERVER}{path}"}]})
    wire.get(path).respond(
        json={"version": "2.0", "software": {"name": name, "version": "1"}, "protocols": ["activitypub"]}
    )
    wire.get(ME).respond(json={"id": "7", "username": "tilleuls", "acct": "tilleuls"}, headers=DATE)
    for place, told in (("/api/v2/instance", new), ("/api/v1/instance", old)):
        wire.get(place).mock(return_value=httpx.Response(200, json=told) if told else httpx.Response(404))
    return adapter.check()


def test_gotosocial(adapter: MastodonAdapter, wire: respx.MockRouter, tmp_path: Path) -> None:
    """It ignores keys, counts addresses in full, has longer posts and shorter alt texts, and refuses by 400."""
    info = checked(adapter, wire, "gotosocial", new=GOTOSOCIAL)
    assert (info.key_window, info.software) == (0, "gotosocial 1")
    assert info.limits == {
        "max_characters": 5000,
        "max_media": 6,
        "characters_reserved_per_url": 25,
        "description_limit": 500,
        "image_size_limit": 41943040,
        "video_size_limit": 41943040,
        "mime_types": ["image/jpeg", "image/gif", "image/webp", "image/png", "video/mp4", "video/webm"],
        "software": "gotosocial",
    }
    message = Outgoing("x" * 4987 + " http://a.fr", "fr", NOW, limits=info.limits)
    assert adapter.preview(message).used == 4999
    ready = prepared(adapter, message)
    with pytest.raises(Rejected, match="An alt text"):
        prepared(adapter, replace(message, media=(picture_at(tmp_path / "a.png", alt="é" * 501),)))
    created = {"id": ULID, "created_at": "2026-11-23T08:30:01.250Z", "url": f"{SERVER}/@tilleuls/statuses/{ULID}"}
    too_long = "Bad Request: text too long, 5042 characters provided (including content warning) but limit is 5000"
    wire.post(POSTS).side_effect = [
        httpx.Response(400, json={"error": too_long}),
        httpx.Response(200, json=created),
    ]
    with pytest.raises(Rejected, match="text too long"):
        adapter.send(ready, key="k")
    receipt = adapter.send(ready, key="k")
    assert (receipt.remote_id, receipt.permalink) == (ULID, created["url"])
    content = (
        '<p>Voir <a href="https://a.fr/x" rel="nofollow noreferrer noopener" target="_blank">https://a.fr/x</a></p>'
    )
    wire.get("/api/v1/accounts/7/statuses").side_effect = [
        httpx.Response(200, json=[{**created, "content": content, "media_attachments": [], "in_reply_to_id": None}]),
        httpx.Response(200, json=[]),
    ]
    (sighting,) = adapter.listing(NOW).sightings
    assert adapter.looks_like(sought(replace(message, text="Voir https://a.fr/x"), None, None), sighting)


def test_pixelfed(adapter: MastodonAdapter, wire: respx.MockRouter, tmp_path: Path) -> None:
    """It wants a picture, says its limits in words of its own, refuses a key that it knows; old ones cannot edit."""
    info = checked(adapter, wire, "pixelfed", old=PIXELFED)
    assert info.key_window == 0
    assert info.limits == {
        "max_characters": 500,
        "max_media": 4,
        "description_limit": 1500,
        "image_size_limit": 15_360_000,
        "software": "pixelfed",
    }
    message = Outgoing("Visite", "fr", NOW, limits=info.limits)
    for refused, field in (
        (message, "media"),
        (replace(message, media=(picture_at(tmp_path / "a.png"),), fields={"warning": "x" * 141}), "warning"),
        (replace(message, media=(picture_at(tmp_path / "a.png"),) * 5), "media"),
    ):
        with pytest.raises(Rejected) as caught:
            prepared(adapter, refused)
        assert caught.value.field == field
    assert prepared(adapter, replace(message, parent="1")).body["in_reply_to_id"] == "1", "a comment needs no picture"
    wire.post("/api/v2/media").respond(json={"id": "9", "type": "image", "url": "x"}, headers=DATE)
    ready = prepared(adapter, replace(message, media=(picture_at(tmp_path / "a.png"),)))
    wire.post(POSTS).respond(400, json={"error": "Duplicate idempotency key."})
    with pytest.raises(UnknownOutcome, match="Duplicate idempotency key"):
        adapter.send(ready, key="k")
    wire.get(f"{POSTS}/501").respond(json={"id": "501", "content": "Visite", "media_attachments": [{"id": "9"}]})
    wire.put(f"{POSTS}/501").respond(405, json={"message": "The PUT method is not supported for this route."})
    with pytest.raises(Rejected, match="cannot edit a status"):
        adapter.edit("501", replace(message, media=(picture_at(tmp_path / "a.png"),)))


def test_snac(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    """It knows no new question for the instance nor one for several posts, ignores keys, takes nearly any length."""
    info = checked(adapter, wire, "snac", old=SNAC)
    assert (info.key_window, info.limits["max_characters"], info.limits["max_media"]) == (0, 100000, 8)
    assert info.limits["software"] == "snac"
    message = Outgoing("x" * 20000, "fr", NOW, fields={"warning": "Long"}, limits=info.limits)
    ready = prepared(adapter, message)
    created = {
        "id": "1763886601.123456abcdef",
        "created_at": "2026-11-23T08:30:01.000Z",
        "url": f"{SERVER}/tilleuls/p/1",
    }
    route = wire.post(POSTS).respond(json=created)
    receipt = adapter.send(ready, key="k")
    assert json.loads(route.calls.last.request.content)["spoiler_text"] == "Long"
    wire.get(POSTS).respond(404)
    wire.get(f"{POSTS}/{receipt.remote_id}").respond(json={**created, "favourites_count": 2, "replies_count": 1})
    figures = adapter.post_metrics([receipt.remote_id])
    assert (figures[receipt.remote_id].reactions, figures[receipt.remote_id].shares) == (2, None)
    wire.put(f"{POSTS}/{receipt.remote_id}").respond(404)
    wire.get(f"{POSTS}/{receipt.remote_id}").respond(json=created)
    with pytest.raises(Rejected, match="cannot edit"):
        adapter.edit(receipt.remote_id, message)
    shown = Sighting(receipt.remote_id, None, NOW, "x" * 20000, None, None)
    assert adapter.looks_like(sought(message, ready, "k"), shown)
