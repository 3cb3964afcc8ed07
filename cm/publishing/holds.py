"""Holds: a person says that nothing goes out, of all channels or of some, until they say otherwise.

Three ways lead to one row of `hold`: the command, a file `HOLD` in the workspace (for whoever has no more than a
file manager, or finds the database busy) and the signal SIGUSR1. File and signal stop every sending from the moment
they are there; the row is written by the next run of the engine. What bears the crisis mark passes; whoever asks
`holding` looks at that mark. A post whose time comes under a hold goes out no more by itself when it ends: it is
missed, and names the hold, so that a person can be asked about each one (see `cm.publishing.heldposts`).
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import actions
from cm.calendar.drafting import unknown_channel
from cm.calendar.planning import given_reason
from cm.calendar.sql import HOLD
from cm.config import Config
from cm.env import Env
from cm.errors import NotFound, Refused
from cm.formats import labelled
from cm.i18n import _
from cm.model.states import PostState
from cm.model.tables import Hold, Post
from cm.people import SYSTEM
from cm.publishing import accounts, hold_file, journal
from cm.publishing.results import RunResult
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

COMMAND, BY_FILE, SIGNAL = "command", "file", "signal"


@dataclass(frozen=True)
class HoldView:
    """A hold. `id` None: seen, and not written yet. `channels` None: all of them. Instants are UTC."""

    id: int | None
    since: datetime
    until: datetime | None
    channels: tuple[str, ...] | None
    reason: str | None
    source: str
    actor: str
    ended_at: datetime | None = None
    ended_by: str | None = None

    def covers(self, channel: str) -> bool:
        """True if it holds that channel."""
        return self.channels is None or channel in self.channels

    def as_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """One item of `hold status`; instants in that zone."""
        shape: dict[str, Any] = {"id": self.id and name_of(self.id), **{key: vars(self)[key] for key in _PLAIN}}
        shape["channels"] = list(self.channels) if self.channels is not None else None
        return shape | {key: at.astimezone(zone).isoformat() if (at := vars(self)[key]) else None for key in _INSTANTS}


_PLAIN = ("reason", "source", "actor", "ended_by")
_INSTANTS = ("since", "until", "ended_at")


def name_of(hold_id: int) -> str:
    """`h3`, as the action log calls it."""
    return f"h{hold_id}"


def reason_of(hold: HoldView, config: Config) -> str:
    """Why a post did not go out: `held by Camille Roux: fire in block B`."""
    said = _("held by {actor}").format(actor=person_of(hold, config))
    return labelled(said, hold.reason) if hold.reason else said


def person_of(hold: HoldView, config: Config) -> str:
    """The name of whoever set it, as it is printed."""
    person = config.people.get(hold.actor)
    return person.name if person else hold.actor


# --- is it held? ------------------------------------------------------------------------------------------------------


_OPEN = (
    sa.select(HOLD)
    .where(HOLD.c.ended_at.is_(None), sa.or_(HOLD.c.until.is_(None), HOLD.c.until > sa.bindparam("at")))
    .order_by(HOLD.c.id)
)


def holding(session: Session, env: Env, channel: str, now: datetime, *, due: datetime | None = None) -> HoldView | None:
    """The hold under which nothing of that channel may be sent now, in the caller's transaction; None if there is
    none. `due`: the time of the post in question, so that a hold counts too which ran out after that and has not been
    closed yet.
    """
    over = min(now, due) if due else now
    for row in session.execute(_OPEN, {"at": over}):
        view = _view(row)
        if view.covers(channel):
            return view
    return _outside(env, now)


def active(env: Env) -> list[HoldView]:
    """Everything that holds now, the oldest first; a file or signal that no run has noticed yet stands last."""
    with env.store.read() as session:
        return read_active(session, env)


def read_active(session: Session, env: Env) -> list[HoldView]:
    """As `active`, in the caller's transaction."""
    found = [_view(row) for row in session.exec(_open_rows().where(_lasts(env.now)))]
    outside = _outside(env, env.now)
    if outside and not any(view.source == outside.source for view in found):
        found.append(outside)
    return found


def past(env: Env, limit: int = 10) -> list[HoldView]:
    """Holds that are over, the latest first."""
    over = select(Hold).where(sa.or_(col(Hold.ended_at).is_not(None), col(Hold.until) <= env.now))
    with env.store.read() as session:
        return [_view(row) for row in session.exec(over.order_by(col(Hold.id).desc()).limit(limit))]


def _open_rows() -> Any:
    return select(Hold).where(col(Hold.ended_at).is_(None)).order_by(col(Hold.id))


def _lasts(at: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(col(Hold.until).is_(None), col(Hold.until) > at)


def _view(row: Any) -> HoldView:
    channels = tuple(row.channels) if row.channels is not None else None
    return HoldView(
        row.id, row.since, row.until, channels, row.reason, row.source, row.actor, row.ended_at, row.ended_by
    )


def _outside(env: Env, now: datetime) -> HoldView | None:
    """What holds without a row: the file, else the signal that this process got."""
    if hold_file.is_there(env.root):
        actor, reason = hold_file.owner(env.root, env.config), hold_file.first_line(env.root)
        return HoldView(None, now, None, None, reason, BY_FILE, actor)
    if env.signals.hold.is_set():
        return HoldView(None, now, None, None, None, SIGNAL, SYSTEM)
    return None


# --- begin ------------------------------------------------------------------------------------------------------------


def set_hold(
    env: Env,
    *,
    channels: Sequence[str] = (),
    until: datetime | None = None,
    reason: str | None = None,
    source: str = COMMAND,
    patiently: bool = True,
) -> HoldView:
    """Hold these channels (none named: all of them) from now on, until then or until somebody ends it.

    It stands beside the holds that are on already. Raises NotFound for an unknown channel, UsageError for a reason
    that is no line of text, Refused for an end that is past; Busy, unless `patiently`, where others write.
    """
    _require_known(env, channels)
    reason = given_reason(reason, "--reason")
    if until is not None and until <= env.now:
        raise Refused(_("That end of the hold is past."), hint=_("Give a time to come, or none."))
    with env.store.write() if patiently else env.store.write_if_free() as session:
        hold = _open(session, env, env.actor.key, tuple(dict.fromkeys(channels)) or None, until, reason, source)
    _let_people_know(env)
    return hold


def _let_people_know(env: Env) -> None:
    """The next minute may have nothing to publish: it is to run all the same."""
    from cm.publishing import notices  # loads the network's library: not for everybody who only looks at holds

    try:
        notices.ask(env)
    except OSError:  # a full disk: the hold stands, and the next run that has something to do tells of it
        log.warning("nobody can be told of the hold yet", exc_info=True)


def _require_known(env: Env, channels: Sequence[str]) -> None:
    for name in channels:
        if name not in env.config.channels:
            raise unknown_channel(env.config, name)


def _open(
    session: Session,
    env: Env,
    actor: str,
    channels: tuple[str, ...] | None,
    until: datetime | None,
    reason: str | None,
    source: str,
    since: datetime | None = None,
) -> HoldView:
    row = Hold(
        since=since or env.now,
        until=until,
        channels=list(channels) if channels else None,
        reason=reason,
        source=source,
        actor=actor,
        os_user=env.actor.os_user,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    detail = {"channels": row.channels, "until": until.isoformat() if until else None, "source": source}
    actions.record(session, env, "hold.on", name_of(row.id), why=reason, detail=detail)
    _wake_overdue(session, env, row.channels)
    return _view(row)


def _wake_overdue(session: Session, env: Env, channels: Collection[str] | None) -> None:
    """What is overdue, in back-off or asleep, is looked at by the next run: its time has come under the hold."""
    overdue = sa.update(Post).where(
        col(Post.state) == PostState.SCHEDULED, col(Post.scheduled_at) <= env.now, *_on(channels)
    )
    session.execute(overdue.values(wake_at=env.now), execution_options={"synchronize_session": False})


def _on(channels: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if channels is None else [col(Post.channel).in_(channels)]


def give_reason(env: Env, hold_id: int, reason: str) -> HoldView:
    """Say why, after the hold is on. Raises NotFound, and UsageError for what is no line of text."""
    clean = given_reason(reason, "--reason")
    with env.store.write() as session:
        row = session.get(Hold, hold_id)
        if row is None:
            raise NotFound(_("There is no hold {id}.").format(id=name_of(hold_id)))
        row.reason = clean
        session.add(row)
        actions.record(session, env, "hold.reason", name_of(hold_id), why=clean)
        return _view(row)


# --- end --------------------------------------------------------------------------------------------------------------


def end_holds(env: Env, *, channels: Sequence[str] = ()) -> list[HoldView]:
    """End the holds of these channels (none named: all holds); gives those that were on.

    Of a hold of more channels the others stay held. What came due meanwhile is missed, the rest of the calendar goes
    on. Raises NotFound for an unknown channel, and Refused while a file HOLD stands in the workspace.
    """
    require_endable(env, channels)
    env.signals.hold.clear()
    with env.store.write() as session:
        rows = [row for row in session.exec(_open_rows()) if not channels or _touches(_view(row), channels)]
        for row in rows:
            _keep_others(session, env, row, channels)
            _close(session, env, row, env.now, env.actor.key, None, channels)
        return [_view(row) for row in rows]


def require_endable(env: Env, channels: Sequence[str] = ()) -> None:
    """Raises what `end_holds` would raise."""
    _require_known(env, channels)
    path = hold_file.path_of(env.root)
    if hold_file.is_there(env.root):
        raise Refused(
            _("The file {path} holds everything.").format(path=path),
            hint=_("Somebody put it there: take it away (rm {path}), then `cm hold off` again.").format(path=path),
        )


def set_aside(env: Env, channels: Sequence[str] = ()) -> None:
    """Mark as missed what came due under the holds that are on, without waiting for a run of the engine."""
    with env.store.write() as session:
        for row in session.exec(_open_rows()).all():
            view = _view(row)
            scope = [name for name in channels if view.covers(name)] if channels else row.channels
            _lay_aside(session, env, view, scope, min(env.now, row.until) if row.until else env.now, None)


def _touches(view: HoldView, channels: Sequence[str]) -> bool:
    return any(view.covers(name) for name in channels)


def _keep_others(session: Session, env: Env, row: Hold, released: Sequence[str]) -> None:
    """The channels of the hold that are not released stay held, since then and for the same reason."""
    if not released or (row.until is not None and row.until <= env.now):
        return
    held = row.channels if row.channels is not None else list(env.config.channels)
    if left := tuple(name for name in held if name not in released):
        _open(session, env, row.actor, left, row.until, row.reason, row.source, since=row.since)


def _close(
    session: Session,
    env: Env,
    row: Hold,
    end: datetime,
    by: str,
    result: RunResult | None,
    released: Sequence[str] = (),
) -> None:
    """End one hold. `released`: only these of its channels are free again."""
    assert row.id is not None
    row.ended_at, row.ended_by = min(end, row.until) if row.until else end, by
    session.add(row)
    session.flush()
    scope = list(released) if released else row.channels
    actions.record(session, env, "hold.off", name_of(row.id), why=row.reason, detail={"channels": scope})
    _lay_aside(session, env, _view(row), scope, row.ended_at, result)
    accounts.wake_scheduled(session, *_on(scope))


def _lay_aside(
    session: Session,
    env: Env,
    hold: HoldView,
    scope: Collection[str] | None,
    end: datetime,
    result: RunResult | None,
) -> None:
    """Posts whose time came before that end of the hold and that no run has looked at since: a person decides."""
    due = select(Post).where(
        Post.state == PostState.SCHEDULED,
        col(Post.crisis).is_(False),
        col(Post.scheduled_at) < end,
        col(Post.updated_at) < end,  # whoever plans or retries it later does it knowingly
        *_on(scope),
    )
    for dossier in journal.dossiers(session, session.exec(due.order_by(col(Post.id))).all()):
        doubtful = any(step.in_doubt for step in dossier.steps)  # the engine settles that first
        if hold.covers(dossier.post.channel) and not doubtful:
            miss_held(session, env, dossier, hold, result)


def miss_held(
    session: Session, env: Env, dossier: journal.Dossier, hold: HoldView, result: RunResult | None = None
) -> None:
    """A scheduled post whose time came under a hold: missed, or failed if a part of it is out."""
    post = dossier.post
    assert post.id is not None
    reason = reason_of(hold, env.config)
    values: dict[str, Any] = {"wake_at": None, "not_before": None, "reason": reason, "held_by": hold.id}
    if dossier.begun:
        transition(session, post.id, PostState.PUBLISHING, among=[PostState.SCHEDULED])
        done = transition(session, post.id, PostState.FAILED, among=[PostState.PUBLISHING], **values)
    else:
        done = transition(session, post.id, PostState.MISSED, among=[PostState.SCHEDULED], **values)
    if not done:
        return
    actions.record(session, env, "missed", f"p{post.id}", detail={"hold": hold.id and name_of(hold.id)})
    if result is not None:
        result.add("failed" if dossier.begun else "missed", post, reason=reason)


# --- what the engine sees ---------------------------------------------------------------------------------------------


def noted(session: Session, env: Env, hold: HoldView) -> HoldView:
    """The hold with a row, in the caller's write transaction: one that came by file or signal gets it here."""
    if hold.id is not None:
        return hold
    row = session.exec(_open_rows().where(Hold.source == hold.source)).first()
    return _view(row) if row else _open(session, env, hold.actor, None, None, hold.reason, hold.source)


def notice_outside(env: Env, result: RunResult | None = None) -> None:
    """Write down the holds that came by file or signal, and close those that are over: the file is gone, or `until`
    has come. To be called at the start and at the end of each run; what is missed by that goes into `result`.
    """
    outside = _outside(env, env.now)
    with env.store.read() as session:
        rows = [_view(row) for row in session.exec(_open_rows())]
    if not (outside or any(_over(env, view, outside) for view in rows)):
        return
    with env.store.write() as session:
        if outside:
            noted(session, env, outside)
        for row in session.exec(_open_rows()).all():
            if _over(env, _view(row), outside):
                by = BY_FILE if row.source == BY_FILE else SYSTEM
                _close(session, env, row, env.now, by, result)
    if outside and outside.source == SIGNAL:
        env.signals.hold.clear()  # the row holds from here on, and `cm hold off` can end it


def _over(env: Env, view: HoldView, outside: HoldView | None) -> bool:
    ran_out = view.until is not None and view.until <= env.now
    file_gone = view.source == BY_FILE and (outside is None or outside.source != BY_FILE)
    return ran_out or file_gone
