"""The errors a person may meet, each with its exit code (design: command line, exit codes).

An error says what is wrong (`message`) and what to do (`hint`). `details` is for `--json` and holds
only JSON values. Nothing here may carry a token or the text of a person's message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class CmError(Exception):
    """Something a person can understand and mend; `exit_code` is the process's answer."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class UsageError(CmError):
    """The command line is off: a value that cannot be read, options that exclude each other.

    `of_workspace`: it was found in one workspace, so that others may take the same command line.
    """

    exit_code = 2
    kind = "usage"
    of_workspace = False


class WorkspaceError(CmError):
    """Configuration or workspace trouble: nothing was done."""

    exit_code = 3
    kind = "workspace"


@dataclass(frozen=True)
class Problem:
    """One fault of a file that people write: where it is, what is wrong, what to do."""

    file: str
    line: int | None
    field: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        hint = f" — {self.hint}" if self.hint else ""
        return f"{where}:{field} {self.message}{hint}"


class ConfigError(WorkspaceError):
    """The configuration cannot be used; `problems` names every fault found."""

    kind = "configuration"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            "\n".join(str(problem) for problem in problems),
            details={"problems": [vars(problem) for problem in problems]},
        )
        self.problems = tuple(problems)


class Refused(CmError):
    """A rule says no; nothing was written."""

    exit_code = 4
    kind = "refused"


class NotFound(CmError):
    """No such post, story, channel or account."""

    exit_code = 5
    kind = "not_found"


class NetworkTrouble(CmError):
    """The network or a platform failed; it will be tried again."""

    exit_code = 6
    kind = "network"


class Busy(CmError):
    """Another program holds the database; the next run will find it free."""

    exit_code = 6
    kind = "busy"


class PersonNeeded(CmError):
    """Trying again does not help: a platform wants to see another token, or another account answered."""

    exit_code = 7
    kind = "person_needed"
