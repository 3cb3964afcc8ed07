"""Trying failed and missed posts again, now: `cm post retry`.

The plan becomes this minute, so that the grace counts from here; the attempts of before cost nothing any more, and
what is out of a thread stays out. Before anything goes again, the engine looks for what may stand there already.
"""

from collections.abc import Sequence

from sqlmodel import Session

from cm.actions import record
from cm.calendar import bulk, planning
from cm.calendar.bulk import Act, BulkResult
from cm.calendar.filter_grammar import Filter
from cm.calendar.posts import refuse_locked, require_open, reschedule, what_of
from cm.calendar.stored import StoredPost
from cm.clock import Resolved
from cm.env import Env
from cm.errors import Refused
from cm.i18n import _
from cm.model.states import PostState
from cm.model.words import state_word

RETRIED = frozenset({PostState.FAILED, PostState.MISSED})


def retry_all(
    env: Env,
    tokens: Sequence[str],
    *,
    over: str | None = None,
    dry_run: bool = False,
    agreed: BulkResult | None = None,
) -> BulkResult:
    """Schedule the failed and missed posts that the tokens mean for now, as one step to undo; `agreed`: as
    `cm.calendar.bulk.carry_out`.

    Others, and those for which their day has no room left without `over`, are left as they are and told. Raises
    UsageError and NotFound as `cm.calendar.filter_grammar.parse` and `cm.calendar.filters.posts_of`.
    """
    over = planning.given_reason(over)

    def make(_session: Session, _wanted: Filter, _posts: Sequence[StoredPost]) -> Act:
        return Act("post.retry", lambda session, post: _retry(session, env, post, over))

    return bulk.carry_out(env, tokens, make, dry_run, agreed)


def _retry(session: Session, env: Env, post: StoredPost, over: str | None) -> None:
    refuse_locked(post, _("retried"))
    if post.state not in RETRIED:
        raise Refused(
            _("{id} is {state}: only failed and missed posts are tried again.").format(
                id=post.name, state=state_word(post.state)
            ),
            hint=_("Give it a time with `cm move {id} TIME`.").format(id=post.name),
        )
    require_open(env.config, post.spec.channel)
    plan = this_minute(env)
    reason = planning.require_room(session, env, post.spec.channel, plan.wall.date(), over) if post.in_quota else None
    reschedule(session, env, post, plan, reason)
    record(session, env, "post.retry", post.name, why=reason, detail=what_of(post.spec.channel, plan))


def this_minute(env: Env) -> Resolved:
    """Now as a plan, the seconds left out: a wall time of the doubled hour would mean the first of the two."""
    instant = env.now.replace(second=0, microsecond=0)
    return Resolved(instant, instant.astimezone(env.zone).replace(tzinfo=None, fold=0), env.zone.key)
