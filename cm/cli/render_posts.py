"""Posts as tables and as cards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from cm.cli.columns import Column, Grid
from cm.cli.render import cell, table
from cm.cli.terminal import safe
from cm.formats import plural
from cm.i18n import _

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cm.calendar.stories import StoryPosts
    from cm.calendar.views import MessageView, PostView
    from cm.model.facts import Finding

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

COLUMNS = (
    "id", "when", "channel", "state", Column("kind", spare=1), Column("ref", spare=2), Column("text", "line"),
)  # fmt: skip


def state_of(state: str) -> str:
    """`● published`."""
    return f"{MARKS[state]} {state}"


def post_table(views: Sequence["PostView"]) -> Grid:
    """One line a post; kind and ref leave where the terminal is narrow."""
    rows = ((v.id, when(v), v.channel, state_of(v.state), v.kind, v.ref, v.text) for v in views)
    return table(COLUMNS, rows)


def when(view: "PostView") -> str:
    """The plan's wall time, `2026-11-23 08:30`."""
    return view.wall.replace("T", " ")[:16] if view.wall else "–"


def tally(states: Iterable[str]) -> str:
    """`56 posts: ○ 40 scheduled · ● 16 published`, which explains the signs too."""
    counts = Counter(str(state) for state in states)
    head = plural("{n} post", "{n} posts", counts.total())
    parts = " · ".join(f"{MARKS[state]} {counts[state]} {state}" for state in MARKS if counts[state])
    return f"{head}: {parts}" if parts else f"{head}."


def post_card(view: "PostView") -> "Iterator[RenderableType]":
    """One post in full: facts, messages with their receipts, findings."""
    facts = [
        ("id", view.id),
        ("ref", view.ref),
        ("when", f"{when(view)} {view.zone or ''}".strip()),
        ("channel", view.channel + (" · SIMULATION" if view.simulated else "")),
        ("state", state_of(view.state)),
        ("why", view.reason),
        ("over", view.over_reason),
        ("example", _("yes: never sent to a real network") if view.example else None),
        ("kind", view.kind),
        ("fields", ", ".join(f"{key}={value}" for key, value in view.fields.items())),
        ("story", view.story),
        ("theme", view.theme),
        ("campaign", view.campaign),
        ("objective", view.objective),
        ("audiences", ", ".join(view.audiences)),
        ("language", view.language),
        ("link", view.link),
        ("media", "\n".join(f"{medium.path}: {medium.alt or '–'}" for medium in view.media)),
    ]
    yield table(("field", Column("value", "prose")), [(name, value) for name, value in facts if value])
    yield from (_message(message) for message in view.messages)
    if view.findings:
        yield Text("\n").join(_finding(finding) for finding in view.findings)


def _message(message: "MessageView") -> Text:
    role = "" if message.role == "part" else f" {message.role}"
    receipt = message.receipt
    stands = f" ● {safe(receipt.permalink or receipt.remote_id)}" if receipt else ""
    return Text.assemble((f"{message.n}.{role}{stands}", "bold"), "\n", cell(message.text))


def _finding(finding: "Finding") -> Text:
    return cell(f"{finding.severity.value}: {finding.reason} [{finding.rule}]")


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
        id=view.id, channel=view.channel, when=when(view), state=state_of(view.state)
    )
