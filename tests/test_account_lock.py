"""The account's lock and its memory outside the database."""

import subprocess
import sys

import pytest

from cm.channels.port import Identity
from cm.errors import WorkspaceError
from cm.publishing.account_lock import AccountLock, State, state_path, verify

IDENTITY = Identity("mastodon", "social.example", "@hopital/../x")


def test_the_state_file_of_a_real_account_is_shared_by_all_workspaces_of_a_user(tmp_path):
    first = state_path(tmp_path / "a", IDENTITY, local=False)
    assert first == state_path(tmp_path / "b", IDENTITY, local=False)
    assert tmp_path not in first.parents
    assert state_path(tmp_path / "a", IDENTITY, local=True).is_relative_to(tmp_path / "a" / ".cm")


def test_a_handle_cannot_leave_the_folder(tmp_path):
    path = state_path(tmp_path, IDENTITY, local=True)
    assert path.resolve().parent == (tmp_path / ".cm" / "accounts").resolve()


def test_the_lock_holds_against_another_process_and_ends_with_it(tmp_path):
    lock = AccountLock(tmp_path / "accounts" / "a.json")
    holder = (
        "import sys; from pathlib import Path; from cm.publishing.account_lock import AccountLock;"
        "lock = AccountLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(lock.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline().strip() == "True"
        assert not lock.acquire()
        other.kill()
        other.wait()
    assert lock.acquire()
    lock.release()


def test_the_state_is_written_whole_and_private(tmp_path):
    lock = AccountLock(tmp_path / "a.json")
    assert lock.read() is None
    lock.write(State("w1", 7))
    assert lock.read() == State("w1", 7)
    assert lock.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("state", "highest", "sent", "shared", "fine"),
    [
        (None, 0, False, False, True),
        (None, 4, False, False, True),
        (None, 4, True, False, False),
        (State("ours", 4), 4, True, False, True),
        (State("ours", 3), 4, True, False, True),
        (State("ours", 5), 4, True, False, False),
        (State("theirs", 1), 4, True, False, False),
        (State("theirs", 9), 4, True, True, True),
    ],
)
def test_a_rewound_or_copied_database_gives_itself_away(tmp_path, state, highest, sent, shared, fine):
    lock = AccountLock(tmp_path / "a.json")
    if state:
        lock.write(state)
    if fine:
        verify(lock, workspace="ours", highest=highest, sent=sent, shared=shared)
    else:
        with pytest.raises(WorkspaceError) as refused:
            verify(lock, workspace="ours", highest=highest, sent=sent, shared=shared)
        assert refused.value.exit_code == 3


def test_a_damaged_state_file_sends_nothing(tmp_path):
    lock = AccountLock(tmp_path / "a.json")
    lock.path.write_text("{")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        verify(lock, workspace="ours", highest=0, sent=False, shared=False)
