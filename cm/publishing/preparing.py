"""What goes to the adapter: a message as it is to be sent, and as it is looked for."""

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cm.calendar import derivatives
from cm.calendar.whereto import platform_of
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Prepared, Rejected, Sought
from cm.env import Env
from cm.i18n import _
from cm.model.facts import MediaContent
from cm.model.ids import post_id
from cm.model.tables import Payload
from cm.publishing import accounts, outcomes
from cm.publishing.accounts import Work
from cm.publishing.claims import Claim
from cm.publishing.deadline import within
from cm.publishing.journal import Dossier, Step
from cm.publishing.outcomes import Answer

log = logging.getLogger("cm.publishing")

PREPARE_SECONDS = 900
"""Longest time for uploads and containers; what they have so far is kept."""


@dataclass(frozen=True)
class Preparer:
    """Prepares the messages of one account."""

    env: Env
    work: Work

    def prepare(self, taken: Claim) -> Prepared | Answer:
        """The message's body: prepared now, or the old bytes and key where it is known that they never arrived."""
        old = self._absent(taken.step)
        adapter, saved = self.work.adapter, self._saved(taken.step)
        try:
            self._require_parent_here(taken)
            if (
                old
                and old.content_hash == taken.dossier.content_hash
                and (not old.expires_at or old.expires_at > self.env.now)
            ):
                return Prepared(old.body, old.expires_at)
            outgoing = self._outgoing(taken)
            prepared = within(PREPARE_SECONDS, lambda: adapter.prepare(outgoing, saved))
        except Exception as error:
            log.warning("prepare failed", exc_info=not isinstance(error, ChannelError))
            return outcomes.of_error(error, sending=False)
        if isinstance(prepared, Pending):
            return outcomes.of_pending(prepared, self.env.now)
        return prepared

    def _absent(self, step: Step) -> Payload | None:
        """What was sent to this account and is known not to be there."""
        absent = step.declared_absent
        if absent is None or absent.account_id != self.work.account_id:
            return None
        with self.env.store.read() as session:
            return session.get(Payload, absent.payload_id)

    def _saved(self, step: Step) -> Json:
        """What was uploaded so far, to this account: another one cannot use it."""
        ours = not step.attempts or step.attempts[-1].account_id == self.work.account_id
        return dict(step.message.saved or {}) if ours else {}

    def _require_parent_here(self, taken: Claim) -> None:
        """Raises Rejected if the message answers one that stands elsewhere: it would go out torn from it."""
        before = before_of(taken.dossier, taken.step)
        if before is None:
            return
        facts = {"n": before.message.n, "channel": self.work.channel}
        if before.receipt is None and self.work.adapter.capabilities.delivery == "network":
            said = _("nobody knows where message {n} stands, which this one answers")
            raise Rejected(said.format(**facts), field="parent")
        if before.receipt is not None and before.receipt.account_id != self.work.account_id:
            said = _("message {n}, which this one answers, stands on another account than {channel} has now")
            raise Rejected(said.format(**facts), field="parent")

    @cached_property
    def _limits(self) -> Json:
        """As the account's last check found them; a worker checks before it prepares."""
        with self.env.store.read() as session:
            facts = accounts.row(session, self.work.account_id).facts or {}
        return dict(facts.get("limits", {}))

    def _outgoing(self, taken: Claim) -> Outgoing:
        """The message for the adapter. Raises Rejected if a file is not what was planned."""
        post, message = taken.dossier.post, taken.step.message
        return Outgoing(
            text=message.text,
            language=post.language,
            created_at=self.env.now,
            link=message.link,
            role=message.role,
            visibility=post.visibility,
            fields={key: str(value) for key, value in post.fields.items()},
            media=tuple(self._media(MediaContent(m.path, m.sha256, m.mime, m.alt)) for m in taken.step.media),
            parent=parent_of(taken.dossier, taken.step),
            label=f"{post_id(post.id)}-{message.n}",
            limits=self._limits,
        )

    def _media(self, original: MediaContent) -> Media:
        """What is sent in the place of a file. Raises Rejected."""
        path = self.env.root / derivatives.ORIGINALS / original.path
        if _digest(path) != original.sha256:
            said = _("the file {name} is gone or changed since it was planned")
            raise Rejected(said.format(name=original.path), field="media")
        return derivatives.sent(self.env.root, original, platform_of(self.env, self.work.channel))


def sought(dossier: Dossier, step: Step, payload: Payload | None) -> Sought:
    """The message as the platform is asked for it. `payload`: of the sending in question, which says what was
    sent."""
    message = step.message
    return Sought(
        text=message.text,
        link=message.link,
        media=len(step.media),
        role=message.role,
        parent=parent_of(dossier, step),
        key=payload.key if payload else None,
        body=payload.body if payload else None,
    )


def parent_of(dossier: Dossier, step: Step) -> str | None:
    """The remote id this message answers: the part before it; for a first comment, part 1."""
    before = before_of(dossier, step)
    return before.receipt.remote_id if before and before.receipt else None


def before_of(dossier: Dossier, step: Step) -> Step | None:
    """The message that this one answers; None for the first."""
    place = step.message.n - 1
    if place == 0:
        return None
    return dossier.steps[0] if step.message.role == "comment" else dossier.steps[place - 1]


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
