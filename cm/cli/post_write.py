"""Writing a post and changing its words: `cm post add`, `cm post edit`."""

from typing import Annotated

import typer

from cm.cli.options import Json, Over, read_text, workspace
from cm.cli.post_options import (
    Alt,
    At,
    Audience,
    Campaign,
    Comment,
    FieldPairs,
    File,
    Ident,
    Kind,
    Language,
    Link,
    Media,
    Objective,
    Ref,
    Story,
    Text,
    Theme,
    given,
    pairs_of,
    tell,
)
from cm.clock import parse_wall
from cm.errors import UsageError
from cm.i18n import _

ADD = "Plan a post: at a time, or in the channel's next open slot."


def add(
    ctx: typer.Context,
    channel: Annotated[str, typer.Option("--channel", "-c", metavar="NAME", help="Where it goes.")],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="announcement, event, quiz…")],
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
    draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft; a time is not needed.")] = False,
    as_json: Json = False,
) -> None:
    """Refused beyond the day's maximum (exit 4) unless --over gives a reason."""
    from cm.calendar.drafting import new_post
    from cm.calendar.posts import add as run

    words = read_text(text, file)
    if words is None:
        raise UsageError(_("The post has no text."), hint=_("Give --text TEXT, --text - or -F FILE."))
    values = given(
        ref=ref, fields=pairs_of(field), story=story, theme=theme, campaign=campaign,
        objective=objective, audiences=audience,
        language=language, link=link, media=media, alt=alt, first_comment=first_comment,
        wall=parse_wall(at) if at else None,
    )  # fmt: skip
    with workspace(ctx) as opened:
        view = run(opened.env, new_post(channel=channel, kind=kind, text=words, **values), over=over, draft=draft)
    tell(view, as_json)


EDIT = "Change a post that has not left."


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
    as_json: Json = False,
) -> None:
    """Only what is given changes; an empty value clears."""
    from cm.calendar.drafting import post_changes
    from cm.calendar.posts import edit as run

    changes = given(
        text=read_text(text, file), kind=kind, ref=ref, fields=pairs_of(field), story=story, theme=theme,
        campaign=campaign, objective=objective, audiences=audience, language=language, link=link, media=media, alt=alt,
        first_comment=first_comment,
    )  # fmt: skip
    if not changes:
        raise UsageError(_("There is nothing to change."), hint=_("Give --text, --link, --kind…"))
    with workspace(ctx) as opened:
        view = run(opened.env, ident, post_changes(**changes))
    tell(view, as_json)
