"""Sendings of an account of which nobody knows yet whether they arrived, and whom they make wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar.sql import ATTEMPT, MESSAGE, POST
from cm.model.states import PostState
from cm.publishing.journal import IN_DOUBT


@dataclass(frozen=True)
class Unsettled:
    """One sending in doubt, or still at work. `fingerprint`: what its message looks like there."""

    message_id: int
    post_id: int
    fingerprint: str
    state: PostState
    sending_at: datetime


_SENDINGS = (
    sa.select(MESSAGE.c.id, MESSAGE.c.post_id, MESSAGE.c.fingerprint, POST.c.state, ATTEMPT.c.sending_at)
    .select_from(ATTEMPT)
    .join(MESSAGE, MESSAGE.c.id == ATTEMPT.c.message_id)
    .join(POST, POST.c.id == MESSAGE.c.post_id)
    .where(
        ATTEMPT.c.account_id == sa.bindparam("account"), ATTEMPT.c.action == "send", ATTEMPT.c.sending_at.is_not(None)
    )
)
_BOTH = _SENDINGS.where(IN_DOUBT).union_all(_SENDINGS.where(ATTEMPT.c.finished_at.is_(None)))


def of_account(session: Session, account_id: int) -> list[Unsettled]:
    """Every unsettled sending of the account; two questions, each by an index of its own."""
    return [Unsettled(*row) for row in session.execute(_BOTH, {"account": account_id})]


def blocked_until(
    sendings: Sequence[Unsettled], span: timedelta, except_post: int | None, now: datetime
) -> datetime | None:
    """Until when posts that are being settled hold their account: the first sending of each, plus `span`. Pure.

    One that lies farther ahead than that was dated by a clock that was wrong: nobody waits for it.
    """
    first: dict[int, datetime] = {}
    for one in sendings:
        if one.state is PostState.PUBLISHING and one.post_id != except_post and one.sending_at <= now + span:
            first[one.post_id] = min(one.sending_at, first.get(one.post_id, one.sending_at))
    return max(first.values()) + span if first else None


def twin(sendings: Sequence[Unsettled], fingerprint: str, except_message: int | None) -> bool:
    """True if another message that looks the same may stand there: that, not what a look-up finds, tells twins
    apart. Also where its post rests as unconfirmed. Pure."""
    return any(one.fingerprint == fingerprint and one.message_id != except_message for one in sendings)
