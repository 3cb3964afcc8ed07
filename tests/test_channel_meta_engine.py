"""Facebook and Instagram in real runs of the engine, from the stored login to the receipt."""

import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx
from support_facebook import FacebookServer
from support_instagram import PUBLIC, USER, InstagramServer
from support_meta import LOGIN, NOW, PAGE, SECRET, TOKEN, refusal
from support_pictures import png, quarters
from support_publish import Desk, channel, make_workspace, open_desk

from cm.clock import SettableClock
from cm.secrets.login import Login

MVHD = struct.pack(">I4s5I", 28, b"mvhd", 0, 0, 0, 1000, 10_000)
FILM = struct.pack(">I4s4s", 12, b"ftyp", b"isom") + struct.pack(">I4s", 8 + len(MVHD), b"moov") + MVHD
"""The least that is a film: ten seconds of nothing."""


def desk_with(root: Path, name: str, settings: dict[str, str]) -> Desk:
    """A workspace with one channel whose login is stored."""
    there = channel("tilleuls", platform=name, adapter=name, settings=settings)
    make_workspace(root, {name: there}, timezone="UTC")
    Login(name, None, root, SettableClock(NOW)).store(LOGIN)
    return open_desk(root, NOW)


@pytest.fixture
def facebook() -> Iterator[FacebookServer]:
    pretended = FacebookServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=pretended)
        yield pretended


@pytest.fixture
def page(tmp_path: Path, facebook: FacebookServer) -> Iterator[Desk]:
    desk = desk_with(tmp_path / "w", "facebook", {"page": PAGE})
    yield desk
    desk.close()


def test_a_post_with_its_first_comment_is_published(page: Desk, facebook: FacebookServer) -> None:
    ident = page.add("Semaine des dons", to="facebook", link="https://hopital.example/", first_comment="Rendez-vous ?")
    page.tick(minutes=1)
    assert page.state(ident) == "published"
    (post,) = facebook.posts.values()
    (comment,) = facebook.comments.values()
    assert (comment["post"], comment["message"]) == (post["id"], "Rendez-vous ?")
    assert post["link"].startswith("https://hopital.example/")


def test_an_answer_that_is_lost_is_found_and_nothing_is_sent_twice(page: Desk, facebook: FacebookServer) -> None:
    ident = page.add("Semaine des dons", to="facebook")
    facebook.fail_next("POST .*/feed", httpx.ReadTimeout, after=True)
    page.tick(minutes=1)
    assert page.state(ident) != "published"
    for _n in range(3):
        page.tick(minutes=1)
    assert page.state(ident) == "published"
    assert len(facebook.posts) == 1


def test_a_film_is_published_some_runs_later(page: Desk, facebook: FacebookServer) -> None:
    facebook.film = ["in_progress", "in_progress", "complete"]
    (page.root / "media" / "film.mp4").write_bytes(FILM)
    ident = page.add("Le don en une minute", to="facebook", media=["film.mp4"], alt=["Un don."])
    with respx.mock(assert_all_called=False) as router:
        router.route(host__regex=r"(graph|rupload)\.facebook\.com").mock(side_effect=facebook)
        page.tick(minutes=1)
        assert page.state(ident) != "published"
        for _n in range(3):
            page.tick(minutes=1)
    assert page.state(ident) == "published"
    assert [video["publishing"] for video in facebook.videos.values()] == ["complete"]


def test_a_login_that_died_needs_a_person_and_leaks_nothing(page: Desk, facebook: FacebookServer) -> None:
    ident = page.add("Semaine des dons", to="facebook")
    said = refusal(190, 460, message=f"The session of {TOKEN} has been invalidated")
    facebook.fail_next("POST .*/feed", said)
    page.tick(minutes=1)
    assert page.state(ident) != "published"
    kept = b"".join(
        path.read_bytes() for path in page.root.rglob("*") if path.is_file() and path.parent.name != "tokens"
    )
    assert TOKEN.encode() not in kept
    assert SECRET.encode() not in kept


def test_a_picture_becomes_a_jpeg_that_meta_can_fetch(tmp_path: Path) -> None:
    server = InstagramServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=server)
        desk = desk_with(tmp_path / "w", "instagram", {"user": USER, "public_media": PUBLIC})
        png(desk.root / "media" / "Léa chambre 12.png", quarters(400, 400))
        ident = desk.add("Le hall", to="instagram", media=["Léa chambre 12.png"], alt=["Le hall."])
        server.working = ["IN_PROGRESS", "FINISHED"]
        desk.tick(minutes=1)
        assert desk.state(ident) != "published"
        server.fail_next("POST .*/media_publish", httpx.ReadTimeout)
        for _n in range(6):
            desk.tick(minutes=2)
        assert desk.state(ident) == "published"
        desk.close()
    assert len(server.posts) == 1, "the container tells that it was not published; then the same one is"
    address = next(iter(server.containers.values()))["params"]["image_url"]
    assert address.startswith(PUBLIC)
    assert "chambre" not in address
    sent = tmp_path / "w" / "media" / address.removeprefix(PUBLIC)
    assert sent.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (refusal(9007, 2207027, status=500), True),
        (refusal(-2, 2207020, status=503), True),
        (refusal(100, 33, status=500), False),
        (refusal(9007, 2207027), False),
        (refusal(1), True),
    ],
)
def test_whatever_publishing_answers_there_is_one_container_and_at_most_one_post(
    tmp_path: Path, answer: httpx.Response, after: bool
) -> None:
    server = InstagramServer()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="graph.facebook.com").mock(side_effect=server)
        desk = desk_with(tmp_path / "w", "instagram", {"user": USER, "public_media": PUBLIC})
        png(desk.root / "media" / "hall.png", quarters(400, 400))
        ident = desk.add("Le hall", to="instagram", media=["hall.png"], alt=["Le hall."])
        server.fail_next("POST .*/media_publish", answer, after=after)
        for _n in range(8):
            desk.tick(minutes=2)
        assert desk.state(ident) == "published"
        desk.close()
    assert (len(server.containers), len(server.posts)) == (1, 1)
