"""What Bluesky takes, and what is refused before it is asked.

Lexicons of bluesky-social/atproto d6296a1c (2026-08-20). Two bounds hold at once: 300 grapheme clusters and 3,000
UTF-8 bytes; addresses count in full. A picture may have 2,000,000 bytes; until 2026 it was 1,000,000, which servers of
others may still enforce. How long a film may be is told differently by every source (3 to 10 minutes), therefore no
bound is set here; the film service refuses what is too long for it.
"""

from datetime import date

from cm.channels.counting import graphemes, utf8
from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

IMAGES = ("image/jpeg", "image/png", "image/webp")
VIDEO = "video/mp4"
MAX_IMAGES = 4
LABELS = frozenset({"porn", "sexual", "nudity", "graphic-media", "!no-unauthenticated"})
"""Labels that an account may put on its own post (`com.atproto.label.defs`)."""
COVERED = "graphic-media"
"""The label of a content warning in words of one's own, which Bluesky cannot show."""

LIMITS = Limits(
    source="lexicons app.bsky.feed.post, app.bsky.embed.images and .video (bluesky-social/atproto d6296a1c)",
    read_on=date(2026, 8, 20),
    text=300,
    unit="graphemes",
    text_bytes=3000,
    images=MediaLimits(IMAGES, count=MAX_IMAGES, max_bytes=2_000_000),
    video=MediaLimits((VIDEO,), count=1, max_bytes=300_000_000),
    posts_per_day=11_666,  # 35,000 points a day, 3 for a new record
    notes=(
        N_("Posts are always public."),
        N_("A post cannot be changed, only deleted."),
        N_("Pictures and a link card exclude each other: beside pictures the address stands in the text."),
        N_("A content warning hides pictures; its words are not shown."),
    ),
)


def shown_text(message: Outgoing) -> str:
    """What the post says: the link is added only beside media, else it has a card of its own."""
    return with_link(message.text, message.link) if message.media else message.text


def card_of(message: Outgoing) -> str | None:
    """The address that gets a link card: a post shows either media or a card."""
    return None if message.media else message.link or None


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what Bluesky would surely refuse."""
    if message.visibility != "public":
        raise Rejected(_("Bluesky posts are always public."), field="visibility")
    text = shown_text(message)
    if (count := graphemes(text)) > 300:
        raise Rejected(_("{count} characters, and Bluesky takes 300.").format(count=count), field="text")
    if (count := utf8(text)) > 3000:
        raise Rejected(_("{count} bytes of text, and Bluesky takes 3000.").format(count=count), field="text")
    films = sum(media.mime == VIDEO for media in message.media)
    if films and len(message.media) > 1:
        raise Rejected(_("A film stands alone in a Bluesky post."), field="media")
    if films and message.limits.get("email_confirmed") is False:
        raise Rejected(_("Bluesky takes films only once the account's e-mail address is confirmed."), field="media")


def refuse_size(mime: str, size: int) -> None:
    """Raises Rejected for a file of more bytes than Bluesky takes."""
    most = (LIMITS.video if mime == VIDEO else LIMITS.images).max_bytes
    if most and size > most:
        reason = _("A file of {size} bytes, and Bluesky takes {most}.").format(size=size, most=most)
        raise Rejected(reason, field="media")
