"""The post's states and the one table of transitions; the closed lists of outcomes and kinds."""

from enum import StrEnum


class PostState(StrEnum):
    """Where a post stands. Approval, hold, pause and back-off are facts beside it, never states."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    HANDED = "handed"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"


_S = PostState

TRANSITIONS: dict[PostState, frozenset[PostState]] = {
    _S.DRAFT: frozenset({_S.SCHEDULED, _S.CANCELLED}),
    _S.SCHEDULED: frozenset({_S.PUBLISHING, _S.DRAFT, _S.MISSED, _S.CANCELLED}),
    _S.PUBLISHING: frozenset({_S.SCHEDULED, _S.PUBLISHED, _S.HANDED, _S.FAILED, _S.UNCONFIRMED}),
    _S.HANDED: frozenset({_S.PUBLISHED, _S.SCHEDULED}),
    _S.UNCONFIRMED: frozenset({_S.PUBLISHED, _S.SCHEDULED}),
    _S.FAILED: frozenset({_S.SCHEDULED, _S.CANCELLED}),
    _S.MISSED: frozenset({_S.SCHEDULED, _S.CANCELLED}),
    _S.CANCELLED: frozenset({_S.DRAFT, _S.SCHEDULED}),
    _S.PUBLISHED: frozenset(),
}
"""Every transition that may be written; nothing else writes a state (see `cm.store.posts.transition`)."""

LOCKED = frozenset({_S.PUBLISHING, _S.HANDED, _S.UNCONFIRMED, _S.PUBLISHED})
"""States that refuse edit, move and cancel: the post has left, or may have."""

COUNTED = LOCKED | {_S.SCHEDULED}
"""States that count for the cadence of their local day."""

RESTING = frozenset(_S) - {_S.SCHEDULED, _S.PUBLISHING}
"""States that the engine leaves alone until a person acts."""


class Outcome(StrEnum):
    """How one attempt ended."""

    PUBLISHED = "published"
    HANDED = "handed"
    RETRYABLE = "retryable"
    RATE_LIMITED = "rate_limited"
    AUTH_FAILED = "auth_failed"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """What a finding asks for: an error stops the post, a warning is shown, info is counted."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
