"""The weekly report from frozen rows: pure, JSON-ready, every list in a fixed order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cm.metrics.missing import missing
from cm.metrics.mixes import mixes, objectives, series
from cm.metrics.ranking import Candidate, Ranking, rank
from cm.metrics.rates import COMPONENTS, SOURCE_TOTAL
from cm.metrics.rows import ChannelWeek, PostRow, ReportFacts
from cm.metrics.summary import channel_entry, iso, withdrawals
from cm.model.ids import post_id

Json = dict[str, Any]

TOP_POSTS = 5
EXCERPT = 80
"""Most characters of a post's text that the report quotes."""

METHOD: Mapping[str, str] = {
    "unit": "ratio",
    "engagements": f"{SOURCE_TOTAL}, else {' + '.join(COMPONENTS)} as far as known",
    "by_reach": "engagements / reach",
    "by_followers": "engagements / followers last counted before the post",
    "by_impressions": "engagements / impressions",
    "pooled": "sum(engagements) / sum(denominator) of posts where both are known and the denominator > 0",
    "mean": "mean of the posts' own rates",
    "median": "median of the posts' own rates",
    "growth": "(end - start) / start",
    "quota_compliance": "quota_days_met / quota_days",
    "reach": "sum over posts: a person reached by two posts counts twice",
    "audiences": "a post for two audiences counts for both",
    "top_posts": "published posts by engagements, then by_reach, then id",
    "bottom_posts": "the lowest by_reach of n posts, where n >= 5",
    "ranking": "published posts by by_reach; posts without it are counted as unknown, equal ones stand by id",
    "shares": "posts of the key / all posts",
    "withdrawn": "posts taken down in the week, whenever published; they stay counted as published, with their figures",
}
"""How each figure is made (symbols, not prose; never translated)."""


def assemble(facts: ReportFacts) -> Json:
    """The report as JSON values, every list in a fixed order."""
    period, channels = facts.this.period, [facts.this.channels[name] for name in sorted(facts.this.channels)]
    posts = [post for channel in channels for post in channel.posts]
    ranking = rank_by_reach(posts)
    return {
        "establishment": {"key": facts.establishment_key, "name": facts.establishment_name},
        "week": period.week,
        "from": iso(period.start, facts.zone),
        "to": iso(period.end, facts.zone),
        "cut_off": iso(period.cut_off, facts.zone),
        "simulated": any(channel.simulated for channel in channels),
        "generated_from": _sources(posts, facts),
        "channels": [channel_entry(channel, facts) for channel in channels],
        "audiences": _audiences(channels, facts.audience_labels),
        "top_posts": [_post(post, facts) for post in top_posts(posts)],
        "bottom_posts": [_post(place.post, facts) for place in ranking.bottom],
        "ranking": ranking.as_json(lambda post: _named(post, facts)),
        "mixes": mixes(posts, facts.audience_labels),
        "objectives": objectives(posts, facts.objectives),
        "series": [series(channel, facts.zone) for channel in channels],
        **withdrawals([motive for channel in channels for motive in channel.withdrawn]),
        "inbox": None,
        "moderation": None,
        "missing": missing(facts),
        "method": dict(METHOD),
    }


def _sources(posts: Sequence[PostRow], facts: ReportFacts) -> Json:
    """What the figures stand on: how many posts and snapshots, and the newest of these."""
    taken = [post.taken_at for post in posts if post.published and post.taken_at]
    return {
        "posts": len(posts),
        "snapshots": len(taken),
        "newest_snapshot": iso(max(taken, default=None), facts.zone),
        "closed": facts.closed,
    }


def _audiences(channels: Sequence[ChannelWeek], labels: Mapping[str, str]) -> list[Json]:
    """Posts per audience per channel; an audience that a channel has and no post addressed shows its 0."""
    keys = {key for channel in channels for key in channel.audiences}
    keys |= {key for channel in channels for post in channel.posts for key in post.audiences}
    return [_audience(key, labels.get(key, key), channels) for key in sorted(keys)]


def _audience(key: str, label: str, channels: Sequence[ChannelWeek]) -> Json:
    rows: list[Json] = []
    for channel in channels:
        addressed = [post for post in channel.posts if key in post.audiences]
        if addressed or key in channel.audiences:
            published = sum(post.published for post in addressed)
            rows.append({"channel": channel.name, "planned": len(addressed), "published": published})
    totals = {what: sum(row[what] for row in rows) for what in ("planned", "published")}
    return {"audience": key, "label": label, **totals, "channels": rows}


def top_posts(posts: Iterable[PostRow]) -> list[PostRow]:
    """The published posts with most engagements; then by their rate by reach, then by id."""
    known = [post for post in posts if post.published and post.engaged.value is not None]
    return sorted(known, key=_rank)[:TOP_POSTS]


def _rank(post: PostRow) -> tuple[int, float, int]:
    rate = post.by_reach
    return -(post.engaged.value or 0), -rate if rate is not None else 1.0, post.id


def rank_by_reach(posts: Iterable[PostRow]) -> Ranking[PostRow]:
    """The published posts by their engagement rate by reach; equal rates by id."""
    published = sorted((post for post in posts if post.published), key=lambda post: post.id)
    return rank([Candidate(post, post.engaged.value, post.reach) for post in published], "by_reach")


def _post(post: PostRow, facts: ReportFacts) -> Json:
    figures = {"reach": post.reach, "engagements": post.engaged.value, "rate": post.by_reach}
    return {**_named(post, facts), **figures, "permalink": post.permalink}


def _named(post: PostRow, facts: ReportFacts) -> Json:
    return {
        "id": post_id(post.id),
        "ref": post.ref,
        "channel": post.channel,
        "kind": post.kind,
        "scheduled_at": iso(post.scheduled_at, facts.zone),
        "text": excerpt(post.text),
    }


def excerpt(text: str) -> str:
    """The beginning of a text on one line, at most 80 characters, with `…` where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1].rstrip() + "…"
