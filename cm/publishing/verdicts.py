"""What a look-up proves about a message: one pure table.

A platform was asked whether a message stands there. Only a look-up by our own id proves an absence; a listing
may be late, or hold the same words by another hand. Nothing is adopted that two could claim.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from cm.publishing.decide import History, Timings, dated_ahead, look_from

UNCLEAR_LASTS = 8
"""So long is asked again what could not be told, from the first look on; a multiple of the first back-off (8 min)."""
TROUBLE_LASTS = 180
"""The same where the platform cannot be reached (3 h)."""


@dataclass(frozen=True)
class Seen:
    """What a look-up brought.

    `candidates`: posts there that look like the message and that no receipt owns. `certain`: looked up by our own id.
    `trouble`: it could not be asked. `at`: when it was asked.
    """

    answer: Literal["found", "absent", "unclear"]
    at: datetime
    candidates: int = 0
    certain: bool = False
    trouble: bool = False

    @property
    def sure_absence(self) -> bool:
        """It never arrived."""
        return self.answer == "absent" and self.certain


@dataclass(frozen=True)
class Standing:
    """What the journal says when the answer of a look-up is there.

    `sole`: no other unsettled message of the account looks the same. `may_resend`: its key may still settle it.
    `gate_open`: it might be sent now; `gate_late`: never again. `absent_at`: when a listing first lacked it; `resends`:
    how often it was sent again for that; `opted_in`: the channel's `resend_when_absent`.
    """

    history: History
    sole: bool = True
    may_resend: bool = False
    gate_open: bool = True
    gate_late: bool = False
    absent_at: datetime | None = None
    resends: int = 0
    opted_in: bool = False


class Verdict(StrEnum):
    """What follows from a look-up."""

    ADOPT = "adopt"
    """It stands there: its receipt is written."""
    AGAIN = "again"
    """It never arrived: it goes again, same key and bytes."""
    FAILED = "failed"
    """It never arrived, and is not tried again."""
    WAIT = "wait"
    ABSENT_ONCE = "absent_once"
    """A listing lacks it: noted, and asked for once more."""
    AGAIN_UNSURE = "again_unsure"
    """Two listings lack it and the channel wants it sent once more."""
    AMBIGUOUS = "ambiguous"
    """Something looks like it, but what or whose cannot be told: a person must look."""
    UNCONFIRMED = "unconfirmed"


def verdict(seen: Seen, standing: Standing, timings: Timings) -> tuple[Verdict, datetime | None]:
    """What a look-up for a message in doubt means, and for WAIT and ABSENT_ONCE when to ask again."""
    if seen.answer == "found" and seen.candidates:
        if seen.candidates == 1 and (standing.sole or seen.certain):
            return Verdict.ADOPT, None
        kept = _key_or_person(seen, standing, timings)
        return kept if kept[0] is Verdict.WAIT else (Verdict.AMBIGUOUS, None)
    if seen.sure_absence:
        ended = standing.history.refused or standing.history.spent >= timings.attempts
        return (Verdict.FAILED if ended else Verdict.AGAIN), None
    if seen.answer == "unclear":
        return _ask_again(seen, standing, timings)
    return _lacking(seen, standing, timings)


def _ask_again(seen: Seen, standing: Standing, timings: Timings) -> tuple[Verdict, datetime | None]:
    """Each wait is as long as all before it together, until it is enough."""
    first = look_from(standing.history, timings, seen.at)
    endless = dated_ahead(standing.history, seen.at) and not seen.trouble
    lasts = timings.backoff[0] * (TROUBLE_LASTS if seen.trouble else UNCLEAR_LASTS)
    if seen.at < first + lasts and not (standing.gate_late or endless):
        return Verdict.WAIT, seen.at + min(max(timings.backoff[0], seen.at - first), timings.backoff[-1])
    return _key_or_person(seen, standing, timings)


def _lacking(seen: Seen, standing: Standing, timings: Timings) -> tuple[Verdict, datetime | None]:
    """A listing lacks it, which proves little: it may come late."""
    history = standing.history
    willing = standing.opted_in and standing.resends == 0 and history.spent < timings.attempts
    if standing.may_resend or not willing or history.refused or standing.gate_late:
        return _key_or_person(seen, standing, timings)
    first = standing.absent_at
    proves = first is not None and (dated_ahead(history, seen.at) or look_from(history, timings, seen.at) <= first)
    if first is None or not proves or first > seen.at:
        return Verdict.ABSENT_ONCE, seen.at + timings.settle
    if seen.at < first + timings.settle:
        return Verdict.WAIT, first + timings.settle
    if not standing.gate_open:
        return Verdict.WAIT, seen.at + timings.backoff[0]
    return Verdict.AGAIN_UNSURE, None


def _key_or_person(seen: Seen, standing: Standing, timings: Timings) -> tuple[Verdict, datetime | None]:
    """While a key lives that only the gate keeps back, it is waited for; else a person must look."""
    if standing.may_resend and not standing.gate_late:
        return Verdict.WAIT, seen.at + timings.backoff[0]
    return Verdict.UNCONFIRMED, None
