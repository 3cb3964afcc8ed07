"""`cm post`: posts one by one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli.lazy import noun
from cm.cli.options import ChannelName, Json, Over, WeekOption, read_text, workspace
from cm.cli.render import emit_json, say, show
from cm.cli.render_posts import post_card, post_table, short_line, tally
from cm.clock import parse_wall, parse_week
from cm.errors import UsageError
from cm.i18n import _
from cm.model.states import Severity

if TYPE_CHECKING:
    from cm.calendar.views import PostView

app = noun("Posts: add, list, show, edit, move, cancel, confirm.")

Ident = Annotated[str, typer.Argument(metavar="ID", help="The post's id (p212) or ref.")]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help="The text; - reads standard input.")]
File = Annotated[
    Path | None, typer.Option("-F", "--file", metavar="FILE", help="Read the text from this file; - is standard input.")
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Local time, 2026-12-03T09:00.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="announcement, event, quiz…")]
FieldPairs = Annotated[
    list[str] | None, typer.Option("--field", metavar="K=V", help="A field of its kind; repeatable.")
]
Story = Annotated[str | None, typer.Option("--story", metavar="REF", help="The story it belongs to.")]
Theme = Annotated[str | None, typer.Option("--theme", metavar="NAME", help="Its editorial theme.")]
Campaign = Annotated[str | None, typer.Option("--campaign", metavar="NAME", help="The campaign it is part of.")]
Audience = Annotated[list[str] | None, typer.Option("--audience", metavar="KEY", help="Whom it is for; repeatable.")]
Language = Annotated[str | None, typer.Option("--language", metavar="TAG", help="fr, en…")]
Link = Annotated[str | None, typer.Option("--link", metavar="URL", help="The address it leads to.")]
Media = Annotated[list[str] | None, typer.Option("--media", metavar="FILE", help="A file of media/; repeatable.")]
Alt = Annotated[
    list[str] | None, typer.Option("--alt", metavar="TEXT", help="Text alternative of each --media, in order.")
]
Comment = Annotated[str | None, typer.Option("--first-comment", metavar="TEXT", help="A comment posted under it.")]
Ref = Annotated[str | None, typer.Option("--ref", metavar="REF", help="A name of your own for it.")]


def _given(**values: Any) -> dict[str, Any]:
    """The options that were given, under the names of `NewPost`."""
    return {name: value for name, value in values.items() if value is not None}


def _pairs(pairs: list[str] | None) -> dict[str, str] | None:
    if pairs is None:
        return None
    split = [pair.partition("=") for pair in pairs]
    bad = next((name + value for name, sign, value in split if not (name and sign)), None)
    if bad is not None:
        raise UsageError(_("{text!r} is not a field.").format(text=bad), hint=_("Write --field place=Hall"))
    return {name: value for name, _sign, value in split}


@app.command(help="Plan a post: at a time, or in the channel's next open slot.")
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
    given = _given(
        ref=ref, fields=_pairs(field), story=story, theme=theme, campaign=campaign, audiences=audience,
        language=language, link=link, media=media, alt=alt, first_comment=first_comment,
        wall=parse_wall(at) if at else None,
    )  # fmt: skip
    with workspace(ctx) as opened:
        view = run(opened.env, new_post(channel=channel, kind=kind, text=words, **given), over=over, draft=draft)
    _written(view, as_json)


def _written(view: "PostView", as_json: bool) -> None:
    if as_json:
        emit_json(view.as_json())
        return
    say(short_line(view))
    for note in [*view.notes, *(f"{finding.severity.value}: {finding.reason}" for finding in view.findings)]:
        say(f"  {note}")
    if any(finding.severity is Severity.ERROR for finding in view.findings):
        say(_("  It will not be published before this is mended → cm post edit {id}").format(id=view.id))


@app.command("list", help="Posts by channel, audience, state, week, story or kind.")
def list_(
    ctx: typer.Context,
    channel: ChannelName = None,
    audience: Annotated[
        str | None, typer.Option("--audience", metavar="KEY", help="Only posts for this audience.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="draft, scheduled, published, missed…")
    ] = None,
    week: WeekOption = None,
    story: Story = None,
    kind: Kind = None,
    as_json: Json = False,
) -> None:
    """In order of time; drafts last."""
    from cm.calendar.posts import list_posts

    chosen = parse_week(week) if week else None
    with workspace(ctx) as opened:
        views = list_posts(
            opened.env, channel=channel, audience=audience, state=state, week=chosen, story=story, kind=kind
        )
    if as_json:
        emit_json({"posts": [view.as_json() for view in views]})
        return
    if views:
        show(post_table(views))
    say(tally(view.state for view in views))


@app.command("show", help="One post in full.")
def show_(ctx: typer.Context, ident: Ident, as_json: Json = False) -> None:
    """Facts, messages, receipts, findings."""
    from cm.calendar.posts import show as run

    with workspace(ctx) as opened:
        view = run(opened.env, ident)
    if as_json:
        emit_json(view.as_json())
    else:
        show(*post_card(view))


@app.command(help="Change a post that has not left.")
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

    changes = _given(
        text=read_text(text, file), kind=kind, ref=ref, fields=_pairs(field), story=story, theme=theme,
        campaign=campaign, audiences=audience, language=language, link=link, media=media, alt=alt,
        first_comment=first_comment,
    )  # fmt: skip
    if not changes:
        raise UsageError(_("There is nothing to change."), hint=_("Give --text, --link, --kind…"))
    with workspace(ctx) as opened:
        view = run(opened.env, ident, post_changes(**changes))
    _written(view, as_json)


@app.command(help="Give a post another time, or the next open slot.")
def move(
    ctx: typer.Context,
    ident: Ident,
    at: At = None,
    next_slot: Annotated[bool, typer.Option("--next", help="The channel's next open slot.")] = False,
    over: Over = None,
    as_json: Json = False,
) -> None:
    """Failed and missed posts are planned anew this way."""
    from cm.calendar.posts import move as run

    if (at is None) is not next_slot:
        raise UsageError(_("Give --at TIME or --next."))
    with workspace(ctx) as opened:
        view = run(opened.env, ident, parse_wall(at) if at else None, over=over)
    _written(view, as_json)


@app.command(help="Take a post out of the calendar; it stays on record.")
def cancel(
    ctx: typer.Context,
    ident: Ident,
    why: Annotated[str | None, typer.Option("--why", metavar="REASON", help="For the log.")] = None,
    as_json: Json = False,
) -> None:
    """Refused for a post that has left."""
    from cm.calendar.posts import cancel as run

    with workspace(ctx) as opened:
        view = run(opened.env, ident, why)
    _written(view, as_json)


@app.command(help="Say what became of a handed or unconfirmed post.")
def confirm(
    ctx: typer.Context,
    ident: Ident,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="It stands at this address.")] = None,
    not_published: Annotated[bool, typer.Option("--not-published", help="It is not there: plan it again.")] = False,
    as_json: Json = False,
) -> None:
    """A person looks; cm believes them and writes down who said it."""
    from cm.calendar.posts import get_post
    from cm.calendar.posts import show as read
    from cm.publishing.confirm import confirm_absent, confirm_published

    if (url is None) is not not_published:
        raise UsageError(_("Give --url ADDRESS or --not-published."))
    with workspace(ctx) as opened:
        with opened.env.store.read() as session:
            number = get_post(session, ident).id
        if url is not None:
            confirm_published(opened.env, number, url)
        else:
            confirm_absent(opened.env, number)
        view = read(opened.env, ident)
    _written(view, as_json)
