"""YouTube after sending: what stands there is found again, changed, counted and taken down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_youtube import CHANNEL, NOW, OTHER, PretendYouTube, context_for, date, film_at, message_with, pretending

from cm.channels.contract import prepared, sent, sought, stored
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    Found,
    Numbers,
    Outgoing,
    Prepared,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)
from cm.channels.youtube.adapter import YouTubeAdapter
from cm.channels.youtube.reading import looks_like

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def there() -> Iterator[PretendYouTube]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def adapter(there: PretendYouTube, tmp_path: Path) -> Iterator[YouTubeAdapter]:
    made = YouTubeAdapter(context_for(tmp_path))
    yield made
    made.close()


@pytest.fixture
def message(tmp_path: Path) -> Outgoing:
    return message_with(film_at(tmp_path / "a.mp4"))


def comment_on(film: str, text: str = "Prenez rendez-vous :") -> Outgoing:
    return Outgoing(text, "fr", NOW, link="https://example.org/rdv", role="comment", parent=film)


# --- an answer that went missing --------------------------------------------------------------------------------------


def test_an_answer_that_went_missing_is_settled_by_the_films_id(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    there.fail("PUT", "/videos", httpx.ReadTimeout("late"), after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    found = adapter.find(sought(message, ready, "k"), since=SINCE)
    assert isinstance(found, Found)
    assert found.certain
    assert [sighting.remote_id for sighting in found.sightings] == list(there.videos)


def test_a_film_that_is_still_private_was_surely_not_published(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    there.fail("PUT", "/videos", httpx.ReadTimeout("late"))
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert adapter.find(sought(message, ready, "k"), since=SINCE) == Absent(authoritative=True)
    assert adapter.send(ready, key="k").remote_id in there.videos


def test_a_resend_sends_the_very_same_bytes_and_changes_nothing(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    there.fail("PUT", "/videos", httpx.Response(503), after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    (before,) = [dict(each) for each in there.videos.values()]
    adapter.send(stored(ready), key="k")
    one, two = [request for request in there.sent("PUT", "/videos") if request.url.host == "youtube.googleapis.com"]
    assert one.content == two.content
    assert list(there.videos.values()) == [before]


def test_a_film_that_a_person_deleted_is_neither_there_nor_to_be_sent_again(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    there.videos.clear()
    assert isinstance(adapter.find(sought(message, ready, "k"), since=SINCE), CannotTell)
    with pytest.raises(Rejected, match="videoNotFound") as caught:
        adapter.send(ready, key="k")
    assert caught.value.field == "media"


def test_a_film_that_youtube_keeps_private_is_no_success(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    there.stays_private = True
    with pytest.raises(Rejected, match="keeps this film private"):
        sent(adapter, message, "k")


@pytest.mark.parametrize(
    "body", [None, [], {"id": "another"}, {"id": "film0000001"}, {"id": "film0000001", "status": {"privacyStatus": 5}}]
)
def test_an_answer_without_the_film(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing, body: Any
) -> None:
    ready = prepared(adapter, message)
    there.fail("PUT", "/videos", httpx.Response(200, json=body, headers=date(NOW)))
    with pytest.raises(UnknownOutcome, match="without the film"):
        adapter.send(ready, key="k")


# --- comments ---------------------------------------------------------------------------------------------------------


def test_a_first_comment_stands_below_its_film(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    film = sent(adapter, message, "k1")
    receipt = sent(adapter, comment_on(film.remote_id), "k2")
    (comment,) = there.comments.values()
    assert (comment["video"], comment["text"]) == (film.remote_id, "Prenez rendez-vous :\nhttps://example.org/rdv")
    assert receipt.permalink == f"https://www.youtube.com/watch?v={film.remote_id}&lc={receipt.remote_id}"
    assert receipt.published_at == comment["at"]
    adapter.edit(receipt.remote_id, comment_on(film.remote_id, "Corrigé"))
    assert there.comments[receipt.remote_id]["text"].startswith("Corrigé")
    adapter.delete(receipt.remote_id)
    adapter.delete(receipt.remote_id)
    assert there.comments == {}


def test_a_comment_in_doubt_is_looked_for_below_its_film(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    film = sent(adapter, message, "k1").remote_id
    ready = stored(prepared(adapter, comment_on(film)))
    wanted = sought(comment_on(film), ready, "k2")
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=False)
    there.fail("POST", "/commentThreads", httpx.ReadTimeout("late"), after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k2")
    found = adapter.find(wanted, since=SINCE)
    assert isinstance(found, Found)
    assert [sighting.remote_id for sighting in found.sightings] == list(there.comments)
    assert not found.certain
    (comment,) = there.comments.values()
    comment["author"] = OTHER
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=False), "somebody else said the same"
    assert isinstance(adapter.find(replace(wanted, parent=None), since=SINCE), CannotTell)


def test_a_comment_below_a_film_that_is_gone(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    with pytest.raises(Rejected, match="videoNotFound") as caught:
        sent(adapter, comment_on("film0000009"), "k")
    assert caught.value.field == "parent"
    there.fail("POST", "/commentThreads", httpx.Response(200, json={"id": "x/../y"}, headers=date(NOW)))
    with pytest.raises(UnknownOutcome, match="without the comment"):
        adapter.send(prepared(adapter, comment_on("film0000009")), key="k")
    with pytest.raises(Rejected) as caught:
        adapter.prepare(comment_on("UgxHospital000000000000001"), {})
    assert caught.value.field == "parent"


# --- listing ----------------------------------------------------------------------------------------------------------


def test_private_films_are_not_listed_and_many_pages_are_read(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    receipt = sent(adapter, message, "k")
    prepared(adapter, replace(message, text="Jamais publié"))
    for n in range(120):
        there.videos[f"old{n:08}"] = {**there.videos[receipt.remote_id], "id": f"old{n:08}", "published": NOW}
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert len(listing.sightings) == 121
    assert len(there.sent("GET", "/playlistItems")) == 3
    first = listing.sightings[-1]
    assert (first.remote_id, first.media, first.parent) == (receipt.remote_id, 1, None)


def test_a_listing_ends_behind_what_is_older(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    sent(adapter, message, "k")
    later = NOW + timedelta(hours=1)
    for n in range(60):
        there.videos[f"old{n:08}"] = {**there.videos["film0000001"], "id": f"old{n:08}"}
    listing = adapter.listing(later)
    assert (listing.sightings, listing.complete) == ((), True)
    assert len(there.sent("GET", "/playlistItems")) == 1


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"contentDetails": {"videoId": "a/../b"}, "snippet": {"publishedAt": "2026-11-23T08:30:00Z"}},
        {"contentDetails": {"videoId": "film0000001"}, "snippet": {"publishedAt": "yesterday"}},
        {"contentDetails": 5, "snippet": []},
    ],
)
def test_what_cannot_be_read_makes_the_listing_incomplete(
    adapter: YouTubeAdapter, there: PretendYouTube, item: Any
) -> None:
    there.fail("GET", "/playlistItems", httpx.Response(200, json={"items": [item]}))
    assert isinstance(adapter.find(Sought("x"), since=SINCE), CannotTell)


def test_a_listing_that_never_ends(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    for _n in range(40):
        there.fail("GET", "/playlistItems", httpx.Response(200, json={"items": [], "nextPageToken": "again"}))
    assert not adapter.listing(SINCE).complete
    for body in ([], {"items": {}}, "x"):
        there.fail("GET", "/playlistItems", httpx.Response(200, json=body))
        with pytest.raises(Retryable, match="another shape"):
            adapter.listing(SINCE)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_text_looks_like_itself_and_like_no_longer_one(text: str) -> None:
    there = Sighting("1", None, NOW, text, None, 1)
    assert looks_like(Sought(text, media=1), there)
    assert not looks_like(Sought(text, media=0), there)
    assert not looks_like(Sought(f"{text} never sent", media=1), there)


# --- changing and taking down -----------------------------------------------------------------------------------------


def test_an_edit_keeps_what_it_does_not_change(there: PretendYouTube, tmp_path: Path, message: Outgoing) -> None:
    adapter = YouTubeAdapter(context_for(tmp_path, tags=["don"], category="27"))
    film = sent(adapter, message, "k").remote_id
    there.videos[film]["snippet"]["tags"] = ["added", "by hand"]
    there.videos[film]["snippet"]["thumbnails"] = {"default": {"url": "https://i.example/x.jpg"}}
    status = dict(there.videos[film]["status"])
    adapter.edit(film, replace(message, text="Corrigé", link=None, fields={"title": "Nouveau titre"}))
    snippet = there.videos[film]["snippet"]
    assert (snippet["title"], snippet["description"]) == ("Nouveau titre", "Corrigé")
    assert (snippet["tags"], snippet["categoryId"], snippet["defaultLanguage"]) == (["added", "by hand"], "27", "fr")
    assert there.videos[film]["status"] == status
    with pytest.raises(Rejected, match="neither < nor >"):
        adapter.edit(film, replace(message, text="a < b"))


def test_what_is_not_there_is_taken_down_if_the_login_is_ours(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    adapter.delete("film0000009")
    assert len(there.sent("GET", "/channels")) == 1
    there.channels = [OTHER]
    with pytest.raises(AuthFailed, match=f"the channel is {CHANNEL}"):
        adapter.delete("film0000009")


def test_an_id_that_leads_elsewhere(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    for remote_id in ("", "a,b", "..", "film 1", "１２"):
        with pytest.raises(Rejected, match="is no id of a film"):
            adapter.delete(remote_id)
        with pytest.raises(Rejected, match="is no id of a film"):
            adapter.edit(remote_id, message)
    assert there.requests == []


# --- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("S13")
def test_views_are_counted(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    films = [sent(adapter, replace(message, text=f"Film {n}"), f"k{n}").remote_id for n in range(2)]
    numbers = adapter.post_metrics([*films, "gone0000001", "UgxHospital000000000000001"])
    assert numbers == {film: Numbers(views=2000, reactions=12, comments=3) for film in films}
    assert sum(each.views or 0 for each in numbers.values()) == 4000
    assert adapter.account_metrics() == Numbers(followers=1230)
    hidden = {"items": [{"id": CHANNEL, "statistics": {"hiddenSubscriberCount": True, "subscriberCount": "0"}}]}
    there.fail("GET", "/channels", httpx.Response(200, json=hidden))
    assert adapter.account_metrics() == Numbers()


@pytest.mark.parametrize("value", [None, 5, "-1", "1e3", "٣", "9" * 30, {}])
def test_what_is_no_number_is_unknown(adapter: YouTubeAdapter, there: PretendYouTube, value: Any) -> None:
    told = {"items": [{"id": "film0000001", "statistics": {"viewCount": value}}]}
    there.fail("GET", "/videos", httpx.Response(200, json=told))
    assert adapter.post_metrics(["film0000001"]) == {"film0000001": Numbers()}


def test_more_films_than_one_question_takes(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    adapter.post_metrics([f"film{n:07}" for n in range(120)])
    assert [len(each.url.params["id"].split(",")) for each in there.sent("GET", "/videos")] == [50, 50, 20]


def test_a_prepared_comment_is_whole(adapter: YouTubeAdapter) -> None:
    ready = adapter.prepare(comment_on("film0000001"), {})
    assert isinstance(ready, Prepared)
    assert ready.body["comment"]["snippet"]["channelId"] == CHANNEL
