"""Instagram's own refusals ("Error codes", updated 2026-06-02), beside those that all of Graph shares.

What asks for a new container may simply be tried again: `prepare` goes on with the one it has, asks after it, and makes
another only where that one is surely not published. A server error while publishing, whatever its code, is an unknown
outcome, which the container's status settles.
"""

import re
from collections.abc import Mapping

from cm.channels.meta import Meaning
from cm.i18n import N_

_AGAIN = Meaning("not_now")
_DOUBTFUL = Meaning("later")
_UNREACHABLE = Meaning(
    "content", "media", N_("Meta cannot fetch the file: is `public_media` reachable from outside, without a login?")
)
_IMAGE_SIZE = Meaning("content", "media", N_("a picture must have less than 8 MB"))
_IMAGE_FORMAT = Meaning("content", "media", N_("a picture must be JPEG"))
_RATIO = Meaning("content", "media", N_("a picture's width must be 0.8 to 1.91 times its height"))
_VIDEO = Meaning("content", "media", N_("Instagram cannot use this video: MP4 or MOV, H.264, 3 seconds to 15 minutes"))
_CAPTION = Meaning("content", "text", N_("the caption is too long"))
_RESTRICTED = Meaning("auth", hint=N_("the account is restricted: look at its status in Instagram's app"))
_SPAM = Meaning(
    "auth", hint=N_("Instagram takes this for spam: send nothing for some days, look at the account's status")
)
_QUOTA = Meaning("account")
KNOWN: Mapping[int, Meaning] = {
    2207003: _AGAIN,
    2207006: _AGAIN,
    2207008: _AGAIN,
    2207020: _AGAIN,
    2207027: _AGAIN,
    9007: _AGAIN,
    2207001: _DOUBTFUL,
    2207032: _DOUBTFUL,
    2207053: _DOUBTFUL,
    2207051: _SPAM,
    2207042: _QUOTA,
    2207052: _UNREACHABLE,
    9004: _UNREACHABLE,
    2207004: _IMAGE_SIZE,
    36000: _IMAGE_SIZE,
    2207005: _IMAGE_FORMAT,
    36001: _IMAGE_FORMAT,
    2207009: _RATIO,
    36003: _RATIO,
    2207026: _VIDEO,
    352: _VIDEO,
    2207010: _CAPTION,
    36004: _CAPTION,
    2207028: Meaning("content", "media", N_("a carousel holds 2 to 10 pictures or videos")),
    2207023: Meaning("content", "media"),
    2207050: _RESTRICTED,
    2207057: Meaning("content", "media"),
    2207081: Meaning("content"),
    2207082: _VIDEO,
    2207085: _VIDEO,
}
"""By code or subcode."""
NEW_CONTAINER = frozenset({2207001, 2207003, 2207006, 2207008, 2207020, 2207032, 2207053})
"""Failures of a container after which another one may do."""


def subcode_in(status: str) -> int | None:
    """The subcode that a container's status names in words."""
    named = re.search(r"\b(2207[0-9]{3})\b", status)
    return int(named[1]) if named else None
