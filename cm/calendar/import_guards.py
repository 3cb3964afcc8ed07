"""What stands between a row and a post: newer work of somebody else, refs and texts that a spreadsheet has spoilt,
and what a change costs."""

from collections.abc import Iterable
from functools import cached_property
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.losses import damage, lost, mangled, without_zeros
from cm.calendar.sql import CHANGE, CHANGED_POST, POST
from cm.calendar.stored import StoredPost
from cm.clock import Resolved
from cm.i18n import _

VERB = "calendar.import"
"""What an import is called among the acts and the steps."""


class KnownRefs:
    """The refs that a spreadsheet may have cut the zeros off; lives in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def _padded(self) -> dict[str, str]:
        refs = self._session.execute(sa.select(POST.c.ref).where(POST.c.ref.like("0%"))).scalars()
        return {ref.lstrip("0"): ref for ref in refs if ref and ref.isdigit()}

    def spoilt(self, ref: str) -> str | None:
        """Why a ref that no post has is no new one."""
        if ref.isdigit():
            return without_zeros(ref, self._padded)
        return mangled(ref)


def outdated(session: Session, actor: str, post: StoredPost, rev: int | None) -> bool:
    """Was the post changed since revision `rev`, otherwise than by the actor's own imports?

    Whoever works on in one file and imports it again overwrites nothing but what came out of that file.
    """
    if rev is None or rev >= post.rev:
        return False
    statement = (
        sa.select(CHANGED_POST.c.rev)
        .join_from(CHANGE, CHANGED_POST, CHANGE.c.id == CHANGED_POST.c.change_id)
        .where(CHANGED_POST.c.post_id == post.id, CHANGE.c.verb == VERB, CHANGE.c.actor == actor)
    )
    return not set(session.execute(statement).scalars()).issuperset(range(rev + 1, post.rev + 1))


def newer(session: Session, zone: ZoneInfo, post: StoredPost) -> str:
    """That the post was changed after the file was written: when, and by whom if that is known."""
    statement = (
        sa.select(CHANGE.c.actor)
        .join_from(CHANGE, CHANGED_POST, CHANGE.c.id == CHANGED_POST.c.change_id)
        .where(CHANGED_POST.c.post_id == post.id, CHANGED_POST.c.rev == post.rev, CHANGE.c.undone_at.is_(None))
        .limit(1)
    )
    who = session.execute(statement).scalar_one_or_none()
    when = f"{post.updated_at.astimezone(zone):%Y-%m-%d %H:%M}"
    said = _("{id} was changed on {when}, after this file was exported; export it again and put your changes into that")
    if who:
        said = _(
            "{id} was changed by {who} on {when}, after this file was exported; export it again and put your changes "
            "into that"
        )
    return said.format(id=post.name, when=when, who=who)


def spoilt(changes: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Columns whose change is no edit but a loss on the way, with the reason. Pure."""
    found = []
    for column, before, after in changes:
        why = lost(before, after) or (None if after.isascii() or damage(before) else damage(after))
        if why:
            found.append((column, why))
    return found


def costs(post: StoredPost, plan: Resolved | None) -> list[str]:
    """What a revision takes away besides what it changes. Pure."""
    if plan is None or not post.over_reason or plan.wall.date() == post.day:
        return []
    said = _("{id} leaves its day; the reason for which that day held one more ({reason}) goes with it")
    return [said.format(id=post.name, reason=post.over_reason)]
