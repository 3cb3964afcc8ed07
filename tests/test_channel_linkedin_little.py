"""LinkedIn's "little text": what is written is what people read, whole, whatever it holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_linkedin import shown

from cm.channels.linkedin.little import RESERVED, escape, linkable, read, unescape, visible

MENTION = "@[CHU d’Angers](urn:li:organization:2414183)"
PIECES = (
    *RESERVED,
    *" \né1",
    "@[a_b](urn:li:person:x_1)",
    "@[A](urn:li:organization:12)",
    "#tag",
    "#a_b",
    r"{hashtag|\#|x}",
    "https://x.example/a_(b)~#c_",
    "https://",
    "urn:li:person:a",
)
texts = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@settings(deadline=None)
@given(texts)
def test_escaping_is_undone_exactly(text: str) -> None:
    assert unescape(escape(text)) == text


@settings(deadline=None)
@given(texts)
def test_no_bracket_ever_cuts_the_text(text: str) -> None:
    """As another parser reads it, the one of the pretend server."""
    assert shown(escape(text)) == visible(text)
    assert shown(escape(linkable(text))) == visible(linkable(text))


@settings(deadline=None)
@given(texts)
def test_reading_and_writing_agree(text: str) -> None:
    assert read(escape(text)) == visible(text)


@settings(deadline=None)
@given(texts)
def test_addresses_are_written_once(text: str) -> None:
    assert linkable(linkable(text)) == linkable(text)


@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("Bonjour", "Bonjour"),
        ("Infirmier(ère) [H/F]", r"Infirmier\(ère\) \[H/F\]"),
        (r"a\b", r"a\\b"),
        ("un <b> & *deux* ~3~ {4} |5|", r"un \<b\> & \*deux\* \~3\~ \{4\} \|5\|"),
        ("don@hopital.example", r"don\@hopital.example"),
        ("#DonDuSang et #été2026", "#DonDuSang et #été2026"),
        ("(#DonDuSang)", r"\(#DonDuSang\)"),
        ("#don_du_sang", r"{hashtag|\#|don\_du\_sang}"),
        ("n° #1, C# et a#b", r"n° \#1, C\# et a\#b"),
        (f"Merci {MENTION} !", f"Merci {MENTION} !"),
        ("@[A_B](urn:li:person:x-_9)", r"@[A\_B](urn:li:person:x-_9)"),
        ("@[A](urn:li:share:1)", r"\@\[A\]\(urn:li:share:1\)"),
        ("@[A](urn:li:organization:1", r"\@\[A\]\(urn:li:organization:1"),
    ],
)
def test_what_is_sent(text: str, commentary: str) -> None:
    assert escape(text) == commentary


@pytest.mark.parametrize(
    ("commentary", "text"),
    [
        ("{hashtag|#|Technology}", "#Technology"),
        (r"{hashtag|\#|don\_du\_sang}", "#don_du_sang"),
        (f"Hello {MENTION}", "Hello CHU d’Angers"),
        (r"@[A \(B\)](urn:li:organization:1)", "A (B)"),
        ("unescaped (brackets) of a post by hand", "unescaped (brackets) of a post by hand"),
        ("{hashtag|#|", "{hashtag|#|"),
    ],
)
def test_what_people_read(commentary: str, text: str) -> None:
    assert read(commentary) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://x.example/a?utm_source=b", "https://x.example/a?utm%5Fsource=b"),
        ("(voir https://x.example/a_b).", "(voir https://x.example/a%5Fb)."),
        ("https://x.example/Paris_(ville)", "https://x.example/Paris%5F%28ville%29"),
        ("(https://x.example/Paris_(ville))", "(https://x.example/Paris%5F%28ville%29)"),
        ("https://x.example/~a#haut_", "https://x.example/%7Ea#haut_"),
        ("a_b https://x.example c_d", "a_b https://x.example c_d"),
    ],
)
def test_addresses_hold_no_reserved_sign_but_one(text: str, written: str) -> None:
    assert linkable(text) == written
