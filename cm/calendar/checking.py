"""Posts held to the rules as they stand now: what is found, how long each message is, what its sending costs.

Nothing is written, no network is asked: not even a derivative of a picture is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cm.calendar import derivatives, stored
from cm.calendar.drafting import composed
from cm.calendar.filters import parse, posts_of
from cm.calendar.sql import POST
from cm.calendar.stored import StoredPost, chunks
from cm.calendar.views import PostView, load_views
from cm.calendar.whereto import platform_of
from cm.channels.platforms import Platform
from cm.channels.port import Rejected
from cm.checks.formats import outgoing, source_of
from cm.checks.rules import PACK, error_findings
from cm.env import Env
from cm.i18n import _
from cm.model.facts import Finding, MessageContent, PostContent
from cm.model.states import LOCKED, Severity

TO_GO = ("state:draft,scheduled,failed,missed",)
"""The posts that are checked where none are named: those that may still go out."""


@dataclass(frozen=True)
class MessageCheck:
    """How long one message is, in its platform's unit, and what it costs. `most` None: no bound, or none is known.

    `price`: US dollars that the platform's interface asks for sending it, None if nothing; `without_links`: what it
    would ask if there were no address in it.
    """

    n: int
    role: str
    used: int
    most: int | None
    unit: str
    price: float | None = None
    without_links: float | None = None

    @property
    def over(self) -> int:
        """By how much it is too long."""
        return max(0, self.used - self.most) if self.most is not None else 0

    def as_json(self) -> dict[str, Any]:
        """One item of `messages`."""
        return {**vars(self), "over": self.over}


@dataclass(frozen=True)
class PostCheck:
    """One post. `billed`: its channel sends by the platform's own interface, which asks the price."""

    id: str
    channel: str
    platform: str
    messages: tuple[MessageCheck, ...]
    findings: tuple[Finding, ...]
    billed: bool

    @property
    def price(self) -> float | None:
        """US dollars for all of its messages; None where nothing is asked."""
        return _sum(message.price for message in self.messages)

    @property
    def without_links(self) -> float | None:
        """The same without any address in it."""
        return _sum(message.without_links for message in self.messages)

    def as_json(self) -> dict[str, Any]:
        """One item of `posts`."""
        return {
            "id": self.id,
            "channel": self.channel,
            "platform": self.platform,
            "price": self.price,
            "price_without_links": self.without_links,
            "billed": self.billed,
            "messages": [message.as_json() for message in self.messages],
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True)
class Checked:
    """All that was asked for, by time; drafts last."""

    posts: tuple[PostCheck, ...]

    @property
    def errors(self) -> int:
        """How many findings stop a post."""
        return sum(len(error_findings(post.findings)) for post in self.posts)

    @property
    def warnings(self) -> int:
        """How many findings are for a person to weigh."""
        return sum(finding.severity is Severity.WARNING for post in self.posts for finding in post.findings)

    @property
    def price(self) -> float | None:
        """US dollars for all of them."""
        return _sum(post.price for post in self.posts)

    @property
    def without_links(self) -> float | None:
        """The same without any address in them."""
        return _sum(post.without_links for post in self.posts)

    def as_json(self) -> dict[str, Any]:
        """The shape of `post check`; `rules` names their version."""
        return {
            "rules": PACK,
            "errors": self.errors,
            "warnings": self.warnings,
            "price": self.price,
            "price_without_links": self.without_links,
            "posts": [post.as_json() for post in self.posts],
        }


def check_posts(env: Env, tokens: Sequence[str] = ()) -> Checked:
    """Check the posts that the tokens mean; without tokens, those that may still go out.

    Raises UsageError and NotFound as `cm.calendar.filters.parse` and `posts_of`.
    """
    wanted = parse(tokens or TO_GO, env.config, env.now, env.zone)
    with env.store.read() as session:
        order = (POST.c.scheduled_at.is_(None), POST.c.scheduled_at, POST.c.id)
        numbers = list(session.execute(posts_of(session, env, wanted).order_by(*order)).scalars())
        posts = stored.load_ids(session, numbers)
        views = {view.id: view for part in chunks(numbers) for view in load_views(session, env, part, widely=True)}
    return Checked(tuple(_checked(env, posts[number], views[posts[number].name]) for number in numbers))


def _checked(env: Env, post: StoredPost, view: PostView) -> PostCheck:
    content, where = composed(post.spec).content, platform_of(env, post.spec.channel)
    channel = env.config.channels.get(post.spec.channel)
    return PostCheck(
        post.name,
        post.spec.channel,
        channel.platform if channel else "",
        tuple(_measured(message, content, where) for message in content.messages),
        (*view.findings, *(() if post.state in LOCKED else _of_files(env, content, where))),
        billed=bool(where and where.own and where.price),
    )


def _measured(message: MessageContent, content: PostContent, where: Platform | None) -> MessageCheck:
    if where is None:
        return MessageCheck(message.n, message.role, len(message.text), None, "characters")
    used, limits = where.length(where.said(message.text, message.link)), where.limits
    price = without = None
    if where.price:
        out = outgoing(message, content, where)
        price, without = where.price(out), where.price(replace(out, text="", link=None))
    return MessageCheck(message.n, message.role, used, limits.text, limits.unit, price, without)


def _of_files(env: Env, content: PostContent, where: Platform | None) -> Iterator[Finding]:
    """Files that are gone, broken, or that nothing makes fit: what would keep the post from going out."""
    for medium in (medium for message in content.messages for medium in message.media):
        try:
            derivatives.foreseen(env.root, medium, where)
        except Rejected as refused:
            source = source_of(where.limits) if where else ""
            yield Finding("format.media", Severity.ERROR, _("File that cannot be sent"), refused.reason, source)


def _sum(prices: Iterator[float | None]) -> float | None:
    known = [price for price in prices if price is not None]
    return round(sum(known), 3) if known else None
