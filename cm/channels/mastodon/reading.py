"""Statuses read back: which the account has, what they say in plain text, and whether that is what was sent.

A server gives a status as HTML. Mastodon writes an address as a link of which parts are hidden, so that
its whole text is the address as it was sent; other servers shorten it, but keep it in `href`. `@name@server`
is shown as `@name`. Therefore words are compared without schemes of addresses and without servers of mentions.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import quote

from cm.channels.http import Http, instant
from cm.channels.port import Listing, Retryable, Sighting, Sought
from cm.channels.text import answers_as_sought, same_words, with_link
from cm.i18n import _

PER_PAGE = 40
"""The most that one question for an account's statuses gives."""
PAGES = 25
"""Pages that are read at most; a listing that needs more is not complete."""
_REMOTE_MENTION = re.compile(r"(?<![\w/@])(@\w(?:[\w.-]*\w)?)@[\w.-]*\w")
_SCHEME = re.compile(r"\bhttps?://", re.IGNORECASE)
_TOKENS = re.compile(
    r"""<(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>|[^<]+|<""", re.IGNORECASE
)
_HREF = re.compile(r"""\shref\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_BLOCKS = frozenset({"p", "br", "div", "li", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})


def looks_like(sought: Sought, sighting: Sighting) -> bool:
    """Same words, link included, as many media, and the same status answered; pure. The body of a sending goes before
    what the message says by now."""
    sought = _as_sent(sought)
    return (
        same_words(_comparable(with_link(sought.text, sought.link)), _comparable(sighting.text))
        and sighting.media in (None, sought.media)
        and answers_as_sought(sought, sighting)
    )


def _as_sent(sought: Sought) -> Sought:
    body = sought.body
    if body is None:
        return sought
    media, parent = len(body.get("media_ids", ())), body.get("in_reply_to_id")
    text = body["status"] if body["status"].strip() else body.get("spoiler_text", "")  # as Mastodon itself does
    return replace(sought, text=text, link=None, media=media, parent=parent)


def _comparable(text: str) -> str:
    return _REMOTE_MENTION.sub(r"\1", _SCHEME.sub("", text))


def listing(http: Http, account_id: str, since: datetime) -> Listing:
    """The account's own statuses of `since` and later, boosts left out, whoever may see them.

    It is complete only if a page ended before `since` or was empty, and everything on it could be read.
    Raises ChannelError.
    """
    found: dict[str, Sighting] = {}
    readable, oldest = True, ""
    for _n in range(PAGES):
        page = _page(http, account_id, oldest)
        sightings = [_sighting(status) for status in page if not _boost(status)]
        readable &= all(sightings) and bool(not page or _id(page[-1]))
        found |= {sighting.remote_id: sighting for sighting in sightings if sighting and sighting.published_at >= since}
        ended = not page or _before(page[-1], since)
        if ended or not readable or _id(page[-1]) == oldest:
            return Listing(_in_order(found), complete=ended and readable)
        oldest = _id(page[-1])
    return Listing(_in_order(found), complete=False)


def _in_order(found: Mapping[str, Sighting]) -> tuple[Sighting, ...]:
    """The oldest first; what came the newest first stays in order where times are equal."""
    oldest_first = list(found.values())[::-1]
    return tuple(sorted(oldest_first, key=lambda sighting: sighting.published_at))


def _page(http: Http, account_id: str, before: str) -> list[Any]:
    """The newest statuses older than `before`, the newest first."""
    query = [("limit", str(PER_PAGE)), ("exclude_reblogs", "true")] + ([("max_id", before)] if before else [])
    path = f"/api/v1/accounts/{quote(account_id, safe='')}/statuses"
    page = http.call("GET", path, query=query).json
    if not isinstance(page, list):
        raise Retryable(_("{server} gave an answer of another shape").format(server=http.name))
    return page


def _id(status: object) -> str:
    return str(status.get("id") or "") if isinstance(status, dict) else ""


def _boost(status: object) -> bool:
    return isinstance(status, dict) and bool(status.get("reblog"))


def _before(status: object, since: datetime) -> bool:
    created_at = instant(status.get("created_at")) if isinstance(status, dict) else None
    return created_at is not None and created_at < since


def _sighting(status: object) -> Sighting | None:
    """None for what is no status."""
    if not isinstance(status, dict):
        return None
    created_at, content = instant(status.get("created_at")), status.get("content")
    if not _id(status) or created_at is None or not isinstance(content, str):
        return None
    parent, media = status.get("in_reply_to_id"), status.get("media_attachments")
    return Sighting(
        remote_id=_id(status),
        permalink=permalink(status),
        published_at=created_at,
        text=plain(content),
        parent=None if parent is None else str(parent),
        media=len(media) if isinstance(media, list) else None,
    )


def permalink(status: Mapping[str, Any]) -> str | None:
    """Where it can be seen, if the server tells an address that is one."""
    url = status.get("url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None


def plain(html: str) -> str:
    """What the HTML of a status says, a line for each of its lines, addresses in full.

    In time proportional to its length, which the standard parser does not promise for broken HTML.
    """
    said: list[str] = []
    link: tuple[str, int] | None = None
    for token in _TOKENS.finditer(html):
        tag, ends = (token["tag"] or "").lower(), bool(token["end"])
        if tag == "a" and not ends:
            link = (_href(token["attributes"]), len(said))
        elif tag == "a" and link is not None:
            (href, start), link = link, None
            said[start:] = [_told("".join(said[start:]), href)]
        elif tag in _BLOCKS:
            said.append("\n")
        elif not tag:
            said.append(unescape(token[0]).replace("\n", " "))
    lines = (" ".join(line.split()) for line in "".join(said).split("\n"))
    return "\n".join(line for line in lines if line)


def _href(attributes: str) -> str:
    given = _HREF.search(attributes)
    return unescape(given[1][1:-1]) if given else ""


def _told(shown: str, href: str) -> str:
    """A link as it was written: its address, unless it names a person or a tag or shows the address in full."""
    if not href.startswith(("https://", "http://")) or shown.lstrip()[:1] in ("@", "#"):
        return shown
    in_full = _SCHEME.match(shown) and "…" not in shown
    return shown if in_full or _SCHEME.sub("", shown) == _SCHEME.sub("", href) else href
