"""A pretend Discourse forum behind respx, answering as its sources of 2026-11-22 do; every request is held against the
official OpenAPI file where that is at hand."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import respx
from support_openapi import Spec

from cm.channels.contract import PICTURE
from cm.channels.discourse.adapter import DiscourseAdapter
from cm.channels.port import Context, Media, Outgoing
from cm.clock import SettableClock

SERVER = "https://forum.example"
KEY = "key-of-the-hospital-0123456789abcdef"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
CREATED = "2026-11-23T08:30:00.250Z"
MESSAGE = Outgoing("Semaine des dons du sang 🩸", "fr", NOW, link="https://hopital.example/dons")
BEYOND = re.compile(r"/site/settings\.json|/review\.json|/posts/by_number/\d+/\d+\.json|/posts/[^/]+/deleted\.json")
"""Paths that the sources have and the OpenAPI file lacks."""
NOT_FOUND = {"errors": ["The requested URL or resource could not be found."], "error_type": "not_found"}
NOT_PERMITTED = {"errors": ["You are not permitted to view the requested resource."], "error_type": "invalid_access"}


def context_for(key: str | None = KEY, account: str = "tilleuls", **settings: Any) -> Context:
    """The context of a channel there."""
    return Context(
        channel="forum",
        platform="discourse",
        account=account,
        workspace=Path("/nowhere"),
        settings=DiscourseAdapter.Settings.model_validate({"server": SERVER, **settings}),
        clock=SettableClock(NOW),
        secret=lambda: key,
    )


def picture_at(path: Path, data: bytes = PICTURE, alt: str = "Une infirmière sourit.") -> Media:
    """A small picture, written there."""
    path.write_bytes(data)
    return Media(path, "image/png", hashlib.sha256(data).hexdigest(), alt)


class DiscourseServer:
    """What stands there. `faults`: answers given instead, in order, by (method, path)."""

    def __init__(self) -> None:
        self.spec = Spec.load("discourse")
        self.posts: list[dict[str, Any]] = []
        self.titles: dict[int, str] = {}
        self.external: dict[str, int] = {}
        self.tags: list[dict[str, Any]] = [{"id": 7, "name": "sante", "text": "sante"}]
        self.queued: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.approves = False
        self.staff = True
        self.faults: dict[tuple[str, str], list[Any]] = {}
        self.requests: list[httpx.Request] = []

    def standing(self) -> list[dict[str, Any]]:
        """What people see."""
        return [post for post in self.posts if post["deleted_at"] is None]

    def post(self, name: str) -> dict[str, Any]:
        """One post, by `topic/number`."""
        return next(post for post in self.posts if f"{post['topic_id']}/{post['post_number']}" == name)

    def alts(self, name: str) -> list[str]:
        """The alt texts in a post, as the forum reads its Markdown."""
        found = re.findall(r"!\[((?:\\.|[^\\\]])*)\]\(upload://", self.post(name)["raw"])
        return [re.sub(r"\\(.)", r"\1", each.partition("|")[0]) for each in found]

    def fail_next(self, method: str, path: str, *answers: Any) -> None:
        """Answer the next requests there so: a response, or an exception to raise."""
        self.faults.setdefault((method, path), []).extend(answers)

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """What arrived at a path."""
        return [each for each in self.requests if each.method == method and each.url.path == path]

    def wrote(self, raw: str, *, username: str = "tilleuls", topic: int | None = None, **given: Any) -> dict[str, Any]:
        """Let something stand there."""
        topic = topic if topic is not None else 345 + len(self.titles)
        self.titles.setdefault(topic, str(given.pop("title", "Un sujet du forum")))
        post = {
            "id": 901 + len(self.posts),
            "topic_id": topic,
            "topic_slug": "un-sujet",
            "topic_title": self.titles[topic],
            "post_number": 1 + len([each for each in self.posts if each["topic_id"] == topic]),
            "post_type": 1,
            "username": username,
            "raw": raw.strip(),
            "created_at": CREATED,
            "deleted_at": None,
            "reply_to_post_number": None,
            "reads": 3,
            "reply_count": 1,
            "actions_summary": [{"id": 2, "count": 4}],
            **given,
        }
        post.setdefault("post_url", f"/t/un-sujet/{topic}/{post['post_number']}")
        self.posts.append(post)
        return post

    # --- answering --------------------------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Any request."""
        self.requests.append(request)
        path = request.url.path
        self._held_against_the_description(request)
        waiting = self.faults.get((request.method, path))
        if waiting:
            fault = waiting.pop(0)
            if isinstance(fault, httpx.Response):
                return fault
            raise fault("lost", request=request)
        if (request.headers.get("Api-Key"), request.headers.get("Api-Username")) != (KEY, "tilleuls"):
            return _json(403, NOT_PERMITTED)
        for pattern, handle in self._routes(request):
            if found := re.fullmatch(pattern, f"{request.method} {path}"):
                given: httpx.Response = handle(*found.groups())
                return given
        return _json(404, NOT_FOUND)

    def _held_against_the_description(self, request: httpx.Request) -> None:
        if self.spec is None or BEYOND.fullmatch(request.url.path):
            return
        if request.url.path == "/posts.json" and request.method == "POST":
            body = {name: value for name, value in json.loads(request.read()).items() if name != "tags"}
            self.spec.check("POST", "/posts.json", [], body)  # the file lacks `tags`
        else:
            self.spec.check_request(request)

    def _routes(self, request: httpx.Request) -> Iterator[tuple[str, Any]]:
        body = self._body(request)
        yield r"POST /posts\.json", lambda: self._create(body)
        yield r"GET /posts\.json", lambda: self._latest(request)
        yield r"GET /t/external_id/([\w-]+)\.json", self._by_key
        yield r"GET /posts/by_number/(\d+)/(\d+)\.json", self._by_number
        yield r"GET /posts/tilleuls/deleted\.json", self._deleted
        yield r"GET /review\.json", self._review
        yield r"PUT /posts/(\d+)\.json", lambda number: self._edit(int(number), body)
        yield r"DELETE /posts/(\d+)\.json", lambda number: self._delete(lambda post: post["id"] == int(number))
        yield r"DELETE /t/(\d+)\.json", lambda topic: self._delete(lambda post: post["topic_id"] == int(topic))
        yield r"GET /t/(\d+)\.json", lambda topic: _json(200, {"id": int(topic), "title": self.titles[int(topic)]})
        yield r"PUT /t/-/(\d+)\.json", lambda topic: self._retitle(int(topic), body)
        yield r"POST /uploads\.json", self._uploaded
        yield r"GET /u/tilleuls\.json", lambda: _json(200, {"user": {"id": 12, "username": "Tilleuls"}})
        yield r"GET /site/settings\.json", lambda: _json(200, self.settings)
        yield r"GET /tags\.json", lambda: _json(200, {"tags": self.tags})
        yield r"GET /c/12/show\.json", lambda: _json(200, {"category": {"id": 12, "permission": 1}})
        yield r"GET /c/13/show\.json", lambda: _json(200, {"category": {"id": 13, "permission": 3}})

    @staticmethod
    def _body(request: httpx.Request) -> Any:
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return None
        return json.loads(request.read())

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if self.approves:
            payload = {name: body.get(name) for name in ("raw", "title", "tags")}
            self.queued.append({"id": 77, "status": 0, "payload": payload, "created_at": CREATED})
            told = {"action": "enqueued", "success": True, "pending_post": {"id": 77}, "pending_count": 1}
            return _json(200, told)
        key = body.get("external_id")
        if key in self.external:
            return refusal("External ID has already been taken")
        topic = body.get("topic_id")
        if topic is not None and topic not in self.titles:
            return _json(404, NOT_FOUND)
        more = {"title": body["title"]} if topic is None else {"reply_to_post_number": body["reply_to_post_number"]}
        post = self.wrote(body["raw"], topic=topic, **more)
        if key:
            self.external[key] = post["topic_id"]
        return _json(200, {name: value for name, value in post.items() if name != "topic_title"})

    def _latest(self, request: httpx.Request) -> httpx.Response:
        before = int(request.url.params.get("before", 10**9))
        newest = [post for post in self.standing() if post["id"] < before and post["post_type"] == 1][::-1]
        return _json(200, {"latest_posts": newest[:50]})

    def _by_key(self, key: str) -> httpx.Response:
        topic = self.external.get(key)
        if topic is None or not any(post["topic_id"] == topic for post in self.standing()):
            return _json(404, NOT_FOUND)
        return httpx.Response(301, headers={**DATE, "Location": f"{SERVER}/t/un-sujet/{topic}.json"})

    def _by_number(self, topic: str, number: str) -> httpx.Response:
        posts = self.posts if self.staff else self.standing()
        found = [each for each in posts if (each["topic_id"], each["post_number"]) == (int(topic), int(number))]
        return _json(200, found[0]) if found else _json(404, NOT_FOUND)

    def _deleted(self) -> httpx.Response:
        if not self.staff:
            return _json(403, NOT_PERMITTED)
        return _json(200, [post for post in self.posts if post["deleted_at"] is not None])

    def _review(self) -> httpx.Response:
        return _json(200, {"reviewables": self.queued, "meta": {}}) if self.staff else _json(404, NOT_FOUND)

    def _edit(self, number: int, body: dict[str, Any]) -> httpx.Response:
        post = next(post for post in self.posts if post["id"] == number)
        post["raw"] = body["post"]["raw"].strip()
        return _json(200, {"post": post})

    def _retitle(self, topic: int, body: dict[str, Any]) -> httpx.Response:
        self.titles[topic] = body["topic"]["title"]
        for post in self.posts:
            if post["topic_id"] == topic:
                post["topic_title"] = self.titles[topic]
        return _json(200, {"basic_topic": {"id": topic, "title": self.titles[topic]}})

    def _delete(self, chosen: Any) -> httpx.Response:
        found = [post for post in self.posts if chosen(post)]
        if not found:
            return _json(404, NOT_FOUND)
        if found[0]["deleted_at"]:
            return _json(403, NOT_PERMITTED)
        for post in found:
            post["deleted_at"] = CREATED
        return httpx.Response(200, headers=DATE)

    def _uploaded(self) -> httpx.Response:
        number = len(self.sent("POST", "/uploads.json"))
        return _json(200, {"id": number, "short_url": f"upload://abc{number}.png", "width": 690, "height": 388})


@contextmanager
def pretending(server: DiscourseServer) -> Iterator[respx.MockRouter]:
    """The forum answers from that server until the block ends."""
    with respx.mock(assert_all_called=False) as router:
        router.route(host="forum.example").mock(side_effect=server.answer)
        yield router


def refusal(*errors: str) -> httpx.Response:
    """A 422 as Discourse words it."""
    return _json(422, {"action": "create_post", "errors": list(errors)})


def _json(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, headers=DATE)
