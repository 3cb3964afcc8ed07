"""What a Facebook Page takes.

Sources contradict on pictures: the reference page of `/photos` says 10 MB, refusals say 4 MB (subcode 1366046); the
smaller one holds here. How many pictures a post takes is not documented; ten is what everybody keeps to. Text counts
code points. Reels: Video API "Reels publishing" of 2026-07-30.
"""

from datetime import date

from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

IMAGES = ("image/jpeg", "image/png", "image/gif")
VIDEO = ("video/mp4",)
COMMENT = 8000
"""Characters of a comment (long-standing, not in today's pages)."""
REELS_PER_DAY = 30
LIMITS = Limits(
    source="Graph API v26.0: Page feed and photos; Video API: Reels publishing (2026-07-30)",
    read_on=date(2026, 11, 21),
    text=63_206,
    images=MediaLimits(mimes=IMAGES, count=10, max_bytes=4_000_000),
    video=MediaLimits(mimes=VIDEO, count=1, min_side=540, ratios=(0.55, 0.575), seconds=(3, 90)),
    notes=(
        N_("A video is published as a reel: upright (9:16), 3 to 90 seconds, at most 30 in 24 hours."),
        N_("A link becomes a card only where there are no media; beside media it stands in the text."),
        N_("Text can be corrected afterwards; descriptions of pictures cannot."),
    ),
)


def is_comment(message: Outgoing) -> bool:
    """True for what stands under a post; while it is written, nobody knows which one that will be."""
    return message.role != "part"


def most(message: Outgoing) -> int:
    """Characters that a post or a comment takes."""
    return COMMENT if is_comment(message) else LIMITS.text or 0


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what Facebook surely refuses or cannot do."""
    if message.visibility != "public":
        reason = _("A Page's posts are public: Facebook knows no visibility {wanted!r} for them.")
        raise Rejected(reason.format(wanted=message.visibility), field="visibility")
    if message.parent is not None and not is_comment(message):
        raise Rejected(_("Facebook knows no threads: use one post and a first comment."), field="parent")
    used = len(with_link(message.text, message.link))
    if used > most(message):
        reason = _("{count} characters, and Facebook takes {most}.").format(count=used, most=most(message))
        raise Rejected(reason, field="text")
    _refuse_media(message)


def _refuse_media(message: Outgoing) -> None:
    films = sum(media.mime in VIDEO for media in message.media)
    if films and is_comment(message):
        raise Rejected(_("A comment takes a picture, no video."), field="media")
    if films and len(message.media) > 1:
        raise Rejected(_("A video stands alone: no second video and no pictures beside it."), field="media")
    if is_comment(message) and len(message.media) > 1:
        raise Rejected(_("A comment takes one picture."), field="media")
