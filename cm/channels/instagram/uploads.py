"""Containers: what Instagram publishes is first put together there, unseen, and expires after 24 hours.

`saved["containers"]` holds one entry for each medium, in order, and one more for a carousel: `{"for": what it was made
of, "id", "at": ISO time by Instagram's clock or None, "ready": bool}`. One is used again only for the very same
content, and only after it was asked after once more: it may have expired, or been published. The parts of a carousel
are asked after until the carousel is made of them. `"refused"` counts how often one was not taken for publishing:
after `REFUSALS` another is made. Pictures are fetched by Meta from their public address. Films are uploaded where the
login is Facebook's ("Upload Video to Meta Servers", 2026-03-15: for that login only; the SDK of v26.0 lists
`upload_type` for both), and fetched like pictures where it is Instagram's own.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cm.channels.http import instant
from cm.channels.instagram.errors import KNOWN, NEW_CONTAINER, subcode_in
from cm.channels.instagram.limits import VIDEO
from cm.channels.instagram.public import Public
from cm.channels.media import neutral_name, opened
from cm.channels.meta import Graph, Missing, node
from cm.channels.port import ChannelError, Duplicate, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.channels.text import shown, with_link
from cm.i18n import _

STALE = timedelta(hours=12)
LASTS = timedelta(hours=23)
POLL = timedelta(seconds=60)
"""Rest between two questions about a container, as the pages advise."""
REFUSALS = 2
"""So often the same container is tried ("Error codes": once or twice, then a new one)."""


@dataclass(frozen=True)
class Ready:
    """A container that may be published. `expires_at`: when it will be gone; `saved`: to go on with after a refusal."""

    container: str
    expires_at: datetime
    saved: Json


class Containers:
    """One message's containers on one account."""

    def __init__(
        self, graph: Graph, user: str, public: Public, message: Outgoing, saved: Json, *, uploads: bool
    ) -> None:
        """`uploads`: films can be uploaded."""
        self._graph, self._user, self._public, self._message = graph, user, public, message
        self._uploads = uploads
        self._caption = with_link(message.text, message.link)
        known: list[Any] = saved.get("containers") or []
        wanted = len(message.media) + self._several
        self._entries: list[Json] = [dict(known[n]) if n < len(known) else {} for n in range(wanted)]
        self._heard: datetime | None = None

    @property
    def _several(self) -> bool:
        return len(self._message.media) > 1

    @property
    def saved(self) -> Json:
        """What is there so far."""
        return {"containers": self._entries}

    def run(self) -> Ready | Pending:
        """Make what is missing, ask after what is not ready. Raises ChannelError with `saved`."""
        try:
            parts = self._parts()
            if self._several and all(part["ready"] for part in parts):
                self._advance(len(parts), self._of_carousel(parts), None)
        except ChannelError as error:
            error.saved = self.saved
            raise
        whole = self._entries[-1]
        if not whole.get("ready"):
            return Pending(self.saved, (self._heard or self._message.created_at) + POLL)
        oldest = min(instant(entry["at"]) or self._message.created_at for entry in self._entries)
        return Ready(whole["id"], oldest + LASTS, self.saved)

    # --- what a container is made of --------------------------------------------------------------------------------

    def _of_medium(self, media: Media) -> Json:
        """Parameters of a picture or a film; the caption stands with the whole."""
        caption = {} if self._several or not self._caption else {"caption": self._caption}
        item = {"is_carousel_item": True} if self._several else {}
        if media.mime in VIDEO:
            kind = "VIDEO" if self._several else "REELS"
            film = {"upload_type": "resumable"} if self._uploads else {"video_url": self._public.address(media)}
            return {"media_type": kind, **film, **caption, **item}
        alt = {"alt_text": media.alt} if media.alt else {}
        return {"image_url": self._public.address(media), **alt, **caption, **item}

    def _of_carousel(self, parts: list[Json]) -> Json:
        caption = {"caption": self._caption} if self._caption else {}
        return {"media_type": "CAROUSEL", "children": [part["id"] for part in parts], **caption}

    # --- making it --------------------------------------------------------------------------------------------------

    def _parts(self) -> list[Json]:
        """A container for each medium; none is asked after any more once the carousel is made of them."""
        media = self._message.media
        wanted = [self._of_medium(each) for each in media]
        if not self._joined(wanted):
            for n, each in enumerate(media):
                self._advance(n, wanted[n], each)
        return self._entries[: len(media)]

    def _joined(self, wanted: list[Json]) -> bool:
        """True if there is a carousel of just these parts."""
        if not self._several:
            return False
        *parts, whole = self._entries
        made_of = [_fingerprint(params, media) for params, media in zip(wanted, self._message.media, strict=True)]
        there = all(self._fits(part, each) for part, each in zip(parts, made_of, strict=True))
        return there and self._fits(whole, _fingerprint(self._of_carousel(parts), None))

    def _advance(self, n: int, params: Json, media: Media | None) -> None:
        """Container `n` for these parameters, made or asked after."""
        made_of = _fingerprint(params, media)
        entry = self._entries[n] if self._fits(self._entries[n], made_of) else {}
        self._entries[n] = {}
        entry = entry or self._made(params, media, made_of)
        self._entries[n] = entry
        entry["ready"] = self._ready(n, entry)
        if entry["ready"] and entry.get("refused", 0) >= REFUSALS:  # and surely not published, as it has just said
            self._entries[n] = {}
            self._entries[n] = entry = self._made(params, media, made_of)
            entry["ready"] = self._ready(n, entry)

    def _made(self, params: Json, media: Media | None, made_of: str) -> Json:
        reply = self._graph.call("POST", f"{self._user}/media", json=params)
        self._heard = reply.date or self._heard
        told = self._graph.object(reply)
        if not isinstance(told.get("id"), str | int) or not told["id"]:
            raise Retryable(_("{server} made a container and gave no id for it").format(server=self._graph.name))
        if media is not None and "upload_type" in params:
            self._send(str(told.get("uri") or ""), media)
        return {"for": made_of, "id": node(str(told["id"])), "at": reply.date.isoformat() if reply.date else None}

    def _send(self, url: str, media: Media) -> None:
        """A film, in one piece: a container whose upload was cut off is left to expire."""
        with opened(media) as file:
            size = os.fstat(file.fileno()).st_size
            reply = self._graph.upload(url, (neutral_name(media), file, media.mime), offset=0, size=size)
        if self._graph.object(reply).get("success") is not True:
            raise Retryable(_("{server} did not take the whole film").format(server=self._graph.name))

    def _ready(self, n: int, entry: Json) -> bool:
        """True once it may be published. Raises ChannelError for one that never will be, which is forgotten."""
        try:
            code, said, self._heard = status(self._graph, entry["id"])
        except Missing:
            code, said = "EXPIRED", ""
        if code == "PUBLISHED":
            raise Duplicate(_("Instagram has published this already: look at the account."))
        if code in ("FINISHED", "IN_PROGRESS"):
            return code == "FINISHED"
        self._entries[n] = {}
        reason = _("Instagram could not prepare this post. {said}").format(said=shown(said)).strip()
        subcode = subcode_in(said)
        if code != "ERROR" or subcode in NEW_CONTAINER:  # it has expired, or says nothing of use
            raise Retryable(reason)
        known = KNOWN.get(subcode or 0)
        hint = f" {_(known.hint)}" if known and known.hint else ""
        raise Rejected(f"{reason}{hint}", field=known.field if known and known.field else "media")

    def _fits(self, entry: Json, made_of: str) -> bool:
        at = instant(entry.get("at"))
        return entry.get("for") == made_of and (at is None or self._message.created_at - at <= STALE)


def status(graph: Graph, container: str, *, hurried: bool = False) -> tuple[str, str, datetime | None]:
    """A container's status code, its words, and Instagram's time. Raises ChannelError."""
    reply = graph.call("GET", node(container), query=[("fields", "status_code,status")], hurried=hurried)
    told = graph.object(reply)
    return str(told.get("status_code") or ""), str(told.get("status") or ""), reply.date


def _fingerprint(params: Json, media: Media | None) -> str:
    made_of = json.dumps([params, media.sha256 if media else None], sort_keys=True)
    return hashlib.sha256(made_of.encode()).hexdigest()
