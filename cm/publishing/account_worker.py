"""One worker, one account: recover, claim, prepare, send, record, until nothing is due.

The stages are logged as they pass (`locked`, `claimed`, `preparing`, `prepared`, `sending`, `answered`,
`recorded`): after a crash the log says how far it came, and the fault tests stop a worker at each.
"""

import hashlib
import logging
import os
import pwd
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.channels.port import ChannelError, Media, Outgoing, Pending, Prepared, Rejected
from cm.env import Env
from cm.errors import CmError, WorkspaceError
from cm.i18n import _
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Message, Meta, Payload, Post
from cm.publishing import accounts, checked, claims, journal, outcomes
from cm.publishing.account_lock import AccountLock, State, state_path, verify
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim
from cm.publishing.deadline import within
from cm.publishing.decide import Decision, Timings, decide
from cm.publishing.gate import Refusal, refusal
from cm.publishing.late import grace_end
from cm.publishing.outcomes import Answer
from cm.publishing.results import RunResult
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

BATCH = 100
"""Posts checked together before they are claimed one by one."""


def _stage(name: str, claim: Claim) -> None:
    log.info("%s", name, extra={"post": claim.post_id, "part": claim.step.message.n, "attempt": claim.attempt_id})


@dataclass(frozen=True)
class AccountWorker:
    """Works one account in this thread; everything it did is told to `result`."""

    env: Env
    work: Work
    timings: Timings
    result: RunResult

    def run(self) -> None:
        """Publish what is due. Errors of the account go to `result` and stop no other account."""
        if not self.lock.acquire():
            self._defer(_("another run of cm is publishing for this account"))
            return
        try:
            self._run_locked()
        except CmError as error:
            self.result.fail(self.work.channel, error)
        finally:
            self.lock.release()

    @cached_property
    def lock(self) -> AccountLock:
        """The account's operating-system lock and state file."""
        return AccountLock(state_path(self.env.root, self.work.identity, local=self.work.local))

    @cached_property
    def _token(self) -> str:
        return uuid.uuid4().hex

    @cached_property
    def _workspace_id(self) -> str:
        with self.env.store.read() as session:
            return session.get_one(Meta, "workspace").value

    def _run_locked(self) -> None:
        log.info("locked", extra={"channel": self.work.channel})
        self._require_ours()
        claims.recover(self.env, self.work, self.timings)
        if not self._waiting():
            return
        self._refresh_facts()
        before: list[int | None] = []
        while (waiting := self._waiting()) and [dossier.post.id for dossier in waiting] != before:
            before = [dossier.post.id for dossier in waiting]
            checked.ensure(self.env, waiting)
            while taken := claims.claim(self.env, self.work, self.timings, self._token, self.result):
                _stage("claimed", taken)
                self._publish(taken)

    def _waiting(self) -> list[journal.Dossier]:
        with self.env.store.read() as session:
            return claims.due_posts(session, self.work, self.env.now, BATCH)

    def _require_ours(self) -> None:
        """Raises WorkspaceError: another OS user, another workspace, or a rewound database."""
        configured = self.env.config.channels[self.work.channel]
        user = pwd.getpwuid(os.geteuid()).pw_name
        with self.env.store.write() as session:
            account = session.get_one(Account, self.work.account_id)
            if account.os_user not in (None, user) and not self.work.local:
                raise WorkspaceError(
                    _("The OS user {owner!r} publishes for {channel}, not {user!r}.").format(
                        owner=account.os_user, channel=self.work.channel, user=user
                    ),
                    hint=_("Run cm publish as {owner}.").format(owner=account.os_user),
                )
            highest, sent = journal.highest_attempt(session, self.work.account_id)
            verify(self.lock, workspace=self._workspace_id, highest=highest, sent=sent, shared=configured.shared)
            account.os_user, account.state_file = user, str(self.lock.path)
            session.add(account)

    def _refresh_facts(self) -> None:
        """Check the account where that is due; if the check fails the account rests and the gate says so."""
        with self.env.store.read() as session:
            account = session.get_one(Account, self.work.account_id)
        resting = account.paused_at and (account.paused_until is None or account.paused_until > self.env.now)
        if resting or not accounts.stale(account, self.env.now):
            return
        try:
            accounts.check(self.env, self.work)
        except Exception as error:
            log.warning("check failed", exc_info=not isinstance(error, ChannelError))
            answer = outcomes.of_error(error, sending=False)
            self._rest(accounts.pause_after(answer.outcome, answer.retry_after, self.env.now), answer.reason or "")

    def _rest(self, until: datetime | None, reason: str) -> None:
        with self.env.store.write() as session:
            accounts.pause(session, self.work.account_id, self.env.now, until, reason)
        if until is None:
            self.result.stop(self.work.channel, reason)
        else:
            self.result.network_trouble = True

    def _defer(self, reason: str) -> None:
        with self.env.store.read() as session:
            for dossier in claims.due_posts(session, self.work, self.env.now, BATCH):
                self.result.add("deferred", dossier.post, reason=reason)

    def _publish(self, taken: Claim) -> None:
        """Try the claimed message, and those after it in the post while it goes well."""
        following: Claim | None = taken
        while following:
            answer = self._try(following)
            following = self._record(following, answer)

    def _try(self, taken: Claim) -> Answer | None:
        """One attempt up to its answer; None if it ended at the gate (already written)."""
        payload = taken.resend
        if payload is None:
            _stage("preparing", taken)
            prepared = self._prepare(taken)
            if isinstance(prepared, Answer):
                return prepared
            _stage("prepared", taken)
        else:
            prepared = Prepared(payload.body, payload.expires_at)
        self.lock.write(State(self._workspace_id, taken.attempt_id))
        payload = self._mark_sending(taken, prepared)
        if payload is None:
            return None
        _stage("sending", taken)
        answer = self._send(payload)
        _stage("answered", taken)
        return answer

    def _prepare(self, taken: Claim) -> Prepared | Answer:
        with self.env.store.read() as session:
            kept = journal.frozen(session, taken.step.id, taken.dossier.content_hash, self.env.now)
        if kept is not None:
            return Prepared(kept.body, kept.expires_at)
        try:
            prepared = self.work.adapter.prepare(self._outgoing(taken), dict(taken.step.message.saved or {}))
        except Exception as error:
            log.warning("prepare failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=False)
        if isinstance(prepared, Pending):
            wait = (prepared.not_before - self.env.now).total_seconds()
            return Answer(
                Outcome.RETRYABLE,
                _("the platform is still working on the media"),
                journal.PENDING,
                None,
                wait,
                prepared.saved,
            )
        return prepared

    def _outgoing(self, taken: Claim) -> Outgoing:
        """The message for the adapter. Raises Rejected if a file is not what was planned."""
        post, message = taken.dossier.post, taken.step.message
        with self.env.store.read() as session:
            facts = session.get_one(Account, self.work.account_id).facts or {}
        return Outgoing(
            text=message.text,
            language=post.language,
            created_at=self.env.now,
            link=message.link,
            role=message.role,
            visibility=post.visibility,
            media=tuple(self._media(item.path, item.mime, item.sha256, item.alt) for item in taken.step.media),
            parent=_parent(taken),
            limits=facts.get("limits", {}),
        )

    def _media(self, relative: str, mime: str, sha256: str, alt: str) -> Media:
        path = self.env.root / "media" / relative
        if _digest(path) != sha256:
            raise Rejected(
                _("the file {name} is gone or changed since it was planned").format(name=relative), field="media"
            )
        return Media(path, mime, sha256, alt)

    def _mark_sending(self, taken: Claim, prepared: Prepared) -> Payload | None:
        """Freeze the payload and write `sending` in one transaction; None if the gate or a lost claim forbids it."""
        with self.env.store.write() as session:
            dossier = _fresh(session, taken.post_id)
            payload = taken.resend or journal.freeze(
                session, taken.step.id, taken.dossier.content_hash, prepared, self.env.now
            )
            refused = self._gate_again(session, taken, dossier, payload)
            if refused:
                journal.finish(
                    session,
                    taken.attempt_id,
                    Outcome.RETRYABLE,
                    self.env.now,
                    reason=refused.reason,
                    field=journal.GATE,
                )
                self._give_back(session, taken, dossier, refused)
                return None
            assert payload.id is not None
            journal.mark_sending(session, taken.attempt_id, payload.id, self.env.now)
            lease = self.env.now + self.timings.lease
            session.execute(sa.update(Account).where(col(Account.id) == self.work.account_id).values(lease_until=lease))
            session.execute(sa.update(Post).where(col(Post.id) == taken.post_id).values(wake_at=lease))
            return payload

    def _gate_again(self, session: Session, taken: Claim, dossier: journal.Dossier, payload: Payload) -> Refusal | None:
        account = session.get_one(Account, self.work.account_id)
        post = dossier.post
        if (
            post.state is not PostState.PUBLISHING
            or taken.token != post.claim_token
            or taken.token != account.claim_token
        ):
            return Refusal("refused", _("the claim was lost"))
        return refusal(claims.gate_facts(session, self.env, self.work, self.timings, dossier, payload))

    def _give_back(self, session: Session, taken: Claim, dossier: journal.Dossier, refused: Refusal) -> None:
        if dossier.post.claim_token != taken.token:
            return
        if taken.resend:
            claims.sleep_publishing(session, taken.post_id, self.env.now + self.timings.backoff[0], refused.reason)
            self.result.add("deferred", dossier.post, reason=refused.reason)
            return
        transition(
            session,
            taken.post_id,
            PostState.SCHEDULED,
            among=[PostState.PUBLISHING],
            token=taken.token,
            claim_token=None,
            wake_at=self.env.now,
        )
        claims.put_to_sleep(session, self.env, dossier, refused, self.result)

    def _send(self, payload: Payload) -> Answer:
        prepared = Prepared(payload.body, payload.expires_at)
        adapter = self.work.adapter
        try:
            receipt = within(
                self.timings.send_deadline.total_seconds(), lambda: adapter.send(prepared, key=payload.key)
            )
        except Exception as error:
            log.warning("send failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=True)
        return outcomes.of_receipt(receipt, adapter.capabilities)

    def _record(self, taken: Claim, answer: Answer | None) -> Claim | None:
        """Write the outcome and what follows from it; gives the post's next message, if that is to go now."""
        if answer is None:
            return None
        with self.env.store.write() as session:
            journal.finish(
                session, taken.attempt_id, answer.outcome, self.env.now, reason=answer.reason, field=answer.field
            )
            if answer.saved is not None:
                session.execute(sa.update(Message).where(col(Message.id) == taken.step.id).values(saved=answer.saved))
            reason = self._keep_receipt(session, taken, answer)
            following = self._apply(session, taken, answer, reason)
        _stage("recorded", taken)
        return following

    def _keep_receipt(self, session: Session, taken: Claim, answer: Answer) -> str | None:
        """Store the receipt, if there is one; gives a reason if it proves another message already."""
        if answer.receipt is None:
            return None
        platform = self.work.identity.platform
        kept = journal.store_receipt(
            session, taken.step.id, self.work.account_id, platform, answer.receipt, self.env.now,
            attempt_id=taken.attempt_id, source="sent",
        )  # fmt: skip
        return None if kept else _("the platform answered with the id of another message; look whether it is there")

    def _apply(self, session: Session, taken: Claim, answer: Answer, reason: str | None) -> Claim | None:
        if reason:
            claims.unconfirmed(session, _fresh(session, taken.post_id), reason, self.result)
            return None
        decision = self._decide(session, taken, answer)
        if decision.settled:
            journal.settle(session, taken.step.id, decision.settled)
        session.expire_all()
        dossier = _fresh(session, taken.post_id)
        if decision.pause_until or decision.stop:
            self._pause(session, decision, answer)
        if decision.state in (PostState.PUBLISHED, PostState.HANDED):
            return self._go_on(session, taken, dossier)
        self._put_back(session, taken, dossier, decision, answer)
        return None

    def _decide(self, session: Session, taken: Claim, answer: Answer) -> Decision:
        session.expire_all()
        dossier = _fresh(session, taken.post_id)
        step = next(step for step in dossier.steps if step.id == taken.step.id)
        account = session.get_one(Account, self.work.account_id)
        if answer.field == journal.PENDING:
            wait = timedelta(seconds=max(answer.retry_after or 0, 1))
            return Decision(PostState.SCHEDULED, self.env.now + wait)
        return decide(
            answer.outcome,
            step.history(dossier.post.updated_at),
            now=self.env.now,
            key_window=account.key_window,
            timings=self.timings,
            retry_after=answer.retry_after,
            jitter=accounts.jitter(),
        )

    def _pause(self, session: Session, decision: Decision, answer: Answer) -> None:
        reason = answer.reason or answer.outcome.value
        accounts.pause(session, self.work.account_id, self.env.now, decision.pause_until, reason)
        if decision.stop:
            self.result.stop(self.work.channel, reason)

    def _go_on(self, session: Session, taken: Claim, dossier: journal.Dossier) -> Claim | None:
        """The next message of the post under the same claim; at the end the post is concluded."""
        step = dossier.next
        if step is None:
            claims.conclude_published(session, dossier, self.result)
            self._clear_claim(session)
            return None
        attempt = journal.start(
            session, step, account_id=self.work.account_id, token=taken.token, run_id=self.env.run_id, now=self.env.now
        )
        return Claim(dossier, step, attempt, taken.token)

    def _put_back(
        self, session: Session, taken: Claim, dossier: journal.Dossier, decision: Decision, answer: Answer
    ) -> None:
        """Write where the post stands after an attempt that did not deliver."""
        post, reason = dossier.post, answer.reason or answer.outcome.value
        self._clear_claim(session)
        self.result.network_trouble |= answer.outcome in (Outcome.RETRYABLE, Outcome.RATE_LIMITED, Outcome.UNKNOWN)
        if decision.state is None:
            assert decision.wake_at is not None
            claims.sleep_publishing(session, taken.post_id, decision.wake_at, reason)
            self.result.add("deferred", post, reason=reason)
        elif decision.state is PostState.SCHEDULED:
            self._reschedule(session, taken, dossier, decision, reason)
        elif decision.state is PostState.UNCONFIRMED:
            claims.unconfirmed(session, dossier, reason, self.result)
        else:
            values = {"claim_token": None, "wake_at": None, "reason": reason}
            transition(session, taken.post_id, decision.state, among=[PostState.PUBLISHING], **values)
            self.result.add("failed", post, reason=reason)

    def _reschedule(
        self, session: Session, taken: Claim, dossier: journal.Dossier, decision: Decision, reason: str
    ) -> None:
        end = None if dossier.begun else grace_end(self.env, dossier.post) + claims.NEVER
        wake = min((at for at in (decision.wake_at, end) if at), default=None)
        not_before = decision.wake_at if not decision.pause_until else None
        transition(
            session, taken.post_id, PostState.SCHEDULED, among=[PostState.PUBLISHING],
            claim_token=None, not_before=not_before, wake_at=wake, reason=reason,
        )  # fmt: skip
        self.result.add("deferred", dossier.post, reason=reason)

    def _clear_claim(self, session: Session) -> None:
        session.execute(
            sa.update(Account)
            .where(col(Account.id) == self.work.account_id, col(Account.claim_token) == self._token)
            .values(claim_token=None, claim_post_id=None, lease_until=None)
        )


def _fresh(session: Session, post_id: int) -> journal.Dossier:
    post = session.exec(select(Post).where(Post.id == post_id).execution_options(populate_existing=True)).one()
    return journal.dossiers(session, [post])[0]


def _parent(taken: Claim) -> str | None:
    """The remote id this message answers: the part before it; for a first comment, part 1."""
    steps = taken.dossier.steps
    place = taken.step.message.n - 1
    if place == 0:
        return None
    before = steps[0] if taken.step.message.role == "comment" else steps[place - 1]
    return before.receipt.remote_id if before.receipt else None


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
