"""Facebook: films in their sessions, and what stands on the Page afterwards."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from support_facebook import MESSAGE, FacebookServer, facebook_context
from support_mastodon import picture_at
from support_meta import GONE, NOW, PAGE, TOKEN, pairs, refusal

from cm.channels.contract import put, sent, sought, stored
from cm.channels.facebook.adapter import FacebookAdapter
from cm.channels.facebook.reading import card
from cm.channels.meta import GLANCE, PAGES
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    Duplicate,
    Found,
    Media,
    Numbers,
    Outgoing,
    Pending,
    Prepared,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)
FILM = b"0123456789" * 100


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
def film(tmp_path: Path) -> Outgoing:
    path = tmp_path / "film.mp4"
    path.write_bytes(FILM)
    media = Media(path, "video/mp4", hashlib.sha256(FILM).hexdigest())
    return replace(MESSAGE, media=(media,), fields={"title": "Le don en une minute"})


def through(answer: Prepared | Pending) -> dict[str, Any]:
    """What a pending film leaves, after a stay in the database."""
    assert isinstance(answer, Pending)
    saved: dict[str, Any] = json.loads(json.dumps(answer.saved))
    return saved


# --- films ------------------------------------------------------------------------------------------------------------


def test_a_film_is_waited_for_across_runs_and_finished_by_one_call(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    server.film = ["in_progress", "in_progress", "in_progress", "complete"]
    first = adapter.prepare(film, {})
    assert isinstance(first, Pending)
    assert first.not_before > NOW + timedelta(seconds=20)
    second = FacebookAdapter(facebook_context()).prepare(film, through(first))
    ready = adapter.prepare(film, through(second))
    assert isinstance(ready, Prepared)
    (video,) = server.videos.values()
    assert (video["bytes"], video["publishing"]) == (FILM, "not_started")
    receipt = adapter.send(stored(ready), key="k")
    assert (video["publishing"], video["title"]) == ("complete", "Le don en une minute")
    assert video["description"] == f"{MESSAGE.text}\n{MESSAGE.link}"
    assert receipt.remote_id in server.videos
    assert receipt.permalink == f"https://www.facebook.com/reel/{receipt.remote_id}/"
    assert [r.method for r in server.requests if r.url.path.endswith("/video_reels")] == ["POST", "POST"]


@pytest.mark.parametrize("working", ["complete", "not_started"])
def test_a_film_nobody_works_on_is_ready(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing, working: str
) -> None:
    server.film = [working]
    assert isinstance(adapter.prepare(film, {}), Prepared)


def test_a_film_that_cannot_be_used(adapter: FacebookAdapter, server: FacebookServer, film: Outgoing) -> None:
    server.film = ["error"]
    with pytest.raises(Rejected, match=r"cannot use this film. Too short.") as caught:
        adapter.prepare(film, {})
    assert caught.value.field == "media"


def test_an_upload_cut_off_goes_on_where_it_was(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    server.fail_next("POST /video-upload", httpx.ReadError)
    with pytest.raises(Retryable) as caught:
        adapter.prepare(film, {})
    (video,) = server.videos.values()
    video["bytes"] = FILM[:400]
    assert caught.value.saved is not None
    ready = adapter.prepare(film, json.loads(json.dumps(caught.value.saved)))
    assert isinstance(ready, Prepared)
    assert list(server.videos.values()) == [video]
    assert video["bytes"] == FILM
    assert server.requests[-2].headers["offset"] == "400"


def test_a_film_that_facebook_lost_is_uploaded_anew(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    server.film = ["in_progress", "complete"]
    saved = through(adapter.prepare(film, {}))
    server.videos.clear()
    with pytest.raises(Retryable, match="anew") as caught:
        adapter.prepare(film, saved)
    assert caught.value.saved == {"media": [{}]}
    assert isinstance(adapter.prepare(film, caught.value.saved), Prepared)
    assert len(server.videos) == 1


@pytest.mark.parametrize("url", ["https://evil.example/video-upload/1", "http://[", "", "https://rupload.facebook.com"])
def test_the_token_goes_to_no_other_host(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing, url: str
) -> None:
    server.fail_next("POST .*/video_reels", httpx.Response(200, json={"video_id": "7", "upload_url": url}))
    with pytest.raises(Retryable, match="not its own"):
        adapter.prepare(film, {})
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"success": False}, Retryable),
        ({"debug_info": {"retriable": False, "type": "ProcessingFailedError", "message": "Bad file"}}, Rejected),
        ({"debug_info": {"retriable": True, "type": "X", "message": "Again"}}, Retryable),
    ],
)
def test_what_the_host_of_uploads_may_say(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing, answer: Any, kind: type[Exception]
) -> None:
    server.fail_next("POST /video-upload", httpx.Response(400 if "debug_info" in answer else 200, json=answer))
    with pytest.raises(kind):
        adapter.prepare(film, {})


def test_the_address_of_an_upload_is_forgotten_when_all_is_there_and_never_shown(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    there = "https://rupload.facebook.com/video-upload/v26.0/17890000000000009?key=canary-key-of-an-upload"
    server.fail_next("POST .*/video_reels", httpx.Response(200, json={"video_id": "7788", "upload_url": there}))
    said = f"{there} (canary-key-of-an-upload) is busy"
    server.fail_next("POST /video-upload", httpx.Response(400, json={"error": {"message": said, "code": 2}}))
    with pytest.raises(Retryable, match=r"\(…\) is busy") as caught:
        adapter.prepare(film, {})
    assert "canary" not in caught.value.reason
    assert (caught.value.saved or {})["media"][0]["url"] == there
    server.fail_next("POST /video-upload", httpx.Response(400, json={"message": said}))
    server.fail_next("POST .*/video_reels", httpx.Response(200, json={"video_id": "7788", "upload_url": there}))
    with pytest.raises(Rejected) as plain:
        adapter.prepare(film, {})
    assert "canary" not in plain.value.reason
    server.film = ["in_progress"]
    waiting = adapter.prepare(film, {})
    saved = through(waiting)
    (entry,) = saved["media"]
    assert "url" not in entry
    assert "rupload" not in repr(waiting)
    older = {"media": [{**entry, "url": there}]}
    assert "url" not in through(adapter.prepare(film, older))["media"][0]


def test_a_sent_reel_is_looked_at_for_seconds_only(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    ready = stored_film(adapter, film)
    server.fail_next("GET", httpx.ReadTimeout)
    receipt = adapter.send(ready, key="k")
    assert receipt.permalink == f"https://www.facebook.com/reel/{receipt.remote_id}"
    finish, look = server.requests[-2:]
    assert (finish.method, look.method) == ("POST", "GET")
    assert finish.extensions["timeout"]["read"] == 60
    assert look.extensions["timeout"]["read"] == GLANCE


def test_an_old_reel_in_place_of_the_new_one_is_noticed(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    ready = stored_film(adapter, film)
    (video,) = server.videos.values()
    video["created_time"] = "2026-11-01T08:00:00+0000"
    with pytest.raises(Duplicate, match="has published nothing new") as caught:
        adapter.send(ready, key="k")
    assert caught.value.existing in server.videos
    assert isinstance(adapter.find(sought(film, ready, "k"), since=SINCE), CannotTell)


def test_a_reel_that_cannot_be_looked_at_is_published_all_the_same(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    ready = stored_film(adapter, film)
    server.fail_next("GET", refusal(2, status=500))
    receipt = adapter.send(ready, key="k")
    assert receipt.permalink == f"https://www.facebook.com/reel/{receipt.remote_id}"
    server.fail_next("POST", httpx.Response(200, json={"success": False}, headers={"Date": "x"}))
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")


def test_a_reel_in_doubt_is_asked_for_by_its_video(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    ready = stored_film(adapter, film)
    wanted = sought(film, ready, "k")
    server.fail_next("POST .*/video_reels", httpx.ReadTimeout)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=True)
    server.film = ["in_progress"]
    assert isinstance(adapter.find(wanted, since=SINCE), CannotTell)
    server.film = ["complete"]
    server.fail_next("POST .*/video_reels", httpx.ReadTimeout, after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, Found)
    assert answer.certain
    assert [sighting.remote_id for sighting in answer.sightings] == list(server.videos)
    assert adapter.looks_like(wanted, answer.sightings[0])
    adapter.delete(answer.sightings[0].remote_id)
    assert isinstance(adapter.find(wanted, since=SINCE), CannotTell), "it arrived, and is not to be sent again"


def stored_film(adapter: FacebookAdapter, film: Outgoing) -> Prepared:
    ready = adapter.prepare(film, {})
    assert isinstance(ready, Prepared)
    return stored(ready)


def test_reels_are_listed_corrected_and_taken_down(
    adapter: FacebookAdapter, server: FacebookServer, film: Outgoing
) -> None:
    receipt = adapter.send(stored_film(adapter, film), key="k1")
    post = sent(adapter, MESSAGE, "k2")
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [each.remote_id for each in listing.sightings] == [receipt.remote_id, post.remote_id]
    assert [each.media for each in listing.sightings] == [1, 0]
    adapter.edit(receipt.remote_id, replace(film, text="Corrigé", link=None))
    assert server.videos[receipt.remote_id]["description"] == "Corrigé"
    adapter.delete(receipt.remote_id)
    assert not server.videos


# --- what stands there ------------------------------------------------------------------------------------------------


def test_a_listing_goes_back_over_many_pages_and_its_addresses_hold_no_token(
    adapter: FacebookAdapter, server: FacebookServer
) -> None:
    server.page_size = 2
    receipts = [sent(adapter, replace(MESSAGE, text=f"Message {n}"), f"k{n}") for n in range(5)]
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [each.remote_id for each in listing.sightings] == [receipt.remote_id for receipt in receipts]
    asked = [request for request in server.requests if request.url.path.endswith("/published_posts")]
    assert [pairs(request).get("after") for request in asked] == [None, "2", "4"]
    assert all(TOKEN not in str(request.url) for request in asked)
    later = adapter.listing(receipts[4].published_at)
    assert [each.remote_id for each in later.sightings] == [receipts[4].remote_id]


def test_a_listing_that_does_not_end_is_not_complete(adapter: FacebookAdapter, server: FacebookServer) -> None:
    server.page_size = 1
    for n in range(PAGES + 1):
        sent(adapter, replace(MESSAGE, text=f"Message {n}"), f"k{n}")
    listing = adapter.listing(SINCE)
    assert not listing.complete
    assert len(listing.sightings) == PAGES
    assert isinstance(adapter.find(Sought("Message 0", MESSAGE.link), since=SINCE), CannotTell)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_photos_are_counted_in_albums_too(
    adapter: FacebookAdapter, server: FacebookServer, tmp_path: Path, count: int
) -> None:
    pictures = tuple(picture_at(tmp_path / f"{n}.png") for n in range(count))
    message = replace(MESSAGE, media=pictures)
    ready, receipt = put(adapter, message, "k")
    found = adapter.find(sought(message, ready, "k"), since=SINCE)
    assert isinstance(found, Found)
    assert [(each.remote_id, each.media) for each in found.sightings] == [(receipt.remote_id, count)]
    assert not isinstance(adapter.find(sought(MESSAGE, None, None), since=SINCE), Found)


def test_the_same_words_with_another_card_are_another_post(adapter: FacebookAdapter, server: FacebookServer) -> None:
    sent(adapter, MESSAGE, "k")
    other = replace(MESSAGE, link="https://hopital.example/autre")
    assert isinstance(adapter.find(sought(other, None, None), since=SINCE), Absent)


@pytest.mark.parametrize(
    "url",
    [
        "https://hopital.example/dons?a=1&b=é",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fhopital.example%2Fdons%3Fa%3D1%26b%3D%25C3%25A9&h=x",
    ],
)
def test_a_cards_address_is_unwrapped(url: str) -> None:
    told = card([{"media_type": "link", "url": url}])
    assert told in ("https://hopital.example/dons?a=1&b=é", "https://hopital.example/dons?a=1&b=%C3%A9")
    assert card([{"media_type": "photo", "url": url}]) is None


@given(st.text(), st.one_of(st.none(), st.text()))
def test_a_post_looks_like_itself_and_like_no_other(text: str, link: str | None) -> None:
    made = FacebookAdapter(facebook_context())
    shown = Sighting(
        "1_2", None, NOW, text if not link or link in text else f"{text}\n{link}" if text else link, None, 0
    )
    assert made.looks_like(Sought(text, link), shown)
    assert not made.looks_like(Sought(f"{text} encore", link), shown)
    assert not made.looks_like(Sought(text, link, media=1), shown)


# --- taking down and correcting ---------------------------------------------------------------------------------------


def test_a_post_that_is_gone_for_another_page_is_no_success(adapter: FacebookAdapter, server: FacebookServer) -> None:
    server.me = {"id": "77", "name": "Autre Page"}
    with pytest.raises(AuthFailed, match=f"Autre Page, not of the Page {PAGE}"):
        adapter.delete(f"{PAGE}_1")


def test_deleting_whose_answer_is_lost_is_unknown(adapter: FacebookAdapter, server: FacebookServer) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    server.fail_next("DELETE", httpx.ReadTimeout, after=True)
    with pytest.raises(UnknownOutcome):
        adapter.delete(receipt.remote_id)
    adapter.delete(receipt.remote_id)
    assert not server.posts


def test_a_correction_keeps_the_card_or_puts_another_link_into_the_text(
    adapter: FacebookAdapter, server: FacebookServer
) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    adapter.edit(receipt.remote_id, replace(MESSAGE, text="Corrigé"))
    assert server.posts[receipt.remote_id]["message"] == "Corrigé"
    adapter.edit(receipt.remote_id, replace(MESSAGE, text="Corrigé", link="https://hopital.example/autre"))
    assert server.posts[receipt.remote_id]["message"] == "Corrigé\nhttps://hopital.example/autre"


def test_a_pictures_description_cannot_be_corrected(
    adapter: FacebookAdapter, server: FacebookServer, tmp_path: Path
) -> None:
    picture = picture_at(tmp_path / "a.png")
    receipt = sent(adapter, replace(MESSAGE, media=(picture,)), "k")
    with pytest.raises(Rejected, match="description afterwards") as caught:
        adapter.edit(receipt.remote_id, replace(MESSAGE, text="Corrigé", media=(replace(picture, alt="Autre"),)))
    assert caught.value.field == "media"
    assert server.posts[receipt.remote_id]["message"].startswith(MESSAGE.text)


def test_a_post_of_another_app_cannot_be_corrected(adapter: FacebookAdapter, server: FacebookServer) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    server.fail_next("POST", refusal(100, 33, message=GONE))
    with pytest.raises(Rejected, match="does not exist"):
        adapter.edit(receipt.remote_id, MESSAGE)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_posts_reels_and_the_page(adapter: FacebookAdapter, server: FacebookServer, film: Outgoing) -> None:
    post, reel = sent(adapter, MESSAGE, "k1").remote_id, adapter.send(stored_film(adapter, film), key="k2").remote_id
    assert adapter.post_metrics([post, f"{PAGE}_1", "1"]) == {post: Numbers(reactions=7, shares=2)}
    server.counts = {"views": 99, "likes": {"summary": {"total_count": 4}}, "comments": {"summary": []}}
    assert adapter.post_metrics([reel]) == {reel: Numbers(reactions=4, views=99)}
    assert adapter.account_metrics() == Numbers(followers=1234)
