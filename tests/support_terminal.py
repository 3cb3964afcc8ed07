"""A person at a real terminal: what they type lies there before it is asked for, or comes once they have read."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 60
"""Seconds in which a command must say something or end: one that waits for more keys is stopped."""
SOON = 5
"""Seconds without a word after which a person presses Ctrl-C again."""


def typed(*args: str, keys: str, cwd: Path) -> tuple[int, str]:
    """The command at a terminal where somebody types `keys`: its exit code, and what they see."""
    return in_dialogue(*args, cwd=cwd, until="", then=lambda: keys)


def in_dialogue(*args: str, cwd: Path, until: str, then: Callable[[], str]) -> tuple[int, str]:
    """The command at a terminal; once `until` is read there, `then` is called and types what it gives."""
    return conversing(*args, cwd=cwd, steps=[(until, then)])


def conversing(*args: str, cwd: Path, steps: Sequence[tuple[str, Callable[[], str]]]) -> tuple[int, str]:
    """The command at a terminal; each step waits for its words behind those of the step before, then types."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cm", *args]
    # a session of its own with this terminal, so that Ctrl-C typed there reaches it
    process = subprocess.Popen(
        command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_own_terminal
    )
    os.close(theirs)
    seen, read, left, again = b"", 0, list(steps), 0
    while True:
        while left and (place := seen.find(left[0][0].encode(), read)) >= 0:
            until, then = left.pop(0)
            read, keys = place + len(until.encode()), then()
            os.write(ours, keys.encode())
            again = 5 if keys == "\x03" else 0
        # Python hears no Ctrl-C between showing a prompt and reading: who sees nothing happen presses again
        while again and not select.select([ours], [], [], SOON)[0]:
            again -= 1
            os.write(ours, b"\x03")
        data = _read(ours, process)
        if not data:
            break
        seen += data
    os.close(ours)
    return process.wait(), seen.decode()


def _own_terminal() -> None:
    """As a login does: Ctrl-C works, also where the tests run in the background and are deaf to it."""
    import fcntl
    import signal
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read(ours: int, process: subprocess.Popen[bytes]) -> bytes:
    if not select.select([ours], [], [], PATIENCE)[0]:
        process.kill()
    try:
        return os.read(ours, 65536)
    except OSError:  # so Linux says that everybody has closed the other end
        return b""
