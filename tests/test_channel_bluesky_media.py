"""Bluesky's media: uploaded once, named in time, films worked on by a service of their own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_bluesky import (
    DID,
    MESSAGE,
    NOW,
    PretendPds,
    Stored,
    context_for,
    logged_in,
    media_at,
    refused,
    serving,
    tiny_film,
)
from support_lexicon import Lexicons

from cm.channels.bluesky.adapter import BlueskyAdapter
from cm.channels.contract import prepared
from cm.channels.port import (
    ChannelError,
    Media,
    Outgoing,
    Pending,
    Prepared,
    RateLimited,
    Rejected,
    Retryable,
)


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    """Requests are held against the lexicons where those are there."""
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def login(pds: PretendPds) -> Stored:
    return logged_in(pds)


@pytest.fixture
def adapter(login: Stored) -> Iterator[BlueskyAdapter]:
    made = BlueskyAdapter(context_for(login))
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    return media_at(tmp_path / "Léa Martin chambre 12.png")


def record_of(adapter: BlueskyAdapter, message: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = prepared(adapter, message).body["request"]["record"]
    return found


# --- media ------------------------------------------------------------------------------------------------------------


def test_what_was_uploaded_is_not_uploaded_again(adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path) -> None:
    one, two = (media_at(tmp_path / f"{n}.png", b"picture %d" % n) for n in range(2))
    with pytest.raises(Rejected) as caught:
        adapter.prepare(replace(MESSAGE, media=(one, replace(two, path=tmp_path / "gone.png"))), {})
    saved = json.loads(json.dumps(caught.value.saved))
    ready = adapter.prepare(replace(MESSAGE, media=(one, two)), saved)
    assert isinstance(ready, Prepared)
    assert len(pds.calls("uploadBlob")) == 2
    assert ready.expires_at == NOW + timedelta(minutes=50), "blobs that no post names are thrown away"
    later = replace(MESSAGE, media=(one, two), created_at=NOW + timedelta(minutes=31))
    assert isinstance(adapter.prepare(later, saved), Prepared)
    assert len(pds.calls("uploadBlob")) == 4, "too old to rely on"


@pytest.mark.row("S13")
def test_a_film_is_worked_on_across_runs(adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path) -> None:
    message = replace(MESSAGE, media=(media_at(tmp_path / "f.mp4", tiny_film(), "video/mp4", "Visite du service"),))
    saved: dict[str, Any] = {}
    for _n in range(2):
        answer = adapter.prepare(message, saved)
        assert isinstance(answer, Pending)
        assert answer.not_before == NOW + timedelta(seconds=5)
        saved = json.loads(json.dumps(answer.saved))
    ready = adapter.prepare(message, saved)
    assert isinstance(ready, Prepared)
    embed = ready.body["request"]["record"]["embed"]
    assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", "Visite du service")
    assert embed["aspectRatio"] == {"width": 640, "height": 360}
    assert len(pds.calls("uploadVideo")) == 1
    (asked,) = pds.calls("getServiceAuth")
    assert dict(asked.url.params) == {
        "aud": "did:web:amanita.host.example",
        "lxm": "com.atproto.repo.uploadBlob",
        "exp": str(int(NOW.timestamp()) + 1800),
    }
    assert all(DID not in request.headers.get("authorization", "") for request in pds.calls("getJobStatus"))


@pytest.mark.parametrize(
    ("job", "kind", "again"),
    [
        ({"state": "JOB_STATE_FAILED", "failureCode": "encoding_failure", "message": "bad codec"}, Rejected, False),
        ({"state": "JOB_STATE_FAILED", "failureCode": "generic_failure", "error": "sorry"}, Retryable, True),
        ({"state": "JOB_STATE_COMPLETED"}, Retryable, False),
    ],
)
def test_a_film_that_fails(
    adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path, job: dict[str, Any], kind: type[ChannelError], again: bool
) -> None:
    message = replace(MESSAGE, media=(media_at(tmp_path / "f.mp4", tiny_film(), "video/mp4"),))
    answer = adapter.prepare(message, {})
    assert isinstance(answer, Pending)
    pds.jobs["job1"] = [job]
    with pytest.raises(kind) as caught:
        adapter.prepare(message, answer.saved)
    assert (caught.value.saved == {"media": [{}]}) is again, "a job that failed is not asked for again"


def test_a_film_that_the_service_had_before(adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path) -> None:
    known = {"jobId": "job0", "did": DID, "error": "already_exists", "state": "JOB_STATE_COMPLETED"}
    pds.faults["app.bsky.video.uploadVideo"] = [
        httpx.Response(409, json={**known, "blob": pds.blob(b"x", "video/mp4")})
    ]
    message = replace(MESSAGE, media=(media_at(tmp_path / "f.mp4", tiny_film(), "video/mp4"),))
    assert isinstance(adapter.prepare(message, {}), Prepared)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refused(401, "unconfirmed_email", "Please confirm your email"), Rejected),
        (refused(400, "InvalidRequest", "video is too long"), Rejected),
        (refused(429, "RateLimitExceeded", "Daily upload limit"), RateLimited),
        (httpx.Response(502, text="<html>"), Retryable),
        (httpx.ReadTimeout("slow"), Retryable),
    ],
)
def test_a_film_that_is_not_taken(
    adapter: BlueskyAdapter, pds: PretendPds, tmp_path: Path, fault: Any, kind: type[ChannelError]
) -> None:
    pds.faults["app.bsky.video.uploadVideo"] = [fault]
    with pytest.raises(kind) as caught:
        adapter.prepare(replace(MESSAGE, media=(media_at(tmp_path / "f.mp4", tiny_film(), "video/mp4"),)), {})
    assert "signed-for-the-film-service" not in caught.value.reason
    assert getattr(caught.value, "field", "media") == "media"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ReadTimeout("slow"), Retryable),
        (httpx.Response(200, json={}), Retryable),
        (httpx.Response(200, text="<html>"), Retryable),
        (refused(413, "PayloadTooLarge", "request entity too large"), Rejected),
        (httpx.Response(413, text="too large"), Rejected),
        (refused(429, "RateLimitExceeded", "Rate Limit Exceeded"), RateLimited),
    ],
)
def test_uploads_that_fail(
    adapter: BlueskyAdapter, pds: PretendPds, picture: Media, fault: Any, kind: type[ChannelError]
) -> None:
    pds.faults["com.atproto.repo.uploadBlob"] = [fault]
    with pytest.raises(kind) as caught:
        adapter.prepare(replace(MESSAGE, media=(picture,)), {})
    assert getattr(caught.value, "field", "media") == "media"
