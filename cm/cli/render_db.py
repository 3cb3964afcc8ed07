"""What a look at the platforms brought, for the terminal."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from cm.cli.columns import excerpt
from cm.cli.render import console, say, show, show_whole
from cm.formats import labelled, plural
from cm.i18n import _
from cm.publishing.account_lock import Standing
from cm.publishing.adopt import Adopted
from cm.publishing.reconcile import Report


def show_report(report: Report, zone: ZoneInfo, *, dry_run: bool = False) -> None:
    """One channel: how it stood, what was adopted (or would be), what a person must settle, what nobody knows."""
    if report.error:
        say(labelled(report.channel, report.error.message) + (f" → {report.error.hint}" if report.error.hint else ""))
        return
    say(labelled(report.channel, _standing(report, zone)))
    for entry in report.adopted:
        where = entry.permalink or entry.remote_id
        part = f"#{entry.message}" if entry.message and entry.message > 1 else ""
        would = _("{id} stands there and would be adopted: {where}")
        said = would if dry_run else _("{id} stands there and was adopted: {where}")
        say("  " + said.format(id=f"{entry.id}{part}", where=where), whole=True)
    for entry in report.unconfirmed:
        if dry_run:
            say("  " + _("{id} would be unconfirmed: {reason}").format(id=entry.id, reason=entry.reason))
            continue
        said = _("{id} is unconfirmed: {reason}").format(id=entry.id, reason=entry.reason)
        say(f"  {said} → cm post confirm {entry.id} --url … | --not-published")
    if report.standing is not Standing.OURS and report.kept:
        kept = plural("{n} planned post stays as it is.", "{n} planned posts stay as they are.", report.kept)
        say(f"  {kept}")
    _show_strays(report, zone)


def _standing(report: Report, zone: ZoneInfo) -> str:
    since = _local(report.since, zone)
    match report.standing:
        case Standing.BEHIND:
            said = _("the database is older than the last sending, which began {time}.")
            return said.format(time=_local(report.last_sending, zone)) + " " + _looked(report, since)
        case Standing.NO_MEMORY:
            said = _("nothing on this machine remembers what was sent last.")
            return said + " " + _looked(report, since)
        case Standing.OURS:
            return (
                _("the database is as new as the last sending; nothing had to be settled.")
                + " "
                + _looked(report, since)
            )
    return _("another workspace published here.") + " " + _looked(report, since)


def _looked(report: Report, since: str) -> str:
    if report.complete is None:
        return _("The platform cannot be asked what stands there.")
    if report.complete:
        return _("Looked at all since {time}.").format(time=since)
    return _("The platform does not show all since {time}.").format(time=since)


def _show_strays(report: Report, zone: ZoneInfo) -> None:
    if not report.strays:
        return
    count = len(report.strays)
    say("  " + plural("{n} post there is not in the journal:", "{n} posts there are not in the journal:", count))
    for each in report.strays:
        at = _local(datetime.fromisoformat(each["published_at"] or ""), zone)
        show(Text("    " + excerpt(f"{at} · {each['opening']}", max(20, console().width - 4))))
        show_whole(f"      {each['permalink'] or each['remote_id']}")
        if each["alike"]:
            show(Text("      " + _("It says what {ids} says.").format(ids=", ".join(each["alike"]))))
    say("  " + _("→ If one of them is a post of yours that waits: cm post confirm ID --url URL"))
    say("  " + _("→ The others were written by hand: cm leaves them as they are."))


def show_taken(reports: Sequence[Report], *, dry_run: bool = False) -> None:
    """That this copy of the workspace publishes from now on for accounts that another one may have worked."""
    names = [one.channel for one in reports if not one.error and one.standing in (Standing.BEHIND, Standing.NO_MEMORY)]
    if not names:
        return
    would = _("This copy of the workspace would publish for {names} from then on; every other copy would be refused.")
    said = _("This copy of the workspace publishes for {names} from now on; every other copy of it is refused.")
    say((would if dry_run else said).format(names=", ".join(names)))


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "–"


def show_adopted(done: Adopted, zone: ZoneInfo) -> None:
    """The channels, then what was taken over and what the person must see to."""
    for report in done.reports:
        show_report(report, zone)
    say(_("This copy publishes from now on; every other copy of the workspace is refused."))
    for path in done.unwritten:
        said = _("The state file {path} could not be written: whoever used it must not run cm for these accounts.")
        say(said.format(path=path))
    if any(report.error for report in done.reports):
        say(_("What is named above with an error stays refused: run `cm db adopt` again when it is mended."))
