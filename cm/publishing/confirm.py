"""A person says what became of a post: `cm post confirm`."""

import hashlib
from itertools import pairwise
from urllib.parse import urlsplit

from sqlmodel import Session

from cm import actions
from cm.channels.port import Receipt
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Account, Channel, Post
from cm.model.words import state_word
from cm.publishing import journal
from cm.publishing.journal import Dossier, Step
from cm.store.posts import transition

BEFORE_ID = {"status", "statuses", "posts", "post", "p", "reel", "reels", "videos", "photos"}
"""Path segments that stand before a post's id on the platforms we know."""

OPEN = (PostState.HANDED, PostState.UNCONFIRMED)


def confirm_published(env: Env, number: int, url: str) -> PostState:
    """It stands at `url`: store the receipt of the message in question; gives the post's new state.

    A thread with more parts to come goes on; a handed one is confirmed by its first part's address.
    Raises UsageError (not an address) and Refused (nothing to confirm, or that address proves another post).
    """
    remote_id = remote_id_of(url)
    with env.store.write() as session:
        dossier = _open_dossier(session, number)
        step = _in_question(dossier)
        account = _account(session, dossier.post)
        receipt = Receipt(remote_id, url, env.now)
        kept = journal.store_receipt(
            session, step.id, account.id or 0, account.platform, receipt, env.now, attempt_id=None, source="confirmed"
        )
        if not kept:
            raise Refused(_("That address already belongs to another post."), hint=_("Give this post's own address."))
        journal.settle(session, step.id, "published")
        actions.record(session, env, "confirm", post_id(number), detail={"message": step.message.n})
        return _conclude(session, env, dossier, step)


def confirm_absent(env: Env, number: int) -> PostState:
    """It is not there: the post goes back to the calendar. Raises Refused if there is nothing to confirm."""
    with env.store.write() as session:
        dossier = _open_dossier(session, number)
        for step in dossier.steps:
            if step.receipt is None:
                journal.settle(session, step.id, "not_published")
        _reschedule(session, env, dossier)
        actions.record(session, env, "confirm_absent", post_id(number))
        return PostState.SCHEDULED


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


def _open_dossier(session: Session, number: int) -> Dossier:
    current = session.get_one(Post, number)
    if current.state not in OPEN:
        raise Refused(
            _("{id} is {state}: there is nothing to confirm.").format(
                id=post_id(number), state=state_word(current.state)
            ),
            hint=_("Only handed and unconfirmed posts are confirmed by a person."),
        )
    return journal.dossiers(session, [current])[0]


def _in_question(dossier: Dossier) -> Step:
    """The message whose fate was open: the doubtful one, else the first without receipt."""
    return next((step for step in dossier.steps if step.receipt is None), dossier.steps[0])


def _account(session: Session, post: Post) -> Account:
    channel = session.get_one(Channel, post.channel)
    return session.get_one(Account, channel.account_id)


def _conclude(session: Session, env: Env, dossier: Dossier, confirmed: Step) -> PostState:
    post = dossier.post
    assert post.id is not None
    rest = [step for step in dossier.steps if step.receipt is None and step.id != confirmed.id]
    if rest and post.state is PostState.UNCONFIRMED:
        _reschedule(session, env, dossier)
        return PostState.SCHEDULED
    first = dossier.steps[0].receipt
    published_at = first.published_at if first else env.now
    transition(session, post.id, PostState.PUBLISHED, among=OPEN, published_at=published_at, wake_at=None, reason=None)
    return PostState.PUBLISHED


def _reschedule(session: Session, env: Env, dossier: Dossier) -> None:
    post = dossier.post
    assert post.id is not None
    wake = max(env.now, post.scheduled_at or env.now)
    transition(session, post.id, PostState.SCHEDULED, among=OPEN, wake_at=wake, reason=None, updated_at=env.now)
