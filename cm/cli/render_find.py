"""What was found, a line for each post, with the hits marked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from cm.cli.columns import Column, Grid
from cm.cli.render import table
from cm.cli.render_posts import state_of
from cm.cli.terminal import safe
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.finding import Hit


def hit_table(hits: Sequence["Hit"]) -> Grid:
    """One line a post; hits stand in « », and in bold where there is bold."""
    columns = (_("id"), _("when"), _("channel"), _("state"), Column(_("text"), "line"))
    return table(columns, [(h.id, _when(h), h.channel, state_of(h.state), _excerpt(h)) for h in hits])


def _when(hit: "Hit") -> str | None:
    return hit.wall.replace("T", " ")[:16] if hit.wall else None


def _excerpt(hit: "Hit") -> Text:
    line = Text("" if hit.field == "text" else f"{hit.field}: ")
    for piece, is_hit in hit.excerpt:
        line.append(f"«{safe(piece)}»" if is_hit else safe(piece), style="bold" if is_hit else "")
    return line
