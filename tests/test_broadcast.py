"""One urgent text on every channel: a valid variant on each, the words always the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.calendar.broadcast import TextLimit, limit_of, variant
from cm.errors import Refused

LINK = "https://hopital.example/urgence"
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf"]), min_size=1, max_size=30
)
ADDRESS = st.from_regex(r"https?://[a-z]{3,12}\.example/[a-z0-9?=&]{0,20}", fullmatch=True)
BLANK = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\u00a0", ". ", "! ", "\u202f: "])
LIMITS = st.builds(TextLimit, st.integers(90, 600), st.sampled_from([None, 23]), st.booleans())


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Words and addresses with all sorts of blanks between them; no line is the sign between two parts."""
    words = draw(st.lists(PLAIN | ADDRESS, min_size=1, max_size=60))
    return "".join(word + draw(BLANK) for word in words).replace("---", "–").strip() or "x"


def parts_of(written: str) -> list[str]:
    return written.split("\n---\n")


def unnumbered(parts: list[str]) -> list[str]:
    """The parts without their numbers, which must be there and right."""
    bare = []
    for n, part in enumerate(parts, start=1):
        mark = f" ({n}/{len(parts)})"
        assert part.endswith(mark)
        bare.append(part.removesuffix(mark))
    return bare


@pytest.mark.row("S115")
@given(texts(), LIMITS, st.none() | st.just(LINK))
def test_every_word_stays_in_order_within_the_limit(text: str, limit: TextLimit, link: str | None) -> None:
    try:
        parts = parts_of(variant(text, limit, link))
    except Refused:
        pieces = re.split(r"[ \n]+", text)
        assert any(limit.length(f"{piece}\n{link or ''}") > limit.most - 12 for piece in pieces)
        return
    for n, part in enumerate(parts):
        sent = f"{part}\n{link}" if link and n == 0 and link not in part else part
        assert limit.length(sent) <= limit.most
        assert limit.weighted or len(sent) <= limit.most
    bare = unnumbered(parts) if len(parts) > 1 else parts
    assert " ".join(bare).split() == text.split()
    for address in re.findall(r"https?://\S+", text):
        assert any(address in part.split() for part in bare)


@given(texts(), st.integers(700, 5000))
def test_a_text_that_fits_is_left_as_it_is(text: str, most: int) -> None:
    limit = TextLimit(most)
    if len(text) <= most:
        assert variant(text, limit) == text
    assert variant(text, None) == text


def test_it_is_split_between_sentences_before_words() -> None:
    text = "Le bâtiment B est évacué. Les urgences restent ouvertes.\nPoint d'étape à 19 h ici même."
    assert parts_of(variant(text, TextLimit(70))) == [
        "Le bâtiment B est évacué. Les urgences restent ouvertes. (1/2)",
        "Point d'étape à 19 h ici même. (2/2)",
    ]


def test_french_punctuation_never_begins_a_part() -> None:
    written = variant("mot " * 12 + "attention\u00a0: danger", TextLimit(64))
    assert "attention\u00a0: danger (2/2)" in parts_of(written)[1] or "attention\u00a0:" in written
    assert not any(part.startswith(":") for part in parts_of(written))


def test_a_thread_as_written_keeps_its_parts() -> None:
    text = "one two three\n---\n" + "word " * 20
    assert variant(text, TextLimit(500)) == text
    parts = unnumbered(parts_of(variant(text, TextLimit(60))))
    assert parts[0] == "one two three"
    assert " ".join(parts).split() == text.replace("---", "").split()


def test_what_cannot_be_split_is_refused_and_named() -> None:
    with pytest.raises(Refused, match="too long for one message"):
        variant("short " + "https://hopital.example/" + "a" * 90, TextLimit(80))


def test_x_counts_addresses_as_23_and_emoji_as_two() -> None:
    x = limit_of("x", {}, None)
    assert x is not None
    assert x.length("https://hopital.example/a/very/long/address/indeed") == 23
    assert x.length("chu.example") == 23
    assert x.length("🚒") == 2
    assert x.length("Évacué à 18 h") == 13


def test_what_was_measured_counts_before_what_is_usual() -> None:
    assert limit_of("mastodon", {"max_characters": 5000, "characters_reserved_per_url": 30}, 90) == TextLimit(5000, 30)
    assert limit_of("mastodon", {}, None) == TextLimit(500, 23)
    assert limit_of("facebook", {}, 280) == TextLimit(280)
    assert limit_of("x", {}, 280) == TextLimit(280, 23)
    assert limit_of("facebook", {}, None) is None
