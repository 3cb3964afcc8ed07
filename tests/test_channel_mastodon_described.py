"""Every request of the Mastodon adapter, held to Mastodon's own OpenAPI description (4.7.0)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import respx
from support_mastodon import DATE, MESSAGE, SERVER, TOKEN, context_for, picture_at
from support_openapi import Spec

from cm.channels.contract import prepared
from cm.channels.mastodon.adapter import MastodonAdapter
from cm.channels.port import Pending, Visit

ME, POSTS = "/api/v1/accounts/verify_credentials", "/api/v1/statuses"
STATUS = {
    "id": "501",
    "url": f"{SERVER}/@tilleuls/501",
    "created_at": "2026-11-23T08:30:01.250Z",
    "content": "<p>x</p>",
    "spoiler_text": "Sang",
    "sensitive": True,
    "media_attachments": [{"id": "22", "description": "Ancien"}],
}
NODEINFO = ("/.well-known/nodeinfo", "/nodeinfo/2.0")
"""Not Mastodon's own, and not in its description."""


@pytest.fixture
def spec() -> Spec:
    return Spec.needed("mastodon", also=("lang",))  # `lang` is taken everywhere, and described here and there


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    app = {"client_id": "client", "client_secret": "secret"}
    with respx.mock(base_url=SERVER, assert_all_called=True) as router:
        router.get(ME).respond(json={"id": "7", "username": "tilleuls", "followers_count": 3}, headers=DATE)
        router.get("/api/v2/instance").respond(404)
        router.get("/api/v1/instance").respond(json={})
        router.get(NODEINFO[0]).respond(json={"links": [{"href": f"{SERVER}{NODEINFO[1]}"}]})
        router.get(NODEINFO[1]).respond(json={"software": {"name": "mastodon", "version": "4.7.0"}})
        router.post("/api/v2/media").respond(202, json={"id": "22", "url": None}, headers=DATE)
        router.get("/api/v1/media/22").respond(200, json={"id": "22"}, headers=DATE)
        router.post(POSTS).respond(json=STATUS)
        router.get(POSTS).mock(side_effect=[httpx.Response(200, json=[STATUS]), httpx.Response(404)])
        router.get(f"{POSTS}/501").respond(json=STATUS)
        router.put(f"{POSTS}/501").respond(json=STATUS)
        router.delete(f"{POSTS}/501").respond(json=STATUS)
        pages = [httpx.Response(200, json=[STATUS]), httpx.Response(200, json=[])]
        router.get("/api/v1/accounts/7/statuses").mock(side_effect=pages)
        router.post("/api/v1/apps").mock(
            side_effect=[httpx.Response(200, json=app), httpx.Response(422), httpx.Response(200, json=app)]
        )
        router.post("/oauth/token").respond(json={"access_token": TOKEN, "scope": "read write"})
        router.post("/oauth/revoke").respond(json={})
        yield router


@pytest.fixture
def adapter() -> Iterator[MastodonAdapter]:
    made = MastodonAdapter(context_for(SERVER, TOKEN))
    yield made
    made.close()


def everything(adapter: MastodonAdapter, folder: Path) -> list[Visit]:
    """All that the adapter can do; the pages that a person was sent to."""
    adapter.check()
    adapter.account_metrics()
    message = replace(
        MESSAGE,
        media=(picture_at(folder / "a.png"),),
        parent="500",
        fields={"warning": "Sang"},
        limits={},
        language="de-CH",
    )
    pending = adapter.prepare(message, {})
    assert isinstance(pending, Pending)
    for each in (message, replace(message, text="", link=None), replace(MESSAGE, visibility="direct")):
        adapter.send(prepared(adapter, each), key="k")
    adapter.listing(datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1))
    adapter.post_metrics(["501", "501"])
    adapter.post_metrics(["501"])
    adapter.edit("501", message)
    adapter.edit("501", MESSAGE)
    adapter.delete("501")
    visits = []
    for _n in range(2):
        visit = adapter.login_begin({}, redirect_uri="http://127.0.0.1:8731/")
        assert isinstance(visit, Visit)
        adapter.logout(adapter.login_finish({}, visit, {"code": "c"}))
        visits.append(visit)
    return visits


def check(spec: Spec, request: httpx.Request) -> None:
    """One request, where the description is at odds with what servers take put as it wants it:

    it knows JSON alone for tokens (RFC 6749 and 7009 want a form, and have `token_type_hint`), a list alone for
    `redirect_uris` (servers before 4.3 take a text alone), and has the name `media_attributes` as forms write it,
    with each of its objects as a text (the page on editing has objects).
    """
    path, body = urlsplit(str(request.url)).path, request.content
    if path.startswith("/oauth/"):
        form = dict(parse_qsl(body.decode()))
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert form.pop("token_type_hint", "access_token") == "access_token"
        spec.check(request.method, path, body=form)
        return
    if path != "/api/v1/apps" and request.method != "PUT":
        spec.check_request(request)
        return
    told: dict[str, Any] = json.loads(body)
    if isinstance(told.get("redirect_uris"), str):
        told["redirect_uris"] = [told["redirect_uris"]]
    attributes = told.pop("media_attributes", [])
    assert all(each.keys() == {"id", "description"} for each in attributes)
    told |= {"media_attributes[]": [json.dumps(each) for each in attributes]} if attributes else {}
    spec.check(request.method, path, request.url.params.multi_items(), told)


def test_every_request_is_one_that_mastodon_describes(
    adapter: MastodonAdapter, wire: respx.MockRouter, spec: Spec, tmp_path: Path
) -> None:
    visits = everything(adapter, tmp_path)
    requests = [call.request for call in wire.calls]
    for request in requests:
        if urlsplit(str(request.url)).path not in NODEINFO:
            check(spec, request)
    for visit in visits:
        page = urlsplit(visit.url)
        spec.check("GET", page.path, parse_qsl(page.query))
    assert [visit.pasted for visit in visits] == [False, True]
    assert {request.method for request in requests} == {"GET", "POST", "PUT", "DELETE"}


def test_what_mastodon_does_not_describe_is_noticed(spec: Spec) -> None:
    for odd in ({"status": "x", "spoiler": "y"}, {"status": "x", "sensitive": "perhaps"}):
        with pytest.raises(AssertionError):
            check(spec, httpx.Request("POST", f"{SERVER}{POSTS}", json=odd))
    with pytest.raises(AssertionError):
        check(spec, httpx.Request("PUT", f"{SERVER}{POSTS}/501", json={"status": "x", "visibility": "public"}))
