"""X's weighted length: the table of its configuration, properties, and agreement with the published parser."""

import importlib
import importlib.resources
import random
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_mastodon import LIMITS as MASTODON_LIMITS
from support_x import MESSAGE

from cm.channels.bluesky import limits as bluesky
from cm.channels.mastodon import limits as mastodon
from cm.channels.port import Rejected
from cm.channels.x import limits
from cm.channels.x.counting import LONGEST_URL, URL_WEIGHT, addresses, weighted
from cm.channels.x.domains import top_level

FAMILY, TECHNICIAN, SCOTLAND = "👨‍👩‍👧‍👦", "👩🏽‍🔬", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"


@pytest.mark.row("S5")
@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("ä", 1),
        ("a\u0308", 1),
        ("–", 1),
        ("„“‘’′", 5),
        ("\u00a0", 1),
        ("\u202f", 2),
        ("…•€‰→①", 12),
        ("日本語", 6),
        ("Привет", 6),
        ("\u10ff\u1100", 3),
        ("\u200d\u200e\u200f", 5),
        (FAMILY, 2),
        (TECHNICIAN, 2),
        (SCOTLAND, 2),
        ("🇫🇷🇧🇪", 4),
        ("🇦🇦", 4),
        ("🏥", 2),
        ("🏥🏽", 4),
        ("👍🏽", 2),
        ("🏳️‍🌈🏴‍☠️❤️‍🔥", 6),
        ("🧑‍🤝‍🧑👩‍❤️‍💋‍👨🕵️‍♀️", 6),
        ("1️⃣#⃣", 4),
        ("☎️ 112", 6),
        ("☎︎", 4),
        ("©®", 2),
        ("©️", 2),
        ("👨‍👩", 5),
        ("example.com is up", 29),
        ("https://example.org/a", 23),
        ("http://a.fr", 23),
        ("HTTPS://EXAMPLE.ORG/Ä?b=c#d", 23),
        ("https://example.org/a_(b).", 24),
        ("https://example.org/a, b", 26),
        ("example.com?x=1", 27),
        ("example.com/?x=1", 23),
        ("example.com:80", 26),
        ("example.com:80/", 23),
        ("service@example.org", 19),
        ("@example.com", 12),
        ("#example.com", 12),
        ("日本語example.com中国語", 35),
        ("https://日本語.jp/a", 23),
        ("voir.la.fiche", 29),
        ("example.notatld", 15),
        ("https://hopital.example/dons", 28),
        ("fin.Prochain", 12),
        ("https://t.co/AbCdEf1234", 23),
        ("https://t.co/AbC/d", 25),
        (f"https://t.co/{'a' * 41}", 54),
        ("https://a.fr/" + "a" * (LONGEST_URL - 13), 23),
        ("https://a.fr/" + "a" * (LONGEST_URL - 12), LONGEST_URL + 1),
    ],
)
def test_the_table(text: str, weight: int) -> None:
    assert weighted(text) == weight


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Voir https://example.org/a?b=c. Ou example.com!", ["https://example.org/a?b=c", "example.com"]),
        ("(https://example.org/a_(b))", ["https://example.org/a_(b)"]),
        ("ftp://example.org", []),
        ("écrire à service@example.org", []),
        ("18.30 h, art.12, p.ex", []),
    ],
)
def test_addresses_are_found_as_x_will_bill_them(text: str, found: list[str]) -> None:
    assert addresses(text) == found


@given(st.text())
def test_a_weight_is_between_none_and_double(text: str) -> None:
    normal = unicodedata.normalize("NFC", text)
    assert 0 <= weighted(text) <= 2 * len(normal) + URL_WEIGHT * len(addresses(text))
    assert weighted(text) == weighted(normal)
    assert bool(weighted(text)) == bool(text)


@given(
    st.text(st.characters(max_codepoint=0x10FF, exclude_characters=".", exclude_categories=("Mn", "Mc", "Lm", "Lo")))
)
def test_light_text_weighs_its_length(text: str) -> None:
    assert weighted(text) == len(unicodedata.normalize("NFC", text))


@given(st.text(), st.text())
def test_words_apart_weigh_what_they_weigh_alone(one: str, other: str) -> None:
    """A blank ends every address, emoji and character."""
    assert weighted(f"{one} {other}") == weighted(one) + 1 + weighted(other)


@given(st.from_regex(r"https://[a-z]{1,9}\.(fr|org)/[a-z0-9]{0,300}", fullmatch=True), st.text(min_size=0))
def test_an_address_weighs_the_same_whatever_its_length(address: str, before: str) -> None:
    assert weighted(f"{before} {address}") == weighted(before) + 1 + URL_WEIGHT


@pytest.mark.parametrize(
    "hostile",
    [
        "y." * 30_000,
        "a-." * 20_000,
        "a.fr/" + "(a(" * 20_000,
        ".fr" * 20_000,
        "日" * 60_000,
        "http://" * 9_000,
        "👨‍" * 20_000,
    ],
)
def test_hostile_text_is_counted_too(hostile: str) -> None:
    assert weighted(hostile) > 280


def test_top_level_domains_are_names() -> None:
    names = top_level()
    assert {"fr", "com", "paris", "museum", "中国", "рф"} <= names
    assert not any("." in name or name != name.lower() or name.startswith("xn--") for name in names)


# --- three platforms, one text ----------------------------------------------------------------------------------------


@pytest.mark.row("S12")
@pytest.mark.parametrize(
    ("length", "x", "fits_bluesky", "fits_mastodon"),
    [(280, True, True, True), (281, False, True, True), (301, False, False, True), (501, False, False, False)],
)
def test_each_platform_judges_the_same_text_by_its_own_limit(
    length: int, x: bool, fits_bluesky: bool, fits_mastodon: bool
) -> None:
    message = replace(MESSAGE, text="é" * length, link=None, limits=MASTODON_LIMITS)
    refusals: list[tuple[Callable[[Any], None], bool]] = [
        (limits.refuse, x),
        (bluesky.refuse, fits_bluesky),
        (mastodon.refuse, fits_mastodon),
    ]
    for refuse, fits in refusals:
        if fits:
            refuse(message)
        else:
            with pytest.raises(Rejected) as caught:
                refuse(message)
            assert caught.value.field == "text"


# --- the published parser ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parse_tweet() -> Callable[[str], Any]:
    """`twitter-text-parser`'s; the package asks `pkg_resources`, which setuptools no longer has, for one file."""
    stand_in = ModuleType("pkg_resources")
    stand_in.resource_string = lambda package, name: (  # type: ignore[attr-defined]
        importlib.resources.files(package.rpartition(".")[0]).joinpath(name).read_bytes()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pkg_resources", stand_in)
        return _parser()


def _parser() -> Callable[[str], Any]:
    """As the library it is a port of: that one refuses no name that Python's codec for names cannot write."""
    try:
        parse: Callable[[str], Any] = importlib.import_module("twitter_text").parse_tweet
    except ImportError:
        pytest.skip("needs the package twitter-text-parser 3.0.0")
    vars(importlib.import_module("twitter_text.extract_urls"))["idna_to_ascii"] = lambda name: name
    return parse


TOPS = ("com", "fr", "org", "museum", "co.uk", "中国", "xn--p1ai", "info", "notatld", "c", "рф")
PATHS = ("", "", "/", "/a", "/a/b.html", "/a_(b)", "/a(b", "/a.", "/é/ü?", "/Москва", "/a(b(c)d)", "/@x/", "/a@b")
QUERIES = ("", "", "?x=1", "?", "?a=b&c=d.", "?q=(x)", "#f")
EMOJI = (
    *(
        "👍",
        "👍🏽",
        "👩‍⚕️",
        "👨🏾‍🚒",
        FAMILY,
        "👨‍👩‍👦",
        "🇫🇷",
        "🇦🇦",
        "🏳️‍🌈",
        "🏴‍☠️",
        SCOTLAND,
        "1️⃣",
        "#⃣",
        "☎️",
        "☎",
        "❤️",
        "™",
        "🏥",
    ),
    *(
        "🏥🏽",
        "👨‍👩",
        "🕵️‍♀️",
        "⛹🏻‍♂️",
        "👩‍❤️‍💋‍👨",
        "😷️",
        "☎︎",
        "\u200d",
        "\ufe0f",
        "🏽",
        "🇫",
        "🤷🏻‍♀️",
        "🧖‍♂️",
        "🧟‍♀️",
        "👯‍♂️",
        "👨‍🦰",
        "👁",
    ),
)
BITS = ("@", "#", "$", ".", "/", '"', "(", ")", "@foo", "#tag", "$TSLA", " ", "\n", ",", "。", "、", "t.co", "e\u0301")
SHORT = ("https://t.co/abcDEF", "http://t.co/aaa/b", f"https://t.co/{'a' * 41}", "\u200e")
LETTERS = "abcéèœßñżАяعالم日本語ไทย한국-_0123ABC–—„“’€→①\u202f\u00a0"


def generated(count: int) -> list[str]:
    """Texts of words, addresses whole and broken, emoji and signs, run together; always the same ones."""
    chance = random.Random(20261122)

    def some(characters: str, most: int) -> str:
        return "".join(chance.choices(characters, k=chance.randint(1, most)))

    def address() -> str:
        host = ".".join(some("abcxyz-é0", 6) for _n in range(chance.randint(1, 3)))
        scheme, port = (
            chance.choice(of) for of in (("https://", "http://", "HTTPS://", "", "", "ftp://"), ("", ":80"))
        )
        return f"{scheme}{host}.{chance.choice(TOPS)}{port}{chance.choice(PATHS)}{chance.choice(QUERIES)}"

    makers = (
        lambda: some(LETTERS, 9),
        address,
        address,
        lambda: chance.choice(EMOJI),
        lambda: chance.choice(BITS + SHORT),
    )
    return [
        "".join(chance.choice(makers)() + chance.choice(("", " ", " ")) for _n in range(chance.randint(1, 8)))
        for _text in range(count)
    ]


@pytest.mark.row("S5")
def test_the_published_parser_agrees_on_a_thousand_texts(parse_tweet: Callable[[str], Any]) -> None:
    texts = generated(1000)
    assert len(set(texts)) > 950
    others = [(text, weighted(text), parse_tweet(text).weightedLength) for text in texts]
    assert [each for each in others if each[1] != each[2]] == []
    assert sum(bool(addresses(text)) for text in texts) > 300, "they hold addresses"
