"""What X takes, as data, what is refused before it is asked, and what a post costs.

Prices (docs.x.com, pay per use, read 2026-08-22): a post 0.015 $, one with an address in it 0.200 $, an alt text
0.005 $. What is billed as an address is not said (one without a scheme, one with an unknown
ending): the higher price is shown.
Whether an account may write long posts is told by its subscription (`subscription_type`); the figure is X's of
2024-08-20.
"""

from datetime import date
from typing import Any

from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.channels.x import counting
from cm.i18n import N_, _

IMAGES = ("image/jpeg", "image/png", "image/webp")
GIF = "image/gif"
FILMS = ("video/mp4", "video/quicktime")
ALT = 1000
"""Characters of an alt text."""
LONG = 25_000
"""Weights of a post of a Premium account."""
MAX_BYTES = dict.fromkeys(IMAGES, 5_000_000) | {GIF: 15_000_000} | dict.fromkeys(FILMS, 512_000_000)
"""Whether X counts in thousands or in 1024s is not said: the smaller holds."""
POST, POST_WITH_ADDRESS, METADATA = 0.015, 0.200, 0.005
"""US dollars."""

LIMITS = Limits(
    source="docs.x.com, X OpenAPI 2.167, twitter-text configuration v3",
    read_on=date(2026, 8, 22),
    text=counting.MOST,
    unit="weighted",
    url=counting.URL_WEIGHT,
    alt=ALT,
    images=MediaLimits(
        mimes=(*IMAGES, GIF),
        count=4,
        max_bytes=MAX_BYTES["image/jpeg"],
        animated=MediaLimits(mimes=(GIF,), count=1, max_bytes=MAX_BYTES[GIF], max_side=1280, max_pixels=1280 * 1080),
    ),
    video=MediaLimits(
        mimes=FILMS,
        count=1,
        max_bytes=MAX_BYTES["video/mp4"],
        max_side=1280,
        min_side=32,
        ratios=(1 / 3, 3.0),
        seconds=(0.5, 140),
    ),
    notes=(
        N_("Each post is paid for; one with a link costs over ten times one without."),
        N_("An animated GIF stands alone: 15 MB, 1280 × 1080, 350 pictures."),
        N_("The same text twice is refused."),
    ),
)


def price(message: Outgoing) -> float:
    """US dollars that sending the message costs, its alt texts included."""
    text = with_link(message.text, message.link)
    post = POST_WITH_ADDRESS if "://" in text or counting.addresses(text) else POST
    return round(post + METADATA * sum(bool(media.alt) for media in message.media), 3)


def notes(message: Outgoing) -> tuple[str, ...]:
    """What X does with the message that nobody may expect."""
    told, found = [], counting.addresses(with_link(message.text, message.link))
    if message.fields.get("warning"):
        told.append(_("X shows no content warning: the post stands there without it."))
    if message.link and not counting.addresses(message.link):
        reason = _("X makes no link of {address}: it knows no such ending of a name.")
        told.append(reason.format(address=message.link))
    if message.media and found:
        told.append(_("Beside media, the link gets no card."))
    return tuple(told)


def most(message: Outgoing) -> int:
    """The longest text of this account as last measured."""
    measured: Any = message.limits.get("max_weighted")
    return measured if isinstance(measured, int) else counting.MOST


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what X surely refuses."""
    text = with_link(message.text, message.link)
    if message.visibility != "public":
        raise Rejected(_("X shows every post to everybody."), field="visibility")
    if counting.INVALID & set(text):
        raise Rejected(_("The text holds a character that X refuses (U+FFFE, U+FEFF or U+FFFF)."), field="text")
    used, at_most = counting.weighted(text), most(message)
    if used > at_most:
        reason = _("The text counts {used} on X, and at most {most} fit.").format(used=used, most=at_most)
        raise Rejected(reason, field="text")
    _refuse_media(message)


def refuse_size(mime: str, size: int) -> None:
    """Raises Rejected for a file of more bytes than X takes."""
    if size > MAX_BYTES[mime]:
        reason = _("A file of {size} bytes, and X takes {most}.").format(size=size, most=MAX_BYTES[mime])
        raise Rejected(reason, field="media")


def _refuse_media(message: Outgoing) -> None:
    if len(message.media) > 1 and any(media.mime not in IMAGES for media in message.media):
        reason = _("X shows up to four pictures, or one film, or one GIF; save a GIF that stands still as PNG.")
        raise Rejected(reason, field="media")
    if any(len(media.alt) > ALT for media in message.media):
        reason = _("An alt text is longer than the {most} characters X takes.").format(most=ALT)
        raise Rejected(reason, field="media")
