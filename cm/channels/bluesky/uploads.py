"""Media on their way to a post: each uploaded once, films waited for, none too old.

`saved["media"]` holds one entry for each medium of the message, in order: `{"sha256"}` and either `"blob"`, `"at"`
(ISO time of its upload) and `"ratio"`, or `"job"` of a film that is being worked on. A blob that no record has taken
is thrown away after a while that servers choose (minutes to hours), so entries older than `STALE` are uploaded anew.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from cm.channels import films
from cm.channels.bluesky.limits import VIDEO, refuse_size
from cm.channels.bluesky.session import Session
from cm.channels.bluesky.video import Failed, Films
from cm.channels.http import instant
from cm.channels.media import opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.i18n import _

STALE = timedelta(minutes=30)
LASTS = timedelta(minutes=50)
"""How long after its upload a blob may still be named in a record."""
POLL = timedelta(seconds=5)
"""Rest between two questions about a film that is being worked on."""


@dataclass(frozen=True)
class Item:
    """A medium that is there. `ratio`: `{"width", "height"}`, None if it could not be read."""

    blob: Json
    ratio: Json | None = None


@dataclass(frozen=True)
class Uploaded:
    """All media are there. `expires_at`: when the oldest may be gone; None without media."""

    items: tuple[Item, ...] = ()
    expires_at: datetime | None = None


class Uploads:
    """One message's media on one server."""

    def __init__(self, session: Session, films: Films, message: Outgoing, saved: Json) -> None:
        self._session = session
        self._films = films
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
        if not all("blob" in entry for entry in self._entries):
            return Pending(self.saved, (self._heard or self._message.created_at) + POLL)
        oldest = min((self._uploaded_at(entry) for entry in self._entries), default=None)
        items = tuple(Item(entry["blob"], entry.get("ratio")) for entry in self._entries)
        return Uploaded(items, oldest + LASTS if oldest else None)

    def _advance(self, n: int, media: Media) -> None:
        entry = self._entries[n]
        if "blob" in entry:
            return
        self._entries[n] = {}  # until it is surely there
        with opened(media) as file:
            refuse_size(media.mime, os.fstat(file.fileno()).st_size)
            try:
                found = self._film(entry, file, media) if media.mime == VIDEO else self._picture(file, media)
            except Failed:
                raise
            except ChannelError:
                self._entries[n] = entry
                raise
        self._entries[n] = {"sha256": media.sha256, **found}

    def _picture(self, file: BinaryIO, media: Media) -> Json:
        ratio = _ratio(file)
        reply = self._session.upload("com.atproto.repo.uploadBlob", file, media.mime)
        found = reply.json.get("blob") if isinstance(reply.json, dict) else None
        if not isinstance(found, dict):
            raise Retryable(_("{server} took a file and gave no id for it").format(server=self._session.http.name))
        self._heard = reply.date or self._heard
        return {"blob": found, "at": self._now(), "ratio": ratio}

    def _film(self, entry: Json, file: BinaryIO, media: Media) -> Json:
        job, seen = str(entry.get("job") or ""), films.examined(media.path)
        answer = self._films.ask(job) if job else self._films.upload(file, media, self._message.created_at)
        self._heard = answer.heard or self._heard
        ratio = {"width": seen.width, "height": seen.height} if seen.width and seen.height else None
        return {"blob": answer.blob, "at": self._now(), "ratio": ratio} if answer.blob else {"job": answer.job}

    def _now(self) -> str:
        return (self._heard or self._message.created_at).isoformat()

    def _uploaded_at(self, entry: Json) -> datetime:
        return instant(entry.get("at")) or self._message.created_at


def _ratio(file: BinaryIO) -> Json | None:
    """Width and height in pixels, so that apps keep the place free; the file is at its start again."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    finally:
        file.seek(0)
    return {"width": width, "height": height}


def _usable(message: Outgoing, saved: Mapping[str, Any]) -> list[Json]:
    """One entry for each medium: what an earlier try left for just this file, else an empty one."""
    known = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    return [
        entry if _fits(entry, media, message.created_at) else {}
        for entry, media in zip(entries, message.media, strict=True)
    ]


def _fits(entry: Json, media: Media, now: datetime) -> bool:
    at = instant(entry.get("at"))
    return entry.get("sha256") == media.sha256 and (at is None or now - at <= STALE)
