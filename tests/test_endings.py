"""Logins that end: told once 14, 7, 2 days and one day ahead, by notices, by `cm` and by the doctor."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from support_publish import START, Desk, channel, make_workspace, open_desk
from test_notices import Receiver, receiver

from cm.publishing import notices
from cm.publishing.endings import AHEAD, Ending, next_warning
from cm.store import tick

__all__ = ["Receiver", "receiver"]

ENDS = START + timedelta(days=20)
PEOPLE = {
    "jo": {"name": "Jo Martin", "roles": ["community_manager"]},
    "ines": {"name": "Inès Faure", "roles": ["community_manager"]},
}


def open_with(root: Path, ends: datetime, **settings: object) -> Path:
    fb = channel("page", settings={"token_ends": ends.isoformat()}, deputy="ines")
    return make_workspace(root, {"fb": fb, "x": channel("press")}, people=PEOPLE, **settings)


@pytest.fixture
def desk(tmp_path: Path, receiver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOTIFY", f"json://127.0.0.1:{receiver.server_port}/hook")
    made = open_desk(open_with(tmp_path / "w", ENDS, notify={"urls": ["env:NOTIFY"]}))
    yield made
    made.close()


def quiet_days(desk: Desk, days: int) -> None:
    """Let days pass hour by hour with nothing planned; full runs come when the fast path decides it."""
    for _hour in range(days * 24):
        desk.clock.advance(timedelta(hours=1))
        if not tick.nothing_due(str(desk.root), desk.clock.now().timestamp()):
            desk.tick()
            notices.tell(desk.env)


def checked(desk: Desk) -> None:
    """The platform has said when the login ends."""
    desk.add("Bonjour")
    desk.tick()
    notices.tell(desk.env)


def test_each_warning_comes_once_to_owner_and_deputy_in_quiet_days(desk: Desk, receiver) -> None:
    checked(desk)
    assert receiver.got == []
    quiet_days(desk, 25)
    assert [title for title, _body in receiver.got] == ["SIMULATION · cm: 1 matter needs you"] * 5
    for _title, body in receiver.got:
        assert "1 login ends or has ended:" in body
        assert "fb: 2026-12-13 09:00, for Jo Martin, Inès Faure: cm channel login fb" in body


def test_between_two_warnings_the_fast_path_sleeps(desk: Desk, receiver) -> None:
    checked(desk)
    desk.clock.advance(ENDS - timedelta(days=14) - desk.clock.now())
    notices.tell(desk.env)
    assert len(receiver.got) == 1
    due = (desk.root / tick.NOTICES).stat().st_mtime
    assert due == (ENDS - timedelta(days=7)).timestamp()


def test_another_login_begins_anew(desk: Desk, receiver) -> None:
    checked(desk)
    desk.clock.advance(ENDS - timedelta(days=6) - desk.clock.now())
    notices.tell(desk.env)
    later = ENDS + timedelta(days=60)
    data = yaml.safe_load((desk.root / "config.yaml").read_text(encoding="utf-8"))
    data["channels"]["fb"]["settings"] = {"token_ends": later.isoformat()}
    (desk.root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    fresh = open_desk(desk.root, desk.clock.now())
    try:
        fresh.workspace.adapter("fb")
        checked(fresh)
        fresh.clock.advance(later - timedelta(days=6) - fresh.clock.now())
        notices.tell(fresh.env)
    finally:
        fresh.close()
    assert [("2026-12-13" in body, "2027-02-11" in body) for _title, body in receiver.got] == [
        (True, False),
        (False, True),
    ]


def test_whoever_does_not_want_it_is_not_told(tmp_path: Path, receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY", f"json://127.0.0.1:{receiver.server_port}/hook")
    notify = {"urls": ["env:NOTIFY"], "on": ["failed"]}
    desk = open_desk(open_with(tmp_path / "w", START + timedelta(days=1), notify=notify))
    try:
        checked(desk)
    finally:
        desk.close()
    assert receiver.got == []
    assert not (desk.root / tick.NOTICES).exists()


@pytest.mark.parametrize(
    ("days", "said"), [(15, None), (13.5, "the login ends"), (0.5, "the login ends"), (-1, "the login has ended")]
)
def test_cm_alone_says_it(tmp_path: Path, run: Run, days: float, said: str | None) -> None:
    root = open_with(tmp_path / "w", START + timedelta(days=days))
    desk = open_desk(root)
    try:
        checked(desk)
    finally:
        desk.close()
    shown = run("--now", START.isoformat(), cwd=root).out
    assert ("cm channel login fb" in shown) is (said is not None)
    assert said is None or f"fb: {said}" in shown


def test_the_doctor_names_the_command(tmp_path: Path, run: Run) -> None:
    root = open_with(tmp_path / "w", datetime.now(UTC) + timedelta(days=1, hours=1))
    run("channel", "check", "fb", cwd=root)
    found = {each["key"]: each for each in run("doctor", "--json", cwd=root).json["findings"]}
    assert (found["channels.token"]["level"], found["channels.token"]["mend"]) == ("problem", "cm channel login fb")


# --- the rule ---------------------------------------------------------------------------------------------------------


@given(st.floats(-4000, 4000), st.floats(-40, 40))
def test_steps_follow_each_other(since: float, days: float) -> None:
    ending = Ending("fb", START + timedelta(days=since))
    now = ending.at - timedelta(days=days)
    step, due = ending.step(now), ending.next_step(now)
    assert step in (None, 0, *AHEAD)
    assert (step is None) == (now < ending.at - timedelta(days=14))
    if due is None:
        assert step == 0
    else:
        assert now < due <= ending.at
        assert ending.step(due) != step, "that is when something else is to be said"
        assert ending.step(due - timedelta(microseconds=1)) == step
    assert next_warning([ending, ending], now) == due


def test_nothing_to_warn_of() -> None:
    assert next_warning([], START) is None
