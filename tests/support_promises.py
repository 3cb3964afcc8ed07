"""What the institution was promised, asked of both databases behind the back of the code under test.

For the machine of test_publish_machine.py, whose rules say what was meant.
"""

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

from support_machine import ACCOUNTS, CHANNELS, SURE
from support_publish import Desk

MOVING = ("scheduled", "publishing")
GRACE = timedelta(minutes=60)
SPACING = timedelta(minutes=15)
ASKED_FOR = timedelta(seconds=180 * 50)
"""So long a platform that cannot be reached is asked again (180 times the first back-off) before a person is."""


def instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    """One message as the database tells it. `remotes`: what its receipts name; `adopted`: a look-up led to one;
    `open`, `doubts`, `refused`: how many of its attempts are not over, have had no answer that was cleared up, were
    refused. Instants as stored."""

    post: int
    state: str
    channel: str
    due: str
    wake_at: str | None
    id: int
    n: int
    text: str
    resends: int
    remotes: tuple[str, ...]
    adopted: bool
    attempts: int
    sendings: int
    first: str | None
    last: str | None
    open: int
    doubts: int
    refused: int

    @property
    def ident(self) -> str:
        return f"p{self.post}"

    @property
    def account(self) -> str:
        return ACCOUNTS[self.channel]

    @property
    def begun(self) -> bool:
        """It stands there, or nobody knows."""
        return bool(self.remotes or self.doubts)


@dataclass(frozen=True)
class Copy:
    """One post that stands on the platform. `message`: the one under whose key it was made; None for one by hand."""

    remote: str
    number: int
    account: str
    text: str
    at: datetime
    message: int | None


@dataclass(frozen=True)
class Seen:
    """What database and platform say at one moment."""

    messages: tuple[Message, ...]
    copies: tuple[Copy, ...]

    def of(self, *states: str) -> list[str]:
        """Ids of the posts in these states, in order."""
        return list(dict.fromkeys(message.ident for message in self.messages if message.state in states))

    def post(self, ident: str) -> list[Message]:
        return [message for message in self.messages if message.ident == ident]

    def sendings(self, ident: str) -> int:
        return sum(message.sendings for message in self.post(ident))

    def sendings_of(self, channel: str) -> int:
        return sum(message.sendings for message in self.messages if message.channel == channel)

    def unowned(self, ident: str) -> list[Copy]:
        """Copies of messages of that post that stand there and that no receipt names."""
        known = {remote for message in self.messages for remote in message.remotes}
        mine = {message.id for message in self.post(ident)}
        return [copy for copy in self.copies if copy.message in mine and copy.remote not in known]


_MESSAGES = """
SELECT p.id, p.state, p.channel, p.scheduled_at, p.wake_at, m.id, m.n, m.text, m.absent_resends,
    (SELECT group_concat(remote_id, ' ') FROM receipt WHERE message_id = m.id),
    EXISTS (SELECT 1 FROM receipt WHERE message_id = m.id AND source = 'found'),
    count(a.id), count(a.sending_at), min(a.sending_at), max(a.sending_at),
    count(a.id) FILTER (WHERE a.finished_at IS NULL),
    count(a.id) FILTER (WHERE a.outcome = 'unknown' AND a.settled IS NULL),
    count(a.id) FILTER (WHERE a.outcome IN ('rejected', 'duplicate'))
FROM post p JOIN message m ON m.post_id = p.id LEFT JOIN attempt a ON a.message_id = m.id AND a.action = 'send'
GROUP BY m.id ORDER BY p.id, m.n
"""
_COPIES = """
SELECT s.n, s.account, s.text, s.created_at, y.message_id
FROM there.post s LEFT JOIN payload y ON y.key = s.key WHERE s.deleted_at IS NULL ORDER BY s.n
"""


def look(db: sqlite3.Connection) -> Seen:
    """Both databases of a workspace."""
    messages = (Message(*row[:9], tuple((row[9] or "").split()), *row[10:]) for row in db.execute(_MESSAGES))
    copies = (
        Copy(f"sb-{n}", n, account, text, datetime.fromisoformat(at), message)
        for n, account, text, at, message in db.execute(_COPIES)
    )
    return Seen(tuple(messages), tuple(copies))


def resting(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Channels whose account is paused, and why."""
    question = "SELECT c.name, a.pause_kind FROM channel c JOIN account a ON a.id = c.account_id"
    return db.execute(f"{question} WHERE a.paused_at IS NOT NULL ORDER BY c.name").fetchall()


# --- the promises -----------------------------------------------------------------------------------------------------


class Promises:
    """The invariants, and what the rules know: more than any of it is in the databases."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.said: defaultdict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
        """The messages that ever were to have these words on this account."""
        self.held: dict[str, int] = {}
        """Sendings of each channel under a hold, when it began."""
        self.cancelled: dict[str, int] = {}
        """The same of each post that was cancelled."""
        self.replanned: set[str] = set()
        self.in_doubt: set[str] = set()
        self.stopped: set[str] = set()
        """Channels whose authorisation failed."""
        self.late: set[str] = set()
        """Channels on which listings are, or were, late."""
        self.steady = True
        """The clock never jumped."""

    def hold_true(self, seen: Seen) -> None:
        """At every moment."""
        self.nothing_appears_twice(seen)
        self.what_stands_there_is_known(seen)
        self.what_is_said_is_so(seen)
        self.parts_are_in_order(seen)
        self.only_its_own_is_adopted(seen)
        self.twins_wait(seen)
        self.only_a_lost_answer_is_in_doubt(seen)
        self.nothing_is_lost(seen)
        self.one_worker_sends(seen)
        self.no_means_no(seen)
        if self.steady:
            self.in_time(seen)
            self.apart(seen)

    def nothing_appears_twice(self, seen: Seen) -> None:
        """As many copies as there are messages with those words, and none with older words of one beside them."""
        resends = {(message.ident, message.n): message.resends for message in seen.messages}
        ours = [copy for copy in seen.copies if copy.message]
        for where, count in Counter((copy.account, copy.text) for copy in ours).items():
            # who opted into sending again what listings lack has one more copy if they only listed it late
            most = len(self.said[where]) + sum(resends[one] for one in self.said[where])
            assert count <= most, f"{where} stands there {count} times, {most} were meant"
        wordings = defaultdict(set)
        for copy in ours:
            wordings[copy.message].add(copy.text)
        assert all(len(texts) == 1 for texts in wordings.values()), wordings

    def what_stands_there_is_known(self, seen: Seen) -> None:
        """Every copy has its receipt, or its message is at work, in doubt or refused."""
        known = {remote for message in seen.messages for remote in message.remotes}
        of = {message.id: message for message in seen.messages}
        for copy in seen.copies:
            if copy.message and copy.remote not in known:
                it = of[copy.message]
                # a message may have been settled by another copy: of a colleague, of a twin, or listed late
                assert it.remotes or it.open or it.doubts or it.refused or it.resends, (copy, it)

    def what_is_said_is_so(self, seen: Seen) -> None:
        there = {(copy.account, copy.remote): copy.text for copy in seen.copies}
        for message in seen.messages:
            assert all(there[message.account, remote] == message.text for remote in message.remotes), message
            assert message.remotes or message.state != "published", message
            assert not message.begun or message.state != "missed", message

    def parts_are_in_order(self, seen: Seen) -> None:
        at = {copy.message: copy.number for copy in reversed(seen.copies)}
        for one, other in pairwise(seen.messages):
            if one.post == other.post and other.id in at:
                assert one.remotes, f"a part stands there before {one}"
                assert min(int(remote.removeprefix("sb-")) for remote in one.remotes) < at[other.id]

    def only_its_own_is_adopted(self, seen: Seen) -> None:
        """Another's post with the same words is taken for it only where its own is not to be seen."""
        own = defaultdict(set)
        for copy in seen.copies:
            own[copy.message].add(copy.remote)
        for message in seen.messages:
            if message.adopted and own[message.id] and message.channel not in self.late:
                assert own[message.id] & set(message.remotes), message

    def twins_wait(self, seen: Seen) -> None:
        """Of messages with the same words one at most is at work or in doubt."""
        unsettled = Counter((m.account, m.text) for m in seen.messages if m.open or m.doubts)
        assert max(unsettled.values(), default=0) <= 1, unsettled

    def only_a_lost_answer_is_in_doubt(self, seen: Seen) -> None:
        """Or what was refused, when a person tries it again and several look like it."""
        fresh = {message.ident: message for message in reversed(seen.messages) if not message.remotes}
        unconfirmed = seen.of("unconfirmed")
        for message in (fresh[ident] for ident in unconfirmed):
            assert message.doubts or (message.refused and message.ident in self.replanned), message
            if self.steady and message.ident not in self.in_doubt:
                self.needs_a_person(message)
        self.in_doubt = set(unconfirmed)

    def needs_a_person(self, message: Message) -> None:
        """Where keys or our own ids tell, only a stop, a refusal, spent attempts or a long outage lead here."""
        excused = message.channel in self.stopped or message.refused or message.attempts >= 5
        long = self.desk.clock.now() - instant(message.last) >= ASKED_FOR
        assert message.channel not in SURE or excused or long, message

    def nothing_is_lost(self, seen: Seen) -> None:
        for message in seen.messages:
            assert message.wake_at or message.state not in MOVING, f"nobody will look at {message} again"

    def one_worker_sends(self, seen: Seen) -> None:
        at_work = Counter(message.account for message in seen.messages if message.open)
        assert max(at_work.values(), default=0) <= 1, at_work

    def no_means_no(self, seen: Seen) -> None:
        """Nothing is marked as being sent after a hold or a cancelling."""
        assert {name: seen.sendings_of(name) for name in self.held} == self.held
        assert {ident: seen.sendings(ident) for ident in self.cancelled} == self.cancelled

    def in_time(self, seen: Seen) -> None:
        for message in seen.messages:
            if message.n == 1 and message.first and message.ident not in self.replanned:
                assert timedelta() <= instant(message.first) - instant(message.due) <= GRACE, message

    def apart(self, seen: Seen) -> None:
        """By when they were sent: what a frozen worker holds shows when it is woken. One that was refused surely showed
        nothing, as far as we can know; and what is sent again, since nobody knows whether it stands, waits for none."""
        there = {copy.message for copy in seen.copies}
        calm = [m for m in seen.messages if m.channel == "calm" and m.n == 1 and m.id in there and not m.refused]
        for one, other in permutations(calm, 2):
            for before in (one.first, one.last):
                after = instant(other.first or "") - instant(before or "")
                assert not timedelta() <= after < SPACING, f"{other} followed {one} at once"

    def took_turns(self, before: Seen, after: Seen, now: datetime) -> None:
        """In one run that nothing stopped."""
        self.in_order(before, after)
        if self.steady:
            self.nobody_was_overtaken(before, after, now)

    def in_order(self, before: Seen, after: Seen) -> None:
        """What went out in one run at the first try, by account."""
        known = {copy.remote for copy in before.copies}
        of = {message.id: message for message in after.messages}
        new = [of[copy.message] for copy in after.copies if copy.message and copy.remote not in known]
        for name in CHANNELS:
            first = [(m.due, m.post) for m in new if m.channel == name and m.n == 1 and m.attempts == 1]
            assert first == sorted(first), first

    def nobody_was_overtaken(self, before: Seen, after: Seen, now: datetime) -> None:
        """Who was due and never tried does not stay behind when a later one of its account goes out."""
        known = {copy.message for copy in before.copies}
        of = {message.id: message for message in after.messages}
        new = [of[copy.message] for copy in after.copies if copy.message and copy.message not in known]
        for went in (message for message in new if message.n == 1):
            for left in after.messages:
                waits = left.channel == went.channel and left.state == "scheduled" and not left.attempts and left.n == 1
                twins = len(self.said[left.account, left.text]) > 1
                ahead = (left.due, left.post) < (went.due, went.post) and instant(left.due) <= now
                assert not (waits and ahead) or twins, f"{left} was overtaken by {went}"
