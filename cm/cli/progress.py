"""What long work shows while a person waits: on a terminal, on standard error, and only when it takes a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from cm.cli.terminal import plain

PATIENCE = 1.0
"""Seconds without a word."""

Step = Callable[[int, int], None]
"""Told how many are done, of how many."""


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[Step]:
    """Show `text` with a moving sign while the block runs; what it yields adds `3 / 110`.

    Silent with `quiet` (--quiet, --json, --jsonl), with --plain, and where standard error is no terminal.
    Nothing may be printed inside the block.
    """
    if quiet or plain() or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.status import Status

    from cm.cli.render import console

    status = Status(text, console=console(stderr=True))
    timer = Timer(PATIENCE, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total: status.update(f"{text} {done} / {total}")
    finally:
        timer.cancel()
        timer.join()  # it may just be starting
        status.stop()
