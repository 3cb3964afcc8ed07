"""Changing a post that is out, on its platform and then in the calendar: `cm post correct`.

A message's stored text is changed in the commit that keeps its good outcome, so that it always says what is known to
stand there. From `sending` to the outcome the post's `reason` says that a correction is under way: it stays if the
answer never came (the old text or the new one may stand there), and goes with the next one that did. Cadence, time
and receipts stay. A hold does not stop it: a person asks for this very change at this very moment.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlmodel import Session, col, update

from cm import actions
from cm.calendar import derivatives, stored
from cm.calendar.drafting import Composed, Spec, changed, check, columns_of, composed, post_changes
from cm.calendar.stored import StoredPost
from cm.calendar.views import PostView, load_view
from cm.calendar.whereto import platform_of
from cm.channels.port import Edits, Outgoing
from cm.checks.content import PART_LINE, split_parts
from cm.checks.rules import error_findings
from cm.env import Env
from cm.errors import PersonNeeded, Refused, UsageError
from cm.i18n import _
from cm.model.facts import MessageContent
from cm.model.ids import post_id
from cm.model.states import Outcome, PostState
from cm.model.tables import Account, Message, Post
from cm.model.words import state_word
from cm.publishing import after_journal as after
from cm.publishing.after_journal import AdapterOf, Keeper, Piece
from cm.publishing.outcomes import Answer
from cm.publishing.withdrawal import DONE

_TEXTS = ("text", "first_comment", "content_hash")
"""Columns of a post that a correction changes."""


@dataclass(frozen=True)
class Rewording:
    """One message that is to read otherwise."""

    piece: Piece
    after: MessageContent
    fingerprint: str


@dataclass(frozen=True)
class Correction:
    """What is to be changed: the post as it stands, what it is to say, and the messages that differ, in order."""

    view: PostView
    spec: Spec
    rewordings: tuple[Rewording, ...]
    notes: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The post's number."""
        return int(self.view.id[1:])


@dataclass(frozen=True)
class Corrected:
    """What came of it: the post as it is stored now, and the messages of which nobody knows what they say."""

    view: PostView
    doubtful: tuple[Piece, ...] = ()

    @property
    def exit_code(self) -> int:
        """7 if a person must look."""
        return PersonNeeded.exit_code if self.doubtful else 0

    def as_json(self) -> dict[str, Any]:
        """The post, and beside it `doubtful`."""
        left = [{"n": piece.n, "permalink": piece.permalink} for piece in self.doubtful]
        return {**self.view.as_json(), "doubtful": left}


# --- what would be changed --------------------------------------------------------------------------------------------


def text_of(env: Env, ident: str) -> str:
    """What the post (or the message named) says now, to be changed in an editor. Raises NotFound and Refused."""
    with env.store.read() as session:
        post, part = after.find_part(session, ident)
        _require_out(session, post)
        return post.spec.text if part is None else after.pieces_of(session, post.id, part)[0].text


def plan(env: Env, adapter_of: AdapterOf, ident: str, text: str) -> Correction:
    """What `text` would change of the post, or of the one message that is named (`p12#2`).

    Raises UsageError (no text), NotFound, Refused (not out, taken down, another number of parts, an error finding,
    nothing differs), PersonNeeded (the platform cannot: it says what to do), and what `adapter_of` raises.
    """
    with env.store.read() as session:
        post, part = after.find_part(session, ident)
        _require_out(session, post)
        spec, notes = _respoken(session, env, post, part, text)
        pieces = after.pieces_of(session, post.id)
        doubted = {piece.message_id for piece in pieces if after.in_doubt(session, piece.message_id, "edit")}
        view = load_view(session, env, post.id)
    made = composed(spec)
    if len(made.content.messages) != len({piece.n for piece in pieces}):
        hint = _("Correct one of them: cm post correct {id}#2. To add one, plan another post.").format(id=post.name)
        raise Refused(_("A correction keeps the number of parts."), hint=hint)
    if wrong := error_findings(check(env, made.content)):
        raise Refused(" ".join(finding.reason for finding in wrong), hint=_("Nothing was changed."))
    rewordings = _differing(pieces, made, doubted)
    if not rewordings:
        raise Refused(_("It says that already."), hint=_("Nothing was changed."))
    _require_editable(env, adapter_of, view.channel, [one.piece for one in rewordings])
    return Correction(view, spec, rewordings, notes)


def _require_out(session: Session, post: StoredPost) -> None:
    row = session.get_one(Post, post.id)
    if row.withdrawal is not None:
        gone = row.withdrawal == DONE
        said = _("{id} was taken down.") if gone else _("{id} is being taken down, and may be gone.")
        raise Refused(said.format(id=post.name), hint=_("Plan another post for what is to be said."))
    if post.state is not PostState.PUBLISHED:
        hints = {
            PostState.PUBLISHING: _("Wait until it is out."),
            PostState.HANDED: _("Change what is to be pasted, then say how it ended: cm post confirm {id} --url URL."),
            PostState.UNCONFIRMED: _("Look whether it is there, then: cm post confirm {id} --url URL."),
        }
        said = _("{id} is {state}: only what is out is corrected.")
        raise Refused(
            said.format(id=post.name, state=state_word(post.state)),
            hint=hints.get(post.state, _("Change it with `cm edit {id}`.")).format(id=post.name),
        )


def _respoken(
    session: Session, env: Env, post: StoredPost, part: int | None, text: str
) -> tuple[Spec, tuple[str, ...]]:
    """The post with its new words, and what was cleaned out of them."""
    if not text.strip():
        hint = _("To take the post down: cm post takedown {id}").format(id=post.name)
        raise UsageError(_("The text is empty."), hint=hint)
    changes = post_changes(**_changes(session, post, part, text))
    return changed(env, post.spec, changes), changes.notes


def _changes(session: Session, post: StoredPost, part: int | None, text: str) -> dict[str, Any]:
    if part is None:
        return {"text": text}
    piece = after.pieces_of(session, post.id, part)[0]
    if len(split_parts(text)) > 1:
        raise UsageError(
            _("The text of one part holds no line `---`."), hint=_("Leave out the number to change the whole thread.")
        )
    if piece.role == "comment":
        return {"first_comment": text}
    parts = split_parts(post.spec.text)
    parts[piece.n - 1] = text
    return {"text": f"\n{PART_LINE}\n".join(parts)}


def _differing(pieces: Sequence[Piece], made: Composed, doubted: Collection[int]) -> tuple[Rewording, ...]:
    """The messages whose text becomes another, or of which nobody knows what they say (by id); each piece of a message
    that stands twice."""
    pairs = zip(made.content.messages, made.fingerprints, strict=True)
    wanted = {message.n: (message, mark) for message, mark in pairs}
    return tuple(
        Rewording(piece, *wanted[piece.n])
        for piece in pieces
        if piece.message_id in doubted or piece.text != wanted[piece.n][0].text
    )


def _require_editable(env: Env, adapter_of: AdapterOf, channel: str, pieces: Sequence[Piece]) -> None:
    """Raises PersonNeeded, with the addresses, where cm cannot change what stands there."""
    adapter = after.adapter_or_none(adapter_of, channel)
    able: object = adapter  # mypy holds that no Adapter can be Edits too
    with env.store.read() as session:
        account = after.account_of(session, adapter) if adapter else None
    ours = all(piece.stands and piece.receipt and piece.receipt.account_id == account for piece in pieces)
    if ours and isinstance(able, Edits):
        return
    where = " ".join(piece.permalink or "–" for piece in pieces)
    raise PersonNeeded(
        _("cm cannot change what stands on {channel}: {where}").format(channel=channel, where=where),
        hint=_("Change it there by hand, or take it down (cm post takedown) and plan it anew. Nothing was changed."),
    )


# --- changing it ------------------------------------------------------------------------------------------------------


def correct(
    env: Env,
    adapter_of: AdapterOf,
    wanted: Correction,
    *,
    waiting: Callable[[], None] = lambda: None,
    patience: float = after.PATIENCE,
) -> Corrected:
    """Make the platform say what was planned, message by message, and keep what it took.

    Where the answer is missing twice, that message and those after it stay as they are stored, and the result says
    so: the same correction may be ordered again. Raises Refused (the post was changed since `plan`, the platform
    refuses), NetworkTrouble, PersonNeeded, Busy and WorkspaceError as `takedown.take_down`.
    """
    doubtful: list[Piece] = []
    with after.keeping(env, wanted.view.channel, adapter_of(wanted.view.channel), waiting, patience) as keeper:
        _require_unchanged(env, wanted)
        act = _Act(env, keeper, wanted)
        for one in wanted.rewordings:
            answer = act.edit(one)
            if answer.outcome is Outcome.UNKNOWN:
                doubtful.append(one.piece)
                break
            if answer.outcome is not Outcome.PUBLISHED:
                said = _("{message} was not corrected").format(message=one.piece.named(wanted.number))
                raise after.error_of(answer, said, wanted.view.channel)
    with env.store.read() as session:
        view = load_view(session, env, wanted.number)
    return Corrected(replace(view, notes=wanted.notes), tuple(doubtful))


def _require_unchanged(env: Env, wanted: Correction) -> None:
    with env.store.read() as session:
        if session.get_one(Post, wanted.number).rev != wanted.view.rev:
            raise Refused(_("The post has changed since you looked."), hint=_("Nothing was done. Look again."))


class _Act:
    """One correction in progress; `parts` are the texts as far as they stand there now."""

    def __init__(self, env: Env, keeper: Keeper, wanted: Correction) -> None:
        self._env, self._keeper, self._wanted = env, keeper, wanted
        self._spec: Spec | None = None
        self._recorded = False

    def edit(self, one: Rewording) -> Answer:
        """Change one message there; its stored text follows when that is known to have worked."""
        receipt, adapter = one.piece.receipt, cast("Edits", self._keeper.work.adapter)
        assert receipt is not None
        outgoing = self._outgoing(one)
        return self._keeper.perform(
            "edit",
            one.piece,
            lambda: adapter.edit(receipt.remote_id, outgoing),
            begin=self._begin,
            conclude=lambda session, answer: self._conclude(session, one, answer),
        )

    def _outgoing(self, one: Rewording) -> Outgoing:
        with self._env.store.read() as session:
            facts = session.get_one(Account, self._keeper.work.account_id).facts or {}
        spec = self._wanted.spec
        platform = platform_of(self._env, spec.channel)
        return Outgoing(
            text=one.after.text,
            language=spec.language,
            created_at=self._env.now,
            link=one.after.link,
            role=one.after.role,
            visibility=spec.visibility,
            fields={key: str(value) for key, value in spec.fields.items()},
            media=tuple(derivatives.standing(self._env.root, each, platform) for each in one.after.media),
            label=f"{self._wanted.view.id}-{one.piece.n}",
            limits=facts.get("limits", {}),
        )

    def _begin(self, session: Session) -> None:
        if not self._recorded:
            self._recorded = True
            detail = {"messages": [one.piece.n for one in self._wanted.rewordings]}
            actions.record(session, self._env, "post.correct", self._wanted.view.id, detail=detail)
        under_way = _("a correction was sent and no answer came: look what stands there, then cm post correct again")
        _write(session, self._wanted.number, reason=under_way)

    def _conclude(self, session: Session, one: Rewording, answer: Answer) -> None:
        if answer.outcome is Outcome.UNKNOWN:
            return
        number = self._wanted.number
        if answer.outcome is not Outcome.PUBLISHED:
            if not after.in_doubt(session, one.piece.message_id, "edit"):
                after.settle(session, one.piece.message_id, "edit", "not_published")
                _write(session, number, reason=None)
            return
        after.settle(session, one.piece.message_id, "edit")
        words = {"text": one.after.text, "fingerprint": one.fingerprint}
        session.execute(update(Message).where(col(Message.id) == one.piece.message_id).values(**words))
        spec = self._standing(session, one)
        columns = {name: value for name, value in columns_of(spec, composed(spec)).items() if name in _TEXTS}
        now = self._env.now
        _write(session, number, **columns, reason=None, corrected_at=now, updated_at=now, rev=col(Post.rev) + 1)
        actions.record(session, self._env, "post.corrected", self._wanted.view.id, detail={"message": one.piece.n})

    def _standing(self, session: Session, one: Rewording) -> Spec:
        """The post with this message's new text; at the last one exactly as it was written."""
        if one is self._wanted.rewordings[-1]:
            return self._wanted.spec
        spec = stored.find(session, post_id(self._wanted.number)).spec
        parts = split_parts(spec.text)
        parts[one.piece.n - 1] = one.after.text
        return replace(spec, text=f"\n{PART_LINE}\n".join(parts))


def _write(session: Session, number: int, **values: Any) -> None:
    statement = update(Post).where(col(Post.id) == number).values(**values)
    session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
