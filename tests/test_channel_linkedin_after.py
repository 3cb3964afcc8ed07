"""LinkedIn after sending: what stands there is found again, taken down and corrected."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_linkedin import DATE, MEMBER, MESSAGE, NOW, PAGE, LinkedInServer, context_for, media_at, pretending

from cm.channels.contract import prepared, sent
from cm.channels.linkedin.adapter import LinkedInAdapter
from cm.channels.linkedin.reading import PAGES
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Duplicate,
    Found,
    Media,
    Numbers,
    RateLimited,
    Rejected,
    Retryable,
    Sought,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)
POSTS = "/rest/posts"
WANTED = Sought(MESSAGE.text, MESSAGE.link)
CARD = replace(MESSAGE, fields={"card_title": "Nos offres"})


@pytest.fixture
def server() -> Iterator[LinkedInServer]:
    pretend = LinkedInServer()
    with pretending(pretend):
        yield pretend


@pytest.fixture
def adapter() -> Iterator[LinkedInAdapter]:
    made = LinkedInAdapter(context_for())
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "picture.png")


def post(server: LinkedInServer, number: int, *, minutes: float = 0, **given: Any) -> None:
    """A post that stands there, made so many minutes after NOW."""
    at = int((NOW + timedelta(minutes=minutes)).timestamp() * 1000)
    whole = {"id": f"urn:li:share:{number}", "author": PAGE, "commentary": "Autre chose", "createdAt": at, **given}
    server.posts[f"urn:li:share:{number}"] = whole


# --- finding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrived", [True, False])
def test_a_timeout_is_settled_by_looking(adapter: LinkedInAdapter, server: LinkedInServer, arrived: bool) -> None:
    ready = prepared(adapter, MESSAGE)
    receipt = adapter.send(ready, key="k") if arrived else None
    server.fail_next("POST", POSTS, httpx.ReadTimeout)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    answer = adapter.find(WANTED, since=SINCE)
    if receipt is None:
        assert answer == Absent(authoritative=False)
        return
    assert isinstance(answer, Found)
    assert not answer.certain
    assert [sighting.remote_id for sighting in answer.sightings] == [receipt.remote_id]
    with pytest.raises(Duplicate) as caught:
        adapter.send(ready, key="k")
    assert caught.value.existing == receipt.remote_id


def test_cards_brackets_and_pictures_are_recognised(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media
) -> None:
    hard = replace(
        MESSAGE, text="(H/F) a_b #don_du_sang @[FHF](urn:li:organization:1)", link="https://x.example/?a_b=1"
    )
    messages = [hard, CARD, replace(CARD, text="Autre", media=(picture,)), replace(MESSAGE, media=(picture, picture))]
    names = [sent(adapter, message, f"k{n}").remote_id for n, message in enumerate(messages)]
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [sighting.remote_id for sighting in listing.sightings] == names
    assert [sighting.media for sighting in listing.sightings] == [0, 0, 1, 2]
    for n, message in enumerate(messages):
        wanted = Sought(message.text, message.link, len(message.media))
        assert [adapter.looks_like(wanted, each) for each in listing.sightings] == [n == place for place in range(4)]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({}, 1),
        ({"minutes": -16}, 0),
        ({"author": "urn:li:organization:9"}, 0),
        ({"lifecycleState": "PUBLISH_FAILED"}, 0),
        ({"lifecycleState": "DRAFT"}, 0),
        ({"lifecycleState": "PUBLISH_REQUESTED"}, 1),
        ({"commentary": None}, 1),
        ({"content": {"poll": {"question": "?"}}}, 1),
        ({"content": []}, 1),
    ],
)
def test_which_posts_count(adapter: LinkedInAdapter, server: LinkedInServer, given: dict[str, Any], count: int) -> None:
    post(server, 1, **given)
    assert len(adapter.listing(SINCE).sightings) == count


def test_the_listing_is_read_back_far_enough_and_no_further(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    for number in range(200):
        post(server, number + 1, minutes=number - 199)
    listing = adapter.listing(NOW - timedelta(minutes=60))
    assert listing.complete
    assert [sighting.remote_id for sighting in listing.sightings] == [f"urn:li:share:{n}" for n in range(140, 201)]
    assert [dict(each.url.params)["start"] for each in server.sent("GET", POSTS)] == ["0", "50"]


def test_a_listing_without_end_is_not_complete(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    links = {"links": [{"rel": "next", "href": "https://elsewhere.example/"}]}
    endless = httpx.Response(200, json={"elements": [], "paging": links}, headers=DATE)
    server.fail_next("GET", POSTS, *[endless] * (PAGES + 1))
    assert not adapter.listing(SINCE).complete
    assert len(server.sent("GET", POSTS)) == PAGES
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell | Absent)


@pytest.mark.parametrize("created", [None, "soon", True, 10**20])
def test_a_post_that_cannot_be_read_leaves_the_listing_incomplete(
    adapter: LinkedInAdapter, server: LinkedInServer, created: object
) -> None:
    post(server, 1, createdAt=created)
    assert not adapter.listing(SINCE).complete
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)


def test_who_may_not_read_cannot_tell(server: LinkedInServer) -> None:
    server.may_read = False
    adapter = LinkedInAdapter(context_for(author=MEMBER))
    sent(adapter, MESSAGE, "k")
    answer = adapter.find(WANTED, since=SINCE)
    assert isinstance(answer, CannotTell)
    assert "403" in answer.reason
    assert not adapter.listing(SINCE).complete


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401, json={"status": 401, "code": "EXPIRED_ACCESS_TOKEN"}), AuthFailed),
        (httpx.Response(429, headers=DATE), RateLimited),
        (httpx.Response(500), Retryable),
        (httpx.Response(200, text="<html>"), Retryable),
        (httpx.Response(200, json={"elements": None}), Retryable),
        (httpx.ReadTimeout, Retryable),
    ],
)
def test_a_listing_that_fails(
    adapter: LinkedInAdapter, server: LinkedInServer, answer: Any, kind: type[ChannelError]
) -> None:
    server.fail_next("GET", POSTS, answer, answer)
    for ask in (lambda: adapter.listing(SINCE), lambda: adapter.find(WANTED, since=SINCE)):
        with pytest.raises(kind):
            ask()


def test_a_comment_is_looked_for_under_its_post(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    parent = sent(adapter, MESSAGE, "k").remote_id
    comment = replace(MESSAGE, text="Les offres", role="comment", parent=parent)
    wanted = Sought(comment.text, comment.link, role="comment", parent=parent)
    assert adapter.find(wanted, since=SINCE) == Absent(), "a post without comments answers 404"
    receipt = sent(adapter, comment, "k2")
    stranger = {**server.comments[receipt.remote_id], "actor": "urn:li:person:x", "id": "9"}
    server.comments[f"urn:li:comment:({parent},9)"] = stranger
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, Found)
    assert [(each.remote_id, each.parent) for each in answer.sightings] == [(receipt.remote_id, parent)]
    assert isinstance(adapter.find(replace(wanted, parent=None), since=SINCE), CannotTell)
    assert adapter.find(replace(wanted, text="Autre"), since=SINCE) == Absent()


# --- taking down and correcting ---------------------------------------------------------------------------------------


def test_taking_down_names_the_post(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    adapter.delete(receipt.remote_id)
    (request,) = [each for each in server.requests if each.method == "DELETE"]
    assert request.url.raw_path.decode() == f"/rest/posts/{receipt.remote_id.replace(':', '%3A')}"
    assert request.headers["X-RestLi-Method"] == "DELETE"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(403, json={"status": 403, "code": "ACCESS_DENIED"}), AuthFailed),
        (httpx.Response(429, headers=DATE), RateLimited),
        (httpx.Response(503), UnknownOutcome),
        (httpx.ReadTimeout, UnknownOutcome),
    ],
)
def test_a_taking_down_that_fails(
    adapter: LinkedInAdapter, server: LinkedInServer, answer: Any, kind: type[ChannelError]
) -> None:
    server.fail_next("DELETE", "/rest/posts/urn%3Ali%3Ashare%3A1", answer)
    with pytest.raises(kind):
        adapter.delete("urn:li:share:1")


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_taken_down(adapter: LinkedInAdapter, server: LinkedInServer, status: int) -> None:
    server.fail_next("DELETE", "/rest/posts/urn%3Ali%3Ashare%3A1", httpx.Response(status))
    adapter.delete("urn:li:share:1")


@pytest.mark.parametrize("carded", [True, False])
def test_a_correction_keeps_the_link_where_it_is(
    adapter: LinkedInAdapter, server: LinkedInServer, carded: bool
) -> None:
    """Also after the fields of the post have changed: what stands there counts."""
    receipt = sent(adapter, CARD if carded else MESSAGE, "k")
    adapter.edit(receipt.remote_id, replace(MESSAGE if carded else CARD, text="Corrigé (H/F)"))
    link = "" if carded else f"\n{MESSAGE.link}"
    assert server.text(receipt.remote_id) == f"Corrigé (H/F){link}"


def test_what_linkedin_cannot_change_is_refused(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media
) -> None:
    card = sent(adapter, CARD, "k").remote_id
    pictured = sent(adapter, replace(MESSAGE, media=(picture,)), "k").remote_id
    with pytest.raises(Rejected, match="address that a card leads to") as caught:
        adapter.edit(card, replace(CARD, link="https://hopital.example/autre"))
    assert caught.value.field == "link"
    with pytest.raises(Rejected, match="alt text") as caught:
        adapter.edit(pictured, replace(MESSAGE, media=(replace(picture, alt="Autre"),)))
    assert caught.value.field == "media"
    assert not [each for each in server.requests if each.headers.get("X-RestLi-Method") == "PARTIAL_UPDATE"]


def test_who_may_not_read_corrects_by_the_message_alone(server: LinkedInServer) -> None:
    server.may_read = False
    adapter = LinkedInAdapter(context_for())
    receipt = sent(adapter, CARD, "k")
    adapter.edit(receipt.remote_id, replace(CARD, text="Corrigé"))
    assert server.text(receipt.remote_id) == "Corrigé"


@pytest.mark.parametrize(
    ("answer", "kind"), [(httpx.Response(500), UnknownOutcome), (httpx.ReadTimeout, UnknownOutcome)]
)
def test_a_correction_that_fails(
    adapter: LinkedInAdapter, server: LinkedInServer, answer: Any, kind: type[ChannelError]
) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    server.fail_next("POST", f"/rest/posts/{receipt.remote_id.replace(':', '%3A')}", answer)
    with pytest.raises(kind):
        adapter.edit(receipt.remote_id, MESSAGE)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    name = sent(adapter, MESSAGE, "k").remote_id
    assert adapter.post_metrics([name, "urn:li:share:9"]) == {name: Numbers(reactions=5, comments=3)}
    assert adapter.account_metrics() == Numbers(followers=1234)
    assert LinkedInAdapter(context_for(author=MEMBER)).account_metrics() == Numbers()
