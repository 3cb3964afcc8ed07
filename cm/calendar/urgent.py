"""An urgent text for every channel: who gets it, in what form, and writing it, all or none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from cm.calendar.broadcast import TextLimit, limit_of, variant
from cm.calendar.drafting import NewPost, inner_channels, new_post
from cm.calendar.sql import CHANNEL, POST
from cm.checks.content import split_parts
from cm.checks.rules import is_internal
from cm.config import Config
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.formats import labelled
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import PostState
from cm.model.tables import Account

ACCOUNT: sa.Table = Account.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Variant:
    """The text as one channel gets it. `internal`: only people inside read it. `stopped`: why the channel rests."""

    channel: str
    new: NewPost
    parts: tuple[str, ...]
    internal: bool
    stopped: str | None


TWICE_WITHIN = timedelta(hours=24)
"""The same urgent text on the same channel within that time was most likely typed, or sent, twice."""


@dataclass(frozen=True)
class Told:
    """An urgent post that says the same already."""

    id: str
    channel: str
    state: PostState


def told_already(env: Env, found: Sequence[Variant]) -> list[Told]:
    """The urgent posts of the last 24 hours that say on these channels what is to be said now, in order; drafts,
    cancelled posts and those taken down do not count."""
    mine = POST.c.urgent.is_(True) & (POST.c.created_at > env.now - TWICE_WITHIN) & POST.c.withdrawal.is_(None)
    said = sa.or_(*(sa.and_(POST.c.channel == one.channel, POST.c.text == one.new.text) for one in found))
    statement = sa.select(POST.c.id, POST.c.channel, POST.c.state).where(
        mine, said, POST.c.state.not_in((PostState.DRAFT, PostState.CANCELLED))
    )
    with env.store.read() as session:
        return [Told(post_id(row.id), row.channel, row.state) for row in session.execute(statement.order_by(POST.c.id))]


def everywhere(config: Config, *, inside_only: bool = False) -> list[str]:
    """The channels that an urgent text goes to: all that are active, those for people inside first.

    Raises Refused if there is none.
    """
    names = [name for name, channel in config.channels.items() if channel.state == "active"]
    inside = [name for name in inner_channels(config) if name in names]
    found = inside if inside_only else inside + [name for name in names if name not in inside]
    if not found:
        raise Refused(_("There is no active channel to send it to."), hint=_("`cm channel list` shows them."))
    return found


def statement_for(config: Config, channel: str) -> str:
    """The configured holding statement in the channel's language, else in the workspace's, else the only one.

    Raises UsageError if there is none.
    """
    said = config.crisis.statement
    spoken = (config.language_of(channel).partition("-")[0], config.language, *said)
    text = next((said[one] for one in spoken if one in said), None)
    if text is None:
        raise UsageError(
            _("There is no holding statement in config.yaml."),
            hint=_("Write one below `crisis: statement:`, or give the text here."),
        )
    return text


def variants(
    env: Env,
    channels: Sequence[str],
    text_for: Callable[[str], str],
    declared: Callable[[str], int | None],
    words: Mapping[str, Any],
) -> list[Variant]:
    """The text as each channel gets it: one that takes less gets it as a numbered thread. `words`: what else is
    written, as `new_post` takes it; `declared`: what a channel's adapter says of its longest text.

    Raises Refused, naming the channel, if it cannot be split for it; UsageError as `new_post`.
    """
    measured, stops = _accounts(env, channels)
    return [
        _variant(env, name, text_for(name), measured.get(name, {}), declared(name), words, stops.get(name))
        for name in channels
    ]


def _variant(
    env: Env,
    name: str,
    text: str,
    measured: Mapping[str, Any],
    declared: int | None,
    words: Mapping[str, Any],
    stopped: str | None,
) -> Variant:
    channel = env.config.channels[name]
    inside = is_internal(channel.audiences, env.config.internal_audiences)
    limit = limit_of(channel.platform, measured, declared or _setting(channel.settings))
    clean = new_post(**{**words, "channel": name, "text": text})
    new = clean.model_copy(update={"text": _fitting(name, clean, limit)})
    return Variant(name, new, tuple(split_parts(new.text)), inside, stopped)


def _fitting(name: str, new: NewPost, limit: TextLimit | None) -> str:
    try:
        return variant(new.text.strip(), limit, new.link)
    except Refused as error:
        raise Refused(labelled(name, error.message), hint=error.hint) from None


def _setting(settings: Mapping[str, Any]) -> int | None:
    """A limit that the channel's own settings name (a pretend platform's)."""
    most = settings.get("max_characters")
    return most if isinstance(most, int) and most > 0 else None


def _accounts(env: Env, channels: Collection[str]) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """What was measured of the channels' accounts, and why some of them rest."""
    columns = (CHANNEL.c.name, ACCOUNT.c.facts, ACCOUNT.c.paused_at, ACCOUNT.c.paused_until, ACCOUNT.c.pause_reason)
    statement = sa.select(*columns).join_from(CHANNEL, ACCOUNT).where(CHANNEL.c.name.in_(channels))
    with env.store.read() as session:
        rows = session.execute(statement).all()
    measured = {row.name: (row.facts or {}).get("limits") or {} for row in rows}
    rests = (row for row in rows if row.paused_at and (row.paused_until is None or row.paused_until > env.now))
    return measured, {row.name: row.pause_reason or "–" for row in rests}
