"""What people write in `config.yaml` and `schedules/<channel>.yaml`, as pydantic models."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator, model_validator

from cm.config.access import NetworkSettings, SecretRef, is_reference
from cm.config.cadence import Cadence, Holidays, Key, Model, Schedule
from cm.config.catalogue import AUDIENCES, CLOSED_PLATFORMS, KINDS, ROLES
from cm.config.holidays import PublicHolidays
from cm.i18n import N_, _

Level = Literal["service", "establishment", "group", "patients", "professionals"]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class Publishing(Model):
    """Timings of the engine, in seconds. Channels that reach a real network have floors (60, 180, 120)."""

    send_deadline: float = Field(
        60, gt=0, le=600, examples=[60], description=N_("Longest time that one sending may take in all.")
    )
    lease: float = Field(
        180,
        gt=0,
        le=3600,
        examples=[180],
        description=N_("How long a claim holds without a sign of life; at least three times `send_deadline`."),
    )
    settle: float = Field(
        120,
        gt=0,
        le=3600,
        examples=[120],
        description=N_("Time given to a platform after a lost answer before it is looked at again."),
    )
    backoff: tuple[Seconds, ...] = Field(
        (60, 120, 300, 900),
        min_length=1,
        examples=[[60, 120, 300, 900]],
        description=N_("Waiting times after the 1st, 2nd, … failed attempt (±20 %); the last one repeats."),
    )
    attempts: int = Field(
        5, ge=1, le=20, examples=[5], description=N_("Attempts a message may cost before a person is asked.")
    )

    @model_validator(mode="after")
    def _lease_outlives_sending(self) -> "Publishing":
        if self.lease < 3 * self.send_deadline:
            raise ValueError(_("lease must be at least three times send_deadline"))
        return self


class Notify(Model):
    """Who is told when a person is needed, and how."""

    urls: tuple[SecretRef, ...] = Field(
        (),
        examples=[["env:CM_NOTIFY_URL"]],
        description=N_("Where the addresses are found to which notices go (mailto://, ntfy://, tgram://…: apprise)."),
    )
    on: tuple[Literal["failed", "unconfirmed", "missed", "paused", "hold", "silent", "token"], ...] = Field(
        ("failed", "unconfirmed", "missed", "paused", "hold", "silent", "token"),
        examples=[["failed", "unconfirmed", "paused"]],
        description=N_(
            "What is told: posts that failed, are unconfirmed or missed; channels paused; holds; silence; "
            "logins that end in 14, 7, 2 days or 1."
        ),
    )


class Establishment(Model):
    """The institution that speaks."""

    key: Key = Field(examples=["tilleuls"], description=N_("Short name for commands and tables."))
    name: str = Field(
        min_length=1, examples=["Hôpital d'enfants des Tilleuls"], description=N_("Name as it is printed.")
    )


class Person(Model):
    """Somebody who works with this workspace."""

    name: str = Field(min_length=1, examples=["Camille Roux"], description=N_("Name as it is printed."))
    roles: tuple[str, ...] = Field((), examples=[["community_manager"]], description=N_("What they may do."))
    logins: tuple[str, ...] = Field(
        (), examples=[["camille"]], description=N_("Accounts of this computer that are theirs.")
    )
    email: str | None = Field(
        None, examples=["camille.roux@hopital.example"], description=N_("Where mail reaches them.")
    )
    phone: str | None = Field(
        None,
        min_length=3,
        max_length=40,
        examples=["+33 1 02 03 04 05"],
        description=N_("Where they are called; shown to whoever holds everything, if they belong to the crisis cell."),
    )

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [role for role in roles if role not in ROLES]
        if unknown:
            said = _("unknown role {role!r}; use one of {roles}")
            raise ValueError(said.format(role=unknown[0], roles=", ".join(ROLES)))
        return roles


class Crisis(Model):
    """What is at hand when something happens."""

    cell: tuple[Key, ...] = Field(
        (),
        examples=[["helene", "camille"]],
        description=N_("The people of the crisis cell: who is called first, first."),
    )
    statement: dict[Key, str] = Field(
        default_factory=dict,
        examples=[{"fr": "Un incident est en cours. Point d'étape à 19 h ici même."}],
        description=N_("The holding statement by language: facts, what is done, when the next word comes. No cause."),
    )


class Kind(Model):
    """A kind of post added to the shipped catalogue."""

    label: str = Field(min_length=1, examples=["Blood drive"], description=N_("Name as it is printed."))
    required: tuple[str, ...] = Field(
        (), examples=[["event_date", "place"]], description=N_("Fields without which such a post may not go out.")
    )


class Objective(Model):
    """What the institution wants to reach by its channels."""

    label: str = Field(
        min_length=1, examples=["Give public-health information"], description=N_("Name as it is printed.")
    )
    levels: dict[Level, str] = Field(
        default_factory=dict,
        examples=[{"patients": "They find reliable answers"}],
        description=N_("What it means for the service, the establishment, the group, patients, professionals."),
    )


class Channel(Model):
    """One configured account on one platform."""

    platform: Key = Field(examples=["facebook"], description=N_("Where it is: facebook, x, mastodon, youtube…"))
    adapter: Key | None = Field(
        None,
        examples=["sandbox"],
        description=N_(
            "What speaks to it; the platform's own adapter if left out, `sandbox` to pretend, "
            "`outbox` for files to paste."
        ),
    )
    account: str = Field(min_length=1, examples=["hopital.tilleuls"], description=N_("Handle or page name there."))
    address: str = Field(
        min_length=1, examples=["https://www.facebook.com/hopital.tilleuls.example"], description=N_("Public address.")
    )
    owner: Key = Field(examples=["camille"], description=N_("The one person who answers for it: a key of `people:`."))
    deputy: Key | None = Field(
        None,
        examples=["jo"],
        description=N_("Who stands in for the owner, and is told with them when its login ends: a key of `people:`."),
    )
    purpose: str = Field(
        min_length=1, examples=["Speak with families and the public"], description=N_("What it is for.")
    )
    opened_on: date = Field(examples=["2011-03-14"], description=N_("Day it was opened."))
    audiences: tuple[Key, ...] = Field(
        min_length=1,
        examples=[["public", "families"]],
        description=N_("Whom it speaks to: keys of the audience catalogue."),
    )
    state: Literal["active", "planned", "closed"] = Field(
        "active", examples=["active"], description=N_("Only an active channel publishes.")
    )
    successor: Key | None = Field(
        None, examples=["linkedin"], description=N_("For a closed channel: the one that took over.")
    )
    language: Key | None = Field(None, examples=["fr"], description=N_("Language of its posts where they name none."))
    cadence: Cadence | None = Field(
        None, examples=[{"min": 3, "max": 5}], description=N_("Posts a day, if not the general cadence.")
    )
    grace: int | None = Field(
        None,
        ge=1,
        le=7 * 24 * 60,
        examples=[60],
        description=N_("Minutes after its time in which a post may still go out."),
    )
    spacing: int = Field(
        15,
        ge=0,
        le=24 * 60,
        examples=[15],
        description=N_("Minutes at least between two posts; urgent ones may follow at once."),
    )
    backlog: bool = Field(
        True,
        examples=[True],
        description=N_(
            "After 10 minutes without a run only the newest overdue post goes out, and the channel pauses when more "
            "are overdue at once than a day may hold; `off` switches both off."
        ),
    )
    dormant_days: int | None = Field(
        None,
        ge=1,
        le=366,
        examples=[14],
        description=N_("Days without a published post after which it counts as dormant, if not the general number."),
    )
    resend_when_absent: bool = Field(
        False,
        examples=[False],
        description=N_(
            "A post whose answer was lost and that two listings lack is sent once more; off: a person is asked."
        ),
    )
    shared: bool = Field(False, examples=[False], description=N_("Other workspaces publish for this account too."))
    token: SecretRef | None = Field(
        None,
        examples=["env:CM_MASTODON_TOKEN"],
        description=N_(
            "Where its login is kept: env:NAME, file:PATH, keyring:SERVICE/NAME or command:WORDS, never the token "
            "itself; in .cm/tokens if left out."
        ),
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        examples=[{"server": "https://mastodon.example"}],
        description=N_("The adapter's own settings."),
    )

    @property
    def adapter_name(self) -> str:
        """The adapter that speaks for it."""
        return self.adapter or self.platform

    @property
    def gone(self) -> tuple[str, str] | None:
        """The network's name and the platform that took over, if the network exists no more."""
        return CLOSED_PLATFORMS.get(self.platform.replace("-", "").replace("_", ""))


class Config(Model):
    """`config.yaml`: the workspace."""

    language: Literal["en", "fr"] = Field(
        "en",
        examples=["fr"],
        description=N_("Language of what cm prints, and of posts where neither they nor their channel name one."),
    )
    timezone: str = Field("Europe/Paris", examples=["Europe/Paris"], description=N_("IANA zone of all local times."))
    establishment: Establishment = Field(
        examples=[{"key": "tilleuls", "name": "Hôpital d'enfants des Tilleuls"}],
        description=N_("The workspace's own institution."),
    )
    cadence: Cadence = Field(
        default_factory=lambda: Cadence(min=3, max=5),
        examples=[{"min": 3, "max": 5}],
        description=N_("Posts a day of a channel that says nothing else."),
    )
    grace: int = Field(
        60,
        ge=1,
        le=7 * 24 * 60,
        examples=[60],
        description=N_("Minutes after its time in which a post may still go out."),
    )
    dormant_days: int = Field(
        7,
        ge=1,
        le=366,
        examples=[7],
        description=N_("Days without a published post after which a channel counts as dormant."),
    )
    holidays: Holidays | None = Field(
        None,
        examples=[{"country": "FR"}],
        description=N_(
            "Whose public holidays are shown in the calendar and kept by cadences with bounds for "
            "them; none if left out."
        ),
    )
    publishing: Publishing = Field(
        default_factory=lambda: Publishing.model_validate({}),
        examples=[{"send_deadline": 60, "lease": 180}],
        description=N_("Timings of the engine."),
    )
    people: dict[Key, Person] = Field(
        default_factory=dict,
        examples=[{"jo": {"name": "Jo Martin", "roles": ["community_manager"], "logins": ["jo"]}}],
        description=N_("Who works here: key → person."),
    )
    notify: Notify = Field(
        default_factory=lambda: Notify.model_validate({}),
        examples=[{"urls": ["env:CM_NOTIFY_URL"]}],
        description=N_("Telling people that they are needed."),
    )
    heartbeat_url: SecretRef | None = Field(
        None,
        examples=["env:CM_HEARTBEAT_URL"],
        description=N_(
            "Where the address is found that is called after each run: a watcher alerts when it falls silent."
        ),
    )
    network: NetworkSettings = Field(
        default_factory=lambda: NetworkSettings.model_validate({}),
        examples=[{"proxy": "http://proxy.hopital.example:3128"}],
        description=N_("How the network is reached: proxy, certificates, patience."),
    )
    crisis: Crisis = Field(
        default_factory=lambda: Crisis.model_validate({}),
        examples=[{"cell": ["helene", "camille"]}],
        description=N_("Who is called in a crisis, and what is said first."),
    )
    internal_audiences: tuple[Key, ...] = Field(
        ("staff",),
        examples=[["staff"]],
        description=N_("Audiences inside the institution. A post for them alone goes to channels for them alone."),
    )
    audiences: dict[Key, str] = Field(
        default_factory=dict,
        examples=[{"donors": "Blood donors"}],
        description=N_("Audiences added to the shipped catalogue: key → label."),
    )
    kinds: dict[Key, Kind] = Field(
        default_factory=dict,
        examples=[{"blood_drive": {"label": "Blood drive", "required": ["event_date", "place"]}}],
        description=N_("Kinds of post added to the shipped catalogue."),
    )
    objectives: dict[Key, Objective] = Field(
        default_factory=dict,
        examples=[{"inform": {"label": "Give public-health information"}}],
        description=N_("The register of objectives: key → what is wanted; a post may cite one."),
    )
    channels: dict[Key, Channel] = Field(
        default_factory=dict,
        examples=[{"facebook": {"platform": "facebook", "adapter": "sandbox", "account": "page"}}],
        description=N_("Channels: name → account."),
    )
    schedules: dict[Key, Schedule] = Field(
        default_factory=dict,
        exclude=True,
        description=N_("Filled from `schedules/<channel>.yaml`; not written in config.yaml."),
    )

    _days_off: PublicHolidays | None = PrivateAttr(None)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(_("{name!r} is not a time zone; write one like Europe/Paris").format(name=name)) from None
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

    @property
    def days_off(self) -> PublicHolidays | None:
        """The public holidays that the workspace keeps; None if it names no country."""
        return self._days_off

    def model_post_init(self, _context: Any) -> None:
        """Tell which days are public holidays."""
        if self.holidays:
            self._days_off = PublicHolidays(self.holidays.country, self.holidays.subdivision)

    def remembering(self, file: Path) -> "Config":
        """The same configuration; the public holidays are kept in `file` once they are known."""
        told = self.model_copy()
        if told._days_off:
            told._days_off = told._days_off.remembering(file)
        return told

    def cadence_of(self, channel: str) -> Cadence:
        """The channel's cadence."""
        return (self.channels[channel].cadence or self.cadence).knowing(self._days_off)

    def dormant_after(self, channel: str) -> timedelta:
        """The silence after which the channel counts as dormant."""
        return timedelta(days=self.channels[channel].dormant_days or self.dormant_days)

    def grace_of(self, channel: str) -> int:
        """The channel's grace, in minutes."""
        return self.channels[channel].grace or self.grace

    def language_of(self, channel: str) -> str:
        """The language of the channel's posts where they name none."""
        return self.channels[channel].language or self.language

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Every secret that is referred to, and what for: a channel's name, or the field."""
        for name, channel in self.channels.items():
            if channel.token and channel.state != "closed":
                yield channel.token, name
        for reference in self.notify.urls:
            yield reference, "notify"
        if self.heartbeat_url:
            yield self.heartbeat_url, "heartbeat_url"
        if self.network.proxy and is_reference(self.network.proxy):
            yield self.network.proxy, "network.proxy"

    def commands(self) -> list[str]:
        """The secrets that a command gives, each once."""
        return list(dict.fromkeys(reference for reference, _used in self.secrets() if reference.startswith("command:")))

    def schedule_of(self, channel: str) -> Schedule:
        """The channel's slots."""
        return self.schedules.get(channel) or Schedule(slots=())
