"""Secrets in their four places, logins that are renewed under a lock, and commands that run only once trusted."""

import json
import logging
import multiprocessing
import os
import stat
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.channels.port import AuthFailed, Credentials
from cm.clock import SettableClock
from cm.errors import WorkspaceError
from cm.secrets import Login, reveal, token_file
from cm.secrets.login import merged
from cm.secrets.places import place_of
from cm.secrets.trust import distrust, fingerprint, record_path, trust

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
SECRET = "canary-9f2c-secret"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def login(root: Path, reference: str | None = None, now: datetime = NOW) -> Login:
    return Login("masto", reference, root, SettableClock(now))


def ending(seconds: float, **more: str) -> str:
    ends = (NOW + timedelta(seconds=seconds)).isoformat()
    return json.dumps({"access_token": "old", "refresh_token": "once", "expires_at": ends, **more})


def never(_values: object) -> dict[str, str]:
    raise AssertionError("must not be renewed")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o660, 0o601, 0o620])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, bits: int) -> None:
    private(tmp_path / "token", SECRET, bits)
    with pytest.raises(WorkspaceError, match="can be read by others") as caught:
        reveal("file:token", tmp_path)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    real = private(tmp_path / "elsewhere" / "token", f" {SECRET}\n")
    (tmp_path / "link").symlink_to(real)
    assert reveal("file:link", tmp_path) == SECRET
    real.chmod(0o644)
    with pytest.raises(WorkspaceError, match="can be read by others"):
        reveal("file:link", tmp_path)


def test_what_is_no_plain_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("pipe", "folder", "absent", "/dev/null"):
        with pytest.raises(WorkspaceError):
            reveal(f"file:{name}", tmp_path)


def test_bytes_that_are_no_text_are_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe" + SECRET.encode())
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(WorkspaceError) as caught:
        reveal("file:token", tmp_path)
    assert SECRET not in str(caught.value)


def test_saving_through_a_link_replaces_what_it_leads_to(tmp_path: Path) -> None:
    real = private(tmp_path / "elsewhere" / "token", "before")
    (tmp_path / "link").symlink_to(real)
    login(tmp_path, "file:link").store({"access_token": SECRET})
    assert (tmp_path / "link").is_symlink()
    assert json.loads(real.read_text()) == {"access_token": SECRET}
    assert mode(real) == 0o600
    assert [path.name for path in real.parent.iterdir() if path.suffix == ".new"] == []


def test_a_path_may_start_at_home(tmp_path: Path) -> None:
    private(Path.home() / ".tokens" / "masto", SECRET)
    assert reveal("file:~/.tokens/masto", tmp_path) == SECRET


# --- the environment and the keyring ----------------------------------------------------------------------------------


class Store(keyring.backend.KeyringBackend):
    """A keyring in memory, as a desktop has one."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked(SECRET)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def store():
    before, made = keyring.get_keyring(), Store()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_keyring_keeps_renews_and_forgets(tmp_path: Path, store: Store) -> None:
    store.kept["cm", "masto"] = ending(10)
    known = login(tmp_path, "keyring:cm/masto")
    assert known.token() == "old"
    assert known.fresh(lambda values: {"access_token": values["refresh_token"] + "-new"})["access_token"] == "once-new"
    assert json.loads(store.kept["cm", "masto"])["access_token"] == "once-new"
    known.forget()
    known.forget()
    assert store.kept == {}
    with pytest.raises(WorkspaceError, match="nothing under keyring:cm/masto"):
        known.read()


def test_a_locked_keyring_says_so_and_quotes_nothing(tmp_path: Path, store: Store) -> None:
    store.locked = True
    with pytest.raises(WorkspaceError, match="KeyringLocked") as caught:
        reveal("keyring:cm/masto", tmp_path)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "cron" in caught.value.hint


def test_a_machine_without_keyring_is_told_what_to_use(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(WorkspaceError, match="This machine has no keyring") as caught:
            reveal("keyring:cm/masto", tmp_path)
    finally:
        keyring.set_keyring(before)
    assert "file:PATH" in caught.value.hint


def test_what_cannot_be_written_is_said_before_anything_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTO", ending(10))
    known = login(tmp_path, "env:MASTO")
    assert known.read()["access_token"] == "old"
    with pytest.raises(WorkspaceError, match="env:MASTO can be read by cm, not written"):
        known.fresh(never)
    monkeypatch.setenv("MASTO", ending(1000))
    assert known.fresh(never)["access_token"] == "old"
    with pytest.raises(WorkspaceError, match="not written"):
        known.store({"access_token": "new"})
    with pytest.raises(WorkspaceError, match="not written"):
        known.forget()


# --- commands ---------------------------------------------------------------------------------------------------------


def trusted(root: Path, *commands: str) -> None:
    (root / "config.yaml").write_text("\n".join(commands), encoding="utf-8")
    trust(root, commands, fingerprint(root))


def python(code: str) -> str:
    return f"command:{sys.executable} -c '{code}'"


def test_a_command_runs_once_trusted_and_not_after_a_change(tmp_path: Path) -> None:
    asked = python(f'print("{SECRET}")')
    (tmp_path / "config.yaml").write_text(asked, encoding="utf-8")
    with pytest.raises(WorkspaceError, match="was trusted") as caught:
        reveal(asked, tmp_path)
    assert "cm config trust" in caught.value.hint
    trusted(tmp_path, asked)
    assert reveal(asked, tmp_path) == SECRET
    (tmp_path / "config.yaml").write_text(asked + "\n", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="was trusted"):
        reveal(asked, tmp_path)


def test_only_what_was_seen_runs(tmp_path: Path) -> None:
    """The file may change back after it was read: what it said in between was trusted by nobody."""
    trusted(tmp_path, python("print(1)"))
    with pytest.raises(WorkspaceError, match="was trusted"):
        reveal(python("print(2)"), tmp_path)


def test_trust_stands_outside_the_workspace_and_can_be_taken_back(tmp_path: Path) -> None:
    asked = python("print(1)")
    trusted(tmp_path, asked)
    record = record_path(tmp_path)
    assert mode(record) == 0o600
    assert not record.is_relative_to(tmp_path)
    record.chmod(0o666)
    with pytest.raises(WorkspaceError, match="can be read by others"):
        reveal(asked, tmp_path)
    record.chmod(0o600)
    record.write_text("[no record", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="was trusted"):
        reveal(asked, tmp_path)
    trusted(tmp_path, asked)
    distrust(tmp_path)
    with pytest.raises(WorkspaceError, match="was trusted"):
        reveal(asked, tmp_path)


def test_a_copy_of_the_workspace_is_not_trusted(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    trusted(one, python("print(1)"))
    (other / "config.yaml").write_bytes((one / "config.yaml").read_bytes())
    with pytest.raises(WorkspaceError, match="was trusted"):
        reveal(python("print(1)"), other)


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    asked = f"command:{sys.executable} -c 'import sys; print(sys.argv[1:])' $HOME ; touch made"
    trusted(tmp_path, asked)
    assert reveal(asked, tmp_path) == "['$HOME', ';', 'touch', 'made']"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (python(f'import sys; print("{SECRET}"); print("{SECRET}", file=sys.stderr); sys.exit(3)'), "ended with 3"),
        (python(f'import sys; sys.stdout.buffer.write(bytes([255]) + b"{SECRET}")'), "not UTF-8"),
        ("command:/no/such/program", "No such file"),
        ("command:'unbalanced", "quotes"),
        (python("pass"), "is empty"),
    ],
)
def test_a_command_that_fails_says_why_and_quotes_nothing(tmp_path: Path, asked: str, why: str) -> None:
    trusted(tmp_path, asked)
    with pytest.raises(WorkspaceError, match=why) as caught:
        reveal(asked, tmp_path)
    assert SECRET not in caught.value.message


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cm.secrets.places.SECONDS", 1)
    code = 'import subprocess, sys; p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]);'
    code += ' open("pid", "w").write(str(p.pid)); p.wait()'
    asked = python(code)
    trusted(tmp_path, asked)
    with pytest.raises(WorkspaceError, match="no answer within 1 s"):
        reveal(asked, tmp_path)
    status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    for _n in range(100):  # a killed process takes a moment to end
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("it goes on")


# --- logins -----------------------------------------------------------------------------------------------------------


def test_a_text_is_a_token_and_an_object_a_login(tmp_path: Path) -> None:
    private(tmp_path / "token", SECRET)
    known: Credentials = login(tmp_path, "file:token")
    assert known.read() == {"access_token": SECRET}
    private(tmp_path / "token", json.dumps({"password": SECRET, "account": 7, "left_out": None}))
    assert known.read() == {"password": SECRET, "account": "7"}
    assert login(tmp_path, "file:token").token() is None


def test_without_a_place_the_login_is_kept_in_the_workspace(tmp_path: Path) -> None:
    known = login(tmp_path)
    assert known.read() == {}
    assert known.token() is None
    assert known.fresh(never) == {}
    known.store({"access_token": SECRET, "expires_in": "3600", "refresh_token_expires_in": "0"})
    path = token_file(tmp_path, "masto")
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert known.read() == {"access_token": SECRET, "expires_at": "2026-11-23T09:30:00+00:00"}
    known.forget()
    known.forget()
    assert not path.exists()


@pytest.mark.parametrize("text", ["{", '{"a": [1]}', '{"a": {"b": "c"}}', "{" * 100_000, '{"a": true}'])
def test_a_login_that_cannot_be_read_is_not_quoted(tmp_path: Path, text: str) -> None:
    private(tmp_path / "token", text.replace("a", SECRET))
    with pytest.raises(WorkspaceError, match="no login that can be read") as caught:
        login(tmp_path, "file:token").read()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "cm channel login masto" in caught.value.hint


def test_an_end_that_is_no_time_is_said(tmp_path: Path) -> None:
    private(tmp_path / "token", json.dumps({"access_token": "t", "expires_at": "soon"}))
    with pytest.raises(WorkspaceError, match="is no time"):
        login(tmp_path, "file:token").fresh(never)


def test_what_ends_soon_is_renewed_and_saved_before_it_is_used(tmp_path: Path) -> None:
    path = private(token_file(tmp_path, "masto"), ending(299, client_id="app"))
    known = login(tmp_path)
    assert known.fresh(never, margin=298)["access_token"] == "old"
    fresh = known.fresh(lambda _values: {"access_token": "new", "refresh_token": "next", "expires_in": "7200"})
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert fresh == stored
    assert stored == {
        "access_token": "new",
        "refresh_token": "next",
        "client_id": "app",
        "expires_at": "2026-11-23T10:30:00+00:00",
    }
    assert mode(path) == 0o600
    assert known.fresh(never) == stored


def test_a_renewal_that_fails_leaves_what_was_stored(tmp_path: Path) -> None:
    path = private(token_file(tmp_path, "masto"), ending(-1000))
    before = path.read_bytes()

    def refused(_values: object) -> dict[str, str]:
        raise AuthFailed("no")

    with pytest.raises(AuthFailed):
        login(tmp_path).fresh(refused)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []


def test_nothing_is_renewed_that_could_not_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = private(token_file(tmp_path, "masto"), ending(-1000))
    before = path.read_bytes()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        login(tmp_path).fresh(never)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []


def rotate(root: Path, ready, use, answers) -> None:
    """A process whose platform gives each refresh token one use."""
    logging.disable()
    ready.wait()

    def renew(values):
        used = use(values["refresh_token"])
        return {"access_token": f"a{used}", "refresh_token": f"r{used}", "expires_in": "3600"}

    answers.put(login(root).fresh(renew)["access_token"])


class OneUse:
    """Every refresh token may be used once; each use is a line of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, token: str) -> int:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(token + "\n")
        return len(self.path.read_text(encoding="utf-8").splitlines())


def test_of_many_processes_one_renews_and_all_use_it(tmp_path: Path) -> None:
    private(token_file(tmp_path, "masto"), ending(1))
    context = multiprocessing.get_context("spawn")
    ready, answers, use = context.Event(), context.Queue(), OneUse(tmp_path / "used")
    racers = [context.Process(target=rotate, args=(tmp_path, ready, use, answers)) for _n in range(4)]
    for racer in racers:
        racer.start()
    ready.set()
    got = [answers.get(timeout=60) for _racer in racers]
    for racer in racers:
        racer.join()
    assert got == ["a1"] * 4
    assert use.path.read_text(encoding="utf-8") == "once\n"


def test_of_many_threads_one_renews(tmp_path: Path) -> None:
    private(token_file(tmp_path, "masto"), ending(1))
    known, used, got = login(tmp_path), [], []

    def renew(values):
        used.append(values["refresh_token"])
        return {"access_token": "new", "expires_in": "3600"}

    threads = [threading.Thread(target=lambda: got.append(known.fresh(renew)["access_token"])) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == ["once"]
    assert got == ["new"] * 8


NAMES = st.sampled_from(["access_token", "refresh_token", "client_id", "scope"])


@given(
    stored=st.dictionaries(NAMES, st.text(max_size=5)),
    changed=st.dictionaries(NAMES, st.text(max_size=5)),
    seconds=st.one_of(st.none(), st.floats().map(str), st.integers().map(str), st.text(max_size=5)),
)
def test_what_changed_is_merged(stored: dict[str, str], changed: dict[str, str], seconds: str | None) -> None:
    lifetime = {"expires_in": seconds} if seconds is not None else {}
    values = merged({**stored, "expires_at": NOW.isoformat()}, {**changed, **lifetime}, NOW)
    ends = values.pop("expires_at", None)
    assert values == {**stored, **changed}
    if ends == NOW.isoformat():
        assert not changed.get("access_token"), "a new token has no part in the old one's end"
    elif ends is not None:
        assert datetime.fromisoformat(ends) >= NOW


def test_a_lock_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    private(token_file(tmp_path, "masto"), ending(1))
    (tmp_path / ".cm" / "tokens" / ".masto.json.lock").mkdir()
    with pytest.raises(WorkspaceError, match="lock"):
        login(tmp_path).fresh(never)


def test_places_know_how_they_are_called(tmp_path: Path) -> None:
    for reference in ("env:X", "file:x", "keyring:a/b", "command:x"):
        assert place_of(reference, tmp_path).reference == reference
