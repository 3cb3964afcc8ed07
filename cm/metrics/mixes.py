"""What a week was made of: mixes of kinds, themes and audiences, objectives served, and its days as series. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from cm.clock import local_day
from cm.metrics.rates import rate, total
from cm.metrics.rows import ChannelWeek, PostRow

Json = dict[str, Any]


def mixes(posts: Sequence[PostRow], audience_labels: Mapping[str, str]) -> Json:
    """`{"kinds","themes","audiences"}`, each `[{"key","label","planned","published","share_planned",
    "share_published"}]`, the most planned first.

    Shares are ratios of all posts: planned ÷ planned, published ÷ published. Those of audiences add up to more
    than 1 where a post speaks to several. Key None: posts without theme.
    """
    return {
        "kinds": _mix(posts, lambda post: [post.kind], {}),
        "themes": _mix(posts, lambda post: [post.theme], {}),
        "audiences": _mix(posts, lambda post: post.audiences, audience_labels),
    }


def _mix(
    posts: Sequence[PostRow], keys: Callable[[PostRow], Iterable[str | None]], labels: Mapping[str, str]
) -> list[Json]:
    planned, published = _counts(posts, keys)
    n, out = len(posts), sum(post.published for post in posts)
    ordered = sorted(planned, key=lambda key: (-planned[key], key is None, key or ""))
    return [
        {
            "key": key,
            "label": labels.get(key, key) if key is not None else None,
            "planned": planned[key],
            "published": published[key],
            "share_planned": rate(planned[key], n),
            "share_published": rate(published[key], out),
        }
        for key in ordered
    ]


def _counts(
    posts: Iterable[PostRow], keys: Callable[[PostRow], Iterable[str | None]]
) -> tuple[Counter[str | None], Counter[str | None]]:
    planned: Counter[str | None] = Counter()
    published: Counter[str | None] = Counter()
    for post in posts:
        planned.update(keys(post))
        if post.published:
            published.update(keys(post))
    return planned, published


def objectives(posts: Sequence[PostRow], register: Mapping[str, str]) -> list[Json]:
    """`[{"objective","label","planned","published","registered"}]`: the whole register in its order, those without
    any post too; then what posts cite beside it, by key; last the posts that cite none (key None)."""
    planned, published = _counts(posts, lambda post: [post.objective])
    cited = sorted(key for key in planned if key is not None and key not in register)
    keys: list[str | None] = [*register, *cited]
    if register and planned[None]:
        keys.append(None)
    return [
        {
            "objective": key,
            "label": register.get(key, key) if key is not None else None,
            "planned": planned[key],
            "published": published[key],
            "registered": key in register,
        }
        for key in keys
    ]


def series(channel: ChannelWeek, zone: ZoneInfo) -> Json:
    """`{"channel","dates","published","engagements","followers"}`: one value for each day of the week.

    `engagements` are those of the day's posts up to the cut-off, unknown (None) where none of its posts has been
    measured and 0 on a day without posts; `followers` is the last count of the day, None where there was none.
    """
    days = [day.day for day in channel.days]
    followers = {local_day(count.taken_at, zone): count.count for count in channel.counts}
    return {
        "channel": channel.name,
        "dates": [day.isoformat() for day in days],
        "published": [len(_of(day, channel)) for day in days],
        "engagements": [_engagements(_of(day, channel)) for day in days],
        "followers": [followers.get(day) for day in days],
    }


def _of(day: date, channel: ChannelWeek) -> list[PostRow]:
    return [post for post in channel.published if post.day == day]


def _engagements(posts: Sequence[PostRow]) -> int | None:
    return total(post.engaged.value for post in posts) if posts else 0
