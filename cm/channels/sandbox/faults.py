"""Scripted faults of the pretend platform: rows that the process which meets them next takes, whichever it is."""

import signal
import sqlite3
from typing import Literal, get_args

Op = Literal["check", "prepare", "send", "metrics", "find", "delete", "edit"]
When = Literal["before", "after"]
Error = Literal["retryable", "rate_limited", "auth_failed", "rejected", "duplicate", "unknown", "crash", "freeze"]

_SIGNALS = {"crash": signal.SIGKILL, "freeze": signal.SIGSTOP}
_CHANGING = ("send", "delete", "edit")
_AFTER = {"unknown", "crash", "freeze"}


class Fault(Exception):
    """A scripted fault that was met."""

    def __init__(self, error: Error, retry_after: float | None) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after = retry_after


def require_possible(error: Error, op: Op, when: When) -> None:
    """Raises ValueError for what no platform does, as losing the answer of a question after changing something."""
    if error not in get_args(Error) or op not in get_args(Op) or when not in get_args(When):
        raise ValueError(f"no such fault: {error} {op} {when}")
    lost_answer = error != "unknown" or op in _CHANGING
    said_twice = error != "duplicate" or op == "send"
    afterwards = when == "before" or (op in _CHANGING and (error in _AFTER or (op, error) == ("send", "rejected")))
    if not (lost_answer and said_twice and afterwards):
        raise ValueError(f"no real fault: {error} {when} {op}")


def take(db: sqlite3.Connection, op: Op, moment: When, account: str) -> Fault | None:
    """The next fault of that operation, which is spent with this; within a write transaction."""
    row = db.execute(
        "SELECT * FROM fault WHERE op = ? AND moment = ? AND times > 0 AND (account IS NULL OR account = ?)"
        " ORDER BY id LIMIT 1",
        (op, moment, account),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (row["id"],))
    return Fault(row["error"], row["retry_after"])


def strike(fault: Fault | None) -> None:
    """Kill or stop this process, or raise the fault. A stopped process goes on when it is continued."""
    if fault is None:
        return
    if fault.error not in _SIGNALS:
        raise fault
    signal.raise_signal(_SIGNALS[fault.error])  # to this thread: it goes no step further
