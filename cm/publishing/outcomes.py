"""What an adapter said, as an outcome of the journal."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cm.channels.port import (
    AuthFailed,
    Capabilities,
    ChannelError,
    Duplicate,
    Pending,
    RateLimited,
    Receipt,
    Rejected,
    Retryable,
    UnknownOutcome,
)
from cm.i18n import _
from cm.model.states import Outcome
from cm.publishing.deadline import DeadlinePassed
from cm.publishing.journal import PENDING


@dataclass(frozen=True)
class Answer:
    """One attempt's end, before it is written."""

    outcome: Outcome
    reason: str | None = None
    field: str | None = None
    receipt: Receipt | None = None
    retry_after: float | None = None
    saved: dict[str, Any] | None = None
    app_wide: bool = False
    """A rate limit of the app: all its accounts rest."""


_OUTCOMES: dict[type[ChannelError], Outcome] = {
    Retryable: Outcome.RETRYABLE,
    RateLimited: Outcome.RATE_LIMITED,
    AuthFailed: Outcome.AUTH_FAILED,
    Rejected: Outcome.REJECTED,
    Duplicate: Outcome.DUPLICATE,
    UnknownOutcome: Outcome.UNKNOWN,
}


def of_receipt(receipt: Receipt, capabilities: Capabilities) -> Answer:
    """The platform took it, or a person has it now."""
    if capabilities.delivery == "person":
        return Answer(Outcome.HANDED, reason=receipt.remote_id)
    return Answer(Outcome.PUBLISHED, receipt=receipt)


def of_pending(pending: Pending, now: datetime) -> Answer:
    """The platform is not done with the media: ask again, with what there is."""
    wait = (pending.not_before - now).total_seconds()
    said = _("the platform is still working on the media")
    return Answer(Outcome.RETRYABLE, said, PENDING, retry_after=wait, saved=pending.saved)


def of_error(error: Exception, *, sending: bool) -> Answer:
    """An error of `prepare` or (`sending`) of `send`; what no adapter mapped is unknown only if it was sent."""
    if isinstance(error, ChannelError):
        outcome = next((value for kind, value in _OUTCOMES.items() if isinstance(error, kind)), None)
        if outcome is Outcome.UNKNOWN and not sending:
            outcome = Outcome.RETRYABLE
        if outcome is not None:
            return Answer(
                outcome,
                reason=error.reason,
                field=getattr(error, "field", None),
                retry_after=getattr(error, "retry_after", None),
                saved=error.saved,
                app_wide=getattr(error, "scope", None) == "app",
            )
    if isinstance(error, DeadlinePassed):
        return Answer(Outcome.UNKNOWN if sending else Outcome.RETRYABLE, reason=str(error))
    # its text is not ours to print: it may quote a token
    said = _("{kind} in the adapter").format(kind=type(error).__name__)
    return Answer(Outcome.UNKNOWN if sending else Outcome.RETRYABLE, reason=said)


def of_refused_sending(answer: Answer) -> Answer:
    """The same answer with what a person must know of it: a platform may refuse a post after it has made it."""
    if answer.outcome is Outcome.DUPLICATE:
        said = _("the platform already has this text, look first: {reason}")
    elif answer.outcome is Outcome.REJECTED:
        said = _("{reason}; it may be on the platform, look first")
    else:
        return answer
    return replace(answer, reason=said.format(reason=answer.reason))
