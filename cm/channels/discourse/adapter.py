"""A Discourse forum over its real API, by an administrator's API key that acts as one user.

Facts this relies on (reference of 2026-11-21, sources of 2026-11-22): a topic takes our own key as `external_id`; a
repeated one is refused. The forum gives the same answer to the same request for 120 s, errors included, and only to
the same address: too short and too unsure to count as a key window. What waits for approval answers 200 without a
post: nobody knows then whether it will be seen. Sources contradict about tags: the OpenAPI file has none, texts were
to be dropped in 2026.07, so they are sent as the objects that the forum itself lists, as texts where it lists no ids.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels.discourse import limits, posting, reading, uploads
from cm.channels.discourse.rest import Rest
from cm.channels.http import Http, Reply, instant, server_url
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
    Rejected,
    Sighting,
    Sought,
    UnknownOutcome,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown
from cm.i18n import _

LIKE = 2
"""Discourse's number for a like."""


class Settings(BaseModel):
    """Where the forum is, and where in it topics are opened."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    server: str = Field(examples=["https://forum.example"])
    """Address of the forum; https, or http on this machine."""
    category: int | None = Field(None, examples=[12], gt=0)
    """Number of the category for topics, as in its address; the forum's own choice without it."""
    tags: tuple[str, ...] = Field((), examples=[["sante"]])
    """Tags of topics; they must exist there."""

    _server = field_validator("server")(server_url)


class DiscourseAdapter:
    """Opens topics and answers posts as one user of one forum."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="discourse",
        threads=True,
        comments=True,
        media=limits.IMAGES,
        max_media=limits.LIMITS.images.count,
        limits=limits.LIMITS,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._settings = context.settings
        self._username = context.account.lstrip("@")
        self._credentials = context.credentials
        self._secret = context.secret
        self._rest = Rest(Http(context.settings.server, network=context.network, authorize=self._headers))

    def identity(self) -> Identity:
        """The account by forum and user name; the forum does not tell `Name` from `name`."""
        return Identity("discourse", self._rest.http.name, self._username.casefold())

    def check(self) -> AccountInfo:
        """Account, category and limits. Raises AuthFailed where the key or the account does not allow publishing."""
        user, now = self._ourselves()
        if self._settings.category is not None:
            self._refuse_category(self._settings.category)
        reply = self._rest.call("GET", "/site/settings.json", accept={403, 404})
        settings = reply.json if reply.status < 400 and isinstance(reply.json, dict) else {}
        return AccountInfo(
            remote_id=str(user["id"]),
            handle=str(user["username"]),
            limits=limits.measured(settings),
            software="discourse",
            server_time=now,
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload pictures, then give the body of the topic or reply. Raises ChannelError."""
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        topic = posting.is_topic(message)
        parent = message.parent or ""
        if not topic:
            posting.place_of(parent)  # refused before anything is uploaded
        raw = posting.raw(message, uploads.run(self._rest, message, saved))
        if topic:
            return Prepared(posting.topic(message, raw, self._settings.category, self._tags()))
        return Prepared(posting.reply(parent, raw))

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Create it; a topic carries the key as `external_id`. Raises ChannelError."""
        body = prepared.body if "topic_id" in prepared.body else {**prepared.body, "external_id": key}
        reply = self._rest.call("POST", "/posts.json", mode="sending", json=body)
        return self._receipt(reply)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """A topic by our key, anything else in the listing. Absence is authoritative only for a topic, and where staff
        can see that it was neither kept for approval nor deleted. Raises ChannelError."""
        key = sought.key if sought.parent is None and sought.role != "comment" else None
        if key and (seen := reading.by_key(self._rest, key, self._username)):
            return Found((seen,), certain=True)
        listing = self.listing(since)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        fate = reading.queue(self._rest, sought, since)
        if fate == "waiting":
            return CannotTell(_("It waits for approval in the forum's review queue."))
        if not listing.complete:
            return CannotTell(_("The listing does not reach back far enough."))
        sure = key and fate == "none" and not reading.deleted_since(self._rest, self._username, since)
        return Absent(authoritative=bool(sure))

    def listing(self, since: datetime) -> Listing:
        """The account's own posts since then. Raises ChannelError."""
        return reading.listing(self._rest, self._username, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many pictures, the same post answered; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Delete the post, and the whole topic if it opens one. What is not there is a success, once it is sure that
        the key is still this account's. Raises ChannelError."""
        topic, number = posting.place_of(remote_id)
        post = reading.by_number(self._rest, topic, number)
        if post is None:
            self._ourselves()
            return
        path = f"/t/{topic}.json" if number == 1 else f"/posts/{_id(post)}.json"
        self._rest.call("DELETE", path, mode="sending", accept={404})

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change text, link, title and alt texts; pictures, category and tags stay. Raises ChannelError."""
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        topic, number = posting.place_of(remote_id)
        post = reading.by_number(self._rest, topic, number)
        if post is None:
            raise Rejected(_("{server}: there is no such post to edit.").format(server=self._rest.http.name))
        body = {"post": {"raw": posting.corrected(message, str(post.get("raw") or ""))}}
        self._rest.call("PUT", f"/posts/{_id(post)}.json", mode="sending", json=body)
        if number == 1:
            self._retitle(topic, posting.title(message))

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Readers, likes and replies, one question for each post."""
        posts = {name: reading.by_number(self._rest, *posting.place_of(name)) for name in remote_ids}
        return {name: _numbers(post) for name, post in posts.items() if post is not None}

    def account_metrics(self) -> Numbers:
        """A forum counts no followers."""
        return Numbers()

    def preview(self, message: Outgoing) -> Preview:
        """Title and text as they will stand there. Pure."""
        text = posting.written(message)
        heading = f"{posting.title(message)}\n\n" if posting.is_topic(message) else ""
        most = message.limits.get("max_characters", limits.LIMITS.text)
        return Preview(text=f"{heading}{text}", used=len(text.strip()), most=most, card=message.link)

    def login_asks(self) -> Sequence[Ask]:
        """The key."""
        label = _("the API key for the user {name}").format(name=self._username)
        hint = _("in the forum under Admin, API keys: for this single user, global or with topics, posts and uploads")
        return (Ask("access_token", label, secret=True, hint=hint),)

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """The key as it was given: there is no page to visit."""
        return _given(given)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The same: no page was visited."""
        return _given(given)

    def logout(self, values: Values) -> None:
        """Nothing to ask for: only an administrator ends a key, in the forum under Admin, API keys."""

    def close(self) -> None:
        """Let go of connections."""
        self._rest.http.close()

    # --- who and where ----------------------------------------------------------------------------------------------

    def _headers(self, _method: str, _url: str) -> Mapping[str, str]:
        values = self._credentials.read() if self._credentials else {}
        key = values.get("access_token") or self._secret()
        return {"Api-Key": key, "Api-Username": self._username} if key else {}

    def _ourselves(self) -> tuple[Json, datetime | None]:
        """The account, and the forum's time. Raises AuthFailed if there is none of that name, or the key is no good."""
        reply = self._rest.call("GET", f"/u/{quote(self._username, safe='')}.json", accept={404})
        user = reply.json.get("user") if reply.status < 400 and isinstance(reply.json, dict) else None
        named = str(user.get("username")) if isinstance(user, dict) else ""
        if isinstance(user, dict) and isinstance(user.get("id"), int) and self._is_us(named):
            return user, reply.date
        reason = _("{server} has no user {name}, or does not show it to this key.")
        raise AuthFailed(reason.format(server=self._rest.http.name, name=shown(self._username, 60)))

    def _is_us(self, username: str) -> bool:
        return username.casefold() == self._username.casefold()

    def _refuse_category(self, number: int) -> None:
        """Raises AuthFailed if the account may not open topics there."""
        reply = self._rest.call("GET", f"/c/{number}/show.json", accept={403, 404})
        told = reply.json.get("category") if reply.status < 400 and isinstance(reply.json, dict) else None
        if not isinstance(told, dict) or told.get("permission", 1) != 1:
            reason = _("{server}: {name} may not open topics in the category {number}.")
            raise AuthFailed(reason.format(server=self._rest.http.name, name=self._username, number=number))

    def _tags(self) -> list[Json | str]:
        """The tags of topics as this forum wants them named. Raises Rejected for one that it does not have."""
        if not self._settings.tags:
            return []
        listed = self._rest.object(self._rest.call("GET", "/tags.json")).get("tags")
        known = {_tag_name(tag): tag for tag in listed or [] if isinstance(tag, dict)}
        missing = [name for name in self._settings.tags if name.casefold() not in known]
        if missing:
            reason = _("{server} has no tag {name!r}.").format(server=self._rest.http.name, name=missing[0])
            raise Rejected(reason, field="tags")
        found = ((name, known[name.casefold()].get("id")) for name in self._settings.tags)
        return [{"id": number, "name": name} if isinstance(number, int) else name for name, number in found]

    # --- sending and changing ---------------------------------------------------------------------------------------

    def _receipt(self, reply: Reply) -> Receipt:
        told: Mapping[str, Any] = reply.json if isinstance(reply.json, dict) else {}
        if told.get("action") == "enqueued" or "pending_post" in told:
            reason = _(
                "{server} keeps it for approval: look into the forum's review queue, and confirm the post here once it"
                " stands there."
            )
            raise UnknownOutcome(reason.format(server=self._rest.http.name))
        nested = told.get("post")
        post = nested if isinstance(nested, dict) else told
        name, published_at = posting.name(post), instant(post.get("created_at")) or reply.date
        if name is None or published_at is None:
            raise UnknownOutcome(_("{server} answered without the new post").format(server=self._rest.http.name))
        return Receipt(name, reading.permalink(self._rest, post, name), published_at)

    def _retitle(self, topic: int, wanted: str) -> None:
        """Change the title, unless it is that one already."""
        standing = self._rest.object(self._rest.call("GET", f"/t/{topic}.json")).get("title")
        if not isinstance(standing, str) or not reading.same_title(standing, wanted):
            body = {"topic": {"title": wanted}}
            self._rest.call("PUT", f"/t/-/{topic}.json", mode="sending", json=body)


def _given(values: Values) -> Values:
    return {"access_token": values.get("access_token", "").strip()}


def _id(post: Mapping[str, Any]) -> int:
    """Raises Rejected for a post without one."""
    number = post.get("id")
    if not isinstance(number, int):
        raise Rejected(_("The forum does not say which post this is."))
    return number


def _tag_name(tag: Mapping[str, Any]) -> str:
    return str(tag.get("name") or tag.get("text") or "").casefold()


def _numbers(post: Mapping[str, Any]) -> Numbers:
    summary = post.get("actions_summary")
    likes = [each for each in summary if isinstance(each, dict) and each.get("id") == LIKE] if summary else []
    return Numbers(
        reach=_number(post.get("reads")),
        reactions=_number(likes[0].get("count", 0)) if likes else 0,
        comments=_number(post.get("reply_count")),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
