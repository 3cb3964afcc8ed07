"""Calls of LinkedIn's versioned interface: its headers, its errors, its pages and its names."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote

from cm.channels.http import Http, Mode, Reply
from cm.channels.linkedin import errors
from cm.channels.port import Json, Rejected, Retryable
from cm.i18n import _

API = "https://api.linkedin.com"
PAGE = "urn:li:organization:"
"""How the name of a page begins; every other author is a member."""
Method = Literal["FINDER", "PARTIAL_UPDATE", "DELETE"]
_POST = re.compile(r"urn:li:(?:share|ugcPost|activity):[0-9]{1,25}")
_COMMENT = re.compile(rf"urn:li:comment:\(({_POST.pattern}),([0-9]{{1,25}})\)")


class Rest:
    """One login on `https://api.linkedin.com/rest`, in one version."""

    def __init__(self, http: Http, version: str) -> None:
        self.http = http
        self.version = version

    def call(
        self,
        method: str,
        path: str,
        *,
        mode: Mode = "reading",
        query: Sequence[tuple[str, str]] = (),
        json: Json | None = None,
        restli: Method | None = None,
        accept: Collection[int] = (),
    ) -> Reply:
        """One request; statuses of `accept` are given back. `restli`: what Rest.li calls the method where the HTTP
        method does not say it. Raises ChannelError."""
        headers = {"LinkedIn-Version": self.version, "X-Restli-Protocol-Version": "2.0.0"}
        if restli:
            headers["X-RestLi-Method"] = restli
        every = range(400, 500)
        reply = self.http.call(method, path, mode=mode, query=query, json=json, headers=headers, accept=every)
        if reply.status >= 400 and reply.status not in accept:
            raise errors.refused(self.http, reply, mode, self.version)
        return reply

    def object(self, reply: Reply) -> Json:
        """The answer's body. Raises Retryable if it is no object."""
        if not isinstance(reply.json, dict):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self.http.name))
        return reply.json

    def pages(
        self, path: str, query: Sequence[tuple[str, str]], *, size: int, most: int, empty: Collection[int] = ()
    ) -> Iterator[tuple[list[Any], bool, Reply]]:
        """The elements page by page, whether that page is the last, and the answer; at most so many pages. Statuses of
        `empty` are a last page without elements. Raises ChannelError."""
        for n in range(most):
            window = [("start", str(n * size)), ("count", str(size))]
            reply = self.call("GET", path, query=[*query, *window], restli="FINDER" if query else None, accept=empty)
            if reply.status >= 400:
                yield [], True, reply
                return
            body = self.object(reply)
            elements = body.get("elements")
            if not isinstance(elements, list):
                raise Retryable(_("{server} gave an answer of another shape").format(server=self.http.name))
            last = not _continues(body)
            yield elements, last, reply
            if last:
                return


def _continues(body: Json) -> bool:
    """A page may hold fewer elements than asked for: only the link to the next one tells."""
    paging = body.get("paging")
    links = paging.get("links") if isinstance(paging, dict) else None
    return any(isinstance(link, dict) and link.get("rel") == "next" for link in links or [])


def encoded(urn: str) -> str:
    """A name as a path takes it: percent-encoded whole."""
    return quote(urn, safe="", errors="replace")


def comment_urn(post: str, number: str) -> str:
    """Our name of a comment: LinkedIn's own names another post (`activity`) than the one that was commented on."""
    return f"urn:li:comment:({post},{number})"


def place(remote_id: str) -> str:
    """The path of a post or a comment. A bare number is taken as a post's. Raises Rejected for what is neither."""
    if found := _COMMENT.fullmatch(remote_id):
        return f"/rest/socialActions/{encoded(found[1])}/comments/{found[2]}"
    return f"/rest/posts/{encoded(post_urn(remote_id))}"


def post_urn(remote_id: str) -> str:
    """The post's name. Raises Rejected for what is none."""
    urn = f"urn:li:share:{remote_id}" if re.fullmatch(r"[0-9]{1,25}", remote_id) else remote_id
    if not _POST.fullmatch(urn):
        raise Rejected(_("{id!r} is no name of a post on LinkedIn.").format(id=remote_id[:80]))
    return urn


def is_comment(remote_id: str) -> bool:
    """True for the name of a comment."""
    return _COMMENT.fullmatch(remote_id) is not None


def permalink(remote_id: str) -> str:
    """Where people see it; a comment under its post."""
    found = _COMMENT.fullmatch(remote_id)
    return f"https://www.linkedin.com/feed/update/{found[1] if found else remote_id}/"
