"""Options that many commands share, and the opening of the workspace they speak of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import completion
from cm.clock import SettableClock, parse_instant
from cm.errors import UsageError
from cm.formats import trouble
from cm.i18n import _
from cm.store import tick

if TYPE_CHECKING:
    from cm.clock import Week
    from cm.env import Env
    from cm.workspace import Workspace


def _json_alone(ctx: typer.Context, asked: bool) -> bool:
    return _either(asked, ctx.params.get("as_lines"))


def _lines_alone(ctx: typer.Context, asked: bool) -> bool:
    return _either(asked, ctx.params.get("as_json"))


def _either(asked: bool, other: object) -> bool:
    """Of --json and --jsonl the later one sees the earlier. Raises UsageError if both are given."""
    if asked and other:
        raise UsageError(_("--json and --jsonl exclude each other."), hint=_("Leave one of them out."))
    return asked


Json = Annotated[bool, typer.Option("--json", callback=_json_alone, help=_("Print JSON and nothing else."))]
JsonLines = Annotated[
    bool, typer.Option("--jsonl", callback=_lines_alone, help=_("Print one JSON object a line and nothing else."))
]
"""For lists, as the parameter `as_lines`; printed with `cm.cli.render.emit_lines`."""
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Say what would change; change nothing."))]
ChannelName = Annotated[
    str | None,
    typer.Option("--channel", "-c", metavar="NAME", autocompletion=completion.channels, help=_("Only this channel.")),
]
Over = Annotated[
    str | None, typer.Option("--over", metavar="REASON", help=_("Go over the day's maximum, for this reason."))
]
FirstDay = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help=_("First day: 2026-11-23, 3/12, tomorrow…"))
]
LastDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help=_("Last day, included."))]
WeekOption = Annotated[str | None, typer.Option("--week", metavar="WEEK", help=_("2026-W48, next, last…"))]


@dataclass(frozen=True)
class Globals:
    """Options that stand before the noun."""

    start: Path | None
    named: str | None
    now: str | None


@contextmanager
def workspace(ctx: typer.Context, *, as_system: bool = False, warn: bool = True) -> Iterator["Workspace"]:
    """The workspace of this command, closed at the end. Raises what `open_workspace` raises.

    A person (not `as_system`, not a program that asked for JSON) is told if cron does not run; without `warn` the
    command itself says so.
    """
    try:
        with _opened(ctx, as_system=as_system, warn=warn) as opened:
            yield opened
    except UsageError as error:
        error.of_workspace = True
        raise


@contextmanager
def _opened(ctx: typer.Context, *, as_system: bool, warn: bool) -> Iterator["Workspace"]:
    from cm.workspace import find, open_workspace  # loads SQLAlchemy: usage errors do without

    given: Globals = ctx.find_root().obj
    now = None
    if given.now:
        from cm.config import load

        now = parse_instant(given.now, load(find(given.start)).zone)
    opened = open_workspace(given.start, named=given.named, now=now, as_system=as_system)
    try:
        if warn and not (as_system or ctx.params.get("as_json") or ctx.params.get("as_lines")):
            _warn_of_silence(opened)
        collect_garbage()
        yield opened
    finally:
        opened.close()


def collect_garbage() -> None:
    """From here on; what the loaded modules hold is left out for good. See `cm.__main__.entry`."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _warn_of_silence(opened: "Workspace") -> None:
    """One line if posts wait for a real channel and no `cm publish` was here lately: nothing else would tell."""
    if opened.env.simulated.issuperset(opened.config.channels):
        return
    beat = tick.last_beat(opened.root)
    last = datetime.fromtimestamp(beat, opened.env.zone) if beat is not None else None
    if last is not None and opened.env.now - last <= timedelta(seconds=tick.SILENT_AFTER):
        return
    from cm.calendar.channels import list_channels
    from cm.cli.render import say

    if any(channel.planned and not channel.simulated for channel in list_channels(opened.env)):
        since = _("since {time}").format(time=f"{last:%Y-%m-%d %H:%M}") if last else ""
        said = _("Warning: cron has not run {since}: nothing is published. See schedules/system/crontab.")
        say(said.format(since=since or _("here yet")))


def week_given(env: "Env", text: str | None) -> "Week | None":
    """The week that a `--week` or `[WEEK]` names; None without it. Raises UsageError."""
    from cm.calendar.times import week_called

    return week_called(text, now=env.now, zone=env.zone) if text else None


def day_given(env: "Env", text: str) -> date:
    """The day that `--from` or `--to` names. Raises UsageError."""
    from cm.calendar.times import read_day

    return read_day(text, now=env.now, zone=env.zone)


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
            _("{file} cannot be read: {error}").format(file=file, error=trouble(error)),
            hint=_("Name a file that you may read."),
        ) from None
