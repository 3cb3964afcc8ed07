"""A post as its channel will cut, count, card and price it, and as other channels would. No network; nothing is kept
but the derivatives of its pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cm.calendar import derivatives, stored
from cm.calendar.drafting import Spec, check, composed, unknown_channel
from cm.calendar.whereto import platform_of
from cm.channels.platforms import Platform
from cm.channels.port import Adapter, Outgoing, Preview, Previews, Rejected
from cm.channels.text import with_link
from cm.checks.formats import outgoing
from cm.env import Env
from cm.errors import WorkspaceError
from cm.i18n import _
from cm.model.facts import Finding, MessageContent, PostContent
from cm.model.ids import post_id

Adapters = Callable[[str], Adapter]
"""The adapter of a channel; raises WorkspaceError if it cannot be had."""


@dataclass(frozen=True)
class MessagePreview:
    """One message of a post on one channel. `media`: what is sent in the place of each file, in words."""

    n: int
    role: str
    shown: Preview
    media: tuple[str, ...] = ()

    @property
    def over(self) -> int:
        """By how much the text is too long."""
        return max(0, self.shown.used - self.shown.most) if self.shown.most is not None else 0

    def as_json(self) -> dict[str, Any]:
        """One item of `messages`."""
        return {"n": self.n, "role": self.role, **asdict(self.shown), "over": self.over, "media": list(self.media)}


@dataclass(frozen=True)
class PostPreview:
    """A post on one channel. `own`: it is planned for that channel."""

    id: str
    channel: str
    platform: str
    own: bool
    messages: tuple[MessagePreview, ...]
    findings: tuple[Finding, ...]

    @property
    def price(self) -> float | None:
        """US dollars that all of it costs; None where sending is free."""
        prices = [message.shown.price for message in self.messages if message.shown.price is not None]
        return round(sum(prices), 3) if prices else None

    def as_json(self) -> dict[str, Any]:
        """One item of `post preview`."""
        return {
            "id": self.id,
            "channel": self.channel,
            "platform": self.platform,
            "own": self.own,
            "price": self.price,
            "messages": [message.as_json() for message in self.messages],
            "findings": [finding.as_json() for finding in self.findings],
        }


def preview(env: Env, ident: str, adapter: Adapters, channels: Sequence[str] = ()) -> list[PostPreview]:
    """The post on its own channel, or on those named. Raises NotFound (post, channel)."""
    with env.store.read() as session:
        post = stored.find(session, ident)
    for name in channels:
        if name not in env.config.channels:
            raise unknown_channel(env.config, name)
    own = post.spec.channel
    wanted = list(dict.fromkeys(channels)) or [own]
    return [_on(env, post_id(post.id), replace(post.spec, channel=name), adapter, own=name == own) for name in wanted]


def _on(env: Env, ident: str, spec: Spec, adapter: Adapters, *, own: bool) -> PostPreview:
    content, where = composed(spec).content, platform_of(env, spec.channel)
    asked, trouble = _asked(env, spec.channel, adapter)
    messages = (_message(env, message, content, where, asked, trouble) for message in content.messages)
    channel = env.config.channels.get(spec.channel)
    name = channel.platform if channel else ""
    return PostPreview(ident, spec.channel, name, own, tuple(messages), check(env, content))


def _asked(env: Env, channel: str, adapter: Adapters) -> tuple[Previews | None, tuple[str, ...]]:
    """The adapter that shows posts itself, if the channel has one; and why it cannot be asked."""
    if channel not in env.config.channels:
        return None, ()
    try:
        found = adapter(channel)
    except WorkspaceError as error:
        return None, (_("Only counted, not shown: {why}").format(why=error.message),)
    return (found, ()) if isinstance(found, Previews) else (None, ())


def _message(
    env: Env,
    message: MessageContent,
    content: PostContent,
    where: Platform | None,
    asked: Previews | None,
    trouble: tuple[str, ...],
) -> MessagePreview:
    out = outgoing(message, content, where)
    shown = asked.preview(out) if asked else _by_figures(out, where)
    return MessagePreview(
        message.n, message.role, replace(shown, notes=(*shown.notes, *trouble)), tuple(_media(env, message, where))
    )


def _by_figures(message: Outgoing, where: Platform | None) -> Preview:
    """What can be told without the platform's own adapter."""
    text = with_link(message.text, message.link)
    if where is None:
        return Preview(text, len(text), None)
    counted = where.said(message.text, message.link)
    price = where.price(message) if where.price else None
    said = _("The price is that of {platform}'s interface, by which this channel does not send.")
    notes = (said.format(platform=where.name),) if price is not None and not where.own else ()
    return Preview(text, where.length(counted), where.limits.text, where.limits.unit, price=price, notes=notes)


def _media(env: Env, message: MessageContent, where: Platform | None) -> Iterator[str]:
    for medium in message.media:
        try:
            said = derivatives.told(env.root, (medium,), where)
        except Rejected as refused:
            yield _("refused: {why}").format(why=refused.reason)
        else:
            yield from said or (medium.path,)
