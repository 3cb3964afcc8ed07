"""A total deadline around one call.

An HTTP client's own timeouts are per read: a server that sends a byte now and then would hold a sending
for ever. The call runs in a thread of its own that is left behind when time is up; the adapter's
connection is closed by its owner, and what becomes of the call counts as unknown.
"""

import os
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from cm.channels.patience import Patience, patient
from cm.i18n import _

T = TypeVar("T")


class DeadlinePassed(Exception):
    """The call had not answered in time; it may still have an effect."""


_Answer = tuple[Any, BaseException | None]
_Order = tuple[Callable[[], Any], "queue.SimpleQueue[_Answer]", Patience]


class _Runner:
    """A thread that makes calls, one after the other. Starting one for each call would cost more than the call."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="cm-send", daemon=True).start()

    def call(self, call: Callable[[], T], patience: Patience) -> "queue.SimpleQueue[_Answer]":
        """Begin a call; its answer will be in the queue. Once `patience` is lost it begins nothing more."""
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._orders.put((call, answers, patience))
        return answers

    def leave(self) -> None:
        """End when the present call does, whenever that is."""
        self._orders.put(None)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            call, answers, patience = order
            try:
                with patient(patience):
                    answers.put((call(), None))
            except BaseException as error:  # handed over to the caller's thread, whatever it is
                answers.put((None, error))
            del order, call, answers, patience  # an idle thread holds on to nothing


_idle: "queue.SimpleQueue[_Runner]" = queue.SimpleQueue()


def _forget_runners() -> None:
    """A forked process has the queue of its parent, and none of its threads."""
    global _idle
    _idle = queue.SimpleQueue()


os.register_at_fork(after_in_child=_forget_runners)


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call()`, or what it raised. Raises DeadlinePassed after `seconds` (monotonic)."""
    try:
        runner = _idle.get_nowait()
    except queue.Empty:
        runner = _Runner()
    patience = Patience()
    try:
        result, error = runner.call(call, patience).get(timeout=seconds)
    except queue.Empty:
        patience.lose()
        runner.leave()
        raise DeadlinePassed(_("no answer within {n} s").format(n=f"{seconds:g}")) from None
    except BaseException:
        patience.lose()
        runner.leave()
        raise
    _idle.put(runner)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
