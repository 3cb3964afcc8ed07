"""The weekly report as tables. Unknown is a dash, never 0; every rate says what it is divided by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cm.cli.render import cell, table
from cm.cli.terminal import excerpt
from cm.i18n import _
from cm.metrics.missing import sentence

Json = Mapping[str, Any]
RIGHT = "right"


def week_report(report: Json) -> Iterator[RenderableType]:
    """Everything that is printed, in order."""
    yield _heading(report)
    yield _plan(report["channels"])
    yield _results(report["channels"])
    yield _rates(report["channels"])
    yield _audiences(report["audiences"])
    yield _kinds(report["channels"])
    if report["top_posts"]:
        yield _top(report["top_posts"])
    yield from _missing(report["missing"])
    yield _method(report)


def number(value: float | None) -> str:
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


def _plan(channels: Sequence[Json]) -> RenderableType:
    rows = [
        (
            c["channel"], c["planned"], c["published"], f"{c['quota_days_met']}/{c['quota_days']}", c["failed"],
            c["missed"], c["unconfirmed"] + c["handed"], _next(c["next_week"]),
        )
        for c in channels
    ]  # fmt: skip
    headings = (
        _("channel"), (_("planned"), RIGHT), (_("published"), RIGHT), (_("quota days"), RIGHT), (_("failed"), RIGHT),
        (_("missed"), RIGHT), (_("to confirm"), RIGHT), _("next week"),
    )  # fmt: skip
    return table(headings, rows, _("Plan and quota"))


def _next(week: Json) -> str:
    short = _(", {n} days short").format(n=len(week["short"])) if week["short"] else ""
    return _("{n} planned").format(n=week["planned"]) + short


def _results(channels: Sequence[Json]) -> RenderableType:
    rows = []
    for c in channels:
        change, followers = c["comparison"]["difference"], c["followers"]
        rows.append(
            (
                c["channel"], number(c["reach"]), signed(change["reach"]), number(c["impressions"]),
                number(c["engagements"]), signed(change["engagements"]), number(followers["start"]),
                number(followers["end"]), percent(followers["growth"]),
            )
        )  # fmt: skip
    return table(
        (
            _("channel"), (_("reach"), RIGHT), ("±", RIGHT), (_("impressions"), RIGHT), (_("engagements"), RIGHT),
            ("±", RIGHT), (_("followers, start"), RIGHT), (_("end"), RIGHT), (_("growth"), RIGHT),
        ),
        rows,
        _("Results (± against the week before)"),
    )  # fmt: skip


def _rates(channels: Sequence[Json]) -> RenderableType:
    names = {"by_reach": _("by reach"), "by_followers": _("by followers"), "by_impressions": _("by impressions")}
    rows = [
        (c["channel"], label, percent(rate["pooled"]), percent(rate["mean"]), percent(rate["median"]), rate["n"])
        for c in channels
        for key, label in names.items()
        for rate in [c["engagement_rate"][key]]
    ]
    headings = (
        _("channel"),
        _("divided"),
        (_("pooled"), RIGHT),
        (_("mean"), RIGHT),
        (_("median"), RIGHT),
        ("n", RIGHT),
    )
    return table(headings, rows, _("Engagement rate"))


def _audiences(audiences: Sequence[Json]) -> RenderableType:
    rows = []
    for audience in audiences:
        where = ", ".join(f"{c['channel']} {c['published']}/{c['planned']}" for c in audience["channels"])
        rows.append((audience["label"], audience["planned"], audience["published"], where))
    headings = (_("audience"), (_("planned"), RIGHT), (_("published"), RIGHT), _("by channel (published/planned)"))
    return table(headings, rows, _("Audiences"))


def _kinds(channels: Sequence[Json]) -> RenderableType:
    rows = [(c["channel"], ", ".join(f"{kind['kind']} {kind['planned']}" for kind in c["kinds"])) for c in channels]
    return table((_("channel"), _("kinds planned")), rows, _("Mix of kinds"))


def _top(posts: Sequence[Json]) -> RenderableType:
    rows = [
        (
            post["id"], post["channel"], post["scheduled_at"][:10], Text(excerpt(post["text"], 44)),
            number(post["reach"]), number(post["engagements"]), percent(post["rate"]),
        )
        for post in posts
    ]  # fmt: skip
    headings = (
        "id", _("channel"), _("day"), _("text"), (_("reach"), RIGHT), (_("engagements"), RIGHT), (_("by reach"), RIGHT),
    )  # fmt: skip
    return table(headings, rows, _("Most engaging posts"))


def _missing(missing: Sequence[Json]) -> Iterator[RenderableType]:
    if not missing:
        return
    rows = [(entry["channel"], sentence(entry["what"], entry["count"])) for entry in missing]
    yield table((_("channel"), _("what")), rows, _("Missing or open"))


def _method(report: Json) -> Text:
    sources = report["generated_from"]
    return Text(
        _("{posts} posts, {snapshots} of them measured. Engagements are reactions, comments, shares and saves.").format(
            posts=sources["posts"], snapshots=sources["snapshots"]
        ),
        style="dim",
    )
