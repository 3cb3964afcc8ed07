"""How Mastodon counts, what a status will look like before it is sent, and what a content warning does."""

import json
from collections.abc import Iterator
from dataclasses import replace
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

from cm.channels.contract import prepared, sent, sought
from cm.channels.counting import graphemes
from cm.channels.mastodon import limits
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.mastodon.counting import addresses, at_least, at_most, exactly
from cm.channels.port import Outgoing, Preview, Previews, Rejected, Sighting

FAMILY = "👩‍👩‍👧‍👦"
LONG = "https://hopital.fr/" + "a" * 300


@pytest.fixture
def adapter() -> Iterator[MastodonAdapter]:
    made = MastodonAdapter(context_for(SERVER, TOKEN))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonServer]:
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def live(server: MastodonServer) -> Iterator[MastodonAdapter]:
    server.reset()
    adapter = MastodonAdapter(context_for(server.url, TOKENS["tilleuls"]))
    yield adapter
    adapter.close()


def warned(warning: str = "Sang et aiguilles", /, **change: Any) -> Outgoing:
    return replace(MESSAGE, fields={"warning": warning}, **change)


# --- counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "warning", "count"),
    [
        ("", "", 0),
        (" abc\n", "", 3),
        ("abc", "de", 5),
        ("abc", LONG, 3 + len(LONG)),
        (f"{FAMILY}e\u0301🇫🇷", "", 3),
        (LONG, "", 23),
        ("http://a.fr", "", 23),
        (f"voir {LONG}, puis {LONG}.", "", 5 + 23 + 7 + 23 + 1),
        (f"({LONG})", "", 25),
        ("https://fr.wikipedia.org/wiki/Don_(sang).", "", 24),
        ("https://hopital.fr/a?b=c&d=é#f, x", "", 26),
        ("https://hopital.fr:8080/x", "", 23),
        ("https://é.fr/", "", 23),
        ("www.hopital.fr/une/bien/longue/adresse", "", 38),
        ("https://serveur.local/interne/du/service", "", 40),
        ("https://localhost/interne/du/service", "", 36),
        ("@service@ailleurs.example bonjour", "", 16),
        ("Merci @a.b-c@ailleurs.example.", "", 13),
        ("@service bonjour", "", 16),
        ("ecrire a service@hopital.example", "", 32),
        ("@un@deux@trois", "", 14),
        (f"@un@{'d' * 250}.fr", "", 3),
        (f"@un@{'d' * 251}.fr", "", 258),
        ("https://mastodon.social/@service@ailleurs.example", "", 23),
    ],
)
def test_what_mastodon_counts(text: str, warning: str, count: int) -> None:
    assert exactly(text, warning) == count


def test_the_examples_of_mastodons_own_tests() -> None:
    """spec/validators/status_length_validator_spec.rb."""
    assert exactly("", "a" * 520) == 520
    assert exactly("b" * 251, "a" * 250) == 501
    assert exactly("a" * 476 + f" http://{'b' * 30}.com/example") == 500
    assert exactly("a" * 475 + f" @alice@{'b' * 30}.com") == 482


def test_addresses_are_told_as_they_are_written() -> None:
    assert addresses(f"un {LONG}, gemini://a.org/b; www.c.fr et https://d.fr") == [
        LONG,
        "gemini://a.org/b",
        "https://d.fr",
    ]


WORDS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=9),
    st.sampled_from(
        ["@un@deux.fr", "@@un@deux", "=@a@b.fr", FAMILY, LONG, "http://a.fr", "https://x.local/y", "dat://a.fr/b"]
    ),
    st.text(st.sampled_from("@:/.a0-_é( )\n?#&="), max_size=30),
)
TEXTS = st.lists(WORDS, max_size=8).map("".join)


@given(TEXTS, TEXTS)
def test_any_text_lies_between_the_two_bounds(text: str, warning: str) -> None:
    assert 0 <= at_least(text, 23) <= exactly(text) <= at_most(text)
    assert exactly(text, warning) <= at_most(text, warning)
    assert at_least(text, 23) <= at_least(text, None)


@given(st.text(st.characters(codec="ascii", exclude_characters="@:\r", min_codepoint=33)))
def test_plain_text_counts_its_characters(text: str) -> None:
    assert exactly(text) == at_least(text, 23) == len(text)


@given(TEXTS, st.from_regex(r"https://([a-z]{1,12}\.){1,3}(fr|org|health)/[a-z0-9/_-]{0,80}", fullmatch=True))
def test_any_address_counts_the_same(text: str, address: str) -> None:
    assert exactly(f"{text} {address} .") == exactly(f"{text} {LONG} .")


@given(TEXTS, st.from_regex(r"@[a-z0-9_]{1,20}", fullmatch=True), st.from_regex(r"[a-z]{1,20}\.fr", fullmatch=True))
def test_whoever_is_on_another_server_counts_as_one_here(text: str, name: str, where: str) -> None:
    assert exactly(f"{text} {name}@{where} .") == exactly(f"{text} {name} .")


@given(TEXTS, st.text(st.sampled_from("abcé"), max_size=40))
def test_a_warning_counts_in_full(text: str, warning: str) -> None:
    assert exactly(f"a{text}", warning) == exactly(f"a{text}") + graphemes(warning)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "software", "fits"),
    [
        ("x" * 476 + " http://a.fr", "mastodon", True),
        ("x" * 477 + " http://a.fr", "mastodon", False),
        ("x" * 488 + " http://a.fr", "gotosocial", True),
        ("x" * 489 + " http://a.fr", "gotosocial", False),
        ("x" * 488 + " http://a.fr", "", True),
        ("x" * 476 + f" {LONG}", "gotosocial", True),
        ("x" * 477 + " https://x.local/" + "a" * 7, "mastodon", False),
        ("x" * 477 + " https://x.local/" + "a" * 7, "akkoma", False),
    ],
)
def test_exact_on_mastodon_and_lenient_elsewhere(text: str, software: str, fits: bool) -> None:
    message = Outgoing(text, "fr", NOW, limits={**LIMITS, "software": software})
    if fits:
        limits.refuse(message)
        return
    with pytest.raises(Rejected) as caught:
        limits.refuse(message)
    assert caught.value.field == "text"


@pytest.mark.parametrize(("software", "fits"), [("mastodon", False), ("gotosocial", False), ("snac", True), ("", True)])
def test_the_warning_counts_with_the_text(software: str, fits: bool) -> None:
    message = warned("y" * 20, text="x" * 481, link=None, limits={**LIMITS, "software": software})
    limits.refuse(replace(message, text="x" * 480))
    if fits:
        limits.refuse(message)
        return
    with pytest.raises(Rejected, match="501 characters, and this server takes 500"):
        limits.refuse(message)


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_a_warning_that_is_no_text(adapter: MastodonAdapter, text: str) -> None:
    with pytest.raises(Rejected) as caught:
        adapter.prepare(warned(text), {})
    assert caught.value.field == "warning"


# --- warnings on their way --------------------------------------------------------------------------------------------


def test_a_warning_hides_the_post_for_real(live: MastodonAdapter, server: MastodonServer) -> None:
    message = warned(" Sang et aiguilles ")
    receipt = sent(live, message, "k")
    (there,) = server.statuses()
    assert (there["spoiler_text"], there["sensitive"]) == ("Sang et aiguilles", True)
    (sighting,) = live.listing(receipt.published_at).sightings
    assert live.looks_like(sought(message, None, None), sighting)
    assert live.looks_like(sought(message, prepared(live, message), "k"), sighting)
    live.edit(receipt.remote_id, replace(MESSAGE, text="Corrigé"))
    assert (server.source(receipt.remote_id), server.statuses()[0]["spoiler_text"]) == (
        f"Corrigé\n{MESSAGE.link}",
        "Sang et aiguilles",
    )
    live.edit(receipt.remote_id, warned("Sang"))
    assert (server.statuses()[0]["spoiler_text"], server.statuses()[0]["sensitive"]) == ("Sang", True)


def test_without_a_warning_nothing_is_said_of_one(adapter: MastodonAdapter) -> None:
    for message in (MESSAGE, warned(""), warned(" \n")):
        body = prepared(adapter, message).body
        assert "spoiler_text" not in body
        assert body["sensitive"] is False


def test_a_warning_without_a_text_is_found_as_the_text(adapter: MastodonAdapter, tmp_path: Any) -> None:
    """Mastodon makes it the text."""
    message = warned("Photo d'une opération", text="", link=None, media=(picture_at(tmp_path / "a.png"),))
    with respx.mock(base_url=SERVER) as wire:
        wire.post("/api/v2/media").respond(json={"id": "1"}, headers=DATE)
        ready = prepared(adapter, message)
    assert (ready.body["status"], ready.body["spoiler_text"]) == ("", "Photo d'une opération")
    shown = Sighting("1", None, NOW, "Photo d'une opération", None, 1)
    assert adapter.looks_like(sought(message, ready, "k"), shown)
    assert not adapter.looks_like(sought(message, ready, "k"), replace(shown, text=""))


@pytest.mark.parametrize(("text", "fits"), [("x" * 483, True), ("x" * 484, False)])
def test_an_edit_counts_the_warning_that_stays(adapter: MastodonAdapter, text: str, fits: bool) -> None:
    message = Outgoing(text, "fr", NOW, limits=LIMITS)
    there = {"id": "501", "content": "<p>x</p>", "spoiler_text": "Sang et aiguilles", "sensitive": True}
    with respx.mock(base_url=SERVER, assert_all_called=False) as wire:
        wire.get("/api/v1/statuses/501").respond(json=there)
        route = wire.put("/api/v1/statuses/501").respond(json=there)
        if not fits:
            with pytest.raises(Rejected, match="501 characters"):
                adapter.edit("501", message)
            assert route.call_count == 0
            return
        adapter.edit("501", message)
        assert json.loads(route.calls.last.request.content)["spoiler_text"] == "Sang et aiguilles"


def test_a_resend_with_a_warning_is_the_very_same(adapter: MastodonAdapter) -> None:
    ready = prepared(adapter, warned())
    answer = {"id": "1", "created_at": "2026-11-23T08:30:00Z"}
    with respx.mock(base_url=SERVER) as wire:
        route = wire.post("/api/v1/statuses").mock(return_value=httpx.Response(200, json=answer))
        for _n in range(2):
            adapter.send(replace(ready, body=json.loads(json.dumps(ready.body))), key="k")
        first, second = (call.request.content for call in route.calls)
    assert first == second
    assert b"Sang et aiguilles" in first


# --- previews ---------------------------------------------------------------------------------------------------------


def test_a_status_before_it_is_sent(adapter: MastodonAdapter) -> None:
    assert isinstance(adapter, Previews)
    message = replace(MESSAGE, text="Venez @service@ailleurs.example", link=LONG)
    assert adapter.preview(message) == Preview(
        text=f"Venez @service@ailleurs.example\n{LONG}",
        used=len("Venez @service\n") + 23,
        most=500,
        unit="graphemes",
        card=LONG,
    )


def test_a_warning_folds_what_follows(adapter: MastodonAdapter) -> None:
    shown = adapter.preview(warned("Sang", text="Le don", link=None))
    assert (shown.text, shown.folded_at, shown.used) == ("Sang\nLe don", 5, 10)
    assert shown.text[shown.folded_at or 0 :] == "Le don"
    assert adapter.preview(replace(MESSAGE, text="Le don", link=None)).folded_at is None


def test_a_card_is_that_of_the_first_link_and_needs_a_post_without_media(
    adapter: MastodonAdapter, tmp_path: Any
) -> None:
    message = replace(MESSAGE, text="www.a.fr https://b.fr et https://c.fr", link="https://d.fr")
    assert adapter.preview(message).card == "https://b.fr"
    assert adapter.preview(replace(message, text="Rien")).card == "https://d.fr"
    shown = adapter.preview(replace(message, media=(picture_at(tmp_path / "a.png"),), fields={"warning": "Sang"}))
    assert (shown.card, shown.notes) == (
        None,
        ("The warning hides the media too.", "Beside media, the link gets no card."),
    )


def test_what_the_server_tells_goes_before_what_is_usual(adapter: MastodonAdapter) -> None:
    message = Outgoing("x http://a.fr", "fr", NOW)
    unknown = adapter.preview(message)
    assert (unknown.used, unknown.most, len(unknown.notes)) == (25, 500, 1)
    there = replace(message, limits={"max_characters": 5000, "software": "gotosocial"})
    shown = adapter.preview(replace(there, fields={"warning": FAMILY}))
    assert (shown.used, shown.most, shown.unit, shown.notes) == (13 + len(FAMILY), 5000, "characters", ())


def test_what_is_too_long_is_shown_all_the_same(adapter: MastodonAdapter) -> None:
    shown = adapter.preview(replace(MESSAGE, text="é" * 501, link=None))
    assert (shown.used, shown.most) == (501, 500)


@given(TEXTS, TEXTS)
def test_no_text_breaks_a_preview(text: str, warning: str) -> None:
    adapter = MastodonAdapter(context_for(SERVER, TOKEN))
    shown = adapter.preview(warned(warning, text=text))
    assert 0 <= shown.used <= len(text) + len(warning) + 24 * (2 + text.count("://"))
    assert shown.folded_at is None or shown.text[: shown.folded_at] == f"{warning.strip()}\n"
