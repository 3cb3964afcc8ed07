"""Acts on what stands already, taking down and correcting: through the same journal as a sending.

An attempt of the message with the action `delete` or `edit` is opened, marked `sending` while the account's
operating-system lock is held and its state file names it, and gets its outcome, each in a commit of its own;
`published` as its outcome means that it was done. Both acts may be repeated without harm, so they need no payload
and no key: where the answer is missing they are tried once more, and a person may order them again. The engine
looks at attempts to send only; what a dead process left open of the others it marks as unknown, for a person to see.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from cm.calendar import stored
from cm.calendar.stored import StoredPost
from cm.channels.port import Adapter, ChannelError
from cm.clock import monotonic
from cm.env import Env
from cm.errors import Busy, CmError, NetworkTrouble, NotFound, PersonNeeded, Refused, WorkspaceError
from cm.formats import labelled, trouble
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import Outcome
from cm.model.tables import Account, Attempt, Message, Receipt
from cm.publishing import accounts, journal, outcomes, ownership
from cm.publishing.account_lock import AccountLock
from cm.publishing.accounts import Work
from cm.publishing.deadline import within
from cm.publishing.engine import timings_for
from cm.publishing.outcomes import Answer
from cm.publishing.recording import TRIES
from cm.publishing.recovery import recover_acts

log = logging.getLogger("cm.publishing")

Action = Literal["delete", "edit"]
AdapterOf = Callable[[str], Adapter]
"""Gives a channel's adapter or raises CmError."""

PATIENCE = 70.0
"""Seconds for which another run that works the account is waited for: its sending has a deadline of 60."""
ASK_AGAIN = 0.5


@dataclass(frozen=True)
class Piece:
    """A message of a post, with a receipt of it; a message that has several comes once for each."""

    message_id: int
    n: int
    role: str
    text: str
    receipt: Receipt | None

    @property
    def stands(self) -> bool:
        """It is known to stand on the platform."""
        return self.receipt is not None and self.receipt.gone_at is None

    @property
    def permalink(self) -> str | None:
        """Where it stands, as far as that is known."""
        return self.receipt.permalink if self.receipt else None

    def named(self, post: int) -> str:
        """`p12#2`."""
        return f"{post_id(post)}#{self.n}"


# --- what is meant ----------------------------------------------------------------------------------------------------


def find_part(session: Session, ident: str) -> tuple[StoredPost, int | None]:
    """The post called `p12` or by its ref, and the number of the message if `#2` follows.

    Raises NotFound; a message that the post does not have is found out by `pieces_of`.
    """
    head, sign, tail = ident.rpartition("#")
    if not (sign and tail.isascii() and tail.isdigit()):
        return stored.find(session, ident), None
    try:
        return stored.find(session, ident), None  # a ref may hold the sign
    except NotFound:
        return stored.find(session, head), int(tail)


def pieces_of(session: Session, number: int, part: int | None = None) -> list[Piece]:
    """The messages of a post, or the one called `part`, in order. Raises NotFound if there is no such message."""
    statement = (
        select(Message, Receipt)
        .join(Receipt, col(Receipt.message_id) == col(Message.id), isouter=True)
        .where(Message.post_id == number, *([] if part is None else [Message.n == part]))
        .order_by(col(Message.n), col(Receipt.id))
        .execution_options(populate_existing=True)
    )
    rows = session.exec(statement).all()
    if not rows:
        said = _("{id} has no message {n}.").format(id=post_id(number), n=part)
        raise NotFound(said, hint=_("`cm post show {id}` shows its messages.").format(id=post_id(number)))
    return [Piece(message.id or 0, message.n, message.role, message.text, receipt) for message, receipt in rows]


def adapter_or_none(adapter_of: AdapterOf, channel: str) -> Adapter | None:
    """The channel's adapter; None if the configuration has no such channel any more. Raises CmError."""
    try:
        return adapter_of(channel)
    except NotFound:
        return None


def account_of(session: Session, adapter: Adapter) -> int | None:
    """The number of the account that the adapter speaks for; None if it was never seen."""
    mine = adapter.identity()
    known = select(Account.id).where(
        Account.platform == mine.platform, Account.host == mine.host, Account.handle == mine.handle
    )
    return session.exec(known).first()


# --- doing it ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keeper:
    """Acts for one account whose lock is held."""

    env: Env
    work: Work
    lock: AccountLock
    workspace: str
    token: str

    def perform(
        self,
        action: Action,
        piece: Piece,
        call: Callable[[], None],
        *,
        begin: Callable[[Session], None],
        conclude: Callable[[Session, Answer], None],
    ) -> Answer:
        """Do it, once more if the answer is missing; gives the last answer.

        `begin` writes in the transaction that marks `sending`, `conclude` in the one that keeps the outcome.
        Raises CmError (of `begin`, settings, token), after it is written that nothing happened.
        """
        answer = self._once(action, piece, call, begin, conclude)
        return self._once(action, piece, call, begin, conclude) if answer.outcome is Outcome.UNKNOWN else answer

    def _once(
        self,
        action: Action,
        piece: Piece,
        call: Callable[[], None],
        begin: Callable[[Session], None],
        conclude: Callable[[Session, Answer], None],
    ) -> Answer:
        facts = {"channel": self.work.channel, "action": action, "message_id": piece.message_id}
        attempt = self._open(action, piece)
        log.info("opened", extra=facts)
        self._mark_sending(attempt, begin)
        log.info("sending", extra=facts)
        answer, error = self._noted(attempt) or self._ask(call)
        log.info("answered", extra=facts)
        self._record(attempt, answer, conclude)
        log.info("recorded", extra=facts)
        if error is not None:
            raise error
        return answer

    def _noted(self, attempt: int) -> tuple[Answer, CmError] | None:
        """Put on the disk, outside the database, what is being done; where that fails, nothing is."""
        try:
            self.lock.note(self.workspace, attempt, self.env.now)
        except OSError as error:
            said = _("the account's state file cannot be written: {error}").format(error=trouble(error))
            return Answer(Outcome.RETRYABLE, reason=said), WorkspaceError(said, hint=_("Nothing was changed there."))
        return None

    def _mark_sending(self, attempt: int, begin: Callable[[Session], None]) -> None:
        try:
            with self.env.store.write() as session:
                journal.mark_sending(session, attempt, None, self.env.now)
                begin(session)
        except CmError as error:  # it may not be done after all
            with self.env.store.write() as session:
                said = error.message
                journal.finish(session, attempt, Outcome.RETRYABLE, self.env.now, reason=said, field=journal.GATE)
            raise

    def _open(self, action: Action, piece: Piece) -> int:
        with self.env.store.write() as session:
            mine = (Attempt.message_id == piece.message_id, Attempt.action == action)
            attempt = Attempt(
                message_id=piece.message_id,
                account_id=self.work.account_id,
                action=action,
                number=session.exec(select(sa.func.count()).select_from(Attempt).where(*mine)).one() + 1,
                token=self.token,
                run_id=self.env.run_id,
                started_at=self.env.now,
            )
            session.add(attempt)
            session.flush()
            assert attempt.id is not None
            return attempt.id

    def _ask(self, call: Callable[[], None]) -> tuple[Answer, CmError | None]:
        try:
            within(timings_for(self.env, self.work).send_deadline.total_seconds(), call)
        except CmError as error:  # a setting or a token is missing: nothing left this machine
            return Answer(Outcome.RETRYABLE, reason=error.message), error
        except Exception as error:
            log.warning("the platform did not do it", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=True), None
        return Answer(Outcome.PUBLISHED), None

    def _record(self, attempt: int, answer: Answer, conclude: Callable[[Session, Answer], None]) -> None:
        """Write the outcome, and what follows from it; again if the database is busy."""
        for left in range(TRIES - 1, -1, -1):
            try:
                with self.env.store.write() as session:
                    journal.finish(session, attempt, answer.outcome, self.env.now, reason=answer.reason)
                    self._rest(session, answer)
                    conclude(session, answer)
                    return
            except OperationalError:
                log.warning("the outcome of attempt %s cannot be written yet", attempt)
                if not left:
                    raise

    def _rest(self, session: Session, answer: Answer) -> None:
        if answer.outcome in (Outcome.AUTH_FAILED, Outcome.RATE_LIMITED):
            until, kind = accounts.pause_after(answer.outcome, answer.retry_after, self.env.now)
            account = self.work.account_id
            accounts.pause(session, account, self.env.now, until, answer.reason or "", kind=kind)


@contextmanager
def keeping(
    env: Env, channel: str, adapter: Adapter, waiting: Callable[[], None], patience: float = PATIENCE
) -> Iterator[Keeper]:
    """Take the account of a channel. Another run that works it is waited for, `waiting` is called once before that.

    Raises Busy if that does not end, PersonNeeded if the platform refused our token, and WorkspaceError as
    `ownership.require_ours`.
    """
    with env.store.write() as session:
        work = accounts.ensure(session, channel, adapter)
        workspace = ownership.workspace_id(session)
    lock = ownership.lock_of(env, work)
    take(lock, waiting, patience)
    try:
        log.info("locked", extra={"channel": channel})
        ownership.require_ours(env, work, lock)
        _require_trusted(env, work)
        with env.store.write() as session:
            recover_acts(session, work.account_id, env.now)
        yield Keeper(env, work, lock, workspace, uuid.uuid4().hex)
    finally:
        lock.release()


def take(lock: AccountLock, waiting: Callable[[], None], patience: float = PATIENCE) -> None:
    """Take the lock, waiting for the run that has it; `waiting` is called once before. Raises Busy."""
    if lock.acquire():
        return
    waiting()
    end = monotonic() + patience
    while not lock.acquire():
        if monotonic() >= end:
            raise Busy(
                _("Another run of cm still works this account; nothing was done."), hint=_("Try again in a minute.")
            )
        threading.Event().wait(ASK_AGAIN)


def _require_trusted(env: Env, work: Work) -> None:
    with env.store.read() as session:
        account = session.get_one(Account, work.account_id)
    if account.paused_at is not None and account.pause_kind == "auth":
        raise PersonNeeded(
            _("{channel} is stopped, the platform refused the token: {reason}").format(
                channel=work.channel, reason=account.pause_reason
            ),
            hint=_("Nothing was done. Mend it with `cm channel check {channel}`, then try again.").format(
                channel=work.channel
            ),
        )


# --- doubt ------------------------------------------------------------------------------------------------------------


def in_doubt(session: Session, message_id: int, action: Action) -> bool:
    """True if the last such act on the message went out and nobody knows what came of it."""
    last = session.exec(
        select(Attempt)
        .where(Attempt.message_id == message_id, Attempt.action == action, col(Attempt.sending_at).is_not(None))
        .order_by(col(Attempt.id).desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    return last is not None and last.outcome in (None, Outcome.UNKNOWN) and last.settled is None


def settle(session: Session, message_id: int, action: Action, verdict: str = "published") -> None:
    """The doubts about that act are over: it was done, or (`not_published`) a later one told that it was not."""
    doubts = sa.update(Attempt).where(
        col(Attempt.message_id) == message_id,
        col(Attempt.action) == action,
        col(Attempt.outcome) == Outcome.UNKNOWN,
        col(Attempt.settled).is_(None),
    )
    session.execute(doubts.values(settled=verdict), execution_options={"synchronize_session": False})


def error_of(answer: Answer, said: str, channel: str) -> CmError:
    """The error for an answer that is neither done nor unknown. `said`: what was not done, without an end."""
    message = labelled(said, answer.reason or answer.outcome.value)
    if answer.outcome is Outcome.AUTH_FAILED:
        return PersonNeeded(message, hint=_("Mend it with `cm channel check {channel}`.").format(channel=channel))
    if answer.outcome in (Outcome.RETRYABLE, Outcome.RATE_LIMITED):
        return NetworkTrouble(message, hint=_("Nothing happened there. Try again in a while."))
    return Refused(message, hint=_("The platform does not let us. Look at it there."))
