"""Stories by ref and the occurrences of posts in them; and ids, which are given before their rows are written."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import META, POST, STORY, BulkInsert
from cm.calendar.stored import chunks
from cm.env import Env


class Numbering:
    """Stories by ref, made where they are missing, and the next free occurrence of each on each channel.

    An occurrence is given once, when a post is made or joins the story, and never computed again.
    Lives in one write transaction.
    """

    def __init__(self, session: Session, env: Env) -> None:
        self._session = session
        self._now = env.now
        self._ids: dict[str, int] = {}
        self._highest: dict[str, dict[int, int]] = defaultdict(dict)

    def learn(self, refs: Iterable[str | None]) -> None:
        """Look up these stories and make the missing ones, all at once."""
        wanted = [ref for ref in dict.fromkeys(refs) if ref and ref not in self._ids]
        for part in chunks(wanted):
            self._ids |= self._look_up(part)
            self._make([ref for ref in part if ref not in self._ids])

    @cached_property
    def _insert(self) -> BulkInsert:
        return BulkInsert(self._session, STORY, ("id", "ref", "title", "created_at"))

    def _make(self, refs: list[str]) -> None:
        if refs:
            numbered = list(enumerate(refs, start=next_id(self._session, STORY)))
            now = self._insert.driver_value("created_at", self._now)
            self._insert.write([(number, ref, ref, now) for number, ref in numbered])
            self._ids |= {ref: number for number, ref in numbered}

    def place(self, ref: str | None, channel: str) -> tuple[int | None, str]:
        """The story's id and the next free occurrence in it; for a post without story None and "1"."""
        if ref is None:
            return None, "1"
        if ref not in self._ids:
            self.learn([ref])
        story = self._ids[ref]
        highest = self._highest[channel]
        number = highest[story] = highest.get(story, 0) + 1
        return story, str(number)

    def _look_up(self, refs: list[str]) -> dict[str, int]:
        statement = sa.select(STORY.c.ref, STORY.c.id).where(STORY.c.ref.in_(refs))
        ids: dict[str, int] = {row.ref: row.id for row in self._session.execute(statement)}
        if not ids:
            return ids
        taken = sa.select(POST.c.story_id, POST.c.channel, POST.c.occurrence).where(POST.c.story_id.in_(ids.values()))
        for story, channel, occurrence in self._session.execute(taken):
            if occurrence.isdecimal():
                highest = self._highest[channel]
                highest[story] = max(highest.get(story, 0), int(occurrence))
        return ids


def next_id(session: Session, table: sa.Table) -> int:
    """One more than the highest id that a table has, or had before its newest rows were removed."""
    highest = session.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one()
    gone = session.execute(sa.select(META.c.value).where(META.c.key == _gone(table))).scalar_one_or_none()
    return max(int(highest), int(gone or 0)) + 1


def retire_id(session: Session, table: sa.Table, number: int) -> None:
    """Never give that id, or one below it, to a new row: logs and people's notes go on speaking of the old one."""
    mine = META.c.key == _gone(table)
    known = session.execute(sa.select(META.c.value).where(mine)).scalar_one_or_none()
    if known is None:
        session.execute(sa.insert(META).values(key=_gone(table), value=str(number)))
    elif int(known) < number:
        session.execute(sa.update(META).where(mine).values(value=str(number)))


def _gone(table: sa.Table) -> str:
    return f"removed {table.name}"
