"""What a filled-in form asks for: new posts, or changes to one; rehearsed, with what is wrong told line by line."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from cm.calendar.draftfile import Document, Parsed, Remark, Section, heading
from cm.calendar.draftform import LINES, form_of_post
from cm.calendar.drafting import NewPost, check, composed, new_post, post_changes
from cm.calendar.shortnames import channel_called
from cm.calendar.stored import StoredPost
from cm.calendar.telling import Rewriting, rehearse, rehearse_rewriting, rewrite, said_before, tell
from cm.calendar.times import echo, read_when
from cm.calendar.views import PostView
from cm.env import Env
from cm.errors import CmError, NotFound, Refused
from cm.i18n import _
from cm.model.states import PostState, Severity

T = TypeVar("T")

_YES = frozenset({"yes", "oui", "true", "vrai", "1", "x", "y", "o"})
_NO = frozenset({"", "no", "non", "false", "faux", "0", "n"})
_LINE_OF_RULE: Mapping[str, str] = {"kind": "kind", "link": "link", "audience": "audiences"}
"""Where a finding is told, by the first word of its rule; the others stand at the text."""
_LINE_OF_FIELD: Mapping[str, str] = {
    **{name: name for name in LINES},
    "audiences": "audiences",
    "media": "media",
    "alt": "media",
    "fields": "kind",
}
_MISSING = "kind.field_missing"


@dataclass(frozen=True)
class Telling:
    """New posts as the file asks for them, one for each section. `walls`: the local times they would get; None if
    that is not known."""

    news: tuple[NewPost, ...]
    over: str | None = None
    draft: bool = False
    walls: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class Checked:
    """What a file would become. `work` is None where it cannot be, or changes nothing; `remarks` that block come
    first; `views`: the posts as they would be."""

    work: Telling | Rewriting | None
    remarks: tuple[Remark, ...]
    views: tuple[PostView, ...] = ()

    @property
    def blocked(self) -> bool:
        """True if something must be mended before it can be written."""
        return any(remark.blocks for remark in self.remarks)


def write(env: Env, work: Telling | Rewriting) -> list[PostView]:
    """Put into the calendar what was rehearsed, at the times that were found then. Raises as
    `cm.calendar.telling.tell` and `rewrite`."""
    if isinstance(work, Rewriting):
        return [rewrite(env, work)]
    return tell(env, work.news, over=work.over, draft=work.draft, walls=work.walls)


class _Desk:
    """Reads a form and collects what is wrong with it."""

    def __init__(self, env: Env, parsed: Parsed) -> None:
        self.env = env
        self.document = parsed.document
        self.remarks = list(parsed.remarks)
        self._channels: set[str] = set()

    def tried(self, place: str, act: Callable[[], T]) -> T | None:
        """What `act` gives; if it refuses, None and the reason at the place it concerns."""
        try:
            return act()
        except CmError as error:
            self.refused(place, error)
            return None

    def refused(self, place: str, error: CmError) -> None:
        """Tell why something is refused, at the line that each reason names, else at `place`."""
        for line in error.message.split("\n"):
            named, said = _line_named(line)
            self.remarks.append(Remark(named or place, _with_hint(said, error)))

    @property
    def faults(self) -> int:
        """How many remarks there are that must be heeded."""
        return sum(remark.blocks for remark in self.remarks)

    def channel(self, section: Section) -> str:
        """The channel of a section. Raises NotFound, UsageError (ambiguous), Refused (it has a section already)."""
        try:
            name = channel_called(self.env.config, section.channel)
        except NotFound as error:
            hint = _(r"A line of the text that begins with === has a \ before it.")
            raise NotFound(error.message, hint=f"{error.hint} {hint}") from None
        if name in self._channels:
            raise Refused(_("{channel} has a section already; there can be one only.").format(channel=name))
        self._channels.add(name)
        return name

    def wall(self, section: Section) -> datetime | None:
        """The time of a section: its own, else the header's, else none."""
        written = (section.time or self.document.values.get("time", "")).strip()
        if not written:
            return None
        place = heading(section.channel) if section.time else "time"
        found = self.tried(place, lambda: read_when(written, now=self.env.now, zone=self.env.zone))
        if found and found.note:
            self.remarks.append(Remark(place, echo(found), blocks=False))
        return found.wall if found else None

    def said_before(self, place: str, new: NewPost) -> None:
        """Warn of words that the channel has already: a text that was kept may have been written after all."""
        with self.env.store.read() as session:
            known = said_before(session, new.channel, new.text)
        if known:
            said = _("{id} on {channel} has the very same text.").format(id=known, channel=new.channel)
            self.remarks.append(Remark(place, said, blocks=False))

    def flag(self, name: str) -> bool:
        """A line that says yes or no."""
        said = self.document.values.get(name, "").strip().casefold()
        if said not in _YES | _NO:
            self.remarks.append(Remark(name, _("Write yes or no.")))
        return said in _YES

    def told(self, place: str, view: PostView, known: Collection[str] = ()) -> None:
        """What is found wrong with a post, at the lines it concerns.

        A draft may be incomplete, and what was wrong before (rules `known`) need not be mended now.
        """
        for finding in view.findings:
            if finding.rule == _MISSING:
                continue
            line = _LINE_OF_RULE.get(finding.rule.partition(".")[0], place)
            stops = finding.severity is Severity.ERROR and finding.rule not in known
            self.remarks.append(Remark(line, finding.reason, blocks=stops and view.state != PostState.DRAFT))

    def missing_fields(self, *, blocks: bool) -> None:
        """What the kind needs and the form lacks; lines that are not there are offered."""
        kind, fields = self.document.values.get("kind", "").strip(), self.document.fields
        for name in self.env.config.required_fields.get(kind, ()):
            given = self.document.values.get("link") if name == "link" else fields.get(name)
            if (given or "").strip():
                continue
            said = _("A post of kind {kind} needs {field}.").format(kind=kind, field=name)
            line = "link" if name == "link" else f"field {name}"
            offer = "" if name == "link" or name in fields else f"{line}:"
            self.remarks.append(Remark("kind" if offer else line, said, blocks=blocks, offer=offer))

    def checked(self, work: Telling | Rewriting | None, views: Sequence[PostView] = ()) -> Checked:
        """The answer: each remark once, those that block first."""
        once = sorted(dict.fromkeys(self.remarks), key=lambda remark: not remark.blocks)
        return Checked(work, tuple(once), tuple(views))


def _line_named(message: str) -> tuple[str | None, str]:
    """The header line that a message begins with, as `kind: there is no kind…`, and what it says of it."""
    name, _colon, rest = message.partition(":")
    line = _LINE_OF_FIELD.get(name.split(".")[0])
    return line, rest.strip() if line else message


def _audiences(document: Document) -> tuple[str, ...]:
    """The audiences that are named, separated by commas, blanks or bars."""
    return tuple(word for word in re.split(r"[\s,;|]+", document.values.get("audiences", "")) if word)


def _with_hint(line: str, error: CmError) -> str:
    usual = _("Correct it and try again; nothing was written.")
    return f"{line} {error.hint}" if error.hint and error.hint != usual else line


def check_telling(env: Env, parsed: Parsed) -> Checked:
    """What new posts a form asks for, rehearsed. Nothing is kept."""
    desk = _Desk(env, parsed)
    sections = parsed.document.sections
    told = [new for section in sections if (new := _new(desk, section))]
    over, draft = parsed.document.values.get("over"), desk.flag("draft")
    if not sections:
        desk.remarks.append(Remark("", _("There is no section: write `=== channel` and the text below it.")))
    desk.missing_fields(blocks=not draft)
    if not sections or len(told) < len(sections):
        return desk.checked(None)
    outcome = desk.tried("over", lambda: rehearse(env, told, over=over, draft=draft)) or []
    for section, new, found in zip(sections, told, outcome, strict=False):
        if isinstance(found, CmError):
            desk.refused(heading(section.channel), found)
        else:
            desk.told(heading(section.channel), found)
            desk.said_before(heading(section.channel), new)
    views = [found for found in outcome if isinstance(found, PostView)]
    walls = tuple(view.wall for view in views) if len(views) == len(told) else None
    return desk.checked(Telling(tuple(told), over, draft, walls), views)


def _new(desk: _Desk, section: Section) -> NewPost | None:
    """The post of one section; None if it cannot be read, which is then remarked upon."""
    place = heading(section.channel)
    known = desk.faults
    channel, wall = desk.tried(place, lambda: desk.channel(section)), desk.wall(section)
    if desk.faults > known:
        return None
    document = desk.document
    given: dict[str, Any] = {name: value for name, value in document.values.items() if name in LINES}
    given |= {"channel": channel, "text": section.text, "wall": wall, "audiences": _audiences(document)}
    given |= {"fields": document.fields, **_media(document)}
    return desk.tried(place, lambda: new_post(**{"kind": "", **given}))


def _media(document: Document) -> dict[str, list[str]]:
    return {"media": [path for path, _alt in document.media], "alt": [alt for _path, alt in document.media]}


def check_rewriting(env: Env, parsed: Parsed, post: StoredPost) -> Checked:
    """What a form changes of a post, rehearsed. `work` is None without a remark if it changes nothing."""
    desk = _Desk(env, parsed)
    sections, was = parsed.document.sections, form_of_post(post)
    if [section.channel for section in sections] != [post.spec.channel]:
        said = _("{id} has one text, for {channel}: leave that section and no other.")
        desk.remarks.append(Remark("", said.format(id=post.name, channel=post.spec.channel)))
        return desk.checked(None)
    document, place = parsed.document, heading(post.spec.channel)
    time, was_at = document.values.get("time", ""), was.values.get("time", "")
    wall = desk.wall(sections[0]) if sections[0].time or time not in ("", was_at) else None
    wanted = _changes(document, was, post.spec.audiences)
    changes = desk.tried(place, lambda: post_changes(**wanted))
    known = {finding.rule for finding in check(env, composed(post.spec).content)}
    desk.missing_fields(blocks=_MISSING not in known and (post.state != PostState.DRAFT or wall is not None))
    if changes is None or not (wanted or wall):
        return desk.checked(None)
    work = Rewriting(post.name, changes, wall, document.values.get("over"), post.rev)
    found = desk.tried(place, lambda: rehearse_rewriting(env, work))
    if found is not None:
        desk.told(place, found, known)
    return desk.checked(work, [found] if found else [])


def _changes(now: Document, was: Document, audiences: tuple[str, ...]) -> dict[str, Any]:
    """What `now` has that `was` had not, as `PostChanges` takes it. `audiences`: those that the post has."""
    names = sorted(name for name in LINES if now.values.get(name, "") != was.values.get(name, ""))
    changes: dict[str, Any] = {name: now.values.get(name, "") for name in names}
    if now.sections[0].text != was.sections[0].text:
        changes["text"] = now.sections[0].text
    if _audiences(now) != audiences:
        changes["audiences"] = _audiences(now)
    if now.media != was.media:
        changes |= _media(now)
    fields = {**dict.fromkeys(was.fields, ""), **now.fields}
    if differing := {name: value for name, value in fields.items() if value != was.fields.get(name, "")}:
        changes["fields"] = differing
    return changes


def differing_lines(document: Document, post: StoredPost) -> list[str]:
    """The lines of a form in which it is not what the post is now, e.g. because somebody has changed that."""
    was = form_of_post(post)
    found = list(_changes(document, was, post.spec.audiences)) if document.sections else []
    return [*found, "time"] if document.values.get("time") != was.values.get("time") else found
