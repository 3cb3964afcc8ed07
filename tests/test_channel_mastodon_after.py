"""Mastodon after sending: what stands there is found again, taken down and corrected."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from support_mastodon import (
    DATE,
    LIMITS,
    MESSAGE,
    NOW,
    SERVER,
    TOKEN,
    TOKENS,
    MastodonServer,
    context_for,
    picture_at,
    running,
)

from cm.channels.contract import sent
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.mastodon.reading import PAGES, looks_like, plain
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Found,
    Media,
    Outgoing,
    RateLimited,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)

SINCE = NOW - timedelta(minutes=15)
WANTED = Sought(MESSAGE.text, MESSAGE.link)
CONTENT = (
    '<p>Semaine des dons du sang 🩸<br><a href="https://hopital.example/dons" target="_blank" rel="nofollow noopener"'
    ' translate="no"><span class="invisible">https://</span><span class="">hopital.example/dons</span>'
    '<span class="invisible"></span></a></p>'
)
"""`MESSAGE` as Mastodon 4.5 shows it."""
ME, LIST, ONE = "/api/v1/accounts/verify_credentials", "/api/v1/accounts/7/statuses", "/api/v1/statuses/501"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonServer]:
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def fresh(server: MastodonServer) -> MastodonServer:
    server.reset()
    return server


@pytest.fixture
def live(fresh: MastodonServer) -> Iterator[MastodonAdapter]:
    adapter = MastodonAdapter(context_for(fresh.url, TOKENS["tilleuls"]))
    yield adapter
    adapter.close()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=SERVER, assert_all_called=False) as router:
        router.get(ME).respond(json={"id": "7", "username": "tilleuls"}, headers=DATE)
        yield router


@pytest.fixture
def adapter() -> Iterator[MastodonAdapter]:
    made = MastodonAdapter(context_for(SERVER, TOKEN))
    yield made
    made.close()


def status(number: int, *, minutes: float = 0, **given: Any) -> dict[str, Any]:
    """A status of that id, created so many minutes after NOW."""
    return {
        "id": str(number),
        "created_at": (NOW + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "url": f"{SERVER}/@tilleuls/{number}",
        "content": "<p>Autre chose</p>",
        "visibility": "public",
        "in_reply_to_id": None,
        "reblog": None,
        "media_attachments": [],
        **given,
    }


def found(adapter: MastodonAdapter, sought: Sought = WANTED, since: datetime = SINCE) -> list[str]:
    answer = adapter.find(sought, since=since)
    assert isinstance(answer, Found), answer
    assert not answer.certain
    return [sighting.remote_id for sighting in answer.sightings]


# --- against a running server -----------------------------------------------------------------------------------------


def test_a_listing_goes_back_over_many_pages(live: MastodonAdapter, fresh: MastodonServer) -> None:
    receipts = [sent(live, replace(MESSAGE, text=f"Message {n}"), f"k{n}") for n in range(45)]
    fresh.boost(receipts[0].remote_id)
    listing = live.listing(receipts[0].published_at)
    assert listing.complete
    assert [sighting.remote_id for sighting in listing.sightings] == [receipt.remote_id for receipt in receipts]
    assert [sighting.permalink for sighting in listing.sightings] == [receipt.permalink for receipt in receipts]
    assert found(live, replace(WANTED, text="Message 0"), receipts[0].published_at) == [receipts[0].remote_id]
    late = live.listing(receipts[44].published_at)
    assert late.complete
    assert late.sightings[-1].remote_id == receipts[44].remote_id


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", "direct"])
def test_whoever_may_see_it_the_owner_finds_it(live: MastodonAdapter, visibility: str) -> None:
    receipt = sent(live, replace(MESSAGE, visibility=visibility), "k")
    assert found(live, since=receipt.published_at - timedelta(minutes=15)) == [receipt.remote_id]


@pytest.mark.parametrize(
    "text",
    [
        "Deux\nlignes\n\net un paragraphe",
        "Tom & Jerry <b>pas gras</b> \"guillemets\" 'apostrophes' &amp;",
        "L’hôpital… – « vous accueille » 👩🏽‍⚕️ #DonDuSang",
        "Voir https://hopital.example/a?b=c&d=é#f et www.example.org",
        "Merci @service@ailleurs.example, et @autre. ",
        "x" * 470,
    ],
)
def test_real_words_are_found_again(live: MastodonAdapter, text: str) -> None:
    receipt = sent(live, replace(MESSAGE, text=text), "k")
    since = receipt.published_at - timedelta(minutes=15)
    assert found(live, replace(WANTED, text=text), since) == [receipt.remote_id]
    assert live.find(replace(WANTED, text=f"{text} !"), since=since) == Absent()


def test_taken_down_and_corrected_for_real(live: MastodonAdapter, fresh: MastodonServer, tmp_path: Path) -> None:
    picture = picture_at(tmp_path / "a.png")
    kept, gone = (sent(live, replace(MESSAGE, text=text, media=(picture,)), text) for text in ("un", "deux"))
    live.edit(kept.remote_id, replace(MESSAGE, text="Corrigé", media=(picture,)))
    live.delete(gone.remote_id)
    assert [fresh.source(each["id"]) for each in fresh.statuses()] == [f"Corrigé\n{MESSAGE.link}"]
    assert fresh.status(kept.remote_id)["edited_at"]
    other = MastodonAdapter(context_for(fresh.url, TOKENS["autre"], "@autre"))
    with pytest.raises(ChannelError):
        other.delete(kept.remote_id)
    other.close()
    assert len(fresh.statuses()) == 1


# --- what a status says -----------------------------------------------------------------------------------------------

LONG = "https://hopital.example/dons/semaine-nationale?utm_source=mastodon&utm_campaign=dons"
SHORTENED = (
    f'<a href="{escape(LONG)}" rel="nofollow noopener" translate="no" target="_blank"><span class="invisible">https://'
    f'</span><span class="ellipsis">{escape(LONG[8:38])}</span><span class="invisible">{escape(LONG[38:])}</span></a>'
)
MENTION = '<span class="h-card" translate="no"><a href="https://ailleurs.example/@service" class="u-url mention">'


@pytest.mark.parametrize(
    ("sent", "link", "content"),
    [
        (MESSAGE.text, MESSAGE.link, CONTENT),
        (MESSAGE.text, MESSAGE.link, CONTENT.replace("<br>", "<br />")),
        (MESSAGE.text, MESSAGE.link, CONTENT.replace("<br>", "</p><p>")),
        (MESSAGE.text, MESSAGE.link, CONTENT.replace("<br>", "<BR/>\n")),
        ("a", LONG, f"<p>a<br>{SHORTENED}</p>"),
        ("a", LONG, f'<p>a<br><a href="{escape(LONG)}">hopital.example/dons/semaine-n…</a></p>'),
        ("a", LONG, f"<p>a<br><a title=\"x>y\" href='{escape(LONG)}'>hopital.example/dons/semaine-n...</a></p>"),
        ("a", LONG, f"<div>a</div><div>{escape(LONG)}</div>"),
        ("voir hopital.example", None, '<p>voir <a href="https://hopital.example">hopital.example</a></p>'),
        ("voir https://é.example", None, '<p>voir <a href="https://xn--9ca.example/">https://é.example</a></p>'),
        ("Merci @service@ailleurs.example.", None, f"<p>Merci {MENTION}@<span>service</span></a></span>.</p>"),
        ("Merci @Service@ailleurs.example !", None, f"<p>Merci {MENTION}@<span>service</span></a></span> !</p>"),
        ("Merci @service@nulle.part", None, "<p>Merci @service@nulle.part</p>"),
        ("a@b.example", None, "<p>a@b.example</p>"),
        ("#DonDuSang", None, f'<p><a href="{SERVER}/tags/DonDuSang" class="hashtag">#<span>DonDuSang</span></a></p>'),
        ("a < b & c > d", None, "<p>a &lt; b &amp; c &gt; d</p>"),
        ('l\'été "ici"', None, "<p>l&#39;e\u0301t&#xe9; &quot;ici&quot;</p>"),
        ("1 000 €", None, "<p>1&nbsp;000&nbsp;€</p>"),
        ("", None, "<p></p>"),
        ("", None, ""),
    ],
)
def test_what_a_server_shows_is_what_was_sent(sent: str, link: str | None, content: str) -> None:
    shown = Sighting("1", None, NOW, plain(content), None, 0)
    assert looks_like(Sought(sent, link), shown)
    assert not looks_like(Sought(f"{sent} bis", link), shown)
    assert link is None or not looks_like(Sought(sent, f"{link}/autre"), shown)


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True),
        ({"media": 1}, False),
        ({"parent": "499"}, False),
        ({"text": "Semaine des dons"}, False),
        ({"link": None}, False),
        ({"link": "https://hopital.example/don"}, False),
    ],
)
def test_what_else_must_agree(change: dict[str, Any], alike: bool) -> None:
    shown = Sighting("1", None, NOW, plain(CONTENT), "500", 0)
    assert looks_like(replace(WANTED, parent="500"), shown)
    assert looks_like(replace(WANTED, **{"parent": "500", **change}), shown) is alike


def shown_by_mastodon(text: str) -> str:
    """Its `TextFormatter` for plain words and addresses: escaped, addresses as links, lines and paragraphs."""
    words = [
        f'<a href="{escape(word)}"><span class="invisible">https://</span>{escape(word[8:])}</a>'
        if word.startswith("https://")
        else escape(word)
        for word in text.split(" ")
    ]
    return f"<p>{' '.join(words)}</p>".replace("\n\n", "</p><p>").replace("\n", "<br />")


words = st.one_of(
    st.text(st.sampled_from("aéà<>&\"';#@!?.-/…\n0"), min_size=1, max_size=12).filter(lambda word: "://" not in word),
    st.from_regex(r"https://[a-z]{1,9}\.example/[a-z0-9?&=/é-]{0,20}", fullmatch=True),
)


@given(st.lists(words, max_size=12).map(" ".join))
def test_any_text_survives_being_shown(text: str) -> None:
    assert looks_like(Sought(text), Sighting("1", None, NOW, plain(shown_by_mastodon(text)), None, None))


@given(st.one_of(st.text(), st.text(st.sampled_from("<>ap/ =\"'&#;!-hrefx\n"))))
def test_no_html_breaks_the_reading(html: str) -> None:
    assert isinstance(plain(html), str)


# --- at the wire ------------------------------------------------------------------------------------------------------


def test_the_listing_is_asked_as_documented(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    pages = wire.get(LIST)
    pages.side_effect = [
        httpx.Response(200, json=[status(503), status(502, minutes=-1)]),
        httpx.Response(200, json=[status(501, minutes=-14, content=CONTENT), status(500, minutes=-16)]),
    ]
    assert found(adapter) == ["501"]
    asked = [dict(call.request.url.params) for call in pages.calls]
    assert asked == [
        {"limit": "40", "exclude_reblogs": "true"},
        {"limit": "40", "exclude_reblogs": "true", "max_id": "502"},
    ]
    assert all(call.request.headers["Authorization"] == f"Bearer {TOKEN}" for call in wire.calls)


def test_the_end_of_the_listing_is_its_empty_page(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    """A short page is no end: servers leave out what was deleted meanwhile."""
    wire.get(LIST).side_effect = [
        httpx.Response(200, json=[status(502)]),
        httpx.Response(200, json=[status(501)]),
        httpx.Response(200, json=[]),
    ]
    listing = adapter.listing(SINCE)
    assert ([sighting.remote_id for sighting in listing.sightings], listing.complete) == (["501", "502"], True)


def test_a_new_status_may_be_listed_late(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    old = status(400, minutes=-60)
    wire.get(LIST).side_effect = [
        httpx.Response(200, json=[old]),
        httpx.Response(200, json=[status(501, content=CONTENT), old]),
    ]
    assert adapter.find(WANTED, since=SINCE) == Absent(authoritative=False)
    assert found(adapter) == ["501"]


def test_a_boost_and_an_old_pinned_status_are_no_obstacle(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    boosted = status(504, content=CONTENT, reblog=status(77, content=CONTENT))
    pinned = status(3, minutes=-9999, content=CONTENT)
    wire.get(LIST).respond(json=[pinned, boosted, status(501, content=CONTENT), status(400, minutes=-60)])
    assert found(adapter) == ["501"]


def test_everything_of_a_status_is_told(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    told = status(501, content=CONTENT, in_reply_to_id=500, media_attachments=[{"id": "1"}], url="javascript:x")
    wire.get(LIST).respond(json=[told, status(400, minutes=-60)])
    (sighting,) = adapter.listing(SINCE).sightings
    assert sighting == Sighting("501", None, NOW, f"{MESSAGE.text}\n{MESSAGE.link}", "500", 1)


@pytest.mark.parametrize(
    "page",
    [
        [status(501), "x", status(400, minutes=-60)],
        [status(501), {**status(499), "created_at": "soon"}, status(400, minutes=-60)],
        [status(501), {**status(499), "content": None}, status(400, minutes=-60)],
        [status(501), {**status(400, minutes=-60), "id": None}],
        [status(501), None],
    ],
)
def test_what_cannot_be_read_may_be_what_is_sought(
    adapter: MastodonAdapter, wire: respx.MockRouter, page: list[Any]
) -> None:
    wire.get(LIST).respond(json=page)
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)
    assert not adapter.listing(SINCE).complete
    wire.get(LIST).respond(json=[status(502, content=CONTENT), *page])
    assert found(adapter) == ["502"]


def test_a_server_that_gives_the_same_page_again(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    pages = wire.get(LIST).respond(json=[status(502), status(501)])
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)
    assert pages.call_count == 2


def test_a_listing_without_end(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[status(int(request.url.params.get("max_id", "9000")) - 1)])

    pages = wire.get(LIST).mock(side_effect=page)
    assert isinstance(adapter.find(WANTED, since=SINCE), CannotTell)
    assert pages.call_count == PAGES
    assert len(adapter.listing(SINCE).sightings) == PAGES


TROUBLE: list[tuple[Any, type[ChannelError]]] = [
    (httpx.Response(401, json={"error": "The access token is invalid"}), AuthFailed),
    (httpx.Response(403, json={"error": "This action is outside the authorized scopes"}), AuthFailed),
    (httpx.Response(429, headers={**DATE, "X-RateLimit-Reset": "2026-11-23T11:30:00Z"}), RateLimited),
]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *TROUBLE,
        (httpx.Response(503), Retryable),
        (httpx.Response(200, json={"error": "odd"}), Retryable),
        (httpx.Response(200, content=b"<html>"), Retryable),
        (httpx.ReadTimeout, Retryable),
        (httpx.ConnectError, Retryable),
    ],
)
@pytest.mark.parametrize("page", [0, 1])
def test_looking_meets_trouble(
    adapter: MastodonAdapter, wire: respx.MockRouter, answer: Any, kind: type[ChannelError], page: int
) -> None:
    """It never passes for an absence, not even on the second page."""
    wire.get(LIST).side_effect = [*[httpx.Response(200, json=[status(502)])] * page, answer]
    with pytest.raises(kind) as caught:
        adapter.find(WANTED, since=SINCE)
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", 10800) == 10800


def test_another_accounts_token_looks_nowhere(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.get(ME).respond(json={"id": "8", "username": "autre"})
    pages = wire.get("/api/v1/accounts/8/statuses").respond(json=[])
    with pytest.raises(AuthFailed, match="belongs to @autre"):
        adapter.find(WANTED, since=SINCE)
    assert pages.call_count == 0


def test_the_servers_time_is_told(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.get("/api/v2/instance").respond(json={})
    wire.get("/.well-known/nodeinfo").respond(404)
    assert adapter.check().server_time == NOW
    wire.get(ME).respond(json={"id": "7", "username": "tilleuls"})
    assert adapter.check().server_time is None


# --- taking down ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [httpx.Response(200, json=status(501)), httpx.Response(404), httpx.Response(410)])
def test_taken_down_or_not_there_any_more(
    adapter: MastodonAdapter, wire: respx.MockRouter, answer: httpx.Response
) -> None:
    route = wire.delete(ONE).mock(return_value=answer)
    adapter.delete("501")
    adapter.delete("501")
    assert route.call_count == 2
    assert dict(route.calls.last.request.url.params) == {"delete_media": "true", "lang": "en"}


def test_what_another_token_does_not_see_is_not_taken_down(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.delete(ONE).respond(404, json={"error": "Record not found"})
    wire.get(ME).respond(json={"id": "8", "username": "autre"})
    with pytest.raises(AuthFailed, match="belongs to @autre"):
        adapter.delete("501")


FORBIDDEN = httpx.Response(403, json={"error": "This action is not allowed"})
AFTERWARDS: list[tuple[Any, type[ChannelError]]] = [
    *(trouble for trouble in TROUBLE if trouble[0].status_code != FORBIDDEN.status_code),
    (FORBIDDEN, Rejected),  # somebody else's status: the channel may go on
    (httpx.Response(422, json={"error": "Validation failed"}), Rejected),
    (httpx.Response(503), UnknownOutcome),
    (httpx.Response(200, content=b"<html>"), UnknownOutcome),
    (httpx.ReadTimeout, UnknownOutcome),
    (httpx.ConnectError, Retryable),
]


@pytest.mark.parametrize(("answer", "kind"), AFTERWARDS)
def test_taking_down_meets_trouble(
    adapter: MastodonAdapter, wire: respx.MockRouter, answer: Any, kind: type[ChannelError]
) -> None:
    wire.delete(ONE).side_effect = [answer]
    with pytest.raises(kind) as caught:
        adapter.delete("501")
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", 10800) == 10800


@pytest.mark.parametrize("remote_id", ["", ".", ".."])
def test_an_id_that_would_lead_elsewhere_is_never_asked(
    adapter: MastodonAdapter, wire: respx.MockRouter, remote_id: str
) -> None:
    with pytest.raises(Rejected):
        adapter.delete(remote_id)
    with pytest.raises(Rejected):
        adapter.edit(remote_id, MESSAGE)
    assert wire.calls.call_count == 0


# --- correcting -------------------------------------------------------------------------------------------------------

PICTURES = [{"id": "22", "description": "Ancien"}, {"id": "23", "description": "Gardé"}]


def pictures(tmp_path: Path, *alts: str) -> tuple[Media, ...]:
    return tuple(picture_at(tmp_path / f"{n}.png", alt=alt) for n, alt in enumerate(alts))


def test_an_edit_names_all_that_is_to_stay(adapter: MastodonAdapter, wire: respx.MockRouter, tmp_path: Path) -> None:
    """What an edit leaves out, Mastodon removes."""
    there = status(501, sensitive=True, spoiler_text="Sang", media_attachments=PICTURES)
    wire.get(ONE).respond(json=there)
    route = wire.put(ONE).respond(json=there)
    adapter.edit("501", replace(MESSAGE, media=pictures(tmp_path, "Une infirmière"), language="de-CH"))
    request = route.calls.last.request
    assert dict(request.url.params) == {"lang": "en"}
    assert json.loads(request.content) == {
        "status": f"{MESSAGE.text}\n{MESSAGE.link}",
        "sensitive": True,
        "spoiler_text": "Sang",
        "language": "de",
        "media_ids": ["22", "23"],
        "media_attributes": [{"id": "22", "description": "Une infirmière"}],
    }


def test_an_edit_of_words_alone(adapter: MastodonAdapter, wire: respx.MockRouter) -> None:
    wire.get(ONE).respond(json=status(501, language="fr"))
    route = wire.put(ONE).respond(json=status(501))
    adapter.edit("501", Outgoing("Bonjour", "", NOW))
    assert json.loads(route.calls.last.request.content) == {"status": "Bonjour", "sensitive": False, "language": "fr"}


@pytest.mark.parametrize("answer", [404, 410])
def test_what_is_gone_is_not_edited(adapter: MastodonAdapter, wire: respx.MockRouter, answer: int) -> None:
    wire.get(ONE).respond(answer)
    route = wire.put(ONE)
    with pytest.raises(Rejected, match="no such status"):
        adapter.edit("501", MESSAGE)
    assert route.call_count == 0


@pytest.mark.parametrize("answer", [404, 405])
def test_an_old_server_cannot_edit(adapter: MastodonAdapter, wire: respx.MockRouter, answer: int) -> None:
    wire.get(ONE).respond(json=status(501))
    wire.put(ONE).respond(answer, content=b"<html>The page you were looking for does not exist</html>")
    with pytest.raises(Rejected, match=r"cannot edit .* since 3\.5\.0"):
        adapter.edit("501", MESSAGE)


@pytest.mark.parametrize(("answer", "kind"), AFTERWARDS)
def test_editing_meets_trouble(
    adapter: MastodonAdapter, wire: respx.MockRouter, answer: Any, kind: type[ChannelError]
) -> None:
    wire.get(ONE).respond(json=status(501))
    wire.put(ONE).side_effect = [answer]
    with pytest.raises(kind) as caught:
        adapter.edit("501", MESSAGE)
    assert type(caught.value) is kind
    assert TOKEN not in caught.value.reason


@pytest.mark.parametrize("text", ["", "é" * 501, "\ud83d"])
def test_an_edit_is_held_to_the_same_limits(adapter: MastodonAdapter, wire: respx.MockRouter, text: str) -> None:
    with pytest.raises(Rejected) as caught:
        adapter.edit("501", Outgoing(text, "fr", NOW, limits=LIMITS))
    assert caught.value.field == "text"
    assert wire.calls.call_count == 0
