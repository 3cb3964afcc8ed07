"""Writes docs/cli.md and docs/cm.1 from the command line itself: `make docs`, or `python docs/reference.py`.

A test compares both files with what this gives; `--check` does the same and exits 1 if one is not current.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["CM_LANG"] = "en"  # the texts are taken when modules load
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import typer
from typer.main import get_command

from cm.cli.app import app
from cm.cli.lazy import RUNNING

HERE = Path(__file__).resolve().parent

EXIT_CODES = (
    ("0", "done"),
    ("1", "a bug in cm"),
    ("2", "usage: the command line is off"),
    ("3", "configuration or workspace trouble: nothing was done"),
    ("4", "refused by a rule, or declined"),
    ("5", "not found"),
    ("6", "network or platform trouble that will be tried again"),
    ("7", "newly unconfirmed, missed, failed, or a stopped channel: a person is needed"),
    ("130", "interrupted"),
)
PRECEDENCE = (
    "Of several that apply, also over several workspaces, the first of 1, 3, 7, 2, 6, 4, 5 is given. "
    "A command line that is wrong whatever the workspace stops at once. A closed pipe is no error."
)
ENVIRONMENT = (
    ("CM_WORKSPACE", "The workspace, where no -C names one."),
    ("CM_LANG", "en or fr: what cm speaks, whatever the configuration says."),
    ("CM_PLAIN", "Anything but empty and 0: as --plain."),
    ("CM_ACTOR", "As --as."),
    ("NO_COLOR, COLUMNS", "As everywhere."),
)
FILES = (
    ("config.yaml", "The workspace's configuration; the folder that holds it is the workspace."),
    ("schedules/CHANNEL.yaml", "Slots of a channel."),
    ("media/", "Pictures and films."),
    ("cm.db", "The database."),
    (".cm/", "Log, backups, heartbeat."),
)
SEVERAL = (
    "-C may be repeated: the command runs over each workspace in order, and one that fails stops none. "
    "The output of each stands below a line with its name on standard error. With --json one document "
    '{"workspaces": [{"workspace", "exit_code", "result" or "error"}]} holds them all; '
    'with --jsonl every line has "workspace".'
)
OUTPUT = (
    "Results go to standard output, everything else to standard error. --json prints one document, --jsonl (lists) "
    'one object a line; with either, an error is {"error": {"kind", "message", "hint"}} on standard error. '
    "A noun alone lists; a noun and an id show. Where an id (p212) is asked for, a ref does too."
)


@dataclass(frozen=True)
class Entry:
    """One command as it is documented: `cm post list`, its usage, help and rows of (names, meaning)."""

    path: str
    usage: str
    text: str
    arguments: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...]
    verbs: tuple["Entry", ...] = ()


def tree() -> Entry:
    """The whole command line, in the order of `cm --help`."""
    root = get_command(app)
    with typer.Context(root, info_name="cm", **root.context_settings) as context:
        context.meta[RUNNING] = True
        return _entry(root, context)


def _entry(command: Any, context: Any) -> Entry:
    verbs = []
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        verb = command.get_command(context, name)
        if not verb.hidden:
            with typer.Context(verb, info_name=name, parent=context, **verb.context_settings) as below:
                verbs.append(_entry(verb, below))
    rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
    for param in command.get_params(context):
        if record := param.get_help_record(context):
            rows[param.param_type_name].append((record[0], " ".join(record[1].split())))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = " ".join((command.help or "").split())
    return Entry(context.command_path, usage, text, tuple(rows["argument"]), tuple(rows["option"]), tuple(verbs))


# --- docs/cli.md ------------------------------------------------------------------------------------------------------


def markdown() -> str:
    """The reference for the web."""
    root = tree()
    parts = [
        "# The command line of `cm`",
        "Written by `make docs` from the commands themselves; a test keeps it current.",
        root.text,
        OUTPUT,
        "## Options before the command",
        _table("option", root.options),
        SEVERAL,
        "## Exit codes",
        _table("code", EXIT_CODES),
        PRECEDENCE,
        "## Environment",
        _table("variable", ENVIRONMENT),
        "## Commands",
        "\n".join(f"- [`{noun.path}`](#{noun.path.replace(' ', '-')}): {noun.text}" for noun in root.verbs),
    ]
    for noun in root.verbs:
        parts += _section(noun, 3)
        for verb in noun.verbs:
            parts += _section(verb, 4)
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(entry: Entry, level: int) -> Iterator[str]:
    yield f"{'#' * level} {entry.path}"
    yield entry.text
    yield f"```text\n{entry.usage}\n```"
    if entry.arguments or not entry.verbs:
        yield _table("option", (*entry.arguments, *entry.options))


def _table(heading: str, rows: tuple[tuple[str, str], ...]) -> str:
    lines = [f"| {heading} | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{_cell(name)}` | {_cell(meaning)} |" for name, meaning in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- docs/cm.1 --------------------------------------------------------------------------------------------------------


def manual() -> str:
    """The manual page, for `man`."""
    root = tree()
    lines = [
        '.\\" Written by docs/reference.py from the commands themselves.',
        '.TH CM 1 "" "cm" "User Commands"',
        ".SH NAME",
        "cm \\- an institution's social channels from the terminal",
        ".SH SYNOPSIS",
        ".B cm",
        _roff("[OPTIONS] COMMAND [ARGS]..."),
        ".SH DESCRIPTION",
        _roff(root.text),
        ".PP",
        _roff(OUTPUT),
        ".SH OPTIONS",
        *_list(root.options),
        ".PP",
        _roff(SEVERAL),
        ".SH COMMANDS",
    ]
    for noun in root.verbs:
        for entry in noun.verbs or (noun,):
            lines += [f".SS {_roff(entry.usage)}", _roff(entry.text), *_list((*entry.arguments, *entry.options))]
    for heading, rows in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines += [f".SH {heading}", *_list(rows)]
        lines += [".PP", _roff(PRECEDENCE)] if rows is EXIT_CODES else []
    return "\n".join(lines) + "\n"


def _list(rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, meaning in rows:
        yield ".TP"
        yield f".B {_roff(name)}"
        yield _roff(meaning) or "\\&"


def _roff(text: str) -> str:
    """`text` so that roff takes no sign of it for a request."""
    quoted = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{quoted}" if quoted.startswith((".", "'")) else quoted


FILES_WRITTEN = {"cli.md": markdown, "cm.1": manual}


def main(args: list[str]) -> int:
    """Write both files, or with --check say which is not current."""
    stale = 0
    for name, text in [(name, render()) for name, render in FILES_WRITTEN.items()]:
        path = HERE / name
        if "--check" not in args:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"docs/{name} is not current: make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
