"""Did you mean …? For commands, verbs and options that do not exist."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from cm.i18n import _

BEFORE_THE_NOUN = {"-C": True, "--as": True, "--now": True}
"""Options that stand before the noun, and whether a value follows them."""

EVERYDAY = {
    "export": "calendar export",
    "gaps": "calendar gaps",
    "help": "--help",
    "import": "calendar import FILE",
    "list": "post list",
    "ls": "post list",
    "plan": "calendar show",
    "schedule": "calendar show",
    "send": "publish",
    "show": "post show ID",
    "stats": "report week",
    "upgrade": "db upgrade",
    "version": "--version",
}
"""What people type first → what they mean."""


def of_command(word: str, path: str, commands: Sequence[str]) -> str | None:
    """`Did you mean `cm post`?` for a word that stands after `path` and is no command there; None if nobody knows."""
    if path == "cm" and word.lower() in EVERYDAY and word.lower() not in commands:
        return _did_you_mean([f"cm {EVERYDAY[word.lower()]}"])
    return _did_you_mean(f"{path} {name}" for name in close(word, commands))


def of_option(name: str, possible: Iterable[str], args: Sequence[str]) -> str | None:
    """The hint for an option that does not exist where it stands in the command line `args`."""
    if name in BEFORE_THE_NOUN:
        value = next((after for before, after in pairwise(args) if before == name), "…")
        return _("{option} stands before the command: cm {option} {value} …").format(option=name, value=value)
    return _did_you_mean(sorted(set(possible) - {"--help"}))


def close(word: str, names: Iterable[str]) -> list[str]:
    """The names that `word` is probably meant to be, the likeliest first."""
    from difflib import get_close_matches  # loads slowly, and most command lines are right

    return get_close_matches(word.lower(), list(names), n=3, cutoff=0.6)


def _did_you_mean(names: Iterable[str]) -> str | None:
    quoted = [f"`{name}`" for name in names]
    return _("Did you mean {names}?").format(names=_(" or ").join(quoted)) if quoted else None
