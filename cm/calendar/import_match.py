"""Which post a row of an import means: by ref, by id, by channel and local time, or by its text."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar import stored
from cm.calendar.import_rows import Row
from cm.calendar.sql import POST
from cm.calendar.stored import StoredPost
from cm.model.states import PostState

Place = tuple[str, object]

LAID_ASIDE = frozenset({PostState.DRAFT, PostState.CANCELLED})
"""Posts that nobody plans to send: a row that says something else is another post."""


class Matcher:
    """Finds the posts of the rows of one file; lives in one write transaction.

    A row with a ref or id means that post. A row without stands for the next post, by id, of its channel
    and local time that no other row has meant, one with the same text first; one without a time, for the next
    of its channel that has the same text. If the file has a column `ref`, such rows mean only posts without
    ref: the others are called by name. What any row calls by its id (`named`), and posts made by this very
    import (`first_new` and later), are nobody else's; a draft or cancelled post is met only by its own text.
    """

    def __init__(
        self, session: Session, *, has_refs: bool, first_new: int, named: Callable[[], Collection[int]]
    ) -> None:
        """`named` reads the whole file, and is asked only where a row without name needs it."""
        self._session = session
        self._ask_named = named
        self._has_refs = has_refs
        self._first_new = first_new
        self.meant: dict[int, int] = {}
        """Post id → the row that means it."""

    def match(self, rows: Sequence[Row]) -> Iterator[tuple[Row, StoredPost | None]]:
        """Each row with its post, or None where there is none; a few statements for all of them."""
        by_ref = stored.load_refs(self._session, [row.ref for row in rows if row.ref])
        by_id = stored.load_ids(self._session, [row.id for row in rows if row.id and row.id <= stored.LARGEST_ID])
        nameless = [row for row in rows if not row.ref and row.id is None]
        by_time = self._at_times([row for row in nameless if row.plan])
        by_text = self._with_texts([row for row in nameless if not row.plan])
        for row in rows:
            if row.ref:
                yield row, by_ref.get(row.ref)
            elif row.id is not None:
                yield row, by_id.get(row.id)
            elif row.plan:
                yield row, self._next(by_time[row.channel, row.plan.wall], row)
            else:
                yield row, self._next(by_text[row.channel, row.values.get("text")], row)

    @cached_property
    def _named(self) -> Collection[int]:
        return self._ask_named()

    def _next(self, posts: Sequence[StoredPost], row: Row) -> StoredPost | None:
        free = [post for post in posts if post.id not in self.meant]
        same = (post for post in free if post.spec.text == row.values.get("text"))
        return next(same, None) or next((post for post in free if post.state not in LAID_ASIDE), None)

    def _at_times(self, rows: Sequence[Row]) -> dict[Place, list[StoredPost]]:
        days = {row.plan.wall.date() for row in rows if row.plan}
        return self._candidates(rows, POST.c.day.in_(days), lambda post: post.wall)

    def _with_texts(self, rows: Sequence[Row]) -> dict[Place, list[StoredPost]]:
        texts = {row.values.get("text") for row in rows}
        return self._candidates(rows, POST.c.text.in_(texts), lambda post: post.spec.text)

    def _candidates(
        self, rows: Sequence[Row], where: sa.ColumnElement[bool], key: Callable[[StoredPost], object]
    ) -> dict[Place, list[StoredPost]]:
        found: dict[Place, list[StoredPost]] = defaultdict(list)
        if not rows:
            return found
        conditions = [where, POST.c.channel.in_({row.channel for row in rows}), POST.c.id < self._first_new]
        if self._has_refs:
            conditions.append(POST.c.ref.is_(None))
        for post in stored.load(self._session, sa.and_(*conditions)):
            if post.id in self._named:
                continue
            found[post.spec.channel, key(post)].append(post)
        return found
