"""May it go out now? The pure gate, reason by reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cm.publishing.gate import GateFacts, refusal

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
OPEN = GateFacts(
    now=NOW,
    scheduled_at=NOW,
    last_moment=NOW + timedelta(hours=1),
    not_before=None,
    held=None,
    example=False,
    simulated=False,
    channel_state="active",
    successor=None,
    paused=False,
    paused_until=None,
    pause_reason=None,
    blocked_until=None,
    spaced_until=None,
    content_hash="h",
    planned_hash="h",
    prepared_hash=None,
    check_error=None,
)


def test_an_open_way():
    assert refusal(OPEN) is None
    assert refusal(replace(OPEN, prepared_hash="h")) is None


@pytest.mark.parametrize(
    ("facts", "kind", "says"),
    [
        ({"now": NOW + timedelta(minutes=61)}, "late", "grace"),
        ({"scheduled_at": SOON}, "waits", "not due"),
        ({"not_before": SOON}, "waits", "next attempt"),
        ({"example": True}, "refused", "example"),
        ({"channel_state": "closed", "successor": "linkedin"}, "refused", "linkedin"),
        ({"paused": True, "pause_reason": "token refused"}, "refused", "token refused"),
        ({"paused": True, "paused_until": SOON, "pause_reason": "too fast"}, "waits", "too fast"),
        ({"blocked_until": SOON}, "waits", "settled"),
        ({"spaced_until": SOON}, "waits", "a moment ago"),
        ({"held": "held by jo: fire"}, "held", "fire"),
        ({"held": "held by jo", "now": NOW + timedelta(minutes=61)}, "held", "jo"),
        ({"held": "held by jo", "scheduled_at": SOON}, "waits", "not due"),
        ({"held": "held by jo", "paused": True}, "held", "jo"),
        ({"content_hash": "other"}, "refused", "outside cm"),
        ({"prepared_hash": "other"}, "refused", "outside cm"),
        ({"check_error": "event_date is missing"}, "refused", "event_date"),
    ],
)
def test_each_reason(facts, kind, says):
    refused = refusal(replace(OPEN, **facts))
    assert refused is not None
    assert (refused.kind, says in refused.reason) == (kind, True)


def test_an_example_goes_out_on_a_simulated_channel():
    assert refusal(replace(OPEN, example=True, simulated=True)) is None


def test_a_rest_that_is_over_no_longer_holds():
    assert refusal(replace(OPEN, paused=True, paused_until=NOW - timedelta(seconds=1))) is None


ENDS = ("scheduled_at", "not_before", "blocked_until", "spaced_until")


@given(
    ends=st.fixed_dictionaries({name: st.one_of(st.none(), st.integers(-90, 90)) for name in (*ENDS, "paused_until")}),
    late=st.integers(0, 89),
)
def test_what_waits_is_free_when_it_is_looked_at_again(ends, late):
    """The refusal names the instant at which nothing stands in the way any more: no look in between is in vain."""
    times = {name: NOW + timedelta(minutes=end) for name, end in ends.items() if end is not None}
    facts = replace(OPEN, last_moment=NOW + timedelta(hours=3), paused="paused_until" in times, **times)
    refused = refusal(facts)
    if refused is None:
        assert all(end <= NOW for end in times.values())
        return
    assert refused.kind == "waits"
    assert refused.until == max(end for end in times.values())
    assert refusal(replace(facts, now=refused.until)) is None
    if timedelta(minutes=late) < refused.until - NOW:
        assert refusal(replace(facts, now=NOW + timedelta(minutes=late))) is not None


@given(flags=st.fixed_dictionaries({name: st.booleans() for name in ("paused", "example")}), minutes=st.integers(0, 90))
def test_nothing_passes_a_hold(flags, minutes):
    """Whatever else is so: what is due under a hold neither goes out nor sleeps on to its end."""
    refused = refusal(replace(OPEN, held="held by jo", now=NOW + timedelta(minutes=minutes), **flags))
    assert refused is not None
    assert refused.kind == "held"
