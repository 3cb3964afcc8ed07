"""Media on their way to a status: uploaded once, waited for, and not too old.

`saved["media"]` holds one entry for each medium of the message, in order:
`{"sha256", "alt", "id", "at": ISO time by the server's clock or None, "ready": bool}`. An entry is used
again only for the same bytes with the same alt text. Servers throw away media that no status has taken
after about a day, so entries older than `STALE` are uploaded anew.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from cm.channels.http import Http, instant
from cm.channels.mastodon.limits import refuse_size
from cm.channels.media import neutral_name, opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.i18n import _

STALE = timedelta(hours=12)
LASTS = timedelta(hours=20)
"""How long after its upload a medium may still be attached to a status."""
POLL = timedelta(seconds=5)
"""Rest between two questions about a film that the server is working on."""


@dataclass(frozen=True)
class Uploaded:
    """All media are there and ready. `expires_at`: when the oldest may be gone; None without media."""

    ids: tuple[str, ...]
    expires_at: datetime | None


class Uploads:
    """One message's media on one server."""

    def __init__(self, http: Http, message: Outgoing, saved: Json) -> None:
        self._http = http
        self._message = message
        self._entries = _usable(message, saved)
        self._heard: datetime | None = None

    @property
    def saved(self) -> Json:
        """What is there so far."""
        return {"media": self._entries}

    def run(self) -> Uploaded | Pending:
        """Upload what is missing, ask after what was being worked on. Raises ChannelError with `saved`."""
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
        oldest = min((self._uploaded_at(entry) for entry in self._entries), default=None)
        return Uploaded(tuple(entry["id"] for entry in self._entries), oldest + LASTS if oldest else None)

    def _advance(self, n: int, media: Media) -> None:
        entry = self._entries[n]
        if entry and not entry["ready"]:
            entry = self._entries[n] = self._asked(entry)
        if not entry:
            self._entries[n] = self._uploaded(media)

    def _uploaded(self, media: Media) -> Json:
        """Upload a file with its alt text. 200 = ready, 202 = being worked on."""
        with opened(media) as file:
            refuse_size(media.mime, os.fstat(file.fileno()).st_size, self._message.limits)
            reply = self._http.call(
                "POST",
                "/api/v2/media",
                form={"description": media.alt} if media.alt else None,
                files={"file": (neutral_name(media), file, media.mime)},
            )
        self._heard = reply.date or self._heard
        remote_id = reply.json.get("id") if isinstance(reply.json, dict) else None
        if not remote_id:
            raise Retryable(_("{server} took a file and gave no id for it").format(server=self._http.name))
        at = reply.date.isoformat() if reply.date else None
        return {
            "sha256": media.sha256,
            "alt": media.alt,
            "id": str(remote_id),
            "at": at,
            "ready": reply.status != 202,
        }

    def _asked(self, entry: Json) -> Json:
        """The entry as it stands now: ready (200), still being worked on (206), empty if the server lost it (404)."""
        reply = self._http.call("GET", f"/api/v1/media/{quote(entry['id'], safe='')}", accept={404})
        self._heard = reply.date or self._heard
        return {} if reply.status == 404 else {**entry, "ready": reply.status != 206}

    def _uploaded_at(self, entry: Json) -> datetime:
        return instant(entry["at"]) or self._message.created_at


def _usable(message: Outgoing, saved: Mapping[str, Any]) -> list[Json]:
    """One entry for each medium: what an earlier try left for just this file, else an empty one."""
    known = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    return [
        entry if _fits(entry, media, message.created_at) else {}
        for entry, media in zip(entries, message.media, strict=True)
    ]


def _fits(entry: Json, media: Media, now: datetime) -> bool:
    if (entry.get("sha256"), entry.get("alt")) != (media.sha256, media.alt):
        return False
    at = instant(entry.get("at"))
    return at is None or now - at <= STALE
