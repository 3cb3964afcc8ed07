"""What an attempt's outcome means for its post, and what clears up a doubt: two pure tables.

The question behind every line is whether the text may already stand on the platform. A message is in
doubt while a sending of it went out and was never cleared up. Then the same bytes go again under the same
key while the platform surely remembers it; else the platform is asked what stands there (`verdicts`); and
where neither is possible a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from cm.model.states import Outcome, PostState

PauseKind = Literal["rate_limit", "auth", "breaker", "backlog", "check"]
"""Why an account rests. `auth` and `check` end with a check that succeeds, the others by themselves or by a person."""
DEFAULT_PAUSE = timedelta(minutes=15)
"""Rest after a rate limit that names no time."""

KEEPS_BUDGET = frozenset({Outcome.RATE_LIMITED, Outcome.AUTH_FAILED})
"""Outcomes that cost no attempt: they say nothing about this message."""
TROUBLE = frozenset({Outcome.RETRYABLE, Outcome.UNKNOWN})
"""Outcomes that speak of network or platform; several in a row open the circuit breaker."""
SOUND = frozenset({Outcome.PUBLISHED, Outcome.HANDED, Outcome.REJECTED, Outcome.DUPLICATE})
"""Outcomes of a platform that works: they close the breaker."""
REFUSALS = frozenset({Outcome.REJECTED, Outcome.DUPLICATE})
"""Outcomes that refuse this text for good."""

AHEAD = timedelta(minutes=1)
"""What is dated farther ahead of now was written by a clock that was wrong."""
OPENS_AT = 3
"""Attempts of an account in a row that met trouble, at which its breaker opens."""
FIRST_REST, LONGEST_REST = 5, 30
"""Rests of an open breaker, as multiples of the first back-off (a minute): 5 min, then twice as long each time."""


@dataclass(frozen=True)
class Timings:
    """The engine's timings; see `cm.config.Publishing`."""

    send_deadline: timedelta
    lease: timedelta
    settle: timedelta
    backoff: tuple[timedelta, ...]
    attempts: int

    @property
    def quiet(self) -> timedelta:
        """From the beginning of a sending until it surely is no longer at work there."""
        return self.send_deadline + self.settle


@dataclass(frozen=True)
class History:
    """What the journal says of a message, the attempt in question included.

    `spent`: attempts that cost one. `doubt_since`, `doubt_last`: the first and the last sending that nobody cleared
    up, None if none. `refused`: after one of these the platform refused the text, or said that it has it.
    """

    spent: int
    doubt_since: datetime | None = None
    doubt_last: datetime | None = None
    refused: bool = False


@dataclass(frozen=True)
class Means:
    """How a doubt can be settled on this account now. `key_window` in seconds (0: another account was sent to);
    `can_find`: the adapter can be asked what stands there, and the account is not stopped."""

    key_window: int
    can_find: bool = False


@dataclass(frozen=True)
class Decision:
    """What to write.

    `state`: the post's new state, None = it stays in publishing, being settled. `wake_at`: when to look
    again. `settled`: how the doubtful sendings were cleared up (`published`, `not_published`), None = not.
    `pause_until`: the account rests, by `pause_kind`; `stop`: until a person acts.
    """

    state: PostState | None
    wake_at: datetime | None = None
    settled: str | None = None
    pause_until: datetime | None = None
    pause_kind: PauseKind | None = None
    stop: bool = False


def decide(
    outcome: Outcome,
    history: History,
    means: Means,
    *,
    now: datetime,
    timings: Timings,
    retry_after: float | None = None,
    jitter: float = 0.0,
    failures: int = 0,
) -> Decision:
    """The decision for one finished attempt.

    `jitter` in [-1, 1] (±20 % of the wait); `failures`: the account's attempts in a row that met trouble, this one
    included.
    """
    match outcome:
        case Outcome.PUBLISHED:
            return Decision(PostState.PUBLISHED, settled="published")
        case Outcome.HANDED:
            return Decision(PostState.HANDED)
        case Outcome.REJECTED | Outcome.DUPLICATE:
            # of this text; whether an earlier sending of it stands is another question
            if history.doubt_since is None:
                return Decision(PostState.FAILED)
            return _ask(history, now, now, means, timings)
        case Outcome.RATE_LIMITED:
            free = now + (timedelta(seconds=retry_after) if retry_after else DEFAULT_PAUSE)
            return _wait(history, free, now, means, timings, (free, "rate_limit"))
        case Outcome.AUTH_FAILED:
            state = PostState.UNCONFIRMED if history.doubt_since else PostState.SCHEDULED
            return Decision(state, pause_kind="auth", stop=True)
        case Outcome.RETRYABLE | Outcome.UNKNOWN:
            rest = breaker_rest(failures, timings)
            wait = backoff(history.spent, timings.backoff, jitter)
            # unknown: the first call may still be at work there: a second one beside it could make a second post
            until = now + (max(wait, timings.settle) if outcome is Outcome.UNKNOWN else wait)
            if rest is None:
                return _wait(history, until, now, means, timings)
            return _wait(history, max(until, now + rest), now, means, timings, (now + rest, "breaker"))


def _wait(
    history: History,
    until: datetime,
    now: datetime,
    means: Means,
    timings: Timings,
    pause: tuple[datetime | None, PauseKind | None] = (None, None),
) -> Decision:
    """Not delivered, and perhaps later: back to the calendar, or on with the doubt. `pause`: until when, and why."""
    at, kind = pause
    spent = history.spent >= timings.attempts
    if history.doubt_since is None:
        # a rate limit speaks of the account: it fails no post
        fails = spent and kind != "rate_limit"
        return Decision(
            PostState.FAILED if fails else PostState.SCHEDULED,
            None if fails else until,
            pause_until=at,
            pause_kind=kind,
        )
    if not spent and key_lives(history.doubt_since, until, means.key_window, timings):
        return Decision(None, until, pause_until=at, pause_kind=kind)
    asked = _ask(history, at or now, now, means, timings)
    return Decision(asked.state, asked.wake_at, pause_until=at, pause_kind=kind)


def _ask(history: History, after: datetime, now: datetime, means: Means, timings: Timings) -> Decision:
    """No key settles this doubt: ask what stands there, as soon as that proves anything; or a person must look."""
    if not means.can_find:
        return Decision(PostState.UNCONFIRMED)
    proves = now + timings.quiet if dated_ahead(history, now) else look_from(history, timings, now)
    return Decision(None, max(after, proves))


class Next(StrEnum):
    """What clears up a doubt."""

    RESEND = "resend"
    """The same bytes under the same key."""
    LOOK = "look"
    """Ask the platform whether it stands there."""
    WAIT = "wait"
    UNCONFIRMED = "unconfirmed"


def settle_next(
    history: History, means: Means, *, now: datetime, timings: Timings, gate_open: bool, gate_late: bool = False
) -> tuple[Next, datetime | None]:
    """How to go on with a message in doubt, and for WAIT until when.

    `gate_open`: it might be sent now; `gate_late`: its time is over, so it will never be sent again.
    """
    may = may_resend(history, means, now=now, timings=timings)
    if may and gate_open:
        return Next.RESEND, None
    if means.can_find:
        start = look_from(history, timings, now)
        return (Next.LOOK, None) if now >= start else (Next.WAIT, start)
    if may and not gate_late:
        return Next.WAIT, now + timings.backoff[0]
    return Next.UNCONFIRMED, None


def may_resend(history: History, means: Means, *, now: datetime, timings: Timings) -> bool:
    """True while the same bytes under the same key surely make no second post, and the budget is not spent."""
    return (
        history.doubt_since is not None
        and not history.refused
        and history.spent < timings.attempts
        and key_lives(history.doubt_since, now, means.key_window, timings)
    )


def look_from(history: History, timings: Timings, now: datetime) -> datetime:
    """From then on no sending in doubt can be at work any more: a look-up proves something. For one dated ahead of now
    that is now: whoever put its post to sleep has let it have that time (see `wrong_clock`)."""
    return now if dated_ahead(history, now) else _last(history) + timings.quiet


def dated_ahead(history: History, now: datetime) -> bool:
    """True if the last sending in doubt was dated by a clock that was wrong: nobody knows how long ago it was."""
    return _last(history) > now + AHEAD


def _last(history: History) -> datetime:
    last = history.doubt_last or history.doubt_since
    assert last is not None
    return last


def key_lives(first_sending: datetime, at: datetime, key_window: int, timings: Timings) -> bool:
    """True if a sending that begins at `at` surely arrives while the platform remembers the key of `first_sending`.

    A clock that went back proves nothing: then it is False.
    """
    return first_sending <= at and at + timings.send_deadline < first_sending + timedelta(seconds=key_window)


def backoff(spent: int, waits: Sequence[timedelta], jitter: float) -> timedelta:
    """The wait after the `spent`-th attempt (from 1); the last one repeats. `jitter` ±1 is ±20 %."""
    wait = waits[min(max(spent, 1), len(waits)) - 1]
    return wait * (1 + 0.2 * jitter)


def breaker_rest(failures: int, timings: Timings) -> timedelta | None:
    """How long an account rests after so many attempts in a row that met trouble; None while the breaker is closed.

    5 minutes at the third, doubling to 30 (with the back-off's first wait at its usual minute).
    """
    if failures < OPENS_AT:
        return None
    doubled: int = 2 ** min(failures - OPENS_AT, 8)
    return timings.backoff[0] * min(FIRST_REST * doubled, LONGEST_REST)
