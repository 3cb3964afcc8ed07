"""What becomes of posts that are overdue: after a silence, in a flood, when a person lets a channel go on. Pure.

A burst of stale posts after downtime helps nobody. So after a silence a channel catches up with one post, and a
channel with more of them than a day may hold does nothing before a person has looked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SILENCE = timedelta(minutes=10)
"""Cron runs each minute: so long without a run is a silence."""
OUT_OF_REACH = ("breaker", "check")
"""Pauses of an account whose platform cannot be reached; one that follows another at once counts from the first."""


@dataclass(frozen=True)
class Overdue:
    """A post whose time has come, within its grace, of which nothing is out nor in doubt."""

    id: int
    due: datetime
    urgent: bool = False
    crisis: bool = False


@dataclass(frozen=True)
class Rest:
    """How an account's pause stands, or stood last."""

    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """True while nothing may be sent because of it."""
        return self.since is not None and (self.until is None or self.until > now)


def silent(last: datetime | None, now: datetime) -> bool:
    """True if cron was away; the first run of a workspace is never late, nor is one after a clock went back."""
    return last is not None and now - last > SILENCE


def cut_off(rest: Rest, now: datetime) -> bool:
    """True if a pause has just ended for which the platform was out of reach for longer than a silence."""
    if rest.kind not in OUT_OF_REACH or rest.since is None or rest.until is None:
        return False
    return rest.until - rest.since > SILENCE and timedelta() <= now - rest.until <= SILENCE


def newest(posts: Collection[Overdue], n: int = 1) -> list[Overdue]:
    """The `n` newest posts, in their order; what bears the crisis mark comes before all others."""
    ranked = sorted(posts, key=lambda post: (post.crisis, post.due, post.id), reverse=True)
    return sorted(ranked[:n], key=lambda post: (post.due, post.id))


def left_behind(posts: Sequence[Overdue], n: int = 1) -> list[Overdue]:
    """All but the `n` newest."""
    kept = {post.id for post in newest(posts, n)}
    return [post for post in posts if post.id not in kept]


def flooded(posts: Collection[Overdue], most: int) -> bool:
    """True if more posts are overdue than a day may hold; those for which haste was asked are not counted."""
    return sum(not (post.urgent or post.crisis) for post in posts) > most
