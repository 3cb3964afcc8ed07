"""A pretend LinkedIn behind respx: as strict as the real one about versions, headers and fields, and as silent about
text that is cut. What it knows is that of the platform reference of 2026-11-21."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import respx

from cm.channels.contract import PICTURE
from cm.channels.linkedin.adapter import LinkedInAdapter
from cm.channels.port import Context, Credentials, Media, Outgoing
from cm.clock import SettableClock

API, WWW = "https://api.linkedin.com", "https://www.linkedin.com"
TOKEN = "AQVtoken-of-the-hospital"
PAGE = "urn:li:organization:2414183"
MEMBER = "urn:li:person:782bbtaQ"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
MESSAGE = Outgoing("Rejoignez nos soignants (H/F) 🩺 #emploi", "fr", NOW, link="https://hopital.example/emplois")
VERSIONS = frozenset({"202601", "202602", "202603", "202608", "202609"})
ARTICLE = frozenset({"source", "title", "description", "thumbnail"})
POST = frozenset(
    {
        "author",
        "commentary",
        "visibility",
        "distribution",
        "content",
        "lifecycleState",
        "isReshareDisabledByAuthor",
        "reshareContext",
    }
)


def context_for(
    token: str | None = TOKEN,
    author: str = PAGE,
    *,
    credentials: Credentials | None = None,
    account: str = "hopital-des-tilleuls",
    **settings: Any,
) -> Context:
    """The context of a channel there."""
    return Context(
        channel="linkedin",
        platform="linkedin",
        account=account,
        workspace=Path("/nowhere"),
        settings=LinkedInAdapter.Settings.model_validate({"author": author, **settings}),
        clock=SettableClock(NOW),
        secret=lambda: token,
        credentials=credentials,
    )


def media_at(path: Path, data: bytes = PICTURE, mime: str = "image/png", alt: str = "Une infirmière sourit.") -> Media:
    """A file, written there."""
    path.write_bytes(data)
    return Media(path, mime, hashlib.sha256(data).hexdigest(), alt)


def shown(commentary: str) -> str:
    """What the site shows of a `commentary`: it ends at the first reserved sign that is neither escaped nor part of a
    mention or a hashtag, as is reported of the real one. Written apart from the adapter's own parser."""
    out, at = "", 0
    while at < len(commentary):
        rest = commentary[at:]
        element = re.match(
            r"@\[((?:\\.|[^\\\]])+)\]\(urn:li:\w+:[\w-]+\)|\{hashtag\|(?:\\)?#\|((?:\\.|[^\\}])+)\}", rest
        )
        if rest[0] == "\\" and len(rest) > 1:
            out, at = out + rest[1], at + 2
        elif element:
            name = re.sub(r"\\(.)", r"\1", element[1] or element[2])
            out, at = out + (name if element[1] else f"#{name}"), at + element.end()
        elif rest[0] == "#" and re.match(r"#\w", rest):
            out, at = out + "#", at + 1
        elif rest[0] in "|{}@[]()<>#\\*_~":
            return out
        else:
            out, at = out + rest[0], at + 1
    return out


class LinkedInServer:
    """What stands there. `faults`: answers given instead, in order, by (method, path)."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.faults: dict[tuple[str, str], list[Any]] = {}
        self.requests: list[httpx.Request] = []
        self.roles = [{"organization": PAGE, "role": "ADMINISTRATOR", "state": "APPROVED"}]
        self.may_read = True
        self.loses: set[tuple[str, str]] = set()
        """Requests, by (method, path), that are done and whose answers never come."""
        self.processing = 0
        """How often a film is said to be still worked on."""
        self._count = 7243000000000000000

    def text(self, urn: str) -> str:
        """What people read of a post or comment."""
        if urn in self.comments:
            return str(self.comments[urn]["message"]["text"])
        return shown(self.posts[urn]["commentary"])

    def alts(self, urn: str) -> list[str]:
        """The alt texts of a post's pictures."""
        content = self.posts[urn].get("content", {})
        images = content.get("multiImage", {}).get("images") or ([content["media"]] if "media" in content else [])
        return [image.get("altText", "") for image in images]

    def fail_next(self, method: str, path: str, *answers: Any) -> None:
        """Answer the next requests there so: a response, or an exception to raise."""
        self.faults.setdefault((method, path), []).extend(answers)

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """What arrived at a path (as it is sent, percent-encoded)."""
        return [each for each in self.requests if each.method == method and _path(each) == path]

    # --- answering --------------------------------------------------------------------------------------------------

    def www(self, request: httpx.Request) -> httpx.Response:
        """Uploads and logins."""
        self.requests.append(request)
        if fault := self._fault(request):
            return fault
        path = request.url.path
        if path.startswith("/dms-uploads/"):
            return self._stored(request, path)
        form = dict(httpx.QueryParams(request.read().decode()))
        if path == "/oauth/v2/introspectToken" and form.keys() == {"client_id", "client_secret", "token"}:
            told = {"active": True, "status": "active", "scope": "w_organization_social,r_organization_social"}
            return _json(200, {**told, "expires_at": 1800000000})
        return _error(404, "NOT_FOUND", path)

    def api(self, request: httpx.Request) -> httpx.Response:
        """The versioned interface."""
        self.requests.append(request)
        if fault := self._fault(request):
            return fault
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", serviceErrorCode=65600)
        path = _path(request)
        if path == "/v2/userinfo":
            return _json(200, {"sub": "782bbtaQ", "name": "Camille"})
        version = request.headers.get("LinkedIn-Version")
        if version is None:
            return _error(400, "VERSION_MISSING", "A version must be present. Please specify a version")
        if version not in VERSIONS:
            return _error(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        assert request.headers.get("X-Restli-Protocol-Version") == "2.0.0"
        answer = self._routed(request, path, request.headers.get("X-RestLi-Method", ""))
        if (request.method, path) in self.loses:
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    def _routed(self, request: httpx.Request, path: str, method: str) -> httpx.Response:
        query = dict(request.url.params)
        body = json.loads(request.read() or b"null")
        verb = f"{request.method} {method}".strip()
        if found := re.fullmatch(r"/rest/socialActions/([^/]+)/comments(?:/(\d+))?", path):
            return self._comments(verb, unquote(found[1]), found[2], query, body)
        if path == "/rest/posts":
            return self._create(body) if verb == "POST" else self._listed(verb, query)
        if found := re.fullmatch(r"/rest/posts/([^/]+)", path):
            return self._one(verb, unquote(found[1]), query, body)
        if found := re.fullmatch(r"/rest/(images|videos)(?:/([^/]+))?", path):
            return self._asset(verb, found[1], unquote(found[2] or ""), query, body)
        if found := re.fullmatch(r"/rest/socialMetadata/([^/]+)", path):
            return self._social(verb, unquote(found[1]))
        if path == f"/rest/networkSizes/{PAGE.replace(':', '%3A')}" and verb == "GET":
            assert query == {"edgeType": "COMPANY_FOLLOWED_BY_MEMBER"}
            return _json(200, {"firstDegreeSize": 1234})
        if path == "/rest/organizationAcls" and verb == "GET FINDER" and query.pop("q") == "roleAssignee":
            assert query.keys() <= {"state", "role", "start", "count"}, query
            return _json(200, {"elements": self.roles, "paging": {"start": 0, "count": 100, "links": []}})
        return _error(404, "RESOURCE_NOT_FOUND", f"No resource {path}")

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if unknown := body.keys() - POST:
            return _error(422, "", f"ERROR :: /{min(unknown)} :: unrecognized field found but not allowed")
        if wrong := self._wrong(body):
            return wrong
        for urn, post in self.posts.items():
            if {name: post.get(name) for name in POST} == {name: body.get(name) for name in POST}:
                return duplicate(urn)
        urn = self._new("share")
        at = int(NOW.timestamp() * 1000)
        self.posts[urn] = {"id": urn, **body, "createdAt": at, "publishedAt": at + 250}
        return httpx.Response(201, headers={**DATE, "x-restli-id": urn})

    def _wrong(self, body: Mapping[str, Any]) -> httpx.Response | None:
        if body["author"] != PAGE and body["author"] != MEMBER:
            return _error(403, "ACCESS_DENIED", "Not enough permissions to access: partialUpdate.posts.20260901")
        if len(shown(body["commentary"])) > 3000:
            return invalid("commentary", "FIELD_LENGTH_TOO_LONG", "commentary exceeds the maximum length")
        content = body.get("content", {})
        assert content.keys() <= {"article", "media", "multiImage"}, content
        assert content.get("article", {}).keys() <= ARTICLE, content
        assert body["lifecycleState"] == "PUBLISHED"
        images = content.get("multiImage", {}).get("images", [])
        assert not images or 2 <= len(images) <= 20
        named = [*(image["id"] for image in images), content.get("media", {}).get("id")]
        named.append(content.get("article", {}).get("thumbnail"))
        if any(urn and self.assets.get(urn, {}).get("status") != "AVAILABLE" for urn in named):
            return invalid("content", "INVALID_VALUE_FOR_FIELD", "media is not available")
        return None

    def _listed(self, verb: str, query: dict[str, str]) -> httpx.Response:
        assert verb == "GET FINDER", verb
        assert query.keys() == {"q", "author", "sortBy", "start", "count"}, query
        assert query["sortBy"] == "CREATED"
        if not self.may_read:
            return _error(403, "ACCESS_DENIED", "Not enough permissions to access: GET /posts", serviceErrorCode=100)
        whole = [post for post in self.posts.values() if post["author"] == query["author"]][::-1]
        return _page(whole, query)

    def _one(self, verb: str, urn: str, query: dict[str, str], body: Any) -> httpx.Response:
        if verb == "DELETE DELETE":
            self.posts.pop(urn, None)
            return httpx.Response(204, headers=DATE)
        if urn not in self.posts:
            return _error(404, "NOT_FOUND", "Could not find entity")
        if verb == "GET":
            assert query == {"viewContext": "AUTHOR"}
            allowed = self.may_read
            return _json(200, self.posts[urn]) if allowed else _error(403, "ACCESS_DENIED", "Not enough permissions")
        assert verb == "POST PARTIAL_UPDATE", verb
        assert body.keys() == {"patch"}
        assert body["patch"]["$set"].keys() == {"commentary"}
        self.posts[urn] |= body["patch"]["$set"]
        return httpx.Response(204, headers=DATE)

    def _comments(self, verb: str, post: str, number: str | None, query: dict[str, str], body: Any) -> httpx.Response:
        mine = {urn: comment for urn, comment in self.comments.items() if comment["object"] == post}
        if verb == "GET":
            if not mine:
                return _error(404, "NOT_FOUND", "No comments")
            return _page([{**each, "object": "urn:li:activity:72"} for each in mine.values()], query)
        if number is None:
            assert verb == "POST", verb
            assert body.keys() == {"actor", "object", "message"}
            if post not in self.posts:
                return _error(404, "NOT_FOUND", "Could not find entity")
            fresh = self._new("comment").rpartition(":")[2]
            at = {"actor": body["actor"], "time": int(NOW.timestamp() * 1000)}
            self.comments[f"urn:li:comment:({post},{fresh})"] = {**body, "id": fresh, "created": at}
            return httpx.Response(201, headers={**DATE, "x-restli-id": fresh})
        assert query == {"actor": PAGE}
        urn = f"urn:li:comment:({post},{number})"
        if verb == "DELETE DELETE":
            self.comments.pop(urn, None)
        elif urn not in self.comments:
            return _error(404, "NOT_FOUND", "Could not find entity")
        else:
            assert verb == "POST PARTIAL_UPDATE", verb
            self.comments[urn]["message"] |= body["patch"]["message"]["$set"]
        return httpx.Response(204, headers=DATE)

    def _social(self, verb: str, urn: str) -> httpx.Response:
        assert verb == "GET", verb
        if urn not in self.posts:
            return _error(404, "NOT_FOUND", "Could not find entity")
        kinds = {kind: {"reactionType": kind, "count": n} for n, kind in ((4, "LIKE"), (1, "PRAISE"))}
        told = {"reactionSummaries": kinds, "commentSummary": {"count": 3, "topLevelCount": 2}, "commentsState": "OPEN"}
        return _json(200, told)

    def _asset(self, verb: str, kind: str, urn: str, query: dict[str, str], body: Any) -> httpx.Response:
        if verb == "GET":
            asset = self.assets[urn]
            if asset["status"] == "PROCESSING" and self.processing:
                self.processing -= 1
            elif asset["status"] == "PROCESSING":
                asset["status"] = "AVAILABLE"
            return _json(200, {"id": urn, "owner": PAGE, "status": asset["status"]})
        if query == {"action": "initializeUpload"}:
            return self._initialized(kind, body["initializeUploadRequest"])
        assert query == {"action": "finalizeUpload"}, query
        told = body["finalizeUploadRequest"]
        assert told.keys() == {"video", "uploadToken", "uploadedPartIds"}
        asset = self.assets[told["video"]]
        assert told["uploadedPartIds"] == [f"etag-{n}" for n in range(len(asset["parts"]))], told
        asset["status"] = "PROCESSING"
        return httpx.Response(200, headers=DATE)

    def _initialized(self, kind: str, wanted: dict[str, Any]) -> httpx.Response:
        urn = self._new(kind.removesuffix("s"))
        number = urn.rpartition(":")[2]
        self.assets[urn] = {"status": "WAITING_UPLOAD", "parts": {}, "kind": kind}
        if kind == "images":
            assert wanted.keys() == {"owner"}
            value = {"uploadUrl": f"{WWW}/dms-uploads/{number}/0", "image": urn, "uploadUrlExpiresAt": 1795000000000}
            return _json(200, {"value": value})
        assert wanted.keys() == {"owner", "fileSizeBytes", "uploadCaptions", "uploadThumbnail"}
        size, step = wanted["fileSizeBytes"], 4 * 1024 * 1024
        parts = [
            {"uploadUrl": f"{WWW}/dms-uploads/{number}/{n}", "firstByte": at, "lastByte": min(at + step, size) - 1}
            for n, at in enumerate(range(0, size, step))
        ]
        return _json(200, {"value": {"video": urn, "uploadToken": "", "uploadInstructions": parts}})

    def _stored(self, request: httpx.Request, path: str) -> httpx.Response:
        _empty, _folder, number, part = path.split("/")
        asset = next(asset for urn, asset in self.assets.items() if urn.endswith(number))
        assert request.method == "PUT"
        assert request.headers["Content-Type"] == "application/octet-stream"
        picture = asset["kind"] == "images"
        assert (request.headers.get("Authorization") == f"Bearer {TOKEN}") == picture, "the token goes with pictures"
        asset["parts"][int(part)] = request.read()
        if picture:
            asset["status"] = "AVAILABLE"
        return httpx.Response(201, headers={**DATE, "ETag": f'"etag-{part}"'})

    def _fault(self, request: httpx.Request) -> httpx.Response | None:
        waiting = self.faults.get((request.method, _path(request)))
        if not waiting:
            return None
        answer = waiting.pop(0)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("lost", request=request)

    def _new(self, kind: str) -> str:
        self._count += 1
        return f"urn:li:{kind}:{self._count}"


@contextmanager
def pretending(server: LinkedInServer) -> Iterator[respx.MockRouter]:
    """Both hosts answer from that server until the block ends."""
    with respx.mock(assert_all_called=False) as router:
        router.route(host="api.linkedin.com").mock(side_effect=server.api)
        router.route(host="www.linkedin.com").mock(side_effect=server.www)
        yield router


def duplicate(urn: str, status: int = 422) -> httpx.Response:
    """The refusal of a text that stands there already, as it was reported on 2023-12-14."""
    said = f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {urn}"
    told = {"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}
    details = {"errorDetailType": "com.linkedin.common.error.BadRequest", "errorDetails": {"inputErrors": [told]}}
    return _json(status, {**details, "message": said, "status": status})


def invalid(field: str, code: str, said: str, status: int = 422) -> httpx.Response:
    """The refusal of one field."""
    told = {"description": said, "input": {"inputPath": {"fieldPath": field}}, "code": code}
    return _json(status, {"message": said, "status": status, "errorDetails": {"inputErrors": [told]}})


def _error(status: int, code: str, said: str, **more: Any) -> httpx.Response:
    return _json(status, {"status": status, "code": code, "message": said, **more})


def _json(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, headers=DATE)


def _page(whole: list[dict[str, Any]], query: Mapping[str, str]) -> httpx.Response:
    start, count = int(query["start"]), int(query["count"])
    links = [{"rel": "next", "href": f"/rest/x?start={start + count}"}] if start + count < len(whole) else []
    paging = {"start": start, "count": count, "links": links}
    return _json(200, {"elements": whole[start : start + count], "paging": paging})


def _path(request: httpx.Request) -> str:
    return request.url.raw_path.decode().partition("?")[0]
