"""A Facebook Page over the Graph API (v26.0).

Facts this relies on: a create call takes no idempotency key, so that what was sent is found again only in the Page's
listing (see `reading`; a reel by its video's id). Photos are uploaded unpublished and films into a session, so that
one call alone makes a message public. The token must be the Page's own: `me` is the Page then. It does not end by
itself, but its access to data does, 90 days after the person last did something. A reel is published once `finish`
was taken; Facebook goes on working on it and may still refuse it, which its page shows. Groups: Meta closed their API
for all versions on 2024-04-22 (changelog of v19.0); a group's posts go through the outbox.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.facebook import correcting, errors, figures, limits, posting, reading
from cm.channels.facebook.login import PUBLISHING, page_login
from cm.channels.facebook.uploads import Uploads
from cm.channels.meta import HOSTS, VERSION, Graph, Missing, node, stored
from cm.channels.meta_login import app_asks, inspected
from cm.channels.port import (
    Absent,
    AccountInfo,
    Ask,
    AuthFailed,
    CannotTell,
    Capabilities,
    Context,
    Found,
    Identity,
    Json,
    Listing,
    Numbers,
    Outgoing,
    Pending,
    Prepared,
    Preview,
    Receipt,
    Sighting,
    Sought,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.i18n import _


class Settings(BaseModel):
    """Which Page it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    page: str = Field(examples=["102030405060708"])
    """The Page's id, a number: on Facebook under About, Page transparency."""

    @field_validator("page")
    @classmethod
    def _a_page(cls, value: str) -> str:
        if "/groups/" in value:
            raise ValueError(
                _("Facebook closed its API for groups in April 2024: use `adapter: outbox` and paste by hand")
            )
        if not re.fullmatch(r"[0-9]{1,40}", value):
            raise ValueError(_("write the Page's id, a number (About, Page transparency)"))
        return value


class FacebookAdapter:
    """Publishes posts, reels and first comments for one Page."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="facebook",
        threads=False,
        comments=True,
        media=(*limits.IMAGES, *limits.VIDEO),
        max_media=limits.LIMITS.images.count,
        max_characters=limits.LIMITS.text,
        limits=limits.LIMITS,
    )

    hosts: ClassVar[tuple[str, ...]] = HOSTS
    redirect_name: ClassVar[str] = "localhost"  # Meta lets apps in development mode come back there, not to 127.0.0.1

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._context = context
        self._page = context.settings.page
        self._graph = Graph(
            lambda: stored(context, _log_in_again), name="Facebook", network=context.network, known=errors.KNOWN
        )

    def identity(self) -> Identity:
        """The Page by its id."""
        return Identity("facebook", "www.facebook.com", self._page)

    def check(self) -> AccountInfo:
        """The Page, the token's rights and end. Raises AuthFailed naming what is missing."""
        name, now, version = self._ourselves()
        ends = inspected(self._graph, PUBLISHING, self._page)
        return AccountInfo(
            remote_id=self._page,
            handle=name,
            limits={"reels_per_day": limits.REELS_PER_DAY},
            software=f"Graph API {version}",
            server_time=now,
            token_expires_at=ends,
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload media, unpublished, then give the complete body. Raises ChannelError."""
        self._graph.values()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        uploaded = Uploads(self._graph, self._page, message, saved).run()
        if isinstance(uploaded, Pending):
            return uploaded
        return Prepared(posting.body(self._page, message, uploaded), uploaded.expires_at)

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Make it public; Facebook knows no keys. Raises ChannelError."""
        return posting.send(self._graph, prepared.body)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """See `reading.find`. Raises ChannelError."""
        return reading.find(self._graph, self._page, sought, since)

    def listing(self, since: datetime) -> Listing:
        """The Page's posts and reels since then. Raises ChannelError."""
        return reading.listing(self._graph, self._page, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words and card, as many media, the same post answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Take a post, reel or comment down. One that is not there is a success, once it is sure that the token is
        this Page's: what is another's is not there for it either. Raises ChannelError."""
        try:
            self._graph.call("DELETE", node(remote_id), mode="sending")
        except Missing:
            self._ourselves()

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change the text; media, card and descriptions of pictures stay. Raises ChannelError; Rejected if it is not
        there, was made by another app, or if a picture's description should change, which Facebook cannot."""
        self._graph.values()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        correcting.edit(self._graph, self._page, remote_id, message)

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Reactions, comments, shares, a reel's plays. Raises ChannelError."""
        return figures.of_posts(self._graph, remote_ids)

    def account_metrics(self) -> Numbers:
        """Followers. Raises ChannelError."""
        return figures.of_page(self._graph, self._page)

    def preview(self, message: Outgoing) -> Preview:
        """Text as it will stand there, and its card; pure."""
        carded = message.link if not message.media and not limits.is_comment(message) else None
        text = message.text if carded else with_link(message.text, message.link)
        used = len(with_link(message.text, message.link))
        return Preview(text, used, limits.most(message), card=carded)

    # --- logging in -------------------------------------------------------------------------------------------------

    def login_asks(self) -> Sequence[Ask]:
        """The app's id and secret."""
        return app_asks()

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """Facebook's dialog."""
        return page_login(self._page, self._context.network).begin(given, redirect_uri)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The Page's own token, with the app's id and secret. Raises ChannelError."""
        return page_login(self._page, self._context.network).finish(given, visit, answer)

    def logout(self, values: Values) -> None:
        """Take back what the person allowed the app. Raises ChannelError."""
        page_login(self._page, self._context.network).logout(values)

    def close(self) -> None:
        """Let go of connections."""
        self._graph.close()

    def _ourselves(self) -> tuple[str, datetime | None, str]:
        """The Page's name, Facebook's time and the version that answered. Raises AuthFailed for another's token."""
        reply = self._graph.call("GET", "me", query=[("fields", "id,name")])
        told = self._graph.object(reply)
        if told.get("id") != self._page:
            reason = _("Facebook: the token is that of {actual}, not of the Page {page}: use `cm channel login`.")
            raise AuthFailed(reason.format(actual=shown(str(told.get("name") or told.get("id")), 60), page=self._page))
        name = shown(str(told.get("name") or ""), 100) or self._page
        return name, reply.date, shown(reply.headers.get("facebook-api-version", VERSION), 20)


def _log_in_again(_values: Values) -> Values:
    """A Page's token cannot be renewed."""
    raise AuthFailed(_("Facebook: the login has ended: log in again with `cm channel login`."))
