"""Writing an answer into the journal, and what follows from it for post and account.

The answer in hand may be the only trace of a post that stands on a platform. So it is written even for a
worker that has lost its claim, and again if the database is busy; the account's lock is held meanwhile.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from cm.calendar.sql import ACCOUNT
from cm.env import Env
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Message
from cm.model.tables import Receipt as ReceiptRow
from cm.publishing import accounts, claims, journal
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim, Look
from cm.publishing.decide import OPENS_AT, TROUBLE, Decision, Timings, decide
from cm.publishing.journal import Dossier, fresh_dossier
from cm.publishing.late import last_moment
from cm.publishing.outcomes import Answer
from cm.publishing.results import RunResult
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

_CLEAR = (
    sa.update(ACCOUNT)
    .where(ACCOUNT.c.id == sa.bindparam("account"), ACCOUNT.c.claim_token == sa.bindparam("token"))
    .values(claim_token=None, lease_until=None)
)
Then = Callable[[Session], Claim | Look | None]
"""What takes the next message, in a transaction of its caller."""
TRIES = 10
"""Each waits for the database's busy timeout (30 s)."""


@dataclass(frozen=True)
class Recorder:
    """Records for one worker; `token` is that of its claims."""

    env: Env
    work: Work
    timings: Timings
    result: RunResult
    token: str

    def record(self, taken: Claim, answer: Answer, then: Then) -> Claim | Look | None:
        """Write the outcome and what follows from it; gives the post's next message, if that is to go now, else what
        `then` takes in the same transaction. An error of `then` is raised once the outcome is written without it."""
        try:
            return self._written(taken, answer, then)
        except Exception as error:
            log.warning("the outcome of attempt %s is written alone: %s", taken.attempt_id, type(error).__name__)
            following = self._patiently(taken, answer)
            if not isinstance(error, OperationalError):
                raise
            return following

    def _patiently(self, taken: Claim, answer: Answer) -> Claim | Look | None:
        for left in range(TRIES - 1, -1, -1):
            try:
                return self._written(taken, answer, lambda _session: None)
            except OperationalError:
                log.warning("the outcome of attempt %s cannot be written yet", taken.attempt_id)
                if not left:
                    raise
        return None

    def _written(self, taken: Claim, answer: Answer, then: Then) -> Claim | Look | None:
        with self.env.store.write() as session:
            return self._record(session, taken, answer) or then(session)

    def _record(self, session: Session, taken: Claim, answer: Answer) -> Claim | None:
        now = self.env.now
        field = answer.field or self._free(session, answer)
        journal.finish(session, taken.attempt_id, answer.outcome, now, reason=answer.reason, field=field)
        if answer.saved is not None:
            session.execute(sa.update(Message).where(col(Message.id) == taken.step.id).values(saved=answer.saved))
        if not self._keep_receipt(session, taken, answer):
            said = _("the platform answered with the id of another message; look whether it is there")
            claims.unconfirmed(session, fresh_dossier(session, taken.post_id), said, self.result)
            return None
        if answer.outcome is Outcome.PUBLISHED and self._concluded(session, taken, answer):
            return None
        return self._apply(session, taken, answer)

    def _concluded(self, session: Session, taken: Claim, answer: Answer) -> bool:
        """Nearly every sending: a first attempt went well and nothing of the post is left to do. It needs no second
        look at the journal; False where it does, or where the claim was lost."""
        others = [step for step in taken.dossier.steps if step.id != taken.step.id]
        if taken.step.attempts or any(step.receipt is None for step in others):
            return False
        done = replace(taken.step, receipt=cast(ReceiptRow, answer.receipt))
        steps = tuple(done if step.id == done.id else step for step in taken.dossier.steps)
        if not claims.conclude_published(session, replace(taken.dossier, steps=steps), self.result, taken.token):
            return False
        accounts.count(session, self.work.account_id, answer.outcome)
        self._clear_claim(session)
        return True

    def _free(self, session: Session, answer: Answer) -> str | None:
        """The mark of an attempt that costs nothing: it was made to see whether a broken platform is back."""
        if answer.outcome not in TROUBLE:
            return None
        return journal.BREAKER if accounts.row(session, self.work.account_id).failures >= OPENS_AT else None

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
        if decision.settled and journal.settle(session, taken.step.id, decision.settled):
            dossier = fresh_dossier(session, taken.post_id)
        if decision.state is PostState.HANDED:
            journal.settle_handed(session, taken.step.id)
        if decision.pause_kind:
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
            claims.means_of(session, self.work, step, self.env.now),
            now=self.env.now,
            timings=self.timings,
            retry_after=answer.retry_after,
            jitter=accounts.jitter(),
            failures=accounts.count(session, self.work.account_id, answer.outcome),
        )

    def _pause(self, session: Session, decision: Decision, answer: Answer) -> None:
        reason = answer.reason or answer.outcome.value
        kind = decision.pause_kind
        assert kind is not None
        accounts.pause(
            session,
            self.work.account_id,
            self.env.now,
            decision.pause_until,
            reason,
            kind=kind,
            app_wide=answer.app_wide,
        )
        if decision.stop:
            self.result.stop(self.work.channel, reason, kind)

    def _go_on(self, session: Session, taken: Claim, dossier: Dossier, ours: bool) -> Claim | None:
        """The next message of the post under the same claim; at the end the post is concluded."""
        step = dossier.next
        if step is None:
            claims.conclude_published(session, dossier, self.result)
            self._clear_claim(session)
            return None
        if not ours:
            return None
        if self.env.signals.leave.is_set():
            self._clear_claim(session)
            claims.release(session, taken.post_id, self.env.now)
            return None
        attempt = journal.start(
            session,
            step,
            account_id=self.work.account_id,
            token=taken.token,
            run_id=self.env.run_id,
            now=self.env.now,
        )
        return Claim(dossier, step, attempt, taken.token, continued=True)

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
        session.execute(_CLEAR, {"account": self.work.account_id, "token": self.token})
