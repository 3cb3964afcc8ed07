"""What people write in `config.yaml` and `schedules/<channel>.yaml`: models, catalogues, public holidays, reading."""

from cm.config.access import is_proxy, is_reference
from cm.config.cadence import ALL_WEEK, Bounds, Cadence, Holidays, Schedule, Slots, Weekday
from cm.config.catalogue import AUDIENCES, KINDS, ROLES
from cm.config.fields import FieldFacts, fields
from cm.config.holidays import PublicHolidays, UnknownCountry
from cm.config.loading import load, problems_of, schema
from cm.config.models import Channel, Config, Level, Objective, Publishing

__all__ = [
    "ALL_WEEK",
    "AUDIENCES",
    "KINDS",
    "ROLES",
    "Bounds",
    "Cadence",
    "Channel",
    "Config",
    "FieldFacts",
    "Holidays",
    "Level",
    "Objective",
    "PublicHolidays",
    "Publishing",
    "Schedule",
    "Slots",
    "UnknownCountry",
    "Weekday",
    "fields",
    "is_proxy",
    "is_reference",
    "load",
    "problems_of",
    "schema",
]
