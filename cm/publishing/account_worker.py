"""One worker, one account: recover, claim, prepare, send, until nothing is due. `recording` writes what came of it.

The stages are logged as they pass (`locked`, `claimed`, `preparing`, `prepared`, `sending`, `answered`,
`recorded`): after a crash the log says how far it came, and the fault tests stop a worker at each.
"""

import hashlib
import logging
import os
import pwd
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col

from cm.channels.port import ChannelError, Media, Outgoing, Pending, Prepared, Rejected
from cm.env import Env
from cm.errors import CmError, WorkspaceError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Meta, Payload, Post
from cm.publishing import accounts, checked, claims, journal, outcomes
from cm.publishing.account_lock import AccountLock, State, state_path, verify
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim
from cm.publishing.deadline import within
from cm.publishing.decide import Timings
from cm.publishing.gate import Refusal, refusal
from cm.publishing.outcomes import Answer
from cm.publishing.recording import Recorder, fresh_dossier
from cm.publishing.results import RunResult
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")

BATCH = 100
"""Posts checked together before they are claimed one by one."""
PREPARE_SECONDS = 900
"""Longest time for uploads and containers; what they have so far is kept."""


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
        return AccountLock(state_path(self.env.root, self.work.identity, local=self.work.local))

    @cached_property
    def _token(self) -> str:
        return uuid.uuid4().hex

    @cached_property
    def _workspace_id(self) -> str:
        with self.env.store.read() as session:
            return session.get_one(Meta, "workspace").value

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self.env, self.work, self.timings, self.result, self._token)

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
                self._stage("claimed", taken)
                self._publish(taken)

    def _waiting(self) -> list[journal.Dossier]:
        with self.env.store.read() as session:
            return claims.due_posts(session, self.work, self.env.now, BATCH)

    def _require_ours(self) -> None:
        """Raises WorkspaceError: another OS user, another state file or workspace, or a rewound database."""
        configured = self.env.config.channels[self.work.channel]
        with self.env.store.write() as session:
            account = session.get_one(Account, self.work.account_id)
            user, file = _effective_user(), str(self.lock.path)
            if not self.work.local:
                _require_same(
                    _("The OS user {known!r} publishes for {channel}, not {now!r}."), account.os_user, user, self.work
                )
                said = _(
                    "The state file of {channel} is {known}; this run would use {now} (another HOME or XDG_STATE_HOME)."
                )
                _require_same(said, account.state_file, file, self.work)
            highest, sent = journal.highest_attempt(session, self.work.account_id)
            verify(self.lock, workspace=self._workspace_id, highest=highest, sent=sent, shared=configured.shared)
            account.os_user, account.state_file = user, file
            session.add(account)

    def _refresh_facts(self) -> None:
        """Check the account where that is due; if the check fails the account rests and the gate says so."""
        with self.env.store.read() as session:
            account = session.get_one(Account, self.work.account_id)
        resting = account.paused_at and (account.paused_until is None or account.paused_until > self.env.now)
        if resting or not accounts.stale(account, self.env.now):
            return
        try:
            within(self.timings.send_deadline.total_seconds(), lambda: accounts.check(self.env, self.work))
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
            self.result.trouble()

    def _defer(self, reason: str) -> None:
        for dossier in self._waiting():
            self.result.add("deferred", dossier.post, reason=reason)

    def _publish(self, taken: Claim) -> None:
        """Try the claimed message, and those after it in the post while it goes well."""
        following: Claim | None = taken
        while following:
            answer = self._try(following)
            if answer is None:
                return
            current, following = following, self._recorder.record(following, answer)
            self._stage("recorded", current)

    def _try(self, taken: Claim) -> Answer | None:
        """One attempt up to its answer; None if it ended at the gate (already written)."""
        if taken.resend:
            prepared = Prepared(taken.resend.body, taken.resend.expires_at)
        else:
            self._stage("preparing", taken)
            found = self._prepare(taken)
            if isinstance(found, Answer):
                return found
            prepared = found
            self._stage("prepared", taken)
        self.lock.write(State(self._workspace_id, taken.attempt_id))
        payload = self._mark_sending(taken, prepared)
        if payload is None:
            return None
        self._stage("sending", taken)
        answer = self._send(payload)
        self._stage("answered", taken, answer)
        return answer

    def _prepare(self, taken: Claim) -> Prepared | Answer:
        """The message's body: prepared now, or the old bytes and key where a person said that they never arrived."""
        absent = taken.step.declared_absent
        with self.env.store.read() as session:
            old = session.get(Payload, absent.payload_id) if absent else None
        if (
            old
            and old.content_hash == taken.dossier.content_hash
            and (not old.expires_at or old.expires_at > self.env.now)
        ):
            return Prepared(old.body, old.expires_at)
        adapter, saved = self.work.adapter, dict(taken.step.message.saved or {})
        try:
            outgoing = self._outgoing(taken)
            prepared = within(PREPARE_SECONDS, lambda: adapter.prepare(outgoing, saved))
        except Exception as error:
            log.warning("prepare failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=False)
        if isinstance(prepared, Pending):
            return outcomes.of_pending(prepared, self.env.now)
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
            label=f"{post_id(post.id)}-{message.n}",
            limits=facts.get("limits", {}),
        )

    def _media(self, relative: str, mime: str, sha256: str, alt: str) -> Media:
        path = self.env.root / "media" / relative
        if _digest(path) != sha256:
            said = _("the file {name} is gone or changed since it was planned")
            raise Rejected(said.format(name=relative), field="media")
        return Media(path, mime, sha256, alt)

    def _mark_sending(self, taken: Claim, prepared: Prepared) -> Payload | None:
        """Freeze the payload and write `sending` in one transaction; None if the gate or a lost claim forbids it."""
        with self.env.store.write() as session:
            dossier, now = fresh_dossier(session, taken.post_id), self.env.now
            content = taken.dossier.content_hash
            payload = taken.resend or journal.freeze(session, taken.step.id, content, prepared, now)
            refused = self._gate_again(session, taken, dossier, payload)
            if refused:
                journal.finish(
                    session, taken.attempt_id, Outcome.RETRYABLE, now, reason=refused.reason, field=journal.GATE
                )
                self._give_back(session, taken, dossier, refused)
                return None
            assert payload.id is not None
            journal.mark_sending(session, taken.attempt_id, payload.id, now)
            lease = now + self.timings.lease
            session.execute(sa.update(Account).where(col(Account.id) == self.work.account_id).values(lease_until=lease))
            session.execute(sa.update(Post).where(col(Post.id) == taken.post_id).values(wake_at=lease))
            return payload

    def _gate_again(self, session: Session, taken: Claim, dossier: journal.Dossier, payload: Payload) -> Refusal | None:
        account = session.get_one(Account, self.work.account_id)
        post = dossier.post
        ours = taken.token == post.claim_token == account.claim_token
        if post.state is not PostState.PUBLISHING or not ours:
            return Refusal("refused", _("the claim was lost"))
        step = next(step for step in dossier.steps if step.id == taken.step.id)
        if taken.resend and not claims.may_resend(session, self.work, self.timings, dossier, step, self.env.now):
            return Refusal("late", _("the platform may have forgotten the key"))
        return refusal(claims.gate_facts(session, self.env, self.work, self.timings, dossier, payload))

    def _give_back(self, session: Session, taken: Claim, dossier: journal.Dossier, refused: Refusal) -> None:
        """The gate closed between claim and sending: the post stands as it did before the claim."""
        if dossier.post.claim_token != taken.token:
            return
        if taken.resend:
            claims.keep_in_doubt(session, self.timings, dossier, refused, self.env.now, self.result)
            return
        among = [PostState.PUBLISHING]
        transition(session, taken.post_id, PostState.SCHEDULED, among=among, claim_token=None, wake_at=self.env.now)
        session.refresh(dossier.post)
        claims.put_to_sleep(session, self.env, dossier, refused, self.result)

    def _send(self, payload: Payload) -> Answer:
        prepared = Prepared(payload.body, payload.expires_at)
        adapter, seconds = self.work.adapter, self.timings.send_deadline.total_seconds()
        try:
            receipt = within(seconds, lambda: adapter.send(prepared, key=payload.key))
        except Exception as error:
            log.warning("send failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=True)
        return outcomes.of_receipt(receipt, adapter.capabilities)

    def _stage(self, name: str, taken: Claim, answer: Answer | None = None) -> None:
        """Log how far a message is; with the answer goes its remote id, should it never reach the database."""
        facts: dict[str, object] = {"post": taken.post_id, "part": taken.step.message.n, "attempt": taken.attempt_id}
        if answer and answer.receipt:
            facts["remote_id"] = answer.receipt.remote_id
        log.info("%s", name, extra=facts)


def _require_same(said: str, known: str | None, now: str, work: Work) -> None:
    if known not in (None, now):
        raise WorkspaceError(
            said.format(known=known, now=now, channel=work.channel),
            hint=_("Run cm publish always as the same user, with the same home folder; nothing was sent."),
        )


def _effective_user() -> str:
    """The OS user whose files this process writes; its number where it has no name (containers)."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


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
