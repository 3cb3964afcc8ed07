"""How many posts a day: counting by the plan's local day, and days that hold too few or too many.

Pure. A post counts if it is scheduled, or has left or may have left (`COUNTED`); drafts, cancelled,
missed and failed posts and posts outside the quota do not. A thread is one post.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cm.config import Bounds, Cadence
from cm.i18n import _
from cm.model.facts import DayCount, Finding
from cm.model.states import COUNTED, PostState, Severity


@dataclass(frozen=True)
class Counted:
    """A post as the cadence sees it; `day` is the local day of its plan."""

    channel: str
    day: date | None
    state: PostState
    in_quota: bool = True


def counts(post: Counted) -> bool:
    """Does this post count for its day?"""
    return post.in_quota and post.day is not None and post.state in COUNTED


def day_counts(posts: Iterable[Counted], *, days: Sequence[date], cadences: Mapping[str, Cadence]) -> list[DayCount]:
    """One count for each of `days` and each channel of `cadences`, by day, then in the channels' order."""
    tally = Counter((post.channel, post.day) for post in posts if counts(post))
    return [
        DayCount(day, channel, tally[channel, day], bounds.min, bounds.max)
        for day in days
        for channel, cadence in cadences.items()
        for bounds in [cadence.on(day)]
    ]


def room(count: int, bounds: Bounds) -> int:
    """How many more posts the day may hold; never negative."""
    return max(0, bounds.max - count)


def cadence_findings(days: Iterable[DayCount]) -> tuple[Finding, ...]:
    """One warning for each day that is short or over, naming day, channel, count and bound."""
    return tuple(finding_of(day) for day in days if day.status != "ok")


def finding_of(day: DayCount) -> Finding:
    """What is to be said of a day that is `short` or `over`."""
    if day.status == "over":
        reason = _("{day}, {channel}: {count} posts, at most {bound}.")
        label, bound = _("Too many posts"), day.max
    else:
        reason = _("{day}, {channel}: {count} posts, at least {bound}.")
        label, bound = _("Too few posts"), day.min
    said = reason.format(day=day.day.isoformat(), channel=day.channel, count=day.count, bound=bound)
    return Finding(f"cadence.{day.status}", Severity.WARNING, label, said)
