"""Clearing up after a worker that died. All of it runs under the account's operating-system lock."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Attempt, Channel, Post
from cm.publishing import journal
from cm.publishing.accounts import Work
from cm.publishing.claims import keep_in_doubt, sleep_publishing, unconfirmed
from cm.publishing.decide import AHEAD, Timings
from cm.publishing.gate import Refusal
from cm.publishing.journal import Dossier
from cm.publishing.results import RunResult
from cm.store.posts import transition

MENDED_WITHIN = timedelta(hours=3)
"""So long is waited for a channel whose settings are broken before a person is asked what became of a sending."""


def recover(env: Env, work: Work, timings: Timings) -> None:
    """Clear up after a dead worker: unfinished attempts get their outcome, their posts go back or are settled.

    Before `sending`: nothing happened, the post is free again. In `sending`: unknown, looked at when the call
    can no longer be at work. Between two messages: the post goes on.
    """
    with env.store.write() as session:
        held = (
            select(Post)
            .join(Channel, col(Channel.name) == col(Post.channel))
            .where(Channel.account_id == work.account_id, Post.state == PostState.PUBLISHING)
        )
        for dossier in journal.dossiers(session, session.exec(held).all()):
            recover_post(session, dossier, work.account_id, timings, env.now)
        recover_acts(session, work.account_id, env.now)
        session.execute(
            sa.update(Account).where(col(Account.id) == work.account_id).values(claim_token=None, lease_until=None)
        )


def recover_acts(session: Session, account_id: int, now: datetime) -> None:
    """Finish the taking down or correcting that a dead process left open; the account's lock must be held.

    What reached `sending` is unknown: the same command, given again, settles it.
    """
    left = select(Attempt).where(
        Attempt.account_id == account_id, Attempt.action != "send", col(Attempt.finished_at).is_(None)
    )
    for attempt in session.exec(left).all():
        _finish(session, attempt, now)


def _finish(session: Session, attempt: Attempt, now: datetime) -> str:
    """What reached `sending` is unknown, else nothing happened; gives what is said of it."""
    assert attempt.id is not None
    sent = attempt.sending_at is not None
    said = _("the worker stopped while sending") if sent else _("the worker stopped before sending")
    journal.finish(session, attempt.id, Outcome.UNKNOWN if sent else Outcome.RETRYABLE, now, reason=said)
    return said


def recover_post(session: Session, dossier: Dossier, account_id: int | None, timings: Timings, now: datetime) -> None:
    """Clear up one post in publishing. `account_id`: the account whose lock is held.

    An attempt of another account (the channel was given to a new one) may be alive: its lease is waited for, unless a
    clock that was wrong has dated it.
    """
    post, step = dossier.post, dossier.next
    assert post.id is not None
    last = step.attempts[-1] if step and step.attempts else None
    if last and last.id and last.finished_at is None:
        began = last.sending_at or last.started_at
        if last.account_id != account_id and now - timings.lease < began <= now + timings.lease:
            return
        said = _finish(session, last, now)
        if last.sending_at:
            settled_at = min(last.sending_at, now) + timings.quiet
            sleep_publishing(session, post.id, settled_at, said)
            return
        if step and step.in_doubt:  # it died before it could send again: the older doubt stands
            sleep_publishing(session, post.id, now, post.reason)
            return
    elif step and step.in_doubt:
        return  # it is being settled, at its own time
    transition(session, post.id, PostState.SCHEDULED, among=[PostState.PUBLISHING], claim_token=None, wake_at=now)


def abandon(
    session: Session, env: Env, dossier: Dossier, timings: Timings, refused: Refusal, result: RunResult
) -> None:
    """A post in publishing whose channel nothing can speak to: nobody can ask the platform again. Where that may be
    mended (`refused` says when to look), it is waited for a while."""
    assert dossier.post.id is not None
    recover_post(session, dossier, None, timings, env.now)
    dossier = journal.fresh_dossier(session, dossier.post.id)
    if dossier.post.state is not PostState.PUBLISHING or (dossier.post.wake_at or env.now) > env.now:
        return
    sent = [at for attempt in (dossier.next.in_doubt if dossier.next else ()) if (at := attempt.sending_at)]
    if refused.until and sent and env.now - MENDED_WITHIN < max(sent) <= env.now + AHEAD:
        keep_in_doubt(session, dossier, refused.until, refused.reason, result)
    elif refused.until:
        unconfirmed(session, dossier, _("sent, and its channel cannot be used; look whether it is there"), result)
    else:
        unconfirmed(session, dossier, _("sent, and its channel is gone; look whether it is there"), result)
