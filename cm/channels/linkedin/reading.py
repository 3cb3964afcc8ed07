"""Posts and comments read back, and whether they are what was sent.

A page's own posts can be listed by who may read them (`r_organization_social`); a member's cannot (LinkedIn gives
`r_member_social` to nobody new). What LinkedIn could not publish after all, or keeps as a draft, is not counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cm.channels.linkedin import little
from cm.channels.linkedin.rest import Rest, comment_urn, encoded, permalink
from cm.channels.port import Listing, Numbers, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link

PER_PAGE = 50
PAGES = 20
"""Pages that are read at most; a listing that needs more is not complete."""
SHOWN = frozenset({"PUBLISHED", "PUBLISH_REQUESTED"})
"""States of a post that people see, or are about to."""


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, link included, as many media, under the same post; pure."""
    wanted = little.linkable(little.visible(with_link(sought.text, sought.link)))
    return (
        same_words(wanted, little.linkable(sighting.text))
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def listing(rest: Rest, author: str, since: datetime) -> Listing:
    """The author's posts of `since` and later. Raises ChannelError; NotAllowed without the right to read them."""
    query = [("q", "author"), ("author", author), ("sortBy", "CREATED")]
    found: list[Sighting] = []
    for elements, last, _reply in rest.pages("/rest/posts", query, size=PER_PAGE, most=PAGES):
        found += [seen for each in elements if (seen := _sighting(each, author)) and seen.published_at >= since]
        if not all(_created(each) for each in elements):
            break
        if last or any(_before(each, since) for each in elements[-1:]):
            return Listing(_in_order(found), complete=True)
    return Listing(_in_order(found), complete=False)


def comments(rest: Rest, author: str, post: str, since: datetime) -> Listing:
    """What the author wrote under a post; a post without comments answers 404. Raises ChannelError."""
    path = f"/rest/socialActions/{encoded(post)}/comments"
    found: list[Sighting] = []
    for elements, last, _reply in rest.pages(path, (), size=PER_PAGE, most=PAGES, empty={404}):
        found += [seen for each in elements if (seen := _comment(each, author, post)) and seen.published_at >= since]
        if last:
            return Listing(_in_order(found), complete=True)
    return Listing(_in_order(found), complete=False)


def figures(rest: Rest, post: str) -> Numbers | None:
    """Reactions of all sorts and comments; None for a post that is not there. Raises ChannelError."""
    reply = rest.call("GET", f"/rest/socialMetadata/{encoded(post)}", accept={404})
    if reply.status == 404:
        return None
    told = rest.object(reply)
    kinds = _mapping(told.get("reactionSummaries")).values()
    counts = [number(_mapping(kind).get("count")) or 0 for kind in kinds]
    return Numbers(reactions=sum(counts), comments=number(_mapping(told.get("commentSummary")).get("count")))


def number(value: object) -> int | None:
    """A count; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def card_of(post: Mapping[str, Any]) -> str | None:
    """The address that a post's card leads to; None without a card."""
    article = _mapping(_mapping(post.get("content")).get("article"))
    source = article.get("source")
    return source if isinstance(source, str) else None


def alts_of(post: Mapping[str, Any]) -> list[str | None]:
    """The alt texts of a post's pictures, None where LinkedIn does not tell one."""
    content = _mapping(post.get("content"))
    told = [each.get("altText") for each in _images(content)]
    return [alt if isinstance(alt, str) else None for alt in told]


def _sighting(element: object, author: str) -> Sighting | None:
    """None for what is no post of the author that people see."""
    post = _mapping(element)
    urn, written, created = post.get("id"), post.get("commentary"), _created(element)
    shown = post.get("lifecycleState", "PUBLISHED") in SHOWN
    if not isinstance(urn, str) or not urn or created is None or not shown or post.get("author") != author:
        return None
    text = little.read(written) if isinstance(written, str) else ""
    return Sighting(
        remote_id=urn,
        permalink=permalink(urn),
        published_at=_instant(post.get("publishedAt")) or created,
        text=with_link(text, card_of(post)),
        media=_count(_mapping(post.get("content"))),
    )


def _comment(element: object, author: str, post: str) -> Sighting | None:
    told = _mapping(element)
    number, text = told.get("id"), _mapping(told.get("message")).get("text")
    at = _instant(_mapping(told.get("created")).get("time"))
    if told.get("actor") != author or not isinstance(number, str) or not isinstance(text, str) or at is None:
        return None
    urn = comment_urn(post, number)
    return Sighting(urn, permalink(urn), at, text, parent=post, media=0)


def _count(content: Mapping[str, Any]) -> int | None:
    """How many media; None for a sort of content that this knows nothing of (a poll, a document of another app)."""
    if article := _mapping(content.get("article")):
        return 1 if article.get("thumbnail") else 0
    if images := _images(content):
        return len(images)
    return None if content else 0


def _images(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if media := _mapping(content.get("media")):
        return [media]
    several = _mapping(content.get("multiImage")).get("images")
    return [each for each in several if isinstance(each, dict)] if isinstance(several, list) else []


def _in_order(found: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """The oldest first; what came the newest first stays in order where times are equal."""
    once = {sighting.remote_id: sighting for sighting in found}
    oldest_first = list(once.values())[::-1]
    return tuple(sorted(oldest_first, key=lambda sighting: sighting.published_at))


def _created(element: object) -> datetime | None:
    return _instant(_mapping(element).get("createdAt"))


def _before(element: object, since: datetime) -> bool:
    created = _created(element)
    return created is not None and created < since


def _instant(value: object) -> datetime | None:
    """Milliseconds since 1970 as aware UTC."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
