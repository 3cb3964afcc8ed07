"""Bluesky after sending: looked up by its own key, listed, compared, taken down; previewed before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_bluesky import (
    DID,
    HANDLE,
    MESSAGE,
    NOW,
    OTHER,
    PretendPds,
    context_for,
    logged_in,
    media_at,
    refused,
    serving,
)
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.bluesky.posting import COLLECTION, tid
from cm.channels.bluesky.reading import PAGES, looks_like, sighting
from cm.channels.contract import prepared, put, sent, sought
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Duplicate,
    Found,
    Listing,
    Numbers,
    RateLimited,
    Rejected,
    Retryable,
    Sought,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def adapter(pds: PretendPds) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(logged_in(pds)))
    yield made
    made.close()


def post(text: str, at: datetime, **given: Any) -> dict[str, Any]:
    """A record as another client writes it."""
    created_at = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"$type": COLLECTION, "text": text, "createdAt": created_at, **given}


# --- by our own key ---------------------------------------------------------------------------------------------------


@pytest.mark.row("S12")
def test_an_answer_that_was_lost_is_found_by_the_key(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    ready = prepared(adapter, MESSAGE)
    pds.faults["com.atproto.repo.putRecord"], pds.arrive = [httpx.ReadTimeout("slow")], True
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    answer = adapter.find(sought(MESSAGE, ready, "k"), since=SINCE)
    assert isinstance(answer, Found)
    assert answer.certain
    (one,) = answer.sightings
    assert one.remote_id == ready.body["request"]["rkey"]
    assert (one.text, one.media, one.parent) == (f"{MESSAGE.text}\n{MESSAGE.link}", 0, None)
    receipt = adapter.send(ready, key="k")
    assert (receipt.remote_id, receipt.published_at) == (one.remote_id, one.published_at)
    assert len(pds.records) == 1


def test_what_never_arrived_is_surely_absent_while_nothing_else_happened(
    adapter: BlueskyAdapter, pds: PretendPds
) -> None:
    ready = prepared(adapter, MESSAGE)
    pds.faults["com.atproto.repo.putRecord"] = [httpx.ReadTimeout("slow")]
    with pytest.raises(UnknownOutcome):
        adapter.send(ready, key="k")
    wanted = sought(MESSAGE, ready, "k")
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=True)
    pds.commits += 1
    assert adapter.find(wanted, since=SINCE) == Absent(), "it may have been there in between"


def test_without_the_state_before_nothing_is_sure(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    pds.faults["com.atproto.sync.getLatestCommit"] = [refused(501, "MethodNotImplemented", "Method Not Implemented")]
    ready = prepared(adapter, MESSAGE)
    assert adapter.find(sought(MESSAGE, ready, "k"), since=SINCE) == Absent()


def test_another_text_under_our_key_is_looked_at_and_not_overwritten(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    ready, receipt = put(adapter, MESSAGE, "k")
    pds.records[receipt.remote_id] = post("Corrigé ailleurs", NOW)
    with pytest.raises(Duplicate):
        adapter.send(ready, key="k")
    assert pds.records[receipt.remote_id]["text"] == "Corrigé ailleurs"
    answer = adapter.find(sought(MESSAGE, ready, "k"), since=SINCE)
    assert isinstance(answer, Found)
    assert answer.certain
    assert answer.sightings[0].text == "Corrigé ailleurs"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refused(400, "RepoTakendown", "Repo has been taken down"), AuthFailed),
        (refused(400, "InvalidRequest", "no"), Rejected),
        (refused(500, "InternalServerError", "Internal Server Error"), Retryable),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
        (httpx.Response(200, json=[]), Retryable),
        (httpx.Response(200, json={"uri": "at://x", "value": {}}), Retryable),
        (httpx.Response(200, text="<html>"), Retryable),
        (httpx.ReadTimeout("slow"), Retryable),
    ],
)
def test_a_question_that_is_not_answered_tells_nothing(
    adapter: BlueskyAdapter, pds: PretendPds, fault: Any, kind: type[ChannelError]
) -> None:
    wanted = sought(MESSAGE, prepared(adapter, MESSAGE), "k")
    pds.faults["com.atproto.repo.getRecord"] = [fault]
    with pytest.raises(kind):
        adapter.find(wanted, since=SINCE)


# --- in the listing ---------------------------------------------------------------------------------------------------


def test_a_listing_goes_back_over_many_pages(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    keys = [tid(NOW + timedelta(seconds=n), 0) for n in range(205)]
    pds.records = {key: post(f"Message {n}", NOW + timedelta(seconds=n)) for n, key in enumerate(keys)}
    listing = adapter.listing(NOW)
    assert listing.complete
    assert [one.remote_id for one in listing.sightings] == keys
    assert len(pds.calls("listRecords")) == 4
    late = adapter.listing(NOW + timedelta(seconds=150))
    assert [one.remote_id for one in late.sightings] == keys[150:]
    assert late.complete
    assert len(pds.calls("listRecords")) == 5, "no further than asked"


def test_a_listing_that_never_ends_is_not_complete(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    page = {"cursor": "x", "records": [{"uri": pds.uri(tid(NOW, 0)), "cid": "c", "value": post("a", NOW)}]}
    for cursors in (["x"] * PAGES, [str(n) for n in range(PAGES)]):
        pds.faults["com.atproto.repo.listRecords"] = [httpx.Response(200, json={**page, "cursor": c}) for c in cursors]
        assert not adapter.listing(SINCE).complete
        pds.faults.clear()


def test_what_cannot_be_read_leaves_the_listing_open(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    sent(adapter, MESSAGE, "k")
    pds.records["self"] = {"text": 3}
    listing = adapter.listing(SINCE)
    assert (len(listing.sightings), listing.complete) == (1, False)
    assert isinstance(adapter.find(Sought("Autre"), since=SINCE), CannotTell)


@pytest.mark.parametrize("answer", [[], {}, {"records": {}}, {"records": None}])
def test_a_listing_of_another_shape(adapter: BlueskyAdapter, pds: PretendPds, answer: Any) -> None:
    pds.faults["com.atproto.repo.listRecords"] = [httpx.Response(200, json=answer)]
    with pytest.raises(Retryable):
        adapter.listing(SINCE)


def test_an_empty_account(adapter: BlueskyAdapter) -> None:
    assert adapter.listing(SINCE) == Listing((), complete=True)


@pytest.mark.parametrize(
    "text",
    [
        "Deux\nlignes\n\net un paragraphe",
        "L’hôpital… – « vous accueille » 👩🏽‍⚕️ #DonDuSang",
        "Voir https://hopital.example/a?b=c&d=é#f et www.example.org…",
        "Merci @service.example, et @personne.example. ",
        "x" * 300,
    ],
)
def test_real_words_are_found_again(adapter: BlueskyAdapter, text: str) -> None:
    receipt = sent(adapter, replace(MESSAGE, text=text), "k")
    answer = adapter.find(Sought(text, MESSAGE.link), since=SINCE)
    assert isinstance(answer, Found)
    assert not answer.certain
    assert [one.remote_id for one in answer.sightings] == [receipt.remote_id]
    assert adapter.find(Sought(f"{text} !", MESSAGE.link), since=SINCE) == Absent()


# --- what a record shows ----------------------------------------------------------------------------------------------

LONG = "https://hopital.example/dons/semaine-nationale?utm_source=bluesky"
CUT = "hopital.example/dons/semai..."


def link_facet(start: int, end: int, uri: Any = LONG) -> dict[str, Any]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [{"$type": "x#link", "uri": uri}]}


@pytest.mark.parametrize(
    ("value", "text", "media"),
    [
        ({"text": "a"}, "a", 0),
        ({"text": f"é {CUT}", "facets": [link_facet(3, 3 + len(CUT))]}, f"é {LONG}", 0),
        ({"text": f"é {CUT}", "facets": [link_facet(3, 999)]}, f"é {CUT}", 0),
        ({"text": "é ici", "facets": [link_facet(3, 6)]}, "é ici", 0),
        ({"text": "é…", "facets": [link_facet(1, 5), link_facet(0, 5, 3), "x", {"index": 3}]}, "é…", 0),
        ({"text": "voir…", "facets": [link_facet(0, 7)]}, "voir…", 0),
        ({"text": "a", "embed": {"external": {"uri": LONG}}}, f"a\n{LONG}", 0),
        ({"text": f"a {LONG}", "embed": {"external": {"uri": LONG}}}, f"a {LONG}", 0),
        ({"text": "a", "embed": {"images": [{}, {}]}}, "a", 2),
        ({"text": "a", "embed": {"items": [{}, {}, {}]}}, "a", 3),
        ({"text": "a", "embed": {"video": {}}}, "a", 1),
        ({"text": "a", "embed": {"record": {}, "media": {"images": [{}]}}}, "a", 1),
        ({"text": "a", "embed": {"record": {}}}, "a", 0),
        ({"text": "a", "embed": "x", "facets": 3, "reply": []}, "a", 0),
    ],
)
def test_what_a_record_shows(value: dict[str, Any], text: str, media: int) -> None:
    shown = sighting({"uri": f"at://{DID}/{COLLECTION}/{tid(NOW, 0)}", "value": value}, DID, HANDLE)
    assert shown is not None
    assert (shown.text, shown.media, shown.published_at) == (text, media, NOW)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"uri": 3, "value": {"text": "a"}},
        {"uri": f"at://{OTHER}/{COLLECTION}/3n2t2gu4w222l", "value": {"text": "a"}},
        {"uri": f"at://{DID}/{COLLECTION}/", "value": {"text": "a"}},
        {"uri": f"at://{DID}/{COLLECTION}/self", "value": {"text": "a"}},
        {"uri": f"at://{DID}/{COLLECTION}/3n2t2gu4w222l", "value": {"text": 3}},
    ],
)
def test_what_is_no_post_of_the_account(entry: Any) -> None:
    assert sighting(entry, DID, HANDLE) is None


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True),
        ({"media": 1}, False),
        ({"parent": "3aaaaaaaaaaaa"}, False),
        ({"parent": None}, True),
        ({"text": "Autre"}, False),
        ({"link": None}, False),
        ({"link": f"{LONG}x"}, False),
    ],
)
def test_what_must_agree(change: dict[str, Any], alike: bool) -> None:
    reply = {"parent": {"uri": f"at://{DID}/{COLLECTION}/3n2t2gu4w222l"}}
    value = post("Dons", NOW, embed={"external": {"uri": LONG}}, reply=reply)
    shown = sighting({"uri": f"at://{DID}/{COLLECTION}/{tid(NOW, 0)}", "value": value}, DID, HANDLE)
    assert shown is not None
    assert looks_like(replace(Sought("Dons", LONG, parent="3n2t2gu4w222l"), **change), shown) is alike


def test_an_answer_to_somebody_else_names_them(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    theirs = f"at://{OTHER}/{COLLECTION}/3n2t2gu4w222l"
    told = {"uri": theirs, "cid": "bafyreitheirs", "value": post("Bonjour", NOW)}
    pds.faults["com.atproto.repo.getRecord"] = [httpx.Response(200, json=told)]
    answer = replace(MESSAGE, parent=theirs)
    receipt = sent(adapter, answer, "k")
    assert pds.records[receipt.remote_id]["reply"]["root"] == {"uri": theirs, "cid": "bafyreitheirs"}
    (shown,) = adapter.listing(SINCE).sightings
    assert shown.parent == theirs
    assert adapter.looks_like(Sought(MESSAGE.text, MESSAGE.link, parent=theirs), shown)


# --- taking down ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_address", [False, True])
def test_taken_down_once_and_again(adapter: BlueskyAdapter, pds: PretendPds, as_address: bool) -> None:
    kept, gone = (sent(adapter, replace(MESSAGE, text=text), text) for text in ("un", "deux"))
    for _n in range(2):
        adapter.delete(pds.uri(gone.remote_id) if as_address else gone.remote_id)
    assert list(pds.records) == [kept.remote_id]


@pytest.mark.parametrize(
    "remote_id", ["", ".", "..", "a/b", "a b", f"at://{OTHER}/{COLLECTION}/3n2t2gu4w222l", "at://"]
)
def test_what_is_not_ours_is_never_deleted(adapter: BlueskyAdapter, pds: PretendPds, remote_id: str) -> None:
    with pytest.raises(Rejected):
        adapter.delete(remote_id)
    assert pds.requests == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ReadTimeout("slow"), UnknownOutcome),
        (httpx.ConnectError("no"), Retryable),
        (refused(500, "InternalServerError", "Internal Server Error"), UnknownOutcome),
        (refused(401, "AuthMissing", "Authentication Required"), AuthFailed),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
    ],
)
def test_what_taking_down_may_meet(
    adapter: BlueskyAdapter, pds: PretendPds, fault: Any, kind: type[ChannelError]
) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    pds.faults["com.atproto.repo.deleteRecord"] = [fault]
    with pytest.raises(kind) as caught:
        adapter.delete(receipt.remote_id)
    assert type(caught.value) is kind


# --- figures and previews ---------------------------------------------------------------------------------------------


def test_figures_come_back(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    receipts = [sent(adapter, replace(MESSAGE, text=f"Message {n}"), f"k{n}") for n in range(27)]
    figures = adapter.post_metrics([receipt.remote_id for receipt in receipts])
    assert list(figures) == [receipt.remote_id for receipt in receipts]
    assert figures[receipts[0].remote_id] == Numbers(reactions=3, comments=2, shares=2)
    assert len(pds.calls("getPosts")) == 2
    assert adapter.account_metrics() == Numbers(followers=412)


@pytest.mark.row("S5", "S12")
def test_a_preview_counts_as_bluesky_does(tmp_path: Path) -> None:
    adapter = BlueskyAdapter(context_for(None))
    alone = adapter.preview(replace(MESSAGE, text="👩‍👩‍👧‍👦🇫🇷e\u0301", fields={"card_title": "Dons"}))
    assert (alone.text, alone.used, alone.most, alone.unit) == ("👩‍👩‍👧‍👦🇫🇷e\u0301", 3, 300, "graphemes")
    assert (alone.card, alone.notes) == (MESSAGE.link, ())
    bare = adapter.preview(replace(MESSAGE, fields={"warning": "Une plaie"}))
    assert len(bare.notes) == 2
    beside = adapter.preview(replace(MESSAGE, text="x" * 300, media=(media_at(tmp_path / "a.png"),)))
    assert (beside.used, beside.card) == (329, None)
    assert beside.text.endswith(f"\n{MESSAGE.link}")
