"""Instagram: publishing a container, and what stands on the account afterwards."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support_instagram import TEXT, InstagramServer, file_at, instagram_context
from support_meta import GONE, LOGIN, NOW, TOKEN, refusal

from cm.channels.contract import prepared, put, sent, sought, stored
from cm.channels.instagram.adapter import InstagramAdapter
from cm.channels.meta import GLANCE
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Duplicate,
    Found,
    Media,
    Numbers,
    Outgoing,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def picture_there(tmp_path: Path) -> Media:
    return file_at(tmp_path / "media" / "été" / "don 1.jpg", alt="Une infirmière sourit.")


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


# --- sending ----------------------------------------------------------------------------------------------------------


def test_one_call_publishes_and_a_resend_sends_the_very_same_bytes(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    server.fail_next("POST .*/media_publish", refusal(80002))
    with pytest.raises(RateLimited):
        adapter.send(ready, key="k")
    adapter.send(stored(ready), key="k")
    one, two = (request for request in server.requests if request.url.path.endswith("/media_publish"))
    assert one.content == two.content
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "field", "said"),
    [
        (refusal(-2, 2207003), Retryable, None, None),
        (refusal(24, 2207008), Retryable, None, None),
        (refusal(-2, 2207020), Retryable, None, None),
        (refusal(24, 2207006), Retryable, None, None),
        (refusal(9007, 2207027), Retryable, None, None),
        (refusal(-1, 2207001), Retryable, None, None),
        (refusal(-1, 2207032), Retryable, None, None),
        (refusal(-1, 2207053), Retryable, None, None),
        (refusal(9007, 2207027, status=500), UnknownOutcome, None, None),
        (refusal(-2, 2207020, status=500), UnknownOutcome, None, None),
        (refusal(24, 2207008, status=503), UnknownOutcome, None, None),
        (refusal(100, 33, status=500, message=GONE), UnknownOutcome, None, None),
        (refusal(36003, 2207009, status=500), UnknownOutcome, None, None),
        (refusal(190, 463, status=500), UnknownOutcome, None, None),
        (refusal(1, 2207057), Rejected, "media", None),
        (refusal(1, status=500), UnknownOutcome, None, None),
        (refusal(4, 2207051), AuthFailed, None, "for spam"),
        (refusal(368), AuthFailed, None, "blocked"),
        (refusal(25, 2207050), AuthFailed, None, "restricted"),
        (refusal(190, 463), AuthFailed, None, "expired"),
        (refusal(10, status=403), AuthFailed, None, "right is missing"),
        (refusal(9, 2207042), RateLimited, None, None),
        (refusal(4), RateLimited, None, None),
        (refusal(80002), RateLimited, None, None),
        (httpx.Response(429, headers={"Retry-After": "9"}), RateLimited, None, "429"),
        (refusal(9004, 2207052), Rejected, "media", "reachable from outside"),
        (refusal(36000, 2207004), Rejected, "media", "8 MB"),
        (refusal(36001, 2207005), Rejected, "media", "JPEG"),
        (refusal(36003, 2207009), Rejected, "media", "0.8"),
        (refusal(352, 2207026), Rejected, "media", "video"),
        (refusal(36004, 2207010), Rejected, "text", "too long"),
        (refusal(100, 2207028), Rejected, "media", "2 to 10"),
        (refusal(100, 2207023), Rejected, "media", None),
        (refusal(100, 2207081), Rejected, None, None),
        (refusal(100, 2207082), Rejected, "media", None),
        (refusal(100, 2207085), Rejected, "media", None),
        (httpx.Response(502, text="<html>"), UnknownOutcome, None, None),
        (httpx.Response(200, text="<html>"), UnknownOutcome, None, "cannot be read"),
        (httpx.Response(200, json={}), UnknownOutcome, None, "without the new post"),
        (httpx.ReadTimeout, UnknownOutcome, None, "did not answer"),
        (httpx.ConnectError, Retryable, None, "cannot be reached"),
    ],
)
def test_what_publishing_may_meet(
    adapter: InstagramAdapter,
    server: InstagramServer,
    message: Outgoing,
    answer: Any,
    kind: type[ChannelError],
    field: str | None,
    said: str | None,
) -> None:
    ready = prepared(adapter, message)
    before = len(server.requests)
    server.fail_next("POST .*/media_publish", answer)
    with pytest.raises(kind, match=said) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "field", None) == field
    assert [request.method for request in server.requests[before:]] == ["POST", "GET"][: 2 if kind is Retryable else 1]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("FINISHED", Retryable),
        ("IN_PROGRESS", Retryable),
        ("EXPIRED", Retryable),
        ("PUBLISHED", UnknownOutcome),
        ("ERROR", UnknownOutcome),
        ("", UnknownOutcome),
        ("gone", UnknownOutcome),
    ],
)
def test_a_container_said_to_be_gone_is_asked_after(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, state: str, kind: type[ChannelError]
) -> None:
    ready = stored(prepared(adapter, message))
    (container,) = server.containers.values()
    container["states"] = [state]
    if state == "gone":
        server.containers.clear()
    server.fail_next("POST .*/media_publish", refusal(100, 33, message=GONE))
    with pytest.raises(kind, match="does not exist") as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert [request.method for request in server.requests[-2:]] == ["POST", "GET"]


@pytest.mark.parametrize("answer", [refusal(9007, 2207027), refusal(1), refusal(80002), httpx.ConnectError])
def test_what_was_refused_goes_on_with_the_same_container(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, answer: Any
) -> None:
    ready = stored(prepared(adapter, message))
    server.fail_next("POST .*/media_publish", answer)
    with pytest.raises((Retryable, RateLimited)) as caught:
        adapter.send(ready, key="k")
    kept = json.loads(json.dumps(caught.value.saved))
    again = adapter.prepare(message, kept)
    assert isinstance(again, Prepared)
    assert again.body["params"] == ready.body["params"]
    assert len(server.containers) == 1
    next(iter(server.containers.values()))["states"] = ["PUBLISHED"]
    with pytest.raises(Duplicate, match="published this already"):
        adapter.prepare(message, kept)
    assert len(server.containers) == 1, "no second container beside one that was published"


def test_a_refusal_of_what_was_published_all_the_same_is_no_refusal(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    server.fail_next("POST .*/media_publish", refusal(1), after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert server.requests[-1].extensions["timeout"]["read"] == GLANCE
    assert isinstance(adapter.find(sought(message, ready, "k"), since=SINCE), Found)


def test_a_container_that_is_refused_again_and_again_is_replaced(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    kept: dict[str, Any] = {}
    for _n in range(2):
        ready = adapter.prepare(message, kept)
        assert isinstance(ready, Prepared)
        server.fail_next("POST .*/media_publish", refusal(24, 2207008))
        with pytest.raises(Retryable) as caught:
            adapter.send(stored(ready), key="k")
        kept = json.loads(json.dumps(caught.value.saved))
    assert len(server.containers) == 1
    last = adapter.prepare(message, kept)
    assert isinstance(last, Prepared)
    adapter.send(stored(last), key="k")
    assert len(server.containers) == 2
    assert len(server.posts) == 1


def test_nothing_is_asked_once_a_post_is_published(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    before = len(server.requests)
    receipt = adapter.send(ready, key="k")
    assert (receipt.remote_id in server.posts, receipt.permalink) == (True, None)
    assert len(server.requests) == before + 1


def test_a_first_comment_stands_under_the_post_and_is_found(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    post = sent(adapter, message, "k1")
    comment = replace(message, text="Rendez-vous :", media=(), role="comment", parent=post.remote_id)
    ready, receipt = put(adapter, comment, "k2")
    assert server.comments[receipt.remote_id]["text"] == f"Rendez-vous :\n{TEXT.link}"
    wanted = sought(comment, ready, "k2")
    found = adapter.find(wanted, since=SINCE)
    assert isinstance(found, Found)
    assert [each.remote_id for each in found.sightings] == [receipt.remote_id]
    server.comments[receipt.remote_id]["username"] = "somebody"
    assert isinstance(adapter.find(wanted, since=SINCE), Absent)
    assert isinstance(adapter.find(replace(wanted, parent=None), since=SINCE), CannotTell)
    assert isinstance(adapter.find(replace(wanted, parent="12345"), since=SINCE), CannotTell)
    with pytest.raises(Rejected) as caught:
        sent(adapter, replace(comment, parent="12345"), "k3")
    assert caught.value.field == "parent"


# --- finding and taking down ------------------------------------------------------------------------------------------


def test_what_was_sent_in_doubt_is_settled_by_its_container(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    ready = stored(prepared(adapter, message))
    wanted = sought(message, ready, "k")
    server.fail_next("POST .*/media_publish", httpx.ReadTimeout)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=True)
    server.fail_next("POST .*/media_publish", httpx.ReadTimeout, after=True)
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, Found)
    assert [each.remote_id for each in answer.sightings] == list(server.posts)
    adapter.delete(answer.sightings[0].remote_id)
    assert isinstance(adapter.find(wanted, since=SINCE), CannotTell), "it arrived, and is not to be sent again"


@pytest.mark.parametrize(
    ("state", "answer"),
    [("EXPIRED", Absent(authoritative=True)), ("IN_PROGRESS", None), ("ERROR", None), ("", None), ("gone", None)],
)
def test_what_other_containers_tell(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing, state: str, answer: Absent | None
) -> None:
    ready = prepared(adapter, message)
    (container,) = server.containers.values()
    container["states"] = [state]
    if state == "gone":
        server.containers.clear()
    told = adapter.find(sought(message, ready, "k"), since=SINCE)
    assert told == answer if answer else isinstance(told, CannotTell)


def test_a_listing_goes_back_over_many_pages(
    adapter: InstagramAdapter, server: InstagramServer, message: Outgoing
) -> None:
    server.page_size = 2
    receipts = [sent(adapter, replace(message, text=f"Message {n}"), f"k{n}") for n in range(5)]
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [each.remote_id for each in listing.sightings] == [receipt.remote_id for receipt in receipts]
    assert all(TOKEN not in str(request.url) for request in server.requests)


def test_what_is_not_there_is_taken_down_only_with_our_own_token(
    adapter: InstagramAdapter, server: InstagramServer
) -> None:
    adapter.delete("12345")
    server.user = "1"
    with pytest.raises(AuthFailed):
        adapter.delete("12345")


def test_figures_are_as_reported(adapter: InstagramAdapter, message: Outgoing) -> None:
    post = sent(adapter, message, "k").remote_id
    assert adapter.post_metrics([post, "12345"]) == {post: Numbers(reactions=7)}
    assert adapter.account_metrics() == Numbers(followers=321)


@pytest.mark.parametrize("values", [{}, {"access_token": TOKEN}, {**LOGIN, "access_token": "a b"}])
def test_a_login_that_cannot_be_used(
    server: InstagramServer, tmp_path: Path, message: Outgoing, values: dict[str, str]
) -> None:
    made = InstagramAdapter(instagram_context(tmp_path, values))
    for call in (made.check, lambda: made.prepare(message, {})):
        with pytest.raises(AuthFailed):
            call()
    assert server.requests == []
