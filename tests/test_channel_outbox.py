"""The outbox: files that a person pastes, whole or not at all, once for each key."""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from cm.channels.contract import PICTURE, AdapterContract
from cm.channels.outbox.adapter import OutboxAdapter
from cm.channels.port import KEY_WINDOW_UNLIMITED, Context, Media, Metrics, Outgoing, Rejected, Retryable
from cm.clock import SettableClock

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
MESSAGE = Outgoing("Journée portes ouvertes\n\nVenez nombreux !", "fr", NOW, link="https://hopital.example/jpo")


def context_in(workspace: Path, **settings: Any) -> Context:
    return Context(
        channel="linkedin",
        platform="linkedin",
        account="hopital-tilleuls",
        workspace=workspace,
        settings=OutboxAdapter.Settings.model_validate(settings),
        clock=SettableClock(NOW),
        secret=lambda: None,
    )


@pytest.fixture
def adapter(tmp_path: Path) -> OutboxAdapter:
    return OutboxAdapter(context_in(tmp_path))


def handed(workspace: Path) -> list[Path]:
    return sorted((workspace / "outbox").glob("*")) if (workspace / "outbox").is_dir() else []


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    path = tmp_path / "Photo de Léa Martin.png"
    path.write_bytes(PICTURE)
    return Media(path, "image/png", hashlib.sha256(PICTURE).hexdigest(), "Une infirmière\nsourit.")


class TestOutboxContract(AdapterContract):
    @pytest.fixture
    def adapter_class(self) -> type[OutboxAdapter]:
        return OutboxAdapter

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return context_in(tmp_path)

    @pytest.fixture
    def message(self) -> Outgoing:
        return MESSAGE

    @pytest.fixture
    def posts_there(self, tmp_path: Path) -> Callable[[], int]:
        return lambda: len(handed(tmp_path))

    @pytest.fixture
    def alts_there(self, tmp_path: Path) -> Callable[[str], list[str]]:
        return lambda remote_id: [path.read_text() for path in sorted((tmp_path / remote_id).glob("*.alt.txt"))]


def test_a_person_finds_exactly_what_to_paste(adapter: OutboxAdapter, tmp_path: Path, picture: Media) -> None:
    ready = adapter.prepare(replace(MESSAGE, media=(picture,), role="part", parent="outbox/earlier"), {})
    receipt = adapter.send(ready, key="key-1")
    folder = tmp_path / receipt.remote_id
    assert sorted(path.name for path in folder.iterdir()) == ["1.alt.txt", "1.png", "about.txt", "post.txt"]
    assert (folder / "post.txt").read_text() == (
        "Journée portes ouvertes\n\nVenez nombreux !\nhttps://hopital.example/jpo"
    )
    assert (folder / "1.png").read_bytes() == PICTURE
    assert (folder / "1.alt.txt").read_text() == "Une infirmière\nsourit."
    assert (folder / "about.txt").read_text().splitlines() == [
        "channel: linkedin",
        "platform: linkedin",
        "account: hopital-tilleuls",
        "role: part",
        "answers: outbox/earlier",
        "language: fr",
    ]
    assert receipt.published_at == NOW
    assert receipt.permalink is not None
    assert Path(unquote(receipt.permalink.removeprefix("file://"))) == folder


def test_it_is_delivered_by_a_person_and_claims_no_figures(adapter: OutboxAdapter) -> None:
    assert adapter.capabilities.delivery == "person"
    assert not adapter.capabilities.simulated
    assert not isinstance(adapter, Metrics)
    assert adapter.check().key_window == KEY_WINDOW_UNLIMITED


def test_a_link_that_is_in_the_text_is_not_repeated(adapter: OutboxAdapter, tmp_path: Path) -> None:
    text = "Voir https://hopital.example/jpo pour tout savoir"
    receipt = adapter.send(adapter.prepare(replace(MESSAGE, text=text), {}), key="k")
    assert (tmp_path / receipt.remote_id / "post.txt").read_text() == text


def test_the_name_tells_time_channel_and_key_only(adapter: OutboxAdapter) -> None:
    digest = hashlib.sha256(b"key-1").hexdigest()[:8]
    receipt = adapter.send(adapter.prepare(MESSAGE, {}), key="key-1")
    assert receipt.remote_id == f"outbox/20261123T083000Z-linkedin-{digest}"


def test_the_files_are_for_their_owner_alone(adapter: OutboxAdapter, tmp_path: Path, picture: Media) -> None:
    old = os.umask(0)
    try:
        receipt = adapter.send(adapter.prepare(replace(MESSAGE, media=(picture,)), {}), key="k")
    finally:
        os.umask(old)
    folder = tmp_path / receipt.remote_id
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_hostile_text_is_only_text(adapter: OutboxAdapter, tmp_path: Path) -> None:
    hostile = "../../etc/passwd\n\x1b]0;x\x07[red]{0}%s $(reboot) \u202eabc"
    ready = adapter.prepare(replace(MESSAGE, text=hostile, link=None, role="part", parent="a\x1b[2J\nplatform: x"), {})
    receipt = adapter.send(ready, key="../../../k")
    folder = tmp_path / receipt.remote_id
    assert (folder / "post.txt").read_bytes() == hostile.encode()
    assert "answers: a [2J platform: x\n" in (folder / "about.txt").read_text()
    assert handed(tmp_path) == [folder]


@pytest.mark.parametrize("change", ["gone", "other bytes"])
def test_a_medium_that_changed_is_not_handed_over(
    adapter: OutboxAdapter, tmp_path: Path, picture: Media, change: str
) -> None:
    message = replace(MESSAGE, media=(picture,))
    ready = adapter.prepare(message, {})
    if change == "gone":
        picture.path.unlink()
    else:
        picture.path.write_bytes(b"somebody else's picture")
    for call in (lambda: adapter.prepare(message, {}), lambda: adapter.send(ready, key="k")):
        with pytest.raises(Rejected) as caught:
            call()
        assert caught.value.field == "media"
    assert handed(tmp_path) == []


@pytest.mark.parametrize("folder", ["/tmp/elsewhere", "../beside", "a/../../b", "", ".", "a\0b"])
def test_a_folder_outside_the_workspace_is_no_setting(folder: str) -> None:
    with pytest.raises(ValidationError, match="inside the workspace"):
        OutboxAdapter.Settings.model_validate({"folder": folder})


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    outside, workspace = tmp_path / "outside", tmp_path / "workspace"
    outside.mkdir()
    workspace.mkdir()
    (workspace / "outbox").symlink_to(outside)
    adapter = OutboxAdapter(context_in(workspace))
    with pytest.raises(Rejected, match="outside the workspace"):
        adapter.check()
    with pytest.raises(Rejected, match="outside the workspace"):
        adapter.send(adapter.prepare(MESSAGE, {}), key="k")
    assert list(outside.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_and_mended(adapter: OutboxAdapter, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file in the way")
    ready = adapter.prepare(MESSAGE, {})
    for call in (adapter.check, lambda: adapter.send(ready, key="k")):
        with pytest.raises(Retryable, match="cannot be written"):
            call()
    (tmp_path / "outbox").unlink()
    adapter.send(ready, key="k")
    assert len(handed(tmp_path)) == 1


def test_a_resend_of_the_stored_body_finds_the_same_files(tmp_path: Path, picture: Media) -> None:
    first = OutboxAdapter(context_in(tmp_path))
    ready = first.prepare(replace(MESSAGE, media=(picture,)), {})
    receipt = first.send(ready, key="k")
    again = OutboxAdapter(context_in(tmp_path)).send(replace(ready, body=json.loads(json.dumps(ready.body))), key="k")
    assert again == receipt
    assert len(handed(tmp_path)) == 1


def test_two_channels_on_one_folder_are_two_accounts(tmp_path: Path) -> None:
    one = context_in(tmp_path)
    assert len({OutboxAdapter(context).identity() for context in (one, replace(one, platform="instagram"))}) == 2
