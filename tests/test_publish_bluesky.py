"""Bluesky through the real engine and the real store of logins: lost answers settled once, nothing overwritten."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_bluesky import APP_PASSWORD, HANDLE, PretendPds, refused, serving
from support_lexicon import Lexicons
from support_publish import START, Desk, channel, make_workspace, open_desk

from cm.channels.port import Logins, Visit
from cm.publishing.confirm import remote_id_of

BLUESKY = channel(HANDLE, platform="bluesky", adapter="bluesky")
PUT = "com.atproto.repo.putRecord"
pytestmark = pytest.mark.row("S12")


@pytest.fixture
def pds() -> Iterator[PretendPds]:
    with serving(PretendPds(Lexicons.load())) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, pds: PretendPds) -> Iterator[Desk]:
    """Logged in as a person does."""
    made = open_desk(make_workspace(tmp_path / "w", {"sky": BLUESKY}))
    adapter = made.workspace.adapter("sky")
    assert isinstance(adapter, Logins)
    told = adapter.login_begin({"password": APP_PASSWORD}, redirect_uri="")
    assert not isinstance(told, Visit)
    made.workspace.login("sky").store(told)
    yield made
    made.close()


def texts(pds: PretendPds) -> list[str]:
    return [pds.records[key]["text"] for key in sorted(pds.records)]


def run_until_rest(desk: Desk, ident: str) -> None:
    for _n in range(12):
        desk.tick(minutes=1)
        if desk.state(ident) not in ("publishing", "scheduled"):
            return
    pytest.fail(f"{desk.state(ident)}: {desk.show(ident).reason}")


def test_a_thread_arrives_once_and_in_order(desk: Desk, pds: PretendPds) -> None:
    ident = desk.add("un 🩸\n---\ndeux\n---\ntrois", to="sky")
    desk.tick()
    assert desk.state(ident) == "published"
    assert texts(pds) == ["un 🩸", "deux", "trois"]
    one, two, three = (pds.records[key] for key in sorted(pds.records))
    assert (two["reply"]["root"], three["reply"]["root"]) == (two["reply"]["parent"],) * 2
    assert one.keys().isdisjoint({"reply", "embed"})
    assert [datetime.fromisoformat(record["createdAt"]) for record in (one, two, three)] == [START.astimezone(UTC)] * 3
    keys = sorted(pds.records)
    shown = [message.receipt.permalink for message in desk.show(ident).messages if message.receipt]
    assert shown == [f"https://bsky.app/profile/{HANDLE}/post/{key}" for key in keys]
    assert [remote_id_of(url) for url in shown if url] == keys, "confirmed by its address it is the same post"


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("fault", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")])
def test_a_lost_answer_is_settled_once(desk: Desk, pds: PretendPds, arrived: bool, fault: Exception) -> None:
    ident = desk.add("Semaine des dons", to="sky")
    pds.faults[PUT], pds.arrive = [fault], arrived
    desk.tick()
    assert desk.state(ident) == "publishing"
    run_until_rest(desk, ident)
    assert desk.state(ident) == "published"
    assert texts(pds) == ["Semaine des dons"]
    first, second = pds.calls("putRecord")
    assert first.content == second.content


def test_what_was_changed_there_meanwhile_is_taken_as_ours_and_left_alone(desk: Desk, pds: PretendPds) -> None:
    ident = desk.add("Semaine des dons", to="sky")
    pds.faults[PUT], pds.arrive = [httpx.ReadTimeout("slow")], True
    desk.tick()
    (key,) = pds.records
    pds.records[key] = {**pds.records[key], "text": "Semaine du don"}
    run_until_rest(desk, ident)
    assert desk.state(ident) == "published"
    assert texts(pds) == ["Semaine du don"]


def test_refusals_of_the_text_fail_the_post(desk: Desk, pds: PretendPds) -> None:
    ident = desk.add("Semaine des dons", to="sky")
    pds.faults[PUT] = [refused(400, "InvalidRequest", "Invalid app.bsky.feed.post record: Record/text is bad")]
    desk.tick()
    assert desk.state(ident) == "failed"
    assert "Record/text is bad" in (desk.show(ident).reason or "")
    assert pds.records == {}


def test_a_session_that_ended_costs_one_more_try(desk: Desk, pds: PretendPds) -> None:
    ident = desk.add("Semaine des dons", to="sky")
    pds.faults[PUT] = [refused(400, "ExpiredToken", "Token has expired")]
    run_until_rest(desk, ident)
    assert desk.state(ident) == "published"
    assert (len(pds.records), len(pds.calls("refreshSession"))) == (1, 1)


def test_no_secret_leaves_its_file(desk: Desk, pds: PretendPds) -> None:
    desk.add("Semaine des dons", to="sky")
    told = json.dumps([desk.tick().__dict__], default=str)
    stored = desk.workspace.login("sky").read()
    secrets = [stored["access_token"].encode(), stored["refresh_token"].encode(), APP_PASSWORD.encode()]
    kept: dict[Path, Any] = {path: path.read_bytes() for path in desk.root.rglob("*") if path.is_file()}
    found = {path.name for path, data in kept.items() if any(secret in data for secret in secrets)}
    assert found == {"sky.json"}
    assert not any(APP_PASSWORD.encode() in data for data in kept.values())
    assert not any(secret.decode() in told for secret in secrets)
