"""Stories by ref and the occurrences of posts in them."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import POST, STORY
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
        self._highest: dict[tuple[int, str], int] = {}

    def learn(self, refs: Iterable[str | None]) -> None:
        """Look up these stories and make the missing ones, all at once."""
        wanted = [ref for ref in dict.fromkeys(refs) if ref and ref not in self._ids]
        for part in chunks(wanted):
            known = self._look_up(part)
            missing = [ref for ref in part if ref not in known]
            if missing:
                rows = [{"ref": ref, "title": ref, "created_at": self._now} for ref in missing]
                self._session.execute(sa.insert(STORY), rows)
                known |= self._look_up(missing)
            self._ids |= known

    def place(self, ref: str | None, channel: str) -> tuple[int | None, str]:
        """The story's id and the next free occurrence in it; for a post without story None and "1"."""
        if ref is None:
            return None, "1"
        if ref not in self._ids:
            self.learn([ref])
        story = self._ids[ref]
        number = self._highest.get((story, channel), 0) + 1
        self._highest[story, channel] = number
        return story, str(number)

    def _look_up(self, refs: list[str]) -> dict[str, int]:
        statement = sa.select(STORY.c.ref, STORY.c.id).where(STORY.c.ref.in_(refs))
        ids: dict[str, int] = {row.ref: row.id for row in self._session.execute(statement)}
        taken = sa.select(POST.c.story_id, POST.c.channel, POST.c.occurrence).where(POST.c.story_id.in_(ids.values()))
        for story, channel, occurrence in self._session.execute(taken):
            if occurrence.isdecimal():
                key = (story, channel)
                self._highest[key] = max(self._highest.get(key, 0), int(occurrence))
        return ids
