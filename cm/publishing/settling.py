"""Looking on the platform for a message of which nobody knows whether it stands there, and what follows.

The question is asked in the account's thread and under its lock, outside any transaction; it changes nothing
there and may be repeated. What the answer proves is decided in `verdicts`.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from cm.channels.port import (
    Absent,
    CannotTell,
    ChannelError,
    Finds,
    Found,
    RateLimited,
    Receipt,
    Retryable,
    Sighting,
    UnknownOutcome,
)
from cm.env import Env
from cm.formats import plural
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Account, Message, Post, Stray
from cm.publishing import accounts, claims, decide, journal, unsettled
from cm.publishing.accounts import Work
from cm.publishing.claims import Look
from cm.publishing.deadline import DeadlinePassed, within
from cm.publishing.decide import Timings
from cm.publishing.gate import refusal
from cm.publishing.journal import Dossier, Step, fresh_dossier
from cm.publishing.preparing import sought
from cm.publishing.results import RunResult
from cm.publishing.verdicts import Seen, Standing, Verdict, verdict
from cm.store.posts import transition

log = logging.getLogger("cm.publishing")


@dataclass(frozen=True)
class Heard:
    """What the platform said, and when it was asked. `trouble`: why it could not be asked."""

    at: datetime
    answer: Found | Absent | CannotTell
    trouble: ChannelError | DeadlinePassed | None = None


@dataclass(frozen=True)
class Settler:
    """Looks for the messages of one account; what came of it is told to `result`."""

    env: Env
    work: Work
    timings: Timings
    result: RunResult

    def look(self, taken: Look) -> None:
        """Ask for the message, and write what follows."""
        log.info("looking", extra={"post": taken.post_id, "part": taken.step.message.n})
        heard = self._ask(taken)
        log.info("looked", extra={"post": taken.post_id, "found": type(heard.answer).__name__})
        with self.env.store.write() as session:
            self._note_trouble(session, heard)
            (self._settle_refused if taken.refused else self._settle_doubt)(session, taken, heard)
        log.info("settled", extra={"post": taken.post_id})

    def _ask(self, taken: Look) -> Heard:
        """Errors of the network are `trouble`; any other means that it cannot be told."""
        adapter, at = self.work.adapter, self.env.now
        assert isinstance(adapter, Finds)
        wanted = sought(taken.dossier, taken.step, taken.payload)
        seconds = self.timings.send_deadline.total_seconds()
        try:
            return Heard(at, within(seconds, lambda: adapter.find(wanted, since=taken.since)))
        except (Retryable, RateLimited, UnknownOutcome, DeadlinePassed) as error:
            return Heard(at, CannotTell(str(error)), error)
        except ChannelError as error:
            return Heard(at, CannotTell(error.reason))
        except Exception as error:
            log.warning("find failed", exc_info=True)
            return Heard(at, CannotTell(_("{kind} in the adapter").format(kind=type(error).__name__)))

    def _note_trouble(self, session: Session, heard: Heard) -> None:
        if heard.trouble is None:
            return
        self.result.trouble()
        if isinstance(heard.trouble, RateLimited):
            until = self.env.now + accounts.rate_limit_rest(heard.trouble.retry_after)
            app_wide = heard.trouble.scope == "app"
            reason = heard.trouble.reason
            accounts.pause(
                session, self.work.account_id, self.env.now, until, reason, kind="rate_limit", app_wide=app_wide
            )

    def _unowned(self, session: Session, heard: Heard) -> list[Sighting]:
        """Sightings that no receipt of ours proves already."""
        if not isinstance(heard.answer, Found):
            return []
        seen = {sighting.remote_id: sighting for sighting in heard.answer.sightings}
        known = journal.owned(session, self.work.account_id, self.work.identity.platform, list(seen))
        return [sighting for remote_id, sighting in seen.items() if remote_id not in known]

    # --- in doubt ---------------------------------------------------------------------------------------------------

    def _settle_doubt(self, session: Session, taken: Look, heard: Heard) -> None:
        dossier = fresh_dossier(session, taken.post_id)
        step = next(step for step in dossier.steps if step.id == taken.step.id)
        if dossier.post.state is not PostState.PUBLISHING or not step.in_doubt:
            return
        unowned = self._unowned(session, heard)
        seen = _seen(heard, unowned)
        what, at = verdict(seen, self._standing(session, taken, dossier, step), self.timings)
        match what:
            case Verdict.ADOPT:
                self._adopt(session, dossier, step, unowned[0])
            case Verdict.AGAIN | Verdict.AGAIN_UNSURE:
                self._again(session, dossier, step, unsure=what is Verdict.AGAIN_UNSURE)
            case Verdict.FAILED:
                self._fail(session, dossier, step)
            case Verdict.ABSENT_ONCE:
                session.execute(sa.update(Message).where(col(Message.id) == step.id).values(absent_at=seen.at))
                self._wait(session, dossier, at, heard)
            case Verdict.WAIT:
                self._wait(session, dossier, at, heard)
            case Verdict.AMBIGUOUS | Verdict.UNCONFIRMED:
                reason = _unsettled(heard, len(unowned), shared=self._shared)
                claims.unconfirmed(session, dossier, reason, self.result)

    def _standing(self, session: Session, taken: Look, dossier: Dossier, step: Step) -> Standing:
        history = step.history(dossier.post.updated_at)
        means = claims.means_of(session, self.work, step, self.env.now)
        refused = refusal(claims.gate_facts(session, self.env, self.work, self.timings, dossier, taken.payload))
        configured = self.env.config.channels.get(dossier.post.channel)
        twin = unsettled.twin(unsettled.of_account(session, self.work.account_id), step.message.fingerprint, step.id)
        return Standing(
            history,
            sole=not twin and not self._shared,
            may_resend=decide.may_resend(history, means, now=self.env.now, timings=self.timings),
            gate_open=refused is None,
            gate_late=refused is not None and refused.kind == "late",
            absent_at=step.message.absent_at,
            resends=step.message.absent_resends,
            opted_in=configured is not None and configured.resend_when_absent,
        )

    @property
    def _shared(self) -> bool:
        """Another workspace may post the same words there: then a listing proves nothing."""
        return self.env.config.channels[self.work.channel].shared

    def _again(self, session: Session, dossier: Dossier, step: Step, *, unsure: bool) -> None:
        """It is not there: the post goes back to the calendar, where the same bytes are sent under the same key."""
        journal.settle(session, step.id, "not_published")
        if unsure:
            resent = Message.absent_resends + 1
            session.execute(sa.update(Message).where(col(Message.id) == step.id).values(absent_resends=resent))
        claims.release(session, _number(dossier), self.env.now)

    def _fail(self, session: Session, dossier: Dossier, step: Step) -> None:
        journal.settle(session, step.id, "not_published")
        reason = step.attempts[-1].reason
        values = {"claim_token": None, "wake_at": None, "reason": reason}
        transition(session, _number(dossier), PostState.FAILED, among=[PostState.PUBLISHING], **values)
        self.result.add("failed", dossier.post, reason=reason)

    def _wait(self, session: Session, dossier: Dossier, at: datetime | None, heard: Heard) -> None:
        assert at is not None
        rest = session.get_one(Account, self.work.account_id).paused_until
        claims.keep_in_doubt(session, dossier, max(at, rest) if rest else at, _waiting(heard), self.result)

    # --- refused when it was sent -----------------------------------------------------------------------------------

    def _settle_refused(self, session: Session, taken: Look, heard: Heard) -> None:
        """One that is surely it is adopted; of several a person must say whether one is, and what to do with one that
        still says what the post said before it was edited. Else the post is sent: a person asked for it."""
        dossier = fresh_dossier(session, taken.post_id)
        step = next((step for step in dossier.steps if step.id == taken.step.id), None)
        if dossier.post.state is not PostState.SCHEDULED or step is None or not step.refused_sendings:
            return
        unowned = self._unowned(session, heard)
        edited = dossier.content_hash != taken.dossier.content_hash  # while the platform was asked
        if heard.trouble:
            at = self.env.now + self.timings.backoff[0]
            values = {"not_before": at, "wake_at": at, "reason": _waiting(heard)}
            session.execute(sa.update(Post).where(col(Post.id) == taken.post_id).values(**values))
            self.result.add("deferred", dossier.post, reason=_waiting(heard))
        elif unowned:
            transition(session, taken.post_id, PostState.PUBLISHING, among=[PostState.SCHEDULED])
            reworded = taken.payload.content_hash != dossier.content_hash
            if len(unowned) == 1 and not reworded and self._is_ours(heard):
                self._adopt(session, dossier, step, unowned[0])
            else:
                reason = _refused_and_there(dossier, unowned, reworded=reworded)
                claims.unconfirmed(session, dossier, reason, self.result)
        elif not edited:  # else it is looked for anew
            journal.settle_refused(session, step.id, "not_published")

    def _is_ours(self, heard: Heard) -> bool:
        """A single sighting is the post that was sent."""
        return not self._shared or (isinstance(heard.answer, Found) and heard.answer.certain)

    # --- it stands there --------------------------------------------------------------------------------------------

    def _adopt(self, session: Session, dossier: Dossier, step: Step, sighting: Sighting) -> None:
        """Its receipt is written; the post goes on with its next message, or is published."""
        sendings = [attempt for attempt in step.attempts if attempt.sending_at]
        receipt = Receipt(sighting.remote_id, sighting.permalink, sighting.published_at)
        journal.store_receipt(
            session,
            step.id,
            self.work.account_id,
            self.work.identity.platform,
            receipt,
            self.env.now,
            attempt_id=sendings[-1].id,
            source="found",
        )
        journal.settle(session, step.id, "published")
        journal.settle_refused(session, step.id, "published")
        same = (col(Stray.account_id) == self.work.account_id, col(Stray.remote_id) == sighting.remote_id)
        session.execute(sa.update(Stray).where(*same).values(post_id=_number(dossier)))
        dossier = fresh_dossier(session, _number(dossier))
        if dossier.next is None:
            claims.conclude_published(session, dossier, self.result)
        else:
            claims.release(session, _number(dossier), self.env.now)


def _number(dossier: Dossier) -> int:
    assert dossier.post.id is not None
    return dossier.post.id


def _seen(heard: Heard, unowned: list[Sighting]) -> Seen:
    """The answer as a verdict takes it; where all that was found is ours already, a listing lacks it."""
    answer, trouble = heard.answer, heard.trouble is not None
    if isinstance(answer, Found) and unowned:
        return Seen("found", heard.at, len(unowned), answer.certain)
    if isinstance(answer, CannotTell):
        return Seen("unclear", heard.at, trouble=trouble)
    return Seen("absent", heard.at, certain=isinstance(answer, Absent) and answer.authoritative)


def _waiting(heard: Heard) -> str:
    """What is said of a post that will be looked for again."""
    if isinstance(heard.answer, CannotTell):
        return _("looking whether it is there: {reason}").format(reason=heard.answer.reason)
    return _("sent, and no answer came; it is looked for again")


def _refused_and_there(dossier: Dossier, unowned: list[Sighting], *, reworded: bool) -> str:
    """Why a person must look at a post that was refused and is to go again. `reworded`: with other words."""
    if reworded and len(unowned) == 1:
        said = _(
            "refused when it was sent, and it stands there all the same as it was before it was edited ({url}); remove "
            "it there, then: cm post confirm {id} --not-published"
        )
        return said.format(url=unowned[0].permalink or "–", id=post_id(dossier.post.id))
    alike = plural("{n} post there looks like it", "{n} posts there look like it", len(unowned))
    return _("refused when it was sent, and {alike}; look whether one is ours").format(alike=alike)


def _unsettled(heard: Heard, candidates: int, *, shared: bool) -> str:
    """Why a person must look."""
    if candidates == 1 and shared:
        return _("sent, and no answer came; one post there looks like it, and others post on this account too; look")
    if candidates > 1:
        alike = plural("{n} post there looks like it", "{n} posts there look like it", candidates)
        return _("sent, and no answer came; {alike}; look which is ours").format(alike=alike)
    if candidates == 1:
        return _("sent, and no answer came; one post there looks like it and another post of ours does too; look")
    if isinstance(heard.answer, CannotTell):
        said = _("sent, and no answer came; the platform cannot tell ({reason}); look whether it is there")
        return said.format(reason=heard.answer.reason)
    return _("sent, and no answer came; the platform does not list it; look whether it is there")
