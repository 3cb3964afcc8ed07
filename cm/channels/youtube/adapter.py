"""A channel on YouTube, over the Data API v3.

Every post is one film. Facts this relies on (reference of 2026-11-21): a film whose privacy is not said is public, so
it always is. Therefore `prepare` uploads it as private, waits for YouTube's work on it and adds its captions, and
`send` is one `videos.update` that gives it its final description and makes it public: the film's id is ours by then,
to be asked for at any time, and the same update twice changes nothing. A film that is never sent stays there as
private. Sources contradict on projects that Google has not verified: most pages say that their films stay private, the
revision of 2026-11-02 that they do so no longer; a film that stays private after all is told as refused.

`key_window` is 0 although a film's update could be repeated at any time: it is known for the account as a whole, and
the same comment twice would stand there twice. A film in doubt is asked for by its id; private means not yet sent. (A
film that a person makes private again while an answer is missing would be made public again.)
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cm.channels import films
from cm.channels.counting import utf8
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
from cm.channels.text import refuse_unsendable, shown, with_link
from cm.channels.youtube import captions, limits, login, posting, reading
from cm.channels.youtube.errors import Missing
from cm.channels.youtube.rest import API, UPLOADS, Rest, count, mapping, text
from cm.channels.youtube.uploads import Upload
from cm.i18n import _

AT_ONCE = 50
"""Films that one question may name."""


class Settings(BaseModel):
    """Which channel it is, and what is said of all its films."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    channel: str = Field(examples=["UCa1b2c3d4e5f6g7h8i9j0kA"], pattern=r"^UC[A-Za-z0-9_-]{22}$")
    """The channel's id: on YouTube under Settings, Advanced settings."""
    visibility: Literal["public", "unlisted"] = Field("public", examples=["public"])
    """Who sees films that say nothing narrower; `unlisted`: whoever has the address."""
    category: str = Field("22", examples=["27"], pattern=r"^[0-9]{1,3}$")
    """YouTube's number of a subject: 22 people, 25 news, 27 education, 28 science, 29 non-profit."""
    tags: tuple[str, ...] = Field((), examples=[["hôpital", "santé publique"]])
    """Words by which every film can be found; at most 500 characters together."""
    made_for_kids: bool = Field(False, examples=[False])
    """The films are made for children, as the law asks to declare: then they take no comments."""
    synthetic_media: bool = Field(False, examples=[False])
    """The films show what looks real and was made or altered by a machine."""
    app: str = Field("", examples=[""])
    """Name of the Google project, where channels of one workspace use several: each has its own quota."""
    server: str = Field("", examples=[""])
    """In the place of both of YouTube's servers: for tests, one on this machine."""

    @field_validator("server")
    @classmethod
    def _a_server(cls, value: str) -> str:
        return server_url(value) if value else ""

    @field_validator("tags")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if limits.tags_length(value) > limits.TAGS:
            raise ValueError(_("YouTube takes 500 characters of tags together"))
        if any(not tag.strip() or "<" in tag or ">" in tag or "," in tag for tag in value):
            raise ValueError(_("a tag has letters, and neither commas nor < or >"))
        return value


class YouTubeAdapter:
    """Publishes films and first comments for one channel."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="youtube",
        threads=False,
        comments=True,
        media=limits.FILMS,
        max_media=1,
        limits=limits.LIMITS,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._context, self._settings = context, context.settings
        self._google = Http(login.TOKENS, name="Google", network=context.network)
        api, uploads = (self._http(context.settings.server or host) for host in (API, UPLOADS))
        self._rest = Rest(api, uploads)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Everything that is spoken to beside the account's own host."""
        spoken = (self._rest.http, self._rest.uploads, self._google)
        return tuple(dict.fromkeys(urlsplit(http.base_url).netloc for http in spoken))

    def identity(self) -> Identity:
        """The channel by its id, which no renaming changes."""
        return Identity("youtube", "www.youtube.com", self._settings.channel, self._settings.app)

    def check(self) -> AccountInfo:
        """Channel, rights and what it may upload. Raises AuthFailed, too, for another channel's login."""
        self._rest.http.require_token()
        values = self._context.credentials.read() if self._context.credentials else {}
        if names := login.lacking(values):
            reason = _("YouTube: the login lacks the rights {names}: log in again with `cm channel login`.")
            raise AuthFailed(reason.format(names=", ".join(names)))
        channel, reply = self._ourselves("snippet,status")
        snippet = mapping(channel.get("snippet"))
        facts: Json = {"uploads_per_day": limits.UPLOADS_PER_DAY, "units_per_day": limits.UNITS_PER_DAY}
        if text(mapping(channel.get("status")), "longUploadsStatus") in ("disallowed", "eligible"):
            facts["longest_seconds"] = limits.UNVERIFIED_SECONDS
        return AccountInfo(
            remote_id=self._settings.channel,
            handle=shown(text(snippet, "customUrl") or text(snippet, "title"), 100) or self._settings.channel,
            limits=facts,
            software="YouTube Data API v3",
            server_time=reply.date,
            token_expires_at=login.ends(values),
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload the film, private, then give the body that makes it public. Raises ChannelError."""
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        if message.parent is not None:
            if reading.is_comment(message.parent):
                raise Rejected(_("YouTube's comments stand below a film."), field="parent")
            return Prepared({"comment": posting.comment(self._settings.channel, message.parent, message)})
        if "longest_seconds" in message.limits:
            limits.refuse_length(films.examined(message.media[0].path).seconds, message)
        told = captions.read(self._context.workspace / "media", message)
        film = Upload(self._rest, message, saved, self._described(message, "private"), told).run()
        if isinstance(film, Pending):
            return film
        return Prepared({"video": {"id": film, **self._described(message, self._privacy(message))}})

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Make the film public, or write the comment; YouTube knows no keys. Raises ChannelError."""
        body = prepared.body
        return self._commented(body["comment"]) if "comment" in body else self._published(body["video"])

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """See `reading.find`. Raises ChannelError."""
        return reading.find(self._rest, self._playlist, sought, since)

    def listing(self, since: datetime) -> Listing:
        """The channel's films since then, private ones left out. Raises ChannelError."""
        return reading.listing(self._rest, self._playlist, since)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same description, and a film; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Delete a film or a comment. One that is not there is a success, once it is sure that the login is still
        this channel's: what is another's may not be there for it either. Raises ChannelError."""
        what = "comments" if reading.is_comment(remote_id) else "videos"
        try:
            self._rest.call("DELETE", what, mode="sending", query=[("id", remote_id)])
        except Missing:
            self._ourselves("id")

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change title and description, or a comment's text; tags, subject and languages stay as they are.

        What an update does not name is cleared there, therefore the film is read first. Raises ChannelError;
        Rejected if it is not there.
        """
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        if reading.is_comment(remote_id):
            limits.refuse_comment(message)
            said = {"textOriginal": with_link(message.text, message.link)}
            self._change("comments", {"id": remote_id, "snippet": said})
            return
        limits.refuse_words(message)
        film, _reply = self._rest.one("videos", [("part", "snippet"), ("id", remote_id)])
        if film is None:
            raise Rejected(_("There is no such film on YouTube to edit."))
        self._change("videos", {"id": remote_id, "snippet": posting.changed(mapping(film.get("snippet")), message)})

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Views, likes and comments; since August 2026 a view counts as soon as a film starts."""
        videos = [each for each in remote_ids if reading.VIDEO.fullmatch(each)]
        found: dict[str, Numbers] = {}
        for start in range(0, len(videos), AT_ONCE):
            query = [("part", "statistics"), ("id", ",".join(videos[start : start + AT_ONCE]))]
            told, _further, _reply = self._rest.page("videos", query)
            found |= {text(each, "id"): _numbers(mapping(each.get("statistics"))) for each in told}
        return {remote_id: found[remote_id] for remote_id in videos if remote_id in found}

    def account_metrics(self) -> Numbers:
        """Subscribers, as YouTube rounds them; unknown where the channel hides them."""
        told = mapping(self._ourselves("statistics")[0].get("statistics"))
        return Numbers(followers=None if told.get("hiddenSubscriberCount") is True else count(told, "subscriberCount"))

    def preview(self, message: Outgoing) -> Preview:
        """Title and description, or the comment; pure."""
        said = limits.description(message)
        if message.parent is not None:
            return Preview(said, len(said), limits.COMMENT)
        whole = f"{limits.title(message)}\n\n{said}"
        return Preview(whole, utf8(said), limits.DESCRIPTION, "bytes", notes=limits.notes(message))

    # --- logging in -------------------------------------------------------------------------------------------------

    def login_asks(self) -> Sequence[Ask]:
        """The project's id and secret. Pure."""
        return login.asks()

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """Google's page."""
        return login.OAUTH2.visit(given, redirect_uri)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The tokens that the code is good for. Raises ChannelError."""
        return login.OAUTH2.finish(self._google, given, visit, answer)

    def logout(self, values: Values) -> None:
        """Revoke the tokens. Raises ChannelError."""
        login.OAUTH2.revoke(self._google, values)

    def close(self) -> None:
        """Let go of connections."""
        self._rest.close()
        self._google.close()

    # --- who --------------------------------------------------------------------------------------------------------

    def _http(self, host: str) -> Http:
        return Http(
            host, lambda: login.token(self._context, self._google), name="YouTube", network=self._context.network
        )

    @property
    def _playlist(self) -> str:
        """All that the channel has uploaded: its own id with other first letters."""
        return f"UU{self._settings.channel[2:]}"

    def _ourselves(self, parts: str) -> tuple[Json, Reply]:
        """The channel, and the answer it stood in. Raises AuthFailed if the login is another channel's."""
        found, _further, reply = self._rest.page("channels", [("part", f"{parts},id"), ("mine", "true")])
        ours = next((each for each in found if each.get("id") == self._settings.channel), None)
        if ours is None:
            actual = ", ".join(shown(text(each, "id"), 60) for each in found) or _("no channel at all")
            reason = _("YouTube: the login is that of {actual}, the channel is {configured}.")
            raise AuthFailed(reason.format(actual=actual, configured=self._settings.channel))
        return ours, reply

    # --- sending ----------------------------------------------------------------------------------------------------

    def _privacy(self, message: Outgoing) -> str:
        """The narrower of what the message and the channel say."""
        return "unlisted" if "unlisted" in (message.visibility, self._settings.visibility) else "public"

    def _described(self, message: Outgoing, privacy: str) -> Json:
        own = self._settings
        return posting.film(
            message,
            privacy,
            category=own.category,
            tags=own.tags,
            kids=own.made_for_kids,
            synthetic=own.synthetic_media,
        )

    def _published(self, video: Json) -> Receipt:
        try:
            reply = self._rest.call("PUT", "videos", mode="sending", query=[("part", posting.PARTS)], json=video)
        except Missing as error:
            raise Rejected(error.reason, field="media") from None
        told = mapping(reply.json)
        privacy = text(mapping(told.get("status")), "privacyStatus")
        published_at = reply.date or instant(mapping(told.get("snippet")).get("publishedAt"))
        if told.get("id") != video["id"] or not privacy or published_at is None:
            raise UnknownOutcome(_("YouTube answered without the film."))
        if privacy == "private":
            reason = _(
                "YouTube keeps this film private: look at it in YouTube Studio, and at the project's verification."
            )
            raise Rejected(reason, field="visibility")
        return Receipt(video["id"], reading.permalink(video["id"]), published_at)

    def _commented(self, comment: Json) -> Receipt:
        try:
            query = [("part", "snippet")]
            reply = self._rest.call("POST", "commentThreads", mode="sending", query=query, json=comment)
        except Missing as error:
            raise Rejected(error.reason, field="parent") from None
        told = mapping(reply.json)
        ident, at = text(told, "id"), reading.commented_at(told) or reply.date
        if not reading.COMMENT.fullmatch(ident) or at is None:
            raise UnknownOutcome(_("YouTube answered without the comment."))
        return Receipt(ident, reading.permalink(comment["snippet"]["videoId"], ident), at)

    def _change(self, what: str, resource: Mapping[str, object]) -> None:
        self._rest.call("PUT", what, mode="sending", query=[("part", "snippet")], json=dict(resource))


def _numbers(told: Json) -> Numbers:
    """What is hidden is left out there, and unknown here."""
    return Numbers(
        views=count(told, "viewCount"), reactions=count(told, "likeCount"), comments=count(told, "commentCount")
    )
