"""The channel port: all that the rest of the house knows of a platform.

An adapter is a class built from a `Context`; building it touches neither network nor disk. Publishing
is two steps. `prepare` may be repeated and shows nothing to the public: uploads, containers, the final
body. `send` is exactly one irrevocable call with the body that `prepare` gave, and an idempotency key
that stays the same as long as the body does. Everything else a platform may offer is a small protocol
of its own (`Finds`, `Deletes`, `Edits`, `Metrics`, and later Inbox…): an adapter has it or has it not.

A method returns, or raises exactly one `ChannelError`. No method retries, sleeps, prints, or opens the
workspace's database. What an adapter does not map is taken as Retryable in `prepare` and as
UnknownOutcome in `send`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from cm.clock import Clock

PORT_VERSION = 1
"""Raised when an adapter written for the port before would misbehave."""

KEY_WINDOW_UNLIMITED = 2**31
"""Seconds: a key that the platform never forgets."""

Json = dict[str, Any]


class ChannelError(Exception):
    """Why a platform did not do what was asked. `saved` keeps what `prepare` had so far."""

    def __init__(self, reason: str, *, saved: Json | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.saved = saved


class Retryable(ChannelError):
    """Nothing happened there and it may work later (refused connection, upload cut off)."""


class RateLimited(ChannelError):
    """Too much, too fast; nothing happened. `retry_after`: seconds, None if the platform did not say."""

    def __init__(
        self, reason: str, *, retry_after: float | None = None, scope: Literal["account", "app"] = "account"
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.scope = scope


class AuthFailed(ChannelError):
    """The token is missing, wrong, expired or lacks a right; nothing happened. A person is needed."""


class Rejected(ChannelError):
    """The platform refuses this content for good; nothing happened. `field` names what it dislikes."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


class Duplicate(ChannelError):
    """The platform says that it already has this text. `existing`: its id, if told."""

    def __init__(self, reason: str, *, existing: str | None = None) -> None:
        super().__init__(reason)
        self.existing = existing


class UnknownOutcome(ChannelError):
    """The call went out and nobody knows whether it arrived."""


@dataclass(frozen=True)
class MediaLimits:
    """What a platform takes of one sort of media. None: it sets no bound, or none is known.

    Bytes, pixels, seconds; `ratios`: narrowest and widest width ÷ height.
    """

    mimes: tuple[str, ...] = ()
    count: int = 0
    """At most so many in one message."""
    max_bytes: int | None = None
    max_side: int | None = None
    max_pixels: int | None = None
    min_side: int | None = None
    ratios: tuple[float, float] | None = None
    seconds: tuple[float, float] | None = None
    animated: "MediaLimits | None" = None
    """Of pictures: what holds for animated GIFs, where that is something else."""


@dataclass(frozen=True)
class Limits:
    """What a platform takes, as data: `cm channel platforms` prints it, pictures are made to fit it.

    `unit`: how text is counted: `characters` (code points), `graphemes`, `weighted` (X), `utf16`, `bytes`.
    """

    source: str
    """Where these figures stand (page, specification file, version)."""
    read_on: date
    """When they were read there."""
    text: int | None = None
    unit: Literal["characters", "graphemes", "weighted", "utf16", "bytes"] = "characters"
    text_bytes: int | None = None
    """A second bound, in UTF-8 bytes, where the platform has one."""
    url: int | None = None
    """What an address counts, whatever its length; None: as it is written."""
    title: int | None = None
    alt: int | None = None
    images: MediaLimits = MediaLimits()
    video: MediaLimits = MediaLimits()
    needs_media: bool = False
    """A post without a picture or film is none there."""
    posts_per_day: int | None = None
    notes: tuple[str, ...] = ()
    """Peculiarities in a few words each (`_()` at use), e.g. that links in captions cannot be clicked."""


@dataclass(frozen=True)
class Capabilities:
    """What an adapter can do, as data."""

    platform: str
    delivery: Literal["network", "person"] = "network"
    """`person`: sending hands the post to somebody who pastes it; it is published when they confirm."""
    simulated: bool = False
    """Nothing leaves this machine: example posts, `--now` and `--replay` are allowed."""
    threads: bool = True
    comments: bool = True
    media: tuple[str, ...] = ()
    """MIME types that `prepare` takes."""
    max_media: int = 0
    max_characters: int | None = None
    """Only where it is the same for every account; else `check()` tells it in `AccountInfo.limits`."""
    limits: "Limits | None" = None
    """What the platform takes, the same for every account; what differs comes with `check()`."""
    key_window: int = 0
    """Seconds for which the platform's own software honours a key; `check()` tells whether this server does."""
    port_version: int = PORT_VERSION


@dataclass(frozen=True)
class Identity:
    """An account as it is known before `check()` has answered: unique in a workspace by its first three fields."""

    platform: str
    host: str
    handle: str
    app: str = ""
    """Accounts with the same platform and app share the limits of scope `app`; empty: those with the same host do."""


@dataclass(frozen=True)
class AccountInfo:
    """What `check()` found out. `remote_id` is the platform's own id of the account."""

    remote_id: str
    handle: str
    key_window: int = 0
    """Seconds for which the same idempotency key surely gives the same post; 0 = never."""
    limits: Json = field(default_factory=dict)
    software: str = ""
    server_time: datetime | None = None
    """The platform's own clock (its `Date`), to be compared with ours."""
    token_expires_at: datetime | None = None


@dataclass(frozen=True)
class Media:
    """A file to send; `path` is absolute."""

    path: Path
    mime: str
    sha256: str
    alt: str = ""


@dataclass(frozen=True)
class Outgoing:
    """One message to send. `parent` is the remote id it answers (the part before; for a first comment, part 1)."""

    text: str
    language: str
    created_at: datetime
    link: str | None = None
    role: str = "part"
    visibility: str = "public"
    media: tuple[Media, ...] = ()
    parent: str | None = None
    label: str = ""
    """How the workspace calls it (`p15-1`: post 15, message 1): for people, never sent to a platform."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Fields of the post that some platforms show apart: `title`, `warning` (a content warning), `captions`…"""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """`AccountInfo.limits` as last measured; empty before the first check."""


@dataclass(frozen=True)
class Prepared:
    """The complete request, JSON-serialisable: a resend sends these very bytes."""

    body: Json
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Pending:
    """`prepare` is not done (a film is being processed there): ask again with `saved`, not before that instant."""

    saved: Json = field(repr=False)  # may hold the address of an upload
    not_before: datetime


@dataclass(frozen=True)
class Receipt:
    """Where the message stands. With `delivery="person"` it is where it was put for them, not yet published."""

    remote_id: str
    permalink: str | None
    published_at: datetime


@dataclass(frozen=True)
class Numbers:
    """Metrics as reported at one instant; what the platform does not say is None, never 0."""

    reach: int | None = None
    impressions: int | None = None
    reactions: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    views: int | None = None
    engagements: int | None = None
    followers: int | None = None


@dataclass(frozen=True)
class Sought:
    """A message that may stand on the platform, as `find` is asked for it.

    `text` and `link` are those of `Outgoing`; the adapter knows how its platform shows them. `media`: how many.
    `parent` is None where the message answers nothing, or where nobody knows any more what it answered.
    `key` and `body` are those of a sending, None if the message was never prepared (a restored database). A body says
    what was sent, so that its words go before `text` and `link`, which may have been changed since.
    """

    text: str
    link: str | None = None
    media: int = 0
    role: str = "part"
    parent: str | None = None
    key: str | None = None
    body: Json | None = None


@dataclass(frozen=True)
class Sighting:
    """A post that stands on the account. `text` is plain text as the platform shows it, addresses in full.

    `media`: how many; None if the platform does not say.
    """

    remote_id: str
    permalink: str | None
    published_at: datetime
    text: str = ""
    parent: str | None = None
    media: int | None = None


@dataclass(frozen=True)
class Found:
    """Posts of the account that are, or look exactly like, what was sought; the engine leaves out those it owns.

    `certain`: they were looked up by our own id, so there is no other candidate to think of.
    """

    sightings: tuple[Sighting, ...]
    certain: bool = False


@dataclass(frozen=True)
class Absent:
    """It is not there. `authoritative`: asked for by our own id, so it surely never arrived; otherwise only a listing
    that reaches back to the asked instant lacks it, which may be late."""

    authoritative: bool = False


@dataclass(frozen=True)
class CannotTell:
    """The listing does not reach back far enough, or what was asked cannot be answered."""

    reason: str


@dataclass(frozen=True)
class Listing:
    """Posts of the account since an instant, the oldest first; `complete` if it surely reaches back to it."""

    sightings: tuple[Sighting, ...]
    complete: bool


class NoSettings(BaseModel):
    """An adapter without settings of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Network:
    """How this institution reaches the network. `timeout`: seconds for one read or write."""

    proxy: str | None = field(default=None, repr=False)  # may hold a password
    ca_bundle: Path | None = None
    timeout: float = 60


Values = Mapping[str, str]
"""What is stored of a login: `access_token`, `refresh_token`, `client_id`… and `expires_at` (ISO, UTC) if it ends.
A token that stands alone in its file or variable is `{"access_token": token}`."""


class Credentials(Protocol):
    """A channel's login, where it is kept. Nothing of it may be stored in an adapter, logged or quoted."""

    def read(self) -> Values:
        """As stored. Raises `cm.errors.WorkspaceError` where the reference leads nowhere; empty without any."""

    def fresh(self, renew: Callable[[Values], Values], *, margin: float = 300) -> Values:
        """As `read`; but where `expires_at` is past or less than `margin` seconds ahead, `renew` is first called with
        what is stored, under a lock that other processes respect, and what it gives (`expires_in`: seconds from
        now) is merged into the store before it is used. If `renew` raises, the store stays as it was.

        Raises `cm.errors.WorkspaceError`, or the ChannelError of `renew`.
        """


@dataclass(frozen=True)
class Context:
    """What an adapter is built from. `secret()` gives the channel's token when it is needed, and raises
    `cm.errors.WorkspaceError` where the reference leads nowhere; it is never stored. `credentials` gives the whole of a
    login that is more than one token."""

    channel: str
    platform: str
    account: str
    workspace: Path
    settings: BaseModel
    clock: Clock
    """For simulated platforms, which have no clock of their own; a real adapter leaves it alone."""
    secret: Callable[[], str | None]
    credentials: Credentials | None = None
    network: Network = Network()


class Adapter(Protocol):
    """What every adapter is. `Settings` is the pydantic model of its block `settings:` in config.yaml."""

    Settings: ClassVar[type[BaseModel]]
    capabilities: ClassVar[Capabilities]

    def __init__(self, context: Context) -> None: ...

    def identity(self) -> Identity:
        """The account by its configured names; no network."""

    def check(self) -> AccountInfo:
        """Who are we there, with which limits? Read-only. Raises ChannelError."""

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Everything up to the irrevocable call; repeatable. Raises ChannelError (with `saved` if it got somewhere)."""

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """The one irrevocable call. Raises ChannelError; UnknownOutcome when the answer is missing."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Finds(Protocol):
    """A platform that can be asked what stands there. Read-only, repeatable."""

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """Does this message stand there? Only posts of `since` (UTC) and later count. Raises ChannelError.

        What arrived and was taken down is never Absent with `authoritative`: it would be sent again.
        """

    def listing(self, since: datetime) -> Listing:
        """What stands there since then. Raises ChannelError."""

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """True if a post of the listing shows what this message would show; pure."""


@runtime_checkable
class Deletes(Protocol):
    """A platform from which a post can be taken down."""

    def delete(self, remote_id: str) -> None:
        """Take it down; a post that is not there any more is a success, so that it may be repeated.

        Raises ChannelError; UnknownOutcome when the answer is missing.
        """


@runtime_checkable
class Edits(Protocol):
    """A platform on which a post's text can be changed after publication."""

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Make the post read as `message` (text, link, alt texts; media stay); may be repeated.

        Raises ChannelError; Rejected if it is not there; UnknownOutcome when the answer is missing.
        """


@runtime_checkable
class Metrics(Protocol):
    """A platform that tells how posts and account did."""

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Numbers by remote id; an id that is gone is left out. Raises ChannelError."""

    def account_metrics(self) -> Numbers:
        """Numbers of the account (followers). Raises ChannelError."""


@dataclass(frozen=True)
class Preview:
    """A message as its platform will show it; pure facts, no prose.

    `text`: as it will stand there (cut where the platform folds it: `folded_at` is the index of the first character
    behind "more"). `used` of `most` in the `unit` of the platform's limits. `card`: address that gets a link card.
    `price`: US dollars that this sending costs, None where sending is free. `notes`: sentences for people.
    """

    text: str
    used: int
    most: int | None
    unit: str = "characters"
    folded_at: int | None = None
    card: str | None = None
    price: float | None = None
    notes: tuple[str, ...] = ()


@runtime_checkable
class Previews(Protocol):
    """An adapter that can tell, without network, how a message will count and look."""

    def preview(self, message: Outgoing) -> Preview:
        """The message as it would be sent. Pure; raises nothing for text that is too long (`used` > `most` says so)."""


@dataclass(frozen=True)
class Ask:
    """One thing a person must give for a login. `label` is a whole noun phrase (through `_()`)."""

    key: str
    label: str
    secret: bool = False
    hint: str = ""
    """Where it is found."""
    optional: bool = False
    """May be left empty."""


@dataclass(frozen=True)
class Visit:
    """A page on which a person says yes, in a browser. `saved` comes back to `login_finish`; it may hold secrets and is
    kept in memory alone. `pasted`: the page shows a code to type in here, there is no redirect."""

    url: str = field(repr=False)
    state: str = field(default="", repr=False)
    saved: Json = field(default_factory=dict, repr=False)
    pasted: bool = False


@runtime_checkable
class Logins(Protocol):
    """A platform into which a person logs in through `cm channel login`.

    An attribute `redirect_name`, if there is one, says how it wants this machine called in redirect addresses
    (else 127.0.0.1).
    """

    def login_asks(self) -> Sequence[Ask]:
        """What a person must give first (ids of the app, an app password). Pure."""

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """The page to visit, or, where none is needed, what is to be stored. Raises ChannelError."""

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """What is to be stored. `answer`: the query of the redirect, or `{"code": what was typed}`; its state has been
        compared. `expires_in` (seconds) becomes `expires_at`. Raises ChannelError."""

    def logout(self, values: Values) -> None:
        """Let the platform forget the login; what is gone already is a success. Raises ChannelError."""
