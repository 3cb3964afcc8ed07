"""Telling people that they are needed: grouped, once, after the commit, and never at the cost of a post.

What is told stands in the database already: posts at rest that a person must look at, channels that were stopped,
holds. A matter is told once for as long as it lasts (`notice`); what comes up within `APART` of a message waits and
goes with the next one. A message that nobody took is tried again, since without network there is nobody to take it.
Texts of posts are not told: the way to people's phones leads over others' servers.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import notify, secrets
from cm.env import Env
from cm.errors import WorkspaceError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Hold, Meta, Notice, Post
from cm.publishing.deadline import DeadlinePassed, within
from cm.publishing.endings import Ending, endings, next_warning
from cm.store import tick

log = logging.getLogger("cm.publishing")

APART = timedelta(minutes=15)
"""At least so long between two messages."""
LOOK_BACK = timedelta(days=7)
"""Posts that have been at rest for longer are nobody's news: somebody has just named an address."""
PING_EVERY = timedelta(minutes=5)
NAMED = 10
"""Matters of one kind that a message names; the others are counted."""
SECONDS = 45
"""For all addresses together."""
TROUBLED = (PostState.FAILED, PostState.UNCONFIRMED, PostState.MISSED)
STOPPED = ("auth", "breaker", "backlog", "check")
ORDER = ("hold", "paused", "unconfirmed", "failed", "missed", "token", "silent")
LAST_TRY = "notified_at"


@dataclass(frozen=True)
class Matter:
    """Something that lasts and that people are to know. `key` is unique; `who` is a post's id or a channel's name."""

    key: str
    kind: str
    who: str
    channel: str = ""
    reason: str = ""


def tell(env: Env) -> None:
    """Tell what is new, if anybody is to be told. Errors go to the log: a post is never disturbed by this."""
    if not env.config.notify.urls:
        return
    try:
        began = env.now
        news = _news(env)
        if news:
            _deliver(env, news)
        _mind_endings(env, began)
    except Exception:
        log.exception("notices could not be told")


def tell_silence(env: Env) -> None:
    """Tell that nothing has run here lately; for a second cron that watches the first (`cm doctor --if-stale`)."""
    _remember(env, [Matter("silent", "silent", env.config.establishment.key)])
    tell(env)


def ask(env: Env) -> None:
    """Let the next minute look whether there is something to tell, though no post is due."""
    if env.config.notify.urls:
        _wait_until(env, tick.NOTICES, env.now)


def ping(env: Env) -> None:
    """Call `heartbeat_url` if it is time; whoever watches it raises the alarm when the calls stop."""
    reference = env.config.heartbeat_url
    if reference is None:
        return
    _wait_until(env, tick.PING, env.now + PING_EVERY)
    try:
        within(SECONDS, lambda: notify.call(secrets.reveal(reference, env.root), _way(env)))
    except (WorkspaceError, ValueError, DeadlinePassed) as error:
        log.warning("heartbeat_url: %s", error)


def _way(env: Env) -> notify.Way:
    """The institution's way into the network. Raises WorkspaceError if its proxy's address cannot be had."""
    network = env.network
    return notify.Way(network.proxy, network.ca_bundle, env.config.network.timeout)


# --- what there is to tell --------------------------------------------------------------------------------------------


def _news(env: Env) -> list[Matter]:
    """What was not told yet, once it is time to tell; kept as such, with the time of this try."""
    with env.store.read() as session:
        if not _changed(session, _standing(session, env)):
            return []
    with env.store.write() as session:
        standing = _standing(session, env)
        _end(session, standing, env.now)
        fresh = _keep(session, standing, env.now)
        last = session.get(Meta, LAST_TRY)
        if last and fresh and env.now - datetime.fromisoformat(last.value) < APART:
            _wait_until(env, tick.NOTICES, datetime.fromisoformat(last.value) + APART)
            return []
        if fresh:
            session.merge(Meta(key=LAST_TRY, value=env.now.isoformat()))
            _wait_until(env, tick.NOTICES, env.now + APART)
        else:
            _no_wait(env)
        return fresh


def _standing(session: Session, env: Env) -> list[Matter]:
    """Everything that people are to know at this moment, told or not."""
    wanted = set(env.config.notify.on)
    found = [*_holds(session, env), *_pauses(session, env), *_posts(session, env), *_silence(session, env),
             *_logins(session, env)]  # fmt: skip
    return [matter for matter in found if matter.kind in wanted]


def _posts(session: Session, env: Env) -> Iterator[Matter]:
    """Posts that wait for a person; those missed while the network is away are told together when it is back."""
    away = sa.and_(Account.pause_kind == "breaker", col(Account.paused_until) > env.now - APART)  # type: ignore[arg-type]
    statement = (
        select(Post.id, Post.state, Post.channel, Post.reason)
        .join(Channel, col(Channel.name) == col(Post.channel))
        .join(Account, col(Account.id) == col(Channel.account_id), isouter=True)
        .where(col(Post.state).in_(TROUBLED), col(Post.scheduled_at) > env.now - LOOK_BACK)
        .where(sa.not_(sa.and_(col(Post.state) == PostState.MISSED, sa.func.coalesce(away, sa.false()))))
        .order_by(col(Post.scheduled_at), col(Post.id))
    )
    for number, state, channel, reason in session.exec(statement):
        ident = post_id(number)
        yield Matter(f"{state}:{ident}", f"{state}", ident, channel, reason or "")


def _pauses(session: Session, env: Env) -> Iterator[Matter]:
    statement = (
        select(Channel.name, Account.pause_kind, Account.pause_reason)
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(col(Account.paused_at).is_not(None), col(Account.pause_kind).in_(STOPPED))
        # rests follow each other with a minute between them: one that has just ended is no news if another comes
        .where(sa.or_(col(Account.paused_until).is_(None), col(Account.paused_until) > env.now - APART))
    )
    for name, kind, reason in session.exec(statement):
        if name in env.config.channels:
            yield Matter(f"paused:{name}:{kind}", "paused", name, name, reason or "")


def _holds(session: Session, env: Env) -> Iterator[Matter]:
    on = sa.or_(col(Hold.until).is_(None), col(Hold.until) > env.now)
    for hold in session.exec(select(Hold).where(col(Hold.ended_at).is_(None), on)):
        yield Matter(f"hold:{hold.id}", "hold", ", ".join(hold.channels or [_("all channels")]), "", hold.reason or "")


def _logins(session: Session, env: Env) -> Iterator[Matter]:
    """Logins that end: each warning is a matter of its own, and so is the end of another login."""
    for ending in endings(session, env):
        if (step := ending.step(env.now)) is not None:
            key = f"token:{ending.channel}:{ending.at:%Y-%m-%d}:{step}"
            yield Matter(key, "token", ending.channel, ending.channel, _whose(env, ending))


def _whose(env: Env, ending: Ending) -> str:
    """When, and whom it is for: the channel's owner and deputy."""
    channel = env.config.channels[ending.channel]
    keys = dict.fromkeys(filter(None, (channel.owner, channel.deputy)))
    names = ", ".join(env.config.people[key].name for key in keys if key in env.config.people)
    when = f"{ending.at.astimezone(env.zone):%Y-%m-%d %H:%M}"
    return _("{when}, for {names}: cm channel login {name}").format(when=when, names=names, name=ending.channel)


def _silence(session: Session, env: Env) -> Iterator[Matter]:
    """Silence is seen by a watcher and ends with the next tick."""
    known = session.get(Notice, "silent")
    beat = tick.last_beat(env.root)
    silent = beat is None or _astray(env.now.timestamp() - beat)
    if known and known.over_at is None and silent:
        since = f"{datetime.fromtimestamp(beat, env.zone):%Y-%m-%d %H:%M}" if beat is not None else ""
        yield Matter("silent", "silent", env.config.establishment.key, reason=since)


def _astray(age: float) -> bool:
    """Is a heartbeat of that age (seconds) no sign of life: too old, or of a time to come?"""
    return age > tick.SILENT_AFTER or age < -tick.CLOCK_SLACK


# --- what was told ----------------------------------------------------------------------------------------------------


def _changed(session: Session, standing: Sequence[Matter]) -> bool:
    """Is there a matter that was not told, or one that is over?"""
    rows = session.exec(select(Notice).where(col(Notice.over_at).is_(None))).all()
    told = {row.key for row in rows if row.told_at}
    return {matter.key for matter in standing} != told or len(rows) != len(told)


def _keep(session: Session, standing: Iterable[Matter], now: datetime) -> list[Matter]:
    """Note what is new; gives what was not told yet."""
    untold = []
    for matter in standing:
        row = session.get(Notice, matter.key)
        if row is None or row.over_at is not None:
            row = session.merge(Notice(key=matter.key, kind=matter.kind, since=now, told_at=None, over_at=None))
        if row.told_at is None:
            untold.append(matter)
    return untold


def _end(session: Session, standing: Iterable[Matter], now: datetime) -> None:
    known = {matter.key for matter in standing}
    for row in session.exec(select(Notice).where(col(Notice.over_at).is_(None))):
        if row.key not in known:
            row.over_at = now
            session.add(row)


def _remember(env: Env, matters: Iterable[Matter]) -> None:
    with env.store.write() as session:
        _keep(session, matters, env.now)


# --- the message ------------------------------------------------------------------------------------------------------


def _deliver(env: Env, news: Sequence[Matter]) -> None:
    """Send them as one message; whoever took it, they are told. Otherwise the next try is after `APART`."""
    addresses = [secrets.reveal(reference, env.root) for reference in env.config.notify.urls]
    title, body = message(env, news)
    if not within(SECONDS, lambda: notify.send(addresses, title, body, _way(env))):
        return
    with env.store.write() as session:
        told = sa.update(Notice).where(col(Notice.key).in_([matter.key for matter in news]))
        session.execute(told.values(told_at=env.now))
    _no_wait(env)


def message(env: Env, news: Sequence[Matter]) -> tuple[str, str]:
    """Title and body: what happened, sorted by kind, and where to look. No post's text."""
    title = plural("cm: {n} matter needs you", "cm: {n} matters need you", len(news))
    if env.simulated.issuperset(env.config.channels):
        title = f"SIMULATION · {title}"
    lines = [_("From {name}:").format(name=env.config.establishment.name), ""]
    for kind in ORDER:
        if of_kind := [matter for matter in news if matter.kind == kind]:
            lines += _section(kind, of_kind)
    return title, "\n".join([*lines, "", _("Type `cm` in the workspace: each line says what to do.")])


def _section(kind: str, matters: Sequence[Matter]) -> Iterator[str]:
    yield _heading(kind, len(matters))
    for matter in matters[:NAMED]:
        where = f"{matter.who} ({matter.channel})" if matter.channel not in ("", matter.who) else matter.who
        yield "- " + (labelled(where, _short(matter.reason)) if matter.reason else where)
    if (more := len(matters) - NAMED) > 0:
        yield "- " + _("… and {n} more").format(n=more)


def _heading(kind: str, n: int) -> str:
    said = {
        "hold": plural("{n} hold is on:", "{n} holds are on:", n),
        "paused": plural("{n} channel is stopped:", "{n} channels are stopped:", n),
        "unconfirmed": plural("{n} post may or may not be out:", "{n} posts may or may not be out:", n),
        "failed": plural("{n} post failed:", "{n} posts failed:", n),
        "missed": plural("{n} post missed its time:", "{n} posts missed their time:", n),
        "token": plural("{n} login ends or has ended:", "{n} logins end or have ended:", n),
        "silent": _("Nothing has run here since:"),
    }
    return said[kind]


def _short(reason: str) -> str:
    plain = " ".join(reason.split())
    return plain if len(plain) <= 120 else f"{plain[:119]}…"


# --- the next look ----------------------------------------------------------------------------------------------------


def _wait_until(env: Env, name: str, at: datetime) -> None:
    """Make the fast path leave the minute after `at` to a full run: the file's mtime says when."""
    path = env.root / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    os.utime(path, (at.timestamp(), at.timestamp()))


def _mind_endings(env: Env, began: datetime) -> None:
    """Let the fast path leave the minute of the next warning to a full run, however quiet the days before are.

    A wait that is over and was looked at (this began after it) makes room for it.
    """
    with env.store.read() as session:
        due = next_warning(endings(session, env), env.now) if "token" in env.config.notify.on else None
    path = env.root / tick.NOTICES
    waits = path.stat().st_mtime if path.exists() else None
    if waits is not None and waits < began.timestamp():
        _no_wait(env)
        waits = None
    if due is not None and (waits is None or waits > due.timestamp()):
        _wait_until(env, tick.NOTICES, due)


def _no_wait(env: Env) -> None:
    (env.root / tick.NOTICES).unlink(missing_ok=True)
