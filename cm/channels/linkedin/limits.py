"""What LinkedIn takes, as data, and what is refused before it is asked.

Whether the backslashes of "little text" count is not documented: what people read is counted. Sources contradict
about the size of a film (500 MB in the guide, 5 GB in one field of the reference, 2026-11-21): the smaller holds.
"""

from datetime import date

from cm.channels.linkedin import little
from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

VERSION = "202609"
"""The newest version of the interface of which an end is known (reference of 2026-11-21; 202610 is only reported)."""
ENDS = {
    "202511": date(2026, 11, 16),
    "202601": date(2027, 1, 15),
    "202602": date(2027, 2, 15),
    "202603": date(2027, 3, 16),
    "202609": date(2027, 9, 15),
}
"""The day on which a version stops being answered, where it is known; usually a year after its month."""
COMMENT = 1250
"""Characters of a comment (reported)."""
FEWEST_BYTES = 75_000
"""Of a film."""
VISIBILITIES = {"public": "PUBLIC", "unlisted": "LOGGED_IN", "private": "CONNECTIONS"}
"""Ours to LinkedIn's, from wide to narrow; a page knows only the first."""
IMAGES = ("image/jpeg", "image/png", "image/gif")
VIDEO = "video/mp4"

LIMITS = Limits(
    source="learn.microsoft.com/linkedin/marketing: Posts, Images and Videos API",
    read_on=date(2026, 11, 21),
    text=3000,
    alt=4086,
    images=MediaLimits(mimes=IMAGES, count=20, max_pixels=36_152_319),
    video=MediaLimits(mimes=(VIDEO,), count=1, max_bytes=500_000_000, seconds=(3, 1800)),
    posts_per_day=150,
    notes=(
        N_("A link shows a card only with the fields card_title and card_description: LinkedIn reads no page itself."),
        N_("A first comment takes 1,250 characters and no media."),
        N_("There are no threads."),
        N_("Only pictures have descriptions."),
    ),
)


def carded(message: Outgoing) -> bool:
    """True if the link is shown as a card; one picture beside it is the card's own."""
    pictures = [media for media in message.media if media.mime in IMAGES]
    alone = len(message.media) == len(pictures) <= 1
    return bool(message.link and message.fields.get("card_title", "").strip() and alone and message.role != "comment")


def written(message: Outgoing) -> str:
    """The text, the link with it unless a card shows it; mentions still as they were written."""
    return message.text if carded(message) else with_link(message.text, message.link)


def used(message: Outgoing) -> int:
    """How many characters people will read."""
    return length(written(message))


def length(text: str) -> int:
    """How many characters people read of a text: of a mention the name, of an address what is sent."""
    return len(little.visible(little.linkable(text)))


def most(message: Outgoing) -> int:
    """How many there may be."""
    return COMMENT if message.role == "comment" else LIMITS.text or 0


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what LinkedIn would not take, or would take and not show."""
    if message.visibility not in VISIBILITIES:
        reason = _("LinkedIn knows no visibility {wanted!r}.").format(wanted=message.visibility)
        raise Rejected(reason, field="visibility")
    if used(message) > most(message):
        reason = _("{count} characters, and LinkedIn takes {most}.").format(count=used(message), most=most(message))
        raise Rejected(reason, field="text")
    if message.role == "comment":
        _refuse_comment(message)
    elif message.parent is not None:
        raise Rejected(_("LinkedIn knows no threads: write one message, or a first comment."), field="parent")
    if len(message.media) > 1 and any(media.mime == VIDEO for media in message.media):
        raise Rejected(_("LinkedIn takes one film, or pictures, not both."), field="media")
    if any(len(media.alt) > (LIMITS.alt or 0) for media in message.media):
        reason = _("An alt text is longer than the {most} characters that LinkedIn takes.").format(most=LIMITS.alt)
        raise Rejected(reason, field="media")


def _refuse_comment(message: Outgoing) -> None:
    if message.media:
        raise Rejected(_("A comment on LinkedIn takes no media."), field="media")
    if message.parent is None:
        raise Rejected(_("A comment needs the post that it stands under."), field="parent")


def refuse_size(mime: str, size: int) -> None:
    """Raises Rejected for a film of more or fewer bytes than LinkedIn takes."""
    largest = LIMITS.video.max_bytes or size
    if mime == VIDEO and not FEWEST_BYTES <= size <= largest:
        reason = _("A film of {size} bytes, and LinkedIn takes {least} to {most}.")
        raise Rejected(reason.format(size=size, least=FEWEST_BYTES, most=largest), field="media")
