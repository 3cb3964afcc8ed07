"""The calendar as files: `cm calendar import`, `cm calendar export`."""

import os
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli import completion
from cm.cli.options import ChannelName, DryRun, Json, Over, WeekOption, read_bytes, week_given, workspace
from cm.cli.progress import progress
from cm.cli.render import emit_json, say
from cm.cli.terminal import safe
from cm.errors import Refused, UsageError
from cm.formats import trouble
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.foreign import Reading
    from cm.env import Env

IMPORT = _("Bring a calendar in from a file: new rows are planned, changed ones updated, none removed.")
EXPORT = _("Write the calendar to a file that import takes back, or that another tool takes.")

Source = Annotated[Path, typer.Argument(metavar="FILE", help=_("A CSV or .xlsx file; - reads standard input."))]
Tool = Annotated[
    str, typer.Option("--from", metavar="TOOL", help=_("hootsuite, buffer, publer, gohighlevel, planner; else cm."))
]
TheChannel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        "-c",
        metavar="NAME",
        autocompletion=completion.channels,
        help=_("The channel, where the file names none."),
    ),
]
TheKind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        "-k",
        metavar="KIND",
        autocompletion=completion.kinds,
        help=_("The kind of new posts, where the file names none."),
    ),
]
DayFirst = Annotated[bool, typer.Option("--day-first", help=_("03/12/2026 is 3 December."))]
MonthFirst = Annotated[bool, typer.Option("--month-first", help=_("03/12/2026 is 12 March."))]
Words = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="WORD=KEY", help=_("What a word of the file stands for; repeatable.")),
]
Ignored = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="COLUMN", help=_("Leave out a column; repeatable."))
]
WithoutMedia = Annotated[bool, typer.Option("--without-media", help=_("Leave out pictures that are given by address."))]
SheetName = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help=_("The sheet of a workbook; the first if left out."))
]
Partial = Annotated[bool, typer.Option("--partial", help=_("Take the good rows, report the bad ones."))]
Target = Annotated[Path | None, typer.Argument(metavar="[FILE]", help=_("Where to; standard output if - or left out."))]
Filters = Annotated[
    list[str] | None, typer.Argument(metavar="[FILTER]...", help=_("state:scheduled week:next, as `cm post list`."))
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=_("csv, excel, utf16, cp1252, xlsx, hootsuite, buffer; else by the file's ending."),
    ),
]
Excel = Annotated[bool, typer.Option("--excel", help=_("As --format excel: semicolons, a byte-order mark."))]
Dates = Annotated[str, typer.Option("--dates", metavar="iso|fr", help=_("2026-12-03, or 03/12/2026."))]


def add_to(app: typer.Typer) -> None:
    """Both commands become verbs of `app`."""
    app.command("import", help=IMPORT)(import_)
    app.command("export", help=EXPORT)(export)


def import_(
    ctx: typer.Context,
    file: Source,
    tool: Tool = "cm",
    channel: TheChannel = None,
    kind: TheKind = None,
    day_first: DayFirst = False,
    month_first: MonthFirst = False,
    words: Words = None,
    ignored: Ignored = None,
    without_media: WithoutMedia = False,
    sheet: SheetName = None,
    dry_run: DryRun = False,
    partial: Partial = False,
    over: Over = None,
    as_json: Json = False,
) -> None:
    """All or nothing unless --partial; exit 4 if a row is refused."""
    from cm.calendar.importing import import_posts
    from cm.cli.render_import import tell_import

    reading = _reading(tool=tool, channel=channel, kind=kind, sheet=sheet, without_media=without_media)
    reading = replace(reading, dates=_order(day_first, month_first), words=_words(words), ignored=tuple(ignored or ()))
    data = read_bytes(file)
    with workspace(ctx) as opened, progress(_("Importing…"), quiet=as_json):
        result = import_posts(
            opened.env, data, filename=file.name, dry_run=dry_run, partial=partial, over=over, reading=reading
        )
    if as_json:
        emit_json(result.as_json())
    else:
        tell_import(result, partial=partial)
    if result.errors:
        raise typer.Exit(Refused.exit_code)


def _reading(**values: Any) -> "Reading":
    from cm.calendar.foreign import Reading

    return Reading(**values)


def _order(day_first: bool, month_first: bool) -> str | None:
    if day_first and month_first:
        raise UsageError(_("--day-first and --month-first exclude each other."), hint=_("Leave one of them out."))
    if not (day_first or month_first):
        return None
    return "DD/MM/YYYY" if day_first else "MM/DD/YYYY"


def _words(pairs: list[str] | None) -> dict[str, str]:
    split = [pair.rpartition("=") for pair in pairs or ()]
    bad = next((key for word, sign, key in split if not (word and sign)), None)
    if bad is not None:
        raise UsageError(_("{text!r} maps nothing.").format(text=bad), hint=_("Write --map Facebook=facebook"))
    return {word: key.strip() for word, _sign, key in split}


def export(
    ctx: typer.Context,
    file: Target = None,
    filters: Filters = None,
    week: WeekOption = None,
    channel: ChannelName = None,
    shape: Format = None,
    excel: Excel = False,
    dates: Dates = "iso",
    day_first: DayFirst = False,
    month_first: MonthFirst = False,
    as_json: Json = False,
) -> None:
    """Import takes our own formats back without a change."""
    from cm.calendar.filter_words import is_filter
    from cm.calendar.foreign_out import TOOLS

    file = None if file == Path("-") else file
    if file and is_filter(str(file)):
        raise UsageError(
            _("{text!r} is a filter; the file comes first.").format(text=str(file)),
            hint=_("Write cm calendar export plan.csv {text}, or - in place of the file.").format(text=file),
        )
    wanted = _shape(file, shape, excel)
    order = _order(day_first, month_first)
    with workspace(ctx) as opened:
        chosen = {"week": week_given(opened.env, week), "channel": channel, "tokens": filters or ()}
        if wanted in TOOLS:
            data, told = _for_tool(opened.env, wanted, order, chosen)
        else:
            data, told = _ours(opened.env, wanted, _dates(dates, order), chosen), {}
    _deliver(data, file, wanted, told, as_json=as_json)


def _shape(file: Path | None, shape: str | None, excel: bool) -> str:
    if excel and shape not in (None, "excel"):
        raise UsageError(_("--excel and --format exclude each other."), hint=_("Leave one of them out."))
    by_name = "xlsx" if file and file.suffix.lower() == ".xlsx" else "csv"
    return "excel" if excel else shape or by_name


def _dates(dates: str, order: str | None) -> str:
    forms = {"iso": "YYYY-MM-DD", "fr": "DD/MM/YYYY"}
    if dates not in forms or order == "MM/DD/YYYY":
        raise UsageError(
            _("Our own files hold 2026-12-03 or 03/12/2026, day first."), hint=_("Write --dates iso or --dates fr.")
        )
    return order or forms[dates]


def _ours(env: "Env", shape: str, dates: str, chosen: dict[str, Any]) -> bytes:
    from cm.calendar.exporting import export_posts

    return export_posts(env, shape=shape, dates=dates, **chosen)


def _for_tool(env: "Env", tool: str, order: str | None, chosen: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    from cm.calendar.foreign_out import export_for

    made = export_for(env, tool, dates=order, **chosen)
    lost = [{"what": loss.what, "posts": list(loss.posts)} for loss in made.losses]
    return made.data, {"posts": made.posts, "lost": lost, "left_out": list(made.left_out)}


def _deliver(data: bytes, file: Path | None, shape: str, told: dict[str, Any], *, as_json: bool) -> None:
    from cm.cli.render_import import tell_losses

    if file is None:
        _print(data, shape, told, as_json=as_json)
    else:
        try:
            _put(data, file)
        except OSError as error:
            raise UsageError(_("{file} cannot be written: {error}").format(file=file, error=trouble(error))) from None
        if as_json:
            emit_json({"file": str(file), "bytes": len(data), **told})
        else:
            say(_("Written to {file}.").format(file=file))
    if told and not as_json:
        tell_losses(told)


def _put(data: bytes, file: Path) -> None:
    """Write the file whole, or leave what stands there as it is (a full disk). Raises OSError.

    It is written beside its place and then put into it: behind a link that there is, with the rights that a file
    there has. What is no file (/dev/stdout, a pipe) is written to.
    """
    place = Path(os.path.realpath(file))
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    with suppress(FileNotFoundError), place.open("r+b"):
        pass  # what may not be changed is not replaced either
    beside = place.with_name(f".cm-{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as new, suppress(FileNotFoundError):
            new.write(data)
            new.flush()
            os.fsync(descriptor)
            os.fchmod(descriptor, stat.S_IMODE(place.stat().st_mode))
        os.replace(beside, place)
    except BaseException:
        beside.unlink()
        raise


def _print(data: bytes, shape: str, told: dict[str, Any], *, as_json: bool) -> None:
    """The file's very bytes into a pipe; on a terminal, made harmless."""
    from cm.calendar.exporting import TEXT

    terminal = sys.stdout.isatty()
    if shape == "xlsx" and (terminal or as_json):
        raise UsageError(_("A workbook cannot be printed."), hint=_("Name a file: cm calendar export FILE.xlsx"))
    codec = TEXT.get(shape, ("", "utf-8"))[1]
    if as_json:
        emit_json({"file": None, "bytes": len(data), "csv": data.decode(codec), **told})
    elif terminal:
        sys.stdout.write(safe(data.decode(codec).replace("\r\n", "\n"), newlines=True))
    else:
        typer.get_binary_stream("stdout").write(data)
