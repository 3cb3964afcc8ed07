"""`cm run` in a process of its own: what it sends, what signals do to it, what it tells systemd; `cm publish` too."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support_cli import change_config, sql
from support_publish import Desk, channel, cm, make_workspace, open_desk

from cm.daemon import SLACK, STUCK_AFTER, Pulse, alive, out_of_step
from cm.model.tables import Hold
from cm.store.run_lock import daemon_pid
from cm.store.tick import HEARTBEAT, SCHEMA_VERSION

LINGERER = Path(__file__).with_name("lingerer.py")
SECONDS = 60
"""Longest wait for another process."""
HALF_AN_HOUR = timedelta(minutes=30)
BUDGET_MIB = 90
BRISK = {"send_deadline": 2, "lease": 6, "settle": 2, "backoff": [0.2], "attempts": 9}
"""Seconds; allowed for pretend channels."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace with one pretend channel, under a clock half an hour back: what is planned now is due for cm."""
    made = make_workspace(tmp_path / "w", {"fb": channel("page")}, timezone="UTC", publishing=BRISK)
    opened = open_desk(made, (datetime.now(UTC) - HALF_AN_HOUR).replace(second=0, microsecond=0))
    yield opened
    opened.close()


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """Ask another process's work again and again; gives what the condition gave."""
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)
    return found


class Process:
    """A running `cm`, its words in files."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.said, self.wrote = folder / "stderr", folder / "stdout"
        with self.said.open("w") as err, self.wrote.open("w") as out:
            self.popen = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **environment})

    @property
    def err(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def tell(self, number: int) -> None:
        self.popen.send_signal(number)

    def end(self) -> int:
        return self.popen.wait(SECONDS)


@contextmanager
def started(root: Path, *args: str, linger: tuple[str, Path] | None = None, **environment: str) -> Iterator[Process]:
    """`cm -C root args`, killed at the end of the block if it still runs; `linger`: wait at that stage."""
    head = [str(LINGERER), linger[0], str(linger[1])] if linger else ["-m", "cm"]
    process = Process(
        [sys.executable, *head, "-C", str(root), *args], Path(tempfile.mkdtemp(dir=root.parent)), environment
    )
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait()


@contextmanager
def daemon(root: Path, **given: Any) -> Iterator[Process]:
    """`cm run` that has said that it works."""
    with started(root, "run", "--every", "1", **given) as process:
        wait_for("the daemon says that it looks", lambda: "looking every 1 second." in process.err)
        yield process


# --- every day --------------------------------------------------------------------------------------------------------


def test_the_daemon_publishes_beats_and_leaves(desk: Desk) -> None:
    ident = desk.add("bonjour")
    with daemon(desk.root) as process:
        wait_for("published", lambda: desk.state(ident) == "published")
        assert daemon_pid(desk.root) == process.popen.pid
        later = desk.add("bonsoir")
        wait_for("published later", lambda: desk.state(later) == "published")
        os.utime(desk.root / HEARTBEAT, (1, 1))
        wait_for("an idle beat", lambda: (desk.root / HEARTBEAT).stat().st_mtime > 1)
        process.tell(signal.SIGTERM)
        assert process.end() == 0
        assert "2 published" not in process.err
        assert process.err.count("1 published") == 2
    assert daemon_pid(desk.root) is None
    assert desk.texts() == ["bonjour", "bonsoir"]


def test_cron_and_daemon_together_publish_once_and_in_order(desk: Desk) -> None:
    texts = [f"post {n}" for n in range(30)]
    idents = [desk.add(text, minutes=n / 4) for n, text in enumerate(texts)]
    with daemon(desk.root) as process:
        end = time.monotonic() + SECONDS
        while any(desk.state(ident) != "published" for ident in idents):
            assert time.monotonic() < end
            assert cm("-C", str(desk.root), "publish").returncode in (0, 6)
        process.tell(signal.SIGINT)
        assert process.end() == 0
    assert desk.texts() == texts


def test_a_second_daemon_is_refused(desk: Desk) -> None:
    with daemon(desk.root) as process:
        second = cm("-C", str(desk.root), "run")
        assert second.returncode == 4
        assert f"process {process.popen.pid}" in second.stderr
    with daemon(desk.root):
        assert daemon_pid(desk.root)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_it_is_small_and_loads_the_database_library_when_something_is_due(desk: Desk) -> None:
    assert cm("-C", str(desk.root), "publish").returncode == 0
    with daemon(desk.root) as process:
        wait_for("a beat", (desk.root / HEARTBEAT).exists)
        about = Path(f"/proc/{process.popen.pid}")
        assert "sqlalchemy" not in (about / "maps").read_text(encoding="utf-8")
        ident = desk.add("bonjour")
        wait_for("published", lambda: desk.state(ident) == "published")
        assert "sqlalchemy" in (about / "maps").read_text(encoding="utf-8")
        status = (about / "status").read_text(encoding="ascii").splitlines()
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        assert peak / 1024 <= BUDGET_MIB


def test_it_is_for_one_workspace_and_for_real_time(desk: Desk, tmp_path: Path) -> None:
    both = cm("-C", str(desk.root), "-C", str(tmp_path), "run")
    assert (both.returncode, "one workspace" in both.stderr) == (2, True)
    pretended = cm("-C", str(desk.root), "--now", "2026-11-23", "run")
    assert (pretended.returncode, "--now" in pretended.stderr) == (2, True)
    assert cm("-C", str(desk.root), "run", "--every", "0").returncode == 2


# --- told to leave ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [("run", "--every", "1"), ("publish",)])
def test_sigterm_lets_the_message_in_hand_be_finished(desk: Desk, tmp_path: Path, verb: tuple[str, ...]) -> None:
    first, second = desk.add("one"), desk.add("two", minutes=1)
    with started(desk.root, *verb, linger=("sending", tmp_path)) as process:
        wait_for("sending", (tmp_path / "reached").exists)
        process.tell(signal.SIGTERM)
        assert desk.texts() == []
        (tmp_path / "go").touch()
        assert process.end() == 0
    assert (desk.state(first), desk.state(second)) == ("published", "scheduled")
    assert cm("-C", str(desk.root), "publish").returncode == 0
    assert desk.texts() == ["one", "two"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_it_at_once_and_nothing_doubles(
    desk: Desk, tmp_path: Path, number: int, code: int
) -> None:
    ident = desk.add("once")
    with started(desk.root, "run", linger=("answered", tmp_path)) as process:
        wait_for("answered", (tmp_path / "reached").exists)
        process.tell(number)
        wait_for("told to leave", lambda: number == signal.SIGTERM or "once more" in process.err)
        assert process.popen.poll() is None, "the message in hand is not finished"
        end = time.monotonic() + SECONDS
        while process.popen.poll() is None:  # two signals that come together count as one
            assert time.monotonic() < end
            process.tell(number)
            time.sleep(0.05)
        assert process.popen.returncode == code
    wait_for(
        "published",
        lambda: cm("-C", str(desk.root), "publish").returncode in (0, 6) and desk.state(ident) == "published",
    )
    assert desk.texts() == ["once"]


def test_ctrl_c_on_publish_finishes_the_message_and_says_130(desk: Desk, tmp_path: Path) -> None:
    first, second = desk.add("one"), desk.add("two", minutes=1)
    with started(desk.root, "publish", linger=("sending", tmp_path)) as process:
        wait_for("sending", (tmp_path / "reached").exists)
        process.tell(signal.SIGINT)
        wait_for("it says so", lambda: "Finishing the message in hand" in process.err)
        (tmp_path / "go").touch()
        assert process.end() == 130
    assert (desk.state(first), desk.state(second)) == ("published", "scheduled")


# --- told to hold -----------------------------------------------------------------------------------------------------


def holds(desk: Desk) -> list[Hold]:
    with desk.env.store.read() as session:
        return list(session.exec(select(Hold)))


@pytest.mark.parametrize("verb", [("run", "--every", "1"), ("publish",)])
def test_sigusr1_stops_every_further_sending(desk: Desk, tmp_path: Path, verb: tuple[str, ...]) -> None:
    first, second = desk.add("one"), desk.add("two", minutes=1)
    with started(desk.root, *verb, linger=("recorded", tmp_path)) as process:
        wait_for("the first is out", (tmp_path / "reached").exists)
        process.tell(signal.SIGUSR1)
        (tmp_path / "go").touch()
        row = wait_for("the hold is written", lambda: holds(desk))[0]
        assert (row.source, row.channels, row.ended_at) == ("signal", None, None)
        wait_for("the second is missed", lambda: desk.state(second) == "missed")
        if verb[0] == "run":
            third = desk.add("three", minutes=2)
            wait_for("the third is missed", lambda: desk.state(third) == "missed")
            process.tell(signal.SIGTERM)
        assert process.end() in (0, 7)
    assert desk.state(first) == "published"
    assert desk.texts() == ["one"]


def test_an_idle_daemon_writes_the_hold_at_once(desk: Desk) -> None:
    with daemon(desk.root) as process:
        wait_for("a first beat", (desk.root / HEARTBEAT).exists)
        process.tell(signal.SIGUSR1)
        wait_for("the hold is written", lambda: holds(desk))


# --- the configuration ------------------------------------------------------------------------------------------------


def add_channel(data: dict[str, Any]) -> None:
    data["channels"]["x"] = channel("press")


@pytest.mark.parametrize("told", [True, False], ids=["SIGHUP", "noticed"])
def test_a_broken_configuration_is_told_once_and_the_old_one_keeps_publishing(desk: Desk, told: bool) -> None:
    sound = (desk.root / "config.yaml").read_bytes()
    with daemon(desk.root) as process:
        wait_for("a first beat", (desk.root / HEARTBEAT).exists)
        change_config(desk.root, lambda data: data["channels"]["fb"].update(owner="nobody"))
        if told:
            process.tell(signal.SIGHUP)
        wait_for("the fault is told", lambda: "owner" in process.err)
        ident = desk.add("still here")
        wait_for("published", lambda: desk.state(ident) == "published")
        if not told:  # an untold look at the same broken file says nothing more
            os.utime(desk.root / HEARTBEAT, (1, 1))
            wait_for("a beat", lambda: (desk.root / HEARTBEAT).stat().st_mtime > 1)
        assert process.err.count("stays in force") == 1
        (desk.root / "config.yaml").write_bytes(sound)
        change_config(desk.root, add_channel)
        if told:
            process.tell(signal.SIGHUP)
        wait_for("the mended one is read", lambda: "has been read anew" in process.err)
        wait_for("the new channel is known", lambda: sql(desk.root, "SELECT 1 FROM channel WHERE name = 'x'"))
        process.tell(signal.SIGTERM)
        assert process.end() == 0


def test_without_a_sound_configuration_it_does_not_begin(desk: Desk) -> None:
    change_config(desk.root, lambda data: data["channels"]["fb"].update(owner="nobody"))
    refused = cm("-C", str(desk.root), "run")
    assert (refused.returncode, "owner" in refused.stderr) == (3, True)


# --- what breaks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_a_changed_schema_ends_it(desk: Desk, version: int) -> None:
    with daemon(desk.root) as process:
        wait_for("a first beat", (desk.root / HEARTBEAT).exists)
        sql(desk.root, f"PRAGMA user_version = {version}")
        assert process.end() == 3
        assert "cm db upgrade" in process.err
    refused = cm("-C", str(desk.root), "run")
    assert (refused.returncode, "cm db upgrade" in refused.stderr) == (3, True)
    sql(desk.root, f"PRAGMA user_version = {SCHEMA_VERSION}")


def test_a_sweep_that_fails_is_told_once_and_the_next_ones_go_on(desk: Desk) -> None:
    ident = desk.add("patience")
    sql(desk.root, "ALTER TABLE account RENAME TO elsewhere")
    with daemon(desk.root) as process:
        wait_for("the failure is told", lambda: "database" in process.err)
        log = desk.root / ".cm" / "log" / "cm.jsonl"
        process.tell(signal.SIGHUP)
        wait_for("a second failure is logged", lambda: log.read_text(encoding="utf-8").count("sweep failed") >= 2)
        assert process.err.count("database") == 1
        sql(desk.root, "ALTER TABLE elsewhere RENAME TO account")
        process.tell(signal.SIGHUP)
        wait_for("published", lambda: desk.state(ident) == "published")
        process.tell(signal.SIGTERM)
        assert process.end() == 0


# --- systemd ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True])
@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_systemd_is_told(desk: Desk, abstract: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        path = f"{folder}/notify"
        listener.bind("\0" + path if abstract else path)
        listener.settimeout(SECONDS)
        address = "@" + path if abstract else path
        heard: list[str] = []

        def hear(word: str) -> None:
            while not any(word in message for message in heard):
                heard.append(listener.recv(500).decode())

        with daemon(desk.root, NOTIFY_SOCKET=address, WATCHDOG_USEC="1000000") as process:
            hear("READY=1")
            hear("WATCHDOG=1")
            heard.clear()
            hear("WATCHDOG=1")
            process.tell(signal.SIGHUP)
            hear("RELOADING=1\nMONOTONIC_USEC=")
            heard.clear()
            hear("READY=1")
            process.tell(signal.SIGTERM)
            hear("STOPPING=1")
            assert process.end() == 0


def test_a_watchdog_of_another_process_is_not_fed(desk: Desk) -> None:
    from cm.cli.systemd import notifier, watchdog_seconds

    assert watchdog_seconds({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}) == 2
    assert watchdog_seconds({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({}) is None
    notifier({})("READY=1")
    notifier({"NOTIFY_SOCKET": str(desk.root / "nobody")})("READY=1")


MOMENTS = st.floats(0, 1e6)
EVERY = st.integers(5, 600).map(lambda seconds: timedelta(seconds=seconds))


@given(MOMENTS, MOMENTS, MOMENTS, EVERY)
def test_work_that_shows_signs_of_life_is_alive(began: float, sign: float, now: float, every: timedelta) -> None:
    busy = Pulse(began, 0, busy=True)
    last = max(began, sign)
    assert alive(busy, sign, every, now) == (now <= last + STUCK_AFTER)
    assert alive(busy, now, every, now)


@given(MOMENTS, MOMENTS, EVERY)
def test_idle_work_that_nobody_starts_any_more_is_not_alive(ended: float, sign: float, every: timedelta) -> None:
    idle = Pulse(0, ended)
    late = ended + 2 * every.total_seconds() + SLACK
    assert alive(idle, sign, every, late - 1)
    assert not alive(idle, late + 1, every, late + 1), "what others log is no sign of it"


@given(st.datetimes(timezones=st.just(UTC)), EVERY, st.integers(-7200, 7200))
def test_a_clock_set_back_delays_nothing(now: datetime, every: timedelta, jump: int) -> None:
    shift = timedelta(seconds=jump)
    if not (datetime(2000, 1, 1, tzinfo=UTC) < now < datetime(2100, 1, 1, tzinfo=UTC)):
        return
    assert out_of_step(now + every, every, now - shift) == (jump > 0)
