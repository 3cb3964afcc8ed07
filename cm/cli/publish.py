"""`cm publish`: what cron runs each minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len

from cm.cli import faults
from cm.cli.lazy import command
from cm.cli.options import Globals, Json, settable, workspace
from cm.cli.progress import progress
from cm.cli.render import console, emit_json, say
from cm.cli.signals import Heard, heeding
from cm.clock import SystemClock, parse_instant
from cm.errors import UsageError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.words import state_word
from cm.store import tick

if TYPE_CHECKING:
    from cm.publishing.results import Entry, RunResult
    from cm.workspace import Workspace

app, define = command(
    _("Publish what is due; silent if nothing is. Exit 0 done, 6 will be tried again, 7 a person is needed.")
)


@define
def publish(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help=_("Speak only when a person is needed."))] = False,
    replay: Annotated[
        str | None,
        typer.Option("--replay", metavar="FROM..TO", help=_("Simulated channels only: run at every due instant.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """One sweep, or a replay of many."""
    once = _root(ctx) if quiet and not as_json else None
    heard = Heard()
    if replay is not None:
        with progress(_("Replaying…"), quiet=quiet or as_json):
            result, before = _replay(ctx, replay)
        if before and not as_json:
            _tell_before(before)
    else:
        with (
            telling_once(once),
            workspace(ctx, as_system=True) as opened,
            heeding(heard := Heard(opened.env.signals)),
            progress(_("Publishing…"), quiet=quiet or as_json),
        ):
            result = opened.sweep()
    if as_json:
        emit_json(result.as_json())
    else:
        tell(result, quiet=quiet, once=once)
    if heard.interrupted:
        raise KeyboardInterrupt
    raise typer.Exit(result.exit_code)


def _root(ctx: typer.Context) -> Path | None:
    given: Globals = ctx.find_root().obj
    found = tick.find_workspace(str(given.start) if given.start else None)
    return Path(found) if found else None


RUN = "run"
"""What the trouble of a whole run is kept as (see `cm.publishing.told`)."""


@contextmanager
def telling_once(root: Path | None) -> Iterator[None]:
    """An error that a run before has told already ends this one without a word; None: every error is told."""
    from cm.publishing.told import untold

    try:
        yield
    except Exception as error:
        known = faults.known(error, ())
        if root is None or known is None or untold(root, {RUN: known.message}, SystemClock().now()):
            raise
        raise typer.Exit(known.exit_code) from None


def _replay(ctx: typer.Context, span: str) -> tuple["RunResult", int]:
    """The result of the whole span, and how many posts were given up because they were due before it."""
    from cm.publishing.engine import replay as run
    from cm.publishing.results import RunResult

    start, end = _span(span)
    given: Globals = ctx.find_root().obj
    if given.now:
        raise UsageError(_("--replay brings its own time."), hint=_("Leave --now out."))
    ctx.find_root().obj = Globals(given.start, given.named, start)
    with workspace(ctx, as_system=True) as opened:
        whole, until, before = RunResult(), _instant(opened, end), None
        if until <= opened.env.now:
            raise UsageError(
                _("The span ends before it begins."), hint=_("Write FROM..TO with the earlier time first.")
            )
        for result in run(opened.env, settable(opened), opened.adapter, opened.stamp, until):
            before = len(result.lists["missed"]) if before is None else before
            whole.merge(result)
    return whole, before or 0


def _tell_before(count: int) -> None:
    said = plural(
        "{n} post was due before the span begins and counts as missed.",
        "{n} posts were due before the span begins and count as missed.",
        count,
    )
    say(said)


def _span(text: str) -> tuple[str, str]:
    start, dots, end = text.partition("..")
    if not (start and dots and end):
        raise UsageError(
            _("{text!r} is not a span of time.").format(text=text),
            hint=_("Write FROM..TO, as in --replay 2026-11-23..2026-11-30 (the end is not included)."),
        )
    return start, end


def _instant(opened: "Workspace", text: str) -> datetime:
    return parse_instant(text, opened.config.zone)


def _mend(name: str, entry: "Entry") -> str:
    """The command with which a person settles what became of the post; nothing for the other lists."""
    if name == "handed":
        return f" → cm post confirm {entry.id} --url …"
    return f" → cm post confirm {entry.id} --url … | --not-published" if name == "unconfirmed" else ""


def _list_word(name: str, n: int = 1) -> str:
    """What became of `n` posts, in a word."""
    if name == "deferred":
        return plural("deferred", "deferred", n)
    return plural("held", "held", n) if name == "held" else state_word(name, n)


def tell(result: "RunResult", *, quiet: bool, once: Path | None = None) -> None:
    """What a run did, to standard error; `quiet`: only what a person must know. `once`: the workspace in which
    trouble that lasts is told once, not each minute."""
    from cm.publishing.results import LISTS

    wanted = ("failed", "unconfirmed", "missed", "held") if quiet else LISTS
    for name in wanted:
        for entry in result.lists[name].values():
            _tell_entry(name, entry)
    if result.lists["missed"]:
        say(_("→ cm move state:missed --next gives the missed ones the next open slots"))
    for stopped in result.stopped:
        said = _("{channel} is stopped: {reason} → {command}")
        say(said.format(channel=stopped.channel, reason=stopped.reason, command=stopped.mend))
    _tell_trouble(result, once)
    if not quiet and not result.quiet:
        lengths = {name: len(result.lists[name]) for name in LISTS}
        counts = [f"{n} {_list_word(name, n)}" for name, n in lengths.items() if n]
        say(", ".join(counts))


def _tell_entry(name: str, entry: "Entry") -> None:
    """One post on a line; where that is too long for the terminal, its address or reason and the command below."""
    from cm.publishing.results import LISTS

    width = max(len(_list_word(each)) for each in LISTS)
    head = f"{_list_word(name):{width}} {entry.id:6} {entry.channel:12} {entry.ref or '':14}".rstrip()
    where, mend = entry.permalink or entry.reason or "", _mend(name, entry)
    out = console(stderr=True)
    if not out.is_terminal or cell_len(f"{head} {where}{mend}") <= out.width:
        say(f"{head} {where}".rstrip() + mend, whole=True)
        return
    say(head)
    for line in filter(None, (where, mend.strip())):
        say(f"  {line}", whole=line == entry.permalink)


def _tell_trouble(result: "RunResult", once: Path | None) -> None:
    """Accounts that could not be worked, and bugs."""
    lines = {
        f"bug:{channel}": _("{channel}: a bug in cm ({kind}); its trace is in .cm/log/cm.jsonl").format(
            channel=channel, kind=kind
        )
        for channel, kind in result.bugs
    }
    lines |= {
        f"error:{channel}": labelled(channel, error.message) + (f" → {error.hint}" if error.hint else "")
        for channel, error in result.errors
    }
    for about in lines if once is None else _fresh(result, once, lines):
        say(lines[about])


def _fresh(result: "RunResult", root: Path, lines: dict[str, str]) -> list[str]:
    """Those that no run has told yet. A channel that something went out on is in trouble no more."""
    from cm.publishing.told import untold

    well = {entry.channel for name in ("published", "handed") for entry in result.lists[name].values()}
    over = [RUN, *(f"{kind}:{channel}" for kind in ("bug", "error") for channel in well)]
    untold_now = untold(root, lines, SystemClock().now(), over=over)
    return [about for about in lines if about in untold_now]
