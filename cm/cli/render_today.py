"""Today as lines of one terminal row each: the text is cut, the command never."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from cm.cli.columns import excerpt
from cm.cli.render_posts import MARKS
from cm.cli.terminal import plain, safe
from cm.formats import clock, day_long, labelled
from cm.model.words import state_word

if TYPE_CHECKING:
    from cm.publishing.standing import Standing
    from cm.publishing.today import Line

NARROWEST = 24
"""Cells that a line's text keeps, however long its command is."""
SIGNS = {
    "hold": "■", "held": "!", "withdrawal": "?", "correction": "?",
    "heartbeat": "✗", "refused": "✗", "stopped": "✗", "failed": MARKS["failed"], "unconfirmed": MARKS["unconfirmed"],
    "missed": MARKS["missed"], "overdue": "!", "broken": "✗", "handed": MARKS["handed"], "text": MARKS["draft"],
    "login": "!", "draft": MARKS["draft"], "dormant": "z", "resting": "…", "calm": "✓",
}  # fmt: skip
STYLES = {
    "hold": "red", "held": "red", "withdrawal": "yellow", "correction": "yellow",
    "heartbeat": "red", "refused": "red", "stopped": "red", "failed": "red", "unconfirmed": "yellow", "missed": "red",
    "overdue": "red", "broken": "red", "login": "yellow", "handed": "yellow", "published": "green", "calm": "green",
}  # fmt: skip


def today_lines(found: "Standing", lines: "Sequence[Line]", width: int, *, simulated: bool) -> Iterator[Text]:
    """One thing to print: a heading and the lines."""
    name = f" · {found.config.establishment.name}" + (" · SIMULATION" if simulated else "")
    head = excerpt(f"{day_long(found.today)} {clock(found.now)}{name}", width)
    yield Text("\n").join([Text(head, style="bold"), *(_line(line, width) for line in lines)])


def _line(line: "Line", width: int) -> Text:
    sign = SIGNS.get(line.kind, "") if line.part != "today" else MARKS.get(line.kind, " ")
    words = f"{line.head} {line.tail}" if line.tail else line.head
    if plain():
        if line.part == "today" and line.kind in MARKS:
            words = labelled(state_word(line.kind), words)
        return Text(safe(words) + (f" → {line.command}" if line.command else ""))
    mend = f" → {line.command}" if line.command else ""
    said = excerpt(f"{sign or ' '} {words}", max(NARROWEST, width - cell_len(mend)))
    return Text.assemble((said, STYLES.get(line.kind, "")), (mend, "bold"))
