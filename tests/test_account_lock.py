"""The account's lock and its memory outside the database."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from cm.channels.port import Identity
from cm.errors import WorkspaceError
from cm.publishing.account_lock import AccountLock, Standing, State, require, standing, state_path

IDENTITY = Identity("mastodon", "social.example", "@hopital/../x")
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


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
    state = State({"w1": 7, "w2": 3}, "w1", AT, ("w0",))
    lock.write(state)
    assert lock.read() == state
    assert lock.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_each_workspace_of_a_shared_account_keeps_its_own_number(tmp_path):
    lock = AccountLock(tmp_path / "a.json")
    lock.note("ours", 4, AT)
    lock.note("theirs", 90, AT)
    lock.note("ours", 5, AT)
    assert lock.read() == State({"ours": 5, "theirs": 90}, "ours", AT)


def test_a_state_file_of_an_older_cm_is_read(tmp_path):
    lock = AccountLock(tmp_path / "a.json")
    lock.path.write_text(json.dumps({"workspace": "ours", "attempt": 7}))
    os.utime(lock.path, (AT.timestamp(), AT.timestamp()))
    assert lock.read() == State({"ours": 7}, "ours", AT)


def state(**workspaces):
    return State(workspaces, next(iter(workspaces)), AT)


@pytest.mark.parametrize(
    ("known", "highest", "sent", "shared", "found"),
    [
        (None, 0, False, False, Standing.OURS),
        (None, 4, False, False, Standing.OURS),
        (None, 4, True, False, Standing.NO_MEMORY),
        (state(ours=4), 4, True, False, Standing.OURS),
        (state(ours=3), 4, True, False, Standing.OURS),
        (state(ours=5), 4, True, False, Standing.BEHIND),
        (state(ours=5), 0, False, False, Standing.BEHIND),
        (state(theirs=1), 4, True, False, Standing.OTHER),
        (state(theirs=1, ours=4), 4, True, False, Standing.OTHER),
        (state(theirs=9, ours=4), 4, True, True, Standing.OURS),
        (state(theirs=9, ours=5), 4, True, True, Standing.BEHIND),
        (state(theirs=9), 4, True, True, Standing.NO_MEMORY),
        (state(theirs=9), 0, False, True, Standing.OURS),
        (State({"new": 9}, "new", AT, ("ours",)), 9, True, True, Standing.REPLACED),
    ],
)
def test_a_rewound_or_copied_database_gives_itself_away(tmp_path, known, highest, sent, shared, found):
    assert standing(known, workspace="ours", highest=highest, sent=sent, shared=shared) is found


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (Standing.BEHIND, "cm db reconcile"),
        (Standing.NO_MEMORY, "cm db reconcile"),
        (Standing.OTHER, "cm db adopt --reason"),
        (Standing.REPLACED, "cm db adopt --reason"),
    ],
)
def test_a_refusal_names_the_command_that_mends_it(tmp_path, found, command):
    with pytest.raises(WorkspaceError) as refused:
        require(found, tmp_path / "a.json", "mastodon")
    assert refused.value.exit_code == 3
    assert command in refused.value.hint
    require(Standing.OURS, tmp_path / "a.json", "mastodon")


@pytest.mark.parametrize("shared", [False, True])
def test_who_was_replaced_stays_refused(shared):
    before = State({"old": 9, "friend": 70}, "old", AT)
    after = before.adopted("new", 10, before="old", shared=shared)
    assert standing(after, workspace="new", highest=10, sent=True, shared=shared) is Standing.OURS
    assert standing(after, workspace="old", highest=99, sent=True, shared=shared) is Standing.REPLACED
    friend = standing(after, workspace="friend", highest=70, sent=True, shared=True)
    assert friend is (Standing.OURS if shared else Standing.REPLACED)


@pytest.mark.parametrize("content", ["{", "[]", '{"workspaces": 3, "at": null}', '{"workspaces": {"a": "x"}}', "7"])
def test_a_damaged_state_file_sends_nothing(tmp_path, content):
    lock = AccountLock(tmp_path / "a.json")
    lock.path.write_text(content)
    with pytest.raises(WorkspaceError, match="cannot be read"):
        lock.read()
