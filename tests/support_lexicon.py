"""The AT Protocol's own descriptions (lexicons), and whether a request keeps to them.

The files are no part of the project: they lie in `../shared/specs/atproto-lexicons` or `$CM_EVAL_DATA/specs/…`, and a
test that needs them skips without. Stricter than the lexicons: a property that is not described is wrong, and a
procedure takes no query. Formats are those of atproto.com/specs (2026-08-20).
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import regex

FOLDER = "atproto-lexicons"
HANDLE = r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
DID = r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]"
LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
NSID = rf"(?![0-9]){LABEL}(\.{LABEL})+\.[a-zA-Z][a-zA-Z0-9]{{0,62}}"
KEY = r"(?!\.\.?$)[A-Za-z0-9_~.:-]{1,512}"
TID = r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}"
FORMATS = {
    "at-identifier": f"{DID}|{HANDLE}",
    "at-uri": f"at://({DID}|{HANDLE})(/{NSID}(/{KEY})?)?",
    "cid": r"[a-zA-Z0-9+=]{8,256}",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)",
    "did": DID,
    "handle": HANDLE,
    "language": r"[a-z]{2,3}(-[a-zA-Z0-9]{1,8})*",
    "nsid": NSID,
    "record-key": KEY,
    "tid": TID,
    "uri": r"[a-z][a-z0-9.+-]*:[^\s]+",
}
UNDESCRIBED = {"app.bsky.video.uploadVideo": {"did", "name"}}
"""Query of a procedure that the lexicon lacks and the documentation names (docs.bsky.app, "Uploading Video")."""
ELSEWHERE = {
    "com.atproto.sync.getLatestCommit": {
        "type": "query",
        "parameters": {"required": ["did"], "properties": {"did": {"type": "string", "format": "did"}}},
    }
}
"""What the folder leaves out (all of `com.atproto.sync`), as the reference server takes it: `make live` shows that."""


class Lexicons:
    """All lexicons of a folder; `request` raises AssertionError for what they do not know or do not allow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def load() -> "Lexicons | None":
        """None where the files are not there."""
        folder = _folder()
        return Lexicons(folder) if folder else None

    @staticmethod
    def needed() -> "Lexicons":
        """As `load`; the test is skipped, with the reason, where they are not there."""
        return Lexicons.load() or pytest.skip(f"needs {FOLDER} in ../shared/specs or $CM_EVAL_DATA/specs")

    def request(self, request: httpx.Request) -> None:
        """One request as it went out: method, name, query, type and body. Raises AssertionError."""
        parts = urlsplit(str(request.url))
        assert parts.path.startswith("/xrpc/"), f"{parts.path} is no call"
        nsid, pairs = parts.path.removeprefix("/xrpc/"), parse_qsl(parts.query, keep_blank_values=True)
        main = self.definition(nsid)
        wanted = {"query": "GET", "procedure": "POST"}.get(main["type"])
        assert request.method == wanted, f"{nsid} is a {main['type']}"
        if main["type"] == "query":
            assert not request.content, f"{nsid} takes no body"
            self._parameters(main.get("parameters", {}), pairs)
            return
        assert {name for name, _value in pairs} <= UNDESCRIBED.get(nsid, set()), f"{nsid} takes no query"
        self._input(nsid, main.get("input"), request)

    def record(self, record: Mapping[str, Any], key: str) -> None:
        """A record and its key. Raises AssertionError."""
        main = self.definition(record["$type"])
        assert main["type"] == "record"
        assert main["key"] != "tid" or re.fullmatch(TID, key), f"{key} is no TID"
        self._value(main["record"], {k: v for k, v in record.items() if k != "$type"}, record["$type"], record["$type"])

    def definition(self, reference: str) -> dict[str, Any]:
        """`app.bsky.feed.post` or `app.bsky.feed.post#replyRef`. Raises AssertionError for an unknown one."""
        if reference in ELSEWHERE:
            return ELSEWHERE[reference]
        nsid, _sep, name = reference.partition("#")
        file = self._folder / (nsid.replace(".", "/") + ".json")
        assert re.fullmatch(NSID, nsid), f"{nsid} is no name"
        assert file.is_file(), f"{nsid} is not described"
        found: dict[str, Any] = _read(file)["defs"][name or "main"]
        return found

    def _parameters(self, schema: Mapping[str, Any], pairs: Iterable[tuple[str, str]]) -> None:
        known, given = schema.get("properties", {}), dict[str, Any]()
        for name, value in pairs:
            assert name in known, f"the parameter {name} is not described"
            cast: Callable[[str], Any] = int if known[name].get("items", known[name])["type"] == "integer" else str
            if known[name]["type"] == "array":
                given.setdefault(name, []).append(cast(value))
            else:
                assert name not in given, f"the parameter {name} is given twice"
                given[name] = cast(value)
        self._value({"type": "object", **schema, "properties": known}, given, "", "parameters", kind="object")

    def _input(self, nsid: str, described: Mapping[str, Any] | None, request: httpx.Request) -> None:
        mime = request.headers.get("content-type", "")
        if described is None:
            assert (request.content, mime) == (b"", ""), f"{nsid} takes no body"
        elif "schema" in described:
            assert mime == described["encoding"], f"{nsid} takes {described['encoding']}"
            self._value(described["schema"], json.loads(request.content), nsid, "body")
        else:
            assert described["encoding"] in ("*/*", mime), f"{nsid} takes {described['encoding']}"
            assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", mime), f"{mime!r} is no type"
            assert request.content, f"{nsid} takes a file"

    def _value(self, schema: Mapping[str, Any], value: Any, home: str, at: str, kind: str = "") -> None:
        kind = kind or schema["type"]
        check = getattr(self, f"_{kind}", None)
        assert check, f"{at}: a {kind} cannot be checked"
        check(schema, value, home, at)

    def _object(self, schema: Mapping[str, Any], value: Any, home: str, at: str) -> None:
        assert isinstance(value, dict), f"{at} is no object"
        known, nullable = schema.get("properties", {}), schema.get("nullable", [])
        assert set(schema.get("required", [])) <= value.keys(), f"{at} lacks one of {schema['required']}"
        for name, inner in value.items():
            if name == "$type":
                continue
            assert name in known, f"{at}/{name} is not described"
            if inner is not None or name not in nullable:
                self._value(known[name], inner, home, f"{at}/{name}")

    def _array(self, schema: Mapping[str, Any], value: Any, home: str, at: str) -> None:
        assert isinstance(value, list), f"{at} is no list"
        assert len(value) <= schema.get("maxLength", len(value)), f"{at} is too long"
        for n, item in enumerate(value):
            self._value(schema["items"], item, home, f"{at}/{n}")

    def _string(self, schema: Mapping[str, Any], value: Any, _home: str, at: str) -> None:
        assert isinstance(value, str), f"{at} is no text"
        assert len(value.encode()) <= schema.get("maxLength", 1_000_000), f"{at} has too many bytes"
        most = schema.get("maxGraphemes")
        assert not most or len(regex.findall(r"\X", value)) <= most, f"{at} has too many graphemes"
        if form := schema.get("format"):
            assert re.fullmatch(FORMATS[form], value), f"{at}: {value!r} is no {form}"
            assert form != "datetime" or datetime.fromisoformat(value).tzinfo

    def _integer(self, schema: Mapping[str, Any], value: Any, _home: str, at: str) -> None:
        assert type(value) is int, f"{at} is no whole number"
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), f"{at} is out of bounds"

    def _boolean(self, _schema: Mapping[str, Any], value: Any, _home: str, at: str) -> None:
        assert isinstance(value, bool), f"{at} is neither true nor false"

    def _blob(self, schema: Mapping[str, Any], value: Any, _home: str, at: str) -> None:
        assert value.keys() == {"$type", "ref", "mimeType", "size"}, f"{at} is no blob"
        assert value["$type"] == "blob"
        assert re.fullmatch(FORMATS["cid"], value["ref"]["$link"])
        assert value["size"] <= schema.get("maxSize", value["size"]), f"{at} is too large"
        taken = schema.get("accept", ["*/*"])
        assert any(re.fullmatch(mime.replace("*", ".+"), value["mimeType"]) for mime in taken), f"{at}: another type"

    def _ref(self, schema: Mapping[str, Any], value: Any, home: str, at: str) -> None:
        target = _absolute(schema["ref"], home)
        self._value(self.definition(target), value, target.partition("#")[0], at)

    def _union(self, schema: Mapping[str, Any], value: Any, home: str, at: str) -> None:
        known = {_absolute(reference, home) for reference in schema["refs"]}
        kind = value.get("$type") if isinstance(value, dict) else None
        assert kind in known, f"{at}: {kind} is none of {sorted(known)}"
        self._value(self.definition(kind), value, kind.partition("#")[0], at)

    def _unknown(self, _schema: Mapping[str, Any], value: Any, _home: str, at: str) -> None:
        assert isinstance(value, dict), f"{at} is no object"


def _absolute(reference: str, home: str) -> str:
    return f"{home.partition('#')[0]}{reference}" if reference.startswith("#") else reference


@cache
def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _folder() -> Path | None:
    places = [Path(__file__).resolve().parents[2] / "shared" / "specs" / FOLDER]
    if given := os.environ.get("CM_EVAL_DATA"):
        places.insert(0, Path(given) / "specs" / FOLDER)
    return next((place for place in places if place.is_dir()), None)
