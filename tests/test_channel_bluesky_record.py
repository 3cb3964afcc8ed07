"""What is made of a message for Bluesky: the record, what can be clicked in it, the key under which it stands."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_bluesky import (
    DID,
    MESSAGE,
    OTHER,
    PretendPds,
    Stored,
    context_for,
    logged_in,
    media_at,
    serving,
)
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.bluesky.facets import facets, places
from cm.channels.bluesky.posting import EPOCH, tid, tid_time
from cm.channels.bluesky.session import jwt_claims
from cm.channels.contract import prepared, sent
from cm.channels.port import (
    Media,
    Outgoing,
    Prepared,
    Rejected,
)

FAMILY = "👩‍👩‍👧‍👦"


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    """Requests are held against the lexicons where those are there."""
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def login(pds: PretendPds) -> Stored:
    return logged_in(pds)


@pytest.fixture
def adapter(login: Stored) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(login))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "Léa Martin chambre 12.png")


def record_of(adapter: BlueskyAdapter, message: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = prepared(adapter, message).body["request"]["record"]
    return found


# --- the record -------------------------------------------------------------------------------------------------------


def test_a_link_becomes_a_card_and_costs_no_text(adapter: BlueskyAdapter) -> None:
    fields = {"card_title": "Donner son sang", "card_description": "Du 23 au 27 novembre"}
    record = record_of(adapter, replace(MESSAGE, fields=fields))
    assert record == {
        "$type": "app.bsky.feed.post",
        "text": MESSAGE.text,
        "createdAt": "2026-11-23T08:30:00.000Z",
        "langs": ["fr"],
        "embed": {
            "$type": "app.bsky.embed.external",
            "external": {
                "uri": "https://hopital.example/dons",
                "title": "Donner son sang",
                "description": "Du 23 au 27 novembre",
            },
        },
    }
    assert record_of(adapter, MESSAGE)["embed"]["external"]["title"] == "https://hopital.example/dons"


def test_beside_pictures_the_link_stands_in_the_text(adapter: BlueskyAdapter, picture: Media, pds: PretendPds) -> None:
    record = record_of(adapter, replace(MESSAGE, media=(picture,)))
    assert record["text"] == f"{MESSAGE.text}\nhttps://hopital.example/dons"
    start = len(f"{MESSAGE.text}\n".encode())
    assert record["facets"] == [
        {
            "index": {"byteStart": start, "byteEnd": start + 28},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://hopital.example/dons"}],
        }
    ]
    (image,) = record["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == ("Une infirmière sourit.", {"width": 1, "height": 1})
    assert pds.calls("uploadBlob")[0].headers["content-type"] == "image/png"
    assert b"Martin" not in b"".join(request.content for request in pds.requests), "names of files stay here"


def test_a_thread_keeps_its_first_post_as_root(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    keys = [sent(adapter, MESSAGE, "k1").remote_id]
    for n in (2, 3):
        keys.append(sent(adapter, replace(MESSAGE, text=f"{n}/3", link=None, parent=keys[-1]), f"k{n}").remote_id)
    one, two, three = (pds.records[key] for key in keys)
    assert "reply" not in one
    assert [two["reply"][name]["uri"] for name in ("root", "parent")] == [pds.uri(keys[0])] * 2
    assert [three["reply"][name]["uri"] for name in ("root", "parent")] == [pds.uri(keys[0]), pds.uri(keys[1])]
    assert three["reply"]["root"] == two["reply"]["root"], "with the hash of what it said"
    assert keys == sorted(keys), "keys grow"


@pytest.mark.parametrize("parent", ["3n2t2gu4w222l", "999", "..", "a/b", "https://bsky.app/x", "at://x/y/z/t", ""])
def test_what_is_not_there_cannot_be_answered(adapter: BlueskyAdapter, parent: str, pds: PretendPds) -> None:
    with pytest.raises(Rejected) as caught:
        adapter.prepare(replace(MESSAGE, parent=parent), {})
    assert caught.value.field == "parent"
    assert pds.commits == 0


@pytest.mark.parametrize(
    ("warning", "label"),
    [("", None), ("nudity", "nudity"), ("Une plaie est visible", "graphic-media"), ("!hide", "graphic-media")],
)
def test_a_warning_becomes_a_label(adapter: BlueskyAdapter, warning: str, label: str | None) -> None:
    labels = record_of(adapter, replace(MESSAGE, fields={"warning": warning})).get("labels")
    found = labels["values"][0]["val"] if labels else None
    assert found == label


@pytest.mark.parametrize(("language", "langs"), [("fr", ["fr"]), ("pt-BR", ["pt-BR"]), ("", None), ("Français", None)])
def test_the_language_is_told_if_it_is_one(adapter: BlueskyAdapter, language: str, langs: list[str] | None) -> None:
    assert record_of(adapter, replace(MESSAGE, language=language)).get("langs") == langs


@pytest.mark.row("S5", "S12")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "x" * 300}, None),
        ({"text": "x" * 301}, "text"),
        ({"text": "é" * 300}, None),
        ({"text": "e\u0301" * 300}, None),
        ({"text": FAMILY * 100}, None),
        ({"text": FAMILY * 120}, None),
        ({"text": FAMILY * 121}, "text"),
        ({"text": "🇫🇷" * 300}, None),
        ({"text": "🇫🇷" * 301}, "text"),
        ({"text": "x" * 280 + " https://hopital.example/" + "a" * 40}, "text"),
        ({"text": "x" * 271, "media": 1}, None),
        ({"text": "x" * 272, "media": 1}, "text"),
        ({"visibility": "unlisted"}, "visibility"),
        ({"media": 4}, None),
        ({"media": 5}, "media"),
        ({"mime": "image/gif"}, "media"),
        ({"mime": "video/quicktime"}, "media"),
        ({"mime": "video/mp4", "media": 2}, "media"),
        ({"mime": "video/mp4", "limits": {"email_confirmed": False}}, "media"),
    ],
)
def test_what_surely_is_too_much_is_refused_before_anything(
    adapter: BlueskyAdapter, pds: PretendPds, picture: Media, change: dict[str, Any], field: str | None
) -> None:
    change = dict(change)
    mime, count = change.pop("mime", "image/png"), change.pop("media", 0)
    message = replace(MESSAGE, media=(replace(picture, mime=mime),) * (count or int(mime != "image/png")), **change)
    if field is None:
        assert isinstance(adapter.prepare(message, {}), Prepared)
        return
    with pytest.raises(Rejected) as caught:
        adapter.prepare(message, {})
    assert caught.value.field == field
    assert pds.requests == []


@pytest.mark.parametrize(("size", "taken"), [(2_000_000, True), (2_000_001, False)])
def test_a_file_that_is_too_large_never_goes_out(
    adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path, size: int, taken: bool
) -> None:
    message = replace(MESSAGE, media=(media_at(tmp_path / "a.png", bytes(size)),))
    if taken:
        assert "aspectRatio" not in record_of(adapter, message)["embed"]["images"][0], "no picture, no ratio"
        return
    with pytest.raises(Rejected, match="takes 2000000"):
        adapter.prepare(message, {})
    assert pds.calls("uploadBlob") == []


# --- what can be clicked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Heute: Händewaschen schützt 🧼 https://spital.example/hygiene", [("https://spital.example/hygiene", 35, 65)]),
        (
            "(voir https://a.example/b) et https://a.example/c(d).",
            [("https://a.example/b", 6, 25), ("https://a.example/c(d)", 30, 52)],
        ),
        ("www.hopital.example, fin.Début", [("https://www.hopital.example", 0, 19)]),
        ("Merci @service.example ! @ici a@b.example", [("@service.example", 6, 22)]),
        (
            "#DonDuSang #2026 # #été! #a, x#y ＃ok",
            [("#DonDuSang", 0, 10), ("#été", 19, 25), ("#a", 27, 29), ("#ok", 35, 40)],
        ),
        ("https://a.example/#x @b", [("https://a.example/#x", 0, 20)]),
        ("https:// www. @. #", []),
        ("WWW.a.example/?u=https://b.example", [("https://WWW.a.example/?u=https://b.example", 0, 34)]),
        ("« https://a.example » “https://b.example”", [("https://a.example", 3, 20)]),
        ("HTTPS://A.EXAMPLE… fin", [("HTTPS://A.EXAMPLE", 0, 17)]),
        ("👩🏽‍⚕️ #santé", [("#santé", 18, 25)]),
    ],
)
def test_places_by_their_bytes(text: str, found: list[tuple[str, int, int]]) -> None:
    told = []
    for facet in facets(text, lambda _handle: OTHER):
        (feature,) = facet["features"]
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        part = text.encode()[start:end].decode()
        assert feature.get("did") in (None, OTHER)
        shown = feature.get("uri") or ("#" + feature["tag"] if "tag" in feature else part)
        told.append((shown, start, end))
    assert told == found


@given(st.text(st.sampled_from("aé👩‍🧼 \n#@.:/()!hops"), max_size=60))
def test_places_never_overlap_and_lie_within(text: str) -> None:
    found = places(text)
    assert all(0 <= place.start < place.end <= len(text) for place in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    data = text.encode()
    for facet in facets(text, lambda _handle: DID):
        data[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()


def test_a_mention_is_looked_up_and_stays_text_if_unknown(adapter: BlueskyAdapter, pds: PretendPds) -> None:
    record = record_of(adapter, replace(MESSAGE, text="Merci @Service.example et @personne.example"))
    (facet,) = record["facets"]
    assert facet["features"] == [{"$type": "app.bsky.richtext.facet#mention", "did": OTHER}]
    assert len(pds.calls("resolveHandle")) == 2


# --- keys -------------------------------------------------------------------------------------------------------------


@given(st.timedeltas(timedelta(0), timedelta(days=84_000)).map(lambda passed: EPOCH + passed), st.integers(0, 2**20))
def test_a_key_tells_when_it_was_made(at: datetime, salt: int) -> None:
    key = tid(at, salt)
    assert len(key) == 13
    assert tid_time(key) == at
    assert tid(at + timedelta(microseconds=1), 0) > key or salt & 1023 == 0


@pytest.mark.parametrize("key", ["", "self", "3n2t2gu4w222", "zzzzzzzzzzzzz", "jzzzzzzzzzzzz", "3N2T2GU4W222L"])
def test_what_is_no_key_of_time(key: str) -> None:
    assert tid_time(key) is None or key == "jzzzzzzzzzzzz"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.é.c", "a.W10.c", "a.eyJleHAiOiJ4In0.c", "x" * 9])
def test_what_is_no_token_with_claims(token: str) -> None:
    assert jwt_claims(token) == {}
