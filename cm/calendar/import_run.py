"""One pass of an import over its file: rows are read, sorted into new posts and revisions, and written.

Rows are taken in parts of a thousand, so that a large file costs neither much memory nor a statement
per row. What only the whole file can tell (days that are too full, slots for rows without a time, the
same text twice) is judged at its end.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.actions import record
from cm.calendar import derivatives, planning
from cm.calendar.badfile import BadFile
from cm.calendar.cadence import room
from cm.calendar.csvfile import Record, Table
from cm.calendar.drafting import Composed, Spec, composed
from cm.calendar.import_guards import VERB, KnownRefs, conflict, costs, lost_name, spoilt
from cm.calendar.import_match import Matcher
from cm.calendar.import_rows import Row, RowError, RowReader, damaged, fault_column, ids_named, spec_for
from cm.calendar.import_twins import TwinSearch
from cm.calendar.media import MediaShelf
from cm.calendar.numbering import Numbering, next_id
from cm.calendar.rewriting import Reviser, Revision
from cm.calendar.sheet import differences
from cm.calendar.slots import SlotBook
from cm.calendar.sql import POST
from cm.calendar.steps import images, record_step
from cm.calendar.stored import StoredPost, chunks
from cm.calendar.whereto import platform_of
from cm.calendar.writing import PostWriter
from cm.checks.rules import findings
from cm.clock import Resolved, resolve
from cm.env import Env
from cm.errors import Refused
from cm.i18n import _
from cm.model.ids import post_id
from cm.model.states import LOCKED, PostState
from cm.model.words import state_word

Json = dict[str, Any]


def row_error(bad: BadFile) -> RowError:
    """A fault of the file as a fault of its row."""
    return RowError(bad.row, bad.column, bad.message)


@dataclass
class ImportRun:
    """One pass over the file in one transaction. `left_out`: rows known to be bad."""

    env: Env
    table: Table
    left_out: set[int]
    over: str | None
    example: bool
    errors: list[RowError] = field(default_factory=list)
    findings: list[Json] = field(default_factory=list)
    changes: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    costs: list[Json] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    unchanged: int = 0
    broken: bool = False

    def go(self, session: Session) -> None:
        """Read, judge and write every row."""
        self._session = session
        self._shelf = MediaShelf(self.env.root)
        self._numbering = Numbering(session, self.env)
        self._writer = PostWriter(session, self.env, self._numbering)
        self._reviser = Reviser(session, self.env, self._numbering)
        has_refs, first_new = "ref" in self.table.columns, next_id(session, POST)
        self._matcher = Matcher(
            session,
            has_refs=has_refs,
            first_new=first_new,
            named=lambda: set(ids_named(self.table)) if has_refs else set(),
        )
        self._reader = RowReader(self.env.config, self.table)
        self._required_fields = self.env.config.required_fields
        self._kind = self.table.given.get("kind", "")
        self._known_refs = KnownRefs(session)
        self._refs: dict[str, int] = {}
        self._step: int | None = None
        self._slotless: list[tuple[Row, Spec]] = []
        self._joining: dict[tuple[str, date], list[tuple[int, int]]] = defaultdict(list)
        self._twins = TwinSearch(self.env.config)
        for rows in self._parts():
            self._take(rows)
        self._fill_slots()
        self._judge_days()
        self.findings += self._twins.findings(session)
        # let go of here, by count, so that the search for cycles finds little when it is switched on again
        del self._matcher, self._twins, self._refs, self._writer, self._reviser, self._numbering, self._joining

    @property
    def dates(self) -> set[str]:
        """The ways in which the file writes its dates."""
        return self._reader.dates if self.table.dates is None else self.table.dates

    def note_act(self, session: Session, filename: str) -> None:
        """Into the action log and among the steps that can be undone, if anything was written."""
        if self.created or self.updated:
            if not self.example:
                record_step(session, self.env, VERB, created=self.created, into=self._step)
            made = [post_id(self.created[0]), post_id(self.created[-1])] if self.created else []
            detail = {
                "file": filename,
                "created": len(self.created),
                "first_and_last": made,
                "updated": [post_id(number) for number in self.updated],
            }
            record(session, self.env, VERB, "calendar", why=self.over, detail=detail)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _parts(self) -> Iterator[list[Row]]:
        """The rows that can be read, a thousand at a time; faults are noted."""
        for part in chunks(self._records()):
            rows = []
            for each in part:
                row, faults = self._reader.read(each)
                if row.ref is not None:
                    faults += self._doubled(row, row.ref)
                if faults:
                    self.errors += faults
                    continue
                rows.append(row)
                if row.notes:
                    self.notes += [{"row": row.number, "ref": row.name, "message": note} for note in row.notes]
            yield rows

    def _records(self) -> Iterator[Record]:
        try:
            yield from (each for each in self.table.records() if each.number not in self.left_out)
        except BadFile as bad:
            self.broken = True
            self.errors.append(row_error(bad))

    def _doubled(self, row: Row, ref: str) -> list[RowError]:
        """A ref stands once: which of two rows is meant cannot be told, also where the first one is bad."""
        first = self._refs.setdefault(ref, row.number)
        if first == row.number:
            return []
        said = _("{ref!r} stands in row {first} already").format(ref=ref, first=first)
        return [RowError(row.number, "ref", said)]

    def _error(self, row: Row, column: str, message: str) -> None:
        self.errors.append(RowError(row.number, column, message))

    def _take(self, rows: Sequence[Row]) -> None:
        """Sort the rows into new posts and revisions, and write both."""
        self._numbering.learn(row.values.get("story") for row in rows)
        revisions = []
        for row, post in self._matcher.match(rows):
            try:
                revision = self._one(row, post)
            except ValueError as error:
                self._error(row, fault_column(error), str(error))
            else:
                revisions += [(row, revision)] if revision else []
        self._revise(revisions)
        self._writer.flush()

    def _one(self, row: Row, post: StoredPost | None) -> Revision | None:
        if post is None:
            if row.id is not None:
                self._error(row, "ref", _("there is no post {id}").format(id=post_id(row.id)))
            elif (row.ref and (why := self._known_refs.spoilt(row.ref))) or (
                row.rev is not None and (why := lost_name(self._session, row))
            ):
                self._error(row, "ref", why)
            else:
                self._new(row, spec_for(row, self.env, self._shelf, None, kind=self._kind))
            return None
        first = self._matcher.meant.setdefault(post.id, row.number)
        if first != row.number:
            self._error(row, "ref", _("{id} is meant by row {first} already").format(id=post.name, first=first))
            return None
        return self._known(row, post)

    # --- new posts ----------------------------------------------------------------------------------------------------

    def _new(self, row: Row, spec: Spec) -> None:
        if self.env.config.channels[row.channel].state == "closed":
            self._error(row, "channel", _("the channel {name} is closed").format(name=row.channel))
        elif fault := damaged(spec):
            self._error(row, fault.column, str(fault))
        elif row.plan is None:
            self._slotless.append((row, spec))
        elif row.plan.instant < self.env.now:
            self._error(row, "date", _past(row.plan))
        else:
            self._note(row, row.plan)
            number = self._insert(row, spec, row.plan)
            self._joining[row.channel, row.plan.wall.date()].append((row.number, number))

    def _insert(self, row: Row, spec: Spec, plan: Resolved) -> int:
        made = composed(spec)
        number = self._writer.add(spec, made, state=PostState.SCHEDULED, plan=plan, example=self.example)
        self._look_at(row, number, spec, made)
        self._note_media(row, spec)
        self.created.append(number)
        return number

    def _note_media(self, row: Row, spec: Spec) -> None:
        if spec.media:
            platform = platform_of(self.env, row.channel)
            said = derivatives.told(self.env.root, spec.media, platform, made=False)
            self.notes += [{"row": row.number, "ref": row.name, "message": each} for each in said]

    def _fill_slots(self) -> None:
        """Rows without a time take the next open slots, after all rows that have one."""
        books: dict[str, SlotBook] = {}
        for row, spec in self._slotless:
            if row.channel not in books:
                books[row.channel] = planning.slot_book(self._session, self.env, row.channel)
            try:
                plan = books[row.channel].take(row.day)
            except Refused as refused:
                self._error(row, "date" if row.day else "time", refused.message)
            else:
                self._note(row, plan)
                self._insert(row, spec, plan)
        self._writer.flush()

    def _note(self, row: Row, plan: Resolved) -> None:
        if said := planning.note_of(plan, row.wanted):
            self.notes.append({"row": row.number, "ref": row.name, "message": said})

    # --- posts that exist ---------------------------------------------------------------------------------------------

    def _known(self, row: Row, post: StoredPost) -> Revision | None:
        """What is to become of a post; None if nothing, or nothing that may."""
        if row.channel != post.spec.channel:
            said = _("{id} is a post of {channel}; cancel it there and write a new row")
            self._error(row, "channel", said.format(id=post.name, channel=post.spec.channel))
            return None
        spec = spec_for(row, self.env, self._shelf, post.spec, post.state)
        plan = self._new_plan(row, post)
        if plan is None and spec == post.spec:
            self.unchanged += 1
            if post.state not in LOCKED:
                self._look_at(row, post.id, spec, composed(spec))
            return None
        changes = differences(post.spec, post.wall, spec, plan.wall if plan else post.wall)
        faults = self._refusals(row, post, plan, changes)
        for column, why in faults:
            self._error(row, column, why)
        if faults:
            return None
        same_day = plan is None or plan.wall.date() == post.day
        return Revision(post, spec, plan, post.over_reason if same_day else None)

    def _refusals(
        self, row: Row, post: StoredPost, plan: Resolved | None, changes: Sequence[tuple[str, str, str]]
    ) -> list[tuple[str, str]]:
        """Why a row may not change its post, as (column, reason)."""
        if post.state in LOCKED:
            return [(column, _locked(post)) for column, _before, _after in changes]
        if why := conflict(self._session, self.env, post, row.rev):
            return [("rev", why)]
        if plan and plan.instant < self.env.now:
            return [("date", _past(plan))]
        return spoilt(changes)

    def _new_plan(self, row: Row, post: StoredPost) -> Resolved | None:
        """The row's time if it differs from the post's. A blank time keeps the post's, on the row's day."""
        plan = row.plan
        if row.day and plan is None:
            if post.wall is None:
                raise ValueError(_("{id} has no time yet; give one").format(id=post.name))
            plan = resolve(datetime.combine(row.day, post.wall.time()), self.env.zone)
        return None if plan is None or plan.wall == post.wall else plan

    def _revise(self, revisions: Sequence[tuple[Row, Revision]]) -> None:
        before = {} if self.example else images(self._session, [revision.stored.id for _row, revision in revisions])
        refused = self._reviser.revise([revision for _row, revision in revisions])
        self._step = record_step(self._session, self.env, VERB, before=before, into=self._step)
        for row, revision in revisions:
            post, plan = revision.stored, revision.plan
            if post.id in refused:
                self._error(row, "text", refused[post.id])
                continue
            self.updated.append(post.id)
            wall = plan.wall if plan else post.wall
            self.changes += [
                {"ref": post.spec.ref, "id": post.name, "column": column, "before": before, "after": after}
                for column, before, after in differences(post.spec, post.wall, revision.spec, wall)
            ]
            self.costs += [{"row": row.number, "ref": row.name, "message": said} for said in costs(post, plan)]
            self._look_at(row, post.id, revision.spec, composed(revision.spec))
            if plan:
                self._note(row, plan)
                if post.state == PostState.SCHEDULED and post.in_quota and plan.wall.date() != post.day:
                    self._joining[row.channel, plan.wall.date()].append((row.number, post.id))

    # --- what only the whole file tells -------------------------------------------------------------------------------

    def _look_at(self, row: Row, number: int, spec: Spec, made: Composed) -> None:
        served = self.env.config.channels[row.channel].audiences
        found = findings(
            made.content,
            required_fields=self._required_fields,
            channel_audiences=served,
            internal_audiences=self.env.config.internal_audiences,
            platform=platform_of(self.env, row.channel),
        )
        for finding in found:
            self.findings.append({"row": row.number, "ref": row.name, **finding.as_json()})
        self._twins.add(row, number, spec.text, spec.audiences)

    def _judge_days(self) -> None:
        """Days that hold too many: the last rows that joined them are refused, or marked with the reason."""
        for channel in {channel for channel, _day in self._joining}:
            days = sorted(day for name, day in self._joining if name == channel)
            for part in chunks(days):
                for day, count in planning.counts_of(self._session, channel, part).items():
                    self._judge(channel, day, count)

    def _judge(self, channel: str, day: date, count: int) -> None:
        bounds, most = self.env.config.cadence_of(channel).on(day), planning.platform_most(self.env, channel)
        if most is not None and count > most:
            said = _("{day} would hold {count} posts on {channel}, and its platform takes {most} in a day")
            self._refuse_last(channel, day, count - most, said.format(day=day, count=count, channel=channel, most=most))
            return
        if room(count, bounds) or count == bounds.max:
            return
        too_many = self._joining[channel, day][-(count - bounds.max) :]
        if self.over:
            ids = [number for _row, number in too_many]
            self._session.execute(sa.update(POST).where(POST.c.id.in_(ids)).values(over_reason=self.over))
            return
        said = _("{day} would hold {count} posts on {channel}; at most {bound} are allowed (--over REASON)")
        message = said.format(day=day.isoformat(), count=count, channel=channel, bound=bounds.max)
        self._refuse_last(channel, day, len(too_many), message)

    def _refuse_last(self, channel: str, day: date, n: int, why: str) -> None:
        self.errors += [RowError(row, "date", why) for row, _number in self._joining[channel, day][-n:]]


def _past(plan: Resolved) -> str:
    return _("{when} is past").format(when=plan.wall.isoformat(sep=" ", timespec="minutes"))


def _locked(post: StoredPost) -> str:
    said = _("{id} is {state}: it cannot be changed any more")
    return said.format(id=post.name, state=state_word(post.state))
