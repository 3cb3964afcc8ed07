"""Reading YAML that people write: safe, with the line of every field, doubled keys refused."""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cm.errors import ConfigError, Problem
from cm.formats import trouble
from cm.i18n import _

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """A parsed file: its `data` and the line (from 1) at which each field stands."""

    name: str
    data: Any
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int | None:
        """The line of a field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def problem(self, path: Path_, message: str, hint: str = "") -> Problem:
        """A fault at `path` in this file."""
        return Problem(self.name, self.line(path), ".".join(str(part) for part in path), message, hint)


def read_yaml(path: Path, name: str) -> YamlFile:
    """Read `path`; `name` is how messages call it. Raises ConfigError: absent, not UTF-8, not YAML, a key twice."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            [Problem(name, None, "", _("there is no such file"), _("run `cm init` or write it"))]
        ) from None
    except (UnicodeDecodeError, OSError) as error:
        said = _("is not UTF-8 text") if isinstance(error, UnicodeDecodeError) else trouble(error)
        raise ConfigError([Problem(name, None, "", said, _("save it as UTF-8 text that you may read"))]) from None
    return parse_yaml(text, name)


class _Loader(yaml.SafeLoader):
    """The safe loader for settings: only what looks like a number is one.

    YAML 1.1 would read 12:30 as 750 and an impossible date as an error without a field; both stay text here.
    """


_LEFT_OUT = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_OUT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789"))


def parse_yaml(text: str, name: str) -> YamlFile:
    """Parse `text` as the file called `name`. Raises ConfigError."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        data = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ConfigError([Problem(name, line, "", _("not valid YAML: {said}").format(said=_said(error)))]) from None
    lines: dict[Path_, int] = {}
    problems: list[Problem] = []
    if root is not None:
        _walk(root, (), name, lines, problems, set())
    if problems:
        raise ConfigError(problems)
    return YamlFile(name, data, lines)


def _walk(
    node: yaml.Node, path: Path_, name: str, lines: dict[Path_, int], problems: list[Problem], seen: set[int]
) -> None:
    """Note the line of every field; what an alias repeats is walked once."""
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _walk(child, (*path, index), name, lines, problems, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[Hashable] = set()
        for key, child in node.value:
            line = key.start_mark.line + 1
            if key.value in keys:
                message = _("stands twice; the first would be lost")
                problems.append(Problem(name, line, str(key.value), message, _("rename or remove one")))
            keys.add(key.value)
            lines[(*path, str(key.value))] = line
            _walk(child, (*path, str(key.value)), name, lines, problems, seen)


def _said(error: yaml.YAMLError) -> str:
    """What is wrong with the file, without repeating what stands in it (a token may)."""
    if isinstance(error, yaml.constructor.ConstructorError | yaml.composer.ComposerError):
        return _("a tag (!name), an alias (*name) to nothing, or a key that is a list")
    return str(getattr(error, "problem", None) or _("characters that YAML does not allow"))
