"""Every table of the workspace's database.

Instants are aware UTC (stored without offset by SQLite); a plan also keeps its wall time, zone and
local day. Text comes in here already validated: table models check nothing themselves. There is no
ON DELETE CASCADE anywhere: the journal (messages, payloads, attempts, receipts) outlives everything.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from cm.model.states import Outcome, PostState


def _closed(values: type[StrEnum], name: str, **column: Any) -> Any:
    """A column that takes only the values of `values`, checked by the database too."""
    kind = sa.Enum(
        values,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        length=20,
        create_constraint=True,
        validate_strings=True,
        name=name,
    )
    return sa.Column(kind, **column)


def _json(**column: Any) -> Any:
    return sa.Column(sa.JSON(none_as_null=True), **column)


class Meta(SQLModel, table=True):
    """Facts about the workspace: its id, the stamp of its configuration files, the last tick."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str


class Account(SQLModel, table=True):
    """The platform's own identity behind a channel; the row that a claim takes first."""

    __tablename__ = "account"
    __table_args__ = (sa.UniqueConstraint("platform", "host", "handle"),)
    id: int | None = Field(default=None, primary_key=True)
    platform: str
    host: str
    handle: str
    remote_id: str | None = None
    key_window: int = 0
    """Seconds for which the platform honours an idempotency key, as measured by `check()`; 0 = unknown or none."""
    facts: dict[str, Any] | None = Field(default=None, sa_column=_json())
    """What `check()` found: limits, display name, software."""
    checked_at: datetime | None = None
    state_file: str | None = None
    os_user: str | None = None
    claim_token: str | None = None
    lease_until: datetime | None = None
    """Until when a worker that gives no sign of life is waited for where its lock cannot be asked."""
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    pause_reason: str | None = None
    pause_kind: str | None = None
    """Why it rests: `rate_limit`, `auth`, `breaker`, `backlog`, `check`."""
    app: str = ""
    """Accounts with the same platform and app share the app's rate limits."""
    failures: int = 0
    """Attempts in a row that met network or platform trouble; at a bound the circuit breaker opens."""


class Channel(SQLModel, table=True):
    """Run-time facts of a channel that the configuration declares, kept by its name."""

    __tablename__ = "channel"
    name: str = Field(primary_key=True)
    platform: str
    adapter: str
    simulated: bool = False
    state: str = "active"
    account_id: int | None = Field(default=None, foreign_key="account.id")
    last_sent_at: datetime | None = None
    """When the first message of a post was last sent here: the spacing counts from it."""
    backlog_from: datetime | None = None
    """A person let what was overdue go: posts planned before it count for no backlog any more."""


class Story(SQLModel, table=True):
    """One editorial idea, told differently to each audience."""

    __tablename__ = "story"
    id: int | None = Field(default=None, primary_key=True)
    ref: str = Field(unique=True)
    title: str
    created_at: datetime


class Post(SQLModel, table=True):
    """A message for one channel at one time: what is counted, claimed and measured."""

    __tablename__ = "post"
    __table_args__ = (
        sa.UniqueConstraint("story_id", "channel", "occurrence"),
        sa.Index("ix_post_channel_day", "channel", "day"),
        sa.Index("ix_post_state_scheduled", "state", "scheduled_at"),
        sa.Index("ix_post_wake", "wake_at"),
        sa.Index(
            "ix_post_due", "channel", "scheduled_at", "id", "wake_at", sqlite_where=sa.text("wake_at IS NOT NULL")
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    ref: str | None = Field(default=None, unique=True)
    story_id: int | None = Field(default=None, foreign_key="story.id")
    occurrence: str = "1"
    channel: str = Field(foreign_key="channel.name")
    establishment: str
    kind: str
    fields: dict[str, Any] = Field(default_factory=dict, sa_column=_json(nullable=False))
    theme: str | None = None
    campaign: str | None = None
    objective: str | None = None
    """A key of the register of objectives."""
    audiences: list[str] = Field(default_factory=list, sa_column=_json(nullable=False))
    language: str
    text: str
    """As written: thread parts are joined by a line `---`; what is sent stands in `message.text`."""
    link: str | None = None
    first_comment: str | None = None
    visibility: str = "public"
    state: PostState = Field(sa_column=_closed(PostState, "post_state", nullable=False))
    scheduled_at: datetime | None = None
    wall: str | None = None
    zone: str | None = None
    day: date | None = None
    grace: int | None = None
    """Minutes; None = the channel's."""
    not_before: datetime | None = None
    wake_at: datetime | None = None
    """The next instant at which the engine must look; NULL at rest."""
    reason: str | None = None
    """Why it is not out: the gate's refusal, the platform's answer, what a person must look at."""
    over_reason: str | None = None
    in_quota: bool = True
    urgent: bool = False
    """Outside spacing: it may follow another post at once."""
    crisis: bool = False
    """Explicit mark: it passes every hold."""
    held_by: int | None = None
    """The hold under which its time came (no foreign key: holds are only looked at)."""
    example: bool = False
    author: str
    content_hash: str
    claim_token: str | None = None
    published_at: datetime | None = None
    corrected_at: datetime | None = None
    """When its text was last changed on the platform."""
    withdrawal: str | None = None
    """A fact beside `published`: `unconfirmed` (taken down; nobody knows whether it is gone) or `done`."""
    withdrawn_at: datetime | None = None
    motive: str | None = None
    """Why it was taken down: a key of the closed list of motives."""
    created_at: datetime
    updated_at: datetime
    rev: int = 1


class Message(SQLModel, table=True):
    """One thing sent once: part `n` of a post (or, later, a reply to an inbox item)."""

    __tablename__ = "message"
    __table_args__ = (
        sa.UniqueConstraint("post_id", "n"),
        sa.CheckConstraint("(post_id IS NULL) <> (item_id IS NULL)", name="message_one_owner"),
        sa.Index("ix_message_wake", "wake_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    post_id: int | None = Field(default=None, foreign_key="post.id")
    item_id: int | None = None
    n: int
    role: str = "part"
    """`part` of the post or its first `comment`."""
    text: str
    """As sent."""
    link: str | None = None
    fingerprint: str
    saved: dict[str, Any] | None = Field(default=None, sa_column=_json())
    """What `prepare` has so far (uploads), so that a retry repeats nothing."""
    wake_at: datetime | None = None
    absent_at: datetime | None = None
    """When a listing first lacked it after a sending in doubt; a second absence is asked for later."""
    absent_resends: int = 0
    """How often it was sent again because two listings lacked it (`resend_when_absent`); at most once."""


class Attachment(SQLModel, table=True):
    """A picture or film of a message, in order, with its text alternative."""

    __tablename__ = "attachment"
    __table_args__ = (sa.UniqueConstraint("message_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    position: int
    path: str
    """Relative to the workspace's `media/`."""
    sha256: str
    mime: str
    alt: str = ""


class Payload(SQLModel, table=True):
    """The frozen bytes of a sending and its idempotency key: one per (message, payload hash)."""

    __tablename__ = "payload"
    __table_args__ = (sa.UniqueConstraint("message_id", "hash"),)
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    hash: str
    key: str = Field(unique=True)
    content_hash: str
    """The content this payload was prepared from; the gate compares it before every sending."""
    body: dict[str, Any] = Field(sa_column=_json(nullable=False))
    expires_at: datetime | None = None
    created_at: datetime


DOUBTFUL = "attempt.outcome = 'unknown' AND attempt.settled IS NULL"


class Attempt(SQLModel, table=True):
    """One try of one message. `started_at`, `sending_at` and `finished_at` with outcome are each written once."""

    __tablename__ = "attempt"
    __table_args__ = (
        sa.Index("ix_attempt_message", "message_id"),
        sa.Index("ix_attempt_account", "account_id", "id"),
        sa.Index(
            "ix_attempt_doubt",
            "account_id",
            sqlite_where=sa.text("outcome = 'unknown' AND settled IS NULL"),
        ),
        sa.Index("ix_attempt_open", "account_id", sqlite_where=sa.text("finished_at IS NULL")),
        sa.CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="attempt_finished"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    account_id: int = Field(foreign_key="account.id")
    action: str = "send"
    number: int
    token: str
    run_id: str
    payload_id: int | None = Field(default=None, foreign_key="payload.id")
    started_at: datetime
    sending_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: Outcome | None = Field(default=None, sa_column=_closed(Outcome, "attempt_outcome"))
    settled: str | None = None
    """For an `unknown` outcome that was cleared up: `published` or `not_published`."""
    reason: str | None = None
    field: str | None = None


class Receipt(SQLModel, table=True):
    """Proof that a message stands on a platform."""

    __tablename__ = "receipt"
    __table_args__ = (
        sa.UniqueConstraint("platform", "account_id", "remote_id"),
        sa.Index("ix_receipt_message", "message_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    attempt_id: int | None = Field(default=None, foreign_key="attempt.id")
    account_id: int = Field(foreign_key="account.id")
    platform: str
    remote_id: str
    permalink: str | None = None
    published_at: datetime
    source: str = "sent"
    """`sent` by us, `found` by a look-up, or `confirmed` by a person."""
    recorded_at: datetime
    gone_at: datetime | None = None
    """Since when it stands there no longer: taken down by us, or said so by a person."""


class Stray(SQLModel, table=True):
    """A post that stands on an account and that the journal does not know: written by hand, or lost by a restore."""

    __tablename__ = "stray"
    __table_args__ = (sa.UniqueConstraint("account_id", "remote_id"),)
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    remote_id: str
    permalink: str | None = None
    published_at: datetime | None = None
    opening: str
    """How its text begins."""
    seen_at: datetime
    post_id: int | None = Field(default=None, foreign_key="post.id")
    """The post it was adopted for; None while it is only listed."""


class Hold(SQLModel, table=True):
    """A freeze set by a person: nothing is sent under it but what bears the crisis mark."""

    __tablename__ = "hold"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = Field(default=None, primary_key=True)
    since: datetime
    until: datetime | None = None
    channels: list[str] | None = Field(default=None, sa_column=_json())
    """None: all of them."""
    reason: str | None = None
    """Asked for after the hold is on; may come later."""
    source: str = "command"
    """`command` or `signal`."""
    actor: str
    os_user: str
    ended_at: datetime | None = None
    ended_by: str | None = None


class Notice(SQLModel, table=True):
    """Something that people are told once, however long it lasts; told again only after it was over."""

    __tablename__ = "notice"
    key: str = Field(primary_key=True)
    """What it is about: `failed:p12`, `paused:facebook`, `hold:3`, `silent`."""
    kind: str
    since: datetime
    told_at: datetime | None = None
    over_at: datetime | None = None


class Snapshot(SQLModel, table=True):
    """Metrics of one post (or, without post, of one channel's account) at one instant, as reported; missing is NULL."""

    __tablename__ = "snapshot"
    __table_args__ = (
        sa.Index("ix_snapshot_post", "post_id", "taken_at"),
        sa.Index(
            "ix_snapshot_channel",
            "channel",
            "taken_at",
            sqlite_where=sa.text("post_id IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    post_id: int | None = Field(default=None, foreign_key="post.id")
    channel: str = Field(foreign_key="channel.name")
    taken_at: datetime
    source: str
    followers: int | None = None
    reach: int | None = None
    impressions: int | None = None
    reactions: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    views: int | None = None
    engagements: int | None = None
    """The source's own total where it gives one."""


class Action(SQLModel, table=True):
    """Append-only log, chained by hash: who, when, what, why; neither text nor address."""

    __tablename__ = "action"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    actor: str
    os_user: str
    verb: str
    target: str
    why: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=_json(nullable=False))
    previous: str
    hash: str


class Checked(SQLModel, table=True):
    """What the checks said under one rule pack, so that the gate need not ask again.

    `subject` is a hash over all that the rules look at: the content, and what the configuration asks of it.
    """

    __tablename__ = "checked"
    subject: str = Field(primary_key=True)
    pack: str = Field(primary_key=True)
    errors: int
    findings: list[dict[str, Any]] = Field(sa_column=_json(nullable=False))
    checked_at: datetime


class Change(SQLModel, table=True):
    """One local step that a person took (a command, however many posts it touched) and may take back."""

    __tablename__ = "change"
    __table_args__ = (sa.Index("ix_change_actor", "actor", "id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    actor: str
    run_id: str
    verb: str
    """What was done: `post.add`, `post.move`, `calendar.import`…"""
    created: list[list[int]] = Field(default_factory=list, sa_column=_json(nullable=False))
    """Ids of the posts it made, as runs `[first, last]`."""
    undone_at: datetime | None = None


class ChangedPost(SQLModel, table=True):
    """A post as it was before a step changed it; `rev` is what the step left it at."""

    __tablename__ = "changed_post"
    change_id: int = Field(foreign_key="change.id", primary_key=True)
    post_id: int = Field(primary_key=True)
    rev: int
    before: dict[str, Any] = Field(sa_column=_json(nullable=False))


class Outside(SQLModel, table=True):
    """Figures that a file gives of a post which the journal does not know; missing is NULL, as in `snapshot`."""

    __tablename__ = "outside"
    __table_args__ = (
        sa.UniqueConstraint("channel", "source", "key", "taken_at"),
        sa.Index("ix_outside_published", "channel", "published_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(foreign_key="channel.name")
    source: str
    """The mapping it was read with."""
    key: str
    """What tells it from others of its source: remote id, address, or the file's hash and the row."""
    label: str
    """What a person may find it by."""
    kind: str | None = None
    """As the file says: Photo, Link…"""
    permalink: str | None = None
    published_at: datetime | None = None
    taken_at: datetime
    followers: int | None = None
    reach: int | None = None
    impressions: int | None = None
    reactions: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    clicks: int | None = None
    views: int | None = None
    engagements: int | None = None
