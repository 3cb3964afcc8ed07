"""The fields of the configuration as a flat list, for people; programs take the JSON Schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cm.config.loading import schema
from cm.i18n import N_, _

_SIMPLE = {
    "string": N_("text"),
    "integer": N_("number"),
    "number": N_("number"),
    "boolean": N_("on or off"),
    "object": N_("block"),
    "": N_("anything"),
}
_FORMATS = {"date": N_("day"), "time": N_("time")}


@dataclass(frozen=True)
class FieldFacts:
    """A field of a file. `path` is `channels.NAME.owner`; `default` None: it must be given; `example` as in YAML."""

    file: str
    path: str
    type: str
    default: str | None
    meaning: str


def fields() -> list[FieldFacts]:
    """Every field of config.yaml and schedules/<channel>.yaml, a block before what stands in it."""
    return [facts for file, shape in schema().items() for facts in _of_block(file, "", shape, shape["$defs"])]


def _of_block(file: str, prefix: str, shape: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[FieldFacts]:
    required = shape.get("required", ())
    for name, facts in shape["properties"].items():
        path = prefix + name
        default = None if name in required else _default(facts.get("default"))
        yield FieldFacts(file, path, _type(facts, known), default, _meaning(facts))
        inner, below = _inner(facts, known)
        if inner:
            yield from _of_block(file, f"{path}{below}.", inner, known)


def _meaning(facts: Mapping[str, Any]) -> str:
    meaning = " ".join(facts.get("description", "").split())
    return _(meaning)


def _default(value: object) -> str:
    if value is None or value in ({}, [], ()):
        return ""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_default(inner)}" for key, inner in value.items() if inner not in (None, {}))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _inner(facts: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The block that a field holds, and what stands between the field's name and the block's fields."""
    shape = _resolved(facts, known)
    if "properties" in shape:
        return shape, ""
    for held, mark in ((_values(shape), ".NAME"), (shape.get("items"), "[]")):
        found = _resolved(held, known) if held else {}
        if "properties" in found:
            return found, mark
    return None, ""


def _values(shape: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a block of freely named fields holds, None if it is none."""
    held = next(iter(shape.get("patternProperties", {}).values()), shape.get("additionalProperties"))
    return held if isinstance(held, dict) else None


def _resolved(facts: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without `anyOf [..., null]` and `$ref`."""
    for choice in facts.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolved(choice, known)
    reference = facts.get("$ref")
    return known[reference.rpartition("/")[2]] if reference else facts


def _type(facts: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    shape = _resolved(facts, known)
    if "enum" in shape:
        return " | ".join(map(str, shape["enum"]))
    if shape.get("format") in _FORMATS:
        name = _FORMATS[shape["format"]]
        return _(name)
    if shape.get("type") == "array":
        return _("list of {items}").format(items=_type(shape.get("items", {}), known))
    if held := _values(shape):
        return _("NAME: {value}").format(value=_type(held, known))
    return _(_SIMPLE[shape.get("type", "")])
