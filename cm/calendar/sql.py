"""The tables as Core knows them, for statements over many rows, which need no objects."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.model import tables


def _table(model: Any) -> sa.Table:
    table: sa.Table = model.__table__
    return table


META = _table(tables.Meta)
POST = _table(tables.Post)
STORY = _table(tables.Story)
MESSAGE = _table(tables.Message)
ATTACHMENT = _table(tables.Attachment)
ATTEMPT = _table(tables.Attempt)
PAYLOAD = _table(tables.Payload)
RECEIPT = _table(tables.Receipt)
CHANNEL = _table(tables.Channel)
SNAPSHOT = _table(tables.Snapshot)
ACTION = _table(tables.Action)
CHANGE = _table(tables.Change)
CHANGED_POST = _table(tables.ChangedPost)
ACCOUNT = _table(tables.Account)
CHECKED = _table(tables.Checked)
HOLD = _table(tables.Hold)


class BulkInsert:
    """INSERT of very many rows whose values the caller has made ready for the driver, with `driver_value`.

    Core asks each column's type about each value of each row, which costs as much as the insertion
    itself; here a value that many rows share is converted once. SQL and conversions are the dialect's own.
    """

    def __init__(self, session: Session, table: sa.Table, columns: Sequence[str]) -> None:
        """`columns` are all that the rows hold, in the order of the table; those with a default of the model must be
        among them. Raises ValueError for another order.
        """
        self._connection = session.connection()
        dialect = self._connection.dialect
        statement = sa.insert(table).values({name: sa.bindparam(name) for name in columns})
        compiled: Any = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        if compiled.positional and tuple(compiled.positiontup) != tuple(columns):
            raise ValueError(f"columns of {table.name} out of order")
        self._names = None if compiled.positional else columns
        self._converters = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns}

    def driver_value(self, column: str, value: Any) -> Any:
        """A value as the driver takes it for that column."""
        convert = self._converters[column]
        return convert(value) if convert else value

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of driver values, each with every one of the columns in their order."""
        if rows:
            names = self._names
            given: Any = [dict(zip(names, row, strict=True)) for row in rows] if names else rows
            self._connection.exec_driver_sql(self._sql, given)
