"""The power goes in the middle of a write: after recovery nothing is sent twice, and every post comes to rest.

As SQLite's own tests do it: what was synced stays, what was being written is cut anywhere, or left as garbage. A
commit is synced before it returns (`synchronous=FULL`), so between two stages of the engine the write-ahead log may
end anywhere between its lengths at these stages. The platform and the account's state file are not on that disk's
mercy: they are as they were when the power went.
"""

import logging
import random
import shutil
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from support_publish import channel, make_workspace, open_desk

from cm.model.states import RESTING, PostState
from cm.publishing.confirm import confirm_absent, confirm_published

PLATFORMS = {
    "forgets keys, tells nothing": {"honour_keys": False, "finds": "none"},
    "forgets keys, lists": {"honour_keys": False, "finds": "listing"},
    "honours keys": {"honour_keys": True},
}
TEXTS = ["one\n---\ntwo", "three", "four"]
WAL = "cm.db-wal"
KEPT = ("cm.db", WAL, ".cm/sandbox.db", ".cm/sandbox.db-wal", ".cm/accounts")
FRAME = 4096 + 24
"""Bytes of a page in the write-ahead log with its header."""


@dataclass
class Moment:
    """The workspace's files at a stage of the engine."""

    stage: str
    folder: Path
    wal: int


class Camera(logging.Handler):
    """Keeps the files at each stage."""

    def __init__(self, root: Path, album: Path) -> None:
        super().__init__()
        self.root, self.album = root, album
        self.moments: list[Moment] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "cm.publishing" and record.levelno == logging.INFO:
            self.keep(record.getMessage())

    def keep(self, stage: str) -> None:
        folder = self.album / f"{len(self.moments):03d}"
        copy(self.root, folder)
        wal = folder / WAL
        self.moments.append(Moment(stage, folder, wal.stat().st_size if wal.exists() else 0))


def copy(root: Path, to: Path) -> None:
    (to / ".cm").mkdir(parents=True)
    for name in KEPT:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, to / name)
        elif source.exists():
            shutil.copy(source, to / name)


@pytest.fixture(scope="module", params=PLATFORMS, ids=lambda name: name.replace(" ", "_").replace(",", ""))
def film(request, tmp_path_factory):
    """A run of the engine, in pictures."""
    folder = tmp_path_factory.mktemp("film")
    root = make_workspace(folder / "w", {"fb": channel("page", settings=PLATFORMS[request.param])})
    desk = open_desk(root)
    for minutes, text in enumerate(TEXTS):
        desk.add(text, minutes=minutes)
    camera = Camera(root, folder / "album")
    camera.keep("before")
    logging.getLogger("cm.publishing").addHandler(camera)
    try:
        desk.tick(minutes=5)
    finally:
        logging.getLogger("cm.publishing").removeHandler(camera)
    camera.keep("after")
    at = desk.clock.now()
    desk.close()
    assert [moment.stage for moment in camera.moments].count("sending") == 4
    return root, camera.moments, at


def cuts(film) -> list[tuple[Moment, Moment, int, bytes]]:
    """Where the log may end: the moment before, the one in which it ends, its length, and what stands behind."""
    _, moments, _ = film
    chance = random.Random(20261122)
    found = []
    for before, after in pairwise(moments):
        grown = after.wal - before.wal
        if grown <= 0 or (before.folder / "cm.db").read_bytes() != (after.folder / "cm.db").read_bytes():
            continue
        lengths = {before.wal, before.wal + 1, before.wal + grown - 1, before.wal + chance.randrange(grown)}
        lengths.add(before.wal + (grown // FRAME // 2) * FRAME)
        for length in sorted(lengths):
            found.append((before, after, length, chance.randbytes(chance.choice([0, 0, 512, FRAME]))))
    return found


def test_after_a_power_cut_nothing_is_sent_twice(film, tmp_path):
    tried = cuts(film)
    assert len(tried) >= 30
    told = set()
    for number, (before, after, length, rubbish) in enumerate(tried):
        # the account's state file was written before the log; the platform did not change while it was
        for outside in {before.folder, after.folder if after.stage == "sending" else before.folder}:
            root = tmp_path / f"{number}-{outside.name}"
            recovered(film, root, before, after, outside, length, rubbish)
            told |= rest(root, film[2], f"{before.stage} → {after.stage} cut at {length}")
    assert PostState.PUBLISHED in told


def recovered(film, root, before, after, outside, length, rubbish) -> None:
    """The workspace as it is found when the power is back."""
    root.mkdir()
    shutil.copy(film[0] / "config.yaml", root)
    copy(before.folder, root / "found")
    for name in KEPT:
        if (root / "found" / name).exists():
            (root / name).parent.mkdir(exist_ok=True)
            shutil.move(root / "found" / name, root / name)
    (root / WAL).write_bytes((after.folder / WAL).read_bytes()[:length] + rubbish)
    shutil.rmtree(root / ".cm" / "accounts", ignore_errors=True)
    if (outside / ".cm" / "accounts").exists():
        shutil.copytree(outside / ".cm" / "accounts", root / ".cm" / "accounts")


def rest(root, at, where) -> set[PostState]:
    """Run on until all is at rest, a person looking where one is asked; what stood there twice is a failure."""
    desk = open_desk(root, at)
    states = set()
    for _ in range(12):
        desk.tick(minutes=2)
        there = desk.texts()
        assert len(there) == len(set(there)), f"{where}: {there}"
    numbers = range(1, len(TEXTS) + 1)
    for number in numbers:
        if desk.row(f"p{number}").state is PostState.UNCONFIRMED:
            states.add(PostState.UNCONFIRMED)
            look(desk, number)
    desk.tick(minutes=2)
    there = desk.texts()
    for number in numbers:
        state = desk.row(f"p{number}").state
        assert state in RESTING, f"{where}: p{number} is {state}"
        states.add(state)
    assert len(there) == len(set(there)), f"{where}: {there}"
    assert set(there) == {"one", "two", "three", "four"}, f"{where}: lost"
    desk.close()
    return states


def look(desk, number) -> None:
    """What a person does with an unconfirmed post."""
    message = next(message for message in desk.show(f"p{number}").messages if message.receipt is None)
    stands = [post for post in desk.platform.posts("page") if post.text == message.text]
    if stands:
        confirm_published(desk.env, number, stands[0].permalink)
    else:
        desk.clock.advance(timedelta(seconds=1))
        confirm_absent(desk.env, number)
