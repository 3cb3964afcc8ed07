"""LinkedIn against a pretend server that is as strict as the real one: the contract, and what is LinkedIn's own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from pydantic import ValidationError
from support_linkedin import (
    DATE,
    MEMBER,
    MESSAGE,
    NOW,
    PAGE,
    TOKEN,
    LinkedInServer,
    context_for,
    duplicate,
    invalid,
    media_at,
    pretending,
)

from cm.channels.contract import PICTURE, AdapterContract, prepared, sent, stored
from cm.channels.linkedin.adapter import LinkedInAdapter
from cm.channels.platforms import platform
from cm.channels.port import (
    AuthFailed,
    ChannelError,
    Context,
    Duplicate,
    Identity,
    Media,
    Outgoing,
    Pending,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    UnknownOutcome,
)

POSTS = "/rest/posts"
PLAIN = replace(MESSAGE, link=None)
CARD = replace(MESSAGE, fields={"card_title": "Nos offres", "card_description": "Infirmiers, aides-soignants"})


@pytest.fixture
def server() -> Iterator[LinkedInServer]:
    pretend = LinkedInServer()
    with pretending(pretend):
        yield pretend


@pytest.fixture
def adapter() -> Iterator[LinkedInAdapter]:
    made = LinkedInAdapter(context_for())
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "Léa Martin chambre 12.png")


class TestLinkedInContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[LinkedInAdapter]:
        return LinkedInAdapter

    @pytest.fixture
    def context(self, server: LinkedInServer) -> Context:
        return context_for()

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, server: LinkedInServer) -> Callable[[], int]:
        return lambda: len(server.posts)

    @pytest.fixture
    def alts_there(self, server: LinkedInServer) -> Callable[[str], list[str]]:
        return server.alts

    @pytest.fixture
    def text_there(self, server: LinkedInServer) -> Callable[[str], str]:
        return server.text


# --- who we are -------------------------------------------------------------------------------------------------------


def test_the_account_is_known_by_linkedins_own_name() -> None:
    adapter = LinkedInAdapter(context_for(account="@hopital-des-tilleuls"))
    assert adapter.identity() == Identity("linkedin", "www.linkedin.com", PAGE)


def test_check_tells_role_scopes_and_version(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window) == (PAGE, "hopital-des-tilleuls", 0)
    assert info.limits == {"api_version": "202609", "api_version_ends": "2027-09-15"}
    assert info.server_time == NOW


@pytest.mark.parametrize("roles", [[], [{"organization": PAGE, "role": "ANALYST"}], [{"role": "ADMINISTRATOR"}, "x"]])
def test_a_login_without_a_role_on_the_page(adapter: LinkedInAdapter, server: LinkedInServer, roles: list[Any]) -> None:
    server.roles = roles
    with pytest.raises(AuthFailed, match=f"may not publish on {PAGE}"):
        adapter.check()


def test_a_members_login_must_be_that_members(server: LinkedInServer) -> None:
    assert LinkedInAdapter(context_for(author=MEMBER)).check().remote_id == MEMBER
    with pytest.raises(AuthFailed, match=r"belongs to urn:li:person:782bbtaQ, the channel is urn:li:person:other"):
        LinkedInAdapter(context_for(author="urn:li:person:other")).check()


def test_a_channel_without_token(server: LinkedInServer) -> None:
    adapter = LinkedInAdapter(context_for(None))
    for call in (
        adapter.check,
        lambda: adapter.prepare(MESSAGE, {}),
        lambda: adapter.edit("urn:li:share:1", MESSAGE),
        lambda: adapter.send(Prepared({"path": POSTS, "json": {}}), key="k"),
    ):
        with pytest.raises(AuthFailed, match="no token"):
            call()
    assert server.requests == []


@pytest.mark.parametrize(
    "settings",
    [
        {"author": "hopital"},
        {"author": "urn:li:organization:1/../2"},
        {"author": "urn:li:share:1"},
        {"api_version": "2026-09"},
        {"api_version": "202613"},
        {"visibility": "private"},
        {"visibility": "direct", "author": MEMBER},
        {"token": "abc"},
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LinkedInAdapter.Settings.model_validate({"author": PAGE, **settings})


# --- the version ------------------------------------------------------------------------------------------------------


def test_every_call_names_the_configured_version(server: LinkedInServer, picture: Media) -> None:
    adapter = LinkedInAdapter(context_for(api_version="202603"))
    adapter.check()
    sent(adapter, replace(MESSAGE, media=(picture,)), "k")
    adapter.listing(NOW - timedelta(hours=1))
    rest = [each for each in server.requests if each.url.path.startswith("/rest/")]
    assert len(rest) == 5
    assert {each.headers["LinkedIn-Version"] for each in rest} == {"202603"}
    assert {each.headers["X-Restli-Protocol-Version"] for each in rest} == {"2.0.0"}


@pytest.mark.parametrize("missing", [False, True])
def test_a_version_that_is_answered_no_more_is_a_matter_of_configuration(server: LinkedInServer, missing: bool) -> None:
    adapter = LinkedInAdapter(context_for(api_version="202509"))
    if missing:
        body = {"status": 400, "code": "VERSION_MISSING", "message": "A version must be present."}
        server.fail_next("POST", POSTS, httpx.Response(400, json=body))
    with pytest.raises(AuthFailed, match=r"version 202509 .* set `api_version:`"):
        sent(adapter, MESSAGE, "k")
    assert server.posts == {}


# --- preparing --------------------------------------------------------------------------------------------------------


@pytest.mark.row("S14")
def test_3000_characters_are_taken_and_no_longer_one(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    limit = replace(PLAIN, text="é" * 2998 + "(😀")
    assert server.text(sent(adapter, limit, "k").remote_id) == limit.text
    with pytest.raises(Rejected, match=r"3001 characters, and LinkedIn takes 3000") as caught:
        adapter.prepare(replace(limit, text=limit.text + "!"), {})
    assert caught.value.field == "text"


def test_what_people_read_is_counted(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    """Backslashes and the name behind a mention do not count; the link does, unless a card shows it."""
    assert MESSAGE.link
    brackets = replace(PLAIN, text="(" * 3000)
    mention = replace(PLAIN, text="x" * 2995 + "@[FHF](urn:li:organization:1)")
    assert len(server.text(sent(adapter, brackets, "k").remote_id)) == 3000
    sent(adapter, mention, "k")
    fits = replace(MESSAGE, text="x" * (2999 - len(MESSAGE.link)))
    sent(adapter, fits, "k")
    with pytest.raises(Rejected):
        adapter.prepare(replace(fits, text=fits.text + "x"), {})
    sent(adapter, replace(CARD, text="x" * 3000), "k")


def test_the_same_is_counted_while_a_post_is_written() -> None:
    known = platform("linkedin", "linkedin")
    assert known is not None
    assert known.length("x" * 2997 + "@[FHF](urn:li:organization:1)") == 3000
    assert known.length("https://x.example/a_b") == len("https://x.example/a%5Fb")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parent": "urn:li:share:1"}, "parent"),
        ({"role": "comment"}, "parent"),
        ({"role": "comment", "parent": "115400000000000001/x"}, None),
        ({"role": "comment", "parent": "urn:li:share:1", "text": "x" * 1251, "link": None}, "text"),
        ({"role": "comment", "parent": "urn:li:share:1", "media": 1}, "media"),
        ({"visibility": "private"}, "visibility"),
        ({"visibility": "followers"}, "visibility"),
        ({"media": 21}, "media"),
        ({"media": 1, "mime": "image/webp"}, "media"),
        ({"media": 2, "mime": "video/mp4"}, "media"),
        ({"media": 1, "alt": "é" * 4087}, "media"),
        ({"media": 1, "mime": "video/mp4"}, "media"),
    ],
)
def test_what_linkedin_would_not_take_is_refused_before_anything_is_asked(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media, change: dict[str, Any], field: str | None
) -> None:
    """The last one: a film of fewer than 75,000 bytes."""
    mime, alt, count = change.pop("mime", "image/png"), change.pop("alt", ""), change.pop("media", 0)
    message = replace(MESSAGE, media=(replace(picture, mime=mime, alt=alt),) * count, **change)
    with pytest.raises(Rejected) as caught:
        adapter.prepare(message, {})
    assert caught.value.field == field
    assert server.requests == []


@pytest.mark.parametrize(
    ("wanted", "setting", "told"),
    [
        ("public", "public", "PUBLIC"),
        ("unlisted", "public", "LOGGED_IN"),
        ("public", "private", "CONNECTIONS"),
        ("private", "unlisted", "CONNECTIONS"),
    ],
)
def test_a_members_posts_may_be_narrower(server: LinkedInServer, wanted: str, setting: str, told: str) -> None:
    adapter = LinkedInAdapter(context_for(author=MEMBER, visibility=setting))
    receipt = sent(adapter, replace(PLAIN, visibility=wanted), "k")
    assert server.posts[receipt.remote_id]["visibility"] == told


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_text_and_link_arrive_whole(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    receipt = sent(adapter, MESSAGE, "k")
    assert server.text(receipt.remote_id) == f"{MESSAGE.text}\n{MESSAGE.link}"
    assert receipt.remote_id.startswith("urn:li:share:")
    assert receipt.permalink == f"https://www.linkedin.com/feed/update/{receipt.remote_id}/"
    assert receipt.published_at == NOW
    post = server.posts[receipt.remote_id]
    assert (post["author"], post["visibility"], post["lifecycleState"]) == (PAGE, "PUBLIC", "PUBLISHED")
    assert post["distribution"]["feedDistribution"] == "MAIN_FEED"
    assert "content" not in post


def test_a_card_is_what_the_post_brings_along(adapter: LinkedInAdapter, server: LinkedInServer, picture: Media) -> None:
    bare, pictured = sent(adapter, CARD, "k"), sent(adapter, replace(CARD, text="Avec image", media=(picture,)), "k")
    article = {"source": MESSAGE.link, "title": "Nos offres", "description": "Infirmiers, aides-soignants"}
    assert server.posts[bare.remote_id]["content"] == {"article": article}
    assert server.text(bare.remote_id) == MESSAGE.text, "the card shows the link"
    (urn,) = server.assets
    assert server.posts[pictured.remote_id]["content"] == {"article": article | {"thumbnail": urn}}


def test_several_pictures_keep_their_order_and_their_alt_texts(
    adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path
) -> None:
    pictures = tuple(media_at(tmp_path / f"{n}.png", PICTURE + bytes([n]), alt=f"Image {n}") for n in range(3))
    receipt = sent(adapter, replace(CARD, media=(*pictures[:2], replace(pictures[2], alt=""))), "k")
    assert server.alts(receipt.remote_id) == ["Image 0", "Image 1", ""]
    images = server.posts[receipt.remote_id]["content"]["multiImage"]["images"]
    stored_there = [server.assets[image["id"]]["parts"][0] for image in images]
    assert stored_there == [PICTURE + bytes([n]) for n in range(3)]
    assert str(MESSAGE.link) in server.text(receipt.remote_id), "beside several pictures no card can stand"
    assert not any("Martin" in str(each.url) for each in server.requests)


def test_a_film_goes_in_parts_and_is_waited_for(
    adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 4096 * 9  # 9 MiB: parts of 4, 4 and 1
    film = media_at(tmp_path / "film.mp4", data, "video/mp4", alt="")
    server.processing = 1
    message = replace(MESSAGE, media=(film,), fields={"title": "Portes ouvertes"})
    waiting = adapter.prepare(message, {})
    assert isinstance(waiting, Pending)
    assert waiting.not_before > NOW
    ready = adapter.prepare(message, json.loads(json.dumps(waiting.saved)))
    assert isinstance(ready, Prepared)
    ((urn, asset),) = server.assets.items()
    assert b"".join(asset["parts"][n] for n in range(3)) == data
    receipt = adapter.send(stored(ready), key="k")
    assert server.posts[receipt.remote_id]["content"] == {"media": {"id": urn, "title": "Portes ouvertes"}}


def test_an_upload_that_was_cut_off_goes_on_where_it_stopped(
    adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path
) -> None:
    film = media_at(tmp_path / "film.mp4", b"f" * (9 * 1024 * 1024), "video/mp4", alt="")
    message = replace(MESSAGE, media=(film,))
    cut = "/dms-uploads/7243000000000000001/1"
    server.fail_next("PUT", cut, httpx.ReadTimeout)
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, {})
    assert caught.value.saved is not None
    assert isinstance(adapter.prepare(message, json.loads(json.dumps(caught.value.saved))), Prepared)
    puts = [each.url.path[-1] for each in server.requests if each.method == "PUT"]
    assert puts == ["0", "1", "1", "2"]
    assert len(server.assets) == 1


def test_addresses_and_token_of_an_upload_are_kept_no_longer_than_needed_and_never_shown(
    adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path
) -> None:
    film = media_at(tmp_path / "film.mp4", b"f" * (9 * 1024 * 1024), "video/mp4", alt="")
    message = replace(MESSAGE, media=(film,))
    place = "/dms-uploads/7243000000000000001/1"
    said = f"https://www.linkedin.com{place} takes nothing, 7243000000000000001 is busy"
    server.fail_next("PUT", place, httpx.Response(503, json={"message": said}))
    with pytest.raises(Retryable, match="takes nothing, … is busy") as caught:
        adapter.prepare(message, {})
    assert "7243000000000000001" not in caught.value.reason
    (entry,) = (caught.value.saved or {})["media"]
    assert [bool(part["url"]) for part in entry["parts"]] == [False, True, True]
    entry["token"] = "canary-upload-token"
    server.processing = 1
    waiting = adapter.prepare(message, json.loads(json.dumps(caught.value.saved)))
    assert isinstance(waiting, Pending)
    finalized = json.loads(server.sent("POST", "/rest/videos")[-1].content)["finalizeUploadRequest"]
    assert finalized["uploadToken"] == "canary-upload-token"
    assert (waiting.saved["media"][0]["parts"], waiting.saved["media"][0]["token"]) == ([], "")
    assert "urn:li" not in repr(waiting)


def test_a_part_that_is_not_acknowledged_goes_again(
    adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path
) -> None:
    film = media_at(tmp_path / "film.mp4", b"f" * 80_000, "video/mp4", alt="")
    message = replace(MESSAGE, media=(film,))
    server.fail_next("PUT", "/dms-uploads/7243000000000000001/0", httpx.Response(201))
    with pytest.raises(Retryable, match="did not acknowledge") as caught:
        adapter.prepare(message, {})
    assert caught.value.saved is not None
    assert isinstance(adapter.prepare(message, caught.value.saved), Prepared)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_place_that_has_expired_is_asked_for_anew(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media, status: int
) -> None:
    server.fail_next("PUT", "/dms-uploads/7243000000000000001/0", httpx.Response(status, text="expired"))
    message = replace(MESSAGE, media=(picture,))
    with pytest.raises(Retryable, match="uploaded anew") as caught:
        adapter.prepare(message, {})
    assert caught.value.saved is not None
    assert isinstance(adapter.prepare(message, caught.value.saved), Prepared)
    assert len(server.assets) == 2


@pytest.mark.parametrize(
    "url", ["http://www.linkedin.com/dms-uploads/1/0", "https://linkedin.com.evil.example/x", "https://[", "file:///x"]
)
def test_the_token_goes_to_linkedin_alone(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media, url: str
) -> None:
    value = {"value": {"uploadUrl": url, "image": "urn:li:image:1"}}
    server.fail_next("POST", "/rest/images", httpx.Response(200, json=value))
    with pytest.raises(Retryable, match="not its own"):
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    assert [each.method for each in server.requests] == ["POST"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"status": "PROCESSING"}), None),
        (httpx.Response(200, json={"status": "PROCESSING_FAILED"}), Rejected),
        (httpx.Response(200, json={"status": "WAITING_UPLOAD"}), Retryable),
        (httpx.Response(200, json=[]), Retryable),
        (httpx.Response(500, text="oops"), Retryable),
        (httpx.Response(403, json={"status": 403, "code": "ACCESS_DENIED", "message": "no"}), "ready"),
    ],
)
def test_what_linkedin_says_of_a_picture(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media, answer: httpx.Response, kind: Any
) -> None:
    server.fail_next("GET", "/rest/images/urn%3Ali%3Aimage%3A7243000000000000001", answer)
    message = replace(MESSAGE, media=(picture,))
    if kind in (None, "ready"):
        assert isinstance(adapter.prepare(message, {}), Prepared if kind else Pending)
        return
    with pytest.raises(kind) as caught:
        adapter.prepare(message, {})
    assert not isinstance(caught.value, Rejected) or caught.value.field == "media"


@pytest.mark.parametrize("value", [None, {}, {"image": "urn:li:image:1"}, {"uploadUrl": "https://x.linkedin.com"}])
def test_a_place_of_another_shape(
    adapter: LinkedInAdapter, server: LinkedInServer, picture: Media, value: object
) -> None:
    server.fail_next("POST", "/rest/images", httpx.Response(200, json={"value": value}))
    with pytest.raises(Retryable, match="no place"):
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})


@pytest.mark.parametrize("part", [{}, "x", {"uploadUrl": "https://x", "firstByte": 5, "lastByte": 4}, {"firstByte": 0}])
def test_parts_of_another_shape(adapter: LinkedInAdapter, server: LinkedInServer, tmp_path: Path, part: object) -> None:
    film = media_at(tmp_path / "film.mp4", b"f" * 80_000, "video/mp4", alt="")
    value = {"value": {"video": "urn:li:video:1", "uploadInstructions": [part]}}
    server.fail_next("POST", "/rest/videos", httpx.Response(200, json=value))
    with pytest.raises(Retryable, match="no place"):
        adapter.prepare(replace(MESSAGE, media=(film,)), {})


# --- first comments ---------------------------------------------------------------------------------------------------


def test_a_first_comment_is_plain_text_under_the_post(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    post = sent(adapter, PLAIN, "k").remote_id
    comment = replace(MESSAGE, text="Offres (H/F) : @[FHF](urn:li:organization:1) #emploi", role="comment", parent=post)
    receipt = sent(adapter, comment, "k2")
    assert receipt.remote_id.startswith(f"urn:li:comment:({post},")
    assert server.text(receipt.remote_id) == f"Offres (H/F) : FHF #emploi\n{MESSAGE.link}", "no backslash"
    assert receipt.permalink == f"https://www.linkedin.com/feed/update/{post}/"
    adapter.edit(receipt.remote_id, replace(comment, text="Corrigé (H/F)", link=None))
    assert server.text(receipt.remote_id) == "Corrigé (H/F)"
    adapter.delete(receipt.remote_id)
    adapter.delete(receipt.remote_id)
    assert server.comments == {}
    assert list(server.posts) == [post]


@pytest.mark.parametrize("ident", ["6636062862760562688", "urn:li:comment:(urn:li:activity:72,6636062862760562688)"])
def test_the_name_of_a_comment_in_both_forms(adapter: LinkedInAdapter, server: LinkedInServer, ident: str) -> None:
    path = "/rest/socialActions/urn%3Ali%3Ashare%3A1/comments"
    server.fail_next("POST", path, httpx.Response(201, headers={**DATE, "x-restli-id": ident}))
    receipt = sent(adapter, replace(PLAIN, role="comment", parent="urn:li:share:1"), "k")
    assert receipt.remote_id == "urn:li:comment:(urn:li:share:1,6636062862760562688)"


# --- sending ----------------------------------------------------------------------------------------------------------


def test_a_resend_sends_the_very_same_bytes(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    ready = prepared(adapter, CARD)
    server.fail_next("POST", POSTS, httpx.ReadTimeout)
    with pytest.raises(UnknownOutcome):
        adapter.send(stored(ready), key="k")
    adapter.send(stored(ready), key="k")
    first, second = server.sent("POST", POSTS)
    assert first.content == second.content


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_stands_there_already_is_named(adapter: LinkedInAdapter, server: LinkedInServer, status: int) -> None:
    server.fail_next("POST", POSTS, duplicate("urn:li:ugcPost:7141138937766391808", status))
    with pytest.raises(Duplicate) as caught:
        sent(adapter, MESSAGE, "k")
    assert caught.value.existing == "urn:li:ugcPost:7141138937766391808"


def test_the_pretend_server_knows_duplicates_too(adapter: LinkedInAdapter, server: LinkedInServer) -> None:
    first = sent(adapter, MESSAGE, "k").remote_id
    with pytest.raises(Duplicate) as caught:
        sent(adapter, MESSAGE, "k")
    assert caught.value.existing == first


def told(status: int, code: str, said: str, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "code": code, "message": said, **more}, headers=DATE)


@pytest.mark.parametrize(
    ("answer", "kind", "more"),
    [
        (told(401, "EXPIRED_ACCESS_TOKEN", "The token expired", serviceErrorCode=65601), AuthFailed, "log in again"),
        (told(401, "REVOKED_ACCESS_TOKEN", "revoked", serviceErrorCode=65602), AuthFailed, "log in again"),
        (told(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token"), AuthFailed, "log in again"),
        (told(403, "ACCESS_DENIED", "Not enough permissions", serviceErrorCode=100), AuthFailed, "lacks a scope"),
        (told(400, "MISSING_FIELD", "x"), Rejected, None),
        (told(400, "INVALID_URN_TYPE", "x"), Rejected, None),
        (told(400, "INVALID_VALUE_BLANK_FIELD", "commentary is blank"), Rejected, "text"),
        (told(422, "", "ERROR :: /foo :: unrecognized field found but not allowed"), Rejected, None),
        (invalid("commentary", "FIELD_LENGTH_TOO_LONG", "too long"), Rejected, "text"),
        (invalid("/content/article/source", "INVALID_VALUE_FOR_FIELD", "no"), Rejected, "link"),
        (invalid("content/multiImage/images/0/altText", "INVALID_VALUE_FOR_FIELD", "no"), Rejected, "media"),
        (invalid("visibility", "INVALID_VALUE_FOR_FIELD", "no", 400), Rejected, "visibility"),
        (told(404, "NOT_FOUND", "gone"), Rejected, None),
        (told(409, "CONFLICT", "try again"), Retryable, None),
        (told(429, "TOO_MANY_REQUESTS", "Resource level throttle limit for calls to this resource is reached.",
              serviceErrorCode=101), RateLimited, 15.5 * 3600),
        (told(429, "TOO_MANY_REQUESTS", "Comment create throttled"), RateLimited, 60.0),
        (httpx.Response(429, headers={**DATE, "Retry-After": "120"}), RateLimited, 120.0),
        (httpx.Response(429), RateLimited, None),
        (httpx.Response(500, json={"status": 500, "message": "Internal"}), UnknownOutcome, None),
        (httpx.Response(502, text="<html>"), UnknownOutcome, None),
        (httpx.Response(504), UnknownOutcome, None),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), UnknownOutcome, None),
        (httpx.Response(201, headers=DATE), UnknownOutcome, None),
        (httpx.Response(201, headers={**DATE, "x-restli-id": "urn:li:person:1"}), UnknownOutcome, None),
        (httpx.Response(201, headers={"x-restli-id": "urn:li:share:1"}), UnknownOutcome, None),
        (httpx.Response(200, text="<html>"), UnknownOutcome, None),
        (httpx.ReadTimeout, UnknownOutcome, None),
        (httpx.RemoteProtocolError, UnknownOutcome, None),
        (httpx.ConnectError, Retryable, None),
    ],
)  # fmt: skip
def test_what_sending_may_meet(
    adapter: LinkedInAdapter, server: LinkedInServer, answer: Any, kind: type[ChannelError], more: Any
) -> None:
    ready = prepared(adapter, MESSAGE)
    server.fail_next("POST", POSTS, answer)
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert isinstance(caught.value, kind)
    assert TOKEN not in caught.value.reason
    if kind is AuthFailed:
        assert more in caught.value.reason
    if isinstance(caught.value, Rejected):
        assert caught.value.field == more
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == more
    assert len(server.sent("POST", POSTS)) == 1


@pytest.mark.parametrize(
    ("said", "scope"),
    [
        ("Resource level throttle APPLICATION DAY limit for calls to this resource is reached.", "app"),
        ("Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached.", "account"),
        ("Resource level throttle limit for calls to this resource is reached.", "account"),
    ],
)
def test_whose_limit_it_is(adapter: LinkedInAdapter, server: LinkedInServer, said: str, scope: str) -> None:
    server.fail_next("POST", POSTS, told(429, "", said))
    with pytest.raises(RateLimited) as caught:
        sent(adapter, MESSAGE, "k")
    assert caught.value.scope == scope


@pytest.mark.parametrize("body", [[], {"errorDetails": []}, {"errorDetails": {"inputErrors": ["x", {"input": 3}]}}])
def test_an_error_of_another_shape(adapter: LinkedInAdapter, server: LinkedInServer, body: object) -> None:
    server.fail_next("POST", POSTS, httpx.Response(422, json=body))
    with pytest.raises(Rejected):
        sent(adapter, MESSAGE, "k")


# --- previewing -------------------------------------------------------------------------------------------------------


def test_a_preview_shows_what_people_will_read(adapter: LinkedInAdapter, picture: Media) -> None:
    with respx.mock:  # no request is answered
        plain = adapter.preview(replace(MESSAGE, text="Merci (bis) @[FHF](urn:li:organization:1)"))
        card = adapter.preview(replace(CARD, media=(picture,)))
        comment = adapter.preview(replace(PLAIN, role="comment", text="x" * 1300))
    assert plain.text == f"Merci (bis) FHF\n{MESSAGE.link}"
    assert (plain.used, plain.most, plain.card) == (len(plain.text), 3000, None)
    assert any("card_title" in note for note in plain.notes)
    assert (card.text, card.card) == (MESSAGE.text, MESSAGE.link)
    assert any("no alt text" in note for note in card.notes)
    assert (comment.used, comment.most, comment.notes) == (1300, 1250, ())
