"""The words that typer itself prints, in the spoken language: usage, headings, and what is wrong with a command line.

Typer brings them in English only; what is not known here stays as typer says it.
"""

import re
from typing import Any

from typer._click.formatting import HelpFormatter

from cm.i18n import N_, _

_HEADINGS = (N_("Arguments"), N_("Options"), N_("Commands"))
_HELP = N_("Show this message and exit.")
_REQUIRED = N_("required")
_PLACES = frozenset(
    {
        N_("COLUMN"), N_("DAY"), N_("DIR"), N_("FIGURE"), N_("FILE"), N_("FILTER"), N_("FORMAT"), N_("FROM"), N_("KEY"),
        N_("KIND"), N_("MINUTES"), N_("MONTH"), N_("NAME"), N_("NAMES"), N_("POST"), N_("REASON"), N_("REF"),
        N_("SECONDS"), N_("STATE"), N_("STORY"), N_("TAG"), N_("TEXT"), N_("TIME"), N_("TO"), N_("TOOL"), N_("VERB"),
        N_("WEEK"), N_("WORD"), N_("WORDS"),
    }
)  # fmt: skip
"""What a person puts in the place of: the words in capitals of `--at TIME`."""


class Formatter(HelpFormatter):
    """Lays help out as typer does, in the spoken language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """`Usage: cm post [OPTIONS] COMMAND [ARGS]...`"""
        said = args.replace("COMMAND [ARGS]...", _("COMMAND [ARGS]..."))
        super().write_usage(prog, _places(said), prefix if prefix is not None else _("Usage: "))

    def write_heading(self, heading: str) -> None:
        """`Options:`"""
        said = _("{heading}:").format(heading=_(heading) if heading in _HEADINGS else heading)
        self.write(f"{'':>{self.current_indent}}{said}\n")

    def write_dl(self, rows: Any, *args: Any, **options: Any) -> None:
        """Options with their meaning."""
        super().write_dl([(_places(name), _meaning(text)) for name, text in rows], *args, **options)


def _places(name: str) -> str:
    return re.sub(r"\b[A-Z]{2,}\b", lambda found: _(found[0]) if found[0] in _PLACES else found[0], name)


def _meaning(text: str) -> str:
    if text == _HELP:
        return _(text)
    said = text.replace("[default: ", _("[default: "))
    return said.replace(f"{_REQUIRED}]", _(_REQUIRED) + "]")


_SAID = (
    (r"No such option: (?P<a>.*)", N_("There is no option {a}")),
    (r"No such command '?(?P<a>.*?)'?\.?", N_("There is no command {a}.")),
    (r"Missing command\.?", N_("The command is missing.")),
    (r"Missing argument (?P<a>.*)\.", N_("The argument {a} is missing.")),
    (r"Missing option (?P<a>.*)\.", N_("The option {a} is missing.")),
    (r"Option (?P<a>.*) does not take a value\.", N_("The option {a} takes no value.")),
    (r"Option (?P<a>.*) requires an argument\.", N_("The option {a} needs a value.")),
    (r"Got unexpected extra arguments? \((?P<a>.*)\)", N_("Nothing can be done with: {a}")),
    (r"Got unexpected extra argument\(s\) \((?P<a>.*)\)", N_("Nothing can be done with: {a}")),
    (r"Invalid value for (?P<a>.*?): (?P<b>.*)", N_("{a}: {b}")),
    (r"(?:Value error, )?'(?P<a>.*)' is not one of (?P<b>.*?)\.?", N_("{a} is none of {b}.")),
    (r"Input should be a valid integer.*", N_("a whole number is asked for")),
    (r"Input should be greater than or equal to (?P<a>.*)", N_("{a} is the least")),
    (r"Input should be less than or equal to (?P<a>.*)", N_("{a} is the most")),
)


def said(message: str) -> str:
    """What typer says of a command line that it cannot read, in our words."""
    for pattern, ours in _SAID:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            parts = {name: said(part) for name, part in found.groupdict().items()}
            return _(ours).format(**parts)
    return message
