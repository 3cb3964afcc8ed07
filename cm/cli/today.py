"""`cm` alone: today, worst first."""

from typing import TYPE_CHECKING, Any

import typer

from cm.cli.lazy import command
from cm.cli.options import Json, workspace
from cm.cli.render import console, emit_json, show
from cm.i18n import _

if TYPE_CHECKING:
    from cm.publishing.standing import Glimpse, Standing
    from cm.publishing.today import Line

app, register = command(_("Today, worst first: what needs you and how to mend it, today's posts, what is left."))


@register
def today(ctx: typer.Context, as_json: Json = False) -> None:
    """Exit 0 whatever it says: these are standing matters."""
    show_today(ctx, as_json=as_json)


def show_today(ctx: typer.Context, *, as_json: bool) -> None:
    """Print it; what bare `cm` does too."""
    from cm.cli.render_today import today_lines
    from cm.publishing.standing import standing
    from cm.publishing.today import today as lines_of

    with workspace(ctx, warn=False) as opened:
        found = standing(opened.env)
        lines = lines_of(found)
        simulated = opened.env.simulated.issuperset(opened.config.channels)
    if as_json:
        emit_json(_json(found, lines))
    else:
        show(*today_lines(found, lines, console().width, simulated=simulated))


def _json(found: "Standing", lines: "tuple[Line, ...]") -> dict[str, Any]:
    return {
        "now": found.now.isoformat(),
        "date": found.today.isoformat(),
        "lines": [line.as_json() for line in lines],
        "counts": {name: few.count for name, few in sorted(found.troubled.items())} | {"broken": found.broken.count},
        "holds": [hold.as_json(found.config.zone) for hold in found.holds],
        "refused": [vars(one) for one in found.refusals],
        "stopped": [
            {"channel": stop.channel, **stop.as_json(found.config.zone)} for stop in found.stops
        ],
        "today": [_post(post) for post in found.of_today.posts],
        "today_count": found.of_today.count,
        "next": _post(found.upcoming) if found.upcoming else None,
        "quota": [
            {"channel": c.channel, "count": c.count, "min": c.min, "max": c.max, "left": max(0, c.max - c.count)}
            for c in found.quotas
        ],
        "next_gap": {name: day.isoformat() if day else None for name, day in found.next_gap.items()},
        "dormant": [
            {"channel": c.name, "last_published_at": c.last_published_at and c.last_published_at.isoformat()}
            for c in found.channels
            if c.dormant
        ],
        "unfinished_texts": [str(path) for path in found.texts],
        "last_tick": found.last_tick and found.last_tick.isoformat(),
    }  # fmt: skip


def _post(post: "Glimpse") -> dict[str, Any]:
    wall = post.wall.isoformat(timespec="minutes") if post.wall else None
    facts = {"id": post.id, "channel": post.channel, "state": post.state.value, "wall": wall, "text": post.text}
    return {**facts, "withdrawal": post.withdrawal}
