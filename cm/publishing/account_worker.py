"""One worker, one account: recover, claim, prepare, send, until nothing is due. `recording` writes what came of it.

The stages are logged as they pass (`locked`, `claimed`, `preparing`, `prepared`, `sending`, `answered`,
`recorded`): after a crash the log says how far it came, and the fault tests stop a worker at each.
"""

import logging
import uuid
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import Session

from cm.channels.port import ChannelError, Prepared
from cm.env import Env
from cm.errors import CmError
from cm.formats import trouble
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Payload
from cm.publishing import accounts, checked, claims, decide, journal, outcomes, ownership, spacing
from cm.publishing.account_lock import AccountLock
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim, Look
from cm.publishing.deadline import within
from cm.publishing.decide import Timings
from cm.publishing.gate import Refusal, refusal
from cm.publishing.journal import Frozen
from cm.publishing.outcomes import Answer
from cm.publishing.preparing import Preparer
from cm.publishing.recording import Recorder
from cm.publishing.recovery import recover
from cm.publishing.results import RunResult
from cm.publishing.settling import Settler
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

BATCH = 100
"""Posts checked together before they are claimed one by one."""


@dataclass(frozen=True)
class AccountWorker:
    """Works one account in this thread; everything it did is told to `result`."""

    env: Env
    work: Work
    timings: Timings
    result: RunResult

    def run(self) -> None:
        """Publish what is due. Errors of the account go to `result` and stop no other account."""
        try:
            if not self.lock.acquire():
                self._defer(_("another run of cm is publishing for this account"))
                return
            try:
                self._run_locked()
            finally:
                self.lock.release()
        except CmError as error:
            self.result.fail(self.work.channel, error)
        except Exception as error:
            log.exception("bug", extra={"channel": self.work.channel})
            self.result.bug(self.work.channel, type(error).__name__)

    @cached_property
    def lock(self) -> AccountLock:
        """The account's operating-system lock and state file."""
        return ownership.lock_of(self.env, self.work)

    @cached_property
    def _token(self) -> str:
        return uuid.uuid4().hex

    @cached_property
    def _workspace_id(self) -> str:
        with self.env.store.read() as session:
            return ownership.workspace_id(session)

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self.env, self.work, self.timings, self.result, self._token)

    @cached_property
    def _preparer(self) -> Preparer:
        return Preparer(self.env, self.work)

    @cached_property
    def _settler(self) -> Settler:
        return Settler(self.env, self.work, self.timings, self.result)

    def _run_locked(self) -> None:
        log.info("locked", extra={"channel": self.work.channel})
        ownership.require_ours(self.env, self.work, self.lock)
        recover(self.env, self.work, self.timings)
        if not self._waiting():
            return
        self._refresh_facts()
        before: list[int | None] = []
        while (waiting := self._waiting()) and [dossier.post.id for dossier in waiting] != before:
            before = [dossier.post.id for dossier in waiting]
            checked.ensure(self.env, waiting)
            taken = self._take()
            while taken:
                taken = self._work(taken)

    def _work(self, taken: Claim | Look) -> Claim | Look | None:
        """What was taken; gives what is to be done next."""
        if isinstance(taken, Look):
            self._settler.look(taken)
            return self._take()
        return self._publish(taken)

    def _take(self) -> Claim | Look | None:
        """The next message to work on; none once this process was asked to leave."""
        if self.env.signals.leave.is_set():
            return None
        return self._claimed(claims.claim(self.env, self.work, self.timings, self._token, self.result))

    def _take_next(self, session: Session) -> Claim | Look | None:
        """As `_take`, in the transaction that wrote how the message before ended: that is one commit less a post."""
        if self.env.signals.leave.is_set():
            return None
        return claims.take(session, self.env, self.work, self.timings, self._token, self.result)

    def _claimed(self, taken: Claim | Look | None) -> Claim | Look | None:
        if isinstance(taken, Claim) and not taken.continued:
            self._stage("claimed", taken)
        return taken

    def _waiting(self) -> list[journal.Dossier]:
        with self.env.store.read() as session:
            return claims.due_posts(session, self.work, self.env.now, BATCH)

    def _refresh_facts(self) -> None:
        """Check the account where that is due; if the check fails the account rests and the gate says so."""
        with self.env.store.read() as session:
            account = session.get_one(Account, self.work.account_id)
        if accounts.rests(account, self.env.now) or not accounts.stale(account, self.env.now):
            return
        try:
            within(self.timings.send_deadline.total_seconds(), lambda: accounts.check(self.env, self.work))
        except Exception as error:
            log.warning("check failed", exc_info=not isinstance(error, ChannelError))
            answer = outcomes.of_error(error, sending=False)
            self._rest(answer, "check" if isinstance(error, accounts.AnotherIdentity) else None)

    def _rest(self, answer: Answer, stopped_as: decide.PauseKind | None) -> None:
        until, kind = accounts.pause_after(answer.outcome, answer.retry_after, self.env.now)
        kind, reason, wide = stopped_as or kind, answer.reason or "", answer.app_wide
        with self.env.store.write() as session:
            accounts.pause(session, self.work.account_id, self.env.now, until, reason, kind=kind, app_wide=wide)
        if until is None:
            self.result.stop(self.work.channel, reason, kind)
        else:
            self.result.trouble()

    def _defer(self, reason: str) -> None:
        for dossier in self._waiting():
            self.result.add("deferred", dossier.post, reason=reason)

    def _publish(self, taken: Claim) -> Claim | Look | None:
        """Try the claimed message; gives what is to be done next, which is the post's next one if that may go."""
        answer = self._try(taken)
        if answer is None:
            return self._take()
        following = self._recorder.record(taken, answer, self._take_next)
        self._stage("recorded", taken)
        return self._claimed(following)

    def _try(self, taken: Claim) -> Answer | None:
        """One attempt up to its answer; None if it ended at the gate (already written)."""
        if taken.resend:
            prepared = Prepared(taken.resend.body, taken.resend.expires_at)
        else:
            self._stage("preparing", taken)
            found = self._preparer.prepare(taken)
            if isinstance(found, Answer):
                return found
            prepared = found
            self._stage("prepared", taken)
        payload = self._mark_sending(taken, prepared)
        if payload is None:
            return None
        self._stage("sending", taken)
        answer = self._noted(taken) or self._send(payload)
        self._stage("answered", taken, answer)
        return answer

    def _noted(self, taken: Claim) -> Answer | None:
        """Put on the disk, outside the database, that this is being sent; where that fails, nothing is."""
        try:
            self.lock.note(self._workspace_id, taken.attempt_id, self.env.now)
        except (OSError, CmError) as error:
            log.warning("the state file cannot be written", exc_info=True)
            said = _("the account's state file cannot be written: {error}")
            return Answer(Outcome.RETRYABLE, said.format(error=trouble(error) if isinstance(error, OSError) else error))
        return None

    def _mark_sending(self, taken: Claim, prepared: Prepared) -> Payload | Frozen | None:
        """Freeze the payload and write `sending` in one transaction; None if the gate or a lost claim forbids it."""
        with self.env.store.write() as session:
            dossier, now = journal.reread(session, taken.dossier), self.env.now
            payload = taken.resend or journal.freeze(session, taken.step, taken.dossier.content_hash, prepared, now)
            refused = self._gate_again(session, taken, dossier, payload)
            if refused:
                journal.finish(
                    session, taken.attempt_id, Outcome.RETRYABLE, now, reason=refused.reason, field=journal.GATE
                )
                self._give_back(session, taken, dossier, refused)
                return None
            assert payload.id is not None
            journal.mark_sending(session, taken.attempt_id, payload.id, now)
            spacing.mark_sent(session, dossier, now)
            claims.extend(session, self.work.account_id, taken.post_id, now + self.timings.lease)
            return payload

    def _gate_again(
        self, session: Session, taken: Claim, dossier: journal.Dossier, payload: Payload | Frozen
    ) -> Refusal | None:
        account = accounts.row(session, self.work.account_id)
        post = dossier.post
        ours = taken.token == post.claim_token == account.claim_token
        if post.state is not PostState.PUBLISHING or not ours:
            return Refusal("refused", _("the claim was lost"))
        step = next(step for step in dossier.steps if step.id == taken.step.id)
        if taken.resend and not self._may_resend(session, dossier, step):
            return Refusal("late", _("the platform may have forgotten the key"))
        if step.in_doubt and not taken.resend:  # another key would make another post
            return Refusal("waits", _("an earlier sending of it is not cleared up"), self.env.now)
        return refusal(claims.gate_facts(session, self.env, self.work, self.timings, dossier, payload, account))

    def _may_resend(self, session: Session, dossier: journal.Dossier, step: journal.Step) -> bool:
        means = claims.means_of(session, self.work, step, self.env.now)
        history = step.history(dossier.post.updated_at)
        return decide.may_resend(history, means, now=self.env.now, timings=self.timings)

    def _give_back(self, session: Session, taken: Claim, dossier: journal.Dossier, refused: Refusal) -> None:
        """The gate closed between claim and sending: the post stands as it did before the claim."""
        if dossier.post.claim_token != taken.token:
            return
        if taken.resend:  # whoever claims it next decides what clears it up now
            claims.keep_in_doubt(session, dossier, self.env.now, refused.reason, self.result)
            return
        among = [PostState.PUBLISHING]
        transition(session, taken.post_id, PostState.SCHEDULED, among=among, claim_token=None, wake_at=self.env.now)
        claims.put_to_sleep(session, self.env, dossier, refused, self.result)

    def _send(self, payload: Payload | Frozen) -> Answer:
        prepared = Prepared(payload.body, payload.expires_at)
        adapter, seconds = self.work.adapter, self.timings.send_deadline.total_seconds()
        try:
            receipt = within(seconds, lambda: adapter.send(prepared, key=payload.key))
        except Exception as error:
            log.warning("send failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_refused_sending(outcomes.of_error(error, sending=True))
        return outcomes.of_receipt(receipt, adapter.capabilities)

    def _stage(self, name: str, taken: Claim, answer: Answer | None = None) -> None:
        """Log how far a message is; with the answer goes its remote id, should it never reach the database."""
        facts: dict[str, object] = {"post": taken.post_id, "part": taken.step.message.n, "attempt": taken.attempt_id}
        if answer and answer.receipt:
            facts["remote_id"] = answer.receipt.remote_id
        log.info("%s", name, extra=facts)
