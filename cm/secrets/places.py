"""The four places of a secret: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`, `command:WORDS…`.

A path that is not absolute starts at the workspace. Secrets are fetched when used and kept nowhere.
"""

import hashlib
import os
import shlex
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import platformdirs

from cm.errors import WorkspaceError
from cm.i18n import _
from cm.secrets.private import delete_private, prove_writable, read_private, write_private
from cm.secrets.trust import is_trusted

SECONDS = 10
"""Longest time that a command may take."""


class Place(ABC):
    """Where one secret is kept; `reference` is how the configuration calls it."""

    def __init__(self, reference: str) -> None:
        self.reference = reference

    @abstractmethod
    def read(self) -> str:
        """The secret, empty if there is an empty one. Raises WorkspaceError where the reference leads nowhere."""

    def prove(self, text: str) -> None:
        """See that `text` could be saved. Raises WorkspaceError, always where cm can only read."""
        raise WorkspaceError(
            _("{reference} can be read by cm, not written.").format(reference=self.reference),
            hint=_("Use file:PATH or keyring:SERVICE/NAME for it, or leave `token:` out, then `cm channel login`."),
        )

    def save(self, text: str) -> None:
        """Keep it for good, in the place of what was there. Raises WorkspaceError."""
        self.prove(text)

    def forget(self) -> None:
        """Delete it; what is not there is a success. Raises WorkspaceError."""
        self.prove("")

    @property
    def lock(self) -> Path:
        """What whoever changes it must hold."""
        digest = hashlib.sha256(self.reference.encode()).hexdigest()[:32]
        return platformdirs.user_state_path("cm") / "secrets" / f"{digest}.lock"


class Variable(Place):
    """`env:NAME`: a variable of the environment in which cm runs."""

    def read(self) -> str:
        """The variable's value."""
        name = self.reference.partition(":")[2]
        value = os.environ.get(name)
        if value is None:
            raise WorkspaceError(
                _("The secret env:{name} is not set.").format(name=name),
                hint=_("Set the variable {name} where cm (and cron) runs, or use file:PATH.").format(name=name),
            )
        return value.strip()


class PrivateFile(Place):
    """`file:PATH`: a file that its owner alone may read."""

    def __init__(self, reference: str, path: Path, *, optional: bool = False) -> None:
        super().__init__(reference)
        self.path = path
        self._optional = optional

    def read(self) -> str:
        """The file's text."""
        text = read_private(self.path)
        if text is None and not self._optional:
            raise WorkspaceError(
                _("The secret file {path} is not there.").format(path=self.path),
                hint=_("Write the token into it, readable by you alone."),
            )
        return text or ""

    def prove(self, text: str) -> None:
        """See that the folder takes a file of that size."""
        prove_writable(self.path, text)

    def save(self, text: str) -> None:
        """Write it anew."""
        write_private(self.path, text)

    def forget(self) -> None:
        """Delete the file."""
        delete_private(self.path)

    @property
    def lock(self) -> Path:
        """Beside the file, so that whoever uses the file meets there."""
        path = self.path.resolve()
        return path.with_name(f".{path.name}.lock")


class Keyring(Place):
    """`keyring:SERVICE/NAME`: the desktop's or the system's own store of passwords."""

    def read(self) -> str:
        """The password."""
        value = self._call("get_password")
        if value is None:
            raise WorkspaceError(
                _("There is nothing under {reference}.").format(reference=self.reference),
                hint=_("Put it there by `cm channel login`, or: keyring set SERVICE NAME."),
            )
        return str(value).strip()

    def prove(self, text: str) -> None:
        """Only writing would tell."""

    def save(self, text: str) -> None:
        """Set the password."""
        self._call("set_password", text)

    def forget(self) -> None:
        """Delete the password."""
        if self._call("get_password") is not None:
            self._call("delete_password")

    def _call(self, name: str, *more: str) -> Any:
        service, _slash, user = self.reference.partition(":")[2].rpartition("/")
        try:
            import keyring  # asks for the machine's stores: only where one is named
            from keyring.errors import KeyringError, NoKeyringError
        except ImportError:
            raise self._absent() from None
        try:
            return getattr(keyring, name)(service, user, *more)
        except NoKeyringError:
            raise self._absent() from None
        except KeyringError as error:
            said = _("The keyring did not do it ({what}): {reference}")
            raise WorkspaceError(
                said.format(what=type(error).__name__, reference=self.reference),
                hint=_("Unlock it. Under cron it is mostly locked: use file:PATH there."),
            ) from None

    def _absent(self) -> WorkspaceError:
        return WorkspaceError(
            _("This machine has no keyring: {reference} cannot be used.").format(reference=self.reference),
            hint=_("Servers seldom have one: use file:PATH, or leave `token:` out (a file in .cm/tokens, 0600)."),
        )


class Command(Place):
    """`command:WORDS…`: what a program prints (`pass`, `op`, `vault`…), once a person has trusted the configuration."""

    def __init__(self, reference: str, root: Path) -> None:
        super().__init__(reference)
        self._root = root

    def read(self) -> str:
        """What the program prints. It runs in the workspace, without a shell, for at most `SECONDS`."""
        if not is_trusted(self._root, self.reference):
            raise WorkspaceError(
                _("config.yaml has changed since it was trusted, or never was: its command does not run."),
                hint=_("Look at what it would run, then: cm config trust"),
            )
        return self._printed(self._words()).strip()

    def _words(self) -> list[str]:
        try:
            words = shlex.split(self.reference.partition(":")[2])
        except ValueError:
            words = []
        if not words:
            raise self._failed(_("its quotes do not match"))
        return words

    def _printed(self, words: list[str]) -> str:
        """Nothing of what it says goes into an error: it may be the secret."""
        quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            process = subprocess.Popen(
                words, cwd=self._root, stdout=subprocess.PIPE, start_new_session=True, text=True, **quiet
            )
        except (OSError, ValueError) as error:
            raise self._failed(getattr(error, "strerror", None) or _("it cannot be started")) from None
        try:
            printed, _nothing = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise self._failed(_("no answer within {n} s").format(n=SECONDS)) from None
        except UnicodeDecodeError:
            raise self._failed(_("it is not UTF-8 text")) from None
        finally:
            _end(process)
        if process.returncode:
            raise self._failed(_("it ended with {code}").format(code=process.returncode))
        return str(printed)

    def _failed(self, why: str) -> WorkspaceError:
        return WorkspaceError(
            _("The command for a secret failed: {why}").format(why=why),
            hint=_("Run it yourself: {command}").format(command=self.reference.partition(":")[2]),
        )


def _end(process: "subprocess.Popen[str]") -> None:
    """With everything that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def place_of(reference: str, root: Path) -> Place:
    """Where the secret behind `reference` is kept."""
    kind, _colon, name = reference.partition(":")
    match kind:
        case "env":
            return Variable(reference)
        case "keyring":
            return Keyring(reference)
        case "command":
            return Command(reference, root)
    return PrivateFile(reference, root / Path(name).expanduser())


def reveal(reference: str, root: Path) -> str:
    """The secret behind `reference`. Raises WorkspaceError: not there, readable by others, not trusted, empty."""
    value = place_of(reference, root).read()
    if not value:
        raise WorkspaceError(
            _("The secret {reference} is empty.").format(reference=reference), hint=_("Put the token there.")
        )
    return value
