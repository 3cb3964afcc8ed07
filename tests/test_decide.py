"""The tables of decisions: every cell, then the properties that keep a post from appearing twice."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cm.model.states import Outcome, PostState
from cm.publishing.decide import (
    REFUSALS,
    Decision,
    History,
    Means,
    Next,
    Timings,
    backoff,
    breaker_rest,
    decide,
    key_lives,
    look_from,
    may_resend,
    settle_next,
)
from cm.publishing.verdicts import Seen, Standing, Verdict, verdict

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAITS = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)
TIMINGS = Timings(MINUTE, 3 * MINUTE, 2 * MINUTE, WAITS, 5)
FRESH, SPENT = History(1), History(5)
DOUBT, SPENT_DOUBT = History(1, NOW - MINUTE, NOW - MINUTE), History(5, NOW - MINUTE, NOW - MINUTE)
REFUSED_DOUBT = History(2, NOW - MINUTE, NOW - MINUTE, refused=True)
KEY, FIND, BOTH, NEITHER = Means(3600), Means(0, can_find=True), Means(3600, can_find=True), Means(0)
LOOK_AT = NOW - MINUTE + TIMINGS.quiet


def said(outcome, history=FRESH, means=KEY, retry_after=None, failures=1) -> Decision:
    return decide(outcome, history, means, now=NOW, timings=TIMINGS, retry_after=retry_after, failures=failures)


# --- after an attempt -------------------------------------------------------------------------------------------------

PUBLISHED, HANDED, FAILED = PostState.PUBLISHED, PostState.HANDED, PostState.FAILED
SCHEDULED, UNCONFIRMED, SETTLING = PostState.SCHEDULED, PostState.UNCONFIRMED, None

NO_DOUBT = {  # the means to settle a doubt make no difference where there is none
    Outcome.PUBLISHED: (PUBLISHED, PUBLISHED),
    Outcome.HANDED: (HANDED, HANDED),
    Outcome.REJECTED: (FAILED, FAILED),
    Outcome.DUPLICATE: (FAILED, FAILED),
    Outcome.RETRYABLE: (SCHEDULED, FAILED),
    Outcome.RATE_LIMITED: (SCHEDULED, SCHEDULED),
    Outcome.AUTH_FAILED: (SCHEDULED, SCHEDULED),
}
"""By outcome: with budget left, and with the budget spent."""


@pytest.mark.parametrize("means", [KEY, FIND, BOTH, NEITHER])
@pytest.mark.parametrize("outcome", NO_DOUBT)
def test_every_cell_without_doubt(outcome, means):
    states = tuple(said(outcome, history, means).state for history in (FRESH, SPENT))
    assert states == NO_DOUBT[outcome]


IN_DOUBT = {  # key, find, both, neither
    Outcome.PUBLISHED: [PUBLISHED] * 4,
    Outcome.HANDED: [HANDED] * 4,
    Outcome.REJECTED: [UNCONFIRMED, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.DUPLICATE: [UNCONFIRMED, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.RETRYABLE: [SETTLING, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.UNKNOWN: [SETTLING, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.RATE_LIMITED: [SETTLING, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.AUTH_FAILED: [UNCONFIRMED] * 4,
}
IN_DOUBT_SPENT = {
    **IN_DOUBT,
    Outcome.RETRYABLE: [UNCONFIRMED, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.UNKNOWN: [UNCONFIRMED, SETTLING, SETTLING, UNCONFIRMED],
    Outcome.RATE_LIMITED: [UNCONFIRMED, SETTLING, SETTLING, UNCONFIRMED],
}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_cell_in_doubt(outcome):
    for history, table in ((DOUBT, IN_DOUBT), (SPENT_DOUBT, IN_DOUBT_SPENT)):
        found = [said(outcome, history, means).state for means in (KEY, FIND, BOTH, NEITHER)]
        assert found == table[outcome], history


def test_only_what_was_sent_is_said_to_be_published():
    assert said(Outcome.PUBLISHED, DOUBT).settled == "published"
    others = [outcome for outcome in Outcome if outcome is not Outcome.PUBLISHED]
    assert {said(outcome, history).settled for outcome in others for history in (FRESH, DOUBT)} == {None}


def test_a_duplicate_is_a_refusal_and_after_a_lost_answer_a_question():
    assert said(Outcome.DUPLICATE, FRESH, BOTH).state is FAILED
    asked = said(Outcome.DUPLICATE, DOUBT, BOTH)
    assert (asked.state, asked.wake_at) == (SETTLING, LOOK_AT), "it is looked for, not sent again"


def test_a_rate_limit_rests_the_account_for_as_long_as_the_platform_says():
    limited = said(Outcome.RATE_LIMITED, retry_after=90)
    assert (limited.pause_until, limited.pause_kind) == (NOW + timedelta(seconds=90), "rate_limit")
    assert said(Outcome.RATE_LIMITED).pause_until == NOW + timedelta(minutes=15)
    assert said(Outcome.RATE_LIMITED, DOUBT, FIND, retry_after=600).wake_at == NOW + timedelta(minutes=10)


def test_failed_authorisation_stops_the_account_until_a_person_acts():
    failed = said(Outcome.AUTH_FAILED)
    assert (failed.stop, failed.pause_kind, failed.pause_until) == (True, "auth", None)


def test_an_unknown_outcome_is_looked_at_after_the_settle_time():
    assert said(Outcome.UNKNOWN, DOUBT).wake_at == NOW + TIMINGS.settle
    assert said(Outcome.UNKNOWN, DOUBT, FIND).wake_at == LOOK_AT
    assert said(Outcome.RETRYABLE, DOUBT).wake_at == NOW + MINUTE


# --- the circuit breaker ----------------------------------------------------------------------------------------------


def test_the_breaker_opens_at_three_failures_and_doubles_to_half_an_hour():
    rests = [breaker_rest(failures, TIMINGS) for failures in (0, 1, 2, 3, 4, 5, 6, 400)]
    assert rests == [None, None, None, *(minutes * MINUTE for minutes in (5, 10, 20, 30, 30))]


@pytest.mark.parametrize("outcome", [Outcome.RETRYABLE, Outcome.UNKNOWN])
def test_trouble_in_a_row_rests_the_account(outcome):
    history = FRESH if outcome is Outcome.RETRYABLE else DOUBT
    assert said(outcome, history, failures=2).pause_kind is None
    third = said(outcome, history, failures=3)
    assert (third.pause_kind, third.pause_until, third.wake_at) == ("breaker", NOW + 5 * MINUTE, NOW + 5 * MINUTE)


def test_the_last_attempt_of_a_message_may_open_the_breaker_and_fails_all_the_same():
    last = said(Outcome.RETRYABLE, SPENT, failures=3)
    assert (last.state, last.pause_kind) == (FAILED, "breaker")


# --- what clears up a doubt -------------------------------------------------------------------------------------------

OLD = History(1, NOW - 5 * MINUTE, NOW - 4 * MINUTE)
"""Its last sending can no longer be at work."""


@pytest.mark.parametrize(
    ("history", "means", "gate", "act"),
    [
        (DOUBT, KEY, "open", Next.RESEND),
        (DOUBT, BOTH, "open", Next.RESEND),
        (OLD, BOTH, "open", Next.RESEND),
        (OLD, FIND, "open", Next.LOOK),
        (DOUBT, FIND, "open", Next.WAIT),
        (OLD, NEITHER, "open", Next.UNCONFIRMED),
        (SPENT_DOUBT, KEY, "open", Next.UNCONFIRMED),
        (SPENT_DOUBT, BOTH, "open", Next.WAIT),
        (REFUSED_DOUBT, KEY, "open", Next.UNCONFIRMED),
        (REFUSED_DOUBT, BOTH, "open", Next.WAIT),
        (DOUBT, KEY, "waits", Next.WAIT),
        (OLD, BOTH, "waits", Next.LOOK),
        (OLD, FIND, "waits", Next.LOOK),
        (OLD, NEITHER, "waits", Next.UNCONFIRMED),
        (DOUBT, KEY, "late", Next.UNCONFIRMED),
        (OLD, BOTH, "late", Next.LOOK),
        (OLD, FIND, "late", Next.LOOK),
    ],
)
def test_every_way_out_of_a_doubt(history, means, gate, act):
    found, at = settle_next(
        history, means, now=NOW, timings=TIMINGS, gate_open=gate == "open", gate_late=gate == "late"
    )
    assert found is act
    assert (at is not None and at > NOW) is (act is Next.WAIT)


def standing(history=OLD, **given) -> Standing:
    return Standing(history, **given)


def seen(answer, **given) -> Seen:
    return Seen(answer, given.pop("at", NOW), **given)


WILLING = {"opted_in": True}
ONCE = {**WILLING, "absent_at": look_from(OLD, TIMINGS, NOW)}
LATER = look_from(OLD, TIMINGS, NOW) + TIMINGS.settle


@pytest.mark.parametrize(
    ("answer", "stands", "what"),
    [
        # something looks like it
        (seen("found", candidates=1), standing(), Verdict.ADOPT),
        (seen("found", candidates=1), standing(sole=False), Verdict.AMBIGUOUS),
        (seen("found", candidates=1, certain=True), standing(sole=False), Verdict.ADOPT),
        (seen("found", candidates=2), standing(), Verdict.AMBIGUOUS),
        (seen("found", candidates=2, certain=True), standing(), Verdict.AMBIGUOUS),
        (seen("found", candidates=1), standing(REFUSED_DOUBT, gate_late=True), Verdict.ADOPT),
        # it surely never arrived
        (seen("absent", certain=True), standing(), Verdict.AGAIN),
        (seen("absent", certain=True), standing(SPENT_DOUBT), Verdict.FAILED),
        (seen("absent", certain=True), standing(REFUSED_DOUBT), Verdict.FAILED),
        # a listing lacks it
        (seen("absent"), standing(), Verdict.UNCONFIRMED),
        (seen("absent"), standing(may_resend=True, gate_open=False), Verdict.WAIT),
        (seen("absent"), standing(**WILLING), Verdict.ABSENT_ONCE),
        (seen("absent"), standing(REFUSED_DOUBT, **WILLING), Verdict.UNCONFIRMED),
        (seen("absent"), standing(SPENT_DOUBT, **WILLING), Verdict.UNCONFIRMED),
        (seen("absent"), standing(gate_late=True, **WILLING), Verdict.UNCONFIRMED),
        (seen("absent"), standing(resends=1, **WILLING), Verdict.UNCONFIRMED),
        (seen("absent", at=LATER - MINUTE), standing(**ONCE), Verdict.WAIT),
        (seen("absent", at=LATER), standing(**ONCE), Verdict.AGAIN_UNSURE),
        (seen("absent", at=LATER), standing(gate_open=False, **ONCE), Verdict.WAIT),
        (seen("absent", at=LATER), standing(**{**ONCE, "absent_at": NOW - 30 * MINUTE}), Verdict.ABSENT_ONCE),
        # nothing was told
        (seen("unclear"), standing(), Verdict.WAIT),
        (seen("unclear", at=NOW + 30 * MINUTE), standing(), Verdict.UNCONFIRMED),
        (seen("unclear", at=NOW + 30 * MINUTE), standing(may_resend=True, gate_open=False), Verdict.WAIT),
        (seen("unclear"), standing(gate_late=True), Verdict.UNCONFIRMED),
        (seen("unclear", trouble=True, at=NOW + 30 * MINUTE), standing(), Verdict.WAIT),
        (seen("unclear", trouble=True, at=NOW + 200 * MINUTE), standing(), Verdict.UNCONFIRMED),
    ],
)
def test_every_verdict_of_a_look_up(answer, stands, what):
    found, at = verdict(answer, stands, TIMINGS)
    assert found is what
    assert (at is not None and at > answer.at) is (what in (Verdict.WAIT, Verdict.ABSENT_ONCE))


# --- properties -------------------------------------------------------------------------------------------------------


def test_a_clock_that_went_back_proves_nothing():
    assert not key_lives(NOW, NOW - timedelta(hours=5), 3600, TIMINGS)


TOMORROW = NOW + timedelta(days=1)
MISDATED = History(1, TOMORROW, TOMORROW)
"""Its sending was dated by a clock that was a day ahead, and has been put right since."""


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.RETRYABLE, Outcome.REJECTED, Outcome.DUPLICATE])
@pytest.mark.parametrize("means", [FIND, BOTH])
def test_a_sending_dated_ahead_is_looked_for_when_it_can_no_longer_be_at_work(outcome, means):
    decision = said(outcome, MISDATED, means)
    assert (decision.state, decision.wake_at) == (SETTLING, NOW + TIMINGS.quiet)
    assert settle_next(MISDATED, means, now=decision.wake_at, timings=TIMINGS, gate_open=True) == (Next.LOOK, None)


@pytest.mark.parametrize(
    ("answer", "given", "what"),
    [
        (seen("absent"), {}, Verdict.UNCONFIRMED),
        (seen("absent"), WILLING, Verdict.ABSENT_ONCE),
        (seen("absent"), {**WILLING, "absent_at": NOW - TIMINGS.settle}, Verdict.AGAIN_UNSURE),
        (seen("absent"), {**WILLING, "absent_at": TOMORROW}, Verdict.ABSENT_ONCE),
        (seen("unclear"), {}, Verdict.UNCONFIRMED),
        (seen("unclear", trouble=True), {}, Verdict.WAIT),
        (seen("unclear", trouble=True), {"gate_late": True}, Verdict.UNCONFIRMED),
    ],
)
def test_a_look_up_for_a_sending_dated_ahead_comes_to_an_end(answer, given, what):
    assert verdict(answer, standing(MISDATED, **given), TIMINGS)[0] is what


def test_waits_grow_and_the_last_one_repeats():
    assert [backoff(n, WAITS, 0) for n in (1, 2, 3, 4, 9)] == [*WAITS, WAITS[-1]]


@st.composite
def _histories(draw):
    spent = draw(st.integers(1, 8))
    first = draw(st.none() | st.integers(0, 10_000))
    if first is None:
        return History(spent)
    last = draw(st.integers(0, first))
    return History(spent, NOW - timedelta(seconds=first), NOW - timedelta(seconds=last), draw(st.booleans()))


histories = _histories()
means = st.builds(Means, st.integers(0, 10_000), st.booleans())
settings = {"retry_after": st.none() | st.floats(0, 5_000), "jitter": st.floats(-1, 1), "failures": st.integers(0, 9)}


@given(st.sampled_from(Outcome), histories, means, st.fixed_dictionaries(settings))
def test_doubt_never_goes_back_to_the_calendar(outcome, history, means, given):
    decision = decide(outcome, history, means, now=NOW, timings=TIMINGS, **given)
    if history.doubt_since:
        assert decision.state not in (SCHEDULED, FAILED)


@given(st.sampled_from(Outcome), histories, means, st.fixed_dictionaries(settings))
def test_every_decision_names_a_next_look_or_rests(outcome, history, means, given):
    decision = decide(outcome, history, means, now=NOW, timings=TIMINGS, **given)
    waits = decision.state in (SETTLING, SCHEDULED)
    assert waits is (decision.wake_at is not None or (decision.stop and decision.state is SCHEDULED))
    if decision.pause_until and decision.wake_at:
        assert decision.wake_at >= decision.pause_until


@given(histories, means, st.booleans(), st.booleans())
def test_the_same_bytes_go_again_only_while_the_key_surely_lives(history, means, gate_open, gate_late):
    assume(history.doubt_since is not None)
    act, _at = settle_next(history, means, now=NOW, timings=TIMINGS, gate_open=gate_open, gate_late=gate_late)
    if act is Next.RESEND:
        assert gate_open
        assert not history.refused
        assert key_lives(history.doubt_since, NOW, means.key_window, TIMINGS)
    if act is Next.LOOK:
        assert means.can_find
        assert history.doubt_last + TIMINGS.quiet <= NOW, "what may still be at work proves nothing"


answers = st.builds(
    Seen,
    st.sampled_from(["found", "absent", "unclear"]),
    st.integers(0, 30_000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    candidates=st.integers(0, 3),
    certain=st.booleans(),
    trouble=st.booleans(),
)
standings = st.builds(
    Standing,
    histories.filter(lambda history: history.doubt_since is not None),
    sole=st.booleans(),
    may_resend=st.booleans(),
    gate_open=st.booleans(),
    gate_late=st.booleans(),
    absent_at=st.none() | st.integers(0, 30_000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    resends=st.integers(0, 1),
    opted_in=st.booleans(),
)


@given(answers, standings)
def test_nothing_is_adopted_that_two_could_claim(answer, stands):
    what, at = verdict(answer, stands, TIMINGS)
    if what is Verdict.ADOPT:
        assert answer.candidates == 1
        assert stands.sole or answer.certain
    assert (at is not None) is (what in (Verdict.WAIT, Verdict.ABSENT_ONCE))


@given(answers, standings)
def test_an_absence_sends_again_only_where_it_is_sure_or_asked_for_twice(answer, stands):
    what, _at = verdict(answer, stands, TIMINGS)
    if what is Verdict.AGAIN:
        assert answer.sure_absence
    if what is Verdict.AGAIN_UNSURE:
        assert stands.opted_in
        assert stands.resends == 0
        assert answer.at - stands.absent_at >= TIMINGS.settle
        assert stands.absent_at >= stands.history.doubt_last + TIMINGS.quiet
    if what in (Verdict.AGAIN, Verdict.AGAIN_UNSURE):
        assert not stands.history.refused
        assert stands.history.spent < TIMINGS.attempts


@given(st.integers(1, 20), st.floats(-1, 1))
def test_jitter_stays_within_a_fifth(spent, jitter):
    plain = backoff(spent, TIMINGS.backoff, 0)
    assert 0.8 * plain <= backoff(spent, TIMINGS.backoff, jitter) <= 1.2 * plain


def test_what_may_be_sent_again_in_doubt():
    table = {
        (history, window): may_resend(history, Means(window), now=NOW, timings=TIMINGS)
        for history, window in product((FRESH, DOUBT, SPENT_DOUBT, REFUSED_DOUBT), (3600, 0))
    }
    assert [cell for cell, may in table.items() if may] == [(DOUBT, 3600)]
    assert {Outcome.REJECTED, Outcome.DUPLICATE} == REFUSALS
