"""The facts beside `published` of a post that is taken down: `withdrawal`, `withdrawn_at`, `motive`, `receipt.gone_at`.

`withdrawal` is `unconfirmed` from the moment a deletion is marked `sending`, so that a process that dies then leaves it
for a person to see; `done` when nothing of the post stands any more; and empty again if nothing was taken down after
all. `motive` is set while the whole of the post is to go, or has gone.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, update

from cm.calendar.planning import given_reason
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Post, Receipt
from cm.model.words import known_motive, state_word
from cm.publishing import after_journal as after
from cm.publishing import journal
from cm.publishing.after_journal import Piece
from cm.publishing.journal import Step
from cm.store.posts import transition

UNCONFIRMED, DONE = "unconfirmed", "done"
"""Values of `post.withdrawal`."""

OPEN = (PostState.HANDED, PostState.UNCONFIRMED)
"""States in which messages without receipt may stand somewhere."""

OVER = (PostState.FAILED, PostState.MISSED)
"""States of a thread that ended half-way."""


def require_motive(motive: str | None, note: str | None, before: str | None) -> tuple[str, str | None]:
    """The motive and the note, as they are kept; `before`: the motive of a takedown that is gone on with.

    Raises UsageError: none, not in the list, `other` without a note where it is new.
    """
    motive = known_motive(motive or before)
    note = given_reason(note, "--note")
    if motive == "other" and note is None and before is None:
        raise UsageError(_("The motive `other` needs a note."), hint=_('Say why: --note "…"'))
    return motive, note


def required(session: Session, number: int, part: int | None = None) -> list[Piece]:
    """What stands, or may stand, of the post (or the message named), the newest first.

    Raises NotFound (no such message), Refused if there is nothing or more is still to go out, saying what to do.
    """
    post = session.get_one(Post, number, populate_existing=True)
    everything = after.pieces_of(session, number, part)
    doubtful = {step.id for step in open_steps(session, post)}
    found = [piece for piece in everything if piece.stands or piece.message_id in doubtful]
    if post.state in (PostState.SCHEDULED, PostState.PUBLISHING) or not found:
        raise _refused(post, everything)
    return found[::-1]


def open_steps(session: Session, post: Post) -> list[Step]:
    """Messages that may stand without a receipt: those given to a person to paste, or the one in doubt. A thread that
    ended half-way may have some of the former."""
    if post.state not in (*OPEN, *OVER):
        return []
    steps = [step for step in journal.dossiers(session, [post])[0].steps if step.receipt is None]
    return steps[:1] if post.state is PostState.UNCONFIRMED else [step for step in steps if step.done]


def _refused(post: Post, pieces: Sequence[Piece]) -> Refused:
    name = post_id(post.id)
    if pieces and all(piece.receipt is not None and not piece.stands for piece in pieces):
        return Refused(_("{id} was taken down already.").format(id=name), hint=_("Nothing was done."))
    said = _("{id} is {state}: nothing of it can be taken down.").format(id=name, state=state_word(post.state))
    hints = {
        PostState.SCHEDULED: _("Take it out of the plan: cm post cancel {id}. Parts that are out are taken down then."),
        PostState.DRAFT: _("Take it out of the plan: cm post cancel {id}."),
        PostState.PUBLISHING: _("It is being published at this moment. Try again when that is over."),
        PostState.PUBLISHED: _("Nothing of it stands any more: cm post show {id}."),
    }
    return Refused(said, hint=hints.get(post.state, _("It did not go out.")).format(id=name))


# --- writing them -----------------------------------------------------------------------------------------------------


def mark_gone(session: Session, env: Env, pieces: Sequence[Piece]) -> None:
    """These messages stand no more; doubts about their deletion are over."""
    for piece in pieces:
        assert piece.receipt is not None
        mine = update(Receipt).where(col(Receipt.id) == piece.receipt.id, col(Receipt.gone_at).is_(None))
        session.execute(mine.values(gone_at=env.now), execution_options={"synchronize_session": False})
        after.settle(session, piece.message_id, "delete")
    session.expire_all()


def withdrawal_of(*, standing: int, gone: int, doubtful: bool, whole: bool) -> str | None:
    """`post.withdrawal` of a post of which so many messages stand (or may stand) and are gone; pure.

    `doubtful`: nobody knows whether a deletion arrived. `whole`: all of it was to go.
    """
    if doubtful:
        return UNCONFIRMED
    if standing == 0:
        return DONE if gone else None
    return UNCONFIRMED if whole and gone else None


def judge(session: Session, env: Env, number: int, motive: str) -> str | None:
    """Write the post's withdrawal as the journal shows it, and give it. What failed and is gone now is cancelled."""
    session.expire_all()
    post, pieces = session.get_one(Post, number), after.pieces_of(session, number)
    standing = [piece for piece in pieces if piece.stands]
    found = withdrawal_of(
        standing=len(standing) + len(open_steps(session, post)),
        gone=sum(piece.receipt is not None and not piece.stands for piece in pieces),
        doubtful=any(after.in_doubt(session, piece.message_id, "delete") for piece in standing),
        whole=post.motive is not None,
    )
    at = env.now if found == DONE else None
    why = (post.motive or motive) if found == DONE else post.motive
    write(session, env, number, withdrawal=found, withdrawn_at=at, motive=why if found else None)
    if found == DONE and post.state in OVER:
        transition(session, number, PostState.CANCELLED, among=OVER, reason=_("what was out of it was taken down"))
    return found


def write(session: Session, env: Env, number: int, **values: Any) -> None:
    """Change these columns of the post, as a new revision of it."""
    statement = update(Post).where(col(Post.id) == number)
    statement = statement.values(**values, rev=col(Post.rev) + 1, updated_at=env.now)
    session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
