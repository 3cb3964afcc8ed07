"""`cm undo`: what one did last is taken back."""

from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.bulk import ask
from cm.cli.columns import Column, excerpt, number
from cm.cli.editor import at_terminal
from cm.cli.lazy import command
from cm.cli.options import DryRun, Json, workspace
from cm.cli.render import emit_json, say, show, table
from cm.cli.render_posts import short_line
from cm.errors import UsageError
from cm.formats import plural
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.steps import Step
    from cm.calendar.undo import Undone, UndoResult
    from cm.env import Env

NAMED = 8
"""So many runs of ids are written out."""
WORDS = 60
"""So many characters are shown of a post that goes."""

app, register = command(_("Take back your own last step, or the last few; each as a whole."))


@register
def undo(
    ctx: typer.Context,
    steps: Annotated[int | None, typer.Argument(metavar="[N]", help=_("So many steps; 1 if left out."))] = None,
    as_list: Annotated[bool, typer.Option("--list", help=_("Show the steps that can be taken back."))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask before removing the posts it made."))] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Refused, with nothing changed, if a post has left or was changed by somebody else since (exit 4).

    Posts that the step made are removed for good: you are asked before.
    """
    if as_list and steps is not None:
        raise UsageError(_("Give a number of steps or --list, not both."))
    from cm.calendar import undo as use

    with workspace(ctx) as opened:
        zone = opened.env.zone
        known = use.steps(opened.env) if as_list else []
        most = 1 if steps is None else steps
        agreed = None if as_list or dry_run or yes else _agreed(opened.env, most)
        result = None if as_list else use.undo(opened.env, most, dry_run=dry_run, agreed=agreed)
    if result is None:
        _list([(step, f"{step.at.astimezone(zone):%Y-%m-%d %H:%M}") for step in known], as_json)
    elif as_json:
        emit_json(result.as_json())
    else:
        _tell(result)


def _agreed(env: "Env", most: int) -> "UndoResult | None":
    """What a person said yes to; None where nobody need be asked, since no post would be removed.

    Raises UsageError (nobody can be asked), Refused (declined), and what the undo raises.
    """
    from cm.calendar import undo as use

    if most < 1 or not any(step.created for step in use.steps(env, most)):
        return None
    shown = use.undo(env, most, dry_run=True)
    if not shown.removed:
        return None
    if not at_terminal():
        hint = _("Give --yes to do it, --dry-run to see what it would do.")
        raise UsageError(_("Posts would be removed for good, and nobody can be asked."), hint=hint)
    _tell_gone(shown)
    ask(plural("Remove {n} post for good?", "Remove {n} posts for good?", shown.removed))
    return shown


def _tell_gone(result: "UndoResult") -> None:
    """The posts that go, each with its first words; of many, how many and which ids."""
    for view in result.gone:
        say(f"  {short_line(view)} · {excerpt(view.text, WORDS)}")
    if not result.gone:
        runs = sorted(run for step in result.undone for run in step.removed)
        say(f"  {plural('{n} post', '{n} posts', result.removed)} ({_named(runs)})")


def _tell(result: "UndoResult") -> None:
    form = _("Would be undone: {what} ({ids})") if result.dry_run else _("Undone: {what} ({ids})")
    for step in result.undone:
        say(form.format(what=_what(step.verb, step.posts), ids=_named(_runs(step))))
        for post in step.missed:
            said = _("  {id} is missed now, for its time has passed → cm move {id} --next")
            say(said.format(id=f"p{post}"))
        for post in step.failed:
            said = _("  {id} has failed, and its time has passed → cm move {id} --next")
            say(said.format(id=f"p{post}"))
        for post in step.cancelled:
            say(_("  {id} was tried once: it is cancelled and kept").format(id=f"p{post}"))
    if len(result.posts) <= NAMED:
        for view in result.posts:
            say(f"  {short_line(view)}")
    if result.dry_run:
        if result.removed:
            say(plural("{n} post would be removed for good:", "{n} posts would be removed for good:", result.removed))
            _tell_gone(result)
        say(_("Nothing was written (dry run)."))


def _list(known: "list[tuple[Step, str]]", as_json: bool) -> None:
    if as_json:
        emit_json({"steps": [_step_json(n, step) for n, (step, _at) in enumerate(known, 1)]})
        return
    columns = (number(_("n")), _("when"), Column(_("step"), "prose"), Column(_("posts"), "prose"))
    rows = [(n, at, _what(step.verb, step.posts), _named(_step_runs(step))) for n, (step, at) in enumerate(known, 1)]
    if rows:
        show(table(columns, rows))
    if rows:
        say(plural("{n} step can be taken back.", "{n} steps can be taken back.", len(rows)))
    else:
        say(_("There is nothing to take back."))


def _step_json(n: int, step: "Step") -> dict[str, object]:
    ids = [[f"p{first}", f"p{last}"] for first, last in _step_runs(step)]
    return {"n": n, "at": step.at.isoformat(), "verb": step.verb, "posts": step.posts, "ids": ids}


def _what(verb: str, posts: int) -> str:
    """`move of 3 posts`."""
    names = {
        "post.add": _("adding of {posts}"),
        "post.edit": _("change of {posts}"),
        "post.move": _("move of {posts}"),
        "post.cancel": _("cancelling of {posts}"),
        "post.retry": _("new try of {posts}"),
        "calendar.import": _("import of {posts}"),
    }
    return names.get(verb, verb + " ({posts})").format(posts=plural("{n} post", "{n} posts", posts))


def _step_runs(step: "Step") -> list[tuple[int, int]]:
    from cm.calendar.steps import merged, runs_of

    return [(first, last) for first, last in merged([*step.created, *runs_of(step.changed)])]


def _runs(undone: "Undone") -> list[tuple[int, int]]:
    from cm.calendar.steps import merged, runs_of

    touched = runs_of([*undone.restored, *undone.cancelled])
    return [(first, last) for first, last in merged([*undone.removed, *touched])]


def _named(runs: list[tuple[int, int]]) -> str:
    """`p3, p7–p9`."""
    told = [f"p{first}" if first == last else f"p{first}–p{last}" for first, last in runs[:NAMED]]
    return ", ".join(told) + ("…" if len(runs) > NAMED else "")
