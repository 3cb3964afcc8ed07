"""What Instagram takes of a professional account ("Content publishing" and its references, copy of 2026-03-01).

Sources contradict on posts per day (guide 100, reference 50): the account is asked, see `check()`. The app allows
twenty pictures in a carousel, the API ten. A picture must be JPEG at a public address, from which Meta fetches it.
"""

import re
from datetime import date

from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

IMAGES = ("image/jpeg",)
VIDEO = ("video/mp4", "video/quicktime")
HASHTAGS, MENTIONS, ALT = 30, 20, 1000
LIMITS = Limits(
    source="Instagram Platform: Content publishing, IG User media (v25.0 to v26.0)",
    read_on=date(2026, 11, 21),
    text=2200,
    needs_media=True,
    alt=ALT,
    images=MediaLimits(mimes=IMAGES, count=10, max_bytes=8_000_000, max_side=1440, min_side=320, ratios=(0.8, 1.91)),
    video=MediaLimits(mimes=VIDEO, count=10, max_bytes=300_000_000, max_side=1920, ratios=(0.01, 10), seconds=(3, 900)),
    notes=(
        N_("A post needs a picture or a video; a picture must stand at a public address (`public_media`)."),
        N_("Links in captions cannot be clicked."),
        N_("At most 30 hashtags and 20 mentions."),
        N_("Captions cannot be corrected after publication."),
        N_("A video alone is a reel; only pictures have descriptions."),
    ),
)
_HASHTAG = re.compile(r"(?<!\w)#\w")
_MENTION = re.compile(r"(?<![\w.])@\w")


def is_comment(message: Outgoing) -> bool:
    """True for what stands under a post; while it is written, nobody knows which one that will be."""
    return message.role != "part"


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what Instagram surely refuses or cannot do."""
    if message.visibility != "public":
        reason = _("Instagram knows no visibility {wanted!r} for a post.")
        raise Rejected(reason.format(wanted=message.visibility), field="visibility")
    _refuse_text(with_link(message.text, message.link))
    if not is_comment(message):
        _refuse_post(message)
    elif message.media:
        raise Rejected(_("A comment on Instagram takes no media."), field="media")


def _refuse_text(text: str) -> None:
    if len(text) > (LIMITS.text or 0):
        reason = _("{count} characters, and Instagram takes {most}.").format(count=len(text), most=LIMITS.text)
        raise Rejected(reason, field="text")
    hashtags, mentions = len(_HASHTAG.findall(text)), len(_MENTION.findall(text))
    if hashtags > HASHTAGS:
        reason = _("{count} hashtags, and Instagram takes {most}.").format(count=hashtags, most=HASHTAGS)
        raise Rejected(reason, field="text")
    if mentions > MENTIONS:
        reason = _("{count} mentions, and Instagram takes {most}.").format(count=mentions, most=MENTIONS)
        raise Rejected(reason, field="text")


def _refuse_post(message: Outgoing) -> None:
    if message.parent is not None:
        raise Rejected(_("Instagram knows no threads: use one post and a first comment."), field="parent")
    if not message.media:
        raise Rejected(_("Instagram takes no text alone: a post needs a picture or a video."), field="media")
    if any(len(media.alt) > ALT for media in message.media if media.mime in IMAGES):
        reason = _("A picture's description is longer than the {most} characters Instagram takes.").format(most=ALT)
        raise Rejected(reason, field="media")
