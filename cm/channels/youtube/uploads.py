"""A film on its way: uploaded as private, worked on by YouTube, given its captions; nobody sees any of it.

`saved["film"]`: `{"sha256", "size", "session": address, or "id": once all of it is there, "missed", "ready": YouTube is
done with it, "captions": sha256 of those that are there}`. It is used again for the same bytes only. The address is
kept before the first byte goes, so that whatever is cut off goes on where it was: the session is asked what it has
(`Content-Range: bytes */N`). One run sends `PER_RUN` bytes at most: time for a preparation is limited.

What stays there as private when a post is never sent, or its film is replaced, a person may delete in YouTube Studio.
"""

import os
import re
from datetime import datetime, timedelta
from typing import BinaryIO

from cm.channels.http import Reply
from cm.channels.media import opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Pending, Rejected, Retryable
from cm.channels.text import shown
from cm.channels.youtube import captions as tracks
from cm.channels.youtube.captions import Captions
from cm.channels.youtube.posting import PARTS
from cm.channels.youtube.reading import VIDEO
from cm.channels.youtube.rest import GOING_ON, OVER, Rest, mapping, text
from cm.i18n import N_, _

PIECE = 8 * 1024 * 1024
"""Bytes of one request; a multiple of 256 KiB."""
PER_RUN = 128 * 1024 * 1024
POLL, LONGEST_POLL = timedelta(seconds=30), timedelta(minutes=10)
"""Rest between two questions about a film that is being worked on, where YouTube does not say how long it needs."""
MISSES = 5
"""So often a film that was uploaded may not be found: it takes a while until it is known everywhere."""
_RANGE = re.compile(r"bytes=0-([0-9]{1,15})")

WHY = {
    "codec": N_("it is in a format that YouTube does not read"),
    "conversion": N_("it could not be converted"),
    "emptyFile": N_("it is empty"),
    "invalidFile": N_("it is no film"),
    "tooSmall": N_("it is too small"),
    "uploadAborted": N_("the upload was broken off"),
    "duplicate": N_("this very film is on YouTube already"),
    "length": N_("it is longer than this channel may upload; prove the channel's telephone number"),
    "copyright": N_("it breaks somebody's copyright"),
    "claim": N_("somebody claims it"),
    "trademark": N_("it breaks somebody's trademark"),
    "inappropriate": N_("it breaks YouTube's rules"),
    "termsOfUse": N_("it breaks YouTube's terms"),
    "legal": N_("it was blocked for legal reasons"),
    "uploaderAccountClosed": N_("the account is closed"),
    "uploaderAccountSuspended": N_("the account is suspended"),
}
"""`failureReason`, `rejectionReason`; what is not here is quoted."""


class Upload:
    """One film on one channel."""

    def __init__(self, rest: Rest, message: Outgoing, saved: Json, resource: Json, captions: Captions | None) -> None:
        """`resource`: how the film is described while it is private."""
        self._rest, self._message, self._resource, self._captions = rest, message, resource, captions
        (self._media,) = message.media
        self._entry = _usable(saved, self._media)
        self._heard: datetime | None = None
        self._wait = timedelta(0)

    def run(self) -> str | Pending:
        """The film's id once it is ready; until then, what there is. Raises ChannelError with `saved`."""
        try:
            self._advance()
        except ChannelError as error:
            error.saved = self._saved
            raise
        if self._entry.get("ready"):
            return str(self._entry["id"])
        return Pending(self._saved, (self._heard or self._message.created_at) + self._wait)

    @property
    def _saved(self) -> Json:
        return {"film": self._entry}

    def _advance(self) -> None:
        """As far as it goes now; what must be kept before the next step ends the run."""
        entry = self._entry
        if not entry:
            self._begin(self._media)
        elif "id" not in entry:
            self._transfer(self._media)
        elif not entry.get("worked"):
            self._ask()
        if entry.get("worked"):
            if self._captions and entry.get("captions") != self._captions.sha256:
                tracks.upload(self._rest, entry["id"], self._captions)
                entry["captions"] = self._captions.sha256
            entry["ready"] = True

    # --- sending the bytes ------------------------------------------------------------------------------------------

    def _begin(self, media: Media) -> None:
        with opened(media) as file:
            size = os.fstat(file.fileno()).st_size
        if not size:
            raise Rejected(_("The film is empty."), field="media")
        address, reply = self._rest.begin("videos", [("part", PARTS)], self._resource, size, media.mime)
        self._heard = reply.date
        self._entry |= {"sha256": media.sha256, "size": size, "session": address}

    def _transfer(self, media: Media) -> None:
        """Send what is missing, as much as one run may."""
        reply = self._rest.arrived(self._entry["session"], self._entry["size"])
        start = at = self._took(reply)
        with opened(media) as file:
            while at is not None and at - (start or 0) < PER_RUN:
                at = self._further(file, at)
        if at is None:
            self._wait = POLL

    def _further(self, file: BinaryIO, at: int) -> int | None:
        """The next piece; as `_took`. Raises Retryable if it changes nothing: it would be sent for ever."""
        file.seek(at)
        piece = file.read(PIECE)
        entry = self._entry
        now = self._took(self._rest.put(entry["session"], piece, at, entry["size"], self._media.mime)) if piece else at
        if now is not None and now <= at:
            raise Retryable(_("{server} takes nothing more of the film").format(server=self._rest.http.name))
        return now

    def _took(self, reply: Reply) -> int | None:
        """How many bytes are there; None once it is a film with an id. Raises Retryable where the session is over."""
        self._heard = reply.date or self._heard
        if reply.status in OVER:
            self._entry.clear()
            raise Retryable(_("{server} has lost the film: it is uploaded anew").format(server=self._rest.http.name))
        if reply.status == GOING_ON:
            there = _RANGE.fullmatch(reply.headers.get("range", ""))
            return int(there[1]) + 1 if there else 0
        ident = text(mapping(reply.json), "id")
        if not VIDEO.fullmatch(ident):
            raise Retryable(_("{server} took a file and gave no id for it").format(server=self._rest.http.name))
        self._entry["id"] = ident
        self._entry.pop("session", None)
        return None

    # --- what YouTube makes of it -----------------------------------------------------------------------------------

    def _ask(self) -> None:
        """How far YouTube is with the film. Raises Rejected for one that it cannot use."""
        query = [("part", "status,processingDetails"), ("id", self._entry["id"])]
        film, reply = self._rest.one("videos", query)
        self._heard, self._wait = reply.date, POLL
        status, details = mapping((film or {}).get("status")), mapping((film or {}).get("processingDetails"))
        if film is None or text(status, "uploadStatus") == "deleted":
            self._missed(gone=film is not None)
            return
        self._refuse_failed(status, details)
        done = text(status, "uploadStatus") == "processed" or text(details, "processingStatus") == "succeeded"
        self._entry["worked"] = done
        left = text(mapping(details.get("processingProgress")), "timeLeftMs")
        if re.fullmatch(r"[0-9]{1,12}", left):
            self._wait = min(max(timedelta(milliseconds=int(left)), POLL), LONGEST_POLL)

    def _missed(self, *, gone: bool) -> None:
        self._entry["missed"] = self._entry.get("missed", 0) + 1
        if gone or self._entry["missed"] >= MISSES:
            self._entry.clear()
            reason = _("The film that was uploaded is not on YouTube any more; another try uploads it anew.")
            raise Rejected(reason, field="media")

    def _refuse_failed(self, status: Json, details: Json) -> None:
        failed = text(status, "uploadStatus") in ("failed", "rejected")
        if not failed and text(details, "processingStatus") not in ("failed", "terminated"):
            return
        named = (status.get("rejectionReason"), status.get("failureReason"), details.get("processingFailureReason"))
        code = next((each for each in named if isinstance(each, str)), "")
        why = _(WHY[code]) if code in WHY else shown(code) or _("it does not say why")
        self._entry.clear()
        raise Rejected(_("YouTube cannot use this film: {why}.").format(why=why), field="media")


def _usable(saved: Json, media: Media) -> Json:
    """What an earlier try left for just this film."""
    entry = mapping(saved.get("film"))
    if entry.get("sha256") != media.sha256:
        return {}
    return {name: value for name, value in entry.items() if name != "session" or "id" not in entry}
