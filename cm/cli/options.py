"""Options that many commands share, and the opening of the workspace they speak of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.clock import SettableClock, parse_instant
from cm.errors import UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from cm.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]
ChannelName = Annotated[str | None, typer.Option("--channel", "-c", help="Only this channel.")]
Over = Annotated[
    str | None, typer.Option("--over", metavar="REASON", help="Go over the day's maximum, for this reason.")
]
WeekOption = Annotated[str | None, typer.Option("--week", metavar="WEEK", help="An ISO week, e.g. 2026-W48.")]


@dataclass(frozen=True)
class Globals:
    """Options that stand before the noun."""

    start: Path | None
    named: str | None
    now: str | None


@contextmanager
def workspace(ctx: typer.Context, *, as_system: bool = False) -> Iterator["Workspace"]:
    """The workspace of this command, closed at the end. Raises what `open_workspace` raises."""
    from cm.workspace import find, open_workspace  # loads SQLAlchemy: usage errors do without

    given: Globals = ctx.find_root().obj
    now = None
    if given.now:
        from cm.config import load

        now = parse_instant(given.now, load(find(given.start)).zone)
    opened = open_workspace(given.start, named=given.named, now=now, as_system=as_system)
    try:
        yield opened
    finally:
        opened.close()


def settable(opened: "Workspace") -> SettableClock:
    """The stopped clock of a workspace opened with a time."""
    clock = opened.env.clock
    if not isinstance(clock, SettableClock):
        raise UsageError(_("This needs a time to start from."), hint=_("Give --now TIME."))
    return clock


def read_text(text: str | None, file: Path | None) -> str | None:
    """A post's text from `--text`, from `--text -` (standard input) or from `-F FILE`; None if none was given.

    Raises UsageError: both given, unreadable, not UTF-8.
    """
    if text is not None and file is not None:
        raise UsageError(_("Give the text by --text or by -F FILE, not both."))
    try:
        if file is not None:
            return file.read_text(encoding="utf-8-sig")
        if text == "-":
            return typer.get_binary_stream("stdin").read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            _("The text cannot be read: {error}").format(error=error), hint=_("Give a UTF-8 text file.")
        ) from None
    return text
