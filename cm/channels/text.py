"""Text on its way out (what is sent as one string, what no platform can take), and remote text on its way in."""

import re
import unicodedata

from cm.channels.port import Capabilities, Outgoing, Rejected, Sighting, Sought
from cm.i18n import _

REASON_LENGTH = 200
"""Characters of a platform's message that a reason may quote."""
_ADDRESS = re.compile(r"\w+://\S*")
_LONG = 12
"""Signs of a piece of an address that may be a key."""


def with_link(text: str, link: str | None) -> str:
    """The text with the link on a line of its own at the end, unless it is already in the text."""
    if not link or link in text:
        return text
    return f"{text}\n{link}" if text else link


def same_words(one: str, other: str) -> bool:
    """True if two texts read the same but for case, blanks and how accents are encoded.

    Not coarser than the fingerprint by which the engine tells twins: no other message's post is taken for ours.
    """
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).casefold().split()


def answers_as_sought(sought: Sought, sighting: Sighting) -> bool:
    """True unless the message answers another post. One whose parent nobody knows any more may answer anything."""
    return sought.parent is None or sighting.parent == sought.parent


def refuse_unsendable(message: Outgoing, capabilities: Capabilities) -> None:
    """What every adapter refuses: nothing to say, text that is no Unicode, media it does not take.

    Raises Rejected with its field.
    """
    if not message.text.strip() and not message.link and not message.media:
        raise Rejected(_("There is nothing to send: no text and no media."), field="text")
    for said in (message.text, message.link or "", *(media.alt for media in message.media)):
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in said):
            raise Rejected(_("The text holds a NUL or half a character (a lone surrogate)."), field="text")
    if len(message.media) > capabilities.max_media:
        reason = _("{count} media, and at most {most} are taken.").format(
            count=len(message.media), most=capabilities.max_media
        )
        raise Rejected(reason, field="media")
    for media in message.media:
        if media.mime not in capabilities.media:
            raise Rejected(_("Media of type {mime} are not taken.").format(mime=media.mime), field="media")


def keyless(said: str, url: str) -> str:
    """Remote text without addresses, nor any long piece of this one: who has the address of an upload may upload."""
    said = _ADDRESS.sub("…", said)
    pieces = {piece for piece in re.split(r"[/?&=#]+", url) if len(piece) >= _LONG}
    for piece in sorted(pieces, key=len, reverse=True):
        said = said.replace(piece, "…")
    return said


def shown(text: str, length: int = REASON_LENGTH) -> str:
    """Remote text on one line, without control, format and unassigned characters, at most `length` long."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 4 * length])
    return " ".join(kept.split())[:length]
