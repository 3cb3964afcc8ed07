"""The tables as Core knows them: for statements that read or write many rows, which need no objects."""

from typing import Any

import sqlalchemy as sa

from cm.model import tables


def _table(model: Any) -> sa.Table:
    table: sa.Table = model.__table__
    return table


POST = _table(tables.Post)
STORY = _table(tables.Story)
MESSAGE = _table(tables.Message)
ATTACHMENT = _table(tables.Attachment)
ATTEMPT = _table(tables.Attempt)
PAYLOAD = _table(tables.Payload)
RECEIPT = _table(tables.Receipt)
CHANNEL = _table(tables.Channel)
