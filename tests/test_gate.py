"""May it go out now? The pure gate, reason by reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cm.publishing.gate import GateFacts, refusal

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
OPEN = GateFacts(
    now=NOW,
    scheduled_at=NOW,
    last_moment=NOW + timedelta(hours=1),
    not_before=None,
    example=False,
    simulated=False,
    channel_state="active",
    successor=None,
    paused=False,
    paused_until=None,
    pause_reason=None,
    blocked_until=None,
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
