"""`cm post show`: what was tried for a post, what became of it, and what it waits for."""

import getpass
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm.publishing.holds import set_hold

RunJson = Callable[..., Any]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page")}))
    yield made
    made.close()


def at(desk: Desk, *words: str) -> tuple[str, ...]:
    """As a person types it, at the desk's time."""
    return "-C", str(desk.root), "--now", f"{desk.clock.now():%Y-%m-%dT%H:%M+00:00}", *words


def test_a_post_in_back_off_says_what_happened_and_when_it_goes_on(desk: Desk, run: Run, run_json: RunJson) -> None:
    ident = desk.add("hello")
    desk.platform.fail_next("retryable", "prepare")
    desk.tick()
    shown = run_json(*at(desk, "post", "show", ident))
    [attempt] = shown["attempts"]
    assert (attempt["message"], attempt["action"], attempt["outcome"], attempt["sending_at"]) == (
        1, "send", "retryable", None,
    )  # fmt: skip
    assert attempt["started_at"] == "2026-11-23T09:00:00+01:00"
    assert attempt["reason"]
    wait = desk.row(ident).wake_at
    assert wait is not None
    assert shown["next_try_at"] == wait.astimezone(desk.env.zone).isoformat()
    seen = run(*at(desk, "post", "show", ident)).out
    assert "2026-11-23 09:00:00" in seen
    assert "failed for the moment" in seen
    assert f"{wait.astimezone(desk.env.zone):%Y-%m-%d %H:%M}" in seen


def test_attempts_of_a_thread_and_of_a_takedown(desk: Desk, run: Run, run_json: RunJson) -> None:
    ident = desk.add("one\n---\ntwo")
    desk.tick()
    run(*at(desk, "post", "takedown", ident, "--motive", "error", "--yes"))
    shown = run_json(*at(desk, "post", "show", ident))
    acts = [(one["message"], one["action"], one["outcome"]) for one in shown["attempts"]]
    assert acts[:2] == [(1, "send", "published"), (2, "send", "published")]
    assert {action for _n, action, _outcome in acts[2:]} == {"delete"}
    assert (shown["waits_for"], shown["next_try_at"]) == ([], None)
    assert "takedown: " in run(*at(desk, "post", "show", ident)).out


def test_what_it_waits_for(desk: Desk, run_json: RunJson) -> None:
    soon, late = desk.add("soon", minutes=30), desk.add("late")

    def waits(ident: str) -> str:
        return " ".join(run_json(*at(desk, "post", "show", ident))["waits_for"])

    assert waits(soon) == "its time"
    assert waits(late) == "the next run of `cm publish`"
    hold = set_hold(desk.env, channels=["fb"], reason="fire")
    assert waits(soon).endswith(": fire → cm hold off -c fb")
    assert hold.id
    desk.tick(minutes=1)
    assert waits(late) == f"your decision → cm post retry {late} · cm move {late} --next · cm post cancel {late}"


def test_who_held_it_is_called_by_name(desk: Desk) -> None:
    """`held by Jo` in the reason of the post, not the key of an entry."""
    config = desk.root / "config.yaml"
    data = yaml.safe_load(config.read_text(encoding="utf-8"))
    data["people"]["jo"] = {"name": "Jo Martin", "roles": ["community_manager"], "logins": [getpass.getuser()]}
    config.write_text(yaml.safe_dump(data), encoding="utf-8")
    ident = desk.add("hello", minutes=5)
    assert cm("-C", str(desk.root), "--as", "jo", "stop", "--reason", "fire").returncode == 0
    again = open_desk(desk.root, desk.clock.now())
    again.tick(minutes=6)
    assert again.show(ident).reason == "held by Jo Martin: fire"
    again.close()
