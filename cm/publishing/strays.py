"""Posts that stand on an account and that the journal did not know: adopted for a post of ours, or only listed."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from cm.channels.port import Sighting
from cm.model.tables import Message, Receipt, Stray

OPENING = 80
"""Characters of its text that are kept."""


def opening(sighting: Sighting) -> str:
    """How its text begins, on one line."""
    return " ".join(sighting.text.split())[:OPENING]


def keep(
    session: Session, account_id: int, sightings: Iterable[Sighting], now: datetime, *, post_id: int | None = None
) -> None:
    """Write them down, each once; `post_id`: the post they were adopted for."""
    for sighting in sightings:
        where = (Stray.account_id == account_id, Stray.remote_id == sighting.remote_id)
        known = session.exec(select(Stray).where(*where)).first()
        if known is None:
            known = Stray(
                account_id=account_id,
                remote_id=sighting.remote_id,
                permalink=sighting.permalink,
                published_at=sighting.published_at,
                opening=opening(sighting),
                seen_at=now,
            )
        known.post_id = post_id if post_id is not None else known.post_id
        session.add(known)
    session.flush()


def claim_confirmed(session: Session, account_id: int) -> None:
    """A stray that has a receipt by now (a person gave its address) belongs to that post."""
    owner = (
        select(Message.post_id)
        .join(Receipt, col(Receipt.message_id) == col(Message.id))
        .where(col(Receipt.account_id) == account_id, col(Receipt.remote_id) == col(Stray.remote_id))
        .scalar_subquery()
    )
    session.execute(
        sa.update(Stray)
        .where(col(Stray.account_id) == account_id, col(Stray.post_id).is_(None), owner.is_not(None))
        .values(post_id=owner),
        execution_options={"synchronize_session": False},
    )
