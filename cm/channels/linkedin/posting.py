"""The bodies of posts and comments. Pure.

Every post is public at once: LinkedIn takes neither drafts nor times. It reads no page that a post links to; a card
is what the post brings along (`card_title`, `card_description`, one picture).
"""

from collections.abc import Sequence

from cm.channels.linkedin import limits, little
from cm.channels.linkedin.rest import PAGE, encoded, post_urn
from cm.channels.port import Json, Outgoing, Prepared, Rejected
from cm.channels.text import with_link
from cm.i18n import _


def visibility(wanted: str, author: str) -> str:
    """LinkedIn's word for it. Raises Rejected where there is none, or for a page that would be less than public."""
    told = limits.VISIBILITIES.get(wanted)
    if told is None or (told != "PUBLIC" and author.startswith(PAGE)):
        reason = _("LinkedIn knows no visibility {wanted!r} for this account: posts of a page are public.")
        raise Rejected(reason.format(wanted=wanted), field="visibility")
    return told


def commentary(message: Outgoing) -> str:
    """The text in LinkedIn's own notation."""
    return little.escape(little.linkable(limits.written(message)))


def shown_text(message: Outgoing) -> str:
    """The text as people will read it."""
    return little.visible(little.linkable(limits.written(message)))


def corrected(message: Outgoing, card: str | None, alts: Sequence[str | None]) -> str:
    """The new commentary of a post with that card and these alt texts, neither of which can be changed.

    Raises Rejected if the message wants them otherwise.
    """
    if card is not None and message.link != card:
        raise Rejected(_("LinkedIn cannot change the address that a card leads to."), field="link")
    wanted = [media.alt for media in message.media]
    if any(told is not None and told != alt for told, alt in zip(alts, wanted, strict=False)):
        raise Rejected(_("LinkedIn cannot change the alt text of a picture that stands there."), field="media")
    text = message.text if card is not None else with_link(message.text, message.link)
    return little.escape(little.linkable(text))


def comment_text(message: Outgoing) -> str:
    """The text of a comment, which is plain."""
    return little.visible(with_link(message.text, message.link))


def post(author: str, shown_to: str, message: Outgoing, urns: Sequence[str]) -> Prepared:
    """A post with the media that lie there under these names, in order."""
    body: Json = {
        "author": author,
        "commentary": commentary(message),
        "visibility": shown_to,
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if content := _content(message, urns):
        body["content"] = content
    return Prepared({"path": "/rest/posts", "json": body})


def comment(author: str, parent: str, message: Outgoing) -> Prepared:
    """A comment under a post. Raises Rejected if `parent` is no post."""
    urn = post_urn(parent)
    body: Json = {"actor": author, "object": urn, "message": {"text": comment_text(message)}}
    return Prepared({"path": f"/rest/socialActions/{encoded(urn)}/comments", "json": body})


def _content(message: Outgoing, urns: Sequence[str]) -> Json:
    """What stands under the text; empty if nothing does."""
    if limits.carded(message):
        return {"article": _article(message, urns)}
    if len(urns) == 1:
        return {"media": _single(message, urns[0])}
    if urns:
        pairs = zip(urns, message.media, strict=True)
        return {"multiImage": {"images": [_named({"id": urn, "altText": media.alt}) for urn, media in pairs]}}
    return {}


def _article(message: Outgoing, urns: Sequence[str]) -> Json:
    description = message.fields.get("card_description", "").strip()
    title = message.fields.get("card_title", "").strip()
    thumbnail = urns[0] if urns else ""
    return _named({"source": message.link, "title": title, "description": description, "thumbnail": thumbnail})


def _single(message: Outgoing, urn: str) -> Json:
    media = message.media[0]
    if media.mime == limits.VIDEO:
        return _named({"id": urn, "title": message.fields.get("title", "").strip()})
    return _named({"id": urn, "altText": media.alt})


def _named(body: Json) -> Json:
    """What says something."""
    return {name: value for name, value in body.items() if value}
