"""Discourse against a pretend forum whose every request is held against the official description."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support_discourse import (
    BEYOND,
    DATE,
    KEY,
    MESSAGE,
    NOT_FOUND,
    NOT_PERMITTED,
    NOW,
    SERVER,
    DiscourseServer,
    context_for,
    picture_at,
    pretending,
    refusal,
)
from support_openapi import Spec

from cm.channels.contract import PICTURE, AdapterContract, prepared, sent, stored
from cm.channels.discourse import posting
from cm.channels.discourse.adapter import DiscourseAdapter
from cm.channels.port import (
    Absent,
    AuthFailed,
    CannotTell,
    ChannelError,
    Context,
    Duplicate,
    Found,
    Identity,
    Media,
    Numbers,
    Outgoing,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
    Sought,
    UnknownOutcome,
)

POSTS = "/posts.json"
SINCE = NOW - timedelta(minutes=15)
MEASURED = {"min_first_characters": 20, "min_characters": 5, "max_characters": 200, "min_title": 15, "max_title": 60}
LONG = replace(MESSAGE, text="Semaine des dons du sang\n\nRendez-vous lundi dans le hall.")
WANTED = Sought(MESSAGE.text, MESSAGE.link)


@pytest.fixture
def server() -> Iterator[DiscourseServer]:
    pretend = DiscourseServer()
    with pretending(pretend):
        yield pretend


@pytest.fixture
def adapter() -> Iterator[DiscourseAdapter]:
    made = DiscourseAdapter(context_for())
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return picture_at(tmp_path / "Léa Martin chambre 12.png")


class TestDiscourseContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[DiscourseAdapter]:
        return DiscourseAdapter

    @pytest.fixture
    def context(self, server: DiscourseServer) -> Context:
        return context_for()

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, server: DiscourseServer) -> Callable[[], int]:
        return lambda: len(server.standing())

    @pytest.fixture
    def parent_there(self, server: DiscourseServer) -> Callable[[str], str | None]:
        def parent(name: str) -> str | None:
            post = server.post(name)
            return f"{post['topic_id']}/{post['reply_to_post_number']}" if post["reply_to_post_number"] else None

        return parent

    @pytest.fixture
    def alts_there(self, server: DiscourseServer) -> Callable[[str], list[str]]:
        return server.alts

    @pytest.fixture
    def text_there(self, server: DiscourseServer) -> Callable[[str], str]:
        return lambda name: str(server.post(name)["raw"])


def test_every_request_is_held_against_the_official_description(
    server: DiscourseServer, adapter: DiscourseAdapter, picture: Media
) -> None:
    """The pretend forum does it in all tests; here it surely has the description."""
    server.spec = Spec.needed("discourse")
    first = sent(adapter, replace(MESSAGE, media=(picture,)), "k1").remote_id
    second = sent(adapter, replace(MESSAGE, parent=first), "k2").remote_id
    adapter.edit(first, replace(LONG, text="Autre titre\n\nRendez-vous lundi.", media=(picture,)))
    adapter.find(replace(WANTED, key="k3"), since=SINCE)
    adapter.delete(second)
    adapter.delete(first)
    DiscourseAdapter(context_for(category=12, tags=["sante"])).check()
    asked = {f"{each.method} {each.url.path}" for each in server.requests if not BEYOND.fullmatch(each.url.path)}
    assert asked == {
        "POST /uploads.json",
        "POST /posts.json",
        "GET /posts.json",
        "PUT /posts/901.json",
        "DELETE /posts/902.json",
        "GET /t/345.json",
        "PUT /t/-/345.json",
        "DELETE /t/345.json",
        "GET /t/external_id/k3.json",
        "GET /u/tilleuls.json",
        "GET /c/12/show.json",
    }


# --- who we are -------------------------------------------------------------------------------------------------------


def test_the_key_and_the_user_go_in_headers(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    adapter.check()
    assert {each.headers["Api-Key"] for each in server.requests} == {KEY}
    assert {each.headers["Api-Username"] for each in server.requests} == {"tilleuls"}
    assert not any("Authorization" in each.headers for each in server.requests)


def test_check_measures_the_forum(server: DiscourseServer) -> None:
    server.settings = {
        "min_first_post_length": 30,
        "max_post_length": 9000,
        "max_image_size_kb": 4096,
        "title": "Forum",
    }
    info = DiscourseAdapter(context_for(account="@tilleuls", category=12)).check()
    assert (info.remote_id, info.handle, info.key_window, info.server_time) == ("12", "Tilleuls", 0, NOW)
    assert info.limits == {"min_first_characters": 30, "max_characters": 9000, "image_size_limit": 4096 * 1024}


def test_the_account_is_known_by_forum_and_name() -> None:
    adapter = DiscourseAdapter(context_for(account="@Tilleuls"))
    assert adapter.identity() == Identity("discourse", "forum.example", "tilleuls")


@pytest.mark.parametrize(
    ("key", "settings", "said"),
    [("wrong-key-of-somebody", {}, "403"), (None, {}, "no token"), (KEY, {"category": 13}, "may not open topics"),
     (KEY, {"category": 14}, "may not open topics")],
)  # fmt: skip
def test_what_the_account_may_not_do_is_told(
    server: DiscourseServer, key: str | None, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(AuthFailed, match=said) as caught:
        DiscourseAdapter(context_for(key, **settings)).check()
    assert key is None or key not in caught.value.reason


@pytest.mark.parametrize("body", [[], {}, {"user": {"id": 3, "username": "autre"}}, {"user": {"username": "tilleuls"}}])
def test_another_user_than_configured(server: DiscourseServer, adapter: DiscourseAdapter, body: Any) -> None:
    server.fail_next("GET", "/u/tilleuls.json", httpx.Response(200, json=body))
    with pytest.raises(AuthFailed, match="no user tilleuls"):
        adapter.check()


@pytest.mark.parametrize(
    "settings", [{"server": "http://forum.example"}, {"category": 0}, {"tags": "sante"}, {"api_key": "x"}]
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DiscourseAdapter.Settings.model_validate({"server": SERVER, **settings})


def test_a_key_is_typed_in_and_kept_as_it_is(adapter: DiscourseAdapter) -> None:
    (ask,) = adapter.login_asks()
    assert (ask.key, ask.secret) == ("access_token", True)
    with respx.mock:  # no request is answered
        assert adapter.login_begin({"access_token": f" {KEY}\n"}, redirect_uri="") == {"access_token": KEY}
        adapter.logout({"access_token": KEY})


# --- topics and replies -----------------------------------------------------------------------------------------------


def test_a_topic_carries_our_key_and_stands_in_its_category(server: DiscourseServer) -> None:
    adapter = DiscourseAdapter(context_for(category=12, tags=["Sante"]))
    receipt = sent(adapter, LONG, "6f1f5f0e-0000-4000-8000-000000000001")
    (request,) = server.sent("POST", POSTS)
    assert json.loads(request.content) == {
        "title": "Semaine des dons du sang",
        "raw": f"Rendez-vous lundi dans le hall.\n{MESSAGE.link}",
        "category": 12,
        "tags": [{"id": 7, "name": "Sante"}],
        "external_id": "6f1f5f0e-0000-4000-8000-000000000001",
    }
    assert receipt.remote_id == "345/1"
    assert receipt.permalink == f"{SERVER}/t/un-sujet/345/1"
    assert receipt.published_at == NOW + timedelta(milliseconds=250)


@pytest.mark.parametrize("tags", [[{"id": "sante", "text": "sante"}], [{"name": "sante"}]])
def test_an_older_forum_takes_tags_as_texts(server: DiscourseServer, tags: list[dict[str, Any]]) -> None:
    server.tags = tags
    sent(DiscourseAdapter(context_for(tags=["sante"])), MESSAGE, "k")
    assert json.loads(server.sent("POST", POSTS)[0].content)["tags"] == ["sante"]


def test_a_tag_that_is_not_there_is_refused(server: DiscourseServer) -> None:
    with pytest.raises(Rejected, match="no tag 'dons'") as caught:
        DiscourseAdapter(context_for(tags=["dons"])).prepare(MESSAGE, {})
    assert caught.value.field == "tags"


@pytest.mark.parametrize(
    ("text", "fields", "title", "written"),
    [
        ("Une ligne seule", {}, "Une ligne seule", "Une ligne seule"),
        ("Titre ici\n\nTexte", {}, "Titre ici", "Texte"),
        ("\n Titre  ici \nTexte\nsuite", {}, "Titre ici", "Texte\nsuite"),
        ("Titre ici\n\nTexte", {"title": " Autre\ntitre "}, "Autre titre", "Titre ici\n\nTexte"),
        ("mot " * 100 + "\nTexte", {}, ("mot " * 63).strip() + "…", "mot " * 100 + "\nTexte"),
    ],
)
def test_where_the_title_comes_from(text: str, fields: dict[str, str], title: str, written: str) -> None:
    message = replace(MESSAGE, text=text, link=None, fields=fields)
    assert (posting.title(message), posting.written(message)) == (title, written)


def test_a_thread_is_answers_to_answers(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    first = sent(adapter, LONG, "k1")
    second = sent(adapter, replace(MESSAGE, text="2/3", parent=first.remote_id), "k2")
    third = sent(adapter, replace(MESSAGE, text="3/3", parent=second.remote_id), "k3")
    assert [first.remote_id, second.remote_id, third.remote_id] == ["345/1", "345/2", "345/3"]
    assert json.loads(server.sent("POST", POSTS)[2].content) == {
        "topic_id": 345,
        "reply_to_post_number": 2,
        "raw": f"3/3\n{MESSAGE.link}",
    }


def test_pictures_stand_in_the_text(server: DiscourseServer, adapter: DiscourseAdapter, picture: Media) -> None:
    odd = replace(picture, alt="Une [salle] | l'accueil\nvide \\")
    receipt = sent(adapter, replace(LONG, media=(picture, odd)), "k")
    raw = server.post(receipt.remote_id)["raw"]
    assert raw.splitlines()[-2:] == [
        "![Une infirmière sourit.|690x388](upload://abc1.png)",
        r"![Une \[salle\] / l'accueil vide \\|690x388](upload://abc2.png)",
    ]
    upload = server.sent("POST", "/uploads.json")[0]
    assert b"Martin" not in upload.content
    assert PICTURE in upload.content


@settings(deadline=None)
@given(st.text().filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_alt_texts_survive_markdown(alt: str) -> None:
    """But for lines, and the one sign that cannot be escaped there."""
    markdown = f"Texte {posting.picture(alt, 'upload://a.png', '1x1')} suite"
    assert posting.pictures(markdown) == [(" ".join(alt.split()).replace("|", "/"), "1x1", "upload://a.png")]
    assert posting.without_pictures(markdown) == "Texte  suite"


def test_an_upload_is_not_repeated_unless_it_is_old(
    server: DiscourseServer, adapter: DiscourseAdapter, picture: Media, tmp_path: Path
) -> None:
    gone = replace(picture, path=tmp_path / "gone.png", sha256="0" * 64)
    with pytest.raises(Rejected) as caught:
        adapter.prepare(replace(MESSAGE, media=(picture, gone)), {})
    saved = json.loads(json.dumps(caught.value.saved))
    for later, count in ((timedelta(hours=12), 1), (timedelta(hours=13), 2)):
        adapter.prepare(replace(MESSAGE, media=(picture,), created_at=NOW + later), saved)
        assert len(server.sent("POST", "/uploads.json")) == count


# --- what would be refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "Semaine des dons du sang", "link": None}, None),
        ({"text": "Dons du sang", "link": None}, "text"),
        ({"text": "Dons du sang", "fields": {"title": "Semaine des dons du sang"}}, None),
        ({"text": "Dons\n" + "x" * 30}, "title"),
        ({"text": "Semaine des dons du sang\n" + "x" * 201}, "text"),
        ({"text": "Semaine des dons du sang\n" + "x" * 172}, "text"),
        ({"text": "Semaine des dons du sang\n" + "x" * 171}, None),
        ({"text": "x" * 61, "link": None}, "title"),
        ({"text": "Oui !", "link": None, "parent": "345/1"}, None),
        ({"text": "Oui", "link": None, "parent": "345/1"}, "text"),
        ({"parent": "x"}, None),
        ({"role": "comment"}, None),
        ({"visibility": "private"}, "visibility"),
        ({"limits": MEASURED | {"image_size_limit": 10}, "media": 1}, "media"),
        ({"mime": "video/mp4", "media": 1}, "media"),
    ],
)
def test_what_the_forum_surely_refuses_is_not_sent(
    server: DiscourseServer, adapter: DiscourseAdapter, picture: Media, change: dict[str, Any], field: str | None
) -> None:
    picture = replace(picture, mime=change.pop("mime", "image/png"))
    message = replace(MESSAGE, **{"limits": MEASURED, **change, "media": (picture,) * change.get("media", 0)})
    if field is None and message.parent != "x" and message.role != "comment":
        assert isinstance(adapter.prepare(message, {}), Prepared)
        return
    with pytest.raises(Rejected) as caught:
        adapter.prepare(message, {})
    assert caught.value.field == field
    assert server.requests == []


# --- sending ----------------------------------------------------------------------------------------------------------


def test_what_waits_for_approval_is_neither_published_nor_sent_again(
    server: DiscourseServer, adapter: DiscourseAdapter
) -> None:
    server.wrote("Un autre message", username="autre", created_at="2026-11-22T08:00:00Z")
    server.approves = True
    with pytest.raises(UnknownOutcome, match="keeps it for approval"):
        sent(adapter, MESSAGE, "key-1")
    wanted = replace(WANTED, key="key-1")
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, CannotTell)
    assert "approval" in answer.reason
    server.queued[0]["status"] = 2  # a moderator has refused it
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=False), "nobody asks the moderators twice"
    server.queued[0]["status"] = 1  # or has taken it: the topic has lost our key
    server.wrote(server.queued[0]["payload"]["raw"], title=server.queued[0]["payload"]["title"])
    answer = adapter.find(wanted, since=SINCE)
    assert isinstance(answer, Found)
    assert not answer.certain
    assert len(server.sent("POST", POSTS)) == 1


def test_the_nested_shape_of_the_answer_is_read_too(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    post = {"id": 901, "topic_id": 9, "post_number": 1, "created_at": "2026-11-23T08:30:00.000Z"}
    nested = {"action": "create_post", "success": True, "post": post}
    server.fail_next("POST", POSTS, httpx.Response(200, json=nested, headers=DATE))
    receipt = sent(adapter, MESSAGE, "k")
    assert (receipt.remote_id, receipt.permalink) == ("9/1", f"{SERVER}/t/-/9/1")


def test_a_resend_sends_the_very_same_bytes(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    ready = prepared(adapter, MESSAGE)
    server.fail_next("POST", POSTS, httpx.ReadTimeout)
    with pytest.raises(UnknownOutcome):
        adapter.send(stored(ready), key="k")
    adapter.send(stored(ready), key="k")
    first, second = server.sent("POST", POSTS)
    assert first.content == second.content


def test_our_key_is_taken_once(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    sent(adapter, MESSAGE, "k")
    with pytest.raises(Duplicate):
        sent(adapter, MESSAGE, "k")
    assert len(server.standing()) == 1


WAIT = {
    "errors": ["You've performed this action too many times, please try again later."],
    "error_type": "rate_limit",
    "extras": {"wait_seconds": 12},
}


@pytest.mark.parametrize(
    ("answer", "kind", "more"),
    [
        (httpx.Response(429, json=WAIT, headers={**DATE, "Retry-After": "13"}), RateLimited, 13.0),
        (httpx.Response(429, json=WAIT), RateLimited, 12.0),
        (httpx.Response(429, text="Slow down, too many requests.", headers={"Retry-After": "9"}), RateLimited, 9.0),
        (httpx.Response(429, json={"extras": {"wait_seconds": "soon"}}), RateLimited, None),
        (httpx.Response(403, json=NOT_PERMITTED), AuthFailed, None),
        (httpx.Response(403, json={"errors": ["x"], "error_type": "not_logged_in"}), AuthFailed, None),
        (httpx.Response(404, json=NOT_FOUND), Rejected, None),
        (refusal("Title is too short (minimum is 15 characters)"), Rejected, "title"),
        (refusal("Body is too short (minimum is 20 characters)"), Rejected, "text"),
        (refusal("Body seems unclear, is it a complete sentence?"), Rejected, "text"),
        (refusal("Category can't be blank"), Rejected, None),
        (refusal("Body is too similar to what you recently posted"), Duplicate, None),
        (refusal("Title has already been used"), Duplicate, None),
        (refusal("External ID has already been taken"), Duplicate, None),
        (httpx.Response(422, text="<html>"), Rejected, None),
        (httpx.Response(409, json={"errors": ["conflict"]}), Retryable, None),
        (httpx.Response(503, json={"errors": ["read only"], "error_type": "read_only"}), Retryable, None),
        (httpx.Response(503, text="<html>maintenance"), UnknownOutcome, None),
        (httpx.Response(502, text="<html>"), UnknownOutcome, None),
        (httpx.Response(200, text="<html>"), UnknownOutcome, None),
        (httpx.Response(200, json={"success": True}), UnknownOutcome, None),
        (httpx.Response(200, json=[]), UnknownOutcome, None),
        (httpx.ReadTimeout, UnknownOutcome, None),
        (httpx.ConnectError, Retryable, None),
    ],
)
def test_what_sending_may_meet(
    server: DiscourseServer, adapter: DiscourseAdapter, answer: Any, kind: type[ChannelError], more: Any
) -> None:
    ready = prepared(adapter, MESSAGE)
    server.fail_next("POST", POSTS, answer)
    with pytest.raises(kind) as caught:
        adapter.send(ready, key="k")
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", more) == more
    assert getattr(caught.value, "field", more) == more
    assert KEY not in caught.value.reason
    assert len(server.sent("POST", POSTS)) == 1


def test_a_reply_to_what_is_gone_is_about_the_parent(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    with pytest.raises(Rejected) as caught:
        sent(adapter, replace(MESSAGE, parent="999/1"), "k")
    assert caught.value.field == "parent"


# --- afterwards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrived", [True, False])
def test_a_topic_is_looked_up_by_our_key(server: DiscourseServer, adapter: DiscourseAdapter, arrived: bool) -> None:
    server.wrote("Un autre message", username="autre", created_at="2026-11-22T08:00:00Z")
    ready = prepared(adapter, LONG)
    if arrived:
        adapter.send(ready, key="key-1")
    answer = adapter.find(Sought(LONG.text, LONG.link, key="key-1"), since=SINCE)
    if not arrived:
        assert answer == Absent(authoritative=True)
        return
    assert isinstance(answer, Found)
    assert answer.certain
    assert [seen.remote_id for seen in answer.sightings] == ["346/1"]


@pytest.mark.parametrize("change", ["no key", "no staff", "deleted", "a reply"])
def test_an_absence_is_sure_only_where_everything_can_be_seen(
    server: DiscourseServer, adapter: DiscourseAdapter, change: str
) -> None:
    parent = server.wrote("Un autre message", username="autre", created_at="2026-11-22T08:00:00Z")
    wanted = replace(WANTED, key=None if change == "no key" else "key-1")
    if change == "no staff":
        server.staff = False
    if change == "a reply":
        wanted = replace(wanted, parent=f"{parent['topic_id']}/1")
    if change == "deleted":
        adapter.delete(sent(adapter, MESSAGE, "key-1").remote_id)
    assert adapter.find(wanted, since=SINCE) == Absent(authoritative=False)


def test_a_title_made_prettier_is_still_ours(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    server.wrote(f"Venez\n{MESSAGE.link}", title="Semaine des dons du sang !")
    (seen,) = adapter.listing(SINCE).sightings
    assert adapter.looks_like(Sought("semaine des dons du sang !!!\n\nVenez", MESSAGE.link), seen)
    assert adapter.looks_like(Sought("Venez", MESSAGE.link), seen), "the title was a field"
    assert not adapter.looks_like(Sought("Semaine du don\n\nVenez", MESSAGE.link), seen)
    assert not adapter.looks_like(Sought("Semaine des dons du sang !", MESSAGE.link), seen)


def test_the_listing_goes_back_through_the_forums_newest(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    old = server.wrote("Avant", created_at="2026-11-23T08:00:00Z")
    for n in range(120):
        server.wrote(f"Message {n}", username="autre" if n % 60 else "tilleuls", topic=old["topic_id"])
    server.wrote("Note", topic=old["topic_id"], post_type=3)
    listing = adapter.listing(SINCE)
    assert listing.complete
    assert [seen.text for seen in listing.sightings] == ["Message 0", "Message 60"]
    assert [seen.parent for seen in listing.sightings] == ["345/1", "345/1"]
    assert [dict(each.url.params) for each in server.sent("GET", POSTS)] == [{}, {"before": "972"}, {"before": "922"}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"latest_posts": None}), Retryable),
        (httpx.Response(200, json=[]), Retryable),
        (httpx.Response(403, json=NOT_PERMITTED), AuthFailed),
        (httpx.Response(500), Retryable),
        (httpx.Response(200, json={"latest_posts": []}), None),
        (httpx.Response(200, json={"latest_posts": [{"raw": 3}]}), None),
    ],
)
def test_a_listing_of_another_shape(
    server: DiscourseServer, adapter: DiscourseAdapter, answer: httpx.Response, kind: type[ChannelError] | None
) -> None:
    server.fail_next("GET", POSTS, answer)
    if kind is None:
        assert not adapter.listing(SINCE).complete
        return
    with pytest.raises(kind):
        adapter.listing(SINCE)


def test_a_correction_keeps_pictures_and_changes_the_title(
    server: DiscourseServer, adapter: DiscourseAdapter, picture: Media
) -> None:
    name = sent(adapter, replace(LONG, media=(picture, picture)), "k").remote_id
    changed = replace(LONG, text="Semaine du don\n\nCorrigé", media=(replace(picture, alt="Autre"),))
    adapter.edit(name, changed)
    adapter.edit(name, changed)
    assert server.titles[345] == "Semaine du don"
    assert server.post(name)["raw"].startswith(f"Corrigé\n{MESSAGE.link}")
    assert server.alts(name) == ["Autre", picture.alt]
    assert len(server.sent("PUT", "/t/-/345.json")) == 1


def test_a_reply_goes_alone_and_a_topic_as_a_whole(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    first = sent(adapter, LONG, "k1").remote_id
    second = sent(adapter, replace(MESSAGE, parent=first), "k2").remote_id
    adapter.delete(second)
    assert [post["post_number"] for post in server.standing()] == [1]
    server.wrote("Une réponse", username="autre", topic=345)
    with pytest.raises(AuthFailed):
        DiscourseAdapter(context_for("another-key-of-somebody")).delete(first)
    server.posts = [post for post in server.posts if post["deleted_at"] is None]
    adapter.delete(first)
    adapter.delete(first)
    assert server.standing() == []


def test_figures(server: DiscourseServer, adapter: DiscourseAdapter) -> None:
    name = sent(adapter, MESSAGE, "k").remote_id
    assert adapter.post_metrics([name, "345/9"]) == {name: Numbers(reach=3, reactions=4, comments=1)}


def test_a_preview_shows_the_title_too(adapter: DiscourseAdapter) -> None:
    with respx.mock:  # no request is answered
        preview = adapter.preview(LONG)
    assert preview.text == f"Semaine des dons du sang\n\nRendez-vous lundi dans le hall.\n{MESSAGE.link}"
    assert (preview.used, preview.most) == (len(preview.text) - 26, 32_000)
