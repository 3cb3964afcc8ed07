"""What the rules say of a post, and of the same words for different audiences."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm.checks.content import compose
from cm.checks.rules import TwinPost, error_findings, findings, twins
from cm.config import KINDS
from cm.model.facts import Finding, MediaContent, PostContent

PUBLIC = ("public", "families")
PRESS = ("institutions",)


def content(text: str = "Bonjour", **values: Any) -> PostContent:
    given_ = {"channel": "facebook", "kind": "announcement", "language": "fr", "audiences": ("public",), **values}
    return compose(text=text, **given_)


def said(post: PostContent) -> list[tuple[str, str]]:
    found = findings(post, required_fields=KINDS, channel_audiences=PUBLIC)
    return [(finding.rule, finding.severity.value) for finding in found]


def reasons(post: PostContent) -> str:
    return "\n".join(finding.reason for finding in findings(post, required_fields=KINDS, channel_audiences=PUBLIC))


def test_nothing_is_said_of_a_sound_post() -> None:
    assert said(content(link="https://hopital.example/a")) == []


@pytest.mark.row("S27")
@pytest.mark.parametrize(
    ("kind", "fields", "link", "missing"),
    [
        ("event", {}, None, ["event_date", "place"]),
        ("event", {"event_date": "2026-12-05"}, None, ["place"]),
        ("event", {"event_date": "2026-12-05", "place": "Hall"}, None, []),
        ("event", {"event_date": "2026-12-05", "place": "  "}, None, ["place"]),
        ("press_relay", {}, None, ["source", "link"]),
        ("press_relay", {"source": "La Gazette", "link": "https://a.example"}, None, ["link"]),
        ("press_relay", {"source": "La Gazette"}, "https://a.example/b", []),
        ("quiz", {}, None, ["answer"]),
        ("quiz", {"answer": "B"}, None, []),
        ("backstage", {}, None, []),
    ],
)
def test_each_kind_names_the_field_it_lacks(
    kind: str, fields: dict[str, str], link: str | None, missing: list[str]
) -> None:
    post = content(kind=kind, fields=fields, link=link)
    assert said(post) == [("kind.field_missing", "error")] * len(missing)
    assert all(f"{kind} needs {name}." in reasons(post) for name in missing)


@pytest.mark.parametrize("day", ["2026-11-31", "5 décembre", "20261205", "2026-W49-6", "05/12/2026"])
def test_the_date_of_an_event_is_a_day_of_the_calendar(day: str) -> None:
    post = content(kind="event", fields={"event_date": day, "place": "Hall"})
    assert said(post) == [("kind.event_date", "error")]
    assert day in reasons(post)


@pytest.mark.row("S6")
def test_an_unknown_kind_is_an_error() -> None:
    assert said(content(kind="gossip")) == [("kind.unknown", "error")]


@pytest.mark.row("S2")
def test_an_audience_the_channel_does_not_serve_is_named_with_the_channel() -> None:
    post = content(audiences=("public", "institutions"))
    assert said(post) == [("audience.not_served", "warning")]
    assert "institutions" in reasons(post)
    assert "facebook" in reasons(post)


def test_an_empty_text_needs_a_picture() -> None:
    picture = MediaContent("a.jpg", "0" * 64, "image/jpeg", "Un chat")
    assert said(content(" \n")) == [("text.empty", "error")]
    assert said(content("", media=[picture])) == []


def test_an_empty_part_of_a_thread_is_an_error() -> None:
    post = content("un\n---\n\n---\ntrois")
    assert said(post) == [("text.empty_part", "error")]
    assert "Part 2" in reasons(post)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"text": "a\0b"}, "text.nul"),
        ({"first_comment": "a\0b"}, "text.nul"),
        ({"fields": {"place": "a\0b"}}, "text.nul"),
        ({"text": "a\ud83eb"}, "text.surrogate"),
        ({"link": "javascript:alert(1)"}, "link.address"),
        ({"link": "www.hopital.example"}, "link.address"),
        ({"link": "https://hopital.example/a b"}, "link.address"),
        ({"link": "https://"}, "link.address"),
    ],
)
def test_what_cannot_be_sent_is_an_error(values: dict[str, Any], rule: str) -> None:
    assert said(content(**values)) == [(rule, "error")]


def test_errors_are_told_from_warnings() -> None:
    post = content("", audiences=("institutions",))
    found = findings(post, required_fields=KINDS, channel_audiences=PUBLIC)
    assert [finding.rule for finding in error_findings(found)] == ["text.empty"]


# --- the same words for different audiences ---------------------------------------------------------------------------


def post(name: str, text: str, channel: str = "facebook", audiences: tuple[str, ...] = ("public",)) -> TwinPost:
    return TwinPost(name, channel, audiences, PUBLIC if channel == "facebook" else PRESS, text)


def press(name: str, text: str) -> TwinPost:
    return post(name, text, "twitter", ("institutions",))


@pytest.mark.row("S3")
def test_the_same_text_for_two_audiences_names_both() -> None:
    found = twins([post("fb-1", "Le forum  ouvre À midi."), press("p12", "le FORUM ouvre à midi.\n")])
    assert [(finding.rule, finding.severity.value) for finding in found] == [("text.twin", "warning")]
    assert "fb-1 (facebook: public)" in found[0].reason
    assert "p12 (twitter: institutions)" in found[0].reason


def test_own_words_or_one_channel_are_no_twins() -> None:
    assert twins([post("a", "Bonjour"), press("b", "Madame, Monsieur")]) == ()
    assert twins([post("a", "Bonjour"), post("b", "Bonjour", audiences=("families",))]) == ()
    assert twins([post("a", ""), press("b", "")]) == ()


def test_two_channels_for_the_same_people_may_say_the_same() -> None:
    other = TwinPost("b", "instagram", ("public",), PUBLIC, "Bonjour")
    assert twins([post("a", "Bonjour"), other]) == ()
    families = TwinPost("b", "instagram", ("families",), PUBLIC, "Bonjour")
    assert len(twins([post("a", "Bonjour"), families])) == 1


def test_many_twins_are_one_finding_that_stays_short() -> None:
    (found,) = twins([press("x", "Bonjour"), *(post(f"fb-{n}", "Bonjour") for n in range(500))])
    assert "496 more" in found.reason
    assert len(found.reason) < 400


@settings(deadline=None)
@given(st.text(), st.text())
def test_twins_do_not_depend_on_the_order(one: str, other: str) -> None:
    def rules(found: tuple[Finding, ...]) -> list[str]:
        return [finding.rule for finding in found]

    first, second = post("a", one), press("b", other)
    assert rules(twins([first, second])) == rules(twins([second, first]))
