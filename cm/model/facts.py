"""Frozen values that pure rules take and give; no database behind them."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from cm.model.states import Severity


@dataclass(frozen=True)
class MediaContent:
    """A picture or film as content: what it shows (hash of its bytes) and what it says (alt)."""

    path: str
    sha256: str
    mime: str
    alt: str = ""


@dataclass(frozen=True)
class MessageContent:
    """One message as it will be sent; `role` is `part` or `comment`."""

    n: int
    text: str
    link: str | None = None
    role: str = "part"
    media: tuple[MediaContent, ...] = ()


@dataclass(frozen=True)
class PostContent:
    """A post as checks and hashes see it; the time is not part of it."""

    channel: str
    kind: str
    language: str
    audiences: tuple[str, ...]
    messages: tuple[MessageContent, ...]
    link: str | None = None
    visibility: str = "public"
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What a rule said. `start`/`end` are code-point offsets in `text` where it has a place, else None."""

    rule: str
    severity: Severity
    label: str
    reason: str
    source: str = ""
    start: int | None = None
    end: int | None = None
    text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape of `check text` and `post list`."""
        return asdict(self)


@dataclass(frozen=True)
class DayCount:
    """How many posts count for one channel on one local day, and the bounds of that day."""

    day: date
    channel: str
    count: int
    min: int
    max: int

    @property
    def status(self) -> str:
        """`short`, `ok` or `over`."""
        if self.count < self.min:
            return "short"
        return "over" if self.count > self.max else "ok"
