"""`cm db reconcile`: a database that is older than what was sent looks at the platforms before it sends again.

For each account, under its lock: what stands there is listed, read-only and outside any transaction; then one
transaction reads the journal, judges (`matching`) and writes. The transaction ends by writing the state file; if it
fails, the file is ahead of the database, and nothing is sent before somebody looks again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm import actions
from cm.channels.port import Adapter, AuthFailed, ChannelError, Finds, Listing, Rejected
from cm.env import Env
from cm.errors import Busy, CmError, NetworkTrouble, PersonNeeded
from cm.i18n import _
from cm.model.tables import Account, Attempt, Meta
from cm.publishing import accounts, ownership, questions, recovery, strays
from cm.publishing.account_lock import AccountLock, Standing, State, require
from cm.publishing.accounts import Work
from cm.publishing.deadline import within
from cm.publishing.engine import timings_for
from cm.publishing.matching import MARGIN, Gap, LooksLike, Verdict, judge
from cm.publishing.questions import Entry
from cm.publishing.strays import opening

log = logging.getLogger("cm.publishing")

LOOK_BACK = timedelta(days=7)
"""So far back a platform is asked if nobody says otherwise."""
LOOK_SECONDS = 300
"""Longest time for one account's listing."""
CODES = (3, 7, 6)
"""Exit codes in the order in which they count (design: exit codes)."""


@dataclass(frozen=True)
class Report:
    """What a look at one account brought. `complete`: the listing surely reaches back to `since`; None: the platform
    cannot be asked. `strays`: what nobody owns, each with the ids of posts that say the same (`alike`). `kept`: posts
    that stay planned. `error`: nothing was done for it."""

    channel: str
    standing: Standing | None = None
    since: datetime | None = None
    last_sending: datetime | None = None
    complete: bool | None = None
    adopted: tuple[Entry, ...] = ()
    unconfirmed: tuple[Entry, ...] = ()
    strays: tuple[dict[str, Any], ...] = ()
    kept: int = 0
    error: CmError | None = None

    def as_json(self) -> dict[str, object]:
        """One item of `channels` in `cm db reconcile --json`."""
        error = {"message": self.error.message, "hint": self.error.hint} if self.error else None
        return {
            "channel": self.channel,
            "standing": self.standing,
            "since": self.since and self.since.isoformat(),
            "last_sending": self.last_sending and self.last_sending.isoformat(),
            "complete": self.complete,
            "adopted": [vars(entry) for entry in self.adopted],
            "unconfirmed": [vars(entry) for entry in self.unconfirmed],
            "strays": list(self.strays),
            "kept": self.kept,
            "error": error,
        }


def exit_code(reports: Iterable[Report], *, dry_run: bool = False) -> int:
    """3 an account is not ours to send for, 7 a person must look, 6 a platform could not be asked, else 0."""
    found = {report.error.exit_code for report in reports if report.error}
    if not dry_run and any(report.unconfirmed for report in reports):
        found.add(PersonNeeded.exit_code)
    return next((code for code in CODES if code in found), max(found, default=0))


@dataclass(frozen=True)
class Look:
    """An account under its lock, with what was read before its transaction. `memory`: its state file, None if there
    is none; `listing` None: the platform cannot be asked."""

    work: Work
    lock: AccountLock
    standing: Standing
    memory: State | None
    gap: Gap | None
    since: datetime
    listing: Listing | None = None
    elsewhere: AccountLock | None = None
    """The state file of another user or home, which the account's row names."""


def reconcile(
    env: Env,
    adapter_of: Callable[[str], Adapter],
    channels: Sequence[str],
    *,
    since: datetime | None = None,
    dry_run: bool = False,
) -> list[Report]:
    """Look at these channels' accounts and bring the journal into line; afterwards they may send.

    `since`: look back so far (UTC) instead of what the journal suggests. An account in trouble is told in its report
    and stops no other.
    """
    reports = []
    for work, failed in works(env, adapter_of, channels):
        if isinstance(work, str):
            reports.append(Report(work, error=failed))
            continue
        try:
            reports.append(_reconcile(env, work, since, dry_run=dry_run))
        except CmError as error:
            reports.append(Report(work.channel, error=error))
    return reports


def works(
    env: Env, adapter_of: Callable[[str], Adapter], channels: Sequence[str]
) -> list[tuple[Work | str, CmError | None]]:
    """Each channel's account, or the channel's name and why its adapter cannot be had."""
    found: dict[str, Adapter] = {}
    failed: list[tuple[Work | str, CmError | None]] = []
    for name in channels:
        try:
            found[name] = adapter_of(name)
        except CmError as error:
            failed.append((name, error))
    return [(work, None) for work in accounts.ensure_all(env, found)] + failed if found else failed


def _reconcile(env: Env, work: Work, since: datetime | None, *, dry_run: bool) -> Report:
    lock = ownership.lock_of(env, work)
    take(lock, work)
    try:
        with env.store.read() as session:
            ownership.require_same_user(session.get_one(Account, work.account_id), work, lock.path)
            found = ownership.standing_of(session, env, work, lock)
        if found in (Standing.OTHER, Standing.REPLACED):
            require(found, lock.path, work.channel)
        looked = look(env, work, lock, found, lock.read(), since)
        if dry_run:
            with env.store.read() as session:
                return settle(session, env, looked, dry_run=True)
        recover(env, looked)
        with env.store.write() as session:
            report = settle(session, env, looked)
            if found is not Standing.OURS:
                _take_up(session, env, looked, report)
            return report
    finally:
        lock.release()


def take(lock: AccountLock, work: Work) -> None:
    """Take the account's lock. Raises Busy if a run has it."""
    if not lock.acquire():
        said = _("Another run of cm is publishing for {channel}.").format(channel=work.channel)
        raise Busy(said, hint=_("Try again when it has ended."))


# --- before the transaction -------------------------------------------------------------------------------------------


def look(
    env: Env, work: Work, lock: AccountLock, found: Standing, memory: State | None, since: datetime | None
) -> Look:
    """List what stands there. Raises NetworkTrouble or PersonNeeded if the platform does not answer."""
    with env.store.read() as session:
        newest, doubt = _known_sendings(session, work)
    gap = None if found is Standing.OURS else Gap(newest, (memory and memory.at) or env.now)
    earliest = min((at for at in (newest, doubt) if at), default=None) if gap else None
    far = env.now - LOOK_BACK
    back = since or (max(earliest - MARGIN, far) if earliest else far)
    looked = Look(work, lock, found, memory, gap, back)
    adapter = work.adapter
    if not isinstance(adapter, Finds):
        return looked
    try:
        listing = within(LOOK_SECONDS, lambda: adapter.listing(back))
    except Exception as error:
        log.warning("listing failed", exc_info=not isinstance(error, ChannelError))
        if _knows_us(work, error):
            return looked
        raise _unasked(work, error) from None
    return Look(**{**vars(looked), "listing": listing})


def _knows_us(work: Work, error: Exception) -> bool:
    """True for a platform that answers, and will not list: then nothing can be asked of it, now or later."""
    if not isinstance(error, AuthFailed | Rejected):
        return False
    try:
        within(LOOK_SECONDS, work.adapter.check)
    except Exception as other:
        log.warning("check failed", exc_info=not isinstance(other, ChannelError))
        return False
    return True


def _unasked(work: Work, error: Exception) -> CmError:
    kind = PersonNeeded if isinstance(error, AuthFailed) else NetworkTrouble
    reason = error.reason if isinstance(error, ChannelError) else str(error) or type(error).__name__
    said = _("{name}: {reason}").format(name=work.channel, reason=reason)
    return kind(said, hint=_("Nothing was changed for this channel; run the command again when it answers."))


def _known_sendings(session: Session, work: Work) -> tuple[datetime | None, datetime | None]:
    """The account's newest sending in the journal, and its first one that is still in doubt."""
    sent = select(sa.func.max(col(Attempt.sending_at))).where(Attempt.account_id == work.account_id)
    open_ = sa.or_(col(Attempt.finished_at).is_(None), questions.DOUBTED)
    doubted = select(sa.func.min(col(Attempt.sending_at))).where(Attempt.account_id == work.account_id, open_)
    return session.exec(sent).one(), session.exec(doubted).one()


def recover(env: Env, looked: Look) -> None:
    """Unfinished attempts of a database that was put back belong to nobody: they get their outcome."""
    if looked.gap is not None:
        recovery.recover(env, looked.work, timings_for(env, looked.work))


# --- in the transaction -----------------------------------------------------------------------------------------------


def settle(session: Session, env: Env, looked: Look, *, dry_run: bool = False) -> Report:
    """Judge what stands there against the journal as it is now, and write it down unless it is a `dry_run`."""
    work, adapter, listing = looked.work, looked.work.adapter, looked.listing
    asked = questions.read(session, env, work)
    seen = listing.sightings if listing else ()
    alike = adapter.looks_like if isinstance(adapter, Finds) else _nothing_alike
    shared = env.config.channels[work.channel].shared
    verdict = judge(asked.questions, seen, questions.owned(session, work), alike, looked.gap, shared=shared)
    reason = _reason(looked)
    if not dry_run:
        questions.write(session, env, work, asked, verdict, reason)
        strays.keep(session, work.account_id, verdict.strays, env.now)
        strays.claim_confirmed(session, work.account_id)
    return _report(looked, asked, verdict, reason, alike)


def _nothing_alike(*_given: object) -> bool:
    return False


def _reason(looked: Look) -> str:
    if looked.listing is None:
        return _(
            "the database was put back or copied after this may have been sent, and the platform cannot be asked; "
            "look whether it is there"
        )
    return _(
        "the database was put back or copied after this may have been sent, and the platform does not surely show it; "
        "look whether it is there"
    )


def _report(looked: Look, asked: questions.Asked, verdict: Verdict, reason: str, alike: LooksLike) -> Report:
    return Report(
        looked.work.channel,
        looked.standing,
        looked.since,
        looked.gap.end if looked.gap else None,
        looked.listing.complete if looked.listing else None,
        tuple(asked.entry(each.post_id, each.message_id, each.sighting) for each in verdict.adopted),
        tuple(asked.entry(number, reason=reason) for number in verdict.unconfirmed),
        tuple(
            {
                "remote_id": each.remote_id,
                "permalink": each.permalink,
                "published_at": each.published_at.isoformat(),
                "opening": opening(each),
                "alike": asked.alike(each, alike),
            }
            for each in verdict.strays
        ),
        asked.planned(but=(*verdict.published, *verdict.unconfirmed)),
    )


def _take_up(session: Session, env: Env, looked: Look, report: Report) -> None:
    """From here on this database may send: it has a number that no other copy has, and the file knows it."""
    memory, account_id = looked.memory or State(), looked.work.account_id
    number = ownership.take_number(session, account_id, memory.workspaces)
    ownership.sign(session, session.get_one(Account, account_id), looked.lock.path)
    record(session, env, "reconcile", report)
    looked.lock.write(memory.looked(session.get_one(Meta, ownership.WORKSPACE).value, number))


def record(session: Session, env: Env, verb: str, report: Report) -> None:
    """Append what a look did to one channel to the action log."""
    detail = {
        "standing": report.standing,
        "adopted": len(report.adopted),
        "unconfirmed": len(report.unconfirmed),
        "strays": len(report.strays),
    }
    actions.record(session, env, verb, report.channel, detail=detail)
