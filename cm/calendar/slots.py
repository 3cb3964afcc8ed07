"""Open slots: the weekly times of a channel that no post has taken, on days that have room.

Pure. Slots are compared as instants, so that two slots which a clock change makes one are one.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cm.calendar.cadence import room
from cm.clock import Resolved, local_day, resolve
from cm.config import Cadence, Schedule
from cm.errors import Refused
from cm.i18n import _

HORIZON_DAYS = 366
"""So far ahead a slot is looked for."""


@dataclass
class SlotBook:
    """A channel's slots with what has been planned in them. `taken`: instants at which a post stands;
    `counts`: posts that count, by local day; `after`: only slots strictly later are open (UTC); `most`: how many posts
    a day the platform takes, None if that is not known."""

    channel: str
    schedule: Schedule
    cadence: Cadence
    zone: ZoneInfo
    after: datetime
    taken: set[datetime] = field(default_factory=set)
    counts: dict[date, int] = field(default_factory=dict)
    most: int | None = None

    def open_on(self, day: date) -> list[Resolved]:
        """The open slots of a local day, in order; none if the day is full."""
        count = self.counts.get(day, 0)
        if room(count, self.cadence.on(day)) == 0 or (self.most is not None and count >= self.most):
            return []
        return open_slots(self.schedule, day, self.zone, taken=self.taken, after=self.after)

    def next_open(self, day: date | None = None) -> Resolved:
        """The first open slot: of `day` if one is given, else of the next 366 days.

        Raises Refused if there is none.
        """
        first = local_day(self.after, self.zone)
        days = [day] if day else [first + timedelta(days=n) for n in range(HORIZON_DAYS)]
        found = next((slot for each in days for slot in self.open_on(each)), None)
        if found is None:
            raise self._nothing_open(day)
        return found

    def take(self, day: date | None = None) -> Resolved:
        """As `next_open`; the slot is then taken and its day counts one more."""
        slot = self.next_open(day)
        self.taken.add(slot.instant)
        day = local_day(slot.instant, self.zone)
        self.counts[day] = self.counts.get(day, 0) + 1
        return slot

    def _nothing_open(self, day: date | None) -> Refused:
        if not self.schedule.slots:
            return Refused(
                _("The channel {channel} has no slots.").format(channel=self.channel),
                hint=_("Give a time, or write slots into schedules/{channel}.yaml.").format(channel=self.channel),
            )
        when = day.isoformat() if day else _("the next {n} days").format(n=HORIZON_DAYS)
        return Refused(
            _("No open slot on {channel} in {when}.").format(channel=self.channel, when=when),
            hint=_("Give a time, or add slots to schedules/{channel}.yaml.").format(channel=self.channel),
        )


def open_slots(
    schedule: Schedule, day: date, zone: ZoneInfo, *, taken: Collection[datetime], after: datetime
) -> list[Resolved]:
    """The slots of a local day that are later than `after` and not in `taken`, in order of their instants.

    A slot that a clock change skips or doubles is resolved as `cm.clock.resolve` does, and says so.
    """
    found: dict[datetime, Resolved] = {}
    for moment in schedule.times(day):
        slot = resolve(datetime.combine(day, moment), zone)
        if slot.instant > after and slot.instant not in taken:
            found.setdefault(slot.instant, slot)
    return [found[instant] for instant in sorted(found)]
