"""What stands on a Page: posts, reels (which the edges of posts do not give), and comments under a post.

Nothing can be asked by a key of ours. A post is known by its words, its card's address and its number of media; a
reel that was being published is asked for by its video's id, which is authoritative. Facebook wraps the address of
a card (`l.facebook.com/l.php?u=…`): the one inside counts.
"""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from cm.channels.facebook import posting
from cm.channels.facebook.uploads import refuse_failed
from cm.channels.meta import Graph, Missing, items, mapping, node, split
from cm.channels.port import (
    Absent,
    CannotTell,
    Found,
    Json,
    Listing,
    Rejected,
    Sighting,
    Sought,
)
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.i18n import _

ATTACHED = "attachments{media_type,url,unshimmed_url,target{id},subattachments{media_type,target{id}}}"
POST = f"id,message,created_time,permalink_url,{ATTACHED}"
REEL = "id,description,created_time,permalink_url"
COMMENT = "id,message,from{id},created_time,permalink_url,attachment{media_type}"
REACHABLE = 600
"""Posts of a year that Facebook gives at most; where there are as many, some may be missing."""


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, card included, as many media, and the same post answered; pure."""
    return (
        same_words(with_link(sought.text, sought.link), sighting.text)
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def find(graph: Graph, page: str, sought: Sought, since: datetime) -> Found | Absent | CannotTell:
    """By the video's id where it was a reel, else among the Page's posts or the comments there. Raises ChannelError."""
    given = mapping(sought.body)
    if given.get("call") == "reel":
        return _reel(graph, given)
    if sought.parent is not None:
        listed = comments(graph, page, sought.parent, since)
    elif sought.role == "comment":
        return CannotTell(_("Nobody knows any more under which post this comment stands."))
    else:
        listed = listing(graph, page, since)
    alike = tuple(sighting for sighting in listed.sightings if looks_like(sought, sighting))
    if alike:
        return Found(alike)
    return Absent() if listed.complete else CannotTell(_("The listing does not reach back far enough."))


def listing(graph: Graph, page: str, since: datetime) -> Listing:
    """Posts and reels of `since` and later, the oldest first. Raises ChannelError."""
    asked = {"since": str(int(since.timestamp()))}
    posts, all_posts = graph.listed(f"{page}/published_posts", POST, **asked)
    reels, all_reels = graph.listed(f"{page}/video_reels", REEL, **asked)
    seen = [_post(each) for each in posts] + [_film(each) for each in reels]
    return _in_order(seen, since, complete=all_posts and all_reels and len(posts) < REACHABLE)


def comments(graph: Graph, page: str, post: str, since: datetime) -> Listing:
    """The Page's own comments under a post. Raises ChannelError."""
    asked = {"filter": "stream", "order": "reverse_chronological", "since": str(int(since.timestamp()))}
    try:
        told, ended = graph.listed(f"{node(post)}/comments", COMMENT, **asked)
    except Missing:
        return Listing((), complete=False)
    ours = [each for each in told if mapping(each.get("from")).get("id") in (page, None)]
    return _in_order([_comment(each, post) for each in ours], since, complete=ended)


def _reel(graph: Graph, given: Json) -> Found | Absent | CannotTell:
    """A reel whose publishing never began was never finished, and may be again: the video stays the same."""
    video = node(str(given["params"]["video_id"]))
    try:
        told = graph.get(video, f"{REEL},status")
        status = mapping(told.get("status"))
        refuse_failed(status)
    except Missing:
        return CannotTell(_("The film is not there any more."))
    except Rejected as error:
        return CannotTell(error.reason)
    phase = mapping(status.get("publishing_phase"))
    if phase.get("status") == "complete" or phase.get("publish_status") == "published":
        sighting = None if posting.older(told, given) else _film(told)
        return Found((sighting,), certain=True) if sighting else CannotTell(_("Facebook shows an older reel for it."))
    if phase.get("status") == "not_started" and mapping(status.get("processing_phase")).get("status") != "in_progress":
        return Absent(authoritative=True)
    return CannotTell(_("The film is still being worked on."))


# --- sightings ------------------------------------------------------------------------------------------------------


def _in_order(seen: list[Sighting | None], since: datetime, *, complete: bool) -> Listing:
    """The oldest first; what came the newest first stays in order where times are equal."""
    found = {each.remote_id: each for each in seen[::-1] if each and each.published_at >= since}
    ordered = tuple(sorted(found.values(), key=lambda sighting: sighting.published_at))
    return Listing(ordered, complete=complete and all(seen))


def _sighting(told: Json, text: object, *, media: int, parent: str | None = None) -> Sighting | None:
    """None for what has no id or no time."""
    remote_id, created = told.get("id"), posting.moment(told)
    if not isinstance(remote_id, str) or not remote_id or created is None:
        return None
    said = text if isinstance(text, str) else ""
    return Sighting(remote_id, posting.permalink(told), created, said, parent, media)


def _post(told: Json) -> Sighting | None:
    message = told.get("message")
    attached = items(mapping(told.get("attachments")).get("data"))
    said = with_link(message if isinstance(message, str) else "", card(attached))
    return _sighting(told, said, media=sum(_count(each) for each in attached))


def _film(told: Json) -> Sighting | None:
    return _sighting(told, told.get("description"), media=1)


def _comment(told: Json, post: str) -> Sighting | None:
    return _sighting(told, told.get("message"), media=_count(mapping(told.get("attachment"))), parent=post)


def _count(attached: Json) -> int:
    inner = items(mapping(attached.get("subattachments")).get("data"))
    return sum(_count(each) for each in inner) or int(attached.get("media_type") in ("photo", "video"))


def card(attached: list[Any]) -> str | None:
    """The address of a post's link card."""
    for each in attached:
        if each.get("media_type") == "link":
            url = each.get("unshimmed_url") or each.get("url")
            return _unwrapped(url) if isinstance(url, str) else None
    return None


def _unwrapped(url: str) -> str:
    parts = split(url)
    inside = parse_qs(parts.query).get("u") if parts.path == "/l.php" else None
    return inside[0] if inside else url
