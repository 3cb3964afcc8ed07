"""The platforms' official OpenAPI descriptions, and whether a request keeps to them.

The files are no part of the project: they lie in `../shared/specs` or `$CM_EVAL_DATA/specs`, and a test that
needs one skips without it. Stricter than the descriptions themselves: a property that is not described is
wrong even where the description does not forbid others, and looser in one thing: several fitting branches of
a `oneOf` are as good as one (Mastodon's status with a text and media fits two).
"""

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import jsonschema
import pytest
from jsonschema import Draft202012Validator, FormatChecker

FILES = {
    "x": "x-openapi-2.167.json",
    "x-2.166": "x-openapi-2.166.json",
    "mastodon": "mastodon-openapi-4.7.0.json",
    "discourse": "discourse-openapi.json",
}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_FORMATS = FormatChecker(formats=())
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
Schema = Any
Pairs = Iterable[tuple[str, str]]


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Spec:
    """One description; `check` raises AssertionError for what it does not know or does not allow."""

    def __init__(self, document: Mapping[str, Any], *, also: Collection[str] = ()) -> None:
        """`also`: query parameters that the platform takes though its description does not name them."""
        self._document = _modern(document)
        self._close(self._document)
        self._also = frozenset(also)
        self._paths = [(_pattern(template), template) for template in self._document["paths"]]

    @staticmethod
    def load(name: str, *, also: Collection[str] = ()) -> "Spec | None":
        """A description by its name in FILES; None where its file is not there."""
        document = _read(name)
        return None if document is None else Spec(document, also=also)

    @staticmethod
    def needed(name: str, *, also: Collection[str] = ()) -> "Spec":
        """As `load`; the test is skipped, with the reason, where the file is not there."""
        spec = Spec.load(name, also=also)
        return spec or pytest.skip(f"needs {FILES[name]} in ../shared/specs or $CM_EVAL_DATA/specs")

    def check(
        self,
        method: str,
        path: str,
        query: Pairs = (),
        body: Any = None,
        content_type: str | None = None,
    ) -> None:
        """One request: `path` without query, percent-encoded as it is sent; `query` as pairs; `body` as an object
        (what is sent as a form or in parts: a mapping of strings, files as any string). Raises AssertionError."""
        operation, named, values = self._operation(method, path)
        for parameter, value in ((parameter, values.get(name)) for name, parameter in named.items()):
            if parameter["in"] == "path":
                self._valid(parameter["schema"], _cast(self, parameter["schema"], value), parameter["name"])
        self._check_query(named, list(query))
        self._check_body(operation, body, content_type)

    def check_request(self, request: httpx.Request) -> None:
        """A request as it went out: JSON, form or parts are read from its body. Raises AssertionError."""
        parts = urlsplit(str(request.url))
        content_type, body = _sent(request)
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
        self.check(request.method, parts.path, pairs, body, content_type)

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        """An answer that a pretend server gives, as far as it is described: unknown properties are wrong, missing ones
        are not looked for where nothing demands them. Raises AssertionError."""
        operation = self._operation(method, path)[0]
        answer = self._found(operation["responses"].get(str(status)) or operation["responses"].get("default"))
        assert answer is not None, f"{method} {path} does not answer {status}"
        for described in answer.get("content", {}).values():
            self._valid(described["schema"], body, f"answer {status}")
            return
        assert body is None, f"{method} {path} answers {status} without a body"

    # --- the parts of a request -------------------------------------------------------------------------------------

    def _operation(self, method: str, path: str) -> tuple[Mapping[str, Any], dict[str, Any], dict[str, str]]:
        """The operation, its parameters by name, and the values in the path."""
        fitting = [(len(found.groupdict()), template, found) for found, template in self._matching(path)]
        assert fitting, f"{path} is no path of the description"
        _variables, template, found = min(fitting, key=lambda each: each[0])
        item = self._document["paths"][template]
        operation = item.get(method.lower())
        assert operation is not None, f"{template} knows no {method}"
        listed = [self._found(each) for each in [*item.get("parameters", []), *operation.get("parameters", [])]]
        names = re.findall(r"{(\w+)}", template)
        values = {name: unquote(found[f"v{n}"]) for n, name in enumerate(names)}
        return operation, {parameter["name"]: parameter for parameter in listed}, values

    def _matching(self, path: str) -> Iterator[tuple[re.Match[str], str]]:
        for pattern, template in self._paths:
            if found := pattern.fullmatch(path):
                yield found, template

    def _check_query(self, named: Mapping[str, Any], query: Sequence[tuple[str, str]]) -> None:
        known = {name: parameter for name, parameter in named.items() if parameter["in"] == "query"}
        given: dict[str, list[str]] = {}
        for name, value in query:
            plain = name if name in known else name.removesuffix("[]").partition("[")[0]
            assert plain in known or name in self._also, f"{name} is no parameter of the description"
            given.setdefault(plain, []).append(value)
        for name, parameter in known.items():
            assert name in given or not parameter.get("required"), f"the parameter {name} is missing"
            if name in given:
                schema = parameter["schema"]
                joined = parameter.get("explode", True) is False
                self._valid(schema, _values(self, schema, given[name], joined=joined), name)

    def _check_body(self, operation: Mapping[str, Any], body: Any, content_type: str | None) -> None:
        described = self._found(operation.get("requestBody"))
        if body is None:
            assert described is None or not described.get("required"), "a body is missing"
            return
        assert described is not None, "the description knows no body here"
        mime = (content_type or JSON).partition(";")[0].strip()
        assert mime in described["content"], f"a body of type {mime} is not described"
        schema = described["content"][mime]["schema"]
        if mime != JSON:
            body = {name: _cast(self, self._property(schema, name), value) for name, value in body.items()}
        self._valid(schema, body, "body")

    # --- schemas ----------------------------------------------------------------------------------------------------

    def _found(self, schema: Schema) -> Schema:
        """What a reference leads to."""
        while isinstance(schema, dict) and "$ref" in schema:
            target: Schema = self._document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[unquote(step).replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def _valid(self, schema: Schema, value: Any, where: str) -> None:
        self._only_known(schema, value, where)
        whole = {"components": self._document.get("components", {}), "allOf": [schema]}
        try:
            Draft202012Validator(whole, format_checker=_FORMATS).validate(value)
        except jsonschema.ValidationError as error:
            raise AssertionError(f"{where}{error.json_path[1:]}: {error.message[:300]}") from None

    def _only_known(self, schema: Schema, value: Any, where: str) -> None:
        branches = list(self._branches(schema))
        if isinstance(value, list):
            for item in value:
                self._only_known({"anyOf": [branch["items"] for branch in branches if "items" in branch]}, item, where)
        if not isinstance(value, dict):
            return
        for name, inner in value.items():
            fitting = [branch["properties"][name] for branch in branches if name in branch.get("properties", {})]
            fitting += [
                more for branch in branches if (more := branch.get("additionalProperties")) not in (None, False)
            ]
            assert fitting or not branches or any(map(_free, branches)), (
                f"{where}.{name} is no property of the description"
            )
            if fitting and True not in fitting:
                self._only_known({"anyOf": fitting}, inner, f"{where}.{name}")

    def _branches(self, schema: Schema) -> Iterator[Mapping[str, Any]]:
        """The schema and all that it is put together from, references followed; one that allows anything is none."""
        schema = self._found(schema)
        if not isinstance(schema, dict):
            return
        inner = [each for kind in ("allOf", "anyOf", "oneOf") for each in schema.get(kind, [])]
        for each in inner:
            yield from self._branches(each)
        if set(schema) - {"allOf", "anyOf", "oneOf", "description", "nullable"}:
            yield schema

    def _close(self, node: Any) -> None:
        """Let no branch of several take what it does not name: a wrong type of one would fit the other."""
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self._close(inner)
        several = node.get("anyOf") if isinstance(node, dict) and "properties" not in node else None
        for n, each in enumerate(several if isinstance(several, list) else ()):
            parts = list(self._branches(each))
            if any("properties" in part for part in parts) and not any(map(_free, parts)):
                several[n] = {"allOf": [each], "unevaluatedProperties": False}

    def _property(self, schema: Schema, name: str) -> Schema:
        found = (branch.get("properties", {}).get(name) for branch in self._branches(schema))
        return next((each for each in found if each is not None), {})


def _free(schema: Mapping[str, Any]) -> bool:
    """An object of which nothing is told may hold anything."""
    return schema.get("type") == "object" and not schema.get("properties")


@cache
def _read(name: str) -> Mapping[str, Any] | None:
    folders = [Path(__file__).parents[2] / "shared" / "specs"]
    if given := os.environ.get("CM_EVAL_DATA"):
        folders.insert(0, Path(given) / "specs")
    for folder in folders:
        if (folder / FILES[name]).is_file():
            document: Mapping[str, Any] = json.loads((folder / FILES[name]).read_text(encoding="utf-8"))
            return document
    return None


def _modern(node: Any, key: str = "") -> Any:
    """The document in the words of today's JSON Schema: `nullable` (OpenAPI 3.0) and `oneOf` are rewritten."""
    if isinstance(node, list):
        return [_modern(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {name: _modern(each, name) for name, each in node.items()}
    if key in ("properties", "paths", "examples", "example"):
        return changed
    if isinstance(changed.get("oneOf"), list):
        changed["anyOf"] = [*changed.get("anyOf", []), *changed.pop("oneOf")]
    if changed.get("nullable") is True:
        del changed["nullable"]
        return {"anyOf": [changed, {"type": "null"}]}
    return changed


def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"({\w+})", template)
    n = iter(range(len(pieces)))
    return re.compile("".join(f"(?P<v{next(n)}>[^/]+)" if each[:1] == "{" else re.escape(each) for each in pieces))


def _values(spec: Spec, schema: Schema, given: list[str], *, joined: bool) -> Any:
    """What the texts of a query mean: a list where one is described, else one value."""
    items = next((branch["items"] for branch in spec._branches(schema) if "items" in branch), None)
    if items is None:
        assert len(given) == 1, "one value is described"
        return _cast(spec, schema, given[0])
    several = [each for one in given for each in one.split(",")] if joined else given
    return [_cast(spec, items, each) for each in several]


def _cast(spec: Spec, schema: Schema, text: Any) -> Any:
    """A text as the type that is described for it, if it can be one."""
    named = [branch.get("type") for branch in spec._branches(schema)]
    types = {each for one in named for each in (one if isinstance(one, list) else [one])}
    if not isinstance(text, str) or "string" in types:
        return text
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"integer", "number"} and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _sent(request: httpx.Request) -> tuple[str | None, Any]:
    """Content type and body; None without a body."""
    content_type = request.headers.get("Content-Type")
    data = request.read()
    if not data:
        return content_type, None
    mime = (content_type or "").partition(";")[0]
    if mime == MULTIPART:
        return content_type, {name: part.decode("utf-8", "replace") for name, part in parts_of(request).items()}
    if mime == FORM:
        return content_type, dict(parse_qsl(data.decode(), keep_blank_values=True))
    return content_type, json.loads(data)


def parts_of(request: httpx.Request) -> dict[str, bytes]:
    """The parts of a `multipart/form-data` body by their names."""
    whole = b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n" + request.read()
    parts = BytesParser(policy=HTTP).parsebytes(whole).iter_parts()
    named = ((part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in parts)
    return {str(name): bytes(data) if isinstance(data, bytes) else b"" for name, data in named}
