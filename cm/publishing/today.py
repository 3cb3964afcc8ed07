"""Today, worst first: what `cm` alone says, in at most as many lines as a terminal has.

Pure: from how things stand to lines. A line that needs a person ends with the command that mends it. Where there is
much of one sort, fewer posts are named and the others are counted: no sort is ever left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from cm.calendar.cadence import room
from cm.calendar.draftbox import purpose_of
from cm.formats import clock, day_short, labelled, number, plural
from cm.i18n import _
from cm.model.facts import DayCount
from cm.model.words import state_word
from cm.publishing.hold_words import end_of, held_since
from cm.publishing.refusals import Refusal
from cm.publishing.standing import Few, Glimpse, Standing, Stop
from cm.store.tick import SILENT_AFTER

LINES = 21
"""Lines below the heading: a terminal of 24 lines keeps the command and the next prompt."""
LEAST_TODAY = 3
"""Lines that today's posts get at least, if there are as many."""
NAMED_CHANNELS = 6
"""Channels that a line about all of them names."""

Part = Literal["act", "today", "note"]


@dataclass(frozen=True)
class Line:
    """One line. `kind` is a key for programs, `head` is kept, `tail` may be cut, `command` mends it."""

    part: Part
    kind: str
    head: str
    tail: str = ""
    command: str | None = None

    def as_json(self) -> dict[str, Any]:
        """One item of `lines`."""
        text = f"{self.head} {self.tail}".strip()
        return {"part": self.part, "kind": self.kind, "text": text, "command": self.command}


def today(standing: Standing) -> tuple[Line, ...]:
    """At most `LINES` lines: what needs a person, today's posts, what is left and what comes."""
    notes = tuple(_notes(standing))
    posts = standing.of_today
    shown = min(LEAST_TODAY, posts.count)
    needs: tuple[Line, ...] = ()
    for depth in (3, 2, 1, 0):
        needs = tuple(_needs(standing, depth))
        if len(needs) + shown + len(notes) <= LINES:
            break
    free = LINES - max(1, len(needs)) - len(notes)
    return (*(needs or (_calm(standing),)), *_of_today(posts, free), *notes)


def _calm(standing: Standing) -> Line:
    """Nothing waits for anybody."""
    post = standing.upcoming
    if not standing.channels:
        return Line("note", "calm", _("There is no channel yet: fill in config.yaml."), command="cm config checklist")
    if post is None:
        return Line("note", "calm", _("Nothing needs you. Nothing is planned."), command="cm calendar gaps --next")
    when = _when(post)
    said = _("Nothing needs you. Next: {when} {channel} {id}").format(when=when, channel=post.channel, id=post.id)
    return Line("note", "calm", said, post.text)


# --- what needs a person ----------------------------------------------------------------------------------------------


def _needs(standing: Standing, depth: int) -> Iterator[Line]:
    """Every sort of trouble, the worst first; of each at most `depth` single lines and one for the others."""
    yield from _held(standing)
    yield from _silent(standing)
    yield from _refused(standing.refusals, depth)
    yield from _stopped(standing, depth)
    troubled = standing.troubled
    yield from _posts(standing, "failed", troubled.get("failed", Few()), depth)
    yield from _posts(standing, "unconfirmed", troubled.get("unconfirmed", Few()), depth)
    yield from _posts(standing, "withdrawal", troubled.get("withdrawal", Few()), depth)
    yield from _posts(standing, "correction", troubled.get("correction", Few()), depth)
    yield from _posts(standing, "missed", troubled.get("missed", Few()), depth)
    yield from _posts(standing, "overdue", troubled.get("overdue", Few()), depth)
    yield from _posts(standing, "broken", standing.broken, depth)
    yield from _posts(standing, "handed", troubled.get("handed", Few()), depth)
    yield from _endings(standing)
    yield from _texts(standing)
    yield from _posts(standing, "draft", troubled.get("draft", Few()), min(depth, 1))
    yield from _dormant(standing, depth)


def _held(standing: Standing) -> Iterator[Line]:
    """Holds that are on, and posts whose time came under one: a person decides about each."""
    for hold in standing.holds:
        said = held_since(hold, standing.config, standing.config.zone)
        head = labelled(said, "").rstrip(" ") if hold.reason else said
        yield Line("act", "hold", head, hold.reason or "", end_of(hold))
    few = standing.troubled.get("held", Few())
    if few.count:
        said = plural("{n} post held back", "{n} posts held back", few.count)
        names = ", ".join(f"{post.id} {post.channel}" for post in few.posts)
        yield Line("act", "held", labelled(said, "").rstrip(" "), names, "cm hold off")


def _is_held(standing: Standing, channel: str) -> bool:
    return any(hold.covers(channel) for hold in standing.holds)


def _silent(standing: Standing) -> Iterator[Line]:
    """Cron is not there, and something waits for a channel that is real."""
    waiting = any(channel.planned and not channel.simulated for channel in standing.channels)
    last = standing.last_tick
    if not waiting or (last is not None and standing.now - last <= timedelta(seconds=SILENT_AFTER)):
        return
    if last is None:
        said = _("cron has not run here yet: nothing is published by itself")
    else:
        since = last.astimezone(standing.now.tzinfo)
        said = _("cron has not run since {time}: nothing is published by itself").format(time=_moment(since))
    everything = any(hold.channels is None for hold in standing.holds)
    yield Line("act", "heartbeat", said, _("(schedules/system/crontab)"), None if everything else "cm publish")


def _refused(refusals: Sequence[Refusal], depth: int) -> Iterator[Line]:
    """Accounts that nothing is sent for, whatever is due: a database that was put back, a copied workspace."""
    named = refusals if len(refusals) <= max(1, depth) else refusals[:depth]
    for one in named:
        head = _("nothing is sent for {channel}:").format(channel=one.channel)
        yield Line("act", "refused", head, one.reason, one.command)
    if others := refusals[len(named) :]:
        said = plural("nothing is sent for {n} channel:", "nothing is sent for {n} channels:", len(others))
        yield Line("act", "refused", said, ", ".join(one.channel for one in others), "cm doctor")


def _stopped(standing: Standing, depth: int) -> Iterator[Line]:
    for_good = [stop for stop in standing.stops if stop.until is None]
    resting = [stop for stop in standing.stops if stop.until is not None]
    named = for_good if len(for_good) <= max(1, depth) else for_good[:depth]
    for stop in named:
        head = _("{channel} is stopped:").format(channel=stop.channel)
        yield Line("act", "stopped", head, stop.reason, stop.command)
    if others := for_good[len(named) :]:
        said = plural("{n} channel is stopped:", "{n} channels are stopped:", len(others))
        yield Line("act", "stopped", said, ", ".join(stop.channel for stop in others), others[0].command)
    if resting:
        said = plural("{n} channel rests, and goes on by itself:", "{n} channels rest, and go on by themselves:",
                      len(resting))  # fmt: skip
        zone = standing.config.zone
        ends = [f"{stop.channel} ({_moment(stop.until.astimezone(zone))})" for stop in resting if stop.until]
        yield Line("note", "resting", said, ", ".join(ends))


def _posts(standing: Standing, kind: str, few: Few, depth: int) -> Iterator[Line]:
    """The newest posts of a sort, then the number of the others with a command for all."""
    named = few.posts if few.count <= max(1, depth) else few.posts[:depth]
    for post in named:
        yield _line_of(standing, kind, post)
    others = few.count - len(named)
    if others:
        head = _("… and {n} more").format(n=number(others)) if named else number(others)
        yield Line("act", kind, f"{head} {_word(kind, others)}", command=_for_all(standing, kind, few))


def _line_of(standing: Standing, kind: str, post: Glimpse) -> Line:
    said = f"{post.id} {post.channel} {_word(kind)}"
    if kind == "handed":
        said += f" ({_owner(standing, post.channel)})"
    if post.wall:
        said += f" {_when(post)}"
    why = post.reason if kind in ("failed", "overdue", "broken") and post.reason else post.text
    return Line("act", kind, labelled(said, "").rstrip(" "), why, _mend(standing, kind, post))


def _word(kind: str, n: int = 1) -> str:
    """What is the matter, as said of `n` posts."""
    if kind in ("failed", "unconfirmed", "missed"):
        return state_word(kind, n)
    return {
        "overdue": plural("overdue", "overdue", n),
        "withdrawal": _("taken down, and perhaps still there"),
        "correction": _("corrected, and perhaps not changed there"),
        "broken": plural("cannot go out", "cannot go out", n),
        "handed": _("to paste"),
        "draft": _("without a plan"),
    }[kind]


def _mend(standing: Standing, kind: str, post: Glimpse) -> str | None:
    """The command that mends a post; None where time mends it."""
    config = standing.config.channels.get(post.channel)
    if kind == "withdrawal":
        return _take_down(post)
    if kind == "correction":
        return f"cm post correct {post.id}"
    if kind in ("unconfirmed", "handed"):
        return f"cm post confirm {post.id} --url URL"
    if kind == "broken":
        return f"cm edit {post.id}"
    if config is None or config.state != "active":
        return f"cm post cancel {post.id}"
    if post.rejected:
        return f"cm edit {post.id}"
    if kind == "overdue":
        return _overdue(standing, post)
    return _replan(standing, post)


def _take_down(post: Glimpse) -> str:
    """Once more, where cm has tried; where it cannot delete, a person does and says so. Its motive is known."""
    if post.by_hand:
        return f"cm post confirm {post.id} --gone"
    return f"cm post takedown {post.id}" + ("" if post.motive else " --motive KEY")


def _overdue(standing: Standing, post: Glimpse) -> str | None:
    if _is_held(standing, post.channel):
        return "cm hold off"
    if stop := _stop_of(standing, post.channel):
        return stop.command
    if post.reason and post.waits_until and post.waits_until > standing.now:
        return None
    return "cm publish"


def _stop_of(standing: Standing, channel: str) -> Stop | None:
    """The stop that a person must end before anything of the channel goes out."""
    return next((stop for stop in standing.stops if stop.channel == channel and stop.until is None), None)


def _replan(standing: Standing, post: Glimpse) -> str:
    """The next open slot; on a channel without slots the same hour on the first day with room."""
    config = standing.config
    if config.schedule_of(post.channel).slots:
        return f"cm move {post.id} --next"
    hour = post.wall.time() if post.wall else standing.now.time().replace(second=0, microsecond=0)
    cadence = config.cadence_of(post.channel)
    days = [standing.today + timedelta(days=n) for n in range(1, 61)]
    day = next((d for d in days if room(standing.coming.get((post.channel, d), 0), cadence.on(d))), days[0])
    return f"cm move {post.id} --at {datetime.combine(day, hour):%Y-%m-%dT%H:%M}"


def _for_all(standing: Standing, kind: str, few: Few) -> str:
    if kind == "overdue":
        return next((mend for post in few.posts if (mend := _overdue(standing, post))), "cm publish")
    if kind in ("withdrawal", "correction"):
        return "cm post list state:published"
    if kind == "broken":
        return f"cm edit {few.posts[0].id}"
    if kind == "missed" and all(standing.config.schedule_of(post.channel).slots for post in few.posts):
        return "cm move state:missed --next"
    return f"cm post list state:{kind}"


def _owner(standing: Standing, channel: str) -> str:
    """Whom it waits for."""
    known = standing.config.channels.get(channel)
    person = standing.config.people.get(known.owner) if known else None
    return person.name if person else channel


def _texts(standing: Standing) -> Iterator[Line]:
    """Texts that were being written when something came between."""
    if not standing.texts:
        return
    head = plural("{n} unfinished text", "{n} unfinished texts", len(standing.texts))
    purpose = purpose_of(standing.texts[0])
    target = (purpose.ident or ", ".join(purpose.channels)) if purpose else ""
    yield Line("act", "text", head, f"({target})" if target else "", "cm add --resume")


def _endings(standing: Standing) -> Iterator[Line]:
    """Logins that end soon: the first, and how many others."""
    if not standing.endings:
        return
    first, *others = sorted(standing.endings, key=lambda ending: ending.at)
    ended = first.at <= standing.now
    said = _("{channel}: the login has ended ({day})") if ended else _("{channel}: the login ends {day}")
    head = said.format(channel=first.channel, day=_moment(first.at.astimezone(standing.now.tzinfo)))
    more = plural("and {n} more", "and {n} more", len(others)) if others else ""
    yield Line("act", "login", head, more, f"cm channel login {first.channel}")


def _dormant(standing: Standing, depth: int) -> Iterator[Line]:
    """Channels that nobody has heard of for too long."""
    found = [channel for channel in standing.channels if channel.dormant]
    named = found if len(found) <= max(1, depth) else found[:depth]
    for channel in named:
        last = channel.last_published_at
        if last is None:
            said = _("{channel} is dormant: nothing published here yet").format(channel=channel.name)
        else:
            said = _("{channel} is dormant: last post {day}").format(channel=channel.name, day=_dated(last))
        yield Line("act", "dormant", said, command=f"cm add -c {channel.name}")
    if others := found[len(named) :]:
        said = plural("{n} dormant channel:", "{n} dormant channels:", len(others))
        yield Line("act", "dormant", said, ", ".join(c.name for c in others), "cm channel list --dormant")


# --- today and what comes ---------------------------------------------------------------------------------------------


def _of_today(few: Few, room_for: int) -> Iterator[Line]:
    """Today's posts in order of time; the last line counts those that find no place."""
    shown = few.posts if few.count <= room_for else few.posts[: max(0, room_for - 1)]
    for post in shown:
        time = clock(post.wall) if post.wall else ""
        yield Line("today", post.state.value, f"{time} {post.channel} {post.id}{_mark(post)}", post.text)
    if others := few.count - len(shown):
        yield Line("today", "more", _("… and {n} more today").format(n=number(others)), command="cm week")


def _mark(post: Glimpse) -> str:
    """What its state alone would hide: it was out, and is no more."""
    if post.withdrawal is None:
        return ""
    return " · " + (_("withdrawn") if post.withdrawal == "done" else _("takedown open"))


def _notes(standing: Standing) -> Iterator[Line]:
    """What is left of today's quotas, the first short day of each channel."""
    if standing.quotas:
        yield Line("note", "quota", _("Today:"), _few_of([_quota(count) for count in standing.quotas]))
    gaps = {name: day for name, day in standing.next_gap.items() if day}
    if gaps:
        days = sorted(set(gaps.values()))
        said = _few_of([f"{day_short(day)} ({_channels_of(gaps, day)})" for day in days])
        yield Line("note", "next_gap", _("First short day:"), said, "cm calendar gaps --next")


def _channels_of(gaps: Mapping[str, date], day: date) -> str:
    return ", ".join(name for name, short in gaps.items() if short == day)


def _quota(count: DayCount) -> str:
    """`facebook 3 of 3–5, 2 left`."""
    left = max(0, count.max - count.count)
    bounds = f"{count.min}–{count.max}" if count.min != count.max else str(count.max)
    return _("{channel} {n} of {bounds}, {left} left").format(
        channel=count.channel, n=count.count, bounds=bounds, left=left
    )


def _few_of(said: Sequence[str]) -> str:
    more = len(said) - NAMED_CHANNELS
    return " · ".join(said[:NAMED_CHANNELS]) + (" · " + _("… and {n} more").format(n=more) if more > 0 else "")


def _when(post: Glimpse) -> str:
    return _moment(post.wall) if post.wall else ""


def _moment(wall: datetime) -> str:
    return f"{day_short(wall.date())} {clock(wall)}"


def _dated(at: datetime) -> str:
    return f"{day_short(at.date())} {at.year}"
