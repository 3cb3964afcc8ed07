"""What the report is made from: frozen values, as they were read up to a cut-off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cm.metrics.rates import Engagements, PostNumbers, engagements, rate
from cm.model.facts import DayCount
from cm.model.states import PostState


@dataclass(frozen=True)
class PostRow:
    """A planned post of the week, with its latest snapshot up to the cut-off."""

    id: int
    ref: str | None
    channel: str
    kind: str
    audiences: tuple[str, ...]
    state: PostState
    day: date
    scheduled_at: datetime | None
    text: str
    """The beginning of the text as written."""
    remote_id: str | None
    """Of its first message."""
    permalink: str | None
    out_at: datetime | None
    """When its first message went out, as far as is known."""
    cut_off: datetime
    taken_at: datetime | None = None
    numbers: PostNumbers | None = None
    """None: there is no snapshot."""
    followers: int | None = None
    """Of the channel, as last reported before the post went out."""
    theme: str | None = None
    objective: str | None = None
    source: str | None = None
    """Who gave the figures."""

    @property
    def late(self) -> bool:
        """Published, but only after the cut-off."""
        return self.state is PostState.PUBLISHED and self.out_at is not None and self.out_at > self.cut_off

    @property
    def published(self) -> bool:
        """Published by the cut-off."""
        return self.state is PostState.PUBLISHED and not self.late

    @property
    def partly(self) -> bool:
        """Its first message is out, the post as a whole is not published."""
        return self.state is not PostState.PUBLISHED and self.remote_id is not None

    @property
    def engaged(self) -> Engagements:
        """Its engagements; unknown without a snapshot."""
        return engagements(self.numbers or PostNumbers())

    @property
    def reach(self) -> int | None:
        """Its reach; unknown without a snapshot."""
        return self.numbers.reach if self.numbers else None

    @property
    def impressions(self) -> int | None:
        """Its impressions; unknown without a snapshot."""
        return self.numbers.impressions if self.numbers else None

    @property
    def by_reach(self) -> float | None:
        """Engagements ÷ reach."""
        return rate(self.engaged.value, self.reach)


@dataclass(frozen=True)
class Followers:
    """A channel's followers and the instant of that count."""

    count: int
    taken_at: datetime


@dataclass(frozen=True)
class Period:
    """A report week as instants: `[start, end)`, and the instant up to which snapshots count."""

    week: str
    first: date
    last: date
    start: datetime
    end: datetime
    cut_off: datetime


@dataclass(frozen=True)
class ChannelWeek:
    """One channel in one week: its planned posts (by id), its seven days, its followers."""

    name: str
    platform: str
    audiences: tuple[str, ...]
    simulated: bool
    posts: tuple[PostRow, ...]
    days: tuple[DayCount, ...]
    start: Followers | None
    end: Followers | None
    counts: tuple[Followers, ...] = ()
    """Every count of the week, the oldest first."""
    withdrawn: tuple[str, ...] = ()
    """The motive of each post that was taken down in the week, whenever it was published."""

    @property
    def published(self) -> tuple[PostRow, ...]:
        """The posts that were published by the cut-off."""
        return tuple(post for post in self.posts if post.published)


@dataclass(frozen=True)
class WeekFacts:
    """One week of all channels, by name."""

    period: Period
    channels: Mapping[str, ChannelWeek]


@dataclass(frozen=True)
class ReportFacts:
    """All that a report says something about. Days of the next week are by channel."""

    establishment_key: str
    establishment_name: str
    zone: ZoneInfo
    audience_labels: Mapping[str, str]
    this: WeekFacts
    before: WeekFacts
    next_week: str
    next_days: Mapping[str, tuple[DayCount, ...]]
    objectives: Mapping[str, str]
    """The register: key → label."""
    closed: bool
    """False while the cut-off has not been reached."""
