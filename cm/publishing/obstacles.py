"""What stands in the way of posts that a person has just planned for now or later: a hold, a channel at rest.

The engine would tell of it when their time comes; whoever plans them wants to know it before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from cm.calendar.views import PostView
from cm.env import Env
from cm.formats import labelled
from cm.i18n import _
from cm.model.states import PostState
from cm.publishing.hold_words import end_of, moment, sentence
from cm.publishing.holds import HoldView, active
from cm.publishing.standing import Stop, stops_of


def noting(env: Env, views: Sequence[PostView]) -> tuple[PostView, ...]:
    """The posts, each with notes on what will keep it from going out at its time."""
    stops, holds = stops_of(env), active(env)
    return tuple(replace(view, notes=(*view.notes, *_in_the_way(env, view, stops.get(view.channel), holds)))
                 for view in views)  # fmt: skip


def noting_rests(env: Env, views: Sequence[PostView]) -> list[PostView]:
    """As `noting`, of channels at rest alone: for whoever tells of holds in words of its own."""
    stops = stops_of(env)
    return [replace(view, notes=(*view.notes, *_in_the_way(env, view, stops.get(view.channel), ()))) for view in views]


def told_apart(before: Iterable[PostView], after: Iterable[PostView]) -> list[str]:
    """What `noting` added to these posts, each sentence once."""
    added = (note for old, new in zip(before, after, strict=True) for note in new.notes[len(old.notes) :])
    return list(dict.fromkeys(added))


def in_the_way(env: Env, view: PostView) -> list[str]:
    """What will keep this post from going out at its time, and the command that ends each."""
    return _in_the_way(env, view, stops_of(env).get(view.channel), active(env))


def _in_the_way(env: Env, view: PostView, stop: Stop | None, holds: Iterable[HoldView]) -> list[str]:
    at = view.scheduled_at
    if view.state is not PostState.SCHEDULED or at is None:
        return []
    found = [rest_said(env, stop)] if stop and _lasts(stop.until, at) else []
    held = [hold for hold in holds if hold.covers(view.channel) and _lasts(hold.until, at) and not view.crisis]
    return found + [f"{sentence(hold, env.config, env.zone)} → {end_of(hold)}" for hold in held]


def _lasts(until: datetime | None, at: datetime) -> bool:
    return until is None or until > at


def rest_said(env: Env, stop: Stop) -> str:
    """`facebook is paused until Mon 23/11 09:30: too many requests → cm channel resume facebook`."""
    said = _("{channel} is stopped").format(channel=stop.channel)
    if stop.until:
        said = _("{channel} is paused until {time}").format(channel=stop.channel, time=moment(stop.until, env.zone))
    return f"{labelled(said, stop.reason) if stop.reason else said} → {stop.command}"
