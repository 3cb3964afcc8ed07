"""What a platform does not take, told when a post is written: counted as the platform counts."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm.channels.platforms import Platform, platform
from cm.channels.port import Limits, MediaLimits
from cm.channels.x.counting import weighted
from cm.channels.x.glance import at_most
from cm.checks.content import compose
from cm.checks.formats import format_findings, sent_mime, source_of
from cm.model.facts import MediaContent, PostContent

READ = date(2026, 11, 21)
FAMILY = "👩‍👩‍👧‍👦"


def known(name: str) -> Platform:
    found = platform(name, name)
    assert found is not None
    return found


def content(text: str = "Bonjour", **values: Any) -> PostContent:
    given_ = {"channel": "here", "kind": "announcement", "language": "fr", "audiences": ("public",), **values}
    return compose(text=text, **given_)


def rules(post: PostContent, where: Platform) -> list[str]:
    return [finding.rule for finding in format_findings(post, where)]


def picture(n: int = 1, mime: str = "image/jpeg", alt: str = "") -> list[MediaContent]:
    return [MediaContent(f"{number}.jpg", "0" * 64, mime, alt) for number in range(n)]


@pytest.mark.row("S14")
def test_linkedin_takes_3000_characters_and_no_longer_text() -> None:
    assert rules(content("a" * 3000), known("linkedin")) == []
    assert rules(content("é" * 3000), known("linkedin")) == []
    assert rules(content("a" * 3001), known("linkedin")) == ["format.text_length"]


@pytest.mark.row("S5")
def test_x_weighs_and_facebook_does_not_mind() -> None:
    assert rules(content("a" * 280), known("x")) == []
    assert rules(content("a" * 281), known("x")) == ["format.text_length"]
    assert rules(content("a" * 281), known("facebook")) == []
    assert rules(content("é" * 280), known("x")) == []
    assert rules(content("漢" * 141), known("x")) == ["format.text_length"]
    assert rules(content(FAMILY * 140), known("x")) == []
    assert rules(content("a" * 256, link="https://hopital.fr/" + "b" * 200), known("x")) == []
    assert rules(content("a" * 257, link="https://hopital.fr/"), known("x")) == ["format.text_length"]


@pytest.mark.row("S12")
def test_each_network_judges_the_same_text_by_its_own_limit() -> None:
    verdicts = {
        length: [name for name in ("x", "mastodon", "bluesky") if rules(content("a" * length), known(name))]
        for length in (280, 281, 300, 301, 500, 501)
    }
    assert verdicts == {
        280: [],
        281: ["x"],
        300: ["x"],
        301: ["x", "bluesky"],
        500: ["x", "bluesky"],
        501: ["x", "mastodon", "bluesky"],
    }


def test_bluesky_counts_what_one_sees_and_bytes() -> None:
    assert rules(content(FAMILY * 119), known("bluesky")) == []
    assert rules(content("e\u0301" * 300), known("bluesky")) == []
    assert rules(content(FAMILY * 121), known("bluesky")) == ["format.text_bytes"]


def test_mastodon_counts_an_address_23_and_a_server_may_take_more() -> None:
    text = "a" * 470 + " https://hopital.example/" + "b" * 100
    assert rules(content(text), known("mastodon")) == []
    long = known("mastodon").for_account({"max_characters": 5000})
    assert rules(content("a" * 5000), long) == []
    assert rules(content("a" * 5001), long) == ["format.text_length"]


def test_a_paying_account_on_x_may_write_more() -> None:
    assert rules(content("a" * 281), known("x").for_account({"max_weighted": 25_000})) == []


def test_a_finding_says_how_much_too_much_and_where_that_stands() -> None:
    where = known("linkedin")
    (finding,) = format_findings(content("a" * 3010), where)
    assert finding.reason == "linkedin takes 3,000 characters, message 1 has 3,010: 10 too many."
    assert finding.source == f"{where.limits.source} ({where.limits.read_on.isoformat()})" == source_of(where.limits)
    assert finding.severity.value == "error"


def test_each_message_of_a_thread_is_counted_by_itself() -> None:
    post = content("a" * 290 + "\n---\n" + "b" * 310 + "\n---\nc")
    assert [finding.reason[:48] for finding in format_findings(post, known("bluesky"))] == [
        "bluesky takes 300 characters (signs as one sees "
    ]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (picture(4), []),
        (picture(5), ["format.media_count"]),
        (picture(1, "image/heic"), []),
        (picture(1, "video/mp4"), []),
        (picture(2, "video/mp4"), ["format.media_count"]),
        (picture(1, "video/quicktime"), ["format.media_type"]),
        (picture(1, alt="a" * 501), ["format.alt_length"]),
    ],
)
def test_media_are_counted_by_sort(media: list[MediaContent], expected: list[str]) -> None:
    pictures, films = MediaLimits(("image/jpeg",), count=4), MediaLimits(("video/mp4",), count=1)
    where = Platform("here", Limits("a page", READ, alt=500, images=pictures, video=films))
    assert rules(content(media=media), where) == expected


def test_a_title_has_its_length() -> None:
    where = Platform("here", Limits("a page", READ, title=100))
    assert rules(content(fields={"title": "a" * 100}), where) == []
    assert rules(content(fields={"title": "a" * 101}), where) == ["format.title_length"]


@pytest.mark.row("S13")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["film.title", "film.captions"]),
        ({"title": "La visite"}, ["film.captions"]),
        ({"title": "La visite", "captions": "visite.srt"}, []),
        ({"title": " ", "captions": "visite.srt"}, ["film.title"]),
    ],
)
def test_a_film_without_title_or_captions_is_reported(fields: dict[str, str], expected: list[str]) -> None:
    where = Platform("here", Limits("a page", READ, title=100, video=MediaLimits(("video/mp4",), count=1)))
    post = content(media=picture(1, "video/mp4"), fields=fields)
    assert [(f.rule, f.severity.value) for f in format_findings(post, where)] == [
        (rule, "warning") for rule in expected
    ]
    assert rules(content(fields=fields), where) == []


def test_what_only_the_adapter_knows_is_told_too() -> None:
    """Facebook has no threads; a sandbox that stands for it plays them."""
    thread = content("one\n---\ntwo")
    assert rules(thread, known("facebook")) == ["format.parent"]
    pretended = platform("facebook", "sandbox")
    assert pretended is not None
    assert rules(thread, pretended) == []


def test_a_first_comment_has_limits_of_its_own() -> None:
    assert rules(content(first_comment="a" * 1250), known("linkedin")) == []
    assert rules(content(first_comment="a" * 1251), known("linkedin")) == ["format.text"]


def test_of_an_unknown_platform_nothing_is_said() -> None:
    assert platform("viadeo", "outbox") is None
    assert platform("sandbox", "sandbox") is None


@pytest.mark.parametrize(
    ("mime", "taken", "sent"),
    [
        ("image/heic", ("image/png", "image/jpeg"), "image/jpeg"),
        ("image/heic", ("image/png",), "image/png"),
        ("image/png", ("image/png",), "image/png"),
        ("video/mp4", (), "video/mp4"),
    ],
)
def test_the_type_that_goes_out(mime: str, taken: tuple[str, ...], sent: str) -> None:
    assert sent_mime(mime, MediaLimits(taken)) == sent


UNITS = st.sampled_from(["characters", "graphemes", "weighted", "utf16", "bytes"])
PIECES = st.sampled_from(
    ["a", "é", "漢", FAMILY, "🇫🇷", " ", "https://a.example/b", "a.co ", "…", "\u0958", "x.y.org/z "]
)


@settings(deadline=None)  # the first weighing compiles its patterns
@given(st.lists(PIECES, max_size=80).map("".join), UNITS, st.none() | st.just(23))
def test_a_glance_never_says_that_what_is_too_long_fits(text: str, unit: Any, url: int | None) -> None:
    for most in (20, 100, 280):
        where = Platform("here", Limits("a page", READ, text=most, unit=unit, url=url))
        if where.surely_fits(text):
            assert where.length(text) <= most


PARTS = [
    "a",
    "a.co",
    "b.fr",
    "x.example",
    "https://",
    "http://",
    "/",
    "?q=1",
    "-",
    "_",
    ".",
    ",",
    " ",
    "é",
    "漢",
    "@",
    "#",
    ":8",
    "xn--p1ai",
    "www.",
    "0",
    "🇫🇷",
    "&",
    "t.co/ab",
    "(",
    ")",
    "\u200b",
    "：",
    "。",
]


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.sampled_from(PARTS), max_size=25).map("".join))
def test_the_glance_at_a_post_for_x_is_never_below_its_weight(text: str) -> None:
    assert at_most(text) >= weighted(text)


@given(st.text(max_size=60))
@settings(deadline=None)
def test_nor_is_it_for_any_text(text: str) -> None:
    assert at_most(text) >= weighted(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain words, two sentences. And a third.",
        "Read https://www.hopital.fr/urgences/enfants?utm_source=x now",
        "é" * 280,
    ],
)
def test_the_glance_is_exact_where_it_is_easy(text: str) -> None:
    assert at_most(text) == weighted(text)
