"""Media on their way to a post: LinkedIn names a place, the bytes go there, LinkedIn works on them.

`saved["media"]` holds one entry for each medium, in order: `{"sha256", "urn", "parts": [{"url", "first", "last",
"tag"}], "token", "sent", "ready"}`; bytes `first` to `last` of the file go to `url` and are acknowledged by `tag`.
Addresses and token are kept no longer than they are needed. An
entry is used again for the same bytes only. Places expire: what is refused there begins anew with the next try.
"""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from cm.channels.http import Http, Reply
from cm.channels.linkedin.limits import VIDEO, refuse_size
from cm.channels.linkedin.rest import Rest, encoded
from cm.channels.media import opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.channels.text import keyless
from cm.i18n import _

POLL = timedelta(seconds=10)
"""Rest between two questions about what LinkedIn is working on."""
BYTES = {"Content-Type": "application/octet-stream"}
EXPIRED = frozenset({400, 403, 404, 410})
"""How a place answers that takes nothing any more."""


class Uploads:
    """One message's media, owned by `author`."""

    def __init__(self, rest: Rest, message: Outgoing, saved: Json, author: str) -> None:
        self._rest = rest
        self._message = message
        self._author = author
        self._entries = _usable(message, saved)
        self._heard: datetime | None = None

    def run(self) -> tuple[str, ...] | Pending:
        """Upload what is missing, ask after what is being worked on; the media's names once all are ready.

        Raises ChannelError with `saved`.
        """
        try:
            for n, media in enumerate(self._message.media):
                self._advance(n, media)
        except ChannelError as error:
            error.saved = {"media": self._entries}
            if isinstance(error, Rejected):
                error.field = error.field or "media"
            raise
        if not all(entry["ready"] for entry in self._entries):
            return Pending({"media": self._entries}, (self._heard or self._message.created_at) + POLL)
        return tuple(entry["urn"] for entry in self._entries)

    def _advance(self, n: int, media: Media) -> None:
        if not self._entries[n]:
            self._entries[n] = self._begun(media)
        entry = self._entries[n]
        try:
            if not entry["sent"]:
                self._transfer(entry, media)
            if not entry["ready"]:
                self._ask(entry, _kind(media))
        except _Anew as error:
            self._entries[n] = {}
            raise Retryable(error.reason) from None

    def _begun(self, media: Media) -> Json:
        """A place for the file. Raises Rejected before anything is asked if the file is not what it should be."""
        kind = _kind(media)
        with opened(media) as file:
            size = os.fstat(file.fileno()).st_size
        refuse_size(media.mime, size)
        wanted: Json = {"owner": self._author}
        if kind == "videos":
            wanted |= {"fileSizeBytes": size, "uploadCaptions": False, "uploadThumbnail": False}
        reply = self._action(kind, "initializeUpload", {"initializeUploadRequest": wanted})
        value = self._rest.object(reply).get("value")
        value = value if isinstance(value, dict) else {}
        parts = _video_parts(value) if kind == "videos" else _whole(value, size)
        urn = value.get(kind.removesuffix("s"))
        if not isinstance(urn, str) or not parts:
            raise Retryable(_("{server} named no place for a file").format(server=self._rest.http.name))
        token = value.get("uploadToken")
        return {
            "sha256": media.sha256,
            "urn": urn,
            "parts": parts,
            "token": token if isinstance(token, str) else "",
            "sent": False,
            "ready": False,
        }

    def _transfer(self, entry: Json, media: Media) -> None:
        """Put what has not been acknowledged where it belongs; a film is then declared whole."""
        with opened(media) as file:
            for part in entry["parts"]:
                if part["tag"] is None:
                    part["tag"] = self._put(part, file, with_login=media.mime != VIDEO)
                    part["url"] = ""
        if media.mime == VIDEO:
            tags = [part["tag"] for part in entry["parts"]]
            told = {"video": entry["urn"], "uploadToken": entry["token"], "uploadedPartIds": tags}
            self._action("videos", "finalizeUpload", {"finalizeUploadRequest": told})
        entry["sent"], entry["parts"], entry["token"] = True, [], ""

    def _put(self, part: Json, file: BinaryIO, *, with_login: bool) -> str:
        """One part; the token goes along for pictures, and to LinkedIn only. Gives the part's ETag."""
        http, url = self._rest.http, part["url"]
        if not _reachable(url, http, with_login=with_login):
            raise _Anew(_("{server} named a place for a file that is not its own").format(server=http.name))
        file.seek(part["first"])
        data = file.read(part["last"] - part["first"] + 1)
        reply = http.call("PUT", url, content=data, headers=BYTES, accept=range(400, 600), anonymous=not with_login)
        self._heard = reply.date or self._heard
        if reply.status >= 400 and reply.status not in EXPIRED:
            raise http.refusal(replace(reply, message=keyless(reply.message, url)))
        if reply.status >= 400:
            reason = _("{server}: the place for a file takes nothing any more ({status}); it will be uploaded anew.")
            raise _Anew(reason.format(server=http.name, status=reply.status))
        tag = reply.headers.get("etag", "").strip('"')
        if not tag and not with_login:
            raise Retryable(_("{server} took a part of a film and did not acknowledge it").format(server=http.name))
        return tag

    def _ask(self, entry: Json, kind: str) -> None:
        """Is it ready? A login that may only write may not ask (403): then it is taken to be."""
        reply = self._rest.call("GET", f"/rest/{kind}/{encoded(entry['urn'])}", accept={403})
        self._heard = reply.date or self._heard
        status = "AVAILABLE" if reply.status == 403 else self._rest.object(reply).get("status")
        if status == "PROCESSING_FAILED":
            entry.clear()
            raise Rejected(_("LinkedIn could not make anything of this file."), field="media")
        if status == "WAITING_UPLOAD":
            raise _Anew(_("LinkedIn does not have the file; it will be uploaded anew."))
        entry["ready"] = status == "AVAILABLE"

    def _action(self, kind: str, name: str, body: Json) -> Reply:
        reply = self._rest.call("POST", f"/rest/{kind}", query=[("action", name)], json=body)
        self._heard = reply.date or self._heard
        return reply


class _Anew(Exception):
    """What was begun leads nowhere."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _kind(media: Media) -> str:
    return "videos" if media.mime == VIDEO else "images"


def _whole(value: Json, size: int) -> list[Json]:
    url = value.get("uploadUrl")
    return [{"url": url, "first": 0, "last": size - 1, "tag": None}] if isinstance(url, str) else []


def _video_parts(value: Json) -> list[Json]:
    """The parts of a film; empty if one of them cannot be read."""
    listed = value.get("uploadInstructions")
    parts = [_part(each) for each in listed] if isinstance(listed, list) else []
    return [part for part in parts if part] if all(parts) else []


def _part(told: object) -> Json | None:
    if not isinstance(told, dict):
        return None
    url, first, last = told.get("uploadUrl"), told.get("firstByte"), told.get("lastByte")
    numbers = isinstance(first, int) and isinstance(last, int) and 0 <= first <= last
    return {"url": url, "first": first, "last": last, "tag": None} if isinstance(url, str) and numbers else None


def _reachable(url: str, http: Http, *, with_login: bool) -> bool:
    """True for https; where the token goes along, for LinkedIn's own hosts."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    ours = host == "linkedin.com" or host.endswith(".linkedin.com")
    return parts.scheme == "https" and bool(host) and (ours or not with_login) and not parts.username


def _usable(message: Outgoing, saved: Json) -> list[Json]:
    """One entry for each medium: what an earlier try left for just these bytes, else an empty one."""
    known: list[Any] = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    return [
        entry if entry.get("sha256") == media.sha256 else {}
        for entry, media in zip(entries, message.media, strict=True)
    ]
