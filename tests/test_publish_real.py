"""The real `cm publish`, in processes of its own: against a running server, killed, frozen, several at once."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support_mastodon import TOKENS, running
from support_pictures import tiny
from support_proxy import proxy
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm.clock import monotonic

STOPPER = Path(__file__).with_name("stopper.py")
BRISK = {"send_deadline": 2, "lease": 6, "settle": 2, "backoff": [0.2], "attempts": 9}
"""Seconds; allowed for servers on this machine only."""
PICTURE = tiny()
PLANNED_BEFORE = timedelta(minutes=30)
"""Posts are planned under a clock half an hour back, so that they are due, in their grace, when cm runs."""
RESTING = {"published", "unconfirmed"}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def fresh(server):
    server.reset()
    return server


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("CM_TEST_TOKEN", TOKENS["tilleuls"])


def mastodon(url: str) -> dict[str, object]:
    return channel(
        "tilleuls", platform="mastodon", adapter="mastodon", settings={"server": url}, token="env:CM_TEST_TOKEN"
    )


def planned_desk(root: Path, channels: dict[str, dict[str, object]], **publishing: object) -> Desk:
    """A workspace under a clock half an hour back."""
    made = make_workspace(root, channels, publishing={**BRISK, **publishing}, timezone="UTC")
    return open_desk(made, (datetime.now(UTC) - PLANNED_BEFORE).replace(second=0, microsecond=0))


def start(stage: str, name: str, root: Path) -> subprocess.Popen[str]:
    """`cm publish` that will be stopped by a signal at a stage."""
    command = [sys.executable, str(STOPPER), stage, name, "-C", str(root), "publish"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def run_until_rest(desk: Desk, idents: list[str], seconds: float = 60) -> None:
    """Cron's minutes, without the waiting: `cm publish` again and again until every post rests."""
    end = monotonic() + seconds
    while {desk.state(ident) for ident in idents} - RESTING:
        assert monotonic() < end, {ident: desk.show(ident).reason for ident in idents}
        assert cm("-C", str(desk.root), "publish").returncode in (0, 6, 7)


# --- against a running server -----------------------------------------------------------------------------------------


def test_twenty_posts_with_pictures_and_a_thread_arrive_once_and_in_order(tmp_path, fresh, token):
    desk = planned_desk(tmp_path / "w", {"toot": mastodon(fresh.url)})
    (desk.root / "media" / "house.png").write_bytes(PICTURE)
    wanted = []
    for n in range(20):
        text = f"post {n} — été" if n != 7 else "seven\n---\neight\n---\nnine"
        media = {"media": ["house.png"], "alt": [f"the house, day {n}"]} if n % 5 == 0 else {}
        desk.add(text, to="toot", minutes=n / 2, **media)
        wanted += text.split("\n---\n")
    answer = cm("-C", str(desk.root), "publish", "--json")
    assert answer.returncode == 0, answer.stderr
    assert len(json.loads(answer.stdout)["published"]) == 20
    there = fresh.statuses()
    assert [fresh.source(status["id"]) for status in there] == wanted
    alts = [media["description"] for status in there for media in status["media_attachments"]]
    assert alts == [f"the house, day {n}" for n in (0, 5, 10, 15)]
    seven, eight, nine = there[7:10]
    assert (eight["in_reply_to_id"], nine["in_reply_to_id"]) == (seven["id"], eight["id"])
    again = cm("-C", str(desk.root), "publish")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(fresh.statuses()) == len(wanted)
    listed = json.loads(cm("-C", str(desk.root), "post", "list", "--json").stdout)["posts"]
    receipts = [message["receipt"]["permalink"] for post in listed for message in post["messages"]]
    assert receipts == [status["url"] for status in there]
    desk.close()


def test_the_token_stands_nowhere(tmp_path, fresh, token):
    desk = planned_desk(tmp_path / "w", {"toot": mastodon(fresh.url)})
    desk.add("hello", to="toot")
    fresh.fail_next("POST", "/api/v1/statuses", type="status", status=401)
    answer = cm("-C", str(desk.root), "publish", "--json")
    assert answer.returncode == 7
    desk.close()
    secret = TOKENS["tilleuls"].encode()
    kept = [path for path in desk.root.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert kept == []
    assert TOKENS["tilleuls"] not in answer.stdout + answer.stderr


# --- killed -----------------------------------------------------------------------------------------------------------

STAGES = ["locked", "claimed", "preparing", "prepared", "sending", "answered", "recorded"]


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_nothing_is_sent_twice_or_lost(tmp_path, fresh, token, stage):
    desk = planned_desk(tmp_path / "w", {"toot": mastodon(fresh.url)})
    idents = [desk.add(text, to="toot", minutes=n) for n, text in enumerate(["one\n---\ntwo", "three", "four"])]
    with start(stage, "SIGKILL", desk.root) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    run_until_rest(desk, idents)
    assert {desk.state(ident) for ident in idents} == {"published"}, "the server honours keys: nothing stays open"
    assert [fresh.source(status["id"]) for status in fresh.statuses()] == ["one", "two", "three", "four"]
    desk.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v2/media"), ("POST", "/api/v1/statuses")])
def test_killed_while_the_server_has_accepted_and_not_answered(tmp_path, fresh, token, method, path):
    """In `prepare` (an upload) and in `send` (the status stands, its receipt has not come)."""
    with proxy(fresh.url) as between:
        desk = planned_desk(tmp_path / "w", {"toot": mastodon(between.url)}, send_deadline=20, lease=60)
        (desk.root / "media" / "house.png").write_bytes(PICTURE)
        ident = desk.add("once", to="toot", media=["house.png"], alt=["a house"])
        between.hold(method, path)
        with subprocess.Popen([sys.executable, "-m", "cm", "-C", str(desk.root), "publish"]) as killed:
            assert between.accepted.wait(60)
            killed.kill()
            killed.wait()
        between.release.set()
        desk.add("wakes the engine before the lease ends", to="toot", minutes=1)
        run_until_rest(desk, [ident])
        assert desk.state(ident) == "published", desk.show(ident).reason
        assert [fresh.source(status["id"]) for status in fresh.statuses()].count("once") == 1
        desk.close()


@pytest.mark.parametrize("stage", ["sending", "answered"])
@pytest.mark.parametrize("finds", ["none", "listing", "point"])
def test_killed_where_no_key_helps_it_is_looked_for_and_not_repeated(tmp_path, stage, finds):
    settings = {"honour_keys": False, "finds": finds}
    desk = planned_desk(tmp_path / "w", {"fb": channel("page", settings=settings)})
    ident = desk.add("once")
    with start(stage, "SIGKILL", desk.root) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    run_until_rest(desk, [ident])
    known = finds == "point" or (finds == "listing" and stage == "answered")
    assert desk.state(ident) == ("published" if known else "unconfirmed")
    assert len(desk.texts()) == (finds == "point" or stage == "answered")
    desk.close()


# --- frozen -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["claimed", "prepared", "sending", "answered"])
def test_frozen_past_its_lease_and_continued_never_two_copies(tmp_path, fresh, token, stage):
    """No keys would help here if the second worker sent: it must see that the first one lives."""
    desk = planned_desk(
        tmp_path / "w", {"fb": channel("page", settings={"honour_keys": False})}, send_deadline=1, lease=3
    )
    idents = [desk.add(text, minutes=n) for n, text in enumerate(["one", "two"])]
    with start(stage, "SIGSTOP", desk.root) as frozen:
        try:
            os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
            there = len(desk.texts())
            end = monotonic() + 5
            while monotonic() < end:
                assert cm("-C", str(desk.root), "publish").returncode in (0, 6)
            assert len(desk.texts()) == there, "the lock is held: nobody else sends"
        finally:
            frozen.send_signal(signal.SIGCONT)
        frozen.wait(60)
    run_until_rest(desk, idents)
    assert sorted(desk.texts()) == ["one", "two"]
    desk.close()


# --- several at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 4])
def test_many_workers_at_once_publish_each_post_once_and_in_order(tmp_path, workers):
    names = [f"c{n}" for n in range(5)]
    desk = planned_desk(tmp_path / "w", {name: channel(name, settings={"honour_keys": False}) for name in names})
    for n in range(40):
        for name in names:
            desk.add(f"{name} {n}", to=name, minutes=n / 4)
    command = [sys.executable, "-m", "cm", "-C", str(desk.root), "publish", "--json"]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(workers)
    ]
    answers = [run.communicate(timeout=120) for run in runs]
    assert all(run.returncode in (0, 6) for run in runs), [error for _out, error in answers]
    for name in names:
        assert desk.texts(name) == [f"{name} {n}" for n in range(40)]
    reported = [entry["id"] for out, _error in answers for entry in json.loads(out or "{}").get("published", [])]
    assert len(reported) == len(set(reported)) == 200
    desk.close()
