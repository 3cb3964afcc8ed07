"""How platforms count: signs, bytes and units."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.channels.counting import clusters, graphemes, utf8, utf16

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
JOINED = st.lists(
    st.sampled_from(["👩‍👩‍👧‍👦", "🇫🇷", "e\u0301", "👍🏽", "a", "\r\n", "한", "🏳️‍🌈", "1\ufe0f\u20e3", "नि"]), max_size=40
)


@pytest.mark.parametrize(
    ("text", "signs", "eights", "sixteens"),
    [
        ("", 0, 0, 0),
        ("plain", 5, 5, 5),
        ("été", 3, 5, 3),
        ("e\u0301te\u0301", 3, 7, 5),
        ("👍", 1, 4, 2),
        ("👍🏽", 1, 8, 4),
        ("👩‍👩‍👧‍👦", 1, 25, 11),
        ("🇫🇷🇩🇪", 2, 16, 8),
        ("🏳️‍🌈", 1, 14, 6),
        ("a\r\nb", 3, 4, 4),
        ("\n\r", 2, 2, 2),
        ("한국", 2, 6, 2),
        ("½ 37 °C", 7, 9, 7),
    ],
)
def test_the_same_text_counts_differently(text: str, signs: int, eights: int, sixteens: int) -> None:
    assert (graphemes(text), utf8(text), utf16(text)) == (signs, eights, sixteens)


@given(TEXTS)
def test_counts_agree_with_the_encodings(text: str) -> None:
    assert utf8(text) == len(text.encode())
    assert utf16(text) == len(text.encode("utf-16-le")) // 2
    assert graphemes(text) <= len(text) <= utf16(text) <= utf8(text) or not text


@given(TEXTS)
def test_clusters_lose_nothing_and_are_what_is_counted(text: str) -> None:
    pieces = clusters(text)
    assert "".join(pieces) == text
    assert len(pieces) == graphemes(text)


@given(JOINED)
def test_each_whole_sign_is_one_even_beside_others(signs: list[str]) -> None:
    text = "\u200b".join(signs)  # a separator, so that two flags are not read as other flags
    assert graphemes(text) == len(signs) + max(0, len(signs) - 1)


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_short_way_for_ascii_is_exact(text: str) -> None:
    assert graphemes(text) == len(clusters(text))


def test_half_a_character_is_counted_not_a_fault() -> None:
    assert (graphemes("a\ud83d"), utf8("a\ud83d"), utf16("a\ud83d")) == (2, 4, 2)


def test_counting_is_light_to_import() -> None:
    code = "import sys, cm.channels.counting as c; c.graphemes('plain'); sys.exit('regex' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
