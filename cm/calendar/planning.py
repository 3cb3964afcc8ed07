"""When a post goes out: a time made an instant, the next open slot, and the bounds of its day."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.cadence import room
from cm.calendar.cleaning import REASON_LENGTH, clean_word
from cm.calendar.slots import SlotBook
from cm.calendar.sql import POST
from cm.calendar.whereto import platform_of
from cm.checks.formats import source_of
from cm.clock import Resolved, local_day, resolve
from cm.config import Config
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.formats import labelled
from cm.i18n import _
from cm.model.states import COUNTED


def plan_columns(plan: Resolved | None) -> dict[str, Any]:
    """The columns of `post` that hold its plan; all empty without one."""
    if plan is None:
        return {"scheduled_at": None, "wall": None, "zone": None, "day": None}
    return {
        "scheduled_at": plan.instant,
        "wall": plan.wall.isoformat(timespec="minutes"),
        "zone": plan.zone,
        "day": plan.wall.date(),
    }


def plan_at(env: Env, wall: datetime) -> Resolved:
    """A local time as a plan. Raises Refused if it is past."""
    plan = resolve(wall, env.zone)
    if plan.instant < env.now:
        raise Refused(
            _("{when} is past.").format(when=wall.isoformat(sep=" ", timespec="minutes")),
            hint=_("Give a time to come, or none for the next open slot."),
        )
    return plan


def plan_now(env: Env) -> Resolved:
    """This very instant as a plan; the wall shows it to the minute."""
    wall = env.now.astimezone(env.zone).replace(tzinfo=None, second=0, microsecond=0)
    return Resolved(env.now, wall, env.zone.key)


def note_of(plan: Resolved, wanted: datetime | None = None) -> str | None:
    """What a person is to be told of a plan that a clock change has touched; `wanted` is the time they gave."""
    if plan.note is None:
        return None
    shown = plan.wall.isoformat(sep=" ", timespec="minutes")
    if plan.note == "gap":
        asked = f"{wanted:%H:%M}" if wanted else _("the slot's time")
        return _("The clocks change: {asked} does not exist that day; planned for {shown}.").format(
            asked=asked, shown=shown
        )
    return _("The clocks change: {shown} occurs twice; the first one is meant.").format(shown=shown)


def slot_book(session: Session, env: Env, channel: str, *, moving: int | None = None) -> SlotBook:
    """The channel's slots from now on, and what stands in them.

    `moving`: a post about to leave its place; it gives room to its day, but is not put where it stands.
    """
    statement = sa.select(POST.c.id, POST.c.scheduled_at, POST.c.day, POST.c.in_quota).where(
        POST.c.channel == channel,
        POST.c.state.in_(COUNTED),
        POST.c.day >= local_day(env.now, env.zone),
    )
    rows = session.execute(statement).all()
    return SlotBook(
        channel=channel,
        schedule=env.config.schedule_of(channel),
        cadence=env.config.cadence_of(channel),
        zone=env.zone,
        after=env.now,
        taken={row.scheduled_at for row in rows},
        counts=Counter(row.day for row in rows if row.in_quota and row.id != moving),
        most=platform_most(env, channel),
    )


def counts_of(session: Session, channel: str, days: Collection[date]) -> dict[date, int]:
    """How many posts of the channel count for each of `days` (few enough for one statement)."""
    statement = (
        sa.select(POST.c.day, sa.func.count().label("posts"))
        .where(
            POST.c.channel == channel,
            POST.c.day.in_(days),
            POST.c.state.in_(COUNTED),
            POST.c.in_quota.is_(True),
        )
        .group_by(POST.c.day)
    )
    return {row.day: row.posts for row in session.execute(statement)}


def given_reason(given: str | None, option: str = "--over") -> str | None:
    """The reason given with an option, one clean line. Raises UsageError for a blank or unprintable one."""
    if given is None:
        return None
    try:
        reason = clean_word(given, REASON_LENGTH)
    except ValueError as error:
        raise UsageError(labelled(option, f"{error}."), hint=_("Say why in a line of plain text.")) from None
    if not reason:
        said, hint = _("{option} needs a reason."), _('Say why, e.g. {option} "vaccination day".')
        raise UsageError(said.format(option=option), hint=hint.format(option=option))
    return reason


def require_room(session: Session, env: Env, channel: str, day: date, over: str | None) -> str | None:
    """Is there room for one more post on that day? Gives the reason to keep with the post if there is not.

    Raises Refused, naming day, count and bound, if there is neither room nor a reason, or if the platform itself takes
    no more in a day.
    """
    count = counts_of(session, channel, [day]).get(day, 0)
    _require_platform_room(env, channel, day, count)
    if room(count, env.config.cadence_of(channel).on(day)):
        return None
    if over:
        return over
    raise Refused(
        full_day(env.config, channel, day, count),
        hint=_("Take another day, or say why it should be one more."),
        details={"channel": channel, "date": day.isoformat(), "count": count},
    )


def platform_most(env: Env, channel: str) -> int | None:
    """How many posts a day the channel's platform takes; None if it sets no bound, or none is known."""
    where = platform_of(env, channel)
    return where.limits.posts_per_day if where else None


def _require_platform_room(env: Env, channel: str, day: date, count: int) -> None:
    where, most = platform_of(env, channel), platform_most(env, channel)
    if where is None or most is None or count < most:
        return
    said = _("{day} already has {count} posts on {channel}, and {platform} takes {most} in a day.")
    raise Refused(
        said.format(day=day.isoformat(), count=count, channel=channel, platform=where.name, most=most),
        hint=_("Take another day: no reason changes what the platform takes."),
        details={"rule": "format.posts_per_day", "source": source_of(where.limits), "channel": channel},
    )


def full_day(config: Config, channel: str, day: date, count: int) -> str:
    """Why one more post is refused on that day."""
    bound = config.cadence_of(channel).on(day).max
    said = _("{day} already has {count} posts on {channel}; at most {bound} are allowed (--over REASON).")
    return said.format(day=day.isoformat(), count=count, channel=channel, bound=bound)


def notes_of(plans: Iterable[tuple[Resolved, datetime | None]]) -> tuple[str, ...]:
    """The notes of several plans, without the empty ones."""
    return tuple(note for plan, wanted in plans if (note := note_of(plan, wanted)))
