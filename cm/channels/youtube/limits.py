"""What YouTube takes, as data, and what is refused before it is asked.

Title and description: "videos" of the Data API reference (100 characters; 5,000 bytes of UTF-8; neither `<` nor `>`).
Tags: 500 characters together, a tag with a blank counts two more for its quotes, and commas count. Uploads per day are
those of the developer project (quota page, since 2026-06-01); a channel has a cap of its own, which nobody publishes.
A comment's 10,000 characters are reported, not documented.
"""

from collections.abc import Sequence
from datetime import date

from cm.channels.counting import utf8
from cm.channels.port import Limits, MediaLimits, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import N_, _

FILMS = ("video/mp4", "video/quicktime")
TITLE, DESCRIPTION, COMMENT, TAGS = 100, 5000, 10_000, 500
UPLOADS_PER_DAY, UNITS_PER_DAY = 100, 10_000
"""Of the developer project, shared by all channels that use it."""
UNVERIFIED_SECONDS = 900
"""The longest film of a channel that has not proved its telephone number."""

LIMITS = Limits(
    source="YouTube Data API v3: videos, quota costs, discovery document 20261104",
    read_on=date(2026, 11, 21),
    text=DESCRIPTION,
    unit="bytes",
    title=TITLE,
    video=MediaLimits(mimes=FILMS, count=1, max_bytes=274_877_906_944, seconds=(0, 43_200)),
    needs_media=True,
    posts_per_day=UPLOADS_PER_DAY,
    notes=(
        N_("Every post is a film; its title is the field `title`, else the first line of its text."),
        N_("Captions are a file .srt or .vtt below media/, named in the field `captions`."),
        N_("A film is uploaded as private and made public at its time; if it never is, it stays there as private."),
        N_("Films longer than 15 minutes need a channel that has proved its telephone number."),
    ),
)


def title(message: Outgoing) -> str:
    """The film's title: as given, else the first line of the text that says anything."""
    given = " ".join(message.fields.get("title", "").split())
    return given or next((" ".join(line.split()) for line in message.text.splitlines() if line.strip()), "")


def description(message: Outgoing) -> str:
    """What stands below the film."""
    return with_link(message.text, message.link)


def refuse(message: Outgoing) -> None:
    """Raises Rejected, with the field, for what YouTube surely refuses or cannot do."""
    if message.visibility not in ("public", "unlisted"):
        raise Rejected(_("A private film is seen by nobody: use public or unlisted."), field="visibility")
    if message.parent is None:
        _refuse_media(message)
        refuse_words(message)
    elif message.role == "part":
        raise Rejected(_("YouTube knows no threads: use one post and a first comment."), field="parent")
    elif message.media:
        raise Rejected(_("A comment on YouTube takes no media."), field="media")
    else:
        refuse_comment(message)


def _refuse_media(message: Outgoing) -> None:
    films = sum(media.mime in FILMS for media in message.media)
    if not message.media:
        raise Rejected(_("YouTube takes nothing but films: add one to this post."), field="media")
    if films != 1 or len(message.media) > 1:
        raise Rejected(_("A post on YouTube is exactly one film, with nothing beside it."), field="media")


def refuse_words(message: Outgoing) -> None:
    """Raises Rejected for a title or a description that YouTube does not take."""
    named, said = title(message), description(message)
    if not named:
        raise Rejected(_("A film needs a title: fill in the field `title`."), field="title")
    if len(named) > TITLE:
        reason = _("The title has {count} characters, and YouTube takes {most}: fill in the field `title`.")
        raise Rejected(reason.format(count=len(named), most=TITLE), field="title")
    for field, words in (("title", named), ("text", said)):
        if "<" in words or ">" in words:
            raise Rejected(_("YouTube takes neither < nor > in titles and descriptions."), field=field)
    if (used := utf8(said)) > DESCRIPTION:
        reason = _("The description has {count} bytes, and YouTube takes {most}.")
        raise Rejected(reason.format(count=used, most=DESCRIPTION), field="text")


def refuse_comment(message: Outgoing) -> None:
    """Raises Rejected for a comment that YouTube does not take."""
    if (used := len(with_link(message.text, message.link))) > COMMENT:
        reason = _("The comment has {count} characters, and YouTube takes {most}.")
        raise Rejected(reason.format(count=used, most=COMMENT), field="text")


def refuse_length(seconds: float | None, message: Outgoing) -> None:
    """Raises Rejected for a film that is too long for this channel, as far as both lengths are known."""
    most = message.limits.get("longest_seconds")
    if isinstance(most, int) and seconds is not None and seconds > most:
        reason = _("The film lasts {seconds} s; YouTube takes {most} s until the channel has proved its number.")
        raise Rejected(reason.format(seconds=round(seconds), most=most), field="media")


def tags_length(tags: Sequence[str]) -> int:
    """How long a list of tags is, as YouTube counts."""
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(len(tags) - 1, 0)


def notes(message: Outgoing) -> tuple[str, ...]:
    """What YouTube makes of the message that nobody may expect; what is missing, checks tell."""
    if message.parent is None and not message.fields.get("title", "").strip() and title(message):
        return (_("The film has no title of its own: the first line of the text is its title."),)
    return ()
