"""A hold as it is said to people."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cm.config import Config
from cm.formats import clock, day_short, labelled
from cm.i18n import _
from cm.publishing.hold_file import NAME
from cm.publishing.holds import BY_FILE, HoldView, person_of


def held_since(hold: HoldView, config: Config, zone: ZoneInfo) -> str:
    """`Everything is held since Fri 27 Nov. 18:00 by Camille Roux until 19:00`; the reason stands apart."""
    facts = {"since": moment(hold.since, zone), "who": person_of(hold, config)}
    if hold.channels is None:
        said = _("Everything is held since {since} by {who}").format(**facts)
    else:
        said = _("{what}: held since {since} by {who}").format(what=", ".join(hold.channels), **facts)
    return _("{held} until {end}").format(held=said, end=moment(hold.until, zone)) if hold.until else said


def sentence(hold: HoldView, config: Config, zone: ZoneInfo) -> str:
    """The same with its reason."""
    said = held_since(hold, config, zone)
    return labelled(said, hold.reason) if hold.reason else f"{said}."


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Fri 27 Nov. 18:00`, local."""
    wall = at.astimezone(zone)
    return f"{day_short(wall.date())} {clock(wall)}"


def end_of(hold: HoldView) -> str:
    """The command that ends it."""
    if hold.source == BY_FILE:
        return f"rm {NAME}"
    return "cm hold off" + "".join(f" -c {name}" for name in hold.channels or ())
