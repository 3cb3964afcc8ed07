"""The form in which posts are written, blank or filled in, and what it says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from cm.calendar.draftfile import Document, Section, heading
from cm.calendar.planning import slot_book
from cm.calendar.sql import CHANNEL
from cm.calendar.stored import StoredPost
from cm.clock import Resolved
from cm.env import Env
from cm.errors import Refused
from cm.formats import number, wall_long
from cm.i18n import _
from cm.model.tables import Account

LINES = frozenset({"kind", "ref", "story", "theme", "campaign", "objective", "language", "link", "first_comment"})
"""Lines of the header that are words of a post, under its own names for them."""


def form_of(channels: Sequence[str], given: Mapping[str, Any], required: Mapping[str, tuple[str, ...]]) -> Document:
    """A form for new posts. `given`: what is known already, as options of `post add` name it (`at`: the time)."""
    text = str(given.get("text") or "")
    lines = {name: str(value) for name, value in given.items() if name in LINES | {"over"} and value}
    values = {**lines, "time": given.get("at") or "", "audiences": ", ".join(given.get("audiences") or ())}
    values["draft"] = "yes" if given.get("draft") else ""
    wanted = [name for name in required.get(lines.get("kind", ""), ()) if name != "link"]
    media = list(given.get("media") or ())
    alts = [*(given.get("alt") or ()), *[""] * len(media)]
    return Document(
        {name: value for name, value in values.items() if value},
        {**dict.fromkeys(wanted, ""), **(given.get("fields") or {})},
        tuple(zip(media, alts[: len(media)], strict=True)),
        tuple(Section(channel, text) for channel in channels),
    )


def form_of_post(post: StoredPost) -> Document:
    """The form of a post that exists, filled in."""
    spec = post.spec
    values = {name: getattr(spec, name) for name in LINES}
    values["time"] = post.wall.isoformat(sep=" ", timespec="minutes") if post.wall else ""
    values["audiences"] = ", ".join(spec.audiences)
    return Document(
        {name: value for name, value in values.items() if value},
        dict(spec.fields),
        tuple((medium.path, medium.alt) for medium in spec.media),
        (Section(spec.channel, spec.text),),
    )


def form_changed(form: Document, given: Mapping[str, Any]) -> Document:
    """The form with what is given of a post put in, as options of `post edit` name it; an empty value clears."""
    lines = {name: str(value) for name, value in given.items() if name in LINES}
    if "audiences" in given:
        lines["audiences"] = ", ".join(given["audiences"])
    media = [path for path in given.get("media", [path for path, _alt in form.media]) if path]
    alts = [*given.get("alt", [alt for _path, alt in form.media]), *[""] * len(media)]
    return Document(
        {name: value for name, value in {**form.values, **lines}.items() if value},
        {**form.fields, **given.get("fields", {})},
        tuple(zip(media, alts[: len(media)], strict=True)),
        tuple(replace(section, text=given.get("text", section.text)) for section in form.sections),
    )


def notes_on(env: Env, document: Document, *, editing: str | None = None) -> dict[str, list[str]]:
    """What the form says of itself, by place: what may be written, each channel's next open slot and limits."""
    config = env.config
    kinds = ", ".join(config.required_fields)
    notes = {
        "": _opening(editing),
        "kind": [_("One of: {keys}.").format(keys=kinds), *_needs(document, config.required_fields)],
        "media": [_("Files below media/, each followed by its text alternative; repeat both lines for more.")],
        "audiences": [
            _("Empty: those of the channel. Or some of: {keys}.").format(keys=", ".join(config.all_audiences))
        ],
    }
    if editing:
        notes["time"] = [_("Another time moves the post, e.g. tomorrow 9h, 3/12 18h30; empty leaves it.")]
    else:
        notes["time"] = [_("Empty: each channel's next open slot. Or e.g. tomorrow 9h, 3/12 18h30.")]
    if config.objectives:
        notes["objective"] = [_("One of: {keys}.").format(keys=", ".join(config.objectives))]
    for section in document.sections:
        notes[heading(section.channel)] = _of_channel(env, section.channel, slots=not editing)
    return notes


def _opening(editing: str | None) -> list[str]:
    return [
        _("Editing {id}.").format(id=editing) if editing else _("A new post, with a text for each channel."),
        _("Lines that begin with %% are notes. Save and close to go on; leave it as it is, or empty, to stop."),
        _("In a text, a line --- parts a thread; a line that begins with %% or === needs a \\ before it."),
        _("A channel has a time of its own so: === channel @ tomorrow 9h"),
    ]


def _needs(document: Document, required: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Which kinds need fields, so that a change of kind is no surprise."""
    if document.fields:
        return []
    told = "; ".join(
        f"{kind} → {', '.join(name if name == 'link' else f'field {name}' for name in names)}"
        for kind, names in required.items()
        if names
    )
    return [_("Some need more lines: {kinds}.").format(kinds=told)] if told else []


def _of_channel(env: Env, channel: str, *, slots: bool) -> list[str]:
    notes = []
    if slots:
        slot = next_slot(env, channel)
        if isinstance(slot, Refused):
            notes.append(f"{slot.message} {slot.hint}")
        else:
            notes.append(_("Next open slot: {when}.").format(when=wall_long(slot.wall)))
    most = _most_characters(env, channel)
    if most:
        notes.append(_("At most {n} characters.").format(n=number(most)))
    return notes


def next_slot(env: Env, channel: str) -> Resolved | Refused:
    """The channel's next open slot, or why there is none."""
    with env.store.read() as session:
        try:
            return slot_book(session, env, channel).next_open()
        except Refused as refusal:
            return refusal


def _most_characters(env: Env, channel: str) -> int | None:
    """How long a message may be there, as last measured; None if nobody knows."""
    account: sa.Table = Account.__table__  # type: ignore[attr-defined]
    mine = sa.select(account.c.facts).join(CHANNEL, CHANNEL.c.account_id == account.c.id)
    with env.store.read() as session:
        facts = session.execute(mine.where(CHANNEL.c.name == channel)).scalar_one_or_none() or {}
    return (facts.get("limits") or {}).get("max_characters")
