"""Posts read back: which the account has, what they say in full, and whether that is what was sent.

X replaces every address by one of its own (t.co), says in `entities.urls` what it stood for, adds one for media, and
escapes `&`, `<` and `>`. OpenAPI 2.167 (2026-08-07) renames fields (`tweet.fields` → `post.fields`,
`referenced_tweets` → `referenced_posts`) while the guides of 2026-08-22 keep the old names: the old ones are asked
for, the new ones where the old are refused, and both are understood. Own posts cost 0.001 $ each to read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cm.channels.http import Http, instant
from cm.channels.port import Listing, Retryable, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.channels.x.errors import ANY_REFUSAL, refusal
from cm.i18n import _

PER_PAGE = 100
PAGES = 32
"""Pages that are read at most: X keeps 3,200 posts of a timeline within reach."""
ID = re.compile(r"[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = 1288834974657
"""Milliseconds from 1970 to the zero of X's ids."""
_SCHEME = re.compile(r"\bhttps?://", re.IGNORECASE)
_SLASH = re.compile(r"/(?=\s|$)")
Fields = tuple[tuple[str, str], ...]
_OLD: Fields = (("tweet.fields", "attachments,created_at,entities,note_tweet,referenced_tweets"),)
_NEW: Fields = (("post.fields", "attachments,created_at,entities,note_post"), ("expansions", "referenced_posts"))


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, link included, as many media, and the same post answered; pure."""
    return (
        same_words(_comparable(with_link(sought.text, sought.link)), _comparable(sighting.text))
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def _comparable(text: str) -> str:
    """Without schemes and without slashes at the end of addresses: X adds both."""
    return _SLASH.sub("", _SCHEME.sub("", text))


def permalink(handle: str, remote_id: str) -> str:
    """Where a post can be seen."""
    return f"https://x.com/{handle}/status/{remote_id}"


def made_at(remote_id: str) -> datetime:
    """When a post was made: its id says so."""
    return _EPOCH + timedelta(milliseconds=(int(remote_id) >> 22) + _FIRST_MS)


def listing(http: Http, account_id: str, handle: str, since: datetime) -> Listing:
    """The account's own posts of `since` and later, reposts left out.

    Complete only if X says that there are no more and everything on the pages could be read. Raises ChannelError.
    """
    found: dict[str, Sighting] = {}
    readable, token, fields = True, "", _OLD
    for _n in range(PAGES):
        body, fields = _page(http, account_id, since, token, fields)
        posts = body.get("data", [])
        sightings = [_sighting(post, handle) for post in posts if not _repost(post)]
        readable &= all(sightings) and not body.get("errors")
        found |= {sighting.remote_id: sighting for sighting in sightings if sighting and sighting.published_at >= since}
        before, token = token, _next(body)
        if not token or token == before:
            return Listing(_in_order(found), complete=readable and not token)
    return Listing(_in_order(found), complete=False)


def _in_order(found: Mapping[str, Sighting]) -> tuple[Sighting, ...]:
    return tuple(sorted(found.values(), key=lambda sighting: (sighting.published_at, int(sighting.remote_id))))


def _page(http: Http, account_id: str, since: datetime, token: str, fields: Fields) -> tuple[Mapping[str, Any], Fields]:
    """One page, the newest first, and the names by which its fields were asked for."""
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = [("max_results", str(PER_PAGE)), ("start_time", start), ("exclude", "retweets")]
    query += [("pagination_token", token)] if token else []
    reply = http.call("GET", f"/2/users/{account_id}/tweets", query=[*query, *fields], accept=ANY_REFUSAL)
    if reply.status == 400 and fields is _OLD and "tweet.fields" in str(reply.json):
        return _page(http, account_id, since, token, _NEW)
    if reply.status >= 400:
        raise refusal(http, reply)
    if not isinstance(reply.json, dict) or not isinstance(reply.json.get("data", []), list):
        raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
    return reply.json, fields


def _next(body: Mapping[str, Any]) -> str:
    meta = body.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) else ""


def _referenced(post: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    several = post.get("referenced_tweets") or post.get("referenced_posts") or []
    return [each for each in several if isinstance(each, dict)] if isinstance(several, list) else []


def _repost(post: object) -> bool:
    return isinstance(post, dict) and any(each.get("type") in ("retweeted", "reposted") for each in _referenced(post))


def _sighting(post: object, handle: str) -> Sighting | None:
    """None for what is no post."""
    if not isinstance(post, dict):
        return None
    remote_id, text = post.get("id"), post.get("text")
    if not isinstance(remote_id, str) or not ID.fullmatch(remote_id) or not isinstance(text, str):
        return None
    answered = (each.get("id") for each in _referenced(post) if each.get("type") == "replied_to")
    parent = next((each for each in answered if isinstance(each, str)), None)
    return Sighting(
        remote_id=remote_id,
        permalink=permalink(handle, remote_id),
        published_at=instant(post.get("created_at")) or made_at(remote_id),
        text=plain(post),
        parent=parent,
        media=_media(post),
    )


def _media(post: Mapping[str, Any]) -> int | None:
    attachments = post.get("attachments", {})
    keys = attachments.get("media_keys", []) if isinstance(attachments, dict) else None
    return len(keys) if isinstance(keys, list) else None


def plain(post: Mapping[str, Any]) -> str:
    """What a post says, a long one whole: addresses in full, without those that stand for media."""
    note = post.get("note_tweet") or post.get("note_post")
    whole = note if isinstance(note, dict) and isinstance(note.get("text"), str) else post
    text = str(whole.get("text"))
    for short, full in _addresses([post, whole]):
        text = text.replace(short, full)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _addresses(parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """X's short address → what it stood for; empty for media, which are no part of the text."""
    found = {}
    for part in parts:
        entities = part.get("entities")
        several = entities.get("urls") if isinstance(entities, dict) else None
        for each in several if isinstance(several, list) else ():
            short, full = (each.get("url"), each.get("expanded_url")) if isinstance(each, dict) else (None, None)
            if isinstance(short, str) and short and isinstance(full, str):
                found[short] = "" if "media_key" in each else full.replace("&", "&amp;")
    return sorted(found.items(), key=lambda pair: -len(pair[0]))
