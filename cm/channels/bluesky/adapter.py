"""Bluesky over the AT Protocol (XRPC): records in the repository of one account, on the server where it lives.

Facts this relies on (lexicons and reference server, bluesky-social/atproto d6296a1c, 2026-08-20): `putRecord` with
`swapRecord: null` and a key of our own makes the record, does nothing if this very record stands there, and answers
`InvalidSwap` if another does; `getRecord` on the account's own server tells at once. Whether a record that is absent
was ever there is not told, but a repository whose `rev` is still that of before the sending has not changed at all.
Editing is possible by the protocol and shown by no app of Bluesky's (replies and quotes keep pointing to the text
before), so it is not offered. Reference of 2026-08-20; the old `createRecord` answers a used key with a 500.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.bluesky import facets, limits, login, posting, reading
from cm.channels.bluesky.errors import NOT_FOUND, error_name
from cm.channels.bluesky.session import Session, ends_at
from cm.channels.bluesky.uploads import Uploaded, Uploads
from cm.channels.bluesky.video import Films
from cm.channels.counting import graphemes
from cm.channels.http import Reply, instant, server_url
from cm.channels.port import (
    KEY_WINDOW_UNLIMITED,
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
    Rejected,
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown
from cm.i18n import _

AT_ONCE = 25
"""Posts that one question for figures may name."""
_KEY = re.compile(r"[A-Za-z0-9_~.:-]{1,512}")


class Settings(BaseModel):
    """Where the account logs in."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    server: str = Field("https://bsky.social", examples=["https://bsky.social"])
    """Address of the server; https, or http on this machine."""
    video_service: str = Field("https://video.bsky.app", examples=["https://video.bsky.app"])
    """Address of the service that works on films; https, or http on this machine."""

    _server = field_validator("server", "video_service")(server_url)


class BlueskyAdapter:
    """Publishes posts for one account."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="bluesky",
        threads=True,
        comments=True,
        media=(*limits.IMAGES, limits.VIDEO),
        max_media=limits.MAX_IMAGES,
        limits=limits.LIMITS,
        key_window=KEY_WINDOW_UNLIMITED,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._handle = context.account.strip().lstrip("@").casefold()
        self._session = Session(context, context.settings.server)
        self._films = Films(self._session, context.settings.video_service, context.network)
        self._last: datetime | None = None

    def identity(self) -> Identity:
        """The account by server and handle."""
        return Identity("bluesky", self._session.http.name, self._handle)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts beside that of the login: where bsky.social keeps its accounts, and the service for films."""
        own = ("*.host.bsky.network",) if self._name == "bsky.social" else ()
        return (*own, self._films.host)

    def check(self) -> AccountInfo:
        """Account, state and end of the login. Raises AuthFailed, too, for a login of another account."""
        reply = self._session.query("com.atproto.server.getSession")
        told = self._object(reply)
        did, handle = str(told.get("did") or ""), str(told.get("handle") or "")
        if did != self._session.values()["did"] or handle.casefold() != self._handle:
            reason = _("{server}: the login belongs to @{actual}, the channel is @{configured}.")
            actual = shown(handle, 60)
            raise AuthFailed(reason.format(server=self._name, actual=actual, configured=self._handle))
        if told.get("active") is False:
            why = shown(str(told.get("status") or _("not active")), 60)
            raise AuthFailed(_("{server}: the account rests there: {why}.").format(server=self._name, why=why))
        return AccountInfo(
            remote_id=did,
            handle=handle,
            key_window=KEY_WINDOW_UNLIMITED,
            limits={"email_confirmed": told.get("emailConfirmed") is True},  # else the film service refuses
            server_time=reply.date,
            token_expires_at=ends_at(self._session.values()),
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Look up whom it answers and names, upload media, then give the complete `putRecord`. Raises ChannelError."""
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        did = self._session.values()["did"]
        reply = self._answered(message.parent, did) if message.parent is not None else None
        text = limits.shown_text(message)
        linked, rev = facets.facets(text, self._did), self._rev(did)
        media = Uploads(self._session, self._films, message, saved).run()
        if isinstance(media, Pending):
            return media
        return Prepared(
            {"request": self._request(message, did, text, linked, reply, media), "rev": rev}, media.expires_at
        )

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Put the record under its own key (`key` is not sent). Raises ChannelError; Duplicate for another's record."""
        request = prepared.body["request"]
        reply = self._session.procedure("com.atproto.repo.putRecord", request, mode="sending")
        uri = reply.json.get("uri") if isinstance(reply.json, dict) else None
        rkey, at = str(request["rkey"]), instant(request["record"].get("createdAt")) or reply.date
        if not isinstance(uri, str) or not uri.endswith(f"/{posting.COLLECTION}/{rkey}") or at is None:
            raise UnknownOutcome(_("{server} answered without the new post").format(server=self._name))
        return Receipt(rkey, reading.permalink(self._handle, rkey), at)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """By our own key; without it in the listing, which is never certain. Raises ChannelError."""
        request = (sought.body or {}).get("request")
        if isinstance(request, dict):
            return self._looked_up(str(request.get("rkey", "")), str((sought.body or {}).get("rev", "")))
        listing = self.listing(since)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        return Absent() if listing.complete else CannotTell(_("The listing does not reach back far enough."))

    def listing(self, since: datetime) -> Listing:
        """The account's own posts since then. Raises ChannelError."""
        return reading.listing(self._session, self._handle, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many media, and the same post answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Delete the record; one that is not there is a success. Raises ChannelError."""
        did = self._session.values()["did"]
        body = {"repo": did, "collection": posting.COLLECTION, "rkey": self._own(remote_id, did)}
        self._session.procedure("com.atproto.repo.deleteRecord", body, mode="sending")

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Likes, replies, reposts and quotes, as Bluesky's index knows them: later than the account's server."""
        did, found = self._session.values()["did"], dict[str, Numbers]()
        for start in range(0, len(remote_ids), AT_ONCE):
            uris = [("uris", self._uri(remote_id, did)) for remote_id in remote_ids[start : start + AT_ONCE]]
            posts = self._object(self._session.query("app.bsky.feed.getPosts", uris)).get("posts")
            for post in posts if isinstance(posts, list) else []:
                if isinstance(post, dict) and (rkey := reading.key_of(str(post.get("uri")), did)):
                    found[rkey] = _numbers(post)
        return {remote_id: found[remote_id] for remote_id in remote_ids if remote_id in found}

    def account_metrics(self) -> Numbers:
        """Followers."""
        actor = [("actor", self._session.values()["did"])]
        return Numbers(
            followers=_count(self._object(self._session.query("app.bsky.actor.getProfile", actor)), "followersCount")
        )

    def preview(self, message: Outgoing) -> Preview:
        """Text, count in graphemes and the link's card; pure."""
        text, warning = limits.shown_text(message), message.fields.get("warning", "").strip()
        notes = []
        if warning and warning not in limits.LABELS:
            notes.append(_("Bluesky does not show the words of the warning: it covers the pictures as shocking."))
        card = limits.card_of(message)
        if card and not message.fields.get("card_title"):
            notes.append(_("The card shows only the address: Bluesky reads no page, so give card_title."))
        return Preview(text, graphemes(text), limits.LIMITS.text, "graphemes", card=card, notes=tuple(notes))

    def login_asks(self) -> Sequence[Ask]:
        """Handle and app password; pure."""
        return login.asks(self._handle)

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """A session by the app password: there is no page to visit. Raises ChannelError."""
        return login.opened(self._session, given, self._handle)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The same: whatever a page said, the app password counts. Raises ChannelError."""
        return login.opened(self._session, given, self._handle)

    def logout(self, values: Values) -> None:
        """End the session; the app password itself can only be deleted on the site. Raises ChannelError."""
        login.closed(self._session, values)

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    # --- preparing --------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._session.http.name

    def _request(
        self, message: Outgoing, did: str, text: str, linked: Sequence[Json], reply: Json | None, media: Uploaded
    ) -> Json:
        """The very body of `putRecord`. Keys grow from post to post, as the protocol asks of them."""
        record = posting.record(message, text, linked, reply, media)
        at = message.created_at
        if self._last is not None and at <= self._last:
            at = self._last + timedelta(microseconds=1)
        self._last = at
        rkey = posting.tid(at, posting.salt(record))
        return {"repo": did, "collection": posting.COLLECTION, "rkey": rkey, "swapRecord": None, "record": record}

    def _answered(self, parent: str, did: str) -> Json:
        """The post answered and the first of its thread, each with its hash. Raises Rejected if it is gone."""
        uri = self._uri(parent, did, field="parent")
        found = self._record(uri)
        if found is None or not isinstance(found.get("cid"), str):
            raise Rejected(
                _("{server}: the post to be answered is not there.").format(server=self._name), field="parent"
            )
        value = found.get("value")
        above = value.get("reply") if isinstance(value, dict) else None
        itself = {"uri": uri, "cid": found["cid"]}
        return {"root": _strong(above.get("root") if isinstance(above, dict) else None) or itself, "parent": itself}

    def _did(self, handle: str) -> str | None:
        reply = self._session.query(
            "com.atproto.identity.resolveHandle", [("handle", handle)], accept={"InvalidRequest", "HandleNotFound"}
        )
        did = reply.json.get("did") if reply.status < 400 and isinstance(reply.json, dict) else None
        return did if isinstance(did, str) and did.startswith("did:") else None

    def _rev(self, did: str) -> str:
        """The repository's state; empty if the server does not tell, which costs only certainty."""
        reply = self._session.query("com.atproto.sync.getLatestCommit", [("did", did)], accept={"MethodNotImplemented"})
        return str(reply.json.get("rev") or "") if reply.status < 400 and isinstance(reply.json, dict) else ""

    # --- looking ----------------------------------------------------------------------------------------------------

    def _looked_up(self, rkey: str, rev: str) -> Found | Absent:
        """Surely absent only if nothing at all was written since: what was taken down would be sent again."""
        did = self._session.values()["did"]
        now = self._rev(did)  # before the question: what arrives between the two is no proof
        found = self._record(f"at://{did}/{posting.COLLECTION}/{rkey}")
        if found is None:
            return Absent(authoritative=bool(rev) and rev == now)
        sighting = reading.sighting(found, did, self._handle)
        if sighting is None:
            raise Retryable(_("{server} gave an answer of another shape").format(server=self._name))
        return Found((sighting,), certain=True)

    def _record(self, uri: str) -> Mapping[str, Any] | None:
        """A record of any account; None if it is not there."""
        repo, collection, rkey = uri.removeprefix("at://").split("/")
        asked = [("repo", repo), ("collection", collection), ("rkey", rkey)]
        reply = self._session.query("com.atproto.repo.getRecord", asked, accept={NOT_FOUND})
        return None if error_name(reply) == NOT_FOUND else self._object(reply)

    def _uri(self, remote_id: str, did: str, *, field: str | None = None) -> str:
        """The AT address of a post: of our own by its key, of anybody's by its address. Raises Rejected."""
        uri = remote_id if remote_id.startswith("at://") else f"at://{did}/{posting.COLLECTION}/{remote_id}"
        parts = uri.removeprefix("at://").split("/")
        if len(parts) != 3 or not all(_KEY.fullmatch(part) and part.strip(".") for part in parts):
            raise Rejected(_("{id!r} is no id of a post.").format(id=shown(remote_id, 60)), field=field)
        return uri

    def _own(self, remote_id: str, did: str) -> str:
        """The key of one of our own posts. Raises Rejected."""
        rkey = reading.key_of(self._uri(remote_id, did), did)
        if rkey is None:
            raise Rejected(_("{id!r} is another account's post.").format(id=shown(remote_id, 60)))
        return rkey

    def _object(self, reply: Reply) -> Json:
        if not isinstance(reply.json, dict):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self._name))
        return reply.json


def _strong(reference: object) -> Json | None:
    """Address and content's hash, if it is such a reference."""
    if not isinstance(reference, dict):
        return None
    uri, cid = reference.get("uri"), reference.get("cid")
    return {"uri": uri, "cid": cid} if isinstance(uri, str) and isinstance(cid, str) else None


def _numbers(post: Mapping[str, Any]) -> Numbers:
    reposts, quotes = _count(post, "repostCount"), _count(post, "quoteCount")
    return Numbers(
        reactions=_count(post, "likeCount"),
        comments=_count(post, "replyCount"),
        shares=None if reposts is None else reposts + (quotes or 0),
    )


def _count(of: Mapping[str, Any], name: str) -> int | None:
    value = of.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
