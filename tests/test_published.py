"""What was published, handed over beside the action log: addresses, times and hashes, no texts; and verified."""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support_cli import sql

from cm.channels.sandbox.platform import SandboxPlatform

RunJson = Callable[..., Any]
RunErr = Callable[..., dict[str, Any]]
TUESDAY = ("--now", "2026-11-24T12:00")


@pytest.fixture
def out(example: Path, run: Run) -> Path:
    """The example, with a Monday and a morning behind it."""
    assert run("publish", "--replay", "2026-11-23T00:00..2026-11-24T12:00", cwd=example).code == 0
    return example


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_what_was_published_lies_beside_the_log(out: Path, run: Run, run_json: RunJson, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    told = run_json("audit", "export", str(file), cwd=out)
    beside = tmp_path / "log-published.csv"
    assert (told["file"], told["published_file"]) == (str(file), str(beside))
    assert beside.stat().st_mode & 0o777 == 0o600
    listed = rows(beside)
    posts = {post["id"]: post for post in run_json("post", "list", "state:published", cwd=out)["posts"]}
    assert {row["post"] for row in listed} == posts.keys()
    assert told["published"] == len(listed) > len(posts) / 2
    platform = SandboxPlatform(out)
    there = {post.permalink for name in ("hopital.tilleuls", "@hop_tilleuls") for post in platform.posts(name)}
    assert {row["permalink"] for row in listed} == there
    said = beside.read_text(encoding="utf-8")
    assert not any(post["text"][:20] in said for post in posts.values())
    hashes = dict(sql(out, "SELECT 'p' || id, content_hash FROM post"))
    assert all(row["content_hash"] == hashes[row["post"]] for row in listed)


def test_anybody_can_verify_the_chain(out: Path, run: Run) -> None:
    lines = [json.loads(line) for line in run("audit", "export", "--published", "--json", cwd=out).out.splitlines()]
    previous = "0" * 64
    for row in lines:
        content = [value for name, value in row.items() if name != "hash"]
        assert row["previous"] == previous
        assert row["hash"] == hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
        previous = row["hash"]
    assert len(lines) > 5


def test_the_range_holds_for_both(out: Path, run: Run, run_json: RunJson, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    run_json(*TUESDAY, "audit", "export", str(file), "--since", "2026-11-24", cwd=out)
    late = [json.loads(line) for line in (tmp_path / "log-published.jsonl").read_text(encoding="utf-8").splitlines()]
    assert late
    assert all(row["published_at"] >= "2026-11-23T23:00" for row in late)
    alone = run("audit", "export", "--published", "--target", late[0]["post"], "--json", cwd=out).out.splitlines()
    assert {json.loads(line)["post"] for line in alone} == {late[0]["post"]}
    told = run_json("audit", "export", str(file), "--verb", "hold", cwd=out)  # of one sort of act: nothing beside it
    assert "published_file" not in told


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE message SET text = text || '!'",
        "UPDATE post SET content_hash = '0'",
        "UPDATE payload SET content_hash = 'x'",
    ],
)  # fmt: skip
def test_a_text_that_was_changed_afterwards_is_seen(
    out: Path, run: Run, run_json: RunJson, run_err: RunErr, change: str
) -> None:
    assert run_json("audit", "verify", cwd=out)["changed"] == []
    column = {"message": "post_id", "post": "id", "payload": "message_id"}[change.split()[1]]
    number = 1 if column != "message_id" else sql(out, "SELECT id FROM message WHERE post_id = 1")[0][0]
    sql(out, f"{change} WHERE {column} = {number}")
    error = run_err(4, "audit", "verify", cwd=out)
    assert error["changed"] == ["p1"]
    assert "p1" in error["message"]


def test_a_correction_by_cm_is_no_tampering(out: Path, run: Run, run_json: RunJson) -> None:
    first = run_json("post", "list", "state:published", "channel:facebook", cwd=out)["posts"][0]["id"]
    done = run(*TUESDAY, "post", "correct", first, "--text", "Autrement dit.", "--yes", cwd=out)
    assert done.code == 0, done.err
    assert run_json("audit", "verify", cwd=out)["changed"] == []
    listed = run("audit", "export", "--published", "--target", first, "--json", cwd=out).out.splitlines()
    assert json.loads(listed[0])["corrected_at"]


def test_exclusive_options(out: Path, run_err: RunErr) -> None:
    assert run_err(2, "audit", "export", "--published", "--verb", "hold", cwd=out)["kind"] == "usage"
