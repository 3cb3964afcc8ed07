"""People are told once, in groups, and never at the cost of a post. The receiver is a real server on this machine."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from support_publish import channel, make_workspace, open_desk

from cm.publishing import notices
from cm.publishing.holds import end_holds, set_hold
from cm.store import tick


class Receiver(BaseHTTPRequestHandler):
    """Takes messages as apprise's json:// sends them, and calls of a watcher's address."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((body["title"], body["message"]))
        self.answer()

    def do_GET(self):
        self.server.calls.append(self.path)
        self.answer()

    def answer(self):
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.calls, server.status = [], [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def desk(tmp_path, receiver, monkeypatch):
    monkeypatch.setenv("NOTIFY", f"json://127.0.0.1:{receiver.server_port}/hook-c4na")
    monkeypatch.setenv("BEAT", f"http://127.0.0.1:{receiver.server_port}/ping-c4na")
    made = open_desk(
        make_workspace(
            tmp_path / "w",
            {"fb": channel("page"), "x": channel("press")},
            notify={"urls": ["env:NOTIFY"]},
            heartbeat_url="env:BEAT",
        )
    )
    yield made
    made.close()


def fail(desk, text, to="fb"):
    desk.platform.fail_next("rejected", account="page" if to == "fb" else "press")
    ident = desk.add(text, to=to)
    desk.tick()
    return ident


def test_what_failed_is_told_once_in_one_message_without_the_posts_words(desk, receiver):
    fail(desk, "words about somebody")
    fail(desk, "other words", to="x")
    notices.tell(desk.env)
    notices.tell(desk.env)
    ((title, body),) = receiver.got
    assert title == "SIMULATION · cm: 2 matters need you"
    assert "2 posts failed:" in body
    assert "- p1 (fb):" in body
    assert "- p2 (x):" in body
    assert "words" not in body
    desk.clock.advance(timedelta(hours=3))
    notices.tell(desk.env)
    assert len(receiver.got) == 1, "not repeated"


def test_a_hold_is_told_by_the_next_minute_though_nothing_is_due(desk, receiver):
    desk.tick()
    set_hold(desk.env, reason="fire in block B")
    assert not tick.nothing_due(str(desk.root), desk.clock.now().timestamp()), "the minute is not slept through"
    notices.tell(desk.env)
    ((_title, body),) = receiver.got
    assert "fire in block B" in body


def test_what_comes_soon_after_a_message_waits_and_goes_with_the_next(desk, receiver):
    fail(desk, "one")
    notices.tell(desk.env)
    fail(desk, "two")
    notices.tell(desk.env)
    fail(desk, "three")
    notices.tell(desk.env)
    assert len(receiver.got) == 1
    due = (desk.root / tick.NOTICES).stat().st_mtime
    assert due == (desk.clock.now() + notices.APART).timestamp(), "the fast path will not sleep through it"
    assert not tick.nothing_due(str(desk.root), due)
    desk.clock.advance(notices.APART)
    notices.tell(desk.env)
    assert [title for title, _ in receiver.got] == [
        "SIMULATION · cm: 1 matter needs you",
        "SIMULATION · cm: 2 matters need you",
    ]
    assert not (desk.root / tick.NOTICES).exists()


def test_a_message_that_nobody_took_is_tried_again_and_disturbs_nothing(desk, receiver):
    receiver.status = 500
    fail(desk, "one")
    notices.tell(desk.env)
    good = desk.add("a good one")
    desk.tick()
    assert desk.state(good) == "published"
    receiver.status = 200
    receiver.got.clear()
    notices.tell(desk.env)
    assert receiver.got == [], "not at once again"
    desk.clock.advance(notices.APART)
    notices.tell(desk.env)
    assert len(receiver.got) == 1


def test_a_wrong_address_is_logged_without_the_address(desk, monkeypatch, caplog):
    fail(desk, "one")
    monkeypatch.setenv("NOTIFY", "nonsense-c4na")
    notices.tell(desk.env)
    desk.clock.advance(notices.APART)
    monkeypatch.delenv("NOTIFY")
    notices.tell(desk.env)
    log = (desk.root / ".cm" / "log" / "cm.jsonl").read_text(encoding="utf-8")
    assert "address 1 of notify.urls" in log
    assert "nonsense-c4na" not in log
    assert "is not set" in log


def test_a_matter_that_was_over_is_told_again(desk, receiver):
    hold = set_hold(desk.env, reason="fire drill")
    notices.tell(desk.env)
    end_holds(desk.env)
    desk.clock.advance(timedelta(hours=1))
    notices.tell(desk.env)
    again = set_hold(desk.env, channels=["fb"], reason="a real one")
    notices.tell(desk.env)
    assert hold.id != again.id
    assert ["fire drill" in receiver.got[0][1], "a real one" in receiver.got[1][1]] == [True, True]
    assert len(receiver.got) == 2


def test_posts_missed_while_the_network_is_away_are_told_together_when_it_is_back(desk, receiver):
    for hour in range(3):
        desk.add(f"post {hour}", minutes=60 * hour)
    desk.platform.fail_next("retryable", times=500)
    for _ in range(200):
        desk.tick(minutes=1)
        notices.tell(desk.env)
    assert len(receiver.got) == 1
    assert "stopped" in receiver.got[0][1]
    desk.platform.clear_faults()
    for _ in range(60):
        desk.tick(minutes=1)
        notices.tell(desk.env)
    assert len(receiver.got) == 2
    assert "missed" in receiver.got[1][1]


def test_without_addresses_nothing_is_kept_and_only_what_is_wanted_is_told(desk, receiver):
    config = desk.root / "config.yaml"
    told = yaml.safe_load(config.read_text(encoding="utf-8"))
    told["notify"]["on"] = ["missed"]
    config.write_text(yaml.safe_dump(told), encoding="utf-8")
    narrow = open_desk(desk.root)
    fail(narrow, "one")
    notices.tell(narrow.env)
    assert receiver.got == []
    narrow.close()


def test_silence_is_told_once_and_ends_with_the_next_run(desk, receiver):
    desk.tick()
    desk.clock.advance(timedelta(hours=2))
    for _ in range(2):
        notices.tell_silence(desk.env)
    ((_, body),) = receiver.got
    assert "Nothing has run here since:" in body


def test_the_watcher_is_called_now_and_then_and_its_silence_disturbs_nothing(desk, receiver):
    notices.ping(desk.env)
    assert receiver.calls == ["/ping-c4na"]
    assert not tick.nothing_due(str(desk.root), (desk.clock.now() + notices.PING_EVERY).timestamp())
    receiver.shutdown()
    receiver.server_close()
    notices.ping(desk.env)
    log = (desk.root / ".cm" / "log" / "cm.jsonl").read_text(encoding="utf-8")
    assert "heartbeat_url did not answer" in log
    assert "ping-c4na" not in log
