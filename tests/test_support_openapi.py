"""The checker of official descriptions notices what is not described: on a small description, and on the real ones."""

from typing import Any

import httpx
import pytest
from support_openapi import FILES, FORM, JSON, Spec

POST = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string", "maxLength": 10},
        "reply": {"$ref": "#/components/schemas/Reply"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "warning": {"type": "string", "nullable": True},
        "when": {"type": "string", "format": "date-time"},
        "anything": {"type": "object"},
        "by_language": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
REPLY = {"type": "object", "properties": {"to": {"type": "string"}, "deep": {"$ref": "#/components/schemas/Reply"}}}
FILM = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "part": {"type": "integer", "maximum": 9},
        "quiet": {"type": "boolean"},
    },
}
LIST = {
    "parameters": [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 40}},
        {"name": "only", "in": "query", "explode": False, "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
        {"name": "id", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"$ref": "#/components/parameters/Who"},
    ],
    "responses": {
        "200": {"content": {JSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Reply"}}}}}
    },
}
TWO = {"oneOf": [{"$ref": "#/components/schemas/Post"}, {"type": "object", "properties": {"text": {}, "poll": {}}}]}
SMALL: dict[str, Any] = {
    "openapi": "3.0.0",
    "paths": {
        "/posts": {
            "get": LIST,
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {JSON: {"schema": TWO}, FORM: {"schema": FILM}, "multipart/form-data": {"schema": FILM}},
                },
                "responses": {"204": {"description": "done"}},
            },
        },
        "/posts/mine": {"get": {"responses": {}}},
        "/posts/{id}.json": {
            "parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}],
            "delete": {"responses": {}},
        },
    },
    "components": {
        "schemas": {"Post": POST, "Reply": REPLY},
        "parameters": {"Who": {"name": "who", "in": "query", "required": True, "schema": {"type": "string"}}},
    },
}
WHO = ("who", "me")


@pytest.fixture
def spec() -> Spec:
    return Spec(SMALL, also=("lang",))


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/posts", [WHO, ("limit", "40"), ("only", "a,b"), ("id[]", "1"), ("id[]", "2"), ("lang", "en")], None),
        ("GET", "/posts/mine", [], None),
        ("DELETE", "/posts/12.json", [], None),
        ("POST", "/posts", [], {"text": "a", "warning": None, "tags": ["x"], "when": "2026-11-23T08:00:00Z"}),
        ("POST", "/posts", [], {"text": "a", "reply": {"deep": {"to": "1"}}, "by_language": {"fr": "é"}}),
        ("POST", "/posts", [], {"text": "a", "anything": {"goes": {"here": 1}}}),
        ("POST", "/posts", [], {"text": "fits both branches", "poll": 1}),
    ],
)
def test_what_is_described_passes(spec: Spec, method: str, path: str, query: Any, body: Any) -> None:
    spec.check(method, path, query, body)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "complaint"),
    [
        ("GET", "/nowhere", [], None, "is no path"),
        ("PUT", "/posts", [], {}, "knows no PUT"),
        ("GET", "/posts", [WHO, ("limits", "1")], None, "limits is no parameter"),
        ("GET", "/posts", [WHO, ("limit", "41")], None, "limit: 41 is greater"),
        ("GET", "/posts", [WHO, ("limit", "1"), ("limit", "2")], None, "one value"),
        ("GET", "/posts", [WHO, ("limit", "many")], None, "limit: 'many' is not of type"),
        ("GET", "/posts", [WHO, ("only", "a,c")], None, "only"),
        ("GET", "/posts", [], None, "parameter who is missing"),
        ("GET", "/posts", [WHO], {"text": "a"}, "knows no body"),
        ("DELETE", "/posts/x.json", [], None, "id: 'x' is not of type"),
        ("POST", "/posts", [], None, "body is missing"),
        ("POST", "/posts", [], {"text": "a", "txet": "b"}, "body.txet is no property"),
        ("POST", "/posts", [], {"text": "a", "reply": {"deep": {"of": "1"}}}, "body.reply.deep.of is no property"),
        ("POST", "/posts", [], {"text": "a", "tags": [1]}, "not valid under any"),
        ("POST", "/posts", [], {"text": "a", "by_language": {"fr": 1}}, "not valid under any"),
        ("POST", "/posts", [], {"text": "a", "when": "2026-11-23T08:00:00"}, "not valid under any"),
    ],
)
def test_what_is_not_described_fails(spec: Spec, method: str, path: str, query: Any, body: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        spec.check(method, path, query, body)


def request(**parts: Any) -> httpx.Request:
    return httpx.Request("POST", "https://social.example/posts", **parts)


def test_requests_are_read_as_they_went_out(spec: Spec) -> None:
    files = {"file": ("a.mp4", b"\x00\xff", "video/mp4")}
    spec.check_request(request(json={"text": "a"}))
    spec.check_request(request(data={"part": "3", "quiet": "true"}))
    spec.check_request(request(data={"part": "3"}, files=files))
    spec.check_request(httpx.Request("GET", "https://social.example/posts?who=me&only=a%2Cb"))
    with pytest.raises(AssertionError, match="part: 12 is greater"):
        spec.check_request(request(data={"part": "12"}, files=files))
    with pytest.raises(AssertionError, match=r"body\.chunk is no property"):
        spec.check_request(request(data={"chunk": "1"}, files=files))
    with pytest.raises(AssertionError, match="text/plain is not described"):
        spec.check_request(request(content=b"{}", headers={"Content-Type": "text/plain"}))


def test_answers_of_pretend_servers_are_held_to_it_too(spec: Spec) -> None:
    spec.check_answer("GET", "/posts", 200, [{"to": "1"}])
    spec.check_answer("POST", "/posts", 204, None)
    with pytest.raises(AssertionError, match="is no property"):
        spec.check_answer("GET", "/posts", 200, [{"from": "1"}])
    with pytest.raises(AssertionError, match="does not answer 201"):
        spec.check_answer("POST", "/posts", 201, {})


REAL = {
    "x": ("POST", "/2/tweets", {"text": "a", "reply": {"in_reply_to_tweet_id": "1"}}),
    "x-2.166": ("POST", "/2/tweets", {"text": "a", "reply": {"in_reply_to_tweet_id": "1"}}),
    "mastodon": ("POST", "/api/v1/statuses", {"status": "a", "media_ids": ["1"], "in_reply_to_id": "2"}),
    "discourse": ("POST", "/posts.json", {"title": "a", "raw": "b", "category": 3}),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_official_descriptions_are_read(name: str) -> None:
    spec = Spec.needed(name)
    method, path, body = REAL[name]
    spec.check(method, path, [], body)
    with pytest.raises(AssertionError, match=r"body\.no_such is no property"):
        spec.check(method, path, [], {**body, "no_such": "x"})
    with pytest.raises(AssertionError, match="no_such is no parameter"):
        spec.check(method, path, [("no_such", "x")], body)


def test_a_description_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "none", "no-such-file.json")
    assert Spec.load("none") is None
    with pytest.raises(pytest.skip.Exception, match=r"needs no-such-file\.json"):
        Spec.needed("none")
