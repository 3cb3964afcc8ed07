"""May this message go out now? Pure; asked in the claim and again in the transaction that marks `sending`.

Whatever bypassed planning (an import, a script, an edit of the database) still meets it. What it refuses sleeps
until the reason ends by itself, at the longest to the end of its grace.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cm.i18n import _
from cm.model.words import channel_state_word

Kind = Literal["late", "held", "waits", "refused"]

AGAIN = timedelta(minutes=1)
"""When to look again at a post whose hold may be over at any moment."""


@dataclass(frozen=True)
class GateFacts:
    """All that the gate looks at, read in one transaction."""

    now: datetime
    scheduled_at: datetime
    last_moment: datetime
    """After that nothing of the post is sent any more; see `late.last_moment`."""
    not_before: datetime | None
    held: str | None
    """What is said of the hold that applies to the post; None too for a post that passes holds."""
    example: bool
    simulated: bool
    channel_state: str
    successor: str | None
    paused: bool
    paused_until: datetime | None
    pause_reason: str | None
    blocked_until: datetime | None
    """Another message of this account is being settled until then."""
    spaced_until: datetime | None
    """Another post stands on the channel since so short a time that this one waits until then."""
    content_hash: str
    """Recomputed from what is stored now."""
    planned_hash: str
    prepared_hash: str | None
    check_error: str | None
    """What an error finding says."""
    withdrawn: bool = False
    """It is being taken down, or was."""
    twin: bool = False
    """Another message of the account that looks the same may stand there, and nobody knows yet."""


@dataclass(frozen=True)
class Refusal:
    """Why not, and when that ends by itself (None: not before a person acts, or at the end of the grace)."""

    kind: Kind
    reason: str
    until: datetime | None = None


def refusal(facts: GateFacts) -> Refusal | None:
    """The first reason not to send, None if the way is free."""
    if facts.held and facts.scheduled_at <= facts.now:
        return Refusal("held", facts.held, facts.now + AGAIN)
    if facts.now > facts.last_moment:
        return Refusal("late", _("its time is past the grace"))
    return _standing(facts) or _waiting(facts)


def not_active(state: str, successor: str | None) -> Refusal:
    """Of a channel that is planned or closed: nothing is published there, but perhaps elsewhere."""
    where = _(", its successor is {name}").format(name=successor) if successor else ""
    return Refusal("refused", _("the channel is {state}").format(state=channel_state_word(state)) + where)


def _standing(facts: GateFacts) -> Refusal | None:
    """Reasons that a person must clear away."""
    if facts.example and not facts.simulated:
        return Refusal("refused", _("example posts go out on simulated channels only"))
    if facts.withdrawn:
        return Refusal("refused", _("it was taken down"))
    if facts.channel_state != "active":
        return not_active(facts.channel_state, facts.successor)
    if facts.check_error:
        return Refusal("refused", facts.check_error)
    if facts.content_hash != facts.planned_hash or facts.prepared_hash not in (None, facts.content_hash):
        return Refusal("refused", _("its stored content was changed outside cm; cancel it and add it anew"))
    if facts.paused and facts.paused_until is None:
        return Refusal("refused", _("the channel is stopped: {reason}").format(reason=facts.pause_reason))
    return None


def _waiting(facts: GateFacts) -> Refusal | None:
    """Reasons that end by themselves: the one that lasts longest, so that the post is not looked at in between."""
    rest = _("the channel rests: {reason}").format(reason=facts.pause_reason)
    until = (
        (facts.scheduled_at, _("it is not due")),
        (facts.not_before, _("waiting before the next attempt")),
        (facts.paused_until if facts.paused else None, rest),
        (facts.blocked_until, _("an earlier message of this account is being settled")),
        (facts.spaced_until, _("the post before it went out only a moment ago")),
    )
    if facts.twin:  # its end wakes this one; nobody knows when
        return Refusal("waits", _("the same text was sent before, and nobody knows yet whether it is there"))
    open_ = [(end, said) for end, said in until if end and end > facts.now]
    if not open_:
        return None
    end, said = max(open_, key=lambda item: item[0])
    return Refusal("waits", said, end)
