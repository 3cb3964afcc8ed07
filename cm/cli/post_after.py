"""What may be done with a post after its time has come: `cm post retry`, `confirm`, `takedown`, `correct`."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cm.cli import bulk, completion
from cm.cli.editor import at_terminal, edit_file, editor
from cm.cli.options import DryRun, Json, Over, read_text, workspace
from cm.cli.post_options import File, Text, tell
from cm.cli.post_plan import Targets, one_name
from cm.cli.render import emit_json, say
from cm.cli.render_posts import after_line, pieces_lines
from cm.cli.writing import may_open_editor
from cm.errors import CmError, Refused, UsageError
from cm.formats import plural
from cm.i18n import _
from cm.model.words import known_motive

if TYPE_CHECKING:
    from cm.calendar.bulk import BulkResult
    from cm.env import Env
    from cm.publishing.correct import Corrected, Correction
    from cm.publishing.takedown import Target, Withdrawn
    from cm.workspace import Workspace

Part = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        autocompletion=completion.posts,
        help=_("The post's id (p212) or ref; p212#2 is the second message of a thread."),
    ),
]
Motive = Annotated[
    str | None,
    typer.Option("--motive", metavar="KEY", autocompletion=completion.motives, help=_("Why: error, privacy, legal…")),
]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help=_("More on the motive, for the log."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask before it is done."))]

RETRIED = bulk.Act(
    lambda n: plural("Try {n} post again?", "Try {n} posts again?", n),
    lambda n: plural("{n} post is tried again by the next run.", "{n} posts are tried again by the next run.", n),
)

# --- retry ------------------------------------------------------------------------------------------------------------

RETRY = _("Try failed and missed posts again, now.")


def retry(
    ctx: typer.Context,
    targets: Targets,
    over: Over = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask before several go out."))] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """They go out with the next run of `cm publish`; what is out of a thread stays out. Exit 4 if one is left."""
    from cm.publishing.retry import retry_all

    name = one_name(targets)
    with workspace(ctx) as opened:

        def retried(dry: bool, agreed: "BulkResult | None") -> "BulkResult":
            return retry_all(opened.env, targets, over=over, dry_run=dry, agreed=agreed)

        agreed = yes or name is not None
        done, seen = bulk.carry_out(retried, RETRIED, yes=agreed, dry_run=dry_run, quiet=as_json)
        done, besides = bulk.noting(opened.env, done)
    if name is not None and done.left:
        raise Refused(done.left[0].reason, hint=_("Nothing was changed."))
    told = done if name is None else done.posts[0]
    bulk.tell_done(told, RETRIED, dry_run=dry_run, as_json=as_json, seen=seen, besides=besides)
    if name is not None and not (dry_run or as_json or besides):
        say(RETRIED.done(1))


# --- confirm ----------------------------------------------------------------------------------------------------------

CONFIRM = _("Say what became of a handed or unconfirmed post, or that a post is gone.")


def confirm(
    ctx: typer.Context,
    ident: Part,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help=_("It stands at this address."))] = None,
    not_published: Annotated[bool, typer.Option("--not-published", help=_("It is not there: plan it again."))] = False,
    gone: Annotated[bool, typer.Option("--gone", help=_("It stood there and was removed."))] = False,
    motive: Motive = None,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """A person looks; cm believes them and writes down who said it."""
    if sum((url is not None, not_published, gone)) != 1:
        raise UsageError(_("Give one of --url ADDRESS, --not-published and --gone."))
    if (motive or note) and not gone:
        raise UsageError(_("--motive and --note belong to --gone."))
    from cm.calendar.posts import show as read

    with workspace(ctx) as opened:
        name = _confirmed(opened.env, ident, url, motive, note, gone=gone)
        view = read(opened.env, name)
    tell(view, as_json)


def _confirmed(env: "Env", ident: str, url: str | None, motive: str | None, note: str | None, *, gone: bool) -> str:
    """Gives the post's id."""
    from cm.publishing.after_journal import find_part
    from cm.publishing.confirm import confirm_absent, confirm_gone, confirm_published

    with env.store.read() as session:
        post, part = find_part(session, ident)
    if url is not None:
        confirm_published(env, post.id, url, part)
    elif gone:
        confirm_gone(env, post.id, part, motive, note)
    else:
        confirm_absent(env, post.id, part)
    return post.name


# --- takedown ---------------------------------------------------------------------------------------------------------

TAKEDOWN = _("Take a published post down, for a motive from the list.")


def takedown(
    ctx: typer.Context, ident: Part, motive: Motive = None, note: Note = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Exit 7 if a person must look whether it is gone: where cm cannot delete, or no answer came."""
    motive = known_motive(motive) if motive is not None else None
    from cm.publishing.takedown import look, take_down
    from cm.publishing.withdrawal import require_motive

    with workspace(ctx) as opened:
        target = look(opened.env, opened.adapter, ident)
        require_motive(motive, note, target.view.motive)
        if not yes:
            _agree_takedown(target)
        done = take_down(opened.env, opened.adapter, ident, motive, note, waiting=_waiting)
    if as_json:
        emit_json(done.as_json())
    else:
        _tell_takedown(done, target, motive)
    raise typer.Exit(done.exit_code)


def _agree_takedown(target: "Target") -> None:
    say(after_line(target.view))
    for line in pieces_lines(target.pieces):
        say(line)
    _agree(plural("Take {n} message down?", "Take {n} messages down?", len(target.pieces)))


def _agree(question: str) -> None:
    """Raises UsageError (nobody can be asked), Refused (declined)."""
    if not at_terminal():
        said = _("This cannot be undone, and nobody can be asked.")
        raise UsageError(said, hint=_("Give --yes to do it."))
    bulk.ask(question)


def _waiting() -> None:
    say(_("Another run of cm works this account: waiting for it…"))


def _tell_takedown(done: "Withdrawn", target: "Target", motive: str | None) -> None:
    whole = f"{done.view.id}#{target.part}" if target.part else done.view.id
    if done.gone:
        said = plural("{n} message is gone.", "{n} messages are gone.", len(done.gone))
        say(f"{whole} · {done.view.channel} · {said}")
    for left in done.left:
        name, where = f"{done.view.id}#{left.n}", left.permalink or "–"
        say(_("{name} · {reason} · {where}").format(name=name, reason=left.reason, where=where))
    kinds = {left.why for left in done.left}
    if "by_hand" in kinds:
        say(_("→ remove it there, then: cm post confirm {id} --gone").format(id=whole))
        if any(left.why == "by_hand" and left.permalink is None for left in done.left):
            say(_("→ if it never appeared there: cm post confirm {id} --not-published").format(id=whole))
    if "unconfirmed" in kinds:
        again = f"cm post takedown {whole}" + (f" --motive {motive}" if motive else "")
        said = _("→ no answer came: look there. Do it again: {again}; or, if it is gone: {gone}")
        say(said.format(again=again, gone=f"cm post confirm {whole} --gone"))


# --- correct ----------------------------------------------------------------------------------------------------------

CORRECT = _("Change the text of a published post where it stands.")


def correct(
    ctx: typer.Context, ident: Part, text: Text = None, file: File = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Without a text, in your editor. Exit 7 if no answer came or cm cannot change what stands there."""
    given = read_text(text, file)
    if given is None and not may_open_editor():
        raise UsageError(_("There is no text."), hint=_("Give it by --text TEXT, --text - or -F FILE."))
    with workspace(ctx) as opened:
        done = _rewritten(opened, ident, yes=yes) if given is None else _corrected(opened, ident, given, yes=yes)
    if done is None:
        say(_("Nothing was changed."))
        return
    if as_json:
        emit_json(done.as_json())
    else:
        _tell_correction(done)
    raise typer.Exit(done.exit_code)


def _corrected(opened: "Workspace", ident: str, text: str, *, yes: bool) -> "Corrected":
    from cm.publishing.correct import correct as run
    from cm.publishing.correct import plan

    wanted = plan(opened.env, opened.adapter, ident, text)
    if not yes:
        _agree_correction(wanted)
    return run(opened.env, opened.adapter, wanted, waiting=_waiting)


def _agree_correction(wanted: "Correction") -> None:
    say(after_line(wanted.view))
    for one in wanted.rewordings:
        for line in pieces_lines([one.piece]):
            say(line)
        say(_("becomes:"))
        say(one.after.text)
    for note in wanted.notes:
        say(f"  {note}")
    _agree(_("Change it there?"))


def _rewritten(opened: "Workspace", ident: str, *, yes: bool) -> "Corrected | None":
    """The text changed in the editor; None if it was left as it was. It is kept if it cannot be used."""
    from cm.publishing.correct import text_of

    before = text_of(opened.env, ident)
    descriptor, name = tempfile.mkstemp(dir=opened.root / ".cm", prefix="correction-", suffix=".txt")
    path = Path(name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(before + "\n")
    try:
        edit_file(editor(), path)
        after = read_text(None, path) or ""
        done = _corrected(opened, ident, after, yes=yes) if after != before else None
    except CmError as error:
        kept = _("Your text is kept: cm post correct {id} -F {path}").format(id=ident, path=path)
        error.hint = f"{error.hint}\n{kept}".strip()
        raise
    path.unlink()
    return done


def _tell_correction(done: "Corrected") -> None:
    tell(done.view, False)
    if not done.doubtful:
        say(_("It reads so there now."))
    for piece in done.doubtful:
        name = f"{done.view.id}#{piece.n}"
        said = _("{name}: no answer came. Look there ({where}), then correct it again; cm still has the old text.")
        say(said.format(name=name, where=piece.permalink or "–"))
