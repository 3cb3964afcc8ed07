"""One channel's entry of the weekly report, from frozen rows: pure, JSON-ready, in a fixed order."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cm.metrics.rates import (
    Engagements,
    difference,
    growth,
    period_rate,
    quota_compliance,
    quota_days_met,
    total,
)
from cm.metrics.rows import ChannelWeek, Followers, PostRow, ReportFacts, WeekFacts
from cm.model.facts import DayCount
from cm.model.states import PostState

Json = dict[str, Any]


class Figures(Protocol):
    """Whatever has engagements and what they may be divided by."""

    @property
    def engaged(self) -> Engagements:
        """Engagements, and what they were made of."""

    @property
    def reach(self) -> int | None:
        """Reach."""

    @property
    def impressions(self) -> int | None:
        """Impressions."""

    @property
    def followers(self) -> int | None:
        """Followers."""


def iso(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with the zone's offset at that instant; None stays None."""
    return instant.astimezone(zone).isoformat() if instant else None


def channel_entry(channel: ChannelWeek, facts: ReportFacts) -> Json:
    """The entry of `channels`: design.md's keys first, then what the report adds."""
    return {
        "channel": channel.name,
        "platform": channel.platform,
        "simulated": channel.simulated,
        "audiences": list(channel.audiences),
        **_counts(channel),
        **_quota(channel.days),
        **_numbers(channel),
        "followers": _followers(channel, facts.zone),
        "kinds": _kinds(channel.posts),
        "days": [_day(day, channel.posts) for day in channel.days],
        "comparison": _comparison(channel, facts.before),
        "next_week": _next_week(facts.next_week, facts.next_days[channel.name]),
    }


def _counts(channel: ChannelWeek) -> Json:
    states = Counter(post.state for post in channel.posts)
    asked = (PostState.FAILED, PostState.MISSED, PostState.HANDED, PostState.UNCONFIRMED)
    return {
        "planned": len(channel.posts),
        "published": len(channel.published),
        **{state.value: states[state] for state in asked},
        **withdrawals(channel.withdrawn),
    }


def withdrawals(motives: Sequence[str]) -> Json:
    """How many posts were taken down in the week, and how many for each motive."""
    counted = Counter(motives)
    return {"withdrawn": len(motives), "withdrawn_for": {motive: counted[motive] for motive in sorted(counted)}}


def _quota(days: Sequence[DayCount]) -> Json:
    return {"quota_days_met": quota_days_met(days), "quota_days": len(days), "quota_compliance": quota_compliance(days)}


def _numbers(channel: ChannelWeek) -> Json:
    posts = channel.published
    reach, impressions, engaged = _columns(posts)
    return {
        "reach": total(reach),
        "impressions": total(impressions),
        "engagements": total(engaged),
        "engagement_rate": rates(posts),
        "n": {
            "published": len(posts),
            "snapshots": sum(post.numbers is not None for post in posts),
            "reach": _known(reach),
            "impressions": _known(impressions),
            "engagements": _known(engaged),
        },
        "engagement_components": components(posts),
    }


def _columns(posts: Sequence[PostRow]) -> tuple[list[int | None], list[int | None], list[int | None]]:
    return (
        [post.reach for post in posts],
        [post.impressions for post in posts],
        [post.engaged.value for post in posts],
    )


def _known(values: Sequence[int | None]) -> int:
    return sum(value is not None for value in values)


def rates(posts: Sequence[Figures]) -> Json:
    """The engagement rate of the posts by each denominator: pooled, mean, median (ratios) and n."""
    return {
        "by_reach": period_rate((post.engaged.value, post.reach) for post in posts).as_json(),
        "by_followers": period_rate((post.engaged.value, post.followers) for post in posts).as_json(),
        "by_impressions": period_rate((post.engaged.value, post.impressions) for post in posts).as_json(),
    }


def components(posts: Sequence[Figures]) -> list[Json]:
    """What the engagements were made of, and for how many posts; the commonest first."""
    used = Counter(post.engaged.components for post in posts if post.engaged.components)
    ordered = sorted(used.items(), key=lambda item: (-item[1], item[0]))
    return [{"components": list(names), "posts": count} for names, count in ordered]


def _followers(channel: ChannelWeek, zone: ZoneInfo) -> Json:
    start, end = channel.start, channel.end
    return {
        "start": _count(start),
        "end": _count(end),
        "net": difference(_count(end), _count(start)),
        "growth": growth(_count(start), _count(end)),
        "start_at": iso(start.taken_at if start else None, zone),
        "end_at": iso(end.taken_at if end else None, zone),
    }


def _count(followers: Followers | None) -> int | None:
    return followers.count if followers else None


def _kinds(posts: Sequence[PostRow]) -> list[Json]:
    """The mix of kinds: how many posts of each were planned and published."""
    planned = Counter(post.kind for post in posts)
    published = Counter(post.kind for post in posts if post.published)
    return [{"kind": kind, "planned": planned[kind], "published": published[kind]} for kind in sorted(planned)]


def _day(day: DayCount, posts: Sequence[PostRow]) -> Json:
    own = [post for post in posts if post.day == day.day]
    return {
        "date": day.day.isoformat(),
        "planned": len(own),
        "published": sum(post.published for post in own),
        "count": day.count,
        "min": day.min,
        "max": day.max,
        "status": day.status,
    }


def _comparison(channel: ChannelWeek, before: WeekFacts) -> Json:
    """The week before at its own cut-off, and how much this week differs from it."""
    now, then = _compared(channel), _compared(before.channels[channel.name])
    return {
        "week": before.period.week,
        "before": then,
        "difference": {key: difference(now[key], then[key]) for key in now},
    }


def _compared(channel: ChannelWeek) -> dict[str, float | None]:
    posts = channel.published
    reach, impressions, engaged = _columns(posts)
    return {
        "planned": len(channel.posts),
        "published": len(posts),
        "quota_days_met": quota_days_met(channel.days),
        "reach": total(reach),
        "impressions": total(impressions),
        "engagements": total(engaged),
        "by_reach": period_rate(zip(engaged, reach, strict=True)).pooled,
        "followers": _count(channel.end),
    }


def _next_week(week: str, days: Sequence[DayCount]) -> Json:
    return {
        "week": week,
        "planned": sum(day.count for day in days),
        "short": [day.day.isoformat() for day in days if day.status == "short"],
        "over": [day.day.isoformat() for day in days if day.status == "over"],
    }
