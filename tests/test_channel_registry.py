"""Adapters of other packages: found by their entry point, held to our contract, and no danger to the others."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cm.channels import registry
from cm.channels.contract import AdapterContract
from cm.channels.port import Adapter, Context, NoSettings, Outgoing
from cm.clock import SettableClock
from cm.errors import WorkspaceError

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)

NOTICE_BOARD = '''
"""A notice board in the entrance hall: the smallest adapter there is, as another package would write it."""

from cm.channels.port import AccountInfo, Capabilities, Identity, NoSettings, Prepared, Receipt, Rejected


class NoticeBoard:
    Settings = NoSettings
    capabilities = Capabilities(platform="noticeboard", threads=False, comments=False)

    def __init__(self, context):
        self.context = context
        self.notices = []

    def identity(self):
        return Identity("noticeboard", "entrance", self.context.account)

    def check(self):
        return AccountInfo(remote_id="board-1", handle=self.context.account)

    def prepare(self, message, saved):
        if message.media:
            raise Rejected("only paper", field="media")
        if not message.text:
            raise Rejected("an empty sheet", field="text")
        return Prepared({"text": message.text})

    def send(self, prepared, *, key):
        self.notices.append(prepared.body["text"])
        return Receipt(f"notice-{len(self.notices)}", None, self.context.clock.now())

    def close(self):
        pass
'''
OTHER_PORT = """
from dataclasses import replace
from cm_noticeboard import NoticeBoard


class Newer(NoticeBoard):
    capabilities = replace(NoticeBoard.capabilities, port_version=99)
"""
ENTRY_POINTS = """
[cm.channels]
noticeboard = cm_noticeboard:NoticeBoard
broken = cm_broken:Adapter
absent = cm_no_such_module:Adapter
nameless = cm_noticeboard:NoSuchClass
shapeless = cm_noticeboard:__doc__
newer = cm_newer:Newer
sandbox = cm_noticeboard:NoticeBoard
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution of somebody else, as pip leaves it."""
    site = tmp_path / "site"
    metadata = site / "cm_noticeboard-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cm-noticeboard\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "cm_noticeboard.py").write_text(NOTICE_BOARD)
    (site / "cm_broken.py").write_text('raise RuntimeError("half installed")')
    (site / "cm_newer.py").write_text(OTHER_PORT)
    monkeypatch.syspath_prepend(site)
    yield
    for name in ("cm_noticeboard", "cm_broken", "cm_newer"):
        sys.modules.pop(name, None)


class TestThirdPartyContract(AdapterContract):
    """The very contract that our own adapters are held to."""

    @pytest.fixture
    def adapter_class(self, package: None) -> type[Adapter]:
        return registry.load("noticeboard")

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        return Context("hall", "noticeboard", "tilleuls", tmp_path, NoSettings(), SettableClock(NOW), lambda: None)

    @pytest.fixture
    def message(self) -> Outgoing:
        return Outgoing("Visites de 14 h à 20 h", "fr", NOW)


def test_another_packages_adapter_is_found_and_listed(package: None) -> None:
    assert "noticeboard" in registry.names()
    adapter = registry.load("noticeboard")
    assert adapter.__module__ == "cm_noticeboard"
    assert adapter.capabilities.platform == "noticeboard"


def test_listing_imports_none(package: None) -> None:
    assert {"mastodon", "outbox", "sandbox", "noticeboard", "broken"} <= set(registry.names())
    assert not {"cm_noticeboard", "cm_broken"} & sys.modules.keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "RuntimeError: half installed"),
        ("absent", "cm_no_such_module"),
        ("nameless", "NoSuchClass"),
        ("shapeless", "cannot be loaded"),
    ],
)
def test_a_broken_one_breaks_only_itself(package: None, name: str, said: str) -> None:
    with pytest.raises(WorkspaceError, match=said) as caught:
        registry.load(name)
    assert "other channels are not affected" in caught.value.hint
    for good in ("noticeboard", "sandbox", "outbox", "mastodon"):
        assert registry.load(good).capabilities.platform == good


def test_one_for_another_port_is_refused(package: None) -> None:
    with pytest.raises(WorkspaceError, match="written for port 99, this cm speaks port 1"):
        registry.load("newer")


def test_nobody_takes_the_place_of_a_built_in_one(package: None) -> None:
    assert registry.load("sandbox").__module__ == "cm.channels.sandbox.adapter"


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(WorkspaceError, match="no adapter 'nosuch'") as caught:
        registry.load("nosuch")
    assert "mastodon, outbox, sandbox" in caught.value.hint


@pytest.mark.parametrize("name", sorted(registry.BUILT_IN))
def test_what_is_known_of_a_built_in_adapter_is_what_it_says(name: str) -> None:
    assert registry.simulated(name) is registry.load(name).capabilities.simulated
