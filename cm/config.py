"""What people write in `config.yaml` and `schedules/<channel>.yaml`, as pydantic models.

`load` gives the whole configuration or every fault found, each with file, line, field and the mend.
Settings of an adapter are checked by the adapter's own model, in `cm.workspace`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from cm.errors import ConfigError, Problem
from cm.i18n import _
from cm.yamlfile import YamlFile, read_yaml

M = TypeVar("M", bound=BaseModel)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALL_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Level = Literal["service", "establishment", "group", "patients", "professionals"]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]

AUDIENCES: Mapping[str, str] = {
    "public": "General public",
    "families": "Patients and families",
    "teenagers": "Teenagers",
    "associations": "Patients' associations",
    "professionals": "Health professionals",
    "institutions": "Journalists and institutions",
    "researchers": "Researchers",
    "students": "Students and future interns",
    "staff": "Staff",
}
"""The shipped catalogue of audiences: key → label; `audiences:` in the configuration adds to it."""

ROLES = (
    "community_manager",
    "communication_director",
    "management",
    "users_directorate",
    "expert",
    "resource_person",
    "editor",
)

KINDS: Mapping[str, tuple[str, ...]] = {
    "announcement": (),
    "press_release": (),
    "conversation": (),
    "event": ("event_date", "place"),
    "quiz": ("answer",),
    "backstage": (),
    "press_relay": ("source", "link"),
    "own_programme": (),
    "testimony": (),
    "recruitment": (),
    "prevention": (),
    "thanks": (),
    "crisis": (),
}
"""The shipped catalogue of kinds: key → fields without which a post of that kind may not go out
(`link` means the post's own link); `kinds:` in the configuration adds to it."""

_SECRET = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)")


def _secret_reference(value: object) -> object:
    if isinstance(value, str) and not _SECRET.fullmatch(value):
        raise ValueError("a token never stands in this file: write env:NAME or file:PATH")
    return value


SecretRef = Annotated[str, BeforeValidator(_secret_reference)]


def _clock_time(value: object) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a local time; write it as 08:30")
    return time(int(match[1]), int(match[2]))


ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Bounds(_Model):
    """How many posts a day: at least `min`, at most `max`."""

    min: int = Field(3, ge=0, le=100, examples=[3])
    """Fewest posts of a day."""
    max: int = Field(5, ge=0, le=100, examples=[5])
    """Most posts of a day; one more is refused unless a reason is given."""

    @model_validator(mode="after")
    def _ordered(self) -> "Bounds":
        if self.min > self.max:
            raise ValueError("min is above max")
        return self


class Cadence(Bounds):
    """Posts a day of a channel, with weekdays that differ."""

    weekdays: dict[Weekday, Bounds] = Field(default_factory=dict, examples=[{"sat": {"min": 1, "max": 3}}])
    """Bounds of single weekdays (mon … sun) in place of the general ones."""

    def on(self, day: date) -> Bounds:
        """The bounds of that day."""
        return self.weekdays.get(ALL_WEEK[day.weekday()], self)


class Publishing(_Model):
    """Timings of the engine, in seconds. Channels that reach a real network have floors (60, 180, 120)."""

    send_deadline: float = Field(60, gt=0, le=600, examples=[60])
    """Longest time that one sending may take in all."""
    lease: float = Field(180, gt=0, le=3600, examples=[180])
    """How long a claim holds without a sign of life; at least three times `send_deadline`."""
    settle: float = Field(120, gt=0, le=3600, examples=[120])
    """Time given to a platform after a lost answer before it is looked at again."""
    backoff: tuple[Seconds, ...] = Field((60, 120, 300, 900), min_length=1, examples=[[60, 120, 300, 900]])
    """Waiting times after the 1st, 2nd, … failed attempt (±20 %); the last one repeats."""
    attempts: int = Field(5, ge=1, le=20, examples=[5])
    """Attempts a message may cost before a person is asked."""

    @model_validator(mode="after")
    def _lease_outlives_sending(self) -> "Publishing":
        if self.lease < 3 * self.send_deadline:
            raise ValueError("lease must be at least three times send_deadline")
        return self


class Establishment(_Model):
    """The institution that speaks."""

    key: Key = Field(examples=["tilleuls"])
    """Short name for commands and tables."""
    name: str = Field(min_length=1, examples=["Hôpital d'enfants des Tilleuls"])
    """Name as it is printed."""


class Person(_Model):
    """Somebody who works with this workspace."""

    name: str = Field(min_length=1, examples=["Camille Roux"])
    """Name as it is printed."""
    roles: tuple[str, ...] = Field((), examples=[["community_manager"]])
    """What they may do."""
    logins: tuple[str, ...] = Field((), examples=[["camille"]])
    """Accounts of this computer that are theirs."""
    email: str | None = Field(None, examples=["camille.roux@hopital.example"])
    """Where mail reaches them."""

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [role for role in roles if role not in ROLES]
        if unknown:
            raise ValueError(f"unknown role {unknown[0]!r}; use one of {', '.join(ROLES)}")
        return roles


class Kind(_Model):
    """A kind of post added to the shipped catalogue."""

    label: str = Field(min_length=1, examples=["Blood drive"])
    """Name as it is printed."""
    required: tuple[str, ...] = Field((), examples=[["event_date", "place"]])
    """Fields without which such a post may not go out."""


class Objective(_Model):
    """What the institution wants to reach by its channels."""

    label: str = Field(min_length=1, examples=["Give public-health information"])
    """Name as it is printed."""
    levels: dict[Level, str] = Field(default_factory=dict, examples=[{"patients": "They find reliable answers"}])
    """What it means for the service, the establishment, the group, patients, professionals."""


class Channel(_Model):
    """One configured account on one platform."""

    platform: Key = Field(examples=["facebook"])
    """Where it is: facebook, x, mastodon, youtube…"""
    adapter: Key | None = Field(None, examples=["sandbox"])
    """What speaks to it; the platform's own adapter if left out, `sandbox` to pretend, `outbox` for files to paste."""
    account: str = Field(min_length=1, examples=["hopital.tilleuls"])
    """Handle or page name there."""
    address: str = Field(min_length=1, examples=["https://www.facebook.com/hopital.tilleuls.example"])
    """Public address."""
    owner: Key = Field(examples=["camille"])
    """The one person who answers for it: a key of `people:`."""
    purpose: str = Field(min_length=1, examples=["Speak with families and the public"])
    """What it is for."""
    opened_on: date = Field(examples=["2011-03-14"])
    """Day it was opened."""
    audiences: tuple[Key, ...] = Field(min_length=1, examples=[["public", "families"]])
    """Whom it speaks to: keys of the audience catalogue."""
    state: Literal["active", "planned", "closed"] = Field("active", examples=["active"])
    """Only an active channel publishes."""
    successor: Key | None = Field(None, examples=["linkedin"])
    """For a closed channel: the one that took over."""
    language: Key | None = Field(None, examples=["fr"])
    """Language of its posts where they name none."""
    cadence: Cadence | None = Field(None, examples=[{"min": 3, "max": 5}])
    """Posts a day, if not the general cadence."""
    grace: int | None = Field(None, ge=1, le=7 * 24 * 60, examples=[60])
    """Minutes after its time in which a post may still go out."""
    spacing: int = Field(15, ge=0, le=24 * 60, examples=[15])
    """Minutes between two posts. Read and kept; the engine does not hold it yet."""
    backlog: bool = Field(True, examples=[True])
    """Stop the channel when more posts are overdue at once than a day may hold; `off` switches this off.
    Read and kept; the engine does not stop for it yet."""
    shared: bool = Field(False, examples=[False])
    """Other workspaces publish for this account too."""
    token: SecretRef | None = Field(None, examples=["env:CM_MASTODON_TOKEN"])
    """Where the access token is found: env:NAME or file:PATH, never the token itself."""
    settings: dict[str, Any] = Field(default_factory=dict, examples=[{"server": "https://mastodon.example"}])
    """The adapter's own settings."""

    @property
    def adapter_name(self) -> str:
        """The adapter that speaks for it."""
        return self.adapter or self.platform


class Slots(_Model):
    """Weekly times at which a channel publishes, local."""

    days: tuple[Weekday, ...] = Field(ALL_WEEK, min_length=1, examples=[["mon", "tue"]])
    """Weekdays; all of them if left out."""
    times: tuple[ClockTime, ...] = Field(min_length=1, examples=[["08:30", "12:30"]])
    """Local times, HH:MM."""


class Schedule(_Model):
    """`schedules/<channel>.yaml`."""

    slots: tuple[Slots, ...] = Field((), examples=[[{"days": ["mon"], "times": ["08:30"]}]])
    """When a post without a time may go out."""

    def times(self, day: date) -> list[time]:
        """The slots of that day, in order."""
        weekday = ALL_WEEK[day.weekday()]
        return sorted({moment for slots in self.slots if weekday in slots.days for moment in slots.times})


class Config(_Model):
    """`config.yaml`: the workspace."""

    language: Literal["en", "fr"] = Field("en", examples=["fr"])
    """Language of what cm prints, and of posts where neither they nor their channel name one."""
    timezone: str = Field("Europe/Paris", examples=["Europe/Paris"])
    """IANA zone of all local times."""
    establishment: Establishment = Field(examples=[{"key": "tilleuls", "name": "Hôpital d'enfants des Tilleuls"}])
    """The workspace's own institution."""
    cadence: Cadence = Field(default_factory=lambda: Cadence(min=3, max=5), examples=[{"min": 3, "max": 5}])
    """Posts a day of a channel that says nothing else."""
    grace: int = Field(60, ge=1, le=7 * 24 * 60, examples=[60])
    """Minutes after its time in which a post may still go out."""
    publishing: Publishing = Field(
        default_factory=lambda: Publishing.model_validate({}), examples=[{"send_deadline": 60, "lease": 180}]
    )
    """Timings of the engine."""
    people: dict[Key, Person] = Field(
        default_factory=dict, examples=[{"jo": {"name": "Jo Martin", "roles": ["community_manager"], "logins": ["jo"]}}]
    )
    """Who works here: key → person."""
    audiences: dict[Key, str] = Field(default_factory=dict, examples=[{"donors": "Blood donors"}])
    """Audiences added to the shipped catalogue: key → label."""
    kinds: dict[Key, Kind] = Field(
        default_factory=dict, examples=[{"blood_drive": {"label": "Blood drive", "required": ["event_date", "place"]}}]
    )
    """Kinds of post added to the shipped catalogue."""
    objectives: dict[Key, Objective] = Field(
        default_factory=dict, examples=[{"inform": {"label": "Give public-health information"}}]
    )
    """The register of objectives: key → what is wanted; a post may cite one."""
    channels: dict[Key, Channel] = Field(
        default_factory=dict, examples=[{"facebook": {"platform": "facebook", "adapter": "sandbox", "account": "page"}}]
    )
    """Channels: name → account."""
    schedules: dict[Key, Schedule] = Field(default_factory=dict, exclude=True)
    """Filled from `schedules/<channel>.yaml`; not written in config.yaml."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{name!r} is not a time zone; write one like Europe/Paris") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone of all local times."""
        return ZoneInfo(self.timezone)

    @property
    def all_audiences(self) -> dict[str, str]:
        """The catalogue: shipped audiences and the workspace's own."""
        return {**AUDIENCES, **self.audiences}

    @property
    def required_fields(self) -> dict[str, tuple[str, ...]]:
        """Every kind with its required fields."""
        return {**KINDS, **{key: kind.required for key, kind in self.kinds.items()}}

    def cadence_of(self, channel: str) -> Cadence:
        """The channel's cadence."""
        return self.channels[channel].cadence or self.cadence

    def grace_of(self, channel: str) -> int:
        """The channel's grace, in minutes."""
        return self.channels[channel].grace or self.grace

    def language_of(self, channel: str) -> str:
        """The language of the channel's posts where they name none."""
        return self.channels[channel].language or self.language

    def schedule_of(self, channel: str) -> Schedule:
        """The channel's slots."""
        return self.schedules.get(channel) or Schedule(slots=())


def load(root: Path) -> Config:
    """Read the configuration of the workspace at `root`. Raises ConfigError with every fault found."""
    file = read_yaml(root / "config.yaml", "config.yaml")
    data = file.data if file.data is not None else {}
    if not isinstance(data, dict):
        raise ConfigError([file.problem((), _("must be a block of fields"), _("begin with `establishment:`"))])
    if "schedules" in data:
        hint = _("write slots into schedules/<channel>.yaml")
        raise ConfigError([file.problem(("schedules",), _("unknown field"), hint)])
    problems: list[Problem] = []
    config = _validated(Config, data, file, problems)
    if config is None:
        raise ConfigError(problems)
    problems.extend(_inconsistencies(config, file))
    schedules = _schedules(root, config, problems)
    if problems:
        raise ConfigError(problems)
    return config.model_copy(update={"schedules": schedules})


def _validated(model: type[M], data: object, file: YamlFile, problems: list[Problem]) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(problems_of(error, file))
        return None


def problems_of(error: ValidationError, file: YamlFile, prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    """pydantic's faults in our words, with the file's lines."""
    found = []
    faults = error.errors(include_input=False, include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and any(_below(fault["loc"], other["loc"]) for other in faults):
            continue  # the items that are wrong are told themselves
        path = (*prefix, *(part for part in fault["loc"] if part != "[key]"))
        message, hint = _said(fault)
        found.append(file.problem(path, message, hint))
    return found


def _below(path: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(other) > len(path) and other[: len(path)] == path


def _said(fault: Any) -> tuple[str, str]:
    kind, message = str(fault["type"]), str(fault["msg"])
    if kind == "extra_forbidden":
        return _("unknown field"), _("remove it or correct its spelling (`cm config schema` lists the fields)")
    if kind == "missing":
        return _("is missing"), _("add it (`cm config schema` describes it)")
    if kind in ("tuple_type", "list_type"):
        return _("must be a list"), _("write it as [one, two]")
    if kind in ("dict_type", "model_type"):
        return _("must be a block of fields"), _("write `field: value` lines below it, indented")
    if kind.startswith("date"):
        return _("is not a day"), _("write it as 2026-01-31")
    if kind.startswith(("int_", "float_")):
        return _("must be a number"), _("write it in figures, without a unit")
    if kind == "string_pattern_mismatch":
        return _("is not a short name"), _("use small letters, figures, - and _ only")
    return message.removeprefix("Value error, "), ""


def _inconsistencies(config: Config, file: YamlFile) -> Iterator[Problem]:
    """What no single field can see: owners, audiences, successors, accounts that stand twice."""
    accounts: dict[tuple[str, str, str], str] = {}
    for name, channel in config.channels.items():
        at = ("channels", name)
        if channel.owner not in config.people:
            message = _("{owner!r} is nobody of `people:`").format(owner=channel.owner)
            yield file.problem((*at, "owner"), message, _("name the one person who answers for this channel"))
        for audience in channel.audiences:
            if audience not in config.all_audiences:
                message = _("unknown audience {key!r}").format(key=audience)
                known = ", ".join(config.all_audiences)
                yield file.problem((*at, "audiences"), message, _("use one of: {known}").format(known=known))
        if channel.successor and channel.successor not in config.channels:
            message = _("there is no channel {key!r}").format(key=channel.successor)
            yield file.problem((*at, "successor"), message, _("name a channel of this file"))
        where = json.dumps(channel.settings, sort_keys=True, default=str)
        identity = (channel.platform, channel.account.casefold().lstrip("@"), where)
        if identity in accounts:
            message = _("the same {platform} account as channel {other!r}").format(
                platform=channel.platform, other=accounts[identity]
            )
            yield file.problem((*at, "account"), message, _("an account is listed once; remove one of the two"))
        accounts.setdefault(identity, name)
    logins: dict[str, str] = {}
    for key, person in config.people.items():
        for login in person.logins:
            if login in logins:
                message = _("login {login!r} is also {other!r}'s").format(login=login, other=logins[login])
                yield file.problem(("people", key, "logins"), message, _("a login belongs to one person"))
            logins.setdefault(login, key)


def _schedules(root: Path, config: Config, problems: list[Problem]) -> dict[str, Schedule]:
    schedules = {}
    for path in sorted((root / "schedules").glob("*.yaml")):
        name = f"schedules/{path.name}"
        try:
            file = read_yaml(path, name)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        if path.stem not in config.channels:
            hint = _("rename the file to one of: {names}").format(names=", ".join(config.channels) or "–")
            problems.append(file.problem((), _("there is no channel {key!r}").format(key=path.stem), hint))
            continue
        schedule = _validated(Schedule, file.data or {}, file, problems)
        if schedule:
            schedules[path.stem] = schedule
    return schedules


def schema() -> dict[str, Any]:
    """JSON Schema of config.yaml and of schedules/<channel>.yaml, for editors."""
    config = Config.model_json_schema()
    config["properties"].pop("schedules", None)
    return {"config.yaml": config, "schedules/<channel>.yaml": Schedule.model_json_schema()}
