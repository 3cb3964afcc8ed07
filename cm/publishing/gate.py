"""May this message go out now? Pure; asked in the claim and again in the transaction that marks `sending`.

Whatever bypassed planning (an import, a script, an edit of the database) still meets it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cm.i18n import _
from cm.model.words import channel_state_word

Kind = Literal["late", "waits", "refused"]


@dataclass(frozen=True)
class GateFacts:
    """All that the gate looks at, read in one transaction."""

    now: datetime
    scheduled_at: datetime
    last_moment: datetime
    """After that nothing of the post is sent any more; see `late.last_moment`."""
    not_before: datetime | None
    example: bool
    simulated: bool
    channel_state: str
    successor: str | None
    paused: bool
    paused_until: datetime | None
    pause_reason: str | None
    blocked_until: datetime | None
    """Another message of this account is being settled until then."""
    content_hash: str
    """Recomputed from what is stored now."""
    planned_hash: str
    prepared_hash: str | None
    check_error: str | None
    """What an error finding says."""


@dataclass(frozen=True)
class Refusal:
    """Why not, and when that ends by itself (None: not before a person acts, or at the end of the grace)."""

    kind: Kind
    reason: str
    until: datetime | None = None


def refusal(facts: GateFacts) -> Refusal | None:
    """The first reason not to send, None if the way is free."""
    if facts.now > facts.last_moment:
        return Refusal("late", _("its time is past the grace"))
    return _standing(facts) or _waiting(facts)


def _standing(facts: GateFacts) -> Refusal | None:
    """Reasons that a person must clear away."""
    if facts.example and not facts.simulated:
        return Refusal("refused", _("example posts go out on simulated channels only"))
    if facts.channel_state != "active":
        where = _(", its successor is {name}").format(name=facts.successor) if facts.successor else ""
        said = _("the channel is {state}").format(state=channel_state_word(facts.channel_state))
        return Refusal("refused", said + where)
    if facts.check_error:
        return Refusal("refused", facts.check_error)
    if facts.content_hash != facts.planned_hash or facts.prepared_hash not in (None, facts.content_hash):
        return Refusal("refused", _("its stored content was changed outside cm; cancel it and add it anew"))
    if facts.paused and facts.paused_until is None:
        return Refusal("refused", _("the channel is stopped: {reason}").format(reason=facts.pause_reason))
    return None


def _waiting(facts: GateFacts) -> Refusal | None:
    """Reasons that end by themselves."""
    if facts.scheduled_at > facts.now:
        return Refusal("waits", _("it is not due"), facts.scheduled_at)
    if facts.not_before and facts.not_before > facts.now:
        return Refusal("waits", _("waiting before the next attempt"), facts.not_before)
    if facts.paused_until and facts.paused_until > facts.now:
        return Refusal("waits", _("the channel rests: {reason}").format(reason=facts.pause_reason), facts.paused_until)
    if facts.blocked_until and facts.blocked_until > facts.now:
        return Refusal("waits", _("an earlier message of this account is being settled"), facts.blocked_until)
    return None
