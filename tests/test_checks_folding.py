"""The folded copy: what reads the same is the same, and every place of it is shown in the original."""

from unicodedata import combining, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cm.checks.content import folded
from cm.checks.folding import clusters, fold, folded_text
from cm.checks.pasted import cleaned

TRICKY = "eE\u0301\u0300éÉœŒßﬁ𝐀Ａ ’'«»“”—-\u2011 \u00a0\u202f\n\t\u200b\u00ad\u200d\ufe0f👩⚕❤🏽🇫🇷½①ªŀİı·️क्षि한か\u3099"
texts = st.text(st.sampled_from(TRICKY), max_size=30) | st.text(max_size=30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Étudiantes", "etudiantes"),
        ("cœur", "COEUR"),
        ("e\u0301te\u0301", "été"),
        ("l’hôpital", "l'hopital"),
        ("« Bravo »", '" bravo "'),
        ("2020–2021 — fin", "2020-2021 - fin"),
        ("à\u202fbientôt\u00a0!", "a bientot !"),
        ("  deux\n\n lignes\t", "deux lignes"),
        ("in\u00advi\u200bsible", "invisible"),
        ("𝐆𝐫𝐚𝐬 ﬁn ＡＢＣ", "gras fin abc"),
        ("Straße", "STRASSE"),
        ("Łódź Ærø þing", "lodz aero thing"),
        ("étudiant·e·s", "etudiantes"),
        ("İstanbul ısı", "istanbul isi"),
        ("❤️", "❤"),
    ],
)
def test_what_reads_the_same_is_the_same(one: str, other: str) -> None:
    assert folded_text(one) == folded_text(other)


@pytest.mark.parametrize(
    ("one", "other"), [("père", "mère"), ("du", "de"), ("a b", "ab"), ("👩", "👨"), ("कि", "का"), ("か", "き")]
)
def test_what_reads_otherwise_is_not(one: str, other: str) -> None:
    assert folded_text(one) != folded_text(other)


@given(texts)
@example("a\u0301\uff9e")
@example("\u0344\u0f73क्\uff9e")
def test_the_quick_way_and_the_way_with_places_agree(text: str) -> None:
    assert fold(text).text == folded_text(text)


@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    clean = cleaned(text).text
    once = folded_text(clean)
    assert folded_text(once) == once
    assert folded_text(folded(clean)) == once


@given(texts)
def test_the_copy_does_not_depend_on_how_it_is_composed(text: str) -> None:
    assert folded_text(normalize("NFC", text)) == folded_text(normalize("NFD", text)) == folded_text(text)


@given(texts)
def test_places_are_in_order_and_within_the_original(text: str) -> None:
    copy = fold(text)
    assert len(copy.spans) == len(copy.text)
    for (start, end), (later, further) in zip(copy.spans, copy.spans[1:], strict=False):
        assert start <= later
        assert end <= further
    assert all(0 <= start < end <= len(text) for start, end in copy.spans)


@given(texts)
def test_whatever_is_not_in_the_copy_is_unseen(text: str) -> None:
    copy = fold(text)
    shown = {place for start, end in copy.spans for place in range(start, end)}
    assert folded_text("".join(sign for place, sign in enumerate(text) if place not in shown)) == ""


@given(texts, st.data())
def test_a_piece_of_the_copy_is_that_piece_of_the_original(text: str, data: st.DataObject) -> None:
    copy = fold(text)
    if not copy.text:
        return
    start = data.draw(st.integers(0, len(copy.text) - 1))
    end = data.draw(st.integers(start + 1, len(copy.text)))
    first, last = copy.original(start, end)
    assert copy.text[start:end].strip() in folded_text(text[first:last])
    edges = {edge for piece in clusters(text) for edge in piece}
    assert {first, last} <= edges


def test_a_word_is_found_where_it_stands() -> None:
    text = "👩‍⚕️ L’e\u0301tudiante\u00a0: « cœur » ❤️‍🔥 ﬁn"
    copy = fold(text)
    for word, shown in [
        ("etudiante", "e\u0301tudiante"),
        ("coeur", "cœur"),
        ("oeu", "œu"),
        ("👩", "👩‍⚕️"),
        ("fin", "ﬁn"),
        ("i", "ﬁ"),
    ]:
        at = copy.text.rindex(word)
        first, last = copy.original(at, at + len(word))
        assert text[first:last] == shown


def test_places_outside_the_copy_are_refused() -> None:
    for start, end in [(0, 0), (0, 4), (-1, 2), (2, 1)]:
        with pytest.raises(ValueError, match="no span"):
            fold("été").original(start, end)


@given(texts)
def test_pieces_cover_the_text_and_cut_no_character(text: str) -> None:
    pieces = list(clusters(text))
    assert "".join(text[start:end] for start, end in pieces) == text
    for start, _end in pieces[1:]:
        assert not combining(text[start])
        assert text[start] not in "\u200d\ufe0f🏽"


@pytest.mark.parametrize(
    "emoji",
    [
        "👩‍⚕️",
        "👨‍👩‍👧‍👦",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🇫🇷",
        "👍🏽",
        "1️⃣",
        "❤️‍🔥",
        "🏳️‍🌈",
    ],
)
def test_an_emoji_is_one_piece(emoji: str) -> None:
    text = f"a{emoji}b{emoji}{emoji}"
    assert [text[start:end] for start, end in clusters(text)] == ["a", emoji, "b", emoji, emoji]
