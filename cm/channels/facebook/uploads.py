"""Media on their way to a Page: unpublished photos, and films in an upload session of a reel.

`saved["media"]` holds one entry for each medium, in order: `{"sha256", "alt", "id", "at": ISO time by Facebook's
clock or None, "ready": bool}`, a film's also `{"url", "sent": bool}`, the address only until all of it is there. An
entry is used again only for the same bytes with the same alt text. How long an unpublished photo is kept is not
documented, so that entries older than `STALE` are uploaded anew. Nothing of this is public.

A film may go on where it was cut off. Sources do not say whether Facebook works on a film before `finish`; therefore
one is ready when all of it is there and nothing is being done with it.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cm.channels.facebook.limits import VIDEO
from cm.channels.http import instant
from cm.channels.media import neutral_name, opened
from cm.channels.meta import Graph, Missing, items, mapping, node
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.channels.text import shown
from cm.i18n import _

STALE = timedelta(hours=12)
LASTS = timedelta(hours=20)
POLL = timedelta(seconds=20)
"""Rest between two questions about a film that is being worked on."""
PHASES = ("uploading_phase", "processing_phase", "publishing_phase")


@dataclass(frozen=True)
class Uploaded:
    """All media are there. `expires_at`: when the oldest may be gone; `since`: when the first upload began."""

    ids: tuple[str, ...]
    since: datetime | None
    expires_at: datetime | None


class Uploads:
    """One message's media on one Page."""

    def __init__(self, graph: Graph, page: str, message: Outgoing, saved: Json) -> None:
        self._graph, self._page, self._message = graph, page, message
        self._entries = _usable(message, saved)
        self._heard: datetime | None = None

    @property
    def saved(self) -> Json:
        """What is there so far."""
        return {"media": self._entries}

    def run(self) -> Uploaded | Pending:
        """Upload what is missing, ask after what is being worked on. Raises ChannelError with `saved`."""
        try:
            for n, media in enumerate(self._message.media):
                self._advance(n, media)
        except ChannelError as error:
            error.saved = self.saved
            if isinstance(error, Rejected):
                error.field = error.field or "media"
            raise
        if not all(entry["ready"] for entry in self._entries):
            return Pending(self.saved, (self._heard or self._message.created_at) + POLL)
        since = min((instant(entry["at"]) or self._message.created_at for entry in self._entries), default=None)
        return Uploaded(tuple(entry["id"] for entry in self._entries), since, since + LASTS if since else None)

    def _advance(self, n: int, media: Media) -> None:
        if media.mime not in VIDEO:
            self._entries[n] = self._entries[n] or self._photo(media)
        elif not self._entries[n].get("ready"):
            self._film(n, media)

    def _photo(self, media: Media) -> Json:
        """An unpublished photo with its alt text."""
        with opened(media) as file:
            reply = self._graph.call(
                "POST",
                f"{self._page}/photos",
                form={"published": "false", **({"alt_text_custom": media.alt} if media.alt else {})},
                files={"source": (neutral_name(media), file, media.mime)},
            )
        self._heard = reply.date or self._heard
        return {**self._entry(media, self._graph.object(reply).get("id"), reply.date), "ready": True}

    # --- films ------------------------------------------------------------------------------------------------------

    def _film(self, n: int, media: Media) -> None:
        begun = not self._entries[n]
        if begun:
            self._entries[n] = self._started(media)
        entry = self._entries[n]
        there = 0 if begun else self._there(entry)
        if there is None:
            self._entries[n] = {}
            raise Retryable(_("{server} has lost the film: it is uploaded anew").format(server=self._graph.name))
        if not entry["sent"]:
            self._send(entry, media, there)
            entry["sent"] = True
            entry.pop("url", None)
        entry["ready"] = self._ready(entry)

    def _started(self, media: Media) -> Json:
        reply = self._graph.call("POST", f"{self._page}/video_reels", json={"upload_phase": "start"})
        told = self._graph.object(reply)
        entry = self._entry(media, told.get("video_id"), reply.date)
        return {**entry, "url": str(told.get("upload_url") or ""), "sent": False, "ready": False}

    def _there(self, entry: Json) -> int | None:
        """Bytes that have arrived (the page writes `bytes_transfered`, both are read); None if nothing is known."""
        try:
            uploading = mapping(self._status(entry).get("uploading_phase"))
        except Missing:
            return None
        counts = [uploading.get(name) for name in ("bytes_transferred", "bytes_transfered")]
        return next((count for count in counts if isinstance(count, int) and count > 0), 0)

    def _send(self, entry: Json, media: Media, offset: int) -> None:
        with opened(media) as file:
            size = os.fstat(file.fileno()).st_size
            if offset >= size:
                return
            upload = (neutral_name(media), file, media.mime)
            reply = self._graph.upload(entry["url"], upload, offset=offset, size=size)
        if self._graph.object(reply).get("success") is not True:
            raise Retryable(_("{server} did not take the whole film").format(server=self._graph.name))

    def _ready(self, entry: Json) -> bool:
        status = self._status(entry)
        refuse_failed(status)
        uploaded = mapping(status.get("uploading_phase")).get("status") == "complete"
        return uploaded and mapping(status.get("processing_phase")).get("status") != "in_progress"

    def _status(self, entry: Json) -> Json:
        reply = self._graph.call("GET", node(entry["id"]), query=[("fields", "status")])
        self._heard = reply.date or self._heard
        return mapping(self._graph.object(reply).get("status"))

    def _entry(self, media: Media, remote_id: object, at: datetime | None) -> Json:
        if not isinstance(remote_id, str | int) or not remote_id:
            raise Retryable(_("{server} took a file and gave no id for it").format(server=self._graph.name))
        told = at.isoformat() if at else None
        return {"sha256": media.sha256, "alt": media.alt, "id": node(str(remote_id)), "at": told}


def refuse_failed(status: Json) -> None:
    """Raises Rejected for a film with which something went wrong."""
    phases = [mapping(status.get(name)) for name in PHASES]
    if status.get("video_status") != "error" and not any(phase.get("status") == "error" for phase in phases):
        return
    told = [each for phase in phases for each in (mapping(phase.get("error")), *items(phase.get("errors")))]
    said = next((str(each["message"]) for each in told if each.get("message")), "")
    raise Rejected(_("Facebook cannot use this film. {said}").format(said=shown(said)).strip(), field="media")


def _usable(message: Outgoing, saved: Json) -> list[Json]:
    """One entry for each medium: what an earlier try left for just this file, else an empty one."""
    known: list[Any] = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    pairs = zip(entries, message.media, strict=True)
    return [_kept(entry) if _fits(entry, media, message.created_at) else {} for entry, media in pairs]


def _kept(entry: Json) -> Json:
    return {name: value for name, value in entry.items() if name != "url" or not entry.get("sent")}


def _fits(entry: Json, media: Media, now: datetime) -> bool:
    if (entry.get("sha256"), entry.get("alt")) != (media.sha256, media.alt):
        return False
    at = instant(entry.get("at"))
    return at is None or now - at <= STALE
