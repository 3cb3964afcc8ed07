"""How `cm add` and `cm edit` come to a text, and what they do with it: at once, in the editor, or where it was left."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm.cli.editor import at_terminal, editor
from cm.cli.options import read_text
from cm.cli.render import say
from cm.errors import NotFound, Refused, UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.draftbox import Purpose
    from cm.calendar.stored import StoredPost
    from cm.calendar.views import PostView
    from cm.env import Env

USUAL_KIND = "announcement"
"""What a post is if nobody says."""
APART = frozenset({"at", "over", "draft", "crisis", "internal", "again"})
"""Options that are no words of a post."""

Source = tuple[str | None, Path | None]
"""`--text` and `-F` as `read_text` takes them; `-` for either is standard input."""


def way(
    words: Sequence[str] | None,
    text: str | None,
    file: Path | None,
    channels: Sequence[str] | None,
    options: dict[str, Any],
    *,
    resume: bool,
) -> "Callable[..., list[PostView]]":
    """How the posts are to be written; what it gives takes `env`, `yes` and `quiet`. Raises UsageError."""
    if resume:
        return partial(resumed, name=" ".join(words or ()))
    if not channels:
        raise UsageError(_("Where is it to go?"), hint=_("Name the channels: -c facebook,twitter"))
    source = source_of(words, text, file)
    if source is None and options.get("crisis"):
        raise UsageError(_("A crisis text is given at once."), hint=_("Give it as words, by --text TEXT or -F FILE."))
    if source is None:
        return partial(composed, names=channels, options=options)
    return partial(at_once, names=channels, options=options, source=source)


def source_of(words: Sequence[str] | None, text: str | None, file: Path | None) -> Source | None:
    """Where the text comes from; None if it is to be written in the editor. Raises UsageError."""
    if words and (text is not None or file is not None):
        raise UsageError(_("Give the text once: as words, by --text or by -F FILE."))
    if words:
        return " ".join(words), None
    if text is not None or file is not None:
        return text, file
    if not may_open_editor():
        raise UsageError(_("The post has no text."), hint=_("Give it as words, by --text TEXT, --text - or -F FILE."))
    return None


def is_typed(source: Source) -> bool:
    """True if the text is typed on the spot: nobody else has it."""
    return "-" in map(str, source) and sys.stdin.isatty()


def may_open_editor() -> bool:
    """True at a terminal, or where somebody has said which editor: a script without one must not hang in `vi`."""
    return sys.stdin.isatty() or any(os.environ.get(name, "").strip() for name in ("VISUAL", "EDITOR"))


# --- at once ----------------------------------------------------------------------------------------------------------


def at_once(
    env: "Env", names: Sequence[str], options: dict[str, Any], source: Source, *, yes: bool, quiet: bool
) -> "list[PostView]":
    """Posts by options alone, the same text on every channel; nothing is asked. A text that was typed on the spot is
    kept if it is refused. Raises as `cm.calendar.telling.tell`."""
    from cm.calendar import draftbox
    from cm.calendar.draftfile import render
    from cm.calendar.draftform import form_of
    from cm.calendar.shortnames import channels_called
    from cm.cli.draft_loop import kept

    channels = channels_called(env.config, names)
    text = read_text(*source) or ""
    if not is_typed(source):
        return _told(env, channels, options, text, quiet=quiet)
    form = form_of(channels, {"kind": USUAL_KIND, **options, "text": text}, env.config.required_fields)
    path = _new_draft(env, draftbox.Purpose(tuple(channels)), render(form))
    with kept(path):
        views = _told(env, channels, options, text, quiet=quiet)
        draftbox.discard(path)
        return views


def _told(env: "Env", channels: Sequence[str], options: dict[str, Any], text: str, *, quiet: bool) -> "list[PostView]":
    from cm.calendar.drafting import new_post
    from cm.calendar.telling import noting_same_words, tell
    from cm.calendar.times import echo, read_when
    from cm.calendar.writing import Marks

    when = read_when(options["at"], now=env.now, zone=env.zone) if options.get("at") else None
    given = {"kind": USUAL_KIND, **options, **inside(env, options)}
    words = {name: value for name, value in given.items() if name not in APART}
    wall = when.wall if when else None
    news = [new_post(channel=channel, text=text, wall=wall, **words) for channel in channels]
    marks = Marks(crisis=bool(options.get("crisis")))
    written = tell(env, news, over=options.get("over"), draft=options["draft"], marks=marks)
    views = [noting_same_words(env, view) for view in written]
    if "kind" not in options and not quiet:
        say(_("Its kind is {kind}; another is said with -k KIND.").format(kind=USUAL_KIND))
    if when and not quiet:
        say(_("Understood: {when}").format(when=echo(when)))
    if when and when.note == "gap":
        return [replace(view, notes=(*view.notes, echo(when))) for view in views]
    return views


def inside(env: "Env", options: dict[str, Any]) -> dict[str, list[str]]:
    """The audiences that --internal means. Raises UsageError if others are given too."""
    if options.get("internal") and options.get("audiences"):
        raise UsageError(_("Give --internal or --audience, not both."))
    return {"audiences": list(env.config.internal_audiences)} if options.get("internal") else {}


def edited_at_once(
    env: "Env", ident: str, changes: dict[str, Any], source: Source, *, crisis: bool | None = None
) -> "PostView":
    """A post with a text that is typed on the spot, and kept if it is refused; `changes`: what else becomes other.

    A post that may not change is refused before anything is typed. Raises as `cm.calendar.posts.edit`.
    """
    from cm.calendar import draftbox
    from cm.calendar.draftfile import render
    from cm.calendar.draftform import form_changed, form_of_post
    from cm.calendar.drafting import post_changes
    from cm.calendar.posts import edit
    from cm.calendar.telling import look
    from cm.cli.draft_loop import kept

    post = look(env, ident)
    changes = {**changes, "text": read_text(*source) or ""}
    purpose = draftbox.Purpose(ident=post.name, rev=post.rev)
    path = _new_draft(env, purpose, render(form_changed(form_of_post(post), changes)))
    with kept(path):
        view = edit(env, ident, post_changes(**changes), crisis=crisis)
        draftbox.discard(path)
        return view


# --- in the editor ----------------------------------------------------------------------------------------------------


def composed(env: "Env", names: Sequence[str], options: dict[str, Any], *, yes: bool, quiet: bool) -> "list[PostView]":
    """New posts written in the editor. Raises as `cm.cli.draft_loop.compose`."""
    from cm.calendar.draftbox import Purpose
    from cm.calendar.draftcheck import check_telling
    from cm.calendar.draftfile import render
    from cm.calendar.draftform import form_of, notes_on
    from cm.calendar.posts import require_open
    from cm.calendar.shortnames import channels_called
    from cm.cli.draft_loop import Draft, compose

    channels = channels_called(env.config, names)
    for channel in channels:
        require_open(env.config, channel)
    command = editor()
    given = {"kind": USUAL_KIND, **options, **inside(env, options)}
    form = form_of(channels, given, env.config.required_fields)
    text = render(form, notes_on(env, form))
    path = _new_draft(env, Purpose(tuple(channels)), text)
    return compose(Draft(env, path, command, partial(check_telling, env), text, yes=yes, quiet=quiet))


def rewritten(env: "Env", ident: str, *, yes: bool, quiet: bool) -> "list[PostView]":
    """A post rewritten in the editor; [] if it was left as it was. Raises as `cm.cli.draft_loop.compose`."""
    from cm.calendar.draftbox import Purpose
    from cm.calendar.draftcheck import check_rewriting
    from cm.calendar.draftfile import render
    from cm.calendar.draftform import form_of_post, notes_on
    from cm.calendar.telling import look
    from cm.cli.draft_loop import Draft, compose

    post = look(env, ident)
    command = editor()
    if not quiet:
        _tell_of_others(env.root, post.name)
    form = form_of_post(post)
    text = render(form, notes_on(env, form, editing=post.name))
    path = _new_draft(env, Purpose(ident=post.name, rev=post.rev), text)
    check = partial(check_rewriting, env, post=post)
    return compose(Draft(env, path, command, check, text, editing=True, yes=yes, quiet=quiet))


def _tell_of_others(root: Path, ident: str) -> None:
    from cm.calendar.draftbox import purpose_of, waiting

    for path in waiting(root):
        purpose = purpose_of(path)
        if purpose and purpose.ident == ident:
            said = _("An unfinished text for {id} waits too: cm add --resume {name}")
            say(said.format(id=ident, name=path.name))


def _new_draft(env: "Env", purpose: "Purpose", text: str) -> Path:
    from cm.calendar import draftbox

    return draftbox.create(env.root, purpose, text, env.now.astimezone(env.zone))


# --- where it was left ------------------------------------------------------------------------------------------------


def resumed(env: "Env", name: str, *, yes: bool, quiet: bool) -> "list[PostView]":
    """Go on with a kept text: the one named, else the newest. Raises NotFound, and as `composed`, `rewritten`."""
    from cm.calendar.draftbox import purpose_of
    from cm.calendar.draftcheck import check_rewriting, check_telling
    from cm.calendar.telling import look
    from cm.cli.draft_loop import Draft, compose, kept

    path = _chosen(env.root, name, quiet=quiet)
    if not may_open_editor():
        raise UsageError(_("A text is finished in an editor."), hint=_("Do it at a terminal, or say which: EDITOR=…"))
    purpose, command = purpose_of(path), editor()
    if purpose is None or purpose.ident is None:
        return compose(Draft(env, path, command, partial(check_telling, env), yes=yes, quiet=quiet))
    with kept(path):
        post = look(env, purpose.ident)
        if post.rev != purpose.rev and not (yes or at_terminal()):
            raise Refused(
                _("{id} was changed since this text was begun.").format(id=post.name),
                hint=_("Look at both at a terminal; --yes puts this text in place of the other."),
            )
    if post.rev != purpose.rev:
        _warn_of_changes(path, post, quiet=quiet)
    check = partial(check_rewriting, env, post=post)
    return compose(Draft(env, path, command, check, editing=True, yes=yes, quiet=quiet))


def _warn_of_changes(path: Path, post: "StoredPost", *, quiet: bool) -> None:
    """Say, here and at the top of the file, that the post is no longer what it was when the file was begun."""
    from cm.calendar.draftcheck import differing_lines
    from cm.calendar.draftfile import Remark, parse
    from cm.cli.draft_loop import mark, read

    text = read(path)
    parsed = parse(text)
    lines = ", ".join(differing_lines(parsed.document, post)) or "–"
    said = _("{id} was changed since. This file differs from it in: {lines}. Saving puts the file's words in place.")
    remark = Remark("", said.format(id=post.name, lines=lines))
    if not quiet:
        say(remark.message)
    mark(path, text, parsed, [remark])


def _chosen(root: Path, name: str, *, quiet: bool) -> Path:
    from cm.calendar.draftbox import names, waiting

    found = waiting(root)
    if not found:
        raise NotFound(_("No text waits to be finished."), hint=_("`cm add -c CHANNEL` begins one."))
    if not name:
        if len(found) > 1 and not quiet:
            say(_("The newest of several; the others: {names}").format(names=names(found[1:])))
        return found[0]
    for path in found:
        if name in (path.name, str(path)) or Path(name).resolve() == path.resolve():
            return path
    raise NotFound(_("There is no kept text {name!r}.").format(name=name), hint=names(found))
