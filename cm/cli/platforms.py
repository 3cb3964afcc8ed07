"""`cm channel platforms`: what each platform takes, and what its adapter can do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cm.cli.columns import Column, number
from cm.cli.options import Json
from cm.cli.render import emit_json, facts, say, show, table
from cm.formats import labelled, plural
from cm.formats import number as figure
from cm.i18n import _

UNLIMITED = 10**9
"""A key window that no run of cm sees the end of, in seconds."""

if TYPE_CHECKING:
    from cm.channels.matrix import PlatformFacts

PLATFORMS = _("What each platform takes and can do: text, pictures, films, threads; with source and date.")


def platforms(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=_("One platform in full."))] = None,
    as_json: Json = False,
) -> None:
    """The matrix; with a name, one platform in full. No workspace is needed."""
    from cm.channels import matrix

    found = matrix.platforms()
    chosen = [each for each in found if name in (None, each.name)]
    if name is not None and not chosen:
        raise matrix.unknown(name)
    if as_json:
        emit_json({"platforms": [each.as_json() for each in chosen]})
    elif name is not None:
        _show_one(chosen[0])
    else:
        _show_all(chosen)


def _show_all(found: "Sequence[PlatformFacts]") -> None:
    columns = (
        _("platform"), number(_("text")), Column(_("counted in"), spare=2), Column(_("pictures")),
        Column(_("films"), spare=1), Column(_("can"), "prose"), Column(_("log in"), spare=3),
    )  # fmt: skip
    show(table(columns, [_row(each) for each in found]))
    say(plural("{n} platform.", "{n} platforms.", len(found)))
    say(_("One in full, with sources and dates: cm channel platforms NAME"))


def _row(each: "PlatformFacts") -> Sequence[object]:
    from cm.checks.formats import unit_name

    if each.broken:
        return each.name, None, _("cannot be loaded: {why}").format(why=each.broken), None, None, None, None
    limits = each.limits
    text = figure(limits.text) if limits and limits.text else None
    return (
        each.name,
        text,
        unit_name(limits.unit) if limits and limits.text else None,
        _media(limits.images) if limits else None,
        _media(limits.video) if limits else None,
        ", ".join(_abilities(each)),
        _login(each),
    )


def _media(limits: Any) -> str | None:
    """`4 · 5 MB`; a dash where nothing of the sort is taken."""
    from cm.channels.shapes import megabytes

    if not limits.count:
        return None
    return " · ".join([figure(limits.count), *([megabytes(limits.max_bytes)] if limits.max_bytes else [])])


def _abilities(each: "PlatformFacts") -> list[str]:
    words = {
        "threads": _("threads"), "first_comment": _("first comment"), "edit": _("edit"), "delete": _("delete"),
        "find": _("find"), "metrics": _("figures"), "preview": _("preview"),
    }  # fmt: skip
    return [words[name] for name, can in each.abilities.items() if can]


def _login(each: "PlatformFacts") -> str | None:
    if each.simulated:
        return "SIMULATION"
    if each.by_hand:
        return _("a person pastes")
    return "cm channel login" if each.login else _("a token")


def _show_one(each: "PlatformFacts") -> None:
    from cm.checks.formats import unit_word

    if each.broken:
        show(facts([(_("platform"), each.name), (_("state"), _("cannot be loaded: {why}").format(why=each.broken))]))
        return
    known: list[tuple[str, object]] = [(_("platform"), each.name), (_("adapter"), each.adapter)]
    if limits := each.limits:
        url = _("an address counts {n}").format(n=limits.url) if limits.url else None
        text = figure(limits.text) if limits.text else None
        known += [
            (_("text"), text and f"{text} {unit_word(limits.unit)}"),
            (_("bytes of text"), limits.text_bytes and figure(limits.text_bytes)),
            (_("addresses"), url),
            (_("title"), limits.title and figure(limits.title)),
            (_("description of a picture"), limits.alt and figure(limits.alt)),
            (_("pictures"), _media_in_full(limits.images)),
            (_("films"), _media_in_full(limits.video)),
            (_("posts a day"), limits.posts_per_day and figure(limits.posts_per_day)),
        ]
    known += [(_("can"), ", ".join(_abilities(each))), (_("key remembered"), _window(each.key_window))]
    known.append((_("log in"), _login(each)))
    if limits:
        known += [(_("source"), limits.source), (_("read on"), limits.read_on.isoformat())]
    show(facts((name, value) for name, value in known if value))
    for note in each.notes:
        say(f"– {note}")


def _window(seconds: int) -> str:
    """For how long a sending may be repeated with its key."""
    if not seconds:
        return _("no")
    return _("without limit") if seconds >= UNLIMITED else _("for {n} s").format(n=figure(seconds))


def _media_in_full(limits: Any) -> str | None:
    from cm.channels.shapes import megabytes

    if not limits.count:
        return None
    said = [
        figure(limits.count),
        ", ".join(mime.partition("/")[2] for mime in limits.mimes),
        limits.max_bytes and megabytes(limits.max_bytes),
        limits.max_side and _("sides to {n} pixels").format(n=figure(limits.max_side)),
        limits.min_side and _("sides from {n} pixels").format(n=figure(limits.min_side)),
        limits.max_pixels and _("to {n} million pixels").format(n=figure(limits.max_pixels / 1_000_000, 1)),
        limits.ratios and labelled(_("width ÷ height"), "–".join(figure(each, 2) for each in limits.ratios)),
        limits.seconds and _("{least} to {most} s").format(**_bounds(limits.seconds)),
    ]
    return " · ".join(part for part in said if part)


def _bounds(seconds: tuple[float, float]) -> dict[str, str]:
    return {"least": figure(seconds[0], 0 if seconds[0] >= 1 else 1), "most": figure(seconds[1])}
