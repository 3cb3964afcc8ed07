"""An Instagram professional account over the Graph API (v26.0), by either of its two logins.

Facts this relies on: a post is put together as a container, unseen, and one call publishes it; the container's
status tells afterwards whether it was (see `reading`). Pictures are JPEG files that Meta fetches from a public address
(see `public`). Through Facebook (`login: facebook`) the token is that of the Page to which the account is linked,
every call carries the app-secret proof, and films are uploaded; through Instagram (`login: instagram`) the host is
graph.instagram.com, for which no proof is documented, films are fetched as well, and nothing can be taken down.
Nobody can correct a caption.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.http import instant
from cm.channels.instagram import errors, limits, posting, reading
from cm.channels.instagram.login import HOST, OWN_HOSTS, PUBLISHING, RENEW_AHEAD, OwnLogin, facebook_login
from cm.channels.instagram.public import Public, public_url
from cm.channels.instagram.uploads import Containers
from cm.channels.meta import GRAPH, HOSTS, VERSION, Graph, Missing, count, items, mapping, node, stored
from cm.channels.meta_login import app_asks, inspected
from cm.channels.port import (
    Absent,
    AccountInfo,
    Ask,
    AuthFailed,
    CannotTell,
    Capabilities,
    ChannelError,
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
    Rejected,
    Sighting,
    Sought,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.i18n import _


class Settings(BaseModel):
    """Which account it is, and where its pictures can be fetched."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    user: str = Field(pattern=r"^[0-9]{1,40}$", examples=["17841400000000001"])
    """The professional account's id, a number: `cm channel login` names it where it differs."""
    public_media: str | None = Field(None, examples=["https://www.hospital.example/cm-media/"])
    """Address that stands for the workspace's folder media/: Meta fetches pictures there. Show only its folder sent/
    (…/cm-media/sent/), which holds what goes out: in media/ stand the originals, with place and author. With
    `login: instagram` films are fetched too, from media/ itself: show each of them alone."""
    login: Literal["facebook", "instagram"] = Field("facebook", examples=["facebook"])
    """Through the Page it is linked to (posts can be taken down), or through Instagram alone (they cannot)."""

    @field_validator("public_media")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        return None if value is None else public_url(value)


class InstagramAdapter:
    """Publishes pictures, carousels, reels and first comments for one account."""

    Settings: ClassVar[type[BaseModel]] = Settings
    redirect_name: ClassVar[str] = "localhost"  # as for Facebook
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="instagram",
        threads=False,
        comments=True,
        media=(*limits.IMAGES, *limits.VIDEO),
        max_media=limits.LIMITS.images.count,
        max_characters=limits.LIMITS.text,
        limits=limits.LIMITS,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._context, self._settings = context, context.settings
        self._user, self._own = context.settings.user, context.settings.login == "instagram"
        self._public = Public(context.workspace, context.settings.public_media)
        self._graph = Graph(
            self._login,
            name="Instagram",
            network=context.network,
            host=HOST if self._own else GRAPH,
            known=errors.KNOWN,
            proves=not self._own,
        )

    def identity(self) -> Identity:
        """The account by its id."""
        return Identity("instagram", "www.instagram.com", self._user)

    def check(self) -> AccountInfo:
        """The account, its quota of posts, the token's rights and end. Raises AuthFailed naming what is missing."""
        handle, now, version = self._ourselves()
        return AccountInfo(
            remote_id=self._user,
            handle=handle,
            limits=self._quota(),
            software=f"Graph API {version}",
            server_time=now,
            token_expires_at=self._ends(),
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Put the post together as a container, unseen, then give the call that publishes it. Raises ChannelError."""
        self._graph.values()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        if limits.is_comment(message):
            return Prepared(posting.of_comment(message))
        uploads = not self._own
        made = Containers(self._graph, self._user, self._public, message, saved, uploads=uploads).run()
        if isinstance(made, Pending):
            return made
        return Prepared(posting.of_container(self._user, made), made.expires_at)

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Publish it; the container's id does what a key would. Raises ChannelError."""
        return posting.send(self._graph, prepared.body)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """See `reading.find`. Raises ChannelError."""
        return reading.find(self._graph, self._user, self._handle, sought, since)

    def listing(self, since: datetime) -> Listing:
        """The account's posts since then. Raises ChannelError."""
        return reading.listing(self._graph, self._user, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many media, the same post answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Take a post or comment down. One that is not there is a success, once it is sure whose token it is.

        Raises ChannelError; Rejected with Instagram's own login, which cannot.
        """
        path = node(remote_id)
        if self._own:
            reason = _("Instagram's own login cannot take posts down: do it in the app, or use `login: facebook`.")
            raise Rejected(reason)
        try:
            self._graph.call("DELETE", path, mode="sending")
        except Missing:
            self._ourselves()

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Likes and comments by remote id; an id that is gone is left out. Raises ChannelError."""
        found: dict[str, Numbers] = {}
        for remote_id in remote_ids:
            with suppress(Missing):
                told = self._graph.get(node(remote_id), "like_count,comments_count")
                found[remote_id] = Numbers(reactions=count(told, "like_count"), comments=count(told, "comments_count"))
        return found

    def account_metrics(self) -> Numbers:
        """Followers. Raises ChannelError."""
        return Numbers(followers=count(self._graph.get(self._user, "followers_count"), "followers_count"))

    def preview(self, message: Outgoing) -> Preview:
        """The caption as it will stand there; no address becomes a card or can be clicked. Pure."""
        text = with_link(message.text, message.link)
        notes = (_("The link cannot be clicked in a caption."),) if message.link else ()
        return Preview(text, len(text), limits.LIMITS.text, notes=notes)

    # --- logging in -------------------------------------------------------------------------------------------------

    def login_asks(self) -> Sequence[Ask]:
        """The app's id and secret."""
        return app_asks()

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """The dialog of Facebook or of Instagram."""
        network = self._context.network
        if self._own:
            return OwnLogin(network).begin(given, redirect_uri)
        return facebook_login(self._user, network).begin(given, redirect_uri)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The Page's token, or Instagram's of 60 days, with the app's id and secret. Raises ChannelError."""
        network = self._context.network
        if self._own:
            return OwnLogin(network).finish(given, visit, answer)
        return facebook_login(self._user, network).finish(given, visit, answer)

    def logout(self, values: Values) -> None:
        """Take back what the person allowed the app; Instagram's own login knows no such call. Raises ChannelError."""
        if not self._own:
            facebook_login(self._user, self._context.network).logout(values)

    def close(self) -> None:
        """Let go of connections."""
        self._graph.close()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Whom it asks."""
        return OWN_HOSTS if self._own else HOSTS

    # --- who we are -------------------------------------------------------------------------------------------------

    @property
    def _handle(self) -> str:
        return self._context.account.lstrip("@").casefold()

    def _login(self) -> Values:
        """The stored login; Instagram's own is renewed long before its end, and trouble with that can wait."""
        if not self._own:
            return stored(self._context, _log_in_again)
        renew = OwnLogin(self._context.network).renew
        try:
            return stored(self._context, renew, margin=RENEW_AHEAD)
        except ChannelError:
            return stored(self._context, renew)

    def _ourselves(self) -> tuple[str, datetime | None, str]:
        """The account's name, Instagram's time and the version that answered. Raises AuthFailed for another's token."""
        path, fields = ("me", "user_id,username") if self._own else (self._user, "id,username")
        try:
            reply = self._graph.call("GET", path, query=[("fields", fields)])
        except Missing as error:
            raise AuthFailed(error.reason) from None
        told = self._graph.object(reply)
        found = str(told.get("user_id") if self._own else told.get("id"))
        if found != self._user:
            reason = _("Instagram: the token is that of {actual} ({id}), not of {user}: use `cm channel login`.")
            name = shown(str(told.get("username")), 60)
            raise AuthFailed(reason.format(actual=name, id=shown(found, 40), user=self._user))
        handle = shown(str(told.get("username") or ""), 60) or self._handle
        return handle, reply.date, shown(reply.headers.get("facebook-api-version", VERSION), 20)

    def _quota(self) -> Json:
        """Posts in a running day: how many it takes, and how many it has taken; absent where it is not told."""
        told = self._graph.get(f"{self._user}/content_publishing_limit", "config,quota_usage")
        first = mapping(next(iter(items(told.get("data"))), None))
        found = {
            "posts_per_day": mapping(first.get("config")).get("quota_total"),
            "posts_used": first.get("quota_usage"),
        }
        return {name: value for name, value in found.items() if isinstance(value, int) and not isinstance(value, bool)}

    def _ends(self) -> datetime | None:
        if self._own:  # debug_token knows nothing of these
            return instant(self._graph.values().get("expires_at"))
        return inspected(self._graph, PUBLISHING)


def _log_in_again(_values: Values) -> Values:
    """A Page's token cannot be renewed."""
    raise AuthFailed(_("Instagram: the login has ended: log in again with `cm channel login`."))
