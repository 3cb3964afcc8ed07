"""The port's view of the pretend platform. Everything here is simulation, and says so."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
    AccountInfo,
    AuthFailed,
    Capabilities,
    ChannelError,
    Context,
    Duplicate,
    Identity,
    Json,
    Numbers,
    Outgoing,
    Prepared,
    RateLimited,
    Receipt,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.channels.sandbox import engagement
from cm.channels.sandbox.platform import Draft, Fault, NoParent, SandboxMedia, SandboxPlatform, SandboxPost
from cm.channels.text import refuse_unsendable
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
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared:
        """The body of the post. Raises Rejected for what the pretend platform does not take, and scripted faults."""
        with _told_as(Retryable):
            self._platform.meet("prepare", self._account)
        refuse_unsendable(message, self.capabilities)
        limit = self._settings.max_characters
        if limit is not None and len(message.text) > limit:
            reason = _("{count} characters, and at most {most} are taken.").format(count=len(message.text), most=limit)
            raise Rejected(reason, field="text")
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
        now, honour_keys = self._context.clock.now(), self._settings.honour_keys
        with _told_as(UnknownOutcome):
            post = self._platform.publish(self._account, key, draft, now=now, honour_keys=honour_keys)
        return Receipt(post.remote_id, post.permalink, post.created_at)

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
        age = self._context.clock.now() - first if first else timedelta(0)
        return engagement.of_account(self._account, age=age, followers=self._settings.followers)

    def close(self) -> None:
        """Nothing is held open."""

    def _numbers(self, post: SandboxPost) -> Numbers:
        return engagement.of_post(
            post.remote_id,
            post.account,
            age=self._context.clock.now() - post.created_at,
            followers=self._settings.followers,
            video=any(media.mime.startswith("video/") for media in post.media),
        )


@contextmanager
def _told_as(trouble: type[ChannelError]) -> Iterator[None]:
    """Scripted faults and trouble with the file in the port's words; `trouble` for the latter."""
    try:
        yield
    except Fault as fault:
        raise _error(fault) from None
    except NoParent as error:
        raise Rejected(_("There is no post {id} to answer.").format(id=error), field="parent") from None
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
