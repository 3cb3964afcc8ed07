"""The person's own editor, and short questions at the terminal."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cm.cli.render import say
from cm.errors import Refused, WorkspaceError
from cm.formats import trouble
from cm.i18n import _

USUAL = ("sensible-editor", "nano", "vi")
"""What is tried where neither VISUAL nor EDITOR says anything."""

_MAIN_SCREEN = "\x1b[?1049l\x1b[?25h"
"""Back from an editor's screen to the terminal's own, with its cursor: what a killed editor leaves undone."""
_SIGNALLED = 128


class EditorFailed(Refused):
    """The editor did not end well, so what it left is not taken. `killed`: by a signal, not by the person's word."""

    def __init__(self, command: str, code: int) -> None:
        said = _("The editor {name} ended with {code}.").format(name=command, code=code)
        super().__init__(said, hint=_("Nothing was written."))
        self.killed = code < 0 or code > _SIGNALLED


def at_terminal() -> bool:
    """True if a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def editor(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The editor's command: VISUAL, EDITOR, or the first of the usual ones that is there; [] if there is none.

    Raises WorkspaceError for a command that cannot be read.
    """
    for name in ("VISUAL", "EDITOR"):
        if command := environ.get(name, "").strip():
            try:
                return shlex.split(command)
            except ValueError as error:
                said = _("{name} cannot be read as a command: {why}.").format(name=name, why=error)
                raise WorkspaceError(said, hint=_name_one()) from None
    return next(([name] for name in USUAL if shutil.which(name)), [])


def _name_one() -> str:
    return _("Name an editor: export EDITOR=nano")


def edit_file(command: list[str], path: Path) -> None:
    """Let the person edit a file until they close the editor.

    Ctrl-C is the editor's meanwhile; the terminal is put back as it was. Where standard output is not a
    terminal, the editor draws on standard error. Raises EditorFailed, and WorkspaceError if it cannot be started.
    """
    if not command:
        raise WorkspaceError(_("There is no editor."), hint=_name_one())
    with _settings_kept():
        try:
            process = subprocess.Popen([*command, str(path)], stdout=None if os.isatty(1) else 2)
        except OSError as error:
            said = _("The editor {name} cannot be started: {why}.").format(name=command[0], why=trouble(error))
            raise WorkspaceError(said, hint=_name_one()) from None
        with _deaf_to_keys():
            code = process.wait()
    if code:
        failed = EditorFailed(command[0], code)
        if failed.killed and sys.stderr.isatty():
            sys.stderr.write(_MAIN_SCREEN)
        raise failed


@contextmanager
def _settings_kept() -> Iterator[None]:
    """The terminal's settings (echo, line by line) are afterwards what they were."""
    import termios

    kept = None
    with suppress(termios.error):
        kept = termios.tcgetattr(0)
    try:
        yield
    finally:
        if kept is not None:
            with suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(0, termios.TCSADRAIN, kept)


@contextmanager
def _deaf_to_keys() -> Iterator[None]:
    keys = (signal.SIGINT, signal.SIGQUIT)
    before = [signal.signal(key, signal.SIG_IGN) for key in keys]
    try:
        yield
    finally:
        for key, handler in zip(keys, before, strict=True):
            signal.signal(key, handler)


def line(question: str) -> str:
    """A line that is typed after the question; empty at the end of input."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


def ask(question: str) -> int:
    """Which of the answers marked in the question, as in `[s]ave, [q]uit`, is chosen: 0 for the first.

    Enter alone means the first, the end of input the last.
    """
    letters = [letter.casefold() for letter in re.findall(r"\[(\w)\]", question)]
    while True:
        say(question)
        line = sys.stdin.readline()
        if not line:
            return len(letters) - 1
        answer = line.strip().casefold()
        if not answer or answer in letters:
            return letters.index(answer) if answer else 0
