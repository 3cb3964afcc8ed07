"""Mastodon over its real API; compatible servers as far as they keep to it.

Facts this relies on: the server remembers an `Idempotency-Key` for 3600 s per account and then gives the
same status back, but only real Mastodon is known to (GoToSocial and snac ignore the key), which nodeinfo
tells. `?lang=en` makes Mastodon's errors English whatever the account's language, so that they can be
told apart. Limits come from the instance; see `limits`. Nothing can be looked up by our key, so that what
was sent is found again only in the account's listing; see `reading`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.http import Http, Reply, instant, server_url
from cm.channels.mastodon import limits, login, posting, reading, server
from cm.channels.mastodon.uploads import Uploads
from cm.channels.port import (
    Absent,
    AccountInfo,
    Ask,
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
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable
from cm.i18n import _

KEY_WINDOW = 3600
"""Seconds for which Mastodon remembers an idempotency key."""
AT_ONCE = 20
"""Statuses that one question may name (Mastodon's DEFAULT_STATUSES_LIMIT)."""


class Settings(BaseModel):
    """Where the account is, and how its posts are shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    server: str = Field(examples=["https://mastodon.example"])
    """Address of the server; https, or http on this machine."""
    visibility: Literal["public", "unlisted", "private"] = Field("public", examples=["public"])
    """Who sees posts that say nothing narrower."""
    sensitive: bool = Field(False, examples=[False])
    """Hide media behind a warning."""

    _server = field_validator("server")(server_url)


class MastodonAdapter:
    """Publishes statuses for one account of one server."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="mastodon",
        threads=True,
        comments=True,
        media=(
            "image/jpeg",
            "image/png",
            "image/gif",
            "image/webp",
            "image/avif",
            "image/heic",
            "video/mp4",
            "video/webm",
            "video/quicktime",
            "audio/mpeg",
            "audio/ogg",
        ),
        max_media=16,  # more than any known server takes; the account's own limit comes with check()
        limits=limits.LIMITS,
        key_window=KEY_WINDOW,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._settings = context.settings
        self._context = context
        self._http = Http(context.settings.server, self._token, network=context.network)

    def identity(self) -> Identity:
        """The account by server and user name; `@name@server` and `name` are the same."""
        return Identity("mastodon", self._http.name, self._handle)

    def check(self) -> AccountInfo:
        """Account, limits and key window. Raises AuthFailed, too, for a token of another account, or for a login with
        rights missing, naming them."""
        remote_id, handle, server_time = self._ourselves()
        login.refuse_rights(self._http, self._stored())
        name, version = server.software(self._http)
        return AccountInfo(
            remote_id=remote_id,
            handle=handle,
            key_window=KEY_WINDOW if name == limits.MASTODON else 0,
            limits=limits.measured(server.instance(self._http), name),
            software=f"{name} {version}".strip(),
            server_time=server_time,
            token_expires_at=self._end(),
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload media, then give the complete body of `POST /api/v1/statuses`. Raises ChannelError."""
        self._http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        posting.refuse_visibility(message)
        media = Uploads(self._http, message, saved).run()
        if isinstance(media, Pending):
            return media
        widest, sensitive = self._settings.visibility, self._settings.sensitive
        body = posting.body(message, media.ids, widest=widest, sensitive=sensitive)
        return Prepared(body, media.expires_at)

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Create the status. Raises ChannelError."""
        reply = self._http.call(
            "POST",
            "/api/v1/statuses",
            mode="sending",
            query=[("lang", "en")],
            json=prepared.body,
            headers={"Idempotency-Key": key},
            accept={400, 404, 422},
        )
        if not 200 <= reply.status < 300:
            raise self._refused(reply, prepared.body)
        return self._receipt(reply)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """In the account's listing, which may be late: never certain, never authoritative. Raises ChannelError."""
        listing = self.listing(since)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        return Absent() if listing.complete else CannotTell(_("The listing does not reach back far enough."))

    def listing(self, since: datetime) -> Listing:
        """The account's own statuses since then, also those for followers only or named people. Raises ChannelError."""
        remote_id, _handle, _now = self._ourselves()
        return reading.listing(self._http, remote_id, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many media, and the same status answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Take the status down, and its media with it at once (Mastodon 4.4; before, they may stay for a day).

        A status that is not there is a success, once it is sure that the token is still this account's: what is
        another's is not there for it either. Raises ChannelError; Rejected if this one may not be taken down.
        """
        query = [("delete_media", "true"), ("lang", "en")]
        reply = self._http.call("DELETE", _path(remote_id), mode="sending", query=query, accept={403, 404, 410})
        self._require_allowed(reply)
        if reply.status >= 400:
            self._ourselves()

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change text, link, language, alt texts and warning; media stay, as does a warning where the message has none.

        What an edit does not name is removed there, therefore the status is read first. Raises ChannelError;
        Rejected if it is not there or the server cannot edit (Mastodon can since 3.5.0).
        """
        self._http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        status = self._status(remote_id)
        if status is None:
            raise Rejected(_("{server}: there is no such status to edit.").format(server=self._http.name))
        message = _with_its_warning(status, message)
        limits.refuse(message)
        path, query, body = _path(remote_id), [("lang", "en")], posting.edited(status, message)
        reply = self._http.call("PUT", path, mode="sending", query=query, json=body, accept={403, 404, 405})
        self._require_allowed(reply)
        if reply.status >= 400:
            reason = _("{server} cannot edit a status, or not this one (Mastodon can since 3.5.0).")
            raise Rejected(reason.format(server=self._http.name))

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Favourites, boosts and replies as far as the home server knows; nobody tells reach."""
        found: dict[str, Numbers] = {}
        for start in range(0, len(remote_ids), AT_ONCE):
            for status in self._statuses(remote_ids[start : start + AT_ONCE]):
                found[str(status.get("id"))] = Numbers(
                    reactions=_number(status, "favourites_count"),
                    comments=_number(status, "replies_count"),
                    shares=_number(status, "reblogs_count"),
                )
        return {remote_id: found[remote_id] for remote_id in remote_ids if remote_id in found}

    def account_metrics(self) -> Numbers:
        """Followers."""
        return Numbers(followers=_number(server.credentials(self._http)[0], "followers_count"))

    def preview(self, message: Outgoing) -> Preview:
        """The status with what it counts, what its warning folds, and the link that gets a card; pure."""
        return posting.preview(message)

    def login_asks(self) -> Sequence[Ask]:
        """Nothing that is needed: the app is registered by itself. Pure."""
        return login.asks()

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """Register an app, and give the page to visit; or a token that a person made there. Raises ChannelError."""
        if given.get("token"):
            return self._ours({"access_token": given["token"]})
        return login.begin(self._http, redirect_uri)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The token that the code is good for, once the server has said whose it is. Raises ChannelError."""
        return self._ours(login.finish(self._http, visit, answer))

    def logout(self, values: Values) -> None:
        """Revoke the token. Raises ChannelError; Rejected for one that did not come by a login."""
        login.revoke(self._http, values)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    # --- who and where ----------------------------------------------------------------------------------------------

    @property
    def _handle(self) -> str:
        return self._context.account.lstrip("@").partition("@")[0].casefold()

    def _token(self) -> str | None:
        """Renewed first if it ends soon, which Mastodon's own never do."""
        if self._context.credentials is None:
            return self._context.secret()
        return self._context.credentials.fresh(lambda values: login.renew(self._http, values)).get("access_token")

    def _stored(self) -> Values:
        return self._context.credentials.read() if self._context.credentials else {}

    def _end(self) -> datetime | None:
        """When a person must log in again: never by the clock where the login renews itself or does not end."""
        values = self._stored()
        return None if values.get("refresh_token") else instant(values.get("expires_at"))

    def _ours(self, values: Values) -> Values:
        """The same, once the server has said that it is this account's. Raises ChannelError."""
        with_it = Http(self._http.base_url, lambda: values["access_token"], network=self._context.network)
        try:
            server.ourselves(with_it, self._handle)
        finally:
            with_it.close()
        return values

    def _ourselves(self) -> tuple[str, str, datetime | None]:
        return server.ourselves(self._http, self._handle)

    # --- sending ----------------------------------------------------------------------------------------------------

    def _refused(self, reply: Reply, body: Json) -> ChannelError:
        """A 404 is about the status answered; a 422 is final, unless a film is not finished yet. Pixelfed refuses a
        key that it knows (400), be there a post by it or not."""
        error = self._http.refusal(reply, "sending")
        if reply.status == 400 and "idempotency key" in reply.message.lower():
            return UnknownOutcome(error.reason)
        if reply.status == 422 and "finished processing" in reply.message:
            return Retryable(error.reason)
        if reply.status == 404 and "in_reply_to_id" in body:
            return Rejected(error.reason, field="parent")
        return error

    def _receipt(self, reply: Reply) -> Receipt:
        status = reply.json if isinstance(reply.json, dict) else {}
        remote_id = status.get("id")
        published_at = instant(status.get("created_at")) or reply.date
        if not remote_id or published_at is None:
            raise UnknownOutcome(_("{server} answered without the new status").format(server=self._http.name))
        return Receipt(str(remote_id), reading.permalink(status), published_at)

    # --- metrics ----------------------------------------------------------------------------------------------------

    def _statuses(self, remote_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """By one question (Mastodon 4.3), or one by one where the server does not know it."""
        query = [("id[]", remote_id) for remote_id in remote_ids]
        reply = self._http.call("GET", "/api/v1/statuses", query=query, accept={404, 405})
        if reply.status >= 400:
            return [status for remote_id in remote_ids if (status := self._status(remote_id)) is not None]
        if not isinstance(reply.json, list):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self._http.name))
        return [status for status in reply.json if isinstance(status, dict)]

    def _require_allowed(self, reply: Reply) -> None:
        """Raises Rejected for a 403: it speaks of this status, or of this act, and not of the token as a whole."""
        if reply.status == HTTPStatus.FORBIDDEN:
            raise Rejected(f"{self._http.name}: {reply.status} {reply.message}")

    def _status(self, remote_id: str) -> Mapping[str, Any] | None:
        reply = self._http.call("GET", _path(remote_id), accept={404, 410})
        return None if reply.status >= 400 else server.as_object(self._http, reply)


def _path(remote_id: str) -> str:
    """Of one status. Raises Rejected for an id that would lead elsewhere."""
    if not remote_id.strip("."):
        raise Rejected(_("{id!r} is no id of a status.").format(id=remote_id))
    return f"/api/v1/statuses/{quote(remote_id, safe='', errors='replace')}"


def _with_its_warning(status: Mapping[str, Any], message: Outgoing) -> Outgoing:
    """The message with the warning that stands there, unless it names its own."""
    kept = str(status.get("spoiler_text") or "")
    return message if limits.warning(message) else replace(message, fields={**message.fields, "warning": kept})


def _number(of: Mapping[str, Any], name: str) -> int | None:
    value = of.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
