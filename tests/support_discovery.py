"""Google's own description of the YouTube Data API, and whether a request keeps to it.

The document lies in the package google-api-python-client, which the project does not need: only its file is read, and
a test that needs it skips where the package is not installed.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

DOCUMENT = "discovery_cache/documents/youtube.v3.json"
_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}


class Discovery:
    """The description; `check_request` raises AssertionError for what it does not know or does not allow."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._methods = list(_methods(document))

    @staticmethod
    @cache
    def load() -> "Discovery | None":
        """None where the package is not installed."""
        spec = find_spec("googleapiclient")
        folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
        found = next((folder / DOCUMENT for folder in folders if (folder / DOCUMENT).is_file()), None)
        return Discovery(json.loads(found.read_text(encoding="utf-8"))) if found else None

    @staticmethod
    def needed() -> "Discovery":
        """As `load`; the test is skipped where the package is not installed."""
        return Discovery.load() or pytest.skip("needs the package google-api-python-client: pip install it to run this")

    def check_request(self, request: httpx.Request, scopes: tuple[str, ...]) -> str:
        """One request, sent with a login of these scopes; the method's id. A piece of an upload is none of its own."""
        parts = urlsplit(str(request.url))
        query = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
        uploading = parts.path.startswith("/upload/")
        path = parts.path.removeprefix("/upload")
        fitting = [each for each in self._methods if (each["httpMethod"], f"/{each['path']}") == (request.method, path)]
        assert len(fitting) == 1, f"{request.method} {path} is not described"
        (method,) = fitting
        assert set(scopes) & set(method["scopes"]), f"{method['id']} is not allowed by {scopes}"
        self._check_query(method, query, uploading=uploading)
        self._check_upload(method, request, parts.path) if uploading else None
        self._check_body(method, request.read())
        return str(method["id"])

    def _check_query(self, method: Mapping[str, Any], query: list[tuple[str, str]], *, uploading: bool) -> None:
        known = method.get("parameters", {})
        for name, value in query:
            if name in self._document["parameters"]:
                assert uploading or name != "uploadType", "only an upload has a type"
                continue
            assert name in known, f"{name} is no parameter of {method['id']}"
            for each in value.split(",") if known[name].get("repeated") else [value]:
                _check_value(name, known[name], each)
        given = {name for name, _value in query}
        lacking = [name for name, told in known.items() if told.get("required") and name not in given]
        assert not lacking, f"{method['id']} needs {lacking}"

    def _check_upload(self, method: Mapping[str, Any], request: httpx.Request, path: str) -> None:
        told = method["mediaUpload"]
        assert path == told["protocols"]["simple"]["path"]
        mime, size = request.headers["X-Upload-Content-Type"], int(request.headers["X-Upload-Content-Length"])
        patterns = [re.escape(each).replace(r"\*", ".*") for each in told["accept"]]
        assert any(re.fullmatch(pattern, mime) for pattern in patterns), f"{mime} is not taken"
        assert size <= int(told["maxSize"])

    def _check_body(self, method: Mapping[str, Any], data: bytes) -> None:
        if "request" not in method:
            assert not data, f"{method['id']} has no body"
            return
        self._check_object(self._document["schemas"][method["request"]["$ref"]], json.loads(data), "body", method["id"])

    def _check_object(self, schema: Mapping[str, Any], value: Any, where: str, method: str) -> None:
        if "$ref" in schema:
            schema = self._document["schemas"][schema["$ref"]]
        kind = schema["type"]
        fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        assert fits, f"{where} is no {kind}"
        if kind == "array":
            for each in value:
                self._check_object(schema["items"], each, f"{where}[]", method)
        elif kind == "object":
            self._check_properties(schema.get("properties", {}), value, where, method)
        else:
            _check_value(where, schema, value)

    def _check_properties(self, known: Mapping[str, Any], value: Mapping[str, Any], where: str, method: str) -> None:
        for name, inner in value.items():
            assert name in known, f"{where}.{name} is not described"
            assert not known[name].get("readOnly"), f"{where}.{name} cannot be written"
            self._check_object(known[name], inner, f"{where}.{name}", method)
        for name, told in known.items():
            required = method in told.get("annotations", {}).get("required", [])
            assert name in value or not required, f"{where}.{name} is missing"


def _methods(node: Mapping[str, Any]) -> Any:
    for resource in node.get("resources", {}).values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource)


def _check_value(name: str, told: Mapping[str, Any], value: Any) -> None:
    """A value of a query (always text) or of a body."""
    if "enum" in told:
        assert value in told["enum"], f"{name}: {value} is none of {told['enum']}"
    if told.get("type") == "integer":
        number = int(value)
        assert int(told.get("minimum", number)) <= number <= int(told.get("maximum", number)), f"{name}: {number}"
    if told.get("type") == "boolean":
        assert value in (True, False, "true", "false"), f"{name}: {value}"
    if told.get("format") == "date-time":
        assert datetime.fromisoformat(value).tzinfo
