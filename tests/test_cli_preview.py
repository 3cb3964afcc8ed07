"""`cm post preview` and `cm channel platforms`: what a channel will show, and what each platform takes."""

from pathlib import Path
from typing import Any

import pytest
from support_cli import fresh
from support_pictures import heic
from support_publish import Desk, channel, make_workspace, open_desk

from cm.calendar.importing import import_posts
from cm.errors import Refused

NOW = ("--now", "2026-11-23T09:00")
KEYS = {"n", "role", "text", "used", "most", "unit", "folded_at", "card", "price", "notes", "over", "media"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    opened = open_desk(
        make_workspace(
            tmp_path / "w",
            {
                "fb": channel("page"),
                "tweets": channel("@hospital", platform="x", adapter="x"),
                "pasted": channel("p", platform="linkedin", adapter="outbox"),
                "old": channel("v", platform="viadeo"),
            },
        )
    )
    yield opened
    opened.close()


def previewed(run_json: Any, desk: Desk, ident: str, *options: str) -> list[dict[str, Any]]:
    return run_json("post", "preview", ident, *options, cwd=desk.root)["previews"]


def test_a_post_for_x_is_counted_carded_and_priced(desk: Desk, run_json: Any) -> None:
    ident = desk.add("Consultez ceci", to="tweets", link="https://hopital.fr/" + "a" * 100)
    (found,) = previewed(run_json, desk, ident)
    (message,) = found["messages"]
    assert (found["id"], found["channel"], found["platform"], found["own"]) == (ident, "tweets", "x", True)
    assert message.keys() >= KEYS
    assert (message["used"], message["most"], message["unit"]) == (14 + 1 + 23, 280, "weighted")
    assert message["card"] == "https://hopital.fr/" + "a" * 100
    assert (message["price"], found["price"]) == (0.2, 0.2)


def test_the_same_post_as_other_channels_would_show_it(desk: Desk, run_json: Any) -> None:
    ident = desk.add("a" * 300 + "\n---\n" + "b" * 20)
    found = previewed(run_json, desk, ident, "-c", "fb,tweets,pasted,old")
    assert {each["channel"]: [(m["used"], m["most"], m["over"]) for m in each["messages"]] for each in found} == {
        "fb": [(300, 63206, 0), (20, 63206, 0)],
        "tweets": [(300, 280, 20), (20, 280, 0)],
        "pasted": [(300, 3000, 0), (20, 3000, 0)],
        "old": [(300, None, 0), (20, None, 0)],
    }
    assert {each["channel"]: [f["rule"] for f in each["findings"]] for each in found} == {
        "fb": [], "tweets": ["format.text_length"], "pasted": [], "old": [],
    }  # fmt: skip


def test_people_read_the_count_the_price_and_what_becomes_of_a_picture(desk: Desk, run: Any) -> None:
    heic(desk.root / "media" / "photo.heic", 400, 300, 6)
    ident = desk.add("Bonjour\x1b[31m", to="tweets", media=["photo.heic"], alt=["Une maison"])
    done = run("post", "preview", ident, cwd=desk.root)
    assert done.code == 0
    assert f"{ident} · tweets (x)" in done.out
    assert "of 280 weights" in done.out
    assert "price: 0.020 US dollars" in done.out
    assert "photo.heic → JPEG 300×400, location removed" in done.out
    assert "\x1b" not in done.out


def test_it_speaks_french(desk: Desk, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ident = desk.add("a" * 5000)
    monkeypatch.setenv("CM_LANG", "fr")
    assert "5\u202f000" in run("post", "preview", ident, cwd=desk.root).out


def test_what_is_not_there_is_told(desk: Desk, run_err: Any) -> None:
    assert run_err(5, "post", "preview", "p99", cwd=desk.root)["kind"] == "not_found"
    ident = desk.add("a")
    assert run_err(5, "post", "preview", ident, "-c", "nope", cwd=desk.root)["kind"] == "not_found"


@pytest.mark.row("S5")
@pytest.mark.row("S14")
def test_what_is_too_long_is_told_when_written_and_refused_at_the_gate(desk: Desk, run_json: Any) -> None:
    for name, most in (("tweets", 280), ("pasted", 3000)):
        fits, over = desk.add("a" * most, to=name), desk.add("b" * (most + 1), to=name)
        assert desk.show(fits).findings == ()
        (finding,) = desk.show(over).findings
        assert (finding.rule, finding.severity.value, finding.source != "") == ("format.text_length", "error", True)
    result = desk.tick()
    held = [post for post in result.as_json()["held"] if post["channel"] == "pasted"]
    assert [("3,001" in post["reason"]) for post in held] == [True]


# --- platforms --------------------------------------------------------------------------------------------------------


def test_every_platform_says_what_it_takes_and_can_do(tmp_path: Path, run_json: Any) -> None:
    found = {each["platform"]: each for each in run_json("channel", "platforms", cwd=tmp_path)["platforms"]}
    assert {"bluesky", "facebook", "linkedin", "mastodon", "outbox", "sandbox", "x"} <= found.keys()
    assert not any(each["broken"] for each in found.values())
    limits = {name: each["limits"] for name, each in found.items() if each["limits"]}
    assert {name: limits[name]["text"] for name in ("x", "bluesky", "mastodon", "linkedin")} == {
        "x": 280, "bluesky": 300, "mastodon": 500, "linkedin": 3000,
    }  # fmt: skip
    assert all(each["source"] and each["read_on"][:2] == "20" for each in limits.values())
    assert (found["sandbox"]["simulated"], found["outbox"]["by_hand"], found["x"]["login"]) == (True, True, True)
    assert (found["facebook"]["threads"], found["mastodon"]["key_window"]) == (False, 3600)


def test_one_platform_in_full(tmp_path: Path, run: Any, run_err: Any) -> None:
    done = run("channel", "platforms", "mastodon", cwd=tmp_path)
    assert "500 signs as one sees them" in done.out
    assert "for 3,600 s" in done.out
    assert "2026-08-22" in done.out
    assert "Pictures and a film exclude each other." in done.err
    assert run_err(5, "channel", "platforms", "nope", cwd=tmp_path)["hint"].startswith("Use one of: bluesky")


BROKEN = "raise RuntimeError('the \\x1b[31mlibrary is missing')\n"


def test_a_broken_package_shows_as_broken_and_breaks_nothing_else(tmp_path: Path) -> None:
    package = tmp_path / "site"
    facts = package / "pinboard-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: pinboard\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[cm.channels]\npinboard = pinboard:Board\n")
    (package / "pinboard.py").write_text(BROKEN)
    done = fresh("channel", "platforms", cwd=tmp_path, PYTHONPATH=f"{package}:{Path(__file__).parents[1]}")
    assert done.code == 0
    assert "cannot be loaded" in done.out
    assert "63,206" in done.out
    assert "\x1b" not in done.out


def test_no_reason_makes_a_platform_take_more_posts_a_day(tmp_path: Path) -> None:
    wide = {"cadence": {"min": 0, "max": 1}}
    desk = open_desk(make_workspace(tmp_path / "w", {"in": channel("p", platform="linkedin", **wide)}))
    for n in range(150):
        desk.add(f"post {n}", to="in", minutes=n, over="a fair")
    with pytest.raises(Refused, match="already has 150 posts on in, and linkedin takes 150 in a day") as refused:
        desk.add("one more", to="in", minutes=200, over="a fair")
    assert refused.value.details["rule"] == "format.posts_per_day"
    desk.close()


def test_an_import_brings_no_more_posts_than_the_platform_takes_in_a_day(tmp_path: Path) -> None:
    wide = {"cadence": {"min": 0, "max": 1}}
    desk = open_desk(make_workspace(tmp_path / "w", {"in": channel("p", platform="linkedin", **wide)}))
    rows = [f"2026-12-07,{8 + n // 60:02}:{n % 60:02},in,announcement,post {n}\n" for n in range(151)]
    data = "".join(["date,time,channel,kind,text\n", *rows]).encode()
    refused = import_posts(desk.env, data, filename="posts.csv", over="a fair")
    assert [(error.row, error.column) for error in refused.errors] == [(152, "date")]
    assert "2026-12-07 would hold 151 posts on in, and its platform takes 150" in refused.errors[0].message
    kept = import_posts(desk.env, data, filename="posts.csv", over="a fair", partial=True)
    assert kept.created == 150
    desk.close()
