"""Captions: a file .srt or .vtt below the workspace's `media/`, named in the field `captions` of a post."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cm.channels.port import Outgoing, Rejected, Retryable
from cm.channels.youtube.rest import OVER, Rest, mapping, text
from cm.formats import trouble
from cm.i18n import _

ENDINGS = (".srt", ".vtt")
MOST_BYTES = 100 * 1024 * 1024
MIME = "application/octet-stream"
_TIMES = "-->"


@dataclass(frozen=True)
class Captions:
    """What stands in the file."""

    data: bytes
    sha256: str
    language: str


def read(folder: Path, message: Outgoing) -> Captions | None:
    """The captions of a message, None where it names none. Raises Rejected for what are no captions of `folder`."""
    name = message.fields.get("captions", "").strip()
    if not name or message.parent is not None:
        return None
    data = _bytes(folder, name)
    try:
        timed = _TIMES in data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(name, _("it is not written in UTF-8")) from None
    if not timed:
        raise _refused(name, _("no line of it says from when to when it is shown"))
    return Captions(data, hashlib.sha256(data).hexdigest(), message.language or "und")


def _bytes(folder: Path, name: str) -> bytes:
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or path.suffix.lower() not in ENDINGS:
            raise _refused(name, _("captions are a file .srt or .vtt below media/"))
        if path.stat().st_size > MOST_BYTES:
            raise _refused(name, _("it has more than 100 MB"))
        return path.read_bytes()
    except OSError as error:
        raise _refused(name, trouble(error)) from None
    except ValueError:  # a NUL
        raise _refused(name, _("captions are a file .srt or .vtt below media/")) from None


def _refused(name: str, why: str) -> Rejected:
    return Rejected(_("The captions {name} cannot be used: {why}.").format(name=name, why=why), field="captions")


def upload(rest: Rest, video: str, captions: Captions) -> None:
    """Put the captions beside a film in place of those of the same language.

    An answer that was lost leaves a track behind: what stands there already is taken away first. Raises ChannelError.
    """
    for track in _standing(rest, video, captions.language):
        rest.call("DELETE", "captions", query=[("id", track)])
    resource = {"snippet": {"videoId": video, "language": captions.language, "name": "", "isDraft": False}}
    size = len(captions.data)
    address, _reply = rest.begin("captions", [("part", "snippet")], resource, size, MIME)
    reply = rest.put(address, captions.data, 0, size, MIME)
    if reply.status in OVER or not mapping(reply.json).get("id"):
        raise Retryable(_("{server} did not take the captions").format(server=rest.http.name))


def _standing(rest: Rest, video: str, language: str) -> list[str]:
    """Tracks of that language that a person, or we, have put there; those that YouTube hears itself stay."""
    found, _further, _reply = rest.page("captions", [("part", "snippet"), ("videoId", video)])
    told = [(text(each, "id"), mapping(each.get("snippet"))) for each in found]
    return [
        ident
        for ident, snippet in told
        if ident and text(snippet, "trackKind").lower() != "asr" and text(snippet, "language") == language
    ]
