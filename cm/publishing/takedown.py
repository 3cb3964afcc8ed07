"""Taking a published post off the platform: `cm post takedown`.

The newest message goes first, so that nothing is left answering nothing. Neither holds nor pauses stop a takedown, but
a refused token does. The post stays published; what is known of its removal stands beside that (see `withdrawal`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from sqlmodel import Session

from cm import actions
from cm.calendar.views import PostView, load_view
from cm.channels.port import Adapter, Deletes
from cm.env import Env
from cm.errors import CmError, Refused
from cm.i18n import _
from cm.model.states import Outcome
from cm.model.tables import Receipt
from cm.publishing import after_journal as after
from cm.publishing.after_journal import AdapterOf, Keeper, Piece
from cm.publishing.outcomes import Answer
from cm.publishing.withdrawal import UNCONFIRMED, judge, mark_gone, require_motive, required, write


@dataclass(frozen=True)
class Target:
    """What is to be taken down, the newest message first, and why a person must do it for some (by message id)."""

    view: PostView
    part: int | None
    pieces: tuple[Piece, ...]
    by_hand: dict[int, str]

    @property
    def number(self) -> int:
        """The post's number."""
        return int(self.view.id[1:])


@dataclass(frozen=True)
class Left:
    """A message that may still stand. `why`: `by_hand` (cm cannot), `unconfirmed` (no answer came), `rejected`."""

    n: int
    permalink: str | None
    why: str
    reason: str


@dataclass(frozen=True)
class Withdrawn:
    """What came of a takedown: the post as it stands now, the messages that are gone, and those that may stand."""

    view: PostView
    gone: tuple[int, ...]
    left: tuple[Left, ...]

    @property
    def exit_code(self) -> int:
        """7 if a person must look, 4 if the platform refused, else 0."""
        if any(left.why != "rejected" for left in self.left):
            return 7
        return Refused.exit_code if self.left else 0

    def as_json(self) -> dict[str, Any]:
        """The post, and beside it `gone` (numbers of messages) and `left`."""
        return {**self.view.as_json(), "gone": list(self.gone), "left": [vars(left) for left in self.left]}


# --- what would be taken down -----------------------------------------------------------------------------------------


def look(env: Env, adapter_of: AdapterOf, ident: str) -> Target:
    """What `ident` (`p12`, `p12#2` or a ref) would take down.

    Raises NotFound, Refused if nothing of it is out, and what `adapter_of` raises.
    """
    with env.store.read() as session:
        post, part = after.find_part(session, ident)
        view = load_view(session, env, post.id)
        pieces = required(session, post.id, part)
    adapter = after.adapter_or_none(adapter_of, view.channel)
    by_hand = {piece.message_id: why for piece in pieces if (why := _why_by_hand(env, view.channel, adapter, piece))}
    return Target(view, part, tuple(pieces), by_hand)


def _why_by_hand(env: Env, channel: str, adapter: Adapter | None, piece: Piece) -> str | None:
    """Why cm cannot take the message down; None if it can."""
    if piece.receipt is None:
        return _("cm does not know where it stands")
    if adapter is None:
        return _("the channel is not in the configuration any more")
    if not isinstance(adapter, Deletes):
        return _("cm cannot delete on {platform}").format(platform=adapter.capabilities.platform)
    with env.store.read() as session:
        known = after.account_of(session, adapter)
    if known != piece.receipt.account_id:
        return _("it stands on another account than the channel's present one")
    if not _surely_there(adapter, piece.receipt):  # to delete what is not there is a success: it would prove nothing
        return _("its address was given by a person, and cm cannot tell its id there")
    return None


def _surely_there(adapter: Adapter, receipt: Receipt) -> bool:
    """True if the remote id is the platform's own: told by it, or read from an address on the account's own host."""
    if receipt.source != "confirmed":
        return True
    address = urlsplit(receipt.permalink or "")
    return address.netloc == adapter.identity().host and receipt.remote_id in address.path


# --- taking it down ---------------------------------------------------------------------------------------------------


def take_down(
    env: Env,
    adapter_of: AdapterOf,
    ident: str,
    motive: str | None,
    note: str | None = None,
    *,
    waiting: Callable[[], None] = lambda: None,
    patience: float = after.PATIENCE,
) -> Withdrawn:
    """Take down a post, or the message named; again, if it was begun before, from where that stood (and for the
    motive of before, if none is given).

    `waiting` is called if another run must be waited for. Raises UsageError, NotFound and Refused as
    `require_motive` and `look`; Refused if the platform does not let us, NetworkTrouble or PersonNeeded if it cannot
    be reached or refuses the token: then nothing of what was asked for is gone but what the journal says; Busy and
    WorkspaceError as `after_journal.keeping`.
    """
    target = look(env, adapter_of, ident)
    motive, note = require_motive(motive, note, target.view.motive)
    act = _Act(env, target, motive, note)
    ours = [piece for piece in target.pieces if piece.message_id not in target.by_hand]
    if ours:
        adapter = adapter_of(target.view.channel)
        with after.keeping(env, target.view.channel, adapter, waiting, patience) as keeper:
            act.delete(keeper)
    act.leave_to_a_person()
    return act.result()


class _Act:
    """One takedown in progress."""

    def __init__(self, env: Env, target: Target, motive: str, note: str | None) -> None:
        self._env, self._target, self._motive, self._note = env, target, motive, note
        self._gone: list[int] = []
        self._left: list[Left] = []
        self._recorded = False

    def delete(self, keeper: Keeper) -> None:
        """Delete what stands, as the journal says under the lock."""
        with self._env.store.read() as session:
            pieces = required(session, self._target.number, self._target.part)
        for piece in pieces:
            if piece.message_id not in self._target.by_hand:
                self._delete(keeper, piece)

    def _delete(self, keeper: Keeper, piece: Piece) -> None:
        answer = keeper.perform(
            "delete",
            piece,
            _deletion(keeper, piece),
            begin=self._begin,
            conclude=lambda session, answer: self._conclude(session, piece, answer),
        )
        if answer.outcome is Outcome.PUBLISHED:
            self._gone.append(piece.n)
            return
        reason = answer.reason or answer.outcome.value
        if answer.outcome is Outcome.UNKNOWN:
            self._left.append(Left(piece.n, piece.permalink, "unconfirmed", reason))
        elif answer.outcome in (Outcome.REJECTED, Outcome.DUPLICATE):
            self._left.append(Left(piece.n, piece.permalink, "rejected", reason))
        else:
            raise self._failed(piece, answer)

    def _failed(self, piece: Piece, answer: Answer) -> CmError:
        said = _("{message} was not taken down").format(message=piece.named(self._target.number))
        return after.error_of(answer, said, self._target.view.channel)

    def _begin(self, session: Session) -> None:
        if not self._recorded:  # planned again since it was looked at? Then the rest of it would still go out
            required(session, self._target.number, self._target.part)
        self._record(session)
        write(session, self._env, self._target.number, withdrawal=UNCONFIRMED, **self._why())

    def _why(self) -> dict[str, str]:
        """The motive is the post's if the whole of it is meant."""
        return {"motive": self._motive} if self._target.part is None else {}

    def _record(self, session: Session) -> None:
        """The act stands in the log once, before anything is done."""
        if self._recorded:
            return
        self._recorded = True
        detail: dict[str, Any] = {"channel": self._target.view.channel, "messages": self._numbers()}
        if self._note:
            detail["note"] = self._note
        actions.record(session, self._env, "post.takedown", self._target.view.id, why=self._motive, detail=detail)

    def _numbers(self) -> list[int]:
        return sorted({piece.n for piece in self._target.pieces})

    def _conclude(self, session: Session, piece: Piece, answer: Answer) -> None:
        if answer.outcome is Outcome.PUBLISHED:
            assert piece.receipt is not None
            mark_gone(session, self._env, [piece])
            detail = {"message": piece.n}
            actions.record(session, self._env, "post.gone", self._target.view.id, why=self._motive, detail=detail)
        judge(session, self._env, self._target.number, self._motive)

    def leave_to_a_person(self) -> None:
        """What cm cannot take down is asked of a person, and open until they say that it is gone."""
        pieces = [piece for piece in self._target.pieces if piece.message_id in self._target.by_hand]
        if not pieces:
            return
        with self._env.store.write() as session:
            self._begin(session)
        for piece in pieces:
            self._left.append(Left(piece.n, piece.permalink, "by_hand", self._target.by_hand[piece.message_id]))

    def result(self) -> Withdrawn:
        """What came of it. Raises Refused if the platform refused everything."""
        if self._left and not self._gone and all(left.why == "rejected" for left in self._left):
            said = _("{id} was not taken down: {reason}").format(id=self._target.view.id, reason=self._left[0].reason)
            raise Refused(said, hint=_("Nothing was taken down. Look at it there: {url}").format(url=_urls(self._left)))
        with self._env.store.read() as session:
            view = load_view(session, self._env, self._target.number)
        return Withdrawn(view, tuple(sorted(self._gone)), tuple(sorted(self._left, key=lambda left: left.n)))


def _urls(left: list[Left]) -> str:
    return " ".join(one.permalink or "–" for one in left)


def _deletion(keeper: Keeper, piece: Piece) -> Callable[[], None]:
    receipt, adapter = piece.receipt, cast("Deletes", keeper.work.adapter)
    assert receipt is not None
    remote_id = receipt.remote_id
    return lambda: adapter.delete(remote_id)
