"""The engine on LinkedIn and Discourse as they answer: settled once, nothing published twice, a person is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import support_discourse
import support_linkedin
from support_discourse import DiscourseServer
from support_linkedin import LinkedInServer
from support_publish import Desk, channel, make_workspace, open_desk

TOKEN = "env:CM_TEST_TOKEN"
PAGE = {"author": support_linkedin.PAGE}
LINKEDIN = channel("hopital", platform="linkedin", adapter="linkedin", settings=PAGE, token=TOKEN)
PLACE = {"server": support_discourse.SERVER}
FORUM = channel("tilleuls", platform="discourse", adapter="discourse", settings=PLACE, token=TOKEN)
TEXT = "Rejoignez nos soignants (H/F)"
POSTS = "/rest/posts"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[LinkedInServer]:
    monkeypatch.setenv("CM_TEST_TOKEN", support_linkedin.TOKEN)
    server = LinkedInServer()
    with support_linkedin.pretending(server):
        yield server


@pytest.fixture
def forum(monkeypatch: pytest.MonkeyPatch) -> Iterator[DiscourseServer]:
    monkeypatch.setenv("CM_TEST_TOKEN", support_discourse.KEY)
    server = DiscourseServer()
    server.wrote("Un autre message", username="autre", created_at="2026-11-22T08:00:00Z")
    with support_discourse.pretending(server):
        yield server


def desk(root: Path, name: str, given: dict[str, Any], at: Any) -> Desk:
    opened = open_desk(make_workspace(root, {name: given}), at=at)
    opened.tick()  # a workspace's first run is never late
    return opened


def settled(opened: Desk, ident: str) -> str:
    """Let the engine look until it rests."""
    for _n in range(30):
        opened.tick(minutes=1)
        if opened.state(ident) != "publishing":
            break
    return opened.state(ident)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_timeout_on_linkedin_is_settled_once(tmp_path: Path, network: LinkedInServer, arrived: bool) -> None:
    """What arrived is found by its words; a listing that lacks it proves too little to send again."""
    opened = desk(tmp_path / "w", "li", LINKEDIN, support_linkedin.NOW)
    ident = opened.add(TEXT, to="li")
    if arrived:
        network.loses.add(("POST", POSTS))
    else:
        network.fail_next("POST", POSTS, httpx.ReadTimeout)
    opened.tick()
    assert opened.state(ident) == "publishing"
    assert settled(opened, ident) == ("published" if arrived else "unconfirmed")
    assert len(network.sent("POST", POSTS)) == 1
    assert len(network.posts) == arrived
    opened.close()


def test_a_version_that_linkedin_answers_no_more_stops_the_channel(tmp_path: Path, network: LinkedInServer) -> None:
    given = {**LINKEDIN, "settings": {**PAGE, "api_version": "202509"}}
    opened = desk(tmp_path / "w", "li", given, support_linkedin.NOW)
    ident = opened.add(TEXT, to="li")
    result = opened.tick()
    assert opened.state(ident) == "scheduled"
    assert "set `api_version:`" in str(result)
    assert network.posts == {}
    opened.close()


def test_a_text_that_linkedin_has_already_is_refused(tmp_path: Path, network: LinkedInServer) -> None:
    opened = desk(tmp_path / "w", "li", LINKEDIN, support_linkedin.NOW)
    one, two = opened.add(TEXT, to="li"), opened.add(TEXT, to="li", minutes=20)
    opened.tick()
    opened.tick(minutes=20)
    assert (opened.state(one), opened.state(two)) == ("published", "failed")
    assert len(network.posts) == 1
    opened.close()


def test_what_a_forum_keeps_for_approval_waits_for_a_person(tmp_path: Path, forum: DiscourseServer) -> None:
    forum.approves = True
    opened = desk(tmp_path / "w", "forum", FORUM, support_discourse.NOW)
    ident = opened.add(TEXT, to="forum")
    opened.tick()
    assert settled(opened, ident) == "unconfirmed"
    assert len(forum.queued) == 1
    assert any("keeps it for approval" in (attempt.reason or "") for attempt in opened.attempts())
    opened.close()


def test_a_topic_that_never_arrived_is_sent_again_with_the_same_bytes(tmp_path: Path, forum: DiscourseServer) -> None:
    opened = desk(tmp_path / "w", "forum", FORUM, support_discourse.NOW)
    ident = opened.add(TEXT, to="forum")
    forum.fail_next("POST", "/posts.json", httpx.ReadTimeout)
    opened.tick()
    assert settled(opened, ident) == "published"
    first, second = forum.sent("POST", "/posts.json")
    assert first.content == second.content
    assert len([post for post in forum.standing() if post["username"] == "tilleuls"]) == 1
    opened.close()
