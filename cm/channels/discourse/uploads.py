"""Pictures on their way to a post: uploaded once each, named in the text afterwards.

`saved["media"]` holds one entry for each medium, in order: `{"sha256", "url", "size", "at"}`. An entry is used again
for the same bytes. Forums throw away uploads that no post has taken, so entries older than `STALE` are uploaded anew.
"""

import os
from datetime import timedelta
from typing import Any

from cm.channels.discourse import posting
from cm.channels.discourse.limits import refuse_size
from cm.channels.discourse.rest import Rest
from cm.channels.http import instant
from cm.channels.media import neutral_name, opened
from cm.channels.port import ChannelError, Json, Media, Outgoing, Rejected, Retryable
from cm.i18n import _

STALE = timedelta(hours=12)


def run(rest: Rest, message: Outgoing, saved: Json) -> list[str]:
    """The message's pictures in Markdown; what is missing there is uploaded. Raises ChannelError with `saved`."""
    entries = _usable(message, saved)
    try:
        for n, media in enumerate(message.media):
            entries[n] = entries[n] or _uploaded(rest, message, media)
    except ChannelError as error:
        error.saved = {"media": entries}
        if isinstance(error, Rejected):
            error.field = error.field or "media"
        raise
    told = zip(message.media, entries, strict=True)
    return [posting.picture(media.alt, entry["url"], entry["size"]) for media, entry in told]


def _uploaded(rest: Rest, message: Outgoing, media: Media) -> Json:
    with opened(media) as file:
        refuse_size(os.fstat(file.fileno()).st_size, message.limits)
        form = {"upload_type": "composer", "synchronous": "true"}
        files = {"file": (neutral_name(media), file, media.mime)}
        reply = rest.call("POST", "/uploads.json", form=form, files=files)
    told = rest.object(reply)
    url = told.get("short_url")
    if not isinstance(url, str) or not url.startswith("upload://"):
        raise Retryable(_("{server} took a file and gave no address for it").format(server=rest.http.name))
    width, height = told.get("width"), told.get("height")
    size = f"{width}x{height}" if isinstance(width, int) and isinstance(height, int) else ""
    at = reply.date or message.created_at
    return {"sha256": media.sha256, "url": url, "size": size, "at": at.isoformat()}


def _usable(message: Outgoing, saved: Json) -> list[Json]:
    """One entry for each medium: what an earlier try left for just these bytes, else an empty one."""
    known: list[Any] = saved.get("media") or []
    entries = [known[n] if n < len(known) else {} for n in range(len(message.media))]
    return [entry if _fits(entry, media, message) else {} for entry, media in zip(entries, message.media, strict=True)]


def _fits(entry: Json, media: Media, message: Outgoing) -> bool:
    at = instant(entry.get("at"))
    return entry.get("sha256") == media.sha256 and at is not None and message.created_at - at <= STALE
