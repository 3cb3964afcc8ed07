"""Anything may happen to the engine, in any order; a post still appears once, or a person is told.

One channel honours idempotency keys, the other forgets them: there a blind resend would make a copy.
Crashes are a BaseException thrown at a logged stage: database and platform stay as a dead worker leaves them.
No rule draws from what the engine did, since two accounts are worked in two threads.
"""

import logging
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support_publish import channel, make_workspace, open_desk

from cm.calendar.posts import cancel
from cm.model.states import RESTING, PostState
from cm.publishing import accounts
from cm.publishing.confirm import confirm_absent, confirm_published

CHANNELS = {"fb": channel("page"), "x": channel("press", settings={"honour_keys": False})}
STAGES = ["locked", "claimed", "preparing", "prepared", "sending", "answered", "recorded"]
FAULTS = ["retryable", "rate_limited", "auth_failed", "rejected", "duplicate", "unknown", "unknown after"]

CHANNEL = st.sampled_from(["fb", "x"])
PARTS = st.integers(1, 3)
MINUTES = st.integers(0, 2)


class Crash(BaseException):
    """The worker died."""


class Crasher(logging.Handler):
    """Dies at a stage, once it is armed."""

    stage: str | None = None

    def emit(self, record):
        if self.stage == record.getMessage():
            self.stage = None
            raise Crash


class Publishing(RuleBasedStateMachine):
    """The rules sabotage; the invariants are what the institution was promised."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cm-machine-"))
        self.desk = open_desk(make_workspace(self.folder / "w", CHANNELS))
        self.crasher = Crasher()
        logging.getLogger("cm.publishing").addHandler(self.crasher)
        self.parts: dict[str, list[str]] = {}

    def plan(self, to, minutes, parts):
        texts = [f"post {len(self.parts)} part {n}" for n in range(parts)]
        ident = self.desk.add("\n---\n".join(texts), to=to, minutes=minutes)
        self.parts[ident] = texts

    def tick(self, minutes):
        try:
            self.desk.tick(minutes=minutes)
        except Crash:
            self.crasher.stage = None

    @rule(to=CHANNEL, minutes=st.integers(0, 40), parts=PARTS)
    def plan_ahead(self, to, minutes, parts):
        self.plan(to, minutes, parts)

    @rule(to=CHANNEL, parts=PARTS, faults=st.lists(st.sampled_from(FAULTS), max_size=3), minutes=MINUTES)
    def publish_on_a_bad_platform(self, to, parts, faults, minutes):
        self.plan(to, 0, parts)
        for fault in faults:
            error, _, after = fault.partition(" ")
            self.desk.platform.fail_next(error, when=after or "before", account=CHANNELS[to]["account"])
        self.tick(minutes)

    @rule(to=CHANNEL, parts=PARTS, stage=st.sampled_from(STAGES), minutes=MINUTES)
    def die_while_publishing(self, to, parts, stage, minutes):
        self.plan(to, 0, parts)
        self.crasher.stage = stage
        self.tick(minutes)

    @rule(minutes=st.sampled_from([1, 1, 2, 5, 20, 70]))
    def time_passes(self, minutes):
        self.tick(minutes)

    @rule(pick=st.integers(0, 99))
    def cancel_one(self, pick):
        scheduled = self.of(PostState.SCHEDULED)
        if len(scheduled) < 3:
            return
        ident = scheduled[pick % len(scheduled)]
        begun = set(self.parts[ident]) & set(self.there())
        cancel(self.desk.env, ident)
        if begun:
            self.parts[ident] = [text for text in self.parts[ident] if text in begun]

    @rule()
    def the_token_is_renewed(self):
        self.desk.platform.clear_faults()
        for name in CHANNELS:
            work = accounts.ensure_all(self.desk.env, {name: self.desk.workspace.adapter(name)})[0]
            accounts.check(self.desk.env, work)

    @rule()
    def a_person_looks(self):
        for ident in self.of(PostState.UNCONFIRMED)[:1]:
            message = next(message for message in self.desk.show(ident).messages if message.receipt is None)
            stands = next((post for post in self.desk.platform.posts() if post.text == message.text), None)
            if stands:
                confirm_published(self.desk.env, int(ident[1:]), stands.permalink)
            else:
                confirm_absent(self.desk.env, int(ident[1:]))

    def of(self, state):
        return [ident for ident in self.parts if self.desk.row(ident).state is state]

    def there(self):
        return [post.text for post in self.desk.platform.posts()]

    @invariant()
    def nothing_appears_twice(self):
        if hasattr(self, "desk"):
            there = self.there()
            assert len(there) == len(set(there)), there

    @invariant()
    def what_is_said_is_so(self):
        if not hasattr(self, "desk"):
            return
        there = self.there()
        for ident, texts in self.parts.items():
            stands = [text for text in there if text in texts]
            assert stands == texts[: len(stands)], "the parts of a post appear in order"
            state = self.desk.row(ident).state
            if state is PostState.PUBLISHED:
                assert stands == texts
            if state in (PostState.MISSED, PostState.DRAFT):
                assert not stands

    def teardown(self):
        if not hasattr(self, "desk"):
            return
        self.crasher.stage = None
        for _ in range(40):
            self.the_token_is_renewed()
            self.tick(20)
            self.nothing_appears_twice()
        resting = RESTING - {PostState.DRAFT}
        left = {ident: self.desk.row(ident).state for ident in self.parts}
        assert not {ident: state for ident, state in left.items() if state not in resting}
        self.what_is_said_is_so()
        logging.getLogger("cm.publishing").removeHandler(self.crasher)
        self.desk.close()
        shutil.rmtree(self.folder)


Publishing.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPublishing = Publishing.TestCase
