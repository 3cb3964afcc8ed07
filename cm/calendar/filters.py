"""Which posts a filter means: the grammar of `cm.calendar.filter_grammar` as a statement.

Whoever lists, exports, moves or cancels asks here, so that the list shown is the set acted on.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from cm.calendar import stored
from cm.calendar.filter_grammar import Filter, Span, Term, parse
from cm.calendar.sql import POST, STORY
from cm.checks.folding import folded_text
from cm.env import Env
from cm.model.states import PostState

__all__ = ["Filter", "chosen", "meant_for", "parse", "posts_of"]

Condition = sa.ColumnElement[bool]


def chosen(env: Env, tokens: Sequence[str]) -> sa.Select[Any]:
    """The numbers of the posts that the tokens mean, as a statement; without tokens those of all posts.

    Raises UsageError and NotFound as `parse` does, and NotFound for an id or a ref that no post has.
    """
    with env.store.read() as session:
        return posts_of(session, env, parse(tokens, env.config, env.now, env.zone))


def posts_of(session: Session, env: Env, wanted: Filter) -> sa.Select[Any]:
    """As `chosen`, for a filter that is read and in the caller's transaction."""
    conditions = [_condition(session, env, term) for term in wanted.terms]
    if wanted.names:
        conditions.append(_named(session, wanted.names))
    return sa.select(POST.c.id).where(*conditions)


def _condition(session: Session, env: Env, term: Term) -> Condition:
    make = _MAKERS.get(term.key, _words)
    condition = make(session, env, term)
    # what has no value (a draft has no day) is not what it is asked not to be
    return sa.not_(sa.func.coalesce(condition, sa.false())) if term.negated else condition


def _state(_session: Session, _env: Env, term: Term) -> Condition:
    return POST.c.state.in_(term.values)


def _equal(_session: Session, _env: Env, term: Term) -> Condition:
    return POST.c[term.key].in_(term.values)


def _span(_session: Session, _env: Env, term: Term) -> Condition:
    return sa.or_(*(_within(value) for value in term.values if isinstance(value, Span)))


def _within(span: Span) -> Condition:
    start, end = span.start, span.end
    timed = isinstance(start or end, datetime)
    place = POST.c.scheduled_at if timed else POST.c.day
    after = [place >= start] if start else []
    before = [place < end if timed else place <= end] if end else []
    return sa.and_(*after, *before)


def _audience(_session: Session, _env: Env, term: Term) -> Condition:
    return meant_for(str(value) for value in term.values)


def meant_for(audiences: Iterable[str]) -> Condition:
    """Posts for at least one of the audiences, by key."""
    # Keys hold neither quotes nor backslashes, so a key in quotes is that item of the JSON list.
    held = sa.cast(POST.c.audiences, sa.String)
    return sa.or_(*(held.contains(f'"{key}"', autoescape=True) for key in audiences))


def _flag(_session: Session, env: Env, term: Term) -> Condition:
    due = sa.and_(POST.c.state.in_((PostState.SCHEDULED, PostState.PUBLISHING)), POST.c.scheduled_at <= env.now)
    flags: dict[str, Condition] = {
        "overdue": due,
        "example": POST.c.example.is_(True),
        "urgent": POST.c.urgent.is_(True),
        "over": POST.c.over_reason.is_not(None),
        "withdrawn": POST.c.withdrawal.is_not(None),
        "crisis": POST.c.crisis.is_(True),
        "held": sa.and_(POST.c.held_by.is_not(None), POST.c.state.in_((PostState.MISSED, PostState.FAILED))),
    }
    return sa.or_(*(flags[str(value)] for value in term.values))


def _ids(session: Session, _env: Env, term: Term) -> Condition:
    names = (str(value) for value in term.values)
    return _named(session, [f"p{name}" if term.key == "id" and name.isdecimal() else name for name in names])


def _named(session: Session, names: Iterable[str]) -> Condition:
    return _among({stored.find(session, name).id for name in names})


def _among(numbers: Iterable[int]) -> Condition:
    """Any number of ids as one parameter."""
    listed = sa.func.json_each(json.dumps(sorted(numbers))).table_valued("value")
    return POST.c.id.in_(sa.select(listed.c.value))


def _words(session: Session, env: Env, term: Term) -> Condition:
    """Names that people give freely, compared by their folded copies."""
    column = POST.c[term.key]
    also = _names_of_people(env) if term.key == "author" else {}
    known = session.execute(sa.select(column).where(column.is_not(None)).distinct()).scalars()
    return column.in_([name for name in known if {folded_text(name), also.get(name)} & set(term.values)])


def _names_of_people(env: Env) -> Mapping[str, str]:
    return {key: folded_text(person.name) for key, person in env.config.people.items()}


def _story(session: Session, _env: Env, term: Term) -> Condition:
    stories = session.execute(sa.select(STORY.c.id, STORY.c.ref, STORY.c.title))
    meant = [row.id for row in stories if {folded_text(row.ref), folded_text(row.title)} & set(term.values)]
    return POST.c.story_id.in_(meant)


def _text(session: Session, _env: Env, term: Term) -> Condition:
    """Posts whose text or first comment holds the words, from where a word begins (what is no word, anywhere)."""
    words = str(term.values[0])
    begins = re.compile((r"(?<![^\W_])" if words[0].isalnum() else "") + re.escape(words))
    rows = session.execute(sa.select(POST.c.id, POST.c.text, POST.c.first_comment))
    return _among(row.id for row in rows if any(begins.search(folded_text(text or "")) for text in row[1:]))


_MAKERS: Mapping[str, Callable[[Session, Env, Term], Condition]] = {
    "state": _state,
    "channel": _equal,
    "kind": _equal,
    "objective": _equal,
    "audience": _audience,
    "is": _flag,
    "id": _ids,
    "ref": _ids,
    "story": _story,
    "text": _text,
    **dict.fromkeys(("week", "day", "before", "after", "from", "to"), _span),
}
