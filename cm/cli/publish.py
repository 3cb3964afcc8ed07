"""`cm publish`: what cron runs each minute."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.lazy import command
from cm.cli.options import Globals, Json, settable, workspace
from cm.cli.progress import progress
from cm.cli.render import emit_json, say
from cm.cli.signals import Heard, heeding
from cm.clock import parse_instant
from cm.errors import UsageError
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.words import state_word

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
    heard = Heard()
    if replay is not None:
        with progress(_("Replaying…"), quiet=quiet or as_json):
            result, before = _replay(ctx, replay)
        if before and not as_json:
            _tell_before(before)
    else:
        with (
            workspace(ctx, as_system=True) as opened,
            heeding(heard := Heard(opened.env.signals)),
            progress(_("Publishing…"), quiet=quiet or as_json),
        ):
            result = opened.sweep()
    if as_json:
        emit_json(result.as_json())
    else:
        tell(result, quiet=quiet)
    if heard.interrupted:
        raise KeyboardInterrupt
    raise typer.Exit(result.exit_code)


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


def tell(result: "RunResult", *, quiet: bool) -> None:
    """What a run did, to standard error; `quiet`: only what a person must know."""
    from cm.publishing.results import LISTS

    wanted = ("failed", "unconfirmed", "missed", "held") if quiet else LISTS
    width = max(len(_list_word(name)) for name in LISTS)
    for name in wanted:
        for entry in result.lists[name].values():
            where = entry.permalink or entry.reason or ""
            say(
                f"{_list_word(name):{width}} {entry.id:6} {entry.channel:12} {entry.ref or '':14} {where}".rstrip()
                + _mend(name, entry)
            )
    if result.lists["missed"]:
        say(_("→ cm move state:missed --next gives the missed ones the next open slots"))
    for stopped in result.stopped:
        said = _("{channel} is stopped: {reason} → {command}")
        say(said.format(channel=stopped.channel, reason=stopped.reason, command=stopped.mend))
    for channel, kind in result.bugs:
        say(_("{channel}: a bug in cm ({kind}); its trace is in .cm/log/cm.jsonl").format(channel=channel, kind=kind))
    for channel, error in result.errors:
        say(labelled(channel, error.message) + (f" → {error.hint}" if error.hint else ""))
    if not quiet and not result.quiet:
        lengths = {name: len(result.lists[name]) for name in LISTS}
        counts = [f"{n} {_list_word(name, n)}" for name, n in lengths.items() if n]
        say(", ".join(counts))
