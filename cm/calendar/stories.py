"""Stories: one editorial idea, told differently to each audience."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cm.calendar.cleaning import findable
from cm.calendar.sql import POST, STORY
from cm.calendar.views import PostView, load_views
from cm.env import Env
from cm.errors import NotFound
from cm.i18n import _


@dataclass(frozen=True)
class StoryView:
    """A story with the number of its posts by channel, and all audiences they are written for."""

    ref: str
    title: str
    created_at: datetime
    channels: dict[str, int]
    audiences: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For `story list`."""
        return {
            "ref": self.ref,
            "title": self.title,
            "created_at": self.created_at.isoformat(),
            "channels": self.channels,
            "audiences": list(self.audiences),
            "posts": sum(self.channels.values()),
        }


@dataclass(frozen=True)
class StoryPosts:
    """A story and its posts together, by time."""

    story: StoryView
    posts: tuple[PostView, ...]

    def as_json(self) -> dict[str, Any]:
        """For `story show`: the story's facts, with `posts` in the shape of `post list`."""
        return {**self.story.as_json(), "posts": [post.as_json() for post in self.posts]}


def list_stories(env: Env) -> list[StoryView]:
    """Every story, by ref."""
    with env.store.read() as session:
        stories = session.execute(sa.select(STORY).order_by(STORY.c.ref)).all()
        statement = sa.select(POST.c.story_id, POST.c.channel, POST.c.audiences).where(POST.c.story_id.is_not(None))
        channels: dict[int, Counter[str]] = defaultdict(Counter)
        audiences: dict[int, set[str]] = defaultdict(set)
        for story, channel, readers in session.execute(statement):
            channels[story][channel] += 1
            audiences[story].update(readers)
    order = list(env.config.all_audiences)
    return [_view(story, channels[story.id], audiences[story.id], order, env) for story in stories]


def show_story(env: Env, ref: str) -> StoryPosts:
    """A story and its posts, told side by side; texts that are the same are findings. Raises NotFound."""
    with env.store.read() as session:
        story = session.execute(sa.select(STORY).where(STORY.c.ref == findable(ref))).first()
        if story is None:
            raise NotFound(_("There is no story {ref!r}.").format(ref=ref), hint=_("`cm story list` shows their refs."))
        posts = load_views(session, env, sa.select(POST.c.id).where(POST.c.story_id == story.id))
    channels = Counter(post.channel for post in posts)
    readers = {audience for post in posts for audience in post.audiences}
    return StoryPosts(_view(story, channels, readers, list(env.config.all_audiences), env), tuple(posts))


def _view(story: Any, channels: Counter[str], readers: set[str], order: list[str], env: Env) -> StoryView:
    audiences = tuple(sorted(readers, key=lambda key: (order.index(key) if key in order else len(order), key)))
    created_at = story.created_at.astimezone(env.zone)
    return StoryView(story.ref, story.title, created_at, dict(sorted(channels.items())), audiences)
