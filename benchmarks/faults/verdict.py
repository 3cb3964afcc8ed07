"""What became of every message: the workspace's word against the servers' truth."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.faults.person import LOOK_FIRST, Asked, as_sent
from benchmarks.faults.plan import HOPELESS, KINDS, REFUSED_AFTER, Plan, texts
from benchmarks.faults.workspace import Bench

TOLD = frozenset({"failed", "missed", "unconfirmed", "cancelled"})
"""States in which a post waits for a person, who was told."""
RESTING = TOLD | {"published"}


@dataclass
class Row:
    """One line of the table: a platform kind."""

    kind: str
    posts: int = 0
    messages: int = 0
    published: int = 0
    duplicates: int = 0
    lost: int = 0
    disordered: int = 0
    answers_lost: int = 0
    """Messages of which at least one sending got no answer."""
    forgotten: int = 0
    """Messages that were sent and that the restored backup knew nothing of."""
    unconfirmed: int = 0
    restored: int = 0
    """Messages of which a person was asked because of the restored backup."""
    failed: int = 0
    refused_after: int = 0
    missed: int = 0
    restless: int = 0


@dataclass
class Verdict:
    """The rows, what broke a promise, and the evidence."""

    rows: dict[str, Row] = field(default_factory=lambda: {kind: Row(kind) for kind in KINDS})
    broken: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"rows": {kind: asdict(row) for kind, row in self.rows.items()}, "broken": self.broken}


class Court:
    """Reads both sides once and answers from that."""

    def __init__(self, bench: Bench, truth: Mapping[str, Any], asked: Asked) -> None:
        self.bench, self.plan, self.asked = bench, bench.plan, asked
        self.statuses: list[dict[str, Any]] = truth["statuses"]
        self.requests: list[dict[str, Any]] = truth["asked"]
        self.kind = {account.name: account.kind for account in self.plan.accounts}
        self.posts = {row["id"]: dict(row) for row in bench.rows("SELECT * FROM post")}
        self.messages = {row["id"]: dict(row) for row in bench.rows("SELECT * FROM message WHERE post_id IS NOT NULL")}
        self.receipts = {row["message_id"]: dict(row) for row in bench.rows("SELECT * FROM receipt")}
        self.attempts: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in bench.rows("SELECT * FROM attempt ORDER BY id"):
            self.attempts[row["message_id"]].append(dict(row))
        self.key_of = {row["key"]: row["message_id"] for row in bench.rows("SELECT key, message_id FROM payload")}
        self.there = {str(status["id"]): status for status in self.statuses}
        self.verdict = Verdict()

    def judge(self) -> Verdict:
        """The whole verdict."""
        self._duplicates()
        self._lost()
        self._count()
        self._order()
        self._answers()
        return self.verdict

    def _row(self, account: str) -> Row:
        return self.verdict.rows[self.kind[account]]

    def _break(self, said: str, *messages: int) -> None:
        self.verdict.broken.append(said)
        if len(self.verdict.evidence) < 12:
            self.verdict.evidence += [self.story(message) for message in messages]

    def _count(self) -> None:
        for post in self.posts.values():
            row = self._row(post["channel"])
            row.posts += 1
            row.published += post["state"] == "published"
            if post["state"] not in RESTING:
                row.restless += 1
                self._break(f"p{post['id']} does not rest: {post['state']} ({post['reason']})", *self._of(post["id"]))
        for post_id, reason in self.asked.failed.items():
            row = self._row(self.posts[post_id]["channel"])
            row.failed += LOOK_FIRST not in reason
        for post_id in self.asked.missed:
            self._row(self.posts[post_id]["channel"]).missed += 1
        for message in self.messages.values():
            self._row(self._account(message)).messages += 1
        if len(self.posts) != len(self.plan.posts):
            self._break(f"{len(self.posts)} posts of {len(self.plan.posts)} are in the database")

    def _of(self, post_id: int) -> list[int]:
        return [message["id"] for message in self.messages.values() if message["post_id"] == post_id]

    def _account(self, message: Mapping[str, Any]) -> str:
        return str(self.posts[message["post_id"]]["channel"])

    def _duplicates(self) -> None:
        """More statuses by us with a text than posts that have it; or two with one message's key."""
        sent = Counter((each["account"], each["text"]) for each in self.statuses if each["origin"] == "sent")
        wanted = texts(self.plan)
        for (account, text), count in sent.items():
            extra = count - wanted[account, text]
            if extra > 0:
                self._row(account).duplicates += extra
                self._break(f"{extra} more than planned on {account}: {text}", *self._with(account, text))

    def _with(self, account: str, text: str) -> list[int]:
        return [
            message["id"]
            for message in self.messages.values()
            if self._account(message) == account and as_sent(message["text"], message["link"]) == text
        ]

    def _lost(self) -> None:
        for message in self.messages.values():
            account, receipt = self._account(message), self.receipts.get(message["id"])
            state = self.posts[message["post_id"]]["state"]
            if receipt is None:
                lost = state not in TOLD
            else:
                status = self.there.get(receipt["remote_id"])
                text = as_sent(message["text"], message["link"])
                lost = status is None or (status["account"], status["text"]) != (account, text)
            if lost:
                self._row(account).lost += 1
                self._break(f"message {message['id']} of p{message['post_id']} ({state}) is lost", message["id"])

    def _order(self) -> None:
        """Posts that went out at the first try stand in the order of the calendar."""
        latest: dict[str, tuple[int, int]] = {}
        for post in sorted(self.posts.values(), key=lambda post: (post["scheduled_at"], post["id"])):
            mine = self._of_first_try(post)
            for message_id in mine:
                status = int(self.receipts[message_id]["remote_id"])
                before, other = latest.get(post["channel"], (0, 0))
                if status < before:
                    self._row(post["channel"]).disordered += 1
                    self._break(f"p{post['id']} stands before an earlier post", other, message_id)
                latest[post["channel"]] = max((before, other), (status, message_id))

    def _of_first_try(self, post: Mapping[str, Any]) -> list[int]:
        if post["id"] in self.asked.touched:
            return []
        mine = self._messages_of_post[post["id"]]
        alike = [twin for each in mine for twin in self._twins(each)]
        once = all(len(self.attempts[each]) == 1 for each in alike)
        sent = all(self.receipts.get(each, {}).get("source") == "sent" for each in alike)
        return mine if once and sent else []

    def _twins(self, message: int) -> list[int]:
        """The messages of the account with the same words, itself included: one waits until the other is settled."""
        if not hasattr(self, "_alike"):
            self._alike: dict[tuple[str, str], list[int]] = defaultdict(list)
            for each in self.messages.values():
                self._alike[self._account(each), each["fingerprint"]].append(each["id"])
        each = self.messages[message]
        return self._alike[self._account(each), each["fingerprint"]]

    @property
    def _messages_of_post(self) -> dict[int, list[int]]:
        if not hasattr(self, "_grouped"):
            self._grouped: dict[int, list[int]] = defaultdict(list)
            for message in sorted(self.messages.values(), key=lambda each: each["n"]):
                self._grouped[message["post_id"]].append(message["id"])
        return self._grouped

    def _answers(self) -> None:
        """Unconfirmed posts against lost answers."""
        unknown = {
            message for message, tries in self.attempts.items() if any(each["outcome"] == "unknown" for each in tries)
        }
        forgotten: set[int] = set()
        asked = Counter(request["key"] for request in self.requests)
        for request in self.requests:
            message = self.key_of.get(request["key"])
            if message is None:
                forgotten.update(self._with(request["account"], request["text"]))
                continue
            if asked[request["key"]] > sum(bool(each["sending_at"]) for each in self.attempts[message]):
                forgotten.add(message)  # the key is older than the backup, that sending is not
                continue
            if request["fault"] in HOPELESS and message not in unknown:
                self._break(f"the answer to message {message} was {request['fault']}, and cm took it for one", message)
            if request["fault"] == REFUSED_AFTER:
                self._refused_after(message)
        for kind in KINDS:
            row = self.verdict.rows[kind]
            mine = {message for message, each in self.messages.items() if self.kind[self._account(each)] == kind}
            lost, open_ = unknown & mine, self.asked.unconfirmed & mine
            row.answers_lost, row.unconfirmed = len(lost), len(open_)
            row.forgotten, row.restored = len(forgotten & mine), len(self.asked.restored & mine)
            self._compare(kind, lost, open_, (forgotten | self.asked.restored) & mine)

    def _compare(self, kind: str, lost: set[int], asked: set[int], forgotten: set[int]) -> None:
        """`forgotten`: sent, or due, after the backup that was restored; of those cm may ask on any platform."""
        lies = {message for message in asked if self._is_lie(message)}
        if kind == "keys":
            wrong = asked - forgotten
        elif kind == "listing":
            wrong = asked - lost - forgotten - lies
        else:
            wrong = (asked ^ lost) - forgotten - lies
        for message in sorted(wrong):
            said = "was unconfirmed" if message in asked else "was not unconfirmed"
            self._break(f"{kind}: message {message} {said}", message)

    def _is_lie(self, message: int) -> bool:
        each = self.messages[message]
        return (self._account(each), as_sent(each["text"], each["link"])) in set(self.plan.lies)

    def _found(self, message: int) -> bool:
        """`cm db reconcile` saw it on the platform before anybody had to look."""
        return bool(self.bench.rows("SELECT 1 FROM receipt WHERE message_id = ? AND source = 'found'", message))

    def _refused_after(self, message: int) -> None:
        post_id = self.messages[message]["post_id"]
        reason = self.asked.failed.get(post_id, "")
        row = self._row(self.posts[post_id]["channel"])
        row.refused_after += 1
        if LOOK_FIRST not in reason and not self._found(message):
            self._break(
                f"p{post_id} was refused after it was created, and nobody was told to look: {reason!r}", message
            )

    def story(self, message: int) -> str:
        """All that is known of a message, for whoever must find the fault."""
        each = self.messages[message]
        post, text = self.posts[each["post_id"]], as_sent(each["text"], each["link"])
        account = post["channel"]
        lines = [f"message {message} of p{post['id']} {post['ref']} on {account}: {post['state']}, {post['reason']}"]
        names = ("id", "number", "started_at", "sending_at", "finished_at", "outcome", "settled", "reason", "field")
        for attempt in self.attempts[message]:
            lines.append("  attempt " + " ".join(f"{name}={attempt[name]}" for name in names))
        if receipt := self.receipts.get(message):
            lines.append(f"  receipt {receipt['remote_id']} {receipt['source']} {receipt['recorded_at']}")
        for request in self.requests:
            if (request["account"], request["text"]) == (account, text):
                lines.append(f"  request {request}")
        for status in self.statuses:
            if (status["account"], status["text"]) == (account, text):
                lines.append(f"  status {status}")
        return "\n".join(lines)


def judge_naive(plan: Plan, truth: Mapping[str, Any], done: set[tuple[str, int]]) -> dict[str, int]:
    """A simple strategy's result. `done`: (ref, part) that it holds for published."""
    sent = Counter((each["account"], each["text"]) for each in truth["statuses"] if each["origin"] == "sent")
    wanted = texts(plan)
    believed = Counter(
        (post.account, text)
        for post in plan.posts
        for part, text in enumerate(post.statuses)
        if (post.ref, part) in done
    )
    found = {"messages": sum(wanted.values()), "there": 0, "duplicates": 0, "lost": 0, "given_up": 0, "unseen": 0}
    for at, count in wanted.items():
        there = sent[at]
        found["there"] += min(there, count)
        found["duplicates"] += max(0, there - count)
        found["lost"] += max(0, believed[at] - there)
        found["given_up"] += max(0, count - max(there, believed[at]))
        found["unseen"] += max(0, min(there, count) - believed[at])
    return found
