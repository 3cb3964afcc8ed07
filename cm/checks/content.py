"""What of a post is sent, split into messages, and the hashes that hold on to it.

The content hash covers channel, language, visibility, and each message's text, link and media (bytes
and alt text) as sent; not the time. The gate compares it with what was checked and prepared.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from cm.model.facts import MediaContent, MessageContent, PostContent

PART_LINE = "---"
_PARTS = re.compile(r"^---[ \t]*$", re.MULTILINE)


def split_parts(text: str) -> list[str]:
    """The parts of a thread: separated by lines `---`; blank space around each is dropped."""
    if PART_LINE not in text:
        return [text.strip()]
    return [part.strip() for part in _PARTS.split(text)]


def compose(
    *,
    channel: str,
    kind: str,
    language: str,
    audiences: Sequence[str],
    text: str,
    link: str | None = None,
    first_comment: str | None = None,
    media: Sequence[MediaContent] = (),
    visibility: str = "public",
    fields: Mapping[str, str] | None = None,
) -> PostContent:
    """A post as it will be sent: link and media go with part 1, the first comment comes last."""
    parts = split_parts(text)
    messages = [
        MessageContent(n, part, link if n == 1 else None, "part", tuple(media) if n == 1 else ())
        for n, part in enumerate(parts, start=1)
    ]
    if first_comment:
        messages.append(MessageContent(len(parts) + 1, first_comment.strip(), None, "comment"))
    return PostContent(channel, kind, language, tuple(audiences), tuple(messages), link, visibility, dict(fields or {}))


SENT_FIELDS = ("captions", "card_description", "card_title", "title", "warning")
"""Fields of a post that platforms show; the others are for us."""


def content_hash(content: PostContent) -> str:
    """SHA-256 (hex) over everything that is sent. A post without such fields has the hash that it always had."""
    head = f"{_quoted(content.channel)},{_quoted(content.language)},{_quoted(content.visibility)}"
    shown = [f"{_quoted(name)}:{_quoted(content.fields[name])}" for name in SENT_FIELDS if content.fields.get(name)]
    beside = f",{{{','.join(shown)}}}" if shown else ""
    return _sha256(f"[{head},[{','.join(map(_as_sent, content.messages))}]{beside}]")


def _as_sent(message: MessageContent) -> str:
    """A message as JSON, as `digest` would write it, but without its encoder, which costs more than the hash."""
    media = [f"[{_quoted(medium.sha256)},{_quoted(medium.alt)}]" for medium in message.media]
    return f"[{message.n},{_quoted(message.role)},{_quoted(message.text)},{_or_null(message.link)},[{','.join(media)}]]"


def _or_null(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def fingerprint(message: MessageContent) -> str:
    """What makes two messages of an account look alike there: normalised text, link, number of media."""
    return _sha256(f"[{_quoted(folded(message.text))},{_or_null(message.link)},{len(message.media)}]")


def folded(text: str) -> str:
    """NFKC, casefold, blanks folded: what fingerprints are made of. It never changes, since they are kept.

    Searches and comparisons of wordings fold further, see `cm.checks.folding`.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


_quoted = json.encoder.encode_basestring
"""A text as `_encode` writes it."""
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def digest(value: object) -> str:
    """SHA-256 (hex) of a JSON value, written in one way only."""
    return _sha256(_encode(value))


def _sha256(written: str) -> str:
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
