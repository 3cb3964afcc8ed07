"""`cm undo`: what one did last is taken back."""

from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli.columns import Column, number
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

NAMED = 8
"""So many runs of ids are written out."""

app, register = command(_("Take back your own last step, or the last few; each as a whole."))


@register
def undo(
    ctx: typer.Context,
    steps: Annotated[int | None, typer.Argument(metavar="[N]", help=_("So many steps; 1 if left out."))] = None,
    as_list: Annotated[bool, typer.Option("--list", help=_("Show the steps that can be taken back."))] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Refused, with nothing changed, if a post has left or was changed by somebody else since (exit 4)."""
    from cm.calendar import undo as use

    if as_list and steps is not None:
        raise UsageError(_("Give a number of steps or --list, not both."))
    with workspace(ctx) as opened:
        zone = opened.env.zone
        known = use.steps(opened.env) if as_list else []
        result = None if as_list else use.undo(opened.env, 1 if steps is None else steps, dry_run=dry_run)
    if result is None:
        _list([(step, f"{step.at.astimezone(zone):%Y-%m-%d %H:%M}") for step in known], as_json)
    elif as_json:
        emit_json(result.as_json())
    else:
        _tell(result)


def _tell(result: "UndoResult") -> None:
    form = _("Would be undone: {what} ({ids})") if result.dry_run else _("Undone: {what} ({ids})")
    for step in result.undone:
        say(form.format(what=_what(step.verb, step.posts), ids=_named(_runs(step))))
        for post in step.missed:
            said = _("  {id} is missed now, for its time has passed → cm move {id} --next")
            say(said.format(id=f"p{post}"))
        for post in step.cancelled:
            say(_("  {id} was tried once: it is cancelled and kept").format(id=f"p{post}"))
    if len(result.posts) <= NAMED:
        for view in result.posts:
            say(f"  {short_line(view)}")
    if result.dry_run:
        say(_("Nothing was written (dry run)."))


def _list(known: "list[tuple[Step, str]]", as_json: bool) -> None:
    if as_json:
        emit_json({"steps": [_step_json(n, step) for n, (step, _at) in enumerate(known, 1)]})
        return
    columns = (number(_("n")), _("when"), Column(_("step"), "prose"), Column(_("posts"), "prose"))
    rows = [(n, at, _what(step.verb, step.posts), _named(_step_runs(step))) for n, (step, at) in enumerate(known, 1)]
    if rows:
        show(table(columns, rows))
    say(plural("{n} step can be taken back.", "{n} steps can be taken back.", len(rows)))


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
