"""What stands between a row and a post: newer work of somebody else, refs and texts that a spreadsheet has spoilt,
and what a change costs."""

from collections.abc import Iterable
from functools import cached_property
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.import_rows import Row
from cm.calendar.losses import damage, lost, mangled, without_zeros
from cm.calendar.sql import CHANGE, CHANGED_POST, POST
from cm.calendar.stored import StoredPost
from cm.clock import Resolved
from cm.env import Env
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.words import state_word

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


def lost_name(session: Session, row: Row) -> str | None:
    """Why a row that was exported from a post, and now means none, must not become a copy of it; None if it may.

    A revision stands only in exported rows, and these have a name. In a workspace that has no such post (a calendar
    that moves house) its rows are new posts.
    """
    if not row.ref:
        return _("the row has a revision but no ref: put its ref back, or empty its rev to plan a new post")
    if row.plan is None:
        return None
    there = sa.select(POST.c.id).where(
        POST.c.channel == row.channel,
        POST.c.day == row.plan.wall.date(),
        POST.c.wall == row.plan.wall.isoformat(timespec="minutes"),
        POST.c.text == row.values.get("text"),
        POST.c.state != PostState.CANCELLED,
    )
    found = session.execute(there.limit(1)).scalar_one_or_none()
    if found is None:
        return None
    said = _("{id} says the same at that time: put its ref back, or empty rev to plan a copy")
    return said.format(id=post_id(found))


def conflict(session: Session, env: Env, post: StoredPost, rev: int | None) -> str | None:
    """Why a row of revision `rev` may not change its post; None if it may, and where the row names no revision.

    Whoever works on in one file and imports it again overwrites nothing but what came out of that file.
    """
    if rev is None or rev == post.rev:
        return None
    if rev > post.rev:
        said = _("{id} stands at revision {now}, and the row was made from revision {rev}; export it again")
        return said.format(id=post.name, now=post.rev, rev=rev)
    if _own(session, env.actor.key, post).issuperset(range(rev + 1, post.rev + 1)):
        return None
    return _newer(session, env.zone, post)


def _own(session: Session, actor: str, post: StoredPost) -> set[int]:
    """The revisions of a post that the actor's imports made, and those that taking them back made."""
    was = CHANGED_POST.c.before["rev"].as_integer()
    statement = (
        sa.select(was + 1, CHANGED_POST.c.rev, CHANGE.c.undone_at)
        .join_from(CHANGE, CHANGED_POST, CHANGE.c.id == CHANGED_POST.c.change_id)
        .where(CHANGED_POST.c.post_id == post.id, CHANGE.c.verb == VERB, CHANGE.c.actor == actor, was.is_not(None))
    )
    found = set()
    for made, left_at, undone_at in session.execute(statement):
        # of a step that stands, what it was left at may be the work of an undo by somebody else
        found |= {made} if undone_at is None else {made, left_at}
    return found


def _newer(session: Session, zone: ZoneInfo, post: StoredPost) -> str:
    """That the post was changed after the file was written: when, and by whom if that is known."""
    statement = (
        sa.select(CHANGE.c.actor)
        .join_from(CHANGE, CHANGED_POST, CHANGE.c.id == CHANGED_POST.c.change_id)
        .where(CHANGED_POST.c.post_id == post.id, CHANGED_POST.c.rev == post.rev, CHANGE.c.undone_at.is_(None))
        .where(CHANGED_POST.c.before["rev"].as_integer() + 1 == post.rev)  # else an undo has left it at this
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
    """What a revision takes away besides what it changes, and what a new time does not bring about. Pure."""
    if plan is None:
        return []
    found = []
    if post.over_reason and plan.wall.date() != post.day:
        said = _("{id} leaves its day; the reason for which that day held one more ({reason}) goes with it")
        found.append(said.format(id=post.name, reason=post.over_reason))
    if post.state is not PostState.SCHEDULED:
        said = _("{id} stays {state} and is not sent by itself; to plan it: cm move {id} --at {at}")
        at = plan.wall.isoformat(timespec="minutes")
        found.append(said.format(id=post.name, state=state_word(post.state), at=at))
    return found
