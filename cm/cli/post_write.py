"""Writing a post and changing its words: `cm post add`, `cm post edit`; by options, or in the editor."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli import urgent as broadcast
from cm.cli import writing
from cm.cli.options import Json, Over, read_text, workspace
from cm.cli.post_options import (
    Again,
    Alt,
    At,
    Audience,
    Campaign,
    Channels,
    Comment,
    Crisis,
    CrisisMark,
    FieldPairs,
    File,
    Ident,
    Internal,
    Kind,
    Language,
    Link,
    Media,
    Objective,
    Ref,
    Statement,
    Story,
    Text,
    Theme,
    Urgent,
    Words,
    given,
    pairs_of,
    tell,
    tell_all,
)
from cm.cli.render import say
from cm.errors import UsageError
from cm.i18n import _

if TYPE_CHECKING:
    from cm.calendar.views import PostView
    from cm.workspace import Workspace

ADD = _("Plan posts, one for each channel: at a time, or in its next open slot. Without a text, in your editor.")

Written = Callable[..., "list[PostView]"]
"""Writes posts; gives them as they stand."""
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask before writing."))]


def add(
    ctx: typer.Context,
    words: Words = None,
    channel: Channels = None,
    kind: Kind = None,
    text: Text = None,
    file: File = None,
    at: At = None,
    ref: Ref = None,
    field: FieldPairs = None,
    story: Story = None,
    theme: Theme = None,
    campaign: Campaign = None,
    objective: Objective = None,
    audience: Audience = None,
    language: Language = None,
    link: Link = None,
    media: Media = None,
    alt: Alt = None,
    first_comment: Comment = None,
    over: Over = None,
    internal: Internal = False,
    urgent: Urgent = False,
    again: Again = False,
    crisis: Crisis = False,
    statement: Statement = False,
    draft: Annotated[bool, typer.Option("--draft", help=_("Keep it as a draft; a time is not needed."))] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help=_("Go on with a text that was kept: the newest, or the FILE named."))
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refused beyond the day's maximum (exit 4) unless --over gives a reason."""
    options = given(
        ref=ref, fields=pairs_of(field), story=story, theme=theme, campaign=campaign, objective=objective,
        audiences=audience, language=language, link=link, media=media, alt=alt, first_comment=first_comment,
        kind=kind, at=at, over=over, internal=internal or None, draft=draft, crisis=crisis, again=again or None,
    )  # fmt: skip
    if urgent or statement:
        act = _at_once((words, text, file), channel, options, statement=statement, later=draft or resume)
    else:
        act = _as_planned(writing.way(words, text, file, channel, options, resume=resume), channel, options)
    with workspace(ctx) as opened:
        tell_all(act(opened, yes=yes, quiet=as_json), as_json)


def _at_once(
    source: tuple[list[str] | None, str | None, Path | None],
    channels: list[str] | None,
    options: dict[str, Any],
    *,
    statement: bool,
    later: bool,
) -> Written:
    """One urgent text on every channel. Raises UsageError as `cm.cli.urgent.source_given`."""
    found = broadcast.source_given(*source, statement=statement, later=later)
    return partial(broadcast.tell_everywhere, source=found, names=channels, options=options)


def _as_planned(write: Written, channel: list[str] | None, options: dict[str, Any]) -> Written:
    """Write posts for their times; whoever plans under a hold, or for a channel at rest, is told of it. Raises
    UsageError."""
    if options.get("again"):
        raise UsageError(_("--again belongs to --urgent."), hint=_("Leave it out."))
    kind, crisis = options.get("kind"), options["crisis"]

    def act(opened: "Workspace", *, yes: bool, quiet: bool) -> "list[PostView]":
        from cm.publishing.obstacles import noting_rests

        views = noting_rests(opened.env, write(opened.env, yes=yes, quiet=quiet))
        if not quiet:
            broadcast.say_if_held(opened.env, channel or (), crisis=crisis, kind=kind)
        return views

    return act


EDIT = _("Change a post that has not left: by options, or without any in your editor.")


def edit(
    ctx: typer.Context,
    ident: Ident,
    text: Text = None,
    file: File = None,
    kind: Kind = None,
    ref: Ref = None,
    field: FieldPairs = None,
    story: Story = None,
    theme: Theme = None,
    campaign: Campaign = None,
    objective: Objective = None,
    audience: Audience = None,
    language: Language = None,
    link: Link = None,
    media: Media = None,
    alt: Alt = None,
    first_comment: Comment = None,
    crisis: CrisisMark = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Only what is given changes; an empty value clears."""
    source = (text, file)
    typed = writing.is_typed(source)
    changes = given(
        text=None if typed else read_text(text, file), kind=kind, ref=ref, fields=pairs_of(field), story=story,
        theme=theme, campaign=campaign, objective=objective, audiences=audience, language=language, link=link,
        media=media, alt=alt, first_comment=first_comment,
    )  # fmt: skip
    if not (changes or typed or crisis is not None or writing.may_open_editor()):
        raise UsageError(_("There is nothing to change."), hint=_("Give --text, --link, --kind…"))
    with workspace(ctx) as opened:
        if typed:
            view = writing.edited_at_once(opened.env, ident, changes, source, crisis=crisis)
        else:
            view = _edited(opened.env, ident, changes, crisis, yes=yes, quiet=as_json)
    tell(view, as_json)


def _edited(
    env: Any, ident: str, changes: dict[str, Any], crisis: bool | None, *, yes: bool, quiet: bool
) -> "PostView":
    from cm.calendar.drafting import post_changes
    from cm.calendar.posts import edit as run
    from cm.calendar.posts import show

    if changes or crisis is not None:
        return run(env, ident, post_changes(**changes), crisis=crisis)
    views = writing.rewritten(env, ident, yes=yes, quiet=quiet)
    if not views and not quiet:
        say(_("Nothing was changed."))
    return views[0] if views else show(env, ident)
