"""Options that many commands share, and the opening of the workspace they speak of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.clock import SettableClock, parse_instant
from cm.errors import UsageError
from cm.i18n import _
from cm.store import tick

if TYPE_CHECKING:
    from cm.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]
ChannelName = Annotated[str | None, typer.Option("--channel", "-c", metavar="NAME", help="Only this channel.")]
Over = Annotated[
    str | None, typer.Option("--over", metavar="REASON", help="Go over the day's maximum, for this reason.")
]
WeekOption = Annotated[str | None, typer.Option("--week", metavar="WEEK", help="An ISO week, e.g. 2026-W48.")]


SILENT_AFTER = timedelta(minutes=10)
"""Cron runs every minute: a heartbeat older than this says that it does not."""


@dataclass(frozen=True)
class Globals:
    """Options that stand before the noun."""

    start: Path | None
    named: str | None
    now: str | None


@contextmanager
def workspace(ctx: typer.Context, *, as_system: bool = False) -> Iterator["Workspace"]:
    """The workspace of this command, closed at the end. Raises what `open_workspace` raises.

    A person (not `as_system`, not a program that asked for JSON) is told if cron does not run.
    """
    from cm.workspace import find, open_workspace  # loads SQLAlchemy: usage errors do without

    given: Globals = ctx.find_root().obj
    now = None
    if given.now:
        from cm.config import load

        now = parse_instant(given.now, load(find(given.start)).zone)
    opened = open_workspace(given.start, named=given.named, now=now, as_system=as_system)
    try:
        if not (as_system or ctx.params.get("as_json")):
            _warn_of_silence(opened)
        yield opened
    finally:
        opened.close()


def _warn_of_silence(opened: "Workspace") -> None:
    """One line if posts wait for a real channel and no `cm publish` was here lately: nothing else would tell."""
    if opened.env.simulated.issuperset(opened.config.channels):
        return
    last = _last_tick(opened.root)
    if last is not None and opened.env.now - last <= SILENT_AFTER:
        return
    from cm.calendar.channels import list_channels
    from cm.cli.render import say

    if any(channel.planned and not channel.simulated for channel in list_channels(opened.env)):
        since = _("since {time}").format(time=f"{last.astimezone(opened.env.zone):%Y-%m-%d %H:%M}") if last else ""
        said = _("Warning: cron has not run {since}: nothing is published. See schedules/system/crontab.")
        say(said.format(since=since or _("here yet")))


def _last_tick(root: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp((root / tick.HEARTBEAT).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def settable(opened: "Workspace") -> SettableClock:
    """The stopped clock of a workspace opened with a time."""
    clock = opened.env.clock
    if not isinstance(clock, SettableClock):
        raise UsageError(_("This needs a time to start from."), hint=_("Give --now TIME."))
    return clock


def read_text(text: str | None, file: Path | None) -> str | None:
    """A post's text from `--text TEXT`, from `-F FILE`, or with `-` for either from standard input; None if none.

    Line ends at the end of a file belong to the file, not to the text. Raises UsageError: both given,
    unreadable, not UTF-8.
    """
    if text is not None and file is not None:
        raise UsageError(_("Give the text by --text or by -F FILE, not both."))
    if file is None and text != "-":
        return text
    data = read_bytes(file or Path("-"))
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(
            _("{file} is not UTF-8 text (byte {n}).").format(file=file or "-", n=error.start),
            hint=_("Save it as UTF-8."),
        ) from None


def read_bytes(file: Path) -> bytes:
    """What stands in a file, or with `-` on standard input. Raises UsageError if it cannot be read."""
    if str(file) == "-":
        return typer.get_binary_stream("stdin").read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            _("{file} cannot be read: {error}").format(file=file, error=error.strerror),
            hint=_("Name a file that you may read."),
        ) from None
