"""Telling a story: several posts written at once, and a post rewritten as a whole. One transaction, one step to undo.

What will be written can be rehearsed: everything is done as it would be, looked at, and rolled back.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar import derivatives, planning, steps, stored
from cm.calendar.drafting import NewPost, PostChanges, Spec, spec_of
from cm.calendar.posts import put, refuse_locked, replan, require_open, reword
from cm.calendar.sql import POST, STORY
from cm.calendar.stored import StoredPost
from cm.calendar.views import PostView, load_views
from cm.calendar.writing import ORDINARY, Marks
from cm.env import Env
from cm.errors import CmError, Refused
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState

STORY_REF_LENGTH = 40

_Written = tuple[int, tuple[str, ...]]
"""A post's number and what is to be said of it."""


@dataclass(frozen=True)
class Rewriting:
    """What a post is to become. `rev`: the revision that was looked at; None for any. `wall`: its new local time, if
    it gets one."""

    ident: str
    changes: PostChanges
    wall: datetime | None = None
    over: str | None = None
    rev: int | None = None


# --- several posts of one story ---------------------------------------------------------------------------------------


def tell(
    env: Env,
    told: Sequence[NewPost],
    *,
    over: str | None = None,
    draft: bool = False,
    walls: Sequence[str | None] | None = None,
    marks: Marks = ORDINARY,
) -> list[PostView]:
    """Plan these posts, all or none, each at its local time or in the next open slot (its view's `notes` say which).

    Several that name no story become one, called after the first words. `over`, `draft` and `marks` as in
    `cm.calendar.posts.put`; `walls`: the local times that the person was shown. Raises, for the first post that is
    refused: Refused (past, day full, no slot, channel closed, ref taken, a time that was not shown), NotFound,
    UsageError.
    """
    over = planning.given_reason(over)
    specs = [_open_spec(env, new) for new in told]
    with env.store.write() as session:
        story = _common_story(session, told)
        written = [
            _put(session, env, new, replace(spec, story=spec.story or story), over, draft, marks)
            for spec, new in zip(specs, told, strict=True)
        ]
        steps.record_step(session, env, "post.add", created=[number for number, _notes in written])
        views = _views(session, env, written)
        _require_shown(views, walls or [view.wall for view in views])
        return views


def noting_same_words(env: Env, view: PostView) -> PostView:
    """The view with a note if its channel says these very words already."""
    with env.store.read() as session:
        known = said_before(session, view.channel, view.text, but=int(view.id[1:]))
    if known is None:
        return view
    said = _("{id} on {channel} has the very same text.").format(id=known, channel=view.channel)
    return replace(view, notes=(*view.notes, said))


def _require_shown(views: Sequence[PostView], walls: Sequence[str | None]) -> None:
    """The posts get the times that were said; slots may have been taken, freed or passed since."""
    for view, shown in zip(views, walls, strict=True):
        if view.wall != shown:
            said = _("The next open slot of {channel} is no longer {shown} but {now}.")
            raise Refused(
                said.format(channel=view.channel, shown=_spoken(shown), now=_spoken(view.wall)),
                hint=_("Nothing was written. Look at the new time, then save."),
            )


def _spoken(wall: str | None) -> str:
    return (wall or "–").replace("T", " ")


def rehearse(
    env: Env, told: Sequence[NewPost], *, over: str | None = None, draft: bool = False
) -> list[PostView | CmError]:
    """What `tell` would make of each of these posts, or why it would refuse it. Nothing is kept.

    Ids are those that the posts would get now.
    """
    over = planning.given_reason(over)
    with env.store.write() as session:
        story = _common_story(session, told)
        written = [_tried(session, env, new, story, over, draft) for new in told]
        views = iter(_views(session, env, [one for one in written if not isinstance(one, CmError)]))
        session.rollback()
    return [one if isinstance(one, CmError) else next(views) for one in written]


def _tried(
    session: Session, env: Env, new: NewPost, story: str | None, over: str | None, draft: bool
) -> _Written | CmError:
    try:
        spec = _open_spec(env, new)
        return _put(session, env, new, replace(spec, story=spec.story or story), over, draft)
    except CmError as error:
        return error


def _put(
    session: Session, env: Env, new: NewPost, spec: Spec, over: str | None, draft: bool, marks: Marks = ORDINARY
) -> _Written:
    number, notes = put(session, env, spec, new.wall, over=over, draft=draft, marks=marks)
    return number, (*new.notes, *derivatives.notes(env, spec.channel, spec.media), *notes)


def _open_spec(env: Env, new: NewPost) -> Spec:
    spec = spec_of(env, new)
    require_open(env.config, spec.channel)
    return spec


def _views(session: Session, env: Env, written: Sequence[_Written]) -> list[PostView]:
    """The posts as they are shown, in the order in which they were written."""
    views = {int(view.id[1:]): view for view in load_views(session, env, [n for n, _notes in written], widely=True)}
    return [replace(views[number], notes=notes) for number, notes in written]


def _common_story(session: Session, told: Sequence[NewPost]) -> str | None:
    """Posts told together are one story, even if nobody has given it a name; None where it needs none."""
    if len(told) < 2 or any(new.story for new in told):
        return None
    return _free_story(session, story_ref(told[0].text))


def story_ref(text: str) -> str:
    """The first words of a text as a ref: `portes-ouvertes-samedi`; `story` where there are none. Pure."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    plain = unicodedata.normalize("NFKD", first.casefold()).encode("ascii", "ignore").decode()
    ref = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        longer = f"{ref}-{word}" if ref else word
        if len(longer) > STORY_REF_LENGTH:
            break
        ref = longer
    return ref or "story"


def _free_story(session: Session, ref: str) -> str:
    like = sa.select(STORY.c.ref).where(STORY.c.ref.startswith(ref, autoescape=True))
    taken = set(session.execute(like).scalars())
    number = 1
    while (name := ref if number == 1 else f"{ref}-{number}") in taken:
        number += 1
    return name


def said_before(session: Session, channel: str, text: str, *, but: int | None = None) -> str | None:
    """The id of a post of that channel (`but`: of another one) that says these very words; None if there is none."""
    same = sa.select(POST.c.id).where(
        POST.c.channel == channel, POST.c.text == text, POST.c.id != (but or 0), POST.c.state != PostState.CANCELLED
    )
    found = session.execute(same.limit(1)).scalar_one_or_none()
    return post_id(found) if found and text.strip() else None


# --- one post as a whole ----------------------------------------------------------------------------------------------


def look(env: Env, ident: str) -> StoredPost:
    """A post that may be rewritten. Raises NotFound, or Refused if it has left or may have."""
    with env.store.read() as session:
        post = stored.find(session, ident)
        refuse_locked(post, _("edited"))
        return post


def rewrite(env: Env, work: Rewriting) -> PostView:
    """Change the words and the time of a post together.

    Raises what `edit` and `move` raise, and Refused if it is no longer at the revision that was looked at.
    """
    with env.store.write() as session:
        return _rewritten(session, env, work)


def rehearse_rewriting(env: Env, work: Rewriting) -> PostView:
    """What `rewrite` would make of it. Nothing is kept. Raises as that does."""
    with env.store.write() as session:
        found = _rewritten(session, env, work)
        session.rollback()
    return found


def _rewritten(session: Session, env: Env, work: Rewriting) -> PostView:
    post = stored.find(session, work.ident)
    refuse_locked(post, _("edited"))
    if work.rev not in (None, post.rev):
        raise Refused(
            _("{id} was changed while you were writing.").format(id=post.name),
            hint=_(
                "Nothing was overwritten. Quit, look at it (cm post show {id}), then go on: what differs is shown."
            ).format(id=post.name),
        )
    before = steps.images(session, [post.id])
    if work.changes.model_fields_set:
        reword(session, env, post, work.changes)
    notes = replan(session, env, post, work.wall, planning.given_reason(work.over)) if work.wall else ()
    steps.record_step(session, env, "post.edit", before=before)
    view = _views(session, env, [(post.id, (*work.changes.notes, *notes))])[0]
    drawn = derivatives.notes(env, view.channel, view.media) if "media" in work.changes.model_fields_set else ()
    return replace(view, notes=(*view.notes, *drawn))
