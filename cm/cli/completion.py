"""What the shell may offer for a value: `autocompletion=` of the shared options.

Loads neither SQLAlchemy nor httpx. Only names that mean themselves in every shell are offered: a ref may be any
text, and what completion puts on the command line is run as it stands.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

from cm.errors import ConfigError
from cm.store import names, tick

HARMLESS = re.compile(r"[\w@][\w.,@%+:/=’ -]*")
"""No quote, no $, no glob sign, no operator, no line end; and no option."""

ASKED = "_CM_COMPLETE"
"""Set by the shells' scripts: then cm completes instead of running."""

Offers = list[tuple[str, str]]
Completer = Callable[[typer.Context, str], Offers]


def _start(ctx: typer.Context) -> str | None:
    given = ctx.find_root().params.get("workspace")
    return str(Path(given).expanduser()) if given else None


def harmless(offers: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    """Those that begin as typed and can be inserted into a command line as they are (or, with blanks, quoted)."""
    return [(name, told) for name, told in offers if name.startswith(incomplete) and HARMLESS.fullmatch(name)]


def posts(ctx: typer.Context, incomplete: str) -> Offers:
    """Refs and ids, those nearest to now first."""
    from cm.clock import SystemClock

    return harmless(names.posts(_start(ctx), incomplete, SystemClock().now().timestamp()), incomplete)


def _of_database(what: str) -> Completer:
    def complete(ctx: typer.Context, incomplete: str) -> Offers:
        return harmless(names.names(_start(ctx), what, incomplete), incomplete)

    return complete


channels = _of_database("channel")
stories = _of_database("story")
themes = _of_database("theme")
campaigns = _of_database("campaign")


def states(ctx: typer.Context, incomplete: str) -> Offers:
    """Every state of a post."""
    from cm.model.states import PostState

    return harmless([(state.value, "") for state in PostState], incomplete)


def motives(ctx: typer.Context, incomplete: str) -> Offers:
    """Every motive for taking something down, with what it is called."""
    from cm.model.words import MOTIVES, motive_word

    return harmless([(motive, motive_word(motive)) for motive in MOTIVES], incomplete)


def kinds(ctx: typer.Context, incomplete: str) -> Offers:
    """The shipped kinds and those of the configuration."""
    from cm.config.catalogue import KINDS

    own = _declared(ctx, "kinds")
    offers = {name: ", ".join(fields) for name, fields in KINDS.items()} | dict.fromkeys(own, "")
    return harmless(offers.items(), incomplete)


def audiences(ctx: typer.Context, incomplete: str) -> Offers:
    """The shipped audiences and those of the configuration, with their labels."""
    from cm.config.catalogue import AUDIENCES

    own = _declared(ctx, "audiences")
    return harmless({**AUDIENCES, **{name: str(label) for name, label in own.items()}}.items(), incomplete)


def objectives(ctx: typer.Context, incomplete: str) -> Offers:
    """The register of objectives."""
    return harmless([(name, _label(told)) for name, told in _declared(ctx, "objectives").items()], incomplete)


def _label(told: Any) -> str:
    return str(told.get("name") or told.get("label") or "") if isinstance(told, dict) else str(told)


def _declared(ctx: typer.Context, section: str) -> dict[str, Any]:
    """A section of the configuration as it was written, without judging it: `cm config check` does that."""
    from cm.yamlfile import read_yaml

    try:
        root = tick.find_workspace(_start(ctx))
        data = read_yaml(Path(root) / tick.CONFIG, tick.CONFIG).data if root else None
    except (ConfigError, OSError):
        return {}
    found = data.get(section) if isinstance(data, dict) else None
    return {str(name): told for name, told in found.items()} if isinstance(found, dict) else {}


_VALUES: dict[str, Completer] = {
    "state": states,
    "channel": channels,
    "kind": kinds,
    "audience": audiences,
    "story": stories,
    "theme": themes,
    "campaign": campaigns,
    "objective": objectives,
    "week": lambda ctx, begun: harmless([(word, "") for word in ("this", "next", "last")], begun),
    "day": lambda ctx, begun: harmless([(word, "") for word in ("today", "tomorrow")], begun),
}
"""Key of the filter grammar → what may stand behind its colon, where there is a choice."""


def filters(ctx: typer.Context, incomplete: str) -> Offers:
    """`state:`, `channel:`…; behind the colon the values, and after a comma the next one."""
    from cm.calendar.filter_words import FLAGS, KEYS, split

    read = split(incomplete)
    if read is None:
        return harmless([(f"{key}:", "") for key in KEYS], incomplete)
    _negated, key, values = read
    begun = values.rpartition(",")[2]
    kept = incomplete.removesuffix(begun)
    if key == "is":
        return harmless([(kept + flag, "") for flag in FLAGS], incomplete)
    return [(kept + name, told) for name, told in _VALUES[key](ctx, begun)] if key in _VALUES else []


def filters_or_posts(ctx: typer.Context, incomplete: str) -> Offers:
    """For what acts on the posts of a filter, or on those that are named."""
    return filters(ctx, incomplete) + (posts(ctx, incomplete) if ":" not in incomplete else [])
