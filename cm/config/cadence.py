"""Posts a day and when: cadence, public holidays, slots; and what every model of the configuration shares."""

import re
from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from cm.config.holidays import PublicHolidays
from cm.i18n import N_, _

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALL_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]


def _clock_time(value: object) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_("is not a local time; write it as 08:30"))
    return time(int(match[1]), int(match[2]))


ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class Model(BaseModel):
    """Nothing that it does not know, nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounds(Model):
    """How many posts a day: at least `min`, at most `max`."""

    min: int = Field(3, ge=0, le=100, examples=[3], description=N_("Fewest posts of a day."))
    max: int = Field(
        5,
        ge=0,
        le=100,
        examples=[5],
        description=N_("Most posts of a day; one more is refused unless a reason is given."),
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Bounds":
        if self.min > self.max:
            raise ValueError(_("min is above max"))
        return self


class Cadence(Bounds):
    """Posts a day of a channel, with weekdays that differ."""

    weekdays: dict[Weekday, Bounds] = Field(
        default_factory=dict,
        examples=[{"sat": {"min": 1, "max": 3}}],
        description=N_("Bounds of single weekdays (mon … sun) in place of the general ones."),
    )
    holidays: Bounds | None = Field(
        None,
        examples=[{"min": 1, "max": 3}],
        description=N_(
            "Bounds of public holidays in place of their weekday's; which days those are says the "
            "workspace's `holidays:`."
        ),
    )

    _days_off: PublicHolidays | None = PrivateAttr(None)

    def knowing(self, days_off: PublicHolidays | None) -> "Cadence":
        """The same cadence, told which days are public holidays."""
        if self.holidays is None or days_off is None:
            return self
        told = self.model_copy()
        told._days_off = days_off
        return told

    def on(self, day: date) -> Bounds:
        """The bounds of that day."""
        if self.holidays and self._days_off and self._days_off.name(day):
            return self.holidays
        return self.weekdays.get(ALL_WEEK[day.weekday()], self)


class Holidays(Model):
    """Whose public holidays are kept."""

    country: str = Field(
        pattern=r"^[A-Z]{2}$", examples=["FR"], description=N_("The country, by its two letters (ISO 3166).")
    )
    subdivision: str | None = Field(
        None,
        min_length=1,
        max_length=40,
        examples=["57"],
        description=N_("The part of it that has days of its own, e.g. 57 (Moselle), 6AE (Alsace), 974 (Réunion)."),
    )

    @field_validator("subdivision", mode="before")
    @classmethod
    def _figures_are_a_name(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Slots(Model):
    """Weekly times at which a channel publishes, local."""

    days: tuple[Weekday, ...] = Field(
        ALL_WEEK, min_length=1, examples=[["mon", "tue"]], description=N_("Weekdays; all of them if left out.")
    )
    times: tuple[ClockTime, ...] = Field(
        min_length=1, examples=[["08:30", "12:30"]], description=N_("Local times, HH:MM.")
    )


class Schedule(Model):
    """`schedules/<channel>.yaml`."""

    slots: tuple[Slots, ...] = Field(
        (), examples=[[{"days": ["mon"], "times": ["08:30"]}]], description=N_("When a post without a time may go out.")
    )

    def times(self, day: date) -> list[time]:
        """The slots of that day, in order."""
        weekday = ALL_WEEK[day.weekday()]
        return sorted({moment for slots in self.slots if weekday in slots.days for moment in slots.times})
