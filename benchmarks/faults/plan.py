"""What is to be published and what goes wrong, all of it out of the seed.

A fault belongs to the n-th request with a text on an account, whoever makes it and whenever: cm and the simple
strategies meet the same ones.
"""

import json
import random
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

KINDS = ("keys", "listing", "neither")
"""Idempotency keys are honoured; they are not, but the account's posts can be listed; neither."""
SERVERS_EACH = 2
ACCOUNTS = 60

DEADLINE = 1.5
SETTLE = 1.5
"""Seconds. cm takes timings this short for servers on this machine only."""

BEFORE = ("stall_before", "reset_before", "error_before", "limit_seconds", "limit_date")
AFTER = ("stall_after", "drip", "reset_after", "error_after", "garbled", "cut", "lost")
"""Faults of a POST, by whether the status is created. All of AFTER and the first three of BEFORE leave no answer."""
REFUSED_AFTER = "refused_after"
"""400 after creating: the platform lies. A few times in a campaign."""
CLEAR = frozenset({"", "limit_seconds", "limit_date", REFUSED_AFTER})
"""After these the client has a whole answer."""
HOPELESS = frozenset({"reset_before", "error_before", "reset_after", "error_after", "garbled", "cut", "lost"})
"""After these it never has one; a late answer may still be heard by a worker that was frozen meanwhile."""
FAULTY = (0.26, 0.12)
"""Share of first and second requests with a fault; later ones go well."""
READING_FAULTY = 0.04
LATE, VERY_LATE = 0.40, 0.14
"""Share of posts listed late at all, and later than the settle time."""
TWINS, THREADS, PICTURES, LINKS, BY_HAND = 0.02, 0.02, 0.02, 0.05, 0.01


@dataclass(frozen=True)
class Account:
    """One account: its channel's name, its token, and on which server of which kind it lives."""

    name: str
    kind: str
    server: str

    @property
    def token(self) -> str:
        return f"token-of-{self.name}"


@dataclass(frozen=True)
class Planned:
    """One post. `minute`: when it is due, from the beginning of the plan; `parts`: what is sent, one by one."""

    ref: str
    account: str
    minute: int
    parts: tuple[str, ...]
    link: str | None = None
    picture: bool = False

    @property
    def statuses(self) -> tuple[str, ...]:
        """The texts as they will stand on the platform."""
        if self.link is None:
            return self.parts
        return (f"{self.parts[0]}\n{self.link}", *self.parts[1:])


@dataclass(frozen=True)
class Plan:
    """The whole campaign."""

    seed: int
    accounts: tuple[Account, ...]
    posts: tuple[Planned, ...]
    by_hand: tuple[tuple[str, str], ...]
    """(account, text): what a colleague will also post by hand."""
    lies: tuple[tuple[str, str], ...]
    """(account, text) whose first request is answered by 400 though it worked."""

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> "Plan":
        data = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            data["seed"],
            tuple(Account(**each) for each in data["accounts"]),
            tuple(Planned(**{**each, "parts": tuple(each["parts"])}) for each in data["posts"]),
            tuple((account, text) for account, text in data["by_hand"]),
            tuple((account, text) for account, text in data["lies"]),
        )


def make_plan(seed: int, count: int, minutes: int) -> Plan:
    """`count` posts over so many minutes, dealt out to the accounts in turn."""
    chance = random.Random(f"plan {seed}")
    accounts = tuple(
        Account(f"{kind}{n:02d}", kind, f"{kind}-{n % SERVERS_EACH}")
        for n in range(ACCOUNTS // len(KINDS))
        for kind in KINDS
    )
    posts: list[Planned] = []
    last: dict[str, Planned] = {}
    for n in range(count):
        account = accounts[n % len(accounts)].name
        post = _post(chance, n, account, n * minutes // count, last.get(account))
        last[account] = post
        posts.append(post)
    plain = [post for post in posts if len(post.parts) == 1]
    hand = chance.sample(plain, round(count * BY_HAND))
    kind_of = {account.name: account.kind for account in accounts}
    lies = []
    for kind in KINDS:
        early = [post for post in plain if post.minute < minutes * 0.3]  # before the backup that is restored later
        own = [post for post in early if kind_of[post.account] == kind and post not in hand]
        lies += chance.sample(own, max(1, count // 3000))
    return Plan(
        seed,
        accounts,
        tuple(posts),
        tuple((post.account, post.statuses[0]) for post in hand),
        tuple((post.account, post.statuses[0]) for post in lies),
    )


def _post(chance: random.Random, n: int, account: str, minute: int, before: Planned | None) -> Planned:
    ref, kind = f"post-{n:05d}", chance.random()
    text = f"Post {n} — l'été à l'hôpital 🌻 {chance.randrange(10**6)}"
    if before and kind < TWINS:
        return Planned(ref, account, minute, before.parts, before.link)
    if kind < TWINS + THREADS:
        return Planned(ref, account, minute, tuple(f"{text} ({part}/3)" for part in (1, 2, 3)))
    kind -= TWINS + THREADS
    if kind < PICTURES:
        return Planned(ref, account, minute, (text,), picture=True)
    link = f"https://hospital.example/{n}?utm_source=m&utm_medium=social" if kind < PICTURES + LINKS else None
    return Planned(ref, account, minute, (text,), link)


@dataclass(frozen=True)
class Fate:
    """What becomes of one request: its fault ("" = none), and after how many seconds a new status is listed."""

    fault: str
    seconds: float
    listed_after: float


def fate(plan: Plan, account: str, text: str, nth: int) -> Fate:
    """Of the `nth` (from 0) POST of this text on this account."""
    chance = random.Random(f"fate {plan.seed} {account} {text} {nth}")
    fault = ""
    if nth < len(FAULTY) and chance.random() < FAULTY[nth]:
        fault = chance.choice(BEFORE + AFTER)
    if nth == 0 and (account, text) in lies_of(plan):
        fault = REFUSED_AFTER
    late = chance.random()
    listed = 0.0
    if late < VERY_LATE:
        listed = SETTLE + DEADLINE + chance.uniform(0.5, 5)
    elif late < LATE:
        listed = chance.uniform(0, SETTLE)
    # what comes after the deadline comes before the settle time is over: that is what the settle time is for
    return Fate(fault, DEADLINE + chance.uniform(0.2, SETTLE * 0.8), listed)


_lies: dict[int, frozenset[tuple[str, str]]] = {}


def lies_of(plan: Plan) -> frozenset[tuple[str, str]]:
    """As a set, made once."""
    if id(plan) not in _lies:
        _lies[id(plan)] = frozenset(plan.lies)
    return _lies[id(plan)]


def texts(plan: Plan) -> Counter[tuple[str, str]]:
    """How often each text is to stand on each account (twins: twice)."""
    return Counter((post.account, text) for post in plan.posts for text in post.statuses)
