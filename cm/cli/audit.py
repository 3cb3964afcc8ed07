"""`cm audit`: the action log, to be read, handed over and verified."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli.columns import Column
from cm.cli.lazy import noun
from cm.cli.options import Json, JsonLines, workspace
from cm.cli.render import emit_json, emit_lines, say, show, table
from cm.errors import Refused, UsageError
from cm.formats import plural, trouble
from cm.i18n import _, pgettext

if TYPE_CHECKING:
    from cm.env import Env

app = noun(_("The action log: who did what, when and why. List, export, verify."), shows=None)

MOST = 50
"""So many acts are listed if nobody says how many."""
FORMATS = ("csv", "jsonl")

Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help=_("Only from then on: yesterday, 2026-11-27T18:00…"))
]
Verb = Annotated[str | None, typer.Option("--verb", metavar="VERB", help=_("Only such acts: hold, post.move…"))]
Target = Annotated[str | None, typer.Option("--target", metavar="ID", help=_("Only acts on this: p212, h3…"))]


@app.command("list", help=_("The last acts, the newest first."))
def list_(
    ctx: typer.Context,
    since: Since = None,
    verb: Verb = None,
    target: Target = None,
    most: Annotated[int, typer.Option("--most", min=1, metavar="N", help=_("So many at the most."))] = MOST,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Neither texts nor addresses stand in it."""
    from cm.actions import read

    with workspace(ctx, warn=False) as opened:
        zone = opened.env.zone
        start = _instant(opened.env, since)
        found = read(opened.env, since=start, verb=verb, target=target, newest_first=True, most=most)
    if as_lines:
        emit_lines(entry.as_json() for entry in found)
    elif as_json:
        emit_json({"actions": [entry.as_json() for entry in found]})
    else:
        columns = (_("when"), _("who"), _("act"), pgettext("audit", "on"), Column(_("why"), "line"))
        rows = [
            (f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", one.actor, one.verb, one.target, one.why) for one in found
        ]
        if rows:
            show(table(columns, rows))
        say(plural("{n} act.", "{n} acts.", len(rows)))


def _instant(env: "Env", text: str | None) -> Any:
    """The beginning of a day, or a time of day, past or to come."""
    if text is None:
        return None
    from cm.calendar.times import read_day, read_moment
    from cm.clock import midnight

    try:
        return midnight(read_day(text, now=env.now, zone=env.zone), env.zone)
    except UsageError:
        return read_moment(text, now=env.now, zone=env.zone).instant


@app.command(help=_("The whole log in order, for somebody who has no cm: CSV for spreadsheets, or JSON Lines."))
def export(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help=_("Written anew, readable by you alone; else printed."))
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help=_("csv or jsonl; else as the file is called, csv."))
    ] = None,
    since: Since = None,
    verb: Verb = None,
    target: Target = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("With FILE: say as JSON what was written. Without: JSON Lines."))
    ] = False,
) -> None:
    """Every row with its hash and that of the row before it, so that anybody can verify the chain."""
    from cm.actions import read
    from cm.calendar.auditfile import as_csv, as_jsonl

    lines = file.suffix.lower() in (".jsonl", ".json") if file else as_json
    wanted = form or ("jsonl" if lines else "csv")
    if wanted not in FORMATS:
        raise UsageError(_("{form!r} is no format of an export.").format(form=wanted), hint=", ".join(FORMATS))
    with workspace(ctx, warn=False) as opened:
        found = read(opened.env, since=_instant(opened.env, since), verb=verb, target=target)
        text = as_jsonl(found) if wanted == "jsonl" else as_csv(found, opened.env.zone)
    if file is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    _write(file, text)
    if as_json:
        emit_json({"file": str(file), "format": wanted, "actions": len(found)})
    else:
        say(f"{plural('{n} act.', '{n} acts.', len(found))} " + _("Written: {path}").format(path=file))


def _write(file: Path, text: str) -> None:
    """Put the text into a file that nobody else may read. Raises UsageError."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            os.fchmod(out.fileno(), 0o600)  # it may have been there, readable by others
            out.write(text.encode())
    except OSError as error:
        raise UsageError(
            _("{file} cannot be written: {error}").format(file=file, error=trouble(error)),
            hint=_("Name another file."),
        ) from None


@app.command(help=_("Is the log whole? Every row is hashed again; the first broken one is named (exit 4)."))
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """A row that was changed, taken out or put in breaks the chain."""
    from cm.actions import verify as run

    with workspace(ctx, warn=False) as opened:
        found = run(opened.env)
    if as_json and found.broken_at is None:
        emit_json({"actions": found.rows, "broken_at": found.broken_at, "last_hash": found.last_hash})
    if found.broken_at is not None:
        raise Refused(
            _("The log is broken at row {id}: it, or the row before it, is not what was written.").format(
                id=found.broken_at
            ),
            hint=_("Compare it with an export or a backup of earlier."),
            details={"broken_at": found.broken_at},
        )
    if not as_json:
        say(plural("{n} act, none changed.", "{n} acts, none changed.", found.rows))
        say(_("Last hash: {hash}").format(hash=found.last_hash))
