"""X (formerly Twitter) by its API v2, paid per use.

Facts this relies on (docs.x.com of 2026-08-22, OpenAPI 2.166 and 2.167): no idempotency key, so that what was sent is
found again only in the account's own timeline, which may be late (`key_window` 0, nothing is ever authoritative); the
same text twice is refused (403), which after an answer that went missing says that it is there. A post's id tells when
it was made. A thread is a row of answers to oneself; language, visibility, content warnings and scheduling do not
exist. Each post is paid for: see `limits`.

Not claimed: editing. X gives an edited post a new id, for Premium accounts, at most five times within 30 minutes (the
guide) or an hour (the changelog of 2025-10-03), so that it would not be the post we know any more. Figures: reading
posts is billed, so they are not read unasked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from cm.channels.http import Http, Reply, instant
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
    Outgoing,
    Pending,
    Prepared,
    Preview,
    Receipt,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.channels.x import counting, errors, limits, login, reading
from cm.channels.x.login import Kind
from cm.channels.x.uploads import Uploads
from cm.i18n import _

LONG_POSTS = frozenset({"Premium", "PremiumPlus"})
"""Subscriptions whose posts may be longer."""


class Settings(BaseModel):
    """How the account logs in."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    login: Kind = Field("oauth2", examples=["oauth2"])
    """`oauth2`: in a browser; `oauth1`: with the four keys of the developer console."""
    app: str = Field("", examples=[""])
    """Name of the developer app, where accounts of one workspace use several: each has its own limits."""


class XAdapter:
    """Publishes posts of one account."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="x",
        threads=True,
        comments=True,
        media=(*limits.IMAGES, limits.GIF, *limits.FILMS),
        max_media=limits.LIMITS.images.count,
        limits=limits.LIMITS,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._settings = context.settings
        self._context = context
        self._http = Http(login.API, name="X", network=context.network, authorize=self._authorize)

    def identity(self) -> Identity:
        """The account by its name; `@name` and `name` are the same."""
        return Identity("x", "api.x.com", self._handle, self._settings.app)

    def check(self) -> AccountInfo:
        """Account, rights and length of posts. Raises AuthFailed, too, for a token of another account or with rights
        missing, naming them."""
        user, reply = self._ourselves()
        self._refuse_rights(reply)
        long = user.get("subscription_type") in LONG_POSTS
        return AccountInfo(
            remote_id=user["id"],
            handle=shown(str(user.get("username")), 60),
            key_window=0,
            limits={"max_weighted": limits.LONG if long else counting.MOST},
            software="X API v2",
            server_time=reply.date,
            token_expires_at=self._end(),
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload media, then give the complete body of `POST /2/tweets`. Raises ChannelError."""
        self._http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        media = Uploads(self._http, message, saved).run()
        if isinstance(media, Pending):
            return media
        body: Json = {}
        if text := with_link(message.text, message.link):
            body["text"] = text
        if media.ids:
            body["media"] = {"media_ids": list(media.ids)}
        if message.parent is not None:
            body["reply"] = {"in_reply_to_tweet_id": message.parent}
        return Prepared(body, media.expires_at)

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Create the post; X knows no key. Raises ChannelError."""
        reply = self._http.call("POST", "/2/tweets", mode="sending", json=prepared.body, accept=errors.ANY_REFUSAL)
        if reply.status >= 400:
            raise errors.refusal(self._http, reply, "sending")
        remote_id = _data(reply).get("id")
        if not isinstance(remote_id, str) or not reading.ID.fullmatch(remote_id):
            raise UnknownOutcome(_("{server} answered without the new post").format(server=self._http.name))
        return Receipt(remote_id, reading.permalink(self._handle, remote_id), reading.made_at(remote_id))

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """In the account's timeline, which may be late: never certain, never authoritative. Raises ChannelError."""
        listing = self.listing(since)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        return Absent() if listing.complete else CannotTell(_("The listing does not reach back far enough."))

    def listing(self, since: datetime) -> Listing:
        """The account's own posts and answers since then, paid for by the piece. Raises ChannelError."""
        user, _reply = self._ourselves()
        return reading.listing(self._http, user["id"], self._handle, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many media, and the same post answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Take the post down, all its versions with it.

        A post that is not there is a success, once it is sure that the token is still this account's. Raises
        ChannelError; Rejected for what is no id.
        """
        if not reading.ID.fullmatch(remote_id):
            raise Rejected(_("{id!r} is no id of a post.").format(id=shown(remote_id, 60)))
        reply = self._http.call("DELETE", f"/2/tweets/{remote_id}", mode="sending", accept=errors.ANY_REFUSAL)
        if reply.status == 404 or (reply.status < 400 and errors.missing(reply)):
            self._ourselves()
        elif reply.status >= 400:
            raise errors.refusal(self._http, reply, "sending")
        elif _data(reply).get("deleted") is not True:
            raise UnknownOutcome(_("{server} does not say whether the post is gone").format(server=self._http.name))

    def preview(self, message: Outgoing) -> Preview:
        """The post with its weighted length, its card and its price; pure."""
        text = with_link(message.text, message.link)
        found = counting.addresses(text)
        return Preview(
            text=text,
            used=counting.weighted(text),
            most=limits.most(message),
            unit="weighted",
            card=found[-1] if found and not message.media else None,
            price=limits.price(message),
            notes=limits.notes(message),
        )

    def login_asks(self) -> Sequence[Ask]:
        """The ids of the developer app, or all four keys. Pure."""
        return login.asks(self._settings.login)

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """The page to visit, or the four keys once X has said whose they are. Raises ChannelError."""
        if self._settings.login == "oauth2":
            return login.OAUTH2.visit(given, redirect_uri)
        values = login.four(given)
        http = self._with(values)
        try:
            self._named(http)
        finally:
            http.close()
        return values

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The tokens that the code is good for. Raises ChannelError."""
        return login.OAUTH2.finish(self._http, given, visit, answer)

    def logout(self, values: Values) -> None:
        """Revoke the tokens; of the four keys, the access token. Raises ChannelError."""
        if self._settings.login == "oauth2":
            login.OAUTH2.revoke(self._http, values)
            return
        http = self._with(login.four(values))
        try:
            http.call("POST", "/1.1/oauth/invalidate_token", accept={401})  # 401: it is gone already
        finally:
            http.close()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    # --- who and with which rights ----------------------------------------------------------------------------------

    @property
    def _handle(self) -> str:
        return self._context.account.lstrip("@").casefold()

    def _authorize(self, method: str, url: str) -> Mapping[str, str]:
        credentials = self._context.credentials
        if credentials is None:
            token = self._context.secret()
            return {"Authorization": f"Bearer {token}"} if token else {}
        if self._settings.login == "oauth2":
            return login.bearer(credentials, self._http)
        return login.signed(credentials.read(), method, url)

    def _with(self, values: Values) -> Http:
        """Speaking with four keys that are not stored (yet)."""
        return Http(
            login.API,
            name=self._http.name,
            network=self._context.network,
            authorize=lambda method, url: login.signed(values, method, url),
        )

    def _ourselves(self) -> tuple[Mapping[str, Any], Reply]:
        return self._named(self._http)

    def _named(self, http: Http) -> tuple[Mapping[str, Any], Reply]:
        """The account, and the answer it stood in. Raises AuthFailed if the token is another account's."""
        query = [("user.fields", "subscription_type,username")]
        reply = http.call("GET", "/2/users/me", query=query, accept=errors.ANY_REFUSAL)
        if reply.status >= 400:
            raise errors.refusal(http, reply)
        user = _data(reply)
        remote_id, handle = user.get("id"), str(user.get("username") or "")
        if not isinstance(remote_id, str) or not reading.ID.fullmatch(remote_id):
            raise Retryable(_("{server} does not say whose token this is").format(server=http.name))
        if handle.casefold() != self._handle:
            reason = _("{server}: the token belongs to @{actual}, the channel is @{configured}.")
            raise AuthFailed(reason.format(server=http.name, actual=shown(handle, 60), configured=self._handle))
        return user, reply

    def _refuse_rights(self, reply: Reply) -> None:
        """Raises AuthFailed naming what the login may not do: its scopes as stored, a signed one as X tells."""
        credentials = self._context.credentials
        names = login.lacking(credentials.read()) if credentials and self._settings.login == "oauth2" else []
        if names:
            reason = _("X: the login lacks the rights {names}: log in again with `cm channel login`.")
            raise AuthFailed(reason.format(names=", ".join(names)))
        if reply.headers.get("x-access-level") == "read":
            raise AuthFailed(_("X: the keys may only read; give the app the right to write and make new keys."))

    def _end(self) -> datetime | None:
        """When a person must log in again: never by the clock where the login renews itself or does not end."""
        values = self._context.credentials.read() if self._context.credentials else {}
        return None if values.get("refresh_token") else instant(values.get("expires_at"))


def _data(reply: Reply) -> Mapping[str, Any]:
    data = reply.json.get("data") if isinstance(reply.json, dict) else None
    return data if isinstance(data, dict) else {}
