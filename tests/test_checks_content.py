"""The hashes of a content: they are kept for years, so they never change."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from cm.checks.content import SENT_FIELDS, compose, content_hash, fingerprint, folded
from cm.model.facts import MediaContent

TEXTS = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ['"', "\\", "\ud800", "l’été\n--- \nß ﬁ", "\0"]
)
MEDIA = st.builds(MediaContent, path=st.just("a.jpg"), sha256=TEXTS, mime=st.just("image/jpeg"), alt=TEXTS)


def sha256_of_json(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


@given(TEXTS, TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.lists(MEDIA, max_size=3))
def test_hashes_are_those_of_the_json_of_what_is_sent(
    channel: str, language: str, text: str, link: str | None, comment: str | None, media: list[MediaContent]
) -> None:
    content = compose(
        channel=channel,
        kind="news",
        language=language,
        audiences=(),
        text=text,
        link=link,
        first_comment=comment,
        media=media,
    )
    messages = [[m.n, m.role, m.text, m.link, [[f.sha256, f.alt] for f in m.media]] for m in content.messages]
    assert content_hash(content) == sha256_of_json([channel, language, "public", messages])
    for message in content.messages:
        assert fingerprint(message) == sha256_of_json([folded(message.text), message.link, len(message.media)])


def test_a_hash_that_was_kept_is_found_again() -> None:
    content = compose(
        channel="facebook", kind="news", language="fr", audiences=(), text="L’été  arrive", link="https://x.example/1"
    )
    assert content_hash(content) == "da4a59ed55c68fc5f54b0952259355d3699378391fdad6a073efb772fec3f3d7"
    assert fingerprint(content.messages[0]) == "40586ecf44c31fdb9b9e40661a38af5a4e9fd42f5402d6f6391dc9431c2d1a11"


def test_fields_that_a_platform_shows_are_part_of_what_is_sent() -> None:
    """A title, a warning or captions that are changed meet the gate as a changed text does; a place does not."""

    def hashed(**fields: str) -> str:
        given_ = {"channel": "tube", "kind": "event", "language": "fr", "audiences": ["public"], "text": "Bonjour"}
        return content_hash(compose(**given_, fields=fields))

    plain = hashed()
    assert hashed(place="Hall", event_date="2026-12-05") == plain
    assert hashed(title="") == plain
    changed = {hashed(**{name: value}) for name in SENT_FIELDS for value in ("A", "B")}
    assert len(changed | {plain}) == 2 * len(SENT_FIELDS) + 1
