"""The weekly report as tables. Unknown is a dash, never 0; every rate says what it is divided by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cm.cli.columns import Column, Grid, number
from cm.cli.render import cell, table
from cm.i18n import _
from cm.metrics.missing import sentence

Json = Mapping[str, Any]


def week_report(report: Json) -> Iterator[RenderableType]:
    """Everything that is printed, in order."""
    yield _heading(report)
    yield _titled(_("Plan and quota"), _plan(report["channels"]))
    yield _titled(_("Results (± against the week before)"), _results(report["channels"]))
    yield _titled(_("Engagement rate"), _rates(report["channels"]))
    yield _titled(_("Audiences"), _audiences(report["audiences"]))
    yield _titled(_("Mix of kinds"), _kinds(report["channels"]))
    if report["top_posts"]:
        yield _titled(_("Most engaging posts"), _top(report["top_posts"]))
    if report["missing"]:
        yield _titled(_("Missing or open"), _missing(report["missing"]))
    yield _method(report)


def _titled(title: str, grid: Grid) -> Group:
    return Group(Text(title, style="bold"), grid)


def figure(value: float | None) -> str:
    """`12 345`, or a dash for unknown."""
    return "–" if value is None else f"{value:,.0f}".replace(",", " ")


def percent(value: float | None, digits: int = 2) -> str:
    """A ratio as percent, or a dash for unknown."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def signed(value: float | None) -> str:
    """A difference with its sign, or a dash for unknown."""
    return "–" if value is None else f"{value:+,.0f}".replace(",", " ")


def _heading(report: Json) -> Text:
    title = _("{name} · week {week}").format(name=report["establishment"]["name"], week=report["week"])
    simulation = _(" · SIMULATION") if report["simulated"] else ""
    span = _("from {start} to {end}, figures as of {cut_off}").format(
        start=report["from"][:16].replace("T", " "), end=report["to"][:16].replace("T", " "),
        cut_off=report["cut_off"][:16].replace("T", " "),
    )  # fmt: skip
    return Text.assemble((cell(title + simulation).plain, "bold"), "\n", span)


def _plan(channels: Sequence[Json]) -> Grid:
    rows = [
        (
            c["channel"], c["planned"], c["published"], f"{c['quota_days_met']}/{c['quota_days']}", c["failed"],
            c["missed"], c["unconfirmed"] + c["handed"], _next(c["next_week"]),
        )
        for c in channels
    ]  # fmt: skip
    columns = (
        _("channel"), number(_("planned")), number(_("published")), number(_("quota days")), number(_("failed")),
        number(_("missed")), number(_("to confirm")), Column(_("next week"), "prose"),
    )  # fmt: skip
    return table(columns, rows)


def _next(week: Json) -> str:
    short = _(", {n} days short").format(n=len(week["short"])) if week["short"] else ""
    return _("{n} planned").format(n=week["planned"]) + short


def _results(channels: Sequence[Json]) -> Grid:
    rows = [
        (
            c["channel"], figure(c["reach"]), signed(c["comparison"]["difference"]["reach"]), figure(c["impressions"]),
            figure(c["engagements"]), signed(c["comparison"]["difference"]["engagements"]),
            figure(c["followers"]["start"]), figure(c["followers"]["end"]), percent(c["followers"]["growth"]),
        )
        for c in channels
    ]  # fmt: skip
    columns = (
        _("channel"), number(_("reach")), number("±"), number(_("impressions")), number(_("engagements")), number("±"),
        number(_("followers before"), spare=1), number(_("followers after")), number(_("growth")),
    )  # fmt: skip
    return table(columns, rows)


def _rates(channels: Sequence[Json]) -> Grid:
    names = {"by_reach": _("by reach"), "by_followers": _("by followers"), "by_impressions": _("by impressions")}
    rows = [
        (c["channel"], label, percent(rate["pooled"]), percent(rate["mean"]), percent(rate["median"]), rate["n"])
        for c in channels
        for key, label in names.items()
        for rate in [c["engagement_rate"][key]]
    ]
    figures = (number(_("pooled")), number(_("mean")), number(_("median")), number("n"))
    return table((_("channel"), _("divided"), *figures), rows)


def _audiences(audiences: Sequence[Json]) -> Grid:
    rows = []
    for audience in audiences:
        where = ", ".join(f"{c['channel']} {c['published']}/{c['planned']}" for c in audience["channels"])
        rows.append((audience["label"], audience["planned"], audience["published"], where))
    columns = (
        Column(_("audience"), "prose"), number(_("planned")), number(_("published")),
        Column(_("by channel (published/planned)"), "prose"),
    )  # fmt: skip
    return table(columns, rows)


def _kinds(channels: Sequence[Json]) -> Grid:
    rows = [(c["channel"], ", ".join(f"{kind['kind']} {kind['planned']}" for kind in c["kinds"])) for c in channels]
    return table((_("channel"), Column(_("kinds planned"), "prose")), rows)


def _top(posts: Sequence[Json]) -> Grid:
    rows = [
        (
            post["id"], post["channel"], post["scheduled_at"][:10], post["text"], figure(post["reach"]),
            figure(post["engagements"]), percent(post["rate"]),
        )
        for post in posts
    ]  # fmt: skip
    columns = (
        "id", _("channel"), _("day"), Column(_("text"), "line"), number(_("reach"), spare=1), number(_("engagements")),
        number(_("by reach")),
    )  # fmt: skip
    return table(columns, rows)


def _missing(missing: Sequence[Json]) -> Grid:
    rows = [(entry["channel"] or _("all"), sentence(entry["what"], entry["count"])) for entry in missing]
    return table((_("channel"), Column(_("what"), "prose")), rows)


def _method(report: Json) -> Text:
    sources = report["generated_from"]
    return Text(
        _("{posts} posts, {snapshots} of them measured. Engagements are reactions, comments, shares and saves.").format(
            posts=sources["posts"], snapshots=sources["snapshots"]
        ),
        style="dim",
    )
