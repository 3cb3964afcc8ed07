"""What the operating system may tell a process that publishes: leave, hold, read the configuration anew.

The first SIGTERM or SIGINT lets the message in hand be finished; a second one ends the process at once, which the
journal survives as it survives a crash. SIGUSR1 stops every further sending.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from cm.env import Signals
from cm.i18n import _

LEAVING = (signal.SIGTERM, signal.SIGINT)


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass
class Heard:
    """What has come. `left` and `held` are called besides, `hung_up` for SIGHUP: inside a signal handler, where they
    may do no more than leave a word somewhere."""

    flags: Signals = field(default_factory=Signals)
    left: Callable[[], None] = _nothing
    held: Callable[[], None] = _nothing
    hung_up: Callable[[], None] | None = None
    told_to_leave: int = 0
    """The signal that said so."""
    _holding: bool = False

    @property
    def interrupted(self) -> bool:
        """Ctrl-C was pressed."""
        return self.told_to_leave == signal.SIGINT

    @property
    def handlers(self) -> dict[int, Callable[[int, FrameType | None], None]]:
        """Which signal goes where."""
        found: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(LEAVING, self._leave)
        found[signal.SIGUSR1] = self._hold
        if self.hung_up:
            found[signal.SIGHUP] = self._hang_up
        return found

    def _leave(self, number: int, _frame: FrameType | None) -> None:
        if self.told_to_leave:
            os._exit(128 + number)
        self.told_to_leave = number  # before the flag: a second signal must not wait for what the first one is doing
        self.flags.leave.set()
        if number == signal.SIGINT:
            os.write(2, ("\n" + _("Finishing the message in hand; Ctrl-C once more stops at once.") + "\n").encode())
        self.left()

    def _hold(self, _number: int, _frame: FrameType | None) -> None:
        if not (self._holding or self.flags.hold.is_set()):
            self._holding = True
            self.flags.hold.set()
            self._holding = False
        self.held()

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        if self.hung_up:
            self.hung_up()


@contextmanager
def heeding(heard: Heard) -> Iterator[None]:
    """While the block runs, signals go to `heard`. Outside the main thread, where none arrives, nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in heard.handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
