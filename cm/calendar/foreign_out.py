"""A channel's planned posts as the bulk file of another tool, and what is lost on the way.

Hootsuite: three columns without header, `DD/MM/YYYY HH:MM` or `MM/DD/YYYY HH:MM`, message, link; at most 350
rows, one file for each profile, times to come. Buffer-like: `Text,Image URL,Tags,Posting Time`. Cells stand as they
are published: nothing guards them from a spreadsheet, which is why a text that looks like a formula is named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cm.calendar.cells import guard, write_day
from cm.calendar.csvfile import write_text
from cm.calendar.exporting import load_posts
from cm.calendar.stored import StoredPost
from cm.checks.content import split_parts
from cm.env import Env
from cm.errors import Refused, UsageError
from cm.i18n import _
from cm.model.states import PostState

HOOTSUITE, BUFFER = "hootsuite", "buffer"
TOOLS = (HOOTSUITE, BUFFER)
MOST_ROWS = 350
"""Rows that Hootsuite takes in one file (its help on bulk scheduling, read in 2026)."""


@dataclass(frozen=True)
class Loss:
    """Something that a tool's file cannot say, and the posts (ref or id) that have it."""

    what: str
    posts: tuple[str, ...]


@dataclass(frozen=True)
class Exported:
    """A file for another tool. `left_out`: posts without a time to come, which such a tool would refuse."""

    data: bytes
    posts: int
    losses: tuple[Loss, ...] = ()
    left_out: tuple[str, ...] = ()


def export_for(
    env: Env, tool: str, *, dates: str | None = None, tokens: Sequence[str] = (), **filters: Any
) -> Exported:
    """The scheduled posts of one channel as `tool` takes them. `dates`: DD/MM/YYYY or MM/DD/YYYY, for Hootsuite.

    Raises UsageError (no order of day and month), Refused (posts of several channels, too many rows, none), and as
    `cm.calendar.exporting.load_posts`, which knows `tokens` and `filters`.
    """
    if tool == HOOTSUITE and dates is None:
        raise UsageError(
            _("Hootsuite asks at the upload whether the day or the month comes first."),
            hint=_("Add --day-first or --month-first, as you will answer there."),
        )
    posts = load_posts(env, tokens, **filters)
    ready = [p for p in posts if p.state == PostState.SCHEDULED and p.scheduled_at and p.scheduled_at > env.now]
    _require_one_file(tool, ready)
    rows = [_hootsuite_row(post, dates or "") if tool == HOOTSUITE else _buffer_row(post) for post in ready]
    header = [] if tool == HOOTSUITE else [("Text", "Image URL", "Tags", "Posting Time")]
    kept = {post.id for post in ready}
    return Exported(
        data=write_text([*header, *rows], ",", "utf-8"),
        posts=len(rows),
        losses=_losses(tool, ready),
        left_out=tuple(_name(post) for post in posts if post.id not in kept),
    )


def _require_one_file(tool: str, posts: Sequence[StoredPost]) -> None:
    channels = sorted({post.spec.channel for post in posts})
    if not posts:
        raise Refused(_("No scheduled post with a time to come is chosen."), hint=_("Name another week or channel."))
    if len(channels) > 1:
        said = _("These are posts of {channels}; {tool} takes one file for each account.")
        raise Refused(
            said.format(channels=", ".join(channels), tool=tool.capitalize()),
            hint=_("Add --channel {name}.").format(name=channels[0]),
        )
    if tool == HOOTSUITE and len(posts) > MOST_ROWS:
        said = _("These are {n} posts; Hootsuite takes {most} rows in a file.")
        raise Refused(said.format(n=len(posts), most=MOST_ROWS), hint=_("Export week by week: --week 2026-W48."))


def _hootsuite_row(post: StoredPost, dates: str) -> tuple[str, str, str]:
    wall = post.wall
    when = f"{write_day(wall.date(), dates)} {wall:%H:%M}" if wall else ""
    return when, post.spec.text, post.spec.link or ""


def _buffer_row(post: StoredPost) -> tuple[str, str, str, str]:
    """Buffer has no place for a link: it stands below the text."""
    link = post.spec.link
    text = post.spec.text if not link or link in post.spec.text else f"{post.spec.text}\n\n{link}"
    return text, "", post.spec.theme or "", f"{post.wall:%Y-%m-%d %H:%M}"


_Has = Callable[[StoredPost], object]


def _losses(tool: str, posts: Sequence[StoredPost]) -> tuple[Loss, ...]:
    has: Mapping[str, _Has] = {
        _("refs, stories, kinds, audiences and languages"): lambda post: True,
        _("pictures and their descriptions"): lambda post: post.spec.media,
        _("first comments"): lambda post: post.spec.first_comment,
        _("fields of the kind"): lambda post: post.spec.fields,
        _("themes, campaigns and objectives"): lambda post: (
            (post.spec.theme if tool == HOOTSUITE else None) or post.spec.campaign or post.spec.objective
        ),
        _("threads: all parts go out as one post, with the lines ---"): lambda post: (
            len(split_parts(post.spec.text)) > 1
        ),
        _("a text that a spreadsheet takes for a formula: do not open the file in one"): lambda post: (
            guard(post.spec.text) != post.spec.text
        ),
    }
    if tool == BUFFER:
        has = {**has, _("links of their own: they stand below the text"): lambda post: post.spec.link}
    found = ((what, tuple(_name(post) for post in posts if holds(post))) for what, holds in has.items())
    return tuple(Loss(what, names) for what, names in found if names)


def _name(post: StoredPost) -> str:
    return post.spec.ref or post.name
