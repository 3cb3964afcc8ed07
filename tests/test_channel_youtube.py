"""YouTube at the wire: the contract, every request held to Google's own description, what a post is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support_discovery import Discovery
from support_youtube import (
    API,
    CAPTIONS,
    CHANNEL,
    FILM,
    NOW,
    OTHER,
    PretendYouTube,
    context_for,
    film_at,
    message_with,
    pretending,
)

from cm.channels.contract import AdapterContract, prepared, put, sent, stored
from cm.channels.platforms import platform
from cm.channels.port import AuthFailed, Context, Identity, Media, Outgoing, Rejected
from cm.channels.youtube import limits
from cm.channels.youtube.adapter import YouTubeAdapter
from cm.channels.youtube.login import SCOPES
from cm.checks.content import compose
from cm.checks.formats import format_findings
from cm.model.facts import MediaContent


@pytest.fixture
def there() -> Iterator[PretendYouTube]:
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    return tmp_path


@pytest.fixture
def film(root: Path) -> Media:
    return film_at(root / "media" / "Léa Martin chambre 12.mp4")


@pytest.fixture
def message(film: Media) -> Outgoing:
    return message_with(film)


@pytest.fixture
def adapter(there: PretendYouTube, root: Path) -> Iterator[YouTubeAdapter]:
    made = YouTubeAdapter(context_for(root))
    yield made
    made.close()


class TestYouTubeContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[YouTubeAdapter]:
        return YouTubeAdapter

    @pytest.fixture
    def context(self, there: PretendYouTube, root: Path) -> Context:
        return context_for(root)

    @pytest.fixture
    def posts_there(self, there: PretendYouTube) -> Callable[[], int]:
        return there.public

    @pytest.fixture
    def text_there(self, there: PretendYouTube) -> Callable[[str], str]:
        return lambda remote_id: str(there.videos[remote_id]["snippet"]["description"])


# --- who --------------------------------------------------------------------------------------------------------------


def test_settings_and_identity(root: Path) -> None:
    adapter = YouTubeAdapter(context_for(root, app="press"))
    assert adapter.identity() == Identity("youtube", "www.youtube.com", CHANNEL, "press")
    assert adapter.hosts == ("youtube.googleapis.com", "www.googleapis.com", "oauth2.googleapis.com")
    assert YouTubeAdapter(context_for(root, server="http://127.0.0.1:8900")).hosts[0] == "127.0.0.1:8900"
    wrong = [
        {"channel": "@HopitalTilleuls"},
        {"channel": CHANNEL, "visibility": "private"},
        {"channel": CHANNEL, "tags": ["a" * 501]},
        {"channel": CHANNEL, "tags": ["a,b"]},
        {"channel": CHANNEL, "server": "http://elsewhere.example"},
    ]
    for given_ in wrong:
        with pytest.raises(ValidationError):
            YouTubeAdapter.Settings.model_validate(given_)


def test_tags_are_counted_as_youtube_does() -> None:
    assert limits.tags_length(["don", "santé publique"]) == 3 + 1 + 14 + 2
    assert limits.tags_length([]) == 0


def test_check_tells_channel_quota_and_clock(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    info = adapter.check()
    assert (info.remote_id, info.handle, info.key_window, info.server_time) == (CHANNEL, "@hopitaltilleuls", 0, NOW)
    assert info.limits == {"uploads_per_day": 100, "units_per_day": 10_000}
    there.channel_status = {"longUploadsStatus": "eligible"}
    assert adapter.check().limits["longest_seconds"] == 900


def test_the_login_of_another_channel_is_refused(adapter: YouTubeAdapter, there: PretendYouTube) -> None:
    there.channels = [OTHER]
    with pytest.raises(AuthFailed, match=f"is that of {OTHER}, the channel is {CHANNEL}"):
        adapter.check()
    there.channels = []
    with pytest.raises(AuthFailed, match="no channel at all"):
        adapter.check()


def test_no_token_and_a_wrong_one(there: PretendYouTube, root: Path, message: Outgoing) -> None:
    with pytest.raises(AuthFailed, match="no token"):
        YouTubeAdapter(context_for(root, None)).prepare(message, {})
    assert there.requests == []
    with pytest.raises(AuthFailed, match=r"Invalid Credentials \(authError\); log in again") as caught:
        YouTubeAdapter(context_for(root, "stale-token")).prepare(message, {})
    assert "stale-token" not in caught.value.reason


# --- what is a post ---------------------------------------------------------------------------------------------------


def test_what_is_refused_here_is_never_sent(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    film = message.media[0]
    refused = [
        (replace(message, media=()), "media", "nothing but films"),
        (replace(message, media=(film, film)), "media", "media"),
        (replace(message, media=(replace(film, mime="image/png"),)), "media", "not taken"),
        (replace(message, visibility="private"), "visibility", "seen by nobody"),
        (replace(message, visibility="direct"), "visibility", "seen by nobody"),
        (replace(message, fields={"title": "x" * 101}), "title", "101 characters, and YouTube takes 100"),
        (replace(message, fields={"title": "a < b"}), "title", "neither < nor >"),
        (replace(message, text="a > b"), "text", "neither < nor >"),
        (replace(message, text="", link=None, fields={}), "title", "needs a title"),
        (replace(message, text="é" * 2600, link=None), "text", "5200 bytes, and YouTube takes 5000"),
        (replace(message, parent="film0000001"), "parent", "no threads"),
        (replace(message, parent="film0000001", role="comment"), "media", "no media"),
        (replace(message, parent="film0000001", role="comment", media=(), text="x" * 10_001), "text", "10000"),
    ]
    for wrong, field, said in refused:
        with pytest.raises(Rejected, match=said) as caught:
            adapter.prepare(wrong, {})
        assert caught.value.field == field
    assert there.requests == []


@pytest.mark.row("S13")
def test_a_film_without_title_or_captions_is_reported(adapter: YouTubeAdapter, message: Outgoing) -> None:
    where = platform("youtube", "youtube")
    assert where is not None
    media = [MediaContent("film.mp4", "0" * 64, "video/mp4", "")]
    given_ = {"channel": "tv", "kind": "announcement", "language": "fr", "audiences": ("public",), "media": media}
    bare = [finding.rule for finding in format_findings(compose(text="Bonjour", **given_), where)]
    assert bare == ["film.title", "film.captions"]
    whole = compose(text="Bonjour", fields={"title": "Donner", "captions": "a.srt"}, **given_)
    assert list(format_findings(whole, where)) == []
    assert adapter.preview(replace(message, fields={})).notes == (
        "The film has no title of its own: the first line of the text is its title.",
    )


def test_the_preview_shows_title_and_description(adapter: YouTubeAdapter, message: Outgoing) -> None:
    shown = adapter.preview(message)
    assert shown.text.startswith("Donner son sang\n\nLe don de sang en deux minutes\n\n")
    assert shown.text.endswith("\nhttps://example.org/dons")
    assert (shown.used, shown.most, shown.unit, shown.notes) == (
        len(shown.text.removeprefix("Donner son sang\n\n").encode()),
        5000,
        "bytes",
        (),
    )
    assert adapter.preview(replace(message, text="é" * 3000)).used > 5000, "too long is told, not raised"
    comment = adapter.preview(replace(message, parent="film0000001", role="comment", text="Merci", link=None, media=()))
    assert (comment.text, comment.used, comment.most) == ("Merci", 5, 10_000)


@given(st.text(), st.text())
def test_a_title_is_always_one_line_of_what_was_given(title: str, text: str) -> None:
    named = limits.title(Outgoing(text, "fr", NOW, fields={"title": title}))
    assert named == " ".join(named.split())
    assert named in " ".join(title.split()) or named in " ".join(text.split())
    assert bool(named) == bool(title.strip() or text.strip())


# --- films ------------------------------------------------------------------------------------------------------------


def test_a_film_goes_up_private_and_one_call_makes_it_public(
    there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    adapter = YouTubeAdapter(context_for(root, tags=["hôpital", "don de sang"], category="27", synthetic_media=True))
    ready = stored(prepared(adapter, message))
    (video,) = there.videos.values()
    assert (video["data"], video["status"]["privacyStatus"], there.public()) == (FILM, "private", 0)
    before = len(there.requests)
    receipt = adapter.send(ready, key="k")
    assert len(there.requests) == before + 1
    assert receipt.permalink == f"https://www.youtube.com/watch?v={video['id']}"
    assert receipt.published_at == video["published"]
    assert video["status"] == {
        "privacyStatus": "public",
        "selfDeclaredMadeForKids": False,
        "containsSyntheticMedia": True,
        "embeddable": True,
        "license": "youtube",
        "publicStatsViewable": True,
    }
    snippet = video["snippet"]
    assert (snippet["title"], snippet["categoryId"], snippet["defaultLanguage"]) == ("Donner son sang", "27", "fr")
    assert snippet["tags"] == ["hôpital", "don de sang"]
    assert snippet["description"].endswith("🩸\nhttps://example.org/dons")
    assert not any(b"Martin" in request.content for request in there.requests)


@pytest.mark.parametrize(("channel", "post"), [("unlisted", "public"), ("public", "unlisted")])
def test_the_narrower_visibility_counts(
    there: PretendYouTube, root: Path, message: Outgoing, channel: str, post: str
) -> None:
    adapter = YouTubeAdapter(context_for(root, visibility=channel))
    receipt = sent(adapter, replace(message, visibility=post), "k")
    assert there.videos[receipt.remote_id]["status"]["privacyStatus"] == "unlisted"


def test_the_official_description_knows_every_request(
    there: PretendYouTube, adapter: YouTubeAdapter, root: Path, message: Outgoing
) -> None:
    """The pretend YouTube asks it whenever it is there; here it must be, and the rest of the tests rely on that."""
    discovery = Discovery.needed()
    (root / "media" / "a.vtt").write_text(CAPTIONS, encoding="utf-8")
    told = replace(message, fields={"captions": "a.vtt"})
    _ready, receipt = put(adapter, told, "k1")
    comment = replace(told, text="Merci", link=None, media=(), parent=receipt.remote_id, role="comment")
    second = sent(adapter, comment, "k2")
    adapter.check()
    adapter.listing(NOW)
    adapter.edit(receipt.remote_id, told)
    adapter.edit(second.remote_id, comment)
    adapter.post_metrics([receipt.remote_id])
    adapter.account_metrics()
    adapter.delete(second.remote_id)
    adapter.delete(receipt.remote_id)
    wanted = {"videos.insert", "videos.update", "videos.list", "videos.delete", "captions.insert", "captions.list"}
    wanted |= {"commentThreads.insert", "comments.update", "comments.delete", "channels.list", "playlistItems.list"}
    assert wanted <= {each.removeprefix("youtube.") for each in there.called}
    wrong = [
        httpx.Request("PUT", f"{API}/youtube/v3/videos?part=status", json={"id": "a", "status": {"privacy": "public"}}),
        httpx.Request(
            "PUT", f"{API}/youtube/v3/videos?part=status", json={"id": "a", "status": {"privacyStatus": "p"}}
        ),
        httpx.Request("GET", f"{API}/youtube/v3/videos?part=status&ids=a"),
        httpx.Request("GET", f"{API}/youtube/v3/videos?id=a"),
        httpx.Request("GET", f"{API}/youtube/v3/films?part=id"),
        httpx.Request("GET", f"{API}/youtube/v3/playlistItems?part=id&maxResults=51"),
    ]
    for request in wrong:
        with pytest.raises(AssertionError):
            discovery.check_request(request, SCOPES)
