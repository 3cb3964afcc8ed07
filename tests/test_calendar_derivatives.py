"""Pictures of a post: made to fit and cleaned when it is written, and sent in the place of the original."""

import hashlib
import shutil
from pathlib import Path

import pytest
from PIL import Image
from support_calendar import add, csv_of, make_env, row
from support_pictures import CANARIES, gif, heic, jpeg, quarters, tiny
from support_publish import Desk, channel, make_workspace, open_desk
from test_channel_films import LOCATED, film, mvhd

from cm.calendar import derivatives, posts
from cm.calendar.drafting import post_changes
from cm.calendar.importing import import_posts
from cm.channels.platforms import platform
from cm.env import Env
from cm.errors import Refused

IMAGE_PLATFORMS = ("bluesky", "discourse", "facebook", "instagram", "linkedin", "mastodon", "x")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    made = make_env(tmp_path)
    (made.root / "media").mkdir(exist_ok=True)
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    opened = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page"), "tweets": channel("t", platform="x")}))
    yield opened
    opened.close()


def sent(root: Path) -> list[Path]:
    return sorted((root / derivatives.FOLDER).glob("*"))


def test_it_is_said_what_becomes_of_a_picture(env: Env) -> None:
    heic(env.root / "media" / "photo.heic", 400, 300, 6)
    (env.root / "media" / "plain.jpg").write_bytes(tiny())
    view = add(env, media=("photo.heic", "plain.jpg"))
    assert [note for note in view.notes if "→" in note] == ["photo.heic → JPEG 300×400, location removed"]
    assert [(medium.path, medium.mime) for medium in view.media] == [
        ("photo.heic", "image/heic"),
        ("plain.jpg", "image/jpeg"),
    ]
    assert view.media[0].sha256 == hashlib.sha256((env.root / "media" / "photo.heic").read_bytes()).hexdigest()
    assert len(sent(env.root)) == 2


def test_an_edit_and_an_import_say_it_too(env: Env) -> None:
    heic(env.root / "media" / "photo.heic", 400, 300, 6)
    view = add(env, ref="one")
    assert posts.edit(env, view.id, post_changes(media=("photo.heic",))).notes == (
        "photo.heic → JPEG 300×400, location removed",
    )
    done = import_posts(env, csv_of([row(ref="two", media="photo.heic", time="11:00")]), filename="a.csv")
    assert [note["message"] for note in done.notes if "→" in note["message"]] == [
        "photo.heic → JPEG 300×400, location removed"
    ]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"no picture"), "a.jpg cannot be used: it is no JPEG"),
        (lambda path: path.write_bytes(jpeg(path, 300, 200).read_bytes()[:3000]), "the file is broken"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_when_it_is_written(env: Env, make, said: str) -> None:
    make(env.root / "media" / "a.jpg")
    with pytest.raises(Refused, match=said):
        add(env, media=("a.jpg",))
    assert posts.list_posts(env) == []


def test_what_a_platform_does_not_take_is_refused_when_it_is_written(env: Env) -> None:
    gif(env.root / "media" / "a.gif", size=(1400, 40))
    assert add(env, media=("a.gif",)).channel == "facebook"
    with pytest.raises(Refused, match="media: "):
        add(env, channel="twitter", media=("a.gif",))
    done = import_posts(env, csv_of([row(ref="one", channel="twitter", media="a.gif")]), filename="a.csv")
    assert [(error.column, error.row) for error in done.errors] == [("media", 2)]


def test_a_film_that_tells_its_place_is_refused(env: Env) -> None:
    film(env.root / "media" / "a.mp4", mvhd(10), LOCATED["xyz"])
    with pytest.raises(Refused, match="tells where it was made"):
        add(env, media=("a.mp4",))


def test_the_derivative_is_sent_and_the_original_stays(desk: Desk) -> None:
    original = heic(desk.root / "media" / "photo.heic", 400, 300, 6)
    before = original.read_bytes()
    desk.add("look", media=["photo.heic"], alt=["a house"])
    assert desk.tick().exit_code == 0
    (post,) = desk.platform.posts("page")
    (made,) = sent(desk.root)
    assert [(m.sha256, m.mime, m.alt) for m in post.media] == [
        (hashlib.sha256(made.read_bytes()).hexdigest(), "image/jpeg", "a house")
    ]
    assert original.read_bytes() == before
    assert not any(canary in made.read_bytes() for canary in CANARIES)


def test_what_was_made_may_be_deleted(desk: Desk) -> None:
    heic(desk.root / "media" / "photo.heic", 400, 300, 6)
    ident = desk.add("look", media=["photo.heic"], minutes=5)
    (made,) = sent(desk.root)
    shutil.rmtree(desk.root / derivatives.FOLDER)
    desk.tick(minutes=5)
    assert desk.state(ident) == "published"
    assert sent(desk.root) == [made]


def test_each_platform_gets_its_own_once(desk: Desk) -> None:
    quarters(6000, 4000).save(desk.root / "media" / "large.jpg", quality=100)
    for name in ("fb", "tweets", "fb"):
        desk.add(f"look {name} {len(sent(desk.root))}", to=name, media=["large.jpg"])
    assert len(sent(desk.root)) == 2


@pytest.mark.parametrize("name", IMAGE_PLATFORMS)
def test_a_phone_s_twelve_megapixels_fit_every_platform(name: str, tmp_path: Path) -> None:
    """The picture of the issue: HEIC, 4032 × 3024, lying on its side, with the place where it was taken."""
    where = platform(name, name)
    assert where is not None
    limits = where.limits.images
    path = tmp_path / "media" / "photo.heic"
    path.parent.mkdir()
    heic(path, 4032, 3024, 6)
    medium = derivatives.MediaContent("photo.heic", hashlib.sha256(path.read_bytes()).hexdigest(), "image/heic")
    made = derivatives.sent(tmp_path, medium, where)
    data = made.path.read_bytes()
    with Image.open(made.path) as drawn:
        assert drawn.height > drawn.width
        assert max(drawn.size) <= (limits.max_side or 10**6)
        assert drawn.width * drawn.height <= (limits.max_pixels or 10**9)
        assert not dict(drawn.getexif())
    assert made.mime in limits.mimes
    assert len(data) <= (limits.max_bytes or 10**9)
    assert not any(canary in data for canary in CANARIES)
