"""What is stored of posts and of files, told together: the figures of `metrics show`."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.clock import midnight
from cm.env import Env
from cm.errors import NotFound, UsageError
from cm.i18n import _
from cm.metrics import queries
from cm.metrics.assemble import excerpt
from cm.metrics.figures import By, Json, Measured, summary
from cm.metrics.filematch import Matcher
from cm.metrics.importing import has_hour, key_tails, known_messages
from cm.metrics.rates import PostNumbers
from cm.metrics.rows import PostRow
from cm.model.ids import post_id
from cm.model.tables import Outside

_OUTSIDE = Outside.metadata.tables["outside"]
_NUMBERS = tuple(PostNumbers.__dataclass_fields__)


def show(
    env: Env,
    *,
    channel: str | None = None,
    source: str | None = None,
    by: By = "kind",
    first: date | None = None,
    last: date | None = None,
) -> Json:
    """The latest figures of published posts and of posts that only a file knows, on the local days `first` …
    `last`, in groups `by`. Posts of a file without a day are left out of a period and counted as `undated`.

    Raises NotFound (no such channel), UsageError (days in the wrong order).
    """
    if first and last and first > last:
        raise UsageError(_("The days run from the first to the last."), hint=_("Exchange --from and --to."))
    with env.store.read() as session:
        names = _channels(session, env, channel)
        own = _own(session, env, names, source, (first, last))
        rows = _latest_outside(session, names, source)
        strangers = _strangers(session, names, rows, env)
    dated = [post for post in strangers if _within(post, env, first, last)]
    posts = [*own, *dated]
    return {
        "from": first.isoformat() if first else None,
        "to": last.isoformat() if last else None,
        "channels": names,
        "sources": dict(sorted(Counter(post.source for post in posts if post.source).items())),
        "own": len(own),
        "outside": len(dated),
        "undated": sum(post.out_at is None for post in strangers) if first or last else 0,
        **summary(posts, by, env.zone),
    }


def _channels(session: Session, env: Env, named: str | None) -> list[str]:
    known = sorted({*queries.channels(session), *env.config.channels})
    if named is None:
        return known
    if named not in known:
        hint = _("Use one of: {names}.").format(names=", ".join(known) or "–")
        raise NotFound(_("There is no channel {name!r}.").format(name=named), hint=hint)
    return [named]


def _own(session: Session, env: Env, names: Sequence[str], source: str | None,
         period: tuple[date | None, date | None]) -> list[Measured]:  # fmt: skip
    first, last = period
    rows = queries.planned_posts(session, names, first or date.min, last or date.max, env.now, source)
    return [_measured(row) for row in rows if row.published and (source is None or row.numbers)]


def _measured(row: PostRow) -> Measured:
    return Measured(
        id=post_id(row.id),
        label=excerpt(row.text),
        channel=row.channel,
        source=row.source,
        kind=row.kind,
        numbers=row.numbers or PostNumbers(),
        followers=row.followers,
        out_at=row.out_at,
        permalink=row.permalink,
        audiences=row.audiences,
        objective=row.objective,
    )


def _latest_outside(session: Session, names: Sequence[str], source: str | None) -> Sequence[sa.Row[Any]]:
    """The newest figures of every post that only a file knows."""
    own, newer = _OUTSIDE.c, _OUTSIDE.alias("newer").c
    newest = (
        sa.select(sa.func.max(newer.taken_at))
        .where(newer.channel == own.channel, newer.source == own.source, newer.key == own.key)
        .scalar_subquery()
    )
    statement = sa.select(_OUTSIDE).where(own.channel.in_(names), own.taken_at == newest).order_by(own.id)
    return session.execute(statement if source is None else statement.where(own.source == source)).all()


def _strangers(session: Session, names: Sequence[str], rows: Sequence[sa.Row[Any]], env: Env) -> list[Measured]:
    """Rows of files whose post is still not ours: one that was confirmed since is told by its own figures."""
    if not rows:
        return []
    known, tails = {name: known_messages(session, [name]) for name in names}, key_tails(session)
    whose = {(row.channel, row.source) for row in rows}
    matchers = {one: Matcher(known[one[0]], tails.get(one)) for one in whose}
    strange = [row for row in rows if matchers[row.channel, row.source].find(row.key, row.permalink) is None]
    return [
        Measured(
            id=None,
            label=row.label,
            channel=row.channel,
            source=row.source,
            kind=row.kind,
            numbers=PostNumbers(**{name: getattr(row, name) for name in _NUMBERS}),
            followers=row.followers,
            out_at=row.published_at,
            has_hour=has_hour(row.published_at, env),
            permalink=row.permalink,
        )
        for row in strange
    ]


def _within(post: Measured, env: Env, first: date | None, last: date | None) -> bool:
    if not (first or last):
        return True
    if post.out_at is None:
        return False
    starts = first is None or post.out_at >= midnight(first, env.zone)
    return starts and (last is None or post.out_at < midnight(last + timedelta(days=1), env.zone))
