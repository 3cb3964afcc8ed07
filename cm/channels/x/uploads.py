"""Media on their way to a post: pictures in one piece, films and GIFs in several, then worked on by X.

`saved["media"]` holds one entry for each medium of the message, in order. An entry without `id` is to be uploaded;
`next` is the piece of a film that comes next (None once all are there); `ready`: X is done with it; `described`: its
alt text is there too. `at` is when it was uploaded, by X's clock. An entry is used again only for the same bytes with
the same alt text; X throws media away after a day (`expires_after_secs` 86400), so those older than `STALE` are
uploaded anew. Sizes of pieces: the sample of the guide has 1 MB, 5 MB are reported as the most.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, BinaryIO

from cm.channels.http import Http, Reply, instant
from cm.channels.media import neutral_name, opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.channels.text import shown
from cm.channels.x.errors import ANY_REFUSAL, refusal
from cm.channels.x.limits import GIF, IMAGES, refuse_size
from cm.channels.x.reading import ID
from cm.i18n import _

STALE = timedelta(hours=12)
LASTS = timedelta(hours=20)
"""How long after its upload a medium may still be attached to a post."""
PIECE = 4 * 1024 * 1024
"""Bytes of one piece of a film."""
POLL = 5
"""Seconds between two questions about a film where X names none."""
LONGEST_POLL = 600
UPLOAD = "/2/media/upload"


@dataclass(frozen=True)
class Uploaded:
    """All media are there and ready. `expires_at`: when the oldest may be gone; None without media."""

    ids: tuple[str, ...]
    expires_at: datetime | None


class Uploads:
    """One message's media."""

    def __init__(self, http: Http, message: Outgoing, saved: Json) -> None:
        self._http = http
        self._message = message
        self._entries = _usable(message, saved)
        self._heard: datetime | None = None
        self._wait = 0

    def run(self) -> Uploaded | Pending:
        """Upload what is missing, ask after what is being worked on. Raises ChannelError with `saved`."""
        try:
            for n, media in enumerate(self._message.media):
                self._advance(self._entries[n], media)
        except ChannelError as error:
            error.saved = {"media": self._entries}
            if isinstance(error, Rejected):
                error.field = error.field or "media"
            raise
        if not all(entry.get("ready") for entry in self._entries):
            resting = timedelta(seconds=self._wait or POLL)
            return Pending({"media": self._entries}, (self._heard or self._message.created_at) + resting)
        oldest = min((instant(entry["at"]) or self._message.created_at for entry in self._entries), default=None)
        return Uploaded(tuple(entry["id"] for entry in self._entries), oldest + LASTS if oldest else None)

    def _advance(self, entry: Json, media: Media) -> None:
        """As far as it goes now; what is done stands in the entry, whatever comes after."""
        if "id" in entry and entry.get("next") is None and not entry["ready"]:
            self._ask(entry)
        if "id" not in entry or entry.get("next") is not None:
            with opened(media) as file:
                refuse_size(media.mime, os.fstat(file.fileno()).st_size)
                (self._picture if media.mime in IMAGES else self._film)(entry, media, file)
        if entry["ready"] and not entry["described"]:
            self._describe(entry, media)

    def _picture(self, entry: Json, media: Media, file: BinaryIO) -> None:
        reply = self._called(
            "POST",
            UPLOAD,
            form={"media_category": "tweet_image"},
            files={"media": (neutral_name(media), file, media.mime)},
        )
        self._begun(entry, media, reply)
        self._progress(entry, reply)

    def _film(self, entry: Json, media: Media, file: BinaryIO) -> None:
        """Announce it, send the pieces that are missing, close it."""
        if "id" not in entry:
            body = {
                "media_type": media.mime,
                "media_category": "tweet_gif" if media.mime == GIF else "tweet_video",
                "total_bytes": os.fstat(file.fileno()).st_size,
            }
            self._begun(entry, media, self._called("POST", f"{UPLOAD}/initialize", json=body))
            entry["next"] = 0
        file.seek(entry["next"] * PIECE)
        while piece := file.read(PIECE):
            self._called(
                "POST",
                f"{UPLOAD}/{entry['id']}/append",
                form={"segment_index": str(entry["next"])},
                files={"media": (neutral_name(media), BytesIO(piece), media.mime)},
            )
            entry["next"] += 1
        entry["next"] = None  # if the answer to the next call is lost, X is asked how far it is
        self._progress(entry, self._called("POST", f"{UPLOAD}/{entry['id']}/finalize"))

    def _ask(self, entry: Json) -> None:
        """How far X is with a film; one that it does not know any more is uploaded anew, once."""
        query = [("command", "STATUS"), ("media_id", entry["id"])]
        reply = self._http.call("GET", UPLOAD, query=query, accept=ANY_REFUSAL)
        if reply.status in (400, 404) and not entry.get("again"):
            entry.clear()
            entry["again"] = True
            return
        if reply.status >= 400:
            raise refusal(self._http, reply)
        self._progress(entry, reply)

    def _progress(self, entry: Json, reply: Reply) -> None:
        """Take over what X says of a medium. Raises Rejected if it cannot use it."""
        self._heard = reply.date or self._heard
        info = _data(reply).get("processing_info")
        state = info.get("state") if isinstance(info, dict) else "succeeded"
        if state == "failed":
            entry.clear()
            reason = _("{server} could not use a medium: {said}").format(server=self._http.name, said=_why(info))
            raise Rejected(reason, field="media")
        entry["ready"] = state == "succeeded"
        wanted = info.get("check_after_secs") if isinstance(info, dict) else None
        if not entry["ready"] and isinstance(wanted, int) and not isinstance(wanted, bool):
            self._wait = max(self._wait, min(wanted, LONGEST_POLL))

    def _begun(self, entry: Json, media: Media, reply: Reply) -> None:
        self._heard = reply.date or self._heard
        remote_id = str(_data(reply).get("id") or "")
        if not ID.fullmatch(remote_id):
            raise Retryable(_("{server} took a file and gave no id for it").format(server=self._http.name))
        entry |= {
            "sha256": media.sha256,
            "alt": media.alt,
            "id": remote_id,
            "at": reply.date.isoformat() if reply.date else None,
            "ready": False,
            "described": not media.alt,
        }

    def _describe(self, entry: Json, media: Media) -> None:
        body = {"id": entry["id"], "metadata": {"alt_text": {"text": media.alt}}}
        self._called("POST", "/2/media/metadata", json=body)
        entry["described"] = True

    def _called(self, method: str, path: str, **parts: Any) -> Reply:
        reply = self._http.call(method, path, accept=ANY_REFUSAL, **parts)
        if reply.status >= 400:
            raise refusal(self._http, reply)
        return reply


def _data(reply: Reply) -> Mapping[str, Any]:
    data = reply.json.get("data") if isinstance(reply.json, dict) else None
    return data if isinstance(data, dict) else {}


def _why(info: object) -> str:
    error = info.get("error") if isinstance(info, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return shown(message) if isinstance(message, str) else _("it does not say why")


def _usable(message: Outgoing, saved: Mapping[str, Any]) -> list[Json]:
    """One entry for each medium: what an earlier try left for just this file, else an empty one."""
    known = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    return [
        dict(entry) if _fits(entry, media, message.created_at) else {}
        for entry, media in zip(entries, message.media, strict=True)
    ]


def _fits(entry: Mapping[str, Any], media: Media, now: datetime) -> bool:
    if (entry.get("sha256"), entry.get("alt")) != (media.sha256, media.alt):
        return False
    at = instant(entry.get("at"))
    return at is None or now - at <= STALE
