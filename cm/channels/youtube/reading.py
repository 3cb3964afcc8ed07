"""What stands on a channel: its films, and its own comments below one.

Films come from the channel's playlist of uploads (one unit a page), which shows private ones to their owner: those are
not published and left out. Sources contradict on `publishedAt` of a film: the discovery document says when it was
uploaded, the older guide when it was made public; the playlist's `videoPublishedAt` is "published to YouTube". In
which order a film stands that was made public late is not said either, so that a listing ends only behind a page on
which everything is older, by both times.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from cm.channels.http import instant
from cm.channels.port import Absent, CannotTell, Found, Json, Listing, Rejected, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, shown, with_link
from cm.channels.youtube.rest import Rest, mapping, text
from cm.i18n import _

PER_PAGE, PAGES = 50, 40
COMMENTS_PER_PAGE, COMMENT_PAGES = 100, 10
VIDEO = re.compile(r"[A-Za-z0-9_-]{1,20}")
COMMENT = re.compile(r"Ug[A-Za-z0-9_.-]{18,100}")
"""A film's id has eleven signs, a comment's over twenty."""


def is_comment(remote_id: str) -> bool:
    """True for a comment's id. Raises Rejected for what is no id at all."""
    if COMMENT.fullmatch(remote_id):
        return True
    if not VIDEO.fullmatch(remote_id):
        raise Rejected(_("{id!r} is no id of a film or comment.").format(id=shown(remote_id, 60)))
    return False


def permalink(video: str, comment: str | None = None) -> str:
    """Where a film, or a comment below it, can be seen."""
    return f"https://www.youtube.com/watch?v={video}{f'&lc={comment}' if comment else ''}"


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same description or comment, link included, as many films, the same film answered; pure."""
    return (
        same_words(with_link(sought.text, sought.link), sighting.text)
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def find(rest: Rest, playlist: str, sought: Sought, since: datetime) -> Found | Absent | CannotTell:
    """A film that was being published by its id, a comment below its film, all else in the listing."""
    video = mapping((sought.body or {}).get("video"))
    if video:
        return _film(rest, text(video, "id"))
    if sought.parent is not None:
        listed = comments(rest, sought.parent, since)
    elif sought.role == "comment":
        return CannotTell(_("Nobody knows any more under which film this comment stands."))
    else:
        listed = listing(rest, playlist, since)
    alike = tuple(sighting for sighting in listed.sightings if looks_like(sought, sighting))
    if alike:
        return Found(alike)
    return Absent() if listed.complete else CannotTell(_("The listing does not reach back far enough."))


def _film(rest: Rest, video: str) -> Found | Absent | CannotTell:
    """Still private: it was surely not made public. Gone: it was, or was not, and a person took it away."""
    film, _reply = rest.one("videos", [("part", "snippet,status"), ("id", video)])
    if film is None:
        return CannotTell(_("The film is not on YouTube any more."))
    privacy, snippet = text(mapping(film.get("status")), "privacyStatus"), mapping(film.get("snippet"))
    if privacy == "private":
        return Absent(authoritative=True)
    published_at = instant(snippet.get("publishedAt"))
    if published_at is None or privacy not in ("public", "unlisted"):
        return CannotTell(_("YouTube does not say whether the film is public."))
    return Found(
        (Sighting(video, permalink(video), published_at, text(snippet, "description"), None, 1),), certain=True
    )


def listing(rest: Rest, playlist: str, since: datetime) -> Listing:
    """Films of `since` and later that are not private, the oldest first. Raises ChannelError."""
    query = [("part", "snippet,contentDetails,status"), ("playlistId", playlist), ("maxResults", str(PER_PAGE))]
    found: list[Sighting | None] = []
    further = ""
    for _n in range(PAGES):
        items, further, _reply = rest.page("playlistItems", [*query, *([("pageToken", further)] if further else [])])
        found += [_upload(item) for item in items if not _private(item)]
        if not further or (items and all(_older(item, since) for item in items)):
            return _in_order(found, since, complete=True)
    return _in_order(found, since, complete=False)


def comments(rest: Rest, video: str, since: datetime) -> Listing:
    """The channel's own comments below one of its films. Raises ChannelError."""
    if is_comment(video):
        raise Rejected(_("{id!r} is no id of a film.").format(id=shown(video, 60)), field="parent")
    query = [("part", "snippet"), ("videoId", video), ("order", "time"), ("textFormat", "plainText")]
    query += [("maxResults", str(COMMENTS_PER_PAGE))]
    found: list[Sighting | None] = []
    further = ""
    for _n in range(COMMENT_PAGES):
        items, further, _reply = rest.page("commentThreads", [*query, *([("pageToken", further)] if further else [])])
        seen = [(_comment(item, video), _ours(item)) for item in items]
        found += [sighting for sighting, ours in seen if ours or sighting is None]
        if not further or any(sighting and sighting.published_at < since for sighting, _ours_too in seen):
            return _in_order(found, since, complete=True)
    return _in_order(found, since, complete=False)


def _in_order(seen: Iterable[Sighting | None], since: datetime, *, complete: bool) -> Listing:
    """What came the newest first stays in order where times are equal; complete if all of it could be read."""
    told = list(seen)[::-1]
    found = {each.remote_id: each for each in told if each and each.published_at >= since}
    ordered = tuple(sorted(found.values(), key=lambda sighting: sighting.published_at))
    return Listing(ordered, complete=complete and all(told))


def _private(item: Json) -> bool:
    return text(mapping(item.get("status")), "privacyStatus") == "private"


def _times(item: Json) -> tuple[datetime | None, datetime | None]:
    """When it was made public, and when it came into the playlist."""
    details, snippet = mapping(item.get("contentDetails")), mapping(item.get("snippet"))
    return instant(details.get("videoPublishedAt")), instant(snippet.get("publishedAt"))


def _older(item: Json, since: datetime) -> bool:
    known = [time for time in _times(item) if time]
    return bool(known) and all(time < since for time in known)


def _upload(item: Json) -> Sighting | None:
    """None for what is no film."""
    video = text(mapping(item.get("contentDetails")), "videoId")
    published, added = _times(item)
    at = published or added
    if not VIDEO.fullmatch(video) or at is None:
        return None
    return Sighting(video, permalink(video), at, text(mapping(item.get("snippet")), "description"), None, 1)


def _top(item: Json) -> Json:
    return mapping(mapping(item.get("snippet")).get("topLevelComment"))


def commented_at(item: Json) -> datetime | None:
    """When the first comment of a thread was written."""
    return instant(mapping(_top(item).get("snippet")).get("publishedAt"))


def _ours(item: Json) -> bool:
    """True for a comment that the film's own channel has written."""
    snippet = mapping(_top(item).get("snippet"))
    author = text(mapping(snippet.get("authorChannelId")), "value")
    return bool(author) and author == text(mapping(item.get("snippet")), "channelId")


def _comment(item: Json, video: str) -> Sighting | None:
    """None for what is no comment."""
    ident, snippet = text(item, "id"), mapping(_top(item).get("snippet"))
    at = commented_at(item)
    if not COMMENT.fullmatch(ident) or at is None:
        return None
    said = text(snippet, "textOriginal") or text(snippet, "textDisplay")
    return Sighting(ident, permalink(video, ident), at, said, video, 0)
