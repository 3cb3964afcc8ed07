"""`-C A -C B`: one command over several workspaces, in order; one that fails stops none, unless the command line is
wrong for all of them.

The output of each is preceded by its name on standard error, once it has any. With --json one document holds
them all; with --jsonl every line names its workspace. The exit code is the first that applies.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from cm.cli import faults
from cm.cli.mistakes import BEFORE_THE_NOUN
from cm.cli.terminal import json_text, safe
from cm.errors import CmError, UsageError
from cm.i18n import _

USAGE = 2
INTERRUPTED = 130
PRECEDENCE = (1, 3, 7, USAGE, 6, 4, 5)

Attempt = Callable[[list[str]], tuple[int, CmError | None]]
"""Runs one command line; gives its exit code and the error that is still to be told."""


def named(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders of every `-C` before the noun, and the command line without them."""
    folders, rest, left = [], [], list(args)
    while left and left[0].startswith("-"):
        option = left.pop(0)
        if option == "-C" and left:
            folders.append(left.pop(0))
        elif option.startswith("-C") and option != "-C":
            folders.append(option.removeprefix("-C"))
        else:
            rest.append(option)
            rest += [left.pop(0)] if BEFORE_THE_NOUN.get(option) and left else []
    return folders, rest + left


def joint_code(codes: Iterable[int]) -> int:
    """The exit code of several runs: the first that applies of 1, 3, 7, 2, 6, 4, 5, else 0."""
    found = set(codes)
    return next((code for code in PRECEDENCE if code in found), 0)


def over(folders: Sequence[str], args: Sequence[str], attempt: Attempt) -> int:
    """Run `args` in each folder; gives the exit code. A command line that is wrong whatever the workspace and an
    interruption stop at once."""
    if "-" in args:
        error = UsageError(_("Standard input can be read for one workspace only."), hint=_("Name one -C, or a file."))
        faults.tell(error, as_json=faults.as_json(args))
        return error.exit_code
    if args and args[0] == "run":
        error = UsageError(_("`cm run` works for one workspace."), hint=_("Start one daemon for each."))
        faults.tell(error, as_json=faults.as_json(args))
        return error.exit_code
    codes: list[int] = []
    results: list[dict[str, Any]] = []
    for folder in folders:
        code, trouble = _one(folder, args, attempt, results)
        if code == INTERRUPTED or _is_wrong(code, trouble):
            return code
        codes.append(code)
    if "--json" in args:
        sys.stdout.write(json_text({"workspaces": results}, indent=2) + "\n")
        sys.stdout.flush()
    return joint_code(codes)


def _is_wrong(code: int, error: CmError | None) -> bool:
    """True if the command line is wrong whatever the workspace."""
    return code == USAGE and not (isinstance(error, UsageError) and error.of_workspace)


def _one(
    folder: str, args: Sequence[str], attempt: Attempt, results: list[dict[str, Any]]
) -> tuple[int, CmError | None]:
    line = ["-C", folder, *args]
    if "--json" in args:
        code, out, error = _captured(line, attempt)
        results.append({"workspace": folder, "exit_code": code, **_outcome(out, error)})
    elif "--jsonl" in args:
        code, out, error = _captured(line, attempt)
        _lines(folder, out, None if _is_wrong(code, error) else error)
    else:
        return _headed(folder, line, attempt)
    if error and _is_wrong(code, error):
        faults.tell(error, as_json=True)
    return code, error


def _captured(line: list[str], attempt: Attempt) -> tuple[int, str, CmError | None]:
    with redirect_stdout(io.StringIO()) as out:
        code, error = attempt(line)
    return code, out.getvalue(), error


def _outcome(out: str, error: CmError | None) -> dict[str, Any]:
    if error:
        return {"error": faults.body(error)}
    return {"result": json.loads(out) if out.strip() else None}


def _lines(folder: str, out: str, error: CmError | None) -> None:
    for line in out.splitlines():
        sys.stdout.write(json_text({"workspace": folder, **json.loads(line)}) + "\n")
    sys.stdout.flush()
    if error:
        sys.stderr.write(json_text({"workspace": folder, "error": faults.body(error)}) + "\n")


def _headed(folder: str, line: list[str], attempt: Attempt) -> tuple[int, CmError | None]:
    heading = _Heading(_("Workspace {folder}:").format(folder=safe(folder)) + "\n", sys.stdout, sys.stderr)
    out, err = (cast(TextIO, _Headed(stream, heading)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        code, error = attempt(line)
        if error:
            faults.tell(error, as_json=False)
    return code, error


class _Heading:
    """Written to standard error once, and only if something follows: cron mails whatever is printed."""

    def __init__(self, text: str, out: TextIO, err: TextIO) -> None:
        self._text, self._out, self._err = text, out, err

    def write(self) -> None:
        """Write it unless it is written."""
        if self._text:
            self._out.flush()
            self._err.write(self._text)
            self._err.flush()
            self._text = ""


class _Headed:
    """A stream that has the heading written before its first sign."""

    def __init__(self, stream: TextIO, heading: _Heading) -> None:
        self._stream = stream
        self._heading = heading

    def write(self, text: str) -> int:
        """Write `text`, below the heading."""
        if text:
            self._heading.write()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's own; who takes its bytes will write."""
        if name == "buffer":
            self._heading.write()
        return getattr(self._stream, name)
