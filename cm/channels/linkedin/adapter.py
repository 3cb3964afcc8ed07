"""LinkedIn over its versioned interface (`https://api.linkedin.com/rest`).

Facts this relies on (reference of 2026-11-21): every call names a monthly version that dies about a year later, so it
is a setting. There is no idempotency key; a text that stands there already is refused with the name of that post. A
new post's name comes in the header `x-restli-id`. Only `commentary` can be changed afterwards. A page's posts can be
listed, a member's cannot. LinkedIn's terms (3.1, item 26) forbid posting that no person has started or approved.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cm.channels.http import Http, Reply
from cm.channels.linkedin import limits, login, posting, reading
from cm.channels.linkedin.errors import NotAllowed
from cm.channels.linkedin.rest import API, PAGE, Rest, comment_urn, encoded, is_comment, permalink, place, post_urn
from cm.channels.linkedin.uploads import Uploads
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
    Retryable,
    Sighting,
    Sought,
    UnknownOutcome,
    Values,
    Visit,
)
from cm.channels.text import refuse_unsendable, shown
from cm.i18n import _

POSTERS = frozenset({"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER"})
"""Roles on a page that may publish."""
ROLES_PER_PAGE, ROLE_PAGES = 100, 10


class Settings(BaseModel):
    """Whose posts these are, and how they are shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    author: str = Field(
        examples=["urn:li:organization:2414183"],
        pattern=r"^urn:li:(organization:[0-9]{1,20}|person:[A-Za-z0-9_-]{1,60})$",
    )
    """The page's own name on LinkedIn, with the number in the address of its admin view; `urn:li:person:…` for a
    member."""
    visibility: Literal["public", "unlisted", "private"] = Field("public", examples=["public"])
    """Who sees posts that say nothing narrower; `unlisted`: only who is logged in, `private`: connections, both for
    members alone."""
    api_version: str = Field(limits.VERSION, examples=[limits.VERSION], pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])$")
    """Version of LinkedIn's interface, as year and month. LinkedIn answers each for about a year."""
    scopes: tuple[str, ...] = Field((), examples=[["w_organization_social", "r_organization_social"]])
    """Rights that `cm channel login` asks for; empty for the usual ones. An app may ask only for what it has."""

    @model_validator(mode="after")
    def _pages_are_public(self) -> "Settings":
        if self.visibility != "public" and self.author.startswith(PAGE):
            raise ValueError(_("posts of a page are public: leave `visibility` out"))
        return self


class LinkedInAdapter:
    """Publishes posts for one page or one member."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        platform="linkedin",
        threads=False,
        comments=True,
        media=(*limits.IMAGES, limits.VIDEO),
        max_media=limits.LIMITS.images.count,
        max_characters=limits.LIMITS.text,
        limits=limits.LIMITS,
    )

    def __init__(self, context: Context) -> None:
        assert isinstance(context.settings, Settings)
        self._settings = context.settings
        self._author = context.settings.author
        self._account = context.account
        self._credentials = context.credentials
        self._secret = context.secret
        self._oauth = login.oauth(context.settings.scopes or login.usual_scopes(self._author))
        self._www = Http(login.WWW, network=context.network)
        self._rest = Rest(Http(API, self._token, network=context.network), context.settings.api_version)

    def identity(self) -> Identity:
        """The account by LinkedIn's own name for it, which no renaming changes."""
        return Identity("linkedin", "www.linkedin.com", self._author)

    def check(self) -> AccountInfo:
        """Login, scopes and role. Raises AuthFailed, too, where one of them does not allow publishing as configured."""
        self._rest.http.require_token()
        scopes, ends = login.inspected(self._www, self._values())
        needed = login.needed_scope(self._author)
        if scopes and needed not in scopes:
            reason = _("LinkedIn: the login lacks the scope {scope}: log in again with `cm channel login`.")
            raise AuthFailed(reason.format(scope=needed))
        reply = self._role() if self._author.startswith(PAGE) else self._member()
        version_ends = limits.ENDS.get(self._rest.version)
        facts: Json = {
            "scopes": list(scopes),
            "api_version": self._rest.version,
            "api_version_ends": version_ends.isoformat() if version_ends else None,
        }
        return AccountInfo(
            remote_id=self._author,
            handle=self._account.lstrip("@") or self._author,
            limits={name: value for name, value in facts.items() if value},
            software=f"linkedin {self._rest.version}",
            server_time=reply.date,
            token_expires_at=ends,
        )

    def prepare(self, message: Outgoing, saved: Json) -> Prepared | Pending:
        """Upload media, then give the complete body of the post or comment. Raises ChannelError."""
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        shown_to = self._visibility(message)
        if message.role == "comment":
            return posting.comment(self._author, message.parent or "", message)
        urns = Uploads(self._rest, message, saved, self._author).run()
        if isinstance(urns, Pending):
            return urns
        return posting.post(self._author, shown_to, message, urns)

    def send(self, prepared: Prepared, *, key: str) -> Receipt:
        """Create the post or the comment. LinkedIn knows no key. Raises ChannelError."""
        path, body = prepared.body["path"], prepared.body["json"]
        reply = self._rest.call("POST", path, mode="sending", json=body)
        return self._receipt(reply, body)

    def find(self, sought: Sought, *, since: datetime) -> Found | Absent | CannotTell:
        """In the page's listing, or under its post: never certain, never authoritative. Raises ChannelError."""
        if sought.role == "comment" and sought.parent is None:
            return CannotTell(_("Nobody knows any more which post this comment stands under."))
        try:
            listing = self._listed(sought, since)
        except NotAllowed as error:
            return CannotTell(error.reason)
        alike = tuple(sighting for sighting in listing.sightings if self.looks_like(sought, sighting))
        if alike:
            return Found(alike)
        return Absent() if listing.complete else CannotTell(_("The listing does not reach back far enough."))

    def listing(self, since: datetime) -> Listing:
        """The page's own posts since then; an incomplete one where they may not be read. Raises ChannelError."""
        try:
            return reading.listing(self._rest, self._author, since)
        except NotAllowed:
            return Listing((), complete=False)

    def looks_like(self, sought: Sought, sighting: Sighting) -> bool:
        """Same words, as many media, under the same post; pure."""
        return reading.looks_like(sought, sighting)

    def delete(self, remote_id: str) -> None:
        """Take the post or the comment down; one that is not there is a success (204). Raises ChannelError."""
        query = [("actor", self._author)] if is_comment(remote_id) else []
        self._rest.call("DELETE", place(remote_id), mode="sending", query=query, restli="DELETE", accept={404, 410})

    def edit(self, remote_id: str, message: Outgoing) -> None:
        """Change the text. Raises ChannelError; Rejected if it is not there, or for a change that LinkedIn cannot make:
        the address of a card, an alt text."""
        self._rest.http.require_token()
        refuse_unsendable(message, self.capabilities)
        limits.refuse(message)
        if is_comment(remote_id):
            query = [("actor", self._author)]
            patch: Json = {"message": {"$set": {"text": posting.comment_text(message)}}}
        else:
            query = []
            patch = {"$set": {"commentary": self._edited(remote_id, message)}}
        body = {"patch": patch}
        path = place(remote_id)
        self._rest.call("POST", path, mode="sending", query=query, json=body, restli="PARTIAL_UPDATE")

    def post_metrics(self, remote_ids: Sequence[str]) -> dict[str, Numbers]:
        """Reactions and comments, one question for each post; reach and clicks are told to pages elsewhere."""
        found = {name: reading.figures(self._rest, post_urn(name)) for name in remote_ids if not is_comment(name)}
        return {name: numbers for name, numbers in found.items() if numbers is not None}

    def account_metrics(self) -> Numbers:
        """Followers of a page; LinkedIn does not tell a member's."""
        if not self._author.startswith(PAGE):
            return Numbers()
        query = [("edgeType", "COMPANY_FOLLOWED_BY_MEMBER")]
        reply = self._rest.call("GET", f"/rest/networkSizes/{encoded(self._author)}", query=query)
        return Numbers(followers=reading.number(self._rest.object(reply).get("firstDegreeSize")))

    def preview(self, message: Outgoing) -> Preview:
        """The text as people will read it, and its card. Pure."""
        carded = limits.carded(message)
        notes = []
        if message.link and not carded and message.role != "comment":
            notes.append(_("The link stands in the text: a card needs the field card_title."))
        if carded and message.media:
            notes.append(_("The picture is the card's; LinkedIn keeps no alt text for it."))
        return Preview(
            text=posting.shown_text(message),
            used=limits.used(message),
            most=limits.most(message),
            card=message.link if carded else None,
            notes=tuple(notes),
        )

    def login_asks(self) -> Sequence[Ask]:
        """Id and secret of the institution's app."""
        return login.asks()

    def login_begin(self, given: Values, *, redirect_uri: str) -> Visit | Values:
        """The page on which a person of the institution says yes."""
        return self._oauth.visit(given, redirect_uri)

    def login_finish(self, given: Values, visit: Visit, answer: Values) -> Values:
        """The login that the answer is good for. Raises ChannelError."""
        return self._oauth.finish(self._www, given, visit, answer)

    def logout(self, values: Values) -> None:
        """Let LinkedIn forget the login. Raises ChannelError."""
        self._oauth.revoke(self._www, values)

    def close(self) -> None:
        """Let go of connections."""
        self._rest.http.close()
        self._www.close()

    # --- who and where ----------------------------------------------------------------------------------------------

    def _token(self) -> str | None:
        return self._values().get("access_token")

    def _values(self) -> Values:
        """The login, renewed if it is about to end and may be."""
        if self._credentials is None:
            return {"access_token": self._secret() or ""}
        return self._credentials.fresh(lambda values: self._oauth.renew(self._www, values))

    def _role(self) -> Reply:
        """The page must be one that the login's person may publish on. Raises AuthFailed."""
        query = [("q", "roleAssignee"), ("state", "APPROVED")]
        path = "/rest/organizationAcls"
        roles: set[str] = set()
        for elements, _last, reply in self._rest.pages(path, query, size=ROLES_PER_PAGE, most=ROLE_PAGES):
            ours = [each for each in elements if isinstance(each, dict) and each.get("organization") == self._author]
            roles |= {str(each.get("role")) for each in ours}
            if roles & POSTERS:
                return reply
        reason = _("LinkedIn: the login's person may not publish on {author} (roles there: {roles}).")
        known = shown(", ".join(sorted(roles)), 80) or _("none")
        raise AuthFailed(reason.format(author=self._author, roles=known))

    def _member(self) -> Reply:
        """The login must be the configured member's. Raises AuthFailed."""
        reply = self._rest.http.call("GET", "/v2/userinfo")
        subject = self._rest.object(reply).get("sub")
        if not isinstance(subject, str):
            raise Retryable(_("{server} does not say whose token this is").format(server=self._rest.http.name))
        if f"urn:li:person:{subject}" != self._author:
            reason = _("LinkedIn: the token belongs to urn:li:person:{actual}, the channel is {configured}.")
            raise AuthFailed(reason.format(actual=shown(subject, 60), configured=self._author))
        return reply

    # --- sending and changing ---------------------------------------------------------------------------------------

    def _visibility(self, message: Outgoing) -> str:
        """The narrower of what the message and the channel say. Raises Rejected."""
        order = list(limits.VISIBILITIES)
        return posting.visibility(max(message.visibility, self._settings.visibility, key=order.index), self._author)

    def _receipt(self, reply: Reply, body: Json) -> Receipt:
        ident = reply.headers.get("x-restli-id", "")
        comment = "object" in body
        try:
            urn = comment_urn(body["object"], _number(ident)) if comment else post_urn(ident)
        except Rejected:
            urn = ""
        if not urn or reply.date is None:
            raise UnknownOutcome(_("LinkedIn answered without the name of the new post"))
        return Receipt(urn, permalink(urn), reply.date)

    def _listed(self, sought: Sought, since: datetime) -> Listing:
        if sought.role == "comment" and sought.parent is not None:
            return reading.comments(self._rest, self._author, post_urn(sought.parent), since)
        return reading.listing(self._rest, self._author, since)

    def _edited(self, remote_id: str, message: Outgoing) -> str:
        """The new text, beside what the post keeps. A login that may not read goes by the message alone."""
        try:
            reply = self._rest.call("GET", place(remote_id), query=[("viewContext", "AUTHOR")])
        except NotAllowed:
            return posting.commentary(message)
        post = self._rest.object(reply)
        return posting.corrected(message, reading.card_of(post), reading.alts_of(post))


def _number(ident: str) -> str:
    """A comment's own number, out of it or out of its whole name. Raises Rejected for what is neither."""
    number = ident.rpartition(",")[2].rstrip(")")
    if not number.isascii() or not number.isdigit() or len(number) > 25:
        raise Rejected(_("{id!r} is no name of a comment on LinkedIn.").format(id=shown(ident, 80)))
    return number
