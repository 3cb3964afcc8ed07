"""X after sending: what stands there is found again and taken down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_x import DUPLICATE, MESSAGE, NOW, OAUTH2, PretendX, context_for, media_at, pretending

from cm.channels.contract import prepared, put, sent
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    Duplicate,
    Found,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)
from cm.channels.x.adapter import XAdapter
from cm.channels.x.reading import looks_like, made_at, plain

SINCE = NOW - timedelta(minutes=15)
WANTED = Sought(MESSAGE.text, MESSAGE.link)
TIMELINE = ("GET", "/2/users/7007/tweets")


@pytest.fixture
def there() -> Iterator[PretendX]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def adapter(there: PretendX, tmp_path: Path) -> Iterator[XAdapter]:
    made = XAdapter(context_for(tmp_path, OAUTH2))
    yield made
    made.close()


def test_an_answer_that_went_missing_is_settled(adapter: XAdapter, there: PretendX) -> None:
    ready = prepared(adapter, MESSAGE)
    there.answers, there.after_the_fact = [httpx.ReadTimeout("late")], True
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    found = adapter.find(WANTED, since=SINCE)
    assert isinstance(found, Found)
    assert [sighting.remote_id for sighting in found.sightings] == list(there.posts)
    assert not found.certain
    with pytest.raises(Duplicate):
        adapter.send(ready, key="k")
    assert len(there.posts) == 1


def test_what_never_arrived_is_absent_and_not_surely(adapter: XAdapter, there: PretendX) -> None:
    ready = prepared(adapter, MESSAGE)
    there.answers = [httpx.ReadTimeout("late")]
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert adapter.find(WANTED, since=SINCE) == Absent(authoritative=False)


@pytest.mark.parametrize("new_names", [False, True])
def test_addresses_media_and_parents_are_read_back(
    adapter: XAdapter, there: PretendX, tmp_path: Path, new_names: bool
) -> None:
    text = "Où ? example.com & < 5 min > https://example.org/x?y=1&z=2 fin"
    media = tuple(media_at(tmp_path / f"{n}.png", bytes([n])) for n in range(2))
    first = sent(adapter, replace(MESSAGE, text=text, media=media), "k1")
    second = sent(adapter, replace(MESSAGE, text="2/2", link=None, parent=first.remote_id), "k2")
    there.new_names = new_names
    one, two = adapter.listing(SINCE).sightings
    assert (
        one.text == "Où ? http://example.com/ & < 5 min > https://example.org/x?y=1&z=2 fin\nhttps://example.org/dons"
    )
    assert (one.media, one.parent, one.published_at) == (2, None, first.published_at)
    assert (two.media, two.parent, two.permalink) == (0, first.remote_id, second.permalink)
    wanted = Sought(text, MESSAGE.link, media=2)
    assert adapter.looks_like(wanted, one)
    assert not adapter.looks_like(replace(wanted, media=1), one)
    assert not adapter.looks_like(replace(wanted, parent="1"), one)


def test_many_pages_are_read(adapter: XAdapter, there: PretendX) -> None:
    for n in range(203):
        sent(adapter, replace(MESSAGE, text=f"Message {n}", link=None), f"k{n}")
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [sighting.text for sighting in listing.sightings] == [f"Message {n}" for n in range(203)]
    assert len(there.sent(*TIMELINE)) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "1", "text": 5}], "meta": {}},
        {"data": ["nonsense"], "meta": {}},
        {"data": [{"id": "x/../y", "text": "a"}], "meta": {}},
        {"meta": {}, "errors": [{"title": "Not Found Error"}]},
    ],
)
def test_what_cannot_be_read_makes_the_listing_incomplete(adapter: XAdapter, there: PretendX, body: Any) -> None:
    there.faulty, there.answers = TIMELINE, [httpx.Response(200, json=body)]
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)


def test_a_timeline_that_never_ends(adapter: XAdapter, there: PretendX) -> None:
    there.faulty, same = TIMELINE, {"data": [], "meta": {"next_token": "again"}}
    there.answers = [httpx.Response(200, json=same), httpx.Response(200, json=same)]
    assert not adapter.listing(SINCE).complete
    there.answers = [httpx.Response(200, json={"data": {"id": "1"}})]
    with pytest.raises(Retryable, match="another shape"):
        adapter.listing(SINCE)


def test_a_repost_is_not_ours_and_a_long_post_is_read_whole(adapter: XAdapter, there: PretendX) -> None:
    long = {
        "text": "Long & https://t.co/a",
        "entities": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://b.fr/c"}]},
    }
    body = {
        "data": [
            {"id": "9", "text": "RT @x: y", "referenced_tweets": [{"type": "retweeted", "id": "8"}]},
            {"id": str(2**62), "text": "Long…", "note_tweet": long},
        ],
        "meta": {},
    }
    there.faulty, there.answers = TIMELINE, [httpx.Response(200, json=body)]
    listing = adapter.listing(SINCE)
    assert listing.complete
    (sighting,) = listing.sightings
    assert (sighting.text, sighting.published_at) == ("Long & https://b.fr/c", made_at(str(2**62)))


def test_ids_tell_the_time() -> None:
    assert (
        made_at("1346889436626259968").isoformat(timespec="seconds") == "2021-01-06T18:40:40+00:00"
    )  # of X's documentation


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = ("text", "entities", "urls", "url", "expanded_url", "note_tweet", "media_key")
    return st.dictionaries(st.sampled_from(names), inner)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | _objects(inner))
)
def test_hostile_posts_are_read_without_a_fault(post: Any) -> None:
    assert isinstance(plain(post if isinstance(post, dict) else {"text": post}), str)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_text_looks_like_itself_and_like_no_longer_one(text: str) -> None:
    there = Sighting("1", None, NOW, text, None, 0)
    assert looks_like(Sought(text), there)
    assert not looks_like(Sought(f"{text} never sent"), there)


# --- taking down ------------------------------------------------------------------------------------------------------


def test_what_is_not_there_any_more_is_taken_down(adapter: XAdapter, there: PretendX) -> None:
    kind = "https://api.x.com/2/problems/resource-not-found"
    gone = {
        "errors": [
            {"type": kind, "title": "Not Found Error", "detail": "Could not find tweet", "resource_type": "tweet"}
        ]
    }
    there.faulty = ("DELETE", "/2/tweets/12")
    for status in (200, 404):
        there.answers = [httpx.Response(status, json=gone)]
        adapter.delete("12")
    assert len(there.sent("GET", "/2/users/me")) == 2, "it is made sure that the token is still this account's"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"data": {"deleted": False}}), UnknownOutcome),
        (httpx.Response(200, json=[]), UnknownOutcome),
        (httpx.Response(403, json={"detail": "You are not authorized to delete this Tweet."}), AuthFailed),
        (httpx.Response(503), UnknownOutcome),
        (httpx.ReadTimeout("late"), UnknownOutcome),
        (httpx.Response(403, json=DUPLICATE), Duplicate),
    ],
)
def test_trouble_while_taking_down(adapter: XAdapter, there: PretendX, answer: Any, kind: type[Exception]) -> None:
    _ready, receipt = put(adapter, MESSAGE, "k")
    there.faulty, there.answers = ("DELETE", f"/2/tweets/{receipt.remote_id}"), [answer]
    with pytest.raises(kind):
        adapter.delete(receipt.remote_id)
    adapter.delete(receipt.remote_id)
    assert there.posts == {}


def test_an_id_that_leads_elsewhere(adapter: XAdapter, there: PretendX) -> None:
    for remote_id in ("", "1/hidden", "..", "１２"):
        with pytest.raises(Rejected, match="is no id of a post"):
            adapter.delete(remote_id)
    assert there.requests == []
