"""`cm publish --quiet` in the crontab: trouble that lasts is one mail, not one a minute."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_cli import change_config, make_due, sql, use_outbox
from support_publish import Desk, channel, cm, make_workspace, open_desk
from support_terminal import typed

from cm.publishing.told import FILE, GONE_AFTER, sorted_out

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two accounts whose posts are due by the machine's own clock; the memory of `bad` is damaged."""
    root = make_workspace(tmp_path / "w", {"good": channel("good"), "bad": channel("bad")})
    opened = open_desk(root, (datetime.now(UTC) - timedelta(minutes=2)).replace(second=0, microsecond=0))
    for name in ("good", "bad"):
        opened.add("first", to=name)
    opened.tick()
    for name in ("good", "bad"):
        opened.add("second", to=name)
    for path in (root / ".cm" / "accounts").glob("*bad*.json"):
        path.rename(path.with_suffix(".kept"))
        path.write_text("{", encoding="utf-8")
    yield opened
    opened.close()


def mended(root: Path) -> None:
    for path in (root / ".cm" / "accounts").glob("*.kept"):
        path.replace(path.with_suffix(".json"))


def test_an_account_that_is_refused_is_told_once(desk: Desk) -> None:
    runs = [cm("publish", "--quiet", cwd=desk.root) for _ in range(3)]
    assert [done.returncode for done in runs] == [3, 3, 3]
    assert runs[0].stderr.startswith("bad: ")
    assert [done.stderr for done in runs[1:]] == ["", ""]
    assert desk.texts("good") == ["first", "second"]
    assert (desk.root / FILE).stat().st_mode & 0o077 == 0
    loud = cm("publish", cwd=desk.root)  # a person who types it is told each time
    assert "bad: " in loud.stderr


def test_what_comes_back_after_it_was_mended_is_told_again(desk: Desk) -> None:
    assert "bad: " in cm("publish", "--quiet", cwd=desk.root).stderr
    mended(desk.root)
    done = cm("publish", "--quiet", cwd=desk.root)
    assert (done.returncode, done.stderr, desk.texts("bad")) == (0, "", ["first", "second"])
    desk.add("third", to="bad")
    for path in (desk.root / ".cm" / "accounts").glob("*bad*.json"):
        path.write_text("{", encoding="utf-8")
    assert "bad: " in cm("publish", "--quiet", cwd=desk.root).stderr


def test_a_workspace_that_cannot_be_opened_is_told_once(desk: Desk) -> None:
    whole = (desk.root / "config.yaml").read_text(encoding="utf-8")
    (desk.root / "config.yaml").write_text("channels: [", encoding="utf-8")
    first, second = (cm("publish", "--quiet", cwd=desk.root) for _ in range(2))
    assert (first.returncode, second.returncode) == (3, 3)
    assert "config.yaml" in first.stderr
    assert second.stderr == ""
    (desk.root / "config.yaml").write_text("channels: {x", encoding="utf-8")  # other words
    assert "config.yaml" in cm("publish", "--quiet", cwd=desk.root).stderr
    (desk.root / "config.yaml").write_text(whole, encoding="utf-8")
    cm("publish", "--quiet", cwd=desk.root)
    (desk.root / "config.yaml").write_text("channels: {x", encoding="utf-8")
    assert "config.yaml" in cm("publish", "--quiet", cwd=desk.root).stderr


@pytest.mark.parametrize("content", ["{", "[1]", '{"error:bad": 3}', '{"error:bad": ["x", "yesterday"]}'])
def test_a_memory_that_cannot_be_read_silences_nobody(desk: Desk, content: str) -> None:
    (desk.root / FILE).write_text(content, encoding="utf-8")
    assert "bad: " in cm("publish", "--quiet", cwd=desk.root).stderr
    assert json.loads((desk.root / FILE).read_text(encoding="utf-8")).keys() == {"error:bad"}


def test_a_memory_that_cannot_be_written_silences_nobody(desk: Desk) -> None:
    (desk.root / FILE).mkdir()
    for _ in range(2):
        assert "bad: " in cm("publish", "--quiet", cwd=desk.root).stderr


matters = st.dictionaries(st.sampled_from(["run", "error:fb", "error:x"]), st.sampled_from(["one", "other"]))
minutes = st.integers(0, 59)


@given(st.lists(st.tuples(minutes, matters)))
def test_no_words_are_told_twice_in_a_row_and_none_are_kept_back(runs: list[tuple[int, dict[str, str]]]) -> None:
    known, now = {}, AT
    said: dict[str, str] = {}
    for wait, met in runs:
        now += timedelta(minutes=wait)
        known, fresh = sorted_out(known, met, now)
        for about, words in met.items():
            assert about in fresh or said[about] == words
        said |= {about: met[about] for about in fresh}
    again = sorted_out(known, dict(said), now + GONE_AFTER + timedelta(seconds=1))[1]
    assert again == said.keys()


# --- lines that fit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal_and_addresses_stay_whole(
    example: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    use_outbox(example)
    make_due(example, where="id IN (1, 2)")
    sql(example, "UPDATE post SET example = 0")
    change_config(example, lambda data: data["channels"]["twitter"].update(spacing=0, backlog=False))
    code, seen = typed("publish", keys="", cwd=example)
    lines = seen.replace("\r", "").splitlines()
    assert code == 0, seen
    assert all(len(line) <= width for line in lines if "://" not in line), seen
    assert any(line.rstrip().endswith("→ cm post confirm p1 --url …") for line in lines), seen
