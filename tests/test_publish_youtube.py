"""The engine on YouTube as it answers: a film over several runs, and nothing published twice."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support_publish import Desk, channel, make_workspace, open_desk
from support_youtube import CAPTIONS, CHANNEL, NOW, TOKEN, PretendYouTube, pretending, refused
from test_channel_films import film, mvhd, track

TEXT = "Le don de sang en deux minutes"
TV = channel(
    "@HopitalTilleuls",
    platform="youtube",
    adapter="youtube",
    settings={"channel": CHANNEL, "visibility": "public"},
    token="env:CM_TEST_TOKEN",
)
API = "youtube.googleapis.com"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendYouTube]:
    monkeypatch.setenv("CM_TEST_TOKEN", TOKEN)
    with pretending() as pretended:
        yield pretended


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = make_workspace(tmp_path / "w", {"tv": TV})
    (root / "media").mkdir(exist_ok=True)
    film(root / "media" / "don.mp4", mvhd(120), track(1920, 1080))
    (root / "media" / "don.vtt").write_text(CAPTIONS, encoding="utf-8")
    opened = open_desk(root, at=NOW)
    opened.tick()  # a workspace's first run is never late
    yield opened
    opened.close()


def planned(desk: Desk, **given: object) -> str:
    fields = {"title": "Donner son sang", "captions": "don.vtt"}
    return desk.add(TEXT, to="tv", media=["don.mp4"], fields=fields, **given)


def settled(desk: Desk, there: PretendYouTube, ident: str) -> str:
    """Let the engine run every minute until the post rests; their clock goes with ours."""
    for _n in range(40):
        desk.tick(minutes=1)
        there.now = max(there.now, desk.clock.now())
        if desk.state(ident) in ("published", "failed", "unconfirmed"):
            break
    return desk.state(ident)


def test_a_film_with_captions_and_a_first_comment_over_several_runs(desk: Desk, there: PretendYouTube) -> None:
    there.polls = 3
    ident = planned(desk, first_comment="Prenez rendez-vous")
    desk.tick()
    assert (desk.state(ident), there.public()) == ("scheduled", 0)
    assert settled(desk, there, ident) == "published"
    (video,) = there.videos.values()
    assert video["status"]["privacyStatus"] == "public"
    assert [each["text"] for each in there.captions.values()] == [CAPTIONS]
    assert [(each["video"], each["text"]) for each in there.comments.values()] == [(video["id"], "Prenez rendez-vous")]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_timeout_is_settled_once(desk: Desk, there: PretendYouTube, arrived: bool) -> None:
    """The film's own id tells whether it is public; if it surely is not, the same bytes go again."""
    ident = planned(desk)
    there.fail("PUT", "/youtube/v3/videos", httpx.ReadTimeout("late"), after=arrived)
    assert settled(desk, there, ident) == "published"
    sent = [request for request in there.sent("PUT", "/videos") if request.url.host == API]
    assert len(sent) == (1 if arrived else 2)
    assert len({request.content for request in sent}) == 1
    assert (len(there.videos), there.public()) == (1, 1)


def test_a_comment_in_doubt_is_not_written_twice(desk: Desk, there: PretendYouTube) -> None:
    ident = planned(desk, first_comment="Prenez rendez-vous")
    there.fail("POST", "/commentThreads", httpx.ReadTimeout("late"), after=True)
    assert settled(desk, there, ident) == "published"
    assert len(there.comments) == 1
    assert len(there.sent("POST", "/commentThreads")) == 1


def test_a_used_up_day_waits_for_the_next(desk: Desk, there: PretendYouTube) -> None:
    ident = planned(desk)
    there.fail("POST", "/videos", refused(403, "quotaExceeded", domain="youtube.quota"))
    desk.tick()
    assert desk.state(ident) == "scheduled"
    for _n in range(5):
        desk.tick(minutes=1)
    assert len(there.sent("POST", "/videos")) == 1, "nothing is asked while the day lasts"
    assert there.videos == {}


def test_a_post_that_is_never_sent_leaves_its_film_private(desk: Desk, there: PretendYouTube) -> None:
    there.polls = 1000
    ident = planned(desk)
    for _n in range(90):
        desk.tick(minutes=1)
    assert desk.state(ident) == "missed"
    (video,) = there.videos.values()
    assert (video["status"]["privacyStatus"], there.public()) == ("private", 0)
