"""Posts read back, whether they are what was sent, and whether something surely never arrived.

A topic is found by our own key (`external_id`), which tells nothing of what is not found: Discourse's sources
(2026-11-22) hide a deleted topic there, and drop the key of one that waits for approval. So an absence counts as sure
only where staff can see it: nothing alike listed, nothing alike in the review queue whatever became of it, nothing of
ours deleted since. Replies have no such key.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from cm.channels.discourse import posting
from cm.channels.discourse.rest import Rest
from cm.channels.http import instant
from cm.channels.port import Listing, Retryable, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.i18n import _

PAGES = 10
"""Pages of 50 posts of the whole forum that are read at most: a key may ask 60 times a minute."""
QUEUE_PAGES, QUEUE_PAGE = 5, 10
NEWEST = 60
"""How many of the account's newest posts are looked at for deleted ones."""
FIRST_IDS = 51
"""A page that begins before this post's number reaches to the forum's first one."""
REGULAR = 1
"""A post that somebody wrote; others are notes of what was done."""
Queue = Literal["none", "waiting", "decided", "unknown"]
_TOPIC = re.compile(r"/t/(?:[^/?#]+/)?([0-9]{1,12})(?:[/.?#]|$)")


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, link included, as many pictures, the same post answered; pure.

    What opens a topic may have its first line as title, which Discourse makes prettier: signs do not count there.
    """
    shown = sighting.media in (None, sought.media) and answers_as_sought(sought, sighting)
    return shown and _says(sought, *_titled(sighting))


def _says(sought: Sought, title: str, text: str) -> bool:
    wanted = with_link(sought.text, sought.link)
    if same_words(wanted, text):
        return True
    first, _sep, rest = wanted.strip().partition("\n")
    return bool(title and rest.strip()) and same_title(first, title) and same_words(rest, text)


def _titled(sighting: Sighting) -> tuple[str, str]:
    """Title (empty for a reply) and text."""
    if sighting.parent is not None:
        return "", sighting.text
    title, _sep, text = sighting.text.partition("\n")
    return title, text


def same_title(one: str, other: str) -> bool:
    """True if two titles differ at most in what Discourse makes prettier: case and signs."""
    return _bare(one) == _bare(other)


def _bare(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def listing(rest: Rest, username: str, since: datetime) -> Listing:
    """The account's posts of `since` and later, out of the forum's newest. Raises ChannelError."""
    found: dict[str, Sighting] = {}
    before = 0
    for _n in range(PAGES):
        page = _page(rest, before)
        seen = [sighting for post in page if (sighting := sighting_of(rest, post, username))]
        found |= {each.remote_id: each for each in seen if each.published_at >= since}
        ids = [post["id"] for post in page if isinstance(post.get("id"), int)]
        if not page or len(ids) < len(page):
            return Listing(_in_order(found), complete=not page and 0 < before <= FIRST_IDS)
        created = instant(page[-1].get("created_at"))
        if created is not None and created < since:
            return Listing(_in_order(found), complete=True)
        if before and min(ids) >= before:
            break
        before = min(ids)
    return Listing(_in_order(found), complete=False)


def by_key(rest: Rest, key: str, username: str) -> Sighting | None:
    """The topic that was made with our key; None if none is seen. Raises ChannelError."""
    path = f"/t/external_id/{quote(key, safe='')}.json"
    reply = rest.call("GET", path, accept={301, 302, 404})
    if reply.status == 404:
        return None
    found = _TOPIC.search(reply.headers.get("location", ""))
    number = int(found[1]) if found else _topic_number(reply.json)
    if number is None:
        raise Retryable(_("{server} gave an answer of another shape").format(server=rest.http.name))
    post = by_number(rest, number, 1)
    return sighting_of(rest, post, username) if post else None


def by_number(rest: Rest, topic: int, number: int) -> Mapping[str, Any] | None:
    """A post by its place; None if it is not there, or deleted. Raises ChannelError."""
    reply = rest.call("GET", f"/posts/by_number/{topic}/{number}.json", accept={404})
    if reply.status == 404:
        return None
    post = rest.object(reply)
    return None if post.get("deleted_at") else post


def queue(rest: Rest, sought: Sought, since: datetime) -> Queue:
    """What became of a post like it in the review queue, as far as this account may see it. Raises ChannelError."""
    fate: Queue = "none"
    wanted = [("type", "ReviewableQueuedPost"), ("status", "all"), ("from_date", f"{since - timedelta(days=1):%F}")]
    for n in range(QUEUE_PAGES):
        query = [*wanted, ("offset", str(n * QUEUE_PAGE))]
        reply = rest.call("GET", "/review.json", query=query, accept={400, 403, 404})
        entries = rest.object(reply).get("reviewables") if reply.status < 400 else None
        if not isinstance(entries, list):
            return "unknown"
        alike = [each for each in entries if isinstance(each, dict) and _queued(each, sought)]
        if any(each.get("status") == 0 for each in alike):
            return "waiting"
        fate = "decided" if alike else fate
        meta = rest.object(reply).get("meta")
        if not isinstance(meta, dict) or not meta.get("load_more_reviewables"):
            return fate
    return "unknown"


def deleted_since(rest: Rest, username: str, since: datetime) -> bool:
    """True if a post of the account of then or later was deleted, or that cannot be told. Raises ChannelError."""
    path = f"/posts/{quote(username, safe='')}/deleted.json"
    reply = rest.call("GET", path, query=[("offset", "0"), ("limit", str(NEWEST))], accept={400, 403, 404})
    if reply.status >= 400 or not isinstance(reply.json, list):
        return True
    made = [instant(each.get("created_at")) if isinstance(each, dict) else None for each in reply.json]
    return any(at is None or at >= since for at in made)


def sighting_of(rest: Rest, post: Mapping[str, Any], username: str) -> Sighting | None:
    """None for what is no post of the account that people see."""
    name, raw, created = posting.name(post), post.get("raw"), instant(post.get("created_at"))
    ours = str(post.get("username") or "").casefold() == username.casefold()
    if name is None or not isinstance(raw, str) or created is None or not ours:
        return None
    if post.get("post_type", REGULAR) != REGULAR or post.get("deleted_at"):
        return None
    topic, number = posting.place_of(name)
    text = posting.without_pictures(raw)
    return Sighting(
        remote_id=name,
        permalink=permalink(rest, post, name),
        published_at=created,
        text=text if number > 1 else f"{_title(post)}\n{text}",
        parent=None if number == 1 else f"{topic}/{post.get('reply_to_post_number') or 1}",
        media=len(posting.pictures(raw)),
    )


def permalink(rest: Rest, post: Mapping[str, Any], name: str) -> str:
    """Where people see it."""
    told = post.get("post_url")
    path = told if isinstance(told, str) and told.startswith("/t/") else f"/t/-/{name}"
    return f"{rest.http.base_url}{path}"


def _title(post: Mapping[str, Any]) -> str:
    title = post.get("topic_title") or post.get("title")
    return " ".join(title.split()) if isinstance(title, str) else ""


def _topic_number(answer: object) -> int | None:
    number = answer.get("id") if isinstance(answer, dict) else None
    return number if isinstance(number, int) else None


def _page(rest: Rest, before: int) -> Sequence[Mapping[str, Any]]:
    """The forum's newest posts before that id, the newest first; 0: the newest of all."""
    query = [("before", str(before))] if before else []
    page = rest.object(rest.call("GET", "/posts.json", query=query)).get("latest_posts")
    if not isinstance(page, list) or not all(isinstance(post, dict) for post in page):
        raise Retryable(_("{server} gave an answer of another shape").format(server=rest.http.name))
    return page


def _queued(entry: Mapping[str, Any], sought: Sought) -> bool:
    payload = entry.get("payload")
    told: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    raw, title = told.get("raw"), told.get("title")
    if not isinstance(raw, str) or len(posting.pictures(raw)) != sought.media:
        return False
    return _says(sought, title if isinstance(title, str) else "", posting.without_pictures(raw))


def _in_order(found: Mapping[str, Sighting]) -> tuple[Sighting, ...]:
    """The oldest first; what came the newest first stays in order where times are equal."""
    oldest_first = list(found.values())[::-1]
    return tuple(sorted(oldest_first, key=lambda sighting: sighting.published_at))
