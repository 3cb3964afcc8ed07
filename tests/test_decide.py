"""The table of decisions: every cell, then the properties that keep a post from appearing twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.model.states import Outcome, PostState
from cm.publishing.decide import Decision, History, Timings, backoff, decide, key_lives

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAITS = (MINUTE, 2 * MINUTE, 5 * MINUTE)
TIMINGS = Timings(MINUTE, 3 * MINUTE, 2 * MINUTE, WAITS, 5)
FRESH = History(spent=1)
DOUBT = History(spent=1, doubt_since=NOW - MINUTE)
KEPT, NO_KEY = 3600, 0


def said(outcome, history=FRESH, key_window=KEPT, retry_after=None) -> Decision:
    return decide(outcome, history, now=NOW, key_window=key_window, timings=TIMINGS, retry_after=retry_after)


@pytest.mark.parametrize(
    ("outcome", "history", "window", "state", "settled"),
    [
        (Outcome.PUBLISHED, FRESH, KEPT, PostState.PUBLISHED, "published"),
        (Outcome.PUBLISHED, DOUBT, KEPT, PostState.PUBLISHED, "published"),
        (Outcome.HANDED, FRESH, KEPT, PostState.HANDED, None),
        (Outcome.REJECTED, FRESH, NO_KEY, PostState.FAILED, None),
        (Outcome.REJECTED, DOUBT, KEPT, PostState.UNCONFIRMED, None),
        (Outcome.DUPLICATE, FRESH, NO_KEY, PostState.FAILED, None),
        (Outcome.DUPLICATE, DOUBT, KEPT, PostState.UNCONFIRMED, None),
        (Outcome.RETRYABLE, FRESH, NO_KEY, PostState.SCHEDULED, None),
        (Outcome.RETRYABLE, DOUBT, KEPT, None, None),
        (Outcome.RETRYABLE, DOUBT, NO_KEY, PostState.UNCONFIRMED, None),
        (Outcome.UNKNOWN, DOUBT, KEPT, None, None),
        (Outcome.UNKNOWN, DOUBT, NO_KEY, PostState.UNCONFIRMED, None),
        (Outcome.RATE_LIMITED, FRESH, NO_KEY, PostState.SCHEDULED, None),
        (Outcome.RATE_LIMITED, DOUBT, KEPT, None, None),
        (Outcome.RATE_LIMITED, DOUBT, NO_KEY, PostState.UNCONFIRMED, None),
        (Outcome.AUTH_FAILED, FRESH, KEPT, PostState.SCHEDULED, None),
        (Outcome.AUTH_FAILED, DOUBT, KEPT, PostState.UNCONFIRMED, None),
    ],
)
def test_every_cell(outcome, history, window, state, settled):
    decision = said(outcome, history, window)
    assert (decision.state, decision.settled) == (state, settled)


def test_the_budget_ends_in_failed_or_unconfirmed_never_in_another_try():
    assert said(Outcome.RETRYABLE, History(5)).state is PostState.FAILED
    assert said(Outcome.UNKNOWN, History(5, NOW)).state is PostState.UNCONFIRMED
    assert said(Outcome.RATE_LIMITED, History(5)).state is PostState.SCHEDULED, "a rate limit costs no attempt"


def test_a_rate_limit_rests_the_account_for_as_long_as_the_platform_says():
    assert said(Outcome.RATE_LIMITED, retry_after=90).pause_until == NOW + timedelta(seconds=90)
    assert said(Outcome.RATE_LIMITED).pause_until == NOW + timedelta(minutes=15)


def test_failed_authorisation_stops_the_account_until_a_person_acts():
    assert said(Outcome.AUTH_FAILED).stop


def test_an_unknown_outcome_is_looked_at_after_the_settle_time():
    assert said(Outcome.UNKNOWN, DOUBT).wake_at == NOW + TIMINGS.settle
    assert said(Outcome.RETRYABLE, DOUBT).wake_at == NOW + MINUTE


def test_a_clock_that_went_back_proves_nothing():
    assert not key_lives(NOW, NOW - timedelta(hours=5), KEPT, TIMINGS)


def test_waits_grow_and_the_last_one_repeats():
    assert [backoff(n, WAITS, 0) for n in (1, 2, 3, 4, 9)] == [*WAITS, WAITS[-1], WAITS[-1]]


histories = st.builds(
    History, st.integers(1, 8), st.none() | st.integers(0, 10_000).map(lambda s: NOW - timedelta(seconds=s))
)


@given(st.sampled_from(Outcome), histories, st.integers(0, 10_000), st.none() | st.floats(0, 5_000), st.floats(-1, 1))
def test_doubt_is_sent_again_only_while_the_key_surely_lives(outcome, history, window, retry_after, jitter):
    given = {"key_window": window, "retry_after": retry_after, "jitter": jitter}
    decision = decide(outcome, history, now=NOW, timings=TIMINGS, **given)
    if history.doubt_since and decision.state in (None, PostState.SCHEDULED):
        assert decision.state is None, "a post in doubt never goes back to the calendar"
        assert decision.wake_at is not None
        assert key_lives(history.doubt_since, decision.wake_at, window, TIMINGS)


@given(st.integers(1, 20), st.floats(-1, 1))
def test_jitter_stays_within_a_fifth(spent, jitter):
    plain = backoff(spent, TIMINGS.backoff, 0)
    assert 0.8 * plain <= backoff(spent, TIMINGS.backoff, jitter) <= 1.2 * plain


@given(st.sampled_from(Outcome), histories, st.integers(0, 10_000))
def test_every_decision_names_a_next_look_or_rests(outcome, history, window):
    decision = decide(outcome, history, now=NOW, key_window=window, timings=TIMINGS)
    waits = decision.state in (None, PostState.SCHEDULED)
    assert waits is (decision.wake_at is not None or (decision.stop and decision.state is PostState.SCHEDULED))
