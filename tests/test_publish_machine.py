"""Anything may happen to the engine, in any order; a post still appears once, in its time, or a person is told.

The rules sabotage; the promises are those of the institution. Workers die at a stage, or stand still there in a thread
of their own, holding their locks, while another run, people and the clock go on. No rule draws from what the engine
did, since accounts are worked in threads; a failed example is the same each time.

`make soak` runs it for long; MACHINE_STEPS says how many steps, 5,000 if nothing is said.
"""

import logging
import os
import sys
import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from support_machine import ACCOUNTS, CHANNELS, SENDING, SETTLED, STAGES, SURE, Crash, Saboteur, house
from support_promises import MOVING, Promises, instant, look, resting

from cm.calendar.drafting import post_changes
from cm.calendar.posts import cancel, edit
from cm.errors import Refused
from cm.publishing import accounts, ownership, resume
from cm.publishing.confirm import confirm_absent, confirm_published
from cm.publishing.hold_file import path_of
from cm.publishing.holds import end_holds, set_hold
from cm.publishing.retry import retry_all

FAULTS = [
    "retryable",
    "rate_limited",
    "auth_failed",
    "rejected",
    "rejected after",
    "duplicate",
    "unknown",
    "unknown after",
]
STEPS = 25
EXAMPLES = max(1, int(os.environ.get("MACHINE_STEPS", "5000")) // STEPS)

TO: Bundle[str] = Bundle("channels")
PARTS = st.integers(1, 3)
MINUTES = st.integers(0, 2)
PICK = st.integers(0, 99)
LOST = st.sampled_from(["before", "after"])


class Publishing(Promises, RuleBasedStateMachine):
    """Everything but jumps of the clock."""

    def __init__(self):
        super().__init__()
        house().empty()
        self.desks = house().desks
        self.desk = self.desks[0]
        self.channels: dict[str, str] = {}
        self.saboteur = Saboteur(self.channels)
        logging.getLogger("cm.publishing").addFilter(self.saboteur)
        self.texts: dict[str, list[str]] = {}
        self.number = 0
        self.sleeper: threading.Thread | None = None
        self.woken: list[BaseException] = []
        self.held_until: datetime | None = None

    @initialize(target=TO, names=st.lists(st.sampled_from(list(CHANNELS)), min_size=1, max_size=3, unique=True))
    def about(self, names):
        """Few channels, so that more happens to each."""
        return multiple(*names)

    # --- what is planned --------------------------------------------------------------------------------------------

    def plan(self, to, minutes, texts):
        ident = self.desk.add("\n---\n".join(texts), to=to, minutes=minutes, over="a test")
        self.channels[ident] = to
        self.say(ident, texts)
        return ident

    def say(self, ident, texts):
        self.texts[ident] = texts
        for n, text in enumerate(texts, 1):
            self.said[ACCOUNTS[self.channels[ident]], text].add((ident, n))

    def words(self, what, parts):
        self.number += 1
        return [f"{what} {self.number} part {n}" for n in range(1, parts + 1)]

    @rule(to=TO, minutes=st.integers(0, 4) | st.integers(0, 40), parts=PARTS)
    def plan_ahead(self, to, minutes, parts):
        self.plan(to, minutes, self.words("post", parts))

    @rule(to=TO, minutes=st.lists(st.integers(0, 4), min_size=2, max_size=4))
    def plan_a_row(self, to, minutes):
        for minute in minutes:
            self.plan(to, minute, self.words("post", 1))

    @rule(to=TO, minutes=st.integers(0, 5))
    def plan_twins(self, to, minutes):
        words = self.words("twin", 1)
        self.plan(to, minutes, words)
        self.plan(to, minutes, words)

    @rule(pick=PICK)
    def cancel_one(self, pick):
        if scheduled := self.look().of("scheduled"):
            ident = scheduled[pick % len(scheduled)]
            cancel(self.desk.env, ident)
            self.cancelled[ident] = self.look().sendings(ident)

    @rule(pick=PICK, whole=st.booleans())
    def edit_one(self, pick, whole):
        seen = self.look()
        # of a refusal the person is told to look first: what stands there with its old words is not reworded
        ready = [ident for ident in seen.of("scheduled", "failed", "missed") if not seen.unowned(ident)]
        if not ready:
            return
        ident = ready[pick % len(ready)]
        old = self.texts[ident]
        new = self.words("edit", len(old))
        new = new if whole else [*old[:-1], new[-1]]
        try:
            edit(self.desk.env, ident, post_changes(text="\n---\n".join(new)))
        except Refused:
            return  # a part of it is out: it is not changed any more
        self.say(ident, new)

    @rule(pick=PICK)
    def a_person_tries_one_again(self, pick):
        """They look first, as the reason says, where no look-up can be sure."""
        seen = self.look()
        ready = [ident for ident in seen.of("failed", "missed") if self.surely_found(ident) or not seen.unowned(ident)]
        if ready:
            ident = ready[pick % len(ready)]
            retry_all(self.desk.env, [ident], over="tried again")
            self.replanned.add(ident)

    def surely_found(self, ident):
        channel = self.channels[ident]
        return channel in SURE or (channel != "blind" and channel not in self.late)

    @rule(to=TO, pick=PICK)
    def a_colleague_posts_the_same_by_hand(self, to, pick):
        """What is not yet known to stand there."""
        states = ("scheduled", "publishing", "unconfirmed", "failed")
        texts = [m.text for m in self.look().messages if m.channel == to and m.state in states and not m.remotes]
        if texts:
            self.desk.platform.post_by_hand(ACCOUNTS[to], texts[pick % len(texts)], now=self.desk.clock.now())

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def tick(self, minutes, by=0):
        """A run by one of the two desks; the first while the other stands still."""
        self.desk.clock.advance(timedelta(minutes=minutes))
        before, now = self.look(), self.desk.clock.now()
        if self.held_until and now >= self.held_until:
            self.held, self.held_until = {}, None
        try:
            self.run(self.desks[0 if self.sleeper else by])
        except Crash:
            return
        self.took_turns(before, self.look(), now)

    @staticmethod
    def run(desk):
        result = desk.tick()
        assert not result.bugs, result.bugs
        assert not result.errors, result.errors

    def fail(self, to, fault, op="send"):
        error, _, after = fault.partition(" ")
        if error == "auth_failed":
            self.stopped.add(to)
        self.desk.platform.fail_next(error, op, when=after or "before", account=ACCOUNTS[to])

    @rule(to=TO, parts=PARTS, faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3), minutes=MINUTES)
    def publish_on_a_bad_platform(self, to, parts, faults, minutes):
        self.plan(to, 0, self.words("post", parts))
        for fault in faults:
            self.fail(to, fault)
        self.tick(minutes)

    @rule(to=TO, fault=st.sampled_from(FAULTS[:2]), op=st.sampled_from(["find", "find", "prepare", "check"]))
    def something_else_will_fail(self, to, fault, op):
        self.fail(to, fault, op)

    @rule(to=TO, seconds=st.sampled_from([0, 2, 60, 600]))
    def the_platform_lists_late(self, to, seconds):
        self.late.add(to)
        self.desk.platform.list_late(seconds, ACCOUNTS[to])

    @rule(to=TO, parts=PARTS, stage=st.sampled_from(SENDING), minutes=MINUTES, by=st.integers(0, 1))
    def die_while_publishing(self, to, parts, stage, minutes, by):
        self.plan(to, 0, self.words("post", parts))
        self.saboteur.arm("die", to, stage)
        self.tick(minutes, by)
        self.saboteur.disarm()

    @rule(to=TO, parts=PARTS, lost=LOST, stage=st.sampled_from(STAGES))
    def die_while_settling(self, to, parts, lost, stage):
        self.lose(to, parts, lost)
        self.saboteur.arm("die", to, stage)
        self.tick(SETTLED)
        self.saboteur.disarm()

    def lose(self, to, parts, lost):
        """The answer to the next sending goes missing."""
        self.plan(to, 0, self.words("post", parts))
        self.fail(to, f"unknown {lost}" if lost == "after" else "unknown")
        self.tick(0)

    @precondition(lambda self: self.sleeper is None)
    @rule(to=TO, parts=PARTS, stage=st.sampled_from(SENDING), minutes=MINUTES)
    def freeze_while_publishing(self, to, parts, stage, minutes):
        self.plan(to, 0, self.words("post", parts))
        self.freeze(to, stage, minutes)

    @precondition(lambda self: self.sleeper is None)
    @rule(to=TO, parts=PARTS, lost=LOST, stage=st.sampled_from(STAGES))
    def freeze_while_settling(self, to, parts, lost, stage):
        self.lose(to, parts, lost)
        self.freeze(to, stage, SETTLED)

    def freeze(self, to, stage, minutes):
        """The second desk works that account alone, and stands still at the stage if it comes so far."""
        self.all_but(to, minutes)
        self.saboteur.arm("freeze", to, stage)
        self.sleeper = threading.Thread(target=self.sleep)
        self.sleeper.start()
        while self.sleeper.is_alive() and not self.saboteur.frozen.wait(0.001):
            pass
        self.saboteur.disarm()
        if not self.sleeper.is_alive():
            self.thaw()

    def all_but(self, to, minutes):
        """A run that finds this account taken: then the frozen one has no other account to work meanwhile."""
        lock = ownership.lock_of(self.desk.env, self.work(to))
        assert lock.acquire()
        try:
            self.tick(minutes)
        finally:
            lock.release()

    def sleep(self):
        try:
            self.run(self.desks[1])
        except BaseException as error:  # told by the one who wakes it
            self.woken.append(error)

    @precondition(lambda self: self.sleeper is not None)
    @rule()
    def thaw(self):
        sleeper, self.sleeper = self.sleeper, None
        self.saboteur.thaw()
        sleeper.join()
        if self.woken:
            raise self.woken.pop()

    @rule(minutes=st.sampled_from([2, 5, 20, 70]), by=st.integers(0, 1))
    def time_passes(self, minutes, by):
        self.tick(minutes, by)

    @rule(times=st.integers(1, 4), by=st.integers(0, 1))
    def cron_runs(self, times, by):
        for _ in range(times):
            self.tick(1, by)

    # --- what people do ---------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.held)
    @rule(
        to=st.none() | TO, how=st.sampled_from(["command", "until", "until", "file", "signal"]), lasts=st.integers(1, 5)
    )
    def hold(self, to, how, lasts):
        """One channel or all, by command, for good or for some minutes; all by a file or a signal."""
        seen = self.look()
        named = [to] if to and how in ("command", "until") else []
        self.held = {name: seen.sendings_of(name) for name in named or CHANNELS}
        match how:
            case "command":
                set_hold(self.desk.env, channels=named, reason="a test")
            case "until":
                self.held_until = self.desk.clock.now() + timedelta(minutes=lasts)
                set_hold(self.desk.env, channels=named, until=self.held_until)
            case "file":
                path_of(self.desk.root).write_text("fire in block B")
            case "signal":  # it stops the process that gets it; what that writes down stops all
                self.desk.env.signals.hold.set()
                self.tick(0)

    @precondition(lambda self: self.held)
    @rule()
    def end_the_hold(self):
        path_of(self.desk.root).unlink(missing_ok=True)
        end_holds(self.desk.env)
        self.held, self.held_until = {}, None

    @rule()
    def somebody_sets_all_going_again(self):
        self.desk.platform.clear_faults()
        self.set_going()

    def set_going(self):
        """`cm channel check` where that is enough, else `cm channel resume`."""
        for name, kind in resting(house().db):
            if kind in accounts.ENDED_BY_CHECK:
                accounts.check(self.desk.env, self.work(name))
            else:
                resume.resume(self.desk.env, name)

    def work(self, name):
        return accounts.ensure_all(self.desk.env, {name: self.desk.workspace.adapter(name)})[0]

    @rule(pick=PICK)
    def a_person_looks(self, pick):
        """At what is in doubt, or was refused and stands there all the same."""
        seen = self.look()
        doubtful = seen.of("unconfirmed")
        doubtful += [ident for ident in seen.of("failed") if seen.unowned(ident)]
        if not doubtful:
            return
        ident = doubtful[pick % len(doubtful)]
        message = next(message for message in seen.post(ident) if not message.remotes)
        known = {remote for other in seen.messages for remote in other.remotes}
        stands = [copy for copy in seen.copies if (copy.account, copy.text) == (message.account, message.text)]
        if free := [copy for copy in stands if copy.remote not in known]:
            confirm_published(self.desk.env, int(ident[1:]), f"sandbox://{message.account}/{free[0].remote}")
        else:
            confirm_absent(self.desk.env, int(ident[1:]))

    # --- what is seen -----------------------------------------------------------------------------------------------

    def look(self):
        return look(house().db)

    @invariant()
    def promises(self):
        self.hold_true(self.look())

    # --- the end ----------------------------------------------------------------------------------------------------

    def teardown(self):
        try:
            if sys.exc_info()[0] is None:
                self.come_to_rest()
        finally:
            if self.sleeper:
                self.saboteur.thaw()
                self.sleeper.join()
            logging.getLogger("cm.publishing").removeFilter(self.saboteur)

    def come_to_rest(self):
        """The platforms are well again and cron runs on: every post rests, and all promises hold."""
        if self.sleeper:
            self.thaw()
        if self.held:
            self.end_the_hold()
        self.desk.platform.clear_faults()
        for _ in range(60):
            self.set_going()
            moving = [message for message in self.look().messages if message.state in MOVING]
            if not moving:
                break
            self.desk.clock.set(max(self.desk.clock.now(), min(instant(message.wake_at) for message in moving)))
            self.tick(1)
            self.promises()
        assert not moving


class WithAnUnsteadyClock(Publishing):
    """The clock jumps too, at times backwards: then nothing is in time, but nothing appears twice."""

    @rule(hours=st.sampled_from([-2, -1, 1, 5]))
    def the_clock_jumps(self, hours):
        self.steady = False
        self.desk.clock.set(self.desk.clock.now() + timedelta(hours=hours))
        self.tick(0)


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    house().close()


OFTEN = settings(stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))
TestPublishing = Publishing.TestCase
TestPublishing.settings = settings(OFTEN, max_examples=-(-EXAMPLES // 2))
TestWithAnUnsteadyClock = WithAnUnsteadyClock.TestCase
TestWithAnUnsteadyClock.settings = settings(OFTEN, max_examples=-(-EXAMPLES // 2))
