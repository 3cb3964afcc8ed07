"""Facebook's own refusals of a post, beside those that all of Graph shares (`cm.channels.meta`)."""

from collections.abc import Mapping

from cm.channels.meta import Meaning
from cm.i18n import N_

_LINK = N_("Facebook does not take this address: is the page public, and not one of Facebook's own?")
KNOWN: Mapping[int, Meaning] = {
    1366046: Meaning("content", "media", N_("a picture must be JPEG, PNG or GIF of less than 4 MB")),
    1609005: Meaning("content", "link", _LINK),
    1609008: Meaning("content", "link", _LINK),
    2061006: Meaning("content", "link", _LINK),
}
"""By code or subcode."""
