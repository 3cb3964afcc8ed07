"""What the report cannot say, and why: as data, with a sentence for each kind of gap."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cm.formats import plural
from cm.i18n import _
from cm.metrics.rows import ChannelWeek, PostRow, ReportFacts
from cm.model.states import PostState

_OF_ALL: dict[str, Callable[[PostRow], bool]] = {
    "handed": lambda post: post.state is PostState.HANDED,
    "unconfirmed": lambda post: post.state is PostState.UNCONFIRMED,
    "partly_published": lambda post: post.partly,
    "published_after_cut_off": lambda post: post.late,
}

_OF_PUBLISHED: dict[str, Callable[[PostRow], bool]] = {
    "no_snapshot": lambda post: post.numbers is None,
    "reach_unknown": lambda post: post.numbers is not None and post.reach is None,
    "impressions_unknown": lambda post: post.numbers is not None and post.impressions is None,
    "engagements_unknown": lambda post: post.numbers is not None and post.engaged.value is None,
    "followers_unknown": lambda post: post.followers is None,
}


def missing(facts: ReportFacts) -> list[dict[str, Any]]:
    """`[{"channel","what","count"}]`: the whole report first (channel None), then by channel, in a fixed order."""
    found = [] if facts.closed else [_entry(None, "week_not_closed", 1)]
    for name in sorted(facts.this.channels):
        found.extend(_of_channel(facts.this.channels[name]))
    return found


def _of_channel(channel: ChannelWeek) -> Iterator[dict[str, Any]]:
    yield from _counted(channel.name, channel.posts, _OF_ALL)
    yield from _counted(channel.name, channel.published, _OF_PUBLISHED)
    if channel.start is None:
        yield _entry(channel.name, "followers_start_unknown", 1)
    if channel.end is None:
        yield _entry(channel.name, "followers_end_unknown", 1)


def _counted(
    name: str, posts: Sequence[PostRow], asked: dict[str, Callable[[PostRow], bool]]
) -> Iterator[dict[str, Any]]:
    for what, applies in asked.items():
        if count := sum(applies(post) for post in posts):
            yield _entry(name, what, count)


def _entry(channel: str | None, what: str, count: int) -> dict[str, Any]:
    return {"channel": channel, "what": what, "count": count}


def sentence(what: str, count: int) -> str:
    """What an entry of `missing` says to a person. Raises KeyError for a key that `missing` does not give."""
    one, many = _sentences()[what]
    return plural(one, many, count)


def _sentences() -> dict[str, tuple[str, str]]:
    """Each gap with its sentence for one and for many; asked for at run time, in the language of the run."""
    return {
        "week_not_closed": _same(_("The week is not closed: its cut-off lies ahead.")),
        "handed": (_("{n} post waits for somebody to confirm it."), _("{n} posts wait for somebody to confirm them.")),
        "unconfirmed": (
            _("{n} post was sent and nobody knows whether it arrived."),
            _("{n} posts were sent and nobody knows whether they arrived."),
        ),
        "partly_published": (
            _("{n} post is out in part only and not counted."),
            _("{n} posts are out in part only and not counted."),
        ),
        "published_after_cut_off": (
            _("{n} post was published after the cut-off and not counted."),
            _("{n} posts were published after the cut-off and not counted."),
        ),
        "no_snapshot": (_("{n} post was never measured."), _("{n} posts were never measured.")),
        "reach_unknown": (_("{n} post has no known reach."), _("{n} posts have no known reach.")),
        "impressions_unknown": (_("{n} post has no known impressions."), _("{n} posts have no known impressions.")),
        "engagements_unknown": (_("{n} post has no known engagements."), _("{n} posts have no known engagements.")),
        "followers_unknown": (
            _("{n} post went out before the followers were first counted."),
            _("{n} posts went out before the followers were first counted."),
        ),
        "followers_start_unknown": _same(_("No count of followers in the seven days before the week.")),
        "followers_end_unknown": _same(_("No count of followers between the start of the week and the cut-off.")),
    }


def _same(text: str) -> tuple[str, str]:
    return text, text
