"""Is all well with posts, accounts and channels? Pure verdicts, as in `cm.publishing.health`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from cm.formats import clock, day_long, day_short, labelled, plural
from cm.i18n import _
from cm.publishing.health import (
    FEW_DAYS,
    HANGS_AFTER,
    LAST_DAYS,
    MONTHS_DAYS,
    NAMED,
    NETWORK,
    PERSON,
    RECOVERED_IN,
    Finding,
    Group,
)

# --- posts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sort:
    """Posts that are in the same trouble: how many, and the ids of the first."""

    count: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenAttempt:
    """An attempt that has not ended. `held`: a living process has its account's lock. Instants are UTC."""

    post: str
    channel: str
    since: datetime
    held: bool
    looked_at: datetime | None
    """When the engine looks at the post again by itself."""
    mend: str = "cm publish"
    """What settles it."""


@dataclass(frozen=True)
class PostFacts:
    """What waits for a person, or for a run that does not come."""

    failed: Sort = Sort()
    unconfirmed: Sort = Sort()
    missed: Sort = Sort()
    withdrawals: Sort = Sort()
    """Taken down; nobody knows whether they are gone."""
    corrections: Sort = Sort()
    """Corrected; nobody knows what they say."""
    unlooked: Sort = Sort()
    """The engine should have looked at them minutes ago."""
    asleep: Sort = Sort()
    """Overdue, and waiting for something that the engine knows of."""
    open: tuple[OpenAttempt, ...] = ()


def of_posts(facts: PostFacts, now: datetime) -> Iterator[Finding]:
    """Posts that are stuck or need a person."""
    group = Group("posts")
    found = [*_waiting(group, facts), *(each for one in facts.open for each in _of_attempt(group, one, now))]
    yield from found or [group.ok("calm", _("No post is stuck, and none waits for a person."))]


def _waiting(group: Group, facts: PostFacts) -> Iterator[Finding]:
    sorts = (
        ("unlooked", facts.unlooked, "cm publish",
         plural("{n} post is due and no run has looked at it", "{n} posts are due and no run has looked at them",
                facts.unlooked.count)),
        ("unconfirmed", facts.unconfirmed, f"cm post confirm {_first(facts.unconfirmed)} --url … | --not-published",
         plural("{n} post is unconfirmed", "{n} posts are unconfirmed", facts.unconfirmed.count)),
        ("failed", facts.failed, "cm post list state:failed",
         plural("{n} post failed", "{n} posts failed", facts.failed.count)),
        ("missed", facts.missed, "cm move state:missed --next",
         plural("{n} post was missed", "{n} posts were missed", facts.missed.count)),
        ("withdrawal", facts.withdrawals, f"cm post confirm {_first(facts.withdrawals)} --gone",
         plural("{n} post was taken down, and nobody knows whether it is gone",
                "{n} posts were taken down, and nobody knows whether they are gone", facts.withdrawals.count)),
        ("correction", facts.corrections, f"cm post correct {_first(facts.corrections)}",
         plural("{n} post was corrected, and nobody knows what it says there",
                "{n} posts were corrected, and nobody knows what they say there", facts.corrections.count)),
    )  # fmt: skip
    for key, sort, mend, said in sorts:
        if sort.count:
            yield group.problem(key, _named(said, sort), mend, PERSON)
    if facts.asleep.count:
        said = plural("{n} post is overdue and waits", "{n} posts are overdue and wait", facts.asleep.count)
        yield group.warning("overdue", _named(said, facts.asleep), "cm today")


def _first(sort: Sort) -> str:
    return sort.ids[0] if sort.ids else "ID"


def _named(said: str, sort: Sort) -> str:
    more = "…" if sort.count > NAMED else ""
    return labelled(said, ", ".join(sort.ids[:NAMED]) + more)


def _of_attempt(group: Group, attempt: OpenAttempt, now: datetime) -> Iterator[Finding]:
    age, facts = now - attempt.since, {"post": attempt.post, "channel": attempt.channel}
    minutes = int(age.total_seconds() // 60)
    if attempt.held and age > HANGS_AFTER:
        said = _("{post} has been with a process that hangs for {n} minutes; it keeps {channel} locked.")
        mend = _("end that process (ps -ef | grep 'cm '): the next run settles the post")
        yield group.problem("hangs", said.format(n=minutes, **facts), mend, PERSON)
    elif attempt.held:
        yield group.ok("sending", _("{post} is being published on {channel}.").format(**facts))
    elif attempt.looked_at is not None and attempt.looked_at > now:
        said = _("The run that published {post} on {channel} has died; a later run settles that.").format(**facts)
        yield group.warning("died", said, attempt.mend)
    elif age > RECOVERED_IN and attempt.mend != "cm publish":
        said = _("A command that changed {post} on {channel} died {n} minutes ago; the same command settles that.")
        yield group.problem("stuck", said.format(n=minutes, **facts), attempt.mend, PERSON)
    elif age > RECOVERED_IN:
        said = _("The run that published {post} on {channel} died {n} minutes ago, and none has settled that.")
        yield group.problem("stuck", said.format(n=minutes, **facts), "cm publish", PERSON)


# --- holds and pauses -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rest:
    """A channel that the engine has stopped; `until` None: until a person acts. Local times."""

    channel: str
    kind: str
    until: datetime | None
    reason: str
    mend: str


@dataclass(frozen=True)
class Held:
    """A hold that is on; `channels` empty: all. Local times."""

    source: str
    channels: tuple[str, ...]
    since: datetime
    reason: str


def of_pauses(rests: Sequence[Rest], holds: Sequence[Held]) -> Iterator[Finding]:
    """What is stopped, by a person or by the engine."""
    group = Group("pauses")
    for hold in holds:
        what = ", ".join(hold.channels) or _("all channels")
        said = _("A hold is on since {time} for {what}").format(time=_time(hold.since), what=what)
        mend = "rm HOLD" if hold.source == "file" else "cm hold off" + "".join(f" -c {name}" for name in hold.channels)
        yield group.warning("hold", labelled(said, hold.reason) if hold.reason else said, mend)
    for rest in rests:
        facts = {"channel": rest.channel, "reason": rest.reason}
        if rest.until is None:
            yield group.problem("stopped", _("{channel} is stopped: {reason}").format(**facts), rest.mend, PERSON)
        else:
            said = _("{channel} rests until {time}: {reason}").format(time=_time(rest.until), **facts)
            yield group.warning("resting", said, rest.mend)
    if not (rests or holds):
        yield group.ok("none", _("Nothing is held, no channel is stopped."))


def _time(at: datetime) -> str:
    return f"{day_short(at)} {clock(at)}"


# --- accounts and channels --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StateFile:
    """The account's memory outside the database; `trouble` is empty if it agrees with the journal."""

    channel: str
    path: str
    trouble: str = ""
    mend: str = ""


def of_state_files(files: Sequence[StateFile]) -> Iterator[Finding]:
    """Does each account's state file agree with the journal?"""
    group = Group("accounts")
    bad = [file for file in files if file.trouble]
    for file in bad:
        said = _("{channel}: {trouble} ({path})").format(channel=file.channel, trouble=file.trouble, path=file.path)
        yield group.problem("state", said, file.mend)
    n = len(files)
    if not files:
        yield group.ok("state", _("No account has been worked yet."))
    elif not bad:
        yield group.ok(
            "state", plural("{n} state file agrees with the journal.", "{n} state files agree with the journal.", n)
        )


@dataclass(frozen=True)
class ChannelFacts:
    """A channel that is in use. `trouble`: why its adapter cannot be had. `answer`: what it said now, if asked."""

    name: str
    local: bool = False
    """Nothing is asked of any network for it."""
    trouble: str = ""
    hint: str = ""
    checked_at: datetime | None = None
    token_ends: datetime | None = None
    version_ends: date | None = None
    """From that day on the platform does not answer the version of its interface that is used."""
    answer: Literal["", "ok", "network", "person"] = ""
    reason: str = ""


def of_channels(channels: Sequence[ChannelFacts], now: datetime) -> Iterator[Finding]:
    """Can each channel be spoken to, and for how long still?"""
    group = Group("channels")
    found = [finding for channel in channels for finding in _of_channel(group, channel, now)]
    yield from found
    if not any(finding.level == "problem" for finding in found):
        n = len(channels)
        yield group.ok("ready", plural("{n} channel is ready.", "{n} channels are ready.", n))


def _of_channel(group: Group, channel: ChannelFacts, now: datetime) -> Iterator[Finding]:
    check = f"cm channel check {channel.name}"
    if channel.trouble:
        yield group.problem("adapter", labelled(channel.name, channel.trouble), channel.hint or "cm config check")
    elif channel.answer == "person":
        yield group.problem("refused", labelled(channel.name, channel.reason), check, PERSON)
    elif channel.answer == "network":
        yield group.problem("silent", labelled(channel.name, channel.reason), check, NETWORK)
    elif channel.checked_at is None and not channel.local:
        yield group.warning("unchecked", _("{channel} has never answered yet.").format(channel=channel.name), check)
    if channel.token_ends is not None:
        yield from _of_token(group, channel.name, channel.token_ends - now)
    if channel.version_ends is not None:
        yield from _of_version(group, channel.name, channel.version_ends, now.date())


def _of_token(group: Group, name: str, left: timedelta) -> Iterator[Finding]:
    """A token that ends soon: told from 14 days before, a problem from 2 days before."""
    mend = f"cm channel login {name}"
    days = left.days
    if left <= timedelta(0):
        yield group.problem("token", _("{channel}: the token has expired.").format(channel=name), mend, PERSON)
    elif left <= timedelta(days=FEW_DAYS):
        said = labelled(name, plural("the token ends in {n} day", "the token ends in {n} days", days))
        if left <= timedelta(days=LAST_DAYS):
            yield group.problem("token", said, mend, PERSON)
        else:
            yield group.warning("token", said, mend)


def _of_version(group: Group, name: str, ends: date, today: date) -> Iterator[Finding]:
    """A version of an interface that ends: told from 60 days before, a problem once it has ended."""
    facts = {"channel": name, "day": day_long(ends)}
    mend = _("install a newer cm, or set a newer api_version in the settings of {channel}").format(channel=name)
    if ends <= today:
        said = _("{channel}: the platform answers the version of its interface that is used no more since {day}.")
        yield group.problem("version", said.format(**facts), mend)
    elif ends - today <= timedelta(days=MONTHS_DAYS):
        said = _("{channel}: the platform stops answering the version of its interface that is used on {day}.")
        yield group.warning("version", said.format(**facts), mend)
