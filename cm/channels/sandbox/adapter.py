"""The port's view of the pretend platform. Everything here is simulation, and says so."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    Absent,
    AccountInfo,
    AuthFailed,
    CannotTell,
    Capabilities,
    ChannelError,
    Context,
    Duplicate,
    Found,
    Identity,
    Json,
    Listing,
    Numbers,
    Outgoing,
    Prepared,
    RateLimited,
    Receipt,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)
from cm.channels.sandbox import engagement
from cm.channels.sandbox.faults import Fault
from cm.channels.sandbox.platform import Draft, Gone, NoPost, SandboxMedia, SandboxPlatform, SandboxPost
from cm.channels.text import answers_as_sought, refuse_unsendable, same_words, with_link
from cm.i18n import _


class Settings(BaseModel):
    """How the pretend platform behaves."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    followers: int = Field(3000, ge=0, le=1_000_000_000, examples=[3000])
    """Followers of the account when its first post appears; engagement is drawn from it."""
    honour_keys: bool = Field(True, examples=[True])
    """A message sent again under its key is not doubled; false pretends a platform without that."""
    max_characters: int | None = Field(None, ge=1, examples=[280])
    """Longest text, in code points; no limit if left out."""
    finds: Literal["listing", "point", "none"] = Field("listing", examples=["listing"])
    """How a message can be found again: in a listing, surely by its key (`point`), or not at all."""
    reach: int | None = Field(None, ge=1, examples=[40])
    """How many posts a listing goes back; all of them if left out."""
    clock_ahead: float = Field(0.0, ge=-86_400, le=86_400, examples=[0])
    """Seconds by which the pretend platform's clock is ahead of ours; negative if it is behind."""
    token_ends: AwareDatetime | None = Field(None, examples=["2027-03-31T00:00:00Z"])
    """When the pretend token ends, with its offset; never if left out."""


class SandboxAdapter:
    """Publishes to `<workspace>/.cm/sandbox.db`."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="sandbox",
        simulated=True,
        threads=True,
        comments=True,
        media=("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"),
        max_media=10,
        key_window=KEY_WINDOW_UNLIMITED,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._context = context
        self._settings = context.settings
        self._account = context.account
        self._platform = SandboxPlatform(context.workspace)

    def identity(self) -> Identity:
        """The account; the platform it stands in for is the host, so that equal names there stay apart."""
        return Identity("sandbox", self._context.platform, self._account)

    def check(self) -> AccountInfo:
        """Who we are there. Raises ChannelError if a fault is scripted or the file cannot be used."""
        with _told_as(Retryable):
            self._platform.meet("check", self._account)
        limit = self._settings.max_characters
        return AccountInfo(
            remote_id=f"{self._context.platform}:{self._account}",
            handle=self._account,
            key_window=KEY_WINDOW_UNLIMITED if self._settings.honour_keys else 0,
            limits={} if limit is None else {"max_characters": limit},
            software="sandbox",
            server_time=self._now(),
            token_expires_at=self._settings.token_ends,
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared:
        """The body of the post. Raises Rejected for what the pretend platform does not take, and scripted faults."""
        with _told_as(Retryable):
            self._platform.meet("prepare", self._account)
        self._refuse(message)
        return Prepared(
            {
                "text": message.text,
                "link": message.link,
                "language": message.language,
                "role": message.role,
                "visibility": message.visibility,
                "media": [{"sha256": m.sha256, "mime": m.mime, "alt": m.alt} for m in message.media],
                "parent": message.parent,
            }
        )

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Create the post. Raises ChannelError; Rejected if it answers a post that does not exist."""
        media = tuple(SandboxMedia(**item) for item in prepared.body["media"])
        draft = Draft(**{**prepared.body, "media": media})
        honour_keys = self._settings.honour_keys
        with _told_as(UnknownOutcome):
            post = self._platform.publish(self._account, key, draft, now=self._now(), honour_keys=honour_keys)
        return Receipt(post.remote_id, post.permalink, post.created_at)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """By its key where the settings say so and a key is known, else in the listing. Raises ChannelError."""
        with _told_as(Retryable):
            self._platform.meet("find", self._account)
            if self._settings.finds == "point" and sought.key is not None:
                return self._by_key(sought.key)
        listing = self._listing(since)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        return Absent() if listing.complete else CannotTell(_("The listing does not reach back far enough."))

    def listing(self, since: datetime) -> Listing:
        """What listings show by now of the posts since then; nothing, and not complete, where none can be found."""
        with _told_as(Retryable):
            self._platform.meet("find", self._account)
        return self._listing(since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words with the link at their end, as many media, and the same post answered; pure."""
        sought = _as_sent(sought)
        return (
            same_words(with_link(sought.text, sought.link), sighting.text)
            and sighting.media in (None, sought.media)
            and answers_as_sought(sought, sighting)
        )

    def delete(self, remote_id: str) -> None:
        """Take the post down; what is not there is a success. Raises ChannelError."""
        with _told_as(UnknownOutcome):
            self._platform.delete(self._account, remote_id, now=self._now())

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change text, link and alt texts. Raises ChannelError; Rejected if it is not there."""
        self._refuse(message)
        alts = [media.alt for media in message.media]
        with _told_as(UnknownOutcome, missing=None):
            self._platform.edit(self._account, remote_id, message.text, message.link, alts)

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Made-up numbers by remote id, growing with the post's age by the workspace's clock."""
        with _told_as(Retryable):
            self._platform.meet("metrics", self._account)
            posts = self._platform.find(self._account, remote_ids)
        return {remote_id: self._numbers(post) for remote_id, post in posts.items()}

    def account_metrics(self) -> Numbers:
        """Made-up followers."""
        with _told_as(Retryable):
            self._platform.meet("metrics", self._account)
            first = self._platform.first_at(self._account)
        age = self._now() - first if first else timedelta(0)
        return engagement.of_account(self._account, age=age, followers=self._settings.followers)

    def close(self) -> None:
        """Nothing is held open."""

    def _now(self) -> datetime:
        """The pretend platform's own clock."""
        return self._context.clock.now() + timedelta(seconds=self._settings.clock_ahead)

    def _refuse(self, message: Outgoing) -> None:
        refuse_unsendable(message, self.capabilities)
        limit = self._settings.max_characters
        if limit is not None and len(message.text) > limit:
            reason = _("{count} characters, and at most {most} are taken.").format(count=len(message.text), most=limit)
            raise Rejected(reason, field="text")

    def _by_key(self, key: str) -> Found | Absent | CannotTell:
        try:
            posts = self._platform.by_key(self._account, key)
        except Gone:
            return CannotTell(_("It stood there and was taken down."))
        return Found(tuple(map(_sighting, posts)), certain=True) if posts else Absent(authoritative=True)

    def _listing(self, since: datetime) -> Listing:
        if self._settings.finds == "none":
            return Listing((), complete=False)
        with _told_as(Retryable):
            page = self._platform.listing(self._account, since=since, now=self._now(), most=self._settings.reach)
        return Listing(tuple(map(_sighting, page.posts)), page.complete)

    def _numbers(self, post: SandboxPost) -> Numbers:
        return engagement.of_post(
            post.remote_id,
            post.account,
            age=self._now() - post.created_at,
            followers=self._settings.followers,
            video=any(media.mime.startswith("video/") for media in post.media),
        )


def _as_sent(sought: Sought) -> Sought:
    """With the words of the sending in question, if there was one."""
    body = sought.body
    if body is None:
        return sought
    return replace(sought, text=body["text"], link=body["link"], media=len(body["media"]), parent=body["parent"])


def _sighting(post: SandboxPost) -> Sighting:
    shown = with_link(post.text, post.link)
    return Sighting(post.remote_id, post.permalink, post.created_at, shown, post.parent, len(post.media))


@contextmanager
def _told_as(trouble: type[ChannelError], missing: str | None = "parent") -> Iterator[None]:
    """Scripted faults and trouble with the file in the port's words; `trouble` for the latter, `missing` names the
    field that leads to a post which does not exist."""
    try:
        yield
    except Fault as fault:
        raise _error(fault) from None
    except NoPost as error:
        raise Rejected(_("There is no post {id}.").format(id=error), field=missing) from None
    except Gone as error:
        raise Rejected(_("The post {id} of this message was taken down.").format(id=error)) from None
    except (sqlite3.Error, OSError) as error:
        reason = _("The sandbox's file cannot be used: {error}").format(error=error)
        raise trouble(reason) from error


def _error(fault: Fault) -> ChannelError:
    reason = _("sandbox: scripted fault ({error})").format(error=fault.error)
    if fault.error == "rate_limited":
        return RateLimited(reason, retry_after=fault.retry_after)
    kinds: dict[str, type[ChannelError]] = {
        "retryable": Retryable,
        "auth_failed": AuthFailed,
        "rejected": Rejected,
        "duplicate": Duplicate,
        "unknown": UnknownOutcome,
    }
    return kinds[fault.error](reason)
