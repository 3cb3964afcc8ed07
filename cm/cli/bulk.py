"""Acts on many posts: the list is shown, a person says yes, and what was done and left is told."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from cm.cli.columns import Column, Grid
from cm.cli.editor import at_terminal
from cm.cli.post_options import tell
from cm.cli.render import console, emit_json, say, show, table
from cm.cli.render_posts import post_table, state_of
from cm.errors import Refused, UsageError
from cm.formats import plural
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.bulk import BulkResult
    from cm.calendar.views import PostView
    from cm.env import Env

YES = frozenset({"y", "yes", "o", "oui"})

Run = Callable[[bool, "BulkResult | None"], "BulkResult"]
"""Told whether it is a dry run, and what was agreed to."""


@dataclass(frozen=True)
class Act:
    """How an act asks before, and what it says after, of so many posts."""

    ask: Callable[[int], str]
    done: Callable[[int], str]


MOVED = Act(
    lambda n: plural("Move {n} post?", "Move {n} posts?", n),
    lambda n: plural("{n} post moved.", "{n} posts moved.", n),
)
CANCELLED = Act(
    lambda n: plural("Cancel {n} post?", "Cancel {n} posts?", n),
    lambda n: plural("{n} post cancelled.", "{n} posts cancelled.", n),
)


def carry_out(run: Run, act: Act, *, yes: bool, dry_run: bool, quiet: bool) -> "tuple[BulkResult, bool]":
    """Do it; several posts are shown first and asked for, unless `yes`; gives whether they were. `quiet`: the list
    is not shown.

    What is done is what was shown. Raises UsageError (nobody can be asked), Refused (declined, or the calendar has
    changed meanwhile).
    """
    if dry_run or yes:
        return run(dry_run, None), False
    shown = run(True, None)
    if len(shown.posts) > 1:
        if not at_terminal():
            hint = _("Give --yes to do it, --dry-run to see what it would do.")
            raise UsageError(_("Several posts would be changed, and nobody can be asked."), hint=hint)
        if not quiet:
            show_changes(shown, stderr=True)
        ask(act.ask(len(shown.posts)))
    return run(False, shown), len(shown.posts) > 1 and not quiet


def noting(env: "Env", done: "BulkResult") -> "tuple[BulkResult, list[str]]":
    """The same with notes on what stands in the way of its posts, and those sentences, each once."""
    from cm.publishing import obstacles

    posts = obstacles.noting(env, done.posts)
    return replace(done, posts=posts), obstacles.told_apart(done.posts, posts)


def ask(question: str) -> None:
    """Ask at the terminal. Raises Refused for any answer but yes."""
    sys.stderr.write(question + _(" [y/N] "))
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in YES:
        raise Refused(_("Nothing was done."))


def show_changes(result: "BulkResult", *, stderr: bool = False) -> None:
    """Each post with its time and state before and after, and those that are left alone."""
    if result.posts:
        grid = _changes(result)
        if stderr:
            console(stderr=True).print(grid)
        else:
            show(grid)
    for left in result.left:
        say(_("{id} is left as it is: {reason}").format(id=left.id, reason=left.reason))


def _changes(result: "BulkResult") -> Grid:
    if all(result.was[view.id] == view.wall for view in result.posts):
        return post_table(result.posts)
    columns = (_("id"), _("was"), _("is"), _("channel"), _("state"), Column(_("text"), "line"))
    rows = [
        (v.id, _shown(result.was[v.id]), _shown(v.wall), v.channel, state_of(v.state), v.text) for v in result.posts
    ]
    return table(columns, rows)


def _shown(wall: str | None) -> str | None:
    return wall.replace("T", " ")[:16] if wall else None


def tell_done(
    done: "BulkResult | PostView", act: Act, *, dry_run: bool, as_json: bool, seen: bool, besides: Sequence[str] = ()
) -> None:
    """What was done, to one post that was named or to several; exit 4 if some were left as they were.

    `seen`: the person has the list before their eyes; `besides`: what else is told of several.
    """
    from cm.calendar.bulk import BulkResult

    if not isinstance(done, BulkResult):
        tell(done, as_json)
    elif as_json:
        emit_json(done.as_json())
    else:
        if not (seen and sys.stdout.isatty()):
            show_changes(done)
        say(act.done(len(done.posts)))
        for line in besides:
            say(line)
    if dry_run and not as_json:
        say(_("Nothing was written (dry run)."))
    if isinstance(done, BulkResult) and done.left:
        raise typer.Exit(Refused.exit_code)
