"""A pretend Instagram account behind either host of the Graph API: containers, posts, comments, quota."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from support_meta import APP, GONE, NOW, SECRET, TOKEN, GraphServer, context_of, judge, paged, refusal

from cm.channels.instagram.adapter import InstagramAdapter
from cm.channels.instagram.login import PUBLISHING
from cm.channels.port import Context, Media, Outgoing, Values

USER = "17841400000000001"
PUBLIC = "https://www.hopital.example/cm-media/"
TEXT = Outgoing("Semaine des dons du sang 🩸 #DonDuSang", "fr", NOW, link="https://hopital.example/dons")
OWN_TOKEN = "canary-instagram-token-0001"
JPEG = b"\xff\xd8\xff\xe0 pretended"


def file_at(path: Path, data: bytes = JPEG, mime: str = "image/jpeg", alt: str = "") -> Media:
    """A file of a workspace, written there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Media(path, mime, hashlib.sha256(data).hexdigest(), alt)


def instagram_context(workspace: Path, values: Values | None = None, **settings: Any) -> Context:
    """The context of a channel on that account."""
    made = InstagramAdapter.Settings.model_validate({"user": USER, "public_media": PUBLIC, **settings})
    return replace(context_of("instagram", made, values, account="@tilleuls"), workspace=workspace)


@dataclass
class InstagramServer(GraphServer):
    """One account. `working`: the status codes that new containers go through, the last one for good."""

    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, dict[str, Any]] = field(default_factory=dict)
    working: list[str] = field(default_factory=lambda: ["FINISHED"])
    words: str = "Finished: Media has been uploaded and it is ready to be published."
    page_size: int = 100
    scopes: list[str] = field(default_factory=lambda: [*PUBLISHING])
    accounts: list[dict[str, Any]] = field(default_factory=list)
    user: str = USER
    quota: dict[str, Any] = field(default_factory=lambda: {"quota_usage": 2, "config": {"quota_total": 100}})
    own: bool = False
    number: int = 17890000000000000

    def tokens(self) -> set[str]:
        return {OWN_TOKEN} if self.own else {*super().tokens(), "short-user-token", "long-user-token"}

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Any:
        if path in ("debug_token", "oauth/access_token"):
            return self._token(path, query)
        node, _slash, edge = path.partition("/")
        kind = self._kind(node, token)
        if kind is None:
            return refusal(100, 33, message=GONE)
        tables = {"IGUser": "IGUserForIGOnlyAPI", "IGMedia": "IGMediaForIGOnlyAPI"} if self.own else {}
        # that table writes `mediapublish`, the documentation everywhere `media_publish`
        known = "mediapublish" if self.own and edge == "media_publish" else edge
        judge(method, tables.get(kind, kind), known, query, body)
        return getattr(self, f"_{method.lower()}_{edge or kind.lower()}")(node, query, body)

    def _kind(self, node: str, token: str) -> str | None:
        if node == "me":
            return "User" if token.endswith("user-token") else "IGUser"
        tables = {"IGUser": {self.user}, "User": {"99"}, "IGMedia": self.posts, "IGComment": self.comments}
        tables |= {"ShadowIGMediaBuilder": self.containers}
        return next((kind for kind, known in tables.items() if node in known), None)

    def _new(self) -> str:
        self.number += 1
        return str(self.number)

    # --- the account ------------------------------------------------------------------------------------------------

    def _get_iguser(self, _node: str, query: dict[str, str], _body: Any) -> Any:
        if query["fields"] == "followers_count":
            return {"id": self.user, "followers_count": 321}
        name = "user_id" if self.own else "id"
        assert query["fields"] == f"{name},username"
        return {name: self.user, "username": "tilleuls"}

    def _get_content_publishing_limit(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"data": [self.quota]}

    def _get_media(self, node: str, query: dict[str, str], _body: Any) -> Any:
        return paged(list(self.posts.values()), query, self.page_size, f"https://graph.facebook.com/v26.0/{node}/media")

    # --- containers -------------------------------------------------------------------------------------------------

    def _post_media(self, _node: str, _query: Any, body: Any) -> Any:
        kind = body.get("media_type", "IMAGE")
        if kind == "IMAGE" and not re.fullmatch(r"https://\S+\.jpe?g", body["image_url"]):
            return refusal(9004, 2207052, message="Only photo or video can be accepted as media type.")
        if kind == "CAROUSEL":
            assert 2 <= len(body["children"]) <= 10
            assert all(self.containers[child]["params"]["is_carousel_item"] for child in body["children"])
        if body.get("is_carousel_item"):
            assert "caption" not in body
        ident = self._new()
        self.containers[ident] = {"params": body, "states": list(self.working), "bytes": b""}
        if body.get("upload_type") == "resumable":
            return {"id": ident, "uri": f"https://rupload.facebook.com/ig-api-upload/v26.0/{ident}"}
        return {"id": ident}

    def upload(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"OAuth {OWN_TOKEN if self.own else TOKEN}"
        assert request.headers["offset"] == "0"
        container, data = self.containers[request.url.path.rpartition("/")[2]], request.read()
        assert int(request.headers["file_size"]) == len(data)
        container["bytes"] = data
        return self.reply({"success": True, "message": "Upload successful."})

    def _get_shadowigmediabuilder(self, node: str, query: dict[str, str], _body: Any) -> Any:
        assert query["fields"] == "status_code,status"
        states = self.containers[node]["states"]
        code = states.pop(0) if len(states) > 1 else states[0]
        return {"status_code": code, "status": self.words, "id": node}

    def _post_media_publish(self, _node: str, _query: Any, body: Any) -> Any:
        container = self.containers.get(body["creation_id"])
        if container is None:
            return refusal(24, 2207008, message="The media builder with this creation id does not exist.")
        if container["states"] == ["PUBLISHED"]:
            return refusal(100, message="already published")
        if container["states"][0] != "FINISHED":
            return refusal(9007, 2207027, message="Media ID is not available")
        container["states"] = ["PUBLISHED"]
        ident, params = self._new(), container["params"]
        children = [{"id": child} for child in params.get("children", [])]
        self.posts[ident] = {
            "id": ident,
            "caption": params.get("caption", ""),
            "timestamp": self.now(),
            "permalink": f"https://www.instagram.com/p/{ident}/",
            "media_type": params.get("media_type", "IMAGE"),
            "like_count": 7,
            "comments_count": True,
            **({"children": {"data": children}} if children else {}),
        }
        return {"id": ident}

    # --- what stands there ------------------------------------------------------------------------------------------

    def _get_igmedia(self, node: str, _query: Any, _body: Any) -> Any:
        return self.posts[node]

    def _delete_igmedia(self, node: str, _query: Any, _body: Any) -> Any:
        del self.posts[node]
        return {"success": True}

    def _post_comments(self, node: str, _query: Any, body: Any) -> Any:
        ident = self._new()
        made = {"id": ident, "text": body["message"], "timestamp": self.now(), "username": "tilleuls"}
        self.comments[ident] = {**made, "media": node}
        return {"id": ident}

    def _get_comments(self, node: str, query: dict[str, str], _body: Any) -> Any:
        shown = [each for each in self.comments.values() if each["media"] == node]
        return paged(shown, query, self.page_size, "https://graph.facebook.com/v26.0/x/comments")

    # --- tokens -----------------------------------------------------------------------------------------------------

    def _token(self, path: str, query: dict[str, str]) -> Any:
        if path == "oauth/access_token":
            return {"access_token": "long-user-token", "token_type": "bearer", "expires_in": 5183944}
        assert query == {"input_token": TOKEN}
        rested = int((NOW + timedelta(days=60)).timestamp())
        return {"data": {"is_valid": True, "expires_at": 0, "data_access_expires_at": rested, "scopes": self.scopes}}

    def exchange(self, path: str, body: Any) -> Any:
        assert (body["code"], body["client_id"], body["client_secret"]) == ("the-code", APP, SECRET)
        return {"access_token": "short-user-token", "token_type": "bearer", "expires_in": 5183}

    def _get_user(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"id": "99"}

    def _get_accounts(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"data": self.accounts}

    def _delete_permissions(self, _node: str, _query: Any, _body: Any) -> Any:
        return {"success": True}
