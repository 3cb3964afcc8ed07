"""A pretend YouTube behind respx: uploads in pieces, films that are worked on, captions, comments, quota.

Whoever is not the owner sees no private film; the default of a film whose privacy is not said is public; parts that an
update names are replaced whole. Every request is held to Google's discovery document where that is installed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import respx
from support_discovery import Discovery

from cm.channels.port import Context, Credentials, Media, Outgoing
from cm.channels.youtube.adapter import YouTubeAdapter
from cm.channels.youtube.login import SCOPES
from cm.clock import SettableClock

API, UPLOADS, TOKENS = "https://youtube.googleapis.com", "https://www.googleapis.com", "https://oauth2.googleapis.com"
TOKEN = "ya29.token-of-the-hospital"
CHANNEL = "UCa1b2c3d4e5f6g7h8i9j0kA"
OTHER = "UCzzzzzzzzzzzzzzzzzzzzzz"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
FILM = b"\0\0\0\x14ftypisom" + bytes(range(256)) * 8
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:02.000\nBonjour à tous\n"


def context_for(
    root: Path = Path("/nowhere"), token: str | None = TOKEN, *, credentials: Credentials | None = None, **settings: Any
) -> Context:
    """The context of a channel there; `root`: its workspace."""
    return Context(
        channel="youtube",
        platform="youtube",
        account="@HopitalTilleuls",
        workspace=root,
        settings=YouTubeAdapter.Settings.model_validate({"channel": CHANNEL, **settings}),
        clock=SettableClock(NOW),
        secret=lambda: token,
        credentials=credentials,
    )


def film_at(path: Path, data: bytes = FILM, mime: str = "video/mp4") -> Media:
    """A film, written there."""
    path.write_bytes(data)
    return Media(path, mime, hashlib.sha256(data).hexdigest())


def message_with(media: Media, **values: Any) -> Outgoing:
    """A post with a film."""
    text = "Le don de sang en deux minutes\n\nPourquoi & comment donner 🩸"
    given: dict[str, Any] = {"link": "https://example.org/dons", "fields": {"title": "Donner son sang"}, **values}
    return Outgoing(given.pop("text", text), "fr", NOW, media=(media,), **given)


def refused(status: int, reason: str, message: str = "Refused.", domain: str = "youtube.video") -> httpx.Response:
    """An answer of Google's shape."""
    told = {"message": message, "domain": domain, "reason": reason}
    body = {"error": {"code": status, "message": message, "errors": [told]}}
    return httpx.Response(status, json=body, headers=date(NOW))


def date(now: datetime) -> dict[str, str]:
    """The header that tells the server's time."""
    return {"Date": format_datetime(now, usegmt=True)}


class PretendYouTube:
    """One channel with its films, sessions, captions and comments. `faults`: answers given instead, in order."""

    def __init__(self) -> None:
        self.videos: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.captions: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.faults: list[tuple[str, str, str, Any, bool]] = []
        self.called: list[str] = []
        self.polls = 1
        """How often a film is said to be worked on before it is ready."""
        self.work: dict[str, Any] = {}
        """What is said of a film's state in place of `processed`."""
        self.piece_limit: int | None = None
        """How many bytes of a piece arrive."""
        self.channels = [CHANNEL]
        self.channel_status = {"longUploadsStatus": "allowed"}
        self.stays_private = False
        self.now = NOW
        self.discovery = Discovery.load()

    # --- what tests ask -----------------------------------------------------------------------------------------------

    def fail(self, method: str, path: str, answer: Any, *, span: str = "", after: bool = False) -> None:
        """The next request there is answered so: a response, or an exception to raise. `path`: whole, or its end;
        `span`: how its Content-Range begins; `after`: once it is done."""
        self.faults.append((method, path, span, answer, after))

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """The requests to a place; `path` as its end."""
        return [each for each in self.requests if each.method == method and each.url.path.endswith(path)]

    def public(self) -> int:
        """How many films and comments people can see."""
        return sum(each["status"]["privacyStatus"] != "private" for each in self.videos.values()) + len(self.comments)

    # --- answering ----------------------------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What YouTube would say."""
        request.read()
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused(401, "authError", "Invalid Credentials", "global")
        fault = next((each for each in self.faults if self._meant(each, request)), None)
        if fault:
            self.faults.remove(fault)
            *_place, answer, after = fault
            if after:
                self._carried_out(request)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self._carried_out(request)

    def _meant(self, fault: tuple[str, str, str, Any, bool], request: httpx.Request) -> bool:
        method, place, span, *_fault = fault
        path = request.url.path
        there = path == place if place.startswith("/youtube/") else path.endswith(place)
        return request.method == method and there and request.headers.get("Content-Range", "").startswith(span)

    def _carried_out(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        if "upload_id" in query:
            return self._piece(request, query["upload_id"])
        if self.discovery:
            self.called.append(self.discovery.check_request(request, SCOPES))
        body = json.loads(request.content) if request.content else {}
        what = request.url.path.rpartition("/")[2]
        if request.url.path.startswith("/upload/"):
            return self._begin(what, request, body)
        return getattr(self, f"_{request.method.lower()}_{what.lower()}")(query, body)

    def _say(self, body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
        told = {**date(self.now), **headers}
        return httpx.Response(status, headers=told) if body is None else httpx.Response(status, json=body, headers=told)

    # --- uploads ------------------------------------------------------------------------------------------------------

    def _begin(self, what: str, request: httpx.Request, body: Any) -> httpx.Response:
        name = f"session-{len(self.sessions) + 1}"
        size = int(request.headers["X-Upload-Content-Length"])
        if what == "videos" and not body["snippet"]["title"].strip():
            return refused(400, "invalidTitle")
        self.sessions[name] = {"what": what, "size": size, "data": b"", "body": body, "done": None}
        address = f"{UPLOADS}/upload/youtube/v3/{what}?uploadType=resumable&upload_id={name}"
        return self._say(Location=address)

    def _piece(self, request: httpx.Request, name: str) -> httpx.Response:
        session = self.sessions.get(name)
        if session is None:
            return httpx.Response(404, text="Not Found")
        if session["done"] is not None:
            return self._say(session["done"])
        asked = re.fullmatch(r"bytes (?:\*|(\d+)-(\d+))/(\d+)", request.headers["Content-Range"])
        assert asked
        assert int(asked[3]) == session["size"]
        if asked[1] is not None:
            first, last = int(asked[1]), int(asked[2])
            assert last - first + 1 == len(request.content)
            assert first == len(session["data"]), "pieces come one behind the other"
            assert last + 1 == session["size"] or len(request.content) % (256 * 1024) == 0
            session["data"] += request.content[: self.piece_limit]
        if len(session["data"]) < session["size"]:
            there = {"Range": f"bytes=0-{len(session['data']) - 1}"} if session["data"] else {}
            return self._say(None, 308, **there)
        session["done"] = self._film(session) if session["what"] == "videos" else self._track(session)
        return self._say(session["done"], 201)

    def _film(self, session: dict[str, Any]) -> dict[str, Any]:
        ident = f"film{len(self.videos) + 1:07}"
        self.now += timedelta(seconds=1)
        status = {"privacyStatus": "public", **session["body"]["status"]}
        self.videos[ident] = {
            "id": ident,
            "snippet": {**session["body"]["snippet"], "channelId": CHANNEL, "publishedAt": _iso(self.now)},
            "status": status,
            "polls": self.polls,
            "data": session["data"],
            "uploaded": self.now,
            "published": None,
        }
        return {"kind": "youtube#video", "id": ident, "status": {**status, "uploadStatus": "uploaded"}}

    def _track(self, session: dict[str, Any]) -> dict[str, Any]:
        snippet = session["body"]["snippet"]
        same = [each for each in self.captions.values() if each["snippet"]["language"] == snippet["language"]]
        assert not [each for each in same if each["snippet"]["videoId"] == snippet["videoId"]], "captionExists"
        ident = f"track-{len(self.captions) + 1}"
        self.captions[ident] = {
            "id": ident,
            "snippet": {**snippet, "trackKind": "standard"},
            "text": session["data"].decode(),
        }
        return {"kind": "youtube#caption", "id": ident}

    # --- films --------------------------------------------------------------------------------------------------------

    def _get_videos(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        found = [self.videos[each] for each in query["id"].split(",") if each in self.videos]
        return self._say({"kind": "youtube#videoListResponse", "items": [self._shown(each, query) for each in found]})

    def _shown(self, video: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
        working = video["polls"] > 0
        if "processingDetails" in query["part"]:
            video["polls"] -= 1
        status: dict[str, Any] = {**video["status"], "uploadStatus": "uploaded" if working else "processed"}
        details: dict[str, Any] = {"processingStatus": "processing" if working else "succeeded"}
        if working:
            details["processingProgress"] = {"timeLeftMs": "45000"}
        parts = {
            "snippet": video["snippet"],
            "status": {**status, **self.work.get("status", {})},
            "processingDetails": {**details, **self.work.get("processingDetails", {})},
            "statistics": {"viewCount": "2000", "likeCount": "12", "favoriteCount": "0", "commentCount": "3"},
        }
        return {"id": video["id"], **{name: parts[name] for name in query["part"].split(",")}}

    def _put_videos(self, query: Mapping[str, str], body: Any) -> httpx.Response:
        video = self.videos.get(body["id"])
        if video is None:
            return refused(404, "videoNotFound", "The video that you are trying to update cannot be found.")
        own = {"channelId": CHANNEL, "publishedAt": video["snippet"]["publishedAt"]}
        assert {"title", "categoryId"} <= body["snippet"].keys()
        if "snippet" in query["part"]:
            video["snippet"] = {**body["snippet"], **own}
        if "status" in query["part"]:
            video["status"] = {**body["status"], **({"privacyStatus": "private"} if self.stays_private else {})}
            if video["published"] is None and video["status"]["privacyStatus"] != "private":
                self.now += timedelta(seconds=1)
                video["published"] = self.now
        return self._say({name: video[name] for name in ("id", "snippet", "status")})

    def _delete_videos(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        if self.videos.pop(query["id"], None) is None:
            return refused(404, "videoNotFound")
        return self._say(None, 204)

    def _get_playlistitems(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        assert query["playlistId"] == f"UU{CHANNEL[2:]}"
        newest = sorted(self.videos.values(), key=lambda video: video["uploaded"], reverse=True)
        start, size = int(query.get("pageToken", 0)), int(query["maxResults"])
        body: dict[str, Any] = {"items": [self._item(each) for each in newest[start : start + size]]}
        if start + size < len(newest):
            body["nextPageToken"] = str(start + size)
        return self._say(body)

    def _item(self, video: dict[str, Any]) -> dict[str, Any]:
        published = {"videoPublishedAt": _iso(video["published"])} if video["published"] else {}
        words = {name: video["snippet"][name] for name in ("title", "description")}
        return {
            "snippet": {**words, "publishedAt": _iso(video["uploaded"])},
            "contentDetails": {"videoId": video["id"], **published},
            "status": {"privacyStatus": video["status"]["privacyStatus"]},
        }

    # --- captions, comments, the channel ------------------------------------------------------------------------------

    def _get_captions(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        found = [each for each in self.captions.values() if each["snippet"]["videoId"] == query["videoId"]]
        return self._say({"items": [{"id": each["id"], "snippet": each["snippet"]} for each in found]})

    def _delete_captions(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        self.captions.pop(query["id"])
        return self._say(None, 204)

    def _post_commentthreads(self, _query: Mapping[str, str], body: Any) -> httpx.Response:
        video = body["snippet"]["videoId"]
        if video not in self.videos:
            return refused(404, "videoNotFound", domain="youtube.commentThread")
        ident = f"UgxHospital{len(self.comments) + 1:015}"
        self.now += timedelta(seconds=1)
        words = body["snippet"]["topLevelComment"]["snippet"]["textOriginal"]
        self.comments[ident] = {"video": video, "text": words, "at": self.now, "author": CHANNEL}
        return self._say(self._thread(ident))

    def _thread(self, ident: str) -> dict[str, Any]:
        comment = self.comments[ident]
        inner = {
            "textDisplay": comment["text"],
            "textOriginal": comment["text"],
            "authorChannelId": {"value": comment["author"]},
            "publishedAt": _iso(comment["at"]),
        }
        top = {"id": ident, "snippet": inner}
        return {"id": ident, "snippet": {"channelId": CHANNEL, "videoId": comment["video"], "topLevelComment": top}}

    def _get_commentthreads(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        newest = sorted(self.comments, key=lambda ident: self.comments[ident]["at"], reverse=True)
        found = [ident for ident in newest if self.comments[ident]["video"] == query["videoId"]]
        return self._say({"items": [self._thread(ident) for ident in found]})

    def _put_comments(self, _query: Mapping[str, str], body: Any) -> httpx.Response:
        if body["id"] not in self.comments:
            return refused(404, "commentNotFound", domain="youtube.comment")
        self.comments[body["id"]]["text"] = body["snippet"]["textOriginal"]
        return self._say({"id": body["id"]})

    def _delete_comments(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        gone = self.comments.pop(query["id"], None) is None
        return refused(404, "commentNotFound", domain="youtube.comment") if gone else self._say(None, 204)

    def _get_channels(self, query: Mapping[str, str], _body: Any) -> httpx.Response:
        assert query["mine"] == "true"
        snippet = {"title": "Hôpital des Tilleuls", "customUrl": "@hopitaltilleuls"}
        statistics = {"viewCount": "200000", "subscriberCount": "1230", "hiddenSubscriberCount": False}
        parts = {"snippet": snippet, "status": self.channel_status, "statistics": statistics}
        asked = [name for name in query["part"].split(",") if name != "id"]
        return self._say({"items": [{"id": each, **{name: parts[name] for name in asked}} for each in self.channels]})


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


class Google:
    """The token endpoints."""

    def __init__(self) -> None:
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.told: dict[str, Any] = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What Google would say."""
        self.forms.append((request.url.path, dict(parse_qsl(request.read().decode()))))
        return httpx.Response(self.status, json=self.told)


@contextmanager
def pretending(google: Google | None = None) -> Iterator[PretendYouTube]:
    """YouTube answers until the block ends; nothing else does."""
    there = PretendYouTube()
    with respx.mock(assert_all_called=False) as router:
        for host in ("youtube.googleapis.com", "www.googleapis.com"):
            router.route(host=host).mock(side_effect=there.answer)
        if google:
            router.route(host="oauth2.googleapis.com").mock(side_effect=google.answer)
        yield there
