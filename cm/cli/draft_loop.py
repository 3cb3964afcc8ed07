"""A post written in the editor: edited, checked, shown, asked about, written. The text is kept until it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cm.calendar import draftbox
from cm.calendar.draftfile import Parsed, Remark, annotated, parse, without_remarks
from cm.cli import faults
from cm.cli.columns import excerpt
from cm.cli.editor import EditorFailed, ask, at_terminal, edit_file
from cm.cli.render import say
from cm.errors import CmError, Refused
from cm.formats import labelled, trouble, wall_long
from cm.i18n import _
from cm.model.words import state_word

if TYPE_CHECKING:
    from cm.calendar.draftcheck import Checked
    from cm.calendar.views import PostView
    from cm.env import Env

SAVE, EDIT, QUIT = range(3)
_SHOWN = 72


@dataclass(frozen=True)
class Draft:
    """A file being written, and how it is checked.

    `untouched`: what it held before the editor was opened, None where that may be written as it is. `editing`: a
    post that exists. `yes`: write without asking. `quiet`: a program asked for JSON and nothing else.
    """

    env: "Env"
    path: Path
    editor: list[str]
    check: "Callable[[Parsed], Checked]"
    untouched: str | None = None
    editing: bool = False
    yes: bool = False
    quiet: bool = False


def compose(draft: Draft) -> "list[PostView]":
    """Edit and check until the posts can be written, and write them; [] if an edited post is left as it was.

    The file goes when they are in the calendar, or when nothing was written in it; whatever else happens, it
    stays and the person is told where. Raises Refused: given up, or wrong where nobody can be asked.
    """
    from cm.calendar.draftcheck import write

    with kept(draft.path):
        while True:
            _edit(draft)
            text = read(draft.path)
            parsed = parse(text)
            if _is_given_up(draft, parsed):
                return _nothing(draft)
            checked = draft.check(parsed)
            if draft.editing and checked.work is None and not checked.blocked:
                return _nothing(draft)
            if checked.blocked and not at_terminal():
                mark(draft.path, text, parsed, checked.remarks)
                raise _wrong(checked)
            answer = _answer(draft, checked)
            if answer == EDIT:
                mark(draft.path, text, parsed, checked.remarks)
                continue
            if answer == QUIT or checked.work is None:
                raise Refused(_("Nothing was written."))
            views = write(draft.env, checked.work)
            draftbox.discard(draft.path)
            return views


def _nothing(draft: Draft) -> "list[PostView]":
    """There is nothing to write: an edited post stays as it is, new posts were given up."""
    draftbox.discard(draft.path)
    if draft.editing:
        return []
    raise Refused(_("Nothing was written."))


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Whatever ends this block early: the person learns where the text is and how to go on with it."""
    try:
        yield
    except Exception as error:
        known = faults.known(error, ())
        if known is None:
            _say_where(path)
            raise
        if path.exists():
            known.hint = "\n".join(part for part in (known.hint, _where(path)) if part)
            known.details["draft"] = str(path)
        raise known from None
    except BaseException:  # Ctrl-C
        _say_where(path)
        raise


def _where(path: Path) -> str:
    return _("Your text is kept in {path}; go on with: cm add --resume {name}").format(path=path, name=path.name)


def _say_where(path: Path) -> None:
    if path.exists():
        with suppress(OSError):  # there may be nobody left to hear it
            say("\n" + _where(path))


def _edit(draft: Draft) -> None:
    """Run the editor. A form that was never touched is not kept when the editor is left with an error."""
    try:
        edit_file(draft.editor, draft.path)
    except CmError as error:
        killed = isinstance(error, EditorFailed) and error.killed
        if not killed and read(draft.path) == draft.untouched:
            draftbox.discard(draft.path)
        raise


def read(path: Path) -> str:
    """What the person wrote, without our remarks. Raises Refused if it is not text."""
    try:
        return without_remarks(draftbox.read(path))
    except ValueError as error:
        raise Refused(str(error), hint=_("Save it as UTF-8.")) from None


def _is_given_up(draft: Draft, parsed: Parsed) -> bool:
    """True if the form is as it was, or nothing is left in it: the person changed their mind."""
    as_it_was = draft.untouched is not None and parsed.document == parse(draft.untouched).document
    return not parsed.remarks and (as_it_was or parsed.document.blank)


def mark(path: Path, text: str, parsed: Parsed, remarks: Iterable[Remark]) -> None:
    """Put the remarks into the file. If that fails, the file stays as the person left it."""
    try:
        draftbox.replace(path, annotated(text, parsed, remarks))
    except OSError as error:
        say(_("The remarks could not be put into the file ({why}); your text is untouched.").format(why=trouble(error)))


# --- what is shown and asked ------------------------------------------------------------------------------------------


def _answer(draft: Draft, checked: "Checked") -> int:
    """SAVE, EDIT or QUIT, as the person says; where nobody can be asked, SAVE."""
    if checked.blocked:
        _show_remarks(checked)
        return EDIT + ask(_("[e]dit again, [q]uit and keep the file"))
    asking = at_terminal() and not draft.yes
    if asking or not draft.quiet:
        _show_views(checked.views)
        _show_remarks(checked)
    if not asking:
        return SAVE
    return ask(_("[s]ave, [e]dit again, [q]uit and keep the file"))


def _wrong(checked: "Checked") -> Refused:
    problems = [{"place": remark.place, "message": remark.message} for remark in checked.remarks if remark.blocks]
    return Refused(
        "\n".join(_sentence(problem["place"], problem["message"]) for problem in problems),
        hint=_("Nothing was written; the remarks stand in the file."),
        details={"problems": problems},
    )


def _sentence(place: str, message: str) -> str:
    return labelled(place, message) if place and not place.startswith("line ") else message


def _show_remarks(checked: "Checked") -> None:
    for remark in checked.remarks:
        mark = _("To mend") if remark.blocks else _("Note")
        say(f"  {mark} · {_sentence(remark.place, remark.message)}")


def _show_views(views: "Sequence[PostView]") -> None:
    """What would be written: where, when, the first words."""
    for view in views:
        when = wall_long(view.scheduled_at) if view.scheduled_at else _("no time yet")
        say(f"{view.channel} · {when} · {state_word(view.state)}")
        say("  " + excerpt(view.text, _SHOWN))
        for note in view.notes:
            say(f"  {note}")
