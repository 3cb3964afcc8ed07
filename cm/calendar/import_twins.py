"""The same words for different audiences, found in a whole file without folding every text.

Folding is dear, and nearly all texts differ already in what folding leaves alone: their digits and their ASCII
punctuation, in order (`skeleton`). Only texts that share a skeleton are fetched at the end, folded and compared.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any
from unicodedata import normalize

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.import_rows import Row
from cm.calendar.sql import POST
from cm.calendar.stored import chunks
from cm.checks.content import split_parts
from cm.checks.folding import folded_text
from cm.checks.rules import TwinPost, differing, twin_finding
from cm.config import Config

_LEFT_ALONE = b"0123456789!#$%&()*+,.:;?@[]_{|}"
"""Not letters, quotes, dashes, blanks or signs that Unicode takes apart (a not-equal sign): folding makes such."""
_OTHERS = bytes(set(range(128)) - set(_LEFT_ALONE))

Entry = tuple[int, int, str, str, tuple[str, ...]]
"""Post id, row, name, channel, audiences."""


def skeleton(text: str) -> bytes:
    """What folding leaves alone of a text: equal for two texts that read the same. Pure."""
    plain = text if text.isascii() else normalize("NFKC", text)
    return plain.encode("ascii", "ignore").translate(None, _OTHERS)


class TwinSearch:
    """Collects the posts of a file; lives in one write transaction."""

    def __init__(self, config: Config) -> None:
        self._served = {name: channel.audiences for name, channel in config.channels.items()}
        self._first: dict[bytes, Entry] = {}
        self._same: dict[bytes, list[Entry]] = {}
        """The others, by what they share with the first."""

    def add(self, row: Row, post_id: int, text: str, audiences: tuple[str, ...]) -> None:
        """A post that the file makes or means, with its text as it will be kept."""
        entry = (post_id, row.number, row.name, row.channel, audiences)
        mark = skeleton(text)
        if self._first.setdefault(mark, entry) is not entry:
            self._same.setdefault(mark, []).append(entry)

    def findings(self, session: Session) -> Iterator[dict[str, Any]]:
        """A finding for each text, with the row where it stands first. Asks the database for the texts in question."""
        groups = [[entry, *self._same[mark]] for mark, entry in self._first.items() if mark in self._same]
        groups = [same for same in groups if len({channel for _id, _row, _name, channel, _ in same}) > 1]
        marks = dict(_marks(session, [entry[0] for same in groups for entry in same]))
        by_words: dict[bytes, list[Entry]] = {}
        for same in groups:
            for entry in same:
                if mark := marks.get(entry[0]):
                    by_words.setdefault(mark, []).append(entry)
        for same in by_words.values():
            posts = [
                TwinPost(name, channel, readers, self._served[channel], "") for _, _, name, channel, readers in same
            ]
            alike = differing(posts) if len(posts) > 1 else []
            if alike:
                first = same[posts.index(alike[0])]
                yield {"row": first[1], "ref": first[2], **twin_finding(alike).as_json()}


def _marks(session: Session, ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """A hash of each post's folded words; none for a post without words."""
    for part in chunks(ids):
        for number, text in session.execute(sa.select(POST.c.id, POST.c.text).where(POST.c.id.in_(part))):
            if words := folded_text(" ".join(split_parts(text))):
                yield number, hashlib.blake2b(words.encode(), digest_size=16).digest()
