"""Posts as tables and as a card."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cm.cli.render import cell, table
from cm.cli.terminal import excerpt, safe
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.views import PostView

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


def post_table(views: Sequence["PostView"], *, text_width: int | None = 60) -> Table:
    """One line a post; `text_width` None shows the whole text."""
    rows = []
    for view in views:
        text = safe(view.text, newlines=True) if text_width is None else excerpt(view.text, text_width)
        state = f"{MARKS[view.state]} {view.state}"
        rows.append((view.id, when(view), view.channel, view.kind, state, view.ref, Text(text)))
    return table(("id", "when", "channel", "kind", "state", "ref", "text"), rows)


def when(view: "PostView") -> str:
    """The plan's wall time, `2026-11-23 08:30`."""
    return view.wall.replace("T", " ") if view.wall else "–"


def post_card(view: "PostView") -> Group:
    """One post in full: facts, messages with their receipts, findings."""
    facts = [
        ("id", view.id),
        ("ref", view.ref),
        ("when", f"{when(view)} {view.zone or ''}".strip()),
        ("channel", view.channel + (" · SIMULATION" if view.simulated else "")),
        ("state", f"{MARKS[view.state]} {view.state}"),
        ("why", view.reason),
        ("kind", view.kind),
        ("fields", ", ".join(f"{key}={value}" for key, value in view.fields.items())),
        ("story", view.story),
        ("theme", view.theme),
        ("audiences", ", ".join(view.audiences)),
        ("language", view.language),
        ("link", view.link),
    ]
    known = [(name, value) for name, value in facts if value]
    return Group(table(("field", "value"), known), *_messages(view), *_findings(view))


def _messages(view: "PostView") -> list[Text]:
    lines = []
    for message in view.messages:
        receipt = message.receipt
        stands = f" ● {safe(receipt.permalink or receipt.remote_id)}" if receipt else ""
        lines.append(Text(f"{message.n}.{stands}", style="bold"))
        lines.append(Text(safe(message.text, newlines=True)))
    return lines


def _findings(view: "PostView") -> list[Text]:
    return [cell(f"{finding.severity.value}: {finding.reason} [{finding.rule}]") for finding in view.findings]


def short_line(view: "PostView") -> str:
    """One sentence on a post that was just written."""
    return _("{id} · {channel} · {when} · {state}").format(
        id=view.id, channel=view.channel, when=when(view), state=view.state
    )
