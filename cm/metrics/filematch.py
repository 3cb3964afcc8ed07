"""Which of our posts a row of a file tells of, and whether its figures are new: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from cm.i18n import _
from cm.metrics.filerows import FileRow, RowError
from cm.metrics.rates import PostNumbers

_HOSTS = {
    "twitter.com": "x.com",
    "m.facebook.com": "facebook.com",
    "mobile.twitter.com": "x.com",
    "fr.linkedin.com": "linkedin.com",
}
"""Hosts that lead to the same posts."""

Figures = tuple[PostNumbers, int | None]
"""A post's figures and the followers that the file gives beside them."""

Subject = tuple[int | None, str | None]
"""Whose figures: a post of ours, or a key of the file."""


@dataclass(frozen=True)
class Known:
    """A message of ours that stands on the platform; `n` is its number in its post."""

    post_id: int
    n: int
    remote_id: str
    permalink: str | None


class Matcher:
    """Finds our messages by the platform's id or, failing that, by their address."""

    def __init__(self, known: Iterable[Known], tail: str | None = None) -> None:
        """`tail`: an id may be the end of ours behind this sign, where only one of ours ends so."""
        messages = list(known)
        self._by_id = {one.remote_id: one for one in messages}
        self._by_address = {address(one.permalink): one for one in messages if one.permalink}
        self._by_tail = _unique_tails(messages, tail) if tail else {}

    def find(self, key: str, permalink: str | None) -> Known | None:
        """Our message, None if it is not ours."""
        found = self._by_id.get(key) or self._by_tail.get(key)
        return found or (self._by_address.get(address(permalink)) if permalink else None)


def _unique_tails(messages: Iterable[Known], sign: str) -> dict[str, Known]:
    tails: dict[str, list[Known]] = {}
    for one in messages:
        head, found, tail = one.remote_id.rpartition(sign)
        if head and found:
            tails.setdefault(tail, []).append(one)
    return {tail: found[0] for tail, found in tails.items() if len(found) == 1}


def address(url: str) -> str:
    """An address without what does not matter: scheme, `www.`, a slash at the end, fragment, tracking."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # brackets that enclose no host: compared as it stands
        return url.strip()
    kept = [(name, value) for name, value in parse_qsl(parts.query) if not name.startswith("utm_")]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{_HOSTS.get(host, host)}{parts.path.rstrip('/')}{query}"


@dataclass(frozen=True)
class Taken:
    """A row that is to be kept, for the post `post_id` of ours (None: of nobody here), taken at `at`."""

    row: FileRow
    post_id: int | None
    at: datetime


@dataclass
class Decision:
    """What becomes of the rows. `parts` are further messages of a thread, which is measured by its first."""

    new: list[Taken] = field(default_factory=list)
    unchanged: int = 0
    matched: int = 0
    outside: int = 0
    parts: int = 0
    errors: list[RowError] = field(default_factory=list)


History = dict[Subject, list[tuple[datetime, Figures]]]


def decide(rows: Sequence[FileRow], matcher: Matcher, stored: Mapping[Subject, Sequence[tuple[datetime, Figures]]],
           taken_at: datetime) -> Decision:  # fmt: skip
    """What is new. `stored` are the figures that this source gave before, by subject; `taken_at` is for rows
    that do not say when theirs were taken.

    Figures that are the last of that source up to their time are unchanged and not kept again; other figures
    at the very same time contradict what is stored and are an error.
    """
    decision = Decision()
    history: History = {subject: list(figures) for subject, figures in stored.items()}
    for row in rows:
        known = matcher.find(row.key, row.permalink)
        if known is not None and known.n != 1:
            decision.parts += 1
            continue
        if known is None:
            decision.outside += 1
        else:
            decision.matched += 1
        taken = Taken(row, known.post_id if known else None, row.taken_at or taken_at)
        _judge(taken, history.setdefault(subject_of(taken), []), decision)
    return decision


def subject_of(taken: Taken) -> Subject:
    """Whose figures a row gives."""
    return (taken.post_id, None) if taken.post_id is not None else (None, taken.row.key)


def _judge(taken: Taken, history: list[tuple[datetime, Figures]], decision: Decision) -> None:
    figures = (taken.row.numbers, taken.row.followers)
    earlier = [entry for entry in history if entry[0] <= taken.at]
    last = max(earlier, key=lambda entry: entry[0], default=None)
    if last is not None and last[1] == figures:
        decision.unchanged += 1
    elif last is not None and last[0] == taken.at:
        said = _("other figures of this post at the same time are stored already; give the time with --taken-at")
        decision.errors.append(RowError(taken.row.number, "", said))
    else:
        history.append((taken.at, figures))
        decision.new.append(taken)
