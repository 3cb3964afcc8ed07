"""Reading the configuration: all of it, or every fault found, each with file, line, field and the mend.

Settings of an adapter are checked by the adapter's own model, in `cm.workspace`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cm.config.cadence import Schedule
from cm.config.models import Config
from cm.errors import ConfigError, Problem
from cm.formats import plural
from cm.i18n import _
from cm.yamlfile import YamlFile, read_yaml

M = TypeVar("M", bound=BaseModel)

HOLIDAYS = ".cm/holidays.json"
"""Where a workspace keeps the public holidays that the library has told."""


def load(root: Path) -> Config:
    """Read the configuration of the workspace at `root`. Raises ConfigError with every fault found."""
    file = read_yaml(root / "config.yaml", "config.yaml")
    data = file.data if file.data is not None else {}
    if not isinstance(data, dict):
        raise ConfigError([file.problem((), _("must be a block of fields"), _("begin with `establishment:`"))])
    if "schedules" in data:
        hint = _("write slots into schedules/<channel>.yaml")
        raise ConfigError([file.problem(("schedules",), _("unknown field"), hint)])
    problems: list[Problem] = []
    config = _validated(Config, data, file, problems)
    if config is None:
        raise ConfigError(problems)
    problems.extend(_inconsistencies(config, file))
    schedules = _schedules(root, config, problems)
    if problems:
        raise ConfigError(problems)
    return config.model_copy(update={"schedules": schedules}).remembering(root / HOLIDAYS)


def _validated(model: type[M], data: object, file: YamlFile, problems: list[Problem]) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(problems_of(error, file))
        return None


def problems_of(error: ValidationError, file: YamlFile, prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    """pydantic's faults in our words, with the file's lines."""
    found = []
    faults = error.errors(include_input=False, include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and any(_below(fault["loc"], other["loc"]) for other in faults):
            continue  # the items that are wrong are told themselves
        path = (*prefix, *(part for part in fault["loc"] if part != "[key]"))
        message, hint = _said(fault)
        found.append(file.problem(path, message, hint))
    return found


def _below(path: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(other) > len(path) and other[: len(path)] == path


def _said(fault: Any) -> tuple[str, str]:
    kind, message = str(fault["type"]), str(fault["msg"])
    if kind == "extra_forbidden":
        return _("unknown field"), _("remove it or correct its spelling (`cm config schema` lists the fields)")
    if kind == "missing":
        return _("is missing"), _("add it (`cm config schema` describes it)")
    if kind in ("tuple_type", "list_type"):
        return _("must be a list"), _("write it as [one, two]")
    if kind in ("dict_type", "model_type"):
        return _("must be a block of fields"), _("write `field: value` lines below it, indented")
    if kind.startswith("date"):
        return _("is not a day"), _("write it as 2026-01-31")
    if kind.startswith(("int_", "float_")):
        return _("must be a number"), _("write it in figures, without a unit")
    if kind == "string_pattern_mismatch":
        return _("is not a short name"), _("use small letters, figures, - and _ only")
    return _of_value(kind, fault.get("ctx") or {}) or message.removeprefix("Value error, "), ""


def _of_value(kind: str, facts: Mapping[str, Any]) -> str:
    """What is wrong with a value that has the right shape; nothing where pydantic says it, or we do."""
    said = {
        "literal_error": _("must be one of: {expected}"),
        "bool_parsing": _("must be on or off"),
        "bool_type": _("must be on or off"),
        "string_type": _("must be a text"),
        "string_too_short": plural(
            "must have at least {n} character", "must have at least {n} characters", facts.get("min_length", 1)
        ),
        "too_short": _("must not be empty"),
        "string_too_long": _("is longer than {max_length} characters"),
        "greater_than": _("must be above {gt}"),
        "greater_than_equal": _("must be {ge} or more"),
        "less_than_equal": _("must be {le} or less"),
    }
    listed = ", ".join(re.findall(r"'([^']*)'", str(facts.get("expected", ""))))
    return said.get(kind, "").format(**{**facts, "expected": listed})


def _inconsistencies(config: Config, file: YamlFile) -> Iterator[Problem]:
    """What no single field can see: owners, audiences, successors, accounts that stand twice."""
    accounts: dict[tuple[str, str, str], str] = {}
    for name, channel in config.channels.items():
        at = ("channels", name)
        if channel.owner not in config.people:
            message = _("{owner!r} is nobody of `people:`").format(owner=channel.owner)
            yield file.problem((*at, "owner"), message, _("name the one person who answers for this channel"))
        if channel.deputy and channel.deputy not in config.people:
            message = _("{owner!r} is nobody of `people:`").format(owner=channel.deputy)
            yield file.problem((*at, "deputy"), message, _("name people of this file"))
        for audience in channel.audiences:
            if audience not in config.all_audiences:
                message = _("unknown audience {key!r}").format(key=audience)
                known = ", ".join(config.all_audiences)
                yield file.problem((*at, "audiences"), message, _("use one of: {known}").format(known=known))
        if channel.successor and channel.successor not in config.channels:
            message = _("there is no channel {key!r}").format(key=channel.successor)
            yield file.problem((*at, "successor"), message, _("name a channel of this file"))
        where = json.dumps(channel.settings, sort_keys=True, default=str)
        identity = (channel.platform, channel.account.casefold().lstrip("@"), where)
        if identity in accounts:
            message = _("the same {platform} account as channel {other!r}").format(
                platform=channel.platform, other=accounts[identity]
            )
            yield file.problem((*at, "account"), message, _("an account is listed once; remove one of the two"))
        accounts.setdefault(identity, name)
    yield from _unknown_names(config, file)
    logins: dict[str, str] = {}
    for key, person in config.people.items():
        for login in person.logins:
            if login in logins:
                message = _("login {login!r} is also {other!r}'s").format(login=login, other=logins[login])
                yield file.problem(("people", key, "logins"), message, _("a login belongs to one person"))
            logins.setdefault(login, key)


def _unknown_names(config: Config, file: YamlFile) -> Iterator[Problem]:
    """Audiences and people that other parts of the configuration name, and that are not there."""
    known = ", ".join(config.all_audiences)
    for index, audience in enumerate(config.internal_audiences):
        if audience not in config.all_audiences:
            message = _("unknown audience {key!r}").format(key=audience)
            at = ("internal_audiences", index)
            yield file.problem(at, message, _("use one of: {known}").format(known=known))
    for index, key in enumerate(config.crisis.cell):
        if key not in config.people:
            message = _("{owner!r} is nobody of `people:`").format(owner=key)
            yield file.problem(("crisis", "cell", index), message, _("name people of this file"))


def _schedules(root: Path, config: Config, problems: list[Problem]) -> dict[str, Schedule]:
    schedules = {}
    for path in sorted((root / "schedules").glob("*.yaml")):
        name = f"schedules/{path.name}"
        try:
            file = read_yaml(path, name)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        if path.stem not in config.channels:
            hint = _("rename the file to one of: {names}").format(names=", ".join(config.channels) or "–")
            problems.append(file.problem((), _("there is no channel {key!r}").format(key=path.stem), hint))
            continue
        schedule = _validated(Schedule, file.data or {}, file, problems)
        if schedule:
            schedules[path.stem] = schedule
    return schedules


def schema() -> dict[str, Any]:
    """JSON Schema of config.yaml and of schedules/<channel>.yaml, for editors."""
    config = Config.model_json_schema()
    config["properties"].pop("schedules", None)
    return {"config.yaml": config, "schedules/<channel>.yaml": Schedule.model_json_schema()}
