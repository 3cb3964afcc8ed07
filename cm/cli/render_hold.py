"""Holds on the terminal: what is held, what may still appear, what is out, whom to call, how to end it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from cm.cli.columns import Column, Grid, excerpt
from cm.cli.render import console, say, show, table
from cm.cli.render_posts import state_of
from cm.cli.terminal import safe
from cm.formats import labelled, plural
from cm.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from rich.console import RenderableType

    from cm.env import Env
    from cm.publishing.heldposts import HeldPost, Situation
    from cm.publishing.holds import HoldView

NAMED = 8
"""Posts of a list that are named; the others are counted."""
NARROWEST = 24
"""Cells that a line's text keeps, however long its command is."""


def sentence(hold: "HoldView", env: "Env") -> str:
    """`Everything is held since Fri 27 Nov. 18:00 by Camille Roux until 19:00: fire in block B.`"""
    from cm.publishing.hold_words import sentence as said

    return said(hold, env.config, env.zone)


def moment(env: "Env", at: "datetime") -> str:
    """`Fri 27 Nov. 18:00`, local."""
    from cm.publishing.hold_words import moment as said

    return said(at, env.zone)


def show_begun(env: "Env", hold: "HoldView", others: "Sequence[HoldView]", found: "Situation") -> None:
    """How things stand now that it is held."""
    for other in others:
        say(labelled(_("On already"), sentence(other, env)))
    things = [
        *_titled(_("May still appear: their sending had begun"), _posts(env, found.in_flight)),
        *_titled(_("Went out in the last six hours"), _recent(env, found.recent)),
        *_titled(_("Held back from now on, of the next 24 hours"), _posts(env, found.planned)),
        *_titled(_("Pass the hold, by their crisis mark"), _posts(env, found.passing)),
        *_titled(_("Crisis cell"), _cell(env)),
    ]
    show(*things)
    if not found.planned:
        say(_("Nothing is planned for the next 24 hours."))
    if not hold.channels:
        say(_("To say something all the same: cm add --urgent --crisis TEXT"))
    from cm.publishing.hold_words import end_of

    say(_("To end it: {command}").format(command=end_of(hold)))


def _titled(title: str, grid: Grid | Text | None) -> "Iterator[RenderableType]":
    """A heading, closely above its list; nothing where the list is empty."""
    if grid is not None:
        yield Text(title, style="bold")
        yield grid


def _posts(env: "Env", posts: "Sequence[HeldPost]") -> Grid | None:
    if not posts:
        return None
    columns = (_("id"), _("when"), _("channel"), Column(_("text"), "line"))
    rows = [(post.id, moment(env, post.at) if post.at else None, post.channel, post.text) for post in posts[:NAMED]]
    if len(posts) > NAMED:
        rest = plural("… and {n} more post", "… and {n} more posts", len(posts) - NAMED)
        rows.append(("", "", "", rest))
    return table(columns, rows)


def _recent(env: "Env", posts: "Sequence[HeldPost]") -> Text | None:
    """One line each, with the command that takes it down: the text is cut, the command never."""
    width = console().width
    lines = []
    for post in posts:
        mend = f" → cm post takedown {post.id} --motive KEY"
        said = f"{moment(env, post.at) if post.at else ''} {post.channel} {post.id} {post.text}".strip()
        lines.append(Text.assemble(excerpt(said, max(NARROWEST, width - cell_len(mend))), (mend, "bold")))
    return Text("\n").join(lines) if lines else None


def _cell(env: "Env") -> Grid | None:
    people = [env.config.people[key] for key in env.config.crisis.cell]
    if not people:
        return None
    columns = (_("name"), _("phone"), Column(_("e-mail"), spare=1))
    return table(columns, [(one.name, one.phone, one.email) for one in people])


def show_ended(
    env: "Env", ended: "Sequence[HoldView]", waiting: "Sequence[HeldPost]", planned: "Sequence[HeldPost]"
) -> None:
    """What is free again, and what of it still waits for a person."""
    say(_("Nothing was held.") if not ended else _("The hold is over."))
    things = [
        *_titled(_("Held back, and waiting for you"), _decisions(env, waiting)),
        *_titled(_("Planned for the next 24 hours"), _posts(env, planned)),
    ]
    show(*things)
    if waiting:
        say(_("For each of them: cm move ID --next · cm move ID TIME · cm post cancel ID"))
    if len(waiting) > 1:
        those = " ".join(post.id for post in waiting) if len(waiting) <= NAMED else "state:missed"
        say(_("For all of them the next open slots: cm move {those} --next").format(those=those))


def _decisions(env: "Env", posts: "Sequence[HeldPost]") -> Grid | None:
    if not posts:
        return None
    columns = (_("id"), _("was for"), _("channel"), _("state"), Column(_("text"), "line"))
    rows = [
        (post.id, moment(env, post.at) if post.at else None, post.channel, state_of(post.state), post.text)
        for post in posts
    ]
    return table(columns, rows)


def show_status(
    env: "Env", active: "Sequence[HoldView]", past: "Iterable[HoldView]", waiting: "Sequence[HeldPost]"
) -> None:
    """Holds that are on, those that are over, posts that wait."""
    from cm.publishing.holds import person_of

    lines = [safe(sentence(hold, env)) for hold in active] or [_("Nothing is held.")]
    things: list[RenderableType] = [Text("\n".join(lines))]
    rows = [
        (f"h{hold.id}", moment(env, hold.since), moment(env, hold.ended_at or hold.until or hold.since),
         ", ".join(hold.channels or (_("all"),)), person_of(hold, env.config), hold.reason)
        for hold in past
    ]  # fmt: skip
    columns = (_("id"), _("from"), _("to"), _("channels"), _("who"), Column(_("reason"), "line"))
    things += _titled(_("Over"), table(columns, rows) if rows else None)
    things += _titled(_("Held back, and waiting for you"), _decisions(env, waiting))
    show(*things)
    if active:
        from cm.publishing.hold_words import end_of

        say(_("To end it: {command}").format(command=" · ".join(dict.fromkeys(map(end_of, active)))))
