"""`cm find`: posts by their words, blind to accents, case and shapes of signs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.filter_words import split
from cm.calendar.filters import chosen
from cm.calendar.search_index import WORDS, Words, catch_up, load_words
from cm.calendar.search_terms import Place, Sought, excerpt, joined, places, query_of, sought
from cm.calendar.sql import POST
from cm.checks.folding import fold
from cm.env import Env
from cm.errors import UsageError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState

LIMIT = 50


@dataclass(frozen=True)
class Hit:
    """A post that was found. `spans`: where, in `text`, which is what the post has in `field`.

    `excerpt`: one line around the first of them, in pieces, with True for those that are hits.
    """

    id: str
    ref: str | None
    channel: str
    state: PostState
    scheduled_at: datetime | None
    wall: str | None
    field: str
    text: str
    spans: tuple[tuple[int, int], ...]
    excerpt: tuple[tuple[str, bool], ...]

    def as_json(self) -> dict[str, Any]:
        """One item of `hits`; spans are code points of `text`."""
        return {
            "id": self.id,
            "ref": self.ref,
            "channel": self.channel,
            "state": self.state.value,
            "scheduled_at": self.scheduled_at.isoformat() if self.scheduled_at else None,
            "field": self.field,
            "text": self.text,
            "excerpt": "".join(piece for piece, _hit in self.excerpt),
            "spans": [list(span) for span in self.spans],
        }


@dataclass(frozen=True)
class Found:
    """The first hits and the number of all. `unindexed`: posts that could not be looked at now."""

    hits: tuple[Hit, ...]
    total: int
    unindexed: int = 0

    def as_json(self) -> dict[str, Any]:
        """The shape of `find`."""
        return {"hits": [hit.as_json() for hit in self.hits], "total": self.total, "unindexed": self.unindexed}


def find(
    env: Env,
    words: Sequence[str],
    *,
    limit: int = LIMIT,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Found:
    """The posts that hold all the words: those that say them first, then those that are about them; the newest first.

    Words such as `state:missed` are filters. `told` hears of the progress of indexing. Raises UsageError (nothing to
    look for, a filter that cannot be read), NotFound (a channel).
    """
    tokens = [word for word in words if split(word)]
    wanted = sought([word.encode("utf-8", "replace").decode() for word in words if not split(word)])
    if not wanted:
        raise UsageError(
            _("There is no word to look for."),
            hint=_("Give words, e.g. `cm find portes ouvertes`; to filter alone, `cm post list`."),
        )
    among = chosen(env, tokens) if tokens else None
    unindexed = catch_up(env, told)
    with env.store.read() as session:
        ids, total = _matching(session, wanted, among, limit)
        found = load_words(session, ids)
    return Found(tuple(_hit(env, found[number], wanted) for number in ids), total, unindexed)


def _matching(
    session: Session, wanted: Sequence[Sought], among: sa.Select[Any] | None, limit: int
) -> tuple[list[int], int]:
    """The ids of the first hits, and the number of all."""
    query = query_of(wanted)
    match = WORDS.c.post_words.op("MATCH")
    said = sa.select(WORDS.c.rowid).where(match(f"said : ({query})"))
    statement = (
        sa.select(POST.c.id, sa.func.count().over().label("total"))
        .join_from(WORDS, POST, POST.c.id == WORDS.c.rowid)
        .where(match(query))
        .order_by(POST.c.id.in_(said).desc(), POST.c.scheduled_at.desc(), POST.c.id.desc())
        .limit(limit)
    )
    if among is not None:
        statement = statement.where(POST.c.id.in_(among))
    rows = session.execute(statement).all()
    return [row.id for row in rows], rows[0].total if rows else 0


def _hit(env: Env, words: Words, wanted: Sequence[Sought]) -> Hit:
    row = words.row
    field, text, found = _best((*words.said, *words.about), wanted)
    zone = ZoneInfo(row.zone) if row.zone else env.zone
    spans = joined(found)
    return Hit(
        id=post_id(row.id),
        ref=row.ref,
        channel=row.channel,
        state=row.state,
        scheduled_at=row.scheduled_at.astimezone(zone) if row.scheduled_at else None,
        wall=row.wall,
        field=field,
        text=text,
        spans=spans,
        excerpt=excerpt(text, spans),
    )


def _best(fields: Iterable[tuple[str, str]], wanted: Sequence[Sought]) -> tuple[str, str, list[Place]]:
    """The field in which most of the search stands, the first of such."""
    looked = [(name, text, places(fold(text), wanted)) for name, text in fields]
    return max(looked, key=lambda one: len({place.sought for place in one[2]}), default=("text", "", []))
