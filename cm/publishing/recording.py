"""Writing an answer into the journal, and what follows from it for post and account.

The answer in hand may be the only trace of a post that stands on a platform. So it is written even for a
worker that has lost its claim, and again if the database is busy; the account's lock is held meanwhile.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Message, Post
from cm.publishing import accounts, claims, journal
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim
from cm.publishing.decide import Decision, Timings, decide
from cm.publishing.journal import Dossier
from cm.publishing.late import last_moment
from cm.publishing.outcomes import Answer
from cm.publishing.results import RunResult
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

TRIES = 10
"""Each waits for the database's busy timeout (30 s)."""


def fresh_dossier(session: Session, post_id: int) -> Dossier:
    """Everything known of a post, read anew."""
    session.expire_all()
    post = session.exec(select(Post).where(Post.id == post_id)).one()
    return journal.dossiers(session, [post])[0]


@dataclass(frozen=True)
class Recorder:
    """Records for one worker; `token` is that of its claims."""

    env: Env
    work: Work
    timings: Timings
    result: RunResult
    token: str

    def record(self, taken: Claim, answer: Answer) -> Claim | None:
        """Write the outcome and what follows from it; gives the post's next message, if that is to go now."""
        for left in range(TRIES - 1, -1, -1):
            try:
                with self.env.store.write() as session:
                    return self._record(session, taken, answer)
            except OperationalError:
                log.warning("the outcome of attempt %s cannot be written yet", taken.attempt_id)
                if not left:
                    raise
        return None

    def _record(self, session: Session, taken: Claim, answer: Answer) -> Claim | None:
        now = self.env.now
        journal.finish(session, taken.attempt_id, answer.outcome, now, reason=answer.reason, field=answer.field)
        if answer.saved is not None:
            session.execute(sa.update(Message).where(col(Message.id) == taken.step.id).values(saved=answer.saved))
        if not self._keep_receipt(session, taken, answer):
            said = _("the platform answered with the id of another message; look whether it is there")
            claims.unconfirmed(session, fresh_dossier(session, taken.post_id), said, self.result)
            return None
        return self._apply(session, taken, answer)

    def _keep_receipt(self, session: Session, taken: Claim, answer: Answer) -> bool:
        """Store the receipt, if there is one; False if it proves another message already."""
        if answer.receipt is None:
            return True
        return journal.store_receipt(
            session,
            taken.step.id,
            self.work.account_id,
            self.work.identity.platform,
            answer.receipt,
            self.env.now,
            attempt_id=taken.attempt_id,
            source="sent",
        )

    def _apply(self, session: Session, taken: Claim, answer: Answer) -> Claim | None:
        dossier = fresh_dossier(session, taken.post_id)
        decision = self._decide(session, taken, dossier, answer)
        if decision.settled:
            journal.settle(session, taken.step.id, decision.settled)
            dossier = fresh_dossier(session, taken.post_id)
        if decision.pause_until or decision.stop:
            self._pause(session, decision, answer)
        ours = dossier.post.state is PostState.PUBLISHING and dossier.post.claim_token == taken.token
        if decision.state in (PostState.PUBLISHED, PostState.HANDED):
            return self._go_on(session, taken, dossier, ours)
        if ours:
            self._put_back(session, taken, dossier, decision, answer)
        return None

    def _decide(self, session: Session, taken: Claim, dossier: Dossier, answer: Answer) -> Decision:
        if answer.field == journal.PENDING:
            return Decision(PostState.SCHEDULED, self.env.now + timedelta(seconds=max(answer.retry_after or 0, 1)))
        step = next(step for step in dossier.steps if step.id == taken.step.id)
        return decide(
            answer.outcome,
            step.history(dossier.post.updated_at),
            now=self.env.now,
            key_window=session.get_one(Account, self.work.account_id).key_window,
            timings=self.timings,
            retry_after=answer.retry_after,
            jitter=accounts.jitter(),
        )

    def _pause(self, session: Session, decision: Decision, answer: Answer) -> None:
        reason = answer.reason or answer.outcome.value
        accounts.pause(session, self.work.account_id, self.env.now, decision.pause_until, reason)
        if decision.stop:
            self.result.stop(self.work.channel, reason)

    def _go_on(self, session: Session, taken: Claim, dossier: Dossier, ours: bool) -> Claim | None:
        """The next message of the post under the same claim; at the end the post is concluded."""
        step = dossier.next
        if step is None:
            claims.conclude_published(session, dossier, self.result)
            self._clear_claim(session)
            return None
        if not ours:
            return None
        attempt = journal.start(
            session,
            step,
            account_id=self.work.account_id,
            token=taken.token,
            run_id=self.env.run_id,
            now=self.env.now,
        )
        return Claim(dossier, step, attempt, taken.token)

    def _put_back(self, session: Session, taken: Claim, dossier: Dossier, decision: Decision, answer: Answer) -> None:
        """Write where the post stands after an attempt that did not deliver."""
        reason = answer.reason or answer.outcome.value
        self._clear_claim(session)
        if answer.outcome in (Outcome.RETRYABLE, Outcome.RATE_LIMITED, Outcome.UNKNOWN):
            self.result.trouble()
        if decision.state is None:
            assert decision.wake_at is not None
            claims.sleep_publishing(session, taken.post_id, decision.wake_at, reason)
            self.result.add("deferred", dossier.post, reason=reason)
        elif decision.state is PostState.SCHEDULED:
            self._reschedule(session, taken, dossier, decision, reason)
        elif decision.state is PostState.UNCONFIRMED:
            claims.unconfirmed(session, dossier, reason, self.result)
        else:
            values = {"claim_token": None, "wake_at": None, "reason": reason}
            transition(session, taken.post_id, decision.state, among=[PostState.PUBLISHING], **values)
            self.result.add("failed", dossier.post, reason=reason)

    def _reschedule(self, session: Session, taken: Claim, dossier: Dossier, decision: Decision, reason: str) -> None:
        end = last_moment(self.env, dossier) + claims.NEVER
        wake = min(decision.wake_at, end) if decision.wake_at else end
        transition(
            session,
            taken.post_id,
            PostState.SCHEDULED,
            among=[PostState.PUBLISHING],
            claim_token=None,
            not_before=None if decision.pause_until else decision.wake_at,
            wake_at=wake,
            reason=reason,
        )
        self.result.add("held" if decision.stop else "deferred", dossier.post, reason=reason)

    def _clear_claim(self, session: Session) -> None:
        session.execute(
            sa.update(Account)
            .where(col(Account.id) == self.work.account_id, col(Account.claim_token) == self.token)
            .values(claim_token=None, lease_until=None)
        )
