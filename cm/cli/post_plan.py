"""Giving posts another time and taking them out: `cm move`, `cm post move`, `cm post cancel`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import bulk, completion
from cm.cli.options import DryRun, Json, Over, workspace
from cm.cli.post_options import At
from cm.cli.render import say
from cm.errors import UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.bulk import BulkResult
    from cm.calendar.views import PostView
    from cm.clock import Resolved
    from cm.env import Env

TARGETS = _("Ids (p212), refs or filters (state:missed channel:facebook week:2026-W48).")
Targets = Annotated[
    list[str],
    typer.Argument(metavar="POST", autocompletion=completion.filters_or_posts, help=TARGETS, show_default=False),
]
TargetsAndTime = Annotated[
    list[str],
    typer.Argument(
        metavar="POST",
        autocompletion=completion.filters_or_posts,
        help=TARGETS + " " + _("A time may follow: p212 tomorrow 9h"),
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask before changing several posts."))]

MOVE = _("Give posts another time, or the next open slots.")


def move(
    ctx: typer.Context,
    words: TargetsAndTime,
    at: At = None,
    next_slot: Annotated[
        bool, typer.Option("--next", help=_("The next open slot of its channel, within the day's quota."))
    ] = False,
    over: Over = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Failed and missed posts are planned anew this way. Exit 4 if one of several is left as it was."""
    targets, time = told_apart(words, at, next_slot)
    with workspace(ctx) as opened:
        env = opened.env
        when = _understood(env, time, quiet=as_json)
        name = one_name(targets)

        def moved(dry: bool, agreed: "BulkResult | None") -> "BulkResult":
            from cm.calendar.bulk import move_all

            return move_all(env, targets, when.wall if when else None, over=over, dry_run=dry, agreed=agreed)

        done: BulkResult | PostView
        seen, besides = False, list[str]()
        if name is None:
            several, seen = bulk.carry_out(moved, bulk.MOVED, yes=yes, dry_run=dry_run, quiet=as_json)
            done, besides = bulk.noting(env, several)
        else:
            done = _moved_one(env, name, when, over=over, dry_run=dry_run)
    bulk.tell_done(done, bulk.MOVED, dry_run=dry_run, as_json=as_json, seen=seen, besides=besides)


CANCEL = _("Take posts out of the calendar; they stay on record.")


def cancel(
    ctx: typer.Context,
    targets: Targets,
    why: Annotated[str | None, typer.Option("--why", metavar="REASON", help=_("For the log."))] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Refused for a post that has left. Exit 4 if one of several is left as it was."""
    from cm.calendar import posts

    with workspace(ctx) as opened:
        env = opened.env
        name = one_name(targets)

        def cancelled(dry: bool, agreed: "BulkResult | None") -> "BulkResult":
            from cm.calendar.bulk import cancel_all

            return cancel_all(env, targets, why, dry_run=dry, agreed=agreed)

        done: BulkResult | PostView
        seen = False
        if name is None:
            done, seen = bulk.carry_out(cancelled, bulk.CANCELLED, yes=yes, dry_run=dry_run, quiet=as_json)
        else:
            done = posts.cancel(env, name, why, dry_run=dry_run)
    bulk.tell_done(done, bulk.CANCELLED, dry_run=dry_run, as_json=as_json, seen=seen)


# --- what was meant ---------------------------------------------------------------------------------------------------


def told_apart(words: Sequence[str], at: str | None, next_slot: bool) -> tuple[list[str], str | None]:
    """The posts and the time that a command line names.

    With --at or --next every word is a post. Without, the first one is, and those after it that look like an id
    or a filter; whatever follows is the time. Raises UsageError: no time, or two.
    """
    from cm.calendar.filter_words import is_target

    if at is not None and next_slot:
        raise UsageError(_("Give --at TIME or --next, not both."))
    if at is not None or next_slot:
        return list(words), at
    count = next((n for n, word in enumerate(words) if n and not is_target(word)), len(words))
    if count == len(words):
        raise UsageError(
            _("When? No time is given."),
            hint=_("Write it after the post (cm move p212 tomorrow 9h), or give --at TIME or --next."),
        )
    return list(words[:count]), " ".join(words[count:])


def _understood(env: "Env", time: str | None, *, quiet: bool) -> "Resolved | None":
    """The time that is meant, said in full."""
    if time is None:
        return None
    from cm.calendar.times import echo, read_when

    when = read_when(time, now=env.now, zone=env.zone)
    if not quiet:
        say(echo(when))
    return when


def one_name(targets: Sequence[str]) -> str | None:
    """The id or ref, if there is one and no filter: then the answer is that post, else a list."""
    from cm.calendar.filter_words import is_filter

    return targets[0] if len(targets) == 1 and not is_filter(targets[0]) else None


def _moved_one(env: "Env", name: str, when: "Resolved | None", *, over: str | None, dry_run: bool) -> "PostView":
    from cm.calendar.posts import move as run
    from cm.calendar.times import echo
    from cm.publishing.obstacles import noting

    (view,) = noting(env, [run(env, name, when.wall if when else None, over=over, dry_run=dry_run)])
    # the time that a clock change skips is no longer in the plan
    return replace(view, notes=(*view.notes, echo(when))) if when and when.note == "gap" else view
