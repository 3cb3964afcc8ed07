"""What `cm metrics` shows: figures of many posts in groups, and what came of a file."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cm.cli.columns import Column, number
from cm.cli.figures import figure, percent
from cm.cli.render_report import denominators, ranking_section
from cm.cli.sections import Section
from cm.clock import Week
from cm.formats import plural, weekday
from cm.i18n import _
from cm.model.words import kind_word

if TYPE_CHECKING:
    from cm.config import Config
    from cm.metrics.importing import ImportedFigures

Json = Mapping[str, Any]

DIGITS = 4
"""Decimals of a rate here, where two files are compared to the last digit."""

_ANY_WEEK = Week(2024, 1)


def names_of_figures() -> dict[str, str]:
    """Each figure as it is called."""
    return {
        "engagements": _("engagements"), "reach": _("reach"), "impressions": _("impressions"),
        "reactions": _("reactions"), "comments": _("comments"), "shares": _("shares"), "saves": _("saves"),
        "clicks": _("clicks"), "views": _("views"), "followers": _("followers"),
    }  # fmt: skip


def summary_sections(found: Json, config: "Config") -> Iterator[Section]:
    """Totals, rates, groups, the best and the worst; one line where there is no post."""
    if not found["posts"]:
        yield Section(_("No posts"), notes=[_("Nothing is stored that fits.")])
        return
    yield _totals(found["totals"])
    yield _rates(found["engagement_rate"])
    yield _groups(found, config)
    yield ranking_section(found["ranking"], digits=DIGITS)


def _totals(totals: Json) -> Section:
    names = names_of_figures()
    rows = [(names[name], figure(entry["sum"]), figure(entry["n"])) for name, entry in totals.items()]
    columns = (_("figure"), number(_("total")), number(_("known of posts")))
    return Section(_("Totals"), columns, rows, [] if rows else [_("Nothing is known.")])


def _rates(rates: Json) -> Section:
    rows = [
        (label, percent(rate["pooled"], DIGITS), percent(rate["mean"], DIGITS), percent(rate["median"], DIGITS),
         figure(rate["n"]))
        for key, label in denominators().items()
        for rate in [rates[key]]
    ]  # fmt: skip
    columns = (_("divided"), number(_("pooled")), number(_("mean")), number(_("median")), number("n"))
    return Section(_("Engagement rate"), columns, rows)


def _groups(found: Json, config: "Config") -> Section:
    """Medians and pooled rates by reach; a group of few posts is marked and nothing is called best."""
    headings = {"kind": _("kind"), "weekday": _("weekday"), "hour": _("hour"), "audience": _("audience"),
                "objective": _("objective")}  # fmt: skip
    rows = [
        (_key(found["by"], group["key"], config), figure(group["posts"]), percent(rate["median"], DIGITS),
         percent(rate["pooled"], DIGITS), figure(rate["n"]), "" if group["enough"] else _("few"))
        for group in found["groups"]
        for rate in [group["engagement_rate"]["by_reach"]]
    ]  # fmt: skip
    columns = (
        Column(headings[found["by"]], "prose"), number(_("posts")), number(_("median")), number(_("pooled")),
        number("n"), "",
    )  # fmt: skip
    few = any(not group["enough"] for group in found["groups"])
    notes = [_("Few: under five posts, too few to conclude anything from.")] if few else []
    return Section(_("Engagement rate by reach"), columns, rows, notes)


def _key(by: str, key: Any, config: "Config") -> str:
    """A group's name as people say it."""
    if key is None:
        return _("unknown") if by in ("weekday", "hour") else _("none")
    named: dict[str, Callable[[], str]] = {
        "kind": lambda: kind_word(key),
        "weekday": lambda: weekday(_ANY_WEEK.monday + timedelta(days=key - 1)),
        "hour": lambda: f"{key:02d}:00",
        "audience": lambda: _(config.all_audiences.get(key, key)),
        "objective": lambda: config.objectives[key].label if key in config.objectives else key,
    }
    return named.get(by, lambda: str(key))()


def shown_lead(found: Json) -> Iterator[str]:
    """What the figures of `metrics show` stand on."""
    own, outside = found["own"], found["outside"]
    yield _("{own}, {outside}.").format(
        own=plural("{n} post of ours", "{n} posts of ours", own),
        outside=plural("{n} that only a file knows", "{n} that only files know", outside),
    )
    if found["sources"]:
        listed = ", ".join(f"{name} {figure(count)}" for name, count in found["sources"].items())
        yield _("Sources: {sources}.").format(sources=listed)
    if found["undated"]:
        yield plural(
            "{n} post of a file has no day and is left out.",
            "{n} posts of files have no day and are left out.",
            found["undated"],
        )


def import_lead(result: "ImportedFigures") -> Iterator[str]:
    """What came of the file, in sentences."""
    decision = result.decision
    yield _("{file}: map {map}, channel {channel}, {encoding}.").format(
        file=result.filename, map=result.file.made.name, channel=result.file.channel, encoding=result.file.encoding
    )
    yield _("{rows}: {matched} of posts of ours, {outside} of others.").format(
        rows=plural("{n} row read", "{n} rows read", len(result.file.read.rows)),
        matched=figure(decision.matched),
        outside=figure(decision.outside),
    )
    yield from _left_out(result)
    yield _outcome(result)


def _left_out(result: "ImportedFigures") -> Iterator[str]:
    if result.decision.parts:
        yield plural(
            "{n} row is a further part of a thread, which is measured by its first part.",
            "{n} rows are further parts of threads, which are measured by their first part.",
            result.decision.parts,
        )
    if result.file.read.skipped:
        yield plural(
            "{n} row is a total or a repetition.", "{n} rows are totals or repetitions.", result.file.read.skipped
        )
    blank = Counter({entry["figure"]: entry["cells"] for entry in result.unknown if entry["figure"]})
    others = sum(entry["cells"] for entry in result.unknown if not entry["figure"])
    names = names_of_figures()
    told = [f"{names.get(name, name)} {figure(cells)}" for name, cells in sorted(blank.items())]
    if others:
        told.append(_("other columns {n}").format(n=figure(others)))
    if told:
        yield _("Blank cells stay unknown: {cells}.").format(cells=", ".join(told))


def _outcome(result: "ImportedFigures") -> str:
    new = plural("{n} new", "{n} new", len(result.decision.new))
    counts = _("{new}, {unchanged} unchanged").format(new=new, unchanged=figure(result.decision.unchanged))
    if result.dry_run:
        return _("{counts} (dry run: nothing was written).").format(counts=counts)
    if not result.written:
        return _("Nothing was written: correct the rows below, or take the others with --partial.")
    return f"{counts}."


def error_section(result: "ImportedFigures") -> Section:
    """Every row that was refused."""
    columns = (number(_("row")), _("column"), Column(_("reason"), "prose"))
    return Section(_("Refused"), columns, [(error.row, error.column, error.message) for error in result.errors])
