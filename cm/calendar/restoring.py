"""Putting posts back as their images (`cm.calendar.steps`) show them: words exactly, state by the table of transitions.

A post never goes out late by surprise: what comes back with a time that has passed is missed, and a person decides.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.drafting import Composed
from cm.calendar.numbering import Numbering
from cm.calendar.posts import require_open
from cm.calendar.rewriting import MessageBatch, latest, load_messages, rewrite, update_rows
from cm.calendar.sql import POST, STORY
from cm.calendar.steps import KeptImages
from cm.calendar.stored import chunks
from cm.env import Env
from cm.errors import Refused
from cm.i18n import _
from cm.model.facts import MediaContent, MessageContent, PostContent
from cm.model.ids import post_id
from cm.model.states import COUNTED, TRANSITIONS, PostState
from cm.store.posts import transition

Json = dict[str, Any]
Place = tuple[int | None, str]
"""A story's id and the post's number in it."""

OF_THE_MOMENT = frozenset(
    {"id", "rev", "state", "wake_at", "not_before", "reason", "story_id", "occurrence"}
    | {"claim_token", "published_at", "created_at", "updated_at"}
)
"""Columns that are not simply put back: they are derived, or tell what happened since."""


@dataclass(frozen=True)
class Standing:
    """Where a post stands in its life: state, time and why."""

    state: PostState
    scheduled_at: datetime | None
    reason: str | None


def landing(current: Standing, before: Standing, now: datetime, *, begun: bool = False) -> Standing:
    """Where a post comes to stand that is put back from `current` to `before`. Pure.

    A scheduled one whose time has passed is missed, or failed if a part of it is out (`begun`), unless it is
    scheduled for that very time now: then only its words go back. One that failed or was missed meanwhile stays so.
    """
    if before.state is not PostState.SCHEDULED:
        return before
    at = before.scheduled_at
    unmoved = current.state is PostState.SCHEDULED and current.scheduled_at == at
    if at is None or at > now or unmoved:
        return Standing(PostState.SCHEDULED, at, None)
    if current.state in (PostState.FAILED, PostState.MISSED):
        return Standing(current.state, at, current.reason)
    passed = _("its time had passed when it was brought back")
    return Standing(PostState.FAILED if begun else PostState.MISSED, at, passed)


def route(start: PostState, end: PostState) -> tuple[PostState, ...]:
    """The states between which a post that has not left walks from `start` to `end`, `end` included. Pure."""
    if start is end:
        return ()
    if end in TRANSITIONS[start]:
        return (end,)
    lead = () if start is PostState.SCHEDULED else (PostState.SCHEDULED,)
    # as the engine does with a thread whose time is over: nothing but a sending can fail
    return (*lead, PostState.PUBLISHING, end) if end is PostState.FAILED else (*lead, end)


@dataclass(frozen=True)
class Restored:
    """Posts that were put back; of those that were scheduled then and whose time has passed, `missed`, and `failed`
    where a part is out or they failed meanwhile."""

    numbers: tuple[int, ...]
    missed: tuple[int, ...]
    failed: tuple[int, ...]


def restore(session: Session, env: Env, kept: KeptImages) -> Restored:
    """Put posts back as their images show them, as a new change.

    Nobody may have claimed them. Raises Refused, naming the post: a part of it is out, its ref is taken, its day is
    full now; Refused or NotFound: it would be scheduled on a channel that is closed or gone.
    """
    for images in kept.parts():
        _let_go_of_names(session, images)
    late: dict[PostState, list[int]] = defaultdict(list)
    days: dict[int, date | None] = {}
    for images in kept.parts():
        rows = {row.id: row for row in _rows(session, list(images))}
        days |= {number: _day_taken(row) for number, row in rows.items()}
        begun = _restore_messages(session, images)
        _restore_names(session, env, images, rows)
        for number, state in _restore_posts(session, env, images, rows, begun):
            late[state].append(number)
    _judge_days(session, env, days)
    return Restored(kept.numbers, tuple(late[PostState.MISSED]), tuple(late[PostState.FAILED]))


def _restore_posts(
    session: Session, env: Env, images: Mapping[int, Json], rows: Mapping[int, Any], begun: Collection[int]
) -> list[tuple[int, PostState]]:
    """Columns and states; gives the posts that were scheduled then and are not now."""
    made: list[Json] = []
    late: list[tuple[int, PostState]] = []
    for number, row in rows.items():
        before = _before(images[number])
        landed = landing(_current(row), before, env.now, begun=number in begun)
        if landed.state is PostState.SCHEDULED and row.state is not PostState.SCHEDULED:
            require_open(env.config, row.channel)
        _walk(session, number, row.state, landed.state)
        made.append(_columns(env, row, images[number], landed))
        if before.state is PostState.SCHEDULED and landed.state is not PostState.SCHEDULED:
            late.append((number, landed.state))
    update_rows(session, POST, made, rev=POST.c.rev + 1)
    return late


def _rows(session: Session, numbers: Sequence[int]) -> Sequence[Any]:
    return session.execute(sa.select(POST).where(POST.c.id.in_(numbers)).order_by(POST.c.id)).all()


def _current(row: Any) -> Standing:
    return Standing(row.state, row.scheduled_at, row.reason)


def _before(image: Json) -> Standing:
    post = image["post"]
    return Standing(PostState(post["state"]), _instant(post["scheduled_at"]), post["reason"])


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _walk(session: Session, number: int, start: PostState, end: PostState) -> None:
    for state in route(start, end):
        transition(session, number, state, among={start})
        start = state


def _columns(env: Env, row: Any, image: Json, landed: Standing) -> Json:
    now, kept = row._mapping, image["post"]
    names = (column.name for column in POST.c if column.name not in OF_THE_MOMENT)
    values = {name: kept.get(name, now[name]) for name in names}
    same_time = row.state is PostState.SCHEDULED and row.scheduled_at == landed.scheduled_at
    not_before = row.not_before if same_time and landed.state is PostState.SCHEDULED else None
    stayed = landed.state is row.state and image["post"]["state"] == PostState.SCHEDULED
    held_by = row.held_by if stayed else kept.get("held_by")  # under which hold it was missed since
    return {
        "b_id": row.id,
        **values,
        "scheduled_at": landed.scheduled_at,
        "day": date.fromisoformat(kept["day"]) if kept["day"] else None,
        "not_before": not_before,
        "held_by": held_by,
        "wake_at": latest(landed.scheduled_at, not_before) if landed.state is PostState.SCHEDULED else None,
        "reason": landed.reason,
        "updated_at": env.now,
    }


# --- messages ---------------------------------------------------------------------------------------------------------


def _restore_messages(session: Session, images: Mapping[int, Json]) -> set[int]:
    """Gives the posts of which a part is out."""
    batch = MessageBatch()
    stored = load_messages(session, images)
    for number, image in images.items():
        try:
            batch.take(number, rewrite(stored.get(number, ()), composed_of(image)))
        except ValueError as error:
            raise Refused(f"{post_id(number)}: {error}.", hint=_("Nothing was changed.")) from None
    batch.write(session)
    return {number for number, messages in stored.items() if any(message.sent for message in messages)}


def composed_of(image: Json) -> Composed:
    """What an image holds of the messages, exactly as they were made then, however they would be made today."""
    post, told = image["post"], image["messages"]
    messages = tuple(
        MessageContent(
            one["n"], one["text"], one["link"], one["role"], tuple(MediaContent(**medium) for medium in one["media"])
        )
        for one in told
    )
    content = PostContent(post["channel"], post["kind"], post["language"], tuple(post["audiences"]), messages)
    return Composed(content, post["content_hash"], tuple(one["fingerprint"] for one in told))


# --- names that posts have to themselves ------------------------------------------------------------------------------


def _let_go_of_names(session: Session, images: Mapping[int, Json]) -> None:
    """Take refs and stories from the posts that are to change them, since two of them may take each other's."""
    columns = (POST.c.id, POST.c.ref, POST.c.occurrence, STORY.c.ref.label("story"))
    statement = sa.select(*columns).join_from(POST, STORY, isouter=True).where(POST.c.id.in_(images))
    moved, renamed = [], []
    for row in session.execute(statement):
        image = images[row.id]
        if (row.story, row.occurrence) != (_story_of(image), image["post"]["occurrence"]):
            moved.append(row.id)
        if row.ref != image["post"]["ref"]:
            renamed.append(row.id)
    session.execute(sa.update(POST).where(POST.c.id.in_(moved)).values(story_id=None))
    session.execute(sa.update(POST).where(POST.c.id.in_(renamed)).values(ref=None))


def _story_of(image: Json) -> str | None:
    return image["story"]["ref"] if image["story"] else None


def _restore_names(session: Session, env: Env, images: Mapping[int, Json], rows: Mapping[int, Any]) -> None:
    """Give posts their refs and their places in stories again; a story that is gone is made anew.

    A place in a story that another post has taken since becomes the next free one; a ref that is taken is refused.
    """
    stories = _stories(session, images)
    places = {number: _place(images[number], stories) for number in rows}
    moved = [number for number, place in places.items() if place != (rows[number].story_id, rows[number].occurrence)]
    _require_free(session, {n: ref for n in rows if (ref := images[n]["post"]["ref"]) != rows[n].ref})
    taken = [number for number in moved if _is_taken(session, places[number], rows[number].channel)]
    _put(session, {number: places[number] for number in moved if number not in taken})
    numbering = Numbering(session, env)
    _put(session, {number: numbering.place(_story_of(images[number]), rows[number].channel) for number in taken})


def _stories(session: Session, images: Mapping[int, Json]) -> dict[str, int]:
    told = {image["story"]["ref"]: image["story"] for image in images.values() if image["story"]}
    ids: dict[str, int] = {}
    for part in chunks(told):
        known = set(session.execute(sa.select(STORY.c.ref).where(STORY.c.ref.in_(part))).scalars())
        gone = [{**told[ref], "created_at": _instant(told[ref]["created_at"])} for ref in part if ref not in known]
        if gone:
            session.execute(sa.insert(STORY), gone)
        found = session.execute(sa.select(STORY.c.ref, STORY.c.id).where(STORY.c.ref.in_(part)))
        ids |= {row.ref: row.id for row in found}
    return ids


def _place(image: Json, stories: Mapping[str, int]) -> Place:
    story = image["story"]
    return (stories[story["ref"]] if story else None), image["post"]["occurrence"]


def _is_taken(session: Session, place: Place, channel: str) -> bool:
    story, occurrence = place
    if story is None:
        return False
    same = (POST.c.story_id == story, POST.c.channel == channel, POST.c.occurrence == occurrence)
    return session.execute(sa.select(POST.c.id).where(*same)).first() is not None


def _put(session: Session, places: Mapping[int, Place]) -> None:
    rows = [{"b_id": number, "story_id": story, "occurrence": nth} for number, (story, nth) in places.items()]
    update_rows(session, POST, rows)


def _require_free(session: Session, renamed: Mapping[int, str | None]) -> None:
    owners = {ref: number for number, ref in renamed.items() if ref}
    for part in chunks(owners):
        for row in session.execute(sa.select(POST.c.id, POST.c.ref).where(POST.c.ref.in_(part))):
            said = _("{id} had the ref {ref!r}, which {other} bears now.")
            raise Refused(
                said.format(id=post_id(owners[row.ref]), ref=row.ref, other=post_id(row.id)),
                hint=_("Give {other} another ref first: cm post edit {other} --ref REF").format(other=post_id(row.id)),
            )


# --- the bounds of days -----------------------------------------------------------------------------------------------


def _judge_days(session: Session, env: Env, days: Mapping[int, date | None]) -> None:
    """Refuse a post that came back to a day which others have filled. `days`: those that the posts took before.

    Posts that were let in beyond the bound, for a reason, take nobody's room.
    """
    joined: dict[tuple[str, date], int] = {}
    for part in chunks(days):
        for row in _rows(session, part):
            if _day_taken(row) not in (None, days[row.id]) and row.over_reason is None:
                joined.setdefault((row.channel, row.day), row.id)
    for (channel, day), number in joined.items():
        count = _regular(session, channel, day)
        if channel in env.config.channels and count > (bound := env.config.cadence_of(channel).on(day).max):
            said = _("{id} would stand on {day} again, which would hold {count} posts of {channel}; at most {bound}.")
            raise Refused(
                said.format(id=post_id(number), day=day.isoformat(), count=count, channel=channel, bound=bound),
                hint=_("Move one of that day's posts first: cm move ID --next"),
            )


def _day_taken(row: Any) -> date | None:
    """The local day in which a post counts, None if it does not."""
    day: date | None = row.day
    return day if row.state in COUNTED and row.in_quota else None


def _regular(session: Session, channel: str, day: date) -> int:
    counted = (POST.c.channel == channel, POST.c.day == day, POST.c.state.in_(COUNTED), POST.c.in_quota.is_(True))
    statement = sa.select(sa.func.count()).select_from(POST).where(*counted, POST.c.over_reason.is_(None))
    return int(session.execute(statement).scalar_one())
