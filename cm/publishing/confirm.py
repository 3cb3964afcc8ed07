"""A person says what became of a post: `cm post confirm`."""

import hashlib
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from cm import actions
from cm.channels.port import Receipt
from cm.env import Env
from cm.errors import NotFound, Refused, UsageError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Post
from cm.model.words import state_word
from cm.publishing import after_journal as after
from cm.publishing import journal, withdrawal
from cm.publishing.journal import Dossier, Step
from cm.store.posts import transition

BEFORE_ID = {"status", "statuses", "posts", "post", "p", "reel", "reels", "videos", "photos"}
"""Path segments that stand before a post's id on the platforms we know."""

OPEN = (PostState.HANDED, PostState.UNCONFIRMED)


def confirm_published(env: Env, number: int, url: str, part: int | None = None) -> PostState:
    """It stands at `url`: store the receipt of the message in question, or of the one named; gives the new state.

    A thread with more parts to come goes on, unless it is being taken down; a handed one is confirmed by its first
    part's address, or part by part where they are named. Raises UsageError (not an address), NotFound (no such part)
    and Refused (nothing to confirm, or that address proves another post).
    """
    remote_id = remote_id_of(url)
    with env.store.write() as session:
        _reopen_refused(session, number)
        dossier = _open_dossier(session, number)
        step = _in_question(dossier, part)
        forgotten = not (step.in_doubt or step.refused_sendings)
        _store(session, env, dossier, step, Receipt(remote_id, url, env.now))
        actions.record(session, env, "confirm", post_id(number), detail={"message": step.message.n})
        return _conclude(session, env, dossier, step, part, forgotten=forgotten)


def confirm_absent(env: Env, number: int, part: int | None = None) -> PostState:
    """It is not there: the post (or the part named) goes back to the calendar; a post that was to be taken down is
    cancelled. Raises NotFound, and Refused if there is nothing to confirm."""
    with env.store.write() as session:
        dossier = _open_dossier(session, number)
        steps = dossier.steps if part is None else [_in_question(dossier, part)]
        for step in steps:
            if step.receipt is None:
                journal.settle(session, step.id, "not_published")
                journal.settle_refused(session, step.id, "not_published")
        actions.record(session, env, "confirm_absent", post_id(number), detail={"message": part} if part else None)
        return _plan_again(session, env, dossier)


def confirm_gone(
    env: Env, number: int, part: int | None = None, motive: str | None = None, note: str | None = None
) -> PostState:
    """It stood there and was removed: the post is withdrawn, or of a thread the part named; gives the post's state.

    What was handed or in doubt counts as published and gone. Without a motive that of the takedown counts. Raises
    UsageError (no motive), NotFound (no such part) and Refused (nothing of it stood anywhere).
    """
    with env.store.write() as session:
        post = session.get_one(Post, number)
        why, note = withdrawal.require_motive(motive, note, post.motive)
        withdrawal.required(session, number, part)
        settled = _settle_gone(session, env, post, part)
        standing = [piece for piece in after.pieces_of(session, number, part) if piece.stands]
        withdrawal.mark_gone(session, env, standing)
        detail: dict[str, Any] = {"messages": sorted({piece.n for piece in standing})}
        if note:
            detail["note"] = note
        actions.record(session, env, "confirm_gone", post_id(number), why=why, detail=detail)
        if settled:
            _conclude_gone(session, env, number, part)
        withdrawal.judge(session, env, number, why)
        return session.get_one(Post, number, populate_existing=True).state


def remote_id_of(url: str) -> str:
    """The platform's id in a post's address: what follows `status`, `posts`, `reel`… , else the last segment if it
    holds a digit, else a hash of the address. Raises UsageError for what is no address of the web."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        parts = urlsplit("")
    if not url.strip().isprintable() or parts.scheme not in ("http", "https", "sandbox") or not parts.netloc:
        raise UsageError(_("{url!r} is not an address.").format(url=url), hint=_("Copy it from the browser: https://…"))
    segments = [segment for segment in parts.path.split("/") if segment]
    named = [after for before, after in pairwise(segments) if before in BEFORE_ID]
    if named:
        return named[0]
    if segments and any(sign.isdigit() for sign in segments[-1]):
        return segments[-1]
    return hashlib.sha256(url.strip().encode()).hexdigest()[:16]


def _reopen_refused(session: Session, number: int) -> None:
    """A platform may have made the post that it refused: then it failed, and stands there all the same."""
    post = session.get_one(Post, number)
    if post.state is not PostState.FAILED:
        return
    if any(step.refused_sendings for step in journal.dossiers(session, [post])[0].steps):
        for before, later in pairwise([PostState.FAILED, PostState.SCHEDULED, PostState.PUBLISHING, OPEN[1]]):
            transition(session, number, later, among=[before], wake_at=None)
        session.refresh(post)


def _open_dossier(session: Session, number: int) -> Dossier:
    current = session.get_one(Post, number)
    if current.state not in OPEN and not withdrawal.open_steps(session, current):
        raise Refused(
            _("{id} is {state}: there is nothing to confirm.").format(
                id=post_id(number), state=state_word(current.state)
            ),
            hint=_hint(current.state),
        )
    return journal.dossiers(session, [current])[0]


def _hint(state: PostState) -> str:
    if state is PostState.PUBLISHING:
        return _("cm is still at it, or looks whether it arrived. Wait some minutes: then it asks for you.")
    return _("A person confirms what was handed, is unconfirmed, or was refused when it was sent.")


def _in_question(dossier: Dossier, part: int | None = None) -> Step:
    """The message whose fate is open: the one named, else the first without receipt."""
    unsettled = [step for step in dossier.steps if step.receipt is None]
    if part is None:
        return unsettled[0] if unsettled else dossier.steps[0]
    name = f"{post_id(dossier.post.id)}#{part}"
    named = next((step for step in dossier.steps if step.message.n == part), None)
    if named is None:
        raise NotFound(_("There is no message {name}.").format(name=name), hint=_("`cm post show` lists them."))
    if named.receipt is not None:
        raise Refused(_("{name} is known to be out: there is nothing to confirm.").format(name=name))
    if dossier.post.state is not PostState.HANDED and not named.done and named is not unsettled[0]:
        first = f"{post_id(dossier.post.id)}#{unsettled[0].message.n}"
        raise Refused(
            _("{name} was not sent: {first} is in doubt.").format(name=name, first=first),
            hint=_("Say first what became of {first}.").format(first=first),
        )
    return named


def _store(session: Session, env: Env, dossier: Dossier, step: Step, receipt: Receipt) -> None:
    sent = [attempt.account_id for attempt in step.attempts if attempt.sending_at]  # the channel may have another since
    account = session.get_one(Account, sent[-1] if sent else session.get_one(Channel, dossier.post.channel).account_id)
    kept = journal.store_receipt(
        session, step.id, account.id or 0, account.platform, receipt, env.now, attempt_id=None, source="confirmed"
    )
    if not kept:
        raise Refused(_("That address already belongs to another post."), hint=_("Give this post's own address."))
    journal.settle(session, step.id, "published")
    journal.settle_refused(session, step.id, "published")


def _conclude(
    session: Session, env: Env, dossier: Dossier, confirmed: Step, part: int | None, *, forgotten: bool
) -> PostState:
    """`forgotten`: the journal knew nothing of that sending (a database that was put back), so that the parts after it
    may stand there as well: each is asked for."""
    post = dossier.post
    if post.state not in OPEN:
        return post.state  # a thread that ended half-way: what is left of it waits for `cm post retry`
    rest = [step for step in dossier.steps if step.receipt is None and step.id != confirmed.id]
    if rest and post.state is PostState.UNCONFIRMED and forgotten:
        return post.state
    if rest and post.state is PostState.UNCONFIRMED:
        return _plan_again(session, env, dossier)
    if rest and part is not None:
        return post.state
    first = dossier.steps[0].receipt
    _published(session, post, first.published_at if first else env.now)
    return PostState.PUBLISHED


def _published(session: Session, post: Post, at: datetime) -> None:
    assert post.id is not None
    transition(session, post.id, PostState.PUBLISHED, among=OPEN, published_at=at, wake_at=None, reason=None)


def _plan_again(session: Session, env: Env, dossier: Dossier) -> PostState:
    """The post goes back to the calendar; one that is being taken down leaves it, when nothing of it is open."""
    post = dossier.post
    assert post.id is not None
    if post.state not in OPEN:
        if post.withdrawal is not None:
            withdrawal.judge(session, env, post.id, post.motive or "other")
        return session.get_one(Post, post.id, populate_existing=True).state
    if post.withdrawal is None:
        wake = max(env.now, post.scheduled_at or env.now)
        transition(session, post.id, PostState.SCHEDULED, among=OPEN, wake_at=wake, reason=None, updated_at=env.now)
        return PostState.SCHEDULED
    if post.state is PostState.HANDED and withdrawal.open_steps(session, post):
        return post.state
    _lay_aside(session, env, post.id, _("it was taken down before all of it was out"))
    withdrawal.judge(session, env, post.id, post.motive or "other")
    return PostState.CANCELLED


def _lay_aside(session: Session, env: Env, number: int, reason: str) -> None:
    values: dict[str, Any] = {"wake_at": None, "reason": reason, "updated_at": env.now}
    transition(session, number, PostState.SCHEDULED, among=OPEN, **values)
    transition(session, number, PostState.CANCELLED, among=[PostState.SCHEDULED], **values)


# --- it was there and is gone -----------------------------------------------------------------------------------------


def _settle_gone(session: Session, env: Env, post: Post, part: int | None) -> list[Step]:
    """What was handed or in doubt did stand there: it gets a receipt of our own making; gives those messages."""
    dossier = journal.dossiers(session, [post])[0]
    settled = [step for step in withdrawal.open_steps(session, post) if part in (None, step.message.n)]
    for step in settled:
        sent = [attempt.sending_at for attempt in step.attempts if attempt.sending_at]
        receipt = Receipt(f"gone:{step.id}", None, max(sent, default=env.now))
        _store(session, env, dossier, step, receipt)
    return settled


def _conclude_gone(session: Session, env: Env, number: int, part: int | None) -> None:
    """What was in doubt is settled: the post was published, unless the rest of a thread never went out."""
    post = session.get_one(Post, number, populate_existing=True)
    steps = journal.dossiers(session, [post])[0].steps
    if post.state not in OPEN or (post.state is PostState.HANDED and withdrawal.open_steps(session, post)):
        return
    if part is not None and any(step.receipt is None for step in steps):
        said = _("its part {n} was removed, so that those after it do not go out").format(n=part)
        _lay_aside(session, env, number, said)
        return
    _published(session, post, min(step.receipt.published_at for step in steps if step.receipt))
