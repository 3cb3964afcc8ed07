"""A canary in every secret of the tests: it must turn up in no output, log, traceback or database of a workspace.

Secrets of tests hold one of `MARKS`; a new one takes `secret("name")`. `conftest` looks for them in what each test
printed and logged, in what each command printed, and at the end in every database and log below the tests' folders.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

CANARY = "c4na"
MARKS = (
    CANARY,
    "canary-",
    "token-of-the-hospital",
    "t0ken-of-the-hospital",
    "token-of-tilleuls",
    "token-of-autre",
    "key-of-the-hospital",
    "hush-0123456789",
    "mt_9f8e7d6c5b4a",
    "abcd-efgh-ijkl-mnop",
)
"""What the secrets of the tests have in common."""
KEPT_BY_CM = ("cm.db", "cm.jsonl")
"""How the names of a workspace's databases, their logs and copies, and of its log files begin."""
_OVERLAP = max(map(len, MARKS)) - 1
_BLOCK = 1 << 20


def secret(name: str) -> str:
    """A secret with a canary in it."""
    return f"{name}-{CANARY}-0123456789"


def found_in(text: str) -> list[str]:
    """The marks that stand in a text."""
    return [mark for mark in MARKS if mark in text]


def traces(folder: Path) -> Iterator[str]:
    """Every database and log below the folder that holds one: the file and the mark."""
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(KEPT_BY_CM) and path.is_file() and not path.is_symlink():
            yield from (f"{path}: {mark}" for mark in _marks_in(path))


def _marks_in(path: Path) -> list[str]:
    found: dict[str, None] = {}
    before = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = before + block
            found |= dict.fromkeys(mark for mark in MARKS if mark.encode() in text)
            before = text[-_OVERLAP:]
    return list(found)


def refuse(texts: Iterable[str], where: str) -> None:
    """Fail if a mark stands in one of the texts; they are not quoted."""
    for text in texts:
        if marks := found_in(text):
            raise AssertionError(f"a secret of the tests ({', '.join(marks)}) stands in {where}")
