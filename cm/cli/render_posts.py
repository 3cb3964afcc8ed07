"""Posts as tables and as cards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from cm.cli.columns import Column, Grid
from cm.cli.render import cell, facts, table
from cm.cli.terminal import safe, sign
from cm.formats import labelled, plural
from cm.i18n import _, pgettext
from cm.model.words import motive_word, outcome_word, severity_word, state_word

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cm.calendar.stories import StoryPosts
    from cm.calendar.views import MessageView, PostView, ReceiptView
    from cm.model.facts import Finding
    from cm.publishing.after_journal import Piece
    from cm.publishing.tries import Tries, Try

MARKS = {
    "draft": "✎",
    "scheduled": "○",
    "publishing": "…",
    "published": "●",
    "handed": "⇥",
    "unconfirmed": "?",
    "failed": "✗",
    "missed": "!",
    "cancelled": "–",
}
"""A sign for each state, so that colour never stands alone."""


def state_of(state: str) -> str:
    """`● published`."""
    return sign(MARKS[state], state_word(state))


def marked_state(view: "PostView") -> str:
    """The state, and the marks of a post that is no ordinary one: `○ scheduled, crisis`, `● published, withdrawn`."""
    marks = [word for word, on in ((_("crisis"), view.crisis), (_("urgent"), view.urgent)) if on]
    if view.withdrawal is not None:
        marks.append(_("withdrawn") if view.withdrawal == "done" else _("takedown open"))
    return ", ".join([state_of(view.state), *marks])


def post_table(views: Sequence["PostView"]) -> Grid:
    """One line a post; kind and ref leave where the terminal is narrow."""
    rows = ((v.id, when(v), v.channel, marked_state(v), v.kind, v.ref, v.text) for v in views)
    columns = (
        _("id"), _("when"), _("channel"), _("state"), Column(_("kind"), spare=1), Column(_("ref"), spare=2),
        Column(_("text"), "line"),
    )  # fmt: skip
    return table(columns, rows)


def when(view: "PostView") -> str:
    """The plan's wall time, `2026-11-23 08:30`."""
    return view.wall.replace("T", " ")[:16] if view.wall else "–"


def tally(states: Iterable[str]) -> str:
    """`56 posts: ○ 40 scheduled · ● 16 published`, which explains the signs too."""
    counts = Counter(str(state) for state in states)
    head = plural("{n} post", "{n} posts", counts.total())
    parts = " · ".join(
        sign(mark, f"{counts[state]} {state_word(state, counts[state])}")
        for state, mark in MARKS.items()
        if counts[state]
    )
    return labelled(head, parts) if parts else f"{head}."


def post_card(view: "PostView", tries: "Tries") -> "Iterator[RenderableType]":
    """One post in full: facts, messages with their receipts, findings, attempts."""
    known = [
        (_("id"), view.id),
        (_("ref"), view.ref),
        (_("when"), f"{when(view)} {view.zone or ''}".strip()),
        (_("channel"), view.channel + (" · SIMULATION" if view.simulated else "")),
        (_("state"), state_of(view.state)),
        (_("takedown"), _takedown(view)),
        (_("corrected"), moment(view.corrected_at)),
        (_("crisis"), _("yes: it passes holds") if view.crisis else None),
        (_("urgent"), _("yes: spacing does not hold it back") if view.urgent else None),
        (_("why"), view.reason),
        (_("waits for"), "\n".join(tries.waits_for)),
        (_("next try"), moment(tries.next_at)),
        (pgettext("post", "over"), view.over_reason),
        (_("example"), _("yes: never sent to a real network") if view.example else None),
        (_("kind"), view.kind),
        (_("fields"), ", ".join(f"{key}={value}" for key, value in view.fields.items())),
        (_("story"), view.story),
        (_("theme"), view.theme),
        (_("campaign"), view.campaign),
        (_("objective"), view.objective),
        (_("audiences"), ", ".join(view.audiences)),
        (_("language"), view.language),
        (_("link"), view.link),
        (_("media"), "\n".join(f"{medium.path}: {medium.alt or '–'}" for medium in view.media)),
    ]
    yield facts((name, value) for name, value in known if value)
    yield from (_message(message) for message in view.messages)
    if view.findings:
        yield Text("\n").join(_finding(finding) for finding in view.findings)
    if tries.attempts:
        yield _attempts(tries.attempts, several=len(view.messages) > 1)


def _attempts(attempts: "Sequence[Try]", *, several: bool) -> Grid:
    """One line each: when, at which message, what became of it and why."""
    columns = (_("attempt"), *((_("message"),) if several else ()), _("outcome"), Column(_("why"), "prose"))
    rows = (
        (f"{one.started_at:%Y-%m-%d %H:%M:%S}", *((str(one.message),) if several else ()), _outcome(one), one.reason)
        for one in attempts
    )
    return table(columns, rows)


def _outcome(one: "Try") -> str:
    """`published`, `no answer; it was there`; what was tried, where that was no sending."""
    words = outcome_word(one.outcome) if one.outcome else (_("on its way") if one.sending_at else _("begun"))
    if one.settled:
        found = _("it was there") if one.settled == "published" else _("it was not there")
        words = f"{words}; {found}"
    acts = {"edit": _("correction"), "delete": _("takedown")}
    return labelled(acts[one.action], words) if one.action in acts else words


def _message(message: "MessageView") -> Text:
    role = "" if message.role == "part" else " " + _("comment")
    receipt = message.receipt
    stands = _stands(receipt) if receipt else ""
    return Text.assemble((f"{message.n}.{role}{stands}", "bold"), "\n", cell(message.text))


def _stands(receipt: "ReceiptView") -> str:
    """Where the message stands, or that it is gone."""
    where = safe(receipt.permalink or receipt.remote_id)
    if receipt.gone_at is None:
        return " " + sign("●", where)
    return " " + sign("–", _("{where} (gone)").format(where=where))


def _takedown(view: "PostView") -> str | None:
    """What is known of a post that was taken down, and why it was."""
    if view.withdrawal is None:
        return None
    why = labelled(_("motive"), motive_word(view.motive)) if view.motive else None
    if view.withdrawn_at is not None:
        return " · ".join(filter(None, (_("withdrawn since {time}").format(time=moment(view.withdrawn_at)), why)))
    return " · ".join(filter(None, (_("nobody knows yet whether all of it is gone"), why)))


def moment(at: datetime | None) -> str | None:
    """`2026-11-23 08:30`, in the zone of the instant; None stays None."""
    return f"{at:%Y-%m-%d %H:%M}" if at else None


def after_line(view: "PostView") -> str:
    """What a person is shown before something that is out is touched: post, channel, how public it is, its state."""
    simulated = " · SIMULATION" if view.simulated else ""
    seen = {"public": _("public"), "unlisted": _("public, unlisted"), "private": _("for followers")}
    facts = (view.id, view.channel + simulated, seen.get(view.visibility, view.visibility), marked_state(view))
    return " · ".join(facts)


def pieces_lines(pieces: "Sequence[Piece]") -> Iterator[str]:
    """Each message of a post with where it stands, and its text below."""
    for piece in pieces:
        role = "" if piece.role == "part" else " " + _("comment")
        yield f"{piece.n}.{role} {piece.permalink or '–'}"
        yield piece.text


def _finding(finding: "Finding") -> Text:
    said = _("{severity}: {reason} [{rule}]")
    return cell(said.format(severity=severity_word(finding.severity), reason=finding.reason, rule=finding.rule))


def story_card(story: "StoryPosts") -> "Iterator[RenderableType]":
    """What each audience is told: a heading for every post, its text below."""
    for view in story.posts:
        head = f"{view.id} · {view.channel} · {when(view)} · {state_of(view.state)} · {', '.join(view.audiences)}"
        yield Text(safe(head), style="bold")
        yield Padding(cell(view.text), (0, 0, 0, 2))
    told = dict.fromkeys(finding for view in story.posts for finding in view.findings)
    if told:
        yield Text("\n").join(map(_finding, told))


def short_line(view: "PostView") -> str:
    """One sentence on a post that was just written."""
    return _("{id} · {channel} · {when} · {state}").format(
        id=view.id, channel=view.channel, when=when(view), state=marked_state(view)
    )
