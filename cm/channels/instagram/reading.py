"""What stands on an account: posts, and its own comments under one of them.

A container whose status is FINISHED was surely not published, one that EXPIRED neither; of one that is PUBLISHED
nobody tells which post it became, so that this one is sought in the listing by its caption and number of media.
"""

from datetime import datetime

from cm.channels.http import instant
from cm.channels.instagram.posting import permalink
from cm.channels.instagram.uploads import status
from cm.channels.meta import Graph, Missing, items, mapping, node
from cm.channels.port import Absent, CannotTell, Found, Json, Listing, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.i18n import _

POST = "id,caption,timestamp,permalink,media_type,children{id}"
COMMENT = "id,text,timestamp,username"
NEVER = frozenset({"FINISHED", "EXPIRED"})


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, as many media, and the same post answered; pure."""
    return (
        same_words(with_link(sought.text, sought.link), sighting.text)
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def find(graph: Graph, user: str, handle: str, sought: Sought, since: datetime) -> Found | Absent | CannotTell:
    """By its container's status, then in the listing. Raises ChannelError."""
    given = mapping(sought.body)
    code = _status_of(graph, given) if given.get("call") == "publish" else None
    if code in NEVER:
        return Absent(authoritative=True)
    if sought.parent is None and sought.role == "comment":
        return CannotTell(_("Nobody knows any more under which post this comment stands."))
    listed = listing(graph, user, since) if sought.parent is None else comments(graph, handle, sought.parent, since)
    alike = tuple(sighting for sighting in listed.sightings if looks_like(sought, sighting))
    if alike:
        return Found(alike)
    if code == "PUBLISHED":
        return CannotTell(_("It was published, but the account does not list it (any more)."))
    if code is not None:
        return CannotTell(_("Instagram is still working on it, or does not know it any more."))
    return Absent() if listed.complete else CannotTell(_("The listing does not reach back far enough."))


def listing(graph: Graph, user: str, since: datetime) -> Listing:
    """The account's posts of `since` and later, the oldest first. Raises ChannelError."""
    told, ended = graph.listed(f"{user}/media", POST, since=str(int(since.timestamp())))
    return _in_order([_post(each) for each in told], since, complete=ended)


def comments(graph: Graph, handle: str, post: str, since: datetime) -> Listing:
    """The account's own comments under a post; `handle` in lower case. Raises ChannelError."""
    try:
        told, ended = graph.listed(f"{node(post)}/comments", COMMENT)
    except Missing:
        return Listing((), complete=False)
    ours = [each for each in told if str(each.get("username") or handle).casefold() == handle]
    return _in_order([_sighting(each, each.get("text"), 0, post) for each in ours], since, complete=ended)


def _status_of(graph: Graph, given: Json) -> str:
    try:
        return status(graph, str(given["params"]["creation_id"]))[0]
    except Missing:
        return ""


def _in_order(seen: list[Sighting | None], since: datetime, *, complete: bool) -> Listing:
    found = {each.remote_id: each for each in seen[::-1] if each and each.published_at >= since}
    ordered = tuple(sorted(found.values(), key=lambda sighting: sighting.published_at))
    return Listing(ordered, complete=complete and all(seen))


def _post(told: Json) -> Sighting | None:
    children = items(mapping(told.get("children")).get("data"))
    return _sighting(told, told.get("caption"), len(children) or 1, None)


def _sighting(told: Json, text: object, media: int, parent: str | None) -> Sighting | None:
    """None for what has no id or no time."""
    remote_id, made = told.get("id"), instant(told.get("timestamp"))
    if not isinstance(remote_id, str) or not remote_id or made is None:
        return None
    return Sighting(remote_id, permalink(told), made, text if isinstance(text, str) else "", parent, media)
