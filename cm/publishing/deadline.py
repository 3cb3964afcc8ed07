"""A total deadline around one call.

An HTTP client's own timeouts are per read: a server that sends a byte now and then would hold a sending
for ever. The call runs in a thread of its own that is left behind when time is up; the adapter's
connection is closed by its owner, and what becomes of the call counts as unknown.
"""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from cm.i18n import _

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The call had not answered in time; it may still have an effect."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call()`, or what it raised. Raises DeadlinePassed after `seconds` (monotonic)."""
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # handed over to the caller's thread, whatever it is
            answers.put((None, error))

    threading.Thread(target=run, name="cm-send", daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise DeadlinePassed(_("no answer within {n} s").format(n=f"{seconds:g}")) from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
