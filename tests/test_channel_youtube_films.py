"""A film on its way to YouTube: in pieces and runs, cut off and resumed, worked on, given its captions; all private."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support_youtube import (
    CAPTIONS,
    CHANNEL,
    FILM,
    NOW,
    PretendYouTube,
    context_for,
    film_at,
    message_with,
    pretending,
    refused,
)
from test_channel_films import film as film_of
from test_channel_films import mvhd

from cm.channels.contract import prepared, sent
from cm.channels.port import AuthFailed, Media, Outgoing, Pending, Prepared, Rejected, Retryable
from cm.channels.youtube import uploads
from cm.channels.youtube.adapter import YouTubeAdapter


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


def test_the_address_is_kept_before_a_byte_goes(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    first = adapter.prepare(message, {})
    assert isinstance(first, Pending)
    assert first.not_before == NOW, "at once"
    assert there.sent("PUT", "/videos") == []
    second = adapter.prepare(message, json.loads(json.dumps(first.saved)))
    assert isinstance(second, Pending)
    assert second.not_before == NOW + timedelta(seconds=31)
    third = adapter.prepare(message, json.loads(json.dumps(second.saved)))
    assert isinstance(third, Pending)
    assert third.not_before == NOW + timedelta(seconds=46), "YouTube says how long it needs"
    ready = adapter.prepare(message, json.loads(json.dumps(third.saved)))
    assert isinstance(ready, Prepared)
    assert ready.expires_at is None
    assert len(there.videos) == 1


def test_a_long_film_goes_in_pieces_and_runs(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = 256 * 1024
    monkeypatch.setattr(uploads, "PIECE", piece)
    monkeypatch.setattr(uploads, "PER_RUN", 2 * piece)
    data = bytes(range(256)) * (5 * piece // 256) + b"the end"
    message = message_with(film_at(root / "media" / "long.mov", data, "video/quicktime"))
    saved = _saved(adapter, message, {})
    saved = _saved(adapter, message, saved)
    assert len(there.sessions["session-1"]["data"]) == 2 * piece
    saved = _saved(adapter, message, saved)
    saved = _saved(adapter, message, saved)
    (video,) = there.videos.values()
    assert video["data"] == data
    assert [request.headers["Content-Range"] for request in there.sent("PUT", "/videos")][-2:] == [
        f"bytes {4 * piece}-{5 * piece - 1}/{len(data)}",
        f"bytes {5 * piece}-{len(data) - 1}/{len(data)}",
    ]


def _saved(adapter: YouTubeAdapter, message: Outgoing, saved: dict[str, Any]) -> dict[str, Any]:
    pending = adapter.prepare(message, saved)
    assert isinstance(pending, Pending)
    told: dict[str, Any] = json.loads(json.dumps(pending.saved))
    return told


def test_a_cut_connection_goes_on_where_it_was(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    saved = _saved(adapter, message, {})
    there.piece_limit = 1000
    there.fail("PUT", "/videos", httpx.WriteError("cut"), span="bytes 0-", after=True)
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, saved)
    assert caught.value.saved == saved
    there.piece_limit = None
    _saved(adapter, message, saved)
    (video,) = there.videos.values()
    assert video["data"] == FILM
    asked, rest = there.sent("PUT", "/videos")[-2:]
    assert (asked.headers["Content-Range"], asked.headers["Content-Length"]) == (f"bytes */{len(FILM)}", "0")
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(FILM) - 1}/{len(FILM)}"


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("late"), httpx.Response(503), httpx.Response(200, text="<html>")])
def test_the_last_answer_is_lost_and_the_film_is_not_sent_again(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing, fault: Exception | httpx.Response
) -> None:
    saved = _saved(adapter, message, {})
    there.fail("PUT", "/videos", fault, span="bytes 0-", after=True)
    with pytest.raises(Retryable) as caught:
        adapter.prepare(message, saved)
    assert caught.value.saved == saved
    before = len(there.sent("PUT", "/videos"))
    _saved(adapter, message, saved)
    assert len(there.sent("PUT", "/videos")) == before + 1, "the session is asked, and tells the film's id"
    assert len(there.videos) == 1


@pytest.mark.parametrize("there_already", [b"", FILM])
def test_a_session_that_takes_nothing_more_is_not_asked_for_ever(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing, there_already: bytes
) -> None:
    saved = _saved(adapter, message, {})
    session = there.sessions["session-1"]
    there.piece_limit, session["data"] = 0, there_already
    if there_already:
        there.fail("PUT", "/videos", httpx.Response(308, headers={"Range": f"bytes=0-{len(FILM) - 1}"}))
    with pytest.raises(Retryable, match="takes nothing more"):
        adapter.prepare(message, saved)
    assert len(there.sent("PUT", "/videos")) == (1 if there_already else 2)


def test_another_server_takes_questions_and_films(root: Path, message: Outgoing) -> None:
    there = PretendYouTube()
    adapter = YouTubeAdapter(context_for(root, server="http://127.0.0.1:8900"))
    with respx.mock() as router:
        router.route(url__startswith="http://127.0.0.1:8900/").mock(side_effect=there.answer)
        assert adapter.check().remote_id == CHANNEL
        adapter.prepare(message, {})
    assert {request.url.path for request in there.requests} == {"/youtube/v3/channels", "/upload/youtube/v3/videos"}


def test_a_piece_without_an_id_at_the_end(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    saved = _saved(adapter, message, {})
    there.fail("PUT", "/videos", httpx.Response(201, json={"id": "../x"}), span="bytes 0-")
    with pytest.raises(Retryable, match="gave no id"):
        adapter.prepare(message, saved)


def test_the_address_of_an_upload_is_forgotten_when_all_is_there_and_never_shown(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    first = adapter.prepare(message, {})
    assert isinstance(first, Pending)
    saved = json.loads(json.dumps(first.saved))
    address = saved["film"]["session"]
    key = address.rpartition("=")[2].rpartition("/")[2]
    assert key not in repr(first)
    told = refused(403, "forbidden", f"You may not use {address} nor {address.partition('?')[2] or key}")
    there.fail("PUT", "/videos", told)
    with pytest.raises(AuthFailed) as caught:
        adapter.prepare(message, saved)
    assert "https://" not in caught.value.reason
    saved = _saved(adapter, message, saved)
    assert "id" in saved["film"]
    assert "session" not in saved["film"]
    older = {"film": {**saved["film"], "session": address}}
    assert "session" not in _saved(adapter, message, older)["film"]


def test_a_session_that_is_over_begins_anew(adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing) -> None:
    saved = _saved(adapter, message, {})
    there.sessions.clear()
    with pytest.raises(Retryable, match="has lost the film: it is uploaded anew") as caught:
        adapter.prepare(message, saved)
    assert caught.value.saved == {"film": {}}
    assert sent(adapter, message, "k").remote_id in there.videos


def test_another_film_is_another_upload(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    saved = _saved(adapter, message, {})
    other = replace(message, media=(film_at(root / "media" / "b.mp4", FILM + b"!"),))
    assert _saved(adapter, other, saved)["film"] != saved["film"]
    assert len(there.sessions) == 2


def test_a_changed_text_needs_no_second_upload(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    saved = _saved(adapter, message, _saved(adapter, message, {}))
    saved = _saved(adapter, message, saved)
    ready = adapter.prepare(replace(message, text="Autre texte", link=None), saved)
    assert isinstance(ready, Prepared)
    receipt = adapter.send(ready, key="k")
    assert there.videos[receipt.remote_id]["snippet"]["description"] == "Autre texte"


def test_an_address_that_is_not_googles_gets_no_token(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    for address in (
        "https://googleapis.com.evil.example/x",
        "http://www.googleapis.com/x",
        "https://u@a.googleapis.com",
    ):
        there.fail("POST", "/videos", httpx.Response(200, headers={"Location": address}))
        with pytest.raises(Retryable, match="not its own"):
            adapter.prepare(message, {})
        saved = {"film": {"sha256": message.media[0].sha256, "size": len(FILM), "session": address}}
        with pytest.raises(Retryable, match="not its own"):
            adapter.prepare(message, saved)
    assert {request.url.host for request in there.requests} == {"www.googleapis.com"}


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({"status": {"uploadStatus": "failed", "failureReason": "codec"}}, "a format that YouTube does not read"),
        ({"status": {"uploadStatus": "rejected", "rejectionReason": "duplicate"}}, "on YouTube already"),
        ({"status": {"uploadStatus": "rejected", "rejectionReason": "x\x1b[31m"}}, r"this film: x \[31m"),
        (
            {"processingDetails": {"processingStatus": "failed", "processingFailureReason": "transcodeFailed"}},
            "transcodeFailed",
        ),
        ({"processingDetails": {"processingStatus": "terminated"}}, "does not say why"),
        ({"status": {"uploadStatus": "deleted"}}, "not on YouTube any more"),
    ],
)
def test_a_film_that_youtube_cannot_use(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing, work: dict[str, object], said: str
) -> None:
    saved = _saved(adapter, message, _saved(adapter, message, {}))
    there.work = work
    with pytest.raises(Rejected, match=said) as caught:
        adapter.prepare(message, saved)
    assert (caught.value.field, caught.value.saved) == ("media", {"film": {}})


def test_a_film_that_is_not_known_everywhere_yet(
    adapter: YouTubeAdapter, there: PretendYouTube, message: Outgoing
) -> None:
    saved = _saved(adapter, message, _saved(adapter, message, {}))
    there.videos.clear()
    for _n in range(4):
        saved = _saved(adapter, message, saved)
    with pytest.raises(Rejected, match="another try uploads it anew"):
        adapter.prepare(message, saved)


def test_a_film_that_is_empty_changed_or_too_long(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    with pytest.raises(Rejected, match="is empty"):
        adapter.prepare(message_with(film_at(root / "media" / "e.mp4", b"")), {})
    message.media[0].path.write_bytes(b"another")
    with pytest.raises(Rejected, match="no longer the one"):
        adapter.prepare(message, {})
    long = film_at(root / "x.mp4", film_of(root / "long.mp4", mvhd(901)).read_bytes())
    with pytest.raises(Rejected, match="lasts 901 s; YouTube takes 900 s"):
        adapter.prepare(message_with(long, limits={"longest_seconds": 900}), {})
    assert there.requests == []


# --- captions ---------------------------------------------------------------------------------------------------------


def test_captions_go_beside_the_film(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    (root / "media" / "Film.VTT").write_text(CAPTIONS, encoding="utf-8-sig")
    told = replace(message, fields={"title": "T", "captions": "Film.VTT"})
    ready = prepared(adapter, told)
    (track,) = there.captions.values()
    assert (track["text"].removeprefix("\ufeff"), track["snippet"]["videoId"]) == (CAPTIONS, ready.body["video"]["id"])
    assert (track["snippet"]["language"], track["snippet"]["name"], there.public()) == ("fr", "", 0)


def test_captions_whose_answer_was_lost_or_that_changed_stand_there_once(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    path = root / "media" / "a.srt"
    path.write_text(CAPTIONS, encoding="utf-8")
    told = replace(message, fields={"captions": "a.srt"})
    saved = _saved(adapter, told, _saved(adapter, told, {}))
    saved = _saved(adapter, told, saved)
    there.fail("PUT", "/captions", httpx.ReadTimeout("late"), after=True)
    with pytest.raises(Retryable) as lost:
        adapter.prepare(told, saved)
    assert len(there.captions) == 1
    assert lost.value.saved is not None
    assert isinstance(adapter.prepare(told, lost.value.saved), Prepared)
    path.write_text(CAPTIONS.replace("tous", "toutes"), encoding="utf-8")
    assert isinstance(adapter.prepare(told, lost.value.saved), Prepared)
    (track,) = there.captions.values()
    assert "toutes" in track["text"]
    assert len(there.videos) == 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("../secret.srt", CAPTIONS.encode(), "below media/"),
        ("a.txt", CAPTIONS.encode(), "srt or .vtt"),
        ("a.srt", b"\xff\xfe1\0", "not written in UTF-8"),
        ("a.srt", b"just words", "from when to when"),
        ("none.srt", None, "No such file"),
        ("a\0.srt", None, "below media/"),
    ],
)
def test_what_are_no_captions_is_refused_before_anything_is_sent(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing, name: str, data: bytes, said: str
) -> None:
    if data is not None:
        (root / "media" / name).write_bytes(data)
    with pytest.raises(Rejected, match=said) as caught:
        adapter.prepare(replace(message, fields={"captions": name}), {})
    assert (caught.value.field, there.requests) == ("captions", [])


def test_a_link_out_of_media_is_no_way_out(
    adapter: YouTubeAdapter, there: PretendYouTube, root: Path, message: Outgoing
) -> None:
    (root / "secret.srt").write_text(CAPTIONS, encoding="utf-8")
    (root / "media" / "a.srt").symlink_to(root / "secret.srt")
    with pytest.raises(Rejected, match="below media/"):
        adapter.prepare(replace(message, fields={"captions": "a.srt"}), {})
    assert there.requests == []
