"""What an import did and what an export lost, told to a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cm.cli.columns import Column, number
from cm.cli.render import say, show, table
from cm.formats import labelled, plural
from cm.i18n import _
from cm.model.states import Severity
from cm.model.words import severity_word

if TYPE_CHECKING:
    from cm.calendar.importing import ImportResult

CONTEXT = 12
"""Characters shown before a difference."""
NAMED = 5
"""So many posts are named where many have the same trouble."""


def tell_import(result: "ImportResult", *, partial: bool) -> None:
    """Changes and faults as tables; how the file was read, notes, findings and counts as sentences."""
    tables = []
    if result.changes:
        columns = (_("post"), _("column"), Column(_("before"), "line"), Column(_("after"), "line"))
        rows = [(c["ref"] or c["id"], c["column"], *differing(c["before"], c["after"])) for c in result.changes]
        tables.append(table(columns, rows))
    if result.errors:
        columns_ = (number(_("row")), _("column"), Column(_("reason"), "prose"))
        tables.append(table(columns_, [(e.row, e.column, e.message) for e in result.errors]))
    show(*tables)
    _tell_reading(result.read_as)
    for note in (*result.notes, *result.costs):
        say(_("row {row}: {message}").format(row=note["row"], message=note["message"]))
    for finding in result.findings:
        said = _("row {row}: {severity}: {reason}")
        say(said.format(row=finding["row"], severity=severity_word(finding["severity"]), reason=finding["reason"]))
    _tell_counts(result, partial)


def _tell_reading(read_as: Mapping[str, Any] | None) -> None:
    if read_as is None:
        return
    signs = {",": _("comma"), ";": _("semicolon"), "\t": _("tab")}
    parts = [read_as["encoding"]]
    if read_as["delimiter"]:
        parts.append(_("separator {sign}").format(sign=signs[read_as["delimiter"]]))
    if read_as["sheet"]:
        parts.append(_("sheet {name!r}").format(name=read_as["sheet"]))
    if read_as["dates"]:
        parts.append(_("dates {form}").format(form=read_as["dates"]))
    if read_as["ignored"]:
        parts.append(_("left out: {names}").format(names=", ".join(read_as["ignored"])))
    say(_("Read as {parts}.").format(parts=", ".join(parts)))


def differing(before: str, after: str) -> tuple[str, str]:
    """Two texts from shortly before the place where they begin to differ."""
    pairs = zip(before, after, strict=False)
    same = next((n for n, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))
    start = max(0, same - CONTEXT)
    lead = "…" if start else ""
    return lead + before[start:], lead + after[start:]


def _tell_counts(result: "ImportResult", partial: bool) -> None:
    refused = len({error.row for error in result.errors})
    counts = _("{created} created, {updated} updated, {unchanged} unchanged, {refused} refused").format(
        created=result.created, updated=result.updated, unchanged=result.unchanged, refused=refused
    )
    mend = len({finding["row"] for finding in result.findings if finding["severity"] == Severity.ERROR})
    if mend:
        say(
            plural(
                "{n} of these posts will not be published before it is mended (cm post edit).",
                "{n} of these posts will not be published before they are mended (cm post edit).",
                mend,
            )
        )
    if result.dry_run:
        say(_("{counts} (dry run: nothing was written).").format(counts=counts))
    elif result.errors and not partial:
        say(
            plural(
                "{n} row is refused. Nothing was written: correct it, or take the others with --partial.",
                "{n} rows are refused. Nothing was written: correct them, or take the others with --partial.",
                refused,
            )
        )
    else:
        say(f"{counts}.")


def tell_losses(told: Mapping[str, Any]) -> None:
    """What another tool's file cannot say, and the posts that are not in it."""
    for loss in told["lost"]:
        said = plural("Lost of {n} post", "Lost of {n} posts", len(loss["posts"]))
        say(labelled(said, f"{loss['what']} ({_some(loss['posts'])})"))
    if left_out := told["left_out"]:
        said = plural(
            "{n} post has no time to come and is left out",
            "{n} posts have no time to come and are left out",
            len(left_out),
        )
        say(labelled(said, _some(left_out)))


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")
