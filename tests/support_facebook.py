"""A pretend Facebook Page: posts, unpublished photos, reels and comments, as the Graph API gives them."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from support_meta import APP, GONE, NOW, PAGE, SECRET, TOKEN, GraphServer, context_of, judge, paged, refusal

from cm.channels.facebook.adapter import FacebookAdapter
from cm.channels.facebook.login import PUBLISHING
from cm.channels.port import Context, Outgoing, Values

MESSAGE = Outgoing("Semaine des dons du sang 🩸", "fr", NOW, link="https://hopital.example/dons")
UPLOADS = "https://rupload.facebook.com"


def facebook_context(values: Values | None = None, page: str = PAGE) -> Context:
    """The context of a channel on that Page."""
    return context_of("facebook", FacebookAdapter.Settings(page=page), values)


@dataclass
class FacebookServer(GraphServer):
    """One Page. `film`: what the phases of a new film's status are; `known`: a film that Facebook already has."""

    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    photos: dict[str, dict[str, Any]] = field(default_factory=dict)
    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, dict[str, Any]] = field(default_factory=dict)
    film: list[str] = field(default_factory=lambda: ["complete"])
    page_size: int = 100
    scopes: list[str] = field(default_factory=lambda: ["pages_show_list", *PUBLISHING])
    accounts: list[dict[str, Any]] = field(default_factory=list)
    debug: dict[str, Any] = field(default_factory=dict)
    me: dict[str, Any] = field(default_factory=lambda: {"id": PAGE, "name": "Hôpital des Tilleuls"})
    counts: dict[str, Any] = field(
        default_factory=lambda: {"shares": {"count": 2}, "reactions": {"summary": {"total_count": 7}}}
    )
    number: int = 5000

    def tokens(self) -> set[str]:
        return {*super().tokens(), "short-user-token", "long-user-token"}

    def public(self) -> int:
        """How many posts and reels can be seen."""
        return len(self.posts) + len([v for v in self.videos.values() if v["publishing"] == "complete"])

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Any:
        if path in ("debug_token", "oauth/access_token"):
            return self._token(path, query, body, token)
        node, _slash, edge = path.partition("/")
        kind = self._kind(node, token)
        if kind is None:
            return refusal(100, 33, message=GONE)
        judge(method, kind, edge, query, body)
        name = f"_{method.lower()}_{edge or kind.lower()}"
        return getattr(self, name)(node, query, body)

    def _kind(self, node: str, token: str) -> str | None:
        if node == "me":
            return "User" if token.endswith("user-token") else "Page"
        tables = {"Page": {PAGE}, "User": {"99"}, "PagePost": self.posts, "Photo": self.photos}
        tables |= {"AdVideo": self.videos, "Comment": self.comments}
        return next((kind for kind, known in tables.items() if node in known), None)

    def _new(self) -> str:
        self.number += 1
        return str(self.number)

    # --- the Page ---------------------------------------------------------------------------------------------------

    def _get_page(self, _node: str, query: dict[str, str], _body: Any) -> Any:
        return {"id": PAGE, "followers_count": 1234} if query["fields"] == "followers_count" else self.me

    def _post_feed(self, _node: str, query: dict[str, str], body: Any) -> Any:
        if not body.get("message") and not body.get("attached_media") and not body.get("link"):
            return refusal(100, message="(#100) Missing message or attachment")
        ids = [each["media_fbid"] for each in body.get("attached_media", [])]
        assert all(ident in self.photos for ident in ids)
        number = self._new()
        ident = f"{PAGE}_{number}"
        url = f"https://www.facebook.com/{PAGE}/posts/{number}"
        self.posts[ident] = {"id": ident, "message": body.get("message"), "link": body.get("link"), "photos": ids}
        self.posts[ident] |= {"created_time": self.now(), "permalink_url": url}
        assert query["fields"] == "id,permalink_url,created_time"
        return {name: self.posts[ident][name] for name in query["fields"].split(",")}

    def _post_photos(self, _node: str, _query: Any, body: Any) -> Any:
        assert body["published"] == "false", "nothing is public before it is sent"
        assert body["source"]
        ident = self._new()
        self.photos[ident] = {"id": ident, "alt_text_custom": body.get("alt_text_custom", "")}
        return {"id": ident}

    def _post_video_reels(self, _node: str, _query: Any, body: Any) -> Any:
        if body["upload_phase"] == "start":
            ident = self._new()
            self.videos[ident] = {"bytes": b"", "publishing": "not_started", "created_time": self.now()}
            return {"video_id": ident, "upload_url": f"{UPLOADS}/video-upload/v26.0/{ident}"}
        video = self.videos.get(body["video_id"])
        if video is None:
            return refusal(100, 33, message=GONE)
        assert body["video_state"] == "PUBLISHED"
        video |= {"publishing": "complete", "description": body.get("description"), "title": body.get("title")}
        return {"success": True, "post_id": self._new()}

    def _get_published_posts(self, _node: str, query: dict[str, str], _body: Any) -> Any:
        shown = [self._shown(post) for post in self.posts.values()]
        return paged(shown, query, self.page_size, f"https://graph.facebook.com/v26.0/{PAGE}/published_posts")

    def _shown(self, post: dict[str, Any]) -> dict[str, Any]:
        """A post as it is listed: photos in an album, a link wrapped in Facebook's own address."""
        attached: list[dict[str, Any]] = []
        photos = [{"media_type": "photo", "target": {"id": ident}} for ident in post["photos"]]
        if len(photos) > 1:
            attached = [{"media_type": "album", "subattachments": {"data": photos}}]
        elif photos:
            attached = photos
        elif post["link"]:
            wrapped = f"https://l.facebook.com/l.php?{httpx.QueryParams({'u': post['link'], 'h': 'x'})}"
            attached = [{"media_type": "link", "url": wrapped, "target": {"url": wrapped}}]
        told = {name: post[name] for name in ("id", "created_time", "permalink_url")}
        told |= {"message": post["message"]} if post["message"] else {}
        return told | ({"attachments": {"data": attached}} if attached else {})

    def _get_video_reels(self, _node: str, query: dict[str, str], _body: Any) -> Any:
        shown = [self._reel(ident) for ident, video in self.videos.items() if video["publishing"] == "complete"]
        return paged(shown, query, self.page_size, f"https://graph.facebook.com/v26.0/{PAGE}/video_reels")

    # --- what stands there ------------------------------------------------------------------------------------------

    def _get_pagepost(self, node: str, query: dict[str, str], _body: Any) -> Any:
        return {"id": node, **self.counts} if "reactions" in query["fields"] else self._shown(self.posts[node])

    def _post_pagepost(self, node: str, _query: Any, body: Any) -> Any:
        self.posts[node]["message"] = body["message"]
        return {"success": True}

    def _delete_pagepost(self, node: str, _query: Any, _body: Any) -> Any:
        del self.posts[node]
        return {"success": True}

    def _get_photo(self, node: str, _query: Any, _body: Any) -> Any:
        return self.photos[node]

    def _get_comments(self, node: str, query: dict[str, str], _body: Any) -> Any:
        shown = [comment for comment in self.comments.values() if comment["post"] == node]
        return paged(shown, query, self.page_size, f"https://graph.facebook.com/v26.0/{node}/comments")

    def _post_comments(self, node: str, _query: Any, body: Any) -> Any:
        number = self._new()
        ident = f"{node.partition('_')[2] or node}_{number}"
        attached = {"attachment": {"media_type": "photo"}} if body.get("attachment_id") else {}
        url = f"https://www.facebook.com/{node}?comment_id={number}"
        told = {"id": ident, "message": body["message"], "created_time": self.now(), "permalink_url": url, **attached}
        self.comments[ident] = {**told, "from": {"id": PAGE}, "post": node}
        return {name: told[name] for name in ("id", "created_time", "permalink_url")}

    def _post_comment(self, node: str, _query: Any, body: Any) -> Any:
        self.comments[node]["message"] = body["message"]
        return {"success": True}

    def _delete_comment(self, node: str, _query: Any, _body: Any) -> Any:
        del self.comments[node]
        return {"success": True}

    # --- films ------------------------------------------------------------------------------------------------------

    def upload(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"OAuth {self.token}"
        ident = request.url.path.rpartition("/")[2]
        video, data = self.videos[ident], request.read()
        assert int(request.headers["offset"]) == len(video["bytes"])
        video["bytes"] += data
        assert int(request.headers["file_size"]) == len(video["bytes"])
        return self.reply({"success": True})

    def _reel(self, ident: str) -> dict[str, Any]:
        video = self.videos[ident]
        url = f"/reel/{ident}/"
        told = {"id": ident, "created_time": video["created_time"], "permalink_url": url}
        return told | {"description": video.get("description")}

    def _get_advideo(self, node: str, query: dict[str, str], _body: Any) -> Any:
        video = self.videos[node]
        told = self._reel(node)
        if "views" in query["fields"]:
            return {"id": node, **self.counts}
        if "status" in query["fields"]:
            working = self.film.pop(0) if len(self.film) > 1 else self.film[0]
            done = "complete" if video["bytes"] else "not_started"
            told["status"] = {
                "video_status": "error" if working == "error" else "processing",
                "uploading_phase": {"status": done, "bytes_transfered": len(video["bytes"])},
                "processing_phase": {"status": working, "errors": [{"code": 1, "message": "Too short."}]},
                "publishing_phase": {"status": video["publishing"]},
            }
        return {name: told[name] for name in (*query["fields"].split(","), "id") if name in told}

    def _post_advideo(self, node: str, _query: Any, body: Any) -> Any:
        self.videos[node]["description"] = body["description"]
        return {"success": True}

    def _delete_advideo(self, node: str, _query: Any, _body: Any) -> Any:
        del self.videos[node]
        return {"success": True}

    # --- tokens -----------------------------------------------------------------------------------------------------

    def exchange(self, path: str, body: Any) -> Any:
        assert path == "oauth/access_token"
        assert body.pop("redirect_uri").startswith("http://127.0.0.1:")
        assert body == {
            "grant_type": "authorization_code",
            "code": "the-code",
            "client_id": APP,
            "client_secret": SECRET,
        }
        return {"access_token": "short-user-token", "token_type": "bearer", "expires_in": 5183}

    def _token(self, path: str, query: dict[str, str], body: Any, token: str) -> Any:
        if path == "debug_token":
            assert token == f"{APP}|{SECRET}"
            assert query == {"input_token": TOKEN}
            rested = int((NOW + timedelta(days=60)).timestamp())
            told = {"is_valid": True, "type": "PAGE", "expires_at": 0, "data_access_expires_at": rested}
            return {"data": {**told, "scopes": self.scopes, **self.debug}}
        assert body == {
            "grant_type": "fb_exchange_token",
            "client_id": APP,
            "client_secret": SECRET,
            "fb_exchange_token": "short-user-token",
        }
        return {"access_token": "long-user-token", "token_type": "bearer", "expires_in": 5183944}

    def _get_user(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"id": "99"}

    def _get_accounts(self, _node: str, query: dict[str, str], _body: Any) -> Any:
        assert re.match("id,name,access_token,tasks", query["fields"])
        return {"data": self.accounts}

    def _delete_permissions(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"success": True}
