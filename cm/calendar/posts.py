"""Single posts: put, edit, move, cancel, show, list. Each is one transaction, but `put` (see `cm.calendar.telling`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.actions import record
from cm.calendar import derivatives, planning, stored
from cm.calendar.cleaning import findable
from cm.calendar.drafting import PostChanges, Spec, changed, composed, keep_inside, unknown_channel
from cm.calendar.filters import chosen, meant_for
from cm.calendar.numbering import Numbering
from cm.calendar.rewriting import Reviser, Revision
from cm.calendar.sql import POST, STORY
from cm.calendar.steps import images, record_step
from cm.calendar.stored import StoredPost
from cm.calendar.views import PostView, load_view, load_views
from cm.calendar.writing import ORDINARY, Marks, PostWriter
from cm.clock import Resolved, Week
from cm.config import Config
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.formats import labelled
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import LOCKED, PostState
from cm.model.words import state_word
from cm.store.posts import transition

MOVABLE = frozenset({PostState.DRAFT, PostState.FAILED, PostState.MISSED, PostState.CANCELLED})
"""States from which a move makes a post scheduled; a scheduled one stays so."""
CANCELLABLE = MOVABLE - {PostState.CANCELLED} | {PostState.SCHEDULED}


def get_post(session: Session, ident: str) -> StoredPost:
    """The post called `p212` or by its ref. Raises NotFound."""
    return stored.find(session, ident)


# --- put --------------------------------------------------------------------------------------------------------------


def put(
    session: Session,
    env: Env,
    spec: Spec,
    wall: datetime | None,
    *,
    over: str | None = None,
    draft: bool = False,
    marks: Marks = ORDINARY,
) -> tuple[int, tuple[str, ...]]:
    """Plan a post for an open channel at its local time, or in the next open slot (an urgent one at once), in the
    caller's transaction; gives its number and the notes on its time.

    `draft`: it waits without being scheduled, at the time given or at none. `over`: why the day may
    hold one post more than its bound; such a post counts. Raises Refused (past, day full, no slot, ref taken, an
    internal post on a channel that others read).
    """
    require_free_ref(session, spec.ref)
    if not draft:
        keep_inside(env.config, spec)
    plan, notes = _first_plan(session, env, spec.channel, wall, draft=draft, urgent=marks.urgent)
    reason = None if draft or not plan or not marks.in_quota else _room(session, env, spec.channel, plan, over)
    writer = PostWriter(session, env, Numbering(session, env))
    state = PostState.DRAFT if draft else PostState.SCHEDULED
    number = writer.add(spec, composed(spec), state=state, plan=plan, over_reason=reason, marks=marks)
    writer.flush()
    detail = what_of(spec.channel, plan) | {name: True for name in ("urgent", "crisis") if getattr(marks, name)}
    record(session, env, "post.add", post_id(number), why=reason, detail=detail)
    return number, notes


def _first_plan(
    session: Session, env: Env, channel: str, wall: datetime | None, *, draft: bool, urgent: bool
) -> tuple[Resolved | None, tuple[str, ...]]:
    if wall is None and draft:
        return None, ()
    if wall is None and urgent:
        return planning.plan_now(env), ()
    return planned(session, env, channel, wall)


def require_open(config: Config, channel: str) -> None:
    """Posts are planned for channels that are there and not closed. Raises NotFound, Refused."""
    if channel not in config.channels:
        raise unknown_channel(config, channel)
    facts = config.channels[channel]
    if facts.state == "closed":
        hint = _("Use {successor}, which took over.").format(successor=facts.successor) if facts.successor else ""
        raise Refused(_("The channel {channel} is closed.").format(channel=channel), hint=hint)


def require_free_ref(session: Session, ref: str | None) -> None:
    """No post bears that ref yet. Raises Refused."""
    taken = ref and session.execute(sa.select(POST.c.id).where(POST.c.ref == ref)).scalar_one_or_none()
    if taken:
        raise Refused(
            _("The ref {ref!r} is taken by {id}.").format(ref=ref, id=post_id(taken)),
            hint=_("Choose another ref, or change that post with `cm post edit`."),
        )


def planned(
    session: Session, env: Env, channel: str, wall: datetime | None, *, moving: int | None = None
) -> tuple[Resolved, tuple[str, ...]]:
    """The plan for a local time, or the next open slot, and what is to be said of it."""
    if wall is not None:
        plan = planning.plan_at(env, wall)
        return plan, planning.notes_of([(plan, wall)])
    plan = planning.slot_book(session, env, channel, moving=moving).next_open()
    shown = plan.wall.isoformat(sep=" ", timespec="minutes")
    said = _("Next open slot of {channel}: {shown}.").format(channel=channel, shown=shown)
    return plan, (said, *planning.notes_of([(plan, None)]))


def _room(session: Session, env: Env, channel: str, plan: Resolved, over: str | None) -> str | None:
    return planning.require_room(session, env, channel, plan.wall.date(), over)


def what_of(channel: str, plan: Resolved | None) -> dict[str, Any]:
    """What the action log keeps of a plan."""
    return {"channel": channel, "scheduled_at": plan.instant.isoformat() if plan else None}


# --- edit, move, cancel -----------------------------------------------------------------------------------------------


def edit(env: Env, ident: str, changes: PostChanges, *, crisis: bool | None = None) -> PostView:
    """Change what is written; time and state stay. Nothing is written if nothing differs. `crisis`: set or take off
    the mark with which a post passes holds.

    Raises Refused: the post has left or may have, a part of it is out, the ref is taken.
    """
    with env.store.write() as session:
        post = get_post(session, ident)
        before = images(session, [post.id])
        if changes.model_fields_set:
            reword(session, env, post, changes)
        if crisis is not None:
            _mark_crisis(session, env, post, crisis)
        record_step(session, env, "post.edit", before=before)
        view = load_view(session, env, post.id)
        drawn = derivatives.notes(env, view.channel, view.media) if "media" in changes.model_fields_set else ()
        return replace(view, notes=(*changes.notes, *drawn))


def _mark_crisis(session: Session, env: Env, post: StoredPost, crisis: bool) -> None:
    """Let a post pass every hold, or no longer. Raises Refused for one that has left or may have."""
    refuse_locked(post, _("edited"))
    other = sa.update(POST).where(POST.c.id == post.id, POST.c.crisis.is_(not crisis))
    values = {"crisis": crisis, **_touched(env)}
    result = session.execute(other.values(**values).execution_options(synchronize_session=False))
    if result.rowcount:  # type: ignore[attr-defined]
        record(session, env, "post.crisis", post.name, detail={"crisis": crisis})


def reword(session: Session, env: Env, post: StoredPost, changes: PostChanges) -> bool:
    """As `edit`, in the caller's transaction; False if nothing differs."""
    refuse_locked(post, _("edited"))
    if post.spec.channel not in env.config.channels:
        raise unknown_channel(env.config, post.spec.channel)
    spec = changed(env, post.spec, changes)
    if spec == post.spec:
        return False
    if post.state != PostState.DRAFT and spec.audiences != post.spec.audiences:
        keep_inside(env.config, spec)
    if spec.ref != post.spec.ref:
        require_free_ref(session, spec.ref)
    refused = Reviser(session, env, Numbering(session, env)).revise([Revision(post, spec)])
    if refused:
        raise Refused(labelled(post.name, f"{refused[post.id]}."), hint=_("Nothing was changed."))
    record(session, env, "post.edit", post.name, detail={"changed": sorted(changes.model_fields_set)})
    return True


def move(env: Env, ident: str, wall: datetime | None, *, over: str | None = None, dry_run: bool = False) -> PostView:
    """Plan a post for a local time, or for the next open slot; whatever rests (draft, failed, missed, cancelled)
    is scheduled by it.

    What held it back is forgotten (back-off, reason). `dry_run`: only tell what would become of it. Raises Refused
    as `put` does, if the channel is closed, and for posts that have left or may have.
    """
    over = planning.given_reason(over)
    with env.store.write() as session:
        post = get_post(session, ident)
        before = images(session, [post.id])
        notes = replan(session, env, post, wall, over)
        record_step(session, env, "post.move", before=before)
        view = load_view(session, env, post.id)
        if dry_run:
            session.rollback()
    return replace(view, notes=notes)


def replan(
    session: Session, env: Env, post: StoredPost, wall: datetime | None, over: str | None = None
) -> tuple[str, ...]:
    """As `move`, in the caller's transaction; gives the notes on the new time."""
    refuse_locked(post, _("moved"))
    require_open(env.config, post.spec.channel)
    plan, notes = planned(session, env, post.spec.channel, wall, moving=post.id)
    reason = _reason_to_move(session, env, post, plan, over)
    reschedule(session, env, post, plan, reason)
    record(session, env, "post.move", post.name, why=reason, detail=what_of(post.spec.channel, plan))
    return notes


def _reason_to_move(session: Session, env: Env, post: StoredPost, plan: Resolved, over: str | None) -> str | None:
    """Why the new day may hold it if it is full; within its own day a post that counts takes no new room."""
    if not post.in_quota:
        return None
    if post.state == PostState.SCHEDULED and post.day == plan.wall.date():
        return post.over_reason
    return _room(session, env, post.spec.channel, plan, over)


def reschedule(session: Session, env: Env, post: StoredPost, plan: Resolved, over_reason: str | None) -> None:
    """Write a new plan for a post that has not left; it is scheduled by it, and what held it back is forgotten.

    Raises Refused for an internal post on a channel that others read, and for one of which parts were taken down.
    """
    keep_inside(env.config, post.spec)
    if post.withdrawal is not None:
        said = _("{id} was taken down: what is left of it does not go out.").format(id=post.name)
        raise Refused(said, hint=_("Plan a new post for what is to be said: cm add"))
    values = {
        **planning.plan_columns(plan),
        "wake_at": plan.instant,
        "not_before": None,
        "held_by": None,
        "reason": None,
        "over_reason": over_reason,
        **_touched(env),
    }
    if post.state == PostState.SCHEDULED:
        statement = sa.update(POST).where(POST.c.id == post.id, POST.c.state == PostState.SCHEDULED)
        session.execute(statement.values(**values).execution_options(synchronize_session=False))
    else:
        transition(session, post.id, PostState.SCHEDULED, among={post.state}, **values)


def cancel(env: Env, ident: str, why: str | None = None, *, dry_run: bool = False) -> PostView:
    """Take a post out of the plan; it is kept. `dry_run`: only tell what would become of it.

    Raises Refused for posts that have left, may have, or are cancelled.
    """
    why = planning.given_reason(why, "--why")
    with env.store.write() as session:
        post = get_post(session, ident)
        before = images(session, [post.id])
        lay_aside(session, env, post, why)
        record_step(session, env, "post.cancel", before=before)
        view = load_view(session, env, post.id)
        if dry_run:
            session.rollback()
        return view


def lay_aside(session: Session, env: Env, post: StoredPost, why: str | None = None) -> None:
    """As `cancel`, in the caller's transaction."""
    refuse_locked(post, _("cancelled"))
    if post.state not in CANCELLABLE:
        raise Refused(_("{id} is cancelled already.").format(id=post.name), hint=_("Nothing was changed."))
    transition(session, post.id, PostState.CANCELLED, among={post.state}, wake_at=None, reason=why, **_touched(env))
    record(session, env, "post.cancel", post.name, why=why)


def _touched(env: Env) -> dict[str, Any]:
    return {"rev": POST.c.rev + 1, "updated_at": env.now}


def refuse_locked(post: StoredPost, what: str) -> None:
    """Raises Refused for a post that has left, or may have, with what it stands at; `what`: edited, moved…"""
    if post.state not in LOCKED:
        return
    reasons = {
        PostState.PUBLISHING: _("It is being published at this moment."),
        PostState.HANDED: _("It was given to a person to paste."),
        PostState.UNCONFIRMED: _("It may be out; nobody knows yet."),
        PostState.PUBLISHED: _("It is out."),
    }
    hint = {
        PostState.HANDED: _("Say how it ended: `cm post confirm {id} --url URL` or --not-published."),
        PostState.UNCONFIRMED: _("Look there, then `cm post confirm {id} --url URL` or --not-published."),
    }.get(post.state, _("Nothing was changed."))
    raise Refused(
        _("{id} is {state} and cannot be {what}. {why}").format(
            id=post.name, state=state_word(post.state), what=what, why=reasons[post.state]
        ),
        hint=hint.format(id=post.name),
        details={"id": post.name, "state": post.state.value},
    )


# --- show, list -------------------------------------------------------------------------------------------------------


def show(env: Env, ident: str) -> PostView:
    """One post, by id or ref. Raises NotFound."""
    with env.store.read() as session:
        return load_view(session, env, get_post(session, ident).id)


def list_posts(env: Env, tokens: Sequence[str] = (), **filters: Any) -> list[PostView]:
    """The posts that the tokens of the filter grammar mean and `filtered` lets through, by time; those without time
    come last. Raises as `chosen` and `filtered`."""
    statement = filtered(env.config, **filters)
    if tokens:
        statement = statement.where(POST.c.id.in_(chosen(env, tokens)))
    with env.store.read() as session:
        return load_views(session, env, statement)


def filtered(
    config: Config,
    *,
    channel: str | None = None,
    audience: str | None = None,
    state: PostState | str | None = None,
    week: Week | None = None,
    start: date | None = None,
    end: date | None = None,
    story: str | None = None,
    kind: str | None = None,
) -> sa.Select[Any]:
    """The numbers of the posts of one channel, audience, state, week, story or kind, as a statement.

    `start` and `end` are local days, both included. Raises NotFound (channel), UsageError (audience,
    state, kind that do not exist).
    """
    if channel is not None and channel not in config.channels:
        raise unknown_channel(config, channel)
    _require_known(_("audience"), audience, config.all_audiences)
    _require_known(_("kind"), kind, config.required_fields)
    _require_known(_("state"), state, {known.value: known for known in PostState})
    if week is not None:
        start, end = max(start or week.days[0], week.days[0]), min(end or week.days[-1], week.days[-1])
    conditions = [
        channel is not None and POST.c.channel == channel,
        audience is not None and meant_for([audience or ""]),
        state is not None and POST.c.state == PostState(state or ""),
        start is not None and POST.c.day >= start,
        end is not None and POST.c.day <= end,
        story is not None and POST.c.story_id.in_(sa.select(STORY.c.id).where(STORY.c.ref == findable(story or ""))),
        kind is not None and POST.c.kind == kind,
    ]
    return sa.select(POST.c.id).where(*(condition for condition in conditions if condition is not False))


def _require_known(what: str, value: str | None, known: Mapping[str, object]) -> None:
    if value is not None and value not in known:
        raise UsageError(
            _("There is no {what} {value!r}.").format(what=what, value=str(value)),
            hint=_("Use one of: {keys}.").format(keys=", ".join(known)),
        )
