"""Calls of the Data API v3: questions and changes on one host, uploads on another.

An upload is a session (guide "Resumable uploads"): a POST that describes the thing answers with an address, pieces are
PUT there, 308 says how much has arrived, 404 or 410 that the session is over (after about a week). The address comes
from outside: the token goes along to Google's hosts only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cm.channels.http import Http, Mode, Reply
from cm.channels.port import Json, Retryable
from cm.channels.text import keyless
from cm.channels.youtube import errors
from cm.i18n import _

API, UPLOADS = "https://youtube.googleapis.com", "https://www.googleapis.com"
OVER = frozenset({404, 410})
"""How a session answers that takes nothing any more."""
GOING_ON = 308
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rest:
    """One login; the first host answers, the second takes files."""

    http: Http
    uploads: Http

    def call(
        self, method: str, what: str, *, mode: Mode = "reading", query: Query = (), json: Json | None = None
    ) -> Reply:
        """One request; `what`: `videos`, `comments`… Raises ChannelError."""
        path = f"/youtube/v3/{what}"
        reply = self.http.call(method, path, mode=mode, query=query, json=json, accept=errors.ANY_REFUSAL)
        return self._taken(reply, mode)

    def page(self, what: str, query: Query) -> tuple[list[Json], str, Reply]:
        """The objects of one page, the token of the next (empty at the end), and the answer. Raises ChannelError."""
        reply = self.call("GET", what, query=query)
        body = mapping(reply.json)
        found = body.get("items", [])
        if not isinstance(reply.json, dict) or not isinstance(found, list):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self.http.name))
        further = body.get("nextPageToken")
        return [mapping(each) for each in found], further if isinstance(further, str) else "", reply

    def one(self, what: str, query: Query) -> tuple[Json | None, Reply]:
        """The object asked for, None if there is none, and the answer. Raises ChannelError."""
        found, _further, reply = self.page(what, query)
        return (found[0] if found else None), reply

    # --- uploads ----------------------------------------------------------------------------------------------------

    def begin(self, what: str, query: Query, resource: Json, size: int, mime: str) -> tuple[str, Reply]:
        """The address of a new session for a file of `size` bytes, and the answer. Raises ChannelError."""
        told = {"X-Upload-Content-Length": str(size), "X-Upload-Content-Type": mime}
        reply = self._uploading(
            "POST", f"/upload/youtube/v3/{what}", told, query=[("uploadType", "resumable"), *query], json=resource
        )
        address = reply.headers.get("location", "")
        if not self._own(address):
            raise Retryable(_("{server} gave an address for uploads that is not its own").format(server=self.http.name))
        return address, reply

    def put(self, address: str, piece: bytes, first: int, size: int, mime: str) -> Reply:
        """Bytes from `first` on of a file of `size`; statuses 308, 404 and 410 are given back. Raises ChannelError."""
        told = {"Content-Type": mime, "Content-Range": f"bytes {first}-{first + len(piece) - 1}/{size}"}
        return self._uploading("PUT", address, told, content=piece)

    def arrived(self, address: str, size: int) -> Reply:
        """What the session says of what it has; as `put`. Raises ChannelError."""
        return self._uploading("PUT", address, {"Content-Range": f"bytes */{size}"}, content=b"")

    def _uploading(self, method: str, path: str, headers: Mapping[str, str], **parts: Any) -> Reply:
        if method == "PUT" and not self._own(path):
            raise Retryable(_("{server} gave an address for uploads that is not its own").format(server=self.http.name))
        accept = {*errors.ANY_REFUSAL, *([GOING_ON] if method == "PUT" else [])}
        reply = self.uploads.call(method, path, headers=headers, accept=accept, **parts)
        if method == "PUT":
            reply = replace(reply, message=keyless(reply.message, path))
        return reply if method == "PUT" and reply.status in OVER else self._taken(reply, "reading")

    def _own(self, address: str) -> bool:
        """True for an address to which the token may go."""
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
        except ValueError:
            return False
        ours = parts.scheme == "https" and host.endswith(".googleapis.com") and not parts.username
        return ours or address.startswith(f"{self.uploads.base_url}/")

    def _taken(self, reply: Reply, mode: Mode) -> Reply:
        if reply.status >= 400:
            raise errors.refusal(self.http, reply, mode)
        return reply

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        self.uploads.close()


def mapping(value: object) -> Json:
    """An object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def text(of: Json, name: str) -> str:
    """A text of an object; empty for anything else."""
    value = of.get(name)
    return value if isinstance(value, str) else ""


def count(of: Json, name: str) -> int | None:
    """A number, which YouTube writes as text; None for anything that is none."""
    value = of.get(name)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 else None
