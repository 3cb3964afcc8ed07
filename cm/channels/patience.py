"""Whether anybody still waits for what an adapter does: a call that was given up must not go out afterwards.

A sending has a deadline (`cm.publishing.deadline`). Before its request leaves, it may have to wait for a login to be
renewed; when that comes too late, the engine has recorded that nobody knows, and the request must stay at home.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Patience:
    """Of one caller with one call, which runs in another thread."""

    def __init__(self) -> None:
        self._lost = threading.Event()

    def lose(self) -> None:
        """The caller waits no more."""
        self._lost.set()

    @property
    def is_lost(self) -> bool:
        """True once nobody waits for the call."""
        return self._lost.is_set()


_mine = threading.local()


@contextmanager
def patient(patience: Patience) -> Iterator[None]:
    """What this thread does in the block is done for that caller."""
    _mine.patience = patience
    try:
        yield
    finally:
        _mine.patience = None


def is_given_up() -> bool:
    """True if what this thread is doing was given up by its caller."""
    patience: Patience | None = getattr(_mine, "patience", None)
    return patience is not None and patience.is_lost
