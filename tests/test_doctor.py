"""`cm doctor`: faults planted in real workspaces are found, each with its mend; what is well is said to be well."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Completed, Run
from hypothesis import given
from hypothesis import strategies as st
from support_cli import change_config, fresh, loaded, make_due, sql, use_outbox
from support_mastodon import running
from support_publish import channel, cm, make_workspace, open_desk

from cm.publishing import health, health_posts
from cm.publishing.health import ClockFacts, EngineFacts, Finding
from cm.publishing.health_posts import ChannelFacts, OpenAttempt, PostFacts
from cm.store.condition import Condition
from cm.store.run_lock import alone
from cm.store.tick import HEARTBEAT, SCHEMA_VERSION

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
STOPPER = Path(__file__).with_name("stopper.py")
HEAVY = ("typer", "pydantic", "sqlalchemy", "sqlmodel", "rich", "yaml", "httpx", "apprise", "apscheduler")
SECRET = "hush-0123456789"
READER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT 1 FROM post").fetchone()
print(1, flush=True)
sys.stdin.read()
"""
ROWS = "n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70)"


@pytest.fixture
def hospital(tmp_path: Path, run: Run) -> Path:
    """The example, from next Monday on."""
    root = tmp_path / "hospital"
    assert run("init", str(root)).code == 0
    return root


@pytest.fixture
def real(hospital: Path) -> Path:
    """The example with a channel that reaches people."""
    use_outbox(hospital)
    sql(hospital, "UPDATE post SET example = 0")
    return hospital


def examined(run: Run, root: Path, *args: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and every finding that is not ok by its key."""
    done = run("doctor", *args, "--json", cwd=root)
    found = {each["key"]: each for each in done.json["findings"] if each["level"] != "ok"}
    assert done.json["exit_code"] == done.code
    return done.code, found


def beat(root: Path, *, minutes_ago: float = 0) -> None:
    """As if cron had been here then."""
    at = datetime.now(UTC).timestamp() - minutes_ago * 60
    (root / HEARTBEAT).touch()
    os.utime(root / HEARTBEAT, (at, at))


def five_minutes_ago() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)


def aged(root: Path, table: str, *columns: str, minutes: int = 60) -> None:
    """Set instants of a table back."""
    for column in columns:
        sql(root, f"UPDATE {table} SET {column} = strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{minutes} minutes')")


# --- all is well ------------------------------------------------------------------------------------------------------


def test_a_fresh_example_is_well(hospital: Path, run: Run) -> None:
    assert examined(run, hospital) == (0, {})
    told = run("doctor", cwd=hospital)
    assert told.err == "All is well.\n"
    assert "✗" not in told.out
    assert [group for group in health.GROUPS.values() if group not in told.out] == []


def test_a_real_workspace_that_runs_is_well_but_for_its_backup(real: Path, run: Run) -> None:
    assert cm("-C", str(real), "publish").returncode == 0
    assert examined(run, real)[1].keys() == {"database.backup"}
    (real / ".cm" / "backups").mkdir()
    (real / ".cm" / "backups" / "cm-manual-1.db").touch()
    assert examined(run, real) == (0, {})


# --- planted faults ---------------------------------------------------------------------------------------------------


def test_a_broken_configuration_is_named_and_the_rest_is_examined(hospital: Path, run: Run) -> None:
    change_config(hospital, lambda data: data["channels"]["facebook"].update(owner="nobody"))
    code, found = examined(run, hospital)
    assert code == 3
    assert "channels.facebook.owner" in found["config.fault"]["what"]
    assert "database.damaged" not in found
    assert found.keys() == {"config.fault", "posts.unseen"}


def test_secrets_that_lead_nowhere_or_lie_open(real: Path, run: Run) -> None:
    (real / "secrets").mkdir()
    (real / "secrets" / "token").write_text(SECRET, encoding="utf-8")
    (real / "secrets" / "token").chmod(0o644)
    change_config(real, lambda data: data["channels"]["facebook"].update(token="file:secrets/token"))
    change_config(real, lambda data: data.update(heartbeat_url="env:CM_TEST_NOWHERE"))
    beat(real)
    done = run("doctor", "--json", cwd=real)
    assert done.code == 3
    found = [each for each in done.json["findings"] if each["key"] == "secrets.unusable"]
    assert found[0]["mend"].startswith("Run: chmod 600 ")
    assert "CM_TEST_NOWHERE" in found[1]["what"]
    (real / "secrets" / "token").chmod(0o600)
    assert SECRET not in done.out + done.err + run("doctor", cwd=real).out


@pytest.mark.parametrize("minutes", [None, 11])
def test_a_cron_that_does_not_come(real: Path, run: Run, minutes: int | None) -> None:
    if minutes:
        beat(real, minutes_ago=minutes)
    code, found = examined(run, real)
    assert (code, found["engine.tick"]["code"]) == (7, 7)
    assert "cm-run.service" in found["engine.tick"]["mend"]
    beat(real)
    assert "engine.tick" not in examined(run, real)[1]


def test_the_daemon_is_named(real: Path, run: Run) -> None:
    with alone(real):
        assert f"process {os.getpid()}" in run("doctor", cwd=real).out
    assert "daemon runs" not in run("doctor", cwd=real).out


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A workspace whose run was killed while it sent."""
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page")}), five_minutes_ago())
    desk.add("bonjour")
    desk.close()
    command = [sys.executable, str(STOPPER), "sending", "SIGKILL", "-C", str(desk.root), "publish"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    return desk.root


def test_a_run_that_died_is_left_to_the_next_one_and_then_a_problem(killed: Path, run: Run) -> None:
    assert examined(run, killed)[1].keys() == {"posts.died"}
    aged(killed, "attempt", "started_at", "sending_at")
    aged(killed, "post", "wake_at")
    code, found = examined(run, killed)
    assert code == 7
    assert found.keys() == {"posts.stuck", "posts.unlooked"}
    assert found["posts.stuck"]["mend"] == "cm publish"
    assert cm("-C", str(killed), "publish").returncode in (0, 6)
    aged(killed, "post", "wake_at")
    assert cm("-C", str(killed), "publish").returncode == 0
    assert examined(run, killed) == (0, {})


def test_a_run_that_hangs(tmp_path: Path, run: Run) -> None:
    desk = open_desk(make_workspace(tmp_path / "w", {"fb": channel("page")}), five_minutes_ago())
    desk.add("bonjour")
    desk.close()
    command = [sys.executable, str(STOPPER), "sending", "SIGSTOP", "-C", str(desk.root), "publish"]
    with subprocess.Popen(command) as frozen:
        try:
            os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
            assert "being published" in run("doctor", cwd=desk.root).out
            aged(desk.root, "attempt", "started_at", "sending_at")
            code, found = examined(run, desk.root)
            assert (code, "posts.hangs" in found) == (7, True)
        finally:
            frozen.kill()


def test_posts_that_wait_for_a_person(real: Path, run: Run) -> None:
    beat(real)
    make_due(real, where="id = 1", minutes_ago=5)
    sql(real, "UPDATE post SET state = 'missed' WHERE id IN (2, 3)")
    sql(real, "UPDATE post SET state = 'unconfirmed' WHERE id = 4")
    sql(real, "UPDATE post SET state = 'published', withdrawal = 'unconfirmed' WHERE id = 5")
    code, found = examined(run, real)
    assert code == 7
    assert found["posts.unlooked"]["what"].endswith(": p1")
    assert "2 posts were missed" in found["posts.missed"]["what"]
    assert found["posts.unconfirmed"]["mend"].startswith("cm post confirm p4 ")
    assert found["posts.withdrawal"]["mend"] == "cm post confirm p5 --gone"


def test_holds_and_stops(real: Path, run: Run) -> None:
    assert cm("-C", str(real), "publish").returncode == 0
    sql(
        real, "INSERT INTO account (platform, host, handle, key_window, app, failures) VALUES ('f', 'h', 'x', 0, '', 0)"
    )
    sql(real, "UPDATE channel SET account_id = (SELECT max(id) FROM account) WHERE name = 'facebook'")
    sql(real, "UPDATE account SET paused_at = '2026-01-01 00:00:00', pause_reason = 'too many', pause_kind = 'backlog'")
    (real / "HOLD").write_text("fire in block B", encoding="utf-8")
    code, found = examined(run, real)
    assert code == 7
    assert found["pauses.stopped"]["mend"] == "cm channel resume facebook"
    assert (found["pauses.hold"]["level"], found["pauses.hold"]["mend"]) == ("warning", "rm HOLD")
    assert "fire in block B" in found["pauses.hold"]["what"]


def test_the_mend_of_a_hold_is_the_whole_command(hospital: Path, run: Run) -> None:
    assert run("hold", "on", "-c", "facebook", "--reason", "fire", cwd=hospital).code == 0
    assert examined(run, hospital)[1]["pauses.hold"]["mend"] == "cm hold off -c facebook"
    assert run("hold", "off", "-c", "facebook", cwd=hospital).code == 0
    assert run("stop", cwd=hospital).code == 0
    assert examined(run, hospital)[1]["pauses.hold"]["mend"] == "cm hold off"


def test_a_state_file_of_another_workspace(killed: Path, run: Run) -> None:
    (file,) = (killed / ".cm" / "accounts").glob("*.json")
    file.write_text('{"workspace": "another", "attempt": 7}', encoding="utf-8")
    code, found = examined(run, killed)
    assert code == 3
    assert "cm db adopt" in found["accounts.state"]["mend"]
    file.write_text("{", encoding="utf-8")
    assert "cannot be read" in examined(run, killed)[1]["accounts.state"]["what"]


def test_a_skewed_clock_and_a_token_that_ends(killed: Path, run: Run) -> None:
    ends = (datetime.now(UTC) + timedelta(days=7, minutes=5)).isoformat()
    sql(killed, "UPDATE account SET facts = ?", json.dumps({"clock_ahead": -45.0, "token_expires_at": ends}))
    found = examined(run, killed)[1]
    assert found["clock.skew"]["level"] == found["channels.token"]["level"] == "warning"
    assert "45 s ahead of that of fb" in found["clock.skew"]["what"]
    assert "7 days" in found["channels.token"]["what"]


def test_the_day_on_which_an_interface_ends_is_named(killed: Path, run: Run) -> None:
    ends = (datetime.now(UTC) + timedelta(days=30)).date()
    sql(killed, "UPDATE account SET facts = ?", json.dumps({"limits": {"api_version_ends": ends.isoformat()}}))
    found = examined(run, killed)[1]["channels.version"]
    assert (found["level"], str(ends.year) in found["what"]) == ("warning", True)
    assert "api_version" in found["mend"]
    sql(killed, "UPDATE account SET facts = ?", json.dumps({"limits": {"api_version_ends": "some day"}}))
    assert "channels.version" not in examined(run, killed)[1]


def test_a_clock_that_was_set_back(real: Path, run: Run) -> None:
    beat(real, minutes_ago=-90)
    found = examined(run, real)[1]
    assert {"clock.back", "engine.tick"} <= found.keys()


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_another_schema(hospital: Path, run: Run, version: int) -> None:
    sql(hospital, f"PRAGMA user_version = {version}")
    code, found = examined(run, hospital)
    assert code == 3
    assert found["database.schema"]["mend"] == (
        "cm db upgrade" if version < SCHEMA_VERSION else "install the cm that wrote it"
    )


def test_a_damaged_database(hospital: Path, run: Run) -> None:
    data = bytearray((hospital / "cm.db").read_bytes())
    data[4096 * 3 : 4096 * 9] = os.urandom(4096 * 6)
    (hospital / "cm.db").write_bytes(data)
    code, found = examined(run, hospital)
    assert (code, "backup" in found["database.damaged"]["mend"]) == (3, True)
    (hospital / "cm.db").unlink()
    assert examined(run, hospital)[1].keys() == {"database.absent", "posts.unseen"}


def test_a_database_that_others_read_and_a_log_that_grew(real: Path, run: Run) -> None:
    (real / "cm.db").chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(real / "cm.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.read(1)
        sql(real, "CREATE TABLE ballast (x)")
        sql(real, f"INSERT INTO ballast WITH RECURSIVE {ROWS} SELECT zeroblob(1048576) FROM n")
        found = examined(run, real)[1]
        other.kill()
    assert found["database.open"]["mend"] == "chmod 600 cm.db*"
    assert "never ends" in found["database.wal"]["what"]


# --- asking the platforms ---------------------------------------------------------------------------------------------


def mastodon(root: Path, server: str) -> Path:
    token = {"token": "env:CM_TEST_TOKEN"}
    return make_workspace(
        root,
        {"toot": channel("tilleuls", platform="mastodon", adapter="mastodon", settings={"server": server}, **token)},
    )


def test_online_a_platform_that_is_not_there_or_does_not_know_us(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_TEST_TOKEN", SECRET)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        root = mastodon(tmp_path / "w", f"http://127.0.0.1:{closed.getsockname()[1]}")
        beat(root)
        code, found = examined(run, root, "--online")
        assert (code, found["channels.silent"]["code"]) == (6, 6)
    with running(tmp_path / "media") as server:
        change_config(root, lambda data: data["channels"]["toot"].update(settings={"server": server.url}))
        code, found = examined(run, root, "--online")
        assert (code, found["channels.refused"]["mend"]) == (7, "cm channel check toot")
        assert SECRET not in json.dumps(found)


# --- hosts ------------------------------------------------------------------------------------------------------------


def test_hosts_are_named_without_what_is_secret(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mastodon(tmp_path / "w", "https://social.example")
    secret = {
        "TG": f"tgram://123456789:{SECRET}-aaaa/12345/",
        "MAIL": f"mailtos://jo:{SECRET}@smtp.example.org?to=a@example.org",
        "NTFY": f"ntfy://{SECRET}",
        "OWN": f"ntfys://push.example.net/{SECRET}",
        "BEAT": f"https://hc.example.com/ping/{SECRET}",
    }
    for name, value in secret.items():
        monkeypatch.setenv(f"CM_TEST_{name}", value)
    urls = [f"env:CM_TEST_{name}" for name in ("TG", "MAIL", "NTFY", "OWN", "NONE")]
    change_config(root, lambda data: data.update(notify={"urls": urls}, heartbeat_url="env:CM_TEST_BEAT"))
    done = run("doctor", "--hosts", "--json", cwd=root)
    assert (done.code, done.err) == (0, "")
    assert [each["host"] for each in done.json["hosts"]] == [
        "social.example", "api.telegram.org", "smtp.example.org", "ntfy.sh", "push.example.net", None, "hc.example.com",
    ]  # fmt: skip
    shown = run("doctor", "--hosts", cwd=root)
    assert SECRET not in done.out + shown.out + shown.err
    assert "123456789" not in done.out


def test_a_simulated_workspace_contacts_nobody(hospital: Path, run: Run) -> None:
    assert run("doctor", "--hosts", "--json", cwd=hospital).json == {"hosts": []}
    assert "No host" in run("doctor", "--hosts", cwd=hospital).err


# --- is anybody here? -------------------------------------------------------------------------------------------------


def test_while_runs_come_it_is_silent_and_loads_nothing(hospital: Path, tmp_path: Path) -> None:
    beat(hospital, minutes_ago=9)
    for args in (("doctor", "--if-stale"), ("-C", str(hospital), "doctor", "--if-stale", "10")):
        done = fresh(*args, cwd=hospital)
        assert (done.code, done.out, done.err) == (0, "", "")
        assert not loaded(done.modules, *HEAVY)


@pytest.mark.parametrize("minutes_ago", [11, -11, None], ids=["old", "clock set back", "never"])
def test_a_silence_is_one_line_and_exit_7(hospital: Path, run: Run, minutes_ago: int | None) -> None:
    if minutes_ago:
        beat(hospital, minutes_ago=minutes_ago)
    done = run("doctor", "--if-stale", cwd=hospital)
    assert (done.code, done.out, done.err.count("\n")) == (7, "", 1)
    assert str(hospital) in done.err
    assert run("doctor", "--if-stale", "30", cwd=hospital).code == (0 if minutes_ago == 11 else 7)
    assert run("doctor", "--if-stale", "--json", cwd=hospital).json["stale"]


def test_a_run_of_the_future_is_no_sign_of_life(hospital: Path, run: Run) -> None:
    """The clock is wrong, or was: whoever watches is told so, and not that all is well."""
    beat(hospital, minutes_ago=-5)
    done = run("doctor", "--if-stale", cwd=hospital)
    assert (done.code, done.out) == (7, "")
    assert "the last run lies 5 minutes in the future: look at the clock" in done.err
    told = run("doctor", "--if-stale", "--json", cwd=hospital).json
    assert told["stale"] is True
    assert 240 < told["clock_ahead"] <= 300
    beat(hospital, minutes_ago=-0.5)  # clocks are set right by seconds every day
    assert run("doctor", "--if-stale", cwd=hospital) == Completed(0, "", "")


def test_it_speaks_though_the_database_is_broken(hospital: Path, run: Run) -> None:
    beat(hospital, minutes_ago=60)
    (hospital / "cm.db").write_bytes(b"nothing" * 1000)
    done = run("doctor", "--if-stale", cwd=hospital)
    assert done.code == 7
    assert "nothing has run for 60 minutes" in done.err
    assert "Traceback" not in done.err


def test_one_silent_workspace_of_two_is_found(hospital: Path, tmp_path: Path, run: Run) -> None:
    other = tmp_path / "other"
    assert run("init", "--empty", str(other)).code == 0
    beat(hospital)
    done = run("-C", str(hospital), "-C", str(other), "doctor", "--if-stale")
    assert done.code == 7
    assert f"{other}: " in done.err
    assert f"{hospital}: " not in done.err
    beat(other)
    assert run("-C", str(hospital), "-C", str(other), "doctor", "--if-stale") == Completed(0, "", "")


@pytest.mark.parametrize(
    "args", [("7",), ("--if-stale", "--hosts"), ("--hosts", "--online"), ("--if-stale", "0"), ("--if-stale", "soon")]
)
def test_questions_that_do_not_go_together(hospital: Path, run: Run, args: tuple[str, ...]) -> None:
    assert run("doctor", *args, cwd=hospital).code == 2


# --- verdicts ---------------------------------------------------------------------------------------------------------

LEVELS = st.sampled_from([0, 3, 6, 7])


@given(st.lists(LEVELS))
def test_the_exit_code_is_the_first_that_applies(codes: list[int]) -> None:
    findings = [Finding("posts", "posts.x", "problem" if code else "ok", "", "", code) for code in codes]
    code = health.exit_code(findings)
    assert code == next((wanted for wanted in (3, 7, 6) if wanted in codes), 0)


def worst(findings: Iterator[Finding], key: str) -> str:
    levels = [finding.level for finding in findings if finding.key == key]
    return next((level for level in ("problem", "warning", "ok") if level in levels), "")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_more_skew_is_never_judged_better(one: float, other: float) -> None:
    def judged(ahead: float) -> int:
        level = worst(health.of_clock(ClockFacts("", "UTC", {"x": ahead})), "clock.skew")
        return ["ok", "warning", "problem"].index(level)

    if abs(one) <= abs(other):
        assert judged(one) <= judged(other)
    both = health.of_clock(ClockFacts("", "UTC", {"x": one, "y": other}))
    assert worst(both, "clock.skew") == ["ok", "warning", "problem"][max(judged(one), judged(other))]


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (30, "ok"), (-31, "warning"), (300, "warning"), (301, "problem")]
)
def test_the_bounds_of_the_clock(seconds: float, level: str) -> None:
    assert worst(health.of_clock(ClockFacts("", "UTC", {"x": seconds})), "clock.skew") == level


@pytest.mark.parametrize(
    ("days", "level"), [(15, ""), (14, "warning"), (7, "warning"), (2, "problem"), (1, "problem"), (0, "problem")]
)
def test_the_bounds_of_a_token(days: int, level: str) -> None:
    ends = NOW + timedelta(days=days)
    found = health_posts.of_channels([ChannelFacts("x", checked_at=NOW, token_ends=ends)], NOW)
    assert worst(found, "channels.token") == level


@pytest.mark.parametrize(
    ("days", "level"), [(61, ""), (60, "warning"), (1, "warning"), (0, "problem"), (-5, "problem")]
)
def test_the_bounds_of_a_version_of_an_interface(days: int, level: str) -> None:
    ends = (NOW + timedelta(days=days)).date()
    facts = ChannelFacts("x", checked_at=NOW, version_ends=ends)
    assert worst(health_posts.of_channels([facts], NOW), "channels.version") == level


MIB = 1 << 20


@pytest.mark.parametrize(
    ("facts", "key", "level"),
    [
        (Condition(free=99 * MIB), "database.disk", "problem"),
        (Condition(free=1023 * MIB), "database.disk", "warning"),
        (Condition(free=3000 * MIB, size=2000 * MIB), "database.disk", "warning"),
        (Condition(free=1025 * MIB), "database.disk", "ok"),
        (Condition(wal=65 * MIB), "database.wal", "warning"),
        (Condition(wal=65 * MIB, size=100 * MIB), "database.wal", ""),
        (Condition(unwritable=("cm.db",)), "database.unwritable", "problem"),
        (Condition(backup_at=(NOW - timedelta(days=31)).timestamp()), "database.backup", "warning"),
        (Condition(backup_at=(NOW - timedelta(days=3)).timestamp()), "database.backup", "ok"),
    ],
)
def test_the_bounds_of_file_and_disk(facts: Condition, key: str, level: str) -> None:
    assert worst(health.of_database(facts, NOW, real=True), key) == level


@given(st.one_of(st.none(), st.floats(0, 1e7)), st.booleans(), st.one_of(st.none(), st.integers(0, 9999)))
def test_silence_is_a_problem_where_somebody_waits(silent: float | None, real: bool, pid: int | None) -> None:
    found = list(health.of_engine(EngineFacts(silent, pid, real)))
    stale = silent is None or silent > 600
    assert health.exit_code(found) == (7 if real and stale else 0)


@given(st.integers(0, 10_000), st.booleans(), st.one_of(st.none(), st.integers(-100, 100)))
def test_an_open_attempt_is_a_problem_only_when_nobody_will_settle_it(age: int, held: bool, looked: int | None) -> None:
    at = None if looked is None else NOW + timedelta(minutes=looked)
    facts = PostFacts(open=(OpenAttempt("p1", "fb", NOW - timedelta(seconds=age), held, at),))
    problem = health.exit_code(health_posts.of_posts(facts, NOW)) == 7
    if held:
        assert problem == (age > 1200)
    else:
        assert problem == (age > 120 and not (looked is not None and looked > 0))


def test_every_finding_that_is_not_well_says_what_mends_it() -> None:
    bad: list[Callable[[], Iterator[Finding]]] = [
        lambda: health.of_database(Condition(exists=False, schema=None, free=0, unwritable=("x",)), NOW, real=True),
        lambda: health.of_database(Condition(damage=("x",), wal=1 << 40, private=False), NOW, real=True),
        lambda: health.of_clock(ClockFacts("", "UTC", {"x": 1e5}, 1e5)),
        lambda: health.of_engine(EngineFacts(None, 7, True)),
        lambda: health_posts.of_channels([ChannelFacts("x", trouble="gone")], NOW),
        lambda: health_posts.of_channels([ChannelFacts("x", answer="network", token_ends=NOW)], NOW),
    ]
    found = [finding for verdict in bad for finding in verdict() if finding.level != "ok"]
    assert len(found) >= 10
    assert [finding.key for finding in found if not finding.mend] == []
