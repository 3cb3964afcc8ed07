"""Mastodon over its real API; compatible servers as far as they keep to it.

Facts this relies on: the server remembers an `Idempotency-Key` for 3600 s per account and then gives the
same status back, but only real Mastodon is known to (GoToSocial and snac ignore the key), which nodeinfo
tells. `?lang=en` makes Mastodon's errors English whatever the account's language, so that they can be
told apart. Limits come from the instance; see `limits`. Nothing can be looked up by our key, so that what
was sent is found again only in the account's listing; see `reading`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.http import Http, Reply, instant, server_url
from cm.channels.mastodon import limits, reading
from cm.channels.mastodon.uploads import Uploads
from cm.channels.port import (
    Absent,
    AccountInfo,
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
    Receipt,
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
)
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.i18n import _

KEY_WINDOW = 3600
"""Seconds for which Mastodon remembers an idempotency key."""
AT_ONCE = 20
"""Statuses that one question may name (Mastodon's DEFAULT_STATUSES_LIMIT)."""
VISIBILITIES = ("public", "unlisted", "private", "direct")
"""From wide to narrow."""


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
        self._account = context.account
        self._http = Http(context.settings.server, context.secret, network=context.network)

    def identity(self) -> Identity:
        """The account by server and user name; `@name@server` and `name` are the same."""
        return Identity("mastodon", self._http.name, self._handle)

    def check(self) -> AccountInfo:
        """Account, limits and key window. Raises AuthFailed, too, for a token of another account than configured."""
        remote_id, handle, server_time = self._ourselves()
        name, version = self._software()
        return AccountInfo(
            remote_id=remote_id,
            handle=handle,
            key_window=KEY_WINDOW if name == "mastodon" else 0,
            limits=limits.measured(self._instance()),
            software=f"{name} {version}".strip(),
            server_time=server_time,
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload media, then give the complete body of `POST /api/v1/statuses`. Raises ChannelError."""
        self._http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        visibility = self._visibility(message.visibility)
        media = Uploads(self._http, message, saved).run()
        if isinstance(media, Pending):
            return media
        body: Json = {
            "status": with_link(message.text, message.link),
            "visibility": visibility,
            "sensitive": self._settings.sensitive,
        }
        if language := message.language.partition("-")[0].lower():
            body["language"] = language
        if media.ids:
            body["media_ids"] = list(media.ids)
        if message.parent is not None:
            body["in_reply_to_id"] = message.parent
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
            accept={404, 422},
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
        """Change text, link, language and alt texts; media, warning and what they hide stay as they are.

        What an edit does not name is removed there, therefore the status is read first. Raises ChannelError;
        Rejected if it is not there or the server cannot edit (Mastodon can since 3.5.0).
        """
        self._http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        status = self._status(remote_id)
        if status is None:
            raise Rejected(_("{server}: there is no such status to edit.").format(server=self._http.name))
        path, query, body = _path(remote_id), [("lang", "en")], _edited(status, message)
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
        return Numbers(followers=_number(self._credentials()[0], "followers_count"))

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    # --- who and where ----------------------------------------------------------------------------------------------

    @property
    def _handle(self) -> str:
        return self._account.lstrip("@").partition("@")[0].casefold()

    def _ourselves(self) -> tuple[str, str, datetime | None]:
        """The account's id and handle, and the server's time. Raises AuthFailed if the token is another account's."""
        account, now = self._credentials()
        handle = str(account.get("username") or account.get("acct") or "")
        if handle.casefold() != self._handle:
            reason = _("{server}: the token belongs to @{actual}, the channel is @{configured}.")
            raise AuthFailed(reason.format(server=self._http.name, actual=shown(handle, 60), configured=self._handle))
        return str(account["id"]), handle, now

    def _credentials(self) -> tuple[Mapping[str, Any], datetime | None]:
        reply = self._http.call("GET", "/api/v1/accounts/verify_credentials")
        account = self._object(reply)
        if not account.get("id"):
            raise Retryable(_("{server} does not say whose token this is").format(server=self._http.name))
        return account, reply.date

    def _instance(self) -> Json:
        reply = self._http.call("GET", "/api/v2/instance", accept={404, 405})
        if reply.status >= 400:
            reply = self._http.call("GET", "/api/v1/instance")
        return self._object(reply)

    def _object(self, reply: Reply) -> Json:
        if not isinstance(reply.json, dict):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self._http.name))
        return reply.json

    def _software(self) -> tuple[str, str]:
        """Name and version by nodeinfo; ("", "") if the server does not say, which costs only the key window."""
        try:
            index = self._object(self._http.call("GET", "/.well-known/nodeinfo", anonymous=True))
            path = next(self._nodeinfo_paths(index), None)
            if path is None:
                return "", ""
            software = self._object(self._http.call("GET", path, anonymous=True)).get("software")
        except ChannelError:
            return "", ""
        if not isinstance(software, dict):
            return "", ""
        return shown(str(software.get("name", "")), 60), shown(str(software.get("version", "")), 60)

    def _nodeinfo_paths(self, index: Json) -> Iterator[str]:
        """Where the document is, on this very server: whoever could point elsewhere could lie for it."""
        links = index.get("links")
        for link in links if isinstance(links, list) else []:
            href = link.get("href") if isinstance(link, dict) else None
            if isinstance(href, str) and href.startswith(f"{self._http.base_url}/"):
                yield urlsplit(href).path

    # --- sending ----------------------------------------------------------------------------------------------------

    def _visibility(self, wanted: str) -> str:
        """The narrower of what the message and the channel say."""
        if wanted not in VISIBILITIES:
            raise Rejected(_("Mastodon knows no visibility {wanted!r}.").format(wanted=wanted), field="visibility")
        return max(wanted, self._settings.visibility, key=VISIBILITIES.index)

    def _refused(self, reply: Reply, body: Json) -> ChannelError:
        """A 404 is about the status answered; a 422 is final, unless a film is not finished yet."""
        error = self._http.refusal(reply, "sending")
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
        return None if reply.status >= 400 else self._object(reply)


def _path(remote_id: str) -> str:
    """Of one status. Raises Rejected for an id that would lead elsewhere."""
    if not remote_id.strip("."):
        raise Rejected(_("{id!r} is no id of a status.").format(id=remote_id))
    return f"/api/v1/statuses/{quote(remote_id, safe='', errors='replace')}"


def _edited(status: Mapping[str, Any], message: Outgoing) -> Json:
    """The body of an edit: what changes, and all of the status that would be lost if it were not named."""
    attached = status.get("media_attachments") or []
    media_ids = [str(item["id"]) for item in attached if isinstance(item, dict) and "id" in item]
    told = zip(media_ids, message.media, strict=False)
    body: Json = {
        "status": with_link(message.text, message.link),
        "sensitive": status.get("sensitive") is True,
        "spoiler_text": str(status.get("spoiler_text") or ""),
        "language": message.language.partition("-")[0].lower() or status.get("language"),
        "media_ids": media_ids,
        "media_attributes": [{"id": media_id, "description": media.alt} for media_id, media in told],
    }
    return {name: value for name, value in body.items() if value not in (None, "", [])}


def _number(of: Mapping[str, Any], name: str) -> int | None:
    value = of.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
