"""The best and the worst posts by a rate whose denominator is named: pure.

The rate of a post is engagements ÷ denominator (reach, impressions or followers), as in `cm.metrics.rates`.
`n` is the number of posts for which both are known and the denominator is above 0; the others are counted as
unknown and never ranked. Equal rates keep the order in which the posts were given. With fewer than `ENOUGH`
posts nobody is named best or worst.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cm.metrics.rates import rate

T = TypeVar("T")

ENOUGH = 5
"""Fewer posts than this make no headline."""

SHOWN = 3
"""Posts at either end."""


@dataclass(frozen=True)
class Candidate(Generic[T]):
    """A post with the two figures that its rate is made of; None is unknown."""

    post: T
    engagements: int | None
    denominator: int | None

    @property
    def rate(self) -> float | None:
        """Engagements ÷ denominator as a ratio; None if it is undefined."""
        return rate(self.engagements, self.denominator)


@dataclass(frozen=True)
class Ranking(Generic[T]):
    """The ends of an order: `top` the best first, `bottom` the worst first; no post stands in both."""

    denominator: str
    n: int
    unknown: tuple[T, ...]
    top: tuple[Candidate[T], ...]
    bottom: tuple[Candidate[T], ...]

    @property
    def enough(self) -> bool:
        """True if there are posts enough to call one best; both ends are empty if not."""
        return self.n >= ENOUGH

    def as_json(self, shown: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
        """`{"denominator","n","unknown","enough","top":[…],"bottom":[…]}`; rates are ratios."""
        return {
            "denominator": self.denominator,
            "n": self.n,
            "unknown": len(self.unknown),
            "enough": self.enough,
            "top": [_placed(place, shown) for place in self.top],
            "bottom": [_placed(place, shown) for place in self.bottom],
        }


def _placed(place: Candidate[T], shown: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    figures = {"rate": place.rate, "engagements": place.engagements, "denominator": place.denominator}
    return {**shown(place.post), **figures}


def rank(candidates: Iterable[Candidate[T]], denominator: str, *, size: int = SHOWN) -> Ranking[T]:
    """The `size` best and worst of the candidates; `denominator` is how their rate is called, e.g. `by_reach`."""
    known: list[tuple[float, Candidate[T]]] = []
    unknown: list[T] = []
    for candidate in candidates:
        if (value := candidate.rate) is None:
            unknown.append(candidate.post)
        else:
            known.append((value, candidate))
    if len(known) < ENOUGH:
        return Ranking(denominator, len(known), tuple(unknown), (), ())
    best = sorted(known, key=lambda pair: -pair[0])
    worst = sorted(best[size:], key=lambda pair: pair[0])
    return Ranking(
        denominator,
        len(known),
        tuple(unknown),
        tuple(candidate for _rate, candidate in best[:size]),
        tuple(candidate for _rate, candidate in worst[:size]),
    )
