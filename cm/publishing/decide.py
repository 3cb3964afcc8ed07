"""What an attempt's outcome means for its post: one pure table.

The question behind every line is whether the text may already stand on the platform. `doubt` says that
an earlier sending of the same message went out and was never cleared up; then only the platform's
memory of our idempotency key can settle it, and where that is not surely alive a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cm.model.states import Outcome, PostState

DEFAULT_PAUSE = timedelta(minutes=15)
"""Rest after a rate limit that names no time."""

KEEPS_BUDGET = frozenset({Outcome.RATE_LIMITED, Outcome.AUTH_FAILED})
"""Outcomes that cost no attempt: they say nothing about this message."""


@dataclass(frozen=True)
class Timings:
    """The engine's timings; see `cm.config.Publishing`."""

    send_deadline: timedelta
    lease: timedelta
    settle: timedelta
    backoff: tuple[timedelta, ...]
    attempts: int


@dataclass(frozen=True)
class History:
    """What the journal says of a message, the attempt in question included.

    `spent`: attempts that cost one. `doubt_since`: the first sending that nobody cleared up, None if none.
    """

    spent: int
    doubt_since: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What to write.

    `state`: the post's new state, None = it stays in publishing, being settled. `wake_at`: when to look
    again. `settled`: how the doubtful sendings were cleared up (`published`, `not_published`), None = not.
    `pause_until`: the account rests; `stop`: until a person acts.
    """

    state: PostState | None
    wake_at: datetime | None = None
    settled: str | None = None
    pause_until: datetime | None = None
    stop: bool = False


def decide(
    outcome: Outcome,
    history: History,
    *,
    now: datetime,
    key_window: int,
    timings: Timings,
    retry_after: float | None = None,
    jitter: float = 0.0,
) -> Decision:
    """The decision for one finished attempt. `key_window` in seconds, `jitter` in [-1, 1] (±20 % of the wait)."""
    match outcome:
        case Outcome.PUBLISHED:
            return Decision(PostState.PUBLISHED, settled="published")
        case Outcome.HANDED:
            return Decision(PostState.HANDED)
        case Outcome.REJECTED | Outcome.DUPLICATE:
            # of this text; whether an earlier sending of it stands is another question
            return Decision(PostState.UNCONFIRMED if history.doubt_since else PostState.FAILED)
        case Outcome.RATE_LIMITED:
            pause = now + (timedelta(seconds=retry_after) if retry_after else DEFAULT_PAUSE)
            return _wait(history, pause, key_window, timings, pause_until=pause)
        case Outcome.AUTH_FAILED:
            state = PostState.UNCONFIRMED if history.doubt_since else PostState.SCHEDULED
            return Decision(state, stop=True)
        case Outcome.RETRYABLE:
            return _wait(history, now + backoff(history.spent, timings.backoff, jitter), key_window, timings)
        case Outcome.UNKNOWN:
            # the first call may still be at work there: a second one beside it could make a second post
            rest = max(backoff(history.spent, timings.backoff, jitter), timings.settle)
            return _wait(history, now + rest, key_window, timings)


def _wait(
    history: History,
    until: datetime,
    key_window: int,
    timings: Timings,
    pause_until: datetime | None = None,
) -> Decision:
    spent = history.spent >= timings.attempts
    if history.doubt_since is None:
        state = PostState.FAILED if spent and pause_until is None else PostState.SCHEDULED
        return Decision(state, None if state is PostState.FAILED else until, pause_until=pause_until)
    if spent or not key_lives(history.doubt_since, until, key_window, timings):
        return Decision(PostState.UNCONFIRMED, pause_until=pause_until)
    return Decision(None, until, pause_until=pause_until)


def key_lives(first_sending: datetime, at: datetime, key_window: int, timings: Timings) -> bool:
    """True if a sending that begins at `at` surely arrives while the platform remembers the key of `first_sending`.

    A clock that went back proves nothing: then it is False.
    """
    return first_sending <= at and at + timings.send_deadline < first_sending + timedelta(seconds=key_window)


def backoff(spent: int, waits: Sequence[timedelta], jitter: float) -> timedelta:
    """The wait after the `spent`-th attempt (from 1); the last one repeats. `jitter` ±1 is ±20 %."""
    wait = waits[min(max(spent, 1), len(waits)) - 1]
    return wait * (1 + 0.2 * jitter)
