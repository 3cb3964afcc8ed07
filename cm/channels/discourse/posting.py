"""Topics and replies as Discourse takes them: Markdown, pictures in it. Pure.

A post is called `topic/number` here (`345/1`): that is what a reply names, and what its address holds. What opens a
topic needs a title: the field `title`, or else the first line, which the text then lacks unless it is all there is.
"""

import re
from collections.abc import Mapping, Sequence

from cm.channels.port import Json, Outgoing, Rejected
from cm.channels.text import with_link
from cm.i18n import _

LONGEST_TITLE = 255
_PICTURE = re.compile(r"!\[(?P<alt>(?:\\.|[^\\\[\]])*)\]\((?P<url>upload://[^\s()]+)\)")
_NAME = re.compile(r"([0-9]{1,12})/([0-9]{1,9})")


def is_topic(message: Outgoing) -> bool:
    """True for what opens a topic; everything else answers a post."""
    return message.parent is None and message.role != "comment"


def title(message: Outgoing) -> str:
    """The topic's title; a first line that is too long for one is cut between words."""
    given = " ".join(message.fields.get("title", "").split())
    if given:
        return given
    line = " ".join(_parted(message.text)[0].split())
    if len(line) <= LONGEST_TITLE:
        return line
    kept = line[: LONGEST_TITLE - 1]
    return f"{kept.rpartition(' ')[0] or kept}…"


def written(message: Outgoing) -> str:
    """The text under the title, the link with it; without pictures."""
    text = message.text
    if is_topic(message) and not message.fields.get("title", "").strip():
        first, rest = _parted(text)
        text = rest if rest and len(first) <= LONGEST_TITLE else text
    return with_link(text, message.link)


def raw(message: Outgoing, pictures: Sequence[str]) -> str:
    """The whole text in Markdown."""
    return "\n\n".join(part for part in (written(message), "\n".join(pictures)) if part)


def picture(alt: str, url: str, size: str) -> str:
    """A picture with its alt text. `size`: `690x388`, or empty."""
    return f"![{_alt(alt)}{'|' if size else ''}{size}]({url})"


def pictures(markdown: str) -> list[tuple[str, str, str]]:
    """Alt text, address and size of the pictures in a text."""
    return [(*_said(found["alt"]), found["url"]) for found in _PICTURE.finditer(markdown)]


def without_pictures(markdown: str) -> str:
    """The text alone."""
    return _PICTURE.sub("", markdown).strip()


def corrected(message: Outgoing, before: str) -> str:
    """The new text of a post with the pictures that stand in it, their alt texts as the message has them."""
    kept = pictures(before)
    alts = [media.alt for media in message.media][: len(kept)]
    alts += [alt for alt, _size, _url in kept[len(alts) :]]
    told = zip(alts, kept, strict=True)
    return raw(message, [picture(alt, url, size) for alt, (_old, size, url) in told])


def topic(message: Outgoing, markdown: str, category: int | None, tags: Sequence[Json | str]) -> Json:
    """What opens a topic; our own key is added when it is sent."""
    body: Json = {"title": title(message), "raw": markdown}
    if category is not None:
        body["category"] = category
    if tags:
        body["tags"] = list(tags)
    return body


def reply(parent: str, markdown: str) -> Json:
    """What answers a post. Raises Rejected if that is none."""
    number, place = place_of(parent)
    return {"topic_id": number, "reply_to_post_number": place, "raw": markdown}


def place_of(remote_id: str) -> tuple[int, int]:
    """Topic and number of a post; a number alone is a topic's. Raises Rejected for anything else."""
    found = _NAME.fullmatch(remote_id if "/" in remote_id else f"{remote_id}/1")
    if found is None:
        raise Rejected(_("{id!r} is no post of a forum.").format(id=remote_id[:80]))
    return int(found[1]), int(found[2])


def name(post: Mapping[str, object]) -> str | None:
    """What a post is called here; None if it does not say where it stands."""
    number, place = post.get("topic_id"), post.get("post_number")
    return f"{number}/{place}" if isinstance(number, int) and isinstance(place, int) else None


def _parted(text: str) -> tuple[str, str]:
    """The first line that says something, and what follows."""
    first, _sep, rest = text.strip().partition("\n")
    return first.strip(), rest.strip()


def _alt(text: str) -> str:
    """On one line; `|` has a meaning that cannot be escaped there."""
    flat = " ".join(text.split()).replace("|", "/")
    return re.sub(r"[\\\[\]]", r"\\\g<0>", flat)


def _said(inside: str) -> tuple[str, str]:
    """Alt text and size."""
    alt, _sep, size = inside.partition("|")
    return re.sub(r"\\([\\\[\]])", r"\1", alt), size
