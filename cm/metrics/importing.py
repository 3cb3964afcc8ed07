"""Bringing in the figures of a platform's own export.

A row whose post the journal knows becomes a snapshot of it; any other a row of the table `outside`. Figures are
never changed: what is not new is not written, so the same file twice adds nothing.

When the figures were taken: what the row says, else what the person says, else the time of an earlier import of
the very same file (the action log knows it), else now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from cm import actions
from cm.env import Env
from cm.errors import NotFound, UsageError
from cm.i18n import _
from cm.metrics.figures import Measured, summary
from cm.metrics.filemap import FileMap, Header, detect, find_header, named_map, shipped, with_columns
from cm.metrics.filematch import Decision, Figures, History, Known, Matcher, Taken, decide
from cm.metrics.filerows import FileRead, RowError, digest_of, read_rows
from cm.metrics.filesheet import Table, read_table
from cm.metrics.rates import PostNumbers
from cm.model.tables import Action, Message, Outside, Post, Receipt, Snapshot

VERB = "metrics.import"

_CHUNK = 500
_NUMBERS = tuple(one.name for one in fields(PostNumbers))
_SNAPSHOT, _OUTSIDE = Snapshot.metadata.tables["snapshot"], Outside.metadata.tables["outside"]


@dataclass(frozen=True)
class File:
    """A file as it was read: by which map, for which channel."""

    made: FileMap
    header: Header
    channel: str
    encoding: str
    digest: str
    read: FileRead

    @property
    def target(self) -> str:
        """How the action log names it."""
        return f"{self.channel}:{self.made.name}:{self.digest[:16]}"

    @property
    def columns(self) -> dict[str, str]:
        """Figure or fact → the file's column."""
        return {role: self.header.names[place].strip() for role, place in self.header.places.items()}


@dataclass(frozen=True)
class ImportedFigures:
    """What came of a file. `decision` says what is new; nothing was written if `written` is False."""

    filename: str
    file: File
    taken_at: datetime
    decision: Decision
    summary: dict[str, Any]
    dry_run: bool
    written: bool

    @property
    def errors(self) -> list[RowError]:
        """Every row that was refused, in the file's order."""
        return sorted((*self.file.read.errors, *self.decision.errors), key=lambda error: error.row)

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """Blank cells by column; `figure` is None for a column that is not read."""
        roles = {column: role for role, column in self.file.columns.items()}
        return [
            {"column": name, "figure": roles.get(name), "cells": cells}
            for name, cells in self.file.read.unknown.items()
        ]

    def as_json(self) -> dict[str, Any]:
        """The shape of `metrics import --json`. `created` counts what is new, `matched` and `outside` the rows."""
        return {
            "file": self.filename,
            "map": self.file.made.name,
            "channel": self.file.channel,
            "source": self.file.made.source,
            "encoding": self.file.encoding,
            "taken_at": self.taken_at.isoformat(),
            "columns": self.file.columns,
            "rows": len(self.file.read.rows) + len(self.file.read.errors),
            "matched": self.decision.matched,
            "outside": self.decision.outside,
            "parts": self.decision.parts,
            "skipped": self.file.read.skipped,
            "created": len(self.decision.new),
            "unchanged": self.decision.unchanged,
            "unknown": self.unknown,
            "errors": [asdict(error) for error in self.errors],
            "summary": self.summary,
            "dry_run": self.dry_run,
            "written": self.written,
        }


def import_figures(
    env: Env,
    data: bytes,
    *,
    filename: str,
    map_name: str | None = None,
    columns: Mapping[str, str] | None = None,
    channel: str | None = None,
    taken_at: datetime | None = None,
    dry_run: bool = False,
    partial: bool = False,
) -> ImportedFigures:
    """Read a file by a map (found by its header if none is named) and keep what is new, all or nothing.

    `columns` (figure or fact → column) adds to the map. `partial` takes the good rows. Raises Refused (no table),
    UsageError (no map, no such column, no channel), ConfigError (a map of one's own), NotFound (no such channel).
    """
    if taken_at is not None and taken_at > env.now:
        raise UsageError(_("Figures cannot have been taken after now."), hint=_("Give an earlier --taken-at."))
    file = _read_file(env, data, map_name, columns or {}, channel)
    with env.store.read() if dry_run else env.store.write() as session:
        at = taken_at or _taken_before(session, file.target) or env.now
        decision = _decide(session, file, at)
        written = not dry_run and (partial or not (file.read.errors or decision.errors))
        if written and decision.new:
            _write(session, file, decision.new)
            detail = {"taken_at": at.isoformat(), "rows": len(decision.new), "sha256": file.digest}
            detail |= {"key_tail": file.made.key_tail} if file.made.key_tail else {}
            actions.record(session, env, VERB, file.target, detail=detail)
    return ImportedFigures(
        filename=filename,
        file=file,
        taken_at=at,
        decision=decision,
        summary=summary(list(_measured(file, env)), "kind", env.zone),
        dry_run=dry_run,
        written=written,
    )


def _read_file(env: Env, data: bytes, named: str | None, columns: Mapping[str, str], channel: str | None) -> File:
    table = read_table(data)
    made, header = _map_of(table, named, columns)
    whose, digest = _channel_of(env, made, channel), digest_of(data)
    read = read_rows(table, header, made, zone=env.zone, digest=digest)
    return File(made, header, whose, table.encoding, digest, read)


def _map_of(table: Table, named: str | None, columns: Mapping[str, str]) -> tuple[FileMap, Header]:
    if named is None and not columns:
        return detect(table.rows, shipped().values())
    base = named_map(named) if named else None
    made = with_columns(base, columns) if columns else base
    assert made is not None
    return made, find_header(table.rows, made)


def _channel_of(env: Env, made: FileMap, named: str | None) -> str:
    known = ", ".join(env.config.channels) or "–"
    if named is not None:
        if named not in env.config.channels:
            hint = _("Use one of: {names}.").format(names=known)
            raise NotFound(_("There is no channel {name!r}.").format(name=named), hint=hint)
        return named
    fitting = [name for name, channel in env.config.channels.items() if channel.platform == made.platform]
    if len(fitting) == 1:
        return fitting[0]
    raise UsageError(
        _("Whose figures are these? No single channel fits the map {map}.").format(map=made.name),
        hint=_("Name one with --channel: {names}.").format(names=", ".join(fitting) or known),
    )


def _taken_before(session: Session, target: str) -> datetime | None:
    """The time of the first import of the same file, by the same map, for the same channel."""
    statement = (
        sa.select(col(Action.detail))
        .where(col(Action.verb) == VERB, col(Action.target) == target)
        .order_by(col(Action.id))
        .limit(1)
    )
    detail = session.execute(statement).scalar()
    return datetime.fromisoformat(detail["taken_at"]) if detail else None


def key_tails(session: Session) -> dict[tuple[str, str], str | None]:
    """By channel and source, the sign behind which an id of a file may be the end of ours (`FileMap.key_tail`), as
    the latest import of that source had it."""
    statement = sa.select(col(Action.target), col(Action.detail)).where(col(Action.verb) == VERB)
    found = {}
    for target, detail in session.execute(statement.order_by(col(Action.id))):
        channel, name, _digest = target.rsplit(":", 2)
        found[channel, f"import:{name}"] = detail.get("key_tail")
    return found


def _decide(session: Session, file: File, at: datetime) -> Decision:
    rows, source = file.read.rows, file.made.source
    matcher = Matcher(known_messages(session, [file.channel]), file.made.key_tail)
    stored: History = {}
    ids = {known.post_id for row in rows if (known := matcher.find(row.key, row.permalink))}
    for chunk in _chunks(sorted(ids)):
        _remember(session, stored, _SNAPSHOT.c.post_id, chunk, [_SNAPSHOT.c.source == source])
    own = [_OUTSIDE.c.channel == file.channel, _OUTSIDE.c.source == source]
    for chunk in _chunks(sorted({row.key for row in rows})):
        _remember(session, stored, _OUTSIDE.c.key, chunk, own)
    return decide(rows, matcher, stored, at)


def known_messages(session: Session, channels: Sequence[str]) -> list[Known]:
    """Every message of those channels that stands on its platform."""
    statement = (
        sa.select(col(Message.post_id), col(Message.n), col(Receipt.remote_id), col(Receipt.permalink))
        .join(Message, col(Message.id) == col(Receipt.message_id))
        .join(Post, col(Post.id) == col(Message.post_id))
        .where(col(Post.channel).in_(channels))
        .order_by(col(Receipt.id))
    )
    return [Known(*row) for row in session.execute(statement)]


def _remember(session: Session, stored: History, subject: Any, chunk: Sequence[Any], where: list[Any]) -> None:
    """Add what is stored of the subjects (ids of posts, or keys) in the chunk."""
    own = subject.table.c
    statement = sa.select(subject, own.taken_at, own.followers, *(own[name] for name in _NUMBERS))
    for row in session.execute(statement.where(subject.in_(chunk), *where)):
        whose = (row[0], None) if subject is _SNAPSHOT.c.post_id else (None, row[0])
        figures: Figures = (PostNumbers(**{name: getattr(row, name) for name in _NUMBERS}), row.followers)
        stored.setdefault(whose, []).append((row.taken_at, figures))


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _write(session: Session, file: File, new: Iterable[Taken]) -> None:
    snapshots, outside = [], []
    for taken in new:
        row = taken.row
        common = {
            "channel": file.channel,
            "source": file.made.source,
            "taken_at": taken.at,
            "followers": row.followers,
            **asdict(row.numbers),
        }
        if taken.post_id is not None:
            snapshots.append({**common, "post_id": taken.post_id})
        else:
            facts = {name: getattr(row, name) for name in ("key", "label", "kind", "permalink", "published_at")}
            outside.append({**common, **facts})
    for table, rows in ((_SNAPSHOT, snapshots), (_OUTSIDE, outside)):
        if rows:
            session.execute(sa.insert(table), rows)


def _measured(file: File, env: Env) -> Iterator[Measured]:
    for row in file.read.rows:
        yield Measured(
            id=None,
            label=row.label,
            channel=file.channel,
            source=file.made.source,
            kind=row.kind,
            numbers=row.numbers,
            followers=row.followers,
            out_at=row.published_at,
            has_hour=has_hour(row.published_at, env),
            permalink=row.permalink,
        )


def has_hour(out_at: datetime | None, env: Env) -> bool:
    """False for exactly midnight by the wall: that is how a file that gives days alone is kept."""
    wall = out_at.astimezone(env.zone) if out_at else None
    return wall is not None and timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second) > timedelta(0)
