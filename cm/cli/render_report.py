"""The weekly report as a document. Unknown is a dash, never 0; every rate says what it is divided by."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from cm.cli.columns import Column, number
from cm.cli.figures import course, day_of, figure, moment_of, percent, signed
from cm.cli.sections import Document, Section
from cm.formats import day_short, labelled, plural
from cm.i18n import _
from cm.metrics.missing import sentence
from cm.model.words import kind_word, motive_word, state_word

Json = Mapping[str, Any]

MOST_ROWS = 5
"""Rows of one mix that are shown; the JSON has all."""
MANY = 2
"""Headings speak of several posts."""


def week_report(report: Json) -> Document:
    """Everything that a person reads, in order."""
    title = _("{name} · week {week}").format(name=report["establishment"]["name"], week=report["week"])
    span = _("from {start} to {end}, figures as of {cut_off}").format(
        start=moment_of(report["from"]), end=moment_of(report["to"]), cut_off=moment_of(report["cut_off"])
    )
    return Document(
        title=title + (_(" · SIMULATION") if report["simulated"] else ""),
        lead=[span],
        sections=list(_sections(report)),
        method=[_method(report)],
    )


def _sections(report: Json) -> Iterator[Section]:
    channels = report["channels"]
    yield _plan(channels)
    yield _results(channels)
    yield _rates(channels)
    yield _days(report["series"])
    yield _audiences(report)
    yield from _mixes(report["mixes"])
    if report["objectives"]:
        yield _objectives(report["objectives"])
    if report["top_posts"]:
        yield _top(report["top_posts"])
        yield ranking_section(report["ranking"])
    if report["missing"]:
        yield _missing(report["missing"])


def _plan(channels: Sequence[Json]) -> Section:
    rows = [
        (
            c["channel"], c["planned"], c["published"], f"{c['quota_days_met']}/{c['quota_days']}", c["failed"],
            c["missed"], c["unconfirmed"] + c["handed"], _next(c["next_week"]),
        )
        for c in channels
    ]  # fmt: skip
    columns = (
        _("channel"), number(_("planned")), number(state_word("published", MANY)), number(_("quota days")),
        number(state_word("failed", MANY)), number(state_word("missed", MANY)), number(_("to confirm")),
        Column(_("next week"), "prose"),
    )  # fmt: skip
    return Section(_("Plan and quota"), columns, rows, list(_withdrawn(channels)))


def _withdrawn(channels: Sequence[Json]) -> Iterator[str]:
    """What was taken down is told apart: a sentence for each channel that has some."""
    for channel in channels:
        if channel["withdrawn"]:
            count = plural("{n} post taken down", "{n} posts taken down", channel["withdrawn"])
            why = ", ".join(labelled(motive_word(key), str(n)) for key, n in channel["withdrawn_for"].items())
            yield labelled(channel["channel"], f"{count} ({why})")


def _next(week: Json) -> str:
    short = ", " + plural("{n} day short", "{n} days short", len(week["short"])) if week["short"] else ""
    return plural("{n} planned", "{n} planned", week["planned"]) + short


def _results(channels: Sequence[Json]) -> Section:
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
    return Section(_("Results (± against the week before)"), columns, rows)


def denominators() -> dict[str, str]:
    """What a rate is divided by, as it is called."""
    return {"by_reach": _("by reach"), "by_followers": _("by followers"), "by_impressions": _("by impressions")}


def _rates(channels: Sequence[Json]) -> Section:
    rows = [
        (c["channel"], label, percent(rate["pooled"]), percent(rate["mean"]), percent(rate["median"]), rate["n"])
        for c in channels
        for key, label in denominators().items()
        for rate in [c["engagement_rate"][key]]
    ]
    figures = (number(_("pooled")), number(_("mean")), number(_("median")), number("n"))
    return Section(_("Engagement rate"), (_("channel"), _("divided"), *figures), rows)


def _days(series: Sequence[Json]) -> Section:
    """Published posts, engagements and followers day by day."""
    names = (("published", state_word("published", MANY), True), ("engagements", _("engagements"), True),
             ("followers", _("followers"), False))  # fmt: skip
    rows = []
    for channel in series:
        days = [date.fromisoformat(day) for day in channel["dates"]]
        for key, label, from_zero in names:
            values = channel[key]
            known = [value for value in values if value is not None]
            line = course(values, days, from_zero=from_zero)
            rows.append((channel["channel"], label, line, figure(min(known, default=None)),
                         figure(max(known, default=None))))  # fmt: skip
    span = _days_span(series)
    columns = (_("channel"), _("what"), Column(span, "prose"), number(_("lowest")), number(_("highest")))
    return Section(_("Day by day"), columns, rows)


def _days_span(series: Sequence[Json]) -> str:
    days = series[0]["dates"] if series else []
    return "–".join(day_short(date.fromisoformat(day)) for day in (days[0], days[-1])) if days else ""


def _audiences(report: Json) -> Section:
    shares = {entry["key"]: entry["share_published"] for entry in report["mixes"]["audiences"]}
    rows = []
    for audience in report["audiences"]:
        where = ", ".join(f"{c['channel']} {c['published']}/{c['planned']}" for c in audience["channels"])
        label, share = audience["label"], percent(shares.get(audience["audience"]), 0)
        rows.append((_(label), audience["planned"], audience["published"], share, where))
    columns = (
        Column(_("audience"), "prose"), number(_("planned")), number(state_word("published", MANY)),
        number(_("share"), spare=1), Column(_("by channel (published/planned)"), "prose"),
    )  # fmt: skip
    return Section(_("Audiences"), columns, rows)


def _mixes(mixes: Json) -> Iterator[Section]:
    titles = (("kinds", _("Mix of kinds"), _("kind")), ("themes", _("Mix of themes"), _("theme")))
    for key, title, heading in titles:
        mix = mixes[key]
        if not any(entry["key"] for entry in mix):
            continue
        rows = [_mixed(key, entry) for entry in mix[:MOST_ROWS]]
        left = len(mix) - len(rows)
        notes = [plural("{n} more has fewer posts.", "{n} more have fewer posts.", left)] if left else []
        out = state_word("published", MANY)
        figures = (number(_("planned")), number(_("share")), number(out), number(_("share")))
        yield Section(title, (Column(heading, "prose"), *figures), rows, notes)


def _mixed(mix: str, entry: Json) -> tuple[object, ...]:
    label = kind_word(entry["key"]) if mix == "kinds" else entry["label"]
    return (
        label or _("none"),
        entry["planned"],
        percent(entry["share_planned"], 0),
        entry["published"],
        percent(entry["share_published"], 0),
    )


def _objectives(objectives: Sequence[Json]) -> Section:
    """Each objective with its posts; those without any are named again below."""
    rows = [(entry["label"] or _("none"), entry["planned"], entry["published"]) for entry in objectives]
    idle = [entry["label"] for entry in objectives if entry["registered"] and not entry["planned"]]
    notes = [_("Without any post: {names}.").format(names=", ".join(idle))] if idle else []
    columns = (Column(_("objective"), "prose"), number(_("planned")), number(state_word("published", MANY)))
    return Section(_("Objectives"), columns, rows, notes)


def _top(posts: Sequence[Json]) -> Section:
    rows = [
        (
            post["id"], post["channel"], day_of(post["scheduled_at"]), post["text"], figure(post["reach"]),
            figure(post["engagements"]), percent(post["rate"]),
        )
        for post in posts
    ]  # fmt: skip
    columns = (
        _("id"), _("channel"), _("day"), Column(_("text"), "line"), number(_("reach"), spare=1),
        number(_("engagements")), number(_("by reach")),
    )  # fmt: skip
    return Section(_("Most engaging posts"), columns, rows)


def ranking_section(ranking: Json, digits: int = 2) -> Section:
    """The best and the worst posts, with n and what the rate is divided by; none where there are too few."""
    label = denominators()[ranking["denominator"]]
    title = _("Best and worst engagement rate {divided}, of {posts}").format(
        divided=label, posts=plural("{n} post", "{n} posts", ranking["n"])
    )
    notes = []
    if not ranking["enough"]:
        notes.append(_("Too few posts to call one of them best or worst."))
    if ranking["unknown"]:
        notes.append(
            plural("{n} post has no such rate: a figure is unknown.",
                   "{n} posts have no such rate: a figure is unknown.", ranking["unknown"])
        )  # fmt: skip
    placed = [(_("best"), place) for place in ranking["top"]] + [(_("worst"), place) for place in ranking["bottom"]]
    rows = [
        (where, place["id"] or "", place["channel"], place.get("text") or place.get("label") or "",
         figure(place["engagements"]), figure(place["denominator"]), percent(place["rate"], digits))
        for where, place in placed
    ]  # fmt: skip
    divisor = {"by_reach": _("reach"), "by_followers": _("followers"), "by_impressions": _("impressions")}
    columns = (
        "", _("id"), _("channel"), Column(_("text"), "line"), number(_("engagements")),
        number(divisor[ranking["denominator"]], spare=1), number(_("rate")),
    )  # fmt: skip
    return Section(title, columns, rows, notes)


def _missing(missing: Sequence[Json]) -> Section:
    rows = [(entry["channel"] or _("all"), sentence(entry["what"], entry["count"])) for entry in missing]
    return Section(_("Missing or open"), (_("channel"), Column(_("what"), "prose")), rows)


def _method(report: Json) -> str:
    sources = report["generated_from"]
    return _(
        "{posts} posts, {snapshots} of them measured. Engagements are reactions, comments, shares and saves."
    ).format(posts=sources["posts"], snapshots=sources["snapshots"])
