"""The validator that the tests of Bluesky stand on: it must say no."""

import json
from copy import deepcopy
from typing import Any

import httpx
import pytest
from support_lexicon import Lexicons

KEY = "3n2t2gu4w222l"
CID = "bafyreicid"
STRONG = {"uri": f"at://did:plc:abc/app.bsky.feed.post/{KEY}", "cid": CID}
BLOB = {"$type": "blob", "ref": {"$link": "bafkreiblob"}, "mimeType": "image/png", "size": 2_000_000}
POST: dict[str, Any] = {
    "$type": "app.bsky.feed.post",
    "text": "🇫🇷" * 300,
    "createdAt": "2026-11-23T08:30:00.000Z",
    "langs": ["fr"],
    "facets": [
        {
            "index": {"byteStart": 0, "byteEnd": 8},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "a"}],
        }
    ],
    "reply": {"root": STRONG, "parent": STRONG},
    "embed": {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": BLOB}]},
    "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
}


@pytest.fixture
def lexicons() -> Lexicons:
    return Lexicons.needed()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The post with one place changed, or left out where the value is `...`."""
    post: Any = deepcopy(POST)
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    place = post
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    found: dict[str, Any] = post
    return found


def test_a_whole_post_is_taken(lexicons: Lexicons) -> None:
    lexicons.record(POST, KEY)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("text", "🇫🇷" * 301),
        ("text", 3),
        ("createdAt", ...),
        ("createdAt", "2026-11-23 08:30"),
        ("visibility", "public"),
        ("langs", ["fr", "de", "en", "it"]),
        ("langs/0", "français"),
        ("facets/0/index/byteStart", -1),
        ("facets/0/index/byteStart", True),
        ("facets/0/features/0/$type", "app.bsky.richtext.facet#bold"),
        ("facets/0/features/0/tag", "x" * 65),
        ("facets/0/features/0/uri", "https://a.example"),
        ("reply/parent", ...),
        ("reply/root/uri", "https://bsky.app/x"),
        ("embed/$type", ...),
        ("embed/images/0/alt", ...),
        ("embed/images", [{"alt": "", "image": BLOB}] * 5),
        ("embed/images/0/image/size", 2_000_001),
        ("embed/images/0/image/mimeType", "video/mp4"),
        ("embed/images/0/aspectRatio", {"width": 0, "height": 1}),
        ("labels/values/0/val", None),
    ],
)
def test_what_is_wrong_in_a_post(lexicons: Lexicons, path: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        lexicons.record(changed(path, value), KEY)


@pytest.mark.parametrize("key", ["self", "3n2t2gu4w222", "zn2t2gu4w222l"])
def test_a_post_wants_a_key_of_time(lexicons: Lexicons, key: str) -> None:
    with pytest.raises(AssertionError):
        lexicons.record(POST, key)


GET, PUT, UP = "com.atproto.repo.getRecord", "com.atproto.repo.putRecord", "com.atproto.repo.uploadBlob"
ASKED = {"repo": "did:plc:abc", "collection": "app.bsky.feed.post", "rkey": KEY}
BODY = {**ASKED, "swapRecord": None, "record": POST}


def request(method: str, nsid: str, query: Any = None, **parts: Any) -> httpx.Request:
    return httpx.Request(method, f"https://pds.example/xrpc/{nsid}", params=query, **parts)


@pytest.mark.parametrize(
    "good",
    [
        request("GET", GET, ASKED),
        request("GET", "app.bsky.feed.getPosts", [("uris", STRONG["uri"]), ("uris", STRONG["uri"])]),
        request("POST", PUT, json=BODY),
        request("POST", UP, content=b"x", headers={"Content-Type": "image/png"}),
        request("POST", "com.atproto.server.deleteSession"),
    ],
)
def test_calls_that_are_described(lexicons: Lexicons, good: httpx.Request) -> None:
    lexicons.request(good)


@pytest.mark.parametrize(
    "bad",
    [
        request("GET", "com.atproto.repo.noSuchCall"),
        httpx.Request("GET", "https://pds.example/api/v1/statuses"),
        request("POST", GET, ASKED),
        request("GET", PUT),
        request("GET", GET, {**ASKED, "more": "1"}),
        request("GET", GET, {"repo": "did:plc:abc"}),
        request("GET", GET, {**ASKED, "repo": "not an account"}),
        request("GET", GET, [*ASKED.items(), ("rkey", KEY)]),
        request("GET", "com.atproto.repo.listRecords", {"repo": "a.example", "collection": "a.b.c", "limit": "101"}),
        request("POST", PUT, {"validate": "true"}, json=BODY),
        request("POST", PUT, json={**BODY, "more": 1}),
        request("POST", PUT, json={**BODY, "rkey": None}),
        request("POST", PUT, json={**BODY, "rkey": ".."}),
        request("POST", PUT, content=json.dumps(BODY), headers={"Content-Type": "text/plain"}),
        request("POST", UP, content=b"", headers={"Content-Type": "image/png"}),
        request("POST", "com.atproto.server.deleteSession", json={}),
    ],
)
def test_calls_that_are_not(lexicons: Lexicons, bad: httpx.Request) -> None:
    with pytest.raises((AssertionError, ValueError)):
        lexicons.request(bad)
