"""Engagements, rates, growth, quota: pure arithmetic over what was reported.

Every rate is a plain ratio (0.0153, not 1.53 %); whoever prints it makes the percent. What is not known
is None and never 0, and a rate whose denominator is missing or 0 is None as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from statistics import median
from typing import Any

from cm.model.facts import DayCount

COMPONENTS = ("reactions", "comments", "shares", "saves")
"""What is added up where the source gives no total of its own. Clicks are never engagements here."""

SOURCE_TOTAL = "source_total"
"""Stands in place of the components where the source's own total was taken."""

Pair = tuple[int | None, int | None]
"""A post's engagements and its denominator."""


@dataclass(frozen=True)
class PostNumbers:
    """A post's counts at one instant, as reported; None is unknown. `engagements` is the source's own total."""

    reach: int | None = None
    impressions: int | None = None
    reactions: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    views: int | None = None
    engagements: int | None = None


@dataclass(frozen=True)
class Engagements:
    """How many engagements, and what they were made of: `(SOURCE_TOTAL,)`, the known components, or nothing."""

    value: int | None
    components: tuple[str, ...]


@dataclass(frozen=True)
class PeriodRate:
    """A rate over `n` posts: pooled (Σ engagements ÷ Σ denominator), mean and median of the posts' own rates."""

    pooled: float | None
    mean: float | None
    median: float | None
    n: int

    def as_json(self) -> dict[str, Any]:
        """The shape of `report week`."""
        return asdict(self)


def engagements(numbers: PostNumbers) -> Engagements:
    """The source's total if it gives one, else the sum of the known components, else unknown."""
    if numbers.engagements is not None:
        return Engagements(numbers.engagements, (SOURCE_TOTAL,))
    known = {name: value for name in COMPONENTS if (value := getattr(numbers, name)) is not None}
    return Engagements(sum(known.values()) if known else None, tuple(known))


def rate(value: int | None, denominator: int | None) -> float | None:
    """`value` ÷ `denominator` as a ratio; None if either is unknown or the denominator is not above 0."""
    if value is None or denominator is None or denominator <= 0:
        return None
    return value / denominator


def period_rate(posts: Iterable[Pair]) -> PeriodRate:
    """The rate over the posts whose engagements and denominator are both known, the latter above 0."""
    known = [(e, d) for e, d in posts if e is not None and d is not None and d > 0]
    if not known:
        return PeriodRate(None, None, None, 0)
    ratios = [e / d for e, d in known]
    pooled = sum(e for e, _ in known) / sum(d for _, d in known)
    return PeriodRate(pooled, fsum(ratios) / len(ratios), median(ratios), len(known))


def growth(start: int | None, end: int | None) -> float | None:
    """(end − start) ÷ start as a ratio; None if one is unknown or start is 0."""
    if start is None or end is None:
        return None
    return rate(end - start, start)


def total(values: Iterable[int | None]) -> int | None:
    """The sum of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def difference(now: float | None, before: float | None) -> float | None:
    """now − before; None if one is unknown."""
    return None if now is None or before is None else now - before


def quota_days_met(days: Sequence[DayCount]) -> int:
    """On how many of the days the count lay within that day's bounds."""
    return sum(day.status == "ok" for day in days)


def quota_compliance(days: Sequence[DayCount]) -> float | None:
    """Days within their bounds ÷ days looked at, as a ratio; None for no days."""
    return rate(quota_days_met(days), len(days))
