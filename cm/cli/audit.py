"""`cm audit`: the action log, to be read, handed over and verified."""

import os
import sys
from dataclasses import dataclass
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


@app.command(
    help=_(
        "The whole log in order, and what was published, for somebody who has no cm: CSV for spreadsheets, or JSON "
        "Lines."
    )
)
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
    published: Annotated[
        bool,
        typer.Option(
            "--published",
            help=_("Only what was published. With FILE alone it goes into a second file, FILE-published, beside it."),
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("With FILE: say as JSON what was written. Without: JSON Lines."))
    ] = False,
) -> None:
    """Every row with its hash and that of the row before it, so that anybody can verify the chain."""
    lines = file.suffix.lower() in (".jsonl", ".json") if file else as_json
    wanted = form or ("jsonl" if lines else "csv")
    if wanted not in FORMATS:
        raise UsageError(_("{form!r} is no format of an export.").format(form=wanted), hint=", ".join(FORMATS))
    if published and verb:
        raise UsageError(_("--published and --verb exclude each other."), hint=_("Leave one of them out."))
    with workspace(ctx, warn=False) as opened:
        acts = None if published else _acts(opened.env, wanted, since, verb, target)
        out = None if verb or (acts and file is None) else _published(opened.env, wanted, since, target)
    if file is None:
        sys.stdout.write((acts or out or _NOTHING).text)
        sys.stdout.flush()
        return
    _write_both(file, wanted, acts, out, as_json=as_json)


@dataclass(frozen=True)
class _List:
    """One list as it is written. `last_hash` stands for all of its rows."""

    text: str
    rows: int
    last_hash: str | None


_NOTHING = _List("", 0, None)


def _acts(env: "Env", form: str, since: str | None, verb: str | None, target: str | None) -> _List:
    from cm.actions import read
    from cm.calendar.auditfile import as_csv, as_jsonl

    found = read(env, since=_instant(env, since), verb=verb, target=target)
    text = as_jsonl(found) if form == "jsonl" else as_csv(found, env.zone)
    return _List(text, len(found), found[-1].hash if found else None)


def _published(env: "Env", form: str, since: str | None, target: str | None) -> _List:
    from cm.calendar.auditfile import rows_as_csv, rows_as_jsonl
    from cm.publishing.published import COLUMNS, published

    found = published(env, since=_instant(env, since), target=target)
    rows = [one.as_json() for one in found]
    text = rows_as_jsonl(rows) if form == "jsonl" else rows_as_csv(COLUMNS, rows)
    return _List(text, len(found), found[-1].hash if found else None)


def _write_both(file: Path, form: str, acts: _List | None, out: _List | None, *, as_json: bool) -> None:
    """The acts into the file, what was published beside it; into the file itself if there are no acts."""
    beside = file.with_name(f"{file.stem}-published{file.suffix}") if acts else file
    told: dict[str, Any] = {"file": str(file), "format": form}
    if acts:
        _write(file, acts.text)
        told["actions"] = acts.rows
        if not as_json:
            say(f"{plural('{n} act.', '{n} acts.', acts.rows)} " + _("Written: {path}").format(path=file), whole=True)
    if out:
        _write(beside, out.text)
        told |= {"published_file": str(beside), "published": out.rows, "published_last_hash": out.last_hash}
        if not as_json:
            said = plural("{n} message that was published.", "{n} messages that were published.", out.rows)
            say(f"{said} " + _("Written: {path}").format(path=beside), whole=True)
            if out.last_hash:
                say("  " + _("Last hash: {hash}").format(hash=out.last_hash), whole=True)
    if as_json:
        emit_json(told)


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


@app.command(
    help=_(
        "Is the log whole? Every row is hashed again; the first broken one is named (exit 4). So is what is stored of "
        "published posts."
    )
)
def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """A row that was changed, taken out or put in breaks the chain."""
    from cm.actions import verify as run
    from cm.publishing.published import changed_since

    with workspace(ctx, warn=False) as opened:
        found, changed = run(opened.env), changed_since(opened.env)
    if as_json and found.broken_at is None and not changed:
        emit_json({"actions": found.rows, "broken_at": None, "last_hash": found.last_hash, "changed": []})
    if found.broken_at is not None:
        raise Refused(
            _("The log is broken at row {id}: it, or the row before it, is not what was written.").format(
                id=found.broken_at
            ),
            hint=_("Compare it with an export or a backup of earlier."),
            details={"broken_at": found.broken_at, "changed": changed},
        )
    if changed:
        raise Refused(
            _("The stored content is no longer what was published: {ids}.").format(ids=", ".join(changed)),
            hint=_("It was changed outside cm. Compare it with what stands there, or with a backup."),
            details={"broken_at": None, "changed": changed},
        )
    if not as_json:
        say(plural("{n} act, none changed.", "{n} acts, none changed.", found.rows))
        say(_("What is stored of published posts is what was sent."))
        say(_("Last hash: {hash}").format(hash=found.last_hash))
