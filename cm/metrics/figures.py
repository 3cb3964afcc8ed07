"""Posts from anywhere (our own, or of a file) with their figures, and what is told of many of them: pure.

Totals are sums of what is known, with the number of posts for which it is. Rates are given pooled, as mean and as
median of the posts' own rates, always with n (see `cm.metrics.rates`); a rate of few posts is marked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cm.metrics.ranking import ENOUGH, Candidate, rank
from cm.metrics.rates import Engagements, PostNumbers, engagements, total
from cm.metrics.summary import components, iso, rates

Json = dict[str, Any]
By = Literal["kind", "weekday", "hour", "audience", "objective"]

DENOMINATORS = ("by_reach", "by_impressions", "by_followers")
"""In the order in which one is looked for to rank by."""


@dataclass(frozen=True)
class Measured:
    """A post as its figures are told. `id` is ours (`p212`), None for a post that the journal does not know."""

    id: str | None
    label: str
    channel: str
    source: str | None
    kind: str | None
    numbers: PostNumbers
    followers: int | None
    """As last counted before it went out, or as its file says."""
    out_at: datetime | None = None
    has_hour: bool = True
    """False if only the day is known at which it went out."""
    permalink: str | None = None
    audiences: tuple[str, ...] = ()
    objective: str | None = None

    @cached_property
    def engaged(self) -> Engagements:
        """Its engagements, and what they were made of."""
        return engagements(self.numbers)

    @property
    def reach(self) -> int | None:
        """Its reach."""
        return self.numbers.reach

    @property
    def impressions(self) -> int | None:
        """Its impressions."""
        return self.numbers.impressions


def summary(posts: Sequence[Measured], by: By, zone: ZoneInfo) -> Json:
    """Totals, rates, groups and the ends of the ranking; JSON values in a fixed order."""
    return {
        "posts": len(posts),
        "totals": _totals(posts),
        "engagement_rate": rates(posts),
        "engagement_components": components(posts),
        "by": by,
        "groups": [_group(key, found) for key, found in _grouped(posts, by, zone)],
        "ranking": _ranking(posts, zone),
    }


def _totals(posts: Sequence[Measured]) -> Json:
    """Sum and number of posts by figure; figures that no post has are left out."""
    values: dict[str, list[int | None]] = {"engagements": [post.engaged.value for post in posts]}
    for one in fields(PostNumbers):
        if one.name != "engagements":
            values[one.name] = [getattr(post.numbers, one.name) for post in posts]
    return {
        name: {"sum": total(found), "n": sum(value is not None for value in found)}
        for name, found in values.items()
        if total(found) is not None
    }


def _group(key: str | int | None, posts: Sequence[Measured]) -> Json:
    found = rates(posts)
    return {
        "key": key,
        "posts": len(posts),
        "engagements": total(post.engaged.value for post in posts),
        "reach": total(post.reach for post in posts),
        "engagement_rate": found,
        "enough": len(posts) >= ENOUGH,
    }


def _grouped(posts: Iterable[Measured], by: By, zone: ZoneInfo) -> list[tuple[str | int | None, list[Measured]]]:
    """Groups in order: hours and weekdays (1 is Monday) by the clock, others by size; the unknown last."""
    found: dict[str | int | None, list[Measured]] = defaultdict(list)
    for post in posts:
        keys: list[str | int | None] = [*_KEYS[by](post, zone)]
        for key in keys or [None]:
            found[key].append(post)
    numbered = by in ("weekday", "hour")
    return sorted(found.items(), key=lambda one: (one[0] is None, one[0] if numbered else -len(one[1]), str(one[0])))


def _kind(post: Measured, _zone: ZoneInfo) -> list[str | int]:
    return [post.kind] if post.kind else []


def _weekday(post: Measured, zone: ZoneInfo) -> list[str | int]:
    return [post.out_at.astimezone(zone).isoweekday()] if post.out_at else []


def _hour(post: Measured, zone: ZoneInfo) -> list[str | int]:
    return [post.out_at.astimezone(zone).hour] if post.out_at and post.has_hour else []


def _audience(post: Measured, _zone: ZoneInfo) -> list[str | int]:
    return list(post.audiences)


def _objective(post: Measured, _zone: ZoneInfo) -> list[str | int]:
    return [post.objective] if post.objective else []


_KEYS: dict[By, Callable[[Measured, ZoneInfo], list[str | int]]] = {
    "kind": _kind,
    "weekday": _weekday,
    "hour": _hour,
    "audience": _audience,
    "objective": _objective,
}


def _ranking(posts: Sequence[Measured], zone: ZoneInfo) -> Json:
    """By reach if that ranks posts enough, else by impressions, else by followers; never a mixture."""
    made = [rank(_candidates(posts, name), name) for name in DENOMINATORS]
    chosen = next((ranking for ranking in made if ranking.enough), made[0])
    return chosen.as_json(lambda post: _shown(post, zone))


def _candidates(posts: Iterable[Measured], denominator: str) -> list[Candidate[Measured]]:
    name = denominator.removeprefix("by_")
    return [Candidate(post, post.engaged.value, getattr(post, name)) for post in posts]


def _shown(post: Measured, zone: ZoneInfo) -> Json:
    return {
        "id": post.id,
        "label": post.label,
        "channel": post.channel,
        "kind": post.kind,
        "published_at": iso(post.out_at, zone),
        "permalink": post.permalink,
    }
