"""Setting up, in four stages: objectives, networks, frame of intervention, editorial axes and tools.

Pure but for `checklist`, which reads. Each item is computed from the configuration and the data; one that is missing
says what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, get_args

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.forecast import next_gaps
from cm.calendar.objectives import cited
from cm.calendar.overview import shown_channels
from cm.calendar.sql import CHANNEL, POST
from cm.clock import local_day, week_of
from cm.config import ALL_WEEK, Config, Level
from cm.env import Env
from cm.i18n import _
from cm.model.states import COUNTED
from cm.publishing.standing import ACCOUNT, last_tick
from cm.store.tick import SILENT_AFTER

PLANNED_AHEAD = timedelta(days=7)
"""A calendar that is filled for so long counts as planned."""


@dataclass(frozen=True)
class Item:
    """One thing to have. `todo` says what to do while it is missing."""

    key: str
    label: str
    done: bool
    todo: str

    def as_json(self) -> dict[str, Any]:
        """One item of a stage."""
        return {"key": self.key, "label": self.label, "done": self.done, "todo": None if self.done else self.todo}


@dataclass(frozen=True)
class Stage:
    """One of the four stages."""

    key: str
    label: str
    items: tuple[Item, ...]

    @property
    def done(self) -> int:
        """How many of its items are there."""
        return sum(item.done for item in self.items)

    def as_json(self) -> dict[str, Any]:
        """One item of `config checklist`."""
        items = [item.as_json() for item in self.items]
        return {"key": self.key, "label": self.label, "done": self.done, "of": len(items), "items": items}


@dataclass(frozen=True)
class Found:
    """What the data say. `checked`: channels whose platform has answered; `used`: how many different themes and kinds
    planned posts have; `next_gap`: by channel, None if it has none."""

    config: Config
    simulated: frozenset[str]
    today: date
    now: datetime
    cited: Mapping[str | None, tuple[int, int]]
    checked: frozenset[str]
    themes: int
    kinds: int
    next_gap: Mapping[str, date | None]
    last_tick: datetime | None


def checklist(env: Env) -> tuple[Stage, ...]:
    """The four stages of this workspace."""
    with env.store.read() as session:
        themes, kinds = _used(session)
        found = Found(
            config=env.config,
            simulated=env.simulated,
            today=local_day(env.now, env.zone),
            now=env.now,
            cited=cited(session, None, None),
            checked=_checked(session),
            themes=themes,
            kinds=kinds,
            next_gap=next_gaps(session, env, shown_channels(env.config, None)),
            last_tick=last_tick(env.root),
        )
    return stages(found)


def _used(session: Session) -> tuple[int, int]:
    counted = (sa.func.count(sa.distinct(column)) for column in (POST.c.theme, POST.c.kind))
    row = session.execute(sa.select(*counted).where(POST.c.state.in_(COUNTED))).one()
    return row[0], row[1]


def _checked(session: Session) -> frozenset[str]:
    statement = sa.select(CHANNEL.c.name).join_from(CHANNEL, ACCOUNT).where(ACCOUNT.c.checked_at.is_not(None))
    return frozenset(session.execute(statement).scalars())


def stages(found: Found) -> tuple[Stage, ...]:
    """What is there and what is missing. Pure."""
    return (
        Stage("objectives", _("Objectives"), tuple(_objectives(found))),
        Stage("networks", _("Networks"), tuple(_networks(found))),
        Stage("frame", _("Frame of intervention"), tuple(_frame(found.config))),
        Stage("editorial", _("Editorial axes and tools"), tuple(_editorial(found))),
    )


def _objectives(found: Found) -> Iterator[Item]:
    register = found.config.objectives
    todo = _("write them into `objectives:` of config.yaml")
    yield Item("objectives.registered", _("The objectives are registered"), bool(register), todo)
    vague = [key for key, objective in register.items() if len(objective.levels) < len(get_args(Level))]
    label = _("Each is clarified for the service, the establishment, the group, patients and professionals")
    todo = _("complete `levels:` of {names}").format(names=_few(vague)) if vague else todo
    yield Item("objectives.levels", label, bool(register) and not vague, todo)
    unused = [key for key in register if key not in found.cited]
    todo = _("cite {names}: cm post edit ID --objective KEY").format(names=_few(unused)) if unused else todo
    yield Item("objectives.cited", _("Each is cited by a post"), bool(register) and not unused, todo)


def _networks(found: Found) -> Iterator[Item]:
    active = [name for name, channel in found.config.channels.items() if channel.state == "active"]
    todo = _("write them into `channels:` of config.yaml")
    label = _("The channels are registered, each with owner, purpose, audiences and opening day")
    yield Item("networks.registered", label, bool(active), todo)
    pretended = [name for name in active if name in found.simulated]
    label = _("Every active channel reaches its network")
    mend = _("{names}: only simulated; change `adapter:` in config.yaml").format(names=_few(pretended))
    yield Item("networks.real", label, bool(active) and not pretended, mend if active else todo)
    silent = [name for name in active if name not in found.checked]
    mend = f"cm channel check {silent[0]}" if silent else todo
    yield Item("networks.checked", _("Every active channel has answered"), bool(active) and not silent, mend)


def _frame(config: Config) -> Iterator[Item]:
    def holders(*roles: str) -> int:
        return sum(bool(set(roles) & set(person.roles)) for person in config.people.values())

    todo = _("give somebody of `people:` the role {role}")
    needed = (
        ("community_manager", _("There is a community manager"), 1),
        ("deputy", _("A deputy steps in: a second community manager"), 2),
    )
    for key, label, number in needed:
        yield Item(f"frame.{key}", label, holders("community_manager") >= number, todo.format(role="community_manager"))
    directors = holders("communication_director", "management")
    said = todo.format(role="communication_director")
    yield Item("frame.director", _("Somebody of the direction approves"), bool(directors), said)
    label = _("Complaints have somebody to go to: the users' directorate")
    said = todo.format(role="users_directorate")
    yield Item("frame.users_directorate", label, bool(holders("users_directorate")), said)
    label = _("An expert answers medical questions")
    yield Item("frame.expert", label, bool(holders("expert")), todo.format(role="expert"))
    nameless = [
        key for key, person in config.people.items() if "community_manager" in person.roles and not person.logins
    ]
    label = _("What community managers do is signed: each has a login")
    said = _("add `logins:` to {names}").format(names=_few(nameless))
    some = bool(holders("community_manager"))
    yield Item("frame.logins", label, some and not nameless, said if some else todo.format(role="community_manager"))


def _editorial(found: Found) -> Iterator[Item]:
    config = found.config
    active = shown_channels(config, None)
    lacking = [name for name in active if _slots_lacking(config, name)]
    label = _("Every channel has slots for the fewest posts of each weekday")
    said = _("add times to {files}").format(files=_few([f"schedules/{name}.yaml" for name in lacking]))
    yield Item("editorial.slots", label, bool(active) and not lacking, said)
    label = _("Posts have themes")
    yield Item("editorial.themes", label, found.themes > 0, _("give posts a theme: cm post edit ID --theme NAME"))
    label = _("Posts are of several kinds")
    yield Item("editorial.kinds", label, found.kinds > 1, _("vary them: cm post add --kind KIND"))
    soon = [name for name, day in found.next_gap.items() if day and day <= found.today + PLANNED_AHEAD]
    label = _("The next seven days are planned")
    said = _("{names} fall short: cm calendar gaps --next").format(names=_few(soon))
    yield Item("editorial.planned", label, bool(active) and not soon, said)
    said = _("name the country in `holidays:` of config.yaml")
    yield Item("editorial.holidays", _("Public holidays are known"), config.days_off is not None, said)
    last = found.last_tick
    runs = last is not None and found.now - last <= timedelta(seconds=SILENT_AFTER)
    said = _("install schedules/system/crontab for the account that publishes")
    yield Item("editorial.cron", _("cron publishes every minute"), runs, said)


def _slots_lacking(config: Config, channel: str) -> bool:
    """True if a weekday has fewer slots than the cadence asks for."""
    cadence, schedule = config.cadence_of(channel), config.schedule_of(channel)
    week = week_of(date(2026, 1, 1)).days  # any week: bounds and slots go by the weekday
    return any(len(schedule.times(day)) < cadence.weekdays.get(ALL_WEEK[day.weekday()], cadence).min for day in week)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (_(" and {n} more").format(n=len(names) - 3) if len(names) > 3 else "")
