"""`cm post check`: what is found on posts now, how long they are, what their sending costs. Nothing is written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_pictures import gif, quarters
from support_publish import Desk, channel, make_workspace, open_desk

PICTURE = 0.005
"""What X asks for a description."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    channels = {
        "fb": channel("page"),
        "tweets": channel("@hospital", platform="x", adapter="x"),
        "pretended": channel("@tried", platform="x"),
        "photos": channel("p", platform="instagram"),
        "old": channel("v", platform="viadeo"),
    }
    opened = open_desk(make_workspace(tmp_path / "w", channels))
    yield opened
    opened.close()


def files(root: Path) -> set[str]:
    """What stands in the workspace, but for the database's own helpers."""
    return {
        str(path.relative_to(root)) for path in root.rglob("*") if ".cm" not in path.parts and "cm.db" not in path.name
    }


def checked(run: Any, desk: Desk, *words: str) -> tuple[int, dict[str, Any]]:
    done = run("post", "check", *words, "--json", cwd=desk.root)
    return done.code, json.loads(done.out)


def test_each_post_is_counted_and_priced_with_and_without_its_link(desk: Desk, run: Any) -> None:
    linked = desk.add("Consultez ceci", to="tweets", link="https://hopital.fr/" + "a" * 100)
    plain = desk.add("Bonjour", to="tweets", minutes=1, first_comment="voir hopital.fr")
    tried = desk.add("Bonjour", to="pretended", minutes=2)
    free = desk.add("Bonjour", minutes=3)
    code, found = checked(run, desk)
    posts = {post["id"]: post for post in found["posts"]}
    assert (code, list(posts)) == (0, [linked, plain, tried, free])
    assert [(m["used"], m["most"], m["unit"], m["over"]) for m in posts[linked]["messages"]] == [
        (14 + 1 + 23, 280, "weighted", 0)
    ]
    assert {ident: (post["price"], post["price_without_links"], post["billed"]) for ident, post in posts.items()} == {
        linked: (0.2, 0.015, True), plain: (0.215, 0.03, True), tried: (0.015, 0.015, False), free: (None, None, False),
    }  # fmt: skip
    assert (found["price"], found["price_without_links"]) == (0.43, 0.06)


def test_an_error_is_told_with_rule_reason_source_and_date_and_ends_with_4(desk: Desk, run: Any) -> None:
    fits, over = desk.add("a" * 280, to="tweets"), desk.add("b" * 281, to="tweets", minutes=1)
    assert checked(run, desk, fits)[0] == 0
    code, found = checked(run, desk, over)
    assert (code, found["errors"], [post["id"] for post in found["posts"]]) == (4, 1, [over])
    (finding,) = found["posts"][0]["findings"]
    assert (finding["rule"], finding["severity"]) == ("format.text_length", "error")
    assert "1 too many" in finding["reason"]
    assert "(2026-08-22)" in finding["source"]
    done = run("post", "check", "channel:tweets", cwd=desk.root)
    assert done.code == 4
    assert "281 of 280 weights, 1 too many · 0.015 US dollars" in done.out
    assert "format.text_length · docs.x.com" in done.out
    assert "2 posts checked, 1 error, 0 warnings." in done.err
    assert "Price of all: 0.030 US dollars" in done.err


def test_warnings_alone_end_well_and_name_the_rules(desk: Desk, run: Any) -> None:
    ident = desk.add("Bonjour", audiences=["families"])
    done = run("post", "check", ident, cwd=desk.root)
    assert done.code == 0
    assert "audience.not_served · rules of cm 20" in done.out
    assert "1 warning." in done.err


def test_what_has_left_is_checked_only_when_asked_for(desk: Desk, run: Any) -> None:
    out, waits = desk.add("Bonjour"), desk.add("Bonsoir", minutes=60)
    desk.tick(minutes=1)
    assert desk.state(out) == "published"
    assert [post["id"] for post in checked(run, desk)[1]["posts"]] == [waits]
    assert [post["id"] for post in checked(run, desk, out)[1]["posts"]] == [out]


def test_a_file_that_is_gone_is_found_and_nothing_is_written(desk: Desk, run: Any) -> None:
    quarters(800, 600).save(desk.root / "media" / "photo.jpg")
    ident = desk.add("Bonjour", to="photos", media=["photo.jpg"], alt=["Une maison"])
    sent = desk.root / "media" / "sent"
    for path in sent.iterdir():
        path.unlink()
    before = files(desk.root)
    assert checked(run, desk, ident)[0] == 0
    assert files(desk.root) == before
    (desk.root / "media" / "photo.jpg").unlink()
    code, found = checked(run, desk, ident)
    assert code == 4
    assert [finding["rule"] for finding in found["posts"][0]["findings"]] == ["format.media"]


@pytest.mark.row("S16")
def test_a_picture_channel_asks_for_a_picture_and_its_description(desk: Desk, run: Any) -> None:
    quarters(800, 600).save(desk.root / "media" / "photo.jpg")
    words = desk.add("Bonjour", to="photos")
    bare = desk.add("Bonjour à tous", to="photos", minutes=1, media=["photo.jpg"])
    whole = desk.add("Bonjour encore", to="photos", minutes=2, media=["photo.jpg"], alt=["Une maison"])
    found = checked(run, desk)[1]
    assert {post["id"]: [(f["rule"], f["severity"]) for f in post["findings"]] for post in found["posts"]} == {
        words: [("format.media_missing", "error")], bare: [("picture.alt", "warning")], whole: [],
    }  # fmt: skip


def test_an_animated_gif_goes_to_x_as_it_is_and_alone(desk: Desk, run: Any) -> None:
    for name in ("one.gif", "two.gif"):
        gif(desk.root / "media" / name)
    ident = desk.add("Bonjour", to="tweets", media=["one.gif"], alt=["Un oiseau vole"])
    both = desk.add("Bonsoir", to="tweets", minutes=1, media=["one.gif", "two.gif"], alt=["Un oiseau", "Un chat"])
    code, found = checked(run, desk)
    alone, together = found["posts"]
    assert (code, alone["id"], alone["findings"], alone["price"]) == (4, ident, [], 0.015 + PICTURE)
    assert (together["id"], [finding["rule"] for finding in together["findings"]]) == (both, ["format.media"])
    assert {path.suffix for path in (desk.root / "media" / "sent").iterdir()} == {".gif"}


def test_people_s_words_and_unknown_platforms(desk: Desk, run: Any, run_err: Any) -> None:
    ident = desk.add("Bonjour", to="old")
    done = run("post", "check", ident, cwd=desk.root)
    assert (done.code, "7 characters" in done.out) == (0, True)
    desk.add("Bonjour", to="pretended", minutes=1)
    assert "1 post is not sent by its platform's interface" in run("post", "check", cwd=desk.root).err
    assert run_err(5, "post", "check", "p99", cwd=desk.root)["kind"] == "not_found"
    assert run_err(2, "post", "check", "state:nonsense", cwd=desk.root)["kind"] == "usage"
