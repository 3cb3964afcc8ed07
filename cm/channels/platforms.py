"""What each platform takes, known without its adapter: whatever shows a post asks, so nothing heavy is loaded.

A built-in platform tells it in `limits.py` beside its adapter: `LIMITS`; `refuse` for what no figure says; `length`
where no unit does; `price` where sending is paid for. An adapter of others tells it in its `capabilities.limits`.
"""

import logging
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from cm.channels import registry
from cm.channels.counting import graphemes, utf8, utf16
from cm.channels.port import Limits, Outgoing
from cm.channels.text import with_link

log = logging.getLogger("cm.channels")

_SAME = {"twitter": "x"}
"""Other names under which people know a platform."""
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


def _refuses_nothing(_message: Outgoing) -> None:
    """Where figures say all."""


@dataclass(frozen=True)
class Platform:
    """A platform's limits. `refuse` raises Rejected, with its field, for a message that it would surely not take; it
    is the adapter's own and asks no network."""

    name: str
    limits: Limits
    refuse: Callable[[Outgoing], None] = _refuses_nothing
    count: Callable[[str], int] | None = None
    """How long a text is, where no unit tells it."""
    price: Callable[[Outgoing], float] | None = None
    """US dollars that the platform's interface asks for sending a message; None where it asks nothing."""
    own: bool = True
    """The channel's adapter is the platform's own."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What the account may do there, as found at its last check; see `AccountInfo.limits`."""

    def for_account(self, measured: Mapping[str, Any]) -> "Platform":
        """The same with what was measured in the place of what is usual."""
        return replace(self, limits=_as_measured(self.limits, measured), measured=measured) if self.own else self

    def said(self, text: str, link: str | None) -> str:
        """What is surely counted: the text, with the link where addresses have a length of their own there (else it
        may stand in a card)."""
        return with_link(text, link) if self.limits.url else text

    def length(self, text: str) -> int:
        """How long a text is, counted as the platform counts."""
        return self.count(text) if self.count else _counted(text, self.limits)

    def surely_fits(self, text: str) -> bool:
        """True if the text is within the limits, as far as a glance can tell; False means: count it."""
        if self.limits.text_bytes is not None and 4 * len(text) > self.limits.text_bytes:
            return False
        return self.limits.text is None or _at_most(text, self.limits) <= self.limits.text


def _as_measured(limits: Limits, measured: Mapping[str, Any]) -> Limits:
    """The limits with those of an account, as far as they are known by the names that adapters give them."""
    taken = measured.get("mime_types") or limits.images.mimes
    images = replace(
        limits.images,
        count=measured.get("max_media", limits.images.count),
        max_bytes=measured.get("image_size_limit", limits.images.max_bytes),
        mimes=tuple(mime for mime in limits.images.mimes if mime in taken),
    )
    return replace(
        limits,
        text=measured.get("max_weighted") or measured.get("max_characters") or limits.text,
        alt=measured.get("description_limit", limits.alt),
        posts_per_day=measured.get("posts_per_day", limits.posts_per_day),
        images=images,
        video=replace(limits.video, max_bytes=measured.get("video_size_limit", limits.video.max_bytes)),
    )


def _at_most(text: str, limits: Limits) -> int:
    """A length that no way of counting can go above, found quickly."""
    if limits.unit == "weighted":
        from cm.channels.x.glance import at_most

        return at_most(text)
    plain = text if text.isascii() else unicodedata.normalize("NFC", text)
    longer = limits.url * plain.count("://") if limits.url else 0
    return {"utf16": 2, "bytes": 4}.get(limits.unit, 1) * len(text if limits.unit == "characters" else plain) + longer


def _counted(text: str, limits: Limits) -> int:
    if limits.unit == "weighted":
        from cm.channels.x.counting import weighted

        return weighted(text)
    written = _URL.sub("\1" * limits.url, text) if limits.url else text
    count = {"graphemes": graphemes, "utf16": utf16, "bytes": utf8}.get(limits.unit, len)
    return count(unicodedata.normalize("NFC", written) if limits.unit == "graphemes" else written)


@cache
def platform(name: str, adapter: str) -> Platform | None:
    """What is known of the platform of a channel with that adapter; None if nothing is.

    Where the adapter is not the platform's own (a sandbox, files to paste), only the figures count: what the
    platform's interface cannot do, a person or a pretence can.
    """
    name = _SAME.get(name, name)
    try:
        if name not in registry.BUILT_IN:
            return _of_adapter(adapter) if adapter not in registry.BUILT_IN else None
        found = _of_package(name)
    except Exception as error:  # one broken package breaks nothing else; `cm channel platforms` tells of it
        log.warning("the limits of %s cannot be had: %s: %s", name, type(error).__name__, error)
        return None
    own = _SAME.get(adapter, adapter) == name
    return found if found is None or own else replace(found, refuse=_refuses_nothing, own=False)


def _of_package(name: str) -> Platform | None:
    package = registry.BUILT_IN[name].rpartition(".adapter:")[0]
    if find_spec(f"{package}.limits") is None:
        return None
    module = import_module(f"{package}.limits")
    limits = getattr(module, "LIMITS", None)
    refuse, count = getattr(module, "refuse", _refuses_nothing), getattr(module, "length", None)
    return Platform(name, limits, refuse, count, getattr(module, "price", None)) if limits else None


def _of_adapter(name: str) -> Platform | None:
    limits = registry.load(name).capabilities.limits
    return Platform(name, limits) if limits else None
