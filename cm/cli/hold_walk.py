"""What was held, post by post: a person says what becomes of each, with one key."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cm.cli.columns import excerpt
from cm.cli.editor import ask, line
from cm.cli.render import console, say
from cm.errors import CmError, UsageError
from cm.formats import plural, wall_long
from cm.i18n import _

if TYPE_CHECKING:
    from cm.env import Env
    from cm.publishing.heldposts import HeldPost

LEAVE, NEXT, TIME, CANCEL, ALL, QUIT = range(6)


def walk(env: "Env", missed: "Sequence[HeldPost]", planned: "Sequence[HeldPost]") -> bool:
    """Ask about each post; False if the person stopped before the last one.

    `missed`: their time came under the hold; `planned`: their time is still to come, left alone they go out then.
    """
    if missed:
        say(plural("{n} post was held back:", "{n} posts were held back:", len(missed)))
    question = _("[l]eave it as it is, [n]ext open slot, another [t]ime, [c]ancel, leave [a]ll the others, [q]uit")
    if _each(env, missed, question) is QUIT:
        return False
    if planned:
        said = plural(
            "{n} post is planned for the next 24 hours:", "{n} posts are planned for the next 24 hours:", len(planned)
        )
        say(said)
    question = _(
        "[l]et it go out then, [n]ext open slot, another [t]ime, [c]ancel, [a]ll the others as planned, [q]uit"
    )
    return _each(env, planned, question) is not QUIT


def _each(env: "Env", posts: "Sequence[HeldPost]", question: str) -> int:
    """LEAVE when all were gone through, else ALL or QUIT."""
    for n, post in enumerate(posts, start=1):
        _show(env, post, f"{n}/{len(posts)}")
        answer = _one(env, post, question)
        if answer in (ALL, QUIT):
            return answer
    return LEAVE


def _show(env: "Env", post: "HeldPost", place: str) -> None:
    when = wall_long(post.at.astimezone(env.zone)) if post.at else "–"
    say(f"{place} · {post.id} · {post.channel} · {when}")
    say("  " + excerpt(post.text, max(20, console(stderr=True).width - 3)))


def _one(env: "Env", post: "HeldPost", question: str) -> int:
    """Do what the person says; what is refused is told, and asked again."""
    while True:
        answer = ask(question)
        if answer in (LEAVE, ALL, QUIT):
            return answer
        try:
            _act(answer)(env, post)
        except CmError as error:
            say(f"  {error.message} {error.hint}".rstrip())
        else:
            return answer


def _act(answer: int) -> "Callable[[Env, HeldPost], None]":
    return {NEXT: _to_next_slot, TIME: _to_time, CANCEL: _cancel}[answer]


def _to_next_slot(env: "Env", post: "HeldPost") -> None:
    from cm.calendar.posts import move

    for note in move(env, post.id, None).notes:
        say(f"  {note}")


def _to_time(env: "Env", post: "HeldPost") -> None:
    from cm.calendar.posts import move
    from cm.calendar.times import echo, read_when

    said = line(_("When? ")).strip()
    if not said:
        raise UsageError(_("No time was given."))
    when = read_when(said, now=env.now, zone=env.zone)
    move(env, post.id, when.wall)
    say(f"  {echo(when)}")


def _cancel(env: "Env", post: "HeldPost") -> None:
    from cm.calendar.posts import cancel

    cancel(env, post.id)
    say("  " + _("cancelled; kept, and brought back by cm move"))
