"""A real terminal of a given size: a command runs in a pty, its bytes go through a terminal emulator."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[1]
SCROLLED = 400
"""Lines kept of what runs out of the window at the top."""


def capture(args: list[str], *, cwd: Path, columns: int, lines: int, env: dict[str, str]) -> str:
    """What a person sees (scrolled lines first) after `cm ARGS` ended in a window of that size."""
    return _seen([sys.executable, "-m", "cm", *args], cwd=cwd, columns=columns, lines=lines, env=env)


def capture_shell(commands: list[str], *, cwd: Path, columns: int, env: dict[str, str]) -> str:
    """What a person sees after typing these lines into bash."""
    script = "\n".join(commands)
    return _seen(["bash", "-c", script], cwd=cwd, columns=columns, lines=24, env=env)


def _seen(argv: list[str], *, cwd: Path, columns: int, lines: int, env: dict[str, str]) -> str:
    screen = pyte.HistoryScreen(columns, lines, history=SCROLLED, ratio=1)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    given |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **env}
    process = subprocess.Popen(argv, cwd=cwd, env=given, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    while data := _read(ours):
        stream.feed(data)
    os.close(ours)
    process.wait()
    return _text(screen)


def _read(ours: int) -> bytes:
    select.select([ours], [], [])
    try:
        return os.read(ours, 65536)
    except OSError:  # Linux says so when the other end has been closed by everybody
        return b""


def _text(screen: pyte.HistoryScreen) -> str:
    rows = ["".join(row[column].data for column in range(screen.columns)).rstrip() for row in screen.history.top] + [
        line.rstrip() for line in screen.display
    ]
    return "\n".join(rows).rstrip("\n") + "\n"
