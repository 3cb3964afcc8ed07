"""A pretend X behind respx: stateful, as strict as its OpenAPI files, with the sentences of the real one."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import httpx
import respx
from support_openapi import Spec, parts_of

from cm.channels.contract import PICTURE
from cm.channels.port import Context, Media, Outgoing
from cm.channels.x.adapter import XAdapter
from cm.channels.x.login import SCOPES
from cm.clock import SettableClock
from cm.secrets.login import Login, token_file
from cm.secrets.private import write_private

API = "https://api.x.com"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
FIRST_MS = 1288834974657
MESSAGE = Outgoing(
    "Semaine des dons du sang 🩸 à < 5 min & sans rendez-vous", "fr", NOW, link="https://example.org/dons"
)
ME = "7007"
OAUTH2 = {
    "client_id": "client-of-the-hospital",
    "client_secret": "secret-of-the-hospital",
    "access_token": "AT1-token-of-the-hospital",
    "refresh_token": "RT1-token-of-the-hospital",
    "scope": " ".join(SCOPES),
    "expires_at": "2026-11-23T10:30:00+00:00",
}
OAUTH1 = {
    "client_id": "consumer-of-the-hospital",
    "client_secret": "consumer-secret/of+the hospital",
    "access_token": "7007-token-of-the-hospital",
    "token_secret": "token-secret&of=the hospital",
}
DUPLICATE = {
    "detail": "You are not allowed to create a Tweet with duplicate content.",
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
}
NO_SUCH_PARENT = {
    "detail": "You attempted to reply to a Tweet that is deleted or not visible to you.",
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
}
UNAUTHORIZED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
NOT_FOUND = {
    "title": "Not Found Error",
    "type": "https://api.twitter.com/2/problems/resource-not-found",
    "detail": "Could not find media",
}


def context_for(root: Path, values: Mapping[str, str], account: str = "@Tilleuls", **settings: Any) -> Context:
    """The context of a channel there, its login in a private file under `root`."""
    path = token_file(root, "x")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(values))
    clock = SettableClock(NOW)
    login = Login("x", None, root, clock)
    return Context(
        channel="x",
        platform="x",
        account=account,
        workspace=root,
        settings=XAdapter.Settings.model_validate(settings),
        clock=clock,
        secret=login.token,
        credentials=login,
    )


def media_at(path: Path, data: bytes = PICTURE, mime: str = "image/png", alt: str = "Une infirmière sourit.") -> Media:
    """A file, written there."""
    path.write_bytes(data)
    return Media(path, mime, hashlib.sha256(data).hexdigest(), alt)


def signature(method: str, url: str, header: str, values: Mapping[str, str]) -> str:
    """The OAuth 1.0a signature that a request ought to have, by RFC 5849 section 3.4, written apart from authlib."""
    given = {name: unquote(value) for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', header)}
    parts = urlsplit(url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *given.items()]
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in pairs if name != "oauth_signature")
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method, _quoted(f"{parts.scheme}://{parts.netloc}{parts.path}"), _quoted(joined)))
    key = f"{_quoted(values['client_secret'])}&{_quoted(values['token_secret'])}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


class PretendX:
    """One account with its posts, media and tokens."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = {}
        self.media: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.answers: list[Any] = []
        """What the next requests to `faulty` get in place of an answer: a response, or an exception to raise."""
        self.faulty = ("POST", "/2/tweets")
        self.after_the_fact = False
        """The fault strikes after the request was carried out."""
        self.values: dict[str, str] = dict(OAUTH2)
        self.refresh_tokens = {OAUTH2["refresh_token"]: True}
        self.now = NOW
        self.polls = 1
        """How often a film is said to be worked on before it is ready."""
        self.new_names = False
        """Only the field names of OpenAPI 2.167 are known."""
        self.specs = [spec for spec in (Spec.load("x-2.166"), Spec.load("x")) if spec]

    # --- what tests ask -----------------------------------------------------------------------------------------------

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """The requests to that place."""
        return [each for each in self.requests if (each.method, each.url.path) == (method, path)]

    def alts(self, remote_id: str) -> list[str]:
        """The alt texts of a post's media."""
        return [self.media[media_id]["alt"] for media_id in self.posts[remote_id]["media"]]

    # --- answering ----------------------------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What X would say."""
        request.read()
        self.requests.append(request)
        if request.url.path == "/2/oauth2/token":
            return self._token(request)
        self._check(request)
        striking = self.answers and (request.method, request.url.path) == self.faulty
        if striking and not self.after_the_fact:
            return _struck(self.answers.pop(0))
        reply = self._carried_out(request) if self._known(request) else _said(401, UNAUTHORIZED)
        return _struck(self.answers.pop(0)) if striking else reply

    def _check(self, request: httpx.Request) -> None:
        """By OpenAPI 2.166, and 2.167 but for the fields which it calls by other names."""
        names = {name for name, _value in request.url.params.multi_items()}
        for spec in self.specs:
            version = 0 if spec is self.specs[0] else 1
            if not names & {("post.fields", "tweet.fields")[version]} and "/1.1/" not in request.url.path:
                spec.check_request(request)

    def _known(self, request: httpx.Request) -> bool:
        header = request.headers.get("Authorization", "")
        if "token_secret" in self.values:
            wanted = signature(request.method, str(request.url), header, self.values)
            return header.startswith("OAuth ") and f'oauth_signature="{_quoted(wanted)}"' in header
        return header == f"Bearer {self.values['access_token']}"

    def _carried_out(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        if path == "/2/users/me":
            return _said(200, {"data": {"id": ME, "username": "tilleuls", "name": "Les Tilleuls"}})
        if path == f"/2/users/{ME}/tweets":
            return self._timeline(dict(request.url.params))
        if (method, path) == ("POST", "/2/tweets"):
            return self._create(json.loads(request.content))
        if method == "DELETE":
            return self._delete(path.rpartition("/")[2])
        if path == "/2/media/metadata":
            body = json.loads(request.content)
            self.media[body["id"]]["alt"] = body["metadata"]["alt_text"]["text"]
            return _said(200, {"data": {"id": body["id"]}})
        return self._upload(request, path, method)

    def _create(self, body: Mapping[str, Any]) -> httpx.Response:
        text, parent = body.get("text", ""), body.get("reply", {}).get("in_reply_to_tweet_id")
        media = body.get("media", {}).get("media_ids", [])
        if parent is not None and parent not in self.posts:
            return _said(403, NO_SUCH_PARENT)
        if any(post["sent"] == (text, media) for post in self.posts.values()):
            return _said(403, DUPLICATE)
        if not all(media_id in self.media and self.media[media_id]["ready"] for media_id in media):
            return _said(400, {"errors": [{"message": "Your media IDs are invalid."}], "title": "Invalid Request"})
        self.now += timedelta(seconds=1)
        remote_id = str((int(self.now.timestamp() * 1000) - FIRST_MS) << 22 | len(self.posts))
        self.posts[remote_id] = {"sent": (text, media), "parent": parent, "media": media, "at": self.now}
        shown = self._shown(remote_id)["text"]
        return _said(201, {"data": {"id": remote_id, "text": shown, "edit_history_tweet_ids": [remote_id]}})

    def _shown(self, remote_id: str) -> dict[str, Any]:
        """A post as the timeline shows it."""
        post = self.posts[remote_id]
        urls: list[dict[str, str]] = []

        def short(match: re.Match[str]) -> str:
            full = match[0] if "://" in match[0] else f"http://{match[0]}/"
            urls.append({"url": f"https://t.co/{remote_id[-6:]}{len(urls)}", "expanded_url": full, "display_url": "…"})
            return urls[-1]["url"]

        text = re.sub(r"https?://\S+|\bexample\.com\b", short, post["sent"][0])
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for n, media_id in enumerate(post["media"][:1]):
            address, key = f"https://t.co/m{remote_id[-6:]}{n}", f"3_{media_id}"
            text = f"{text} {address}".strip()
            full = f"https://x.com/tilleuls/status/{remote_id}/photo/1"
            urls.append({"url": address, "expanded_url": full, "media_key": key})
        shown: dict[str, Any] = {
            "id": remote_id,
            "text": text,
            "created_at": post["at"].isoformat().replace("+00:00", "Z"),
        }
        if urls:
            shown["entities"] = {"urls": urls}
        if post["media"]:
            shown["attachments"] = {"media_keys": [f"3_{media_id}" for media_id in post["media"]]}
        if post["parent"]:
            name = "referenced_posts" if self.new_names else "referenced_tweets"
            shown[name] = [{"type": "replied_to", "id": post["parent"]}]
        return shown

    def _timeline(self, query: Mapping[str, str]) -> httpx.Response:
        old = "tweet.fields" in query
        if old and self.new_names:
            problem = {"message": "The query parameter [tweet.fields] is not one of [id,max_results,post.fields]"}
            kind = "https://api.x.com/2/problems/invalid-request"
            return _said(400, {"errors": [problem], "title": "Invalid Request", "detail": "Invalid.", "type": kind})
        since = datetime.fromisoformat(query["start_time"])
        ids = [remote_id for remote_id, post in reversed(self.posts.items()) if post["at"] >= since]
        start, size = int(query.get("pagination_token", 0)), int(query["max_results"])
        page = ids[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + size < len(ids):
            meta["next_token"] = str(start + size)
        return _said(200, {**({"data": [self._shown(each) for each in page]} if page else {}), "meta": meta})

    def _delete(self, remote_id: str) -> httpx.Response:
        self.posts.pop(remote_id, None)
        return _said(200, {"data": {"deleted": True}})

    def _upload(self, request: httpx.Request, path: str, method: str) -> httpx.Response:
        if method == "GET":
            entry = self.media.get(request.url.params["media_id"])
            return self._worked_on(entry) if entry else _said(404, NOT_FOUND)
        if path == "/2/media/upload":
            return self._begun(parts_of(request)["media"], ready=True)
        if path.endswith("/initialize"):
            return self._begun(b"", ready=False, told=json.loads(request.content))
        entry = self.media[path.split("/")[4]]
        if path.endswith("/append"):
            parts = parts_of(request)
            assert int(parts["segment_index"]) == entry["pieces"], "pieces come in order, each once"
            entry["pieces"] += 1
            entry["data"] += parts["media"]
            return _said(200, {"data": {"expires_at": 1795510000}})
        assert len(entry["data"]) == entry["told"]["total_bytes"], "all of it is there"
        return self._worked_on(entry)

    def _begun(self, data: bytes, *, ready: bool, told: Mapping[str, Any] | None = None) -> httpx.Response:
        media_id = str(1880028106020515840 + len(self.media))
        polls = self.polls
        self.media[media_id] = {
            "id": media_id,
            "data": data,
            "alt": "",
            "ready": ready,
            "pieces": 0,
            "polls": polls,
            "told": told,
        }
        data_told = {"id": media_id, "media_key": f"13_{media_id}", "size": len(data), "expires_after_secs": 86400}
        return _said(200, {"data": data_told})

    def _worked_on(self, entry: dict[str, Any]) -> httpx.Response:
        info: dict[str, Any] = {"state": "succeeded", "progress_percent": 100}
        if entry["polls"] > 0:
            info = {"state": "in_progress", "check_after_secs": 7}
        entry["polls"] -= 1
        entry["ready"] = info["state"] == "succeeded"
        return _said(200, {"data": {"id": entry["id"], "processing_info": info}})

    def _token(self, request: httpx.Request) -> httpx.Response:
        """Renewing: a refresh token that was used already ends the whole login."""
        form = dict(parse_qsl(request.content.decode()))
        assert request.headers["Authorization"].startswith("Basic ")
        assert set(form) == {"grant_type", "refresh_token"}
        if not self.refresh_tokens.get(form["refresh_token"]):
            self.refresh_tokens = {}
            said = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return _said(400, said)
        self.refresh_tokens[form["refresh_token"]] = False
        n = len(self.refresh_tokens) + 1
        self.values["access_token"], renewed = f"AT{n}-token-of-the-hospital", f"RT{n}-token-of-the-hospital"
        self.refresh_tokens[renewed] = True
        told = {"token_type": "bearer", "expires_in": 7200, "access_token": self.values["access_token"]}
        return _said(200, {**told, "refresh_token": renewed, "scope": " ".join(SCOPES)})


def _said(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, headers={**DATE, "api-version": "2.167"})


def _struck(fault: Any) -> httpx.Response:
    if isinstance(fault, httpx.Response):
        return fault
    raise fault


@contextmanager
def pretending() -> Iterator[PretendX]:
    """X answers until the block ends; nothing else does."""
    there = PretendX()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="api.x.com").mock(side_effect=there.answer)
        yield there
