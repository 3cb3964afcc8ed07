"""The index of posts' words: SQLite's FTS5, brought up to date by whoever searches.

Writing a post costs nothing for it: `post_words_rev` knows the revision at which each post was indexed, and a search
first indexes those that have another by now. Posts that are removed leave by themselves (a trigger); the former words
of a changed post leave with the next search. The index only marks what it no longer holds, so whoever takes out
words calls `purge` in the same transaction. Should terms ever be cut otherwise, a migration has to empty both tables.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.search_terms import Sought, query_of, terms_of
from cm.calendar.sql import ATTACHMENT, MESSAGE, POST, STORY
from cm.calendar.stored import chunks
from cm.env import Env
from cm.errors import Busy

PART = 5_000
"""So many posts are indexed in one transaction: others want to write too."""
_APART = " ¶ "
"""Between two fields: no term, so that nothing is found across."""

WORDS = sa.table("post_words", sa.column("rowid"), sa.column("said"), sa.column("about"), sa.column("post_words"))
"""`said`: text and first comment; `about`: everything else. The column named as the table is what MATCH asks."""
_INDEXED = sa.table("post_words_rev", sa.column("post_id"), sa.column("rev"))
_CHANGED = sa.or_(_INDEXED.c.rev.is_(None), _INDEXED.c.rev != POST.c.rev)
_BLANKS = 20
"""Characters by which short texts that read the same may differ in length."""
_OPENING = 12
"""So many terms tell most texts apart."""


@dataclass(frozen=True)
class Words:
    """All that is searched of one post, as (field, text), what it says first; `row`: its columns."""

    row: Any
    said: tuple[tuple[str, str], ...]
    about: tuple[tuple[str, str], ...]


def catch_up(env: Env, told: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Index what changed since the last search; gives the number of posts that are still to be indexed.

    These are more than none only if another program keeps the database to itself. `told` hears how many are done,
    of how many.
    """
    with env.store.read() as session:
        behind = _behind(session)
    done = 0
    for part in chunks(behind, PART):
        told(done, len(behind))
        try:
            with env.store.write_if_free() as session:
                _index(session, part)
        except Busy:
            break
        done += len(part)
    return len(behind) - done


def _behind(session: Session) -> list[int]:
    statement = (
        sa.select(POST.c.id)
        .join_from(POST, _INDEXED, _INDEXED.c.post_id == POST.c.id, isouter=True)
        .where(_CHANGED)
        .order_by(POST.c.id)
    )
    return list(session.execute(statement).scalars())


def may_say(session: Session, text: str) -> list[tuple[int, str]]:
    """Posts that may read the same as `text`, with their texts: those that begin with the same terms. Of posts that
    are not indexed yet, the newest few thousand of like length; and any with the very text.
    """
    near = sa.func.length(POST.c.text).between(len(text) * 3 // 4 - _BLANKS, len(text) * 4 // 3 + _BLANKS)
    statement = (
        sa.select(POST.c.id, POST.c.text)
        .join_from(POST, _INDEXED, _INDEXED.c.post_id == POST.c.id, isouter=True)
        .where(sa.or_(POST.c.text == text, sa.and_(_CHANGED, near)))
        .order_by((POST.c.text == text).desc(), POST.c.id.desc())
        .limit(PART)
    )
    found = [(row.id, row.text) for row in session.execute(statement)]
    if terms := tuple(terms_of(text)[:_OPENING]):
        match = WORDS.c.post_words.op("MATCH")(f"said : {query_of([Sought(terms)])}")
        known = sa.select(POST.c.id, POST.c.text).join_from(WORDS, POST, POST.c.id == WORDS.c.rowid).where(match)
        found += [(row.id, row.text) for row in session.execute(known)]
    return found


def purge(session: Session) -> None:
    """Take out of the index's files what was deleted from it: FTS5 keeps deleted terms until it happens to merge them.

    Costs about 0.2 s at 100,000 posts.
    """
    session.execute(sa.insert(WORDS).values(post_words="optimize"))


def _index(session: Session, post_ids: Collection[int]) -> None:
    replaced = False
    for part in chunks(post_ids):
        known = list(session.execute(sa.select(_INDEXED.c.post_id).where(_INDEXED.c.post_id.in_(part))).scalars())
        replaced = replaced or bool(known)
        session.execute(sa.delete(WORDS).where(WORDS.c.rowid.in_(known)))
        session.execute(sa.delete(_INDEXED).where(_INDEXED.c.post_id.in_(part)))
        found = load_words(session, part)
        rows = [{"rowid": number, "said": _terms(w.said), "about": _terms(w.about)} for number, w in found.items()]
        if rows:
            session.execute(sa.insert(WORDS), rows)
            session.execute(sa.insert(_INDEXED), [{"post_id": n, "rev": w.row.rev} for n, w in found.items()])
    if replaced:
        purge(session)


def _terms(fields: Iterable[tuple[str, str]]) -> str:
    return _APART.join(" ".join(terms_of(text)) for _name, text in fields)


def load_words(session: Session, post_ids: Collection[int]) -> dict[int, Words]:
    """The words of at most a thousand posts, by id."""
    columns = [POST.c[name] for name in _COLUMNS]
    statement = sa.select(*columns, STORY.c.ref.label("story"), STORY.c.title)
    rows = session.execute(statement.join_from(POST, STORY, isouter=True).where(POST.c.id.in_(post_ids))).all()
    alts = _alts(session, post_ids)
    return {row.id: _words(row, alts.get(row.id, ())) for row in rows}


_COLUMNS = (
    "id", "rev", "ref", "channel", "state", "scheduled_at", "wall", "zone", "text", "first_comment", "link", "theme",
    "campaign", "fields",
)  # fmt: skip


def _words(row: Any, alts: Iterable[str]) -> Words:
    title = row.title if row.title != row.story else None
    about = (
        *(("alt", alt) for alt in alts),
        *((name, getattr(row, name)) for name in ("link", "ref", "story")),
        ("story", title),
        *((name, getattr(row, name)) for name in ("theme", "campaign")),
        *(("fields", str(value)) for value in row.fields.values()),
    )
    said = (("text", row.text), ("first_comment", row.first_comment))
    return Words(row, tuple(f for f in said if f[1]), tuple((name, text) for name, text in about if text))


def _alts(session: Session, post_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    statement = (
        sa.select(MESSAGE.c.post_id, ATTACHMENT.c.alt)
        .join_from(ATTACHMENT, MESSAGE, ATTACHMENT.c.message_id == MESSAGE.c.id)
        .where(MESSAGE.c.post_id.in_(post_ids), ATTACHMENT.c.alt != "")
        .order_by(MESSAGE.c.post_id, MESSAGE.c.n, ATTACHMENT.c.position)
    )
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    for owner, alt in session.execute(statement):
        found[owner] += (alt,)
    return found
